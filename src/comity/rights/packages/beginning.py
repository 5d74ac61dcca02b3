"""What the rooms below must know of packages when the application starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from comity.ledger.bodies import declare_words
from comity.staff.approvals import Kind, add_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.utils.functional import _StrPromise

    from comity.staff.models import Approval


def begin() -> None:
    """Let large packages take a second person, their words stand in the ledger, and their files go with the person."""
    from comity.retention.erasing.files import register
    from comity.rights.packages.making import forget_file
    from comity.rights.packages.models import TROUBLES, What
    from comity.rights.packages.planning import CHORES, KIND, WORKS

    declare_words(*CHORES, *What.values, *(word for word, _says in TROUBLES))
    add_kind(KIND, Kind(says=_("Hand out a large package of one person's data"), ask=WORKS, shows=_in_words))
    register("rights.Package", column="file_name", forget=forget_file)


def _in_words(approval: Approval) -> Iterable[tuple[_StrPromise, object]]:
    said = approval.request
    yield _("Our entity"), said["entity"]
    yield _("Rows"), said["rows"]
    yield _("Files"), said["files"]
    yield _("Places where others were taken out"), said["places"]
