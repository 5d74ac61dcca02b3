"""What keeps a form from being published: dark patterns, words, places. It is looked at as people would see it.

Errors stop a publication. Where only a human can tell, somebody ticks it and says why it is in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from comity.consent.notices.blocks import language_name, spoken
from comity.consent.notices.looking import Wrong, together, uncovered
from comity.consent.notices.models import NoticeVersion
from comity.counsel.reading import places_said
from comity.counsel.texts import look_through
from comity.law import Verdict
from comity.outreach.forms.asking import answer_to, every_place_of, offered, wants_age
from comity.outreach.forms.models import Young
from comity.outreach.forms.queries import Box, boxes_of, is_latest
from comity.outreach.forms.showing import form_page
from comity.outreach.forms.visiting import Filled
from comity.outreach.forms.words import language_choices

if TYPE_CHECKING:
    from comity.law import Decision
    from comity.law.texts import TextFinding
    from comity.outreach.forms.models import FormVersion

FORM: Final = "form"
NOTHING_ASKED, NO_PLACE, NO_NOTICE, OLD_WORDING, NO_WORDING, NOT_WRITTEN, UNSEEN_BOXES = (
    "nothing-asked", "no-place", "no-notice", "old-wording", "no-wording", "not-written", "two-channels",
)  # fmt: skip
LAW_SAYS_NO, LAW_ASKS, NOT_OFFERED, AGE_WANTED, OTHER_LANGUAGE, NO_RULES = (
    "law-says-no", "law-asks", "not-offered", "age-wanted", "other-language", "no-rules",
)  # fmt: skip
"""What is found besides what the text rules find."""


def wrong_in(version: FormVersion, *, day: date | None = None) -> list[Wrong]:
    """Return all that stops this version, errors first; then what a human has to look at."""
    day = day or timezone.localdate()
    found = [*_made_of(version), *_of_places(version, day)]
    for language in version.languages:
        found += [*_written(version, language), *_seen(version, language, day)]
    return sorted(together(found), key=lambda one: one.level != "error")


# ---------------------------------------------------------------- what it is made of


def _made_of(version: FormVersion) -> Iterator[Wrong]:
    if not version.asks:
        yield _error(NOTHING_ASKED, _("It asks nothing: no box stands in it."), _("Choose at least one wording."))
    if not version.places:
        yield _error(NO_PLACE, _("It does not say for people of which places it is."), _("Choose them."))
    if version.notice is None:
        yield _error(
            NO_NOTICE, _("It shows no privacy notice: whoever fills it in must be able to read what is done with it."),
            _("Choose a published notice."),
        )  # fmt: skip
    elif not is_latest(version.notice):
        yield _old(version.notice)
    for box in boxes_of(version, version.languages[0]):
        if not is_latest(box.version):
            yield _old(box.version)
        if len(box.version.channels) > 1:
            yield Wrong(
                id=UNSEEN_BOXES, level="review", found=str(box.version),
                says=_("This wording speaks of several channels, and each box is about one of them."),
                cure=_("Look that the words fit each box alone; better write a wording for each channel."),
            )  # fmt: skip


def _error(id_: str, says: str, cure: str, **more: str) -> Wrong:
    return Wrong(id=id_, level="error", says=says, cure=cure, **more)  # type: ignore[arg-type]  # texts, all of them


def _old(version: NoticeVersion) -> Wrong:
    return _error(
        OLD_WORDING, _("%(name)s is shown to nobody any more: a later version took its place.") % {"name": version},
        _("Choose the version that is shown now."),
    )  # fmt: skip


def _written(version: FormVersion, language: str) -> Iterator[Wrong]:
    said = version.words.get(language, {})
    if language not in dict(language_choices()):
        yield _error(NOT_WRITTEN, _("Forms cannot be in this language yet."), _("Leave it out."), language=language)
    elif not said.get("title", "").strip() or not said.get("button", "").strip():
        yield _error(
            NOT_WRITTEN, _("Its title or its button is not written in this language."), _("Write them."),
            language=language,
        )  # fmt: skip
    wordings = [box.version for box in boxes_of(version, language)]
    if version.notice:
        wordings.append(version.notice)
    for one in dict.fromkeys(wordings):
        if language not in one.languages:
            yield _error(
                NO_WORDING, _("%(name)s is not written in this language.") % {"name": one},
                _("Publish a version of it that is, or leave the language out of the form."), language=language,
            )  # fmt: skip


# ---------------------------------------------------------------- how it is seen


def _seen(version: FormVersion, language: str, day: date) -> Iterator[Wrong]:
    """Look through the page of a form as it is shown, empty, to people of its places."""
    if not version.places or language not in dict(language_choices()):
        return
    shown = form_page(version, language, Filled(None, version=version, language=language, day=day))
    looked = look_through(shown.encode(), FORM, version.places, day, language=spoken(language))
    yield from (_of_finding(one, language) for one in looked.findings)
    unjudged = [rule for rule in looked.rules if rule.id in looked.unjudged]
    if unjudged:
        yield Wrong(
            id=OTHER_LANGUAGE, level="review", language=language,
            more=[f"{rule.look.what or rule.says} ({rule.source.cite})" for rule in unjudged],
            says=_("Our rules have no words for this in %(language)s: a human has to look for each.")
            % {"language": language_name(language)},
            cure=_("Let somebody who reads the language compare it with a language that was looked through."),
        )  # fmt: skip
    if language == version.languages[0]:
        yield from uncovered(FORM, version.places, day)


def _of_finding(finding: TextFinding, language: str) -> Wrong:
    rule = finding.rule
    return Wrong(
        id=rule.id, level=rule.level, says=rule.says, language=language, cite=rule.source.cite, url=rule.source.url,
        what=rule.look.what if finding.missing else "", cure=rule.cure, found="" if finding.missing else finding.words,
        example=rule.example_in(spoken(language)), unconfirmed=not rule.confirmed,
    )  # fmt: skip


# ---------------------------------------------------------------- where it is filled in


def _of_places(version: FormVersion, day: date) -> Iterator[Wrong]:
    if not version.places:
        return
    asks_age = version.young != Young.NOT_ASKED
    there = every_place_of(version.places, day)
    open_to = offered(version.entity_id, version.places, day, asks_age=asks_age)
    boxes = boxes_of(version, version.languages[0])
    if shut := [one for one in there if one not in open_to]:
        yield from _shut(shut, open_to)
    if not asks_age:
        young = [one for one in open_to if wants_age(version.entity_id, [box.use for box in boxes], one, day)]
        if young:
            yield _error(
                AGE_WANTED, _("Before the law there can answer, it must be known how old somebody is: %(places)s.")
                % {"places": places_said(young)}, _("Ask for the month of birth."),
            )  # fmt: skip
    for box in boxes:
        yield from _answers(version, box, open_to, day)


def _shut(shut: list[str], open_to: list[str]) -> Iterator[Wrong]:
    says = _("No confirmation may be sent there today, so these places cannot be chosen: %(places)s.")
    yield Wrong(
        id=NOT_OFFERED, level="review" if open_to else "error", says=says % {"places": places_said(shut)},
        cure=_("Ask for the month of birth, if age is what is missing; else leave them out."),
    )  # fmt: skip


def _answers(version: FormVersion, box: Box, places: Iterable[str], day: date) -> Iterator[Wrong]:
    """Say where a yes by this box would not be enough."""
    found: dict[Verdict, dict[str, Decision]] = {}
    for place in places:
        answer = answer_to(UUID(str(version.entity_id)), box.use, place, day)
        found.setdefault(answer.verdict, {})[place] = answer
    for verdict, id_, level in ((Verdict.DENY, LAW_SAYS_NO, "error"), (Verdict.ASK, LAW_ASKS, "review")):
        if some := found.get(verdict):
            yield _not_enough(box, some, id_, level)


def _not_enough(box: Box, some: dict[str, Decision], id_: str, level: str) -> Wrong:
    reasons = next(iter(some.values())).reasons
    first = next((one for one in reasons if one.cite), None)
    return Wrong(
        id=id_, level="error" if level == "error" else "review", found=str(box.version),
        says=_("Who ticks this box could not be reached by it all the same: %(places)s.")
        % {"places": places_said(some)},
        cite=first.cite if first else "", cure=_("Leave the places out, or the box; or let counsel settle it."),
        more=[first.says] if first else [],
    )  # fmt: skip
