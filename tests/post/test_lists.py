"""Lists for those who call or print: who said no before a file was closed is not in it, and no cell runs anything."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import stat
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.models import Reach
from comity.consent.actions import About, give_consent, withdraw_consent
from comity.counsel.actions import Decided
from comity.counsel.questions import Question
from comity.ledger.journal.keeping import journal_folder
from comity.post import lists
from comity.post.actions import NotDispatched, begin_dispatch, stop_dispatch
from comity.post.letters import Composed, Letter, register_composer
from comity.post.lists import as_csv, close_lists, forget_files, harmless, open_rows, place_of
from comity.post.models import ClosedList, Dispatch, Gateway, Message, Struck
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.sealing import FieldClass
from tests.post.writing import MONDAY, send_all

pytestmark = pytest.mark.django_db(transaction=True)


class Rows:
    """Writes the same row for everybody."""

    def question(self, dispatch: Dispatch) -> Question:
        return Question(operation="contact", purpose="marketing", channel="call", entity=dispatch.entity_id)

    def classes(self, _dispatch: Dispatch) -> Sequence[FieldClass]:
        return [FieldClass.CONTACT]

    def compose(self, _dispatch: Dispatch, messages: Sequence[Message], _decided: Decided) -> Mapping[UUID, Composed]:
        return {
            one.ref: Letter(
                to=NUMBERS[one.person], sender="", ref=one.ref,
                data=json.dumps({"to": NUMBERS[one.person], "cells": {"opening": "=1+1", "place": "DE"}}).encode(),
            )
            for one in messages
        }  # fmt: skip


register_composer("tests-rows", Rows())
NUMBERS: dict[UUID, str] = {}


@pytest.fixture
def people(firm: Entity) -> list[UUID]:
    """Three people of Britain, who said yes to being called."""
    newcomers = [
        Newcomer(
            name={"given": "Olive", "family": f"Oak {number}"}, facts={"home": "DE"}, ref=new_ref(),
            points=[NewPoint(reach=Reach.PHONE, value=f"+49151000000{number:02}")], relation={"source": "person"},
        )
        for number in range(3)
    ]  # fmt: skip
    add_persons(newcomers=newcomers, entity=firm, staff=None)
    for number, one in enumerate(newcomers):
        NUMBERS[one.ref] = f"+49151000000{number:02}"
        give_consent(
            about=About(person=one.ref, entity=firm, purpose="marketing", channel="call"), said_at=MONDAY,
            notice="Calls v1", source="Fair", heard_by=None, express=True, separate=True,
        )  # fmt: skip
    return [one.ref for one in newcomers]


@pytest.fixture
def handed(people: list[UUID], firm: Entity, tom: Staff) -> Dispatch:
    """Rows of all of them wait in the folder."""
    gateway = Gateway.objects.create(entity=firm, channel="call", kind="call-list", name="Calls", settings={})
    dispatch = begin_dispatch(
        kind="tests-rows", about=new_ref(), entity=firm, purpose="marketing", gateway=gateway, staff=tom, persons=people
    )
    send_all(dispatch)
    with behind_wall(staff=None, entities=[firm.ref]):
        assert open_rows(dispatch) == 3
    return dispatch


def no_more_calls(person: UUID, entity: Entity) -> None:
    about = About(person=person, entity=entity, purpose="marketing", channel="call")
    withdraw_consent(about=about, said_at=MONDAY, source="Phone", heard_by=None)


def closed(dispatch: Dispatch, staff: Staff) -> tuple[ClosedList, list[dict[str, str]]]:
    (made,) = close_lists(dispatch=dispatch, staff=staff)
    with behind_wall(staff=None, entities=[dispatch.entity_id]):
        made = ClosedList.objects.select_related("dispatch__gateway").get(pk=made.pk)
        return made, rows_in(place_of(made) / "calls.csv")


def rows_in(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"))))


def test_whoever_says_no_after_their_row_was_written_is_struck_out_before_the_file_is_closed(
    handed: Dispatch, people: list[UUID], tom: Staff
) -> None:
    no_more_calls(people[1], handed.entity)
    made, rows = closed(handed, tom)
    assert {row["number"] for row in rows} == {f"tel:{NUMBERS[people[0]]}", f"tel:{NUMBERS[people[2]]}"}
    assert (made.rows, made.struck) == (2, 1)
    with behind_wall(staff=None, entities=[handed.entity_id]):
        assert [one.why for one in Struck.objects.all()] == ["law"]
        assert open_rows(handed) == 0
    with pytest.raises(NotDispatched, match="nothing to close"):
        close_lists(dispatch=handed, staff=tom)


def test_only_we_may_read_the_files_and_a_formula_is_text(handed: Dispatch, tom: Staff) -> None:
    made, rows = closed(handed, tom)
    with behind_wall(staff=None, entities=[handed.entity_id]):
        folder = place_of(made)
    assert [row["opening"] for row in rows] == ["'=1+1"] * 3
    assert {stat.S_IMODE(each.stat().st_mode) for each in (folder, *list(folder.parents)[:4])} == {0o700}
    assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def test_no_list_is_closed_by_a_database_that_may_lack_a_no(handed: Dispatch, people: list[UUID], tom: Staff) -> None:
    no_more_calls(people[1], handed.entity)
    shutil.rmtree(journal_folder())
    with pytest.raises(NotDispatched, match="No list is closed"):
        close_lists(dispatch=handed, staff=tom)
    with behind_wall(staff=None, entities=[handed.entity_id]):
        assert open_rows(handed) == 3


def test_a_list_of_what_was_stopped_is_not_made(handed: Dispatch, tom: Staff) -> None:
    with behind_wall(staff=None, entities=[handed.entity_id]):
        stop_dispatch(dispatch=handed, staff=tom)
    with pytest.raises(NotDispatched, match="stopped for good"):
        close_lists(dispatch=handed, staff=tom)


@pytest.mark.parametrize("point", ["write_whole", "_give_name", "_keep_name"])
def test_a_closing_that_dies_is_settled_by_the_next(
    handed: Dispatch, people: list[UUID], tom: Staff, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the file was closed it counts; before, its rows wait again, and who said no meanwhile is struck out."""

    def dies(*_given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(lists, point, dies)
        with pytest.raises(KeyboardInterrupt):
            close_lists(dispatch=handed, staff=tom)
    no_more_calls(people[0], handed.entity)
    if point == "_keep_name":
        with pytest.raises(NotDispatched):
            close_lists(dispatch=handed, staff=tom)
        with behind_wall(staff=None, entities=[handed.entity_id]):
            assert [(one.rows, one.struck) for one in ClosedList.objects.all()] == [(3, 0)]
    else:
        made, rows = closed(handed, tom)
        assert (made.rows, made.struck, len(rows)) == (2, 1, 2)


def test_no_file_stays_past_its_time(handed: Dispatch, tom: Staff) -> None:
    made, _rows = closed(handed, tom)
    with behind_wall(staff=None, entities=[handed.entity_id]):
        folder = place_of(made)
        assert forget_files() == 0
        os.utime(folder, (time.time(), time.time() - lists.KEPT_FOR.total_seconds() - 60))
        assert forget_files() == 1
        assert ClosedList.objects.get(pk=made.pk).deleted_at is not None
    assert not folder.exists()


@pytest.mark.parametrize(
    "cell", ["=1+1", "+49", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "'=1", "  =1+1", "\n@x", "=cmd|'/c calc'!A1"]
)
def test_no_cell_begins_as_a_formula_does(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=4))
def test_whatever_stands_in_a_cell_a_table_keeps_its_shape(rows: list[list[str]]) -> None:
    made = as_csv(["a", "b"], [dict(zip("ab", row, strict=True)) for row in rows])
    read = list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))
    assert len(read) == len(rows) + 1
    assert all(len(row) == 2 for row in read)
    assert not [cell for row in read for cell in row if cell[:1] and cell[0] in "=+-@\t\r\n"]
