"""Registers: bringing a version in, looking for our people's numbers in it, and what the law then knows."""

from __future__ import annotations

import io
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
from django.utils import timezone

from comity.book.actions import NewPoint
from comity.book.editing.whole import point_label
from comity.book.models import ContactPoint, Person, Reach
from comity.consent.suppression import facts
from comity.consent.suppression.jobs import check_all_job
from comity.consent.suppression.models import Listed, Looked, Register
from comity.consent.suppression.registers import (
    Kept,
    NotImported,
    check_people,
    end_register,
    import_version,
    keep_register,
)
from comity.counsel.asking import ask
from comity.counsel.asking_many import ask_many
from comity.counsel.bulk import decide_segment, verdict_of
from comity.counsel.questions import Question
from comity.law import Verdict
from comity.ledger.models import Entry
from comity.staff.guards import NotYours
from comity.staff.models import Entity, Staff
from comity.vault.actions import seal
from tests.book.people import Add, newcomer

pytestmark = pytest.mark.django_db
TPS = Kept(name="TPS", place="GB", reach=Reach.PHONE, channels=["call"])
NUMBER, OTHER = "020 7946 0018", "+44 20 7946 0999"


def calls(firm: Entity, channel: str = "call") -> Question:
    return Question(operation="contact", purpose="marketing", channel=channel, entity=firm.ref)


def known(firm: Entity, person: UUID, channel: str = "call") -> dict[str, object]:
    return dict(facts.facts_of(calls(firm, channel), [person], date(2026, 11, 22)).get(person, {}))


@pytest.fixture
def owen(add: Add) -> UUID:
    """Give somebody in Leeds with a number."""
    points = [NewPoint(reach=Reach.PHONE, value=NUMBER)]
    more = {"home": "GB", "capacity": "consumer", "subscriber": "individual"}
    return add(newcomer("Owen", "Hall", "GB", points=points, facts=more))


def tps(firm: Entity, olga: Staff, *numbers: str, on: date | None = None, kept: Kept = TPS) -> Register:
    register = Register.objects.filter(entity=firm, name=kept.name).first() or keep_register(
        entity=firm, kept=kept, kept_by=olga
    )
    file = io.BytesIO("\n".join(["number", *numbers]).encode())
    import_version(register=register, file=file, version_on=on or timezone.localdate(), imported_by=olga)
    register.refresh_from_db()
    return register


class TestFacts:
    def test_a_number_that_was_never_looked_for_is_unknown_and_a_call_waits(
        self, firm: Entity, olga: Staff, owen: UUID
    ) -> None:
        assert known(firm, owen) == {}
        tps(firm, olga, NUMBER)
        assert known(firm, owen) == {}
        assert ask(question=calls(firm), persons=[owen], day=timezone.localdate())[owen].verdict is Verdict.ASK

    @pytest.mark.parametrize(("listed", "verdict"), [([NUMBER, OTHER], Verdict.DENY), ([OTHER], Verdict.PERMIT)])
    def test_a_number_that_is_listed_is_not_called_and_one_that_is_not_may_be(
        self, firm: Entity, olga: Staff, owen: UUID, listed: list[str], verdict: Verdict
    ) -> None:
        register = tps(firm, olga, *listed)
        assert check_people(register=register, staff=olga) == 1
        today = timezone.localdate()
        assert known(firm, owen) == {"person.on_register": NUMBER in listed, "person.register_checked_on": today}
        assert verdicts(firm, owen, today) == {verdict}

    def test_an_old_version_makes_a_call_wait_as_the_law_says(self, firm: Entity, olga: Staff, owen: UUID) -> None:
        today = timezone.localdate()
        for days, verdict in ((28, Verdict.PERMIT), (29, Verdict.ASK)):
            Looked.objects.all().delete()
            Register.objects.update(version_on=None)
            check_people(register=tps(firm, olga, OTHER, on=today - timedelta(days=days)), staff=olga)
            assert verdicts(firm, owen, today) == {verdict}

    def test_a_number_that_changes_was_not_looked_for(self, firm: Entity, olga: Staff, owen: UUID) -> None:
        check_people(register=tps(firm, olga, OTHER), staff=olga)
        assert known(firm, owen)["person.on_register"] is False
        reseal(owen)
        assert known(firm, owen) == {}

    def test_another_channel_and_another_country_are_not_told_of(
        self, firm: Entity, olga: Staff, owen: UUID, greta: UUID
    ) -> None:
        check_people(register=tps(firm, olga, NUMBER), staff=olga)
        assert known(firm, owen, "sms") == {}
        assert known(firm, owen, "email") == {}
        assert known(firm, greta) == {}

    def test_who_may_live_in_two_countries_was_asked_about_only_if_both_registers_were(
        self, firm: Entity, olga: Staff, owen: UUID
    ) -> None:
        Person.objects.filter(ref=owen).update(home="GB|IT")
        ContactPoint.objects.filter(person=owen).update(mobile=None)
        reseal(owen, "+44 20 7946 0018")
        check_people(register=tps(firm, olga, OTHER), staff=olga)
        assert known(firm, owen) == {}
        opposition = Kept(name="RPO", place="IT", reach=Reach.PHONE, channels=["call"])
        week = timezone.localdate() - timedelta(days=7)
        check_people(register=tps(firm, olga, OTHER, on=week, kept=opposition), staff=olga)
        assert known(firm, owen) == {"person.on_register": False, "person.register_checked_on": week}

    def test_whoever_may_be_a_company_was_asked_about_only_if_that_register_was_too(
        self, firm: Entity, olga: Staff, owen: UUID
    ) -> None:
        people = Kept(name="TPS", place="GB", reach=Reach.PHONE, channels=["call"], subscriber="individual")
        check_people(register=tps(firm, olga, OTHER, kept=people), staff=olga)
        assert known(firm, owen)["person.on_register"] is False
        Person.objects.filter(ref=owen).update(subscriber="")
        assert known(firm, owen) == {}
        firms = Kept(name="CTPS", place="GB", reach=Reach.PHONE, channels=["call"], subscriber="corporate")
        check_people(register=tps(firm, olga, NUMBER, kept=firms), staff=olga)
        assert known(firm, owen)["person.on_register"] is True

    def test_a_register_that_ended_says_nothing(self, firm: Entity, olga: Staff, owen: UUID) -> None:
        register = tps(firm, olga, NUMBER)
        check_people(register=register, staff=olga)
        end_register(register=register, ended_by=olga)
        assert known(firm, owen) == {}
        assert not Listed.objects.exists()

    def test_another_entitys_register_says_nothing_to_us(
        self, firm: Entity, shanghai: Entity, olga: Staff, owen: UUID
    ) -> None:
        check_people(register=tps(firm, olga, NUMBER), staff=olga)
        assert known(shanghai, owen) == {}

    def test_one_and_many_are_told_the_same_whatever_is_known(
        self, firm: Entity, olga: Staff, owen: UUID, add: Add
    ) -> None:
        dice = Random(4)
        points = [NewPoint(reach=Reach.PHONE, value=NUMBER)]
        people = [owen, *(add(newcomer(f"P{n}", "Hall", "GB", points=points)) for n in range(8))]
        registers = [
            tps(firm, olga, dice.choice([NUMBER, OTHER]), on=timezone.localdate() - timedelta(days=dice.randrange(40)),
                kept=Kept(name=name, place=place, reach=Reach.PHONE, channels=["call"], subscriber=whose))
            for name, place, whose in (("TPS", "GB", "individual"), ("CTPS", "GB", "corporate"), ("RPO", "IT", ""))
        ]  # fmt: skip
        for person in people:
            home, sort = dice.choice(["GB", "GB|IT", "IT", "", "FR"]), dice.choice(["", "individual", "corporate"])
            Person.objects.filter(ref=person).update(home=home, subscriber=sort)
            for register in registers:
                if dice.random() < 0.7:
                    check_people(register=register, staff=olga, only=[person])
        today = timezone.localdate()
        segment = decide_segment(question=calls(firm), persons=Person.objects.all(), staff=None, day=today)
        single = ask(question=calls(firm), persons=people, day=today)
        many = ask_many(question=calls(firm), persons=people, day=today)
        assert {person: single[person].verdict for person in people} == {
            person: verdict_of(segment=segment, person=person) for person in people
        }
        assert {p: a.verdict for p, a in single.items()} == {p: a.verdict for p, a in many.items()}


def verdicts(firm: Entity, person: UUID, day: date) -> set[Verdict | None]:
    """Return what the three ways of asking answer."""
    segment = decide_segment(question=calls(firm), persons=Person.objects.filter(ref=person), staff=None, day=day)
    return {
        ask(question=calls(firm), persons=[person], day=day)[person].verdict,
        ask_many(question=calls(firm), persons=[person], day=day)[person].verdict,
        verdict_of(segment=segment, person=person),
    }


def reseal(person: UUID, value: str = OTHER) -> None:
    """Seal another number in the place of a person's first."""
    point = ContactPoint.objects.get(person=person, reach=Reach.PHONE)
    seal(label=point_label(point), fields={"phone": value})


class TestImporting:
    def test_a_version_takes_the_place_of_the_one_before(self, firm: Entity, olga: Staff) -> None:
        register = tps(firm, olga, NUMBER, OTHER, OTHER)
        assert (register.entries, Listed.objects.count()) == (2, 2)
        register = tps(firm, olga, OTHER)
        assert (register.entries, Listed.objects.count()) == (1, 1)
        assert Entry.objects.filter(kind="consent.register-imported").count() == 2

    def test_no_number_is_kept_as_it_is(self, firm: Entity, olga: Staff) -> None:
        tps(firm, olga, NUMBER)
        assert b"7946" not in bytes(Listed.objects.get().digest)

    @pytest.mark.parametrize(
        ("lines", "days", "why"),
        [
            (b"number\nnobody\nno one\n", 0, "of that kind"),
            (b"", 0, "of that kind"),
            (b"number\n020 7946 0018\n", -1, "a day to come"),
            (b"number\n020 7946 0018\n", 9, "A newer version is here already"),
        ],
    )
    def test_what_is_no_version_leaves_the_one_before_in_place(
        self, firm: Entity, olga: Staff, lines: bytes, days: int, why: str
    ) -> None:
        register = tps(firm, olga, NUMBER, on=timezone.localdate() - timedelta(days=3))
        on = timezone.localdate() - timedelta(days=days)
        with pytest.raises(NotImported, match=why):
            import_version(register=register, file=io.BytesIO(lines), version_on=on, imported_by=olga)
        assert Listed.objects.count() == 1

    def test_whoever_lacks_the_word_brings_nothing_in(self, firm: Entity, ada: Staff, olga: Staff) -> None:
        register = tps(firm, olga, NUMBER)
        with pytest.raises(NotYours):
            import_version(register=register, file=io.BytesIO(b"x"), version_on=timezone.localdate(), imported_by=ada)
        with pytest.raises(NotYours):
            check_people(register=register, staff=ada)


class TestLooking:
    def test_numbers_are_opened_by_a_decision_and_the_ledger_says_so(
        self, firm: Entity, olga: Staff, owen: UUID
    ) -> None:
        check_people(register=tps(firm, olga, NUMBER), staff=olga)
        kinds = set(Entry.objects.filter(persons__contains=[owen]).values_list("kind", flat=True))
        assert {"counsel.decided", "vault.opened"} <= kinds
        assert Entry.objects.filter(kind="consent.register-checked").exists()

    def test_a_number_that_nobody_can_place_stays_unknown(self, firm: Entity, olga: Staff, owen: UUID) -> None:
        reseal(owen, "call the office")
        assert check_people(register=tps(firm, olga, NUMBER), staff=olga) == 0
        assert known(firm, owen) == {}

    def test_once_all_were_looked_for_the_register_says_so(self, firm: Entity, olga: Staff, owen: UUID) -> None:
        register = tps(firm, olga, NUMBER)
        check_people(register=register, staff=olga, only=[owen])
        register.refresh_from_db()
        assert register.checked_at is None
        check_people(register=register, staff=olga)
        register.refresh_from_db()
        assert register.checked_at

    def test_each_night_whoever_came_by_day_is_looked_for_and_nobody_twice(
        self, firm: Entity, olga: Staff, owen: UUID, add: Add
    ) -> None:
        register = tps(firm, olga, NUMBER)
        assert check_people(register=register, staff=olga) == 1
        assert check_people(register=register, staff=olga) == 0
        new = add(newcomer("Nell", "Hall", "GB", points=[NewPoint(reach=Reach.PHONE, value=NUMBER)]))
        check_all_job(0)
        assert known(firm, new)["person.on_register"] is True
        assert Looked.objects.filter(person=owen).count() == 1

    def test_nobody_looks_at_night_in_the_name_of_who_may_not_any_more(
        self, firm: Entity, olga: Staff, owen: UUID
    ) -> None:
        tps(firm, olga, NUMBER)
        Staff.objects.filter(pk=olga.pk).update(is_active=False)
        check_all_job(0)
        assert known(firm, owen) == {}
