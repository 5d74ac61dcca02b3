"""What people see of themselves: their own and nobody else's, who looked, what was decided, in their language."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.test import Client
from django.utils import timezone

from comity.book.merging.actions import Choices, merge_persons
from comity.book.opening import Look, everything_of, names_of
from comity.counsel.actions import decide
from comity.counsel.questions import Question
from comity.ledger.models import Entry
from comity.outreach.origins.models import Came, Origin
from comity.outreach.sharing.models import PassedOn, Recipient, Sharing
from comity.rights.portal.full import IN_FULL
from comity.rights.portal.models import Portal
from comity.staff.models import Entity, Staff
from comity.vault.actions import destroy_person_key
from comity.vault.sealing import FieldClass
from tests.book.people import Add, newcomer
from tests.rights.portal.visitors import comes_in, door, text_of
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(firm: Entity) -> Staff:
    """Sells, for Dublin."""
    return make_staff("sales", entity=firm)


def test_they_see_their_own_with_purpose_ground_source_and_clock(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    page = text_of(comes_in(outside, firm), firm)
    for said in (
        "Greta Grünwald", "greta@kettle.example", "+49 30 5550199", "Germany", "Nordlicht GmbH", "18 Mar 2024",
        "Advertising and news", "GDPR", "You yourself", "Customers v2", "until you are erased",
    ):  # fmt: skip
        assert said in page, said


def test_it_is_opened_for_them_alone_under_a_decision_on_record(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal
    text_of(comes_in(outside, firm), firm)
    opened = Entry.objects.filter(kind="vault.opened", persons=[greta])
    assert [entry.staff for entry in opened] == [None]
    assert Entry.objects.filter(kind="counsel.decided", persons=[greta], staff=None).exists()


def test_nobody_sees_another(portal: Portal, greta: UUID, oliver: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta, oliver
    page = text_of(comes_in(outside, firm, "oliver@kettle.example"), firm)
    assert "Oliver O&#x27;Brien" in page
    assert "Greta" not in page


def test_who_looked_is_told_by_role_day_and_purpose_and_by_no_name(
    portal: Portal, greta: UUID, oliver: UUID, firm: Entity, ada: Staff, outside: Client
) -> None:
    del portal
    look = Look(viewer=ada, entity=firm, purpose="service")
    names_of(look, [greta, oliver])
    everything_of(look, greta, [])
    comes_in(outside, firm)
    text_of(outside, firm)
    page = text_of(outside, firm, "looks")
    assert "Sales" in page
    assert "View, for service" in page
    assert "2 times" in page
    assert "<b>You</b>" in page
    assert "Ada" not in page


def test_what_another_entity_of_ours_looked_at_is_not_told_here(
    portal: Portal, greta: UUID, firm: Entity, shanghai: Entity, outside: Client
) -> None:
    del portal
    there = make_staff("sales", entity=shanghai, name="Li Wei")
    names_of(Look(viewer=there, entity=shanghai, purpose="service"), [greta])
    comes_in(outside, firm)
    assert "Sales" not in text_of(outside, firm, "looks")


def test_what_a_machine_decided_is_told_with_its_rules_and_articles(
    portal: Portal, greta: UUID, oliver: UUID, firm: Entity, ada: Staff, outside: Client
) -> None:
    del portal
    asked = Question(operation="contact", purpose="marketing", channel="email", entity=firm.ref)
    decide(question=asked, persons=[oliver, greta], staff=ada, field_classes=[FieldClass.CONTACT])
    comes_in(outside, firm)
    page = text_of(outside, firm, "decided")
    assert "Contact, for marketing · e-mail" in page
    assert "We may not" in page
    assert "UWG" in page
    assert "PECR" not in page  # that was Oliver's


def test_in_chinese_it_is_all_chinese(portal: Portal, greta: UUID, firm: Entity, outside: Client) -> None:
    del portal, greta
    comes_in(outside, firm)
    page = text_of(outside, firm, language="zh-hans")
    for said in ("我方持有的信息", "姓名", "德国", "停止使用", "要求解释决定", "直到您的信息被删除"):
        assert said in page, said
    for english in ("What we hold", "Who looked", "Stop things", "until you"):
        assert english not in page, english


def test_whoever_was_merged_sees_what_they_became_and_whoever_was_erased_sees_nothing(
    portal: Portal, greta: UUID, firm: Entity, add: Add, vera: Staff, outside: Client
) -> None:
    del portal
    twin = add(newcomer("Gretel", "Grünwald", "DE"))
    comes_in(outside, firm, "gretel@kettle.example")
    merge_persons(kept=greta, gone=twin, choices=Choices(), entity=firm, merged_by=vera)
    assert "Greta Grünwald" in text_of(outside, firm)
    destroy_person_key(person=greta, staff=None)
    assert "Greta Grünwald" not in text_of(outside, firm)


def test_the_choices_of_the_preference_page_are_one_link_away(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    answer = outside.get(door(firm, "choices"), follow=True)
    assert answer.status_code == 200
    assert "Your choices" in answer.content.decode()


def test_every_row_about_them_stands_on_a_page_and_what_was_written_freely_does_not(
    portal: Portal, greta: UUID, oliver: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta, oliver
    comes_in(outside, firm)
    pages = {part.value: text_of(outside, firm, "full", part.value) for part in IN_FULL}
    for part, said in {"you": "Nordlicht GmbH", "relation": "Customers v2", "happened": "30 Oct 2026"}.items():
        assert said in pages[part], said
    assert "as long as you are in our book" in text_of(outside, firm, "full")
    for page in pages.values():
        assert "blue kettle" not in page
        assert "Leeds" not in page
    assert outside.get(door(firm, "full", "looked")).status_code == 302


def test_who_got_their_data_and_from_whom_they_came_stands_on_the_first_page(
    portal: Portal, greta: UUID, firm: Entity, vera: Staff, outside: Client
) -> None:
    del portal
    origin = Origin.objects.create(entity=firm, source="Kettle Fair 2025", used_for="marketing", noted_by=vera)
    Came.objects.create(person=greta, entity=firm, origin=origin)
    comes_in(outside, firm)
    page = text_of(outside, firm)
    assert "Kettle Fair 2025" in page
    assert "Nobody, as far as we have written down." in page
    recipient = Recipient.objects.create(
        entity=firm, name="Postbote AG", role="third-party", place="CH", review_on=timezone.localdate(), made_by=vera
    )
    sharing = Sharing.objects.create(
        entity=firm, recipient=recipient, operation="share", purpose="marketing", columns=["given"], made_by=vera
    )
    PassedOn.objects.create(
        entity=firm, sharing=sharing, person=greta, what="stop", since=timezone.now(), noticed_at=timezone.now()
    )
    assert "Postbote AG" in text_of(outside, firm)


def test_nothing_is_kept_by_caches_or_told_to_other_sites(
    portal: Portal, greta: UUID, firm: Entity, outside: Client
) -> None:
    del portal, greta
    comes_in(outside, firm)
    for page in ((), ("looks",), ("stop",), ("choices",)):
        headers = outside.get(door(firm, *page)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "noindex" in headers["X-Robots-Tag"]
