//! Shared memory into which another process writes whatever it likes, while this one uses what lies
//! there: no call panics, none stays away beyond its deadline, nothing is found or written out of
//! bounds. Once the other has stopped, and the memory is as new, all is as if nothing had been.
//!
//! What two processes do at once, no input can say exactly. So an input also has writes that this
//! process makes by itself, between its calls and in the middle of them: what is found by these is
//! found again.

mod arena;
mod bytes;
mod locks;
mod peer;
mod queues;
mod sums;
mod write;

use core::sync::atomic::AtomicU64;
use core::time::Duration;
use std::time::Instant;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::Deadline;
use rawipc::queue::{MessageRing, Mpmc, Spsc, Tasks};
use rawipc::shm::ShmSafe;
use rawipc::sum::{AtomicF64, ExactSum, ShardedSum};
use rawipc::sync::{
    AutoResetEvent, Barrier, BoundedSemaphore, Condvar, Event, Mutex, Once, ReentrantMutex, RwLock,
    Semaphore,
};

use arena::Arena;
use peer::Peer;
use write::Write;

/// How many steps are made at most.
const MOST_STEPS: usize = 24;

/// How often the steps are made again while the peer writes, once it has written all.
const MOST_ROUNDS: u32 = 4;

/// No call may take so long, whose deadline is over long before: it is less than the time after
/// which a sleeper looks by itself, so that one who overslept is noticed.
const LIMIT: Duration = Duration::from_millis(900);

/// What is tried with one input.
#[derive(Arbitrary, Debug)]
struct Input {
    kind: Kind,
    /// What lies there, but for what is as new.
    before: Vec<Write>,
    /// What the peer does, again and again; if it does anything.
    script: Option<Vec<Write>>,
    /// For at least so many times, unless that takes too many rounds; and for one in any case.
    passes: u8,
    steps: Vec<Step>,
}

/// Of what type it is that lies in the memory.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Mutex,
    RwLock,
    ReentrantMutex,
    Condvar,
    Event,
    AutoResetEvent,
    Barrier,
    Semaphore,
    BoundedSemaphore,
    Once,
    Tasks,
    Words,
    LongValues,
    WordsOfMany,
    LongValuesOfMany,
    Messages,
    AtomicF64,
    ShardedSum,
    ExactSum,
    Bytes,
}

/// What this process does.
#[derive(Arbitrary, Clone, Debug)]
enum Step {
    Call(Call),
    Write(Write),
}

/// One of the calls that a type has; which and with what, it makes out by itself.
#[derive(Arbitrary, Clone, Debug)]
struct Call {
    which: u8,
    number: u32,
    /// What is written in the middle of the call, where it has one: under a guard, say.
    meanwhile: Option<Write>,
}

impl Call {
    /// Mostly over; otherwise in a moment.
    fn by(&self) -> Deadline {
        let wait = if self.number % 8 == 7 { Duration::from_micros(20) } else { Duration::ZERO };
        Deadline::after(wait)
    }

    /// The number, below some other.
    fn below(&self, end: usize) -> usize {
        usize::try_from(self.number).expect("32 bits") % end
    }
}

/// A type that lives in shared memory.
trait Subject: ShmSafe + Sized {
    /// As it is made.
    fn new() -> Self;

    /// What makes calls, one after the other; `middle` is what comes in the middle of each.
    ///
    /// It may keep roles and the like from call to call, and gives them back when it is dropped.
    fn caller<'a>(&'a self, arena: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a;

    /// Checks that it does what it is there for, as it is new.
    fn works(&self);
}

pub(super) fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    peer::with(|peer| match input.kind {
        Kind::Mutex => subject::<Mutex<[u32; 3]>>(&input, peer),
        Kind::RwLock => subject::<RwLock<[u32; 3]>>(&input, peer),
        Kind::ReentrantMutex => subject::<ReentrantMutex<u32>>(&input, peer),
        Kind::Condvar => subject::<Condvar>(&input, peer),
        Kind::Event => subject::<Event>(&input, peer),
        Kind::AutoResetEvent => subject::<AutoResetEvent>(&input, peer),
        Kind::Barrier => subject::<Barrier>(&input, peer),
        Kind::Semaphore => subject::<Semaphore>(&input, peer),
        Kind::BoundedSemaphore => subject::<BoundedSemaphore>(&input, peer),
        Kind::Once => subject::<Once>(&input, peer),
        Kind::Tasks => subject::<Tasks>(&input, peer),
        Kind::Words => subject::<Spsc<u64, 4>>(&input, peer),
        Kind::LongValues => subject::<Spsc<[u32; 11], 2>>(&input, peer),
        Kind::WordsOfMany => subject::<Mpmc<u64, 4>>(&input, peer),
        Kind::LongValuesOfMany => subject::<Mpmc<[u32; 11], 2>>(&input, peer),
        Kind::Messages => subject::<MessageRing<256>>(&input, peer),
        Kind::AtomicF64 => subject::<AtomicF64>(&input, peer),
        Kind::ShardedSum => subject::<ShardedSum<2>>(&input, peer),
        Kind::ExactSum => subject::<ExactSum<2>>(&input, peer),
        Kind::Bytes => subject::<[AtomicU64; 40]>(&input, peer),
    });
}

fn subject<T: Subject>(input: &Input, peer: &Peer) {
    let (arena, size) = (peer.arena(), size_of::<T>());
    let subject: &T = arena.make_new();
    for write in &input.before {
        write.resolve(size).perform(arena);
    }
    make(subject, &input.steps, arena);
    if let Some(script) = &input.script {
        let script = script.iter().map(|write| write.resolve(size));
        peer.start(script);
        let mut rounds = 0;
        while peer.passes() == 0 || (rounds < MOST_ROUNDS && peer.passes() < input.passes.into()) {
            make(subject, &input.steps, arena);
            rounds += 1;
            if rounds >= MOST_ROUNDS {
                // It may be waiting for this CPU.
                std::thread::yield_now();
            }
        }
        peer.stop();
    }
    arena.check_around(size);
    let subject: &T = arena.make_new();
    subject.works();
    arena.check_around(size);
}

/// Makes the steps.
fn make<T: Subject>(subject: &T, steps: &[Step], arena: &Arena) {
    let size = size_of::<T>();
    let mut caller = subject.caller(arena);
    for step in steps.iter().take(MOST_STEPS) {
        match step {
            Step::Write(write) => write.resolve(size).perform(arena),
            Step::Call(call) => {
                let middle = || {
                    if let Some(write) = &call.meanwhile {
                        write.resolve(size).perform(arena);
                    }
                };
                let start = Instant::now();
                caller(call, &middle);
                let took = start.elapsed();
                assert!(took < LIMIT, "{call:?} took {took:?}");
            }
        }
    }
}
