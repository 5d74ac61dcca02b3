"""The law as people read it: what an id in a decision says, which rules have some words, what is to be reviewed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from comity.check.as_json import place_name
from comity.counsel.asking import Answer, book
from comity.law import Decision, Verdict
from comity.law.lawbook import Law, Rule, Slot

if TYPE_CHECKING:
    from comity.law import Finding, Reason

NO_LAW, NOT_COVERED, CLASH = "no-law:", ":not-covered", "clash:"
"""How ids of reasons that are no rules are made: see comity.law.deciding."""
MOST_FOUND = 100


@dataclass(frozen=True, kw_only=True)
class Said:
    """One reason or rule, as the Why panel and lists of rules show it."""

    id: str
    says: str
    cite: str = ""
    url: str = ""
    since: date | None = None
    checked: date | None = None
    note: str = ""
    href: str = ""


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """A pack with its laws."""

    id: str
    name: str
    version: str
    sha256: str
    laws: list[Law] = field(default_factory=list)

    @property
    def rules(self) -> int:
        """How many rules its laws have."""
        return sum(len(law.rules) for law in self.laws)


# ---------------------------------------------------------------- by id


@cache
def rules() -> Mapping[str, list[Rule]]:
    """Every rule by its id: one id may have a text for each span of days, or several cases; the earliest first."""
    known: dict[str, list[Rule]] = {}
    for rule in sorted(book().rules(), key=lambda rule: rule.span.start):
        known.setdefault(rule.id, []).append(rule)
    return known


def rule_of(id_: str) -> Rule | None:
    """Return the rule with this id, in the text of today; else in the latest."""
    texts = rules().get(id_, [])
    today = timezone.localdate()
    return next((rule for rule in texts if rule.span.holds(today)), texts[-1] if texts else None)


@cache
def laws() -> Mapping[str, Law]:
    """Every law, by its id."""
    return {law.id: law for law in book().laws}


@cache
def _slots() -> Mapping[str, tuple[Law, Slot]]:
    return {slot.id: (law, slot) for law in book().laws for slot in law.slots}


def said_of(reason: str) -> Said:
    """Return what the id of a rule, a ground or a gap says today; the id alone if no pack has it any more."""
    if rule := rule_of(reason):
        return said_of_rule(rule)
    if reason in _slots():
        law, slot = _slots()[reason]
        return Said(id=reason, says=slot.says, cite=slot.cite, url=law.source.url, href=_address(law.id))
    if reason.endswith(NOT_COVERED) and (law_there := laws().get(reason.removesuffix(NOT_COVERED))):
        says = _("%(law)s governs here, but its rules for this case are not encoded.") % {"law": law_there.name}
        return Said(
            id=reason, says=says, cite=law_there.source.cite, url=law_there.source.url, href=_address(law_there.id)
        )
    if reason.startswith(NO_LAW):
        return Said(id=reason, says=_no_law(reason.removeprefix(NO_LAW)))
    if reason.startswith(CLASH):
        return Said(id=reason, says=_("Two rules ask for what cannot be done together."))
    return Said(id=reason, says=reason, note=_("No pack has this rule any more."))


def said_of_rule(rule: Rule) -> Said:
    """Return a rule as it is shown."""
    return Said(
        id=rule.id, says=rule.says, cite=rule.source.cite, url=rule.source.url, since=rule.span.start,
        checked=rule.checked, href=f"{_address(rule.law)}#{rule.id}",
    )  # fmt: skip


def _no_law(codes: str) -> str:
    if codes == "anywhere":
        return _("It is not known where the person lives.")
    return _("No law pack covers this for people in %(places)s.") % {"places": places_said(codes.split("|"))}


def _address(law: str) -> str:
    return reverse("counsel:one-law", args=[law])


def places_said(codes: Iterable[str]) -> str:
    """Return places in the language of whoever reads, joined as it joins them."""
    chinese = (get_language() or "").startswith("zh")
    return ("、" if chinese else ", ").join(place_name(code, chinese=chinese) for code in codes)


def every_place() -> list[tuple[str, str]]:
    """Return the code and name of each place somebody can live in, a split country as a whole too, by name."""
    places = book().vocabulary.places
    codes = places.countries | places.every
    return sorted(((code, places_said([code])) for code in codes), key=lambda pair: pair[1])


def means(facts: Iterable[str]) -> list[dict[str, str]]:
    """Return what each of these facts means, as the Why panel lists what is missing."""
    vocabulary = book().vocabulary.facts
    return [{"says": vocabulary[name].means if name in vocabulary else name, "fact": name} for name in facts]


RESPECT: Final = ("respect",)


def cures_said(cures: Iterable[str]) -> list[dict[str, str]]:
    """Return what each of these cures says."""
    known = book().cures
    return [{"says": known[name].says if name in known else name} for name in cures]


# ---------------------------------------------------------------- why


def why(answer: Answer, *, title: str, asked: str = "") -> dict[str, Any]:
    """Return what the "Why?" panel shows of an answer, as the tag `why` wants it."""
    decision = answer.decision
    return {
        "title": title,
        "verdict": answer.verdict,
        "asked": asked,
        "reasons": [*_ruled(answer), *(_reason(each) for each in _weighty(decision))],
        "missing": means(decision.missing),
        "obligations": [
            {"says": each.says, "cite": cited(each.rules)} for each in decision.finding.obligations
        ],
        "cures": cures_said(_that_help(decision.finding)),
    }  # fmt: skip


def _that_help(finding: Finding) -> tuple[str, ...]:
    """Return what would help; where somebody said no, no paper does."""
    said_no = any(reason.weight is Verdict.DENY and reason.cures == RESPECT for reason in finding.reasons)
    return RESPECT if said_no else finding.cures


def _weighty(decision: Decision) -> Iterator[Reason]:
    return (reason for reason in decision.reasons if reason.weight is decision.verdict)


def _ruled(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.ruling:
        says = _("A human settled this: %(reason)s") % {"reason": answer.ruling.reason}
        yield {"says": says, "note": _("Until %(day)s") % {"day": answer.ruling.ends_on.isoformat()}}


def _reason(reason: Reason) -> dict[str, Any]:
    rule = rule_of(reason.rule)
    return {
        "says": reason.says, "cite": reason.cite, "url": reason.url, "since": rule.span.start if rule else None,
        "checked": rule.checked if rule else None,
        "note": "" if reason.confirmed else _("Nobody has confirmed yet that the rule was read rightly."),
    }  # fmt: skip


def cited(ids: Iterable[str]) -> str:
    """Return the citations of these rules, each once."""
    return "; ".join(dict.fromkeys(rule.source.cite for each in ids if (rule := rule_of(each))))


# ---------------------------------------------------------------- browsing


@cache
def shelves() -> list[Shelf]:
    """Return the packs with their laws, the house rules last."""
    told = [
        Shelf(
            id=pack.id, name=pack.name, version=pack.version, sha256=pack.sha256,
            laws=[law for law in book().laws if law.pack == pack.id],
        )
        for pack in book().packs
    ]  # fmt: skip
    return sorted(told, key=lambda shelf: (shelf.id == "house", shelf.name))


@cache
def _words() -> list[tuple[str, Rule]]:
    """Return for each rule, in small letters, all the words it is found by."""
    return [
        (f"{rule.id} {rule.says} {rule.source.cite} {laws()[rule.law].name}".casefold(), rule)
        for rule in book().rules()
    ]


def found(words: str) -> list[Rule]:
    """Return the rules that have all these words, at most MOST_FOUND."""
    wanted = words.casefold().split()
    hits = (rule for text, rule in _words() if all(word in text for word in wanted))
    return [rule for rule, _number in zip(hits, range(MOST_FOUND), strict=False)]


def to_review() -> list[Rule]:
    """Return the rules with a day by which somebody must compare them with the source again, the next day first."""
    dated = (rule for rule in book().rules() if rule.review_by)
    return sorted(dated, key=lambda rule: rule.review_by or date.max)


def unconfirmed() -> list[tuple[Law, int]]:
    """Return the laws with rules of which nobody has confirmed yet that they were read rightly, and how many."""
    counted = ((law, sum(not rule.confirmed for rule in law.rules)) for law in book().laws)
    return sorted(((law, many) for law, many in counted if many), key=lambda pair: -pair[1])
