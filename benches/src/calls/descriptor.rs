//! One descriptor handed over: sent, received, and the copy closed.

use core::mem::MaybeUninit;
use std::io::{IoSlice, IoSliceMut};
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags};
use rawipc::socket::{Ancillary, Descriptors, SeqPacket};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] =
    &[Group { name: "seqpacket: send, receive and close a descriptor", contenders }];

fn contenders() -> Vec<Contender> {
    vec![libc(), rawipc(), rustix(), nix()]
}

fn libc() -> Contender {
    let (here, there) = by_hand::socketpair(libc::SOCK_SEQPACKET).unwrap();
    Contender::new("libc", move || {
        by_hand::send_descriptors(&here, &[0], &[here.as_raw_fd()]).unwrap();
        drop(by_hand::receive_descriptor(&there, &mut [0]).unwrap().descriptor.unwrap());
    })
}

fn rawipc() -> Contender {
    let (here, there) = SeqPacket::pair().unwrap();
    Contender::new("rawipc", move || {
        let descriptors = [here.as_fd()];
        let ancillary = Ancillary::new().descriptors(&descriptors);
        here.send_with(&[IoSlice::new(&[0])], ancillary).unwrap();
        let mut descriptors = Descriptors::<1>::new();
        there.receive_with(&mut [0], &mut descriptors).unwrap().whole().unwrap();
        drop(descriptors.next().unwrap());
    })
}

fn rustix() -> Contender {
    let (here, there) = by_hand::socketpair(libc::SOCK_SEQPACKET).unwrap();
    Contender::new("rustix", move || {
        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut room);
        let descriptors = [here.as_fd()];
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let data = [IoSlice::new(&[0])];
        rustix::net::sendmsg(&here, &data, &mut control, SendFlags::NOSIGNAL).unwrap();

        let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut room);
        let mut byte = [0];
        let mut data = [IoSliceMut::new(&mut byte)];
        let flags = RecvFlags::TRUNC | RecvFlags::CMSG_CLOEXEC;
        rustix::net::recvmsg(&there, &mut data, &mut control, flags).unwrap();
        let Some(RecvAncillaryMessage::ScmRights(mut descriptors)) = control.drain().next() else {
            panic!("no descriptor came");
        };
        drop(descriptors.next().unwrap());
    })
}

fn nix() -> Contender {
    let (here, there) = by_hand::socketpair(libc::SOCK_SEQPACKET).unwrap();
    let mut room = nix::cmsg_space!([i32; 1]);
    Contender::new("nix", move || {
        let descriptors = [here.as_raw_fd()];
        let control = [ControlMessage::ScmRights(&descriptors)];
        let data = [IoSlice::new(&[0])];
        let flags = MsgFlags::MSG_NOSIGNAL;
        let (sender, receiver) = (here.as_raw_fd(), there.as_raw_fd());
        nix::sys::socket::sendmsg::<()>(sender, &data, &control, flags, None).unwrap();

        let mut byte = [0];
        let mut data = [IoSliceMut::new(&mut byte)];
        let flags = MsgFlags::MSG_TRUNC | MsgFlags::MSG_CMSG_CLOEXEC;
        let message =
            nix::sys::socket::recvmsg::<()>(receiver, &mut data, Some(&mut room), flags).unwrap();
        let Some(ControlMessageOwned::ScmRights(descriptors)) = message.cmsgs().unwrap().next()
        else {
            panic!("no descriptor came");
        };
        // SAFETY: the kernel has just opened it, for us alone.
        drop(unsafe { OwnedFd::from_raw_fd(descriptors[0]) });
    })
}
