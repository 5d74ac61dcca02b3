"""Every date example of the law packs appears unchanged among the clocks that a request's page shows.

Each story of a request is asked as a request is: counted by `counsel`, kept as its columns, read by the function that
the page reads with. A few of each law go the whole way: noted in the database, and found on the page.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any, Final, cast

import pytest
from django.utils.formats import date_format

from comity import packs
from comity.counsel.asking import book
from comity.counsel.duties import _duty, note_event
from comity.counsel.duties_counting import Counted, as_json, count, plain
from comity.counsel.models import DutyEvent, OwedDuty
from comity.law.duty_cases import DutyCase, read_duty_cases
from comity.refs import new_ref
from comity.rights.requests.clocks import Clock, clocks_of
from comity.rights.requests.models import CameBy, Kind, Request
from comity.rights.requests.views import clocks_told
from comity.staff.models import Entity, Staff
from tests.staff.people import client_of

ROOT: Final = Path(packs.__path__[0])
RECEIVED: Final = frozenset({"request-received", "complaint-received"})
MOST_OF_A_LAW: Final = 2
"""Stories of each law that go through the database and the page."""


@cache
def stories() -> Sequence[DutyCase]:
    """Return every story of a request or complaint that reached us."""
    return [case for case in read_duty_cases(book(), ROOT) if case.facts["event.kind"] in RECEIVED]


@cache
def known_to(law: str) -> Any:  # noqa: ANN401 - a lawbook of one law
    return replace(book(), laws=(book().law(law),))


def day_of(case: DutyCase) -> date:
    return cast("date", case.facts["event.on"])


def clocks_for(case: DutyCase) -> list[Clock]:
    """Return the clocks of a story, as the page of a request reads them."""
    law = None if any("kept_until" in wanted for wanted in case.owes) else known_to(case.law)
    event = DutyEvent(
        kind=str(case.facts["event.kind"]), on=day_of(case), facts=plain(case.facts), law_of=case.day,
        entity=Entity(name="Us", place="IE"),
    )  # fmt: skip
    counted = [one for one in count(case.facts, {}, law_of=case.day, law=law) if one.owed.law == case.law]
    return clocks_of([_kept(event, one) for one in counted], case.day)


def _kept(event: DutyEvent, one: Counted) -> OwedDuty:
    """Return a duty as its row has it."""
    duty = _duty(event, one)
    duty.told = json.loads(json.dumps(as_json(one.owed)))  # as the database gives it back
    return duty


def shows(clock: Clock, wanted: Mapping[str, Any]) -> bool:
    """Tell whether a clock is what a story says is owed, with each of its dates."""
    told = {
        "act": clock.duty.act, "to": clock.duty.to, "rule": clock.duty.rule, "state": clock.duty.state,
        "due": "at once" if clock.at_once else clock.due or "unknown", "at": clock.at, "later": clock.later,
        "earliest": clock.earliest, "opens": clock.opens, "kept_until": clock.kept_until,
    }  # fmt: skip
    for name, value in ({"state": "owed"} | dict(wanted)).items():
        if name == "extended_to":
            right = value in [one["to"] for one in clock.longer]
        elif name == "missing":
            right = set([value] if isinstance(value, str) else value) <= {one["fact"] for one in clock.missing}
        elif name == "has":
            right = _has(clock, [value] if isinstance(value, str) else value)
        elif name == "at":
            right = clock.at == (value if isinstance(value, datetime) else datetime.fromisoformat(value))
        else:
            right = told[name] == value
        if not right:
            return False
    return True


def _has(clock: Clock, words: Sequence[str]) -> bool:
    told = clock.duty.told
    longer = " ".join(" ".join((one["says"], *one["contents"])) for one in clock.longer)
    text = " ".join((told["says"], told["what"], told["body"], told["cite"], *clock.contents, *clock.notes, longer))
    return all(str(word).lower() in text.lower() for word in words)


def owed_in(case: DutyCase) -> list[Mapping[str, Any]]:
    """Return what a story says is owed; what something ended is no clock that runs."""
    return [wanted for wanted in case.owes if wanted.get("state") != "stopped"]


# ---------------------------------------------------------------- all of them, as the page reads them


def test_every_date_of_every_story_is_that_of_a_clock() -> None:
    wrong, dates = [], 0
    for case in stories():
        clocks = clocks_for(case)
        for wanted in owed_in(case):
            dates += sum(name in wanted for name in ("due", "at", "later", "earliest", "extended_to", "opens"))
            if not any(shows(one, wanted) for one in clocks):
                wrong.append(f"{case.name}: {dict(wanted)}")
        wrong += [f"{case.name}: not {dict(never)}" for never in case.none if any(shows(one, never) for one in clocks)]
        if case.silent and [one for one in clocks if one.open]:
            wrong.append(f"{case.name}: nothing is owed")
    assert wrong == []
    assert len(stories()) > 1_800
    assert dates > 1_000


def test_every_clock_of_every_story_is_on_the_page_and_none_is_left_out() -> None:
    for case in stories():
        clocks = tuple(clocks_for(case))
        told = clocks_told(clocks)
        assert {id(one) for part in ("clocks", "possible", "settled") for one in told[part]} == set(map(id, clocks))
        if told["lead"]:
            running = [one.due for one in told["clocks"] if one.due]
            assert told["lead"].clock.due == min(running)


# ---------------------------------------------------------------- some of each law, the whole way


def whole_way() -> Iterator[DutyCase]:
    """Give stories of each law that have a day, as requests of ours."""
    taken: dict[str, int] = {}
    kinds = set(Kind.values)
    for case in stories():
        fits = case.facts.get("event.request") in kinds and case.day == case.facts["event.on"]
        dated = any(isinstance(wanted.get("due"), date) or "extended_to" in wanted for wanted in owed_in(case))
        if fits and dated and taken.get(case.law, 0) < MOST_OF_A_LAW:
            taken[case.law] = taken.get(case.law, 0) + 1
            yield case


@pytest.mark.django_db
@pytest.mark.usefixtures("no_second_factor")
def test_stories_of_each_law_that_are_noted_as_requests_show_their_dates_on_the_page(firm: Entity, olga: Staff) -> None:
    firm.facts = {}
    firm.save()
    client, laws = client_of(olga), set()
    for case in whole_way():
        request = Request.objects.create(
            ref=new_ref(), entity=firm, kind=Kind(str(case.facts["event.request"])), came_by=CameBy.POST,
            received_on=day_of(case),
        )  # fmt: skip
        note_event(event=case.facts, entity=firm, about=request.ref, staff=None)
        page = unescape(client.get(f"/requests/{request.ref}/").content.decode())
        for wanted in owed_in(case):
            for name in ("due", "later", "extended_to", "earliest"):
                if isinstance(wanted.get(name), date):
                    assert date_format(wanted[name]) in page, f"{case.name}: {name}"
        laws.add(case.law)
    assert len(laws) > 20
