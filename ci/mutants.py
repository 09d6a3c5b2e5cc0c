"""Weakens one ordering, or drops one wake or fence, of src/sync/, src/queue/ and src/prim/ after
the other, and wants a model of tests/loom/ to notice each.

    mutants.py             all, but those of which mutants.txt argues that no model can
    mutants.py PATH...     those below src/queue/spsc, say
    mutants.py --self-test shows the judge what it must not let pass

All mutants are in one build, of a copy of the tree in which each has a number; a variable of the
environment switches one of them on. So there is one build instead of one for each.

Only what the models compile is judged: some of src/prim/ is not part of them.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

SOURCES = ["src/sync", "src/queue", "src/prim"]
NOT_MODELLED = [
    f"src/prim/{name}.rs" for name in ("fences", "native", "payload", "spin", "thread")
]
# The models that are asked first, where their file is not named as the source or its folder is.
MODELS = {
    "auto_reset": "event",
    "bell": "mpmc",
    "bounded": "semaphore",
    "claim": "spsc",
    "gate": "spsc",
    "owner": "reentrant",
    "raw": "mutex",
    "raw_rwlock": "rwlock",
}
LIST = "ci/mutants.txt"

WEAKER = {
    "Acquire": ["Relaxed"],
    "Release": ["Relaxed"],
    "AcqRel": ["Acquire", "Release"],
    "SeqCst": ["AcqRel"],
}
# What the mutants share, in src/prim/mod.rs of the copy.
SWITCH = """
pub(crate) mod mutant {
    extern crate std;
    use core::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release, SeqCst};

    static ON: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var("RAWIPC_MUTANT").ok()?.parse().ok());

    /// If `number` is on, or the one after that.
    pub(crate) fn weaken(number: u32, ordering: Ordering) -> Ordering {
        match (ON.map(|on| on.wrapping_sub(number)), ordering) {
            (Some(0), Acquire | Release) => Relaxed,
            (Some(0), AcqRel) => Acquire,
            (Some(1), AcqRel) => Release,
            (Some(0), SeqCst) => AcqRel,
            _ => ordering,
        }
    }

    pub(crate) fn unless<T: Default>(number: u32, task: impl FnOnce() -> T) -> T {
        if *ON == Some(number) { T::default() } else { task() }
    }
}
"""
# A mutated model may explore more schedules than the right one does.
LONGEST = 60
# How many of the models that are its own, and fast, a mutant is shown that is said to survive.
FEW = 10

ORDERING = re.compile(r"\b(" + "|".join(WEAKER) + r")\b")
ARGUMENTS = r"\((?:[^()]|\([^()]*\))*\)"
DROPPED = re.compile(
    r"\bself(?:\.\w+)*\.(?:wake\w*|ring)" + ARGUMENTS + r"|(?<!fn )\b(?:light|heavy)_fence\(\)"
)
FUNCTION = re.compile(r"\bfn (\w+)")

Mutant = collections.namedtuple("Mutant", "number path name")


def mutate(path, text, first):
    """The text with all its mutants in it, and these, numbered from `first`."""
    mutants, lines, function = [], [], "?"

    def add(what):
        names = [mutant.name for mutant in mutants]
        name = f"{path} {function}: {what}"
        count = sum(other == name or other.startswith(name + " #") for other in names)
        name += f" #{count + 1}" if count else ""
        mutants.append(Mutant(first + len(mutants), path, name))
        return mutants[-1].number

    def weaken(match):
        ordering = match[1]
        numbers = [add(f"{ordering} -> {weaker}") for weaker in WEAKER[ordering]]
        return f"crate::prim::mutant::weaken({numbers[0]}, {ordering})"

    def drop(match):
        return f"crate::prim::mutant::unless({add('no ' + match[0])}, || {match[0]})"

    for line in text.splitlines(keepends=True):
        if found := FUNCTION.search(line):
            function = found[1]
        code, slashes, comment = line.partition("//")
        if not re.match(r"\s*(pub(\(.*?\))? )?use ", code):
            code = DROPPED.sub(drop, ORDERING.sub(weaken, code))
        lines.append(code + slashes + comment)
    return "".join(lines), mutants


def copy(root, to):
    """Makes a copy of the tree at `root`, and gives the mutants in it."""
    shutil.rmtree(to, ignore_errors=True)
    to.mkdir(parents=True)
    for name in ["src", "tests"]:
        shutil.copytree(root / name, to / name)
    for file in [*root.glob("Cargo.*"), *root.glob("*.md")]:
        shutil.copy(file, to)
    # Another version, so that cargo does not take the one for the other.
    manifest = to / "Cargo.toml"
    version = re.compile(r'^(version = ".*)"$', re.M)
    manifest.write_text(version.sub(r'\1+mutants"', manifest.read_text(), count=1))
    mutants = []
    for path in sorted(file for folder in SOURCES for file in (to / folder).rglob("*.rs")):
        name = str(path.relative_to(to))
        if name not in NOT_MODELLED:
            text, found = mutate(name, path.read_text(), len(mutants))
            path.write_text(text)
            mutants += found
    with open(to / "src/prim/mod.rs", "a") as file:
        file.write(SWITCH)
    return mutants


def build(tree, target):
    """Where the models are."""
    command = "cargo test --quiet --offline --release --test loom --no-run --message-format json"
    answer = subprocess.run(
        [*command.split(), "--target-dir", target],
        cwd=tree,
        env=os.environ | {"RUSTFLAGS": "--cfg loom"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    messages = [json.loads(line) for line in answer.stdout.splitlines()]
    if answer.returncode != 0:
        said = (message.get("message", {}) for message in messages)
        sys.exit("".join(one.get("rendered", "") for one in said) + answer.stderr)
    return next(found for message in messages if (found := message.get("executable")))


def run(models, name, number=None):
    """Whether that model is green: nothing, if it takes too long to say."""
    switch = {"RAWIPC_MUTANT": "none" if number is None else str(number)}
    command = [models, "--exact", name]
    try:
        answer = subprocess.run(
            command, env=os.environ | switch, capture_output=True, text=True, timeout=LONGEST
        )
    except subprocess.TimeoutExpired:
        return None
    # That it ran at all: a name that is no model's is green too.
    return answer.returncode == 0 and "1 passed" in answer.stdout


def timed(models, name):
    start = time.monotonic()
    return run(models, name), time.monotonic() - start


def in_order(mutant, durations):
    """The models, those of the same name as the mutant's file first, and the fastest first."""
    path = pathlib.Path(mutant.path)
    own = {MODELS.get(name, name) for name in (path.stem, path.parent.name)}
    return sorted(durations, key=lambda name: (name.split("::")[0] not in own, durations[name]))


def verdict(models, mutant, durations, listed):
    """What has noticed it: nothing, or not in time. Those that are listed are shown to a few only."""
    late = False
    names = in_order(mutant, durations)
    for name in names[:FEW] if mutant.name in listed else names:
        green = run(models, name, mutant.number)
        if green is False:
            return name
        late |= green is None
    return "late" if late else None


def judge(verdicts, listed):
    """What is wrong, given what has noticed each mutant and which are said to be beyond that."""
    wrong = []
    for name, noticed in verdicts.items():
        if noticed == "late":
            wrong.append(f"undecided: {name}")
        elif noticed is None and name not in listed:
            wrong.append(f"survives: {name}")
        elif noticed is not None and name in listed:
            wrong.append(f"in {LIST}, but noticed by {noticed}: {name}")
    gone = [name for name in listed if name not in verdicts]
    wrong += [f"in {LIST}, but nowhere in the source: {name}" for name in gone]
    return wrong


def read_list(text):
    """The names in it: each line that is neither indented, as the arguments are, nor a comment."""
    return [line for line in text.splitlines() if line and line[0] not in "# "]


def main(below):
    root = pathlib.Path.cwd()
    target = root / os.environ.get("CARGO_TARGET_DIR", "target") / "loom"
    listed = [name for name in read_list((root / LIST).read_text()) if name.startswith(below)]
    # Always in the same place, so that what one run has built is replaced by the next.
    mutants = copy(root, target / "mutants")
    mutants = [mutant for mutant in mutants if mutant.path.startswith(below)]
    models = build(target / "mutants", target)
    names = subprocess.run([models, "--list"], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^(\S+): test$", names, re.M)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = dict(zip(names, pool.map(lambda name: timed(models, name), names)))
        red = [name for name, (green, _) in answers.items() if not green]
        if red or not names:
            sys.exit(f"red without a mutant: {red}")
        durations = {name: seconds for name, (_, seconds) in answers.items()}
        print(f"{len(names)} models, {sum(durations.values()):.0f} s; {len(mutants)} mutants")
        noticed = pool.map(lambda mutant: verdict(models, mutant, durations, listed), mutants)
        verdicts = {}
        for mutant, by in zip(mutants, noticed):
            print(f"{mutant.name}: {by or 'survives'}", flush=True)
            verdicts[mutant.name] = by
    wrong = judge(verdicts, listed)
    if wrong:
        sys.exit("\n".join(wrong))
    print("all are noticed" + (f", but {len(listed)} of {LIST}" if listed else ""))


def self_test():
    source = """use core::sync::atomic::Ordering::{AcqRel, Acquire};
fn unlock(&self) {
    // Release, and self.0.wake(1).
    self.0.swap(0, AcqRel); // Acquire
    self.0.load(Acquire); self.0.load(Acquire);
    self.0.wake(1);
    self.wake_one();
    heavy_fence(); self.0.ring(most(1));
}
fn light_fence() {}
"""
    text, mutants = mutate("a.rs", source, 5)
    expected = ["AcqRel -> Acquire", "AcqRel -> Release", "Acquire -> Relaxed"]
    expected += ["Acquire -> Relaxed #2", "no self.0.wake(1)", "no self.wake_one()"]
    expected += ["no heavy_fence()", "no self.0.ring(most(1))"]
    assert [name for _, _, name in mutants] == ["a.rs unlock: " + what for what in expected]
    assert [number for number, _, _ in mutants] == [*range(5, 13)]
    assert "swap(0, crate::prim::mutant::weaken(5, AcqRel)); // Acquire\n" in text
    assert "unless(10, || self.wake_one());" in text

    verdicts = {"noticed": "mutex::a", "equivalent": None}
    assert not judge(verdicts, ["equivalent"])
    assert judge(verdicts, []) == ["survives: equivalent"]
    assert len(judge(verdicts, ["equivalent", "noticed"])) == 1
    assert len(judge(verdicts, ["equivalent", "gone"])) == 1
    assert len(judge({"slow": "late"}, ["slow"])) == 1
    assert read_list("# why\n\na: b\n    since\n") == ["a: b"]
    print("self-test: survivors and stale entries are noticed")


self_test() if sys.argv[1:] == ["--self-test"] else main(tuple(sys.argv[1:]) or "")
