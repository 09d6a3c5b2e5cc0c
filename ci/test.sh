#!/usr/bin/env bash
# The tests as a user runs them, without the standard library in the crate, and as an optimised
# build has them: that is where undefined behaviour and races show.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test
cargo test --locked --no-default-features
cargo build --locked --release --examples # some tests run them
cargo test --locked --release --tests
