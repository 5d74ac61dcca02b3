"""What the rooms below must know of mails to one person when the application starts."""

from __future__ import annotations


def begin() -> None:
    """Let them be composed, kept among what happened with their person, and moved with that person."""
    from comity.book.merging.actions import register as register_mover
    from comity.outreach.correspondence.actions import keep_contact
    from comity.outreach.correspondence.merging import Mover
    from comity.outreach.correspondence.writing import KIND, OwnWriter
    from comity.post.letters import register_aftermath, register_composer

    register_composer(KIND, OwnWriter())
    register_aftermath("correspondence", keep_contact)
    register_mover("correspondence", Mover())
