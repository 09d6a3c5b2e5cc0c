//! `ipc-channel`, as Servo has it: its channel of bytes, which need not be serialised.

use ipc_channel::ipc::{IpcBytesReceiver, IpcBytesSender, bytes_channel};

use crate::mechanisms::contender::{Opened, Task};
use crate::mechanisms::pair::{End, Pair};

struct Ends {
    from: IpcBytesReceiver,
    to: IpcBytesSender,
}

impl End for Ends {
    fn send(&mut self, message: &[u8]) {
        self.to.send(message).expect("a receiver");
    }

    fn receive(&mut self, into: &mut [u8]) {
        into.copy_from_slice(&self.from.recv().expect("a sender"));
    }
}

pub(in crate::mechanisms) fn bytes(task: Task) -> Opened {
    let (there, back) = (bytes_channel()?, bytes_channel()?);
    let home = Ends { from: back.1, to: there.0 };
    let away = Ends { from: there.1, to: back.0 };
    Pair::open(task, || home, || away)
}
