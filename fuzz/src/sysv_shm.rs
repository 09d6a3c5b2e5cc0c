//! A System V segment: attached several times, written through one mapping and read through the
//! others, removed while it is attached; the bytes and the kernel's counts as the model has them.

use arbitrary::{Arbitrary, Unstructured};
use rawipc::shm::{Access, Bytes, WriteError};
use rawipc::sysv::{Key, Mode, Shm};
use rawipc::{Errno, Result};
use rustix::process::{Pid, getegid, geteuid, getpid};

use super::apart::{OWNER, apart};

/// No more mappings than that at once.
const MOST: usize = 5;

/// More bytes than there can be.
const TOO_LONG: usize = usize::MAX;

#[derive(Arbitrary, Debug)]
struct Setup {
    keyed: bool,
    len: u16,
}

#[derive(Arbitrary, Debug)]
enum Op<'a> {
    Attach { read_only: bool },
    Detach { of: u8 },
    Write { through: u8, offset: u16, bytes: &'a [u8] },
    WriteWord { through: u8, offset: u16, word: u64 },
    Read { through: u8, offset: u16, len: u16 },
    SetMode(u8),
    SetOwner,
    Lock(bool),
    Remove { surely: u8 },
}

/// What the segment should be like.
#[derive(Debug)]
struct Model {
    key: Key,
    mode: Mode,
    bytes: Vec<u8>,
    attached: Vec<Access>,
    last_operator: Option<Pid>,
    was_detached: bool,
    locked: bool,
    removed: bool,
}

pub(super) fn run(data: &[u8]) {
    apart();
    let mut input = Unstructured::new(data);
    let Ok(setup) = input.arbitrary::<Setup>() else { return };
    let len = match setup.len {
        u16::MAX => TOO_LONG,
        len => usize::from(len % 8200),
    };
    let Some((segment, key)) = create(setup.keyed, len) else { return };
    let mut model = Model {
        key,
        mode: OWNER,
        bytes: vec![0; len],
        attached: Vec::new(),
        last_operator: None,
        was_detached: false,
        locked: false,
        removed: false,
    };
    let mut mappings = Vec::new();
    model.check(segment);
    while !input.is_empty() {
        let Ok(op) = input.arbitrary::<Op<'_>>() else { break };
        model.try_one(segment, &mut mappings, &op);
        model.check(segment);
    }
    let gone = model.is_gone();
    let removed = segment.remove();
    assert_eq!(removed, if gone { Err(Errno::INVAL) } else { Ok(()) });
    model.removed = true;
    while let Some(mapping) = mappings.pop() {
        assert_eq!(mapping.copy_out(0, &mut vec![0; len][..]), Ok(&mut model.bytes[..]));
        drop(mapping);
        model.attached.pop();
        model.was_detached = true;
        model.check(segment);
    }
    assert!(model.is_gone());
    assert_eq!(segment.remove(), Err(Errno::INVAL));
}

/// The segment, if it can be so long.
fn create(keyed: bool, len: usize) -> Option<(Shm, Key)> {
    let created = if keyed {
        Shm::create_unique(OWNER, len)
    } else {
        Shm::create_new(Key::PRIVATE, OWNER, len).map(|segment| (segment, Key::PRIVATE))
    };
    let possible = len != 0 && len != TOO_LONG;
    assert_eq!(created.map(drop), if possible { Ok(()) } else { Err(Errno::INVAL) }, "{len}");
    let (segment, key) = created.ok()?;
    if keyed {
        assert_eq!(Shm::open(key), Ok(segment));
        assert_eq!(Shm::create(key, OWNER, len), Ok(segment));
        assert_eq!(Shm::create(key, OWNER, 0), Ok(segment));
        assert_eq!(Shm::create(key, OWNER, len + 1), Err(Errno::INVAL));
        assert_eq!(Shm::create_new(key, OWNER, len), Err(Errno::EXIST));
    }
    Some((segment, key))
}

impl Model {
    fn try_one(&mut self, segment: Shm, mappings: &mut Vec<Bytes>, op: &Op<'_>) {
        let pick = |of: u8| usize::from(of).checked_rem(mappings.len());
        match *op {
            Op::Attach { read_only } if mappings.len() < MOST => {
                mappings.extend(self.attach(segment, read_only));
            }
            Op::Detach { of } => {
                let Some(at) = pick(of) else { return };
                let mapping = mappings.remove(at).into_mapping();
                assert_eq!(mapping.len(), self.bytes.len());
                assert_eq!(mapping.access(), self.attached.remove(at));
                drop(mapping);
                self.was_detached = true;
            }
            Op::Write { through, offset, bytes } => {
                let Some(at) = pick(through) else { return };
                self.write(at, offset, bytes, |offset, bytes| mappings[at].copy_in(offset, bytes));
            }
            Op::WriteWord { through, offset, word } => {
                let Some(at) = pick(through) else { return };
                let bytes = word.to_ne_bytes();
                self.write(at, offset, &bytes, |offset, _| mappings[at].write(offset, word));
            }
            Op::Read { through, offset, len } => {
                let Some(at) = pick(through) else { return };
                self.read(&mappings[at], offset, len);
            }
            Op::SetMode(bits) => {
                let mode = OWNER | Mode::from_raw_mode(u32::from(bits) & 0o77);
                assert_eq!(segment.set_mode(mode), self.unless_gone());
                self.mode = mode;
            }
            Op::SetOwner => {
                assert_eq!(segment.set_owner(geteuid(), getegid()), self.unless_gone());
            }
            Op::Lock(true) => match segment.lock() {
                // Not everybody may.
                Err(Errno::PERM | Errno::NOMEM) if !self.is_gone() => {}
                answer => {
                    assert_eq!(answer, self.unless_gone());
                    self.locked = true;
                }
            },
            Op::Lock(false) => {
                assert_eq!(segment.unlock(), self.unless_gone());
                self.locked = false;
            }
            // Or else hardly anything would be done before.
            Op::Remove { surely } if surely % 4 == 0 => {
                assert_eq!(Shm::from_id(segment.id()).remove(), self.unless_gone());
                assert_eq!(Shm::open(self.key), Err(Errno::NOENT));
                (self.removed, self.key) = (true, Key::PRIVATE);
            }
            Op::Attach { .. } | Op::Remove { .. } => {}
        }
    }

    fn attach(&mut self, segment: Shm, read_only: bool) -> Option<Bytes> {
        let (access, got) = if read_only {
            (Access::ReadOnly, segment.attach_read_only())
        } else {
            (Access::ReadWrite, segment.attach())
        };
        if self.is_gone() {
            assert_eq!(got.map(drop), Err(Errno::INVAL));
            return None;
        }
        let mapping = got.expect("a mapping");
        assert_eq!((mapping.len(), mapping.access()), (self.bytes.len(), access));
        self.attached.push(access);
        self.last_operator = Some(getpid());
        Some(Bytes::new(mapping))
    }

    fn write(
        &mut self,
        at: usize,
        offset: u16,
        bytes: &[u8],
        write: impl FnOnce(usize, &[u8]) -> Result<(), WriteError>,
    ) {
        let offset = self.offset(offset);
        let got = write(offset, bytes);
        let place = self.bytes.get_mut(offset..offset + bytes.len());
        match (place, self.attached[at]) {
            (None, _) => assert!(matches!(got, Err(WriteError::OutOfBounds(_))), "{got:?}"),
            (_, Access::ReadOnly) => assert_eq!(got, Err(WriteError::ReadOnly)),
            (Some(place), Access::ReadWrite) => {
                assert_eq!(got, Ok(()));
                place.copy_from_slice(bytes);
            }
        }
    }

    fn read(&self, mapping: &Bytes, offset: u16, len: u16) {
        let offset = self.offset(offset);
        let mut buffer = vec![0; usize::from(len % 512)];
        let expected = self.bytes.get(offset..offset + buffer.len());
        let got = mapping.copy_out(offset, &mut buffer[..]).ok();
        assert_eq!(got.as_deref(), expected);
    }

    /// Mostly one within.
    fn offset(&self, of: u16) -> usize {
        usize::from(of) % (self.bytes.len() + 2)
    }

    fn check(&self, segment: Shm) {
        if self.is_gone() {
            return assert_eq!(segment.status().map(drop), Err(Errno::INVAL));
        }
        let is = segment.status().expect("its status");
        if !self.removed {
            assert_eq!(is.permissions.key, self.key);
        }
        assert_eq!(is.permissions.mode, self.mode);
        assert_eq!((is.permissions.uid, is.permissions.gid), (geteuid(), getegid()));
        assert_eq!(is.size, self.bytes.len());
        assert_eq!(is.attached, self.attached.len());
        assert_eq!((is.removed, is.locked), (self.removed, self.locked));
        assert_eq!(is.creator, Some(getpid()));
        assert_eq!(is.last_operator, self.last_operator);
        assert_eq!(is.attach_time != 0, self.last_operator.is_some());
        assert_eq!(is.detach_time != 0, self.was_detached);
    }

    /// Removed, and nobody has it.
    fn is_gone(&self) -> bool {
        self.removed && self.attached.is_empty()
    }

    fn unless_gone(&self) -> Result<()> {
        if self.is_gone() { Err(Errno::INVAL) } else { Ok(()) }
    }
}
