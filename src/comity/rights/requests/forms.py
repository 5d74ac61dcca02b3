"""What staff type about a request: that one came, and each step that is taken about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from comity.consent.preferences.wording import PURPOSES
from comity.counsel.forms import day_picker
from comity.counsel.reading import every_place
from comity.refs import read_ref
from comity.rights.requests.models import AskedBy, CameBy, Kind, Level, Shown
from comity.staff.models import Entity, Staff

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from comity.rights.requests.clocks import Clock, Wanted
    from comity.rights.requests.remedies import Exemption

LONGEST: Final = 20_000
LONGEST_WORDS: Final = 4_000
NAME_NOBODY: Final = _("It stays on record when the person is erased: name nobody.")


def words_field(label: Any, help_text: Any = NAME_NOBODY, *, rows: int = 3, required: bool = True) -> forms.CharField:  # noqa: ANN401 - texts, lazy or not
    """Return a field for some sentences."""
    return forms.CharField(
        label=label, help_text=help_text, widget=forms.Textarea(attrs={"rows": rows}), max_length=LONGEST_WORDS,
        required=required,
    )  # fmt: skip


def ref_field(label: Any, *, required: bool = True) -> forms.CharField:  # noqa: ANN401 - as above
    """Return a field for the ref of a person."""
    return forms.CharField(
        label=label, max_length=40, required=required, widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text=_("Their ref, as it stands on their page and in its address."),
    )  # fmt: skip


class WithPerson(forms.Form):
    """A form with the ref of a person."""

    def clean_person(self) -> object:
        """Read the ref."""
        told = self.cleaned_data.get("person", "")
        if not told:
            return None
        try:
            return read_ref(told)
        except ValueError:
            raise forms.ValidationError(_("That is no ref: 26 letters and digits.")) from None


class Noted(WithPerson):
    """That somebody asks something of us, however it came."""

    entity = forms.ModelChoiceField(label=_("Asked of"), queryset=Entity.objects.none(), empty_label=None)
    kinds = forms.MultipleChoiceField(
        label=_("What they ask"), choices=Kind.choices, widget=forms.CheckboxSelectMultiple,
        help_text=_("All that the letter asks for: each has a clock of its own. They need not name a law."),
    )  # fmt: skip
    words = forms.CharField(
        label=_("In their words"), widget=forms.Textarea(attrs={"rows": 6}), max_length=LONGEST,
        help_text=_("As they wrote or said it. It is sealed under a key of its own."),
    )  # fmt: skip
    received_on = forms.DateField(
        label=_("Received on"), widget=day_picker(),
        help_text=_("The day it reached us, by whatever way: the clocks run from then."),
    )  # fmt: skip
    came_by = forms.ChoiceField(label=_("How it came"), choices=CameBy.choices, initial=CameBy.EMAIL)
    asked_by = forms.ChoiceField(label=_("Who asks"), choices=AskedBy.choices, initial=AskedBy.PERSON)
    purposes = forms.MultipleChoiceField(
        label=_("What they say no to"), choices=list(PURPOSES.items()), widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("For objections, opt-outs and withdrawals. Tick nothing where they mean all of it."),
    )  # fmt: skip
    person = ref_field(_("Whose data it is about"), required=False)
    home = forms.ChoiceField(
        label=_("Where they say they live"), required=False,
        help_text=_("Which laws count. Once it is known whose data it is about, their home in the book does."),
    )  # fmt: skip
    language = forms.ChoiceField(
        label=_("Language of the answer"), required=False, choices=[("", _("not known")), *settings.LANGUAGES]
    )
    name = forms.CharField(label=_("Their name"), required=False, max_length=200)
    email = forms.EmailField(label=_("E-mail"), required=False)
    phone = forms.CharField(label=_("Phone"), required=False, max_length=40)
    post = forms.CharField(
        label=_("Postal address"), required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, entities: QuerySet[Entity], today: date, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["entity"].queryset = entities  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["home"].choices = [("", _("not known")), *every_place()]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["received_on"].initial = today
        self.fields["received_on"].widget.attrs["max"] = today.isoformat()

    @property
    def told(self) -> dict[str, Any]:
        """What the action takes."""
        said = self.cleaned_data
        wants = {name: said[name] for name in ("purposes", "home") if said[name]}
        reach = {name: said[name] for name in ("name", "email", "phone", "post") if said[name]}
        plain = ("entity", "words", "received_on", "came_by", "asked_by", "person", "language")
        kinds = [Kind(kind) for kind in said["kinds"]]
        return {name: said[name] for name in plain} | {"kinds": kinds, "wants": wants, "reach": reach}


# ---------------------------------------------------------------- steps


class Matched(WithPerson):
    """Whose data it is about."""

    person = ref_field(_("Whose data it is about"))


class HandedOver(forms.Form):
    """Who looks after it."""

    to = forms.ModelChoiceField(
        label=_("Who looks after it"), queryset=Staff.objects.none(), required=False, empty_label=_("nobody yet")
    )

    def __init__(self, *args: Any, staff: Sequence[Staff], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["to"].queryset = Staff.objects.filter(ref__in=[one.ref for one in staff]).order_by("name")  # type: ignore[attr-defined]  # a ModelChoiceField


class IdentityAsked(forms.Form):
    """That they were asked who they are."""

    level = forms.ChoiceField(label=_("How certain it must be"), widget=forms.RadioSelect)
    doubtful = forms.BooleanField(
        label=_("There is a real reason to doubt who asks"), required=False,
        help_text=_("Some laws let a clock stand still only then. The reason is ours to show."),
    )  # fmt: skip
    words = words_field(_("What they were asked for, and why"))

    def __init__(self, *args: Any, levels: Sequence[Level], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["level"].choices = [(one.value, one.label) for one in levels]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["level"].initial = levels[0].value


class IdentityConfirmed(forms.Form):
    """By what it is certain who asks."""

    shown = forms.ChoiceField(label=_("By what"), choices=Shown.choices, widget=forms.RadioSelect)
    evidence = forms.CharField(
        label=_("What was shown"), required=False, max_length=400,
        help_text=_("If it must be kept at all. It is sealed, and destroyed the moment the request is over."),
    )  # fmt: skip


class InWords(forms.Form):
    """A step that takes some words."""

    words = words_field("")

    def __init__(self, *args: Any, label: object, help_text: object = NAME_NOBODY, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["words"].label, self.fields["words"].help_text = str(label), str(help_text)


class Ended(forms.Form):
    """That a request is over: with the reason, where it is late."""

    words = words_field(
        _("Where the answer lies"), _("A file number, a mail, a page. An authority may read it. Name nobody.")
    )
    late_because = words_field(_("Why it is late"), _("Its day has passed. The reason stays on record."), rows=2)

    def __init__(self, *args: Any, late: bool, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        if not late:
            del self.fields["late_because"]


class Answered(Ended):
    """What an answer contained, what else was done, and what was not, by which exception."""

    contained = forms.MultipleChoiceField(
        label=_("What the answer contained"), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("All that the laws want in it. What is left out stays visible in the history of each duty."),
    )  # fmt: skip
    also_done = forms.MultipleChoiceField(
        label=_("What else was done"), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("What is not ticked stays among the duties until it is done."),
    )  # fmt: skip
    exemptions = forms.MultipleChoiceField(
        label=_("What was not done, and by which exception"), widget=forms.CheckboxSelectMultiple, required=False,
        help_text=_("Tick nothing where all was done. Else the answer told why, and what they can do about it."),
    )  # fmt: skip
    field_order = ("contained", "also_done", "exemptions", "words", "late_because")

    def __init__(
        self, *args: Any, wanted: Sequence[Wanted], others: Sequence[Clock], exemptions: Sequence[Exemption],  # noqa: ANN401 - a form's own
        **more: Any,  # noqa: ANN401 - as above
    ) -> None:  # fmt: skip
        super().__init__(*args, **more)
        self._offer("contained", [(one.says, one.says) for one in wanted])
        self._offer("also_done", [(str(one.duty.ref), f"{one.deed} ({one.duty.told['cite']})") for one in others])
        self._offer("exemptions", offered(exemptions))

    def _offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        if choices:
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # a choice field
        else:
            del self.fields[name]


class Refused(Ended):
    """By which exceptions a request was refused, in what words."""

    exemptions = forms.MultipleChoiceField(
        label=_("By which exceptions"), widget=forms.CheckboxSelectMultiple,
        help_text=_("At least one of each law that asks for an answer. That it holds is ours to show."),
    )  # fmt: skip
    field_order = ("exemptions", "words", "late_because")

    def __init__(self, *args: Any, exemptions: Sequence[Exemption], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["exemptions"].choices = offered(exemptions)  # type: ignore[attr-defined]  # a choice field


def offered(exemptions: Iterable[Exemption]) -> list[tuple[str, str]]:
    """Return exceptions as one chooses among them."""
    return [(one.id, f"{one.says} ({one.cite})") for one in exemptions]


class Appealed(forms.Form):
    """That somebody wants a refusal looked at again."""

    words = words_field(_("In their words"), _("It is sealed under a key of its own."))
    received_on = forms.DateField(label=_("Received on"), widget=day_picker())
    came_by = forms.ChoiceField(label=_("How it came"), choices=CameBy.choices, initial=CameBy.EMAIL)

    def __init__(self, *args: Any, today: date, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["received_on"].initial = today
