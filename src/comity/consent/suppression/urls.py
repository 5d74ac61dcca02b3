"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.consent.suppression import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("suppressed/", views.home, name="suppressed"),
    path("suppressed/try/", views.try_one, name="suppressed-try"),
    path("suppressed/add/", views.add, name="suppressed-add"),
    path("suppressed/bring/", views.bring, name="suppressed-bring"),
    path("registers/", views.registers, name="registers"),
    path("registers/new/", views.new_register, name="register-new"),
    path("registers/<uuid:ref>/version/", views.version, name="register-version"),
    path("registers/<uuid:ref>/check/", views.check, name="register-check"),
    path("registers/<uuid:ref>/end/", views.end, name="register-end"),
]
