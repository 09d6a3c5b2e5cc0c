//! Queues between two CPUs, against those of others: how long a message takes there and back, how
//! many go one way, and what waiting for them costs.
//!
//! Those of `crossbeam` and `rtrb` work between the threads of one process only, and have these.
//! Everybody's messages are looked at when they come, as far as the compiler knows: otherwise some
//! of them would not be copied at all.

mod alone;
mod batches;
mod blocks;
mod channels;
mod crowd;
pub(crate) mod exchange;
mod in_place;
mod round_trips;
pub(crate) mod rounds;
mod streams;
pub(crate) mod team;
mod waiting;

use crate::arguments::Arguments;
use crate::harness::{Group, Table};
use crate::meeting::{Meeting, Place};
use crate::place::Cpu;

pub(crate) const NAME: &str = "queues";

/// Those at which nobody else is.
pub(crate) fn alone() -> impl Iterator<Item = &'static Group> {
    alone::GROUPS.iter()
}

pub(crate) fn groups() -> Vec<&'static str> {
    let round_trips = round_trips::GROUPS.iter().map(|group| group.name);
    let waiting = waiting::SCENES.iter().map(|scene| scene.name);
    let streams = streams::GROUPS.iter().map(|group| group.name);
    let alone = alone::GROUPS.iter().map(|group| group.name);
    round_trips.chain(waiting).chain(streams).chain(alone).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let effort = arguments.effort();
    let wants = |name: &str| {
        let wants = arguments.wants(NAME, name);
        if wants {
            eprintln!("{NAME}/{name}");
        }
        wants
    };

    let mut table = round_trips::table();
    for group in round_trips::GROUPS.iter().filter(|group| wants(group.name)) {
        on_two_cpus(group.name, &mut table, |place, table| {
            round_trips::measure(group, place, effort, table);
        });
    }
    print(&table);

    let mut table = waiting::table();
    for scene in waiting::SCENES.iter().filter(|scene| wants(scene.name)) {
        if let Err(why) = waiting::measure(scene, effort, &mut table) {
            table.notes([format!("{}: not measured: {why}.", scene.name)]);
        }
    }
    print(&table);

    let mut table = streams::table();
    for group in streams::GROUPS.iter().filter(|group| wants(group.name)) {
        on_two_cpus(group.name, &mut table, |place, table| {
            streams::measure(group, place, effort, table);
        });
    }
    print(&table);

    if alone::GROUPS.iter().any(|group| arguments.wants(NAME, group.name)) {
        alone::REPORT.print(alone::GROUPS.iter(), arguments);
    }
}

/// Polls where there are two CPUs: on one, nobody would get on.
fn on_two_cpus(name: &str, table: &mut Table, measure: impl FnOnce(&Place, &mut Table)) {
    match Meeting::TwoCpusAsleep.arrange() {
        Ok(place) => measure(&place, table),
        Err(why) => table.notes([format!("{name}: not measured: {why}.")]),
    }
}

/// Unless nothing of it was wanted.
fn print(table: &Table) {
    if !table.is_empty() {
        table.print();
    }
}
