"""Erasing somebody by hand in a real Chromium, from their page to the verified certificate; each page read by axe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from comity.book.models import Person
from comity.ledger.comity_verify import verify_certificate
from comity.ledger.notes import SigningKey
from comity.retention.erasing.actions import KIND
from comity.retention.erasing.models import Erasure
from comity.staff.approvals import settle_approval
from comity.staff.models import Approval, Entity, Staff
from tests.jobs import run_jobs
from tests.ledger.book import number
from tests.ledger.conftest import key
from tests.retention.schedule.test_in_a_browser import looked_at
from tests.staff.people import make_staff, olga
from tests.web.conftest import no_second_factor

__all__ = ["key", "no_second_factor", "olga"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_second_factor")]
WORDS = {
    "en": ("Make the plan", "Reason", "Ask a second person", "Erase for ever", "Take the certificate"),
    "zh-hans": ("制定计划", "理由", "请第二人审批", "永久删除", "取得证书"),
}


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_from_the_plan_to_the_verified_certificate(
    signed_in: Callable[[Staff], Page], olga: Staff, firm: Entity, oliver: UUID, key: SigningKey, tmp_path: Path,
    language: str,
) -> None:  # fmt: skip
    olga.language = language
    olga.save()
    plan, reason, ask, erase, certificate = WORDS[language]
    here = f"{reverse('retention:erase', args=[oliver])}?entity={firm.ref}"
    page = signed_in(olga)
    page.goto(reverse("desk:person", args=[oliver]))
    expect(page.locator(f'a[href="{here}"]')).to_be_attached()
    looked_at(page, here, f"erase-first-{language}")
    page.get_by_role("button", name=plan).click()
    looked_at(page, here, f"erase-plan-{language}")
    page.get_by_label(reason, exact=True).fill("Asked for by letter")
    page.get_by_role("button", name=ask).click()
    vera = make_staff("privacy-officer", name="Vera Lind", entity=firm)
    settle_approval(approval=Approval.objects.get(kind=KIND), approved=True, settled_by=vera)
    looked_at(page, here, f"erase-approved-{language}")
    page.get_by_role("button", name=erase).click()
    page.wait_for_url("**/erasures/**")
    run_jobs()
    assert not Person.objects.filter(ref=oliver).exists()
    number(key)
    done = reverse("retention:erasure", args=[Erasure.objects.get(person=oliver).ref])
    looked_at(page, done, f"erasure-{language}")
    with page.expect_download() as fetched:
        page.get_by_role("link", name=certificate, exact=True).click()
    file = tmp_path / "certificate.json"
    fetched.value.save_as(file)
    claims, _head = verify_certificate(file.read_text("utf-8"), key.public)
    assert claims["person"] == str(oliver)
    looked_at(page, reverse("retention:erasures"), f"erasures-{language}")
