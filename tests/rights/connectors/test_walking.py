"""The way to somebody's rows, in any descriptions and any rows: compared with looking at every row again and again."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.rights.connectors.datasets import Key, read_datasets
from comity.rights.connectors.finding import Source, erase, find
from comity.rights.connectors.walking import Doubt, TooMany, lay_route
from tests.rights.connectors.databases import sqlite_database, sqlite_source
from tests.rights.connectors.shops import ACCOUNTS_TEXT, MAILINGS_TEXT, SHOP_TEXT

if TYPE_CHECKING:
    from collections.abc import Iterator

STORES = ("one", "two", "files")
HER, HIM = "her@example.org", "him@example.org"
Row = dict[str, Any]


@dataclass(frozen=True)
class World:
    """Collections that refer to one another, and their rows. Collection `c4` lies in the store number 4 modulo 3."""

    known: tuple[bool, ...]  # whether a collection has an identity
    links: tuple[tuple[int, int, str], ...]  # a field of one collection refers to the id of another: `to` or `from`
    rows: tuple[tuple[Row, ...], ...]

    def directed(self) -> list[tuple[int, str, int, str]]:
        found = []
        for number, (here, there, way) in enumerate(self.links):
            end = (here, f"r{number}", there, "id")
            found.append(end if way == "to" else (end[2], end[3], end[0], end[1]))
        return found

    def fields(self, number: int) -> list[str]:
        own = [f"r{each}" for each, (here, _, _) in enumerate(self.links) if here == number]
        return ["id", *(["who"] if self.known[number] else []), "words", *own]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    many = draw(st.integers(1, 6))
    known = (True, *draw(st.tuples(*[st.booleans()] * (many - 1))))
    place = st.integers(0, many - 1)
    links = tuple(draw(st.lists(st.tuples(place, place, st.sampled_from(["to", "from"])), max_size=7)))
    world = World(known, links, ())
    rows = []
    for number in range(many):
        cells = {
            name: st.sampled_from([None, HER, HIM, HER.upper()]) if name == "who"
            else st.sampled_from([None, "something", "else"]) if name == "words"
            else st.none() | st.integers(1, 4)
            for name in world.fields(number) if name != "id"
        }  # fmt: skip
        found = draw(st.lists(st.fixed_dictionaries(cells), max_size=4))
        rows.append(tuple({"id": each, **row} for each, row in enumerate(found, 1)))
    return World(known, links, tuple(rows))


def described(world: World, store: int) -> str:
    lines = [f"dataset:\n  - fides_key: {STORES[store]}\n    collections:"]
    for number in range(store, len(world.known), 3):
        lines.append(f"      - name: c{number}\n        fields:")
        for name in world.fields(number):
            meta = {"id": "primary_key: true", "who": "identity: email"}.get(name, "")
            if name.startswith("r"):
                _, there, way = world.links[int(name[1:])]
                meta = f"references: [{{dataset: {STORES[there % 3]}, field: c{there}.id, direction: {way}}}]"
            about = "user.content" if name in {"who", "words"} else "system.operations"
            lines.append(f"          - {{name: {name}, data_categories: [{about}], fides_meta: {{{meta}}}}}")
    return "\n".join(lines) if len(lines) > 1 else f"dataset:\n  - {{fides_key: {STORES[store]}, collections: []}}"


def built(world: World, folder: Path) -> list[Source]:
    texts = {f"{STORES[store]}.yml": described(world, store) for store in range(3)}
    read = {each.name: each for each in read_datasets(texts)}
    for store in range(2):
        sqlite_database(folder / STORES[store], "".join(
            f"CREATE TABLE c{number} (id INTEGER PRIMARY KEY, {', '.join(world.fields(number)[1:])});"
            for number in range(store, len(world.known), 3)
        ))  # fmt: skip
        line = sqlite3.connect(folder / STORES[store])
        with line:
            for number in range(store, len(world.known), 3):
                marks = ", ".join("?" * len(world.fields(number)))
                line.executemany(
                    f"INSERT INTO c{number} VALUES ({marks})",
                    [[row[name] for name in world.fields(number)] for row in world.rows[number]],
                )
        line.close()
    (folder / "files").mkdir()
    for number in range(2, len(world.known), 3):
        (folder / "files" / f"c{number}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in world.rows[number])
        )
    addresses = [f"sqlite:///{folder / 'one'}", f"sqlite:///{folder / 'two'}", str(folder / "files")]
    return [
        Source(system=name, kind="folder" if name == "files" else "sql", address=address, datasets=(read[name],))
        for name, address in zip(STORES, addresses, strict=True)
    ]


def as_they_are(world: World, folder: Path) -> dict[tuple[int, int], Row]:
    found: dict[tuple[int, int], Row] = {}
    for number in range(len(world.known)):
        if number % 3 == 2:
            rows = [json.loads(line) for line in (folder / "files" / f"c{number}.jsonl").read_text().splitlines()]
        else:
            line = sqlite3.connect(folder / STORES[number % 3])
            read = line.execute(f"SELECT * FROM c{number}").fetchall()
            line.close()
            rows = [dict(zip(world.fields(number), each, strict=True)) for each in read]
        found |= {(number, row["id"]): row for row in rows}
    return found


def looked_at_again_and_again(world: World) -> tuple[set[tuple[int, int]], set[tuple[int, int]], set[tuple[int, int]]]:
    """Return what is hers alone, what is shared, and what names somebody else: by looking at every row every time."""
    rows: dict[tuple[int, int], Row] = {
        (number, row["id"]): row for number, each in enumerate(world.rows) for row in each
    }
    own = {place for place, row in rows.items() if (row.get("who") or "").lower() == HER}
    other = {place for place, row in rows.items() if row.get("who") and place not in own}
    reached = {number for number, known in enumerate(world.known) if known}
    while far := {link[2] for link in world.directed() if link[0] in reached} - reached:
        reached |= far
    links = [link for link in world.directed() if link[0] in reached]

    def led_to(place: tuple[int, int], *, by_key: bool | None = None) -> Iterator[tuple[int, int]]:
        """Give the rows that lead to one: by its key, where many may, or as what is theirs."""
        for start, field, end, into in links:
            value = rows[place][into] if end == place[0] and by_key in {None, into == "id"} else None
            if value is not None:
                yield from (each for each, row in rows.items() if each[0] == start and row[field] == value)

    found: set[tuple[int, int]] = set(own)
    while more := {
        place for place in rows if place not in found and any(each in found - other for each in led_to(place))
    }:
        found |= more
    hers: set[tuple[int, int]] = found - other
    pointed = {place for place in hers if any(each not in hers for each in led_to(place, by_key=True))}
    owned = {place for place in hers if any(each not in hers for each in led_to(place, by_key=False))}
    safe = set(own)
    while more := {
        place
        for place in hers - safe - owned
        if any(each in safe for each in led_to(place, by_key=False))
        or (place not in pointed and any(each in safe for each in led_to(place, by_key=True)))
    }:
        safe |= more
    return safe, hers - safe, found & other


@given(worlds())
def test_any_rows_in_any_stores_are_found_as_by_looking_at_every_row_and_just_hers_are_erased(world: World) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        sources = built(world, folder)
        before = as_they_are(world, folder)
        walked = find(sources, {"email": [HER]})
        found = {
            doubt: {(int(row.key.name[1:]), int(str(row.id[0]))) for row in walked.rows if row.doubt is doubt}
            for doubt in Doubt
        }
        hers, shared, others = looked_at_again_and_again(world)
        assert found == {Doubt.NONE: hers, Doubt.SHARED: shared, Doubt.OTHER: others}
        for source in sources:
            if wanted := [each for each in walked.to_erase() if each.collection.key.dataset == source.system]:
                erase(source, wanted)
        blank = {"who": None, "words": None}
        expected = {
            place: {name: blank.get(name, cell) if place in hers else cell for name, cell in row.items()}
            for place, row in before.items()
        }
        assert as_they_are(world, folder) == expected


# ---------------------------------------------------------------- routes


def test_a_reference_without_a_direction_is_followed_away_from_where_somebody_is_found_and_never_back() -> None:
    text = """
dataset:
  - fides_key: shop
    collections:
      - name: customer
        fields: [{name: id, fides_meta: {primary_key: true}}, {name: email, fides_meta: {identity: email}}]
      - name: orders
        fields:
          - {name: customer, fides_meta: {references: [{dataset: shop, field: customer.id}]}}
          - {name: product, fides_meta: {references: [{dataset: shop, field: product.id}]}}
      - {name: product, fields: [{name: id}]}
      - {name: island, fields: [{name: id}]}
"""
    route = lay_route(read_datasets({"shop.yml": text}), known=["email"])
    assert [(each.start.name, each.field, each.end.name, each.into) for each in route.edges] == [
        ("customer", "id", "orders", "customer"), ("orders", "product", "product", "id"),
    ]  # fmt: skip
    assert route.unreached == (Key("shop", "island"),), "what nothing leads to is said"


def test_whoever_is_known_by_nothing_that_stands_there_is_not_found() -> None:
    route = lay_route(read_datasets({"shop.yml": SHOP_TEXT}), known=["phone_number"])
    assert route.collections == {}


def test_after_and_erase_after_are_kept_and_the_farthest_is_erased_first() -> None:
    texts = {"shop.yml": SHOP_TEXT, "accounts.yml": ACCOUNTS_TEXT, "mailings.yml": MAILINGS_TEXT}
    route = lay_route(read_datasets(texts), known=["email"])
    order = [str(each) for each in route.to_erase()]
    assert order.index("mailings.click") < order.index("accounts.Attached file") < order.index("accounts.ticket")
    assert order.index("shop.order_item") < order.index("shop.orders") < order.index("shop.customer")
    later = MAILINGS_TEXT.replace("    collections:", "    fides_meta: {after: [accounts]}\n    collections:", 1)
    route = lay_route(read_datasets({**texts, "mailings.yml": later}), known=["email"])
    names = [str(each) for each in route.collections]
    assert names.index("accounts.ticket") < names.index("mailings.subscriber")


def test_a_reference_that_leads_to_everybody_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.rights.connectors.walking.MOST_ROWS", 50)
    text = """
dataset:
  - fides_key: all
    collections:
      - name: member
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, fides_meta: {identity: email}}
          - {name: club, fides_meta: {references: [{dataset: all, field: post.club, direction: to}]}}
      - {name: post, fields: [{name: id, fides_meta: {primary_key: true}}, {name: club}]}
"""
    posts = "".join(f"INSERT INTO post VALUES ({number}, 1);" for number in range(60))
    tables = "CREATE TABLE member (id, email, club); CREATE TABLE post (id, club);"
    path = sqlite_database(tmp_path / "all", f"{tables} {posts} INSERT INTO member VALUES (1, '{HER}', 1);")
    with pytest.raises(TooMany, match=r"more than 50 rows, the last in all\.post"):
        find([sqlite_source("all", path, text)], {"email": [HER]})
