"""What a file says of people, column by column: the same names where people leave this book and where they enter it.

A column gives the cells of a whole batch of people, in their order. A cell is a text; in a column in which there may be
several values, each is a list of them. Other rooms add columns of their own (`register`); what is sealed is in a batch
only as far as a decision on record opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from django.db.models import Func, Value
from django.utils.translation import gettext_lazy as _

from comity.book.exports.marking import marks
from comity.book.models import Reach
from comity.book.opening import name_labels
from comity.refs import as_array, shown
from comity.staff.once import rows_of
from comity.vault.sealing import FieldClass, Label, labels

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity
    from comity.vault.actions import Opened

Cell: TypeAlias = "str | list[str]"


@dataclass(kw_only=True)
class Batch:
    """Some people of an export, all of them permitted, with what their rows are made of: all lists in their order.

    What must be opened stands under the ids of columns, and what was opened in the same order: names are in one blob,
    under NAME.
    """

    entity: Entity
    persons: Sequence[UUID]
    code: str
    mark_key: bytes
    plain: Mapping[str, Sequence[object]] = field(default_factory=dict)  # by PLAIN
    points: Mapping[str, Sequence[tuple[int, UUID]]] = field(default_factory=dict)  # by reach: whose, and which
    organisations: Sequence[list[str]] = ()
    tags: Sequence[list[str]] = ()
    wanted: Mapping[str, Sequence[Label]] = field(default_factory=dict)
    opened: Mapping[str, Sequence[Opened | None]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column: its header in files, its name on pages, and its cells; `field_class` is that of sealed values."""

    id: str
    header: str
    title: _StrPromise | str
    cells: Callable[[Batch], Sequence[Cell]]
    field_class: FieldClass | None = None
    many: bool = False
    labels: Callable[[Batch], list[Label]] | None = None  # what must be opened for it, beside names and contact points
    always: bool = False  # in every file but a vCard, so that a no is never lost on the way out and back


Source: TypeAlias = "Callable[[Entity], Sequence[Column]]"
_sources: dict[str, Source] = {}


def register(room: str, source: Source) -> None:
    """Let a room above say what else there is to tell of people. Called once, when the application starts."""
    if room in _sources and _sources[room] is not source:
        raise ValueError(f"{room} has registered its columns already")
    _sources[room] = source


def columns_of(entity: Entity, classes: Iterable[FieldClass]) -> list[Column]:
    """Return the columns that there are for whoever may take these classes of fields out."""
    may = set(classes)
    known = [*COLUMNS, *(column for source in _sources.values() for column in source(entity))]
    return [column for column in known if column.field_class is None or column.field_class in may]


def classes_of(columns: Iterable[Column]) -> list[FieldClass]:
    """Return the classes of sealed fields that these columns take."""
    return sorted({column.field_class for column in columns if column.field_class is not None})


# ---------------------------------------------------------------- what rows are made of

AT, TAG = "organisation", "tag"
WANTED: Final = "unnest(%s::uuid[]) WITH ORDINALITY AS wanted (ref, place)"
PLAIN: Final = (
    "home", "language", "birth_year", "birth_month", "capacity", "objected_at", "opt_out_signal_at", "restricted_at",
    "deceased_at", "customer_since", "source", "notice", "notice_on",
)  # fmt: skip
"""The plain facts of a person, and of what there is between them and the entity, that a file may say."""
FACTS: Final = f"""
    SELECT {", ".join(PLAIN)} FROM {WANTED} LEFT JOIN book_person AS person ON person.ref = wanted.ref
    LEFT JOIN book_relation AS relation ON relation.person_id = wanted.ref AND relation.entity_id = %s ORDER BY place
"""  # noqa: S608 - our own words
BESIDE: Final = f"""
    WITH wanted AS (SELECT * FROM {WANTED})
    SELECT place, reach, ref, name FROM (
        SELECT wanted.place, reach, point.ref, NULL AS name, NOT first AS later, added_at
        FROM wanted JOIN book_contactpoint AS point ON point.person_id = wanted.ref
    UNION ALL
        SELECT wanted.place, '{AT}', post.ref, organisation.name, false, NULL
        FROM wanted JOIN book_post AS post ON post.person_id = wanted.ref AND post.ends_on IS NULL
        JOIN book_organisation AS organisation ON organisation.ref = post.organisation_id
    UNION ALL
        SELECT wanted.place, '{TAG}', NULL, tag.name, false, NULL
        FROM wanted JOIN book_tagging AS tagging ON tagging.person_id = wanted.ref
        JOIN book_tag AS tag ON tag.ref = tagging.tag_id
    ) AS beside ORDER BY place, reach, later, added_at, ref, name
"""  # noqa: S608 - our own words
"""Contact points, the first to use first; organisations; tags by name: in one query, since each costs a way there."""


def gathered(batch: Batch, columns: Sequence[Column]) -> Batch:
    """Fill a batch with the plain facts of its people, and with the labels of what must be opened for these columns.

    The caller opens that, and calls `with_opened`.
    """
    wanted = as_array(batch.persons)
    facts = rows_of(FACTS, [wanted, batch.entity.ref], binary=True)
    batch.plain = dict(zip(PLAIN, zip(*facts, strict=True), strict=bool(facts)))
    beside: dict[str, list[tuple[int, Any]]] = {each: [] for each in (*Reach.values, AT, TAG)}
    for place, what, ref, name in rows_of(BESIDE, [wanted], binary=True):
        beside[what].append((place - 1, ref if name is None else name))
    batch.points, many = beside, len(batch.persons)
    batch.organisations, batch.tags = _listed(beside[AT], many), _listed(beside[TAG], many)
    batch.wanted = _labels(batch, columns)
    return batch


def _listed(texts: Iterable[tuple[int, str]], many: int) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(many)]
    for place, text in texts:
        found[place].append(text)
    return found


def among(persons: str) -> Func:
    """Return people (`as_array`) for an `…__in` of Django's, which takes longer to write a thousand than all else."""
    return Func(Value(persons), template="(SELECT unnest(%(expressions)s::uuid[]))")


def _labels(batch: Batch, columns: Sequence[Column]) -> dict[str, list[Label]]:
    ids, persons = {column.id for column in columns}, batch.persons
    found = {NAME: name_labels(persons)} if ids & NAMES else {}
    for column, reach in REACHED.items():
        if column in ids:
            sealed_as = FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT
            points = batch.points[reach]
            found[column] = labels(
                [persons[place] for place, _ref in points], sealed_as, "point", [ref for _place, ref in points]
            )
    return found | {column.id: column.labels(batch) for column in columns if column.labels}


def with_opened(batch: Batch, opened: Iterable[Opened | None]) -> Batch:
    """Put what was opened, in the order of all that was wanted, where the cells find it."""
    rest = iter(opened)
    batch.opened = {column: list(islice(rest, len(wanted))) for column, wanted in batch.wanted.items()}
    return batch


# ---------------------------------------------------------------- cells


REACHED: Final[Mapping[str, Reach]] = {"email": Reach.EMAIL, "phone": Reach.PHONE, "address": Reach.POST}
NAME: Final = "name"
NAMES: Final = frozenset({"given", "family", "full", "post"})
NO_FIELDS: Final[Opened] = {}


def _named(part: str) -> Callable[[Batch], list[Cell]]:
    return lambda batch: [str((fields or NO_FIELDS).get(part) or "") for fields in batch.opened[NAME]]


def _reached(column: str) -> Callable[[Batch], list[Cell]]:
    reach = REACHED[column]

    def cells(batch: Batch) -> list[Cell]:
        found: list[list[str]] = [[] for _ in batch.persons]
        for (place, _ref), fields in zip(batch.points[reach], batch.opened[column], strict=True):
            if fields and (value := fields.get(reach)):
                found[place].append(str(value))
        return [*found]

    return cells


def _plain(which: str) -> Callable[[Batch], list[Cell]]:
    def cells(batch: Batch) -> list[Cell]:
        values = batch.plain.get(which, ())
        words = {value: said(value) for value in set(values)}  # the same few in most columns
        return [words[value] for value in values]

    return cells


def said(value: object) -> str:
    """Return a plain value as files say it: days and instants as ISO 8601, nothing for what is not known."""
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


MARK: Final = "mark"
"""The column by which a file leads to its export; it is in every file."""

COLUMNS: Final = (
    Column(
        id="ref", header="Person ref", title=_("Person ref"), cells=lambda batch: [shown(one) for one in batch.persons]
    ),
    Column(
        id=MARK, header="Export mark", title=_("Export mark"), always=True,
        cells=lambda batch: [*marks(code=batch.code, key=batch.mark_key, persons=batch.persons)],
    ),
    Column(id="given", header="Given name", title=_("Given name"), cells=_named("given"), field_class=FieldClass.NAME),
    Column(
        id="family", header="Family name", title=_("Family name"), cells=_named("family"), field_class=FieldClass.NAME
    ),
    Column(id="full", header="Full name", title=_("Full name"), cells=_named("full"), field_class=FieldClass.NAME),
    Column(id="post", header="Post", title=_("Post"), cells=_named("post"), field_class=FieldClass.NAME),
    Column(
        id="email", header="E-mail", title=_("E-mail"), many=True, field_class=FieldClass.CONTACT,
        cells=_reached("email"),
    ),
    Column(
        id="phone", header="Phone", title=_("Phone"), many=True, field_class=FieldClass.CONTACT,
        cells=_reached("phone"),
    ),
    Column(
        id="address", header="Address", title=_("Address"), many=True, field_class=FieldClass.ADDRESS,
        cells=_reached("address"),
    ),
    Column(
        id="organisation", header="Organisation", title=_("Organisation"), many=True,
        cells=lambda batch: [*batch.organisations],
    ),
    Column(id="home", header="Home", title=_("Home"), cells=_plain("home")),
    Column(id="language", header="Language", title=_("Language"), cells=_plain("language")),
    Column(id="birth-year", header="Birth year", title=_("Birth year"), cells=_plain("birth_year")),
    Column(id="birth-month", header="Birth month", title=_("Birth month"), cells=_plain("birth_month")),
    Column(id="met-as", header="Met as", title=_("Met as"), cells=_plain("capacity")),
    Column(id="customer-since", header="Customer since", title=_("Customer since"), cells=_plain("customer_since")),
    Column(id="source", header="Source", title=_("Source"), cells=_plain("source")),
    Column(id="notice", header="Notice", title=_("Notice"), cells=_plain("notice")),
    Column(id="notice-on", header="Notice on", title=_("Notice on"), cells=_plain("notice_on")),
    Column(
        id="tags", header="Tags", title=_("Tags"), many=True,
        cells=lambda batch: [*batch.tags],
    ),
    Column(
        id="objected", header="Objected at", title=_("Objected"), always=True,
        cells=_plain("objected_at"),
    ),
    Column(
        id="signal", header="Opt-out signal at", title=_("Opt-out signal"), always=True,
        cells=_plain("opt_out_signal_at"),
    ),
    Column(
        id="restricted", header="Restricted at", title=_("Restricted"), always=True,
        cells=_plain("restricted_at"),
    ),
    Column(
        id="deceased", header="Deceased at", title=_("Died"), always=True,
        cells=_plain("deceased_at"),
    ),
)  # fmt: skip
