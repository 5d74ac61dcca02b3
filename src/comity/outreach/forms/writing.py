"""The message that asks to confirm: composed at its hand-over for somebody who is in nobody's book yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from comity.book.facts import age_of, these
from comity.book.models import Person, Reach
from comity.consent.preferences.links import May, make_link
from comity.consent.suppression.marks import Mark
from comity.counsel.facts import Columns
from comity.outreach.campaigns.models import Imprint
from comity.outreach.campaigns.writing import absolute, seen_to, sender_of
from comity.outreach.composing.content import Content, NotComposed, Prepared, Wording, prepare
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, mail_address
from comity.outreach.composing.placeholders import KNOWN, Kind
from comity.outreach.forms.asking import confirmation, is_confirmation
from comity.outreach.forms.coming_in import KIND, label_of
from comity.outreach.forms.models import Submission
from comity.outreach.forms.showing import notice_address
from comity.outreach.forms.words import all_words, words_in
from comity.post.letters import Composed, Later, Letter, Unsendable
from comity.refs import as_array
from comity.vault.actions import Opened, open_fields
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    import psycopg

    from comity.counsel.actions import Decided
    from comity.counsel.questions import Question
    from comity.law.vocabulary import Facts
    from comity.post.models import Dispatch, Message

PLACES: Final[Mapping[str, Kind]] = {**KNOWN, "confirm": "link"}
MENDING: Final = timedelta(minutes=15)
"""After which it is looked again whether somebody mended how we sign."""
GUARDIAN_AGE: Final = (18, 150)
# BLIND SPOT: that whoever has the address of a parent or guardian is grown up, we take from what the child wrote.


class Confirmer:
    """Composes the messages that ask to confirm."""

    def question(self, dispatch: Dispatch) -> Question:
        """Return what the law is asked about each of them."""
        return confirmation(dispatch.entity_id)

    def classes(self, _dispatch: Dispatch) -> Sequence[FieldClass]:
        """Return that the address alone is opened."""
        return [FieldClass.CONTACT]

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        """Return a letter to each of them, or why there is none."""
        try:
            sender = sender_of(dispatch.entity)
            mail_address(sender.address)
        except (Imprint.DoesNotExist, BadAddress):
            return {message.ref: Later(at=timezone.now() + MENDING, why="sender") for message in messages}
        persons = [message.person for message in messages]
        rows = Submission.objects.waiting().select_related("version__form", "version__notice", "entity")
        known = {one.ref: one for one in rows.filter(ref__in=persons)}
        labels = [label_of(person) for person in known]
        opened = open_fields(warrant=decided.warrant, labels=labels, permitted_only=True)
        return {one.ref: _composed(one, known.get(one.person), opened, sender, decided) for one in messages}


def _composed(
    message: Message, submission: Submission | None, opened: Mapping[Label, Opened], sender: Sender, decided: Decided
) -> Composed:  # fmt: skip
    if submission is None:
        return Unsendable(why="gone")
    address = str(opened.get(label_of(submission.ref), {}).get("email", ""))
    if not address:
        return Unsendable(why="no-address")
    try:
        return _letter(message, submission, address, sender, decided)
    except BadAddress:
        return Unsendable(why="no-such-address")
    except NotComposed:
        return Unsendable(why="unmet")


def _letter(message: Message, submission: Submission, address: str, sender: Sender, decided: Decided) -> Letter:
    obligations = decided.answers[message.person].decision.finding.obligations
    notice = notice_address(submission.version, submission.language)
    made = compose_email(
        content=prepared(guardian=submission.guardian), sender=sender, obligations=obligations, ref=message.ref,
        recipient=Recipient(address=address, language=submission.language, place=submission.place),
        links=Links(privacy=absolute(notice) if notice else "", more={"confirm": absolute(link_of(submission))}),
        at=timezone.now(), seen_to=seen_to(obligations), sort="automatic",
    )  # fmt: skip
    return Letter(
        to=mail_address(address).addr_spec, sender=mail_address(sender.address).addr_spec, data=made.as_bytes()
    )


def link_of(submission: Submission) -> str:
    """Return the page of the link by which a submission is confirmed."""
    link = make_link(
        may=May.CONFIRM, person=submission.ref, entity=submission.entity_id, at=submission.said_at, channel="email",
        mark=Mark(Reach.EMAIL, bytes(submission.mark)),
    )  # fmt: skip
    return reverse("outreach:form-confirm", args=[link])


@lru_cache(maxsize=2)
def prepared(*, guardian: bool) -> Prepared:
    """Return what the message says, in every language, read once."""
    before = "guardian_" if guardian else ""
    wordings = {
        language: Wording(
            subject=words_in(language)[f"{before}subject"], body=words_in(language)[f"{before}body"]
        )
        for language in all_words()
    }  # fmt: skip
    return prepare(Content(language="en", wordings=wordings), PLACES)


# ---------------------------------------------------------------- what the rooms below are told of who waits


def waiting(locks: psycopg.Connection, dispatch: Dispatch, persons: str) -> Collection[UUID]:
    """Return which of these wait to be confirmed, and hold their rows still: what lapses meanwhile waits for us."""
    if dispatch.kind != KIND:
        return ()
    return [ref for (ref,) in locks.execute(HOLD, [persons]).fetchall()]


HOLD: Final = """
    SELECT ref FROM outreach_submission WHERE ref = ANY (%s::uuid[]) AND confirmed_at IS NULL ORDER BY ref FOR SHARE
"""
TOLD: Final = frozenset({
    "person.home", "person.age", "person.known_age", "person.objected", "person.opt_out_signal", "relation.source",
})  # fmt: skip


def facts_of(question: Question, persons: Sequence[UUID], day: date) -> Mapping[UUID, Facts]:
    """Return what those said of themselves who are in no book yet; for this one question, and of nobody else."""
    if not is_confirmation(question):
        return {}
    rows = Submission.objects.unsettled().filter(ref__in=these(as_array(persons)))
    return {one.ref: _known(one, day) for one in rows}


def _known(one: Submission, day: date) -> Facts:
    """Return the facts of one. Whoever asks for a message just now objects to none, and said no to nothing."""
    born = Person(birth_year=one.birth_year, birth_month=one.birth_month)
    age = GUARDIAN_AGE if one.guardian else age_of(born, day)
    told: dict[str, object] = {
        "person.home": frozenset({one.place}), "person.objected": False, "person.opt_out_signal": one.signal,
        "relation.source": "person", "person.age": age, "person.known_age": age,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}  # type: ignore[misc]  # typed as listed


def columns_of(question: Question, _day: date) -> Columns:
    """Say that these are told of one at a time: confirmations are never decided inside the database."""
    return Columns(facts={}, only_singly=TOLD if is_confirmation(question) else frozenset())
