//! [`PathArg`]: a path argument, handed to the kernel without allocating.

use core::ffi::CStr;

use crate::{Errno, Result};

/// What can be given where a path is wanted: `CStr`, `str`, bytes, and with `std` `OsStr`, `Path`
/// and the owned forms of them all, by value or by reference.
///
/// A `CStr` goes to the kernel as it is. The others are copied, with their terminating NUL, to the
/// stack (4 KiB, the longest that the kernel takes), never to the heap.
///
/// # Errors
///
/// Calls that take a path answer [`Errno::INVAL`] if it has a NUL inside, and
/// [`Errno::NAMETOOLONG`] if it is 4096 bytes long or longer.
pub trait PathArg: sealed::WithCStr {}

impl<P: sealed::WithCStr + ?Sized> PathArg for P {}

pub(crate) mod sealed {
    use super::{CStr, Result, on_the_stack};

    #[diagnostic::on_unimplemented(
        message = "`{Self}` cannot be given as a path",
        note = "give a string, a `CStr`, bytes, or (with the feature `std`) a `Path`"
    )]
    pub trait WithCStr {
        #[doc(hidden)]
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T>;
    }

    impl<P: WithCStr + ?Sized> WithCStr for &P {
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
            (**self).with_c_str(call)
        }
    }

    impl WithCStr for CStr {
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
            call(self)
        }
    }

    impl WithCStr for [u8] {
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
            on_the_stack(self, call)
        }
    }

    impl<const N: usize> WithCStr for [u8; N] {
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
            on_the_stack(self, call)
        }
    }

    impl WithCStr for str {
        fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
            on_the_stack(self.as_bytes(), call)
        }
    }

    #[cfg(feature = "std")]
    mod with_std {
        use std::ffi::{CString, OsStr, OsString};
        use std::os::unix::ffi::OsStrExt;
        use std::path::{Path, PathBuf};
        use std::string::String;

        use super::{CStr, Result, WithCStr, on_the_stack};

        impl WithCStr for CString {
            fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
                call(self)
            }
        }

        macro_rules! through_os_str {
            ($($path:ty),*) => {$(
                impl WithCStr for $path {
                    fn with_c_str<T>(&self, call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
                        on_the_stack(AsRef::<OsStr>::as_ref(self).as_bytes(), call)
                    }
                }
            )*};
        }
        through_os_str!(OsStr, OsString, Path, PathBuf, String);
    }
}

/// Room for the longest path that the kernel takes, with its NUL (`PATH_MAX`).
const ROOM: usize = 4096;

fn on_the_stack<T>(path: &[u8], call: impl FnOnce(&CStr) -> Result<T>) -> Result<T> {
    let mut room = [0; ROOM];
    let with_nul = room.get_mut(..=path.len()).ok_or(Errno::NAMETOOLONG)?;
    if let Some((_nul, text)) = with_nul.split_last_mut() {
        text.copy_from_slice(path);
    }
    call(CStr::from_bytes_with_nul(with_nul).map_err(|_| Errno::INVAL)?)
}
