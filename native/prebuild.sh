#!/bin/sh
# Puts the built addon where node-gyp-build looks for prebuilt ones, so that a package made here needs no compiler on this platform.
# node-gyp-build reads the tags in the name: Node-API, and the C library that it was linked with.
set -eu

rm -rf prebuilds
if [ ! -e build/.addon ]; then
  echo 'the package will have no prebuilt addon: it is compiled when the package is installed'
  exit 0
fi
folder=prebuilds/$(node -p '`${process.platform}-${process.arch}`')
libc=$(node -p "process.platform !== 'linux' ? '' : process.report.getReport().header.glibcVersionRuntime ? '.glibc' : '.musl'")
mkdir -p "$folder"
cp build/Release/hotmic.node "$folder/hotmic.napi$libc.node"
command -v strip >/dev/null 2>&1 && [ "$(uname)" = Linux ] && strip --strip-unneeded "$folder/hotmic.napi$libc.node"
echo "$folder/hotmic.napi$libc.node"
