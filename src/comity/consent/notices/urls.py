"""The addresses of notices: those of staff, and those at which everybody reads what was published."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.consent.notices import public, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("notices/", views.notices, name="notices"),
    path("notices/new/", views.start, name="notice-new"),
    path("notices/<uuid:ref>/", views.notice, name="notice"),
    path("notices/<uuid:ref>/draft/", views.draft, name="notice-draft"),
    path("notices/<uuid:ref>/draft/look/", views.look, name="notice-look"),
    path("notices/<uuid:ref>/draft/about/", views.describe, name="notice-about"),
    path("notices/<uuid:ref>/draft/begin/", views.begin, name="notice-begin"),
    path("notices/<uuid:ref>/draft/discard/", views.discard, name="notice-discard"),
    path("notices/<uuid:ref>/publish/", views.publish, name="notice-publish"),
    path("notices/<uuid:ref>/<int:number>/", views.version, name="notice-version"),
    path("notice/<uuid:ref>/", public.read, name="notice-public"),
    path("notice/<uuid:ref>/<slug:language>/", public.read, name="notice-public-in"),
]
