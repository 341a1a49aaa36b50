#!/bin/sh
# Builds the addon (build/Release/hotmic.node) if there are a C++ compiler, make, Python 3 and Node's headers. Nothing is downloaded:
# if one is missing, one line says so, and the real Steam is left out. HOTMIC_NO_ADDON=1 leaves it out without looking.
set -eu

leave_out() {
  rm -f build/.addon
  echo "the real Steam is left out: $1"
  exit 0
}

[ -z "${HOTMIC_NO_ADDON:-}" ] || leave_out 'HOTMIC_NO_ADDON is set'
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 || leave_out 'no C++ compiler'
command -v make >/dev/null 2>&1 || leave_out 'no make'
python3 -c '' >/dev/null 2>&1 || leave_out 'no python3'

# Node's headers: those of npm's setting (nodedir), else those beside the node in use.
headers() {
  [ -e "$1/include/node/node_api.h" ] && [ -e "$1/include/node/common.gypi" ]
}
node_major=$(node -p 'process.versions.modules')
for folder in "${npm_config_nodedir:-}" "$(npm config get nodedir 2>/dev/null || true)" \
  "$(node -p "require('node:path').resolve(require('node:fs').realpathSync(process.execPath), '../..')")"; do
  [ -n "$folder" ] && headers "$folder" || continue
  grep -q "NODE_MODULE_VERSION $node_major\$" "$folder/include/node/node_version.h" || continue
  nodedir=$folder
  break
done
[ -n "${nodedir:-}" ] || leave_out "no headers of Node $(node -v) beside it, nor where npm's nodedir points"

mkdir -p out build
# node-gyp runs its own make, which must not inherit the flags of this one.
unset MAKEFLAGS MFLAGS MAKELEVEL
if ! npm run --silent --loglevel=error addon -- "--nodedir=$nodedir" >out/addon.log 2>&1; then
  cat out/addon.log
  echo "the addon does not compile (HOTMIC_NO_ADDON=1 leaves it out)"
  exit 1
fi
touch build/.addon
