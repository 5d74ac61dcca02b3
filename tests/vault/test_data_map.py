"""No column is stored of which nobody said how sensitive it is and how long it stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from comity.vault import data_map as told
from comity.vault.checks import every_column_is_declared
from comity.vault.data_map import Clock, Sensitivity, data_map

VAULT = [apps.get_app_config("vault")]


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:  # noqa: ANN401 - a function
    """Let the vault have another data map, made of its own by replacing some text."""
    own = (Path(VAULT[0].path) / told.FILE).read_text("utf-8")

    def written(old: str, new: str) -> list[str]:
        assert old in own
        path = tmp_path / "data_map.toml"
        path.write_text(own.replace(old, new, 1), "utf-8")
        monkeypatch.setattr(told, "FILE", str(path))
        return [problem.msg for problem in every_column_is_declared(VAULT)]

    return written


@pytest.fixture(autouse=True)
def fresh() -> Any:  # noqa: ANN401 - a generator
    data_map.cache_clear()
    yield
    data_map.cache_clear()


def test_the_vault_and_the_tables_of_others_are_declared() -> None:
    others = [config for config in apps.get_app_configs() if not told.ours(config)]
    assert every_column_is_declared([*VAULT, *others]) == []


def test_a_column_without_declaration_is_refused(pretended: Any) -> None:  # noqa: ANN401 - as above
    assert "declares no Sealed.tokens." in pretended('token = ["tokens"]', "")[0]


def test_a_model_without_declaration_is_refused(pretended: Any) -> None:  # noqa: ANN401 - as above
    assert any("declares nothing of Epoch" in problem for problem in pretended("[Epoch]", "[Age]"))


def test_a_declaration_without_column_is_refused(pretended: Any) -> None:  # noqa: ANN401 - as above
    assert "names Sealed.stamps, which is no column" in pretended('["tokens"]', '["tokens", "stamps"]')[0]


def test_a_clock_on_a_column_that_is_not_there_is_refused(pretended: Any) -> None:  # noqa: ANN401 - as above
    assert "named_at, which is no column" in pretended("after recorded_at", "after named_at")[0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('keep = "person"', 'keep = "a while"', "is no clock"),
        ('keep = "person"', 'keep = "0 days after x"', "is no clock"),
        ('keep = "person"', 'keep = "ledger"', "say why"),
        ('token = ["tokens"]', 'tokens = ["tokens"]', "tokens is none of"),
        ('token = ["tokens"]', 'token = ["person"]', "declared twice"),
        ('token = ["tokens"]', 'token = "tokens"', "lists columns"),
        ("[Epoch]", "x = 1\n[Epoch]", "outside every table"),
        ("[Epoch]", "[Epoch", "no TOML"),
        ('keep = "person"', 'keep = "person"\nkept_otherwise = { stamp = "ledger" }', "has no sensitivity"),
        ('keep = "person"', 'keep = "person"\nerased = "melt"', "none of delete, unname, stay"),
        ('keep = "person"', 'keep = "3 years after x"', 'say erased = "delete"'),
        ('keep = "person"', 'keep = "person"\nerased = "stay"', "say why"),
        ('keep = "person"', 'keep = "person"\nperson = []', "not in which column"),
        ('keep = "person"', 'keep = "person"\nperson = "the person"', "neither a column nor"),
        ('keep = "person"', 'keep = "person"\ncleared = "wrapped"', "cleared lists words"),
        ('keep = "person"', 'keep = "person"\nperson = "epoch_id"', "what becomes of PersonKey.person"),
        (
            'keep = "person"',
            'keep = "person"\nperson = ["person", "whose"]',
            "names PersonKey.whose, which is no column",
        ),
    ],
)
def test_a_map_that_does_not_say_what_it_must_is_refused(pretended: Any, old: str, new: str, message: str) -> None:  # noqa: ANN401 - as above
    assert message in pretended(old, new)[0]


def test_the_map_can_be_read_by_other_rooms() -> None:
    table = data_map()["vault", "RecordedDecision"]
    assert table.clock == Clock(until="after", count=6, unit="years", column="recorded_at")
    assert table.columns["staff"].sensitivity is Sensitivity.STAFF
    assert data_map()["vault", "Sealed"].columns["tokens"].clock == Clock(until="person")


def test_a_column_may_have_a_clock_of_its_own() -> None:
    told_of: dict[str, object] = {"keep": "person", "person": "ref", "ref": ["ref"], "fact": ["seen_at", "home"]}
    told_of["kept_otherwise"] = {"seen_at": "1 year after seen_at"}
    columns = told._table(Path("data_map.toml"), "book", "Person", told_of).columns
    assert columns["seen_at"].clock == Clock(until="after", count=1, unit="years", column="seen_at")
    assert columns["home"].clock == Clock(until="person")
