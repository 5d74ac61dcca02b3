"""What Django needs to know of this room."""

from __future__ import annotations

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "comity.vault"
    label = "vault"

    def ready(self) -> None:
        """Let the names of field classes into ledger entries, and have every column's declaration checked."""
        from django.core.checks import register

        from comity.ledger.bodies import declare_words
        from comity.ledger.journal.replaying import register_kind
        from comity.vault.checks import every_column_is_declared
        from comity.vault.destroying import bring_erased
        from comity.vault.sealing import FieldClass

        declare_words(*map(str, FieldClass))
        register_kind("vault.erased", bring_erased)
        register(every_column_is_declared, "data_map")
