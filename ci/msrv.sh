#!/usr/bin/env bash
# Builds the library with the oldest compiler that Cargo.toml promises, where that is installed (one
# job of the workflow has it). Everywhere, what can be known without it: no dependency declares a
# newer one, and src/ has no newer syntax. Library items are clippy's (`incompatible_msrv`). To a
# parser of the 2021 edition, let chains, which came after 1.85, are an error.
set -euo pipefail
cd "$(dirname "$0")/.."

msrv=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' Cargo.toml)
for file in $(find src -name '*.rs' | sort); do
    rustfmt --edition 2021 <"$file" >/dev/null || { echo "in $file" && exit 1; }
done
cargo metadata --locked --format-version 1 | PYTHONDONTWRITEBYTECODE=1 python3 ci/msrv.py

if rustup toolchain list | grep "^${msrv}[.-]"; then
    rustup run "$msrv" cargo check --locked --lib
    rustup run "$msrv" cargo check --locked --lib --no-default-features
else
    echo "skipped: no toolchain $msrv to build with"
fi
