//! The two examples of message queues, run as their documentation says: each in a process of its
//! own.

mod support;

use rawipc::posix::mq::{Mode, Mq};
use rawipc::process::Pid;
use support::examples::{complaint, printed, run, start};
use support::limits::in_own_namespace;
use support::users::is_root;
use support::{isolated, own, sleeps_in};

type Own = own::Own<Mq>;

fn received(pid: u32, priority: u32, text: &str) -> String {
    format!("I pid {pid} received a message of priority {priority} => {text}\n")
}

#[test]
fn receiver_that_comes_first_waits_for_the_sender() {
    isolated(|| {
        let queue = Own::new();
        let name = queue.0.to_string();
        let receiver = start("mq_receive", &[&name]);
        let pid = receiver.id();
        sleeps_in(Pid::from_child(&receiver), libc::SYS_ppoll);
        assert_eq!(printed(run("mq_send", &["hello, you", "7", &name])), "");
        let said = printed(receiver.wait_with_output().unwrap());
        assert_eq!(said, received(pid, 7, "hello, you"));
    });
}

#[test]
fn what_was_sent_before_is_received_the_highest_priority_first() {
    isolated(|| {
        let queue = Own::new();
        let name = queue.0.to_string();
        for (text, priority) in [("by and by", "0"), ("at once", "9"), ("soon", "5")] {
            assert_eq!(printed(run("mq_send", &[text, priority, &name])), "");
        }
        for (text, priority) in [("at once", 9), ("soon", 5), ("by and by", 0)] {
            let receiver = start("mq_receive", &[&name]);
            let pid = receiver.id();
            let said = printed(receiver.wait_with_output().unwrap());
            assert_eq!(said, received(pid, priority, text));
        }
    });
}

#[test]
fn receiver_gives_up_on_an_empty_queue() {
    isolated(|| {
        let queue = Own::new();
        let name = queue.0.to_string();
        for seconds in ["0", "1"] {
            let said = complaint(run("mq_receive", &[&name, seconds]));
            assert!(said.contains(&format!("no message in {seconds} seconds")), "{said}");
        }
    });
}

#[test]
fn receiver_has_room_for_the_messages_of_any_queue() {
    isolated(|| {
        let queue = Own::new();
        let name = queue.0.to_string();
        let options = Mq::options().max_messages(1).message_size(7777);
        let made = options.create_new(&queue.0, Mode::RUSR | Mode::WUSR).unwrap();
        let text = "long ".repeat(1500);
        made.send(text.as_bytes(), 1).unwrap();
        let receiver = start("mq_receive", &[&name]);
        let pid = receiver.id();
        let said = printed(receiver.wait_with_output().unwrap());
        assert_eq!(said, received(pid, 1, &text));
    });
}

#[test]
fn both_say_what_is_wrong_with_their_arguments() {
    isolated(|| {
        let said = complaint(run("mq_send", &[]));
        assert!(said.contains("usage: mq_send TEXT [PRIORITY [QUEUE]]"), "{said}");
        let said = complaint(run("mq_send", &["text", "urgent"]));
        assert!(said.contains("the priority is a number"), "{said}");
        for said in
            [run("mq_send", &["text", "0", "/in/side"]), run("mq_receive", &["/in/side", "0"])]
        {
            let said = complaint(said);
            assert!(said.contains("/in/side"), "{said}");
            assert!(said.contains("Invalid argument"), "{said}");
        }
    });
}

#[test]
fn both_meet_at_a_queue_of_the_same_name_by_default() {
    isolated(|| {
        if !is_root("to keep away from the queue of that name that is in use") {
            return;
        }
        in_own_namespace(|| {
            assert_eq!(printed(run("mq_send", &["without a name"])), "");
            let receiver = start("mq_receive", &[]);
            let pid = receiver.id();
            let said = printed(receiver.wait_with_output().unwrap());
            assert_eq!(said, received(pid, 0, "without a name"));
        });
    });
}
