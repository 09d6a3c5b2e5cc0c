//! Socket pairs, with descriptors and credentials.

use core::fmt::Debug;

use rawipc::pipe::{Pipe, Reader};
use rawipc::socket::{
    Ancillary, Credentials, Datagram, Descriptors, SeqPacket, Shutdown, Socket, SocketFlags,
    Stream, kind,
};
use rawipc::{Deadline, Errno, IoSlice};
use rustix::fd::{AsFd as _, OwnedFd};

type Result = core::result::Result<(), Errno>;

pub fn run() -> Result {
    messages(SeqPacket::pair()?)?;
    messages(Datagram::pair_with(SocketFlags::empty())?)?;
    bytes()?;
    descriptors()?;
    credentials()
}

fn messages<K: kind::Packet + Debug>((here, there): (Socket<K>, Socket<K>)) -> Result {
    let (by, room) = (Deadline::NEVER, &mut [0; 8]);
    let past = Deadline::now();
    assert_eq!(there.try_receive(&mut *room).map(|_| ()), Err(Errno::AGAIN));
    assert_eq!(there.receive_until(&mut *room, past).map(|_| ()), Err(Errno::TIMEDOUT));
    here.send(b"one")?;
    assert_eq!((there.next_len()?, there.try_next_len()?, there.next_len_until(by)?), (3, 3, 3));
    assert_eq!(there.receive(&mut *room)?.whole().expect("whole"), b"one");
    here.try_send(b"two")?;
    assert_eq!(there.try_receive(&mut *room)?.in_part(), b"two");
    here.send_until(b"too long for it", by)?;
    let cut = there.receive_until(&mut *room, by)?;
    assert!(!cut.is_whole());
    let lost = cut.whole().expect_err("not whole");
    assert_eq!((lost.bytes(), lost.descriptors()), (7, false));
    Ok(())
}

fn bytes() -> Result {
    let (here, there) = Stream::pair()?;
    let (by, room) = (Deadline::NEVER, &mut [0; 4]);
    assert_eq!(here.write(b"a")? + here.try_write(b"b")? + here.write_until(b"c", by)?, 3);
    assert_eq!(there.read(&mut *room)?, b"abc");
    here.write_all(b"defg")?;
    assert_eq!(there.try_read(&mut *room)?, b"defg");
    here.write_all_until(b"hijklmno", by)?;
    assert_eq!(there.read_until(&mut *room, by)?, b"hijk");
    assert_eq!(there.read_all(&mut *room)?, b"lmno");
    here.shutdown(Shutdown::Write)?;
    assert_eq!(there.read_all_until(&mut *room, by)?, b"");
    Ok(())
}

fn descriptors() -> Result {
    let by = Deadline::NEVER;
    let Pipe { reader, writer } = Pipe::new()?;
    writer.write(b"12")?;
    let both = [reader.as_fd(), writer.as_fd()];
    let both = Ancillary::new().descriptors(&both);
    let data = &[IoSlice::new(b"x")];
    let mut came = Descriptors::<2>::new();

    let (here, there) = Stream::pair()?;
    assert_eq!(here.send_with(data, both)?, 1);
    assert_eq!(there.receive_with(&mut [0; 8], &mut came)?.in_part(), b"x");
    assert_eq!(here.try_send_with(data, both)?, 1);
    assert_eq!(there.try_receive_with(&mut [0; 8], &mut came)?.in_part(), b"x");
    assert_eq!(here.send_with_until(data, both, by)?, 1);
    assert_eq!(there.receive_with_until(&mut [0; 8], &mut came, by)?.in_part(), b"x");
    let reader = came.next().map(Reader::from).expect("the first");
    assert_eq!(reader.read(&mut [0; 1])?, b"1");
    came.clear();
    assert!(came.is_empty());

    let (here, there) = SeqPacket::pair()?;
    here.send_with(data, both)?;
    let lost = there.receive(&mut [0; 8])?.whole().expect_err("no room for descriptors");
    assert!(lost.descriptors());
    here.try_send_with(data, both)?;
    assert!(there.receive_with(&mut [0; 8], &mut came)?.is_whole());
    here.send_with_until(data, both, by)?;
    assert!(there.try_receive_with(&mut [0; 8], &mut came)?.is_whole());
    here.send_with(data, both)?;
    assert!(there.receive_with_until(&mut [0; 8], &mut came, by)?.is_whole());
    assert_eq!(came.map(Reader::from).map(|end| end.bytes_waiting()).next(), Some(Ok(1)));
    Ok(())
}

fn credentials() -> Result {
    let (here, there) = SeqPacket::pair()?;
    let there = SeqPacket::try_from(OwnedFd::from(there.try_clone()?))?;
    there.set_nonblocking(true)?;
    assert!(there.is_nonblocking()? && here.is_nonblocking()?.eq(&false));
    assert_eq!(there.peer_credentials()?, Credentials::own());
    there.pass_credentials(true)?;
    let own = Ancillary::new().credentials(Credentials::own());
    here.send_with(&[IoSlice::new(b"it is me")], own)?;
    assert_eq!(there.receive(&mut [0; 8])?.credentials(), Some(Credentials::own()));
    Ok(())
}
