"""What a system holds, as fideslang describes it: collections of fields, what each says of whom, what leads where.

The format is the dataset of fideslang 3 (Ethyca, CC BY 4.0), of which we read what finding and erasing need. `identity`
is where somebody is known by e-mail, phone or another id; `references` lead from field to field, also into another
dataset, and values flow `to` the other field or come `from` it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from comity.rights.connectors.yaml_reading import DatasetError, Place, nearest, read

__all__ = ["Collection", "Dataset", "DatasetError", "Field", "Key", "Masking", "Reference", "read_datasets"]

DIRECTIONS: Final = ("from", "to")
STRATEGIES: Final = ("null_rewrite", "string_rewrite", "random_string_rewrite")
TYPES: Final = ("string", "integer", "float", "boolean", "object", "object_id", "date", "datetime", "uuid")
DEEPEST_FIELD: Final = 6
FIELD_KEYS: Final = {
    "name", "description", "data_categories", "data_uses", "data_purposes", "data_subjects", "fides_meta",
    "fidesops_meta", "fields", "data_qualifier", "retention",
}  # fmt: skip
FIELD_META: Final = {
    "references", "identity", "primary_key", "data_type", "length", "return_all_elements", "read_only",
    "custom_request_field", "masking_strategy_override", "redact",
}  # fmt: skip
COLLECTION_KEYS: Final = FIELD_KEYS
COLLECTION_META: Final = {
    "after",
    "erase_after",
    "skip_processing",
    "masking_strategy_override",
    "partitioning",
    "redact",
}
DATASET_KEYS: Final = {
    "fides_key", "organization_fides_key", "tags", "name", "description", "meta", "data_categories", "data_uses",
    "data_purposes", "data_subjects", "fides_meta", "fidesops_meta", "collections", "data_qualifier", "retention",
    "third_country_transfers", "joint_controller",
}  # fmt: skip


class Key(NamedTuple):
    """How a collection is called everywhere: its dataset, and its own name there."""

    dataset: str
    name: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """That a field holds the same values as a field of another collection, and which way they flow, if that is said."""

    key: Key
    field: str
    direction: str  # "to", "from" or neither
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Masking:
    """What stands in a field afterwards, where the description says so."""

    strategy: str
    value: str = ""
    length: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field: a column, or what lies in a column under `name`, its path with dots."""

    name: str
    categories: tuple[str, ...] = ()
    identity: str = ""
    primary_key: bool = False
    references: tuple[Reference, ...] = ()
    data_type: str = ""
    length: int = 0
    read_only: bool = False
    masking: Masking | None = None
    line: int = 0

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))

    @property
    def nested(self) -> bool:
        return "." in self.name

    def says(self, categories: Iterable[str]) -> bool:
        """Say whether the field holds data of one of these categories, or of one that is part of them."""
        return any(own == each or own.startswith(f"{each}.") for own in self.categories for each in categories)


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """A table, or a file, with the fields that were described."""

    key: Key
    fields: tuple[Field, ...]
    after: tuple[Key, ...] = ()
    erase_after: tuple[Key, ...] = ()
    deleted: bool = False  # on erasure its rows go, and are not masked
    skipped: bool = False
    place: Place

    def field(self, name: str) -> Field | None:
        return next((each for each in self.fields if each.name == name), None)

    @property
    def primary(self) -> tuple[str, ...]:
        """The fields that together tell a row from all others; none where the description names none."""
        return tuple(each.name for each in self.fields if each.primary_key)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the fields are, or lie in."""
        return tuple(dict.fromkeys(each.path[0] for each in self.fields))


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """One database, folder or service, as described."""

    name: str
    collections: tuple[Collection, ...]
    after: tuple[str, ...] = ()
    place: Place


def read_datasets(texts: Mapping[str, str]) -> list[Dataset]:
    """Read descriptions, by the name of the file that each came in, and hold them against one another.

    Raises DatasetError: what a text cannot mean, and what one says of another that is not there.
    """
    found = [each for file, text in texts.items() for each in _datasets(read(text, file=file))]
    names: dict[str, Dataset] = {}
    for each in found:
        if each.name in names:
            raise each.place.wrong(f"the dataset {each.name!r} is described twice; rename or drop one")
        names[each.name] = each
    _check_references(found)
    _check_orders(found)
    _check_that_somebody_is_found(found)
    return found


# ---------------------------------------------------------------- reading


def _datasets(root: Place) -> Iterator[Dataset]:
    table = root.table()
    if "dataset" not in table:
        raise root.wrong(f"a description begins with `dataset:`{nearest('dataset', table)}")
    for entry in table["dataset"].items():
        yield _dataset(entry)


def _dataset(entry: Place) -> Dataset:
    table = entry.table(DATASET_KEYS)
    name = _name(table, "fides_key", entry, "dataset")
    entry = entry.as_called(f"dataset {name!r}")
    table = entry.table()
    if "collections" not in table:
        raise entry.wrong("it has no `collections`; list the tables that hold people's data")
    inherited = _words(table, "data_categories")
    collections = tuple(_collection(each, name, inherited) for each in table["collections"].items())
    _refuse_twice([(each.key.name, each.place) for each in collections], "the collection")
    meta = _meta(table, {"resource_id", "after", "namespace", "redact"})
    return Dataset(name=name, collections=collections, after=_words(meta, "after"), place=entry)


def _collection(entry: Place, dataset: str, inherited: tuple[str, ...]) -> Collection:
    table = entry.table(COLLECTION_KEYS)
    name = _name(table, "name", entry, "collection")
    entry = entry.as_called(f"collection {dataset}.{name}")
    table = entry.table()
    if "fields" not in table:
        raise entry.wrong("it has no `fields`; list its columns")
    meta = _meta(table, COLLECTION_META)
    own = inherited + _words(table, "data_categories")
    fields = tuple(field for each in table["fields"].items() for field in _fields(each, "", own, dataset))
    _refuse_twice([(each.name, entry) for each in fields], "the field")
    return Collection(
        key=Key(dataset, name), fields=fields, after=_keys(meta, "after"), erase_after=_keys(meta, "erase_after"),
        deleted=_deleted(meta), skipped="skip_processing" in meta and meta["skip_processing"].truth(), place=entry,
    )  # fmt: skip


def _fields(entry: Place, before: str, inherited: tuple[str, ...], dataset: str) -> Iterator[Field]:
    """Give a field, or, where it has fields of its own, each of these by its path."""
    table = entry.table(FIELD_KEYS)
    name = _name(table, "name", entry, "field")
    if "." in name:
        raise entry.wrong(f"the field {name!r} has a dot in its name; nested fields are listed under `fields`")
    path = f"{before}{name}"
    entry = entry.as_called(f"field {path!r}")
    table = entry.table()
    if path.count(".") >= DEEPEST_FIELD:
        raise entry.wrong(f"fields lie at most {DEEPEST_FIELD} deep")
    own = inherited + _words(table, "data_categories")
    meta = _meta(table, FIELD_META)
    if "fields" in table and not table["fields"].empty:
        if (kind := _data_type(meta)) not in {"", "object"}:
            raise entry.wrong(f"it has fields of its own and the data_type {kind!r}; make it object")
        for each in table["fields"].items():
            yield from _fields(each, f"{path}.", own, dataset)
        return
    yield Field(
        name=path, categories=tuple(dict.fromkeys(own)), line=entry.line, data_type=_data_type(meta),
        identity=meta["identity"].text() if "identity" in meta else "", masking=_masking(meta),
        primary_key="primary_key" in meta and meta["primary_key"].truth(),
        read_only="read_only" in meta and meta["read_only"].truth(),
        length=meta["length"].number() if "length" in meta else 0,
        references=tuple(_reference(each.as_called(entry.called)) for each in _list(meta, "references")),
    )  # fmt: skip


def _reference(entry: Place) -> Reference:
    table = entry.table({"dataset", "field", "direction"})
    dataset = _name(table, "dataset", entry, "reference")
    where = _name(table, "field", entry, "reference")
    collection, _, field = where.partition(".")
    if not field:
        raise entry.wrong(f"the reference to {where!r} names no field; write it as collection.field")
    direction = table["direction"].text() if "direction" in table and not table["direction"].empty else ""
    if direction and direction not in DIRECTIONS:
        raise table["direction"].wrong(f"the direction {direction!r} is neither `to` nor `from`")
    return Reference(key=Key(dataset, collection), field=field, direction=direction, place=entry)


def _name(table: Mapping[str, Place], key: str, entry: Place, what: str) -> str:
    if key not in table:
        raise entry.wrong(f"this {what} has no `{key}`")
    return table[key].text()


def _meta(table: Mapping[str, Place], known: Iterable[str]) -> dict[str, Place]:
    """Return what is under `fides_meta`, or under the name it had before: what was left empty is left out."""
    for name in ("fides_meta", "fidesops_meta"):
        if name in table and not table[name].empty:
            return {key: each for key, each in table[name].table(known).items() if not each.empty}
    return {}


def _list(table: Mapping[str, Place], key: str) -> Sequence[Place]:
    return list(table[key].items()) if key in table and not table[key].empty else []


def _words(table: Mapping[str, Place], key: str) -> tuple[str, ...]:
    return tuple(each.text() for each in _list(table, key))


def _keys(meta: Mapping[str, Place], key: str) -> tuple[Key, ...]:
    found = []
    for each in _list(meta, key):
        dataset, _, collection = each.text().partition(".")
        if not collection:
            raise each.wrong(f"in `{key}`, {each.text()!r} is no collection; write it as dataset.collection")
        found.append(Key(dataset, collection))
    return tuple(found)


def _data_type(meta: Mapping[str, Place]) -> str:
    if "data_type" not in meta:
        return ""
    said = meta["data_type"].text().removesuffix("[]")
    if said not in TYPES:
        raise meta["data_type"].wrong(f"the data_type {said!r} is not known{nearest(said, TYPES)}")
    return said


def _deleted(meta: Mapping[str, Place]) -> bool:
    if "masking_strategy_override" not in meta:
        return False
    table = meta["masking_strategy_override"].table({"strategy", "configuration"})
    if "strategy" not in table or table["strategy"].text() != "delete":
        raise meta["masking_strategy_override"].wrong("a whole collection can be erased by `strategy: delete` alone")
    return True


def _masking(meta: Mapping[str, Place]) -> Masking | None:
    if "masking_strategy_override" not in meta:
        return None
    entry = meta["masking_strategy_override"]
    table = entry.table({"strategy", "configuration"})
    strategy = _name(table, "strategy", entry, "masking")
    if strategy not in STRATEGIES:
        cure = "what it leaves could still be told apart; " if strategy in {"hash", "hmac", "aes_encrypt"} else ""
        raise entry.wrong(f"the strategy {strategy!r} does not erase here: {cure}use one of {', '.join(STRATEGIES)}")
    more = table["configuration"].table() if "configuration" in table and not table["configuration"].empty else {}
    return Masking(
        strategy=strategy, value=more["rewrite_value"].text() if "rewrite_value" in more else "",
        length=more["length"].number() if "length" in more else 0,
    )  # fmt: skip


def _refuse_twice(named: Iterable[tuple[str, Place]], what: str) -> None:
    seen: set[str] = set()
    for name, place in named:
        if name in seen:
            raise place.wrong(f"{what} {name!r} is described twice; keep one")
        seen.add(name)


# ---------------------------------------------------------------- one against the other


def _check_references(datasets: Sequence[Dataset]) -> None:
    known = {each.key: each for dataset in datasets for each in dataset.collections}
    for collection in known.values():
        for reference in (one for field in collection.fields for one in field.references):
            _check_reference(reference, known, [each.name for each in datasets])


def _check_reference(reference: Reference, known: Mapping[Key, Collection], datasets: Sequence[str]) -> None:
    key, place = reference.key, reference.place
    if key.dataset not in datasets:
        what = f"it refers to the dataset {key.dataset!r}, which no system describes{nearest(key.dataset, datasets)}"
        raise place.wrong(what)
    if key not in known:
        names = [each.name for each in known if each.dataset == key.dataset]
        raise place.wrong(f"it refers to {key}, and there is no such collection{nearest(key.name, names)}")
    if known[key].field(reference.field) is None:
        names = [each.name for each in known[key].fields]
        what = f"it refers to {key}.{reference.field}, and there is no such field{nearest(reference.field, names)}"
        raise place.wrong(what)


def _check_orders(datasets: Sequence[Dataset]) -> None:
    """Refuse `after` and `erase_after` that name nothing, or lead back to themselves."""
    known = {each.key: each for dataset in datasets for each in dataset.collections}
    for word in ("after", "erase_after"):
        waits: dict[Key, tuple[Key, ...]] = {key: getattr(each, word) for key, each in known.items()}
        for key, others in waits.items():
            for other in others:
                if other not in known:
                    names = [str(each) for each in known]
                    raise known[key].place.wrong(
                        f"`{word}` names {other}, which is not there{nearest(str(other), names)}"
                    )
        if circle := circle_in(waits):
            way = " after ".join(map(str, circle))
            raise known[circle[0]].place.wrong(f"`{word}` goes round in a circle: {way}; take one of them out")


def circle_in(waits: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """Return a circle, its first again at its end, or nothing."""
    done: set[Key] = set()
    for start in waits:
        way: list[Key] = []
        ways = [iter([start])]
        while ways:
            key = next(ways[-1], None)
            if key is None:
                ways.pop()
                if way and len(ways) == len(way):
                    done.add(way.pop())
            elif key in way:
                return [*way[way.index(key) :], key]
            elif key not in done:
                way.append(key)
                ways.append(iter(waits.get(key, ())))
    return []


NAMED: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")


def _check_that_somebody_is_found(datasets: Sequence[Dataset]) -> None:
    """Refuse descriptions in which nobody could be known, and identities that we cannot be asked about."""
    known = [(field, each) for dataset in datasets for each in dataset.collections for field in each.fields]
    for field, collection in known:
        if field.identity and not NAMED.fullmatch(field.identity):
            what = f"the field {field.name!r} has the identity {field.identity!r}; write email, phone_number, or an id"
            raise collection.place.wrong(what)
    if datasets and not any(field.identity for field, _ in known):
        what = "no field has an `identity`, so nobody can be found; say where an e-mail or a phone number stands"
        raise datasets[0].place.wrong(what)
