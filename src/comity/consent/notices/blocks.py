"""What notices are made of: named blocks, so that each thing the law wants has its place; what stands above each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from django.conf.locale import LANG_INFO
from django.utils.translation import gettext_lazy as _

from comity.consent.notices.models import Kind
from comity.law.texts import BLOCKS

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

LONGEST_BLOCK: Final = 20_000
"""Letters of one block in one language."""

LABELS: Final[Mapping[str, _StrPromise]] = {
    "wording": _("The words of the yes"),
    "who": _("Who we are"),
    "dpo": _("Data protection officer"),
    "purposes": _("Purposes and legal bases"),
    "interests": _("Our interests"),
    "method": _("How we handle the data"),
    "categories": _("Kinds of data"),
    "source": _("Where we have the data from"),
    "sensitive": _("Sensitive data"),
    "recipients": _("Who receives the data"),
    "transfers": _("Other countries"),
    "retention": _("How long we keep the data"),
    "rights": _("Rights"),
    "withdrawal": _("Taking a consent back"),
    "complaint": _("Complaints"),
    "required": _("What must be given"),
    "automated": _("Decisions by machines"),
    "selling": _("Sale and sharing"),
    "more": _("Anything else"),
}

_COMMON: Final = frozenset(BLOCKS) - {"wording", "source", "required"}
OF_KIND: Final[Mapping[str, frozenset[str]]] = {
    Kind.DIRECT: _COMMON | {"required"},
    Kind.INDIRECT: _COMMON | {"source"},
    Kind.CONSENT: frozenset({"wording", "who", "purposes", "categories", "recipients", "withdrawal", "more"}),
    Kind.SEPARATE: frozenset(
        {"wording", "who", "purposes", "method", "categories", "sensitive", "recipients", "transfers", "retention",
         "rights", "withdrawal", "more"}
    ),
}  # fmt: skip
"""Which blocks each kind of notice has."""

TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "who": "Who we are", "dpo": "Data protection officer", "purposes": "What we use your data for",
        "interests": "Our interests", "method": "How we handle your data", "categories": "Which data",
        "source": "Where we have your data from", "sensitive": "Sensitive data", "recipients": "Who receives your data",
        "transfers": "Other countries", "retention": "How long we keep your data", "rights": "Your rights",
        "withdrawal": "Changing your mind", "complaint": "Complaints", "required": "Do you have to give us your data?",
        "automated": "Automated decisions", "selling": "Sale and sharing", "more": "More",
    },
    "zh": {
        "who": "我们是谁", "dpo": "数据保护负责人", "purposes": "处理目的", "interests": "我们的利益",
        "method": "处理方式", "categories": "个人信息种类", "source": "信息来源", "sensitive": "敏感个人信息",
        "recipients": "信息接收方", "transfers": "向境外提供", "retention": "保存期限", "rights": "您的权利",
        "withdrawal": "撤回同意", "complaint": "投诉", "required": "是否必须提供", "automated": "自动化决策",
        "selling": "出售与共享", "more": "其他",
    },
    "de": {
        "who": "Wer wir sind", "dpo": "Datenschutzbeauftragte", "purposes": "Wozu wir Ihre Daten verwenden",
        "interests": "Unsere Interessen", "method": "Wie wir Ihre Daten verarbeiten", "categories": "Welche Daten",
        "source": "Woher wir Ihre Daten haben", "sensitive": "Besondere Daten", "recipients": "Wer Ihre Daten erhält",
        "transfers": "Andere Länder", "retention": "Wie lange wir Ihre Daten aufbewahren", "rights": "Ihre Rechte",
        "withdrawal": "Widerruf", "complaint": "Beschwerde", "required": "Müssen Sie uns Daten geben?",
        "automated": "Automatisierte Entscheidungen", "selling": "Verkauf und Weitergabe", "more": "Weiteres",
    },
    "fr": {
        "who": "Qui nous sommes", "dpo": "Délégué à la protection des données",
        "purposes": "À quoi servent vos données", "interests": "Nos intérêts",
        "method": "Comment nous traitons vos données", "categories": "Quelles données",
        "source": "D'où viennent vos données", "sensitive": "Données sensibles", "recipients": "Qui reçoit vos données",
        "transfers": "Autres pays", "retention": "Durée de conservation", "rights": "Vos droits",
        "withdrawal": "Changer d'avis", "complaint": "Réclamations", "required": "Devez-vous nous donner vos données ?",
        "automated": "Décisions automatisées", "selling": "Vente et partage", "more": "Autres informations",
    },
    "es": {
        "who": "Quiénes somos", "dpo": "Delegado de protección de datos", "purposes": "Para qué usamos sus datos",
        "interests": "Nuestros intereses", "method": "Cómo tratamos sus datos", "categories": "Qué datos",
        "source": "De dónde proceden sus datos", "sensitive": "Datos sensibles", "recipients": "Quién recibe sus datos",
        "transfers": "Otros países", "retention": "Cuánto tiempo conservamos sus datos", "rights": "Sus derechos",
        "withdrawal": "Cambiar de opinión", "complaint": "Reclamaciones", "required": "¿Tiene que darnos sus datos?",
        "automated": "Decisiones automatizadas", "selling": "Venta y cesión", "more": "Más información",
    },
    "it": {
        "who": "Chi siamo", "dpo": "Responsabile della protezione dei dati", "purposes": "A cosa servono i suoi dati",
        "interests": "I nostri interessi", "method": "Come trattiamo i suoi dati", "categories": "Quali dati",
        "source": "Da dove provengono i suoi dati", "sensitive": "Dati sensibili",
        "recipients": "Chi riceve i suoi dati",
        "transfers": "Altri paesi", "retention": "Per quanto conserviamo i suoi dati", "rights": "I suoi diritti",
        "withdrawal": "Cambiare idea", "complaint": "Reclami", "required": "Deve darci i suoi dati?",
        "automated": "Decisioni automatizzate", "selling": "Vendita e condivisione", "more": "Altro",
    },
}  # fmt: skip
"""What stands above each block, for who reads it. In other languages the text brings its own headings."""

LANGUAGES: Final = (
    "en", "zh-hans", "zh-hant", "bg", "cs", "da", "de", "el", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "ja",
    "ko", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "tr", "uk", "vi", "ar", "hi",
)  # fmt: skip
FROM_RIGHT: Final = frozenset({"ar"})


def blocks_of(kind: str) -> list[str]:
    """Return the blocks of a kind of notice, in the order in which they are shown."""
    return [block for block in BLOCKS if block in OF_KIND[kind]]


def title_of(block: str, language: str) -> str:
    """Return what stands above a block for readers of this language; nothing above the words of a yes."""
    return TITLES.get(spoken(language), {}).get(block, "")


def spoken(language: str) -> str:
    """Return the language of a tag without its script or country, as text rules name it: zh-hans is zh."""
    return language.partition("-")[0].lower()


def language_name(language: str) -> str:
    """Return what a language calls itself."""
    return str(LANG_INFO.get(language, {}).get("name_local", language))


def language_choices() -> list[tuple[str, str]]:
    """Return the languages in which notices can be written."""
    return [(tag, language_name(tag)) for tag in LANGUAGES]
