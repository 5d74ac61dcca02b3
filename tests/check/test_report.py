"""What the terminal and the JSON form say of one invented file, asked of a small law of our own (tests/check/packs)."""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from rich.cells import cell_len
from rich.console import Console

from comity.check.answers import Answer, ColumnRead, Freed, Group, Reject
from comity.check.as_json import answer_json, days_in_words, obstacles
from comity.check.report import cells_of, print_answer, print_columns, print_decision, share
from comity.law import SHIPPED, Decision, Lawbook, Plan, Verdict, decide, fold, read_packs
from comity.law.asking import signature_anywhere
from comity.law.folding import OUR_PLACE, WHERE_THE_PERSON_LIVES
from tests.cast import AIKO, BRUNO, CARLOS, GRETA, HANNAH, LUCA, MAIL_MARKETING, MEI, NADIA, PAUL, TODAY, TYLER, Facts

OURS = Path(__file__).parent / "packs"
NO_OPT_OUT: Facts = {
    "person.objected": False,
    "consent.opted_out": False,
    "consent.withdrawn": False,
    "person.opt_out_signal": False,
}

# Everybody in the file: how many, their facts, and a place that only weak evidence points to.
PEOPLE: list[tuple[int, Facts, str]] = [
    (3_120, PAUL, ""),
    (1_204, GRETA | NO_OPT_OUT, ""),
    (420, GRETA | NO_OPT_OUT | {"person.home": "IT"}, ""),
    (180, GRETA | NO_OPT_OUT | {"person.home": "NL"}, ""),
    (100, GRETA | NO_OPT_OUT | {"person.home": "FR"}, ""),
    (1_877, HANNAH | NO_OPT_OUT, ""),
    (640, CARLOS | {"consent.opted_out": True}, ""),
    (94, BRUNO, ""),
    (12, MEI | {"consent.withdrawn": True}, ""),
    (366, MEI | {"consent.given": False, "consent.separate": False, "consent.withdrawn": False}, ""),
    (90, MEI, ""),
    (42, NADIA | NO_OPT_OUT, ""),
    (120, TYLER | {"person.home": "US-WA"}, ""),
    (31, TYLER | {"person.home": "GB", "consent.given": True} | NO_OPT_OUT, ""),
    (402, NO_OPT_OUT | {"person.home": "IN"}, ""),
    (61, NO_OPT_OUT | {"person.home": "BR"}, ""),
    (37, LUCA | NO_OPT_OUT, ""),
    (580, AIKO, ""),
    (31, AIKO | {"consent.opted_out": False}, "DE"),
]
COLUMNS = (
    ColumnRead(
        header="Country/Region",
        role="home.country",
        says="the country, as evidence of home",
        unreadable=7,
        example="Atlantis",
    ),
    ColumnRead(
        header="Unsubscribed from all email", role="fact", says="an opt-out of e-mail", fact="consent.opted_out"
    ),
    ColumnRead(header="出生日期", role="fact", says="birth date", fact="person.age", unreadable=12, example="31/31/99"),
    ColumnRead(header="Record ID", role="id", says="the row's own name"),
    ColumnRead(header="Favourite colour", role="ignored", says="no fact of the vocabulary is called so"),
)
REJECTS = (
    Reject(row=812, why="broken quoting", text='"Secret, Sam'),
    Reject(row=4410, why="no readable text", text="Secret, Sue"),
    Reject(row=4411, why="no readable text", text=""),
)


@cache
def book() -> Lawbook:
    """Return our small law: the shipped vocabulary and house rules, and the packs beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for shared in SHIPPED.glob("*.toml"):
            shutil.copy(shared, root)
        for pack in (SHIPPED / "house", *OURS.iterdir()):
            shutil.copytree(pack, root / pack.name)
        return read_packs(root)


@cache
def plan() -> Plan:
    use = book().vocabulary.read(MAIL_MARKETING | {"use.similar_goods": True, "use.in_notice": True})
    assumed = {
        "org.place": "You are established only where each person lives.",
        "use.in_notice": "The notice people were shown names this use.",
    }
    return fold(book(), use | {OUR_PLACE: WHERE_THE_PERSON_LIVES}, TODAY, assumed=assumed)


def group(people: int, facts: Facts, hint: str, first_row: int) -> Group:
    read = book().vocabulary.read(facts)
    places = read.get("person.home")
    homes = sorted(places) if isinstance(places, frozenset) else []
    return Group(
        homes="|".join(homes),
        conflict=len(homes) > 1,
        hint=hint,
        decision=decide(plan(), read),
        facts=read,
        signature=signature_anywhere(plan(), read),
        people=people,
        first_row=first_row,
    )


def cured(one: Group, cure: str) -> bool:
    """Tell whether a cure makes a permit of a group's verdict."""
    sets = {name: TODAY if value == "today" else value for name, value in book().cures[cure].sets.items()}
    read = book().vocabulary.read(sets)
    if any(value is False and one.decision.facts.get(name) is True for name, value in read.items()):
        return False  # no paper undoes what a person said
    facts = one.decision.facts | read
    own = {name: value for name, value in facts.items() if name.partition(".")[0] in {"org", "use", "data"}}
    return decide(fold(book(), dict(plan().fixed) | own, TODAY), facts).verdict is Verdict.PERMIT


def freed_of(one: Group) -> dict[str, int]:
    """Count, by cure, the people of a group whom it makes permitted."""
    if one.finding.verdict is Verdict.PERMIT:
        return {}
    return {cure: one.people for cure in one.finding.cures if book().cures[cure].sets and cured(one, cure)}


@cache
def answer() -> Answer:
    """Return the answer for the invented file."""
    groups, row = [], 1
    freed: Counter[str] = Counter()
    for people, facts, hint in PEOPLE:
        one = group(people, facts, hint, row)
        own = freed_of(one)
        groups.append(replace(one, freed=own))
        freed.update(own)
        row += people
    return Answer(
        file="hubspot-export.csv",
        dialect="HubSpot contact export",
        columns=COLUMNS,
        plan=plan(),
        use="Marketing by e-mail",
        headline="If you are established only where each person lives; --we-are or --org says better",
        groups=tuple(groups),
        rejects=REJECTS,
        freed={cure: Freed(cure=cure, says=book().cures[cure].says, people=people) for cure, people in freed.items()},
        notes=("Opt-outs count as complete: HubSpot marks everybody who unsubscribed.",),
        unresolved_places={"Atlantis": 5, "<b>Lemuria</b>": 2},
    )


Told = Answer | Decision | tuple[ColumnRead, ...]


def told(what: Told, *, width: int = 97, **options: Any) -> str:  # noqa: ANN401 - rich's own options
    """Return what is printed of an answer, a decision or columns."""
    out = io.StringIO()
    console = Console(file=out, width=width, **options)
    if isinstance(what, Answer):
        print_answer(what, console)
    elif isinstance(what, Decision):
        print_decision(what, console)
    else:
        print_columns(what, console)
    return out.getvalue()


def line_with(text: str, words: str) -> str:
    return next(line for line in text.splitlines() if words in line)


def decision(facts: Facts) -> Decision:
    return decide(plan(), book().vocabulary.read(facts))


# ---------------------------------------------------------------- the whole file


def test_the_head_says_what_was_asked_of_whom_and_on_whose_word() -> None:
    lines = [line.strip() for line in told(answer()).splitlines()[1:4]]
    assert lines == [
        "hubspot-export.csv · 9,410 people · HubSpot contact export, 4 of 5 columns understood",
        "Marketing by e-mail, as of 2026-11-21 · 8 laws in 7 packs",
        "If you are established only where each person lives; --we-are or --org says better",
    ]


def test_the_verdicts_add_up_to_the_rows_of_the_file() -> None:
    assert "permit 5,087  54 %      deny 3,016  32 %      ask 1,307  14 %" in told(answer())
    assert 5_087 + 3_016 + 1_307 == answer().rows == answer().people + len(REJECTS)


def test_the_consent_rules_of_three_laws_are_one_reason() -> None:
    consent = next(one for one in obstacles(answer(), Verdict.DENY) if len(one.rules) == 3)
    assert [rule.reason.law for rule in consent.rules] == ["eu-eprivacy", "de-uwg", "fr-cpce"]
    assert list(consent.places) == ["DE", "IT", "NL", "FR"]
    row = line_with(told(answer()), "Marketing by e-mail needs")
    assert row.split()[-5:] == ["DE", "IT", "NL", "+1", "1,904"]


def test_an_unconfirmed_rule_is_marked_beside_its_citation() -> None:
    assert "Directive 2002/58/EC Art. 13(1); UWG § 7(2) no. 2; CPCE L. 34-5 (unconfirmed)" in told(answer())


def test_all_opt_outs_are_one_line_and_the_laws_are_cited_before_our_own_policy() -> None:
    text = told(answer())
    assert line_with(text, "Opted out").split()[-1] == "746"
    assert "15 U.S.C. § 7704(a)(4); GDPR Art. 21(3); PIPL Art. 15 +1" in text
    assert "cure: none; respect it" in text


def test_opt_outs_in_many_places_are_said_to_be_everywhere() -> None:
    more = [group(1, BRUNO | {"person.home": home}, "", 1) for home in ("ES", "PL")]
    assert " everywhere " in line_with(told(replace(answer(), groups=(*answer().groups, *more))), "Opted out")


def test_a_cure_says_how_many_it_frees_and_no_more() -> None:
    cures = {
        (one.weight.value, one.rules[0].reason.rule, cure.cure): cure.frees
        for weight in (Verdict.DENY, Verdict.ASK)
        for one in obstacles(answer(), weight)
        for cure in one.cures
    }
    assert cures["deny", "eu-eprivacy/email-needs-consent", "ask-consent"] == 1_904
    assert cures["deny", "cn-pipl:basis", "ask-separate-consent"] == 366
    assert cures["ask", "eu-gdpr:basis", "ask-consent"] == 42  # and not the 37 for whose other home no pack speaks
    assert cures["ask", "eu-eprivacy/email-needs-consent", "ask-consent"] == 0
    assert cures["ask", "gb-pecr/children", "ask-counsel"] is None
    assert line_with(told(answer()), "this handling alone").split()[-3:] == ["would", "free", "366"]


def test_somebody_who_may_live_anywhere_is_asked_only_where_they_live() -> None:
    text = told(answer())
    assert line_with(text, "Where do they live?").endswith(" 611")
    assert "weak evidence points to DE 31" in text
    assert line_with(text, "Nothing says whether they opted out").endswith(" 120")


def test_the_evidence_of_a_consent_is_asked_for_in_one_line() -> None:
    row = line_with(told(answer(), width=120), "A consent is marked, but its evidence is not on file: the day,")
    assert row.split()[-2:] == ["FR", "42"]


def test_places_without_a_pack_and_homes_in_conflict_and_unknown_names_are_counted() -> None:
    text = told(answer())
    assert line_with(text, "IN 402, BR 61, CH 37").endswith(" 500")
    assert line_with(text, "Evidence of home disagrees (CH|IT 37)").endswith(" 37")
    assert line_with(text, "“Atlantis” 5, “<b>Lemuria</b>” 2").split()[-2:] == ["rows", "7"]


def test_a_place_that_no_pack_covers_is_not_told_once_more_by_each_law() -> None:
    assert "not encoded" not in told(answer())


def test_a_law_is_said_to_speak_only_where_it_protects_people() -> None:
    torn = group(5, LUCA | NO_OPT_OUT | {"person.home": ["DE", "US-OH"]}, "", 1)
    changed = replace(answer(), groups=(torn,))
    consent = next(one for one in obstacles(changed, Verdict.ASK) if one.kind == "may-be-forbidden")
    assert "de-uwg" in {rule.reason.law for rule in consent.rules}
    assert list(consent.places) == ["DE"]


def test_laws_not_encoded_for_a_case_are_one_reason() -> None:
    changed = replace(answer(), groups=(group(5, PAUL | {"person.home": "RO"}, "", 1),))
    not_encoded = [one for one in obstacles(changed, Verdict.ASK) if one.kind == "not-covered"]
    assert [[rule.reason.law for rule in one.rules] for one in not_encoded] == [["eu-gdpr", "eu-eprivacy"]]


def test_obligations_come_with_their_hours_in_words() -> None:
    row = line_with(told(answer()), "Between 08:00 and 20:00 their time, Monday to Saturday")
    assert row.split()[-2:] == ["FR", "3,120"]


def test_days_read_like_a_calendar() -> None:
    assert days_in_words(("mon", "tue", "wed", "sat", "sun")) == "Monday to Wednesday, Saturday, Sunday"
    assert days_in_words(("fri", "sat", "sun", "holiday")) == "Friday to Sunday, public holidays"


def test_rows_that_were_not_read_and_cells_not_understood_stand_at_the_end() -> None:
    text = " ".join(told(answer()).split())
    assert "Not read: 3 rows (812: broken quoting; 4,410 and 4,411: no readable text)." in text
    assert "Country/Region 7 (such as 'Atlantis'), 出生日期 12 (such as '31/31/99')" in text
    assert text.endswith("it is not a lawyer.")
    assert "Secret" not in text


@pytest.mark.parametrize("width", [80, 97, 120])
def test_it_fits_the_width_and_leaves_nothing_at_the_ends_of_lines(width: int) -> None:
    lines = told(answer(), width=width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert [line for line in lines if line != line.rstrip()] == []


def test_numbers_stand_below_each_other_beside_chinese_names_too() -> None:
    text = told(answer(), width=100)
    rows = [
        line_with(text, words)
        for words in ("CAN-SPAM Act", "个人信息保护法", "Where do they live?", "Our postal address")
    ]
    assert len({cell_len(row) for row in rows}) == 1


def test_a_pipe_gets_plain_text_and_a_terminal_colour() -> None:
    assert "\x1b" not in told(answer())
    coloured = told(answer(), force_terminal=True, color_system="standard")
    assert "\x1b[32m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == told(answer())
    assert "\x1b[3" not in told(answer(), force_terminal=True, color_system="standard", no_color=True).replace(
        "\x1b[3m", ""
    )


def test_a_terminal_without_unicode_gets_a_bar_it_can_show() -> None:
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding="ascii", errors="replace", write_through=True) as out:
        print_answer(answer(), Console(file=out, width=97))
        text = raw.getvalue().decode("ascii")
    assert "####" in text
    assert "----" in text


def test_a_header_cannot_move_the_cursor_or_turn_the_line_around() -> None:
    told_so = told((ColumnRead(header="a\x1b[2J\u202eb\nc", role="fact", says="a fact"),))
    assert "\x1b" not in told_so
    assert "\u202e" not in told_so
    assert [line.split() for line in told_so.splitlines()[-2:]] == [["a", "[2J", "a", "fact"], ["b", "c"]]


def test_a_file_in_which_all_are_permitted_has_nothing_to_explain() -> None:
    text = told(replace(answer(), groups=(group(1, PAUL, "", 1),), rejects=(), unresolved_places={}))
    assert "permit 1  100 %" in text
    assert "Why not" not in text
    assert "What to ask" not in text


def test_a_file_without_any_readable_row_is_still_told() -> None:
    text = told(replace(answer(), groups=(), unresolved_places={}))
    assert "permit 0  0 %      deny 0  0 %      ask 3  100 %" in text


def test_a_bar_shows_even_one_person_and_a_share_never_lies_about_none_or_all() -> None:
    counted = {Verdict.PERMIT: 9_999, Verdict.DENY: 1, Verdict.ASK: 0}
    assert cells_of(counted, 50) == {Verdict.PERMIT: 49, Verdict.DENY: 1, Verdict.ASK: 0}
    assert [share(part, 10_000) for part in (0, 1, 9_999, 10_000)] == ["0 %", "< 1 %", "> 99 %", "100 %"]


# ---------------------------------------------------------------- one decision, and columns


def test_a_denied_person_is_told_every_reason_with_its_article() -> None:
    text = told(decision(GRETA | NO_OPT_OUT))
    assert text.split()[0] == "deny"
    for words in ("UWG § 7(2) no. 2", "de-uwg/email-needs-consent", "GDPR Art. 6(1)", "eu-eprivacy/sender", "sha256"):
        assert words in text
    assert "What would have to accompany it" in text


def test_what_is_missing_taken_as_absent_and_assumed_is_spelled_out() -> None:
    text = " ".join(told(decision(NADIA | NO_OPT_OUT)).split())
    assert "would settle it: consent.given_on, consent.wording_kept" in text
    assert "consent.wording_kept The wording the person agreed to is on file." in text
    assert "person.deceased no because: The law asks for knowledge" in text
    assert "org.place You are established only where each person lives." in text


def test_an_unconfirmed_reason_is_marked_in_a_decision_too() -> None:
    assert "CPCE L. 34-5 (unconfirmed)" in told(decision(GRETA | NO_OPT_OUT | {"person.home": "FR"}))


def test_columns_are_explained_the_ignored_ones_last() -> None:
    lines = told(COLUMNS, width=80).splitlines()
    assert lines[0].strip() == "4 of 5 columns understood"
    assert "Favourite colour" in lines[-1]
    assert any("出生日期" in line and "birth date (person.age)" in line for line in lines)


# ---------------------------------------------------------------- the JSON form


def test_the_json_form_keeps_to_its_schema() -> None:
    schema = json.loads((files("comity.check") / "answer.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(answer_json(answer()))), schema)


def test_the_json_form_has_the_same_numbers_as_the_terminal() -> None:
    told_so = answer_json(answer())
    assert told_so["counts"] == {
        "rows": 9_410, "decided": 9_407, "permit": 5_087, "deny": 3_016, "ask": 1_307, "not_read": 3,
    }  # fmt: skip
    assert sum(home["people"] for home in told_so["by_home"]) == 9_407
    assert told_so["home_unknown"] == {"people": 611, "weak_evidence": [{"place": "DE", "people": 31}]}
    assert [item["row"] for item in told_so["not_read"]] == [812, 4410, 4411]


def test_the_json_form_holds_no_cell_of_the_file() -> None:
    text = json.dumps(answer_json(answer()), ensure_ascii=False)
    assert "Secret" not in text
    assert "31/31/99" not in text
