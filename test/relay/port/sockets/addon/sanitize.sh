#!/bin/sh
# The addon with uWebSockets under AddressSanitizer or UndefinedBehaviorSanitizer: builds it instrumented, with the library, into out/, and runs
# the layers' common sentences, its own tests and the attacks on a relay in a Node that has the sanitizer loaded first.
#   sh test/relay/port/sockets/addon/sanitize.sh address|undefined [FILE.test.js …]
set -eu

kind=$1
shift
[ $# -gt 0 ] || set -- dist/test/relay/port/sockets/layers.test.js dist/test/relay/port/sockets/addon/addon.test.js \
  dist/test/relay/port/sockets/addon/process.test.js dist/test/hostile/hostile_tls.test.js
cxx=${CXX:-g++}
cc=${CC:-gcc}
for tool in "$cxx" "$cc"; do
  command -v "$tool" >/dev/null 2>&1 || { echo "skipped: no $tool"; exit 0; }
done
headers=
for folder in "${NODE_HEADERS:-}" "$(dirname "$(node -p process.execPath)")/../include/node" /usr/include/node; do
  if [ -n "$folder" ] && [ -e "$folder/openssl/ssl.h" ] && [ -e "$folder/uv.h" ]; then headers=$folder; break; fi
done
[ -n "$headers" ] || { echo "skipped: no headers of Node with OpenSSL and libuv"; exit 0; }

addon=relay/port/sockets/addon
out=out/sanitize/sockets-$kind
rm -rf "$out"
mkdir -p "$out"
flags="-fsanitize=$kind -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1 -fPIC -fvisibility=hidden"
flags="$flags -DNAPI_VERSION=8 -DLIBUS_USE_LIBUV -DLIBUS_USE_OPENSSL -DUWS_WITH_PROXY -DUWS_NO_ZLIB -D_GNU_SOURCE"
flags="$flags -I$addon/library/src -I$addon/library/uSockets/src -I$headers"
for source in "$addon"/library/uSockets/src/*.c "$addon"/library/uSockets/src/*/*.c; do
  # shellcheck disable=SC2086
  "$cc" -std=c11 -Wno-deprecated-declarations $flags -c "$source" -o "$out/$(basename "$source").o"
done
# shellcheck disable=SC2086
"$cxx" -std=c++20 -shared $flags "$addon"/src/*.cpp "$addon"/library/uSockets/src/crypto/sni_tree.cpp "$out"/*.o -o "$out/hotmic_sockets.node"

case $kind in
  address) runtime=libasan.so ;;
  *) runtime=libubsan.so ;;
esac
# What Node itself never gives back is not ours, and the library's event loop stays until the process ends.
LD_PRELOAD=$("$cxx" -print-file-name=$runtime) HOTMIC_SOCKETS_ADDON=$PWD/$out/hotmic_sockets.node HOTMIC_RELAY_SOCKETS=uws HOTMIC_UWS=addon \
  ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
  node dist/test/run.js "$@"
