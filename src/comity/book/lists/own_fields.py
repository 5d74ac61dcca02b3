"""Filters by the custom fields of an entity, as far as these are plain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.db.models import Case, DecimalField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from comity.book.fields.models import CustomField, FieldValue, Sensitivity, Sort
from comity.book.lists.filters import DAY, NUMBER, UNKNOWN, Filter, Group, register_family, with_unknown
from comity.refs import new_ref
from comity.staff.once import Once

if TYPE_CHECKING:
    from comity.book.lists.filters import Said
    from comity.book.opening import Look

    Keeps = Callable[[Look, Sequence[str]], Q]

PREFIX: Final = "field-"
YES_NO: Final = (("yes", _("Yes")), ("no", _("No")))
PLAIN: Final = Once(
    lambda entity: CustomField.objects.filter(entity=entity, sensitivity=Sensitivity.PLAIN), new_ref()
)  # fmt: skip
NUMBERS: Final = DecimalField(max_digits=40, decimal_places=8)


def filters_of_fields(look: Look) -> dict[str, Filter]:
    """Return the filters by an entity's plain fields. One that is filled in no more counts, and is not offered."""
    return {one.id: one for field in PLAIN(look.entity.ref) for one in _filters(field)}


def _filters(field: CustomField) -> Iterator[Filter]:
    match field.sort:
        case Sort.TRUTH:
            yield _chosen(field, [*YES_NO], _is_truth(field))
        case Sort.CHOICE:
            yield _chosen(field, [(each, each) for each in field.choices], _is_one_of(field))
        case Sort.DAY:
            yield _bound(field, "from", format_lazy(_("{name} from"), name=field.name), _day(field, "gte", max))
            yield _bound(field, "before", format_lazy(_("{name} before"), name=field.name), _day(field, "lt", min))
        case Sort.NUMBER:
            yield _bound(field, "from", format_lazy(_("{name} at least"), name=field.name), _number(field, "gte", max))
            yield _bound(field, "to", format_lazy(_("{name} at most"), name=field.name), _number(field, "lte", min))


def _chosen(field: CustomField, choices: list[tuple[str, Said]], keeps: Keeps) -> Filter:
    return Filter(
        id=f"{PREFIX}{field.ref}", title=field.name, choices=lambda _look: with_unknown(choices), keeps=keeps,
        group=Group.OWN, offered=field.retired_at is None,
    )  # fmt: skip


def _bound(field: CustomField, end: str, title: Said, keeps: Keeps) -> Filter:
    return Filter(
        id=f"{PREFIX}{field.ref}-{end}", title=title, keeps=keeps, group=Group.OWN, offered=field.retired_at is None,
        entry=NUMBER if field.sort == Sort.NUMBER else DAY,
    )  # fmt: skip


def _values(field: CustomField) -> QuerySet[FieldValue]:
    return FieldValue.objects.filter(person=OuterRef("pk"), field=field.ref)


def _or_nothing(field: CustomField, values: Sequence[str], held: Q) -> Q:
    """Return who holds it; with "not known" among the values, also who holds nothing."""
    kept = Q(Exists(_values(field).filter(held)))
    return kept | ~Q(Exists(_values(field))) if UNKNOWN in values else kept


def _is_truth(field: CustomField) -> Keeps:
    return lambda _look, values: _or_nothing(
        field, values, Q(plain__in=[each == "yes" for each in values if each != UNKNOWN])
    )  # fmt: skip


def _is_one_of(field: CustomField) -> Keeps:
    return lambda _look, values: _or_nothing(field, values, Q(plain__in=[each for each in values if each != UNKNOWN]))


def _day(field: CustomField, beyond: str, pick: Callable[[Sequence[str]], str]) -> Keeps:
    """A day is kept as ISO 8601 writes it, whose order is that of its letters."""
    return lambda _look, values: Q(Exists(_values(field).filter(**{f"plain__{beyond}": pick(values)})))


def _number(field: CustomField, beyond: str, pick: Callable[[Sequence[Decimal]], Decimal]) -> Keeps:
    """A number is kept as text, so that none is rounded. Text of other fields is not read as one: hence the CASE."""
    text = Func(F("plain"), Value("{}"), template="(%(expressions)s)", arg_joiner=" #>> ", output_field=TextField())
    read = Case(When(field=field.ref, then=Cast(text, NUMBERS)))

    def keeps(_look: Look, values: Sequence[str]) -> Q:
        bound = pick([Decimal(value) for value in values])
        return Q(Exists(_values(field).alias(number=read).filter(**{f"number__{beyond}": bound})))

    return keeps


def begin() -> None:
    """Offer them to the list of people."""
    register_family(PREFIX, filters_of_fields)
