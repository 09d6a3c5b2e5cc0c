//! Receives one message from whoever runs `mq_send` in another terminal, before or after, and
//! gives up if none comes in ten seconds.
//!
//! ```sh
//! cargo run --example mq_receive [QUEUE [SECONDS]]
//! cargo run --example mq_send TEXT [PRIORITY [QUEUE]]
//! ```
//!
//! Two processes that are no relatives, and need not even live at the same time, meet at a name.
//! Whoever comes first creates the queue; what is sent stays in it, the highest priority first,
//! until somebody receives it. The queue itself stays until it is unlinked or the machine is
//! restarted.

use core::time::Duration;
use std::env;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result, bail};
use rawipc::posix::mq::{Mode, Mq};
use rawipc::{Deadline, Errno, process};

fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "/rawipc-example".into());
    let seconds = arguments.next().map_or(Ok(10), |seconds| seconds.parse())?;
    let about = || name.clone();

    let parsed = name.parse().with_context(about)?;
    let queue = Mq::options().read_only().create(&parsed, Mode::RUSR | Mode::WUSR);
    let queue = queue.with_context(about)?;
    // A buffer has to have room for the longest message that the queue could hold.
    let mut buffer = vec![0; queue.attributes()?.message_size];
    let by = Deadline::after(Duration::from_secs(seconds));
    let message = match queue.receive_until(buffer.as_mut_slice(), by) {
        Err(Errno::TIMEDOUT) => bail!("{name}: no message in {seconds} seconds"),
        answer => answer.with_context(about)?,
    };

    let (pid, priority) = (process::id(), message.priority);
    let text = String::from_utf8_lossy(message.bytes);
    writeln!(io::stdout(), "I pid {pid} received a message of priority {priority} => {text}")?;
    Ok(())
}
