//! A pipe and a pair of sockets, by hand on `libc`.

use std::io::Result as IoResult;
use std::os::fd::OwnedFd;

use super::contender::{Opened, Task};
use super::pair::{End, Pair};
use crate::by_hand;

struct PipeEnds {
    from: OwnedFd,
    to: OwnedFd,
}

impl End for PipeEnds {
    fn send(&mut self, message: &[u8]) {
        all(message.len(), |done| by_hand::write(&self.to, &message[done..]));
    }

    fn receive(&mut self, into: &mut [u8]) {
        all(into.len(), |done| by_hand::read(&self.from, &mut into[done..]));
    }
}

struct Socket(OwnedFd);

impl End for Socket {
    fn send(&mut self, message: &[u8]) {
        all(message.len(), |done| by_hand::send(&self.0, &message[done..]));
    }

    fn receive(&mut self, into: &mut [u8]) {
        all(into.len(), |done| by_hand::recv(&self.0, &mut into[done..], 0));
    }
}

/// Calls until so many bytes are done.
#[inline]
fn all(bytes: usize, mut call: impl FnMut(usize) -> IoResult<usize>) {
    let mut done = 0;
    while done < bytes {
        match call(done).expect("the other end") {
            0 => panic!("the other end is closed"),
            more => done += more,
        }
    }
}

pub(super) fn pipe(task: Task) -> Opened {
    let (there, back) = (by_hand::pipe(0)?, by_hand::pipe(0)?);
    let home = PipeEnds { from: back.0, to: there.1 };
    let away = PipeEnds { from: there.0, to: back.1 };
    Pair::open(task, || home, || away)
}

pub(super) fn socketpair(task: Task) -> Opened {
    let (home, away) = by_hand::socketpair(libc::SOCK_STREAM)?;
    Pair::open(task, || Socket(home), || Socket(away))
}
