"""Whatever is killed, nothing that was acknowledged is lost, nothing is there twice, and the ledger still verifies."""

from __future__ import annotations

import pytest

from tests.faults.house import Client, House, clients, until

MORE = 12
"""People that are to be added before a program is killed, and again after."""


def added(working: list[Client]) -> int:
    return sum(len(each.acknowledged) for each in working)


def more_are_added(working: list[Client]) -> None:
    enough = added(working) + MORE

    def all_is_well() -> bool:
        assert [answer for each in working for answer in each.unexpected] == []
        return added(working) >= enough

    until(all_is_well, "people are added")


def check_that_nothing_was_lost(house: House, working: list[Client]) -> None:
    acknowledged = [ref for each in working for ref in each.acknowledged]
    assert [answer for each in working for answer in each.unexpected] == []
    assert len(set(acknowledged)) == len(acknowledged), "one key, one person"
    there = {str(ref) for (ref,) in house.rows("SELECT ref FROM book_person WHERE ref = ANY (%s)", acknowledged)}
    assert set(acknowledged) - there == set()
    until(house.all_is_numbered, "the sequencer numbers all")
    recorded = "SELECT person FROM ledger_entry, unnest(persons) AS person WHERE person = ANY (%s)"
    assert {str(ref) for (ref,) in house.rows(recorded, acknowledged)} == set(acknowledged)


@pytest.mark.parametrize("victim", ["web", "ledger", "jobs", "postgres"])
def test_who_is_killed_loses_nothing_that_was_acknowledged(house: House, victim: str) -> None:
    with clients(house) as working:
        more_are_added(working)
        house.kill_and_start(victim)
        more_are_added(working)
    check_that_nothing_was_lost(house, working)


def test_when_all_are_killed_at_once_nothing_is_lost_and_the_ledger_verifies(house: House) -> None:
    with clients(house) as working:
        more_are_added(working)
        for name in list(house.running):
            house.kill(name)
        house.kill_postgres()
        for name in house.programs:
            house.start(name)
        more_are_added(working)
    check_that_nothing_was_lost(house, working)
    assert house.comity("ledger", "verify").startswith("PROVEN")
