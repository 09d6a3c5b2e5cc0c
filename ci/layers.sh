#!/usr/bin/env bash
# Keeps the house in order: no arrow between modules points back, system calls and `unsafe` stay
# where they belong, and nothing is of the heap. The rules are the tables in layers.py.
set -euo pipefail
cd "$(dirname "$0")/.."

python3 ci/layers.py
python3 ci/layers.py --self-test
