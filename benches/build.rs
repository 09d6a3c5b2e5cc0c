//! What a report says of how it was built.

use std::env;
use std::fs::read_to_string;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../Cargo.toml");
    let rustc = env::var_os("RUSTC").expect("Cargo says which");
    let rustc = Command::new(rustc).arg("--version").output().expect("a compiler");
    let rustc = String::from_utf8_lossy(&rustc.stdout);
    println!("cargo::rustc-env=COMPILER={}", rustc.trim());
    let manifest = read_to_string("../Cargo.toml").expect("the crate's manifest");
    let version = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    println!("cargo::rustc-env=RAWIPC={}", version.expect("a version").trim_matches('"'));
}
