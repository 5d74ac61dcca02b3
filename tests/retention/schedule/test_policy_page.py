"""The policy is a page that everybody may read, in both languages, and says what the data maps and the packs say."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from comity.retention.schedule.categories import schedule
from comity.retention.schedule.policy import stay_said
from comity.staff.models import Entity
from comity.vault.data_map import data_map

pytestmark = pytest.mark.django_db


def read(entity: Entity, language: str = "en") -> str:
    answer = Client().get(reverse("retention:policy", args=[entity.ref]), {"language": language})
    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert not answer.cookies
    return answer.content.decode()


def test_it_takes_no_sign_in_and_shows_every_category(dublin: Entity) -> None:
    shown = read(dublin)
    for category in schedule().categories:
        assert f'id="{category.id}"' in shown
    for table in data_map():
        assert f"<code>{'.'.join(table)}</code>" in shown
    assert "3 years after it happened" in shown  # book.Activity
    assert "GDPR Art. 7(1)" in shown
    assert "fr-records" not in shown  # people read citations
    assert "CNIL" in shown
    assert '(<span lang="en">3 years</span>)' in shown


def test_it_is_there_in_chinese(dublin: Entity) -> None:
    shown = read(dublin, "zh-hans")
    with translation.override("zh-hans"):
        for category in schedule().categories:
            for words in (category.name, category.says, category.purpose, category.goes):
                said = translation.gettext(words)
                assert said != words
                assert said.replace("'", "&#x27;") in shown


def test_no_clock_is_said_by_the_name_of_a_column() -> None:
    said = {stay_said(table.clock) for table in data_map().values()}
    assert all("_" not in each for each in said), said


def test_an_entity_that_is_not_there_has_none(dublin: Entity) -> None:
    del dublin
    assert Client().get(reverse("retention:policy", args=[uuid4()])).status_code == 404
