//! A pipe, written and read again.

use std::io::{Read as _, Write as _};

use rawipc::pipe::Pipe;

use crate::by_hand;
use crate::harness::{Contender, Group};

pub(super) const GROUPS: &[Group] = &[
    Group { name: "pipe: write and read 8 B", contenders: write_and_read::<8> },
    Group { name: "pipe: write and read 4 KiB", contenders: write_and_read::<4096> },
];

fn write_and_read<const N: usize>() -> Vec<Contender> {
    vec![libc::<N>(), rawipc::<N>(), rustix::<N>(), nix::<N>(), std::<N>()]
}

fn libc<const N: usize>() -> Contender {
    let (reader, writer) = by_hand::pipe(0).unwrap();
    let (bytes, mut buffer) = ([7; N], [0; N]);
    Contender::new("libc", move || {
        by_hand::write(&writer, &bytes).unwrap();
        by_hand::read(&reader, &mut buffer).unwrap()
    })
}

fn rawipc<const N: usize>() -> Contender {
    let Pipe { reader, writer } = Pipe::new().unwrap();
    let (bytes, mut buffer) = ([7; N], [0; N]);
    Contender::new("rawipc", move || {
        writer.write(&bytes).unwrap();
        reader.read(&mut buffer).unwrap().len()
    })
}

fn rustix<const N: usize>() -> Contender {
    let (reader, writer) = rustix::pipe::pipe().unwrap();
    let (bytes, mut buffer) = ([7; N], [0; N]);
    Contender::new("rustix", move || {
        rustix::io::write(&writer, &bytes).unwrap();
        rustix::io::read(&reader, &mut buffer).unwrap()
    })
}

fn nix<const N: usize>() -> Contender {
    let (reader, writer) = nix::unistd::pipe().unwrap();
    let (bytes, mut buffer) = ([7; N], [0; N]);
    Contender::new("nix", move || {
        nix::unistd::write(&writer, &bytes).unwrap();
        nix::unistd::read(&reader, &mut buffer).unwrap()
    })
}

fn std<const N: usize>() -> Contender {
    let (mut reader, mut writer) = std::io::pipe().unwrap();
    let (bytes, mut buffer) = ([7; N], [0; N]);
    Contender::new("std", move || {
        let _written = writer.write(&bytes).unwrap();
        reader.read(&mut buffer).unwrap()
    })
}
