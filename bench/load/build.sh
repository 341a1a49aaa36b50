#!/bin/sh
# Builds the load generator into out/bench/relay/load. The last line says `tls`, or `plain: ` and why it cannot do TLS; it fails, and
# says why, where there is no C++17 compiler. libssl-dev is installed where it is missing, this is Debian and we are root;
# HOTMIC_NO_INSTALL=1 leaves that out.
set -eu

cd "$(dirname "$0")/../.."
mkdir -p out/bench/relay
program=out/bench/relay/load
log=out/bench/relay/build.log

compiler=${CXX:-g++}
command -v "$compiler" >/dev/null 2>&1 || { echo "no C++ compiler: wants g++" >&2; exit 1; }

has_openssl() {
  echo '#include <openssl/ssl.h>' | "$compiler" -E -x c++ - >/dev/null 2>&1
}
lacks=
if ! has_openssl; then
  if [ -n "${HOTMIC_NO_INSTALL:-}" ]; then
    lacks="no libssl-dev, and HOTMIC_NO_INSTALL is set"
  elif ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    lacks="no libssl-dev: install it by hand"
  else
    echo "bench: installing Debian's libssl-dev for the load generator; HOTMIC_NO_INSTALL=1 leaves it out" >&2
    export DEBIAN_FRONTEND=noninteractive
    options="-q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=1"
    { timeout -k 10 60 apt-get $options update &&
      timeout -k 10 300 apt-get $options install -y --no-install-recommends libssl-dev; } </dev/null >"$log" 2>&1 || true
    has_openssl || lacks="apt-get cannot install libssl-dev, see $log"
  fi
fi

with= libraries=
[ -n "$lacks" ] || { with=-DHOTMIC_TLS libraries="-lssl -lcrypto"; }
if ! "$compiler" -std=c++17 -O2 -Wall -Wextra -Werror $with bench/load/main.cpp -o "$program" $libraries 2>"$log"; then
  cat "$log" >&2
  exit 1
fi
[ -z "$lacks" ] && echo tls || echo "plain: $lacks"
