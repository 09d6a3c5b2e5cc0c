#[cfg(not(feature = "std"))]
compile_error!("rawipc without the feature `std` has no way into the kernel on this architecture");

#[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss, reason = "words are words here")]
#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    // SAFETY: the caller vouches for the call.
    let returned = unsafe { libc::syscall(number as libc::c_long, a0, a1, a2, a3, a4, a5) };
    if returned != -1 {
        return returned as usize;
    }
    // SAFETY: always valid: points to this thread's errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above, and nobody else writes this thread's errno.
    let errno = unsafe { *errno };
    (errno as usize).wrapping_neg()
}
