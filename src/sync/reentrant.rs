//! [`ReentrantMutex`]: one thread at a time, as often as it likes.

#![allow(unsafe_code, reason = "references to what the lock protects; see SAFETY.md")]

use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::sync::atomic::Ordering::Relaxed;

use zerocopy::FromBytes;

use super::owner::{NOBODY, Owner};
use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{AtomicU32, UnsafeCell, const_fn, real_only, thread_id};
use crate::shm::plain::ShmSafe;

/// A lock that the thread which holds it may take again: it is unlocked when all its guards are
/// dropped.
///
/// As there can be several guards at once, they give `&T` only; a [`Cell`](core::cell::Cell) or an
/// atomic inside can be changed.
///
/// Threads are told from each other by their numbers, as the kernel counts them: **all who use one
/// must be in the same PID namespace**. A thread that ends while it holds one leaves it locked; a
/// thread of the same number that comes later is taken for it.
///
/// With the feature `std`, on glibc, a thread remembers its number until the process is forked, in
/// whatever way that is done, if the kernel has what it takes. Otherwise, each lock makes a system
/// call (`gettid`), which takes longer than all the rest. Only threads that the C library has made
/// may then use it, and what is forked of them: not the child of `vfork`, nor a thread of a bare
/// `clone`.
///
/// # Examples
///
/// ```
/// use core::cell::Cell;
/// use rawipc::sync::ReentrantMutex;
///
/// let depth = ReentrantMutex::new(Cell::new(0));
/// let outer = depth.lock();
/// let inner = depth.lock();
/// inner.set(outer.get() + 1);
/// assert_eq!(outer.get(), 1);
/// ```
///
/// # References
///
/// - [pthread_mutex_lock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html),
///   "Recursive"
#[doc(alias = "PTHREAD_MUTEX_RECURSIVE")]
#[derive(FromBytes)]
#[repr(C)]
pub struct ReentrantMutex<T> {
    owner: Owner,
    /// How many guards there are besides the first; only the owner looks.
    more: AtomicU32,
    value: UnsafeCell<T>,
}

impl<T> ReentrantMutex<T> {
    const_fn! {
        /// A free one around `value`.
        ///
        /// # Examples
        ///
        /// See [`ReentrantMutex`].
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self { owner: Owner::new(), more: AtomicU32::new(0), value: UnsafeCell::new(value) }
        }
    }

    /// Waits until it is free, or goes on if this thread holds it.
    ///
    /// # Examples
    ///
    /// See [`ReentrantMutex`].
    ///
    /// # References
    ///
    /// - [pthread_mutex_lock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html)
    #[inline]
    pub fn lock(&self) -> ReentrantMutexGuard<'_, T> {
        let me = thread_id();
        if self.owner.is(me) {
            return self.once_more();
        }
        if !self.owner.try_lock(me) {
            let _never = self.owner.lock_slow(me, Deadline::NEVER);
        }
        ReentrantMutexGuard::new(self)
    }

    /// As [`lock`](Self::lock), if that need not wait now.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::ReentrantMutex;
    ///
    /// let mutex = ReentrantMutex::new(());
    /// let held = mutex.lock();
    /// assert!(mutex.try_lock().is_some(), "by this thread");
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert!(mutex.try_lock().is_none(), "by another"));
    /// });
    /// # drop(held);
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_mutex_trylock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_trylock.3p.html)
    #[must_use]
    pub fn try_lock(&self) -> Option<ReentrantMutexGuard<'_, T>> {
        let me = thread_id();
        if self.owner.is(me) {
            return Some(self.once_more());
        }
        self.owner.try_lock(me).then(|| ReentrantMutexGuard::new(self))
    }

    /// As [`lock`](Self::lock), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if other threads held it until then.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::ReentrantMutex;
    ///
    /// let mutex = ReentrantMutex::new(());
    /// let held = mutex.lock();
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert_eq!(mutex.lock_until(Deadline::now()).err(), Some(TimedOut)));
    /// });
    /// # drop(held);
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_mutex_timedlock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_timedlock.3p.html)
    pub fn lock_until(&self, by: Deadline) -> Result<ReentrantMutexGuard<'_, T>, TimedOut> {
        let me = thread_id();
        if self.owner.is(me) {
            return Ok(self.once_more());
        }
        if !self.owner.try_lock(me) {
            self.owner.lock_slow(me, by)?;
        }
        Ok(ReentrantMutexGuard::new(self))
    }

    /// One guard more, for the thread that has one.
    fn once_more(&self) -> ReentrantMutexGuard<'_, T> {
        // If ever there are so many that were forgotten, it stays locked.
        self.more.store(self.more.load(Relaxed).saturating_add(1), Relaxed);
        ReentrantMutexGuard::new(self)
    }

    /// One guard less.
    fn leave(&self) {
        match self.more.load(Relaxed) {
            0 => self.owner.unlock(),
            u32::MAX => {}
            more => self.more.store(more.wrapping_sub(1), Relaxed),
        }
    }

    /// Whether anybody holds it: may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`is_owned`](Self::is_owned).
    #[must_use]
    pub fn is_locked(&self) -> bool {
        !self.owner.is(NOBODY)
    }

    /// Whether this thread holds it.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::ReentrantMutex;
    ///
    /// let mutex = ReentrantMutex::new(());
    /// assert!(!mutex.is_locked());
    /// let held = mutex.lock();
    /// assert!(mutex.is_locked() && mutex.is_owned());
    /// std::thread::scope(|scope| {
    ///     scope.spawn(|| assert!(mutex.is_locked() && !mutex.is_owned()));
    /// });
    /// # drop(held);
    /// ```
    #[must_use]
    pub fn is_owned(&self) -> bool {
        self.owner.is(thread_id())
    }

    /// The value, which nobody else can reach meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::ReentrantMutex;
    ///
    /// let mut best = ReentrantMutex::new(1);
    /// *best.get_mut() = 2; // not locked: nobody else has it
    /// assert_eq!(best.into_inner(), 2);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, out of the lock.
    ///
    /// # Examples
    ///
    /// See [`get_mut`](Self::get_mut).
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

// SAFETY: the value is reached by one thread at a time: so it has to be `Send`, and no more.
unsafe impl<T: Send> Sync for ReentrantMutex<T> {}

// SAFETY: `repr(C)`, of a futex that is shared between processes, atomic numbers, and a value of
// any bytes, which is reached by the thread only that holds the lock. `Send` and `FromBytes` keep
// out what belongs to a thread or an address space; zero is free, as no thread has that number.
// That numbers tell threads apart is the promise of whoever opens the memory.
unsafe impl<T: FromBytes + Send + 'static> ShmSafe for ReentrantMutex<T> {}

impl<T: Default> Default for ReentrantMutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for ReentrantMutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for ReentrantMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(value) => f.debug_tuple("ReentrantMutex").field(&*value).finish(),
            None => f.write_str("ReentrantMutex(<locked>)"),
        }
    }
}

/// Holds a [`ReentrantMutex`], and lends its value; the last one of a thread unlocks it when
/// dropped.
///
/// It stays in its thread. A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`ReentrantMutex`].
#[must_use = "the lock is released at once if this is not kept"]
pub struct ReentrantMutexGuard<'a, T> {
    mutex: &'a ReentrantMutex<T>,
    stays_in_its_thread: PhantomData<*const ()>,
}

impl<'a, T> ReentrantMutexGuard<'a, T> {
    /// Of a mutex that this thread holds, and has counted this for.
    fn new(mutex: &'a ReentrantMutex<T>) -> Self {
        Self { mutex, stays_in_its_thread: PhantomData }
    }
}

impl<T> Deref for ReentrantMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: only this thread reaches the value now, and only by guards, none of which gives
        // out a `&mut`.
        unsafe { self.mutex.value.as_ref() }
    }
}

impl<T> Drop for ReentrantMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.mutex.leave();
    }
}

// SAFETY: through `&ReentrantMutexGuard` one reaches `&T` only.
unsafe impl<T: Sync> Sync for ReentrantMutexGuard<'_, T> {}

impl<T: fmt::Debug> fmt::Debug for ReentrantMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Display> fmt::Display for ReentrantMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

real_only! {
    static_assertions::const_assert_eq!(core::mem::offset_of!(ReentrantMutex<u32>, value), 8);
    static_assertions::const_assert_eq!(size_of::<ReentrantMutex<f64>>(), 16);
    static_assertions::assert_impl_all!(ReentrantMutex<core::cell::Cell<u8>>: ShmSafe, Send, Sync);
    static_assertions::assert_not_impl_any!(ReentrantMutexGuard<'static, f64>: Send);
}
