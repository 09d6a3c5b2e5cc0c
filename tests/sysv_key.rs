//! Keys of System V objects, as their documentation promises them.

mod support;

use std::collections::HashSet;
use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rawipc::pipe::Pipe;
use rawipc::sysv::{Key, MsgQueue, SemSet};
use rawipc::{Errno, PathArg};
use support::glibc::answer;
use support::sysv::{Queue, RW, Set};
use support::users::unprivileged;
use support::{child, isolated, join};

/// `ftok` by the C library.
fn glibc(path: &[u8], project: u8) -> Result<Key, Errno> {
    let path = CString::new(path).unwrap();
    // SAFETY: the path is a C string that lives through the call.
    answer(unsafe { libc::ftok(path.as_ptr(), project.into()) }).map(Key::from_raw)
}

#[test]
fn ftok_is_glibcs_for_every_project() {
    isolated(|| {
        for project in 0..=u8::MAX {
            let key = Key::ftok("/", project);
            assert_eq!(key, glibc(b"/", project), "project {project}");
            assert_eq!(key.unwrap().as_raw().to_be_bytes()[0], project);
        }
    });
}

#[test]
fn ftok_is_glibcs_for_files_of_every_kind_and_file_system() {
    isolated(|| {
        const PATHS: [&str; 19] = [
            "/",
            ".",
            "..",
            "/tmp",
            "/usr/bin",
            "/proc",
            "/proc/self",
            "/proc/self/status",
            "/proc/self/exe",
            "/proc/self/fd/0",
            "/proc/sys/kernel/msgmax",
            "/sys",
            "/sys/kernel",
            "/dev",
            "/dev/null",
            "/dev/zero",
            "/dev/tty",
            "/dev/shm",
            "/etc/passwd",
        ];
        let mut there = 0;
        for path in PATHS.into_iter().filter(|path| Path::new(path).exists()) {
            for project in [0, 1, b'p', 127, 128, 255] {
                let key = Key::ftok(path, project);
                assert_eq!(key, glibc(path.as_bytes(), project), "{path} {project}");
            }
            there += 1;
        }
        assert!(there > 10, "only {there} of them are there");
    });
}

#[test]
fn ftok_is_glibcs_for_hundreds_of_new_files() {
    isolated(|| {
        let directory = support::path("many");
        fs::create_dir(&directory).unwrap();
        let mut keys = HashSet::new();
        for number in 0..300 {
            let path = directory.join(number.to_string());
            fs::write(&path, "").unwrap();
            let path = path.as_os_str().as_bytes();
            for project in [0, 1, 255] {
                let key = Key::ftok(path, project);
                assert_eq!(key, glibc(path, project));
                keys.insert(key.unwrap());
            }
        }
        // Not all: the inode's number has more bits than a key.
        assert!(keys.len() > 600, "{} keys", keys.len());
        fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn ftok_follows_symbolic_links() {
    isolated(|| {
        let link = support::path("link");
        symlink("/proc/sys", &link).unwrap();
        let bytes = link.as_os_str().as_bytes();
        assert_eq!(Key::ftok(bytes, 1), Key::ftok("/proc/sys", 1));
        assert_eq!(Key::ftok(bytes, 1), glibc(bytes, 1));
        fs::remove_file(&link).unwrap();
    });
}

#[test]
fn ftok_does_not_wait_for_the_other_end_of_a_fifo() {
    isolated(|| {
        let path = support::path("fifo");
        let fifo = rawipc::fifo::Fifo::new(path.as_os_str().as_bytes());
        fifo.create(RW).unwrap();
        let bytes = path.as_os_str().as_bytes();
        assert_eq!(Key::ftok(bytes, 9), glibc(bytes, 9));
        fifo.unlink().unwrap();
    });
}

#[test]
fn file_that_is_replaced_gives_another_key() {
    isolated(|| {
        let (path, new) = (support::path("file"), support::path("new"));
        fs::write(&path, "").unwrap();
        fs::write(&new, "").unwrap();
        let bytes = path.as_os_str().as_bytes();
        let before = Key::ftok(bytes, 1).unwrap();
        assert_eq!(Key::ftok(bytes, 1), Ok(before), "the same while the file is");
        fs::rename(&new, &path).unwrap();
        let after = Key::ftok(bytes, 1);
        assert_eq!(after, glibc(bytes, 1));
        assert_ne!(after, Ok(before));
        fs::remove_file(&path).unwrap();
    });
}

#[test]
fn ftok_fails_as_glibcs_does() {
    isolated(|| {
        let (file, link) = (support::path("file"), support::path("link"));
        fs::write(&file, "").unwrap();
        symlink(&link, &link).unwrap();
        let below = file.join("below");
        let missing = support::path("missing");
        for (path, errno) in [
            (&b""[..], Errno::NOENT),
            (b"/proc/self/no-such-file", Errno::NOENT),
            (missing.as_os_str().as_bytes(), Errno::NOENT),
            (below.as_os_str().as_bytes(), Errno::NOTDIR),
            (link.as_os_str().as_bytes(), Errno::LOOP),
            (&[b'n'; 256], Errno::NAMETOOLONG),
        ] {
            assert_eq!(glibc(path, 1), Err(errno), "{path:?}");
            assert_eq!(Key::ftok(path, 1), Err(errno), "{path:?}");
        }
        fs::remove_file(&file).unwrap();
        fs::remove_file(&link).unwrap();
    });
}

#[test]
fn ftok_is_refused_where_the_directory_may_not_be_searched() {
    isolated(|| {
        let directory = support::path("closed");
        fs::create_dir(&directory).unwrap();
        let file = directory.join("file");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o000)).unwrap();
        unprivileged(|| {
            let bytes = file.as_os_str().as_bytes();
            assert_eq!(glibc(bytes, 1), Err(Errno::ACCESS));
            assert_eq!(Key::ftok(bytes, 1), Err(Errno::ACCESS));
            assert!(Key::ftok("/", 1).is_ok(), "only there");
        });
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o700)).unwrap();
        fs::remove_dir_all(&directory).unwrap();
    });
}

#[test]
fn ftok_refuses_what_is_no_path() {
    isolated(|| {
        assert_eq!(Key::ftok("a\0b", 1), Err(Errno::INVAL));
        assert_eq!(Key::ftok(&[b'/'; 4096][..], 1), Err(Errno::NAMETOOLONG));
        assert_eq!(Key::ftok(&[b'/'; 4095][..], 1), Key::ftok("/", 1));
    });
}

#[test]
fn ftok_takes_every_form_of_a_path() {
    fn key(path: impl PathArg) -> Result<Key, Errno> {
        Key::ftok(path, 7)
    }
    isolated(|| {
        let expected = glibc(b"/proc", 7);
        assert_eq!(key(c"/proc"), expected);
        assert_eq!(key("/proc"), expected);
        assert_eq!(key(&b"/proc"[..]), expected);
        #[cfg(feature = "std")]
        {
            assert_eq!(key(Path::new("/proc")), expected);
            assert_eq!(key(Path::new("/proc").to_path_buf()), expected);
            assert_eq!(key(String::from("/proc")), expected);
        }
        let odd = support::path("\u{e4} ");
        let odd = [odd.as_os_str().as_bytes(), b"\xff"].concat();
        let file = Path::new(std::ffi::OsStr::from_bytes(&odd));
        fs::write(file, "").unwrap();
        assert_eq!(key(&odd[..]), glibc(&odd, 7));
        fs::remove_file(file).unwrap();
    });
}

#[test]
fn key_is_its_number() {
    isolated(|| {
        for raw in [0, 1, -1, i32::MIN, i32::MAX, 0x0050_4901] {
            assert_eq!(Key::from_raw(raw).as_raw(), raw);
        }
        assert_eq!(Key::from_raw(0), Key::PRIVATE);
        assert_eq!(Key::PRIVATE.as_raw(), libc::IPC_PRIVATE);
    });
}

#[test]
fn same_number_names_one_object_of_each_kind() {
    isolated(|| {
        let (made, key) = MsgQueue::create_unique(RW).unwrap();
        let queue = Queue(made);
        assert_eq!(SemSet::open(key), Err(Errno::NOENT));
        let set = Set(SemSet::create_new(key, RW, &[3]).unwrap());
        assert_eq!(MsgQueue::open(key), Ok(queue.0));
        assert_eq!(SemSet::open(key), Ok(set.0));
        queue.0.remove().unwrap();
        assert_eq!(MsgQueue::open(key), Err(Errno::NOENT));
        assert_eq!(set.0.value(0), Ok(3));
    });
}

#[test]
fn key_that_two_derive_from_a_file_brings_them_together() {
    isolated(|| {
        let path = support::path("meeting-place");
        fs::write(&path, "").unwrap();
        let here = path.as_os_str().as_bytes();
        let queue = Queue(MsgQueue::create(Key::ftok(here, b'q').unwrap(), RW).unwrap());
        join(child(|| {
            let same = MsgQueue::open(Key::ftok(here, b'q').unwrap()).unwrap();
            same.send(5, b"found").unwrap();
        }));
        assert_eq!(queue.0.status().unwrap().messages, 1);
        fs::remove_file(&path).unwrap();
    });
}

#[test]
fn keys_from_create_unique_are_of_either_sign_and_find_what_was_created() {
    isolated(|| {
        let mut signs = HashSet::new();
        for _ in 0..64 {
            let (made, key) = MsgQueue::create_unique(RW).unwrap();
            let made = Queue(made);
            assert_ne!(key, Key::PRIVATE);
            assert_eq!(MsgQueue::open(key), Ok(made.0));
            assert_eq!(made.0.status().unwrap().permissions.key, key);
            signs.insert(key.as_raw() < 0);
        }
        assert_eq!(signs.len(), 2, "64 keys of one sign: they are not spread");
    });
}

#[test]
fn eight_processes_at_once_get_keys_of_their_own() {
    const PROCESSES: usize = 8;
    const EACH: usize = 100;

    isolated(|| {
        let Pipe { reader, writer } = Pipe::new().unwrap();
        let children = [(); PROCESSES].map(|()| {
            child(|| {
                for _ in 0..EACH {
                    let (queue, key) = MsgQueue::create_unique(RW).unwrap();
                    let (set, of_set) = SemSet::create_unique(RW, &[7]).unwrap();
                    let told = [queue.id(), key.as_raw(), set.id(), of_set.as_raw()];
                    let told: Vec<u8> = told.into_iter().flat_map(i32::to_ne_bytes).collect();
                    writer.write_all(&told).unwrap();
                }
            })
        });
        drop(writer);
        let mut all = Vec::new();
        for _ in 0..PROCESSES * EACH {
            let mut told = [0; 16];
            assert_eq!(reader.read_all(&mut told).unwrap().len(), 16, "a child failed");
            let [made, key, made_set, of_set] =
                [0, 4, 8, 12].map(|at| i32::from_ne_bytes(told[at..at + 4].try_into().unwrap()));
            let made = Queue(MsgQueue::from_id(made));
            let made_set = Set(SemSet::from_id(made_set));
            all.push((made, Key::from_raw(key), made_set, Key::from_raw(of_set)));
        }
        children.into_iter().for_each(join);
        for (queue, key, set, of_set) in &all {
            assert_eq!(MsgQueue::open(*key), Ok(queue.0));
            assert_eq!(SemSet::open(*of_set), Ok(set.0));
            assert_eq!(set.0.value(0), Ok(7));
        }
        let keys: HashSet<_> = all.iter().map(|(_, key, ..)| key).collect();
        let of_sets: HashSet<_> = all.iter().map(|(.., of_set)| of_set).collect();
        assert_eq!((keys.len(), of_sets.len()), (PROCESSES * EACH, PROCESSES * EACH));
    });
}
