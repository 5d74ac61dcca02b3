"""What people see of themselves: what we hold and why, who looked, what was decided, what became of what they asked.

INVARIANT: what is sealed is opened for the person alone, in their own visit, under a decision on record. Of our staff
nobody is named: who looked is said by role, purpose and day.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy, pgettext
from django.utils.translation import gettext as _

from comity.book.editing.whole import point_label
from comity.book.models import ContactPoint, Person, Post, Reach, Relation, Source
from comity.book.opening import full_name, name_label
from comity.book.places import said_of as place_said
from comity.consent.preferences.choices import choices_of, known_of
from comity.counsel.actions import decide
from comity.counsel.models import AskedDecision, OwedDuty, SegmentFinding, SegmentRow
from comity.counsel.questions import Question
from comity.counsel.reading import said_of
from comity.ledger.models import Entry
from comity.rights.portal.stopping import called as title_of
from comity.rights.requests.models import Request
from comity.staff.models import RoleGrant
from comity.staff.roles import roles
from comity.staff.terms import term
from comity.vault.actions import open_fields
from comity.vault.data_map import data_map
from comity.vault.gate import Oneself
from comity.vault.models import RecordedDecision
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.consent.preferences.choices import Group
    from comity.counsel.reading import Said
    from comity.rights.portal.models import Visit
    from comity.staff.models import Entity

CLASSES: Final = (FieldClass.NAME, FieldClass.CONTACT, FieldClass.ADDRESS)
MOST: Final = 300
"""Entries of the ledger that are looked through, the latest first."""
MOST_DECISIONS: Final = 60
OPENED, DECIDED = "vault.opened", "counsel.decided"
FROM: Final[dict[str, _StrPromise]] = {
    Source.PERSON: gettext_lazy("You yourself"),
    Source.PUBLISHED: gettext_lazy("A public source"),
    Source.THIRD_PARTY: gettext_lazy("Somebody else"),
}
"""From whom data came, said to the person."""


# ---------------------------------------------------------------- what we hold, and why


@dataclass(frozen=True, kw_only=True)
class Held:
    """One thing that we hold about somebody: what it is, and what it says."""

    what: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Own:
    """What somebody sees of themselves on the first page."""

    name: str
    held: Sequence[Held]
    source: str
    notice: str
    uses: Sequence[Group]
    stays: Sequence[tuple[str, str]]


def own_of(visit: Visit, person: Person) -> Own:
    """Open what names somebody for themselves, in this visit, and gather what is plain. Raises Refused, KeyTrouble."""
    points = list(ContactPoint.objects.filter(person=person).order_by("reach", "-first", "added_at", "ref"))
    labels = [name_label(person.ref), *map(point_label, points)]
    decided = decide(
        question=look_of(visit.entity), persons=[person.ref], staff=Oneself(person=person.ref, visit=visit.ref),
        field_classes=CLASSES,
    )  # fmt: skip
    opened = open_fields(warrant=decided.warrant, labels=labels, permitted_only=True)
    name = full_name(opened.get(name_label(person.ref)))
    relation = Relation.objects.filter(person=person, entity=visit.entity).first()
    addresses = [
        Held(what=str(Reach(row.reach).label), says=", ".join(map(str, opened[point_label(row)].values())))
        for row in points
        if point_label(row) in opened
    ]
    called = Held(what=pgettext("person", "Name"), says=name)
    return Own(
        name=name, held=[called, *addresses, *_plain(person), *_between(relation)],
        source=str(FROM.get(relation.source, "")) if relation else "",
        notice=relation.notice if relation else "",
        uses=choices_of(known_of(person, visit.entity), timezone.localdate()), stays=_stays(),
    )  # fmt: skip


def look_of(entity: Entity) -> Question:
    """Return what the law is asked when somebody looks at their own."""
    return Question(operation="view", purpose="legal-duty", entity=entity.ref, more={"use.legal_duty": True})


def _plain(person: Person) -> Iterator[Held]:
    told = {
        _("Home"): place_said(person.home), _("Language"): person.language, _("Met as"): person.get_capacity_display(),
        _("Born"): _born(person),
        _("Works for"): ", ".join(
            Post.objects.filter(person=person, ends_on=None).values_list("organisation__name", flat=True)
        ),
    }  # fmt: skip
    yield from (Held(what=what, says=says) for what, says in told.items() if says)


def _born(person: Person) -> str:
    if person.birth_year is None:
        return ""
    return f"{person.birth_year}-{person.birth_month:02}" if person.birth_month else str(person.birth_year)


def _between(relation: Relation | None) -> Iterator[Held]:
    if relation is None:
        return
    days = {
        _("Customer since"): relation.customer_since, _("Last purchase"): relation.last_purchase_on,
        _("Last inquiry"): relation.last_inquiry_on,
    }  # fmt: skip
    yield from (Held(what=what, says=_day(day)) for what, day in days.items() if day)
    if relation.contract_running:
        yield Held(what=_("Contract"), says=_("It is running."))


def _day(day: date) -> str:
    return date_format(day, "DATE_FORMAT")


def _stays() -> list[tuple[str, str]]:
    """Return how long what we hold stays, by what it is, as the data map has it."""
    known = data_map()
    shown = {
        _("Name, addresses, what you told us"): ("book", "Person"), _("What we spoke about"): ("book", "Activity"),
        _("What you agreed to and refused"): ("consent", "Consent"), _("What you ask of us"): ("rights", "Request"),
    }  # fmt: skip
    return [(what, _clock(known[key].clock)) for what, key in shown.items() if key in known]


def _clock(clock: Any) -> str:  # noqa: ANN401 - of the data map
    if clock.until == "person":
        return _("until you are erased")
    if clock.until != "after":
        return _("as long as the record it belongs to")
    units = {"days": _("%(n)d days after it was done"), "months": _("%(n)d months after it was done"),
             "years": _("%(n)d years after it was done")}  # fmt: skip
    return units[clock.unit] % {"n": clock.count}


# ---------------------------------------------------------------- who looked


@dataclass(frozen=True, kw_only=True)
class Looked:
    """On one day, people of one role looked at somebody for one purpose, so many times."""

    on: date
    who: str
    purpose: str
    times: int
    oneself: bool = False


def looks_at(person: UUID, entity: Entity) -> list[Looked]:
    """Return who opened what is sealed of somebody, and for what, the latest first."""
    entries = list(_entries(OPENED, person))
    bodies = {entry.ref: _body(entry) for entry in entries}
    decisions = {UUID(body["decision"]) for body in bodies.values()}
    rows = AskedDecision.objects.filter(ref__in=decisions, entity=entity.ref)
    questions: dict[UUID, dict[str, Any]] = dict(rows.values_list("ref", "question"))
    roles_of = _roles({entry.staff for entry in entries if entry.staff})
    counted: dict[tuple[date, str, str, bool], int] = {}
    for entry in entries:
        question = questions.get(UUID(bodies[entry.ref]["decision"]))
        if question is None:
            continue  # of another entity of ours
        who = roles_of.get(entry.staff, _("Somebody who has left")) if entry.staff else _("You")
        key = (timezone.localdate(entry.recorded_at), who, _doing(question), entry.staff is None)
        counted[key] = counted.get(key, 0) + 1
    return [
        Looked(on=on, who=who, purpose=purpose, times=times, oneself=oneself)
        for (on, who, purpose, oneself), times in counted.items()
    ]


def _entries(kind: str, person: UUID) -> list[Entry]:
    rows = Entry.objects.filter(kind=kind, persons__contains=[person])
    return list(rows.order_by("-recorded_at").only("ref", "recorded_at", "staff", "body")[:MOST])


def _body(entry: Entry) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(bytes(entry.body))["body"]
    return said


def _roles(staff: set[UUID]) -> Mapping[UUID, str]:
    """Return what roles these of our staff have or had, as people say them; nobody is named."""
    found: dict[UUID, dict[str, None]] = {}
    known = roles().roles
    for one, role in RoleGrant.objects.filter(staff__in=staff).values_list("staff", "role"):
        if role in known:
            found.setdefault(one, {})[gettext(known[role].name)] = None
    return {one: ", ".join(names) for one, names in found.items()}


def _doing(question: Mapping[str, Any]) -> str:
    said = _("%(operation)s, for %(purpose)s") % {
        "operation": term(question["operation"]), "purpose": term(question["purpose"]),
    }  # fmt: skip
    channel = question.get("channel", "none")
    return said if channel == "none" else f"{said} · {term(channel)}"


# ---------------------------------------------------------------- what was decided by machine


@dataclass(frozen=True, kw_only=True)
class DecidedOnce:
    """One decision by machine about somebody: what was asked, what came out, and the rules that say so."""

    at: datetime
    about: str
    verdict: str
    because: Sequence[Said]


def decisions_about(person: UUID, entity: Entity) -> list[DecidedOnce]:
    """Return what the machine decided about somebody, the latest first: looks are shown by themselves."""
    found = [*_singly(person, entity), *_in_segments(person, entity)]
    return sorted(found, key=lambda one: one.at, reverse=True)[:MOST_DECISIONS]


def _singly(person: UUID, entity: Entity) -> Iterator[DecidedOnce]:
    bodies = {entry.ref: _body(entry) for entry in _entries(DECIDED, person)}
    refs = [UUID(body["decision"]) for body in bodies.values() if body["operation"] != "view"][:MOST_DECISIONS]
    whose = dict(RecordedDecision.objects.filter(ref__in=refs).values_list("ref", "persons"))
    for asked in AskedDecision.objects.filter(ref__in=refs, entity=entity.ref):
        told = asked.findings[asked.of[whose[asked.ref].index(person)]]
        yield _decided(asked.recorded_at, asked.question, told)


def _in_segments(person: UUID, entity: Entity) -> Iterator[DecidedOnce]:
    rows = SegmentRow.objects.filter(person=person, segment__entity=entity, segment__counted=False)
    latest = list(rows.select_related("segment").order_by("-segment__decided_at")[:MOST_DECISIONS])
    findings = SegmentFinding.objects.filter(segment__in=[row.segment_id for row in latest])
    told = {(one.segment_id, one.number): one.told for one in findings}
    for row in latest:
        if said := told.get((row.segment_id, row.finding)):
            yield _decided(row.segment.decided_at, row.segment.question, {**said, "verdict": row.verdict})


def _decided(at: datetime, question: Mapping[str, Any], told: Mapping[str, Any]) -> DecidedOnce:
    because = [said_of(reason) for reason in told.get("because", [])]
    return DecidedOnce(at=at, about=_doing(question), verdict=told["verdict"], because=because)


# ---------------------------------------------------------------- what they asked


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request of somebody's, with the day by which the law wants it answered."""

    request: Request
    called: str  # as they asked it
    due: date | None
    cite: str


def asked_by(persons: Sequence[UUID], entity: Entity) -> list[Asked]:
    """Return what these persons asked of an entity, the latest first, with its clocks."""
    rows = list(Request.objects.filter(person__in=list(persons), entity=entity).order_by("-received_on", "-ref")[:50])
    owed = OwedDuty.objects.filter(event__about__in=[row.ref for row in rows], settled="", standing=False)
    first: dict[UUID, OwedDuty] = {}
    for duty in owed.filter(state="owed", to="person").select_related("event").order_by("day", "ref"):
        first.setdefault(duty.event.about, duty)
    return [
        Asked(
            request=row, called=str(title_of(row)), due=first[row.ref].day if row.ref in first else None,
            cite=str(first[row.ref].told.get("cite", "")) if row.ref in first else "",
        )
        for row in rows
    ]  # fmt: skip
