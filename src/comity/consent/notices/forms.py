"""What staff write: a notice's first lines, its blocks, for whom it is meant, and what is said when it is published."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.editing.forms import MomentPicker
from comity.consent.forms import CHANNELS, PURPOSES
from comity.consent.notices.blocks import LABELS, LONGEST_BLOCK, blocks_of, language_choices, language_name
from comity.consent.notices.looking import Wrong, shown
from comity.consent.notices.models import Kind, Notice, NoticeVersion
from comity.counsel.forms import TermField
from comity.counsel.texts import text_book
from comity.law import UnknownPlace
from comity.staff.terms import term

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.staff.models import Entity

NAME: Final = Notice._meta.get_field("name").max_length  # noqa: SLF001 - Django's documented name for it
LONGEST_WHY: Final = 500
MOST_PLACES: Final = 60
OFTEN: Final = [
    ("EEA", _("European Economic Area")), ("UK", _("United Kingdom")), ("CN", _("China")),
    ("US-CA", _("California")), ("US", _("All of the United States")),
]  # fmt: skip
"""Places that are chosen by a tick; others by their codes."""


class Begun(forms.Form):
    """Something new that is written in versions and languages; whoever extends it asks for `name` and `language`."""

    entity: forms.ModelChoiceField[Entity] = forms.ModelChoiceField(label=_("Entity"), queryset=None, empty_label=None)

    def __init__(self, data: Mapping[str, Any] | None, *, entities: QuerySet[Entity]) -> None:
        super().__init__(data)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # it is a ModelChoiceField

    def clean_name(self) -> str:
        """Refuse signs that nobody sees."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name.isprintable():
            raise ValidationError(say("A name has letters and signs that can be read."))
        return name


class Started(Begun):
    """A new notice."""

    kind = forms.ChoiceField(label=_("What it is for"), choices=Kind.choices, widget=forms.RadioSelect)
    name = forms.CharField(
        label=_("Name"), max_length=NAME,
        help_text=_("Such as: Newsletter. Consents refer to it with its version, so it stays as it is."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("First language"), choices=language_choices, help_text=_("The others follow this one, block by block.")
    )
    field_order = ("entity", "kind", "name", "language")


class Written(forms.Form):
    """The blocks of a draft in one language."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def __init__(self, data: Mapping[str, Any] | None, *, version: NoticeVersion, language: str, seen: str) -> None:
        there = shown(version, language)
        super().__init__(data, initial={**there, "seen": seen}, auto_id="block-%s")
        for block in blocks_of(version.notice.kind):
            area = forms.Textarea(attrs={"rows": _rows(there.get(block, "")), "lang": language})
            self.fields[block] = forms.CharField(
                label=LABELS[block], required=False, max_length=LONGEST_BLOCK, widget=area
            )

    @property
    def texts(self) -> dict[str, str]:
        """What stands in each block."""
        return {name: text for name, text in self.cleaned_data.items() if name != "seen"}


def _rows(text: str) -> int:
    return min(14, max(3, len(text) // 80 + text.count("\n") + 2))


class Described(forms.Form):
    """For whom a draft is meant, what one says yes to, and in which languages it is written."""

    seen = forms.CharField(widget=forms.HiddenInput)
    often = forms.MultipleChoiceField(
        label=_("For people in"), choices=OFTEN, required=False, widget=forms.CheckboxSelectMultiple,
        help_text=_("Beside the place of the entity itself. The law of each place says what the notice must hold."),
    )  # fmt: skip
    more = forms.CharField(
        label=_("Other places"), required=False, max_length=300, help_text=_("Codes with commas: BR, CH, US-TX.")
    )
    purpose = TermField(label=_("Purpose"), required=False, choices=[("", "–"), *((one, one) for one in PURPOSES)])
    channels = forms.MultipleChoiceField(
        label=_("Channels"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(one, term(one)) for one in CHANNELS],
    )  # fmt: skip
    recipient = forms.CharField(
        label=_("Who else receives the data"), required=False, max_length=200,
        help_text=_("Where one says yes to giving data to somebody: its name."),
    )  # fmt: skip
    first = forms.ChoiceField(label=_("First language"), choices=language_choices)
    others = forms.MultipleChoiceField(
        label=_("Further languages"), required=False, choices=language_choices, widget=forms.CheckboxSelectMultiple,
        help_text=_("What is written in a language goes with it when its tick is taken out."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, version: NoticeVersion, seen: str) -> None:
        known = {code for code, _name in OFTEN}
        initial = {
            "seen": seen, "often": [code for code in version.places if code in known],
            "more": ", ".join(code for code in version.places if code not in known), "purpose": version.purpose,
            "channels": version.channels, "recipient": version.recipient, "first": version.languages[0],
            "others": version.languages[1:],
        }  # fmt: skip
        super().__init__(data, initial=initial, auto_id="scope-%s")
        if not version.notice.asks:
            for name in ("purpose", "channels", "recipient"):
                del self.fields[name]

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

    @property
    def scope(self) -> dict[str, Any]:
        """What it is about."""
        told = self.cleaned_data
        return {
            "places": list(dict.fromkeys([*told["often"], *told["more"]])), "purpose": told.get("purpose", ""),
            "channels": told.get("channels", []), "recipient": told.get("recipient", ""),
        }  # fmt: skip

    @property
    def languages(self) -> list[str]:
        """The languages, the first one first."""
        return [self.cleaned_data["first"], *self.cleaned_data["others"]]


class Published(forms.Form):
    """What is said when a draft is published: from when, what a human looked at, and who must be asked again."""

    seen = forms.CharField(widget=forms.HiddenInput)
    begins_at = forms.DateTimeField(
        label=_("Shown from"), required=False, widget=MomentPicker(), help_text=_("At once, if nothing stands here.")
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, reviews: Sequence[Wrong], channels: Sequence[str], seen: str
    ) -> None:
        super().__init__(data, initial={"seen": seen}, auto_id="publish-%s")
        self.reviews = list(reviews)
        for number in range(len(self.reviews)):
            self.fields[f"tick_{number}"] = forms.BooleanField(label=_("I looked at this, and it is in order"))
            self.fields[f"why_{number}"] = forms.CharField(label=_("Why it is in order"), max_length=LONGEST_WHY)
        if channels:
            self.fields["ends_for"] = forms.MultipleChoiceField(
                label=_("Those who agreed to an earlier version must be asked again for"), required=False,
                choices=[(one, term(one)) for one in channels], widget=forms.CheckboxSelectMultiple,
                help_text=_("Where purpose, recipient or wording changed so that it is no longer what they agreed to."),
            )  # fmt: skip
            self.fields["ends_why"] = forms.CharField(label=_("What changed"), required=False, max_length=LONGEST_WHY)

    def ticking(self) -> list[tuple[Wrong, forms.BoundField, forms.BoundField]]:
        """Return each thing to look at with its two fields."""
        return [(one, self[f"tick_{n}"], self[f"why_{n}"]) for n, one in enumerate(self.reviews)]

    def rest(self) -> list[forms.BoundField]:
        """Return the other fields."""
        return [field for field in self.visible_fields() if not field.name.startswith(("tick_", "why_"))]

    def clean(self) -> dict[str, Any]:
        """Ask what changed where earlier yeses end."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("ends_for") and not cleaned.get("ends_why", "").strip():
            self.add_error("ends_why", say("Say what changed, so that earlier consents end."))
        return cleaned

    @property
    def ticks(self) -> dict[str, str]:
        """Why each thing is in order, by its key."""
        return {one.key: self.cleaned_data[f"why_{n}"] for n, one in enumerate(self.reviews)}

    @property
    def begins(self) -> datetime | None:
        """From when it is shown, if not at once."""
        found: datetime | None = self.cleaned_data["begins_at"]
        return found


def languages_of(version: NoticeVersion, here: str) -> list[dict[str, object]]:
    """Return the languages of a version as tabs: code, name, and whether it is the one that is shown."""
    return [{"code": code, "name": language_name(code), "here": code == here} for code in version.languages]
