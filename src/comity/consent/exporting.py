"""What persons said, as files say it: a column for each purpose and channel, a line in it for each thing that was said.

A line is what was said and when, then what is known about it: `given 2026-05-04T10:00:00Z; notice: Newsletter v3;
express`. In a text, % and ; are written as in addresses of the web (%25, %3B), so that every line reads back as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote
from uuid import UUID

from comity.book.exports.columns import Batch, Cell, Column, among, said
from comity.book.imports.newcomers import Spoken, SpokenWrongly
from comity.consent.models import Consent, Said
from comity.refs import as_array

if TYPE_CHECKING:
    from comity.staff.models import Entity

HEADER: Final = "Consent "
SPOKEN: Final = [said for said in Said.values if said != Said.MISTAKEN]
"""What a person can have said. What was recorded by mistake is in no file: it was never said."""
TEXTS: Final = ("notice", "source")
MARKS: Final = ("separate", "written", "parental", "names_caller", "double_opt_in")


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
    rows = (
        Consent.objects.counting()
        .filter(person__in=among(as_array(batch.persons)), entity=batch.entity, purpose=purpose, channel=channel)
        .order_by("said_at", "ref")
    )
    found: dict[UUID, list[str]] = defaultdict(list)
    for person, *spoken in rows.values_list("person", *COLUMNS):
        found[person].append(_line(*spoken))
    return found


COLUMNS: Final = ("said", "said_at", *TEXTS, "express", *MARKS)


def line(one: Spoken) -> str:
    """Return what was said as a line of text, without its purpose and channel."""
    return _line(*(getattr(one, name) for name in COLUMNS))


def _line(what: str, at: datetime, *known: object) -> str:
    return f"{what} {said(at)}{_rest(*known)}"


@lru_cache(maxsize=1024)  # thousands were shown the same wording on the same page
def _rest(*known: object) -> str:
    return "".join(f"; {part}" for part in _parts(dict(zip(COLUMNS[2:], known, strict=True))))


def _parts(known: Mapping[str, object]) -> Iterator[str]:
    yield from (f"{name}: {_quoted(str(known[name]))}" for name in TEXTS if known[name])
    if known["express"] is not None:
        yield "express" if known["express"] else "not express"
    yield from (mark.replace("_", "-") for mark in MARKS if known[mark])


def _quoted(text: str) -> str:
    return text.replace("%", "%25").replace(";", "%3B").replace("\n", "%0A").replace("\r", "%0D")


def read_line(text: str, *, purpose: str, channel: str) -> Spoken:
    """Read what `line` wrote about a purpose and channel. Raises SpokenWrongly."""
    head, *rest = text.split("; ")
    what, _, when = head.partition(" ")
    try:
        at = datetime.fromisoformat(when)
    except ValueError:
        raise SpokenWrongly(f"“{head}” does not say when: write it as given 2026-05-04T10:00:00Z") from None
    if what not in SPOKEN or at.tzinfo is None:
        raise SpokenWrongly(f"“{head}”: say one of {', '.join(SPOKEN)}, and an instant with its zone")
    known: dict[str, object] = {}
    for part in rest:
        known |= _known(part)
    return Spoken(said=what, said_at=at, purpose=purpose, channel=channel, **known)  # type: ignore[arg-type]  # `_known` types each


def _known(part: str) -> dict[str, object]:
    name, colon, text = part.partition(": ")
    if colon and name in TEXTS:
        return {name: unquote(text)}
    if part in {"express", "not express"}:
        return {"express": part == "express"}
    mark = part.replace("-", "_")
    if mark not in MARKS:
        raise SpokenWrongly(f"“{part}” is nothing that is known of a consent: {', '.join((*TEXTS, 'express', *MARKS))}")
    return {mark: True}
