//! What may lie in memory that processes share: [`Plain`] to be copied, [`ShmSafe`] to be used in
//! place.

#![allow(unsafe_code, reason = "the promise of ShmSafe is its implementor's; see SAFETY.md")]

use core::sync::atomic::{AtomicI8, AtomicI16, AtomicI32, AtomicIsize};
#[cfg(target_has_atomic = "64")]
use core::sync::atomic::{AtomicI64, AtomicU64};
use core::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicUsize};

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// What is *copied* into shared memory and out of it: numbers, and arrays and structures of them.
///
/// Any bytes are a value of it, any value of it is bytes, and it holds no reference. There is
/// nothing to implement: whatever derives the three traits of [`zerocopy`] is one.
///
/// # Examples
///
/// ```
/// use rawipc::shm::Plain;
/// use rawipc::zerocopy::{FromBytes, Immutable, IntoBytes};
///
/// #[derive(Clone, Copy, FromBytes, IntoBytes, Immutable)]
/// # #[zerocopy(crate = "rawipc::zerocopy")]
/// #[repr(C)]
/// struct Sample {
///     nanoseconds: u64,
///     value: f64,
/// }
///
/// fn can_be_copied<T: Plain>() {}
/// can_be_copied::<[Sample; 16]>();
/// ```
///
/// Not every pattern of bits is a `bool` or a `char`, and a pointer means nothing elsewhere:
///
/// ```compile_fail
/// # fn can_be_copied<T: rawipc::shm::Plain>() {}
/// can_be_copied::<bool>();
/// ```
///
/// ```compile_fail
/// # fn can_be_copied<T: rawipc::shm::Plain>() {}
/// can_be_copied::<&'static u8>();
/// ```
pub trait Plain: FromBytes + IntoBytes + Immutable + Copy + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + Copy + 'static> Plain for T {}

/// What is *used in place* in shared memory, through `&T`, by several processes at once.
///
/// The core's atomic numbers are, arrays of what is, and everything in [`sync`](crate::sync).
///
/// # Safety
///
/// The type
///
/// - means the same at any address and in any process: it holds no pointer and no reference, and no
///   number that only one process can use;
/// - survives any bit pattern, at any moment, without undefined behaviour, and takes all zeros as
///   the untouched value;
/// - is changed through `&T` only by atomic operations, or under a lock that works between
///   processes;
/// - is `repr(C)` or `repr(transparent)`, so that every program that is compiled with it lays it
///   out alike.
///
/// # Examples
///
/// ```
/// use core::sync::atomic::AtomicU64;
/// use rawipc::shm::ShmSafe;
/// use rawipc::sync::Mutex;
/// use rawipc::zerocopy::FromBytes;
///
/// #[derive(FromBytes)]
/// # #[zerocopy(crate = "rawipc::zerocopy")]
/// #[repr(C)]
/// struct Board {
///     rounds: AtomicU64,
///     best: Mutex<[f64; 4]>,
/// }
///
/// // SAFETY: `repr(C)`, and each field is `ShmSafe`.
/// unsafe impl ShmSafe for Board {}
/// ```
pub unsafe trait ShmSafe: FromBytes + Sync + 'static {}

/// The core atomics, of every width.
macro_rules! atomics {
    ($($atomic:ty),*) => {$(
        // SAFETY: a number of any bits, laid out as that number, and changed by atomic operations
        // only; these have no state outside of it.
        unsafe impl ShmSafe for $atomic {}
    )*};
}
atomics!(AtomicI8, AtomicI16, AtomicI32, AtomicIsize, AtomicU8, AtomicU16, AtomicU32, AtomicUsize);
#[cfg(target_has_atomic = "64")]
atomics!(AtomicI64, AtomicU64);

// SAFETY: elements next to each other, of which each keeps the promise.
unsafe impl<T: ShmSafe, const N: usize> ShmSafe for [T; N] {}

// SAFETY: as for arrays.
unsafe impl<T: ShmSafe> ShmSafe for [T] {}
