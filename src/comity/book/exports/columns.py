"""What a file says of people, column by column: the same names where people leave this book and where they enter it.

A column gives the cells of a whole batch of people, in their order. A cell is a text, or, where there may be several
values, a list of them. Other rooms add columns of their own (`register`); what is sealed is in a batch only as far as a
decision on record opened it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy as _

from comity.book.exports.marking import marks
from comity.book.models import Reach
from comity.book.opening import name_label
from comity.refs import shown
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper
    from django.utils.functional import _StrPromise

    from comity.staff.models import Entity
    from comity.vault.actions import Opened

Cell: TypeAlias = "str | list[str]"


class Plain(NamedTuple):
    """The plain facts of a person, and of what there is between them and the entity, that a file may say."""

    home: str | None
    language: str | None
    birth_year: int | None
    birth_month: int | None
    capacity: str | None
    objected_at: datetime | None
    opt_out_signal_at: datetime | None
    restricted_at: datetime | None
    deceased_at: datetime | None
    customer_since: date | None
    source: str | None
    notice: str | None
    notice_on: date | None


@dataclass(kw_only=True)
class Batch:
    """Some people of an export, all of them permitted, with what their rows are made of: all lists in their order."""

    entity: Entity
    persons: Sequence[UUID]
    code: str
    mark_key: bytes
    plain: Sequence[Plain] = ()
    points: Mapping[str, Sequence[Sequence[UUID]]] = field(default_factory=dict)  # by reach; the first to use first
    organisations: Sequence[list[str]] = ()
    tags: Sequence[list[str]] = ()
    names: Sequence[Opened] = ()
    reached: Mapping[str, Sequence[list[str]]] = field(default_factory=dict)  # what was sealed under `points`
    opened: Mapping[UUID, Opened] = field(default_factory=dict)  # what was sealed under labels of other rooms' columns


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

WANTED: Final = "unnest(%s::uuid[]) WITH ORDINALITY AS wanted (ref, place)"
PLAIN: Final = f"""
    SELECT home, language, birth_year, birth_month, capacity, objected_at, opt_out_signal_at, restricted_at,
           deceased_at, customer_since, source, notice, notice_on
    FROM {WANTED} LEFT JOIN book_person AS person ON person.ref = wanted.ref
    LEFT JOIN book_relation AS relation ON relation.person_id = wanted.ref AND relation.entity_id = %s ORDER BY place
"""  # noqa: S608 - our own words
POINTS: Final = f"""
    SELECT place, reach, point.ref FROM {WANTED} JOIN book_contactpoint AS point ON point.person_id = wanted.ref
    ORDER BY place, first DESC, added_at, point.ref
"""  # noqa: S608 - our own words
ORGANISATIONS: Final = f"""
    SELECT wanted.place, organisation.name
    FROM {WANTED} JOIN book_post AS post ON post.person_id = wanted.ref AND post.ends_on IS NULL
    JOIN book_organisation AS organisation ON organisation.ref = post.organisation_id
    ORDER BY wanted.place, post.ref
"""  # noqa: S608 - our own words
TAGS: Final = f"""
    SELECT place, name FROM {WANTED} JOIN book_tagging AS tagging ON tagging.person_id = wanted.ref
    JOIN book_tag AS tag ON tag.ref = tagging.tag_id ORDER BY place, name
"""  # noqa: S608 - our own words


def gathered(batch: Batch) -> Batch:
    """Fill a batch with the plain facts of its people. What is sealed, the caller opens: `labels`, `with_opened`."""
    many, wanted = len(batch.persons), as_array(batch.persons)
    with connection.cursor() as cursor:
        cursor.execute(PLAIN, [wanted, batch.entity.ref])
        batch.plain = [Plain(*row) for row in cursor.fetchall()]
        points: dict[str, list[list[UUID]]] = {reach: [[] for _ in range(many)] for reach in Reach.values}
        cursor.execute(POINTS, [wanted])
        for place, reach, ref in cursor.fetchall():
            points[reach][place - 1].append(ref)
        batch.points = points
        batch.organisations = _listed(cursor, ORGANISATIONS, wanted, many)
        batch.tags = _listed(cursor, TAGS, wanted, many)
    return batch


def as_array(refs: Iterable[UUID]) -> str:
    """Return refs as PostgreSQL writes an array: the quickest way to give it many."""
    return "{" + ",".join([ref.hex for ref in refs]) + "}"


def _listed(cursor: CursorWrapper, query: str, wanted: str, many: int) -> list[list[str]]:
    found: list[list[str]] = [[] for _ in range(many)]
    cursor.execute(query, [wanted])
    for place, text in cursor.fetchall():
        found[place - 1].append(text)
    return found


def labels(batch: Batch, columns: Iterable[Column]) -> list[Label]:
    """Return what must be opened for these columns."""
    columns = list(columns)
    wanted = {column.id for column in columns}
    found = [name_label(person) for person in batch.persons] if wanted & NAMES else []
    for column, reach in REACHED.items():
        if column in wanted:
            sealed_as = FieldClass.ADDRESS if reach == Reach.POST else FieldClass.CONTACT
            pairs = zip(batch.persons, batch.points[reach], strict=True)
            found += [Label(person, sealed_as, "point", ref) for person, refs in pairs for ref in refs]
    return found + [label for column in columns if column.labels for label in column.labels(batch)]


def with_opened(batch: Batch, opened: Iterable[tuple[Label, Opened]]) -> Batch:
    """Put what was opened where the cells find it."""
    found, others = {}, {}
    for label, fields in opened:
        found[label.record.int] = fields  # a name's record is the person
        if label.kind not in OWN_KINDS:
            others[label.record] = fields
    batch.opened = others
    batch.names = [found.get(person.int, NO_FIELDS) for person in batch.persons]
    batch.reached = {
        reach: [[str(found.get(ref.int, NO_FIELDS).get(reach, "")) for ref in refs] for refs in batch.points[reach]]
        for reach in REACHED.values()
    }
    return batch


# ---------------------------------------------------------------- cells


def _named(part: str) -> Callable[[Batch], list[Cell]]:
    return lambda batch: [str(name) if (name := fields.get(part)) else "" for fields in batch.names]


NO_FIELDS: Final[Opened] = {}


def _plain(which: str) -> Callable[[Batch], list[Cell]]:
    place = Plain._fields.index(which)
    return lambda batch: ["" if (value := row[place]) is None else said(value) for row in batch.plain]


def _text(which: str) -> Callable[[Batch], list[Cell]]:
    place = Plain._fields.index(which)
    return lambda batch: [str(row[place] or "") for row in batch.plain]


def said(value: object) -> str:
    """Return a plain value as files say it: days and instants as ISO 8601, nothing for what is not known."""
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


REACHED: Final[Mapping[str, Reach]] = {"email": Reach.EMAIL, "phone": Reach.PHONE, "address": Reach.POST}
OWN_KINDS: Final = frozenset({"person", "point"})
NAMES: Final = frozenset({"given", "family", "full", "post"})

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
        cells=lambda batch: [*batch.reached[Reach.EMAIL]],
    ),
    Column(
        id="phone", header="Phone", title=_("Phone"), many=True, field_class=FieldClass.CONTACT,
        cells=lambda batch: [*batch.reached[Reach.PHONE]],
    ),
    Column(
        id="address", header="Address", title=_("Address"), many=True, field_class=FieldClass.ADDRESS,
        cells=lambda batch: [*batch.reached[Reach.POST]],
    ),
    Column(
        id="organisation", header="Organisation", title=_("Organisation"), many=True,
        cells=lambda batch: [*batch.organisations],
    ),
    Column(id="home", header="Home", title=_("Home"), cells=_text("home")),
    Column(id="language", header="Language", title=_("Language"), cells=_text("language")),
    Column(id="birth-year", header="Birth year", title=_("Birth year"), cells=_plain("birth_year")),
    Column(id="birth-month", header="Birth month", title=_("Birth month"), cells=_plain("birth_month")),
    Column(id="met-as", header="Met as", title=_("Met as"), cells=_text("capacity")),
    Column(id="customer-since", header="Customer since", title=_("Customer since"), cells=_plain("customer_since")),
    Column(id="source", header="Source", title=_("Source"), cells=_text("source")),
    Column(id="notice", header="Notice", title=_("Notice"), cells=_text("notice")),
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
