"""What the law wants in a notice and does not find there; what no words can show, and a human has to look at.

Errors stop a publication. Where only a human can tell, somebody ticks it and says why it is in order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Literal, cast

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from comity.consent.notices.blocks import LABELS, blocks_of, language_name, spoken
from comity.counsel.reading import places_said
from comity.counsel.texts import look_through, text_book, without_rules
from comity.law.pages import read_blocks

if TYPE_CHECKING:
    from comity.consent.notices.models import NoticeVersion
    from comity.law.texts import Form, Looked, TextFinding, TextRule

NO_RULES, OTHER_LANGUAGE, EMPTY, BLOCK_MISSING, NO_SCOPE = (
    "no-rules", "other-language", "empty", "block-missing", "no-scope",
)  # fmt: skip
"""What is found besides what the text rules find."""


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """One thing that stops a publication, or that a human has to look at first."""

    id: str
    level: Literal["error", "review"]
    says: str
    language: str = ""
    block: str = ""
    cite: str = ""
    url: str = ""
    what: str = ""
    found: str = ""
    cure: str = ""
    example: str = ""
    unconfirmed: bool = False
    more: Sequence[str] = field(default=())
    ids: Sequence[str] = field(default=())  # of every law that says the same

    @property
    def key(self) -> str:
        """What ticks it: one rule in one language."""
        return f"{self.id}@{self.language}" if self.language else self.id

    @property
    def in_language(self) -> str:
        """The name of its language."""
        return language_name(self.language) if self.language else ""

    @property
    def in_block(self) -> str:
        """The name of its block, for whoever writes it."""
        return str(LABELS[self.block]) if self.block in LABELS else ""


def places_of(version: NoticeVersion) -> list[str]:
    """Return the places for whose people a notice is meant: our own and those that were chosen."""
    return list(dict.fromkeys([version.entity.place, *version.places]))


def wrong_in(version: NoticeVersion, *, day: date | None = None) -> list[Wrong]:
    """Return all that stops this version, errors first; then what a human has to look at."""
    day = day or timezone.localdate()
    found = [*_structure(version), *uncovered(cast("Form", version.notice.kind), places_of(version), day)]
    for language in version.languages:
        found += _in_language(version, language, day)
    return sorted(together(found), key=lambda one: one.level != "error")


def together(found: Iterable[Wrong]) -> list[Wrong]:
    """Let what several laws say alike, as those of the Union and of the United Kingdom do, be said once."""
    alike: dict[tuple[str, ...], list[Wrong]] = {}
    for one in found:
        name = one.id.partition("/")[2] or one.id
        alike.setdefault((name, one.level, one.language, one.block, one.found), []).append(one)
    return [
        replace(many[0], ids=[one.id for one in many], cite="; ".join(dict.fromkeys(one.cite for one in many)))
        for many in alike.values()
    ]


def shown(version: NoticeVersion, language: str) -> dict[str, str]:
    """Return what stands in each block in one language, without blocks in which nothing stands."""
    return {part["block"]: part["text"] for part in version.texts.get(language, []) if part["text"].strip()}


# ---------------------------------------------------------------- what the text rules find


def _in_language(version: NoticeVersion, language: str, day: date) -> Iterator[Wrong]:
    blocks = shown(version, language)
    if not blocks:
        return
    form = cast("Form", version.notice.kind)
    places = places_of(version)
    looked = look_through(read_blocks(blocks), form, places, day, language=spoken(language))
    yield from (_of_finding(finding, language, version) for finding in looked.findings)
    if unjudged := _unjudged(looked):
        yield _not_in_these_words(unjudged, language)


def _of_finding(finding: TextFinding, language: str, version: NoticeVersion) -> Wrong:
    rule = finding.rule
    block = finding.part if finding.part in blocks_of(version.notice.kind) else ""
    return Wrong(
        id=rule.id, level=rule.level, says=rule.says, language=language, block=block, cite=rule.source.cite,
        url=rule.source.url, what=rule.look.what if finding.missing else "", cure=rule.cure,
        found="" if finding.missing else finding.words, example=rule.example_in(spoken(language)),
        unconfirmed=not rule.confirmed,
    )  # fmt: skip


def _unjudged(looked: Looked) -> list[TextRule]:
    return [rule for rule in looked.rules if rule.id in looked.unjudged]


def _not_in_these_words(rules: Iterable[TextRule], language: str) -> Wrong:
    """Let a human look for what our rules have no words for in this language."""
    wanted = [f"{rule.look.what or rule.says} ({rule.source.cite})" for rule in rules]
    return Wrong(
        id=OTHER_LANGUAGE, level="review", language=language, more=wanted,
        says=_("Our rules have no words for this in %(language)s: a human has to look for each.")
        % {"language": language_name(language)},
        cure=_("Let somebody who reads the language compare it with a language that was looked through."),
    )  # fmt: skip


# ---------------------------------------------------------------- what it is made of


def _structure(version: NoticeVersion) -> Iterator[Wrong]:
    first = version.languages[0]
    there = shown(version, first)
    if not there:
        yield Wrong(id=EMPTY, level="error", language=first, says=_("Nothing stands in it yet."), cure=_("Write it."))
    for language in version.languages[1:]:
        yield from _lacking(there, shown(version, language), language)
    if version.notice.asks and not (version.purpose and version.channels):
        yield Wrong(
            id=NO_SCOPE, level="error", says=_("It does not say for which purpose and channels one says yes."),
            cure=_("Choose them under “What it is about”."),
        )  # fmt: skip


def _lacking(first: Mapping[str, str], other: Mapping[str, str], language: str) -> Iterator[Wrong]:
    for block in first:
        if block not in other:
            yield Wrong(
                id=BLOCK_MISSING, level="error", language=language, block=block,
                says=_("“%(block)s” stands in the first language and not in this one.") % {"block": LABELS[block]},
                cure=_("Translate it."),
            )  # fmt: skip


def uncovered(kind: Form, places: Collection[str], day: date) -> Iterator[Wrong]:
    """Say for which of the places the packs have no rule about such a text."""
    bare = sorted(without_rules(kind, places, day))
    if bare:
        yield Wrong(
            id=NO_RULES, level="review", more=[places_said([code]) for code in bare],
            says=ngettext(
                "The packs have no rule about such a text for %(n)d of the places: nothing was looked for there.",
                "The packs have no rule about such a text for %(n)d of the places: nothing was looked for there.",
                len(bare),
            ) % {"n": len(bare)},
            cure=_("Let counsel there look at it."),
        )  # fmt: skip


# ---------------------------------------------------------------- what the law asks for at all


def asked_for(version: NoticeVersion, *, day: date | None = None) -> dict[str, list[TextRule]]:
    """Return what the law of its places wants in each block, whether it stands there or not."""
    day = day or timezone.localdate()
    texts = text_book()
    form = cast("Form", version.notice.kind)
    found: dict[str, list[TextRule]] = {}
    for rule in texts.applying(form=form, places=texts.expanded(places_of(version), day), day=day):
        if rule.wants:
            found.setdefault(rule.look.block, []).append(rule)
    return found
