#!/bin/sh
# Builds the fuzz targets of this folder: `sh test/fuzz/native/build.sh OUT`, from the repository's root. libopus and the codec
# crate come from the very sources of the wasm build, with its defines, and run under libFuzzer, AddressSanitizer and
# UndefinedBehaviorSanitizer. As root it installs the sanitizers' runtime (Debian). If something is missing, it says what and
# exits 3. What is built already is kept, as long as sources and flags are the same.
set -eu

out=$1
here=test/fuzz/native
llvm=22
clang=clang-$llvm
rustc=/usr/bin/rustc
runtime=libclang-rt-$llvm-dev

lack() { echo "fuzz: $*" >&2; exit 3; }

command -v cargo >/dev/null || lack 'no cargo, which finds the sources of libopus; make wasm says how to get it'
have_runtime() { [ -e "$($clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer-$(uname -m).a" ]; }
if ! command -v $clang >/dev/null || ! have_runtime; then
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    lack "no $clang with its runtime; as root: apt-get install $clang llvm-$llvm $runtime"
  echo "fuzz: installing $clang, llvm-$llvm and $runtime" >&2
  apt-get -o DPkg::Lock::Timeout=600 update -qq >&2 || true
  apt-get -o DPkg::Lock::Timeout=600 install -y -qq --no-install-recommends $clang llvm-$llvm $runtime >&2 ||
    lack "cannot install $clang, llvm-$llvm and $runtime"
  have_runtime || lack "$runtime is installed, yet $clang does not find libFuzzer"
fi

opus=$(cargo metadata --format-version 1 --locked --manifest-path wasm/Cargo.toml |
  node -e 'const { packages } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
    console.log(packages.find(({ name }) => name === "opusic-sys").manifest_path.replace("Cargo.toml", "opus"))') ||
  lack 'cargo metadata does not find opusic-sys'

# The defines of wasm/build.rs, from there, without _WIN64: it asks for fast 64-bit products, which this machine has anyway.
defines=$(grep -o '"-D[A-Z_0-9]*"' wasm/build.rs | tr -d '"' | grep -v WIN64 | tr '\n' ' ')
case ${HOTMIC_FUZZ_SANITIZER:-address} in
  address) checks=address,undefined,float-cast-overflow,float-divide-by-zero ;;
  # Reads of what was never written. The Rust side would have to be built with it, down to its library: C only.
  memory) checks=memory rustc=none ;;
  *) lack "HOTMIC_FUZZ_SANITIZER is $HOTMIC_FUZZ_SANITIZER, expected address or memory" ;;
esac
# No traces of compares: what comes out of a range coder makes them slow and leads nowhere.
sanitizers="-fsanitize=$checks -fno-sanitize-recover=all"
sanitizers="$sanitizers -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp"
flags="-O2 -g1 -fno-omit-frame-pointer -fno-math-errno -ffp-contract=off $sanitizers"

mkdir -p "$out/opus"
stamp="$flags $defines $opus $($clang --version | head -1)"
if [ "$(cat "$out/opus/stamp" 2>/dev/null)" != "$stamp" ]; then
  echo 'fuzz: compiling libopus for this machine' >&2
  files=
  for list in celt:CELT_SOURCES silk:SILK_SOURCES silk:SILK_SOURCES_FLOAT opus:OPUS_SOURCES opus:OPUS_SOURCES_FLOAT; do
    files="$files $(sed -e ':join' -e '/\\$/{N;s/\\\n/ /;b join' -e '}' "$opus/${list%%:*}_sources.mk" |
      sed -n "s/^${list##*:} *=//p")"
  done
  target=$(cd "$out/opus" && pwd)
  # shellcheck disable=SC2086
  (cd "$opus" && echo $files | tr ' ' '\n' | xargs -P "$(nproc)" -I{} sh -c '
    object=$1/$(echo "$2" | tr / _).o; shift 2; exec "$@" -o "$object"' sh "$target" {} \
    $clang $flags $defines -w -DPACKAGE_VERSION='"fuzz"' -Iinclude -Icelt -Isilk -Isilk/float -I. -c {})
  echo "$stamp" >"$out/opus/stamp"
fi

# Is there a file $1 that is newer than all of the others?
is_fresh() { [ -e "$1" ] && { file=$1; shift; [ -z "$(find "$@" -newer "$file" -print -quit)" ]; }; }

# The crate, with a stand-in for wasm-bindgen that makes its exports C functions. Its tools are Debian's, whose LLVM is
# clang's, so that both sides share one AddressSanitizer.
crate=$out/rust/libhotmic_wasm.a
rust() { RUSTC_BOOTSTRAP=1 $rustc --edition 2021 -L "$out/rust" "$@"; }
if [ ! -x $rustc ]; then
  rm -f "$out/module"
  echo "fuzz: the target 'module' is left out: no Debian rustc (make wasm installs it), or another sanitizer" >&2
elif ! is_fresh "$crate" wasm/src $here "$out/opus/stamp"; then
  echo 'fuzz: compiling the codec crate for this machine' >&2
  mkdir -p "$out/rust"
  rust --crate-type proc-macro --crate-name wasm_bindgen_attribute --extern proc_macro \
    $here/wasm_bindgen/attribute.rs -o "$out/rust/libwasm_bindgen_attribute.so"
  rust --crate-type rlib --crate-name wasm_bindgen \
    --extern wasm_bindgen_attribute="$out/rust/libwasm_bindgen_attribute.so" \
    $here/wasm_bindgen/wasm_bindgen.rs -o "$out/rust/libwasm_bindgen.rlib"
  rust --crate-type staticlib --crate-name hotmic_wasm --extern wasm_bindgen="$out/rust/libwasm_bindgen.rlib" \
    -O -g -C codegen-units=1 -C panic=abort -C debug-assertions=on -C overflow-checks=on \
    -Zsanitizer=address -Zexternal-clangrt -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    wasm/src/lib.rs -o "$crate"
fi

for target in decode encode module; do
  library=
  if [ $target = module ]; then
    [ -x $rustc ] || continue
    library=$crate
  fi
  is_fresh "$out/$target" $here "$out/opus/stamp" $library && continue
  # shellcheck disable=SC2086
  $clang $flags -Wall -Wextra -Wno-unused-function -fsanitize=fuzzer -I"$opus/include" -I$here $here/$target.c $library \
    "$out"/opus/*.o -lm -ldl -lpthread -o "$out/$target"
done
