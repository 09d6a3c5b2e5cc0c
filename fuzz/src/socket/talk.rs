//! The forms of sending and receiving, the same for all kinds of sockets.

use core::fmt::Debug;

use rawipc::error::Incomplete;
use rawipc::socket::{
    Ancillary, Credentials, Datagram, Descriptors, Received, SeqPacket, Socket, Stream, kind,
};
use rawipc::{IoSlice, Result};

use super::super::form::{Form, past};
use super::Kind;

/// What came, besides the bytes in the buffer and the descriptors in the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) len: usize,
    pub(super) lost: usize,
    pub(super) lost_descriptors: bool,
    pub(super) credentials: Option<Credentials>,
}

impl Came {
    fn of(received: Received<'_>) -> Self {
        assert!(!format!("{received:?}").is_empty());
        let (is_whole, credentials) = (received.is_whole(), received.credentials());
        match received.whole() {
            Ok(bytes) => {
                assert!(is_whole);
                Self { len: bytes.len(), lost: 0, lost_descriptors: false, credentials }
            }
            Err(lost) => {
                assert!(!is_whole && !lost.to_string().is_empty());
                let (lost, lost_descriptors) = (lost.bytes(), lost.descriptors());
                // Not reached by `whole`: the caller knows how many there can be.
                Self { len: usize::MAX, lost, lost_descriptors, credentials }
            }
        }
    }
}

/// One end of any kind.
pub(super) trait Talk: Sized + Debug {
    const KIND: Kind;
    type Carries: kind::Kind;

    fn as_socket(&self) -> &Socket<Self::Carries>;

    fn from_socket(socket: Socket<Self::Carries>) -> Self;

    fn send(&self, form: Form, bytes: &[u8]) -> Result<usize>;

    fn send_with(&self, form: Form, data: &[IoSlice<'_>], along: Ancillary<'_>) -> Result<usize>;

    /// Without a list.
    fn receive(&self, form: Form, buffer: &mut [u8]) -> Result<Came>;

    fn receive_with<const N: usize>(
        &self,
        form: Form,
        buffer: &mut [u8],
        list: &mut Descriptors<N>,
    ) -> Result<Came>;

    /// Of packets: how long the next one is.
    fn next_len(&self, form: Form) -> Option<Result<usize>>;

    /// Of streams: all of the bytes.
    fn send_all(&self, form: Form, bytes: &[u8]) -> Option<Result<(), Incomplete>>;

    /// Of streams: until the buffer is full.
    fn receive_all(&self, form: Form, buffer: &mut [u8]) -> Option<Result<usize, Incomplete>>;
}

impl Talk for Stream {
    const KIND: Kind = Kind::Stream;
    type Carries = kind::Stream;

    fn as_socket(&self) -> &Socket<kind::Stream> {
        self
    }

    fn from_socket(socket: Socket<kind::Stream>) -> Self {
        socket
    }

    fn send(&self, form: Form, bytes: &[u8]) -> Result<usize> {
        match form {
            Form::Plain => self.write(bytes),
            Form::Try => self.try_write(bytes),
            Form::Until => self.write_until(bytes, past()),
        }
    }

    fn send_with(&self, form: Form, data: &[IoSlice<'_>], along: Ancillary<'_>) -> Result<usize> {
        match form {
            Form::Plain => self.send_with(data, along),
            Form::Try => self.try_send_with(data, along),
            Form::Until => self.send_with_until(data, along, past()),
        }
    }

    fn receive(&self, form: Form, buffer: &mut [u8]) -> Result<Came> {
        let read = match form {
            Form::Plain => self.read(buffer),
            Form::Try => self.try_read(buffer),
            Form::Until => self.read_until(buffer, past()),
        };
        let len = read?.len();
        Ok(Came { len, lost: 0, lost_descriptors: false, credentials: None })
    }

    fn receive_with<const N: usize>(
        &self,
        form: Form,
        buffer: &mut [u8],
        list: &mut Descriptors<N>,
    ) -> Result<Came> {
        let received = match form {
            Form::Plain => self.receive_with(buffer, list),
            Form::Try => self.try_receive_with(buffer, list),
            Form::Until => self.receive_with_until(buffer, list, past()),
        };
        received.map(Came::of)
    }

    fn next_len(&self, _: Form) -> Option<Result<usize>> {
        None
    }

    fn send_all(&self, form: Form, bytes: &[u8]) -> Option<Result<(), Incomplete>> {
        Some(match form {
            Form::Until => self.write_all_until(bytes, past()),
            _ => self.write_all(bytes),
        })
    }

    fn receive_all(&self, form: Form, buffer: &mut [u8]) -> Option<Result<usize, Incomplete>> {
        let read = match form {
            Form::Until => self.read_all_until(buffer, past()),
            _ => self.read_all(buffer),
        };
        Some(read.map(|read| read.len()))
    }
}

macro_rules! packets {
    ($($Socket:ident),*) => {$(
        impl Talk for $Socket {
            const KIND: Kind = Kind::$Socket;
            type Carries = kind::$Socket;

            fn as_socket(&self) -> &Socket<kind::$Socket> {
                self
            }

            fn from_socket(socket: Socket<kind::$Socket>) -> Self {
                socket
            }

            fn send(&self, form: Form, bytes: &[u8]) -> Result<usize> {
                let sent = match form {
                    Form::Plain => self.send(bytes),
                    Form::Try => self.try_send(bytes),
                    Form::Until => self.send_until(bytes, past()),
                };
                sent.map(|()| bytes.len())
            }

            fn send_with(
                &self,
                form: Form,
                data: &[IoSlice<'_>],
                along: Ancillary<'_>,
            ) -> Result<usize> {
                let sent = match form {
                    Form::Plain => self.send_with(data, along),
                    Form::Try => self.try_send_with(data, along),
                    Form::Until => self.send_with_until(data, along, past()),
                };
                sent.map(|()| data.iter().map(|part| part.len()).sum())
            }

            fn receive(&self, form: Form, buffer: &mut [u8]) -> Result<Came> {
                let received = match form {
                    Form::Plain => self.receive(buffer),
                    Form::Try => self.try_receive(buffer),
                    Form::Until => self.receive_until(buffer, past()),
                };
                received.map(Came::of)
            }

            fn receive_with<const N: usize>(
                &self,
                form: Form,
                buffer: &mut [u8],
                list: &mut Descriptors<N>,
            ) -> Result<Came> {
                let received = match form {
                    Form::Plain => self.receive_with(buffer, list),
                    Form::Try => self.try_receive_with(buffer, list),
                    Form::Until => self.receive_with_until(buffer, list, past()),
                };
                received.map(Came::of)
            }

            fn next_len(&self, form: Form) -> Option<Result<usize>> {
                Some(match form {
                    Form::Plain => self.next_len(),
                    Form::Try => self.try_next_len(),
                    Form::Until => self.next_len_until(past()),
                })
            }

            fn send_all(&self, _: Form, _: &[u8]) -> Option<Result<(), Incomplete>> {
                None
            }

            fn receive_all(&self, _: Form, _: &mut [u8]) -> Option<Result<usize, Incomplete>> {
                None
            }
        }
    )*};
}
packets!(SeqPacket, Datagram);
