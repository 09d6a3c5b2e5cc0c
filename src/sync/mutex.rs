//! [`Mutex`]: one at a time.

#![allow(unsafe_code, reason = "references to what the lock protects; see SAFETY.md")]

use core::fmt;
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use zerocopy::FromBytes;

use super::raw::RawMutex;
use crate::Deadline;
use crate::error::TimedOut;
use crate::prim::{UnsafeCell, const_fn, real_only};
use crate::shm::plain::ShmSafe;

/// A lock around a value, which one at a time reaches.
///
/// One word in front of the value; free when zero. Not fair: who comes just when it is unlocked may
/// take it before those who sleep. Not reentrant: who locks it twice waits for ever. It knows
/// nothing of panics: whoever comes after one finds the value as it was left.
///
/// # Examples
///
/// ```
/// use rawipc::sync::Mutex;
///
/// let sum = Mutex::new(0.0);
/// std::thread::scope(|scope| {
///     for part in [1.0, 2.0, 3.0] {
///         let sum = &sum;
///         scope.spawn(move || *sum.lock() += part);
///     }
/// });
/// assert_eq!(sum.into_inner(), 6.0);
/// ```
///
/// # References
///
/// - [futex(7)](https://man7.org/linux/man-pages/man7/futex.7.html)
/// - Ulrich Drepper, [Futexes Are Tricky](https://www.akkadia.org/drepper/futex.pdf), "Mutex, take
///   3"
#[doc(alias = "pthread_mutex_t")]
#[derive(FromBytes)]
#[repr(C)]
pub struct Mutex<T> {
    raw: RawMutex,
    value: UnsafeCell<T>,
}

impl<T> Mutex<T> {
    const_fn! {
        /// A free one around `value`.
        ///
        /// # Examples
        ///
        /// See [`Mutex`].
        #[must_use]
        pub const fn new(value: T) -> Self {
            Self { raw: RawMutex::new(), value: UnsafeCell::new(value) }
        }
    }

    /// Waits until it is free, and holds it until the guard is dropped.
    ///
    /// # Examples
    ///
    /// See [`Mutex`].
    ///
    /// # References
    ///
    /// - [pthread_mutex_lock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_lock.3p.html)
    #[doc(alias = "pthread_mutex_lock")]
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.raw.lock();
        MutexGuard::new(self)
    }

    /// As [`lock`](Self::lock), if it is free now.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Mutex;
    ///
    /// let mutex = Mutex::new(5);
    /// let held = mutex.lock();
    /// assert!(mutex.try_lock().is_none());
    /// drop(held);
    /// assert_eq!(mutex.try_lock().as_deref(), Some(&5));
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_mutex_trylock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_trylock.3p.html)
    #[doc(alias = "pthread_mutex_trylock")]
    #[inline]
    #[must_use]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.raw.try_lock().then(|| MutexGuard::new(self))
    }

    /// As [`lock`](Self::lock), but gives up at a deadline.
    ///
    /// # Errors
    ///
    /// [`TimedOut`] if it was not free until then, or others took it each time.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use rawipc::Deadline;
    /// use rawipc::error::TimedOut;
    /// use rawipc::sync::Mutex;
    ///
    /// let mutex = Mutex::new(5);
    /// let held = mutex.lock();
    /// let soon = Deadline::after(Duration::from_millis(2));
    /// assert_eq!(mutex.lock_until(soon).err(), Some(TimedOut));
    /// drop(held);
    /// assert!(mutex.lock_until(soon).is_ok(), "free");
    /// ```
    ///
    /// # References
    ///
    /// - [pthread_mutex_timedlock(3p)](https://man7.org/linux/man-pages/man3/pthread_mutex_timedlock.3p.html)
    #[doc(alias = "pthread_mutex_clocklock")]
    #[inline]
    pub fn lock_until(&self, by: Deadline) -> Result<MutexGuard<'_, T>, TimedOut> {
        self.raw.lock_until(by).map(|()| MutexGuard::new(self))
    }

    /// Whether anybody holds it: may have changed by the time that one knows.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Mutex;
    ///
    /// let mutex = Mutex::new(5);
    /// let held = mutex.lock();
    /// assert!(mutex.is_locked());
    /// drop(held);
    /// assert!(!mutex.is_locked());
    /// ```
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.raw.is_locked()
    }

    /// The value, which nobody else can reach meanwhile.
    ///
    /// # Examples
    ///
    /// ```
    /// use rawipc::sync::Mutex;
    ///
    /// let mut best = Mutex::new(1);
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
    /// See [`Mutex`].
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

// SAFETY: the value goes from thread to thread, one at a time: so it has to be `Send`, and no more.
unsafe impl<T: Send> Sync for Mutex<T> {}

// SAFETY: `repr(C)`, of a futex that is shared between processes and a value of any bytes, which is
// reached only under that lock. `Send` and `FromBytes` keep out what belongs to a thread or an
// address space; zero is free. A peer that writes there without the lock breaks the promise that
// whoever opened the memory has made for it.
unsafe impl<T: FromBytes + Send + 'static> ShmSafe for Mutex<T> {}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.try_lock() {
            Some(value) => f.debug_tuple("Mutex").field(&*value).finish(),
            None => f.write_str("Mutex(<locked>)"),
        }
    }
}

/// Holds a [`Mutex`], and gives its value; unlocks it when dropped.
///
/// It stays in its thread. A child that was forked meanwhile has a copy, and must not use it: see
/// [`fork`](crate::process::fork).
///
/// # Examples
///
/// See [`Mutex`].
#[must_use = "the lock is released at once if this is not kept"]
pub struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    stays_in_its_thread: PhantomData<*const ()>,
}

impl<'a, T> MutexGuard<'a, T> {
    /// Of a mutex that has just been locked.
    #[inline]
    fn new(mutex: &'a Mutex<T>) -> Self {
        Self { mutex, stays_in_its_thread: PhantomData }
    }

    /// The lock that is held, for a condition variable to give up and take again.
    pub(super) fn raw(&mut self) -> &'a RawMutex {
        &self.mutex.raw
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: we hold the lock, so that the only `&mut` there can be is from this guard, whose
        // borrow this is.
        unsafe { self.mutex.value.as_ref() }
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: we hold the lock, so that all references there can be are from this guard, which
        // is borrowed exclusively.
        unsafe { self.mutex.value.as_mut() }
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.raw.unlock();
    }
}

// SAFETY: through `&MutexGuard` one reaches `&T` only.
unsafe impl<T: Sync> Sync for MutexGuard<'_, T> {}

impl<T: fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

impl<T: fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        T::fmt(self, f)
    }
}

real_only! {
    static_assertions::const_assert_eq!(size_of::<Mutex<u32>>(), 8);
    static_assertions::const_assert_eq!(size_of::<Mutex<()>>(), 4);
    static_assertions::const_assert_eq!(align_of::<Mutex<core::sync::atomic::AtomicU64>>(), 8);
    static_assertions::assert_impl_all!(Mutex<f64>: ShmSafe, Send, Sync);
    static_assertions::assert_not_impl_any!(Mutex<bool>: ShmSafe);
    static_assertions::assert_not_impl_any!(MutexGuard<'static, f64>: Send);
}
