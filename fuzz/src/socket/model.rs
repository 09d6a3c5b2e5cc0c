//! The model of a pair: what each end has been sent, and what it may still do.
//!
//! `AGAIN` is what it says where a call would wait.

use std::collections::VecDeque;

use rawipc::socket::{MAX_DESCRIPTORS, Shutdown};
use rawipc::{Errno, Result};

use super::Kind;

/// What was sent at once, or what of it has not been received.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    pub(super) bytes: VecDeque<u8>,
    /// The numbers of those that come along.
    pub(super) descriptors: Vec<u64>,
    /// Whether its sender is known.
    pub(super) has_credentials: bool,
    /// How long it was.
    len: usize,
}

impl Message {
    pub(super) fn new(bytes: &[u8], descriptors: Vec<u64>, has_credentials: bool) -> Self {
        let (bytes, len) = (bytes.iter().copied().collect(), bytes.len());
        Self { bytes, descriptors, has_credentials, len }
    }

    /// What is under way if only the first `len` bytes of it were taken.
    pub(super) fn cut(mut self, len: usize) -> Self {
        self.bytes.truncate(len);
        self.len = len;
        self
    }
}

/// One end.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is one of the kernel's")]
pub(super) struct End {
    kind: Kind,
    /// What it has to receive.
    pub(super) queue: VecDeque<Message>,
    pub(super) copies: usize,
    pub(super) waits: bool,
    pub(super) asks_for_credentials: bool,
    pub(super) send_buffer: usize,
    reading_is_shut: bool,
    writing_is_shut: bool,
    /// Whether it is still to be told that the other end left something unread.
    is_reset: bool,
    /// Whether it was told that the other end is gone; of datagrams.
    is_alone: bool,
}

impl End {
    pub(super) fn new(kind: Kind, waits: bool, send_buffer: usize) -> Self {
        Self {
            kind,
            queue: VecDeque::new(),
            copies: 1,
            waits,
            asks_for_credentials: false,
            send_buffer,
            reading_is_shut: false,
            writing_is_shut: false,
            is_reset: false,
            is_alone: false,
        }
    }

    /// Why nothing can be sent. Of several reasons, which one is said is the kernel's to choose.
    pub(super) fn refusals(
        &self,
        other: &End,
        len: usize,
        descriptors: usize,
        along: bool,
    ) -> Vec<Errno> {
        let reasons = [
            (descriptors > MAX_DESCRIPTORS, Errno::INVAL),
            (self.kind == Kind::SeqPacket && self.is_reset, Errno::CONNRESET),
        ];
        if reasons.iter().any(|reason| reason.0) {
            return reasons.into_iter().filter(|reason| reason.0).map(|reason| reason.1).collect();
        }
        let is_datagram = self.kind == Kind::Datagram;
        let is_gone = is_datagram && other.copies == 0;
        let is_shut = is_datagram && other.reading_is_shut && !is_gone;
        let reasons = [
            (self.writing_is_shut, Errno::PIPE),
            (self.kind == Kind::Stream && len == 0 && along, Errno::INVAL),
            (self.kind != Kind::Stream && len > self.send_buffer - 32, Errno::MSGSIZE),
            (self.is_alone, Errno::NOTCONN),
            (is_gone && !self.is_alone, Errno::CONNREFUSED),
            (is_shut, Errno::PIPE),
            (is_shut && !self.surely_has_room(other, len), Errno::AGAIN),
        ];
        reasons.into_iter().filter(|reason| reason.0).map(|reason| reason.1).collect()
    }

    /// One of them was said.
    pub(super) fn was_refused(&mut self, reason: Errno) {
        match reason {
            Errno::CONNRESET => self.is_reset = false,
            Errno::CONNREFUSED => {
                self.is_alone = true;
                self.queue.clear();
            }
            _ => {}
        }
    }

    /// Whether so much more can be under way to the other end, whatever the kernel adds to it.
    pub(super) fn surely_has_room(&self, other: &End, len: usize) -> bool {
        let most = |len: usize| 3 * len + 4096;
        let under_way: usize = other.queue.iter().map(|message| most(message.len)).sum();
        // A packet may be one too many, a piece of a stream not.
        let more = if self.kind == Kind::Stream { most(len) } else { 0 };
        under_way + more < self.send_buffer
    }

    /// Whether nothing more can be, even if the kernel adds nothing.
    pub(super) fn surely_has_none(&self, other: &End) -> bool {
        let under_way: usize = other.queue.iter().map(|message| message.bytes.len()).sum();
        under_way >= self.send_buffer
    }

    /// What to receive into so much room; of packets, the whole message. `None` is the end.
    pub(super) fn receive(&mut self, room: usize, waits: bool) -> Result<Option<Message>> {
        if self.kind == Kind::Stream {
            return self.read(room);
        }
        self.wait_for_next(waits)?;
        Ok(self.queue.pop_front())
    }

    /// As [`receive`](Self::receive), but the message stays; of packets.
    pub(super) fn next_len(&mut self, waits: bool) -> Result<usize> {
        self.wait_for_next(waits)?;
        Ok(self.queue.front().map_or(0, |message| message.bytes.len()))
    }

    /// Whether there is a message, or none any more.
    fn wait_for_next(&mut self, waits: bool) -> Result<()> {
        if core::mem::take(&mut self.is_reset) {
            return Err(Errno::CONNRESET);
        }
        // Of datagrams, only who would wait is told that there will be none.
        let is_told = self.reading_is_shut && (self.kind == Kind::SeqPacket || waits);
        if self.queue.is_empty() && !is_told { Err(Errno::AGAIN) } else { Ok(()) }
    }

    fn read(&mut self, room: usize) -> Result<Option<Message>> {
        if self.queue.is_empty() {
            return match (core::mem::take(&mut self.is_reset), self.reading_is_shut) {
                (true, _) => Err(Errno::CONNRESET),
                (false, true) => Ok(None),
                (false, false) => Err(Errno::AGAIN),
            };
        }
        let mut read: Option<Message> = None;
        while let Some(next) = self.queue.front_mut() {
            // Bytes of several senders do not mix, where the receiver asks who it was.
            let so_far = read.get_or_insert_with(|| Message {
                has_credentials: next.has_credentials,
                ..Message::default()
            });
            if self.asks_for_credentials && so_far.has_credentials != next.has_credentials {
                break;
            }
            let len = next.bytes.len().min(room - so_far.bytes.len());
            so_far.bytes.extend(next.bytes.drain(..len));
            so_far.descriptors.append(&mut next.descriptors);
            if !next.bytes.is_empty() {
                break;
            }
            self.queue.pop_front();
            if !so_far.descriptors.is_empty() || so_far.bytes.len() == room {
                break;
            }
        }
        Ok(read)
    }

    pub(super) fn shut(&mut self, other: &mut End, how: Shutdown) {
        let (reading, writing) = match how {
            Shutdown::Read => (true, false),
            Shutdown::Write => (false, true),
            Shutdown::Both => (true, true),
        };
        self.reading_is_shut |= reading;
        self.writing_is_shut |= writing;
        if self.kind != Kind::Datagram {
            other.writing_is_shut |= reading;
            other.reading_is_shut |= writing;
        }
    }

    /// Whether an empty message is all that there is: to some kernels that is nothing left unread.
    pub(super) fn has_but_an_empty_one(&self) -> bool {
        self.queue.len() == 1 && self.queue.iter().all(|message| message.bytes.is_empty())
    }

    /// One copy of it is closed.
    pub(super) fn close(&mut self, other: &mut End) {
        self.copies -= 1;
        if self.copies == 0 {
            if self.kind != Kind::Datagram {
                (other.reading_is_shut, other.writing_is_shut) = (true, true);
                other.is_reset |= !self.queue.is_empty() && !self.has_but_an_empty_one();
            }
            self.queue.clear();
        }
    }
}
