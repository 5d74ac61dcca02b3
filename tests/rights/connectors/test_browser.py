"""A system is connected and tried out, and a run is read, in a browser: whoever reads it, however wide it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from comity.rights.connectors.jobs import look_there
from comity.rights.connectors.models import Leg, Run, State
from comity.rights.connectors.running import ask_systems
from comity.rights.connectors.systems import add_system
from tests.browser import DESK, PHONE, found_by_axe, wider_than_screen
from tests.rights.connectors.test_running import SHOP

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from playwright.sync_api import Page

    from comity.staff.models import Entity, Staff

TURNING = 400  # milliseconds until colours have changed
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_second_factor", "shop")]


def looked_at(page: Page, name: str) -> None:
    """Look for faults at desk and phone, in both languages; keep pictures where somebody wants them."""
    for size in (DESK, PHONE):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        assert wider_than_screen(page) == 0, name
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look, reduced_motion="reduce")
            page.wait_for_timeout(TURNING)
            assert found_by_axe(page) == []
            if kept := os.environ.get("COMITY_TEST_PICTURES"):
                page.screenshot(path=Path(kept) / f"{name}-{size[0]}-{look}.png", full_page=True)
    page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


def test_a_system_is_connected_and_tried_out(signed_in: Callable[[Staff], Page], adam: Staff, shop: Path) -> None:
    page = signed_in(adam)
    page.goto("/systems/new/")
    page.get_by_label("Name").fill("Shop")
    page.get_by_label("Address").fill(f"sqlite:///{shop}")
    page.get_by_label("What it holds").fill(SHOP.replace("identity", "identety"))
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("did you mean 'identity'?")).to_be_visible()
    looked_at(page, "form")
    page.get_by_label("What it holds").fill(SHOP)
    page.get_by_role("button", name="Keep").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("Answers", exact=True)).to_be_visible()
    looked_at(page, "system")
    page.goto("/systems/")
    looked_at(page, "systems")


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_run_can_be_read_by_everybody(
    signed_in: Callable[[Staff], Page], firm: Entity, greta: UUID, adam: Staff, olga: Staff, shop: Path, language: str
) -> None:
    add_system(
        entity=firm, name="Shop", sort="sql", address=f"sqlite:///{shop}", describes=SHOP, password="", by=adam
    )  # fmt: skip
    olga.language = language
    olga.save()
    run = ask_systems(entity=firm, person=greta, by=olga)
    look_there(run=str(run.ref), entity=str(firm.ref))
    page = signed_in(olga)
    page.goto(f"/systems/runs/{run.ref}/")
    expect(page.get_by_role("rowheader", name="shop.customer")).to_be_visible()
    looked_at(page, f"run-{language}")
    page.goto(f"/systems/of/{greta}/")
    looked_at(page, f"of-person-{language}")
    Leg.objects.filter(run=run).update(
        state=State.AGAIN, trouble="It finds 1 rows after erasing them.", left={"invoices": "the tax office wants them"}
    )
    Run.objects.filter(pk=run.pk).update(begun_at=run.asked_at, begun_by=olga)
    page.goto(f"/systems/runs/{run.ref}/")
    looked_at(page, f"run-begun-{language}")
