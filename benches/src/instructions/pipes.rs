//! Pipes and FIFOs.

use std::ffi::CString;
use std::io::{IoSlice, IoSliceMut};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Pipe, PipeFlags};

use super::{Call, Wrapper};
use crate::by_hand;

pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "Pipe::new, and close both ends", calls: new },
    Wrapper { name: "Reader::read", calls: read },
    Wrapper { name: "Reader::read, into uninitialised memory", calls: read_uninitialised },
    Wrapper { name: "Reader::read, nothing there", calls: read_nothing },
    Wrapper { name: "Reader::read_vectored", calls: read_vectored },
    Wrapper { name: "Reader::try_read", calls: try_read },
    Wrapper { name: "Reader::try_read, nothing there", calls: try_read_nothing },
    Wrapper { name: "Writer::write", calls: write },
    Wrapper { name: "Writer::write_vectored", calls: write_vectored },
    Wrapper { name: "Writer::try_write", calls: try_write },
    Wrapper { name: "Reader::splice_to", calls: splice_to },
    Wrapper { name: "Reader::tee_to", calls: tee_to },
    Wrapper { name: "Reader::bytes_waiting", calls: bytes_waiting },
    Wrapper { name: "Reader::capacity", calls: capacity },
    Wrapper { name: "Reader::set_nonblocking", calls: set_nonblocking },
    Wrapper { name: "Fifo::create and unlink", calls: create_and_unlink },
    Wrapper { name: "Fifo::create and unlink, by &Path", calls: create_and_unlink_by_path },
    Wrapper { name: "Fifo::try_open_reader, and close", calls: try_open_reader },
    Wrapper { name: "Reader::try_read of a FIFO", calls: try_read_fifo },
];

/// A pipe to the end of the process.
fn pipe(flags: PipeFlags) -> &'static Pipe {
    Box::leak(Box::new(Pipe::with(flags).unwrap()))
}

/// A pipe, and what writes 8 bytes to it each time.
fn filled() -> (&'static Pipe, impl FnMut() + Copy) {
    let pipe = pipe(PipeFlags::empty());
    (pipe, || {
        pipe.writer.write(&[7; 8]).unwrap();
    })
}

fn new() -> [Call; 2] {
    [Call::new(|| by_hand::pipe(0).unwrap()), Call::new(|| Pipe::new().unwrap())]
}

fn read() -> [Call; 2] {
    let (Pipe { reader, .. }, fill) = filled();
    [
        Call::after(fill, || by_hand::read(reader, &mut [0; 8]).unwrap()),
        Call::after(fill, || reader.read(&mut [0; 8]).unwrap().len()),
    ]
}

fn read_uninitialised() -> [Call; 2] {
    use core::mem::MaybeUninit;
    let (Pipe { reader, .. }, fill) = filled();
    [
        Call::after(fill, || {
            by_hand::read_uninitialised(reader, &mut [MaybeUninit::uninit(); 8]).unwrap().len()
        }),
        Call::after(fill, || reader.read(&mut [MaybeUninit::uninit(); 8]).unwrap().len()),
    ]
}

fn read_nothing() -> [Call; 2] {
    let Pipe { reader, .. } = pipe(PipeFlags::NONBLOCK);
    [
        Call::new(|| by_hand::read(reader, &mut [0; 8]).is_err()),
        Call::new(|| reader.read(&mut [0; 8]).is_err()),
    ]
}

fn read_vectored() -> [Call; 2] {
    let (Pipe { reader, .. }, fill) = filled();
    [
        Call::after(fill, || {
            by_hand::read_vectored(reader, &mut [IoSliceMut::new(&mut [0; 8])]).unwrap()
        }),
        Call::after(fill, || reader.read_vectored(&mut [IoSliceMut::new(&mut [0; 8])]).unwrap()),
    ]
}

fn try_read() -> [Call; 2] {
    let (Pipe { reader, .. }, fill) = filled();
    [
        Call::after(fill, || by_hand::read_nowait(reader, &mut [0; 8]).unwrap()),
        Call::after(fill, || reader.try_read(&mut [0; 8]).unwrap().len()),
    ]
}

fn try_read_nothing() -> [Call; 2] {
    let Pipe { reader, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::read_nowait(reader, &mut [0; 8]).is_err()),
        Call::new(|| reader.try_read(&mut [0; 8]).is_err()),
    ]
}

fn write() -> [Call; 2] {
    let Pipe { writer, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::write(writer, &[7; 8]).unwrap()),
        Call::new(|| writer.write(&[7; 8]).unwrap()),
    ]
}

fn write_vectored() -> [Call; 2] {
    let Pipe { writer, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::write_vectored(writer, &[IoSlice::new(&[7; 8])]).unwrap()),
        Call::new(|| writer.write_vectored(&[IoSlice::new(&[7; 8])]).unwrap()),
    ]
}

fn try_write() -> [Call; 2] {
    let Pipe { writer, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::write_nowait(writer, &[7; 8]).unwrap()),
        Call::new(|| writer.try_write(&[7; 8]).unwrap()),
    ]
}

fn splice_to() -> [Call; 2] {
    let (Pipe { reader, .. }, fill) = filled();
    let Pipe { writer, .. } = pipe(PipeFlags::empty());
    [
        Call::after(fill, || by_hand::splice(reader, writer, 8).unwrap()),
        Call::after(fill, move || reader.splice_to(writer, 8).unwrap()),
    ]
}

fn tee_to() -> [Call; 2] {
    let (Pipe { reader, .. }, fill) = filled();
    let Pipe { writer, .. } = pipe(PipeFlags::empty());
    [
        Call::after(fill, || by_hand::tee(reader, writer, 8).unwrap()),
        Call::after(fill, || reader.tee_to(writer, 8).unwrap()),
    ]
}

fn bytes_waiting() -> [Call; 2] {
    let Pipe { reader, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::bytes_waiting(reader).unwrap()),
        Call::new(|| reader.bytes_waiting().unwrap()),
    ]
}

fn capacity() -> [Call; 2] {
    let Pipe { reader, .. } = pipe(PipeFlags::empty());
    [Call::new(|| by_hand::capacity(reader).unwrap()), Call::new(|| reader.capacity().unwrap())]
}

fn set_nonblocking() -> [Call; 2] {
    let Pipe { reader, .. } = pipe(PipeFlags::empty());
    [
        Call::new(|| by_hand::set_nonblocking(reader, true).unwrap()),
        Call::new(|| reader.set_nonblocking(true).unwrap()),
    ]
}

fn create_and_unlink() -> [Call; 2] {
    let path = c"fifo";
    let fifo = Fifo::new(path);
    [
        Call::new(|| {
            by_hand::mkfifo(path).unwrap();
            by_hand::unlink(path).unwrap();
        }),
        Call::new(move || {
            fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
            fifo.unlink().unwrap();
        }),
    ]
}

fn create_and_unlink_by_path() -> [Call; 2] {
    let path = Path::new("fifo");
    let fifo = Fifo::new(path);
    let terminated = || CString::new(path.as_os_str().as_bytes()).unwrap();
    [
        Call::new(move || {
            by_hand::mkfifo(&terminated()).unwrap();
            by_hand::unlink(&terminated()).unwrap();
        }),
        Call::new(move || {
            fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
            fifo.unlink().unwrap();
        }),
    ]
}

fn try_open_reader() -> [Call; 2] {
    let path = c"fifo";
    let fifo = Fifo::new(path);
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    [
        Call::new(|| by_hand::open_fifo(path, libc::O_RDONLY).unwrap()),
        Call::new(move || fifo.try_open_reader().unwrap()),
    ]
}

fn try_read_fifo() -> [Call; 2] {
    let fifo = Fifo::new(c"fifo");
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    let reader = Box::leak(Box::new(fifo.try_open_reader().unwrap()));
    let writer = Box::leak(Box::new(fifo.open_writer().unwrap()));
    let fill = || {
        writer.write(&[7; 8]).unwrap();
    };
    [
        Call::after(fill, || by_hand::read_nowait_through_proc(reader, &mut [0; 8]).unwrap()),
        Call::after(fill, || reader.try_read(&mut [0; 8]).unwrap().len()),
    ]
}
