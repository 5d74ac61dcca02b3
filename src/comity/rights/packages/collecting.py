"""Everything we keep about one person for one entity of ours, gathered from every table that can name them.

    collected = collect(person=ref, entity=firm, reader=ada, at=now)      # one of the staff who works on the request
    collected = collect(person=ref, entity=firm, reader=Oneself(person=ref, visit=visit), at=now)

What is sealed is opened by the vault alone, under a decision on record: for the member of the staff, as far as their
roles let them see; for the person themself, all of it. What lies under the person's key and belongs to no row that was
found is not opened: it may be another entity's, and is counted, so that somebody looks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from comity.book.fields.models import Attachment
from comity.book.models import Person
from comity.consent.suppression.marks import Unclear, mark_of
from comity.consent.suppression.models import Suppressed
from comity.counsel.actions import Decided, decide
from comity.counsel.models import AskedDecision
from comity.counsel.questions import Question
from comity.rights.packages.shelves import SHELVES, Part, Shelf
from comity.staff.guards import may_handle
from comity.staff.models import RoleGrant
from comity.staff.roles import roles
from comity.vault.actions import open_fields
from comity.vault.gate import Oneself
from comity.vault.models import RecordedDecision
from comity.vault.queries import labels_of
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff
    from comity.vault.actions import Opened

PURPOSE: Final = "legal-duty"
CONTENT: Final = "content"
"""The field under which the bytes of a file are sealed."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row: its plain columns, and what was opened that belongs to it."""

    ref: str
    plain: Mapping[str, Any]
    opened: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Table:
    """All rows of one shelf."""

    shelf: Shelf
    rows: Sequence[Row]

    @property
    def columns(self) -> list[str]:
        """The columns that any of the rows has, the plain ones first."""
        opened = dict.fromkeys(name for row in self.rows for name in row.opened)
        plain = self.rows[0].plain if self.rows else self.shelf.shows
        return [*plain, *[name for name in opened if name not in plain]]


@dataclass(frozen=True, kw_only=True)
class File:
    """A file about the person: where its bytes are sealed, and what it is called."""

    label: Label
    name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Collected:
    """All that was gathered. `sealed` counts what stayed sealed by law or role, `unplaced` what belongs to no row."""

    person: UUID
    entity: Entity
    at: datetime
    decided: Decided
    tables: Sequence[Table]
    files: Sequence[File]
    sealed: int
    unplaced: int

    def of(self, part: Part) -> list[Table]:
        """Return what stands under a heading, without tables that are empty."""
        return [table for table in self.tables if table.shelf.part == part and table.rows]

    def table(self, name: str) -> Table:
        """Return the rows of a table, such as book.Activity."""
        return next(table for table in self.tables if table.shelf.table == name)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(len(table.rows) for table in self.tables)


def collect(*, person: UUID, entity: Entity, reader: Staff | Oneself, at: datetime) -> Collected:
    """Gather everything. Call it in a transaction behind the wall of the entity; raises what the vault raises.

    One decision and one entry of the ledger cover all that is opened, but for the bytes of files (`bytes_of`).
    """
    persons = refs_of(person)
    found = {shelf.table: _read(shelf, persons, entity) for shelf in SHELVES}
    _leave_to_others(found, entity)
    decided, opened, sealed, unplaced = _opened(person, entity, reader, found)
    tables = [Table(shelf=shelf, rows=_rows(shelf, found[shelf.table], opened)) for shelf in SHELVES]
    return Collected(
        person=person, entity=entity, at=at, decided=decided, files=_files(person, found, opened), sealed=sealed,
        unplaced=unplaced, tables=[*tables, _refusals(entity, opened)],
    )  # fmt: skip


def refs_of(person: UUID) -> list[UUID]:
    """Return the person's ref, and those of whom they were made one with."""
    return [person, *Person.objects.filter(merged_into=person).values_list("ref", flat=True)]


# ---------------------------------------------------------------- rows

Found = dict[str, list[tuple[Any, dict[str, Any]]]]
"""Of each table its rows: the key of each, and its columns."""


def _read(shelf: Shelf, persons: Sequence[UUID], entity: Entity) -> list[tuple[Any, dict[str, Any]]]:
    rows = shelf.rows(persons, entity.ref).values_list("pk", *shelf.shows)
    return [(key, dict(zip(shelf.shows, values, strict=True))) for key, *values in rows]


def _leave_to_others(found: Found, entity: Entity) -> None:
    """Take out what is another entity's of ours, in tables that do not say whose their rows are."""
    answers = {key for key, _columns in found["counsel.AskedDecision"]}
    found["vault.RecordedDecision"] = [row for row in found["vault.RecordedDecision"] if row[0] in answers]
    _add_reasons(found)
    entries = []
    for key, columns in found["ledger.Entry"]:
        body = json.loads(bytes(columns["body"]))["body"]
        decision, whose = body.get("decision"), body.get("entity")
        if (whose and whose != str(entity.ref)) or (not whose and decision and UUID(decision) not in answers):
            continue
        entries.append((key, columns | {"body": body}))
    _say_who(entries)
    found["ledger.Entry"] = entries


def _say_who(entries: Iterable[tuple[Any, dict[str, Any]]]) -> None:
    """Say instead of a ref of one of the staff who did it, by their roles; or the person, or we."""
    grants = RoleGrant.objects.filter(staff__in={columns["staff"] for _key, columns in entries} - {None})
    known: dict[UUID, list[str]] = {}
    for staff, role in grants.values_list("staff", "role").distinct():
        known.setdefault(staff, []).append(roles().roles[role].name if role in roles().roles else role)
    for _key, columns in entries:
        staff = columns.pop("staff")
        themself = _("you") if columns["body"].get("visit") else _("by itself")
        columns["by"] = ", ".join(sorted(map(gettext, known.get(staff, [])))) if staff else str(themself)


def _add_reasons(found: Found) -> None:
    """Put beside each answer of the law what came out for this person, and by which rules."""
    decisions = [key for key, _columns in found["vault.RecordedDecision"]]
    persons = dict(RecordedDecision.objects.filter(ref__in=decisions).values_list("ref", "persons"))
    asked = AskedDecision.objects.filter(ref__in=decisions).values_list("ref", "findings", "of")
    told = {ref: (findings, of) for ref, findings, of in asked}
    mine = {key for key, _columns in found["book.Person"]}
    for key, columns in found["vault.RecordedDecision"]:
        findings, of = told[key]
        number = next((of[place] for place, person in enumerate(persons[key]) if person in mine), None)
        finding = findings[number] if number is not None else {}
        columns |= {"verdict": finding.get("verdict", ""), "because": finding.get("because", [])}


def _rows(shelf: Shelf, found: Iterable[tuple[Any, dict[str, Any]]], opened: Mapping[UUID, Opened]) -> list[Row]:
    return [
        Row(ref=_spelled(key), plain=columns, opened=_texts(shelf, key, opened)) for key, columns in found
    ]  # fmt: skip


def _spelled(key: object) -> str:
    return "/".join(map(str, key)) if isinstance(key, tuple) else str(key)


def _texts(shelf: Shelf, key: Any, opened: Mapping[UUID, Opened]) -> dict[str, Any]:  # noqa: ANN401 - any primary key
    texts: dict[str, Any] = {}
    for record in shelf.holds(key) if isinstance(key, UUID) else ():
        texts |= opened.get(record, {})
    return texts


# ---------------------------------------------------------------- what is sealed


def _opened(
    person: UUID, entity: Entity, reader: Staff | Oneself, found: Found
) -> tuple[Decided, dict[UUID, Opened], int, int]:
    """Open what belongs to a row that was found; return it by the record it lies under, and what was not opened."""
    records = {
        record for shelf in SHELVES for key, _columns in found[shelf.table] if isinstance(key, UUID)
        for record in shelf.holds(key)
    }  # fmt: skip
    held = set(_held(found))
    lying = [label for label in labels_of(person) if label.record not in held]
    mine = [label for label in lying if label.record in records]
    classes = _classes(reader, entity)
    decided = _decide(person, entity, reader, classes)
    may = [label for label in mine if label.field_class in classes]
    by_record: dict[UUID, Opened] = {}
    for label, fields in open_fields(warrant=decided.warrant, labels=may, permitted_only=True).items():
        by_record.setdefault(label.record, {}).update(fields)
    permitted = person in decided.permitted
    return decided, by_record, len(mine) - (len(may) if permitted else 0), len(lying) - len(mine)


def _classes(reader: Staff | Oneself, entity: Entity) -> list[FieldClass]:
    """Return what the reader may see: themself all, one of the staff what their roles have for this purpose."""
    if isinstance(reader, Oneself):
        return list(FieldClass)
    return [
        sort for sort in FieldClass
        if may_handle(reader, operation="view", purpose=PURPOSE, field_class=sort, entity=entity)
    ]  # fmt: skip


def _decide(person: UUID, entity: Entity, reader: Staff | Oneself, classes: Sequence[FieldClass]) -> Decided:
    question = Question(operation="view", purpose=PURPOSE, entity=entity.ref, more={"use.legal_duty": True})
    handled = [person] if classes else []
    return decide(question=question, persons=[person], staff=reader, field_classes=classes, handled=handled)


# ---------------------------------------------------------------- files


def _held(found: Found) -> Iterator[UUID]:
    """Give the records under which the bytes of files lie."""
    keys = [key for key, _columns in found["book.Attachment"]]
    yield from Attachment.objects.filter(pk__in=keys).values_list("held", flat=True)


def _files(person: UUID, found: Found, opened: Mapping[UUID, Opened]) -> list[File]:
    sizes = {key: columns["size"] for key, columns in found["book.Attachment"]}
    rows = Attachment.objects.filter(pk__in=list(sizes)).order_by("added_at", "pk")
    return [
        File(
            label=Label(person, FieldClass.ATTACHMENT, "attachment", held), name=str(opened[key].get("name", "")),
            size=sizes[key],
        )
        for key, held in rows.values_list("pk", "held") if key in opened
    ]  # fmt: skip


def bytes_of(file: File, decided: Decided) -> bytes:
    """Open what a file holds, in a transaction of the caller's; empty if it is not there any more. Raises Refused."""
    fields = open_fields(warrant=decided.warrant, labels=[file.label]).get(file.label, {})
    content = fields.get(CONTENT, b"")
    return content if isinstance(content, bytes) else str(content).encode()


# ---------------------------------------------------------------- refusals of addresses

REFUSALS: Final = Shelf(
    table="consent.Suppressed", part=Part.SAID, says=_("Addresses of yours that are left alone"), at="since",
    shows=("reach", "cause", "uses", "since", "source", "released_at"),
)  # fmt: skip


def _refusals(entity: Entity, opened: Mapping[UUID, Opened]) -> Table:
    """Return the refusals that stand for the person's addresses: rows that name nobody, found by what was opened."""
    marks = {mark.digest for fields in opened.values() for mark in _marks(fields)}
    rows = Suppressed.objects.filter(digest__in=marks, entity=entity)
    found = [
        (key, dict(zip(REFUSALS.shows, values, strict=True)))
        for key, *values in rows.order_by("since").values_list("pk", *REFUSALS.shows)
    ]  # fmt: skip
    return Table(shelf=REFUSALS, rows=_rows(REFUSALS, found if marks else [], {}))


def _marks(fields: Opened) -> Iterator[Any]:
    for reach in ("email", "phone"):
        if isinstance(value := fields.get(reach), str):
            try:
                yield mark_of(reach, value)
            except Unclear:
                continue
