"""Whether somebody may be called now: what the law says, how fresh the registers are, what their clock shows.

Asked when the page is opened, and again, for the record, at the moment in which the number is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.book.opening import GIVEN_BY_PURPOSE
from comity.book.reaching import points_by
from comity.counsel.asking import Answer
from comity.counsel.facts import gather
from comity.counsel.questions import Question
from comity.law import SHIPPED
from comity.law.hours import Clocks, Hours, NoHour, read_clocks
from comity.outreach.calls.models import Call
from comity.outreach.campaigns.models import Imprint
from comity.outreach.campaigns.writing import sender_of
from comity.outreach.composing.content import Content, NotComposed, Wording, prepare
from comity.outreach.composing.parties import Recipient, Told
from comity.outreach.composing.scripts import CallScript, compose_call_script
from comity.outreach.composing.ways import Unmet, to_see_to
from comity.outreach.origins.queries import came_of, told_where_from, words_for
from comity.post.pacing.timing import often_enough_until

if TYPE_CHECKING:
    from comity.book.models import Person
    from comity.law.obligations import Merged
    from comity.staff.models import Entity, Staff

CHANNEL: Final = "call"
HOURS, REGISTER, LIMIT = "calling-hours", "register-check", "call-limit"
SEEN_TO: Final = frozenset({HOURS, REGISTER, LIMIT, "keep-call-records"})
"""Obligations that are looked after here: the hour, the registers, the number of calls; each call is kept."""
ORIGIN: Final = "origin-notice"


@cache
def clocks() -> Clocks:
    """Return by which clocks people live, read once a process."""
    return read_clocks(SHIPPED)


def question_of(entity: UUID, purpose: str) -> Question:
    """Return what the law is asked about a call."""
    return Question(
        operation="contact", purpose=purpose, channel=CHANNEL, entity=entity, more=GIVEN_BY_PURPOSE.get(purpose, {})
    )


@dataclass(frozen=True, kw_only=True)
class Register:
    """What do-not-call registers say of the number: whether it stands in one, and of which day that answer is."""

    found: bool | None
    on: date | None
    days: int | None
    most: int | None  # days that the law lets the answer be old

    @property
    def fresh(self) -> bool:
        """Whether the answer is known, and new enough for the law."""
        return self.found is not None and self.days is not None and (self.most is None or self.days <= self.most)

    @property
    def says(self) -> str:
        """What a page says of it."""
        if self.found is None or self.on is None or self.days is None:
            return _("The number was looked for in no register of ours that counts where they may live.")
        there = _("It stands in a register.") if self.found else _("It stands in no register.")
        age = ngettext("Looked for %(n)d day ago.", "Looked for %(n)d days ago.", self.days) % {"n": self.days}
        return f"{there} {age}"


@dataclass(frozen=True, kw_only=True)
class Dial:
    """All that is to be known before somebody is called. `stops` say why not now; if there are none, it may be done."""

    answer: Answer
    register: Register
    clock: Sequence[tuple[str, str]]
    hours: str
    stops: Sequence[str]
    script: CallScript | None
    lacks_origin: bool = False  # it must be said from whom we have them, and nobody knows


def register_of(person: UUID, question: Question, obligations: Sequence[Merged], day: date) -> Register:
    """Return what registers say of the number that would be dialled."""
    facts: Mapping[str, Any] = gather(question, [person], day).get(person, {})
    on = facts.get("person.register_checked_on")
    wanted = next((one for one in obligations if one.kind == REGISTER), None)
    most = wanted.parameters.get("max_age_days") if wanted else None
    return Register(
        found=facts.get("person.on_register"), on=on, days=(day - on).days if on else None,
        most=int(str(most)) if most is not None else None,
    )  # fmt: skip


def local_times(home: str, at: datetime) -> list[tuple[str, str]]:
    """Return what clocks show where somebody may live, each hour once; nothing where that, or a clock, is not known.

    In words: a template would turn a time into that of whoever looks.
    """
    try:
        zones = {zone for place in filter(None, home.split("|")) for zone in clocks().zones_of(place)}
    except NoHour:
        return []
    shown: dict[str, tuple[str, str]] = {}
    for zone in sorted(zones):
        there = at.astimezone(ZoneInfo(zone))
        shown.setdefault(there.strftime("%Y-%m-%d %H:%M"), (zone, there.strftime("%H:%M")))
    return [shown[each] for each in sorted(shown)]


def look_before(*, person: Person, entity: Entity, purpose: str, answer: Answer, staff: Staff, at: datetime) -> Dial:
    """Return what is to be known before somebody is called, with whatever stops it beside the law itself."""
    obligations = answer.decision.finding.obligations
    question, day = question_of(entity.ref, purpose), timezone.localdate()
    register = register_of(person.ref, question, obligations, day)
    kinds = {one.kind: one for one in obligations}
    stops = [
        *([] if points_by(CHANNEL, [person.ref]) else [_("There is no number to call.")]),
        *_of_register(kinds, register), *_of_hours(kinds, person, at),
        *(_of_limit(kinds, person, entity, at) or _of_pace(person, entity, purpose, answer, at)),
    ]  # fmt: skip
    left = _left(obligations, person.ref, entity.ref)
    script, why = _script(person, entity, staff, left)
    return Dial(
        answer=answer, register=register, clock=local_times(person.home, at), hours=_said(kinds.get(HOURS)),
        stops=[*stops, *([why] if why else [])], script=script,
        lacks_origin=any(one.kind == ORIGIN for one in left) and not came_of(person.ref, entity),
    )  # fmt: skip


def _left(obligations: Sequence[Merged], person: UUID, entity: UUID) -> list[Merged]:
    told = told_where_from([person], entity)
    return [one for one in obligations if not (one.kind == ORIGIN and told)]


def _of_register(kinds: Mapping[str, Merged], register: Register) -> list[str]:
    if REGISTER not in kinds or register.fresh:
        return []
    return [_("The registers must be looked through again first: a privacy officer brings in their latest version.")]


def _of_hours(kinds: Mapping[str, Merged], person: Person, at: datetime) -> list[str]:
    if HOURS not in kinds:
        return []
    try:
        soonest = clocks().soonest(Hours.of(kinds[HOURS].parameters), filter(None, person.home.split("|")), at)
    except NoHour as error:
        return [_("Nobody knows at which hour: %(why)s.") % {"why": error}]
    if soonest == at:
        return []
    when = timezone.localtime(soonest)
    told = {"day": date_format(when), "hour": time_format(when)}
    return [_("Not at this hour: from %(day)s, %(hour)s of your clock on.") % told]


def _of_limit(kinds: Mapping[str, Merged], person: Person, entity: Entity, at: datetime) -> list[str]:
    if LIMIT not in kinds:
        return []
    said = kinds[LIMIT].parameters
    most, window = said.get("attempts"), said.get("window_days")
    if most is None or window is None:
        return []
    before = Call.objects.filter(
        person=person.ref, entity=entity, begun_at__gt=at - timedelta(days=int(str(window)))
    ).count()
    if before < int(str(most)):
        return []
    told = {"n": before, "days": window, "most": most}
    return [_("They were called %(n)d times within %(days)s days; the law lets it be %(most)s.") % told]


def _of_pace(person: Person, entity: Entity, purpose: str, answer: Answer, at: datetime) -> list[str]:
    """Say until when they heard from us often enough: calls and texts count together, and what the house wants."""
    until = often_enough_until(
        decision=answer.decision, person=person.ref, entity=entity.ref, channel=CHANNEL, purpose=purpose, at=at
    )
    told = {"day": date_format(timezone.localtime(until))} if until else {}
    return [_("They heard from us often enough: not before %(day)s.") % told] if until else []


def _said(hours: Merged | None) -> str:
    if hours is None:
        return ""
    opens, closes = hours.parameters.get("from", "00:00"), hours.parameters.get("until", "24:00")
    return _("%(opens)s to %(closes)s of their clock") % {"opens": opens, "closes": closes}


# ---------------------------------------------------------------- what is said


def _script(
    person: Person, entity: Entity, staff: Staff, obligations: Sequence[Merged]
) -> tuple[CallScript | None, str]:
    """Return what whoever calls says, or why nobody may call: something that must be said is not known."""
    try:
        sender = sender_of(entity)
    except Imprint.DoesNotExist:
        return None, _("Say who calls first: the law wants it said. Settings, Sending.")
    language = person.language or sender.language
    told = words_for({person.ref: person}, entity.ref, {person.ref: language}, sender.language).get(person.ref)
    content = Content(
        language=sender.language, form="call",
        wordings={sender.language: Wording(body=_("(Say what you call about.)"))},
    )  # fmt: skip
    try:
        script = compose_call_script(
            content=prepare(content), sender=_called_by(sender, staff), obligations=obligations,
            recipient=Recipient(address="", language=language, place=person.home.partition("|")[0]),
            told=Told(origin=told), seen_to=[one.kind for one in to_see_to(obligations) if one.kind in SEEN_TO],
        )  # fmt: skip
    except Unmet as error:
        return None, f"{error.says} {error.why}"
    except NotComposed as error:
        return None, str(error)
    return script, ""


def _called_by(sender: Any, staff: Staff) -> Any:  # noqa: ANN401 - a Sender
    from dataclasses import replace

    return replace(sender, caller=staff.name)
