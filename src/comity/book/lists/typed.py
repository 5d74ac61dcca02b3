"""Keeping what somebody typed to find who has exactly it, and letting go of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.fields.models import CustomField
from comity.book.lists.exactly import ID, may_have, part_of, parts_for
from comity.book.lists.models import Exactly, ExactValue, SavedView
from comity.book.queries import everybody_of
from comity.ledger.actions import record
from comity.ledger.bodies import declare_words
from comity.vault.exactly import could_be, forget_sought, seal_sought
from comity.vault.queries import Among

if TYPE_CHECKING:
    from comity.book.opening import Look
    from comity.ledger.bodies import JSON
    from comity.staff.models import Entity

MOST_A_DAY: Final = 100
"""Values that one of the staff types in a day. Whoever asks for more is asking who is in the book."""
A_DAY: Final = timedelta(days=1)
declare_words(*Exactly.values)

Queries = Callable[["Entity"], Iterable[str]]
_queries: dict[str, Queries] = {}


def register_queries(room: str, queries: Queries) -> None:
    """Say which lists of an entity a room keeps, as the queries of their addresses: what these name is not swept."""
    _queries[room] = queries


@transaction.atomic
def type_value(*, look: Look, part: str, text: str) -> ExactValue:
    """Keep what was typed, sealed, to list who has exactly it. `part` is one that `parts_for` gives.

    Raises ValidationError for what cannot be sought, and for one value too many.
    """
    said = text.strip()
    if part not in dict(parts_for(look)):
        raise ValidationError({"part": _("Your roles do not read this for this purpose.")})
    field = None if part in Exactly.values else CustomField.objects.get(ref=part, entity=look.entity)
    value = ExactValue(
        entity=look.entity, part=Exactly.FIELD if field else part, field=field, made_by=look.viewer
    )  # fmt: skip
    if not could_be(part_of(value), said):
        raise ValidationError({"value": _("Nobody has this: an e-mail address has an @, a number digits.")})
    _refuse_too_many(look)
    value.save(force_insert=True)
    seal_sought(ref=value.ref, text=said)
    body: dict[str, JSON] = {
        "value": value.ref,
        "entity": value.entity_id,
        "part": str(value.part),
        "field": value.field_id,
    }
    record(kind="book.exact-value-typed", staff=look.viewer.ref, body=body)
    return value


def _refuse_too_many(look: Look) -> None:
    lately = ExactValue.objects.filter(made_by=look.viewer, made_at__gt=timezone.now() - A_DAY)
    if lately.count() >= MOST_A_DAY:
        said = _("You typed %(most)d values within a day, and that is all. To find one person, search.")
        raise ValidationError({"value": said % {"most": MOST_A_DAY}})


# ---------------------------------------------------------------- letting go


def sweep(*, entity: Entity, now: datetime) -> int:
    """Let go of values that no kept list names, and of what nobody of this entity has any more; return how many.

    So a value that was one person's alone goes when that person does, whoever keeps the list.
    """
    kept = {query for queries in _queries.values() for query in queries(entity) if f"{ID}=" in query}
    gone = 0
    for value in ExactValue.objects.filter(entity=entity, made_at__lte=now - A_DAY).select_related("field"):
        if not any(str(value.ref) in query for query in kept):
            gone += _drop(value)
        elif value.forgotten_at is None and not _anybody_has(value):
            gone += _forget(value, now)
    return gone


def _anybody_has(value: ExactValue) -> bool:
    everybody = Among.of(everybody_of(value.entity_id).values_list("ref", flat=True))
    return bool(may_have(value, everybody))


@transaction.atomic
def _drop(value: ExactValue) -> int:
    forget_sought(ref=value.ref)
    value.delete()
    return 1


@transaction.atomic
def _forget(value: ExactValue, now: datetime) -> int:
    forget_sought(ref=value.ref)
    ExactValue.objects.filter(ref=value.ref).update(forgotten_at=now)
    return 1


def _of_views(entity: Entity) -> Iterable[str]:
    return SavedView.objects.filter(entity=entity).values_list("query", flat=True)


def begin() -> None:
    """Keep what saved views name."""
    register_queries("book.views", _of_views)
