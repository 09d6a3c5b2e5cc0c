//! Shared values in files of any content and any length: what is no such value is refused for what
//! it is, what is one is read and written where it should be, and nothing else is touched.

mod header;
mod named;

use core::sync::atomic::{AtomicU8, AtomicU32, AtomicU64};

use arbitrary::{Arbitrary, Unstructured};
use rawipc::Errno;
use rawipc::fd::OwnedFd;
use rawipc::shm::{Access, InPlace, LayoutError, Mapping, OpenError, Seals, Shared, ShmSafe};
use rawipc::zerocopy::FromBytes;
use rustix::fs::{MemfdFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::io::{pread, pwrite};

use self::header::{Field, Shape, refusal};

/// One after the other, for as long as there is input.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Op<'a> {
    Create {
        kind: Kind,
        count: u8,
        first: u8,
    },
    Open(Kind),
    /// What is mapped already, so many bytes less than the whole.
    OpenMapped {
        kind: Kind,
        less: u8,
        is_read_only: bool,
    },
    /// Writes a right header, of so many values.
    Header(Kind, u64),
    /// Changes a part of it.
    Field(Field, u64),
    Write(u16, &'a [u8]),
    /// So long, or longer or shorter by so many.
    Length(u16),
    Grow(i8),
    Seal(u8),
    /// Not in the file.
    Named {
        is_zeroed: bool,
        number: u64,
    },
    NamedSlice(u8),
    Anonymous(u8, u64),
}

/// Of what type it is or is thought to be.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Byte,
    Number,
    Numbers,
    Pair,
    Pairs,
    Wide,
    Wides,
    Nothings,
}

/// Aligned to more than a header takes.
#[derive(FromBytes)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C, align(256))]
struct Wide([AtomicU32; 64]);

// SAFETY: `repr(C)`, of atomics.
unsafe impl ShmSafe for Wide {}

/// What takes no room, so that there are any number of them.
type Nothing = [AtomicU32; 0];

/// Calls a function with the type of that kind.
macro_rules! of_kind {
    ($kind:expr, $tried:ident.$function:ident($($argument:expr),*)) => {
        match $kind {
            Kind::Byte => $tried.$function::<AtomicU8>($($argument),*),
            Kind::Number => $tried.$function::<AtomicU64>($($argument),*),
            Kind::Numbers => $tried.$function::<[AtomicU64]>($($argument),*),
            Kind::Pair => $tried.$function::<[AtomicU32; 2]>($($argument),*),
            Kind::Pairs => $tried.$function::<[[AtomicU32; 2]]>($($argument),*),
            Kind::Wide => $tried.$function::<Wide>($($argument),*),
            Kind::Wides => $tried.$function::<[Wide]>($($argument),*),
            Kind::Nothings => $tried.$function::<[Nothing]>($($argument),*),
        }
    };
}

/// What can be looked at and made in the same way, be it one or several.
trait Value: InPlace {
    /// Whether there may be other than one.
    const IS_SLICE: bool;

    /// What it says in a header.
    fn shape() -> Shape;

    fn count(&self) -> usize;

    fn create(fd: &OwnedFd, count: usize, byte: u8) -> Result<Shared<Self>, Errno>;
}

impl<T: ShmSafe> Value for T {
    const IS_SLICE: bool = false;

    fn shape() -> Shape {
        Shape::of::<T>(core::any::type_name::<T>())
    }

    fn count(&self) -> usize {
        1
    }

    fn create(fd: &OwnedFd, _: usize, byte: u8) -> Result<Shared<T>, Errno> {
        let init = T::read_from_bytes(&vec![byte; size_of::<T>()]).expect("as many");
        // SAFETY: nobody else has the file.
        unsafe { Shared::create_in(fd, init) }
    }
}

impl<T: ShmSafe> Value for [T] {
    const IS_SLICE: bool = true;

    fn shape() -> Shape {
        Shape::of::<T>(core::any::type_name::<[T]>())
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn create(fd: &OwnedFd, count: usize, _: u8) -> Result<Shared<[T]>, Errno> {
        // SAFETY: nobody else has the file.
        unsafe { Shared::create_slice_in(fd, count) }
    }
}

/// How long a file may get.
const MOST: usize = 12 * 1024;

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let file = memfd_create(c"rawipc-fuzz", flags).expect("a file");
    let mut tried = Tried { file, content: Vec::new(), seals: Seals::empty() };
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        tried.apply(op);
        tried.is_what_it_should_be();
    }
}

struct Tried {
    file: OwnedFd,
    content: Vec<u8>,
    seals: Seals,
}

impl Tried {
    fn apply(&mut self, op: Op<'_>) {
        match op {
            Op::Create { kind, count, first } => {
                of_kind!(kind, self.create(count.into(), first));
            }
            Op::Open(kind) => of_kind!(kind, self.open()),
            Op::OpenMapped { kind, less, is_read_only } => {
                of_kind!(kind, self.open_mapped(less.into(), is_read_only));
            }
            Op::Header(kind, count) => of_kind!(kind, self.write_header(count)),
            Op::Field(field, value) => {
                let (place, bytes) = field.changed_to(value);
                self.write(place, &bytes);
            }
            Op::Write(place, bytes) => self.write(place.into(), bytes),
            Op::Length(length) => self.set_length(length.into()),
            Op::Grow(more) => {
                self.set_length(self.content.len().saturating_add_signed(more.into()));
            }
            Op::Seal(bits) => {
                let all = [Seals::GROW, Seals::SHRINK, Seals::WRITE, Seals::FUTURE_WRITE];
                let seals = all.into_iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
                let seals = seals.fold(Seals::empty(), |seals, (_, seal)| seals | seal);
                fcntl_add_seals(&self.file, seals).expect("it is mapped nowhere");
                self.seals |= seals;
            }
            Op::Named { is_zeroed, number } => named::one(is_zeroed, number),
            Op::NamedSlice(count) => named::several(count.into()),
            Op::Anonymous(count, number) => named::anonymous(count.into(), number),
        }
    }

    fn write_header<T: ?Sized + Value>(&mut self, count: u64) {
        self.write(0, &T::shape().header(count));
    }

    /// By another who has the file.
    fn write(&mut self, place: usize, bytes: &[u8]) {
        let end = place + bytes.len();
        if bytes.is_empty() || end > MOST {
            return;
        }
        let grows = end > self.content.len();
        let is_sealed = grows && self.seals.contains(Seals::GROW) || self.is_sealed_for_writing();
        let written = pwrite(&self.file, bytes, place as u64);
        if is_sealed {
            // Sealed against growing, it takes what fits.
            return if let Ok(fits) = written {
                self.content[place..place + fits].copy_from_slice(&bytes[..fits]);
            };
        }
        assert_eq!(written, Ok(bytes.len()));
        if grows {
            self.content.resize(end, 0);
        }
        self.content[place..end].copy_from_slice(bytes);
    }

    fn set_length(&mut self, length: usize) {
        let length = length.min(MOST);
        if ftruncate(&self.file, length as u64).is_ok() {
            self.content.resize(length, 0);
        }
    }

    fn is_sealed_for_writing(&self) -> bool {
        self.seals.intersects(Seals::WRITE | Seals::FUTURE_WRITE)
    }

    fn create<T: ?Sized + Value>(&mut self, count: usize, byte: u8) {
        let shape = T::shape();
        let count = if T::IS_SLICE { count % 20 } else { 1 };
        let end = shape.end(count as u64).expect("not that many");
        let end = usize::try_from(end).expect("not that many");
        let grows = end > self.content.len();
        let created = T::create(&self.file, count, byte);
        if grows && self.seals.contains(Seals::GROW) {
            return assert_eq!(created.err(), Some(Errno::PERM));
        }
        if grows {
            self.content.resize(end, 0);
        }
        if self.is_sealed_for_writing() {
            return assert_eq!(created.err(), Some(Errno::PERM));
        }
        let value = created.expect("there is room");
        self.content[..header::SIZE].copy_from_slice(&shape.header(count as u64));
        if !T::IS_SLICE {
            self.content[shape.offset()..end].fill(byte);
        }
        self.is_found(&value, count);
    }

    fn open<T: ?Sized + Value>(&mut self) {
        // SAFETY: nobody else has the file; of these types, all can do with any bytes, and are only
        // read here, and it is made shorter by none while it is open.
        let opened = unsafe { Shared::<T>::from_fd(&self.file) };
        match refusal(&self.content, &T::shape(), T::IS_SLICE) {
            Err(error) => assert_eq!(opened.err(), Some(self.sealed_or(error))),
            Ok(_) if self.is_sealed_for_writing() => {
                assert_eq!(opened.err(), Some(OpenError::Os(Errno::PERM)));
            }
            Ok(count) => {
                let value = opened.unwrap_or_else(|error| panic!("{error}"));
                self.is_found(&value, count);
                self.grows_below(&value, count);
            }
        }
    }

    /// A number of values is looked at when it is mapped, which it cannot be.
    fn sealed_or(&self, error: LayoutError) -> OpenError {
        match error {
            LayoutError::Count { .. } if self.is_sealed_for_writing() => OpenError::Os(Errno::PERM),
            error => OpenError::Layout(error),
        }
    }

    fn open_mapped<T: ?Sized + Value>(&mut self, less: usize, is_read_only: bool) {
        let length = self.content.len().saturating_sub(less);
        let access = if is_read_only { Access::ReadOnly } else { Access::ReadWrite };
        let mapping = Mapping::new(&self.file, length, access);
        if length == 0 {
            return assert_eq!(mapping.err(), Some(Errno::INVAL));
        }
        if !is_read_only && self.is_sealed_for_writing() {
            return assert_eq!(mapping.err(), Some(Errno::PERM));
        }
        let mapping = mapping.expect("that it can be mapped");
        // SAFETY: as in `open`.
        let opened = unsafe { Shared::<T>::from_mapping(mapping) };
        match refusal(&self.content[..length], &T::shape(), T::IS_SLICE) {
            _ if is_read_only => assert_eq!(opened.err(), Some(OpenError::Os(Errno::ACCESS))),
            Err(error) => assert_eq!(opened.err(), Some(OpenError::Layout(error))),
            Ok(count) => {
                let value = opened.unwrap_or_else(|error| panic!("{error}"));
                self.is_found(&value, count);
            }
        }
    }

    /// It has the bytes that it should, and is where it should be.
    fn is_found<T: ?Sized + Value>(&self, value: &Shared<T>, count: usize) {
        let shape = T::shape();
        assert_eq!(value.count(), count);
        assert_eq!(size_of_val::<T>(value), shape.size() * count);
        let address = (&raw const **value).cast::<u8>();
        assert_eq!(address.addr() % align_of_val::<T>(value), 0);
        let expected = self.content[shape.offset()..].iter().take(size_of_val::<T>(value));
        for (place, expected) in expected.enumerate() {
            // SAFETY: within the value, of which each byte can be one of a number that nobody
            // changes now.
            let found = unsafe { address.wrapping_add(place).read_volatile() };
            assert_eq!(found, *expected, "at {place}");
        }
    }

    /// While it is open, the file gets longer, and another writes to it.
    fn grows_below<T: ?Sized + Value>(&mut self, value: &Shared<T>, count: usize) {
        self.set_length(self.content.len() + 100);
        let place = T::shape().offset();
        self.write(place, &[0x5a]);
        self.is_found(value, count);
    }

    fn is_what_it_should_be(&self) {
        let mut found = vec![0; self.content.len() + 1];
        let length = pread(&self.file, &mut found, 0);
        assert_eq!(length, Ok(self.content.len()));
        assert_eq!(found[..self.content.len()], self.content);
    }
}
