"""What somebody says who registers a recipient, or gives them a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.counsel.reading import every_place
from comity.outreach.sharing.actions import columns_offered
from comity.outreach.sharing.models import Operation, Recipient
from comity.staff.terms import term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet

    from comity.outreach.sharing.queries import Wanting
    from comity.staff.models import Entity, Staff

DAY = forms.DateInput(attrs={"type": "date"})
MOST_PROOF = 200


class RecipientGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """Who gets lists of ours, and what was agreed with them."""

    place = forms.ChoiceField(label=_("Where they are"))

    class Meta:
        model = Recipient
        fields = (
            "name", "role", "place", "address", "contract_on", "contract_at", "transfer_tool", "certified",
            "assessed_at", "review_on",
        )  # fmt: skip
        widgets = {"contract_on": DAY, "review_on": DAY}
        help_texts = {
            "address": _(
                "Each hour, by mail: whose data they must stop using, erase or correct. Else you send the file."
            ),
            "contract_at": _("A reference by which it is found. What is in it, a human must have read."),
            "review_on": _("From that day on they get nothing until somebody has looked at all this again."),
            "certified": _("Such as the Data Privacy Framework, for firms in the United States."),
        }

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        self.fields["place"].choices = every_place()  # type: ignore[attr-defined]  # a ChoiceField

    def clean(self) -> dict[str, Any]:
        """Want a place for each paper: a contract of which nobody knows where it lies is none."""
        told = super().clean() or {}
        if told.get("contract_on") and not told.get("contract_at"):
            self.add_error("contract_at", _("Say where the contract lies."))
        return told


class SharingPlanned(forms.Form):
    """To whom a list is given, for what, and what of each person."""

    recipient = forms.ModelChoiceField(label=_("Who gets it"), queryset=Recipient.objects.none(), empty_label=None)
    operation = forms.ChoiceField(
        label=_("What it is"), choices=Operation.choices, widget=forms.RadioSelect, initial=Operation.SHARE,
        help_text=_("It is a sale where we get money, or anything else of worth, for it."),
    )  # fmt: skip
    purpose = forms.ChoiceField(label=_("What it is for"), help_text=_("The law is asked about just this purpose."))
    named_in = forms.CharField(
        label=_("Notice that names it"), max_length=60, required=False,
        help_text=_("Which notice told these people that their data go to such a recipient for this. Empty: none did."),
    )  # fmt: skip
    columns = forms.MultipleChoiceField(
        label=_("Columns"), widget=forms.CheckboxSelectMultiple,
        help_text=_("No more than they need. The mark by which they find whoever says no later is always in it."),
    )  # fmt: skip

    def __init__(
        self, *args: Any, staff: Staff, entity: Entity, recipients: QuerySet[Recipient],  # noqa: ANN401 - a form's own
        purposes: Sequence[str], **more: Any,  # noqa: ANN401 - a form's own
    ) -> None:  # fmt: skip
        super().__init__(*args, **more)
        offered = {one.id: str(one.title) for each in purposes for one in columns_offered(entity, staff, each)}
        self.fields["recipient"].queryset = recipients  # type: ignore[attr-defined]  # a ModelChoiceField
        self.fields["purpose"].choices = [(one, term(one)) for one in purposes]  # type: ignore[attr-defined]  # a ChoiceField
        self.fields["columns"].choices = list(offered.items())  # type: ignore[attr-defined]  # as above
        self.initial.setdefault("columns", [one for one in ("email",) if one in offered])


class ProofsGiven(forms.Form):
    """Where that lies which the law wants beside a contract."""

    def __init__(self, *args: Any, wanted: Iterable[Wanting], **more: Any) -> None:  # noqa: ANN401 - a form's own
        super().__init__(*args, **more)
        for one in wanted:
            self.fields[one.kind] = forms.CharField(
                label=one.says, required=False, max_length=MOST_PROOF, initial=one.proof,
                help_text=_("Where it lies, or stands, so that somebody else finds it."),
            )  # fmt: skip


class WhyShared(forms.Form):
    """Why a list is given away, for whoever approves it."""

    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
