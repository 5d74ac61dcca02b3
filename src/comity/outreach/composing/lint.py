"""Looking through a campaign's content for every law under which it is read: what is wrong, where, and what mends it.

What is looked through is the message as it would be sent to each kind of reader, with all that accompanies it: nobody
is told to write what composing adds. An error stops the campaign; what wants a look waits for somebody's tick.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal
from uuid import UUID

from comity.counsel.texts import look_through, places_of, without_rules
from comity.law.obligations import Merged
from comity.law.pages import UnreadableText
from comity.law.texts import TextFinding
from comity.outreach.composing.content import (
    Content,
    ContentProblems,
    NotComposed,
    Prepared,
    Problem,
    prepare,
    problems,
)
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.messenger import compose_template
from comity.outreach.composing.parties import Links, Origin, Recipient, Sender, Told, Transfer
from comity.outreach.composing.placeholders import KNOWN, Kind
from comity.outreach.composing.scripts import compose_call_script, compose_letter
from comity.outreach.composing.short_messages import compose_sms
from comity.outreach.composing.ways import to_see_to

AS_TEXTS: Final = {"email": "email", "sms": "sms", "messenger": "sms", "call": "ad", "post": "ad"}
"""What the law's text rules call each form of content."""
EXAMPLE: Final = {"given": "Mira", "family": "Sample", "name": "Mira Sample", "organisation": "Sample Ltd"}
EXAMPLE_NUMBER: Final = "+4915100000000"


@dataclass(frozen=True, kw_only=True)
class Readers:
    """People who get a message under the same laws, in the same language, with the same obligations."""

    places: frozenset[str]
    language: str
    obligations: tuple[Merged, ...] = ()
    persons: int = 0


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a law says against the message, or misses in it, and for whom."""

    rule: str
    law: str
    says: str
    cite: str
    url: str
    cure: str
    level: Literal["error", "review"]
    confirmed: bool
    words: str
    missing: bool
    part: str
    line: int
    places: tuple[str, ...]
    languages: tuple[str, ...]

    @property
    def key(self) -> str:
        """What a tick is bound to: this rule and these words. Other words want another tick."""
        return hashlib.sha256(f"{self.rule}\n{self.words}\n{self.missing}".encode()).hexdigest()[:24]


@dataclass(frozen=True, kw_only=True)
class NotMade:
    """Readers for whom no message can be made at all, and why."""

    places: tuple[str, ...]
    language: str
    persons: int
    why: str


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What was found in a content. `bare` are places for which the packs have no rule about such a text."""

    problems: tuple[Problem, ...] = ()
    found: tuple[Found, ...] = ()
    not_made: tuple[NotMade, ...] = ()
    bare: tuple[str, ...] = ()

    @property
    def blocked(self) -> bool:
        """Tell whether something must be mended before anything is sent."""
        levels = {one.level for one in self.problems} | {one.level for one in self.found}
        return "error" in levels or bool(self.not_made)

    @property
    def to_tick(self) -> tuple[Found, ...]:
        """Return what somebody must have looked at."""
        return tuple(one for one in self.found if one.level == "review")

    def cleared(self, ticks: Collection[str]) -> bool:
        """Tell whether it may be sent, with these keys ticked."""
        return not self.blocked and all(one.key in ticks for one in self.to_tick)


def look_over(
    *,
    content: Content,
    readers: Sequence[Readers],
    sender: Sender,
    links: Links,
    day: date,
    told: Told | None = None,
    known: Mapping[str, Kind] = KNOWN,
) -> Looked:
    """Look through a content as each kind of reader would get it, under the law of their places on `day`."""
    wrong = problems(content, known)
    try:
        prepared = prepare(content, known)
    except ContentProblems:
        return Looked(problems=wrong)
    form: Any = AS_TEXTS[content.form]
    documents, not_made = _documents(prepared, readers, sender=sender, links=links, day=day, told=told)
    made: dict[tuple[str, int, str, bool, str], Found] = {}
    for document, alike in documents.items():
        places = frozenset[str]().union(*(each.places for each in alike))
        try:
            looked = look_through(document, form, places, day)
        except UnreadableText as error:
            not_made += [_not_made(each, error) for each in alike]
            continue
        for finding in looked.findings:
            _merge(made, finding, alike, day)
    found = sorted(made.values(), key=lambda one: (one.level, one.rule, one.line))
    everywhere = frozenset[str]().union(*(each.places for each in readers))
    bare = without_rules(form, everywhere, day)
    return Looked(problems=wrong, found=tuple(found), not_made=tuple(not_made), bare=tuple(sorted(bare)))


def _documents(
    prepared: Prepared,
    readers: Iterable[Readers],
    **what: Any,  # noqa: ANN401 (what `example` takes)
) -> tuple[dict[bytes, list[Readers]], list[NotMade]]:
    """Return each message that anybody would get, with its readers: whoever gets the same is looked at together."""
    documents: dict[bytes, list[Readers]] = {}
    not_made = []
    for each in readers:
        try:
            documents.setdefault(example(prepared, each, **what), []).append(each)
        except NotComposed as error:
            not_made.append(_not_made(each, error))
    return documents, not_made


def _not_made(readers: Readers, error: ValueError) -> NotMade:
    return NotMade(
        places=tuple(sorted(readers.places)), language=readers.language, persons=readers.persons, why=str(error)
    )


def _merge(
    made: dict[tuple[str, int, str, bool, str], Found], finding: TextFinding, alike: Sequence[Readers], day: date
) -> None:
    """Add a finding, or its readers to the same one in another's message."""
    rule = finding.rule
    key = (rule.id, 0 if finding.missing else finding.line, finding.words, finding.missing, finding.part)
    before = made.get(key)
    reached = [(each.language, places_of(rule, each.places, day)) for each in alike]
    places = set(before.places if before else ()).union(*(here for _, here in reached))
    languages = {*(before.languages if before else ()), *(language for language, here in reached if here)}
    made[key] = Found(
        rule=rule.id, law=rule.law.name, says=rule.says, cite=rule.source.cite, url=rule.source.url, cure=rule.cure,
        level=rule.level, confirmed=rule.confirmed, words=finding.words, missing=finding.missing, part=finding.part,
        line=finding.line, places=tuple(sorted(places)), languages=tuple(sorted(languages)),
    )  # fmt: skip


# ---------------------------------------------------------------- an example of what would be sent


def example(
    content: Prepared, readers: Readers, *, sender: Sender, links: Links, day: date, told: Told | None = None
) -> bytes:
    """Return the message as one of these readers would get it, with an invented name. Raises NotComposed."""
    what: dict[str, Any] = {
        "content": content, "sender": sender, "links": links, "told": told or told_of_nobody(),
        "obligations": readers.obligations, "seen_to": {one.kind for one in to_see_to(readers.obligations)},
    }  # fmt: skip
    place = min(readers.places, default="")
    match content.form:
        case "email":
            to = Recipient(address="mira@example.com", language=readers.language, place=place, values=EXAMPLE)
            at = datetime.combine(day, time(12), UTC)
            return compose_email(recipient=to, ref=UUID(int=0), at=at, **what).as_bytes()
        case "sms":
            to = Recipient(address=EXAMPLE_NUMBER, language=readers.language, place=place, values=EXAMPLE)
            return compose_sms(recipient=to, **what).text.encode()
        case "messenger":
            to = Recipient(address=EXAMPLE_NUMBER, language=readers.language, place=place, values=EXAMPLE)
            return compose_template(recipient=to, **what).text.encode()
        case "call":
            to = Recipient(address=EXAMPLE_NUMBER, language=readers.language, place=place, values=EXAMPLE)
            script = compose_call_script(recipient=to, **what)
            return "\n\n".join([*script.opening, script.words, *script.closing]).encode()
        case "post":
            to = Recipient(
                address="Sample Street 1\nSampletown", language=readers.language, place=place, values=EXAMPLE
            )
            return compose_letter(recipient=to, **what).text.encode()


def told_of_nobody() -> Told:
    """Return what is told of an invented person: each one's own stands in their own message."""
    origin = Origin(source="Sample List Ltd", kinds=("…",), purpose="…")
    transfer = Transfer(
        recipient="…", place="…", contact="…", purpose="…", how="…", kinds=("…",), rights="…"
    )  # fmt: skip
    return Told(origin=origin, transfer=transfer, logic="…")
