"""One person in three databases: what is found is what a hand-written join finds, and just that is erased."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from comity.rights.connectors.finding import erase, find
from comity.rights.connectors.walking import Doubt
from tests.rights.connectors.databases import fetched, fetched_from, postgres_database
from tests.rights.connectors.shops import ACCOUNTS, EMAIL, MIRA, SHOP, Three, home, three

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Rows = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]
KNOWN = {"email": [EMAIL]}


@pytest.fixture
def elsewhere(postgres_url: str, tmp_path: Path) -> Iterator[Three]:
    with postgres_database(postgres_url, SHOP) as shop, postgres_database(postgres_url, ACCOUNTS) as accounts:
        yield three(shop, accounts, tmp_path)


def everything(there: Three) -> Rows:
    """Return all rows of all three databases, by what tells them apart."""
    shop = {"address": 1, "customer": 1, "product": 1, "orders": 1, "order_item": 2}
    accounts = {"account": 1, "ticket": 1, "Attached file": 2}
    found: Rows = {}
    for name, keys in shop.items():
        found[name] = {row[:keys]: row for row in fetched(there.shop, f'SELECT * FROM "{name}"')}
    for name, keys in accounts.items():
        found[name] = {row[:keys]: row for row in fetched(there.accounts, f'SELECT * FROM "{name}"')}
    for name in ("subscriber", "delivery"):
        found[name] = {row[:1]: row for row in fetched_from(there.mailings, f"SELECT * FROM {name}")}
    found["click"] = {row[:1]: row for row in fetched_from(there.mailings, "SELECT * FROM click")}
    return found


def by_hand(there: Three) -> dict[str, set[tuple[Any, ...]]]:
    """Return what belongs to Mira, joined by somebody who knows these databases."""
    mine = "SELECT id FROM customer WHERE lower(email) = %s"
    orders = f"SELECT id FROM orders WHERE customer_id IN ({mine})"
    shop = {
        "customer": mine,
        "orders": orders,
        "order_item": f"SELECT order_id, line FROM order_item WHERE order_id IN ({orders})",
        "address": f"SELECT a.id FROM address a JOIN customer c ON c.address_id = a.id WHERE c.id IN ({mine}) "
        f"UNION SELECT a.id FROM address a JOIN orders o ON o.shipping_id = a.id WHERE o.id IN ({orders})",
    }
    found = {name: set(fetched(there.shop, each, *[EMAIL] * each.count("%s"))) for name, each in shop.items()}
    customers = [str(row[0]) for row in found["customer"]]
    found["account"] = set(
        fetched(there.accounts, "SELECT number FROM account WHERE shop_customer = ANY(%s)", customers)
    )
    accounts = [row[0] for row in found["account"]]
    thread = (
        "WITH RECURSIVE mine AS (SELECT id, follows FROM ticket WHERE account = ANY(%s) "
        "UNION SELECT t.id, t.follows FROM ticket t JOIN mine ON mine.follows = t.id) "
    )
    found["ticket"] = set(fetched(there.accounts, f"{thread} SELECT id FROM mine", accounts))
    files = f'{thread} SELECT f.ticket, f."no" FROM "Attached file" f JOIN mine ON mine.id = f.ticket'
    found["Attached file"] = set(fetched(there.accounts, files, accounts))
    marks = ", ".join("?" * len(accounts))
    subscribers = f"SELECT id FROM subscriber WHERE lower(email) = ? OR account IN ({marks})"
    sent = (
        f"SELECT id FROM delivery WHERE subscriber IN ({subscribers}) UNION SELECT f.id FROM delivery f "
        f"JOIN delivery d ON d.best_friend = f.id WHERE d.subscriber IN ({subscribers})"
    )
    once = [EMAIL, *accounts]
    found["subscriber"] = set(fetched_from(there.mailings, subscribers, once))
    found["delivery"] = set(fetched_from(there.mailings, sent, once * 2))
    found["click"] = set(
        fetched_from(there.mailings, f"SELECT delivery FROM click WHERE delivery IN ({sent})", once * 2)
    )
    return found


def test_access_returns_what_a_hand_written_join_returns(elsewhere: Three) -> None:
    expected, rows = by_hand(elsewhere), everything(elsewhere)
    told: dict[str, set[tuple[Any, ...]]] = {}
    for row, says in find(elsewhere.sources, KNOWN).told():
        id_ = row.id[:1] if row.key.name == "click" else row.id
        assert id_ not in told.setdefault(row.key.name, set()), "a row was told twice"
        told[row.key.name].add(id_)
        there = rows[row.key.name][id_]
        assert {value for values in says.values() for value in values} <= set(there), "a row tells what is not in it"
    assert told == expected
    assert {name: len(each) for name, each in told.items()} == {
        "customer": 1, "orders": 3, "order_item": 6, "address": 2, "account": 1, "ticket": 3, "Attached file": 3,
        "subscriber": 2, "delivery": 5, "click": 2,
    }  # fmt: skip


def test_it_is_looked_for_and_nothing_is_changed(elsewhere: Three) -> None:
    before = everything(elsewhere)
    find(elsewhere.sources, KNOWN)
    assert everything(elsewhere) == before


def test_just_those_rows_are_erased_and_what_others_share_is_left(elsewhere: Three) -> None:
    before, mine = everything(elsewhere), by_hand(elsewhere)
    found = find(elsewhere.sources, KNOWN)
    shared = {(str(row.key.name), row.id[:1]) for row in found.rows if row.doubt is Doubt.SHARED}
    theirs = {("address", (home(MIRA),)), ("delivery", ((MIRA + 1) * 10,))}
    assert {each for each in shared if each[0] in {"address", "delivery"}} == theirs
    for source in elsewhere.sources:
        erase(source, found.to_erase())
    after = everything(elsewhere)

    changed = {name: {key for key, row in rows.items() if after[name].get(key) != row} for name, rows in before.items()}
    kept = {
        "address": {(home(MIRA),)},
        "delivery": {((MIRA + 1) * 10,)},
        "click": {((MIRA + 1) * 10,)},
        "product": set(),
    }
    blank = {"order_item": {key for key in mine["order_item"] if before["order_item"][key][3] is None}}
    expected = {name: rows - kept.get(name, set()) - blank.get(name, set()) for name, rows in mine.items()}
    assert changed == expected | {"product": set()}
    assert before.keys() == after.keys()
    assert [key for key in before["Attached file"] if key not in after["Attached file"]] == sorted(
        mine["Attached file"]
    )


def test_nothing_that_named_her_is_left_anywhere(elsewhere: Three) -> None:
    found = find(elsewhere.sources, KNOWN)
    for source in elsewhere.sources:
        erase(source, found.to_erase())
    for name, each in everything(elsewhere).items():
        for row in each.values():
            said = [str(cell).lower() for cell in row]
            assert EMAIL not in said, name
            assert f"name {MIRA}" not in said
            assert f"{MIRA} says 0" not in said
            assert f"10.0.0.{MIRA}" not in said
    assert find(elsewhere.sources, KNOWN).rows == []
    assert EMAIL.encode() not in elsewhere.mailings.read_bytes().lower(), "the file still has it in a freed page"


def test_a_second_time_changes_nothing_more(elsewhere: Three) -> None:
    wanted = find(elsewhere.sources, KNOWN).to_erase()
    first = [each.rows for source in elsewhere.sources for each in erase(source, wanted)]
    after = everything(elsewhere)
    second = [each.rows for source in elsewhere.sources for each in erase(source, wanted)]
    assert sum(first) > 0
    assert [each for each in second if each] == [], "it was erased before"
    assert everything(elsewhere) == after


def test_a_row_that_became_somebody_elses_meanwhile_is_left(elsewhere: Three) -> None:
    wanted = find(elsewhere.sources, KNOWN).to_erase()
    line = sqlite3.connect(elsewhere.mailings)
    with line:
        line.execute("UPDATE delivery SET subscriber = 77, subject = 'of another' WHERE id = ?", [MIRA * 10])
    line.close()
    for source in elsewhere.sources:
        erase(source, wanted)
    assert everything(elsewhere)["delivery"][MIRA * 10,][1:3] == (77, "of another")
