"""What the law will say of people who are not in the book yet: an import shows it before anybody is brought in.

Nothing is recorded: nobody is looked at, and what is done once they are here is asked about anew.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from comity.check.checking import OPT_OUTS
from comity.counsel.asking import Answer, plan_for
from comity.counsel.facts import opt_out_fact, tells_opt_outs
from comity.counsel.rulings import ruling_for, rulings_on
from comity.law import decide
from comity.law.vocabulary import aged
from comity.refs import new_ref

if TYPE_CHECKING:
    from collections.abc import Collection

    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts

MOST_ANSWERS: Final = 100_000
"""Kinds of people whose answer is remembered, since most of a list are alike."""


class Foresight:
    """One question about newcomers. Only a list that is complete for opt-outs tells that somebody has none."""

    def __init__(self, question: Question, day: date) -> None:
        """Fold the law for the question. Raises FactError for one that the vocabulary cannot read."""
        self.question, self.day = question, day
        self.plan = plan_for(question, day)
        self.rulings = rulings_on(question, day)
        self.nobody = new_ref()
        self.known: dict[frozenset[tuple[str, object]], Answer] = {}

    def of(self, facts: Facts, *, complete_for: Collection[str] | None = ()) -> Answer:
        """Return the answer about somebody with these facts, from a list that is complete for these opt-outs.

        `complete_for` are channels and operations, None for all: as `Relation.opt_outs_known` keeps it.
        """
        known = tells_opt_outs(self.question, complete_for)
        noes = {name: opt_out_fact(said=facts.get(name) is True, known=known) for name in OPT_OUTS}
        facts = {**facts, **noes}
        key = frozenset(facts.items())
        answer = self.known.get(key)
        if answer is None:
            if len(self.known) > MOST_ANSWERS:
                self.known.clear()
            decision = decide(self.plan, aged(facts, self.day))
            ruling = ruling_for(decision, self.nobody, self.rulings)
            answer = self.known[key] = Answer(decision=decision, ruling=ruling)
        return answer
