"""What Django needs to know of this room."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class PostConfig(AppConfig):
    name = "comity.post"
    label = "post"

    def import_models(self) -> None:
        """Let Django find the tables of every part of this room, each in a module of its own."""
        super().import_models()
        for part in ("inbound", "pacing"):
            import_module(f"comity.post.{part}.models")

    def ready(self) -> None:
        """Say which gateways there are, and tell the ledger which words this room uses."""
        from comity.ledger.bodies import declare_words
        from comity.ledger.journal.replaying import register_put_back
        from comity.post.actions import stop_after_put_back
        from comity.post.adapters import Twilio, WeChat, WhatsApp
        from comity.post.folders import CALLS, LETTERS
        from comity.post.folders import KIND as FOLDER
        from comity.post.gateways import KINDS, register_gateway
        from comity.post.http import kind_of
        from comity.post.inbound.models import Did
        from comity.post.inbound.models import Sort as WayIn
        from comity.post.inbound.understanding import Came
        from comity.post.models import Stage, State
        from comity.post.pacing.actions import DAYS
        from comity.post.smtp import KIND as SMTP

        register_gateway("smtp", SMTP)
        register_gateway("folder", FOLDER)
        register_gateway("call-list", CALLS)
        register_gateway("mail-merge", LETTERS)
        register_gateway("twilio", kind_of(Twilio()))
        register_gateway("whatsapp", kind_of(WhatsApp()))
        register_gateway("wechat", kind_of(WeChat()))
        declare_words(*Stage.values, *State.values, *KINDS, *WayIn.values, *Did.values, *(one.value for one in Came))
        declare_words(*DAYS, "all")
        register_put_back("post", stop_after_put_back)
