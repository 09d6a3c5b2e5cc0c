//! What has the names: files as anybody can make them, and what is known of them.

use std::fs;
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::PathBuf;

use arbitrary::Arbitrary;
use rawipc::shm::{LayoutError, Mode, OpenError};
use rawipc::{Errno, Name, process};
use rustix::fs::{CWD, FileType, mknodat};

/// How long the file of a semaphore is.
pub(super) const SIZE: usize = 32;

/// What says, at this place, that a semaphore is one for several processes.
const SHARED: [u8; 4] = 0x80_u32.to_ne_bytes();
const SHARED_AT: usize = 8;

/// What somebody puts where a semaphore is looked for.
#[derive(Arbitrary, Clone, Debug)]
pub(super) enum Plant {
    /// Bytes that may be a semaphore.
    Image([u8; SIZE]),
    /// Bytes that are one, of any value, and say that any number waits.
    Semaphore(u32, u32),
    /// So many bytes, all the same.
    Bytes(u8, u8),
    Directory,
    Link,
    Fifo,
}

/// What has a name, or had one.
#[derive(Clone, Debug)]
pub(super) enum Content {
    File(Vec<u8>),
    Directory,
    Link,
    Fifo,
}

impl Content {
    pub(super) fn semaphore(value: u32, waiters: u32) -> Self {
        let mut bytes = (u64::from(waiters) << 32 | u64::from(value)).to_ne_bytes().to_vec();
        bytes.resize(SIZE, 0);
        bytes[SHARED_AT..][..SHARED.len()].copy_from_slice(&SHARED);
        Self::File(bytes)
    }

    /// Whether it can be opened as a semaphore.
    pub(super) fn opened(&self) -> Result<(), OpenError> {
        match self {
            Self::Directory => Err(Errno::ISDIR.into()),
            Self::Link => Err(Errno::LOOP.into()),
            Self::Fifo => Err(Errno::INVAL.into()),
            Self::File(bytes) if bytes.is_empty() => Err(LayoutError::Empty.into()),
            Self::File(bytes) if bytes.len() != SIZE => {
                let found = u64::try_from(bytes.len()).expect("a length");
                Err(LayoutError::Size { expected: 32, found }.into())
            }
            Self::File(bytes) if bytes[SHARED_AT..][..SHARED.len()] == SHARED => Ok(()),
            Self::File(bytes) => {
                let is_blank = bytes.iter().all(|&byte| byte == 0);
                let wrong = if is_blank { LayoutError::Unfinished } else { LayoutError::Foreign };
                Err(wrong.into())
            }
        }
    }
}

/// One of the names, which no other process uses.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: Name,
    path: PathBuf,
}

impl Place {
    pub(super) fn new(nth: usize) -> Self {
        let own = format!("rawipc-fuzz-{}-{nth}", process::id().as_raw_nonzero());
        let name = Name::new(format!("/{own}").as_bytes()).expect("a name");
        let place = Self { name, path: format!("/dev/shm/sem.{own}").into() };
        // Left by one that was killed when it had the same pid.
        place.clear();
        place
    }

    /// Removes what is there.
    pub(super) fn clear(&self) {
        let _gone = fs::remove_file(&self.path).or_else(|_| fs::remove_dir(&self.path));
    }

    /// Puts something there, where there is nothing.
    pub(super) fn plant(&self, plant: &Plant) -> Content {
        const NOBODY_ELSES: Mode = Mode::RUSR.union(Mode::WUSR);
        let content = match *plant {
            Plant::Image(image) => Content::File(image.to_vec()),
            Plant::Semaphore(value, waiters) => Content::semaphore(value, waiters),
            Plant::Bytes(length, byte) => Content::File(vec![byte; length.into()]),
            Plant::Directory => Content::Directory,
            Plant::Link => Content::Link,
            Plant::Fifo => Content::Fifo,
        };
        match &content {
            Content::File(bytes) => fs::write(&self.path, bytes).expect("a file"),
            Content::Directory => fs::create_dir(&self.path).expect("a directory"),
            Content::Link => symlink("/dev/null", &self.path).expect("a link"),
            Content::Fifo => {
                mknodat(CWD, &self.path, FileType::Fifo, NOBODY_ELSES, 0).expect("a fifo");
            }
        }
        content
    }

    /// Writes into the file that is there.
    pub(super) fn write(&self, offset: usize, bytes: &[u8]) {
        let file = fs::File::options().write(true).open(&self.path).expect("a file");
        file.write_all_at(bytes, offset.try_into().expect("an offset")).expect("room");
    }

    pub(super) fn read(&self) -> Vec<u8> {
        fs::read(&self.path).expect("a file")
    }
}
