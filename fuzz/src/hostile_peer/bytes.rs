//! The calls that [`Bytes`] has, over words that others change.

use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

use rawipc::shm::{Access, Bytes, OutOfBounds, WriteError};

use super::arena::START;
use super::{Arena, Call, Subject};

/// How many bytes may be written to.
const SIZE: usize = 40 * 8;

impl Subject for [AtomicU64; 40] {
    fn new() -> Self {
        [const { AtomicU64::new(0) }; 40]
    }

    fn caller<'a>(&'a self, arena: &'a Arena) -> impl FnMut(&Call, &dyn Fn()) + 'a {
        let bytes = Bytes::new(arena.mapped_again(Access::ReadWrite));
        let only_read = Bytes::new(arena.mapped_again(Access::ReadOnly));
        let mut room = [0; SIZE];
        move |call, middle| {
            let at = call.below(SIZE);
            let length = usize::from(call.which) % (SIZE - at + 1);
            let (offset, far) = (START + at, bytes.len() - at);
            match call.which % 6 {
                0 => {
                    let copied = bytes.copy_out(offset, &mut room[..length]);
                    assert_eq!(copied.map(|copied| copied.len()), Ok(length));
                }
                1 => {
                    room.fill(call.which);
                    assert_eq!(bytes.copy_in(offset, &room[..length]), Ok(()));
                    middle();
                    assert!(bytes.read::<u64>(offset - 7).is_ok());
                }
                2 => {
                    assert!(bytes.read::<[u8; 13]>(offset).is_ok());
                    assert!(only_read.read::<u16>(offset).is_ok());
                }
                3 => {
                    let value = u64::from(call.number);
                    assert_eq!(bytes.write(START + at / 8 * 8, value), Ok(()));
                }
                4 => {
                    let beyond =
                        OutOfBounds { offset: far, length: at + 1, available: bytes.len() };
                    let read = bytes.copy_out(far, &mut room[..=at]);
                    assert_eq!(read.map(|copied| copied.len()), Err(beyond));
                    let written = bytes.copy_in(far, &room[..=at]);
                    assert_eq!(written, Err(WriteError::OutOfBounds(beyond)));
                }
                _ => assert_eq!(only_read.write(offset, call.number), Err(WriteError::ReadOnly)),
            }
        }
    }

    fn works(&self) {
        assert!(self.iter().all(|word| word.load(Relaxed) == 0));
    }
}
