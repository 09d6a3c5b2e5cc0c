//! Names of objects, made of any bytes: either an error that says why, or the name as C has it.

use arbitrary::{Arbitrary, Unstructured};
use rawipc::Name;

/// What is tried with one input.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    bytes: &'a [u8],
}

pub(super) fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let _ = Name::new(input.bytes);
}
