//! Memory that processes share.

use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

/// Puts `value` on a page of its own, which all helpers that are started from now on share with
/// this process, to the end of both.
pub(crate) fn share<T: Sync>(value: T) -> &'static T {
    const PAGE: usize = 4096;
    assert!(size_of::<T>() <= PAGE, "fits a page");
    assert!(align_of::<T>() <= PAGE, "as a page is aligned");
    let (access, kind) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
    // SAFETY: a new mapping, where the kernel finds room.
    let page = unsafe { mmap_anonymous(core::ptr::null_mut(), PAGE, access, kind) };
    let place = page.expect("a page").cast::<T>();
    // SAFETY: aligned and large enough, as asserted; nobody else knows of it yet.
    unsafe { place.write(value) };
    // SAFETY: just written, and never unmapped. Who shares it is a thread of this process or has
    // been forked from it, so that addresses in it mean the same; `Sync` admits all of them.
    unsafe { &*place }
}
