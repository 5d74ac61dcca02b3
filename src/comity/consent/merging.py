"""What persons said, when two of them are made one: both histories are one, and the stricter standing counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db.models.functions import Now

from comity.book.editing.history import keep_past
from comity.book.models import Person
from comity.consent.models import Consent, Said, Standing

Key: TypeAlias = "tuple[str, str, str]"
"""Of a standing: the entity, the purpose and the channel."""

STATE: Final = ("given_id", "withdrawn", "opted_out_on", "last_used_on")
NOES: Final = frozenset({Said.REFUSED, Said.WITHDRAWN})


class Mover:
    """How this room takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let all that either said be said by who stays."""
        own = _refs(kept)
        spoken = _refs(gone)
        Consent.objects.filter(ref__in=spoken).update(person=kept)
        return {"consents": spoken, "own": own, "standings": _join(gone, kept)}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give back what each had said before; a no that was said since is a no of both."""
        Consent.objects.filter(ref__in=told["consents"], person=kept).update(person=gone)
        since = list(Consent.objects.counting().filter(person=kept).exclude(ref__in=told.get("own", [])))
        refused = {_key(one) for one in since if one.said in NOES}
        standings = {tuple(key): pair for key, pair in told["standings"]}
        for mine in Standing.objects.select_for_update().filter(person=kept):
            if (pair := standings.get(_key(mine))) is not None:
                _part(mine, *pair, gone=gone, refused=_key(mine) in refused)
            elif _key(mine) in refused:
                _tell(mine, gone)
        _object_again([one.said_at for one in since if one.said == Said.OBJECTED], (gone, kept))


def _refs(person: UUID) -> list[str]:
    return [str(ref) for ref in Consent.objects.filter(person=person).values_list("ref", flat=True)]


def _key(row: Consent | Standing) -> Key:
    return str(row.entity_id), row.purpose, row.channel


def _join(gone: UUID, kept: UUID) -> list[Any]:
    """Let each standing of who stays be the stricter of the two; return what each was and is."""
    told: list[Any] = []
    for other in Standing.objects.select_for_update().filter(person=gone):
        which = {"person": kept, "entity_id": other.entity_id, "purpose": other.purpose, "channel": other.channel}
        mine = Standing.objects.select_for_update().filter(**which).first()
        was = _state(mine) if mine else None
        joined = mine or Standing(**which)
        keep_past([joined])
        _be_stricter(joined, other, alone=mine is None)
        joined.save()
        told.append([[str(other.entity_id), other.purpose, other.channel], [was, _state(joined)]])
    return told


def _be_stricter(mine: Standing, other: Standing, *, alone: bool) -> None:
    """Let a no of either be the no; a yes stays only where neither said no."""
    days = [day for day in (mine.opted_out_on, other.opted_out_on) if day is not None]
    mine.withdrawn = mine.withdrawn or other.withdrawn
    mine.opted_out_on = min(days, default=None)
    used = [day for day in (mine.last_used_on, other.last_used_on) if day is not None]
    mine.last_used_on = max(used, default=None)
    if mine.withdrawn or mine.opted_out_on:
        mine.given = None
    elif alone or mine.given is None:
        mine.given = other.given


def _part(mine: Standing, was: dict[str, Any] | None, written: dict[str, Any], *, gone: UUID, refused: bool) -> None:
    """Put one standing back as it was; if it was changed or refused since, it stays, and a no counts for both."""
    if _state(mine) != written or refused:
        _tell(mine, gone)
        return
    keep_past([mine])
    if was is None:
        mine.delete()
    else:
        _set(mine, was)


def _tell(mine: Standing, gone: UUID) -> None:
    """Let a no of who stayed be one of the other too."""
    if not (mine.opted_out_on or mine.withdrawn):
        return
    which = {"person": gone, "entity_id": mine.entity_id, "purpose": mine.purpose, "channel": mine.channel}
    other = Standing.objects.select_for_update().filter(**which).first() or Standing(**which)
    keep_past([other])
    _be_stricter(other, mine, alone=False)
    other.save()


def _object_again(said_at: Sequence[datetime], persons: Iterable[UUID]) -> None:
    """Let an objection since the merge be one of both, whatever either had said before it."""
    for person in Person.objects.select_for_update(of=("self",)).filter(ref__in=persons) if said_at else ():
        earliest = min([*said_at, *filter(None, [person.objected_at])])
        if person.objected_at != earliest:
            keep_past([person])
            Person.objects.filter(ref=person.ref).update(objected_at=earliest, changed_at=Now())


def _state(row: Standing) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in STATE}
    return {
        name: str(value) if value is not None and not isinstance(value, bool) else value for name, value in told.items()
    }


def _set(row: Standing, state: Mapping[str, Any]) -> None:
    for name, value in state.items():
        field = Standing._meta.get_field(name.removesuffix("_id"))  # noqa: SLF001 - Django's documented name for it
        setattr(row, name, field.to_python(value))  # type: ignore[union-attr]  # a column of its own
    row.save()
