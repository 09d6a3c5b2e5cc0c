//! `interprocess`: what it makes of pipes and of sockets.

use std::io::{Read, Write};

use interprocess::local_socket::prelude::*;
use interprocess::local_socket::{GenericNamespaced, ListenerOptions, Stream};
use interprocess::unnamed_pipe::{Recver, Sender, pipe as new_pipe};

use crate::mechanisms::contender::{Opened, Task};
use crate::mechanisms::guarded::unused_name;
use crate::mechanisms::pair::{End, Pair};

struct PipeEnds {
    from: Recver,
    to: Sender,
}

impl End for PipeEnds {
    fn send(&mut self, message: &[u8]) {
        self.to.write_all(message).expect("a reader");
    }

    fn receive(&mut self, into: &mut [u8]) {
        self.from.read_exact(into).expect("a writer");
    }
}

pub(in crate::mechanisms) fn pipe(task: Task) -> Opened {
    let (there, back) = (new_pipe()?, new_pipe()?);
    let home = PipeEnds { from: back.1, to: there.0 };
    let away = PipeEnds { from: there.1, to: back.0 };
    Pair::open(task, || home, || away)
}

struct SocketEnd(Stream);

impl End for SocketEnd {
    fn send(&mut self, message: &[u8]) {
        self.0.write_all(message).expect("a reader");
    }

    fn receive(&mut self, into: &mut [u8]) {
        self.0.read_exact(into).expect("a writer");
    }
}

/// Its name is in no directory, and goes with the listener.
pub(in crate::mechanisms) fn socket(task: Task) -> Opened {
    let name = unused_name()?.to_string();
    let name = name.trim_start_matches('/').to_ns_name::<GenericNamespaced>()?;
    let listener = ListenerOptions::new().name(name.borrow()).create_sync()?;
    let home = Stream::connect(name)?;
    let away = listener.accept()?;
    Pair::open(task, || SocketEnd(home), || SocketEnd(away))
}
