"""Writing to people in these tests: a composer that makes a plain message, and dispatches by whatever way."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connections

from comity.book.actions import Newcomer, NewPoint, add_persons
from comity.book.imports.newcomers import Spoken
from comity.book.models import Reach
from comity.book.reaching import points_by
from comity.consent.importing import Hand
from comity.consent.models import Said
from comity.counsel.actions import Decided
from comity.counsel.questions import Question
from comity.post.actions import begin_dispatch
from comity.post.gateways import KINDS, Answer, Kind, Outcome, Way, register_gateway
from comity.post.handing import hand_over_some
from comity.post.hands import open_hands
from comity.post.letters import Composed, Letter, Unsendable, register_composer
from comity.post.models import Dispatch, Gateway, Message
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from comity.vault.actions import open_fields
from comity.vault.sealing import FieldClass
from tests.staff.people import make_staff

MONDAY = datetime(2026, 11, 16, 10, tzinfo=UTC)
KIND = "tests"
PLAIN = "Subject: News\r\n\r\nKettles are back.\r\n"


class Plain:
    """Writes the same to everybody."""

    def question(self, dispatch: Dispatch) -> Question:
        return Question(
            operation="contact", purpose=dispatch.purpose, channel=dispatch.channel, entity=dispatch.entity_id
        )

    def classes(self, _dispatch: Dispatch) -> Sequence[FieldClass]:
        return [FieldClass.CONTACT]

    def compose(self, _dispatch: Dispatch, messages: Sequence[Message], decided: Decided) -> Mapping[UUID, Composed]:
        points = points_by("email", [one.person for one in messages])
        opened = open_fields(warrant=decided.warrant, labels=list(points.values()), permitted_only=True)
        return {
            one.ref: Letter(
                to=str(opened[points[one.person]]["email"]), sender="news@comity.example", data=PLAIN.encode()
            )
            if one.person in points
            else Unsendable(why="no-address")
            for one in messages
        }  # fmt: skip


register_composer(KIND, Plain())


@dataclass
class Begun:
    """A way out that keeps when each hand-over began, and answers as it is told."""

    answers: Callable[[Letter], Answer] = lambda _letter: Answer(outcome=Outcome.SENT, code="250")
    began: dict[str, list[float]] = field(default_factory=dict)

    def hand_over(self, letter: Letter, *, until: float) -> Answer:
        del until
        self.began.setdefault(letter.to, []).append(time.monotonic())
        return self.answers(letter)

    def close(self) -> None: ...


def way_out(entity: Entity, way: Way | None = None, *, port: int = 0) -> Gateway:
    """Make a gateway: to a relay on this machine, or whatever is given."""
    if way is None:
        settings: dict[str, object] = {"host": "127.0.0.1", "port": port, "security": "none"}
        return Gateway.objects.create(entity=entity, channel="email", kind="smtp", name="Relay", settings=settings)
    register_gateway("given", Kind(channels=frozenset({"email"}), check=dict, open=lambda _gateway: way))
    return Gateway.objects.create(entity=entity, channel="email", kind="given", name="Given")


def says_yes(persons: Iterable[UUID], entity: Entity) -> None:
    """Let them all say yes to the newsletter, many at a time."""
    yes = Spoken(said=Said.GIVEN, said_at=MONDAY, notice="Newsletter v3", source="Website form", express=True,
                 separate=True)  # fmt: skip
    with behind_wall(staff=None, entities=[entity.ref]):
        Hand().write(spoken={person: [yes] for person in persons}, entity=entity, heard_by=None)


def germans(many: int, entity: Entity) -> list[UUID]:
    """Bring so many people of Germany into the book, with an address each: person-<n>@kettle.example."""
    newcomers = [
        Newcomer(
            name={"given": "Greta", "family": f"Grünwald {number}"}, facts={"home": "DE"}, ref=new_ref(),
            points=[NewPoint(reach=Reach.EMAIL, value=f"person-{number}@kettle.example")],
            relation={"source": "person"},
        )
        for number in range(many)
    ]  # fmt: skip
    add_persons(newcomers=newcomers, entity=entity, staff=None)
    return [one.ref for one in newcomers]


def begin(persons: Collection[UUID], gateway: Gateway, staff: Staff, kind: str = KIND) -> Dispatch:
    return begin_dispatch(
        kind=kind, about=new_ref(), entity=gateway.entity, purpose="marketing", gateway=gateway, staff=staff,
        persons=persons,
    )  # fmt: skip


def send_all(dispatch: Dispatch, most: int = 25) -> None:
    with open_hands() as hands:
        while hand_over_some(dispatch=dispatch, hands=hands, most=most):
            pass


def stages(dispatch: Dispatch) -> dict[UUID, tuple[str, str]]:
    """Return where each person's message is, and why."""
    with behind_wall(staff=None, entities=[dispatch.entity_id]):
        return {one.person: (one.stage, one.why) for one in Message.objects.filter(dispatch=dispatch)}


def in_a_thread(act: Callable[[], object], failed: list[BaseException]) -> Callable[[], None]:
    """Return what a thread may run: it keeps what went wrong, and lets go of its connections."""

    def acting() -> None:
        try:
            act()
        except BaseException as error:  # noqa: BLE001 - it is shown by the test
            failed.append(error)
        finally:
            with suppress(Exception):
                connections.close_all()

    return acting


@pytest.fixture
def tom(firm: Entity) -> Staff:
    """Writes to many, for Dublin."""
    return make_staff("marketing", entity=firm)


assert "smtp" in KINDS, "Django was not set up"
