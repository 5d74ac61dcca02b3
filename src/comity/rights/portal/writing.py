"""The message with the code: composed at its hand-over, and only then it is looked up whether the address is anybody's.

To an address that nobody of ours has the same message goes, at the same time, by the same way, without a code: it says
that nothing is held under it, and how to ask otherwise. So whoever typed the address learns nothing, and whoever has
the mailbox learns what is true.

INVARIANT: what the law is asked about is the same for every address, so that its answer tells nothing either.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from comity.book.models import Person
from comity.counsel.asking import suppose
from comity.counsel.facts import Columns
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.post.letterheads import Letterhead, letterhead_of
from comity.post.letters import Composed, Later, Letter, Unsendable
from comity.refs import shown
from comity.rights.portal.codes import digits_of
from comity.rights.portal.models import Code
from comity.vault.actions import Opened, open_fields
from comity.vault.recognising import holders_of
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    import psycopg

    from comity.counsel.actions import Decided
    from comity.law.vocabulary import Facts
    from comity.post.models import Dispatch, Message
    from comity.staff.models import Entity

KIND: Final = "portal-code"
PURPOSE: Final = "legal-duty"
ANSWERS: Final[Mapping[str, object]] = {"use.legal_duty": True, "use.in_notice": True}
"""What the message is: part of answering somebody who wants to use a right of theirs."""
SEALED: Final = "portal"
"""The kind of record that is sealed when somebody types an address."""
MENDING: Final = timedelta(minutes=15)
MET: Final = frozenset({
    "sender-identity", "postal-address", "truthful-subject", "keep-consent-proof", "suppression-list",
    "confirm-opt-out", "log-disclosure", "minimum-necessary", "calling-hours", "call-limit",
})  # fmt: skip
"""Obligations that the message meets by how it is made, or that the book and `post.pacing` keep whatever is sent."""


def label_of(ref: UUID) -> Label:
    """Return where an address that somebody typed is sealed."""
    return Label(ref, FieldClass.CONTACT, SEALED, ref)


def code_mail(entity: UUID) -> Question:
    """Return what the law is asked about the message with a code."""
    return Question(operation="contact", purpose=PURPOSE, channel="email", entity=entity, more=ANSWERS)


def told_of(entity: Entity) -> dict[str, object]:
    """Return what is taken of whoever asks for a code: that they speak to us now, where the entity is at home.

    Where they live would have to be looked up, and so would tell whether they are known.
    """
    # BLIND SPOT: whoever lives elsewhere is written to as the law of the entity's own place has it.
    return {
        "person.home": [entity.place], "person.objected": False, "person.opt_out_signal": False,
        "relation.source": "person", "person.age": 30, "person.known_age": 30,
    }  # fmt: skip


def law_permits(entity: Entity, day: date) -> bool:
    """Tell whether the law lets codes go out for this entity."""
    silent = {"consent.opted_out": False, "consent.withdrawn": False}
    found = suppose(question=code_mail(entity.ref), told={**told_of(entity), **silent}, day=day)
    return found.verdict is Verdict.PERMIT and not {one.kind for one in found.finding.obligations} - MET


def people_at(label: Label, entity: UUID) -> list[UUID]:
    """Return everybody in the book of an entity who has the address that is sealed under this label.

    Raises KeyTrouble, BrokenSeal.
    """
    rows = Person.objects.filter(ref__in=holders_of(label), entities__contains=[entity], merged_into=None)
    return sorted(rows.values_list("ref", flat=True))


class CodeWriter:
    """Composes the messages with codes."""

    def question(self, dispatch: Dispatch) -> Question:
        """Return what the law is asked about each of them."""
        return code_mail(dispatch.entity_id)

    def classes(self, _dispatch: Dispatch) -> Sequence[FieldClass]:
        """Return that the address alone is opened."""
        return [FieldClass.CONTACT]

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        """Return a letter to each of them, or why there is none."""
        head = letterhead_of(dispatch.entity)
        if head is None:
            return {message.ref: Later(at=timezone.now() + MENDING, why="sender") for message in messages}
        rows = Code.objects.filter(ref__in=[message.person for message in messages], used_at=None)
        codes = {code.ref: code for code in rows}
        opened = open_fields(warrant=decided.warrant, labels=[label_of(ref) for ref in codes], permitted_only=True)
        return {one.ref: _composed(one, codes.get(one.person), opened, head, decided) for one in messages}


def _composed(
    message: Message, code: Code | None, opened: Mapping[Label, Opened], head: Letterhead, decided: Decided
) -> Composed:  # fmt: skip
    address = str(opened.get(label_of(code.ref), {}).get("email", "")) if code else ""
    if code is None or not address or code.ends_at <= timezone.now():
        return Unsendable(why="gone")
    if {one.kind for one in decided.answers[message.person].decision.finding.obligations} - MET:
        return Unsendable(why="unmet")
    try:
        return _letter(message, code, address, head)
    except (HeaderParseError, ValueError):
        return Unsendable(why="no-such-address")


def _letter(message: Message, code: Code, address: str, head: Letterhead) -> Letter:
    known = bool(people_at(label_of(code.ref), code.entity_id))
    made = EmailMessage(policy=SMTP)
    made["From"] = Address(head.name, addr_spec=head.address)
    made["To"] = Address(addr_spec=_as_relays_take_it(address))
    if head.reply_to:
        made["Reply-To"] = Address(addr_spec=head.reply_to)
    made["Date"] = format_datetime(timezone.now())
    made["Message-ID"] = f"<{shown(message.ref).lower()}@{head.address.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    with translation.override(code.language):
        made["Content-Language"] = code.language
        made["Subject"] = _("Your data at %(firm)s") % {"firm": head.name}
        made.set_content(_words(code, head, known=known))
    return Letter(to=_as_relays_take_it(address), sender=head.address, data=made.as_bytes())


def _as_relays_take_it(address: str) -> str:
    name, _at, domain = address.rpartition("@")
    return f"{name}@{domain.encode('idna').decode('ascii')}"


def _words(code: Code, head: Letterhead, *, known: bool) -> str:
    digits = digits_of(code)
    told = {
        "firm": head.name, "known": known, "code": f"{digits[:4]} {digits[4:]}", "ends_at": code.ends_at,
        "head": head, "stop": absolute(reverse("rights:portal-stop", args=[code.entity_id])),
    }  # fmt: skip
    return render_to_string("rights/portal/code.txt", told)


def absolute(path: str) -> str:
    """Return a path of ours as the world finds it."""
    return f"{settings.ADDRESS.geturl().rstrip('/')}{path}"


# ---------------------------------------------------------------- what the rooms below are told of who asked


HOLD: Final = "SELECT ref FROM rights_code WHERE ref = ANY (%s::uuid[]) AND used_at IS NULL ORDER BY ref FOR SHARE"


def waiting(locks: psycopg.Connection, dispatch: Dispatch, persons: str) -> Collection[UUID]:
    """Return which of these asked for a code, and hold their rows still: none is used or erased meanwhile."""
    if dispatch.kind != KIND:
        return ()
    return [ref for (ref,) in locks.execute(HOLD, [persons]).fetchall()]


TOLD: Final = frozenset({
    "person.home", "person.age", "person.known_age", "person.objected", "person.opt_out_signal", "relation.source",
})  # fmt: skip


def facts_of(question: Question, persons: Sequence[UUID], _day: date) -> Mapping[UUID, Facts]:
    """Return what is taken of those who asked for a code; for this one question, and of nobody else."""
    if question != code_mail(question.entity):
        return {}
    rows = Code.objects.filter(ref__in=list(persons)).select_related("entity")
    return {code.ref: _typed(code.entity) for code in rows}


def _typed(entity: Entity) -> Facts:
    told = told_of(entity)
    return told | {  # type: ignore[return-value]  # typed as the vocabulary has them
        "person.home": frozenset({entity.place}),
        "person.age": (30, 30),
        "person.known_age": (30, 30),
    }


def columns_of(question: Question, _day: date) -> Columns:
    """Say that these are told of one at a time: codes are never decided inside the database."""
    return Columns(facts={}, only_singly=TOLD if question == code_mail(question.entity) else frozenset())
