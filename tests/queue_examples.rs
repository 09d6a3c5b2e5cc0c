//! The examples of queues, run as their documentation says.

mod support;

use std::fs;
use std::os::fd::OwnedFd;
use std::process::Child;

use rawipc::pipe::Pipe;
use rawipc::process::{self, Pid, Signal};
use rustix::process::{WaitId, WaitIdOptions, kill_process, set_child_subreaper, waitid};
use support::examples::{complaint, example, printed, run, start};
use support::{eventually, isolated};

// chat

/// What a sender of `chat` says, as the receiver shows it.
fn chatted_by(sender: usize) -> Vec<String> {
    let mut said =
        vec![": good morning".to_owned(), format!(", in JSON: {{\"cups\":{}}}", sender + 1)];
    if sender == 0 {
        said.extend((1..=20).map(|number| format!(", in JSON: {{\"number\":{number},\"of\":20}}")));
    }
    said.push(": good night".to_owned());
    said.into_iter().map(|said| format!("sender {sender}{said}")).collect()
}

/// Checks that each sender's messages are shown, in the order in which they were sent, and nobody
/// else's; gives back how many there are, and what comes after them.
#[track_caller]
fn assert_chat(shown: &str, senders: usize) -> (usize, Vec<&str>) {
    let is_chat = |line: &&str| line.starts_with("sender ");
    let (chat, rest): (Vec<_>, Vec<_>) = shown.lines().partition(is_chat);
    assert!(!shown.lines().skip(chat.len()).any(|line| is_chat(&line)), "{shown}");
    for sender in 0..senders {
        let start = format!("sender {sender}");
        let of_this = |line: &&str| line.split([':', ',']).next() == Some(&start);
        let said: Vec<_> = chat.iter().copied().filter(of_this).collect();
        assert_eq!(said, chatted_by(sender));
    }
    assert_eq!(chat.len(), (0..senders).flat_map(chatted_by).count(), "{shown}");
    (chat.len(), rest)
}

#[test]
fn chat_shows_what_each_sender_sends_in_order_and_ends_when_the_queue_is_closed() {
    isolated(|| {
        let shown = printed(run("chat", &[]));
        let (count, rest) = assert_chat(&shown, 3);
        assert_eq!(rest, [format!("the queue is closed, after {count} messages")]);
    });
}

#[test]
fn chat_has_room_for_any_number_of_senders() {
    isolated(|| {
        for senders in [0, 1, 2, 25] {
            let shown = printed(run("chat", &["--senders", &senders.to_string()]));
            let (count, rest) = assert_chat(&shown, senders);
            assert_eq!(rest, [format!("the queue is closed, after {count} messages")]);
        }
    });
}

#[test]
fn chat_goes_on_after_a_receiver_was_killed_that_would_wait_for_ever() {
    isolated(|| {
        for senders in [0, 1, 3, 10] {
            let shown = printed(run("chat", &["--terminate", "--senders", &senders.to_string()]));
            let (_, rest) = assert_chat(&shown, senders);
            let killed = "the receiver was killed by signal 9";
            assert_eq!(rest, [killed, "and the queue has: is anybody there?"]);
        }
    });
}

#[test]
fn chat_ends_with_a_parent_that_is_killed() {
    isolated(|| {
        // Whoever is left becomes this process's child.
        set_child_subreaper(Some(process::id())).unwrap();
        let Pipe { reader, writer } = Pipe::new().unwrap();
        // Less than is going to be shown: nobody gets to the end.
        writer.set_capacity(4096).unwrap();
        let mut command = example("chat");
        let mut parent =
            command.args(["--senders", "100"]).stdout(OwnedFd::from(writer)).spawn().unwrap();
        drop(command);
        reader.read(&mut [0]).unwrap();
        parent.kill().unwrap();
        parent.wait().unwrap();
        while waitid(WaitId::All, WaitIdOptions::EXITED).is_ok() {}
    });
}

#[test]
fn chat_refuses_what_it_does_not_know() {
    isolated(|| {
        for (arguments, told) in [
            (&["--quietly"][..], "--quietly"),
            (&["--senders", "many"], "many"),
            (&["--senders"], "--senders"),
            (&["more"], "more"),
        ] {
            let said = complaint(run("chat", arguments));
            assert!(said.contains(told), "{said}");
        }
        assert!(printed(run("chat", &["--help"])).contains("--terminate"));
    });
}

// worker_pool

#[test]
fn workers_find_all_primes_however_many_they_are() {
    isolated(|| {
        // By another way: a sieve.
        let mut is_prime = vec![true; 40_000];
        is_prime[..2].fill(false);
        for divisor in 2..200 {
            (divisor * divisor..is_prime.len())
                .step_by(divisor)
                .for_each(|at| is_prime[at] = false);
        }
        let count = |numbers: &[bool]| numbers.iter().filter(|&&is_prime| is_prime).count();
        for (workers, tasks) in [("1", 1), ("1", 40), ("2", 20), ("5", 3), ("7", 40), ("3", 0)] {
            let options = ["--workers", workers, "--tasks", &tasks.to_string()];
            let said = printed(run("worker_pool", &options));
            let mut lines = said.lines();
            for (range, numbers) in is_prime.chunks(1000).take(tasks).enumerate() {
                let expected = format!("from {} on: {}", range * 1000, count(numbers));
                assert_eq!(lines.next(), Some(&*expected));
            }
            let below = tasks * 1000;
            let sum = count(&is_prime[..below]);
            assert_eq!(lines.next(), Some(&*format!("below {below} there are {sum} primes")));
            assert_eq!(lines.next(), None);
        }
    });
}

/// The children that a process has now.
fn children(parent: &Child) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap();
    let names = processes.filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let is_child = |name: &String| {
        let stat = fs::read_to_string(format!("/proc/{name}/stat")).unwrap_or_default();
        // Behind the name, which may hold anything: the state, and the parent.
        let (_name, rest) = stat.rsplit_once(')').unwrap_or_default();
        rest.split_whitespace().nth(1) == Some(&parent.id().to_string())
    };
    names.filter(is_child).filter_map(|name| Pid::from_raw(name.parse().ok()?)).collect()
}

#[test]
fn pool_of_which_a_process_is_killed_says_so_and_ends() {
    isolated(|| {
        // Each of the workers, and who hands out the tasks, far too many to come to an end.
        for victim in 0..3 {
            let pool = start("worker_pool", &["--workers", "2", "--tasks", "400000"]);
            eventually("all have been forked", || children(&pool).len() == 3);
            let victim = children(&pool)[victim];
            kill_process(victim, Signal::KILL).unwrap();
            let said = complaint(pool.wait_with_output().unwrap());
            assert!(said.contains(&format!("process {victim} was killed by signal 9")), "{said}");
        }
    });
}

#[test]
fn pool_says_what_is_wrong_with_its_arguments() {
    isolated(|| {
        for wrong in [&["--workers", "0"][..], &["--tasks", "none"], &["--nonsense"], &["stray"]] {
            assert!(!complaint(run("worker_pool", wrong)).is_empty());
        }
    });
}
