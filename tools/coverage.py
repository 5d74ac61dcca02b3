# ruff: noqa: INP001 - a script, not a package
"""Bring packs/coverage.toml up to date with the fact sheets: one entry for each row of their rule tables.

Usage: python tools/coverage.py FOLDER, where FOLDER holds law-eu.md, law-us.md and law-cn.md. Reasons that were given
for rows stay as long as the row does.
"""

from __future__ import annotations

import hashlib
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TARGET = Path(__file__).resolve().parent.parent / "src" / "comity" / "packs" / "coverage.toml"
NO_RULES = (
    "0.",
    "sources",
    "verification log",
    "10. sources",
    "11. disputed",
    "open or disputed",
    "disputed or to confirm",
)
EXAMPLES = {"in (receipt)", "receipt", "row", "key", "code", "mark"}
"""First headers of tables that hold examples, sources or a log, and no rules."""
HEAD = """# The rows of the fact sheets' rule tables, and why some have no rule. The rows are written by
# tools/coverage.py; reasons by hand: `by` says what else carries the row, `reason` is one of those that law/coverage.py
# knows, `note` says it in words, and `law` names the law whose blind spot it is.
"""


class Row(NamedTuple):
    """One row of a rule table."""

    sheet: str
    section: str
    id: str
    hash: str


def main() -> None:
    """Write the file anew."""
    folder = Path(sys.argv[1])
    given = _reasons()
    lines = [HEAD]
    for row in (row for name in ("law-eu.md", "law-us.md", "law-cn.md") for row in rows(folder / name)):
        lines += ["[[row]]", *(f"{key} = {_quoted(value)}" for key, value in row._asdict().items())]
        reason = given.get((row.sheet, row.section, row.id), {})
        lines += [f"{key} = {_quoted(reason[key])}" for key in ("by", "reason", "law", "note") if key in reason]
        lines.append("")
    TARGET.write_text("\n".join(lines), encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {sum(line == '[[row]]' for line in lines)} rows\n")


def _reasons() -> dict[tuple[str, str, str], dict[str, str]]:
    if not TARGET.is_file():
        return {}
    found = tomllib.loads(TARGET.read_text("utf-8")).get("row", [])
    return {(row["sheet"], row["section"], row["id"]): row for row in found}


def rows(sheet: Path) -> Iterator[Row]:
    """Yield the rows of a sheet's rule tables."""
    section, headers, skip = "", None, False
    seen: dict[tuple[str, str], int] = {}
    for line in sheet.read_text("utf-8").splitlines():
        heading = re.match(r"#{2,3} +(.*)", line)
        if heading:
            title = heading[1].strip()
            number = re.match(r"(\d+[a-z]?(?:\.\d+)?)\b", title)
            section, headers = number[1] if number else title[:40], None
            skip = any(title.lower().startswith(word) or word in title.lower() for word in NO_RULES if word != "0.")
            skip = skip or section == "0"
        elif not line.startswith("|"):
            headers = None
        elif headers is None:
            headers = _cells(line)
        elif not set(line) <= set("|-: ") and not skip and headers[0].lower() not in EXAMPLES:
            cells = _cells(line)
            name = re.sub(
                r"\*\*|`",
                "",
                cells[1] if headers[0] == "#" and len(cells) > 1 and headers[1] == "rule id" else cells[0],
            ).strip()
            seen[section, name] = seen.get((section, name), 0) + 1
            number = seen[section, name]
            yield Row(sheet.name, section, name if number == 1 else f"{name} ({number})", _hash(line))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _hash(line: str) -> str:
    return hashlib.sha256(" ".join(line.split()).encode()).hexdigest()[:10]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


if __name__ == "__main__":
    main()
