//! One lock that several want all the time: how often all of them together get it, and what part of
//! that the unluckiest has.
//!
//! Who holds it adds one to a number beside it. Neither the standard library's mutex nor that of
//! `parking_lot` works between processes: threads of one process stand in.

mod rivals;
mod test_and_set;

use crate::arguments::Arguments;
use crate::crowds::{self, Contest, Crowd};

pub(crate) const NAME: &str = "contended";

/// A crowd in which nearly all wait at any time.
const MANY: usize = 16;

fn contest() -> Contest {
    let mut crowds: Vec<Crowd> =
        crowds::sizes().into_iter().map(|size| Crowd::new(size, rivals::all)).collect();
    if crowds.iter().all(|crowd| crowd.size < MANY) {
        crowds.push(Crowd::new(MANY, rivals::some));
    }
    Contest {
        suite: NAME,
        title: "A lock that all want all the time",
        group: "a turn with a lock",
        crowds,
    }
}

pub(crate) fn groups() -> Vec<&'static str> {
    contest().crowds.iter().map(|crowd| crowd.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    contest().print(arguments);
}
