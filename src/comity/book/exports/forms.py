"""What somebody says who wants to take people out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from comity.book.exports.actions import Wanted
from comity.book.exports.columns import columns_of
from comity.book.exports.models import Format
from comity.book.exports.queries import export_classes
from comity.counsel.reading import every_place
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from comity.staff.models import Entity, Staff

RECIPIENTS: Final = {
    "none": pgettext_lazy("recipient", "Nobody but us"),
    "processor": pgettext_lazy("recipient", "A firm that works for us on our orders"),
    "affiliate": pgettext_lazy("recipient", "A firm of our group"),
    "third-party": pgettext_lazy("recipient", "Another firm, for its own ends"),
    "ad-platform": pgettext_lazy("recipient", "An advertising platform"),
    "data-broker": pgettext_lazy("recipient", "A data broker"),
    "authority": pgettext_lazy("recipient", "An authority"),
}
"""Who may get an export, as the vocabulary has it (use.recipient)."""
NOT_IN_CARDS: Final = _(
    "A vCard has no room for what people refused. Write to nobody by it without looking here first; brought in again, "
    "it is not taken to tell all refusals."
)
PURPOSE_TITLE: Final = _("What it is for")


class ExportAsked(forms.Form):
    """For what people are taken out, to whom they go, and what of them."""

    purpose = forms.ChoiceField(label=PURPOSE_TITLE, help_text=_("The law is asked about just this purpose."))
    recipient = forms.ChoiceField(label=_("Who gets the file"), choices=list(RECIPIENTS.items()))
    recipient_place = forms.ChoiceField(label=_("Where they are"), required=False)
    format = forms.ChoiceField(
        label=_("File"), choices=Format.choices, widget=forms.RadioSelect, help_text=NOT_IN_CARDS
    )
    columns = forms.MultipleChoiceField(
        label=_("Columns"), widget=forms.CheckboxSelectMultiple,
        help_text=_(
            "Take no more than you need. The mark by which a file leads back to its export is always in it; so is what "
            "people refused, objected to or agreed to, but for vCard."
        ),
    )  # fmt: skip

    def __init__(self, *args: Any, staff: Staff, entity: Entity, purposes: Sequence[str], **more: Any) -> None:  # noqa: ANN401 - a form's own
        from comity.staff.terms import term

        super().__init__(*args, **more)
        self.staff, self.entity = staff, entity
        offered = columns_of(entity, self._classes(purposes))
        self.fields["purpose"].choices = [(one, term(one)) for one in purposes]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["columns"].choices = [(one.id, one.title) for one in offered if not one.always]  # type: ignore[attr-defined]  # as above
        self.fields["recipient_place"].choices = [("", gettext("not known")), *every_place()]  # type: ignore[attr-defined]  # as above
        self.initial.setdefault("format", Format.CSV)
        self.initial.setdefault("columns", [one.id for one in offered])

    def _classes(self, purposes: Sequence[str]) -> set[FieldClass]:
        return {each for purpose in purposes for each in export_classes(self.staff, self.entity, purpose)}

    @property
    def wanted(self) -> Wanted:
        """What the filled form asks for; before it is filled, what it begins with."""
        told = self.cleaned_data if self.is_bound and self.is_valid() else self._begun()
        return Wanted(
            entity=self.entity, purpose=told["purpose"], format=Format(told["format"]), columns=told["columns"],
            recipient=told["recipient"], recipient_place=_outside(told),
        )  # fmt: skip

    def _begun(self) -> dict[str, Any]:
        first = self.fields["purpose"].choices[0][0]  # type: ignore[attr-defined]  # a ChoiceField
        return {"purpose": first, "recipient": "none", "recipient_place": "", **self.initial}


def _outside(told: dict[str, Any]) -> str:
    return str(told["recipient_place"]) if told["recipient"] != "none" else ""


class WhyMany(forms.Form):
    """Why so many people are to be taken out: a second person weighs it."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}))
