//! Who of the rivals has more of it.

use core::error::Error;
use core::time::Duration;

use super::Rival;
use super::crowd::Got;
use crate::arguments::Arguments;
use crate::harness::{self, Effort, Row, Spread, Table};
use crate::helper;
use crate::meeting::{self, Bracketed, Meeting};
use crate::place::Cpu;

/// Ways to do the same, the first of which the others are compared with, and how many do it at a
/// time.
pub(crate) struct Contest {
    /// What the suite is called on the command line.
    pub(crate) suite: &'static str,
    pub(crate) title: &'static str,
    /// What they do, whoever does it, and however many.
    pub(crate) group: &'static str,
    pub(crate) crowds: Vec<Crowd>,
}

pub(crate) struct Crowd {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) rivals: fn() -> Vec<Rival>,
}

impl Crowd {
    pub(crate) fn new(size: usize, rivals: fn() -> Vec<Rival>) -> Self {
        let cpus = size.min(Cpu::all().len());
        let name = format!("{size} on {cpus} {}", if cpus == 1 { "CPU" } else { "CPUs" });
        // Once for each size in a run.
        Self { name: String::leak(name), size, rivals }
    }

    /// How many slices a fight takes, and one in how many rounds there is one. It takes long until
    /// each has been on a CPU, and longer still until each has been there equally.
    fn slices_and_rounds(&self) -> (u32, usize) {
        match self.size.div_ceil(Cpu::all().len()) {
            0 | 1 => (5, 2),
            2 => (20, 4),
            _ => (40, 4),
        }
    }
}

impl Contest {
    /// Measures those crowds that are wanted, and prints the table.
    pub(crate) fn print(&self, arguments: &Arguments) {
        Cpu::home().pin();
        let header =
            [self.group, "by", "M/s", "quartiles", "ns", "least part", "M/s × first", "quartiles"];
        let mut table = Table::new(self.title, &header);
        for crowd in self.crowds.iter().filter(|crowd| arguments.wants(self.suite, crowd.name)) {
            if let Err(why) = self.measure(crowd, arguments.effort(), &mut table) {
                table.notes([format!("{}: not measured: {why}.", crowd.name)]);
            }
        }
        table.print();
    }

    fn measure(
        &self,
        crowd: &Crowd,
        effort: Effort,
        table: &mut Table,
    ) -> Result<(), Box<dyn Error>> {
        let meeting = if Cpu::away().is_some() { Meeting::TwoCpusAsleep } else { Meeting::OneCpu };
        let place = meeting.arrange()?;
        eprintln!("{}/{}", self.suite, crowd.name);
        let rivals = (crowd.rivals)();
        let mut order: Vec<usize> = (0..rivals.len()).collect();
        let (slices, one_in) = crowd.slices_and_rounds();
        let time: Duration = effort.slice * slices;
        let mut round = |_| {
            helper::watch();
            fastrand::shuffle(&mut order);
            place.bracket(|| {
                let mut got: Vec<Option<Got>> = rivals.iter().map(|_| None).collect();
                for &rival in &order {
                    got[rival] = Some(rivals[rival].fought_by(crowd.size, time));
                }
                got.into_iter().flatten().collect()
            })
        };
        let count = |rounds: usize| rounds.div_ceil(one_in);
        (0..count(effort.warm_up)).for_each(|warm_up| drop(round(warm_up)));
        let rounds: Vec<Bracketed<Vec<Got>>> = (0..count(effort.rounds)).map(round).collect();
        self.report(crowd, &rivals, &rounds, table);
        Ok(())
    }

    /// Adds what was measured of one crowd.
    fn report(
        &self,
        crowd: &Crowd,
        rivals: &[Rival],
        rounds: &[Bracketed<Vec<Got>>],
        table: &mut Table,
    ) {
        let (bounce, rounds) = meeting::undisturbed(rounds);
        let each = |rival: usize, number: fn(&Got) -> f64| -> Vec<f64> {
            rounds.iter().map(|round| number(&round.measured[rival])).collect()
        };
        let rates: Vec<Vec<f64>> = (0..rivals.len()).map(|rival| each(rival, Got::rate)).collect();
        for (rival, ratio) in harness::ratios(&rates).into_iter().enumerate() {
            let times = Spread::of(&each(rival, Got::each));
            let least = Spread::of(&each(rival, Got::least_part)).median;
            table.add(
                Row::new(self.suite, self.group, &rivals[rival].to_string())
                    .titled(crowd.name)
                    .processes(crowd.size)
                    .spread("M/s", Spread::of(&rates[rival]), 1)
                    .kept_spread("ns", times)
                    .cell(format!("{:.1}", times.median))
                    .number("part", "least", least, format!("{:.1} %", least * 100.0))
                    .compared(ratio),
            );
        }
        table.notes(bounce.map(|bounce| format!("{}: {bounce}", crowd.name)));
    }
}
