"""Writing to one person, and taking it back while it has not gone out."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.book.editing.history import keep_past
from comity.book.editing.leave import ask_leave
from comity.book.models import Activity, Doing, Person
from comity.counsel.asking import ask
from comity.law import Verdict
from comity.ledger.actions import record
from comity.outreach.campaigns.actions import HERE
from comity.outreach.campaigns.models import Imprint
from comity.outreach.campaigns.writing import calls_by_name, sender_of
from comity.outreach.composing.content import problems
from comity.outreach.correspondence.models import Mail
from comity.outreach.correspondence.occasions import purpose_of, question_of
from comity.outreach.correspondence.queries import lint_of
from comity.outreach.correspondence.writing import KIND, mail_label, words_of
from comity.post.actions import NotDispatched, begin_dispatch, stop_dispatch
from comity.post.jobs import defer_dispatch
from comity.post.models import Dispatch, Message, Stage
from comity.refs import new_ref
from comity.staff.guards import demand, may_handle
from comity.vault.actions import NoKey, seal
from comity.vault.gate import Refused
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from comity.book.opening import Look
    from comity.counsel.asking import Answer
    from comity.outreach.composing.content import Content
    from comity.post.models import Gateway
    from comity.staff.models import Staff

WORD: Final = "person.write"
SECOND_THOUGHTS: Final = timedelta(seconds=10)
"""How long a mail waits before it goes out, and can be taken back."""
MESSAGE_ID: Final = re.compile(r"<[^<>\s@]{1,200}@[^<>\s@]{1,200}>")


class NotWritten(ValidationError):
    """A mail is not sent; the message says why, and what to do."""


@transaction.atomic
def write_mail(
    *, look: Look, person: UUID, occasion: str, gateway: Gateway, language: str, subject: str, body: str,
    answers: str = "",
) -> Mail:  # fmt: skip
    """Write to one person. It goes out after a few seconds, if the law permits it then, too.

    `look` is for which entity and purpose the writer looks at the person: what they wrote is kept under it. `answers`
    is the Message-ID of a mail that this replies to. Raises NotYours; NotWritten, with all that stands in the way.
    """
    demand(look.viewer, WORD, look.entity)
    content = words_of(subject, body, language)
    if reasons := what_is_missing(look, person, occasion, content, answers):
        raise NotWritten(list(reasons))
    leave = ask_leave(look, person, FieldClass.MESSAGE)
    ref, purpose = new_ref(), purpose_of(occasion)
    mail = Mail(
        ref=ref, entity=look.entity, person=person, occasion=occasion, language=language,
        by_name=calls_by_name(content),
    )  # fmt: skip
    try:
        leave.demand([mail_label(mail)])
    except Refused:
        raise NotWritten(_("Law or role do not let what you write be kept, so it is not sent either.")) from None
    mail.dispatch = begin_dispatch(
        kind=KIND, about=ref, entity=look.entity, purpose=purpose, gateway=gateway, staff=look.viewer, persons=[person]
    )
    mail.save(force_insert=True)
    try:
        seal(label=mail_label(mail), fields={"subject": subject, "body": body, "answers": answers})
    except NoKey:
        raise NotWritten(_("This person was erased: there is nobody to write to.")) from None
    _wait(mail)
    record(
        kind="outreach.mail-written", staff=look.viewer.ref, persons=[person],
        body={"mail": ref, "entity": look.entity.ref, "purpose": purpose, "dispatch": mail.dispatch_id},
    )  # fmt: skip
    return mail


def _wait(mail: Mail) -> None:
    """Let it go out after a few seconds; who wrote it may think again."""
    at = timezone.now() + SECOND_THOUGHTS
    Message.objects.filter(dispatch=mail.dispatch).update(due_at=at)
    defer_dispatch(dispatch=mail.dispatch, at=at)


def what_is_missing(look: Look, person: UUID, occasion: str, content: Content, answers: str = "") -> list[str]:
    """Return why such a mail cannot be sent: the law first, then roles and what must be set up."""
    missing = []
    answer = would_answer(look, person, occasion)
    if answer.verdict is not Verdict.PERMIT:
        missing.append(_("The law does not permit this mail now. Why, and what would help, stands beside it."))
    if not may_write(look, occasion, by_name=calls_by_name(content)):
        missing.append(_("None of your roles may write to people for this purpose."))
    missing += not_ready(look)
    missing += [f"{one.says} {one.cure}" for one in problems(content) if one.level == "error"]
    missing += [] if missing else _of_words(look, person, occasion, content, answer)
    if answers and not MESSAGE_ID.fullmatch(answers):
        missing.append(_("This is no Message-ID to answer: write it as <…@…>."))
    return missing


def _of_words(look: Look, person: UUID, occasion: str, content: Content, answer: Answer) -> list[str]:
    home = Person.objects.values_list("home", flat=True).get(ref=person)
    looked = lint_of(content=content, occasion=occasion, home=home, answer=answer, sender=sender_of(look.entity))
    wrong = [f"{one.says} {one.cite} {one.cure}" for one in looked.found if one.level == "error"]
    return [*wrong, *(one.why for one in looked.not_made)]


def not_ready(look: Look) -> list[str]:
    """Return what must be set up before anybody of this entity can write to people at all."""
    missing = []
    if not (settings.ADDRESS.scheme == "https" or settings.ADDRESS.hostname in HERE):
        missing.append(_("Nobody could stop by a link: this book has no https address. COMITY_ADDRESS says which."))
    if not Imprint.objects.filter(entity=look.entity).exists():
        missing.append(_("Say who sends: the law of everybody wants to know it. Settings, sender."))
    return missing


def would_answer(look: Look, person: UUID, occasion: str) -> Answer:
    """Return what the law says of such a mail today; nothing is recorded, for nothing is done yet."""
    question = question_of(occasion, look.entity.ref)
    return ask(question=question, persons=[person], day=timezone.localdate())[person]


def may_write(look: Look, occasion: str, *, by_name: bool = False) -> bool:
    """Say whether a role of the viewer's opens what such a mail is made from; it is asked again at the hand-over."""
    wanted = [FieldClass.CONTACT, FieldClass.MESSAGE, *([FieldClass.NAME] if by_name else [])]
    return all(
        may_handle(look.viewer, operation="contact", purpose=purpose_of(occasion), field_class=each, entity=look.entity)
        for each in wanted
    )


@transaction.atomic
def take_back(*, mail: Mail, by: Staff) -> None:
    """Stop a mail of one's own that has not gone out. Raises NotWritten where it is too late."""
    demand(by, WORD, mail.entity_id)
    if mail.dispatch.staff_id != by.ref:
        raise NotWritten(_("Somebody else wrote this mail: only they take it back."))
    try:
        stop_dispatch(dispatch=mail.dispatch, staff=by)
    except NotDispatched:
        raise NotWritten(_("It is too late: this mail is on its way.")) from None
    if not Message.objects.filter(dispatch=mail.dispatch, stage=Stage.STOPPED).exists():
        raise NotWritten(_("It is too late: this mail is on its way."))


def keep_contact(dispatch: Dispatch, messages: Sequence[Message], at: datetime) -> None:
    """Put a mail that was handed over among what happened with its person: once, under its own ref."""
    if dispatch.kind != KIND:
        return
    for mail in Mail.objects.filter(dispatch=dispatch, person__in=[message.person for message in messages]):
        told = {"person_id": mail.person, "entity": mail.entity, "doing": Doing.MAIL, "at": at, "staff": dispatch.staff}
        Activity.objects.get_or_create(ref=mail.ref, defaults=told)
        _move_on(mail.person, at)


def _move_on(person: UUID, at: datetime) -> None:
    held = list(
        Person.objects.select_for_update(of=("self",)).filter(ref=person).exclude(last_contact_on__gte=at.date())
    )
    keep_past(held)
    Person.objects.filter(ref__in=[one.ref for one in held]).update(last_contact_on=at.date())
