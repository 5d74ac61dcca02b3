"""The addresses of this part. They stand in messages for years: none of them is ever changed."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.consent.preferences import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("choices/<str:link>/", views.choices, name="choices"),
    path("choices/<str:link>/receipt/<uuid:said>/", views.receipt, name="receipt"),
    path("stop/", views.stop_without_link, name="stop-without-link"),
    path("stop/<str:link>/", views.stop, name="stop"),
    path("stop/<str:link>/one-click/", views.one_click, name="one-click"),
    path("confirm/<str:link>/", views.confirm_yes, name="confirm"),
]
