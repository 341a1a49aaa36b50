#!/bin/sh
# Builds the load generator: build.sh FOLDER makes FOLDER/load, by default in out/bench/relay. The last line of output is `tls`, or `plain: ` with the reason why there is no
# TLS. Without a C++17 compiler it fails with a message. On Debian as root it installs libssl-dev if it is missing, unless
# HOTMIC_NO_INSTALL=1.
set -eu

sources=$(dirname "$0")
folder=${1:-$sources/../../out/bench/relay}
mkdir -p "$folder"
program=$folder/load
log=$folder/build.log

compiler=${CXX:-g++}
command -v "$compiler" >/dev/null 2>&1 || { echo "no C++ compiler: install g++" >&2; exit 1; }

has_openssl() {
  echo '#include <openssl/ssl.h>' | "$compiler" -E -x c++ - >/dev/null 2>&1
}
reason=
if ! has_openssl; then
  if [ -n "${HOTMIC_NO_INSTALL:-}" ]; then
    reason="no libssl-dev, and HOTMIC_NO_INSTALL is set"
  elif ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" != 0 ]; then
    reason="no libssl-dev: install it by hand"
  else
    echo "bench: installing Debian's libssl-dev for the load generator (HOTMIC_NO_INSTALL=1 prevents this)" >&2
    export DEBIAN_FRONTEND=noninteractive
    options="-q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=1"
    { timeout -k 10 60 apt-get $options update &&
      timeout -k 10 300 apt-get $options install -y --no-install-recommends libssl-dev; } </dev/null >"$log" 2>&1 || true
    has_openssl || reason="apt-get cannot install libssl-dev, see $log"
  fi
fi

with= libraries=
[ -n "$reason" ] || { with=-DHOTMIC_TLS libraries="-lssl -lcrypto"; }
if ! "$compiler" -std=c++17 -O2 -Wall -Wextra $with "$sources/main.cpp" -o "$program" $libraries 2>"$log"; then
  cat "$log" >&2
  exit 1
fi
[ -z "$reason" ] && echo tls || echo "plain: $reason"
