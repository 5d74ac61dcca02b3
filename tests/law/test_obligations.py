"""What several laws want of one use is merged; what cannot be met together is asked about, and both rules are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.law import Decision, Verdict, may, read_packs
from comity.law.lawbook import Obligation, ObligationKind, ObligationParameter
from comity.law.obligations import Merged, Wanted, merge
from tests.law.people import DAY
from tests.law.tiny_packs import LAW, PACK, rule, write_pack

KINDS = {
    "k": ObligationKind(
        name="k",
        says="Do it.",
        parameters={
            how: ObligationParameter(name=how, kind="words", merge=how, means=how)
            for how in ("union", "intersect", "least", "most", "any", "same")
        },
    )
}


def merged(how: str, *values: object) -> tuple[object, list[str]]:
    """Merge one parameter as several rules give it; return its value and the parameters that clash."""
    wanted = [
        Wanted(Obligation(kind="k", parameters={} if value is None else {how: value}), f"x/{number}", certain=True)  # type: ignore[dict-item]
        for number, value in enumerate(values)
    ]
    [found], clashes = merge(wanted, KINDS)
    return found.parameters.get(how), [clash.parameter for clash in clashes]


@pytest.mark.parametrize(
    ("how", "values", "expected"),
    [
        ("any", (False, True), True),
        ("any", (False, False), False),
        ("least", (31, 28, 90), 28),
        ("least", (0, 28), 0),
        ("most", (3, 5), 5),
        ("most", ("08:00", "09:30"), "09:30"),
        ("least", ("21:00", "20:00"), "20:00"),
        ("union", (("广告",), ("AD",), ("广告", "Ad")), ("广告", "AD", "Ad")),
        ("intersect", (("mon", "tue", "wed"), ("wed", "mon")), ("mon", "wed")),
        ("intersect", (("mon",),), ("mon",)),
        ("same", (3, 3), 3),
        ("least", (None, 28), 28),  # a rule that leaves a parameter open has no say in it
    ],
)
def test_parameters_merge_as_declared(how: str, values: tuple[object, ...], expected: object) -> None:
    assert merged(how, *values) == (expected, [])
    assert merged(how, *reversed(values))[1] == []


@pytest.mark.parametrize(
    ("how", "values"), [("intersect", (("mon",), ("sat",))), ("same", (3, 4)), ("same", (3, 3, 4))]
)
def test_what_leaves_nothing_is_a_clash(how: str, values: tuple[object, ...]) -> None:
    assert merged(how, *values) == (None, [how])


def test_one_that_certainly_wants_it_makes_it_certain() -> None:
    def certain(*truths: bool) -> bool:
        wanted = [Wanted(Obligation(kind="k"), f"x/{number}", certain=truth) for number, truth in enumerate(truths)]
        [found], _ = merge(wanted, KINDS)
        assert found.rules == tuple(item.rule for item in wanted)
        return found.certain

    assert (certain(False), certain(False, True), certain(True, True)) == (False, True, True)


# ---------------------------------------------------------------- in a decision

OTHER = LAW.replace("xx-law", "xx-other").replace("The law", "Another law")


def require(name: str, obligation: str, when: str = "True", **keys: str) -> str:
    return rule(id=f'"{name}"', effect='"require"', cure="", when=f'"{when}"', obligation=obligation, **keys)


def decided(root: Path, rules: str, **facts: object) -> Decision:
    book = read_packs(write_pack(root, rules, pack=PACK + LAW + OTHER))
    given = {"person.home": "DE", "use.operation": "contact", "use.channel": "call"}
    return may(book, {**given, **{name.replace("__", "."): value for name, value in facts.items()}}, day=DAY)


def hours(obligation: str) -> str:
    return f'{{ kind = "calling-hours", {obligation} }}'


def test_hours_of_two_laws_intersect(tmp_path: Path) -> None:
    first = hours('days = ["mon", "tue", "sat"], from = "08:00", until = "20:00"')
    second = hours('days = ["tue", "sat", "sun"], from = "09:00", until = "21:00"')
    decision = decided(tmp_path, require("xx-law/hours", first) + require("xx-other/hours", second))
    assert decision.verdict is Verdict.PERMIT
    [found] = decision.finding.obligations
    assert found == Merged(
        kind="calling-hours",
        says="Only within these hours of the person's own local time.",
        parameters={"days": ("tue", "sat"), "from": "09:00", "until": "20:00"},
        rules=("xx-law/hours", "xx-other/hours"),
        certain=True,
    )


@pytest.mark.parametrize(
    ("first", "second", "parameter"),
    [
        ('days = ["mon"]', 'days = ["sat"]', "days"),
        ('from = "08:00", until = "12:00"', 'from = "12:00", until = "20:00"', "from"),
        ('until = "09:00"', 'from = "09:00"', "from"),
        ('until = "08:00"', 'from = "20:00"', "from"),
    ],
)
def test_hours_that_leave_nothing_ask_and_cite_both(tmp_path: Path, first: str, second: str, parameter: str) -> None:
    decision = decided(tmp_path, require("xx-law/hours", hours(first)) + require("xx-other/hours", hours(second)))
    assert (decision.verdict, decision.because) == (Verdict.ASK, ("clash:calling-hours",))
    [reason] = decision.reasons
    assert reason.kind == "obligations-clash"
    assert all(word in reason.says for word in ("xx-law/hours", "xx-other/hours", parameter))
    assert reason.cures == ("ask-counsel",)
    assert all(answer.verdict is Verdict.PERMIT for answer in decision.finding.laws)


def test_a_clash_does_not_soften_a_deny(tmp_path: Path) -> None:
    rules = require("xx-law/hours", hours('days = ["mon"]')) + require("xx-other/hours", hours('days = ["sat"]'))
    assert decided(tmp_path, rules + rule()).verdict is Verdict.DENY


def test_one_minute_is_enough_to_call(tmp_path: Path) -> None:
    rules = require("xx-law/hours", hours('until = "09:01"')) + require("xx-other/hours", hours('from = "09:00"'))
    assert decided(tmp_path, rules).verdict is Verdict.PERMIT


def test_a_possible_require_is_attached_and_permits(tmp_path: Path) -> None:
    decision = decided(tmp_path, require("xx-law/way-out", '{ kind = "unsubscribe" }', "person.mobile"))
    assert decision.verdict is Verdict.PERMIT
    assert [(item.kind, item.certain) for item in decision.finding.obligations] == [("unsubscribe", False)]
    without = require("xx-law/way-out", '{ kind = "unsubscribe" }', "person.mobile")
    assert decided(tmp_path, without, person__mobile=False).finding.obligations == ()


def test_a_lifted_require_is_not_attached(tmp_path: Path) -> None:
    lifted = rule(
        id='"xx-other/lift"', effect='"except"', cure="", when='"relation.customer"', exception_to='["xx-law/way-out"]'
    )
    rules = require("xx-law/way-out", '{ kind = "unsubscribe" }') + lifted
    assert decided(tmp_path, rules, relation__customer=True).finding.obligations == ()
    [item] = decided(tmp_path, rules, relation__customer="unknown").finding.obligations
    assert not item.certain


@pytest.mark.parametrize(
    ("needs", "known"),
    [
        ("use.recipient_place", {"use__recipient_place": "JP"}),  # a fact about the use
        ("person.mobile", {"person__mobile": False}),  # a fact of the person that no condition reads
        ("person.age", {"person__age": {"min": 15, "max": 40}}),
        ("consent.given_on", {"consent__given_on": "2026-01-01"}),
        ("relation.source", {"relation__source": "published"}),
    ],
)
def test_an_obligation_that_cannot_be_met_for_want_of_a_fact_asks(
    tmp_path: Path, needs: str, known: dict[str, object]
) -> None:
    rules = require("xx-law/way-out", '{ kind = "unsubscribe" }', needs=f'["{needs}"]')
    without = decided(tmp_path, rules)
    assert (without.verdict, without.because, without.missing) == (Verdict.ASK, ("xx-law/way-out",), (needs,))
    assert decided(tmp_path, rules, **known).verdict is Verdict.PERMIT


def test_a_need_is_a_home_that_is_certain(tmp_path: Path) -> None:
    """Local hours need to know where the person lives."""
    rules = require("xx-law/hours", hours('from = "08:00"'), needs='["person.home"]')
    assert decided(tmp_path, rules).verdict is Verdict.PERMIT
    between = decided(tmp_path, rules, person__home="DE|FR")
    assert (between.verdict, between.missing) == (Verdict.ASK, ("person.home",))
