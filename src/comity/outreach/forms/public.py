"""Forms as everybody meets them: pages without sign-in, cookie or script, in frames of sites that may; the second step.

INVARIANT: GET and HEAD change nothing, whatever a scanner follows; only the button of the page does. The answer to a
filled-in form is the same whether the address is known to us or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from comity.consent.preferences.links import May
from comity.consent.preferences.public import CLOSED, LANGUAGE
from comity.consent.preferences.views import Visit, by_link
from comity.consent.records.gpc import has_signal
from comity.outreach.forms import queries
from comity.outreach.forms.coming_in import Busy, is_open, submit
from comity.outreach.forms.confirming import Became, Confirmed, boxes_ticked, confirm, waits
from comity.outreach.forms.pages_sent import NotOurs, Sent, read_word, word_for
from comity.outreach.forms.showing import form_page, language_of, notice_address, other_languages, page, said_by
from comity.outreach.forms.visiting import Filled, kept_of
from comity.staff.guards import open_page
from comity.staff.walls import behind_wall

if TYPE_CHECKING:
    from comity.outreach.forms.models import FormVersion, Submission

FOR_ALL: Final = "a form is for whoever wants to fill it in"
SAYS: Final = "outreach/forms/says.html"
CONFIRMING: Final = "outreach/forms/confirming.html"
WORD: Final = "page"
"""The field that holds the signed word of a page."""
LONGEST_NAME: Final = 100


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@open_page(because=FOR_ALL)
def fill_in(request: HttpRequest, ref: UUID) -> HttpResponse:
    """Show a form, and take it in.

    Without the word of a page of ours (as from plain HTML on another site) what was typed stands in the form that is
    shown, and nothing is ticked: what one says yes to is read here, or we could not say what it was.
    """
    with behind_wall(staff=None, entities=queries.walls_of_forms()):
        version = queries.public_form(ref)
        if version is None:
            raise Http404(_("There is no such form here. Look whether the address is whole."))
        language = language_of(version, _wanted(request))
        if not is_open(version.form):
            return _says(version, language, "closed", code=503)
        if request.method == "POST":
            return _came(request, version, language)
        return _shown(version, language, Filled(None, version=version, language=language, day=timezone.localdate()))


def _wanted(request: HttpRequest) -> list[str]:
    """Return the languages that somebody wants, the one in the address or the form first."""
    said = request.POST.get(LANGUAGE, "") or request.GET.get(LANGUAGE, "")
    asked = [tag for tag, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", ""))]
    return [said, *asked] if said else asked


def _came(request: HttpRequest, version: FormVersion, language: str) -> HttpResponse:
    now = timezone.now()
    try:
        sent = read_word(request.POST.get(WORD, ""))
    except NotOurs:
        return _anew(request, version, language, "here", ticks=False)
    if sent.version != version.ref or sent.language != language:
        return _anew(request, version, language, "changed", ticks=False)
    if sent.too_late(now):
        return _anew(request, version, language, "again", ticks=True)
    form = Filled(request.POST, version=version, language=language, day=timezone.localdate())
    if form.trapped:
        return _says(version, language, "thanks")  # whoever fills in what nobody sees learns nothing by it
    if not form.is_valid():
        return _wrong(request, version, language, form)
    if sent.too_soon(now):
        return _anew(request, version, language, "fast", ticks=True, word=request.POST[WORD])
    return _taken(request, version, sent, form)


def _taken(request: HttpRequest, version: FormVersion, sent: Sent, form: Filled) -> HttpResponse:
    framed = request.headers.get("Sec-Fetch-Dest", "") == "iframe"
    try:
        submit(version=version, sent=sent, told=form.told, at=timezone.now(), signal=has_signal(request), framed=framed)
    except Busy:
        return _says(version, sent.language, "busy", code=429)
    return _says(version, sent.language, "written" if form.told.guardian else "thanks")


def _wrong(request: HttpRequest, version: FormVersion, language: str, form: Filled) -> HttpResponse:
    if form.too_young:
        return _says(version, language, "too_young")
    return _shown(version, language, form, word=request.POST[WORD], code=422)


def _anew(
    request: HttpRequest, version: FormVersion, language: str, note: str, *, ticks: bool, word: str = ""
) -> HttpResponse:
    """Show the form again with what was written in it, and why it has to be sent once more."""
    kept = kept_of(request.POST, ticks=ticks)
    form = Filled(None, version=version, language=language, day=timezone.localdate(), initial=kept)
    return _shown(version, language, form, note=note, word=word)


def _shown(
    version: FormVersion, language: str, form: Filled, *, note: str = "", word: str = "", code: int = 200
) -> HttpResponse:
    address = reverse("outreach:form-public", args=[version.form_id])
    word = word or word_for(version=version.ref, language=language, at=timezone.now())
    told: dict[str, Any] = {
        "here": address, "word": word, "note": said_by(version, language).get(note, ""),
        "others": other_languages(version, language, address),
    }  # fmt: skip
    return _answer(version, language, form_page(version, language, form, **told), code=code)


def _says(version: FormVersion, language: str, what: str, *, code: int = 200) -> HttpResponse:
    """Show a page that says one thing: thanks, closed, busy, too young."""
    says = said_by(version, language)
    told = {
        "heading": says[what] if f"{what}_text" in says else version.words[language]["title"],
        "text": says.get(f"{what}_text", says[what]), "well": what in {"thanks", "written"},
    }  # fmt: skip
    return _answer(version, language, page(SAYS, version, language, told), code=code)


def _answer(version: FormVersion, language: str, html: str, *, code: int = 200) -> HttpResponse:
    """Return a page that sites may show in a frame which the form names, and no other."""
    answer = HttpResponse(html, status=code)
    answer.headers["Content-Language"] = language
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    if version.frames:
        answer.xframe_options_exempt = True  # the policy below says it
        answer._csp_replace = {"frame-ancestors": list(version.frames)}  # type: ignore[attr-defined]  # noqa: SLF001 - as django-csp's decorator
    return answer


# ---------------------------------------------------------------- the second step


@by_link(May.CONFIRM)
def second_step(visit: Visit) -> HttpResponse:
    """Show what was ticked, word for word, and let it count when the button is pressed."""
    submission = waits(visit.link.person)
    if submission is None:
        return _gone(visit)
    if visit.request.method != "POST":
        return _asked(visit, submission)
    guardian = None
    if submission.guardian:
        guardian = _named(visit.request)
        if guardian is None:
            return _asked(visit, submission, wrong=True)
    done = confirm(ref=submission.ref, at=timezone.now(), signal=has_signal(visit.request), guardian=guardian)
    return _gone(visit) if done.became is Became.GONE else _told(visit, submission, done)


def _named(request: HttpRequest) -> tuple[str, str] | None:
    """Return the name that a guardian gives; nothing where they do not say that they are one."""
    given, family = (" ".join(request.POST.get(name, "").split())[:LONGEST_NAME] for name in ("given", "family"))
    if request.POST.get("declare") != "yes" or not (given and family) or not f"{given}{family}".isprintable():
        return None
    return given, family


def _asked(visit: Visit, submission: Submission, *, wrong: bool = False) -> HttpResponse:
    if submission.confirmed_at:
        return _told(visit, submission, Confirmed(became=Became.ALREADY, boxes=boxes_ticked(submission)))
    told = {
        "boxes": boxes_ticked(submission), "child": submission.guardian, "wrong": wrong, "here": visit.request.path,
        "given": visit.request.POST.get("given", ""), "family": visit.request.POST.get("family", ""),
    }  # fmt: skip
    return _step(submission, told, code=422 if wrong else 200)


def _told(_visit: Visit, submission: Submission, done: Confirmed) -> HttpResponse:
    told = {"became": done.became.value, "boxes": done.boxes, "child": submission.guardian}
    return _step(submission, told)


def _step(submission: Submission, told: dict[str, Any], *, code: int = 200) -> HttpResponse:
    version, language = submission.version, submission.language
    more = {"version": version, "notice": notice_address(version, language)}
    answer = HttpResponse(page(CONFIRMING, version, language, {**told, **more}), status=code)
    return _closed(answer, language)


def _gone(visit: Visit) -> HttpResponse:
    """Answer a link of which nothing waits any more: erased, or never of a form."""
    from comity.consent.preferences.public import public_page

    return public_page(visit.request, "outreach/forms/gone.html", {"entity": visit.entity}, code=410)


def _closed(answer: HttpResponse, language: str) -> HttpResponse:
    for name, value in {**CLOSED, "Content-Language": language}.items():
        answer.headers[name] = value
    answer._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django's own mark: no link in a log
    return answer
