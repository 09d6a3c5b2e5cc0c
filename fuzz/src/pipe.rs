//! Two pipes, written, read, spliced, copied and closed, against a model of their pages.

use core::iter;
use core::mem::MaybeUninit;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::error::Incomplete;
use rawipc::pipe::{PIPE_BUF, Pipe, PipeFlags, Reader, Writer};
use rawipc::{Errno, IoSlice, IoSliceMut, Result};

use super::form::{Form, past};
use super::pages::Pages;
use super::{descriptors, sigpipe};

/// What is done to which pipes.
#[derive(Arbitrary, Debug)]
struct Input {
    first: Flags,
    second: Flags,
    ops: Vec<(Which, Op)>,
}

#[derive(Arbitrary, Debug)]
struct Flags {
    nonblocking: bool,
    packets: bool,
    close_on_exec: bool,
}

/// One of the two pipes.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Which {
    First,
    Second,
}

/// Which end of it.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum End {
    Reader,
    Writer,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Write {
        copy: u8,
        form: Form,
        len: Len,
    },
    WriteVectored {
        copy: u8,
        form: Form,
        lens: [Len; 3],
    },
    WriteAll {
        copy: u8,
        until: bool,
        len: Len,
    },
    Read {
        copy: u8,
        form: Form,
        room: Len,
        uninitialised: bool,
    },
    ReadVectored {
        copy: u8,
        form: Form,
        rooms: [Len; 3],
    },
    ReadAll {
        copy: u8,
        until: bool,
        room: Len,
    },
    /// To the other pipe, unless to the same.
    Splice {
        copy: u8,
        form: Form,
        len: Len,
        asked_of: End,
        same: bool,
    },
    Tee {
        copy: u8,
        form: Form,
        len: Len,
        same: bool,
    },
    SetCapacity {
        end: End,
        bytes: u32,
    },
    SetNonblocking {
        end: End,
        on: bool,
    },
    Clone {
        end: End,
    },
    Drop {
        end: End,
        copy: u8,
    },
}

/// A length, more often than not near that of some pages.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Len {
    pages: u8,
    more: i8,
}

impl Len {
    fn get(self) -> usize {
        const PAGES: [usize; 8] = [0, 0, 0, 0, 1, 2, 3, 17];

        let pages = PAGES[usize::from(self.pages) % PAGES.len()];
        (pages * PIPE_BUF).saturating_add_signed(self.more.into())
    }
}

/// A pipe, with the copies of its ends that are still open, and the model of it.
struct Line {
    readers: Vec<Reader>,
    writers: Vec<Writer>,
    reads_wait: bool,
    writes_wait: bool,
    pages: Pages,
    /// How many bytes were made up for it.
    made: u32,
}

impl Line {
    fn new(wanted: &Flags) -> Self {
        let mut flags = PipeFlags::empty();
        flags.set(PipeFlags::NONBLOCK, wanted.nonblocking);
        flags.set(PipeFlags::DIRECT, wanted.packets);
        flags.set(PipeFlags::CLOEXEC, wanted.close_on_exec);
        let pipe = if flags.is_empty() { Pipe::new() } else { Pipe::with(flags) };
        let Pipe { reader, writer } = pipe.expect("a pipe");
        let mut pages = Pages::new(&reader, wanted.packets);
        (pages.readers, pages.writers) = (1, 1);
        Self {
            readers: vec![reader],
            writers: vec![writer],
            reads_wait: !wanted.nonblocking,
            writes_wait: !wanted.nonblocking,
            pages,
            made: 0,
        }
    }

    /// So many bytes unlike those before.
    fn make(&mut self, len: usize) -> Vec<u8> {
        let next = || {
            self.made += 1;
            self.made.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]
        };
        iter::repeat_with(next).take(len).collect()
    }

    /// Whether a call that reads sleeps, if the model says this.
    fn read_sleeps<T>(&self, model: &Result<T>) -> bool {
        self.reads_wait && matches!(model, Err(Errno::AGAIN))
    }

    /// Whether one that writes so much does: until all is written.
    fn write_sleeps(&self, len: usize) -> bool {
        self.writes_wait && self.pages.readers > 0 && self.pages.takes(len) < len
    }

    fn write(&mut self, copy: u8, form: Form, len: usize) {
        let form = form.unless(self.write_sleeps(len));
        let bytes = self.make(len);
        let Some(writer) = one_of(&self.writers, copy) else { return };
        let written = match form {
            Form::Plain => writer.write(&bytes),
            Form::Try => writer.try_write(&bytes),
            Form::Until => writer.write_until(&bytes, past()),
        };
        assert_eq!(written, form.says(self.pages.write(&bytes)));
    }

    fn write_vectored(&mut self, copy: u8, form: Form, lens: [Len; 3]) {
        let lens = lens.map(Len::get);
        let form = form.unless(self.write_sleeps(lens.iter().sum()));
        let parts = lens.map(|len| self.make(len));
        let Some(writer) = one_of(&self.writers, copy) else { return };
        let buffers = [&parts[0], &parts[1], &parts[2]].map(|part| IoSlice::new(part));
        let written = match form {
            Form::Plain => writer.write_vectored(&buffers),
            Form::Try => writer.try_write_vectored(&buffers),
            Form::Until => writer.write_vectored_until(&buffers, past()),
        };
        assert_eq!(written, form.says(self.pages.write(&parts.concat())));
    }

    fn write_all(&mut self, copy: u8, until: bool, len: usize) {
        let form = if until { Form::Until } else { Form::Plain }.unless(self.write_sleeps(len));
        let bytes = self.make(len);
        let Some(writer) = one_of(&self.writers, copy) else { return };
        let written = match form {
            Form::Until => writer.write_all_until(&bytes, past()),
            _ => writer.write_all(&bytes),
        };
        let mut rest = &bytes[..];
        let model = loop {
            if rest.is_empty() {
                break Ok(());
            }
            match self.pages.write(rest) {
                Ok(written) => rest = &rest[written..],
                Err(errno) => break Err((len - rest.len(), form.says_of(errno))),
            }
        };
        assert_eq!(written.map_err(told), model);
    }

    fn read(&mut self, copy: u8, form: Form, room: usize, uninitialised: bool) {
        let Some(reader) = one_of(&self.readers, copy) else { return };
        let model = self.pages.read(room);
        let form = form.unless(self.read_sleeps(&model));
        let mut buffer = vec![0xee; room];
        let mut space = vec![MaybeUninit::uninit(); if uninitialised { room } else { 0 }];
        let read = match (form, uninitialised) {
            (Form::Plain, false) => reader.read(&mut buffer[..]),
            (Form::Try, false) => reader.try_read(&mut buffer[..]),
            (Form::Until, false) => reader.read_until(&mut buffer[..], past()),
            (Form::Plain, true) => reader.read(&mut space[..]),
            (Form::Try, true) => reader.try_read(&mut space[..]),
            (Form::Until, true) => reader.read_until(&mut space[..], past()),
        };
        assert_eq!(read.map(|read| read.to_vec()), form.says(model.clone()));
        if !uninitialised {
            assert_filled(&buffer, &model.unwrap_or_default());
        }
    }

    fn read_vectored(&mut self, copy: u8, form: Form, rooms: [Len; 3]) {
        let Some(reader) = one_of(&self.readers, copy) else { return };
        let mut buffers = rooms.map(|room| vec![0xee; room.get()]);
        let model = self.pages.read(buffers.iter().map(Vec::len).sum());
        let form = form.unless(self.read_sleeps(&model));
        let [a, b, c] = &mut buffers;
        let mut slices = [a, b, c].map(|buffer| IoSliceMut::new(buffer));
        let read = match form {
            Form::Plain => reader.read_vectored(&mut slices),
            Form::Try => reader.try_read_vectored(&mut slices),
            Form::Until => reader.read_vectored_until(&mut slices, past()),
        };
        assert_eq!(read, form.says(model.as_ref().map(Vec::len).map_err(|errno| *errno)));
        assert_filled(&buffers.concat(), &model.unwrap_or_default());
    }

    fn read_all(&mut self, copy: u8, until: bool, room: usize) {
        let Some(reader) = one_of(&self.readers, copy) else { return };
        let mut model = Vec::new();
        let mut stopped = None;
        while model.len() < room && stopped.is_none() {
            match self.pages.read(room - model.len()) {
                Ok(read) if read.is_empty() => break,
                Ok(read) => model.extend(read),
                Err(errno) => stopped = Some(errno),
            }
        }
        let form = if until { Form::Until } else { Form::Plain };
        let form = form.unless(self.reads_wait && stopped.is_some());
        let mut buffer = vec![0xee; room];
        let read = match form {
            Form::Until => reader.read_all_until(&mut buffer[..], past()),
            _ => reader.read_all(&mut buffer[..]),
        };
        let stopped = stopped.map(|errno| (model.len(), form.says_of(errno)));
        assert_eq!(
            read.map(|read| read.to_vec()).map_err(told),
            stopped.map_or(Ok(model.clone()), Err)
        );
        assert_filled(&buffer, &model);
    }

    /// What can be asked at each end says what the model does.
    fn assert_as_in_the_model(&self) {
        for reader in &self.readers {
            assert_eq!(reader.bytes_waiting(), Ok(self.pages.len()));
            assert_eq!(reader.capacity(), Ok(self.pages.capacity()));
            assert_eq!(reader.is_nonblocking(), Ok(!self.reads_wait));
        }
        for writer in &self.writers {
            assert_eq!(writer.bytes_waiting(), Ok(self.pages.len()));
            assert_eq!(writer.capacity(), Ok(self.pages.capacity()));
            assert_eq!(writer.is_nonblocking(), Ok(!self.writes_wait));
        }
    }

    fn set_capacity(&mut self, end: End, bytes: u32) {
        /// Enough of them for one pipe.
        const MOST: u32 = 64 * 4096;

        // The largest stand for what is too much for the kernel to count.
        let bytes = match usize::try_from(bytes).expect("at least 32 bits") {
            bytes if bytes > 1 << 31 => bytes,
            bytes => bytes % (MOST as usize + 1),
        };
        let set = match end {
            End::Reader => self.readers.first().map(|reader| reader.set_capacity(bytes)),
            End::Writer => self.writers.first().map(|writer| writer.set_capacity(bytes)),
        };
        if let Some(set) = set {
            assert_eq!(set, self.pages.resize(bytes));
        }
    }

    fn set_nonblocking(&mut self, end: End, on: bool) {
        match (end, self.readers.first(), self.writers.last()) {
            (End::Reader, Some(reader), _) => {
                assert_eq!(reader.set_nonblocking(on), Ok(()));
                self.reads_wait = !on;
            }
            (End::Writer, _, Some(writer)) => {
                assert_eq!(writer.set_nonblocking(on), Ok(()));
                self.writes_wait = !on;
            }
            _ => {}
        }
    }

    fn clone(&mut self, end: End) {
        /// Copies of one end.
        const MOST: usize = 3;

        match end {
            End::Reader if self.readers.len() < MOST => {
                let copy = self.readers.last().map(|reader| reader.try_clone().expect("a copy"));
                self.readers.extend(copy);
            }
            End::Writer if self.writers.len() < MOST => {
                let copy = self.writers.last().map(|writer| writer.try_clone().expect("a copy"));
                self.writers.extend(copy);
            }
            _ => {}
        }
        self.count();
    }

    fn drop(&mut self, end: End, copy: u8) {
        match end {
            End::Reader if !self.readers.is_empty() => {
                drop(self.readers.remove(usize::from(copy) % self.readers.len()));
            }
            End::Writer if !self.writers.is_empty() => {
                drop(self.writers.remove(usize::from(copy) % self.writers.len()));
            }
            _ => {}
        }
        self.count();
    }

    fn count(&mut self) {
        self.pages.readers = self.readers.len();
        self.pages.writers = self.writers.len();
    }
}

fn one_of<T>(copies: &[T], copy: u8) -> Option<&T> {
    copies.get(usize::from(copy).checked_rem(copies.len())?)
}

fn told(incomplete: Incomplete) -> (usize, Errno) {
    assert!(!incomplete.to_string().is_empty());
    (incomplete.transferred(), incomplete.errno())
}

/// These are the first bytes in the buffer, and behind them it is as it was.
#[track_caller]
fn assert_filled(buffer: &[u8], bytes: &[u8]) {
    let (filled, rest) = buffer.split_at(bytes.len());
    assert!(filled == bytes, "other bytes");
    assert!(rest.iter().all(|byte| *byte == 0xee), "more bytes than it said");
}

fn splice(from: &mut Line, to: &mut Line, copy: u8, form: Form, len: usize, asked_of: End) {
    let (Some(reader), Some(writer)) = (one_of(&from.readers, copy), to.writers.first()) else {
        return;
    };
    let model = from.pages.splice_to(&mut to.pages, len);
    let sleeps = from.reads_wait && to.writes_wait && model == Err(Errno::AGAIN);
    let form = form.unless(sleeps);
    let moved = match (form, asked_of) {
        (Form::Plain, End::Reader) => reader.splice_to(writer, len),
        (Form::Try, End::Reader) => reader.try_splice_to(writer, len),
        (Form::Until, End::Reader) => reader.splice_to_until(writer, len, past()),
        (Form::Plain, End::Writer) => writer.splice_from(reader, len),
        (Form::Try, End::Writer) => writer.try_splice_from(reader, len),
        (Form::Until, End::Writer) => writer.splice_from_until(reader, len, past()),
    };
    assert_eq!(moved, form.says(model));
}

fn tee(from: &Line, to: &mut Line, copy: u8, form: Form, len: usize) {
    let (Some(reader), Some(writer)) = (from.readers.first(), one_of(&to.writers, copy)) else {
        return;
    };
    let model = from.pages.tee_to(&mut to.pages, len);
    let form = form.unless(from.reads_wait && to.writes_wait && model == Err(Errno::AGAIN));
    let copied = match form {
        Form::Plain => reader.tee_to(writer, len),
        Form::Try => reader.try_tee_to(writer, len),
        Form::Until => reader.tee_to_until(writer, len, past()),
    };
    assert_eq!(copied, form.says(model));
}

/// A pipe cannot be spliced to itself, nor copied; but no bytes can.
fn to_itself(line: &Line, form: Form, len: usize) {
    let (Some(reader), Some(writer)) = (line.readers.last(), line.writers.last()) else { return };
    let model = if len == 0 { Ok(0) } else { Err(Errno::INVAL) };
    let (moved, copied) = match form {
        Form::Plain => (reader.splice_to(writer, len), reader.tee_to(writer, len)),
        Form::Try => (reader.try_splice_to(writer, len), reader.try_tee_to(writer, len)),
        Form::Until => (
            writer.splice_from_until(reader, len, past()),
            reader.tee_to_until(writer, len, past()),
        ),
    };
    assert_eq!((moved, copied), (model, model));
}

fn apply(line: &mut Line, other: &mut Line, op: &Op) {
    match *op {
        Op::Write { copy, form, len } => line.write(copy, form, len.get()),
        Op::WriteVectored { copy, form, lens } => line.write_vectored(copy, form, lens),
        Op::WriteAll { copy, until, len } => line.write_all(copy, until, len.get()),
        Op::Read { copy, form, room, uninitialised } => {
            line.read(copy, form, room.get(), uninitialised);
        }
        Op::ReadVectored { copy, form, rooms } => line.read_vectored(copy, form, rooms),
        Op::ReadAll { copy, until, room } => line.read_all(copy, until, room.get()),
        Op::Splice { form, len, same: true, .. } | Op::Tee { form, len, same: true, .. } => {
            to_itself(line, form, len.get());
        }
        Op::Splice { copy, form, len, asked_of, same: false } => {
            splice(line, other, copy, form, len.get(), asked_of);
        }
        Op::Tee { copy, form, len, same: false } => tee(line, other, copy, form, len.get()),
        Op::SetCapacity { end, bytes } => line.set_capacity(end, bytes),
        Op::SetNonblocking { end, on } => line.set_nonblocking(end, on),
        Op::Clone { end } => line.clone(end),
        Op::Drop { end, copy } => line.drop(end, copy),
    }
}

pub(super) fn run(data: &[u8]) {
    /// Operations with one input.
    const MOST: usize = 100;

    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    sigpipe::ignore();
    descriptors::unchanged(|| {
        let (mut first, mut second) = (Line::new(&input.first), Line::new(&input.second));
        for (which, op) in input.ops.iter().take(MOST) {
            match which {
                Which::First => apply(&mut first, &mut second, op),
                Which::Second => apply(&mut second, &mut first, op),
            }
            first.assert_as_in_the_model();
            second.assert_as_in_the_model();
        }
    });
}
