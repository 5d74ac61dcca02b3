"""What a message becomes by each channel: an e-mail, a text, values for a template, a row for who calls or prints.

A channel says what must be opened of a person, which obligations go on to whoever works off a row, and how the letter
is made. Fax and automated calls have no way out here: nothing is sent by them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from comity.book.facts import REACHED_BY
from comity.book.models import Reach
from comity.consent.suppression.marks import mark_of, spelled
from comity.outreach.composing.letters import Sort, compose_email
from comity.outreach.composing.messenger import compose_template
from comity.outreach.composing.parties import mail_address
from comity.outreach.composing.scripts import compose_call_script, compose_letter
from comity.outreach.composing.short_messages import compose_sms
from comity.post.letters import Letter
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from uuid import UUID

    from comity.consent.suppression.marks import Mark
    from comity.law.obligations import Merged
    from comity.outreach.composing.content import Prepared
    from comity.outreach.composing.parties import Links, Recipient, Sender, Told
    from comity.outreach.inbound.marks import Marked
    from comity.post.models import Message


@dataclass(frozen=True, kw_only=True)
class Case:
    """One message to one person: all that it is made of.

    `places` are those in which they may live; `marks` are blank but for an e-mail.
    """

    message: Message
    point: UUID
    places: Sequence[str]
    content: Prepared
    recipient: Recipient
    sender: Sender
    obligations: Sequence[Merged]
    links: Links
    seen_to: Sequence[str]
    marks: Marked
    told: Told | None = None
    sort: Sort = "campaign"
    answers: str = ""

    @property
    def what(self) -> dict[str, Any]:
        """What every composer takes."""
        names = ("content", "recipient", "sender", "obligations", "links", "seen_to", "told")
        return {name: getattr(self, name) for name in names}

    def letter(self, to: str, data: bytes, sender: str = "") -> Letter:
        """Return the letter of this message."""
        return Letter(
            to=to, sender=sender, data=data, point=self.point, ref=self.message.ref, attempt=self.message.tries + 1
        )

    def of(self, kind: str) -> Mapping[str, object]:
        """Return what an obligation says, or nothing."""
        return next((one.parameters for one in self.obligations if one.kind == kind), {})


# ---------------------------------------------------------------- each of them


def _email(case: Case) -> Letter:
    made = compose_email(
        **case.what, ref=case.message.ref, at=timezone.now(), name=case.marks.name, sort=case.sort,
        answers=case.answers,
    )  # fmt: skip
    return case.letter(mail_address(case.recipient.address).addr_spec, made.as_bytes(), case.marks.sender)


def _sms(case: Case) -> Letter:
    made = compose_sms(**_with_number(case).what)
    return case.letter(made.to, made.text.encode())


def _messenger(case: Case) -> Letter:
    made = compose_template(**case.what)
    return case.letter(made.to, made.as_bytes())


def _call(case: Case) -> Letter:
    """Make a row for whoever calls: what to say, and the hours and numbers of attempts that the law leaves them."""
    case = _with_number(case)
    script = compose_call_script(**_on_paper(case).what)
    hours, limit, records = case.of("calling-hours"), case.of("call-limit"), case.of("keep-call-records")
    cells = {
        "ref": case.message.ref, "place": case.recipient.place, "language": case.recipient.language,
        "show-this-number": script.from_number, "days": " ".join(map(str, _listed(hours.get("days")))),
        "from": hours.get("from", ""), "until": hours.get("until", ""), "attempts": limit.get("attempts", ""),
        "in-days": limit.get("window_days", ""), "pause-days": limit.get("pause_days", ""),
        "keep-records-years": records.get("years", ""), "within-seconds": script.seconds or "",
        "opening": " ".join(script.opening), "script": script.words.strip(), "closing": " ".join(script.closing),
    }  # fmt: skip
    return case.letter(case.recipient.address, _row({"to": case.recipient.address, "cells": cells}))


def _post(case: Case) -> Letter:
    """Make a letter to print: its page, and the lines of the address."""
    made = compose_letter(**_on_paper(case).what)
    cells = {f"line-{number}": line for number, line in enumerate(made.to, start=1)}
    page = {
        "language": case.recipient.language, "to": "\n".join(made.to), "subject": made.subject, "text": made.text
    }  # fmt: skip
    told = {
        "to": case.recipient.address, "page": page,
        "cells": {"ref": case.message.ref, "place": case.recipient.place, **cells},
    }  # fmt: skip
    return case.letter(case.recipient.address, _row(told))


def _on_paper(case: Case) -> Case:
    """Name an address for a refusal: nobody copies a link of a hundred letters from paper, or is told one by phone."""
    us = case.sender.email or case.sender.reply_to or case.sender.address
    return replace(case, links=replace(case.links, unsubscribe="", preferences="", unsubscribe_mail=us))


def _row(told: Mapping[str, object]) -> bytes:
    return json.dumps(told, default=str, ensure_ascii=False).encode()


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, tuple | list) else ()


def _with_number(case: Case) -> Case:
    """Write a number with its calling code, as every network takes it. Raises Unclear."""
    number = "+" + spelled(Reach.PHONE, case.recipient.address, places=case.places)
    return replace(case, recipient=replace(case.recipient, address=number))


@dataclass(frozen=True, kw_only=True)
class Channel:
    """How messages go by one channel.

    `opens` are the fields that each needs, whatever the content says; `hands_on` the obligations that stand in the row
    for whoever works it off, who answers for keeping them.
    """

    make: Callable[[Case], Letter]
    opens: tuple[FieldClass, ...] = (FieldClass.CONTACT,)
    hands_on: frozenset[str] = frozenset()
    has_subject: bool = False


CHANNELS: Final[Mapping[str, Channel]] = {
    "email": Channel(make=_email, has_subject=True),
    "sms": Channel(make=_sms),
    "messenger": Channel(make=_messenger, has_subject=True),
    "call": Channel(make=_call, hands_on=frozenset({"calling-hours", "call-limit", "keep-call-records"})),
    "post": Channel(make=_post, opens=(FieldClass.ADDRESS, FieldClass.NAME), has_subject=True),
}
"""Those by which a campaign goes out, by the vocabulary's word."""


def marked(channel: str, address: str, places: Sequence[str]) -> Mark:
    """Return the mark of an address of this channel. Raises Unclear."""
    return mark_of(REACHED_BY[channel], address, places=places)
