//! Not waiting on a pipe whose description is blocking. `poll` first does not really do that:
//! another reader may be faster. A non-blocking description does, but is so for everybody who
//! shares it.

use rawipc::pipe::{Pipe, PipeFlags};

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "pipe, empty: try to read", contenders: empty },
    Group { name: "pipe: write and read 8 B, neither waiting", contenders: write_and_read },
];

fn empty() -> Vec<Contender> {
    let mut buffer = [0; 8];

    let (reader, writer) = by_hand::pipe(0).unwrap();
    let preadv2 = move || {
        let _keep_open = &writer;
        by_hand::read_nowait(&reader, &mut buffer).is_err()
    };

    let Pipe { reader, writer } = Pipe::new().unwrap();
    let rawipc = move || {
        let _keep_open = &writer;
        reader.try_read(&mut buffer).is_err()
    };

    let Pipe { reader, writer } = Pipe::with(PipeFlags::NONBLOCK).unwrap();
    let rawipc_nonblocking = move || {
        let _keep_open = &writer;
        reader.read(&mut buffer).is_err()
    };

    let (reader, writer) = by_hand::pipe(0).unwrap();
    let poll = move || {
        let _keep_open = &writer;
        by_hand::poll(&reader, libc::POLLIN, 0).unwrap()
    };

    let (reader, writer) = by_hand::pipe(libc::O_NONBLOCK).unwrap();
    let nonblocking = move || {
        let _keep_open = &writer;
        by_hand::read(&reader, &mut buffer).is_err()
    };

    vec![
        Contender::new("libc, preadv2 with RWF_NOWAIT", preadv2),
        Contender::new("rawipc, try_read", rawipc),
        Contender::new("rawipc, read of a non-blocking one", rawipc_nonblocking),
        Contender::new("libc, poll, and nothing to read", poll),
        Contender::new("libc, read of a non-blocking one", nonblocking),
    ]
}

fn write_and_read() -> Vec<Contender> {
    let bytes = [7; 8];
    let mut buffer = [0; 8];

    let (reader, writer) = by_hand::pipe(0).unwrap();
    let preadv2 = move || {
        by_hand::write_nowait(&writer, &bytes).unwrap();
        by_hand::read_nowait(&reader, &mut buffer).unwrap()
    };

    let Pipe { reader, writer } = Pipe::new().unwrap();
    let rawipc = move || {
        writer.try_write(&bytes).unwrap();
        reader.try_read(&mut buffer).unwrap().len()
    };

    let (reader, writer) = by_hand::pipe(0).unwrap();
    let poll = move || {
        assert!(by_hand::poll(&writer, libc::POLLOUT, 0).unwrap());
        by_hand::write(&writer, &bytes).unwrap();
        assert!(by_hand::poll(&reader, libc::POLLIN, 0).unwrap());
        by_hand::read(&reader, &mut buffer).unwrap()
    };

    let (reader, writer) = by_hand::pipe(libc::O_NONBLOCK).unwrap();
    let nonblocking = move || {
        by_hand::write(&writer, &bytes).unwrap();
        by_hand::read(&reader, &mut buffer).unwrap()
    };

    vec![
        Contender::new("libc, preadv2 with RWF_NOWAIT", preadv2),
        Contender::new("rawipc, try_write and try_read", rawipc),
        Contender::new("libc, poll and then the call", poll),
        Contender::new("libc, a non-blocking one", nonblocking),
    ]
}
