"""Editing one person in place: a form for each block of the page, and the block as it is shown again.

With htmx a form takes the place of its block, and the block that of the form. Without a script the same addresses are
pages, and lead back to the person.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh, reswap, retarget, trigger_client_event

from comity.book.editing import actions
from comity.book.editing.forms import (
    ActivityKept,
    FactsKept,
    Kept,
    NameKept,
    PointKept,
    PostKept,
    RelationKept,
    TagPut,
    chosen,
    languages,
)
from comity.book.editing.leave import Leave, ask_leave, may_edit, permits, would_answer
from comity.book.editing.whole import Whole, class_of, look_at, person_of, version_of, whole_of
from comity.book.models import Activity, ContactPoint, Doing, Reach
from comity.book.queries import organisations_seen_by, own_activity, point_of, tags_seen_by
from comity.counsel.reading import why
from comity.law import Verdict
from comity.staff.guards import NotYours, StaffRequest, staff_page
from comity.vault.sealing import FieldClass

if TYPE_CHECKING:
    from django.forms import BoundField

    from comity.book.opening import Look
    from comity.counsel.asking import Answer

BLOCKS: Final = ("name", "facts", "relation", "points", "posts", "tags", "composer")
OFFERED: Final = 20
"""Organisations and tags that are offered while somebody types."""

Said = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Editing:
    """One form over a person: what stood there, what it needs leave for, and what is done with what was typed."""

    block: str  # shown again when it is done
    title: str
    name: str  # of the form, for the ids of its fields
    make: Callable[[Said | None, Said], Kept]
    initial: Said
    keep: Callable[[Leave, Said], object]
    field_class: FieldClass = FieldClass.NAME
    facts: bool = False  # plain facts, which may be filled in while the law asks
    sealed: bool = False  # what stood there could not be opened
    within: str = ""  # the element that the form takes the place of, if it is not the block
    extra: Said = field(default_factory=dict)

    @property
    def needs(self) -> str:
        """The element whose contents the form stands in for."""
        return self.within or f"block-{self.block}"


def _edited(request: StaffRequest, ref: UUID, of: Callable[[Whole], Editing]) -> HttpResponse:
    """Show a form, or keep what was typed into it: unless role or law refuse, or somebody else was quicker."""
    look = look_at(request, ref)
    whole = whole_of(look, person_of(look, ref, locked=request.method == "POST"))
    editing = of(whole)
    if not may_edit(look, editing.field_class):
        raise NotYours("person.edit")
    if request.method != "POST":
        return _opened(request, whole, editing)
    form = editing.make(request.POST, editing.initial)
    version = version_of(ref, editing.initial)
    if request.POST.get("version") != version:
        return _shown(request, whole, editing, form, version=version, theirs=_differing(form))
    if not form.is_valid():
        return _shown(request, whole, editing, form, version=version)
    leave = ask_leave(look, ref, editing.field_class)
    if editing.sealed or not leave.covers(facts=editing.facts):
        return _refused(request, whole, editing.block, leave.answer)
    editing.keep(leave, form.cleaned_data)
    return kept(request, look, ref, editing.block, before=whole)


def _opened(request: StaffRequest, whole: Whole, editing: Editing) -> HttpResponse:
    answer = would_answer(whole.look, whole.person.ref)
    if editing.sealed or not permits(answer, facts=editing.facts):
        return _refused(request, whole, editing.block, answer)
    form = editing.make(None, editing.initial)
    return _shown(request, whole, editing, form, version=version_of(whole.person.ref, editing.initial))


def _shown(
    request: StaffRequest, whole: Whole, editing: Editing, form: Kept, *, version: str, theirs: list[Said] | None = None
) -> HttpResponse:
    told = {
        "whole": whole, "editing": editing, "form": form, "version": version, "theirs": theirs,
        "query": whole.query, "action": request.get_full_path(), **editing.extra,
    }  # fmt: skip
    return render(request, "book/editing/form.html" if request.htmx else "book/editing/page.html", told)


def _differing(form: Kept) -> list[Said]:
    """Return what stands there now where it is not what was typed: whoever was slower reads it beside their own."""
    form.is_valid()  # so that what was typed is shown with what is wrong with it
    return [
        {"label": bound.label, "says": _in_words(bound.field, bound.initial)}
        for bound in form.visible_fields()
        if str(form.data.get(bound.html_name, "")).strip() != _as_typed(bound)
    ]


def _as_typed(bound: BoundField) -> str:
    """Return what a browser would send had nobody touched the field."""
    if isinstance(bound.initial, bool):
        return "on" if bound.initial else ""
    shown = bound.field.widget.format_value(bound.initial)
    return str((shown[0] if isinstance(shown, list) and shown else shown) or "")


def _in_words(form_field: Any, value: object) -> str:  # noqa: ANN401 - forms.Field is generic in the widget
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    names = {str(code): str(name) for code, name in getattr(form_field, "choices", [])}
    return names.get(str(value), "" if value is None else str(value))


def _refused(request: StaffRequest, whole: Whole, block: str, answer: Answer) -> HttpResponse:
    """Say why this may not be changed. What was asked when a form was sent is on record."""
    told = {
        "whole": whole, "which": block, "query": whole.query, "panel": why(answer, title=_("May we change this?")),
        "sealed": answer.verdict is Verdict.PERMIT,
    }  # fmt: skip
    return render(request, "book/editing/refused.html" if request.htmx else "book/editing/refused_page.html", told)


def kept(request: StaffRequest, look: Look, ref: UUID, block: str, *, before: Whole | None = None) -> HttpResponse:
    """Answer that it is done: with the block as it is now, or, without a script, with the person's page.

    If the change lets more be opened than `before`, or less, all of the page is another.
    """
    if not request.htmx:
        messages.success(request, _("Saved."))
        return redirect(f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}")
    whole = whole_of(look, person_of(look, ref))
    if before and before.view is not whole.view:
        return HttpResponseClientRefresh()
    answer = _block(request, whole, block)
    answer = retarget(reswap(answer, "outerHTML"), f"#block-{block}")
    return _told(answer, block)


def _told(answer: HttpResponse, block: str) -> HttpResponse:
    """Let the rest of the page know: verdicts follow from facts, and the timeline from what happened."""
    trigger_client_event(answer, "toast", {"text": _("Saved."), "level": "success"})
    changed = "timeline-changed" if block == "composer" else "person-changed"
    return trigger_client_event(answer, changed, {})


def back_to(request: StaffRequest, look: Look) -> str:
    """Return the query of the page to which a form leads back, with what its cards said before."""
    carried = {"was": request.GET["was"]} if request.GET.get("was") else {}
    return urlencode({"entity": str(look.entity.ref), "purpose": look.purpose, **carried})


def _block(request: StaffRequest, whole: Whole, block: str) -> HttpResponse:
    return render(request, "book/editing/swapped.html", {"whole": whole, "which": block, "query": whole.query})


@staff_page(may="person.view")
@require_GET
def shown(request: StaffRequest, ref: UUID, block: str) -> HttpResponse:
    """Show one block as it is: what a form leaves behind that was given up."""
    if block not in BLOCKS:
        raise Http404(_("A person's page has no such block."))
    look = look_at(request, ref)
    return _block(request, whole_of(look, person_of(look, ref)), block)


# ---------------------------------------------------------------- the person


@staff_page(may="person.edit")
def name(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what somebody is called."""
    return _edited(request, ref, _name)


def _name(whole: Whole) -> Editing:
    fields = whole.fields or {}
    return Editing(
        block="name", title=_("Name"), name="name", sealed=whole.fields is None,
        make=lambda data, initial: NameKept(data, initial=initial, name="name"),
        initial={part: str(fields.get(part, "")) for part in ("given", "family", "full", "post")},
        keep=lambda leave, said: actions.change_name(
            leave=leave, name={**fields, **{part: said[part] for part in ("given", "family", "full", "post")}}
        ),
    )  # fmt: skip


@staff_page(may="person.edit")
def facts(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what the law must know about somebody."""
    return _edited(request, ref, _facts)


def _facts(whole: Whole) -> Editing:
    person = whole.person
    initial: dict[str, Any] = {fact: getattr(person, fact) for fact in actions.FACTS}
    homes = [code for code in person.home.split("|") if code]
    return Editing(
        block="facts", title=_("What the law asks"), name="facts", facts=True, extra={"languages": languages()},
        make=lambda data, initial: FactsKept(data, initial=initial, name="facts"),
        initial={**initial, "homes": homes},
        keep=lambda leave, said: actions.change_facts(
            leave=leave, facts={fact: said[fact] for fact in actions.FACTS}
        ),
    )  # fmt: skip


@staff_page(may="person.edit")
def relation(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change what there is between somebody and us."""
    return _edited(request, ref, _relation)


def _relation(whole: Whole) -> Editing:
    held = {fact: getattr(whole.relation, fact) for fact in actions.RELATION} if whole.relation else {}
    return Editing(
        block="relation", title=_("Between them and us"), name="relation", facts=True, initial=held,
        make=lambda data, initial: RelationKept(data, initial=initial, name="relation"),
        keep=lambda leave, said: actions.change_relation(
            leave=leave, facts={fact: said[fact] for fact in actions.RELATION}
        ),
    )  # fmt: skip


# ---------------------------------------------------------------- contact points


@staff_page(may="person.edit")
def new_point(request: StaffRequest, ref: UUID, reach: str) -> HttpResponse:
    """Add a way to reach somebody."""
    if reach not in Reach.values:
        raise Http404(_("There is no such kind of contact point."))
    return _edited(request, ref, lambda whole: _new_point(whole, Reach(reach)))


def _new_point(whole: Whole, reach: Reach) -> Editing:
    del whole
    return Editing(
        block="points", title=str(reach.label), name=f"new-{reach}", within="new-point", field_class=class_of(reach),
        make=lambda data, initial: PointKept(data, initial=initial, name=f"new-{reach}", reach=reach), initial={},
        keep=lambda leave, said: actions.add_point(
            leave=leave, reach=reach, value=said["value"], facts=_point_facts(said, None)
        ),
    )  # fmt: skip


@staff_page(may="person.edit")
def point(request: StaffRequest, ref: UUID, point: UUID) -> HttpResponse:
    """Change a way to reach somebody."""
    return _edited(request, ref, lambda whole: _point(whole, point))


def _point(whole: Whole, ref: UUID) -> Editing:
    seen = whole.point(ref)
    row, reach = seen.row, Reach(seen.row.reach)
    initial = {
        "value": seen.value, "mobile": "" if row.mobile is None else str(row.mobile).lower(),
        "impersonal": row.impersonal, "verified": row.verified_at is not None,
    }  # fmt: skip
    return Editing(
        block="points", title=str(reach.label), name=f"point-{ref}", within=f"point-{ref}", field_class=class_of(reach),
        sealed=seen.value is None, initial=initial,
        extra={"remove": reverse("book:remove-point", args=[row.person_id, ref])},
        make=lambda data, initial: PointKept(data, initial=initial, name=f"point-{ref}", reach=reach),
        keep=lambda leave, said: actions.change_point(
            leave=leave, point=row, value=None if said["value"] == seen.value else said["value"],
            facts=_point_facts(said, row),
        ),
    )  # fmt: skip


def _point_facts(said: Said, row: ContactPoint | None) -> dict[str, object]:
    before = row.verified_at if row else None
    told: dict[str, object] = {"verified_at": (before or timezone.now()) if said["verified"] else None}
    if "impersonal" in said:
        told["impersonal"] = said["impersonal"]
    if "mobile" in said:
        told["mobile"] = chosen(said["mobile"])
    return told


def _point_done(request: StaffRequest, ref: UUID, point: UUID, act: Callable[..., object]) -> HttpResponse:
    look = look_at(request, ref)
    row = point_of(person_of(look, ref, locked=True), point)
    if row is None:
        raise Http404(_("That is not here any more. Somebody else may have removed it."))
    return _done(
        request, look, ref, lambda leave: act(leave=leave, point=row), block="points", field_class=class_of(row.reach)
    )


@staff_page(may="person.edit")
@require_POST
def put_first(request: StaffRequest, ref: UUID, point: UUID) -> HttpResponse:
    """Let a contact point be the one to use."""
    return _point_done(request, ref, point, actions.put_first)


@staff_page(may="person.edit")
@require_POST
def remove_point(request: StaffRequest, ref: UUID, point: UUID) -> HttpResponse:
    """Take a contact point away."""
    return _point_done(request, ref, point, actions.remove_point)


def _done(
    request: StaffRequest, look: Look, ref: UUID, act: Callable[[Leave], object], *, block: str,
    field_class: FieldClass = FieldClass.NAME,
) -> HttpResponse:  # fmt: skip
    """Do what a button says, if role and law give leave."""
    if not may_edit(look, field_class):
        raise NotYours("person.edit")
    leave = ask_leave(look, ref, field_class)
    if not leave.covers(facts=False):
        return _refused(request, whole_of(look, person_of(look, ref)), block, leave.answer)
    act(leave)
    return kept(request, look, ref, block)


# ---------------------------------------------------------------- posts and tags


@staff_page(may="person.edit")
def new_post(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Put somebody into an organisation."""
    return _edited(request, ref, lambda whole: _post(whole, None))


@staff_page(may="person.edit")
def post(request: StaffRequest, ref: UUID, post: UUID) -> HttpResponse:
    """Change where, or how long, somebody works."""
    return _edited(request, ref, lambda whole: _post(whole, post))


def _post(whole: Whole, ref: UUID | None) -> Editing:
    row = whole.post(ref) if ref else None
    name = f"post-{ref}" if ref else "new-post"
    initial = {"organisation": row.organisation.name, "begins_on": row.begins_on, "ends_on": row.ends_on} if row else {}

    extra: dict[str, object] = {"organisations": True}
    if row:
        extra["remove"] = reverse("book:remove-post", args=[whole.person.ref, ref])

    def keep(leave: Leave, said: Said) -> None:
        told = {part: said[part] for part in ("organisation", "begins_on", "ends_on")}
        if row:
            actions.change_post(leave=leave, post=row, **told)
        else:
            actions.take_up_post(leave=leave, **told)

    return Editing(
        block="posts", title=_("Organisation"), name=name, within=name, initial=initial, keep=keep,
        make=lambda data, initial: PostKept(data, initial=initial, name=name), extra=extra,
    )  # fmt: skip


@staff_page(may="person.edit")
@require_POST
def remove_post(request: StaffRequest, ref: UUID, post: UUID) -> HttpResponse:
    """Take away a post that never was."""
    look = look_at(request, ref)
    row = person_of(look, ref, locked=True).posts.filter(ref=post).first()
    if row is None:
        raise Http404(_("That is not here any more. Somebody else may have removed it."))
    return _done(request, look, ref, lambda leave: actions.remove_post(leave=leave, post=row), block="posts")


@staff_page(may="person.edit")
@require_GET
def organisations(request: StaffRequest) -> HttpResponse:
    """Offer organisations whose name begins with what somebody types."""
    typed = request.GET.get("organisation", "").replace("\0", "").strip()[:300]
    found = organisations_seen_by(request.staff).filter(name__istartswith=typed)[:OFFERED] if typed else []
    return render(request, "book/editing/options.html", {"options": found})


@staff_page(may="person.edit")
def tag(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Put a tag on somebody."""
    return _edited(request, ref, _tag)


def _tag(whole: Whole) -> Editing:
    return Editing(
        block="tags", title=_("Tag"), name="tag", within="new-tag", initial={},
        make=lambda data, initial: TagPut(data, initial=initial, name="tag"),
        extra={"tags": tags_seen_by(whole.look.viewer, whole.look.entity)[:200]},
        keep=lambda leave, said: actions.put_tag(leave=leave, name=said["tag"]),
    )  # fmt: skip


@staff_page(may="person.edit")
@require_POST
def take_tag_off(request: StaffRequest, ref: UUID, tag: UUID) -> HttpResponse:
    """Take a tag off somebody."""
    look = look_at(request, ref)
    person_of(look, ref, locked=True)
    return _done(request, look, ref, lambda leave: actions.take_tag_off(leave=leave, tag=tag), block="tags")


# ---------------------------------------------------------------- activities


@staff_page(may="person.edit")
def log(request: StaffRequest, ref: UUID, doing: str) -> HttpResponse:
    """Put on record what happened between somebody and us."""
    if doing not in Doing.values:
        raise Http404(_("There is no such kind of activity."))
    now = timezone.localtime().replace(second=0, microsecond=0, tzinfo=None)

    def of(whole: Whole) -> Editing:
        del whole
        return Editing(
            block="composer", title=str(Doing(doing).label), name="log", within="composer", initial={},
            make=lambda data, _initial: ActivityKept(data, initial={"doing": doing, "at": now}, name="log"),
            field_class=FieldClass.NOTE, keep=lambda leave, said: actions.log_activity(leave=leave, **_happened(said)),
        )  # fmt: skip

    return _edited(request, ref, of)


def _happened(said: Said) -> dict[str, Any]:
    return {"doing": Doing(said["doing"]), "at": said["at"], "minutes": said["minutes"], "text": said["text"]}


def _own(look: Look, ref: UUID, activity: UUID) -> Activity:
    """Return what the viewer has put on record. Raises Http404."""
    person = person_of(look, ref)
    own = own_activity(look.viewer, look.entity, person, activity)
    if own is None:
        raise Http404(_("There is no such activity of yours. Whoever put it on record can change it."))
    return own


@staff_page(may="person.edit")
def activity(request: StaffRequest, ref: UUID, activity: UUID) -> HttpResponse:
    """Change what one has put on record oneself."""
    look = look_at(request, ref)
    row = _own(look, ref, activity)
    label = actions.activity_label(row)
    text = whole_of(look, person_of(look, ref), [label]).seen.opened.get(label)
    at = timezone.localtime(row.at).replace(tzinfo=None)
    initial = {
        "doing": row.doing, "at": at, "minutes": row.minutes, "text": str(text["text"]) if text else "",
    }  # fmt: skip
    name = f"activity-{activity}"
    editing = Editing(
        block="composer", title=str(Doing(row.doing).label), name=name, within=name, initial=initial,
        sealed=text is None, field_class=FieldClass.NOTE,
        extra={"remove": reverse("book:delete-activity", args=[ref, activity])},
        make=lambda data, initial: ActivityKept(data, initial=initial, name=name),
        keep=lambda leave, said: actions.change_activity(leave=leave, activity=row, **_happened(said)),
    )  # fmt: skip
    return _edited(request, ref, lambda _whole: editing)


@staff_page(may="person.edit")
@require_POST
def delete_activity(request: StaffRequest, ref: UUID, activity: UUID) -> HttpResponse:
    """Take away what one has put on record oneself."""
    look = look_at(request, ref)
    person_of(look, ref, locked=True)
    row = _own(look, ref, activity)
    return _done(
        request, look, ref, lambda leave: actions.delete_activity(leave=leave, activity=row), block="composer",
        field_class=FieldClass.NOTE,
    )  # fmt: skip
