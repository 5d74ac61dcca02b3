"""Packs of a few lines, written to a folder, for tests of what a pack may say and what it may not."""

from __future__ import annotations

import shutil
from pathlib import Path

from comity.law import SHIPPED

SHARED = tuple(f"{name}.toml" for name in "vocabulary events places obligations cures calendars holidays".split())

PACK = """
[pack]
id = "xx"
name = "Nowhere"
version = "2026.11.21"
"""

LAW = """
[[law]]
id = "xx-law"
name = "The law of nowhere"
cite = "Nowhere Act"
from = 2000-01-01
territory = ["EEA"]
governs = "person.home in EEA"
covers = [{ places = "*" }]
"""

SLOT = """
[[law.slot]]
id = "basis"
says = "A basis."
cite = "Nowhere Act 1"
applies = "True"
"""

FORBID = {
    "id": '"xx-law/no"', "says": '"Not without consent."', "cite": '"Nowhere Act 2"', "from": "2000-01-01",
    "when": '"not consent.given"', "effect": '"forbid"', "cure": '["ask-consent"]',
}  # fmt: skip
"""A rule that is right in every way; keys and their values as TOML has them."""


def table(kind: str, **keys: str) -> str:
    """Return one `[[kind]]` table; a key whose value is empty is left out."""
    lines = [f"{key.rstrip('_')} = {value}" for key, value in keys.items() if value]
    return "\n".join([f"[[{kind}]]", *lines, ""])


def rule(**changes: str) -> str:
    """Return a rule like FORBID with some keys changed."""
    return table("rule", **{**FORBID, **{key.rstrip("_"): value for key, value in changes.items()}})


def write_pack(root: Path, rules: str = "", *, pack: str = PACK + LAW, name: str = "xx", cases: str = "") -> Path:
    """Write one pack, and the shared files where they are not there yet; return the root of all packs."""
    for shared in SHARED:
        if not (root / shared).exists():
            root.mkdir(parents=True, exist_ok=True)
            shutil.copy(SHIPPED / shared, root / shared)
    folder = root / name
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "pack.toml").write_text(pack, "utf-8")
    (folder / "rules" / "rules.toml").write_text(rules, "utf-8")
    if cases:
        (folder / "cases").mkdir(exist_ok=True)
        (folder / "cases" / "cases.toml").write_text(cases, "utf-8")
    return root
