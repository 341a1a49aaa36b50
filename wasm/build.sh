#!/bin/sh
# Builds the codec, with SIMD and without, and the microphone's processing, and puts them in wasm/pkg/, with the
# manifest of what made it (manifest.mjs). Installs what lacks first (toolchain.sh). The output depends on the sources and the tools' versions only, on no folder.
# Beside another copy of this folder's files it builds that copy: check.ts does so to compare.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=${HOTMIC_WASM_TOOLCHAIN:-$here/.toolchain}
[ -n "${HOTMIC_WASM_NO_INSTALL:-}" ] || HOTMIC_WASM_TOOLCHAIN=$tools sh "$here/toolchain.sh"

unset RUSTC RUSTUP_TOOLCHAIN CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR CARGO_BUILD_RUSTFLAGS
PATH=$tools/bin:$PATH
cargo_home=${CARGO_HOME:-$HOME/.cargo}
flags="-C linker=wasm-ld-22"
remap="--remap-path-prefix=$here=wasm --remap-path-prefix=$cargo_home=cargo"
remap="$remap --remap-path-prefix=$tools/sysroot/lib/rustlib/src/rust/library=/rust"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
HOTMIC_BUILD_NOTES=$work/notes
export PATH HOTMIC_BUILD_NOTES

cd "$here"
cargo fetch --quiet --locked
cargo fetch --quiet --locked --manifest-path processing/Cargo.toml
# build NAME SIMD TARGET_FEATURES. no-install: the wasm-bindgen on the PATH. no-opt: wasm-opt gains 5 % of the
# size and is one tool more to pin.
build() {
  RUSTFLAGS="$flags $3 $remap" HOTMIC_WASM_SIMD=$2 \
    wasm-pack --quiet build --target web --mode no-install --no-opt --no-pack --out-dir "$work/$1" --release . \
    -- --locked
}
build scalar off ""
build simd on "-C target-feature=+simd128"
# One glue serves both, so that what differs is the instructions alone.
cmp "$work/simd/hotmic_wasm.js" "$work/scalar/hotmic_wasm.js"
# The microphone's processing: plain exports, no glue.
RUSTFLAGS="$flags -C target-feature=+simd128 $remap" CARGO_TARGET_DIR=$work/processing \
  cargo build --quiet --locked --release --target wasm32-unknown-unknown --manifest-path processing/Cargo.toml
# The package as committed: wasm-pack's .gitignore, which would hide it, stays behind.
rm -rf pkg
mkdir pkg
cp "$work/simd"/*.js "$work/simd"/*.ts "$work/simd"/*.wasm pkg/
cp "$work/scalar/hotmic_wasm_bg.wasm" pkg/hotmic_wasm_scalar_bg.wasm
cp "$work/processing/wasm32-unknown-unknown/release/hotmic_processing.wasm" pkg/
chmod 644 pkg/*
HOTMIC_WASM_TOOLCHAIN=$tools sh toolchain.sh --check >"$work/tools"
# The notes are those of the last build, the one with SIMD.
node manifest.mjs "$work/notes" "$work/tools" "$flags -C target-feature=+simd128"
