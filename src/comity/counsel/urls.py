"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from comity.counsel import duties_views, law_views, views

app_name = "counsel"
urlpatterns = [
    path("law/", law_views.law, name="law"),
    path("law/may-we/", law_views.may_we, name="may-we"),
    path("law/blind-spots/", law_views.blind_spots, name="blind-spots"),
    path("law/review/", law_views.review, name="review"),
    path("law/<slug:law>/", law_views.one_law, name="one-law"),
    path("queue/", views.queue, name="queue"),
    path("queue/<uuid:ref>/", views.question, name="question"),
    path("queue/<uuid:ref>/settle/", views.settle, name="settle"),
    path("queue/<uuid:ref>/close/", views.close, name="close"),
    path("queue/<uuid:ref>/assign/", views.assign, name="assign"),
    path("queue/<uuid:ref>/reopen/", views.reopen, name="reopen"),
    path("duties/", duties_views.duties, name="duties"),
    path("duties/<uuid:ref>/", duties_views.duty, name="duty"),
    path("duties/<uuid:ref>/done/", duties_views.done, name="duty-done"),
    path("duties/<uuid:ref>/not-owed/", duties_views.not_owed, name="duty-not-owed"),
    path("duties/<uuid:ref>/count/", duties_views.counted, name="duty-count"),
    path("duties/<uuid:ref>/open-again/", duties_views.opened_again, name="duty-open-again"),
    path("rulings/", views.rulings, name="rulings"),
    path("rulings/<uuid:ref>/", views.ruling, name="ruling"),
    path("rulings/<uuid:ref>/take-back/", views.take_back, name="take-back"),
    path("decisions/<str:ref>/", views.decision, name="decision"),
    path("decisions/<str:ref>/replay/", views.replayed, name="replay"),
]
