//! Shared memory.

use core::sync::atomic::AtomicU32;
use core::sync::atomic::Ordering::Relaxed;

use rawipc::shm::{
    Access, Bytes, HugePages, LayoutError, Mapping, Memfd, Mode, Object, OpenError, Seals, Shared,
    WriteError,
};
use rawipc::{Errno, Name, process};
use rustix::fd::{AsFd as _, AsRawFd as _, OwnedFd};

type Result = core::result::Result<(), Errno>;

const OWN: Mode = Mode::RUSR.union(Mode::WUSR);

pub fn run() -> Result {
    memory()?;
    bytes()?;
    values()?;
    let name = Name::format(format_args!("/rawipc-freestanding-{}", process::id()))?;
    for makes_one in [objects, named_values, named_zeros, named_slices] {
        let done = makes_one(&name);
        Object::unlink(&name)?;
        done?;
    }
    Ok(())
}

fn memory() -> Result {
    let memfd = Memfd::options().name(c"freestanding").create(100)?;
    memfd.add_seals(Seals::SEAL)?;
    assert!(memfd.seals()?.contains(Seals::SEAL | Seals::SHRINK | Seals::GROW));
    assert!(memfd.len()? == 100 && memfd.as_raw_fd() >= 0);
    let huge = Memfd::options().huge_pages(HugePages::Default);
    assert!(huge.create(1).is_err());
    let mapping = Mapping::new(Memfd::from(OwnedFd::from(memfd)), 10, Access::ReadOnly)?;
    assert!(!mapping.as_ptr().is_null());
    assert_eq!((mapping.len(), mapping.access()), (10, Access::ReadOnly));
    assert_eq!(Bytes::new(mapping).write(0, 1_u8), Err(WriteError::ReadOnly));
    Ok(())
}

fn bytes() -> Result {
    let bytes = Bytes::map(Memfd::new(20)?, Access::ReadWrite)?;
    assert_eq!(bytes.copy_in(5, b"over the edge"), Ok(()));
    assert_eq!(bytes.copy_out(10, &mut [0; 3]).as_deref(), Ok(&b"the"[..]));
    assert_eq!(bytes.write(9, 0x0102_0304_u32), Ok(()));
    assert_eq!(bytes.read(9), Ok(0x0102_0304_u32));
    assert!(bytes.read::<u64>(13).is_err());
    assert_eq!((bytes.len(), bytes.into_mapping().len()), (20, 20));
    Ok(())
}

fn objects(name: &Name) -> Result {
    let object = Object::create_new(name, OWN, 100)?;
    assert_eq!(Object::create_new(name, OWN, 100).err(), Some(Errno::EXIST));
    assert_eq!((object.len(), Object::open(name)?.len()), (Ok(100), Ok(100)));
    let read_only = OwnedFd::from(Object::open_read_only(name)?);
    assert_eq!(Mapping::new(&read_only, 100, Access::ReadWrite).err(), Some(Errno::ACCESS));
    Ok(())
}

fn values() -> Result {
    assert_eq!(Shared::anonymous(AtomicU32::new(1))?.load(Relaxed), 1);
    assert_eq!(Shared::<AtomicU32>::anonymous_zeroed()?.load(Relaxed), 0);
    assert_eq!(Shared::<[AtomicU32]>::anonymous_slice(3)?.len(), 3);

    let memfd = Memfd::new(Shared::<AtomicU32>::SIZE)?;
    // SAFETY: nobody else has it.
    let one = unsafe { Shared::create_in(&memfd, AtomicU32::new(2)) }?;
    // SAFETY: as above.
    let same = unsafe { Shared::<AtomicU32>::from_fd(memfd.as_fd()) };
    assert_eq!(same.map(|same| same.fetch_add(1, Relaxed)).ok(), Some(2));
    assert_eq!(one.load(Relaxed), 3);
    let mapping = Mapping::new(&memfd, memfd.len()?, Access::ReadWrite)?;
    // SAFETY: as above.
    let wrong = unsafe { Shared::<[AtomicU32]>::from_mapping(mapping) };
    assert_eq!(wrong.err(), Some(OpenError::Layout(LayoutError::Type)));

    let memfd = Memfd::new(Shared::<[AtomicU32]>::size_of(5)?)?;
    // SAFETY: nobody else has it.
    assert_eq!(unsafe { Shared::<[AtomicU32]>::create_slice_in(&memfd, 5) }?.len(), 5);
    let mapping = Mapping::new(&memfd, memfd.len()?, Access::ReadWrite)?;
    // SAFETY: nobody else has it any more.
    let slice = unsafe { Shared::<[AtomicU32]>::create_slice_in_mapping(mapping, 4) }?;
    assert_eq!(slice.len(), 4);
    let mapping = Mapping::new(&memfd, memfd.len()?, Access::ReadWrite)?;
    drop(slice);
    // SAFETY: nobody else has it any more.
    let one = unsafe { Shared::create_in_mapping(mapping, AtomicU32::new(7)) }?;
    assert_eq!(one.load(Relaxed), 7);
    Ok(())
}

fn named_values(name: &Name) -> Result {
    let one = Shared::create_new(name, OWN, AtomicU32::new(3))?;
    // SAFETY: nobody else knows the name.
    let same = unsafe { Shared::<AtomicU32>::open(name) };
    assert_eq!(same.map(|same| same.fetch_add(1, Relaxed)).ok(), Some(3));
    assert_eq!(one.load(Relaxed), 4);
    Ok(())
}

fn named_zeros(name: &Name) -> Result {
    assert_eq!(Shared::<AtomicU32>::create_new_zeroed(name, OWN)?.load(Relaxed), 0);
    Ok(())
}

fn named_slices(name: &Name) -> Result {
    let lanes = Shared::<[AtomicU32]>::create_new_slice(name, OWN, 10)?;
    // SAFETY: nobody else knows the name.
    let same = unsafe { Shared::<[AtomicU32]>::open(name) };
    assert_eq!((lanes.len(), same.map(|same| same.len()).ok()), (10, Some(10)));
    Ok(())
}
