use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use std::io::{Error, ErrorKind, Result};

use super::{done, length, number};

const MODE: i32 = 0o600;

/// A message of eight bytes, as msgsnd and msgrcv want it.
#[repr(C)]
struct Message {
    kind: libc::c_long,
    text: [u8; 8],
}

pub(crate) fn msgget() -> Result<i32> {
    // SAFETY: takes integers only.
    number(unsafe { libc::msgget(libc::IPC_PRIVATE, MODE) })
}

pub(crate) fn msgsnd(queue: i32, kind: libc::c_long, text: &[u8; 8]) -> Result<()> {
    let message = Message { kind, text: *text };
    // SAFETY: a type and eight bytes, which live as long as the call.
    done(unsafe { libc::msgsnd(queue, (&raw const message).cast(), 8, 0) })
}

/// The type; the bytes are copied to where they are wanted.
pub(crate) fn msgrcv(queue: i32, text: &mut [u8; 8]) -> Result<(libc::c_long, usize)> {
    let mut message = Message { kind: 0, text: [0; 8] };
    // SAFETY: a type and room for eight bytes, exclusively borrowed.
    let received = unsafe { libc::msgrcv(queue, (&raw mut message).cast(), 8, 0, 0) };
    let len = length(received)?;
    text[..len].copy_from_slice(&message.text[..len]);
    Ok((message.kind, len))
}

pub(crate) fn msg_remove(queue: i32) -> Result<()> {
    // SAFETY: removing takes no argument.
    done(unsafe { libc::msgctl(queue, libc::IPC_RMID, ptr::null_mut()) })
}

/// A set with these values, which then has been operated on: what says to others that it has them.
/// Is removed again if that fails.
pub(crate) fn sem_create(values: &[u16]) -> Result<i32> {
    let count = i32::try_from(values.len()).unwrap_or(i32::MAX);
    // SAFETY: takes integers only.
    let set = number(unsafe { libc::semget(libc::IPC_PRIVATE, count, MODE) })?;
    if let Err(error) = sem_initialise(set, values) {
        let _removed_by_others = sem_remove(set);
        return Err(error);
    }
    Ok(set)
}

fn sem_initialise(set: i32, values: &[u16]) -> Result<()> {
    // SAFETY: the set has just been made for as many values.
    done(unsafe { libc::semctl(set, 0, libc::SETALL, values.as_ptr()) })?;
    let change = |by| libc::sembuf { sem_num: 0, sem_op: by, sem_flg: IPC_NOWAIT };
    let mut up_and_down = [change(1), change(-1)];
    // SAFETY: two operations, exclusively borrowed.
    done(unsafe { libc::semop(set, up_and_down.as_mut_ptr(), 2) })
}

/// As narrow as the kernel has the flags.
const IPC_NOWAIT: i16 = 0x800;

/// One operation on one semaphore, made again after a signal.
pub(crate) fn semop(set: i32, index: u16, by: i16) -> Result<()> {
    let mut operation = libc::sembuf { sem_num: index, sem_op: by, sem_flg: 0 };
    loop {
        // SAFETY: one operation, exclusively borrowed.
        match done(unsafe { libc::semop(set, &raw mut operation, 1) }) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            answer => return answer,
        }
    }
}

pub(crate) fn sem_value(set: i32, index: i32) -> Result<i32> {
    // SAFETY: asking for a value takes no argument.
    number(unsafe { libc::semctl(set, index, libc::GETVAL) })
}

pub(crate) fn set_sem_value(set: i32, index: i32, value: i32) -> Result<()> {
    // SAFETY: the argument is an integer, as SETVAL takes it.
    done(unsafe { libc::semctl(set, index, libc::SETVAL, value) })
}

pub(crate) fn sem_remove(set: i32) -> Result<()> {
    // SAFETY: removing takes no argument.
    done(unsafe { libc::semctl(set, 0, libc::IPC_RMID) })
}

pub(crate) fn shmget(len: usize) -> Result<i32> {
    // SAFETY: takes integers only.
    number(unsafe { libc::shmget(libc::IPC_PRIVATE, len, MODE) })
}

/// Where it has been attached, and how long it is. Is detached again if that cannot be told.
pub(crate) fn shmat(segment: i32) -> Result<(NonNull<u8>, usize)> {
    // SAFETY: the kernel chooses a place where nothing is.
    let place = unsafe { libc::shmat(segment, ptr::null(), 0) };
    let place = match NonNull::new(place.cast::<u8>()) {
        Some(place) if place.as_ptr().addr() != usize::MAX => place,
        _ => return Err(Error::last_os_error()),
    };
    match shm_len(segment) {
        Ok(len) => Ok((place, len)),
        Err(error) => {
            // SAFETY: attached above, and used by nobody.
            let _as_before = unsafe { shmdt(place) };
            Err(error)
        }
    }
}

fn shm_len(segment: i32) -> Result<usize> {
    let mut status = MaybeUninit::<libc::shmid_ds>::uninit();
    // SAFETY: room for the answer, exclusively borrowed.
    done(unsafe { libc::shmctl(segment, libc::IPC_STAT, status.as_mut_ptr()) })?;
    // SAFETY: the kernel has filled all of it.
    Ok(unsafe { status.assume_init() }.shm_segsz)
}

/// Detaches.
///
/// # Safety
///
/// [`shmat`] has returned it, and nobody uses what is there any more.
pub(crate) unsafe fn shmdt(place: NonNull<u8>) -> Result<()> {
    // SAFETY: the caller's promise, passed on.
    done(unsafe { libc::shmdt(place.as_ptr().cast()) })
}

pub(crate) fn shm_remove(segment: i32) -> Result<()> {
    // SAFETY: removing takes no argument.
    done(unsafe { libc::shmctl(segment, libc::IPC_RMID, ptr::null_mut()) })
}
