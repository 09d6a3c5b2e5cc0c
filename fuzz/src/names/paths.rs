//! Paths: those that the kernel has never to see are refused; it is given the others as they are.

use core::ffi::CStr;
use core::str::from_utf8;
use std::ffi::CString;
#[cfg(feature = "std")]
use std::ffi::OsStr;
#[cfg(feature = "std")]
use std::os::unix::ffi::OsStrExt as _;
#[cfg(feature = "std")]
use std::path::Path;

use arbitrary::Arbitrary;
use rawipc::Errno;
use rawipc::sysv::Key;
use rustix::fs::{AtFlags, CWD, statat};

/// What is asked about a path: a key, as that does nothing but look.
#[derive(Arbitrary, Debug)]
pub(super) struct Input {
    /// Most bytes are the path of nothing.
    place: Place,
    project: u8,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    /// As the bytes say.
    There,
    /// The same place however many slashes and dots follow.
    Root,
    Devices,
    /// What is no directory.
    Null,
}

/// The longest that the kernel takes, with its NUL.
const PATH_MAX: usize = 4096;

pub(super) fn check(input: &Input, bytes: &[u8]) {
    let place: &[u8] = match input.place {
        Place::There => b"",
        Place::Root => b"/",
        Place::Devices => b"/dev/./",
        Place::Null => b"/dev/null",
    };
    let path = [place, bytes].concat();
    let project = input.project;
    let expected = match CString::new(&path[..]) {
        _ if path.len() >= PATH_MAX => Err(Errno::NAMETOOLONG),
        Err(_) => Err(Errno::INVAL),
        Ok(path) => looked_up(&path, project),
    };
    assert_eq!(Key::ftok(&path[..], project), expected);
    if let Ok(text) = from_utf8(&path) {
        assert_eq!(Key::ftok(text, project), expected);
    }
    if let Ok(text) = CString::new(&path[..]) {
        assert_eq!(Key::ftok(text.as_c_str(), project), expected);
    }
    if let Some(path) = path.first_chunk::<8>() {
        assert_eq!(Key::ftok(path, project), Key::ftok(&path[..], project));
    }
    #[cfg(feature = "std")]
    with_std(&path, project, expected);

    if let Ok(key) = expected {
        assert_eq!(Key::from_raw(key.as_raw()), key);
        assert_eq!(key.as_raw().to_be_bytes()[0], project);
        assert_eq!(key == Key::PRIVATE, key.as_raw() == 0);
    }
}

/// The key that the manual page of `ftok` tells of.
fn looked_up(path: &CStr, project: u8) -> Result<Key, Errno> {
    let file = statat(CWD, path, AtFlags::empty())?;
    let number = u64::from(project) << 24 | (file.st_dev & 0xff) << 16 | file.st_ino & 0xffff;
    let bits = u32::try_from(number).expect("three fields of a byte, a byte and two");
    Ok(Key::from_raw(i32::from_ne_bytes(bits.to_ne_bytes())))
}

#[cfg(feature = "std")]
fn with_std(path: &[u8], project: u8, expected: Result<Key, Errno>) {
    let os = OsStr::from_bytes(path);
    assert_eq!(Key::ftok(os, project), expected);
    assert_eq!(Key::ftok(os.to_owned(), project), expected);
    assert_eq!(Key::ftok(Path::new(os), project), expected);
    assert_eq!(Key::ftok(Path::new(os).to_owned(), project), expected);
    if let Ok(text) = String::from_utf8(path.to_vec()) {
        assert_eq!(Key::ftok(text, project), expected);
    }
    if let Ok(text) = CString::new(path) {
        assert_eq!(Key::ftok(text, project), expected);
    }
}
