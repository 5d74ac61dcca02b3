"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.consent.records import gpc, views

urlpatterns: list[URLPattern | URLResolver] = [
    path(".well-known/gpc.json", gpc.support, name="gpc"),
    path("people/<uuid:ref>/said/", views.records, name="records"),
    path("people/<uuid:ref>/said/all/<slug:form>/", views.record_file, name="record-file"),
    path("people/<uuid:ref>/said/<uuid:said>/<slug:form>/", views.record_file, name="record-file-of-one"),
]
