"""The addresses of this room."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

app_name = "rights"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("comity.rights.requests.urls")),
    path("", include("comity.rights.portal.urls")),
    path("", include("comity.rights.packages.urls")),
    path("", include("comity.rights.connectors.urls")),
]
