#!/bin/sh
# Runs the parts of Hotmic on each runtime that this machine can run, keeps the results in test/platforms/results/, and writes the table
# of docs/platforms.md. The Node on the PATH is one of them; Debian 13 needs root. Other platforms have their results in out/platforms/ from
# make test-platforms; for those that do not, only the smoke is run.
set -eu

cd "$(dirname "$0")/../.."
smoke=dist/test/platforms/smoke.js
mkdir -p out/platforms test/platforms/results
record() {
  node dist/test/platforms/record.js "$@" 2>>out/platforms/record.log || echo "  (out/platforms/record.log has more)"
}
: >out/platforms/record.log

major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 22 ] || record "here-node-$major" -- node $smoke
for line in 22 24 26; do
  record "here-node-$line" -- "$(sh test/runtimes.sh node $line)" $smoke
done
record here-bun -- "$(sh test/runtimes.sh bun)" $smoke
record here-deno -- "$(sh test/runtimes.sh deno)" run --allow-all $smoke
if [ "$(id -u)" = 0 ]; then
  sh test/debian13.sh
  mkdir -p out/debian13/hotmic
  for line in 22 24 26; do
    node=$(sh test/runtimes.sh node $line)
    record "debian13-node-$line" -- unshare --mount sh -c '
      mount --bind . "$1/hotmic"; mount --rbind /proc "$1/proc"; mount --rbind /dev "$1/dev"
      tree=$1 node=$2 smoke=$3; shift 3
      exec chroot "$tree" env -i HOME=/root PATH=/usr/bin:/bin sh -c "cd /hotmic && exec \"\$@\"" sh "$node" "$smoke" "$@"
    ' sh out/debian13 "/hotmic${node#"$PWD"}" $smoke
  done
fi
for name in linux-arm64 linux-x64-musl win32-x64; do
  [ -e "out/platforms/$name.json" ] || node dist/test/platforms/main.js --smoke "$name" || true
done
cp out/platforms/*.json test/platforms/results/
node dist/test/platforms/page.js
