from __future__ import annotations

import re

import pytest

from comity.staff.matrix import matrix
from comity.staff.roles import SOURCE, RolesError, read_roles, roles

SMALL = """
operations = ["view", "edit"]
purposes = ["service"]
fields = ["name", "note"]

[role.clerk]
name = "Clerk"
says = "Writes."
may = [{ operations = ["view", "edit"], purposes = "all", fields = ["name"] }]

[role.reader]
name = "Reader"
says = "Reads."
changes = false
may = [{ operations = ["view"], purposes = ["service"], fields = "all" }]

[word]
"person.view" = { says = "See.", roles = "all" }
"person.edit" = { says = "Change.", roles = ["clerk"] }
"""


def test_a_role_has_every_combination_of_a_row() -> None:
    clerk, reader = read_roles(SMALL).roles.values()
    assert clerk.cells == {("view", "service", "name"), ("edit", "service", "name")}
    assert reader.cells == {("view", "service", "name"), ("view", "service", "note")}


def test_a_word_says_who_has_it() -> None:
    told = read_roles(SMALL)
    assert told.with_word("person.view") == {"clerk", "reader"}
    assert told.with_word("person.edit") == {"clerk"}
    assert told.with_cell("edit", "service", "note") == frozenset()


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ('"note"]', '"note"', "is not TOML"),
        ('fields = ["name"]', 'fields = ["nane"]', "[role.clerk] may: fields has no 'nane'; did you mean 'name'"),
        ('fields = ["name"]', "fields = []", '[role.clerk] may: fields is "all" or a list of name, note'),
        ('roles = ["clerk"]', 'roles = ["clark"]', "\"person.edit\": there is no role 'clark'; did you mean 'clerk'"),
        ('says = "Reads."\n', "", "[role.reader] needs says, a str that is not empty"),
        ('name = "Clerk"', 'nmae = "Clerk"', "[role.clerk] has an unknown key 'nmae'"),
        ('"person.edit"', '"Edit!"', '"Edit!": a word is what and verb'),
        ('roles = ["clerk"]', 'roles = "all"', "[role.reader] has changes = false and yet person.edit"),
        ('operations = ["view"]', 'operations = "all"', "[role.reader] has changes = false and yet edit"),
        ("may = [{", "may = [0, {", "[role.clerk]: each row of may is a table"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_its_cure(was: str, becomes: str, message: str) -> None:
    assert was in SMALL
    with pytest.raises(RolesError, match=re.escape(message)):
        read_roles(SMALL.replace(was, becomes, 1))


def test_an_unknown_word_or_cell_is_refused_with_the_nearest() -> None:
    with pytest.raises(RolesError, match=re.escape("no word 'person.veiw'; did you mean 'person.view'")):
        roles().with_word("person.veiw")
    with pytest.raises(RolesError, match="no 'nickname' among name, contact"):
        roles().with_cell("view", "service", "nickname")


def test_the_auditor_sees_every_class_of_fields_and_changes_nothing() -> None:
    told = roles()
    auditor = told.roles["auditor"]
    assert {field for _, _, field in auditor.cells} == set(told.field_classes)
    assert {operation for operation, _, _ in auditor.cells} == {"view"}
    assert all(word.reads for word in told.words.values() if "auditor" in word.roles)


def test_the_administrator_opens_nothing_but_names() -> None:
    told = roles().roles["administrator"]
    assert {field for operation, _, field in told.cells if operation == "view"} == {"name"}


def test_the_matrix_shows_every_word_of_the_file_once() -> None:
    shown = [word.id for _, words in matrix().words for word, _ in words]
    assert shown == list(roles().words)
    assert sorted(shown) == sorted(re.findall(r'^"([a-z.-]+)"', SOURCE.read_text("utf-8"), re.MULTILINE))


def test_the_matrix_shows_every_cell_of_the_file() -> None:
    shown = {
        (role.id, operation, purpose, field)
        for operation, rows in matrix().cells
        for field, across in rows
        for role, purposes in zip(matrix().roles, across, strict=True)
        for purpose in purposes
    }
    assert shown == {(role.id, *cell) for role in roles().roles.values() for cell in role.cells}
