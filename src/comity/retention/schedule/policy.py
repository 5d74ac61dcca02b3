"""The policy as everybody may read it: each category, what for, by which law, how long, and how it goes.

`public.py` shows it to the world, `views.py` to staff; both from here, so that they say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.counsel.keeping import DELETE, Reason, Term, reasons, terms
from comity.counsel.reading import places_said
from comity.retention.schedule.categories import PEOPLE, Category, schedule
from comity.vault.data_map import Clock, Table, data_map

if TYPE_CHECKING:
    from comity.staff.models import Entity

PLACES: Final = (
    "AT", "BE", "CN", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "NL", "PL", "PT", "SE", "US-CA", "US-NY",
)  # fmt: skip
"""Homes for which the public page says what the law has us keep and delete: the countries that have a pack, and two
states that stand for the rest of theirs. What counts for one person, their own page says."""


@dataclass(frozen=True, kw_only=True)
class Stay:
    """How long rows of some tables stay, in words."""

    says: str
    tables: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LawSays:
    """What a law has us do with these records, and for people of which places."""

    term: Term
    places: str

    @property
    def deletes(self) -> bool:
        """Whether it wants them gone, rather than kept."""
        return self.term.act == DELETE


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One category as the policy shows it."""

    category: Category
    name: str
    says: str
    purpose: str
    goes: str
    reasons: Sequence[Reason]
    stays: Sequence[Stay]
    law: Sequence[LawSays]


def policy(entity: Entity, today: date) -> list[Entry]:
    """Return the whole policy of an entity in the language of whoever reads, what is about people first."""
    ordered = sorted(schedule().categories, key=lambda one: one.about != PEOPLE)
    return [_entry(entity, category, today) for category in ordered]


def _entry(entity: Entity, category: Category, today: date) -> Entry:
    return Entry(
        category=category, name=_(category.name), says=_(category.says), purpose=_(category.purpose),
        goes=_(category.goes), reasons=reasons(category.rules, today), stays=list(stays(category)),
        law=law_of(entity, category, today),
    )  # fmt: skip


# ---------------------------------------------------------------- clocks in words


def stays(category: Category) -> Iterator[Stay]:
    """Give how long the tables of a category stay, those with the same clock together."""
    found: dict[str, list[str]] = {}
    for table in _tables(category):
        found.setdefault(stay_said(table.clock), []).append(f"{table.app}.{table.model}")
    for says, tables in found.items():
        yield Stay(says=says, tables=tuple(tables))


def _tables(category: Category) -> Iterable[Table]:
    declared = data_map()
    names = (name.partition(".") for name in category.tables)
    return [declared[app, model] for app, _dot, model in names if (app, model) in declared]


def stay_said(clock: Clock) -> str:
    """Say how long something stays, as people say it."""
    if clock.until != "after":
        return {
            "person": _("until you are erased"), "staff": _("until they leave"),
            "parent": _("as long as what it belongs to"), "ledger": _("for good, as proof, without a name"),
            "book": _("as long as the book is kept"),
        }[clock.until]  # fmt: skip
    told = {"n": clock.count, "since": _(schedule().since.get(clock.column, clock.column))}
    match clock.unit:
        case "days":
            return ngettext("%(n)d day after %(since)s", "%(n)d days after %(since)s", clock.count) % told
        case "months":
            return ngettext("%(n)d month after %(since)s", "%(n)d months after %(since)s", clock.count) % told
    return ngettext("%(n)d year after %(since)s", "%(n)d years after %(since)s", clock.count) % told


# ---------------------------------------------------------------- what the laws say, place by place


def law_of(entity: Entity, category: Category, today: date) -> list[LawSays]:
    """Return what the laws of the places say of such records, each rule once: first what they have us keep."""
    if not category.records:
        return []
    found = _law_of(entity.place, _frozen(entity.facts), category.records, today)
    return [LawSays(term=term, places=places_said(places)) for term, places in found]


@lru_cache(maxsize=256)
def _law_of(
    place: str, facts: tuple[tuple[str, Any], ...], records: tuple[str, ...], today: date
) -> list[tuple[Term, tuple[str, ...]]]:
    """Ask the law for each place: the same rule for several is one line."""
    from comity.staff.models import Entity

    entity = Entity(
        place=place, facts={name: list(value) if isinstance(value, tuple) else value for name, value in facts}
    )
    found: dict[str, tuple[Term, list[str]]] = {}
    for home in PLACES:
        for term in terms(entity, records, on=today, today=today, facts={"person.home": [home]}):
            if term.certain or term.within:
                found.setdefault(term.rule, (term, []))[1].append(home)
    rows = [(term, tuple(places)) for term, places in found.values()]
    return sorted(rows, key=lambda row: (row[0].act == DELETE, row[0].at_once, row[0].rule))


def _frozen(facts: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((name, tuple(value) if isinstance(value, list) else value) for name, value in sorted(facts.items()))
