//! One sum that several add to all the time: how many values all of them together add.
//!
//! The crate's `AtomicF64` is what the others are compared with: one number, as theirs. Who has a
//! part of its own to add to does not wait for a cache line, as long as nobody reads.

mod rivals;

use crate::arguments::Arguments;
use crate::crowds::{self, Contest, Crowd};

pub(crate) const NAME: &str = "adders";

fn contest() -> Contest {
    let crowd = |size| Crowd::new(size, rivals::all);
    Contest {
        suite: NAME,
        title: "A sum that all add to all the time",
        group: "an add",
        crowds: crowds::sizes().into_iter().map(crowd).collect(),
    }
}

pub(crate) fn groups() -> Vec<&'static str> {
    contest().crowds.iter().map(|crowd| crowd.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    contest().print(arguments);
}
