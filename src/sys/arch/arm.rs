use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let returned;
    // SAFETY: the caller vouches for the call. r7, which takes the number, is the frame pointer in
    // Thumb code and not ours to name: it is kept in `kept` around the instruction, which itself
    // changes r0 only and leaves the stack alone.
    unsafe {
        asm!(
            "mov {kept}, r7",
            "mov r7, {number}",
            "svc 0",
            "mov r7, {kept}",
            number = in(reg) number,
            kept = out(reg) _,
            inlateout("r0") a0 => returned,
            in("r1") a1,
            in("r2") a2,
            in("r3") a3,
            in("r4") a4,
            in("r5") a5,
            options(nostack, preserves_flags),
        );
    }
    returned
}
