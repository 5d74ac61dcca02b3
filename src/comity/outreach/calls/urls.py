"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.calls import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("people/<uuid:ref>/call/", views.call, name="call"),
    path("people/<uuid:ref>/call/dial/", views.dial, name="call-dial"),
    path("calls/<uuid:ref>/", views.end, name="call-end"),
]
