#!/bin/sh
# Gets what `wasm/build.sh` needs, and does nothing where it is there already:
#   - Debian's rustc, cargo and Rust library source, clang, wasm-ld and llvm-ar (apt, needs root);
#   - in wasm/.toolchain/ (ignored by git): a Rust standard library for wasm32, wasm-bindgen and wasm-pack.
# `sh wasm/toolchain.sh --check` installs nothing: it prints `name=version` lines, and exits 1 if anything
# lacks. HOTMIC_WASM_TOOLCHAIN names another folder than wasm/.toolchain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tools=${HOTMIC_WASM_TOOLCHAIN:-$here/.toolchain}
llvm=22
packages="rustc-web cargo-web rust-web-src clang-$llvm lld-$llvm llvm-$llvm"
wasm_pack=0.15.1
wasm_bindgen=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' "$here/Cargo.lock")
target=wasm32-unknown-unknown

# Debian's compilers by their full path: one installed by rustup may come first on the PATH, and cannot build
# Debian's library source.
rustc=/usr/bin/rustc
cargo=/usr/bin/cargo

say() { echo "toolchain: $*" >&2; }

have_packages() {
  [ -x $rustc ] && [ -x $cargo ] && [ -d "$($rustc --print sysroot)/lib/rustlib/src/rust/library" ] &&
    command -v clang-$llvm wasm-ld-$llvm llvm-ar-$llvm >/dev/null
}

# The standard library must be the compiler's own: the stamp holds the version that built it.
have_library() { [ "$(cat "$tools/library.stamp" 2>/dev/null)" = "$($rustc --version)" ]; }
have_bindgen() { [ "$("$tools/bin/wasm-bindgen" --version 2>/dev/null)" = "wasm-bindgen $wasm_bindgen" ]; }
have_pack() { [ "$("$tools/bin/wasm-pack" --version 2>/dev/null)" = "wasm-pack $wasm_pack" ]; }

if [ "${1:-}" = --check ]; then
  have_packages && have_library && have_bindgen && have_pack || exit 1
  echo "rustc=$($rustc --version | cut -d' ' -f2)"
  echo "clang=$(clang-$llvm -dumpversion)"
  echo "wasm-ld=$(wasm-ld-$llvm --version | sed 's/^[^0-9]*\([0-9][0-9.]*\).*/\1/')"
  echo "wasm-bindgen=$wasm_bindgen"
  echo "wasm-pack=$wasm_pack"
  exit 0
fi

mkdir -p "$tools/bin"

if have_packages; then say "compilers: there"; else
  say "compilers: installing $packages"
  [ "$(id -u)" = 0 ] || { say "cannot install packages: not root, wants to run as root once"; exit 1; }
  apt-get -o DPkg::Lock::Timeout=600 update -qq
  # shellcheck disable=SC2086
  apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $packages
  have_packages || { say "packages installed, yet a compiler or its source lacks"; exit 1; }
fi

# A sysroot of our own: links to Debian's host libraries and source, and room for wasm32 beside them. A
# wrapper named rustc makes cargo and wasm-pack use it.
debian=$($rustc --print sysroot)/lib/rustlib
sysroot=$tools/sysroot/lib/rustlib
mkdir -p "$sysroot"
for part in "$debian"/*; do
  [ "$(basename "$part")" = $target ] || ln -sfn "$part" "$sysroot/$(basename "$part")"
done
cat >"$tools/bin/rustc" <<WRAPPER
#!/bin/sh
exec $rustc --sysroot "$tools/sysroot" "\$@"
WRAPPER
chmod +x "$tools/bin/rustc"
ln -sfn $cargo "$tools/bin/cargo"
PATH=$tools/bin:$PATH
export PATH
# Whatever the caller's environment says of Rust is not ours.
unset RUSTC RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_TARGET_DIR RUSTUP_TOOLCHAIN

if have_library; then say "wasm32 standard library: there"; else
  say "wasm32 standard library: building it from $debian/src (offline, about a minute)"
  work=$(mktemp -d)
  mkdir -p "$work/src"
  cat >"$work/Cargo.toml" <<CRATE
[package]
name = "empty"
version = "0.0.0"
edition = "2021"
[lib]
crate-type = ["cdylib"]
[workspace]
CRATE
  : >"$work/src/lib.rs"
  library=$(readlink -f "$debian/src/rust")/library
  remap=
  for folder in "$library" "$debian/src/rust/library" "$tools/sysroot/lib/rustlib/src/rust/library"; do
    remap="$remap --remap-path-prefix=$folder=/rust"
  done
  # RUSTC_BOOTSTRAP: -Z build-std is a nightly flag; the source is exactly this compiler's own.
  (cd "$work" && RUSTC_BOOTSTRAP=1 RUSTFLAGS="-C linker=wasm-ld-$llvm$remap" \
    cargo build --quiet --offline --release --target $target -Z build-std=std,panic_abort \
    --config 'source.crates-io.replace-with="v"' --config "source.v.directory=\"$library/vendor\"")
  mkdir -p "$sysroot/$target/lib"
  rm -f "$sysroot/$target/lib"/*
  cp "$work/target/$target/release/deps"/*.rlib "$sysroot/$target/lib/"
  rm -rf "$work"
  $rustc --version >"$tools/library.stamp"
fi

# Not --locked: wasm-bindgen-cli's own lockfile may name a crate newer than the registry at hand has.
if have_bindgen; then say "wasm-bindgen $wasm_bindgen: there"; else
  say "wasm-bindgen $wasm_bindgen: building (about three minutes)"
  cargo install --quiet wasm-bindgen-cli --version "$wasm_bindgen" --root "$tools" --no-track --force
fi
if have_pack; then say "wasm-pack $wasm_pack: there"; else
  say "wasm-pack $wasm_pack: building (about a minute and a half)"
  cargo install --quiet wasm-pack --version "$wasm_pack" --locked --root "$tools" --no-track --force
fi
say "ready in $tools"
