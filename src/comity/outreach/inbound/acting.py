"""Acting on what came back. It needs no leave of the law: to take a no is what every law asks.

A report or an answer is of the message whose mark it bears. Without one nothing is shut and nothing taken back, but
for a no from an address, which anybody may have left alone (as by the page for whoever has no link). What follows is in
one transaction with the arrival, under the locks that every no takes: persons, then standing rows, then addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from comity.book.facts import REACHED_BY
from comity.book.models import Activity, Doing, Person
from comity.consent.actions import MARKETING, About
from comity.consent.models import Standing
from comity.consent.preferences.actions import refuse
from comity.consent.suppression.actions import suppress
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.consent.suppression.models import Cause
from comity.counsel.questions import ADVERTISING
from comity.ledger.actions import record
from comity.outreach.inbound.marks import message_of
from comity.outreach.sequences.actions import leave_all
from comity.post.inbound.bounces import Sort, Told
from comity.post.inbound.models import Addressed, Arrival, Did, Inbox
from comity.post.inbound.models import Sort as WayIn
from comity.post.inbound.understanding import Came, Heard
from comity.refs import new_ref
from comity.vault.actions import NoKey, seal
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.staff.models import Entity, Staff

SOFT_MOST: Final = 4
"""Messages in a row that bounced for passing reasons, after which an address counts as one that bounces for ever."""
SOFT_WITHIN: Final = timedelta(days=30)
LONGEST_KEPT: Final = 8_000
ALSO_STOPPED: Final = {"sms": ("sms", "autocall")}
"""Channels that a STOP ends for the number: one to a text ends automatic calls to it as well, on the strict side of
47 CFR 64.1200(a)(10), whose rule about unrelated messages is waived until 2027-01-31."""
SAYS: Final = {
    Came.STOP: "By reply", Came.MAYBE: "By reply, read by staff", Came.REFUSAL: "By their mail program",
    Came.COMPLAINT: "Reported as spam",
}  # fmt: skip
"""How it was said, as the history keeps it."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """Whose it is: the address, what it was written to for, and everybody whom it reached there."""

    mark: Mark
    persons: Sequence[UUID] = ()
    message: UUID | None = None
    purpose: str = MARKETING
    channel: str = "email"


def hear(inbox: Inbox, heard: Heard, arrival: Arrival) -> None:
    """Act on what came, and write into the arrival whose it is and what was done."""
    known = _by_message(inbox, heard) or _by_sender(inbox, heard)
    if known:
        arrival.message, arrival.reach, arrival.digest = known.message, known.mark.reach, known.mark.digest
        arrival.person = known.persons[0] if len(known.persons) == 1 else None
    ACTS.get(Came(heard.came), _note)(inbox, heard, arrival, known)


# ---------------------------------------------------------------- whose it is


def _by_message(inbox: Inbox, heard: Heard) -> Known | None:
    ref = heard.message if inbox.sort == WayIn.HOOK and heard.message else None
    ref = ref or message_of(heard.marks, refusing=heard.came is Came.REFUSAL)
    row = Addressed.objects.filter(message=ref, entity=inbox.entity).first() if ref else None
    if row is None:
        return None
    mark = Mark(row.reach, bytes(row.digest))
    return Known(mark=mark, persons=_now([row.person]), message=row.message, purpose=row.purpose, channel=row.channel)


def _by_sender(inbox: Inbox, heard: Heard) -> Known | None:
    """Return whom an answer is from by its address alone. What servers say needs a mark: anybody can write it."""
    if heard.came in {Came.BOUNCE, Came.COMPLAINT} or not heard.sender:
        return None
    try:
        mark = mark_of(REACHED_BY.get(inbox.channel, "email"), heard.sender)
    except Unclear:
        return None
    written = Addressed.objects.filter(entity=inbox.entity, reach=mark.reach, digest=mark.digest)
    last = written.filter(channel=inbox.channel).order_by("-at").first()
    persons = written.values_list("person", flat=True).distinct()[:50] if _may_be_believed(inbox) else ()
    purpose = last.purpose if last else MARKETING
    return Known(mark=mark, persons=_now(persons), purpose=purpose, channel=inbox.channel)


def _may_be_believed(inbox: Inbox) -> bool:
    """Say whether a sender is who it says: a gateway that signs knows the number, the From of a mail anybody writes."""
    return inbox.sort == WayIn.HOOK


def _now(persons: Collection[UUID]) -> list[UUID]:
    """Return who these persons are now: who was made one with another is the other, who is gone is nobody."""
    found = set(persons)
    for _step in range(5):
        rows = dict(Person.objects.filter(ref__in=found).values_list("ref", "merged_into"))
        found = {into or ref for ref, into in rows.items()}
        if not any(rows.values()):
            break
    return sorted(found)


# ---------------------------------------------------------------- servers


def _bounce(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    told = _of_ours(heard.told, known)
    arrival.outcome, arrival.code = told.sort.value, told.code
    if known is None or known.message is None:
        arrival.did, arrival.digest, arrival.person = Did.UNMATCHED, None, None
    elif told.sort is Sort.HARD:
        _shut(inbox.entity, known, arrival)
    elif told.sort is Sort.SOFT:
        arrival.did = Did.COUNTED
        if _passing(arrival, known) >= SOFT_MOST:
            _shut(inbox.entity, known, arrival)


def _of_ours(told: Sequence[Told], known: Known | None) -> Told:
    """Return what is told of the address we wrote to; of several others, as of a list, the mildest."""
    for one in told:
        if known and one.address and _is(known.mark, one.address):
            return one
    mildest = [Sort.DELIVERED, Sort.PASSED_ON, Sort.DELAYED, Sort.OURS, Sort.SOFT, Sort.HARD]
    return min(told, key=lambda one: mildest.index(one.sort), default=Told(address="", sort=Sort.SOFT))


def _is(mark: Mark, address: str) -> bool:
    try:
        return mark_of(mark.reach, address) == mark
    except Unclear:
        return False


def _passing(arrival: Arrival, known: Known) -> int:
    """Count the messages to this address that bounced for passing reasons since one was delivered, this one too."""
    of_it = Arrival.objects.filter(entity=arrival.entity_id, digest=known.mark.digest, reach=known.mark.reach)
    delivered = of_it.filter(outcome=Sort.DELIVERED).aggregate(last=Max("occurred_at"))["last"]
    since = max(filter(None, [delivered, timezone.now() - SOFT_WITHIN]))
    soft = of_it.filter(outcome=Sort.SOFT, occurred_at__gt=since).exclude(ref=arrival.ref)
    others: int = soft.exclude(message=known.message).values("message").distinct().count()
    return others + int(arrival.occurred_at > since)


def _shut(entity: Entity, known: Known, arrival: Arrival) -> None:
    source = f"Bounced{f', {arrival.code}' if arrival.code else ''}"
    suppress(entity=entity, marks=[known.mark], cause=Cause.BOUNCED, source=source, since=arrival.occurred_at)
    arrival.did = Did.SHUT


# ---------------------------------------------------------------- a no


def _no(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    """Take a no: from whom we wrote to, or at least for the address; what is nobody's, a human reads."""
    if known is None:
        arrival.did, arrival.waits = (Did.UNMATCHED, False) if heard.came is Came.COMPLAINT else (Did.UNPLACED, True)
        return
    at = arrival.occurred_at if inbox.sort == WayIn.HOOK else timezone.now()
    take_no(entity=inbox.entity, known=known, came=Came(heard.came), at=at)
    arrival.did = Did.STOPPED if known.persons else Did.LEFT_ALONE


def take_no(*, entity: Entity, known: Known, came: Came, at: datetime, heard_by: Staff | None = None) -> None:
    """Record a no of everybody who is reached there, for this channel, and leave the address alone for advertising.

    It is a withdrawal as by a link: under the same locks, and with what we owe since then. Whoever reports a message
    about an order as spam objects to advertising, and still gets their invoices.
    """
    also = {known.purpose} if came is not Came.COMPLAINT or known.purpose in ADVERTISING else set[str]()
    source = f"{SAYS[came]}, {known.channel}"
    for person in Person.objects.select_for_update(of=("self",)).filter(ref__in=known.persons).order_by("ref"):
        for purpose in sorted({*also, *_purposes(person, entity, known)}):
            about = About(person=person.ref, entity=entity, purpose=purpose, channel=known.channel)
            refuse(about, source, at, heard_by=heard_by)
    cause = Cause.COMPLAINED if came is Came.COMPLAINT else Cause.OPTED_OUT
    channels = ALSO_STOPPED.get(known.channel, (known.channel,))
    purposes = sorted({*ADVERTISING, *also})
    suppress(
        entity=entity,
        marks=[known.mark],
        cause=cause,
        source=source,
        since=at,
        purposes=purposes,
        channels=channels,
        added_by=heard_by,
    )


def _purposes(person: Person, entity: Entity, known: Known) -> list[str]:
    """Return what their no ends whatever was written for: marketing, and advertising about which something stands."""
    rows = Standing.objects.filter(person=person.ref, entity=entity, channel=known.channel, purpose__in=ADVERTISING)
    return [MARKETING, *rows.values_list("purpose", flat=True)]


# ---------------------------------------------------------------- answers


def _maybe(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    """Hold advertising to this address until somebody has read the answer."""
    arrival.waits, arrival.did = True, Did.HELD if known else Did.UNPLACED
    _keep(inbox, heard, arrival)


def _asks(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    """Let somebody answer. To want it back is no yes: nobody was shown what they would agree to."""
    del known
    arrival.waits, arrival.did = True, Did.NOTED
    _keep(inbox, heard, arrival)


def _answer(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    del known
    _keep(inbox, heard, arrival)
    if arrival.did != Did.KEPT:
        arrival.did, arrival.waits = Did.UNPLACED, True


def _keep(inbox: Inbox, heard: Heard, arrival: Arrival) -> None:
    """Keep an answer with the one person whom it is of, sealed as all that is said with them.

    Whoever answers hears no more from sequences: somebody of ours goes on with them.
    """
    if arrival.person is None:
        return
    row = Activity(
        ref=new_ref(), person_id=arrival.person, entity=inbox.entity, at=arrival.occurred_at,
        doing=Doing.MAIL if inbox.channel == "email" else Doing.NOTE,
    )  # fmt: skip
    text = "\n\n".join(part for part in (heard.subject, heard.text) if part)[:LONGEST_KEPT]
    try:
        row.save(force_insert=True)
        seal(label=Label(row.person_id, FieldClass.NOTE, "activity", row.ref), fields={"text": text})
    except NoKey:  # they are being erased
        row.delete()
        arrival.person = None
        return
    record(kind="outreach.answer-kept", staff=None, persons=[arrival.person], body={"activity": row.ref})
    leave_all(person=row.person_id, entity=inbox.entity_id)
    if arrival.did == Did.NOTED:
        arrival.did = Did.KEPT


def _unknown(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    del inbox, heard, known
    arrival.did, arrival.waits = Did.UNPLACED, True


def _note(inbox: Inbox, heard: Heard, arrival: Arrival, known: Known | None) -> None:
    del inbox, heard, known
    arrival.did = Did.NOTED


Act = Callable[[Inbox, Heard, Arrival, Known | None], None]
ACTS: Final[dict[Came, Act]] = {
    Came.BOUNCE: _bounce, Came.COMPLAINT: _no, Came.REFUSAL: _no, Came.STOP: _no, Came.MAYBE: _maybe,
    Came.START: _asks, Came.HELP: _asks, Came.ANSWER: _answer, Came.UNKNOWN: _unknown,
}  # fmt: skip
