//! The same as Python's `math.fsum`, wherever that has an answer.

use std::env;
use std::ffi::OsString;
use std::io::{Seek as _, Write as _};
use std::process::Command;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rawipc::sum::ExactSum;

/// Reads sets of doubles, each with how many there are; prints the bits of each sum, or why there
/// is none.
const SCRIPT: &str = "
import math, struct, sys
read = sys.stdin.buffer.read
while head := read(8):
    count, = struct.unpack('<Q', head)
    values = struct.unpack(f'<{count}d', read(8 * count))
    try:
        print(struct.pack('>d', math.fsum(values)).hex())
    except (OverflowError, ValueError) as error:
        print(type(error).__name__)
";

#[test]
fn sums_are_those_of_fsum() {
    let mut runner = TestRunner::deterministic();
    let value = prop_oneof![
        any::<f64>(),
        (any::<bool>(), 1000..1100_u64, any::<u64>()).prop_map(|(sign, exponent, bits)| {
            f64::from_bits(u64::from(sign) << 63 | exponent << 52 | bits >> 12)
        }),
    ];
    let sets = vec(vec(value, 0..200), 500);
    let sets = sets.new_tree(&mut runner).expect("sets").current();

    let mut input = tempfile::tempfile().expect("a file for the sets");
    for set in &sets {
        let words = core::iter::once(set.len() as u64).chain(set.iter().map(|one| one.to_bits()));
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        input.write_all(&bytes).expect("the sets");
    }
    input.rewind().expect("the start");
    let python = env::var_os("RAWIPC_PYTHON").unwrap_or_else(|| OsString::from("python3"));
    let Ok(answer) = Command::new(python).args(["-c", SCRIPT]).stdin(input).output() else {
        eprintln!("skipped: takes python3");
        return;
    };
    assert!(answer.status.success(), "{answer:?}");
    let answers = String::from_utf8(answer.stdout).expect("text");
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), sets.len());

    let mut compared = 0;
    for (set, answer) in sets.iter().zip(answers) {
        let sum = ExactSum::<1>::new();
        sum.adder().expect("a lane").add_slice(set);
        // It has none where infinities cancel, and where its own partial sums overflow.
        if let Ok(bits) = u64::from_str_radix(answer, 16) {
            let (ours, theirs) = (sum.sum(), f64::from_bits(bits));
            // Which zero, and which NaN, is not for it to say.
            let same = ours.to_bits() == bits || ours == theirs && ours == 0.0;
            assert!(same || ours.is_nan() && theirs.is_nan(), "{set:?}: {ours:?}, not {theirs:?}");
            compared += 1;
        }
    }
    assert!(compared > sets.len() / 4, "only {compared} were compared");
}
