"""Looks in src/ for language that came after Rust 1.85 and that neither clippy nor rustfmt reports,
and at the dependencies for those that declare a newer compiler. Reads `cargo metadata` from
standard input. What it cannot see (trait upcasting, safe target features) only that compiler can.
"""

import json
import pathlib
import re
import sys

from layers import blank

NEWER = [
    (r"\bif\s+let\b[^{};]*=>", "a guard with `if let` (1.95)"),
    (r"\bcfg_select\s*!", "cfg_select! (1.95)"),
    (r"\basm!\s*\([^;]*#\s*\[\s*cfg", "cfg inside of asm! (1.93)"),
    (r";\s*_\s*\]|<[^<>;(){}]*\b_\s*\}\s*>", "an inferred length (1.89)"),
    (r"\bcfg(?:_attr)?\s*\(\s*(?:true|false)\b", "cfg(true) (1.88)"),
    (r"\bnaked\b", "a naked function (1.88)"),
    (r"\blabel\s*\{", "a label in asm! (1.87)"),
]


def version(text):
    return tuple(int(part) for part in (text.split(".") + ["0"])[:2])


metadata = json.load(sys.stdin)
ours = next(p for p in metadata["packages"] if p["id"] == metadata["resolve"]["root"])
wrong = [
    f"{package['name']} {package['version']} wants {package['rust_version']}"
    for package in metadata["packages"]
    if version(package["rust_version"] or "1") > version(ours["rust_version"])
]
for file in sorted(pathlib.Path("src").rglob("*.rs")):
    code = blank(file.read_text())
    for pattern, what in NEWER:
        for found in re.finditer(pattern, code):
            line = code.count("\n", 0, found.start()) + 1
            wrong.append(f"{file}:{line}: {what}")
print("\n".join(wrong) or f"nothing newer than {ours['rust_version']} seen")
sys.exit(bool(wrong))
