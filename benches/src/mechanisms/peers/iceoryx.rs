//! `iceoryx2`: a service there and one back, each with one publisher and one subscriber.

use core::error::Error;
use core::hint::spin_loop;
use std::fs::{read_dir, remove_dir_all, remove_file};
use std::path::PathBuf;
use std::thread;

use iceoryx2::port::listener::Listener;
use iceoryx2::port::notifier::Notifier;
use iceoryx2::port::publisher::Publisher;
use iceoryx2::port::subscriber::Subscriber;
use iceoryx2::prelude::*;
use rawipc::{Errno, Name};

use crate::mechanisms::contender::{Kind, Opened, Task};
use crate::mechanisms::guarded::unused_name;
use crate::mechanisms::heir::{Heir, Outlived};
use crate::mechanisms::pair::{End, Pair};

/// What those do who find nothing to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    /// Look again and again.
    Polling,
    /// Sleep until they are notified, as they are of each message.
    Listening,
}

pub(in crate::mechanisms) fn polled(task: Task) -> Opened {
    open(task, Wait::Polling)
}

pub(in crate::mechanisms) fn notified(task: Task) -> Opened {
    open(task, Wait::Listening)
}

fn open(task: Task, wait: Wait) -> Opened {
    let name = unused_name()?;
    let heir = Heir::of(name, remove);
    let end = move |to, from| move || Ends::new(task, wait, name, to, from).expect("its services");
    let pair = Pair::open(task, end("there", "back"), end("back", "there"))?;
    Ok(Box::new(Outlived::new(pair, [heir])))
}

/// What all that is made begins with, in `/dev/shm`; and a directory for the rest.
fn prefix(name: Name) -> String {
    format!("{}_", name.to_string().trim_start_matches('/'))
}

fn directory(name: Name) -> PathBuf {
    std::env::temp_dir().join(prefix(name))
}

/// Who was killed has not cleaned up.
fn remove(name: Name) -> rawipc::Result<()> {
    let _none_if_never_run = remove_dir_all(directory(name));
    let prefix = prefix(name);
    for entry in read_dir("/dev/shm").map_err(|_| Errno::IO)?.flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(prefix.as_bytes()) {
            remove_file(entry.path()).map_err(|_| Errno::IO)?;
        }
    }
    Ok(())
}

struct Ends {
    publisher: Publisher<ipc::Service, [u8], ()>,
    subscriber: Subscriber<ipc::Service, [u8], ()>,
    bells: Option<(Notifier<ipc::Service>, Listener<ipc::Service>)>,
    _node: Node<ipc::Service>,
}

// SAFETY: it does not leave the thread that opens it.
unsafe impl Send for Ends {}

impl Ends {
    /// Returns when the other one is there: who is not, misses what is published.
    fn new(
        task: Task,
        wait: Wait,
        name: Name,
        to: &str,
        from: &str,
    ) -> Result<Self, Box<dyn Error>> {
        let Task { kind, bytes, .. } = task;
        set_log_level(LogLevel::Error);
        let mut config = Config::default();
        config.global.prefix = FileName::new(prefix(name).as_bytes())?;
        let directory = directory(name);
        config.global.set_root_path(&Path::new(directory.as_os_str().as_encoded_bytes())?);
        let node = NodeBuilder::new()
            .config(&config)
            .signal_handling_mode(SignalHandlingMode::Disabled)
            .create::<ipc::Service>()?;
        let messages = match kind {
            Kind::PingPong => 1,
            // As much memory as the crate's queues have.
            Kind::Stream => ((256 << 10) / bytes).max(8),
        };
        let service = |name: &str| {
            node.service_builder(&name.try_into()?)
                .publish_subscribe::<[u8]>()
                .enable_safe_overflow(false)
                .history_size(0)
                .subscriber_max_buffer_size(messages)
                .open_or_create()
                .map_err(Box::<dyn Error>::from)
        };
        let (there, back) = (service(to)?, service(from)?);
        let subscriber = back.subscriber_builder().create()?;
        let publisher = there
            .publisher_builder()
            .initial_max_slice_len(bytes)
            .backpressure_strategy(BackpressureStrategy::RetryUntilDelivered)
            .create()?;
        let until = |is_there: &dyn Fn() -> bool| {
            while !is_there() {
                thread::yield_now();
            }
        };
        let bells = match wait {
            Wait::Polling => None,
            Wait::Listening => {
                let service = |name: &str| {
                    let service = node.service_builder(&name.try_into()?).event();
                    service.open_or_create().map_err(Box::<dyn Error>::from)
                };
                let (there, back) = (service(to)?, service(from)?);
                let listener = back.listener_builder().create()?;
                let notifier = there.notifier_builder().create()?;
                until(&|| there.dynamic_config().number_of_listeners() == 1);
                Some((notifier, listener))
            }
        };
        until(&|| there.dynamic_config().number_of_subscribers() == 1);
        until(&|| back.dynamic_config().number_of_publishers() == 1);
        Ok(Self { publisher, subscriber, bells, _node: node })
    }
}

impl End for Ends {
    #[inline]
    fn send(&mut self, message: &[u8]) {
        let mut recipients = 0;
        // None, as long as who has said that it is there is not connected yet.
        while recipients == 0 {
            let sample = self.publisher.loan_slice_uninit(message.len()).expect("a chunk");
            recipients = sample.write_from_slice(message).send().expect("a subscriber");
        }
        if let Some((notifier, _)) = &self.bells {
            notifier.notify().expect("a listener");
        }
    }

    #[inline]
    fn receive(&mut self, into: &mut [u8]) {
        loop {
            if let Some(sample) = self.subscriber.receive().expect("a publisher") {
                return into.copy_from_slice(&sample);
            }
            match &self.bells {
                None => spin_loop(),
                Some((_, listener)) => {
                    listener.blocking_wait(|_| ()).expect("a notifier");
                }
            }
        }
    }
}
