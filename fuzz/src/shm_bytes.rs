//! Shared bytes: copies in and out against a vector, and what is not to be touched is not.

use core::fmt::Debug;
use core::mem::MaybeUninit;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::Errno;
use rawipc::shm::{Access, Bytes, Mapping, Memfd, OutOfBounds, Plain, WriteError};
use rustix::io::{pread, pwrite};

/// What there is.
#[derive(Arbitrary, Debug)]
struct Setup {
    length: u16,
    /// How many bytes at the end of the file are not mapped.
    unmapped: u8,
    is_read_only: bool,
}

/// One after the other, for as long as there is input.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op<'a> {
    CopyIn(Offset, &'a [u8]),
    CopyOut(Offset, Length),
    CopyOutUninit(Offset, u8),
    Write(Offset, Value),
    Read(Offset, Value),
    /// By another, who has the file.
    Others(u16, u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Offset {
    Within(u16),
    /// So many bytes before the end, or behind it.
    NearTheEnd(i8),
    Any(usize),
}

/// How long a buffer is.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Short(u8),
    /// Up to the end, less or more so many.
    ToTheEnd(i8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Byte(u8),
    Short(u16),
    Int(u32),
    Long(u64),
    Huge(u128),
    Odd([u8; 3]),
    Several([u32; 7]),
    Nothing,
}

/// A page and a bit.
const MOST: usize = 4200;

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(setup) = Setup::arbitrary(&mut input) else { return };
    let length = 1 + usize::from(setup.length) % MOST;
    let mapped = length.saturating_sub(setup.unmapped.into()).max(1);
    let access = if setup.is_read_only { Access::ReadOnly } else { Access::ReadWrite };

    let memfd = Memfd::new(length).expect("memory");
    let content: Vec<u8> = (1..=u8::MAX).cycle().take(length).collect();
    assert_eq!(pwrite(&memfd, &content, 0), Ok(length));
    let bytes = if mapped == length {
        Bytes::map(&memfd, access).expect("all of it")
    } else {
        Bytes::from(Mapping::new(&memfd, mapped, access).expect("its beginning"))
    };
    let mut tried = Tried { memfd, bytes, content, mapped, access };
    tried.has_its_length();
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.apply(op);
    }
    tried.compare_all();
}

struct Tried {
    memfd: Memfd,
    bytes: Bytes,
    /// Of the file.
    content: Vec<u8>,
    /// How much of it can be reached.
    mapped: usize,
    access: Access,
}

impl Tried {
    fn apply(&mut self, op: Op<'_>) {
        match op {
            Op::CopyIn(offset, from) => {
                let offset = self.offset(offset);
                let copied = self.bytes.copy_in(offset, from);
                self.expect_written(offset, from, copied);
            }
            Op::CopyOut(offset, length) => {
                let offset = self.offset(offset);
                self.copy_out(offset, self.length(offset, length));
            }
            Op::CopyOutUninit(offset, length) => {
                let (offset, length) = (self.offset(offset), usize::from(length));
                let mut room = [MaybeUninit::uninit(); 256];
                let copied = self.bytes.copy_out(offset, &mut room[..length]);
                assert_eq!(copied.map(|copied| &*copied), self.expected(offset, length));
            }
            Op::Write(offset, value) => {
                let offset = self.offset(offset);
                match value {
                    Value::Byte(value) => self.write(offset, value),
                    Value::Short(value) => self.write(offset, value),
                    Value::Int(value) => self.write(offset, value),
                    Value::Long(value) => self.write(offset, value),
                    Value::Huge(value) => self.write(offset, value),
                    Value::Odd(value) => self.write(offset, value),
                    Value::Several(value) => self.write(offset, value),
                    Value::Nothing => self.write(offset, ()),
                }
            }
            Op::Read(offset, value) => {
                let offset = self.offset(offset);
                match value {
                    Value::Byte(_) => self.read::<u8>(offset),
                    Value::Short(_) => self.read::<u16>(offset),
                    Value::Int(_) => self.read::<u32>(offset),
                    Value::Long(_) => self.read::<u64>(offset),
                    Value::Huge(_) => self.read::<u128>(offset),
                    Value::Odd(_) => self.read::<[u8; 3]>(offset),
                    Value::Several(_) => self.read::<[u32; 7]>(offset),
                    Value::Nothing => self.read::<()>(offset),
                }
            }
            Op::Others(place, byte) => {
                let place = usize::from(place) % self.content.len();
                assert_eq!(pwrite(&self.memfd, &[byte], place as u64), Ok(1));
                self.content[place] = byte;
            }
        }
    }

    fn offset(&self, offset: Offset) -> usize {
        match offset {
            Offset::Within(offset) => usize::from(offset) % (self.mapped + 1),
            Offset::NearTheEnd(more) => self.mapped.saturating_add_signed(more.into()),
            Offset::Any(offset) => offset,
        }
    }

    fn length(&self, offset: usize, length: Length) -> usize {
        match length {
            Length::Short(length) => length.into(),
            Length::ToTheEnd(more) => {
                self.mapped.saturating_sub(offset).saturating_add_signed(more.into())
            }
        }
    }

    /// What lies there, if all of it does.
    fn expected(&self, offset: usize, length: usize) -> Result<&[u8], OutOfBounds> {
        let end = offset as u128 + length as u128;
        if end > self.mapped as u128 {
            return Err(OutOfBounds { offset, length, available: self.mapped });
        }
        Ok(&self.content[offset..offset + length])
    }

    fn copy_out(&self, offset: usize, length: usize) {
        let mut room = vec![0xa5; length];
        let copied = self.bytes.copy_out(offset, &mut room[..]).map(|copied| copied.to_vec());
        let expected = self.expected(offset, length);
        assert_eq!(copied.as_deref().map_err(|error| *error), expected);
        match expected {
            Ok(expected) => assert_eq!(room, expected),
            Err(_) => assert!(room.iter().all(|byte| *byte == 0xa5), "some are copied"),
        }
    }

    fn read<T: Plain + PartialEq + Debug>(&self, offset: usize) {
        let expected = self.expected(offset, size_of::<T>());
        let expected = expected.map(|bytes| T::read_from_bytes(bytes).expect("of its length"));
        assert_eq!(self.bytes.read::<T>(offset), expected);
    }

    fn write<T: Plain>(&mut self, offset: usize, value: T) {
        let written = self.bytes.write(offset, value);
        self.expect_written(offset, value.as_bytes(), written);
    }

    fn expect_written(&mut self, offset: usize, new: &[u8], written: Result<(), WriteError>) {
        let expected = match (self.expected(offset, new.len()), self.access) {
            (Err(error), _) => Err(WriteError::OutOfBounds(error)),
            (Ok(_), Access::ReadOnly) => Err(WriteError::ReadOnly),
            (Ok(_), Access::ReadWrite) => Ok(()),
        };
        assert_eq!(written, expected);
        if written.is_ok() {
            self.content[offset..offset + new.len()].copy_from_slice(new);
        }
        if let Err(WriteError::OutOfBounds(error)) = written {
            let (length, available) = (new.len(), self.mapped);
            let said = format!("{length} bytes from {offset} on, of {available}");
            assert_eq!(error.to_string(), said);
        }
    }

    fn has_its_length(&self) {
        assert_eq!(self.bytes.len(), self.mapped);
        assert!(format!("{:?}", self.bytes).starts_with("Bytes("));
        assert_eq!(self.memfd.len(), Ok(self.content.len()));
        let is_mapped = Bytes::map(&self.memfd, self.access).is_ok();
        assert!(is_mapped, "as often as one likes");
        assert_eq!(Mapping::new(&self.memfd, 0, self.access).err(), Some(Errno::INVAL));
    }

    /// All of the file, also what nobody has touched; and the rest of its last page, which others
    /// see as zeros.
    fn compare_all(self) {
        let mut file = vec![0; self.content.len() + 1];
        assert_eq!(pread(&self.memfd, &mut file, 0), Ok(self.content.len()));
        assert_eq!(file[..self.content.len()], self.content);
        self.copy_out(0, self.mapped);
        let mapping = self.bytes.into_mapping();
        assert_eq!((mapping.len(), mapping.access()), (self.mapped, self.access));
    }
}
