//! System V objects that go when their test ends, however it ends.

use core::ops::Deref;

use rawipc::sysv::{Key, Mode, MsgQueue, SemSet, Shm};
use rustix::time::{ClockId, clock_gettime};

/// For its owner, to read and to write.
pub(crate) const RW: Mode = Mode::RUSR.union(Mode::WUSR);

macro_rules! removed {
    ($($object:ident: $Owned:ident, $OfKey:ident, $find:expr;)*) => { $(
        /// One that is there.
        pub(crate) struct $Owned(pub(crate) $object);

        impl Deref for $Owned {
            type Target = $object;

            fn deref(&self) -> &$object {
                &self.0
            }
        }

        impl Drop for $Owned {
            fn drop(&mut self) {
                let _gone_already = self.0.remove();
            }
        }

        /// What others make under a key, if they do.
        pub(crate) struct $OfKey(pub(crate) Key);

        impl $OfKey {
            pub(crate) fn found(&self) -> Option<$object> {
                $find(self.0)
            }
        }

        impl Drop for $OfKey {
            fn drop(&mut self) {
                drop(self.found().map($Owned));
            }
        }
    )* };
}

removed! {
    MsgQueue: Queue, QueueOf, |key| MsgQueue::open(key).ok();
    SemSet: Set, SetOf, find_set;
    Shm: Segment, SegmentOf, |key| Shm::open(key).ok();
}

/// Ready or not, where ours would wait until it is.
fn find_set(key: Key) -> Option<SemSet> {
    // SAFETY: takes integers only.
    let id = unsafe { libc::semget(key.as_raw(), 0, 0) };
    (id >= 0).then_some(SemSet::from_id(id))
}

impl Queue {
    pub(crate) fn new() -> Self {
        Self(MsgQueue::create_new(Key::PRIVATE, RW).expect("a queue"))
    }

    pub(crate) fn keyed() -> (Self, Key) {
        let (queue, key) = MsgQueue::create_unique(RW).expect("a queue");
        (Self(queue), key)
    }
}

impl Set {
    pub(crate) fn new(values: &[u16]) -> Self {
        Self(SemSet::create_new(Key::PRIVATE, RW, values).expect("a set"))
    }

    pub(crate) fn keyed(values: &[u16]) -> (Self, Key) {
        let (set, key) = SemSet::create_unique(RW, values).expect("a set");
        (Self(set), key)
    }
}

impl Segment {
    pub(crate) fn new(len: usize) -> Self {
        Self(Shm::create_new(Key::PRIVATE, RW, len).expect("a segment"))
    }

    pub(crate) fn keyed(len: usize) -> (Self, Key) {
        let (segment, key) = Shm::create_unique(RW, len).expect("a segment");
        (Self(segment), key)
    }
}

/// The clock that the kernel takes their times from, in seconds since 1970.
pub(crate) fn seconds() -> i64 {
    clock_gettime(ClockId::RealtimeCoarse).tv_sec
}
