"""What an outsider has: one file, a key, and a bundle or an exported ledger."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from comity.ledger import comity_verify
from comity.ledger.actions import witness_here
from comity.ledger.bundles import write_bundle
from comity.ledger.comity_verify import Bundle, NotProven, PublicKey, main, read_bundle, tile_path, verify_bundle
from comity.ledger.exporting import NothingToExport, export
from comity.ledger.models import Entry
from comity.ledger.notes import SigningKey
from comity.ledger.queries import NotCovered, bundle
from comity.ledger.witness import Exported, begin_witness, look
from tests.ledger.book import a_ledger, tamper, write

FILE = Path(str(comity_verify.__file__))
WHEN = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
NONE_KEPT = "none was kept elsewhere, so nobody can tell whether it was rolled back or signed anew\n"
HASHES = (bytes(32), bytes(range(32)))
AS_TEXT = (
    "c2sp.org/tlog-proof@v1\nextra ZW50cnk=\nindex 5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\nthe checkpoint\n"
)


# ---------------------------------------------------------------- the file


def test_it_needs_the_standard_library_and_cryptography_alone() -> None:
    tree = ast.parse(FILE.read_text("utf-8"))
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} - sys.stdlib_module_names == {"cryptography"}


# ---------------------------------------------------------------- bundles as text


def test_a_bundle_is_written_as_the_specification_says_and_read_again() -> None:
    written = Bundle(5, HASHES, "the checkpoint\n", b"entry")
    assert write_bundle(written) == AS_TEXT
    assert read_bundle(AS_TEXT) == written


def test_a_bundle_of_the_only_entry_has_no_hashes() -> None:
    text = write_bundle(Bundle(0, (), "the checkpoint\n"))
    assert text == "c2sp.org/tlog-proof@v1\nindex 0\n\nthe checkpoint\n"
    assert read_bundle(text) == Bundle(0, (), "the checkpoint\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        AS_TEXT.replace("@v1", "@v2"),
        AS_TEXT.replace("extra", "Extra"),
        AS_TEXT.replace("ZW50cnk=", "ZW50cnk"),
        AS_TEXT.replace("index 5", "index 05"),
        AS_TEXT.replace("index 5", "index -5"),
        AS_TEXT.replace("index 5\n", ""),
        AS_TEXT.replace("AAECAw", "AAECAwQF"),
        AS_TEXT.replace("\n\n", "\n"),
        AS_TEXT.replace("\n", "\r\n"),
        "\n" + AS_TEXT,
        AS_TEXT.replace("index 5\n", "index 5\n" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 62),
    ],
)
def test_what_is_no_bundle_is_refused(text: str) -> None:
    with pytest.raises(NotProven):
        read_bundle(text)


@pytest.mark.parametrize(
    ("index", "path"), [(0, "tile/0/000"), (67, "tile/0/067"), (1_234_067, "tile/0/x001/x234/067")]
)
def test_tiles_lie_where_the_specification_says(index: int, path: str) -> None:
    assert tile_path(0, index) == path


# ---------------------------------------------------------------- bundles that prove


@pytest.fixture
def entry(key: SigningKey) -> Entry:
    """Give entry 280 of a ledger of 300."""
    a_ledger(key, [3, 300])
    return Entry.objects.get(leaf_index=280)


@pytest.mark.django_db(transaction=True)
def test_a_bundle_proves_its_entry_and_no_other(key: SigningKey, entry: Entry) -> None:
    made = read_bundle(bundle(entry=entry.ref))
    head = verify_bundle(made, key=key.public, entry=bytes(entry.body))
    assert (made.index, made.extra, head.checkpoint.size) == (280, bytes(entry.body), 300)
    for wrong in (b"", b"x", bytes(Entry.objects.get(leaf_index=281).body)):
        with pytest.raises(NotProven):
            verify_bundle(made, key=key.public, entry=wrong)
    with pytest.raises(NotProven):
        verify_bundle(made, key=SigningKey.make(key.name).public, entry=bytes(entry.body))


@pytest.mark.django_db(transaction=True)
def test_a_pending_entry_has_no_bundle(key: SigningKey) -> None:
    a_ledger(key, [3])
    draft, *_ = write(1)
    with pytest.raises(NotCovered, match="is pending"):
        bundle(entry=draft.ref)


@pytest.mark.django_db(transaction=True)
def test_a_bundle_carries_the_witnesses_and_a_quorum_of_them_can_be_asked_for(
    key: SigningKey, entry: Entry, tmp_path: Path
) -> None:
    one, two = (
        begin_witness(folder=tmp_path / name, name=f"witness.example/{name}", ledger=key.public)
        for name in ("one", "two")
    )
    witness_here(folder=tmp_path / "one", at=WHEN)
    made = read_bundle(bundle(entry=entry.ref))
    assert verify_bundle(made, key=key.public, witnesses=[one, two], quorum=1).witnesses == {one: WHEN}
    with pytest.raises(NotProven, match="1 of the witnesses cosigned, and 2 must have"):
        verify_bundle(made, key=key.public, witnesses=[one, two], quorum=2)


# ---------------------------------------------------------------- an exported ledger


@pytest.mark.django_db(transaction=True)
def test_an_exported_ledger_lies_as_the_specification_says(key: SigningKey, tmp_path: Path) -> None:
    a_ledger(key, [3, 300])
    assert export(tmp_path / "out") == 300
    files = {str(path.relative_to(tmp_path / "out")): path.stat().st_size for path in (tmp_path / "out").rglob("*")
             if path.is_file()}  # fmt: skip
    assert set(files) == {
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    }
    assert (files["tile/0/000"], files["tile/0/001.p/44"], files["tile/1/000.p/1"]) == (8192, 44 * 32, 32)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_exported_over_something_or_of_nothing(key: SigningKey, tmp_path: Path) -> None:
    with pytest.raises(NothingToExport):
        export(tmp_path / "empty")
    a_ledger(key, [3])
    with pytest.raises(FileExistsError):
        export(tmp_path)


@pytest.mark.django_db(transaction=True)
def test_a_witness_can_look_at_an_exported_ledger(key: SigningKey, tmp_path: Path) -> None:
    begin_witness(folder=tmp_path / "witness", name="witness.example/one", ledger=key.public)
    for more, size in ((3, 3), (297, 300)):
        a_ledger(key, [more])
        export(tmp_path / f"out-{size}")
        seen = look(folder=tmp_path / "witness", source=Exported(tmp_path / f"out-{size}"), at=WHEN)
        assert seen.checkpoint.size == size


# ---------------------------------------------------------------- the command


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """Give the file where nothing of Comity is."""
    return Path(shutil.copy(FILE, tmp_path / "comity_verify.py"))


def ran(alone: Path, *arguments: object) -> tuple[int, str]:
    """Run the copied file as an auditor would, apart from everything that is installed here but cryptography."""
    told = subprocess.run(
        [sys.executable, "-I", alone.name, *map(str, arguments)],
        cwd=alone.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return told.returncode, told.stdout + told.stderr


@pytest.mark.django_db(transaction=True)
def test_the_copied_file_verifies_a_bundle(key: SigningKey, entry: Entry, alone: Path, tmp_path: Path) -> None:
    (tmp_path / "proof").write_text(bundle(entry=entry.ref), "utf-8")
    (tmp_path / "entry").write_bytes(bytes(entry.body))
    (tmp_path / "other").write_bytes(b"another")
    code, told = ran(alone, "--bundle", "proof", "--key", key.public)
    assert (code, told) == (0, f"PROVEN: entry 280 of 300 in example.com/ledger\n{bytes(entry.body).decode()}\n")
    assert ran(alone, "--bundle", "proof", "--key", key.public, "--entry", "entry")[0] == 0
    code, told = ran(alone, "--bundle", "proof", "--key", key.public, "--entry", "other")
    assert (code, told[:10]) == (1, "NOT PROVEN")
    witness = SigningKey.make("witness.example/one", comity_verify.COSIGNATURE).public
    code, told = ran(alone, "--bundle", "proof", "--key", key.public, "--witness", witness)
    assert (code, told) == (1, "NOT PROVEN: 0 of the witnesses cosigned, and 1 must have\n")


@pytest.mark.django_db(transaction=True)
def test_the_copied_file_verifies_an_exported_ledger(key: SigningKey, alone: Path, tmp_path: Path) -> None:
    a_ledger(key, [3, 300])
    export(tmp_path / "before")
    code, told = ran(alone, "--ledger", "before", "--key", key.public)
    assert (code, told) == (0, "PROVEN: 300 entries of example.com/ledger, as its checkpoints sign them; " + NONE_KEPT)
    code, said = ran(alone, "--ledger", "before", "--key", key.public, "--seen", "before/checkpoint")
    assert (code, said.split("; ")[1]) == (0, "1 kept elsewhere agree\n")
    tamper("UPDATE ledger_entry SET body = 'x' WHERE leaf_index = 280")
    export(tmp_path / "after")
    code, told = ran(alone, "--ledger", "after", "--key", key.public, "--seen", "before/checkpoint")
    assert code == 1
    assert told.splitlines() == [
        "NOT PROVEN: 1 flaw",
        "entry 280: it is not what was recorded: its hash is not the one in the tiles",
    ]


@pytest.mark.django_db(transaction=True)
def test_an_export_that_was_tampered_with_is_found(
    key: SigningKey, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_ledger(key, [3, 300])
    ledger, public = tmp_path / "out", str(key.public)
    export(ledger)
    first = ledger / "tile/entries/000"
    whole = first.read_bytes()
    for broken in (whole[:-1], whole.replace(b"book.changed", b"book.erased!", 1), whole[len(whole) // 2 :], b""):
        first.write_bytes(broken)
        assert main(["--ledger", str(ledger), "--key", public]) == 1
    first.write_bytes(whole[:-1])
    capsys.readouterr()
    main(["--ledger", str(ledger), "--key", public])
    assert capsys.readouterr().out == "NOT PROVEN: tile/entries/000 breaks off\n"
    first.write_bytes(whole)
    assert main(["--ledger", str(ledger), "--key", public]) == 0
    (ledger / "tile/0/000").unlink()
    assert main(["--ledger", str(ledger), "--key", public]) == 1


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = str(SigningKey.make("example.com/ledger").public)
    assert main(["--bundle", str(tmp_path / "none"), "--key", public]) == 2
    assert "Cannot read" in capsys.readouterr().out
    assert main(["--bundle", str(tmp_path / "none"), "--key", "no key"]) == 1
    assert PublicKey.read(public).name == "example.com/ledger"
