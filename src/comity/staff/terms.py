"""The words of roles.toml and of the law, as people say them: operations, purposes, channels, classes of fields."""

from __future__ import annotations

from django.utils.translation import pgettext_lazy

TERMS = {
    "view": pgettext_lazy("operation", "View"),
    "edit": pgettext_lazy("operation", "Edit"),
    "import": pgettext_lazy("operation", "Import"),
    "export": pgettext_lazy("operation", "Export"),
    "merge": pgettext_lazy("operation", "Merge"),
    "contact": pgettext_lazy("operation", "Contact"),
    "share": pgettext_lazy("operation", "Share"),
    "sell": pgettext_lazy("operation", "Sell"),
    "transfer": pgettext_lazy("operation", "Transfer"),
    "profile": pgettext_lazy("operation", "Profile"),
    "decide": pgettext_lazy("operation", "Decide"),
    "store": pgettext_lazy("operation", "Store"),
    "erase": pgettext_lazy("operation", "Erase"),
    "marketing": pgettext_lazy("purpose", "marketing"),
    "targeted-advertising": pgettext_lazy("purpose", "targeted advertising"),
    "service": pgettext_lazy("purpose", "service"),
    "fundraising": pgettext_lazy("purpose", "fundraising"),
    "care": pgettext_lazy("purpose", "care"),
    "ask-consent": pgettext_lazy("purpose", "asking for consent"),
    "analytics": pgettext_lazy("purpose", "analytics"),
    "security": pgettext_lazy("purpose", "security"),
    "legal-duty": pgettext_lazy("purpose", "legal duty"),
    "recruitment": pgettext_lazy("purpose", "recruitment"),
    "none": pgettext_lazy("channel", "no channel"),
    "email": pgettext_lazy("channel", "e-mail"),
    "sms": pgettext_lazy("channel", "text message"),
    "call": pgettext_lazy("channel", "call"),
    "autocall": pgettext_lazy("channel", "automated call"),
    "fax": pgettext_lazy("channel", "fax"),
    "messenger": pgettext_lazy("channel", "messenger"),
    "post": pgettext_lazy("channel", "post"),
    "in-app": pgettext_lazy("channel", "in the app"),
    "face-to-face": pgettext_lazy("channel", "face to face"),
}
FIELDS = {
    "name": pgettext_lazy("fields", "name"),
    "contact": pgettext_lazy("fields", "e-mail and phone"),
    "address": pgettext_lazy("fields", "address"),
    "identifier": pgettext_lazy("fields", "identifiers"),
    "note": pgettext_lazy("fields", "notes"),
    "message": pgettext_lazy("fields", "messages"),
    "attachment": pgettext_lazy("fields", "attachments"),
    "special": pgettext_lazy("fields", "special categories"),
}


def term(word: object) -> str:
    """Return a word of the law or of roles.toml, such as ask-consent, as people say it in their language."""
    return str(TERMS.get(str(word), word))


def fields_term(field_class: object) -> str:
    """Return a class of fields, such as identifier, as people say it in their language."""
    return str(FIELDS.get(str(field_class), field_class))
