//! Something on the heap, which the check must notice.

extern crate alloc;

use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::hint::black_box;
use core::ptr::null_mut;

struct Nothing;

// SAFETY: no memory is ever given out.
unsafe impl GlobalAlloc for Nothing {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Nothing = Nothing;

pub fn run() {
    let mut bytes = Vec::<u8>::new();
    assert!(bytes.try_reserve(black_box(1)).is_err());
    black_box(bytes);
}
