use core::arch::asm;

#[inline]
pub(in crate::sys) unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize {
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let returned;
    // SAFETY: the caller vouches for the call. The instruction itself changes a0, and all of the
    // vector unit's state (which is why its flags are not said to be preserved), and leaves the
    // stack alone.
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
            lateout("v0") _,
            lateout("v1") _,
            lateout("v2") _,
            lateout("v3") _,
            lateout("v4") _,
            lateout("v5") _,
            lateout("v6") _,
            lateout("v7") _,
            lateout("v8") _,
            lateout("v9") _,
            lateout("v10") _,
            lateout("v11") _,
            lateout("v12") _,
            lateout("v13") _,
            lateout("v14") _,
            lateout("v15") _,
            lateout("v16") _,
            lateout("v17") _,
            lateout("v18") _,
            lateout("v19") _,
            lateout("v20") _,
            lateout("v21") _,
            lateout("v22") _,
            lateout("v23") _,
            lateout("v24") _,
            lateout("v25") _,
            lateout("v26") _,
            lateout("v27") _,
            lateout("v28") _,
            lateout("v29") _,
            lateout("v30") _,
            lateout("v31") _,
            options(nostack),
        );
    }
    returned
}
