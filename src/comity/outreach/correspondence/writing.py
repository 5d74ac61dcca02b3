"""A mail to one person, composed at the moment of its hand-over from what was sealed when it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final
from uuid import UUID

from comity.outreach.campaigns.writing import Wordings, Writer
from comity.outreach.composing.content import Content, NotComposed, Wording, prepare
from comity.outreach.composing.letters import Sort
from comity.outreach.correspondence.models import Mail
from comity.outreach.correspondence.occasions import question_of
from comity.post.letters import Composed, Unsendable
from comity.vault.actions import open_fields
from comity.vault.sealing import FieldClass, Label

if TYPE_CHECKING:
    from comity.counsel.actions import Decided
    from comity.counsel.questions import Question
    from comity.post.models import Dispatch, Message
    from comity.vault.sealing import Fields

KIND: Final = "mail"


def mail_label(mail: Mail) -> Label:
    """Return where the words of a mail are sealed."""
    return Label(mail.person, FieldClass.MESSAGE, KIND, mail.ref)


def words_of(subject: str, body: str, language: str) -> Content:
    """Return the words of a mail as composing wants them."""
    return Content(language=language, wordings={language: Wording(subject=subject, body=body)})


class OwnWriter(Writer):
    """Composes mails to one person."""

    sort: Sort = "personal"

    def question(self, dispatch: Dispatch) -> Question:
        """Return what the law is asked: the occasion says it."""
        return question_of(_mail(dispatch).occasion, dispatch.entity_id, dispatch.channel)

    def classes(self, dispatch: Dispatch) -> Sequence[FieldClass]:
        """Return the address and the words, and the name where the words call somebody by it."""
        by_name = [FieldClass.NAME] if _mail(dispatch).by_name else []
        return [FieldClass.CONTACT, FieldClass.MESSAGE, *by_name]

    def compose(self, dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        """Return the letter, or why there is none."""
        mail = _mail(dispatch)
        if any(message.person != mail.person for message in messages):  # they were made one with another meanwhile
            return {message.ref: Unsendable(why="gone") for message in messages}
        told = open_fields(warrant=decided.warrant, labels=[mail_label(mail)]).get(mail_label(mail))
        if told is None:
            return {message.ref: Unsendable(why="gone") for message in messages}
        try:
            words = Wordings(each=[prepare(_as_sealed(told, mail.language))])
        except NotComposed:
            return {message.ref: Unsendable(why="unmet") for message in messages}
        return self.written(dispatch, messages, decided, words, answers=str(told.get("answers", "")))


def _as_sealed(told: Fields, language: str) -> Content:
    return words_of(str(told.get("subject", "")), str(told.get("body", "")), language)


def _mail(dispatch: Dispatch) -> Mail:
    return Mail.objects.get(ref=dispatch.about)
