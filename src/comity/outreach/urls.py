"""The addresses of this room."""

from __future__ import annotations

from django.urls import include, path

app_name = "outreach"
urlpatterns = [
    path("", include("comity.outreach.campaigns.urls")),
]
