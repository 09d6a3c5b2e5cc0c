//! [`MessageRing`]: a queue of messages of any length, for one producer and one consumer.

#![allow(unsafe_code, reason = "promises about layout; see SAFETY.md")]

mod consumer;
mod error;
mod producer;

use core::fmt;
use core::sync::atomic::Ordering::{Acquire, Relaxed};

use zerocopy::FromBytes;

pub use self::consumer::{Message, MessageConsumer};
pub use self::error::{MessagePopError, MessagePushError};
pub use self::producer::{MessageProducer, Reservation};
use super::gate::Gate;
use super::slot::{Alone, ahead};
use crate::prim::{AtomicU64, Region, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A queue of messages, each of as many bytes as its producer likes, in `BYTES` of memory: a power
/// of two, 64 at least. One process pushes, and one pops; in order, and each message whole.
///
/// Whoever pushes or pops claims that role: [`producer`](Self::producer),
/// [`consumer`](Self::consumer). Messages are copied in and out, or made and read
/// [where](MessageProducer::reserve) they [lie](MessageConsumer::read). Each takes 8 bytes more
/// than it is long, is padded to a multiple of 8, and lies in one piece: what is left at the end of
/// the memory, where that is too little for the next message, is passed over.
///
/// A process may be **killed** at any moment: a message has been pushed or not, as one store
/// decides; and one that was being read is still there. Its role stays taken then, and
/// [`reclaim_producer`](Self::reclaim_producer) or [`reclaim_consumer`](Self::reclaim_consumer)
/// gives it to another.
///
/// Zero is empty.
///
/// # Examples
///
/// ```
/// use rawipc::process;
/// use rawipc::queue::MessageRing;
/// use rawipc::shm::Shared;
///
/// let ring = Shared::anonymous(MessageRing::<1024>::new())?;
/// let task = || {
///     let mut producer = ring.producer().expect("nobody else produces");
///     for message in ["one", "and", "another"] {
///         producer.push(message.as_bytes()).expect("nobody closes it meanwhile");
///     }
///     ring.close();
///     0
/// };
/// // SAFETY: the child pushes messages, and exits; nothing is owned twice.
/// let mut child = unsafe { process::spawn(task)? };
///
/// let mut consumer = ring.consumer().expect("nobody else consumes");
/// let mut buffer = [0; MessageRing::<1024>::MAX_LEN];
/// let mut lengths = Vec::new();
/// while let Ok(message) = consumer.pop(&mut buffer) {
///     lengths.push(message.len());
/// }
/// assert_eq!(lengths, [3, 3, 7]);
/// assert!(child.wait()?.success());
/// # Ok::<(), rawipc::Errno>(())
/// ```
#[derive(FromBytes)]
#[repr(C)]
pub struct MessageRing<const BYTES: usize> {
    gate: Alone<Gate>,
    /// Where the next record begins that is pushed: for who looks, and for the next producer. What
    /// counts is where the records are.
    tail: Alone<AtomicU64>,
    /// Where the next record begins that is popped.
    head: Alone<AtomicU64>,
    /// Records, one behind the other in a circle; and behind the last a header that is zero.
    storage: Region<BYTES>,
}

/// A header that says that there is no message here, nor any further before the end of the storage.
/// What is at its beginning has been pushed with it.
///
/// Other headers are the length of a message, and one; or zero, where nothing has been pushed yet.
const SKIP: u64 = 1 << 32;

/// What a header takes, and what each record begins at a multiple of.
const WORD: u64 = size_of::<u64>() as u64;

/// A position as it is found in memory that others write to.
const fn aligned(position: u64) -> u64 {
    position & !WORD.wrapping_sub(1)
}

/// A message, and the header in front of it.
#[derive(Clone, Copy, Debug)]
struct Record {
    at: u64,
    length: usize,
}

impl Record {
    /// How many bytes one takes, whose message is so long.
    const fn size(length: usize) -> u64 {
        aligned((length as u64).wrapping_add(WORD).wrapping_add(WORD.wrapping_sub(1)))
    }

    const fn message(self) -> u64 {
        self.at.wrapping_add(WORD)
    }

    const fn end(self) -> u64 {
        self.at.wrapping_add(Self::size(self.length))
    }
}

/// What is found where a record may begin.
enum Found {
    Record(Record),
    /// Nothing has been pushed there yet.
    Nothing,
    /// Nothing that a producer pushes.
    Nonsense,
}

impl<const BYTES: usize> MessageRing<BYTES> {
    /// How many bytes there are for messages and what belongs to them.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// assert_eq!(MessageRing::<4096>::CAPACITY, 4096);
    /// ```
    pub const CAPACITY: usize = BYTES;

    /// How long a message may be: 16 bytes less than half of what there is, so that there is room
    /// for it in one piece, at the latest when all before it have been popped.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// assert_eq!(MessageRing::<4096>::MAX_LEN, 2032);
    /// ```
    pub const MAX_LEN: usize = {
        assert!(BYTES.is_power_of_two() && BYTES >= 64, "a power of two, 64 at least");
        assert!(BYTES as u64 <= 1 << 33, "a length is a number of 32 bits");
        (BYTES / 2).wrapping_sub(16)
    };

    const_fn! {
        /// Empty.
        ///
        /// # Examples
        ///
        /// See [`MessageRing`].
        #[must_use]
        pub const fn new() -> Self {
            const { assert!(Self::MAX_LEN > 0) };
            Self {
                gate: Alone(Gate::new()),
                tail: Alone(AtomicU64::new(0)),
                head: Alone(AtomicU64::new(0)),
                storage: Region::new(),
            }
        }
    }

    /// The one who pushes; none, if there is one already.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// let producer = ring.producer();
    /// assert!(producer.is_some() && ring.producer().is_none());
    /// drop(producer);
    /// assert!(ring.producer().is_some());
    /// ```
    #[must_use]
    pub fn producer(&self) -> Option<MessageProducer<'_, BYTES>> {
        self.gate.0.producer.take().then(|| MessageProducer::new(self))
    }

    /// The one who pops; none, if there is one already.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// let consumer = ring.consumer();
    /// assert!(consumer.is_some() && ring.consumer().is_none());
    /// drop(consumer);
    /// assert!(ring.consumer().is_some());
    /// ```
    #[must_use]
    pub fn consumer(&self) -> Option<MessageConsumer<'_, BYTES>> {
        self.gate.0.consumer.take().then(|| MessageConsumer::new(self))
    }

    /// The one who pushes, in place of one that was killed.
    ///
    /// What that one has pushed is there. If it lives, messages are lost, or
    /// [`Corrupt`](MessagePopError::Corrupt).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// std::mem::forget(ring.producer()); // as one that is killed never gives back
    /// assert!(ring.producer().is_none());
    /// assert_eq!(ring.reclaim_producer().push(b"on with it"), Ok(()));
    /// ```
    pub fn reclaim_producer(&self) -> MessageProducer<'_, BYTES> {
        self.gate.0.producer.seize();
        MessageProducer::new(self)
    }

    /// The one who pops, in place of one that was killed.
    ///
    /// What that one has not released comes next. If it lives, messages come twice, or are
    /// [`Corrupt`](MessagePopError::Corrupt).
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// ring.producer().unwrap().push(b"still there")?;
    /// std::mem::forget(ring.consumer()); // as one that is killed never gives back
    /// assert!(ring.consumer().is_none());
    /// assert_eq!(ring.reclaim_consumer().pop(&mut [0; 16]).unwrap(), b"still there");
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    pub fn reclaim_consumer(&self) -> MessageConsumer<'_, BYTES> {
        self.gate.0.consumer.seize();
        MessageConsumer::new(self)
    }

    /// How many bytes are in use, for messages and what belongs to them; may have changed by the
    /// time that one knows. Never more than there are.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// ring.producer().unwrap().push(b"nine long")?;
    /// assert_eq!(ring.used_bytes(), 8 + 9 + 7);
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        // One of them may be new and the other old: the head even beyond the tail, which is written
        // when the message is there already.
        let used = ahead(self.tail.0.load(Relaxed), self.head.0.load(Relaxed));
        usize::try_from(used).unwrap_or(BYTES).min(BYTES)
    }

    /// Whether there is no message in it; may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// assert!(ring.is_empty());
    /// ring.producer().unwrap().push(b"")?;
    /// assert!(!ring.is_empty());
    /// # Ok::<(), rawipc::queue::MessagePushError>(())
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used_bytes() == 0
    }

    /// Closes it, for good: nothing more is pushed, and what is in it can still be popped. Wakes
    /// whoever waits.
    ///
    /// # Examples
    ///
    /// See [`MessageRing`].
    pub fn close(&self) {
        self.gate.0.close();
    }

    /// Whether it has been closed.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::queue::MessageRing;
    ///
    /// let ring = MessageRing::<64>::new();
    /// assert!(!ring.is_closed());
    /// ring.close();
    /// assert!(ring.is_closed());
    /// ```
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.0.is_closed()
    }

    /// How many bytes there are from that position to the end of the storage.
    const fn left(position: u64) -> u64 {
        let bytes = BYTES as u64;
        bytes.wrapping_sub(position & bytes.wrapping_sub(1))
    }

    /// What has been pushed at that position.
    #[inline]
    fn look(&self, at: u64) -> Found {
        // Acquire pairs with the Release in publish: the record is complete.
        let header = self.storage.word(at).load(Acquire);
        if header == 0 {
            return Found::Nothing;
        }
        if header != SKIP {
            return Self::checked(at, header);
        }
        let at_next_turn = at.wrapping_add(Self::left(at));
        // Has been published with the one before; and if it is another of that kind, nobody
        // follows.
        Self::checked(at_next_turn, self.storage.word(at_next_turn).load(Relaxed))
    }

    /// The record of that header; of which nothing is believed.
    #[inline]
    fn checked(at: u64, header: u64) -> Found {
        match usize::try_from(header.wrapping_sub(1)) {
            Ok(length) if length <= Self::MAX_LEN && Record::size(length) <= Self::left(at) => {
                Found::Record(Record { at, length })
            }
            _ => Found::Nonsense,
        }
    }
}

// SAFETY: `repr(C)`, of atomics of any bits, and of bytes that are read and written by atomic words
// (or an instruction which takes them as they come). What is found there is checked before anything
// is looked for where it says. Zero is empty.
unsafe impl<const BYTES: usize> ShmSafe for MessageRing<BYTES> {}

impl<const BYTES: usize> Default for MessageRing<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize> fmt::Debug for MessageRing<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageRing")
            .field("used_bytes", &self.used_bytes())
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

real_only! {
    static_assertions::assert_eq_size!(MessageRing<256>, [u128; 3 * 8 + 16]);
    static_assertions::const_assert_eq!(align_of::<MessageRing<64>>(), 128);
    static_assertions::const_assert_eq!(core::mem::offset_of!(MessageRing<64>, tail), 128);
    static_assertions::const_assert_eq!(core::mem::offset_of!(MessageRing<64>, head), 256);
    static_assertions::const_assert_eq!(core::mem::offset_of!(MessageRing<64>, storage), 384);
    static_assertions::assert_impl_all!(MessageRing<64>: ShmSafe, Send, Sync);
}
