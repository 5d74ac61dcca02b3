"""What the rooms below must know of forms when the application starts."""

from __future__ import annotations


def begin() -> None:
    """Let confirmations be composed, for people who are in no book yet and of whom the law is told what they said."""
    from comity.consent.standing_still import register_waiting
    from comity.counsel.facts import register
    from comity.ledger.bodies import declare_words
    from comity.outreach.forms.coming_in import KIND
    from comity.outreach.forms.models import Proof, Young
    from comity.outreach.forms.writing import Confirmer, columns_of, facts_of, waiting
    from comity.post.letters import register_composer

    register_composer(KIND, Confirmer())
    register_waiting("forms", waiting)
    register("forms", facts_of, columns_of)
    declare_words(*Proof.values, *Young.values)
