"""By what a list of people may be narrowed: each filter says its choices, how it narrows, and how it is called.

Filters stand in the address (`?home=DE&home=FR&tag=…`): several values of one are any of them, several filters are all
of them. Those of a bunch hold together of one thing: a call after 1 March is not a call ever and a mail after that day.
They ask plain columns; of what is sealed only what somebody has exactly (`exactly`). A room above this one registers
its own (`register_filter`), such as where people stand with their consents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.lists.counting import homes_of, languages_of
from comity.book.models import Capacity, ContactPoint, Organisation, Person, Post, Reach, Relation, Source, Tagging
from comity.book.places import said_of
from comity.book.queries import names_of_tags, tags_seen_by

if TYPE_CHECKING:
    from django.http import QueryDict
    from django.utils.functional import _StrPromise

    from comity.book.opening import Look

    Said = str | _StrPromise
    Choices = Sequence[tuple[str, Said]]

UNKNOWN: Final = "unknown"
"""The value that stands for an empty column."""
MOST_VALUES: Final = 20
"""Values of one filter; an address that has more was not made by our pages."""
MOST_ORGANISATIONS: Final = 200


class Group(TextChoices):
    """Under which heading a filter stands that is not in the bar."""

    WHO = "who", _("Who they are")
    DEALINGS = "dealings", _("What there is between us")
    HAPPENED = "happened", _("What happened")
    SENT = "sent", _("What we sent")
    SAID = "said", _("What they said")
    OWN = "own", _("Fields of our own")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is written into a filter that has no choices. `reads` raises ValueError for what is no such thing."""

    type: str
    reads: Callable[[str], object]
    says: Callable[[str], str]


def _year(text: str) -> int:
    if not (text.isascii() and text.isdigit() and FIRST_YEAR <= int(text[:5]) <= LAST_YEAR):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(text) from error
    if not found.is_finite() or len(text) > LONGEST_NUMBER or abs(found) >= LARGEST:
        raise ValueError(text)
    return found


FIRST_YEAR, LAST_YEAR = 1850, 2200
LONGEST_NUMBER: Final = 30
LARGEST: Final = Decimal(10) ** 24
DAY: Final = Entry(
    type="date", reads=date.fromisoformat, says=lambda text: date_format(date.fromisoformat(text), "DATE_FORMAT")
)
YEAR: Final = Entry(type="number", reads=_year, says=str)
NUMBER: Final = Entry(type="number", reads=_number, says=lambda text: number_format(_number(text)))


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One way to narrow the list of people.

    `keeps` returns the condition for any of these values. `choices` gives what may be chosen; a filter without choices
    takes an `entry`. `told` says what a value is called where the choices do not have it, and `titled` of what it is a
    value, where the title does not say it. One of a `bunch` keeps nobody by itself. `seeks` narrows after all others,
    whoever these leave, for what is too dear to ask about everybody.
    """

    id: str
    title: Said
    keeps: Callable[[Look, Sequence[str]], Q] = lambda _look, _values: Q()
    choices: Callable[[Look], Choices] | None = None
    told: Callable[[Look, str], str] | None = None
    titled: Callable[[Look, str], str] | None = None
    knows: Callable[[Look, str], bool] | None = None
    seeks: Callable[[Look, Sequence[str], QuerySet[Person]], QuerySet[Person]] | None = None
    entry: Entry = DAY
    fixed: bool = True  # a value that is not among the choices is refused
    first: bool = False  # stands in the bar; the others stand behind "More filters"
    offered: bool = True  # a value may be chosen; if not, one that stands in the address counts all the same
    group: Group = Group.WHO
    bunch: str = ""
    within: Said = ""  # how a value is told where those of a bunch are one sentence: "from %(day)s"

    def says(self, look: Look, value: str) -> str:
        """Return what a value is called, as a chip shows it."""
        if self.told is not None:
            return self.told(look, value)
        if self.choices is None:
            return self.entry.says(value)
        return str(dict(self.choices(look)).get(value, value))

    def names(self, look: Look, value: str) -> str:
        """Return of what this is a value."""
        return self.titled(look, value) if self.titled is not None else str(self.title)

    def check(self, look: Look, values: Sequence[str]) -> None:
        """Raise BadRequest for a value that this filter does not have, rather than show everybody."""
        for value in values:
            if not self._has(look, value):
                raise BadRequest(f"the filter {self.id} has no {value[:60]!r}; take it out of the address")

    def _has(self, look: Look, value: str) -> bool:
        if self.knows is not None:
            return self.knows(look, value)
        if self.choices is None:
            return _reads(self.entry, value)
        return not self.fixed or value in dict(self.choices(look))


def _reads(entry: Entry, text: str) -> bool:
    try:
        entry.reads(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Bunch:
    """Filters that hold together of one thing. `keeps` gets the values of each that was chosen, by its id."""

    id: str
    title: Said
    keeps: Callable[[Look, Mapping[str, Sequence[str]]], Q]


def day_begins(values: Iterable[str], *, last: bool = False) -> datetime:
    """Return the instant at which a day begins for whoever looks: of several days the first, or the last."""
    days = [date.fromisoformat(value) for value in values]
    return timezone.make_aware(datetime.combine(max(days) if last else min(days), time.min))


def _is_ref(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------- what the book knows


def or_empty(values: Iterable[str]) -> list[str]:
    """Return values as a column has them."""
    return ["" if value == UNKNOWN else value for value in values]


def of_relation(look: Look, **condition: object) -> Exists:
    """Return whether there is such a relation with the entity."""
    return Exists(Relation.objects.filter(person=OuterRef("pk"), entity=look.entity, **condition))


def yes_or_no(condition: Exists | Q, values: Sequence[str]) -> Q:
    """Return a condition as "yes" or "no" was chosen, or both."""
    kept = Q()
    for value in values:
        kept |= Q(condition) if value == "yes" else ~Q(condition)
    return kept


def _customers(look: Look, values: Sequence[str]) -> Q:
    return yes_or_no(of_relation(look, customer_since__isnull=False), values)


def _reached(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(ContactPoint.objects.filter(person=OuterRef("pk"), reach__in=values, first=True)))


def _tagged(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(Tagging.objects.filter(person=OuterRef("pk"), tag__in=refs_of(values))))


def _working_at(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(Post.objects.filter(person=OuterRef("pk"), organisation__in=refs_of(values), ends_on=None)))


def refs_of(values: Iterable[str]) -> list[UUID]:
    """Return refs as an address has them. Raises BadRequest."""
    if wrong := [value for value in values if not _is_ref(value)]:
        raise BadRequest(f"{wrong[0][:60]!r} is no ref; take it out of the address")
    return [UUID(value) for value in values]


def with_unknown(choices: Iterable[tuple[str, Said]]) -> Choices:
    """Return choices, and that of an empty column."""
    return [*choices, (UNKNOWN, _("not known"))]


def _homes(look: Look) -> Choices:
    named = sorted(((code, said_of(code)) for code in homes_of(look) if code), key=lambda pair: pair[1])
    return with_unknown(named)


def _home_told(_look: Look, value: str) -> str:
    return str(_("not known")) if value == UNKNOWN else said_of(value)


def _tags(look: Look) -> Choices:
    return [(str(ref), name) for ref, name in names_of_tags(look.viewer, look.entity)]


def _tag_told(look: Look, value: str) -> str:
    seen = tags_seen_by(look.viewer, look.entity).filter(ref__in=refs_of([value]))
    return str(seen.values_list("name", flat=True).first() or _("a tag"))


def _organisation_told(look: Look, value: str) -> str:
    seen = Organisation.objects.filter(entities__contains=[look.entity.ref])
    return str(seen.filter(ref__in=refs_of([value])).values_list("name", flat=True).first() or _("an organisation"))


FILTERS: Final[dict[str, Filter]] = {}
BUNCHES: Final[dict[str, Bunch]] = {}


def register_filter(one: Filter) -> None:
    """Offer a filter; a room above this one calls it when it starts. Raises ValueError for an id that is taken."""
    if FILTERS.get(one.id, one) is not one or one.id in RESERVED:
        raise ValueError(f"there is a filter {one.id} already, or the list itself uses that word")
    FILTERS[one.id] = one


def register_bunch(bunch: Bunch, *filters: Filter) -> None:
    """Offer filters that hold together. Raises ValueError as `register_filter` does."""
    BUNCHES[bunch.id] = bunch
    for one in filters:
        register_filter(one)


Family = Callable[["Look"], "Mapping[str, Filter]"]
FAMILIES: Final[dict[str, Family]] = {}
"""Filters that each entity has of its own, by how their ids begin."""


def register_family(prefix: str, family: Family) -> None:
    """Offer filters that depend on whose people are listed; their ids begin with `prefix`."""
    FAMILIES[prefix] = family


def filters_of(look: Look) -> dict[str, Filter]:
    """Return every filter there is for a look, in the order in which they are shown."""
    known = dict(FILTERS)
    for family in FAMILIES.values():
        known |= family(look)
    return known


RESERVED: Final = frozenset({"entity", "purpose", "sort", "columns", "from", "view", "letter", "q", "about", "by"})
"""Words of the address that are no filters."""

for _one in (
    Filter(
        id="home", title=_("Home"), choices=_homes, told=_home_told, fixed=False, first=True,
        keeps=lambda _look, values: Q(home__in=or_empty(values)),
    ),
    Filter(id="reach", title=_("Reached by"), choices=lambda _look: Reach.choices, keeps=_reached, first=True),
    Filter(
        id="customer", title=_("Customer"), choices=lambda _look: [("yes", _("Customers")), ("no", _("No customers"))],
        keeps=_customers, first=True,
    ),
    Filter(id="tag", title=_("Tag"), choices=_tags, told=_tag_told, fixed=False, keeps=_tagged, first=True),
    Filter(
        id="capacity", title=_("Met as"), choices=lambda _look: with_unknown(Capacity.choices),
        keeps=lambda _look, values: Q(capacity__in=or_empty(values)),
    ),
    Filter(
        id="language", title=_("Language"), fixed=False,
        choices=lambda look: with_unknown((code, code) for code in languages_of(look) if code),
        keeps=lambda _look, values: Q(language__in=or_empty(values)),
    ),
    Filter(
        id="source", title=_("Source"), group=Group.DEALINGS, choices=lambda _look: with_unknown(Source.choices),
        keeps=lambda look, values: Q(of_relation(look, source__in=or_empty(values))),
    ),
    Filter(
        id="contact_after", title=_("Last contact from"), group=Group.HAPPENED,
        keeps=lambda _look, values: Q(last_contact_on__gte=max(map(date.fromisoformat, values))),
    ),
    Filter(
        id="contact_before", title=_("Last contact before"), group=Group.HAPPENED,
        keeps=lambda _look, values: Q(last_contact_on__lt=min(map(date.fromisoformat, values))),
    ),
):  # fmt: skip
    register_filter(_one)
register_filter(
    Filter(
        id="organisation", title=_("Organisation"), choices=lambda _look: (), told=_organisation_told, fixed=False,
        keeps=_working_at,
    )
)  # fmt: skip


# ---------------------------------------------------------------- what an address asks for


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One value of one filter, as the page shows it, and the address without it."""

    title: str
    says: str
    without: str


@dataclass(frozen=True)
class Chosen:
    """The filters of one address."""

    look: Look
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: Mapping[str, Filter] = field(default_factory=lambda: FILTERS)

    def __bool__(self) -> bool:
        return bool(self.values)

    def narrow(self, persons: QuerySet[Person]) -> QuerySet[Person]:
        """Keep those who pass every filter."""
        for name, values in self.values.items():
            persons = persons.filter(self.known[name].keeps(self.look, values))
        for bunch, told in self._bunches().items():
            persons = persons.filter(BUNCHES[bunch].keeps(self.look, told))
        for name, values in self.values.items():
            if (seeks := self.known[name].seeks) is not None:
                persons = seeks(self.look, values, persons)
        return persons

    def _bunches(self) -> dict[str, dict[str, tuple[str, ...]]]:
        found: dict[str, dict[str, tuple[str, ...]]] = {}
        for name, values in self.values.items():
            if bunch := self.known[name].bunch:
                found.setdefault(bunch, {})[name] = values
        return found

    def of(self, name: str) -> tuple[str, ...]:
        """Return the chosen values of one filter."""
        return self.values.get(name, ())

    def chips(self, query: QueryDict) -> list[Chip]:
        """Return what the page shows of them, each with the address that takes it away."""
        return [
            Chip(
                title=self.known[name].names(self.look, value), says=self.known[name].says(self.look, value),
                without=_without(query, name, value),
            )
            for name, values in self.values.items()
            for value in values
        ]  # fmt: skip

    def explained(self) -> list[str]:
        """Return in words who passes: a line for each filter or bunch, and whoever passes fits all of them."""
        lines: dict[str, list[str]] = {}
        bunches = self._bunches()
        for name, values in self.values.items():
            if not (bunch := self.known[name].bunch):
                self._explain(lines, name, values)
            elif name == next(iter(bunches[bunch])):
                told = [self._within(each, of) for each, of in bunches[bunch].items()]
                lines[str(BUNCHES[bunch].title)] = [", ".join(told)]
        return [say("%(what)s: %(values)s") % {"what": what, "values": _any_of(told)} for what, told in lines.items()]

    def _explain(self, lines: dict[str, list[str]], name: str, values: Iterable[str]) -> None:
        one = self.known[name]
        for value in values:
            lines.setdefault(one.names(self.look, value), []).append(one.says(self.look, value))

    def _within(self, name: str, values: Iterable[str]) -> str:
        one = self.known[name]
        told = _any_of([one.says(self.look, value) for value in values])
        return str(one.within) % {"day": told, "name": told} if one.within else told


def _any_of(told: Sequence[str]) -> str:
    """Join what is said of several values, of which one is enough."""
    *most, last = told
    return say("%(most)s or %(last)s") % {"most": ", ".join(most), "last": last} if most else last


def _without(query: QueryDict, name: str, value: str) -> str:
    rest = query.copy()
    rest.setlist(name, [each for each in query.getlist(name) if each != value])
    rest.pop("from", None)
    return f"?{rest.urlencode()}"


def chosen(look: Look, query: QueryDict) -> Chosen:
    """Read the filters of an address. Raises BadRequest for a value that a filter does not have."""
    known = filters_of(look)
    for name in query:
        if name not in known and name.startswith(tuple(FAMILIES)) and any(query.getlist(name)):
            raise BadRequest(f"there is no filter {name[:60]!r} for this entity; take it out of the address")
    values = {name: tuple(dict.fromkeys(filter(None, query.getlist(name)))) for name in known if name in query}
    told = {name: given for name, given in values.items() if given}
    for name, given in told.items():
        if len(given) > MOST_VALUES:
            raise BadRequest(f"the filter {name} takes {MOST_VALUES} values at most")
        known[name].check(look, given)
    return Chosen(look, told, known)
