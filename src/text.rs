//! [`Text`]: what is put together on the stack, where others would allocate.

use core::fmt;

/// Text of at most `N` bytes that is written to piece by piece.
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
    overflown: bool,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], len: 0, overflown: false }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// Whether a piece did not fit; it was left out.
    pub(crate) const fn has_overflown(&self) -> bool {
        self.overflown
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let end = self.len.saturating_add(piece.len());
        let Some(room) = self.bytes.get_mut(self.len..end) else {
            self.overflown = true;
            return Err(fmt::Error);
        };
        room.copy_from_slice(piece.as_bytes());
        self.len = end;
        Ok(())
    }
}
