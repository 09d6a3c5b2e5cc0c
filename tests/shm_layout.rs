//! What lies where a shared value is thought to lie, and is something else: each is refused for
//! what it is, and nothing faults.

mod support;

use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicI64, AtomicU16, AtomicU32, AtomicU64};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rawipc::Errno;
use rawipc::fd::OwnedFd;
use rawipc::pipe::Pipe;
use rawipc::shm::{Access, InPlace, LayoutError, Mapping, Memfd, OpenError, Seals, Shared};
use rustix::fs::{MemfdFlags, memfd_create};
use support::{apart, isolated, join};

/// A file of these bytes, whose length can change.
fn file_of(bytes: &[u8]) -> File {
    let file = File::from(memfd_create(c"rawipc-test", MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(bytes, 0).unwrap();
    file
}

/// The bytes of a value that is as it should be.
fn right() -> Vec<u8> {
    let file = file_of(&[]);
    // SAFETY: nobody else has the file.
    drop(unsafe { Shared::create_in(&file, AtomicU64::new(7)) }.unwrap());
    contents(&file)
}

/// The bytes of three elements.
fn right_slice() -> Vec<u8> {
    let file = file_of(&[]);
    // SAFETY: nobody else has the file.
    drop(unsafe { Shared::<[AtomicU64]>::create_slice_in(&file, 3) }.unwrap());
    contents(&file)
}

fn contents(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; file.metadata().unwrap().len().try_into().unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn open<T: ?Sized + InPlace>(file: &File) -> Result<Shared<T>, OpenError> {
    // SAFETY: nobody else has the file.
    unsafe { Shared::from_fd(file) }
}

/// Why these bytes are no `T`, in a file and in memory that is mapped already.
#[track_caller]
fn refusal<T: ?Sized + InPlace>(bytes: &[u8]) -> LayoutError {
    let file = file_of(bytes);
    let by_file = open::<T>(&file).err();
    if !bytes.is_empty() {
        let mapping = Mapping::new(&file, bytes.len(), Access::ReadWrite).unwrap();
        // SAFETY: nobody else has the file.
        assert_eq!(unsafe { Shared::<T>::from_mapping(mapping) }.err(), by_file);
    }
    match by_file {
        Some(OpenError::Layout(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// The right bytes, but for these.
fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut all = right();
    all[at..at + bytes.len()].copy_from_slice(bytes);
    all
}

/// Where the parts of a header lie: a promise to programs built with another version.
const VERSION: usize = 8;
const ALIGNMENT: usize = 12;
const SIZE: usize = 16;
const COUNT: usize = 24;
const FINGERPRINT: usize = 32;
const RESERVED: usize = 40;
const VALUE: usize = 64;

#[test]
fn what_is_right_is_opened() {
    let file = file_of(&right());
    assert_eq!(open::<AtomicU64>(&file).unwrap().load(Relaxed), 7);
    let file = file_of(&right_slice());
    assert_eq!(open::<[AtomicU64]>(&file).unwrap().len(), 3);
}

#[test]
fn the_layout_is_as_documented() {
    let bytes = right();
    assert_eq!(u64::from_ne_bytes(bytes[..8].try_into().unwrap()).to_be_bytes(), *b"rawipc.s");
    assert_eq!(bytes[VERSION..ALIGNMENT], 1_u32.to_ne_bytes());
    assert_eq!(bytes[ALIGNMENT..SIZE], 8_u32.to_ne_bytes());
    assert_eq!(bytes[SIZE..COUNT], 8_u64.to_ne_bytes());
    assert_eq!(bytes[COUNT..FINGERPRINT], 1_u64.to_ne_bytes());
    assert_ne!(bytes[FINGERPRINT..RESERVED], [0; 8]);
    assert_eq!(bytes[RESERVED..VALUE], [0; 24]);
    assert_eq!(bytes[VALUE..], 7_u64.to_ne_bytes());
}

#[test]
fn an_empty_file_is_empty() {
    assert_eq!(refusal::<AtomicU64>(&[]), LayoutError::Empty);
}

#[test]
fn what_ends_within_the_header_is_truncated() {
    for length in [1, 8, 63] {
        let truncated = LayoutError::Truncated { needed: 64, found: length };
        let length = usize::try_from(length).unwrap();
        assert_eq!(refusal::<AtomicU64>(&right()[..length]), truncated);
    }
}

#[test]
fn what_ends_within_the_value_is_truncated() {
    for length in [64, 71] {
        let truncated = LayoutError::Truncated { needed: 72, found: length };
        let length = usize::try_from(length).unwrap();
        assert_eq!(refusal::<AtomicU64>(&right()[..length]), truncated);
    }
}

#[test]
fn slice_that_claims_more_than_there_is_is_truncated() {
    for (count, needed) in [(4, 96), (u64::MAX, u64::MAX), (1 << 61, u64::MAX), (1 << 50, 0)] {
        let mut bytes = right_slice();
        bytes[COUNT..FINGERPRINT].copy_from_slice(&u64::to_ne_bytes(count));
        let needed = if needed == 0 { (1 << 53) + 64 } else { needed };
        let truncated = LayoutError::Truncated { needed, found: 88 };
        assert_eq!(refusal::<[AtomicU64]>(&bytes), truncated, "{count}");
    }
}

#[test]
fn zeros_are_unfinished() {
    assert_eq!(refusal::<AtomicU64>(&[0; 4096]), LayoutError::Unfinished);
    // All but the magic number, which is written last, or its first word, the last of all.
    assert_eq!(refusal::<AtomicU64>(&with(0, &[0; 8])), LayoutError::Unfinished);
    assert_eq!(refusal::<AtomicU64>(&with(0, &[0; 4])), LayoutError::Unfinished);
}

#[test]
fn what_others_made_is_foreign() {
    assert_eq!(refusal::<AtomicU64>(&[b'x'; 4096]), LayoutError::Foreign);
    assert_eq!(refusal::<AtomicU64>(&with(0, b"x")), LayoutError::Foreign);
    assert_eq!(refusal::<AtomicU64>(&with(7, b"x")), LayoutError::Foreign);
    assert_eq!(refusal::<AtomicU64>(&with(VALUE - 1, b"x")), LayoutError::Foreign);
}

#[test]
fn numbers_of_the_other_byte_order_are_noticed() {
    let mut bytes = right();
    let fields = [0..8, 8..12, 12..16, 16..24, 24..32, 32..40, VALUE..VALUE + 8];
    for field in fields {
        bytes[field].reverse();
    }
    assert_eq!(refusal::<AtomicU64>(&bytes), LayoutError::ByteOrder);
}

#[test]
fn another_version_is_refused() {
    for found in [0, 2, u32::MAX] {
        let bytes = with(VERSION, &found.to_ne_bytes());
        assert_eq!(refusal::<AtomicU64>(&bytes), LayoutError::Version { found });
    }
}

#[test]
fn values_of_another_size_are_refused() {
    let size = LayoutError::Size { expected: 4, found: 8 };
    assert_eq!(refusal::<AtomicU32>(&right()), size);
    assert_eq!(refusal::<[AtomicU32]>(&right_slice()), size);
}

#[test]
fn values_of_another_alignment_are_refused() {
    let alignment = LayoutError::Alignment { expected: 2, found: 8 };
    assert_eq!(refusal::<[AtomicU16; 4]>(&right()), alignment);
}

#[test]
fn another_type_of_the_same_size_is_refused() {
    assert_eq!(refusal::<AtomicI64>(&right()), LayoutError::Type);
    assert_eq!(refusal::<[AtomicU64; 1]>(&right()), LayoutError::Type);
}

#[test]
fn slice_is_not_one_value() {
    assert_eq!(refusal::<[AtomicU64]>(&right()), LayoutError::Type);
    assert_eq!(refusal::<AtomicU64>(&right_slice()), LayoutError::Type);
}

#[test]
fn one_value_is_one() {
    let none = with(COUNT, &0_u64.to_ne_bytes());
    assert_eq!(refusal::<AtomicU64>(&none), LayoutError::Count { found: 0 });
    let mut two = with(COUNT, &2_u64.to_ne_bytes());
    two.extend([0; 8]);
    assert_eq!(refusal::<AtomicU64>(&two), LayoutError::Count { found: 2 });
}

#[test]
fn each_refusal_says_what_is_wrong() {
    let (expected, found) = (8, 4);
    let all = [
        LayoutError::Empty,
        LayoutError::Truncated { needed: 72, found: 64 },
        LayoutError::Unfinished,
        LayoutError::Foreign,
        LayoutError::ByteOrder,
        LayoutError::Version { found },
        LayoutError::Size { expected: 8, found: 4 },
        LayoutError::Alignment { expected, found },
        LayoutError::Type,
        LayoutError::Count { found: 2 },
    ];
    let mut said: Vec<_> = all.map(|error| OpenError::from(error).to_string()).into();
    said.push(OpenError::from(Errno::NOENT).to_string());
    said.sort();
    said.dedup();
    assert_eq!(said.len(), all.len() + 1, "{said:?}");
}

#[test]
fn what_is_no_file_is_refused() {
    isolated(|| {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let directory = File::open("/").unwrap();
        for (fd, errno) in [(reader, Errno::INVAL), (OwnedFd::from(directory), Errno::ISDIR)] {
            // SAFETY: refused, as there can be no value.
            let opened = unsafe { Shared::<AtomicU64>::from_fd(&fd) };
            assert_eq!(opened.err(), Some(OpenError::Os(errno)));
            // SAFETY: as above.
            let created = unsafe { Shared::create_in(&fd, AtomicU64::new(0)) };
            assert_eq!(created.err(), Some(errno));
        }
    });
}

#[test]
fn what_cannot_be_written_to_is_refused() {
    isolated(|| {
        let file = file_of(&right());
        let mapping = Mapping::new(&file, 72, Access::ReadOnly).unwrap();
        // SAFETY: nobody else has the file.
        let opened = unsafe { Shared::<AtomicU64>::from_mapping(mapping) };
        assert_eq!(opened.err(), Some(OpenError::Os(Errno::ACCESS)));
        let mapping = Mapping::new(&file, 72, Access::ReadOnly).unwrap();
        // SAFETY: nobody else has the file.
        let created = unsafe { Shared::create_in_mapping(mapping, AtomicU64::new(0)) };
        assert_eq!(created.err(), Some(Errno::ACCESS));

        let memfd = Memfd::new(72).unwrap();
        // SAFETY: nobody else has it.
        drop(unsafe { Shared::create_in(&memfd, AtomicU64::new(0)) }.unwrap());
        memfd.add_seals(Seals::WRITE).unwrap();
        // SAFETY: nobody else has it.
        let opened = unsafe { Shared::<AtomicU64>::from_fd(&memfd) };
        assert_eq!(opened.err(), Some(OpenError::Os(Errno::PERM)));
    });
}

#[test]
fn memory_that_is_too_short_is_not_used() {
    isolated(|| {
        let memfd = Memfd::new(71).unwrap();
        // SAFETY: nobody else has it.
        let created = unsafe { Shared::create_in(&memfd, AtomicU64::new(1)) };
        assert_eq!(created.err(), Some(Errno::PERM), "sealed: cannot be made longer");
        let mapping = Mapping::new(&memfd, 71, Access::ReadWrite).unwrap();
        // SAFETY: nobody else has it.
        let created = unsafe { Shared::create_in_mapping(mapping, AtomicU64::new(1)) };
        assert_eq!(created.err(), Some(Errno::INVAL));
        assert_eq!(contents(&File::from(OwnedFd::from(memfd))), [0; 71]);
    });
}

#[test]
fn lengths_that_no_address_space_holds_are_refused() {
    for len in [usize::MAX, usize::MAX / 8, isize::MAX.unsigned_abs() / 8] {
        assert_eq!(Shared::<[AtomicU64]>::size_of(len), Err(Errno::NOMEM));
        assert_eq!(Shared::<[AtomicU64]>::anonymous_slice(len).err(), Some(Errno::NOMEM));
    }
}

#[test]
fn values_are_aligned_as_they_want() {
    use rawipc::zerocopy::FromBytes;

    #[derive(FromBytes)]
    #[repr(C, align(256))]
    struct Wide(AtomicU32);
    // SAFETY: `repr(C)`, of an atomic.
    unsafe impl rawipc::shm::ShmSafe for Wide {}

    assert_eq!(Shared::<Wide>::SIZE, 512);
    let one = Shared::anonymous(Wide(AtomicU32::new(3))).unwrap();
    assert_eq!((&raw const *one).addr() % 256, 0);
    assert_eq!(one.0.load(Relaxed), 3);
    let several = Shared::<[Wide]>::anonymous_slice(3).unwrap();
    assert!(several.iter().all(|each| core::ptr::from_ref(each).addr() % 256 == 0));
}

#[test]
fn slice_of_nothing_is_a_slice() {
    assert!(Shared::<[AtomicU64]>::anonymous_slice(0).unwrap().is_empty());
    let file = file_of(&[]);
    // SAFETY: nobody else has the file.
    drop(unsafe { Shared::<[[AtomicU64; 0]]>::create_slice_in(&file, usize::MAX) }.unwrap());
    assert_eq!(open::<[[AtomicU64; 0]]>(&file).unwrap().len(), usize::MAX);
}

/// Anything, and what is nearly right.
fn any_file(right: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let random = vec(any::<u8>(), 0..200);
    let changes = vec((0..right.len(), any::<u8>()), 0..4);
    let nearly = (Just(right.clone()), changes, 0..=right.len());
    let nearly = nearly.prop_map(|(mut bytes, changes, length)| {
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        // Whole, more often than not.
        if length % 3 == 0 {
            bytes.truncate(length);
        }
        bytes
    });
    let counted = (Just(right), prop_oneof![0..9_u64, any::<u64>()], 0..9_usize);
    let counted = counted.prop_map(|(mut bytes, count, more)| {
        bytes[COUNT..FINGERPRINT].copy_from_slice(&count.to_ne_bytes());
        bytes.resize(bytes.len() + more * 8, 0);
        bytes
    });
    prop_oneof![random, nearly, counted]
}

#[test]
fn no_bytes_are_taken_for_a_value_but_the_right_ones() {
    isolated(|| {
        let right = right();
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&any_file(right.clone()), |bytes| {
            let header = bytes.get(..VALUE) == Some(&right[..VALUE]);
            let file = file_of(&bytes);
            match open::<AtomicU64>(&file) {
                Ok(value) => {
                    prop_assert!(header && bytes.len() >= 72);
                    prop_assert_eq!(&value.load(Relaxed).to_ne_bytes()[..], &bytes[VALUE..72]);
                }
                Err(OpenError::Layout(_)) => prop_assert!(!header || bytes.len() < 72),
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            }
            prop_assert_eq!(contents(&file), bytes, "was written to");
            Ok(())
        });
        outcome.unwrap();
    });
}

#[test]
fn no_count_reaches_beyond_the_file() {
    isolated(|| {
        let right = right_slice();
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::default() });
        let outcome = runner.run(&any_file(right.clone()), |bytes| {
            let Ok(slice) = open::<[AtomicU64]>(&file_of(&bytes)) else { return Ok(()) };
            prop_assert!(VALUE + slice.len() * 8 <= bytes.len());
            prop_assert_eq!(&slice.len().to_ne_bytes()[..], &bytes[COUNT..FINGERPRINT]);
            prop_assert_eq!(&bytes[..COUNT], &right[..COUNT]);
            for (value, bytes) in slice.iter().zip(bytes[VALUE..].chunks(8)) {
                prop_assert_eq!(&value.load(Relaxed).to_ne_bytes()[..], bytes);
            }
            Ok(())
        });
        outcome.unwrap();
    });
}

/// Who looks while it is written sees nothing of it, or all: the first word is the last to come.
#[test]
fn value_is_found_unfinished_or_whole() {
    isolated(|| {
        let memfds: Vec<_> = (0..200).map(|_| Memfd::new(4096).unwrap()).collect();
        let map = |memfd| Mapping::new(memfd, 4096, Access::ReadWrite).unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let (looked, child) = apart(reader, writer, |looked| {
            for memfd in &memfds {
                // SAFETY: only loaded from, atomically.
                let look = || unsafe { Shared::<AtomicU64>::from_mapping(map(memfd)) };
                let unfinished = OpenError::Layout(LayoutError::Unfinished);
                assert_eq!(look().unwrap_err(), unfinished);
                looked.write(b"x").unwrap();
                let value = loop {
                    match look() {
                        Ok(value) => break value,
                        Err(error) => assert_eq!(error, unfinished),
                    }
                };
                assert_eq!(value.load(Relaxed), 7);
            }
        });
        for memfd in &memfds {
            assert_eq!(looked.read(&mut [0; 1]).unwrap(), b"x");
            // SAFETY: who looks only loads, atomically.
            drop(unsafe { Shared::create_in_mapping(map(memfd), AtomicU64::new(7)) }.unwrap());
        }
        join(child);
    });
}

#[cfg(feature = "std")]
#[test]
fn errors_become_those_of_io_that_tell_which() {
    for errno in [Errno::NOENT, Errno::ACCESS, Errno::NOMEM] {
        let error = std::io::Error::from(OpenError::Os(errno));
        assert_eq!(error.raw_os_error(), Some(errno.raw_os_error()));
    }
    let wrong = LayoutError::Size { expected: 8, found: 4 };
    for error in [OpenError::Layout(wrong).into(), wrong.into()] {
        let error: std::io::Error = error;
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(error.downcast::<LayoutError>().unwrap(), wrong);
    }
}
