"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from comity.desk import ledger_page, person_page, today, views, writing_page

app_name = "desk"
urlpatterns = [
    path("today/", today.today, name="today"),
    path("search/", views.search, name="search"),
    path("search/quick/", views.quick_search, name="quick-search"),
    path("ledger/", ledger_page.ledger, name="ledger"),
    path("ledger/checkpoint/", ledger_page.checkpoint, name="ledger-checkpoint"),
    path("ledger/<uuid:ref>/", ledger_page.entry, name="ledger-entry"),
    path("ledger/<uuid:ref>/proof/", ledger_page.proof, name="ledger-proof"),
    path("people/<uuid:ref>/", person_page.person, name="person"),
    path("people/<uuid:ref>/may/", person_page.may, name="may"),
    path("people/<uuid:ref>/timeline/", person_page.timeline, name="timeline"),
    path("people/<uuid:ref>/ask-counsel/", person_page.ask_counsel, name="ask-counsel"),
    path("people/<uuid:ref>/write/", writing_page.write, name="write"),
    path("people/<uuid:ref>/write/<uuid:mail>/take-back/", writing_page.take_back, name="take-back"),
]
