"""The addresses of this room: what programs ask under /api/, what people set up under /programs/."""

from __future__ import annotations

from django.urls import URLPattern, include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from comity.api import views
from comity.api.interface import api
from comity.api.problems import told

endpoints = [each for each in api.urls[0] if isinstance(each, URLPattern) and each.name != "api-root"]
for each in endpoints:
    each.callback = told(each.callback)

app_name = "api"
urlpatterns = [
    path("api/v1/openapi.json", views.openapi, name="openapi"),
    path("api/v1/decision.schema.json", views.decision_schema, name="decision-schema"),
    path("api/v1/", include((endpoints, "v1"))),
    re_path(r"^api(?:/(?P<rest>.*))?$", csrf_exempt(told(views.unknown)), name="unknown"),
    path("own/tokens/", views.own_tokens, name="own-tokens"),
    path("own/tokens/<uuid:ref>/take/", views.take, name="take"),
    path("programs/", views.tokens, name="tokens"),
    path("programs/tokens/new/", views.token_new, name="token-new"),
    path("programs/tokens/<uuid:ref>/revoke/", views.revoke, name="revoke"),
    path("programs/webhooks/", views.webhooks, name="webhooks"),
    path("programs/webhooks/new/", views.webhook_new, name="webhook-new"),
    path("programs/webhooks/<uuid:ref>/", views.webhook, name="webhook"),
    path("programs/webhooks/<uuid:ref>/change/", views.webhook_change, name="webhook-change"),
    path("programs/webhooks/<uuid:ref>/act/", views.webhook_act, name="webhook-act"),
    path("programs/deliveries/<uuid:ref>/again/", views.again, name="again"),
    path("programs/interface/", views.interface, name="interface"),
]
