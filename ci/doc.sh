#!/usr/bin/env bash
# The documentation: builds without a warning, for users and for ourselves, and no link between
# files is dead. The examples in it run with `cargo test`.
set -euo pipefail
cd "$(dirname "$0")/.."

export RUSTDOCFLAGS="-D warnings"
cargo doc --locked --no-deps
cargo doc --locked --no-deps --no-default-features
cargo doc --locked --no-deps --document-private-items

dead=0
while read -r file; do
    # [text](target) and [label]: target, but not those with a scheme, nor those within the file.
    while read -r target; do
        [ -e "$(dirname "$file")/$target" ] || { echo "$file: dead link to $target" && dead=1; }
    done < <(grep -oP '(\]\(|^\s*\[[^\]]+\]:\s*)\K(?![a-z]+:)[^)#\s]+' "$file" || true)
done < <(git ls-files -co --exclude-standard '*.md')
exit "$dead"
