"""Building forms: what stops a publication, that a published one never changes, and who may do what."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from pytest_django import Settings

from comity.consent.drafts import ChangedMeanwhile, NotPublished, seen_of
from comity.consent.notices.actions import draft_again as draft_notice_again
from comity.consent.notices.models import NoticeVersion
from comity.ledger.models import Entry
from comity.outreach.forms import looking
from comity.outreach.forms.actions import (
    describe_draft,
    discard_draft,
    draft_again,
    fingerprint_of,
    open_again,
    publish,
    start_form,
    withdraw_form,
    write_draft,
)
from comity.outreach.forms.forms import MadeOf, origin_of
from comity.outreach.forms.looking import wrong_in
from comity.outreach.forms.models import FormVersion, WebForm
from comity.outreach.forms.showing import form_page
from comity.post.models import Gateway
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from tests.consent.notices.wordings import published as publish_notice
from tests.outreach.forms.building import draft_form, published_form, ready_to_send
from tests.staff.people import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(firm: Entity, tom: Staff, vera: Staff) -> FormVersion:
    ready_to_send(firm)
    return draft_form(firm, tom, vera)


def errors(version: FormVersion) -> list[str]:
    return [one.id for one in wrong_in(version) if one.level == "error"]


def described(version: FormVersion, by: Staff, **more: Any) -> FormVersion:  # noqa: ANN401 - of a version
    parts = {name: getattr(version, name) for name in ("languages", "asks", "fields", "needed", "places", "young",
                                                       "notice", "frames")}  # fmt: skip
    return describe_draft(version=version, made_of=parts | more, seen=seen_of(version), written_by=by)


def written(version: FormVersion, by: Staff, **words: str) -> FormVersion:
    return write_draft(
        version=version, language="en", words={**version.words["en"], **words}, seen=seen_of(version), written_by=by
    )


def test_a_plain_form_is_published_with_its_fingerprint_in_the_ledger(draft: FormVersion, vera: Staff) -> None:
    assert errors(draft) == []
    version = published_form(draft, vera)
    assert version.form.name == "Newsletter page"
    (entry,) = Entry.objects.filter(kind="outreach.form-published")
    assert bytes(version.fingerprint or b"").hex() in bytes(entry.body).decode()
    assert fingerprint_of(version) == bytes(version.fingerprint or b"")


def test_a_published_form_never_changes(draft: FormVersion, vera: Staff) -> None:
    version = published_form(draft, vera)
    for change in (
        lambda: FormVersion.objects.filter(pk=version.pk).update(places=["FR"]),
        lambda: FormVersion.objects.filter(pk=version.pk).delete(),
    ):
        with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
            change()
    with pytest.raises(ChangedMeanwhile):
        write_draft(version=version, language="en", words={}, seen=seen_of(version), written_by=vera)


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"intro": "By signing up you agree to receive our newsletter."}, "eu-gdpr/consent-not-by-signing-up"),
        ({"intro": "By continuing to use this page you agree to it all."}, "eu-gdpr/no-consent-by-staying"),
    ],
)
def test_words_that_the_law_bans_stop_it(draft: FormVersion, tom: Staff, words: dict[str, str], rule: str) -> None:
    assert rule in errors(written(draft, tom, **words))


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ({"button": "No thanks, I hate savings"}, "eu-gdpr/no-emotional-steering"),
        ({"intro": "Untick the box if you do not wish to hear from us."}, "eu-gdpr/no-ambiguous-wording"),
        ({"intro": "We share this with our partners."}, "eu-gdpr/recipients-named"),
    ],
)
def test_words_that_only_a_human_can_judge_take_a_tick_with_a_reason(
    draft: FormVersion, tom: Staff, vera: Staff, words: dict[str, str], rule: str
) -> None:
    version = written(draft, tom, **words)
    assert rule in [one.id for one in wrong_in(version) if one.level == "review"]
    with pytest.raises(NotPublished):
        publish(version=version, gateway=Gateway.objects.get(), ticks={}, seen=seen_of(version), published_by=vera)
    assert f"{rule}@en" in [one["key"] for one in published_form(version, vera).ticked]


def test_one_box_for_two_purposes_is_found(draft: FormVersion, tom: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    both = "I accept the terms and conditions and want the newsletter. I can withdraw this at any time."
    version = described(draft, tom, languages=["en"])

    def with_bundle(*args: Any, **more: Any) -> str:  # noqa: ANN401 - as the page's own
        return form_page(*args, **more).replace("Yes, Comity Dublin Ltd may send me its newsletter by e-mail.", both)

    monkeypatch.setattr(looking, "form_page", with_bundle)  # a wording alone was looked at when it was published
    assert "eu-gdpr/consent-apart-from-terms" in errors(version)


def test_a_form_that_ticks_for_people_could_not_be_published(
    draft: FormVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our pages have no ticked boxes; should they ever have, the lint that looks at each would stop it."""

    def ticked(*args: Any, **more: Any) -> str:  # noqa: ANN401 - as the page's own
        return form_page(*args, **more).replace('type="checkbox"', 'type="checkbox" checked required')

    monkeypatch.setattr(looking, "form_page", ticked)
    found = wrong_in(draft)
    assert "eu-gdpr/no-pre-ticked-consent" in [one.id for one in found if one.level == "error"]
    assert "eu-gdpr/consent-not-a-condition" in [one.id for one in found]


def test_a_wording_that_does_not_say_that_it_can_be_taken_back_stops_it(
    draft: FormVersion, tom: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = described(draft, tom, languages=["en"])

    def silent(*args: Any, **more: Any) -> str:  # noqa: ANN401 - as the page's own
        return form_page(*args, **more).replace("I can withdraw this at any time, by the link in each message.", "")

    monkeypatch.setattr(looking, "form_page", silent)
    assert "eu-gdpr/withdrawal-told" in errors(version)


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        ({"asks": []}, looking.NOTHING_ASKED),
        ({"places": []}, looking.NO_PLACE),
        ({"notice": None}, looking.NO_NOTICE),
        ({"places": ["JP"]}, looking.NOT_OFFERED),
        ({"languages": ["en", "fr"]}, looking.NO_WORDING),
        ({"languages": ["en", "hu"]}, looking.NOT_WRITTEN),
    ],
)
def test_what_a_form_must_have_and_lacks_stops_it(
    draft: FormVersion, tom: Staff, parts: dict[str, Any], what: str
) -> None:
    if parts.get("languages") == ["en", "hu"]:
        draft.languages = ["en", "hu"]
        assert what in errors(draft)
        return
    assert what in errors(described(draft, tom, **parts))


def test_where_the_law_wants_to_know_an_age_the_form_asks_it(draft: FormVersion, tom: Staff) -> None:
    version = described(draft, tom, places=["CN"])
    assert looking.NOT_OFFERED in errors(version)
    version = described(version, tom, young="guardian")
    assert looking.NOT_OFFERED not in errors(version)


def test_a_wording_of_which_there_is_a_later_version_stops_it(draft: FormVersion, tom: Staff, vera: Staff) -> None:
    asked = NoticeVersion.objects.select_related("notice").get(notice__name="Newsletter")
    publish_notice(draft_notice_again(notice=asked.notice, drafted_by=tom), vera)
    assert looking.OLD_WORDING in errors(draft)


def test_what_stops_it_cannot_be_ticked_away(draft: FormVersion, tom: Staff, vera: Staff) -> None:
    version = written(draft, tom, intro="By signing up you agree to receive our newsletter.")
    ticks = {one.key: "it is fine" for one in wrong_in(version)}
    with pytest.raises(NotPublished, match="7\\(2\\)"):
        publish(version=version, gateway=Gateway.objects.get(), ticks=ticks, seen=seen_of(version), published_by=vera)
    assert FormVersion.objects.get(pk=version.pk).published_at is None


def test_who_looked_at_an_older_draft_does_not_publish_a_newer_one(draft: FormVersion, tom: Staff, vera: Staff) -> None:
    seen = seen_of(draft)
    written(draft, tom, intro="Hello")
    with pytest.raises(ChangedMeanwhile):
        publish(version=draft, gateway=Gateway.objects.get(), ticks={}, seen=seen, published_by=vera)
    with pytest.raises(ChangedMeanwhile):
        write_draft(version=draft, language="en", words={}, seen=seen, written_by=tom)


def test_marketing_builds_and_does_not_publish(draft: FormVersion, tom: Staff) -> None:
    with pytest.raises(NotYours):
        published_form(draft, tom)
    with pytest.raises(NotYours):
        withdraw_form(form=draft.form, withdrawn_by=tom)


def test_a_gateway_of_another_entity_carries_nothing(draft: FormVersion, shanghai: Entity, vera: Staff) -> None:
    other = Gateway.objects.create(entity=shanghai, channel="email", kind="smtp", name="Theirs", settings={})
    with pytest.raises(NotPublished):
        published_form(draft, vera, other)


def test_a_withdrawn_form_can_be_opened_again_in_ones_own_name(draft: FormVersion, vera: Staff) -> None:
    version = published_form(draft, vera)
    assert withdraw_form(form=version.form, withdrawn_by=vera).withdrawn_at is not None
    opened = open_again(form=version.form, gateway=Gateway.objects.get(), opened_by=vera)
    assert (opened.withdrawn_at, opened.sender) == (None, vera)


def test_a_draft_goes_on_from_the_last_version_and_a_first_one_is_thrown_away_whole(
    draft: FormVersion, tom: Staff, vera: Staff
) -> None:
    version = published_form(draft, vera)
    again = draft_again(form=version.form, drafted_by=tom)
    assert (again.number, again.asks, again.words) == (2, version.asks, version.words)
    assert draft_again(form=version.form, drafted_by=tom) == again
    discard_draft(version=again, discarded_by=tom)
    assert WebForm.objects.count() == 1
    discard_draft(version=start_form(entity=version.entity, name="X", language="en", made_by=tom), discarded_by=tom)
    assert WebForm.objects.count() == 1


def test_two_forms_of_an_entity_are_not_called_alike(draft: FormVersion, tom: Staff) -> None:
    with pytest.raises(ValidationError, match="called so already"):
        start_form(entity=draft.entity, name="newsletter PAGE", language="en", made_by=tom)


@pytest.mark.parametrize(
    ("typed", "origin"),
    [("https://Kettle.example/shop?x=1", "https://kettle.example"), ("https://kettle.example:8443/", "https://kettle.example:8443"),
     ("https://kessel-größe.example", "https://xn--kessel-gre-r9a7k.example")],
)  # fmt: skip
def test_a_site_is_known_by_its_origin(typed: str, origin: str) -> None:
    assert origin_of(typed).partition("//")[0] == "https:"
    assert origin_of(typed).isascii()
    if "größe" not in typed:
        assert origin_of(typed) == origin


@pytest.mark.parametrize(
    "typed", ["kettle.example", "http://kettle.example", "https://", "https://*", "https://a b", "*", "'self'",
              "https://k.example; script-src *", "javascript:alert(1)", "https://user@kettle.example"]
)  # fmt: skip
def test_what_is_no_site_gets_no_frame(typed: str) -> None:
    with pytest.raises(ValidationError):
        origin_of(typed)


def test_its_pages_are_built_step_by_step(firm: Entity, tom: Staff, vera: Staff, settings: Settings) -> None:
    settings.SECOND_FACTOR = "optional"
    ready_to_send(firm)
    draft = draft_form(firm, tom, vera)
    browser, ref = client_of(tom), draft.form_id
    for path in (
        "",
        "new/",
        f"{ref}/",
        f"{ref}/draft/",
        f"{ref}/draft/words/en/",
        f"{ref}/draft/words/de/",
        f"{ref}/1/en/",
    ):
        assert browser.get(f"/forms/{path}").status_code == 200, path
    assert browser.get(f"/forms/{ref}/draft/words/fr/").status_code == 404
    assert browser.get(f"/forms/{ref}/9/en/").status_code == 404
    officer = client_of(vera)
    asked = officer.get(f"/forms/{ref}/publish/").content.decode()
    assert "Japan" in asked
    ticks = {f"{name}_{number}": "1" for number in range(2) for name in ("tick", "why")}
    told = {"seen": seen_of(draft), "gateway": str(Gateway.objects.get().ref), **ticks}
    assert officer.post(f"/forms/{ref}/publish/", told).status_code == 302
    one = officer.get(f"/forms/{ref}/").content.decode()
    assert "&lt;form action=" in one
    assert officer.post(f"/forms/{ref}/withdraw/").status_code == 302
    assert officer.post(f"/forms/{ref}/open/", {"gateway": told["gateway"]}).status_code == 302
    assert browser.post(f"/forms/{ref}/draft/begin/").status_code == 302
    assert browser.post(f"/forms/{ref}/draft/discard/").status_code == 302


def test_a_box_that_nobody_offered_cannot_be_chosen(draft: FormVersion) -> None:
    told = {"seen": "x", "asks": ["01900000-0000-7000-8000-000000000000/email"], "young": "not-asked", "first": "en"}
    form = MadeOf(told, version=draft, seen="x")
    assert not form.is_valid()
    assert "asks" in form.errors
