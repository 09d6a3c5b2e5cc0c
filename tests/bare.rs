//! The program without a C library, `examples/bare`: that it builds with this compiler, computes π,
//! and consists of itself.

#![cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use object::elf::{FileHeader64, PT_DYNAMIC, PT_INTERP};
use object::read::elf::{ElfFile, FileHeader as _, ProgramHeader as _};
use object::{Endianness, Object as _, ObjectSymbol};

const MOST_BYTES: usize = 64 * 1024;

/// Its executable, built by whichever test comes first. None where the crate stands without the
/// repository around it, as published.
static EXECUTABLE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/bare/Cargo.toml");
    if !manifest.exists() {
        eprintln!("skipped: takes the repository");
        return None;
    }
    let tests = env::current_exe().unwrap();
    let target = tests.ancestors().nth(3).unwrap().join("bare");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--release", "--manifest-path"]).arg(manifest);
    // Its own way of linking, and not that of whoever runs the tests.
    cargo.arg("--target-dir").arg(&target).env_remove("RUSTFLAGS");
    assert!(cargo.status().unwrap().success(), "examples/bare does not build");
    Some(target.join("release/bare"))
});

#[test]
fn program_prints_pi() {
    let Some(executable) = &*EXECUTABLE else { return };
    let output = Command::new(executable).env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"3.14159262176\n", "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn program_wants_nothing_from_elsewhere() {
    let Some(executable) = &*EXECUTABLE else { return };
    let bytes = fs::read(executable).unwrap();
    let elf = ElfFile::<FileHeader64<Endianness>>::parse(&*bytes).unwrap();
    assert!(elf.symbols().any(|symbol| symbol.name() == Ok("_start")), "the symbols are not told");
    let undefined: Vec<&str> = elf
        .symbols()
        .chain(elf.dynamic_symbols())
        .filter(ObjectSymbol::is_undefined)
        .map(|symbol| symbol.name().unwrap())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(undefined, [] as [&str; 0]);

    let header = FileHeader64::<Endianness>::parse(&*bytes).unwrap();
    let endian = header.endian().unwrap();
    let segments = header.program_headers(endian, &*bytes).unwrap();
    assert!(!segments.is_empty(), "loads nothing");
    for segment in segments {
        assert_ne!(segment.p_type(endian), PT_DYNAMIC, "is linked when it starts");
        assert_ne!(segment.p_type(endian), PT_INTERP, "is started by another program");
    }
}

#[test]
fn program_is_small() {
    let Some(executable) = &*EXECUTABLE else { return };
    let bytes = fs::read(executable).unwrap().len();
    assert!(bytes < MOST_BYTES, "{bytes} bytes");
}
