//! System V queues and sets, ours and the C library's: each understands what the other does, and
//! the same calls have the same results.

#![cfg(target_env = "gnu")]

mod support;

use core::ffi::{c_int, c_long, c_void};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rawipc::Errno;
use rawipc::process::{self, Signal};
use rawipc::sysv::msg::{HEADER, Which};
use rawipc::sysv::sem::{MAX_VALUE, Operation};
use rawipc::sysv::{Key, Mode, MsgQueue, SemSet};
use rustix::process::{Gid, Uid, getegid, geteuid};
use support::glibc::answer;
use support::signals::Interruptions;
use support::sysv::{Queue, RW, Set};
use support::{child, eventually, isolated, join, sleeps_in_one_of, wait};

/// By which number either may call. (On 32-bit x86 and s390x they have been calls of their own only
/// since Linux 5.1, which not every C library makes.)
#[cfg(not(any(target_arch = "x86", target_arch = "s390x")))]
mod numbers {
    pub(crate) const MSGSND: &[libc::c_long] = &[libc::SYS_msgsnd];
    pub(crate) const MSGRCV: &[libc::c_long] = &[libc::SYS_msgrcv];
}
#[cfg(any(target_arch = "x86", target_arch = "s390x"))]
mod numbers {
    pub(crate) const MSGSND: &[libc::c_long] = &[400, libc::SYS_ipc];
    pub(crate) const MSGRCV: &[libc::c_long] = &[401, libc::SYS_ipc];
}
use numbers::{MSGRCV, MSGSND};

/// The C library's calls, with nothing added but bounds.
mod c {
    use super::support::glibc::{answer, done};
    use super::{Errno, Key, c_int, c_long, c_void};

    pub(crate) fn msgget(key: Key, flags: c_int) -> Result<c_int, Errno> {
        // SAFETY: takes integers only.
        answer(unsafe { libc::msgget(key.as_raw(), flags) })
    }

    pub(crate) fn msgsnd(
        queue: c_int,
        kind: c_long,
        text: &[u8],
        flags: c_int,
    ) -> Result<(), Errno> {
        let message = [&kind.to_ne_bytes(), text].concat();
        // SAFETY: a word and that many bytes behind it, which live through the call.
        done(unsafe { libc::msgsnd(queue, message.as_ptr().cast(), text.len(), flags) })
    }

    pub(crate) fn msgrcv(
        queue: c_int,
        room: usize,
        kind: c_long,
        flags: c_int,
    ) -> Result<(c_long, Vec<u8>), Errno> {
        let mut message = vec![0; size_of::<c_long>() + room];
        let to = message.as_mut_ptr().cast::<c_void>();
        // SAFETY: a word and that many bytes behind it, exclusive for the length of the call.
        let received = unsafe { libc::msgrcv(queue, to, room, kind, flags) };
        let received = answer(i64::try_from(received).unwrap())?.try_into().unwrap();
        let (kind, text) = message.split_first_chunk().unwrap();
        let text: &[u8] = &text[..received];
        Ok((c_long::from_ne_bytes(*kind), text.to_vec()))
    }

    pub(crate) fn queue_status(queue: c_int) -> Result<libc::msqid_ds, Errno> {
        // SAFETY: all-zero bytes are such a structure.
        let mut status: libc::msqid_ds = unsafe { core::mem::zeroed() };
        // SAFETY: the structure is exclusive for the length of the call.
        done(unsafe { libc::msgctl(queue, libc::IPC_STAT, &raw mut status) })?;
        Ok(status)
    }

    pub(crate) fn set_queue(queue: c_int, mut status: libc::msqid_ds) -> Result<(), Errno> {
        // SAFETY: the structure lives through the call.
        done(unsafe { libc::msgctl(queue, libc::IPC_SET, &raw mut status) })
    }

    pub(crate) fn remove_queue(queue: c_int) -> Result<(), Errno> {
        // SAFETY: this command does not look at the pointer.
        done(unsafe { libc::msgctl(queue, libc::IPC_RMID, core::ptr::null_mut()) })
    }

    pub(crate) fn semget(key: Key, semaphores: c_int, flags: c_int) -> Result<c_int, Errno> {
        // SAFETY: takes integers only.
        answer(unsafe { libc::semget(key.as_raw(), semaphores, flags) })
    }

    /// One operation: index, change and flags.
    pub(crate) type Change = (u16, i16, i16);

    pub(crate) fn buffers(changes: &[Change]) -> Vec<libc::sembuf> {
        let one = |&(sem_num, sem_op, sem_flg)| libc::sembuf { sem_num, sem_op, sem_flg };
        changes.iter().map(one).collect()
    }

    pub(crate) fn semop(set: c_int, changes: &[Change]) -> Result<(), Errno> {
        let mut changes = buffers(changes);
        // SAFETY: the buffers live through the call, and are as many as it is told.
        done(unsafe { libc::semop(set, changes.as_mut_ptr(), changes.len()) })
    }

    unsafe extern "C" {
        /// Which `libc` does not declare for glibc.
        #[link_name = "semtimedop"]
        fn timed(
            set: c_int,
            operations: *mut libc::sembuf,
            count: usize,
            timeout: *const libc::timespec,
        ) -> c_int;
    }

    /// Gives up after so many nanoseconds, of less than a second, where any are said.
    pub(crate) fn semtimedop(
        set: c_int,
        changes: &[Change],
        nanoseconds: Option<c_long>,
    ) -> Result<(), Errno> {
        let mut changes = buffers(changes);
        let timeout = nanoseconds.map(|tv_nsec| libc::timespec { tv_sec: 0, tv_nsec });
        let timeout = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: buffers and timeout live through the call, and are as many as it is told.
        done(unsafe { timed(set, changes.as_mut_ptr(), changes.len(), timeout) })
    }

    /// Of the commands that return a number.
    pub(crate) fn ask(set: c_int, index: c_int, command: c_int) -> Result<i64, Errno> {
        // SAFETY: the callers' commands take no fourth argument.
        answer(unsafe { libc::semctl(set, index, command) }).map(i64::from)
    }

    pub(crate) fn set_value(set: c_int, index: c_int, value: c_int) -> Result<(), Errno> {
        // SAFETY: this command takes an integer.
        done(unsafe { libc::semctl(set, index, libc::SETVAL, value) })
    }

    /// The values of a set that has `N` semaphores.
    pub(crate) fn values<const N: usize>(set: c_int) -> Result<[u16; N], Errno> {
        let mut values = [0; N];
        // SAFETY: the callers' sets have as many semaphores as there are places.
        done(unsafe { libc::semctl(set, 0, libc::GETALL, values.as_mut_ptr()) })?;
        Ok(values)
    }

    /// Sets the values of a set that has `N` semaphores.
    pub(crate) fn set_values<const N: usize>(set: c_int, values: [u16; N]) -> Result<(), Errno> {
        // SAFETY: the callers' sets have as many semaphores as there are values.
        done(unsafe { libc::semctl(set, 0, libc::SETALL, values.as_ptr()) })
    }

    pub(crate) fn set_status(set: c_int) -> Result<libc::semid_ds, Errno> {
        // SAFETY: all-zero bytes are such a structure.
        let mut status: libc::semid_ds = unsafe { core::mem::zeroed() };
        // SAFETY: the structure is exclusive for the length of the call.
        done(unsafe { libc::semctl(set, 0, libc::IPC_STAT, &raw mut status) })?;
        Ok(status)
    }

    pub(crate) fn set_permissions(set: c_int, status: &libc::semid_ds) -> Result<(), Errno> {
        // SAFETY: the structure lives through the call, which only reads it.
        done(unsafe { libc::semctl(set, 0, libc::IPC_SET, core::ptr::from_ref(status)) })
    }

    pub(crate) fn remove_set(set: c_int) -> Result<(), Errno> {
        // SAFETY: this command takes no fourth argument.
        done(unsafe { libc::semctl(set, 0, libc::IPC_RMID) })
    }
}

const CREATE: c_int = libc::IPC_CREAT | libc::IPC_EXCL | 0o600;
const NOWAIT: i16 = 0o4000;
const UNDO: i16 = 0x1000;
const _: () = assert!(NOWAIT as c_int == libc::IPC_NOWAIT && UNDO as c_int == libc::SEM_UNDO);

impl Queue {
    fn of_glibc() -> Self {
        Self(MsgQueue::from_id(c::msgget(Key::PRIVATE, CREATE).unwrap()))
    }
}

impl Set {
    fn of_glibc(values: [u16; 3]) -> Self {
        let set = Self(SemSet::from_id(c::semget(Key::PRIVATE, 3, CREATE).unwrap()));
        c::set_values(set.id(), values).unwrap();
        set
    }
}

/// A key under which there is nothing.
fn unused() -> Key {
    Queue::keyed().1
}

fn received(
    queue: MsgQueue,
    room: usize,
    which: Which,
    wait: bool,
) -> Result<(c_long, Vec<u8>), Errno> {
    let mut buffer = vec![0; HEADER + room];
    let call = if wait { MsgQueue::receive } else { MsgQueue::try_receive };
    call(queue, &mut buffer[..], which).map(|message| (message.kind, message.text.to_vec()))
}

/// What a queue is like, as both tell it: all but its key, which is each one's own.
type Told = (usize, usize, usize, [i32; 2], [i64; 3], [u32; 5]);

fn told_by_us(queue: MsgQueue) -> Result<Told, Errno> {
    let status = queue.status()?;
    let pid = |pid: Option<process::Pid>| pid.map_or(0, |pid| pid.as_raw_nonzero().get());
    let of = status.permissions;
    Ok((
        status.messages,
        status.bytes,
        status.max_bytes,
        [pid(status.last_sender), pid(status.last_receiver)],
        [status.send_time, status.receive_time, status.change_time],
        [
            of.uid.as_raw(),
            of.gid.as_raw(),
            of.creator_uid.as_raw(),
            of.creator_gid.as_raw(),
            of.mode.as_raw_mode(),
        ],
    ))
}

#[allow(clippy::useless_conversion, reason = "narrower on other architectures")]
fn told_by_glibc(queue: c_int) -> Result<Told, Errno> {
    let status = c::queue_status(queue)?;
    let of = status.msg_perm;
    Ok((
        status.msg_qnum.try_into().unwrap(),
        status.__msg_cbytes.try_into().unwrap(),
        status.msg_qbytes.try_into().unwrap(),
        [status.msg_lspid, status.msg_lrpid],
        [status.msg_stime.into(), status.msg_rtime.into(), status.msg_ctime.into()],
        [of.uid, of.gid, of.cuid, of.cgid, u32::from(of.mode) & 0o777],
    ))
}

// Queues, side by side.

#[test]
fn each_finds_the_others_queue_by_its_key() {
    isolated(|| {
        let (ours, key) = MsgQueue::create_unique(RW).unwrap();
        let ours = Queue(ours);
        assert_eq!(c::msgget(key, 0), Ok(ours.id()));
        assert_eq!(c::msgget(key, libc::IPC_CREAT | 0o600), Ok(ours.id()));
        assert_eq!(c::msgget(key, CREATE), Err(Errno::EXIST));
        ours.remove().unwrap();
        assert_eq!(c::msgget(key, 0), Err(Errno::NOENT));

        let theirs = Queue(MsgQueue::from_id(c::msgget(key, CREATE).unwrap()));
        assert_eq!(MsgQueue::open(key), Ok(*theirs));
        assert_eq!(MsgQueue::create(key, RW), Ok(*theirs));
        assert_eq!(MsgQueue::create_new(key, RW), Err(Errno::EXIST));
        c::remove_queue(theirs.id()).unwrap();
        assert_eq!(MsgQueue::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn ftok_brings_both_to_one_queue() {
    isolated(|| {
        let path = support::path("meeting-place");
        std::fs::write(&path, "").unwrap();
        let path = path.to_str().unwrap();
        let c_path = std::ffi::CString::new(path).unwrap();
        // SAFETY: the path is a C string that lives through the call.
        let theirs = answer(unsafe { libc::ftok(c_path.as_ptr(), 0x5A) }).unwrap();
        assert_eq!(Key::ftok(path, 0x5A), Ok(Key::from_raw(theirs)));
        let queue = Queue(MsgQueue::create(Key::ftok(path, 0x5A).unwrap(), RW).unwrap());
        assert_eq!(c::msgget(Key::from_raw(theirs), 0), Ok(queue.id()));
        std::fs::remove_file(path).unwrap();
    });
}

#[test]
fn glibc_receives_what_we_send() {
    isolated(|| {
        let queue = Queue::new();
        let id = queue.id();
        let sent = [(1, &b"one"[..]), (c_long::MAX, b""), (7, &[0xA5; 8192])];
        join(child(|| {
            queue.send(1, b"one").unwrap();
            queue.send_in_place(c_long::MAX, &mut [0; HEADER]).unwrap();
            let mut long = [0xA5; HEADER + 8192];
            queue.try_send_in_place(7, &mut long).unwrap();
        }));
        for (kind, text) in sent {
            assert_eq!(c::msgrcv(id, 8192, 0, 0), Ok((kind, text.to_vec())));
        }
    });
}

#[test]
fn we_receive_what_glibc_sends() {
    isolated(|| {
        let queue = Queue::of_glibc();
        let sent = [(1, &b"one"[..]), (c_long::MAX, b""), (7, &[0xA5; 8192])];
        join(child(|| {
            for (kind, text) in sent {
                c::msgsnd(queue.id(), kind, text, 0).unwrap();
            }
        }));
        for (kind, text) in sent {
            assert_eq!(received(*queue, 8192, Which::any(), true), Ok((kind, text.to_vec())));
        }
    });
}

#[test]
fn each_wakes_the_others_sleeping_receiver() {
    isolated(|| {
        let queue = Queue::new();
        let theirs = child(|| {
            assert_eq!(c::msgrcv(queue.id(), 9, 1, 0), Ok((1, b"from us".to_vec())));
        });
        let ours = child(|| {
            let message = received(*queue, 9, Which::exactly(2), true);
            assert_eq!(message, Ok((2, b"from them".to_vec())));
        });
        sleeps_in_one_of(theirs.id(), MSGRCV);
        sleeps_in_one_of(ours.id(), MSGRCV);
        queue.send(1, b"from us").unwrap();
        c::msgsnd(queue.id(), 2, b"from them", 0).unwrap();
        join(theirs);
        join(ours);
    });
}

#[test]
fn each_wakes_the_others_sleeping_sender() {
    isolated(|| {
        let queue = Queue::new();
        queue.set_max_bytes(4).unwrap();
        for ours in [true, false] {
            queue.send(1, b"full").unwrap();
            let sender = child(|| {
                if ours {
                    queue.send(2, b"next").unwrap();
                } else {
                    c::msgsnd(queue.id(), 2, b"next", 0).unwrap();
                }
            });
            sleeps_in_one_of(sender.id(), MSGSND);
            let full = (1, b"full".to_vec());
            if ours {
                assert_eq!(c::msgrcv(queue.id(), 4, 0, 0), Ok(full));
            } else {
                assert_eq!(received(*queue, 4, Which::any(), true), Ok(full));
            }
            join(sender);
            assert_eq!(c::msgrcv(queue.id(), 4, 0, 0), Ok((2, b"next".to_vec())));
        }
    });
}

#[test]
fn each_removes_the_queue_under_the_others_sleeper() {
    isolated(|| {
        let queue = Queue::new();
        let theirs = child(|| {
            assert_eq!(c::msgrcv(queue.id(), 9, 0, 0), Err(Errno::IDRM));
        });
        sleeps_in_one_of(theirs.id(), MSGRCV);
        queue.remove().unwrap();
        join(theirs);
        assert_eq!(c::msgrcv(queue.id(), 9, 0, 0), Err(Errno::INVAL));

        let queue = Queue::of_glibc();
        let ours = child(|| {
            assert_eq!(received(*queue, 9, Which::any(), true), Err(Errno::IDRM));
        });
        sleeps_in_one_of(ours.id(), MSGRCV);
        c::remove_queue(queue.id()).unwrap();
        join(ours);
        assert_eq!(received(*queue, 9, Which::any(), true), Err(Errno::INVAL));
    });
}

#[test]
fn signal_ends_the_wait_of_both() {
    isolated(|| {
        let queue = Queue::new();
        queue.set_max_bytes(1).unwrap();
        let _interruptions = Interruptions::start();
        assert_eq!(received(*queue, 9, Which::any(), true), Err(Errno::INTR));
        assert_eq!(c::msgrcv(queue.id(), 9, 0, 0), Err(Errno::INTR));
        queue.send(1, b"x").unwrap();
        assert_eq!(queue.send(1, b"x"), Err(Errno::INTR));
        assert_eq!(c::msgsnd(queue.id(), 1, b"x", 0), Err(Errno::INTR));
    });
}

#[test]
fn both_tell_the_same_of_a_queue_and_set_the_same() {
    isolated(|| {
        let queue = Queue::new();
        let same = || assert_eq!(told_by_us(*queue), told_by_glibc(queue.id()));
        same();
        join(child(|| queue.send(1, b"one").unwrap()));
        same();
        join(child(|| c::msgsnd(queue.id(), 2, b"three", 0).unwrap()));
        same();
        join(child(|| {
            received(*queue, 9, Which::exactly(2), true).unwrap();
        }));
        same();
        queue.set_mode(Mode::from_raw_mode(0o654)).unwrap();
        assert_eq!(told_by_glibc(queue.id()).unwrap().5[4], 0o654);
        queue.set_max_bytes(77).unwrap();
        assert_eq!(told_by_glibc(queue.id()).unwrap().2, 77);
        same();
        if geteuid().is_root() {
            queue.set_owner(Uid::from_raw(1), Gid::from_raw(2)).unwrap();
            assert_eq!(told_by_glibc(queue.id()).unwrap().5[..2], [1, 2]);
            same();
        } else {
            eprintln!("skipped: takes root, to give a queue away");
        }
        let mut status = c::queue_status(queue.id()).unwrap();
        (status.msg_perm.mode, status.msg_qbytes) = (0o642, 33);
        c::set_queue(queue.id(), status).unwrap();
        let told = told_by_us(*queue).unwrap();
        assert_eq!((told.2, told.5[4]), (33, 0o642));
        same();
        assert_eq!(c::queue_status(queue.id()).unwrap().msg_perm.__key, 0);
    });
}

// Sets, side by side.

#[test]
fn each_finds_the_others_set_by_its_key() {
    isolated(|| {
        let key = unused();
        let ours = Set(SemSet::create_new(key, RW, &[1, 2, 3]).unwrap());
        assert_eq!(c::semget(key, 0, 0), Ok(ours.id()));
        assert_eq!(c::semget(key, 3, libc::IPC_CREAT | 0o600), Ok(ours.id()));
        assert_eq!(c::semget(key, 4, 0), Err(Errno::INVAL));
        assert_eq!(c::semget(key, 3, CREATE), Err(Errno::EXIST));
        assert_ne!(c::set_status(ours.id()).unwrap().sem_otime, 0, "ready, as Stevens has it");
        ours.remove().unwrap();

        let theirs = Set(SemSet::from_id(c::semget(key, 3, CREATE).unwrap()));
        assert_eq!(SemSet::create_new(key, RW, &[1]), Err(Errno::EXIST));
        c::set_values(theirs.id(), [4, 5, 6]).unwrap();
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN));
        c::semop(theirs.id(), &[(0, 0, NOWAIT)]).unwrap_err();
        assert_eq!(SemSet::try_open(key), Err(Errno::AGAIN));
        c::semop(theirs.id(), &[(0, -1, 0), (0, 1, 0)]).unwrap();
        assert_eq!(SemSet::try_open(key), Ok(*theirs));
        assert_eq!(SemSet::open(key), Ok(*theirs));
        assert_eq!(SemSet::create(key, RW, &[9, 9, 9]), Ok(*theirs));
        assert_eq!(c::values(theirs.id()), Ok([4, 5, 6]));
        c::remove_set(theirs.id()).unwrap();
        assert_eq!(SemSet::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn each_operates_on_what_the_other_made() {
    isolated(|| {
        for set in [Set::new(&[1, 0, 5]), Set::of_glibc([1, 0, 5])] {
            let id = set.id();
            c::semop(id, &[(0, -1, 0), (1, 2, 0)]).unwrap();
            assert_eq!(c::values(id), Ok([0, 2, 5]));
            set.operate(&[Operation::wait(1), Operation::change(2, -5), Operation::post(0)])
                .unwrap();
            assert_eq!(c::values(id), Ok([1, 1, 0]));
            c::semtimedop(id, &[(2, 0, 0), (2, 7, 0)], Some(0)).unwrap();
            assert_eq!(set.value(2), Ok(7));
            assert_eq!(c::semtimedop(id, &[(2, -8, 0)], Some(1_000_000)), Err(Errno::AGAIN));
            assert_eq!(set.try_operate(&[Operation::change(2, -8)]), Err(Errno::AGAIN));
        }
    });
}

#[test]
fn each_wakes_the_others_waiter() {
    isolated(|| {
        let set = Set::new(&[0, 1]);
        let id = set.id();
        let theirs = [
            child(|| c::semop(id, &[(0, -1, 0)]).unwrap()),
            child(|| c::semtimedop(id, &[(0, -1, 0)], None).unwrap()),
        ];
        let ours = child(|| set.operate(&[Operation::wait_for_zero(1)]).unwrap());
        eventually("they wait", || set.waiting(0) == Ok(2));
        eventually("it waits", || c::ask(id, 1, libc::GETZCNT) == Ok(1));
        assert_eq!(c::ask(id, 0, libc::GETNCNT), Ok(2));
        set.operate(&[Operation::change(0, 2)]).unwrap();
        theirs.into_iter().for_each(join);
        c::semop(id, &[(1, -1, 0)]).unwrap();
        join(ours);
    });
}

#[test]
fn each_removes_the_set_under_the_others_waiter() {
    isolated(|| {
        let set = Set::new(&[0]);
        let theirs = child(|| assert_eq!(c::semop(set.id(), &[(0, -1, 0)]), Err(Errno::IDRM)));
        eventually("it waits", || set.waiting(0) == Ok(1));
        set.remove().unwrap();
        join(theirs);
        assert_eq!(c::semop(set.id(), &[(0, -1, 0)]), Err(Errno::INVAL));

        let set = Set::of_glibc([0; 3]);
        let ours = child(|| assert_eq!(set.wait(0), Err(Errno::IDRM)));
        eventually("it waits", || set.waiting(0) == Ok(1));
        c::remove_set(set.id()).unwrap();
        join(ours);
        assert_eq!(set.wait(0), Err(Errno::INVAL));
    });
}

#[test]
fn what_either_does_is_undone_when_it_is_killed() {
    isolated(|| {
        let set = Set::new(&[1, 1, 0]);
        let mut holder = child(|| {
            set.operate(&[Operation::wait(0).undo(), Operation::post(2).undo()]).unwrap();
            c::semop(set.id(), &[(1, -1, UNDO), (2, 1, UNDO)]).unwrap();
            let _ = set.wait(0);
        });
        eventually("it waits", || set.waiting(0) == Ok(1));
        assert_eq!(c::values(set.id()), Ok([0, 0, 2]));
        holder.kill(Signal::KILL).unwrap();
        wait(&mut holder);
        assert_eq!(c::values(set.id()), Ok([1, 1, 0]));
    });
}

#[test]
fn each_sets_values_that_the_other_sees() {
    isolated(|| {
        let set = Set::of_glibc([1, 2, 3]);
        let id = set.id();
        set.set_value(1, MAX_VALUE).unwrap();
        assert_eq!(c::values(id), Ok([1, MAX_VALUE, 3]));
        set.set_values(&[7, 8, 9]).unwrap();
        let each = [0, 1, 2].map(|index| c::ask(id, index, libc::GETVAL).unwrap());
        assert_eq!(each, [7, 8, 9]);
        c::set_value(id, 2, 0).unwrap();
        assert_eq!(set.value(2), Ok(0));
        c::set_values(id, [4, 5, 6]).unwrap();
        let mut values = [0; 3];
        set.values(&mut values).unwrap();
        assert_eq!(values, [4, 5, 6]);
        assert_eq!(c::set_value(id, 0, 32_768), Err(Errno::RANGE));
        assert_eq!(set.set_value(0, 32_768), Err(Errno::RANGE));
        assert_eq!(c::set_value(id, 3, 1), Err(Errno::INVAL));
        assert_eq!(set.set_value(3, 1), Err(Errno::INVAL));
    });
}

#[test]
fn both_tell_the_same_of_a_set_and_set_the_same() {
    isolated(|| {
        let key = unused();
        let set = Set(SemSet::create_new(key, RW, &[1, 2]).unwrap());
        let id = set.id();
        #[allow(clippy::useless_conversion, reason = "narrower on other architectures")]
        let same = || {
            let (ours, theirs) = (set.status().unwrap(), c::set_status(id).unwrap());
            let (mine, of) = (ours.permissions, theirs.sem_perm);
            assert_eq!(u64::try_from(ours.semaphores).unwrap(), u64::from(theirs.sem_nsems));
            assert_eq!(ours.operation_time, i64::from(theirs.sem_otime));
            assert_eq!(ours.change_time, i64::from(theirs.sem_ctime));
            assert_eq!((mine.uid.as_raw(), mine.gid.as_raw()), (of.uid, of.gid));
            assert_eq!((mine.creator_uid.as_raw(), mine.creator_gid.as_raw()), (of.cuid, of.cgid));
            assert_eq!(mine.mode.as_raw_mode(), u32::from(of.mode) & 0o777);
            assert_eq!((mine.key, of.__key), (key, key.as_raw()));
            for (at, index) in [(0, 0), (1, 1)] {
                let pid = set.last_operator(index).unwrap();
                let pid = pid.map_or(0, |pid| pid.as_raw_nonzero().get());
                assert_eq!(i64::from(pid), c::ask(id, at, libc::GETPID).unwrap());
            }
        };
        same();
        join(child(|| c::semop(id, &[(1, 1, 0)]).unwrap()));
        same();
        set.set_mode(Mode::from_raw_mode(0o654)).unwrap();
        assert_eq!(c::set_status(id).unwrap().sem_perm.mode & 0o777, 0o654);
        same();
        if geteuid().is_root() {
            set.set_owner(Uid::from_raw(1), Gid::from_raw(2)).unwrap();
            same();
        } else {
            eprintln!("skipped: takes root, to give a set away");
        }
        let mut status = c::set_status(id).unwrap();
        status.sem_perm.uid = geteuid().as_raw();
        status.sem_perm.gid = getegid().as_raw();
        status.sem_perm.mode = 0o640;
        c::set_permissions(id, &status).unwrap();
        let permissions = set.status().unwrap().permissions;
        assert_eq!((permissions.uid, permissions.gid), (geteuid(), getegid()));
        assert_eq!(permissions.mode.as_raw_mode(), 0o640);
        same();
    });
}

/// The table of the system's sets, as `ipcs` reads it.
#[test]
fn system_lists_our_sets_and_queues() {
    isolated(|| {
        let (set, queue) = (Set::new(&[1, 2, 3, 4]), Queue::new());
        queue.send(1, b"seven77").unwrap();
        let line = |table: &str, id: i32| -> Vec<String> {
            let table = std::fs::read_to_string(table).unwrap();
            let mut lines = table.lines().map(|line| line.split_whitespace().map(String::from));
            let found = lines.find_map(|line| {
                let line: Vec<_> = line.collect();
                (line[1] == id.to_string()).then_some(line)
            });
            found.expect("the system lists it")
        };
        assert_eq!(line("/proc/sysvipc/sem", set.id())[2..4], ["600", "4"]);
        assert_eq!(line("/proc/sysvipc/msg", queue.id())[2..5], ["600", "7", "1"]);
    });
}

// The same calls, at random.

fn run<S: Strategy>(strategy: &S, test: impl Fn(S::Value)) {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let result = TestRunner::new(config).run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[derive(Clone, Debug)]
enum OnQueue {
    Send { kind: c_long, len: usize, in_place: bool },
    Receive { which: Wanted, kind: c_long, room: usize, truncating: bool },
    Copy { index: usize, room: usize },
    SetMode(u32),
    SetMaxBytes(usize),
    Remove,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    Any,
    Exactly,
    LowestUpTo,
    AnyBut,
}

fn on_queue() -> impl Strategy<Value = OnQueue> {
    let kind = || prop_oneof![8 => 1..5 as c_long, 1 => Just(c_long::MAX), 1 => -1..1 as c_long];
    let wanted = prop_oneof![
        Just(Wanted::Any),
        Just(Wanted::Exactly),
        Just(Wanted::LowestUpTo),
        Just(Wanted::AnyBut),
    ];
    let len = || prop_oneof![8 => 0..40_usize, 1 => 250..260_usize, 1 => 8190..8195_usize];
    prop_oneof![
        20 => (kind(), len(), any::<bool>())
            .prop_map(|(kind, len, in_place)| OnQueue::Send { kind, len, in_place }),
        20 => (wanted, kind(), len(), any::<bool>()).prop_map(|(which, kind, room, truncating)| {
            OnQueue::Receive { which, kind, room, truncating }
        }),
        8 => (0..6_usize, len()).prop_map(|(index, room)| OnQueue::Copy { index, room }),
        2 => (0..=0o777_u32).prop_map(OnQueue::SetMode),
        4 => (0..300_usize).prop_map(OnQueue::SetMaxBytes),
        1 => Just(OnQueue::Remove),
    ]
}

/// What a call gave: a message, or nothing to speak of.
type Answer = Result<Option<(c_long, Vec<u8>)>, Errno>;

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

impl OnQueue {
    fn by_us(&self, queue: MsgQueue) -> Answer {
        match *self {
            Self::Send { kind, len, in_place: false } => queue.try_send(kind, &text(len)),
            Self::Send { kind, len, in_place: true } => {
                queue.try_send_in_place(kind, &mut [&[0; HEADER], &text(len)[..]].concat())
            }
            Self::Receive { which, kind, room, truncating } => {
                let which = match which {
                    Wanted::Any => Which::any(),
                    Wanted::Exactly => Which::exactly(kind),
                    Wanted::LowestUpTo => Which::lowest_up_to(kind),
                    Wanted::AnyBut => Which::any_but(kind),
                };
                let which = if truncating { which.truncating() } else { which };
                return received(queue, room, which, false).map(Some);
            }
            Self::Copy { index, room } => {
                let mut buffer = vec![0; HEADER + room];
                let message = queue.copy_at(&mut buffer[..], index)?;
                return Ok(Some((message.kind, message.text.to_vec())));
            }
            Self::SetMode(mode) => queue.set_mode(Mode::from_raw_mode(mode)),
            Self::SetMaxBytes(bytes) => queue.set_max_bytes(bytes),
            Self::Remove => queue.remove(),
        }
        .map(|()| None)
    }

    fn by_glibc(&self, queue: c_int) -> Answer {
        let now = libc::IPC_NOWAIT;
        match *self {
            Self::Send { kind, len, .. } => c::msgsnd(queue, kind, &text(len), now),
            Self::Receive { which, kind, room, truncating } => {
                let flags = now | if truncating { libc::MSG_NOERROR } else { 0 };
                let (kind, flags) = match which {
                    Wanted::Any => (0, flags),
                    // What the kernel would take for another kind of choice.
                    _ if kind <= 0 => return Err(Errno::INVAL),
                    Wanted::Exactly => (kind, flags),
                    Wanted::LowestUpTo => (-kind, flags),
                    Wanted::AnyBut => (kind, flags | libc::MSG_EXCEPT),
                };
                return c::msgrcv(queue, room, kind, flags).map(Some);
            }
            Self::Copy { index, room } => {
                let index = index.try_into().unwrap();
                return c::msgrcv(queue, room, index, now | libc::MSG_COPY).map(Some);
            }
            Self::SetMode(mode) => c::queue_status(queue).and_then(|mut status| {
                status.msg_perm.mode = mode.try_into().unwrap();
                c::set_queue(queue, status)
            }),
            Self::SetMaxBytes(bytes) => c::queue_status(queue).and_then(|mut status| {
                status.msg_qbytes = bytes.try_into().unwrap();
                c::set_queue(queue, status)
            }),
            Self::Remove => c::remove_queue(queue),
        }
        .map(|()| None)
    }
}

#[test]
fn any_calls_on_a_queue_have_the_results_that_they_have_through_glibc() {
    isolated(|| {
        run(&prop::collection::vec(on_queue(), 1..60), |calls| {
            let (ours, theirs) = (Queue::new(), Queue::of_glibc());
            for call in calls {
                let (one, other) = (call.by_us(*ours), call.by_glibc(theirs.id()));
                assert_eq!(one, other, "{call:?}");
                let (one, other) = (told_by_us(*ours), told_by_glibc(theirs.id()));
                // But for the times: one call may be made a second after the other.
                let rest = |told: Told| (told.0, told.1, told.2, told.3, told.5);
                assert_eq!(one.map(rest), other.map(rest), "{call:?}");
            }
        });
    });
}

#[derive(Clone, Debug)]
enum OnSet {
    Operate(Vec<c::Change>),
    OperateUntil(Vec<c::Change>),
    SetValue(u16, u16),
    SetValues([u16; 3]),
    Ask(u16),
    SetMode(u32),
    Remove,
}

fn on_set() -> impl Strategy<Value = OnSet> {
    let index = || prop_oneof![12 => 0..3_u16, 1 => 3..5_u16, 1 => Just(u16::MAX)];
    let change = prop_oneof![
        8 => -3..4_i16,
        1 => any::<i16>(),
        1 => prop::sample::select(&[i16::MIN, i16::MAX, -i16::MAX][..]),
    ];
    let undo = prop::bool::weighted(0.3).prop_map(|undo| if undo { UNDO } else { 0 });
    let changes = prop::collection::vec((index(), change, undo), 0..4).boxed();
    let value = || prop_oneof![6 => 0..4_u16, 1 => any::<u16>(), 2 => 32_766..32_769_u16];
    prop_oneof![
        20 => changes.clone().prop_map(OnSet::Operate),
        6 => changes.prop_map(OnSet::OperateUntil),
        4 => (index(), value()).prop_map(|(index, value)| OnSet::SetValue(index, value)),
        2 => [value(), value(), value()].prop_map(OnSet::SetValues),
        4 => index().prop_map(OnSet::Ask),
        1 => (0..=0o777_u32).prop_map(OnSet::SetMode),
        1 => Just(OnSet::Remove),
    ]
}

/// What a call gave: numbers, or nothing to speak of.
type Numbers = Result<Vec<i64>, Errno>;

impl OnSet {
    fn by_us(&self, set: SemSet) -> Numbers {
        let operations = |changes: &[c::Change]| -> Vec<_> {
            let one = |&(index, by, flags)| match Operation::change(index, by) {
                operation if flags == UNDO => operation.undo(),
                operation => operation,
            };
            changes.iter().map(one).collect()
        };
        match self {
            Self::Operate(changes) => set.try_operate(&operations(changes)),
            Self::OperateUntil(changes) => {
                let answer = set.operate_until(&operations(changes), rawipc::Deadline::now());
                match answer {
                    Err(Errno::TIMEDOUT) => Err(Errno::AGAIN),
                    answer => answer,
                }
            }
            Self::SetValue(index, value) => set.set_value(*index, *value),
            Self::SetValues(values) => set.set_values(values),
            Self::Ask(index) => {
                let pid =
                    |pid: Option<process::Pid>| pid.map_or(0, |pid| pid.as_raw_nonzero().get());
                return Ok(vec![
                    set.value(*index)?.into(),
                    set.waiting(*index)?.try_into().unwrap(),
                    set.waiting_for_zero(*index)?.try_into().unwrap(),
                    set.last_operator(*index).map(pid)?.into(),
                ]);
            }
            Self::SetMode(mode) => set.set_mode(Mode::from_raw_mode(*mode)),
            Self::Remove => set.remove(),
        }
        .map(|()| vec![])
    }

    fn by_glibc(&self, set: c_int) -> Numbers {
        match self {
            Self::Operate(changes) => {
                let now = |&(index, by, flags): &c::Change| (index, by, flags | NOWAIT);
                c::semop(set, &changes.iter().map(now).collect::<Vec<_>>())
            }
            Self::OperateUntil(changes) => c::semtimedop(set, changes, Some(0)),
            Self::SetValue(index, value) => c::set_value(set, (*index).into(), (*value).into()),
            // As we do, it first asks how many there are: which takes permission to read.
            Self::SetValues(values) => c::set_status(set).and_then(|_| c::set_values(set, *values)),
            Self::Ask(index) => {
                let commands = [libc::GETVAL, libc::GETNCNT, libc::GETZCNT, libc::GETPID];
                return commands
                    .map(|command| c::ask(set, (*index).into(), command))
                    .into_iter()
                    .collect();
            }
            Self::SetMode(mode) => c::set_status(set).and_then(|mut status| {
                status.sem_perm.mode = (*mode).try_into().unwrap();
                c::set_permissions(set, &status)
            }),
            Self::Remove => c::remove_set(set),
        }
        .map(|()| vec![])
    }
}

#[test]
fn any_calls_on_a_set_have_the_results_that_they_have_through_glibc() {
    isolated(|| {
        run(
            &(prop::array::uniform3(0..4_u16), prop::collection::vec(on_set(), 1..60)),
            |(values, calls)| {
                let (ours, theirs) = (Set::new(&values), Set::of_glibc(values));
                let same = |of: &str| {
                    let mut all = [0; 3];
                    let one = ours.values(&mut all).map(|()| all);
                    assert_eq!(one, c::values(theirs.id()), "{of}");
                    let mode = ours.status().map(|status| status.permissions.mode.as_raw_mode());
                    let other = c::set_status(theirs.id());
                    assert_eq!(mode, other.map(|status| u32::from(status.sem_perm.mode) & 0o777));
                };
                // In a child, so that what is to be undone is.
                join(child(|| {
                    for call in &calls {
                        let (one, other) = (call.by_us(*ours), call.by_glibc(theirs.id()));
                        assert_eq!(one, other, "{call:?}");
                        same(&format!("{call:?}"));
                    }
                }));
                same("what was undone");
            },
        );
    });
}
