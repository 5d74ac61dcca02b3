"""The pages of other systems: connected with what is wrong said beside its field, tried out, and a run read through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from comity.post.secrets import secret_of
from comity.rights.connectors.jobs import erase_there, look_there
from comity.rights.connectors.models import Run, System
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval
from tests.rights.connectors.test_running import SHOP
from tests.staff.people import client_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client

    from comity.staff.models import Entity, Staff

SECRET_ONE = "very secret"  # noqa: S105 - of nobody

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_second_factor")]


def given(firm: Entity, **more: str) -> dict[str, str]:
    return {
        "entity": str(firm.ref),
        "name": "Shop",
        "sort": "sql",
        "address": "",
        "describes": SHOP,
        "password": "",
    } | more


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(f"rights:{name}", args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def connected(client: Client, firm: Entity, shop: Path) -> System:
    client.post(reverse("rights:system-new"), given(firm, address=f"sqlite:///{shop}"))
    return System.objects.get()


def test_a_system_is_connected_tried_out_changed_and_ended(firm: Entity, adam: Staff, shop: Path) -> None:
    client = client_of(adam)
    assert "No other system is connected" in page(client, "systems")
    system = connected(client, firm, shop)
    assert "Not tried yet" in page(client, "system", system.ref)
    client.post(reverse("rights:system-try", args=[system.ref]))
    assert "Answers" in page(client, "systems")
    shop.rename(shop.with_name("elsewhere"))
    client.post(reverse("rights:system-try", args=[system.ref]))
    assert "Shop: it is not reached" in page(client, "system", system.ref)
    moved = given(firm, name="Old shop", address=f"sqlite:///{shop.with_name('elsewhere')}")
    client.post(reverse("rights:system-change", args=[system.ref]), moved)
    assert "Old shop" in page(client, "systems")
    client.post(reverse("rights:system-end", args=[system.ref]))
    assert "No other system is connected" in page(client, "systems")


@pytest.mark.parametrize(("wrong", "says"), [
    ({"address": "postgresql://a:secret@db.example/x"}, "the address holds a password"),
    ({"address": "sqlite:////etc/passwd"}, "Files of other systems lie below"),
    ({"address": "/etc", "sort": "folder"}, "Files of other systems lie below"),
    ({"address": "http://shop.example/", "sort": "http"}, "https:// alone"),
    ({"address": "https://shop.example/", "sort": "http", "password": "hunter2"}, "A secret begins with whsec_"),
    ({"address": "postgresql://a@db.example/x", "describes": "dataset: 1"}, "Shop, line 1: here a list is expected"),
    ({"address": "postgresql://a@db.example/x", "describes": "dataset: []"}, "It describes no collection"),
    ({"address": "postgresql://a@db.example/x", "describes": ""}, "It describes no collection"),
])  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_kept(firm: Entity, adam: Staff, wrong: dict[str, str], says: str) -> None:
    answer = client_of(adam).post(reverse("rights:system-new"), given(firm, **wrong))
    assert says in answer.content.decode().replace("&#x27;", "'")
    assert not System.objects.exists()


def test_a_password_lies_in_a_file_and_is_never_shown(firm: Entity, adam: Staff) -> None:
    client = client_of(adam)
    client.post(reverse("rights:system-new"), given(firm, address="postgresql://a@db.example/x", password=SECRET_ONE))
    system = System.objects.get()
    assert secret_of(system.ref) == SECRET_ONE
    shown = page(client, "system", system.ref) + page(client, "system-change", system.ref) + page(client, "systems")
    assert SECRET_ONE not in shown
    other = given(firm, address="postgresql://a@elsewhere.example/x")
    answer = client.post(reverse("rights:system-change", args=[system.ref]), other)
    assert "give its password too" in answer.content.decode(), "it is not sent to another server unseen"
    client.post(reverse("rights:system-end", args=[system.ref]))


def test_a_run_is_read_approved_and_seen_to_its_end(
    firm: Entity, greta: UUID, adam: Staff, olga: Staff, shop: Path
) -> None:
    connected(client_of(adam), firm, shop)
    client = client_of(olga)
    assert "No other system was asked" in page(client, "systems-of", greta)
    client.post(reverse("rights:systems-ask", args=[greta, firm.ref]))
    run = Run.objects.get()
    assert "The systems are being asked" in page(client, "run", run.ref)
    look_there(run=str(run.ref), entity=str(firm.ref))
    shown = page(client, "run", run.ref)
    assert "shop.customer" in shown
    assert "A second person must approve this" in shown
    assert "kettle.example" not in shown
    client.post(reverse("rights:run-approval", args=[run.ref]), {"reason": "She asked for it."})
    approval = Approval.objects.get()
    assert "Shop: 1" in client_of(adam).get(reverse("staff:approval", args=[approval.ref])).content.decode()
    settle_approval(approval=approval, approved=True, settled_by=adam)
    assert "1 row is erased where it lies" in page(client, "run", run.ref)
    client.post(reverse("rights:run-begin", args=[run.ref]))
    assert "Being erased" in page(client, "run", run.ref)
    erase_there(run=str(run.ref), entity=str(firm.ref))
    assert "Erased everywhere on" in page(client, "run", run.ref)
    assert "Erased" in page(client, "systems-of", greta)


def test_nobody_sees_runs_and_systems_of_another_entity(
    firm: Entity, greta: UUID, adam: Staff, olga: Staff, shop: Path, shanghai: Entity, staff_in: object
) -> None:
    from tests.staff.people import make_staff

    del staff_in
    system = connected(client_of(adam), firm, shop)
    client_of(olga).post(reverse("rights:systems-ask", args=[greta, firm.ref]))
    other = client_of(make_staff("privacy-officer", entity=shanghai, name="Li Na"))
    far = client_of(make_staff("administrator", entity=shanghai, name="Wu Wei"))
    assert other.get(reverse("rights:run", args=[Run.objects.get().ref])).status_code == 404
    assert far.get(reverse("rights:system", args=[system.ref])).status_code == 404
    assert other.get(reverse("rights:systems")).status_code == 403
