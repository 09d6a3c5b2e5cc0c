//! Those that have a name, for a moment: created, opened by another, and gone.

use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::shm::{Mode, Object, OpenError, Shared, ShmSafe};
use rawipc::{Errno, Name};

const READ_WRITE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Twice the same name: the second is refused, and what is opened is the first.
pub(super) fn one(is_zeroed: bool, number: u64) {
    let name = name();
    let create = |number| {
        if is_zeroed {
            Shared::create_new_zeroed(&name, READ_WRITE)
        } else {
            Shared::create_new(&name, READ_WRITE, AtomicU64::new(number))
        }
    };
    let created = create(number);
    let again = create(number ^ 1);
    // SAFETY: nobody else knows the name.
    let opened = unsafe { Shared::<AtomicU64>::open(&name) };
    // SAFETY: it is refused.
    let misread = unsafe { Shared::<[AtomicU64]>::open(&name) };
    Object::unlink(&name).expect("it is there");
    assert!(misread.is_err());
    assert_eq!(again.err(), Some(Errno::EXIST));
    let (created, opened) = (created.expect("memory"), opened.expect("the value"));
    assert_eq!(opened.load(Relaxed), if is_zeroed { 0 } else { number });
    opened.fetch_add(number, Relaxed);
    assert_eq!(created.load(Relaxed), opened.load(Relaxed));
    is_gone::<AtomicU64>(&name);
}

pub(super) fn several(count: usize) {
    let name = name();
    let created = Shared::<[AtomicU64]>::create_new_slice(&name, READ_WRITE, count);
    // SAFETY: nobody else knows the name.
    let opened = unsafe { Shared::<[AtomicU64]>::open(&name) };
    Object::unlink(&name).expect("it is there");
    let (created, opened) = (created.expect("memory"), opened.expect("the values"));
    assert_eq!((created.len(), opened.len()), (count, count));
    assert!(opened.iter().all(|number| number.load(Relaxed) == 0));
    created.iter().zip(1..).for_each(|(number, value)| number.store(value, Relaxed));
    assert!(opened.iter().zip(1..).all(|(number, value)| number.load(Relaxed) == value));
    is_gone::<AtomicU64>(&name);
}

/// Those without a name, of any number.
pub(super) fn anonymous(count: usize, number: u64) {
    let one = Shared::anonymous(AtomicU64::new(number)).expect("memory");
    assert_eq!((one.load(Relaxed), format!("{one:?}")), (number, number.to_string()));
    let zero = Shared::<AtomicU64>::anonymous_zeroed().expect("memory");
    assert_eq!(zero.load(Relaxed), 0);
    let several = Shared::<[AtomicU64]>::anonymous_slice(count).expect("memory");
    assert_eq!(several.len(), count);
    assert!(several.iter().all(|number| number.load(Relaxed) == 0));
}

fn name() -> Name {
    let name = format_args!("/rawipc-fuzz-{}", rustix::process::getpid().as_raw_nonzero());
    Name::format(name).expect("short")
}

fn is_gone<T: ShmSafe>(name: &Name) {
    // SAFETY: it is refused.
    let opened = unsafe { Shared::<T>::open(name) };
    assert_eq!(opened.err(), Some(OpenError::Os(Errno::NOENT)));
}
