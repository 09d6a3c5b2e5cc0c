//! What the standard library wants of all that carries bytes: `Stdio`, `Read` and `Write`. As with
//! `File`, the latter two are there for a shared reference too, which several threads may use.
//!
//! They retry nothing: a signal is `ErrorKind::Interrupted`, after which the standard library's own
//! loops (`read_exact`, `write_all`, `copy`) go on.

use std::io::{IoSlice, IoSliceMut, Read, Result, Write};
use std::os::fd::OwnedFd;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Stdio};

use crate::pipe::{Reader, Writer};
use crate::socket::{Ancillary, Stream};

impl Read for &Reader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(Reader::read(self, buffer)?.len())
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        Ok(Reader::read_vectored(self, buffers)?)
    }
}

impl Write for &Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(Writer::write(self, bytes)?)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        Ok(Writer::write_vectored(self, buffers)?)
    }

    /// Does nothing: nothing is held back.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Read for &Stream {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(Stream::read(self, buffer)?.len())
    }

    fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
        Ok(rustix::io::readv(self, buffers)?)
    }
}

impl Write for &Stream {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        Ok(Stream::write(self, bytes)?)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
        /// How many buffers the kernel takes; `readv` and `writev` are given no more by rustix.
        const MOST: usize = 1024;

        Ok(self.send_with(buffers.get(..MOST).unwrap_or(buffers), Ancillary::new())?)
    }

    /// Does nothing: nothing is held back.
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

macro_rules! by_value {
    (Read: $($Type:ty),*) => {$(
        impl Read for $Type {
            fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
                Read::read(&mut &*self, buffer)
            }

            fn read_vectored(&mut self, buffers: &mut [IoSliceMut<'_>]) -> Result<usize> {
                Read::read_vectored(&mut &*self, buffers)
            }
        }
    )*};
    (Write: $($Type:ty),*) => {$(
        impl Write for $Type {
            fn write(&mut self, bytes: &[u8]) -> Result<usize> {
                Write::write(&mut &*self, bytes)
            }

            fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> Result<usize> {
                Write::write_vectored(&mut &*self, buffers)
            }

            /// Does nothing: nothing is held back.
            fn flush(&mut self) -> Result<()> {
                Ok(())
            }
        }
    )*};
}
by_value!(Read: Reader, Stream);
by_value!(Write: Writer, Stream);

macro_rules! into_stdio {
    ($($Type:ty),*) => {$(
        /// To be a command's standard input or output.
        impl From<$Type> for Stdio {
            fn from(end: $Type) -> Self {
                OwnedFd::from(end).into()
            }
        }
    )*};
}
into_stdio!(Reader, Writer, Stream);

macro_rules! from_child {
    ($($Stdio:ty => $End:ty),*) => {$(
        /// The end of a command's standard stream that this process has.
        impl From<$Stdio> for $End {
            fn from(stdio: $Stdio) -> Self {
                OwnedFd::from(stdio).into()
            }
        }
    )*};
}
from_child!(ChildStdin => Writer, ChildStdout => Reader, ChildStderr => Reader);
