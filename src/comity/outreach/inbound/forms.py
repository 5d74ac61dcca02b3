"""What somebody says who makes a way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.post.inbound.models import Sort

if TYPE_CHECKING:
    from collections.abc import Mapping

RETURN: Final = _(
    "Servers report to this address, and mail programs unsubscribe by it, with a mark behind a plus: "
    "bounces+…@mail.example.com must arrive where this way in reads."
)


class MailboxGiven(forms.Form):
    """A mailbox that is read over IMAP."""

    name = forms.CharField(label=_("Name"), max_length=80)
    address = forms.CharField(label=_("Return address"), max_length=60, required=False, help_text=RETURN)
    host = forms.CharField(label=_("Mail server"), max_length=253, help_text=_("As in mail.example.com."))
    port = forms.IntegerField(label=_("Port"), initial=993, min_value=1, max_value=65_535)
    security = forms.ChoiceField(
        label=_("Encryption"),
        choices=[("tls", "TLS"), ("starttls", "STARTTLS"), ("none", _("None: on this machine alone"))],
    )
    folder = forms.CharField(
        label=_("Folder"), initial="INBOX", max_length=60,
        help_text=_("One that nothing else reads: what was read is marked as seen."),
    )  # fmt: skip
    sign_in_as = forms.CharField(label=_("Signs in as"), max_length=200)
    secret = forms.CharField(
        label=_("Password"), widget=forms.PasswordInput,
        help_text=_("Kept in a file beside the keys, never in the database."),
    )  # fmt: skip

    sort, channel = Sort.IMAP, "email"

    @property
    def settings(self) -> Mapping[str, Any]:
        """What is kept of it as settings."""
        return {name: self.cleaned_data[name] for name in ("host", "port", "security", "folder", "sign_in_as")}


class FolderGiven(forms.Form):
    """A folder into which a mail server writes messages."""

    name = forms.CharField(label=_("Name"), max_length=80)
    address = forms.CharField(label=_("Return address"), max_length=60, required=False, help_text=RETURN)

    sort, channel = Sort.FOLDER, "email"
    settings: Mapping[str, Any] = {}


class HookGiven(forms.Form):
    """A webhook that a gateway calls."""

    name = forms.CharField(label=_("Name"), max_length=80)
    channel = forms.ChoiceField(
        label=_("Tells of"),
        choices=[("email", _("E-mail")), ("sms", _("Text messages")), ("messenger", _("Messenger"))],
    )

    sort = Sort.HOOK
    settings: Mapping[str, Any] = {}


FORMS: Final[Mapping[str, type[MailboxGiven | FolderGiven | HookGiven]]] = {
    "imap": MailboxGiven, "folder": FolderGiven, "hook": HookGiven,
}  # fmt: skip
