"""What is in a package: a page that a person reads, the same as JSON and CSV for programs, and original files.

    for name, pieces in packed(...): ...       # index.html first, so that the page can be shown without the rest

The page runs nothing, fetches nothing, and stands by itself: it is read from a disk, in years, and printed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any, Final

from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from comity.book.exports.cells import guarded
from comity.book.opening import full_name
from comity.counsel.reading import Said, cited
from comity.rights.packages.contents import Wanted, Where
from comity.rights.packages.shelves import Part
from comity.rights.packages.wording import as_cell, clock_said, column_said, for_programs, said
from comity.rights.requests.models import Kind
from comity.staff.terms import term

if TYPE_CHECKING:
    from comity.rights.packages.beyond import Beyond
    from comity.rights.packages.collecting import Collected, File, Row, Table

PAGE: Final = "index.html"
A_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
YEAR: Final = timedelta(days=365)
NUMBERS: Final = re.compile(
    r"social.?sec|\bssn\b|licen[cs]e|passport|account|card|insurance|iban|tax|password|biometr|身份证|护照|账号|卡号|社保|密码",
    re.IGNORECASE,
)
"""Names of fields that hold what some laws want named as held, and never shown."""
UNSAFE: Final = re.compile(r"[^\w.\- ()\[\]]+")
LONGEST_NAME: Final = 120


@dataclass(frozen=True, kw_only=True)
class Contents:
    """All that goes into a package."""

    collected: Collected
    wanted: Sequence[Wanted]
    exceptions: Sequence[Said]
    beyond: Sequence[Beyond]
    places: int  # at so many, other people were taken out
    numbers: bool  # some numbers are named as held, not shown
    open_file: Callable[[File], bytes] = field(repr=False)

    @cached_property
    def shown(self) -> Collected:
        """What was collected, without the numbers that may only be named."""
        return _without_numbers(self.collected) if self.numbers else self.collected

    @cached_property
    def file_names(self) -> list[str]:
        """What the files are called in the package: as they were, safe on every system, each once."""
        used: Counter[str] = Counter()
        names = []
        for file in self.collected.files:
            safe = UNSAFE.sub("_", file.name).strip(". ")[-LONGEST_NAME:] or "file"
            used[safe] += 1
            names.append(f"files/{safe}" if used[safe] == 1 else f"files/{used[safe]}-{safe}")
        return names


def packed(contents: Contents) -> Iterator[tuple[str, bytes]]:
    """Give each file of the package by its name, one after the other; the page comes first."""
    yield PAGE, page_of(contents).encode()
    yield "data.json", _json(contents)
    for table in contents.shown.tables:
        if table.rows:
            yield f"csv/{table.shelf.name}.csv", _csv(table)
    for file, name in zip(contents.collected.files, contents.file_names, strict=True):
        yield name, contents.open_file(file)
    for one in contents.beyond:
        for name, held in one.files:
            yield f"systems/{UNSAFE.sub('_', one.system)}/{UNSAFE.sub('_', name)}", held


def _without_numbers(collected: Collected) -> Collected:
    return replace(
        collected, tables=[replace(table, rows=[_masked(row) for row in table.rows]) for table in collected.tables]
    )


def _masked(row: Row) -> Row:
    named = str(row.plain.get("field__name", ""))
    opened = {
        name: _("held, not shown") if NUMBERS.search(f"{named} {name}") and name != "text" else value
        for name, value in row.opened.items()
    }
    return replace(row, opened=opened)


# ---------------------------------------------------------------- for programs


def _json(contents: Contents) -> bytes:
    collected = contents.shown
    told = {
        "comity_package": 1, "person": str(collected.person), "entity": collected.entity.name,
        "made_at": collected.at.astimezone(UTC).isoformat(), "other_people_taken_out": contents.places,
        "tables": {table.shelf.table: [_row(row) for row in table.rows] for table in collected.tables if table.rows},
        "files": contents.file_names,
        "law": [
            {"rule": one.rule, "cite": one.cite, "contents": [each.says for each in one.contents]}
            for one in contents.wanted
        ],
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


def _row(row: Row) -> dict[str, Any]:
    return {"ref": row.ref} | {name: for_programs(value) for name, value in (row.plain | row.opened).items()}  # type: ignore[operator]  # mappings that are dicts


def _csv(table: Table) -> bytes:
    """Return a table as CSV, UTF-8 with a mark at its beginning: spreadsheets take it for something else without."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, lineterminator="\r\n")
    columns = table.columns
    writer.writerow(["ref", *columns])
    for row in table.rows:
        cells = (row.plain.get(name, row.opened.get(name)) for name in columns)
        writer.writerow([row.ref, *[guarded(as_cell(cell)) for cell in cells]])
    return out.getvalue().encode()


# ---------------------------------------------------------------- for people


def page_of(contents: Contents) -> str:
    """Return the page, in the language of the moment."""
    collected = contents.shown
    return render_to_string("rights/packages/page.html", {
        "entity": collected.entity, "at": collected.at, "parts": list(_parts(collected)), "wanted": contents.wanted,
        "summary": list(summary(collected, contents.wanted)), "since": since_of(contents.wanted),
        "purposes": list(_purposes(collected)), "clocks": list(_clocks(collected)),
        "rights": [label for _kind, label in Kind.choices], "exceptions": contents.exceptions,
        "files": list(zip(contents.file_names, collected.files, strict=True)), "beyond": contents.beyond,
        "places": contents.places, "sealed": collected.sealed, "name": _name(collected),
    })  # fmt: skip


def _name(collected: Collected) -> str:
    rows = collected.table("book.Person").rows
    own = next((row for row in rows if row.ref == str(collected.person)), None)
    return full_name(dict(own.opened)) if own else ""


@dataclass(frozen=True, kw_only=True)
class Held:
    """How much there is under a heading: all of it, and, where a law asks for it, of a year and since a day."""

    part: Part
    all: int
    year: int
    since: int


def since_of(wanted: Sequence[Wanted]) -> date | None:
    """Return the day back to which a law lets somebody ask for everything, as the pack names it; the earliest."""
    days = [
        date.fromisoformat(day) for rule in wanted for each in rule.contents if each.place is Where.SUMMARY
        for day in A_DAY.findall(each.says)
    ]  # fmt: skip
    return min(days, default=None)


def summary(collected: Collected, wanted: Sequence[Wanted]) -> Iterator[Held]:
    """Give for each heading how much there is. What has no day counts as of today: it is held now."""
    year, since = (collected.at - YEAR).date(), since_of(wanted) or date.min
    for part in Part:
        days = [_day(table, row) for table in collected.of(part) for row in table.rows]
        if days:
            counted = [sum(1 for day in days if day is None or day >= first) for first in (year, since)]
            yield Held(part=part, all=len(days), year=counted[0], since=counted[1])


def _day(table: Table, row: Row) -> date | None:
    value = row.plain.get(table.shelf.at)
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _purposes(collected: Collected) -> Iterator[tuple[str, str, str]]:
    """Give for what the law was asked about the data and permitted it, with the citations that said so."""
    found: dict[str, dict[str, None]] = {}
    for row in collected.table("vault.RecordedDecision").rows:
        if row.plain.get("verdict") == "permit":
            found.setdefault(str(row.plain["purpose"]), {}).update(dict.fromkeys(row.plain.get("because", ())))
    for row in collected.table("consent.Standing").rows:
        found.setdefault(str(row.plain["purpose"]), {})
    for purpose, rules in sorted(found.items()):
        yield purpose, term(purpose), cited(rules)


def _clocks(collected: Collected) -> Iterator[tuple[str, str]]:
    for table in collected.tables:
        if table.rows:
            yield str(table.shelf.says), clock_said(table.shelf)


def _parts(collected: Collected) -> Iterator[tuple[Part, list[tuple[str, SafeString]]]]:
    for part in Part:
        if tables := collected.of(part):
            yield part, [(str(table.shelf.says), _html(table)) for table in tables]


def _html(table: Table) -> SafeString:
    """Return a table of the page. Written here, not by a template: there may be ten thousand rows.

    INVARIANT: whatever stands in a cell goes through `escape`.
    """
    columns = [name for name in table.columns if not (table.shelf.to_programs_alone and name not in table.shelf.shows)]
    cells = [[_cell(table, row, name) for name in columns] for row in table.rows]
    filled = [place for place in range(len(columns)) if any(row[place] for row in cells)]
    head = "".join(f"<th scope=col>{escape(column_said(columns[place]))}</th>" for place in filled)
    body = "".join(f"<tr>{''.join([f'<td>{row[place]}</td>' for place in filled])}</tr>\n" for row in cells)
    return mark_safe(f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>")  # noqa: S308 - all of it was escaped


def _cell(table: Table, row: Row, name: str) -> str:
    value = row.plain.get(name, row.opened.get(name))
    return escape(said(table.shelf, name, value)) if value is not None else ""
