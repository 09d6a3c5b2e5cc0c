//! Processes.

use rawipc::pipe::Pipe;
use rawipc::process::{self, ExitStatus, Fork, Signal};
use rawipc::{Deadline, Errno};
use rustix::fd::AsFd as _;

pub fn run() -> Result<(), Errno> {
    // SAFETY: the child only exits.
    match unsafe { process::fork()? } {
        Fork::Child => process::exit(7),
        Fork::Parent(mut child) => assert_eq!(child.wait()?.code(), Some(7)),
    }

    let Pipe { reader, writer } = Pipe::new()?;
    let wait = || reader.read(&mut [0]).is_err().into();
    // SAFETY: the child makes one system call, which ends only with the child, as both hold the
    // writer.
    let mut child = unsafe { process::spawn(wait)? };
    assert!(child.id() != process::id());
    assert_eq!(child.try_wait()?, None);
    assert_eq!(child.wait_until(Deadline::now()), Err(Errno::TIMEDOUT));
    child.kill(Signal::KILL)?;
    let status = child.wait_until(Deadline::NEVER)?;
    assert_eq!(status, ExitStatus::Killed { signal: 9, core_dumped: false });
    assert!(status.is_killed_by(Signal::KILL) && !status.success());
    assert_eq!((status.signal(), status.core_dumped()), (Some(9), false));
    let _ = (child.as_fd(), writer);
    Ok(())
}
