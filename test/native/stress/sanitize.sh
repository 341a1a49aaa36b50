#!/bin/sh
# The addon under AddressSanitizer or UndefinedBehaviorSanitizer: builds it and the stand-ins instrumented into out/, and runs
# the stress in a Node that has the sanitizer loaded first.
#   sh test/native/stress/sanitize.sh address|undefined [CALLS] [WORKERS] [ROUNDS] [KILLS] [SEED]
set -eu

kind=$1
calls=${2:-100000}
workers=${3:-8}
rounds=${4:-100}
kills=${5:-200}
seed=${6:-1}
cxx=${CXX:-g++}
command -v "$cxx" >/dev/null 2>&1 || { echo "skipped: no $cxx"; exit 0; }
headers=
for folder in "${NODE_HEADERS:-}" "$(dirname "$(node -p process.execPath)")/../include/node" /usr/include/node; do
  if [ -n "$folder" ] && [ -e "$folder/node_api.h" ]; then headers=$folder; break; fi
done
[ -n "$headers" ] || { echo "skipped: no headers of Node"; exit 0; }

out=out/sanitize/$kind
rm -rf "$out"
mkdir -p "$out/build/Release" "$out/stand_in"
flags="-fsanitize=$kind -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1"
# shellcheck disable=SC2086
"$cxx" -std=c++17 -fPIC -shared -fvisibility=hidden -fexceptions $flags -DNAPI_VERSION=8 -DNODE_GYP_MODULE_NAME=hotmic \
  -DNODE_ADDON_API_CPP_EXCEPTIONS_ALL -DNODE_API_NO_EXTERNAL_BUFFERS_ALLOWED -DNODE_ADDON_API_DISABLE_DEPRECATED -DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS \
  -I"$headers" -I"$(node -p "require('node-addon-api').include_dir")" native/src/*.cpp -ldl \
  -o "$out/build/Release/hotmic.node"
# shellcheck disable=SC2086
NODE_HEADERS=$headers sh test/kit/steam/build.sh "$out/stand_in" $flags

case $kind in
  address) runtime=libasan.so ;;
  *) runtime=libubsan.so ;;
esac
# What Node itself never gives back is not ours; and the stand-in, like Steam, stays loaded.
LD_PRELOAD=$("$cxx" -print-file-name=$runtime) HOTMIC_PREBUILD=$PWD/$out \
  ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  node dist/test/native/stress/main.js "$PWD/$out/stand_in/sdk160/libsteam_api.so" "$calls" "$workers" "$rounds" "$kills" "$seed"
