#!/usr/bin/env bash
# All that CI checks, in the order in which it is cheapest to fail; stops at the first failure.
# `ci/all.sh lint doc` does only those.
set -euo pipefail
cd "$(dirname "$0")/.."

steps=(python test loom mutants "fuzz --at-once 7 20" layers lint msrv doc no_std "no_std --self-test")
steps+=(instructions examples package arch)
[ $# = 0 ] || steps=("$@")

# A temporary directory of our own shows what is left in it.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/tmp"
export TMPDIR=$work/tmp
# Without debug information, that many tests are built in four fifths of the time.
export CARGO_PROFILE_DEV_DEBUG=false
ci/clean.sh | sort >"$work/before"

for step in "${steps[@]}"; do
    printf '\n== %s\n' "$step"
    start=$SECONDS
    read -ra words <<<"$step"
    timeout 1200 "ci/${words[0]}.sh" "${words[@]:1}" || { echo "== $step: FAILED" && exit 1; }
    echo "== $step: $((SECONDS - start)) s"
done

printf '\n== clean\n'
new=$(ci/clean.sh | sort | comm -13 "$work/before" -)
[ -z "$new" ] || { printf 'left behind:\n%s\n== clean: FAILED\n' "$new" && exit 1; }
echo "== all: $SECONDS s"
