//! The other process: it writes what it is told to, again and again, until it is told to stop.

use core::array;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::OnceLock;

use rawipc::process::{self, Child, Signal};
use rawipc::shm::Shared;
use rustix::event::Timespec;
use rustix::process::{Pid, getppid, set_parent_process_death_signal};
use rustix::thread::futex;

use super::arena::Arena;
use super::write::Resolved;

/// How many writes it makes at most, one after the other, before it begins again.
const MOST_WRITES: usize = 16;

/// After so many passes it rests: as the queue for many has it, to move an end of it all the time
/// holds up those who only try, for as long as that goes on.
const TO_REST: u32 = 32;
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000 };

const PATIENCE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

/// The memory, and who writes there.
pub(super) struct Peer {
    arena: Arena,
    orders: Shared<Orders>,
    script: Shared<[AtomicU64; 2 * MOST_WRITES]>,
    child: OnceLock<Child>,
}

/// The turn, which is odd while it shall write; the last turn of which it knows; and how often it
/// has made all writes in this turn.
type Orders = [AtomicU32; 3];

/// A fuzzer forks it once, as a fork of so large a process takes long; a test that may leave
/// nothing behind, for each input anew.
pub(super) fn with(task: impl FnOnce(&Peer)) {
    static FORKED_ONCE: OnceLock<Peer> = OnceLock::new();
    if cfg!(fuzzing) { task(FORKED_ONCE.get_or_init(Peer::new)) } else { task(&Peer::new()) }
}

impl Peer {
    fn new() -> Self {
        Self {
            arena: Arena::new(),
            orders: Shared::anonymous_zeroed().expect("memory"),
            script: Shared::anonymous_zeroed().expect("memory"),
            child: OnceLock::new(),
        }
    }

    pub(super) fn arena(&self) -> &Arena {
        &self.arena
    }

    /// Has it write; returns when it does.
    pub(super) fn start(&self, script: impl Iterator<Item = Resolved>) {
        self.child.get_or_init(|| self.fork());
        self.script.iter().for_each(|word| word.store(0, Relaxed));
        for (pair, write) in self.script.chunks(2).zip(script) {
            pair.iter().zip(write.pack()).for_each(|(word, bits)| word.store(bits, Relaxed));
        }
        let [_, _, passes] = &*self.orders;
        passes.store(0, Relaxed);
        self.next_turn();
    }

    /// How often it has written all, in this turn.
    pub(super) fn passes(&self) -> u32 {
        let [_, _, passes] = &*self.orders;
        passes.load(Relaxed)
    }

    /// Returns when it does not write any more.
    pub(super) fn stop(&self) {
        self.next_turn();
    }

    fn next_turn(&self) {
        let [turn, known, _] = &*self.orders;
        let before = turn.fetch_add(1, Release);
        wake(turn);
        // Pairs with the Release in obey: what it has written is there, and no more will come.
        let mut waits = 0;
        while known.load(Acquire) == before {
            let _woken_or_late = futex::wait(known, futex::Flags::empty(), before, Some(&PATIENCE));
            waits += 1;
            assert!(waits < 10, "the peer is gone");
        }
    }

    fn fork(&self) -> Child {
        let parent = process::id();
        // SAFETY: the child makes system calls and atomic accesses only, and never returns. What it
        // has is shared memory.
        unsafe { process::spawn(|| self.obey(parent)) }.expect("fork")
    }

    /// What it does: in the child.
    fn obey(&self, parent: Pid) -> ! {
        let is_bound = set_parent_process_death_signal(Some(Signal::KILL)).is_ok();
        if !is_bound || getppid() != Some(parent) {
            process::exit(1);
        }
        let [turn, known, passes] = &*self.orders;
        let mut mine = 0;
        loop {
            while turn.load(Acquire) == mine {
                let _woken = futex::wait(turn, futex::Flags::empty(), mine, None);
            }
            mine = turn.load(Acquire);
            known.store(mine, Release);
            wake(known);
            while mine % 2 == 1 && turn.load(Relaxed) == mine {
                self.script.chunks(2).for_each(|pair| {
                    let write = Resolved::unpack(array::from_fn(|at| pair[at].load(Relaxed)));
                    write.perform(&self.arena);
                });
                if passes.fetch_add(1, Relaxed) % TO_REST == TO_REST - 1 {
                    let _late = futex::wait(turn, futex::Flags::empty(), mine, Some(&REST));
                }
            }
        }
    }
}

fn wake(word: &AtomicU32) {
    futex::wake(word, futex::Flags::empty(), 1).expect("a futex");
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill(Signal::KILL).expect("its own child");
            child.wait().expect("its end");
        }
    }
}
