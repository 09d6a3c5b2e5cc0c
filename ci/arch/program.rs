//! A program that is nothing but system calls through src/sys/arch/: ci/arch.sh runs it.
//!
//! Writes "ok", then copies three bytes from standard input at 2 to standard output at 3, with a
//! call that takes six arguments, and exits with 42; with another code where something is not as
//! it should be.

#![feature(no_core)]
#![allow(internal_features)]
#![no_std]
#![no_core]
#![no_main]

extern crate core;

/// write, exit_group, copy_file_range.
#[cfg(target_arch = "x86_64")]
const NUMBERS: [usize; 3] = [1, 231, 326];
#[cfg(target_arch = "x86")]
const NUMBERS: [usize; 3] = [4, 252, 377];
#[cfg(any(target_arch = "aarch64", target_arch = "riscv64"))]
const NUMBERS: [usize; 3] = [64, 94, 285];
#[cfg(target_arch = "arm")]
const NUMBERS: [usize; 3] = [4, 248, 391];
#[cfg(target_arch = "s390x")]
const NUMBERS: [usize; 3] = [4, 248, 375];

#[path = "."]
mod sys {
    #[path = "../../src/sys/arch/mod.rs"]
    mod arch;

    /// Makes a call in the middle of other work: ten values are loaded before it and looked at
    /// after it. If the trap changes, without saying so, a register that holds one, they differ.
    #[unsafe(no_mangle)]
    #[inline(never)]
    pub unsafe extern "C" fn call(
        number: usize,
        arguments: *const [usize; 6],
        values: *const [usize; 10],
    ) -> usize {
        unsafe {
            let [a, b, c, d, e, f, g, h, i, j] = *values;
            let [a0, a1, a2, a3, a4, a5] = *arguments;
            let returned = arch::syscall(number, [a0, a1, a2, a3, a4, a5]);
            let [k, l, m, n, o, p, q, r, s, t] = *values;
            if a != k || b != l || c != m || d != n || e != o {
                super::exit(1);
            }
            if f != p || g != q || h != r || i != s || j != t {
                super::exit(1);
            }
            returned
        }
    }
}

fn call(number: usize, arguments: [usize; 6]) -> usize {
    let values = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
    unsafe { sys::call(number, &raw const arguments, &raw const values) }
}

fn exit(code: usize) -> ! {
    let [_, exit_group, _] = NUMBERS;
    loop {
        call(exit_group, [code, 0, 0, 0, 0, 0]);
    }
}

fn expect(returned: usize, wanted: usize, code_otherwise: usize) {
    if returned != wanted {
        exit(code_otherwise);
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    let [write, _, copy_file_range] = NUMBERS;
    let text = b"ok\n" as *const u8 as usize;
    let (mut from, mut to) = (2_i64, 3_i64);
    expect(call(write, [1, text, 3, 0, 0, 0]), 3, 2);

    let (from_at, to_at) = (&raw mut from as usize, &raw mut to as usize);
    expect(call(copy_file_range, [0, from_at, 1, to_at, 3, 0]), 3, 3);
    // The kernel has moved both positions on.
    match (from, to) {
        (5, 6) => {}
        _ => exit(4),
    }

    // The sixth argument, flags, must be zero; -EINVAL says that another was seen.
    match call(copy_file_range, [0, from_at, 1, to_at, 3, 1]) as u32 {
        0xffff_ffea => exit(42),
        _ => exit(5),
    }
}
