"""What ends a sequence for somebody before its end: looked at before each step, from the rows as they are then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from comity.book.models import Activity, Doing, Person, Relation
from comity.consent.models import Standing
from comity.outreach.sequences.models import Enrolment, Taken, Version
from comity.outreach.sequences.triggers import LISTED, look_for, people_of
from comity.post.models import Message, Stage

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

Leaves = Callable[[Version, Sequence[Enrolment]], Collection[UUID]]
"""Who of these leaves: their persons."""
LAWFUL: Final = frozenset({"law", "ask", "suppressed", "gone", "role"})
"""Why a message was not sent, so that no later one is."""


def _withdrew(version: Version, under: Sequence[Enrolment]) -> set[UUID]:
    """Return who said no to this purpose, or objected to advertising, or died, or is not here any more."""
    persons = [one.person for one in under]
    noes = Standing.objects.filter(
        Q(withdrawn=True) | Q(opted_out_on__isnull=False), person__in=persons, entity=version.entity_id,
        purpose=version.sequence.purpose, channel__in=["email", "none"],
    )  # fmt: skip
    held = Person.objects.filter(ref__in=persons, merged_into=None, deceased_at=None, restricted_at=None)
    if version.sequence.purpose in {"marketing", "ask-consent"}:
        held = held.filter(objected_at=None, opt_out_signal_at=None)
    return set(noes.values_list("person", flat=True)) | (set(persons) - set(held.values_list("ref", flat=True)))


def _refused(_version: Version, under: Sequence[Enrolment]) -> set[UUID]:
    """Return whose last message the law refused, or the gateway: no later one is sent."""
    return {person for person, (stage, why) in last_messages(under).items() if _is_over(stage, why)}


def _is_over(stage: str, why: str) -> bool:
    return stage in {Stage.FAILED, Stage.STOPPED} or (stage == Stage.REFUSED and why in LAWFUL)


def last_messages(under: Sequence[Enrolment]) -> dict[UUID, tuple[str, str]]:
    """Return where the last message to each of these people is, and why."""
    sent = Taken.objects.filter(enrolment__in=under, dispatch__isnull=False).order_by("at")
    last = {one.enrolment_id: one.dispatch for one in sent}
    of = {(last[one.ref], one.person) for one in under if one.ref in last}
    rows = Message.objects.filter(dispatch__in=list(last.values())).values_list("dispatch", "person", "stage", "why")
    return {person: (stage, why) for dispatch, person, stage, why in rows if (dispatch, person) in of}


def _in_touch(version: Version, under: Sequence[Enrolment]) -> set[UUID]:
    return _since(version, under, [Doing.CALL, Doing.MAIL, Doing.MEETING])


def _bought(version: Version, under: Sequence[Enrolment]) -> set[UUID]:
    began = {one.person: one.begun_at.date() for one in under}
    sold = Relation.objects.filter(person__in=list(began), entity=version.entity_id, last_purchase_on__isnull=False)
    later = {person for person, day in sold.values_list("person", "last_purchase_on") if day and day > began[person]}
    return later | _since(version, under, [Doing.ORDER])


def _since(version: Version, under: Sequence[Enrolment], doings: Sequence[Doing]) -> set[UUID]:
    began = {one.person: (one.begun_at, one.cause) for one in under}
    done = Activity.objects.filter(person__in=list(began), entity=version.entity_id, doing__in=doings)
    rows = done.filter(at__gt=min(at for at, _cause in began.values())).values_list("person", "at", "ref")
    return {person for person, at, ref in rows if at > began[person][0] and str(ref) != began[person][1]}


def _off_list(version: Version, under: Sequence[Enrolment]) -> set[UUID]:
    listed = [one.person for one in under if one.cause == LISTED]
    if not listed:
        return set()
    there = people_of(version, look_for(version)).filter(ref__in=listed).values_list("ref", flat=True)
    return set(listed) - set(there)


ALWAYS: Final[Mapping[str, Leaves]] = {"withdrew": _withdrew, "refused": _refused}
"""What ends every sequence: nobody chooses these."""
CHOSEN: Final[Mapping[str, tuple[_StrPromise, Leaves]]] = {
    "in-touch": (_("one of us was in touch with them: a call, a mail, a meeting"), _in_touch),
    "bought": (_("they bought something"), _bought),
    "off-list": (_("they are not on the list any more"), _off_list),
}
"""What ends a sequence where its maker says so."""
WHY: Final[Mapping[str, _StrPromise]] = {
    "withdrew": _("They said no, or are not in the book any more."), "refused": _("The message before was not sent."),
    "unless": _("The condition holds, or it cannot be told."), "check": _("The condition for going on did not hold."),
    "profile": _("The law does not let us choose them by what we know of them."),
    "stopped": _("One of us took them out."), "replied": _("They answered."), "before": _("They were there before."),
    "merged": _("They were made one with another person."), "gone": _("The sequence was stopped."),
    "put-back": _("The database was put back to an earlier day; nobody knows what they got since."),
    **{name: says for name, (says, _leaves) in CHOSEN.items()},
}  # fmt: skip
"""Why somebody left, in words."""


def leaving(version: Version, under: Sequence[Enrolment]) -> dict[UUID, str]:
    """Return who of these people leaves, with a word why; the law's reasons first."""
    looked = [*ALWAYS.items(), *((name, CHOSEN[name][1]) for name in version.exits if name in CHOSEN)]
    gone: dict[UUID, str] = {}
    for why, leaves in looked:
        for person in leaves(version, under) if under else ():
            gone.setdefault(person, why)
    return gone
