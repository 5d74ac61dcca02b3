"""Refs: the quick ways of writing many say what Python says of each."""

from __future__ import annotations

from uuid import UUID

from comity.refs import array_of, as_array, new_refs, spelled

REFS = [UUID(int=0), UUID(int=1), UUID(int=2**128 - 1), *new_refs(20)]


def test_refs_are_spelled_as_python_spells_them() -> None:
    assert spelled(REFS) == [str(ref) for ref in REFS]
    assert spelled([]) == []


def test_an_array_of_refs_has_the_digits_of_each_in_their_order() -> None:
    assert as_array(REFS) == array_of([ref.bytes for ref in REFS]) == f"{{{','.join(ref.hex for ref in REFS)}}}"
    assert as_array([]) == "{}"
