"""What stands before and after a content because the law wants it: blocks of plain sentences with their links.

One function makes the block of one kind of obligation, or says why it cannot. E-mail and post show the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.parties import Links, Recipient, Sender, Told
from comity.outreach.composing.passages import Passages
from comity.outreach.composing.placeholders import plain
from comity.outreach.composing.ways import WAYS, Unmet, Way


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A passage: what it says, links with their words, what is said after them. `apart` has a frame and a heading."""

    says: str
    heading: str = ""
    links: tuple[tuple[str, str], ...] = ()
    after: str = ""
    apart: bool = False
    first: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One message to one person: all that its blocks are made of."""

    recipient: Recipient
    sender: Sender
    links: Links
    told: Told
    passages: Passages

    def unsubscribe(self) -> tuple[tuple[str, str], ...]:
        """Return the link by which this person refuses more."""
        return ((self.passages.label("unsubscribe-label"), self.links.unsubscribe),)


Maker = Callable[[Merged, Case], Block]


def advert(_wanted: Merged, case: Case) -> Block:
    """Say at the head that this is advertising, and whose."""
    return Block(says=case.passages.in_words("advert", entity=plain(case.sender.entity)), first=True)


def unsubscribe(wanted: Merged, case: Case) -> Block:
    """Give the way out: a link, and an address beside it. A link that ends too soon is none."""
    links = case.links
    if not links.unsubscribe and not links.unsubscribe_mail:
        raise Unmet(wanted, _("There is no link to unsubscribe and no address that takes refusals."))
    live = wanted.parameters.get("live_days", 0)
    if links.works_for_days is not None and isinstance(live, int) and links.works_for_days < live:
        told = _("The link works for %(days)s days; the law wants %(live)s.")
        raise Unmet(wanted, told % {"days": links.works_for_days, "live": live})
    mail = links.unsubscribe_mail
    after = case.passages.in_words("unsubscribe-mail", address=mail) if mail else ""
    return Block(says=case.passages.in_words("unsubscribe"), links=_ways_out(case), after=after)


def _ways_out(case: Case) -> tuple[tuple[str, str], ...]:
    ways = list(case.unsubscribe()) if case.links.unsubscribe else []
    if case.links.preferences:
        ways.append((case.passages.label("preferences-label"), case.links.preferences))
    return tuple(ways)


def right_to_object(wanted: Merged, case: Case) -> Block:
    """Tell the right to object, in a frame of its own: clearly, and apart from everything else."""
    if not case.links.unsubscribe and not case.sender.contacts():
        raise Unmet(wanted, _("There is nowhere to object: no link, and no address of ours."))
    says = case.passages.in_words("object")
    links = case.unsubscribe() if case.links.unsubscribe else ()
    if not links:
        says += " " + case.passages.in_words("reach-us", contacts=", ".join(case.sender.contacts()))
    return Block(says=says, heading=case.passages.in_words("object-heading"), links=links, apart=True)


def sender_identity(wanted: Merged, case: Case) -> Block:
    """Say who we are, where, and how to reach us."""
    if not plain(case.sender.entity):
        raise Unmet(wanted, _("The entity that sends has no name."))
    if not case.sender.contacts() and not case.sender.postal_address:
        raise Unmet(
            wanted, _("There is no way to reach the entity that sends: give it an address, a number or a page.")
        )
    parts = [case.sender.entity, case.sender.register, *case.sender.postal_address]
    named = ", ".join(line for line in map(plain, parts) if line)
    says = [case.passages.in_words("sent-by", entity=named) + "."]
    if case.sender.contacts():
        says.append(case.passages.in_words("reach-us", contacts=", ".join(case.sender.contacts())))
    return Block(says=" ".join(says))


def postal_address(wanted: Merged, case: Case) -> Block:
    """Give our postal address; it stands with our name."""
    if not any(map(plain, case.sender.postal_address)):
        raise Unmet(wanted, _("The entity that sends has no postal address: enter it in the settings."))
    return sender_identity(wanted, case)


def origin(wanted: Merged, case: Case) -> Block:
    """Tell from whom we have the data, what we hold and why, with a link to all the rest that Article 14 names."""
    told = case.told.origin
    if told is None or not plain(told.source) or not told.kinds:
        raise Unmet(wanted, _("It is not known from whom we have this person's data: enter the source first."))
    if not case.links.privacy:
        raise Unmet(wanted, _("There is no link to the notice that says the rest: publish one first."))
    says = case.passages.in_words(
        "origin", source=plain(told.source), kinds=_listed(told.kinds, case), purpose=plain(told.purpose)
    )
    links = ((case.links.privacy, case.links.privacy),)
    return Block(says=says, heading=case.passages.in_words("origin-heading"), links=links, apart=True)


def transfer(wanted: Merged, case: Case) -> Block:
    """Tell who gets the data abroad, how to reach them, why, how, which kinds, and how to use rights there."""
    told = case.told.transfer
    if told is None:
        raise Unmet(wanted, _("It is not said who abroad gets the data and why: enter the recipient first."))
    parts = {
        "recipient": told.recipient, "place": told.place, "contact": told.contact, "purpose": told.purpose,
        "how": told.how, "rights": told.rights,
    }  # fmt: skip
    empty = [name for name, value in parts.items() if not plain(value)]
    if empty or not told.kinds:
        raise Unmet(
            wanted, _("Of the recipient abroad it is not said: %(what)s.") % {"what": ", ".join(empty) or "kinds"}
        )
    said = {name: plain(value) for name, value in parts.items()}
    return Block(says=case.passages.in_words("transfer", kinds=_listed(told.kinds, case), **said))


def opt_out_link(wanted: Merged, case: Case) -> Block:
    """Give the link by which sale, sharing and targeted advertising are refused."""
    if not case.links.opt_out:
        raise Unmet(wanted, _("There is no link to opt out of sale, sharing and targeted advertising."))
    link = case.passages.label("opt-out-label"), case.links.opt_out
    return Block(says=case.passages.in_words("opt-out"), links=(link,))


def machine(_wanted: Merged, case: Case) -> Block:
    """Say that a machine made the text."""
    return Block(says=case.passages.in_words("machine"), first=True)


def fixed_sentences(wanted: Merged, _case: Case) -> Block:
    """Say the sentences that a law fixes, word for word."""
    sentences = wanted.parameters.get("sentences", ())
    if not isinstance(sentences, tuple | list) or not sentences:
        raise Unmet(wanted, _("The law fixes a sentence, and the rule does not say which."))
    return Block(says=" ".join(map(str, sentences)), apart=True)


def withdrawal(wanted: Merged, case: Case) -> Block:
    """Tell that a consent can be taken back, and where."""
    if not case.links.preferences and not case.links.unsubscribe:
        raise Unmet(wanted, _("There is no link by which a consent is taken back."))
    return Block(says=case.passages.in_words("withdraw"), links=_ways_out(case))


def plain_option(wanted: Merged, case: Case) -> Block:
    """Offer an easy refusal of what a program chose."""
    if not case.links.preferences and not case.links.unsubscribe:
        raise Unmet(wanted, _("There is no link by which being chosen by a program is refused."))
    return Block(says=case.passages.in_words("plain-option"), links=_ways_out(case)[-1:])


def logic(wanted: Merged, case: Case) -> Block:
    """Say how a program chose."""
    if not plain(case.told.logic):
        raise Unmet(wanted, _("It is not said how the program chooses: write it into the campaign."))
    return Block(says=case.passages.in_words("logic", logic=plain(case.told.logic, 2_000)))


MAKERS: Final[Mapping[str, Maker]] = {
    "ad-label": advert, "ai-disclosure": machine,
    "right-to-object-notice": right_to_object, "origin-notice": origin, "transfer-notice": transfer,
    "withdrawal-told": withdrawal, "plain-option": plain_option, "explain-logic": logic,
    "fixed-sentence": fixed_sentences, "opt-out-link": opt_out_link, "unsubscribe": unsubscribe,
    "sender-identity": sender_identity, "postal-address": postal_address,
}  # fmt: skip
"""In the order in which the blocks stand."""


def blocks(wanted: Mapping[str, Merged], case: Case) -> tuple[Block, ...]:
    """Return the blocks that these obligations want, in their order, none twice. Raises Unmet for one without."""
    for kind, one in wanted.items():
        if WAYS[kind] is Way.MAKING and kind not in MAKERS:
            raise Unmet(one, _("A message of this kind has no place for it."))
    return tuple(dict.fromkeys(make(wanted[kind], case) for kind, make in MAKERS.items() if kind in wanted))


def _listed(kinds: tuple[str, ...], case: Case) -> str:
    return ("、" if case.passages.language == "zh" else ", ").join(map(plain, kinds))
