//! The instruction that enters the kernel, one short file per architecture, all of one form:
//!
//! ```text
//! unsafe fn syscall(number: usize, arguments: [usize; 6]) -> usize
//! ```
//!
//! It takes the number and up to six arguments (calls that take fewer ignore the rest) and returns
//! what the kernel put into the result register. Where there is no file, the C library's `syscall`
//! serves, which needs the feature `std`.
//!
//! # Safety
//!
//! Whatever the call with that number demands of these arguments.
//!
//! # References
//!
//! - [syscall(2)](https://man7.org/linux/man-pages/man2/syscall.2.html), "Architecture calling
//!   conventions"

#[cfg_attr(all(target_arch = "x86_64", target_pointer_width = "64"), path = "x86_64.rs")]
#[cfg_attr(target_arch = "x86", path = "x86.rs")]
#[cfg_attr(all(target_arch = "aarch64", target_pointer_width = "64"), path = "aarch64.rs")]
#[cfg_attr(target_arch = "arm", path = "arm.rs")]
#[cfg_attr(target_arch = "riscv64", path = "riscv64.rs")]
#[cfg_attr(target_arch = "s390x", path = "s390x.rs")]
#[cfg_attr(
    not(any(
        all(target_arch = "x86_64", target_pointer_width = "64"),
        target_arch = "x86",
        all(target_arch = "aarch64", target_pointer_width = "64"),
        target_arch = "arm",
        target_arch = "riscv64",
        target_arch = "s390x",
    )),
    path = "other.rs"
)]
mod trap;

#[cfg(all(target_arch = "s390x", not(feature = "std")))]
compile_error!("on s390x, rustix goes through the C library: rawipc takes the feature `std` there");

pub(super) use trap::syscall;
