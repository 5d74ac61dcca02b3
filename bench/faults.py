"""Kill one program of a running book after the other, while others write, for as long as one likes.

    python -m bench.faults [--minutes 10] [--clients 4] [--seed 1]

Prints for each round who was killed, how many writes were acknowledged and how long it was until the next one; it stops
at the first that is lost.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from tests.faults.house import House, clients
from tests.faults.test_kills import added, check_that_nothing_was_lost, more_are_added

VICTIMS = ("web", "ledger", "jobs", "postgres", "all")


def main() -> None:
    """Run rounds until the time is over; then verify the whole ledger."""
    given = _given()
    chosen = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as folder, House(Path(folder) / "book") as house:
        until = time.monotonic() + 60 * given.minutes
        while time.monotonic() < until:
            _round(house, chosen.choice(VICTIMS), given.clients, chosen.random())
        print(house.comity("ledger", "verify"), end="")


def _round(house: House, victim: str, many: int, later: float) -> None:
    with clients(house, many) as working:
        more_are_added(working)
        time.sleep(later)  # at another moment of their work each time
        before, began = added(working), time.monotonic()
        _kill(house, victim)
        while added(working) == before:
            time.sleep(0.01)
        again = time.monotonic() - began
        more_are_added(working)
    check_that_nothing_was_lost(house, working)
    faults = sum(each.faults for each in working)
    print(
        f"{victim:<8} {added(working):>5} acknowledged, {faults:>4} refused or cut, again after {again:5.2f} s",
        flush=True,
    )


def _kill(house: House, victim: str) -> None:
    if victim != "all":
        house.kill_and_start(victim)
        return
    for name in list(house.running):
        house.kill(name)
    house.kill_postgres()
    for name in house.programs:
        house.start(name)


def _given() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.faults")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
