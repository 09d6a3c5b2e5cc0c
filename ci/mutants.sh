#!/usr/bin/env bash
# Shows that the models can fail: each ordering weakened, each wake and fence dropped, one by one, is
# noticed by one of them; those that cannot be are in mutants.txt, with the reason.
set -euo pipefail
cd "$(dirname "$0")/.."

ulimit -c 0 # a model that fails may abort
python3 ci/mutants.py --self-test
python3 ci/mutants.py
