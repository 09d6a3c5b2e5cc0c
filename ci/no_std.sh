#!/usr/bin/env bash
# Proves "no std, no alloc, no C library": the features of every crate that is built; the symbols
# that these crates leave to others, which must be core's; and ci/freestanding/, a program linked
# with nothing else, which calls every public function, is inspected, and is run. --self-test shows
# the same eyes what they must not let pass.
set -euo pipefail
shopt -s inherit_errexit
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
target=${CARGO_TARGET_DIR:-$PWD/target}
program=$target/release/freestanding
libraries=$(rustc --print target-libdir)

# What `core` documents that it expects of whoever links, and what unwinding would need.
expected="memcpy memmove memset memcmp bcmp strlen rust_eh_personality _Unwind_Resume"

# Those lines of the input that have the pattern; none is no failure.
lines() { grep -E "$@" || [ $? = 1 ]; }

# All crates that the library is made of, as FORMAT has it; what only runs in the compiler is not.
crates() {
    cargo tree --locked -e normal,no-proc-macro --prefix none --no-dedupe -f "$@" | sort -u
}

# The crates with one of the two features on.
hosted() { crates '{p} {f}' "$@" | lines '[ ,](std|alloc)(,|$)'; }

# The symbols that the library and all crates it is made of want, and neither they nor core have.
strangers() {
    local names files
    names=$(crates '{lib}' "$@" | paste -s -d '|')
    files=$(cargo build --locked --release --lib --message-format json-render-diagnostics "$@" |
        grep -oE "\"[^\"]+/lib($names)(-[0-9a-f]+)?\.rlib\"" | tr -d '"' | sort -u)
    # Not nm, whose plugins trip over the intermediate code in core's objects.
    # shellcheck disable=SC2086 # several files
    {
        readelf -sW $files >"$work/crates"
        readelf -sW "$libraries"/lib{core,compiler_builtins}-*.rlib >"$work/core"
    } 2>"$work/members_that_are_no_objects"
    awk '$7 == "UND" && $8 != "" { print $8 }' "$work/crates" | sort -u >"$work/wanted"
    {
        awk '$7 != "UND" && $5 != "LOCAL" { print $8 }' "$work/crates" "$work/core"
        tr ' ' '\n' <<<"$expected"
    } | sort -u >"$work/there"
    grep -q memcpy "$work/wanted" || echo "nothing was read of $files"
    comm -23 "$work/wanted" "$work/there"
}

# The public functions that the program does not call.
uncalled() {
    grep -rhoP '^\s*pub (const |unsafe )*fn \K\w+' src | sort -u | while read -r name; do
        grep -rqw "$name" ci/freestanding/src || echo "$name"
    done
}

build() {
    # The versions that the crate itself is tested with.
    cp Cargo.lock ci/freestanding/
    cargo build --quiet --release --manifest-path ci/freestanding/Cargo.toml --target-dir "$target" "$@"
}

undefined() { nm -u "$program"; }

dynamic() { readelf -lW "$program" | lines 'INTERP|DYNAMIC'; }

# The program's symbols that speak of a heap or of the standard library.
heap() {
    nm -C "$program" | cut -c20- |
        lines '(^|[^:[:alnum:]_])(std|alloc)::|__(rust|rg|rdl)_|^(malloc|calloc|realloc|free)$'
}

# none WHAT COMMAND...: the command must find nothing.
none() {
    local found
    found=$("${@:2}")
    [ -z "$found" ] || { printf '%s:\n%s\n' "$1" "$found" && exit 1; }
}

# some COMMAND...: it must find something.
some() {
    local found
    found=$("$@")
    [ -n "$found" ] || { echo "self-test: not seen by: $*" && exit 1; }
}

if [ "${1:-}" = --self-test ]; then
    some hosted
    some strangers
    build --features allocating
    some heap
    program=$(command -v bash)
    some dynamic
    echo "self-test: std, a heap and dynamic linking are seen"
    exit
fi

none "crates with std or alloc" hosted --no-default-features
none "symbols from elsewhere" strangers --no-default-features
none "functions that ci/freestanding does not call" uncalled
build
none "undefined symbols" undefined
none "what is linked at run time" dynamic
none "symbols of a heap" heap
mkdir "$work/here"
(cd "$work/here" && timeout 60 "$program" >"$work/said") || { echo "the program fails" && exit 1; }
diff - "$work/said" < <(printf '%s\n' ground sync pipe fifo socket queues shm rings sum process)
none "files left behind" ls -A "$work/here"
echo "the library needs core, and the program runs with nothing else"
