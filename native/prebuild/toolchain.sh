#!/bin/sh
# Installs the compiler that native/prebuild/build.ts uses, Zig, into native/.toolchain/ (ignored by git), and does nothing if it is
# there. It comes from PyPI's `ziglang`, at a fixed version and hash. It runs on Linux x64; it compiles for every platform.
# `sh native/prebuild/toolchain.sh --check` installs nothing: it prints the compiler's path, and exits 1 if it is missing.
# HOTMIC_ZIG_TOOLCHAIN names another folder than native/.toolchain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=${HOTMIC_ZIG_TOOLCHAIN:-$here/../.toolchain}
version=0.15.2
sha256=806316453d1ede7174ed3fefb8e5348154629089c3bb5fe812dfd0e172fac130
zig=$tools/zig-$version/ziglang/zig

say() { echo "toolchain: $*" >&2; }

have_zig() { [ "$("$zig" version 2>/dev/null)" = $version ]; }

if have_zig; then
  (cd "$tools" && echo "$PWD/zig-$version/ziglang/zig")
  exit 0
fi
[ "${1:-}" != --check ] || exit 1

[ "$(uname -sm)" = 'Linux x86_64' ] || { say "Cannot install Zig: this is $(uname -sm), expected Linux x86_64"; exit 1; }
python3 -m pip --version >/dev/null 2>&1 || { say 'Cannot install Zig: there is no python3 with pip'; exit 1; }
say "installing Zig $version"
mkdir -p "$tools"
work=$(mktemp -d "$tools/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "ziglang==$version --hash=sha256:$sha256" >"$work/requirements"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
  --root-user-action ignore --target "$work/zig" --requirement "$work/requirements" >&2
rm -rf "$tools/zig-$version"
mv "$work/zig" "$tools/zig-$version"
have_zig || { say "Zig was installed, but $zig does not run"; exit 1; }
(cd "$tools" && echo "$PWD/zig-$version/ziglang/zig")
