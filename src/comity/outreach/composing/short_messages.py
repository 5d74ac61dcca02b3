"""One person's text message: who writes, what they say, and how to stop it, counted in the parts that networks send.

GSM 03.38 has 160 letters in one part and 153 in each of several; anything outside its alphabet makes the whole message
UCS-2, with 70 and 67. A few letters of GSM cost two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.content import NotComposed, Prepared
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, Told
from comity.outreach.composing.passages import Passages
from comity.outreach.composing.placeholders import plain
from comity.outreach.composing.ways import WAYS, Unmet, Way, by_kind

GSM: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE: Final = frozenset("^{}\\[~]|€\f")
MOST_PARTS: Final = 6
NUMBER: Final = re.compile(r"\+?[0-9]{3,15}")
SIMPLER: Final = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u202f": " "}
)
"""Marks that people never miss, and that would make a message cost twice as many parts."""


class TooLong(NotComposed):
    """A text message of more parts than anybody wants to read or pay for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShortMessage:
    """A text message as it is sent. `units` are letters as the network counts them."""

    to: str
    text: str
    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    parts: int


def measure(text: str) -> tuple[Literal["GSM-7", "UCS-2"], int, int]:
    """Return the encoding of a text, its letters as they are counted, and the parts in which it is sent.

    No letter is split between two parts, so letters that cost two may take a part more than their sum says.
    """
    if all(mark in GSM or mark in GSM_TWICE for mark in text):
        costs = [2 if mark in GSM_TWICE else 1 for mark in text]
        return "GSM-7", sum(costs), _parts(costs, 160, 153)
    costs = [2 if mark > "\uffff" else 1 for mark in text]
    return "UCS-2", sum(costs), _parts(costs, 70, 67)


def _parts(costs: list[int], one: int, each: int) -> int:
    if sum(costs) <= one:
        return 1
    parts, used = 1, 0
    for cost in costs:
        if used + cost > each:
            parts, used = parts + 1, 0
        used += cost
    return parts


def compose_sms(
    *,
    content: Prepared,
    recipient: Recipient,
    sender: Sender,
    obligations: Iterable[Merged],
    links: Links,
    told: Told | None = None,
    seen_to: Collection[str] = (),
) -> ShortMessage:
    """Make one person's text message. Raises Unmet, BadAddress, NothingKnown or TooLong: then nothing is sent."""
    obligations = tuple(obligations)
    wanted = by_kind(obligations, seen_to=seen_to)
    number = re.sub(r"[\s().-]", "", recipient.address)
    if not NUMBER.fullmatch(number):
        raise BadAddress(_("This is no number to send a text message to."))
    words = content.filled(recipient.language, {**recipient.values, **sender.values(), **links.values()}).text
    case = _Case.of(recipient, sender, links, told)
    said = " ".join([words.replace("\n\n", "\n").strip(), *_ends(wanted, case)])
    text = _shorter(_begins(wanted, sender, case.passages, chinese=case.chinese) + said)
    encoding, units, parts = measure(text)
    if parts > MOST_PARTS:
        says = _("The message takes %(parts)s parts; %(most)s are the most. Say it more shortly, or send a letter.")
        raise TooLong(says % {"parts": parts, "most": MOST_PARTS})
    return ShortMessage(to=number, text=text, encoding=encoding, units=units, parts=parts)


def beside(
    *, recipient: Recipient, sender: Sender, obligations: Iterable[Merged], links: Links, told: Told | None,
    seen_to: Collection[str],
) -> str:  # fmt: skip
    """Return what the law wants said beside a message whose words are somewhere else, in one line. Raises Unmet."""
    wanted, case = by_kind(obligations, seen_to=seen_to), _Case.of(recipient, sender, links, told)
    begins = _begins(wanted, sender, case.passages, chinese=case.chinese)
    return " ".join(filter(None, [begins.strip(), *_ends(wanted, case)]))


def _shorter(text: str) -> str:
    """Return a text with simpler marks, if it is cheaper so."""
    simpler = text.translate(SIMPLER)
    return simpler if measure(simpler)[0] == "GSM-7" else text


def _begins(wanted: Mapping[str, Merged], sender: Sender, passages: Passages, *, chinese: bool) -> str:
    """Name the sender first: in China by the registered signature in 【】, with the mark of advertising after it."""
    mark = plain(sender.mark or sender.entity, 30)
    who = wanted.get("sender-identity")
    if not mark:
        if who:
            raise Unmet(who, _("The entity that sends has no name."))
        return ""
    label = wanted.get("ad-label")
    if chinese:
        return f"【{mark}】{'广告：' if label else ''}"
    return passages.label("text-advert" if label else "text-sender").format(mark=mark)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    sender: Sender
    links: Links
    told: Told
    passages: Passages
    chinese: bool

    @classmethod
    def of(cls, recipient: Recipient, sender: Sender, links: Links, told: Told | None) -> _Case:
        passages = Passages(recipient.language, sender.language)
        chinese = recipient.place.startswith("CN") or passages.language == "zh"
        return cls(sender=sender, links=links, told=told or Told(), passages=passages, chinese=chinese)


def _ends(wanted: Mapping[str, Merged], case: _Case) -> list[str]:
    """Say what the law wants, as shortly as it can be said. What has no room in a text message is not sent as one."""
    said: list[str] = []
    for kind, one in wanted.items():
        if kind in MAKERS:
            said += MAKERS[kind](one, case)
        elif WAYS[kind] is Way.MAKING and kind not in SAID_FIRST:
            raise Unmet(one, _("A text message has no room for it: send a letter or an e-mail."))
    return list(dict.fromkeys(said))


def _stop(_wanted: Merged, case: _Case) -> list[str]:
    """Say by which word to stop. In China networks look for their own words, whatever language the rest is in."""
    number = plain(case.sender.stop_number, 20)
    says = case.passages.label("text-stop-to").format(number=number) if number else case.passages.label("text-stop")
    return list(dict.fromkeys([says, "拒收请回复R"])) if case.chinese and not number else [says]


def _object(wanted: Merged, case: _Case) -> list[str]:
    return [case.passages.label("text-object"), *_stop(wanted, case)]


def _withdraw(_wanted: Merged, case: _Case) -> list[str]:
    return [case.passages.label("withdraw")]


def _machine(_wanted: Merged, case: _Case) -> list[str]:
    return [case.passages.label("machine")]


def _reach(wanted: Merged, case: _Case) -> list[str]:
    sender = case.sender
    ways = [plain(way) for way in (sender.phone, sender.website, *sender.contacts()) if way]
    if not ways:
        raise Unmet(
            wanted, _("There is no way to reach the entity that sends: give it an address, a number or a page.")
        )
    return ways[:1]


def _postal(wanted: Merged, case: _Case) -> list[str]:
    if not case.sender.postal_address:
        raise Unmet(wanted, _("The entity that sends has no postal address: enter it in the settings."))
    return [", ".join(map(plain, case.sender.postal_address))]


def _origin(wanted: Merged, case: _Case) -> list[str]:
    if case.told.origin is None or not case.links.privacy:
        raise Unmet(wanted, _("It is not known from whom we have this person's data, or no notice says the rest."))
    names = {"source": plain(case.told.origin.source), "link": case.links.privacy}
    return [case.passages.label("text-origin").format_map(names)]


def _opt_out(wanted: Merged, case: _Case) -> list[str]:
    if not case.links.opt_out:
        raise Unmet(wanted, _("There is no link to opt out of sale, sharing and targeted advertising."))
    return [f"{case.passages.label('opt-out-label')}: {case.links.opt_out}"]


def _sentences(wanted: Merged, _case: _Case) -> list[str]:
    sentences = wanted.parameters.get("sentences", ())
    if not isinstance(sentences, tuple | list) or not sentences:
        raise Unmet(wanted, _("The law fixes a sentence, and the rule does not say which."))
    return [str(one) for one in sentences]


SAID_FIRST: Final = {"ad-label", "call-disclosure"}
MAKERS: Final[Mapping[str, Callable[[Merged, _Case], list[str]]]] = {
    "unsubscribe": _stop, "plain-option": _stop, "right-to-object-notice": _object, "withdrawal-told": _withdraw,
    "sender-identity": _reach, "postal-address": _postal, "origin-notice": _origin, "opt-out-link": _opt_out,
    "ai-disclosure": _machine, "fixed-sentence": _sentences,
}  # fmt: skip
