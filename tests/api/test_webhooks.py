"""Webhooks: told in the transaction of what happened, signed, tried again, given up; never to an address of ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from comity.api.actions import change_secret, make_webhook, send_again, switch_webhook, try_webhook
from comity.api.jobs import deliver, sweep
from comity.api.models import Delivery, Webhook
from comity.api.sending import PATIENCE, WAITS, deliver_due, secret_of
from comity.ledger.actions import record
from comity.ledger.bodies import JSON
from comity.ledger.models import Entry
from comity.post.reaching import Forbidden, NotReached, Post, check_address, check_form, reach, signature
from comity.staff.models import Entity, Staff
from comity.vault.actions import destroy_person_key
from tests.api.receivers import Receiver, receiver
from tests.book.people import Add, newcomer

pytestmark = pytest.mark.django_db


@pytest.fixture
def there(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_PLAIN, settings.WEBHOOK_NETWORKS = True, ["127.0.0.1/32"]
    with receiver() as here:
        yield here


@pytest.fixture
def hook(there: Receiver, firm: Entity, adam: Staff) -> Webhook:
    kinds = ["book.person-added", "consent.said"]
    return make_webhook(name="shop", entity=firm, address=there.address, kinds=kinds, made_by=adam)


def due() -> None:
    """Let the time of the next try come."""
    Delivery.objects.filter(told_at=None, given_up_at=None).update(due_at=timezone.now() - timedelta(seconds=1))


# ---------------------------------------------------------------- what is told


def test_what_happens_is_told_with_refs_and_kinds_and_nobodys_name(hook: Webhook, there: Receiver, add: Add) -> None:
    greta = add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    [(headers, body)] = there.got
    entry = Entry.objects.get(kind="book.person-added")
    delivery = Delivery.objects.get()
    assert there.bodies[0]["type"] == "book.person-added"
    assert there.bodies[0]["data"] == {
        "entity": str(hook.entity_id), "entry": str(entry.ref), "persons": [str(greta)], "about": {},
    }  # fmt: skip
    assert b"Greta" not in body
    assert headers["Content-Type"] == "application/json"
    assert (delivery.told_at is not None, delivery.answer, delivery.tries) == (True, 200, 1)
    assert headers["webhook-id"] == str(delivery.ref)


def test_it_is_signed_as_standard_webhooks_has_it(hook: Webhook, there: Receiver, add: Add) -> None:
    add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    [(headers, body)] = there.got
    key = base64.b64decode(secret_of(hook).removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - timezone.now().timestamp()) < 60
    assert secret_of(hook) not in str(list(Webhook.objects.values()))


def test_the_signature_is_that_of_the_specifications_example() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - of the specification
    told = signature(secret, ref="msg_p5jXN8AQM9LWM0D4loKWxJek", at=1614265330, body=b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_for_a_day_after_a_change_both_secrets_sign(hook: Webhook, there: Receiver, add: Add, adam: Staff) -> None:
    before = secret_of(hook)
    after = change_secret(webhook=hook, changed_by=adam)
    assert before != after
    add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    [(headers, body)] = there.got
    at, ref = int(headers["webhook-timestamp"]), UUID(headers["webhook-id"])
    both = [signature(each, ref=ref, at=at, body=body) for each in (after, before)]
    assert headers["webhook-signature"].split(" ") == both


def test_only_what_was_chosen_is_told_and_only_of_its_entity(
    hook: Webhook, there: Receiver, add: Add, shanghai: Entity, adam: Staff
) -> None:
    other = make_webhook(
        name="other", entity=shanghai, address=there.address, kinds=["book.person-added"], made_by=adam
    )
    add(newcomer("Greta", "Grünwald", "DE"))
    assert set(Delivery.objects.values_list("webhook", "kind")) == {(hook.ref, "book.person-added")}
    assert not other.deliveries.exists()


def test_what_is_rolled_back_is_told_to_nobody(hook: Webhook, there: Receiver, add: Add) -> None:
    with transaction.atomic():
        add(newcomer("Greta", "Grünwald", "DE"))
        assert hook.deliveries.exists()
        transaction.set_rollback(True)
    deliver()
    assert there.got == []


def test_recording_wakes_the_worker_in_the_same_transaction(hook: Webhook, add: Add) -> None:
    del hook
    add(newcomer("Greta", "Grünwald", "DE"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_name, status::text FROM procrastinate_jobs WHERE task_name = 'api.deliver'")
        assert cursor.fetchall() == [("api", "todo")]
    assert deliver.name == "api.deliver"


def test_an_erasure_is_told_to_the_entities_that_its_entry_names_and_to_no_other(
    there: Receiver, firm: Entity, shanghai: Entity, adam: Staff, greta: UUID
) -> None:
    kinds = ["vault.person-key-destroyed"]
    for entity in (firm, shanghai):
        make_webhook(name=entity.name, entity=entity, address=there.address, kinds=kinds, made_by=adam)
    bodies: list[dict[str, JSON]] = [{"blobs": 1, "entity": firm.ref}, {"blobs": 1, "entities": [firm.ref]}]
    for body in bodies:
        Delivery.objects.all().delete()
        record(kind=kinds[0], body=body, staff=None, persons=[greta])
        assert list(Delivery.objects.values_list("webhook__entity", flat=True)) == [firm.ref]
    deliver()
    assert there.bodies[0]["data"]["persons"] == [str(greta)]


def test_an_erasure_whose_entry_names_no_entity_is_told_to_nobody(
    there: Receiver, firm: Entity, shanghai: Entity, adam: Staff, greta: UUID
) -> None:
    for entity in (firm, shanghai):
        make_webhook(
            name=entity.name, entity=entity, address=there.address, kinds=["vault.person-key-destroyed"], made_by=adam
        )
    destroy_person_key(person=greta, staff=None)
    assert Entry.objects.filter(kind="vault.person-key-destroyed").exists()
    assert not Delivery.objects.exists()


# ---------------------------------------------------------------- tries


def test_what_fails_is_tried_again_later_and_later_for_a_day_and_then_given_up(
    hook: Webhook, there: Receiver, add: Add
) -> None:
    there.answers = 500
    add(newcomer("Greta", "Grünwald", "DE"))
    waits = []
    for _ in WAITS:
        before = timezone.now()
        deliver_due()
        waits.append((Delivery.objects.get().due_at - before).total_seconds())
        assert Delivery.objects.get().given_up_at is None
        due()
    assert all(0.85 < wait / expected.total_seconds() < 1.2 for wait, expected in zip(waits, WAITS, strict=True))
    assert timedelta(hours=23) < sum(WAITS, timedelta()) < timedelta(hours=25)
    deliver_due()
    given_up = Delivery.objects.get()
    assert (given_up.given_up_at is not None, given_up.tries, given_up.answer) == (True, len(WAITS) + 1, 500)
    assert len({headers["webhook-id"] for headers, _ in there.got}) == 1
    hook.refresh_from_db()
    assert (hook.given_up, hook.off_at) == (1, None)


def test_what_was_not_reached_is_told_as_soon_as_it_can_be(hook: Webhook, there: Receiver, add: Add) -> None:
    there.answers = 503
    add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    there.answers = 204
    due()
    deliver()
    assert Delivery.objects.get().told_at
    hook.refresh_from_db()
    assert hook.given_up == 0


def test_a_webhook_that_fails_for_days_is_switched_off_and_says_why(
    hook: Webhook, there: Receiver, add: Add, adam: Staff
) -> None:
    there.answers = 500
    for number in range(PATIENCE):
        add(newcomer(f"P{number}", "Müller", "DE"))
        Delivery.objects.filter(told_at=None).update(tries=len(WAITS))
        due()
        deliver_due()
    hook.refresh_from_db()
    assert hook.off_at
    assert "tried for a day" in hook.off_because
    assert Entry.objects.filter(kind="api.webhook-gave-up").count() == 1
    many = hook.deliveries.count()
    add(newcomer("Greta", "Grünwald", "DE"))
    assert hook.deliveries.count() == many
    there.answers = 200
    switch_webhook(webhook=hook, on=True, switched_by=adam)
    add(newcomer("Oliver", "O'Brien", "GB"))
    deliver()
    assert hook.deliveries.filter(told_at__isnull=False).count() == 1


def test_whoever_answers_gone_is_switched_off_at_once(hook: Webhook, there: Receiver, add: Add) -> None:
    there.answers = 410
    add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    hook.refresh_from_db()
    assert hook.off_at
    assert "410" in hook.off_because


def test_redirects_are_not_followed(hook: Webhook, there: Receiver, add: Add) -> None:
    del hook
    there.answers, there.location = 307, there.address
    add(newcomer("Greta", "Grünwald", "DE"))
    deliver()
    assert len(there.got) == 1
    assert "redirect" in Delivery.objects.get().trouble


def test_a_webhook_that_is_down_does_not_hold_up_the_others(
    hook: Webhook, there: Receiver, add: Add, firm: Entity, adam: Staff
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    make_webhook(name="dead", entity=firm, address=dead, kinds=hook.kinds, made_by=adam)
    for number in range(3):
        add(newcomer(f"P{number}", "Müller", "DE"))
    deliver_due()
    assert len(there.got) == 3
    tried = Delivery.objects.exclude(webhook=hook).values_list("tries", "trouble")
    assert sorted(tried) == [(0, ""), (0, ""), (1, "127.0.0.1 does not listen")]


def test_a_ping_and_what_was_told_can_be_sent_again(hook: Webhook, there: Receiver, adam: Staff) -> None:
    ping = try_webhook(webhook=hook, tried_by=adam)
    deliver()
    send_again(delivery=ping, sent_by=adam)
    sweep(0)
    assert [body["type"] for body in there.bodies] == ["api.ping", "api.ping"]
    assert len({headers["webhook-id"] for headers, _ in there.got}) == 1


# ---------------------------------------------------------------- where to


NEVER = (
    "127.0.0.1 127.8.9.1 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8 198.18.0.1 "
    "224.0.0.1 240.0.0.1 255.255.255.255 192.0.2.1 203.0.113.5 ::1 :: fe80::1 fc00::1 fd00:ec2::254 ff02::1 "
    "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:169.254.169.254 64:ff9b::7f00:1 2002:7f00:1::1 2001:0:7f00:1::1 "
    "2001:db8::1 fec0::1 ::127.0.0.1"
).split()


@pytest.mark.parametrize("address", NEVER)
def test_nothing_is_sent_to_an_address_that_is_not_public(address: str) -> None:
    with pytest.raises(Forbidden):
        check_address(address)
    with pytest.raises(Forbidden):
        reach(Post(address="https://shop.example/", headers={}, body=b""), resolve=lambda *_: ["8.8.8.8", address])


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"])
def test_public_addresses_are_not_forbidden(address: str) -> None:
    assert str(check_address(address)) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://shop.example/", "ftp://shop.example/", "shop.example", "https://", "https://u:p@shop.example/", "//x/",
        "https://shop.example/#x", "https://shöp.example/", "https://shop.example:99999/", "https://shop.example:0/",
        "https://[::1", "https://a b/", "https://a\\b/", "https://shop.example/\r\nX: y", "", "javascript:alert(1)",
        "https://u@shop.example/",
    ],
)  # fmt: skip
def test_an_address_of_another_form_is_refused(address: str) -> None:
    with pytest.raises(Forbidden):
        check_form(address)


@pytest.mark.parametrize("address", ["https://localhost/", "https://127.1/", "https://2130706433/", "https://0x7f.1/"])
def test_names_and_spellings_of_this_machine_are_looked_up_before_they_are_believed(address: str) -> None:
    with pytest.raises(NotReached):
        reach(Post(address=address, headers={}, body=b""))


def test_the_connection_goes_to_the_address_that_was_checked(there: Receiver) -> None:
    asked = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    post = Post(address=f"http://shop.example:{there.port}/", headers={}, body=b"{}")
    assert reach(post, resolve=rebinding) == 200
    assert asked == [("shop.example", there.port)]
    assert there.got[0][0]["Host"] == f"shop.example:{there.port}"


def test_a_server_that_says_nothing_is_given_its_time_and_no_more(there: Receiver) -> None:
    there.silent.set()
    with pytest.raises(NotReached, match="did not answer in time"):
        reach(Post(address=there.address, headers={}, body=b"{}"), longest=0.2)


def test_without_tls_nothing_is_sent_unless_tests_say_so(there: Receiver, settings: Settings) -> None:
    settings.WEBHOOK_PLAIN = False
    with pytest.raises(Forbidden, match="https"):
        reach(Post(address=there.address, headers={}, body=b"{}"))
    with pytest.raises(NotReached, match="TLS"):
        reach(Post(address=there.address.replace("http:", "https:"), headers={}, body=b"{}"))
    assert there.got == []


def test_a_webhook_is_made_by_whoever_may_and_for_kinds_that_there_are(firm: Entity, adam: Staff, ada: Staff) -> None:
    from comity.staff.guards import NotYours

    parts = {"name": "x", "entity": firm, "address": "https://shop.example/", "kinds": ["consent.said"]}
    with pytest.raises(NotYours):
        make_webhook(**parts, made_by=ada)  # type: ignore[arg-type]  # parts of a webhook
    wrongs: list[dict[str, object]] = [
        {"kinds": []},
        {"kinds": ["vault.opened"]},
        {"address": "https://10.0.0.1/"},
        {"address": "http://x/"},
    ]
    for wrong in wrongs:
        with pytest.raises(ValidationError):
            make_webhook(**{**parts, **wrong}, made_by=adam)  # type: ignore[arg-type]  # as above
    assert make_webhook(**parts, made_by=adam).kinds == ["consent.said"]  # type: ignore[arg-type]  # as above
