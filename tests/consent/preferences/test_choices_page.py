"""The preference centre: all choices on one page, a no as easy as a yes, and nothing changed by looking."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from comity.book.models import Person
from comity.consent.models import Consent, Said, Standing
from comity.consent.preferences.actions import MOST_CHANGES
from comity.consent.preferences.links import May
from comity.consent.suppression.marks import Mark
from comity.consent.suppression.models import Suppressed
from comity.consent.suppression.queries import is_suppressed
from comity.counsel.asking import ask
from comity.counsel.models import OwedDuty
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.refs import new_ref
from comity.staff.models import Entity
from comity.vault.models import Sealed
from tests.book.people import Add, newcomer
from tests.consent.people import says_yes
from tests.consent.preferences.conftest import Make

pytestmark = pytest.mark.django_db
EMAIL, POST = "marketing.email", "marketing.post"


def verdict(person: UUID, firm: Entity, channel: str = "email") -> Verdict:
    question = Question(operation="contact", purpose="marketing", channel=channel, entity=firm.ref)
    return ask(question=question, persons=[person], day=timezone.now().date())[person].verdict


def choose(outside: Client, link: str, says: str, what: str = "") -> str:
    answer = outside.post(f"/choices/{link}/", {"says": says, "what": what}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_looking_changes_nothing_and_sets_no_cookie(link: Make, outside: Client, greta: UUID, firm: Entity) -> None:
    says_yes(greta, firm)
    before = [*Consent.objects.values_list(), *Standing.objects.values_list(), Entry.objects.count()]
    for may, where in ((May.CHOOSE, "choices"), (May.STOP, "stop"), (May.CONFIRM, "confirm")):
        for way in (outside.get, outside.head):
            answer = way(f"/{where}/{link(may, purpose='marketing', channel='email')}/")
            assert answer.status_code == 200
            assert not answer.cookies
            assert "Set-Cookie" not in answer.headers
            assert answer["Referrer-Policy"] == "no-referrer"
            assert "no-store" in answer["Cache-Control"]
    assert [*Consent.objects.values_list(), *Standing.objects.values_list(), Entry.objects.count()] == before


def test_each_choice_says_where_it_stands_and_on_what_it_rests(
    link: Make, outside: Client, greta: UUID, firm: Entity
) -> None:
    says_yes(greta, firm)
    page = outside.get(f"/choices/{link()}/").content.decode()
    by_email = page[page.index('id="marketing.email"') : page.index('id="marketing.sms"')]
    assert "You said yes" in by_email
    assert re.search(r"<cite>[^<]*(Art|§|Dir)[^<]*</cite>", by_email)
    assert "Comity Dublin Ltd may send me e-mails" in by_email
    assert "Newsletter v3" in page
    assert "You said nothing so far" in page


def test_on_what_it_rests_is_said_to_the_person_in_their_language(
    link: Make, outside: Client, greta: UUID, firm: Entity
) -> None:
    says_yes(greta, firm)
    pages = {each: outside.get(f"/choices/{link()}/?language={each}").content.decode() for each in ("en", "zh-hans")}
    by_email = {each: page[page.index('id="marketing.email"') :].partition("</li>")[0] for each, page in pages.items()}
    assert "You agreed to it, and it can be shown." in by_email["en"]
    assert "您已同意" in by_email["zh-hans"]
    assert not any("The person" in each for each in by_email.values())
    assert all(re.search(r'lang="en"><cite>[^<]+</cite>', each) for each in by_email.values())


def test_no_is_as_easy_as_yes(link: Make, outside: Client) -> None:
    page = outside.get(f"/choices/{link()}/").content.decode()
    forms = re.findall(r'class="yes-no".*?</form>', page, re.DOTALL)
    assert forms
    for form in forms:
        yes, no = re.findall(r"<button([^>]*)>", form)
        assert yes.replace('value="yes"', "") == no.replace('value="no"', "")


def test_a_yes_is_recorded_with_the_very_words_and_makes_it_lawful(
    link: Make, outside: Client, greta: UUID, firm: Entity
) -> None:
    assert verdict(greta, firm) is Verdict.DENY
    page = choose(outside, link(), "yes", EMAIL)
    assert 'role="status"' in page
    consent = Consent.objects.get(person=greta)
    assert (consent.said, consent.express, consent.separate, consent.double_opt_in) == ("given", True, True, True)
    assert consent.notice == "Preference page v1, en"
    assert consent.source.startswith("Preference page, link of 20")
    assert Sealed.objects.filter(person=greta, record=consent.ref, kind="consent").exists()
    assert verdict(greta, firm) is Verdict.PERMIT


def test_a_no_counts_for_the_person_and_for_the_address_whoever_else_has_it(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    says_yes(greta, firm)
    choose(outside, link(), "no", EMAIL)
    assert Standing.objects.get(person=greta).withdrawn
    assert verdict(greta, firm) is Verdict.DENY
    assert is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
    assert not is_suppressed(entity=firm, mark=mark, purpose="service", channel="email")
    assert not is_suppressed(entity=firm, mark=mark, purpose="fundraising", channel="email")
    assert OwedDuty.objects.filter(event__about=greta).exists()


def test_a_no_to_another_channel_leaves_the_address_alone(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    choose(outside, link(), "no", "marketing.sms")
    assert Standing.objects.get(person=greta).channel == "sms"
    assert not is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")


def test_a_yes_after_a_no_takes_the_address_off_the_list(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    choose(outside, link(), "no", EMAIL)
    choose(outside, link(), "yes", EMAIL)
    assert not is_suppressed(entity=firm, mark=mark, purpose="marketing", channel="email")
    assert Suppressed.objects.get().released_by == Consent.objects.get(said=Said.GIVEN).ref
    assert verdict(greta, firm) is Verdict.PERMIT


def test_stopping_everything_is_an_objection_and_a_no_to_each(
    link: Make, outside: Client, greta: UUID, firm: Entity, mark: Mark
) -> None:
    says_yes(greta, firm)
    page = choose(outside, link(), "stop")
    assert "All of it is stopped." in page
    assert "You said yes" not in page
    assert Person.objects.get(ref=greta).objected_at
    assert not Standing.objects.filter(person=greta, given__isnull=False).exists()
    assert all(
        is_suppressed(entity=firm, mark=mark, purpose=each, channel="email") for each in ("marketing", "fundraising")
    )
    rows = Consent.objects.count()
    choose(outside, link(), "stop")
    assert Consent.objects.count() == rows  # who says it twice has said it


def test_a_yes_after_an_objection_opens_that_alone(
    link: Make, outside: Client, greta: UUID, firm: Entity, shanghai: Entity
) -> None:
    Person.objects.filter(ref=greta).update(
        objected_at=datetime(2026, 5, 1, tzinfo=UTC), entities=[firm.ref, shanghai.ref]
    )
    assert verdict(greta, firm, "post") is Verdict.DENY
    page = choose(outside, link(), "yes", EMAIL)
    assert "You objected" not in page
    assert Person.objects.get(ref=greta).objected_at is None
    assert verdict(greta, firm) is Verdict.PERMIT
    for channel in ("post", "call", "sms"):
        assert verdict(greta, firm, channel) is Verdict.DENY
    assert Standing.objects.get(person=greta, entity=shanghai, purpose="marketing", channel="email").opted_out_on


def test_words_of_the_address_confirm_nothing_that_is_not_on_record(link: Make, outside: Client) -> None:
    page = outside.get(f"/choices/{link()}/?done=marketing.email").content.decode()
    assert 'role="status"' not in page


@pytest.mark.parametrize("what", ["marketing.pigeon", "service.email", "", "marketing.email;", "analytics.email"])
def test_what_the_page_does_not_offer_cannot_be_chosen(link: Make, outside: Client, what: str) -> None:
    choose(outside, link(), "yes", what)
    assert not Consent.objects.exists()


def test_the_page_speaks_the_language_of_the_browser_or_of_the_link(link: Make, outside: Client) -> None:
    address = f"/choices/{link()}/"
    asked = outside.get(address, headers={"Accept-Language": "zh-CN,zh;q=0.9"})
    assert asked["Content-Language"] == "zh-hans"
    assert 'lang="zh-hans"' in asked.content.decode()[:400]
    chosen = outside.get(f"{address}?language=en", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert f'action="{address}?language=en"' in chosen
    assert f'href="{address}?language=zh-hans"' in chosen
    assert outside.get(f"{address}?language=xx").status_code == 200


def test_a_wording_in_chinese_is_recorded_as_such(link: Make, outside: Client, greta: UUID) -> None:
    answer = outside.post(f"/choices/{link()}/?language=zh-hans", {"says": "yes", "what": EMAIL})
    assert "language=zh-hans" in answer["Location"]
    assert Consent.objects.get(person=greta).notice == "Preference page v1, zh-hans"


def test_a_machine_that_says_yes_and_no_for_ever_is_stopped_and_its_no_counts(
    link: Make, outside: Client, greta: UUID
) -> None:
    for _ in range(MOST_CHANGES):
        choose(outside, link(), "yes", EMAIL)
    answer = outside.post(f"/choices/{link()}/", {"says": "yes", "what": EMAIL})
    assert answer.status_code == 429
    assert "A no is still taken at once" in answer.content.decode()
    choose(outside, link(), "no", EMAIL)
    assert Standing.objects.get(person=greta).withdrawn


def test_who_is_in_the_book_no_more_is_told_so_and_nothing_is_kept_of_them(link: Make, outside: Client) -> None:
    nobody = link(person=new_ref())
    assert "keeps nothing more" in outside.get(f"/choices/{nobody}/").content.decode()
    assert outside.post(f"/choices/{nobody}/", {"says": "yes", "what": EMAIL}).status_code == 200
    assert not Consent.objects.exists()


def test_who_was_merged_speaks_for_whom_they_became(link: Make, outside: Client, greta: UUID, add: Add) -> None:
    kept = add(newcomer("Greta", "Grunwald", "DE"))
    Person.objects.filter(ref=greta).update(merged_into=kept)
    choose(outside, link(), "no", EMAIL)
    assert Standing.objects.get().person == kept


def test_a_link_of_another_entity_shows_nothing_of_this_one(
    link: Make, outside: Client, greta: UUID, firm: Entity, shanghai: Entity
) -> None:
    says_yes(greta, firm)
    page = outside.get(f"/choices/{link(entity=shanghai.ref)}/").content.decode()
    assert "Newsletter v3" not in page


def test_an_old_link_shows_nothing_and_still_stops(link: Make, outside: Client, greta: UUID, firm: Entity) -> None:
    says_yes(greta, firm)
    old = link(at=datetime.now(UTC) - timedelta(days=500))
    answer = outside.get(f"/choices/{old}/")
    assert answer.status_code == 410
    assert f'href="/stop/{old}/"' in answer.content.decode()
    assert outside.post(f"/choices/{old}/", {"says": "yes", "what": "marketing.sms"}).status_code == 410
    assert outside.post(f"/stop/{old}/").status_code == 200
    assert Standing.objects.get(person=greta, channel="email", purpose="marketing").withdrawn


def test_the_signal_of_a_browser_is_a_no_to_selling_and_sharing(link: Make, outside: Client, greta: UUID) -> None:
    page = outside.get(f"/choices/{link()}/", headers={"Sec-GPC": "1"}).content.decode()
    assert "Opt-out request honoured" in page
    assert Person.objects.get(ref=greta).opt_out_signal_at
    assert Standing.objects.get(person=greta).purpose == "targeted-advertising"
    outside.post(f"/choices/{link()}/", {"says": "yes", "what": "targeted-advertising.none"}, headers={"Sec-GPC": "1"})
    assert not Consent.objects.filter(said=Said.GIVEN).exists()
    assert "Opt-out request honoured" not in outside.get(f"/choices/{link()}/").content.decode()


def test_a_receipt_can_be_kept_and_is_of_nobody_else(
    link: Make, outside: Client, greta: UUID, oliver: UUID, firm: Entity
) -> None:
    mine, other = says_yes(greta, firm), says_yes(oliver, firm)
    answer = outside.get(f"/choices/{link()}/receipt/{mine.ref}/")
    assert answer["Content-Type"] == "application/ld+json"
    assert answer.json()["@context"]
    assert outside.get(f"/choices/{link()}/receipt/{other.ref}/").status_code == 404
    assert outside.get(f"/choices/{link(May.STOP)}/receipt/{mine.ref}/").status_code == 404
