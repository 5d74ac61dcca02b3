"""What the rooms below must know of people's own pages when the application starts."""

from __future__ import annotations


def begin() -> None:
    """Let codes go out, to whoever asked for one, in the book or not."""
    from comity.consent.standing_still import register_waiting
    from comity.counsel.facts import register
    from comity.ledger.bodies import declare_words
    from comity.post.letters import register_composer
    from comity.rights.portal.stopping import What
    from comity.rights.portal.writing import KIND, CodeWriter, columns_of, facts_of, waiting

    register_composer(KIND, CodeWriter())
    register_waiting("portal", waiting)
    register("portal", facts_of, columns_of)
    declare_words(*What)
