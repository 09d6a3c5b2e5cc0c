//! What calls cost within one process, by criterion: for whoever changes one of them and wants to
//! know what that did. The same ways as in the tables, each by itself and not in turns.

use criterion::{Criterion, criterion_group, criterion_main};

fn in_process(criterion: &mut Criterion) {
    for (name, contenders) in rawipc_benches::in_process() {
        let mut group = criterion.benchmark_group(name);
        for mut contender in contenders {
            group.bench_function(contender.name(), |bencher| {
                bencher.iter_custom(|times| contender.time(times));
            });
        }
    }
}

criterion_group!(benches, in_process);
criterion_main!(benches);
