//! Where the memory is that both processes reach.

use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rawipc::shm::{Access, Mapping, Memfd};

use super::Subject;

/// Where the value lies, in a memory that is otherwise zero and stays so.
pub(super) const START: usize = 1024;

const SIZE: usize = 8192;

/// Some memory with a value in the midst of it.
pub(super) struct Arena {
    memfd: Memfd,
    mapping: Mapping,
}

impl Arena {
    pub(super) fn new() -> Self {
        let memfd = Memfd::new(SIZE).expect("memory");
        let mapping = Mapping::new(&memfd, SIZE, Access::ReadWrite).expect("memory");
        Self { memfd, mapping }
    }

    /// All of it, mapped again.
    pub(super) fn mapped_again(&self, access: Access) -> Mapping {
        Mapping::new(&self.memfd, SIZE, access).expect("memory")
    }

    fn words(&self) -> &[AtomicU64] {
        // SAFETY: as many words as there are, page-aligned, mapped as long as this is borrowed, of
        // any bits. What types lie there does not harm these; nor do these harm them, which live
        // with all that others write.
        unsafe { slice::from_raw_parts(self.mapping.as_ptr().cast(), SIZE / 8) }
    }

    /// Where that byte of the value is.
    pub(super) fn at(&self, offset: usize) -> NonNull<u8> {
        assert!(offset < SIZE - START, "within the memory");
        NonNull::new(self.mapping.as_ptr().wrapping_add(START + offset)).expect("memory")
    }

    /// Puts a value there which is as new; of the one that was there, nothing is in use any more.
    pub(super) fn make_new<T: Subject>(&self) -> &T {
        assert!(size_of::<T>() <= SIZE - 2 * START, "there is room");
        self.words().iter().for_each(|word| word.store(0, Relaxed));
        let place = self.at(0).cast::<T>();
        assert!(place.is_aligned(), "enough for all of them");
        // SAFETY: within the mapping and aligned; nobody else is there now.
        unsafe { place.write(T::new()) };
        // SAFETY: just written; mapped as long as this is borrowed. Any bytes are a `T`, which
        // lives with what others change there.
        unsafe { place.as_ref() }
    }

    /// Checks that nobody has written in front of a value so long, or behind it.
    pub(super) fn check_around(&self, size: usize) {
        let (first, end) = (START / 8, (START + size).div_ceil(8));
        let words = self.words();
        let around = words[..first].iter().chain(&words[end..]);
        assert!(around.into_iter().all(|word| word.load(Relaxed) == 0), "written out of bounds");
    }

    /// Checks that so many bytes are within a value of type `T`.
    pub(super) fn check_within<T>(&self, start: *const u8, length: usize) {
        let offset = start.addr().checked_sub(self.at(0).addr().get());
        let end = offset.and_then(|offset| offset.checked_add(length));
        assert!(end.is_some_and(|end| end <= size_of::<T>()), "{length} bytes out of bounds");
    }
}
