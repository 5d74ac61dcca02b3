"""The addresses of this room."""

from __future__ import annotations

from django.urls import include, path

app_name = "outreach"
urlpatterns = [
    path("", include("comity.outreach.campaigns.urls")),
    path("", include("comity.outreach.sharing.urls")),
    path("", include("comity.outreach.origins.urls")),
    path("", include("comity.outreach.calls.urls")),
    path("", include("comity.outreach.inbound.urls")),
    path("", include("comity.outreach.forms.urls")),
    path("", include("comity.outreach.sequences.urls")),
]
