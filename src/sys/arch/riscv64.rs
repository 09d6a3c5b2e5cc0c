use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let returned;
    // SAFETY: the caller vouches for the call. The instruction itself changes a0 only and leaves
    // the stack alone.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a0 => returned,
            in("a1") a1,
            in("a2") a2,
            in("a3") a3,
            in("a4") a4,
            in("a5") a5,
            options(nostack, preserves_flags),
        );
    }
    returned
}
