"""Handing messages over: the one place from which anything leaves for the world.

A message was written down and committed before (`Message`). Whoever hands it over holds share locks on all that could
stop it (`Hands`); asks the law again under these locks, and commits that decision with the opening of the address;
commits an `Attempt`; and only then begins. What follows from that:

- Nothing leaves without a decision on record that permits it.
- Once a withdrawal has returned, no hand-over begins: it takes the same rows for itself, and waits for those
  that go on.
- A sender may die anywhere. An attempt without an outcome is uncertain, and nobody makes it again; a message without an
  attempt has certainly not gone out, and the next sender takes it.
- A sender that loses its locks notices before it begins: the connection that holds them is asked each time.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection
from django.utils import timezone

from comity.counsel.actions import decide
from comity.law import Verdict
from comity.ledger.actions import record
from comity.ledger.journal.keeping import refuse_if_behind
from comity.post.gateways import Answer, Outcome
from comity.post.letters import Composed, Later, Letter, composer_of, hold_still, keep_aftermath, kept_from
from comity.post.models import Attempt, Dispatch, Message, Stage
from comity.post.pacing.timing import not_now
from comity.refs import as_array
from comity.staff.guards import may_handle
from comity.staff.once import rows_of
from comity.staff.walls import behind_wall
from comity.vault.epochs import KeyTrouble

if TYPE_CHECKING:
    from comity.counsel.actions import Decided
    from comity.ledger.bodies import JSON
    from comity.post.hands import Hands
    from comity.post.letters import Composer

log = logging.getLogger(__name__)

LONGEST: Final = 10.0
"""Seconds for which the locks are held, and after which a hand-over that goes on is cut and uncertain."""
ENOUGH: Final = 1.0
"""Seconds that must be left for a hand-over to begin."""
AT_ONCE: Final = 25
"""Messages under one decision and one set of locks."""
WAITS: Final = [timedelta(minutes=each) for each in (1, 5, 15, 60, 180, 360, 720)]
"""How long until the next try of what certainly did not go out, after each; after the last it has failed."""

MARK: Final = """
    WITH known AS (UPDATE post_attempt SET outcome = %s, code = %s WHERE message = %s AND number = %s)
    INSERT INTO post_attempt (message, number) VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING number
"""


@dataclass(kw_only=True)
class Made:
    """An attempt that was made, and what came of it."""

    message: Message
    answer: Answer

    @property
    def row(self) -> tuple[str, str, UUID, int]:
        """As the statement wants it."""
        return self.answer.outcome.value, self.answer.code, self.message.ref, self.message.tries


NOTE_DECISION: Final = "UPDATE post_message SET decision = %s WHERE ref = ANY (%s::uuid[])"
NOTHING_BEFORE: Final = "", "", UUID(int=0), 0


def hand_over_some(*, dispatch: Dispatch, hands: Hands, most: int = AT_ONCE) -> Counter[str]:
    """Hand over what is due of a dispatch, so many messages at most; return in which stage those are now that moved.

    Nothing moved returns nothing: nothing is due, others have it in hand, or the way is shut. Call it outside of a
    transaction. Raises an OperationalError, of psycopg or Django, where the locks cannot be had in time, or are lost,
    and JournalTrouble where this database may lack what somebody said: whatever was not begun then is as it was.
    """
    refuse_if_behind()
    with hands.holding(dispatch) as goes_on:
        claimed = hands.claim(dispatch, hands.turns.room(dispatch, most)) if goes_on else []
        now = _as_it_is(dispatch) if claimed else None
        if now is None:
            return Counter()
        until = time.monotonic() + LONGEST
        hold_still(hands.locks, now, sorted(person for _message, person in claimed))
        messages, letters = _composed(now, [message for message, _person in claimed])
        kept = kept_from(hands.locks, now, letters) if letters else {}
        last = _hand_over_all(now, _without(letters, kept), hands, until)
        with _behind_its_wall(now):
            _write_down(now, messages, last)
    note_sent(dispatch=now)
    at = timezone.now()
    moved = Counter(one.stage for one in messages if one.stage != Stage.INTENDED or one.due_at > at)
    return Counter() if last is not None and last.answer.shut else moved


def _as_it_is(dispatch: Dispatch) -> Dispatch | None:
    """Read a dispatch anew: who sends may have lost a role since, and the gateway may have been ended."""
    with _behind_its_wall(dispatch):
        now = Dispatch.objects.select_related("entity", "staff", "gateway").get(pk=dispatch.pk)
    return now if now.gateway.ended_at is None else None


def _behind_its_wall(dispatch: Dispatch) -> Any:  # noqa: ANN401 - a context manager
    return behind_wall(staff=dispatch.staff_id, entities=[dispatch.entity_id])


def _settled_before(refs: Sequence[UUID]) -> list[Message]:
    """Read messages that were claimed, and settle those of which an earlier sender made an attempt and then died."""
    due = Message.objects.filter(ref__in=refs, stage=Stage.INTENDED, due_at__lte=timezone.now())
    messages = list(due.order_by("ref"))
    begun = {(one.message, one.number): one for one in Attempt.objects.filter(message__in=refs)}
    for message in messages:
        attempt = begun.get((message.ref, message.tries + 1))
        if attempt is not None:
            message.tries += 1
            outcome = Outcome(attempt.outcome or Outcome.UNCERTAIN)
            _take_in(message, Answer(outcome=outcome, why="" if attempt.outcome else "interrupted", code=attempt.code))
    return messages


# ---------------------------------------------------------------- the law, and what it permits


def _composed(dispatch: Dispatch, refs: Sequence[UUID]) -> tuple[list[Message], list[tuple[Message, Letter]]]:
    """Read messages that were claimed; ask the law, and compose what it permits. One that cannot be stops no other."""
    with _behind_its_wall(dispatch):
        messages = _settled_before(refs)
    waiting = [one for one in messages if one.stage == Stage.INTENDED]
    try:
        with _behind_its_wall(dispatch):
            return messages, _letters(dispatch, waiting)
    except OF_ALL:
        raise
    except Exception:
        log.exception("Messages of dispatch %s could not be composed together; each is tried alone.", dispatch.ref)
    return messages, [each for message in waiting for each in _composed_alone(dispatch, message)]


def _composed_alone(dispatch: Dispatch, message: Message) -> list[tuple[Message, Letter]]:
    message.stage, message.why, message.ended_at, message.decision = Stage.INTENDED, "", None, None
    try:
        with _behind_its_wall(dispatch):
            return _letters(dispatch, [message])
    except OF_ALL:
        raise
    except Exception:
        log.exception("Message %s cannot be composed, and is not sent.", message.ref)
        message.decision = None
        _end(message, Stage.REFUSED, "unmet")
        return []


OF_ALL: Final = (DatabaseError, psycopg.Error, KeyTrouble)
"""What is no fault of a message."""


def _letters(dispatch: Dispatch, messages: Sequence[Message]) -> list[tuple[Message, Letter]]:
    """Ask the law, and compose what it permits; say of all else where it ends."""
    composer = composer_of(dispatch)
    if not _role_allows(dispatch, composer):
        for message in messages:
            _end(message, Stage.REFUSED, "role")
        return []
    decided = _decided(dispatch, composer, messages)
    permitted = [message for message in messages if _permits(decided, message)] if decided else []
    if decided:  # with the decision itself, whatever becomes of us
        rows_of(NOTE_DECISION, [decided.ref, as_array(message.ref for message in messages)])
    if decided is None or not (permitted := _in_time(dispatch, permitted, decided)):
        return []
    composed = composer.compose(dispatch, permitted, decided)
    return [(message, made) for message in permitted if (made := _to_go(message, composed[message.ref]))]


def _role_allows(dispatch: Dispatch, composer: Composer) -> bool:
    return all(
        may_handle(
            dispatch.staff, operation="contact", purpose=dispatch.purpose, field_class=each, entity=dispatch.entity_id
        )
        for each in composer.classes(dispatch)
    )


def _decided(dispatch: Dispatch, composer: Composer, messages: Sequence[Message]) -> Decided | None:
    if not messages:
        return None
    return decide(
        question=composer.question(dispatch), persons=sorted(message.person for message in messages),
        staff=dispatch.staff, field_classes=composer.classes(dispatch),
    )  # fmt: skip


def _permits(decided: Decided, message: Message) -> bool:
    message.decision, verdict = decided.ref, decided.answers[message.person].verdict
    if verdict is not Verdict.PERMIT:
        _end(message, Stage.REFUSED, "law" if verdict is Verdict.DENY else "ask")
    return verdict is Verdict.PERMIT


def _in_time(dispatch: Dispatch, permitted: Sequence[Message], decided: Decided) -> list[Message]:
    waits = not_now(dispatch, permitted, decided) if permitted else {}
    return [one for one in permitted if one.ref not in waits or _to_go(one, waits[one.ref])]


def _to_go(message: Message, composed: Composed) -> Letter | None:
    if isinstance(composed, Letter):
        return composed
    if isinstance(composed, Later):
        message.due_at, message.why = composed.at, composed.why
    else:
        _end(message, Stage.REFUSED, composed.why)
    return None


def _without(letters: Sequence[tuple[Message, Letter]], kept: Mapping[UUID, str]) -> list[tuple[Message, Letter]]:
    for message, _letter in letters:
        if message.ref in kept:
            _end(message, Stage.REFUSED, kept[message.ref])
    return [each for each in letters if each[0].ref not in kept]


def _end(message: Message, stage: Stage, why: str = "") -> None:
    message.stage, message.why, message.ended_at = stage, why, timezone.now()


# ---------------------------------------------------------------- the hand-over


def _hand_over_all(
    dispatch: Dispatch, letters: Sequence[tuple[Message, Letter]], hands: Hands, until: float
) -> Made | None:
    """Hand over one after the other, while there is time; return the last attempt, which nobody wrote down yet."""
    last: Made | None = None
    for message, letter in letters:
        if time.monotonic() > until - ENOUGH:
            break
        if later := hands.turns.take(dispatch, letter, until=until, queued=message.why == "domain"):
            if hands.turns.wait:  # nothing else has a turn either
                break
            _to_go(message, later)
            continue
        message.tries += 1
        if not _mark(message, last):  # somebody else made it, who lost the locks that we hold now
            _end(message, Stage.UNCERTAIN, "interrupted")
            continue
        hands.check()
        answer = hands.way_of(dispatch.gateway).hand_over(letter, until=until)
        last = Made(message=message, answer=answer)
        _take_in(message, answer)
        if hands.turns.learn(dispatch, letter, answer) or answer.shut:
            break
    return last


def _mark(message: Message, last: Made | None) -> bool:
    """Commit that an attempt begins, and the outcome of the one before; return whether it is ours to make."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, [*(last.row if last else NOTHING_BEFORE), message.ref, message.tries])
        return cursor.fetchone() is not None


def _take_in(message: Message, answer: Answer) -> None:
    if answer.outcome is not Outcome.AGAIN:
        _end(message, Stage(answer.outcome.value), answer.why)
    elif answer.shut:  # no fault of the message, and no try of it
        message.due_at, message.why = timezone.now() + WAITS[0], answer.why
    elif message.tries > len(WAITS):
        _end(message, Stage.FAILED, answer.why)
    else:
        message.due_at, message.why = timezone.now() + WAITS[message.tries - 1], answer.why


# ---------------------------------------------------------------- what became of them

NOTE_MESSAGES: Final = """
    UPDATE post_message SET (stage, tries, due_at, why, decision, ended_at)
        = (told.stage, told.tries, told.due_at, told.why, told.decision, told.ended_at)
    FROM unnest(%s::uuid[], %s::varchar[], %s::smallint[], %s::timestamptz[], %s::varchar[], %s::uuid[],
        %s::timestamptz[]) AS told (ref, stage, tries, due_at, why, decision, ended_at)
    WHERE post_message.ref = told.ref
"""


def _write_down(dispatch: Dispatch, messages: Sequence[Message], last: Made | None) -> None:
    """Write down what became of all of them, with one entry in the ledger."""
    if last:
        outcome, code, *which = last.row
        Attempt.objects.filter(pk=which).update(outcome=outcome, code=code)
    told = [(one.ref, str(one.stage), one.tries, one.due_at, one.why, one.decision, one.ended_at) for one in messages]
    if told:
        rows_of(NOTE_MESSAGES, [list(column) for column in zip(*told, strict=True)])
    ended = [one for one in messages if one.stage != Stage.INTENDED]
    if ended:
        counts = Counter(one.stage for one in ended)
        body: dict[str, JSON] = {
            "dispatch": dispatch.ref, "entity": dispatch.entity_id, "purpose": dispatch.purpose,
            "channel": dispatch.channel, "messages": {str(stage): many for stage, many in sorted(counts.items())},
        }  # fmt: skip
        record(kind="post.handed-over", staff=dispatch.staff_id, persons=[one.person for one in ended], body=body)


def note_sent(*, dispatch: Dispatch) -> None:
    """Let rooms keep what they must of messages that were sent, once: after the locks are gone, since it changes rows.

    Whatever died in between is noted the next time.
    """
    with _behind_its_wall(dispatch):
        sent = Message.objects.filter(dispatch=dispatch, stage=Stage.SENT, noted=False)
        fresh = list(sent.select_for_update(skip_locked=True, no_key=True).order_by("person"))
        if fresh:
            keep_aftermath(dispatch, fresh, timezone.now())
            Message.objects.filter(ref__in=[one.ref for one in fresh]).update(noted=True)


def next_due(*, dispatch: Dispatch) -> datetime | None:
    """Return when the next message of a dispatch is due; nothing where none waits."""
    waiting = Message.objects.filter(dispatch=dispatch, stage=Stage.INTENDED).order_by("due_at")
    return waiting.values_list("due_at", flat=True).first()
