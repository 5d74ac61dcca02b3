"""Consents and refusals of newcomers: written many at a time, as far as their day, source and wording are told."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Q

from comity.book.imports.newcomers import Spoken, SpokenWrongly
from comity.book.inserting import insert_rows
from comity.consent.actions import body_of
from comity.consent.exporting import read_line
from comity.consent.models import Consent, Said, Standing
from comity.counsel.asking import book
from comity.ledger.actions import Draft, record_many
from comity.ledger.journal.keeping import keep_after_commit
from comity.refs import new_refs

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

SAID: Final = ("purpose", "channel", "said", "said_at", "express", "separate", "written", "parental", "names_caller",
               "double_opt_in")  # fmt: skip
"""What stands first in a row; the wording and the source follow, which may be longer than a row takes."""
LONGEST: Final = 60
"""Letters of a source or wording that are kept."""

Which = tuple[UUID, str, str]
"""A person, a purpose and a channel."""


@dataclass(slots=True)
class Stand:
    """Where somebody stands: by which consent, or since when not."""

    given: UUID | None = None
    withdrawn: bool = False
    opted_out_on: date | None = None

    def after(self, ref: UUID, one: Spoken) -> None:
        """Take in what was said next."""
        if one.said == Said.GIVEN:
            self.given, self.withdrawn, self.opted_out_on = ref, False, None
        elif one.said == Said.EXPIRED:
            self.given = None
        else:
            self.withdrawn = self.withdrawn or self.given is not None or one.said == Said.WITHDRAWN
            self.given, self.opted_out_on = None, one.said_at.date()


class Hand:
    """How this room writes what newcomers bring: `comity.book.imports.newcomers.Writer`."""

    def write(
        self, *, spoken: Mapping[UUID, Sequence[Spoken]], entity: Entity, heard_by: Staff | None,
        newcomers: bool = False,
    ) -> None:  # fmt: skip
        """Put on record what each of these persons said, and where they stand since.

        Each thing has an entry in the ledger; what `newcomers` said is in the commitment of their batch instead.
        """
        said = [(person, one) for person, many in spoken.items() for one in sorted(many, key=_in_turn)]
        refs = new_refs(len(said))
        rows = [
            (ref, person, *_told(one), one.notice[:LONGEST], one.source[:LONGEST])
            for ref, (person, one) in zip(refs, said, strict=True)
        ]
        alike = {"entity_id": entity.ref, "heard_by_id": heard_by.ref if heard_by else None}
        insert_rows(Consent, ["ref", "person", *SAID, "notice", "source"], rows, alike=alike)
        _stand(zip(refs, said, strict=True), entity, newcomers=newcomers)
        if not newcomers:
            record_many(drafts=_entries(zip(refs, said, strict=True), entity, heard_by))
        keep_after_commit()

    def read(self, *, about: str, cell: str) -> list[Spoken]:
        """Read a cell of our own export. Raises SpokenWrongly."""
        from comity.book.exports.cells import apart

        purpose, _, channel = about.partition("/")
        words = book().vocabulary.facts
        if purpose not in words["use.purpose"].choices or channel not in words["use.channel"].choices:
            raise SpokenWrongly(f"{about[:LONGEST]!r} is not a purpose and a channel of the law, as marketing/email is")
        return [read_line(line, purpose=purpose, channel=channel) for line in apart(cell)]

    def touched(self, *, persons: Collection[UUID], since: datetime) -> set[UUID]:
        """Return those of whom something was recorded after that moment."""
        later = Consent.objects.filter(person__in=list(persons), recorded_at__gt=since)
        return set(later.values_list("person", flat=True))

    def remove(self, *, persons: Collection[UUID]) -> None:
        """Take out what persons said who are taken out of the book."""
        Standing.objects.filter(person__in=list(persons)).delete()
        Consent.objects.filter(person__in=list(persons)).delete()


def _entries(
    said: Iterable[tuple[UUID, tuple[UUID, Spoken]]], entity: Entity, heard_by: Staff | None
) -> Iterator[Draft]:
    for ref, (person, one) in said:
        body = body_of(consent=ref, said=one.said, purpose=one.purpose, channel=one.channel, entity=entity)
        yield Draft(kind="consent.said", staff=heard_by.ref if heard_by else None, persons=[person], body=body)


def _in_turn(one: Spoken | Consent) -> tuple[datetime, bool]:
    """Order what was said; of what was said at one instant the no comes last, and counts."""
    return one.said_at, one.said != Said.GIVEN


_told = attrgetter(*SAID)


def _stand(said: Iterable[tuple[UUID, tuple[UUID, Spoken]]], entity: Entity, *, newcomers: bool) -> None:
    """Write where these persons stand. Of those who stood somewhere before, what was said last of all counts."""
    by_which: dict[Which, list[tuple[UUID, Spoken]]] = {}
    for ref, (person, one) in said:
        if one.said == Said.OBJECTED:
            continue  # stands in the person's own row
        by_which.setdefault((person, one.purpose, one.channel), []).append((ref, one))
    stood = {} if newcomers else _stood(by_which, entity)
    for which in by_which.keys() & stood.keys():
        _again(which, entity)
    rows = []
    new = [which for which in by_which if which not in stood]
    for standing, which in zip(new_refs(len(new)), new, strict=True):
        stand = Stand()
        for ref, one in by_which[which]:
            stand.after(ref, one)
        rows.append((standing, *which, stand.given, stand.withdrawn, stand.opted_out_on))
    columns = ["ref", "person", "purpose", "channel", "given_id", "withdrawn", "opted_out_on"]
    insert_rows(Standing, columns, rows, alike={"entity_id": entity.ref})


def _stood(wanted: Collection[Which], entity: Entity) -> dict[Which, Standing]:
    persons = list({person for person, _, _ in wanted})
    rows = Standing.objects.select_for_update().filter(person__in=persons, entity=entity)
    return {
        (row.person, row.purpose, row.channel): row for row in rows if (row.person, row.purpose, row.channel) in wanted
    }


def _again(which: Which, entity: Entity) -> None:
    """Find out anew where somebody stands, from all that they said; what is on record is not changed by it."""
    person, purpose, channel = which
    about = Q(person=person, purpose=purpose, channel=channel, entity=entity)
    stand = Stand()
    for row in sorted(Consent.objects.counting().filter(about).order_by("ref"), key=_in_turn):
        stand.after(row.ref, Spoken(said=row.said, said_at=row.said_at))
    Standing.objects.filter(about).update(given=stand.given, withdrawn=stand.withdrawn, opted_out_on=stand.opted_out_on)
