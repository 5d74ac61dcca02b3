"""A query that is written once is asked anew each time, and refuses to be asked with an example for ever."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DataError, transaction
from django.utils import timezone

from comity.refs import new_ref
from comity.staff.guards import STANDING
from comity.staff.models import Entity, RoleGrant, Staff
from comity.staff.once import Once, rows_of
from tests.staff.people import make_staff

pytestmark = pytest.mark.django_db


def test_it_answers_as_the_query_does_that_it_was_written_from(ada: Staff, shanghai: Entity) -> None:
    make_staff("auditor", entity=shanghai)
    at = timezone.now()
    assert STANDING(ada.ref, at) == list(RoleGrant.objects.standing(at).filter(staff=ada)) != []


def test_it_sees_what_was_changed_since(ada: Staff) -> None:
    (grant,) = STANDING(ada.ref, timezone.now())
    RoleGrant.objects.filter(pk=grant.pk).update(revoked_at=timezone.now())
    assert STANDING(ada.ref, timezone.now() + timedelta(seconds=1)) == []


def test_values_come_as_their_columns_give_them(dublin: Entity) -> None:
    dublin.facts = {"org.public_body": False}
    dublin.save()
    once: Once[tuple[UUID, dict[str, object]]] = Once(
        lambda name: Entity.objects.filter(name=name).values_list("ref", "facts"), "any name"
    )
    assert once(dublin.name) == [(dublin.ref, {"org.public_body": False})]
    assert once("Nobody Ltd") == []


def test_a_statement_that_fails_spoils_none_that_comes_later() -> None:
    with pytest.raises(DataError), transaction.atomic():
        rows_of("SELECT 1 / %s::integer", [0])
    assert rows_of("SELECT 1 / %s::integer", [1]) == [(1,)]
    assert rows_of("SELECT set_config('comity.test', %s, true)", ["said"], binary=True) == [("said",)]
    assert rows_of("DO $$ BEGIN END $$", []) == []


def test_they_are_planned_once_for_any_values() -> None:
    assert rows_of("SHOW plan_cache_mode", []) == [("force_generic_plan",)]


@pytest.mark.parametrize("changed", [lambda at: at + timedelta(days=1), str])
def test_a_value_that_went_in_as_another_is_refused(changed: object) -> None:
    once = Once(lambda at: Staff.objects.filter(name=changed(at)), datetime(2026, 11, 22, tzinfo=UTC))  # type: ignore[operator]
    with pytest.raises(ValueError, match="value 0 is not a parameter"):
        once(timezone.now())


def test_a_value_that_goes_in_twice_must_go_in_as_it_is_both_times() -> None:
    once = Once(lambda ref: Entity.objects.filter(ref=ref, name=f"Firm {ref}"), new_ref())
    with pytest.raises(ValueError, match="value 0 is not a parameter"):
        once(new_ref())
