//! With AVX-512: eight terms at a time.
//!
//! In assembly, as Rust has these instructions as functions since 1.89 only, and this example is to
//! be built by what builds the crate.

use core::arch::asm;
use core::mem::offset_of;

use super::Sums;
use super::groups::{DISTANCES, Groups};

/// How many `f64`s a register holds.
const WIDTH: usize = 8;

/// Adds so many groups, from k = `first` on.
///
/// | register | holds, with the names of `mod.rs` |
/// |---|---|
/// | zmm0 – 3 | the lanes |
/// | zmm8, zmm9 | m and d of the group |
/// | zmm10 | 1 |
/// | zmm11, zmm12, zmm13 | m + c and then x; y; e and then r: of eight terms |
/// | zmm14, zmm15 | m and t of the groups that come next |
///
/// # Safety
///
/// The CPU has AVX-512F.
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
            ".irp lanes, 0, 1, 2, 3",
            r"vmovupd zmm\lanes, [{sums} + 64 * \lanes]",
            ".endr",
            "vbroadcastsd zmm10, [{one}]",
            "vmovapd zmm14, [{groups} + {m}]",
            "vdivpd zmm15, zmm10, zmm14",

            // As many groups as fit a register.
            "2:",
            "vmulpd zmm12, zmm15, zmm15",
            "vaddpd zmm13, zmm15, zmm15",
            "vmulpd zmm13, zmm13, zmm12",
            "vmovapd [{groups} + {m}], zmm14",
            "vmovapd [{groups} + {w}], zmm12",
            "vmovapd [{groups} + {d}], zmm13",
            // The next ones are divided while these are refined.
            "vaddpd zmm14, zmm14, [{groups} + {step}]",
            "vdivpd zmm15, zmm10, zmm14",
            "xor eax, eax",

            // One of them.
            "3:",
            "vbroadcastsd zmm8, [{groups} + 8 * rax + {m}]",
            "vbroadcastsd zmm9, [{groups} + 8 * rax + {d}]",
            ".irp lanes, 0, 1, 2, 3",
            r"vaddpd zmm11, zmm8, [{c} + 64 * \lanes]",
            "vmulpd zmm11, zmm11, zmm11",
            // The tangent.
            "vbroadcastsd zmm12, [{groups} + 8 * rax + {w}]",
            r"vfnmadd231pd zmm12, zmm9, [{c} + 64 * \lanes]",
            // Newton's step.
            "vmovapd zmm13, zmm10",
            "vfnmadd231pd zmm13, zmm11, zmm12",
            "vfmadd231pd zmm12, zmm12, zmm13",
            // The same again.
            "vmovapd zmm13, zmm10",
            "vfnmadd231pd zmm13, zmm11, zmm12",
            "vfmadd231pd zmm12, zmm12, zmm13",
            r"vaddpd zmm\lanes, zmm\lanes, zmm12",
            ".endr",
            "dec rcx",
            "jz 4f",
            "inc eax",
            "cmp eax, {width}",
            "jne 3b",
            "jmp 2b",

            "4:",
            ".irp lanes, 0, 1, 2, 3",
            r"vmovupd [{sums} + 64 * \lanes], zmm\lanes",
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
