//! One lock that several want all the time: how often all of them together get it, and what part of
//! that the unluckiest has.
//!
//! Who holds it adds one to a number beside it. Neither the standard library's mutex nor that of
//! `parking_lot` works between processes: threads of one process stand in.

mod crowd;
mod rivals;

use core::error::Error;

use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper;
use crate::meeting::{self, Bracketed, Meeting};
use crate::place::Cpu;
use crowd::{Crowd, Got, Rival};

pub(crate) const NAME: &str = "contended";

/// Ways to do the same, the crate's first, and how many want it.
struct Contest {
    name: &'static str,
    rivals: fn() -> Vec<Rival>,
    crowd: Crowd,
}

/// One on each of two CPUs.
const PAIR: Crowd = Crowd { each_cpu: 1, slices: 5 };
/// Several on each: it takes long until each has been on a CPU.
const CROWD: Crowd = Crowd { each_cpu: 8, slices: 20 };

const CONTESTS: [Contest; 5] = [
    Contest { name: "mutex, 2 on 2 CPUs", rivals: rivals::mutexes, crowd: PAIR },
    Contest { name: "writing, 2 on 2 CPUs", rivals: rivals::rwlocks, crowd: PAIR },
    Contest { name: "semaphore, 2 on 2 CPUs", rivals: rivals::semaphores, crowd: PAIR },
    Contest { name: "mutex, 16 on 2 CPUs", rivals: rivals::mutexes, crowd: CROWD },
    Contest { name: "semaphore, 16 on 2 CPUs", rivals: rivals::semaphores, crowd: CROWD },
];

pub(crate) fn groups() -> Vec<&'static str> {
    CONTESTS.iter().map(|contest| contest.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    Cpu::home().pin();
    let header = ["lock", "by", "M/s", "quartiles", "least part", "M/s × rawipc", "quartiles"];
    let mut table = Table::new("A lock that all want all the time", &header);
    for contest in CONTESTS.iter().filter(|contest| arguments.wants(NAME, contest.name)) {
        if let Err(why) = measure_contest(contest, arguments.effort(), &mut table) {
            table.notes([format!("{}: not measured: {why}.", contest.name)]);
        }
    }
    table.print();
}

fn measure_contest(
    contest: &Contest,
    effort: Effort,
    table: &mut Table,
) -> Result<(), Box<dyn Error>> {
    let place = Meeting::TwoCpusAsleep.arrange()?;
    eprintln!("{NAME}/{}", contest.name);
    let rivals = (contest.rivals)();
    let mut order: Vec<usize> = (0..rivals.len()).collect();
    let mut round = |_| {
        helper::watch();
        fastrand::shuffle(&mut order);
        place.bracket(|| {
            let mut got: Vec<Option<Got>> = rivals.iter().map(|_| None).collect();
            for &rival in &order {
                got[rival] = Some(contest.crowd.fight(&rivals[rival], place.away, effort.slice));
            }
            got.into_iter().flatten().collect()
        })
    };
    (0..effort.warm_up).for_each(|warm_up| drop(round(warm_up)));
    let rounds: Vec<Bracketed<Vec<Got>>> = (0..effort.rounds).map(round).collect();
    report(table, contest, &rivals, &rounds);
    Ok(())
}

/// Adds what was measured in one contest.
fn report(table: &mut Table, contest: &Contest, rivals: &[Rival], rounds: &[Bracketed<Vec<Got>>]) {
    let (bounce, rounds) = meeting::undisturbed(rounds);
    let each = |rival: usize, number: fn(&Got) -> f64| -> Vec<f64> {
        rounds.iter().map(|round| number(&round.measured[rival])).collect()
    };
    let rates: Vec<Vec<f64>> = (0..rivals.len()).map(|rival| each(rival, Got::rate)).collect();
    for (rival, ratio) in harness::ratios(&rates).into_iter().enumerate() {
        let rate = Spread::of(&rates[rival]);
        let least = Spread::of(&each(rival, Got::least_part)).median;
        table.add(
            Row::new(NAME, contest.name, &rivals[rival].to_string())
                .processes(contest.crowd.each_cpu * 2)
                .spread("M/s", rate, 1)
                .number("part", "least", least, format!("{:.1} %", least * 100.0))
                .compared(ratio),
        );
    }
    table.notes(bounce.map(|bounce| format!("{}: {bounce}", contest.name)));
}
