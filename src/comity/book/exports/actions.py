"""Taking people out: asked for, decided about in parts, written into a sealed file, handed out once, and deleted.

No file is made but under decisions on record, a thousand people each, and none is handed out before a checkpoint of the
ledger covers the entry that says so. Whoever the law leaves out is counted, with the decision that says why.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.exports.ahead import made_ahead
from comity.book.exports.columns import (
    MARK,
    Batch,
    Column,
    classes_of,
    columns_of,
    gathered,
    with_opened,
)
from comity.book.exports.formats import MOST_ROWS, WRITERS, About, Writer
from comity.book.exports.models import Export, ExportPart, Format
from comity.book.exports.queries import KIND, export_classes, is_covered, left_out_of
from comity.book.opening import GIVEN_BY_PURPOSE
from comity.book.queries import persons_seen_by
from comity.counsel.actions import decide
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.law.cache import collector_paused
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.refs import as_array
from comity.staff.approvals import Said, ask_approval, use_approval
from comity.staff.guards import demand
from comity.staff.models import Approval, Entity, Staff
from comity.staff.once import rows_of
from comity.staff.walls import behind_wall
from comity.vault.actions import open_each
from comity.vault.models import MOST_PERSONS
from comity.vault.parcels import OpenParcel, Parcel

if TYPE_CHECKING:
    from comity.counsel.actions import Decided

KEPT: Final = timedelta(hours=24)
"""How long a file waits for whoever asked for it."""
AT_ONCE: Final = MOST_PERSONS
"""People whose file is made while whoever asks is waiting; for more a job makes it."""

MOST_ASKED: Final = 2_000_000
"""People of one export."""
PARTS_AT_ONCE: Final = 10


class NotExported(ValidationError):
    """There is nothing to hand out, or not to whoever asks, or not yet; the message says which, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What somebody wants to take out: for what, to whom, as which file, with which columns (by their ids)."""

    entity: Entity
    purpose: str
    format: Format
    columns: Sequence[str]
    recipient: str = "none"
    recipient_place: str = ""
    room: Room | None = None

    @property
    def question(self) -> Question:
        """The question to the law that this is."""
        more: dict[str, Any] = dict(GIVEN_BY_PURPOSE.get(self.purpose, {}))
        if self.recipient_place:
            more["use.recipient_place"] = self.recipient_place
        operation, told = (self.room.operation, self.room.more) if self.room else ("export", {})
        return Question(
            operation=operation, purpose=self.purpose, entity=self.entity.ref, recipient=self.recipient,
            more=more | dict(told),
        )  # fmt: skip

    @classmethod
    def of(cls, export: Export) -> Wanted:
        """Return what an export was asked to be."""
        room = next((found for each in _rooms if (found := each(export))), None)
        return cls(
            entity=export.entity, purpose=export.purpose, format=Format(export.format), columns=export.columns,
            recipient=export.recipient, recipient_place=export.recipient_place, room=room,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Room:
    """What a room above says of an export by which it does more than take people out, such as share them.

    The law is asked about its `operation`, with `more` facts of the use. Of those whom the law permits, `lets` returns
    whom it lets go; what else must hold before the file is handed out, `check` says by raising NotExported; `handed`
    is called once it is. Whether a second person must agree is the room's own business.
    """

    operation: str
    more: Mapping[str, object]
    lets: Callable[[Decided], Sequence[UUID]]
    check: Callable[[Export], None]
    handed: Callable[[Export, Staff], None]


_rooms: Final[list[Callable[[Export], Room | None]]] = []


def register_room(room: Callable[[Export], Room | None]) -> None:
    """Let a room above say that an export is its own. Called once, when the application starts."""
    if room not in _rooms:
        _rooms.append(room)


# ---------------------------------------------------------------- asking for it


@transaction.atomic
def ask_export(*, wanted: Wanted, persons: Iterable[UUID], asked_by: Staff) -> Export:
    """Write down who is to be taken out, and for what. Nobody is yet: `make_file` does that.

    Raises NotYours, and NotExported where there is nobody, or nothing that a role of theirs may take out.
    """
    demand(asked_by, "person.export", wanted.entity)
    columns = _may_go_out(wanted, asked_by)
    export = Export.objects.create(
        entity=wanted.entity, asked_by=asked_by, purpose=wanted.purpose, recipient=wanted.recipient,
        recipient_place=wanted.recipient_place, format=wanted.format, columns=[each.id for each in columns], asked=0,
    )  # fmt: skip
    _write_down(export, _once(persons))
    if not export.asked:
        raise NotExported(_("Nobody is in this list. Choose other people first."))
    export.save(update_fields=["asked"])
    body = _told(export) | {"persons": export.asked, "chosen": _of_whom(export, _chosen(export))}
    record(kind="book.export-asked", staff=asked_by.ref, body=body)
    return export


def _once(persons: Iterable[UUID]) -> Iterator[UUID]:
    """Give each of them once. What is no list comes in the order of the refs, and is never whole in memory."""
    if isinstance(persons, Collection):
        yield from dict.fromkeys(persons)
        return
    last: UUID | None = None
    for person in persons:
        if last is not None and person < last:
            raise ValueError(f"refs that are given one by one must be in order: {person} came after {last}")
        if person != last:
            yield person
        last = person


def _write_down(export: Export, persons: Iterator[UUID]) -> None:
    """Write down who was chosen, part by part. Raises NotExported as soon as they are too many."""
    while some := list(islice(persons, MOST_PERSONS)):
        number, export.asked = -(-export.asked // MOST_PERSONS), export.asked + len(some)
        if export.asked > MOST_ASKED:
            raise NotExported(
                _("One export takes %(most)d people at most: narrow the list, and export it in parts.")
                % {"most": MOST_ASKED}
            )
        if export.format == Format.XLSX and export.asked > MOST_ROWS:
            raise NotExported(_("An Excel sheet has %(most)d rows: take CSV.") % {"most": MOST_ROWS})
        ExportPart.objects.create(export=export, entity=export.entity, number=number, persons=some)


def _chosen(export: Export) -> Iterator[UUID]:
    """Give who was chosen, in their order; one part at a time is in memory."""
    parts = ExportPart.objects.filter(export=export).values_list("persons", flat=True)
    return (person for persons in parts.iterator(chunk_size=PARTS_AT_ONCE) for person in persons)


def _may_go_out(wanted: Wanted, staff: Staff) -> list[Column]:
    """Return the columns that were asked for and may go out, with those that always do. Raises NotExported.

    Those are the mark and, where a file has room for them, all noes: whoever brings it in again must find them.
    """
    operation = "share" if wanted.room else "export"  # whatever the law calls it, roles say share
    classes = export_classes(staff, wanted.entity, wanted.purpose, operation)
    if not classes:
        raise NotExported(_("None of your roles may take people's data out for this purpose."))
    known, ids = columns_of(wanted.entity, classes), {*wanted.columns, MARK}
    room = wanted.format != Format.VCARD
    return [column for column in known if column.id in ids or (column.always and room)]


def _told(export: Export) -> dict[str, JSON]:
    return {
        "export": export.ref, "entity": export.entity_id, "purpose": export.purpose, "recipient": export.recipient,
        "format": export.format,
    }  # fmt: skip


def _of_whom(export: Export, chosen: Iterable[UUID]) -> str:
    """Return a commitment to who was chosen: keyed, since the ledger outlives everybody in it."""
    named = hmac.new(bytes(export.mark_key), digestmod=hashlib.sha256)
    for person in chosen:
        named.update(person.bytes)
    return f"hmac-sha256:{named.hexdigest()}"


# ---------------------------------------------------------------- four eyes


def needs_approval(export: Export) -> bool:
    """Say whether a second person must approve it."""
    return export.asked > settings.EXPORT_ALONE and Wanted.of(export).room is None


def request_of(export: Export) -> dict[str, Said]:
    """Return just what a second person approves: this export, of these people, and nothing else."""
    return {
        "export": export.ref, "entity": export.entity.name, "people": export.asked, "purpose": export.purpose,
        "recipient": export.recipient, "recipient_place": export.recipient_place, "format": export.format,
        "columns": list(export.columns), "chosen": _of_whom(export, _chosen(export)),
    }  # fmt: skip


def ask_second_person(*, export: Export, reason: str, asked_by: Staff) -> Approval:
    """Lay a large export before a second person. Raises NotApproved where no reason is given."""
    return ask_approval(kind=KIND, request=request_of(export), reason=reason, asked_by=asked_by, entity=export.entity)


@transaction.atomic
def begin_export(*, export: Export, staff: Staff) -> Export:
    """Let the file be made: by a job where it is large, else by whoever calls `make_file` next.

    Uses up the approval of a large one. Raises NotApproved where there is none, NotExported where it was begun before.
    """
    locked = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    _check_asker(locked, staff)
    if locked.begun_at and not locked.failed_at:
        raise NotExported(_("This file was made before, or is being made. Ask for a new export if you need another."))
    if needs_approval(locked) and not locked.approval:
        locked.approval = use_approval(kind=KIND, request=request_of(locked), asked_by=staff).ref
    locked.begun_at, locked.failed_at = timezone.now(), None
    locked.save(update_fields=["approval", "begun_at", "failed_at"])
    return locked


def _check_asker(export: Export, staff: Staff) -> None:
    demand(staff, "person.export", export.entity)
    if export.asked_by_id != staff.pk:
        raise NotExported(_("Only who asked for an export gets its file."))


# ---------------------------------------------------------------- making the file


@dataclass(frozen=True, kw_only=True)
class _Part:
    """What goes into the file of one part of those who were chosen."""

    not_there: int  # who were chosen, and are not in the book any more
    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    people: int = 0
    cells: Sequence[Any] = field(default=(), repr=False)  # by column


@dataclass(kw_only=True)
class _Making:
    """A file that is being written, and what has come of it so far."""

    export: Export
    wanted: Wanted
    columns: Sequence[Column]
    writer: Writer
    read: tuple[str, tuple[object, ...]]  # PART, with what stands in it, but for which part
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    parts: int = 0
    written: int = 0
    not_there: int = 0

    def take(self, part: _Part) -> None:
        """Write what a part has into the file."""
        self.parts, self.not_there, self.written = (
            self.parts + 1, self.not_there + part.not_there, self.written + part.people,
        )  # fmt: skip
        self.verdicts.update(part.verdicts)
        if part.verdicts:
            self.writer.people(part.cells)


def make_file(*, export: Export) -> Export:
    """Write the file of an export that was begun: decisions first, then what they permit, part by part.

    Each part is a transaction of its own, unless the caller is in one. What was decided and opened for a file that then
    failed stays on record: it was opened. Raises whatever went wrong, after the unfinished file was deleted.
    """
    path = path_of(export)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    parcel = Parcel(path)
    try:
        with _behind_its_wall(export):
            making = _making(export, parcel)
        with collector_paused():
            for part in made_ahead(lambda number: _part_of(making, number), -(-export.asked // MOST_PERSONS)):
                making.take(part)
        with _behind_its_wall(export):
            making.writer.end(left_out_of(_all_parts(export)))
            parcel.close()
            return _made(making, parcel)
    except BaseException:
        parcel.drop()
        path.unlink(missing_ok=True)
        raise


def _behind_its_wall(export: Export) -> Any:  # noqa: ANN401 - a context manager
    return behind_wall(staff=export.asked_by_id, entities=[export.entity_id])


def _making(export: Export, out: Parcel) -> _Making:
    wanted = Wanted.of(export)
    demand(export.asked_by, "person.export", wanted.entity)
    columns = _may_go_out(wanted, export.asked_by)
    about = About(
        code=export.code, entity=wanted.entity.name, purpose=wanted.purpose, recipient=wanted.recipient,
        asked_by=export.asked_by.name, asked_at=export.asked_at,
    )  # fmt: skip
    writer = WRITERS[wanted.format](out, columns, about)  # type: ignore[arg-type]  # a stream that is written
    seen = persons_seen_by(export.asked_by, wanted.entity).filter(pk=RawSQL("wanted.person", ())).order_by()
    sql, parameters = seen.values("pk").query.sql_with_params()
    read = PART.format(seen=sql), parameters
    return _Making(export=export, wanted=wanted, columns=columns, writer=writer, read=read)


PART: Final = """
    SELECT ref, cardinality(persons), ARRAY(
        SELECT person FROM unnest(persons) WITH ORDINALITY AS wanted (person, place)
        WHERE ({seen}) IS NOT NULL ORDER BY place)
    FROM book_exportpart WHERE export_id = %s AND number = %s
"""
"""A part, how many were chosen, and who of them is in the book of the entity still: not erased, nor merged into others.

Each is looked up by itself, since PostgreSQL may think it quicker to go through the whole book for each of them.
"""
WRITTEN: Final = "UPDATE book_exportpart SET exported = %s::uuid[], decision = %s WHERE ref = %s"


def _part_of(making: _Making, number: int) -> _Part:
    """Decide about the people of a part and open what may go out, in a transaction of its own."""
    with _behind_its_wall(making.export):
        statement, parameters = making.read
        ((part, chosen, there),) = rows_of(statement, [*parameters, making.export.pk, number], binary=True)
        if not there:
            return _Part(not_there=chosen)
        classes = classes_of(making.columns)
        decided = decide(
            question=making.wanted.question, persons=there, staff=making.export.asked_by, field_classes=classes
        )
        batch = _opened(making, decided)
        rows_of(WRITTEN, [as_array(batch.persons), decided.ref, part])
    return _Part(
        not_there=chosen - len(there), verdicts=decided.verdicts, people=len(batch.persons),
        cells=[column.cells(batch) for column in making.columns],
    )  # fmt: skip


def _all_parts(export: Export) -> Iterator[ExportPart]:
    return ExportPart.objects.filter(export=export).iterator(chunk_size=PARTS_AT_ONCE)


def _opened(making: _Making, decided: Decided) -> Batch:
    export, room = making.export, making.wanted.room
    persons = room.lets(decided) if room else decided.permitted
    batch = gathered(
        Batch(entity=export.entity, persons=persons, code=export.code, mark_key=bytes(export.mark_key)),
        making.columns,
    )
    labels = list(chain.from_iterable(batch.wanted.values()))
    return with_opened(batch, open_each(warrant=decided.warrant, labels=labels) if labels else ())


def _made(making: _Making, parcel: Parcel) -> Export:
    export, counts = making.export, making.verdicts
    export.permitted, export.denied = making.written, counts[Verdict.DENY]
    export.asking = counts[Verdict.ASK]
    export.file_key, export.file_bytes, export.file_sha256 = parcel.key, parcel.size, parcel.digest
    export.file_salt, export.made_at = secrets.token_bytes(16), timezone.now()
    body = _told(export) | {
        "verdicts": {verdict.value: counts[verdict] for verdict in Verdict if counts[verdict]},
        "parts": making.parts, "not_there": making.not_there, "columns": len(making.columns),
        "file": commitment(export), "approval": export.approval,
    }  # fmt: skip
    export.entry = record(kind="book.exported", staff=export.asked_by_id, body=body).ref
    export.save()
    return export


def commitment(export: Export) -> str:
    """Return what the ledger says of the file: the SHA-256 of its salt and of its SHA-256."""
    held = bytes(export.file_salt or b"") + bytes(export.file_sha256 or b"")
    return "sha256:" + hashlib.sha256(held).hexdigest()


def path_of(export: Export) -> Path:
    """Return where the sealed file of an export waits."""
    return Path(settings.FOLDER) / "exports" / f"{export.ref}.parcel"


@transaction.atomic
def give_up(*, export: Export) -> None:
    """Say of an export that its file could not be made; whoever asked may begin it again."""
    Export.objects.filter(pk=export.pk, made_at=None).update(failed_at=timezone.now())
    record(kind="book.export-failed", staff=export.asked_by_id, body={"export": export.ref})


# ---------------------------------------------------------------- handing it out, once


@dataclass(frozen=True, kw_only=True)
class HandedOut:
    """A file on its way to whoever asked for it: it is deleted already, and lasts until it is read."""

    name: str
    media: str
    size: int
    pieces: OpenParcel


@transaction.atomic
def hand_out(*, export: Export, staff: Staff, now: datetime | None = None) -> HandedOut:
    """Give the file to whoever asked for it, once. It is deleted as it is opened.

    Raises NotExported where it is not theirs, not made, not covered by a checkpoint yet, fetched before, or too old.
    """
    locked = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    _check_asker(locked, staff)
    _check_there(locked, now or timezone.now())
    room = Wanted.of(locked).room
    if room:
        room.check(locked)
    file, key = path_of(locked).open("rb"), bytes(locked.file_key or b"")
    writer = WRITERS[Format(locked.format)]
    record(kind="book.export-fetched", staff=staff.ref, body={"export": locked.ref})
    locked.fetched_at = locked.deleted_at = timezone.now()
    locked.file_key = None
    locked.save(update_fields=["fetched_at", "deleted_at", "file_key"])
    if room:
        room.handed(locked, staff)
    transaction.on_commit(lambda: path_of(locked).unlink(missing_ok=True))
    return HandedOut(
        name=f"people-comity-{locked.code}.{writer.suffix}", media=writer.media, size=locked.file_bytes,
        pieces=OpenParcel(file, key),
    )  # fmt: skip


def _check_there(export: Export, now: datetime) -> None:
    if export.state in {"fetched", "gone"} or (export.made_at and now >= export.made_at + KEPT):
        raise NotExported(_("This file is gone: it is handed out once, within 24 hours. Ask for a new export."))
    if export.state != "made" or not path_of(export).exists():
        raise NotExported(_("There is no file yet."))
    if not is_covered(export):
        raise NotExported(_("The ledger is not yet signed over this export. Try again in a moment."))


def delete_old_files(*, now: datetime) -> int:
    """Delete files that nobody fetched in time, and what is left of files that were never finished; return how many."""
    entities = list(Entity.objects.values_list("ref", flat=True))
    with behind_wall(staff=None, entities=entities):
        old = Export.objects.filter(made_at__lte=now - KEPT, deleted_at=None).select_for_update(of=("self",))
        gone = [_delete(export, now) for export in old]
        waiting = {path_of(export) for export in Export.objects.filter(begun_at__gt=now - KEPT, deleted_at=None)}
    folder = Path(settings.FOLDER) / "exports"
    for path in set(folder.glob("*.parcel")) - waiting:
        path.unlink(missing_ok=True)
    return len(gone)


def _delete(export: Export, now: datetime) -> Export:
    export.file_key, export.deleted_at = None, now
    export.save(update_fields=["file_key", "deleted_at"])
    record(kind="book.export-deleted", body={"export": export.ref})
    return export
