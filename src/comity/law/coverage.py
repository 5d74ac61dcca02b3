"""How much of the fact sheets the packs say: for each row the rules made from it, or why there is none."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from comity.law.lawbook import Lawbook, PackError
from comity.law.vocabulary import nearest

REASONS: Final = {
    "no-bearing": "no bearing on a customer book",
    "superseded": "superseded",
    "not-in-force": "not yet in force, or only proposed",
    "guidance": "not law but guidance",
    "blind-spot": "cannot be decided from facts: a blind spot of",
}
"""Why a row may have no rule; "later" is no reason."""

KEYS = frozenset("sheet section id hash reason law note by".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a sheet. `by` says in words what carries it where that is no rule (a group of places, a calendar)."""

    sheet: str
    section: str
    id: str
    hash: str
    rules: tuple[str, ...] = ()
    by: str = ""
    reason: str = ""
    law: str = ""
    note: str = ""

    @property
    def encoded(self) -> bool:
        """Tell whether the packs say it."""
        return bool(self.rules or self.by)

    @property
    def settled(self) -> bool:
        """Tell whether it is encoded, or has a reason why not."""
        return self.encoded or bool(self.reason)


def coverage(book: Lawbook, root: Path) -> list[Row]:
    """Return every row of coverage.toml with the rules that name it. Raises PackError."""
    path = root / "coverage.toml"
    if not path.is_file():
        raise PackError("the file is missing; tools/coverage.py writes it", file=path.name)
    laws = {law.id for law in book.laws}
    given = [_row(table, laws) for table in tomllib.loads(path.read_text("utf-8")).get("row", [])]
    index = _Index(given)
    made: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for name, words in _named(book, root):
        for row in index.rows(words):
            made[row.sheet, row.section, row.id].add(name)
    return [_with(row, made[row.sheet, row.section, row.id]) for row in given]


def _with(row: Row, rules: Iterable[str]) -> Row:
    return Row(
        sheet=row.sheet, section=row.section, id=row.id, hash=row.hash, rules=tuple(sorted(rules)), by=row.by,
        reason=row.reason, law=row.law, note=row.note,
    )  # fmt: skip


def _row(table: Mapping[str, str], laws: set[str]) -> Row:
    name = f"{table.get('sheet')} {table.get('id')}"
    for key in table:
        if key not in KEYS:
            raise PackError(f"unknown key {key!r}{nearest(key, KEYS)}", file="coverage.toml", rule=name)
    reason, law = table.get("reason", ""), table.get("law", "")
    if reason and reason not in REASONS:
        what = f"no reason is {reason!r}{nearest(reason, REASONS)}; it is one of {', '.join(REASONS)}"
        raise PackError(what, file="coverage.toml", rule=name)
    if (reason == "blind-spot") != bool(law) or (law and law not in laws):
        what = f"a blind spot names its law, and nothing else does{nearest(law, laws)}"
        raise PackError(what, file="coverage.toml", rule=name)
    return Row(
        sheet=table["sheet"], section=table["section"], id=table["id"], hash=table["hash"], reason=reason, law=law,
        by=table.get("by", ""), note=table.get("note", ""),
    )  # fmt: skip


def _named(book: Lawbook, root: Path) -> Iterator[tuple[str, str]]:
    """Yield the id of everything made from a row, with the words that name the row."""
    for law in book.laws:
        yield from ((rule.id, rule.source.row) for rule in law.rules)
        yield from ((item.id, item.source.row) for item in law.definitions)
        yield from ((parameter.id, parameter.source.row) for parameter in law.parameters)
        yield law.id, law.source.row
    for path in sorted(root.glob("*/texts/*.toml")):
        for table in tomllib.loads(path.read_text("utf-8")).get("text", []):
            yield f"{table.get('id', '')} (text)", table.get("row", "")


class _Index:
    """Finds the rows that words such as "law-us.md 2 CT, ccpa.req.respond; law-eu.md 3b FR" name."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.by_id: dict[tuple[str, str], list[Row]] = defaultdict(list)
        self.by_section: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            for name in _names(row.id):
                self.by_id[row.sheet, name].append(row)
            self.by_section[row.sheet, row.section].append(row)

    def rows(self, words: str) -> Iterator[Row]:
        sheet = section = ""
        for piece in re.split(r"[;,]", words):
            found = re.match(r"\s*(law-\w+\.md)?\s*(?:(?:section\s+)?(\d+[a-z]?(?:\.\d+)?)\s+)?(.*)", piece)
            if found is None:
                continue
            sheet = found[1] or sheet
            section = found[2] or section if not found[1] or found[2] else ""
            yield from self.found(sheet, section, found[3].strip())

    def found(self, sheet: str, section: str, name: str) -> list[Row]:
        if not name:
            return []
        exact = self.by_id.get((sheet, name), [])
        if len({row.section for row in exact}) > 1 and section:
            exact = [row for row in exact if row.section == section]
        if exact:
            return exact
        return [
            row
            for row in self.by_section.get((sheet, section), [])
            if any(one == name or one.startswith((f"{name} ", f"{name},")) for one in _names(row.id))
        ]


def _names(row_id: str) -> list[str]:
    """Return what a row may be called: "ecl.15/16" is ecl.15 and ecl.16, and the whole."""
    first, *rest = row_id.split("/")
    if not rest or " " in row_id:
        return [row_id]
    stem = first.rpartition(".")[0]
    return [row_id, first, *(one if "." in one else f"{stem}.{one}" for one in rest)]


# ---------------------------------------------------------------- for readers


def page(rows: Sequence[Row]) -> str:
    """Return docs/coverage.md."""
    lines = [
        "# Coverage",
        "",
        "Written by `comity law coverage --markdown`. Each row of the fact sheets' rule tables, by sheet, section and",
        "the hash of the row, with the rules, definitions, parameters and text rules made from it, or the reason why",
        "there is none. The reasons are a closed list; “later” is not among them.",
        "",
        *summary(rows),
    ]
    section = ("", "")
    for row in rows:
        if (row.sheet, row.section) != section:
            section = (row.sheet, row.section)
            lines += ["", f"## {row.sheet} {row.section}", "", "| row | hash | made of it |", "| --- | --- | --- |"]
        lines.append(f"| {row.id.replace('|', ' ')} | `{row.hash}` | {made_of(row)} |")
    return "\n".join(lines) + "\n"


def made_of(row: Row) -> str:
    """Return in words what became of a row."""
    if row.encoded:
        return ", ".join([*(f"`{name}`" for name in row.rules), *([row.by] if row.by else [])])
    if not row.reason:
        return "**nothing, and no reason**"
    law = f" `{row.law}`" if row.law else ""
    return f"{REASONS[row.reason]}{law}" + (f": {row.note}" if row.note else "")


def summary(rows: Sequence[Row]) -> list[str]:
    """Return the counts by sheet, as a table."""
    lines = ["| sheet | rows | encoded | with a reason | neither |", "| --- | ---: | ---: | ---: | ---: |"]
    for sheet in [*dict.fromkeys(row.sheet for row in rows), "all"]:
        own = [row for row in rows if sheet in {row.sheet, "all"}]
        encoded = sum(row.encoded for row in own)
        share = 100 * encoded / max(1, len(own))
        reasoned = sum(bool(row.reason) and not row.encoded for row in own)
        lines.append(
            f"| {sheet} | {len(own)} | {encoded} ({share:.0f} %) | {reasoned} | {len(own) - encoded - reasoned} |"
        )
    return lines
