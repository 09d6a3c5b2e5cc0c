use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let returned;
    // SAFETY: the caller vouches for the call. The instruction itself changes r2 only and leaves
    // the stack alone.
    unsafe {
        asm!(
            "svc 0",
            in("r1") number,
            inlateout("r2") a0 => returned,
            in("r3") a1,
            in("r4") a2,
            in("r5") a3,
            in("r6") a4,
            in("r7") a5,
            options(nostack, preserves_flags),
        );
    }
    returned
}
