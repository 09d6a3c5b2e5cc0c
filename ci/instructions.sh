#!/usr/bin/env bash
# Wants that no wrapper takes more instructions in user space than the same call by hand, in a
# release build; those that do are in instructions.txt, with the reason. Counted by single steps: it
# takes ptrace, no performance counters, and no quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 ci/instructions.py --self-test
[ "${1:-}" != --self-test ] || exit 0

target=${CARGO_TARGET_DIR:-$PWD/target}/benches
# What the crate is compared with elsewhere takes long to build, and is not needed here.
CARGO_TARGET_DIR=$target cargo build --quiet --release --no-default-features \
    --manifest-path benches/Cargo.toml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
timeout 600 "$target/release/rawipc-benches" --noisy instructions >"$work/table"
python3 ci/instructions.py "$work/table"
