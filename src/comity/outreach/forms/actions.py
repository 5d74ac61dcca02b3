"""Building forms, publishing and withdrawing them: each verb one transaction and one entry in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from comity.consent.drafts import ChangedMeanwhile, NotPublished, fingerprint, keep_draft, lock_draft, seen_of, settled
from comity.ledger.actions import record
from comity.outreach.forms.coming_in import may_send
from comity.outreach.forms.looking import wrong_in
from comity.outreach.forms.models import FormVersion, WebForm
from comity.outreach.forms.words import WRITTEN, begun_in
from comity.staff.guards import demand

if TYPE_CHECKING:
    from comity.post.models import Gateway
    from comity.staff.models import Entity, Staff

EDIT: Final = "form.edit"
PUBLISH: Final = "form.publish"
MADE_OF: Final = ("languages", "asks", "fields", "needed", "places", "young", "notice", "frames")
"""What a version is made of, beside its words."""
LONGEST: Final = {"title": 120, "intro": 2_000, "button": 60, "thanks": 1_000}


# ---------------------------------------------------------------- drafts


@transaction.atomic
def start_form(*, entity: Entity, name: str, language: str, made_by: Staff) -> FormVersion:
    """Begin a form with a first draft. Raises NotYours, and ValidationError where one is called so already."""
    demand(made_by, EDIT, entity)
    try:
        with transaction.atomic():
            form = WebForm.objects.create(entity=entity, name=name, made_by=made_by)
    except IntegrityError as error:
        if "outreach_form_name" not in str(error):
            raise
        raise ValidationError({"name": _("A form of this entity is called so already.")}) from None
    version = FormVersion.objects.create(
        form=form, entity=entity, number=1, languages=[language], words={language: begun_in(language)},
        places=[entity.place], drafted_by=made_by,
    )  # fmt: skip
    _record("drafted", version, made_by)
    return version


@transaction.atomic
def draft_again(*, form: WebForm, drafted_by: Staff) -> FormVersion:
    """Begin a new draft from the last version; where there is one already, return that."""
    demand(drafted_by, EDIT, form.entity)
    WebForm.objects.select_for_update(of=("self",), no_key=True).get(pk=form.pk)
    last = form.versions.select_related("entity", "form", "notice").order_by("number").last()
    if last is None:
        raise ChangedMeanwhile(_("This draft was thrown away meanwhile."))
    if last.published_at is None:
        return last
    version = FormVersion.objects.create(
        form=form, entity=form.entity, number=last.number + 1, words=last.words, drafted_by=drafted_by,
        **{name: getattr(last, name) for name in MADE_OF},
    )  # fmt: skip
    _record("drafted", version, drafted_by)
    return version


@transaction.atomic
def describe_draft(*, version: FormVersion, made_of: Mapping[str, Any], seen: str, written_by: Staff) -> FormVersion:
    """Say what a draft is made of. A language that comes in begins with words of ours; of one that goes out, they go.

    Raises ChangedMeanwhile, NotYours.
    """
    draft = _locked(version, seen, written_by)
    for name in MADE_OF:
        setattr(draft, name, made_of[name])
    if not draft.languages:
        raise ValidationError({"languages": _("A form has at least one language.")})
    draft.words = {language: draft.words.get(language) or begun_in(language) for language in draft.languages}
    return keep_draft(draft)


@transaction.atomic
def write_draft(
    *, version: FormVersion, language: str, words: Mapping[str, str], seen: str, written_by: Staff
) -> FormVersion:
    """Write what a draft says in one language. Raises ChangedMeanwhile, NotYours."""
    draft = _locked(version, seen, written_by)
    if language not in draft.languages:
        raise ValidationError(_("The draft is not written in this language."))
    for name, longest in LONGEST.items():
        if len(words.get(name, "")) > longest:
            raise ValidationError({name: _("This is too long.")})
    said = {name: words.get(name, "").replace("\r\n", "\n").strip() for name in WRITTEN}
    draft.words = {**draft.words, language: said}
    return keep_draft(draft)


@transaction.atomic
def discard_draft(*, version: FormVersion, discarded_by: Staff) -> None:
    """Throw a draft away; with the first goes the form, of which nobody saw anything."""
    draft = _locked(version, seen_of(version), discarded_by)
    _record("discarded", draft, discarded_by)
    form = draft.form
    draft.delete()
    if not form.versions.exists():
        form.delete()


def _locked(version: FormVersion, seen: str, staff: Staff, word: str = EDIT) -> FormVersion:
    demand(staff, word, version.entity)
    return lock_draft(FormVersion.objects.select_related("form", "entity", "notice__notice"), version, seen)


# ---------------------------------------------------------------- publishing


@transaction.atomic
def publish(
    *, version: FormVersion, gateway: Gateway, ticks: Mapping[str, str], seen: str, published_by: Staff
) -> FormVersion:  # fmt: skip
    """Publish a draft: from now on it is what people are shown, and it never changes again.

    `ticks` are the keys of what only a human can judge, each with why it is in order. Its confirmations go out by this
    gateway and in the name of whoever publishes. Raises NotYours, ChangedMeanwhile, NotPublished.
    """
    draft = _locked(version, seen, published_by, PUBLISH)
    draft.ticked = settled(wrong_in(draft), ticks)
    if gateway.entity_id != draft.entity_id or gateway.ended_at or gateway.channel != "email":
        raise NotPublished({"gateway": _("This gateway is not in use here. Choose another.")})
    _check_sender(published_by, draft.form)
    draft.published_at, draft.published_by = timezone.now(), published_by
    draft.fingerprint = fingerprint_of(draft)
    draft.save()
    WebForm.objects.filter(pk=draft.form_id).update(gateway=gateway, sender=published_by, withdrawn_at=None)
    _record("published", draft, published_by, fingerprint=f"sha256:{draft.fingerprint.hex()}", ticked=len(draft.ticked))
    return draft


def _check_sender(staff: Staff, form: WebForm) -> None:
    if not may_send(staff, form.entity_id):
        raise NotPublished(_("None of your roles may write the confirmations: let somebody publish it who may."))


def fingerprint_of(version: FormVersion) -> bytes:
    """Return the fingerprint of what people are shown and say yes to."""
    made_of = {name: getattr(version, name) for name in MADE_OF if name != "notice"}
    return fingerprint({
        "entity": str(version.entity_id), "form": str(version.form_id), "name": version.form.name,
        "number": version.number, "words": version.words, "notice": str(version.notice_id), **made_of,
    })  # fmt: skip


@transaction.atomic
def withdraw_form(*, form: WebForm, withdrawn_by: Staff) -> WebForm:
    """Let a form take nothing any more, at once. What came in by it stands, and what waits can still be confirmed."""
    demand(withdrawn_by, PUBLISH, form.entity)
    locked = WebForm.objects.select_for_update(of=("self",)).get(pk=form.pk)
    if locked.withdrawn_at is None:
        locked.withdrawn_at = timezone.now()
        locked.save(update_fields=["withdrawn_at"])
        record(kind="outreach.form-withdrawn", staff=withdrawn_by.ref, body=_body(locked))
    return locked


@transaction.atomic
def open_again(*, form: WebForm, gateway: Gateway, opened_by: Staff) -> WebForm:
    """Let a form take answers again, or go on in another one's name: its confirmations go out in theirs from now on.

    Raises NotYours, NotPublished.
    """
    demand(opened_by, PUBLISH, form.entity)
    locked = WebForm.objects.select_for_update(of=("self",)).get(pk=form.pk)
    if gateway.entity_id != locked.entity_id or gateway.ended_at or gateway.channel != "email":
        raise NotPublished(_("This gateway is not in use here. Choose another."))
    _check_sender(opened_by, locked)
    locked.withdrawn_at, locked.gateway, locked.sender = None, gateway, opened_by
    locked.save(update_fields=["withdrawn_at", "gateway", "sender"])
    record(kind="outreach.form-opened", staff=opened_by.ref, body=_body(locked))
    return locked


def _body(form: WebForm) -> dict[str, Any]:
    return {"form": form.ref, "entity": form.entity_id}


def _record(verb: str, version: FormVersion, staff: Staff, **more: Any) -> None:  # noqa: ANN401 - words of a body
    body = {**_body(version.form), "version": version.ref, "number": version.number, **more}
    record(kind=f"outreach.form-{verb}", staff=staff.ref, body=body)
