"""What the laws answer for people whose facts are as a signature says: the verdict and every reason for it.

Everything that decides goes through `find`; how a signature came about (a dictionary, DuckDB, PostgreSQL, Spark) is no
matter to it, so all engines answer alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from comity.law.conditions import FALSE, TRUE, UNKNOWN, Condition, Test, Truth, truth, wanting
from comity.law.folding import HOME, FoldedLaw, LocalPlan
from comity.law.lawbook import Law, Rule, Verdict
from comity.law.obligations import Clash, Merged, Wanted, merge

Kind = Literal[
    "forbidden", "no-ground", "may-be-forbidden", "ground-uncertain", "human-decides", "not-covered", "no-law",
    "cannot-be-met", "obligations-clash", "ground", "exception",
]  # fmt: skip

SHOWN_PLACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason for a verdict.

    `rule` is a rule's id, a slot's (`eu-gdpr:basis`), or `<law>:not-covered`, `no-law:<place>`. `weight` is what the
    reason alone would lead to; `missing` are the facts that would settle it.
    """

    law: str
    rule: str
    kind: Kind
    weight: Verdict
    says: str
    cite: str = ""
    url: str = ""
    confirmed: bool = True
    cures: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LawAnswer:
    """What one law answers; `certain` says whether it certainly governs."""

    law: str
    name: str
    verdict: Verdict
    certain: bool


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What all laws together answer for one signature, shared by everybody who has it."""

    verdict: Verdict
    laws: tuple[LawAnswer, ...]
    reasons: tuple[Reason, ...]
    obligations: tuple[Merged, ...]
    facts_read: tuple[str, ...]

    @cached_property
    def because(self) -> tuple[str, ...]:
        """The ids of the rules that decided: those whose weight is the verdict."""
        return tuple(sorted({reason.rule for reason in self.reasons if reason.weight is self.verdict}))

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The facts that would settle what is open."""
        return tuple(sorted({fact for reason in self.reasons for fact in reason.missing}))

    @cached_property
    def cures(self) -> tuple[str, ...]:
        """What would lift the reasons against, in the order of the reasons."""
        against = (reason for reason in self.reasons if reason.weight is not Verdict.PERMIT)
        return tuple(dict.fromkeys(cure for reason in against for cure in reason.cures))


def find(plan: LocalPlan, known: Mapping[Test, Truth]) -> Finding:
    """Return what the laws of `plan` answer, given the truth of each test."""
    cases = {inner: _Case(inner, known) for inner in dict.fromkeys([plan, *plan.inner.values()])}
    case = cases[plan]
    answers: list[LawAnswer] = []
    reasons: list[Reason] = []
    wanted: list[Wanted] = []
    for folded in plan.laws:
        law = folded.law
        governs = case.governs[law.id]
        if governs == FALSE:
            continue
        there = cases[plan.inner[law.id]]
        found = list(case.as_governing(there.reasons_if_governing(law.id), folded, governs))
        answers.append(LawAnswer(law=law.id, name=law.name, verdict=_strictest(found), certain=governs == TRUE))
        reasons += found
        wanted += there.wanted(law.id, governs)
    reasons += case.home_reasons()
    merged, clashes = merge(wanted, plan.plan.book.obligations)
    reasons += (_clash(clash) for clash in clashes)
    verdict = _strictest(reasons) if answers else Verdict.ASK
    ordered = tuple(sorted(reasons, key=lambda reason: -reason.weight.strictness))
    read = tuple(sorted({test.fact for test in plan.tests} | {HOME}))
    return Finding(verdict=verdict, laws=tuple(answers), reasons=ordered, obligations=merged, facts_read=read)


class _Case:
    """The truth of everything for one signature."""

    def __init__(self, plan: LocalPlan, known: Mapping[Test, Truth]) -> None:
        self.plan = plan
        self.known = known
        self.governs = {folded.law.id: self.truth(folded.governs) for folded in plan.laws}
        self.exceptions: dict[str, list[tuple[Rule, Condition]]] = {}
        self.grounds: dict[str, list[tuple[Rule, Condition]]] = {}
        for folded in plan.laws:
            for rule, condition in folded.rules:
                for target in rule.exception_to:
                    self.exceptions.setdefault(target, []).append((rule, condition))
                for slot in (rule.slot, *rule.fills):
                    if slot and rule.effect == "ground":
                        self.grounds.setdefault(slot, []).append((rule, condition))

    def truth(self, condition: Condition) -> Truth:
        return truth(condition, self.known)

    def missing(self, *conditions: Condition) -> tuple[str, ...]:
        return tuple(sorted(frozenset().union(*(wanting(condition, self.known) for condition in conditions))))

    def force(self, rule: Rule, condition: Condition) -> Truth:
        """Return how far a rule holds once the exceptions that lift it are counted."""
        lifted = max((self.lifts(*exception) for exception in self.exceptions.get(rule.id, ())), default=FALSE)
        return min(self.truth(condition), TRUE - lifted)

    def lifts(self, rule: Rule, condition: Condition) -> Truth:
        """Return how far an exception or a ground counts: as far as its law governs and nothing lifts it."""
        return min(self.force(rule, condition), self.governs.get(rule.law, FALSE))

    def open_facts(self, rule: Rule, condition: Condition, governs: Condition) -> tuple[str, ...]:
        """Return the facts that would settle whether a rule holds."""
        exceptions = [part for _, part in self.exceptions.get(rule.id, ())]
        laws = [self.plan.by_law[item.law].governs for item, _ in self.exceptions.get(rule.id, ())]
        return self.missing(condition, governs, *exceptions, *laws)

    def as_governing(self, found: Iterable[Reason], folded: FoldedLaw, governs: Truth) -> Iterator[Reason]:
        """Yield a law's reasons; one that only possibly governs turns its deny into ask."""
        for reason in found:
            if reason.weight is Verdict.DENY and governs == UNKNOWN:
                missing = tuple(sorted({*reason.missing, *self.missing(folded.governs)}))
                kind: Kind = "may-be-forbidden" if reason.kind == "forbidden" else "ground-uncertain"
                yield _changed(reason, kind, missing)
            else:
                yield reason

    def reasons_if_governing(self, law_id: str) -> Iterator[Reason]:
        """Yield every reason of one law as it is if the law governs."""
        folded = self.plan.by_law[law_id]
        for rule, condition in folded.rules:
            force = self.force(rule, condition)
            if rule.effect == "forbid" and force == TRUE:
                yield _of_rule(rule, "forbidden", Verdict.DENY)
            elif rule.effect == "forbid" and force == UNKNOWN:
                yield _of_rule(rule, "may-be-forbidden", Verdict.ASK, self.open_facts(rule, condition, folded.governs))
            elif rule.effect == "refer" and force != FALSE:
                yield _of_rule(rule, "human-decides", Verdict.ASK, self.open_facts(rule, condition, folded.governs))
            elif rule.effect == "require" and force != FALSE:
                yield from self.unmet(rule)
            if rule.effect in {"forbid", "refer"} and self.truth(condition) != FALSE and force == FALSE:
                yield from self.lifting(rule)
        for slot, applies in folded.slots:
            yield from self.slot_reasons(folded.law, slot.id, applies)
        if self.truth(folded.covers) != TRUE:
            yield _not_covered(folded.law, self.missing(folded.covers))

    def lifting(self, rule: Rule) -> Iterator[Reason]:
        for exception, condition in self.exceptions.get(rule.id, ()):
            if self.lifts(exception, condition) == TRUE:
                yield _of_rule(exception, "exception", Verdict.PERMIT)

    def unmet(self, rule: Rule) -> Iterator[Reason]:
        """Yield a reason to ask where an obligation cannot be met for want of a fact about the use, us or the person."""
        plan = self.plan.plan
        for fact in rule.needs:
            tests = [test for test in self.plan.tests if test.fact == fact]
            if plan.fixed.get(fact) is None and not any(self.known[test] != UNKNOWN for test in tests):
                yield _of_rule(rule, "cannot-be-met", Verdict.ASK, (fact,))

    def slot_reasons(self, law: Law, slot_id: str, applies: Condition) -> Iterator[Reason]:
        needed = self.truth(applies)
        if needed == FALSE:
            return
        grounds = self.grounds.get(slot_id, [])
        filled = max((self.lifts(*ground) for ground in grounds), default=FALSE)
        if filled == TRUE:
            for rule, condition in grounds:
                if self.lifts(rule, condition) == TRUE:
                    yield _of_rule(rule, "ground", Verdict.PERMIT)
            return
        slot = next(slot for slot in law.slots if slot.id == slot_id)
        empty = filled == FALSE and needed == TRUE
        conditions = [condition for rule, condition in grounds if self.lifts(rule, condition) == UNKNOWN]
        laws = [self.plan.by_law[rule.law].governs for rule, _ in grounds]
        yield Reason(
            law=law.id, rule=slot_id, kind="no-ground" if empty else "ground-uncertain",
            weight=Verdict.DENY if empty else Verdict.ASK, says=slot.says, cite=slot.cite, url=law.source.url,
            cures=slot.cures, missing=() if empty else self.missing(applies, *conditions, *laws),
        )  # fmt: skip

    def wanted(self, law_id: str, governs: Truth) -> Iterator[Wanted]:
        """Yield what one law wants to accompany the use."""
        folded = self.plan.by_law[law_id]
        for rule, condition in folded.rules:
            if rule.effect == "require" and rule.obligation is not None:
                force = min(self.force(rule, condition), governs)
                if force != FALSE:
                    yield Wanted(rule.obligation, rule.id, force == TRUE)

    def home_reasons(self) -> list[Reason]:
        """Return a reason for the places the person may live in and no law of ours covers."""
        open_places = [home for home, covered in self.plan.uncovered_homes.items() if self.truth(covered) != TRUE]
        if not open_places:
            return []
        shown = ", ".join(open_places[:SHOWN_PLACES]) + (" …" if len(open_places) > SHOWN_PLACES else "")
        conditions = [self.plan.uncovered_homes[home] for home in open_places]
        missing = {*self.missing(*conditions), *({HOME} if len(self.plan.homes) > 1 else ())}
        anywhere = len(open_places) > SHOWN_PLACES
        says = (
            "It is not known where the person lives."
            if anywhere
            else f"No law pack covers this use for people in {shown}."
        )
        cure = "find-home" if HOME in missing else "ask-counsel"
        return [
            Reason(
                law="", rule=f"no-law:{'anywhere' if anywhere else '|'.join(open_places)}", kind="no-law",
                weight=Verdict.ASK, says=says, cures=(cure,), missing=tuple(sorted(missing)),
            )
        ]  # fmt: skip


def _of_rule(rule: Rule, kind: Kind, weight: Verdict, missing: tuple[str, ...] = ()) -> Reason:
    return Reason(
        law=rule.law, rule=rule.id, kind=kind, weight=weight, says=rule.says, cite=rule.source.cite, url=rule.source.url,
        confirmed=rule.confirmed, cures=rule.cures, missing=missing,
    )  # fmt: skip


def _changed(reason: Reason, kind: Kind, missing: tuple[str, ...]) -> Reason:
    return Reason(
        law=reason.law, rule=reason.rule, kind=kind, weight=Verdict.ASK, says=reason.says, cite=reason.cite,
        url=reason.url, confirmed=reason.confirmed, cures=reason.cures, missing=missing,
    )  # fmt: skip


def _not_covered(law: Law, missing: tuple[str, ...]) -> Reason:
    return Reason(
        law=law.id, rule=f"{law.id}:not-covered", kind="not-covered", weight=Verdict.ASK,
        says=f"{law.name} governs here, but its rules for this case are not encoded.", cite=law.source.cite,
        url=law.source.url, cures=("ask-counsel",), missing=missing,
    )  # fmt: skip


def _clash(clash: Clash) -> Reason:
    return Reason(
        law="", rule=f"clash:{clash.kind}", kind="obligations-clash", weight=Verdict.ASK,
        says=f"These rules cannot be met together ({clash.kind}, {clash.parameter}): {', '.join(clash.rules)}.",
        cures=("ask-counsel",),
    )  # fmt: skip


def _strictest(reasons: list[Reason]) -> Verdict:
    return max((reason.weight for reason in reasons), key=lambda verdict: verdict.strictness, default=Verdict.PERMIT)
