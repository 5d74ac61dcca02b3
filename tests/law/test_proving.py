"""What is proved of the shipped packs, and that defects in them are found: each counterexample is put to `may`."""

from __future__ import annotations

import importlib
import json
import os
import random
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from comity.cli import main
from comity.law import SHIPPED, Lawbook, Verdict, may
from comity.law.conditions import NEVER, All, Condition, parse
from comity.law.lawbook import DatedParameter, Law, Rule, Slot, Span
from comity.law.proving import (
    EncodingDisagrees,
    Invariants,
    Proof,
    Prover,
    dates_of_change,
    facts_file,
    prove,
    read_invariants,
    unstopped,
)
from comity.law.smt import SettingTerms, Terms, fold_open, terms_of
from comity.law.vocabulary import Facts, Value
from tests.law.people import DAY, HOMES, USES, circumstances, person, willing
from tests.law.random_law import random_book, random_facts, shown
from tests.law.tiny_packs import rule, write_pack

REASON = "proving needs Z3: pip install 'comity[prove]'"
required = os.environ.get("COMITY_REQUIRE_ALL") == "1"  # then nothing may be skipped
z3 = importlib.import_module("z3") if required else pytest.importorskip("z3", reason=REASON)

# ---------------------------------------------------------------- the encoding says what `may` says


class Teller:
    """Says the verdict that the terms of one setting give to facts."""

    def __init__(self, terms: Terms, answers: SettingTerms, day: date) -> None:
        self.terms, self.day = terms, day
        self.denies, self.permits = answers.deny, answers.permit
        self.solver = z3.Solver()
        self.solver.add(terms.axioms(day))

    def __call__(self, facts: Facts) -> str:
        known = {name: fact.absent for name, fact in self.terms.vocabulary.facts.items()} | facts
        self.solver.push()
        self.solver.add(*(self.fixed(name, known[name]) for name in self.terms.names))
        assert self.solver.check() == z3.sat, shown(facts)
        denies, permits = (self.holds(term) for term in (self.denies, self.permits))
        self.solver.pop()
        return "deny" if denies else "permit" if permits else "ask"

    def fixed(self, name: str, value: Value) -> object:
        if value is None:
            return self.terms.is_not_known(name)
        if isinstance(value, date):
            return self.terms.is_day(name, value, self.day)
        return self.terms.is_value(name, value)

    def holds(self, term: object) -> bool:
        return term if isinstance(term, bool) else bool(self.solver.model().eval(term, model_completion=True))


def test_the_terms_and_may_agree_on_random_people(book: Lawbook) -> None:
    dice, plan = random.Random(7), fold_open(book, DAY)
    terms = terms_of(book.vocabulary, [plan])
    homes = [home for home in HOMES if home != "US"]
    told: dict[str, Teller] = {}
    seen = set()
    for number in range(1_200):
        use, home = dice.choice(list(USES)), homes[number % len(homes)]
        who = willing(book, dice) if dice.random() < 0.7 else person(book, dice, dice.choice([0.1, 0.3, 0.6]))
        who.pop("person.born_on", None)  # no condition asks for it; it is another way to say the age
        facts = book.vocabulary.read({**circumstances(book, dice, use), **who, "person.home": home})
        if home not in told:
            told[home] = Teller(terms, SettingTerms(terms, plan.at(frozenset({home}))), DAY)
        verdict = may(book, facts, day=DAY).verdict.value
        assert told[home](facts) == verdict, shown(facts)
        seen.add(verdict)
    assert seen == {"permit", "deny", "ask"}


def test_the_terms_and_may_agree_on_random_laws(book: Lawbook) -> None:
    """Exceptions nest, much is in doubt, obligations clash, and homes are sets of places."""
    for seed in range(400):
        dice = random.Random(seed)
        laws = random_book(book, dice)
        plan = fold_open(laws, DAY)
        terms = terms_of(laws.vocabulary, [plan])
        for facts in (random_facts(dice) for _ in range(2)):
            homes = facts.get("person.home")
            assert homes is None or isinstance(homes, frozenset)
            told = Teller(terms, SettingTerms(terms, plan.at(homes)), DAY)
            assert told(facts) == may(laws, facts, day=DAY).verdict.value, f"{seed}: {shown(facts)}"


# ---------------------------------------------------------------- the shipped packs


@pytest.fixture(scope="module")
def invariants(book: Lawbook) -> Invariants:
    return read_invariants(book, SHIPPED)


YEARS_APART = ("2018-05-25", "2023-01-01", "2026-11-21")
"""Days whose intervals the tests prove; `comity law prove` proves all of them."""


def intervals(book: Lawbook) -> list[date]:
    days = dates_of_change(book)
    return [max(one for one in days if one <= date.fromisoformat(day)) for day in YEARS_APART]


def test_every_invariant_holds_of_the_shipped_packs(book: Lawbook, invariants: Invariants) -> None:
    proofs = list(prove(Prover(book, invariants, days=intervals(book))))
    assert {proof.name: [failure.says for failure in proof.failures] for proof in proofs if not proof.holds} == {}
    assert len(proofs) == 7 + len(invariants.listed)
    assert all(proof.intervals and proof.places for proof in proofs)


def test_without_the_house_rules_some_laws_do_not_stop_marketing(book: Lawbook, invariants: Invariants) -> None:
    day = intervals(book)[-1]
    found = unstopped(Prover(book, invariants, days=[day]), day)
    laws = replace(book, laws=tuple(law for law in book.laws if not law.is_house))
    assert "US-TX" in next(one for one in found if one.channel == "post").places
    assert any(one.channel == "call" and one.only_business for one in found)
    for one in found:
        assert may(laws, one.facts, day=day).verdict is Verdict.PERMIT
        assert may(book, one.facts, day=day).verdict is Verdict.DENY


def test_an_interval_begins_where_anything_changes(book: Lawbook) -> None:
    days = dates_of_change(book)
    assert days[0] == date(2018, 1, 1)
    assert {date(2018, 5, 25), date(2020, 1, 1), date(2023, 1, 1)} <= set(days)
    assert days == sorted(set(days))


# ---------------------------------------------------------------- seeded defects


def changed(book: Lawbook, law_id: str, change: Callable[[Law], Law]) -> Lawbook:
    return replace(book, laws=tuple(change(law) if law.id == law_id else law for law in book.laws))


def with_rule(book: Lawbook, rule_id: str, change: Callable[[Rule], Rule]) -> Lawbook:
    def law(found: Law) -> Law:
        assert any(rule.id == rule_id for rule in found.rules), rule_id
        return replace(found, rules=tuple(change(rule) if rule.id == rule_id else rule for rule in found.rules))

    return changed(book, rule_id.partition("/")[0], law)


def without_conjunct(rule: Rule, names_it: Callable[[Condition], bool]) -> Rule:
    assert isinstance(rule.when, All)
    kept = tuple(part for part in rule.when.parts if not names_it(part))
    assert len(kept) == len(rule.when.parts) - 1
    return replace(rule, when=All(kept))


def proof_of(book: Lawbook, invariants: Invariants, name: str, *, home: str, day: date = DAY) -> Proof:
    start = max(one for one in dates_of_change(book) if one <= day)
    return next(prove(Prover(book, invariants, days=[start], homes=[home]), [name]))


def confirmed(book: Lawbook, proof: Proof) -> Verdict:
    """Return what `may` says of a counterexample, read back from the file that is printed."""
    assert not proof.holds
    failure = proof.failures[0]
    facts = tomllib.loads(facts_file(failure.facts, failure.day, failure.says))
    return may(book, facts, day=failure.day).verdict


def test_a_conjunct_lost_from_the_rule_on_refusals_is_found(book: Lawbook, invariants: Invariants) -> None:
    """The rule heeds objections and no longer opt-outs and withdrawals."""
    narrow = parse("person.objected and use.purpose == 'marketing'", book.vocabulary)
    broken = with_rule(book, "house/objection-is-final", lambda found: replace(found, when=narrow))
    proof = proof_of(broken, invariants, "a-refusal-stops-marketing", home="US-TX")
    assert confirmed(broken, proof) is not Verdict.DENY
    assert proof_of(book, invariants, "a-refusal-stops-marketing", home="US-TX").holds


def test_an_exception_that_lifts_the_house_rule_is_found(book: Lawbook, invariants: Invariants) -> None:
    loose = parse("relation.customer", book.vocabulary)
    broken = with_rule(book, "house/one-confirmation", lambda found: replace(found, when=loose))
    proof = proof_of(broken, invariants, "a-refusal-stops-marketing", home="US-TX")
    assert confirmed(broken, proof) is not Verdict.DENY
    assert "relation.customer" in proof.failures[0].facts


def test_an_exception_of_another_law_that_lifts_the_house_rule_is_found(book: Lawbook, invariants: Invariants) -> None:
    lifted = ("house/objection-is-final",)
    broken = with_rule(book, "us-tcpa/one-confirmation", lambda found: replace(found, exception_to=lifted))
    broken = with_rule(
        broken, "us-tcpa/one-confirmation",
        lambda found: replace(found, when=parse("use.channel == 'sms'", book.vocabulary)),
    )  # fmt: skip
    proof = proof_of(broken, invariants, "a-refusal-stops-marketing", home="US-TX")
    assert confirmed(broken, proof) is not Verdict.DENY
    assert confirmed(book, proof) is Verdict.DENY


def test_a_ground_without_conditions_is_found(book: Lawbook, invariants: Invariants) -> None:
    always = parse("True", book.vocabulary)
    broken = with_rule(book, "eu-gdpr/consent", lambda found: replace(found, when=always))
    proof = proof_of(broken, invariants, "no-ground-without-conditions", home="DE")
    assert confirmed(broken, proof) in set(Verdict)
    failure = proof.failures[0]
    reasons = may(broken, failure.facts, day=failure.day).reasons
    assert ("eu-gdpr/consent", "ground") in {(reason.rule, reason.kind) for reason in reasons}


def test_a_forbid_that_can_never_fire_is_found(book: Lawbook, invariants: Invariants) -> None:
    both = parse("consent.given and not consent.given", book.vocabulary)
    broken = with_rule(book, "house/no-nagging", lambda found: replace(found, when=both))
    proof = proof_of(broken, invariants, "every-forbid-can-fire", home="DE")
    assert [failure.says.partition(" ")[0] for failure in proof.failures if "house/" in failure.says] == [
        "house/no-nagging"
    ]


def test_a_forbid_whose_exception_eats_it_is_found(book: Lawbook, invariants: Invariants) -> None:
    always = parse("True", book.vocabulary)
    broken = with_rule(book, "house/nagging-needs-a-no", lambda found: replace(found, when=always))
    proof = proof_of(broken, invariants, "every-forbid-can-fire", home="DE")
    assert "house/no-nagging" in {failure.says.partition(" ")[0] for failure in proof.failures}


def test_a_weaker_rule_on_young_californians_is_found(book: Lawbook, invariants: Invariants) -> None:
    def not_consent(part: Condition) -> bool:
        return "person.known_age" in repr(part) and "youth_age" in repr(part)

    younger = parse("person.known_age < 13", book.vocabulary)
    broken = with_rule(
        book, "us-ca-ccpa/youth-opts-in",
        lambda found: replace(found, when=All((without_conjunct(found, not_consent).when, younger))),
    )  # fmt: skip
    proof = proof_of(broken, invariants, "no-sale-under-16-in-california", home="US-CA")
    failure = proof.failures[0]
    answers = {one.law: one.verdict for one in may(broken, failure.facts, day=failure.day).finding.laws}
    assert answers["us-ca-ccpa"] is Verdict.PERMIT
    assert confirmed(broken, proof) is Verdict.DENY  # the house rule still stands behind it


def test_the_dates_of_a_number_swapped_are_found_on_their_interval(book: Lawbook, invariants: Invariants) -> None:
    def swapped(found: DatedParameter) -> DatedParameter:
        if found.id != "us-ca-ccpa/youth-age":
            return found
        (value,) = found.values
        turn = date(2025, 1, 1)
        early = replace(value, value=13, span=Span(start=value.span.start, until=turn))
        return replace(found, values=(early, replace(value, span=Span(start=turn))))

    broken = changed(book, "us-ca-ccpa", lambda law: replace(law, parameters=tuple(map(swapped, law.parameters))))
    name = "no-sale-under-16-in-california"
    proof = proof_of(broken, invariants, name, home="US-CA", day=date(2024, 12, 31))
    assert confirmed(broken, proof) is Verdict.DENY
    assert proof.failures[0].facts["person.known_age"] in {(13, 13), (13, 14), (13, 15), (14, 14), (14, 15), (15, 15)}
    assert proof_of(broken, invariants, name, home="US-CA", day=DAY).holds


def test_a_slot_that_never_applies_is_found(book: Lawbook, invariants: Invariants) -> None:
    def without_basis(slot: Slot) -> Slot:
        return replace(slot, applies=NEVER) if slot.id == "eu-gdpr:basis" else slot

    broken = changed(book, "eu-gdpr", lambda law: replace(law, slots=tuple(map(without_basis, law.slots))))
    proof = proof_of(broken, invariants, "every-slot-can-refuse", home="DE")
    assert [failure.says.partition(" ")[0] for failure in proof.failures if failure.says.startswith("eu-")] == [
        "eu-gdpr:basis"
    ]


def test_an_absence_turned_round_is_found(book: Lawbook, invariants: Invariants) -> None:
    """What nobody recorded is taken as a yes."""
    facts = dict(book.vocabulary.facts)
    facts["consent.express"] = replace(facts["consent.express"], absent=True, why_absent="turned round")
    broken = replace(book, vocabulary=replace(book.vocabulary, facts=facts))
    proof = proof_of(broken, invariants, "absence-is-the-strict-reading", home="DE")
    assert confirmed(broken, proof) is Verdict.PERMIT
    assert "with consent.express = false" in proof.failures[0].says


def test_terms_that_disagree_with_may_are_told_from_a_defect(
    book: Lawbook, invariants: Invariants, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No counterexample is shown that `may` does not confirm."""
    monkeypatch.setattr(SettingTerms, "permit", True)
    with pytest.raises(EncodingDisagrees, match="the encoding disagrees with `may`"):
        proof_of(book, invariants, "no-permit-with-an-empty-slot", home="DE")


# ---------------------------------------------------------------- what authors of packs add


INVARIANT = """
[[invariant]]
name = "consent-or-nothing"
says = "Without consent nothing is permitted."
where = "person.home == 'DE' and not consent.given"
use = { "use.operation" = "contact" }
verdict = "never permit"
"""


def a_pack(tmp_path: Path, when: str, invariant: str = INVARIANT) -> Path:
    root = write_pack(tmp_path, rule(when=f'"{when}"'))
    (root / "xx" / "invariants.toml").write_text(invariant, "utf-8")
    return root


def test_an_invariant_of_an_author_is_proved_or_its_counterexample_printed(tmp_path: Path) -> None:
    good = a_pack(tmp_path / "good", "not consent.given")
    bad = a_pack(tmp_path / "bad", "not consent.given and not relation.customer")
    assert CliRunner().invoke(main, ["law", "prove", "--packs", str(good)]).exit_code == 0
    told = CliRunner().invoke(main, ["law", "prove", "--packs", str(bad)])
    assert told.exit_code == 1
    assert "FAILED consent-or-nothing" in told.output
    assert '"relation.customer" = true' in told.output
    assert max(len(line) for line in told.output.splitlines() if not line.startswith("#")) <= 80


def test_what_is_printed_is_a_file_that_may_takes(tmp_path: Path) -> None:
    bad = a_pack(tmp_path, "not consent.given and not relation.customer")
    told = json.loads(CliRunner().invoke(main, ["law", "prove", "--packs", str(bad), "--json"]).output)
    (failure,) = next(one for one in told["proofs"] if one["name"] == "consent-or-nothing")["counterexamples"]
    assert failure["facts"] == {"person.home": ["DE"], "relation.customer": True, "use.operation": "contact"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("never permit", "never say"), "always"),
        (("consent.given", "consent.gven"), "did you mean"),
        (('"use.operation" = "contact"', '"person.age" = 15'), "belongs into 'where'"),
        (('name = "consent-or-nothing"', 'nme = "x"'), "unknown key 'nme'"),
        (('where = "person.home', 'law = "yy"\nwhere = "person.home'), "no law is called 'yy'"),
        (("not consent.given", "define.nothing"), "no definition or parameter"),
    ],
)
def test_what_is_wrong_with_an_invariant_is_said(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    root = a_pack(tmp_path, "not consent.given", INVARIANT.replace(*change))
    answer = CliRunner().invoke(main, ["law", "prove", "--packs", str(root)])
    assert answer.exit_code == 2
    assert told in answer.output
    assert "xx/invariants.toml" in answer.output


def test_without_z3_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "z3", None)
    answer = CliRunner().invoke(main, ["law", "prove"])
    assert answer.exit_code == 2
    assert "needs an extra that is not installed: pip install 'comity[prove]'" in answer.output
