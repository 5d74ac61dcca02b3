"""The addresses of this room."""

from __future__ import annotations

from django.urls import path

from comity.vault import key_pages

app_name = "vault"
urlpatterns = [
    path("keys/", key_pages.key_list, name="keys"),
    path("keys/turn/", key_pages.turn, name="keys-turn"),
    path("keys/rewrap/", key_pages.rewrap, name="keys-rewrap"),
    path("keys/<int:number>/destroy/", key_pages.destroy, name="key-destroy"),
]
