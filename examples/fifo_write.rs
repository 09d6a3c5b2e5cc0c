//! Sends a message to whoever runs `fifo_read` in another terminal, before or after.
//!
//! ```sh
//! cargo run --example fifo_write [PATH]
//! cargo run --example fifo_read [PATH]
//! ```
//!
//! What happens between the two is told there.

use std::env;
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

    let writer = loop {
        match fifo.create(Mode::RUSR | Mode::WUSR) {
            // That it exists: the reader has come first.
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno).with_context(about),
        }
        match fifo.open_writer() {
            // It was that of an earlier pair, whose reader has just removed it.
            Err(Errno::NOENT) => {}
            opened => break opened.with_context(about)?,
        }
    };
    writer.write_all(format!("Hello from pid {}", process::id()).as_bytes())?;
    Ok(())
}
