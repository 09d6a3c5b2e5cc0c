//! Messages that say which one they are, at both ends, so that none is lost, doubled or torn.

use core::hint::black_box;

/// Room for one message, on lines of its own, and the number of the next.
pub(super) struct Message {
    room: Vec<u8>,
    start: usize,
    bytes: usize,
    next: u64,
}

const LINE: usize = 64;
const STAMP: usize = size_of::<u64>();

impl Message {
    pub(super) fn new(bytes: usize) -> Self {
        assert!(bytes >= STAMP, "has room for its number");
        let room = vec![0x5a; bytes + LINE];
        let start = room.as_ptr().align_offset(LINE);
        Self { room, start, bytes, next: 1 }
    }

    /// The next one.
    #[inline]
    pub(super) fn written(&mut self) -> &[u8] {
        let stamp = self.next.to_ne_bytes();
        self.next += 1;
        let bytes = self.room();
        bytes[..STAMP].copy_from_slice(&stamp);
        let last = bytes.len() - STAMP;
        bytes[last..].copy_from_slice(&stamp);
        black_box(bytes)
    }

    /// Where the next one is to be received, before it is [`check`](Self::check)ed.
    #[inline]
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.room[self.start..self.start + self.bytes]
    }

    /// What has been received, if it is the next one.
    #[inline]
    pub(super) fn check(&mut self) -> &[u8] {
        self.next += 1;
        self.check_again()
    }

    /// What has come back, if it is the last one that was written.
    #[inline]
    pub(super) fn check_again(&mut self) -> &[u8] {
        let expected = (self.next - 1).to_ne_bytes();
        let bytes: &[u8] = black_box(self.room());
        let (first, last) = (&bytes[..STAMP], &bytes[bytes.len() - STAMP..]);
        assert!(first == expected && last == expected, "the next message, and all of it");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use core::panic::AssertUnwindSafe;
    use std::panic::catch_unwind;

    use super::Message;

    fn is_refused(sent: &[u8], by: &mut Message) -> bool {
        by.room().copy_from_slice(sent);
        catch_unwind(AssertUnwindSafe(|| {
            by.check();
        }))
        .is_err()
    }

    #[test]
    fn the_next_message_is_what_was_written() {
        let (mut sender, mut receiver) = (Message::new(64), Message::new(64));
        for _ in 0..3 {
            assert!(!is_refused(sender.written(), &mut receiver));
        }
    }

    #[test]
    fn a_message_that_is_missing_is_noticed() {
        let (mut sender, mut receiver) = (Message::new(64), Message::new(64));
        sender.written();
        assert!(is_refused(sender.written(), &mut receiver));
    }

    #[test]
    fn half_a_message_is_noticed() {
        let (mut sender, mut receiver) = (Message::new(64), Message::new(64));
        let mut torn = sender.written().to_vec();
        torn[32..].fill(0);
        assert!(is_refused(&torn, &mut receiver));
    }
}
