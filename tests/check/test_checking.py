"""A whole check: cells that the law cannot tell apart share a code, and nobody's answer changes by that."""

from __future__ import annotations

import csv
import random
import re
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.check import homes
from comity.check.checking import Check, Intent, answer
from comity.check.coding import (
    BLANK,
    LARGEST_KEY,
    Coded,
    Key,
    Part,
    code_column,
    join_facts,
    key_sql,
    parts_of,
)
from comity.check.dialects import Column, Dialect, Understood, built_in, recognise
from comity.check.engines import DuckEngine
from comity.check.entity import established_in, unknown_entity
from comity.check.sources import delimited, open_source
from comity.check.suppression import read_lists
from comity.check.values import opt_out_stems, opt_out_words
from comity.law import Decision, Lawbook, Verdict, lawbook
from tests.check.test_values import NO_OPT_OUTS, OPT_OUTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TODAY = date(2026, 11, 21)


@cache
def book() -> Lawbook:
    return lawbook()


@contextmanager
def checked(
    path: Path, *, purpose: str = "marketing", channel: str = "email", operation: str = "contact", we_are: str = "IE",
    dialect: Dialect | None = None, suppressed: frozenset[str] = frozenset(),
) -> Iterator[Check]:  # fmt: skip
    """Check a file as the command does, down to the groups."""
    use = book().vocabulary.read({"use.operation": operation, "use.purpose": purpose, "use.channel": channel})
    entity = established_in(we_are, book()) if we_are else unknown_entity(book())
    with duckdb.connect() as connection, open_source(path, connection) as source:
        known = dialect or recognise(source.columns)
        understood = known.understand(source.columns, purpose, channel, operation=operation)
        intent = Intent(use=use, entity=entity, day=TODAY)
        check = Check(book(), intent, DuckEngine(connection, source), parts_of(understood, TODAY, known.order))
        check.suppressed = suppressed
        check.code(lambda _says, _done: None)
        check.decide(lambda _says, _done: None)
        yield check


def written(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def group_decisions(check: Check) -> dict[int, Decision]:
    """Return the decision of each row by its number, as a bulk check gives it."""
    words = ", ".join(f"k{number}" for number in range(len(check.key.words)))
    rows = check.engine.rows(f"SELECT row, {words} FROM numbered")
    return {row: check.group_of[tuple(numbers)].decision for row, *numbers in rows}


def told(decision: Decision) -> tuple[object, ...]:
    """Return what a decision says, without the facts that no law asked for."""
    reasons = {(reason.rule, reason.weight) for reason in decision.reasons}
    return decision.homes, decision.verdict, reasons, set(decision.finding.cures)


# ---------------------------------------------------------------- every row is answered as if it stood alone

PLACES = ["Germany", "DE", "france", "GB", "England", "USA", "US", "Georgia", "中国", "Nowhere", "EMEA", "Japan", "IE"]
STATES = ["CA", "California", "Texas", "tx", "Ontario", "Georgia", "Bayern", "WA", "广东省", "Springfield", "NY"]
PHONES = [
    "+49 30 901820", "0033 1 23 45 67 89", "+1 (213) 555-0123", "+1 204 555 2368", "+86 138 0013 8000",
    "13800138000",
    "+44 1534 709000", "(0049) 30 901820", "030 901820", "+49 30 901820; +33 1 23456789", "＋4930901820",
    "011 44 20 79460000",
    "+999 123", "+1 123 4567", "n/a",
]  # fmt: skip
ADDRESSES = ["a@b.de", "x@y.fr", "x@y.com", "a@b.de; c@d.fr", "<m@firma.at>", "me@home.co.uk", "x@y.info", "no address"]
DAYS = [
    "2026-06-01",
    "01/02/2024",
    "13/02/2026",
    "1.6.2026",
    "2026-06-01T10:00:00Z",
    "2019-03-04",
    "soon",
    "2031-01-01",
]
AGES = ["1990-05-06", "2012-01-31", "12/11/2010", "1985", "15", "17-19", "34 years", "2009", "65+", "?"]
TICKS = ["yes", "no", "TRUE", "0", "x", "1", "maybe", "否", "Ja", "pending", "subscribed", "unsubscribed", "never"]
NOTES = [*OPT_OUTS[:8], *NO_OPT_OUTS[1:9], "likes tea"]
WORDS = ["Website form", "we may write to you", "trade fair", "no", "yes"]

GENERIC_HEADERS = [
    "Land", "State", "Telefon", "Mobile", "E-mail", "Country code", "Opt-in", "Consent", "Consent date",
    "Consent source",
    "Consent wording", "Double opt-in", "Unsubscribed", "Do not contact", "Objected", "Robinson list",
    "DNC registry checked",
    "Customer", "Last purchase date", "Birthday", "Age", "Notes", "Deceased", "SMS consent",
    "Do not sell", "EU resident",
    "Newsletter", "Minor", "Company", "Lead source", "Country (billing)",
]  # fmt: skip


def headers_of(dialect: Dialect) -> list[str]:
    if dialect.id == "generic":
        return GENERIC_HEADERS
    known = sorted({min(column.headers, key=len) for column in dialect.columns if column.headers})
    return known + [header for header in ("Land", "Birthday", "Notes") if header.casefold() not in known]


def pool(understood: Sequence[Understood]) -> list[str]:  # noqa: C901 (one case a kind of column)
    """Return cells that a column with these meanings may hold, good and bad."""
    cells = [""]
    for one in understood:
        column = one.column
        cells += sorted(column.values)
        match column.role, column.reads:
            case "home.country" | "home.weak", _:
                cells += PLACES
            case "home.state", _:
                cells += STATES
            case "home.phone", _:
                cells += PHONES
            case "home.email", _:
                cells += ADDRESSES
            case "age", _:
                cells += AGES
            case "free-text", _:
                cells += NOTES
            case _, "day" | "dated":
                cells += DAYS
            case _, "filled":
                cells += WORDS
            case _, "positive":
                cells += ["0", "3", "12.5", "-"]
            case _:
                cells += TICKS
    return cells


def random_file(path: Path, dialect: Dialect, use: tuple[str, str, str], *, rows: int, seed: int) -> Path:
    """Write a file with all of a dialect's columns, half of its cells empty."""
    chance = random.Random(seed)
    header = headers_of(dialect)
    purpose, channel, operation = use
    pools = [pool(dialect.understand([name], purpose, channel, operation=operation)) for name in header]
    made = [[chance.choice(cells) if chance.random() < 0.5 else "" for cells in pools] for _ in range(rows)]
    return written(path, header, [row if any(row) else ["x", *row[1:]] for row in made])


USES = [("marketing", "email", "contact"), ("marketing", "sms", "contact"), ("targeted-advertising", "none", "sell")]


ASKED = [(dialect, USES[0]) for dialect in built_in()]
ASKED += [(dialect, use) for dialect in ("chinese", "generic", "hubspot", "salesforce") for use in USES[1:]]


@pytest.mark.parametrize(("dialect", "use"), ASKED, ids=lambda one: one if isinstance(one, str) else "-".join(one))
def test_a_row_is_answered_in_bulk_as_it_is_alone(dialect: str, use: tuple[str, str, str], tmp_path: Path) -> None:
    known = built_in()[dialect]
    path = random_file(tmp_path / "people.csv", known, use, rows=40, seed=len(dialect))
    purpose, channel, operation = use
    with checked(path, purpose=purpose, channel=channel, operation=operation, dialect=known) as check:
        in_bulk = group_decisions(check)
        assert sorted(in_bulk) == list(range(1, 41))
        for row, decision in in_bulk.items():
            alone = check.row(row)
            assert alone is not None
            assert told(alone) == told(decision), row


def learning_from(rows: int, patch: pytest.MonkeyPatch) -> None:
    """Let files of two rows be read as those of a million are, this many of them looked at first."""
    patch.setattr(delimited, "_LONG", 2)
    patch.setattr(delimited, "_GLIMPSED", rows)


@pytest.mark.parametrize("glimpsed", [1, 5, 10])
@pytest.mark.parametrize("dialect", built_in())
def test_what_the_first_rows_of_a_file_teach_changes_nobodys_answer(
    dialect: str, glimpsed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = built_in()[dialect]
    path = random_file(tmp_path / "people.csv", known, USES[0], rows=40, seed=glimpsed)
    suppressed = frozenset({"a@b.de", "4930901820"})
    with checked(path, dialect=known, suppressed=suppressed) as check:
        expected, unreadable = group_decisions(check), [column.unreadable for column in check.coded]
    learning_from(glimpsed, monkeypatch)
    with checked(path, dialect=known, suppressed=suppressed) as check:
        found = group_decisions(check)
        assert {row: told(one) for row, one in found.items()} == {row: told(one) for row, one in expected.items()}
        assert [column.unreadable for column in check.coded] == unreadable


def repeated(path: Path, *, odd: list[list[str]]) -> Path:
    usual = [["a@b.de", "DE", "1990-05-06"], ["c@d.fr", "FR", ""]] * 10
    return written(path, ["Email", "Country", "Birthday"], [*usual, *odd])


def test_most_rows_of_a_long_file_get_their_number_while_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning_from(4, monkeypatch)
    with checked(repeated(tmp_path / "people.csv", odd=[["e@f.it", "IT", ""], ["e@f.it", "Atlantis", ""]])) as check:
        assert check.key.learning
        assert next(check.engine.rows("SELECT COUNT(*) FROM cells")) == (2,)
        homes = {row: decision.homes for row, decision in group_decisions(check).items()}
        assert (homes[1], homes[2], homes[21]) == (frozenset({"DE"}), frozenset({"FR"}), frozenset({"IT"}))
        assert check.coded[1].unreadable == {"Atlantis": 1}


@pytest.mark.parametrize(
    "odd",
    [
        [["a@b.de", "DE", "13/01/1990"], ["a@b.de", "DE", "01/02/2010"]],
        [["a@b.de", country, ""] for country in "IT ES PL SE IE AT GB US CN BR IN CH NL BE DK FI NO PT GR CZ".split()],
    ],
    ids=["it writes dates otherwise", "it has more codes than there is room for"],
)
def test_a_file_whose_rest_belies_its_beginning_is_read_anew(
    odd: list[list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = repeated(tmp_path / "people.csv", odd=odd)
    with checked(path) as check:
        expected = {row: told(decision) for row, decision in group_decisions(check).items()}
    learning_from(4, monkeypatch)
    with checked(path) as check:
        assert not check.key.learning
        assert {row: told(decision) for row, decision in group_decisions(check).items()} == expected


def test_a_row_that_is_not_there_has_no_decision(tmp_path: Path) -> None:
    with checked(written(tmp_path / "one.csv", ["Email", "Country"], [["a@b.de", "DE"]])) as check:
        assert check.row(2) is None


def test_asking_for_one_row_after_another_never_answers_with_an_earlier_rows_decision(tmp_path: Path) -> None:
    """Each row's facts live only while it is decided, so their address in memory comes again."""
    header = ["Email", "Country", "Email opt-in", "Consent date", "Consent source", "Unsubscribed"]
    yes = ["a@b.de", "DE", "yes", "2026-06-01", "form", ""]
    no = ["a@b.de", "DE", "", "", "", "yes"]
    with checked(written(tmp_path / "two.csv", header, [yes, no] * 20)) as check:
        alone = [check.row(row) for row in range(1, 41)]
        assert len({told_verdict(decision) for decision in alone[::2]}) == 1
        assert len({told_verdict(decision) for decision in alone}) == 2


def told_verdict(decision: Decision | None) -> str:
    assert decision is not None
    return repr(sorted(reason.rule for reason in decision.reasons))


# ---------------------------------------------------------------- codes


def column_of(fact: str, cells: dict[str, int], *, reads: str = "truth", check: Check | None = None) -> Coded:
    """Code one column of a fact against the tests that a check makes."""
    column = Column(role="age" if fact == "person.age" else "fact", fact=fact, reads=reads)  # type: ignore[arg-type]
    part = Part(understood=Understood(index=0, header=fact, column=column, how=""), today=TODAY)
    return code_column(part, "x0", cells.items(), check.tests() if check else ())


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Check]:
    path = written(tmp_path_factory.mktemp("asking") / "one.csv", ["Email", "Country"], [["a@b.de", "DE"]])
    with checked(path, we_are="DE") as check:
        yield check


def test_cells_that_the_law_cannot_tell_apart_share_a_code(asking: Check) -> None:
    ages = column_of("person.age", {"40": 1, "41": 5, "1980-01-01": 2, "12": 1, "?": 3, "": 9}, check=asking)
    assert ages.codes["40"] == ages.codes["41"] == ages.codes["1980-01-01"]
    assert len({ages.codes["40"], ages.codes["12"], ages.codes["?"], 0}) == 4
    assert ages.unreadable == {"?": 3}


def test_a_yes_and_a_no_never_share_a_code_where_another_fact_is_drawn_from_them() -> None:
    """A consent counts as express where its source is on file, whether or not any law asks for the source itself."""
    sources = column_of("consent.source_kept", {"yes": 1, "no": 1})
    assert sources.codes["yes"] != sources.codes["no"]
    assert join_facts([("consent.given", True), ("consent.source_kept", True)])["consent.express"] is True
    assert "consent.express" not in join_facts([("consent.given", True), ("consent.source_kept", False)])


def test_two_choices_never_share_a_code_for_together_they_are_unknown(asking: Check) -> None:
    """One column says "published", another "third-party": nobody knows, though no rule asks for either by itself."""
    values = {"published": "published", "bought": "third-party", "rented": "third-party"}
    column = Column(role="fact", fact="relation.source", reads="choice", values=values)
    part = Part(understood=Understood(index=0, header="Source", column=column, how=""), today=TODAY)
    codes = code_column(part, "x0", [(text, 1) for text in values], asking.tests()).codes
    assert codes["published"] != codes["bought"] == codes["rented"]
    assert join_facts([("relation.source", "published"), ("relation.source", "third-party")]) == {
        "relation.source": None
    }


def test_an_empty_cell_an_unreadable_one_and_a_no_are_three_things() -> None:
    assert join_facts([("consent.given", BLANK)]) == {}
    assert join_facts([("consent.given", None)]) == {"consent.given": None}
    assert join_facts([("consent.given", False)]) == {"consent.given": False}


@given(radices=st.lists(st.integers(2, 10**6), min_size=1, max_size=40), data=st.data())
def test_a_row_number_gives_back_every_code_also_beyond_62_bits(radices: list[int], data: st.DataObject) -> None:
    columns = [column_with(number, radix) for number, radix in enumerate(radices)]
    key = Key(columns)
    assert all(product([column.radix for column in word]) < LARGEST_KEY for word in key.words)
    codes = {id(column): data.draw(st.integers(0, column.radix - 1)) for column in columns}
    assert {id(column): code for column, code in key.read([packed(word, codes) for word in key.words])} == codes


def test_three_columns_of_a_million_codes_do_not_fit_into_one_word() -> None:
    columns = [column_with(number, 2**21) for number in range(3)]
    assert [len(word) for word in Key(columns).words] == [2, 1]
    assert "AS k1" in Key(columns).query("cells")


class Texts(list[str]):
    """As many texts as are said to be there."""

    def __init__(self, radix: int) -> None:
        super().__init__()
        self.radix = radix

    def __len__(self) -> int:
        return self.radix


def column_with(number: int, radix: int) -> Coded:
    column = Column(role="fact", fact="consent.given")
    part = Part(understood=Understood(index=number, header=str(number), column=column, how=""), today=TODAY)
    return Coded(part, f"x{number}", Texts(radix), [], {})


def packed(columns: Sequence[Coded], codes: dict[int, int]) -> int:
    number, weight = 0, 1
    for column in columns:
        number += codes[id(column)] * weight
        weight *= column.radix
    return number


def product(numbers: Sequence[int]) -> int:
    whole = 1
    for number in numbers:
        whole *= number
    return whole


# ---------------------------------------------------------------- cures


def test_a_consent_frees_who_said_nothing_and_no_cure_frees_who_said_no(tmp_path: Path) -> None:
    header = ["Record ID", "Email", "Country/Region", "Unsubscribed from all email"]
    path = written(tmp_path / "two.csv", header, [["1", "a@b.com", "Germany", "true"], ["2", "c@b.com", "Germany", ""]])
    with checked(path) as check:
        said_no, said_nothing = sorted(check.groups, key=lambda group: group.first_row)
        assert said_no.decision.facts["consent.opted_out"] is True
        assert [name for name, cure in book().cures.items() if cure.sets and check.freed(cure, said_no)] == []
        assert check.freed(book().cures["ask-consent"], said_nothing)


# ---------------------------------------------------------------- shortened cells

DUCK = duckdb.connect()


def shortened(column: Column, cell: str) -> str:
    part = part_of(column)
    found = DUCK.execute(f"SELECT {key_sql(part)} FROM (SELECT ?::VARCHAR AS c0)", [cell]).fetchone()
    return (found and found[0]) or ""


def part_of(column: Column) -> Part:
    return Part(understood=Understood(index=0, header="cell", column=column, how=""), today=TODAY)


def same_or_wider(whole: homes.Evidence, short: homes.Evidence) -> bool:
    """Tell whether shortened evidence leaves every place possible that the whole left; no evidence leaves all."""
    return whole == short if not whole else bool(short) and whole <= (short or frozenset())


PHONE = Column(role="home.phone")
CHINESE_PHONE = next(column for column in built_in()["chinese"].columns if column.national)
EMAIL = Column(role="home.email")
CODES = [
    "1204",
    "1213",
    "1684",
    "212",
    "262",
    "33",
    "353",
    "358",
    "39066",
    "44",
    "441534",
    "447937",
    "4779",
    "49",
    "599",
    "61891",
    "7",
    "77",
    "852",
    "86",
]


@st.composite
def phones(draw: st.DrawFn) -> str:
    """Numbers with a calling code, as people write them."""
    code = draw(st.sampled_from(CODES))
    if code.startswith("1"):
        number = (code + "2345678901")[:4] + str(draw(st.integers(2_000_000, 9_999_999)))
    else:
        number = code + "".join(map(str, draw(st.lists(st.integers(0, 9), min_size=7, max_size=9))))
    sign = draw(st.sampled_from(["+", "00", "(00", "tel:+", "'+", " +", "＋", "tel:00", "+ "]))
    between = draw(st.sampled_from(["", " ", "-", ".", ") ", " (0)"]))
    cut = draw(st.integers(1, 4))
    rest = draw(st.sampled_from(["", "x12", " ext. 7", " "]))
    return f"{sign}{number[:cut]}{between if cut > 1 else ''}{number[cut:]}{rest}"


@given(cell=phones())
def test_a_shortened_phone_number_leaves_the_same_homes_or_more(cell: str) -> None:
    short = shortened(PHONE, cell)
    assert same_or_wider(homes.from_phone(cell), part_of(PHONE).evidence(short)), (cell, short)


@given(one=phones(), other=phones(), between=st.sampled_from(["; ", ";", " / ", "/", ", ", "\n", " or ", " oder "]))
def test_two_phone_numbers_in_a_cell_both_count(one: str, other: str, between: str) -> None:
    cell = one + between + other
    assert same_or_wider(homes.from_phone(cell), part_of(PHONE).evidence(shortened(PHONE, cell))), cell


@pytest.mark.parametrize(
    "cell",
    ["+4912345;+33123456", "030123/0049301234", "13800138000", "138-0013-8000", "+8613800138000", "12345678901", ""],
)
@pytest.mark.parametrize("column", [PHONE, CHINESE_PHONE], ids=["any", "Chinese"])
def test_short_cells_and_national_numbers_say_what_they_say_whole(column: Column, cell: str) -> None:
    whole = part_of(column).understood.evidence(cell)
    assert same_or_wider(whole or None, part_of(column).evidence(shortened(column, cell)) or None)


def test_a_number_that_nobody_in_north_america_can_have_says_nothing_shortened_either() -> None:
    assert homes.from_phone("+1 (123) 456-7890") is None
    assert part_of(PHONE).evidence(shortened(PHONE, "+1 (123) 456-7890")) is None
    assert part_of(PHONE).evidence(shortened(PHONE, "001-415-155-2671")) is None


def test_phone_numbers_share_few_beginnings() -> None:
    numbers = "SELECT '+49 30 ' || number AS c0 FROM range(1000000, 1010000) AS numbers(number)"
    found = DUCK.execute(f"SELECT COUNT(DISTINCT {key_sql(part_of(PHONE))}) FROM ({numbers})").fetchone()
    assert found
    assert found[0] < 20


@pytest.mark.parametrize(
    "cell",
    ["a@b.de", "a@b.co.uk", "A@B.DE ", "<a@b.de>", "a@b.de.", "a@b.de; c@d.fr", "Anna <a@b.at>",
    "a@b.com", "a@b.info", "x@y.укр",
     "x@y.中国", "x@xn--80ak6aa.xn--p1ai", "x@y.السعودية", "nobody", "", "a@b", "a@b.io", "'a@b.nl'"],
)  # fmt: skip
def test_the_ending_of_an_address_leaves_the_same_homes(cell: str) -> None:
    whole = homes.from_domain(cell) if cell else None
    assert same_or_wider(whole or None, part_of(EMAIL).evidence(shortened(EMAIL, cell)) or None)


@pytest.mark.parametrize(
    "text", [*OPT_OUTS, "μην στέλνετε", "Μην καλείτε", "не\u00a0звонить", "לא\u00a0לשלוח", "si è disiscritto"]
)
def test_duckdb_passes_over_no_note_that_is_an_opt_out(text: str) -> None:
    """RE2 knows the edges of words and the spaces of English alone, Python those of every script."""
    assert opt_out_words(text)
    assert DUCK.execute("SELECT regexp_matches(?, ?)", [text, opt_out_stems()]).fetchone() == (True,)


@pytest.mark.parametrize(
    ("text", "says"),
    [("The customer asked last week not to be emailed again", True), ("asked not to be e-mailed", True),
     ("si è disiscritto", True), ("bus stop advertising firm", None), ("stop advertising", True),
     ("one-stop marketing shop", None)],
)  # fmt: skip
def test_an_opt_out_is_heard_in_the_passive_and_a_bus_stop_is_none(text: str, says: bool | None) -> None:
    assert opt_out_words(text) is says


def test_every_state_whose_name_lies_in_two_countries_is_told_apart_by_them() -> None:
    """The codes of a state column rest on three neighbourhoods; a name that others share would need a fourth."""
    from comity.check.coding import _NEAR

    table = homes._table("states.tsv")
    shared = {place for places in table.values() if homes._american(places) for place in places if place[:2] != "US"}
    assert shared <= _NEAR[2]


# ---------------------------------------------------------------- dates, as the whole column or the dialect writes them


def test_a_day_is_read_as_the_column_writes_days(asking: Check) -> None:
    del asking
    days = column_of("consent.given_on", {"03/04/2026": 1, "25/12/2025": 1}, reads="day")
    assert date(2026, 4, 3) in days.values
    assert date(2026, 3, 4) in column_of("consent.given_on", {"03/04/2026": 1, "12/25/2025": 1}, reads="day").values


def test_a_dialect_may_say_how_its_days_are_written() -> None:
    column = Column(role="fact", fact="consent.given_on", reads="day")
    understood = [Understood(index=0, header="Day", column=column, how="")]
    (part,) = parts_of(understood, TODAY, "mdy")
    assert date(2026, 3, 4) in code_column(part, "x0", [("03/04/2026", 1)], ()).values


# ---------------------------------------------------------------- headers of consent


def meanings(header: str) -> dict[str | None, object]:
    return {column.fact: column.yes for column in built_in()["generic"].known(header)}


def test_the_evidence_of_a_consent_is_not_the_consent() -> None:
    assert meanings("Consent source") == {"consent.source_kept": True}
    assert meanings("Consent wording") == {"consent.wording_kept": True}
    assert meanings("Consent text") == {"consent.wording_kept": True}
    assert meanings("Consent") == {"consent.given": "unknown"}


def test_a_missing_double_opt_in_takes_back_no_consent() -> None:
    given_ = [column for column in built_in()["generic"].known("Double opt-in") if column.fact == "consent.given"]
    assert [(column.yes, column.no) for column in given_] == [("unknown", "absent")]


# ---------------------------------------------------------------- suppression lists


def test_an_address_or_a_number_on_a_list_is_an_opt_out(tmp_path: Path) -> None:
    lists = tmp_path / "gone.txt"
    lists.write_text("Anna <ANNA@Example.com>; +49 (0)30 901820\n0033 1 23 45 67 89, nobody\n", "utf-8")
    suppressed = read_lists([lists])
    assert "anna@example.com" in suppressed
    header = ["Email", "Phone", "Country"]
    rows = [
        ["anna@example.com", "", "US"],
        [" Anna@Example.COM ", "", "US"],
        ["b@example.com", "+33 1 23-45.67 89", "US"],
        ["b@example.com", "+33 1 23 45 67 80", "US"],
    ]
    with checked(written(tmp_path / "people.csv", header, rows), we_are="US", suppressed=suppressed) as check:
        verdicts = {row: decision.verdict for row, decision in group_decisions(check).items()}
        assert verdicts == {1: Verdict.DENY, 2: Verdict.DENY, 3: Verdict.DENY, 4: Verdict.ASK}
        for row, verdict in verdicts.items():
            alone = check.row(row)
            assert alone is not None
            assert alone.verdict is verdict


# ---------------------------------------------------------------- counting


def test_every_row_is_counted_once(tmp_path: Path) -> None:
    dialect = built_in()["hubspot"]
    path = random_file(tmp_path / "people.csv", dialect, USES[0], rows=300, seed=3)
    with checked(path, dialect=dialect, we_are="") as check:
        found = answer(check, file="people.csv", dialect=dialect.name, columns=(), rejects=(), started=0.0)
        assert found.people == sum(found.by_verdict.values()) == 300
        assert sum(group.people for group in check.groups) == 300
        assert {group.first_row for group in found.groups} <= set(range(1, 301))


def test_a_country_that_nobody_understood_is_listed_with_its_rows(tmp_path: Path) -> None:
    rows = [["a@b.de", "Wonderland"], ["b@b.de", "Wonderland"], ["c@b.de", "DE"]]
    with checked(written(tmp_path / "people.csv", ["Email", "Country"], rows)) as check:
        found = answer(check, file="", dialect="", columns=(), rejects=(), started=0.0)
        assert found.unresolved_places == {"Wonderland": 2}


def test_table_names_are_plain_words() -> None:
    column = Column(role="fact", fact="consent.given")
    part = Part(understood=Understood(index=7, header='"; DROP TABLE x', column=column, how=""), today=TODAY)
    assert re.fullmatch(r"\w+", part.table)
