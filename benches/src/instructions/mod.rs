//! How many instructions a call spends in user space, exactly, by stepping through it.
//!
//! No time is measured, and nothing else on the machine can disturb this: the same build gives the
//! same numbers. What the kernel does is not counted; it does the same for both.

mod locks;
mod objects;
mod pipes;
mod processes;
mod sockets;
mod step;

use crate::arguments::Arguments;
use crate::harness::{Record, Table, record};
use crate::helper;

pub(crate) const NAME: &str = "instructions";

/// A call of the crate and the same by hand.
struct Wrapper {
    name: &'static str,
    /// By hand first. Made in the process that is stepped through.
    calls: fn() -> [Call; 2],
}

/// A call that can be made again and again.
struct Call {
    /// What has to happen each time so that the call finds what it needs; not counted.
    before: Box<dyn FnMut()>,
    call: Box<dyn FnMut()>,
}

impl Call {
    fn new<T>(call: impl FnMut() -> T + 'static) -> Self {
        Self::after(|| {}, call)
    }

    fn after<T>(before: impl FnMut() + 'static, mut call: impl FnMut() -> T + 'static) -> Self {
        let call = move || drop(core::hint::black_box(call()));
        Self { before: Box::new(before), call: Box::new(call) }
    }
}

fn all() -> impl Iterator<Item = &'static Wrapper> {
    let all = [pipes::WRAPPERS, sockets::WRAPPERS, objects::WRAPPERS, processes::WRAPPERS];
    all.into_iter().chain([locks::WRAPPERS]).flatten()
}

pub(crate) fn groups() -> Vec<&'static str> {
    all().map(|wrapper| wrapper.name).collect()
}

pub(crate) fn measure(arguments: &Arguments) {
    let header = ["call", "", "libc", "rawipc", "difference"];
    let mut table = Table::new("Instructions in user space", &header);
    for wrapper in all().filter(|wrapper| arguments.wants(NAME, wrapper.name)) {
        helper::watch();
        match step::through(wrapper.calls) {
            Ok([libc, rawipc]) => {
                keep(wrapper.name, "libc", libc);
                keep(wrapper.name, "rawipc", rawipc);
                let more = if rawipc > libc { "MORE" } else { "" };
                let difference = rawipc.cast_signed() - libc.cast_signed();
                table.row([
                    wrapper.name.to_owned(),
                    more.to_owned(),
                    libc.to_string(),
                    rawipc.to_string(),
                    format!("{difference:+}"),
                ]);
            }
            Err(error) => table.notes([format!("{}: not measured: {error}.", wrapper.name)]),
        }
    }
    if cfg!(feature = "peers") && !table.is_empty() {
        let of_this_build = "this build has the peers in it, beside which the compiler inlines \
                             otherwise: some rows say more, or less, than in one without, which is \
                             what ci/instructions.sh counts in, and judges.";
        table.notes([of_this_build.to_owned()]);
    }
    table.print();
}

/// The same each time: a median of one.
fn keep(group: &str, by: &str, instructions: u64) {
    #[allow(clippy::cast_precision_loss, reason = "far fewer than 2^53")]
    let value = instructions as f64;
    record(Record {
        suite: NAME,
        group: group.to_owned(),
        by: by.to_owned(),
        bytes: None,
        processes: None,
        place: "",
        unit: "instructions",
        statistic: "median",
        value,
    });
}
