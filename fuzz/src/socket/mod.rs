//! A pair of sockets of any kind, with all that goes along, against a model of it.

mod model;
mod talk;

use core::iter;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::error::Incomplete;
use rawipc::socket::{
    Ancillary, Credentials, Datagram, Descriptors, Gid, SeqPacket, Shutdown, Socket, SocketFlags,
    Stream, Uid,
};
use rawipc::{Errno, IoSlice, Result};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::{MemfdFlags, fstat, ftruncate, memfd_create};
use rustix::net::sockopt::{set_socket_send_buffer_size, socket_error, socket_send_buffer_size};

use self::model::{End, Message};
use self::talk::{Came, Talk};
use super::descriptors;
use super::form::Form;

/// What is done to which pair.
#[derive(Arbitrary, Debug)]
struct Input {
    kind: Kind,
    nonblocking: bool,
    /// Whether little can be under way, from each end.
    small: [bool; 2],
    ops: Vec<(Side, Op)>,
}

#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    SeqPacket,
    Datagram,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Side {
    Here,
    There,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Send { copy: u8, form: Form, len: Len },
    SendWith { copy: u8, form: Form, len: Len, cut: u8, credentials: bool, descriptors: Count },
    SendAll { until: bool, len: Len },
    Receive { copy: u8, form: Form, room: Len },
    ReceiveWith { copy: u8, form: Form, room: Len, list: Room, take: u8 },
    ReceiveAll { until: bool, room: Len },
    NextLen { form: Form },
    Shut { how: How },
    AskForCredentials { ask: bool },
    SetNonblocking { on: bool },
    Clone,
    Drop { copy: u8 },
}

/// A length, more often than not a short one.
#[derive(Arbitrary, Clone, Copy, Debug)]
struct Len {
    power: u8,
    more: i8,
}

impl Len {
    fn get(self) -> usize {
        const POWERS: [usize; 16] =
            [0, 0, 0, 0, 0, 0, 0, 0, 256, 256, 256, 2048, 2048, 1 << 13, 1 << 16, 212_992];

        POWERS[usize::from(self.power) % POWERS.len()].saturating_add_signed(self.more.into())
    }
}

/// How many descriptors to send.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Count {
    None,
    Few(u8),
    All,
    TooMany(bool),
}

impl Count {
    fn get(self) -> usize {
        match self {
            Self::None => 0,
            Self::Few(count) => usize::from(count % 8),
            Self::All => 253,
            Self::TooMany(by_far) => 254 + usize::from(by_far),
        }
    }
}

/// For how many descriptors there is room.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Room {
    None,
    One,
    Four,
    All,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum How {
    Read,
    Write,
    Both,
}

/// Files to send, each of another length.
const FILES: u64 = 3;

/// Descriptors under way at once: an unprivileged user's limit may be a thousand.
const UNDER_WAY: usize = 600;

/// The longest that goes in one piece through the smallest buffer that there is.
const PIECE: usize = 2000;

struct Pair<S> {
    ends: [Vec<S>; 2],
    models: [End; 2],
    files: Vec<OwnedFd>,
    /// How many bytes were made up.
    made: u32,
}

impl<S: Talk> Pair<S> {
    fn new(input: &Input) -> Self {
        let nonblocking = || Socket::pair_with(SocketFlags::NONBLOCK);
        let pair = if input.nonblocking { nonblocking() } else { Socket::pair() };
        let (here, there) = pair.expect("a pair");
        let mut models = [&here, &there].map(|end| {
            let own = end.peer_credentials().expect("who made it");
            assert_eq!(own, Credentials::own());
            let buffer = socket_send_buffer_size(end).expect("a size");
            End::new(S::KIND, !input.nonblocking, buffer)
        });
        for ((end, model), small) in [&here, &there].into_iter().zip(&mut models).zip(input.small) {
            if small {
                set_socket_send_buffer_size(end, 1).expect("the least");
                model.send_buffer = socket_send_buffer_size(end).expect("a size");
            }
        }
        let ends = [here, there].map(|end| vec![S::from_socket(end)]);
        Self { ends, models, files: Vec::new(), made: 0 }
    }

    /// So many bytes unlike those before.
    fn make(&mut self, len: usize) -> Vec<u8> {
        let next = || {
            self.made += 1;
            self.made.wrapping_mul(0x9e37_79b1).to_be_bytes()[0]
        };
        iter::repeat_with(next).take(len).collect()
    }

    /// The files, once they are wanted.
    fn make_files(&mut self) {
        if self.files.is_empty() {
            self.files.extend((0..FILES).map(|number| {
                let file = memfd_create("numbered", MemfdFlags::CLOEXEC).expect("a file");
                ftruncate(&file, number).expect("its length");
                file
            }));
        }
    }

    fn end(&self, side: Side, copy: u8) -> Option<&S> {
        let ends = &self.ends[side as usize];
        ends.get(usize::from(copy).checked_rem(ends.len())?)
    }

    /// This end and the other.
    fn models(&mut self, side: Side) -> (&mut End, &mut End) {
        let [here, there] = &mut self.models;
        match side {
            Side::Here => (here, there),
            Side::There => (there, here),
        }
    }

    /// Holds what was said of sending so many bytes against the model, and puts it into that.
    fn sent(&mut self, side: Side, form: Form, message: Message, along: bool, said: Result<usize>) {
        let (here, there) = self.models(side);
        let (len, descriptors) = (message.bytes.len(), message.descriptors.len());
        // Asked for before anything is put there.
        let (has_room, has_none) = (here.surely_has_room(there, len), here.surely_has_none(there));
        let refusals = here.refusals(there, len, descriptors, along);
        match said {
            Err(errno) if refusals.iter().any(|reason| errno == form.says_of(*reason)) => {
                here.was_refused(errno);
            }
            _ if !refusals.is_empty() => panic!("{said:?} and none of {refusals:?}"),
            _ if S::KIND == Kind::Stream && len == 0 => assert_eq!(said, Ok(0)),
            _ => {
                match said {
                    Ok(taken) if S::KIND == Kind::Stream => assert!(0 < taken && taken <= len),
                    Ok(taken) => assert_eq!(taken, len),
                    Err(errno) => assert_eq!(errno, form.says_of(Errno::AGAIN)),
                }
                assert!(!has_room || said == Ok(len), "there was room: {said:?} of {len}");
                assert!(!has_none || said.is_err(), "there was none: {said:?}");
                if let Ok(taken) = said {
                    there.queue.push_back(message.cut(taken));
                }
            }
        }
    }

    /// Whether sending so much may sleep.
    fn may_sleep(&mut self, side: Side, len: usize) -> bool {
        let (here, there) = self.models(side);
        here.waits && !here.surely_has_room(there, len)
    }

    fn send(&mut self, side: Side, copy: u8, form: Form, len: usize) {
        let form = form.unless(self.may_sleep(side, len));
        let bytes = self.make(len);
        let Some(end) = self.end(side, copy) else { return };
        let said = end.send(form, &bytes);
        let (here, there) = self.models(side);
        let known = here.asks_for_credentials || there.asks_for_credentials;
        self.sent(side, form, Message::new(&bytes, Vec::new(), known), false, said);
    }

    fn send_with(
        &mut self,
        side: Side,
        copy: u8,
        form: Form,
        (len, cut): (usize, u8),
        (credentials, count): (bool, usize),
    ) {
        let (here, there) = self.models(side);
        let under_way: usize = there.queue.iter().map(|message| message.descriptors.len()).sum();
        let count = if under_way + count > UNDER_WAY { 0 } else { count };
        let known = here.asks_for_credentials || there.asks_for_credentials || credentials;
        // In one piece, so that it is known with which of its bytes the descriptors come.
        let len = if S::KIND == Kind::Stream && count > 0 { len.min(PIECE) } else { len };
        let form = form.unless(self.may_sleep(side, len));
        let bytes = self.make(len);
        self.make_files();
        let Some(end) = self.end(side, copy) else { return };
        let numbers: Vec<u64> = (0..FILES).cycle().take(count).collect();
        let files: Vec<_> =
            self.files.iter().map(|file| file.as_fd()).cycle().take(count).collect();
        let mut along = Ancillary::new().descriptors(&files);
        if credentials {
            along = along.credentials(Credentials::own());
        }
        let (head, tail) = bytes.split_at(usize::from(cut).min(len));
        let said = end.send_with(form, &[IoSlice::new(head), IoSlice::new(tail)], along);
        let message = Message::new(&bytes, numbers, known);
        self.sent(side, form, message, credentials || count > 0, said);
    }

    fn send_all(&mut self, side: Side, until: bool, len: usize) {
        let form = if until { Form::Until } else { Form::Plain };
        let form = form.unless(self.may_sleep(side, len));
        let bytes = self.make(len);
        let said = self.end(side, 0).and_then(|end| end.send_all(form, &bytes));
        let Some(said) = said else { return };
        let (taken, errno) = match said {
            Ok(()) => (len, None),
            Err(incomplete) => (incomplete.transferred(), Some(incomplete.errno())),
        };
        let (here, there) = self.models(side);
        let known = here.asks_for_credentials || there.asks_for_credentials;
        if taken > 0 {
            self.sent(
                side,
                form,
                Message::new(&bytes[..taken], Vec::new(), known),
                false,
                Ok(taken),
            );
        }
        if let Some(errno) = errno {
            assert!(taken < len);
            let rest = Message::new(&bytes[taken..], Vec::new(), known);
            self.sent(side, form, rest, false, Err(errno));
        }
    }

    /// What the model receives, and the form that does so without sleeping.
    fn model(&mut self, side: Side, form: Form, room: usize) -> (Result<Option<Message>>, Form) {
        let (here, _) = self.models(side);
        let model = here.receive(room, form == Form::Plain && here.waits);
        let form = form.unless(here.waits && model.as_ref().is_err_and(|e| *e == Errno::AGAIN));
        (form.says(model), form)
    }

    /// What the model says of what came, with room for so many descriptors.
    fn came(&mut self, side: Side, message: Option<&Message>, room: usize, listed: usize) -> Came {
        let (here, _) = self.models(side);
        let Some(message) = message else {
            return Came { len: 0, lost: 0, lost_descriptors: false, credentials: None };
        };
        let lost = message.bytes.len().saturating_sub(room);
        let lost_descriptors = message.descriptors.len() > listed;
        let is_told = S::KIND != Kind::Stream || !message.bytes.is_empty();
        let credentials = (here.asks_for_credentials && is_told).then(|| {
            let nobody =
                Credentials { pid: None, uid: Uid::from_raw(65534), gid: Gid::from_raw(65534) };
            if message.has_credentials { Credentials::own() } else { nobody }
        });
        let is_whole = lost == 0 && !lost_descriptors;
        let len = if is_whole { message.bytes.len() } else { usize::MAX };
        Came { len, lost, lost_descriptors, credentials }
    }

    fn receive(&mut self, side: Side, copy: u8, form: Form, room: usize) {
        if self.end(side, copy).is_none() {
            return;
        }
        let (model, form) = self.model(side, form, room);
        let mut buffer = vec![0xee; room];
        let came = self.end(side, copy).map(|end| end.receive(form, &mut buffer));
        let expected = model.as_ref().map_err(|errno| *errno).map(|message| {
            let mut came = self.came(side, message.as_ref(), room, 0);
            if S::KIND == Kind::Stream {
                // Read without a word of what came along.
                (came.lost_descriptors, came.credentials) = (false, None);
                came.len = message.as_ref().map_or(0, |message| message.bytes.len());
            }
            came
        });
        assert_eq!(came, Some(expected));
        assert_filled(&buffer, &model);
    }

    fn receive_with<const N: usize>(
        &mut self,
        side: Side,
        copy: u8,
        form: Form,
        room: usize,
        take: u8,
    ) {
        if self.end(side, copy).is_none() {
            return;
        }
        let (model, form) = self.model(side, form, room);
        let mut buffer = vec![0xee; room];
        let mut list = Descriptors::<N>::new();
        let came = self.end(side, copy).map(|end| end.receive_with(form, &mut buffer, &mut list));
        let expected = model.as_ref().map_err(|errno| *errno);
        let expected = expected.map(|message| self.came(side, message.as_ref(), room, N));
        assert_eq!(came, Some(expected));
        assert_filled(&buffer, &model);
        let message = model.ok().flatten().unwrap_or_default();
        let numbers = &message.descriptors[..message.descriptors.len().min(N)];
        assert_eq!((list.len(), list.is_empty()), (numbers.len(), numbers.is_empty()));
        // Those that are not taken are closed with the list.
        for (number, taken) in numbers.iter().zip(list.by_ref().take(take.into())) {
            let len = fstat(&taken).expect("a file").st_size;
            assert_eq!(u64::try_from(len), Ok(*number));
        }
        assert_eq!(list.len(), numbers.len().saturating_sub(take.into()));
    }

    fn receive_all(&mut self, side: Side, until: bool, room: usize) {
        if S::KIND != Kind::Stream || self.end(side, 0).is_none() {
            return;
        }
        let (here, _) = self.models(side);
        let mut model = Message::default();
        let mut stopped = None;
        while model.bytes.len() < room && stopped.is_none() {
            match here.receive(room - model.bytes.len(), false) {
                Ok(Some(next)) => model.bytes.extend(next.bytes),
                Ok(None) => break,
                Err(errno) => stopped = Some(errno),
            }
        }
        let form = if until { Form::Until } else { Form::Plain };
        let form = form.unless(here.waits && stopped == Some(Errno::AGAIN));
        let len = model.bytes.len();
        let expected = stopped.map_or(Ok(len), |errno| Err((len, form.says_of(errno))));
        let mut buffer = vec![0xee; room];
        let said = self.end(side, 0).and_then(|end| end.receive_all(form, &mut buffer));
        let told = |stopped: Incomplete| (stopped.transferred(), stopped.errno());
        assert_eq!(said.map(|said| said.map_err(told)), Some(expected));
        assert_filled(&buffer, &Ok(Some(model)));
    }

    fn next_len(&mut self, side: Side, form: Form) {
        if S::KIND == Kind::Stream || self.end(side, 0).is_none() {
            return;
        }
        let (here, _) = self.models(side);
        let model = here.next_len(form == Form::Plain && here.waits);
        let form = form.unless(here.waits && model == Err(Errno::AGAIN));
        let said = self.end(side, 0).and_then(|end| end.next_len(form));
        assert_eq!(said, Some(form.says(model)));
    }

    fn shut(&mut self, side: Side, how: How) {
        let how = match how {
            How::Read => Shutdown::Read,
            How::Write => Shutdown::Write,
            How::Both => Shutdown::Both,
        };
        let Some(end) = self.end(side, 0) else { return };
        assert_eq!(end.as_socket().shutdown(how), Ok(()));
        let (here, there) = self.models(side);
        here.shut(there, how);
    }

    fn ask_for_credentials(&mut self, side: Side, ask: bool) {
        let Some(end) = self.end(side, 0) else { return };
        assert_eq!(end.as_socket().pass_credentials(ask), Ok(()));
        self.models(side).0.asks_for_credentials = ask;
    }

    fn set_nonblocking(&mut self, side: Side, on: bool) {
        let Some(end) = self.end(side, 0) else { return };
        assert_eq!(end.as_socket().set_nonblocking(on), Ok(()));
        self.models(side).0.waits = !on;
    }

    fn clone(&mut self, side: Side) {
        /// Copies of one end.
        const MOST: usize = 3;

        let Some(end) = self.end(side, 0).filter(|_| self.ends[side as usize].len() < MOST) else {
            return;
        };
        // Also as a descriptor like any other, which it is for a moment.
        let copy = OwnedFd::from(end.as_socket().try_clone().expect("a copy"));
        let copy = Socket::try_from(copy).expect("a socket of this kind");
        self.ends[side as usize].push(S::from_socket(copy));
        self.models(side).0.copies += 1;
    }

    fn drop(&mut self, side: Side, copy: u8) {
        let ends = &mut self.ends[side as usize];
        if let Some(copy) = usize::from(copy).checked_rem(ends.len()) {
            drop(ends.remove(copy));
            let (here, there) = self.models(side);
            let may_reset = here.copies == 1 && here.has_but_an_empty_one();
            here.close(there);
            let other = self.ends.iter().flatten().next().filter(|_| may_reset);
            // Asking takes it away.
            other.map(|other| socket_error(other.as_socket()).expect("an option"));
        }
    }

    fn apply(&mut self, side: Side, op: &Op) {
        match *op {
            Op::Send { copy, form, len } => self.send(side, copy, form, len.get()),
            Op::SendWith { copy, form, len, cut, credentials, descriptors } => {
                let along = (credentials, descriptors.get());
                self.send_with(side, copy, form, (len.get(), cut), along);
            }
            Op::SendAll { until, len } => self.send_all(side, until, len.get()),
            Op::Receive { copy, form, room } => self.receive(side, copy, form, room.get()),
            Op::ReceiveWith { copy, form, room, list, take } => {
                let room = room.get();
                match list {
                    Room::None => self.receive_with::<0>(side, copy, form, room, take),
                    Room::One => self.receive_with::<1>(side, copy, form, room, take),
                    Room::Four => self.receive_with::<4>(side, copy, form, room, take),
                    Room::All => self.receive_with::<253>(side, copy, form, room, take),
                }
            }
            Op::ReceiveAll { until, room } => self.receive_all(side, until, room.get()),
            Op::NextLen { form } => self.next_len(side, form),
            Op::Shut { how } => self.shut(side, how),
            Op::AskForCredentials { ask } => self.ask_for_credentials(side, ask),
            Op::SetNonblocking { on } => self.set_nonblocking(side, on),
            Op::Clone => self.clone(side),
            Op::Drop { copy } => self.drop(side, copy),
        }
    }

    fn assert_as_in_the_model(&self) {
        for (ends, model) in self.ends.iter().zip(&self.models) {
            for end in ends {
                assert_eq!(end.as_socket().is_nonblocking(), Ok(!model.waits));
            }
            assert_eq!(ends.len(), model.copies);
        }
    }
}

/// The message's first bytes are in the buffer, and behind them it is as it was.
#[track_caller]
fn assert_filled(buffer: &[u8], message: &Result<Option<Message>>) {
    let none = Message::default();
    let message = message.as_ref().ok().and_then(Option::as_ref).unwrap_or(&none);
    let (filled, rest) = buffer.split_at(message.bytes.len().min(buffer.len()));
    assert!(filled.iter().eq(message.bytes.iter().take(filled.len())), "other bytes");
    assert!(rest.iter().all(|byte| *byte == 0xee), "more bytes than it said");
}

fn try_all<S: Talk>(input: &Input) {
    /// Operations with one input.
    const MOST: usize = 100;

    let mut pair = Pair::<S>::new(input);
    for (side, op) in input.ops.iter().take(MOST) {
        pair.apply(*side, op);
        pair.assert_as_in_the_model();
    }
}

pub(super) fn run(data: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(data)) else { return };
    descriptors::unchanged(|| match input.kind {
        Kind::Stream => try_all::<Stream>(&input),
        Kind::SeqPacket => try_all::<SeqPacket>(&input),
        Kind::Datagram => try_all::<Datagram>(&input),
    });
}
