//! Pictures of made-up numbers.

use super::{Plot, all};
use crate::harness::Record;

const MECHANISMS: [(&str, f64); 18] = [
    ("rawipc, Spsc", 180.0),
    ("rawipc, Mpmc", 290.0),
    ("rtrb", 170.0),
    ("crossbeam, ArrayQueue", 310.0),
    ("rawipc, Pipe", 5200.0),
    ("libc, pipe", 5100.0),
    ("rawipc, Fifo", 5300.0),
    ("rawipc, Stream", 6900.0),
    ("rawipc, SeqPacket", 7100.0),
    ("rawipc, Datagram", 7600.0),
    ("libc, socketpair", 6800.0),
    ("rawipc, posix::Mq", 6100.0),
    ("rawipc, sysv::MsgQueue", 6600.0),
    ("floor, polled memory", 120.0),
    ("rawipc, Memfd, Semaphore", 9000.0),
    ("ipc-channel", 22000.0),
    ("iceoryx2", 900.0),
    ("interprocess", 7000.0),
];

fn record(suite: &'static str, group: &str, by: &str) -> Record {
    Record {
        suite,
        group: group.to_owned(),
        by: by.to_owned(),
        bytes: None,
        processes: None,
        place: "",
        unit: "ns",
        statistic: "median",
        value: 1.0,
    }
}

fn made_up() -> Vec<Record> {
    let mut records = Vec::new();
    for (index, (by, time)) in (0..).zip(MECHANISMS) {
        let place = "two CPUs";
        for (statistic, more) in [("p50", 1.0), ("p99", 1.7), ("p99.9", 4.0 + f64::from(index))] {
            let one = record("mechanisms", "ping-pong", by);
            records.push(Record { bytes: Some(8), place, statistic, value: time * more, ..one });
        }
        for (bytes, more) in [(8, 1.0), (64, 1.2), (4096, 4.0), (65536, 40.0)] {
            let value = 1e3 / time / more;
            let one = record("mechanisms", "stream", by);
            records.push(Record { bytes: Some(bytes), place, unit: "M/s", value, ..one });
        }
    }
    for (index, by) in (1..).zip(["rawipc", "libc", "libc, robust", "std, threads"]) {
        for processes in [1, 2, 3, 4] {
            let value = 50.0 / f64::from(index) / f64::from(processes);
            let processes = usize::try_from(processes).ok();
            let one = record("contended", "mutex", by);
            records.push(Record { processes, unit: "M/s", value, ..one });
        }
    }
    for (index, group) in (0..).zip(["pipe: write and read 8 B", "stream: send 8 B", "poll"]) {
        for (statistic, more) in [("median", 1.0), ("q1", 0.97), ("q3", 1.04)] {
            let value = (0.93 + f64::from(index) / 10.0) * more;
            let one = record("calls", group, "rawipc");
            records.push(Record { unit: "ratio", statistic, value, ..one });
        }
    }
    records
}

fn plot<'a>(plots: &'a [Plot], kind: &str) -> &'a Plot {
    plots.iter().find(|plot| plot.file.starts_with(kind)).expect("there are records for it")
}

/// The texts of a picture.
fn texts(svg: &str) -> Vec<&str> {
    let lines = svg.split("<text").skip(1);
    lines.filter_map(|text| Some(text.split_once('>')?.1.split_once('<')?.0.trim())).collect()
}

#[test]
fn whoever_is_in_the_numbers_is_in_the_picture() {
    let plots = all(&made_up());
    for kind in ["latency", "throughput"] {
        let plots = plots.iter().filter(|plot| plot.file.starts_with(kind));
        let texts: Vec<&str> = plots.flat_map(|plot| texts(&plot.svg)).collect();
        for (by, _) in MECHANISMS {
            assert!(texts.contains(&by), "{by} in {texts:?}");
        }
    }
    for by in ["rawipc", "libc", "libc, robust", "std, threads"] {
        assert!(texts(&plot(&plots, "scaling").svg).contains(&by), "{by}");
    }
    assert!(texts(&plot(&plots, "ratios").svg).contains(&"stream: send 8 B"));
}

#[test]
fn mechanisms_are_in_a_picture_of_their_family() {
    let plots = all(&made_up());
    for (family, one, other) in [
        ("kernel", "rawipc, Pipe", "rawipc, Spsc"),
        ("memory", "rawipc, Spsc", "iceoryx2"),
        ("others", "iceoryx2", "rawipc, Pipe"),
    ] {
        let file = format!("throughput-mechanisms-stream-two-cpus-{family}.svg");
        let texts = texts(&plot(&plots, &file).svg);
        assert!(texts.contains(&one) && !texts.contains(&other), "{one}, no {other} in {texts:?}");
        assert!(texts.contains(&"libc, pipe"), "what all are measured by in {texts:?}");
    }
}

#[test]
fn axes_say_what_they_measure() {
    let plots = all(&made_up());
    for (kind, tick) in [("latency", "10 µs"), ("throughput", "64 KiB"), ("scaling", "3")] {
        let texts = texts(&plot(&plots, kind).svg);
        assert!(texts.contains(&tick), "{tick} in {texts:?}");
    }
}

#[test]
fn no_background_is_painted() {
    let plots = all(&made_up());
    assert_eq!(plots.len(), 6);
    for Plot { svg, .. } in &plots {
        assert!(!svg.contains("#FFFFFF") && !svg.contains("#000000"), "{svg}");
    }
}

#[test]
fn nothing_is_drawn_of_nothing() {
    assert!(all(&[]).is_empty());
    let flat = Record { bytes: Some(8), unit: "M/s", ..record("mechanisms", "stream", "one") };
    assert!(all(&[flat]).is_empty(), "one size is no line");
}

/// For whoever changes what they look like.
#[test]
fn pictures_can_be_looked_at() {
    if let Some(directory) = std::env::var_os("PLOTS") {
        for Plot { file, svg, .. } in all(&made_up()) {
            std::fs::write(std::path::Path::new(&directory).join(file), svg).unwrap();
        }
    }
}
