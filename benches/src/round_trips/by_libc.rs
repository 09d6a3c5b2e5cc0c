//! The channels, by hand on `libc`.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;

use crate::by_hand;
use crate::meeting::Ends;

const BYTES: [u8; 8] = [7; 8];

pub(super) fn pipe() -> Ends {
    through(by_hand::pipe(0).unwrap(), by_hand::pipe(0).unwrap())
}

pub(super) fn fifo() -> Ends {
    let fifo = || {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fifo");
        let path = CString::new(path.as_os_str().as_bytes()).unwrap();
        by_hand::mkfifo(&path).unwrap();
        let reader = by_hand::open_fifo(&path, libc::O_RDONLY).unwrap();
        (reader, by_hand::open_fifo(&path, libc::O_WRONLY).unwrap())
    };
    through(fifo(), fifo())
}

fn through(there: (OwnedFd, OwnedFd), back: (OwnedFd, OwnedFd)) -> Ends {
    let (there_reader, there_writer) = there;
    let (back_reader, back_writer) = back;
    let ask = move || {
        by_hand::write(&there_writer, &BYTES).unwrap();
        assert_eq!(by_hand::read(&back_reader, &mut [0; 8]).unwrap(), 8);
    };
    let answer = move || {
        let mut buffer = [0; 8];
        assert_eq!(by_hand::read(&there_reader, &mut buffer).unwrap(), 8);
        by_hand::write(&back_writer, &buffer).unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}

pub(super) fn stream() -> Ends {
    socket(libc::SOCK_STREAM, 0)
}

pub(super) fn seqpacket() -> Ends {
    socket(libc::SOCK_SEQPACKET, libc::MSG_TRUNC)
}

pub(super) fn datagram() -> Ends {
    socket(libc::SOCK_DGRAM, libc::MSG_TRUNC)
}

fn socket(kind: i32, flags: i32) -> Ends {
    let (here, there) = by_hand::socketpair(kind).unwrap();
    let ask = move || {
        by_hand::send(&here, &BYTES).unwrap();
        assert_eq!(by_hand::recv(&here, &mut [0; 8], flags).unwrap(), 8);
    };
    let answer = move || {
        let mut buffer = [0; 8];
        assert_eq!(by_hand::recv(&there, &mut buffer, flags).unwrap(), 8);
        by_hand::send(&there, &buffer).unwrap();
    };
    Ends { ask: Box::new(ask), answer: Box::new(answer) }
}
