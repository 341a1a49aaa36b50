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
# Node 26 needs libatomic.
[ -e "$tree/usr/lib/x86_64-linux-gnu/libatomic.so.1" ] || {
  # An interrupted one may have left its /proc mounted.
  umount -q "$tree.part/proc" || true
  rm -rf --one-file-system "$tree" "$tree.part"
  debootstrap --variant=minbase --include=libstdc++6,libatomic1 trixie "$tree.part"
  mv "$tree.part" "$tree"
}
node=$(sh test/runtimes.sh node 24)
cmp -s "$node" "$tree/usr/local/bin/node" || install -m 755 "$node" "$tree/usr/local/bin/node"
