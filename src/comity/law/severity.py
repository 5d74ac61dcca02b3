"""How bad a breach is, by ENISA's method of 2013, each step shown.

Severity = context x identification + circumstances.
"""

from __future__ import annotations

from dataclasses import dataclass

from comity.law.vocabulary import FactError, Facts

CITE = "ENISA, Recommendations for a methodology of the assessment of severity of personal data breaches (2013)"

STEPS = {
    "event.enisa_context": (1, 2, 3, 4),
    "event.enisa_identification": (0.25, 0.5, 0.75, 1),
    "event.enisa_confidentiality": (0, 0.25, 0.5),
    "event.enisa_integrity": (0, 0.25, 0.5),
    "event.enisa_availability": (0, 0.25, 0.5),
}
"""The values that each input of the method can have."""

BANDS = ((4.0, "very high"), (3.0, "high"), (2.0, "medium"), (0.0, "low"))
MALICE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """A score with its band and the sum. `risk` is what we take it for; None where that is for a human to say."""

    score: float
    band: str
    steps: tuple[str, ...]
    risk: str | None
    cite: str = CITE


def enisa(facts: Facts) -> Severity | None:
    """Return the severity, or None where an input is missing. Raises FactError for a value that the method lacks.

    ENISA does not say which band is which risk under the GDPR. We take medium for a risk and above it for a high one; a
    low band is not taken for "unlikely": that is a human's judgement.
    """
    for name, known in STEPS.items():
        value = facts.get(name)
        if value is not None and value not in known:
            raise FactError(f"{name} cannot be {value}; the method has {', '.join(str(one) for one in known)}")
    inputs = [facts.get(name) for name in STEPS]
    if any(not isinstance(value, (int, float)) for value in inputs) or facts.get("event.malicious") is None:
        return None
    context, identification, *circumstances = (float(value) for value in inputs if isinstance(value, (int, float)))
    malice = MALICE if facts["event.malicious"] else 0.0
    added = sum(circumstances) + malice
    score = context * identification + added
    band = next(name for least, name in BANDS if score >= least)
    parts = " + ".join(f"{value:g}" for value in (*circumstances, malice))
    steps = (
        f"context {context:g} x identification {identification:g} = {context * identification:g}",
        f"circumstances (confidentiality + integrity + availability + malice) {parts} = {added:g}",
        f"{context * identification:g} + {added:g} = {score:g}: {band}",
    )
    risk = {"medium": "risk", "high": "high", "very high": "high"}.get(band)
    return Severity(score=score, band=band, steps=steps, risk=risk)
