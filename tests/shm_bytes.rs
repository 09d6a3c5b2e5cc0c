//! Bytes that are copied in and out of shared memory.

mod support;

use core::mem::MaybeUninit;
use core::sync::atomic::AtomicBool;
use core::sync::atomic::Ordering::Relaxed;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::thread;
use std::time::Instant;

use proptest::collection::vec;
use proptest::prelude::*;
use rawipc::Errno;
use rawipc::fd::OwnedFd;
use rawipc::pipe::Pipe;
use rawipc::shm::{Access, Bytes, Mapping, Memfd, OutOfBounds, WriteError};
use rawipc::zerocopy::{FromBytes, Immutable, IntoBytes};
use support::{SOON, apart, child, isolated, join};

/// So many, and what they lie in.
fn bytes_of(length: usize) -> (Bytes, Memfd) {
    let memfd = Memfd::new(length).unwrap();
    (Bytes::map(&memfd, Access::ReadWrite).unwrap(), memfd)
}

/// The bytes as the file system has them.
fn contents(memfd: &Memfd) -> Vec<u8> {
    let mut bytes = vec![0; memfd.len().unwrap()];
    assert_eq!(rustix::io::pread(memfd, &mut bytes, 0).unwrap(), bytes.len());
    bytes
}

/// More than three words of 64 bits, the last one in part.
const LENGTH: usize = 29;

fn pattern(length: usize) -> Vec<u8> {
    (1..).take(length).collect()
}

#[test]
fn any_part_is_copied_out() {
    let (bytes, memfd) = bytes_of(LENGTH);
    let whole = pattern(LENGTH);
    File::from(OwnedFd::from(memfd)).write_all_at(&whole, 0).unwrap();
    for start in 0..=LENGTH {
        for end in start..=LENGTH {
            let mut buffer = vec![0xEE; end - start];
            assert_eq!(bytes.copy_out(start, &mut buffer[..]).unwrap(), &whole[start..end]);
            assert_eq!(buffer, &whole[start..end]);
        }
    }
}

#[test]
fn any_part_is_copied_in_and_no_more() {
    for start in 0..=LENGTH {
        for end in start..=LENGTH {
            let (bytes, memfd) = bytes_of(LENGTH);
            let mut expected = vec![0xEE; LENGTH];
            bytes.copy_in(0, &expected).unwrap();
            let part = pattern(end - start);
            expected[start..end].copy_from_slice(&part);
            bytes.copy_in(start, &part).unwrap();
            assert_eq!(contents(&memfd), expected);
        }
    }
}

#[test]
fn buffer_need_not_be_initialised() {
    let (bytes, _memfd) = bytes_of(16);
    bytes.copy_in(5, b"tea").unwrap();
    let mut buffer = [MaybeUninit::uninit(); 3];
    assert_eq!(bytes.copy_out(5, &mut buffer).unwrap(), b"tea");
}

#[test]
fn what_reaches_beyond_the_end_is_refused_whole() {
    let (bytes, memfd) = bytes_of(LENGTH);
    let (available, max) = (LENGTH, usize::MAX);
    for (offset, length) in [(0, 30), (29, 1), (30, 0), (25, 8), (max, 0), (max, 1), (max - 3, 8)] {
        let error = OutOfBounds { offset, length, available };
        let mut buffer = [0xEE; 30];
        assert_eq!(bytes.copy_out(offset, &mut buffer[..length]).unwrap_err(), error);
        assert_eq!(buffer, [0xEE; 30]);
        let refused = bytes.copy_in(offset, &buffer[..length]).unwrap_err();
        assert_eq!(refused, WriteError::OutOfBounds(error));
    }
    assert_eq!(contents(&memfd), [0; LENGTH]);
    assert_eq!(bytes.copy_out(LENGTH, &mut [0; 0]).unwrap(), b"");
}

#[test]
fn values_are_read_and_written_at_any_offset() {
    #[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable)]
    #[repr(C)]
    struct Sample {
        when: u64,
        value: f64,
    }

    let (bytes, memfd) = bytes_of(LENGTH);
    let sample = Sample { when: 7, value: -0.5 };
    for offset in 0..=LENGTH - 16 {
        bytes.write(offset, sample).unwrap();
        assert_eq!(bytes.read::<Sample>(offset).unwrap(), sample);
        assert_eq!(contents(&memfd)[offset..offset + 16], *sample.as_bytes());
    }
    let beyond = bytes.read::<Sample>(LENGTH - 15).unwrap_err();
    assert_eq!((beyond.offset, beyond.length), (LENGTH - 15, 16));
    assert!(bytes.write(LENGTH - 15, sample).is_err());
}

#[test]
fn what_is_mapped_for_reading_only_is_read_only() {
    isolated(|| {
        let (writer, memfd) = bytes_of(LENGTH);
        let reader = Bytes::map(&memfd, Access::ReadOnly).unwrap();
        writer.copy_in(9, b"seen").unwrap();
        assert_eq!(reader.copy_out(9, &mut [0; 4]).unwrap(), b"seen");
        assert_eq!(reader.copy_in(9, b"x"), Err(WriteError::ReadOnly));
        assert_eq!(reader.write(8, 1_u64), Err(WriteError::ReadOnly));
        assert_eq!(reader.copy_in(9, b""), Err(WriteError::ReadOnly));
        assert_eq!(reader.copy_out(9, &mut [0; 4]).unwrap(), b"seen");
    });
}

#[test]
fn mapping_comes_back_as_it_went_in() {
    let mapping = Mapping::new(Memfd::new(100).unwrap(), 50, Access::ReadOnly).unwrap();
    let start = mapping.as_ptr();
    let mapping = Bytes::from(mapping).into_mapping();
    assert_eq!((mapping.as_ptr(), mapping.len()), (start, 50));
    assert_eq!(mapping.access(), Access::ReadOnly);
}

#[test]
fn what_is_no_file_is_not_mapped() {
    isolated(|| {
        let Pipe { reader, writer: _writer } = Pipe::new().unwrap();
        assert_eq!(Bytes::map(&reader, Access::ReadOnly).unwrap_err(), Errno::INVAL);
        let empty = tempfile::tempfile().unwrap();
        assert_eq!(Bytes::map(&empty, Access::ReadOnly).unwrap_err(), Errno::INVAL);
    });
}

/// Writes the two bytes at `mine`, over and over, and wants to find them as it left them, until
/// both have done so often, and have seen the other's, in the same word, change meanwhile.
fn write_beside(bytes: &Bytes, mine: usize, others: usize) {
    const WORD: usize = size_of::<usize>();
    let (mut changes, mut last) = (0, [0; 2]);
    let limit = Instant::now() + SOON;
    for round in 0_u32.. {
        let [low, high, ..] = u32::to_le_bytes(round);
        bytes.copy_in(mine, &[low, high]).unwrap();
        assert_eq!(bytes.read(mine), Ok([low, high]), "a neighbour has overwritten it");
        let seen = bytes.read(others).unwrap();
        if seen != last {
            (changes, last) = (changes + 1, seen);
        }
        assert!(round % 4096 != 0 || Instant::now() < limit, "the two never met");
        let enough = round > 50_000 && changes > 20;
        if enough {
            bytes.write(WORD + mine, 1_u8).unwrap();
        }
        if enough && bytes.read(WORD + others) == Ok(1_u8) {
            return;
        }
    }
}

#[test]
fn neighbours_in_a_word_lose_nothing() {
    let (bytes, _memfd) = bytes_of(16);
    thread::scope(|scope| {
        scope.spawn(|| write_beside(&bytes, 1, 3));
        scope.spawn(|| write_beside(&bytes, 3, 1));
    });
}

#[test]
fn neighbour_in_another_process_loses_nothing() {
    isolated(|| {
        let (bytes, memfd) = bytes_of(16);
        let child = child(|| {
            let mapped = Bytes::map(&memfd, Access::ReadWrite).unwrap();
            write_beside(&mapped, 2, 0);
        });
        write_beside(&bytes, 0, 2);
        join(child);
    });
}

/// A word is copied at once, and so is each of several; not so all of them.
#[test]
fn aligned_words_are_never_torn() {
    isolated(|| {
        let memfd = Memfd::new(64).unwrap();
        let stop = Pipe::new().unwrap();
        let (stop, child) = apart(stop.writer, stop.reader, |stopped| {
            let bytes = Bytes::map(&memfd, Access::ReadWrite).unwrap();
            while stopped.try_read(&mut [0; 1]) == Err(Errno::AGAIN) {
                for _ in 0..1000 {
                    bytes.copy_in(0, &[0xFF; 64]).unwrap();
                    bytes.copy_in(0, &[0; 64]).unwrap();
                }
            }
        });
        let bytes = Bytes::map(&memfd, Access::ReadOnly).unwrap();
        let limit = Instant::now() + SOON;
        let (mut copies, mut torn_between_words) = (0, 0);
        // Until the two have met, too.
        while copies < 100_000 || torn_between_words < 100 {
            let mut copy = [0; 64];
            for word in bytes.copy_out(0, &mut copy).unwrap().chunks(size_of::<usize>()) {
                assert!(word.iter().all(|byte| *byte == word[0]), "{word:?}");
            }
            copies += 1;
            torn_between_words += u32::from(copy != [copy[0]; 64]);
            assert!(copies % 4096 != 0 || Instant::now() < limit, "the two never met");
        }
        drop(stop);
        join(child);
    });
}

#[test]
fn copies_are_made_while_others_write() {
    let (bytes, _memfd) = bytes_of(4096);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..2000_u32 {
                let [byte, ..] = round.to_le_bytes();
                bytes.copy_in(3, &[byte; 4000]).unwrap();
            }
            done.store(true, Relaxed);
        });
        while !done.load(Relaxed) {
            let mut copy = [1; 4093];
            bytes.copy_out(3, &mut copy).unwrap();
            assert!(copy[4000..].iter().all(|byte| *byte == 0), "wrote too much");
        }
    });
}

#[derive(Clone, Debug)]
enum Step {
    In(usize, Vec<u8>),
    Out(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let offset = prop_oneof![0..40_usize, any::<usize>()];
    prop_oneof![
        (offset.clone(), vec(any::<u8>(), 0..40)).prop_map(|(at, bytes)| Step::In(at, bytes)),
        (offset, 0..40_usize).prop_map(|(at, length)| Step::Out(at, length)),
    ]
}

#[cfg(feature = "std")]
#[test]
fn refusals_become_errors_of_invalid_input_that_tell_which() {
    let (bytes, _memfd) = bytes_of(10);
    let beyond = bytes.copy_out(8, &mut [0; 4]).unwrap_err();
    for refused in [beyond.into(), WriteError::from(beyond).into(), WriteError::ReadOnly.into()] {
        let refused: std::io::Error = refused;
        assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput, "{refused}");
    }
    let inside = std::io::Error::from(beyond).downcast::<OutOfBounds>().unwrap();
    assert_eq!(inside, beyond);
    let inside = std::io::Error::from(WriteError::ReadOnly).downcast::<WriteError>().unwrap();
    assert_eq!(inside, WriteError::ReadOnly);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_are_what_a_vector_is(length in 1..40_usize, steps in vec(step(), 0..40)) {
        let (bytes, memfd) = bytes_of(length);
        let mut model = vec![0; length];
        for step in steps {
            match step {
                Step::In(at, new) => {
                    let place = at.checked_add(new.len()).and_then(|end| model.get_mut(at..end));
                    prop_assert_eq!(bytes.copy_in(at, &new).is_ok(), place.is_some());
                    if let Some(place) = place {
                        place.copy_from_slice(&new);
                    }
                }
                Step::Out(at, length) => {
                    let place = at.checked_add(length).and_then(|end| model.get(at..end));
                    let mut buffer = [0; 40];
                    let copied = bytes.copy_out(at, &mut buffer[..length]).ok();
                    prop_assert_eq!(copied.as_deref(), place);
                }
            }
            prop_assert_eq!(contents(&memfd), &model[..]);
        }
    }
}
