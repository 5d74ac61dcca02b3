"""The proof of forgetting, on few people: `make soak-forgetting` is the same on a thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.conftest import lack
from tests.private_postgres import binaries


def test_past_the_horizon_no_copy_yields_anything_of_the_erased() -> None:
    if binaries() is None:
        lack("PostgreSQL's server programs")
    words = ["-m", "bench.forgetting", "--people", "40", "--erased", "4"]
    done = subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "forgotten: 0 of 4 erased found, 36 of 36 others found" in done.stdout
