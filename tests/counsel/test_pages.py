"""Pages of the law, of what waits for a human, and of decisions, as staff of several roles find them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from comity.book.opening import Look, names_of
from comity.book.searching import find
from comity.counsel.actions import commitment, decide, make_ruling
from comity.counsel.asking import ask, book
from comity.counsel.models import AskedDecision, OpenQuestion, Ruling
from comity.counsel.reading import found, said_of
from comity.counsel.replaying import _asked_again
from comity.desk.may_we import WAYS
from comity.ledger.models import Entry
from comity.refs import shown
from comity.staff.models import Entity, Staff
from comity.vault.models import PersonKey, RecordedDecision, Sealed
from comity.vault.sealing import FieldClass
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def client_of(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff, BACKEND)
    return client


def read(staff: Staff, address: str) -> str:
    answer = client_of(staff).get(address, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


@pytest.fixture
def waiting(look: Look, aiko: UUID) -> OpenQuestion:
    """Give the question that looking at Aiko leaves open."""
    with transaction.atomic():
        names_of(look, [aiko])
    return OpenQuestion.objects.get()


# ---------------------------------------------------------------- law


def test_all_packs_and_laws_are_listed(ada: Staff) -> None:
    told = read(ada, "/law/")
    for law in book().laws:
        assert f"/law/{law.id}/" in told


def test_a_law_shows_each_rule_with_its_source_and_days(ada: Staff) -> None:
    told = read(ada, "/law/de-uwg/")
    for rule in book().law("de-uwg").rules:
        assert f'id="{rule.id}"' in told
        assert rule.source.url in told
    assert "compared with the source on" in told


def test_a_law_can_be_narrowed_to_an_effect(ada: Staff) -> None:
    told = read(ada, "/law/de-uwg/?effect=forbid")
    for rule in book().law("de-uwg").rules:
        assert (f'id="{rule.id}"' in told) == (rule.effect == "forbid")


def test_an_unknown_law_is_not_found(ada: Staff) -> None:
    assert client_of(ada).get("/law/xx-nothing/").status_code == 404


def test_rules_are_found_by_all_their_words() -> None:
    hits = found("UWG express CONSENT")
    assert "de-uwg/message-needs-express-consent" in [rule.id for rule in hits]
    assert found("uwg nonsense-that-nobody-wrote") == []


@pytest.mark.parametrize("words", ["consent", "%%", "<script>", "同意", "a" * 200])
def test_any_words_can_be_sought(words: str, ada: Staff) -> None:
    assert client_of(ada).get("/law/", {"q": words}).status_code == 200


def test_blind_spots_and_days_of_review_are_listed(ada: Staff) -> None:
    assert book().law("eu-gdpr").blind_spots[0].split("(")[0] in read(ada, "/law/blind-spots/")
    told = read(ada, "/law/review/")
    due = {rule.id for rule in book().rules() if rule.review_by}
    for rule in book().rules():
        assert (f"<code>{rule.id}</code>" in told) == (rule.id in due)


# ---------------------------------------------------------------- may we?

MAIL = {"use.operation": "contact", "use.purpose": "marketing", "use.channel": "email", "day": "2026-11-22"}


def may_we(staff: Staff, entity: Entity, **facts: str) -> str:
    answer = client_of(staff).get("/law/may-we/", MAIL | {"entity": str(entity.ref)} | facts)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_form_has_a_field_for_each_fact_that_a_use_can_have(ada: Staff, firm: Entity) -> None:
    del firm
    told = read(ada, "/law/may-we/")
    for fact in book().vocabulary.facts.values():
        if fact.namespace in {"use", "data", "person", "consent", "relation"} and fact.kind != "instant":
            assert f'name="{fact.name}"' in told


def test_the_law_answers_a_described_case_with_its_reasons(ada: Staff, firm: Entity) -> None:
    told = may_we(ada, firm, **{"person.home": "DE", "consent.given": "false"})
    assert "We may not" in told
    assert "UWG" in told


def test_what_is_not_told_is_unknown_and_never_a_yes(ada: Staff, firm: Entity) -> None:
    consent = {"consent.given": "true", "consent.express": "true", "consent.given_on": "2026-01-04",
               "consent.wording_kept": "true", "consent.source_kept": "true", "use.in_notice": "true"}  # fmt: skip
    told = may_we(ada, firm, **{"person.home": "FR"} | consent)
    assert "This is open" in told
    assert book().vocabulary.facts["person.objected"].means in told
    no = dict.fromkeys(("person.objected", "consent.opted_out", "consent.withdrawn"), "false")
    assert "We may<" in may_we(ada, firm, **{"person.home": "FR", "person.age": "41"} | consent | no)


def test_asking_by_form_records_nothing(ada: Staff, firm: Entity) -> None:
    before = Entry.objects.count()
    may_we(ada, firm, **{"person.home": "JP"})
    assert (Entry.objects.count(), AskedDecision.objects.count(), OpenQuestion.objects.count()) == (before, 0, 0)


def test_what_was_left_empty_does_not_stand_in_the_address(ada: Staff, firm: Entity) -> None:
    answer = client_of(ada).get("/law/may-we/", MAIL | {"entity": str(firm.ref), "person.age": "", "day": ""})
    assert answer.status_code == 302
    assert "" not in {value for values in parse_qs(urlsplit(answer["Location"]).query).values() for value in values}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"person.age": "very old"}, "person.age cannot be"),
        ({"use.recipient_place": "Atlantis"}, "no place has the code"),
        ({"person.age": "10", "person.born_on": "1980-01-01"}, "which makes 46"),
        ({"use.operation": "bewitch"}, "bewitch"),
        ({"day": "yesterday"}, "valid date"),
        ({"person.home": "XX"}, "XX"),
    ],
)
def test_what_cannot_be_read_is_said_and_no_verdict_given(
    wrong: dict[str, str], says: str, ada: Staff, firm: Entity
) -> None:
    told = may_we(ada, firm, **wrong)
    assert says in told
    assert 'id="why"' not in told


def test_nobody_asks_for_an_entity_of_others(ada: Staff, firm: Entity, shanghai: Entity) -> None:
    del firm
    assert 'id="why"' not in may_we(ada, shanghai)


# ---------------------------------------------------------------- the queue


def test_what_waits_is_listed_with_its_reason_and_how_many_it_is_about(ada: Staff, waiting: OpenQuestion) -> None:
    told = read(ada, "/queue/")
    assert f"/queue/{waiting.ref}/" in told
    assert "No law pack covers this for people in Japan." in told
    assert f"/queue/{waiting.ref}/" not in read(ada, "/queue/?state=settled")


def test_a_question_says_what_is_open_and_of_whom(ada: Staff, waiting: OpenQuestion, aiko: UUID) -> None:
    told = read(ada, f"/queue/{waiting.ref}/")
    assert shown(aiko) in told
    assert "no-law:JP" in told
    assert f"/queue/{waiting.ref}/settle/" not in told


def test_the_privacy_officer_settles_it_and_takes_it_back(olga: Staff, waiting: OpenQuestion) -> None:
    client, address = client_of(olga), f"/queue/{waiting.ref}/settle/"
    assert "no-law:JP" in client.get(address).content.decode()
    ends_on = timezone.localdate() + timedelta(days=90)
    sent = {"scope": "places", "ends_on": ends_on.isoformat(), "reason": "Counsel in Tokyo agrees."}
    assert client.post(address, sent).status_code == 302
    ruling = Ruling.objects.get()
    assert "Counsel in Tokyo agrees." in read(olga, f"/queue/{waiting.ref}/")
    assert f"/rulings/{ruling.ref}/" in read(olga, "/rulings/")
    assert "no-law:JP" in read(olga, f"/rulings/{ruling.ref}/")
    assert client.post(f"/rulings/{ruling.ref}/take-back/").status_code == 302
    assert "taken back" in read(olga, f"/rulings/{ruling.ref}/")
    assert f"/queue/{waiting.ref}/" in read(olga, "/queue/")


def test_a_ruling_for_more_than_two_years_is_refused_with_words(olga: Staff, waiting: OpenQuestion) -> None:
    ends_on = timezone.localdate() + timedelta(days=1000)
    sent = {"scope": "places", "ends_on": ends_on.isoformat(), "reason": "x"}
    told = client_of(olga).post(f"/queue/{waiting.ref}/settle/", sent).content.decode()
    assert "after two years at most" in told
    assert not Ruling.objects.exists()


def test_a_ruling_about_one_person_takes_their_ref(olga: Staff, waiting: OpenQuestion, aiko: UUID) -> None:
    ends_on = (timezone.localdate() + timedelta(days=9)).isoformat()
    sent = {"scope": "person", "ends_on": ends_on, "reason": "x", "person": "nobody"}
    told = client_of(olga).post(f"/queue/{waiting.ref}/settle/", sent).content.decode()
    assert "Give the ref of a person" in told
    client_of(olga).post(f"/queue/{waiting.ref}/settle/", sent | {"person": shown(aiko).lower()})
    assert Ruling.objects.get().person == aiko


def test_it_is_given_closed_and_opened_again(olga: Staff, ada: Staff, waiting: OpenQuestion) -> None:
    client = client_of(olga)
    client.post(f"/queue/{waiting.ref}/assign/", {"to": str(ada.ref)})
    assert f"/queue/{waiting.ref}/" in read(ada, "/queue/?state=mine")
    assert "This field is required" in client.post(f"/queue/{waiting.ref}/close/", {"words": " "}).content.decode()
    client.post(f"/queue/{waiting.ref}/close/", {"words": "We do not serve Japan."})
    assert "We do not serve Japan." in read(ada, f"/queue/{waiting.ref}/")
    client.post(f"/queue/{waiting.ref}/reopen/")
    assert f"/queue/{waiting.ref}/" in read(ada, "/queue/")


@pytest.mark.parametrize("what", ["settle", "close", "assign", "reopen"])
def test_who_may_not_make_rulings_settles_nothing(what: str, ada: Staff, waiting: OpenQuestion) -> None:
    assert client_of(ada).post(f"/queue/{waiting.ref}/{what}/", {}).status_code == 403


def test_an_officer_of_another_entity_finds_nothing(shanghai: Entity, waiting: OpenQuestion) -> None:
    lin = make_staff("privacy-officer", entity=shanghai)
    for address in (f"/queue/{waiting.ref}/", f"/queue/{waiting.ref}/settle/"):
        assert client_of(lin).get(address).status_code == 404


# ---------------------------------------------------------------- decisions


@pytest.fixture
def decided(look: Look, greta: UUID) -> UUID:
    """Give the ref of a decision about Greta alone."""
    return decide(question=look.question, persons=[greta], staff=look.viewer, field_classes=[FieldClass.NAME]).ref


def test_a_decision_shows_all_that_it_rests_on(ada: Staff, decided: UUID, greta: UUID) -> None:
    told = read(ada, f"/decisions/{decided}/")
    asked = AskedDecision.objects.get(ref=decided)
    for rule in asked.findings[0]["because"]:
        assert rule in told
    assert asked.packs[0]["sha256"][:16] in told
    assert shown(greta) in told
    assert "The ledger agrees" in told
    assert read(ada, f"/decisions/{shown(decided).lower()}/")


def test_a_decision_that_was_changed_afterwards_does_not_agree_with_the_ledger(ada: Staff, decided: UUID) -> None:
    AskedDecision.objects.update(question=F("packs"), packs=[])
    asked = AskedDecision.objects.get()
    asked.question = {"operation": "view", "purpose": "marketing", "channel": "none", "recipient": "none",
                      "entity": str(Entity.objects.get().ref), "more": {}}  # fmt: skip
    asked.save()
    assert commitment(asked, RecordedDecision.objects.get().persons)
    assert "The ledger says something else" in read(ada, f"/decisions/{decided}/")


def test_a_decision_of_another_entity_and_no_decision_at_all_are_not_found(shanghai: Entity, decided: UUID) -> None:
    lin = make_staff("privacy-officer", entity=shanghai)
    for ref in (str(decided), str(shanghai.ref), "nonsense"):
        assert client_of(lin).get(f"/decisions/{ref}/").status_code == 404


def test_a_decision_that_rests_on_a_ruling_leads_to_it(look: Look, aiko: UUID, olga: Staff, ada: Staff) -> None:
    today = timezone.localdate()
    ruling = make_ruling(
        question=look.question, places=["JP"], settles=["no-law:JP"], reason="x", made_by=olga, entity=look.entity,
        begins_on=today, ends_on=today + timedelta(days=1),
    )  # fmt: skip
    ref = names_of(look, [aiko]).decided.ref
    assert f"/rulings/{ruling.ref}/" in read(ada, f"/decisions/{ref}/")


def replayed(staff: Staff, ref: UUID) -> str:
    answer = client_of(staff).post(f"/decisions/{ref}/replay/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_asked_again_the_same_comes_out_whatever_was_recorded_since(olga: Staff, decided: UUID, greta: UUID) -> None:
    from comity.book.models import Person

    Person.objects.filter(ref=greta).update(home="FR")
    told = replayed(olga, decided)
    assert "the same comes out" in told
    assert "person.home" in told


def test_asked_again_from_what_a_decision_kept_every_verdict_comes_out_again(
    look: Look, greta: UUID, oliver: UUID, aiko: UUID
) -> None:
    told = {}
    for way in WAYS:
        question = way.question(look.entity.ref)
        for answer in ask(question=question, persons=[greta, oliver, aiko], day=date(2026, 11, 22)).values():
            told = answer.decision.as_json()
            again = _asked_again(told)
            assert (again.same, again.differs, again.other_packs) == (True, (), ())
    other = {"permit": "deny", "deny": "permit", "ask": "permit"}[told["verdict"]]
    assert _asked_again(told | {"verdict": other}).differs == ("verdict",)


def test_asking_again_is_on_record_as_a_look_for_a_legal_duty(olga: Staff, decided: UUID) -> None:
    replayed(olga, decided)
    look = RecordedDecision.objects.exclude(ref=decided).get()
    assert (look.staff, look.operation, look.purpose) == (olga.ref, "view", "legal-duty")
    assert Entry.objects.filter(kind="vault.opened", staff=olga.ref).exists()


def test_whose_role_may_not_look_at_such_facts_is_told_so(ada: Staff, decided: UUID) -> None:
    assert "No role of yours may look at such facts" in replayed(ada, decided)
    assert not Entry.objects.filter(kind="vault.opened").exists()


def test_where_the_law_does_not_permit_a_look_the_facts_stay_sealed(olga: Staff, look: Look, aiko: UUID) -> None:
    ref = names_of(look, [aiko]).decided.ref
    told = replayed(olga, ref)
    assert "The law does not permit opening these facts now." in told
    assert "The facts as they were" not in told


def test_facts_that_were_erased_are_said_to_be_gone(olga: Staff, decided: UUID, greta: UUID) -> None:
    from comity.vault.models import Sealed

    Sealed.objects.filter(person=greta, kind="decision").delete()
    assert "The facts are gone" in replayed(olga, decided)
    assert PersonKey.objects.filter(person=greta).exists()


def test_a_decision_about_many_is_asked_again_from_the_history_of_plain_facts(
    olga: Staff, look: Look, greta: UUID, oliver: UUID
) -> None:
    ref = names_of(look, [greta, oliver]).decided.ref
    assert f"/decisions/{ref}/replay/" in read(olga, f"/decisions/{ref}/")
    assert "for everybody the same comes out" in replayed(olga, ref)
    assert not Entry.objects.filter(kind="vault.opened", staff=olga.ref).exists()


def test_the_one_hit_of_a_search_is_asked_again_as_many_are(olga: Staff, look: Look, greta: UUID) -> None:
    (hit,) = find(look, "greta")
    decided = RecordedDecision.objects.get(persons=[hit.person])
    assert hit.person == greta
    assert not Sealed.objects.filter(person=greta, kind="decision").exists()
    shown = read(olga, f"/decisions/{decided.ref}/")
    assert "The ledger agrees" in shown
    assert "The facts of a decision about one person are kept" not in shown
    assert "for everybody the same comes out" in replayed(olga, decided.ref)
    assert not Entry.objects.filter(kind="vault.opened", staff=olga.ref).exists()


def test_of_whom_something_else_was_found_asking_the_search_again_says_so(olga: Staff, look: Look, greta: UUID) -> None:
    find(look, "greta")
    decided = RecordedDecision.objects.get(persons=[greta])
    asked = AskedDecision.objects.get(ref=decided.ref)
    asked.findings[0]["verdict"] = asked.findings[0]["law"] = "deny"
    AskedDecision.objects.filter(ref=decided.ref).update(findings=asked.findings)
    assert "for 1 person something else" in replayed(olga, decided.ref)


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("de-uwg/message-needs-express-consent", "consent"),
        ("eu-gdpr:basis", "lawful basis"),
        ("eu-gdpr:not-covered", "General Data Protection Regulation governs here"),
        ("no-law:JP|KR", "Japan, South Korea"),
        ("no-law:anywhere", "not known where"),
        ("clash:hours", "cannot be done together"),
        ("xx/gone", "xx/gone"),
    ],
)
def test_every_kind_of_reason_says_something(reason: str, says: str, db: None) -> None:
    del db
    assert says in said_of(reason).says


# ---------------------------------------------------------------- in a browser


@pytest.mark.django_db(transaction=True)
def test_every_page_is_accessible_and_fits_a_phone(
    signed_in: Callable[[Staff], Page], olga: Staff, waiting: OpenQuestion, decided: UUID
) -> None:
    question, today = Look(viewer=olga, entity=waiting.entity, purpose="legal-duty").question, timezone.localdate()
    ruling = make_ruling(
        question=question, places=["JP"], settles=["no-law:JP"], reason="x", made_by=olga, entity=waiting.entity,
        begins_on=today, ends_on=today + timedelta(days=1),
    )  # fmt: skip
    page = signed_in(olga)
    asked = f"entity={waiting.entity.ref}&person.home=DE&" + "&".join(f"{k}={v}" for k, v in MAIL.items())
    wrong: list[str] = []
    for address in (
        "/law/", "/law/?q=consent+uwg", "/law/de-uwg/", "/law/blind-spots/", "/law/review/", f"/law/may-we/?{asked}",
        "/queue/", "/queue/?state=closed", f"/queue/{waiting.ref}/", f"/queue/{waiting.ref}/settle/",
        f"/queue/{waiting.ref}/close/", "/rulings/", f"/rulings/{ruling.ref}/", f"/decisions/{decided}/",
    ):  # fmt: skip
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.goto(address)
        wrong += found_by_axe(page)
        page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        if wider_than_screen(page) > 0:
            wrong.append(f"{address} is wider than a phone")
    assert wrong == []


@pytest.mark.django_db(transaction=True)
def test_a_decision_is_asked_again_in_the_dark(signed_in: Callable[[Staff], Page], olga: Staff, decided: UUID) -> None:
    page = signed_in(olga)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.goto(f"/decisions/{decided}/")
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("the same comes out").wait_for()
    assert found_by_axe(page) == []
