//! What calls cost within one process, by criterion: for whoever changes one of them and wants to
//! know what that did. The same ways as in the tables, but each by itself and not in turns.

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, contenders) in rawipc_benches::in_process() {
        let mut group = criterion.benchmark_group(name);
        for mut contender in contenders {
            group.bench_function(contender.name(), |bencher| {
                bencher.iter_custom(|times| contender.time(times));
            });
        }
    }
    criterion.final_summary();
}
