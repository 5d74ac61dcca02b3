"""The addresses of this part."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.outreach.inbound import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("answers/", views.answers, name="answers"),
    path("answers/<uuid:ref>/", views.answer, name="answer"),
    path("coming-back/", views.inboxes, name="inboxes"),
    path("coming-back/<uuid:ref>/new/<slug:sort>/", views.inbox_new, name="inbox-new"),
    path("coming-back/<uuid:ref>/end/", views.inbox_end, name="inbox-end"),
]
