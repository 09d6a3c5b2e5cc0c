//! The model of a pipe: a queue of pages, each with some bytes in it, as the kernel has it.
//!
//! `AGAIN` is what it says where a call would wait.

use std::collections::VecDeque;

use rawipc::pipe::Reader;
use rawipc::{Errno, Result};

/// A page that is in the pipe.
#[derive(Clone, Debug)]
struct Page {
    bytes: Vec<u8>,
    /// How much of the page is taken, with what was read from it already.
    taken: usize,
    /// Whether small writes may add to it.
    grows: bool,
    /// Whether it is a packet, which is read at once or lost.
    is_packet: bool,
}

/// What is in a pipe, and how many copies of its ends there are.
#[derive(Debug, Default)]
pub(super) struct Pages {
    queue: VecDeque<Page>,
    page: usize,
    most: usize,
    packets: bool,
    /// Copies of the reading end.
    pub(super) readers: usize,
    /// Copies of the writing end.
    pub(super) writers: usize,
}

impl Pages {
    /// A pipe with so much room as that of `end`, which is empty, and of no ends so far.
    pub(super) fn new(end: &Reader, packets: bool) -> Self {
        let capacity = end.capacity().expect("a capacity");
        let page = end.set_capacity(1).expect("a page");
        assert_eq!(end.set_capacity(capacity), Ok(capacity));
        Self { page, most: capacity / page, packets, ..Self::default() }
    }

    /// How many bytes wait to be read.
    pub(super) fn len(&self) -> usize {
        self.queue.iter().map(|page| page.bytes.len()).sum()
    }

    pub(super) fn capacity(&self) -> usize {
        self.most * self.page
    }

    /// How many of `len` bytes fit into the last page.
    fn added(&self, len: usize) -> usize {
        let part = len % self.page;
        let adds = |last: &Page| last.grows && last.taken + part <= self.page;
        if self.queue.back().is_some_and(adds) { part } else { 0 }
    }

    /// How many bytes one write of `len` leaves here.
    pub(super) fn takes(&self, len: usize) -> usize {
        let added = self.added(len);
        let free = self.most.saturating_sub(self.queue.len()) * self.page;
        added + (len - added).min(free)
    }

    /// One write, of what there is room for.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.readers == 0 {
            return Err(Errno::PIPE);
        }
        let taken = self.takes(bytes.len());
        if taken == 0 {
            return Err(Errno::AGAIN);
        }
        let (added, rest) = bytes[..taken].split_at(self.added(bytes.len()));
        if let Some(last) = self.queue.back_mut() {
            last.bytes.extend_from_slice(added);
            last.taken += added.len();
        }
        self.queue.extend(rest.chunks(self.page).map(|bytes| Page {
            bytes: bytes.to_vec(),
            taken: bytes.len(),
            grows: !self.packets,
            is_packet: self.packets,
        }));
        Ok(taken)
    }

    /// One read, into so much room.
    pub(super) fn read(&mut self, room: usize) -> Result<Vec<u8>> {
        let mut read = Vec::new();
        while read.len() < room {
            let Some(page) = self.queue.front_mut() else { break };
            let len = page.bytes.len().min(room - read.len());
            read.extend(page.bytes.drain(..len));
            let is_packet = page.is_packet;
            if is_packet || page.bytes.is_empty() {
                self.queue.pop_front();
            }
            if is_packet {
                break;
            }
        }
        if room > 0 && read.is_empty() && self.writers > 0 {
            return Err(Errno::AGAIN);
        }
        Ok(read)
    }

    /// Moves up to `len` bytes to another pipe.
    pub(super) fn splice_to(&mut self, to: &mut Self, len: usize) -> Result<usize> {
        if !self.is_ready_for(to, len)? {
            return Ok(0);
        }
        let mut moved = 0;
        while moved < len && to.queue.len() < to.most {
            let Some(page) = self.queue.front_mut() else { break };
            let left = len - moved;
            if page.bytes.len() <= left {
                moved += page.bytes.len();
                to.queue.extend(self.queue.pop_front());
            } else {
                let bytes = page.bytes.drain(..left).collect();
                moved += left;
                to.queue.push_back(Page { bytes, grows: false, ..*page });
            }
        }
        Ok(moved)
    }

    /// Copies up to `len` bytes to another pipe.
    pub(super) fn tee_to(&self, to: &mut Self, len: usize) -> Result<usize> {
        if !self.is_ready_for(to, len)? {
            return Ok(0);
        }
        let mut left = len;
        let free = to.most.saturating_sub(to.queue.len());
        for page in self.queue.iter().take(free) {
            if left == 0 {
                break;
            }
            let mut copy = page.clone();
            copy.grows = false;
            copy.bytes.truncate(left);
            left -= copy.bytes.len();
            to.queue.push_back(copy);
        }
        Ok(len - left)
    }

    /// Whether there is something to move and room for it: not at the end, nor for no bytes.
    fn is_ready_for(&self, to: &Self, len: usize) -> Result<bool> {
        if len == 0 {
            return Ok(false);
        }
        // The order in which the kernel asks.
        if self.queue.is_empty() && self.writers > 0 {
            return Err(Errno::AGAIN);
        }
        if to.readers == 0 {
            return Err(Errno::PIPE);
        }
        if to.queue.len() >= to.most {
            return Err(Errno::AGAIN);
        }
        Ok(!self.queue.is_empty())
    }

    /// What is in it goes with the last end.
    pub(super) fn empty_if_closed(&mut self) {
        if self.readers + self.writers == 0 {
            self.queue.clear();
        }
    }

    /// Makes room for at least `capacity` bytes.
    pub(super) fn resize(&mut self, capacity: usize) -> Result<usize> {
        if i32::try_from(capacity).is_err() {
            return Err(Errno::INVAL);
        }
        let capacity = capacity.max(self.page).next_power_of_two();
        if capacity / self.page < self.queue.len() {
            return Err(Errno::BUSY);
        }
        self.most = capacity / self.page;
        Ok(capacity)
    }
}
