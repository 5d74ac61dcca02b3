"""Acting for a page: what an action refuses is said where its reader looks, and nothing else of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.forms import BaseForm

    from comity.staff.guards import StaffRequest


def try_or_tell(request: StaffRequest, act: Callable[[], object], *refusals: type[Exception]) -> bool:
    """Act; say in a message why it was not done, if it was not: for a refusal of ours, or one of these besides."""
    refused: tuple[type[Exception], ...] = (ValidationError, *refusals)
    try:
        act()
    except refused as error:
        for said in getattr(error, "messages", [str(error)]):
            messages.warning(request, said)
        return False
    return True


def try_or_show(form: BaseForm, act: Callable[[], object]) -> bool:
    """Act; show in the form why it was not done, if it was not."""
    try:
        act()
    except ValidationError as error:
        show_error(form, error)
        return False
    return True


def show_error(form: BaseForm, error: ValidationError) -> None:
    """Show what is wrong beside its field, where the form has that field."""
    by_field = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    for name, said in by_field.items():
        for message in said:
            form.add_error(name if name in form.fields else None, message)


def try_if_valid(form: BaseForm, act: Callable[[], object]) -> bool:
    """Act as `try_or_show` does, if the form was sent and says what it must."""
    return form.is_valid() and try_or_show(form, act)
