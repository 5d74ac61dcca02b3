"""Reading exports: whose are seen by whom, who was left out of one and why, and which export a file is from."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import Http404

from comity.book.exports.marking import CODE, MARK, marks
from comity.book.exports.models import Export, ExportPart
from comity.counsel.models import AskedDecision
from comity.ledger.models import Checkpoint, Entry
from comity.refs import LENGTH, LETTERS, read_ref, shown
from comity.staff.guards import entities_of, entities_with, may_handle
from comity.staff.models import Approval
from comity.vault.models import RecordedDecision
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

KIND: Final = "export.many"
"""Of the approval that a large export takes."""
SEES_ALL: Final = "ledger.read"
"""The word by which one sees what others took out: the privacy officer's, the administrator's and the auditor's."""


def exports_seen_by(viewer: Staff) -> QuerySet[Export]:
    """Return one's own exports; for those who read the ledger, all of their entities'."""
    found = Export.objects.filter(entity__in=entities_of(viewer)).select_related("entity", "asked_by")
    return found.filter(Q(asked_by=viewer) | Q(entity__in=entities_with(viewer, SEES_ALL)))


def one_export(viewer: Staff, ref: UUID) -> Export:
    """Return one export. Raises Http404."""
    found = exports_seen_by(viewer).filter(pk=ref).first()
    if found is None:
        raise Http404
    return found


def export_for_approval(ref: UUID) -> Export | None:
    """Return the export of a request that somebody may approve already."""
    return Export.objects.filter(pk=ref).select_related("entity").first()


def export_classes(viewer: Staff, entity: Entity, purpose: str, operation: str = "export") -> list[FieldClass]:
    """Return the classes of fields that the viewer's roles let them take out, or share, for a purpose."""
    return [
        each
        for each in FieldClass
        if may_handle(viewer, operation=operation, purpose=purpose, field_class=each, entity=entity)
    ]


def is_covered(export: Export) -> bool:
    """Say whether a checkpoint covers the entry that says that the file was made."""
    if export.entry is None:
        return False
    place = Entry.objects.filter(pk=export.entry).values_list("leaf_index", flat=True).first()
    return place is not None and Checkpoint.objects.filter(size__gt=place).exists()


def approval_of(export: Export) -> Approval | None:
    """Return what was laid before a second person for this export, the latest, if anything was."""
    return Approval.objects.filter(kind=KIND, request__export=str(export.ref)).first()


# ---------------------------------------------------------------- who was left out, and why


@dataclass(frozen=True, kw_only=True)
class Why:
    """One finding by which people were left out."""

    verdict: str
    because: tuple[str, ...]
    missing: tuple[str, ...]
    people: int = 0


NOT_THERE: Final = "not-in-the-book"
"""Why the law was not asked about somebody: erased, merged into somebody else, or not of this entity any more."""
GONE: Final = Why(verdict="none", because=(NOT_THERE,), missing=())


def reasons_of(export: Export) -> list[Why]:
    """Return why people were left out of an export, and how many for each finding, the most first."""
    counted: Counter[Why] = Counter()
    for part in export.parts.all() if export.made_at else ():
        counted.update(why for _, why in _left_out(part))
    return [
        Why(verdict=why.verdict, because=why.because, missing=why.missing, people=n) for why, n in counted.most_common()
    ]


def left_out_of(parts: Iterable[ExportPart]) -> Iterator[tuple[str, str, str, str]]:
    """Give a row (`formats.LEFT_OUT`) for each person who was left out of parts that were written."""
    for part in parts:
        for person, why in _left_out(part):
            yield shown(person), why.verdict, "\n".join(why.because), "\n".join(why.missing)


def _left_out(part: ExportPart) -> Iterator[tuple[UUID, Why]]:
    whys: list[Why | None] = []
    persons: list[UUID] = []
    of: list[int] = []
    if part.decision is not None:
        asked = AskedDecision.objects.get(pk=part.decision)
        whys, of = [_why(finding) for finding in asked.findings], asked.of
        persons = RecordedDecision.objects.values_list("persons", flat=True).get(pk=part.decision)
    asked_about = set(persons)
    yield from ((person, GONE) for person in part.persons if person not in asked_about)
    if any(whys):
        yield from ((person, why) for person, n in zip(persons, of, strict=True) if (why := whys[n]) is not None)


def _why(finding: Mapping[str, Any]) -> Why | None:
    if finding["verdict"] == "permit":
        return None
    return Why(verdict=finding["verdict"], because=tuple(finding["because"]), missing=tuple(finding["missing"]))


# ---------------------------------------------------------------- which export is this from?

MOST_TRACED: Final = 2_000
"""Marks and refs of a pasted text that are looked up."""


@dataclass(kw_only=True)
class Trace:
    """What a text says of one export: its code was in it, marks of it were, or people of it were."""

    export: Export
    coded: bool = False  # the code stands in the text
    marked: int = 0  # marks that are truly of this export
    forged: int = 0  # marks with its code that it never gave
    people: int = 0  # refs of people who are in its file


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was looked for in a text, and the exports to which it leads, the surest first."""

    traces: list[Trace] = field(default_factory=list)
    marks: int = 0
    refs: int = 0


def trace(viewer: Staff, text: str) -> Found:
    """Return the exports from which a text may be: by their codes, by the marks of rows, by the people named by ref."""
    codes = {code.upper() for code in CODE.findall(text)}
    found = dict.fromkeys(MARK.findall(text))
    marked: dict[str, list[str]] = {}
    for code, rest in list(found)[:MOST_TRACED]:
        marked.setdefault(code, []).append(f"{code}-{rest}")
    refs = list(_refs(text))[:MOST_TRACED]
    seen = exports_seen_by(viewer)
    traces = {export.pk: Trace(export=export) for export in seen.filter(code__in=codes | marked.keys())}
    for each in traces.values():
        each.coded = each.export.code in codes
        each.marked, each.forged = _true_marks(each.export, marked.get(each.export.code, []))
    for export, people in _with_people(seen, refs):
        traces.setdefault(export.pk, Trace(export=export)).people = people
    order = sorted(traces.values(), key=lambda one: (one.marked, one.coded, one.people), reverse=True)
    return Found(traces=order, marks=len(found), refs=len(refs))


def _true_marks(export: Export, written: Collection[str]) -> tuple[int, int]:
    """Return how many of these marks the export gave to somebody, and how many it gave to nobody."""
    if not written:
        return 0, 0
    given: set[str] = set()
    for part in export.parts.all():
        given.update(marks(code=export.code, key=bytes(export.mark_key), persons=part.exported))
    true = sum(any(hmac.compare_digest(one, mark) for mark in (given & {one})) for one in written)
    return true, len(written) - true


def _refs(text: str) -> Iterator[UUID]:
    for word in dict.fromkeys(text.replace(",", " ").replace('"', " ").replace(";", " ").split()):
        if len(word) == LENGTH and set(word) <= set(LETTERS):
            yield read_ref(word)


def _with_people(seen: QuerySet[Export], refs: list[UUID]) -> list[tuple[Export, int]]:
    """Return the exports whose files have some of these people, with how many."""
    if not refs:
        return []
    parts = ExportPart.objects.filter(exported__overlap=refs, export__in=seen)
    counted: Counter[UUID] = Counter()
    wanted = set(refs)
    for export, exported in parts.values_list("export", "exported"):
        counted[export] += len(wanted & set(exported))
    known = seen.in_bulk(list(counted))
    return [(known[pk], people) for pk, people in counted.most_common()]
