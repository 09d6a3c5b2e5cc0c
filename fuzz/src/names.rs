//! Names of objects, and paths, made of any bytes: either an error that says why, or the bytes as C
//! has them, which the kernel takes as such.

mod paths;

use core::cmp::Ordering;
use core::fmt;
use core::hash::{BuildHasher as _, BuildHasherDefault};
use core::str::from_utf8;
use std::collections::hash_map::DefaultHasher;
use std::ffi::CString;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::posix::{Mq, Semaphore};
use rawipc::shm::{Object, OpenError};
use rawipc::{Errno, Name};
use rustix::fs::{AtFlags, CWD, statat};

/// What is tried with one input: its bytes, to which some are added.
#[derive(Arbitrary, Debug)]
struct Input<'a> {
    stretched: Stretched,
    filler: Filler,
    /// Where the bytes are cut for what takes them in pieces.
    cuts: [u16; 2],
    /// Another name, to compare with.
    other: [u8; 3],
    path: paths::Input,
    bytes: &'a [u8],
}

/// To which length, as bounds are far away.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Stretched {
    Not,
    /// About as long as a name may be.
    Name(u8),
    /// About as long as a path may be.
    Path(u8),
}

/// With what.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Filler {
    Letter,
    Slash,
    Any(u8),
}

pub(super) fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    let mut bytes = input.bytes.to_vec();
    let least = match input.stretched {
        Stretched::Not => 0,
        Stretched::Name(more) => 250 + usize::from(more % 12),
        Stretched::Path(more) => 4090 + usize::from(more % 12),
    };
    let filler = match input.filler {
        Filler::Letter => b'n',
        Filler::Slash => b'/',
        Filler::Any(byte) => byte,
    };
    bytes.resize(least.max(bytes.len()), filler);

    let name = made_in_every_way(&bytes);
    made_in_pieces(&bytes, input.cuts, &name);
    if let Ok(name) = name {
        is_shown(&name);
        is_ordered(&name, &input.other);
        is_the_kernels(&name);
    }
    paths::check(&input.path, &bytes);
}

/// What documentation says, as far as it does: of what is both too long and no name, it may be
/// either that is said.
fn assert_documented(bytes: &[u8], made: &Result<Name, Errno>) {
    let name = bytes.strip_prefix(b"/").unwrap_or(bytes);
    let is_bad =
        matches!(name, b"" | b"." | b"..") || name.iter().any(|byte| b"/\0".contains(byte));
    let is_long = name.len() > Name::MAX_LEN;
    match made {
        Ok(made) => {
            assert!(!is_bad && !is_long);
            assert_eq!(made.as_bytes(), name);
            assert_eq!(made.as_c_str().to_bytes(), name);
        }
        Err(Errno::INVAL) => assert!(is_bad),
        Err(errno) => assert_eq!((*errno, is_long), (Errno::NAMETOOLONG, true)),
    }
}

fn made_in_every_way(bytes: &[u8]) -> Result<Name, Errno> {
    let name = Name::new(bytes);
    assert_documented(bytes, &name);
    assert_eq!(Name::try_from(bytes), name);
    if let Ok(text) = from_utf8(bytes) {
        assert_eq!(Name::try_from(text), name);
        assert_eq!(text.parse(), name);
    }
    if let Ok(text) = CString::new(bytes) {
        assert_eq!(Name::try_from(text.as_c_str()), name);
    }
    if let Ok(name) = name {
        assert_eq!(Name::new(name.as_bytes()), Ok(name), "without its slash");
        assert_eq!(Name::new(&[b"/", name.as_bytes()].concat()), Ok(name), "with it");
        assert_eq!(Name::try_from(name.as_c_str()), Ok(name));
    }
    name
}

/// As `format!` puts it together; only text goes in there.
fn made_in_pieces(bytes: &[u8], cuts: [u16; 2], name: &Result<Name, Errno>) {
    let Ok(text) = from_utf8(bytes) else { return };
    let cut = |rest: &str, at: u16| {
        (0..=rest.len().min(at.into())).rfind(|&at| rest.is_char_boundary(at))
    };
    let (first, rest) = text.split_at(cut(text, cuts[0]).unwrap_or(0));
    let (second, third) = rest.split_at(cut(rest, cuts[1]).unwrap_or(0));
    let made = Name::format(format_args!("{first}{second}{third}"));
    assert_documented(bytes, &made);
    assert_eq!(made.ok(), name.ok());

    let careless = Name::format(format_args!("{}{third}", Careless([first, second])));
    assert_documented(bytes, &careless);
    assert_eq!(careless.ok(), name.ok(), "a piece is missing");
    assert!(Name::format(format_args!("{first}{Mute}{third}")).is_err());
}

/// Does not look whether there is room for its parts.
struct Careless<'t>([&'t str; 2]);

impl fmt::Display for Careless<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in self.0 {
            let _ = f.write_str(part);
        }
        Ok(())
    }
}

/// Cannot be shown.
struct Mute;

impl fmt::Display for Mute {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

fn is_shown(name: &Name) {
    let bytes = name.as_bytes();
    assert_eq!(name.to_string(), format!("/{}", String::from_utf8_lossy(bytes)));
    let shown = format!("{name:?}");
    assert_eq!(shown, format!("Name(\"/{}\")", bytes.escape_ascii()));
    if from_utf8(bytes).is_ok() {
        assert_eq!(name.to_string().parse(), Ok(*name), "text is shown as it is");
    }
}

/// As the bytes are.
fn is_ordered(name: &Name, other: &[u8]) {
    // One that is alike, and one that is another.
    for bytes in [&[name.as_bytes(), other].concat(), other] {
        let Ok(other) = Name::new(bytes) else { continue };
        let order = name.as_bytes().cmp(other.as_bytes());
        assert_eq!((name.cmp(&other), other.cmp(name)), (order, order.reverse()));
        assert_eq!(*name == other, order == Ordering::Equal);
        let hash = |name: &Name| BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        assert_eq!(hash(name), hash(&Name::new(name.as_bytes()).expect("it is one")));
    }
}

/// The kernel does not say that it is none, whatever it has of that name.
fn is_the_kernels(name: &Name) {
    assert_ne!(Mq::options().open(name).err(), Some(Errno::INVAL));
    let semaphore = Semaphore::open(name).err();
    let invalid = semaphore == Some(OpenError::Os(Errno::INVAL));
    assert_eq!(invalid, name.as_bytes().len() > 251, "of semaphores, there is a prefix");

    let object = Object::open(name).map(|_| ());
    let path = [b"/dev/shm/", name.as_bytes()].concat();
    match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Err(errno) => assert_eq!((object, errno), (Err(Errno::NOENT), errno)),
        Ok(_) => assert_ne!(object, Err(Errno::NOENT)),
    }
}
