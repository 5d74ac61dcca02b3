"""Links that need no sign-in: they say nothing, cannot be forged, and live as long as the law wants and longer."""

from __future__ import annotations

import base64
import re
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from comity.book.models import Reach
from comity.consent.preferences.links import LIVES, REACHES, BadLink, Link, May, OldLink, make_link, read_link
from comity.consent.suppression import keys
from comity.consent.suppression.marks import Mark, mark_of
from comity.refs import new_ref

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh")]
NOW = datetime(2026, 11, 22, 17, 0, 5, tzinfo=UTC)
PERSON, ENTITY, NOTICE = new_ref(), new_ref(), new_ref()
TEN_YEARS = timedelta(days=3_700)


@pytest.fixture
def fresh(folder: Path) -> None:
    del folder
    keys.forget()


def made(may: May = May.CHOOSE, **more: object) -> str:
    return make_link(may=may, person=PERSON, entity=ENTITY, at=NOW, **more)  # type: ignore[arg-type]  # parts of a link


def test_a_link_says_what_was_put_into_it() -> None:
    mark = mark_of(Reach.EMAIL, "greta@kettle.example")
    text = made(May.CONFIRM, purpose="marketing", channel="email", mark=mark, notice=NOTICE)
    assert read_link(text, on=NOW.date(), may=May.CONFIRM) == Link(
        may=May.CONFIRM, person=PERSON, entity=ENTITY, made_at=NOW, ends_on=date(2026, 11, 29), purpose="marketing",
        channel="email", mark=mark, notice=NOTICE,
    )  # fmt: skip


def test_a_link_is_short_fits_an_address_and_says_nothing_of_what_it_holds() -> None:
    mark = Mark("email", bytes(range(16)))
    text = made(May.STOP, purpose="marketing", channel="email", mark=mark)
    assert re.fullmatch(r"[A-Za-z0-9_-]{60,128}", text)
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for secret in (PERSON.bytes, ENTITY.bytes, mark.digest, b"marketing", b"email"):
        assert secret not in raw


def test_links_of_two_people_or_of_two_uses_have_nothing_in_common() -> None:
    one, other = made(), make_link(may=May.CHOOSE, person=new_ref(), entity=ENTITY, at=NOW)
    assert one[4:12] != other[4:12]
    assert made() == one  # and the same is said in the same letters, so that a message can be made anew


def test_no_letter_of_a_link_can_be_changed_left_out_or_added() -> None:
    text = made(May.STOP, purpose="marketing", channel="email")
    for place in range(len(text)):
        changed = text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]
        for forged in (changed, text[:place] + text[place + 1 :], f"{text[:place]}A{text[place:]}"):
            with pytest.raises(BadLink):
                read_link(forged, on=NOW.date(), may=May.STOP)


@pytest.mark.parametrize(
    "text", ["", "x", "=", "ä", "%2e%2e", "A" * 107, "A" * 5_000, "../../etc/passwd", "AAEB", "é" * 20]
)
def test_what_is_no_link_is_refused_whatever_it_is(text: str) -> None:
    with pytest.raises(BadLink):
        read_link(text, on=NOW.date(), may=May.STOP)


@given(st.binary(max_size=120))
def test_random_bytes_are_no_link(raw: bytes) -> None:
    with pytest.raises(BadLink):
        read_link(base64.urlsafe_b64encode(raw).decode().rstrip("="), on=NOW.date(), may=May.STOP)


def test_a_link_lets_do_what_it_was_made_for_and_who_may_choose_may_stop() -> None:
    allowed = {
        (of, may)
        for of in May
        for may in May
        if _reads(made(of, purpose="marketing", channel="email"), may)
    }  # fmt: skip
    assert allowed == {(may, may) for may in May} | {(May.CHOOSE, May.STOP)}


def _reads(text: str, may: May) -> bool:
    try:
        return read_link(text, on=NOW.date(), may=may).person == PERSON
    except BadLink:
        return False


@pytest.mark.parametrize("may", [May.CHOOSE, May.CONFIRM])
def test_after_its_day_a_link_shows_nothing_more(may: May) -> None:
    text, last = made(may), NOW.date() + timedelta(days=LIVES[may])
    assert read_link(text, on=last, may=may).person == PERSON
    with pytest.raises(OldLink):
        read_link(text, on=last + timedelta(days=1), may=may)


@pytest.mark.parametrize("may", [May.CHOOSE, May.STOP])
def test_a_no_by_an_old_link_is_still_a_no(may: May) -> None:
    assert read_link(made(may), on=NOW.date() + TEN_YEARS, may=May.STOP).person == PERSON


def test_links_live_longer_than_the_strictest_law_asks() -> None:
    written = [path.read_text("utf-8") for path in (files("comity") / "packs").glob("*/rules/*.toml")]  # type: ignore[attr-defined]  # a folder
    asked = [int(days) for text in written for days in re.findall(r"live_days = (\d+)", text)]
    assert asked, "no rule asks for live_days any more: look at LIVES again"
    assert min(LIVES[May.STOP], LIVES[May.CHOOSE]) > max(asked)


def test_a_message_whose_law_asks_for_more_gets_a_link_that_lives_longer() -> None:
    text = made(live_days=1_000)
    assert read_link(text, on=NOW.date() + timedelta(days=1_000), may=May.CHOOSE).person == PERSON


def test_a_new_key_does_not_end_the_links_of_the_old_one() -> None:
    old = made()
    keys.turn_link_key()
    assert made() != old
    assert read_link(old, on=NOW.date(), may=May.CHOOSE).person == PERSON


def test_another_books_links_are_none_of_ours(tmp_path: Path, settings: Settings) -> None:
    theirs = made()
    settings.FOLDER = tmp_path / "another"
    (tmp_path / "another").mkdir(mode=0o700)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE consent_keptkey")
    keys.forget()
    with pytest.raises(BadLink):
        read_link(theirs, on=NOW.date(), may=May.CHOOSE)


def test_every_way_to_reach_somebody_has_a_number_of_its_own() -> None:
    assert set(REACHES) == set(Reach)
    assert len(set(REACHES.values())) == len(REACHES)
