//! What the C library's startup files, and the standard library, would have brought.

use core::arch::global_asm;
use core::fmt::{self, Write as _};
use core::panic::PanicInfo;

use rawipc::pipe::Writer;
use rawipc::process;
use rustix::fd::BorrowedFd;

// The kernel starts a program with an aligned stack and no return address: a call makes it what a
// function expects.
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start: call entered");
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start: bl entered");

#[unsafe(no_mangle)]
extern "C" fn entered() -> ! {
    crate::run();
    process::exit(0)
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Standard::error(), "{info}");
    process::exit(101)
}

/// What `core`, which is compiled to unwind, refers to and never calls.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// An open descriptor by its number.
pub struct Standard(i32);

impl Standard {
    pub const fn output() -> Self {
        Self(1)
    }

    const fn error() -> Self {
        Self(2)
    }
}

impl fmt::Write for Standard {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // SAFETY: open from the start, and never closed.
        let fd = unsafe { BorrowedFd::borrow_raw(self.0) };
        let writer = rustix::io::dup(fd).map(Writer::from).map_err(|_| fmt::Error)?;
        writer.write_all(text.as_bytes()).map_err(|_| fmt::Error)
    }
}
