"""A shop, its accounts and its mailings: three databases that know the same people, thousands of others in them too."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg

from tests.rights.connectors.databases import postgres_source, sqlite_database, sqlite_source

if TYPE_CHECKING:
    from pathlib import Path

    from comity.rights.connectors.finding import Source

PEOPLE: Final = 3_000
MIRA: Final = 1_234
EMAIL: Final = "mira.okafor@example.org"

SHOP: Final = """
CREATE TABLE address (id integer PRIMARY KEY, street text, city text);
CREATE TABLE customer (
    id integer PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name text NOT NULL, born date,
    address_id integer REFERENCES address, invited_by integer REFERENCES customer
);
CREATE TABLE product (id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id integer PRIMARY KEY, customer_id integer REFERENCES customer, shipping_id integer REFERENCES address, note text
);
CREATE TABLE order_item (
    order_id integer REFERENCES orders, line integer, product_id integer REFERENCES product, engraving text,
    PRIMARY KEY (order_id, line)
);
"""
ACCOUNTS: Final = """
CREATE TABLE account (number text PRIMARY KEY, shop_customer text, phone text);
CREATE TABLE ticket (
    id integer PRIMARY KEY, account text REFERENCES account, follows integer REFERENCES ticket, words text NOT NULL
);
CREATE TABLE "Attached file" (
    ticket integer REFERENCES ticket, "no" integer, "select" text, PRIMARY KEY (ticket, "no")
);
"""
MAILINGS: Final = """
CREATE TABLE subscriber (id INTEGER PRIMARY KEY, email TEXT, account TEXT);
CREATE TABLE delivery (id INTEGER PRIMARY KEY, subscriber INTEGER, subject TEXT, best_friend INTEGER);
CREATE TABLE click (delivery INTEGER, at TEXT, address TEXT);
"""

SHOP_TEXT: Final = """
dataset:
  - fides_key: shop
    name: The shop
    collections:
      - name: address
        fields:
          - name: id
            data_categories: [system.operations]
            fides_meta: {primary_key: true}
          - {name: street, data_categories: [user.contact.address.street]}
          - {name: city, data_categories: [user.contact.address.city]}
      - name: customer
        fields:
          - name: id
            data_categories: [user.unique_id]
            fides_meta: {primary_key: true}
          - name: email
            data_categories: [user.contact.email]
            fides_meta: {identity: email, data_type: string}
          - {name: name, data_categories: [user.name]}
          - {name: born, data_categories: [user.demographic.date_of_birth]}
          - name: address_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: address.id, direction: to}]}
          - name: invited_by
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: to}]}
      - name: product
        fields:
          - name: id
            data_categories: [system.operations]
            fides_meta: {primary_key: true}
          - {name: name, data_categories: [system.operations]}
      - name: orders
        fields:
          - name: id
            data_categories: [system.operations]
            fides_meta: {primary_key: true}
          - name: customer_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}
          - name: shipping_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: address.id, direction: to}]}
          - {name: note, data_categories: [user.content]}
      - name: order_item
        fields:
          - name: order_id
            data_categories: [system.operations]
            fides_meta: {primary_key: true, references: [{dataset: shop, field: orders.id, direction: from}]}
          - {name: line, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - name: product_id
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: shop, field: product.id, direction: to}]}
          - {name: engraving, data_categories: [user.content]}
"""
ACCOUNTS_TEXT: Final = """
dataset:
  - fides_key: accounts
    collections:
      - name: account
        fields:
          - {name: number, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - name: shop_customer
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: shop, field: customer.id, direction: from}]}
          - {name: phone, data_categories: [user.contact.phone_number]}
      - name: ticket
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - name: account
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: accounts, field: account.number}]}
          - name: follows
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: accounts, field: ticket.id}]}
          - {name: words, data_categories: [user.content]}
      - name: Attached file
        fides_meta: {masking_strategy_override: {strategy: delete}, erase_after: [mailings.click]}
        fields:
          - name: ticket
            data_categories: [system.operations]
            fides_meta: {primary_key: true, references: [{dataset: accounts, field: ticket.id, direction: from}]}
          - {name: no, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: select, data_categories: [user.content]}
"""
MAILINGS_TEXT: Final = """
dataset:
  - fides_key: mailings
    collections:
      - name: subscriber
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - name: account
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: accounts, field: account.number, direction: from}]}
      - name: delivery
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - name: subscriber
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: mailings, field: subscriber.id, direction: from}]}
          - {name: subject, data_categories: [user.behavior]}
          - name: best_friend
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: mailings, field: delivery.id, direction: to}]}
      - name: click
        fields:
          - name: delivery
            data_categories: [system.operations]
            fides_meta: {references: [{dataset: mailings, field: delivery.id, direction: from}]}
          - {name: at, data_categories: [user.behavior]}
          - {name: address, data_categories: [user.device.ip_address]}
"""


@dataclass(frozen=True, kw_only=True)
class Three:
    """The three databases, and how the book knows them."""

    shop: str
    accounts: str
    mailings: Path
    sources: tuple[Source, Source, Source]


def three(shop: str, accounts: str, folder: Path) -> Three:
    """Fill three databases with people; number MIRA is the one who is sought."""
    mailings = sqlite_database(folder / "mailings.sqlite", MAILINGS)
    fill(shop, accounts, mailings, random.Random(7))
    return Three(
        shop=shop, accounts=accounts, mailings=mailings,
        sources=(
            postgres_source("shop", shop, SHOP_TEXT),
            postgres_source("accounts", accounts, ACCOUNTS_TEXT, SHOP_TEXT, MAILINGS_TEXT),
            sqlite_source("mailings", mailings, MAILINGS_TEXT, ACCOUNTS_TEXT, SHOP_TEXT),
        ),
    )  # fmt: skip


def email_of(number: int) -> str:
    return "Mira.Okafor@Example.ORG" if number == MIRA else f"somebody{number}@example.org"


def home(number: int) -> int:
    """Return the address of somebody, which is that of the next one too."""
    return number - number % 2 or 1


def fill(shop: str, accounts: str, mailings: Path, draw: random.Random) -> None:
    """Give everybody a place in all three; two share an address, many cells are empty."""
    everybody = range(1, PEOPLE + 1)
    with psycopg.connect(shop) as line, line.cursor() as cursor:
        places = range(1, 2 * PEOPLE + 1)
        cursor.executemany("INSERT INTO address VALUES (%s, %s, %s)", [(n, f"Street {n}", "Town") for n in places])
        people = [
            (
                n,
                email_of(n),
                f"Name {n}",
                None,
                None if n % 11 == 0 else home(n),
                n - 1 if n % 3 == 1 and n > 1 else None,
            )
            for n in everybody
        ]
        cursor.executemany("INSERT INTO customer VALUES (%s, %s, %s, %s, %s, %s)", people)
        cursor.executemany("INSERT INTO product VALUES (%s, %s)", [(n, f"Thing {n}") for n in range(1, 51)])
        orders = [
            (
                n * 10 + k,
                None if (n + k) % 29 == 0 and n != MIRA else n,
                (None, home(n), n + PEOPLE)[k],
                draw.choice([None, f"to {n}"]),
            )
            for n in everybody
            for k in range(3 if n == MIRA else draw.randrange(4))
        ]
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", orders)
        items = [(o[0], k, draw.randrange(1, 51), draw.choice([None, f"for {o[1]}"])) for o in orders for k in (1, 2)]
        cursor.executemany("INSERT INTO order_item VALUES (%s, %s, %s, %s)", items)
    with psycopg.connect(accounts) as line, line.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO account VALUES (%s, %s, %s)", [(f"A{n}", str(n), f"+49{n:09}") for n in everybody]
        )
        tickets = [
            (n * 10 + k, f"A{n}" if k < 2 else None, n * 10 + k - 1 if k else None, f"{n} says {k}")
            for n in everybody
            for k in range(3)
        ]
        cursor.executemany("INSERT INTO ticket VALUES (%s, %s, %s, %s)", tickets)
        cursor.execute(
            "UPDATE ticket SET follows = id + 2 WHERE id %% 10 = 0 AND id / 10 %% 5 = %s", [MIRA % 5]
        )  # round
        cursor.executemany(
            'INSERT INTO "Attached file" VALUES (%s, 1, %s)', [(t[0], f"file of {t[3]}") for t in tickets]
        )
    mailer = sqlite3.connect(mailings)
    with mailer:
        mailer.executemany(
            "INSERT INTO subscriber VALUES (?, ?, ?)", [(n, email_of(n) if n % 4 else None, f"A{n}") for n in everybody]
        )
        mailer.execute("INSERT INTO subscriber VALUES (?, ?, ?)", (PEOPLE + 1, EMAIL, None))
        mailer.executemany("INSERT INTO delivery VALUES (?, ?, ?, ?)", [
            (n * 10 + k, n, f"Hello {n}", (n + 1) * 10 if k else None) for n in range(1, PEOPLE + 2) for k in range(2)
        ])  # fmt: skip
        mailer.executemany(
            "INSERT INTO click VALUES (?, ?, ?)",
            [(n * 10, f"day {n}", None if n % 5 else f"10.0.0.{n}") for n in everybody],
        )
    mailer.close()
