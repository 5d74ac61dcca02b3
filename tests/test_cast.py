"""The cast speaks the vocabulary: every fact a person of the cast has is one that rules can ask for."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from tests.cast import CAST, USES, Facts

VOCABULARY = Path(__file__).parent.parent / "src/comity/packs/vocabulary.toml"
PLAIN: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "choice": (str,),
    "number": (int, float),
    "date": (date,),
    "age": (int, dict),
    "place": (str, list),
}


@pytest.mark.parametrize("facts", [*CAST.values(), *USES.values()], ids=[*CAST, *USES])
def test_every_fact_of_the_cast_is_in_the_vocabulary_and_of_its_type(facts: Facts) -> None:
    vocabulary = tomllib.loads(VOCABULARY.read_text("utf-8"))
    for name, value in facts.items():
        namespace, _, fact = name.partition(".")
        entry = vocabulary[namespace][fact]
        assert isinstance(value, PLAIN[entry["type"]]), name
        if entry["type"] == "choice":
            assert value in entry["choices"], name
