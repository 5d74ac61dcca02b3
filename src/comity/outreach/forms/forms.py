"""What staff write who build a form: what it is made of, what it says, and what is said when it is published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.consent.notices.forms import Begun
from comity.counsel.texts import text_book
from comity.law import UnknownPlace
from comity.outreach.forms.actions import LONGEST
from comity.outreach.forms.models import FormVersion, Proof, WebForm, Young
from comity.outreach.forms.queries import notice_chosen, notices_to_show, ways_of, wordings_to_ask
from comity.outreach.forms.visiting import FIELDS
from comity.outreach.forms.words import language_choices
from comity.post.models import Gateway

if TYPE_CHECKING:
    from comity.consent.notices.looking import Wrong
    from comity.staff.models import Entity

NAME: Final = WebForm._meta.get_field("name").max_length  # noqa: SLF001 - Django's documented name for it
LONGEST_WHY: Final = 500
MOST_PLACES: Final = 60
MOST_FRAMES: Final = 20
OFTEN: Final = [
    ("EEA", _("European Economic Area")), ("UK", _("United Kingdom")), ("CN", _("China")),
    ("US-CA", _("California")), ("US", _("All of the United States")),
]  # fmt: skip
"""Places that are chosen by a tick; others by their codes."""
FIELD_NAMES: Final = {
    "given": _("First name"), "family": _("Last name"), "phone": _("Phone number"), "organisation": _("Organisation"),
}  # fmt: skip


class Started(Begun):
    """A new form."""

    name = forms.CharField(label=_("Name"), max_length=NAME, help_text=_("Consents say that they came by it."))
    language = forms.ChoiceField(label=_("First language"), choices=language_choices)


class MadeOf(forms.Form):
    """What a draft is made of."""

    seen = forms.CharField(widget=forms.HiddenInput)
    asks = forms.MultipleChoiceField(
        label=_("Boxes"), required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Each is a published wording, by one channel. People find them empty, and need tick none."),
    )  # fmt: skip
    notice = forms.ChoiceField(label=_("Privacy notice"), required=False)
    fields_asked = forms.MultipleChoiceField(
        label=_("Asks besides the e-mail address and the place"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=list(FIELD_NAMES.items()), help_text=_("What is not needed is better not asked."),
    )  # fmt: skip
    needed = forms.MultipleChoiceField(
        label=_("Of these must be filled in"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=list(FIELD_NAMES.items()),
    )  # fmt: skip
    often = forms.MultipleChoiceField(
        label=_("For people in"), choices=OFTEN, required=False, widget=forms.CheckboxSelectMultiple
    )
    more = forms.CharField(
        label=_("Other places"), required=False, max_length=300, help_text=_("Codes with commas: BR, CH, US-TX.")
    )
    young = forms.ChoiceField(
        label=_("Those who are too young to agree alone"), choices=Young.choices, widget=forms.RadioSelect,
        help_text=_("From which age one agrees alone, the law of each place says."),
    )  # fmt: skip
    first = forms.ChoiceField(label=_("First language"), choices=language_choices)
    others = forms.MultipleChoiceField(
        label=_("Further languages"), required=False, choices=language_choices, widget=forms.CheckboxSelectMultiple
    )
    frames = forms.CharField(
        label=_("Sites that may show it in a frame"), required=False, max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One a line, such as https://www.example.com. Without any, no site may."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, version: FormVersion, seen: str) -> None:
        known = {code for code, _name in OFTEN}
        initial = {
            "seen": seen, "asks": [f"{one['notice']}/{one['channel']}" for one in version.asks],
            "notice": str(version.notice_id or ""), "fields_asked": version.fields, "needed": version.needed,
            "often": [code for code in version.places if code in known],
            "more": ", ".join(code for code in version.places if code not in known), "young": version.young,
            "first": version.languages[0], "others": version.languages[1:], "frames": "\n".join(version.frames),
        }  # fmt: skip
        super().__init__(data, initial=initial, auto_id="made-%s")
        self.fields["asks"].choices = wordings_to_ask(version.entity)  # type: ignore[attr-defined]  # a choice field
        self.fields["notice"].choices = [("", "–"), *notices_to_show(version.entity)]  # type: ignore[attr-defined]  # as above

    def clean_more(self) -> list[str]:
        """Read codes of places. Refuses what is none."""
        codes = [code.upper() for code in re.split(r"[,;\s]+", self.cleaned_data["more"]) if code]
        for code in codes:
            try:
                text_book().expanded([code], timezone.localdate())
            except UnknownPlace:
                raise ValidationError(
                    say("“%(code)s” is no place: write codes such as DE, CN or US-CA."), params={"code": code}
                ) from None
        if len(codes) > MOST_PLACES:
            raise ValidationError(say("These are too many places; name a group, such as EEA."))
        return codes

    def clean_frames(self) -> list[str]:
        """Read the addresses of sites: scheme and name alone."""
        found = [origin_of(line) for line in self.cleaned_data["frames"].split()]
        if len(found) > MOST_FRAMES:
            raise ValidationError(say("These are too many sites."))
        return list(dict.fromkeys(found))

    @property
    def made_of(self) -> dict[str, Any]:
        """What it is made of."""
        told = self.cleaned_data
        asks = [one.partition("/") for one in told["asks"]]
        return {
            "languages": list(dict.fromkeys([told["first"], *told["others"]])),
            "asks": [{"notice": ref, "channel": channel} for ref, _slash, channel in asks],
            "fields": [name for name in FIELDS if name in told["fields_asked"]],
            "needed": [name for name in FIELDS if name in told["needed"] and name in told["fields_asked"]],
            "places": list(dict.fromkeys([*told["often"], *told["more"]])), "young": told["young"],
            "notice": notice_chosen(told["notice"]),
            "frames": told["frames"],
        }  # fmt: skip


ORIGIN: Final = re.compile(r"https://[a-z0-9.-]{3,180}(?::\d{2,5})?|http://(?:localhost|127\.0\.0\.1)(?::\d{2,5})?")


def origin_of(line: str) -> str:
    """Return the origin of a site's address, as browsers compare it. Raises ValidationError."""
    try:
        parts = urlsplit(line.strip().lower())
        origin = f"{parts.scheme}://{parts.netloc.encode('idna').decode()}"
    except (UnicodeError, ValueError):
        origin = ""
    if not ORIGIN.fullmatch(origin):
        raise ValidationError(
            say("“%(line)s” is no site: write https:// and its name, such as https://www.example.com."),
            params={"line": line[:80]},
        )
    return origin


class Written(forms.Form):
    """What a draft says in one language."""

    seen = forms.CharField(widget=forms.HiddenInput)
    title = forms.CharField(label=_("Title"), max_length=LONGEST["title"])
    intro = forms.CharField(
        label=_("Introduction"), required=False, max_length=LONGEST["intro"],
        widget=forms.Textarea(attrs={"rows": 5}),
    )  # fmt: skip
    button = forms.CharField(label=_("What stands on the button"), max_length=LONGEST["button"])
    thanks = forms.CharField(
        label=_("Afterwards"), required=False, max_length=LONGEST["thanks"], widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What whoever sent it reads: above all that a message is on its way which they must confirm."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, version: FormVersion, language: str, seen: str) -> None:
        super().__init__(data, initial={**version.words.get(language, {}), "seen": seen}, auto_id="words-%s")


class WayGiven(forms.Form):
    """By which gateway confirmations go out."""

    gateway: forms.ModelChoiceField[Gateway] = forms.ModelChoiceField(
        label=_("Confirmations go out by"), queryset=None, empty_label=None
    )

    def __init__(self, data: Mapping[str, Any] | None, *, entity: Entity, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(data, **more)
        self.fields["gateway"].queryset = ways_of(entity)  # type: ignore[attr-defined]  # it is a ModelChoiceField


class Published(WayGiven):
    """What is said when a draft is published: by which way, and what a human looked at."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any] | None, *, entity: Entity, reviews: Sequence[Wrong], seen: str
    ) -> None:  # fmt: skip
        super().__init__(data, entity=entity, initial={"seen": seen}, auto_id="publish-%s")
        self.reviews = list(reviews)
        for number in range(len(self.reviews)):
            self.fields[f"tick_{number}"] = forms.BooleanField(label=_("I looked at this, and it is in order"))
            self.fields[f"why_{number}"] = forms.CharField(label=_("Why it is in order"), max_length=LONGEST_WHY)

    def ticking(self) -> list[tuple[Wrong, forms.BoundField, forms.BoundField]]:
        """Return each thing to look at with its two fields."""
        return [(one, self[f"tick_{n}"], self[f"why_{n}"]) for n, one in enumerate(self.reviews)]

    @property
    def ticks(self) -> dict[str, str]:
        """Why each thing is in order, by its key."""
        return {one.key: self.cleaned_data[f"why_{n}"] for n, one in enumerate(self.reviews)}


class Checked(forms.Form):
    """How it was made certain that somebody is a parent or guardian."""

    proof = forms.ChoiceField(label=_("How we made certain"), choices=Proof.choices, widget=forms.RadioSelect)
