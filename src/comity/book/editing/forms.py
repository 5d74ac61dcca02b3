"""What people type about somebody: kept as it is, without the blanks around it; or refused, with why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from django import forms
from django.conf.locale import LANG_INFO
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from comity.book.models import Capacity, Doing, Person, Reach, Relation, Source
from comity.counsel.reading import every_place

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 20_000
LONGEST_POINT: Final = {Reach.EMAIL: 320, Reach.PHONE: 60, Reach.POST: 600, Reach.MESSENGER: 200}
LONGEST_DAY: Final = 1_440
"""Minutes of an activity."""
OLDEST: Final = 1900
"""No year of birth, and nothing that happened with us, lies before it."""
LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
DIGITS_OF_A_NUMBER: Final = 3
HOMES: Final = 2
"""Places that one may choose at once; somebody who may live in more gets a field for each."""
CLOCKS_DIFFER: Final = timedelta(minutes=5)
TOLD_AT_ONCE: Final = _(
    "Whoever gives us their own data is told at once what we do with it. Write which wording they were shown."
)
YES_NO: Final = [("", _("not known")), ("true", _("Yes")), ("false", _("No"))]


def chosen(value: str) -> bool | None:
    """Return what was chosen among YES_NO."""
    return {"true": True, "false": False}.get(value)


class DayPicker(forms.DateInput):
    """A day, picked from the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class MomentPicker(forms.DateTimeInput):
    """A day and time of day, as the reader's clock has it."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class Kept(forms.Form):
    """Something that is kept about a person. The ids of its fields begin with its `name`: a page may show several."""

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], name: str) -> None:
        super().__init__(data, initial=dict(initial), auto_id=f"{name}-%s")
        next(iter(self.visible_fields())).field.widget.attrs["autofocus"] = True


def not_to_come(moment: datetime) -> datetime:
    """Refuse what has not happened yet, or was long before anybody kept such books."""
    if moment > timezone.now() + CLOCKS_DIFFER:
        raise ValidationError(say("This lies in the future."))
    if moment.year < OLDEST:
        raise ValidationError(say("That was before %(year)d. Look at the year again.") % {"year": OLDEST})
    return moment


# ---------------------------------------------------------------- the person


class NameKept(Kept):
    """What somebody is called."""

    given = forms.CharField(label=_("Given name"), required=False, max_length=LONGEST_NAME)
    family = forms.CharField(label=_("Family name"), required=False, max_length=LONGEST_NAME)
    full = forms.CharField(
        label=_("Whole name"), required=False, max_length=LONGEST_NAME,
        help_text=_("Only where given and family name do not make it up."),
    )  # fmt: skip
    post = forms.CharField(
        label=_("Position"), required=False, max_length=LONGEST_NAME, help_text=_("Such as head of procurement.")
    )

    def clean(self) -> dict[str, Any]:
        """Ask for at least one name."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.get(part) for part in ("given", "family", "full")):
            raise ValidationError(say("Write at least one name: what this person is called."))
        return cleaned


class FactsKept(Kept):
    """The plain facts of a person, which the law asks."""

    language = forms.CharField(
        label=_("Language"), required=False, max_length=20, help_text=_("As a tag: de, en-IE, zh-Hans.")
    )
    birth_year = forms.IntegerField(label=_("Year of birth"), required=False, min_value=OLDEST)
    birth_month = forms.IntegerField(label=_("Month of birth"), required=False, min_value=1, max_value=12)
    capacity = forms.ChoiceField(label=_("Met as"), required=False, choices=[("", _("not known")), *Capacity.choices])
    subscriber = forms.ChoiceField(
        label=_("Subscriber"), required=False, help_text=_("Whose number or address it is, by contract."),
        choices=[("", _("not known")), ("individual", _("A human being")), ("corporate", _("A legal person"))],
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], name: str) -> None:
        asked = max(HOMES, len(initial["homes"]) + 1)
        homes = {f"home_{n}": home for n, home in enumerate(initial["homes"])}
        super().__init__(data, initial={**initial, **homes}, name=name)
        places = [("", _("not known")), *every_place()]
        for n in range(asked):
            label = _("Home") if n == 0 else _("Or perhaps")
            self.fields[f"home_{n}"] = forms.ChoiceField(label=label, required=False, choices=places)
        first = [f"home_{n}" for n in range(asked)]
        self.order_fields([*first, *(field for field in self.fields if field not in first)])
        self.fields["language"].widget.attrs["list"] = "languages"
        self.fields["home_0"].widget.attrs["autofocus"] = True
        self.fields["language"].widget.attrs.pop("autofocus", None)

    def clean_language(self) -> str:
        """Take a tag as BCP 47 writes it."""
        tag: str = self.cleaned_data["language"]
        if tag and not LANGUAGE.fullmatch(tag):
            raise ValidationError(say("A language is written as a tag, such as de, en-IE or zh-Hans."))
        return tag

    def clean_birth_year(self) -> int | None:
        """Refuse a year that has not come."""
        year: int | None = self.cleaned_data["birth_year"]
        if year and year > timezone.localdate().year:
            raise ValidationError(say("This lies in the future."))
        return year

    def clean(self) -> dict[str, Any]:
        """Join the homes as they are stored."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("birth_month") and not cleaned.get("birth_year") and "birth_year" not in self.errors:
            self.add_error("birth_year", say("A month of birth needs its year."))
        said = (cleaned.pop(field, "") for field in [f for f in self.fields if f.startswith("home_")])
        cleaned["home"] = "|".join(sorted(set(filter(None, said))))
        if len(cleaned["home"]) > Person._meta.get_field("home").max_length:  # type: ignore[operator]  # noqa: SLF001 - Django's documented name for it
            self.add_error("home_0", say("These are too many places: nobody knows where this person lives."))
        return cleaned


def languages() -> list[tuple[str, str]]:
    """Return tags of languages with their own names, to choose from."""
    return sorted((tag, told["name_local"]) for tag, told in LANG_INFO.items() if "name_local" in told)


class RelationKept(Kept):
    """What there is between somebody and an entity of ours."""

    customer_since = forms.DateField(label=_("Customer since"), required=False, widget=DayPicker())
    contract_running = forms.BooleanField(label=_("A contract is running"), required=False)
    last_purchase_on = forms.DateField(label=_("Last purchase"), required=False, widget=DayPicker())
    last_inquiry_on = forms.DateField(label=_("Last inquiry"), required=False, widget=DayPicker())
    address_from_sale = forms.BooleanField(label=_("We have the address from a sale"), required=False)
    refusal_offered = forms.BooleanField(
        label=_("They could refuse advertising then, and in every message since"), required=False
    )
    source = forms.ChoiceField(
        label=_("Where we have the data from"), required=False, choices=[("", _("not known")), *Source.choices]
    )
    notice = forms.CharField(
        label=_("Notice"), required=False, max_length=Relation._meta.get_field("notice").max_length,  # noqa: SLF001 - Django's documented name for it
        help_text=_("Which wording about our handling they were shown, with its version."),
    )  # fmt: skip
    notice_on = forms.DateField(label=_("Shown on"), required=False, widget=DayPicker())

    def clean(self) -> dict[str, Any]:
        """Refuse days that have not come."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for field, day in cleaned.items():
            if isinstance(day, date) and day > timezone.localdate():
                self.add_error(field, say("This lies in the future."))
        return cleaned


# ---------------------------------------------------------------- contact points, posts, tags


class PointKept(Kept):
    """A way to reach somebody."""

    value = forms.CharField(label=_("Address or number"))
    mobile = forms.ChoiceField(label=_("A mobile phone"), required=False, choices=YES_NO)
    impersonal = forms.BooleanField(label=_("Not of one person, such as info@ or a switchboard"), required=False)
    verified = forms.BooleanField(
        label=_("Confirmed: it reaches this person"), required=False,
        help_text=_("Because they answered from it, or followed a link that was sent there."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], name: str, reach: Reach) -> None:
        super().__init__(data, initial=initial, name=name)
        self.reach = reach
        value = self.fields["value"]
        value.label = reach.label
        value.widget = forms.Textarea(attrs={"rows": 3}) if reach == Reach.POST else forms.TextInput()
        value.widget.attrs |= {"autofocus": True, "maxlength": LONGEST_POINT[reach], **INPUTS.get(reach, {})}
        if reach != Reach.PHONE:
            del self.fields["mobile"]
        if reach not in {Reach.EMAIL, Reach.PHONE}:
            del self.fields["impersonal"]

    def clean_value(self) -> str:
        """Refuse what cannot be an address or number of this kind."""
        return point_value(self.reach, self.cleaned_data["value"])


INPUTS: Final[Mapping[Reach, Mapping[str, str]]] = {
    Reach.EMAIL: {"inputmode": "email", "autocapitalize": "none", "spellcheck": "false"},
    Reach.PHONE: {"inputmode": "tel"},
}
"""Which keyboard a phone shows. The browser does not judge: addresses are more than its pattern knows."""


def point_value(reach: Reach, value: str) -> str:
    """Return an address or number that may be one. Raises ValidationError."""
    if len(value) > LONGEST_POINT[reach]:
        raise ValidationError(say("This is longer than %(most)d letters.") % {"most": LONGEST_POINT[reach]})
    if reach == Reach.EMAIL and not re.fullmatch(r"[^\s@]+@[^\s@]+", value):
        raise ValidationError(say("An e-mail address has one @, with something on each side, and no blanks."))
    if reach == Reach.PHONE and sum(letter.isdecimal() for letter in value) < DIGITS_OF_A_NUMBER:
        raise ValidationError(say("A phone number has digits: +49 30 5550199."))
    return value


class PostKept(Kept):
    """Somebody's place in an organisation."""

    organisation = forms.CharField(
        label=_("Organisation"), max_length=300, help_text=_("One that is not there yet is made."),
        widget=forms.TextInput(attrs={"list": "organisations", "autocomplete": "off"}),
    )  # fmt: skip
    begins_on = forms.DateField(label=_("Since"), required=False, widget=DayPicker())
    ends_on = forms.DateField(
        label=_("Until"), required=False, widget=DayPicker(), help_text=_("Empty: they still work there.")
    )

    def clean(self) -> dict[str, Any]:
        """Refuse an end before the beginning."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        begins, ends = cleaned.get("begins_on"), cleaned.get("ends_on")
        if begins and ends and ends < begins:
            self.add_error("ends_on", say("It ends before it begins."))
        return cleaned


class TagPut(Kept):
    """A word put on somebody."""

    tag = forms.CharField(
        label=_("Tag"), max_length=60, help_text=_("A word of your own; it says nothing that should be sealed."),
        widget=forms.TextInput(attrs={"list": "tags", "autocomplete": "off"}),
    )  # fmt: skip


# ---------------------------------------------------------------- activities


class ActivityKept(Kept):
    """Something that happened between somebody and us."""

    text = forms.CharField(label=_("What was said"), max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4}))
    doing = forms.ChoiceField(label=_("Kind"), choices=[choice for choice in Doing.choices if choice[0] != Doing.ORDER])
    at = forms.DateTimeField(label=pgettext_lazy("moment", "When"), widget=MomentPicker())
    minutes = forms.IntegerField(label=_("Minutes"), required=False, min_value=0, max_value=LONGEST_DAY)

    def clean_at(self) -> datetime:
        """Refuse what has not happened yet."""
        return not_to_come(self.cleaned_data["at"])


# ---------------------------------------------------------------- somebody new


class SomebodyNew(Kept):
    """Somebody who is to come into the book by hand, and where we have their data from."""

    given = forms.CharField(label=_("Given name"), required=False, max_length=LONGEST_NAME)
    family = forms.CharField(label=_("Family name"), required=False, max_length=LONGEST_NAME)
    email = forms.CharField(
        label=_("E-mail"), required=False, max_length=LONGEST_POINT[Reach.EMAIL],
        widget=forms.TextInput(attrs=dict(INPUTS[Reach.EMAIL])),
    )  # fmt: skip
    phone = forms.CharField(
        label=_("Phone"), required=False, max_length=LONGEST_POINT[Reach.PHONE],
        widget=forms.TextInput(attrs=dict(INPUTS[Reach.PHONE])),
    )  # fmt: skip
    home = forms.ChoiceField(
        label=_("Home"), required=False, help_text=_("The law of that place decides what we may do.")
    )
    capacity = forms.ChoiceField(label=_("Met as"), required=False, choices=[("", _("not known")), *Capacity.choices])
    organisation = PostKept.base_fields["organisation"]
    post = forms.CharField(label=_("Position"), required=False, max_length=LONGEST_NAME)
    source = forms.ChoiceField(
        label=_("Where do you have this data from?"), widget=forms.RadioSelect, choices=Source.choices,
        help_text=_("We must be able to tell them (GDPR Art. 13 and 14)."),
    )  # fmt: skip
    notice = forms.CharField(
        label=_("Notice"), required=False, max_length=60,
        help_text=_(
            "Which wording about our handling they were shown, with its version. Whoever gives us their own data is "
            "told at once (Art. 13); whoever does not, within a month (Art. 14)."
        ),
    )  # fmt: skip
    all_the_same = forms.BooleanField(label=_("This is somebody else: add them all the same"), required=False)

    def __init__(self, data: Mapping[str, Any] | None, *, initial: Mapping[str, Any], name: str) -> None:
        super().__init__(data, initial=initial, name=name)
        self.fields["home"].choices = [("", _("not known")), *every_place()]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["organisation"].required = False

    def without_the_tick(self) -> SomebodyNew:
        """Leave out the tick that only makes sense once somebody like them was found."""
        del self.fields["all_the_same"]
        return self

    def clean_email(self) -> str:
        """Refuse what cannot be an address."""
        value: str = self.cleaned_data["email"]
        return point_value(Reach.EMAIL, value) if value else ""

    def clean_phone(self) -> str:
        """Refuse what cannot be a number."""
        value: str = self.cleaned_data["phone"]
        return point_value(Reach.PHONE, value) if value else ""

    def clean(self) -> dict[str, Any]:
        """Ask for a name, and, of whoever gives us their own data, for the notice."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors.keys() & {"given", "family"} and not (cleaned.get("given") or cleaned.get("family")):
            self.add_error("given", say("Write at least one name: what this person is called."))
        if cleaned.get("source") == Source.PERSON and not cleaned.get("notice") and "notice" not in self.errors:
            self.add_error("notice", TOLD_AT_ONCE)
        return cleaned
