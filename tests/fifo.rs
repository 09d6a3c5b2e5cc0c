//! FIFOs, as their documentation promises them.

mod support;

use core::ffi::CStr;
use core::time::Duration;
use std::ffi::CString;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Stdio};

use rawipc::fifo::{Fifo, Mode};
use rawipc::pipe::{Pipe, Reader, Writer};
use rawipc::process::{Child, Signal};
use rawipc::{Deadline, Errno, PathArg, Result};
use support::gate::{open, pass};
use support::seccomp::refuse_calls;
use support::signals::{Interruptions, with_one_signal};
use support::users::as_another_user;
use support::{
    FewDescriptors, SOON, child, descriptors, eventually, isolated, join, kill, sleeps_in,
};

// Every form of opening, so that each promise is checked of all that make it.

/// The FIFO that most tests open: the path as a C string, which goes with and without `std`.
type Named<'p> = Fifo<'static, &'p CStr>;

type Open = fn(Named<'_>) -> Result<OwnedFd>;

const OPENS: [(&str, Open); 6] = [
    ("open_reader", |fifo| Ok(fifo.open_reader()?.into())),
    ("try_open_reader", |fifo| Ok(fifo.try_open_reader()?.into())),
    ("open_reader_until", |fifo| Ok(fifo.open_reader_until(in_a_moment())?.into())),
    ("open_writer", |fifo| Ok(fifo.open_writer()?.into())),
    ("try_open_writer", |fifo| Ok(fifo.try_open_writer()?.into())),
    ("open_writer_until", |fifo| Ok(fifo.open_writer_until(in_a_moment())?.into())),
];

/// A form that waits for the other side: its name, the call in which it sleeps, itself.
type Sleeping<End> = (&'static str, libc::c_long, fn(Named<'_>) -> Result<End>);

const SLEEPING_READERS: [Sleeping<Reader>; 2] = [
    ("open_reader", libc::SYS_openat, |fifo| fifo.open_reader()),
    ("open_reader_until", libc::SYS_ppoll, |fifo| fifo.open_reader_until(Deadline::after(SOON))),
];

const SLEEPING_WRITERS: [Sleeping<Writer>; 2] = [
    ("open_writer", libc::SYS_openat, |fifo| fifo.open_writer()),
    ("open_writer_until", libc::SYS_ppoll, |fifo| fifo.open_writer_until(Deadline::after(SOON))),
];

/// For what does not depend on when it is.
fn in_a_moment() -> Deadline {
    Deadline::after(Duration::from_millis(20))
}

/// A path in the test's own directory.
fn path(name: &str) -> CString {
    CString::new(support::path(name).as_os_str().as_bytes()).unwrap()
}

/// The same, for the standard library.
fn at_path(path: &CStr) -> &Path {
    Path::new(path.to_str().unwrap())
}

/// A new FIFO that only this user may open.
fn created(path: &CStr) -> Named<'_> {
    let fifo = Fifo::new(path);
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    fifo
}

/// Stops a child where it is.
fn stop(child: &Child) {
    child.kill(Signal::STOP).unwrap();
    let path = format!("/proc/{}/stat", child.id().as_raw_nonzero());
    eventually("the child is stopped", || fs::read_to_string(&path).unwrap().contains(") T "));
}

// Creating.

#[test]
fn create_makes_a_fifo_with_its_mode_less_the_umask() {
    isolated(|| {
        let (path, mask) = (path("fifo"), Mode::WGRP | Mode::RWXO);
        let before = rustix::process::umask(mask);
        let every = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        Fifo::new(path.as_c_str()).create(every).unwrap();
        let metadata = fs::symlink_metadata(at_path(&path)).unwrap();
        assert!(metadata.file_type().is_fifo());
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
        assert_eq!(rustix::process::umask(before), mask, "the umask is the process's still");
        fs::remove_file(at_path(&path)).unwrap();
    });
}

#[test]
fn create_refuses_a_path_that_is_taken() {
    isolated(|| {
        let (taken, dangling) = (path("taken"), path("dangling"));
        let fifo = Fifo::new(taken.as_c_str());
        let mode = Mode::RUSR | Mode::WUSR;

        fifo.create(mode).unwrap();
        assert_eq!(fifo.create(mode), Err(Errno::EXIST), "by a FIFO");
        let link = Fifo::new(dangling.as_c_str());
        symlink(at_path(&taken), at_path(&dangling)).unwrap();
        assert_eq!(link.create(mode), Err(Errno::EXIST), "by a symbolic link to one");
        fifo.unlink().unwrap();
        assert_eq!(link.create(mode), Err(Errno::EXIST), "by a dangling one");
        assert!(!at_path(&taken).exists(), "which it did not follow");
        link.unlink().unwrap();
        fs::write(at_path(&taken), "text").unwrap();
        assert_eq!(fifo.create(mode), Err(Errno::EXIST), "by a file");
        fifo.unlink().unwrap();
        fs::create_dir(at_path(&taken)).unwrap();
        assert_eq!(fifo.create(mode), Err(Errno::EXIST), "by a directory");
        fs::remove_dir(at_path(&taken)).unwrap();
    });
}

#[test]
fn of_many_processes_that_create_one_fifo_one_succeeds() {
    isolated(|| {
        const CREATORS: usize = 6;
        let path = path("fifo");
        let fifo = Fifo::new(path.as_c_str());
        let (start, results) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let children: Vec<_> = (0..CREATORS)
            .map(|_| {
                child(|| {
                    pass(&start.reader);
                    let created = match fifo.create(Mode::RUSR | Mode::WUSR) {
                        Ok(()) => b"y",
                        Err(errno) => {
                            assert_eq!(errno, Errno::EXIST);
                            b"n"
                        }
                    };
                    results.writer.write_all(created).unwrap();
                })
            })
            .collect();
        start.writer.write_all(&[b'.'; CREATORS]).unwrap();
        children.into_iter().for_each(join);
        let mut answers = [0; CREATORS];
        results.reader.read_all(&mut answers).unwrap();
        answers.sort_unstable();
        assert_eq!(&answers, b"nnnnny");
        fifo.unlink().unwrap();
    });
}

#[test]
fn path_in_no_directory_is_not_found() {
    isolated(|| {
        let path = path("nowhere/fifo");
        every_call_says(Fifo::new(path.as_c_str()), Errno::NOENT);
    });
}

#[test]
fn path_in_what_is_no_directory_is_refused() {
    isolated(|| {
        let (file, path) = (path("file"), path("file/fifo"));
        fs::write(at_path(&file), "text").unwrap();
        every_call_says(Fifo::new(path.as_c_str()), Errno::NOTDIR);
        fs::remove_file(at_path(&file)).unwrap();
    });
}

#[track_caller]
fn every_call_says(fifo: Named<'_>, errno: Errno) {
    assert_eq!(fifo.create(Mode::RUSR | Mode::WUSR), Err(errno));
    assert_eq!(fifo.unlink(), Err(errno));
    every_open_says(fifo, errno);
}

#[track_caller]
fn every_open_says(fifo: Named<'_>, errno: Errno) {
    for (form, open) in OPENS {
        assert_eq!(open(fifo).unwrap_err(), errno, "{form}");
    }
}

#[test]
fn directory_of_another_user_is_refused() {
    isolated(|| {
        let directory = support::path("theirs");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let opened = File::open(&directory).unwrap();
        let fifo = Fifo::at(opened.as_fd(), "fifo");
        let another = Fifo::at(opened.as_fd(), "another");
        fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
        as_another_user(|| {
            assert_eq!(another.create(Mode::RUSR | Mode::WUSR), Err(Errno::ACCESS));
            assert_eq!(fifo.unlink(), Err(Errno::ACCESS));
        });
        fifo.unlink().unwrap();
        fs::remove_dir(directory).unwrap();
    });
}

#[test]
fn fifo_of_another_user_is_not_opened_without_permission() {
    isolated(|| {
        let directory = support::path("shared");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let opened = File::open(&directory).unwrap();
        let fifo = Fifo::at(opened.as_fd(), "fifo");
        fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
        // With both sides there, none would have to wait.
        let _reader = fifo.try_open_reader().unwrap();
        let _writer = fifo.try_open_writer().unwrap();
        as_another_user(|| {
            assert_eq!(fifo.open_reader().unwrap_err(), Errno::ACCESS);
            assert_eq!(fifo.try_open_reader().unwrap_err(), Errno::ACCESS);
            assert_eq!(fifo.open_reader_until(in_a_moment()).unwrap_err(), Errno::ACCESS);
            assert_eq!(fifo.open_writer().unwrap_err(), Errno::ACCESS);
            assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::ACCESS);
            assert_eq!(fifo.open_writer_until(in_a_moment()).unwrap_err(), Errno::ACCESS);
        });
        fifo.unlink().unwrap();
        fs::remove_dir(directory).unwrap();
    });
}

// Removing.

#[test]
fn unlink_removes_the_path_and_nothing_is_there_to_remove_again() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        fifo.unlink().unwrap();
        assert!(!at_path(&path).exists());
        assert_eq!(fifo.unlink(), Err(Errno::NOENT));
    });
}

#[test]
fn unlink_refuses_a_directory() {
    isolated(|| {
        let path = path("directory");
        fs::create_dir(at_path(&path)).unwrap();
        assert_eq!(Fifo::new(path.as_c_str()).unlink(), Err(Errno::ISDIR));
        fs::remove_dir(at_path(&path)).unwrap();
    });
}

#[test]
fn unlink_of_anothers_fifo_in_a_sticky_directory_is_not_permitted() {
    isolated(|| {
        let directory = support::path("sticky");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o1777)).unwrap();
        let opened = File::open(&directory).unwrap();
        let theirs = Fifo::at(opened.as_fd(), "theirs");
        let mine = Fifo::at(opened.as_fd(), "mine");
        theirs.create(Mode::RWXU | Mode::RWXG | Mode::RWXO).unwrap();
        as_another_user(|| {
            mine.create(Mode::RUSR | Mode::WUSR).unwrap();
            mine.unlink().unwrap();
            assert_eq!(theirs.unlink(), Err(Errno::PERM));
        });
        theirs.unlink().unwrap();
        fs::remove_dir(directory).unwrap();
    });
}

#[test]
fn ends_go_on_without_the_path() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let reader = fifo.try_open_reader().unwrap();
        let writer = fifo.try_open_writer().unwrap();
        fifo.unlink().unwrap();
        let child = child(|| writer.write_all(b"all the same").unwrap());
        assert_eq!(reader.read(&mut [0; 16]).unwrap(), b"all the same");
        join(child);
        every_open_says(fifo, Errno::NOENT);
    });
}

// Paths.

#[test]
fn names_may_have_255_bytes() {
    isolated(|| {
        let (longest, too_long) = (path(&"n".repeat(255)), path(&"n".repeat(256)));
        created(&longest).unlink().unwrap();
        every_call_says(Fifo::new(too_long.as_c_str()), Errno::NAMETOOLONG);
    });
}

#[test]
fn paths_may_have_4095_bytes() {
    isolated(|| {
        let start = path("").into_string().unwrap();
        // The way to the directory is made long, not deep.
        let stay = "./".repeat(4096);
        let of_length = |len: usize| {
            let odd = if (len - start.len()) % 2 == 0 { "ff" } else { "f" };
            format!("{start}{}{odd}", &stay[..len - start.len() - odd.len()])
        };
        let too_long = Err(Errno::NAMETOOLONG);
        for (len, expected) in [(4094, Ok(())), (4095, Ok(())), (4096, too_long), (4097, too_long)]
        {
            // The copy on the stack has a limit, and so has the kernel.
            let string = CString::new(of_length(len)).unwrap();
            let (copied, direct) = (Fifo::new(string.as_bytes()), Fifo::new(string.as_c_str()));
            assert_eq!(string.as_bytes().len(), len);
            assert_eq!(copied.create(Mode::RUSR | Mode::WUSR), expected, "{len}");
            assert_eq!(direct.unlink(), expected, "{len}");
            assert_eq!(direct.create(Mode::RUSR | Mode::WUSR), expected, "{len}");
            assert_eq!(copied.try_open_reader().map(drop), expected, "{len}");
            assert_eq!(copied.unlink(), expected, "{len}");
            if expected == too_long {
                every_open_says(direct, Errno::NAMETOOLONG);
            }
        }
    });
}

#[test]
fn path_with_a_nul_inside_is_invalid() {
    isolated(|| {
        let directory = path("").into_string().unwrap();
        for name in ["a\0b", "a\0", "\0"] {
            let path = format!("{directory}{name}");
            let fifo = Fifo::new(path.as_str());
            assert_eq!(fifo.create(Mode::RUSR | Mode::WUSR), Err(Errno::INVAL));
            assert_eq!(fifo.unlink(), Err(Errno::INVAL));
            assert_eq!(fifo.open_reader().unwrap_err(), Errno::INVAL);
            assert_eq!(fifo.try_open_reader().unwrap_err(), Errno::INVAL);
            assert_eq!(fifo.open_reader_until(in_a_moment()).unwrap_err(), Errno::INVAL);
            assert_eq!(fifo.open_writer().unwrap_err(), Errno::INVAL);
            assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::INVAL);
            assert_eq!(fifo.open_writer_until(in_a_moment()).unwrap_err(), Errno::INVAL);
        }
        // That nothing was created at the path before the NUL is checked by `isolated`.
    });
}

/// Creates, opens and removes the FIFO at `path`, and checks by other means that it was there.
fn works_at(path: impl PathArg, seen: &Path) {
    let fifo = Fifo::new(path);
    fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
    assert!(fs::symlink_metadata(seen).unwrap().file_type().is_fifo());
    drop(fifo.try_open_reader().unwrap());
    fifo.unlink().unwrap();
    assert!(fs::symlink_metadata(seen).is_err());
}

#[test]
fn path_can_be_text_bytes_or_a_c_string() {
    isolated(|| {
        let seen = support::path("fifo");
        let c_string = path("fifo");
        works_at(c_string.as_c_str(), &seen);
        works_at(c_string.to_str().unwrap(), &seen);
        works_at(c_string.as_bytes(), &seen);
        let mut array = [0; 300];
        let len = c_string.as_bytes().len();
        array[..len].copy_from_slice(c_string.as_bytes());
        assert_eq!(Fifo::new(array).unlink(), Err(Errno::INVAL), "it has a NUL inside");
        assert_eq!(Fifo::new(b"no-such-fifo").unlink(), Err(Errno::NOENT));
    });
}

#[cfg(feature = "std")]
#[test]
fn path_can_be_any_of_the_standard_librarys() {
    isolated(|| {
        let seen = support::path("fifo");
        let os_string = seen.clone().into_os_string();
        let string = os_string.to_str().unwrap().to_owned();
        works_at(path("fifo"), &seen);
        works_at(&string, &seen);
        works_at(string, &seen);
        works_at(os_string.as_os_str(), &seen);
        works_at(os_string, &seen);
        works_at(seen.as_path(), &seen);
        works_at(&seen, &seen);
        works_at(seen.clone(), &seen);
    });
}

#[test]
fn path_need_not_be_text() {
    isolated(|| {
        let mut bytes = path("").into_bytes();
        bytes.extend_from_slice(b"\xff\xfe\n ");
        let seen = Path::new(std::ffi::OsStr::from_bytes(&bytes)).to_owned();
        works_at(bytes.as_slice(), &seen);
        #[cfg(feature = "std")]
        works_at(seen.as_path(), &seen);
    });
}

#[test]
fn relative_path_starts_at_the_directory_given() {
    isolated(|| {
        let directory = support::path("directory");
        fs::create_dir(&directory).unwrap();
        let opened = File::open(&directory).unwrap();
        let fifo = Fifo::at(opened.as_fd(), "fifo");
        fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
        assert!(directory.join("fifo").exists());
        let reader = fifo.try_open_reader().unwrap();
        let writer = fifo.try_open_writer().unwrap();
        writer.write(b"x").unwrap();
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"x");
        fifo.unlink().unwrap();
        fs::remove_dir(&directory).unwrap();
        assert_eq!(fifo.create(Mode::RUSR | Mode::WUSR), Err(Errno::NOENT), "it is gone");
    });
}

#[test]
fn absolute_path_starts_at_the_root_whatever_directory_is_given() {
    isolated(|| {
        let elsewhere = File::open("/proc/self").unwrap();
        let path = path("fifo");
        let fifo = Fifo::at(elsewhere.as_fd(), path.as_c_str());
        fifo.create(Mode::RUSR | Mode::WUSR).unwrap();
        assert!(at_path(&path).exists());
        drop(fifo.try_open_reader().unwrap());
        fifo.unlink().unwrap();
    });
}

#[test]
fn relative_path_starts_at_the_working_directory_unless_one_is_given() {
    isolated(|| {
        std::env::set_current_dir(support::path("")).unwrap();
        works_at("fifo", &support::path("fifo"));
    });
}

// Opening.

#[test]
fn reader_sleeps_until_a_writer_comes_though_it_writes_nothing() {
    isolated(|| {
        for (form, call, open_reader) in SLEEPING_READERS {
            let path = path("fifo");
            let fifo = created(&path);
            let gate = Pipe::new().unwrap();
            let child = child(|| {
                let reader = open_reader(fifo).unwrap();
                open(&gate.writer);
                assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"then", "{form}");
            });
            sleeps_in(child.id(), call);
            let writer = fifo.open_writer().unwrap();
            pass(&gate.reader);
            writer.write(b"then").unwrap();
            join(child);
            fifo.unlink().unwrap();
        }
    });
}

#[test]
fn writer_sleeps_until_a_reader_comes() {
    isolated(|| {
        for (form, call, open_writer) in SLEEPING_WRITERS {
            let path = path("fifo");
            let fifo = created(&path);
            let child = child(|| {
                let writer = open_writer(fifo).unwrap();
                assert_eq!(writer.write(b"here"), Ok(4), "{form}");
            });
            sleeps_in(child.id(), call);
            let reader = fifo.open_reader_until(Deadline::after(SOON)).unwrap();
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"here", "{form}");
            join(child);
            fifo.unlink().unwrap();
        }
    });
}

#[test]
fn what_a_writer_has_left_with_another_reader_is_as_good_as_a_writer() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let other = fifo.try_open_reader().unwrap();
        assert_eq!(fifo.open_reader_until(in_a_moment()).unwrap_err(), Errno::TIMEDOUT);
        fifo.open_writer().unwrap().write_all(b"left").unwrap();
        let reader = fifo.open_reader_until(in_a_moment()).unwrap();
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"left");
        drop(other);
        fifo.unlink().unwrap();
    });
}

#[test]
fn try_open_reader_waits_for_nobody_and_finds_the_end_of_file() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let reader = fifo.try_open_reader().unwrap();
        let by = Deadline::after(SOON);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"");
        assert_eq!(reader.try_read(&mut [0; 8]).unwrap(), b"");
        assert_eq!(reader.read_until(&mut [0; 8], by).unwrap(), b"");
        assert_eq!(reader.read_all_until(&mut [0; 8], by).unwrap(), b"");
        assert!(!by.has_passed());

        let gate = Pipe::new().unwrap();
        let child = child(|| {
            let writer = fifo.try_open_writer().unwrap();
            open(&gate.writer);
            writer.write(b"from now on there is one").unwrap();
        });
        pass(&gate.reader);
        assert_eq!(reader.read(&mut [0; 32]).unwrap(), b"from now on there is one");
        join(child);
        fifo.unlink().unwrap();
    });
}

#[test]
fn try_open_writer_finds_out_whether_there_is_a_reader() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::NXIO);
        let gate = Pipe::new().unwrap();
        let reader = child(|| {
            let _reader = fifo.try_open_reader().unwrap();
            open(&gate.writer);
            let forever = Pipe::new().unwrap();
            let _ = forever.reader.read(&mut [0]);
        });
        pass(&gate.reader);
        let writer = fifo.try_open_writer().unwrap();
        assert_eq!(writer.write(b"x"), Ok(1));
        kill(reader);
        assert_eq!(writer.write(b"x"), Err(Errno::PIPE));
        drop(writer);
        assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::NXIO);
        fifo.unlink().unwrap();
    });
}

/// An end of each form, in a FIFO that has both sides already.
fn every_end(path: &CStr) -> Vec<(&'static str, OwnedFd)> {
    let fifo = created(path);
    let reader = fifo.try_open_reader().unwrap();
    let _writer = fifo.try_open_writer().unwrap();
    let mut ends: Vec<_> = OPENS.iter().map(|(form, open)| (*form, open(fifo).unwrap())).collect();
    ends.push(("the first", reader.into()));
    fifo.unlink().unwrap();
    ends
}

#[test]
fn every_form_of_opening_gives_a_blocking_end() {
    isolated(|| {
        for (form, end) in every_end(&path("fifo")) {
            let flags = rustix::fs::fcntl_getfl(&end).unwrap();
            assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "{form}");
        }
    });
}

#[test]
fn every_form_of_opening_gives_a_close_on_exec_end() {
    isolated(|| {
        for (form, end) in every_end(&path("fifo")) {
            let flags = rustix::io::fcntl_getfd(&end).unwrap();
            assert!(flags.contains(rustix::io::FdFlags::CLOEXEC), "{form}");
        }
    });
}

#[test]
fn every_reader_reads_only_and_every_writer_writes_only() {
    isolated(|| {
        for (form, end) in every_end(&path("fifo")) {
            let flags = rustix::fs::fcntl_getfl(&end).unwrap() & rustix::fs::OFlags::ACCMODE;
            let expected = if form.ends_with("writer") || form.ends_with("writer_until") {
                rustix::fs::OFlags::WRONLY
            } else {
                rustix::fs::OFlags::RDONLY
            };
            assert_eq!(flags, expected, "{form}");
        }
    });
}

#[test]
fn reader_opened_without_waiting_sleeps_when_it_reads() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let (opened, go_on) = (Pipe::new().unwrap(), Pipe::new().unwrap());
        let child = child(|| {
            let reader = fifo.try_open_reader().unwrap();
            open(&opened.writer);
            pass(&go_on.reader);
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"late");
        });
        pass(&opened.reader);
        let writer = fifo.try_open_writer().unwrap();
        open(&go_on.writer);
        sleeps_in(child.id(), libc::SYS_read);
        writer.write(b"late").unwrap();
        join(child);
        fifo.unlink().unwrap();
    });
}

// Refusing.

#[test]
fn file_is_refused() {
    isolated(|| {
        let path = path("file");
        fs::write(at_path(&path), "text").unwrap();
        every_open_says(Fifo::new(path.as_c_str()), Errno::INVAL);
        assert_eq!(fs::read(at_path(&path)).unwrap(), b"text", "and left as it was");
        fs::remove_file(at_path(&path)).unwrap();
    });
}

#[test]
fn device_is_refused() {
    isolated(|| every_open_says(Fifo::new(c"/dev/null"), Errno::INVAL));
}

#[test]
fn directory_is_refused() {
    isolated(|| {
        let path = path("directory");
        fs::create_dir(at_path(&path)).unwrap();
        every_open_says(Fifo::new(path.as_c_str()), Errno::INVAL);
        fs::remove_dir(at_path(&path)).unwrap();
    });
}

#[test]
fn socket_is_refused() {
    isolated(|| {
        let path = path("socket");
        let listener = UnixListener::bind(at_path(&path)).unwrap();
        every_open_says(Fifo::new(path.as_c_str()), Errno::INVAL);
        drop(listener);
        fs::remove_file(at_path(&path)).unwrap();
    });
}

#[test]
fn symbolic_link_is_refused() {
    isolated(|| {
        let (path, link) = (path("fifo"), path("link"));
        let fifo = created(&path);
        // With both sides there, none would have to wait.
        let _reader = fifo.try_open_reader().unwrap();
        let _writer = fifo.try_open_writer().unwrap();
        symlink(at_path(&path), at_path(&link)).unwrap();
        every_open_says(Fifo::new(link.as_c_str()), Errno::LOOP);
        fifo.unlink().unwrap();
        every_open_says(Fifo::new(link.as_c_str()), Errno::LOOP);
        fs::remove_file(at_path(&link)).unwrap();
    });
}

#[test]
fn symbolic_link_on_the_way_is_followed() {
    isolated(|| {
        let (directory, link) = (support::path("directory"), support::path("link"));
        fs::create_dir(&directory).unwrap();
        symlink(&directory, &link).unwrap();
        let path = path("link/fifo");
        let fifo = created(&path);
        assert!(directory.join("fifo").exists());
        drop(fifo.try_open_reader().unwrap());
        fifo.unlink().unwrap();
        fs::remove_file(link).unwrap();
        fs::remove_dir(directory).unwrap();
    });
}

#[test]
fn errors_leave_no_descriptor() {
    isolated(|| {
        let (path, file) = (path("fifo"), path("file"));
        let fifo = created(&path);
        fs::write(at_path(&file), "text").unwrap();
        let before = descriptors();
        every_open_says(Fifo::new(file.as_c_str()), Errno::INVAL);
        assert_eq!(descriptors(), before, "when refused");
        assert_eq!(fifo.open_reader_until(in_a_moment()).unwrap_err(), Errno::TIMEDOUT);
        assert_eq!(fifo.open_writer_until(in_a_moment()).unwrap_err(), Errno::TIMEDOUT);
        assert_eq!(fifo.try_open_writer().unwrap_err(), Errno::NXIO);
        assert_eq!(descriptors(), before, "when nobody comes");
        let interruptions = Interruptions::start();
        assert_eq!(fifo.open_reader_until(Deadline::NEVER).unwrap_err(), Errno::INTR);
        assert_eq!(fifo.open_writer_until(Deadline::NEVER).unwrap_err(), Errno::INTR);
        drop(interruptions);
        assert_eq!(descriptors(), before, "when interrupted");
        fifo.unlink().unwrap();
        fs::remove_file(at_path(&file)).unwrap();
    });
}

#[test]
fn every_form_of_opening_fails_at_the_limit_of_descriptors() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let _reader = fifo.try_open_reader().unwrap();
        let _writer = fifo.try_open_writer().unwrap();
        let few = FewDescriptors::no_more();
        let answers = OPENS.map(|(form, open)| (form, open(fifo)));
        drop(few);
        for (form, answer) in answers {
            assert_eq!(answer.unwrap_err(), Errno::MFILE, "{form}");
        }
        fifo.unlink().unwrap();
    });
}

#[test]
fn reader_that_waits_until_a_deadline_takes_two_descriptors_more() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for (free, errno) in [(1, Errno::MFILE), (2, Errno::MFILE), (3, Errno::TIMEDOUT)] {
            let spare: Vec<_> =
                (0..free).map(|_| rustix::io::dup(rustix::stdio::stderr()).unwrap()).collect();
            let few = FewDescriptors::no_more();
            drop(spare);
            let answer = fifo.open_reader_until(in_a_moment());
            drop(few);
            assert_eq!(answer.unwrap_err(), errno, "with {free}");
        }
        fifo.unlink().unwrap();
    });
}

// Waiting for the other side.

#[test]
fn signal_interrupts_the_wait_for_the_other_side() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for (form, call, open) in SLEEPING_READERS {
            with_one_signal(call, || assert_eq!(open(fifo).unwrap_err(), Errno::INTR, "{form}"));
        }
        for (form, call, open) in SLEEPING_WRITERS {
            with_one_signal(call, || assert_eq!(open(fifo).unwrap_err(), Errno::INTR, "{form}"));
        }
        fifo.unlink().unwrap();
    });
}

#[test]
fn nobody_comes_by_the_deadline_and_it_is_not_told_before() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for wait in [0, 1, 3, 10, 25].map(Duration::from_millis) {
            let by = Deadline::after(wait);
            assert_eq!(fifo.open_reader_until(by).unwrap_err(), Errno::TIMEDOUT);
            assert!(by.has_passed(), "{wait:?}: the reader gave up before its time");
            let by = Deadline::after(wait);
            assert_eq!(fifo.open_writer_until(by).unwrap_err(), Errno::TIMEDOUT);
            assert!(by.has_passed(), "{wait:?}: the writer gave up before its time");
        }
        fifo.unlink().unwrap();
    });
}

#[test]
fn deadline_in_the_past_finds_who_waits_already() {
    isolated(|| {
        let past = Deadline::now();
        let path = path("fifo");
        let fifo = created(&path);
        let waiting = child(|| drop(fifo.open_writer().unwrap()));
        sleeps_in(waiting.id(), libc::SYS_openat);
        fifo.open_reader_until(past).unwrap();
        join(waiting);
        let waiting = child(|| drop(fifo.open_reader().unwrap()));
        sleeps_in(waiting.id(), libc::SYS_openat);
        fifo.open_writer_until(past).unwrap();
        join(waiting);
        fifo.unlink().unwrap();
    });
}

#[test]
fn far_deadlines_wait_for_the_other_side() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for by in [Deadline::NEVER, Deadline::after(Duration::MAX)] {
            let reader = child(|| drop(fifo.open_reader_until(by).unwrap()));
            sleeps_in(reader.id(), libc::SYS_ppoll);
            drop(fifo.try_open_writer().unwrap());
            join(reader);
            let writer = child(|| drop(fifo.open_writer_until(by).unwrap()));
            sleeps_in(writer.id(), libc::SYS_ppoll);
            // It only looks now and then: this reader stays until it has.
            let reader = fifo.open_reader().unwrap();
            join(writer);
            drop(reader);
        }
        fifo.unlink().unwrap();
    });
}

/// Has a child wait for a writer until a deadline, stops it there, lets `act` do as the writer
/// does, and then checks that the child finds it and reads `expected` to the end.
fn while_the_reader_is_stopped(expected: &[u8], act: impl FnOnce(Writer)) {
    let path = path("fifo");
    let fifo = created(&path);
    let child = child(|| {
        let reader = fifo.open_reader_until(Deadline::after(SOON)).unwrap();
        assert_eq!(reader.read_all(&mut [0; 64]).unwrap(), expected);
    });
    sleeps_in(child.id(), libc::SYS_ppoll);
    stop(&child);
    act(fifo.try_open_writer().unwrap());
    child.kill(Signal::CONT).unwrap();
    join(child);
    fifo.unlink().unwrap();
}

#[test]
fn writer_that_came_wrote_and_went_is_found() {
    isolated(|| {
        while_the_reader_is_stopped(b"was here", |writer| writer.write_all(b"was here").unwrap());
    });
}

#[test]
fn writer_that_came_and_went_without_a_word_is_found() {
    isolated(|| while_the_reader_is_stopped(b"", drop));
}

#[test]
fn writers_that_came_one_after_the_other_are_found() {
    isolated(|| {
        while_the_reader_is_stopped(b"one and two", |writer| {
            let another = writer.try_clone().unwrap();
            join(child(move || writer.write_all(b"one ").unwrap()));
            join(child(move || another.write_all(b"and two").unwrap()));
        });
    });
}

#[test]
fn nothing_is_lost_of_what_is_written_while_the_reader_waits() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let sent: Vec<u8> = (0_u32..1 << 18).flat_map(u32::to_ne_bytes).collect();
        for (form, _, open_reader) in SLEEPING_READERS {
            let child = child(|| {
                let writer = fifo.open_writer().unwrap();
                writer.write_all(&sent).unwrap();
            });
            let reader = open_reader(fifo).unwrap();
            let mut received = vec![0; sent.len() + 1];
            assert!(reader.read_all(received.as_mut_slice()).unwrap() == sent, "{form}");
            join(child);
        }
        fifo.unlink().unwrap();
    });
}

#[test]
fn who_was_killed_while_it_waited_is_not_found() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let writer = child(|| drop(fifo.open_writer()));
        sleeps_in(writer.id(), libc::SYS_openat);
        kill(writer);
        assert_eq!(fifo.open_reader_until(in_a_moment()).unwrap_err(), Errno::TIMEDOUT);
        let reader = child(|| drop(fifo.open_reader()));
        sleeps_in(reader.id(), libc::SYS_openat);
        kill(reader);
        assert_eq!(fifo.open_writer_until(in_a_moment()).unwrap_err(), Errno::TIMEDOUT);
        fifo.unlink().unwrap();
    });
}

#[test]
fn killed_peer_is_the_end_of_file() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        let writer = child(|| {
            let _writer = fifo.open_writer().unwrap();
            let forever = Pipe::new().unwrap();
            let _ = forever.reader.read(&mut [0]);
        });
        let reader = child(|| {
            let reader = fifo.open_reader().unwrap();
            assert_eq!(reader.read(&mut [0; 8]).unwrap(), b"");
        });
        sleeps_in(reader.id(), libc::SYS_read);
        kill(writer);
        join(reader);
        fifo.unlink().unwrap();
    });
}

#[test]
fn failed_look_at_the_pipe_is_no_writer() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        // A signal that comes at the very moment makes `tee` say so, though it would not wait.
        join(child(|| {
            if refuse_calls(&[libc::SYS_tee], Errno::INTR) {
                assert!(fifo.open_reader_until(in_a_moment()).is_err(), "nobody has come");
            }
        }));
        fifo.unlink().unwrap();
    });
}

// Strangers.

#[test]
fn program_that_knows_only_the_path_reads_what_is_written() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for (form, _, open_writer) in SLEEPING_WRITERS {
            let mut cat = Command::new("sh")
                .args(["-c", "cat \"$0\""])
                .arg(at_path(&path))
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let writer = open_writer(fifo).unwrap();
            writer.write_all(b"to whom it may concern").unwrap();
            drop(writer);
            let mut read = String::new();
            cat.stdout.take().unwrap().read_to_string(&mut read).unwrap();
            assert_eq!(read, "to whom it may concern", "{form}");
            assert!(cat.wait().unwrap().success());
        }
        fifo.unlink().unwrap();
    });
}

#[test]
fn program_that_knows_only_the_path_writes_what_is_read() {
    isolated(|| {
        let path = path("fifo");
        let fifo = created(&path);
        for (form, _, open_reader) in SLEEPING_READERS {
            let mut printf = Command::new("sh")
                .args(["-c", "printf 'one\\n' > \"$0\""])
                .arg(at_path(&path))
                .spawn()
                .unwrap();
            let reader = open_reader(fifo).unwrap();
            assert_eq!(reader.read_all(&mut [0; 64]).unwrap(), b"one\n", "{form}");
            assert!(printf.wait().unwrap().success());
        }
        fifo.unlink().unwrap();
    });
}
