"""The addresses of this room."""

from __future__ import annotations

from django.urls import include, path

app_name = "post"
urlpatterns = [
    path("", include("comity.post.inbound.urls")),
    path("", include("comity.post.pacing.urls")),
]
