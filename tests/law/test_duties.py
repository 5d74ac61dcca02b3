"""An event makes us owe something: what, to whom and by which day, and whether it is certain."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from comity.law import FactError, Lawbook, Owed, must, read_packs
from comity.law.severity import enisa
from comity.law.vocabulary import Value
from tests.law.people import DAY
from tests.law.tiny_packs import LAW, PACK, rule, write_pack

EVENT = {
    "event.kind": "request-received",
    "event.request": "access",
    "event.on": date(2026, 1, 31),
    "person.home": "DE",
}


def duty(name: str = "answer", when: str = "event.request == 'access'", **keys: str) -> str:
    owed = {
        "event": '"request-received"', "act": '"answer"', "to": '"person"', "what": '"An answer."',
        "within": '"1 month"', **keys,
    }  # fmt: skip
    inline = ", ".join(f"{key} = {value}" for key, value in owed.items() if value)
    return rule(id=f'"xx-law/{name}"', effect='"duty"', cure="", when=f'"{when}"', duty=f"{{ {inline} }}")


def asked(root: Path, facts: dict[str, object] | None = None, day: date = DAY) -> tuple[Owed, ...]:
    return must(read_packs(root), EVENT if facts is None else facts, day=day, packs=root)


def test_it_is_owed_by_a_day(tmp_path: Path) -> None:
    [owed] = asked(write_pack(tmp_path, duty(contents='["a copy", "the purposes"]')))
    assert (owed.rule, owed.law, owed.to, owed.what) == ("xx-law/answer", "xx-law", "person", "An answer.")
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


def test_working_days_of_an_unpublished_year_are_said_never_guessed(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(within='"10 working days (us-federal)"'))
    [owed] = asked(root)
    assert owed.due is not None
    assert owed.due.day == date(2026, 2, 13)
    [owed] = asked(root, {**EVENT, "event.on": date(2031, 1, 2)})
    assert (owed.due, owed.earliest) == (None, date(2031, 1, 12))
    assert "not published for 2031" in owed.notes[-1]


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


# ---------------------------------------------------------------- clocks that stand still, run longer, or end


def parts(name: str = "answer", **tables: str) -> str:
    """Return a duty with parts of its own, each a list of inline tables."""
    return duty(name, **{key: f"[{{ {table} }}]" for key, table in tables.items()})


PAUSE = 'says = "Doubt.", cite = "Art. 6", from = "event.identity_asked_on", until = "event.identity_confirmed_on"'
ASKED = {"event.identity_asked_on": date(2026, 2, 10)}
SURE = {**ASKED, "event.identity_confirmed_on": date(2026, 2, 14)}
ON = {**EVENT, "event.on": date(2026, 2, 2)}


@pytest.mark.parametrize(
    ("effect", "facts", "due", "later", "earliest"),
    [
        ("restart", {}, "2026-03-02", None, None),
        ("restart", ASKED, None, None, "2026-03-10"),
        ("restart", SURE, "2026-03-14", None, None),
        ("exclude", SURE, "2026-03-06", "2026-03-07", None),
        ("exclude", ASKED, None, None, "2026-03-02"),
        ("may-exclude", SURE, "2026-03-02", "2026-03-07", None),
        ("may-exclude", ASKED, "2026-03-02", None, None),
    ],
)
def test_a_pause(
    effect: str, facts: dict[str, object], due: str | None, later: str | None, earliest: str | None, tmp_path: Path
) -> None:
    [owed] = asked(write_pack(tmp_path, parts(pause=f'{PAUSE}, effect = "{effect}"')), {**ON, **facts})
    found = (owed.due and owed.due.day, owed.due and owed.due.later, owed.earliest)
    assert tuple(day and day.isoformat() for day in found) == (due, later, earliest)
    assert ("event.identity_confirmed_on" in owed.missing) == (due is None)
    assert any("Doubt. (Art. 6)" in note for note in owed.notes)


def told(on: str) -> dict[str, object]:
    return {"event.complex": True, "event.extension_told_on": date.fromisoformat(on)}


LONGER = 'says = "Two months more.", cite = "Art. 3", by = "2 months", when = "event.complex", contents = ["why"]'


@pytest.mark.parametrize(
    ("on", "facts", "due", "to", "later"),
    [
        ("2026-02-02", {}, "2026-03-02", "2026-05-02", None),
        ("2026-02-02", {"event.complex": True}, "2026-03-02", "2026-05-02", None),
        ("2026-02-02", {"event.extension_told_on": date(2026, 2, 20)}, "2026-03-02", "2026-05-02", None),
        ("2026-02-02", told("2026-03-02"), "2026-05-02", "2026-05-02", None),
        ("2026-02-02", told("2026-03-03"), "2026-03-02", "2026-05-02", None),
        # counted as three months from the start, or as one and then two: the earlier is due
        ("2026-01-31", told("2026-02-03"), "2026-04-28", "2026-04-28", "2026-04-30"),
    ],
)
def test_an_extension_counts_where_it_is_allowed_and_was_told_in_time(
    on: str, facts: dict[str, object], due: str, to: str, later: str | None, tmp_path: Path
) -> None:
    [owed] = asked(write_pack(tmp_path, parts(extension=LONGER)), {**EVENT, "event.on": on, **facts})
    assert owed.due is not None
    [longer] = owed.longer
    assert (owed.due.day.isoformat(), longer.to.isoformat()) == (due, to)
    assert (owed.due.later and owed.due.later.isoformat()) == later
    assert longer.counted == (due == to)
    assert longer.tell_by == date.fromisoformat("2026-03-02" if on == "2026-02-02" else "2026-02-28")


def test_a_stop_ends_it_and_says_why(tmp_path: Path) -> None:
    root = write_pack(tmp_path, parts(stop='says = "Excessive requests may be refused.", when = "event.excessive"'))
    [owed] = asked(root)
    assert (owed.state, owed.notes) == ("owed", ("Ends where: Excessive requests may be refused.",))
    [owed] = asked(root, {**EVENT, "event.excessive": True})
    assert (owed.state, owed.notes) == ("stopped", ("Not owed: Excessive requests may be refused.",))
    [owed] = asked(root, {**EVENT, "event.excessive": "unknown"})
    assert (owed.state, owed.missing) == ("possible", ("event.excessive",))


EXPIRES = {"event.expires_on": "2026-08-31"}


@pytest.mark.parametrize(
    ("keys", "facts", "due"),
    [
        ({"within": "", "by": '"01-31"'}, {"event.on": "2025-12-31"}, "2026-01-31"),
        ({"within": "", "by": '"01-31"'}, {"event.on": "2026-01-31"}, "2027-01-31"),
        ({"within": "", "by": "2028-04-01"}, {}, "2028-04-01"),
        ({"within": '"60 days"', "year_end": "true"}, {"event.on": "2026-05-05"}, "2027-03-01"),
        ({"within": "", "before": '"6 months"', "start": '["event.expires_on"]'}, EXPIRES, "2026-02-28"),
        ({"not_after": '["event.first_message_on"]'}, {"event.first_message_on": "2026-02-03"}, "2026-02-03"),
        ({"not_after": '["event.first_message_on"]'}, {"event.first_message_on": "2026-03-03"}, "2026-02-28"),
        ({"start": '["event.on", "event.fee_paid_on"]'}, {"event.fee_paid_on": "2026-02-05"}, "2026-03-05"),
    ],
)  # fmt: skip
def test_where_the_count_begins_and_ends(
    keys: dict[str, str], facts: dict[str, object], due: str, tmp_path: Path
) -> None:
    [owed] = asked(write_pack(tmp_path, duty(**keys)), {**EVENT, **facts}, day=date(2026, 1, 1))
    assert owed.due is not None
    assert owed.due.day.isoformat() == due


def test_what_counts_from_a_day_that_is_not_there_names_it_and_the_earliest_day(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(within='"15 days"', start='["event.people_told_on"]'))
    [owed] = asked(root)
    assert (owed.due, owed.earliest, owed.missing) == (None, date(2026, 2, 15), ("event.people_told_on",))
    [owed] = asked(root, {**EVENT, "event.people_told_on": date(2026, 2, 20)})
    assert owed.due is not None
    assert (owed.due.day, owed.earliest) == (date(2026, 3, 7), None)


def test_an_acknowledgement_is_needless_once_all_is_done(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(within='"10 days"', unless_done="true"))
    states = {on: asked(root, {**EVENT, "event.done_on": on})[0].state for on in ("2026-02-10", "2026-02-11")}
    assert states == {"2026-02-10": "stopped", "2026-02-11": "owed"}


def test_a_breach_in_several_places_is_said_once_for_those_that_are_alike(tmp_path: Path) -> None:
    few = duty("few", when="event.residents >= 500", event='"breach-discovered"', act='"notify"')
    root = write_pack(tmp_path, few)
    facts = {"event.kind": "breach-discovered", "event.on": "2026-01-31"}
    [owed] = asked(root, {**facts, "event.persons_in": {"DE": 600, "FR": 500, "IT": 499, "BR": 900}})
    assert (owed.places, owed.state) == (("DE", "FR"), "owed")
    with pytest.raises(FactError, match=r"event.persons \(5\) is less than event.persons_in adds up to \(600\)"):
        asked(root, {**facts, "event.persons": 5, "event.persons_in": {"DE": 600}})


def test_after_an_end_the_longest_duty_to_keep_wins_over_deleting(tmp_path: Path) -> None:
    rules = "".join(
        duty(
            name, when="event.records == 'invoice'", event='"purpose-ended"', act=f'"{act}"', to='"file"', within=within
        )
        for name, act, within in (
            ("erase", "delete", ""),
            ("tax", "keep", '"10 years"'),
            ("short", "keep", '"3 years"'),
        )
    )
    facts = {**EVENT, "event.kind": "purpose-ended", "event.records": "invoice"}
    owed = {item.rule: item for item in asked(write_pack(tmp_path, rules), facts)}
    assert owed["xx-law/erase"].kept_until == date(2036, 1, 31)
    assert owed["xx-law/erase"].kept_by == "xx-law/tax"
    assert owed["xx-law/tax"].kept_until is None


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"event.on": "2026-02-30"}, "event.on cannot be '2026-02-30'; give a day"),
        ({"event.on": "1066-10-14"}, "before 1950-01-01 none of these laws was there"),
        ({"event.persons": -5}, "event.persons cannot be -5; .*not negative"),
        ({"event.at": "2026-01-31T14:20"}, "event.at cannot be .*needs its zone"),
        ({"event.at": "2026-02-01T14:20+01:00"}, "they must be one day"),
        ({"person.home": "XX"}, "person.home cannot be 'XX'"),
        ({"event.done_on": "2026-01-30"}, r"event.done_on \(2026-01-30\) is before event.on \(2026-01-31\)"),
        ({"event.residents": 7, "event.persons": 5}, r"event.residents \(7\) is more than event.persons \(5\)"),
        ({"event.enisa_context": 5}, "event.enisa_context cannot be 5; the method has 1, 2, 3, 4"),
        ({"person.age": 12, "person.born_on": "1980-01-01"}, "person.age is 12 and person.born_on 1980-01-01"),
    ],
)
def test_facts_that_cannot_be_are_refused_with_the_cure(facts: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(FactError, match=says):
        asked(write_pack(tmp_path, duty()), {**EVENT, **facts})


def test_the_severity_of_a_breach_is_shown_step_by_step() -> None:
    inputs: dict[str, Value] = {
        "event.enisa_context": 3, "event.enisa_identification": 0.75, "event.enisa_confidentiality": 0.5,
        "event.enisa_integrity": 0, "event.enisa_availability": 0, "event.malicious": True,
    }  # fmt: skip
    found = enisa(inputs)
    assert found is not None
    assert (found.score, found.band, found.risk) == (3.25, "high", "high")
    assert found.steps[0] == "context 3 x identification 0.75 = 2.25"
    assert enisa({**inputs, "event.malicious": None}) is None


@pytest.mark.parametrize(
    ("context", "identification", "malicious", "band", "risk"),
    [
        (1, 0.25, False, "low", None),
        (3, 0.5, False, "medium", "risk"),
        (1, 1, True, "medium", "risk"),
        (3, 0.75, True, "high", "high"),
        (4, 1, False, "very high", "high"),
    ],
)
def test_a_low_band_is_no_finding_that_a_risk_is_unlikely(
    context: int, identification: float, malicious: bool, band: str, risk: str | None
) -> None:
    found = enisa(
        {
            "event.enisa_context": context, "event.enisa_identification": identification,
            "event.enisa_confidentiality": 0.5, "event.enisa_integrity": 0, "event.enisa_availability": 0,
            "event.malicious": malicious,
        }
    )  # fmt: skip
    assert found is not None
    assert (found.band, found.risk) == (band, risk)


# ---------------------------------------------------------------- what a tester found


def test_a_pause_that_begins_after_the_day_does_not_bring_it_back(tmp_path: Path) -> None:
    root = write_pack(tmp_path, parts(pause=f'{PAUSE}, effect = "restart"'))
    late = {"event.identity_asked_on": date(2026, 3, 3), "event.identity_confirmed_on": date(2026, 4, 3)}
    [owed] = asked(root, {**ON, **late})
    assert owed.due is not None
    assert owed.due.day == date(2026, 3, 2)
    [owed] = asked(root, {**ON, **late, "event.identity_asked_on": date(2026, 3, 2)})
    assert owed.due is not None
    assert owed.due.day == date(2026, 5, 3)


CLARIFIED = 'says = "Unclear.", from = "event.clarification_asked_on", until = "event.clarified_on"'


def test_days_before_the_clock_began_anew_are_not_left_out_again(tmp_path: Path) -> None:
    pauses = f'{PAUSE}, effect = "restart" }}, {{ {CLARIFIED}, effect = "exclude"'
    facts = {"event.clarification_asked_on": date(2026, 2, 5), "event.clarified_on": date(2026, 2, 12)}
    [owed] = asked(write_pack(tmp_path, parts(pause=pauses)), {**ON, **SURE, **facts})
    assert owed.due is not None
    assert (owed.due.day, owed.due.later) == (date(2026, 3, 14), None)


def test_a_day_that_lies_in_two_pauses_is_left_out_once(tmp_path: Path) -> None:
    pauses = f'{PAUSE}, effect = "may-exclude" }}, {{ {CLARIFIED}, effect = "may-exclude"'
    facts = {"event.clarification_asked_on": date(2026, 2, 10), "event.clarified_on": date(2026, 2, 14)}
    [owed] = asked(write_pack(tmp_path, parts(pause=pauses)), {**ON, **SURE, **facts})
    assert owed.due is not None
    assert (owed.due.day, owed.due.later) == (date(2026, 3, 2), date(2026, 3, 7))


def test_unknown_stays_unknown_in_every_place(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(when="data.phi", event='"breach-discovered"', act='"notify"'))
    facts = {"event.kind": "breach-discovered", "event.on": "2026-01-31", "data.phi": "unknown"}
    [owed] = asked(root, {**facts, "event.persons_in": {"DE": 5, "FR": 0}})
    assert (owed.state, owed.places) == ("possible", ("DE",))


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({"US": 100, "US-CA": 600}, "has US and US-CA, which lies in it"),
        ("IE:20,IE:30", "a place stands twice"),
        ("IE:1.5", "people are counted whole"),
    ],
)
def test_people_are_counted_once(counts: object, says: str, tmp_path: Path) -> None:
    facts = {"event.kind": "breach-discovered", "event.on": "2026-01-31", "event.persons_in": counts}
    with pytest.raises(FactError, match=says):
        asked(write_pack(tmp_path, duty()), facts)


def test_where_the_people_live_is_said_once(tmp_path: Path) -> None:
    with pytest.raises(FactError, match=r"person\.home and event\.persons_in both say where the people live"):
        asked(write_pack(tmp_path, duty()), {**EVENT, "event.persons_in": {"DE": 5}})


def test_what_may_have_to_be_kept_is_said_before_it_is_deleted(tmp_path: Path) -> None:
    erase = duty("erase", when="True", event='"purpose-ended"', act='"delete"', to='"file"', within="")
    keep = duty("keep", when="org.platform", event='"purpose-ended"', act='"keep"', to='"file"', within='"3 years"')
    root = write_pack(tmp_path, erase + keep)
    facts = {**EVENT, "event.kind": "purpose-ended", "event.records": "transaction"}
    found = {item.rule: item for item in asked(root, facts)}["xx-law/erase"]
    assert found.notes == ("Before deleting: xx-law/keep may keep these records until 2029-01-31; say org.platform.",)
    del facts["event.records"]
    [said] = {item.rule: item for item in asked(root, facts)}["xx-law/erase"].notes
    assert "name the records (event.records)" in said


def test_one_calendar_that_is_not_published_does_not_silence_the_rest(tmp_path: Path) -> None:
    opens = duty("opens", within="", opens='"60 working days (cn)"', start='["event.expires_on"]')
    found = {
        item.rule: item
        for item in asked(write_pack(tmp_path, opens + duty()), {**EVENT, "event.expires_on": "2027-03-15"})
    }
    assert "not published for 2027" in found["xx-law/opens"].notes[-1]
    assert found["xx-law/answer"].due is not None


def test_a_risk_that_does_not_fit_the_severity_is_said(tmp_path: Path) -> None:
    root = write_pack(tmp_path, duty(when="True", event='"breach-discovered"', act='"assess"', to='"file"'))
    facts = {
        "event.kind": "breach-discovered", "event.on": "2026-01-31", "person.home": "DE", "event.risk": "unlikely",
        "event.enisa_context": 4, "event.enisa_identification": 1, "event.enisa_confidentiality": 0.5,
        "event.enisa_integrity": 0, "event.enisa_availability": 0, "event.malicious": True,
    }  # fmt: skip
    [owed] = asked(root, facts)
    assert any("does not fit a very high severity" in note for note in owed.notes)
