#!/usr/bin/env bash
# Lists what a test could leave behind on this machine: objects with a name, System V ones,
# processes, files in the temporary directory and in the working tree. all.sh wants nothing new in
# it at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

find /dev/shm /dev/mqueue ${TMPDIR:+"$TMPDIR"} -mindepth 1 -maxdepth 1 2>/dev/null || true
ipcs -q -m -s | awk '/^0x/ { print "ipc", $1, $2 }'
target=$(realpath "${CARGO_TARGET_DIR:-target}" 2>/dev/null || true)
for process in /proc/[0-9]*; do
    program=$(readlink "$process/exe" 2>/dev/null || true)
    [ -z "$target" ] || case $program in
        "$target"/*) echo "process ${process#/proc/} $program" ;;
    esac
done
git status --porcelain
