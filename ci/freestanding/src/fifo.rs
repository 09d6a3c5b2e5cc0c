//! FIFOs, in the working directory.

use rawipc::fifo::{Fifo, Mode};
use rawipc::{Deadline, Errno, process};
use rustix::fd::AsFd as _;
use rustix::fs::{CWD, Mode as FsMode, OFlags, openat};

pub fn run() -> Result<(), Errno> {
    let here = openat(CWD, ".", OFlags::RDONLY | OFlags::DIRECTORY, FsMode::empty())?;
    let fifo = Fifo::new("fifo");
    Fifo::at(here.as_fd(), &b"fifo"[..]).create(Mode::RUSR | Mode::WUSR)?;
    let now = Deadline::now();
    assert_eq!(fifo.try_open_writer().expect_err("nobody reads"), Errno::NXIO);
    assert_eq!(fifo.open_writer_until(now).expect_err("nobody reads"), Errno::TIMEDOUT);
    assert_eq!(fifo.open_reader_until(now).expect_err("nobody writes"), Errno::TIMEDOUT);

    let reader = fifo.try_open_reader()?;
    fifo.open_writer_until(Deadline::NEVER)?.write_all(b"by name")?;
    assert_eq!(reader.try_read(&mut [0; 16])?, b"by name");
    drop(reader);

    let write = || match fifo.open_writer() {
        Ok(writer) => writer.write_all(b"from the child").is_err().into(),
        Err(_) => 1,
    };
    // SAFETY: the child makes system calls only, and nothing is owned twice.
    let mut child = unsafe { process::spawn(write)? };
    assert_eq!(fifo.open_reader()?.read_all(&mut [0; 16])?, b"from the child");
    assert!(child.wait()?.success());
    Fifo::new(c"fifo").unlink()
}
