"""Pages about programs: their tokens, their webhooks, and the interface they use."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Any, NoReturn
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from comity.api import actions, queries
from comity.api.document import document, operations
from comity.api.events import KINDS
from comity.api.forms import NewToken, WebhookKept
from comity.api.problems import KINDS as PROBLEMS
from comity.api.sending import secret_of
from comity.staff.guards import StaffRequest, may_do, open_page, staff_page

# ---------------------------------------------------------------- the interface itself


@open_page(because="There is nothing here, which is what it says.")
def unknown(request: HttpRequest, rest: str = "") -> NoReturn:
    """Say that there is no such address, as programs read it."""
    del rest
    raise Http404(f"There is no {request.path} in this interface; /api/v1/openapi.json has all there is.")


@open_page(because="It describes the interface, and nobody in the book.")
def openapi(request: HttpRequest) -> HttpResponse:
    """Hand out the OpenAPI document."""
    del request
    return JsonResponse(document(), json_dumps_params={"ensure_ascii": False})


@open_page(because="It describes the form of decisions, and nobody in the book.")
def decision_schema(request: HttpRequest) -> HttpResponse:
    """Hand out the JSON schema of decisions."""
    del request
    text = (files("comity.law") / "decision.schema.json").read_text("utf-8")
    return HttpResponse(text, content_type="application/schema+json")


@staff_page(may="self.view")
def interface(request: StaffRequest) -> HttpResponse:
    """Show the interface, operation by operation, and every problem there is."""
    by_tag: dict[str, list[dict[str, Any]]] = {}
    for operation in operations():
        by_tag.setdefault(operation["tag"], []).append(operation)
    problems = [{"id": name, "code": code, "title": title} for name, (code, title) in PROBLEMS.items()]
    shown = {"by_tag": by_tag, "problems": problems, "tabs": _tabs(request, "interface")}
    return render(request, "api/interface.html", shown)


# ---------------------------------------------------------------- tokens


@staff_page(may="token.change")
def tokens(request: StaffRequest) -> HttpResponse:
    """Show who gave which program leave for what."""
    known = list(queries.tokens_seen_by(request.staff))
    shown = {"known": known, "now": timezone.now(), "tabs": _tabs(request, "tokens")}
    return render(request, "api/tokens.html", shown)


@staff_page(may="token.change")
def token_new(request: StaffRequest) -> HttpResponse:
    """Give a program leave; in one's own name, the token is shown at once."""
    staff = queries.those_who_sign_in()
    entities = queries.entities_for(request.staff, "token.change")
    form = NewToken(request.POST or None, staff=staff, entities=entities, initial={"staff": request.staff.pk})
    if request.method == "POST" and form.is_valid():
        said = {name: value for name, value in form.cleaned_data.items() if name != "ends_on"}
        try:
            token = actions.make_token(**said, expires_at=form.cleaned_data["ends_on"], made_by=request.staff)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            if token.staff_id == request.staff.ref:
                return _shown_once(request, actions.take_token(token=token, staff=request.staff), token.name)
            told = _("%(name)s finds the token under “Your tokens” and takes it there; nobody else gets to see it.")
            messages.success(request, told % {"name": token.staff.name})
            return redirect("api:tokens")
    return render(
        request,
        "api/form.html",
        {"form": form, "heading": _("A token for a program"), "does": _("Make it"), "back": "api:tokens"},
    )


@staff_page(may="self.view")
def own_tokens(request: StaffRequest) -> HttpResponse:
    """Show the tokens for which one answers."""
    known = list(queries.tokens_of(request.staff))
    return render(request, "api/own_tokens.html", {"known": known, "now": timezone.now()})


@staff_page(may="self.secure")
@require_POST
def take(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Take a token that somebody made in one's name."""
    token = queries.one_token(queries.tokens_of(request.staff), ref)
    try:
        return _shown_once(request, actions.take_token(token=token, staff=request.staff), token.name)
    except ValidationError as error:
        messages.error(request, error.messages[0])
        return redirect("api:own-tokens")


@staff_page(may="self.secure")
@require_POST
def revoke(request: StaffRequest, ref: UUID) -> HttpResponse:
    """End a token: one's own, or any, for whoever may change tokens."""
    mine = queries.tokens_of(request.staff)
    every = queries.tokens_seen_by(request.staff) if may_do(request.staff, "token.change") else mine
    token = queries.one_token(mine if mine.filter(pk=ref).exists() else every, ref)
    to = "api:tokens" if may_do(request.staff, "token.change") else "api:own-tokens"
    does = lambda: actions.revoke_token(token=token, revoked_by=request.staff)  # noqa: E731 - one line reads best
    return _acted(request, does, _("Revoked. It opens nothing any more."), to)


def _shown_once(request: StaffRequest, secret: str, name: str) -> HttpResponse:
    shown = {"secret": secret, "heading": name, "address": request.build_absolute_uri("/api/v1/whoami")}
    return render(request, "api/shown_once.html", shown)


# ---------------------------------------------------------------- webhooks


@staff_page(may="settings.view")
def webhooks(request: StaffRequest) -> HttpResponse:
    """Show who is told of what happens."""
    shown = {
        "known": list(queries.webhooks_seen_by(request.staff)), "may_change": may_do(request.staff, "settings.change"),
        "tabs": _tabs(request, "webhooks"),
    }  # fmt: skip
    return render(request, "api/webhooks.html", shown)


@staff_page(may="settings.change")
def webhook_new(request: StaffRequest) -> HttpResponse:
    """Let an address be told of what happens; its secret is shown once."""
    form = WebhookKept(request.POST or None, entities=queries.entities_for(request.staff, "settings.change"))
    if request.method == "POST" and form.is_valid():
        try:
            webhook = actions.make_webhook(**form.cleaned_data, made_by=request.staff)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _secret_shown(request, webhook.ref, secret_of(webhook))
    return render(
        request,
        "api/form.html",
        {"form": form, "heading": _("Add a webhook"), "does": _("Add"), "back": "api:webhooks"},
    )


@staff_page(may="settings.view")
def webhook(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Show one webhook with what it was told lately."""
    found = queries.one_webhook(request.staff, ref)
    shown = {
        "one": found, "deliveries": list(queries.deliveries_of(found)),
        "kinds": [(k, KINDS.get(k, "")) for k in found.kinds],
        "may_change": may_do(request.staff, "settings.change", found.entity_id),
    }  # fmt: skip
    return render(request, "api/webhook.html", shown)


@staff_page(may="settings.change")
def webhook_change(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Change where a webhook is, and of what it is told."""
    found = queries.one_webhook(request.staff, ref, "settings.change")
    began = {"name": found.name, "address": found.address, "kinds": found.kinds, "entity": found.entity_id}
    entities = queries.entities_for(request.staff, "settings.change").filter(pk=found.entity_id)
    form = WebhookKept(request.POST or None, entities=entities, initial=began)
    if request.method == "POST" and form.is_valid():
        said = {name: value for name, value in form.cleaned_data.items() if name != "entity"}
        try:
            actions.change_webhook(webhook=found, **said, changed_by=request.staff)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("api:webhook", ref=ref)
    return render(
        request, "api/form.html", {"form": form, "heading": found.name, "does": _("Save"), "back": "api:webhooks"}
    )


@staff_page(may="settings.change")
@require_POST
def webhook_act(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Switch a webhook on or off, try it out, or give it a new secret."""
    found = queries.one_webhook(request.staff, ref, "settings.change")
    does: Callable[[], object]
    match request.POST.get("act"):
        case "on":
            does = lambda: actions.switch_webhook(webhook=found, on=True, switched_by=request.staff)  # noqa: E731 - as above
            return _acted(request, does, _("Switched on."), "api:webhook", ref)
        case "off":
            does = lambda: actions.switch_webhook(webhook=found, on=False, switched_by=request.staff)  # noqa: E731 - as above
            return _acted(request, does, _("Switched off."), "api:webhook", ref)
        case "secret":
            return _secret_shown(request, ref, actions.change_secret(webhook=found, changed_by=request.staff))
        case "try":
            does = lambda: actions.try_webhook(webhook=found, tried_by=request.staff)  # noqa: E731 - as above
            return _acted(request, does, _("A ping is on its way; what came of it stands below."), "api:webhook", ref)
    return redirect("api:webhook", ref=ref)


@staff_page(may="settings.change")
@require_POST
def again(request: StaffRequest, ref: UUID) -> HttpResponse:
    """Send something to a webhook again."""
    delivery = queries.one_delivery(request.staff, ref)
    does = lambda: actions.send_again(delivery=delivery, sent_by=request.staff)  # noqa: E731 - as above
    return _acted(request, does, _("It is sent again."), "api:webhook", delivery.webhook_id)


def _secret_shown(request: StaffRequest, ref: UUID, secret: str) -> HttpResponse:
    return render(request, "api/secret.html", {"secret": secret, "ref": ref})


# ---------------------------------------------------------------- on the way


def _acted(
    request: StaffRequest, does: Callable[[], object], told: str, to: str, ref: UUID | None = None
) -> HttpResponse:
    try:
        does()
    except ValidationError as error:
        messages.error(request, error.messages[0])
    else:
        messages.success(request, told)
    return redirect(to, ref=ref) if ref else redirect(to)


def _tabs(request: StaffRequest, here: str) -> list[dict[str, object]]:
    """Return the ways between the pages about programs that are open to somebody."""
    ways = (
        ("tokens", "token.change", _("Tokens")), ("webhooks", "settings.view", _("Webhooks")),
        ("interface", "self.view", _("Interface")),
    )  # fmt: skip
    return [
        {"name": name, "href": reverse(f"api:{id_}"), "here": id_ == here, "count": None}
        for id_, word, name in ways
        if may_do(request.staff, word)
    ]
