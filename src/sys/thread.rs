//! What the C library knows of the calling thread, and keeps for it.
//!
//! Not `thread_local!`: in a library that was loaded with `dlopen`, the C library allocates when a
//! thread first touches that.

use core::ptr;

/// The number that the C library takes the calling thread to have, if it says so: wrong where the
/// thread was forked behind its back.
///
/// By the clock that counts the thread's time, in whose name the kernel has that number.
#[doc(alias = "pthread_getcpuclockid")]
#[inline]
pub(crate) fn supposed_number() -> Option<u32> {
    let mut clock = 0;
    // SAFETY: takes nothing.
    let own = unsafe { libc::pthread_self() };
    // SAFETY: the thread that calls is alive, and `clock` writable for the length of the call.
    let error = unsafe { libc::pthread_getcpuclockid(own, &raw mut clock) };
    // Three bits say of what sort it is.
    (error == 0).then_some((!(clock >> 3)).unsigned_abs())
}

/// Thread-specific data: which of the words that each thread has for itself.
#[derive(Clone, Copy)]
pub(crate) struct Key(libc::pthread_key_t);

impl Key {
    /// One that nobody else uses. `None` if there is none left.
    #[doc(alias = "pthread_key_create")]
    pub(crate) fn new() -> Option<Self> {
        let mut key = 0;
        // SAFETY: `key` is writable for the length of the call; there is no destructor.
        let error = unsafe { libc::pthread_key_create(&raw mut key, None) };
        (error == 0).then_some(Self(key))
    }

    /// # Safety
    ///
    /// It is the number of one that was made, and will not be deleted.
    #[inline]
    pub(crate) unsafe fn numbered(number: u32) -> Self {
        Self(number)
    }

    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// # Safety
    ///
    /// It is not used after this.
    #[doc(alias = "pthread_key_delete")]
    pub(crate) unsafe fn delete(self) {
        // SAFETY: the caller's promise, passed on.
        unsafe { libc::pthread_key_delete(self.0) };
    }

    /// The calling thread's word: zero before it has set it.
    #[doc(alias = "pthread_getspecific")]
    #[inline]
    pub(crate) fn get(self) -> usize {
        // SAFETY: there is this key, as `new` made it and `delete` did not.
        let value = unsafe { libc::pthread_getspecific(self.0) };
        value.addr()
    }

    /// Sets the calling thread's word, unless there is no memory for it.
    ///
    /// Glibc has each thread's first 32 words in the thread itself, and sets them without more ado;
    /// for others, it allocates.
    #[doc(alias = "pthread_setspecific")]
    pub(crate) fn set(self, value: usize) {
        let value = ptr::without_provenance(value);
        // SAFETY: as in `get`; the C library keeps the value and follows it nowhere.
        let _error = unsafe { libc::pthread_setspecific(self.0, value) };
    }
}
