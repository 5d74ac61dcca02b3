"""What comes back is understood whoever's server wrote it, and whatever is broken in it."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.post.inbound.answers import Meaning, meaning_of
from comity.post.inbound.bounces import Sort, sort_of
from comity.post.inbound.marking import Where, is_of, make_mark, open_mark
from comity.post.inbound.mime import DEEPEST, LARGEST, MOST_PARTS, decoded, read
from comity.post.inbound.understanding import Came, understand
from tests.post.inbound.corpus import (
    AUTOMATIC,
    BOUNCES,
    COMPLAINTS,
    MEANT,
    NO_COMPLAINTS,
    answer,
    fields,
    report,
    written,
)

MESSAGE = UUID("01900000-0000-7000-8000-00000000000a")
BOUNCE = make_mark(Where.BOUNCES, MESSAGE, key=1, secret=b"secret")
NAME = make_mark(Where.NAMES, MESSAGE, key=1, secret=b"secret")


def as_sent(template: str) -> bytes:
    return written(template, bounce=BOUNCE, name=NAME)


@pytest.mark.parametrize("which", BOUNCES)
def test_a_report_is_read_whoever_wrote_it(which: str) -> None:
    heard = understand(as_sent(BOUNCES[which]))
    assert heard.came is Came.BOUNCE
    assert [[one.sort.value, one.code] for one in heard.told] == [MEANT[which]]
    assert heard.marks[0] in {BOUNCE, NAME}


@pytest.mark.parametrize("which", COMPLAINTS)
def test_a_complaint_is_read_whoever_wrote_it(which: str) -> None:
    heard = understand(as_sent(COMPLAINTS[which]))
    assert heard.came is Came.COMPLAINT
    assert heard.marks[0] in {BOUNCE, NAME}


@pytest.mark.parametrize("which", NO_COMPLAINTS)
def test_feedback_about_servers_and_viruses_is_nobodys_no(which: str) -> None:
    assert understand(as_sent(NO_COMPLAINTS[which])).came is Came.MACHINE


@pytest.mark.parametrize("which", AUTOMATIC)
def test_what_a_machine_answers_is_no_answer_even_if_it_says_stop(which: str) -> None:
    assert understand(as_sent(AUTOMATIC[which])).came is Came.MACHINE


def test_a_report_about_many_says_something_of_each() -> None:
    several = "\n".join(
        fields(action, status, to=f"person-{number}@kettle.example")
        for number, (action, status) in enumerate([("failed", "5.1.1"), ("delayed", "4.4.1"), ("delivered", "2.0.0")])
    )
    heard = understand(as_sent(report(several)))
    assert [(one.address[:8], one.sort) for one in heard.told] == [
        ("person-0", Sort.HARD), ("person-1", Sort.DELAYED), ("person-2", Sort.DELIVERED)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "words", "sort"),
    [
        ("5.1.1", "", Sort.HARD), ("5.1.2", "", Sort.HARD), ("5.2.1", "", Sort.HARD), ("5.2.2", "", Sort.SOFT),
        ("5.1.8", "bad sender", Sort.OURS), ("5.3.0", "", Sort.SOFT), ("5.4.1", "no answer", Sort.SOFT),
        ("5.6.1", "", Sort.OURS), ("5.7.1", "blocked", Sort.OURS), ("5.7.1", "no such user", Sort.HARD),
        ("5.7.1", "no such user, or listed at spamhaus", Sort.OURS), ("4.2.2", "", Sort.SOFT),
        ("5.999.999", "", Sort.OURS), ("", "who knows", Sort.SOFT),
    ],
)  # fmt: skip
def test_only_what_is_certainly_the_addresss_fault_shuts_it(code: str, words: str, sort: Sort) -> None:
    assert sort_of("failed", code, words) is sort


# ---------------------------------------------------------------- answers

STOPS = """STOP|Stop.|stop!!|ＳＴＯＰ|“Stop”|'stop'|STOPALL|Stop all|unsubscribe|UNSUBSCRIBE ME PLEASE|end|Quit|Cancel
|revoke|opt out|OPT-OUT|OptOut|please stop|Stop texting me|take me off your list|remove me from this list please|T|td|TD
|回复TD|回T|回TD退订|退订|退訂|拒收|R|Abmelden|bitte abmelden|Stopp|désabonner|DÉSINSCRIPTION|arrêt svp|BAJA
|dar de baja por favor|cancellami|annulla|afmelden aub|uitschrijven|sair|descadastrar|wypisz mnie|koniec
|配信停止|停止|수신거부|avregistrera|afmeld|lopeta|stop 😡"""
MAYBES = """stop it, I love it|Don't stop|please stop sending me this rubbish every single day|I never asked for this
|leave me alone|How do I unsubscribe?|我不想再收到你们的短信|ich möchte nicht mehr|je ne veux plus recevoir vos messages
|no me interesa|Wer hat Ihnen das erlaubt? Widerspruch!|你们别再骚扰我|I will call my lawyer|not interested, thanks
|quit it already you people"""
OTHERS = "yes|Yes please|ok|How much is the kettle?|Thanks!|好的|Danke, sehr schön|👍|What time do you open|2"


@pytest.mark.parametrize("said", [one.strip() for one in STOPS.split("|")])
def test_a_word_that_says_no_says_no_however_it_is_typed(said: str) -> None:
    assert meaning_of(said) is Meaning.STOP


@pytest.mark.parametrize("said", [one.strip() for one in MAYBES.split("|")])
def test_what_may_be_a_no_goes_to_a_human(said: str) -> None:
    assert meaning_of(said) is Meaning.MAYBE


@pytest.mark.parametrize("said", OTHERS.split("|"))
def test_nothing_else_is_taken_for_a_no_or_for_a_yes(said: str) -> None:
    assert meaning_of(said) is Meaning.OTHER


def test_start_and_help_are_known() -> None:
    assert [meaning_of(one) for one in ("Start", "UNSTOP", "恢复", "help", "Hilfe", "帮助")] == [
        *[Meaning.START] * 3, *[Meaning.HELP] * 3
    ]  # fmt: skip


QUOTES = [
    "On Sun, 22 Nov 2026 at 10:00, Comity Dublin Ltd <news@comity.example> wrote:\n> To unsubscribe, follow this link.",
    "Am 22.11.2026 um 10:00 schrieb Comity <news@comity.example>:\n> Kettles. Unsubscribe here.",
    "-----Original Message-----\nFrom: Comity\nUnsubscribe here.",
    "________________________________\nFrom: Comity\nUnsubscribe",
    "在 2026年11月22日，Comity 写道：\n> 退订",
    "发件人: Comity <news@comity.example>\n退订",
    "> Kettles. Unsubscribe here.",
    "Le dim. 22 nov. 2026 à 10:00, Comity <news@comity.example> a écrit :\n> désabonner",
]  # fmt: skip


@pytest.mark.parametrize("quote", QUOTES)
def test_what_they_quote_is_not_what_they_say(quote: str) -> None:
    heard = understand(as_sent(answer(f"Do you have it in red?\n\n{quote}")))
    assert (heard.came, heard.text) == (Came.ANSWER, "Do you have it in red?")
    assert understand(as_sent(answer(f"STOP\n\n{quote}"))).came is Came.STOP


def test_an_empty_answer_means_what_its_subject_says() -> None:
    assert understand(as_sent(answer("", subject="unsubscribe"))).came is Came.STOP
    assert understand(as_sent(answer("Nice kettles", subject="Re: Stop paying too much"))).came is Came.ANSWER


def test_a_page_is_read_as_text() -> None:
    page = answer("<html><style>p{}</style><p>STOP</p><blockquote>&gt; Kettles</blockquote></html>")
    assert understand(as_sent(page.replace("text/plain", "text/html"))).came is Came.STOP


def test_a_wrong_charset_is_read_as_far_as_it_can_be() -> None:
    raw = as_sent(answer("PLACE", by="x@kettle.example")).replace(b"charset=utf-8", b"charset=klingon")
    assert understand(raw.replace(b"PLACE", "désabonner".encode("latin-1"))).came is Came.STOP


# ---------------------------------------------------------------- marks


def test_a_mark_opens_with_its_own_secret_and_place_alone() -> None:
    mark = open_mark(BOUNCE)
    assert mark is not None
    assert (mark.message, mark.where) == (MESSAGE, Where.BOUNCES)
    assert is_of(mark, b"secret")
    assert not is_of(mark, b"another")
    assert not is_of(mark._replace(where=Where.REFUSES), b"secret")
    assert not is_of(mark._replace(message=UUID(int=7)), b"secret")
    assert open_mark(BOUNCE[:-1]) is None


def test_a_mark_survives_a_server_that_changes_the_case_and_fits_into_an_address() -> None:
    mark = open_mark(BOUNCE.upper())
    assert mark is not None
    assert is_of(mark, b"secret")
    assert len(BOUNCE) == 43


# ---------------------------------------------------------------- broken on purpose


def nested(depth: int) -> bytes:
    heads = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (each, each) for each in range(depth)
    )
    return b"From: x@y.example\n" + heads + b"\n\nSTOP\n"


def test_depth_parts_and_size_are_bounded() -> None:
    deep = read(nested(5_000))
    many = read(b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n\nx\n" * 50_000)
    large = b"From: x@y.example\n\n" + b"STOP " * LARGEST
    assert sum(1 for _part in deep.walk()) <= DEEPEST + 1
    assert sum(1 for _part in many.walk()) <= MOST_PARTS + 1
    assert len(read(large).body) <= LARGEST
    began = time.process_time()
    for raw in (
        nested(5_000),
        large,
        b"--b\n" * 200_000,
        b"A" * LARGEST,
        b"<" * LARGEST,
        b"=?" * 100_000,
        b"\n" * LARGEST,
    ):
        understand(raw)
    assert time.process_time() - began < 8


@given(raw=st.binary(max_size=2_000))
@settings(max_examples=60, deadline=None)
def test_no_bytes_break_it(raw: bytes) -> None:
    assert understand(raw).key


@given(
    which=st.sampled_from([*BOUNCES.values(), *COMPLAINTS.values(), *AUTOMATIC.values()]),
    changes=st.lists(st.tuples(st.integers(0, 3_000), st.binary(max_size=12), st.integers(0, 40)), max_size=8),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_no_damage_breaks_it(which: str, changes: list[tuple[int, bytes, int]]) -> None:
    raw = as_sent(which)
    for at, instead, length in changes:
        raw = raw[:at] + instead + raw[at + length :]
    assert understand(raw).key


@given(text=st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_no_text_breaks_a_header_or_an_answer(text: str) -> None:
    assert isinstance(decoded(f"=?utf-8?b?{text}?= =?gbk?q?{text}?="), str)
    assert meaning_of(text) in Meaning


def test_the_same_message_is_known_again_by_another_way_and_another_one_is_not() -> None:
    once = as_sent(answer("Hello"))
    again = b"Received: from elsewhere\r\n" + once
    assert understand(once).key == understand(again).key
    assert understand(once).key != understand(once.replace(b"Hello", b"Hallo")).key
