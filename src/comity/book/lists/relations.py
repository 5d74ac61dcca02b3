"""Filters by further plain facts: what there is between a person and us, and what the law asks about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from comity.book.lists.filters import (
    YEAR,
    Filter,
    Group,
    day_begins,
    of_relation,
    or_empty,
    register_filter,
    with_unknown,
    yes_or_no,
)
from comity.book.models import ContactPoint, Reach

if TYPE_CHECKING:
    from comity.book.lists.filters import Choices
    from comity.book.opening import Look

    Keeps = Callable[[Look, Sequence[str]], Q]

YES_NO: Final = (("yes", _("Yes")), ("no", _("No")))
DAYS: Final = {
    "since": ("customer_since", _("Customer from"), _("Customer before")),
    "purchase": ("last_purchase_on", _("Last purchase from"), _("Last purchase before")),
    "inquiry": ("last_inquiry_on", _("Last inquiry from"), _("Last inquiry before")),
    "mailed": ("last_mailed_on", _("Last advertisement from"), _("Last advertisement before")),
}
"""Days of a relation, by the word that stands in the address."""
LINES: Final = (("individual", _("A human being")), ("corporate", _("A legal person")))
TRUTHS: Final = {
    "contract": ("contract_running", _("Running contract")),
    "sale": ("address_from_sale", _("Address from a sale")),
    "refusal": ("refusal_offered", _("Could refuse from the start")),
}
"""What is so or is not of a relation, by the word that stands in the address."""


def _days(values: Sequence[str]) -> list[date]:
    return list(map(date.fromisoformat, values))


def _on_or_after(column: str) -> Keeps:
    return lambda look, values: Q(of_relation(look, **{f"{column}__gte": max(_days(values))}))


def _before(column: str) -> Keeps:
    return lambda look, values: Q(of_relation(look, **{f"{column}__lt": min(_days(values))}))


def _is_so(column: str) -> Keeps:
    return lambda look, values: yes_or_no(of_relation(look, **{column: True}), values)


def _happened_to(column: str) -> Keeps:
    return lambda _look, values: yes_or_no(Q(**{f"{column}__isnull": False}), values)


def _failing(_look: Look, values: Sequence[str]) -> Q:
    failed = ContactPoint.objects.filter(person=OuterRef("pk"), reach__in=values, first=True, failed_at__isnull=False)
    return Q(Exists(failed))


def _choices(_look: Look) -> Choices:
    return YES_NO


def begin() -> None:
    """Offer them to the list of people."""
    for one in (*_of_relations(), *_of_persons()):
        register_filter(one)


def _of_relations() -> list[Filter]:
    found = []
    for word, (column, after, before) in DAYS.items():
        dealings: Any = {"group": Group.DEALINGS}
        found.append(Filter(id=f"{word}_after", title=after, keeps=_on_or_after(column), **dealings))
        found.append(Filter(id=f"{word}_before", title=before, keeps=_before(column), **dealings))
    for word, (column, title) in TRUTHS.items():
        found.append(Filter(id=word, title=title, keeps=_is_so(column), choices=_choices, group=Group.DEALINGS))
    return found


def _of_persons() -> list[Filter]:
    return [
        Filter(
            id="subscriber", title=_("Their line or mailbox is of"), choices=lambda _look: with_unknown(LINES),
            keeps=lambda _look, values: Q(subscriber__in=or_empty(values)),
        ),
        Filter(
            id="born_from", title=_("Born from the year"), entry=YEAR,
            keeps=lambda _look, values: Q(birth_year__gte=max(map(int, values))),
        ),
        Filter(
            id="born_to", title=_("Born up to the year"), entry=YEAR,
            keeps=lambda _look, values: Q(birth_year__lte=min(map(int, values))),
        ),
        Filter(
            id="added_after", title=_("Added from"),
            keeps=lambda _look, values: Q(added_at__gte=day_begins(values, last=True)),
        ),
        Filter(
            id="added_before", title=_("Added before"),
            keeps=lambda _look, values: Q(added_at__lt=day_begins(values)),
        ),
        Filter(
            id="failing", title=_("Address or number that fails"), choices=lambda _look: Reach.choices, keeps=_failing
        ),
        Filter(
            id="objected", title=_("Objected to advertising"), choices=_choices, keeps=_happened_to("objected_at"),
            group=Group.SAID,
        ),
        Filter(
            id="signal", title=_("Browser sent an opt-out signal"), choices=_choices,
            keeps=_happened_to("opt_out_signal_at"), group=Group.SAID,
        ),
        Filter(
            id="restricted", title=_("Processing is restricted"), choices=_choices,
            keeps=_happened_to("restricted_at"), group=Group.SAID,
        ),
    ]  # fmt: skip
