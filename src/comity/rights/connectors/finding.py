"""Finding somebody in several systems at once, and erasing what was found: one system, one transaction."""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from comity.rights.connectors.datasets import Collection, Dataset, Key
from comity.rights.connectors.folders import Folder, FolderStore
from comity.rights.connectors.masking import Erased, ToErase, masked_fields, shown, still_says
from comity.rights.connectors.sql import opened, url_of
from comity.rights.connectors.stores import StoreError
from comity.rights.connectors.walking import Cells, Doubt, Known, Route, Row, Store, Value, Via, lay_route, walk

PERSONAL: Final = ("user",)
"""The categories of fideslang under which everything stands that is about somebody."""


class ErasingStore(Store, Protocol):
    """A store that can erase too."""

    def erase(self, wanted: Sequence[ToErase], categories: Several[str]) -> Sequence[Erased]:
        """Mask or delete rows, in the order in which they are given."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One system, as far as its rows can be read: where it is, and what it holds."""

    system: str
    kind: str  # "sql" or "folder"
    address: str = field(repr=False)
    password: str = field(default="", repr=False)
    datasets: tuple[Dataset, ...]

    @contextmanager
    def open(self, *, writes: bool = False) -> Iterator[ErasingStore]:
        """Open it for one transaction. Raises StoreError."""
        if self.kind == "folder":
            yield FolderStore(Folder(Path(self.address)))
            return
        with opened(url_of(self.address, self.password), self.system, writes=writes) as store:
            yield store


@dataclass(frozen=True, kw_only=True)
class Walked:
    """What was found of somebody, and by which route."""

    route: Route
    rows: Sequence[Row]

    def told(self, categories: Several[str] = PERSONAL) -> Iterator[tuple[Row, Mapping[str, Sequence[Value]]]]:
        """Give what each row says of this person: fields of these categories, and no row that names somebody else."""
        for row in self.rows:
            if row.doubt is not Doubt.OTHER and (says := shown(self.route.collections[row.key], row.cells, categories)):
                yield row, says

    def to_erase(self, categories: Several[str] = PERSONAL) -> list[ToErase]:
        """Return what is to be erased, in order: rows of this person alone, that hold something of these categories."""
        found: dict[Key, list[tuple[tuple[Value, ...], Via]]] = {}
        for row in self.rows:
            if not row.doubt and still_says(self.route.collections[row.key], row.cells, categories):
                found.setdefault(row.key, []).append((row.id, row.via))
        return [
            ToErase(collection=self.route.collections[key], rows=found[key])
            for key in self.route.to_erase()
            if key in found
        ]

    def left(self, doubt: Doubt, categories: Several[str] = PERSONAL) -> dict[Key, int]:
        """Count the rows that are left for a human to look at, by collection: those that hold something to erase."""
        count: dict[Key, int] = {}
        for row in self.rows:
            collection = self.route.collections[row.key]
            if row.doubt is doubt and (collection.deleted or masked_fields(collection, categories)):
                count[row.key] = count.get(row.key, 0) + 1
        return count


class Away(StoreError):
    """One of several systems could not be asked: `system` says which."""

    def __init__(self, system: str, error: Exception) -> None:
        self.system = system
        super().__init__(str(error))


class _Watched:
    """A store that says which system it is of, when it does not work."""

    def __init__(self, store: Store, system: str) -> None:
        self.store, self.system = store, system

    def find(
        self, collection: Collection, field: str, values: Several[Value], *, identity: str = ""
    ) -> Iterator[Cells]:
        with self._told():
            yield from self.store.find(collection, field, values, identity=identity)

    def others(
        self, collection: Collection, field: str, values: Several[Value], but: Several[tuple[Value, ...]]
    ) -> set[Value]:  # fmt: skip
        with self._told():
            return self.store.others(collection, field, values, but)

    def id_of(self, collection: Collection, cells: Cells) -> tuple[Value, ...]:
        return self.store.id_of(collection, cells)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            raise Away(self.system, error) from None


def find_where_possible(sources: Sequence[Source], known: Known) -> tuple[Walked, dict[str, str]]:
    """Find somebody in those systems that answer; beside it, why the others did not. Raises TooMany."""
    away: dict[str, str] = {}
    while True:
        try:
            return find([each for each in sources if each.system not in away], known), away
        except Away as error:
            away[error.system] = str(error)


def find(sources: Sequence[Source], known: Known) -> Walked:
    """Find what all these systems hold of somebody. Nothing is changed. Raises Away, TooMany."""
    route = lay_route(
        [each for source in sources for each in source.datasets], known=[each for each in known if known[each]]
    )
    with ExitStack() as held:
        stores: dict[str, Store] = {}
        for source in sources:
            try:
                store = _Watched(held.enter_context(source.open()), source.system)
            except StoreError as error:
                raise Away(source.system, error) from None
            stores |= {each.name: store for each in source.datasets}
        return Walked(route=route, rows=walk(route, stores, known))


def erase(source: Source, wanted: Sequence[ToErase], categories: Several[str] = PERSONAL) -> Sequence[Erased]:
    """Erase rows of one system, in the order in which they are given: all of them or none. Raises StoreError."""
    ours = {each.name for each in source.datasets}
    with source.open(writes=True) as store:
        return store.erase([each for each in wanted if each.collection.key.dataset in ours], categories)
