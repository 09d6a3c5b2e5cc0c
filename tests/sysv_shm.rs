//! System V shared memory segments, as their documentation promises them.

mod support;

use core::sync::atomic::Ordering::Relaxed;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rawipc::Errno;
use rawipc::pipe::Pipe;
use rawipc::process::{self, Pid};
use rawipc::shm::{Access, Mapping};
use rawipc::sysv::{Key, Mode, Shm};
use rustix::process::{Gid, Resource, Rlimit, Uid, getegid, geteuid, setrlimit};
use support::limits::{in_own_namespace, with_limits};
use support::seccomp::{ANY, failing_with, intercept};
use support::shared::{bytes, page_size};
use support::sysv::{RW, Segment, SegmentOf, seconds};
use support::users::{OTHER, STRANGER, as_stranger, become_user, is_root};
use support::{child, eventually, isolated, join, kill, numbers, sleep_for_ever, wait};

/// As long as many segments here are. Shorter than a page of any system.
const LEN: usize = 100;

impl Segment {
    fn permitting(mode: u32) -> Self {
        Self(Shm::create_new(Key::PRIVATE, Mode::from_raw_mode(mode), LEN).unwrap())
    }
}

/// A key under which there is no segment.
fn unused() -> Key {
    Segment::keyed(1).1
}

fn put(mapping: &Mapping, at: usize, byte: u8) {
    bytes(mapping)[at].store(byte, Relaxed);
}

fn get(mapping: &Mapping, at: usize) -> u8 {
    bytes(mapping)[at].load(Relaxed)
}

fn attached(segment: Shm) -> usize {
    segment.status().unwrap().attached
}

/// How many segments this process has attached, as the system tells it.
fn attachments() -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains("/SYSV")).count()
}

/// The system's table of the segments of this namespace, without its heading.
fn table() -> Vec<String> {
    let table = fs::read_to_string("/proc/sysvipc/shm").unwrap();
    table.lines().skip(1).map(String::from).collect()
}

fn limit(resource: Resource, limit: u64) {
    setrlimit(resource, Rlimit { current: Some(limit), maximum: Some(limit) }).unwrap();
}

// Creating and finding.

#[test]
fn new_segment_is_as_long_as_asked_for_and_zero() {
    isolated(|| {
        for len in [1, 2, LEN, 4095, 4096, 4097, 1 << 20] {
            let segment = Segment::new(len);
            assert_eq!(segment.status().unwrap().size, len);
            let mapping = segment.attach().unwrap();
            assert_eq!((mapping.len(), mapping.access()), (len, Access::ReadWrite));
            assert!(bytes(&mapping).iter().all(|byte| byte.load(Relaxed) == 0));
            put(&mapping, len - 1, 1);
        }
    });
}

#[test]
fn strangers_meet_by_the_key_and_by_the_identifier() {
    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        let id = segment.id();
        join(child(|| {
            assert_eq!(Shm::open(key), Ok(*segment));
            put(&Shm::open(key).unwrap().attach().unwrap(), 1, 11);
        }));
        join(child(|| put(&Shm::from_id(id).attach().unwrap(), 2, 22)));
        let mapping = segment.attach().unwrap();
        assert_eq!((get(&mapping, 0), get(&mapping, 1), get(&mapping, 2)), (0, 11, 22));
    });
}

#[test]
fn create_new_refuses_a_key_that_is_taken() {
    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        assert_eq!(Shm::create_new(key, RW, LEN), Err(Errno::EXIST));
        assert_eq!(Shm::create_new(key, RW, 2 * LEN), Err(Errno::EXIST), "whatever the size");
        segment.remove().unwrap();
        let again = Segment(Shm::create_new(key, RW, LEN).unwrap());
        assert_ne!(*again, *segment);
    });
}

#[test]
fn create_makes_a_segment_and_then_finds_it_as_it_is() {
    isolated(|| {
        let key = unused();
        let made = Segment(Shm::create(key, RW, LEN).unwrap());
        assert_eq!(Shm::create(key, RW, LEN), Ok(*made));
        assert_eq!(Shm::create(key, Mode::RUSR, 1), Ok(*made), "it has more");
        assert_eq!(Shm::create(key, RW, LEN + 1), Err(Errno::INVAL), "it has fewer");
        let status = made.status().unwrap();
        assert_eq!((status.size, status.permissions.mode), (LEN, RW));
    });
}

#[test]
fn private_segments_are_new_each_time_and_found_by_no_key() {
    isolated(|| {
        let [one, two, three] = [
            Segment(Shm::create_new(Key::PRIVATE, RW, 1).unwrap()),
            Segment(Shm::create_new(Key::PRIVATE, RW, 2).unwrap()),
            Segment(Shm::create(Key::PRIVATE, RW, 3).unwrap()),
        ];
        for (size, segment) in [(1, one), (2, two), (3, three)] {
            let status = segment.status().unwrap();
            assert_eq!((status.size, status.permissions.key), (size, Key::PRIVATE));
        }
        in_own_namespace(|| {
            assert_eq!(Shm::open(Key::PRIVATE), Err(Errno::NOENT));
            assert!(table().is_empty(), "nothing was made: {:?}", table());
        });
    });
}

#[test]
fn open_finds_nothing_where_nothing_is() {
    isolated(|| {
        let key = unused();
        assert_eq!(Shm::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn umask_does_not_count() {
    isolated(|| {
        rustix::process::umask(Mode::from_raw_mode(0o777));
        for mode in [0o666, 0o600, 0o777] {
            let segment = Segment::permitting(mode);
            assert_eq!(segment.status().unwrap().permissions.mode.as_raw_mode(), mode);
        }
    });
}

/// Among them are `IPC_EXCL` and `SHM_HUGETLB`.
#[test]
fn bits_of_the_mode_that_are_no_permissions_are_not_taken_for_flags() {
    isolated(|| {
        let odd = Mode::from_raw_mode(0o7600);
        let (segment, key) = Segment::keyed(LEN);
        assert_eq!(Shm::create(key, odd, LEN), Ok(*segment));
        segment.set_mode(odd).unwrap();
        let status = segment.status().unwrap();
        assert_eq!(status.permissions.mode, RW);
        assert!(!status.removed && !status.locked, "{status:?}");
        let segment = Segment(Shm::create_new(Key::PRIVATE, odd, LEN).unwrap());
        assert_eq!(segment.status().unwrap().permissions.mode, RW);
    });
}

#[test]
fn create_unique_tries_again_where_a_key_is_taken() {
    isolated(|| {
        join(child(|| {
            // As if all odd keys were in use.
            intercept(numbers::SHMGET, (0, 1, 1), failing_with(Errno::EXIST));
            for _ in 0..32 {
                let (_segment, key) = Segment::keyed(1);
                assert_eq!(key.as_raw() % 2, 0);
            }
        }));
        join(child(|| {
            intercept(numbers::SHMGET, ANY, failing_with(Errno::NOSPC));
            assert_eq!(Shm::create_unique(RW, 1), Err(Errno::NOSPC), "no reason to");
        }));
    });
}

#[test]
fn segment_outlives_who_made_it_with_what_is_in_it() {
    isolated(|| {
        let key = unused();
        let _left = SegmentOf(key);
        join(child(|| {
            let segment = Shm::create_new(key, RW, LEN).unwrap();
            put(&segment.attach().unwrap(), 5, 55);
        }));
        assert_eq!(get(&Shm::open(key).unwrap().attach().unwrap(), 5), 55);
    });
}

#[test]
fn all_who_create_at_once_get_the_same_segment() {
    const CREATORS: u8 = 4;
    isolated(|| {
        for _ in 0..50 {
            let key = unused();
            let _left = SegmentOf(key);
            let Pipe { reader: gate, writer: opener } = Pipe::new().unwrap();
            let creators = [(); CREATORS as usize].map(|()| {
                child(|| {
                    gate.read(&mut [0]).unwrap();
                    let mapping = Shm::create(key, RW, LEN).unwrap().attach().unwrap();
                    bytes(&mapping)[0].fetch_add(1, Relaxed);
                })
            });
            opener.write_all(&[0; CREATORS as usize]).unwrap();
            creators.into_iter().for_each(join);
            assert_eq!(get(&Shm::open(key).unwrap().attach().unwrap(), 0), CREATORS);
        }
    });
}

// Sizes and limits.

#[test]
fn segment_of_no_bytes_is_not_made() {
    isolated(|| {
        let key = unused();
        let _left = SegmentOf(key);
        assert_eq!(Shm::create_new(key, RW, 0), Err(Errno::INVAL));
        assert_eq!(Shm::create(key, RW, 0), Err(Errno::INVAL));
        let private = Shm::create_new(Key::PRIVATE, RW, 0).map(Segment);
        assert_eq!(private.map(drop), Err(Errno::INVAL));
        assert_eq!(Shm::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn segment_longer_than_there_can_be_is_not_made() {
    isolated(|| {
        in_own_namespace(|| {
            for len in [usize::MAX, usize::MAX / 2 + 1] {
                assert_eq!(Shm::create_new(Key::PRIVATE, RW, len), Err(Errno::INVAL), "{len}");
            }
        });
    });
}

#[test]
fn segment_longer_than_the_system_allows_is_not_made() {
    isolated(|| {
        with_limits(&[("shmmax", 5000)], || {
            assert_eq!(Shm::create_new(Key::PRIVATE, RW, 5001), Err(Errno::INVAL));
            assert_eq!(Segment::new(5000).status().unwrap().size, 5000);
        });
    });
}

#[test]
fn there_are_only_as_many_segments_as_the_system_allows() {
    isolated(|| {
        with_limits(&[("shmmni", 2)], || {
            let (_one, two) = (Segment::new(1), Segment::new(1));
            assert_eq!(Shm::create_new(Key::PRIVATE, RW, 1), Err(Errno::NOSPC));
            drop(two);
            Segment::new(1);
        });
    });
}

#[test]
fn there_are_only_as_many_pages_as_the_system_allows() {
    isolated(|| {
        let page = page_size();
        with_limits(&[("shmall", 3)], || {
            let _two_pages = Segment::new(page + 1);
            assert_eq!(Shm::create_new(Key::PRIVATE, RW, page + 1), Err(Errno::NOSPC));
            Segment::new(page);
        });
    });
}

#[cfg(target_pointer_width = "64")]
#[test]
fn more_memory_than_the_system_would_have_is_not_promised() {
    isolated(|| {
        if fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap().trim() == "1" {
            eprintln!("skipped: this system promises what it has not got");
            return;
        }
        let made = Shm::create_new(Key::PRIVATE, RW, 1 << 50).map(Segment);
        assert_eq!(made.map(drop), Err(Errno::NOMEM));
    });
}

// Attaching.

#[test]
fn each_attachment_is_a_mapping_of_its_own_of_the_same_memory() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let (one, two) = (segment.attach().unwrap(), segment.attach().unwrap());
        assert_ne!(one.as_ptr(), two.as_ptr());
        assert_eq!((attached(*segment), attachments()), (2, 2));
        put(&one, 7, 77);
        assert_eq!(get(&two, 7), 77);
        drop(one);
        assert_eq!(get(&two, 7), 77, "the other stays");
    });
}

#[test]
fn dropping_a_mapping_detaches_it() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mapping = segment.attach().unwrap();
        let read_only = segment.attach_read_only().unwrap();
        assert_eq!((attached(*segment), attachments()), (2, 2));
        drop(mapping);
        assert_eq!((attached(*segment), attachments()), (1, 1));
        drop(read_only);
        assert_eq!((attached(*segment), attachments()), (0, 0));
    });
}

#[test]
fn thousands_of_attachments_leave_nothing() {
    isolated(|| {
        let segment = Segment::new(LEN);
        for _ in 0..5_000 {
            put(&segment.attach().unwrap(), 0, 1);
        }
        assert_eq!((attached(*segment), attachments()), (0, 0));
    });
}

#[test]
fn read_only_mapping_shows_what_others_write() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mapping = segment.attach_read_only().unwrap();
        assert_eq!((mapping.len(), mapping.access()), (LEN, Access::ReadOnly));
        join(child(|| put(&segment.attach().unwrap(), 3, 33)));
        assert_eq!(get(&mapping, 3), 33);
    });
}

#[test]
fn who_writes_to_a_read_only_mapping_dies() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mut writer = child(|| {
            limit(Resource::Core, 0);
            let mapping = segment.attach_read_only().unwrap();
            put(&mapping, 0, 1);
        });
        assert_eq!(wait(&mut writer).signal(), Some(libc::SIGSEGV));
        assert_eq!(get(&segment.attach().unwrap(), 0), 0);
    });
}

#[test]
fn no_room_for_a_mapping_is_no_memory_and_attaches_nothing() {
    isolated(|| {
        const LONG: usize = 1 << 28;
        let segment = Segment::new(LONG);
        join(child(|| {
            limit(Resource::As, 1 << 27);
            assert_eq!(segment.attach().map(drop), Err(Errno::NOMEM));
            assert_eq!(segment.attach_read_only().map(drop), Err(Errno::NOMEM));
            assert_eq!((attached(*segment), attachments()), (0, 0));
        }));
        assert_eq!(segment.attach().unwrap().len(), LONG);
    });
}

#[test]
fn process_has_only_as_many_mappings_as_the_system_allows() {
    isolated(|| {
        let most = fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        let most: usize = most.trim().parse().unwrap();
        if most > 100_000 {
            eprintln!("skipped: this system allows {most} mappings");
            return;
        }
        let segment = Segment::new(1);
        let mut mappings = Vec::with_capacity(most + 2);
        let refused = loop {
            match segment.attach() {
                Ok(mapping) => mappings.push(mapping),
                Err(errno) => break errno,
            }
        };
        assert_eq!(refused, Errno::NOMEM);
        assert_eq!(attached(*segment), mappings.len());
        drop(mappings);
        assert_eq!(attached(*segment), 0);
        put(&segment.attach().unwrap(), 0, 1);
    });
}

#[test]
fn what_cannot_be_measured_is_detached_again() {
    isolated(|| {
        let segment = Segment::new(LEN);
        join(child(|| {
            intercept(numbers::SHMCTL, ANY, failing_with(Errno::ACCESS));
            assert_eq!(segment.attach().map(drop), Err(Errno::ACCESS));
            assert_eq!(segment.attach_read_only().map(drop), Err(Errno::ACCESS));
            assert_eq!(attachments(), 0);
        }));
    });
}

/// The kernel can be told to give an identifier again at once, so that what takes it seconds
/// otherwise happens in every round here.
#[test]
fn mapping_is_as_long_as_the_segment_that_it_got_even_if_its_identifier_is_given_again() {
    const MANY_PAGES: usize = 64;

    /// Creates a segment with that identifier.
    fn create(id: i32, len: usize) -> Shm {
        fs::write("/proc/sys/kernel/shm_next_id", id.to_string()).unwrap();
        Shm::create_new(Key::PRIVATE, RW, len).unwrap()
    }

    isolated(|| {
        let page = page_size();
        in_own_namespace(|| {
            let id = Segment::new(1).id();
            if fs::write("/proc/sys/kernel/shm_next_id", id.to_string()).is_err() {
                eprintln!("skipped: takes a kernel that gives identifiers as told");
                return;
            }
            let attacher = child(|| {
                limit(Resource::Core, 0);
                let (mut short, mut long) = (0, 0);
                while short < 1_000 || long < 1_000 {
                    let Ok(mapping) = Shm::from_id(id).attach() else { continue };
                    // Its creator has removed it by now, or is going to.
                    let pages = mapping.len() / page;
                    assert!(pages == 1 || pages == MANY_PAGES);
                    put(&mapping, mapping.len() - 1, 1);
                    *(if pages == 1 { &mut short } else { &mut long }) += 1;
                }
            });
            let creator = child(|| {
                // Both of one identifier, one after the other, until the other one has enough.
                for pages in [1, MANY_PAGES].into_iter().cycle() {
                    let segment = create(id, pages * page);
                    if segment.id() == id {
                        eventually("it is attached", || {
                            segment.status().is_ok_and(|status| status.attach_time != 0)
                        });
                    }
                    let _gone = segment.remove();
                }
            });
            join(attacher);
            kill(creator);
        });
    });
}

// Forks, execs and ends.

#[test]
fn child_inherits_the_mapping_and_drops_its_own() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mapping = core::cell::Cell::new(Some(segment.attach().unwrap()));
        join(child(|| {
            let inherited = mapping.take().unwrap();
            assert_eq!(attached(*segment), 2);
            put(&inherited, 0, 9);
            drop(inherited);
            assert_eq!((attached(*segment), attachments()), (1, 0));
        }));
        let mapping = mapping.take().unwrap();
        assert_eq!(get(&mapping, 0), 9);
        assert_eq!(attached(*segment), 1);
    });
}

#[test]
fn end_of_a_process_detaches_however_it_ends() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let sleeper = child(|| {
            let mapping = segment.attach().unwrap();
            put(&mapping, 0, 1);
            sleep_for_ever();
        });
        eventually("it is attached", || attached(*segment) == 1);
        kill(sleeper);
        eventually("it is detached", || attached(*segment) == 0);
        join(child(|| core::mem::forget(segment.attach().unwrap())));
        eventually("it is detached", || attached(*segment) == 0);
    });
}

#[test]
fn exec_detaches() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let reader = core::cell::Cell::new(Some(rawipc::fd::OwnedFd::from(reader)));
        let other = child(|| {
            let mapping = segment.attach().unwrap();
            put(&mapping, 0, 1);
            let failed = Command::new("cat").stdin(reader.take().unwrap()).exec();
            panic!("{failed}");
        });
        let comm = format!("/proc/{}/comm", other.id().as_raw_nonzero());
        eventually("it runs another program", || {
            fs::read_to_string(&comm).is_ok_and(|name| name.trim() == "cat")
        });
        let status = segment.status().unwrap();
        assert_eq!((status.attached, status.last_operator), (0, Some(other.id())));
        assert_eq!(get(&segment.attach().unwrap(), 0), 1, "it was");
        drop(writer);
        join(other);
    });
}

// Removal.

#[test]
fn removed_segment_goes_at_once_if_nobody_has_it() {
    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        drop(segment.attach().unwrap());
        segment.remove().unwrap();
        assert_eq!(Shm::open(key), Err(Errno::NOENT));
        assert_no_such(*segment);
    });
}

#[track_caller]
fn assert_no_such(segment: Shm) {
    assert_eq!(segment.attach().map(drop), Err(Errno::INVAL));
    assert_eq!(segment.attach_read_only().map(drop), Err(Errno::INVAL));
    assert_eq!(segment.status(), Err(Errno::INVAL));
    assert_eq!(segment.set_mode(RW), Err(Errno::INVAL));
    assert_eq!(segment.set_owner(geteuid(), getegid()), Err(Errno::INVAL));
    assert_eq!(segment.lock(), Err(Errno::INVAL));
    assert_eq!(segment.unlock(), Err(Errno::INVAL));
    assert_eq!(segment.remove(), Err(Errno::INVAL));
}

#[test]
fn removed_segment_goes_on_for_those_who_have_it_and_goes_with_the_last() {
    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        let mapping = segment.attach().unwrap();
        let Pipe { reader: gate, writer: opener } = Pipe::new().unwrap();
        let other = child(|| {
            gate.read(&mut [0]).unwrap();
            put(&mapping, 1, get(&mapping, 0) + 1);
        });
        segment.remove().unwrap();
        put(&mapping, 0, 41);
        opener.write(b"x").unwrap();
        join(other);
        assert_eq!(get(&mapping, 1), 42);
        eventually("only this mapping is left", || attached(*segment) == 1);
        let status = segment.status().unwrap();
        assert_eq!((status.removed, status.size), (true, LEN));
        drop(mapping);
        assert_no_such(*segment);
        assert_eq!(Shm::open(key), Err(Errno::NOENT));
    });
}

#[test]
fn key_of_a_removed_segment_is_free_while_that_is_still_attached() {
    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        assert!(!segment.status().unwrap().removed);
        let old = segment.attach().unwrap();
        segment.remove().unwrap();
        assert_eq!(Shm::open(key), Err(Errno::NOENT));
        assert_eq!(segment.status().unwrap().permissions.key, Key::PRIVATE);

        let next = Segment(Shm::create_new(key, RW, 2 * LEN).unwrap());
        let new = next.attach().unwrap();
        put(&old, 0, 1);
        put(&new, 0, 2);
        assert_eq!((get(&old, 0), get(&new, 0)), (1, 2));
        assert_eq!((old.len(), new.len()), (LEN, 2 * LEN));
    });
}

#[test]
fn removed_segment_is_attached_by_its_identifier_while_another_has_it() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let first = segment.attach().unwrap();
        segment.remove().unwrap();
        let second = segment.attach().unwrap();
        put(&first, 0, 8);
        drop(first);
        assert_eq!(attached(*segment), 1);
        let third = segment.attach_read_only().unwrap();
        drop(second);
        assert_eq!((get(&third, 0), third.len()), (8, LEN));
        drop(third);
        assert_no_such(*segment);
    });
}

#[test]
fn removing_twice_is_no_error_while_it_is_attached() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mapping = segment.attach().unwrap();
        segment.remove().unwrap();
        segment.remove().unwrap();
        put(&mapping, 0, 1);
        drop(mapping);
        assert_eq!(segment.remove(), Err(Errno::INVAL));
    });
}

#[test]
fn removed_segment_goes_with_the_last_process_though_it_is_killed() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let holders = [(); 2].map(|()| {
            child(|| {
                let _mapping = segment.attach().unwrap();
                writer.write(b"x").unwrap();
                sleep_for_ever();
            })
        });
        reader.read_all(&mut [0; 2]).unwrap();
        segment.remove().unwrap();
        let [one, two] = holders;
        kill(one);
        eventually("it is detached", || attached(*segment) == 1);
        kill(two);
        eventually("it is gone", || segment.status() == Err(Errno::INVAL));
        assert_no_such(*segment);
    });
}

#[test]
fn identifier_that_never_was_one_is_no_argument() {
    isolated(|| {
        for id in [-1, i32::MIN, i32::MAX] {
            assert_eq!(Shm::from_id(id).id(), id);
            assert_no_such(Shm::from_id(id));
        }
    });
}

/// The calls look the segment up and then lock it; where the removal comes in between, the kernel
/// says `IDRM`.
#[test]
fn removal_at_the_moment_of_a_call_is_told_by_either_errno() {
    isolated(|| {
        for _ in 0..200 {
            let segment = Segment::new(1);
            let Pipe { reader, writer } = Pipe::new().unwrap();
            let remover = child(|| {
                reader.read(&mut [0]).unwrap();
                segment.remove().unwrap();
            });
            writer.write(b"x").unwrap();
            let told = loop {
                match segment.status().and_then(|_| segment.attach()) {
                    Ok(mapping) => put(&mapping, 0, 1),
                    Err(errno) => break errno,
                }
            };
            assert!(matches!(told, Errno::INVAL | Errno::IDRM), "{told:?}");
            join(remover);
        }
    });
}

// What is told.

#[test]
fn new_segment_says_whose_it_is() {
    isolated(|| {
        let before = seconds();
        let (segment, key) = Segment::keyed(LEN);
        let status = segment.status().unwrap();
        let permissions = status.permissions;
        assert_eq!((permissions.key, permissions.mode), (key, RW));
        assert_eq!((permissions.uid, permissions.gid), (geteuid(), getegid()));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!((status.size, status.attached), (LEN, 0));
        assert!(!status.removed && !status.locked, "{status:?}");
        assert_eq!((status.creator, status.last_operator), (Some(process::id()), None));
        assert_eq!((status.attach_time, status.detach_time), (0, 0));
        assert!((before..=seconds()).contains(&status.change_time), "{status:?}");
    });
}

#[test]
fn status_tells_who_attached_or_detached_last_and_when() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let created = segment.status().unwrap();
        let before = seconds();
        let mapping = segment.attach().unwrap();
        let status = segment.status().unwrap();
        assert!((before..=seconds()).contains(&status.attach_time), "{status:?}");
        assert_eq!((status.detach_time, status.last_operator), (0, Some(process::id())));

        let before = seconds();
        drop(mapping);
        let status = segment.status().unwrap();
        assert!((before..=seconds()).contains(&status.detach_time), "{status:?}");

        let other = child(|| drop(segment.attach_read_only().unwrap()));
        let pid = other.id();
        join(other);
        let status = segment.status().unwrap();
        assert_eq!(status.last_operator, Some(pid));
        assert_eq!((status.creator, status.change_time), (created.creator, created.change_time));
    });
}

#[test]
fn processes_out_of_sight_are_nobody() {
    isolated(|| {
        let segment = Segment::permitting(0o666);
        drop(segment.attach().unwrap());
        join(child(|| {
            // SAFETY: takes integers only; this process has one thread.
            if unsafe { libc::unshare(libc::CLONE_NEWPID) } != 0 {
                eprintln!("skipped: takes root, to have process numbers of its own");
                return;
            }
            join(child(|| {
                assert_eq!(process::id(), Pid::INIT);
                let status = segment.status().unwrap();
                assert_eq!((status.creator, status.last_operator), (None, None));
                drop(segment.attach().unwrap());
                assert_eq!(segment.status().unwrap().last_operator, Some(Pid::INIT));
            }));
        }));
    });
}

#[test]
fn setting_moves_the_time_of_change_and_nothing_else() {
    isolated(|| {
        type Setting = fn(Shm) -> Result<(), Errno>;

        const SETTINGS: [Setting; 2] =
            [|segment| segment.set_mode(RW), |segment| segment.set_owner(geteuid(), getegid())];
        let segment = Segment::new(LEN);
        let mut before = segment.status().unwrap();
        for setting in SETTINGS {
            eventually("the time of change moves", || {
                setting(*segment).unwrap();
                segment.status().unwrap().change_time > before.change_time
            });
            before.change_time = segment.status().unwrap().change_time;
            assert_eq!(segment.status(), Ok(before));
        }
    });
}

#[test]
fn set_mode_sets_the_mode_only() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let created = segment.status().unwrap().permissions;
        for mode in [0o666, 0o777, 0o640, 0o421, 0o400] {
            segment.set_mode(Mode::from_raw_mode(mode)).unwrap();
            let mut permissions = segment.status().unwrap().permissions;
            assert_eq!(permissions.mode.as_raw_mode(), mode);
            permissions.mode = created.mode;
            assert_eq!(permissions, created);
        }
    });
}

#[test]
fn set_mode_leaves_the_mappings_that_there_are() {
    isolated(|| {
        let segment = Segment::new(LEN);
        let mapping = segment.attach().unwrap();
        segment.set_mode(Mode::empty()).unwrap();
        put(&mapping, 0, 1);
        assert_eq!(get(&mapping, 0), 1);
    });
}

// Who may.

#[test]
fn who_may_only_read_attaches_read_only() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let segment = Segment::permitting(0o604);
        as_stranger(|| {
            assert_eq!(segment.attach().map(drop), Err(Errno::ACCESS));
            assert_eq!(segment.attach_read_only().unwrap().len(), LEN);
            assert_eq!(segment.status().unwrap().size, LEN);
        });
    });
}

#[test]
fn who_may_only_write_attaches_nothing() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (segment, key) = Segment::keyed(LEN);
        segment.set_mode(Mode::from_raw_mode(0o602)).unwrap();
        as_stranger(|| {
            assert_eq!(Shm::open(key), Ok(*segment), "that takes no permission");
            assert_eq!(segment.attach().map(drop), Err(Errno::ACCESS));
            assert_eq!(segment.attach_read_only().map(drop), Err(Errno::ACCESS));
            assert_eq!(segment.status(), Err(Errno::ACCESS));
        });
        assert_eq!(attached(*segment), 0);
    });
}

#[test]
fn create_takes_all_the_permissions_that_its_mode_names() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let (segment, key) = Segment::keyed(LEN);
        segment.set_mode(Mode::from_raw_mode(0o604)).unwrap();
        as_stranger(|| {
            assert_eq!(Shm::create(key, Mode::RUSR, LEN), Ok(*segment));
            assert_eq!(Shm::create(key, Mode::WUSR, LEN), Err(Errno::ACCESS));
            assert_eq!(Shm::create(key, RW, LEN), Err(Errno::ACCESS));
        });
    });
}

#[test]
fn only_owner_and_creator_set_lock_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let segment = Segment::permitting(0o666);
        as_stranger(|| {
            assert_eq!(segment.set_mode(RW), Err(Errno::PERM));
            assert_eq!(segment.set_owner(geteuid(), getegid()), Err(Errno::PERM));
            assert_eq!(segment.lock(), Err(Errno::PERM));
            assert_eq!(segment.unlock(), Err(Errno::PERM));
            assert_eq!(segment.remove(), Err(Errno::PERM));
        });
        let status = segment.status().unwrap();
        assert!(!status.removed && !status.locked, "{status:?}");
        assert_eq!(status.permissions.mode.as_raw_mode(), 0o666);
    });
}

/// The kernel sets all at once, so that what is to stay has to be read before.
#[test]
fn setting_takes_permission_to_read_and_removing_does_not() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        as_stranger(|| {
            let segment = Segment::permitting(0o200);
            assert_eq!(segment.set_mode(RW), Err(Errno::ACCESS));
            assert_eq!(segment.set_owner(geteuid(), getegid()), Err(Errno::ACCESS));
            segment.remove().unwrap();
        });
    });
}

#[test]
fn owner_can_be_another_and_may_then_use_set_and_remove() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let segment = Segment::new(LEN);
        segment.set_owner(Uid::from_raw(STRANGER), Gid::from_raw(OTHER)).unwrap();
        let permissions = segment.status().unwrap().permissions;
        assert_eq!((permissions.uid.as_raw(), permissions.gid.as_raw()), (STRANGER, OTHER));
        assert_eq!((permissions.creator_uid, permissions.creator_gid), (geteuid(), getegid()));
        assert_eq!(permissions.mode, RW, "that stays");
        join(child(|| {
            become_user(OTHER);
            assert_eq!(segment.attach().map(drop), Err(Errno::ACCESS), "of the group");
        }));
        as_stranger(|| {
            put(&segment.attach().unwrap(), 0, 1);
            segment.set_mode(Mode::RUSR).unwrap();
            assert_eq!(segment.attach().map(drop), Err(Errno::ACCESS));
            segment.remove().unwrap();
        });
        assert_eq!(segment.status(), Err(Errno::INVAL));
    });
}

// Locking into memory.

#[test]
fn locked_segment_says_so_until_it_is_unlocked() {
    isolated(|| {
        let segment = Segment::new(LEN);
        segment.unlock().unwrap();
        segment.lock().unwrap();
        segment.lock().unwrap();
        let status = segment.status().unwrap();
        assert!(status.locked && !status.removed, "{status:?}");
        assert_eq!(status.permissions.mode, RW);
        put(&segment.attach().unwrap(), 0, 1);
        segment.unlock().unwrap();
        assert!(!segment.status().unwrap().locked);
    });
}

#[test]
fn no_more_is_locked_than_the_limit_without_privilege() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let page = page_size();
        as_stranger(|| {
            limit(Resource::Memlock, page.try_into().unwrap());
            let (short, long) = (Segment::new(page), Segment::new(page + 1));
            assert_eq!(long.lock(), Err(Errno::NOMEM));
            assert!(!long.status().unwrap().locked);
            short.lock().unwrap();
            short.unlock().unwrap();
            limit(Resource::Memlock, 0);
            assert_eq!(short.lock(), Err(Errno::PERM));
            short.unlock().unwrap();
        });
    });
}

// Many at once.

#[test]
fn what_many_processes_add_is_all_there() {
    use core::sync::atomic::AtomicU32;
    const ADDERS: u32 = 4;
    const ROUNDS: u32 = 20_000;

    fn sum(mapping: &Mapping) -> &AtomicU32 {
        // SAFETY: aligned as pages are, within the mapping, which is borrowed as long, and used by
        // atomics of this width only.
        unsafe { AtomicU32::from_ptr(mapping.as_ptr().cast()) }
    }

    isolated(|| {
        let (segment, key) = Segment::keyed(LEN);
        let adders = [(); ADDERS as usize].map(|()| {
            child(|| {
                let mapping = Shm::open(key).unwrap().attach().unwrap();
                for _ in 0..ROUNDS {
                    sum(&mapping).fetch_add(1, Relaxed);
                }
            })
        });
        adders.into_iter().for_each(join);
        assert_eq!(sum(&segment.attach().unwrap()).load(Relaxed), ADDERS * ROUNDS);
    });
}
