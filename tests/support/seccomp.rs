//! System calls that fail, or kill, where the test wants it: the way to meet an older kernel, and
//! errors that are hard to come by.

use std::io;

use rawipc::Errno;

/// An argument's position, the bits of its low half that count, and what they have to be.
pub(crate) type Condition = (u32, u32, u32);

/// A call, whatever its arguments.
pub(crate) const ANY: Condition = (0, 0, 0);

/// What a call meets that is to fail.
pub(crate) fn failing_with(errno: Errno) -> u32 {
    libc::SECCOMP_RET_ERRNO | errno.raw_os_error().unsigned_abs()
}

/// From here on, these system calls of this process, and of those it forks, fail with `errno`.
/// False, and says so, where the kernel has no seccomp filters.
pub(crate) fn refuse_calls(numbers: &[libc::c_long], errno: Errno) -> bool {
    let calls = numbers.iter().map(|&number| (number, ANY));
    let installed = install(calls.collect::<Vec<_>>(), failing_with(errno));
    if let Err(error) = &installed {
        eprintln!("skipped: takes seccomp filters, to refuse system calls: {error}");
    }
    installed.is_ok()
}

/// From here on, this system call of this process, and of those it forks, meets `action` where it
/// has such an argument.
pub(crate) fn intercept(call: libc::c_long, condition: Condition, action: u32) {
    install([(call, condition)], action).expect("seccomp filters");
}

fn install(
    calls: impl IntoIterator<Item = (libc::c_long, Condition)>,
    action: u32,
) -> io::Result<()> {
    let step = |code: u32, otherwise: u8, constant: u32| {
        let code = code.try_into().expect("a BPF instruction");
        libc::sock_filter { code, jt: 0, jf: otherwise, k: constant }
    };
    let [load, equal, and, answer] = [
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
        libc::BPF_ALU | libc::BPF_AND | libc::BPF_K,
        libc::BPF_RET | libc::BPF_K,
    ];
    let mut filter = Vec::new();
    for (number, (argument, mask, value)) in calls {
        let number = number.try_into().expect("a system call's number");
        let low_half = 16 + 8 * argument + if cfg!(target_endian = "big") { 4 } else { 0 };
        filter.extend([
            // The call's number is the first word that a filter sees.
            step(load, 0, 0),
            step(equal, 4, number),
            step(load, 0, low_half),
            step(and, 0, mask),
            step(equal, 1, value),
            step(answer, 0, action),
        ]);
    }
    filter.push(step(answer, 0, libc::SECCOMP_RET_ALLOW));
    let len = filter.len().try_into().expect("a short filter");
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };

    // SAFETY: takes plain numbers, and only takes from this process what exec could give it.
    let unprivileged = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    // SAFETY: `program` points to `filter`, which lives until the kernel has copied it.
    let installed =
        unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    if (unprivileged, installed) == (0, 0) { Ok(()) } else { Err(io::Error::last_os_error()) }
}
