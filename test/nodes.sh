#!/bin/sh
# Runs the tests on each supported Node, here and in a bootstrapped Debian 13 tree (debian13.sh), one after the other:
#
#     sh test/nodes.sh                              all tests
#     sh test/nodes.sh --fast                       the pure parts
#     sh test/nodes.sh dist/test/voice/ring.test.js …
#
# RUNS names what to run, in this order. The default is "here/22 here/24 here/26 debian13/22 debian13/24": uWebSockets has binaries for
# Node 22 and 24 that need Debian 13's glibc, and none for Node 26. A tree needs root. The last lines have each run's result.
# A whole run takes ten minutes or more.
set -eu

cd "$(dirname "$0")/.."
: "${RUNS:=here/22 here/24 here/26 debian13/22 debian13/24}"
logs=$PWD/out/nodes
mkdir -p "$logs"

# There is no compiler in the tree: addon and stand-ins are those that were built here, against an older glibc.
in_debian13() {
  tree=$PWD/out/debian13
  mkdir -p "$tree/hotmic"
  stand_ins=$(node --input-type=module --eval "
    const { buildStandIns } = await import('./dist/test/kit/stand_in_steam.js');
    const built = await buildStandIns();
    if (built.kind === 'built') console.log(built.harness.replace(/^.*(out.stand_in.*).harness\$/, '/hotmic/\$1'));
  ")
  # In a mount namespace of its own, so that nothing stays mounted, whatever happens. The project is bound into it as it is, built
  # and installed, and with it the Node to run.
  path=/hotmic${1#"$PWD"}:/usr/local/bin:/usr/bin:/bin
  shift
  unshare --mount sh -c '
    mount --bind . "$1/hotmic"
    mount --rbind /proc "$1/proc"
    mount --rbind /dev "$1/dev"
    tree=$1; path=$2; stand_ins=$3
    shift 3
    exec chroot "$tree" env -i HOME=/root PATH="$path" ${stand_ins:+HOTMIC_STAND_INS=$stand_ins} \
      sh -c "cd /hotmic && exec node dist/test/run.js \"\$@\"" sh "$@"
  ' sh "$tree" "$path" "$stand_ins" "$@"
}

summary=
failed=0
for run in $RUNS; do
  where=${run%/*}
  node=$(sh test/runtimes.sh node "${run#*/}")
  bin=$(dirname "$node")
  log=$logs/$where-node-${run#*/}.log
  case $where in
    here)
      echo "== Node $("$node" -p process.versions.node), here"
      (PATH=$bin:$PATH node dist/test/run.js "$@" && echo 0 >"$log.code" || echo $? >"$log.code") 2>&1 | tee "$log"
      ;;
    debian13)
      sh test/debian13.sh
      echo "== Node $("$node" -p process.versions.node), in a Debian 13 tree"
      (in_debian13 "$bin" "$@" && echo 0 >"$log.code" || echo $? >"$log.code") 2>&1 | tee "$log"
      ;;
    *)
      echo "Cannot run the tests on $run: expected here/22 or debian13/24, for example" >&2
      exit 2
      ;;
  esac
  [ "$(cat "$log.code")" = 0 ] || failed=1
  rm "$log.code"
  summary="$summary$run: $(tail -n 1 "$log")
"
done
printf '\n%s' "$summary"
exit $failed
