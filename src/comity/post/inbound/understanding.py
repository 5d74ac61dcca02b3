"""What came, understood as far as it can be: a bounce, a complaint, a refusal, an answer. Nothing here acts on it."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from comity.post.inbound.answers import Meaning, is_automatic, meaning_of, typed
from comity.post.inbound.bounces import ADDRESS, Told, occurred, read_report
from comity.post.inbound.complaints import read_complaint
from comity.post.inbound.marking import find_marks
from comity.post.inbound.mime import LARGEST, Part, moment, read, words_of

log = logging.getLogger(__name__)

SEARCHED: Final = 1 << 18
"""Bytes in which marks are looked for beyond the headers where they belong."""
ADDRESSED: Final = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-rcpt-to", "to", "cc")
ANSWERED: Final = ("in-reply-to", "references")
RETURNED: Final = ("message-id", "return-path", "x-original-return-path", "list-unsubscribe")
POINTED: Final = re.compile(r"<([^<>]{3,320})>")
LONGEST_KEPT: Final = 20_000


class Came(StrEnum):
    """What something that came is."""

    BOUNCE = "bounce"  # what a server says became of a message, whatever it says
    COMPLAINT = "complaint"
    REFUSAL = "refusal"  # by a mail program, for its owner: List-Unsubscribe
    STOP = "stop"
    MAYBE = "maybe"
    START = "start"
    HELP = "help"
    ANSWER = "answer"  # something else that somebody wrote
    MACHINE = "machine"  # written by a program: nobody's answer
    UNKNOWN = "unknown"  # kept for a human
    ACCEPTED = "accepted"  # of a gateway: nothing to do


OF_MEANING: Final = {
    Meaning.STOP: Came.STOP, Meaning.MAYBE: Came.MAYBE, Meaning.START: Came.START, Meaning.HELP: Came.HELP,
    Meaning.OTHER: Came.ANSWER,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Something that came, as it was understood. What names somebody is shown in no log."""

    came: Came
    key: bytes  # by which it is known again
    marks: tuple[str, ...] = ()  # what has the shape of one of ours, the likeliest first
    message: UUID | None = None  # the one that a gateway names, which has signed it
    told: tuple[Told, ...] = field(default=(), repr=False)  # of a bounce
    sender: str = field(default="", repr=False)  # who wrote it, as it says itself
    subject: str = field(default="", repr=False)
    text: str = field(default="", repr=False)  # of an answer: what they typed
    at: datetime | None = None  # when it happened, as it says itself


def understand(raw: bytes) -> Heard:
    """Return what a message is. Nothing is raised, whatever it is made of."""
    try:
        message = read(raw)
        key = key_of(raw, message)
        return _report(message, raw, key) or _written(message, key)
    except (
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
        ArithmeticError,
    ):  # a kind of broken that nobody foresaw
        log.exception("A message could not be understood; it is kept for a human.")
        return Heard(came=Came.UNKNOWN, key=hashlib.sha256(raw).digest())


def key_of(raw: bytes, message: Part) -> bytes:
    """Return by what a message is known again: its Message-ID and its contents, without the trace of its way here."""
    named = message.heads.get("message-id", ("",))[0]
    return hashlib.sha256(named.encode("utf-8", "replace") + b"\0" + (message.body or raw[:LARGEST])).digest()


# ---------------------------------------------------------------- of servers


def _report(message: Part, raw: bytes, key: bytes) -> Heard | None:
    complaint = read_complaint(message)
    if complaint:
        marks = _marks(message, complaint.about, raw)
        came = Came.COMPLAINT if complaint.is_no else Came.MACHINE
        return Heard(came=came, key=key, marks=marks, at=moment(message.head("date")))
    report = read_report(message)
    if report is None:
        return None
    at = moment(occurred(message)) or moment(message.head("date"))
    return Heard(came=Came.BOUNCE, key=key, marks=_marks(message, report.about, raw), told=report.told, at=at)


def _marks(message: Part, about: Part | None, raw: bytes) -> tuple[str, ...]:
    """Return marks: of the address that was written to, of the message that came back, then of anything else."""
    returned = [*about.all_heads(*RETURNED), *about.all_heads(*ADDRESSED)] if about else []
    texts = [*message.all_heads(*ADDRESSED), *returned, *message.all_heads(*ANSWERED), raw[:SEARCHED].decode("latin-1")]
    return tuple(dict.fromkeys(mark for text in texts for mark in find_marks(text)))


# ---------------------------------------------------------------- of people


def _written(message: Part, key: bytes) -> Heard:
    marks = _answer_marks(message)
    told = {
        "key": key, "marks": marks, "sender": _address(message.head("from")), "subject": message.head("subject")[:300],
        "at": moment(message.head("date")),
    }  # fmt: skip
    if any(mark.startswith("u") for mark in marks):
        return Heard(came=Came.REFUSAL, **told)  # type: ignore[arg-type]
    if is_automatic(message):
        return Heard(came=Came.MACHINE, **told)  # type: ignore[arg-type]
    text, subject = typed(message), str(told["subject"])
    said = text or ("" if words_of(message).strip() else subject)
    if not message.heads or not told["sender"]:
        return Heard(came=Came.UNKNOWN, **told)  # type: ignore[arg-type]
    return Heard(came=OF_MEANING[meaning_of(said)], text=text[:LONGEST_KEPT], **told)  # type: ignore[arg-type]


def _answer_marks(message: Part) -> tuple[str, ...]:
    """Return marks of an answer: of the address, of what it answers, then of what came before that, the last first."""
    texts = [*message.all_heads(*ADDRESSED), *message.all_heads("in-reply-to")]
    before = [mark for text in message.all_heads("references") for mark in find_marks(text)]
    return tuple(dict.fromkeys([*(mark for text in texts for mark in find_marks(text)), *reversed(before)]))


def _address(value: str) -> str:
    """Return the address of a header: the last between angle brackets, since a name before it may look like one."""
    pointed = POINTED.findall(value[:1_000])
    found = ADDRESS.search(pointed[-1] if pointed else value[:1_000])
    return found[0] if found else ""
