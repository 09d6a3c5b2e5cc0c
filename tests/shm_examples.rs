//! The examples of shared memory and of what lives there, run as their documentation says.

mod support;

use rawipc::shm::Object;
use support::examples::{printed, run, start};
use support::isolated;
use support::own::Own;

#[test]
fn counter_counts_all_that_several_processes_add_at_once() {
    isolated(|| {
        let counter = Own::<Object>::new();
        let name = counter.0.to_string();
        let processes: Vec<_> =
            (0..4).map(|_| start("shared_counter", &["20000", &name])).collect();
        for process in processes {
            let pid = process.id();
            let said = printed(process.wait_with_output().unwrap());
            assert!(said.starts_with(&format!("I pid {pid} have added 20000: now ")), "{said}");
        }
        let said = printed(run("shared_counter", &["5", &name]));
        assert!(said.ends_with("have added 5: now there are 80005\n"), "{said}");
        assert_eq!(printed(run("shared_counter", &["remove", &name])), "");
        assert!(printed(run("shared_counter", &["1", &name])).ends_with(" now there are 1\n"));
    });
}

#[test]
fn counter_that_is_not_there_is_not_removed() {
    isolated(|| {
        let name = Own::<Object>::new().0.to_string();
        let output = start("shared_counter", &["remove", &name]).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no counter"), "{output:?}");
    });
}

#[test]
fn workers_go_through_their_rounds_together() {
    isolated(|| {
        let said = printed(run("barrier", &["3", "2"]));
        assert_eq!(said, "round 0: [0, 1, 2]\nround 1: [3, 3, 3]\nround 2: [9, 9, 9]\n");
        // With one worker, both neighbours are itself.
        assert_eq!(printed(run("barrier", &["1", "1"])), "round 0: [0]\nround 1: [0]\n");
        // By another way: each round, every number becomes the sum of itself and its neighbours.
        let mut numbers: Vec<u64> = (0..8).collect();
        for (round, line) in printed(run("barrier", &["8", "20"])).lines().enumerate() {
            assert_eq!(line, format!("round {round}: {numbers:?}"));
            let sum = |at: usize| numbers[at] + numbers[(at + 1) % 8] + numbers[(at + 7) % 8];
            numbers = (0..8).map(sum).collect();
        }
    });
}

#[test]
fn consumer_takes_everything_in_the_order_in_which_it_was_produced() {
    isolated(|| {
        for things in [0_usize, 1, 3, 4, 1000] {
            let said = printed(run("producer_consumer", &[&things.to_string()]));
            let numbers = said.lines().map(|line| {
                assert!(line.starts_with("I pid "), "{line}");
                line.rsplit(' ').next().unwrap().parse().unwrap()
            });
            assert_eq!(numbers.collect::<Vec<usize>>(), (1..=things).collect::<Vec<_>>());
        }
    });
}
