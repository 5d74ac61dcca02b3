"""The addresses of this room."""

from __future__ import annotations

from django.urls import include, path

from comity.consent import views

app_name = "consent"
urlpatterns = [
    path("people/<uuid:ref>/says/", views.buttons, name="buttons"),
    path("people/<uuid:ref>/says/<uuid:said>/mistake/", views.mistake, name="mistake"),
    path("people/<uuid:ref>/says/<slug:what>/", views.says, name="says"),
    path("", include("comity.consent.notices.urls")),
    path("", include("comity.consent.preferences.urls")),
    path("", include("comity.consent.suppression.urls")),
    path("", include("comity.consent.records.urls")),
]
