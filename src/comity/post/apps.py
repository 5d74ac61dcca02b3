"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class PostConfig(AppConfig):
    name = "comity.post"
    label = "post"

    def ready(self) -> None:
        """Say which gateways there are, and tell the ledger which words this room uses."""
        from comity.ledger.bodies import declare_words
        from comity.post.folders import KIND as FOLDER
        from comity.post.gateways import KINDS, register_gateway
        from comity.post.models import Stage, State
        from comity.post.smtp import KIND as SMTP

        register_gateway("smtp", SMTP)
        register_gateway("folder", FOLDER)
        declare_words(*Stage.values, *State.values, *KINDS)
