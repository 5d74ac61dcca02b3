"""What somebody says who makes a campaign: what it is for, what it says, by which way it goes, how we sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from comity.outreach.campaigns.models import Campaign, Imprint
from comity.outreach.composing.content import Content, Wording, problems
from comity.post.models import Gateway
from comity.staff.terms import term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.staff.models import Entity

ROWS: Final = 16
LANGUAGES: Final = ("en", "zh-hans", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi")
"""Those in which the law's own passages can be written beside the words."""
PLACES: Final = _(
    "Places such as {given}, {family|friend} or {entity} are filled for each reader. What the law of a reader wants "
    "beside it (who sends, how to refuse, a mark of advertising) is added by itself."
)


class CampaignBegun(forms.Form):
    """What a campaign is called, and what it is for."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Only staff see it."))
    purpose = forms.ChoiceField(label=_("What it is for"), help_text=_("The law is asked about just this purpose."))

    def __init__(self, *args: Any, purposes: Sequence[str], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["purpose"].choices = [(one, term(one)) for one in purposes]  # type: ignore[attr-defined]  # a ChoiceField


class WordsGiven(forms.Form):
    """What a campaign says in one language."""

    subject = forms.CharField(label=_("Subject"), max_length=200)
    preheader = forms.CharField(
        label=_("Preview"), max_length=200, required=False, help_text=_("What mail programs show beside the subject.")
    )
    body = forms.CharField(
        label=_("Message"),
        widget=forms.Textarea(attrs={"rows": ROWS}),
        max_length=200_000,
        help_text=PLACES,
        strip=False,
    )

    def __init__(self, *args: Any, campaign: Campaign, language: str, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.before, self.language = campaign.content, language
        if self.before and (wording := self.before["wordings"].get(language)):
            self.initial.update(wording)

    @property
    def content(self) -> Content:
        """The content with these words in it."""
        told = self.cleaned_data
        wording = Wording(subject=told["subject"], preheader=told["preheader"], body=told["body"])
        if not self.before:
            return Content(language=self.language, wordings={self.language: wording})
        before = Content.from_json(self.before)
        return Content(language=before.language, wordings={**before.wordings, self.language: wording}, form=before.form)

    def clean(self) -> dict[str, Any]:
        """Show what must be mended where it stands."""
        told = super().clean() or {}
        if not self.errors:
            for problem in problems(self.content):
                if problem.level == "error" and problem.language == self.language:
                    self.add_error(problem.where, ValidationError(f"{problem.says} {problem.cure}"))
        return told


class LanguageAdded(forms.Form):
    """A language in which a campaign is to be written, too."""

    language = forms.ChoiceField(
        label=_("Language"), choices=[(code, LANG_INFO[code]["name_local"]) for code in LANGUAGES]
    )


class WayChosen(forms.Form):
    """By which gateway a campaign goes out."""

    gateway = forms.ModelChoiceField(label=_("Goes out by"), queryset=Gateway.objects.none(), empty_label=None)

    def __init__(self, *args: Any, entity: Entity, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        ways = Gateway.objects.filter(entity=entity, channel="email", ended_at=None)
        self.fields["gateway"].queryset = ways  # type: ignore[attr-defined]  # a ModelChoiceField


class ImprintGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """How an entity of ours signs what it sends."""

    website = forms.URLField(label=_("website"), max_length=200, required=False, assume_scheme="https")

    class Meta:
        model = Imprint
        fields = ("address", "reply_to", "postal_address", "language", "email", "phone", "website", "register")
        widgets = {"postal_address": forms.Textarea(attrs={"rows": 4})}


class RelayGiven(forms.Form):
    """A mail relay, by which messages go out."""

    name = forms.CharField(label=_("Name"), max_length=80)
    host = forms.CharField(label=_("Relay"), max_length=253, help_text=_("As in mail.example.com."))
    port = forms.IntegerField(label=_("Port"), initial=587, min_value=1, max_value=65_535)
    security = forms.ChoiceField(
        label=_("Encryption"),
        choices=[("starttls", "STARTTLS"), ("tls", "TLS"), ("none", _("None: on this machine alone"))],
    )
    sign_in_as = forms.CharField(label=_("Signs in as"), max_length=200, required=False)
    secret = forms.CharField(
        label=_("Password"), required=False, widget=forms.PasswordInput,
        help_text=_("Kept in a file beside the keys, never in the database."),
    )  # fmt: skip


class WhyToMany(forms.Form):
    """Why so many are written to, for whoever approves it."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
