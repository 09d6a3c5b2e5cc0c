//! Shared memory objects side by side with glibc's `shm_open`: the same objects, the same bytes,
//! the same answers.
//!
//! Where the two differ, they do so by design, and a test says how: glibc's has its name before it
//! has a length, and calls it `EINVAL` that a directory is there.

#![cfg(target_env = "gnu")]

mod support;

use core::ffi::CStr;
use core::slice;
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::fs::{self, File};
use std::os::fd::{FromRawFd as _, IntoRawFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, symlink};

use rawipc::shm::{Access, Bytes, LayoutError, Mode, Object, OpenError, Shared};
use rawipc::{Errno, Name, Result};
use support::glibc::answer;
use support::own::OWNER;
use support::{child, isolated, join, own};

// Their side: what a C program calls.

fn shm_open(name: &CStr, flags: i32, mode: u32) -> Result<OwnedFd> {
    // SAFETY: the name lives.
    let fd = answer(unsafe { libc::shm_open(name.as_ptr(), flags, mode) })?;
    // SAFETY: glibc has just opened it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn shm_unlink(name: &CStr) -> Result<()> {
    // SAFETY: the name lives.
    answer(unsafe { libc::shm_unlink(name.as_ptr()) }).map(drop)
}

/// What C's `mmap` has mapped of what glibc opened.
struct Theirs(*mut libc::c_void, usize);

impl Theirs {
    fn create(name: &CStr, length: usize) -> Self {
        let fd = shm_open(name, libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600).unwrap();
        let fd = fd.into_raw_fd();
        // SAFETY: a descriptor and a number.
        answer(unsafe { libc::ftruncate(fd, length.try_into().unwrap()) }).unwrap();
        Self::map(fd, length)
    }

    fn open(name: &CStr) -> Self {
        let file = File::from(shm_open(name, libc::O_RDWR, 0).unwrap());
        let length = file.metadata().unwrap().len().try_into().unwrap();
        Self::map(file.into_raw_fd(), length)
    }

    fn map(fd: i32, length: usize) -> Self {
        let (access, null) = (libc::PROT_READ | libc::PROT_WRITE, core::ptr::null_mut());
        // SAFETY: where the kernel chooses.
        let at = unsafe { libc::mmap(null, length, access, libc::MAP_SHARED, fd, 0) };
        assert_ne!(at, libc::MAP_FAILED);
        // SAFETY: nobody else has it.
        assert_eq!(unsafe { libc::close(fd) }, 0);
        Self(at, length)
    }

    fn bytes(&self) -> &[AtomicU8] {
        // SAFETY: mapped until it is dropped; others change it too.
        unsafe { slice::from_raw_parts(self.0.cast(), self.1) }
    }

    fn read(&self, offset: usize, length: usize) -> Vec<u8> {
        self.bytes()[offset..][..length].iter().map(|byte| byte.load(Relaxed)).collect()
    }

    fn write(&self, offset: usize, bytes: &[u8]) {
        for (to, &byte) in self.bytes()[offset..].iter().zip(bytes) {
            to.store(byte, Relaxed);
        }
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        // SAFETY: mapped, and not used any more.
        assert_eq!(unsafe { libc::munmap(self.0, self.1) }, 0);
    }
}

type Own = own::Own<Object>;

#[test]
fn we_find_an_object_as_glibc_made_it() {
    isolated(|| {
        let name = Own::new();
        let theirs = Theirs::create(&name.c_string(), 5000);
        theirs.write(4990, b"from C");
        let object = Object::open(&name.0).unwrap();
        assert_eq!(object.len(), Ok(5000));
        let bytes = Bytes::map(&object, Access::ReadOnly).unwrap();
        assert_eq!(bytes.copy_out(4990, &mut [0; 6]).unwrap(), b"from C");
    });
}

#[test]
fn glibc_finds_an_object_as_we_made_it() {
    isolated(|| {
        let name = Own::new();
        let object = Object::create_new(&name.0, OWNER, 5000).unwrap();
        let bytes = Bytes::map(&object, Access::ReadWrite).unwrap();
        bytes.copy_in(4990, b"from Rust").unwrap();
        join(child(|| {
            let theirs = Theirs::open(&name.c_string());
            assert_eq!(theirs.bytes().len(), 5000);
            assert_eq!(theirs.read(4990, 9), b"from Rust");
        }));
    });
}

#[test]
fn each_sees_what_the_other_writes() {
    isolated(|| {
        let name = Own::new();
        let object = Object::create_new(&name.0, OWNER, 100).unwrap();
        let bytes = Bytes::map(&object, Access::ReadWrite).unwrap();
        for round in 0..100 {
            bytes.copy_in(round, &[1]).unwrap();
            join(child(|| {
                let theirs = Theirs::open(&name.c_string());
                assert_eq!(theirs.read(round, 1), [1]);
                theirs.write(round, &[2]);
            }));
            assert_eq!(bytes.copy_out(round, &mut [0; 1]).unwrap(), [2]);
        }
    });
}

#[test]
fn either_unlinks_the_other_s() {
    isolated(|| {
        let name = Own::new();
        let _theirs = Theirs::create(&name.c_string(), 10);
        Object::unlink(&name.0).unwrap();
        assert_eq!(shm_open(&name.c_string(), libc::O_RDWR, 0).unwrap_err(), Errno::NOENT);
        Object::create_new(&name.0, OWNER, 10).unwrap();
        shm_unlink(&name.c_string()).unwrap();
        assert_eq!(Object::open(&name.0).unwrap_err(), Errno::NOENT);
        assert_eq!(shm_unlink(&name.c_string()), Object::unlink(&name.0));
    });
}

#[test]
fn what_either_made_the_other_does_not_make_again() {
    isolated(|| {
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let name = Own::new();
        Object::create_new(&name.0, OWNER, 10).unwrap();
        assert_eq!(shm_open(&name.c_string(), flags, 0o600).unwrap_err(), Errno::EXIST);
        Object::unlink(&name.0).unwrap();
        shm_open(&name.c_string(), flags, 0o600).unwrap();
        assert_eq!(Object::create_new(&name.0, OWNER, 10).unwrap_err(), Errno::EXIST);
    });
}

#[test]
fn modes_are_the_same() {
    isolated(|| {
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        for (umask, mode) in [(0o022, 0o666), (0o077, 0o666), (0, 0o640), (0o777, 0o600)] {
            rustix::process::umask(Mode::from_raw_mode(umask));
            let (ours, theirs) = (Own::new(), Own::new());
            Object::create_new(&ours.0, Mode::from_raw_mode(mode), 10).unwrap();
            shm_open(&theirs.c_string(), flags, mode).unwrap();
            let mode = |own: &Own| own.path().metadata().unwrap().mode();
            assert_eq!(mode(&ours), mode(&theirs));
        }
    });
}

#[test]
fn longest_name_is_the_same() {
    isolated(|| {
        let room = Name::MAX_LEN - Own::new().0.as_bytes().len();
        let name = Own::new().with("x".repeat(room));
        assert_eq!(name.0.as_bytes().len(), Name::MAX_LEN);
        Object::create_new(&name.0, OWNER, 10).unwrap();
        shm_unlink(&name.c_string()).unwrap();
        drop(Theirs::create(&name.c_string(), 10));
        Object::unlink(&name.0).unwrap();
    });
}

#[test]
fn glibc_s_has_its_name_before_its_length() {
    isolated(|| {
        let name = Own::new();
        let flags = libc::O_RDWR | libc::O_CREAT | libc::O_EXCL;
        let _theirs = shm_open(&name.c_string(), flags, 0o600).unwrap();
        assert_eq!(Object::open(&name.0).unwrap().len(), Ok(0));
        // SAFETY: refused, as there is nothing.
        let value = unsafe { Shared::<AtomicU8>::open(&name.0) };
        assert_eq!(value.unwrap_err(), OpenError::Layout(LayoutError::Empty));
    });
}

#[test]
fn what_glibc_writes_is_no_value_of_ours() {
    isolated(|| {
        let name = Own::new();
        let theirs = Theirs::create(&name.c_string(), 5000);
        theirs.write(0, b"something else");
        // SAFETY: refused, as it is something else.
        let value = unsafe { Shared::<AtomicU8>::open(&name.0) };
        assert_eq!(value.unwrap_err(), OpenError::Layout(LayoutError::Foreign));
    });
}

#[test]
fn neither_follows_a_link_nor_opens_a_directory() {
    isolated(|| {
        let (link, directory) = (Own::new(), Own::new());
        symlink("/dev/null", link.path()).unwrap();
        let theirs = shm_open(&link.c_string(), libc::O_RDWR, 0).unwrap_err();
        assert_eq!(Object::open(&link.0).unwrap_err(), theirs);
        fs::create_dir(directory.path()).unwrap();
        let theirs = shm_open(&directory.c_string(), libc::O_RDWR, 0).unwrap_err();
        assert!(matches!(theirs, Errno::INVAL | Errno::ISDIR), "{theirs}");
        assert_eq!(Object::open(&directory.0).unwrap_err(), Errno::ISDIR);
    });
}
