//! Rings of messages: one thing after the other, between processes, over whatever bytes, and over
//! what one leaves behind who is killed.

#[path = "../support/mod.rs"]
mod support;

mod basics;
mod hostile;
mod killed;
mod list;
mod stream;

use rawipc::queue::{MessagePopError, MessageRing};
use rawipc::zerocopy::FromBytes;

type Ring = MessageRing<4096>;
type Large = MessageRing<32768>;
type Small = MessageRing<256>;

/// Where they lie.
const CLOSED: usize = 24;
const END: usize = 32;
const TAIL: usize = 128;
const HEAD: usize = 256;
const STORAGE: usize = 384;

const SKIP: u64 = 1 << 32;

/// What a message takes.
fn size(length: usize) -> u64 {
    8 + length.next_multiple_of(8) as u64
}

/// A ring of these words, all others being zero.
fn ring_of<const BYTES: usize>(at: &[(usize, u64)]) -> MessageRing<BYTES> {
    let mut bytes = vec![0; size_of::<MessageRing<BYTES>>()];
    for &(offset, word) in at {
        bytes[offset..offset + 8].copy_from_slice(&word.to_ne_bytes());
    }
    MessageRing::read_from_bytes(&bytes).expect("as many")
}

/// An empty ring, which has come as far as that.
fn ring_at<const BYTES: usize>(position: u64) -> MessageRing<BYTES> {
    ring_of(&[(TAIL, position), (HEAD, position)])
}

/// Numbers that look random, and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Among them more of those that mean something than chance would give.
    fn telling(&mut self) -> u64 {
        const TELLING: [u64; 16] = [
            0,
            1,
            2,
            8,
            9,
            17,
            64,
            113,
            Small::MAX_LEN as u64,
            Small::MAX_LEN as u64 + 1,
            Small::MAX_LEN as u64 + 2,
            u32::MAX as u64,
            SKIP,
            SKIP + 1,
            u64::MAX - 7,
            u64::MAX,
        ];
        let random = self.next();
        if random % 4 == 0 { self.next() } else { TELLING[(random >> 8) as usize % 16] }
    }
}

/// What is in it, from the first to the last.
fn drained<const BYTES: usize>(ring: &MessageRing<BYTES>) -> Vec<Vec<u8>> {
    let mut consumer = ring.reclaim_consumer();
    let mut all = Vec::new();
    let mut buffer = vec![0; MessageRing::<BYTES>::MAX_LEN];
    loop {
        match consumer.try_pop(&mut buffer[..]) {
            Ok(message) => all.push(message.to_vec()),
            Err(error) => {
                assert_eq!(error, MessagePopError::Empty);
                return all;
            }
        }
    }
}
