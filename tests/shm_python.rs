//! Shared memory objects side by side with Python's `posix_ipc`: the same objects, the same bytes.
//!
//! Skipped, and says so, where there is no Python that has it: `ci/python.sh` makes one.

mod support;

use rawipc::Errno;
use rawipc::shm::{Access, Bytes, Object};
use support::own::OWNER;
use support::python::Python;
use support::{isolated, own};

type Own = own::Own<Object>;

/// Runs `program` to its end, which finds the object's name in `name`.
#[track_caller]
fn run(python: &Python, name: &Own, program: &str) {
    let before = "def mapped(memory):\n\
        \x20   whole = mmap.mmap(memory.fd, memory.size)\n\
        \x20   memory.close_fd()\n\
        \x20   return whole\n";
    python.start(&format!("name = '{}'\n{before}{program}", name.0)).join();
}

#[test]
fn we_find_an_object_as_python_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        run(
            &python,
            &name,
            "whole = mapped(SharedMemory(name, posix_ipc.O_CREX, 0o600, 5000))\n\
             whole[4990:5000] = b'a python s'",
        );
        let object = Object::open(&name.0).unwrap();
        assert_eq!(object.len(), Ok(5000));
        let bytes = Bytes::map(&object, Access::ReadOnly).unwrap();
        assert_eq!(bytes.copy_out(4990, &mut [0; 10]).unwrap(), b"a python s");
        assert_eq!(bytes.copy_out(0, &mut [1; 9]).unwrap(), [0; 9]);
    });
}

#[test]
fn python_finds_an_object_as_we_made_it() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let object = Object::create_new(&name.0, OWNER, 5000).unwrap();
        let bytes = Bytes::map(&object, Access::ReadWrite).unwrap();
        bytes.copy_in(4991, b"a crab's").unwrap();
        run(
            &python,
            &name,
            "memory = SharedMemory(name)\n\
             assert memory.size == 5000\n\
             assert os.fstat(memory.fd).st_mode & 0o777 == 0o600\n\
             assert mapped(memory)[4991:] == b'a crab\\'s\\0'",
        );
    });
}

#[test]
fn each_sees_what_the_other_writes() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        let object = Object::create_new(&name.0, OWNER, 64).unwrap();
        let bytes = Bytes::map(&object, Access::ReadWrite).unwrap();
        bytes.write(3, 1.25_f64).unwrap();
        run(
            &python,
            &name,
            "import struct\n\
             whole = mapped(SharedMemory(name))\n\
             assert struct.unpack('=d', whole[3:11]) == (1.25,)\n\
             whole[11:19] = struct.pack('=d', -0.5)",
        );
        let both: [f64; 2] = bytes.read(3).unwrap();
        assert_eq!(both.map(f64::to_bits), [1.25_f64, -0.5].map(f64::to_bits));
    });
}

#[test]
fn either_unlinks_the_other_s() {
    let Some(python) = Python::with("posix_ipc") else { return };
    isolated(|| {
        let name = Own::new();
        run(&python, &name, "SharedMemory(name, posix_ipc.O_CREX, 0o600, 10).close_fd()");
        assert_eq!(Object::create_new(&name.0, OWNER, 10).unwrap_err(), Errno::EXIST);
        Object::unlink(&name.0).unwrap();
        run(&python, &name, "refuses(posix_ipc.ExistentialError, SharedMemory, name)");

        Object::create_new(&name.0, OWNER, 10).unwrap();
        run(
            &python,
            &name,
            "refuses(posix_ipc.ExistentialError, SharedMemory, name, posix_ipc.O_CREX)\n\
             posix_ipc.unlink_shared_memory(name)",
        );
        assert_eq!(Object::open(&name.0).unwrap_err(), Errno::NOENT);
    });
}
