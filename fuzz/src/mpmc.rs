//! `Mpmc` against a list of values.

use core::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::queue::{Closed, Mpmc, PopError, PushError};
use rawipc::shm::Plain;

use super::queues::{Call, Form, Model, SlotOf, Start, nth, of_some_type, of_words};

#[derive(Arbitrary, Debug)]
struct Before {
    shape: u8,
    start: Start,
    /// How many slots are known to be free.
    known: u8,
}

#[derive(Arbitrary, Debug)]
enum Op {
    Push(Form),
    PushSlice(Form, u8),
    Pop(Form),
    PopSlice(Form, u8),
    Drain(u8),
    Show,
    /// If both are so: which is one input in many, so that most queues are tried open.
    Close(bool, bool),
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(before) = Before::arbitrary(&mut input) else { return };
    of_some_type!(before.shape, is_a_queue(&before, input));
}

/// Where they lie.
const TAIL: usize = 128;
const HEAD: usize = 256;
const FREED: usize = 384;

/// One that is empty, after as many values as `before` says.
fn empty<T: Plain + Send, const N: usize>(before: &Before) -> Mpmc<T, N> {
    let start = before.start.position();
    // The lowest bit says whether it is closed.
    let word = |position: u64| position.wrapping_mul(2);
    let turn = |position: u64| word(position) / 2 / N as u64;
    let known = u64::from(before.known) % (N as u64 + 1);
    let slots = FREED + (8 * N).next_multiple_of(128);
    let positions =
        [(TAIL, word(start)), (TAIL + 8, word(start.wrapping_add(known))), (HEAD, word(start))];
    let each = (0..N as u64).flat_map(|ahead| {
        let next = start.wrapping_add(ahead);
        let at = usize::try_from(next % N as u64).expect("an index");
        // Before the first turn there is none.
        let last = if matches!(before.start, Start::New) {
            0
        } else {
            turn(next.wrapping_sub(N as u64)) + 1
        };
        [(FREED + 8 * at, turn(next)), (slots + SlotOf::<T>::SIZE * at, last)]
    });
    of_words(positions.into_iter().chain(each))
}

fn is_a_queue<T: Plain + Send + Debug + PartialEq, const N: usize>(
    before: &Before,
    mut input: Unstructured<'_>,
) {
    let (queue, mut model) = (empty::<T, N>(before), Model::<T>::new(N));
    agree(&queue, &model);
    while !input.is_empty() {
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        let count = |count: u8| usize::from(count) % (N + 3);
        match op {
            Op::Push(form) => push(form, &queue, &mut model),
            Op::PushSlice(form, many) => push_slice(form, count(many), &queue, &mut model),
            Op::Pop(form) => pop(form, &queue, &mut model),
            Op::PopSlice(form, many) => pop_slice(form, count(many), &queue, &mut model),
            Op::Drain(many) => {
                let drained: Vec<_> = queue.drain().take(count(many)).collect();
                assert_eq!(drained, model.pop_slice(count(many)).unwrap_or_default());
            }
            Op::Show => {
                let (len, is_closed) = (model.len(), model.is_closed);
                let shown = format!("Mpmc {{ len: {len}, is_closed: {is_closed}, .. }}");
                assert_eq!(format!("{queue:?}"), shown);
            }
            Op::Close(first, second) => {
                if first && second {
                    queue.close();
                    model.is_closed = true;
                }
            }
        }
        agree(&queue, &model);
    }
    let rest: Vec<_> = queue.drain().collect();
    assert_eq!(rest, Vec::from(core::mem::take(&mut model.values)));
    queue.close();
    assert_eq!(queue.pop(), Err(Closed(())));
}

fn push<T: Plain + Send + Debug + PartialEq, const N: usize>(
    form: Form,
    queue: &Mpmc<T, N>,
    model: &mut Model<T>,
) {
    let value = model.fresh();
    let pushed = match form.call(model.is_full(1)) {
        Call::Try => queue.try_push(value),
        Call::Until(by) => queue.push_until(value, by),
        Call::Wait => queue.push(value).map_err(|Closed(value)| PushError::Closed(value)),
    };
    assert!(pushed == model.push(value), "{pushed:?}");
}

fn push_slice<T: Plain + Send + Debug + PartialEq, const N: usize>(
    form: Form,
    count: usize,
    queue: &Mpmc<T, N>,
    model: &mut Model<T>,
) {
    let values = model.some_fresh(count);
    let pushed = match form.call(model.is_full(count)) {
        Call::Try => queue.try_push_slice(&values),
        Call::Until(by) => queue.push_slice_until(&values, by),
        Call::Wait => queue.push_slice(&values).map_err(|Closed(())| PushError::Closed(())),
    };
    assert_eq!(pushed, model.push_slice(&values));
}

fn pop<T: Plain + Send + Debug + PartialEq, const N: usize>(
    form: Form,
    queue: &Mpmc<T, N>,
    model: &mut Model<T>,
) {
    let popped = match form.call(model.is_bare()) {
        Call::Try => queue.try_pop(),
        Call::Until(by) => queue.pop_until(by),
        Call::Wait => queue.pop().map_err(|Closed(())| PopError::Closed),
    };
    assert_eq!(popped, model.pop());
}

fn pop_slice<T: Plain + Send + Debug + PartialEq, const N: usize>(
    form: Form,
    most: usize,
    queue: &Mpmc<T, N>,
    model: &mut Model<T>,
) {
    let untouched = nth(u64::MAX);
    let mut room = vec![untouched; most];
    let popped = match form.call(most > 0 && model.is_bare()) {
        Call::Try => queue.try_pop_slice(&mut room),
        Call::Until(by) => queue.pop_slice_until(&mut room, by),
        Call::Wait => queue.pop_slice(&mut room).map_err(|Closed(())| PopError::Closed),
    };
    let popped = popped.map(|popped| popped.to_vec());
    assert_eq!(popped, model.first(most));
    let count = popped.map_or(0, |popped| popped.len());
    model.values.drain(..count);
    assert!(room[count..].iter().all(|value| *value == untouched));
}

fn agree<T: Plain + Send + Debug + PartialEq, const N: usize>(
    queue: &Mpmc<T, N>,
    model: &Model<T>,
) {
    assert_eq!((queue.len(), queue.is_empty()), (model.len(), model.len() == 0));
    assert_eq!(queue.is_closed(), model.is_closed);
}
