"""Trying to break it: facts that change in between, what must wait for a hand-over, pauses, late and false relays."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import connection
from django.utils import timezone

from comity.book.models import Person
from comity.consent.suppression import actions as suppression
from comity.consent.suppression.marks import mark_of
from comity.consent.suppression.models import Cause
from comity.post.actions import pause_dispatch
from comity.post.gateways import Answer, Outcome
from comity.post.letters import Letter
from comity.post.models import Gateway
from comity.post.smtp import Relay
from comity.staff.models import Entity, Staff
from comity.staff.walls import behind_wall
from tests.post.relays import Moody, moody
from tests.post.test_smtp import handed, to
from tests.post.writing import Begun, begin, germans, in_a_thread, says_yes, send_all, stages, way_out

SENT = Answer(outcome=Outcome.SENT)


# ---------------------------------------------------------------- what came in between


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["deceased_at = now()", "objected_at = now()", "home = 'JP'"])
def test_a_fact_that_came_since_is_asked_about(change: str, firm: Entity, tom: Staff) -> None:
    people = germans(1, firm)
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, way_out(firm, way), tom)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE book_person SET {change}")
    send_all(dispatch)
    assert not way.began
    assert [stage for stage, _why in stages(dispatch).values()] == ["refused"]


@pytest.mark.django_db(transaction=True)
def test_in_the_name_of_whoever_was_shut_out_nothing_goes_out(firm: Entity, tom: Staff) -> None:
    people = germans(1, firm)
    says_yes(people, firm)
    way = Begun()
    dispatch = begin(people, way_out(firm, way), tom)
    Staff.objects.filter(pk=tom.pk).update(is_active=False)
    send_all(dispatch)
    assert not way.began


def _restrict(person: UUID, _entity: Entity) -> None:
    Person.objects.filter(ref=person).update(restricted_at=timezone.now())


def _die(person: UUID, _entity: Entity) -> None:
    Person.objects.filter(ref=person).update(deceased_at=timezone.now())


def _vanish(person: UUID, _entity: Entity) -> None:
    Person.objects.filter(ref=person).delete()


def _complain(_person: UUID, entity: Entity) -> None:
    marks = [mark_of("email", "person-0@kettle.example")]
    suppression.suppress(entity=entity, marks=marks, cause=Cause.COMPLAINED, source="Relay", since=timezone.now())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [_restrict, _die, _vanish, _complain])
def test_whatever_would_have_stopped_it_waits_for_the_hand_over(act: object, firm: Entity, tom: Staff) -> None:
    assert callable(act)
    people, failed = germans(1, firm), list[BaseException]()
    says_yes(people, firm)
    going_on, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def wait(_letter: Letter) -> Answer:
        going_on.set()
        go_on.wait(10)
        return SENT

    def change() -> None:
        with behind_wall(staff=None, entities=[firm.ref]):
            act(people[0], firm)
        done.set()

    dispatch = begin(people, way_out(firm, Begun(wait)), tom)
    sender = threading.Thread(target=in_a_thread(lambda: send_all(dispatch), failed))
    sender.start()
    assert going_on.wait(10)
    changer = threading.Thread(target=in_a_thread(change, failed))
    changer.start()
    assert not done.wait(0.5)
    go_on.set()
    for each in (changer, sender):
        each.join(10)
    assert failed == []
    assert done.is_set()


@pytest.mark.django_db(transaction=True)
def test_a_pause_comes_through_though_some_sender_is_always_at_work(firm: Entity, tom: Staff) -> None:
    people, failed = germans(60, firm), list[BaseException]()
    says_yes(people, firm)
    third = threading.Semaphore(0)

    def slowly(_letter: Letter) -> Answer:
        third.release()
        time.sleep(0.1)
        return SENT

    way = Begun(slowly)
    dispatch = begin(people, way_out(firm, way), tom)
    senders = [threading.Thread(target=in_a_thread(lambda: send_all(dispatch, 3), failed)) for _ in range(3)]
    for each in senders:
        each.start()
        assert third.acquire(timeout=10)
    pause_dispatch(dispatch=dispatch, staff=tom)
    paused = len(way.began)
    for each in senders:
        each.join(30)
    assert failed == []
    assert len(way.began) == paused < len(people) / 2


# ---------------------------------------------------------------- relays


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a certificate for "localhost" that we trust, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.now(UTC), timedelta(days=1)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(5)
        .not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path / "relay.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@contextmanager
def safe_relay(certificate: Path, mood: Moody) -> Iterator[int]:
    """Run a relay that speaks TLS from the first byte, for one connection; give its port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def talk() -> None:
            with suppress(OSError), server.accept()[0] as line, context.wrap_socket(line, server_side=True) as safe:
                mood.talk(safe)

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def by_tls(port: int, host: str = "localhost", security: str = "tls") -> Relay:
    return Relay(Gateway(kind="smtp", settings={"host": host, "port": port, "security": security}))


@pytest.mark.parametrize(
    ("mood", "outcome", "why"),
    [
        (Moody(), Outcome.SENT, ""),
        (Moody(drip=0.3), Outcome.AGAIN, "timeout"),
        (Moody(script={".": None}), Outcome.UNCERTAIN, "timeout"),
    ],
    ids=["well", "a letter now and then", "never answers"],
)
def test_a_relay_over_tls_is_as_one_without(certificate: Path, mood: Moody, outcome: Outcome, why: str) -> None:
    with safe_relay(certificate, mood) as port:
        way, began = by_tls(port), time.monotonic()
        answer = handed(way, 1.5)
        way.close()
    assert (answer.outcome, answer.why) == (outcome, why)
    assert time.monotonic() - began < 5


def test_a_relay_with_the_certificate_of_another_gets_nothing(certificate: Path) -> None:
    mood = Moody()
    with safe_relay(certificate, mood) as port:
        answer = handed(by_tls(port, host="127.0.0.1"))
    assert (answer.outcome, answer.why) == (Outcome.AGAIN, "tls")
    assert mood.seen == []


def test_a_relay_whose_starttls_somebody_took_away_gets_nothing() -> None:
    with moody() as (mood, port):
        answer = handed(by_tls(port, host="127.0.0.1", security="starttls"))
    assert answer.outcome is Outcome.AGAIN
    assert mood.seen == ["EHLO"]


def test_where_the_name_of_a_relay_is_found_too_late_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def slowly(*given: object, **more: object) -> object:
        time.sleep(0.8)
        return real(*given, **more)  # type: ignore[arg-type]  # handed on as it came

    with moody() as (mood, port), to(port) as way:
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        answer = handed(way, 0.3)
    assert (answer.outcome, answer.why) == (Outcome.AGAIN, "timeout")
    assert mood.messages == []
