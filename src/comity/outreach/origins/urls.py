"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.origins import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("campaigns/notices/<uuid:ref>/", views.notice, name="notice-new"),
    path("people/<uuid:ref>/origin/", views.origin, name="origin"),
]
