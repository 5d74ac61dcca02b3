"""What the laws want in an answer comes from the packs, and each of it has a place in the package."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from comity.rights.packages.contents import PLACES, SERVED, Where, contents_of, withholds
from comity.rights.packages.packing import since_of
from comity.rights.requests.models import Request
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.book.people import Add, newcomer
from tests.rights.packages.conftest import ask

RULES = files("comity") / "packs"


def in_packs() -> set[str]:
    """Return every content of every rule that says what an answer to such a request has: from the files themselves."""
    found: set[str] = set()
    for path in Path(str(RULES)).glob("*/rules/*.toml"):
        for rule in tomllib.loads(path.read_text("utf-8")).get("rule", []):
            duty, when = rule.get("duty", {}), rule.get("when", "")
            asks = any(f"'{kind}'" in when for kind in SERVED)
            if asks and (duty.get("event"), duty.get("act")) == ("request-received", "answer"):
                found |= set(duty.get("contents", []))
    return found


def test_every_content_that_a_pack_lists_has_a_place() -> None:
    wanted = in_packs()
    assert len(wanted) > 30
    assert wanted - PLACES.keys() == set()
    assert PLACES.keys() - wanted == set()


@pytest.mark.django_db
def test_article_15_is_listed_with_where_each_of_it_is(asked: Request, firm: Entity, olga: Staff) -> None:
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        (gdpr,) = contents_of(asked)
    assert gdpr.cite == "GDPR Arts 12(3), 15"
    assert {content.says: content.anchor for content in gdpr.contents}["the purposes"] == "purposes"
    assert all(content.known for content in gdpr.contents)


@pytest.mark.django_db
def test_california_wants_numbers_named_and_everything_since_a_day(add: Add, firm: Entity, olga: Staff) -> None:
    carlos = add(newcomer("Carlos", "Cruz", "US-CA"))
    firm.facts = firm.facts | {"org.over_thresholds": True}
    firm.save()
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        wanted = contents_of(ask(carlos, firm, olga))
    assert "1798.130" in " ".join(rule.cite for rule in wanted)
    assert withholds(wanted)
    assert str(since_of(wanted)) == "2022-01-01"
    assert {each.place for rule in wanted for each in rule.contents} >= {Where.WITHHELD, Where.SUMMARY}


@pytest.mark.django_db
def test_china_wants_a_copy(add: Add, firm: Entity, olga: Staff) -> None:
    mei = add(newcomer("小美", "曾", "CN"))
    with behind_wall(staff=olga.ref, entities=[firm.ref]):
        wanted = contents_of(ask(mei, firm, olga))
    assert "PIPL Art. 45" in [rule.cite for rule in wanted]
