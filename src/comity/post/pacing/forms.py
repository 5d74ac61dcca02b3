"""What somebody says of when messages may go."""

from __future__ import annotations

from datetime import time
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from comity.law.hours import MIDNIGHT
from comity.post.pacing.models import LONGEST_WINDOW, Restraint, Throttle, every_day

DAY_NAMES: Final = [
    ("mon", _("Monday")), ("tue", _("Tuesday")), ("wed", _("Wednesday")), ("thu", _("Thursday")), ("fri", _("Friday")),
    ("sat", _("Saturday")), ("sun", _("Sunday")), ("holiday", _("Public holidays")),
]  # fmt: skip


class RestraintGiven(forms.Form):
    """At which hours, on which days and how often an entity advertises."""

    opens = forms.TimeField(
        label=_("Not before"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("By the clock of whoever is written to, wherever that is."),
    )  # fmt: skip
    closes = forms.TimeField(
        label=_("Not after"), required=False, widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_("Empty is midnight."),
    )  # fmt: skip
    days = forms.MultipleChoiceField(
        label=_("On these days"), choices=DAY_NAMES, widget=forms.CheckboxSelectMultiple,
        help_text=_("Without public holidays, nobody is written to where we do not know when they are."),
    )  # fmt: skip
    most = forms.IntegerField(
        label=_("At most so many messages to one person"), min_value=1, max_value=1000, required=False,
        help_text=_("Over all campaigns. Empty is no limit."),
    )  # fmt: skip
    in_days = forms.IntegerField(label=_("In so many days"), min_value=1, max_value=LONGEST_WINDOW, initial=7)

    def __init__(self, *args: Any, restraint: Restraint | None, **more: Any) -> None:  # noqa: ANN401 - a form's own
        initial: dict[str, Any] = {"opens": time(0), "days": every_day(), "in_days": 7}
        if restraint:
            initial = {name: getattr(restraint, name) for name in ("days", "most", "in_days")}
            initial |= {name: _clock(getattr(restraint, name)) for name in ("opens", "closes")}
        super().__init__(*args, **{**more, "initial": initial})

    @property
    def told(self) -> dict[str, Any]:
        """What was said, in minutes after midnight."""
        given = dict(self.cleaned_data)
        given["opens"] = _minutes(given["opens"])
        given["closes"] = _minutes(given["closes"]) if given["closes"] else MIDNIGHT
        return given


def _clock(minutes: int) -> time | None:
    return None if minutes == MIDNIGHT else time(minutes // 60, minutes % 60)


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute


class ThrottleGiven(forms.ModelForm):  # type: ignore[type-arg]  # Django's own takes none when it runs
    """How many messages a gateway takes."""

    class Meta:
        model = Throttle
        fields = ("a_second", "a_minute", "a_day", "domain_a_minute")
        labels = {
            "a_second": _("Messages a second"), "a_minute": _("Messages a minute"), "a_day": _("Messages a day"),
            "domain_a_minute": _("Messages a minute to one domain"),
        }  # fmt: skip
        help_texts = {
            "a_second": _("Empty is no limit, here and below."),
            "a_day": _("Days are counted in UTC."),
            "domain_a_minute": _("A domain that asks for patience gets it without this."),
        }
