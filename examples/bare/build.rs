//! Nothing is linked but this program and its crates, at fixed addresses.

use std::{env, fs, path::Path};

/// An archive with nothing in it.
const EMPTY: &str = "!<arch>\n";

fn main() {
    for argument in ["-nostartfiles", "-nostdlib", "-static", "-no-pie"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
    // The crate `libc` asks for the C library by name. These are found first, and have nothing to
    // give: what is missing shows.
    let out = env::var("OUT_DIR").expect("set by cargo");
    for library in ["c", "m", "rt", "pthread", "util", "dl", "gcc", "gcc_eh", "gcc_s"] {
        let archive = Path::new(&out).join(format!("lib{library}.a"));
        fs::write(archive, EMPTY).expect("an empty archive");
    }
    println!("cargo::rustc-link-search=native={out}");
}
