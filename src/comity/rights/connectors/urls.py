"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.rights.connectors import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("systems/", views.listed, name="systems"),
    path("systems/new/", views.new, name="system-new"),
    path("systems/of/<uuid:ref>/", views.of_person, name="systems-of"),
    path("systems/of/<uuid:ref>/ask/<uuid:entity>/", views.ask, name="systems-ask"),
    path("systems/runs/<uuid:ref>/", views.run, name="run"),
    path("systems/runs/<uuid:ref>/again/", views.again, name="run-again"),
    path("systems/runs/<uuid:ref>/approval/", views.ask_second, name="run-approval"),
    path("systems/runs/<uuid:ref>/begin/", views.begin, name="run-begin"),
    path("systems/<uuid:ref>/", views.one, name="system"),
    path("systems/<uuid:ref>/change/", views.change, name="system-change"),
    path("systems/<uuid:ref>/try/", views.try_it, name="system-try"),
    path("systems/<uuid:ref>/end/", views.end, name="system-end"),
]
