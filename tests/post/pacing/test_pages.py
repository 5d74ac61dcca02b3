"""Staff say when messages may go, see which gateway rests, and wake it."""

from __future__ import annotations

import json
from datetime import time, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comity.ledger.models import Entry
from comity.post.models import Gateway
from comity.post.pacing.actions import restrain, throttle_gateway, wake_gateway
from comity.post.pacing.forms import RestraintGiven
from comity.post.pacing.models import Bucket, Health, Restraint, Throttle
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.writing import Begun, way_out
from tests.staff.people import make_staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_second_factor")]
GIVEN = {"opens": "09:00", "closes": "18:30", "days": ["mon", "fri"], "most": "2", "in_days": "7"}


@pytest.fixture
def ada(firm: Entity) -> Staff:
    """Sets up how Dublin sends."""
    return make_staff("administrator", entity=firm)


@pytest.fixture
def page(client: Client, ada: Staff) -> Client:
    client.force_login(ada, "allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def gateway(firm: Entity) -> Gateway:
    return way_out(firm, Begun())


def kept(entity: Entity) -> list[Restraint]:
    with behind_wall(staff=None, entities=[entity.ref]):
        return list(Restraint.objects.all())


def test_hours_and_limits_are_said_on_a_page_and_are_in_the_ledger(page: Client, firm: Entity) -> None:
    answer = page.post(reverse("post:restraint", args=[firm.ref, "sms"]), GIVEN)
    assert answer.status_code == 302, answer.content
    (one,) = kept(firm)
    assert (one.channel, one.opens, one.closes, one.days) == ("sms", 540, 1110, ["mon", "fri"])
    assert (one.most, one.in_days) == (2, 7)
    body = json.loads(bytes(Entry.objects.get(kind="post.restrained").body))["body"]
    assert body["channel"] == "sms"
    assert body["days"] == ["mon", "fri"]
    shown = page.get(reverse("post:pace")).content.decode()
    assert "09:00 – 18:30" in shown
    assert "at most 2 in 7 days" in shown


def test_what_was_said_stands_in_the_form_and_is_changed_there(page: Client, firm: Entity) -> None:
    address = reverse("post:restraint", args=[firm.ref, "all"])
    page.post(address, GIVEN)
    assert b"09:00" in page.get(address).content
    page.post(address, {**GIVEN, "closes": "", "most": ""})
    (one,) = kept(firm)
    assert (one.channel, one.closes, one.most) == ("", 1440, None)
    assert RestraintGiven(restraint=one).initial["closes"] is None
    assert RestraintGiven(restraint=one).initial["opens"] == time(9)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"opens": 600, "closes": 600}, "closes"), ({"opens": 1200, "closes": 480}, "closes"),
        ({"days": ["holiday"]}, "days"), ({"days": ["mon", "someday"]}, "days"), ({"most": 0}, "most"),
        ({"in_days": 101}, "in_days"), ({"opens": 600, "closes": 610}, "closes"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_and_says_why(
    wrong: dict[str, object], where: str, firm: Entity, ada: Staff
) -> None:
    with pytest.raises(ValidationError) as refused, behind_wall(staff=None, entities=[firm.ref]):
        restrain(entity=firm, channel="email", by=ada, **wrong)  # type: ignore[arg-type]
    assert set(refused.value.message_dict) == {where}
    assert kept(firm) == []


def test_a_gateway_s_throttle_is_said_on_a_page(page: Client, gateway: Gateway) -> None:
    address = reverse("post:throttle", args=[gateway.ref])
    assert page.post(address, {"a_second": "5", "a_day": "10000"}).status_code == 302
    assert Throttle.objects.values_list("a_second", "a_minute", "a_day", "domain_a_minute").get() == (
        5, None, 10_000, None,
    )  # fmt: skip
    assert "5 a second" in page.get(reverse("post:pace")).content.decode()
    assert page.post(address, {"a_second": "0"}).status_code == 200


def test_nothing_at_all_is_no_throttle(gateway: Gateway, ada: Staff) -> None:
    with pytest.raises(ValidationError, match="At least one"):
        throttle_gateway(gateway=gateway, by=ada, a_minute=0)


def test_a_gateway_that_rests_is_shown_and_woken(page: Client, gateway: Gateway) -> None:
    until = timezone.now() + timedelta(minutes=15)
    Health.objects.create(gateway=gateway, faults=5, rests=3, until=until, why="timeout")
    Bucket.objects.create(key=new_ref(), gateway=gateway, free_at=timezone.now(), spacing=2)
    shown = page.get(reverse("post:pace")).content.decode()
    assert "rests until" in shown
    assert "It took too long." in shown
    assert "1 domain asked for patience" in shown
    assert page.post(reverse("post:wake", args=[gateway.ref])).status_code == 302
    health = Health.objects.get()
    assert health.until is not None
    assert health.until <= timezone.now()
    assert health.faults == 5  # one message tries it
    assert Entry.objects.filter(kind="post.gateway-woken").count() == 1
    assert "5 faults lately" in page.get(reverse("post:pace")).content.decode()


def test_who_is_awake_is_not_woken(gateway: Gateway, ada: Staff) -> None:
    wake_gateway(gateway=gateway, by=ada)
    assert not Entry.objects.filter(kind="post.gateway-woken").exists()


def test_other_entities_and_channels_that_are_none_are_not_there(page: Client, firm: Entity) -> None:
    assert page.get(reverse("post:restraint", args=[new_ref(), "sms"])).status_code == 404
    assert page.get(reverse("post:restraint", args=[firm.ref, "telepathy"])).status_code == 404
    assert page.get(reverse("post:throttle", args=[new_ref()])).status_code == 404
