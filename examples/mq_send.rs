//! Sends a message to whoever runs `mq_receive` in another terminal, before or after.
//!
//! ```sh
//! cargo run --example mq_send TEXT [PRIORITY [QUEUE]]
//! cargo run --example mq_receive [QUEUE [SECONDS]]
//! ```
//!
//! What happens between the two is told there.

use std::env;

use anyhow::{Context as _, Result};
use rawipc::posix::mq::{Mode, Mq};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let text = arguments.next().context("usage: mq_send TEXT [PRIORITY [QUEUE]]")?;
    let priority = arguments.next().map_or(Ok(0), |priority| priority.parse());
    let priority = priority.context("the priority is a number from 0 to 32767")?;
    let name = arguments.next().unwrap_or_else(|| "/rawipc-example".into());
    let about = || name.clone();

    let parsed = name.parse().with_context(about)?;
    let queue = Mq::options().write_only().create(&parsed, Mode::RUSR | Mode::WUSR);
    queue.with_context(about)?.send(text.as_bytes(), priority).with_context(about)
}
