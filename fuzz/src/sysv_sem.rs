//! A System V semaphore set: changes of several at once, all or none, as the model makes them; and
//! what is undone when this process lets go of what it is to undo.

use std::fs;
use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::sysv::sem::{MAX_VALUE, Operation};
use rawipc::sysv::{Key, SemSet};
use rawipc::{Deadline, Errno, Result};
use rustix::process::getpid;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use super::apart::{OWNER, apart};

#[derive(Arbitrary, Debug)]
struct Setup {
    keyed: bool,
    count: u8,
    values: [u8; 4],
    /// Before which operation it is removed, if not at the end.
    removed_before: Option<u8>,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Operate { form: Form, times: u8, changes: Vec<Change> },
    Wait { form: Form, index: u8 },
    Post { index: u8 },
    SetValue { index: u8, value: u8 },
    SetValues { more: i8, values: [u8; 5] },
    Values { more: i8 },
    Undo,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Form {
    Blocking,
    Try,
    /// With a deadline that is over.
    Until,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
struct Change {
    index: u8,
    by: i8,
    undo: bool,
}

/// A change, as it is made: of which, by how much, and whether it is to be undone.
type Made = (u16, i16, bool);

/// What the set should be like.
#[derive(Clone, Debug)]
struct Model {
    values: Vec<i32>,
    /// What is to be added at this process's end.
    undo: Vec<i32>,
    removed: bool,
}

/// Whether it would have to sleep, or what else.
#[derive(Debug)]
enum Refused {
    Asleep,
    With(Errno),
}

pub(super) fn run(data: &[u8]) {
    apart();
    let mut input = Unstructured::new(data);
    let Ok(setup) = input.arbitrary::<Setup>() else { return };
    let values: Vec<u16> = setup.values.iter().map(|&of| value(of)).collect();
    let values = &values[..usize::from(setup.count) % 5];
    let Some((set, key)) = create(setup.keyed, values) else { return };
    let mut model = Model {
        values: values.iter().map(|&value| value.into()).collect(),
        undo: vec![0; values.len()],
        removed: false,
    };
    model.check(set);
    let mut count = 0_u8;
    while !input.is_empty() {
        if setup.removed_before == Some(count) && !model.removed {
            model.remove(set, key);
        }
        let Ok(op) = input.arbitrary::<Op>() else { break };
        model.try_one(set, &op);
        model.check(set);
        count = count.saturating_add(1);
    }
    if !model.removed {
        model.remove(set, key);
    }
    model.check(set);
    assert_eq!(set.remove(), Err(Errno::INVAL));
}

/// The set, if these values can be had.
fn create(keyed: bool, values: &[u16]) -> Option<(SemSet, Key)> {
    let created = if keyed {
        SemSet::create_unique(OWNER, values)
    } else {
        SemSet::create_new(Key::PRIVATE, OWNER, values).map(|set| (set, Key::PRIVATE))
    };
    let refused = match values.iter().max() {
        None => Err(Errno::INVAL),
        Some(&highest) if highest > MAX_VALUE => Err(Errno::RANGE),
        Some(_) => Ok(()),
    };
    assert_eq!(created.map(drop), refused, "{values:?}");
    let (set, key) = created.ok()?;
    if keyed {
        assert_eq!(SemSet::open(key), Ok(set));
        assert_eq!(SemSet::try_open(key), Ok(set));
        assert_eq!(SemSet::open_until(key, Deadline::now()), Ok(set));
        assert_eq!(SemSet::create_new(key, OWNER, &[0]), Err(Errno::EXIST));
        // Its values stay; but more than there are, it has not got.
        assert_eq!(SemSet::create(key, OWNER, &[u16::MAX]), Ok(set));
        assert_eq!(SemSet::create(key, OWNER, &[0; 5]), Err(Errno::INVAL));
    }
    Some((set, key))
}

/// How many operations the system allows at once.
fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        let told = fs::read_to_string("/proc/sys/kernel/sem").expect("limits");
        let third = told.split_whitespace().nth(2).expect("a third");
        third.parse().expect("a number")
    })
}

fn value(of: u8) -> u16 {
    match of {
        255 => MAX_VALUE + 1,
        254 => MAX_VALUE,
        253 => MAX_VALUE - 1,
        252 => u16::MAX,
        _ => u16::from(of % 4),
    }
}

impl Model {
    fn try_one(&mut self, set: SemSet, op: &Op) {
        match *op {
            Op::Operate { form, times, ref changes } => {
                // Seldom more than a few.
                let times = usize::from(times.saturating_sub(191).max(1));
                let few = changes.iter().take(12);
                let few: Vec<_> = few.map(|&change| self.of(change)).collect();
                self.operate(set, form, &few.repeat(times));
            }
            Op::Wait { form, index } => {
                let index = self.index(index);
                let expected = match self.changed(&[(index, -1, false)]) {
                    Err(Refused::Asleep) if matches!(form, Form::Blocking) => return,
                    answer => self.accept(answer, form),
                };
                let got = match form {
                    Form::Blocking => set.wait(index),
                    Form::Try => set.try_wait(index),
                    Form::Until => set.wait_until(index, Deadline::now()),
                };
                assert_eq!(got, expected, "{op:?}: {self:?}");
            }
            Op::Post { index } => {
                let index = self.index(index);
                let expected = self.changed(&[(index, 1, false)]);
                let expected = self.accept(expected, Form::Blocking);
                assert_eq!(set.post(index), expected, "{op:?}: {self:?}");
            }
            Op::SetValue { index, value: of } => self.set_value(set, self.index(index), value(of)),
            Op::SetValues { more, values } => {
                let values: Vec<_> = values.iter().map(|&of| value(of)).collect();
                self.set_values(set, &values[..self.places(more)]);
            }
            Op::Values { more } => {
                let mut values = vec![u16::MAX; self.places(more)];
                let fits = !self.removed && values.len() == self.values.len();
                let got = set.values(&mut values);
                assert_eq!(got, if fits { Ok(()) } else { Err(Errno::INVAL) });
                assert!(fits || values.iter().all(|&value| value == u16::MAX));
            }
            Op::Undo => {
                // SAFETY: descriptors stay shared between the threads.
                unsafe { unshare_unsafe(UnshareFlags::SYSVSEM) }.expect("it takes no privilege");
                for (value, undo) in self.values.iter_mut().zip(&mut self.undo) {
                    *value = (*value + core::mem::take(undo)).clamp(0, MAX_VALUE.into());
                }
            }
        }
    }

    fn operate(&mut self, set: SemSet, form: Form, changes: &[Made]) {
        let expected = match self.changed(changes) {
            Err(Refused::Asleep) if matches!(form, Form::Blocking) => return,
            answer => self.accept(answer, form),
        };
        let operations: Vec<_> = changes.iter().map(|&change| operation(change)).collect();
        let got = match form {
            Form::Blocking => set.operate(&operations),
            Form::Try => set.try_operate(&operations),
            Form::Until => set.operate_until(&operations, Deadline::now()),
        };
        assert_eq!(got, expected, "{form:?} {changes:?}: {self:?}");
    }

    /// The model after these changes, if they can be made.
    fn changed(&self, changes: &[Made]) -> Result<Self, Refused> {
        if changes.is_empty() {
            return Err(Refused::With(Errno::INVAL));
        }
        if changes.len() > most() {
            return Err(Refused::With(Errno::TOOBIG));
        }
        if self.removed {
            return Err(Refused::With(Errno::INVAL));
        }
        if changes.iter().any(|&(index, ..)| usize::from(index) >= self.values.len()) {
            return Err(Refused::With(Errno::FBIG));
        }
        let highest = i32::from(MAX_VALUE);
        let mut next = self.clone();
        for &(index, by, undo) in changes {
            let (index, by) = (usize::from(index), i32::from(by));
            let value = &mut next.values[index];
            if (by == 0 && *value != 0) || *value + by < 0 {
                return Err(Refused::Asleep);
            }
            *value += by;
            if *value > highest {
                return Err(Refused::With(Errno::RANGE));
            }
            if undo {
                next.undo[index] -= by;
                // The kernel counts this, too, in 16 bits.
                if !(-highest - 1..=highest).contains(&next.undo[index]) {
                    return Err(Refused::With(Errno::RANGE));
                }
            }
        }
        Ok(next)
    }

    /// Becomes what it should; or what the form says that was called.
    fn accept(&mut self, changed: Result<Self, Refused>, form: Form) -> Result<()> {
        match (changed, form) {
            (Ok(next), _) => {
                *self = next;
                Ok(())
            }
            (Err(Refused::With(errno)), _) => Err(errno),
            (Err(Refused::Asleep), Form::Until) => Err(Errno::TIMEDOUT),
            (Err(Refused::Asleep), _) => Err(Errno::AGAIN),
        }
    }

    fn set_value(&mut self, set: SemSet, index: u16, value: u16) {
        let got = set.set_value(index, value);
        if value > MAX_VALUE {
            return assert_eq!(got, Err(Errno::RANGE));
        }
        let at = usize::from(index);
        if self.removed || at >= self.values.len() {
            return assert_eq!(got, Err(Errno::INVAL));
        }
        assert_eq!(got, Ok(()));
        (self.values[at], self.undo[at]) = (value.into(), 0);
    }

    fn set_values(&mut self, set: SemSet, values: &[u16]) {
        let got = set.set_values(values);
        if self.removed || values.len() != self.values.len() {
            return assert_eq!(got, Err(Errno::INVAL));
        }
        if values.iter().any(|&value| value > MAX_VALUE) {
            return assert_eq!(got, Err(Errno::RANGE));
        }
        assert_eq!(got, Ok(()));
        self.values = values.iter().map(|&value| value.into()).collect();
        self.undo.fill(0);
    }

    fn remove(&mut self, set: SemSet, key: Key) {
        assert_eq!(SemSet::from_id(set.id()).remove(), Ok(()));
        assert_eq!(SemSet::open(key), Err(Errno::NOENT));
        self.removed = true;
    }

    fn check(&self, set: SemSet) {
        let count = self.values.len();
        if self.removed {
            assert_eq!(set.value(0), Err(Errno::INVAL));
            return assert_eq!(set.status().map(drop), Err(Errno::INVAL));
        }
        let is = set.status().expect("its status");
        assert_eq!((is.semaphores, is.permissions.mode), (count, OWNER));
        assert_ne!(is.operation_time, 0);
        let mut values = vec![0; count];
        assert_eq!(set.values(&mut values), Ok(()));
        assert!(
            values.iter().map(|&value| i32::from(value)).eq(self.values.iter().copied()),
            "{values:?}: {self:?}"
        );
        let last = u16::try_from(count - 1).expect("few");
        assert_eq!(set.value(last), Ok(values[count - 1]));
        assert_eq!(set.value(last + 1), Err(Errno::INVAL));
        assert_eq!((set.waiting(last), set.waiting_for_zero(last)), (Ok(0), Ok(0)));
        assert_eq!(set.last_operator(last), Ok(Some(getpid())));
    }

    fn of(&self, change: Change) -> Made {
        let by = match change.by {
            127 => i16::MAX,
            126 => i16::MAX - 1,
            -128 => i16::MIN,
            -127 => -i16::MAX,
            few => i16::from(few % 4),
        };
        (self.index(change.index), by, change.undo)
    }

    /// Mostly one that there is.
    fn index(&self, of: u8) -> u16 {
        let count = u16::try_from(self.values.len()).expect("few");
        match of {
            255 => u16::MAX,
            254 => count,
            _ => u16::from(of) % count,
        }
    }

    /// Mostly as many as there are values; one more or fewer.
    fn places(&self, more: i8) -> usize {
        match more {
            127 => self.values.len() + 1,
            -128 => self.values.len() - 1,
            _ => self.values.len(),
        }
    }
}

fn operation((index, by, undo): Made) -> Operation {
    let operation = match by {
        0 => Operation::wait_for_zero(index),
        1 => Operation::post(index),
        -1 => Operation::wait(index),
        _ => Operation::change(index, by),
    };
    if undo { operation.undo() } else { operation }
}
