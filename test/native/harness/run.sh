#!/bin/sh
# Builds harness programs with a sanitizer into out/harness/ and runs each, without arguments unless told.
#
#     test/native/harness/run.sh tsan|asan|ubsan|plain [PROGRAM.cpp ...]     default: every .cpp beside this script
#
# HARNESS_DEFINES: more for the compiler, as -DMUTATE_PUBLISH_EARLY, which must make it fail. HARNESS_ARGS: for the programs.
# HARNESS_TIMEOUT_S: for each program, default 300. CXX: the compiler, default g++.
# Ends with 0 when all passed, 1 on a finding, 3 when nothing could be built here, said why.
set -u

here=$(dirname "$0")
root=$(cd "$here/../../.." && pwd)
kind=${1:-}
[ $# -gt 0 ] && shift
case $kind in
  tsan) sanitize=-fsanitize=thread ;;
  asan) sanitize='-fsanitize=address -fno-omit-frame-pointer' ;;
  ubsan) sanitize='-fsanitize=undefined -fno-sanitize-recover=all' ;;
  plain) sanitize= ;;
  *) echo "run.sh: no sanitizer is called '$kind': expected tsan, asan, ubsan or plain" >&2; exit 2 ;;
esac
[ $# -gt 0 ] || set -- "$here"/*.cpp

skip() { echo "SKIPPED $kind harness: $1"; exit 3; }
cxx=${CXX:-g++}
defines=${HARNESS_DEFINES:-}
out=$root/out/harness/$kind$(echo "$defines" | tr -c 'A-Za-z0-9_\n' -)
mkdir -p "$out"
[ "$(uname -s)" = Linux ] || skip 'it waits by futex, which is Linux'
command -v "$cxx" >/dev/null || skip "there is no $cxx"
echo 'int main() { return 0; }' >"$out/probe.cc"
# shellcheck disable=SC2086
"$cxx" -std=c++20 $sanitize "$out/probe.cc" -o "$out/probe" 2>"$out/probe.log" || skip "$cxx cannot: $(head -n 1 "$out/probe.log")"

# ThreadSanitizer of older compilers cannot have the address space as random as newer kernels make it.
run=
if setarch "$(uname -m)" -R true 2>/dev/null; then run="setarch $(uname -m) -R"; fi
# A program that a mutation has broken may not end by itself.
if command -v timeout >/dev/null; then run="timeout -s KILL ${HARNESS_TIMEOUT_S:-300} $run"; fi
$run "$out/probe" 2>"$out/probe.log" || skip "its programs do not run here: $(head -n 1 "$out/probe.log")"

# The stand-in for libsteam_api, instrumented alike, for the programs that open one.
if grep -qs HARNESS_STEAM_LIBRARY "$@"; then
  # shellcheck disable=SC2086
  CXX=$cxx NODE_HEADERS='' sh "$root/test/kit/steam/build.sh" "$out/stand_in" $sanitize || exit 1
  export HARNESS_STEAM_LIBRARY="$out/stand_in/sdk160/libsteam_api.so"
fi

status=0
for source in "$@"; do
  program=$out/$(basename "$source" .cpp)
  # What a program is made of beside itself stands in it, after `// sources:`.
  more=$(sed -n 's,^// sources: ,,p' "$source")
  # shellcheck disable=SC2086
  (cd "$root" && "$cxx" -std=c++20 -O1 -g -Wall -Wextra -Werror -pthread $sanitize $defines "$(realpath "$source")" $more -o "$program" -ldl) ||
    { status=1; continue; }
  # shellcheck disable=SC2086
  if $run "$program" ${HARNESS_ARGS:-}; then echo "$kind: $(basename "$program") is clean"
  else echo "$kind: $(basename "$program") FAILED"; status=1
  fi
done
exit $status
