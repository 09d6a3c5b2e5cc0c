//! The fuzz targets without a fuzzer: on every input of the corpus, and on random bytes.

#[allow(unreachable_pub, reason = "there it is a crate of its own")]
#[path = "../../fuzz/src/lib.rs"]
mod fuzz;
#[path = "../support/mod.rs"]
mod support;

use core::panic::AssertUnwindSafe;
use std::collections::BTreeSet;
use std::fs::{read, read_dir, read_to_string};
use std::panic::{catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use fuzz::TARGETS;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::isolated;

/// How many random inputs each target is tried with.
const INPUTS: u32 = 2000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// What has been found worth keeping; in the order of their names.
fn corpus(target: &str) -> Vec<PathBuf> {
    let folder = folder().join("corpus").join(target);
    let entries = read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn holds_for_the_corpus(target: &str) {
    for file in corpus(target) {
        let input = read(&file).unwrap();
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| fuzz::run(target, &input))) {
            eprintln!("with {}", file.display());
            resume_unwind(panic);
        }
    }
}

/// Random bytes, of which more or less many are odd: an odd one says that a list goes on, and lists
/// of one operation or two get nowhere.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let even_in = prop_oneof![Just(2_u8), Just(8), Just(32)];
    (vec(any::<(u8, u8)>(), 0..512), even_in).prop_map(|(bytes, even_in)| {
        let odd = |(byte, chance): (u8, u8)| byte | u8::from(chance % even_in != 0);
        bytes.into_iter().map(odd).collect()
    })
}

fn holds_for_random_bytes(target: &str) {
    let config = Config { cases: INPUTS, failure_persistence: None, ..Config::default() };
    let held = TestRunner::new(config).run(&bytes(), |input| {
        fuzz::run(target, &input);
        Ok(())
    });
    held.unwrap_or_else(|error| panic!("{error}"));
}

macro_rules! targets {
    ($($name:ident),* $(,)?) => {
        const TRIED: &[&str] = &[$(stringify!($name)),*];

        mod corpus {
            $(
                #[test]
                fn $name() {
                    super::isolated(|| super::holds_for_the_corpus(stringify!($name)));
                }
            )*
        }

        mod random {
            $(
                #[test]
                fn $name() {
                    super::isolated(|| super::holds_for_random_bytes(stringify!($name)));
                }
            )*
        }
    };
}

targets! {
    ancillary,
    atomic_f64,
    exact_sum,
    fifo,
    hostile_peer,
    message_ring,
    message_ring_records,
    mpmc,
    named_semaphore,
    names,
    pipe,
    posix_mq,
    shared_open,
    shm_bytes,
    socket,
    spsc,
    sync,
    sysv_msg,
    sysv_sem,
    sysv_shm,
    tasks,
}

#[test]
fn every_target_is_tried_and_has_a_program() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(targets, TRIED.iter().map(|&name| name.to_owned()).collect());
    let manifest = read_to_string(folder().join("Cargo.toml")).unwrap();
    let programs = manifest.lines().filter_map(|line| {
        line.strip_prefix("path = \"fuzz_targets/")?.strip_suffix(".rs\"").map(str::to_owned)
    });
    assert_eq!(targets, programs.collect());
    for target in &targets {
        let program = folder().join(format!("fuzz_targets/{target}.rs"));
        let program = read_to_string(program).unwrap();
        assert!(program.contains(&format!("rawipc_fuzz::run(\"{target}\", data)")), "{target}");
    }
}
