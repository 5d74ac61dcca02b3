"""What somebody says who makes a campaign: what it is for, what it says, by which way it goes, how we sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from django import forms
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from comity.outreach.campaigns.channels import CHANNELS
from comity.outreach.campaigns.models import Imprint, Template
from comity.outreach.composing.content import Content, Wording, problems
from comity.post.models import Gateway
from comity.staff.terms import TERMS, term

if TYPE_CHECKING:
    from comity.outreach.composing.content import Form
    from comity.post.gateways import Kind
    from comity.staff.models import Entity

ROWS: Final = 16
LANGUAGES: Final = ("en", "zh-hans", "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi")
"""Those in which the law's own passages can be written beside the words."""
PLACES: Final = _(
    "Places such as {given}, {family|friend} or {entity} are filled for each reader. What the law of a reader wants "
    "beside it (who sends, how to refuse, a mark of advertising) is added by itself."
)


class CampaignBegun(forms.Form):
    """What a campaign is called, what it is for, and by which channel it goes."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Only staff see it."))
    purpose = forms.ChoiceField(label=_("What it is for"), help_text=_("The law is asked about just this purpose."))
    channel = forms.ChoiceField(
        label=_("By which channel"), choices=[(one, TERMS[one]) for one in CHANNELS], initial="email", required=False,
        help_text=_("The law is another for each. It stays what it is chosen to be here."),
    )  # fmt: skip
    template = forms.ModelChoiceField(
        label=_("Begin with the words of"), queryset=Template.objects.none(), required=False,
        empty_label=_("no template"),
    )  # fmt: skip

    def __init__(self, *args: Any, purposes: Sequence[str], entity: Entity, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["purpose"].choices = [(one, term(one)) for one in purposes]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["template"].queryset = Template.objects.filter(entity=entity, ended_at=None)  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["template"].label_from_instance = _with_channel  # type: ignore[attr-defined]  # as above

    def clean(self) -> dict[str, Any]:
        """Take the template's channel, unless another one was said."""
        told = super().clean() or {}
        told["channel"] = told.get("channel") or "email"
        template = told.get("template")
        if template and template.channel != told["channel"]:
            says = _("This template is for another channel: %(channel)s.")
            self.add_error("template", says % {"channel": term(template.channel)})
        return told


def _with_channel(template: Template) -> str:
    return f"{template.name} ({term(template.channel)})"


UNSAID: Final[Mapping[str, Sequence[str]]] = {
    "sms": ("subject", "preheader"), "call": ("subject", "preheader"), "messenger": ("preheader",),
    "post": ("preheader",),
}  # fmt: skip
"""What a message by a channel does not have."""
SUBJECTS: Final = {
    "messenger": (
        _("Template at the messenger"),
        _(
            "The name or number under which the messenger approved these words. Its places are ours in the same order, "
            "and one more at the end for what the law wants beside them."
        ),
    ),
    "post": (_("Subject"), _("The line above the letter.")),
}


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

    def __init__(
        self, *args: Any, before: Mapping[str, Any], channel: str, language: str, **more: Any,  # noqa: ANN401 - a form's own
    ) -> None:  # fmt: skip
        super().__init__(*args, **more)
        self.before, self.language, self.channel = before, language, channel
        for name in UNSAID.get(channel, ()):
            del self.fields[name]
        if channel in SUBJECTS:
            self.fields["subject"].label, self.fields["subject"].help_text = SUBJECTS[channel]
        if self.before and (wording := self.before["wordings"].get(language)):
            self.initial.update(wording)

    @property
    def content(self) -> Content:
        """The content with these words in it."""
        told = self.cleaned_data
        wording = Wording(subject=told.get("subject", ""), preheader=told.get("preheader", ""), body=told["body"])
        if not self.before:
            form = cast("Form", self.channel)
            return Content(language=self.language, wordings={self.language: wording}, form=form)
        before = Content.from_json(self.before)
        return Content(language=before.language, wordings={**before.wordings, self.language: wording}, form=before.form)

    def clean(self) -> dict[str, Any]:
        """Show what must be mended where it stands."""
        told = super().clean() or {}
        if not self.errors:
            for problem in problems(self.content):
                if problem.level == "error" and problem.language == self.language:
                    where = problem.where if problem.where in self.fields else "body"
                    self.add_error(where, ValidationError(f"{problem.says} {problem.cure}"))
        return told


class LanguageAdded(forms.Form):
    """A language in which a campaign is to be written, too."""

    language = forms.ChoiceField(
        label=_("Language"), choices=[(code, LANG_INFO[code]["name_local"]) for code in LANGUAGES]
    )


class WayChosen(forms.Form):
    """By which gateway a campaign goes out."""

    gateway = forms.ModelChoiceField(label=_("Goes out by"), queryset=Gateway.objects.none(), empty_label=None)

    def __init__(self, *args: Any, entity: Entity, channel: str = "email", **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        ways = Gateway.objects.filter(entity=entity, channel=channel, ended_at=None)
        self.fields["gateway"].queryset = ways  # type: ignore[attr-defined]  # a ModelChoiceField


class ImprintGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """How an entity of ours signs what it sends."""

    website = forms.URLField(label=_("website"), max_length=200, required=False, assume_scheme="https")

    class Meta:
        model = Imprint
        fields = (
            "address",
            "reply_to",
            "postal_address",
            "language",
            "email",
            "phone",
            "website",
            "register",
            "mark",
            "stop_number",
        )
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


class GatewayGiven(forms.Form):
    """A way out of some kind: its name, what that kind wants to be told, and its secret."""

    name = forms.CharField(label=_("Name"), max_length=80)

    def __init__(self, *args: Any, kind: Kind, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        for one in kind.settings:
            self.fields[one.name] = forms.CharField(
                label=one.says, help_text=one.help, required=one.needed, max_length=200
            )
        if kind.signs_in:
            self.fields["secret"] = forms.CharField(
                label=_("Secret"), widget=forms.PasswordInput, max_length=1_000,
                help_text=_("Kept in a file beside the keys, never in the database."),
            )  # fmt: skip


class TemplateBegun(forms.Form):
    """What a template is called, for which channel, and in which language it is written first."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Only staff see it."))
    channel = forms.ChoiceField(label=_("Channel"), choices=[(one, TERMS[one]) for one in CHANNELS])
    language = forms.ChoiceField(
        label=_("Language"), choices=[(code, LANG_INFO[code]["name_local"]) for code in LANGUAGES]
    )


class NameGiven(forms.Form):
    """What something is called."""

    name = forms.CharField(label=_("Name of the template"), max_length=80)


class WhyToMany(forms.Form):
    """Why so many are written to, for whoever approves it."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
