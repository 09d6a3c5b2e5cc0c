//! The six functions that `core` documents it expects from its surroundings. Volatile, so that the
//! compiler does not make of each a call to itself.

use core::ffi::{c_char, c_int, c_void};

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void {
    // SAFETY: the caller's promise; what does not overlap may be moved too.
    unsafe { memmove(to, from, len) }
}

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void {
    let (target, source) = (to.cast::<u8>(), from.cast::<u8>());
    let move_byte = |at: usize| {
        // SAFETY: both are valid up to `len`, as the caller promises.
        unsafe { target.add(at).write_volatile(source.add(at).read_volatile()) };
    };
    if to.addr() < from.addr() {
        (0..len).for_each(move_byte);
    } else {
        (0..len).rev().for_each(move_byte);
    }
    to
}

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut c_void, byte: c_int, len: usize) -> *mut c_void {
    let [byte, ..] = byte.to_le_bytes();
    for at in 0..len {
        // SAFETY: valid up to `len`, as the caller promises.
        unsafe { to.cast::<u8>().add(at).write_volatile(byte) };
    }
    to
}

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(left: *const c_void, right: *const c_void, len: usize) -> c_int {
    for at in 0..len {
        // SAFETY: valid up to `len`, as the caller promises.
        let left = unsafe { left.cast::<u8>().add(at).read_volatile() };
        // SAFETY: as above.
        let right = unsafe { right.cast::<u8>().add(at).read_volatile() };
        if left != right {
            return c_int::from(left) - c_int::from(right);
        }
    }
    0
}

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(left: *const c_void, right: *const c_void, len: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { memcmp(left, right, len) }
}

/// # Safety
///
/// As C has it.
#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const c_char) -> usize {
    let mut len = 0;
    // SAFETY: valid up to its NUL, as the caller promises.
    while unsafe { text.add(len).read_volatile() } != 0 {
        len += 1;
    }
    len
}
