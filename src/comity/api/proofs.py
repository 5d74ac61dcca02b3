"""The ledger: its checkpoint, its entries, and the proof of each, which anybody verifies with `comity-verify`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from ninja import Router
from pydantic import Field

from comity.api.door import ApiRequest, Told, endpoint
from comity.api.problems import Problem
from comity.api.shapes import Moment, Ref, Shape
from comity.desk.recorded import one_entry, said_by
from comity.ledger.queries import NotCovered, bundle, latest_checkpoint, signed_note

router = Router(tags=["Ledger"])
TEXT = "text/plain; charset=utf-8"


class KeptEntry(Shape):
    """One entry of the ledger. It has refs, counts and words of ours; it names nobody."""

    ref: Ref
    kind: str
    recorded_at: Moment
    staff: Ref | None
    persons: list[Ref]
    body: dict[str, Any]
    index: int | None = Field(description="Its place in the tree; null while it is pending.")


@endpoint(
    router, "GET", "/ledger/checkpoint", may="ledger.read", answers=None, refuses=["not-found"], more={"x-text": True}
)
def read_checkpoint(request: ApiRequest) -> Told:
    """Read the newest checkpoint, signed (c2sp.org/tlog-checkpoint), with the lines of its witnesses."""
    del request
    newest = latest_checkpoint()
    if newest is None:
        raise Http404("The ledger has no checkpoint yet.")
    return Told(shape=signed_note(newest), media_type=TEXT)


@endpoint(router, "GET", "/ledger/entries/{ref}", may="ledger.read", answers=KeptEntry, refuses=["not-found"])
def read_entry(request: ApiRequest, ref: Ref) -> KeptEntry:
    """Read an entry."""
    del request
    return _kept(ref)


@endpoint(
    router, "GET", "/ledger/entries/{ref}/proof", may="ledger.read", answers=None, refuses=["not-found", "not-covered"],
    more={"x-text": True},
)  # fmt: skip
def read_proof(request: ApiRequest, ref: Ref) -> Told:
    """Read an entry's proof, a .tlog-proof (c2sp.org/tlog-proof): the entry, its path in the tree, and a checkpoint."""
    del request
    one_entry(ref)
    try:
        return Told(shape=bundle(entry=ref), media_type=TEXT)
    except NotCovered as error:
        detail = f"{error}. The sequencer numbers entries in batches; ask again shortly."
        raise Problem("not-covered", detail, headers={"Retry-After": "1"}) from None


def _kept(ref: UUID) -> KeptEntry:
    entry = one_entry(ref)
    return KeptEntry(
        ref=entry.ref, kind=entry.kind, recorded_at=entry.recorded_at, staff=entry.staff, persons=entry.persons,
        body=said_by(entry), index=entry.leaf_index,
    )  # fmt: skip
