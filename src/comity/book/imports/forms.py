"""What somebody says who brings people in from a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.book.imports.actions import Choices
from comity.book.imports.columns import CHANNELS
from comity.book.imports.models import Broken, Known
from comity.book.models import Source
from comity.counsel.reading import every_place
from comity.staff.guards import entities_of, may_do, may_handle
from comity.staff.models import Entity
from comity.staff.roles import roles

if TYPE_CHECKING:
    from comity.book.imports.models import Import
    from comity.staff.models import Staff

DATES: Final = [
    ("auto", _("As the column itself shows")),
    ("dmy", _("Day first: 31/12/2026")),
    ("mdy", _("Month first: 12/31/2026")),
]


class FileBrought(forms.Form):
    """A file, and for which of our entities it comes."""

    entity = forms.ModelChoiceField(label=_("For"), queryset=Entity.objects.none(), empty_label=None)
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, Excel, Parquet, JSON or vCard, at most 200 MB; in any usual encoding."),
        error_messages={
            "required": _("Choose a file first."),
            "empty": _("The file is empty. Export it again."),
        },
    )

    def __init__(self, *args: Any, staff: Staff, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        mine = [ref for ref in entities_of(staff) if may_do(staff, "import.run", ref)]
        self.fields["entity"].queryset = Entity.objects.filter(ref__in=mine).order_by("name")  # type: ignore[attr-defined]  # a ModelChoiceField


class WhatFor(forms.Form):
    """Why these people come, where from, who told them, and what becomes of odd rows."""

    purpose = forms.ChoiceField(
        label=_("Kept for"), help_text=_("Whether each of them may be kept for this is asked of the law of their home.")
    )
    source = forms.ChoiceField(
        label=_("Where their data came from"), choices=[("", _("Choose one")), *Source.choices],
        help_text=_("Where the file itself says it of a row, that counts."),
    )  # fmt: skip
    notice = forms.CharField(
        label=_("Notice they were shown"), max_length=60, required=False,
        help_text=_("The wording about our handling of data, with its version. Empty: none yet, which makes it due."),
    )  # fmt: skip
    notice_on = forms.DateField(
        label=_("Shown on"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    home = forms.ChoiceField(
        label=_("Where they live, if the file does not say"), required=False,
        help_text=_("Without a home every law may govern, so most answers are questions."),
    )  # fmt: skip
    asked_purpose = forms.ChoiceField(label=_("What you mean to do"), help_text=_("The preview asks the law about it."))
    asked_channel = forms.ChoiceField(label=_("By"))
    for_known = forms.ChoiceField(label=_("Who is in the book already"), choices=Known.choices)
    for_broken = forms.ChoiceField(
        label=_("Rows that cannot be read in full"), choices=Broken.choices,
        help_text=_("A row with an opt-out always comes in, so that no refusal is lost."),
    )  # fmt: skip
    dates = forms.ChoiceField(label=_("Days are written"), choices=DATES)
    tells_all = forms.BooleanField(
        label=_("The list marks everybody who opted out"), required=False,
        help_text=_("Only if you know it: then whoever is not marked did not. It is on record that you said so."),
    )  # fmt: skip

    def __init__(self, *args: Any, one: Import, staff: Staff, **more: Any) -> None:  # noqa: ANN401 - a form's own
        from comity.staff.terms import term

        more["initial"] = {name: getattr(one, name) for name in self.base_fields}
        super().__init__(*args, **more)
        offered = purposes_to_keep_for(staff, one.entity)
        self._offer("purpose", [(each, term(each)) for each in offered])
        self._offer("asked_purpose", [(each, term(each)) for each in ("marketing", "service", "ask-consent")])
        self._offer("asked_channel", [(each, term(each)) for each in CHANNELS])
        self._offer("home", [("", gettext("not known")), *every_place()])
        if one.purpose not in offered and offered:
            self.initial["purpose"] = offered[0]

    def _offer(self, name: str, offered: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = offered  # type: ignore[attr-defined]  # a ChoiceField

    @property
    def choices(self) -> Choices:
        """What was said."""
        return Choices(**self.cleaned_data)


class Settled(forms.Form):
    """Why people may come in of whom the law leaves that open."""

    because = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000,
        help_text=_("It stands beside the import, with your name and the day."),
    )  # fmt: skip


class Undone(forms.Form):
    """Whether people who were changed since are taken out too."""

    changed_too = forms.BooleanField(
        label=_("Also take out those who were changed since, or of whom something was recorded"), required=False
    )


CHOICE: Final = pgettext_lazy("row", "As for all")


def purposes_to_keep_for(staff: Staff, entity: Entity) -> list[str]:
    """Return the purposes for which somebody may bring people in, those of their roles."""
    return [
        purpose
        for purpose in roles().purposes
        if may_handle(staff, operation="import", purpose=purpose, field_class="name", entity=entity)
    ]
