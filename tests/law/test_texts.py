"""The text rules find what their stories say, nothing beside it, and in a time that grows with the text alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from comity.law import SHIPPED, Lawbook, PackError
from comity.law.dark_patterns import CHECKS
from comity.law.pages import MOST_CONTROLS, UnreadableText, fold, read_blocks, read_document, read_page
from comity.law.text_cases import TextCase, lint_texts, mutate_texts, read_text_cases, try_text_case
from comity.law.texts import (
    FORMS,
    LOOK_KEYS,
    MOST_FINDINGS,
    TEXT_KEYS,
    Form,
    Looked,
    TextBook,
    lint_text,
    read_texts,
)

DAY = date(2026, 11, 21)
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def texts(book: Lawbook) -> TextBook:
    return read_texts(book)


@pytest.fixture(scope="module")
def cases(texts: TextBook) -> list[TextCase]:
    return read_text_cases(texts)


def looked(texts: TextBook, text: str | bytes, form: Form, *places: str, name: str = "", day: date = DAY) -> Looked:
    content = text if isinstance(text, bytes) else text.encode()
    document = read_document(content, name=name, mail=form == "email")
    return lint_text(texts, document, form=form, places=texts.expanded(places, day), day=day)


def found(seen: Looked) -> list[tuple[str, int, str]]:
    return [(one.rule.id, one.line, one.words) for one in seen.findings]


# ---------------------------------------------------------------- the shipped rules


def test_every_story_comes_out_as_it_says(texts: TextBook, cases: list[TextCase]) -> None:
    told = [f"{case.file}:{case.line}: {problem}" for case in cases for problem in try_text_case(texts, case)]
    assert told == []


def test_every_rule_has_its_day_its_row_a_story_that_fires_it_and_a_near_miss(
    texts: TextBook, cases: list[TextCase]
) -> None:
    assert [str(problem) for problem in lint_texts(texts, cases)] == []
    assert len(lint_texts(texts, [])) == len(texts.rules)


def test_the_stories_notice_whatever_is_taken_out_of_a_rule(texts: TextBook, cases: list[TextCase]) -> None:
    mutants = list(mutate_texts(texts, cases))
    assert len(mutants) > len(texts.rules)
    assert [f"{one.rule}: {one.change}" for one in mutants if not one.caught_by] == []


def test_every_structural_check_is_used_by_a_rule(texts: TextBook) -> None:
    assert {rule.look.check for rule in texts.rules} - {""} == set(CHECKS)


@pytest.mark.parametrize(("day", "article"), [("2025-10-14", "(2019) Art. 8"), ("2025-10-15", "(2025) Art. 9")])
def test_the_text_of_the_competition_law_is_that_of_the_day(texts: TextBook, day: str, article: str) -> None:
    seen = looked(texts, "专业刷好评", "ad", "CN", day=date.fromisoformat(day))
    cited = [one.rule.source.cite for one in seen.findings if one.rule.law.id == "cn-competition"]
    assert [article in cite for cite in cited] == [True]


@pytest.mark.parametrize(("day", "order"), [("2026-04-30", "MIIT Order 31"), ("2026-05-01", "MIIT Order 74")])
def test_text_messages_are_judged_by_the_order_of_the_day(texts: TextBook, day: str, order: str) -> None:
    seen = looked(texts, "新品八折", "sms", "CN", day=date.fromisoformat(day))
    assert {order in one.rule.source.cite for one in seen.findings} == {True}


def test_a_rule_is_asked_only_where_its_law_protects_people(texts: TextBook) -> None:
    assert {rule.law.id for rule in looked(texts, "Hello", "banner", "US-CO").rules} == {
        "us-co-privacy", "us-ftc",
    }  # fmt: skip
    assert looked(texts, "Hello", "banner", "AU").rules == ()
    assert {rule.law.id for rule in looked(texts, "Hello", "email", "DE").rules} == {
        "eu-gdpr", "eu-eprivacy", "de-uwg",
    }  # fmt: skip


# ---------------------------------------------------------------- words


@pytest.mark.parametrize(
    ("text", "finds"),
    [
        ("国\u200b家级", True),  # an unseen sign between
        ("最佳", True),
        ("力争最佳", False),
        ("Ｎｏ．１ 品牌", True),  # full width
        ("No.12 门店", False),  # another number
        ("第一步", False),
        ("第一步:做到第一", True),
        ("TOP1 之选", True),
        ("desktop1", False),
    ],
)
def test_words_are_found_through_disguise_and_not_within_other_words(
    texts: TextBook, text: str, *, finds: bool
) -> None:
    seen = looked(texts, f"广告 {text}", "ad", "CN")
    assert bool(seen.findings) is finds


def test_a_phrase_is_found_across_lines_and_told_where_it_begins(texts: TextBook) -> None:
    seen = looked(texts, "Hello,\nplease log\n   in to\tunsubscribe.", "email", "US")
    assert ("us-canspam/opting-out-costs-nothing", 2, "log in to unsubscribe") in found(seen)


def test_a_phrase_is_not_found_across_paragraphs(texts: TextBook) -> None:
    seen = looked(texts, "Please log in\n\nto unsubscribe.", "email", "US")
    assert "us-canspam/opting-out-costs-nothing" not in {name for name, *_ in found(seen)}


def test_folding_keeps_the_length_so_that_what_is_shown_is_what_stands_there() -> None:
    text = "Straße İstanbul ﬁne ＡＤ “x”，。"
    assert len(fold(text)) == len(text)
    assert fold("ＡＤ：“x”") == 'ad:"x"'


def test_many_findings_of_one_rule_are_counted(texts: TextBook) -> None:
    seen = looked(texts, "国家级。" * 100, "ad", "CN")
    assert len([one for one in seen.findings if one.rule.id == "cn-advertising/absolute-words"]) == MOST_FINDINGS
    assert seen.more == {"cn-advertising/absolute-words": 100 - MOST_FINDINGS}


# ---------------------------------------------------------------- pages


def boxes(html: str) -> list[tuple[str, str, bool]]:
    return [(one.kind, one.says, one.ticked) for one in read_page(html, html=True).controls]


@pytest.mark.parametrize(
    "html",
    [
        "<label><input type=checkbox checked> News</label>",
        "<input type=checkbox checked id=n><label for=n>News</label>",
        "<label for=n>News</label><input type=checkbox checked id=n>",
        "<input type=checkbox checked aria-label=News>",
        "<p><input type=checkbox checked> News</p>",
        "<INPUT TYPE='CHECKBOX' CHECKED='checked' ARIA-LABEL='News'>",
        "<div role=checkbox aria-checked=true>News</div>",
    ],
)
def test_a_box_has_its_words_however_they_are_tied_to_it(html: str) -> None:
    assert boxes(html) == [("box", "News", True)]


def test_lines_are_those_of_the_file_through_comments_and_scripts() -> None:
    html = (
        "<!-- a\nb -->\n<script>\nif (a < b) alert('<p>国家级</p>')\n</script>\n<p>one\ntwo</p>\n<button>\nGo</button>"
    )
    page = read_page(html, html=True)
    assert "国家级" not in page.prose.shown
    assert page.prose.line(page.prose.shown.index("two")) == 7
    assert [(one.says, one.line) for one in page.controls] == [("Go", 8)]


def test_what_is_hidden_is_read_and_is_not_in_plain_sight() -> None:
    page = read_page("<p>a</p><div style='display: none'><p>b</p></div><p hidden>c</p><p>d</p>", html=True)
    seen = {mark: page.prose.visible(place, place + 1) for place, mark in enumerate(page.prose.shown) if mark != "\n"}
    assert seen == {"a": True, "b": False, "c": False, "d": True}


def test_broken_html_is_read_as_far_as_it_goes() -> None:
    page = read_page("<p>1 < 2 <b>and</p> <a href='x>y'>link</a> <unknown <p>end", html=True)
    assert "1 < 2 and" in page.prose.shown.replace("\n", "")
    assert "end" in page.prose.shown


# ---------------------------------------------------------------- messages

MAIL = """\
From: =?utf-8?B?5p+Q5p+Q5YWs5Y+4?= <a@b.cn>
Subject: =?gb2312?B?ueO45iDTxbvd?=
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/plain; charset=gb2312
Content-Transfer-Encoding: base64

ufq80ry2
--b
Content-Type: text/html; charset=utf-8

<p>ok</p>
--b
Content-Type: text/html; charset=utf-8
Content-Disposition: attachment; filename=x.html

<p>最佳</p>
--b--
"""


def test_a_message_is_decoded_part_by_part_and_its_attachments_left_alone() -> None:
    document = read_document(MAIL.encode(), name="a.eml")
    assert document.headers is not None
    assert document.headers["from"].says == "某某公司 <a@b.cn>"
    assert document.headers["subject"].says == "广告 优惠"
    assert document.headers["subject"].line == 2
    assert [(page.part, page.prose.shown) for page in document.pages] == [("html part", "ok"), ("text part", "国家级")]


def test_what_headers_alone_can_tell_is_not_judged_without_them(texts: TextBook) -> None:
    seen = looked(texts, "优惠。退订 a@b.cn", "email", "CN")
    assert seen.unjudged["cn-messages/mail-label"] == "the file has no mail headers"
    assert not {one.rule.id for one in seen.findings} & seen.unjudged.keys()


def test_what_only_html_shows_is_not_judged_in_plain_text(texts: TextBook) -> None:
    seen = looked(texts, "Some cookies", "banner", "US-CO")
    assert "us-co-privacy/equal-looks" in seen.unjudged
    assert "us-co-privacy/decline-all-beside-accept-all" in seen.unjudged


# ---------------------------------------------------------------- bytes


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "it is empty"),
        (b" \n\t", "it is empty"),
        (b"%PDF-1.7 \n", "a PDF"),
        (b"PK\x03\x04...", "a zip file"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (b"ab\0\0\1\2", "it is not text"),
        (bytes(range(1, 256)) * 3, "much of it is no writing"),
        (b"a" * (4 * MEGABYTE + 1), "longer than 4,000,000 bytes"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_do(content: bytes, says: str) -> None:
    with pytest.raises(UnreadableText, match=says):
        read_document(content)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("最佳 é".encode(), ()),
        ("\ufeff最佳".encode(), ()),
        ("最佳".encode("utf-16"), ("read as UTF-16",)),
        ("最佳的选择".encode("gb18030"), ("not UTF-8; read as GB 18030",)),
        ("déjà vu à".encode("cp1252"), ("not UTF-8; read as Windows-1252",)),
        (b"<meta charset=gbk><p>" + "最佳".encode("gbk"), ()),
    ],
)
def test_an_encoding_that_had_to_be_guessed_is_said(content: bytes, note: tuple[str, ...]) -> None:
    document = read_document(content)
    assert document.notes == note
    assert "�" not in document.pages[0].prose.shown


def test_more_boxes_than_are_looked_at_are_said(texts: TextBook) -> None:
    document = read_document(b"[x] newsletter\n" * (MOST_CONTROLS + 1))
    assert document.notes == ("only the first 2,000 boxes, buttons and links were looked at",)
    assert looked(texts, b"[x] newsletter\n" * (MOST_CONTROLS + 1), "form", "EU").findings


# ---------------------------------------------------------------- notices

KEPT = "eu-gdpr/notice-says-how-long"
ABROAD = "eu-gdpr/notice-names-safeguards"


def missing(texts: TextBook, *, language: str = "en", **blocks: str) -> dict[str, str]:
    """Return what a notice for people in Germany lacks, by rule, and in which block."""
    places = texts.expanded(["DE"], DAY)
    seen = lint_text(texts, read_blocks(blocks), form="notice", places=places, day=DAY, language=language)
    return {one.rule.id: one.part for one in seen.findings}


def test_what_is_wanted_in_a_block_counts_nowhere_else(texts: TextBook) -> None:
    assert KEPT not in missing(texts, retention="Two years.")
    assert missing(texts, more="We keep it for two years.")[KEPT] == "retention"


def test_what_is_wanted_only_of_those_who_do_something_is_not_wanted_of_those_who_say_that_they_do_not(
    texts: TextBook,
) -> None:
    assert ABROAD in missing(texts, transfers="We send your data to the United States.")
    assert ABROAD in missing(texts, transfers="We send it to the United States. Nothing else is there.")
    assert ABROAD not in missing(texts, transfers="We do not transfer your data to the United States.")
    assert ABROAD not in missing(texts, more="Your privacy matters.")


def test_a_rule_without_words_in_the_language_is_unjudged_and_says_so(texts: TextBook) -> None:
    document = read_blocks({"retention": "Kaksi vuotta."})
    seen = lint_text(
        texts, document, form="notice", places=texts.expanded(["FI"], DAY), day=DAY, language="fi"
    )  # fmt: skip
    assert seen.unjudged[KEPT] == "its words are in en, de, fr, zh, and this is in fi"
    assert KEPT not in {one.rule.id for one in seen.findings}
    assert "eu-gdpr/notice-says-who-we-are" in {one.rule.id for one in seen.findings}, (
        "an address is one in any language"
    )


def test_an_example_that_breaks_its_rule_is_found(book: Lawbook, tmp_path: Path) -> None:
    text = TEXT.replace("[text.finds]", '[text.example]\nen = "Worst."\n[text.wants]\nwhat = "the word"')
    texts = load(book, tmp_path, LAW + text)
    assert "its example in en breaks it" in [problem.what for problem in lint_texts(texts, [])]


def test_a_notice_in_which_nothing_stands_is_no_notice() -> None:
    with pytest.raises(UnreadableText, match="nothing to look at"):
        read_blocks({"who": "  \n"})


# ---------------------------------------------------------------- time


def timed(texts: TextBook, content: bytes, name: str) -> float:
    places = texts.expanded(["CN", "EU", "UK", "US"], DAY)
    began = time.process_time()
    document = read_document(content, name=name)
    for form in FORMS:
        lint_text(texts, document, form=form, places=places, day=DAY)
    return time.process_time() - began


SPITEFUL = {
    "a.txt": [
        "最佳国家级最好", "don't not ", "by continuing ", "1", "1 a b ", "free gift card good ", "99%", "log in ", "a@",
        "if you keep ", "a", "[ab] ", "[", "[x] newsletter\n", " ", "\n", "you have declined ",
    ],
    "a.html": [
        "<", "<a ", '<a ="', "<a x='", "<!--", "<!", "<![", "<?", "</p>", "<b>x", "<label>x", "<script>", "&", "&#1",
        "<form><input type=checkbox checked>news", "<div class=banner><button>accept all", "<p hidden>unsubscribe</p>",
        "<img width=1 height=1>", "<div class=timer>x", '<p a="<p a="><',
        "<input type=checkbox class=toggle>do not sell",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "piece"), [(name, piece) for name, pieces in SPITEFUL.items() for piece in pieces])
def test_time_grows_with_the_text_and_no_faster_whatever_stands_in_it(texts: TextBook, name: str, piece: str) -> None:
    """Five kinds of text under all laws at once; ten times the text may not take a hundred times the time."""
    size = len(piece.encode())
    short, long = ((piece * (part // size)).encode() for part in (20_000, 200_000))
    timed(texts, b"x", name)
    first = min(timed(texts, b"x" + short, name) for _ in range(2))
    assert timed(texts, b"x" + long, name) < max(2.0, 60 * first)


def test_a_megabyte_of_prose_takes_a_moment(texts: TextBook) -> None:
    text = ("We are happy to write to you about our new things, and we offer them. " * 15_000)[:MEGABYTE].encode()
    places = texts.expanded(["CN", "EU", "US"], DAY)

    def once() -> float:
        began = time.process_time()
        lint_text(texts, read_document(text), form="email", places=places, day=DAY)
        return time.process_time() - began

    assert min(once() for _ in range(3)) < 5.0  # about half a second on an idle core


# ---------------------------------------------------------------- loading

LAW = '[[law]]\nid = "xx-ads"\nname = "X"\ncite = "X"\nfrom = 2020-01-01\nterritory = ["CN"]\n'
TEXT = """
[[text]]
id = "xx-ads/a"
says = "A."
cite = "X 1"
from = 2020-01-01
as = ["ad"]
level = "error"
cure = "B."
languages = ["en"]
[text.finds]
words = ["best"]
"""


def load(book: Lawbook, folder: Path, text: str) -> TextBook:
    (folder / "xx" / "texts").mkdir(parents=True)
    (folder / "xx" / "texts" / "a.toml").write_text(text, "utf-8")
    (folder / "words.toml").write_text('[some]\nsays = "Some."\nen = ["one", "two*"]\nde = ["eins"]\n', "utf-8")
    return read_texts(book, folder)


def test_a_file_may_declare_a_law_that_has_text_rules_alone(book: Lawbook, tmp_path: Path) -> None:
    texts = load(book, tmp_path, LAW + TEXT.replace('"best"', '"@some"'))
    assert [(rule.id, rule.look.words.plain) for rule in texts.rules] == [("xx-ads/a", ("one", "two*"))]


def wrong() -> Iterator[tuple[str, str]]:
    yield TEXT, "no law is called 'xx-ads'"
    yield LAW.replace('["CN"]', "[]") + TEXT, "it has no territory"
    yield LAW.replace("xx-ads", "eu-gdpr"), "is declared already"
    yield LAW.replace("CN", "XQ") + TEXT, "no place has the code 'XQ'"
    yield LAW + TEXT.replace("xx-ads", "cn-ecommerce"), "has no territory of its own"
    yield LAW + TEXT.replace('as = ["ad"]', 'as = ["add"]'), "did you mean 'ad'"
    yield LAW + TEXT.replace('"error"', '"fatal"'), "it is one of error, review"
    yield LAW + TEXT.replace('"en"', '"xx"'), "'languages' cannot be 'xx'"
    yield LAW + TEXT.replace("finds", "seeks"), "unknown key 'seeks'"
    yield LAW + TEXT.replace("words", "wrods"), "did you mean 'words'"
    yield LAW + TEXT.replace("words", "patterns").replace("best", "best.*"), "repeats without end"
    yield LAW + TEXT.replace("words", "patterns").replace("best", "(?:a{0,9}){0,9}"), "repeats without end"
    yield LAW + TEXT.replace("words", "patterns").replace("best", "a.{0,90}b.{0,90}"), "multiply to 8281"
    yield LAW + TEXT.replace("words", "patterns").replace("best", "Best"), "is never found"
    yield LAW + TEXT.replace("words", "patterns").replace("best", "(best"), "is none"
    yield LAW + TEXT.replace("best", "@sume"), "did you mean 'some'"
    yield LAW + TEXT.replace("best", "*"), "one of its words is empty"
    yield LAW + TEXT.replace('words = ["best"]', 'check = "pre-tick"'), "no check is called 'pre-tick'"
    yield LAW + TEXT.replace('words = ["best"]', ""), "it looks for nothing"
    yield LAW + TEXT.replace("finds", "wants"), "it does not say what is wanted"
    yield LAW + TEXT + 'block = "who are we"\n', "it is one of wording, who"
    yield (
        LAW + TEXT.replace("[text.finds]", '[text.example]\nde = "Gut."\n[text.finds]'),
        "'example' has a text for each",
    )
    yield LAW + TEXT + TEXT, "used twice"
    yield LAW + TEXT + "[rule]\n", "unknown table 'rule'"
    yield LAW + TEXT.replace('cite = "X 1"\n', ""), "every rule names its source"


@pytest.mark.parametrize(("text", "says"), list(wrong()), ids=lambda value: value[:40] if len(value) < 60 else "")
def test_a_wrong_file_of_texts_is_refused_with_its_place(book: Lawbook, tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(PackError, match=r"^xx/texts/a\.toml:") as refused:
        load(book, tmp_path, text)
    assert says in str(refused.value)


def test_a_wrong_story_is_refused_with_its_place(book: Lawbook, texts: TextBook, tmp_path: Path) -> None:
    folder = tmp_path / "cn" / "texts" / "cases"
    folder.mkdir(parents=True)
    story = (SHIPPED / "cn" / "texts" / "cases" / "competition.toml").read_text("utf-8")
    for right, bad, says in [
        ("no-fake-reviews", "no-fake-review", "did you mean 'no-fake-reviews'"),
        ('as     = "ad"', 'as     = "add"', "did you mean 'ad'"),
        ("text   =", "txt   =", "unknown key 'txt'"),
        ('for    = ["CN"]', 'for    = ["XQ"]', "no place has the code"),
    ]:
        (folder / "a.toml").write_text(story.replace(right, bad, 1), "utf-8")
        with pytest.raises(PackError, match=r"^cn/texts/cases/a\.toml:1: ") as refused:
            read_text_cases(texts, tmp_path)
        assert says in str(refused.value)
    assert read_texts(book, tmp_path).rules == ()


# ---------------------------------------------------------------- the page about them

PAGE = Path(__file__).resolve().parents[2] / "docs" / "packs.md"


def block(beginning: str, holding: str) -> str:
    blocks = re.finditer(r"^```toml\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    bodies = [str(match[1]) for match in blocks]
    return next(body for body in bodies if body.startswith(beginning) and holding in body)


def test_the_text_rule_of_the_packs_page_is_read(book: Lawbook, texts: TextBook, tmp_path: Path) -> None:
    (tmp_path / "us-states" / "texts").mkdir(parents=True)
    (tmp_path / "us-states" / "texts" / "page.toml").write_text(block("[[text]]", "no-shaming"), "utf-8")
    shown = read_texts(book, tmp_path).rules[0]
    shipped = next(rule for rule in texts.rules if rule.id == shown.id)
    assert (shown.says, shown.source.cite, shown.level, shown.cure) == (
        shipped.says, shipped.source.cite, shipped.level, shipped.cure,
    )  # fmt: skip


def test_the_story_of_the_packs_page_comes_out_as_it_says(texts: TextBook, tmp_path: Path) -> None:
    (tmp_path / "us-states" / "texts" / "cases").mkdir(parents=True)
    path = tmp_path / "us-states" / "texts" / "cases" / "page.toml"
    path.write_text(block("[[case]]", "no-shaming"), "utf-8")
    assert [try_text_case(texts, case) for case in read_text_cases(texts, tmp_path)] == [()]


def test_every_check_and_key_of_a_text_rule_is_on_the_packs_page() -> None:
    page = PAGE.read_text("utf-8").partition("## Text rules")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(CHECKS)
    assert {key for key in TEXT_KEYS | LOOK_KEYS if not re.search(rf"\b{key}\b", page)} == set()
