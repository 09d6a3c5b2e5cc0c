#!/usr/bin/env bash
# Runs each fuzz target, or those that are named, for so many seconds, as many at a time as there
# are processors, with the address sanitizer on. What crashes or hangs is kept in fuzz/artifacts/,
# and that is a failure. What else is found stays in target/fuzz/corpus/, without what adds nothing.
#
# usage: ci/fuzz.sh [--keep] [--at-once N] SECONDS [TARGET...]
#
#   --keep       adds to the corpus in fuzz/corpus/ what reaches code that it does not
#   --at-once N  so many at a time
set -euo pipefail
cd "$(dirname "$0")/.."

keep=false
at_once=$(nproc)
while [[ ${1:-} = --* ]]; do
    case $1 in
        --keep) keep=true && shift ;;
        --at-once) at_once=$2 && shift 2 ;;
        *) echo "no such option: $1" >&2 && exit 2 ;;
    esac
done
seconds=${1:?how many seconds?}
shift
nightly=${RAWIPC_NIGHTLY:-nightly}
version=0.13.2
tools=$PWD/target/tools
export PATH=$tools/bin:$PATH
if ! cargo fuzz --version 2>/dev/null | grep -qF " $version"; then
    cargo install --quiet --locked --root "$tools" --version "$version" cargo-fuzz
fi

# The largest corpora first: to make them small again takes longest, one processor each.
by_size() {
    local target
    while read -r target; do
        printf '%s\t%s\n' "$(find "fuzz/corpus/$target" -type f | wc -l)" "$target"
    done | sort -rn | cut -f 2
}
targets=("$@")
[ $# != 0 ] || mapfile -t targets < <(cargo fuzz list | by_size)
work=$PWD/target/fuzz
mkdir -p "$work/corpus" "$work/logs"
triple=$(rustc -vV | sed -n 's/^host: //p')
cargo "+$nightly" fuzz build --target "$triple" --target-dir "$work"

# merge OPTION... TO FROM...
merge() {
    "$program" -merge=1 -set_cover_merge=1 -timeout=20 -rss_limit_mb=4096 \
        -artifact_prefix="$artifacts/" "$@" >"$log.merge" 2>&1 || { tail "$log.merge" && return 1; }
}

# fuzz TARGET: the table's row is the last line that it prints.
fuzz() {
    local target=$1 program=$work/$triple/release/$1 log=$work/logs/$1
    local seeds=fuzz/corpus/$target grown=$work/corpus/$target least=$work/corpus/$target.least
    local artifacts=fuzz/artifacts/$target status=0 findings
    mkdir -p "$grown" "$artifacts"
    touch "$log.start"
    "$program" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$artifacts/" "$grown" "$seeds" >"$log" 2>&1 || status=$?
    # Those of earlier runs are somebody else's.
    findings=$(find "$artifacts" -type f -newer "$log.start" ! -name 'slow-unit-*' | wc -l)
    if [ "$status" != 0 ]; then
        grep -A 9 -E 'panicked at|^==[0-9]+==ERROR' "$log" || true
        tail -n 12 "$log"
        echo "$target: exit status $status; inputs in $artifacts"
    fi
    # Of what has been found, as little as reaches the same.
    rm -rf "$least"
    mkdir "$least"
    merge "$least" "$seeds" "$grown" || status=1
    rm -rf "$grown"
    mv "$least" "$grown"
    # And into the corpus, what reaches code that nothing else there does: how often does not count.
    if $keep; then
        merge -use_counters=0 "$seeds" "$grown" || status=1
    fi
    local executions edges features inputs
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    features=$(sed -n 's/.* ft: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
    inputs=$(find "$grown" -type f | wc -l)
    # shellcheck disable=SC2016 # Markdown's
    printf '| `%s` | %s | %s | %s | %s | %s |\n' "$target" "${executions:-?}" "${edges:-?}" \
        "${features:-?}" "$inputs" "$findings" | tee "$work/logs/$target.row"
    [ "$status" = 0 ]
}
rm -f "$work"/logs/*.row
trap 'jobs -p | xargs -r kill' EXIT
failed=0 running=0
one_less() {
    wait -n || failed=1
    running=$((running - 1))
}
for target in "${targets[@]}"; do
    [ "$running" -lt "$at_once" ] || one_less
    fuzz "$target" &
    running=$((running + 1))
done
while [ "$running" != 0 ]; do one_less; done
printf '\n| target | executions | edges | features | inputs | findings |\n'
echo '|---|---:|---:|---:|---:|---:|'
cat "$work"/logs/*.row
exit "$failed"
