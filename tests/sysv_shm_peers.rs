//! System V segments, side by side with the C library's calls and with Python's `sysv_ipc`: each
//! finds, reads and removes what the others make, and all tell the same of it.

mod support;

use core::sync::atomic::Ordering::Relaxed;

use rawipc::Errno;
use rawipc::process::Pid;
use rawipc::shm::Mapping;
use rawipc::sysv::shm::Status;
use rawipc::sysv::{Key, Mode, Shm};
use rustix::process::{Gid, Uid, geteuid};
use support::shared::bytes;
use support::sysv::{RW, Segment, SegmentOf};
use support::{child, isolated, join};

/// As long as the segments here are, unless they say so.
const LEN: usize = 100;

/// A key under which there is no segment.
fn unused() -> Key {
    Segment::keyed(LEN).1
}

fn write(mapping: &Mapping, at: usize, text: &[u8]) {
    for (byte, &new) in bytes(mapping)[at..].iter().zip(text) {
        byte.store(new, Relaxed);
    }
}

fn read(mapping: &Mapping, at: usize, len: usize) -> Vec<u8> {
    bytes(mapping)[at..at + len].iter().map(|byte| byte.load(Relaxed)).collect()
}

fn number(pid: Option<Pid>) -> i32 {
    pid.map_or(0, |pid| pid.as_raw_nonzero().get())
}

/// Beside the C library's calls.
#[cfg(target_env = "gnu")]
mod glibc {
    use core::ffi::{c_int, c_void};

    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};

    use super::support::glibc::{answer, done};
    use super::{
        Errno, Gid, Key, LEN, Mapping, Mode, RW, Segment, SegmentOf, Shm, Status, Uid, child,
        geteuid, isolated, join, number, read, unused, write,
    };

    /// The calls, with nothing added but bounds.
    mod c {
        use super::{Errno, Key, answer, c_int, c_void, done};

        pub(crate) fn shmget(key: Key, len: usize, flags: c_int) -> Result<c_int, Errno> {
            // SAFETY: takes integers only.
            answer(unsafe { libc::shmget(key.as_raw(), len, flags) })
        }

        /// A segment, attached as long as this lives.
        #[derive(Debug)]
        pub(crate) struct Attached(*mut c_void);

        impl Attached {
            pub(crate) fn write(&self, at: usize, text: &[u8]) {
                // SAFETY: the callers' segments are longer than what they write.
                let to = unsafe { self.0.cast::<u8>().add(at) };
                // SAFETY: as above; nobody uses these bytes meanwhile.
                unsafe { to.copy_from(text.as_ptr(), text.len()) }
            }

            pub(crate) fn read(&self, at: usize, len: usize) -> Vec<u8> {
                // SAFETY: the callers' segments are longer than what they read.
                let from = unsafe { self.0.cast::<u8>().add(at) };
                let mut text = vec![0; len];
                // SAFETY: as above; nobody uses these bytes meanwhile.
                unsafe { from.copy_to(text.as_mut_ptr(), len) };
                text
            }
        }

        impl Drop for Attached {
            fn drop(&mut self) {
                // SAFETY: attached there, and nothing of it is borrowed.
                assert_eq!(unsafe { libc::shmdt(self.0) }, 0);
            }
        }

        pub(crate) fn shmat(segment: c_int, flags: c_int) -> Result<Attached, Errno> {
            // SAFETY: at an address of the kernel's choice, where nothing is.
            let start = unsafe { libc::shmat(segment, core::ptr::null(), flags) };
            let failed = if start.addr() == usize::MAX { -1 } else { 0 };
            answer(failed).map(|_| Attached(start))
        }

        pub(crate) fn status(segment: c_int) -> Result<libc::shmid_ds, Errno> {
            // SAFETY: all-zero bytes are such a structure.
            let mut status: libc::shmid_ds = unsafe { core::mem::zeroed() };
            // SAFETY: the structure is exclusive for the length of the call.
            answer(unsafe { libc::shmctl(segment, libc::IPC_STAT, &raw mut status) })?;
            Ok(status)
        }

        pub(crate) fn set(segment: c_int, mut status: libc::shmid_ds) -> Result<(), Errno> {
            // SAFETY: the structure lives through the call.
            done(unsafe { libc::shmctl(segment, libc::IPC_SET, &raw mut status) })
        }

        /// `IPC_RMID`, `SHM_LOCK` or `SHM_UNLOCK`.
        pub(crate) fn control(segment: c_int, command: c_int) -> Result<(), Errno> {
            // SAFETY: the callers' commands do not look at the pointer.
            done(unsafe { libc::shmctl(segment, command, core::ptr::null_mut()) })
        }
    }

    const CREATE: c_int = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;

    /// `SHM_DEST` and `SHM_LOCKED`, which `libc` has not got.
    const DEST: u32 = 0o1000;
    const LOCKED: u32 = 0o2000;

    #[allow(clippy::useless_conversion, reason = "narrower on other architectures")]
    fn assert_same(ours: &Status, theirs: &libc::shmid_ds) {
        let (mine, of) = (ours.permissions, theirs.shm_perm);
        let mode = u32::from(of.mode);
        assert_eq!((ours.size, mine.key), (theirs.shm_segsz, Key::from_raw(of.__key)));
        assert_eq!(u64::try_from(ours.attached).unwrap(), u64::from(theirs.shm_nattch));
        assert_eq!((ours.removed, ours.locked), (mode & DEST != 0, mode & LOCKED != 0));
        assert_eq!(number(ours.creator), theirs.shm_cpid);
        assert_eq!(number(ours.last_operator), theirs.shm_lpid);
        assert_eq!(ours.attach_time, i64::from(theirs.shm_atime));
        assert_eq!(ours.detach_time, i64::from(theirs.shm_dtime));
        assert_eq!(ours.change_time, i64::from(theirs.shm_ctime));
        assert_eq!((mine.uid.as_raw(), mine.gid.as_raw()), (of.uid, of.gid));
        assert_eq!((mine.creator_uid.as_raw(), mine.creator_gid.as_raw()), (of.cuid, of.cgid));
        assert_eq!(mine.mode.as_raw_mode(), mode & 0o777);
    }

    #[test]
    fn each_finds_the_others_segment_by_its_key() {
        isolated(|| {
            let (ours, key) = Segment::keyed(LEN);
            assert_eq!(c::shmget(key, 0, 0), Ok(ours.id()));
            assert_eq!(c::shmget(key, LEN, libc::IPC_CREAT | 0o600), Ok(ours.id()));
            assert_eq!(c::shmget(key, LEN, CREATE), Err(Errno::EXIST));
            ours.remove().unwrap();
            assert_eq!(c::shmget(key, 0, 0), Err(Errno::NOENT));

            let theirs = Segment(Shm::from_id(c::shmget(key, LEN, CREATE).unwrap()));
            assert_eq!(Shm::open(key), Ok(*theirs));
            assert_eq!(Shm::create(key, RW, LEN), Ok(*theirs));
            assert_eq!(Shm::create_new(key, RW, LEN), Err(Errno::EXIST));
            c::control(theirs.id(), libc::IPC_RMID).unwrap();
            assert_eq!(Shm::open(key), Err(Errno::NOENT));
        });
    }

    #[test]
    fn each_reads_what_the_other_writes() {
        isolated(|| {
            let segment = Segment::new(LEN);
            let id = segment.id();
            let ours = segment.attach().unwrap();
            join(child(|| c::shmat(id, 0).unwrap().write(90, b"from glibc")));
            assert_eq!(read(&ours, 90, 10), b"from glibc");
            write(&ours, 5, b"from us");
            join(child(|| {
                assert_eq!(c::shmat(id, libc::SHM_RDONLY).unwrap().read(5, 7), b"from us");
            }));
        });
    }

    #[test]
    fn our_mapping_of_their_segment_is_as_long_as_they_made_it() {
        isolated(|| {
            for len in [1, 4096, 4097, 1 << 20] {
                let id = c::shmget(Key::PRIVATE, len, CREATE).unwrap();
                let segment = Segment(Shm::from_id(id));
                assert_eq!(segment.attach().unwrap().len(), len);
                assert_eq!(segment.attach_read_only().unwrap().len(), len);
            }
        });
    }

    #[test]
    fn each_removes_what_the_other_goes_on_with() {
        isolated(|| {
            let segment = Segment::new(LEN);
            let ours = segment.attach().unwrap();
            c::control(segment.id(), libc::IPC_RMID).unwrap();
            assert!(segment.status().unwrap().removed);
            write(&ours, 0, b"still here");
            assert_eq!(segment.attach_read_only().map(|same| read(&same, 6, 4)).unwrap(), b"here");
            drop(ours);
            assert_eq!(c::status(segment.id()).map(drop), Err(Errno::INVAL));

            let segment = Segment(Shm::from_id(c::shmget(Key::PRIVATE, LEN, CREATE).unwrap()));
            let theirs = c::shmat(segment.id(), 0).unwrap();
            segment.remove().unwrap();
            theirs.write(0, b"still here");
            assert_eq!(c::shmat(segment.id(), 0).unwrap().read(6, 4), b"here");
            drop(theirs);
            assert_eq!(segment.status(), Err(Errno::INVAL));
        });
    }

    #[test]
    fn both_tell_the_same_of_a_segment_and_set_the_same() {
        isolated(|| {
            let key = unused();
            let segment = Segment(Shm::create_new(key, RW, LEN).unwrap());
            let id = segment.id();
            let same = || assert_same(&segment.status().unwrap(), &c::status(id).unwrap());
            same();
            let mapping = segment.attach().unwrap();
            same();
            join(child(|| drop(c::shmat(id, 0).unwrap())));
            same();
            segment.set_mode(Mode::from_raw_mode(0o654)).unwrap();
            assert_eq!(c::status(id).unwrap().shm_perm.mode & 0o777, 0o654);
            same();
            if geteuid().is_root() {
                segment.set_owner(Uid::from_raw(1), Gid::from_raw(2)).unwrap();
                same();
            } else {
                eprintln!("skipped: takes root, to give a segment away");
            }
            let mut status = c::status(id).unwrap();
            status.shm_perm.uid = geteuid().as_raw();
            status.shm_perm.mode = 0o640;
            c::set(id, status).unwrap();
            let permissions = segment.status().unwrap().permissions;
            assert_eq!((permissions.uid, permissions.mode.as_raw_mode()), (geteuid(), 0o640));
            segment.lock().unwrap();
            same();
            c::control(id, libc::SHM_UNLOCK).unwrap();
            assert!(!segment.status().unwrap().locked);
            c::control(id, libc::SHM_LOCK).unwrap();
            assert!(segment.status().unwrap().locked);
            segment.unlock().unwrap();
            segment.remove().unwrap();
            same();
            drop(mapping);
        });
    }

    /// The table of the system's segments, as `ipcs` reads it.
    #[test]
    fn system_lists_our_segments() {
        isolated(|| {
            let segment = Segment::new(LEN);
            let _twice = (segment.attach().unwrap(), segment.attach_read_only().unwrap());
            let table = std::fs::read_to_string("/proc/sysvipc/shm").unwrap();
            let id = segment.id().to_string();
            let lines = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let line = lines.into_iter().find(|line| line[1] == id).expect("it is listed");
            let status = segment.status().unwrap();
            let [creator, last] = [status.creator, status.last_operator].map(number);
            let told = format!("600 {LEN} {creator} {last} 2");
            assert_eq!(line[2..7].join(" "), told);
        });
    }

    // The same calls, at random.

    #[derive(Clone, Copy, Debug)]
    enum Call {
        Open,
        Create(usize),
        CreateNew(usize),
        Attach { read_only: bool },
        Detach(usize),
        Write { mapping: usize, at: usize, byte: u8 },
        Read { mapping: usize, at: usize },
        SetMode(u32),
        Lock,
        Unlock,
        Remove,
    }

    /// How many mappings a call chooses from, there or not.
    const MAPPINGS: usize = 4;

    fn call() -> impl Strategy<Value = Call> {
        let lens = || prop_oneof![Just(0), Just(LEN / 2), Just(LEN), Just(2 * LEN)];
        let at = || (0..MAPPINGS, 0..LEN / 2);
        prop_oneof![
            Just(Call::Open),
            lens().prop_map(Call::Create),
            lens().prop_map(Call::CreateNew),
            any::<bool>().prop_map(|read_only| Call::Attach { read_only }),
            (0..MAPPINGS).prop_map(Call::Detach),
            (at(), any::<u8>()).prop_map(|((mapping, at), byte)| Call::Write { mapping, at, byte }),
            at().prop_map(|(mapping, at)| Call::Read { mapping, at }),
            prop_oneof![Just(0o600), Just(0o640), Just(0o777)].prop_map(Call::SetMode),
            Just(Call::Lock),
            Just(Call::Unlock),
            Just(Call::Remove),
        ]
    }

    /// One of the two: the key it has, the segment it found last, and what it has attached.
    struct Side<M> {
        key: SegmentOf,
        id: c_int,
        mappings: Vec<(M, bool)>,
    }

    impl<M> Side<M> {
        fn new() -> Self {
            Self { key: SegmentOf(unused()), id: -1, mappings: vec![] }
        }

        fn attach(&mut self, mapping: M, read_only: bool) {
            self.mappings.push((mapping, read_only));
        }

        fn detach(&mut self, nth: usize) {
            if nth < self.mappings.len() {
                self.mappings.remove(nth);
            }
        }

        fn writable(&self, nth: usize) -> Option<&M> {
            self.mappings.get(nth).filter(|(_, read_only)| !read_only).map(|(mapping, _)| mapping)
        }
    }

    /// What a call tells of what it read, or why it failed.
    type Answer = Result<Option<u8>, Errno>;

    fn by_us(side: &mut Side<Mapping>, call: Call) -> Answer {
        let (key, segment) = (side.key.0, Shm::from_id(side.id));
        match call {
            Call::Open => side.id = Shm::open(key)?.id(),
            Call::Create(len) => side.id = Shm::create(key, RW, len)?.id(),
            Call::CreateNew(len) => side.id = Shm::create_new(key, RW, len)?.id(),
            Call::Attach { read_only: true } => side.attach(segment.attach_read_only()?, true),
            Call::Attach { read_only: false } => side.attach(segment.attach()?, false),
            Call::Detach(nth) => side.detach(nth),
            Call::Write { mapping, at, byte } => {
                side.writable(mapping).into_iter().for_each(|mapping| write(mapping, at, &[byte]));
            }
            Call::Read { mapping, at } => {
                return Ok(side.mappings.get(mapping).map(|(mapping, _)| read(mapping, at, 1)[0]));
            }
            Call::SetMode(mode) => segment.set_mode(Mode::from_raw_mode(mode))?,
            Call::Lock => segment.lock()?,
            Call::Unlock => segment.unlock()?,
            Call::Remove => segment.remove()?,
        }
        Ok(None)
    }

    fn by_glibc(side: &mut Side<c::Attached>, call: Call) -> Answer {
        let (key, id) = (side.key.0, side.id);
        match call {
            Call::Open => side.id = c::shmget(key, 0, 0)?,
            Call::Create(len) => side.id = c::shmget(key, len, libc::IPC_CREAT | 0o600)?,
            Call::CreateNew(len) => side.id = c::shmget(key, len, CREATE)?,
            Call::Attach { read_only: true } => side.attach(c::shmat(id, libc::SHM_RDONLY)?, true),
            Call::Attach { read_only: false } => side.attach(c::shmat(id, 0)?, false),
            Call::Detach(nth) => side.detach(nth),
            Call::Write { mapping, at, byte } => {
                side.writable(mapping).into_iter().for_each(|mapping| mapping.write(at, &[byte]));
            }
            Call::Read { mapping, at } => {
                return Ok(side.mappings.get(mapping).map(|(mapping, _)| mapping.read(at, 1)[0]));
            }
            #[allow(clippy::useless_conversion, reason = "narrower on other architectures")]
            Call::SetMode(mode) => {
                let mut status = c::status(id)?;
                status.shm_perm.mode = mode.try_into().unwrap();
                c::set(id, status)?;
            }
            Call::Lock => c::control(id, libc::SHM_LOCK)?,
            Call::Unlock => c::control(id, libc::SHM_UNLOCK)?,
            Call::Remove => c::control(id, libc::IPC_RMID)?,
        }
        Ok(None)
    }

    /// What must be alike of two segments.
    fn likeness(id: c_int) -> Result<(usize, usize, bool, bool, Mode), Errno> {
        let status = Shm::from_id(id).status()?;
        let Status { size, attached, removed, locked, permissions, .. } = status;
        Ok((size, attached, removed, locked, permissions.mode))
    }

    #[test]
    fn any_calls_on_a_segment_have_the_results_that_they_have_through_glibc() {
        isolated(|| {
            let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
            let calls = proptest::collection::vec(call(), 1..60);
            let ran = TestRunner::new(config).run(&calls, |calls| {
                let (mut ours, mut theirs) = (Side::new(), Side::new());
                for call in calls {
                    assert_eq!(by_us(&mut ours, call), by_glibc(&mut theirs, call), "{call:?}");
                    assert_eq!(likeness(ours.id), likeness(theirs.id), "{call:?}");
                }
                Ok(())
            });
            ran.unwrap();
        });
    }
}

/// Beside Python's `sysv_ipc`.
mod python {
    use super::support::python::{Program, Python};
    use super::{
        Errno, Key, LEN, Mode, RW, Segment, SegmentOf, Shm, isolated, number, read, unused, write,
    };

    /// Starts a script, for which `key` is the key.
    fn start(python: &Python, key: Key, script: &str) -> Program {
        python.start(&format!("key = {}\n{script}", key.as_raw()))
    }

    /// What a script prints.
    #[track_caller]
    fn run(python: &Python, key: Key, script: &str) -> String {
        start(python, key, script).join()
    }

    #[test]
    fn python_reads_and_writes_our_segment() {
        let Some(python) = Python::with("sysv_ipc") else { return };
        isolated(|| {
            let (segment, key) = Segment::keyed(LEN);
            let mapping = segment.attach().unwrap();
            write(&mapping, 3, b"from us");
            let script = "\
memory = SharedMemory(key)
assert memory.size == 100 and memory.number_attached == 2
assert memory.read(7, 3) == b'from us'
assert memory.read() == bytes(3) + b'from us' + bytes(90)
memory.write(b'from Python', 89)
memory.detach()
memory.attach(flags=SHM_RDONLY)
assert memory.read(11, 89) == b'from Python'";
            run(&python, key, script);
            assert_eq!(read(&mapping, 89, 11), b"from Python");
            assert_eq!(segment.status().unwrap().attached, 1);
        });
    }

    #[test]
    fn we_read_and_write_pythons_segment() {
        let Some(python) = Python::with("sysv_ipc") else { return };
        isolated(|| {
            let key = unused();
            let _left = SegmentOf(key);
            let script = "\
memory = SharedMemory(key, IPC_CREX, mode=0o640, size=5000, init_character=b'.')
memory.write(b'from Python', 4989)
print(os.getpid(), memory.id)";
            let printed = run(&python, key, script);
            let segment = Shm::open(key).unwrap();
            let status = segment.status().unwrap();
            assert_eq!(printed, format!("{} {}\n", number(status.creator), segment.id()));
            assert_eq!((status.size, status.attached), (5000, 0));
            assert_eq!(status.permissions.mode.as_raw_mode(), 0o640);
            let mapping = segment.attach().unwrap();
            assert_eq!(mapping.len(), 5000);
            assert_eq!(read(&mapping, 4988, 12), b".from Python");
            write(&mapping, 0, b"from us");
            drop(mapping);
            run(&python, key, "assert SharedMemory(key).read(8) == b'from us.'");
        });
    }

    #[test]
    fn key_that_one_has_taken_is_taken_for_the_other() {
        let Some(python) = Python::with("sysv_ipc") else { return };
        isolated(|| {
            let (_segment, key) = Segment::keyed(LEN);
            run(&python, key, "refuses(ExistentialError, SharedMemory, key, IPC_CREX)");

            let key = unused();
            let _left = SegmentOf(key);
            run(&python, key, "SharedMemory(key, IPC_CREX, size=100)");
            assert_eq!(Shm::create_new(key, RW, LEN), Err(Errno::EXIST));
            assert_eq!(Shm::create(key, RW, LEN), Shm::open(key));
            assert_eq!(Shm::create(key, RW, LEN + 1), Err(Errno::INVAL));
        });
    }

    #[test]
    fn each_goes_on_with_what_the_other_has_removed() {
        let Some(python) = Python::with("sysv_ipc") else { return };
        isolated(|| {
            let (segment, key) = Segment::keyed(LEN);
            let script = "\
memory = SharedMemory(key)
print('attached', flush=True)
sys.stdin.read()
assert memory.read(6) == b'before' and memory.number_attached == 1
memory.write(b'after')
assert memory.read(6) == b'aftere'
refuses(ExistentialError, SharedMemory, key)";
            let mut theirs = start(&python, key, script);
            theirs.has_printed();
            write(&segment.attach().unwrap(), 0, b"before");
            segment.remove().unwrap();
            assert!(segment.status().unwrap().removed);
            theirs.join();
            assert_eq!(segment.status(), Err(Errno::INVAL));

            let (segment, key) = Segment::keyed(LEN);
            let mapping = segment.attach().unwrap();
            run(&python, key, "SharedMemory(key).remove()");
            assert_eq!(Shm::open(key), Err(Errno::NOENT));
            write(&mapping, 0, b"still here");
            assert_eq!(read(&mapping, 6, 4), b"here");
            drop(mapping);
            assert_eq!(segment.status(), Err(Errno::INVAL));
        });
    }

    #[test]
    fn both_tell_the_same_of_a_segment() {
        let Some(python) = Python::with("sysv_ipc") else { return };
        isolated(|| {
            let (segment, key) = Segment::keyed(LEN);
            segment.set_mode(Mode::from_raw_mode(0o640)).unwrap();
            drop(segment.attach().unwrap());
            let before = segment.status().unwrap();
            let script = "\
memory = SharedMemory(key)
print(memory.key, memory.id, memory.size, memory.creator_pid, memory.last_change_time)
print(memory.uid, memory.gid, memory.cuid, memory.cgid, oct(memory.mode))
print(os.getpid(), memory.last_pid, memory.last_attach_time)
memory.mode = 0o600";
            let printed = run(&python, key, script);
            let after = segment.status().unwrap();
            let of = before.permissions;
            let expected = [
                format!(
                    "{} {} {LEN} {} {}\n",
                    of.key.as_raw(),
                    segment.id(),
                    number(before.creator),
                    before.change_time
                ),
                format!("{} {} ", of.uid.as_raw(), of.gid.as_raw()),
                format!("{} {} 0o640\n", of.creator_uid.as_raw(), of.creator_gid.as_raw()),
                format!("{0} {0} {1}\n", number(after.last_operator), after.attach_time),
            ]
            .concat();
            assert_eq!(printed, expected);
            assert_eq!(after.permissions.mode, RW);
        });
    }
}
