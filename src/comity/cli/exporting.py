"""`comity law export`: the rules in force for other programs, in a vocabulary that is not only ours."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comity.cli import Refused
from comity.cli.may import DAY, plain_errors, the_day

if TYPE_CHECKING:
    from comity.law import Lawbook


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--dpv", is_flag=True, required=True, expose_value=False, help="As JSON-LD in the W3C Data Privacy Vocabulary."
)
@click.option(
    "--packs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of packs instead of the shipped ones.",
)
@click.option("--day", type=DAY, help="The rules in force on this day; today if not given.")
def export(names: tuple[str, ...], packs: Path | None, day: datetime | None) -> None:
    """Write the rules in force, of the laws and packs NAME or of all, for other programs.

    \b
    comity law export --dpv eu-gdpr > gdpr.jsonld
    """  # noqa: D301 (click wants the character itself before lines that it may not wrap)
    from comity.law import SHIPPED, lawbook
    from comity.law.dpv import export as as_dpv
    from comity.law.dpv import read_terms

    with plain_errors():
        root = packs or SHIPPED
        book = lawbook(root)
        _check_names(book, names)
        document = as_dpv(book, read_terms(root), the_day(day), names)
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _check_names(book: Lawbook, names: tuple[str, ...]) -> None:
    from comity.law.vocabulary import nearest

    known = [pack.id for pack in book.packs] + [law.id for law in book.laws]
    for name in names:
        if name not in known:
            raise Refused(f"no pack or law is called {name!r}{nearest(name, known)}")
