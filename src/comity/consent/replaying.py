"""What lines of the journal mean in a database that was put back: every no is taken down again, and none is made less.

What was said of somebody who was merged into another since counts for both. A yes that was said since is not in the
journal: who said one may say it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models.functions import Now

from comity.book.editing.history import keep_past
from comity.book.models import Person
from comity.consent.actions import About, object_to_marketing, withdraw_consent
from comity.consent.models import Said
from comity.consent.suppression.actions import suppress_for
from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Cause
from comity.ledger.models import JournalLine
from comity.staff.models import Entity
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.ledger.journal.lines import Line

STOPS: Final = ("objected_at", "opt_out_signal_at", "restricted_at", "deceased_at")


def _source(line: Line) -> str:
    return f"Journal, line {line.place.number}"


def bring_said(line: Line) -> bool:
    """Take down again what people said no to, or what was found never to have been a yes."""
    with _behind_all_walls() as entities:
        brought = [_bring_no(no, entities, _source(line)) for no in line.said["noes"]]
    return any(brought)


def _bring_no(no: Mapping[str, str], entities: Mapping[UUID, Entity], source: str) -> bool:
    entity = entities.get(UUID(no["entity"]))
    if entity is None:
        return False
    found = [person.ref for person in _those(UUID(no["person"]))]
    told: dict[str, Any] = {"said_at": _moment(no["said_at"]), "source": source, "heard_by": None, "to_us": False}
    for person in found:
        if no["said"] == Said.OBJECTED:
            object_to_marketing(person=person, entity=entity, **told)
        else:
            withdraw_consent(
                about=About(person=person, entity=entity, purpose=no["purpose"], channel=no["channel"]), **told
            )
    return bool(found)


def bring_stopped(line: Line) -> bool:
    """Write again into persons' own rows what stops more than one purpose; what was earlier stays."""
    told = {name: _moment(line.said[name]) for name in STOPS if name in line.said}
    with _behind_all_walls():
        found = _those(UUID(line.said["person"]))
        for person in found:
            known = {name: getattr(person, name) for name in told}
            new = {name: at for name, at in told.items() if known[name] is None or at < known[name]}
            if new:
                keep_past([person])
                Person.objects.filter(ref=person.ref).update(**new, changed_at=Now())
    return bool(found)


def bring_suppressed(line: Line) -> bool:
    """Put addresses on the list again, whoever they are of."""
    said = line.said
    with _behind_all_walls() as entities:
        entity = entities.get(UUID(said["entity"]))
        if entity is None:
            return False
        marks = [Mark(said["reach"], bytes.fromhex(digest)) for digest in said["digests"]]
        suppress_for(
            entity=entity, marks=marks, cause=Cause(said["cause"]), source=_source(line), since=_moment(said["since"]),
            uses={said["reach"]: said["uses"]},
        )  # fmt: skip
    return True


def bring_addresses(line: Line) -> bool:
    """Put the addresses of somebody who is not here on the list: they may be brought in again. Of others, nothing."""
    said = line.said
    with _behind_all_walls() as entities:
        if _those(UUID(said["person"])):
            return True
        if entity := entities.get(UUID(said["entity"])):
            marks = [Mark(said["reach"], bytes.fromhex(digest)) for digest in said["digests"]]
            suppress_for(
                entity=entity, marks=marks, cause=Cause.OPTED_OUT, source=_source(line), since=line.at,
                uses={said["reach"]: said["uses"]},
            )  # fmt: skip
    return False


def bring_merged(line: Line) -> bool:
    """Merge nobody: the line itself, now that it is known here, says for whom else counts what is said of one."""
    with _behind_all_walls():
        return bool(_those(UUID(line.said["kept"])))


KINDS: Final[Mapping[str, Callable[[Line], bool]]] = {
    "consent.said": bring_said,
    "consent.stopped": bring_stopped,
    "consent.suppressed": bring_suppressed,
    "consent.addresses": bring_addresses,
    "consent.merged": bring_merged,
}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def _behind_all_walls() -> Iterator[dict[UUID, Entity]]:
    """Act for all of our entities, and give them: each was told its line before."""
    entities = {entity.ref: entity for entity in Entity.objects.all()}
    with behind_wall(staff=None, entities=entities):
        yield entities


def _those(person: UUID) -> list[Person]:
    """Return, under locks, whom a line about this person is about, as far as they are here."""
    refs = sorted({person, *_merged_into(person)})
    return list(Person.objects.select_for_update(of=("self",)).filter(ref__in=refs, merged_into=None).order_by("ref"))


def _merged_into(person: UUID) -> Iterator[UUID]:
    """Give all who went into this person since, by the journal."""
    wanted, seen = [person], {person}
    while wanted:
        for gone in _gone_into(wanted.pop()):
            if gone not in seen:
                seen.add(gone)
                wanted.append(gone)
                yield gone


def _gone_into(person: UUID) -> Iterable[UUID]:
    lines = JournalLine.objects.filter(kind="consent.merged", said__kept=str(person)).exclude(number=None)
    return [UUID(line.said["gone"]) for line in lines]
