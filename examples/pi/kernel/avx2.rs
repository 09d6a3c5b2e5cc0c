//! With AVX2 and FMA: four terms at a time.
//!
//! In assembly, line by line that of `avx512.rs`. (What the compiler makes of the same in Rust is
//! less than half as fast.)

use core::arch::asm;
use core::mem::offset_of;

use super::Sums;
use super::groups::{DISTANCES, Groups};

/// How many `f64`s a register holds.
const WIDTH: usize = 4;

/// Adds so many groups, from k = `first` on.
///
/// | register | holds, with the names of `mod.rs` |
/// |---|---|
/// | ymm0 – 7 | the lanes |
/// | ymm8, ymm9 | m and d of the group |
/// | ymm10 | 1 |
/// | ymm11, ymm12, ymm13 | m + c and then x; y; e and then r: of four terms |
/// | ymm14, ymm15 | m and t of the groups that come next |
///
/// # Safety
///
/// The CPU has AVX2 and FMA.
pub(super) unsafe fn add_groups(sums: &mut Sums, first: u64, count: u64) {
    if count == 0 {
        return;
    }
    let mut groups = Groups::<WIDTH>::from(first);
    // SAFETY: the caller vouches for the instructions. What is read and written is all of `sums`
    // and of `groups`, borrowed mutably here; what is only read is all of `DISTANCES`, and a
    // constant. `groups` and `DISTANCES` are aligned, and `sums` need not be. All vector registers
    // are given up by the compiler; their upper parts, of which its own code may know nothing, are
    // cleared.
    unsafe {
        asm!(
            ".irp lanes, 0, 1, 2, 3, 4, 5, 6, 7",
            r"vmovupd ymm\lanes, [{sums} + 32 * \lanes]",
            ".endr",
            "vbroadcastsd ymm10, [{one}]",
            "vmovapd ymm14, [{groups} + {m}]",
            "vdivpd ymm15, ymm10, ymm14",

            // As many groups as fit a register.
            "2:",
            "vmulpd ymm12, ymm15, ymm15",
            "vaddpd ymm13, ymm15, ymm15",
            "vmulpd ymm13, ymm13, ymm12",
            "vmovapd [{groups} + {m}], ymm14",
            "vmovapd [{groups} + {w}], ymm12",
            "vmovapd [{groups} + {d}], ymm13",
            // The next ones are divided while these are refined.
            "vaddpd ymm14, ymm14, [{groups} + {step}]",
            "vdivpd ymm15, ymm10, ymm14",
            "xor eax, eax",

            // One of them.
            "3:",
            "vbroadcastsd ymm8, [{groups} + 8 * rax + {m}]",
            "vbroadcastsd ymm9, [{groups} + 8 * rax + {d}]",
            ".irp lanes, 0, 1, 2, 3, 4, 5, 6, 7",
            r"vaddpd ymm11, ymm8, [{c} + 32 * \lanes]",
            "vmulpd ymm11, ymm11, ymm11",
            // The tangent.
            "vbroadcastsd ymm12, [{groups} + 8 * rax + {w}]",
            r"vfnmadd231pd ymm12, ymm9, [{c} + 32 * \lanes]",
            // Newton's step.
            "vmovapd ymm13, ymm10",
            "vfnmadd231pd ymm13, ymm11, ymm12",
            "vfmadd231pd ymm12, ymm12, ymm13",
            // The same again.
            "vmovapd ymm13, ymm10",
            "vfnmadd231pd ymm13, ymm11, ymm12",
            "vfmadd231pd ymm12, ymm12, ymm13",
            r"vaddpd ymm\lanes, ymm\lanes, ymm12",
            ".endr",
            "dec rcx",
            "jz 4f",
            "inc eax",
            "cmp eax, {width}",
            "jne 3b",
            "jmp 2b",

            "4:",
            ".irp lanes, 0, 1, 2, 3, 4, 5, 6, 7",
            r"vmovupd [{sums} + 32 * \lanes], ymm\lanes",
            ".endr",
            "vzeroupper",
            sums = in(reg) sums,
            groups = in(reg) &raw mut groups,
            c = in(reg) &raw const DISTANCES,
            one = in(reg) &1.0_f64,
            m = const offset_of!(Groups<WIDTH>, middles),
            w = const offset_of!(Groups<WIDTH>, reciprocals),
            d = const offset_of!(Groups<WIDTH>, slopes),
            step = const offset_of!(Groups<WIDTH>, step),
            width = const WIDTH,
            inout("rcx") count => _,
            out("rax") _,
            clobber_abi("C"),
            options(nostack),
        );
    }
}
