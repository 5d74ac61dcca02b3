"""Bringing people into the book."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from comity.book.actions import add_persons
from comity.book.models import ContactPoint, Organisation, Person
from comity.ledger.models import Entry
from comity.staff.models import Entity
from comity.vault.models import Sealed
from tests.book.people import newcomer

pytestmark = pytest.mark.django_db


def test_everybody_comes_in_with_an_entry_of_their_own(firm: Entity) -> None:
    people = [newcomer("Ann", "One", "IE"), newcomer("Ben", "Two", "DE")]
    assert add_persons(newcomers=people, entity=firm, staff=None) == 2
    assert Entry.objects.filter(kind="book.person-added").count() == 2
    assert ContactPoint.objects.count() == 4


def test_an_organisation_is_made_once(firm: Entity) -> None:
    people = [newcomer(name, "X", "IE", organisation="Nordlicht GmbH") for name in ("Ann", "Ben", "Cy")]
    add_persons(newcomers=people, entity=firm, staff=None)
    assert [firm.name for firm in Organisation.objects.all()] == ["Nordlicht GmbH"]


def test_nobody_comes_in_where_one_cannot(firm: Entity, greta: UUID) -> None:
    before = Person.objects.count(), Sealed.objects.count(), Entry.objects.count()
    twice = newcomer("Ann", "One", "IE", ref=greta)
    with pytest.raises(IntegrityError), transaction.atomic():
        add_persons(newcomers=[newcomer("Ben", "Two", "DE"), twice], entity=firm, staff=None)
    assert (Person.objects.count(), Sealed.objects.count(), Entry.objects.count()) == before
