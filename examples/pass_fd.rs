//! Hands an open file to another process, which could not have opened it by itself.
//!
//! ```sh
//! cargo run --example pass_fd [PATH]
//! ```
//!
//! What goes over the socket is not the number of a descriptor, which means nothing elsewhere, but
//! the open file: the kernel gives the receiver a descriptor of its own for it (`SCM_RIGHTS`). So
//! can a process with rights open files, devices or sockets for one that has none.

use std::env;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use rawipc::IoSlice;
use rawipc::process::{self, Fork};
use rawipc::socket::{Ancillary, Descriptors, SeqPacket};

fn main() -> Result<()> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let path = env::args_os().nth(1).map_or_else(default, PathBuf::from);

    let (parents, childs) = SeqPacket::pair()?;
    // SAFETY: this process has one thread, and each side gives up the other's socket at once.
    match unsafe { process::fork()? } {
        Fork::Child => {
            drop(parents);
            process::exit(receive(&childs).map_or_else(|error| complain(&error), |()| 0))
        }
        Fork::Parent(mut child) => {
            drop(childs);
            // Opened after the fork: the child has not inherited it.
            let sent = send(&parents, &path);
            // If nothing was sent, the child finds the end.
            drop(parents);
            let status = child.wait()?;
            sent?;
            ensure!(status.success(), "the child {status}");
            Ok(())
        }
    }
}

fn send(socket: &SeqPacket, path: &Path) -> Result<()> {
    let file = File::open(path).with_context(|| path.display().to_string())?;
    // A message carries descriptors beside its bytes, and here they are all that matters.
    let text = [IoSlice::new(b"a file")];
    socket.send_with(&text, Ancillary::new().descriptors(&[file.as_fd()]))?;
    Ok(())
}

fn receive(socket: &SeqPacket) -> Result<()> {
    let mut files = Descriptors::<1>::new();
    socket.receive_with(&mut [0; 16], &mut files)?.whole()?;
    let file = File::from(files.next().context("no file came")?);

    let mut line = String::new();
    BufReader::new(file).read_line(&mut line)?;
    let (pid, line) = (process::id(), line.trim_end());
    writeln!(io::stdout(), "I pid {pid} read through a descriptor that I never opened => {line}")?;
    Ok(())
}

fn complain(error: &anyhow::Error) -> u8 {
    let _nobody_listens = writeln!(io::stderr(), "child: {error:#}");
    1
}
