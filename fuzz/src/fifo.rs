//! Some names in a directory, with FIFOs and other things at them, that are opened, used, closed
//! and removed in any order, against a model of who has what open.

use core::iter;
use std::fs::{File, create_dir, remove_dir_all};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Reader, Writer};
use rawipc::{Errno, Result};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{AtFlags, OFlags, open, statat};

use super::form::{Form, past};
use super::pages::Pages;
use super::{descriptors, sigpipe};

/// What is done.
#[derive(Arbitrary, Debug)]
struct Input {
    ops: Vec<Op>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Create { place: Place, mode: u16 },
    Unlink { place: Place },
    OpenReader { place: Place, form: Form },
    OpenWriter { place: Place, form: Form },
    Write { end: u8, form: Form, len: u16 },
    Read { end: u8, form: Form, room: u16 },
    CloseReader { end: u8 },
    CloseWriter { end: u8 },
    Put { name: bool, thing: Thing },
}

/// A path, and how it is given.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Place {
    name: Name,
    start: Start,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Name {
    First,
    Second,
    /// Below the first, which is no directory.
    Below,
    /// In a directory that does not exist.
    Nowhere,
    None,
    /// One byte too long for a name.
    Long,
    /// One byte too long for a path.
    TooLong,
    WithNul,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Start {
    Directory,
    Root,
    RootWhateverDirectory,
}

/// What may be at a name instead of a FIFO.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Thing {
    File,
    Directory,
    /// To nothing.
    Link,
    Socket,
}

/// What is at a name.
#[derive(Clone, Copy, Debug)]
enum There {
    /// The one of this number, of all that were created.
    Fifo(usize),
    Other(Thing),
}

const NAMES: [&str; 2] = ["first", "second"];

/// A directory of this process, which is removed with all that is in it.
struct Directory {
    path: PathBuf,
    fd: OwnedFd,
}

impl Directory {
    fn new() -> Self {
        let path = format!("rawipc-fuzz-fifo-{}", rustix::process::getpid());
        let path = std::env::temp_dir().join(path);
        // One of another process of this number, which came to a bad end.
        let _ = remove_dir_all(&path);
        create_dir(&path).expect("a directory");
        let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = open(&path, flags, Mode::empty()).expect("the directory");
        Self { path, fd }
    }

    fn put(&self, name: &str, thing: Thing) {
        let path = self.path.join(name);
        match thing {
            Thing::File => drop(File::create_new(path).expect("a file")),
            Thing::Directory => create_dir(path).expect("a directory"),
            Thing::Link => symlink("nothing", path).expect("a link"),
            Thing::Socket => drop(UnixListener::bind(path).expect("a socket")),
        }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let removed = remove_dir_all(&self.path);
        assert!(removed.is_ok() || std::thread::panicking(), "{removed:?}");
    }
}

struct World {
    directory: Directory,
    /// What is at the names.
    there: [Option<There>; 2],
    /// What is in each FIFO that was created.
    fifos: Vec<Pages>,
    readers: Vec<(Reader, usize)>,
    writers: Vec<(Writer, usize)>,
    /// How many bytes were made up.
    made: u32,
}

impl World {
    fn new() -> Self {
        let directory = Directory::new();
        let (fifos, readers, writers) = (Vec::new(), Vec::new(), Vec::new());
        Self { directory, there: [None; 2], fifos, readers, writers, made: 0 }
    }

    /// Calls with the FIFO of this path.
    fn with<T>(&self, place: Place, call: impl FnOnce(Fifo<'_, &[u8]>) -> T) -> T {
        let name: &[u8] = match place.name {
            Name::First => NAMES[0].as_bytes(),
            Name::Second => NAMES[1].as_bytes(),
            Name::Below => b"first/below",
            Name::Nowhere => b"nowhere/any",
            Name::None => b"",
            Name::Long => &[b'n'; 256],
            Name::TooLong => &[b'n'; 4096],
            Name::WithNul => b"first\0",
        };
        let path = [self.directory.path.as_os_str().as_bytes(), b"/", name].concat();
        match place.start {
            Start::Root if !name.is_empty() => call(Fifo::new(&path)),
            Start::RootWhateverDirectory if !name.is_empty() => {
                call(Fifo::at(self.directory.fd.as_fd(), &path))
            }
            _ => call(Fifo::at(self.directory.fd.as_fd(), name)),
        }
    }

    /// Which of the names it is, or why there can be nothing.
    fn find(&self, name: Name) -> Result<usize> {
        match name {
            Name::First => Ok(0),
            Name::Second => Ok(1),
            Name::Below => match self.there[0] {
                None | Some(There::Other(Thing::Directory | Thing::Link)) => Err(Errno::NOENT),
                Some(_) => Err(Errno::NOTDIR),
            },
            Name::Nowhere | Name::None => Err(Errno::NOENT),
            Name::Long | Name::TooLong => Err(Errno::NAMETOOLONG),
            Name::WithNul => Err(Errno::INVAL),
        }
    }

    fn create(&mut self, place: Place, mode: u16) {
        if matches!(
            (place.name, self.there[0]),
            (Name::Below, Some(There::Other(Thing::Directory)))
        ) {
            return;
        }
        // The others are free to choose; who runs this has to get in.
        let mode = Mode::RUSR | Mode::WUSR | Mode::from_raw_mode((mode & 0o777).into());
        let model = match self.find(place.name) {
            Ok(name) if self.there[name].is_some() => Err(Errno::EXIST),
            found => found,
        };
        let created = self.with(place, |fifo| fifo.create(mode));
        assert_eq!(created, model.map(drop));
        if let Ok(name) = model {
            let stat = statat(&self.directory.fd, NAMES[name], AtFlags::SYMLINK_NOFOLLOW);
            let got = Mode::from_raw_mode(stat.expect("a FIFO").st_mode);
            // Less what the umask takes away.
            assert!(mode.contains(got), "{got:?} of {mode:?}");
            self.there[name] = Some(There::Fifo(self.fifos.len()));
            self.fifos.push(Pages::default());
        }
    }

    fn unlink(&mut self, place: Place) {
        let model = self.find(place.name).and_then(|name| match self.there[name] {
            None => Err(Errno::NOENT),
            Some(There::Other(Thing::Directory)) => Err(Errno::ISDIR),
            Some(_) => Ok(name),
        });
        assert_eq!(self.with(place, |fifo| fifo.unlink()), model.map(drop));
        if let Ok(name) = model {
            self.there[name] = None;
        }
    }

    /// The FIFO at this path, or why there is none.
    fn fifo(&self, name: Name) -> Result<usize> {
        match self.there[self.find(name)?] {
            Some(There::Fifo(fifo)) => Ok(fifo),
            Some(There::Other(Thing::Link)) => Err(Errno::LOOP),
            Some(There::Other(_)) => Err(Errno::INVAL),
            None => Err(Errno::NOENT),
        }
    }

    fn open_reader(&mut self, place: Place, form: Form) {
        let found = self.fifo(place.name);
        let writers = found.map_or(0, |fifo| self.fifos[fifo].writers);
        let form = form.unless(found.is_ok() && writers == 0);
        let model = found.and_then(|fifo| match form {
            // That somebody has written is as good as that he writes.
            Form::Until if writers == 0 && self.fifos[fifo].len() == 0 => Err(Errno::TIMEDOUT),
            _ => Ok(fifo),
        });
        let opened = self.with(place, |fifo| match form {
            Form::Plain => fifo.open_reader(),
            Form::Try => fifo.try_open_reader(),
            Form::Until => fifo.open_reader_until(past()),
        });
        assert_eq!(opened.as_ref().map(drop), model.as_ref().map(drop));
        if let (Ok(reader), Ok(fifo)) = (opened, model) {
            assert_eq!(reader.is_nonblocking(), Ok(false));
            let pages = &mut self.fifos[fifo];
            if pages.readers + pages.writers == 0 {
                *pages = Pages::new(&reader, false);
            }
            pages.readers += 1;
            self.readers.push((reader, fifo));
        }
    }

    fn open_writer(&mut self, place: Place, form: Form) {
        let found = self.fifo(place.name);
        let readers = found.map_or(0, |fifo| self.fifos[fifo].readers);
        let form = form.unless(found.is_ok() && readers == 0);
        let model = found.and_then(|fifo| match form {
            Form::Try if readers == 0 => Err(Errno::NXIO),
            Form::Until if readers == 0 => Err(Errno::TIMEDOUT),
            _ => Ok(fifo),
        });
        let opened = self.with(place, |fifo| match form {
            Form::Plain => fifo.open_writer(),
            Form::Try => fifo.try_open_writer(),
            Form::Until => fifo.open_writer_until(past()),
        });
        assert_eq!(opened.as_ref().map(drop), model.as_ref().map(drop));
        if let (Ok(writer), Ok(fifo)) = (opened, model) {
            assert_eq!(writer.is_nonblocking(), Ok(false));
            self.fifos[fifo].writers += 1;
            self.writers.push((writer, fifo));
        }
    }

    fn write(&mut self, end: u8, form: Form, len: usize) {
        let Some(end) = one_of(&self.writers, end) else { return };
        let (writer, fifo) = &self.writers[end];
        let pages = &mut self.fifos[*fifo];
        let form = form.unless(pages.readers > 0 && pages.takes(len) < len);
        let next = || {
            self.made += 1;
            self.made.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]
        };
        let bytes: Vec<u8> = iter::repeat_with(next).take(len).collect();
        let written = match form {
            Form::Plain => writer.write(&bytes),
            Form::Try => writer.try_write(&bytes),
            Form::Until => writer.write_until(&bytes, past()),
        };
        assert_eq!(written, form.says(pages.write(&bytes)));
    }

    fn read(&mut self, end: u8, form: Form, room: usize) {
        let Some(end) = one_of(&self.readers, end) else { return };
        let (reader, fifo) = &self.readers[end];
        let model = self.fifos[*fifo].read(room);
        let form = form.unless(model == Err(Errno::AGAIN));
        let mut buffer = vec![0xee; room];
        let read = match form {
            Form::Plain => reader.read(&mut buffer[..]),
            Form::Try => reader.try_read(&mut buffer[..]),
            Form::Until => reader.read_until(&mut buffer[..], past()),
        };
        assert_eq!(read.map(|read| read.to_vec()), form.says(model));
    }

    fn put(&mut self, name: bool, thing: Thing) {
        let name = usize::from(name);
        if self.there[name].is_none() {
            self.directory.put(NAMES[name], thing);
            self.there[name] = Some(There::Other(thing));
        }
    }

    fn apply(&mut self, op: &Op) {
        /// Ends of one kind open at once.
        const MOST: usize = 4;

        match *op {
            Op::Create { place, mode } => self.create(place, mode),
            Op::Unlink { place } => self.unlink(place),
            Op::OpenReader { place, form } if self.readers.len() < MOST => {
                self.open_reader(place, form);
            }
            Op::OpenWriter { place, form } if self.writers.len() < MOST => {
                self.open_writer(place, form);
            }
            Op::OpenReader { .. } | Op::OpenWriter { .. } => {}
            Op::Write { end, form, len } => self.write(end, form, usize::from(len) % LONGEST),
            Op::Read { end, form, room } => self.read(end, form, usize::from(room) % LONGEST),
            Op::CloseReader { end } => {
                if let Some(end) = one_of(&self.readers, end) {
                    let (_, fifo) = self.readers.remove(end);
                    self.fifos[fifo].readers -= 1;
                    self.fifos[fifo].empty_if_closed();
                }
            }
            Op::CloseWriter { end } => {
                if let Some(end) = one_of(&self.writers, end) {
                    let (_, fifo) = self.writers.remove(end);
                    self.fifos[fifo].writers -= 1;
                    self.fifos[fifo].empty_if_closed();
                }
            }
            Op::Put { name, thing } => self.put(name, thing),
        }
    }

    fn assert_as_in_the_model(&self) {
        for (reader, fifo) in &self.readers {
            assert_eq!(reader.bytes_waiting(), Ok(self.fifos[*fifo].len()));
        }
        for (writer, fifo) in &self.writers {
            assert_eq!(writer.bytes_waiting(), Ok(self.fifos[*fifo].len()));
        }
    }
}

/// Longer than [`PIPE_BUF`](rawipc::pipe::PIPE_BUF) by far; few of them fill a FIFO.
const LONGEST: usize = 40_000;

fn one_of<T>(ends: &[T], end: u8) -> Option<usize> {
    usize::from(end).checked_rem(ends.len())
}

pub(super) fn run(data: &[u8]) {
    /// Operations with one input.
    const MOST: usize = 100;

    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    sigpipe::ignore();
    descriptors::unchanged(|| {
        let mut world = World::new();
        for op in input.ops.iter().take(MOST) {
            world.apply(op);
            world.assert_as_in_the_model();
        }
    });
}
