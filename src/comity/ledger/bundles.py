"""Bundles: one entry's proof as a text file, .tlog-proof (c2sp.org/tlog-proof). `comity_verify` reads them."""

from __future__ import annotations

import base64

from comity.ledger.comity_verify import BUNDLE, Bundle

SUFFIX = ".tlog-proof"


def write_bundle(bundle: Bundle) -> str:
    """Return the bundle as text."""
    lines = [BUNDLE]
    if bundle.extra is not None:
        lines.append(f"extra {base64.b64encode(bundle.extra).decode()}")
    lines.append(f"index {bundle.index}")
    lines += [base64.b64encode(beside).decode() for beside in bundle.proof]
    return "\n".join([*lines, "", bundle.checkpoint])
