"""What the laws answer for people whose facts are as a signature says: the verdict and every reason for it.

Everything that decides goes through `find`; how a signature came about (a dictionary, DuckDB, PostgreSQL, Spark) is no
matter to it, so all engines answer alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from comity.law.conditions import ALWAYS, FALSE, TRUE, UNKNOWN, Condition, Test, Truth, truth, wanting
from comity.law.folding import HOME, FoldedLaw, LawThere, LocalPlan, Plan
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


def find(plan: LocalPlan, signature: int) -> Finding:
    """Return what the laws of `plan` answer for people with this signature."""
    return _together(plan, tuple(_all_said(plan, signature)), _home_reasons(plan, signature))


def permits(plan: LocalPlan, signature: int) -> bool:
    """Tell whether the laws permit, as `find` would, but stop at the first reason against."""
    lenient = all(one.answer.verdict is Verdict.PERMIT for one in _all_said(plan, signature))
    return lenient and find(plan, signature).verdict is Verdict.PERMIT


def _together(plan: LocalPlan, said: tuple[_Said, ...], of_homes: tuple[Reason, ...]) -> Finding:
    """Return the finding of laws that say this; many signatures come to the same."""
    key = (tuple(map(id, said)), of_homes)
    memory: dict[object, tuple[tuple[_Said, ...], Finding]] = plan.__dict__.setdefault("findings", {})
    if key not in memory:
        merged, clashes = _merged(plan.plan, [item for one in said for item in one.wanted])
        reasons = [reason for one in said for reason in one.reasons]
        reasons += [*of_homes, *(_clash(clash) for clash in clashes)]
        finding = Finding(
            verdict=_strictest(reasons) if said else Verdict.ASK,
            laws=tuple(one.answer for one in said),
            reasons=tuple(sorted(reasons, key=lambda reason: -reason.weight.strictness)),
            obligations=merged,
            facts_read=plan.facts_read,
        )
        memory[key] = said, finding  # what was said is kept, so that no other comes to have its id
    return memory[key][1]


def _merged(plan: Plan, wanted: Sequence[Wanted]) -> tuple[tuple[Merged, ...], tuple[Clash, ...]]:
    """Merge what the laws want; many findings want the same."""
    key = tuple((item.rule, item.certain) for item in wanted)
    memory: dict[object, tuple[tuple[Merged, ...], tuple[Clash, ...]]] = plan.__dict__.setdefault("merged", {})
    if key not in memory:
        memory[key] = merge(wanted, plan.book.obligations)
    return memory[key]


@dataclass(slots=True)
class _Said:
    """What one law says: its answer, its reasons and what it wants; and the same where it only possibly governs."""

    answer: LawAnswer
    reasons: list[Reason]
    wanted: list[Wanted]
    if_governing: dict[frozenset[str], _Said] = field(default_factory=dict)  # by the facts that would settle whether


def _all_said(plan: LocalPlan, signature: int) -> Iterator[_Said]:
    """Yield what each law says that may govern."""
    for there in plan.asked:
        said = _said_of(there, signature & there.care)
        if said is not None:
            yield said


def _said_of(there: LawThere, signature: int) -> _Said | None:
    """Return what one law says of people with this signature, None where it does not govern.

    It depends on few of the tests, so it is remembered by these alone, for all places that are the same to the law.
    """
    memory: dict[int, _Said | None] = there.__dict__.setdefault("memory", {})
    if signature not in memory:
        memory[signature] = _governed(there, there.truths(signature))
    return memory[signature]


def _governed(there: LawThere, known: Mapping[Test, Truth]) -> _Said | None:
    """Return what a law says as far as it governs, None where it does not."""
    governs = truth(there.governs, known)
    if governs == FALSE:
        return None
    case = _LawCase(there.plan, there.folded, known)
    said = _said(there.folded.law, list(case.reasons()), list(case.wanted()), certain=True)
    alike = (tuple(said.reasons), tuple((item.rule, item.certain) for item in said.wanted))
    said = there.__dict__.setdefault("alike", {}).setdefault(alike, said)
    return said if governs == TRUE else _if_governing(said, there.folded.law, wanting(there.governs, known))


def _said(law: Law, reasons: list[Reason], wanted: list[Wanted], *, certain: bool) -> _Said:
    answer = LawAnswer(law=law.id, name=law.name, verdict=_strictest(reasons), certain=certain)
    return _Said(answer, reasons, wanted)


def _if_governing(there: _Said, law: Law, missing: frozenset[str]) -> _Said:
    """Return what a law says that only possibly governs, for want of the facts that are missing."""
    if missing not in there.if_governing:
        reasons = [_softened(reason, missing) for reason in there.reasons]
        wanted = [replace(item, certain=False) for item in there.wanted]
        there.if_governing[missing] = _said(law, reasons, wanted, certain=False)
    return there.if_governing[missing]


def _softened(reason: Reason, missing: frozenset[str]) -> Reason:
    """Turn the deny of a law that only possibly governs into ask."""
    if reason.weight is not Verdict.DENY:
        return reason
    kind: Kind = "may-be-forbidden" if reason.kind == "forbidden" else "ground-uncertain"
    return replace(reason, kind=kind, weight=Verdict.ASK, missing=tuple(sorted({*reason.missing, *missing})))


class _LawCase:
    """One law that governs, and the truth of every test: its reasons and what it wants."""

    def __init__(self, plan: LocalPlan, folded: FoldedLaw, known: Mapping[Test, Truth]) -> None:
        self.plan = plan
        self.folded = folded
        self.known = known

    def truth(self, condition: Condition) -> Truth:
        return truth(condition, self.known)

    def missing(self, *conditions: Condition) -> tuple[str, ...]:
        return tuple(sorted(frozenset().union(*(wanting(condition, self.known) for condition in conditions))))

    def governs(self, law_id: str) -> Condition:
        """Return when a law governs, for what it lends to this one; this one does."""
        return ALWAYS if law_id == self.folded.law.id else self.plan.by_law[law_id].governs

    def force(self, rule: Rule, condition: Condition) -> Truth:
        """Return how far a rule holds once the exceptions that lift it are counted."""
        lifted = max((self.lifts(*exception) for exception in self.plan.exceptions.get(rule.id, ())), default=FALSE)
        return min(self.truth(condition), TRUE - lifted)

    def lifts(self, rule: Rule, condition: Condition) -> Truth:
        """Return how far an exception or a ground counts: as far as its law governs and nothing lifts it."""
        return min(self.force(rule, condition), self.truth(self.governs(rule.law)))

    def open_facts(self, rule: Rule, condition: Condition) -> tuple[str, ...]:
        """Return the facts that would settle whether a rule holds."""
        exceptions = self.plan.exceptions.get(rule.id, ())
        return self.missing(
            condition, *(part for _, part in exceptions), *(self.governs(item.law) for item, _ in exceptions)
        )

    def reasons(self) -> Iterator[Reason]:
        """Yield every reason of the law."""
        folded = self.folded
        for rule, condition in folded.rules:
            force = self.force(rule, condition)
            if rule.effect == "forbid" and force == TRUE:
                yield self.reason(rule, "forbidden", Verdict.DENY)
            elif rule.effect == "forbid" and force == UNKNOWN:
                yield self.reason(rule, "may-be-forbidden", Verdict.ASK, self.open_facts(rule, condition))
            elif rule.effect == "refer" and force != FALSE:
                yield self.reason(rule, "human-decides", Verdict.ASK, self.open_facts(rule, condition))
            elif rule.effect == "require" and force != FALSE:
                yield from self.unmet(rule)
            if rule.effect in {"forbid", "refer"} and self.truth(condition) != FALSE and force == FALSE:
                yield from self.lifting(rule)
        for slot, applies in folded.slots:
            yield from self.slot_reasons(folded.law, slot.id, applies)
        if self.truth(folded.covers) != TRUE:
            yield _not_covered(folded.law, self.missing(folded.covers))

    def lifting(self, rule: Rule) -> Iterator[Reason]:
        for exception, condition in self.plan.exceptions.get(rule.id, ()):
            if self.lifts(exception, condition) == TRUE:
                yield self.reason(exception, "exception", Verdict.PERMIT)

    def unmet(self, rule: Rule) -> Iterator[Reason]:
        """Yield a reason to ask where an obligation cannot be met for want of a fact, whatever it is about."""
        for test in (test for test in self.folded.needed if test.fact in rule.needs):
            if not self.is_known(test):
                yield self.reason(rule, "cannot-be-met", Verdict.ASK, (test.fact,))

    def is_known(self, test: Test) -> bool:
        """Tell whether the fact of a test is known; of homes, whether there is but one."""
        fixed = self.plan.plan.fixed
        if test.fact == HOME:
            return len(self.plan.homes) == 1
        return fixed[test.fact] is not None if test.fact in fixed else self.known[test] != UNKNOWN

    def slot_reasons(self, law: Law, slot_id: str, applies: Condition) -> Iterator[Reason]:
        needed = self.truth(applies)
        if needed == FALSE:
            return
        grounds = self.plan.grounds.get(slot_id, ())
        filled = max((self.lifts(*ground) for ground in grounds), default=FALSE)
        if filled == TRUE:
            for rule, condition in grounds:
                if self.lifts(rule, condition) == TRUE:
                    yield self.reason(rule, "ground", Verdict.PERMIT)
            return
        slot = next(slot for slot in law.slots if slot.id == slot_id)
        empty = filled == FALSE and needed == TRUE
        conditions = [condition for rule, condition in grounds if self.lifts(rule, condition) == UNKNOWN]
        laws = [self.governs(rule.law) for rule, _ in grounds]
        yield Reason(
            law=law.id, rule=slot_id, kind="no-ground" if empty else "ground-uncertain",
            weight=Verdict.DENY if empty else Verdict.ASK, says=slot.says, cite=slot.cite, url=law.source.url,
            cures=slot.cures, missing=() if empty else self.missing(applies, *conditions, *laws),
        )  # fmt: skip

    def reason(self, rule: Rule, kind: Kind, weight: Verdict, missing: tuple[str, ...] = ()) -> Reason:
        return Reason(
            law=rule.law, rule=rule.id, kind=kind, weight=weight, says=rule.says, cite=rule.cited(self.plan.plan.day),
            url=rule.source.url, confirmed=rule.confirmed, cures=rule.cures, missing=missing,
        )  # fmt: skip

    def wanted(self) -> Iterator[Wanted]:
        """Yield what the law wants to accompany the use."""
        for rule, condition in self.folded.rules:
            if rule.effect == "require" and rule.obligation is not None:
                force = self.force(rule, condition)
                if force != FALSE:
                    yield Wanted(rule.obligation, rule.id, force == TRUE)


def _home_reasons(plan: LocalPlan, signature: int) -> tuple[Reason, ...]:
    """Return a reason for the places the person may live in and no law of ours covers."""
    memory: dict[int, tuple[Reason, ...]] = plan.__dict__.setdefault("home_reasons", {})
    key = signature & plan.care_of_homes
    if key not in memory:
        memory[key] = tuple(_uncovered(plan, plan.plan.truths(plan.tests_of_homes, key)))
    return memory[key]


def _uncovered(plan: LocalPlan, known: Mapping[Test, Truth]) -> Iterator[Reason]:
    open_places = [home for home, covered in plan.uncovered_homes.items() if truth(covered, known) != TRUE]
    if not open_places:
        return
    shown = ", ".join(open_places[:SHOWN_PLACES]) + (" …" if len(open_places) > SHOWN_PLACES else "")
    missing = {fact for home in open_places for fact in wanting(plan.uncovered_homes[home], known)}
    missing |= {HOME} if len(plan.homes) > 1 else set()
    anywhere = len(open_places) > SHOWN_PLACES
    says = (
        "It is not known where the person lives." if anywhere else f"No law pack covers this use for people in {shown}."
    )
    yield Reason(
        law="", rule=f"no-law:{'anywhere' if anywhere else '|'.join(open_places)}", kind="no-law",
        weight=Verdict.ASK, says=says, cures=("find-home" if HOME in missing else "ask-counsel",),
        missing=tuple(sorted(missing)),
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
