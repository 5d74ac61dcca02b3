"""`comity law prove`: what is true of the law for everybody, or somebody for whom it is not."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli import Refused
from comity.cli.may import plain_errors

if TYPE_CHECKING:
    from comity.law.proving import Counterexample, Proof, Prover, Unstopped

WIDTH = 80
SHOWN_PLACES = 8
SHOWN_LAWS = 3


@click.command()
@click.option(
    "--packs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of packs instead of the shipped ones.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was proved as JSON.")
def prove(packs: Path | None, *, as_json: bool) -> None:
    """Prove the invariants of the packs for every person, use, place and day, or find a counterexample (minutes)."""
    from comity.law import SHIPPED, lawbook
    from comity.law.proving import EncodingDisagrees, Prover, read_invariants
    from comity.law.proving import prove as proofs
    from comity.law.smt import NoProver, load_z3

    started = time.monotonic()
    found: list[tuple[Proof, float]] = []
    with plain_errors():
        try:
            load_z3()
            root = packs or SHIPPED
            book = lawbook(root)
            invariants = read_invariants(book, root)
            prover = Prover(book, invariants)
            _say(_of_what(prover), as_json=as_json)
            for proof, seconds in _timed(proofs(prover)):
                found.append((proof, seconds))
                _say(_proof_text(proof, seconds), as_json=as_json)
            open_still = _without_house(prover)
        except NoProver as error:
            raise Refused(str(error)) from None
        except EncodingDisagrees as error:
            raise Refused(f"{error}\nThis is a fault of Comity and not of the packs; please report it.") from None
    seconds = time.monotonic() - started
    if as_json:
        click.echo(json.dumps(_as_json(prover, found, open_still, seconds), ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_unstopped_text(open_still)))
        failed = sum(not proof.holds for proof, _ in found)
        click.echo(f"{len(found) - failed} of {len(found)} invariants proved in {seconds:.0f} s")
    if not all(proof.holds for proof, _ in found):
        sys.exit(1)


def _timed(proofs: Iterator[Proof]) -> Iterator[tuple[Proof, float]]:
    started = time.monotonic()
    for proof in proofs:
        yield proof, time.monotonic() - started
        started = time.monotonic()


def _say(text: str, *, as_json: bool) -> None:
    if not as_json:
        click.echo(text)


def _of_what(prover: Prover) -> str:
    return textwrap.fill(
        f"For every person, use and firm, whatever of them is unknown, in each of {len(prover.places)} covered places, "
        f"on {len(prover.days)} intervals from {prover.days[0]} to after {prover.days[-1]}: "
        f"{len(prover.settings)} different laws.",
        WIDTH,
    )


def _proof_text(proof: Proof, seconds: float) -> str:
    over = f"{proof.intervals} intervals, {proof.places} places"
    head = f"{'proved' if proof.holds else 'FAILED':7}{proof.name:34}{over:26}{seconds:>6.1f} s"
    return "\n".join([head, *(line for failure in proof.failures for line in _failure_text(proof, failure))])


def _failure_text(proof: Proof, failure: Counterexample) -> Iterator[str]:
    from comity.law.proving import facts_file

    if not failure.facts:
        yield textwrap.fill(failure.says, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
    else:
        yield from ("", facts_file(failure.facts, failure.day, f"{proof.says}\n{failure.says}"), "")


def _without_house(prover: Prover) -> list[Unstopped]:
    """Return what the laws alone permit to people who refused, on the interval of today, or the nearest one."""
    from comity.law.proving import unstopped

    today = date.today()  # noqa: DTZ011  (the day where the command is run)
    days = [day for day in prover.days if day <= today] or prover.days
    return unstopped(prover, days[-1])


def _unstopped_text(found: list[Unstopped]) -> Iterator[str]:
    from comity.law.proving import REFUSALS

    if not found:
        return
    yield f"\nOn {found[0].day}, without the house rules, marketing that a refusal does not stop:"
    for one in found:
        who = ", to businesses only" if one.only_business else ""
        yield f"  {one.channel}{who}: after {', '.join(REFUSALS[name] for name in one.refusals)}"
        yield _indented(_some(one.places, SHOWN_PLACES))
        yield _indented(_some(one.cites, SHOWN_LAWS))
        yield _indented("for example " + _in_words(one))
    yield ""


def _in_words(one: Unstopped) -> str:
    from comity.law.decisions import shown

    usual = {"use.operation", "use.purpose", "use.channel"}
    facts = ((name, value) for name, value in sorted(one.facts.items()) if name not in usual)
    return ", ".join(
        f"{name}={'|'.join(value) if isinstance(value, frozenset) else shown(value)}" for name, value in facts
    )


def _some(words: tuple[str, ...], most: int) -> str:
    more = len(words) - most
    return ", ".join(words[:most]) + (f" and {more} more" if more > 0 else "")


def _indented(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def _as_json(
    prover: Prover, found: list[tuple[Proof, float]], open_still: list[Unstopped], seconds: float
) -> dict[str, Any]:
    return {
        "schema": "comity.proofs/1",
        "intervals": [day.isoformat() for day in prover.days],
        "places": sorted(prover.places),
        "settings": len(prover.settings),
        "seconds": round(seconds, 1),
        "proofs": [
            {
                "name": proof.name, "says": proof.says, "proved": proof.holds, "intervals": proof.intervals,
                "places": proof.places, "questions": proof.questions, "seconds": round(taken, 1),
                "counterexamples": [_counterexample_json(failure) for failure in proof.failures],
            }
            for proof, taken in found
        ],
        "without_house": [
            {
                "channel": one.channel, "places": list(one.places), "refusals": list(one.refusals),
                "only_business": one.only_business, "laws": list(one.cites), "day": one.day.isoformat(),
                "facts": _facts_json(one.facts),
            }
            for one in open_still
        ],
    }  # fmt: skip


def _counterexample_json(failure: Counterexample) -> dict[str, Any]:
    return {"says": failure.says, "day": failure.day.isoformat(), "facts": _facts_json(failure.facts)}


def _facts_json(facts: Any) -> dict[str, Any]:  # noqa: ANN401  (facts by name, as `may` takes them)
    from comity.law.decisions import shown

    return {name: "unknown" if value is None else shown(value) for name, value in sorted(facts.items())}
