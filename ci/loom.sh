#!/usr/bin/env bash
# The models of what lives in shared memory: free of warnings, and they hold. In a target directory
# of their own, as other flags build everything anew.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-target}/loom
export RUSTFLAGS="--cfg loom"
# It does not see through the modelled atomics that something changes.
cargo clippy --locked --test loom -- -D warnings -A clippy::must_use_candidate
cargo test --locked --release --test loom
