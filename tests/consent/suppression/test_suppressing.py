"""The list of addresses that are left alone: what it keeps from, what takes one off, and that nobody slips through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, connections, transaction

from comity.book.models import Reach
from comity.consent.actions import About, give_consent
from comity.consent.models import Consent
from comity.consent.suppression.actions import MANY, NotReleased, release, share_lock, suppress
from comity.consent.suppression.marks import Mark, mark_of
from comity.consent.suppression.models import Cause, Suppressed
from comity.consent.suppression.queries import is_suppressed, which_are_suppressed
from comity.consent.suppression.uses import uses_of
from comity.ledger.models import Entry
from comity.staff.models import Entity
from comity.staff.walls import behind_wall
from tests.as_application import application_role

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def shut(firm: Entity, mark: Mark, cause: Cause = Cause.OPTED_OUT, **more: object) -> int:
    parts: dict[str, object] = {"source": "tests", "since": NOON} | more
    return suppress(entity=firm, marks=[mark], cause=cause, **parts)  # type: ignore[arg-type]  # parts of the action


def is_shut(firm: Entity, mark: Mark, purpose: str = "marketing", channel: str = "email") -> bool:
    return is_suppressed(entity=firm, mark=mark, purpose=purpose, channel=channel)


def says_yes(person: UUID, firm: Entity, at: datetime = NOON + HOUR, channel: str = "email", **more: object) -> Consent:
    about = About(person=person, entity=firm, purpose="marketing", channel=channel)
    parts: dict[str, object] = {"express": True} | more
    return give_consent(about=about, said_at=at, notice="News v1", source="Form", heard_by=None, **parts)  # type: ignore[arg-type]  # parts of the action


@pytest.mark.django_db
class TestTheList:
    def test_a_refusal_ends_advertising_and_leaves_service_alone(self, firm: Entity, mark: Mark) -> None:
        shut(firm, mark)
        purposes = ("marketing", "fundraising", "ask-consent", "service")
        assert [each for each in purposes if is_shut(firm, mark, each)] == [*purposes[:-1]]

    def test_an_address_that_does_not_work_is_used_for_nothing(self, firm: Entity, mark: Mark) -> None:
        shut(firm, mark, Cause.BOUNCED)
        assert is_shut(firm, mark, "service")

    def test_a_number_may_be_left_alone_for_one_channel(self, firm: Entity) -> None:
        number = mark_of(Reach.PHONE, "+49 30 5550199")
        shut(firm, number, purposes=["marketing"], channels=["sms"])
        assert is_shut(firm, number, channel="sms")
        assert not is_shut(firm, number, channel="call")
        shut(firm, number)
        assert is_shut(firm, number, channel="call")
        assert Suppressed.objects.count() == 1

    def test_it_is_the_list_of_one_entity(self, firm: Entity, shanghai: Entity, mark: Mark) -> None:
        shut(firm, mark)
        assert not is_shut(shanghai, mark)

    def test_the_same_said_twice_is_one_and_the_ledger_hears_it_once(self, firm: Entity, mark: Mark) -> None:
        assert [shut(firm, mark), shut(firm, mark)] == [1, 0]
        assert Entry.objects.filter(kind="consent.suppressed").count() == 1
        body = bytes(Entry.objects.get(kind="consent.suppressed").body)
        assert mark.digest.hex().encode() not in body

    def test_many_at_once_are_asked_about_together(self, firm: Entity) -> None:
        marks = [mark_of(Reach.EMAIL, f"p{n}@kettle.example") for n in range(MANY + 20)]
        assert suppress(entity=firm, marks=marks[:-5], cause=Cause.LISTED, source="list", since=NOON) == len(marks) - 5
        found = which_are_suppressed(entity=firm, marks=marks, purpose="marketing", channel="email")
        assert found == set(marks[:-5])

    def test_nothing_takes_a_row_away_or_changes_it(self, firm: Entity, mark: Mark) -> None:
        shut(firm, mark)
        row = Suppressed.objects.get()
        for change in (
            row.delete,
            lambda: Suppressed.objects.update(since=NOON - HOUR),
            lambda: Suppressed.objects.update(uses=[]),
            lambda: Suppressed.objects.update(digest=b"x"),
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                change()
        assert is_shut(firm, mark)

    def test_another_entitys_list_is_behind_the_wall(self, firm: Entity, shanghai: Entity, mark: Mark) -> None:
        shut(firm, mark)
        with application_role(), behind_wall(staff=None, entities=[shanghai.ref]):
            assert not Suppressed.objects.exists()


@pytest.mark.django_db
class TestReleasing:
    def test_a_fresh_express_yes_releases_that_use_alone_and_the_row_stays(
        self, firm: Entity, mark: Mark, greta: UUID
    ) -> None:
        shut(firm, mark)
        assert release(mark=mark, consent=says_yes(greta, firm)) == 1
        assert not is_shut(firm, mark)
        assert is_shut(firm, mark, "fundraising")
        assert Suppressed.objects.count() == 2
        assert Entry.objects.filter(kind="consent.released").count() == 1

    def test_a_yes_of_before_the_refusal_releases_nothing(self, firm: Entity, mark: Mark, greta: UUID) -> None:
        shut(firm, mark)
        assert release(mark=mark, consent=says_yes(greta, firm, NOON - HOUR)) == 0
        assert is_shut(firm, mark)

    @pytest.mark.parametrize("more", [{"express": None}, {"express": False}, {"channel": "sms"}])
    def test_another_yes_releases_nothing(self, firm: Entity, mark: Mark, greta: UUID, more: dict[str, object]) -> None:
        shut(firm, mark)
        with pytest.raises(NotReleased):
            release(mark=mark, consent=says_yes(greta, firm, **more))  # type: ignore[arg-type]  # parts of a yes
        assert is_shut(firm, mark)

    def test_what_bounced_works_again_once_a_message_was_answered(self, firm: Entity, mark: Mark, greta: UUID) -> None:
        shut(firm, mark, Cause.BOUNCED)
        release(mark=mark, consent=says_yes(greta, firm))
        assert is_shut(firm, mark, "service")
        release(mark=mark, consent=says_yes(greta, firm, NOON + 2 * HOUR, double_opt_in=True))
        assert not is_shut(firm, mark, "service")

    def test_whoever_refuses_again_is_on_the_list_again(self, firm: Entity, mark: Mark, greta: UUID) -> None:
        shut(firm, mark)
        release(mark=mark, consent=says_yes(greta, firm))
        assert shut(firm, mark, since=NOON + 2 * HOUR) == 1
        assert is_shut(firm, mark)


def test_uses_are_purposes_by_the_channels_of_an_address() -> None:
    assert uses_of(Reach.EMAIL, ["marketing"]) == ["marketing/email"]
    assert uses_of(Reach.PHONE, ["marketing"]) == [f"marketing/{by}" for by in ("autocall", "call", "fax", "sms")]
    assert uses_of(Reach.PHONE, ["marketing"], ["sms"]) == ["marketing/sms"]


# ---------------------------------------------------------------- hand-overs and refusals at once


@pytest.fixture
def closed_connections() -> Iterator[None]:
    yield
    connections.close_all()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed_connections")
@pytest.mark.parametrize("many", [1, MANY])
def test_a_refusal_waits_for_the_hand_over_that_goes_on_and_none_begins_after_it_returned(
    firm: Entity, mark: Mark, many: int
) -> None:
    others = [mark_of(Reach.EMAIL, f"p{n}@kettle.example") for n in range(many - 1)]
    told: list[str] = []
    begun = threading.Event()

    def refuse() -> None:
        begun.set()
        suppress(entity=firm, marks=[mark, *others], cause=Cause.OPTED_OUT, source="click", since=NOON)
        told.append("refused")
        connection.close()

    thread = threading.Thread(target=refuse)
    with transaction.atomic():
        share_lock([mark])
        assert not is_shut(firm, mark)
        thread.start()
        begun.wait(10)
        _wait_for_a_waiter()
        told.append("handed over")
    thread.join(10)
    assert told == ["handed over", "refused"]
    with transaction.atomic():
        share_lock([mark])
        assert is_shut(firm, mark)


def _wait_for_a_waiter() -> None:
    """Wait until somebody waits for an advisory lock of ours."""
    with connection.cursor() as cursor:
        for _ in range(10_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("nobody waits: the refusal did not take the lock")


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("closed_connections")
def test_two_who_refuse_the_same_addresses_in_other_orders_do_not_wait_for_each_other(firm: Entity) -> None:
    marks = [mark_of(Reach.EMAIL, f"p{n}@kettle.example") for n in range(30)]
    failed: list[BaseException] = []

    def refuse(those: list[Mark]) -> None:
        try:
            for _ in range(20):
                suppress(entity=firm, marks=those, cause=Cause.OPTED_OUT, source="click", since=NOON)
        except BaseException as error:  # noqa: BLE001 - it is raised where the test sees it
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=refuse, args=[those]) for those in (marks, marks[::-1], marks[10:])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert Suppressed.objects.count() == len(marks)
