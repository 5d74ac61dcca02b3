"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.rights.packages import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("requests/<uuid:ref>/package/", views.package, name="package"),
    path("requests/<uuid:ref>/package/plan/", views.plan, name="package-plan"),
    path("packages/<uuid:ref>/chore/", views.tick, name="package-chore"),
    path("packages/<uuid:ref>/words/", views.say_words, name="package-words"),
    path("packages/<uuid:ref>/approval/", views.ask_second, name="package-approval"),
    path("packages/<uuid:ref>/make/", views.make, name="package-make"),
    path("packages/<uuid:ref>/page/", views.look, name="package-look"),
    path("packages/<uuid:ref>/file/", views.fetch, name="package-fetch"),
    path("packages/<uuid:ref>/sent/", views.sent, name="package-sent"),
    path("packages/<uuid:ref>/delete/", views.delete, name="package-delete"),
    path("your-data/<str:link>/", views.by_link, name="package-link"),
    path("your-data/<str:link>/page/", views.read_by_link, name="package-link-page"),
    path("your-data/<str:link>/file/", views.fetch_by_link, name="package-link-file"),
]
