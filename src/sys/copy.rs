//! Copying many bytes at once where another process may be writing them: by an instruction, of
//! which the compiler believes nothing, as it would of its own copies.

use core::arch::asm;

/// `rep movsb`: on processors of the last ten years, what they do best.
///
/// Bytes that another process changes meanwhile come out as they were before or after that, each by
/// itself. What is stored after it becomes visible after it, as with any other stores.
///
/// # Safety
///
/// So many bytes can be read at `from`, and written at `to`, and the two do not overlap.
///
/// # References
///
/// - Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3, "Fast-String Operation
///   and Out-of-Order Stores"
#[inline]
pub(crate) unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: the caller's promise. Forwards, as the direction flag is clear outside of assembly.
    unsafe {
        asm!(
            "rep movsb",
            inout("rcx") length => _,
            inout("rdi") to => _,
            inout("rsi") from => _,
            options(nostack, preserves_flags),
        );
    }
}
