//! Which thread it is that asks: the kernel's number of it, which it remembers (with `std`,
//! on glibc).
//!
//! To ask the kernel takes longer than all the rest of a lock that is free. But what a thread
//! remembers, its copy in a child remembers too, and has another number. So it remembers with the
//! number in which *generation* that was; and which one lives, says a word that the kernel makes
//! zero in every child, whatever call forks it (not all run the handlers of `pthread_atfork`).
//!
//! Why what is remembered for the generation that lives is true:
//!
//! - That word is written once in a process, by a call that has counted the generation for it. The
//!   count is inherited, so that no call counts one again that this process, or one that it
//!   descends from, has had; and a call writes only once, also if it is forked in between and goes
//!   on in both. So generations never repeat from parent to child, where pids may, in another PID
//!   namespace. (After the last one that can be counted, nobody remembers anything.)
//! - A thread asks the kernel *after* it has seen the generation. So it had that number in a
//!   process of that generation, or in a descendant, where that one does not live any more.
//! - The two are in one word of the thread's, which a signal handler finds as it was before or as
//!   it is after; it may ask, and fork, at any time.
//! - While a thread lives, its number does not change. What glibc keeps of a thread is zero at
//!   first, with one exception: if a signal handler has asked when the thread was about to end,
//!   whatever comes next in that thread's place finds what it has remembered. So the C library has
//!   to say the same number; it knows those of all threads that it has made. (Alone that would not
//!   do: in a child that was forked without it, it still has the number of the thread that forked.)
//!
//! If anything is not as it should be, the kernel is asked. Nobody waits for anybody here, nothing
//! is allocated, and all this may be done in a signal handler: with glibc, that is, whose keys are
//! made without a lock. (Musl has one, and holds it while a thread ends: there, all ask.) What it
//! is not made for is a task that has the memory of others and which the C library has not made:
//! the child of `vfork` remembers what its parent does, and a bare `clone` has nowhere to look.

#![allow(unsafe_code, reason = "a word that the kernel wipes; see SAFETY.md")]

#[cfg(not(all(feature = "std", target_env = "gnu")))]
pub(crate) use self::ask as thread_id;
#[cfg(all(feature = "std", target_env = "gnu"))]
pub(crate) use self::remembered::thread_id;
use rustix::thread::gettid;

/// The calling thread's number: no other thread has it, of any process in the same PID namespace,
/// and it is never zero.
pub(crate) fn ask() -> u32 {
    gettid().as_raw_nonzero().get().unsigned_abs()
}

#[cfg(all(feature = "std", target_env = "gnu"))]
mod remembered {
    use core::ptr;
    use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
    use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize};

    use super::ask;
    use crate::sys::thread::{Key, supposed_number};
    use crate::sys::wiped;

    /// Where the generation is that lives, [`UNBORN`] if nobody has asked yet in this process; null
    /// where nobody ever has.
    static LIVING: AtomicPtr<AtomicUsize> = AtomicPtr::new(ptr::null_mut());
    const UNBORN: usize = 0;

    /// How many were counted, by this process and those it descends from.
    static GENERATIONS: AtomicUsize = AtomicUsize::new(UNBORN);

    /// The number of the key to what each thread remembers: before there is a `LIVING`.
    static KEY: AtomicU32 = AtomicU32::new(NO_KEY);
    const NO_KEY: u32 = u32::MAX;
    /// To set the words of later ones may allocate.
    const KEYS: u32 = 32;

    /// Whether the kernel or the C library has refused what it takes, and each thread asks.
    static REFUSED: AtomicBool = AtomicBool::new(false);

    /// What is remembered: the generation, and in so many low bits the number. (The kernel's
    /// `PID_MAX_LIMIT`.)
    const BITS: u32 = 22;
    const NUMBER: usize = (1 << BITS) - 1;
    const LAST_GENERATION: usize = usize::MAX >> BITS;

    /// As [`ask`], and mostly without asking.
    #[inline]
    pub(crate) fn thread_id() -> u32 {
        // Acquire pairs with the Release in `prepare`.
        let living = LIVING.load(Acquire);
        // SAFETY: null, or mapped for as long as there is this memory, and only atomic.
        let Some(living) = (unsafe { living.as_ref() }) else {
            return first();
        };
        // SAFETY: it was made before there was a `LIVING`, and stays.
        let key = unsafe { Key::numbered(KEY.load(Relaxed)) };
        let remembered = key.get();
        // Relaxed: a thread that remembers the generation has seen it in this very word, and never
        // sees an older one then; or before a fork, which is none that other threads take part in.
        // And for a generation that it does not remember, it does not matter why.
        let is_alive = remembered >> BITS == living.load(Relaxed) && remembered != 0;
        let number = number_in(remembered);
        if is_alive && supposed_number() == Some(number) {
            return number;
        }
        remember(key, living)
    }

    #[allow(clippy::cast_possible_truncation, reason = "of 22 bits")]
    #[inline]
    const fn number_in(remembered: usize) -> u32 {
        (remembered & NUMBER) as u32
    }

    #[cold]
    fn remember(key: Key, living: &AtomicUsize) -> u32 {
        // Before the number: a signal handler may fork in between.
        let generation = generation(living);
        let number = ask();
        if let (Some(generation), true) = (generation, number as usize <= NUMBER) {
            key.set(generation << BITS | number as usize);
        }
        number
    }

    /// The one that lives, from here on; `None` if there are no more.
    fn generation(living: &AtomicUsize) -> Option<usize> {
        let now = living.load(Relaxed);
        if now != UNBORN {
            return Some(now);
        }
        // Relaxed, both: each generation is given out once, and all that matters is which it is.
        let count = |last: usize| (last < LAST_GENERATION).then(|| last.wrapping_add(1));
        let next = GENERATIONS.fetch_update(Relaxed, Relaxed, count).ok()?.wrapping_add(1);
        Some(match living.compare_exchange(UNBORN, next, Relaxed, Relaxed) {
            Ok(_) => next,
            // Another thread's, or a signal handler's.
            Err(theirs) => theirs,
        })
    }

    /// Before this process, and all that it descends from, have remembered anything.
    #[cold]
    fn first() -> u32 {
        if !REFUSED.load(Relaxed) && prepare().is_none() {
            REFUSED.store(true, Relaxed);
        }
        ask()
    }

    /// Makes what it takes, unless others (threads, or a signal handler) are faster; nobody waits
    /// for them, as in a child they may be gone.
    fn prepare() -> Option<()> {
        if KEY.load(Acquire) == NO_KEY {
            let key = Key::new()?;
            let is_inside = key.number() < KEYS;
            // Release pairs with the Acquires: who sees the key may use it.
            let is_ours =
                is_inside && KEY.compare_exchange(NO_KEY, key.number(), Release, Acquire).is_ok();
            if !is_ours {
                // SAFETY: nobody else has seen it.
                unsafe { key.delete() };
            }
            if !is_inside {
                return None;
            }
        }
        let living = wiped::map().ok()?;
        // Release pairs with the Acquire in `thread_id`: there is a key.
        if LIVING.compare_exchange(ptr::null_mut(), living.as_ptr(), Release, Relaxed).is_err() {
            // SAFETY: nobody else has seen it.
            unsafe { wiped::unmap(living) };
        }
        Some(())
    }
}
