"""Templates, kept once for each language: what a template always says alike is said when it is read.

A page has a hundred words to translate, and icons and addresses that never change; to work each of them out again for
every page took longer than to ask the database for it. A template stays what its author wrote; only the nodes whose
words follow from the language alone become plain text.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.template import Context, Node
from django.template.base import FilterExpression, NodeList, TextNode, TokenType, Variable
from django.template.defaulttags import AutoEscapeControlNode, IfNode, URLNode
from django.template.library import SimpleNode
from django.template.loaders import cached
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.templatetags.static import StaticNode
from django.utils.translation import get_language

if TYPE_CHECKING:
    from django.template import Template
    from django.template.base import Origin

ALIKE = frozenset({"icon"})
"""Tags of ours that draw the same for the same words."""


class ByLanguage(cached.Loader):
    """Keeps templates as Django's own loader does, but one for each language."""

    def cache_key(self, template_name: str, skip: Collection[Origin] | None = None) -> str:
        return f"{get_language()}:{super().cache_key(template_name, skip)}"  # type: ignore[arg-type]  # the stubs want a list

    def get_template(self, template_name: str, skip: Collection[Origin] | None = None) -> Template:
        template = super().get_template(template_name, skip)  # type: ignore[arg-type]  # the stubs want a list
        if not hasattr(template, "said"):
            template.nodelist = _said(template.nodelist)
            template.said = get_language()  # type: ignore[attr-defined]  # so that it is done once
        return template


def _said(nodes: NodeList) -> NodeList:
    """Return these nodes with everything said that can be said already, and what is plain text put together."""
    said = NodeList()
    for node in map(_node, nodes):
        before = said[-1] if said else None
        if isinstance(node, TextNode) and isinstance(before, TextNode):
            said[-1] = TextNode(before.s + node.s)
        else:
            said.append(node)
    said.contains_nontext = nodes.contains_nontext
    return said


def _node(node: Node) -> Node:
    if _is_constant(node):
        try:
            return TextNode(str(node.render(Context())))
        except Exception:  # noqa: BLE001 - whatever it is, the page that comes to this place will say it
            return node
    if not isinstance(node, AutoEscapeControlNode):
        _say_within(node)
    return node


def _say_within(node: Node) -> None:
    if isinstance(node, IfNode):
        node.conditions_nodelists = [(condition, _said(nodes)) for condition, nodes in node.conditions_nodelists]
        return
    for name in node.child_nodelists:
        if isinstance(nodes := getattr(node, name, None), NodeList):
            setattr(node, name, _said(nodes))


def _is_constant(node: Node) -> bool:
    """Say whether a node says the same on every page in this language."""
    if isinstance(node, BlockTranslateNode):
        words = [*node.singular, *(node.plural or ())]
        return not (node.asvar or node.extra_context or node.countervar) and all(
            token.token_type is TokenType.TEXT for token in words
        )
    return all(map(_is_word, parts)) if (parts := _parts(node)) is not None else False


def _parts(node: Node) -> list[Any] | None:
    """Return what such a node is made of; nothing of one that keeps its words in the context, or is of another kind."""
    if isinstance(node, TranslateNode) and not node.asvar:
        return [node.filter_expression, *([node.message_context] if node.message_context else [])]
    if isinstance(node, URLNode) and not node.asvar:
        return [node.view_name, *node.args, *node.kwargs.values()]
    if isinstance(node, StaticNode) and node.varname is None:
        return [node.path]
    if isinstance(node, SimpleNode) and node.target_var is None and node.func.__name__ in ALIKE:
        return [*node.args, *node.kwargs.values()]
    return None


def _is_word(part: FilterExpression) -> bool:
    var = part.var
    return not part.filters and (not isinstance(var, Variable) or var.lookups is None)
