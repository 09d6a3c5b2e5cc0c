//! Against the C library's macros, and with bytes of every kind.

#![allow(unsafe_code, reason = "the C library's macros, to compare with")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "in a test, that is a failure"
)]
#![allow(clippy::useless_conversion, reason = "with musl, lengths are of another type")]

extern crate std;

use core::iter;
use core::mem::MaybeUninit;
use std::vec;
use std::vec::Vec;

use super::{
    Credentials, HEADER, MAX_DESCRIPTORS, Message, Messages, Outgoing, ROOM, ROOM_FOR_ALL,
    SCM_PIDFD, WORD, message_len, message_space, read, room_for,
};

/// A control message: level, type, data.
type Triple = (i32, i32, Vec<u8>);

/// All that is told.
fn all(control: &[u8]) -> Vec<Message> {
    let mut found = Vec::new();
    read(control, |message| found.push(message));
    found
}

/// Pseudo-random numbers, the same in each run (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `limit`.
    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        iter::repeat_with(|| self.next().to_le_bytes()[7]).take(len).collect()
    }

    fn one_of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A message such as the kernel may give: also of levels and types that are none of ours.
    fn message(&mut self) -> Triple {
        let level = self.one_of(&[libc::SOL_SOCKET, libc::SOL_SOCKET, libc::IPPROTO_IP, -1]);
        let kind = self.one_of(&[libc::SCM_RIGHTS, libc::SCM_CREDENTIALS, SCM_PIDFD, 3, 0]);
        let data = match kind {
            // Descriptors are never negative.
            libc::SCM_RIGHTS | SCM_PIDFD => {
                let number = |random: &mut Self| i32::try_from(random.below(1 << 30)).unwrap();
                let count = self.below(9);
                (0..count).flat_map(|_| number(self).to_ne_bytes()).collect()
            }
            _ => {
                let len = self.below(40);
                self.bytes(len)
            }
        };
        (level, kind, data)
    }
}

/// Bytes that start where the C library wants a header to be.
struct Aligned {
    words: Vec<u64>,
    len: usize,
}

impl Aligned {
    fn zeroed(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(8)], len }
    }

    /// A header for sendmsg and recvmsg that points here.
    fn header(&mut self) -> libc::msghdr {
        // SAFETY: numbers and pointers, for which zero is a value.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_control = self.words.as_mut_ptr().cast();
        header.msg_controllen = self.len.try_into().unwrap();
        header
    }

    fn bytes(&self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_ne_bytes()).take(self.len).collect()
    }
}

fn cmsg_len(data: usize) -> usize {
    // SAFETY: plain arithmetic.
    let len = unsafe { libc::CMSG_LEN(data.try_into().unwrap()) };
    usize::try_from(len).unwrap()
}

fn cmsg_space(data: usize) -> usize {
    // SAFETY: plain arithmetic.
    let space = unsafe { libc::CMSG_SPACE(data.try_into().unwrap()) };
    usize::try_from(space).unwrap()
}

/// The same messages, one behind the other, as a C program writes them.
fn written_by_libc(messages: &[Triple]) -> Aligned {
    let len = messages.iter().map(|(_, _, data)| cmsg_space(data.len())).sum();
    let mut control = Aligned::zeroed(len);
    let header = control.header();
    // SAFETY: the header describes `control`, which is zeroed.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    for (level, kind, data) in messages {
        // SAFETY: in bounds, as the macro said and `len` has room for all; aligned, as all
        // messages are padded; initialised; nobody else looks at it meanwhile.
        let message = unsafe { &mut *at };
        message.cmsg_len = cmsg_len(data.len()).try_into().unwrap();
        message.cmsg_level = *level;
        message.cmsg_type = *kind;
        // SAFETY: `at` is such a header.
        let place = unsafe { libc::CMSG_DATA(at) };
        // SAFETY: `len` has room for the data behind the header.
        unsafe { place.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        // SAFETY: `header` describes all of `control`, and `at` is a header in it.
        at = unsafe { libc::CMSG_NXTHDR(&raw const header, at) };
    }
    control
}

/// The messages that a C program finds.
fn read_by_libc(control: &mut Aligned) -> Vec<Triple> {
    let header = control.header();
    let mut messages = Vec::new();
    // SAFETY: the header describes `control`, which is initialised.
    let mut at = unsafe { libc::CMSG_FIRSTHDR(&raw const header) };
    while !at.is_null() {
        // SAFETY: in bounds, as the macro said, aligned, and initialised.
        let message = unsafe { &*at };
        let len = usize::try_from(message.cmsg_len).unwrap() - cmsg_len(0);
        // SAFETY: `at` is such a header.
        let data = unsafe { libc::CMSG_DATA(at) };
        // SAFETY: the messages are well formed: the length is right.
        let data = unsafe { core::slice::from_raw_parts(data, len) };
        messages.push((message.cmsg_level, message.cmsg_type, data.to_vec()));
        // SAFETY: `header` describes all of `control`, and `at` is a header in it.
        at = unsafe { libc::CMSG_NXTHDR(&raw const header, at) };
    }
    messages
}

fn int(bytes: &[u8]) -> i32 {
    i32::from_ne_bytes(bytes.try_into().unwrap())
}

/// What these messages say, of what concerns us.
fn meaning(messages: &[Triple]) -> Vec<Message> {
    let mut meaning = Vec::new();
    for (_, kind, data) in messages.iter().filter(|(level, ..)| *level == libc::SOL_SOCKET) {
        match *kind {
            libc::SCM_RIGHTS => {
                meaning.extend(data.chunks_exact(4).map(int).map(Message::Descriptor));
            }
            SCM_PIDFD => meaning.extend(data.chunks_exact(4).map(int).map(Message::Pidfd)),
            libc::SCM_CREDENTIALS if data.len() >= 12 => {
                let bytes = data[..12].try_into().unwrap();
                meaning.push(Message::Credentials(Credentials::from_bytes(bytes)));
            }
            _ => {}
        }
    }
    meaning
}

/// What [`Messages`] has to find in any bytes, said with numbers that cannot overflow.
fn messages_in(control: &[u8]) -> Vec<(i32, &[u8])> {
    let wide = |at: usize| u128::try_from(at).unwrap();
    let mut found = Vec::new();
    let mut at = 0;
    while let Ok(start) = usize::try_from(at) {
        let Some(header) = control.get(start..).and_then(|rest| rest.get(..HEADER)) else {
            break;
        };
        let len = usize::from_ne_bytes(header[..WORD].try_into().unwrap());
        if len < HEADER {
            break;
        }
        let end = (at + wide(len)).min(wide(control.len()));
        let data = &control[start + HEADER..usize::try_from(end).unwrap()];
        if int(&header[WORD..WORD + 4]) == libc::SOL_SOCKET {
            found.push((int(&header[WORD + 4..]), data));
        }
        at = (at + wide(len)).next_multiple_of(wide(WORD));
    }
    found
}

#[test]
fn lengths_are_those_of_the_c_library() {
    assert_eq!(HEADER, cmsg_len(0));
    for words in 0..=300 {
        assert_eq!(message_len(words), cmsg_len(4 * words));
        assert_eq!(message_space(words), cmsg_space(4 * words));
    }
}

#[test]
fn outgoing_messages_are_those_that_the_c_library_writes() {
    for count in 0..=MAX_DESCRIPTORS + 1 {
        let credentials: [[u8; 4]; 3] = [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]];
        let numbers = (0..count).map(|n| u32::try_from(n * 77_777).unwrap().to_ne_bytes());
        let mut outgoing = Outgoing::<ROOM_FOR_ALL>::new();
        assert!(outgoing.as_bytes().is_empty());
        outgoing.push(libc::SCM_CREDENTIALS, credentials.into_iter()).unwrap();
        outgoing.push(libc::SCM_RIGHTS, numbers.clone()).unwrap();
        let mut same = written_by_libc(&[
            (libc::SOL_SOCKET, libc::SCM_CREDENTIALS, credentials.concat()),
            (libc::SOL_SOCKET, libc::SCM_RIGHTS, numbers.flatten().collect()),
        ]);
        assert_eq!(outgoing.as_bytes(), same.bytes());
        let meaning = meaning(&read_by_libc(&mut same));
        assert_eq!(meaning.len(), 1 + count);
        assert_eq!(all(outgoing.as_bytes()), meaning);
    }
}

#[test]
fn outgoing_message_without_room_is_refused_whole() {
    let word = [[7; 4]];
    let mut outgoing = Outgoing::<ROOM_FOR_ALL>::new();
    let too_many = iter::repeat_n(word[0], MAX_DESCRIPTORS + 100);
    assert!(outgoing.push(libc::SCM_RIGHTS, too_many.clone()).is_none());
    assert!(outgoing.as_bytes().is_empty());
    outgoing.push(libc::SCM_RIGHTS, word.into_iter()).unwrap();
    let before = outgoing.as_bytes().to_vec();
    assert!(outgoing.push(libc::SCM_RIGHTS, too_many).is_none());
    assert_eq!(outgoing.as_bytes(), before);
    while outgoing.push(libc::SCM_RIGHTS, word.into_iter()).is_some() {}
    assert!(outgoing.as_bytes().len() >= before.len());
}

#[test]
fn incoming_messages_are_those_that_the_c_library_reads() {
    let mut random = Random(0x1234_5678_9abc_def1);
    for _ in 0..20_000 {
        let count = random.below(6);
        let messages: Vec<_> = iter::repeat_with(|| random.message()).take(count).collect();
        let mut control = written_by_libc(&messages);
        assert_eq!(read_by_libc(&mut control), messages);
        let found = all(&control.bytes());
        assert_eq!(found, meaning(&messages), "{messages:?}");
    }
}

#[test]
fn last_message_needs_no_padding_behind_it() {
    let mut random = Random(0xfeed_beef_cafe_f00d);
    for _ in 0..5_000 {
        let messages = [random.message(), random.message()];
        let bytes = written_by_libc(&messages).bytes();
        let padding = cmsg_space(messages[1].2.len()) - cmsg_len(messages[1].2.len());
        let found = all(&bytes[..bytes.len() - padding]);
        assert_eq!(found, meaning(&messages), "{messages:?}");
    }
}

#[test]
fn incoming_bytes_may_start_anywhere() {
    let mut random = Random(0x0dd_ba11);
    for offset in 0..16 {
        let messages = [random.message(), random.message(), random.message()];
        let mut bytes = vec![0xff; offset];
        bytes.extend(written_by_libc(&messages).bytes());
        let found = all(&bytes[offset..]);
        assert_eq!(found, meaning(&messages), "{offset}");
    }
}

/// What a hostile length may be, of a message with so many bytes left.
fn lengths(left: usize) -> Vec<usize> {
    let mut lengths = vec![0, 1, HEADER - 1, HEADER, HEADER + 1, HEADER + 4, HEADER + 12];
    lengths.extend([left.wrapping_sub(1), left, left + 1, left + WORD, left * 2]);
    lengths.extend([usize::MAX, usize::MAX - 1, usize::MAX - WORD, usize::MAX - HEADER]);
    lengths.extend([usize::MAX / 2, usize::MAX / 2 + 1, 1 << 31, 1 << 16]);
    lengths
}

#[test]
fn any_bytes_are_read_to_their_end_and_not_beyond() {
    let mut random = Random(0xdead_10cc_0bad_5eed);
    for round in 0..100_000 {
        let len = random.below(300);
        let mut bytes = random.bytes(len);
        // Pure noise is seldom more than one message long: most get a chain of headers.
        let mut at = if round % 8 == 0 { len } else { 0 };
        while let Some(left) = len.checked_sub(at).filter(|left| *left >= HEADER) {
            let likely = HEADER + random.below(24);
            let hostile = random.one_of(&lengths(left));
            let said = if random.below(8) == 0 { hostile } else { likely };
            let (level, kind, _) = random.message();
            bytes[at..at + WORD].copy_from_slice(&said.to_ne_bytes());
            bytes[at + WORD..at + WORD + 4].copy_from_slice(&level.to_ne_bytes());
            bytes[at + WORD + 4..at + HEADER].copy_from_slice(&kind.to_ne_bytes());
            let next = at.saturating_add(said.saturating_add(random.below(2)));
            at = next.checked_next_multiple_of(WORD).unwrap_or(usize::MAX);
        }
        let most = len / HEADER;
        let found: Vec<_> = Messages { rest: &bytes }.take(most + 1).collect();
        assert_eq!(found, messages_in(&bytes), "{bytes:?}");
        // Each takes four bytes at least, which no other has.
        assert!(all(&bytes).len() <= len / 4, "{bytes:?}");
    }
}

#[test]
fn each_hostile_length_ends_the_reading() {
    for left in HEADER..HEADER + 40 {
        for len in lengths(left) {
            let mut bytes = vec![0; left];
            bytes[..WORD].copy_from_slice(&len.to_ne_bytes());
            bytes[WORD..WORD + 4].copy_from_slice(&libc::SOL_SOCKET.to_ne_bytes());
            bytes[WORD + 4..HEADER].copy_from_slice(&libc::SCM_RIGHTS.to_ne_bytes());
            let found: Vec<_> = Messages { rest: &bytes }.take(10).collect();
            assert_eq!(found, messages_in(&bytes), "{len} of {left}");
            assert!(found.len() <= 1, "behind it are zeros: {len} of {left}");
            assert_eq!(found.len(), usize::from(len >= HEADER), "{len} of {left}");
        }
    }
}

#[test]
fn bytes_short_of_a_header_are_no_message() {
    for len in 0..HEADER {
        assert_eq!(all(&vec![0xff; len]).len(), 0);
        assert_eq!(all(&vec![0; len]).len(), 0);
    }
}

#[test]
fn credentials_that_are_cut_are_none() {
    for len in 0..16 {
        let data = (1..).take(len).collect::<Vec<u8>>();
        let message = (libc::SOL_SOCKET, libc::SCM_CREDENTIALS, data);
        let found = all(&written_by_libc(&[message]).bytes()).len();
        assert_eq!(found, usize::from(len >= 12), "{len}");
    }
}

#[test]
fn descriptor_that_is_cut_is_none() {
    for len in 0..16 {
        let message = (libc::SOL_SOCKET, libc::SCM_RIGHTS, vec![0; len]);
        let found = all(&written_by_libc(&[message]).bytes());
        assert_eq!(found.len(), len / 4, "{len}");
        assert!(found.iter().all(|message| *message == Message::Descriptor(0)));
    }
}

#[test]
fn room_is_for_credentials_and_all_descriptors_asked_for() {
    for descriptors in 0..=MAX_DESCRIPTORS + 50 {
        let room = room_for(descriptors);
        assert!(room <= ROOM, "{descriptors}");
        // As the kernel counts: credentials first, with their padding; then as many descriptors
        // as fit behind a header.
        let left = room.checked_sub(cmsg_space(12)).unwrap();
        let fit = left.saturating_sub(cmsg_len(0)) / 4;
        let wanted = descriptors.min(MAX_DESCRIPTORS);
        assert!(fit >= wanted, "{fit} of {wanted}");
    }
}
