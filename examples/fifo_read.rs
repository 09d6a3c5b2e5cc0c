//! Receives a message from whoever runs `fifo_write` in another terminal, before or after.
//!
//! ```sh
//! cargo run --example fifo_read [PATH]
//! cargo run --example fifo_write [PATH]
//! ```
//!
//! Two processes that are no relatives meet at a path. Whoever comes first creates the FIFO, and
//! waits in `open` for the other. From then on it is a pipe like any other, and the path has done
//! its duty: it is removed, so that the next pair meets at a FIFO of its own.

use std::env;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rawipc::fifo::{Fifo, Mode};
use rawipc::{Errno, process};

fn main() -> Result<()> {
    let given = env::args_os().nth(1).map(PathBuf::from);
    let path = given.unwrap_or_else(|| env::temp_dir().join("rawipc-example.fifo"));
    let about = || path.display().to_string();
    let fifo = Fifo::new(path.as_os_str().as_bytes());

    match fifo.create(Mode::RUSR | Mode::WUSR) {
        // That it exists: the writer has come first.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno).with_context(about),
    }
    let reader = fifo.open_reader().with_context(about)?;
    fifo.unlink().with_context(about)?;

    // To the end, which is where the writer closes its side.
    let mut buffer = [0; 4096];
    let message = String::from_utf8_lossy(reader.read_all(&mut buffer)?);
    writeln!(io::stdout(), "I pid {} received a message => {message}", process::id())?;
    Ok(())
}
