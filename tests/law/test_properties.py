"""What is true of the law's answers whoever the person is and whatever the packs say.

Random people over the shipped packs and all uses; each property names the counterexamples that make a looser statement
false.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.law import Decision, Finding, Lawbook, Plan, Verdict, decide, fold, may
from comity.law.lawbook import Definition, Law, Rule
from comity.law.vocabulary import Facts, Value
from tests.law.people import DAY, HOMES, US, USES, circumstances, person, row_facts, value, willing
from tests.law.random_law import random_book, random_facts, shown

SEEDS = st.integers(min_value=0, max_value=2**32)
WHICH = st.sampled_from(list(USES))
REFUSING = ("consent.withdrawn", "person.objected", "consent.opted_out", "person.opt_out_signal")
ADVERTISING = tuple(
    use
    for use, facts in USES.items()
    if facts["use.purpose"] in {"marketing", "targeted-advertising"}
    or facts["use.operation"] in {"sell", "share", "profile"}
)
SALE_OR_SHARING = ("a sale", "sharing for advertising")


some = settings(max_examples=max(1, settings().max_examples // 2))
"""For properties of which one example tries dozens of changes."""


def a_person(book: Lawbook, dice: random.Random) -> Facts:
    """Return a person of whom the law often permits something, or just anybody."""
    return willing(book, dice) if dice.random() < 0.7 else person(book, dice, dice.choice([0.1, 0.3, 0.6]))


def a_plan(book: Lawbook, dice: random.Random, use: str, day: date = DAY) -> Plan:
    return fold(book, book.vocabulary.read(circumstances(book, dice, use)), day)


def never_loosens(before: Decision | Finding, after: Decision | Finding, what: str) -> None:
    """Check that what was not permitted is not permitted now."""
    if before.verdict is not Verdict.PERMIT:
        assert after.verdict is not Verdict.PERMIT, f"{what}: {before.verdict.value} by {before.because} became permit"


# ---------------------------------------------------------------- removing a fact


@given(seed=SEEDS, use=WHICH)
def test_a_fact_of_the_person_made_unknown_never_loosens(book: Lawbook, seed: int, use: str) -> None:
    """Where a use is permitted though a fact is unknown, it is permitted whatever that fact turns out to be."""
    dice = random.Random(seed)
    plan, who = a_plan(book, dice, use), a_person(book, dice)
    for fact in row_facts(book):
        fewer = decide(plan, {**who, fact.name: None})
        if fewer.verdict is Verdict.PERMIT:
            for known in values(book, fact.name, dice):
                never_loosens(decide(plan, {**who, fact.name: known}), fewer, f"{fact.name} from {known} to unknown")


@some
@given(seed=SEEDS, use=WHICH)
def test_a_fact_of_the_use_or_of_us_made_unknown_never_loosens(book: Lawbook, seed: int, use: str) -> None:
    dice = random.Random(seed)
    about, who = book.vocabulary.read(circumstances(book, dice, use)), a_person(book, dice)
    before = decide(fold(book, about, DAY), who)
    for name in dice.sample(sorted(about), 5):
        never_loosens(before, decide(fold(book, {**about, name: None}, DAY), who), f"{name} unknown")


@some
@given(seed=SEEDS, use=WHICH)
def test_a_home_among_more_homes_never_loosens(book: Lawbook, seed: int, use: str) -> None:
    dice = random.Random(seed)
    plan, who = a_plan(book, dice, use), a_person(book, dice)
    home = dice.choice(HOMES)
    last = decide(plan, {**who, "person.home": frozenset({home})})
    for wider in (frozenset({home, dice.choice(HOMES)}), frozenset({home, *dice.sample(HOMES, 3)}), None):
        homes = last.homes | wider if last.homes and wider else wider
        now = decide(plan, {**who, "person.home": homes})
        never_loosens(last, now, f"{home} to {sorted(homes) if homes else 'anywhere'}")
        last = now


@given(seed=SEEDS)
def test_more_unknowns_at_once_never_loosen_any_law(book: Lawbook, seed: int) -> None:
    """The same of random laws, in which exceptions are nested and much is in doubt."""
    dice = random.Random(seed)
    laws = random_book(book, dice)
    facts = random_facts(dice)
    absent = {name: fact.absent for name, fact in book.vocabulary.facts.items() if fact.absent is not None}
    facts = {**absent, **facts}
    before = may(laws, facts, day=DAY)
    fewer: Facts = {**facts, **dict.fromkeys(dice.sample(sorted(facts), dice.choice([1, 2, 5])), None)}
    never_loosens(before, may(laws, fewer, day=DAY), shown(facts))


FORGETTING_LOOSENS = {
    "person.age": "it fills person.known_age, which is marked in the vocabulary",
    "person.restricted": "a restriction exists only by our own record of it",
    "person.subscriber": "Portugal's national list protects companies; who is not known to be one counts as a person",
    "person.impersonal_address": "as person.subscriber",
}
"""Facts beside those that the vocabulary marks (removal = "knowledge") which, left out, may loosen a verdict."""


@given(seed=SEEDS, use=WHICH)
def test_a_fact_left_out_loosens_only_where_the_law_asks_for_knowledge(book: Lawbook, seed: int, use: str) -> None:
    """What nobody recorded has the meaning that the vocabulary gives it, and that meaning is the strict one."""
    dice = random.Random(seed)
    plan, who = a_plan(book, dice, use), a_person(book, dice)
    for fact in row_facts(book):
        without = decide(plan, {name: value for name, value in who.items() if name != fact.name})
        if without.verdict is Verdict.PERMIT and not fact.by_knowledge and fact.name not in FORGETTING_LOOSENS:
            for known in values(book, fact.name, dice):
                never_loosens(decide(plan, {**who, fact.name: known}), without, f"{fact.name} from {known} to nothing")


def values(book: Lawbook, name: str, dice: random.Random) -> list[Value]:
    """Return every value of a flag or a choice, else a few."""
    fact = book.vocabulary.facts[name]
    match fact.kind:
        case "bool":
            return [True, False]
        case "choice":
            return list(fact.choices)
    return [value(fact, dice) for _ in range(4)]


def test_a_case_in_which_forgetting_loosens(book: Lawbook) -> None:
    """A sale of a known child's data is denied; forget the age, and there is no knowledge any more."""
    assert book.vocabulary.facts["person.known_age"].by_knowledge
    facts = {**US, **USES["a sale"], "person.home": "US-WY", **dict.fromkeys(REFUSING, False)}
    child = may(book, {**facts, "person.known_age": 12}, day=DAY)
    assert child.verdict is Verdict.DENY
    assert "house/no-sale-of-children" in child.because
    assert "house/no-sale-of-children" not in may(book, facts, day=DAY).because
    assert may(book, {**facts, "person.known_age": "unknown"}, day=DAY).verdict is not Verdict.PERMIT


# ---------------------------------------------------------------- refusing


@given(seed=SEEDS, use=st.sampled_from(ADVERTISING), refusal=st.sampled_from(REFUSING))
def test_a_refusal_never_loosens(book: Lawbook, seed: int, use: str, refusal: str) -> None:
    dice = random.Random(seed)
    about = {**circumstances(book, dice, use), **USES[use]}
    who = a_person(book, dice)
    about.pop("use.confirms_opt_out", None)
    plan = fold(book, book.vocabulary.read(about), DAY)
    said = decide(plan, {**who, refusal: True})
    for before in (False, None):
        never_loosens(decide(plan, {**who, refusal: before}), said, f"{refusal} from {before} to true")
    if refusal != "person.opt_out_signal" or use in SALE_OR_SHARING:
        assert said.verdict is Verdict.DENY


def test_the_one_confirmation_of_a_stop_is_permitted_though_a_stop_was_sent(book: Lawbook) -> None:
    """The counterexample to "nothing is sent after an opt-out": the one text that confirms it, and no other."""
    text = {
        **US, "org.place": "US-WY", "use.operation": "contact", "use.purpose": "service", "use.channel": "sms",
        "use.in_notice": True, "use.confirms_opt_out": True, "person.home": "US-WY", "person.age": 40,
        "relation.source": "person", "consent.given": True,
        "person.objected": False, "consent.withdrawn": False, "person.opt_out_signal": False, "consent.opted_out": True,
    }  # fmt: skip
    confirmation = may(book, text, day=DAY)
    assert confirmation.verdict is Verdict.PERMIT, confirmation.because
    assert "us-tcpa/one-confirmation" in confirmation.because
    assert "no-more-texts" in {item.kind for item in confirmation.finding.obligations}
    assert may(book, {**text, "use.confirms_opt_out": False}, day=DAY).verdict is Verdict.DENY
    assert may(book, {**text, "use.purpose": "marketing"}, day=DAY).verdict is Verdict.DENY


# ---------------------------------------------------------------- adding a law


@pytest.mark.parametrize("use", USES)
def test_a_law_more_never_loosens(book: Lawbook, use: str) -> None:
    """Its exceptions to other laws, and the slots of others that it fills, aside.

    One thing does loosen: the first law that covers a place. Without it the answer is ask, for want of any law.
    """
    dice = random.Random(use)
    about = book.vocabulary.read(circumstances(book, dice, use))
    whole = fold(book, about, DAY)
    governed: dict[str, list[Facts]] = {}
    for _ in range(60):
        who = {"person.home": frozenset({dice.choice(HOMES)}), **a_person(book, dice)}
        for answer in decide(whole, who).finding.laws:
            governed.setdefault(answer.law, []).append(who)
    assert governed
    for law in book.laws:
        if law.id in governed:
            others = tuple(item for item in book.laws if item is not law)
            without = fold(replace(book, laws=others), about, DAY)
            with_it = fold(replace(book, laws=(*others, alone(law))), about, DAY)
            for who in governed[law.id][:8]:
                before = decide(without, who)
                if all(reason.kind != "no-law" for reason in before.reasons):
                    never_loosens(before, decide(with_it, who), f"{law.id} for {shown(who)}")


def alone(law: Law) -> Law:
    """Return a law without what it lends to other laws."""
    rules = []
    for rule in law.rules:
        own = tuple(target for target in rule.exception_to if target.startswith(law.id + "/"))
        if rule.effect != "except" or own:
            rules.append(replace(rule, exception_to=own, fills=()))
    return replace(law, rules=tuple(rules))


def test_the_first_law_of_a_place_turns_ask_into_permit(book: Lawbook) -> None:
    """The counterexample to "a law more never loosens": where no law was, nothing could be permitted."""
    use = USES["a look at the record"]
    facts = book.vocabulary.read({**US, **use, "person.home": "US-WY", "relation.source": "person"})
    laws = tuple(law for law in book.laws if law.is_house)
    bare = replace(book, laws=laws)
    first = replace(book.law("us-ftc"), id="xx", rules=(), slots=(), territory=("US-WY",))
    assert [reason.kind for reason in may(bare, facts, day=DAY).reasons] == ["no-law"]
    assert may(replace(book, laws=(*laws, first)), facts, day=DAY).verdict is Verdict.PERMIT


@given(seed=SEEDS)
def test_a_random_law_more_never_loosens(book: Lawbook, seed: int) -> None:
    dice = random.Random(seed)
    laws, facts = random_book(book, dice), random_facts(dice)
    law = dice.choice(laws.laws)
    others = tuple(item for item in laws.laws if item is not law)
    before = may(replace(laws, laws=others), facts, day=DAY)
    if all(reason.kind != "no-law" for reason in before.reasons):
        more = may(replace(laws, laws=(*others, alone(law))), facts, day=DAY)
        never_loosens(before, more, f"{law.id}: {shown(facts)}")


# ---------------------------------------------------------------- time


@given(seed=SEEDS, use=WHICH, day=st.dates(date(2000, 1, 1), date(2030, 12, 31)))
def test_a_rule_outside_its_days_is_no_reason(book: Lawbook, seed: int, use: str, day: date) -> None:
    dice = random.Random(seed)
    plan = a_plan(book, dice, use, day)
    versions: dict[str, list[tuple[Law, Rule]]] = {}
    for law in book.laws:
        for rule in law.rules:
            versions.setdefault(rule.id, []).append((law, rule))
    for _ in range(5):
        decision = decide(plan, a_person(book, dice))
        for law_id in {answer.law for answer in decision.finding.laws}:
            assert book.law(law_id).span.holds(day)
        for reason in decision.reasons:
            if reason.rule in versions:
                both = versions[reason.rule]
                says = [rule.says for law, rule in both if rule.span.holds(day) and law.span.holds(day)]
                assert says == [reason.says]
        for name in {name for item in decision.finding.obligations for name in item.rules}:
            assert any(rule.span.holds(day) and law.span.holds(day) for law, rule in versions[name])


# ---------------------------------------------------------------- doubt


@some
@given(seed=SEEDS, use=WHICH)
def test_a_permit_rests_on_nothing_unconfirmed(book: Lawbook, seed: int, use: str) -> None:
    dice = random.Random(seed)
    plan = a_plan(book, dice, use)
    for _ in range(5):
        decision = decide(plan, a_person(book, dice))
        if decision.verdict is Verdict.PERMIT:
            assert all(reason.confirmed for reason in decision.reasons)


@given(seed=SEEDS)
def test_an_unconfirmed_ground_or_exception_alone_never_permits(book: Lawbook, seed: int) -> None:
    """What is permitted with a doubtful one is permitted without it."""
    dice = random.Random(seed)
    laws, facts = random_book(book, dice), random_facts(dice)
    for law, rule in loosening(laws):
        doubtful = may(changed(laws, law, rule, replace(rule, confirmed=False)), facts, day=DAY)
        if doubtful.verdict is Verdict.PERMIT:
            without = may(changed(laws, law, rule, None), facts, day=DAY)
            assert without.verdict is Verdict.PERMIT, f"{rule.id}: {shown(facts)}"


@some
@given(seed=SEEDS, use=WHICH)
def test_a_shipped_ground_or_exception_in_doubt_alone_never_permits(book: Lawbook, seed: int, use: str) -> None:
    dice = random.Random(seed)
    about, who = book.vocabulary.read(circumstances(book, dice, use)), a_person(book, dice)
    here = {answer.law for answer in decide(fold(book, about, DAY), who).finding.laws}
    candidates = [pair for pair in loosening(book) if pair[0].id in here]
    for law, rule in dice.sample(candidates, min(2, len(candidates))):
        doubtful = decide(fold(changed(book, law, rule, replace(rule, confirmed=False)), about, DAY), who)
        if doubtful.verdict is Verdict.PERMIT:
            assert decide(fold(changed(book, law, rule, None), about, DAY), who).verdict is Verdict.PERMIT, rule.id


def loosening(book: Lawbook) -> list[tuple[Law, Rule]]:
    return [(law, rule) for law in book.laws for rule in law.rules if rule.effect in {"ground", "except"}]


def changed(book: Lawbook, law: Law, rule: Rule, other: Rule | None) -> Lawbook:
    """Return the book with one rule replaced, or without it."""
    rules = tuple(other if item is rule else item for item in law.rules)
    kept = replace(law, rules=tuple(item for item in rules if item is not None))
    return replace(book, laws=tuple(kept if item is law else item for item in book.laws))


@given(seed=SEEDS)
def test_a_doubtful_definition_never_loosens(book: Lawbook, seed: int) -> None:
    """That a definition, a parameter or any rule is doubted takes away from what is permitted, and never adds to it."""
    dice = random.Random(seed)
    laws, facts = random_book(book, dice), random_facts(dice)
    sure = may(confirmed(laws, sure=True), facts, day=DAY)
    some = may(laws, facts, day=DAY)
    none = may(confirmed(laws, sure=False), facts, day=DAY)
    never_loosens(sure, some, f"some in doubt: {shown(facts)}")
    never_loosens(some, none, f"all in doubt: {shown(facts)}")


def confirmed(book: Lawbook, *, sure: bool) -> Lawbook:
    """Return the book with everything confirmed, or nothing."""

    def whole(law: Law) -> Law:
        return replace(
            law,
            rules=tuple(replace(rule, confirmed=sure) for rule in law.rules),
            definitions=tuple(replace(item, confirmed=sure) for item in law.definitions),
            parameters=tuple(
                replace(item, values=tuple(replace(value, confirmed=sure) for value in item.values))
                for item in law.parameters
            ),
        )

    return replace(book, laws=tuple(whole(law) for law in book.laws))


# ---------------------------------------------------------------- the same again


@some
@given(seed=SEEDS, use=WHICH)
def test_a_decision_made_twice_is_the_same(book: Lawbook, seed: int, use: str) -> None:
    dice = random.Random(seed)
    facts = {**circumstances(book, dice, use), **a_person(book, dice)}
    first, second = may(book, facts, day=DAY), may(book, facts, day=DAY)
    assert first.finding == second.finding
    assert first.as_json() == second.as_json()
    plan = fold(book, book.vocabulary.read(facts), DAY)
    who = book.vocabulary.read(facts)
    for _ in range(20):  # the first people are decided the plain way, later ones by compiled code
        assert decide(plan, who).finding == first.finding


@pytest.mark.parametrize("use", USES)
def test_the_order_of_packs_laws_and_rules_does_not_matter(book: Lawbook, use: str) -> None:
    dice = random.Random(use)
    about = book.vocabulary.read(circumstances(book, dice, use))
    plans = [fold(book, about, DAY), *(fold(shuffled(book, dice), about, DAY) for _ in range(2))]
    for _ in range(60):
        who = a_person(book, dice)
        first, *others = (without_order(decide(plan, who).finding) for plan in plans)
        assert all(other == first for other in others), shown(who)


@given(seed=SEEDS)
def test_the_order_of_random_laws_does_not_matter(book: Lawbook, seed: int) -> None:
    dice = random.Random(seed)
    laws, facts = random_book(book, dice), random_facts(dice)
    found = without_order(may(laws, facts, day=DAY).finding)
    assert without_order(may(shuffled(laws, dice), facts, day=DAY).finding) == found


def shuffled(book: Lawbook, dice: random.Random) -> Lawbook:
    def mixed(law: Law) -> Law:
        rules, definitions = list(law.rules), list[Definition](law.definitions)
        dice.shuffle(rules)
        dice.shuffle(definitions)
        return replace(law, rules=tuple(rules), definitions=tuple(definitions), slots=tuple(reversed(law.slots)))

    laws = [mixed(law) for law in book.laws]
    dice.shuffle(laws)
    return replace(book, laws=tuple(laws), packs=tuple(reversed(book.packs)))


def without_order(finding: Finding) -> tuple[object, ...]:
    """Return all of a finding but the order in which things are told."""
    obligations = {
        (item.kind, frozenset((k, frozenset(v) if isinstance(v, tuple) else v) for k, v in item.parameters.items()),
         frozenset(item.rules), item.certain)
        for item in finding.obligations
    }  # fmt: skip
    reasons = {replace(reason, says="") if reason.kind == "obligations-clash" else reason for reason in finding.reasons}
    return (
        finding.verdict,
        finding.because,
        frozenset(finding.laws),
        reasons,
        obligations,
        finding.missing,
        finding.facts_read,
    )


# ---------------------------------------------------------------- what a permit is


@given(seed=SEEDS, use=WHICH)
def test_it_is_permitted_exactly_where_every_law_permits_and_every_home_is_covered(
    book: Lawbook, seed: int, use: str
) -> None:
    dice = random.Random(seed)
    plan = a_plan(book, dice, use)
    for _ in range(5):
        check_permit(decide(plan, a_person(book, dice)).finding)


@given(seed=SEEDS)
def test_so_it_is_with_random_laws(book: Lawbook, seed: int) -> None:
    dice = random.Random(seed)
    check_permit(may(random_book(book, dice), random_facts(dice), day=DAY).finding)


def check_permit(finding: Finding) -> None:
    agreed = all(answer.verdict is Verdict.PERMIT for answer in finding.laws)
    beyond = {reason.kind for reason in finding.reasons if not reason.law}
    assert beyond <= {"no-law", "obligations-clash"}
    assert (finding.verdict is Verdict.PERMIT) == (bool(finding.laws) and agreed and not beyond)
    assert finding.because or finding.verdict is Verdict.PERMIT
    for answer in finding.laws:
        own = [reason.weight for reason in finding.reasons if reason.law == answer.law]
        assert answer.verdict.strictness == max((weight.strictness for weight in own), default=0)
        assert answer.certain or answer.verdict is not Verdict.DENY


def test_a_place_with_no_law_asks(book: Lawbook) -> None:
    decision = may(book, {**US, "org.place": "AQ", **USES["a look at the record"], "person.home": "AQ"}, day=DAY)
    assert (decision.verdict, decision.because) == (Verdict.ASK, ("no-law:AQ",))


def test_before_any_law_the_answer_is_ask(book: Lawbook) -> None:
    decision = may(book, {**US, **USES["marketing by e-mail"], "person.home": "DE"}, day=date(1990, 1, 1))
    assert decision.verdict is Verdict.ASK
    assert decision.finding.laws == ()


def test_random_people_have_every_fact_of_a_person(book: Lawbook) -> None:
    """A fact that the random people lack would be tested by nobody."""
    dice = random.Random(1)
    seen = {name for _ in range(200) for name in person(book, dice)}
    assert seen == {fact.name for fact in row_facts(book)}
