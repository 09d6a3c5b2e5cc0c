//! Why no message was pushed, or popped.

use core::fmt;

use crate::queue::Closed;

/// Why a message was not pushed.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{MessagePushError, MessageRing};
///
/// let ring = MessageRing::<64>::new();
/// let mut producer = ring.producer().unwrap();
/// assert_eq!(producer.try_push(&[1; 17]), Err(MessagePushError::TooLong));
/// assert_eq!(producer.try_push(&[1; 16]), Ok(()));
/// assert_eq!(producer.try_push(&[1; 16]), Ok(()));
/// assert_eq!(producer.try_push(&[1; 16]), Err(MessagePushError::Full));
/// ring.close();
/// assert_eq!(producer.try_push(&[1; 16]), Err(MessagePushError::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessagePushError {
    /// There is no room for it; at the deadline, if there is one.
    Full,
    /// The ring has been closed.
    Closed,
    /// It is longer than any may be, or than what was reserved.
    TooLong,
}

impl fmt::Display for MessagePushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the queue is full"),
            Self::Closed => Closed(()).fmt(f),
            Self::TooLong => f.write_str("the message is longer than there may be room for"),
        }
    }
}

impl core::error::Error for MessagePushError {}

/// Why no message was popped.
///
/// # Examples
///
/// ```
/// use rawipc::queue::{MessagePopError, MessageRing};
///
/// let ring = MessageRing::<64>::new();
/// let mut consumer = ring.consumer().unwrap();
/// assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Empty));
///
/// ring.producer().unwrap().push(b"too long for it")?;
/// let error = MessagePopError::TooShort { length: 15 };
/// assert_eq!(consumer.try_pop(&mut [0; 8]), Err(error));
/// assert_eq!(consumer.try_pop(&mut [0; 15]).unwrap(), b"too long for it");
///
/// ring.close();
/// assert_eq!(consumer.try_pop(&mut [0; 8]), Err(MessagePopError::Closed));
/// # Ok::<(), rawipc::queue::MessagePushError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessagePopError {
    /// There is none; at the deadline, if there is one.
    Empty,
    /// There is none, and there will not be: the ring has been closed.
    Closed,
    /// What is there is nothing that a producer pushes: somebody has written there who does not
    /// keep to the rules. Nothing is behind it that could be found.
    Corrupt,
    /// There is one, and it is longer than the buffer; it stays there.
    TooShort {
        /// How long the message is.
        length: usize,
    },
}

impl fmt::Display for MessagePopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the queue is empty"),
            Self::Closed => Closed(()).fmt(f),
            Self::Corrupt => f.write_str("what is in the queue is no message"),
            Self::TooShort { length } => {
                write!(f, "the buffer is too short for a message of {length} bytes")
            }
        }
    }
}

impl core::error::Error for MessagePopError {}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString as _;

    use super::{MessagePopError, MessagePushError};

    #[test]
    fn errors_say_what_is_wrong() {
        let says = [
            (MessagePushError::Full.to_string(), "the queue is full"),
            (MessagePushError::Closed.to_string(), "the queue is closed"),
            (MessagePopError::Empty.to_string(), "the queue is empty"),
            (MessagePopError::Closed.to_string(), "the queue is closed"),
            (
                MessagePopError::TooShort { length: 7 }.to_string(),
                "the buffer is too short for a message of 7 bytes",
            ),
        ];
        for (found, expected) in says {
            assert_eq!(found, expected);
        }
    }
}
