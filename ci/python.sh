#!/usr/bin/env bash
# Makes the Python that the tests run side by side with: a virtual environment under target/ that
# has posix_ipc and sysv_ipc. Prints the path of its interpreter. Where it is there already, that is
# all it does.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(posix_ipc==1.3.2 sysv_ipc==1.2.0)
python=$PWD/target/python/bin/python

installed() {
    "$python" - "${packages[@]}" 2>/dev/null <<'PYTHON'
import sys
from importlib.metadata import version

for package in sys.argv[1:]:
    name, wanted = package.split("==")
    __import__(name)
    assert version(name) == wanted
PYTHON
}

mkdir -p target
# Whoever comes second waits for the first, and finds its work done.
exec 9>target/python.lock
flock 9
if ! installed; then
    # What an earlier run left half made goes.
    python3 -m venv --clear target/python >&2
    "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
    installed
fi
echo "$python"
