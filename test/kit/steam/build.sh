#!/bin/sh
# Builds the stand-ins for Steam's libraries, the control addon and the harness into a folder.
#   sh test/kit/steam/build.sh FOLDER [FLAG …]
# FLAG …: more for the compiler and the linker, such as -fsanitize=address,undefined. NODE_HEADERS says where node_api.h is;
# without it there is no control addon. CXX names the compiler, g++ without it.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=$1
shift
mkdir -p "$out/client"
cxx=${CXX:-g++}
# No unique symbols: two variants in one process are two fake clients. nodelete: what was loaded stays, with its state.
flags="-std=c++17 -O1 -g -Wall -Wextra -Werror -fPIC -fvisibility=hidden -fno-gnu-unique"
shared="-shared -Wl,-z,nodelete -Wl,-z,defs"
case "$*" in *-fsanitize*) shared="-shared -Wl,-z,nodelete" ;; esac

objects=
for name in callback_queue fake_voice fake_client fake_client_tickets fake_client_calls control_commands; do
  # shellcheck disable=SC2086
  "$cxx" $flags "$@" -c "$here/$name.cpp" -o "$out/$name.o" &
  objects="$objects $out/$name.o"
done
wait

for variant in sdk152=152 v022=156 sdk157=157 sdk158a=158 sdk160=160; do
  mkdir -p "$out/${variant%=*}"
  # shellcheck disable=SC2086
  "$cxx" $flags "$@" -DHOTMIC_STAND_IN_SDK="${variant#*=}" $shared "$here/stand_in_steam_api.cpp" $objects \
    -o "$out/${variant%=*}/libsteam_api.so" -pthread &
done
# shellcheck disable=SC2086
"$cxx" $flags "$@" $shared "$here/stand_in_steamclient.cpp" $objects -o "$out/client/steamclient.so" -pthread &
# shellcheck disable=SC2086
"$cxx" $flags "$@" "$here/harness.cpp" "$here/harness_session.cpp" -o "$out/harness" -ldl -pthread &
if [ -n "${NODE_HEADERS:-}" ]; then
  # Without the flags: it is loaded by a Node that was not built with them.
  # shellcheck disable=SC2086
  "$cxx" $flags -shared -I"$NODE_HEADERS" "$here/control.cc" -o "$out/control.node" -ldl &
fi
wait

# `wait` without names forgets who failed: what is there counts.
for made in sdk152/libsteam_api.so v022/libsteam_api.so sdk157/libsteam_api.so sdk158a/libsteam_api.so \
  sdk160/libsteam_api.so client/steamclient.so harness ${NODE_HEADERS:+control.node}; do
  [ -e "$out/$made" ] || { echo "not built: $made" >&2; exit 1; }
done
rm -f "$out"/*.o
