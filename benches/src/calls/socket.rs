//! A socket pair, sent over and received from.
//!
//! `rawipc` receives packets by recvmsg, so that nothing that comes along is lost without a word;
//! the others, but for the second by hand, by recv, which cannot tell.

use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

use nix::sys::socket::{AddressFamily as NixFamily, MsgFlags, SockFlag, SockType};
use rawipc::socket::{Datagram, SeqPacket, Stream};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "stream: send and receive 8 B", contenders: stream },
    Group { name: "seqpacket: send and receive 8 B", contenders: seqpacket },
    Group { name: "datagram: send and receive 8 B", contenders: datagram },
];

const BYTES: [u8; 8] = [7; 8];

fn stream() -> Vec<Contender> {
    let (here, there) = Stream::pair().unwrap();
    let mut buffer = [0; 8];
    let rawipc = move || {
        here.write(&BYTES).unwrap();
        there.read(&mut buffer).unwrap().len()
    };

    let (mut here, mut there) = UnixStream::pair().unwrap();
    let std = move || {
        let _sent = here.write(&BYTES).unwrap();
        there.read(&mut buffer).unwrap()
    };

    vec![
        libc(libc::SOCK_STREAM, 0),
        Contender::new("rawipc", rawipc),
        rustix(SocketType::STREAM, RecvFlags::empty()),
        nix(SockType::Stream, MsgFlags::empty()),
        Contender::new("std", std),
    ]
}

fn seqpacket() -> Vec<Contender> {
    let (here, there) = SeqPacket::pair().unwrap();
    let mut buffer = [0; 8];
    let rawipc = move || {
        here.send(&BYTES).unwrap();
        there.receive(&mut buffer).unwrap().whole().unwrap().len()
    };

    vec![
        libc(libc::SOCK_SEQPACKET, libc::MSG_TRUNC),
        libc_messages(libc::SOCK_SEQPACKET),
        Contender::new("rawipc", rawipc),
        rustix(SocketType::SEQPACKET, RecvFlags::TRUNC),
        nix(SockType::SeqPacket, MsgFlags::MSG_TRUNC),
    ]
}

fn datagram() -> Vec<Contender> {
    let (here, there) = Datagram::pair().unwrap();
    let mut buffer = [0; 8];
    let rawipc = move || {
        here.send(&BYTES).unwrap();
        there.receive(&mut buffer).unwrap().whole().unwrap().len()
    };

    let (here, there) = UnixDatagram::pair().unwrap();
    let std = move || {
        here.send(&BYTES).unwrap();
        there.recv(&mut buffer).unwrap()
    };

    vec![
        libc(libc::SOCK_DGRAM, libc::MSG_TRUNC),
        libc_messages(libc::SOCK_DGRAM),
        Contender::new("rawipc", rawipc),
        rustix(SocketType::DGRAM, RecvFlags::TRUNC),
        nix(SockType::Datagram, MsgFlags::MSG_TRUNC),
        Contender::new("std", std),
    ]
}

fn libc(kind: i32, flags: i32) -> Contender {
    let (here, there) = by_hand::socketpair(kind).unwrap();
    let mut buffer = [0; 8];
    Contender::new("libc, send and recv", move || {
        by_hand::send(&here, &BYTES).unwrap();
        by_hand::recv(&there, &mut buffer, flags).unwrap()
    })
}

fn libc_messages(kind: i32) -> Contender {
    let (here, there) = by_hand::socketpair(kind).unwrap();
    let mut buffer = [0; 8];
    Contender::new("libc, send and recvmsg", move || {
        by_hand::send(&here, &BYTES).unwrap();
        by_hand::receive_packet(&there, &mut buffer).unwrap().len
    })
}

fn rustix(kind: SocketType, flags: RecvFlags) -> Contender {
    let (family, close_on_exec) = (AddressFamily::UNIX, SocketFlags::CLOEXEC);
    let (here, there) = rustix::net::socketpair(family, kind, close_on_exec, None).unwrap();
    let mut buffer = [0; 8];
    Contender::new("rustix", move || {
        rustix::net::send(&here, &BYTES, SendFlags::NOSIGNAL).unwrap();
        rustix::net::recv(&there, &mut buffer, flags).unwrap()
    })
}

fn nix(kind: SockType, flags: MsgFlags) -> Contender {
    let (family, close_on_exec) = (NixFamily::Unix, SockFlag::SOCK_CLOEXEC);
    let (here, there): (OwnedFd, OwnedFd) =
        nix::sys::socket::socketpair(family, kind, None, close_on_exec).unwrap();
    let mut buffer = [0; 8];
    Contender::new("nix", move || {
        nix::sys::socket::send(here.as_raw_fd(), &BYTES, MsgFlags::MSG_NOSIGNAL).unwrap();
        nix::sys::socket::recv(there.as_raw_fd(), &mut buffer, flags).unwrap()
    })
}
