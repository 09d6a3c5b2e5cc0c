//! Names, deadlines, errors.

use core::ffi::CStr;
use core::time::Duration;

use rawipc::pipe::Pipe;
use rawipc::{Deadline, Errno, Name};

pub fn run() {
    let name = Name::new(b"/pi").expect("a name");
    assert_eq!(Name::format(format_args!("p{}", 'i')), Ok(name));
    assert_eq!("pi".parse(), Ok(name));
    assert_eq!(Name::try_from(c"/pi"), Ok(name));
    assert_eq!((name.as_bytes(), name.as_c_str()), (&b"pi"[..], c"pi"));
    assert_eq!(Name::new(b"/p/i"), Err(Errno::INVAL));

    let soon = Deadline::after(Duration::from_secs(3600));
    assert!(Deadline::now() < soon && soon < Deadline::NEVER && !soon.has_passed());
    assert!(soon.remaining() <= Some(Duration::from_secs(3600)));
    assert_eq!(Deadline::NEVER.remaining(), None);

    let Pipe { reader: _reader, writer } = Pipe::new().expect("a pipe");
    let stuck = writer.write_all_until(&[0; 1 << 17], Deadline::now()).expect_err("it is full");
    assert_eq!((stuck.transferred(), stuck.errno()), (1 << 16, Errno::TIMEDOUT));
    let _: (Errno, &CStr) = (stuck.into(), c"");
}
