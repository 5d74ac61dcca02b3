"""A decision's JSON form keeps to its schema, survives a round trip, and is the same wherever it is asked for."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from comity.law import Decision, Lawbook, decide, fold, may
from comity.law.decisions import SCHEMA
from tests.law.people import DAY, US, USES, circumstances, person, willing
from tests.law.random_law import random_book, random_facts

SCHEMA_FILE = Path(__file__).parents[2] / "src" / "comity" / "law" / "decision.schema.json"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    read: dict[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


def decisions(book: Lawbook, use: str, number: int) -> list[Decision]:
    """Return decisions about random people, of every verdict, with much and with little on record."""
    dice = random.Random(use)
    plan = fold(book, book.vocabulary.read(circumstances(book, dice, use)), DAY)
    people = [willing(book, dice) for _ in range(number // 2)] + [person(book, dice, 0.5) for _ in range(number // 2)]
    return [decide(plan, who) for who in people]


def test_the_schema_is_one_and_is_of_this_version(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"]["const"] == SCHEMA == "comity.decision/1"


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    bare: list[str] = []

    def walk(node: object, path: str) -> None:
        if isinstance(node, dict):
            for name, child in node.get("properties", {}).items():
                if "description" not in child and "/if" not in path and "/then" not in path:
                    bare.append(f"{path}{name}")
            for name, child in node.items():
                walk(child, f"{path}{name}/")
        elif isinstance(node, list):
            for number, child in enumerate(node):
                walk(child, f"{path}{number}/")

    walk(schema, "/")
    assert bare == []


@pytest.mark.parametrize("use", USES)
def test_random_decisions_keep_to_the_schema(
    book: Lawbook, validator: jsonschema.Draft202012Validator, use: str
) -> None:
    for decision in decisions(book, use, 40):
        shown = decision.as_json()
        validator.validate(shown)
        assert json.loads(json.dumps(shown, ensure_ascii=False)) == shown
        assert shown["verdict"] == decision.verdict.value
        assert shown["because"] == [*decision.because]


def test_decisions_by_random_laws_keep_to_the_schema(
    book: Lawbook, schema: dict[str, Any], validator: jsonschema.Draft202012Validator
) -> None:
    """These clash, are in doubt and are not covered more often."""
    kinds: set[str] = set()
    for seed in range(150):
        dice = random.Random(seed)
        shown = may(random_book(book, dice), random_facts(dice), day=DAY).as_json()
        for reason in shown["reasons"]:
            reason["says"] = reason["says"] or "."  # random rules say nothing
            kinds.add(reason["kind"])
        validator.validate(shown)
    allowed = set(schema["$defs"]["reason"]["properties"]["kind"]["enum"])
    assert kinds == allowed - {"cannot-be-met"}


def test_a_key_more_or_a_key_less_is_not_the_schema(book: Lawbook, validator: jsonschema.Draft202012Validator) -> None:
    shown = may(book, {**US, **USES["a sale"], "person.home": "DE"}, day=DAY).as_json()
    for name in shown:
        assert not validator.is_valid({key: value for key, value in shown.items() if key != name})
    assert not validator.is_valid({**shown, "more": 1})
    assert not validator.is_valid({**shown, "verdict": "allowed"})


def test_it_tells_what_it_rests_on(book: Lawbook) -> None:
    facts = {
        **US, **USES["marketing by e-mail"], "person.home": "FR|DE", "person.known_age": {"min": 15, "max": 16},
        "consent.given": True, "consent.given_on": date(2026, 1, 31), "consent.withdrawn": "unknown",
    }  # fmt: skip
    shown = may(book, facts, day=DAY).as_json()
    assert shown["day"] == "2026-11-21"
    assert shown["facts"]["person.home"] == ["DE", "FR"]
    assert shown["facts"]["person.known_age"] == {"min": 15, "max": 16}
    assert shown["facts"]["consent.given_on"] == "2026-01-31"
    assert shown["facts"]["consent.withdrawn"] is None
    assert shown["facts"]["org.place"] == ["IE"]
    absent = {item["fact"]: item for item in shown["absent"]}
    assert absent["person.capacity"]["taken_as"] == "consumer"
    assert absent["person.capacity"]["why"] == book.vocabulary.facts["person.capacity"].why_absent
    assert "consent.given" not in absent
    assert "consent.withdrawn" in {item["fact"] for item in shown["missing"]}
    assert {pack["pack"] for pack in shown["packs"]} >= {"de", "eu", "fr", "house"}
    assert {law["law"]: law["governs"] for law in shown["laws"]} | {"de-uwg": "maybe", "eu-gdpr": "yes"} == {
        law["law"]: law["governs"] for law in shown["laws"]
    }


def test_an_age_without_upper_bound_has_no_max(book: Lawbook) -> None:
    facts = {**US, **USES["a sale"], "person.home": "US-CA", "person.known_age": {"min": 16}}
    shown = may(book, facts, day=DAY).as_json()
    assert shown["facts"]["person.known_age"] == {"min": 16}


def test_what_was_assumed_and_what_a_source_declares_is_told(book: Lawbook) -> None:
    about = book.vocabulary.read({**US, **USES["marketing by e-mail"]})
    assumed = {"org.place": "we are taken to be established in Ireland"}
    plan = fold(book, about, DAY, absent={"consent.opted_out": False}, assumed=assumed)
    shown = decide(plan, {"person.home": frozenset({"IE"})}).as_json()
    assert shown["assumed"] == [{"fact": "org.place", "says": "we are taken to be established in Ireland"}]
    assert {"fact": "consent.opted_out", "taken_as": False, "why": "declared by the source"} in shown["absent"]


@pytest.mark.parametrize("use", ["marketing by e-mail", "a sale", "a transfer"])
def test_the_command_line_shows_the_same(book: Lawbook, tmp_path: Path, use: str) -> None:
    dice = random.Random(use)
    facts = {**circumstances(book, dice, use), **willing(book, dice)}
    file = tmp_path / "facts.toml"
    file.write_text("".join(f"{json.dumps(name)} = {in_toml(value)}\n" for name, value in facts.items()), "utf-8")
    assert ask(tmp_path, str(file)) == may(book, facts, day=DAY).as_json()


def test_the_command_line_shows_the_same_of_words(book: Lawbook, tmp_path: Path) -> None:
    words = {
        "person.home": "DE|FR", "person.age": "15-16", "consent.given": "yes", "consent.given_on": "2026-01-31",
        "org.place": "IE", "consent.opted_out": "unknown", "use.operation": "contact", "use.purpose": "marketing",
        "use.channel": "email",
    }  # fmt: skip
    given = [argument for name, value in words.items() for argument in ("--set", f"{name}={value}")]
    assert ask(tmp_path, *given) == may(book, words, day=DAY).as_json()


def ask(folder: Path, *arguments: str) -> object:
    """Run `comity may … --json` as a program of its own."""
    program = [sys.executable, "-c", "from comity.cli import main; main()"]
    told = subprocess.run(
        [*program, "may", *arguments, "--day", DAY.isoformat(), "--json"],
        env={**os.environ, "XDG_CACHE_HOME": str(folder)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def in_toml(value: object) -> str:
    match value:
        case None:
            return '"unknown"'
        case date():
            return value.isoformat()
        case (int(low), int(high)):
            return f"{{ min = {low}, max = {high} }}"
        case frozenset() | list():
            return json.dumps(sorted(value))
    return json.dumps(value)
