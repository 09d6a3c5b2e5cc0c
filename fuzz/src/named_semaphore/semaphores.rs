//! The calls, and what each has to say.

use core::fmt::Debug;

use arbitrary::{Arbitrary, Unstructured};
use rawipc::error::{Overflow, TimedOut};
use rawipc::posix::{Mode, Semaphore};
use rawipc::shm::OpenError;
use rawipc::{Deadline, Errno, Name};

use super::files::{Content, Place, Plant, SIZE};

/// How many calls are made, and how many semaphores are open, at most.
const MOST_OPS: usize = 40;
const MOST_OPEN: usize = 8;

const OWNER: Mode = Mode::RUSR.union(Mode::WUSR);

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Which {
    First,
    Second,
}

#[derive(Arbitrary, Clone, Debug)]
enum Op {
    CreateNew(Which, Value),
    Create(Which, Value),
    Open(Which),
    Unlink(Which),
    /// A name that is so many bytes too long.
    TooLong(u8),
    Plant(Which, Plant),
    /// Somebody writes into the file.
    Scribble(Which, u8, u8),
    Read(Which),
    Close(u8),
    Post(u8),
    /// Waiting, if there is a token.
    Wait(u8),
    TryWait(u8),
    WaitUntil(u8, By),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Value {
    Little(u8),
    /// So much more than there may be.
    AboveMost(u8),
    BelowMost(u8),
    Any(u32),
}

impl Value {
    fn number(self) -> u32 {
        match self {
            Self::Little(number) => number.into(),
            Self::AboveMost(number) => Semaphore::MAX + u32::from(number),
            Self::BelowMost(number) => Semaphore::MAX - u32::from(number),
            Self::Any(number) => number,
        }
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum By {
    Now,
    /// Where it need not wait.
    Never,
}

/// All that there is.
struct State {
    places: [Place; 2],
    /// What has these names: numbers of contents.
    named: [Option<usize>; 2],
    /// With those that have no name any more.
    contents: Vec<Content>,
    /// And the number of what it is.
    open: Vec<(Semaphore, usize)>,
}

pub(super) fn run(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let places = [0, 1].map(Place::new);
    let mut state = State { places, named: [None; 2], contents: Vec::new(), open: Vec::new() };
    let mut result = Ok(());
    for _ in 0..MOST_OPS {
        if input.is_empty() || result.is_err() {
            break;
        }
        let Ok(op) = Op::arbitrary(&mut input) else { break };
        result =
            state.make(&op).and_then(|()| state.check()).map_err(|why| format!("{op:?}: {why}"));
    }
    // Before a panic, for which a fuzzer ends the process: the names must not stay.
    state.places.iter().for_each(Place::clear);
    result.unwrap_or_else(|why| panic!("{why}"));
}

/// Says so, if they are not the same.
#[track_caller]
fn same<T: Debug + PartialEq>(found: &T, expected: &T) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let line = core::panic::Location::caller().line();
    Err(format!("found {found:?}, not {expected:?} (line {line})"))
}

impl State {
    fn make(&mut self, op: &Op) -> Result<(), String> {
        match *op {
            Op::CreateNew(which, value) => {
                let made = Semaphore::create_new(self.name(which), OWNER, value.number());
                let expected = self.expect_create_new(which, value.number());
                same(&made.as_ref().err().copied(), &expected.err())?;
                self.keep(which, made);
                Ok(())
            }
            Op::Create(which, value) => {
                let made = Semaphore::create(self.name(which), OWNER, value.number());
                let expected = match self.expect_open(which) {
                    Err(OpenError::Os(Errno::NOENT)) => {
                        self.expect_create_new(which, value.number()).map_err(Into::into)
                    }
                    answer => answer,
                };
                same(&made.as_ref().err().copied(), &expected.err())?;
                self.keep(which, made);
                Ok(())
            }
            Op::Open(which) => {
                let opened = Semaphore::open(self.name(which));
                same(&opened.as_ref().err().copied(), &self.expect_open(which).err())?;
                self.keep(which, opened);
                Ok(())
            }
            Op::Unlink(which) => self.unlink(which),
            Op::TooLong(more) => {
                let letters = [b'/'].into_iter().chain([b'n'; 252]);
                let name: Vec<u8> = letters.chain((0..more % 4).map(|_| b'm')).collect();
                refuses(&Name::new(&name).map_err(|why| format!("{why:?}"))?)
            }
            Op::Plant(which, ref plant) => {
                if self.named[which as usize].is_none() {
                    let content = self.places[which as usize].plant(plant);
                    self.name_it(which, content);
                }
                Ok(())
            }
            Op::Scribble(which, at, byte) => {
                let at = usize::from(at) % SIZE;
                if let Some(bytes) = self.named_file(which).filter(|bytes| bytes.len() == SIZE) {
                    bytes[at] = byte;
                    self.places[which as usize].write(at, &[byte]);
                }
                Ok(())
            }
            Op::Read(which) => match self.named_file(which).cloned() {
                Some(bytes) => same(&self.places[which as usize].read(), &bytes),
                None => Ok(()),
            },
            Op::Close(nth) => {
                if !self.open.is_empty() {
                    drop(self.open.swap_remove(usize::from(nth) % self.open.len()));
                }
                Ok(())
            }
            Op::Post(_) | Op::Wait(_) | Op::TryWait(_) | Op::WaitUntil(..) => self.use_one(op),
        }
    }

    /// Posts or waits.
    fn use_one(&mut self, op: &Op) -> Result<(), String> {
        let (Op::Post(nth) | Op::Wait(nth) | Op::TryWait(nth) | Op::WaitUntil(nth, _)) = *op else {
            return Ok(());
        };
        let Some(nth) = usize::from(nth).checked_rem(self.open.len()) else { return Ok(()) };
        let (semaphore, content) = &self.open[nth];
        let Content::File(bytes) = &mut self.contents[*content] else {
            return Err("opened what is no file".into());
        };
        let mut value = value_in(bytes);
        let has_token = value > 0;
        match *op {
            Op::Post(_) => {
                let has_room = value < Semaphore::MAX;
                same(&semaphore.post(), &if has_room { Ok(()) } else { Err(Overflow) })?;
                value += u32::from(has_room);
            }
            Op::Wait(_) if has_token => semaphore.wait(),
            Op::TryWait(_) => same(&semaphore.try_wait(), &has_token)?,
            Op::WaitUntil(_, by) => {
                let is_endless = has_token && matches!(by, By::Never);
                let by = if is_endless { Deadline::NEVER } else { Deadline::now() };
                let expected = if has_token { Ok(()) } else { Err(TimedOut) };
                same(&semaphore.wait_until(by), &expected)?;
            }
            _ => {}
        }
        if !matches!(op, Op::Post(_)) {
            value -= u32::from(has_token);
        }
        let [word, _] = halves(bytes);
        word.copy_from_slice(&value.to_ne_bytes());
        Ok(())
    }

    fn unlink(&mut self, which: Which) -> Result<(), String> {
        let named = self.named[which as usize];
        let is_directory =
            named.is_some_and(|content| matches!(self.contents[content], Content::Directory));
        let expected = match named {
            None => Err(Errno::NOENT),
            Some(_) if is_directory => Err(Errno::ISDIR),
            Some(_) => Ok(()),
        };
        same(&Semaphore::unlink(self.name(which)), &expected)?;
        // A directory goes too, so that others can have its name.
        self.places[which as usize].clear();
        self.named[which as usize] = None;
        Ok(())
    }

    fn name(&self, which: Which) -> &Name {
        &self.places[which as usize].name
    }

    fn name_it(&mut self, which: Which, content: Content) {
        self.named[which as usize] = Some(self.contents.len());
        self.contents.push(content);
    }

    fn named_file(&mut self, which: Which) -> Option<&mut Vec<u8>> {
        match &mut self.contents[self.named[which as usize]?] {
            Content::File(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn expect_open(&self, which: Which) -> Result<(), OpenError> {
        let named = self.named[which as usize].ok_or(Errno::NOENT)?;
        self.contents[named].opened()
    }

    /// What creating one comes to; then it is there.
    fn expect_create_new(&mut self, which: Which, value: u32) -> Result<(), Errno> {
        if value > Semaphore::MAX {
            return Err(Errno::INVAL);
        }
        if self.named[which as usize].is_some() {
            return Err(Errno::EXIST);
        }
        self.name_it(which, Content::semaphore(value, 0));
        Ok(())
    }

    fn keep<E>(&mut self, which: Which, semaphore: Result<Semaphore, E>) {
        if let (Ok(semaphore), Some(content)) = (semaphore, self.named[which as usize]) {
            self.open.truncate(MOST_OPEN - 1);
            self.open.push((semaphore, content));
        }
    }

    /// That all who have one open see the same.
    fn check(&self) -> Result<(), String> {
        for (semaphore, content) in &self.open {
            let Content::File(bytes) = &self.contents[*content] else {
                return Err("opened what is no file".into());
            };
            let value = value_in(bytes);
            same(&semaphore.value(), &value)?;
            same(&format!("{semaphore:?}"), &format!("Semaphore {{ value: {value}, .. }}"))?;
        }
        Ok(())
    }
}

/// The value and how many wait, as they lie there.
fn halves(bytes: &mut [u8]) -> [&mut [u8]; 2] {
    let (word, _) = bytes.split_at_mut(8);
    let (first, second) = word.split_at_mut(4);
    if cfg!(target_endian = "little") { [first, second] } else { [second, first] }
}

fn value_in(bytes: &[u8]) -> u32 {
    let mut copy = bytes.to_vec();
    let [value, _] = halves(&mut copy);
    u32::from_ne_bytes(value.try_into().expect("four bytes"))
}

/// That nothing can be done with a name so long.
fn refuses(name: &Name) -> Result<(), String> {
    let refused = Some(OpenError::Os(Errno::INVAL));
    same(&Semaphore::create_new(name, OWNER, 1).err(), &Some(Errno::INVAL))?;
    same(&Semaphore::create(name, OWNER, 1).err(), &refused)?;
    same(&Semaphore::open(name).err(), &refused)?;
    same(&Semaphore::unlink(name), &Err(Errno::INVAL))
}
