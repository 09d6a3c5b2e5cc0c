//! `Tasks` against a number.

use arbitrary::{Arbitrary, Unstructured};
use rawipc::error::{Overflow, TimedOut};
use rawipc::queue::{NoneUnfinished, Tasks};

use super::queues::{Call, Form, of_bytes};

/// What has been before.
#[derive(Arbitrary, Debug)]
struct Before {
    unfinished: Count,
    /// How often the last task has been done.
    turn: Count,
    /// One was killed as it slept.
    slept: bool,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Count {
    Few(u8),
    AlmostAll(u8),
    Any(u32),
}

impl Count {
    fn number(self) -> u32 {
        match self {
            Self::Few(count) => count.into(),
            Self::AlmostAll(less) => u32::MAX - u32::from(less),
            Self::Any(count) => count,
        }
    }
}

#[derive(Arbitrary, Debug)]
enum Op {
    Add(Count),
    Done,
    /// So often in a row.
    DoneOften(u8),
    Join(Form),
    /// One more, as many as still can be.
    AddTheRest,
}

struct Model {
    unfinished: u32,
}

impl Model {
    fn add(&mut self, count: u32) -> Result<(), Overflow> {
        self.unfinished = self.unfinished.checked_add(count).ok_or(Overflow)?;
        Ok(())
    }

    fn done(&mut self) -> Result<(), NoneUnfinished> {
        self.unfinished = self.unfinished.checked_sub(1).ok_or(NoneUnfinished)?;
        Ok(())
    }
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(before) = Before::arbitrary(&mut input) else { return };
    let mut model = Model { unfinished: before.unfinished.number() };
    let low = before.turn.number() << 1 | u32::from(before.slept);
    let word = u64::from(model.unfinished) << 32 | u64::from(low);
    let tasks = of_bytes::<Tasks>(&word.to_ne_bytes());
    agree(&tasks, &model);
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        match op {
            Op::Add(count) => assert_eq!(tasks.add(count.number()), model.add(count.number())),
            Op::AddTheRest => {
                let rest = u32::MAX - model.unfinished;
                assert_eq!(tasks.add(rest), Ok(()));
                model.unfinished = u32::MAX;
                assert_eq!(tasks.add(1), Err(Overflow));
            }
            Op::Done => assert_eq!(tasks.task_done(), model.done()),
            Op::DoneOften(times) => {
                for _ in 0..times {
                    assert_eq!(tasks.task_done(), model.done());
                }
            }
            Op::Join(form) => match form.call(model.unfinished > 0) {
                Call::Wait => tasks.join(),
                Call::Try => assert_eq!(tasks.is_done(), model.unfinished == 0),
                Call::Until(by) => {
                    let expected = if model.unfinished == 0 { Ok(()) } else { Err(TimedOut) };
                    assert_eq!(tasks.join_until(by), expected);
                }
            },
        }
        agree(&tasks, &model);
    }
}

fn agree(tasks: &Tasks, model: &Model) {
    assert_eq!(tasks.unfinished(), model.unfinished);
    assert_eq!(tasks.is_done(), model.unfinished == 0);
    let shown = format!("Tasks {{ unfinished: {}, .. }}", model.unfinished);
    assert_eq!(format!("{tasks:?}"), shown);
}
