"""By what a list of people may be narrowed: each filter says its choices, how it narrows, and how it is called.

Filters stand in the address (`?home=DE&home=FR&tag=…`): several values of one are any of them, several filters are all
of them. They ask plain columns alone; what is sealed is found by search. A room above this one registers its own
(`register_filter`), such as where people stand with their consents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.formats import date_format
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


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One way to narrow the list of people.

    `keeps` returns the condition for any of these values. `choices` gives what may be chosen; a filter without choices
    takes a day. `told` says what a value is called where the choices do not have it.
    """

    id: str
    title: Said
    keeps: Callable[[Look, Sequence[str]], Q]
    choices: Callable[[Look], Choices] | None = None
    told: Callable[[Look, str], str] | None = None
    fixed: bool = True  # a value that is not among the choices is refused
    first: bool = False  # stands in the bar; the others stand behind "More filters"

    def says(self, look: Look, value: str) -> str:
        """Return what a value is called, as a chip shows it."""
        if self.told is not None:
            return self.told(look, value)
        if self.choices is None:
            return date_format(date.fromisoformat(value), "DATE_FORMAT")
        return str(dict(self.choices(look)).get(value, value))

    def check(self, look: Look, values: Sequence[str]) -> None:
        """Raise BadRequest for a value that this filter does not have, rather than show everybody."""
        for value in values:
            if not self._has(look, value):
                raise BadRequest(f"the filter {self.id} has no {value[:60]!r}; take it out of the address")

    def _has(self, look: Look, value: str) -> bool:
        if self.choices is None:
            return _is_day(value)
        return not self.fixed or value in dict(self.choices(look))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_ref(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


# ---------------------------------------------------------------- what the book knows


def _or_empty(values: Iterable[str]) -> list[str]:
    return ["" if value == UNKNOWN else value for value in values]


def _of_relation(look: Look, **condition: object) -> Exists:
    return Exists(Relation.objects.filter(person=OuterRef("pk"), entity=look.entity, **condition))


def _customers(look: Look, values: Sequence[str]) -> Q:
    customer = _of_relation(look, customer_since__isnull=False)
    kept = Q()
    for value in values:
        kept |= Q(customer) if value == "yes" else ~Q(customer)
    return kept


def _reached(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(ContactPoint.objects.filter(person=OuterRef("pk"), reach__in=values, first=True)))


def _tagged(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(Tagging.objects.filter(person=OuterRef("pk"), tag__in=_refs(values))))


def _working_at(_look: Look, values: Sequence[str]) -> Q:
    return Q(Exists(Post.objects.filter(person=OuterRef("pk"), organisation__in=_refs(values), ends_on=None)))


def _refs(values: Iterable[str]) -> list[UUID]:
    if wrong := [value for value in values if not _is_ref(value)]:
        raise BadRequest(f"{wrong[0][:60]!r} is no ref; take it out of the address")
    return [UUID(value) for value in values]


def _with_unknown(choices: Iterable[tuple[str, Said]]) -> Choices:
    return [*choices, (UNKNOWN, _("not known"))]


def _homes(look: Look) -> Choices:
    named = sorted(((code, said_of(code)) for code in homes_of(look) if code), key=lambda pair: pair[1])
    return _with_unknown(named)


def _home_told(_look: Look, value: str) -> str:
    return str(_("not known")) if value == UNKNOWN else said_of(value)


def _tags(look: Look) -> Choices:
    return [(str(ref), name) for ref, name in names_of_tags(look.viewer, look.entity)]


def _tag_told(look: Look, value: str) -> str:
    seen = tags_seen_by(look.viewer, look.entity).filter(ref__in=_refs([value]))
    return str(seen.values_list("name", flat=True).first() or _("a tag"))


def _organisation_told(look: Look, value: str) -> str:
    seen = Organisation.objects.filter(entities__contains=[look.entity.ref])
    return str(seen.filter(ref__in=_refs([value])).values_list("name", flat=True).first() or _("an organisation"))


FILTERS: Final[dict[str, Filter]] = {}


def register_filter(one: Filter) -> None:
    """Offer a filter; a room above this one calls it when it starts. Raises ValueError for an id that is taken."""
    if FILTERS.get(one.id, one) is not one or one.id in RESERVED:
        raise ValueError(f"there is a filter {one.id} already, or the list itself uses that word")
    FILTERS[one.id] = one


RESERVED: Final = frozenset({"entity", "purpose", "sort", "columns", "from", "view", "letter", "q"})
"""Words of the address that are no filters."""

for _one in (
    Filter(
        id="home", title=_("Home"), choices=_homes, told=_home_told, fixed=False, first=True,
        keeps=lambda _look, values: Q(home__in=_or_empty(values)),
    ),
    Filter(id="reach", title=_("Reached by"), choices=lambda _look: Reach.choices, keeps=_reached, first=True),
    Filter(
        id="customer", title=_("Customer"), choices=lambda _look: [("yes", _("Customers")), ("no", _("No customers"))],
        keeps=_customers, first=True,
    ),
    Filter(id="tag", title=_("Tag"), choices=_tags, told=_tag_told, fixed=False, keeps=_tagged, first=True),
    Filter(
        id="capacity", title=_("Met as"), choices=lambda _look: _with_unknown(Capacity.choices),
        keeps=lambda _look, values: Q(capacity__in=_or_empty(values)),
    ),
    Filter(
        id="language", title=_("Language"), fixed=False,
        choices=lambda look: _with_unknown((code, code) for code in languages_of(look) if code),
        keeps=lambda _look, values: Q(language__in=_or_empty(values)),
    ),
    Filter(
        id="source", title=_("Source"), choices=lambda _look: _with_unknown(Source.choices),
        keeps=lambda look, values: Q(_of_relation(look, source__in=_or_empty(values))),
    ),
    Filter(
        id="contact_after", title=_("Last contact from"),
        keeps=lambda _look, values: Q(last_contact_on__gte=max(map(date.fromisoformat, values))),
    ),
    Filter(
        id="contact_before", title=_("Last contact before"),
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

    def __bool__(self) -> bool:
        return bool(self.values)

    def narrow(self, persons: QuerySet[Person]) -> QuerySet[Person]:
        """Keep those who pass every filter."""
        for name, values in self.values.items():
            persons = persons.filter(FILTERS[name].keeps(self.look, values))
        return persons

    def of(self, name: str) -> tuple[str, ...]:
        """Return the chosen values of one filter."""
        return self.values.get(name, ())

    def chips(self, query: QueryDict) -> list[Chip]:
        """Return what the page shows of them, each with the address that takes it away."""
        return [
            Chip(
                title=str(FILTERS[name].title), says=FILTERS[name].says(self.look, value),
                without=_without(query, name, value),
            )
            for name, values in self.values.items()
            for value in values
        ]  # fmt: skip


def _without(query: QueryDict, name: str, value: str) -> str:
    rest = query.copy()
    rest.setlist(name, [each for each in query.getlist(name) if each != value])
    rest.pop("from", None)
    return f"?{rest.urlencode()}"


def chosen(look: Look, query: QueryDict) -> Chosen:
    """Read the filters of an address. Raises BadRequest for a value that a filter does not have."""
    values = {name: tuple(dict.fromkeys(filter(None, query.getlist(name)))) for name in FILTERS if name in query}
    told = {name: given for name, given in values.items() if given}
    for name, given in told.items():
        if len(given) > MOST_VALUES:
            raise BadRequest(f"the filter {name} takes {MOST_VALUES} values at most")
        FILTERS[name].check(look, given)
    return Chosen(look, told)
