"""The addresses of this part. Gateways call them for years: none of them is ever changed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.post.inbound import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbound/<uuid:ref>/", views.hook, name="hook"),
]
