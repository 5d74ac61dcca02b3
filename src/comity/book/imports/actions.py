"""What can be done with an import: begin it, say what its columns mean, look it over, settle, bring in, undo, drop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book import known
from comity.book.imports.columns import MEANINGS, may_be_remembered, meaning_of
from comity.book.imports.looking import dialect_of, look_over
from comity.book.imports.models import Import, ImportBatch, ImportFinding, Known, RememberedColumn, Stage
from comity.book.imports.parcels import (
    KEPT,
    Contents,
    clear_workshops,
    contents_of,
    duck_beside,
    last_row,
    pack,
    throw_away,
    unpacked,
)
from comity.book.imports.reading import EMAIL
from comity.book.imports.running import afterwards, bring_all, make_batches
from comity.book.imports.side_by_side import Work
from comity.book.imports.undoing import UNDONE_WITHIN, is_late, take_out
from comity.book.models import Source
from comity.check.dialects import Dialect, header_key, recognise
from comity.counsel.duties import data_came, note_event, take_back_event
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.refs import new_ref
from comity.staff.guards import demand, may_do
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from comity.staff.models import Entity, Staff

AT_ONCE: Final = 1_000
"""Rows of a file that is looked over and brought in while whoever brings it waits; a larger one is a job."""
LONGEST_HEADER: Final = 100


class NotNow(ValidationError):
    """The import is at another stage; the message says at which, and what can be done there."""


class FileGone(ValidationError):
    """The file of this import is no longer kept, so nothing more can be read from it."""


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What whoever imports says of the whole file: why, where from, and what becomes of odd rows."""

    purpose: str
    asked_purpose: str
    asked_channel: str
    source: str
    notice: str = ""
    notice_on: date | None = None
    home: str = ""
    dates: str = "auto"
    for_known: str = "skip"
    for_broken: str = "leave"
    tells_all: bool = False


# ---------------------------------------------------------------- begin


@transaction.atomic
def begin_import(*, name: str, pieces: Iterable[bytes], entity: Entity, staff: Staff) -> Import:
    """Take a file in, sealed, and recognise what kind it is. Nobody is in the book yet. Raises BadFile, NotYours."""
    demand(staff, "import.run", entity)
    ref = new_ref()
    packed = pack(ref=ref, name=name, pieces=pieces)
    dialect = recognise(packed.contents.headers)
    remembered = dict(
        RememberedColumn.objects.filter(entity=entity, dialect=dialect.id).values_list("header", "meaning")
    )
    keys = [header_key(header)[:LONGEST_HEADER] for header in packed.contents.headers]
    mapping = {str(number): meaning for number, meaning in guessed(dialect, packed.contents).items()}
    mapping |= {str(number): remembered[key] for number, key in enumerate(keys) if key in remembered}
    one = Import.objects.create(
        ref=ref, entity=entity, begun_by=staff, key=packed.key, told_key=packed.told_key, dialect=dialect.id,
        kind=packed.kind, encoding=packed.encoding.partition(" (")[0][:20], rows=packed.rows, mapping=mapping,
        begun_at=timezone.now(),
    )  # fmt: skip
    body: dict[str, JSON] = {"import": ref, "entity": entity.ref, "rows": packed.rows}
    record(kind="book.import-begun", body=body, staff=staff.ref)
    return one


@transaction.atomic
def map_columns(*, one: Import, meanings: Mapping[int, str], staff: Staff) -> None:
    """Say what columns mean where that is not what we took them for; the next file of this kind is read so too."""
    one = _locked(one, Stage.MAPPING, Stage.READY, staff=staff)
    contents = _contents(one)
    dialect = dialect_of(one)
    changed = {
        number: meaning
        for number, meaning in meanings.items()
        if meaning in MEANINGS and number < len(contents.headers)
        and meaning != meaning_of(dialect, contents.headers[number])
    }  # fmt: skip
    one.mapping = {str(number): meaning for number, meaning in changed.items()}
    one.stage, one.found, one.settled_at, one.settled_by = Stage.MAPPING, {}, None, None
    one.save(update_fields=["mapping", "stage", "found", "settled_at", "settled_by"])
    for number, header in enumerate(contents.headers):
        kept = changed.get(number) if may_be_remembered(dialect, header) else None
        _remember(one, header_key(header)[:LONGEST_HEADER], kept)
    record(kind="book.import-mapped", body={"import": one.ref, "columns": len(changed)}, staff=staff.ref)


def guessed(dialect: Dialect, contents: Contents) -> dict[int, str]:
    """Return which columns hold addresses though their headers do not say so; whoever imports sees it."""
    found = {}
    for number, header in enumerate(contents.headers):
        cells = [row[number].strip() for row in contents.sample if row[number].strip()]
        if cells and not dialect.known(header) and all(EMAIL.fullmatch(cell) for cell in cells):
            found[number] = "email"
    return found


def _remember(one: Import, header: str, meaning: str | None) -> None:
    known = RememberedColumn.objects.filter(entity=one.entity, dialect=one.dialect, header=header)
    if meaning is None:
        known.delete()
    elif header:
        RememberedColumn.objects.update_or_create(
            entity=one.entity, dialect=one.dialect, header=header, defaults={"meaning": meaning}
        )


@transaction.atomic
def choose(*, one: Import, choices: Choices, staff: Staff) -> Import:
    """Say why these people come, where they come from and who told them, before the file is looked over."""
    one = _locked(one, Stage.MAPPING, Stage.READY, staff=staff)
    _contents(one)
    for name, value in vars(choices).items():
        setattr(one, name, value)
    one.stage, one.seen_rows, one.found, one.settled_at, one.settled_by = Stage.LOOKING, 0, {}, None, None
    one.save()
    return one


# ---------------------------------------------------------------- look


def look_over_import(*, one: Import) -> Import:
    """Read the whole file and keep what is to be said of it. Safe to call again: it begins anew."""
    with _wall(one):
        one = Import.objects.select_for_update().select_related("entity", "begun_by").get(pk=one.pk)
        if one.stage != Stage.LOOKING:
            return one
        contents = _contents(one)
        one.findings.all().delete()
        one.batches.all().delete()
        Import.objects.filter(pk=one.pk).update(seen_rows=0)
    with unpacked(one) as table:
        found = look_over(one, contents, table, lambda: _wall(one))
    with _wall(one):
        Import.objects.filter(pk=one.pk, stage=Stage.LOOKING).update(stage=Stage.READY, found=found, seen_rows=0)
        return Import.objects.select_related("entity", "begun_by").get(pk=one.pk)


@transaction.atomic
def settle_import(*, one: Import, because: str, staff: Staff) -> Import:
    """Let those come in of whom the law leaves it open whether we may keep them: a human's judgement, on record."""
    demand(staff, "ruling.make", one.entity)
    one = _locked(one, Stage.READY, staff=None)
    one.settled_by, one.settled_at, one.because = staff, timezone.now(), because
    one.save(update_fields=["settled_by", "settled_at", "because"])
    body: dict[str, JSON] = {"import": one.ref, "entity": one.entity_id, "persons": int(one.found.get("open", 0))}
    record(kind="book.import-settled", body=body, staff=staff.ref)
    return one


# ---------------------------------------------------------------- bring in


@transaction.atomic
def begin_run(*, one: Import, staff: Staff) -> Import:
    """Let the people of the file come into the book; `run_import` brings them. One that stopped half-way goes on."""
    one = _locked(one, Stage.READY, Stage.STOPPED, staff=staff)
    if one.undone_by_id is not None:
        raise NotNow(_("Its undoing stopped half-way, so nobody more comes in. Undo it again."))
    _contents(one)
    if not one.source:
        raise NotNow(_("Say first where these people's data came from."))
    one.stage, one.stopped_by = Stage.RUNNING, ""
    one.save(update_fields=["stage", "stopped_by"])
    body: dict[str, JSON] = {"import": one.ref, "entity": one.entity_id, "tells_all": one.tells_all}
    record(kind="book.import-started", body=body, staff=staff.ref)
    return one


def run_import(*, one: Import) -> Import:
    """Bring in every batch that is not in yet, then close the import. Safe to call again after whatever happened."""
    with _wall(one):
        one = Import.objects.select_related("entity", "begun_by").get(pk=one.pk)
        if one.stage != Stage.RUNNING:
            return one
        contents = _contents(one)
    with unpacked(one) as table:
        with _wall(one), duck_beside(table) as duck:
            numbers = make_batches(one, last_row(duck, table))
        work = Work(
            imported=one.ref, staff=one.begun_by_id, entity=one.entity_id, headers=tuple(contents.headers),
            table=str(table),
        )  # fmt: skip
        bring_all(work, numbers)
        with _wall(one):
            late = afterwards(one)
        bring_all(work, late)
    return _close(one)


def _close(one: Import) -> Import:
    with _wall(one):
        one = Import.objects.select_for_update().select_related("entity", "begun_by").get(pk=one.pk)
        if one.stage != Stage.RUNNING or one.batches.filter(done_at=None).exists():
            return one
        one.stage, one.done_at = Stage.DONE, timezone.now()
        if not (left := one.findings.exists()):
            one.key = one.told_key = None
        one.save(update_fields=["stage", "done_at", "key", "told_key"])
        counts = {name: int(one.found.get(name, 0)) for name in ("broken", "held", "open", "known", "repeated")}
        body: dict[str, JSON] = {
            "import": one.ref,
            "entity": one.entity_id,
            "persons": one.persons,
            "source": one.source,
            **counts,
        }
        record(kind="book.imported", body=body, staff=one.begun_by_id)
        if one.persons:
            _note_duties(one)
    if not left:
        throw_away(one.ref)
    return one


def _note_duties(one: Import) -> None:
    """Tell counsel that data about people came to us, so that the notice of GDPR Art. 14 and its kin has its day."""
    today = timezone.localdate()
    for source, homes in _homes(one).items():
        event = data_came(on=today, source=source or one.source, purpose=one.purpose)
        note_event(event=event, entity=one.entity, about=one.ref, homes=homes, staff=one.begun_by)


def _homes(one: Import) -> dict[str, dict[str, int]]:
    """Count the homes of those who came, by where their data came from."""
    found: dict[str, dict[str, int]] = {}
    came = RawSQL("SELECT unnest(persons) FROM book_importbatch WHERE imported_id = %s", [one.ref])
    theirs = known.Known.objects.filter(person__in=came, entity=one.entity_id)
    for source, home, many in theirs.values_list("source", "home").annotate(Count("person")):
        found.setdefault(source or "", {})[home] = many
    return found


def stop_import(*, one: Import, fault: str) -> None:
    """Say that an import stopped half-way, or could not be looked over; whoever brought it may go on or undo it."""
    with _wall(one):
        running = Import.objects.filter(pk=one.pk, stage__in=[Stage.RUNNING, Stage.UNDOING])
        running.update(stage=Stage.STOPPED, stopped_by=fault[:200])
        Import.objects.filter(pk=one.pk, stage=Stage.LOOKING).update(stage=Stage.MAPPING, stopped_by=fault[:200])


# ---------------------------------------------------------------- undo and drop


@transaction.atomic
def begin_undo(*, one: Import, changed_too: bool, staff: Staff) -> Import:
    """Let everybody whom an import brought be taken out again; those changed since stay, unless `changed_too`.

    To take those out too, or anybody after thirty days, is to erase people. Raises NotYours, NotNow.
    """
    one = _locked(one, Stage.DONE, Stage.STOPPED, Stage.UNDONE, staff=staff)
    if changed_too:
        demand(staff, "person.erase", one.entity)
    if is_late(one) and not may_do(staff, "person.erase", one.entity):
        raise NotNow(
            _("An import is undone within %(days)d days. After that, ask whoever may erase people.")
            % {"days": UNDONE_WITHIN.days}
        )
    one.stage, one.undone_by = Stage.UNDOING, staff
    one.batches.exclude(persons=[]).update(undone_at=None)
    one.save(update_fields=["stage", "undone_by"])
    body: dict[str, JSON] = {
        "import": one.ref,
        "entity": one.entity_id,
        "persons": one.persons,
        "changed_too": changed_too,
    }
    record(kind="book.import-undo-started", body=body, staff=staff.ref)
    return one


def undo_import(*, one: Import, changed_too: bool) -> Import:
    """Take out everybody, batch by batch. Safe to call again after whatever happened."""
    with _wall(one):
        one = Import.objects.select_related("entity", "undone_by", "begun_by").get(pk=one.pk)
        if one.stage != Stage.UNDOING or one.undone_by is None:
            return one
        one.findings.filter(says="changed").delete()
        numbers = list(one.batches.exclude(done_at=None).filter(undone_at=None).values_list("number", flat=True))
    for number in numbers:
        with _wall(one):
            batch = ImportBatch.objects.select_for_update().select_related("imported").get(imported=one, number=number)
            if batch.undone_at is None:
                take_out(batch, changed_too=changed_too, staff=one.undone_by)
    return _close_undo(one)


def _close_undo(one: Import) -> Import:
    with _wall(one):
        one = Import.objects.select_for_update(of=("self",)).select_related("entity", "undone_by").get(pk=one.pk)
        one.stage, one.undone_at, one.key, one.told_key = Stage.UNDONE, timezone.now(), None, None
        one.save(update_fields=["stage", "undone_at", "key", "told_key"])
        if not one.persons:  # whoever stays is still owed what the law says
            take_back_event(entity=one.entity, about=one.ref, words=_("The import was undone."), staff=one.undone_by)
        body: dict[str, JSON] = {"import": one.ref, "entity": one.entity_id, "kept": one.persons}
        record(kind="book.import-undone", body=body, staff=one.undone_by_id)
    throw_away(one.ref)
    return one


@transaction.atomic
def forget_file(*, one: Import) -> None:
    """Throw away the file of an import that is over; rows that did not come in can no longer be fetched."""
    Import.objects.filter(pk=one.pk, stage__in=OVER).update(key=None, told_key=None)
    ref = one.ref
    transaction.on_commit(lambda: throw_away(ref))


OVER: Final = (Stage.DONE, Stage.UNDONE, Stage.DROPPED)


@transaction.atomic
def choose_for_rows(*, one: Import, choices: Mapping[int, str]) -> None:
    """Say of findings of this import, by their number, what becomes of the row; an empty choice is the import's own."""
    for number, choice in choices.items():
        if choice in Known.values or not choice:
            ImportFinding.objects.filter(pk=number, imported=one).update(choice=choice)


@transaction.atomic
def drop_import(*, one: Import, staff: Staff | None) -> None:
    """Throw the file away before anybody came in: its keys go, so nobody opens it again."""
    one = _locked(one, Stage.MAPPING, Stage.LOOKING, Stage.READY, staff=staff)
    one.stage, one.key, one.told_key = Stage.DROPPED, None, None
    one.save(update_fields=["stage", "key", "told_key"])
    one.findings.all().delete()
    record(kind="book.import-dropped", body={"import": one.ref}, staff=staff.ref if staff else None)
    ref = one.ref
    transaction.on_commit(lambda: throw_away(ref))


def drop_old_imports(*, now: datetime, entities: Iterable[UUID]) -> int:
    """Drop the imports that nobody finished within a week, and clear what killed work left lying."""
    many = 0
    clear_workshops((now - KEPT / 7).timestamp())
    for entity in entities:
        with behind_wall(staff=None, entities=[entity]):
            old = Import.objects.filter(begun_at__lt=now - KEPT, stage__in=[Stage.MAPPING, Stage.READY])
            for one in old:
                drop_import(one=one, staff=None)
                many += 1
            for one in Import.objects.filter(begun_at__lt=now - KEPT, stage__in=OVER).exclude(key=None):
                forget_file(one=one)
                many += 1
    return many


# ---------------------------------------------------------------- what they share


def _locked(one: Import, *stages: Stage, staff: Staff | None) -> Import:
    """Return the import, locked, if it is at one of these stages. Raises NotNow, NotYours."""
    found = Import.objects.select_for_update(of=("self",)).select_related("entity", "begun_by").get(pk=one.pk)
    if staff is not None:
        demand(staff, "import.run", found.entity)
    if found.stage not in stages:
        raise NotNow(_("This import is at another stage: %(stage)s.") % {"stage": Stage(found.stage).label})
    return found


def _contents(one: Import) -> Contents:
    contents = contents_of(one)
    if contents is None:
        raise FileGone(_("The file of this import is no longer kept. Bring it again."))
    return contents


@contextlib.contextmanager
def _wall(one: Import) -> Iterator[None]:
    with behind_wall(staff=one.begun_by_id, entities=[one.entity_id]):
        yield


WORDS: Final = tuple(each.value for each in Source)
"""Words of ours that stand in entries about imports."""
