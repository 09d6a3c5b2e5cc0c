//! Calls every public function of rawipc, in a process that holds nothing but this program.
//!
//! Wants an empty working directory. Says what it has been through, and exits with 0; with 101, and
//! where it stopped, if something is not as it should be.

#![no_std]
#![no_main]

#[cfg(feature = "allocating")]
mod allocating;
mod fifo;
mod ground;
#[path = "../../../examples/bare/src/memory.rs"]
mod memory;
mod pipe;
mod process;
mod queues;
mod rings;
#[path = "../../../examples/bare/src/runtime.rs"]
mod runtime;
mod shm;
mod socket;
mod sum;
mod sync;

use core::fmt::Write;

fn run() {
    ground::run();
    say("ground");
    sync::run().expect("sync");
    say("sync");
    pipe::run().expect("pipe");
    say("pipe");
    fifo::run().expect("fifo");
    say("fifo");
    socket::run().expect("socket");
    say("socket");
    queues::run().expect("queues");
    say("queues");
    shm::run().expect("shm");
    say("shm");
    rings::run();
    say("rings");
    sum::run();
    say("sum");
    process::run().expect("process");
    say("process");
    #[cfg(feature = "allocating")]
    allocating::run();
}

fn say(what: &str) {
    writeln!(runtime::Standard::output(), "{what}").expect("standard output");
}
