"""The components of our pages, by name: `{% verdict "deny" %}`, `{% sheet _("Timeline") %}…{% endsheet %}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from enum import Enum
from functools import cache, lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

import lucide
from django import template
from django.template.base import render_value_in_context
from django.template.loader import render_to_string
from django.utils.formats import localize
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from comity.counsel.reading import places_said
from comity.ledger.journal.keeping import trouble_now
from comity.staff.approvals import KINDS
from comity.staff.guards import may_do
from comity.staff.roles import roles
from comity.staff.terms import fields_term, term

if TYPE_CHECKING:
    from comity.staff.listing import Column, Listing
    from comity.web.shell import Entry

register = template.Library()

# ---------------------------------------------------------------- small things


@cache
def _drawn(name: str) -> SafeString:
    svg = lucide._render_icon(name, None, **{"class": "icon", "aria-hidden": "true", "focusable": "false"})  # noqa: SLF001 - what its own tag calls
    return mark_safe(svg)  # noqa: S308 - made of the package's own drawings


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw one of Lucide's icons, beside words that say the same."""
    return _drawn(str(name))


@register.filter
def note_icon(level: str) -> str:
    """Return the icon of a message's level."""
    return {"success": "circle-check", "warning": "triangle-alert", "error": "circle-x"}.get(level, "info")


@register.filter
def initials(name: str) -> str:
    """Return one or two letters that stand for a name: "MH" for Mira Hoffmann, "伟" for 李伟."""
    words = str(name).split()
    if not words:
        return "?"
    if len(words) == 1 and not words[0].isascii() and len(words[0]) in {2, 3, 4}:
        return words[0][-1]
    return "".join(word[0] for word in (words[0], words[-1])[: min(2, len(words))]).upper()


# ---------------------------------------------------------------- verdicts

WORDS = {"permit": gettext_lazy("Permit"), "deny": gettext_lazy("Deny"), "ask": gettext_lazy("Ask")}
ICONS = {"permit": "check", "deny": "x", "ask": "triangle-alert"}


def _plain(value: object) -> str:
    """Return "permit", "deny" or "ask" for a word or for the law's own Verdict; anything else is "ask"."""
    word = str(value.value if isinstance(value, Enum) else value)
    return word if word in WORDS else "ask"


@register.simple_tag(takes_context=True)
def nothing_is_sent(context: template.Context) -> SafeString:
    """Say on the pages of those who send that nothing goes out now, if it is so; who runs Comity is told why."""
    trouble = trouble_now()
    if not trouble:
        return SafeString()
    staff = getattr(context.get("request"), "staff", None)
    told = format_html(' <span lang="en">{}</span>', trouble) if staff and may_do(staff, "settings.view") else ""
    return format_html(
        '<div class="note error">{}<span><b>{}</b> {}{}</span></div>', _drawn("octagon-x"), _("Nothing is sent."),
        _("This database may not know who said no since. Whoever runs Comity mends it: comity doctor says how."), told,
    )  # fmt: skip


@register.simple_tag
def verdict(value: object, obligations: int = 0) -> SafeString:
    """Draw a verdict: word, icon and colour together."""
    word = _plain(value)
    said = str(WORDS[word])
    if word == "permit" and obligations:
        said = ngettext("Permit, with %(n)d obligation", "Permit, with %(n)d obligations", obligations) % {
            "n": obligations
        }
    return format_html('<span class="verdict {}">{}{}</span>', word, _drawn(ICONS[word]), said)


@register.filter
def verdict_word(value: object) -> str:
    """Return the verdict as a class name: permit, deny or ask."""
    return _plain(value)


# ---------------------------------------------------------------- the law's answer


@register.inclusion_tag("comity/may.html")
def may_cards(cards: Iterable[object]) -> dict[str, object]:
    """Draw "May we?": a card for each use: verdict, what (in words), because, obligations, icon, href, chosen."""
    return {"cards": cards}


@register.inclusion_tag("comity/why.html", takes_context=True)
def why(context: template.Context, answer: object) -> dict[str, object]:
    """Draw the "Why?" panel of a decision.

    `answer` has: title, verdict, asked (when, and which decision), reasons (says, cite, url, since, checked, note),
    obligations (says, cite), missing (says), cures (says, and href, or to and sends; held says why not now), and more
    (an address).
    """
    return {"answer": answer, "csrf_token": context.get("csrf_token")}


@register.inclusion_tag("comity/bar.html")
def bar(permit: int = 0, deny: int = 0, ask: int = 0) -> dict[str, object]:
    """Draw how many of all are permitted, denied and asked about; the words stand in its label."""
    total = permit + deny + ask
    parts, start = [], 0.0
    for word, count in (("permit", permit), ("deny", deny), ("ask", ask)):
        share = 100 * count / total if total else 0.0
        parts.append({"word": word, "start": f"{start:.3f}", "share": f"{share:.3f}"})
        start += share
    shares = {word: round(100 * n / total) if total else 0 for word, n in (("p", permit), ("d", deny), ("a", ask))}
    return {"parts": parts, "label": _("%(p)d %% permit, %(d)d %% deny, %(a)d %% ask") % shares}


# ---------------------------------------------------------------- frames


@register.simple_tag
def rail_list(entries: Iterable[Entry]) -> SafeString:
    """Draw the entries of the rail."""
    return mark_safe("".join([  # noqa: S308 - all of it is escaped
        f'<li><a href="{escape(each.address)}"{HERE if each.here else ""}>{_drawn(each.icon)}'
        f"<span>{escape(str(each.name))}</span></a></li>"
        for each in entries
    ]))  # fmt: skip


HERE = ' aria-current="page"'


@register.simple_block_tag(takes_context=False)
def sheet(
    content: str,
    title: str = "",
    *,
    note: str = "",
    href: str = "",
    link: str = "",
    flush: bool = False,
    name: str = "",
) -> SafeString:
    """Draw a sheet of paper with a title; `flush` lets a table or list run to its edges."""
    end = (
        format_html('<a class="soft" href="{}">{}</a>', href, link) if href else format_html("<small>{}</small>", note)
    )
    head = format_html("<header><h2>{}</h2>{}</header>", title, end if href or note else "") if title else ""
    named = format_html(' id="{}"', name) if name else ""
    return format_html(
        '<section class="sheet{}"{}>{}<div class="sheet-body">{}</div></section>',
        " flush" if flush else "", named, head, mark_safe(content),  # noqa: S308 - rendered by the template already
    )  # fmt: skip


@register.simple_block_tag
def empty(content: str, icon: str, title: str, text: str = "") -> SafeString:
    """Draw what stands where nothing is yet: what would stand here, and how to get there."""
    return format_html(
        '<div class="empty">{}<p class="empty-title">{}</p><p>{}</p><div class="row">{}</div></div>',
        _drawn(icon), title, text, mark_safe(content),  # noqa: S308 - rendered by the template already
    )  # fmt: skip


@register.simple_block_tag
def menu(content: str, label: str, *, icon: str = "", end: bool = False) -> SafeString:
    """Draw a menu that opens without a script: `<a>` or `<form><button class="plain">` within."""
    return format_html(
        '<details class="menu"><summary>{}{}{}</summary><div class="menu-body{}">{}</div></details>',
        _drawn(icon) if icon else "", label, _drawn("chevron-down"), " end" if end else "",
        mark_safe(content),  # noqa: S308 - rendered by the template already
    )  # fmt: skip


@register.simple_block_tag
def dialog(content: str, name: str, title: str) -> SafeString:
    """Draw a dialog that `<a data-opens="name" href="the page that does the same without a script">` opens."""
    return format_html(
        '<dialog class="dialog" id="{}" aria-labelledby="{}-title"><header><h2 id="{}-title">{}</h2>'
        '<button class="plain" data-closes aria-label="{}">{}</button></header>'
        '<div class="dialog-body">{}</div></dialog>',
        name, name, name, title, _("Close"), _drawn("x"), mark_safe(content),  # noqa: S308 - rendered by the template already
    )  # fmt: skip


# ---------------------------------------------------------------- lists


@register.inclusion_tag("comity/listing.html", takes_context=True)
def listing(context: template.Context, listing: object, *, caption: str = "", pick: str = "") -> dict[str, object]:
    """Draw a `comity.staff.listing.Listing`: heads that sort, cells, pages. `pick` names the tick boxes, if any."""
    return {"listing": listing, "caption": caption, "pick": pick, "request": context.get("request")}


@register.inclusion_tag("comity/columns.html")
def columns(listing: object) -> dict[str, object]:
    """Draw the menu in which the columns of a list are chosen."""
    return {"listing": listing}


@register.simple_tag
def listing_head(head: Mapping[str, Any]) -> SafeString:
    """Draw the head of one column, which turns the order where the column has one."""
    column, order = head["column"], head["order"]
    title = escape(str(column.title))
    if head["to"]:
        title = f'<a href="{escape(head["to"])}">{title}{_drawn(ARROWS[order]) if order else ""}</a>'
    sort = f' aria-sort="{order}"' if order else ""
    return mark_safe(f'<th scope="col"{NUMBER if column.number else ""}{sort}>{title}</th>')  # noqa: S308 - all of it is escaped


NUMBER = ' class="num"'
ARROWS = {"ascending": "arrow-up", "descending": "arrow-down"}


@register.simple_tag
def filter_field(field: Mapping[str, Any]) -> SafeString:
    """Draw the field of one filter: its title, what may be chosen or is written; values beyond the first are kept."""
    name, value, choices = escape(field["id"]), escape(field["value"]), field["choices"]
    others = "".join([f'<input type="hidden" name="{name}" value="{escape(other)}">' for other in field["others"]])
    if choices is None:
        step = ' step="any"' if field["type"] == "number" else ""
        entry = f'<input type="{escape(field["type"])}" name="{name}" value="{value}"{step}>'
    elif choices:
        none = f'<option value="">{escape(_("Any"))}</option>'
        entry = f'<select name="{name}">{none}{options(choices, field["value"])}</select>'
    else:
        return mark_safe(f'<input type="hidden" name="{name}" value="{value}">{others}')  # noqa: S308 - all of it is escaped
    return mark_safe(f"<label>{escape(str(field['title']))} {entry}</label>{others}")  # noqa: S308 - all of it is escaped


@register.simple_tag(takes_context=True)
def listing_rows(context: template.Context, listing: Listing[Any], pick: str = "") -> SafeString:
    """Draw the rows of a list: in Python, since a page has hundreds of cells, and templates of them cost too much."""
    box, language = _box(pick) if pick else "", get_language()
    columns = [(column, '<td class="num">' if column.number else "<td>") for column in listing.columns]
    lines = []
    for row in listing.rows:
        cells = [f"{begin}{_cell(context, column, row, language)}</td>" for column, begin in columns]
        lines.append("<tr>" + box.replace(ITS_KEY, str(row.pk)) + "".join(cells) + "</tr>")
    return mark_safe("".join(lines))  # noqa: S308 - each cell is escaped


def _box(pick: str) -> str:
    """Return a tick box with a place for the key of its row, which is a ref or a number and nothing else."""
    return format_html(
        '<td><input type="checkbox" name="{}" value="{}" aria-label="{}"></td>', pick, ITS_KEY, _("Choose this row")
    )


ITS_KEY = "its-key"
"""Where the key of a row comes in."""


def _cell(context: template.Context, column: Column, row: object, language: str | None) -> str:
    value = column.value(row)
    if column.draws is not None:
        value = column.draws(row, value)
    elif column.template:
        return render_to_string(column.template, {"row": row, "value": value})
    if value is None or type(value) is SafeString:
        return value or ""
    if type(value) is str:
        return escape(value)
    return _day(value, language) if type(value) is date else render_value_in_context(value, context)


@lru_cache(maxsize=4096)
def _day(day: date, language: str | None) -> str:
    del language  # the one that is spoken now, and in which the day is written
    return conditional_escape(localize(day))


@register.simple_tag
def options(choices: Iterable[tuple[str, object]], chosen: str = "") -> SafeString:
    """Draw the options of a field to choose from."""
    return mark_safe("".join([  # noqa: S308 - all of it is escaped
        f'<option value="{escape(code)}"{" selected" if code == chosen else ""}>{escape(str(name))}</option>'
        for code, name in choices
    ]))  # fmt: skip


@register.inclusion_tag("comity/timeline.html")
def timeline(entries: Iterable[object]) -> dict[str, object]:
    """Draw what happened: entries with at, title, text, by, icon, verdict and href, newest first."""
    return {"entries": entries}


@register.simple_tag
def fact(label: str, value: object, note: str = "") -> SafeString:
    """Draw one line of `<dl class="facts">`; what is not known is said to be so."""
    shown = format_html('<span class="soft">{}</span>', _("not known")) if value is None or value == "" else value
    return format_html(
        "<dt>{}</dt><dd>{}{}</dd>", label, shown, format_html(" <small>{}</small>", note) if note else ""
    )


@register.simple_tag
def badge(text: str, kind: str = "", icon: str = "") -> SafeString:
    """Draw a small label; kinds are accent, permit, deny, ask, or none."""
    return format_html('<span class="badge {}">{}{}</span>', kind, _drawn(icon) if icon else "", text)


@register.inclusion_tag("comity/tabs.html")
def tabs(label: str, entries: Iterable[Mapping[str, object]]) -> dict[str, object]:
    """Draw tabs that are links: entries with name, href, here, and count."""
    return {"label": label, "entries": entries}


@register.simple_tag
def crumbs(*way: str) -> SafeString:
    """Draw where a page stands: name, address, name, address and so on."""
    pairs = zip(way[1::2], way[::2], strict=False)
    return format_html(
        '<nav aria-label="{}"><ol class="crumbs">{}</ol></nav>',
        _("Where you are"),
        format_html_join("", '<li><a href="{}">{}</a></li>', pairs),
    )


# ---------------------------------------------------------------- words of roles.toml and of the law


@register.filter
def role_name(role: str) -> str:
    """Return a role as people say it, in their language."""
    known = roles().roles
    return _(known[role].name) if role in known else role


@register.filter
def kind_name(kind: str) -> str:
    """Return what a request for approval is about."""
    return str(KINDS[kind].says) if kind in KINDS else kind


register.filter("places", places_said)
register.filter("term", term)
register.filter("fields_term", fields_term)
