#!/bin/sh
# Gets Chromium for test/wasm/browser.test.ts where it is missing: Debian's, with apt, as root. `make test` calls it first.
# It never fails: the test is skipped then, and this says why. HOTMIC_NO_INSTALL=1 keeps it from installing anything;
# HOTMIC_CHROMIUM names another browser. A failure is remembered for an hour, so that `make test` does not wait each time.
set -u

cd "$(dirname "$0")/.."
failed=out/chromium.failed

leave() {
  echo "test: no Chromium: $*; the browser tests are skipped" >&2
  exit 0
}

[ -n "${HOTMIC_CHROMIUM:-}" ] && exit 0
for name in chromium chromium-browser google-chrome-stable google-chrome; do
  command -v "$name" >/dev/null && exit 0
done

[ -z "${HOTMIC_NO_INSTALL:-}" ] || leave "HOTMIC_NO_INSTALL is set"
command -v apt-get >/dev/null && grep -qs '^ID=debian$' /etc/os-release || leave "this is not Debian: install it by hand"
[ "$(id -u)" = 0 ] || leave "installing it needs root: apt-get install chromium"
[ -z "$(find "$failed" -mmin -60 2>/dev/null)" ] || leave "apt-get failed within the last hour, see $failed"

echo "test: installing Debian's chromium for the browser tests; HOTMIC_NO_INSTALL=1 leaves it out" >&2
mkdir -p out
# apt's own waits are short, and each step has a limit in seconds: without a network this must not take long.
apt() {
  limit=$1
  shift
  DEBIAN_FRONTEND=noninteractive timeout -k 10 "$limit" apt-get -q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=1 \
    -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 "$@" </dev/null >>"$failed" 2>&1
}
: >"$failed"
# Old lists may do where new ones are not to be had. What is loaded and what is unpacked have limits of their own: the first may
# be broken off without harm.
apt 60 update
apt 240 install -y --no-install-recommends --download-only chromium &&
  apt 300 install -y --no-install-recommends chromium || leave "apt-get failed, see $failed"
rm -f "$failed"
