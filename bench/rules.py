"""Twice the rules in the same places: the packs, and every law in them once more under another id."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

from comity.law import SHIPPED

AGAIN = "-again"


def doubled(folder: Path) -> Path:
    """Write the shipped packs into `folder`, each law there twice, and return it. The answers stay what they were."""
    whole = folder / "packs"
    shutil.copytree(SHIPPED, whole, ignore=shutil.ignore_patterns("cases"))
    packs = sorted(path.parent for path in whole.glob("*/pack.toml"))
    laws = {
        law["id"] for pack in packs for law in tomllib.loads((pack / "pack.toml").read_text("utf-8")).get("law", [])
    }
    names = re.compile(rf"""(?<=["'])({"|".join(map(re.escape, sorted(laws, key=len, reverse=True)))})(?=["'/:])""")
    for pack in packs:
        copy = pack.with_name(pack.name + AGAIN)
        shutil.copytree(pack, copy)
        for path in copy.rglob("*.toml"):
            path.write_text(names.sub(rf"\1{AGAIN}", path.read_text("utf-8")), "utf-8")
        _rename(copy)
    return whole


def _rename(pack: Path) -> None:
    """Call a pack as its folder is, where its own name was not that of a law."""
    path = pack / "pack.toml"
    path.write_text(re.sub(r'(?m)^id = "[^"]*"', f'id = "{pack.name}"', path.read_text("utf-8"), count=1), "utf-8")
