use core::ffi::CStr;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, OwnedFd};

use super::{done, number, own};

/// A memfd of this length, which is really there, stays so long, and is not executed; none that is
/// longer than the machine's memory, which the kernel would take all of before it gave up.
pub(crate) fn memfd(name: &CStr, len: i64) -> Result<OwnedFd> {
    let mut machine = MaybeUninit::<libc::sysinfo>::uninit();
    // SAFETY: room for the answer, exclusively borrowed.
    done(unsafe { libc::sysinfo(machine.as_mut_ptr()) })?;
    // SAFETY: the kernel has filled all of it.
    let machine = unsafe { machine.assume_init() };
    let units = machine.totalram.saturating_add(machine.totalswap);
    if len.unsigned_abs() > units.saturating_mul(machine.mem_unit.into()) {
        return Err(Error::from_raw_os_error(libc::ENOMEM));
    }
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: a string that ends with a zero byte.
    let mut opened = unsafe { libc::memfd_create(name.as_ptr(), flags | libc::MFD_NOEXEC_SEAL) };
    if opened < 0 && Error::last_os_error().kind() == ErrorKind::InvalidInput {
        // Before Linux 6.3.
        // SAFETY: as above.
        opened = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    }
    let opened = number(opened)?;
    // SAFETY: the kernel has just opened it, for us alone.
    let fd = unsafe { own(opened) };
    // SAFETY: takes integers only.
    while let Err(error) = done(unsafe { libc::fallocate(fd.as_raw_fd(), 0, 0, len) }) {
        if error.kind() != ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;
    // SAFETY: F_ADD_SEALS takes an integer.
    done(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) })?;
    Ok(fd)
}

pub(crate) fn seals(fd: &impl AsRawFd) -> Result<i32> {
    // SAFETY: F_GET_SEALS takes no argument.
    number(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GET_SEALS) })
}

pub(crate) fn shm_unlink(name: &CStr) -> Result<()> {
    // SAFETY: a string that ends with a zero byte.
    done(unsafe { libc::shm_unlink(name.as_ptr()) })
}

/// Memory of an object, to read and write. Refuses a part of a huge page, as it could not be
/// unmapped.
pub(crate) fn map(fd: &impl AsRawFd, len: usize) -> Result<NonNull<u8>> {
    let mut system = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: room for the answer, exclusively borrowed.
    if done(unsafe { libc::fstatfs(fd.as_raw_fd(), system.as_mut_ptr()) }).is_ok() {
        // SAFETY: the kernel has filled all of it.
        let system = unsafe { system.assume_init() };
        let page = usize::try_from(system.f_bsize).unwrap_or(1);
        if system.f_type == libc::HUGETLBFS_MAGIC && !len.is_multiple_of(page) {
            return Err(Error::from_raw_os_error(libc::EINVAL));
        }
    }
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: the kernel chooses a place where nothing is.
    let place =
        unsafe { libc::mmap(ptr::null_mut(), len, access, libc::MAP_SHARED, fd.as_raw_fd(), 0) };
    match NonNull::new(place.cast::<u8>()) {
        Some(place) if place.as_ptr().addr() != usize::MAX => Ok(place),
        _ => Err(Error::last_os_error()),
    }
}

/// Unmaps.
///
/// # Safety
///
/// [`map`] has returned it for this length, and nobody uses what is there any more.
pub(crate) unsafe fn unmap(place: NonNull<u8>, len: usize) -> Result<()> {
    // SAFETY: the caller's promise, passed on.
    done(unsafe { libc::munmap(place.as_ptr().cast(), len) })
}
