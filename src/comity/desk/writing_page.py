"""Writing to one person: what the law says of each occasion, the mail as it arrives, a Send button that may say no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from comity.book.editing.views import back_to
from comity.book.editing.whole import Whole, look_at, person_of, whole_of
from comity.counsel.asking import ask
from comity.desk.may_we import Card, Way, why
from comity.law import Verdict
from comity.outreach.campaigns.queries import EXAMPLE_LINKS, imprint_of, text_of
from comity.outreach.campaigns.writing import cannot_meet, sender_of, wants_way_out
from comity.outreach.composing.content import Content, NotComposed, prepare
from comity.outreach.composing.letters import compose_email
from comity.outreach.composing.parties import Links, Recipient
from comity.outreach.composing.ways import to_see_to
from comity.outreach.correspondence import actions, queries
from comity.outreach.correspondence.forms import MailWritten
from comity.outreach.correspondence.models import Occasion
from comity.outreach.correspondence.occasions import purpose_of, question_of
from comity.outreach.correspondence.starting import starts_for
from comity.outreach.correspondence.writing import mail_label
from comity.staff.guards import StaffRequest, demand, staff_page

if TYPE_CHECKING:
    from comity.book.opening import Look
    from comity.counsel.asking import Answer
    from comity.counsel.questions import Question
    from comity.outreach.correspondence.models import Mail

NOBODY: Final = "mira@example.com"
"""Whom the preview is to where the viewer may not see the address."""


@dataclass(frozen=True, kw_only=True)
class Occasional(Way):
    """A use of its own for each occasion on which somebody writes."""

    def question(self, entity: UUID) -> Question:
        """Return the question to the law that writing on this occasion is."""
        return question_of(self.id, entity)


WRITING: Final = tuple(
    Occasional(id=one.value, what=gettext_lazy("Write"), icon="mail", purpose=purpose_of(one), channel="email")
    for one in Occasion
)


@dataclass(frozen=True, kw_only=True)
class Offered:
    """One occasion, with what the law says of it."""

    occasion: Occasion
    card: Card
    of_role: bool

    @property
    def open(self) -> bool:
        """Whether law and role let it be written."""
        return self.of_role and self.card.verdict is Verdict.PERMIT


def offered(look: Look, person: UUID) -> list[Offered]:
    """Return every occasion; nothing is recorded, for nothing is done yet."""
    today, found = timezone.localdate(), []
    for way in WRITING:
        answer: Answer = ask(question=way.question(look.entity.ref), persons=[person], day=today)[person]
        card = Card(way=way, answer=answer, href="", fragment="", chosen=False)
        found.append(Offered(occasion=Occasion(way.id), card=card, of_role=actions.may_write(look, way.id)))
    return found


@staff_page(may=actions.WORD)
def write(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Write to one person: choose why, see what the law says of that, read it as it would arrive, send it."""
    look = look_at(request, ref)
    demand(look.viewer, actions.WORD, look.entity)
    again = _again(request, look, ref)
    whole = whole_of(look, person_of(look, ref), [mail_label(again)] if again else [])
    offers = offered(look, ref)
    form = MailWritten(request.POST or None, entity=look.entity, initial=_initial(request, whole, offers, again))
    one = _chosen(form, offers)
    if request.POST.get("do") == "send" and form.is_valid() and _sent(request, look, ref, form):
        return redirect(f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}#timeline")
    told = {
        "whole": whole, "form": form, "offers": offers, "one": one, "query": whole.query, "ref": ref,
        "not_ready": actions.not_ready(look), "starts": starts_for(look.viewer, look.entity),
        "why": _why(one, look, ref), "has_point": any(each.row.reach == "email" for each in whole.points),
        **_preview(look, whole, form, one),
    }  # fmt: skip
    return render(request, "desk/write.html", told)


def _chosen(form: MailWritten, offers: list[Offered]) -> Offered:
    chosen = str(form["occasion"].value() or "")
    return next((each for each in offers if each.occasion.value == chosen), offers[0])


def _why(one: Offered, look: Look, ref: UUID) -> dict[str, Any]:
    """Return the "Why?" panel of the chosen occasion, in which what would help leads there."""
    panel = why(one.card, look, ref, timezone.localdate())
    title = {"permit": _("The law permits it"), "deny": _("The law says no"), "ask": _("The law leaves it open")}
    panel["title"] = f"{one.occasion.label}: {title[one.card.verdict.value]}"
    return panel


def _again(request: StaffRequest, look: Look, ref: UUID) -> Mail | None:
    """Return a mail of one's own whose words are to be taken up again, as `?again=` says."""
    try:
        wanted = UUID(request.GET.get("again", ""))
    except ValueError:
        return None
    return queries.own_mail(look.viewer, look.entity, ref, wanted)


def _initial(request: StaffRequest, whole: Whole, offers: list[Offered], again: Mail | None) -> dict[str, object]:
    """Return what stands in the form already: the first lawful occasion, their language, and what a link brought."""
    asked = request.GET.get("for", "")
    lawful = next((each.occasion.value for each in offers if each.open), offers[0].occasion.value)
    signs = imprint_of(whole.look.entity)
    told: dict[str, object] = {
        "occasion": asked if asked in Occasion.values else lawful,
        "language": whole.person.language or (signs.language if signs else ""),
        "answers": request.GET.get("answers", "")[:400],
    }
    if again is not None:
        fields = whole.seen.opened.get(mail_label(again), {})
        told |= {name: str(fields.get(name, "")) for name in ("subject", "body", "answers")}
        told |= {"occasion": again.occasion, "language": again.language}
    start = next(
        (one for one in starts_for(whole.look.viewer, whole.look.entity) if one.id == request.GET.get("start")), None
    )
    return told | ({"subject": start.subject, "body": start.body, "language": start.language} if start else {})


def _sent(request: StaffRequest, look: Look, ref: UUID, form: MailWritten) -> bool:
    """Send it, or say in the form why not."""
    told = form.cleaned_data
    try:
        actions.write_mail(look=look, person=ref, **told)
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("It goes out in ten seconds. Until then you can take it back, below."))
    return True


# ---------------------------------------------------------------- as it would arrive


def _preview(look: Look, whole: Whole, form: MailWritten, one: Offered) -> dict[str, Any]:
    """Return the mail as it would arrive, and what the law says of its words; nothing before there are any."""
    if not form.is_bound or not form.is_valid() or imprint_of(look.entity) is None:
        return {}
    try:
        looked = queries.lint_of(
            content=form.content, occasion=one.occasion, home=whole.person.home, answer=one.card.answer,
            sender=sender_of(look.entity),
        )  # fmt: skip
        return {"shown": _as_it_arrives(look, whole, form.content, one), "lint": looked}
    except NotComposed as error:
        return {"not_made": str(error)}


def _as_it_arrives(look: Look, whole: Whole, content: Content, one: Offered) -> str:
    obligations = one.card.answer.decision.finding.obligations
    lacking = next((each.says for each in obligations if cannot_meet(each)), "")
    if lacking:
        raise NotComposed(_("Their law wants something that is not known yet: %(what)s") % {"what": lacking})
    fields = whole.fields or {}
    names = {each: str(fields.get(each, "")) for each in ("given", "family")}
    address = next((each.value for each in whole.points if each.row.reach == "email" and each.value), NOBODY)
    reader = Recipient(
        address=address, language=content.language, place=whole.person.home.partition("|")[0],
        values=names | {"name": " ".join(filter(None, names.values()))},
    )  # fmt: skip
    made = compose_email(
        content=prepare(content), recipient=reader, sender=sender_of(look.entity), obligations=obligations,
        links=EXAMPLE_LINKS if wants_way_out(obligations) else Links(), ref=UUID(int=0), at=timezone.now(),
        sort="personal", seen_to=[each.kind for each in to_see_to(obligations)],
    )  # fmt: skip
    return text_of(made.as_bytes())


# ---------------------------------------------------------------- a second thought


@staff_page(may=actions.WORD)
@require_POST
def take_back(request: StaffRequest, ref: UUID, mail: UUID) -> HttpResponse:
    """Stop a mail that has not gone out, and go back to its words."""
    look = look_at(request, ref)
    person_of(look, ref)
    own = queries.own_mail(look.viewer, look.entity, ref, mail)
    try:
        actions.take_back(mail=own, by=look.viewer)
    except ValidationError as error:
        messages.warning(request, " ".join(error.messages))
        return redirect(f"{reverse('desk:person', args=[ref])}?{back_to(request, look)}#timeline")
    messages.success(request, _("Taken back: nothing was sent."))
    query = urlencode({"entity": str(look.entity.ref), "purpose": look.purpose, "again": str(mail)})
    return redirect(f"{reverse('desk:write', args=[ref])}?{query}")
