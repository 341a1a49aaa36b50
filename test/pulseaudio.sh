#!/bin/sh
# Gets PulseAudio for test/cli/sound/null_sink.test.ts where it is missing: Debian's, with apt, as root. `make test` calls it first. The test
# starts a daemon of its own; nothing is started here. It never fails: the test is skipped then, and this says why. HOTMIC_NO_INSTALL=1
# keeps it from installing anything. A failure is remembered for an hour, so that `make test` does not wait each time.
set -u

cd "$(dirname "$0")/.."
failed=out/pulseaudio.failed

leave() {
  echo "test: no PulseAudio: $*; the tests of sound devices are skipped" >&2
  exit 0
}

command -v pulseaudio >/dev/null && command -v pacat >/dev/null && exit 0
[ -z "${HOTMIC_NO_INSTALL:-}" ] || leave "HOTMIC_NO_INSTALL is set"
command -v apt-get >/dev/null && grep -qs '^ID=debian$' /etc/os-release || leave "this is not Debian: install it by hand"
[ "$(id -u)" = 0 ] || leave "installing it needs root: apt-get install pulseaudio pulseaudio-utils"
[ -z "$(find "$failed" -mmin -60 2>/dev/null)" ] || leave "apt-get failed within the last hour, see $failed"

echo "test: installing Debian's pulseaudio for the tests of sound devices; HOTMIC_NO_INSTALL=1 leaves it out" >&2
mkdir -p out
# apt's own waits are short, and each step has a limit in seconds: without a network this must not take long.
apt() {
  limit=$1
  shift
  DEBIAN_FRONTEND=noninteractive timeout -k 10 "$limit" apt-get -q -o DPkg::Lock::Timeout=60 -o Acquire::Retries=1 \
    -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 "$@" </dev/null >>"$failed" 2>&1
}
: >"$failed"
# Old lists may do where new ones are not to be had.
apt 60 update
apt 180 install -y --no-install-recommends pulseaudio pulseaudio-utils || leave "apt-get failed, see $failed"
rm -f "$failed"
