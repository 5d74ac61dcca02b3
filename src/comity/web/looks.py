"""How forms are drawn: `{{ form }}` and `{{ form.name.as_field_group }}` in our look, in every room."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting


class Looks(TemplatesSetting):
    """Django's widgets within our frames."""

    form_template_name = "comity/form.html"
    field_template_name = "comity/field.html"
