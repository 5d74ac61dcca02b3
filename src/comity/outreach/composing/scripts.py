"""What is said in a call or written in a letter by post: the content, with what the law wants said first or beside."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.accompaniment import Case, blocks
from comity.outreach.composing.content import Prepared
from comity.outreach.composing.letters import as_text
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, Told
from comity.outreach.composing.passages import Passages
from comity.outreach.composing.placeholders import plain
from comity.outreach.composing.ways import WAYS, Unmet, Way, by_kind

ADVERTISING: Final = {
    "ad-label",
    "call-disclosure",
    "right-to-object-notice",
    "call-limit",
    "calling-hours",
    "register-check",
}
"""Obligations that only calls with advertising have: the opening says then that it is one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallScript:
    """What a caller says. `opening` comes first, within `seconds` where the law counts them; `from_number` is shown."""

    opening: tuple[str, ...]
    seconds: int | None
    words: str
    closing: tuple[str, ...]
    from_number: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PostalLetter:
    """A letter by post: the lines of the address, and the text."""

    to: tuple[str, ...]
    subject: str
    text: str


def compose_call_script(
    *,
    content: Prepared,
    recipient: Recipient,
    sender: Sender,
    obligations: Iterable[Merged],
    links: Links | None = None,
    told: Told | None = None,
    seen_to: Collection[str] = (),
) -> CallScript:
    """Make what is said to one person on the telephone. Raises Unmet, BadAddress or NothingKnown: then nobody calls.

    `sender.caller` names who calls; where it is empty the script has a gap for the name, and a machine has none.
    """
    wanted = by_kind(obligations, seen_to=seen_to)
    links, told = links or Links(), told or Told()
    passages = Passages(recipient.language, sender.language)
    words = content.filled(recipient.language, {**recipient.values, **sender.values(), **links.values()}).text
    disclosed = wanted.get("call-disclosure")
    seconds = disclosed.parameters.get("seconds") if disclosed else None
    return CallScript(
        opening=_opening(wanted, sender, told, passages),
        seconds=seconds if isinstance(seconds, int) else None,
        words=words,
        closing=_closing(wanted, links, passages),
        from_number=_number(wanted, sender),
    )


def _opening(wanted: Mapping[str, Merged], sender: Sender, told: Told, passages: Passages) -> tuple[str, ...]:
    """Say who calls, for whom, that it sells, that it is a machine, and whence the number is: before anything else."""
    entity = plain(sender.entity)
    if not entity:
        raise BadAddress(_("The entity that sends has no name."))
    passage = "call-opening" if wanted.keys() & ADVERTISING else "call-plain-opening"
    said = [passages.in_words(passage, caller=plain(sender.caller) or "……", entity=entity)]
    if "ai-disclosure" in wanted:
        said.append(passages.in_words("call-machine"))
    if "sender-identity" in wanted:
        said.append(_reach(wanted["sender-identity"], sender, passages))
    if "origin-notice" in wanted:
        said.append(_origin(wanted["origin-notice"], told, passages))
    if "fixed-sentence" in wanted:
        said += map(str, wanted["fixed-sentence"].parameters.get("sentences", ()))  # type: ignore[call-overload]
    return tuple(said)


def _closing(wanted: Mapping[str, Merged], links: Links, passages: Passages) -> tuple[str, ...]:
    """Say how to refuse and to object; what a call cannot tell is not told by one."""
    said = []
    for kind, one in wanted.items():
        match kind:
            case "unsubscribe" | "plain-option":
                said.append(passages.in_words("call-refusal"))
            case "right-to-object-notice":
                said += [passages.in_words("object"), passages.in_words("call-refusal")]
            case "withdrawal-told":
                said.append(passages.in_words("withdraw"))
            case "opt-out-link" if links.opt_out:
                said.append(f"{passages.in_words('opt-out')} {links.opt_out}")
            case (
                "ad-label"
                | "call-disclosure"
                | "sender-identity"
                | "origin-notice"
                | "ai-disclosure"
                | "fixed-sentence"
            ):
                pass
            case _ if WAYS[kind] is Way.MAKING:
                raise Unmet(one, _("It cannot be told in a call: send it in writing first."))
    return tuple(dict.fromkeys(said))


def _reach(wanted: Merged, sender: Sender, passages: Passages) -> str:
    if not sender.contacts():
        raise Unmet(
            wanted, _("There is no way to reach the entity that sends: give it an address, a number or a page.")
        )
    return passages.in_words("reach-us", contacts=", ".join(sender.contacts()))


def _origin(wanted: Merged, told: Told, passages: Passages) -> str:
    if told.origin is None or not plain(told.origin.source):
        raise Unmet(wanted, _("It is not known from whom we have this person's data: enter the source first."))
    return passages.in_words("call-origin", source=plain(told.origin.source))


def _number(wanted: Mapping[str, Merged], sender: Sender) -> str:
    """Return the number that is shown, if it is one that the law lets us call from."""
    number = plain(sender.phone, 30)
    shown = wanted.get("caller-id")
    if shown is None:
        return number
    if not re.fullmatch(r"\+?[0-9 ()./-]{3,24}", number):
        raise Unmet(shown, _("The entity has no number of its own to show: enter one, and be reachable there."))
    if shown.parameters.get("no_mobile") and sender.mobile:
        raise Unmet(shown, _("The number is a mobile one, and the law wants another."))
    ranges = shown.parameters.get("number_range", ())
    starts = [str(one) for one in ranges] if isinstance(ranges, tuple | list) else []
    if starts and not any(_national(number).startswith(start) for start in starts):
        raise Unmet(shown, _("The number must begin with %(starts)s.") % {"starts": ", ".join(starts)})
    return number


def _national(number: str) -> str:
    """Return the digits of a number after its country's code, where it is written with one before a space."""
    bare = re.sub(r"^\+\d{1,3}[ .-]", "", number)
    return re.sub(r"\D", "", bare)


# ---------------------------------------------------------------- by post


def compose_letter(
    *,
    content: Prepared,
    recipient: Recipient,
    sender: Sender,
    obligations: Iterable[Merged],
    links: Links,
    told: Told | None = None,
    seen_to: Collection[str] = (),
) -> PostalLetter:
    """Make one person's letter by post. Raises Unmet, BadAddress or NothingKnown: then nothing is printed."""
    wanted = by_kind(obligations, seen_to=seen_to)
    lines = tuple(line for line in (plain(recipient.called), *map(plain, recipient.address.split("\n"))) if line)
    if not lines:
        raise BadAddress(_("There is no postal address."))
    passages = Passages(recipient.language, sender.language)
    case = Case(recipient=recipient, sender=sender, links=links, told=told or Told(), passages=passages)
    filled = content.filled(recipient.language, {**recipient.values, **sender.values(), **links.values()})
    return PostalLetter(to=lines, subject=filled.subject, text=as_text(filled, blocks(wanted, case)))
