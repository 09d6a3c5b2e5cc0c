//! The channels, as `rawipc` has them.

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::Pipe;
use rawipc::socket::kind::Packet;
use rawipc::socket::{Datagram, SeqPacket, Socket, Stream};

use crate::meeting::Ends;

const BYTES: [u8; 8] = [7; 8];

pub(super) fn pipe() -> Ends {
    through(Pipe::new().unwrap(), Pipe::new().unwrap())
}

pub(super) fn fifo() -> Ends {
    let fifo = || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        let fifo = Fifo::new(&path);
        fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
        Pipe { reader: fifo.try_open_reader().unwrap(), writer: fifo.open_writer().unwrap() }
    };
    through(fifo(), fifo())
}

fn through(there: Pipe, back: Pipe) -> Ends {
    let ask = move || {
        there.writer.write(&BYTES).unwrap();
        assert_eq!(back.reader.read(&mut [0; 8]).unwrap().len(), 8);
    };
    let answer = move || {
        let mut buffer = [0; 8];
        assert_eq!(there.reader.read(&mut buffer).unwrap().len(), 8);
        back.writer.write(&buffer).unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn stream() -> Ends {
    let (here, there) = Stream::pair().unwrap();
    let ask = move || {
        here.write(&BYTES).unwrap();
        assert_eq!(here.read(&mut [0; 8]).unwrap().len(), 8);
    };
    let answer = move || {
        let mut buffer = [0; 8];
        assert_eq!(there.read(&mut buffer).unwrap().len(), 8);
        there.write(&buffer).unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn seqpacket() -> Ends {
    packets(SeqPacket::pair().unwrap())
}

pub(super) fn datagram() -> Ends {
    packets(Datagram::pair().unwrap())
}

fn packets<K: Packet + 'static>((here, there): (Socket<K>, Socket<K>)) -> Ends {
    let ask = move || {
        here.send(&BYTES).unwrap();
        assert_eq!(here.receive(&mut [0; 8]).unwrap().whole().unwrap().len(), 8);
    };
    let answer = move || {
        let mut buffer = [0; 8];
        assert_eq!(there.receive(&mut buffer).unwrap().whole().unwrap().len(), 8);
        there.send(&buffer).unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}
