"""The law in the Data Privacy Vocabulary: only terms that exist, every rule once, no concept too many."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from comity.cli import main
from comity.law import SHIPPED, Lawbook, PackError, read_packs
from comity.law.conditions import FALSE, TRUE, UNKNOWN, All, Condition, Constant, Named, Not, Some, parse
from comity.law.conditions import Test as Comparison
from comity.law.dpv import PREFIXES, Terms, export, read_terms, terms_in, wanted, written
from comity.law.lawbook import Definition, Duty, Law
from comity.law.loading import ACTS, EFFECTS, RECEIVERS
from comity.law.vocabulary import TERM_PREFIXES, Fact
from tests.law.tiny_packs import LAW, PACK, rule, table, write_pack

DAY = date(2026, 11, 21)
LISTED = frozenset(
    line
    for line in (Path(__file__).parent / "dpv_terms.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
)

Node = dict[str, Any]


@pytest.fixture(scope="module")
def terms() -> Terms:
    return read_terms()


@pytest.fixture(scope="module")
def document(book: Lawbook, terms: Terms) -> Node:
    return export(book, terms, DAY)


@pytest.fixture(scope="module")
def nodes(document: Node) -> dict[str, Node]:
    return {node["@id"]: node for node in document["@graph"]}


def rules(document: Node) -> list[Node]:
    return [node for node in document["@graph"] if node["@id"].startswith("urn:comity:rule:")]


# ---------------------------------------------------------------- terms exist


def is_term(word: str) -> bool:
    return word.partition(":")[0] in TERM_PREFIXES


def used_by_facts(book: Lawbook) -> set[str]:
    facts = book.vocabulary.facts.values()
    return {fact.term for fact in facts if fact.term} | {
        term for fact in facts for terms in fact.terms.values() for term in terms
    }


def used_by_file(terms: Terms) -> set[str]:
    tables: list[object] = [
        dict(terms.effects), dict(terms.properties), list(terms.properties), dict(terms.broader), list(terms.broader),
        dict(terms.laws), dict(terms.groups), dict(terms.grounds), dict(terms.slots), dict(terms.acts),
        dict(terms.receivers), dict(terms.obligations),
    ]  # fmt: skip
    return set(terms_in(tables)) | {f"loc:{code}" for code in terms.codes}


def strings(found: object) -> Iterator[str]:
    """Give every key and every value that is text."""
    match found:
        case str():
            yield found
        case list():
            for one in found:
                yield from strings(one)
        case dict():
            for key, one in found.items():
                yield key
                yield from strings(one)


def test_every_term_of_a_fact_is_one_that_exists(book: Lawbook) -> None:
    assert used_by_facts(book) - LISTED == set()


def test_every_term_of_dpv_toml_is_one_that_exists(terms: Terms) -> None:
    assert {word for word in used_by_file(terms) if is_term(word)} - LISTED == set()


def test_every_term_in_the_export_is_one_that_exists(document: Node) -> None:
    found = {word for word in strings(document["@graph"]) if re.fullmatch(r"[a-z-]+:[\w-]+", word) and is_term(word)}
    assert found - LISTED == set()
    assert len(found) > 100


def test_no_term_is_listed_that_nobody_uses(book: Lawbook, terms: Terms, document: Node) -> None:
    assert LISTED - used_by_facts(book) - used_by_file(terms) - set(strings(document)) == set()


def test_dpv_toml_names_only_what_the_packs_have(book: Lawbook, terms: Terms) -> None:
    grounds = {one.id for one in book.rules() if one.effect == "ground"}
    events = book.vocabulary.fact("event.kind").choices
    assert terms.grounds.keys() - grounds == set()
    assert terms.slots.keys() - {slot.id for law in book.laws for slot in law.slots} == set()
    assert terms.laws.keys() - {law.id for law in book.laws} == set()
    assert terms.obligations.keys() - book.obligations.keys() == set()
    assert terms.receivers.keys() - set(RECEIVERS) == set()
    assert terms.acts.keys() - {*ACTS, *(f"{event}/{act}" for event in events for act in ACTS)} == set()
    assert terms.effects.keys() == set(EFFECTS)
    assert terms.groups.keys() - book.vocabulary.places.groups.keys() == set()
    for code in terms.codes:
        book.vocabulary.places.check(code)


# ---------------------------------------------------------------- it is JSON-LD


def objects(found: object) -> Iterator[Node]:
    match found:
        case list():
            for one in found:
                yield from objects(one)
        case dict():
            yield found
            for one in found.values():
                yield from objects(one)


def test_the_context_defines_every_prefix_and_every_property_has_one(document: Node) -> None:
    context = document["@context"]
    prefixes = {key: value for key, value in context.items() if ":" not in key}
    assert prefixes == PREFIXES
    assert all(re.fullmatch(r"(https?|urn):\S*[#/:]", namespace) for namespace in prefixes.values())
    assert {key.partition(":")[0] for key in context if ":" in key} <= prefixes.keys()
    for node in objects(document["@graph"]):
        for key in node:
            assert key in {"@id", "@type"} or key.partition(":")[0] in prefixes, key


def test_every_address_is_whole_or_has_a_prefix_and_every_term_of_dpv_is_an_address(document: Node) -> None:
    context = document["@context"]
    addresses = {key for key, value in context.items() if isinstance(value, dict) and value.get("@type") == "@id"}
    for node in objects(document["@graph"]):
        for key, value in node.items():
            words = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
            if key in addresses | {"@id", "@type"}:
                for word in words:
                    prefix, colon, local = word.partition(":")
                    assert prefix in PREFIXES or local.startswith("//") or prefix == "urn", word
                    assert colon, word
                    assert not re.search(r"[\s<>\"{}|\\^`]", word), word
            else:
                assert not any(word in LISTED for word in words), (key, words)


def test_every_value_is_of_a_kind_that_json_ld_knows(document: Node) -> None:
    for node in objects(document["@graph"]):
        for key, value in node.items():
            for one in value if isinstance(value, list) else [value]:
                assert isinstance(one, str | int | float | dict), (key, one)
            assert value not in ("", [], {}), key


def test_days_are_days(document: Node) -> None:
    days = {key for key, value in document["@context"].items() if value == {"@type": "xsd:date"}}
    for node in objects(document["@graph"]):
        for key in node.keys() & days:
            date.fromisoformat(node[key])


# ---------------------------------------------------------------- every rule, once


def test_every_rule_in_force_appears_once_and_no_other(book: Lawbook, document: Node) -> None:
    in_force = [
        one.id for law in book.laws if law.span.holds(DAY) for one in law.rules if one.span.holds(DAY)
    ]  # fmt: skip
    assert [node["dct:identifier"] for node in rules(document)] == in_force
    assert [name for name, times in Counter(node["@id"] for node in document["@graph"]).items() if times > 1] == []


def test_a_law_lists_its_rules_and_each_rule_names_its_law(document: Node) -> None:
    listed = {one: node["@id"] for node in document["@graph"] for one in node.get("dpv:hasRule", ())}
    assert {node["@id"]: node["dpv:hasApplicableLaw"] for node in rules(document)} == listed


def test_every_definition_parameter_and_fact_that_a_condition_names_is_there(
    document: Node, nodes: dict[str, Node]
) -> None:
    for node in rules(document):
        law = node["dpv:hasApplicableLaw"].removeprefix("urn:comity:law:")
        condition = node["comity:condition"]
        for kind, name in re.findall(r"\b(define|param)\.(\w+)", condition):
            what = "definition" if kind == "define" else "parameter"
            assert f"urn:comity:{what}:{law}/{name.replace('_', '-')}" in nodes
        for name in re.findall(r"\b(?:person|use|data|org|consent|relation|actor|event)\.\w+", condition):
            assert f"urn:comity:fact:{name}" in nodes


def test_a_rule_is_what_its_effect_is(document: Node) -> None:
    classes = {
        "forbid": "dpv:Prohibition", "ground": "dpv:Permission", "except": "dpv:Permission",
        "require": "dpv:Obligation", "duty": "dpv:Obligation", "refer": "dpv:Rule",
    }  # fmt: skip
    for node in rules(document):
        assert node["@type"] == classes[node["comity:effect"]]
        assert ("comity:exceptionTo" in node) == (node["comity:effect"] == "except")
        assert ("comity:deed" in node) == (node["comity:effect"] == "duty")
        assert ("comity:obligation" in node) == (node["comity:effect"] == "require")
        assert ("comity:fills" in node) == (node["comity:effect"] == "ground")
        assert node["comity:effect"] != "ground" or node["dpv:hasLegalBasis"]


def test_every_rule_says_what_where_and_since_when(document: Node) -> None:
    for node in rules(document):
        assert node["dct:description"]
        assert node["dct:source"]
        assert node["dct:bibliographicCitation"]
        assert node["comity:confidence"] in {"confirmed", "unconfirmed"}
        assert node["dct:valid"].startswith(node["comity:from"])
        assert node.get("dpv:hasJurisdiction") or node["dct:identifier"].startswith("house/")


def test_what_ends_is_valid_until_the_day_before(tmp_path: Path, terms: Terms) -> None:
    book = read_packs(write_pack(tmp_path, rule(until="2030-01-01")))
    (node,) = rules(export(book, terms, DAY))
    assert (node["dct:valid"], node["comity:until"]) == ("2000-01-01/2029-12-31", "2030-01-01")
    assert rules(export(book, terms, date(2030, 1, 1))) == []


def test_a_number_that_is_nought_is_written(tmp_path: Path, terms: Terms) -> None:
    number = table(
        "parameter", id='"xx-law/none"', says='"None."', unit='"days"',
        values='[{ value = 0, cite = "Nowhere Act 3" }]',
    )  # fmt: skip
    found = export(read_packs(write_pack(tmp_path, rule() + number)), terms, DAY)
    assert [node["comity:number"] for node in objects(found["@graph"]) if "comity:number" in node] == [0]


def test_the_same_law_is_the_same_text_whatever_the_order_of_sets(tmp_path: Path) -> None:
    packs = shutil.copytree(SHIPPED, tmp_path / "packs")
    program = f"""
import json
from datetime import date
from pathlib import Path
from comity.law import read_packs
from comity.law.dpv import export, read_terms
root = Path({str(packs)!r})
print(json.dumps(export(read_packs(root), read_terms(root), date(2026, 11, 21))))
"""
    told = {
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1


# ---------------------------------------------------------------- terms of one law for another


def test_the_terms_of_the_gdpr_describe_the_gdpr_alone(document: Node) -> None:
    for node in document["@graph"]:
        if not re.search(r":(eu-gdpr|eu-gdpr/.*|eu-gdpr:.*)$", node["@id"]) and "urn:comity:fact:" not in node["@id"]:
            assert not [word for word in strings(node) if word in LISTED and word.startswith("eu-gdpr:")], node["@id"]


@pytest.mark.parametrize(
    ("name", "link", "expected"),
    [
        ("eu-gdpr/consent", "dpv:hasLegalBasis", ["eu-gdpr:A6-1-a"]),
        ("eu-gdpr/standard-clauses", "dpv:hasLegalBasis", ["eu-gdpr:A46-2-c"]),
        ("eu-gdpr/transfer-by-contract", "dpv:hasLegalBasis", ["eu-gdpr:A49-1-b"]),
        ("uk-gdpr/transfer-by-contract", "dpv:hasLegalBasis", ["dpv:DataTransferLegalBasis", "dpv:Contract"]),
        ("uk-gdpr/special-for-care", "dpv:hasLegalBasis", ["dpv:LegalBasis"]),
        ("eu-eprivacy/soft-opt-in-is-basis", "dpv:hasLegalBasis", ["dpv:LegalBasis"]),
        ("cn-pipl/consent", "dpv:hasLegalBasis", ["dpv:Consent"]),
        ("eu-gdpr/answer-access", "dpv:hasRight", ["eu-gdpr:A15"]),
        ("eu-eprivacy/electronic-mail-needs-consent", "dpv:hasPurpose", ["dpv:Marketing", "dpv:TargetedAdvertising"]),
        ("eu-eprivacy/electronic-mail-needs-consent", "comity:withoutTerm", ["use.purpose fundraising"]),
        ("eu-eprivacy/electronic-mail-needs-consent", "dpv:hasJurisdiction", ["loc:EEA"]),
    ],
)
def test_a_rule_has_its_terms(nodes: dict[str, Node], name: str, link: str, expected: list[str]) -> None:
    assert nodes[f"urn:comity:rule:{name}"][link] == expected


@pytest.mark.parametrize(
    ("law", "place"),
    [("us-ca-ccpa", "loc:US-CA"), ("uk-gdpr", "loc:GB"), ("cn-csl", "loc:CN"), ("de-uwg", "loc:DE")],
)
def test_a_law_has_its_place(nodes: dict[str, Node], law: str, place: str) -> None:
    assert nodes[f"urn:comity:law:{law}"]["dpv:hasJurisdiction"] == [place]


def test_a_breach_is_notified_to_the_authority(nodes: dict[str, Node]) -> None:
    deed = nodes["urn:comity:rule:eu-gdpr/authority-hears-of-a-breach"]["comity:deed"]
    assert (deed["dpv:hasEntity"], deed["comity:within"]) == ("dpv:Authority", "72 hours")
    assert deed["dpv:hasOrganisationalMeasure"] == ["dpv:DataBreachNotification"]


def test_our_own_policy_is_no_law(nodes: dict[str, Node]) -> None:
    assert nodes["urn:comity:law:house"]["@type"] == "dpv:Policy"


# ---------------------------------------------------------------- conditions


def inner(duty: Duty) -> list[Condition]:
    found = [pause.when for pause in duty.pauses] + [more.when for more in duty.extensions]
    return found + [stop.when for stop in duty.stops]


def test_a_written_condition_is_read_as_the_same(book: Lawbook) -> None:
    for law in book.laws:
        conditions = [law.governs, *(slot.applies for slot in law.slots), *(item.when for item in law.definitions)]
        for one in law.rules:
            conditions += [one.when, *(inner(one.duty) if one.duty else ())]
        for condition in conditions:
            if condition != law.governs:  # what governs is put together from two texts
                assert parse(written(condition), book.vocabulary) == condition


def defined(law: Law) -> dict[str, Definition]:
    return {item.id.partition("/")[2].replace("-", "_"): item for item in law.definitions if item.span.holds(DAY)}


def if_not(condition: Condition, names: dict[str, Definition], values: dict[str, str]) -> int:
    """Return the truth of a condition when some facts have these values and all else is unknown."""
    match condition:
        case Comparison(fact=fact) if fact not in values:
            return UNKNOWN
        case Comparison(fact=fact, operand=bool()):
            return FALSE if values[fact] == "false" else TRUE
        case Comparison(fact=fact, operand=str(word)):
            return TRUE if values[fact] == word else FALSE
        case Comparison(fact=fact, operand=frozenset() as words):
            return TRUE if values[fact] in words else FALSE
        case Constant(truth=truth):
            return truth
        case Named(name=name):
            return if_not(names[name].when, names, values) if name in names else UNKNOWN
        case Not(part=part):
            return TRUE - if_not(part, names, values)
        case All(parts=parts):
            return min(if_not(part, names, values) for part in parts)
        case Some(parts=parts):
            return max(if_not(part, names, values) for part in parts)
    raise AssertionError(condition)


def others(fact: Fact, words: frozenset[str]) -> list[str]:
    """Return the values of a fact that are not among the words."""
    return ["false"] if fact.kind == "bool" else [choice for choice in fact.choices if choice not in words]


def test_no_rule_holds_without_the_concepts_it_is_given(book: Lawbook) -> None:
    tried = 0
    for law in book.laws:
        names = defined(law)
        for one in law.rules:
            found = wanted(one.when, names)
            for name, words in found.items():
                fact = book.vocabulary.fact(name)
                if fact.namespace != "data" and fact.kind in {"bool", "choice"}:
                    for value in others(fact, words):
                        assert if_not(one.when, names, {name: value}) == FALSE, (one.id, name, value)
                        tried += 1
            kinds = {name: "false" for name in found if name.startswith("data.")}
            assert not kinds or if_not(one.when, names, kinds) == FALSE, one.id
    assert tried > 1_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use.purpose == 'marketing'", {"use.purpose": {"marketing"}}),
        ("use.purpose != 'marketing'", {}),
        ("not use.automated", {}),
        ("use.automated and not consent.given", {"use.automated": {"true"}}),
        ("use.automated or consent.given", {}),
        ("use.purpose in {'marketing', 'service'} and use.purpose == 'service'", {"use.purpose": {"service"}}),
        ("use.purpose == 'care' or use.purpose == 'service'", {"use.purpose": {"care", "service"}}),
        ("use.purpose == 'care' or use.automated", {}),
        ("data.health or data.biometric", {"data.health": {"true"}, "data.biometric": {"true"}}),
        ("data.health or use.automated", {}),
        ("not (use.purpose == 'care' and use.automated)", {}),
        ("True", {}),
    ],
)
def test_only_what_a_condition_cannot_do_without_is_wanted(
    book: Lawbook, text: str, expected: dict[str, set[str]]
) -> None:
    assert wanted(parse(text, book.vocabulary), {}) == expected


# ---------------------------------------------------------------- wrong files


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('term = "dpv-pd:Health"', "'dpv-pd:Health' is no term of a vocabulary that we know"),
        ('term = "Health"', "'Health' is no term"),
        ('term = "dpv:"', "'dpv:' is no term"),
        ("terms = { tall = ['dpv:Use'] }", "terms names no choice 'tall'"),
        ("terms = { true = ['nowhere:Use'] }", "'nowhere:Use' is no term"),
        ("terms = { true = 'dpv:Use' }", "'true' must be a list of quoted words"),
        ("terms = ['dpv:Use']", "'terms' must be a table"),
    ],
)
def test_a_term_of_a_fact_is_checked(tmp_path: Path, line: str, says: str) -> None:
    root = write_pack(tmp_path)
    with (root / "vocabulary.toml").open("a") as file:
        file.write(f'\n[person.tall]\ntype = "bool"\nmeans = "It is."\nabsent = "unknown"\n{line}\n')
    with pytest.raises(PackError) as raised:
        read_packs(root)
    assert (raised.value.file, raised.value.rule) == ("vocabulary.toml", "person.tall")
    assert says in raised.value.what


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[efect]\n", "unknown table 'efect'; did you mean 'effect'"),
        ("[effect\n", "it is not TOML"),
        ("[slot]\n'xx:y' = ['nowhere:Basis']\n", "'nowhere:Basis' is of no vocabulary that we know"),
        ("[act]\ndelete = ['dpv:Erase']\n", "'dpv:Erase' has no property; add it under [property]"),
    ],
)
def test_a_wrong_dpv_toml_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "dpv.toml").write_text(text, "utf-8")
    with pytest.raises(PackError, match=re.escape(says)):
        read_terms(tmp_path)


def test_packs_without_a_dpv_toml_use_the_shipped_one(tmp_path: Path) -> None:
    assert read_terms(tmp_path) == read_terms(SHIPPED)


def test_a_law_that_nobody_mapped_is_written_in_our_words(tmp_path: Path, terms: Terms) -> None:
    book = read_packs(write_pack(tmp_path, rule(), pack=PACK + LAW.replace('["EEA"]', '["BR"]')))
    found = export(book, terms, DAY)
    (node,) = rules(found)
    assert (node["@type"], node["comity:condition"]) == ("dpv:Prohibition", "not consent.given")
    assert "dpv:hasJurisdiction" not in node


# ---------------------------------------------------------------- the command


def run(*arguments: object) -> tuple[int, str, str]:
    told = CliRunner().invoke(main, ["law", "export", *(str(one) for one in arguments)])
    return told.exit_code, told.stdout, told.stderr


def test_the_command_writes_the_laws_and_packs_that_are_named() -> None:
    code, out, _ = run("--dpv", "--day", DAY, "de-uwg", "house")
    found = {node["@id"] for node in json.loads(out)["@graph"] if node["@id"].startswith("urn:comity:law:")}
    assert (code, found) == (0, {"urn:comity:law:de-uwg", "urn:comity:law:house"})


def test_the_command_writes_other_packs(tmp_path: Path) -> None:
    code, out, _ = run("--dpv", "--day", DAY, "--packs", write_pack(tmp_path, rule()))
    assert (code, len(rules(json.loads(out)))) == (0, 1)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["--dpv", "de-uwgg"], "no pack or law is called 'de-uwgg'; did you mean 'de-uwg'?"), (["de-uwg"], "--dpv")],
)
def test_the_command_refuses(arguments: list[str], says: str) -> None:
    code, _, err = run(*arguments)
    assert (code, says in err) == (2, True)
