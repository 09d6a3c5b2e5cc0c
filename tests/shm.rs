//! Memory that processes share: named, by descriptor, and inherited.

mod support;

use core::ffi::CStr;
use core::sync::atomic::AtomicU64;
use core::sync::atomic::Ordering::Relaxed;
use std::env;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use rawipc::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use rawipc::process::{self, Child, ExitStatus};
use rawipc::shm::{
    Access, Bytes, HugePages, LayoutError, Mapping, Memfd, Mode, Object, OpenError, Seals, Shared,
};
use rawipc::socket::{Ancillary, Descriptors, SeqPacket};
use rawipc::{Errno, IoSlice, Name};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use support::own::OWNER;
use support::signals::Interruptions;
use support::users::{self, become_user, is_root};
use support::{FewDescriptors, apart, child, isolated, join, own, path, wait};

type Own = own::Own<Object>;

impl Own {
    fn is_taken(&self) -> bool {
        self.path().symlink_metadata().is_ok()
    }
}

fn open(name: &Name) -> Result<Shared<AtomicU64>, OpenError> {
    // SAFETY: the test's own name, and only values of this type under it.
    unsafe { Shared::open(name) }
}

type Creator = (&'static str, fn(&Name) -> Result<(), Errno>);
type Opener = (&'static str, fn(&Name) -> Result<(), OpenError>);

/// All ways of creating something under a name.
const CREATORS: [Creator; 4] = [
    ("object", |name| Object::create_new(name, OWNER, 4096).map(drop)),
    ("value", |name| Shared::create_new(name, OWNER, AtomicU64::new(1)).map(drop)),
    ("slice", |name| Shared::<[AtomicU64]>::create_new_slice(name, OWNER, 64).map(drop)),
    ("zeros", |name| Shared::<AtomicU64>::create_new_zeroed(name, OWNER).map(drop)),
];

/// All ways of opening what is there.
const OPENERS: [Opener; 3] = [
    ("read and write", |name| Ok(Object::open(name).map(drop)?)),
    ("read only", |name| Ok(Object::open_read_only(name).map(drop)?)),
    ("value", |name| open(name).map(drop)),
];

/// The kernel's ranges of this process that show `what`.
fn mapped(what: &str) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.lines().filter(|line| line.contains(what)).count()
}

// What is created.

#[test]
fn object_is_as_long_as_asked_and_all_zero() {
    isolated(|| {
        for length in [1, 100, 4096, 100_000] {
            let name = Own::new();
            let object = Object::create_new(&name.0, OWNER, length).unwrap();
            assert_eq!(object.len(), Ok(length));
            assert_eq!(Object::open(&name.0).unwrap().len(), Ok(length));
            let read = fs::read(name.path()).unwrap();
            assert!(read.len() == length && read.iter().all(|byte| *byte == 0));
        }
    });
}

#[test]
fn memory_is_taken_at_once() {
    isolated(|| {
        const LENGTH: usize = 3 << 20;
        let name = Own::new();
        let object = OwnedFd::from(Object::create_new(&name.0, OWNER, LENGTH).unwrap());
        let memfd = OwnedFd::from(Memfd::new(LENGTH).unwrap());
        for fd in [object, memfd] {
            let blocks = fs::File::from(fd).metadata().unwrap().blocks();
            assert!(blocks * 512 >= LENGTH.try_into().unwrap(), "{blocks}");
        }
    });
}

#[test]
fn mode_is_what_was_asked_for_less_the_umask() {
    isolated(|| {
        rustix::process::umask(Mode::from_raw_mode(0o027));
        let asked = Mode::from_raw_mode(0o666);
        for what in ["object", "value", "zeros", "slice"] {
            let name = Own::new();
            match what {
                "object" => drop(Object::create_new(&name.0, asked, 1).unwrap()),
                "value" => drop(Shared::create_new(&name.0, asked, AtomicU64::new(0)).unwrap()),
                "zeros" => drop(Shared::<AtomicU64>::create_new_zeroed(&name.0, asked).unwrap()),
                _ => drop(Shared::<[AtomicU64]>::create_new_slice(&name.0, asked, 2).unwrap()),
            }
            let mode = name.path().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o640, "{what}");
        }
    });
}

#[test]
fn longest_name_is_a_name() {
    isolated(|| {
        let pid = process::id().as_raw_nonzero();
        let name = Own::of(Name::format(format_args!("/{pid:x>255}")).unwrap());
        assert_eq!(name.0.as_bytes().len(), 255);
        let created = Shared::create_new(&name.0, OWNER, AtomicU64::new(9)).unwrap();
        assert_eq!(open(&name.0).unwrap().fetch_add(1, Relaxed), 9);
        assert_eq!(created.load(Relaxed), 10);
        Object::unlink(&name.0).unwrap();
        assert!(!name.is_taken());
    });
}

#[test]
fn descriptors_are_close_on_exec() {
    isolated(|| {
        let name = Own::new();
        let object = Object::create_new(&name.0, OWNER, 1).unwrap();
        let opened = Object::open(&name.0).unwrap();
        let memfd = Memfd::new(1).unwrap();
        for fd in [object.as_fd(), opened.as_fd(), memfd.as_fd()] {
            let flags = rustix::io::fcntl_getfd(fd).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
        }
    });
}

#[test]
fn length_zero_is_refused() {
    isolated(|| {
        let name = Own::new();
        assert_eq!(Object::create_new(&name.0, OWNER, 0).unwrap_err(), Errno::INVAL);
        assert!(!name.is_taken());
        assert_eq!(Memfd::new(0).unwrap_err(), Errno::INVAL);
    });
}

#[test]
fn name_that_is_taken_stays_as_it_is() {
    isolated(|| {
        let name = Own::new();
        fs::write(name.path(), "theirs").unwrap();
        for (what, create) in CREATORS {
            assert_eq!(create(&name.0), Err(Errno::EXIST), "{what}");
        }
        assert_eq!(fs::read(name.path()).unwrap(), b"theirs");
        // Not even through a link that leads nowhere.
        name.remove();
        symlink("nowhere", name.path()).unwrap();
        for (what, create) in CREATORS {
            assert_eq!(create(&name.0), Err(Errno::EXIST), "{what}");
        }
        assert!(!Path::new("/dev/shm/nowhere").exists());
    });
}

#[test]
fn of_many_who_create_one_does() {
    isolated(|| {
        let name = Own::new();
        let create = || match Shared::create_new(&name.0, OWNER, AtomicU64::new(5)) {
            Ok(_) => 1,
            Err(errno) => {
                assert_eq!(errno, Errno::EXIST);
                assert_eq!(open(&name.0).unwrap().load(Relaxed), 5, "found it half-made");
                0
            }
        };
        for _ in 0..20 {
            let created = Shared::anonymous(AtomicU64::new(0)).unwrap();
            let both = [(); 2].map(|()| {
                child(|| {
                    created.fetch_add(create(), Relaxed);
                })
            });
            both.into_iter().for_each(join);
            assert_eq!(created.load(Relaxed), 1);
            Object::unlink(&name.0).unwrap();
        }
    });
}

// What is opened.

#[test]
fn missing_name_is_missing() {
    isolated(|| {
        let name = Own::new();
        for (what, open) in OPENERS {
            assert_eq!(open(&name.0), Err(OpenError::Os(Errno::NOENT)), "{what}");
        }
        assert_eq!(Object::unlink(&name.0), Err(Errno::NOENT));
        assert!(!name.is_taken(), "opening created it");
    });
}

#[track_caller]
fn assert_not_opened(name: &Own, errno: Errno) {
    for (what, open) in OPENERS {
        assert_eq!(open(&name.0), Err(OpenError::Os(errno)), "{what}");
    }
}

#[test]
fn directory_is_no_object() {
    isolated(|| {
        let name = Own::new();
        fs::create_dir(name.path()).unwrap();
        assert_not_opened(&name, Errno::ISDIR);
    });
}

#[test]
fn symbolic_link_is_not_followed() {
    isolated(|| {
        let (name, target) = (Own::new(), Own::new());
        let _target = Shared::create_new(&target.0, OWNER, AtomicU64::new(1)).unwrap();
        symlink(target.path(), name.path()).unwrap();
        assert_not_opened(&name, Errno::LOOP);
    });
}

#[test]
fn fifo_is_no_object_and_nobody_waits_for_it() {
    isolated(|| {
        let name = Own::new();
        rustix::fs::mkfifoat(rustix::fs::CWD, name.path(), OWNER).unwrap();
        assert_not_opened(&name, Errno::INVAL);
    });
}

#[test]
fn socket_is_no_object() {
    isolated(|| {
        let name = Own::new();
        let _listener = UnixListener::bind(name.path()).unwrap();
        assert_not_opened(&name, Errno::NXIO);
    });
}

#[test]
fn object_without_a_length_is_an_empty_one() {
    isolated(|| {
        let name = Own::new();
        fs::write(name.path(), "").unwrap();
        let object = Object::open(&name.0).unwrap();
        assert_eq!(object.len(), Ok(0));
        assert_eq!(Bytes::map(&object, Access::ReadOnly).unwrap_err(), Errno::INVAL);
        assert_eq!(open(&name.0).unwrap_err(), OpenError::Layout(LayoutError::Empty));
    });
}

#[test]
fn object_of_another_size_is_refused_by_name() {
    isolated(|| {
        let name = Own::new();
        let _one = Shared::create_new(&name.0, OWNER, [const { AtomicU64::new(0) }; 2]).unwrap();
        let size = LayoutError::Size { expected: 8, found: 16 };
        assert_eq!(open(&name.0).unwrap_err(), OpenError::Layout(size));
    });
}

#[test]
fn what_is_opened_for_reading_only_is_not_mapped_for_writing() {
    isolated(|| {
        let name = Own::new();
        let _object = Object::create_new(&name.0, OWNER, 100).unwrap();
        let read_only = Object::open_read_only(&name.0).unwrap();
        let refused = Mapping::new(&read_only, 100, Access::ReadWrite).unwrap_err();
        assert_eq!(refused, Errno::ACCESS);
        // SAFETY: refused, before there is a value.
        let refused = unsafe { Shared::<AtomicU64>::from_fd(&read_only) }.unwrap_err();
        assert_eq!(refused, OpenError::Layout(LayoutError::Unfinished));
        assert_eq!(Bytes::map(&read_only, Access::ReadOnly).unwrap().len(), 100);
    });
}

#[test]
fn unlinked_object_stays_with_those_who_have_it() {
    isolated(|| {
        let name = Own::new();
        let one = Shared::create_new(&name.0, OWNER, AtomicU64::new(1)).unwrap();
        let same = open(&name.0).unwrap();
        Object::unlink(&name.0).unwrap();
        one.store(2, Relaxed);
        assert_eq!(same.load(Relaxed), 2);
        // And the name is free.
        let other = Shared::create_new(&name.0, OWNER, AtomicU64::new(3)).unwrap();
        assert_eq!((same.load(Relaxed), other.load(Relaxed)), (2, 3));
    });
}

// What cannot be had.

#[test]
fn nobody_opens_what_is_another_s() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let name = Own::new();
        let _value = Shared::create_new(&name.0, OWNER, AtomicU64::new(1)).unwrap();
        join(child(|| {
            become_user(users::STRANGER);
            assert_not_opened(&name, Errno::ACCESS);
            let unlinked = Object::unlink(&name.0).unwrap_err();
            assert!(matches!(unlinked, Errno::ACCESS | Errno::PERM), "{unlinked}");
        }));
        fs::set_permissions(name.path(), fs::Permissions::from_mode(0o644)).unwrap();
        join(child(|| {
            become_user(users::STRANGER);
            assert_eq!(open(&name.0).unwrap_err(), OpenError::Os(Errno::ACCESS));
            assert_eq!(Object::open_read_only(&name.0).unwrap().len(), Ok(72));
        }));
    });
}

#[test]
fn nobody_creates_without_privilege() {
    isolated(|| {
        if !is_root("to become another user") {
            return;
        }
        let name = Own::new();
        join(child(|| {
            become_user(users::STRANGER);
            for (what, create) in CREATORS {
                create(&name.0).unwrap_or_else(|errno| panic!("{what}: {errno}"));
                Object::unlink(&name.0).unwrap();
            }
        }));
    });
}

#[test]
fn descriptors_run_out_without_harm() {
    isolated(|| {
        let name = Own::new();
        let _value = Shared::create_new(&name.0, OWNER, AtomicU64::new(1)).unwrap();
        let new = Own::new();
        let few = FewDescriptors::no_more();
        assert_not_opened(&name, Errno::MFILE);
        for (what, create) in CREATORS {
            assert_eq!(create(&new.0), Err(Errno::MFILE), "{what}");
        }
        assert_eq!(Memfd::new(1).unwrap_err(), Errno::MFILE);
        assert_eq!(Shared::anonymous(AtomicU64::new(0)).unwrap_err(), Errno::MFILE);
        drop(few);
        assert!(!new.is_taken());
    });
}

/// Files of this process are at most so long; no signal says so.
fn limit_file_size(bytes: u64) {
    // SAFETY: ignores a signal, in a process of the test's own.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let before = getrlimit(Resource::Fsize);
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), ..before }).unwrap();
}

#[test]
fn file_that_is_longer_than_allowed_is_not_made() {
    isolated(|| {
        let name = Own::new();
        join(child(|| {
            limit_file_size(71);
            for (what, create) in CREATORS {
                assert_eq!(create(&name.0), Err(Errno::FBIG), "{what}");
            }
            assert_eq!(Memfd::new(72).unwrap_err(), Errno::FBIG);
            assert_eq!(Shared::anonymous(AtomicU64::new(0)).unwrap_err(), Errno::FBIG);
        }));
        assert!(!name.is_taken());
    });
}

/// Runs `task` in a child that sees another, small `/dev/shm`.
fn with_little_room(task: impl FnOnce()) {
    if !is_root("for mounts of the test's own") {
        return;
    }
    join(child(|| {
        // SAFETY: gives this process mounts of its own.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            eprintln!("skipped: takes mounts of the test's own: {}", io::Error::last_os_error());
            return;
        }
        let mount = |kind: &CStr, target: &CStr, flags, options: &CStr| {
            let (kind, target, data) = (kind.as_ptr(), target.as_ptr(), options.as_ptr().cast());
            // SAFETY: all are strings that live.
            let mounted = unsafe { libc::mount(c"none".as_ptr(), target, kind, flags, data) };
            assert_eq!(mounted, 0, "{}", io::Error::last_os_error());
        };
        mount(c"none", c"/", libc::MS_REC | libc::MS_PRIVATE, c"");
        mount(c"tmpfs", c"/dev/shm", 0, c"size=64k,mode=1777");
        task();
    }));
}

#[test]
fn there_is_no_space_when_it_is_created_and_not_later() {
    isolated(|| {
        with_little_room(|| {
            let name = Own::new();
            let refused = Object::create_new(&name.0, OWNER, 65 << 10).unwrap_err();
            assert_eq!(refused, Errno::NOSPC);
            let refused = Shared::<[AtomicU64]>::create_new_slice(&name.0, OWNER, 8 << 10);
            assert_eq!(refused.unwrap_err(), Errno::NOSPC);
            assert_eq!(fs::read_dir("/dev/shm").unwrap().count(), 0);

            // Each part of what there is room for can be written to.
            let half = Object::create_new(&name.0, OWNER, 32 << 10).unwrap();
            let other = Own::new();
            let refused = Object::create_new(&other.0, OWNER, 33 << 10).unwrap_err();
            assert_eq!(refused, Errno::NOSPC);
            let bytes = Bytes::map(&half, Access::ReadWrite).unwrap();
            bytes.copy_in(0, &vec![7; 32 << 10]).unwrap();
            // Nothing is kept of what failed.
            Object::create_new(&other.0, OWNER, 32 << 10).unwrap();
        });
    });
}

#[test]
fn memory_beyond_the_machine_s_is_refused_and_not_tried() {
    isolated(|| {
        for length in [1 << 46, isize::MAX.unsigned_abs(), usize::MAX] {
            assert_eq!(Memfd::new(length).unwrap_err(), Errno::NOMEM);
        }
    });
}

#[test]
fn address_space_runs_out_without_harm() {
    isolated(|| {
        let name = Own::new();
        join(child(|| {
            let before = getrlimit(Resource::As);
            let limit = Rlimit { current: Some(1 << 20), ..before };
            setrlimit(Resource::As, limit).unwrap(); // less than is in use
            for (what, create) in CREATORS.into_iter().skip(1) {
                assert_eq!(create(&name.0), Err(Errno::NOMEM), "{what}");
            }
            assert_eq!(Shared::anonymous(AtomicU64::new(0)).unwrap_err(), Errno::NOMEM);
            setrlimit(Resource::As, before).unwrap();
        }));
        assert!(!name.is_taken());
    });
}

#[test]
fn signals_do_not_keep_memory_from_being_taken() {
    isolated(|| {
        let _interruptions = Interruptions::start();
        let memfd = Memfd::new(256 << 20).unwrap();
        assert_eq!(memfd.len(), Ok(256 << 20));
    });
}

// What is half-made.

/// A child that is traced, and stops before and after each system call of `task`.
struct Traced(Child);

impl Traced {
    fn start(task: impl FnOnce()) -> Self {
        let child = child(|| {
            // SAFETY: lets the parent trace this process.
            let traced = unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) };
            assert_eq!(traced, 0, "{}", io::Error::last_os_error());
            // SAFETY: stops this process until the parent goes on.
            assert_eq!(unsafe { libc::raise(libc::SIGSTOP) }, 0);
            task();
        });
        let mut traced = Self(child);
        assert!(traced.stopped());
        traced
    }

    fn pid(&self) -> i32 {
        self.0.id().as_raw_nonzero().get()
    }

    /// Goes on to the next stop; false if it has ended.
    fn step(&mut self) -> bool {
        // SAFETY: the child is traced, and stopped.
        let went_on = unsafe { libc::ptrace(libc::PTRACE_SYSCALL, self.pid(), 0, 0) };
        assert_eq!(went_on, 0, "{}", io::Error::last_os_error());
        self.stopped()
    }

    /// Waits until it has stopped or ended, which it is not reaped for.
    fn stopped(&mut self) -> bool {
        let pid = self.pid().unsigned_abs();
        // SAFETY: an all-zero siginfo_t is a valid one.
        let mut info: libc::siginfo_t = unsafe { core::mem::zeroed() };
        let what = libc::WSTOPPED | libc::WEXITED | libc::WNOWAIT;
        // SAFETY: `info` lives, and nobody else looks at it.
        let waited = unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, what) };
        assert_eq!(waited, 0, "{}", io::Error::last_os_error());
        let stopped = info.si_code == libc::CLD_TRAPPED || info.si_code == libc::CLD_STOPPED;
        if stopped {
            // SAFETY: as above; takes the stop away, so that the next one is another.
            let taken = unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, libc::WSTOPPED) };
            assert_eq!(taken, 0, "{}", io::Error::last_os_error());
        }
        stopped
    }

    fn kill(mut self) {
        self.0.kill(Signal::KILL).unwrap();
        assert!(matches!(wait(&mut self.0), ExitStatus::Killed { signal: libc::SIGKILL, .. }));
    }
}

/// Kills whoever creates, before and after each system call, and looks at what is left.
#[track_caller]
fn assert_complete_or_absent(create: fn(&Name), check: fn(&Name) -> bool) {
    let name = Own::new();
    let (mut absent, mut complete) = (0, 0);
    for stops in 0.. {
        let mut traced = Traced::start(|| create(&name.0));
        if !(0..stops).all(|_| traced.step()) {
            join(traced.0);
            break;
        }
        traced.kill();
        if name.is_taken() {
            assert!(check(&name.0), "half-made after {stops} stops");
            complete += 1;
            Object::unlink(&name.0).unwrap();
        } else {
            assert_eq!(complete, 0, "gone again after {stops} stops");
            absent += 1;
        }
    }
    assert!(absent > 5 && complete > 1, "{absent} times absent, {complete} times complete");
    Object::unlink(&name.0).unwrap(); // of the last, which nobody killed
}

#[test]
fn object_whose_creator_is_killed_is_complete_or_absent() {
    isolated(|| {
        assert_complete_or_absent(
            |name| drop(Object::create_new(name, OWNER, 5000).unwrap()),
            |name| Object::open(name).unwrap().len() == Ok(5000),
        );
    });
}

#[test]
fn value_whose_creator_is_killed_is_complete_or_absent() {
    isolated(|| {
        assert_complete_or_absent(
            |name| drop(Shared::create_new(name, OWNER, AtomicU64::new(77)).unwrap()),
            |name| open(name).unwrap().load(Relaxed) == 77,
        );
    });
}

#[test]
fn slice_whose_creator_is_killed_is_complete_or_absent() {
    isolated(|| {
        assert_complete_or_absent(
            |name| drop(Shared::<[AtomicU64]>::create_new_slice(name, OWNER, 99).unwrap()),
            // SAFETY: the test's own name.
            |name| unsafe { Shared::<[AtomicU64]>::open(name) }.unwrap().len() == 99,
        );
    });
}

// How values travel.

#[test]
fn value_is_shared_with_a_child() {
    isolated(|| {
        let value = Shared::anonymous(AtomicU64::new(1)).unwrap();
        let there = child(|| assert_eq!(value.fetch_add(10, Relaxed), 1));
        join(there);
        assert_eq!(value.fetch_add(100, Relaxed), 11);
        join(child(|| assert_eq!(value.load(Relaxed), 111)));
    });
}

#[test]
fn slice_is_shared_with_children() {
    isolated(|| {
        let lanes = Shared::<[AtomicU64]>::anonymous_slice(1000).unwrap();
        let add = |start: usize| {
            lanes.iter().skip(start).step_by(2).for_each(|lane| {
                lane.fetch_add(1, Relaxed);
            });
        };
        [0, 1, 1].map(|start| child(move || add(start))).into_iter().for_each(join);
        let values: Vec<_> = lanes.iter().map(|lane| lane.load(Relaxed)).collect();
        assert!(values.chunks(2).all(|pair| pair == [1, 2]), "{values:?}");
    });
}

/// On the stack, which has 8 MiB, there would be no room for it.
type Large = [AtomicU64; 8 << 20];

#[test]
fn zeros_of_any_size_are_shared_with_a_child_and_by_name() {
    isolated(|| {
        let name = Own::new();
        let by_name = Shared::<Large>::create_new_zeroed(&name.0, OWNER).unwrap();
        let anonymous = Shared::<Large>::anonymous_zeroed().unwrap();
        for zeros in [&by_name, &anonymous] {
            assert!(zeros.iter().all(|zero| zero.load(Relaxed) == 0));
            join(child(|| zeros[(8 << 20) - 1].store(7, Relaxed)));
            assert_eq!(zeros[(8 << 20) - 1].load(Relaxed), 7);
        }
        // SAFETY: the test's own name.
        let same = unsafe { Shared::<Large>::open(&name.0) }.unwrap();
        assert_eq!(same[(8 << 20) - 1].load(Relaxed), 7);
    });
}

const STRANGER: &str = "RAWIPC_TEST_STRANGER";

#[test]
fn value_and_slice_are_shared_with_a_stranger_by_name() {
    isolated(|| {
        if let Some(name) = env::var_os(STRANGER) {
            return stranger(&Name::new(name.as_bytes()).unwrap());
        }
        let name = Own::new();
        let lanes = name.with("-lanes");
        let value = Shared::create_new(&name.0, OWNER, AtomicU64::new(40)).unwrap();
        let slice = Shared::<[AtomicU64]>::create_new_slice(&lanes.0, OWNER, 5).unwrap();
        slice[4].store(6, Relaxed);
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["value_and_slice_are_shared_with_a_stranger_by_name", "--exact"]);
        again.args(["--nocapture", "--test-threads=1"]);
        assert!(again.env(STRANGER, name.0.to_string()).status().unwrap().success());
        assert_eq!(value.load(Relaxed), 42);
        assert_eq!(slice[4].load(Relaxed), 7);
    });
}

fn stranger(name: &Name) {
    let value = open(name).unwrap();
    assert_eq!(value.fetch_add(2, Relaxed), 40);
    let lanes = Name::format(format_args!("{name}-lanes")).unwrap();
    // SAFETY: the test's own name.
    let slice = unsafe { Shared::<[AtomicU64]>::open(&lanes) }.unwrap();
    assert_eq!(slice.len(), 5);
    assert_eq!(slice[4].fetch_add(1, Relaxed), 6);
}

#[test]
fn value_is_shared_by_descriptor() {
    isolated(|| {
        let (here, there) = SeqPacket::pair().unwrap();
        let (here, child) = apart(here, there, |there| {
            let mut received = Descriptors::<1>::new();
            there.receive_with(&mut [0; 8], &mut received).unwrap().whole().unwrap();
            let memfd = Memfd::from(received.next().unwrap());
            assert!(memfd.seals().unwrap().contains(Seals::SHRINK | Seals::GROW));
            // SAFETY: it is the one from below.
            let value = unsafe { Shared::<AtomicU64>::from_fd(&memfd) }.unwrap();
            drop(memfd);
            assert_eq!(value.fetch_add(1, Relaxed), 8);
        });
        let memfd = Memfd::new(Shared::<AtomicU64>::SIZE).unwrap();
        // SAFETY: nobody else has it yet.
        let value = unsafe { Shared::create_in(&memfd, AtomicU64::new(8)) }.unwrap();
        let fds = [memfd.as_fd()];
        here.send_with(&[IoSlice::new(b"value")], Ancillary::new().descriptors(&fds)).unwrap();
        join(child);
        assert_eq!(value.load(Relaxed), 9);
    });
}

#[test]
fn value_lies_in_a_file() {
    isolated(|| {
        let path = path("value");
        let file = fs::File::options().read(true).write(true).create_new(true).open(&path).unwrap();
        // SAFETY: the test's own file.
        match unsafe { Shared::create_in(&file, AtomicU64::new(3)) } {
            Ok(value) => {
                // SAFETY: as above.
                let same = unsafe { Shared::<AtomicU64>::from_fd(&file) }.unwrap();
                value.store(4, Relaxed);
                assert_eq!(same.load(Relaxed), 4);
                assert_eq!(file.metadata().unwrap().len(), 72);
            }
            // A file system that sets nothing aside.
            Err(errno) => assert_eq!(errno, Errno::OPNOTSUPP),
        }
        fs::remove_file(path).unwrap();
    });
}

#[test]
fn file_that_is_long_enough_keeps_its_length() {
    isolated(|| {
        let memfd = Memfd::new(10_000).unwrap();
        // SAFETY: nobody else has it.
        let value = unsafe { Shared::create_in(&memfd, AtomicU64::new(3)) }.unwrap();
        assert_eq!(memfd.len(), Ok(10_000));
        // SAFETY: as above.
        let same = unsafe { Shared::<AtomicU64>::from_fd(&memfd) }.unwrap();
        assert_eq!((value.load(Relaxed), same.load(Relaxed)), (3, 3));
    });
}

#[test]
fn value_goes_to_another_thread() {
    let value = Shared::anonymous(AtomicU64::new(3)).unwrap();
    let back = std::thread::spawn(move || {
        value.fetch_add(1, Relaxed);
        value
    });
    assert_eq!(back.join().unwrap().load(Relaxed), 4);
}

#[test]
fn value_is_shown_as_what_it_is() {
    let value = Shared::anonymous(AtomicU64::new(3)).unwrap();
    assert_eq!(format!("{value:?}"), "3");
}

// How they go.

#[test]
fn dropping_unmaps_and_removes_nothing() {
    isolated(|| {
        let name = Own::new();
        let value = Shared::create_new(&name.0, OWNER, AtomicU64::new(3)).unwrap();
        let same = open(&name.0).unwrap();
        // Not by name, which the one that created it has not seen.
        let inode = format!(" {} ", name.path().metadata().unwrap().ino());
        assert_eq!(mapped(&inode), 2);
        drop(value);
        assert_eq!(mapped(&inode), 1);
        drop(same);
        assert_eq!(mapped(&inode), 0);
        assert_eq!(open(&name.0).unwrap().load(Relaxed), 3);

        let anonymous = Shared::anonymous(AtomicU64::new(3)).unwrap();
        assert_eq!(mapped("memfd:rawipc"), 1);
        drop(anonymous);
        assert_eq!(mapped("memfd:rawipc"), 0);
    });
}

#[test]
fn value_in_shared_memory_is_not_dropped() {
    use core::sync::atomic::AtomicUsize;
    use rawipc::zerocopy::FromBytes;

    static DROPPED: AtomicUsize = AtomicUsize::new(0);

    #[derive(FromBytes)]
    #[repr(transparent)]
    struct Noisy(AtomicU64);
    // SAFETY: an atomic.
    unsafe impl rawipc::shm::ShmSafe for Noisy {}
    impl Drop for Noisy {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Relaxed);
        }
    }

    drop(Shared::anonymous(Noisy(AtomicU64::new(1))).unwrap());
    assert_eq!(DROPPED.load(Relaxed), 0);
}

#[test]
fn refused_and_given_back_leave_nothing_mapped() {
    isolated(|| {
        let name = Own::new();
        let _wide = Shared::create_new(&name.0, OWNER, [const { AtomicU64::new(0) }; 2]).unwrap();
        let before = mapped("");
        assert!(open(&name.0).is_err());
        assert!(Shared::create_new(&name.0, OWNER, AtomicU64::new(0)).is_err());
        let mapping = Mapping::new(Memfd::new(10).unwrap(), 10, Access::ReadWrite).unwrap();
        // SAFETY: refused, as it is too short.
        assert!(unsafe { Shared::<AtomicU64>::from_mapping(mapping) }.is_err());
        assert_eq!(mapped(""), before);
    });
}

#[test]
fn ten_thousand_times_leave_nothing() {
    isolated(|| {
        let name = Own::new();
        let _first = Shared::create_new(&name.0, OWNER, AtomicU64::new(0)).unwrap();
        let before = mapped("");
        for round in 0..10_000 {
            assert_eq!(open(&name.0).unwrap().fetch_add(1, Relaxed), round);
        }
        assert_eq!(mapped(""), before);
    });
}

// Memory files.

#[test]
fn memory_file_keeps_its_length() {
    isolated(|| {
        let memfd = Memfd::new(5000).unwrap();
        for length in [0, 4999, 5001] {
            assert_eq!(rustix::fs::ftruncate(&memfd, length), Err(Errno::PERM));
        }
        assert_eq!(memfd.len(), Ok(5000));
    });
}

#[test]
fn seals_can_be_added_until_that_is_sealed() {
    isolated(|| {
        let memfd = Memfd::new(100).unwrap();
        let before = memfd.seals().unwrap();
        assert!(!before.intersects(Seals::WRITE | Seals::SEAL));
        let mapping = Mapping::new(&memfd, 100, Access::ReadWrite).unwrap();
        assert_eq!(memfd.add_seals(Seals::WRITE), Err(Errno::BUSY));
        drop(mapping);
        memfd.add_seals(Seals::WRITE).unwrap();
        assert_eq!(memfd.seals(), Ok(before | Seals::WRITE));
        assert_eq!(rustix::io::write(&memfd, b"x"), Err(Errno::PERM));
        memfd.add_seals(Seals::SEAL).unwrap();
        assert_eq!(memfd.add_seals(Seals::FUTURE_WRITE), Err(Errno::PERM));
    });
}

fn permissions(memfd: Memfd) -> (fs::File, u32) {
    let file = fs::File::from(OwnedFd::from(memfd));
    let mode = file.metadata().unwrap().permissions().mode();
    (file, mode & 0o777)
}

#[test]
fn memory_file_is_not_executable() {
    isolated(|| {
        if memfd_create(c"probe", MemfdFlags::NOEXEC_SEAL).is_err() {
            return eprintln!("skipped: takes MFD_NOEXEC_SEAL (Linux 6.3)");
        }
        let (file, mode) = permissions(Memfd::new(100).unwrap());
        assert_eq!(mode & 0o111, 0);
        let executable = file.set_permissions(fs::Permissions::from_mode(0o777));
        assert_eq!(executable.unwrap_err().raw_os_error(), Some(libc::EPERM));
    });
}

/// From here on, this process's `memfd_create` knows no such flag, as in an older kernel.
fn without_noexec_seal() -> bool {
    fn step(code: u32, constant: u32, yes: u8, no: u8) -> libc::sock_filter {
        libc::sock_filter { code: code.try_into().unwrap(), jt: yes, jf: no, k: constant }
    }

    let (load, jump) = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, libc::BPF_JMP | libc::BPF_K);
    // The lower half of the second argument, which stands behind number, architecture, address and
    // the first.
    let flags = 24 + if cfg!(target_endian = "big") { 4 } else { 0 };
    let number = libc::SYS_memfd_create.try_into().unwrap();
    let invalid = libc::SECCOMP_RET_ERRNO | libc::EINVAL.unsigned_abs();
    let mut filter = [
        step(load, 0, 0, 0),
        step(jump | libc::BPF_JEQ, number, 0, 3),
        step(load, flags, 0, 0),
        step(jump | libc::BPF_JSET, libc::MFD_NOEXEC_SEAL, 0, 1),
        step(libc::BPF_RET | libc::BPF_K, invalid, 0, 0),
        step(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let len = filter.len().try_into().unwrap();
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };
    // SAFETY: takes plain numbers, and only takes from this process what exec could give it.
    let unprivileged = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` points to `filter`, which lives until the kernel has copied it.
    let installed =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    (unprivileged, installed) == (0, 0)
}

#[test]
fn memory_file_is_made_by_older_kernels_too() {
    isolated(|| {
        if !without_noexec_seal() {
            return eprintln!("skipped: takes seccomp filters, to refuse a flag");
        }
        let refused = memfd_create(c"probe", MemfdFlags::NOEXEC_SEAL).unwrap_err();
        assert_eq!(refused, Errno::INVAL);
        let memfd = Memfd::new(100).unwrap();
        assert!(memfd.seals().unwrap().contains(Seals::SHRINK | Seals::GROW));
        assert_eq!(permissions(memfd).1 & 0o666, 0o666);
    });
}

#[test]
fn memory_file_has_the_name_it_was_given() {
    isolated(|| {
        let shown =
            |memfd: &Memfd| fs::read_link(format!("/proc/self/fd/{}", memfd.as_raw_fd())).unwrap();
        let named = Memfd::options().name(c"frames").create(1).unwrap();
        assert_eq!(shown(&named).as_os_str(), "/memfd:frames (deleted)");
        assert_eq!(shown(&Memfd::new(1).unwrap()).as_os_str(), "/memfd:rawipc (deleted)");
        let (longest, longer) = ([b'x'; 249], [b'x'; 250]);
        let create = |name: &[u8]| {
            let name = [name, b"\0"].concat();
            Memfd::options().name(CStr::from_bytes_with_nul(&name).unwrap()).create(1)
        };
        assert_eq!(create(&longest).map(drop), Ok(()));
        assert_eq!(create(&longer).unwrap_err(), Errno::INVAL);
    });
}

#[test]
fn descriptor_that_is_no_memory_has_no_seals() {
    isolated(|| {
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        let memfd = Memfd::from(reader);
        assert_eq!(memfd.seals(), Err(Errno::INVAL));
        assert_eq!(memfd.len(), Err(Errno::INVAL));
    });
}

#[test]
fn length_in_huge_pages_is_a_multiple_of_theirs() {
    isolated(|| {
        let huge = Memfd::options().huge_pages(HugePages::TwoMiB);
        for length in [1, 4096, (2 << 20) - 1, (2 << 20) + 1] {
            match huge.create(length) {
                // The machine has none of that size.
                Err(Errno::NODEV) => return eprintln!("skipped: takes huge pages of 2 MiB"),
                refused => assert_eq!(refused.unwrap_err(), Errno::INVAL, "{length}"),
            }
        }
    });
}

#[test]
fn huge_pages_are_memory_too() {
    isolated(|| {
        let huge = Memfd::options().huge_pages(HugePages::TwoMiB);
        let memfd = match huge.create(2 << 20) {
            Ok(memfd) => memfd,
            Err(errno) => {
                assert!(matches!(errno, Errno::NOSPC | Errno::NOMEM | Errno::NODEV), "{errno}");
                return eprintln!("skipped: takes a huge page of 2 MiB that is free");
            }
        };
        assert_eq!(memfd.len(), Ok(2 << 20));
        assert!(memfd.seals().unwrap().contains(Seals::SHRINK | Seals::GROW));
        // Of a part of one the kernel would map all, and not unmap all.
        assert_eq!(Mapping::new(&memfd, 4096, Access::ReadWrite).err(), Some(Errno::INVAL));
        // SAFETY: nobody else has it.
        let value = unsafe { Shared::create_in(&memfd, AtomicU64::new(3)) }.unwrap();
        // SAFETY: as above.
        let same = unsafe { Shared::<AtomicU64>::from_fd(&memfd) }.unwrap();
        value.store(4, Relaxed);
        assert_eq!(same.load(Relaxed), 4);
    });
}
