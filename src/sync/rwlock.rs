//! [`RwLock`]: many readers, or one writer.

#![allow(unsafe_code, reason = "references to what the lock protects; see SAFETY.md")]

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::{fmt, mem};

use zerocopy::FromBytes;

use super::raw_rwlock::RawRwLock;
use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{UnsafeCell, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A lock around a value, which many reach for reading, or one for writing.
///
/// Two words in front of the value; free when zero. Prefers writers: a reader that comes while a
/// writer waits lets it go first; though after a second of that, readers come in until the writer
/// says that it lives, and one that comes just when it is unlocked may be faster than a writer that
/// has to wake up. So a reader that reads a second time may wait for a writer
/// that waits for it: use one guard. It knows nothing of panics.
///
/// There can be 2³⁰ − 2 readers at once; the next one waits.
///
/// # Examples
///
/// ```
/// use rawipc::sync::RwLock;
///
/// let limits = RwLock::new([1, 10]);
/// {
///     let one = limits.read();
///     let other = limits.read();
///     assert_eq!(*one, *other);
///     assert!(limits.try_write().is_none());
/// }
/// limits.write()[1] = 20;
/// assert_eq!(limits.into_inner(), [1, 20]);
/// ```
///
/// # References
///
/// - [pthread_rwlock_rdlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_rdlock.3p.html)
#[doc(alias = "pthread_rwlock_t")]
#[derive(FromBytes)]
#[repr(C)]
pub struct RwLock<T> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

impl<T> RwLock<T> {
    const_fn! {
        /// A free one around `value`.
        ///
        /// # Examples
        ///
        /// See [`RwLock`].
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self { raw: RawRwLock::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Waits until there is no writer, nor one that waits, and holds it for reading until the guard
    /// is dropped.
    ///
    /// # Examples
    ///
    /// See [`RwLock`].
    ///
    /// # References
    ///
    /// - [pthread_rwlock_rdlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_rdlock.3p.html)
    #[doc(alias = "pthread_rwlock_rdlock")]
    #[inline]
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        let _never = self.raw.read_until(Deadline::NEVER);
        RwLockReadGuard::new(self)
    }

    /// As [`read`](Self::read), if that need not wait now.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::RwLock;
    ///
    /// let lock = RwLock::new(5);
    /// assert_eq!(lock.try_read().as_deref(), Some(&5));
    /// let _writer = lock.write();
    /// assert!(lock.try_read().is_none());
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_rwlock_tryrdlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_tryrdlock.3p.html)
    #[doc(alias = "pthread_rwlock_tryrdlock")]
    #[inline]
    #[must_use]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.raw.try_read().then(|| RwLockReadGuard::new(self))
    }

    /// As [`read`](Self::read), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if that had to wait longer.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let _writer = lock.write();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(lock.read_until(soon).err(), Some(TimedOut));
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_rwlock_timedrdlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_timedrdlock.3p.html)
    #[doc(alias = "pthread_rwlock_clockrdlock")]
    #[inline]
    pub fn read_until(&self, by: Deadline) -> Result<RwLockReadGuard<'_, T>, TimedOut> {
        self.raw.read_until(by).map(|()| RwLockReadGuard::new(self))
    }

    /// Waits until nobody holds it, and holds it for writing until the guard is dropped.
    ///
    /// # Examples
    ///
    /// See [`RwLock`].
    ///
    /// # References
    ///
    /// - [pthread_rwlock_wrlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_wrlock.3p.html)
    #[doc(alias = "pthread_rwlock_wrlock")]
    #[inline]
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        let _never = self.raw.write_until(Deadline::NEVER);
        RwLockWriteGuard::new(self)
    }

    /// As [`write`](Self::write), if nobody holds it now; others may wait for that.
    ///
    /// # Examples
    ///
    /// See [`RwLock`].
    ///
    /// # References
    ///
    /// - [pthread_rwlock_trywrlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_trywrlock.3p.html)
    #[doc(alias = "pthread_rwlock_trywrlock")]
    #[inline]
    #[must_use]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.raw.try_write().then(|| RwLockWriteGuard::new(self))
    }

    /// As [`write`](Self::write), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if somebody held it until then, or others took it each time.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::RwLock;
    ///
    /// let lock = RwLock::new(1);
    /// let _reader = lock.read();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(lock.write_until(soon).err(), Some(TimedOut));
    /// assert!(lock.try_read().is_some(), "who gives up keeps no reader out");
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_rwlock_timedwrlock(3p)](https://man7.org/linux/man-pages/man3/pthread_rwlock_timedwrlock.3p.html)
    #[doc(alias = "pthread_rwlock_clockwrlock")]
    #[inline]
    pub fn write_until(&self, by: Deadline) -> Result<RwLockWriteGuard<'_, T>, TimedOut> {
        self.raw.write_until(by).map(|()| RwLockWriteGuard::new(self))
    }

    /// Whether anybody holds it: may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::RwLock;
    ///
    /// let lock = RwLock::new(());
    /// let reader = lock.read();
    /// assert!(lock.is_locked() && !lock.is_write_locked());
    /// drop(reader);
    /// let writer = lock.write();
    /// assert!(lock.is_locked() && lock.is_write_locked());
    /// # drop(writer);
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// Whether a writer holds it: may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// See [`is_locked`](Self::is_locked).
    #[must_use]
    pub fn is_write_locked(&self) -> bool {
        self.raw.is_write_locked()
    }

    /// The value, which nobody else can reach meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::RwLock;
    ///
    /// let mut limits = RwLock::new([1, 10]);
    /// limits.get_mut()[1] = 20; // not locked: nobody else has it
    /// assert_eq!(limits.into_inner(), [1, 20]);
    /// ```
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// The value, out of the lock.
    ///
    /// # Examples
    ///
    /// See [`RwLock`].
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

// SAFETY: the value goes from writer to writer, for which it has to be `Send`, and is reached by
// several readers at once, for which it has to be `Sync`.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}

// SAFETY: `repr(C)`, of futexes that are shared between processes and a value of any bytes, which
// is reached only under that lock. `Send`, `Sync` and `FromBytes` keep out what belongs to a thread
// or an address space; zero is free.
unsafe impl<T: FromBytes + Send + Sync + 'static> ShmSafe for RwLock<T> {}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_read() {
            Some(value) => f.debug_tuple("RwLock").field(&*value).finish(),
            None => f.write_str("RwLock(<locked>)"),
        }
    }
}

/// Holds a [`RwLock`] for reading, and gives its value; unlocks it when dropped.
///
/// It stays in its thread. A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`RwLock`].
#[must_use = "the lock is released at once if this is not kept"]
pub struct RwLockReadGuard<'a, T> {
    lock: &'a RwLock<T>,
    stays_in_its_thread: PhantomData<*const ()>,
}

impl<'a, T> RwLockReadGuard<'a, T> {
    /// Of a lock that has just been taken.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, stays_in_its_thread: PhantomData }
    }
}

impl<T> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as long as we read, there is no writer.
        unsafe { self.lock.value.as_ref() }
    }
}

impl<T> Drop for RwLockReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.read_unlock();
    }
}

// SAFETY: through `&RwLockReadGuard` one reaches `&T` only.
unsafe impl<T: Sync> Sync for RwLockReadGuard<'_, T> {}

impl<T: fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

/// Holds a [`RwLock`] for writing, and gives its value; unlocks it when dropped.
///
/// It stays in its thread. A child that was forked meanwhile has a copy, and must not use it.
///
/// # Examples
///
/// See [`RwLock`].
#[must_use = "the lock is released at once if this is not kept"]
pub struct RwLockWriteGuard<'a, T> {
    lock: &'a RwLock<T>,
    stays_in_its_thread: PhantomData<*const ()>,
}

impl<'a, T> RwLockWriteGuard<'a, T> {
    /// Of a lock that has just been taken.
    #[inline]
    fn new(lock: &'a RwLock<T>) -> Self {
        Self { lock, stays_in_its_thread: PhantomData }
    }

    /// Goes on as a reader: the value stays as it is meanwhile, and other readers come in, unless
    /// a writer waits.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let lock = RwLock::new(1);
    /// let mut writer = lock.write();
    /// *writer = 2;
    /// let reader = RwLockWriteGuard::downgrade(writer);
    /// assert_eq!((*reader, *lock.read()), (2, 2));
    /// ```
    pub fn downgrade(guard: Self) -> RwLockReadGuard<'a, T> {
        let lock = guard.lock;
        mem::forget(guard);
        lock.raw.downgrade();
        RwLockReadGuard::new(lock)
    }
}

impl<T> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: as long as we write, nobody else has a reference, and ours is borrowed from self.
        unsafe { self.lock.value.as_ref() }
    }
}

impl<T> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as long as we write, nobody else has a reference, and self is borrowed
        // exclusively.
        unsafe { self.lock.value.as_mut() }
    }
}

impl<T> Drop for RwLockWriteGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.write_unlock();
    }
}

// SAFETY: through `&RwLockWriteGuard` one reaches `&T` only.
unsafe impl<T: Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T: fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

real_only! {
    static_assertions::const_assert_eq!(core::mem::offset_of!(RwLock<u32>, value), 8);
    static_assertions::const_assert_eq!(size_of::<RwLock<u32>>(), 12);
    static_assertions::assert_impl_all!(RwLock<f64>: ShmSafe, Send, Sync);
    static_assertions::assert_not_impl_any!(RwLock<core::cell::Cell<u8>>: Sync);
    static_assertions::assert_not_impl_any!(RwLockReadGuard<'static, f64>: Send);
    static_assertions::assert_not_impl_any!(RwLockWriteGuard<'static, f64>: Send);
}
