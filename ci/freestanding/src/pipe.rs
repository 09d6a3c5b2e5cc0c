//! Pipes.

use core::mem::MaybeUninit;

use rawipc::pipe::{Pipe, PipeFlags, Reader};
use rawipc::{Deadline, Errno, IoSlice, IoSliceMut};
use rustix::fd::{AsFd as _, OwnedFd};

type Result = core::result::Result<(), Errno>;

pub fn run() -> Result {
    bytes()?;
    vectors()?;
    moving()?;
    settings()
}

fn bytes() -> Result {
    let Pipe { reader, writer } = Pipe::new()?;
    let room = &mut [0; 8];
    assert_eq!(reader.try_read(&mut *room), Err(Errno::AGAIN));
    assert_eq!(reader.read_until(&mut *room, Deadline::now()), Err(Errno::TIMEDOUT));
    assert_eq!(writer.write(b"abc")?, 3);
    assert_eq!(reader.read(&mut [MaybeUninit::uninit(); 8])?, b"abc");
    assert_eq!(writer.try_write(b"def")?, 3);
    assert_eq!(reader.try_read(&mut *room)?, b"def");
    assert_eq!(writer.write_until(b"ghi", Deadline::now())?, 3);
    assert_eq!(reader.read_until(&mut *room, Deadline::NEVER)?, b"ghi");
    writer.write_all(b"12345678")?;
    assert_eq!(reader.read_all(&mut *room)?, b"12345678");
    writer.write_all_until(b"90", Deadline::now())?;
    drop(writer);
    assert_eq!(reader.read_all_until(&mut *room, Deadline::now())?, b"90");
    Ok(())
}

fn vectors() -> Result {
    let Pipe { reader, writer } = Pipe::new()?;
    let out = [IoSlice::new(b"ab"), IoSlice::new(b"cd")];
    assert_eq!(writer.write_vectored(&out)?, 4);
    assert_eq!(writer.try_write_vectored(&out)?, 4);
    assert_eq!(writer.write_vectored_until(&out, Deadline::now())?, 4);
    let (mut one, mut two) = ([0; 1], [0; 3]);
    let mut both = [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
    assert_eq!(reader.read_vectored(&mut both)?, 4);
    assert_eq!(reader.try_read_vectored(&mut both)?, 4);
    assert_eq!(reader.read_vectored_until(&mut both, Deadline::now())?, 4);
    assert_eq!((&one, &two), (b"a", b"bcd"));
    Ok(())
}

fn moving() -> Result {
    let (from, to) = (Pipe::new()?, Pipe::new()?);
    let now = Deadline::now();
    from.writer.write(b"abcdef")?;
    assert_eq!(from.reader.tee_to(&to.writer, 1)?, 1);
    assert_eq!(from.reader.try_tee_to(&to.writer, 1)?, 1);
    assert_eq!(from.reader.tee_to_until(&to.writer, 1, now)?, 1);
    assert_eq!(from.reader.splice_to(&to.writer, 1)?, 1);
    assert_eq!(from.reader.try_splice_to(&to.writer, 1)?, 1);
    assert_eq!(from.reader.splice_to_until(&to.writer, 1, now)?, 1);
    assert_eq!(to.writer.splice_from(&from.reader, 1)?, 1);
    assert_eq!(to.writer.try_splice_from(&from.reader, 1)?, 1);
    assert_eq!(to.writer.splice_from_until(&from.reader, 1, now)?, 1);
    assert_eq!(to.reader.read(&mut [0; 16])?, b"aaaabcdef");
    Ok(())
}

fn settings() -> Result {
    let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK)?;
    assert!(reader.is_nonblocking()?);
    reader.set_nonblocking(false)?;
    assert!(!reader.is_nonblocking()? && writer.is_nonblocking()?);
    assert_eq!(writer.set_capacity(1 << 17)?, reader.capacity()?);
    writer.write(b"four")?;
    let reader = Reader::from(OwnedFd::from(reader.try_clone()?));
    assert_eq!(reader.bytes_waiting()?, 4);
    let _ = (reader.as_fd(), writer.as_fd());
    Ok(())
}
