"""What staff type about addresses that must not be used, and about registers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from comity.book.models import Reach
from comity.consent.suppression.marks import Mark, Unclear, mark_of
from comity.consent.suppression.models import Cause, Register, Subscribers
from comity.consent.suppression.registers import REACHES_BY
from comity.counsel.reading import every_place
from comity.staff.models import Entity
from comity.staff.terms import term

LONGEST: Final = 600
BY_HAND: Final = [(Cause.OPTED_OUT.value, Cause.OPTED_OUT.label), (Cause.COMPLAINED.value, Cause.COMPLAINED.label)]


class ForEntity(forms.Form):
    """Something about one of the entities for which somebody acts."""

    entity = forms.ModelChoiceField(label=_("For"), queryset=Entity.objects.none(), empty_label=None)

    def __init__(self, *args: Any, entities: Collection[UUID], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        mine = Entity.objects.filter(ref__in=list(entities)).order_by("name")
        self.fields["entity"].queryset = mine  # type: ignore[attr-defined]  # a ModelChoiceField


class OneAddress(ForEntity):
    """An address that is tried or added; it is hashed at once, and comes back to nobody."""

    address = forms.CharField(
        label=_("E-mail address or phone number"), max_length=LONGEST,
        help_text=_("A number with its calling code, such as +49 30 5550199."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip

    def clean_address(self) -> Mark:
        """Return the mark of the address."""
        typed = self.cleaned_data["address"]
        try:
            return mark_of(Reach.EMAIL if "@" in typed else Reach.PHONE, typed)
        except Unclear:
            raise ValidationError(
                say("Write an e-mail address like name@example.com, or a number with its calling code, like +49 30 …")
            ) from None


class AddressAdded(OneAddress):
    """An address that is to be left alone from now on, and why."""

    cause = forms.ChoiceField(label=_("Why"), choices=BY_HAND, widget=forms.RadioSelect, initial=Cause.OPTED_OUT)
    source = forms.CharField(label=_("How we know"), max_length=60, help_text=_("Such as: letter of 3 May."))


class ListBrought(ForEntity):
    """A file of addresses and numbers that are to be left alone."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A text or CSV file, one address or number a line, in any column; at most 200 MB."),
        error_messages={"required": _("Choose a file first."), "empty": _("The file is empty. Export it again.")},
    )  # fmt: skip
    place = forms.ChoiceField(
        label=_("Country of numbers without a calling code"), required=False,
        help_text=_("Without it such numbers stay out, and are counted."),
    )  # fmt: skip
    source = forms.CharField(label=_("Where it comes from"), max_length=60)
    field_order = ("entity", "source", "file", "place")

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["place"].choices = [("", _("not known")), *countries()]  # type: ignore[attr-defined]  # a ChoiceField


def countries() -> list[tuple[str, str]]:
    """Return the countries, without their parts."""
    return [(code, name) for code, name in every_place() if "-" not in code]


class RegisterKept(ForEntity):
    """A register that we read."""

    name = forms.CharField(label=_("Name"), max_length=80, help_text=_("Such as: TPS, Bloctel."))
    place = forms.ChoiceField(label=_("Counts for people in"))
    reach = forms.ChoiceField(label=_("Holds"), choices=Reach.choices, initial=Reach.PHONE)
    channels = forms.MultipleChoiceField(
        label=_("Keeps from"), widget=forms.CheckboxSelectMultiple,
        choices=[(one, term(one)) for by in REACHES_BY.values() for one in by], initial=["call"],
    )  # fmt: skip
    subscriber = forms.ChoiceField(label=_("Whose"), choices=Subscribers.choices, required=False)

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["place"].choices = [("", _("Choose")), *every_place()]  # type: ignore[attr-defined]  # a ChoiceField
        channels = [(one, term(one)) for by in REACHES_BY.values() for one in by]
        self.fields["channels"].choices = channels  # type: ignore[attr-defined]  # in the reader's language

    def clean(self) -> dict[str, Any]:
        """Refuse a channel that such addresses do not serve, and a register that is here already."""
        told = self.cleaned_data
        if not set(told.get("channels", [])) <= set(REACHES_BY[Reach(told.get("reach", Reach.PHONE))]):
            self.add_error("channels", say("Choose channels that such an address or number serves."))
        named = {"entity": told.get("entity"), "place": told.get("place"), "name": told.get("name")}
        if Register.objects.filter(**named).exists():
            self.add_error("name", say("This register is here already. Bring a new version in there."))
        return told


class VersionBrought(forms.Form):
    """A version of a register."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("A text or CSV file, one number or address a line, in any column; at most 200 MB."),
        error_messages={"required": _("Choose a file first."), "empty": _("The file is empty. Export it again.")},
    )  # fmt: skip
    version_on = forms.DateField(
        label=_("Day of the version"),
        help_text=_("On which the register stood so; not the day on which it was fetched."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), initial=timezone.localdate,
    )  # fmt: skip
