//! Not waiting on a FIFO, which has no `RWF_NOWAIT`: `rawipc` opens a non-blocking description of
//! its own through `/proc`, each time, unless the one it has is non-blocking already.

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Reader, Writer};

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "FIFO: write and read 8 B, neither waiting", contenders: write_and_read },
    Group { name: "FIFO, empty: try to read", contenders: empty },
];

fn write_and_read() -> Vec<Contender> {
    let bytes = [7; 8];
    let mut buffer = [0; 8];

    let (reader, writer) = nonblocking_ends();
    let libc = move || {
        by_hand::write(&writer, &bytes).unwrap();
        by_hand::read(&reader, &mut buffer).unwrap()
    };

    let (reader, writer) = nonblocking_ends();
    let rawipc_nonblocking = move || {
        writer.try_write(&bytes).unwrap();
        reader.try_read(&mut buffer).unwrap().len()
    };

    let (reader, writer) = ends();
    let poll = move || {
        assert!(by_hand::poll(&writer, libc::POLLOUT, 0).unwrap());
        by_hand::write(&writer, &bytes).unwrap();
        assert!(by_hand::poll(&reader, libc::POLLIN, 0).unwrap());
        by_hand::read(&reader, &mut buffer).unwrap()
    };

    let (reader, writer) = ends();
    let rawipc = move || {
        writer.try_write(&bytes).unwrap();
        reader.try_read(&mut buffer).unwrap().len()
    };

    vec![
        Contender::new("libc, a non-blocking one", libc),
        Contender::new("rawipc, try_ on a non-blocking one", rawipc_nonblocking),
        Contender::new("libc, poll and then the call", poll),
        Contender::new("rawipc, try_ on a blocking one", rawipc),
    ]
}

fn empty() -> Vec<Contender> {
    let mut buffer = [0; 8];

    let (reader, writer) = nonblocking_ends();
    let libc = move || {
        let _keep_open = &writer;
        by_hand::read(&reader, &mut buffer).is_err()
    };

    let (reader, writer) = nonblocking_ends();
    let rawipc_nonblocking = move || {
        let _keep_open = &writer;
        reader.try_read(&mut buffer).is_err()
    };

    let (reader, writer) = ends();
    let poll = move || {
        let _keep_open = &writer;
        by_hand::poll(&reader, libc::POLLIN, 0).unwrap()
    };

    let (reader, writer) = ends();
    let rawipc = move || {
        let _keep_open = &writer;
        reader.try_read(&mut buffer).is_err()
    };

    vec![
        Contender::new("libc, a non-blocking one", libc),
        Contender::new("rawipc, try_read of a non-blocking one", rawipc_nonblocking),
        Contender::new("libc, poll, and nothing to read", poll),
        Contender::new("rawipc, try_read of a blocking one", rawipc),
    ]
}

/// Both ends of a FIFO that has no path any more.
fn ends() -> (Reader, Writer) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("fifo");
    let fifo = Fifo::new(&path);
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    (fifo.try_open_reader().unwrap(), fifo.open_writer().unwrap())
}

fn nonblocking_ends() -> (Reader, Writer) {
    let (reader, writer) = ends();
    reader.set_nonblocking(true).unwrap();
    writer.set_nonblocking(true).unwrap();
    (reader, writer)
}
