"""`comity org`: describe who we are by answering questions, and write org.toml."""

from __future__ import annotations

from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from comity.law import Lawbook

QUESTIONS = (
    ("org.lia_on_file", "Is a dated balancing assessment (legitimate interest) for your marketing on file?"),
    ("org.public_body", "Are you a public authority or body?"),
    ("org.nonprofit", "Are you a nonprofit or charity?"),
    ("org.small_business", "United States: are you a small business by the SBA's table?"),
    ("org.financial_institution", "United States: are you a financial institution (GLBA)?"),
    ("org.data_broker", "Do you sell data of people with whom you have no direct relationship?"),
    ("org.online_for_children", "Is your online service directed to children?"),
    (
        "org.consent_law_firm",
        "Spain: are you bound by Ley 10/2025 (basic services, 250 or more staff, over 50 million euro turnover)?",
    ),
    ("org.ciio", "China: do you operate critical information infrastructure?"),
)


@click.command()
@click.argument("file", default="org.toml", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def org(file: Path, *, force: bool) -> None:
    """Ask who you are and write FILE (org.toml), for `comity check --org`.

    Enter leaves a question unanswered: unknown.
    """
    from comity import law

    if file.is_dir():
        raise click.UsageError(f"{file} is a folder; name the file to write in it")
    if file.exists() and not force:
        raise click.UsageError(f"{file.name} is there already; --force overwrites it, or name another file")
    if not file.parent.is_dir():
        raise click.UsageError(f"there is no folder {file.parent}; make it first, or name another file")
    book = law.lawbook()
    name = click.prompt("Your organisation's name", default="", show_default=False)
    places = click.prompt(
        "Where is your legal entity established? (ISO codes, as IE or IE,US-CA)",
        value_proc=lambda text: _places(book, text),
    )
    lines = [f"name = {_quoted(name)}", "", "[org]", f"place = [{', '.join(_quoted(place) for place in places)}]"]
    role = click.prompt(
        "United States: your HIPAA role",
        type=click.Choice(["none", "covered-entity", "business-associate"]),
        default="none",
    )
    lines.append(f"hipaa_role = {_quoted(role)}")
    for fact, question in QUESTIONS:
        answer = click.prompt(f"{question} (yes/no/Enter)", default="", show_default=False, value_proc=_yes_or_no)
        lines += [] if answer is None else [f"{fact.removeprefix('org.')} = {str(answer).lower()}"]
    lines += _thresholds()
    _write(file, "\n".join([*lines, ""]))
    click.echo(
        f"{file.name} is written. "
        f"Use it: comity check contacts.csv --purpose marketing --channel email --org {file.name}"
    )


def _write(file: Path, text: str) -> None:
    """Write a file that is whole or not there."""
    aside = file.with_name(f".{file.name}.new")
    try:
        aside.write_text(text, "utf-8")
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _thresholds() -> list[str]:
    """Ask for the numbers that the US state laws count, or take the strict side."""
    large = click.confirm("US state privacy laws: shall we count you as large enough for all of them?", default=True)
    lines = [f"over_thresholds = {str(large).lower()}"]
    if not large:
        lines += [
            f"{short} = {click.prompt(question, value_proc=partial(_number, most=most)):.15g}"
            for short, question, most in (
                ("revenue_usd", "  gross revenue last year, in US dollars", inf),
                (
                    "consumers_in_state",
                    "  residents whose data you handle a year, in the state where you have most",
                    inf,
                ),
                ("sale_revenue_percent", "  percent of revenue from selling personal data", 100),
            )
        ]
    return lines


def _places(book: Lawbook, text: str) -> list[str]:
    from comity.check.entity import places_named
    from comity.law import FactError

    try:
        return sorted(places_named(text, book))
    except FactError as error:
        raise click.UsageError(str(error)) from None


def _number(text: str, most: float) -> float:
    try:
        number = float(text.replace(",", "").replace("_", "").replace(" ", ""))
    except ValueError:
        number = -1
    if not 0 <= number <= most or number == inf:
        raise click.UsageError(
            "give a number" + (f" from 0 to {most:g}" if most < inf else ", as 1000000 or 1,000,000")
        )
    return number


def _yes_or_no(text: str) -> bool | None:
    answers = {"": None, "y": True, "yes": True, "n": False, "no": False}
    if text.strip().lower() not in answers:
        raise click.UsageError("answer yes or no, or press Enter if you do not know")
    return answers[text.strip().lower()]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(letter for letter in escaped if letter >= " ")}"'
