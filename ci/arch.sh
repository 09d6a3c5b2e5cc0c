#!/usr/bin/env bash
# Proves the traps of src/sys/arch/ by running them, each as its own architecture. No standard
# library of another target is needed: a program without even `core` (ci/arch/) is compiled by
# nightly, which generates code for them all, linked by the linker that comes with it, and run under
# qemu. The self-test breaks copies of the traps and wants each to be noticed. The last trap is the
# C library's: it stands in for this machine's own while the tests run.
# Skips where nightly or qemu is missing, but not in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${RAWIPC_NIGHTLY:-nightly}
targets=(
    x86_64-unknown-linux-gnu
    i686-unknown-linux-gnu
    aarch64-unknown-linux-gnu
    arm-unknown-linux-gnueabi
    armv7-unknown-linux-gnueabihf
    thumbv7neon-unknown-linux-gnueabihf
    riscv64gc-unknown-linux-gnu
    s390x-unknown-linux-gnu
)

missing() {
    echo "skipped: no $1"
    [ "${CI:-}" != true ] || exit 1
    exit 0
}

# The program that runs TARGET's programs.
runner() {
    local machine=${1%%-*}
    case $machine in
        i686) machine=i386 ;;
        armv7 | thumbv7neon) machine=arm ;;
        riscv64gc) machine=riscv64 ;;
    esac
    [ "$machine" != "$(uname -m)" ] || { echo env && return; }
    command -v "qemu-$machine-static" "qemu-$machine" | head -n 1
}

nightly() { RUSTC_ICE=0 rustc "+$toolchain" "$@"; }
rustup toolchain list | grep -q "^$toolchain" || missing "toolchain $toolchain"
nightly --version
host=$(nightly -vV | sed -n 's/^host: //p')
lld=$(nightly --print sysroot)/lib/rustlib/$host/bin/rust-lld
[ -x "$lld" ] || missing rust-lld
for target in "${targets[@]}"; do
    [ -n "$(runner "$target")" ] || missing "qemu for $target"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '..SIX..' >"$work/input"

# serves TARGET TREE [FLAG...]: whether the trap in TREE does what ci/arch/program.rs expects.
serves() {
    local target=$1 tree=$2 status=0
    # Vectors would take the pressure from the registers that the program watches. The feature, as
    # not every architecture can do without.
    local flags=(--edition 2024 --target "$target" --cfg 'feature="std"' -C panic=abort
        -C overflow-checks=no -C relocation-model=static
        -C no-vectorize-slp -C no-vectorize-loops "${@:3}")
    nightly "${flags[@]}" --crate-type rlib --crate-name core "$tree/ci/arch/core.rs" \
        -o "$work/libcore.rlib" || return 2
    nightly "${flags[@]}" --crate-type bin --emit obj --extern "core=$work/libcore.rlib" \
        "$tree/ci/arch/program.rs" -o "$work/program.o" || return 2
    "$lld" -flavor gnu -static -o "$work/program" "$work/program.o" || return 2
    { timeout 10 "$(runner "$target")" "$work/program" <"$work/input" >"$work/output"; } \
        2>"$work/errors" || status=$?
    [ "$status" = 42 ] && [ "$(tr '\n' ' ' <"$work/output")" = "ok SIX" ]
}

for target in "${targets[@]}"; do
    for flags in "-C opt-level=0" "-C opt-level=3" "-C opt-level=3 -C force-frame-pointers=yes"; do
        # shellcheck disable=SC2086 # several flags
        serves "$target" . $flags || { echo "$target ($flags): the trap fails" && exit 1; }
    done
    echo "$target: runs"
done

# must_fail TARGET FILE EDIT: a copy with that file edited must be noticed.
must_fail() {
    local target=$1 file=$2 edit=$3 status=0
    rm -rf "$work/tree"
    mkdir -p "$work/tree/src/sys" "$work/tree/ci"
    cp -r src/sys/arch "$work/tree/src/sys"
    cp -r ci/arch "$work/tree/ci"
    sed -i "$edit" "$work/tree/src/sys/arch/$file"
    ! cmp -s "src/sys/arch/$file" "$work/tree/src/sys/arch/$file" ||
        { echo "self-test: '$edit' changes nothing in $file" && exit 1; }
    serves "$target" "$work/tree" -C opt-level=3 -C force-frame-pointers=yes || status=$?
    [ "$status" = 1 ] || { echo "self-test: '$edit' in $file gave $status" && exit 1; }
}
swap_the_last_two='/let \[/!{s/\<a4\>/@/;s/\<a5\>/a4/;s/@/a5/}'
must_fail x86_64-unknown-linux-gnu x86_64.rs "$swap_the_last_two"
must_fail x86_64-unknown-linux-gnu x86_64.rs '/lateout("r11")/d'
must_fail i686-unknown-linux-gnu x86.rs "$swap_the_last_two"
must_fail i686-unknown-linux-gnu x86.rs 's/"pop esi"/"pop edx"/'
must_fail aarch64-unknown-linux-gnu aarch64.rs "$swap_the_last_two"
must_fail thumbv7neon-unknown-linux-gnueabihf arm.rs "$swap_the_last_two"
must_fail armv7-unknown-linux-gnueabihf arm.rs '/mov r7, {kept}/d'
must_fail riscv64gc-unknown-linux-gnu riscv64.rs "$swap_the_last_two"
must_fail s390x-unknown-linux-gnu s390x.rs "$swap_the_last_two"
echo "self-test: broken traps are noticed"

mkdir "$work/other"
cp -r Cargo.toml Cargo.lock ./*.md src examples tests "$work/other"
rm -r "$work/other/examples/bare" # has no C library
# These hardly make a system call, or make those that the others make, and take long.
rm -r "$work"/other/tests/{fuzz,kernel.rs,loom,sum_exact}
cp src/sys/arch/other.rs "$work/other/src/sys/arch/$(uname -m).rs"
(
    export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
    RAWIPC_PYTHON=$(ci/python.sh)
    export RAWIPC_PYTHON
    cd "$work/other"
    cargo clippy --quiet --lib -- -D warnings
    cargo build --quiet --examples # some tests run them
    cargo test --quiet --lib --tests
)
echo "other: runs through the C library"
