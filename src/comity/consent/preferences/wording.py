"""What a person says yes to, in the words that they are shown; and what the purposes and channels are called.

Whatever is agreed to is recorded with these very words. Who changes one of them gives the page another version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from comity.consent.notices.queries import public_version, wording_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.utils.functional import _StrPromise

    from comity.consent.notices.models import NoticeVersion
    from comity.staff.models import Entity

VERSION: Final = 1
"""Of the sentences below."""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """What was shown: the words themselves, how they are called on record, and their language."""

    text: str
    notice: str
    language: str
    says: str = ""  # the text without what holds for every choice of the page, and stands there once
    version: NoticeVersion | None = None  # of a notice that was published


PURPOSES: Final[dict[str, _StrPromise]] = {
    "marketing": _("Advertising and news"),
    "fundraising": _("Appeals for donations"),
    "targeted-advertising": _("Advertising chosen for you"),
    "analytics": _("Evaluation of use"),
}
"""What one may choose about, in the order of the page."""
CHANNELS: Final[dict[str, _StrPromise]] = {
    "email": _("By e-mail"),
    "sms": _("By text message"),
    "call": _("By phone"),
    "autocall": _("By automated call"),
    "fax": _("By fax"),
    "messenger": _("By messenger"),
    "post": _("By post"),
    "in-app": _("In the app"),
    "face-to-face": _("In person"),
    "none": _("Altogether"),
}
WRITES: Final[dict[str, _StrPromise]] = {
    "email": _("may send me e-mails"),
    "sms": _("may send me text messages"),
    "call": _("may call me"),
    "autocall": _("may call me by a machine"),
    "fax": _("may send me faxes"),
    "messenger": _("may send me messages by messenger"),
    "post": _("may send me letters"),
    "in-app": _("may show me messages in the app"),
    "face-to-face": _("may speak to me in person"),
}
ABOUT: Final[dict[str, _StrPromise]] = {
    "marketing": _("with advertising and news about what it offers"),
    "fundraising": _("with appeals for donations"),
}
WITHOUT_MESSAGE: Final[dict[str, _StrPromise]] = {
    "targeted-advertising": _(
        "may use what I bought and looked at to choose the advertising that I see, and may share it for that"
    ),
    "analytics": _("may evaluate how I use what it offers, to make it better"),
}
TAKEN_BACK: Final = _(
    "I can take this back at any time on the page of my choices or by the link in every message, "
    "as easily as I said it."
)


def wording_for(entity: Entity, purpose: str, channel: str) -> Wording:
    """Return what somebody agrees to who says yes to this, in the language of the page."""
    language = get_language() or "en"
    if purpose in WITHOUT_MESSAGE:
        says = str(WITHOUT_MESSAGE[purpose])
    else:
        says = _("%(may)s %(about)s") % {"may": WRITES.get(channel, channel), "about": ABOUT.get(purpose, purpose)}
    text = _("%(entity)s %(says)s.") % {"entity": entity.name, "says": says}
    notice = f"Preference page v{VERSION}, {language}"
    return Wording(text=f"{text} {TAKEN_BACK}", says=text, notice=notice, language=language)


def wording_shown(entity: Entity, purpose: str, channel: str, notice: UUID | None) -> Wording:
    """Return what a form showed that asks for a second step: the published notice, else the words of this page."""
    version = public_version(notice) if notice else None
    if version is None or version.entity_id != entity.ref:
        return wording_for(entity, purpose, channel)
    asked = get_language() or "en"
    language = asked if asked in version.languages else version.languages[0]
    return Wording(text=wording_of(version, language), notice=str(version), language=language, version=version)
