//! Control messages as bytes: written for sendmsg, read after recvmsg. Plain arithmetic on slices;
//! whatever the bytes are, reading them ends and stays in bounds.
//!
//! A message is a header (length with header: `usize`; level: `i32`; type: `i32`), its data, and
//! padding to the next multiple of a word.

use super::{Credentials, MAX_DESCRIPTORS};

const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 2 * size_of::<i32>();
static_assertions::const_assert_eq!(HEADER, size_of::<libc::cmsghdr>());

/// What one message with so many words of four bytes takes, without padding behind it (`CMSG_LEN`).
const fn message_len(words: usize) -> usize {
    HEADER.saturating_add(words.saturating_mul(4))
}

/// The same, with padding (`CMSG_SPACE`).
const fn message_space(words: usize) -> usize {
    message_len(words).next_multiple_of(WORD)
}

/// How much room to offer so that credentials fit, and `descriptors` of them, and the sender's
/// pidfd, if somebody asked for that. More descriptors fit only where those other two stay away.
#[inline]
pub(super) const fn room_for(descriptors: usize) -> usize {
    let descriptors = if descriptors > MAX_DESCRIPTORS { MAX_DESCRIPTORS } else { descriptors };
    let rights = if descriptors == 0 { 0 } else { message_space(descriptors) };
    message_space(3).saturating_add(rights).saturating_add(message_space(1))
}

/// Room to receive what any [`room_for`] may be.
pub(super) const ROOM: usize = room_for(MAX_DESCRIPTORS);

/// So many descriptors are sent from little room, which is sooner zeroed.
pub(super) const FEW: usize = 4;

/// Room to send [`FEW`] descriptors and credentials.
pub(super) const ROOM_FOR_FEW: usize = message_space(3) + message_space(FEW);

/// Room to send any number of descriptors, and credentials. One more than the kernel takes: it is
/// the kernel that says so.
pub(super) const ROOM_FOR_ALL: usize = message_space(3) + message_space(MAX_DESCRIPTORS + 1);

/// Control messages on their way out, together on the stack.
#[repr(align(8))]
pub(super) struct Outgoing<const ROOM: usize> {
    bytes: [u8; ROOM],
    len: usize,
}

impl<const ROOM: usize> Outgoing<ROOM> {
    #[inline]
    pub(super) const fn new() -> Self {
        Self { bytes: [0; ROOM], len: 0 }
    }

    #[inline]
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Adds a message of the socket level, if there is room.
    #[inline]
    pub(super) fn push(
        &mut self,
        kind: i32,
        data: impl ExactSizeIterator<Item = [u8; 4]>,
    ) -> Option<()> {
        let (len, space) = (message_len(data.len()), message_space(data.len()));
        let message = self.bytes.get_mut(self.len..)?.get_mut(..space)?;
        let (header, rest) = message.split_at_mut_checked(HEADER)?;
        let (length, level_and_kind) = header.split_at_mut_checked(WORD)?;
        length.copy_from_slice(&len.to_ne_bytes());
        let (level, kind_at) = level_and_kind.split_at_mut_checked(4)?;
        level.copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
        kind_at.copy_from_slice(&kind.to_ne_bytes());
        for (slot, word) in rest.chunks_exact_mut(4).zip(data) {
            slot.copy_from_slice(&word);
        }
        self.len = self.len.saturating_add(space);
        Some(())
    }
}

/// One message that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A descriptor.
    Descriptor(i32),
    /// A descriptor of the sender itself, which somebody asked for with `SO_PASSPIDFD`.
    Pidfd(i32),
    Credentials(Credentials),
}

/// Tells `found` all that control messages say that we know of: descriptors one by one.
#[inline]
pub(super) fn read(control: &[u8], mut found: impl FnMut(Message)) {
    for (kind, data) in (Messages { rest: control }) {
        match kind {
            libc::SCM_RIGHTS => words(data).map(Message::Descriptor).for_each(&mut found),
            SCM_PIDFD => words(data).map(Message::Pidfd).for_each(&mut found),
            libc::SCM_CREDENTIALS => {
                if let Some(&bytes) = data.first_chunk() {
                    found(Message::Credentials(Credentials::from_bytes(bytes)));
                }
            }
            _ => {}
        }
    }
}

/// Since Linux 6.5; `libc` has it not everywhere.
const SCM_PIDFD: i32 = 4;

#[inline]
fn words(data: &[u8]) -> impl Iterator<Item = i32> {
    data.chunks_exact(4).filter_map(|word| word.first_chunk().copied().map(i32::from_ne_bytes))
}

/// Takes message after message of the socket level from the front: type and data.
struct Messages<'c> {
    rest: &'c [u8],
}

impl<'c> Iterator for Messages<'c> {
    type Item = (i32, &'c [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (len, after) = self.rest.split_first_chunk()?;
            let (level, after) = after.split_first_chunk()?;
            let (kind, _) = after.split_first_chunk()?;
            let len = usize::from_ne_bytes(*len);
            // A length that is short of a header would never end; one beyond the end is cut.
            let data = self.rest.get(HEADER..len.min(self.rest.len()))?;
            let next = len.checked_next_multiple_of(WORD).unwrap_or(usize::MAX);
            self.rest = self.rest.get(next..).unwrap_or_default();
            if i32::from_ne_bytes(*level) == libc::SOL_SOCKET {
                return Some((i32::from_ne_bytes(*kind), data));
            }
        }
    }
}

#[cfg(test)]
mod tests;
