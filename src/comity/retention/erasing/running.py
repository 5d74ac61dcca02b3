"""The run of an erasure: every row that names the person, in one transaction with the end of the key.

INVARIANT: whatever is read here is read under the locks of the persons, so what came meanwhile is seen, and what comes
later finds nobody.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction

from comity.book.models import Person
from comity.counsel.keeping import Term
from comity.ledger.journal.keeping import keep_after_commit
from comity.refs import as_array
from comity.retention.erasing.files import FILES, Files
from comity.retention.erasing.keeping import Keeper, Row
from comity.retention.erasing.targets import Target, emptied, targets
from comity.retention.own_keys import own_keys_of
from comity.staff.models import Entity
from comity.vault.destroying import destroy_person_keys

JOURNAL: Final = "retention.erased"
"""The kind of line in the journal that has the rows go again from a database that was put back."""
SAID_ON, CHANNEL = ("said_at", "begun_at"), "channel"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A row of which a law has us keep something."""

    table: str
    person: UUID
    term: Term
    facts: Mapping[str, Any]

    @property
    def until(self) -> date:
        """The last day on which it must be there."""
        assert self.term.day is not None  # noqa: S101 - without a day nothing is kept
        return self.term.day


@dataclass(kw_only=True)
class Went:
    """What went, counted by table; what a law has us keep; how many blobs and keys were destroyed."""

    rows: Counter[str] = field(default_factory=Counter)
    kept: list[Record] = field(default_factory=list)
    blobs: int = 0
    keys: int = 0


def all_of(persons: Collection[UUID]) -> list[UUID]:
    """Return these persons, locked, with everybody who was merged into one of them."""
    found = set(persons)
    new = found
    while new:
        rows = Person.objects.select_for_update(of=("self",)).filter(merged_into__in=new).order_by("ref")
        new = set(rows.values_list("ref", flat=True)) - found
        found |= new
    list(Person.objects.select_for_update(of=("self",)).filter(ref__in=found).order_by("ref").values_list("ref"))
    return sorted(found)


def known_elsewhere(persons: Sequence[UUID], entity: UUID) -> set[UUID]:
    """Return those whom another entity of ours knows too: of these only what is this entity's goes."""
    several = Person.objects.filter(ref__in=persons).exclude(entities=[entity])
    return set(several.values_list("ref", flat=True))


@transaction.atomic
def remove(persons: Sequence[UUID], *, entity: Entity, whole: bool, staff: UUID | None, keeper: Keeper | None) -> Went:
    """Take all rows of these persons out; of one entity alone, unless `whole`. Their locks are held already.

    Without a `keeper` nothing is asked of the law, as when a database that was put back is brought up to the journal.
    """
    went = Went()
    given = {"persons": as_array(persons), "entity": str(entity.ref)}
    _without_copies(on=True)
    if keeper is not None:
        went.kept = list(_to_keep(persons, given, keeper, whole=whole))
    refs: list[UUID] = []
    for each in targets():
        refs += _end(each, given, went, whole=whole)
    if whole:
        went.blobs, went.keys = _end_keys(sorted({*persons, *own_keys_of(refs)}), staff)
    else:
        went.blobs = _discard(persons, refs)
        _let_go(persons, entity)
    _without_copies(on=False)
    _journal(persons, entity, whole=whole)
    return went


def _without_copies(*, on: bool) -> None:
    """Let PostgreSQL not write a copy anew for each table of which rows go (book.known)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('comity.copied_later', %s, true)", ["on" if on else ""])


# ---------------------------------------------------------------- rows


def _end(each: Target, given: Mapping[str, str], went: Went, *, whole: bool) -> list[UUID]:
    """Do with the rows of a table what the data map says; return the refs by which their blobs are called."""
    if each.becomes == "stay" or (each.label == "book.Person" and not whole):
        return []
    where = each.where_of(whole=whole)
    if each.label in FILES:
        _forget_files(each, given, where, FILES[each.label])
    if each.becomes == "unname":
        return _unname(each, given, went, where)
    wanted = f" RETURNING {', '.join(each.refs)}" if each.refs else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {each.table} WHERE {where}{wanted}", given)  # noqa: S608 - our own words
        went.rows[each.label] += cursor.rowcount
        return [ref for row in (cursor.fetchall() if wanted else ()) for ref in row if ref is not None]


def _unname(each: Target, given: Mapping[str, str], went: Went, where: str) -> list[UUID]:
    columns = [link.column for link in each.declared.persons]
    sets = [*[emptied(each, column) for column in columns], *[f"{name} = NULL" for name in each.declared.cleared]]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {each.table} SET {', '.join(sets)} WHERE {where}", given)  # noqa: S608 - our own words
        went.rows[each.label] += cursor.rowcount
    return []


def _forget_files(each: Target, given: Mapping[str, str], where: str, files: Files) -> None:
    """Delete the files of these rows once that is committed; their keys go now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {files.column} FROM {each.table} WHERE {where}", given)  # noqa: S608 - our own words
        for (name,) in cursor.fetchall():
            if name is not None:
                transaction.on_commit(partial(files.forget, name))


def _let_go(persons: Sequence[UUID], entity: Entity) -> None:
    """Let an entity of ours know these persons no more; those who know them still do."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE book_person SET entities = array_remove(entities, %s::uuid) WHERE ref = ANY (%s::uuid[])",
            [str(entity.ref), as_array(persons)],
        )
        cursor.execute("SELECT book_know(%s::uuid[])", [as_array(persons)])


# ---------------------------------------------------------------- what is sealed


def _end_keys(persons: Sequence[UUID], staff: UUID | None) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM vault_sealed WHERE person = ANY (%s::uuid[])", [as_array(persons)])
        ((blobs,),) = cursor.fetchall()
    return int(blobs), destroy_person_keys(persons=persons, staff=staff)


def _discard(persons: Sequence[UUID], refs: Collection[UUID]) -> int:
    """Delete blobs of rows that went, of persons whose key stays."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM vault_sealed WHERE person = ANY (%s::uuid[]) AND record = ANY (%s::uuid[])",
            [as_array(persons), as_array(refs)],
        )
        return int(cursor.rowcount)


# ---------------------------------------------------------------- what a law has us keep


def _to_keep(persons: Sequence[UUID], given: Mapping[str, str], keeper: Keeper, *, whole: bool) -> Iterable[Record]:
    homes = dict(Person.objects.filter(ref__in=persons).values_list("ref", "home"))
    for each in targets():
        if each.becomes == "delete" and each.declared.records:
            yield from _of_table(each, given, keeper, homes, whole=whole)


def _of_table(
    each: Target, given: Mapping[str, str], keeper: Keeper, homes: Mapping[UUID, str], *, whole: bool
) -> Iterable[Record]:
    (link,) = each.declared.persons
    columns = list(dict.fromkeys([link.column, *each.facts]))
    where = each.where_of(whole=whole)
    if each.declared.records_if:
        where = f"({where}) AND {each.declared.records_if} IS NOT NULL"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM {each.table} WHERE {where}", given)  # noqa: S608 - our own words
        rows = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    for row in rows:
        person = row.pop(link.column)
        found = [keeper.of(homes.get(person, ""), _asked(kind, row)) for kind in each.declared.records]
        if kept := [one for one in found if one is not None]:
            longest = max(kept, key=lambda one: (one.day or date.min, one.certain))
            yield Record(table=each.label, person=person, term=longest, facts=_plain(row))


def _asked(kind: str, row: Mapping[str, Any]) -> Row:
    said = next((row[name].date() for name in SAID_ON if isinstance(row.get(name), datetime)), None)
    return Row(records=kind, channel=row.get(CHANNEL) or "", said_on=said)


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a row says, as JSON has it; what says nothing is left out."""
    told = {name: value for name, value in row.items() if value not in (None, "", [], {})}
    return {name: _text(value) for name, value in told.items()}


def _text(value: Any) -> Any:  # noqa: ANN401 - a value of any column
    match value:
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case list() | tuple():
            return [_text(one) for one in value]
    return value


# ---------------------------------------------------------------- the journal


def _journal(persons: Sequence[UUID], entity: Entity, *, whole: bool) -> None:
    """Have a database that is put back lose these rows again, before anything is sent from it."""
    said = {"persons": [str(ref) for ref in persons], "entity": str(entity.ref), "whole": whole}
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_journal(%s, %s::jsonb)", [JOURNAL, json.dumps(said)])
    keep_after_commit()


def counted_by_table(persons: Sequence[UUID], *, entity: Entity, whole: bool) -> dict[str, int]:
    """Return how many rows of each table name these persons, without changing any."""
    given = {"persons": as_array(persons), "entity": str(entity.ref)}
    found: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        for each in targets():
            cursor.execute(f"SELECT count(*) FROM {each.table} WHERE {each.where_of(whole=whole)}", given)  # noqa: S608 - our own words
            ((many,),) = cursor.fetchall()
            if many:
                found[each.label] = int(many)
    return dict(found)


def what_is_kept(persons: Sequence[UUID], *, entity: Entity, whole: bool, keeper: Keeper) -> list[Record]:
    """Return what a law has us keep of these persons, without changing anything."""
    return list(_to_keep(persons, {"persons": as_array(persons), "entity": str(entity.ref)}, keeper, whole=whole))


def grouped(kept: Iterable[Record]) -> list[dict[str, Any]]:
    """Return what is kept as JSON: rows of one table that one rule keeps until one day are one line."""
    groups: dict[tuple[str, str, date], dict[str, Any]] = {}
    for each in kept:
        one = each.term
        group = groups.setdefault((each.table, one.rule, each.until), {
            "table": each.table, "rows": 0, "records": one.records, "rule": one.rule, "cite": one.cite,
            "says": one.what, "until": each.until.isoformat(), "certain": one.certain, "missing": list(one.missing),
        })  # fmt: skip
        group["rows"] += 1
    return list(groups.values())


def strays(persons: Sequence[UUID], *, entity: Entity) -> int:
    """Take out rows about people who are gone already; return how many there were."""
    went, given = Went(), {"persons": as_array(persons), "entity": str(entity.ref)}
    for each in targets():
        _end(each, given, went, whole=True)
    return went.rows.total()


def is_here(persons: Sequence[UUID]) -> bool:
    """Say whether any of these is in the book."""
    return Person.objects.filter(ref__in=list(persons)).exists()
