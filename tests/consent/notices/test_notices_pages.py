"""Drafting, publishing and reading notices in the pages; and saying to which of them somebody said yes."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from comity.consent.models import Consent
from comity.consent.notices.models import Notice, NoticeVersion
from comity.staff.models import Entity, Staff
from tests.consent.notices.wordings import JA, WHOLE, YES, newsletter, next_version, privacy_notice, published
from tests.staff.people import client_of, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def text(answer: Any, code: int = 200) -> str:  # noqa: ANN401 - what the test client returns
    assert answer.status_code == code, answer.content.decode()[:800]
    return str(answer.content.decode())


def seen(page: str) -> str:
    (found,) = re.findall(r'name="seen" value="([^"]+)"', page)
    return str(found)


def write(client: Client, ref: UUID, texts: dict[str, str], language: str = "en") -> object:
    address = f"/notices/{ref}/draft/?language={language}"
    return client.post(address, {**texts, "seen": seen(text(client.get(address)))}, follow=True)


def publish(client: Client, ref: UUID, **said: Any) -> object:  # noqa: ANN401 - fields of the form
    address = f"/notices/{ref}/publish/"
    said["seen"] = seen(text(client.get(address)))
    return client.post(address, said, follow=True)


# ---------------------------------------------------------------- from the first line to the public page


def test_tom_drafts_and_olga_publishes_and_everybody_reads(tom: Staff, olga: Staff, firm: Entity) -> None:
    client = client_of(tom)
    begun = {"entity": firm.ref, "kind": "consent-wording", "name": "Newsletter", "language": "en"}
    page = text(client.post("/notices/new/", begun, follow=True))
    ref = Notice.objects.get().ref
    about = {"often": ["EEA"], "purpose": "marketing", "channels": ["email"], "first": "en", "others": ["de"]}
    text(client.post(f"/notices/{ref}/draft/about/", {**about, "seen": seen(page)}, follow=True))
    page = text(write(client, ref, {"wording": "Our newsletter comes monthly."}))
    assert "GDPR Art. 7(3)" in page
    assert "You can withdraw your consent at any time by the link in each message." in page
    assert "Translate it." in page
    text(write(client, ref, YES))
    page = text(write(client, ref, JA, "de"))
    assert "Our rules miss nothing in it." in page
    assert client.get(f"/notices/{ref}/publish/").status_code == 403
    assert "Published. It never changes" in text(publish(client_of(olga), ref))
    stranger = Client()
    assert "Ja, Comity darf mir" in text(stranger.get(f"/notice/{ref}/", headers={"accept-language": "de-AT,de;q=0.9"}))
    assert "Yes, Comity may send me" in text(stranger.get(f"/notice/{ref}/", headers={"accept-language": "fi"}))
    version = NoticeVersion.objects.get()
    page = text(stranger.get(f"/notice/{version.ref}/de/"))
    assert 'lang="de"' in page
    assert bytes(version.fingerprint or b"").hex() in page
    assert not stranger.cookies


def test_a_draft_is_read_by_nobody_outside(tom: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom)
    for address in (version.ref, version.notice_id):
        assert Client().get(f"/notice/{address}/").status_code == 404


def test_an_older_version_stays_at_its_address_and_the_notice_shows_the_latest(
    tom: Staff, olga: Staff, firm: Entity
) -> None:
    first = published(privacy_notice(firm, tom), olga)
    published(next_version(first.notice, {**WHOLE, "retention": "Three years."}, tom), olga)
    assert "Two years after your last order." in text(Client().get(f"/notice/{first.ref}/"))
    assert "Three years." in text(Client().get(f"/notice/{first.notice_id}/"))
    assert Client().get(f"/notice/{first.ref}/fr/").status_code == 404


# ---------------------------------------------------------------- the law's answer while one writes


def test_what_is_typed_is_looked_through_and_not_saved(tom: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom)
    typed = {**WHOLE, "retention": "", "seen": ""}
    found = text(client_of(tom).post(f"/notices/{version.notice_id}/draft/look/", typed))
    assert 'Missing: <span lang="en">how long the data are kept</span>' in found
    assert "We keep your data for two years after your last order." in found
    assert NoticeVersion.objects.get().texts == version.texts


def test_words_of_somebody_else_are_not_written_over(tom: Staff, olga: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom)
    client = client_of(tom)
    old = seen(text(client.get(f"/notices/{version.notice_id}/draft/")))
    write(client_of(olga), version.notice_id, {**WHOLE, "more": "Olga was here."})
    page = text(client.post(f"/notices/{version.notice_id}/draft/", {**WHOLE, "more": "Tom, too.", "seen": old}))
    assert "Somebody else changed this draft meanwhile." in page
    assert "Tom, too." in page
    assert "Olga was here." in str(NoticeVersion.objects.get().texts)


def test_what_people_write_is_text_and_no_markup(tom: Staff, olga: Staff, firm: Entity) -> None:
    texts = {**WHOLE, "more": "<script>alert(1)</script> {{ 7|add:1 }} & {% now %}"}
    version = published(privacy_notice(firm, tom, texts), olga)
    for page in (Client().get(f"/notice/{version.ref}/"), client_of(tom).get(f"/notices/{version.notice_id}/")):
        assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7|add:1 }} &amp; {% now %}" in text(page)


# ---------------------------------------------------------------- publishing


def test_the_page_says_what_stops_it(tom: Staff, olga: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom, {**WHOLE, "complaint": ""})
    page = text(client_of(olga).get(f"/notices/{version.notice_id}/publish/"))
    assert "1 thing stops it" in page
    assert "GDPR Arts 13(2)(d), 14(2)(e)" in page
    assert "Publish it" not in page


def test_what_a_human_looks_at_takes_a_tick_and_a_reason(tom: Staff, olga: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom, {**WHOLE, "dpo": ""})
    client = client_of(olga)
    assert "This field is required." in text(publish(client, version.notice_id, tick_0="on", why_0=""))
    assert NoticeVersion.objects.get().published_at is None
    text(publish(client, version.notice_id, tick_0="on", why_0="Nobody had to be named."))
    assert "Nobody had to be named." in text(client.get(f"/notices/{version.notice_id}/1/"))


def test_the_page_shows_what_changed_and_asks_who_is_asked_again(tom: Staff, olga: Staff, firm: Entity) -> None:
    first = published(newsletter(firm, tom), olga)
    next_version(first.notice, {"wording": YES["wording"].replace("newsletter", "offers")}, tom)
    client = client_of(olga)
    page = text(client.get(f"/notices/{first.notice_id}/publish/"))
    assert "<del>Yes, Comity may send me its newsletter by e-mail. </del>" in page
    assert "<ins>Yes, Comity may send me its offers by e-mail. </ins>" in page
    assert "Say what changed" in text(publish(client, first.notice_id, ends_for=["email"]))
    text(publish(client, first.notice_id, ends_for=["email"], ends_why="Offers, not news."))
    assert NoticeVersion.objects.get(number=2).ends_for == ["email"]


# ---------------------------------------------------------------- who may


def test_who_reads_everything_writes_nothing(tom: Staff, firm: Entity) -> None:
    version = privacy_notice(firm, tom)
    client = client_of(make_staff("auditor", entity=firm))
    assert "Customers" in text(client.get("/notices/"))
    for rest in ("draft/", "draft/about/", "publish/"):
        assert client.get(f"/notices/{version.notice_id}/{rest}").status_code == 403


def test_notices_of_another_entity_are_not_there(tom: Staff, firm: Entity, shanghai: Entity) -> None:
    version = privacy_notice(firm, tom)
    client = client_of(make_staff("privacy-officer", entity=shanghai, name="Mei Lin"))
    assert "Customers" not in text(client.get("/notices/"))
    for rest in ("", "1/", "draft/", "publish/"):
        assert client.get(f"/notices/{version.notice_id}/{rest}").status_code == 404


# ---------------------------------------------------------------- what somebody said yes to


def test_a_yes_is_to_a_version_that_was_published(
    ada: Staff, tom: Staff, olga: Staff, firm: Entity, greta: UUID
) -> None:
    version = published(newsletter(firm, tom), olga)
    client = client_of(ada)
    assert "Newsletter v1 · English" in text(client.get(f"/people/{greta}/says/yes/"))
    said = {
        "purpose": "marketing", "channel": "email", "source": "by phone", "express": "on",
        "said_at": "2026-01-20T10:30", "wording": f"{version.ref}/en",
    }  # fmt: skip
    assert "not shown to anybody then" in text(client.post(f"/people/{greta}/says/yes/", said))
    assert not Consent.objects.exists()
    when = version.begins_at
    assert when is not None
    client.post(f"/people/{greta}/says/yes/", said | {"said_at": when.strftime("%Y-%m-%dT%H:%M")})
    consent = Consent.objects.get()
    assert (consent.notice, consent.notice_version, consent.notice_language) == ("Newsletter v1", version, "en")


def test_a_yes_to_unknown_words_is_refused(ada: Staff, tom: Staff, olga: Staff, firm: Entity, greta: UUID) -> None:
    published(newsletter(firm, tom), olga)
    said = {"purpose": "marketing", "channel": "email", "source": "by phone", "said_at": "2026-11-20T10:30"}
    page = text(client_of(ada).post(f"/people/{greta}/says/yes/", said))
    assert "a yes to unknown words proves nothing" in page
