"""Filling a form in: nothing is ticked before, nothing is lost, nothing tells who is known, machines gain nothing."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from comity.book.models import Person
from comity.outreach.forms import coming_in
from comity.outreach.forms.actions import draft_again, withdraw_form
from comity.outreach.forms.models import FormVersion, Submission
from comity.post.models import Dispatch, Gateway
from comity.staff.models import Entity, Staff
from tests.outreach.forms.building import came, draft_form, published_form, ready_to_send, send, the_form, word

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    settings.ADDRESS = urlsplit("http://localhost:8000")


def page(browser: Client, form: FormVersion, **more: str) -> str:
    answer = browser.get(f"/form/{form.form_id}/", more)
    assert answer.status_code == 200
    return answer.content.decode()


def test_boxes_are_empty_and_none_must_be_ticked(form: FormVersion, outside: Client) -> None:
    (box,) = re.findall(r"<input[^>]*checkbox[^>]*>", page(outside, form))
    assert "checked" not in box
    assert "required" not in box


def test_the_page_sets_no_cookie_runs_no_script_and_loads_nothing_from_elsewhere(
    form: FormVersion, outside: Client
) -> None:
    answer = outside.get(f"/form/{form.form_id}/")
    assert not answer.cookies
    assert "<script" not in answer.content.decode()
    assert re.findall(r'(?:src|href)="(https?://[^"]+)', answer.content.decode()) == []
    assert not send(outside, form).cookies


def test_it_speaks_the_languages_of_its_notices(form: FormVersion, outside: Client) -> None:
    german = page(outside, form, language="de")
    assert '<html lang="de">' in german
    assert "Ja, die Comity Dublin Ltd darf mir" in german
    assert "E-Mail-Adresse" in german
    assert '<html lang="en">' in page(outside, form, language="zz")


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(form: FormVersion, outside: Client) -> None:
    answer = send(outside, form, email="nina", place="", given="Nina <b>")
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Write an address like name@example.com." in text
    assert "Choose where you live." in text
    assert 'value="Nina &lt;b&gt;"' in text
    assert re.search(r'name="ask_0"[^>]* checked', text)
    assert Submission.objects.count() == 0


@pytest.mark.parametrize(
    "email", ["", "x" * 300 + "@kettle.example", "a@b", "a b@c.example", "a@c.example\r\nBcc: d@e.example", "\x00"]
)
def test_what_is_no_address_is_refused_in_plain_words(form: FormVersion, outside: Client, email: str) -> None:
    assert send(outside, form, email=email).status_code == 422
    assert Submission.objects.count() == 0


def test_without_a_tick_there_is_nothing_to_send(form: FormVersion, outside: Client) -> None:
    answer = send(outside, form, ask_0=None)
    assert "Nothing is ticked" in answer.content.decode()
    assert Submission.objects.count() == 0


def test_a_box_that_the_form_does_not_have_is_not_ticked(form: FormVersion, outside: Client) -> None:
    send(outside, form, ask_7="on")
    assert came().ticked == [0]


def test_the_answer_is_the_same_whether_the_address_is_known(form: FormVersion, greta: UUID, outside: Client) -> None:
    assert Person.objects.filter(ref=greta).exists()
    known = send(outside, form, email="greta@kettle.example")
    unknown = send(outside, form, email="nobody@kettle.example")
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content)
    assert Submission.objects.count() == Dispatch.objects.count() == 2


def test_sent_twice_it_is_one(form: FormVersion, outside: Client) -> None:
    same = word(form)
    first, second = send(outside, form, page=same), send(outside, form, page=same)
    assert first.content == second.content
    assert Submission.objects.count() == Dispatch.objects.count() == 1


def test_what_nobody_sees_catches_programs_and_tells_them_nothing(form: FormVersion, outside: Client) -> None:
    caught, taken = send(outside, form, homepage="https://spam.example"), send(outside, form)
    assert caught.content == taken.content
    assert Submission.objects.count() == 1


def test_whoever_is_quicker_than_people_sends_it_once_more(form: FormVersion, outside: Client) -> None:
    quick = word(form, seconds=0)
    answer = send(outside, form, page=quick)
    text = answer.content.decode()
    assert "quicker than people write" in text
    assert 'value="nina@kettle.example"' in text
    assert re.search(r'name="ask_0"[^>]* checked', text)
    assert quick in text
    assert Submission.objects.count() == 0


def test_a_page_that_was_open_for_a_day_is_looked_through_again(form: FormVersion, outside: Client) -> None:
    answer = send(outside, form, page=word(form, seconds=90_000))
    assert "open for long" in answer.content.decode()
    assert Submission.objects.count() == 0


def test_from_plain_html_elsewhere_only_what_was_typed_comes_and_no_tick(form: FormVersion, outside: Client) -> None:
    answer = send(outside, form, page="")
    text = answer.content.decode()
    assert 'value="nina@kettle.example"' in text
    assert not re.search(r'name="ask_0"[^>]* checked', text)
    assert "Please read this" in text
    assert Submission.objects.count() == 0


def test_a_forged_word_is_none(form: FormVersion, outside: Client) -> None:
    for forged in (word(form)[:-2] + "xx", "x" * 5_000, "a:b:c"):
        assert "Please read this" in send(outside, form, page=forged).content.decode()
    assert Submission.objects.count() == 0


def test_a_form_that_changed_meanwhile_is_read_anew(
    form: FormVersion, tom: Staff, vera: Staff, outside: Client
) -> None:
    old = word(form)
    published_form(draft_again(form=form.form, drafted_by=tom), vera)
    answer = send(outside, form, page=old)
    text = answer.content.decode()
    assert "changed meanwhile" in text
    assert not re.search(r'name="ask_0"[^>]* checked', text)
    assert Submission.objects.count() == 0


def test_no_mailbox_is_filled_by_it(form: FormVersion, outside: Client) -> None:
    answers = [send(outside, form, email=one) for one in ("nina@kettle.example", "NINA@kettle.example") * 2]
    assert len({answer.content for answer in answers}) == 1
    assert Submission.objects.count() == coming_in.MOST_TO_ONE


def test_machines_that_fill_in_hundreds_are_sent_away(
    form: FormVersion, outside: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coming_in, "MOST_AN_HOUR", 2)
    answers = [send(outside, form, email=f"n{number}@kettle.example") for number in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert Submission.objects.count() == 2


def test_a_withdrawn_form_takes_nothing_and_says_so(form: FormVersion, vera: Staff, outside: Client) -> None:
    same = word(form)
    withdraw_form(form=form.form, withdrawn_by=vera)
    for answer in (outside.get(f"/form/{form.form_id}/"), send(outside, form, page=same)):
        assert answer.status_code == 503
        assert "This form is closed" in answer.content.decode()
    assert Submission.objects.count() == 0


def test_a_form_whose_gateway_was_ended_takes_nothing(form: FormVersion, outside: Client) -> None:
    Gateway.objects.update(ended_at=timezone.now())
    assert outside.get(f"/form/{form.form_id}/").status_code == 503


def test_a_draft_is_shown_to_nobody(firm: Entity, tom: Staff, vera: Staff, outside: Client) -> None:
    ready_to_send(firm)
    version = draft_form(firm, tom, vera)
    assert outside.get(f"/form/{version.form_id}/").status_code == 404


def test_only_places_to_which_a_confirmation_may_go_can_be_chosen(form: FormVersion, outside: Client) -> None:
    places = re.findall(r'<option value="(..)"', page(outside, form))
    assert sorted(places) == ["DE", "FR", "IE"]  # and not Japan, of which no pack knows the law
    assert send(outside, form, place="JP").status_code == 422


def test_it_stands_in_frames_of_the_sites_it_names_and_of_no_other(
    firm: Entity, tom: Staff, vera: Staff, outside: Client
) -> None:
    ready_to_send(firm)
    site = "https://www.kettle.example"
    version = the_form(firm, tom, vera, frames=[site])
    answer = outside.get(f"/form/{version.form_id}/")
    assert f"frame-ancestors {site}" in answer["Content-Security-Policy"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer
    assert f"frame-ancestors {site}" in send(outside, version)["Content-Security-Policy"]
    other = outside.get("/stop/")
    assert "frame-ancestors 'none'" in other["Content-Security-Policy"]
    assert other["X-Frame-Options"] == "DENY"


def test_a_form_that_names_no_site_stands_in_no_frame(form: FormVersion, outside: Client) -> None:
    answer = outside.get(f"/form/{form.form_id}/")
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"


def test_the_database_holds_nothing_of_it_in_plain(form: FormVersion, outside: Client) -> None:
    from django.db import connection

    send(outside, form)
    with connection.cursor() as cursor:
        for table in ("outreach_submission", "post_message", "post_dispatch", "procrastinate_jobs", "ledger_entry"):
            cursor.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text ~* 'nina|neumann|kettle'")
            assert cursor.fetchone() == (0,), table
