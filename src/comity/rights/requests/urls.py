"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.rights.requests import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("requests/", views.board, name="requests"),
    path("requests/calendar/", views.calendar, name="requests-calendar"),
    path("requests/new/", views.new, name="request-new"),
    path("requests/<uuid:ref>/", views.one, name="request"),
    path("requests/<uuid:ref>/note/<slug:verb>/", views.note, name="request-note"),
    path("requests/<uuid:ref>/step/<slug:verb>/", views.work, name="request-work"),
    path("requests/<uuid:ref>/decide/<slug:verb>/", views.decide, name="request-decide"),
]
