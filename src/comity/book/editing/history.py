"""The history of plain facts: what a row said before it changed, so that a decision can be replayed as of then.

A row as of an instant is the earliest past that ended after that instant; where there is none, the row as it stands. A
row that was not there yet has a past without facts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model
from django.db.models.functions import Now

from comity.book.models import PastFacts, Person
from comity.vault.data_map import Sensitivity, data_map

Row = TypeVar("Row", bound=Model)
_spell = DjangoJSONEncoder().encode


def keep_past(rows: Iterable[Model]) -> None:
    """Keep what these rows say in the database, because they are about to be changed, deleted or added.

    Call it in the transaction of the change, before the change is written; what the objects say already does not
    matter. A row that is not in the database yet is kept as one without facts: before now it was not there.
    """
    by_table: dict[type[Model], list[Model]] = {}
    for row in rows:
        by_table.setdefault(type(row), []).append(row)
    PastFacts.objects.bulk_create(past for model, many in by_table.items() for past in _past(model, many))


def _past(model: type[Model], rows: Sequence[Model]) -> Iterator[PastFacts]:
    columns = columns_of(model)
    found = model._base_manager.filter(pk__in=[row.pk for row in rows])  # noqa: SLF001 - Django's documented name for it
    stored = {told["pk"]: told for told in found.values("pk", *columns)}
    for row in rows:
        told = stored.get(row.pk, {})
        facts = {name: told[name] for name in columns if name in told}
        yield PastFacts(
            person=person_of(row), table=model.__name__, until=Now(),
            facts=json.loads(_spell({"ref": row.pk, **facts})),
        )  # fmt: skip


@cache
def columns_of(model: type[Model]) -> tuple[str, ...]:
    """Return the columns of a table that hold facts about a person, as the data map of its room declares them."""
    options = model._meta  # noqa: SLF001 - Django's documented name for it
    declared = data_map()[options.app_label, model.__name__].columns
    return tuple(sorted(name for name, column in declared.items() if column.sensitivity is Sensitivity.FACT))


def person_of(row: Model) -> UUID:
    """Return whose row it is."""
    if isinstance(row, Person):
        return row.ref
    whose: UUID = row.person_id if hasattr(row, "person_id") else row.person  # type: ignore[attr-defined]  # one has either
    return whose


def as_of(model: type[Row], persons: Sequence[UUID], at: datetime) -> list[Row]:
    """Return the rows of these persons as they were at an instant; nothing of what was not there yet."""
    past: dict[str, Mapping[str, Any]] = {}
    kept = PastFacts.objects.filter(person__in=persons, table=model.__name__, until__gt=at).order_by("until", "ref")
    for each in kept:
        past.setdefault(each.facts["ref"], {"whose": each.person, **each.facts})
    then = [_row(model, told) for told in past.values() if len(told) > len(("whose", "ref"))]
    return [*then, *(row for row in _now(model, persons, at) if str(row.pk) not in past)]


def _now(model: type[Row], persons: Sequence[UUID], at: datetime) -> Iterable[Row]:
    """Return the rows as they stand, without those that say that they were added later."""
    wanted: dict[str, Any] = {"pk__in": persons} if model is Person else {"person__in": persons}
    if hasattr(model, "added_at"):
        wanted["added_at__lte"] = at
    return model._base_manager.filter(**wanted)  # noqa: SLF001 - Django's documented name for it


def _row(model: type[Row], told: Mapping[str, Any]) -> Row:
    options = model._meta  # noqa: SLF001 - Django's documented name for it
    fields = {field.attname: field for field in options.concrete_fields}
    facts = {name: fields[name].to_python(told[name]) for name in columns_of(model) if name in told}
    whose = {} if model is Person else {"person_id" if hasattr(model, "person_id") else "person": told["whose"]}
    return model(pk=UUID(told["ref"]), **whose, **facts)
