"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.post.pacing import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("sending/pace/", views.pace, name="pace"),
    path("sending/pace/gateways/<uuid:ref>/", views.throttle, name="throttle"),
    path("sending/pace/gateways/<uuid:ref>/wake/", views.wake, name="wake"),
    path("sending/pace/<uuid:ref>/<slug:channel>/", views.restraint, name="restraint"),
]
