"""The certificate of an erasure: proven by the ledger, and by nothing of Comity; not one word of it can be changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from comity.ledger.comity_verify import NotProven, commitment, verify_certificate
from comity.ledger.notes import SigningKey
from comity.ledger.queries import NotCovered
from comity.retention.erasing.actions import erase_person
from comity.retention.erasing.certificates import certificate_of
from comity.retention.erasing.models import Erasure, Why
from comity.staff.models import Entity
from tests.ledger.book import number
from tests.ledger.conftest import key

__all__ = ["key"]

pytestmark = pytest.mark.django_db(transaction=True)
VERIFIER = Path(__file__).parents[3] / "src/comity/ledger/comity_verify.py"


@pytest.fixture
def erased(firm: Entity, oliver: UUID) -> Erasure:
    """Oliver was erased; a contract of his must be kept."""
    return erase_person(person=oliver, entity=firm, why=Why.ASKED, staff=None)


def test_there_is_none_before_a_checkpoint_covers_the_erasure(erased: Erasure) -> None:
    with pytest.raises(NotCovered):
        certificate_of(erased)


def test_it_is_proven_and_says_what_went_and_what_stays(erased: Erasure, key: SigningKey) -> None:
    number(key)
    claims, _head = verify_certificate(certificate_of(erased), key.public)
    assert claims["person"] == str(erased.person)
    assert claims["went"] == erased.done["went"]
    assert erased.done["went"]["keys"] == 1
    assert [kept["cite"] for kept in claims["kept"]]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value"), [("whole", False), ("kept", []), ("done_at", "2020-01-01T00:00:00+00:00"), ("person", "x")]
)
def test_a_changed_word_is_found(erased: Erasure, key: SigningKey, name: str, value: object) -> None:
    number(key)
    told = json.loads(certificate_of(erased))
    assert told["claims"][name] != value
    told["claims"][name] = value
    with pytest.raises(NotProven, match="other claims"):
        verify_certificate(json.dumps(told), key.public)


def test_the_proof_of_another_entry_proves_nothing(erased: Erasure, key: SigningKey) -> None:
    number(key)
    told = json.loads(certificate_of(erased))
    other = told["proof"].replace("extra ", "extra AA")
    for proof in (other, "", "x"):
        with pytest.raises(NotProven):
            verify_certificate(json.dumps(told | {"proof": proof}), key.public)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"claims": [], "proof": ""}', '{"claims": {}, "proof": 1}', "\0"])
def test_what_is_no_certificate_is_refused(text: str, key: SigningKey) -> None:
    with pytest.raises(NotProven):
        verify_certificate(text, key.public)


def test_anybody_verifies_it_with_one_file(erased: Erasure, key: SigningKey, tmp_path: Path) -> None:
    number(key)
    file, copied = tmp_path / "certificate.json", tmp_path / "verify.py"
    file.write_text(certificate_of(erased), "utf-8")
    copied.write_text(VERIFIER.read_text("utf-8"), "utf-8")
    words = [sys.executable, "-I", str(copied), "--certificate", str(file), "--key", str(key.public)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PROVEN: ")
    assert str(erased.person) in done.stdout
    file.write_text(file.read_text("utf-8").replace("true", "false", 1), "utf-8")
    again = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert again.returncode == 1
    assert again.stdout.startswith("NOT PROVEN: ")


def test_the_commitment_is_in_the_entry_whatever_order_claims_come_in(erased: Erasure) -> None:
    assert erased.entry is not None
    turned = dict(reversed(erased.done.items()))
    assert commitment(turned).encode() in bytes(erased.entry.body)
