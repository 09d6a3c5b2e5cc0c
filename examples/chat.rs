//! A chat over a queue in shared memory: several senders and one receiver, each a process.
//!
//! ```sh
//! cargo run --example chat
//! cargo run --example chat -- --senders 10
//! cargo run --example chat -- --terminate
//! ```
//!
//! The senders send plain text and JSON; sender 0 sends many in a row, more than the queue holds,
//! and waits for room in between. Each one's messages come in the order in which they were sent;
//! between two senders, the order is left to chance.
//!
//! The receiver does not know how many there will be. When all senders are done, the parent closes
//! the queue: the receiver gets what is still there, and then hears that it was the last.
//!
//! With `--terminate`, nobody closes the queue, and the receiver would wait for ever. The parent
//! kills it. Killed while it waits, it harms nobody: the parent shows that the queue still works.

use core::time::Duration;
use std::io::{self, Write as _};

use anyhow::{Context as _, Result, ensure};
use lexopt::prelude::*;
use rawipc::Deadline;
use rawipc::process::{self, Child, Signal};
use rawipc::queue::Mpmc;
use rawipc::shm::Shared;
use rawipc::sync::Semaphore;
use rawipc::zerocopy::{FromBytes, Immutable, IntoBytes};
use rustix::process::{getppid, set_parent_process_death_signal};
use serde_json::{Value, json};

/// How long somebody waits for what should come soon.
const PATIENCE: Duration = Duration::from_secs(10);

/// What sender 0 sends in a row.
const BURST: u32 = 20;

/// How many fit into the queue: fewer than come at once.
type Queue = Mpmc<Message, 8>;

/// What travels: of one size, as it is copied into the queue and out of it.
#[derive(Clone, Copy, FromBytes, Immutable, IntoBytes)]
#[zerocopy(crate = "rawipc::zerocopy")]
#[repr(C)]
struct Message {
    sender: u32,
    length: u32,
    text: [u8; Self::ROOM],
}

impl Message {
    const ROOM: usize = 240;

    fn new(sender: u32, text: &str) -> Result<Self> {
        let mut message = Self { sender, length: text.len().try_into()?, text: [0; Self::ROOM] };
        let place = message.text.get_mut(..text.len());
        place.context("too long for a message")?.copy_from_slice(text.as_bytes());
        Ok(message)
    }

    /// None, if somebody has sent what is no text.
    fn text(&self) -> Option<&str> {
        core::str::from_utf8(self.text.get(..self.length.try_into().ok()?)?).ok()
    }
}

fn main() -> Result<()> {
    let (mut senders, mut terminate) = (3, false);
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("senders") => senders = arguments.value()?.parse()?,
            Long("terminate") => terminate = true,
            Short('h') | Long("help") => {
                println!("Usage: chat [--senders N] [--terminate]");
                return Ok(());
            }
            _ => return Err(argument.unexpected().into()),
        }
    }

    let queue = Shared::anonymous(Queue::new())?;
    let shown = Shared::anonymous(Semaphore::new(0))?;
    let receiver = start(|| {
        // However it ends: nobody waits for room that will not come.
        let received = receive(&queue, &shown);
        queue.close();
        received
    })?;
    let children = (0..senders).map(|sender| start(|| send(&queue, sender)));
    let children = children.collect::<Result<Vec<_>>>()?;
    for (sender, mut child) in children.into_iter().enumerate() {
        let status = child.wait()?;
        ensure!(status.success(), "sender {sender}: {status}");
    }

    if terminate { kill(receiver, &queue, &shown, senders) } else { close(receiver, &queue) }
}

/// What a sender has to say.
fn texts(sender: u32) -> Vec<String> {
    let mut texts = vec!["good morning".to_owned(), json!({ "cups": sender + 1 }).to_string()];
    if sender == 0 {
        let numbered = |number| json!({ "number": number, "of": BURST }).to_string();
        texts.extend((1..=BURST).map(numbered));
    }
    texts.push("good night".to_owned());
    texts
}

fn send(queue: &Queue, sender: u32) -> Result<()> {
    for text in texts(sender) {
        // Not for ever: the receiver may have been killed.
        queue.push_until(Message::new(sender, &text)?, Deadline::after(PATIENCE))?;
    }
    Ok(())
}

/// Shows what comes, until the queue is closed.
fn receive(queue: &Queue, shown: &Semaphore) -> Result<()> {
    let mut count = 0;
    while let Ok(message) = queue.pop() {
        let sender = message.sender;
        let text = message.text().with_context(|| format!("sender {sender} sends no text"))?;
        match serde_json::from_str::<Value>(text) {
            Ok(json) => writeln!(io::stdout(), "sender {sender}, in JSON: {json}")?,
            Err(_) => writeln!(io::stdout(), "sender {sender}: {text}")?,
        }
        shown.post()?;
        count += 1;
    }
    Ok(writeln!(io::stdout(), "the queue is closed, after {count} messages")?)
}

fn close(mut receiver: Child, queue: &Queue) -> Result<()> {
    queue.close();
    let status = receiver.wait()?;
    ensure!(status.success(), "the receiver: {status}");
    Ok(())
}

fn kill(mut receiver: Child, queue: &Queue, shown: &Semaphore, senders: u32) -> Result<()> {
    let soon = Deadline::after(PATIENCE);
    for _ in (0..senders).flat_map(texts) {
        shown.wait_until(soon)?;
    }
    ensure!(receiver.try_wait()?.is_none(), "the receiver has ended by itself");
    receiver.kill(Signal::KILL)?;
    println!("the receiver was {}", receiver.wait()?);

    queue.push_until(Message::new(senders, "is anybody there?")?, soon)?;
    let message = queue.pop_until(soon)?;
    println!("and the queue has: {}", message.text().context("no text")?);
    Ok(())
}

/// Forks a child that ends with its task; or with this process, if that is earlier.
fn start(task: impl FnOnce() -> Result<()>) -> Result<Child> {
    let parent = process::id();
    let follow = || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        ensure!(getppid() == Some(parent), "left alone"); // the parent had gone before that
        Ok(())
    };
    let task = || match follow().and_then(|()| task()) {
        Ok(()) => 0,
        Err(error) => {
            let _nobody_listens = writeln!(io::stderr(), "{error:#}");
            1
        }
    };
    // SAFETY: this process has one thread. The children use the queue and the semaphore through
    // shared references only; nothing is owned twice.
    Ok(unsafe { process::spawn(task)? })
}
