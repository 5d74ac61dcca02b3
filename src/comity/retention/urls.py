"""The addresses of this room."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from comity.retention.erasing import views as erasing
from comity.retention.holds import views as holds
from comity.retention.schedule import public
from comity.retention.schedule import views as schedule

app_name = "retention"
urlpatterns: list[URLPattern | URLResolver] = [
    path("retention/<uuid:entity>/", public.read, name="policy"),
    path("settings/cleaning/", schedule.home, name="cleaning"),
    path("settings/cleaning/quiet/<uuid:entity>/", schedule.quiet, name="quiet"),
    path("settings/cleaning/rounds/<uuid:ref>/stop/", schedule.stop, name="stop"),
    path("settings/cleaning/keys/", schedule.keys, name="keys"),
    path("erasures/", erasing.erasures, name="erasures"),
    path("erasures/<uuid:ref>/", erasing.erasure, name="erasure"),
    path("erasures/<uuid:ref>/certificate/", erasing.certificate, name="certificate"),
    path("persons/<uuid:ref>/erase/", erasing.erase, name="erase"),
    path("persons/<uuid:ref>/erase/ask/", erasing.ask, name="erase-ask"),
    path("persons/<uuid:ref>/erase/begin/", erasing.begin, name="erase-begin"),
    path("holds/", holds.holds, name="holds"),
    path("holds/new/", holds.new_hold, name="hold-new"),
    path("holds/<uuid:ref>/", holds.one_hold, name="hold"),
    path("holds/<uuid:ref>/review/", holds.review, name="hold-review"),
    path("holds/<uuid:ref>/lift/", holds.lift, name="hold-lift"),
    path("persons/<uuid:ref>/kept/", holds.person, name="person"),
    path("persons/<uuid:ref>/restrict/", holds.restrict, name="restrict"),
    path("persons/<uuid:ref>/unrestrict/", holds.unrestrict, name="unrestrict"),
]
