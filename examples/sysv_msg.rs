//! Messages with types, from one terminal to another, through a System V queue.
//!
//! The two find each other by the directory that they are started in:
//!
//! ```text
//! one$ cargo run --example sysv_msg receive          # waits
//! two$ cargo run --example sysv_msg send 3 'good morning'
//! one$ cargo run --example sysv_msg receive 7        # waits for that type only
//! two$ cargo run --example sysv_msg remove
//! ```

use core::error::Error;
use core::ffi::c_long;
use std::env;
use std::ffi::OsString;
use std::io::{Write as _, stdout};
use std::os::unix::ffi::OsStrExt as _;

use rawipc::sysv::msg::{COPIED, HEADER, Which};
use rawipc::sysv::{Key, Mode, MsgQueue};

fn main() -> Result<(), Box<dyn Error>> {
    let key = Key::ftok(".", b'm')?;
    let queue = || MsgQueue::create(key, Mode::RUSR | Mode::WUSR);

    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let arguments: Vec<&[u8]> = arguments.iter().map(|argument| argument.as_bytes()).collect();
    match arguments[..] {
        [b"send", kind, text] => queue()?.send(number(kind)?, text)?,
        [b"receive"] => receive(queue()?, Which::any())?,
        [b"receive", kind] => receive(queue()?, Which::exactly(number(kind)?))?,
        [b"remove"] => MsgQueue::open(key)?.remove()?,
        _ => return Err("send TYPE TEXT | receive [TYPE] | remove".into()),
    }
    Ok(())
}

fn receive(queue: MsgQueue, which: Which) -> Result<(), Box<dyn Error>> {
    let mut buffer = [0; HEADER + COPIED];
    let message = queue.receive(&mut buffer, which)?;
    let mut out = stdout().lock();
    write!(out, "{}: ", message.kind)?;
    out.write_all(message.text)?;
    Ok(writeln!(out)?)
}

fn number(argument: &[u8]) -> Result<c_long, Box<dyn Error>> {
    Ok(core::str::from_utf8(argument)?.parse()?)
}
