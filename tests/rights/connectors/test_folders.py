"""Files of CSV and JSON lines: somebody's lines are found and erased, and every other byte stays as it was."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from comity.rights.connectors.finding import erase, find
from comity.rights.connectors.folders import Folder
from comity.rights.connectors.stores import StoreError
from tests.rights.connectors.databases import source

if TYPE_CHECKING:
    from pathlib import Path

    from comity.rights.connectors.finding import Source

TEXT = """
dataset:
  - fides_key: lake
    collections:
      - name: people
        fields:
          - {name: nr, fides_meta: {primary_key: true}}
          - {name: mail, data_categories: [user.contact.email], fides_meta: {identity: email}}
          - {name: says, data_categories: [user.content]}
      - name: events
        fields:
          - name: who
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: lake, field: people.nr, direction: from}]}
          - name: seen
            fields:
              - {name: page, data_categories: [user.behavior]}
              - {name: ms, data_categories: [system.operations]}
"""
PEOPLE = (
    '\ufeffnr,mail,says\r\n1,ann@example.org,"two\r\nlines, ""quoted"""\r\n'
    '2,Bob@Example.org,\r\n\r\n3,"cy@example.org",\'odd\r\n'
).encode()
FIRST = b'{"who": 2, "seen": [{"page": "/a", "ms": 5}, {"page": "/b"}]}\n\n{ "who":1 , "seen": {"page":"\\u00e4"} }\n'
SECOND = b'{"who": "2", "seen": null, "more": "kept"}\n{"who": 12}'


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_bytes(PEOPLE)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "1.jsonl").write_bytes(FIRST)
    (tmp_path / "events" / "2.ndjson").write_bytes(SECOND)
    (tmp_path / "notes.csv").write_bytes(b"not,described\n")
    return tmp_path


def at(lake: Path) -> Source:
    return source("lake", "folder", str(lake), TEXT)


def test_somebodys_lines_are_found_by_any_spelling_of_the_address(lake: Path) -> None:
    told = [(row.key.name, says) for row, says in find([at(lake)], {"email": ["bob@example.org"]}).told()]
    assert told == [
        ("people", {"mail": ["Bob@Example.org"], "says": []}),
        ("events", {"who": [2], "seen.page": ["/a", "/b"]}),
        ("events", {"who": ["2"], "seen.page": []}),
    ]


def test_just_their_lines_are_changed_to_the_byte(lake: Path) -> None:
    (lake / "people.csv").chmod(0o640)
    erase(at(lake), find([at(lake)], {"email": ["bob@example.org"]}).to_erase())
    assert (lake / "people.csv").read_bytes() == PEOPLE.replace(b"2,Bob@Example.org,", b"2,,")
    assert stat.S_IMODE((lake / "people.csv").stat().st_mode) == 0o640
    first = FIRST.replace(
        b'{"who": 2, "seen": [{"page": "/a", "ms": 5}, {"page": "/b"}]}',
        b'{"who": null, "seen": [{"page": null, "ms": 5}, {"page": null}]}',
    )
    assert (lake / "events" / "1.jsonl").read_bytes() == first
    assert (lake / "events" / "2.ndjson").read_bytes() == SECOND.replace(b'"who": "2"', b'"who": null')
    assert (lake / "notes.csv").read_bytes() == b"not,described\n"
    assert sorted(each.name for each in lake.rglob("*")) == ["1.jsonl", "2.ndjson", "events", "notes.csv", "people.csv"]
    assert find([at(lake)], {"email": ["bob@example.org"]}).rows == []


def test_a_file_that_changes_meanwhile_is_not_overwritten(lake: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = find([at(lake)], {"email": ["bob@example.org"]}).to_erase()
    beside = Folder.write_beside

    def and_somebody_writes(self: Folder, name: str, lines: object) -> Path:
        aside = beside(self, name, lines)  # type: ignore[arg-type]  # the lines themselves
        with (lake / name).open("ab") as file:
            file.write(b"\n")
        return aside

    monkeypatch.setattr(Folder, "write_beside", and_somebody_writes)
    with pytest.raises(StoreError, match="was changed by somebody else meanwhile"):
        erase(at(lake), wanted)
    assert not list(lake.rglob(".*")), "nothing half-written lies about"
    assert b"Bob@Example.org" in (lake / "people.csv").read_bytes()


@pytest.mark.parametrize(("name", "content", "says"), [
    ("people.csv", b"nr,mail\n1,a\n", "has no column 'says', which lake.yml describes"),
    ("people.csv", b"nr,mail,says\n1,a\n", "people.csv, line 2: 2 cells stand there, and 3 columns"),
    ("people.csv", b'nr,mail,says\n1,"a"b,c\n', "people.csv is not CSV"),
    ("people.csv", b"nr,mail,says\n1,\xff,c\n", "people.csv is not UTF-8"),
    ("events/1.jsonl", b'{"who": 1}\n{"who"\n', "events/1.jsonl, line 2: this is no JSON"),
    ("events/1.jsonl", b"[1]\n", "events/1.jsonl, line 1: this is no object"),
    ("events/1.jsonl", b"[" * 100_000, "line 1: this is no JSON"),
])  # fmt: skip
def test_what_cannot_be_read_is_said_and_nothing_is_changed(lake: Path, name: str, content: bytes, says: str) -> None:
    (lake / name).write_bytes(content)
    with pytest.raises(StoreError, match=None) as refused:
        find([at(lake)], {"email": ["ann@example.org", "a", "Bob@example.org"]})
    assert says in str(refused.value)
    assert (lake / name).read_bytes() == content


def test_a_collection_without_a_file_and_a_folder_that_is_not_there_are_said(lake: Path) -> None:
    (lake / "people.csv").unlink()
    with pytest.raises(StoreError, match=r"there is no file people\.csv or people\.jsonl, and no folder people/"):
        find([at(lake)], {"email": ["a"]})
    with pytest.raises(StoreError, match="is not there, or not open to us"):
        find([at(lake / "nowhere")], {"email": ["a"]})


def test_a_link_out_of_the_folder_is_not_followed(lake: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "people.csv"
    outside.write_bytes(PEOPLE)
    (lake / "people.csv").unlink()
    (lake / "people.csv").symlink_to(outside)
    with pytest.raises(StoreError, match="there is no file"):
        find([at(lake)], {"email": ["bob@example.org"]})
