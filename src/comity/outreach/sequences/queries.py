"""Reading sequences: in words, whom they may reach, who is under way, what became of each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from comity.outreach.campaigns.queries import EXAMPLE_LINKS, readers_of
from comity.outreach.campaigns.writing import sender_of
from comity.outreach.composing.content import Content
from comity.outreach.composing.lint import Found, Looked, NotMade, Readers, look_over
from comity.outreach.sequences.exits import CHOSEN, WHY
from comity.outreach.sequences.models import Enrolment, Errand, Kind, Sequence, Step, Taken, Under, Version
from comity.outreach.sequences.triggers import trigger_of
from comity.post.models import Gateway, Message, Stage
from comity.staff.approvals import digest
from comity.staff.guards import entities_with
from comity.staff.models import Approval

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity, Staff

VIEWS: Final = "sequence.view"
MINUTES: Final = {"minutes": 1, "hours": 60, "days": 24 * 60}


def sequences_seen_by(viewer: Staff) -> QuerySet[Sequence]:
    """Return the sequences of the entities for which somebody may see them, with how many are under way."""
    under = Count("enrolments", filter=Q(enrolments__state=Under.UNDER_WAY))
    through = Count("enrolments", filter=Q(enrolments__state=Under.THROUGH))
    seen = Sequence.objects.filter(entity__in=entities_with(viewer, VIEWS)).select_related("entity", "gateway")
    return seen.annotate(under=under, through=through)


def one_sequence(viewer: Staff, ref: UUID) -> Sequence:
    """Return one sequence. Raises Http404."""
    seen = Sequence.objects.filter(entity__in=entities_with(viewer, VIEWS))
    found = seen.select_related("entity", "gateway", "made_by").filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def versions_of(sequence: Sequence) -> list[Version]:
    """Return its versions, the newest first."""
    rows = sequence.versions.select_related(
        "sequence__entity", "sequence__made_by", "sequence__gateway", "begun_by", "looked"
    )
    return list(rows.order_by("-number"))


def one_step(viewer: Staff, sequence: UUID, ref: UUID) -> Step:
    """Return one step of a sequence. Raises Http404."""
    held = one_sequence(viewer, sequence)
    rows = Step.objects.filter(version__sequence=held).select_related("version__sequence__entity")
    found = rows.filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def ways_of(entity: Entity) -> QuerySet[Gateway]:
    """Return the gateways by which a sequence's messages may go out."""
    return Gateway.objects.filter(entity=entity, channel="email", ended_at=None)


# ---------------------------------------------------------------- in words


@dataclass(frozen=True, kw_only=True)
class Told:
    """A step in words: after how long, what; and what became of it."""

    step: Step
    wait: str
    says: str
    icon: str
    first: bool
    last: bool
    became: Several[tuple[str, str, int]] = ()  # a word, its name, and how many people


ICONS: Final = {Kind.MAIL: "mail", Kind.WORK: "square-check", Kind.CHECK: "split"}


def wait_says(minutes: int) -> str:
    """Return a wait in words."""
    if not minutes:
        return _("at once")
    if minutes % MINUTES["days"] == 0:
        days = minutes // MINUTES["days"]
        return ngettext("after %(n)d day", "after %(n)d days", days) % {"n": days}
    if minutes % MINUTES["hours"] == 0:
        hours = minutes // MINUTES["hours"]
        return ngettext("after %(n)d hour", "after %(n)d hours", hours) % {"n": hours}
    return ngettext("after %(n)d minute", "after %(n)d minutes", minutes) % {"n": minutes}


def step_says(step: Step) -> str:
    """Return in words what a step does."""
    if step.kind == Kind.WORK:
        return _("give us something to do: %(what)s") % {"what": step.says}
    if step.kind == Kind.CHECK:
        return _("go on only if: %(what)s") % {"what": step.only_if}
    content = Content.from_json(step.content) if step.content else None
    subject = content.wordings[content.language].subject if content and content.language in content.wordings else ""
    return _("send “%(subject)s”") % {"subject": subject} if subject else _("send a message that is not written yet")


def when_says(version: Version) -> str:
    """Return in words what begins a version."""
    trigger = trigger_of(version)
    try:
        return trigger.says(version) if trigger else ""
    except (BadRequest, ValueError):
        return _("somebody comes to be on a list that cannot be read any more")


def unless_says(version: Version) -> list[str]:
    """Return in words what ends it early, beside a no, which always does."""
    told = [str(CHOSEN[name][0]) for name in version.exits if name in CHOSEN]
    return [*told, *([version.unless] if version.unless else [])]


def steps_told(version: Version) -> list[Told]:
    """Return the steps in words, with what became of each."""
    steps = list(version.steps.order_by("place"))
    became = _became(steps)
    return [
        Told(
            step=one, wait=wait_says(one.wait), says=step_says(one), icon=ICONS[Kind(one.kind)], first=number == 0,
            last=number == len(steps) - 1, became=became.get(one.ref, ()),
        )
        for number, one in enumerate(steps)
    ]  # fmt: skip


WHAT: Final = {
    "work": gettext_lazy("given to us"),
    "on": gettext_lazy("went on"),
    "late": gettext_lazy("too late, not sent"),
}


def _became(steps: Several[Step]) -> dict[UUID, list[tuple[str, str, int]]]:
    counted: dict[UUID, Counter[tuple[str, str]]] = {one.ref: Counter() for one in steps}
    taken = Taken.objects.filter(step__in=steps).exclude(what="sent").values_list("step", "what")
    for step, what, many in taken.annotate(many=Count("*")).order_by():
        counted[step][what, str(WHAT.get(what, what))] += many
    messages = Message.objects.filter(dispatch__about__in=list(counted)).values_list("dispatch__about", "stage")
    for step, stage, many in messages.annotate(many=Count("*")).order_by():
        counted[step][stage, str(Stage(stage).label)] += many
    return {step: [(*word, many) for word, many in sorted(told.items())] for step, told in counted.items()}


# ---------------------------------------------------------------- who is in it


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One person in one sequence, in words."""

    enrolment: Enrolment
    says: str
    why: str
    following: str


def states_of(sequence: Sequence) -> list[tuple[str, str, int]]:
    """Return how many people are where: the word, its name, how many."""
    rows = Enrolment.objects.filter(sequence=sequence).exclude(why="before").values_list("state")
    counted = dict(rows.annotate(many=Count("*")).order_by())
    return [(state.value, str(state.label), counted[state.value]) for state in Under if counted.get(state.value)]


def why_left(sequence: Sequence) -> list[tuple[str, int]]:
    """Return why people left, and how many."""
    left = Enrolment.objects.filter(sequence=sequence, state=Under.LEFT).exclude(why="before").values_list("why")
    counted = left.annotate(many=Count("*")).order_by("-many")
    return [(str(WHY.get(why, why)), many) for why, many in counted]


def of_person(viewer: Staff, entity: Entity, person: UUID) -> list[Standing]:
    """Return in which sequences somebody is, or was; nothing for whoever may not see sequences."""
    if entity.ref not in entities_with(viewer, VIEWS):
        return []
    rows = Enrolment.objects.filter(entity=entity, person=person).exclude(why="before")
    held = rows.select_related("sequence", "step").order_by("-begun_at", "-ref")[:20]
    return [
        Standing(
            enrolment=one, says=str(Under(one.state).label), why=str(WHY.get(one.why, one.why)) if one.why else "",
            following=step_says(one.step) if one.step else "",
        )
        for one in held
    ]  # fmt: skip


def one_enrolment(viewer: Staff, person: UUID, ref: UUID) -> Enrolment:
    """Return one person's place in one sequence. Raises Http404."""
    seen = Enrolment.objects.filter(entity__in=entities_with(viewer, VIEWS), person=person)
    found = seen.select_related("entity", "sequence").filter(ref=ref).first()
    if found is None:
        raise Http404
    return found


def errands_of(entity: UUID, person: UUID) -> QuerySet[Errand]:
    """Return what we are to do about somebody."""
    return Errand.objects.filter(entity=entity, person=person, done_at=None).select_related("step__version__sequence")


def open_errands(entities: Several[UUID]) -> QuerySet[Errand]:
    """Return what sequences gave us to do, the oldest first."""
    return Errand.objects.filter(entity__in=entities, done_at=None).select_related("step").order_by("made_at", "ref")


def one_errand(viewer: Staff, person: UUID, ref: UUID) -> Errand:
    """Return one errand. Raises Http404."""
    found = Errand.objects.filter(entity__in=entities_with(viewer, "errand.settle"), person=person, ref=ref).first()
    if found is None:
        raise Http404
    return found


# ---------------------------------------------------------------- the words, and a second person


def lint_of(version: Version) -> dict[int, Looked]:
    """Look through the words of each message as those whom the law permits would get them: by the step's place."""
    sender = sender_of(version.sequence.entity)
    readers = readers_of(version.looked, sender.language) if version.looked else [Readers(places=frozenset({
        version.sequence.entity.place}), language=sender.language)]  # fmt: skip
    return {
        one.place: look_over(
            content=Content.from_json(one.content), readers=readers, sender=sender, links=EXAMPLE_LINKS,
            day=timezone.localdate(),
        )
        for one in version.steps.filter(kind=Kind.MAIL) if one.content
    }  # fmt: skip


def found_in(version: Version) -> tuple[list[tuple[int, Found]], list[tuple[int, NotMade]]]:
    """Return what was found in the words, step by step, and for whom none can be made."""
    looked = lint_of(version)
    found = [(place, one) for place, each in looked.items() for one in each.found]
    return found, [(place, one) for place, each in looked.items() for one in each.not_made]


def lint_reasons(version: Version) -> list[str]:
    """Return why the words keep a version from beginning; nothing where they do not."""
    if version.looked is None:
        return [_("Look at whom it may reach: the words are looked through as these would get them.")]
    if not all(each.cleared(version.ticks) for each in lint_of(version).values()):
        return [_("Look through the findings about the words: some must be mended, or ticked.")]
    return []


def approval_of(version: Version) -> Approval | None:
    """Return the last request to a second person about just what this version is now."""
    from comity.outreach.sequences.actions import APPROVED, request_of

    asked = Approval.objects.filter(kind=APPROVED, digest=digest(APPROVED, request_of(version)))
    return asked.order_by("-asked_at").first()


def in_words(approval: Approval) -> Iterator[tuple[_StrPromise, object]]:
    """Say a version that waits for a second person in words, line by line."""
    told = approval.request
    yield gettext_lazy("Entity"), told.get("entity", "")
    yield gettext_lazy("Purpose"), told.get("purpose", "")
    rows = Version.objects.filter(sequence__ref=str(told.get("sequence")), number=int(str(told.get("version") or 0)))
    version = rows.select_related("sequence__entity", "sequence__made_by").first()
    if version is None:
        return
    yield gettext_lazy("Sequence"), version.sequence.name
    yield gettext_lazy("When"), when_says(version)
    yield gettext_lazy("Then"), " · ".join(f"{one.wait}: {one.says}" for one in steps_told(version))
    yield gettext_lazy("Unless"), " · ".join(unless_says(version)) or "–"
