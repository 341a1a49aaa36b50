#!/bin/sh
# Runs the tests on the machine that users have: Node 24 on Debian 13, bootstrapped into out/debian13 (debian13.sh). The
# project is bound into it as it is, built and installed.
set -eu

cd "$(dirname "$0")/.."
tree=$PWD/out/debian13
sh test/debian13.sh
mkdir -p "$tree/hotmic"
# There is no compiler in the tree: addon and stand-ins are those that were built here, against an older glibc.
stand_ins=$(node --input-type=module --eval "
  const { buildStandIns } = await import('./dist/test/kit/stand_in_steam.js');
  const built = await buildStandIns();
  if (built.kind === 'built') console.log(built.harness.replace(/^.*(out.stand_in.*).harness\$/, '/hotmic/\$1'));
")
# In a mount namespace of its own, so that nothing stays mounted, whatever happens.
exec unshare --mount sh -c '
  mount --bind . "$1/hotmic"
  mount --rbind /proc "$1/proc"
  mount --rbind /dev "$1/dev"
  exec chroot "$1" env -i HOME=/root PATH=/usr/local/bin:/usr/bin:/bin ${2:+HOTMIC_STAND_INS=$2} \
    sh -c "cd /hotmic && node --version && node dist/test/run.js"
' sh "$tree" "$stand_ins"
