"""What the page says, that it needs nothing but itself, and that it holds nothing of any person."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import pytest

from comity.check.page import link, render_page
from tests.cast import PAUL
from tests.check.test_report import answer, group

VOID = {"meta", "br", "path", "rect", "link", "img", "hr", "input"}


class Reader(HTMLParser):
    """Keeps the elements, their attributes and the text, and whether every element is closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@cache
def page() -> str:
    return render_page(answer())


@cache
def read() -> Reader:
    return Reader(page())


def test_every_element_is_closed_and_every_label_points_to_something() -> None:
    assert read().open == []
    ids = [attributes["id"] for _, attributes in read().elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    pointed = {attributes["aria-labelledby"] for _, attributes in read().elements if "aria-labelledby" in attributes}
    assert pointed <= set(ids)


def test_it_runs_nothing_and_fetches_nothing() -> None:
    assert {tag for tag, _ in read().elements} & {"script", "img", "link", "iframe", "object", "form"} == set()
    assert [name for _, attributes in read().elements for name in attributes if name.startswith("on")] == []
    assert {name for _, attributes in read().elements for name in attributes} & {"src", "srcset", "style"} == set()
    assert "url(" not in page()
    assert "@import" not in page()


def test_the_numbers_are_those_of_the_answer() -> None:
    for words in ("9,410 people", "5,087", "3,016", "1,307", "54 %", "as of 2026-11-21 · 8 laws in 7 packs asked"):
        assert words in read().text


def test_a_verdict_is_a_word_and_an_icon() -> None:
    for name in ("Permit", "Deny", "Ask"):
        assert re.search(rf'<span class="verdict {name.lower()}"><svg [^>]*>.*?</svg>{name}</span>', page())


def test_every_chart_says_its_numbers_to_those_who_do_not_see_it() -> None:
    charts = [attributes for attributes in read().all("svg") if attributes.get("role") == "img"]
    assert "5,087 permit, 3,016 deny, 1,307 ask" in [chart["aria-label"] for chart in charts]
    hidden = [attributes for attributes in read().all("svg") if attributes.get("aria-hidden") == "true"]
    assert [chart for chart in charts if not chart["aria-label"]] == []
    legend = 3
    assert len(charts) + len(hidden) + legend == len(read().all("svg"))


def test_tables_have_heads_and_a_name() -> None:
    assert [table for table in read().all("table") if not {"aria-label", "aria-labelledby"} & table.keys()] == []
    assert [head for head in read().all("th") if head.get("scope") not in {"col", "row"}] == []


def test_a_reason_has_its_rules_their_articles_and_addresses() -> None:
    assert (
        '<a href="https://www.gesetze-im-internet.de/uwg_2004/__7.html" rel="noopener noreferrer external">' in page()
    )
    for words in ("de-uwg/email-needs-consent", "unconfirmed", "would free 1,904", "None; respect it."):
        assert words in read().text


def test_it_tells_what_the_answer_rests_on() -> None:
    for words in (
        "You are established only where each person lives.",
        "The balancing of Art. 6(1)(f) is not made here",
        "Favourite colour",
        "Consents are false unless recorded",
        "broken quoting",
        "2026.11.1",
        "Opt-outs count as complete",
    ):
        assert words in read().text
    assert len(re.findall(r'<code class="hash">[0-9a-f]{64}</code>', page())) == 7


def test_nothing_of_a_person_is_on_the_page() -> None:
    assert "Secret" not in page()
    assert "31/31/99" not in page()


def test_a_country_text_nobody_understood_is_shown_and_cannot_write_html() -> None:
    assert "&lt;b&gt;Lemuria&lt;/b&gt;" in page()
    assert "<b>Lemuria" not in page()


@pytest.mark.parametrize("field", ["file", "dialect", "use", "headline"])
def test_no_text_from_outside_can_write_html(field: str) -> None:
    evil = '"><script>alert(1)</script>'
    changed = copy(answer())
    object.__setattr__(changed, field, evil)
    assert "<script" not in render_page(changed)


def test_only_an_address_of_the_web_becomes_a_link() -> None:
    assert link("https://eur-lex.europa.eu/") == "https://eur-lex.europa.eu/"
    assert link("javascript:alert(1)") == ""


def test_places_have_names_and_chinese_stays_as_it_is() -> None:
    for words in ("Netherlands", "United States, OH", "Switzerland / Italy 37", "个人信息保护法", "出生日期", "“广告”"):
        assert words in read().text


def test_a_file_in_which_all_are_permitted_has_a_page_too() -> None:
    short = Reader(render_page(replace(answer(), groups=(group(1, PAUL, "", 1),), rejects=(), unresolved_places={})))
    assert "Why not" not in short.text
    assert short.open == []


def test_a_file_without_any_readable_row_has_a_page_too() -> None:
    assert Reader(render_page(replace(answer(), groups=(), unresolved_places={}))).open == []
