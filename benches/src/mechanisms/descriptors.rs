//! Pipes, FIFOs and sockets, as `rawipc` has them, each with the room that the kernel gives it.

use core::error::Error;

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Pipe, Reader, Writer};
use rawipc::socket::kind::Packet;
use rawipc::socket::{Datagram, SeqPacket, Socket, Stream};

use super::contender::{Opened, Task};
use super::pair::{End, Pair};

/// An end of a pipe there and of another one back.
struct PipeEnds {
    from: Reader,
    to: Writer,
}

impl End for PipeEnds {
    fn send(&mut self, message: &[u8]) {
        self.to.write_all(message).expect("a reader");
    }

    fn receive(&mut self, into: &mut [u8]) {
        let whole = into.len();
        assert_eq!(self.from.read_all(into).expect("a pipe").len(), whole, "all of it");
    }
}

pub(super) fn pipe(task: Task) -> Opened {
    through(task, Pipe::new()?, Pipe::new()?)
}

pub(super) fn fifo(task: Task) -> Opened {
    let fifo = || -> Result<Pipe, Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("fifo");
        let fifo = Fifo::new(&path);
        fifo.create(Mode::RUSR | Mode::WUSR)?;
        Ok(Pipe { reader: fifo.try_open_reader()?, writer: fifo.open_writer()? })
    };
    through(task, fifo()?, fifo()?)
}

fn through(task: Task, there: Pipe, back: Pipe) -> Opened {
    let home = PipeEnds { from: back.reader, to: there.writer };
    let away = PipeEnds { from: there.reader, to: back.writer };
    Pair::open(task, || home, || away)
}

impl End for Stream {
    fn send(&mut self, message: &[u8]) {
        self.write_all(message).expect("a reader");
    }

    fn receive(&mut self, into: &mut [u8]) {
        let whole = into.len();
        assert_eq!(self.read_all(into).expect("a socket").len(), whole, "all of it");
    }
}

pub(super) fn stream(task: Task) -> Opened {
    let (home, away) = Stream::pair()?;
    Pair::open(task, || home, || away)
}

/// Keeps where one message ends and the next begins.
struct Packets<K: Packet>(Socket<K>);

impl<K: Packet + Send + 'static> End for Packets<K> {
    fn send(&mut self, message: &[u8]) {
        self.0.send(message).expect("a receiver");
    }

    fn receive(&mut self, into: &mut [u8]) {
        let whole = into.len();
        let message = self.0.receive(into).expect("a socket").whole().expect("room for it");
        assert_eq!(message.len(), whole, "all of it");
    }
}

pub(super) fn seqpacket(task: Task) -> Opened {
    let (home, away) = SeqPacket::pair()?;
    Pair::open(task, || Packets(home), || Packets(away))
}

pub(super) fn datagram(task: Task) -> Opened {
    let (home, away) = Datagram::pair()?;
    Pair::open(task, || Packets(home), || Packets(away))
}
