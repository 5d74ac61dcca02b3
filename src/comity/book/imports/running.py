"""Bringing the people of a file into the book: in batches of some thousand rows, each of them whole or not at all.

A batch is one transaction: its people, what they said, its entries in the ledger, and the mark that it is done. So an
import that was killed goes on with the batches that lack the mark, and ends whole. Large files are brought in by two
processes side by side: sealing takes our processor about as long as writing takes PostgreSQL's.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import connection, connections
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.utils import timezone

from comity.book.actions import Firms, Newcomer, write_persons
from comity.book.imports.looking import Laws, comes_in_anyway, reader_of
from comity.book.imports.meeting import Meeting
from comity.book.imports.models import Import, ImportBatch, ImportFinding, Known, Saying
from comity.book.imports.newcomers import Spoken, writers
from comity.book.imports.parcels import duck_beside, rows_of
from comity.book.imports.reading import Reader, Told
from comity.book.imports.side_by_side import Work, bring_by_two
from comity.book.inserting import insert_rows
from comity.book.models import Person, Reach, Tag, Tagging
from comity.law import Verdict
from comity.law.cache import collector_paused
from comity.ledger.actions import Draft, record_many
from comity.refs import as_array, new_ref, new_refs
from comity.staff.walls import behind_wall
from comity.vault.recognising import Recogniser

ROWS: Final = 5_000
"""Rows of a batch."""
NAMED: Final = 1_000
"""Persons whom one entry of the ledger names."""
WORTH_TWO: Final = 4
"""Batches from which a second process is worth its start."""
AFTERWARDS: Final = (0, 0)
"""First and last row of the batch that is brought in when all others are."""
HERE: Final = frozenset({Saying.KNOWN, Saying.LIKELY, Saying.NAMESAKE, Saying.REPEATED})


def bring_all(work: Work, numbers: Sequence[int]) -> None:
    """Bring in these batches, side by side where it pays. Raises what the first batch that failed raised."""
    alone = len(numbers) < WORTH_TWO or connection.in_atomic_block or (os.cpu_count() or 1) < 2  # noqa: PLR2004 - two make a pair
    if alone:
        hands = Hands(work)
        for number in numbers:
            hands.bring(number)
        return
    bring_by_two(work, numbers, database=connections.settings["default"], folder=settings.FOLDER)


class Hands:
    """Brings in batches of one import, one after the other; what was learnt for one serves the next."""

    def __init__(self, work: Work) -> None:
        """Prepare to read the file and to ask the law."""
        self.work = work
        self.duck = duck_beside(Path(work.table))
        self.duck.execute("SET threads = 1")
        with self._wall():
            self.one = Import.objects.select_related("entity", "begun_by").get(pk=work.imported)
            self.reader: Reader = reader_of(self.one, work.headers, self.duck, Path(work.table))
            self.laws = Laws(self.one, timezone.localdate())
            self.meeting = Meeting(self.one, self.laws)
            self.recogniser = Recogniser()
        self.tags: dict[str, UUID] = {}
        self.spoken: dict[UUID, Sequence[Spoken]] = {}  # by newcomers of the batch that is being brought in

    def _wall(self) -> Any:  # noqa: ANN401 - a context manager
        return behind_wall(staff=self.work.staff, entities=[self.work.entity])

    def bring(self, number: int) -> None:
        """Bring in one batch, unless that was done before."""
        with collector_paused(), self._wall():
            batch = ImportBatch.objects.select_for_update().get(imported=self.one.ref, number=number)
            if batch.done_at is None:
                self.spoken = {}
                _make_quick()
                if (batch.first, batch.last) == AFTERWARDS:
                    self._bring_repeated(batch)
                else:
                    self._bring(batch)

    def _bring(self, batch: ImportBatch) -> None:
        rows = rows_of(self.duck, Path(self.work.table), self.reader.select, first=batch.first, last=batch.last)
        found = _findings(self.one, batch)
        self._begin_meeting(finding for of_row in found.values() for finding in of_row.values())
        come: list[Told] = []
        for selected in rows:
            told = self.reader.told(selected)
            if self._comes(told, found.get(told.row, {})):
                come.append(told)
        self._mark(batch, self._write(come), len(rows))

    def _write(self, come: Sequence[Told]) -> list[Newcomer]:
        """Write newcomers, with what they said and their tags."""
        refs = sorted(new_refs(len(come)))  # in the file's order
        people = [(told, told.newcomer(ref, self.one.begun_at)) for ref, told in zip(refs, come, strict=True)]
        write_persons(batch=[one for _, one in people], entity=self.one.entity, firms=Firms(self.one.entity))
        spoken = {one.ref: told.spoken for told, one in people if told.spoken}
        self._said(spoken)
        self.spoken |= spoken
        self._tag([(one.ref, told.tags) for told, one in people if told.tags])
        return [one for _, one in people]

    def _bring_repeated(self, batch: ImportBatch) -> None:
        """Do what rows say of people whom rows before them brought; where those did not come in, a no comes alone."""
        repeated = ImportFinding.objects.filter(imported=self.one.ref, says=Saying.REPEATED).order_by("row", "pk")
        self.meeting.begin([])
        come: list[Newcomer] = []
        for finding in repeated:
            choice = self._choice(finding)
            for told in self._row(finding.row):
                if choice == Known.ADD or (told.problems and not comes_in_anyway(self.one, told)):
                    continue
                if not self._met(told, finding) and self._no_may_be_kept(told):
                    come += self._write([told])  # at once, so that the next row finds them
        self._mark(batch, come, 0)

    def _choice(self, here: ImportFinding) -> str:
        return here.choice or self.one.for_known

    def _row(self, row: int) -> list[Told]:
        rows = rows_of(self.duck, Path(self.work.table), self.reader.select, first=row, last=row)
        return [self.reader.told(selected) for selected in rows]

    # ------------------------------------------------------------ who comes

    def _comes(self, told: Told, finding: Mapping[Saying, ImportFinding]) -> bool:
        """Say whether a row becomes a person; of one who is here already, do what was chosen, and keep every no."""
        if told.problems and not comes_in_anyway(self.one, told):
            return False
        here = next((finding[says] for says in HERE if says in finding), None)
        if here is None or self._choice(here) == Known.ADD:
            return self._may_be_kept(told)
        return here.says != Saying.REPEATED and not self._met(told, here) and self._no_may_be_kept(told)

    def _may_be_kept(self, told: Told) -> bool:
        return self.laws.lets(self.laws.of_keeping(told)) or self._no_may_be_kept(told)

    def _no_may_be_kept(self, told: Told) -> bool:
        """Say whether a row comes in for its no alone; then it holds nothing else any more."""
        if not told.opted_out or self.laws.of_keeping_a_no(told).verdict is Verdict.DENY:
            return False
        told.bare()
        return bool(told.points)

    def _begin_meeting(self, found: Iterable[ImportFinding]) -> None:
        known = [(each.person, self._choice(each)) for each in found if each.person is not None]
        self.meeting.begin(
            [person for person, choice in known if choice != Known.ADD],
            filled=[person for person, choice in known if choice == Known.FILL],
        )

    def _met(self, told: Told, here: ImportFinding) -> bool:
        """Do what a row says of somebody who is in the book; say whether anybody is there."""
        person = here.person or self._of_row(here.alike)
        return person is not None and self.meeting.met(told, person, fill=self._choice(here) == Known.FILL)

    def _of_row(self, row: int | None) -> UUID | None:
        """Return the person whom an earlier row of this file brought, as far as the book can tell by address."""
        if row is None:
            return None
        told = next(iter(self._row(row)), None)
        if told is None:
            return None
        emails = [point.value for point in told.points if point.reach == Reach.EMAIL]
        phones = [point.value for point in told.points if point.reach == Reach.PHONE]
        marks = self.recogniser.marks(emails, phones)
        holders = self.recogniser.holders({*marks.emails} or {*marks.phones})
        persons = {person for held in holders.values() for person in held}
        theirs = Person.objects.filter(ref__in=persons, entities__contains=[self.work.entity], merged_into=None)
        return theirs.order_by("-ref").values_list("ref", flat=True).first()

    # ------------------------------------------------------------ what goes with them

    def _said(self, spoken: Mapping[UUID, Sequence[Spoken]]) -> None:
        if spoken:
            for writer in writers():
                writer.write(spoken=spoken, entity=self.one.entity, heard_by=None, newcomers=True)

    def _tag(self, tagged: Sequence[tuple[UUID, Sequence[str]]]) -> None:
        wanted = {tag for _, tags in tagged for tag in tags} - self.tags.keys()
        if wanted:
            Tag.objects.bulk_create((Tag(name=tag) for tag in sorted(wanted)), ignore_conflicts=True)
            self.tags |= dict(Tag.objects.filter(name__in=wanted).values_list("name", "ref"))
        rows = [(person, self.tags[tag]) for person, tags in tagged for tag in dict.fromkeys(tags)]
        refs = new_refs(len(rows))
        insert_rows(
            Tagging,
            ["ref", "person_id", "tag_id"],
            [(ref, *row) for ref, row in zip(refs, rows, strict=True)],
            alike={},
        )

    # ------------------------------------------------------------ the record

    def _mark(self, batch: ImportBatch, people: Sequence[Newcomer], rows: int) -> None:
        """Put on record who came, in the ledger and in the batch, and that the batch is done."""
        batch.salt = secrets.token_bytes(16)
        record_many(drafts=self._entries(batch, people))
        brought = RawSQL("%s::uuid[]", [as_array(one.ref for one in people)])
        ImportBatch.objects.filter(pk=batch.pk).update(salt=batch.salt, done_at=timezone.now(), persons=brought)
        Import.objects.filter(pk=self.one.ref).update(
            persons=F("persons") + len(people), seen_rows=F("seen_rows") + rows
        )

    def _entries(self, batch: ImportBatch, people: Sequence[Newcomer]) -> Iterator[Draft]:
        for start in range(0, len(people), NAMED):
            some = people[start : start + NAMED]
            yield Draft(
                kind="book.imported-batch", staff=self.work.staff, persons=[one.ref for one in some],
                body={
                    "import": self.work.imported, "entity": self.work.entity, "batch": batch.number,
                    "persons": len(some), "commitment": commitment(bytes(batch.salt or b""), some, self.spoken),
                },
            )  # fmt: skip
        changed = sorted(self.meeting.changed)
        for start in range(0, len(changed), NAMED):
            these = changed[start : start + NAMED]
            yield Draft(
                kind="book.person-changed", staff=self.work.staff, persons=these,
                body={
                    "import": self.work.imported, "entity": self.work.entity, "batch": batch.number,
                    "changed": sorted({name for person in these for name in self.meeting.changed[person]}),
                },
            )  # fmt: skip


_all_of: Final = attrgetter(*(each.name for each in fields(Spoken)))


def commitment(salt: bytes, people: Iterable[Newcomer], spoken: Mapping[UUID, Sequence[Spoken]]) -> str:
    """Return the SHA-256 of the salt, of what these people came with, and of what they said.

    Without the salt it says nothing.
    """
    digest = hashlib.sha256(salt)
    for one in people:
        points = [(reach.value, value, mobile, impersonal) for reach, value, mobile, impersonal, _ in one.points]
        between, said = sorted(one.relation.items()), [_all_of(each) for each in spoken.get(one.ref, ())]
        came_with = (one.ref.int, one.name, points, sorted(one.facts.items()), one.organisation, between, said)
        digest.update(repr(came_with).encode("utf-8", "surrogatepass"))
    return "sha256:" + digest.hexdigest()


def _make_quick() -> None:
    """Let PostgreSQL gather the words of many people before it sorts them into the index: half the work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('gin_pending_list_limit', '65536', true), set_config('work_mem', '64MB', true)"
        )


def _findings(one: Import, batch: ImportBatch) -> dict[int, dict[Saying, ImportFinding]]:
    """Return what was found of the rows of a batch about people who are here already."""
    found: dict[int, dict[Saying, ImportFinding]] = {}
    rows = ImportFinding.objects.filter(imported=one.ref, row__range=(batch.first, batch.last), says__in=HERE)
    for finding in rows:
        found.setdefault(finding.row, {})[Saying(finding.says)] = finding
    return found


def make_batches(one: Import, last: int) -> list[int]:
    """Divide the rows of an import into batches, unless that was done before; return those that are not done.

    Rows about somebody who stands in the file before have a batch of their own, the last: it is brought in when all
    others are, since only then everybody is there.
    """
    if not one.batches.exists():
        starts = range(1, last + 1, ROWS)
        rows = [(new_ref(), number, first, min(first + ROWS - 1, last)) for number, first in enumerate(starts)]
        if one.findings.filter(says=Saying.REPEATED).exists():
            rows.append((new_ref(), len(rows), *AFTERWARDS))
        alike = {"imported_id": one.ref, "entity_id": one.entity_id, "persons": []}
        insert_rows(ImportBatch, ["ref", "number", "first", "last"], rows, alike=alike)
    return list(one.batches.filter(done_at=None, first__gt=0).values_list("number", flat=True))


def afterwards(one: Import) -> list[int]:
    """Return the batch of rows about somebody who stands in the file before, if there is one and it is not done."""
    return list(one.batches.filter(done_at=None, first=0).values_list("number", flat=True))


def moment_of(batch: ImportBatch) -> datetime:
    """Return when a batch was done."""
    assert batch.done_at is not None  # noqa: S101 - asked of batches that are done
    return batch.done_at
