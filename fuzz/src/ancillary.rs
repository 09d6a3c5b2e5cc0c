//! Control messages of any bytes, against what the manual page says of going through them; and
//! those that go out, back in again. Nothing here is a descriptor but by its number.

// The crate's own, which is private there: a link to it, as the tests that it has are found beside
// the file, and here there are others.
mod control;

use core::iter::repeat_n;

use arbitrary::{Arbitrary, Unstructured};

use self::control::{FEW, Message, Outgoing, ROOM_FOR_ALL, ROOM_FOR_FEW, read, room_for};

// What the parser takes from the module that it is in there.

const MAX_DESCRIPTORS: usize = rawipc::socket::MAX_DESCRIPTORS;

/// Of which any bytes are some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Credentials([u8; 12]);

impl Credentials {
    const fn from_bytes(bytes: [u8; 12]) -> Self {
        Self(bytes)
    }
}

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    Bytes(&'a [u8]),
    Incoming(Incoming<'a>),
    Outgoing(Vec<Pushed>),
}

/// Messages one behind the other, as far as their lengths are right.
#[derive(Arbitrary, Debug)]
struct Incoming<'a> {
    /// How many bytes lie before the first.
    offset: u8,
    /// How many are missing from the last.
    missing: u8,
    messages: Vec<Framed<'a>>,
}

#[derive(Arbitrary, Debug)]
struct Framed<'a> {
    length: Length,
    level: Level,
    kind: Kind,
    data: &'a [u8],
}

/// What a message says of its length.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Length {
    Right,
    /// So many bytes more or less.
    Nearly(i8),
    Any(usize),
    /// So many less than the largest number.
    Huge(u8),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Level {
    Socket,
    Any(i32),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Kind {
    Rights,
    Credentials,
    Pidfd,
    Any(i32),
}

/// A message to go out: how many words of four bytes.
#[derive(Arbitrary, Debug)]
struct Pushed {
    kind: Kind,
    words: u16,
    first: i32,
}

const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 8;
const SOL_SOCKET: i32 = libc::SOL_SOCKET;
const PIDFD: i32 = 4;

pub(super) fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    match input {
        Input::Bytes(bytes) => {
            is_read_as_it_should_be(bytes);
            // Wherever they begin.
            is_read_as_it_should_be(bytes.get(1..).unwrap_or_default());
        }
        Input::Incoming(incoming) => {
            let mut bytes = vec![0xa5; usize::from(incoming.offset % 16)];
            let begin = bytes.len();
            for message in &incoming.messages {
                message.write_to(&mut bytes, begin);
            }
            let end = bytes.len().saturating_sub(incoming.missing.into()).max(begin);
            is_read_as_it_should_be(&bytes[begin..end]);
        }
        Input::Outgoing(pushed) => {
            // Credentials, and those descriptors or one more than may be.
            assert_eq!(ROOM_FOR_FEW, space(3) + space(FEW));
            assert_eq!(ROOM_FOR_ALL, space(3) + space(MAX_DESCRIPTORS + 1));
            out_and_in::<ROOM_FOR_FEW>(&pushed);
            out_and_in::<ROOM_FOR_ALL>(&pushed);
        }
    }
}

impl Framed<'_> {
    fn write_to(&self, bytes: &mut Vec<u8>, begin: usize) {
        let right = HEADER + self.data.len();
        let said = match self.length {
            Length::Right => right,
            Length::Nearly(more) => right.saturating_add_signed(more.into()),
            Length::Any(length) => length,
            Length::Huge(less) => usize::MAX - usize::from(less),
        };
        let level = match self.level {
            Level::Socket => SOL_SOCKET,
            Level::Any(level) => level,
        };
        bytes.extend(said.to_ne_bytes());
        bytes.extend(level.to_ne_bytes());
        bytes.extend(self.kind.number().to_ne_bytes());
        bytes.extend(self.data);
        bytes.resize(begin + (bytes.len() - begin).next_multiple_of(WORD), 0xa5);
    }
}

impl Kind {
    const fn number(self) -> i32 {
        match self {
            Self::Rights => libc::SCM_RIGHTS,
            Self::Credentials => libc::SCM_CREDENTIALS,
            Self::Pidfd => PIDFD,
            Self::Any(kind) => kind,
        }
    }
}

fn is_read_as_it_should_be(control: &[u8]) {
    assert_eq!(messages_in(control), by_the_manual(control));
}

/// Not more than there can be: reading ends.
fn messages_in(control: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    read(control, |message| {
        messages.push(message);
        assert!(messages.len() <= control.len() / 4);
    });
    messages
}

/// `CMSG_FIRSTHDR`, and then `CMSG_NXTHDR` and `CMSG_DATA`, with numbers that are never too large.
/// A message that says it is longer than there are bytes has those that there are.
fn by_the_manual(control: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut at = 0;
    while let Some(message) = control.get(at..).filter(|rest| rest.len() >= HEADER) {
        let said = usize::from_ne_bytes(*message.first_chunk().expect("a header"));
        if said < HEADER {
            break;
        }
        let number = |at: usize| i32::from_ne_bytes(*message[at..].first_chunk().expect("four"));
        let (level, kind) = (number(WORD), number(WORD + 4));
        let data = &message[HEADER..said.min(message.len())];
        if level == SOL_SOCKET {
            meaning(kind, data, &mut messages);
        }
        let next = (at as u128 + said as u128).next_multiple_of(WORD as u128);
        at = usize::try_from(next).unwrap_or(usize::MAX);
    }
    messages
}

fn meaning(kind: i32, data: &[u8], messages: &mut Vec<Message>) {
    let numbers = (0..data.len() / 4)
        .map(|word| i32::from_ne_bytes(*data[4 * word..].first_chunk().expect("four")));
    match kind {
        libc::SCM_RIGHTS => messages.extend(numbers.map(Message::Descriptor)),
        PIDFD => messages.extend(numbers.map(Message::Pidfd)),
        libc::SCM_CREDENTIALS => {
            let credentials = data.first_chunk().copied().map(Credentials::from_bytes);
            messages.extend(credentials.map(Message::Credentials));
        }
        _ => {}
    }
}

/// What a message of so many words takes, with its padding.
const fn space(words: usize) -> usize {
    (HEADER + 4 * words).next_multiple_of(WORD)
}

/// What has been pushed is what is read; what has no room leaves things as they are.
fn out_and_in<const ROOM: usize>(pushed: &[Pushed]) {
    let mut outgoing = Outgoing::<ROOM>::new();
    let (mut bytes, mut messages) = (Vec::new(), Vec::new());
    for Pushed { kind, words, first } in pushed {
        let words = usize::from(words % 300);
        let data: Vec<[u8; 4]> =
            (0..).map(|number| first.wrapping_add(number).to_ne_bytes()).take(words).collect();
        let fits = outgoing.push(kind.number(), data.iter().copied());
        assert_eq!(fits.is_some(), bytes.len() + space(words) <= ROOM);
        if fits.is_some() {
            let length = bytes.len() + space(words);
            bytes.extend((HEADER + 4 * words).to_ne_bytes());
            bytes.extend(SOL_SOCKET.to_ne_bytes());
            bytes.extend(kind.number().to_ne_bytes());
            bytes.extend(data.as_flattened());
            bytes.extend(repeat_n(0, length - bytes.len()));
            meaning(kind.number(), data.as_flattened(), &mut messages);
        }
        assert_eq!(outgoing.as_bytes(), bytes);
        assert_eq!(outgoing.as_bytes().as_ptr().addr() % WORD, 0);
        // As the kernel counts: credentials with their padding, then descriptors.
        let offered = room_for(words);
        assert!(space(3) + HEADER + 4 * words.min(MAX_DESCRIPTORS) <= offered);
        assert!(offered <= control::ROOM);
    }
    assert_eq!(messages_in(outgoing.as_bytes()), messages);
}
