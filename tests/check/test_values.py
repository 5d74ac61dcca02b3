"""What single cells say: ticks, opt-outs in free text, days and ages."""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from unicodedata import normalize

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from comity.check import homes
from comity.check.values import (
    Language,
    Order,
    age_bounds,
    day,
    day_order,
    languages,
    opt_out_stems,
    opt_out_words,
    spelled,
    spoken,
    truth,
)

TODAY = date(2026, 11, 21)

# ---------------------------------------------------------------- ticks


@pytest.mark.parametrize(
    "text", "true TRUE yes Y 1 x X ✓ ☑ ja oui sí si sim da 是 同意 on tak kyllä はい 예 да כן".split()
)
def test_a_tick_is_read_in_many_languages(text: str) -> None:
    assert truth(text) is True


@pytest.mark.parametrize(
    "text", ["false", "No", "n", "0", "nein", "non", "não", "нет", "否", "不同意", "off", "ei", "いいえ", " no "]
)
def test_an_empty_tick_is_read_in_many_languages(text: str) -> None:
    assert truth(text) is False


@pytest.mark.parametrize("text", ["", "maybe", "2", "ask again", "☒", "o", "?"])
def test_what_is_neither_is_not_guessed(text: str) -> None:
    assert truth(text) is None


# ---------------------------------------------------------------- opt-outs

OPT_OUTS = [
    "pls do not mail", "Do NOT e-mail", "don’t call him", "should not be contacted", "Never contact again",
    "no emails",
    "unsubscribed 3/2024", "pls unsub", "opted out of marketing", "no longer wants our emails", "no more emails",
    "Asked to be removed from list", "please remove me from your mailing list", "not interested, take off list",
    "objects to marketing", "consent withdrawn on 3 May", "He withdrew his consent", "DNC", "do-not-call",
    "Do Not Sell",
    "STOP", "Stop.", "ＳＴＯＰ", "replied STOP to text", 'customer said: "stop"', "stop sending emails",
    "stop calling me",
    "leave me alone", "TD", "ＴＤ", "回TD", "do not contact, unsubscribed",
    "keine Werbung", "keine weiteren Mails", "abgemeldet", "bitte nicht mehr anrufen",
    "hat der Werbung widersprochen",
    "Widerspruch eingelegt", "Kunde möchte keine Newsletter", "Werbesperre", "darf nicht kontaktiert werden",
    "ne plus contacter", "ne souhaite plus recevoir", "n'envoyez plus rien", "désabonné", "plus de pub",
    "no contactar", "dar de baja", "no quiere recibir publicidad", "não contactar", "non contattare", "geen reclame",
    "uitgeschreven", "vill inte ha utskick", "ønsker ikke reklame", "ei saa soittaa", "nie dzwonić", "wypisany",
    "odhlášen", "leiratkozott", "dezabonat", "istemiyor, aramayın",
    "отписался", "не звонить", "не писати", "不要再发", "不要再发邮件", "请勿联系", "拒绝营销短信",
    "别给我打电话", "退订",
    "配信停止", "メール不要", "수신거부", "إلغاء الاشتراك", "không gửi", "ห้ามติดต่อ", "jangan hubungi",
]  # fmt: skip
NO_OPT_OUTS = [
    "", "n/a", "non-stop", "non-stop flights", "stopped by the booth", "bus stop near mail room", "one-stop shop",
    "opted in", "subscribed", "has not opted out", "never unsubscribed", "Likes our newsletter", "wants a call",
    "call him on Monday", "send brochure", "do not bend", "no answer", "no budget", "no phone number",
    "no email address",
    "no mail received", "does not have email", "contact sales", "quit smoking coach", "the end", "td bank customer",
    "Robinson Crusoe", "met at the NIX conference", "email bounced",
    "nicht erreicht", "keine Antwort", "keine Zeit", "keine Mail erhalten", "Anruf erfolgt",
    "Bitte wegen Angebot anrufen",
    "pas de budget", "no tiene presupuesto", "non disponible", "nu există", "hayır", "发送资料", "已联系",
    "不是决策者",
]  # fmt: skip


@pytest.mark.parametrize("text", OPT_OUTS)
def test_an_opt_out_in_somebodys_own_words_is_heard(text: str) -> None:
    assert opt_out_words(text) is True


@pytest.mark.parametrize("text", NO_OPT_OUTS)
def test_words_that_only_sound_like_one_prove_nothing(text: str) -> None:
    assert opt_out_words(text) is None


NOTES = tomllib.loads((Path(__file__).parent / "notes.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", NOTES)
def test_opt_outs_are_heard_in_every_language_and_look_alikes_in_none(language: str) -> None:
    notes = NOTES[language]
    assert [text for text in notes["opt_out"] if not opt_out_words(text)] == []
    assert [text for text in notes.get("look_alike", []) if opt_out_words(text)] == []


def ways_to_write(text: str) -> list[str]:
    """A note as it stands, in capitals, with its accents apart, without them, and as word processors write it."""
    typographic = text.replace("'", "’").replace("-", "\N{NON-BREAKING HYPHEN}").replace(" ", "\N{NO-BREAK SPACE}")
    return [text, text.upper(), normalize("NFD", text), homes.without_accents(text), typographic, f"1. {text}."]


DUCK = duckdb.connect()


def without_a_stem(texts: Sequence[str]) -> list[str]:
    """The texts that a database, which looks for the stems alone, would pass over."""
    query = "SELECT x FROM (SELECT unnest(?::VARCHAR[]) AS x) WHERE NOT regexp_matches(x, ?)"
    return [text for (text,) in DUCK.execute(query, [list(texts), opt_out_stems()]).fetchall()]


@pytest.mark.parametrize("language", NOTES)
def test_an_opt_out_is_heard_however_it_is_written_and_a_database_passes_over_none(language: str) -> None:
    written = [way for text in NOTES[language]["opt_out"] for way in ways_to_write(text)]
    assert [text for text in written if not opt_out_words(text)] == []
    assert without_a_stem(written) == []


def test_a_database_that_looks_for_the_stems_passes_over_no_opt_out() -> None:
    assert without_a_stem(OPT_OUTS) == []


@pytest.mark.parametrize("language", languages(), ids=lambda one: one.name)
@settings(max_examples=settings().max_examples // 25, phases=[Phase.generate])  # each holds a text for every pattern
@given(data=st.data())
def test_whatever_a_pattern_fits_holds_a_stem_of_its_language(language: Language, data: st.DataObject) -> None:
    """Without one the pattern would never be tried, and a database would not hand over the note."""
    texts = data.draw(st.tuples(*map(st.from_regex, language.patterns)))
    notes = [(spelled(text), pattern) for text, pattern in zip(texts, language.patterns, strict=True)]
    assert [note for note, pattern in notes if re.search(pattern, note) and language not in spoken(note)] == []
    assert without_a_stem(texts) == []


def test_a_database_passes_over_most_notes_that_are_none() -> None:
    notes = [text for notes in NOTES.values() for text in notes.get("look_alike", []) if text.isascii()]
    plain = ["Met at the spring fair, wants prices", "Called back, all fine", "Renewal in March", "VIP", "Aus Bremen"]
    assert without_a_stem(plain) == plain
    assert len(without_a_stem(notes)) > len(notes) // 10


def test_the_stems_are_plain_enough_for_re2() -> None:
    """RE2, which DuckDB uses, knows no look-around and no back-references, and has little memory for one pattern."""
    assert not re.search(r"\(\?[=!<]|\\[1-9]", opt_out_stems())
    notes = "SELECT x || ' ' || n AS x FROM (SELECT unnest(?::VARCHAR[]) AS x), range(2000) AS numbers(n)"
    began = time.process_time()
    DUCK.execute(f"SELECT COUNT(*) FROM ({notes}) WHERE regexp_matches(x, ?)", [NO_OPT_OUTS, opt_out_stems()])
    assert time.process_time() - began < 1  # a hundred times slower where the pattern outgrows that memory


@pytest.mark.parametrize(
    "text",
    ["opted out", "has not opted out, then unsubscribed", "Opted out: yes", "no opt-out needed, he unsubscribed"],
)
def test_an_opt_out_beside_one_that_is_taken_back_is_heard(text: str) -> None:
    assert opt_out_words(text) is True


def test_a_very_long_note_is_read_in_reasonable_time() -> None:
    assert opt_out_words("do not " * 200_000) is None


# ---------------------------------------------------------------- days


@pytest.mark.parametrize(
    "text",
    ["2024-03-04", "2024/3/4", "20240304", "2024-03-04T10:00:00Z", "2024-03-04 10:00:00.000+01:00", "1709510400000",
     "1709510400", "2024年3月4日", "2024. 3. 4.", "4.3.2024", "04.03.2024 10:00", "4. März 2024", "4 mars 2024",
     "4 de marzo de 2024", "4 марта 2024", "04-Mar-24", "4-Mar-2024", "March 4, 2024", "Mar 4, 2024 10:00 AM",
     "Monday, March 4, 2024", "Mon, 04 Mar 2024 10:00:00 GMT", "2024-03-04 10:00 AM EST", "4th March 2024"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert day(text) == date(2024, 3, 4)


@pytest.mark.parametrize(
    "text", ["", "foo", "2024-02-30", "31/02/2024", "13/13/2024", "45292", "03/04/2024", "3/4/24", "0/0/2024"]
)
def test_what_is_no_day_or_may_be_two_is_not_guessed(text: str) -> None:
    assert day(text) is None


@pytest.mark.parametrize(("order", "month"), [("dmy", 4), ("mdy", 3)])
def test_a_known_order_decides(order: Order, month: int) -> None:
    assert day("03/04/2024", order) == date(2024, month, 3 if month == 4 else 4)
    assert day("13/04/2024") == day("04/13/2024") == date(2024, 4, 13)


def test_a_spreadsheets_serial_is_a_day_only_when_asked() -> None:
    assert day("45355", excel=True) == date(2024, 3, 4)


def test_the_order_is_learnt_from_values_that_can_only_be_one() -> None:
    assert day_order(["03/04/2024", "13/04/2024", "x"]) == "dmy"
    assert day_order(["03/04/2024", "04/13/2024"]) == "mdy"
    assert day_order(["13/04/2024", "04/13/2024"]) is None
    assert day_order(["03/04/2024"]) is None


# ---------------------------------------------------------------- ages


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("1980-03-04", (46, 46)), ("19800229", (46, 46)), ("1980", (45, 46)), ("05/1980", (46, 46)),
        ("12/1980", (45, 45)),
        ("1980-11", (45, 46)), ("May 1980", (46, 46)), ("1980年", (45, 46)), ("80后", (36, 46)), ("00后", (16, 26)),
        ("1980s", (36, 46)), ("34", (34, 34)), ("34岁", (34, 34)), ("25-34", (25, 34)), ("65+", (65, 130)),
        ("12-Mar-45", (81, 81)), ("03/04/20", (6, 106)), ("03/04/2008", (18, 18)), ("12/01/2008", (17, 18)),
        ("2026", (0, 0)),
    ],
)  # fmt: skip
def test_an_age_has_the_bounds_that_the_birth_leaves(text: str, bounds: tuple[int, int]) -> None:
    assert age_bounds(text, TODAY) == bounds


def test_who_was_born_on_29_february_grows_older_on_1_march() -> None:
    assert age_bounds("2008-02-29", date(2026, 2, 28)) == (17, 17)
    assert age_bounds("2008-02-29", date(2026, 3, 1)) == (18, 18)


@pytest.mark.parametrize("text", ["", "2030", "2027-01-01", "1850", "1850-01-01", "201", "foo", "34-25", "1980-02-30"])
def test_births_to_come_and_nonsense_have_no_age(text: str) -> None:
    assert age_bounds(text, TODAY) is None
