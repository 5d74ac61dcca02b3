"""Databases as stores: what is masked with what, who may only read, what refuses, and that no error quotes a row."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from comity.rights.connectors.finding import erase, find
from comity.rights.connectors.sql import SqlStore, opened, url_of
from comity.rights.connectors.stores import StoreError
from tests.rights.connectors.databases import (
    fetched,
    fetched_from,
    postgres_database,
    postgres_source,
    sqlite_database,
    sqlite_source,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from comity.rights.connectors.finding import Source

HER = "o'her; DROP TABLE member --@example.org"
TABLES = """
CREATE TABLE member (
    "Key" uuid PRIMARY KEY, mail varchar(60) NOT NULL UNIQUE, "we""ird; --" text NOT NULL, code char(4) NOT NULL,
    born date NOT NULL, seen timestamptz NOT NULL, score numeric NOT NULL, happy boolean NOT NULL, token uuid NOT NULL,
    photo bytea NOT NULL, about jsonb, nothing text, only_read text
);
CREATE TABLE note (member uuid REFERENCES member, words text);
"""
TEXT = """
dataset:
  - fides_key: club
    data_categories: [user]
    collections:
      - name: member
        fields:
          - {name: Key, fides_meta: {primary_key: true}}
          - {name: mail, fides_meta: {identity: email, length: 20}}
          - {name: 'we"ird; --'}
          - {name: code}
          - {name: born}
          - {name: seen}
          - {name: score}
          - {name: happy}
          - {name: token}
          - {name: photo}
          - name: about
            fields: [{name: likes}, {name: pets, fields: [{name: name}]}]
          - {name: nothing, fides_meta: {masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: gone}}}}
          - {name: only_read, fides_meta: {read_only: true}}
      - name: note
        fields:
          - {name: member, fides_meta: {references: [{dataset: club, field: member.Key, direction: from}]}}
          - {name: words}
"""  # noqa: E501 - one field a line


def deleting(name: str, text: str) -> str:
    """Return a description in which the rows of a collection are deleted, not masked."""
    head = f"      - name: {name}\n"
    return text.replace(head, head + "        fides_meta: {masking_strategy_override: {strategy: delete}}\n")


NOTES = deleting("note", TEXT)
KNOWN = {"email": [HER.upper()]}


def key(number: int) -> UUID:
    return UUID(int=2**100 + number)


@pytest.fixture
def club(postgres_url: str) -> Iterator[str]:
    with postgres_database(postgres_url, TABLES) as here:
        with psycopg.connect(here) as line:
            for number, mail in enumerate((HER, "him@example.org"), 1):
                line.execute(
                    "INSERT INTO member VALUES (%s, %s, 'secret', 'ab', '1990-02-03', now(), 7.5, true, %s, 'dots', "
                    """'{"likes": "tea", "size": 9, "pets": [{"name": "Rex"}, {"name": null, "of": 1}]}', 'x', 'y')""",
                    [key(number), mail, key(number + 10)],
                )
                line.execute("INSERT INTO note VALUES (%s, 'note'), (%s, NULL), (%s, 'note')", [key(number)] * 3)
        yield here


def at(club: str, text: str = TEXT) -> Source:
    return postgres_source("club", club, text)


def rows(club: str, table: str) -> list[tuple[Any, ...]]:
    return fetched(club, f"SELECT * FROM {table} ORDER BY 1, 2")


def test_what_may_not_be_empty_gets_something_of_nobodys_and_the_rest_stays(club: str) -> None:
    his = rows(club, "member")[1], rows(club, "note")[3:]
    erase(at(club, NOTES), find([at(club, NOTES)], KNOWN).to_erase())
    [(ref, mail, weird, code, born, seen, score, happy, token, photo, about, nothing, only_read)] = rows(
        club, "member"
    )[:1]
    assert (ref, score, happy, photo, nothing, only_read) == (key(1), 0, False, b"", "gone", "y")
    assert mail.startswith("erased-")
    assert len(mail) == 20
    assert weird.startswith("erased-")
    assert code.startswith("~")
    assert (born.year, seen.year) == (1970, 1970)
    assert token != key(11)
    assert about == {"likes": None, "size": 9, "pets": [{"name": None}, {"name": None, "of": 1}]}
    assert (rows(club, "member")[1], rows(club, "note")) == his
    assert find([at(club, NOTES)], KNOWN).rows == []


def test_rows_without_a_key_are_told_apart_by_all_they_hold(club: str) -> None:
    found = find([at(club)], KNOWN)
    assert sorted(str(row.id[1]) for row in found.rows if row.key.name == "note") == ["None", "note"]
    erase(at(club), found.to_erase())
    assert sum(words == "note" for _, words in rows(club, "note")) == 2, "those of the other"
    assert sum(member is None for member, _ in rows(club, "note")) == 3


def test_whoever_reads_can_change_nothing(club: str, tmp_path: Path) -> None:
    path = sqlite_database(tmp_path / "x", "CREATE TABLE member (mail TEXT); INSERT INTO member VALUES ('a');")
    for source in (at(club), sqlite_source("x", path, TEXT)):
        with (
            opened(url_of(source.address, source.password), "x") as store,
            pytest.raises(sa.exc.DBAPIError),
        ):
            store.connection.execute(sa.text("UPDATE member SET mail = 'changed' WHERE mail = 'a'"))
    assert len(rows(club, "member")) == 2
    assert fetched_from(path, "SELECT * FROM member") == [("a",)]


def test_what_fails_halfway_leaves_all_of_a_database_as_it_was(club: str) -> None:
    with psycopg.connect(club) as line:
        line.execute("CREATE TABLE pays (member uuid REFERENCES member)")
        line.execute("INSERT INTO pays VALUES (%s)", [key(1)])
    text = deleting("member", NOTES)
    before = rows(club, "member"), rows(club, "note")
    with pytest.raises(StoreError, match=r"club: other rows depend on it: .*23503"):
        erase(at(club, text), find([at(club, text)], KNOWN).to_erase())
    assert (rows(club, "member"), rows(club, "note")) == before


def test_no_error_quotes_a_row_and_each_says_what_to_do(club: str, tmp_path: Path) -> None:
    with psycopg.connect(club) as line:
        line.execute("ALTER TABLE member ADD CHECK (happy)")
    with pytest.raises(StoreError) as refused:
        erase(at(club), find([at(club)], KNOWN).to_erase())
    assert "secret" not in str(refused.value)
    assert "her" not in str(refused.value).replace("other", "")
    missing = [
        (TEXT.replace("name: note", "name: notes"), "there is no table 'notes', which club.yml describes"),
        (TEXT.replace("{name: born}", "{name: borne}"), "the table 'member' has no column 'borne'"),
        (
            TEXT.replace("{name: likes}", "{name: likes, fides_meta: {identity: email}}"),
            "nobody can be sought by it there",
        ),
    ]
    for text, says in missing:
        with pytest.raises(StoreError, match=says):
            find([at(club, text)], KNOWN)
    with pytest.raises(StoreError, match="gone: it is not reached"):
        find([sqlite_source("gone", tmp_path / "not there", TEXT)], KNOWN)


def test_who_is_not_let_in_or_not_reached_is_said(club: str) -> None:
    source = at(club)
    wrong = url_of(source.address.replace("://", "://"), "not the password")
    with pytest.raises(StoreError, match="club: it "), opened(wrong, "club"):
        pass
    with pytest.raises(StoreError, match="is not reached"), opened(url_of("postgresql://a@127.0.0.1:9/x", ""), "away"):
        pass


@pytest.mark.parametrize(("address", "says"), [
    ("nothing", "this is no address of a database"),
    ("oracle://a@b/c", "oracle is not known here; there are postgresql, mysql, sqlite"),
    ("postgresql://a:secret@b/c", "the address holds a password"),
    ("postgresql://a@b/c?options=-csearch_path%3Dx", "leave out options"),
    ("sqlite:////etc/passwd?mode=rwc", "leave out mode"),
])  # fmt: skip
def test_addresses_that_are_none_are_refused(address: str, says: str) -> None:
    with pytest.raises(StoreError, match=says):
        url_of(address, "")


def test_rows_that_somebody_holds_are_not_waited_for_long(club: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.rights.connectors.sql.CONNECTS", 1)
    wanted = find([at(club)], KNOWN).to_erase()
    began = time.monotonic()
    with psycopg.connect(club) as line:
        line.execute("UPDATE member SET nothing = 'held'")
        with pytest.raises(StoreError, match="club: somebody else holds the rows"):
            erase(at(club), wanted)
    assert time.monotonic() - began < 5


def test_a_statement_that_takes_too_long_is_ended(club: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.rights.connectors.sql.LONGEST", 1)
    with (
        pytest.raises(StoreError, match="club: it took too long"),
        opened(url_of(at(club).address, at(club).password), "club") as store,
    ):
        store._run(sa.text("SELECT pg_sleep(9)"))


def test_in_mysql_names_are_quoted_and_values_bound_as_elsewhere(club: str) -> None:
    source = at(club)
    said: list[str] = []

    class Hearing(SqlStore):
        def _run(self, statement: sa.Executable) -> sa.CursorResult[*tuple[Any, ...]]:
            assert isinstance(statement, sa.sql.ClauseElement)
            said.append(str(statement.compile(dialect=mysql.dialect())))
            return super()._run(statement)

    with opened(url_of(source.address, source.password), "club", writes=True) as store:
        hearing = Hearing(store.connection, "club")
        hearing.erase(find([source], KNOWN).to_erase(), ["user"])
    assert any("FOR UPDATE" in each for each in said)
    assert any(each.startswith("UPDATE `member` SET") and '`we"ird; --`=%s' in each for each in said)
    assert not any("example.org" in each for each in said)


def test_numbers_and_texts_of_two_databases_meet(club: str, tmp_path: Path) -> None:
    text = """
dataset:
  - fides_key: desk
    collections:
      - name: visit
        fields:
          - {name: who, fides_meta: {references: [{dataset: club, field: member.Key, direction: from}]}}
          - {name: words, data_categories: [user.content]}
"""
    path = sqlite_database(tmp_path / "desk", "CREATE TABLE visit (who TEXT, words TEXT);" + "".join(
        f"INSERT INTO visit VALUES ('{key(number)}', 'visit {number}');" for number in range(1, 4)
    ))  # fmt: skip
    found = find([at(club), sqlite_source("desk", path, text, TEXT)], KNOWN)
    assert [row.cells["words"] for row in found.rows if row.key.name == "visit"] == ["visit 1"]


def test_what_cannot_stand_in_a_column_is_in_no_row(club: str) -> None:
    assert find([at(club)], {"email": ["nul\0byte", "half a letter \ud800"]}).rows == []
    with psycopg.connect(club) as line:
        line.execute("CREATE TABLE big (id smallint PRIMARY KEY, words text)")
    text = """
dataset:
  - fides_key: big
    collections:
      - name: big
        fields: [{name: id, fides_meta: {primary_key: true, identity: number}}, {name: words}]
"""
    for number in (2**15, 2**70, "no number", "1.5", ""):
        assert find([at(club, text)], {"number": [str(number)]}).rows == []
