"""Every obligation that the packs know has a way in which it is met, and whatever has none is not sent."""

from __future__ import annotations

import string

import pytest

from comity.law import Lawbook, read_packs
from comity.outreach.composing.accompaniment import MAKERS
from comity.outreach.composing.passages import LANGUAGES, written
from comity.outreach.composing.ways import WAYS, Unmet, Way, by_kind, to_see_to
from tests.outreach.composing.parts import wanted


@pytest.fixture(scope="module")
def book() -> Lawbook:
    return read_packs()


def test_every_kind_of_the_packs_has_a_way_and_there_is_no_other(book: Lawbook) -> None:
    assert set(WAYS) == set(book.obligations)


def test_what_is_met_by_making_is_made() -> None:
    made = {kind for kind, way in WAYS.items() if way is Way.MAKING}
    assert made - set(MAKERS) == {"call-disclosure"}
    assert set(MAKERS) <= made


def test_an_unknown_kind_is_an_error_that_names_it_and_its_rule() -> None:
    with pytest.raises(Unmet, match=r"smoke-signal.*xx-law/smoke-signal"):
        by_kind([wanted("smoke-signal")], seen_to={"smoke-signal"})
    with pytest.raises(Unmet):
        to_see_to([wanted("smoke-signal")])


@pytest.mark.parametrize("kind", [kind for kind, way in WAYS.items() if way in {Way.TIME, Way.RECORDS}])
def test_hours_and_records_are_for_whoever_sends_and_it_must_say_that_it_saw_to_them(kind: str) -> None:
    assert to_see_to([wanted(kind)])
    with pytest.raises(Unmet, match=kind):
        by_kind([wanted(kind)], seen_to=())
    assert by_kind([wanted(kind)], seen_to={kind})


@pytest.mark.parametrize("kind", [kind for kind, way in WAYS.items() if way is Way.NOT_HERE])
def test_what_no_message_can_meet_is_not_sent_whatever_anybody_says(kind: str) -> None:
    with pytest.raises(Unmet, match=kind):
        by_kind([wanted(kind)], seen_to={kind})


def test_what_the_book_keeps_by_itself_asks_nothing() -> None:
    kept = [wanted(kind) for kind, way in WAYS.items() if way is Way.KEPT]
    assert len(by_kind(kept, seen_to=())) == len(kept)
    assert to_see_to(kept) == ()


# ---------------------------------------------------------------- passages


def places(text: str) -> set[str]:
    return {
        name
        for _, name, spec, conversion in string.Formatter().parse(text)
        if name is not None and not (spec or conversion)
    }


@pytest.mark.parametrize("passage", written())
def test_a_passage_is_written_in_every_language_and_names_the_same_in_each(passage: str) -> None:
    by_language = written()[passage]
    assert set(by_language) == set(LANGUAGES)
    named = {code: places(text) for code, text in by_language.items()}
    assert set(map(frozenset, named.values())) == {frozenset(named["en"])}
    assert all("." not in name and "[" not in name for name in named["en"])
