"""What staff write to place, review and lift holds, and to restrict a record."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.staff.models import Entity, Staff


def _day() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class Owner(forms.ModelChoiceField):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """One of those who may look after a hold."""

    def __init__(self) -> None:
        help_text = _("Is reminded on that day.")
        super().__init__(label=_("Who looks after it"), queryset=Staff.objects.none(), help_text=help_text)


class HoldReviewed(forms.Form):
    """That a hold is still needed, and until when."""

    owner = Owner()
    review_on = forms.DateField(label=_("Look at it again on"), widget=_day())

    def __init__(self, *args: Any, owners: Collection[UUID], **more: Any) -> None:  # noqa: ANN401 - Django's own
        super().__init__(*args, **more)
        field = self.fields["owner"]
        field.queryset = Staff.objects.filter(ref__in=owners)  # type: ignore[attr-defined]  # it is one of these


class HoldPlaced(HoldReviewed):
    """A hold on one person, or on everybody of an entity."""

    entity = forms.ModelChoiceField(label=_("For"), queryset=Entity.objects.none(), empty_label=None)
    person = forms.UUIDField(
        label=_("The person's ref"), required=False,
        help_text=_("Nobody of this entity is erased or cleaned where it stays empty."),
    )  # fmt: skip
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000,
        help_text=_("Which claim, inquiry or order: who looks at it again must know. It is not in the ledger."),
    )  # fmt: skip
    field_order = ("entity", "person", "reason", "owner", "review_on")

    def __init__(self, *args: Any, entities: Collection[UUID], **more: Any) -> None:  # noqa: ANN401 - as above
        super().__init__(*args, **more)
        self.fields["entity"].queryset = Entity.objects.filter(ref__in=entities)  # type: ignore[attr-defined]  # as above


class Because(forms.Form):
    """Why a hold is lifted, or a record restricted."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 3}), max_length=2_000)


class RestrictionLifted(Because):
    """Why a record may be used again, and when the person was told."""

    told_on = forms.DateField(
        label=_("We told them on"), widget=_day(),
        help_text=_("They must hear of it before it is lifted (GDPR Art. 18(3))."),
    )  # fmt: skip
