"""What a mail server says became of a message (RFC 3464, RFC 3463), and what that means for the address.

Only what is certainly the address's fault shuts it: a full mailbox, a server that was away and a message that a policy
refused say nothing of who lives there. What nobody can tell counts as one of those that pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from comity.post.inbound.mime import Heads, Part, groups_of, message_within, moment, read, words_of

MOST_RECIPIENTS: Final = 50
"""Recipients of one report that are looked at."""


class Sort(StrEnum):
    """What became of a message, as far as its address is concerned."""

    HARD = "hard"  # there is no such address
    SOFT = "soft"  # it may work another time
    OURS = "ours"  # the message, the sender or a policy is to blame, not the address
    DELAYED = "delayed"  # they go on trying
    DELIVERED = "delivered"
    PASSED_ON = "passed-on"  # to a server that says no more, or to a list


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a report says of one recipient."""

    address: str
    sort: Sort
    code: str = ""  # as RFC 3463 writes it: 5.1.1


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a report says: of each recipient, and the message that it is about, as far as it came back."""

    told: tuple[Told, ...]
    about: Part | None = None


CODE: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
NOBODY: Final = re.compile(
    r"user unknown|unknown user|no such (?:user|recipient|address|mailbox|account|person)"
    r"|(?:user|mailbox|account|address|recipient)[^.\n]{0,60}"
    r"(?:does not exist|doesn.t exist|not found|is unknown|is disabled|is inactive)"
    r"|unknown (?:address|recipient|local part|or illegal alias)|invalid (?:recipient|mailbox)"
    r"|doesn.t have an? [^\n]{0,40}account|no mailbox here by that name|unrouteable address|recipientnotfound"
    r"|account that you tried to reach does not exist|domain name not found"
    r"|recipient address rejected: access denied|不存在|无此用户",
    re.IGNORECASE,
)
FULL: Final = re.compile(r"quota|mailbox (?:is )?full|out of storage|insufficient (?:system )?storage", re.IGNORECASE)
POLICY: Final = re.compile(
    r"\bspam\b|spamhaus|block(?:ed|list)|blacklist|reputation|dmarc|\bspf\b|\bdkim\b|policy|not authori[sz]ed"
    r"|content reject|message (?:too large|size exceeds)|rate limit",
    re.IGNORECASE,
)
LIKE_A_BOUNCE: Final = re.compile(
    r"undeliver|delivery (?:status|failure|has failed|notification|incomplete)|failure notice|returned mail"
    r"|mail delivery (?:failed|system)|unzustellbar|non remis|no se pudo entregar|退信|无法投递|无法送达"
    r"|message delayed|mail could not be delivered|returned to sender",
    re.IGNORECASE,
)
FROM_A_SERVER: Final = re.compile(r"(?:mailer-daemon|postmaster|microsoftexchange[0-9a-f]{0,40})@", re.IGNORECASE)
COPY_BELOW: Final = re.compile(
    rb"^-{2,} (?:Below this line is a copy of the message|This is a copy of (?:the|your) message[^\r\n]{0,80}"
    rb"|Original message follows|The header of the original message is following)[^\r\n]{0,40}$",
    re.IGNORECASE | re.MULTILINE,
)
ADDRESS: Final = re.compile(r"[^\s<>;,:\"()@]{1,64}@[^\s<>;,:\"()@]{1,255}")
PARAGRAPH: Final = re.compile(r"^[ \t]*<?(" + ADDRESS.pattern + r")>?:?[ \t]*$", re.MULTILINE)

OURS_OF_ADDRESSING: Final = {"7", "8"}  # the sender's address is bad
PASSING_OF_ADDRESSING: Final = {"4", "5", "9"}


def read_report(message: Part) -> Report | None:
    """Return what a message says as a server's report; nothing where it is none."""
    return _standard(message) or _of_qmail(message) or _plain(message)


# ---------------------------------------------------------------- as RFC 3464 has it


def _standard(message: Part) -> Report | None:
    for part in message.walk():
        if part.kind in {"message/delivery-status", "message/global-delivery-status"}:
            groups = [group for group in groups_of(part) if _recipient(group)]
            told = tuple(_told(group) for group in groups[:MOST_RECIPIENTS])
            if told:
                return Report(told=told, about=message_within(message))
    return None


def _recipient(group: Heads) -> str:
    value = next((group[name][0] for name in ("original-recipient", "final-recipient") if name in group), "")
    return value.partition(";")[2].strip().strip("<>") if ";" in value else value.strip().strip("<>")


def _told(group: Heads) -> Told:
    action = group.get("action", ("",))[0].partition("(")[0].strip().lower()
    diagnostic = " ".join(group.get("diagnostic-code", ()))
    code = _code(group.get("status", ("",))[0]) or _code(diagnostic)
    return Told(address=_recipient(group), sort=sort_of(action, code, diagnostic), code=code)


def _code(text: str) -> str:
    found = CODE.search(text)
    return found[0] if found else ""


def sort_of(action: str, code: str, words: str) -> Sort:
    """Return what an action, a code of RFC 3463 and the words of a server mean for an address."""
    known = {
        "delayed": Sort.DELAYED,
        "delivered": Sort.DELIVERED,
        "relayed": Sort.PASSED_ON,
        "expanded": Sort.PASSED_ON,
    }
    if action in known:
        return known[action]
    if code.startswith("2."):
        return Sort.PASSED_ON
    if code.startswith("4."):
        return Sort.SOFT
    return _lasting(code, words) if code.startswith("5.") else _by_words(words)


def _lasting(code: str, words: str) -> Sort:
    """Return what a lasting failure means (RFC 3463, 3): the second number says what it is about."""
    _class, about, detail = code.split(".")
    if about == "1":
        return (
            Sort.OURS if detail in OURS_OF_ADDRESSING else Sort.SOFT if detail in PASSING_OF_ADDRESSING else Sort.HARD
        )
    if about == "2":
        return {"1": Sort.HARD, "3": Sort.OURS}.get(detail, Sort.SOFT)
    if about == "3":
        return Sort.OURS if detail == "4" else Sort.SOFT
    if about == "4":
        return Sort.HARD if NOBODY.search(words) and not POLICY.search(words) else Sort.SOFT
    if about in {"5", "6"}:
        return Sort.OURS
    return _by_words(words) if about == "0" else _policy(words)


def _policy(words: str) -> Sort:
    """Return what 5.7 means: a policy, unless the server says in words that nobody is there."""
    return Sort.HARD if NOBODY.search(words) and not POLICY.search(words) else Sort.OURS


def _by_words(words: str) -> Sort:
    if FULL.search(words):
        return Sort.SOFT
    if POLICY.search(words):
        return Sort.OURS
    return Sort.HARD if NOBODY.search(words) else Sort.SOFT


# ---------------------------------------------------------------- as others have it


def _of_qmail(message: Part) -> Report | None:
    """Read qmail's own format: a greeting, then a paragraph for each recipient, then the message."""
    said = words_of(message)
    if not said.lstrip().startswith("Hi. This is the "):
        return None
    return _by_paragraphs(message, said)


def _plain(message: Part) -> Report | None:
    """Read what a server wrote in words alone. Who wrote it, and under which subject, must both look like one."""
    failed = [one.strip() for value in message.all_heads("x-failed-recipients") for one in value.split(",")]
    server = FROM_A_SERVER.search(message.head("from")) or message.heads.get("return-path", ("x",))[0] == "<>"
    if not (failed or (server and LIKE_A_BOUNCE.search(message.head("subject")))):
        return None
    said = words_of(message)
    above, about = _above(message)
    if failed and ADDRESS.search(failed[0]):
        sort = _sort_in_words(above or said)
        code = _code(above or said)
        return Report(
            told=tuple(Told(address=one, sort=sort, code=code) for one in failed[:MOST_RECIPIENTS]), about=about
        )
    return _by_paragraphs(message, said)


def _above(message: Part) -> tuple[str, Part | None]:
    """Return what stands above the copy of the message, and the copy."""
    body = words_of(message).encode("utf-8", "replace")
    found = COPY_BELOW.search(body)
    if not found:
        return body.decode("utf-8", "replace"), message_within(message)
    return body[: found.start()].decode("utf-8", "replace"), read(body[found.end() :].lstrip(b"\r\n- "))


def _by_paragraphs(message: Part, said: str) -> Report | None:
    above, about = _above(message)
    places = list(PARAGRAPH.finditer(above))[:MOST_RECIPIENTS]
    ends = [*(place.start() for place in places[1:]), len(above)]
    told = tuple(
        Told(
            address=place[1].rstrip(":"),
            sort=_sort_in_words(above[place.end() : end]),
            code=_code(above[place.end() : end]),
        )
        for place, end in zip(places, ends, strict=False)
    )
    if not told:
        told = (Told(address="", sort=_sort_in_words(above or said), code=_code(above or said)),)
    return Report(told=told, about=about)


DELAY: Final = re.compile(
    r"\bdelay(?:ed)?\b|warning: (?:message|could not send)|will (?:keep|continue) trying|not yet been delivered",
    re.IGNORECASE,
)


def _sort_in_words(words: str) -> Sort:
    if DELAY.search(words):
        return Sort.DELAYED
    code = _code(words)
    if code:
        return sort_of("failed", code, words)
    return _by_words(words)


def occurred(message: Part) -> str:
    """Return when it happened, as the report says it; empty where it does not."""
    for part in message.walk():
        if part.kind == "message/delivery-status":
            for group in groups_of(part):
                for name in ("last-attempt-date", "arrival-date"):
                    if name in group and moment(group[name][0]):
                        return group[name][0]
    return ""
