#!/usr/bin/env bash
# Form: rustfmt's, clippy's with every set of features, a hundred columns, and shellcheck's; also of
# the packages that are not published.
set -euo pipefail
cd "$(dirname "$0")/.."

for features in --no-default-features --all-features ""; do
    # shellcheck disable=SC2086 # none or one
    cargo clippy --locked --all-targets $features -- -D warnings
done
cp Cargo.lock ci/freestanding/ # the versions that the crate itself is tested with
for manifest in $(git ls-files -co --exclude-standard '*Cargo.toml'); do
    cargo fmt --check --manifest-path "$manifest"
    [ "$manifest" = Cargo.toml ] || cargo clippy --manifest-path "$manifest" \
        --target-dir "${CARGO_TARGET_DIR:-target}" -- -D warnings
done
rustfmt --edition 2024 --check ci/arch/*.rs

# A line with an address, and that of a table in the docs, cannot be broken.
long='^(?!.*://|\s*//[/!] \|).{101,}'
if git ls-files -z -co --exclude-standard '*.rs' | LC_ALL=C.UTF-8 xargs -0 grep -snHP "$long"; then
    echo "longer than 100 columns"
    exit 1
fi

if command -v shellcheck >/dev/null; then
    shellcheck .ci/run ci/*.sh
else
    echo "skipped: no shellcheck"
    [ "${CI:-}" != true ]
fi
