#!/usr/bin/env bash
# Runs the examples for real: the driver's figures by each mechanism, in both forms; its answer to
# wrong input; two processes that meet at a FIFO, whoever comes first; and a descriptor handed over.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --locked --release --examples
examples=${CARGO_TARGET_DIR:-target}/release/examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work
fail() {
    echo "$*"
    exit 1
}

cargo run --quiet --locked --release --example pi | tee "$work/table"
"$examples/pi" --json | tee "$work/lines"
names=$(python3 -c '
import json, sys
for line in sys.stdin:
    row = json.loads(line)
    assert format(row["pi"], ".11f") == "3.14159262176", row
    print(row["via"])
' <"$work/lines")
for name in pipe fifo socketpair $names; do
    grep -qw "$name" <<<"$names" || fail "no line of JSON by $name"
    grep -w "$name" "$work/table" | grep -q ' 3\.14159262176 ' || fail "no row by $name"
done

for wrong in "--terms none" "--terms 0" "--processes 0" "--via nonsense" "--cpu nonsense" \
    "--nonsense" "stray"; do
    status=0
    # shellcheck disable=SC2086 # two words
    "$examples/pi" $wrong >"$work/out" 2>"$work/errors" || status=$?
    [ "$status" = 2 ] || fail "pi $wrong exits with $status"
    [ -s "$work/errors" ] || fail "pi $wrong says nothing"
    [ ! -s "$work/out" ] || fail "pi $wrong prints a result"
done

# meet FIRST SECOND [PATH]
meet() {
    local first second
    "$examples/$1" "${@:3}" >"$work/$1" &
    first=$!
    # Not before the first has made the FIFO and waits.
    until find "$work" -type p | grep -q .; do
        kill -0 "$first" || fail "$1 does not wait"
    done
    "$examples/$2" "${@:3}" >"$work/$2" &
    second=$!
    wait "$first"
    wait "$second"
    local reader=$first writer=$second
    [ "$1" = fifo_read ] || { reader=$second && writer=$first; }
    [ "$(cat "$work/fifo_read")" = "I pid $reader received a message => Hello from pid $writer" ] ||
        fail "the reader says: $(cat "$work/fifo_read")"
    [ ! -s "$work/fifo_write" ] || fail "the writer says: $(cat "$work/fifo_write")"
    [ -z "$(find "$work" -type p)" ] || fail "$1 and $2 leave the FIFO behind"
}
meet fifo_read fifo_write
meet fifo_write fifo_read "$work/a path of our own"

"$examples/pass_fd" | tee "$work/passed"
grep -qE '^I pid [0-9]+ .*\[package\]$' "$work/passed" || fail "no file was handed over"
echo "I am a file" >"$work/file"
"$examples/pass_fd" "$work/file" | grep "I am a file"
