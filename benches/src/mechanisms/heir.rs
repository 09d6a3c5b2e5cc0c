//! Who cleans up after this process, however it ends.

use rawipc::Result;
use rawipc::process::{self, Signal};
use rustix::process::setsid;

use super::contender::{Contender, Measured};
use crate::by_hand;

/// What the kernel keeps until it is removed, and a process that removes it if this one has ended
/// before it did so.
///
/// It is no [`Helper`](crate::helper::Helper), which would die with its parent.
pub(super) struct Heir<T: Copy> {
    pub(super) what: T,
    remove: fn(T) -> Result<()>,
    child: process::Child,
}

impl<T: Copy> Heir<T> {
    pub(super) fn of(what: T, remove: fn(T) -> Result<()>) -> Self {
        let parent = by_hand::pidfd_open(by_hand::id()).expect("our own");
        let task = || {
            // Nor does it end by what a terminal says to all who run there.
            let _led_one_before = setsid();
            let _ended = by_hand::poll(&parent, libc::POLLIN, -1);
            u8::from(remove(what).is_err())
        };
        // SAFETY: the benchmarks have one thread. What is owned twice now, the child never uses,
        // and never drops.
        let child = unsafe { process::spawn(task) }.expect("fork");
        Self { what, remove, child }
    }
}

impl<T: Copy> Drop for Heir<T> {
    fn drop(&mut self) {
        let _removed = (self.remove)(self.what);
        let _ended = self.child.kill(Signal::KILL);
        let _reaped = self.child.wait();
    }
}

/// Two who use what is removed when they are gone.
pub(super) struct Outlived<T: Copy> {
    // Dropped in this order.
    pair: Box<dyn Contender>,
    _heirs: Vec<Heir<T>>,
}

impl<T: Copy> Outlived<T> {
    pub(super) fn new(pair: Box<dyn Contender>, heirs: impl Into<Vec<Heir<T>>>) -> Self {
        Self { pair, _heirs: heirs.into() }
    }
}

impl<T: Copy> Contender for Outlived<T> {
    fn run(&mut self, times: u64) -> Measured {
        self.pair.run(times)
    }
}
