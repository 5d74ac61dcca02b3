"""What each law wants in an answer, and where the package has it: from the packs, never from a list of ours.

The packs say it in their duties' `contents`. Here stands only where in a package each of these is found; a content that
nobody has given a place is a human's (`Where.HUMAN`), and a test fails for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

from comity.counsel.models import OwedDuty
from comity.counsel.reading import laws, rule_of
from comity.rights.packages.shelves import Part

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.rights.requests.models import Request

SERVED: Final = frozenset({"access", "portability", "recipients", "explanation", "accounting"})
"""Kinds of requests that a package answers, in the words of the law's event.request."""


class Where(Enum):
    """Where in a package a content is found, beside its parts."""

    SUMMARY = "summary"  # what we hold, by categories and spans of time
    PURPOSES = "purposes"  # for what, on which ground
    CLOCKS = "clocks"  # how long
    RIGHTS = "rights"  # what they may ask, and to whom they may complain
    ALL = "all"  # all parts together
    FORM = "form"  # met by how the package is made: free, electronic, to be read by machines
    WITHHELD = "withheld"  # named as held, and not shown
    HUMAN = "human"  # a human sees to it: a chore of the plan

    @property
    def says(self) -> _StrPromise:
        """Where that is, in words."""
        return WORDS[self]


WORDS: Final[Mapping[Where, _StrPromise]] = {
    Where.SUMMARY: _("What we hold, in short"),
    Where.PURPOSES: _("For what your data are used, and why we may"),
    Where.CLOCKS: _("How long your data stay"),
    Where.RIGHTS: _("What you may ask of us"),
    Where.ALL: _("All parts of this page, and the files beside it"),
    Where.FORM: _("In how this package is made"),
    Where.WITHHELD: _("Named as held, and not shown"),
    Where.HUMAN: _("In the letter that comes with this package"),
}

Place = Part | Where

PLACES: Final[Mapping[str, Place]] = {
    "whether we handle data about the person": Where.SUMMARY,
    "a copy of the data, free the first time, without harming the rights of others": Where.ALL,
    "the data itself, to read": Where.ALL,
    "a copy of it": Where.ALL,
    "the health data": Where.ALL,
    "the purposes": Where.PURPOSES,
    "the categories of data": Where.SUMMARY,
    "the recipients, named where the person asks": Part.RECIPIENTS,
    "the recipients by name, where the person asks for them": Part.RECIPIENTS,
    "the third parties, by name": Part.RECIPIENTS,
    "the specific third parties": Part.RECIPIENTS,
    "all third parties who got them, with a way to reach each": Part.RECIPIENTS,
    "how long the data are kept, or how that period is set": Where.CLOCKS,
    "the rights to correct, erase, restrict and object, and to make a complaint to the authority": Where.RIGHTS,
    "the source, where it is not the person": Part.SOURCE,
    "the logic and effect of automated decisions": Part.DECISIONS,
    "the safeguards, where data leave the area": Part.RECIPIENTS,
    "the safeguards, where data leave the United Kingdom": Part.RECIPIENTS,
    "the answer in electronic form, where the request came so and as far as possible": Where.FORM,
    "the logic, weight and effect of an automated decision, where the person asks for it: the procedure and principles "
    "actually applied, since a formula alone is not enough (CJEU C-203/22 of 2025-02-27, not checked in the source)":
        Part.DECISIONS,
    "the logic, weight and effect of an automated decision, where the person asks for it": Part.DECISIONS,
    "the data that the person gave us, observed ones included and derived ones not, as far as they rest on consent or "
    "a contract and are handled by machine": Where.ALL,
    "the data given by consent or collected under the contract": Where.ALL,
    "a structured, common, machine-readable format (JSON, CSV, XML)": Where.FORM,
    "the transfer to another provider, where the person asks and it is feasible": Where.HUMAN,
    "a fee for the cost only where the requests are clearly excessive": Where.FORM,
    "free of charge, once or twice a year": Where.FORM,
    "free of charge, at least once in twelve months": Where.FORM,
    "free of charge; from general knowledge, no more than twice in twelve months must be answered": Where.FORM,
    "never the thing itself, only that it is held: Social Security, licence, account and medical insurance numbers, "
    "passwords, security questions, unique biometrics": Where.WITHHELD,
    "of access: Social Security numbers and the like are named as held, never shown": Where.WITHHELD,
    "a way to ask for data older than twelve months, where they are kept so long: a range of dates, or everything back "
    "to 2022-01-01": Where.SUMMARY,
    "of access: a representative summary may take the place of a copy": Where.ALL,
    "of an erasure: data obtained about the person too": Where.FORM,
    "of an erasure: copies in backups may wait until they are restored or used (rules 4.05 and 4.06)": Where.FORM,
    "on access: whether the data feed artificial intelligence": Where.HUMAN,
    "if refused: why, and how to appeal": Where.RIGHTS,
    "the form that is asked for, if it can readily be made": Where.FORM,
    "no more than a reasonable, cost-based fee for copies": Where.FORM,
    "by plain e-mail if the patient wants that after a warning": Where.HUMAN,
    "to a third party at the patient's direction: only the electronic copy of the electronic record": Where.HUMAN,
    "how the decision came about": Part.DECISIONS,
    "the right to refuse a decision made only by a machine": Where.RIGHTS,
    "the outcome": Part.DECISIONS,
    "the logic": Part.DECISIONS,
    "the reasons": Part.DECISIONS,
    "the data it rests on, for correction": Part.DECISIONS,
    "the new result": Where.HUMAN,
    "disclosures of the last 6 years": Part.RECIPIENTS,
    "of each: date, recipient with address, what, purpose": Part.RECIPIENTS,
    "left out: care, payment and operations, to the patient, incidental, authorized, directory or family, national "
    "security, custody, limited data set": Where.HUMAN,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Content:
    """One thing that a law wants in the answer, and where it is."""

    says: str  # in the words of the pack
    place: Place

    @property
    def known(self) -> bool:
        """Whether anybody has said where such a content stands."""
        return self.says in PLACES

    @property
    def where(self) -> _StrPromise | str:
        """Where it is, in words."""
        return self.place.says if isinstance(self.place, Where) else self.place.label

    @property
    def anchor(self) -> str:
        """The place on the page to which a link leads; empty where there is none."""
        return "" if self.place in {Where.FORM, Where.HUMAN, Where.WITHHELD, Where.ALL} else str(self.place.value)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one rule of a law wants in the answer."""

    rule: str
    law: str
    cite: str
    what: str
    contents: Sequence[Content]


def contents_of(request: Request) -> list[Wanted]:
    """Return what the person's laws want in the answer to a request: from the duties that the law counted for it."""
    duties = OwedDuty.objects.filter(event__about=request.ref, entity=request.entity_id, act="answer")
    return list(_wanted(duties.order_by("day", "rule").values_list("rule", "told")))


def _wanted(duties: Iterable[tuple[str, Mapping[str, object]]]) -> Iterator[Wanted]:
    for rule, told in duties:
        known = rule_of(rule)
        law = laws().get(str(told.get("law", "")))
        listed = told.get("contents")
        yield Wanted(
            rule=rule, law=law.name if law else "", what=str(told.get("what", "")),
            cite=str(told.get("cite", "")) or (known.source.cite if known else ""),
            contents=[placed(str(each)) for each in listed] if isinstance(listed, list) else [],
        )  # fmt: skip


def placed(says: str) -> Content:
    """Return a content with its place; one that nobody has given a place is a human's."""
    return Content(says=says, place=PLACES.get(says, Where.HUMAN))


def withholds(wanted: Iterable[Wanted]) -> bool:
    """Say whether one of these laws wants some numbers named as held, and not shown."""
    return any(content.place is Where.WITHHELD for each in wanted for content in each.contents)
