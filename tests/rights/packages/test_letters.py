"""The letter that brings a package: in both languages, with the remedies, and clean for the law's own lint."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.utils import timezone

from comity.rights.packages.letters import letter_for, looked_through
from comity.rights.packages.planning import plan_package
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.book.people import Add, newcomer
from tests.rights.packages.conftest import ask

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("home", ["DE", "US-CA", "CN", "GB", "FR", "US-TX"])
@pytest.mark.parametrize(("language", "remedy", "refused"), [
    ("en", "complain to the authority", "Something was left out"),
    ("zh", "向居住地的数据保护监管机构投诉", "略去了部分内容"),
])  # fmt: skip
def test_the_law_finds_nothing_wrong_with_the_letter(
    language: str, remedy: str, refused: str, home: str, add: Add, firm: Entity, olga: Staff
) -> None:
    person = add(newcomer("Carla", "Cruz", home))
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        letter, looked = written(person, firm, olga, language, [])
        with_refusal, _looked = written(person, firm, olga, language, ["eu-gdpr/answer-access/stop-1"])
    assert remedy in letter
    assert refused not in letter
    assert refused in with_refusal
    assert not looked


def written(person: UUID, firm: Entity, olga: Staff, language: str, exceptions: list[str]) -> tuple[str, bool]:
    request = ask(person, firm, olga, language=language)
    request.exceptions = exceptions
    request.save()
    package = plan_package(request=request, reader=olga)
    package.expires_at = timezone.now()
    letter = letter_for(package, "A" * 20)
    return letter.body, looked_through(letter, package, timezone.localdate()).wrong
