"""A file divided among processes shows what it shows in one piece."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.check.sources import surveying
from comity.check.sources.surveying import HasNul, Part, _piece, looked_at

LINES = st.lists(st.sampled_from([b"a,b", b'"a', b'b"', b'""', b"", b"\r", b'"x\n\ny"', "é".encode(), b"\xff"]))
ENDS = st.sampled_from([b"\n", b"\r\n"])


def said(part: Part) -> Part:
    """Return what a part shows of a file that begins outside quotes."""
    return part._replace(newlines=(part.newlines[0], 0), returns=(part.returns[0], 0), gaps=(bool(part.gaps[0]), 0))


@given(before=LINES, after=LINES, end=ENDS, ended=st.booleans())
def test_two_parts_put_together_show_what_the_whole_does(
    before: list[bytes], after: list[bytes], end: bytes, ended: bool
) -> None:
    first = b"".join(line + end for line in before)
    second = end.join([*after, b""] if ended else after)
    together = _piece(first).and_then(_piece(second)) if second else _piece(first)
    assert said(together) == said(_piece(first + second))


@given(lines=LINES, more=LINES, end=ENDS)
def test_in_which_order_three_are_put_together_does_not_matter(
    lines: list[bytes], more: list[bytes], end: bytes
) -> None:
    a, b, c = (_piece(b"".join(line + end for line in some)) for some in (lines, more, lines))
    assert a.and_then(b).and_then(c) == a.and_then(b.and_then(c))


class TestByProcesses:
    @pytest.fixture(autouse=True)
    def divided(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        """Divide small files, too; return where each part began that was given to a process of its own."""
        begun: list[int] = []
        original = surveying._begun

        def begins(path: Path, start: int, end: int | None) -> object:
            begun.append(start)
            return original(path, start, end)

        monkeypatch.setattr(surveying, "_begun", begins)
        monkeypatch.setattr(surveying, "_WORTHWHILE", 100)
        monkeypatch.setattr(os, "cpu_count", lambda: 3)
        return begun

    @pytest.mark.parametrize("row", ["Anna,DE", '"An\nna","D""E"', "Änne,DE"])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    def test_it_shows_what_one_process_does(self, divided: list[int], tmp_path: Path, row: str, end: str) -> None:
        text = (end.join(["Name,Country", *[row] * 100]) + end).encode()
        file = tmp_path / "people.csv"
        file.write_bytes(text)
        found = looked_at(file, 0)
        assert said(found) == said(_piece(text))
        assert len(divided) == 2
        assert all(text[:begin].endswith(b"\n") for begin in divided)

    def test_what_is_wrong_in_a_later_part_is_found_where_it_stands(self, divided: list[int], tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        file.write_bytes(b"Anna,DE\n" * 99 + b"Bo\0,DE\n")
        with pytest.raises(HasNul) as found:
            looked_at(file, 0)
        assert (found.value.line, len(divided)) == (100, 2)

    def test_where_no_process_can_be_started_one_does_it_all(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "people.csv"
        file.write_bytes(b"Anna,DE\n" * 100)
        monkeypatch.setattr(sys, "executable", "")
        assert looked_at(file, 0).newlines[0] == 100

    def test_progress_never_says_more_than_all(self, tmp_path: Path) -> None:
        file = tmp_path / "people.csv"
        file.write_bytes(b"Anna,DE\n" * 100)
        told: list[tuple[int, int]] = []
        looked_at(file, 0, progress=lambda at, size: told.append((at, size)))
        assert told
        assert all(at <= size == 800 for at, size in told)
