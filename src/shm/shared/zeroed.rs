//! Making a [`Shared`] value of zeros, which all of them take as untouched: it lies in new memory
//! already, and does not have to come there by way of the stack.

use rustix::fd::AsFd as _;
use rustix::fs::Mode;

use super::{Shared, publish, room};
use crate::shm::{Access, Mapping, Memfd, ShmSafe, directory};
use crate::{Name, Result};

impl<T: ShmSafe> Shared<T> {
    /// As [`anonymous`](Self::anonymous), of zeros: for what is too large for the stack, a long
    /// queue say.
    ///
    /// # Errors
    ///
    /// As [`anonymous`](Self::anonymous).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::Spsc;
    /// use rawipc::shm::Shared;
    ///
    /// let frames = Shared::<Spsc<[u8; 4096], 4096>>::anonymous_zeroed()?;
    /// assert!(frames.is_empty());
    /// # Ok::<(), rawipc::Errno>(())
    /// ```
    #[doc(alias = "memfd_create")]
    pub fn anonymous_zeroed() -> Result<Self> {
        let mapping = Mapping::new(Memfd::new(Self::SIZE)?, Self::SIZE, Access::ReadWrite)?;
        Self::zeroed_in(mapping)
    }

    /// As [`create_new`](Self::create_new), of zeros: for what is too large for the stack.
    ///
    /// # Whom this trusts
    ///
    /// As [`create_new`](Self::create_new) does: every program that `mode` lets write to the
    /// object, this one included, to keep to what [`open`](Self::open) demands. (SAFETY.md,
    /// "What is hostile in shared memory".)
    ///
    /// # Errors
    ///
    /// As [`create_new`](Self::create_new).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Name;
    /// use rawipc::queue::Mpmc;
    /// use rawipc::shm::{Mode, Object, Shared};
    ///
    /// let name = Name::format(format_args!("/rawipc-doc-zeroed-{}", std::process::id()))?;
    /// let queue = Shared::<Mpmc<u64, 4096>>::create_new_zeroed(&name, Mode::RUSR | Mode::WUSR)?;
    /// assert_eq!(queue.try_push(7), Ok(()));
    /// Object::unlink(&name)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "shm_open")]
    pub fn create_new_zeroed(name: &Name, mode: Mode) -> Result<Self> {
        let fd = directory::unnamed(mode, Self::SIZE)?;
        let shared = Self::zeroed_in(Mapping::new(&fd, Self::SIZE, Access::ReadWrite)?)?;
        directory::link(fd.as_fd(), name)?;
        Ok(shared)
    }

    /// In memory that has just been made, and that nobody else has yet.
    fn zeroed_in(mapping: Mapping) -> Result<Self> {
        let value = room(&mapping, 1)?;
        publish::<T>(&mapping, 1);
        Ok(Self { value, _mapping: mapping })
    }
}
