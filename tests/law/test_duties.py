"""An event makes us owe something: what, to whom and by which day, and whether it is certain."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from comity.law import FactError, Lawbook, Owed, must, read_packs
from comity.law.clocks import ClockError
from tests.law.people import DAY
from tests.law.tiny_packs import LAW, PACK, rule, write_pack

EVENT = {
    "event.kind": "request-received",
    "event.request": "access",
    "event.on": date(2026, 1, 31),
    "person.home": "DE",
}


def duty(name: str = "answer", when: str = "event.request == 'access'", **keys: str) -> str:
    owed = {"event": '"request-received"', "to": '"the person"', "what": '"An answer."', "within": '"1 month"', **keys}
    inline = ", ".join(f"{key} = {value}" for key, value in owed.items() if value)
    return rule(id=f'"xx-law/{name}"', effect='"duty"', cure="", when=f'"{when}"', duty=f"{{ {inline} }}")


def asked(root: Path, facts: dict[str, object] | None = None, day: date = DAY) -> tuple[Owed, ...]:
    return must(read_packs(root), EVENT if facts is None else facts, day=day, packs=root)


def test_it_is_owed_by_a_day(tmp_path: Path) -> None:
    [owed] = asked(write_pack(tmp_path, duty(contents='["a copy", "the purposes"]')))
    assert (owed.rule, owed.law, owed.to, owed.what) == ("xx-law/answer", "xx-law", "the person", "An answer.")
    assert owed.contents == ("a copy", "the purposes")
    assert owed.due is not None
    assert owed.due.day == date(2026, 2, 28)
    assert (owed.certain, owed.missing) == (True, ())
    assert owed.cite == "Nowhere Act 2"


def test_without_a_period_it_is_owed_at_once_and_stands_first(tmp_path: Path) -> None:
    rules = duty("later") + duty("soon", within='"3 days"') + duty("now", within="")
    assert [owed.rule for owed in asked(write_pack(tmp_path, rules))] == ["xx-law/now", "xx-law/soon", "xx-law/later"]


@pytest.mark.parametrize(
    ("changes", "owed"),
    [
        ({}, True),
        ({"event.request": "erasure"}, False),
        ({"event.kind": "breach-discovered"}, False),
        ({"person.home": "BR"}, False),
    ],
)
def test_it_arises_only_from_its_event_where_its_law_governs(
    tmp_path: Path, changes: dict[str, object], owed: bool
) -> None:
    assert bool(asked(write_pack(tmp_path, duty()), {**EVENT, **changes})) is owed


@pytest.mark.parametrize(
    ("facts", "missing"),
    [
        ({**EVENT, "event.request": "unknown"}, ("event.request",)),
        ({**EVENT, "person.home": "DE|BR"}, ("person.home",)),
        ({name: value for name, value in EVENT.items() if name != "person.home"}, ("person.home",)),
        ({**EVENT, "person.home": "DE|BR", "event.request": "unknown"}, ("event.request", "person.home")),
    ],
)
def test_what_is_not_certain_says_what_is_missing(
    tmp_path: Path, facts: dict[str, object], missing: tuple[str, ...]
) -> None:
    [owed] = asked(write_pack(tmp_path, duty()), facts)
    assert (owed.certain, owed.missing) == (False, missing)
    assert owed.due is not None  # counted all the same: whoever is in doubt keeps the day


@pytest.mark.parametrize(
    ("event", "facts", "missing"),
    [
        ("request-received", {}, ()),
        ("request-received", {"use.operation": "view"}, ()),
        ("opt-out-received", {}, ("use.operation",)),
        ("opt-out-received", {"use.operation": "sell"}, ()),
    ],
)
def test_a_law_that_speaks_of_some_uses_binds_whoever_holds_data_and_only_an_event_about_a_use_asks_for_it(
    event: str, facts: dict[str, object], missing: tuple[str, ...], tmp_path: Path
) -> None:
    pack = PACK + LAW.replace("covers =", "uses = \"use.operation == 'sell'\"\ncovers =")
    root = write_pack(tmp_path, duty(when="True", event=f'"{event}"'), pack=pack)
    [owed] = asked(root, {**EVENT, "event.kind": event, **facts})
    assert (owed.certain, owed.missing) == (not missing, missing)


def test_what_a_law_says_of_uses_counts_when_a_use_is_decided(tmp_path: Path) -> None:
    from comity.law import may

    pack = PACK + LAW.replace("covers =", "uses = \"use.operation == 'sell'\"\ncovers =")
    book = read_packs(write_pack(tmp_path, rule(when='"True"'), pack=pack))
    verdicts = {
        operation: [
            answer.law for answer in may(book, {"person.home": "DE", "use.operation": operation}, day=DAY).finding.laws
        ]
        for operation in ("sell", "view")
    }
    assert verdicts == {"sell": ["xx-law"], "view": []}


def test_a_duty_outside_its_days_is_not_owed(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty().replace("from = 2000-01-01", "from = 2026-06-01\nuntil = 2027-01-01"))
    days = (date(2026, 5, 31), date(2026, 6, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [bool(asked(root, day=day)) for day in days] == [False, True, True, False]
    late = write_pack(tmp_path / "late", duty(), pack=PACK + LAW.replace("from = 2000-01-01", "from = 2026-06-01"))
    assert not asked(late, day=date(2026, 5, 31))
    assert asked(late, day=date(2026, 6, 1))


def test_an_event_and_its_day_must_be_said(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty())
    for name in ("event.kind", "event.on"):
        for facts in ({key: value for key, value in EVENT.items() if key != name}, {**EVENT, name: "unknown"}):
            with pytest.raises(FactError, match=f"a duty starts with an event; say {name}"):
                asked(root, facts)
    with pytest.raises(FactError, match="did you mean 'request-received'"):
        asked(root, {**EVENT, "event.kind": "request-recieved"})


def test_working_days_of_an_unpublished_year_are_an_error(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(within='"10 working days (us-federal)"'))
    [owed] = asked(root)
    assert owed.due is not None
    assert owed.due.day == date(2026, 2, 13)
    with pytest.raises(ClockError, match="not published for 2031"):
        asked(root, {**EVENT, "event.on": date(2031, 1, 2)})


def test_a_duty_never_decides_a_use(tmp_path: Path) -> None:
    from comity.law import may

    book = read_packs(write_pack(tmp_path, duty(when="True")))
    decision = may(book, {"person.home": "DE", "use.operation": "view", "event.kind": "request-received"}, day=DAY)
    assert decision.reasons == ()
    assert decision.verdict.value == "permit"


def test_the_shipped_duties_answer(book: Lawbook) -> None:
    stop = {
        "event.kind": "opt-out-received",
        "event.on": date(2026, 3, 2),
        "person.home": "US-CA",
        "org.place": "US-CA",
    }
    owed = must(book, {**stop, "org.over_thresholds": True}, day=date(2026, 3, 2))
    assert owed
    assert all(item.to and item.what and item.cite for item in owed)
    assert {item.rule for item in owed} <= {rule.id for rule in book.rules() if rule.duty}


def test_whoever_asks_in_california_for_their_data_must_be_answered_whatever_they_are_used_for(book: Lawbook) -> None:
    request = {**EVENT, "person.home": "US-CA", "org.over_thresholds": True, "org.nonprofit": False}
    owed = [item for item in must(book, request, day=DAY) if item.law == "us-ca-ccpa"]
    assert owed
    assert [item.rule for item in owed if not item.certain] == []
