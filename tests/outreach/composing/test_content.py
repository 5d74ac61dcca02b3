"""A content is looked over before it is anybody's: places are names alone, and nothing else in it is a program."""

from __future__ import annotations

import pytest

from comity.outreach.composing.content import Content, ContentProblems, NothingKnown, Wording, prepare, problems
from comity.outreach.composing.placeholders import KNOWN
from tests.outreach.composing.parts import written

VALUES = {"given": "Mira", "entity": "Acme GmbH", "unsubscribe": "https://acme.example/u/1?a=1&b=2"}


def said(body: str, subject: str = "Autumn") -> list[str]:
    return [one.says for one in problems(written(body, subject)) if one.level == "error"]


def page(body: str, **values: str) -> str:
    return prepare(written(body)).filled("en", {**VALUES, **values}).html


def text(body: str, **values: str) -> str:
    return prepare(written(body)).filled("en", {**VALUES, **values}).text


# ---------------------------------------------------------------- places


def test_a_place_takes_what_is_known_and_says_its_own_words_where_nothing_is() -> None:
    assert text("Dear {given|reader},") == "Dear Mira,"
    assert text("Dear {given|reader},", given="") == "Dear reader,"
    assert text("Dear{given|},", given="") == "Dear,"


def test_who_has_nothing_for_a_place_without_words_gets_no_message() -> None:
    with pytest.raises(NothingKnown, match="family"):
        text("Dear {family},")


def test_an_unknown_place_is_told_with_its_line_and_the_nearest_one() -> None:
    (problem,) = problems(written("Hello\n\nand bye, {givn|you}"))
    assert (problem.where, problem.line, problem.column, problem.level) == ("body", 3, 10, "error")
    assert problem.says == "There is no {givn}; did you mean {given}?"
    with pytest.raises(ContentProblems, match="givn"):
        prepare(written("{givn|you}"))


def test_a_place_of_a_person_without_words_for_nothing_wants_a_look() -> None:
    (problem,) = problems(written("Dear {family},"))
    assert problem.level == "review"


@pytest.mark.parametrize(
    "body", ["a { b", "a } b", "{given", "{}", "{given|a{family|b}}", "{given.__class__}", "{0}", "{given!r}"]
)
def test_what_is_no_name_is_no_place(body: str) -> None:
    assert said(body)


def test_two_braces_are_one() -> None:
    assert text("{{given}} and {{ }}") == "{given} and { }"


def test_callers_may_add_places_of_their_own() -> None:
    content = written("[Confirm]({confirm})")
    assert problems(content)
    ready = prepare(content, {**KNOWN, "confirm": "link"})
    assert 'href="https://acme.example/c"' in ready.filled("en", {"confirm": "https://acme.example/c"}).html


def test_only_the_places_that_are_there_are_opened_for_it() -> None:
    assert prepare(written("{given|}", "{family|}")).places() == {"given", "family"}


@pytest.mark.parametrize(
    "value",
    [
        "<script>alert(1)</script>",
        "**bold**",
        "[a](https://evil.example)",
        "{{family}}",
        "{family}",
        "{unsubscribe}",
        "\U000f0000",
        "%s %(entity)s",
        "# Head",
        "&amp;",
        "`x`",
        '"><img src=x>',
        "= 1 + 1",
    ],
)
def test_a_value_is_text_whatever_stands_in_it(value: str) -> None:
    inert = page("Hello {given|there}!", given="Mira")
    with_it = page("Hello {given|there}!", given=value)
    assert with_it.count("<") == inert.count("<")
    assert 'evil.example"' not in with_it
    assert "https://acme.example" not in with_it


def test_a_value_is_one_line_that_shows_as_it_is() -> None:
    assert text("{given|x}", given="Mi\r\nBcc: all@example.org\0\u202ear\u2066a") == "Mi Bcc: all@example.org ara"
    assert text("{given|x}", given="\ud800Mira") == "Mira"
    assert len(text("{given|x}", given="x" * 10_000)) == 200


@pytest.mark.parametrize("value", ["Win at https://evil.example", "www.evil.example now"])
def test_a_name_that_programs_would_make_a_link_of_is_left_out(value: str) -> None:
    assert text("Hello {given|there}", given=value) == "Hello there"


# ---------------------------------------------------------------- markup


def test_html_in_a_content_is_text() -> None:
    assert "&lt;script&gt;" in page("<script>alert(1)</script>")
    assert "<b>" not in page("a <b onclick=x>b</b>")


@pytest.mark.parametrize(
    "body",
    [
        "[a](javascript:alert(1))",
        "[a](data:text/html,x)",
        "[a](//evil.example)",
        "[a](https://user@evil.example)",
        "[a]()",
        "[a](vbscript:x)",
        "[a](https://x.example/?n={given|})",
        "[a]({given|})",
        "<javascript:x>",
        "[a]({unsubscribe|javascript:alert(1)})",
        "[a](JAVASCRIPT:x)",
    ],
)
def test_only_plain_links_are_sent_and_no_person_stands_in_one(body: str) -> None:
    assert said(body)


@pytest.mark.parametrize(
    ("link", "href"),
    [
        ("https://a.example/x?y=1&z=2#e", "https://a.example/x?y=1&amp;z=2#e"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("tel:+49-30-1", "tel:+49-30-1"),
        ("{unsubscribe}", "https://acme.example/u/1?a=1&amp;b=2"),
    ],
)
def test_links_are_escaped_and_told_in_the_text(link: str, href: str) -> None:
    assert f'href="{href}"' in page(f"[here]({link})")
    assert text("[here](https://a.example/x)") == "here (https://a.example/x)"


def test_pictures_are_refused_since_loading_one_tells_that_the_message_was_opened() -> None:
    assert said("![logo](https://acme.example/logo.png)")


def test_both_forms_say_the_same() -> None:
    body = "# Head\n\nOne **two**.\n\n- a\n- b\n  - c\n\n3. x\n4. y\n\n> said\n\n---\n\nEnd  \nhere"
    html = page(body)
    assert [html.count(f"<{tag}") for tag in ("h1", "strong", "li", "blockquote", "hr", "br")] == [1, 1, 5, 1, 1, 1]
    assert text(body) == "Head\n\nOne two.\n\n- a\n- b\n  - c\n\n3. x\n4. y\n\n> said\n\n" + "-" * 20 + "\n\nEnd\nhere"


def test_deep_nesting_ends() -> None:
    assert page("> " * 5_000 + "x")
    assert page("- " * 2_000 + "x")


# ---------------------------------------------------------------- subjects and languages


@pytest.mark.parametrize(
    "subject", ["a\nBcc: x@example.org", "a\r\nb", "a\0b", "a\u2028b", "a\x85b", "", "  ", "x" * 201, "\ud800"]
)
def test_a_subject_is_one_line_of_text(subject: str) -> None:
    assert [one for one in problems(written(subject=subject)) if one.where == "subject" and one.level == "error"]


def test_a_link_does_not_stand_in_a_subject() -> None:
    assert said("x", "Press {unsubscribe}")


def test_a_reader_gets_their_language_or_the_nearest_or_the_original() -> None:
    wordings = {code: Wording(subject=code, body=code) for code in ("en", "de", "zh-Hans")}
    ready = prepare(Content(language="en", wordings=wordings))
    wanted = {"de-AT": "de", "zh-Hans-CN": "zh-Hans", "zh-TW": "zh-Hans", "fr": "en", "": "en", "EN_us": "en"}
    assert {code: ready.filled(code, {}).language for code in wanted} == wanted


def test_every_language_is_looked_over_and_the_original_must_be_there() -> None:
    assert [one.language for one in problems(written(de=Wording(subject="x", body="{")))] == ["de"]
    assert problems(Content(language="fr", wordings={"en": Wording(subject="x", body="y")}))


def test_a_content_is_kept_as_json() -> None:
    content = written(de=Wording(subject="Herbst", preheader="Neu", body="Tee"))
    assert Content.from_json(content.as_json()) == content
