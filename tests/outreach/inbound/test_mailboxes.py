"""Reading a mailbox: a real server, read once, again after it died in between, and never acted on twice."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from comity.post.inbound import actions
from comity.post.inbound.actions import end_inbox, make_inbox
from comity.post.inbound.jobs import forget_originals, look_into, look_into_job
from comity.post.inbound.mailboxes import folder_of
from comity.post.inbound.models import Arrival, Inbox, Sort
from comity.refs import new_ref
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.outreach.inbound.sending import Sent, arrivals, comes
from tests.outreach.inbound.test_answers import answers
from tests.outreach.inbound.test_bounces import bounce
from tests.post.inbound.imap import Mailbox, mail_server

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def mailbox(firm: Entity, box: Mailbox) -> Iterator[Inbox]:
    with mail_server(box) as port:
        settings = {"host": "127.0.0.1", "port": port, "security": "none", "sign_in_as": "back"}
        yield make_inbox(
            entity=firm, sort=Sort.IMAP, channel="email", name="Back", settings=settings, made_by=None,
            secret=Mailbox().password,
        )  # fmt: skip


def anew(inbox: Inbox) -> Inbox:
    with behind_wall(staff=None, entities=[inbox.entity_id]):
        return Inbox.objects.select_related("entity").get(pk=inbox.pk)


def plain(*numbers: int) -> list[bytes]:
    return [
        f"From: x@y.example\r\nMessage-ID: <{number}@y.example>\r\n\r\nHello {number}\r\n".encode()
        for number in numbers
    ]


def test_a_mailbox_is_read_acted_on_and_marked(sent: Callable[[int], Sent], firm: Entity) -> None:
    first, box = sent(3), Mailbox()
    box.add(bounce(first, 0), answers(first, "STOP", number=1), *plain(1))
    with mailbox(firm, box) as inbox:
        assert look_into(inbox) == 3
        assert look_into(anew(inbox)) == 0
        box.add(*plain(2))
        assert look_into(anew(inbox)) == 1
    assert box.seen == {1, 2, 3, 4}
    assert box.fetched == [1, 2, 3, 4]
    assert [one.to for one in first.again().kept] == ["person-2@kettle.example"]


def test_a_server_that_dies_in_between_is_read_on_from_there(firm: Entity) -> None:
    box = Mailbox(dies_after=2)
    box.add(*plain(1, 2, 3))
    with mailbox(firm, box) as inbox:
        look_into(inbox)
        assert anew(inbox).trouble == "no-answer"
        box.dies_after = 1_000
        look_into(anew(inbox))
        assert anew(inbox).trouble == ""
    assert box.fetched == [1, 2, 3]
    assert len(arrivals(firm)) == 3


def test_what_could_not_be_acted_on_now_is_read_again_and_acted_on_once(
    firm: Entity, monkeypatch: pytest.MonkeyPatch
) -> None:
    box, acted = Mailbox(), list[bytes]()
    box.add(*plain(1, 2))

    def dies(*_: object) -> None:
        acted.append(b"")
        raise KeyboardInterrupt  # as kill would, in the middle of the transaction

    with mailbox(firm, box) as inbox:
        with monkeypatch.context() as broken:
            broken.setattr(actions, "act_on", dies)
            with pytest.raises(KeyboardInterrupt):
                look_into(inbox)
        assert (arrivals(firm), box.seen, len(acted)) == ([], set(), 1)
        look_into(anew(inbox))
    assert len(arrivals(firm)) == 2
    assert box.seen == {1, 2}


def test_a_mailbox_that_is_numbered_anew_is_read_anew_and_nothing_is_done_twice(firm: Entity) -> None:
    box = Mailbox()
    box.add(*plain(1, 2))
    with mailbox(firm, box) as inbox:
        look_into(inbox)
        box.validity = 8
        assert look_into(anew(inbox)) == 2
    assert len(arrivals(firm)) == 2


def test_a_wrong_password_is_trouble_that_is_shown(firm: Entity) -> None:
    box = Mailbox(password="another")  # noqa: S106 - of a server that lives for one test
    with mailbox(firm, box) as inbox:
        assert look_into(inbox) == 0
        assert anew(inbox).trouble == "sign-in"


def test_a_server_that_is_not_there_is_trouble_too(firm: Entity) -> None:
    with mailbox(firm, Mailbox()) as inbox:
        pass
    assert look_into(inbox) == 0
    assert anew(inbox).trouble == "no-answer"


def test_a_folder_is_read_and_emptied_and_what_is_not_whole_stays(bounces: Inbox) -> None:
    new = folder_of(bounces.ref) / "new"
    new.mkdir(parents=True)
    for number, raw in enumerate(plain(1, 2)):
        (new / f"{number}.host").write_bytes(raw)
    (new / "3.part").write_bytes(b"From")
    look_into_job(inbox=str(bounces.ref), entity=str(bounces.entity_id))
    assert [path.name for path in new.iterdir()] == ["3.part"]
    assert len(arrivals(bounces.entity)) == 2


def test_an_ended_way_in_is_read_no_more(bounces: Inbox, tom: Staff) -> None:
    folder_of(bounces.ref).mkdir(parents=True)
    (folder_of(bounces.ref) / "1.eml").write_bytes(plain(1)[0])
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        end_inbox(inbox=bounces, ended_by=tom)
    look_into_job(inbox=str(bounces.ref), entity=str(bounces.entity_id))
    assert arrivals(bounces.entity) == []


def test_a_mail_server_may_give_a_message_to_a_program(bounces: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(plain(1)[0])
    with os.fdopen(read, "r") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        call_command("take_in", str(bounces.ref))
        assert len(arrivals(bounces.entity)) == 1
        with pytest.raises(CommandError) as refused:
            call_command("take_in", str(new_ref()))
    assert refused.value.returncode == 75


def test_originals_that_nobody_read_are_forgotten(bounces: Inbox) -> None:
    comes(bounces, b"?" * 200)
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        Arrival.objects.update(arrived_at="2026-01-01T00:00:00Z")
        (held,) = Arrival.objects.all()
    forget_originals(0)
    with behind_wall(staff=None, entities=[bounces.entity_id]):
        assert [one.parcel_key for one in Arrival.objects.all()] == [None]
    assert not list((folder_of(bounces.ref).parent.parent / "arrivals").glob(f"{held.ref}*"))


@pytest.mark.parametrize(
    ("told", "word"),
    [({"host": "x y"}, "host"), ({"host": "mail.example.com", "security": "none"}, "security"),
     ({"host": "mail.example.com", "port": 0}, "port"), ({"host": "mail.example.com", "folder": 'I"X'}, "folder"),
     ({"host": "mail.example.com"}, "sign_in_as")],
)  # fmt: skip
def test_wrong_settings_are_named(told: dict[str, object], word: str, firm: Entity) -> None:
    with pytest.raises(ValidationError) as refused:
        make_inbox(entity=firm, sort=Sort.IMAP, channel="email", name="x", settings=told, made_by=None)
    assert word in refused.value.message_dict


def test_an_address_leaves_room_for_a_mark(firm: Entity) -> None:
    for address in ("a" * 21 + "@mail.example.com", "bad address@x.example", "x@localhost"):
        with pytest.raises(ValidationError):
            make_inbox(
                entity=firm, sort=Sort.FOLDER, channel="email", name="x", settings={}, made_by=None, address=address
            )
