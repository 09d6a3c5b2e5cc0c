//! What the two ends of a ring do, over whatever bytes: a second time, without atomics.

use rawipc::queue::{MessagePopError, MessagePushError};

use super::memory::{Found, Memory, Record, mark, size};

fn aligned(position: u64) -> u64 {
    position & !7
}

/// What a consumer knows.
#[derive(Debug)]
pub(super) struct Consumer {
    head: u64,
    /// Whether it has heard of the end.
    is_over: bool,
}

impl Consumer {
    pub(super) fn new<const BYTES: usize>(memory: &Memory<BYTES>) -> Self {
        let head = aligned(memory.head);
        Self { head, is_over: memory.end == mark(head) }
    }

    pub(super) fn find<const BYTES: usize>(
        &mut self,
        memory: &mut Memory<BYTES>,
    ) -> Result<Record, MessagePopError> {
        if self.is_over {
            return Err(MessagePopError::Closed);
        }
        match memory.look(self.head) {
            Found::Record(record) => Ok(record),
            Found::Nonsense => Err(MessagePopError::Corrupt),
            Found::Nothing if !memory.is_closed => Err(MessagePopError::Empty),
            Found::Nothing => {
                self.is_over = true;
                if memory.end == 0 {
                    memory.end = mark(self.head);
                }
                Err(MessagePopError::Closed)
            }
        }
    }

    pub(super) fn release<const BYTES: usize>(
        &mut self,
        memory: &mut Memory<BYTES>,
        record: Record,
    ) {
        self.head = record.end();
        memory.head = self.head;
    }
}

/// What a producer knows.
#[derive(Debug)]
pub(super) struct Producer {
    tail: u64,
    /// Where it has last seen the consumer.
    head: u64,
}

impl Producer {
    pub(super) fn new<const BYTES: usize>(memory: &mut Memory<BYTES>) -> Self {
        let mut tail = aligned(memory.tail);
        if let Found::Record(record) = memory.look(tail) {
            tail = record.end();
            memory.tail = tail;
        }
        Self { tail, head: memory.head }
    }

    pub(super) fn place<const BYTES: usize>(
        &mut self,
        memory: &Memory<BYTES>,
        length: usize,
    ) -> Result<Record, MessagePushError> {
        if length > Memory::<BYTES>::LONGEST {
            return Err(MessagePushError::TooLong);
        }
        if memory.is_closed {
            return Err(MessagePushError::Closed);
        }
        let left = BYTES as u64 - self.tail % BYTES as u64;
        let skipped = if size(length) <= left { 0 } else { left };
        let record = Record { at: self.tail.wrapping_add(skipped), length };
        // With the header behind it. If not by what was seen last, then by what is seen now.
        let fits = |head: u64| record.end().wrapping_add(8).wrapping_sub(head) <= BYTES as u64;
        if !fits(self.head) {
            self.head = memory.head;
        }
        if fits(self.head) { Ok(record) } else { Err(MessagePushError::Full) }
    }

    /// Pushes what lies there by now.
    pub(super) fn publish<const BYTES: usize>(
        &mut self,
        memory: &mut Memory<BYTES>,
        record: Record,
    ) -> Result<(), MessagePushError> {
        let (first, next) = (self.tail, record.end());
        memory.set_word(next, 0);
        memory.set_word(record.at, record.length as u64 + 1);
        if record.at != first {
            memory.set_word(first, super::memory::SKIP);
        }
        let ends_before = memory.is_closed && {
            if memory.end == 0 {
                memory.end = mark(next);
            }
            memory.end | 1 != mark(next)
        };
        if ends_before {
            memory.set_word(first, 0);
            memory.tail = first;
            return Err(MessagePushError::Closed);
        }
        self.tail = next;
        memory.tail = next;
        Ok(())
    }
}
