"""What persons said, when two of them are made one: both histories are one, and the stricter standing counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from comity.book.editing.history import keep_past
from comity.consent.models import Consent, Standing

STATE: Final = ("given_id", "withdrawn", "opted_out_on", "last_used_on")


class Mover:
    """How this room takes part in a merge: `comity.book.merging.actions.Mover`."""

    def move(self, *, gone: UUID, kept: UUID) -> Mapping[str, Any]:
        """Let all that either said be said by who stays."""
        spoken = list(Consent.objects.filter(person=gone).values_list("ref", flat=True))
        Consent.objects.filter(ref__in=spoken).update(person=kept)
        return {"consents": [str(ref) for ref in spoken], "standings": _join(gone, kept)}

    def put_back(self, *, gone: UUID, kept: UUID, told: Mapping[str, Any]) -> None:
        """Give back what each had said before; a no that was said since is a no of both."""
        Consent.objects.filter(ref__in=told["consents"], person=kept).update(person=gone)
        for (entity, purpose, channel), (was, written) in ((tuple(key), pair) for key, pair in told["standings"]):
            mine = Standing.objects.select_for_update().get(
                person=kept, entity_id=entity, purpose=purpose, channel=channel
            )
            _part(mine, was, written, gone)


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


def _part(mine: Standing, was: dict[str, Any] | None, written: dict[str, Any], gone: UUID) -> None:
    """Put one standing back as it was; if it was changed since, it stays, and a no counts for the other too."""
    keep_past([mine])
    if _state(mine) == written:
        if was is None:
            mine.delete()
        else:
            _set(mine, was)
        return
    if mine.opted_out_on or mine.withdrawn:
        other = Standing.objects.select_for_update().get(
            person=gone, entity_id=mine.entity_id, purpose=mine.purpose, channel=mine.channel
        )
        keep_past([other])
        _be_stricter(other, mine, alone=False)
        other.save()


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
