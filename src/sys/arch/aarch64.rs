use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let returned;
    // SAFETY: the caller vouches for the call. The instruction itself changes x0 only and leaves
    // the stack alone.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a0 => returned,
            in("x1") a1,
            in("x2") a2,
            in("x3") a3,
            in("x4") a4,
            in("x5") a5,
            options(nostack, preserves_flags),
        );
    }
    returned
}
