"""Checks that src/ is built as ARCHITECTURE.md says: which module may use which, and what may be
said only in certain places. The tables below are the rule; a new module is added to them.

    layers.py [ROOT]       checks ROOT (the current directory)
    layers.py --self-test  breaks copies of it in every way it knows, and wants each to be noticed
"""

import pathlib
import re
import shutil
import sys
import tempfile

GROUND = "error name time buffer path text"

# What each module may use besides itself. A name stands for the modules below it too, unless they
# have a line of their own.
MAY_USE = {
    "error": "",
    "time": "error sys",
    "text": "error",
    "buffer": "error",
    "path": "error text",
    "name": "error text",
    "wait": GROUND,
    "sys": "error buffer name",
    "pipe": GROUND + " wait sys",
    "fifo": GROUND + " wait sys pipe",
    "socket": GROUND + " wait sys",
    "process": GROUND + " wait sys",
    "io": GROUND + " pipe socket",
    # Planned. What is copied or shared between processes is the one thing of `shm` that those
    # who never see a file descriptor may name.
    "posix": "",
    "posix::mq": GROUND + " wait sys",
    "posix::semaphore": GROUND + " wait sys shm sync",
    "sysv": GROUND + " wait sys",
    "sysv::shm": "error sys sysv shm",
    "shm": GROUND + " sys",
    "shm::plain": "",
    "prim": "error time sys shm::plain",
    "sync": "error time prim shm::plain",
    "queue": "error time buffer prim shm::plain",
    "sum": "error time prim shm::plain",
}

# What only these modules may say, and everybody else may not.
ONLY = [
    (["sys"], r"\b(asm|global_asm|naked_asm)\s*!", "assembly"),
    (["sys"], r"\bSYS_\w+|\b__NR_\w+", "a system call's number"),
    (["sys"], r"\blibc::[a-z]\w*\s*\(|\buse\s+libc\b", "a call into the C library"),
    (["sys"], r"\bextern\s*\"", "a foreign function"),
    (["prim"], r"\bloom\b", "cfg(loom)"),
]

# What these modules may not say.
NEVER = [
    (
        ["prim", "sync", "queue", "sum"],
        r"\b(?:Owned|Borrowed|Raw|As|AsRaw|FromRaw|IntoRaw)Fd\b|::fd\b",
        "a file descriptor",
    ),
]

HEAP = re.compile(
    r"\b(Box|Rc|Arc|Vec|VecDeque|BTreeMap|BTreeSet|HashMap|HashSet|BinaryHeap|LinkedList|String"
    r"|CString|OsString|PathBuf)\b"
    r"|\b(?:format|vec)\s*!"
    r"|\bextern\s+crate\s+alloc\b|(?<!core::)\balloc::"
    r"|\.\s*(?:to_string|to_owned|to_vec|into_boxed_\w+|collect::<Vec)\b"
)
# Taken by reference, and not allocated here.
HEAP_BY_REFERENCE = {"src/path.rs": {"CString", "OsString", "PathBuf", "String"}}


def blank(text):
    """`text` with comments, and the insides of strings and characters, made spaces."""
    out = []
    at = 0
    literal = re.compile(
        r"""(?P<line>//[^\n]*)|(?P<block>/\*)|(?P<raw>\b(?:b|c)?r(?P<hash>\#*)")"""
        r"""|(?P<string>"(?:[^"\\]|\\.)*")|(?P<char>'(?:[^'\\\n]|\\[^\n]+?)')""",
        re.DOTALL,
    )
    while found := literal.search(text, at):
        end = found.end()
        if found["block"]:
            depth = 1
            while depth and (mark := re.compile(r"/\*|\*/").search(text, end)):
                depth += 1 if mark[0] == "/*" else -1
                end = mark.end()
        elif found["raw"]:
            closing = text.find('"' + found["hash"], end)
            end = len(text) if closing < 0 else closing + 1 + len(found["hash"])
        out.append(text[at : found.start()])
        inside = re.sub(r"[^\n]", " ", text[found.start() : end])
        keeps_quotes = found["raw"] or found["string"]
        out.append('"' + inside[1:-1] + '"' if keeps_quotes else inside)
        at = end
    return "".join(out) + text[at:]


def without(text, head):
    """`text` with each item that follows the pattern `head` made spaces: to its `;` or `}`."""
    for found in reversed(list(re.finditer(head, text))):
        end = found.end()
        depth = 0
        while end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
            if depth == 0 and text[end - 1] in ";}":
                break
        item = text[found.start() : end]
        text = text[: found.start()] + re.sub(r"[^\n]", " ", item) + text[end:]
    return text


class Source:
    """One file: its module, and its code without comments, strings and what is not built."""

    def __init__(self, root, file):
        self.name = str(file.relative_to(root))
        parts = list(file.relative_to(root / "src").with_suffix("").parts)
        if parts[-1] in ("mod", "lib"):
            parts.pop()
        self.module = parts
        self.all = blank(file.read_text())
        self.code = without(self.all, r"#\[cfg\((?:test|doc)\)\]")

    def line(self, at):
        return f"{self.name}:{self.all.count(chr(10), 0, at) + 1}"

    def at_home_in(self, modules):
        return bool(self.module) and self.module[0] in modules


TOKEN = re.compile(r"[A-Za-z_]\w*|::|[{}*,;]")


def paths(source):
    """Each path that starts at `crate`, `super` or `self`, as (position, absolute segments)."""
    tokens = [(t.start(), t[0]) for t in TOKEN.finditer(source.code)] + [(0, "")] * 3
    inline = []  # the `mod name {` around us: (name, depth)
    depth = 0
    for n, (at, token) in enumerate(tokens):
        if token == "{":
            depth += 1
            if n >= 2 and tokens[n - 2][1] == "mod":
                inline.append((tokens[n - 1][1], depth))
        elif token == "}":
            if inline and inline[-1][1] == depth:
                inline.pop()
            depth -= 1
        if token not in ("crate", "super", "self") or tokens[n - 1][1] == "::":
            continue
        if tokens[n + 1][1] != "::" and tokens[n - 1][1] != "use":
            continue
        base = [] if token == "crate" else source.module + [name for name, _ in inline]
        yield from tree(tokens, n, base)


def tree(tokens, n, base):
    """The leaves of the use tree (or the one path) that starts at token `n`, below `base`."""
    path = list(base)
    start = tokens[n][0]
    while True:
        token = tokens[n][1]
        if token == "super":
            path = path[:-1]
        elif token == "{":
            n += 1
            depth = 1
            fresh = True
            while depth and tokens[n][1]:
                inner = tokens[n][1]
                if depth == 1 and fresh and inner not in ("}", ","):
                    yield from tree(tokens, n, path)
                fresh = depth == 1 and inner == ","
                depth += {"{": 1, "}": -1}.get(inner, 0)
                n += 1
            return
        elif token not in ("crate", "self"):
            path.append(token)
        if tokens[n + 1][1] != "::":
            yield start, path
            return
        n += 2


def exported(lib):
    """What lib.rs makes known at the root of the crate: name to module, or to "" if foreign."""
    names = {}
    for statement in re.finditer(r"\bpub(?:\([^)]*\))?\s+use\s+([^;]+);", lib.code):
        text = re.sub(r"\s+", " ", statement[1])
        first = re.match(r"(?:crate::|self::)?(\w+)", text)[1]
        module = first if first in MAY_USE else ""
        for name in re.findall(r"(\w+)\s*(?=[,}]|$)", text):
            names[name] = module
    return names


def described(target):
    """The line of MAY_USE that a path falls under: the longest."""
    for length in (2, 1):
        if len(target) >= length and "::".join(target[:length]) in MAY_USE:
            return "::".join(target[:length])
    return None


def arrows(sources):
    known = exported(next(s for s in sources if s.name == "src/lib.rs"))
    for source in sources:
        if not source.module:
            continue
        home = described(source.module)
        if home is None:
            yield f"{source.name}: say in ci/layers.py where the module {source.module[0]} stands"
            continue
        allowed = MAY_USE[home].split()
        for at, path in paths(source):
            where = source.line(at)
            if not path or path[0] == "*":
                yield f"{where}: name what is used of the crate's root"
                continue
            if path[0] in known:
                if known[path[0]] == "":
                    continue
                path = [known[path[0]]]
            target = described(path)
            if target is None:
                yield f"{where}: crate::{path[0]} is neither a module nor exported by lib.rs"
            elif target != home and target not in allowed and path[0] not in allowed:
                if target.split("::")[0] != home:  # those below it are its own
                    yield f"{where}: {home} may not use {target}"


def places(sources):
    for source in sources:
        for modules, pattern, what in ONLY:
            if not source.at_home_in(modules):
                for found in re.finditer(pattern, source.all):
                    yield f"{source.line(found.start())}: {what}, which is for {modules[0]} only"
        for modules, pattern, what in NEVER:
            if source.at_home_in(modules):
                for found in re.finditer(pattern, source.code):
                    yield f"{source.line(found.start())}: {what} in {source.module[0]}"


def heap(sources):
    for source in sources:
        for found in HEAP.finditer(source.code):
            if found[0] not in HEAP_BY_REFERENCE.get(source.name, ()):
                yield f"{source.line(found.start())}: {found[0].strip()} is of the heap"


def unsafe(root, sources):
    """`unsafe` stands only where SAFETY.md has a row for it, and each row is still needed."""
    file = root / "SAFETY.md"
    rows = re.findall(r"^\|\s*`(src/[^`]*)`", file.read_text() if file.exists() else "", re.M)
    if not rows:
        yield "SAFETY.md: no table of the files that may say unsafe"
    needed = set()
    for source in sources:
        listed = [r for r in rows if source.name == r or r.endswith("/") and source.name.startswith(r)]
        for found in re.finditer(r"\bunsafe\b", source.all):
            needed.update(listed)
            if not listed:
                yield f"{source.line(found.start())}: unsafe, but not in the table of SAFETY.md"
    for row in rows:
        if row not in needed:
            yield f"SAFETY.md: {row} says no unsafe"


def check(root):
    # What stands behind `#[cfg(test)] mod tests;` may use what tests use.
    files = [file for file in sorted((root / "src").rglob("*.rs")) if file.name != "tests.rs"]
    sources = [Source(root, file) for file in files]
    return [*arrows(sources), *places(sources), *heap(sources), *unsafe(root, sources)]


# (file, what is put at its end, what must be said)
SEEDS = [
    ("src/error.rs", "use crate::time::Deadline;", "error may not use time"),
    ("src/time.rs", "use crate::Name;", "time may not use name"),
    ("src/text.rs", "use crate::{Errno, wait::{ready, pause}};", "text may not use wait"),
    ("src/wait.rs", "fn f() { crate::sys::process::exit(0) }", "wait may not use sys"),
    ("src/sys/pipe.rs", "use super::super::pipe::Reader;", "sys may not use pipe"),
    ("src/sys/arch/mod.rs", "use crate::wait;", "sys may not use wait"),
    ("src/pipe/mod.rs", "mod a { mod b { use super::super::super::fifo::Fifo; } }", "pipe may not use fifo"),
    ("src/pipe/reader.rs", "type S = crate::socket::Stream;", "pipe may not use socket"),
    ("src/socket/mod.rs", "use {core::fmt, crate::process};", "socket may not use process"),
    ("src/fifo.rs", "use super::{socket as s};", "fifo may not use socket"),
    ("src/process/mod.rs", "macro_rules! m { () => { $crate::pipe::Pipe } }", "process may not use pipe"),
    ("src/process/fork.rs", "use crate::io;", "process may not use io"),
    ("src/wait.rs", "use super::*;", "name what is used"),
    ("src/wait.rs", "use crate as root;", "name what is used"),
    ("src/wait.rs", "use super as root;", "name what is used"),
    ("src/wait.rs", "use crate::nonsense;", "neither a module nor exported"),
    ("src/extra.rs", "", "say in ci/layers.py"),
    ("src/extra/mod.rs", "", "say in ci/layers.py"),
    ("src/prim/mod.rs", "use crate::sync::Mutex;", "prim may not use sync"),
    ("src/queue/mod.rs", "use crate::sync::Mutex;", "queue may not use sync"),
    ("src/sync/mod.rs", "use crate::shm::Mapping;", "sync may not use shm"),
    ("src/sum/mod.rs", "use rustix::fd;", "a file descriptor in sum"),
    ("src/sync/mutex.rs", "fn f(fd: impl AsFd) {}", "a file descriptor in sync"),
    ("src/shm/plain.rs", "use super::Mapping;", "shm::plain may not use shm"),
    ("src/posix/mq.rs", "use crate::shm::Shared;", "posix::mq may not use shm"),
    ("src/sysv/sem.rs", "use crate::shm::Mapping;", "sysv may not use shm"),
    ("src/shm/mod.rs", "use crate::sysv::Shm;", "shm may not use sysv"),
    ("src/shm/mod.rs", "use crate::posix::semaphore;", "shm may not use posix::semaphore"),
    ("src/sync/mutex.rs", "#[cfg(all(test, loom))] mod m {}", "cfg(loom), which is for prim only"),
    ("src/wait.rs", 'fn f() { core::arch::asm!("nop") }', "assembly, which is for sys only"),
    ("src/wait.rs", "const N: i64 = libc::SYS_poll;", "a system call's number"),
    ("src/wait.rs", "fn f() { libc::getpid(); }", "a call into the C library"),
    ("src/wait.rs", 'unsafe extern "C" { fn f(); }', "a foreign function"),
    ("src/wait.rs", "fn f() { unsafe { g() } }", "not in the table of SAFETY.md"),
    ("SAFETY.md", "\n| `src/time.rs` | |", "src/time.rs says no unsafe"),
    ("src/wait.rs", "fn f() -> Box<u8> {}", "Box is of the heap"),
    ("src/wait.rs", 'fn f() { format!("") }', "format! is of the heap"),
    ("src/wait.rs", "fn f() { x.to_vec() }", "to_vec is of the heap"),
    ("src/wait.rs", "extern crate alloc;", "extern crate alloc is of the heap"),
    ("src/path.rs", "fn f() -> Vec<u8> {}", "Vec is of the heap"),
]

# What must not be noticed, as it is no violation.
INNOCENT = """
// unsafe asm! Vec crate::fifo
/* unsafe /* nested */ crate::fifo::Fifo */
/// [`Fifo`](crate::fifo::Fifo) in a `Vec`
const S: &str = "unsafe \\" crate::fifo"; const R: &str = r#"crate::fifo " Vec"#; const C: char = '"';
fn life<'a>(x: &'a u8) -> &'a u8 { x }
pub(crate) fn seen(layout: core::alloc::Layout) -> crate::Result<()> { Ok(()) }
#[cfg(doc)] use crate::fifo::Fifo;
#[cfg(test)] mod tests { use crate::fifo::Fifo; fn f() { let _: Vec<u8> = vec![]; } }
"""


def self_test(root):
    for file, seed, wanted in [("src/wait.rs", INNOCENT, None), *SEEDS]:
        with tempfile.TemporaryDirectory() as directory:
            copy = pathlib.Path(directory)
            shutil.copytree(root / "src", copy / "src")
            shutil.copy(root / "SAFETY.md", copy)
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            with open(copy / file, "a") as out:
                out.write(seed + "\n")
            said = check(copy)
        if wanted is None and said or wanted and not any(wanted in line for line in said):
            sys.exit(f"self-test: {seed!r} in {file} gave {said}, not {wanted!r}")
    print(f"self-test: {len(SEEDS)} violations noticed")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test(pathlib.Path.cwd())
    else:
        violations = check(pathlib.Path(sys.argv[1] if sys.argv[1:] else "."))
        print("\n".join(violations) or "layers: as they should be")
        sys.exit(bool(violations))
