"""The pages of sharing and calling, in a real browser: from the recipient's contract to the notice of a later no."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from comity.outreach.campaigns.models import Imprint
from comity.outreach.sharing.models import Sharing, Telling
from comity.outreach.sharing.passing_on import go_round
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval, Entity, Staff
from comity.staff.walls import behind_wall
from tests.book.taking_out import Sign
from tests.browser import PHONE, found_by_axe, wider_than_screen
from tests.outreach.sharing.giving import agrees, takes_back
from tests.post.writing import germans
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ready(firm: Entity, live_server: LiveServer, settings: Settings) -> Entity:
    settings.ADDRESS = urlsplit(live_server.url)
    settings.SECOND_FACTOR = "optional"
    Imprint.objects.create(entity=firm, address="news@comity.example", postal_address="1 Quay Street\nDublin")
    return firm


def for_everybody(page: Page) -> None:
    """Look whether a page is readable for everybody, and fits a phone."""
    assert found_by_axe(page) == []
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    assert wider_than_screen(page) == 0
    page.set_viewport_size({"width": 1280, "height": 900})


def test_a_list_is_shared_with_a_second_person_and_its_recipient_is_told_of_a_later_no(
    signed_in: Callable[[Staff], Page], ready: Entity, olga: Staff, tom: Staff, sign: Sign
) -> None:
    people = germans(2, ready)
    agrees(people, ready)
    page = signed_in(olga)
    page.goto("/sharing/recipients/")
    page.get_by_role("link", name="Register a recipient").click()
    page.get_by_label("Name").fill("Kettle Mail GmbH")
    page.get_by_label("What they are to us").select_option("processor")
    page.get_by_label("Contract signed on").fill("2026-01-05")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Say where the contract lies.")).to_be_visible()
    page.get_by_label("Where the contract lies").fill("Safe, folder 12")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", name="Kettle Mail GmbH")).to_be_visible()
    for_everybody(page)

    page = signed_in(tom)
    page.goto("/people/?home=DE")
    page.get_by_role("link", name="Share", exact=True).click()
    for_everybody(page)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Ask the law").click()
    expect(page.get_by_text("What the law wants beside")).to_be_visible()
    page.get_by_label("Reason").fill("The autumn letter")
    page.get_by_role("button", name="Ask for approval").click()
    for_everybody(page)
    with behind_wall(staff=olga.ref, entities=[ready.ref]):
        settle_approval(approval=Approval.objects.get(), approved=True, settled_by=olga)
    page.reload()
    page.get_by_role("button", name="Make the file").click()
    sign()
    page.reload()
    with page.expect_download() as download:
        page.get_by_role("button", name="Fetch the file").click()
    assert "person-0@kettle.example" in download.value.path().read_text("utf-8-sig")
    page.reload()
    expect(page.get_by_text("Of every later no the recipient is told.")).to_be_visible()
    takes_back(people[0], ready)
    go_round(entity=ready)
    page.goto(f"/sharing/recipients/{Sharing.objects.get().recipient_id}/")
    expect(page.get_by_text("Not told yet")).to_be_visible()
    with page.expect_download():
        page.get_by_role("button", name="The file, to send it on").click()
    page.reload()
    page.get_by_role("button", name="They acknowledged it").click()
    expect(page.get_by_text("Acknowledged", exact=True)).to_be_visible()
    for_everybody(page)
    page.goto(f"/sharing/of/{people[0]}/")
    expect(page.get_by_text("Stop using it")).to_be_visible()
    for_everybody(page)
    assert Telling.objects.get().acknowledged_by == tom


def test_the_number_stays_sealed_and_the_page_says_why(signed_in: Callable[[Staff], Page], ready: Entity) -> None:
    (person,) = germans(1, ready)
    page = signed_in(make_staff("sales", entity=ready))
    page.goto(f"/people/{person}/")
    page.get_by_role("link", name="May we call?").click()
    page.goto(f"/people/{person}/call/?for=marketing")
    expect(page.get_by_text("The number stays sealed.")).to_be_visible()
    expect(page.get_by_text("this is a blind spot")).to_be_visible()
    for_everybody(page)
