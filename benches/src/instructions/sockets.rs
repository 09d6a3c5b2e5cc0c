//! Socket pairs.

use std::io::IoSlice;
use std::os::fd::{AsFd as _, AsRawFd as _};

use rawipc::socket::{Ancillary, Credentials, Descriptors, SeqPacket, Shutdown, Stream};

use super::{Call, Wrapper};
use crate::by_hand;

pub(super) const WRAPPERS: &[Wrapper] = &[
    Wrapper { name: "Stream::pair, and close both ends", calls: pair },
    Wrapper { name: "Stream::write", calls: stream_write },
    Wrapper { name: "Stream::read", calls: stream_read },
    Wrapper { name: "Stream::shutdown", calls: shutdown },
    Wrapper { name: "SeqPacket::send", calls: send },
    Wrapper { name: "SeqPacket::send_with, nothing along", calls: send_with_nothing },
    Wrapper { name: "SeqPacket::send_with, a descriptor", calls: send_with_descriptor },
    Wrapper { name: "SeqPacket::receive", calls: receive },
    Wrapper { name: "SeqPacket::receive_with, a descriptor", calls: receive_with_descriptor },
    Wrapper { name: "SeqPacket::next_len", calls: next_len },
    Wrapper { name: "SeqPacket::peer_credentials", calls: peer_credentials },
    Wrapper { name: "Credentials::own", calls: own_credentials },
];

const BYTES: [u8; 8] = [7; 8];

/// A pair to the end of the process.
fn packets() -> &'static (SeqPacket, SeqPacket) {
    Box::leak(Box::new(SeqPacket::pair().unwrap()))
}

fn streams() -> &'static (Stream, Stream) {
    Box::leak(Box::new(Stream::pair().unwrap()))
}

fn pair() -> [Call; 2] {
    [
        Call::new(|| by_hand::socketpair(libc::SOCK_STREAM).unwrap()),
        Call::new(|| Stream::pair().unwrap()),
    ]
}

fn stream_write() -> [Call; 2] {
    let (here, _there) = streams();
    [Call::new(|| by_hand::send(here, &BYTES).unwrap()), Call::new(|| here.write(&BYTES).unwrap())]
}

fn stream_read() -> [Call; 2] {
    let (here, there) = streams();
    let fill = || {
        here.write(&BYTES).unwrap();
    };
    [
        Call::after(fill, || by_hand::recv(there, &mut [0; 8], 0).unwrap()),
        Call::after(fill, || there.read(&mut [0; 8]).unwrap().len()),
    ]
}

fn shutdown() -> [Call; 2] {
    let (here, _there) = streams();
    [
        Call::new(|| by_hand::shutdown(here).unwrap()),
        Call::new(|| here.shutdown(Shutdown::Write).unwrap()),
    ]
}

/// A pair that is emptied before each call, as it queues few messages.
fn sending<T>(call: impl FnMut(&'static SeqPacket) -> T + 'static) -> Call {
    let (here, there) = packets();
    let mut call = call;
    Call::after(|| while there.try_receive(&mut [0; 8]).is_ok() {}, move || call(here))
}

/// A pair that has one message before each call.
fn receiving<T>(call: impl FnMut(&'static SeqPacket) -> T + 'static) -> Call {
    let (here, there) = packets();
    let mut call = call;
    let refill = || {
        while there.try_receive(&mut [0; 8]).is_ok() {}
        here.send(&BYTES).unwrap();
    };
    Call::after(refill, move || call(there))
}

fn send() -> [Call; 2] {
    [
        sending(|socket| by_hand::send(socket, &BYTES).unwrap()),
        sending(|socket| socket.send(&BYTES).unwrap()),
    ]
}

fn send_with_nothing() -> [Call; 2] {
    [
        sending(|socket| by_hand::send_descriptors(socket, &BYTES, &[]).unwrap()),
        sending(|socket| socket.send_with(&[IoSlice::new(&BYTES)], Ancillary::new()).unwrap()),
    ]
}

fn send_with_descriptor() -> [Call; 2] {
    [
        sending(|socket| by_hand::send_descriptors(socket, &[0], &[socket.as_raw_fd()]).unwrap()),
        sending(|socket| {
            let descriptors = [socket.as_fd()];
            let ancillary = Ancillary::new().descriptors(&descriptors);
            socket.send_with(&[IoSlice::new(&[0])], ancillary).unwrap();
        }),
    ]
}

fn receive() -> [Call; 2] {
    [
        receiving(|socket| by_hand::receive_packet(socket, &mut [0; 8]).unwrap().len),
        receiving(|socket| socket.receive(&mut [0; 8]).unwrap().whole().unwrap().len()),
    ]
}

fn receive_with_descriptor() -> [Call; 2] {
    let (here, there) = packets();
    let fill = || {
        let descriptors = [here.as_fd()];
        here.send_with(&[IoSlice::new(&[0])], Ancillary::new().descriptors(&descriptors)).unwrap();
    };
    [
        Call::after(fill, || {
            by_hand::receive_descriptor(there, &mut [0]).unwrap().descriptor.unwrap()
        }),
        Call::after(fill, || {
            let mut descriptors = Descriptors::<1>::new();
            there.receive_with(&mut [0], &mut descriptors).unwrap().whole().unwrap();
            descriptors.next().unwrap()
        }),
    ]
}

fn next_len() -> [Call; 2] {
    [
        receiving(|socket| by_hand::next_len(socket).unwrap()),
        receiving(|socket| socket.next_len().unwrap()),
    ]
}

fn peer_credentials() -> [Call; 2] {
    let (here, _there) = packets();
    [
        Call::new(|| by_hand::peer_credentials(here).unwrap()),
        Call::new(|| here.peer_credentials().unwrap()),
    ]
}

fn own_credentials() -> [Call; 2] {
    [Call::new(by_hand::own_credentials), Call::new(Credentials::own)]
}
