from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

import lucide
import pytest
from django.template import Context, Template
from django.test import Client
from django.utils import translation

import comity
from comity.staff.models import Staff
from comity.web import settings as ours
from comity.web.settings import NOTICING, database
from comity.web.statics import STAMP, gather
from tests.staff.people import PASSWORD

if TYPE_CHECKING:
    from pytest_django import Settings

TEMPLATES = sorted(Path(comity.__file__).parent.glob("*/templates/**/*.html"))
OF_OTHERS = {"check"}
FILES = {"rights/templates/rights/packages/page.html"}
"""Pages that people keep as a file: their style is in them, and our site shows them under a policy of their own."""


def drawn(text: str, **context: object) -> str:
    return Template(text).render(Context(context))


# ---------------------------------------------------------------- what leaves the house


@pytest.mark.parametrize("path", ["/sign-in/", "/own/", "/nothing/", "/healthz", "/staff/"])
def test_every_answer_forbids_what_no_page_of_ours_needs(path: str, ada: Staff) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(path)
    if path != "/healthz":
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Cache-Control"] == "no-store" or "no-cache" in answer["Cache-Control"]
        assert "camera=()" in answer["Permissions-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_script_or_a_style_of_its_own(path: Path) -> None:
    text = path.read_text("utf-8")
    told = path.relative_to(Path(comity.__file__).parent)
    if told.parts[0] in OF_OTHERS:
        return
    if str(told) in FILES:
        text = re.sub(r"<style>{% include [^%]+ %}</style>", "", text)
    assert (
        re.findall(r"""<style|\sstyle=|\son\w+=["']|javascript:|<script(?![^>]*(?:src=|application/json))""", text)
        == []
    )
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_icon_of_a_template_is_there(path: Path) -> None:
    for name in re.findall(r'{% (?:icon|empty) "([^"]+)"', path.read_text("utf-8")):
        lucide._render_icon(name, None)


def test_cookies_are_kept_from_scripts_and_behind_tls_from_all_else(ada: Staff) -> None:
    ada.set_password(PASSWORD)
    ada.save()
    client = Client()
    client.get("/sign-in/")
    client.post("/sign-in/", {"login": ada.email, "password": PASSWORD})
    client.post("/settings/theme/", {"theme": "dark"})
    client.post("/settings/language/", {"language": "en"})
    assert set(client.cookies) == {"csrf", "session", "theme", "language"}
    assert all(cookie["httponly"] and cookie["samesite"] == "Lax" for cookie in client.cookies.values())
    assert ours.TLS is False
    assert ours.SESSION_COOKIE_SECURE is ours.TLS


# ---------------------------------------------------------------- what stands in the environment


def test_an_address_of_a_database_is_read_with_its_options() -> None:
    given = database("postgresql://ada:p%40ss@db.example:5433/book?sslmode=verify-full", "comity_app")
    assert (given["NAME"], given["USER"], given["PASSWORD"], given["PORT"]) == ("book", "ada", "p@ss", "5433")
    assert given["OPTIONS"] == {
        "connect_timeout": 5, "prepare_threshold": 0, **NOTICING, "sslmode": "verify-full", "assume_role": "comity_app"
    }  # fmt: skip
    with pytest.raises(ValueError, match="begins with mysql://"):
        database("mysql://localhost/book")


@pytest.mark.parametrize(("address", "safe"), [("https://book.example", True), ("http://localhost:8000", False)])
def test_behind_tls_everything_insists_on_it(address: str, safe: bool) -> None:
    code = (
        "from comity.web import settings as s; print([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "s.SECURE_SSL_REDIRECT, s.SECURE_HSTS_SECONDS > 0, s.SESSION_COOKIE_NAME.startswith('__Host-'), "
        "not s.MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN])"
    )
    given = os.environ | {"COMITY_ADDRESS": address}
    told = subprocess.run([sys.executable, "-c", code], env=given, check=True, capture_output=True, text=True).stdout
    assert told.strip() == str([safe] * 6)


def test_static_files_are_gathered_once_and_anew_when_one_changed(settings: Settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    gather()
    first = (tmp_path / STAMP).stat().st_mtime_ns
    (sheet,) = tmp_path.glob("comity/comity.????????????.css")
    assert sheet.with_name(f"{sheet.name}.gz").is_file()
    gather()
    assert (tmp_path / STAMP).stat().st_mtime_ns == first
    (tmp_path / STAMP).write_text("of something else")
    gather()
    assert (tmp_path / STAMP).stat().st_mtime_ns != first


# ---------------------------------------------------------------- choices of a browser


@pytest.mark.usefixtures("db")
def test_language_and_theme_are_kept_and_lead_back_to_the_page() -> None:
    client = Client()
    answer = client.post("/settings/language/", {"language": "zh-hans", "next": "/sign-in/?x=1"})
    assert answer["Location"] == "/sign-in/?x=1"
    client.post("/settings/theme/", {"theme": "dark", "next": "/"})
    shown = client.get("/sign-in/").content.decode()
    assert '<html lang="zh-hans" data-theme="dark">' in shown
    client.post("/settings/theme/", {"theme": "<script>", "next": "/"})
    client.post("/settings/language/", {"language": "xx", "next": "/"})
    assert client.get("/sign-in/").content.decode().startswith(shown[:60])


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_no_choice_leads_out_of_the_house(to: str) -> None:
    assert Client().post("/settings/theme/", {"theme": "dark", "next": to})["Location"] == "/"


# ---------------------------------------------------------------- components


class Verdict(Enum):
    DENY = "deny"


@pytest.mark.parametrize(
    ("value", "word"), [("permit", "Permit"), (Verdict.DENY, "Deny"), ("ask", "Ask"), ("maybe", "Ask"), (None, "Ask")]
)
def test_a_verdict_is_a_word_and_an_icon_and_what_is_unknown_is_never_yes(value: object, word: str) -> None:
    shown = drawn("{% verdict value %}", value=value)
    assert word in shown
    assert 'class="icon"' in shown
    assert 'aria-hidden="true"' in shown


def test_obligations_are_counted_in_the_verdict() -> None:
    assert "Permit, with 1 obligation<" in drawn("{% verdict 'permit' 1 %}")
    assert "Permit, with 2 obligations<" in drawn("{% verdict 'permit' 2 %}")


def test_a_bar_says_in_words_what_it_draws() -> None:
    shown = drawn("{% bar permit=55 deny=33 ask=12 %}")
    assert 'aria-label="55 % permit, 33 % deny, 12 % ask"' in shown
    assert 'width="55.000"' in shown
    assert "0 % permit" in drawn("{% bar %}")


@pytest.mark.parametrize(
    ("name", "letters"), [("Mira Hoffmann", "MH"), ("Ada", "A"), ("李伟", "伟"), ("Jan van der Berg", "JB"), ("", "?")]
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert drawn("{{ name|initials }}", name=name) == letters


def test_no_component_lets_a_persons_words_become_markup() -> None:
    bad = "<script>alert(1)</script>"
    cards = [{"verdict": "deny", "what": bad, "because": bad}]
    answer = {
        "title": bad,
        "asked": bad,
        "reasons": [{"says": bad, "cite": bad, "url": "https://example.org/", "note": bad, "since": date(2026, 1, 1)}],
        "obligations": [{"says": bad, "cite": bad}],
        "missing": [{"says": bad}],
        "cures": [
            {"says": bad, "held": bad},
            {"says": bad, "href": "/x"},
            {"says": bad, "to": "/y", "sends": {bad: bad}},
        ],
    }
    entries = [{"at": date(2026, 1, 1), "title": bad, "text": bad, "by": bad}]
    text = (
        "{% may_cards cards %}{% why answer %}{% timeline entries %}{% fact bad bad bad %}{% badge bad bad %}"
        "{% sheet bad note=bad %}{{ bad }}{% endsheet %}{% empty 'x' bad bad %}{% endempty %}{% crumbs bad bad %}"
        "{% menu bad %}{% endmenu %}{% dialog 'd' bad %}{% enddialog %}{{ bad|initials }}{{ bad|term }}"
    )
    shown = drawn(text, cards=cards, answer=answer, entries=entries, bad=bad)
    assert "<script" not in shown
    assert shown.count("&lt;script&gt;") > 20


def test_a_cure_that_is_held_is_a_button_that_says_why() -> None:
    shown = drawn("{% why answer %}", answer={"title": "Why?", "cures": [{"says": "Ask again", "held": "until May"}]})
    assert re.search(r'<button disabled aria-describedby="why-held-1">Ask again', shown)
    assert 'id="why-held-1">Ask again: until May' in shown


def test_what_stands_where_nothing_is_yet_is_no_heading_that_skips_a_level() -> None:
    shown = drawn("{% empty 'ban' 'Nobody yet' 'They come here.' %}{% endempty %}")
    assert "Nobody yet" in shown
    assert "<h" not in shown


def test_places_are_named_in_the_language_of_who_reads() -> None:
    for language, said in (("en", "France, Germany"), ("zh-hans", "法国、德国")):
        with translation.override(language):
            assert drawn("{{ codes|places }}", codes=["FR", "DE"]) == said


def test_every_block_of_the_stylesheet_ends() -> None:
    """A block that is left open takes all that follows into its layer, where it counts for less."""
    text = (Path(comity.__file__).parent / "web/static/comity/comity.css").read_text("utf-8")
    plain = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    assert plain.count("{") == plain.count("}")
