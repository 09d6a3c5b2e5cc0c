"""Judges the table that `rawipc-benches instructions` prints: a wrapper may take no more
instructions than the same call by hand, but for those that instructions.txt lists.

    instructions.py TABLE        judges that
    instructions.py --self-test  shows the judge what it must not let pass
"""

import pathlib
import re
import sys

LIST = "ci/instructions.txt"
# How many more a line may allow than are needed: compilers differ by some.
SLACK = 8

ROW = re.compile(r"^\| (?P<name>.+?) *\|[^|]*\| *(?P<hand>\d+) \| *(?P<ours>\d+) \|[^|]*\|$", re.M)
NOT_MEASURED = re.compile(r"^- (?P<name>.+?): not measured: (?P<why>.+)$", re.M)


def read_table(text):
    """How many more each wrapper takes, by its name; and of those not measured, why."""
    more = {row["name"]: int(row["ours"]) - int(row["hand"]) for row in ROW.finditer(text)}
    return more, {note["name"]: note["why"] for note in NOT_MEASURED.finditer(text)}


def read_list(text):
    """How many more each may take, by its name; and the lines that are not of the form."""
    allowed, wrong = {}, []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match line.split(" | "):
            case [name, most, reason] if most.isdecimal() and reason and name not in allowed:
                allowed[name] = int(most)
            case _:
                wrong.append(f"{LIST}: not of the form, or there twice: {line}")
    return allowed, wrong


def judge(more, not_measured, allowed):
    """What is wrong."""
    if not more:
        return ["nothing was counted: that takes ptrace, which is refused in some containers"]
    wrong = [f"not measured: {name}: {why}" for name, why in not_measured.items()]
    for name, count in more.items():
        most = allowed.get(name, 0)
        if count > most:
            wrong.append(f"{name}: {count} more than by hand, where {most} are allowed")
        elif name in allowed and count <= 0:
            wrong.append(f"{name}: in {LIST}, but no more than by hand")
        elif name in allowed and most > count + SLACK:
            wrong.append(f"{name}: {most} more are allowed in {LIST}, {count} needed")
    gone = [name for name in allowed if name not in more and name not in not_measured]
    wrong += [f"{name}: in {LIST}, but not in the table" for name in gone]
    return wrong


def main(path):
    more, not_measured = read_table(pathlib.Path(path).read_text())
    allowed, wrong = read_list(pathlib.Path(LIST).read_text())
    wrong += judge(more, not_measured, allowed)
    if wrong:
        sys.exit("\n".join(wrong))
    for name, most in allowed.items():
        print(f"{name}: {more[name]} more than by hand, of {most} allowed")
    print(f"{len(more)} calls; all others take no more than by hand")


def self_test():
    table = """## Instructions in user space

| call          |      | libc | rawipc | difference |
|---------------|------|------|--------|------------|
| Pipe::new, it | MORE |   46 |     49 |         +3 |
| Reader::read  |      |   21 |     19 |         -2 |

- Mq: create: not measured: ECHILD: No child processes.
"""
    more, not_measured = read_table(table)
    assert more == {"Pipe::new, it": 3, "Reader::read": -2}, more
    assert not_measured == {"Mq: create": "ECHILD: No child processes."}, not_measured

    allowed, wrong = read_list("# why\n\na: b, c | 3 | as it is\n")
    assert (allowed, wrong) == ({"a: b, c": 3}, [])
    for line in ["a | 3", "a | 3 | ", "a | three | so", "a | -3 | so", "a | 3 | so\na | 3 | so"]:
        assert len(read_list(line)[1]) == 1, line

    assert not judge({"pipe": 3, "read": -2 - SLACK, "write": 0}, {}, {"pipe": 3})
    assert not judge({"pipe": 3}, {}, {"pipe": 3 + SLACK})
    for more, allowed in [
        ({"pipe": 1}, {}),  # more than by hand
        ({"pipe": 4}, {"pipe": 3}),  # more than allowed
        ({"pipe": 3}, {"pipe": 4 + SLACK}),  # more allowed than needed
        ({"pipe": 0}, {"pipe": 3}),  # no longer more
        ({"read": 0}, {"pipe": 3}),  # no longer there
        ({}, {}),  # nothing counted
    ]:
        assert len(judge(more, {}, allowed)) == 1, (more, allowed)
    assert len(judge({"pipe": 0}, {"mq": "ENOENT: No such file"}, {})) == 1
    assert "ptrace" in judge({}, {"mq": "ECHILD: No child processes."}, {})[0]
    print("self-test: calls that take more, stale lines, and what is not measured are noticed")


self_test() if sys.argv[1:] == ["--self-test"] else main(*sys.argv[1:])
