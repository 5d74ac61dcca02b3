"""What people said, as staff take it down: when and how they said it, and, for a yes, to which words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.book.editing.forms import Kept, MomentPicker, not_to_come
from comity.consent.models import Consent, Why
from comity.counsel.forms import TermField

PURPOSES: Final = ("marketing", "analytics", "service", "ask-consent", "fundraising", "targeted-advertising")
CHANNELS: Final = ("email", "sms", "call", "autocall", "messenger", "post", "fax", "in-app", "face-to-face", "none")
LONGEST: Final = Consent._meta.get_field("source").max_length  # noqa: SLF001 - Django's documented name for it


class Taken(Kept):
    """When, and how, somebody said something."""

    said_at = forms.DateTimeField(label=pgettext_lazy("moment", "When they said it"), widget=MomentPicker())
    source = forms.CharField(
        label=_("How they said it"), max_length=LONGEST,
        help_text=_("Such as: by phone, reply of 3 May, form on the website. It must be found again."),
    )  # fmt: skip

    def clean_said_at(self) -> datetime:
        """Refuse what was not said yet."""
        return not_to_come(self.cleaned_data["said_at"])


class MistakeFound(Kept):
    """Why something that is on record was never said, and how we know."""

    why = forms.ChoiceField(label=_("What went wrong"), choices=Why.choices, widget=forms.RadioSelect)
    source = forms.CharField(
        label=_("How we know"), max_length=LONGEST,
        help_text=_("Such as: recording of 3 May, Ada's word. It must be found again."),
    )  # fmt: skip


class NoTaken(Taken):
    """A no to one purpose and channel, or a yes taken back."""

    purpose = TermField(label=_("Purpose"), choices=[(one, one) for one in PURPOSES])
    channel = TermField(label=_("Channel"), choices=[(one, one) for one in CHANNELS])
    field_order: Iterable[str] | None = ("purpose", "channel", "said_at", "source")


class YesTaken(NoTaken):
    """A yes to one purpose and channel, with what proves it."""

    wording = forms.ChoiceField(
        label=_("To which words"), required=False,
        help_text=_("The wording they were shown, in its language. A yes to unknown words proves nothing."),
    )  # fmt: skip
    notice = forms.CharField(
        label=_("Or to which other words"), max_length=LONGEST, required=False,
        help_text=_("Such as on old paper: what it is called, with its version."),
    )  # fmt: skip
    express = forms.BooleanField(
        label=_("They said it expressly"), required=False,
        help_text=_("In words or by a clear act for just this; not by silence or a box that was ticked already."),
    )  # fmt: skip
    separate = forms.BooleanField(label=_("For this alone, not bundled with other things (单独同意)"), required=False)
    written = forms.BooleanField(label=_("In writing and signed"), required=False)
    names_caller = forms.BooleanField(label=_("It names us as who may write or call"), required=False)
    parental = forms.BooleanField(label=_("A parent or guardian said it, checked to be one"), required=False)
    double_opt_in = forms.BooleanField(label=_("Confirmed by a second step, such as a link by e-mail"), required=False)
    field_order: Iterable[str] | None = ("purpose", "channel", "wording", "notice", "said_at", "source")

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], name: str) -> None:
        offered = initial.get("wordings", [])
        super().__init__(data, initial={key: told for key, told in initial.items() if key != "wordings"}, name=name)
        choices = [("", say("other words")), *offered]
        self.fields["wording"].choices = choices  # type: ignore[attr-defined]  # it is a ChoiceField
        if not offered:
            del self.fields["wording"]
            self.fields["notice"].label = self["notice"].label = _("To which words")  # the field is bound by now
            self.fields["notice"].required = True

    def clean(self) -> dict[str, Any]:
        """Ask for the wording: one that we published, or another by its name."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "notice" not in self.errors and not (cleaned.get("wording") or cleaned.get("notice")):
            self.add_error("notice", say("Say to which words: a yes to unknown words proves nothing."))
        return cleaned
