"""The pages of people themselves: signing in by a code, what they see, what they ask, what they stop.

INVARIANT: GET and HEAD change nothing but the note that a visit is in use, and a no that the browser itself says
(Global Privacy Control). No page tells whether an address is known to whoever has not its mailbox.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone, translation

from comity.consent.preferences.links import May, make_link
from comity.consent.preferences.public import language_query
from comity.consent.records.gpc import has_signal, honour_signal
from comity.rights.packages.shelves import Part
from comity.rights.portal.asking import WISHES, TooManyAsked, ask_us, refuse_too_many
from comity.rights.portal.codes import BadPass, Lets, Pass, client_mark
from comity.rights.portal.forms import Address, Stopping, Typed, Wished
from comity.rights.portal.full import GIVEN_AWAY, IN_FULL, kept_of
from comity.rights.portal.seeing import asked_by, decisions_about, looks_at, own_of
from comity.rights.portal.signing_in import Came, TooMany, ask_code, end_visit, hindrances, try_code
from comity.rights.portal.stopping import CHOICES, take_stop
from comity.rights.portal.stopping import stop as stop_now
from comity.rights.portal.visiting import Caller, carried, closed, give, in_visit, leave, open_to_all
from comity.staff.signing_in import address_of

# ---------------------------------------------------------------- signing in


@open_to_all
def door(caller: Caller) -> HttpResponse:
    """Ask for an address, and let a code go there; in a visit, show what we hold."""
    if caller.visit is not None:
        return _home(caller) if caller.request.method != "POST" else caller.go("door")
    if hindrances(entity=caller.entity, portal=caller.portal):
        return caller.page("closed", {}, code=503)
    form = Address(caller.request.POST if caller.request.method == "POST" else None)
    if caller.request.method != "POST" or not form.is_valid():
        over = caller.request.method != "POST" and caller.request.GET.get("over") == "1"
        return caller.page("door", {"form": form, "over": over}, code=422 if form.errors else 200)
    return _code_asked(caller, form)


def _code_asked(caller: Caller, form: Address) -> HttpResponse:
    """Let a message go out, and lead on. It is the same for every address."""
    portal = caller.portal
    if portal is None:
        return caller.page("closed", {}, code=503)
    address = form.cleaned_data["address"]
    try:
        code = ask_code(
            portal=portal, address=address, mark=form.mark, client=_client(caller.request),
            language=translation.get_language() or "en", at=timezone.now(),
        )  # fmt: skip
    except TooMany:
        return caller.page("too_many", {}, code=429)
    known = Pass(lets=Lets.TRY, ref=code.ref, entity=caller.entity.ref, address=address)
    return give(caller.go("code"), known)


def _client(request: HttpRequest) -> bytes:
    return client_mark(address_of(request))


@open_to_all
def code(caller: Caller) -> HttpResponse:
    """Take the code that was sent, from the browser that asked for it."""
    try:
        known = carried(caller.request, Lets.TRY, caller.entity)
    except BadPass:
        return caller.go("door")
    form = Typed(caller.request.POST if caller.request.method == "POST" else None)
    if caller.request.method != "POST" or not form.is_valid():
        return caller.page("code", {"form": form, "typed": known.address}, code=422 if form.errors else 200)
    tried = try_code(
        ref=known.ref, entity=caller.entity, typed=form.cleaned_data["code"], at=timezone.now(),
        signal=has_signal(caller.request),
    )  # fmt: skip
    if tried.visit is not None:
        visiting = Pass(lets=Lets.VISIT, ref=tried.visit.ref, entity=caller.entity.ref, address=known.address)
        return give(caller.go("door"), visiting)
    told = {"form": form, "typed": known.address, "left": tried.left, "over": tried.came is Came.OVER}
    return caller.page("code", told, code=422)


@in_visit
def go(caller: Caller) -> HttpResponse:
    """End the visit."""
    if caller.request.method == "POST" and caller.visit is not None:
        end_visit(visit=caller.visit, at=timezone.now())
        return leave(caller.go("door"))
    return caller.go("door")


# ---------------------------------------------------------------- what they see


def _home(caller: Caller) -> HttpResponse:
    """Show what we hold and why; where the address may be that of several, what concerns the address alone."""
    _heed(caller)
    if caller.visit is None or caller.oneself is None:
        return caller.page("shared", {"nobody": not caller.people, "wishes": WISHES.values()})
    given = kept_of(caller.oneself.ref, caller.entity, GIVEN_AWAY)
    recipients = [heading for heading in given if heading.id == Part.RECIPIENTS]
    told = {"own": own_of(caller.visit, caller.oneself), "given": given, "recipients": recipients}
    return caller.page("home", {**told, "wishes": WISHES.values()})


def _heed(caller: Caller) -> None:
    """Take what the browser says of itself for the no that it is."""
    if has_signal(caller.request):
        for person in caller.people:
            honour_signal(person=person, entity=caller.entity, at=timezone.now())


@in_visit
def full(caller: Caller, part: str = Part.YOU) -> HttpResponse:
    """Show every row that is kept about them, one heading at a time: there may be thousands."""
    if caller.oneself is None or part not in IN_FULL:
        return caller.go("door")
    headings = kept_of(caller.oneself.ref, caller.entity, [Part(part)])
    return caller.page("full", {"headings": headings, "parts": IN_FULL, "part": part})


@in_visit
def looks(caller: Caller) -> HttpResponse:
    """Show who looked, and for what."""
    if caller.oneself is None:
        return caller.go("door")
    return caller.page("looks", {"looks": looks_at(caller.oneself.ref, caller.entity)})


@in_visit
def decided(caller: Caller) -> HttpResponse:
    """Show what was decided by machine, with the rules that say so."""
    if caller.oneself is None:
        return caller.go("door")
    return caller.page("decided", {"decisions": decisions_about(caller.oneself.ref, caller.entity)})


@in_visit
def choices(caller: Caller) -> HttpResponse:
    """Lead to the page of their choices, by a link of their own."""
    if caller.oneself is None or caller.visit is None:
        return caller.go("stop")
    link = make_link(
        may=May.CHOOSE, person=caller.oneself.ref, entity=caller.entity.ref, at=caller.visit.begun_at, mark=caller.mark
    )
    return closed(HttpResponseRedirect(reverse("consent:choices", args=[link]) + language_query(caller.request)))


# ---------------------------------------------------------------- what they ask


@in_visit
def asks(caller: Caller) -> HttpResponse:
    """Show what they asked, with its clocks."""
    persons = [caller.oneself.ref] if caller.oneself else []
    told = {"asked": asked_by(persons, caller.entity), "wishes": WISHES.values(), "done": "done" in caller.request.GET}
    return caller.page("asks", told)


@in_visit
def ask(caller: Caller, what: str) -> HttpResponse:
    """Take one thing that they ask."""
    wish = WISHES.get(what)
    if wish is None:
        return caller.go("asks")
    form = Wished(caller.request.POST if caller.request.method == "POST" else None, wish=wish)
    if caller.request.method != "POST" or not form.is_valid():
        return caller.page("ask", {"wish": wish, "form": form}, code=422 if form.errors else 200)
    try:
        refuse_too_many(entity=caller.entity, persons=[one.ref for one in caller.people], at=timezone.now())
    except TooManyAsked:
        return caller.page("too_many", {}, code=429)
    wants: dict[str, object] = {"corrects": form.corrects} if form.corrects else {}
    ask_us(
        entity=caller.entity, kinds=wish.kinds, address=caller.address, at=timezone.now(), words=form.said,
        person=caller.oneself.ref if caller.oneself else None, language=translation.get_language() or "en", wants=wants,
    )  # fmt: skip
    return caller.go("asks", done="1")


# ---------------------------------------------------------------- what they stop


@open_to_all
def stop(caller: Caller) -> HttpResponse:
    """Stop things: in a visit at once, for the address; for all others by an address, which is looked up for nobody."""
    if caller.visit is not None:
        return _stop_in_visit(caller)
    posted = caller.request.method == "POST"
    first = {"what": ["sale"]} if has_signal(caller.request) else {}
    form = Stopping(caller.request.POST if posted else None, initial=first)
    if not posted or not form.is_valid():
        return caller.page("stop", {"form": form}, code=422 if form.errors else 200)
    try:
        take_stop(
            entity=caller.entity, address=form.cleaned_data["address"], mark=form.mark, client=_client(caller.request),
            what=form.cleaned_data["what"], signal=has_signal(caller.request), at=timezone.now(),
            language=translation.get_language() or "en",
        )  # fmt: skip
    except TooMany:
        return caller.page("too_many", {}, code=429)
    return caller.page("stopped", {"what": _titles(form.cleaned_data["what"])})


def _stop_in_visit(caller: Caller) -> HttpResponse:
    _heed(caller)
    return caller.page("stop_all", {"choices": [(each.value, *said) for each, said in CHOICES.items()]})


@in_visit
def stop_one(caller: Caller, what: str) -> HttpResponse:
    """Stop one thing at once, by a button of their own page."""
    if caller.request.method != "POST" or what not in set(CHOICES):
        return caller.go("stop")
    stop_now(
        people=caller.people, entity=caller.entity, mark=caller.mark, address=caller.address, what=[what],
        at=timezone.now(), language=translation.get_language() or "en", signal=has_signal(caller.request),
    )  # fmt: skip
    return caller.page("stopped", {"what": _titles([what])})


def _titles(what: list[str]) -> list[object]:
    return [title for each, (title, _says) in CHOICES.items() if each in what]
