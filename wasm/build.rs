//! Compiles C libopus for wasm32 with clang and links it in. The source is the one bundled by the crate
//! `opusic-sys`, pinned by Cargo.lock and found by `cargo metadata`; its own build script is never run. Which
//! files: libopus' own lists (`*_sources.mk`), the float build, without SIMD variants and DNN parts; with SIMD,
//! the files in `c/` stand in for those of the same path. What was compiled, and how, is written to
//! `HOTMIC_BUILD_NOTES` when that names a file: the manifest reads it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, thread};

const CLANG: &str = "clang-22";
const AR: &str = "llvm-ar-22";

const LISTS: &[(&str, &[&str])] = &[
    ("celt_sources.mk", &["CELT_SOURCES"]),
    ("silk_sources.mk", &["SILK_SOURCES", "SILK_SOURCES_FLOAT"]),
    ("opus_sources.mk", &["OPUS_SOURCES", "OPUS_SOURCES_FLOAT"]),
];

/// The files in c/ were written from those of this version, and are to be compared with those of another.
const OURS_ARE_OF: &str = "1.6.1";

const FLAGS: &[&str] = &[
    "--target=wasm32-unknown-unknown",
    // As fast as -O3 here, and 5 % smaller.
    "-O2",
    // Saturating conversions, so that no float of a hostile packet can trap.
    "-mnontrapping-fptoint",
    "-nostdlibinc",
    // Nothing reads errno, and without it sqrt is one instruction. No rounding changes.
    "-fno-math-errno",
    // Without it clang may contract a*b+c where the target has it; wasm has not, and the golden vectors hold
    // it so.
    "-ffp-contract=off",
    "-ffunction-sections",
    "-fdata-sections",
    "-w",
    "-DOPUS_BUILD",
    "-DVAR_ARRAYS",
    "-DHAVE_LRINTF",
    "-DHAVE_LRINT",
    "-DFLOAT_APPROX",
    "-DENABLE_HARDENING",
    // Read in one place of libopus 1.6.1, celt/arch.h, where it means "64-bit products are cheap"
    // (OPUS_FAST_INT64). They are in wasm32 too, which libopus does not know.
    "-D_WIN64",
    "-Iinclude",
    "-Icelt",
    "-Isilk",
    "-Isilk/float",
    "-I.",
];

fn main() {
    let crate_dir = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    let out_dir = PathBuf::from(env::var("OUT_DIR").unwrap());
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=c");
    println!("cargo:rerun-if-changed=sysinclude");
    println!("cargo:rerun-if-changed=Cargo.lock");
    println!("cargo:rerun-if-env-changed=HOTMIC_BUILD_NOTES");
    println!("cargo:rerun-if-env-changed=HOTMIC_WASM_SIMD");

    let opus = opus_source(&crate_dir);
    let files = c_files(&opus);
    let mut flags: Vec<String> = FLAGS.iter().map(|flag| flag.to_string()).collect();
    // The build for engines without SIMD leaves it out, here and in RUSTFLAGS.
    let simd = env::var("HOTMIC_WASM_SIMD").as_deref() != Ok("off");
    if simd {
        flags.push("-msimd128".to_string());
    }
    flags.push(format!("-DPACKAGE_VERSION=\"{}\"", version(&opus)));

    // Paths that hold a folder of this machine stay out of `flags`, hence out of the notes.
    let mut local = vec![format!("-I{}", crate_dir.join("sysinclude").display())];
    for option in ["-ffile-prefix-map", "-fmacro-prefix-map"] {
        local.push(format!("{option}={}=opus", opus.display()));
        local.push(format!("{option}={}=wasm", crate_dir.display()));
    }

    let ours = simd.then(|| crate_dir.join("c"));
    assert_eq!(version(&opus), OURS_ARE_OF, "c/ stands in for files of another libopus");
    if let Some(folder) = &ours {
        let listed = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        for file in files_in(folder) {
            assert!(listed(file.strip_prefix(folder).unwrap()), "{}: stands in for nothing", file.display());
        }
    }
    let objects = compile(&opus, ours.as_deref(), &out_dir, &files, &flags, &local);
    let library = out_dir.join("libopus.a");
    let _ = fs::remove_file(&library);
    // D: no time, owner or mode in the archive.
    run(Command::new(AR).arg("rcsD").arg(&library).args(&objects));
    println!("cargo:rustc-link-search=native={}", out_dir.display());
    println!("cargo:rustc-link-lib=static=opus");

    if let Ok(notes) = env::var("HOTMIC_BUILD_NOTES") {
        let text = format!("{}\n{}\n{}\n", opus.display(), flags.join("\t"), files.join("\t"));
        fs::write(notes, text).expect("write the build notes");
    }
}

/// The folder of libopus in the pinned `opusic-sys`.
fn opus_source(crate_dir: &Path) -> PathBuf {
    let output = Command::new(env::var("CARGO").unwrap())
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(crate_dir.join("Cargo.toml"))
        .output()
        .expect("run cargo metadata");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    // The one field wanted of the whole JSON: a path, which cargo escapes only on Windows.
    let json = String::from_utf8(output.stdout).expect("cargo metadata prints UTF-8");
    let manifest = json
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .find(|path| path.contains("/opusic-sys-"))
        .expect("opusic-sys is a dependency");
    Path::new(manifest).parent().unwrap().join("opus")
}

fn version(opus: &Path) -> String {
    let text = fs::read_to_string(opus.join("package_version")).expect("read package_version");
    text.split('"').nth(1).expect("PACKAGE_VERSION=\"…\"").to_string()
}

/// The C files in libopus' own lists: a variable, then paths, each line but the last ending in a backslash.
fn c_files(opus: &Path) -> Vec<String> {
    let mut files = Vec::new();
    for (list, variables) in LISTS {
        let text = fs::read_to_string(opus.join(list)).expect("read a source list").replace("\\\n", " ");
        for variable in *variables {
            let line = text
                .lines()
                .find_map(|line| line.split_once('=').filter(|(name, _)| name.trim() == *variable))
                .unwrap_or_else(|| panic!("{list} defines {variable}"));
            files.extend(line.1.split_whitespace().map(str::to_string));
        }
    }
    files.sort();
    files
}

/// Compiles in libopus' own folder, so that `__FILE__` is a relative path. A file that is in `ours` under the
/// same path stands in for that of libopus. One thread a core.
fn compile(
    opus: &Path,
    ours: Option<&Path>,
    out: &Path,
    files: &[String],
    flags: &[String],
    local: &[String],
) -> Vec<PathBuf> {
    let source = |file: &String| {
        ours.map(|folder| folder.join(file)).filter(|path| path.exists()).unwrap_or(PathBuf::from(file))
    };
    let object = |file: &String| out.join(file.replace('/', "_")).with_extension("o");
    let threads = thread::available_parallelism().map_or(1, |n| n.get());
    thread::scope(|scope| {
        for part in files.chunks(files.len().div_ceil(threads)) {
            scope.spawn(move || {
                for file in part {
                    let clang = &mut Command::new(CLANG);
                    run(clang
                        .current_dir(opus)
                        .args(flags)
                        .args(local)
                        .arg("-c")
                        .arg(source(file))
                        .arg("-o")
                        .arg(object(file)));
                }
            });
        }
    });
    files.iter().map(object).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("read c/").map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("run {command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
