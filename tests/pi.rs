//! The pi driver, run as people run it: what it prints, and that it leaves nothing behind, however
//! it ends.

mod support;

use core::f64::consts::PI;
use core::hash::{BuildHasher as _, Hasher as _};
use core::time::Duration;
use std::collections::hash_map::RandomState;
use std::env;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use rawipc::pipe::Pipe;
use rawipc::process::{self, Pid, Signal};
use rustix::process::{
    PidfdFlags, Resource, Rlimit, WaitId, WaitIdOptions, getrlimit, kill_process_group, pidfd_open,
    pidfd_send_signal, set_child_subreaper, setrlimit, waitid,
};
use serde_json::Value;
use support::examples::{example, printed};
use support::users::is_root;
use support::{eventually, isolated};

const MECHANISMS: [&str; 14] = [
    "file",
    "pipe",
    "fifo",
    "socketpair",
    "posix-mq",
    "sysv-mq",
    "shm-sem",
    "sysv-shm",
    "mutex",
    "atomic",
    "sharded",
    "exact",
    "spsc",
    "mpmc",
];

/// Those by which the parent gets each part, and adds them up by rank. By the others the children
/// do, as they come, or nobody rounds before the end.
const BY_RANK: [&str; 9] =
    ["file", "pipe", "fifo", "socketpair", "posix-mq", "sysv-mq", "sharded", "spsc", "mpmc"];

/// More terms than are done before the test ends.
const ENDLESS: &str = "--terms 1_000_000_000_000_000";

/// The driver's command line.
fn pi(arguments: &str) -> Command {
    let mut command = example("pi");
    command.args(arguments.split_whitespace());
    command
}

/// The same, by way of a shell that does something first.
fn pi_after(shell: &str, arguments: &str) -> Command {
    let pi = pi(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\"")]);
    command.arg(pi.get_program()).args(pi.get_args());
    command
}

/// The driver, on its way.
struct Driver(Child);

impl Driver {
    fn start(mut command: Command) -> Self {
        // What the driver leaves behind becomes this process's child, and `isolated` sees it.
        set_child_subreaper(Some(process::id())).unwrap();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Waits until it has at least so many children, and says which.
    #[track_caller]
    fn children(&self, at_least: usize) -> Vec<Pid> {
        let mut children = Vec::new();
        eventually("the driver has forked", || {
            children = children_of(self.pid());
            children.len() >= at_least
        });
        children
    }

    /// Waits for its end, and checks that nothing stays where it has put things.
    #[track_caller]
    fn end(self) -> Output {
        let output = self.0.wait_with_output().unwrap();
        assert_eq!(temporary_files(), [] as [PathBuf; 0], "left behind");
        output
    }
}

#[track_caller]
fn run(arguments: &str) -> Output {
    Driver::start(pi(arguments)).end()
}

/// Its one line of complaint, if it ended with this code and printed nothing else.
#[track_caller]
fn complaint(output: Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let line = said.strip_suffix('\n').and_then(|said| said.strip_prefix("pi: "));
    let line = line.filter(|line| !line.contains('\n'));
    line.unwrap_or_else(|| panic!("not one line: {said:?}")).to_owned()
}

/// What it printed, as JSON: one object a line.
#[track_caller]
fn json(output: Output) -> Vec<Value> {
    printed(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn adds_by_rank(result: &Value) -> bool {
    BY_RANK.contains(&result["via"].as_str().unwrap())
}

fn temporary_files() -> Vec<PathBuf> {
    let entries = fs::read_dir(env::temp_dir()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The state (R, S, T, Z, …), the parent, and the time on a CPU in ticks of a process, if it is
/// there.
fn stat(pid: &str) -> Option<(char, i32, u64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before may hold anything, but nothing after it holds a parenthesis.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?.chars().next()?;
    let parent = fields.next()?.parse().ok()?;
    let ticks = fields.nth(9)?.parse().ok()?;
    Some((state, parent, ticks))
}

fn state_of(pid: Pid) -> Option<char> {
    stat(&pid.to_string()).map(|(state, ..)| state)
}

/// Those who have this parent, dead or alive.
fn children_of(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap();
    let names = processes.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    names
        .filter(|name| {
            stat(name).is_some_and(|(_, its_parent, _)| its_parent == parent.as_raw_pid())
        })
        .filter_map(|name| Pid::from_raw(name.parse().ok()?))
        .collect()
}

/// Sends a signal to a child of the driver, which has not been reaped: it has no other's pid.
#[track_caller]
fn send(pid: Pid, signal: Signal) {
    pidfd_send_signal(pidfd_open(pid, PidfdFlags::empty()).unwrap(), signal).unwrap();
}

fn random(below: usize) -> usize {
    let number = RandomState::new().build_hasher().finish();
    usize::try_from(number % u64::try_from(below).unwrap()).unwrap()
}

/// π by so many terms, added from the smallest to the largest, and so to the last digits.
fn pi_of(terms: u32) -> f64 {
    let sum: f64 = (0..terms).rev().map(term).sum();
    (8.0 * sum).sqrt()
}

/// π by the order of additions that `examples/pi/sum.rs` promises, to the last bit.
fn pi_by_the_book(terms: u32, processes: u32) -> f64 {
    const BLOCK: u32 = 1 << 16;

    let sum_of = |block: u32| {
        let mut lanes = vec![0.0; 32];
        for k in block * BLOCK..terms.min((block + 1) * BLOCK) {
            lanes[k as usize % 32] += term(k);
        }
        while let [_, _, ..] = lanes[..] {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes.iter_mut().zip(upper).for_each(|(lane, other)| *lane += other);
        }
        lanes[0]
    };
    let blocks = terms.div_ceil(BLOCK);
    let mut sum = 0.0;
    for rank in 0..processes {
        let share = blocks * rank / processes..blocks * (rank + 1) / processes;
        sum += share.fold(0.0, |part, block| part + sum_of(block));
    }
    (8.0 * sum).sqrt()
}

fn term(k: u32) -> f64 {
    let odd = 2.0 * f64::from(k) + 1.0;
    1.0 / (odd * odd)
}

#[test]
fn defaults_print_the_classic_number_by_every_mechanism() {
    isolated(|| {
        let table = printed(run(""));
        for mechanism in MECHANISMS {
            let row = table.lines().find(|line| line.contains(mechanism)).unwrap();
            let cells: Vec<_> = row.split(['│', '┆']).map(str::trim).collect();
            assert_eq!(cells[1..4], [mechanism, "3.14159262176", "-3.18e-8"], "{table}");
        }
    });
}

#[test]
fn defaults_give_the_same_bits_by_every_mechanism_that_adds_by_rank() {
    isolated(|| {
        let results = json(run("--json"));
        let told: Vec<_> = results.iter().map(|result| result["via"].as_str().unwrap()).collect();
        assert_eq!(told, MECHANISMS);
        for result in results.iter().filter(|result| adds_by_rank(result)) {
            assert_eq!(result["bits"], "400921fb4ffe78b6", "{result}");
        }
    });
}

#[test]
fn json_says_what_was_computed() {
    isolated(|| {
        for (terms, processes) in [(1, 1), (1000, 3), (65_536, 2), (65_537, 2), (1_000_000, 7)] {
            let results = json(run(&format!("--terms {terms} --processes {processes} --json")));
            assert_eq!(results.len(), MECHANISMS.len());
            for result in results {
                let number = |key: &str| result[key].as_f64().unwrap();
                assert_eq!(result["terms"], terms, "{result}");
                assert_eq!(result["processes"], processes, "{result}");
                assert_eq!(result["bits"], format!("{:016x}", number("pi").to_bits()), "{result}");
                assert!((number("pi") - pi_of(terms)).abs() < 1e-14, "{result}");
                assert!(number("seconds") > 0.0, "{result}");
                assert!(number("overhead_seconds") <= number("seconds"), "{result}");
                let by_hand = f64::from(terms) / number("seconds");
                assert!((number("terms_per_second") / by_hand - 1.0).abs() < 1e-9, "{result}");
            }
        }
    });
}

#[test]
fn order_of_additions_is_as_promised_by_every_mechanism_that_adds_by_rank() {
    isolated(|| {
        for (terms, processes) in [
            (3, 64),
            (5, 1),
            (26, 2),
            (1_000, 1),
            (65_535, 3),
            (65_543, 5),
            (999_999, 1),
            (1_234_567, 6),
            (2_000_000, 31),
        ] {
            let promised = format!("{:016x}", pi_by_the_book(terms, processes).to_bits());
            let results = json(run(&format!("--terms {terms} --processes {processes} --json")));
            for result in results.iter().filter(|result| adds_by_rank(result)) {
                assert_eq!(result["bits"], promised, "{result}");
            }
        }
    });
}

#[test]
fn order_of_additions_is_as_promised_whatever_the_cpu_can_do() {
    isolated(|| {
        for (terms, processes) in [(1_000, 2), (600_000, 1), (999_999, 3), (2_000_001, 10)] {
            let promised = format!("{:016x}", pi_by_the_book(terms, processes).to_bits());
            for cpu in cpus() {
                let job = format!("--terms {terms} --processes {processes} --cpu {cpu}");
                let results = json(run(&format!("{job} --via pipe --json")));
                assert_eq!(results[0]["cpu"], cpu);
                assert_eq!(results[0]["bits"], promised, "{job}");
            }
        }
    });
}

/// What the help says that this CPU can do, from the simplest to the best.
fn cpus() -> Vec<String> {
    let help = printed(run("--help"));
    let told = help.lines().find_map(|line| line.trim().strip_prefix("--cpu NAME")).unwrap();
    let (_, list) = told.split_once(": ").unwrap();
    let (list, default) = list.split_once(" [default: ").unwrap();
    let cpus: Vec<_> = list.split(", ").map(str::to_owned).collect();
    assert_eq!(cpus[0], "scalar");
    assert_eq!(Some(default), cpus.last().map(|best| format!("{best}]")).as_deref());
    cpus
}

#[test]
fn exact_sum_has_the_same_bits_for_any_number_of_processes_on_any_cpu() {
    isolated(|| {
        for (terms, promised) in [(10_000_000, "400921fb4ffe78b8"), (1_234_567, "400921fb31a929c7")]
        {
            for processes in [1, 2, 3, 7, 10, 64] {
                for cpu in ["scalar", "avx2", "avx512"] {
                    let options = format!(
                        "--terms {terms} --processes {processes} --via exact --json --cpu {cpu}"
                    );
                    let output = run(&options);
                    if output.status.code() == Some(2) {
                        eprintln!("skipped: takes a CPU with {cpu}");
                        continue;
                    }
                    for result in json(output) {
                        assert_eq!(result["bits"], promised, "{result}");
                    }
                }
            }
        }
    });
}

#[test]
fn processes_without_work_add_nothing() {
    isolated(|| {
        for (terms, processes) in [(1, 64), (3, 64), (65_536, 10), (70_000, 64)] {
            let alone = json(run(&format!("--terms {terms} --processes 1 --via pipe --json")));
            for result in json(run(&format!("--terms {terms} --processes {processes} --json"))) {
                let (pi, alone) = (result["pi"].as_f64(), alone[0]["pi"].as_f64());
                let difference = pi.unwrap() - alone.unwrap();
                assert!(difference.abs() <= 2.0 * PI * f64::EPSILON, "{result}");
            }
        }
    });
}

#[test]
fn mechanisms_are_run_as_they_are_named() {
    isolated(|| {
        for (named, run_by) in [
            ("--via fifo", "fifo"),
            ("--via socketpair,file", "socketpair file"),
            ("--via pipe --via file,pipe", "pipe file pipe"),
            ("--via all --via pipe", &format!("{} pipe", MECHANISMS.join(" "))),
        ] {
            let results = json(run(&format!("--terms 1_000 --json {named}")));
            let told: Vec<_> =
                results.iter().map(|result| result["via"].as_str().unwrap()).collect();
            assert_eq!(told.join(" "), run_by);
        }
    });
}

#[test]
fn help_and_version_are_printed() {
    isolated(|| {
        for help in ["--help", "-h", "--json --help"] {
            let text = printed(run(help));
            for told in ["--terms", "10000000", "--processes", "--via", "--cpu", "--json"] {
                assert!(text.contains(told), "{text}");
            }
            assert!(text.contains(&MECHANISMS.join(", ")), "{text}");
        }
        for version in ["--version", "-V"] {
            assert_eq!(printed(run(version)), format!("pi {}\n", env!("CARGO_PKG_VERSION")));
        }
    });
}

#[test]
fn wrong_input_is_refused_in_one_line() {
    isolated(|| {
        for (arguments, told) in [
            ("--terms 0", "--terms takes a whole number from 1 to 4503599627370496"),
            ("--terms=0", "--terms"),
            ("--terms -1", "--terms"),
            ("--terms 1.5", "--terms"),
            ("--terms many", "not \"many\""),
            ("--terms _", "--terms"),
            ("--terms 4_503_599_627_370_497", "to 4503599627370496"),
            ("--terms 99999999999999999999999999", "to 4503599627370496"),
            ("--terms", "--terms"),
            ("--processes 0", "--processes takes a whole number from 1 to "),
            ("--processes 4_194_305", "--processes"),
            ("--processes ten", "--processes"),
            ("--via telepathy", "\"telepathy\": there are file, pipe, fifo, socketpair"),
            ("--via pipe,telepathy", "telepathy"),
            ("--via pipe,", "there are file"),
            ("--via Pipe", "there are file"),
            ("--via", "--via"),
            ("--cpu mmx", "this CPU does not compute with \"mmx\": there are scalar"),
            ("--cpu", "--cpu"),
            ("--json=yes", "--json"),
            ("--fast", "--fast"),
            ("-j", "-j"),
            ("more", "more"),
        ] {
            let line = complaint(run(arguments), 2);
            assert!(line.contains(told), "{arguments}: {line}");
        }
    });
}

#[test]
fn complaint_about_many_lines_is_one_line() {
    isolated(|| {
        for argument in ["two\nlines", "--via=two\nlines", "--two\nlines", "--terms=\n"] {
            let mut command = pi("");
            command.arg(argument);
            complaint(Driver::start(command).end(), 2);
        }
    });
}

#[test]
fn largest_number_of_terms_is_taken_on() {
    isolated(|| {
        let driver = Driver::start(pi("--terms 4_503_599_627_370_496 --via pipe"));
        driver.children(10);
        send(driver.pid(), Signal::TERM);
        assert_eq!(driver.end().status.signal(), Some(libc::SIGTERM));
    });
}

/// Kills some child at some moment, time and again, and checks what the driver says of it.
#[track_caller]
fn assert_killed_child_ends_the_run(via: &str) {
    const PROCESSES: usize = 5;

    for round in 0..8 {
        let driver = Driver::start(pi(&format!("{ENDLESS} --processes {PROCESSES} --via {via}")));
        let forked = driver.children(1 + random(PROCESSES));
        if round % 2 == 0 {
            // Late: when all are at work, and the FIFO has lost its path.
            driver.children(PROCESSES);
            eventually("the children are at work", || temporary_files().is_empty());
        }
        let victim = forked[random(forked.len())];
        let signal = [Signal::KILL, Signal::TERM, Signal::INT, Signal::USR1][random(4)];
        send(victim, signal);

        let line = complaint(driver.end(), 1);
        let (start, end) = line.split_once(" (pid ").unwrap();
        let rank = start.strip_prefix(&format!("via {via}: process ")).unwrap();
        assert!(rank.parse::<usize>().unwrap() < PROCESSES, "{line}");
        assert_eq!(end, format!("{victim}) was killed by signal {}", signal.as_raw()), "{line}");
    }
}

#[test]
fn killed_child_ends_the_run_via_file() {
    isolated(|| assert_killed_child_ends_the_run("file"));
}

#[test]
fn killed_child_ends_the_run_via_pipe() {
    isolated(|| assert_killed_child_ends_the_run("pipe"));
}

#[test]
fn killed_child_ends_the_run_via_fifo() {
    isolated(|| assert_killed_child_ends_the_run("fifo"));
}

#[test]
fn killed_child_ends_the_run_via_socketpair() {
    isolated(|| assert_killed_child_ends_the_run("socketpair"));
}

#[test]
fn killed_child_ends_the_run_via_posix_mq() {
    isolated(|| assert_killed_child_ends_the_run("posix-mq"));
}

#[test]
fn killed_child_ends_the_run_via_sysv_mq() {
    isolated(|| assert_killed_child_ends_the_run("sysv-mq"));
}

#[test]
fn killed_child_ends_the_run_via_shm_sem() {
    isolated(|| assert_killed_child_ends_the_run("shm-sem"));
}

#[test]
fn killed_child_ends_the_run_via_sysv_shm() {
    isolated(|| assert_killed_child_ends_the_run("sysv-shm"));
}

#[test]
fn killed_child_ends_the_run_via_mutex() {
    isolated(|| assert_killed_child_ends_the_run("mutex"));
}

#[test]
fn killed_child_ends_the_run_via_atomic() {
    isolated(|| assert_killed_child_ends_the_run("atomic"));
}

#[test]
fn killed_child_ends_the_run_via_sharded() {
    isolated(|| assert_killed_child_ends_the_run("sharded"));
}

#[test]
fn killed_child_ends_the_run_via_exact() {
    isolated(|| assert_killed_child_ends_the_run("exact"));
}

#[test]
fn killed_child_ends_the_run_via_spsc() {
    isolated(|| assert_killed_child_ends_the_run("spsc"));
}

#[test]
fn killed_child_ends_the_run_via_mpmc() {
    isolated(|| assert_killed_child_ends_the_run("mpmc"));
}

/// Whether it sleeps on a futex; false if it has ended.
fn sleeps_on_a_futex(pid: Pid) -> bool {
    let start = format!("{} ", libc::SYS_futex);
    let call = fs::read_to_string(format!("/proc/{}/syscall", pid.as_raw_pid()));
    call.is_ok_and(|call| call.starts_with(&start))
}

#[test]
fn child_that_is_killed_while_it_waits_for_room_ends_the_run() {
    const ROOM: usize = 16;

    isolated(|| {
        loop {
            let driver = Driver::start(pi("--terms 1 --processes 500 --via mpmc"));
            // It makes room when it has forked all.
            let forked = driver.children(ROOM + 10);
            send(driver.pid(), Signal::STOP);
            eventually("the driver is stopped", || state_of(driver.pid()) == Some('T'));
            let come_to_rest = |&pid: &Pid| sleeps_on_a_futex(pid) || state_of(pid) == Some('Z');
            eventually("all have delivered or wait", || {
                children_of(driver.pid()).iter().all(come_to_rest)
            });
            let Some(&victim) = forked.iter().find(|pid| sleeps_on_a_futex(**pid)) else {
                // It has been too fast to be stopped before.
                send(driver.pid(), Signal::CONT);
                printed(driver.end());
                continue;
            };
            send(victim, Signal::KILL);
            send(driver.pid(), Signal::CONT);
            let line = complaint(driver.end(), 1);
            assert!(line.ends_with(&format!("(pid {victim}) was killed by signal 9")), "{line}");
            break;
        }
    });
}

#[test]
fn child_that_is_killed_near_its_end_has_delivered_or_is_missed() {
    isolated(|| {
        for _ in 0..15 {
            let driver = Driver::start(pi("--terms 300_000 --processes 4 --json"));
            let turns = random(15);
            let mut victim = None;
            for _ in 0..=turns {
                victim = children_of(driver.pid()).pop();
            }
            // It may have ended, and even been reaped, by now.
            let pidfd = victim.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
            let still_his = victim.is_some_and(|pid| {
                stat(&pid.to_string())
                    .is_some_and(|(_, parent, _)| parent == driver.pid().as_raw_pid())
            });
            if let Some(pidfd) = pidfd.filter(|_| still_his) {
                let _ended = pidfd_send_signal(pidfd, Signal::KILL);
            }

            let output = driver.end();
            let computed = String::from_utf8(output.stdout).unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            match output.status.code() {
                Some(0) => assert!(
                    said.is_empty() && computed.lines().count() == MECHANISMS.len(),
                    "{said}"
                ),
                Some(1) => assert!(said.ends_with("was killed by signal 9\n"), "{said}"),
                _ => panic!("{:?}: {said}", output.status),
            }
            for line in computed.lines() {
                let result: Value = serde_json::from_str(line).unwrap();
                assert!((result["pi"].as_f64().unwrap() - pi_of(300_000)).abs() < 1e-14, "{line}");
            }
        }
    });
}

#[test]
fn results_before_a_failure_are_shown() {
    isolated(|| {
        let no_directory = |arguments: &str| {
            let mut command = pi(arguments);
            command.env("TMPDIR", "/nonexistent");
            Driver::start(command).end()
        };
        let output = no_directory("--terms 1_000 --via pipe,fifo,socketpair");
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let table = String::from_utf8(output.stdout).unwrap();
        assert!(table.contains("pipe") && !table.contains("socketpair"), "{table}");

        for via in ["file", "fifo"] {
            let line = complaint(no_directory(&format!("--terms 1_000 --via {via}")), 1);
            assert!(line.starts_with(&format!("via {via}: ")), "{line}");
            assert!(line.contains("No such file or directory"), "{line}");
        }
    });
}

#[test]
fn child_that_cannot_deliver_says_why() {
    isolated(|| {
        // No file may grow; who tries is killed, unless he ignores that.
        let killed = pi_after("ulimit -c 0; ulimit -f 0", "--terms 1_000 --processes 1 --via file");
        let line = complaint(Driver::start(killed).end(), 1);
        assert!(line.ends_with(&format!("was killed by signal {}", libc::SIGXFSZ)), "{line}");

        let ignored = "ulimit -f 0; trap '' XFSZ";
        let output =
            Driver::start(pi_after(ignored, "--terms 1_000 --processes 1 --via file")).end();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let (reason, line) = said.trim_end().split_once('\n').unwrap();
        assert_eq!(reason, "pi: process 0: File too large (os error 27)");
        assert!(line.starts_with("pi: via file: process 0 (pid "), "{said}");
        assert!(line.ends_with(") exited with code 1"), "{said}");
    });
}

#[test]
fn signal_to_the_driver_ends_it_and_its_children() {
    isolated(|| {
        for via in MECHANISMS {
            for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
                let driver = Driver::start(pi(&format!("{ENDLESS} --processes 4 --via {via}")));
                let forked = driver.children(1 + random(4));
                send(driver.pid(), signal);
                let output = driver.end();
                assert_eq!(output.status.signal(), Some(signal.as_raw()), "{output:?}");
                assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
                assert!(forked.iter().all(|&child| state_of(child).is_none()), "{forked:?}");
            }
        }
    });
}

#[test]
fn interrupt_from_the_terminal_is_the_drivers_and_not_a_childs_failure() {
    isolated(|| {
        for via in MECHANISMS.repeat(3) {
            let mut command = pi(&format!("{ENDLESS} --processes 8 --via {via}"));
            // A group of its own, as a shell gives to each job.
            command.process_group(0);
            let with_this_test =
                || Ok(rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?);
            // SAFETY: between fork and exec, one system call is made.
            unsafe { command.pre_exec(with_this_test) };
            let driver = Driver::start(command);
            driver.children(1 + random(8));
            kill_process_group(driver.pid(), Signal::INT).unwrap();
            let output = driver.end();
            assert_eq!(output.status.signal(), Some(libc::SIGINT), "{output:?}");
            assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        }
    });
}

#[test]
fn signal_that_was_ignored_from_the_start_stays_ignored() {
    isolated(|| {
        for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
            let ignoring = format!("trap '' {}", signal.as_raw());
            let driver = Driver::start(pi_after(&ignoring, &format!("{ENDLESS} --via pipe")));
            let child = driver.children(10)[0].to_string();
            let ticks = || stat(&child).map(|(_, _, ticks)| ticks);
            let before = ticks().unwrap();
            send(driver.pid(), signal);
            eventually("the child works on", || ticks().is_some_and(|ticks| ticks > before + 2));
            send(driver.pid(), Signal::KILL);
            reap_orphans(driver);
        }
    });
}

/// Waits for a driver that was killed, and for its children, which must end by themselves; then
/// runs it again, which removes the queue that it may have left.
#[track_caller]
fn reap_orphans(mut driver: Driver) {
    let pid = driver.pid();
    assert_eq!(driver.0.wait().unwrap().signal(), Some(libc::SIGKILL));
    while waitid(WaitId::All, WaitIdOptions::EXITED).is_ok() {}
    driver.end();
    if has_queue(pid) {
        printed(run("--terms 1 --processes 1 --via sysv-mq"));
        assert!(!has_queue(pid), "the next run has not removed it");
    }
}

/// Whether there is a System V queue that the driver with this pid has made.
fn has_queue(driver: Pid) -> bool {
    let key = (0x0c5 << 22 | driver.as_raw_pid()).to_string();
    let queues = fs::read_to_string("/proc/sysvipc/msg").unwrap();
    queues.lines().any(|line| line.split_whitespace().next() == Some(&key))
}

#[test]
fn driver_killed_at_any_moment_leaves_nothing_with_a_name_to_last() {
    isolated(|| {
        let mut left = 0;
        for round in 0..90 {
            let via = ["posix-mq", "sysv-mq", "shm-sem"][round % 3];
            let driver = Driver::start(pi(&format!("{ENDLESS} --processes 3 --via {via}")));
            driver.children(random(4));
            send(driver.pid(), Signal::KILL);
            left += usize::from(has_queue(driver.pid()));
            reap_orphans(driver);
        }
        assert!(left > 0, "a kill leaves a queue now and then, or there is nothing to heal");
        // Others of the same name are there for a moment only, if at all.
        let name = rawipc::Name::new(b"/rawipc-pi").unwrap();
        eventually("the name is free", || rawipc::posix::Mq::options().open(&name).is_err());
        eventually("the name is free", || rawipc::posix::Semaphore::open(&name).is_err());
    });
}

/// What a driver leaves that is killed between making a name and removing it.
#[test]
fn name_that_a_killed_driver_has_left_is_removed_by_the_next() {
    isolated(|| {
        let name = rawipc::Name::new(b"/rawipc-pi").unwrap();
        let owner = rawipc::posix::mq::Mode::RUSR;
        let _or_another_runs = rawipc::posix::Mq::options().create_new(&name, owner);
        let _or_another_runs = rawipc::posix::Semaphore::create_new(&name, owner, 0);
        assert_eq!(json(run("--terms 1 --via posix-mq,shm-sem --json")).len(), 2);
        eventually("the names are free", || {
            let queue = rawipc::posix::Mq::options().open(&name);
            queue.is_err() && rawipc::posix::Semaphore::open(&name).is_err()
        });
    });
}

#[test]
fn children_of_a_killed_driver_end() {
    isolated(|| {
        for via in MECHANISMS.repeat(4) {
            let driver = Driver::start(pi(&format!("{ENDLESS} --processes 4 --via {via}")));
            // While a FIFO has a path, nothing can be done about it.
            driver.children(if via == "fifo" { 4 } else { 1 + random(4) });
            eventually("the path is gone", || temporary_files().is_empty());
            send(driver.pid(), Signal::KILL);
            reap_orphans(driver);
        }
    });
}

#[test]
fn stopped_child_can_be_killed() {
    isolated(|| {
        for via in MECHANISMS {
            let driver = Driver::start(pi(&format!("{ENDLESS} --processes 3 --via {via}")));
            let victim = driver.children(3)[random(3)];
            send(victim, Signal::STOP);
            eventually("the child is stopped", || state_of(victim) == Some('T'));
            send(victim, Signal::KILL);
            let line = complaint(driver.end(), 1);
            assert!(line.ends_with(&format!("(pid {victim}) was killed by signal 9")), "{line}");
        }
    });
}

#[test]
fn stopped_child_does_not_keep_the_driver_from_ending() {
    isolated(|| {
        for via in MECHANISMS {
            let driver = Driver::start(pi(&format!("{ENDLESS} --processes 3 --via {via}")));
            let stopped = driver.children(3)[random(3)];
            send(stopped, Signal::STOP);
            eventually("the child is stopped", || state_of(stopped) == Some('T'));
            send(driver.pid(), Signal::TERM);
            assert_eq!(driver.end().status.signal(), Some(libc::SIGTERM));
        }
    });
}

/// Stops a process and lets it go on. False if it has ended before.
fn halt(pid: Pid) -> bool {
    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::empty()) else { return false };
    if pidfd_send_signal(&pidfd, Signal::STOP).is_err() {
        return false;
    }
    eventually("it has stopped or ended", || matches!(state_of(pid), Some('T' | 'Z') | None));
    let stopped = state_of(pid) == Some('T');
    let _ended = pidfd_send_signal(&pidfd, Signal::CONT);
    stopped
}

#[test]
fn run_that_was_stopped_goes_on() {
    // Long enough for most runs to be caught at it, optimised or not.
    let terms = if cfg!(debug_assertions) { 5_000_000 } else { 300_000_000 };
    isolated(|| {
        for via in MECHANISMS {
            let arguments = format!("--terms {terms} --processes 2 --via {via} --json");
            let (mut child, mut parent) = (false, false);
            while !(child && parent) {
                let driver = Driver::start(pi(&arguments));
                let mut forked = Vec::new();
                eventually("the driver has forked or ended", || {
                    forked = children_of(driver.pid());
                    !forked.is_empty() || state_of(driver.pid()) == Some('Z')
                });
                child |= forked.first().is_some_and(|&child| halt(child));
                parent |= halt(driver.pid());
                let result = &json(driver.end())[0];
                assert!((result["pi"].as_f64().unwrap() - PI).abs() < 1e-7, "{result}");
            }
        }
    });
}

/// So many processes deliver at once that not all parts find room on the way.
#[track_caller]
fn assert_crowd_delivers(via: &str, processes: u32) {
    let allowed = getrlimit(Resource::Nofile).maximum;
    if allowed.is_some_and(|allowed| allowed < u64::from(processes) + 16) {
        eprintln!("skipped: takes {processes} descriptors");
        return;
    }
    let results = json(run(&format!("--terms 1 --processes {processes} --via {via} --json")));
    assert_eq!(results[0]["pi"], 8_f64.sqrt());
}

#[test]
fn crowd_delivers_via_file() {
    isolated(|| assert_crowd_delivers("file", 500));
}

#[test]
fn crowd_delivers_via_pipe() {
    isolated(|| assert_crowd_delivers("pipe", 3000));
}

#[test]
fn crowd_delivers_via_fifo() {
    isolated(|| assert_crowd_delivers("fifo", 1500));
}

#[test]
fn crowd_delivers_via_socketpair() {
    isolated(|| assert_crowd_delivers("socketpair", 500));
}

#[test]
fn crowd_delivers_via_posix_mq() {
    isolated(|| assert_crowd_delivers("posix-mq", 500));
}

#[test]
fn crowd_delivers_via_sysv_mq() {
    isolated(|| assert_crowd_delivers("sysv-mq", 1500));
}

#[test]
fn crowd_delivers_via_shm_sem() {
    isolated(|| assert_crowd_delivers("shm-sem", 500));
}

#[test]
fn crowd_delivers_via_spsc() {
    isolated(|| assert_crowd_delivers("spsc", 500));
}

#[test]
fn crowd_delivers_via_mpmc() {
    isolated(|| assert_crowd_delivers("mpmc", 500));
}

#[test]
fn limit_of_descriptors_is_named_or_raised() {
    isolated(|| {
        let hard = pi_after("ulimit -n 64", "--terms 1_000 --processes 100");
        let line = complaint(Driver::start(hard).end(), 1);
        assert!(line.contains("RLIMIT_NOFILE") && line.contains("64"), "{line}");

        let soft = pi_after("ulimit -S -n 64", "--terms 1_000 --processes 100 --json");
        assert_eq!(json(Driver::start(soft).end()).len(), MECHANISMS.len());
    });
}

#[test]
fn no_run_leaves_descriptors_to_the_next() {
    isolated(|| {
        let all = "--via all ".repeat(20);
        let arguments = format!("--terms 1 --processes 8 --json {all}");
        let barely_enough = pi_after("ulimit -n 24", &arguments);
        assert_eq!(json(Driver::start(barely_enough).end()).len(), 20 * MECHANISMS.len());
    });
}

#[test]
fn limit_of_processes_is_named() {
    isolated(|| {
        if !is_root("to become a user without processes") {
            return;
        }
        // Root is exempt: the limit is for the user below.
        let limit = Rlimit { current: Some(3), maximum: Some(3) };
        setrlimit(Resource::Nproc, limit).unwrap();
        let mut command = pi("--terms 1_000 --via pipe");
        command.uid(61_803).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                eprintln!("skipped: the example is where others may not go");
            }
            driver => {
                let line = complaint(Driver(driver.unwrap()).end(), 1);
                assert!(line.starts_with("via pipe: cannot fork process 2: "), "{line}");
                assert!(line.contains("RLIMIT_NPROC"), "{line}");
            }
        }
    });
}

#[test]
fn reader_who_has_seen_enough_is_no_error() {
    isolated(|| {
        for arguments in ["--terms 1_000", "--terms 1_000 --json", "--help"] {
            let Pipe { reader, writer } = Pipe::new().unwrap();
            drop(reader);
            let output = pi(arguments).stdout(OwnedFd::from(writer)).output().unwrap();
            assert_eq!(printed(output), "");

            let closed = pi_after("exec >&-", arguments);
            assert_eq!(printed(Driver::start(closed).end()), "");
        }
    });
}

#[test]
fn full_disk_is_an_error() {
    isolated(|| {
        for arguments in ["--terms 1_000", "--terms 1_000 --json", "--help"] {
            let full = File::create("/dev/full").unwrap();
            let output = pi(arguments).stdout(full).output().unwrap();
            let line = complaint(output, 1);
            assert_eq!(line, "standard output: No space left on device (os error 28)");
        }
    });
}

#[test]
fn closed_standard_streams_do_not_matter() {
    isolated(|| {
        let closed = pi_after("exec <&- 2>&-", "--terms 1_000 --json");
        assert_eq!(json(Driver::start(closed).end()).len(), MECHANISMS.len());
        let closed = pi_after("exec <&- >&- 2>&-", "--terms 0");
        assert_eq!(Driver::start(closed).end().status.code(), Some(2));
    });
}

#[test]
fn children_are_told_of_although_sigchld_was_ignored() {
    isolated(|| {
        let mut command = pi("--terms 1_000 --json");
        let ignore = || {
            // SAFETY: ignoring a signal installs no handler.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
            Ok(())
        };
        // SAFETY: between fork and exec, one system call is made.
        unsafe { command.pre_exec(ignore) };
        assert_eq!(json(Driver::start(command).end()).len(), MECHANISMS.len());
    });
}

#[test]
fn drivers_do_not_disturb_each_other() {
    isolated(|| {
        let start = |_| Driver::start(pi("--terms 1_000_000 --json")).0;
        let drivers: Vec<_> = (0..6).map(start).collect();
        for driver in drivers {
            assert_eq!(json(driver.wait_with_output().unwrap()).len(), MECHANISMS.len());
        }
        assert!(temporary_files().is_empty());
    });
}

/// A terminal: the side of the screen, and the side of the program.
fn terminal() -> (File, Stdio) {
    let size = nix::pty::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
    let nix::pty::OpenptyResult { master, slave } = nix::pty::openpty(&size, None).unwrap();
    for end in [&master, &slave] {
        rustix::io::fcntl_setfd(end, rustix::io::FdFlags::CLOEXEC).unwrap();
    }
    (master.into(), slave.into())
}

/// What has come to the screen: up to where `enough`, or until all programs have left it.
fn shown(mut screen: &File, enough: impl Fn(&str) -> bool) -> String {
    let mut shown = Vec::new();
    let mut buffer = [0; 4096];
    while !enough(&String::from_utf8_lossy(&shown)) {
        match screen.read(&mut buffer) {
            Ok(read) => shown.extend_from_slice(&buffer[..read]),
            // So a terminal says that nobody has it open any more.
            Err(error) if error.raw_os_error() == Some(libc::EIO) => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(shown).unwrap()
}

#[test]
fn long_run_shows_its_progress_on_a_terminal_only() {
    isolated(|| {
        let (screen, program) = terminal();
        let mut command = pi(&format!("{ENDLESS} --via socketpair"));
        let mut driver = command.stdout(Stdio::piped()).stderr(program).spawn().unwrap();
        drop(command);
        let bar = shown(&screen, |shown| shown.contains("socketpair") && shown.contains('%'));
        assert!(bar.contains(" 0%"), "{bar:?}");
        send(Pid::from_child(&driver), Signal::TERM);
        assert_eq!(driver.wait().unwrap().signal(), Some(libc::SIGTERM));
        assert_eq!(driver.wait_with_output().unwrap().stdout, b"");
        let rest = shown(&screen, |_| false);
        assert!(rest.ends_with("\r\x1b[2K"), "the bar is wiped off: {rest:?}");

        let driver = Driver::start(pi(&format!("{ENDLESS} --processes 1 --via socketpair")));
        let child = driver.children(1)[0].to_string();
        let (start, long) = (Instant::now(), Duration::from_millis(1500));
        eventually("a child has worked, when a bar would be due", || {
            start.elapsed() > long && stat(&child).is_some_and(|(_, _, ticks)| ticks > 2)
        });
        send(driver.pid(), Signal::TERM);
        let output = driver.end();
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    });
}

#[test]
fn progress_is_that_of_the_children() {
    isolated(|| {
        let (screen, program) = terminal();
        let mut command = pi("--terms 50_000_000_000 --via pipe");
        let mut driver = command.stdout(Stdio::null()).stderr(program).spawn().unwrap();
        drop(command);
        shown(&screen, |shown| (1..100).any(|percent| shown.contains(&format!(" {percent}%"))));
        send(Pid::from_child(&driver), Signal::TERM);
        assert_eq!(driver.wait().unwrap().signal(), Some(libc::SIGTERM));
    });
}

#[test]
fn short_run_shows_no_progress() {
    isolated(|| {
        let (screen, program) = terminal();
        let mut command = pi("--terms 1_000 --json");
        let driver = command.stdout(Stdio::piped()).stderr(program).spawn().unwrap();
        drop(command);
        assert_eq!(shown(&screen, |_| false), "");
        assert_eq!(json(driver.wait_with_output().unwrap()).len(), MECHANISMS.len());
    });
}
