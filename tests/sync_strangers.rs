//! Locks between processes that have nothing in common but a name: none has what another has mapped
//! or learnt before.

mod support;

use core::cell::Cell;
use std::env;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use rawipc::fifo::Mode;
use rawipc::shm::{Object, Shared, ShmSafe};
use rawipc::sync::{
    AutoResetEvent, Barrier, Condvar, Event, Mutex, Once, ReentrantMutex, RwLock, Semaphore,
};
use rawipc::{Name, process};
use support::{eventually, isolated};
use zerocopy::FromBytes;

/// Set in the strangers: the name.
const NAME: &str = "RAWIPC_TEST_NAME";

const STRANGERS: u16 = 4;
const ROUNDS: u32 = 300;

/// One of everything.
#[derive(FromBytes)]
#[repr(C)]
struct Board {
    start: Event,
    once: Once,
    opened: Mutex<u32>,
    mutex: Mutex<u32>,
    reentrant: ReentrantMutex<Cell<u32>>,
    lock: RwLock<u32>,
    semaphore: Semaphore,
    bell: AutoResetEvent,
    turn: Mutex<u32>,
    turned: Condvar,
    inside: Cell<u32>,
    barrier: Barrier,
}

// SAFETY: `repr(C)`, each field is `ShmSafe`; but for `inside`, used under `semaphore` only.
unsafe impl ShmSafe for Board {}
// SAFETY: as above.
unsafe impl Sync for Board {}

impl Board {
    fn new() -> Self {
        Self {
            start: Event::new(),
            once: Once::new(),
            opened: Mutex::new(0),
            mutex: Mutex::new(0),
            reentrant: ReentrantMutex::new(Cell::new(0)),
            lock: RwLock::new(0),
            semaphore: Semaphore::new(1),
            bell: AutoResetEvent::new(),
            turn: Mutex::new(0),
            turned: Condvar::new(),
            inside: Cell::new(0),
            barrier: Barrier::new(STRANGERS),
        }
    }

    fn play(&self) {
        let me = {
            let mut opened = self.opened.lock();
            *opened += 1;
            *opened - 1
        };
        self.start.wait();
        self.once.call_once(|| self.bell.set());
        for round in 0..ROUNDS {
            *self.mutex.lock() += 1;
            let (outer, inner) = (self.reentrant.lock(), self.reentrant.lock());
            inner.set(outer.get() + 1);
            drop((outer, inner));
            if round % 2 == 0 {
                *self.lock.write() += 1;
            } else {
                assert!(*self.lock.read() <= ROUNDS / 2 * u32::from(STRANGERS));
            }
            self.semaphore.wait();
            self.inside.set(self.inside.get() + 1);
            self.semaphore.post().unwrap();
            self.bell.wait();
            self.bell.set();
            {
                let mut turn = self.turn.lock();
                let others = |turn: &mut u32| *turn % u32::from(STRANGERS) != me;
                self.turned.wait_while(&mut turn, others);
                *turn += 1;
            }
            self.turned.notify_all();
            self.barrier.wait().unwrap();
        }
    }

    fn check(&self) {
        let all = ROUNDS * u32::from(STRANGERS);
        assert_eq!((*self.mutex.lock(), self.reentrant.lock().get()), (all, all));
        assert_eq!((*self.lock.read(), *self.turn.lock()), (all / 2, all));
        self.semaphore.wait();
        assert_eq!(self.inside.get(), all);
        assert!(self.bell.try_wait());
        assert_eq!(self.barrier.waiting(), 0);
    }
}

/// Goes when the test ends, however it ends.
struct Unlink(Name);

impl Drop for Unlink {
    fn drop(&mut self) {
        Object::unlink(&self.0).expect("unlink");
    }
}

#[test]
fn strangers_share_one_of_everything_by_name() {
    isolated(|| {
        if let Some(name) = env::var_os(NAME) {
            let name = Name::new(name.as_bytes()).unwrap();
            // SAFETY: made by this very test, in which all keep to the protocol.
            unsafe { Shared::<Board>::open(&name) }.unwrap().play();
            return;
        }
        let name = format_args!("/rawipc-sync-strangers-{}", process::id());
        let name = Unlink(Name::format(name).unwrap());
        let board = Shared::create_new(&name.0, Mode::RUSR | Mode::WUSR, Board::new()).unwrap();
        let strangers: Vec<_> = (0..STRANGERS)
            .map(|_| {
                Command::new(env::current_exe().unwrap())
                    .args(["strangers_share_one_of_everything_by_name", "--exact", "--nocapture"])
                    .args(["--test-threads=1", "--include-ignored"])
                    .env(NAME, name.0.to_string())
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        // From here on there is nothing that could be left behind.
        eventually("all have opened it", || *board.opened.lock() == u32::from(STRANGERS));
        drop(name);
        board.start.set();
        for mut stranger in strangers {
            assert!(stranger.wait().unwrap().success());
        }
        board.check();
    });
}
