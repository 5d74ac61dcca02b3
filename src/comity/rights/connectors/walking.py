"""The way from what somebody is known by to their rows: along references, through collections, across databases.

First a route is laid, once for the descriptions: each reference gets the one way in which it is followed. Then values
flow along it, from the identities to rows, from rows to rows, until nothing new comes. A row is taken once, so circles
in the data end; and a reference is never followed back, so one's order does not lead to everybody's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection as Several
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from comity.rights.connectors.datasets import Collection, Dataset, Key, circle_in

MOST_ROWS: Final = 100_000
"""Rows of one person at most: more says that a reference leads to everybody."""

PHONES: Final = frozenset({"phone", "phone_number"})
"""How identities of phones are called: by us, and by fideslang."""

Value = Hashable
Cells = Mapping[str, object]
"""A row as a store gives it: what stands in each column."""


class TooMany(Exception):
    """More rows than one person can have: the message says where."""


class Unreached(Exception):
    """Collections to which no reference leads: the message names them."""


class Edge(NamedTuple):
    """One reference, in the way in which it is followed: values of `field` of `start` are sought in `into` of `end`."""

    start: Key
    field: str
    end: Key
    into: str


class Via(NamedTuple):
    """By what a row was found: this field had this value."""

    field: str
    value: Value


class Doubt(StrEnum):
    """Why a row that was found is left as it is until a human has looked."""

    NONE = ""
    SHARED = "shared"  # rows of others lead to it as well: the address of a household
    OTHER = "other"  # somebody else is named in it: whoever referred us, a colleague


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row that was found."""

    key: Key
    id: tuple[Value, ...]
    cells: Cells
    via: Via
    own: bool  # an identity of this person stands in it
    doubt: Doubt = Doubt.NONE


class Store(Protocol):
    """Where the rows of some collections lie. What it raises is a StoreError of its module."""

    def find(
        self, collection: Collection, field: str, values: Several[Value], *, identity: str = ""
    ) -> Iterator[Cells]:
        """Give the rows that have one of these values in a field."""

    def others(
        self, collection: Collection, field: str, values: Several[Value], but: Several[tuple[Value, ...]]
    ) -> set[Value]:
        """Return which of these values rows have in a field that are none of those whose ids are given."""

    def id_of(self, collection: Collection, cells: Cells) -> tuple[Value, ...]:
        """Return what tells a row from all others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """How rows are reached: the collections in the order in which they are asked, and all edges between them."""

    collections: Mapping[Key, Collection]
    edges: tuple[Edge, ...]
    unreached: tuple[Key, ...] = ()
    _from: Mapping[Key, tuple[Edge, ...]] = field(default_factory=dict)
    _into: Mapping[Key, tuple[Edge, ...]] = field(default_factory=dict)

    def from_(self, key: Key) -> tuple[Edge, ...]:
        return self._from.get(key, ())

    def into(self, key: Key) -> tuple[Edge, ...]:
        return self._into.get(key, ())

    def to_erase(self) -> list[Key]:
        """Return the collections in the order in which they are erased: the farthest first, but for `erase_after`."""
        far = list(self.collections)[::-1]
        waits = {key: self.collections[key].erase_after for key in far}
        return in_order(far, waits)


def lay_route(datasets: Sequence[Dataset], *, known: Several[str]) -> Route:
    """Lay the route for somebody of whom these identities are known.

    A reference that says no direction is followed away from where somebody is found, as far as that was reached.
    """
    every = {each.key: each for one in datasets for each in one.collections if not each.skipped}
    entries = [key for key, each in every.items() if any(one.identity in known for one in each.fields)]
    edges, order = _reach(entries, _followed(every))
    waits = {key: tuple(dict.fromkeys([*every[key].after, *_of_datasets(key, datasets, order)])) for key in order}
    asked = in_order(order, waits)
    return Route(
        collections={key: every[key] for key in asked}, edges=tuple(edges), _from=_by(edges, "start"),
        unreached=tuple(key for key in every if key not in set(order)), _into=_by(edges, "end"),
    )  # fmt: skip


def _of_datasets(key: Key, datasets: Sequence[Dataset], order: Sequence[Key]) -> Iterator[Key]:
    """Give the collections of datasets after which the dataset of this one is to be asked."""
    later = {each.name: each.after for each in datasets}
    return (other for other in order if other.dataset in later.get(key.dataset, ()))


def _followed(every: Mapping[Key, Collection]) -> Mapping[Key, list[tuple[Edge, Edge | None]]]:
    """Return, for each collection, the edges that begin there; beside each the way back that it shuts, if any."""
    found: dict[Key, list[tuple[Edge, Edge | None]]] = {key: [] for key in every}
    for key, collection in every.items():
        for one in collection.fields:
            for other in one.references:
                if other.key not in every:
                    continue
                there, back = Edge(key, one.name, other.key, other.field), Edge(other.key, other.field, key, one.name)
                if other.direction != "from":
                    found[key].append((there, None if other.direction else back))
                if other.direction != "to":
                    found[other.key].append((back, None if other.direction else there))
    return found


def _reach(
    entries: Iterable[Key], followed: Mapping[Key, list[tuple[Edge, Edge | None]]]
) -> tuple[list[Edge], list[Key]]:
    order, waiting, edges = dict.fromkeys(entries), deque(entries), dict[Edge, None]()
    while waiting:
        for edge, back in followed[waiting.popleft()]:
            if back is not None and back in edges:
                continue
            edges[edge] = None
            if edge.end not in order:
                order[edge.end] = None
                waiting.append(edge.end)
    return list(edges), list(order)


def _by(edges: Sequence[Edge], end: str) -> dict[Key, tuple[Edge, ...]]:
    found: dict[Key, list[Edge]] = {}
    for edge in edges:
        found.setdefault(getattr(edge, end), []).append(edge)
    return {key: tuple(each) for key, each in found.items()}


def in_order(keys: Sequence[Key], waits: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """Return keys so that each stands behind all it waits for, and else as they were."""
    if circle_in(waits):
        return list(keys)
    here, done = set(keys), dict[Key, None]()

    def put(key: Key) -> None:
        for each in waits.get(key, ()):
            if each in here and each not in done:
                put(each)
        done.setdefault(key)

    for key in keys:
        put(key)
    return list(done)


# ---------------------------------------------------------------- walking it

Stores = Mapping[str, Store]
Known = Mapping[str, Several[str]]
"""What somebody is known by: under each sort of identity its values."""


@dataclass(slots=True)
class _Walk:
    route: Route
    stores: Stores
    known: Known
    rows: dict[tuple[Key, tuple[Value, ...]], Row] = field(default_factory=dict)
    asked: set[tuple[Key, str, Value]] = field(default_factory=set)
    waiting: dict[Key, dict[str, dict[Value, None]]] = field(default_factory=dict)

    def begin(self) -> None:
        """Take the rows in which an identity stands."""
        for key, collection in self.route.collections.items():
            for one in collection.fields:
                if values := self.known.get(one.identity):
                    self.seek(key, one.name, list(values), identity=one.identity)

    def go(self) -> None:
        """Follow the edges from what was found, until nothing new comes."""
        while self.waiting:
            key = next(each for each in self.route.collections if each in self.waiting)
            for name, values in self.waiting.pop(key).items():
                self.seek(key, name, list(values))

    def seek(self, key: Key, name: str, values: list[Value], *, identity: str = "") -> None:
        collection, store = self.route.collections[key], self.stores[key.dataset]
        sought = {alike(each, identity) for each in values}
        for cells in store.find(collection, name, values, identity=identity):
            there = list(values_in(cells, name))
            value = next((each for each in there if alike(each, identity) in sought), there[0])
            self.take(
                Row(key=key, id=store.id_of(collection, cells), cells=cells, own=bool(identity), via=Via(name, value))
            )

    def take(self, row: Row) -> None:
        place = (row.key, row.id)
        if (there := self.rows.get(place)) is not None and (there.own or not row.own):
            return
        other = not row.own and names_somebody_else(self.route.collections[row.key], row.cells, self.known)
        self.rows[place] = replace(row, doubt=Doubt.OTHER) if other else row
        if len(self.rows) > MOST_ROWS:
            told = f"more than {MOST_ROWS:,} rows, the last in {row.key}; a reference leads to other people's"
            raise TooMany(f"{told}: give it a direction")
        if not other:
            for edge in self.route.from_(row.key):
                self.want(edge.end, edge.into, values_in(row.cells, edge.field))

    def want(self, key: Key, name: str, values: Iterable[Value]) -> None:
        """Put down that these values are to be sought in a field; what was sought there is not sought again."""
        for value in values:
            if (key, name, value) not in self.asked:
                self.asked.add((key, name, value))
                self.waiting.setdefault(key, {}).setdefault(name, {})[value] = None


def walk(route: Route, stores: Stores, known: Known) -> list[Row]:
    """Find somebody's rows, in the order in which collections are asked. Raises TooMany, and what stores raise.

    From a row that names somebody else nothing is followed. A row to which rows of others lead is marked as shared.
    """
    going = _Walk(route, stores, known)
    going.begin()
    going.go()
    order = {key: number for number, key in enumerate(route.collections)}
    return _with_shared(sorted(going.rows.values(), key=lambda each: order[each.key]), route, stores)


def names_somebody_else(collection: Collection, cells: Cells, known: Known) -> bool:
    """Say whether an identity stands in a row, and none of those that stand there is this person's."""
    theirs = False
    for one in collection.fields:
        if one.identity and known.get(one.identity):
            ours = {alike(each, one.identity) for each in known[one.identity]}
            for value in values_in(cells, one.name):
                if alike(value, one.identity) in ours:
                    return False
                theirs = theirs or bool(alike(value, one.identity))
    return theirs


def alike(value: Value, identity: str = "") -> str:
    """Return a value as it is compared with others: databases write one number as a number and as a text."""
    text = str(value)
    if identity == "email":
        return text.strip().lower()
    if identity in PHONES:
        return "".join(each for each in text if each.isdigit()).removeprefix("00")
    return text


# ---------------------------------------------------------------- whose else a row is


Place = tuple[Key, tuple[Value, ...]]


def _with_shared(rows: Sequence[Row], route: Route, stores: Stores) -> list[Row]:
    """Mark as shared what rows of others lead to, and what nothing leads to but what is shared."""
    pointed, owned = _led_to_by_others(rows, route, stores)
    safe = _reached_safely([row for row in rows if row.doubt is not Doubt.OTHER], route, pointed, owned)
    return [row if row.doubt or (row.key, row.id) in safe else replace(row, doubt=Doubt.SHARED) for row in rows]


def points(edge: Edge, route: Route) -> bool:
    """Say whether an edge leads to one row by its key, as many may; else the rows it leads to are its start's."""
    return route.collections[edge.end].primary == (edge.into,)


def _led_to_by_others(rows: Sequence[Row], route: Route, stores: Stores) -> tuple[set[Place], set[Place]]:
    """Return the rows at which rows of others point, and those that are theirs."""
    ids: dict[Key, set[tuple[Value, ...]]] = {}
    for row in rows:
        if row.doubt is not Doubt.OTHER:
            ids.setdefault(row.key, set()).add(row.id)
    pointed, owned = set[Place](), set[Place]()
    for edge in route.edges:
        ends = [row for row in rows if row.key == edge.end and not row.own]
        if held := {value for row in ends for value in values_in(row.cells, edge.into)}:
            start = route.collections[edge.start]
            others = stores[edge.start.dataset].others(start, edge.field, held, ids.get(edge.start, set()))
            found = {
                (row.key, row.id) for row in ends if any(each in others for each in values_in(row.cells, edge.into))
            }
            (pointed if points(edge, route) else owned).update(found)
    return pointed, owned


def _reached_safely(rows: Sequence[Row], route: Route, pointed: Several[Place], owned: Several[Place]) -> set[Place]:
    """Return the rows that are this person's alone.

    That is a row of their own, and one that belongs to such a row and to no row of somebody else's; and a row at which
    such rows point, and nobody else's.
    """
    by_value: dict[tuple[Edge, str], list[Row]] = {}
    for edge in route.edges:
        for row in rows:
            if row.key == edge.end:
                for value in values_in(row.cells, edge.into):
                    by_value.setdefault((edge, alike(value)), []).append(row)
    safe: set[Place] = set()
    waiting = [row for row in rows if row.own]
    while waiting:
        row = waiting.pop()
        if (row.key, row.id) in safe:
            continue
        safe.add((row.key, row.id))
        for edge in route.from_(row.key):
            shut = owned if not points(edge, route) else {*owned, *pointed}
            for value in values_in(row.cells, edge.field):
                waiting += [each for each in by_value.get((edge, alike(value)), ()) if (each.key, each.id) not in shut]
    return safe


def values_in(cells: Cells, name: str) -> Iterator[Value]:
    """Give what stands under a path, each item of a list by itself; nothing where nothing is."""
    found: list[object] = [cells.get(name.split(".", maxsplit=1)[0])]
    for part in name.split(".")[1:]:
        found = [each.get(part) for each in _flat(found) if isinstance(each, Mapping)]
    for each in _flat(found):
        if each is not None and isinstance(each, Hashable):
            yield each


def _flat(values: Iterable[object]) -> Iterator[object]:
    for each in values:
        if isinstance(each, list | tuple):
            yield from _flat(each)
        else:
            yield each
