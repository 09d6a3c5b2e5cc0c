//! Message queues: `msgget`, `msgsnd`, `msgrcv`, `msgctl`.

use core::ffi::c_long;
use core::mem::{MaybeUninit, offset_of};

use super::{IPC_64, Permissions, Seconds, id, int, numbers};
use crate::buffer::assume_filled;
use crate::sys::arch::syscall;
use crate::sys::decode;
use crate::{Errno, Result};

/// `struct msqid64_ds`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct QueueStatus {
    pub(crate) permissions: Permissions,
    pub(crate) send_time: Seconds,
    pub(crate) receive_time: Seconds,
    pub(crate) change_time: Seconds,
    pub(crate) bytes: usize,
    pub(crate) messages: usize,
    pub(crate) max_bytes: usize,
    pub(crate) last_sender: i32,
    pub(crate) last_receiver: i32,
    unused: [usize; 2],
}
#[cfg(target_env = "gnu")]
static_assertions::assert_eq_size!(QueueStatus, libc::msqid_ds);

#[doc(alias = "msgget")]
#[inline]
pub(crate) fn get_queue(key: i32, flags: i32) -> Result<i32> {
    // SAFETY: takes integers only.
    let returned = unsafe { syscall(numbers::MSGGET, [int(key), int(flags), 0, 0, 0, 0]) };
    decode(returned).map(id)
}

/// Sends what stands in `frame`: the type, in as many bytes as a word has, and behind it the text.
#[doc(alias = "msgsnd")]
#[inline]
pub(crate) fn send(queue: i32, frame: &[u8], flags: i32) -> Result<()> {
    let text = frame.len().checked_sub(size_of::<c_long>()).ok_or(Errno::INVAL)?;
    let arguments = [int(queue), frame.as_ptr().expose_provenance(), text, int(flags), 0, 0];
    // SAFETY: the frame is borrowed for the length of the call, and only read by it: a word, and as
    // many bytes of text as follow it.
    let returned = unsafe { syscall(numbers::MSGSND, arguments) };
    decode(returned).map(drop)
}

/// Sends `text` from a copy behind its type, as long as it has `ROOM` at most, else `INVAL`.
#[doc(alias = "msgsnd")]
#[inline]
pub(crate) fn send_copy<const ROOM: usize>(
    queue: i32,
    kind: c_long,
    text: &[u8],
    flags: i32,
) -> Result<()> {
    let mut frame = Frame::<ROOM> { kind, text: [const { MaybeUninit::uninit() }; ROOM] };
    let place = frame.text.get_mut(..text.len()).ok_or(Errno::INVAL)?.as_mut_ptr();
    // SAFETY: `place` is for as many bytes, and a local's, so apart from `text`.
    unsafe { place.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len()) };
    let from = (&raw const frame).expose_provenance();
    let arguments = [int(queue), from, text.len(), int(flags), 0, 0];
    // SAFETY: the frame is a local, and only read by the call: a word, and as many bytes of text as
    // have just been copied behind it.
    let returned = unsafe { syscall(numbers::MSGSND, arguments) };
    decode(returned).map(drop)
}

/// A message as the kernel takes it (`struct msgbuf`).
#[repr(C)]
struct Frame<const ROOM: usize> {
    kind: c_long,
    text: [MaybeUninit<u8>; ROOM],
}

static_assertions::const_assert_eq!(offset_of!(Frame<1>, text), size_of::<c_long>());

/// Receives type and text into `space`; returns the part of it that they fill.
#[doc(alias = "msgrcv")]
#[inline]
pub(crate) fn receive(
    queue: i32,
    space: &mut [MaybeUninit<u8>],
    which: c_long,
    flags: i32,
) -> Result<&mut [u8]> {
    let text = space.len().checked_sub(size_of::<c_long>()).ok_or(Errno::INVAL)?;
    let arguments =
        [int(queue), space.as_mut_ptr().expose_provenance(), text, which as usize, int(flags), 0];
    // SAFETY: the space is borrowed exclusively for the length of the call, which writes a word and
    // at most as many bytes of text as follow it.
    let returned = unsafe { syscall(numbers::MSGRCV, arguments) };
    let received = decode(returned)?.saturating_add(size_of::<c_long>());
    // SAFETY: the kernel has initialised the word and that many bytes behind it.
    Ok(unsafe { assume_filled(space, received) })
}

#[doc(alias = "msgctl")]
#[inline]
pub(crate) fn queue_status(queue: i32) -> Result<QueueStatus> {
    let mut status = QueueStatus::default();
    let to = (&raw mut status).expose_provenance();
    let arguments = [int(queue), int(libc::IPC_STAT | IPC_64), to, 0, 0, 0];
    // SAFETY: the status is exclusive for the length of the call, and of the layout it writes.
    let returned = unsafe { syscall(numbers::MSGCTL, arguments) };
    decode(returned)?;
    Ok(status)
}

#[doc(alias = "msgctl")]
#[inline]
pub(crate) fn set_queue(queue: i32, status: &QueueStatus) -> Result<()> {
    let from = core::ptr::from_ref(status).expose_provenance();
    let arguments = [int(queue), int(libc::IPC_SET | IPC_64), from, 0, 0, 0];
    // SAFETY: the status is borrowed for the length of the call, and only read by it.
    let returned = unsafe { syscall(numbers::MSGCTL, arguments) };
    decode(returned).map(drop)
}

#[doc(alias = "msgctl")]
#[inline]
pub(crate) fn remove_queue(queue: i32) -> Result<()> {
    // SAFETY: takes integers only.
    let returned =
        unsafe { syscall(numbers::MSGCTL, [int(queue), int(libc::IPC_RMID | IPC_64), 0, 0, 0, 0]) };
    decode(returned).map(drop)
}
