//! Pipes, as their documentation promises them; and the same calls on FIFOs, and on a kernel that
//! does not know `RWF_NOWAIT`, where the non-waiting forms take another path.

mod support;

use core::mem::MaybeUninit;
use core::time::Duration;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread::yield_now;

use rawipc::error::Incomplete;
use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{PIPE_BUF, Pipe, PipeFlags, Reader, Writer};
use rawipc::process::{Child, ExitStatus, Pid, Signal};
use rawipc::{Deadline, Errno, IoSlice, IoSliceMut, Result};
use rustix::fs::OFlags;
use rustix::io::{FdFlags, ReadWriteFlags};
use support::gate::{open, pass};
use support::seccomp::refuse_calls;
use support::shared::page_size;
use support::signals::{Interruptions, with_one_signal};
use support::users::{as_another_user, is_root};
use support::{
    FewDescriptors, SOON, apart, child, eventually, isolated, join, kill, naps, sleeps_in,
    sleeps_in_one_of, wait,
};

// Every form of reading and writing, so that each promise is checked of all that make it.

/// How many bytes the forms below read at most.
const SOME: usize = 64;

/// A form of reading that waits: its name, the call in which it sleeps, itself.
type SleepingRead = (&'static str, libc::c_long, fn(&Reader) -> Result<usize>);
/// A form of writing that waits, likewise.
type SleepingWrite = (&'static str, libc::c_long, fn(&Writer, &[u8]) -> Result<usize>);
type TryRead = (&'static str, fn(&Reader) -> Result<usize>);
type TryWrite = (&'static str, fn(&Writer, &[u8]) -> Result<usize>);
type ReadUntil = (&'static str, fn(&Reader, Deadline) -> Result<usize>);
type WriteUntil = (&'static str, fn(&Writer, &[u8], Deadline) -> Result<usize>);

const SLEEPING_READS: [SleepingRead; 6] = [
    ("read", libc::SYS_read, |reader| Ok(reader.read(&mut [0; SOME])?.len())),
    ("read_vectored", libc::SYS_readv, |reader| {
        reader.read_vectored(&mut [IoSliceMut::new(&mut [0; 1]), IoSliceMut::new(&mut [0; 63])])
    }),
    ("read_all", libc::SYS_read, |reader| Ok(reader.read_all(&mut [0; SOME])?.len())),
    ("read_until", libc::SYS_ppoll, |reader| read_until(reader, Deadline::after(SOON))),
    ("read_vectored_until", libc::SYS_ppoll, |reader| {
        read_vectored_until(reader, Deadline::after(SOON))
    }),
    ("read_all_until", libc::SYS_ppoll, |reader| read_all_until(reader, Deadline::after(SOON))),
];

const SLEEPING_WRITES: [SleepingWrite; 6] = [
    ("write", libc::SYS_write, Writer::write),
    ("write_vectored", libc::SYS_writev, |writer, bytes| writer.write_vectored(&pieces(bytes))),
    ("write_all", libc::SYS_write, |writer, bytes| {
        writer.write_all(bytes)?;
        Ok(bytes.len())
    }),
    ("write_until", libc::SYS_ppoll, |writer, bytes| {
        writer.write_until(bytes, Deadline::after(SOON))
    }),
    ("write_vectored_until", libc::SYS_ppoll, |writer, bytes| {
        write_vectored_until(writer, bytes, Deadline::after(SOON))
    }),
    ("write_all_until", libc::SYS_ppoll, |writer, bytes| {
        write_all_until(writer, bytes, Deadline::after(SOON))
    }),
];

const READS_UNTIL: [ReadUntil; 3] = [
    ("read_until", read_until),
    ("read_vectored_until", read_vectored_until),
    ("read_all_until", read_all_until),
];

const WRITES_UNTIL: [WriteUntil; 3] = [
    ("write_until", Writer::write_until),
    ("write_vectored_until", write_vectored_until),
    ("write_all_until", write_all_until),
];

const TRY_READS: [TryRead; 2] = [
    ("try_read", |reader| Ok(reader.try_read(&mut [0; SOME])?.len())),
    ("try_read_vectored", |reader| {
        reader.try_read_vectored(&mut [IoSliceMut::new(&mut [0; 1]), IoSliceMut::new(&mut [0; 63])])
    }),
];

const TRY_WRITES: [TryWrite; 2] = [
    ("try_write", Writer::try_write),
    ("try_write_vectored", |writer, bytes| writer.try_write_vectored(&pieces(bytes))),
];

fn read_until(reader: &Reader, by: Deadline) -> Result<usize> {
    Ok(reader.read_until(&mut [0; SOME], by)?.len())
}

fn read_vectored_until(reader: &Reader, by: Deadline) -> Result<usize> {
    let (mut head, mut body) = ([0; 1], [0; 63]);
    let buffers = &mut [IoSliceMut::new(&mut head), IoSliceMut::new(&mut body)];
    reader.read_vectored_until(buffers, by)
}

fn read_all_until(reader: &Reader, by: Deadline) -> Result<usize> {
    Ok(reader.read_all_until(&mut [0; SOME], by)?.len())
}

fn write_vectored_until(writer: &Writer, bytes: &[u8], by: Deadline) -> Result<usize> {
    writer.write_vectored_until(&pieces(bytes), by)
}

fn write_all_until(writer: &Writer, bytes: &[u8], by: Deadline) -> Result<usize> {
    writer.write_all_until(bytes, by)?;
    Ok(bytes.len())
}

/// The same bytes in three buffers, one of them empty.
fn pieces(bytes: &[u8]) -> [IoSlice<'_>; 3] {
    let (head, body) = bytes.split_at(bytes.len() / 3);
    [IoSlice::new(head), IoSlice::new(&[]), IoSlice::new(body)]
}

// Pipes to try them on.

/// A pipe that has no room left.
fn full_pipe() -> Pipe {
    let pipe = Pipe::new().unwrap();
    fill(&pipe.writer);
    pipe
}

/// Writes whole pages until there is no room.
fn fill(writer: &Writer) {
    let page = vec![b'.'; page_size()];
    let mut answer = Ok(page.len());
    while answer == Ok(page.len()) {
        answer = writer.try_write(&page);
    }
    assert_eq!(answer, Err(Errno::AGAIN));
}

/// Both ends of a FIFO that has no name any more.
fn fifo() -> Pipe {
    let path = CString::new(support::path("fifo").as_os_str().as_bytes()).unwrap();
    let fifo = Fifo::new(path.as_c_str());
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    let reader = fifo.try_open_reader().unwrap();
    let writer = fifo.try_open_writer().unwrap();
    fifo.unlink().unwrap();
    Pipe { reader, writer }
}

/// Runs `body` in a process whose kernel does not know `RWF_NOWAIT`.
fn on_an_older_kernel(body: impl FnOnce()) {
    join(child(|| {
        if refuse_calls(&[libc::SYS_preadv2, libc::SYS_pwritev2], Errno::OPNOTSUPP) {
            let pipe = Pipe::new().unwrap();
            assert!(!reads_without_waiting(&pipe.reader), "the filter works");
            body();
        }
    }));
}

/// A pipe whose ends have been spliced, after which the kernel cannot use them without waiting.
fn spliced() -> Pipe {
    let (pipe, other) = (Pipe::new().unwrap(), Pipe::new().unwrap());
    other.writer.write(b"x").unwrap();
    assert_eq!(pipe.writer.splice_from(&other.reader, 1), Ok(1));
    assert_eq!(pipe.reader.splice_to(&other.writer, 1), Ok(1));
    pipe
}

/// Runs `check` on a pipe, on a FIFO, on a pipe that was spliced, and on one of an older kernel:
/// the non-waiting forms take more than one way.
fn on_each_kind(check: impl Fn(Pipe)) {
    check(Pipe::new().unwrap());
    check(fifo());
    check(spliced());
    on_an_older_kernel(|| check(Pipe::new().unwrap()));
}

/// Whether this kernel can read without waiting from what `reader` is made of.
fn reads_without_waiting(reader: &Reader) -> bool {
    let mut byte = [0];
    let buffers = &mut [IoSliceMut::new(&mut byte)];
    let answer = rustix::io::preadv2(reader, buffers, u64::MAX, ReadWriteFlags::NOWAIT);
    answer != Err(Errno::OPNOTSUPP)
}

/// A FIFO whose non-waiting forms need a second description; none, and says so, if the kernel can
/// do without.
fn fifo_with_second_description() -> Option<Pipe> {
    let pipe = fifo();
    if reads_without_waiting(&pipe.reader) {
        eprintln!("skipped: takes a kernel that cannot read from FIFOs without waiting");
        return None;
    }
    Some(pipe)
}

// Processes.

/// A child that holds what `held` is and sleeps until it is killed.
fn holder<T>(held: T) -> Child {
    child(move || {
        let _held = held;
        let forever = Pipe::new().unwrap();
        let _ = forever.reader.read(&mut [0]);
    })
}

/// Runs `act` in a child that has not ignored `SIGPIPE`, and tells how it ended.
fn with_default_sigpipe<T>(act: impl FnOnce() -> T) -> ExitStatus {
    let mut child = child(|| {
        // SAFETY: the default action is no handler.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        act();
    });
    wait(&mut child)
}

/// Checks that a process that sleeps goes on sleeping, and does not look over and over.
#[track_caller]
fn stays_asleep(pid: Pid) {
    let before = naps(pid);
    let Pipe { reader, writer: _writer } = Pipe::new().unwrap();
    let by = Deadline::after(Duration::from_millis(20));
    assert_eq!(reader.read_until(&mut [0], by), Err(Errno::TIMEDOUT));
    assert_eq!(naps(pid), before, "it woke up, though nothing had come");
}

/// How far a transfer came that stopped, and why it did.
#[track_caller]
fn came_to<T: core::fmt::Debug>(stopped: Result<T, Incomplete>) -> (usize, Errno) {
    let incomplete = stopped.unwrap_err();
    (incomplete.transferred(), incomplete.errno())
}

/// What is no pipe, and holds nothing.
fn null() -> OwnedFd {
    File::options().read(true).write(true).open("/dev/null").unwrap().into()
}

/// Bytes of which no two pieces are alike.
fn distinct_bytes(len: usize) -> Vec<u8> {
    let words = (0_u64..).flat_map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_ne_bytes());
    words.take(len).collect()
}

// The ends.

#[test]
fn end_of_file_comes_when_the_last_writer_is_closed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let gate = Pipe::new().unwrap();
        let another = child(|| {
            pass(&gate.reader);
            writer.write_all(b"bye").unwrap();
        });
        drop(writer);
        assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN), "the child has it still");
        open(&gate.writer);
        join(another);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"bye");
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"");
        assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"", "and stays so");
    });
}

#[test]
fn end_of_file_wakes_a_reader_that_sleeps() {
    isolated(|| {
        for (form, call, read) in SLEEPING_READS {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let (writer, child) =
                apart(writer, reader, |reader| assert_eq!(read(&reader), Ok(0), "{form}"));
            sleeps_in(child.id(), call);
            drop(writer);
            join(child);
        }
    });
}

#[test]
fn killed_writer_is_closed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let holder = holder(writer);
        assert_eq!(reader.try_read(&mut [0]), Err(Errno::AGAIN), "it lives");
        kill(holder);
        assert_eq!(reader.read(&mut [0]).unwrap(), b"");
    });
}

#[test]
fn write_says_pipe_when_the_last_reader_is_closed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let gate = Pipe::new().unwrap();
        let child = child(move || {
            pass(&gate.reader);
            drop(reader);
        });
        for (form, write) in TRY_WRITES {
            assert_eq!(write(&writer, b"heard"), Ok(5), "{form}: the child still can read");
        }
        open(&gate.writer);
        join(child);
        for (form, _, write) in SLEEPING_WRITES {
            assert_eq!(write(&writer, b"unheard"), Err(Errno::PIPE), "{form}");
        }
        for (form, write) in TRY_WRITES {
            assert_eq!(write(&writer, b"unheard"), Err(Errno::PIPE), "{form}");
        }
    });
}

#[test]
fn write_that_sleeps_is_woken_when_the_last_reader_goes() {
    isolated(|| {
        for (form, call, write) in SLEEPING_WRITES {
            let Pipe { reader, writer } = full_pipe();
            let (reader, child) = apart(reader, writer, |writer| {
                assert_eq!(write(&writer, b"unheard"), Err(Errno::PIPE), "{form}");
            });
            sleeps_in(child.id(), call);
            drop(reader);
            join(child);
        }
    });
}

#[test]
fn killed_reader_is_closed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let holder = holder(reader);
        assert_eq!(writer.write(b"it lives"), Ok(8));
        kill(holder);
        assert_eq!(writer.write(b"it lived"), Err(Errno::PIPE));
    });
}

#[test]
fn broken_pipe_ends_no_rust_program_unasked() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        drop(reader);
        // What this process has not changed since its runtime began.
        let mut child = child(|| assert_eq!(writer.write(b"x"), Err(Errno::PIPE)));
        assert_eq!(wait(&mut child), ExitStatus::Exited(0));
    });
}

#[test]
fn broken_pipe_ends_a_program_that_has_sigpipe_at_its_default() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let source = Pipe::new().unwrap();
        source.writer.write(b"x").unwrap();
        drop(reader);
        let mut ends = Vec::new();
        for (form, _, write) in SLEEPING_WRITES {
            ends.push((form, with_default_sigpipe(|| write(&writer, b"x"))));
        }
        for (form, write) in TRY_WRITES {
            ends.push((form, with_default_sigpipe(|| write(&writer, b"x"))));
        }
        ends.push(("splice_to", with_default_sigpipe(|| source.reader.splice_to(&writer, 1))));
        ends.push(("tee_to", with_default_sigpipe(|| source.reader.tee_to(&writer, 1))));
        for (form, end) in ends {
            assert_eq!(end.signal(), Some(libc::SIGPIPE), "{form}: {end}");
        }
    });
}

#[test]
fn clone_keeps_its_end_open() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let (another_reader, another_writer) =
            (reader.try_clone().unwrap(), writer.try_clone().unwrap());
        drop((reader, writer));
        assert_eq!(another_writer.write(b"x"), Ok(1));
        assert_eq!(another_reader.read(&mut [0; 8]).unwrap(), b"x");
        drop(another_writer);
        assert_eq!(another_reader.read(&mut [0; 8]).unwrap(), b"");
    });
}

#[test]
fn clone_has_the_same_flags() {
    isolated(|| {
        let Pipe { reader, writer: _writer } = Pipe::new().unwrap();
        let another = reader.try_clone().unwrap();
        another.set_nonblocking(true).unwrap();
        assert_eq!(reader.is_nonblocking(), Ok(true), "one description");
        let flags = rustix::io::fcntl_getfd(&another).unwrap();
        assert!(flags.contains(FdFlags::CLOEXEC), "two descriptors");
    });
}

// Descriptors.

#[test]
fn pipe_takes_two_descriptors_or_none() {
    isolated(|| {
        let Pipe { reader, .. } = Pipe::new().unwrap();
        let spare = reader.try_clone().unwrap();
        let few = FewDescriptors::no_more();
        let (none_free, no_clone) = (Pipe::new(), reader.try_clone());
        drop(spare);
        let one_free = Pipe::new();
        drop(few);
        assert_eq!(none_free.unwrap_err(), Errno::MFILE);
        assert_eq!(no_clone.unwrap_err(), Errno::MFILE);
        assert_eq!(one_free.unwrap_err(), Errno::MFILE);
        // That the one is not leaked is checked by `isolated`.
    });
}

#[test]
fn ends_are_close_on_exec_whatever_the_flags() {
    isolated(|| {
        for flags in [PipeFlags::empty(), PipeFlags::NONBLOCK, PipeFlags::DIRECT] {
            let Pipe { reader, writer } = Pipe::with(flags).unwrap();
            for fd in [reader.as_fd(), writer.as_fd()] {
                let flags = rustix::io::fcntl_getfd(fd).unwrap();
                assert!(flags.contains(FdFlags::CLOEXEC));
            }
        }
    });
}

#[test]
fn executed_program_has_neither_end() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        // Without the flag, to show that the program would see an end if it had one.
        let inherited = rustix::io::dup(&writer).unwrap();
        let numbers = [reader.as_raw_fd(), writer.as_raw_fd(), inherited.as_raw_fd()];
        let shown = Command::new("sh")
            .args(["-c", "for fd; do test -e /proc/self/fd/$fd && echo $fd; done; true", "sh"])
            .args(numbers.map(|number| number.to_string()))
            .output()
            .unwrap();
        let shown = String::from_utf8(shown.stdout).unwrap();
        assert_eq!(shown.trim(), inherited.as_raw_fd().to_string());
    });
}

#[test]
fn ends_convert_to_descriptors_and_back() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let numbers = (reader.as_raw_fd(), writer.as_raw_fd());
        assert_eq!(numbers, (reader.as_fd().as_raw_fd(), writer.as_fd().as_raw_fd()));
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        assert_eq!(numbers, (reader.as_raw_fd(), writer.as_raw_fd()));
        let (reader, writer) = (Reader::from(reader), Writer::from(writer));
        assert_eq!(writer.write(b"as before"), Ok(9));
        assert_eq!(reader.read(&mut [0; 16]).unwrap(), b"as before");
    });
}

#[test]
fn wrong_end_says_badf() {
    isolated(|| {
        for pipe in [Pipe::new().unwrap(), fifo()] {
            let (reader, writer) = (OwnedFd::from(pipe.writer), OwnedFd::from(pipe.reader));
            let (reader, writer) = (Reader::from(reader), Writer::from(writer));
            for (form, _, read) in SLEEPING_READS {
                assert_eq!(read(&reader), Err(Errno::BADF), "{form}");
            }
            for (form, read) in TRY_READS {
                assert_eq!(read(&reader), Err(Errno::BADF), "{form}");
            }
            for (form, _, write) in SLEEPING_WRITES {
                assert_eq!(write(&writer, b"x"), Err(Errno::BADF), "{form}");
            }
            for (form, write) in TRY_WRITES {
                assert_eq!(write(&writer, b"x"), Err(Errno::BADF), "{form}");
            }
            let other = Pipe::new().unwrap();
            assert_eq!(reader.try_splice_to(&other.writer, 1), Err(Errno::BADF));
            assert_eq!(reader.try_tee_to(&other.writer, 1), Err(Errno::BADF));
            other.writer.write(b"x").unwrap();
            assert_eq!(writer.try_splice_from(&other.reader, 1), Err(Errno::BADF));
            assert_eq!(other.reader.try_tee_to(&writer, 1), Err(Errno::BADF));
        }
    });
}

// Waiting.

#[test]
fn empty_pipe_puts_a_reader_to_sleep_until_bytes_come() {
    isolated(|| {
        for (form, call, read) in SLEEPING_READS {
            for pipe in [Pipe::new().unwrap(), fifo()] {
                let child = child(|| assert_eq!(read(&pipe.reader), Ok(SOME), "{form}"));
                sleeps_in(child.id(), call);
                assert_eq!(pipe.writer.write(&[1; SOME]), Ok(SOME));
                join(child);
            }
        }
    });
}

#[test]
fn full_pipe_puts_a_writer_to_sleep_until_there_is_room() {
    isolated(|| {
        for (form, call, write) in SLEEPING_WRITES {
            for pipe in [Pipe::new().unwrap(), fifo()] {
                fill(&pipe.writer);
                let held = pipe.reader.bytes_waiting().unwrap();
                let child = child(|| assert_eq!(write(&pipe.writer, b"go on"), Ok(5), "{form}"));
                sleeps_in(child.id(), call);
                let mut before = vec![0; held];
                assert_eq!(pipe.reader.read_all(before.as_mut_slice()).unwrap().len(), held);
                join(child);
                assert_eq!(pipe.reader.read(&mut [0; 8]).unwrap(), b"go on", "{form}");
            }
        }
    });
}

#[test]
fn nonblocking_description_says_again() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        assert_eq!(reader.read(&mut [0; 8]), Err(Errno::AGAIN));
        assert_eq!(reader.read_vectored(&mut [IoSliceMut::new(&mut [0])]), Err(Errno::AGAIN));
        assert_eq!(reader.read_all(&mut [0; 8]).unwrap_err().errno(), Errno::AGAIN);
        fill(&writer);
        assert_eq!(writer.write(b"x"), Err(Errno::AGAIN));
        assert_eq!(writer.write_vectored(&pieces(b"x")), Err(Errno::AGAIN));
        assert_eq!(writer.write_all(b"x").unwrap_err().errno(), Errno::AGAIN);
    });
}

#[test]
fn write_that_does_not_wait_writes_what_there_is_room_for() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        let room = writer.capacity().unwrap();
        let bytes = distinct_bytes(room + 1000);
        let mut received = vec![0; room];
        assert_eq!(writer.write(&bytes), Ok(room));
        assert!(reader.read(received.as_mut_slice()).unwrap() == &bytes[..room]);
        assert_eq!(writer.write_vectored(&pieces(&bytes)), Ok(room));
        assert!(reader.read(received.as_mut_slice()).unwrap() == &bytes[..room]);
    });
}

#[test]
fn write_with_a_deadline_returns_as_soon_as_something_is_written() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            let room = writer.capacity().unwrap();
            let bytes = distinct_bytes(room + 1000);
            let mut received = vec![0; room];
            assert_eq!(writer.write_until(&bytes, Deadline::NEVER), Ok(room));
            assert!(reader.read(received.as_mut_slice()).unwrap() == &bytes[..room]);
            assert_eq!(write_vectored_until(&writer, &bytes, Deadline::NEVER), Ok(room));
            assert!(reader.read(received.as_mut_slice()).unwrap() == &bytes[..room]);
        });
    });
}

#[test]
fn nonblocking_description_still_waits_for_a_deadline() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        for (form, read) in READS_UNTIL {
            let by = Deadline::after(Duration::from_millis(5));
            assert_eq!(read(&reader, by), Err(Errno::TIMEDOUT), "{form}");
            assert!(by.has_passed(), "{form}");
        }
        fill(&writer);
        for (form, write) in WRITES_UNTIL {
            let by = Deadline::after(Duration::from_millis(5));
            assert_eq!(write(&writer, b"x", by), Err(Errno::TIMEDOUT), "{form}");
            assert!(by.has_passed(), "{form}");
        }
    });
}

#[test]
fn new_pipe_is_blocking_unless_asked_otherwise() {
    isolated(|| {
        for (flags, expected) in [
            (PipeFlags::empty(), false),
            (PipeFlags::DIRECT, false),
            (PipeFlags::NONBLOCK, true),
            (PipeFlags::NONBLOCK | PipeFlags::DIRECT, true),
        ] {
            let Pipe { reader, writer } = Pipe::with(flags).unwrap();
            assert_eq!(reader.is_nonblocking(), Ok(expected), "{flags:?}");
            assert_eq!(writer.is_nonblocking(), Ok(expected), "{flags:?}");
        }
    });
}

#[test]
fn nonblocking_flag_is_common_to_the_processes_that_have_the_end() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        join(child(|| reader.set_nonblocking(true).unwrap()));
        assert_eq!(reader.is_nonblocking(), Ok(true));
        assert_eq!(reader.read(&mut [0]), Err(Errno::AGAIN));
        assert_eq!(writer.is_nonblocking(), Ok(false), "the other end has its own");
        join(child(|| reader.set_nonblocking(false).unwrap()));
        assert_eq!(reader.is_nonblocking(), Ok(false));
    });
}

// Never waiting.

#[test]
fn try_forms_say_again_where_others_would_wait() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            for (form, read) in TRY_READS {
                assert_eq!(read(&reader), Err(Errno::AGAIN), "{form}");
            }
            fill(&writer);
            let held = reader.bytes_waiting();
            for (form, write) in TRY_WRITES {
                assert_eq!(write(&writer, b"more"), Err(Errno::AGAIN), "{form}");
                assert_eq!(write(&writer, &vec![0; 1 << 17]), Err(Errno::AGAIN), "{form}");
            }
            assert_eq!(reader.bytes_waiting(), held, "nothing was written");
        });
    });
}

#[test]
fn try_forms_move_what_they_can() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            assert_eq!(writer.try_write(b"head"), Ok(4));
            assert_eq!(writer.try_write_vectored(&pieces(b"and body")), Ok(8));
            let (mut first, mut rest) = ([0; 6], [0; 2]);
            let buffers = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut rest)];
            assert_eq!(reader.try_read_vectored(buffers), Ok(8));
            assert_eq!((&first, &rest), (b"headan", b"d "));
            let mut uninitialised = [MaybeUninit::uninit(); 16];
            assert_eq!(reader.try_read(&mut uninitialised).unwrap(), b"body");

            let room = writer.capacity().unwrap();
            assert_eq!(writer.try_write(&vec![0; room + 1]), Ok(room), "as much as fits");
        });
    });
}

#[test]
fn try_read_finds_the_end_of_file() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            writer.write(b"last").unwrap();
            drop(writer);
            assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"last");
            for (form, read) in TRY_READS {
                assert_eq!(read(&reader), Ok(0), "{form}");
            }
        });
    });
}

#[test]
fn try_write_says_pipe_without_a_reader() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            drop(reader);
            for (form, write) in TRY_WRITES {
                assert_eq!(write(&writer, b"x"), Err(Errno::PIPE), "{form}");
            }
            assert_eq!(writer.write_until(b"x", Deadline::after(SOON)), Err(Errno::PIPE));
        });
    });
}

#[test]
fn try_write_to_a_fifo_without_a_reader_says_pipe_before_there_is_a_signal() {
    isolated(|| {
        let Some(Pipe { reader, writer }) = fifo_with_second_description() else { return };
        drop(reader);
        let end = with_default_sigpipe(|| {
            for (form, write) in TRY_WRITES {
                assert_eq!(write(&writer, b"x"), Err(Errno::PIPE), "{form}");
            }
        });
        assert_eq!(end, ExitStatus::Exited(0));
    });
}

#[test]
fn try_forms_leave_the_flags_alone_that_another_process_sees() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            let (watched_reader, watched_writer) = (&reader, &writer);
            let mut watcher = child(|| {
                for _ in 0..50_000 {
                    assert_eq!(watched_reader.is_nonblocking(), Ok(false));
                    assert_eq!(watched_writer.is_nonblocking(), Ok(false));
                }
            });
            while watcher.try_wait().unwrap().is_none() {
                assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN));
                assert_eq!(writer.try_write(b"x"), Ok(1));
                assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"x");
            }
            join(watcher);
        });
    });
}

#[test]
fn readers_that_never_wait_share_a_blocking_pipe() {
    isolated(|| on_each_kind(readers_compete));
}

/// Four processes take numbers from a pipe, each as fast as it can, and must always be able to
/// answer at once on another.
fn readers_compete(Pipe { reader, writer }: Pipe) {
    const READERS: usize = 4;
    const ROUNDS: usize = 100;
    const NUMBERS: usize = 50;
    let mut writer = writer;
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let (questions, answers) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let (ours, child) = apart(writer, (), |()| {
            take_numbers(&reader, &questions.reader, &answers.writer);
        });
        writer = ours;
        readers.push((child, questions.writer, answers));
    }
    drop(reader);

    let mut numbers = 0_u64..;
    for _ in 0..ROUNDS {
        // Enough that they all have a part in it, and then find nothing, and may not wait for it.
        let some: Vec<u8> = numbers.by_ref().take(NUMBERS).flat_map(u64::to_ne_bytes).collect();
        writer.write_all(&some).unwrap();
        for (_, questions, _) in &readers {
            open(questions);
        }
        for (_, _, answers) in &readers {
            pass(&answers.reader);
        }
    }
    drop(writer);

    // Each has inherited the ends of those before it: only when all have ended do their reports.
    let mut reports = Vec::new();
    for (child, _, answers) in readers {
        join(child);
        reports.push(answers);
    }
    let mut taken = Vec::new();
    for Pipe { reader, writer } in reports {
        drop(writer);
        let mut report = vec![0; 1 << 16];
        let report = reader.read_all(report.as_mut_slice()).unwrap();
        taken.extend(report.chunks(8).map(|number| u64::from_ne_bytes(number.try_into().unwrap())));
    }
    taken.sort_unstable();
    assert_eq!(taken.len(), ROUNDS * NUMBERS);
    assert!(taken.into_iter().eq(0..numbers.start), "each arrives once");
}

/// One of the processes that compete: reports at the end what it got.
fn take_numbers(reader: &Reader, questions: &Reader, answers: &Writer) {
    let mut taken = Vec::new();
    loop {
        match reader.try_read(&mut [0; 8]) {
            Ok([]) => break,
            Ok(number) => taken.extend_from_slice(number),
            Err(errno) => assert_eq!(errno, Errno::AGAIN),
        }
        match questions.try_read(&mut [0; 1]) {
            Ok(_) => open(answers),
            Err(errno) => assert_eq!(errno, Errno::AGAIN),
        }
        yield_now();
    }
    answers.write_all(&taken).unwrap();
}

#[test]
fn try_forms_on_a_pipe_are_one_call_that_cannot_wait() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        if !reads_without_waiting(&reader) {
            eprintln!("skipped: takes Linux 6.5, which reads from pipes without waiting");
            return;
        }
        // All that could be made of others: to ask first and then to wait after all, to change the
        // flags, to open it once more.
        let others = [
            libc::SYS_read,
            libc::SYS_readv,
            libc::SYS_write,
            libc::SYS_writev,
            libc::SYS_ppoll,
            libc::SYS_fcntl,
            libc::SYS_ioctl,
            libc::SYS_openat,
        ];
        join(child(|| {
            if refuse_calls(&others, Errno::NOSYS) {
                assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN));
                let mut byte = [0];
                let buffers = &mut [IoSliceMut::new(&mut byte)];
                assert_eq!(reader.try_read_vectored(buffers), Err(Errno::AGAIN));
                assert_eq!(writer.try_write(b"x"), Ok(1));
                assert_eq!(writer.try_write_vectored(&pieces(b"yz")), Ok(2));
                assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"xyz");
            }
        }));
    });
}

#[test]
fn try_forms_on_a_pipe_take_no_descriptor() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        if !reads_without_waiting(&reader) {
            eprintln!("skipped: takes Linux 6.5, which reads from pipes without waiting");
            return;
        }
        let few = FewDescriptors::no_more();
        let answers = (writer.try_write(b"x"), reader.try_read(&mut [0; 8]).map(|read| read.len()));
        drop(few);
        assert_eq!(answers, (Ok(1), Ok(1)));
    });
}

#[test]
fn second_description_is_refused_at_the_limit_of_descriptors() {
    isolated(|| {
        let Some(Pipe { reader, writer }) = fifo_with_second_description() else { return };
        let few = FewDescriptors::no_more();
        let by = Deadline::after(SOON);
        let reads = TRY_READS.map(|(form, read)| (form, read(&reader)));
        let reads_until = READS_UNTIL.map(|(form, read)| (form, read(&reader, by)));
        let writes = TRY_WRITES.map(|(form, write)| (form, write(&writer, b"x")));
        let writes_until = WRITES_UNTIL.map(|(form, write)| (form, write(&writer, b"x", by)));
        drop(few);
        let answers = reads.into_iter().chain(reads_until).chain(writes).chain(writes_until);
        for (form, answer) in answers {
            assert_eq!(answer, Err(Errno::MFILE), "{form}");
        }
    });
}

#[test]
fn second_description_is_refused_to_who_may_not_open_the_pipe() {
    isolated(|| {
        let Some(fifo) = fifo_with_second_description() else { return };
        as_another_user(|| all_try_forms_say(Errno::ACCESS, &fifo));
        // Pipes too are files of him who made them.
        on_an_older_kernel(|| {
            let pipe = Pipe::new().unwrap();
            as_another_user(|| all_try_forms_say(Errno::ACCESS, &pipe));
        });
    });
}

#[test]
fn second_description_is_not_found_without_proc() {
    isolated(|| {
        if !is_root("to do without /proc") {
            return;
        }
        let Some(fifo) = fifo_with_second_description() else { return };
        let empty = support::path("empty");
        fs::create_dir(&empty).unwrap();
        let empty_c = CString::new(empty.as_os_str().as_bytes()).unwrap();
        join(child(|| {
            // SAFETY: the path is a string that outlives the call.
            if unsafe { libc::chroot(empty_c.as_ptr()) } != 0 {
                eprintln!("skipped: takes the right to chroot, to do without /proc");
                return;
            }
            all_try_forms_say(Errno::NOENT, &fifo);
        }));
        fs::remove_dir(&empty).unwrap();
    });
}

#[track_caller]
fn all_try_forms_say(errno: Errno, Pipe { reader, writer }: &Pipe) {
    for (form, read) in TRY_READS {
        assert_eq!(read(reader), Err(errno), "{form}");
    }
    for (form, write) in TRY_WRITES {
        assert_eq!(write(writer, b"x"), Err(errno), "{form}");
    }
    for (form, read) in READS_UNTIL {
        assert_eq!(read(reader, Deadline::after(SOON)), Err(errno), "{form}");
    }
    for (form, write) in WRITES_UNTIL {
        assert_eq!(write(writer, b"x", Deadline::after(SOON)), Err(errno), "{form}");
    }
}

#[test]
fn nonblocking_fifo_needs_no_second_description() {
    isolated(|| {
        let Pipe { reader, writer } = fifo();
        reader.set_nonblocking(true).unwrap();
        writer.set_nonblocking(true).unwrap();
        let few = FewDescriptors::no_more();
        let nothing = reader.try_read(&mut [0; 8]).map(|read| read.len());
        let written = writer.try_write(b"x");
        let something = reader.try_read(&mut [0; 8]).map(|read| read.len());
        drop(few);
        assert_eq!((nothing, written, something), (Err(Errno::AGAIN), Ok(1), Ok(1)));
    });
}

#[test]
fn what_is_no_pipe_is_not_reached_by_another_description() {
    isolated(|| {
        let path = support::path("file");
        fs::write(&path, "0123456789").unwrap();
        let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        // Where a file can be read without waiting, or written, it is at its own place; else it
        // says that it cannot. Another description of it would be at its beginning.
        on_an_older_kernel(|| {
            let reader = Reader::from(OwnedFd::from(file.try_clone().unwrap()));
            let writer = Writer::from(OwnedFd::from(file));
            assert_eq!(reader.read(&mut [0; 5]).unwrap(), b"01234");
            assert_eq!(writer.try_write(b"BB"), Err(Errno::OPNOTSUPP));
            assert_eq!(reader.try_read(&mut [0; 2]), Err(Errno::OPNOTSUPP));
        });
        assert_eq!(fs::read(&path).unwrap(), b"0123456789");
        fs::remove_file(path).unwrap();
    });
}

// Atomic writes.

/// How many processes write records at once.
const WRITERS: u8 = 8;

/// Set in the first byte of a record.
const FIRST: u8 = 0x80;

/// How long a writer's `nth` record is.
fn record_length(nth: usize) -> usize {
    [PIPE_BUF, 1, 2, 100, PIPE_BUF - 1, 2048, PIPE_BUF, 777, 3000][nth % 9]
}

/// A record whose every byte bears the writer's number.
fn record(writer: u8, nth: usize) -> Vec<u8> {
    let mut record = vec![writer; record_length(nth)];
    record[0] |= FIRST;
    record
}

/// Reads records to the end. Tells how many came of each writer, or which was not whole.
fn whole_records(reader: &Reader) -> core::result::Result<[usize; WRITERS as usize], String> {
    let mut counts = [0; WRITERS as usize];
    let (mut current, mut missing) = (0, 0);
    // Of a length that keeps cutting records in two.
    let mut buffer = [0; 1000];
    loop {
        let bytes = reader.read(&mut buffer).unwrap();
        if bytes.is_empty() {
            return if missing == 0 { Ok(counts) } else { Err("cut off".into()) };
        }
        for &byte in bytes.iter() {
            let (first, writer) = (byte & FIRST != 0, byte & !FIRST);
            if first != (missing == 0) || (!first && writer != current) {
                return Err(format!("{byte:#x} with {missing} bytes of {current:#x} to come"));
            }
            if first {
                let count = &mut counts[usize::from(writer)];
                (current, missing) = (writer, record_length(*count));
                *count += 1;
            }
            missing -= 1;
        }
    }
}

/// Has eight processes write records at once, and checks that each arrives whole.
fn records_stay_whole(form: &str, pipe: Pipe, write: fn(&Writer, &[u8]) -> Result<usize>) {
    const RECORDS: usize = 60;
    let Pipe { reader, writer } = pipe;
    let start = Pipe::new().unwrap();
    let mut ours = (reader, start.writer);
    let mut children = Vec::new();
    for number in 0..WRITERS {
        let (still_ours, child) = apart(ours, (), |()| {
            // Ends when all are there.
            assert_eq!(start.reader.read(&mut [0; 1]).unwrap(), b"");
            for nth in 0..RECORDS {
                let record = record(number, nth);
                let mut answer = write(&writer, &record);
                while answer == Err(Errno::AGAIN) {
                    yield_now();
                    answer = write(&writer, &record);
                }
                assert_eq!(answer, Ok(record.len()), "{form}");
            }
        });
        ours = still_ours;
        children.push(child);
    }
    let (reader, start) = ours;
    drop((writer, start));
    assert_eq!(whole_records(&reader), Ok([RECORDS; WRITERS as usize]), "{form}");
    children.into_iter().for_each(join);
}

#[test]
fn writes_of_up_to_pipe_buf_are_never_mixed() {
    isolated(|| {
        for (form, _, write) in SLEEPING_WRITES {
            records_stay_whole(form, Pipe::new().unwrap(), write);
        }
    });
}

#[test]
fn writes_that_never_wait_are_never_mixed() {
    isolated(|| {
        for (form, write) in TRY_WRITES {
            on_each_kind(|pipe| records_stay_whole(form, pipe, write));
        }
    });
}

#[test]
fn mixed_records_would_be_noticed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let gate = Pipe::new().unwrap();
        let (theirs, ours) = (record(0, 0), record(1, 0));
        let child = child(|| {
            writer.write_all(&theirs[..2000]).unwrap();
            pass(&gate.reader);
            writer.write_all(&theirs[2000..]).unwrap();
        });
        eventually("the child's half is there", || reader.bytes_waiting() == Ok(2000));
        writer.write_all(&ours).unwrap();
        open(&gate.writer);
        join(child);
        drop(writer);
        let noticed = whole_records(&reader).unwrap_err();
        assert_eq!(noticed, "0x81 with 2096 bytes of 0x0 to come");
    });
}

#[test]
fn records_cut_off_would_be_noticed() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write_all(&record(0, 0)[..2000]).unwrap();
        drop(writer);
        assert_eq!(whole_records(&reader).unwrap_err(), "cut off");
    });
}

#[test]
fn write_of_up_to_pipe_buf_that_does_not_fit_writes_nothing() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            fill(&writer);
            // Room for one page, of which all but a few bytes are taken again.
            let mut page = vec![0; page_size()];
            reader.read_all(page.as_mut_slice()).unwrap();
            assert_eq!(writer.write(&page[10..]), Ok(page.len() - 10));
            let held = reader.bytes_waiting();

            for (form, write) in TRY_WRITES {
                assert_eq!(write(&writer, &[1; PIPE_BUF]), Err(Errno::AGAIN), "{form}");
                assert_eq!(write(&writer, &[1; 11]), Err(Errno::AGAIN), "{form}");
            }
            writer.set_nonblocking(true).unwrap();
            assert_eq!(writer.write(&[1; PIPE_BUF]), Err(Errno::AGAIN));
            assert_eq!(writer.write_vectored(&pieces(&[1; 11])), Err(Errno::AGAIN));
            assert_eq!(came_to(writer.write_all(&[1; 11])), (0, Errno::AGAIN));
            writer.set_nonblocking(false).unwrap();
            for (form, write) in WRITES_UNTIL {
                let past = Deadline::now();
                assert_eq!(write(&writer, &[1; 11], past), Err(Errno::TIMEDOUT), "{form}");
            }
            assert_eq!(reader.bytes_waiting(), held);
            assert_eq!(writer.try_write(&[1; 10]), Ok(10), "this fits");
        });
    });
}

// Buffers.

#[test]
fn read_fills_memory_that_was_not_initialised() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            let by = Deadline::after(SOON);
            let mut space = [MaybeUninit::uninit(); 8];
            writer.write(b"one").unwrap();
            assert_eq!(reader.read(&mut space).unwrap(), b"one");
            writer.write(b"two").unwrap();
            assert_eq!(reader.try_read(space.as_mut_slice()).unwrap(), b"two");
            writer.write(b"three").unwrap();
            assert_eq!(reader.read_until(&mut space, by).unwrap(), b"three");
            writer.write(b"and eight").unwrap();
            assert_eq!(reader.read_all_until(&mut space, by).unwrap(), b"and eigh");
            drop(writer);
            assert_eq!(reader.read_all(space.as_mut_slice()).unwrap(), b"t");
        });
    });
}

#[test]
fn read_returns_the_first_part_of_the_buffer_and_leaves_the_rest_alone() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            let mut buffer = *b"--------";
            let start = buffer.as_ptr();
            writer.write(b"abc").unwrap();
            assert_eq!(reader.read(&mut buffer).unwrap().as_ptr(), start);
            assert_eq!(&buffer, b"abc-----");
            writer.write(b"de").unwrap();
            assert_eq!(reader.try_read(buffer.as_mut_slice()).unwrap().as_ptr(), start);
            assert_eq!(&buffer, b"dec-----");
            writer.write(b"fghi").unwrap();
            drop(writer);
            assert_eq!(reader.read_all(&mut buffer).unwrap().as_ptr(), start);
            assert_eq!(&buffer, b"fghi----");
        });
    });
}

#[test]
fn vectored_read_fills_each_buffer_before_the_next() {
    isolated(|| {
        type Read = fn(&Reader, &mut [IoSliceMut<'_>]) -> Result<usize>;
        let reads: [Read; 3] =
            [Reader::read_vectored, Reader::try_read_vectored, |reader, buffers| {
                reader.read_vectored_until(buffers, Deadline::after(SOON))
            }];
        on_each_kind(|Pipe { reader, writer }| {
            for read in reads {
                writer.write(b"abcdef").unwrap();
                let (mut first, mut second, mut third) = (*b"--", *b"---", *b"----");
                let mut buffers =
                    [&mut first[..], &mut [], &mut second, &mut third].map(IoSliceMut::new);
                assert_eq!(read(&reader, &mut buffers), Ok(6));
                assert_eq!((&first, &second, &third), (b"ab", b"cde", b"f---"));
            }
        });
    });
}

#[test]
fn vectored_write_takes_the_buffers_in_turn() {
    isolated(|| {
        type Write = fn(&Writer, &[IoSlice<'_>]) -> Result<usize>;
        let writes: [Write; 3] =
            [Writer::write_vectored, Writer::try_write_vectored, |writer, buffers| {
                writer.write_vectored_until(buffers, Deadline::after(SOON))
            }];
        on_each_kind(|Pipe { reader, writer }| {
            for write in writes {
                let buffers = [&b"ab"[..], b"", b"cde", b"f"].map(IoSlice::new);
                assert_eq!(write(&writer, &buffers), Ok(6));
                assert_eq!(reader.read(&mut [0; 16]).unwrap(), b"abcdef");
            }
        });
    });
}

#[test]
fn of_more_than_1024_buffers_the_first_1024_are_written() {
    isolated(|| {
        let bytes = distinct_bytes(1025);
        let buffers: Vec<_> = bytes.chunks(1).map(IoSlice::new).collect();
        on_each_kind(|Pipe { reader, writer }| {
            let by = Deadline::after(SOON);
            for buffers in [&buffers[..1024], &buffers] {
                let mut written = [0; 1025];
                assert_eq!(writer.write_vectored(buffers), Ok(1024));
                assert!(reader.read(&mut written).unwrap() == &bytes[..1024]);
                assert_eq!(writer.try_write_vectored(buffers), Ok(1024));
                assert!(reader.read(&mut written).unwrap() == &bytes[..1024]);
                assert_eq!(writer.write_vectored_until(buffers, by), Ok(1024));
                assert!(reader.read(&mut written).unwrap() == &bytes[..1024]);
            }
        });
    });
}

#[test]
fn of_more_than_1024_buffers_the_first_1024_are_filled() {
    isolated(|| {
        let bytes = distinct_bytes(1025);
        on_each_kind(|Pipe { reader, writer }| {
            let by = Deadline::after(SOON);
            for room in [1024, 1025] {
                let mut read = vec![0; room];
                let mut buffers: Vec<_> = read.chunks_mut(1).map(IoSliceMut::new).collect();
                writer.write(&bytes).unwrap();
                assert_eq!(reader.read_vectored(&mut buffers), Ok(1024));
                assert_eq!(reader.try_read_vectored(&mut buffers), Ok(1), "what was left");
                writer.write(&bytes).unwrap();
                assert_eq!(reader.try_read_vectored(&mut buffers), Ok(1024));
                assert_eq!(reader.read_vectored_until(&mut buffers, by), Ok(1), "what was left");
                writer.write(&bytes).unwrap();
                assert_eq!(reader.read_vectored_until(&mut buffers, by), Ok(1024));
                assert_eq!(reader.read_vectored(&mut buffers), Ok(1), "what was left");
                assert!(read[1..1024] == bytes[1..1024]);
                assert_eq!(read[0], bytes[1024]);
            }
        });
    });
}

// All of it.

#[test]
fn many_mebibytes_arrive_whole() {
    isolated(|| {
        let sent = distinct_bytes(24 << 20);
        on_each_kind(|Pipe { reader, writer }| {
            let (reader, child) = apart(reader, writer, |writer| writer.write_all(&sent).unwrap());
            let mut received = vec![MaybeUninit::uninit(); sent.len() + 1];
            let received = reader.read_all(received.as_mut_slice()).unwrap();
            assert!(received == sent);
            join(child);
        });
    });
}

#[test]
fn many_mebibytes_arrive_whole_before_a_deadline() {
    isolated(|| {
        let sent = distinct_bytes(8 << 20);
        on_each_kind(|Pipe { reader, writer }| {
            let by = Deadline::NEVER;
            let (reader, child) =
                apart(reader, writer, |writer| writer.write_all_until(&sent, by).unwrap());
            let mut received = vec![MaybeUninit::uninit(); sent.len() + 1];
            let received = reader.read_all_until(received.as_mut_slice(), by).unwrap();
            assert!(received == sent);
            join(child);
        });
    });
}

#[test]
fn read_all_takes_no_more_than_there_is_room_for() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"first.second.").unwrap();
        assert_eq!(reader.read_all(&mut [0; 6]).unwrap(), b"first.");
        assert_eq!(reader.read_all_until(&mut [0; 7], Deadline::now()).unwrap(), b"second.");
    });
}

#[test]
fn read_all_waits_for_what_comes_in_pieces() {
    isolated(|| {
        type ReadAll = fn(&Reader, &mut [u8; 6]) -> Result<usize, Incomplete>;
        let forms: [(libc::c_long, ReadAll); 2] = [
            (libc::SYS_read, |reader, buffer| Ok(reader.read_all(buffer)?.len())),
            (libc::SYS_ppoll, |reader, buffer| {
                Ok(reader.read_all_until(buffer, Deadline::after(SOON))?.len())
            }),
        ];
        for (call, read_all) in forms {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let child = child(|| {
                let mut buffer = [0; 6];
                assert_eq!(read_all(&reader, &mut buffer), Ok(6));
                assert_eq!(&buffer, b"abcdef");
            });
            for piece in [b"ab", b"cd", b"ef"] {
                eventually("it was taken", || reader.bytes_waiting() == Ok(0));
                sleeps_in(child.id(), call);
                writer.write(piece).unwrap();
            }
            join(child);
        }
    });
}

#[test]
fn write_all_tells_how_far_it_came_when_the_reader_goes() {
    isolated(|| {
        type WriteAll = fn(&Writer, &[u8]) -> Result<(), Incomplete>;
        let forms: [(libc::c_long, WriteAll); 2] = [
            (libc::SYS_write, Writer::write_all),
            (libc::SYS_ppoll, |writer, bytes| writer.write_all_until(bytes, Deadline::after(SOON))),
        ];
        for (call, write_all) in forms {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let room = writer.capacity().unwrap();
            let (reader, child) = apart(reader, writer, |writer| {
                let stopped = write_all(&writer, &vec![0; room + 1000]);
                assert_eq!(came_to(stopped), (room, Errno::PIPE));
            });
            sleeps_in(child.id(), call);
            drop(reader);
            join(child);
        }
    });
}

#[test]
fn write_all_tells_how_far_it_came_by_the_deadline() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            let room = writer.capacity().unwrap();
            let by = Deadline::after(Duration::from_millis(10));
            let stopped = writer.write_all_until(&vec![0; room + 1000], by);
            assert_eq!(came_to(stopped), (room, Errno::TIMEDOUT));
            assert!(by.has_passed());
            assert_eq!(reader.bytes_waiting(), Ok(room));
        });
    });
}

#[test]
fn write_all_tells_how_far_it_came_without_waiting() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        let room = writer.capacity().unwrap();
        let stopped = writer.write_all(&vec![0; room + 1000]);
        assert_eq!(came_to(stopped), (room, Errno::AGAIN));
        assert_eq!(reader.bytes_waiting(), Ok(room));
    });
}

#[test]
fn read_all_tells_how_far_it_came_by_the_deadline() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            writer.write(b"half").unwrap();
            let mut buffer = *b"--------";
            let by = Deadline::after(Duration::from_millis(10));
            assert_eq!(came_to(reader.read_all_until(&mut buffer, by)), (4, Errno::TIMEDOUT));
            assert!(by.has_passed());
            assert_eq!(&buffer, b"half----");
        });
    });
}

#[test]
fn read_all_tells_how_far_it_came_without_waiting() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        writer.write(b"half").unwrap();
        let mut buffer = *b"--------";
        assert_eq!(came_to(reader.read_all(&mut buffer)), (4, Errno::AGAIN));
        assert_eq!(&buffer, b"half----");
    });
}

#[test]
fn incomplete_is_an_errno_to_who_does_not_ask_how_far() {
    isolated(|| {
        let Pipe { reader: _reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
        let room = writer.capacity().unwrap();
        let stopped = writer.write_all(&vec![0; room + 1]).unwrap_err();
        assert_eq!(Errno::from(stopped), Errno::AGAIN);
        assert_eq!(stopped.to_string(), format!("stopped after {room} bytes: {}", Errno::AGAIN));
        #[cfg(feature = "std")]
        assert_eq!(std::io::Error::from(stopped).kind(), std::io::ErrorKind::WouldBlock);
    });
}

// Deadlines.

#[test]
fn until_forms_give_up_at_the_deadline_and_not_before() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            for wait in [0, 1, 3, 20].map(Duration::from_millis) {
                for (form, read) in READS_UNTIL {
                    let by = Deadline::after(wait);
                    assert_eq!(read(&reader, by), Err(Errno::TIMEDOUT), "{form}");
                    assert!(by.has_passed(), "{form} gave up before its time");
                }
            }
            fill(&writer);
            for wait in [0, 1, 3, 20].map(Duration::from_millis) {
                for (form, write) in WRITES_UNTIL {
                    let by = Deadline::after(wait);
                    assert_eq!(write(&writer, b"x", by), Err(Errno::TIMEDOUT), "{form}");
                    assert!(by.has_passed(), "{form} gave up before its time");
                }
            }
        });
    });
}

#[test]
fn deadline_in_the_past_does_not_prevent_what_can_be_done_at_once() {
    isolated(|| {
        let past = Deadline::now();
        on_each_kind(|Pipe { reader, writer }| {
            for (form, write) in WRITES_UNTIL {
                assert_eq!(write(&writer, &[1; SOME], past), Ok(SOME), "{form}");
            }
            for (form, read) in READS_UNTIL {
                assert_eq!(read(&reader, past), Ok(SOME), "{form}");
            }
            drop(writer);
            for (form, read) in READS_UNTIL {
                assert_eq!(read(&reader, past), Ok(0), "{form}: the end of file");
            }
        });
    });
}

#[test]
fn far_deadlines_wait_for_the_other_side() {
    /// Where a timeout of 32 bits does not do, there is a call with a longer one.
    const POLLS: [libc::c_long; 2] = [libc::SYS_ppoll, 414];
    isolated(|| {
        let far = [
            Deadline::NEVER,
            Deadline::after(Duration::MAX),
            // More seconds than the kernel can count, and the most that it can.
            Deadline::after(Duration::from_secs(u64::MAX / 2 + 2)),
            Deadline::after(Duration::from_secs(u64::MAX / 2)),
        ];
        for by in far {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let child = child(|| {
                assert_eq!(reader.read_until(&mut [0; 8], by).unwrap(), b"at last");
                fill(&writer);
                assert_eq!(writer.write_until(&[0; 100], by), Ok(100));
            });
            sleeps_in_one_of(child.id(), &POLLS);
            stays_asleep(child.id());
            writer.write(b"at last").unwrap();
            eventually("the child has filled the pipe", || {
                reader.bytes_waiting() == writer.capacity()
            });
            sleeps_in_one_of(child.id(), &POLLS);
            stays_asleep(child.id());
            reader.read_all(vec![0; page_size()].as_mut_slice()).unwrap();
            join(child);
        }
    });
}

#[test]
fn of_two_readers_for_one_byte_the_loser_times_out() {
    isolated(|| {
        let forms: [ReadUntil; 2] =
            [("read_until", read_until), ("read_vectored_until", read_vectored_until)];
        on_each_kind(|pipe| {
            for (form, read) in forms {
                loser_times_out(
                    form,
                    |by| read(&pipe.reader, by),
                    || {
                        pipe.writer.write(b"x").unwrap();
                    },
                );
            }
        });
    });
}

#[test]
fn reader_that_is_told_of_bytes_and_finds_none_goes_on_waiting() {
    isolated(|| {
        for (form, read) in READS_UNTIL {
            on_each_kind(|Pipe { reader, writer }| {
                let (writer, child) =
                    apart(
                        writer,
                        (),
                        |()| {
                            while read(&reader, Deadline::NEVER).expect(form) > 0 {}
                        },
                    );
                told_in_vain(
                    &child,
                    || assert_eq!(writer.write(b"x"), Ok(1)),
                    || reader.try_read(&mut [0]).is_ok(),
                );
                drop(writer);
                join(child);
            });
        }
    });
}

#[test]
fn writer_that_is_told_of_room_and_finds_none_goes_on_waiting() {
    isolated(|| {
        let page = vec![0; page_size()];
        for (form, write) in WRITES_UNTIL {
            on_each_kind(|Pipe { reader, writer }| {
                fill(&writer);
                let (reader, child) = apart(reader, (), |()| {
                    let mut answer = Ok(page.len());
                    while answer == Ok(page.len()) {
                        answer = write(&writer, &page, Deadline::NEVER);
                    }
                    assert_eq!(answer, Err(Errno::PIPE), "{form}");
                });
                told_in_vain(
                    &child,
                    || assert!(reader.read_all(page.clone().as_mut_slice()).is_ok(), "{form}"),
                    || writer.try_write(&page).is_ok(),
                );
                drop(reader);
                join(child);
            });
        }
    });
}

#[test]
fn splice_and_tee_that_are_told_of_bytes_and_find_none_go_on_waiting() {
    isolated(|| {
        for (form, move_bytes) in MOVING_UNTIL {
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            let (up_writer, child) = apart(up.writer, (), |()| {
                while move_bytes(&up.reader, &down.writer, 64, Deadline::NEVER).expect(form) > 0 {
                    // What was only copied would be found again, and what was moved would fill up.
                    let _ = up.reader.try_read(&mut [0; 64]);
                    let _ = down.reader.try_read(&mut [0; 64]);
                }
            });
            told_in_vain(
                &child,
                || assert_eq!(up_writer.write(b"x"), Ok(1)),
                || up.reader.try_read(&mut [0]).is_ok(),
            );
            drop(up_writer);
            join(child);
        }
    });
}

/// Has a child, which waits again and again, be told that it can go on, stops it before it does,
/// takes back what it was told of, and checks that the child only waits again.
fn told_in_vain(child: &Child, give: impl Fn(), take_back: impl Fn() -> bool) {
    let stat = format!("/proc/{}/stat", child.id().as_raw_nonzero());
    let mut in_vain = false;
    while !in_vain {
        sleeps_in(child.id(), libc::SYS_ppoll);
        give();
        child.kill(Signal::STOP).unwrap();
        eventually("the child is stopped", || fs::read_to_string(&stat).unwrap().contains(") T "));
        // Else the child was faster this time.
        in_vain = take_back();
        child.kill(Signal::CONT).unwrap();
    }
    sleeps_in(child.id(), libc::SYS_ppoll);
}

#[test]
fn of_two_writers_for_one_page_the_loser_times_out() {
    isolated(|| {
        let page = vec![0; page_size()];
        on_each_kind(|pipe| {
            fill(&pipe.writer);
            for (form, write) in WRITES_UNTIL {
                loser_times_out(
                    form,
                    |by| write(&pipe.writer, &page, by),
                    || {
                        pipe.reader.read_all(page.clone().as_mut_slice()).unwrap();
                    },
                );
            }
        });
    });
}

/// Has two children wait for what there is only once, and checks that one of them gets it and the
/// other gives up, not before its time.
fn loser_times_out(form: &str, want: impl Fn(Deadline) -> Result<usize>, give: impl Fn()) {
    const GOT_IT: u8 = 1;
    const GAVE_UP: u8 = 2;
    let mut patience = Duration::from_millis(100);
    loop {
        let by = Deadline::after(patience);
        let results = Pipe::new().unwrap();
        let children = [(); 2].map(|()| {
            child(|| {
                let result = match want(by) {
                    Ok(_) => GOT_IT,
                    Err(errno) => {
                        assert_eq!(errno, Errno::TIMEDOUT, "{form}");
                        assert!(by.has_passed(), "{form} gave up before its time");
                        GAVE_UP
                    }
                };
                results.writer.write(&[result]).unwrap();
            })
        });
        eventually("both wait", || by.has_passed() || children.iter().all(polls));
        give();
        // Else the machine was too slow: they may have given up before there was anything to get.
        let in_time = !by.has_passed();
        children.into_iter().for_each(join);
        let mut two = [0; 2];
        results.reader.read_all(&mut two).unwrap();
        two.sort_unstable();
        if in_time {
            assert_eq!(two, [GOT_IT, GAVE_UP], "{form}");
            return;
        }
        if two == [GAVE_UP, GAVE_UP] {
            assert!(want(Deadline::now()).is_ok(), "{form}: it was for nobody");
        }
        patience *= 2;
    }
}

/// Whether a process sleeps in `poll`.
fn polls(process: &Child) -> bool {
    let path = format!("/proc/{}/syscall", process.id().as_raw_nonzero());
    let start = format!("{} ", libc::SYS_ppoll);
    fs::read_to_string(path).is_ok_and(|shown| shown.starts_with(&start))
}

// Signals.

#[test]
fn signal_interrupts_a_read_that_has_read_nothing() {
    isolated(|| {
        for (form, call, read) in SLEEPING_READS.into_iter().filter(|(form, ..)| !is_all(form)) {
            on_each_kind(|Pipe { reader, writer: _writer }| {
                with_one_signal(call, || assert_eq!(read(&reader), Err(Errno::INTR), "{form}"));
            });
        }
    });
}

#[test]
fn signal_interrupts_a_write_that_has_written_nothing() {
    isolated(|| {
        for (form, call, write) in SLEEPING_WRITES.into_iter().filter(|(form, ..)| !is_all(form)) {
            on_each_kind(|Pipe { reader, writer }| {
                fill(&writer);
                let held = reader.bytes_waiting();
                with_one_signal(call, || {
                    assert_eq!(write(&writer, b"x"), Err(Errno::INTR), "{form}");
                });
                assert_eq!(reader.bytes_waiting(), held, "{form}");
            });
        }
    });
}

/// Whether a form moves all there is, in spite of signals.
fn is_all(form: &str) -> bool {
    form.contains("_all")
}

#[test]
fn signal_that_restarts_calls_interrupts_only_the_until_forms() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let child = child(|| {
            let interruptions = Interruptions::restarting();
            assert_eq!(reader.read_until(&mut [0; 8], Deadline::after(SOON)), Err(Errno::INTR));
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"x");
            drop(interruptions);
        });
        sleeps_in(child.id(), libc::SYS_read);
        let before = naps(child.id());
        eventually("it was interrupted", || naps(child.id()) >= before + 3);
        writer.write(b"x").unwrap();
        join(child);
    });
}

#[test]
fn interrupted_write_returns_how_much_it_has_written() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let room = writer.capacity().unwrap();
        let bytes = distinct_bytes(room + 1000);
        let mut received = vec![0; room];
        let interruptions = Interruptions::start();
        assert_eq!(writer.write(&bytes), Ok(room));
        assert!(reader.read_all(received.as_mut_slice()).unwrap() == &bytes[..room]);
        assert_eq!(writer.write_vectored(&pieces(&bytes)), Ok(room));
        assert!(reader.read_all(received.as_mut_slice()).unwrap() == &bytes[..room]);
        drop(interruptions);
    });
}

#[test]
fn write_whose_reader_goes_half_way_returns_how_much_it_has_written() {
    isolated(|| {
        for (form, call, write) in &SLEEPING_WRITES[..2] {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let room = writer.capacity().unwrap();
            let (reader, child) = apart(reader, writer, |writer| {
                let bytes = vec![0; room + 1000];
                assert_eq!(write(&writer, &bytes), Ok(room), "{form}");
                assert_eq!(write(&writer, &bytes), Err(Errno::PIPE), "{form}, and then says so");
            });
            sleeps_in(child.id(), *call);
            drop(reader);
            join(child);
        }
    });
}

#[test]
fn read_all_goes_on_after_signals_and_loses_nothing() {
    isolated(|| {
        type ReadAll = for<'b> fn(&Reader, &'b mut [u8]) -> Result<&'b mut [u8], Incomplete>;
        let forms: [ReadAll; 2] = [
            |reader, buffer| reader.read_all(buffer),
            |reader, buffer| reader.read_all_until(buffer, Deadline::NEVER),
        ];
        let sent = distinct_bytes(1 << 20);
        for read_all in forms {
            on_each_kind(|Pipe { reader, writer }| {
                let parent = rawipc::process::id();
                let (reader, child) = apart(reader, writer, |writer| {
                    for piece in sent.chunks(1 << 16) {
                        writer.write_all(piece).unwrap();
                        let before = naps(parent);
                        eventually("the reader was interrupted", || naps(parent) >= before + 3);
                    }
                });
                let interruptions = Interruptions::start();
                let mut received = vec![0; sent.len() + 1];
                assert!(read_all(&reader, &mut received).unwrap() == sent);
                drop(interruptions);
                join(child);
            });
        }
    });
}

#[test]
fn write_all_goes_on_after_signals_and_loses_nothing() {
    isolated(|| {
        type WriteAll = fn(&Writer, &[u8]) -> Result<(), Incomplete>;
        let forms: [WriteAll; 2] =
            [Writer::write_all, |writer, bytes| writer.write_all_until(bytes, Deadline::NEVER)];
        let sent = distinct_bytes(1 << 20);
        for write_all in forms {
            on_each_kind(|Pipe { reader, writer }| {
                let parent = rawipc::process::id();
                let (writer, child) = apart(writer, reader, |reader| {
                    let mut received = vec![0; sent.len()];
                    for piece in received.chunks_mut(1 << 16).take(8) {
                        let before = naps(parent);
                        eventually("the writer was interrupted", || naps(parent) >= before + 3);
                        reader.read_all(piece).unwrap();
                    }
                    // What it waits for last is the end of file.
                    reader.read_all(&mut received[8 << 16..]).unwrap();
                    assert_eq!(reader.read(&mut [0; 1]).unwrap(), b"");
                    assert!(received == sent);
                });
                let interruptions = Interruptions::start();
                assert_eq!(write_all(&writer, &sent), Ok(()));
                drop(interruptions);
                drop(writer);
                join(child);
            });
        }
    });
}

// Packets.

#[test]
fn each_packet_is_read_by_itself() {
    isolated(|| {
        let by = Deadline::after(SOON);
        let Pipe { reader, writer } = Pipe::with(PipeFlags::DIRECT).unwrap();
        let (reader, child) = apart(reader, writer, |writer| {
            writer.write(b"one").unwrap();
            writer.write_vectored(&pieces(b"in three buffers")).unwrap();
            writer.write_until(b"before a deadline", by).unwrap();
            writer.write_all(&[7; PIPE_BUF]).unwrap();
            writer.write(b"last").unwrap();
        });
        // Only once all are there is it sure that none is read before the next is written.
        join(child);
        let mut packet = [0; PIPE_BUF];
        assert_eq!(reader.read(&mut packet).unwrap(), b"one");
        assert_eq!(reader.try_read(&mut packet).unwrap(), b"in three buffers");
        assert_eq!(reader.read_until(&mut packet, by).unwrap(), b"before a deadline");
        assert_eq!(reader.read(&mut packet).unwrap(), [7; PIPE_BUF]);
        let buffers = &mut [IoSliceMut::new(&mut packet)];
        assert_eq!(reader.read_vectored(buffers), Ok(4));
        assert_eq!(reader.read(&mut packet).unwrap(), b"", "the end of file");
    });
}

#[test]
fn rest_of_a_packet_that_does_not_fit_the_buffer_is_dropped() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::DIRECT).unwrap();
        for read in [3, 1, 7].map(|len| vec![0; len]) {
            writer.write(b"too long").unwrap();
            writer.write(b"next").unwrap();
            let mut short = read;
            let len = short.len();
            assert_eq!(reader.read(short.as_mut_slice()).unwrap(), &b"too long"[..len]);
            assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"next");
        }
    });
}

#[test]
fn write_longer_than_a_packet_becomes_several() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::DIRECT).unwrap();
        let sent = distinct_bytes(2 * page_size() + 10);
        assert_eq!(writer.write(&sent), Ok(sent.len()));
        let mut rest = sent.as_slice();
        let mut packet = vec![0; sent.len()];
        for expected in [page_size(), page_size(), 10] {
            let read = reader.read(packet.as_mut_slice()).unwrap();
            assert_eq!(read.len(), expected);
            let (now, later) = rest.split_at(expected);
            assert!(read == now);
            rest = later;
        }
        assert!(rest.is_empty());
    });
}

#[test]
fn empty_write_makes_no_packet() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::with(PipeFlags::DIRECT).unwrap();
        assert_eq!(writer.write(b""), Ok(0));
        assert_eq!(writer.try_write_vectored(&pieces(b"")), Ok(0));
        assert_eq!(reader.try_read(&mut [0; 8]), Err(Errno::AGAIN));
    });
}

#[test]
fn writes_that_never_wait_are_packets_too() {
    isolated(|| {
        let packets = || Pipe::with(PipeFlags::DIRECT).unwrap();
        tries_write_packets(packets());
        on_an_older_kernel(|| tries_write_packets(packets()));
        let fifo = fifo();
        rustix::fs::fcntl_setfl(&fifo.writer, OFlags::DIRECT).unwrap();
        tries_write_packets(fifo);
    });
}

fn tries_write_packets(Pipe { reader, writer }: Pipe) {
    let mut packet = [0; PIPE_BUF];
    for (form, write) in TRY_WRITES {
        assert_eq!(write(&writer, b"one"), Ok(3), "{form}");
        assert_eq!(write(&writer, b"another"), Ok(7), "{form}");
        assert_eq!(reader.read(&mut packet).unwrap(), b"one", "{form}");
        assert_eq!(reader.try_read(&mut packet).unwrap(), b"another", "{form}");
    }
    for (form, write) in WRITES_UNTIL {
        let by = Deadline::after(SOON);
        assert_eq!(write(&writer, b"one", by), Ok(3), "{form}");
        assert_eq!(write(&writer, b"another", by), Ok(7), "{form}");
        assert_eq!(reader.read(&mut packet).unwrap(), b"one", "{form}");
        assert_eq!(reader.read_until(&mut packet, by).unwrap(), b"another", "{form}");
    }
}

#[test]
fn writes_that_never_wait_do_not_make_packets_of_a_stream() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            writer.try_write(b"one").unwrap();
            writer.try_write(b"two").unwrap();
            assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"onetwo");
        });
    });
}

// Room.

#[test]
fn capacity_becomes_a_power_of_two_of_pages() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let page = page_size();
        for (asked, given) in
            [(0, 1), (1, 1), (page, 1), (page + 1, 2), (5 * page, 8), (8 * page, 8), (page, 1)]
        {
            assert_eq!(writer.set_capacity(asked), Ok(given * page), "for {asked}");
            assert_eq!(reader.capacity(), Ok(given * page), "for {asked}");
            assert_eq!(reader.set_capacity(asked), Ok(given * page), "at the other end too");
        }
    });
}

#[test]
fn capacity_is_what_another_process_made_it() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let four = 4 * page_size();
        join(child(|| assert_eq!(reader.set_capacity(four), Ok(four))));
        assert_eq!(writer.capacity(), Ok(four));
        let page = vec![0; page_size()];
        for _ in 0..4 {
            assert_eq!(writer.try_write(&page), Ok(page.len()));
        }
        assert_eq!(writer.try_write(&page), Err(Errno::AGAIN));
    });
}

#[test]
fn room_made_wakes_a_writer_that_sleeps() {
    isolated(|| {
        let Pipe { reader, writer } = full_pipe();
        let child = child(|| assert_eq!(writer.write(b"x"), Ok(1)));
        sleeps_in(child.id(), libc::SYS_write);
        reader.set_capacity(2 * reader.capacity().unwrap()).unwrap();
        join(child);
    });
}

#[test]
fn writes_of_part_of_a_page_fill_a_pipe_with_less_than_its_capacity() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let three_quarters = vec![0; page_size() / 4 * 3];
        while writer.try_write(&three_quarters).is_ok() {}
        let pages = writer.capacity().unwrap() / page_size();
        assert_eq!(reader.bytes_waiting(), Ok(pages * three_quarters.len()));
    });
}

#[test]
fn capacity_below_what_is_held_is_busy() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let before = writer.capacity().unwrap();
        writer.write_all(&vec![0; 3 * page_size()]).unwrap();
        assert_eq!(writer.set_capacity(2 * page_size()), Err(Errno::BUSY));
        assert_eq!(writer.capacity(), Ok(before));
        assert_eq!(reader.set_capacity(3 * page_size()), Ok(4 * page_size()));
    });
}

#[test]
fn capacity_above_the_systems_limit_takes_privilege() {
    isolated(|| {
        let limit = fs::read_to_string("/proc/sys/fs/pipe-max-size").unwrap();
        let limit: usize = limit.trim().parse().unwrap();
        let Pipe { reader: _reader, writer } = Pipe::new().unwrap();
        as_another_user(|| {
            assert_eq!(writer.set_capacity(limit), Ok(limit), "up to the limit it is granted");
            assert_eq!(writer.set_capacity(limit + 1), Err(Errno::PERM));
            assert_eq!(writer.capacity(), Ok(limit));
        });
    });
}

#[test]
fn capacity_above_two_gibibytes_is_invalid() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let before = writer.capacity();
        for bytes in [(1 << 31) + 1, usize::MAX - 1, usize::MAX] {
            assert_eq!(writer.set_capacity(bytes), Err(Errno::INVAL), "{bytes}");
            assert_eq!(reader.set_capacity(bytes), Err(Errno::INVAL), "{bytes}");
        }
        assert_eq!(writer.capacity(), before);
    });
}

#[test]
fn what_is_no_pipe_has_no_capacity() {
    isolated(|| {
        assert_eq!(Reader::from(null()).capacity(), Err(Errno::BADF));
        assert_eq!(Writer::from(null()).capacity(), Err(Errno::BADF));
        assert_eq!(Reader::from(null()).set_capacity(1), Err(Errno::BADF));
        assert_eq!(Writer::from(null()).set_capacity(1), Err(Errno::BADF));
    });
}

#[test]
fn bytes_waiting_are_counted_at_either_end() {
    isolated(|| {
        on_each_kind(|Pipe { reader, writer }| {
            assert_eq!((reader.bytes_waiting(), writer.bytes_waiting()), (Ok(0), Ok(0)));
            join(child(|| assert_eq!(writer.write(&[0; 5000]), Ok(5000))));
            assert_eq!((reader.bytes_waiting(), writer.bytes_waiting()), (Ok(5000), Ok(5000)));
            join(child(|| assert_eq!(reader.read(&mut [0; 3000]).unwrap().len(), 3000)));
            assert_eq!((reader.bytes_waiting(), writer.bytes_waiting()), (Ok(2000), Ok(2000)));
        });
    });
}

#[test]
fn what_cannot_tell_how_many_bytes_wait_is_no_tty() {
    isolated(|| {
        assert_eq!(Reader::from(null()).bytes_waiting(), Err(Errno::NOTTY));
        assert_eq!(Writer::from(null()).bytes_waiting(), Err(Errno::NOTTY));
    });
}

// Splice and tee.

/// A form of splice or tee that moves from one pipe to another: its name, the call it sleeps in,
/// whether it leaves the bytes in the first, itself.
type Moving = (&'static str, libc::c_long, bool, fn(&Reader, &Writer, usize) -> Result<usize>);

const MOVING: [Moving; 6] = [
    ("splice_to", libc::SYS_splice, false, |from, to, len| from.splice_to(to, len)),
    ("splice_from", libc::SYS_splice, false, |from, to, len| to.splice_from(from, len)),
    ("tee_to", libc::SYS_tee, true, Reader::tee_to),
    ("splice_to_until", libc::SYS_ppoll, false, |from, to, len| {
        from.splice_to_until(to, len, Deadline::after(SOON))
    }),
    ("splice_from_until", libc::SYS_ppoll, false, |from, to, len| {
        to.splice_from_until(from, len, Deadline::after(SOON))
    }),
    ("tee_to_until", libc::SYS_ppoll, true, |from, to, len| {
        from.tee_to_until(to, len, Deadline::after(SOON))
    }),
];

type TryMoving = (&'static str, fn(&Reader, &Writer, usize) -> Result<usize>);

const TRY_MOVING: [TryMoving; 3] = [
    ("try_splice_to", |from, to, len| from.try_splice_to(to, len)),
    ("try_splice_from", |from, to, len| to.try_splice_from(from, len)),
    ("try_tee_to", Reader::try_tee_to),
];

type MovingUntil = (&'static str, fn(&Reader, &Writer, usize, Deadline) -> Result<usize>);

const MOVING_UNTIL: [MovingUntil; 3] = [
    ("splice_to_until", |from, to, len, by| from.splice_to_until(to, len, by)),
    ("splice_from_until", |from, to, len, by| to.splice_from_until(from, len, by)),
    ("tee_to_until", Reader::tee_to_until),
];

#[test]
fn splice_moves_the_bytes_and_tee_copies_them() {
    isolated(|| {
        for (form, _, stays, move_bytes) in MOVING {
            for (up, down) in [(Pipe::new().unwrap(), fifo()), (fifo(), Pipe::new().unwrap())] {
                up.writer.write(b"some bytes").unwrap();
                assert_eq!(move_bytes(&up.reader, &down.writer, 4), Ok(4), "{form}");
                assert_eq!(down.reader.read(&mut [0; 16]).unwrap(), b"some", "{form}");
                let left = if stays { &b"some bytes"[..] } else { b" bytes" };
                assert_eq!(up.reader.read(&mut [0; 16]).unwrap(), left, "{form}");
            }
        }
    });
}

#[test]
fn try_forms_of_splice_and_tee_move_what_is_there() {
    isolated(|| {
        for (form, move_bytes) in TRY_MOVING {
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            up.writer.write(b"some bytes").unwrap();
            assert_eq!(move_bytes(&up.reader, &down.writer, 4), Ok(4), "{form}");
            assert_eq!(move_bytes(&up.reader, &down.writer, 100).map(|n| n >= 6), Ok(true));
            let mut moved = [0; 32];
            assert!(down.reader.read(&mut moved).unwrap().starts_with(b"some"), "{form}");
        }
    });
}

#[test]
fn splice_relays_a_stream_between_other_processes() {
    isolated(|| {
        let sent = distinct_bytes(4 << 20);
        for form in [MOVING[0], MOVING[1], MOVING[3], MOVING[4]] {
            let (name, _, _, move_bytes) = form;
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            let (ends, source) = apart((up.reader, down), up.writer, |writer| {
                writer.write_all(&sent).unwrap();
            });
            let (up, down) = ends;
            let (reader, relay) = apart(down.reader, (up, down.writer), |(reader, writer)| {
                while move_bytes(&reader, &writer, 1 << 16).unwrap() > 0 {}
            });
            let mut received = vec![0; sent.len() + 1];
            assert!(reader.read_all(received.as_mut_slice()).unwrap() == sent, "{name}");
            join(source);
            join(relay);
        }
    });
}

#[test]
fn tee_lets_two_processes_read_the_same_stream() {
    isolated(|| {
        let sent = distinct_bytes(1 << 20);
        let (main, log) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let (ends, source) = apart((main.reader, log), main.writer, |writer| {
            writer.write_all(&sent).unwrap();
        });
        let (main, log) = ends;
        let (log, logger) = apart((main, log.writer), log.reader, |log| {
            let mut received = vec![0; sent.len() + 1];
            assert!(log.read_all(received.as_mut_slice()).unwrap() == sent);
        });
        let (main, log) = log;
        let mut received = vec![0; sent.len()];
        let mut position = 0;
        loop {
            let copied = main.tee_to(&log, 1 << 16).unwrap();
            if copied == 0 {
                break;
            }
            position += main.read_all(&mut received[position..position + copied]).unwrap().len();
        }
        assert!(received == sent);
        drop(log);
        join(source);
        join(logger);
    });
}

#[test]
fn splice_and_tee_sleep_until_there_are_bytes_and_then_until_there_is_room() {
    isolated(|| {
        for (form, call, _, move_bytes) in MOVING {
            let (up, down) = (Pipe::new().unwrap(), full_pipe());
            let child =
                child(|| assert_eq!(move_bytes(&up.reader, &down.writer, 64), Ok(5), "{form}"));
            sleeps_in(child.id(), call);
            stays_asleep(child.id());
            let before = naps(child.id());
            up.writer.write(b"bytes").unwrap();
            eventually("it has seen the bytes", || naps(child.id()) > before);
            sleeps_in(child.id(), call);
            stays_asleep(child.id());
            let mut dots = vec![0; down.writer.capacity().unwrap()];
            down.reader.read_all(dots.as_mut_slice()).unwrap();
            join(child);
            assert_eq!(down.reader.read(&mut [0; 16]).unwrap(), b"bytes", "{form}");
        }
    });
}

#[test]
fn splice_and_tee_end_where_the_pipe_ends() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let down = Pipe::new().unwrap();
        drop(writer);
        for (form, _, _, move_bytes) in MOVING {
            assert_eq!(move_bytes(&reader, &down.writer, 64), Ok(0), "{form}");
        }
        for (form, move_bytes) in TRY_MOVING {
            assert_eq!(move_bytes(&reader, &down.writer, 64), Ok(0), "{form}");
        }
    });
}

#[test]
fn end_of_file_wakes_splice_and_tee() {
    isolated(|| {
        for (form, call, _, move_bytes) in MOVING {
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            let (writer, child) = apart(up.writer, up.reader, |reader| {
                assert_eq!(move_bytes(&reader, &down.writer, 64), Ok(0), "{form}");
            });
            sleeps_in(child.id(), call);
            drop(writer);
            join(child);
        }
    });
}

#[test]
fn splice_and_tee_say_pipe_where_nobody_reads() {
    isolated(|| {
        let (up, Pipe { reader, writer }) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        up.writer.write(b"x").unwrap();
        drop(reader);
        for (form, _, _, move_bytes) in MOVING {
            assert_eq!(move_bytes(&up.reader, &writer, 64), Err(Errno::PIPE), "{form}");
        }
        for (form, move_bytes) in TRY_MOVING {
            assert_eq!(move_bytes(&up.reader, &writer, 64), Err(Errno::PIPE), "{form}");
        }
        assert_eq!(up.reader.bytes_waiting(), Ok(1), "and nothing is lost");
    });
}

#[test]
fn splice_and_tee_are_woken_when_the_last_reader_goes() {
    isolated(|| {
        for (form, call, _, move_bytes) in MOVING {
            let (up, Pipe { reader, writer }) = (Pipe::new().unwrap(), full_pipe());
            up.writer.write(b"x").unwrap();
            let (reader, child) = apart(reader, writer, |writer| {
                assert_eq!(move_bytes(&up.reader, &writer, 64), Err(Errno::PIPE), "{form}");
            });
            sleeps_in(child.id(), call);
            drop(reader);
            join(child);
        }
    });
}

#[test]
fn splice_and_tee_refuse_the_same_pipe() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"x").unwrap();
        for (form, _, _, move_bytes) in MOVING {
            assert_eq!(move_bytes(&reader, &writer, 64), Err(Errno::INVAL), "{form}");
        }
        for (form, move_bytes) in TRY_MOVING {
            assert_eq!(move_bytes(&reader, &writer, 64), Err(Errno::INVAL), "{form}");
        }
    });
}

#[test]
fn try_forms_of_splice_and_tee_say_again_where_others_would_wait() {
    isolated(|| {
        for (form, move_bytes) in TRY_MOVING {
            let (up, down) = (Pipe::new().unwrap(), full_pipe());
            assert_eq!(move_bytes(&up.reader, &down.writer, 64), Err(Errno::AGAIN), "{form}");
            up.writer.write(b"x").unwrap();
            assert_eq!(move_bytes(&up.reader, &down.writer, 64), Err(Errno::AGAIN), "{form}");
            assert_eq!(up.reader.bytes_waiting(), Ok(1), "{form}");
            assert_eq!(up.reader.is_nonblocking(), Ok(false), "{form}");
            assert_eq!(down.writer.is_nonblocking(), Ok(false), "{form}");
        }
    });
}

#[test]
fn splice_and_tee_say_again_if_one_of_the_two_is_nonblocking() {
    isolated(|| {
        for (form, _, _, move_bytes) in &MOVING[..3] {
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            up.reader.set_nonblocking(true).unwrap();
            assert_eq!(move_bytes(&up.reader, &down.writer, 64), Err(Errno::AGAIN), "{form}");
            up.reader.set_nonblocking(false).unwrap();
            up.writer.write(b"x").unwrap();
            fill(&down.writer);
            down.writer.set_nonblocking(true).unwrap();
            assert_eq!(move_bytes(&up.reader, &down.writer, 64), Err(Errno::AGAIN), "{form}");
        }
    });
}

#[test]
fn splice_and_tee_give_up_at_the_deadline_and_not_before() {
    isolated(|| {
        for (form, move_bytes) in MOVING_UNTIL {
            let (up, down) = (Pipe::new().unwrap(), full_pipe());
            for bytes in [&b""[..], b"x"] {
                up.writer.write(bytes).unwrap();
                for wait in [0, 1, 3, 20].map(Duration::from_millis) {
                    let by = Deadline::after(wait);
                    let nothing = move_bytes(&up.reader, &down.writer, 64, by);
                    assert_eq!(nothing, Err(Errno::TIMEDOUT), "{form}");
                    assert!(by.has_passed(), "{form} gave up before its time");
                }
            }
        }
    });
}

#[test]
fn splice_and_tee_do_what_they_can_after_the_deadline() {
    isolated(|| {
        let past = Deadline::now();
        for (form, move_bytes) in MOVING_UNTIL {
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            up.writer.write(b"bytes").unwrap();
            assert_eq!(move_bytes(&up.reader, &down.writer, 64, past), Ok(5), "{form}");
        }
    });
}

#[test]
fn signal_interrupts_splice_and_tee_that_have_moved_nothing() {
    isolated(|| {
        for (form, call, _, move_bytes) in MOVING {
            let (up, down) = (Pipe::new().unwrap(), full_pipe());
            let task = || {
                let moved = move_bytes(&up.reader, &down.writer, 64);
                assert_eq!(moved, Err(Errno::INTR), "{form}");
            };
            with_one_signal(call, task);
            up.writer.write(b"there are bytes, but no room").unwrap();
            with_one_signal(call, task);
            assert_eq!(up.reader.bytes_waiting(), Ok(28), "{form}");
        }
    });
}

#[test]
fn signal_interrupts_splice_from_a_file_to_a_full_pipe() {
    isolated(|| {
        let Pipe { reader: _reader, writer } = full_pipe();
        let mut file = file_of(b"from a file");
        with_one_signal(libc::SYS_splice, || {
            assert_eq!(writer.splice_from(&file, 64), Err(Errno::INTR));
        });
        with_one_signal(libc::SYS_ppoll, || {
            let by = Deadline::NEVER;
            assert_eq!(writer.splice_from_until(&file, 64, by), Err(Errno::INTR));
        });
        assert_eq!(file.stream_position().unwrap(), 0);
    });
}

#[test]
fn signal_interrupts_splice_from_a_socket_that_says_nothing() {
    isolated(|| {
        let Pipe { reader: _reader, writer } = Pipe::new().unwrap();
        let (_here, there) = UnixStream::pair().unwrap();
        with_one_signal(libc::SYS_splice, || {
            assert_eq!(writer.splice_from(&there, 64), Err(Errno::INTR));
        });
        with_one_signal(libc::SYS_ppoll, || {
            let by = Deadline::NEVER;
            assert_eq!(writer.splice_from_until(&there, 64, by), Err(Errno::INTR));
        });
    });
}

/// A file without a name, at its start.
fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn splice_reads_a_file_at_its_own_position() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let file = file_of(b"one two three");
        let past = Deadline::now();
        assert_eq!(writer.splice_from(&file, 4), Ok(4));
        assert_eq!(writer.try_splice_from(&file, 4), Ok(4));
        assert_eq!(writer.splice_from_until(&file, 64, past), Ok(5));
        assert_eq!(reader.read(&mut [0; 64]).unwrap(), b"one two three");
        assert_eq!(writer.splice_from(&file, 64), Ok(0), "the end of the file");
        assert_eq!(writer.try_splice_from(&file, 64), Ok(0));
        assert_eq!(writer.splice_from_until(&file, 64, past), Ok(0));
    });
}

#[test]
fn splice_writes_a_file_at_its_own_position() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let mut file = file_of(b"");
        writer.write(b"one two three").unwrap();
        assert_eq!(reader.splice_to(&file, 4), Ok(4));
        assert_eq!(reader.try_splice_to(&file, 4), Ok(4));
        assert_eq!(reader.splice_to_until(&file, 64, Deadline::now()), Ok(5));
        let mut written = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut written).unwrap();
        assert_eq!(written, "one two three");
    });
}

#[test]
fn splice_from_a_file_waits_for_room() {
    isolated(|| {
        type Splice = (libc::c_long, fn(&Writer, &File) -> Result<usize>);
        let forms: [Splice; 2] = [
            (libc::SYS_splice, |writer, file| writer.splice_from(file, 64)),
            (libc::SYS_ppoll, |writer, file| {
                writer.splice_from_until(file, 64, Deadline::after(SOON))
            }),
        ];
        for (call, splice) in forms {
            let Pipe { reader, writer } = full_pipe();
            let file = file_of(b"from a file");
            assert_eq!(writer.try_splice_from(&file, 64), Err(Errno::AGAIN));
            let soon = Deadline::after(Duration::from_millis(5));
            assert_eq!(writer.splice_from_until(&file, 64, soon), Err(Errno::TIMEDOUT));
            assert!(soon.has_passed());
            let child = child(|| assert_eq!(splice(&writer, &file), Ok(11)));
            sleeps_in(child.id(), call);
            let mut dots = vec![0; writer.capacity().unwrap()];
            reader.read_all(dots.as_mut_slice()).unwrap();
            join(child);
            assert_eq!(reader.read(&mut [0; 64]).unwrap(), b"from a file");
        }
    });
}

#[test]
fn splice_passes_bytes_from_a_pipe_to_a_socket() {
    isolated(|| {
        let forms: [fn(&Reader, &UnixStream) -> Result<usize>; 3] = [
            |reader, socket| reader.splice_to(socket, 64),
            |reader, socket| reader.try_splice_to(socket, 64),
            |reader, socket| reader.splice_to_until(socket, 64, Deadline::now()),
        ];
        let (mut here, there) = UnixStream::pair().unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        for splice in forms {
            writer.write(b"bytes").unwrap();
            join(child(|| assert_eq!(splice(&reader, &there), Ok(5))));
            let mut bytes = [0; 5];
            here.read_exact(&mut bytes).unwrap();
            assert_eq!(&bytes, b"bytes");
        }
        drop(here);
        writer.write(b"bytes").unwrap();
        for splice in forms {
            assert_eq!(splice(&reader, &there), Err(Errno::PIPE), "what writing to it gives");
        }
    });
}

#[test]
fn splice_passes_bytes_from_a_socket_to_a_pipe() {
    isolated(|| {
        let forms: [fn(&Writer, &UnixStream) -> Result<usize>; 3] = [
            |writer, socket| writer.splice_from(socket, 64),
            |writer, socket| writer.try_splice_from(socket, 64),
            |writer, socket| writer.splice_from_until(socket, 64, Deadline::now()),
        ];
        let (mut here, there) = UnixStream::pair().unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        for splice in forms {
            here.write_all(b"bytes").unwrap();
            join(child(|| assert_eq!(splice(&writer, &there), Ok(5))));
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"bytes");
        }
        drop(here);
        for splice in forms {
            assert_eq!(splice(&writer, &there), Ok(0), "the end of the stream");
        }
    });
}

#[test]
fn splice_waits_for_a_nonblocking_socket_until_the_deadline() {
    isolated(|| {
        let (mut here, there) = UnixStream::pair().unwrap();
        there.set_nonblocking(true).unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let soon = Deadline::after(Duration::from_millis(5));
        assert_eq!(writer.splice_from(&there, 64), Err(Errno::AGAIN));
        assert_eq!(writer.splice_from_until(&there, 64, soon), Err(Errno::TIMEDOUT));
        assert!(soon.has_passed());
        let child = child(|| {
            assert_eq!(writer.splice_from_until(&there, 64, Deadline::after(SOON)), Ok(4));
        });
        sleeps_in(child.id(), libc::SYS_ppoll);
        here.write_all(b"late").unwrap();
        join(child);
        assert_eq!(reader.read(&mut [0; 64]).unwrap(), b"late");

        while (&there).write(&[0; 4096]).is_ok() {}
        writer.write(b"no room").unwrap();
        let soon = Deadline::after(Duration::from_millis(5));
        assert_eq!(reader.splice_to(&there, 64), Err(Errno::AGAIN));
        assert_eq!(reader.splice_to_until(&there, 64, soon), Err(Errno::TIMEDOUT));
        assert!(soon.has_passed());
        assert_eq!(reader.bytes_waiting(), Ok(7));
    });
}

#[test]
fn try_splice_sleeps_for_a_socket_that_is_blocking() {
    isolated(|| {
        let (here, there) = UnixStream::pair().unwrap();
        there.set_nonblocking(true).unwrap();
        let mut held = 0;
        while let Ok(written) = (&there).write(&[0; 4096]) {
            held += written;
        }
        there.set_nonblocking(false).unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"late").unwrap();
        let child = child(|| assert_eq!(reader.try_splice_to(&there, 64), Ok(4)));
        sleeps_in(child.id(), libc::SYS_splice);
        let mut all = vec![0; held + 4];
        (&here).read_exact(&mut all).unwrap();
        join(child);
        assert!(all.ends_with(b"late"));
    });
}

#[test]
fn splice_refuses_what_cannot_be_spliced() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"x").unwrap();
        let path = support::path("log");
        let append = File::options().create(true).append(true).open(&path).unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(reader.splice_to(&append, 64), Err(Errno::INVAL), "append mode");
        assert_eq!(reader.try_splice_to(&append, 64), Err(Errno::INVAL));
        assert_eq!(reader.splice_to_until(&append, 64, Deadline::now()), Err(Errno::INVAL));

        let epoll =
            rustix::event::epoll::create(rustix::event::epoll::CreateFlags::CLOEXEC).unwrap();
        assert_eq!(reader.splice_to(&epoll, 64), Err(Errno::INVAL));
        assert_eq!(writer.splice_from(&epoll, 64), Err(Errno::INVAL));
        assert_eq!(writer.try_splice_from(&epoll, 64), Err(Errno::INVAL));
        assert_eq!(writer.splice_from_until(&epoll, 64, Deadline::now()), Err(Errno::INVAL));
        assert_eq!(reader.bytes_waiting(), Ok(1));
    });
}

#[test]
fn splice_passes_on_what_the_other_side_says() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"x").unwrap();
        let path = support::path("file");
        let write_only = File::create(&path).unwrap();
        let read_only = File::open(&path).unwrap();
        fs::remove_file(path).unwrap();
        assert_eq!(reader.splice_to(&read_only, 64), Err(Errno::BADF));
        assert_eq!(writer.splice_from(&write_only, 64), Err(Errno::BADF));
        assert_eq!(reader.bytes_waiting(), Ok(1));
    });
}

#[test]
fn tee_takes_two_pipes() {
    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        writer.write(b"x").unwrap();
        let (null_reader, null_writer) = (Reader::from(null()), Writer::from(null()));
        let by = Deadline::after(SOON);
        assert_eq!(reader.tee_to(&null_writer, 64), Err(Errno::INVAL));
        assert_eq!(reader.try_tee_to(&null_writer, 64), Err(Errno::INVAL));
        assert_eq!(reader.tee_to_until(&null_writer, 64, by), Err(Errno::INVAL));
        assert_eq!(null_reader.tee_to(&writer, 64), Err(Errno::INVAL));
        assert_eq!(null_reader.try_tee_to(&writer, 64), Err(Errno::INVAL));
        assert_eq!(null_reader.tee_to_until(&writer, 64, by), Err(Errno::INVAL));
    });
}

// The standard library's traits.

#[cfg(feature = "std")]
mod with_std {
    use std::io::{self, ErrorKind, Read, Write};
    use std::process::Stdio;

    use super::*;

    #[test]
    fn ends_are_read_and_write_by_value() {
        isolated(|| {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let (mut reader, child) = apart(reader, writer, |mut writer| {
                write!(writer, "ten is {}", 10).unwrap();
                writer.flush().unwrap();
            });
            join(child);
            let mut text = String::new();
            assert_eq!(reader.read_to_string(&mut text).unwrap(), 9);
            assert_eq!(text, "ten is 10");
        });
    }

    #[test]
    fn ends_are_read_and_write_by_reference() {
        isolated(|| {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            Write::write_all(&mut &writer, b"shared").unwrap();
            let mut buffer = [0; 6];
            (&reader).read_exact(&mut buffer).unwrap();
            assert_eq!(&buffer, b"shared");
        });
    }

    #[test]
    fn vectored_forms_use_all_buffers_in_one_call() {
        fn check(mut reader: impl Read, mut writer: impl Write) {
            assert_eq!(writer.write_vectored(&pieces(b"together")).unwrap(), 8);
            let (mut first, mut second) = ([0; 3], [0; 8]);
            let buffers = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            assert_eq!(reader.read_vectored(buffers).unwrap(), 8);
            assert_eq!((&first, &second[..5]), (b"tog", &b"ether"[..]));
        }
        isolated(|| {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            check(&reader, &writer);
            check(reader, writer);
        });
    }

    #[test]
    fn copy_goes_through_two_pipes_in_spite_of_signals() {
        isolated(|| {
            let sent = distinct_bytes(1 << 20);
            let parent = rawipc::process::id();
            let (up, down) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            let (ends, source) = apart((up.reader, down), up.writer, |mut writer| {
                for piece in sent.chunks(1 << 18) {
                    io::copy(&mut &*piece, &mut writer).unwrap();
                    let before = naps(parent);
                    eventually("the copier was interrupted", || naps(parent) >= before + 3);
                }
            });
            let (up, down) = ends;
            let ((writer, mut up), sink) = apart((down.writer, up), down.reader, |mut reader| {
                let mut received = Vec::new();
                reader.read_to_end(&mut received).unwrap();
                assert!(received == sent);
            });
            let interruptions = Interruptions::start();
            assert_eq!(io::copy(&mut up, &mut &writer).unwrap(), 1 << 20);
            drop((interruptions, writer));
            join(source);
            join(sink);
        });
    }

    #[test]
    fn errors_are_the_standard_librarys() {
        isolated(|| {
            let Pipe { mut reader, mut writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
            assert_eq!(
                Read::read(&mut reader, &mut [0]).unwrap_err().kind(),
                ErrorKind::WouldBlock
            );
            reader.set_nonblocking(false).unwrap();
            let interruptions = Interruptions::start();
            let interrupted = Read::read(&mut reader, &mut [0]).unwrap_err();
            assert_eq!(interrupted.kind(), ErrorKind::Interrupted);
            drop(interruptions);
            drop(reader);
            let broken = Write::write(&mut writer, b"x").unwrap_err();
            assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
            assert_eq!(broken.raw_os_error(), Some(libc::EPIPE));
        });
    }

    #[test]
    fn ends_are_a_commands_input_and_output() {
        isolated(|| {
            let (input, output) = (Pipe::new().unwrap(), Pipe::new().unwrap());
            let mut command = Command::new("tr");
            command.args(["a-z", "A-Z"]);
            command.stdin(Stdio::from(input.reader)).stdout(Stdio::from(output.writer));
            let mut child = command.spawn().unwrap();
            // It holds the ends that the child has got.
            drop(command);
            input.writer.write_all(b"loud").unwrap();
            drop(input.writer);
            assert_eq!(output.reader.read_all(&mut [0; 16]).unwrap(), b"LOUD");
            assert!(child.wait().unwrap().success());
        });
    }

    #[test]
    fn standard_streams_of_a_command_are_ends() {
        isolated(|| {
            let mut child = Command::new("sh")
                .args(["-c", "tr a-z A-Z; echo >&2 done"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let input = Writer::from(child.stdin.take().unwrap());
            let output = Reader::from(child.stdout.take().unwrap());
            let errors = Reader::from(child.stderr.take().unwrap());
            input.write_all(b"loud").unwrap();
            drop(input);
            let by = Deadline::after(SOON);
            assert_eq!(output.read_all_until(&mut [0; 16], by).unwrap(), b"LOUD");
            assert_eq!(errors.read_all_until(&mut [0; 16], by).unwrap(), b"done\n");
            assert!(child.wait().unwrap().success());
        });
    }
}
