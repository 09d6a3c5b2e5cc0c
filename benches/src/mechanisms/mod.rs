//! Messages between two processes, through each mechanism that the crate has: how long one takes
//! there and back, and how many go one way.

mod by_libc;
mod contender;
mod descriptors;
mod floor;
mod guarded;
mod heir;
mod message;
mod message_queues;
mod pair;
mod peers;
mod report;
mod rings;
mod slots;

use contender::{Kind, Mechanism};
use report::Group;

use crate::arguments::Arguments;
use crate::place::Cpu;

pub(crate) const NAME: &str = "mechanisms";

const GROUPS: [Group; 8] = [
    Group { kind: Kind::PingPong, bytes: 8, name: "ping-pong of 8 B" },
    Group { kind: Kind::PingPong, bytes: 64, name: "ping-pong of 64 B" },
    Group { kind: Kind::PingPong, bytes: 4096, name: "ping-pong of 4 KiB" },
    Group { kind: Kind::PingPong, bytes: 65536, name: "ping-pong of 64 KiB" },
    Group { kind: Kind::Stream, bytes: 8, name: "stream of 8 B" },
    Group { kind: Kind::Stream, bytes: 64, name: "stream of 64 B" },
    Group { kind: Kind::Stream, bytes: 4096, name: "stream of 4 KiB" },
    Group { kind: Kind::Stream, bytes: 65536, name: "stream of 64 KiB" },
];

/// The first is what the others are compared with there and back: it is steady then, as it sleeps,
/// and everybody knows it. Who polls is at the mercy of where the line happens to be.
const OURS: &[Mechanism] = &[
    Mechanism { by: "libc", through: "pipe", open: by_libc::pipe },
    Mechanism { by: "rawipc", through: "Pipe", open: descriptors::pipe },
    Mechanism { by: "rawipc", through: "Fifo", open: descriptors::fifo },
    Mechanism { by: "libc", through: "socketpair, stream", open: by_libc::socketpair },
    Mechanism { by: "rawipc", through: "Stream", open: descriptors::stream },
    Mechanism { by: "rawipc", through: "SeqPacket", open: descriptors::seqpacket },
    Mechanism { by: "rawipc", through: "Datagram", open: descriptors::datagram },
    Mechanism { by: "rawipc", through: "posix::Mq", open: message_queues::posix },
    Mechanism { by: "rawipc", through: "sysv::MsgQueue", open: message_queues::sysv },
    Mechanism { by: "rawipc", through: "Spsc", open: rings::spsc },
    Mechanism { by: "rawipc", through: "Mpmc", open: rings::mpmc },
    Mechanism { by: "rawipc", through: "MessageRing", open: rings::message_ring },
    Mechanism { by: "rawipc", through: "Memfd, Semaphore", open: guarded::semaphores },
    Mechanism { by: "rawipc", through: "Memfd, AutoResetEvent", open: guarded::auto_reset_events },
    Mechanism { by: "rawipc", through: "Memfd, Event", open: guarded::events },
    Mechanism { by: "rawipc", through: "Memfd, Mutex and Condvar", open: guarded::monitor },
    Mechanism {
        by: "rawipc",
        through: "Object, posix::Semaphore",
        open: guarded::posix_semaphores,
    },
    Mechanism { by: "rawipc", through: "sysv::Shm, SemSet", open: guarded::sem_set },
];

/// What the others are compared with one way, where a pipe is now full and now empty, and as fast
/// as that lets it.
const FLOOR: &[Mechanism] =
    &[Mechanism { by: "floor", through: "polled memory", open: floor::floor }];

/// All, in the order of their rows.
fn mechanisms(kind: Kind) -> impl Iterator<Item = &'static Mechanism> {
    let (first, later) = match kind {
        Kind::PingPong => (&[][..], FLOOR),
        Kind::Stream => (FLOOR, &[][..]),
    };
    first.iter().chain(OURS).chain(later).chain(peers::ALL)
}

pub(crate) fn groups() -> Vec<&'static str> {
    GROUPS.iter().map(|group| group.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    for group in GROUPS.iter().filter(|group| arguments.wants(NAME, group.name)) {
        eprintln!("{NAME}/{}", group.name);
        group.print(mechanisms(group.kind), arguments.effort());
    }
}

#[cfg(test)]
mod tests {
    use super::contender::{Contender, Kind, Task};
    use super::{GROUPS, mechanisms};
    use crate::helper::alone;
    use crate::place::Cpu;

    /// All that this machine has, between two CPUs if there are two.
    fn contenders(kind: Kind) -> Vec<Box<dyn Contender>> {
        let away = Cpu::away().unwrap_or(Cpu::home());
        let sizes = GROUPS.iter().filter(|group| group.kind == kind).map(|group| group.bytes);
        let open = |bytes| {
            mechanisms(kind).filter_map(move |one| (one.open)(Task { kind, bytes, away }).ok())
        };
        sizes.flat_map(open).collect()
    }

    #[test]
    fn each_ping_pong_is_timed() {
        let _alone = alone();
        for mut contender in contenders(Kind::PingPong) {
            let each = contender.run(20).each.expect("times");
            assert_eq!(each.len(), 20);
        }
    }

    #[test]
    fn a_stream_goes_on_where_the_turn_before_it_ended() {
        let _alone = alone();
        // Checked by who receives.
        for mut contender in contenders(Kind::Stream) {
            assert!(contender.run(20).each.is_none());
            assert!(!contender.run(300).time.is_zero());
        }
    }
}
