//! How long it takes to send 8 bytes to another process and have them sent back, both sides
//! sleeping while they wait.
//!
//! What this mostly measures is waking up, so where the two processes run matters more than what
//! they talk through: see [`Meeting`].

mod by_libc;
mod by_rawipc;

use core::error::Error;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Table};
use crate::helper;
use crate::meeting::{self, Bracketed, Ends, Meeting, Player, Times};
use crate::place::Cpu;

pub(crate) const NAME: &str = "round-trips";

const MEETINGS: [(&str, Meeting); 3] = [
    ("one CPU", Meeting::OneCpu),
    ("two CPUs, idle awake", Meeting::TwoCpusAwake),
    ("two CPUs, idle asleep", Meeting::TwoCpusAsleep),
];

/// What the processes talk through.
struct Channel {
    name: &'static str,
    by_libc: fn() -> Ends,
    by_rawipc: fn() -> Ends,
}

const CHANNELS: [Channel; 5] = [
    Channel { name: "pipe", by_libc: by_libc::pipe, by_rawipc: by_rawipc::pipe },
    Channel { name: "FIFO", by_libc: by_libc::fifo, by_rawipc: by_rawipc::fifo },
    Channel { name: "stream", by_libc: by_libc::stream, by_rawipc: by_rawipc::stream },
    Channel { name: "seqpacket", by_libc: by_libc::seqpacket, by_rawipc: by_rawipc::seqpacket },
    Channel { name: "datagram", by_libc: by_libc::datagram, by_rawipc: by_rawipc::datagram },
];

pub(crate) fn groups() -> Vec<&'static str> {
    MEETINGS.iter().map(|(name, _)| *name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header = ["round trips", "by", "p50 µs", "p99", "p99.9", "max", "p50 × libc", "quartiles"];
    let mut table = Table::new("Round trips of 8 B between two processes that sleep", &header);
    for (place, meeting) in MEETINGS.into_iter().filter(|(place, _)| arguments.wants(NAME, place)) {
        if let Err(why) = measure_at(place, meeting, arguments.effort(), &mut table) {
            table.notes([format!("{place}: not measured: {why}.")]);
        }
    }
    table.print();
}

fn measure_at(
    name: &'static str,
    meeting: Meeting,
    effort: Effort,
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    let place = meeting.arrange()?;
    for channel in &CHANNELS {
        helper::watch();
        eprintln!("{NAME}/{name}: {}", channel.name);
        let ends = [channel.by_libc, channel.by_rawipc];
        let mut players = ends.map(|ends| Player::new(ends(), place.away));
        let rounds = meeting::play(&mut players, &place, effort);
        report(table, channel.name, name, &rounds);
    }
    Ok(())
}

/// Adds what was measured of a channel in one place.
fn report(table: &mut Table, channel: &str, place: &'static str, rounds: &[Bracketed<Times>]) {
    let title = format!("{channel}, {place}");
    let (bounce, rounds) = meeting::undisturbed(rounds);
    let median = |player| rounds.iter().map(|round| round.measured.median(player)).collect();
    let medians = [0, 1].map(median);
    for (player, ratio) in harness::ratios(&medians).into_iter().enumerate() {
        let times = meeting::together(&rounds, player);
        let row = Row::new(NAME, channel, ["libc", "rawipc"][player]);
        let row = row.titled(&title).bytes(8).place(place);
        table.add(meeting::maximum(meeting::percentiles(row, &times), &times).compared(ratio));
    }
    table.notes(bounce.map(|bounce| format!("{title}: {bounce}")));
}
