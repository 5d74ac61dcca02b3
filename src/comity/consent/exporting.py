"""What persons said, as files say it: a column for each purpose and channel, a line in it for each thing that was said.

A line is what was said and when, then what is known about it: `given 2026-05-04T10:00:00Z; notice: Newsletter v3;
express`. In a text, % and ; are written as in addresses of the web (%25, %3B), so that every line reads back as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from uuid import UUID

from comity.book.exports.columns import Batch, Cell, Column, said
from comity.consent.models import Consent, Said

if TYPE_CHECKING:
    from comity.staff.models import Entity

HEADER: Final = "Consent "
TEXTS: Final = ("notice", "source")
MARKS: Final = ("separate", "written", "parental", "names_caller", "double_opt_in")


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """One thing that a person said about a purpose and channel, without the person."""

    said: str
    said_at: datetime
    notice: str = ""
    source: str = ""
    express: bool | None = None
    separate: bool = False
    written: bool = False
    parental: bool = False
    names_caller: bool = False
    double_opt_in: bool = False


class NotSpoken(ValueError):
    """A line does not say what a person said, when; the message says what is wrong with it."""


def columns_of(entity: Entity) -> list[Column]:
    """Return a column for each purpose and channel of which people of this entity spoke."""
    spoken = Consent.objects.filter(entity=entity).order_by("purpose", "channel").values_list("purpose", "channel")
    return [_column(purpose, channel) for purpose, channel in spoken.distinct()]


def _column(purpose: str, channel: str) -> Column:
    header = f"{HEADER}{purpose}/{channel}"

    def cells(batch: Batch) -> Sequence[Cell]:
        found = _lines(batch, purpose, channel)
        return [found.get(person, []) for person in batch.persons]

    return Column(id=f"consent:{purpose}/{channel}", header=header, title=header, cells=cells, many=True, always=True)


def _lines(batch: Batch, purpose: str, channel: str) -> dict[UUID, list[str]]:
    rows = Consent.objects.filter(
        person__in=list(batch.persons), entity=batch.entity, purpose=purpose, channel=channel
    ).order_by("said_at", "ref")
    found: dict[UUID, list[str]] = defaultdict(list)
    for person, *spoken in rows.values_list("person", *COLUMNS):
        found[person].append(line(Spoken(**dict(zip(COLUMNS, spoken, strict=True)))))
    return found


COLUMNS: Final = ("said", "said_at", *TEXTS, "express", *MARKS)


def line(one: Spoken) -> str:
    """Return what was said as a line of text."""
    return "; ".join(_parts(one))


def _parts(one: Spoken) -> Iterator[str]:
    yield f"{one.said} {said(one.said_at)}"
    for name in TEXTS:
        if text := getattr(one, name):
            yield f"{name}: {_quoted(text)}"
    if one.express is not None:
        yield "express" if one.express else "not express"
    yield from (mark.replace("_", "-") for mark in MARKS if getattr(one, mark))


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace(";", "%3B").replace("\n", "%0A").replace("\r", "%0D")


def read_line(text: str) -> Spoken:
    """Read what `line` wrote. Raises NotSpoken."""
    head, *rest = text.split("; ")
    what, _, when = head.partition(" ")
    try:
        at = datetime.fromisoformat(when)
    except ValueError:
        raise NotSpoken(f"“{head}” does not say when: write it as given 2026-05-04T10:00:00Z") from None
    if what not in Said.values or at.tzinfo is None:
        raise NotSpoken(f"“{head}”: say one of {', '.join(Said.values)}, and an instant with its zone")
    known: dict[str, object] = {}
    for part in rest:
        known |= _known(part)
    return Spoken(said=what, said_at=at, **known)  # type: ignore[arg-type]  # `_known` types each


def _known(part: str) -> dict[str, object]:
    name, colon, text = part.partition(": ")
    if colon and name in TEXTS:
        return {name: unquote(text)}
    if part in {"express", "not express"}:
        return {"express": part == "express"}
    mark = part.replace("-", "_")
    if mark not in MARKS:
        raise NotSpoken(f"“{part}” is nothing that is known of a consent: {', '.join((*TEXTS, 'express', *MARKS))}")
    return {mark: True}
