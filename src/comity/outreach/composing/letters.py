"""One person's e-mail: their words, what their law wants beside them, headers by which programs refuse for them.

INVARIANT: nothing in it is loaded from elsewhere, and nothing in it tells that it was opened.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from email.message import EmailMessage
from html import escape
from typing import Final, Literal
from urllib.parse import quote
from uuid import UUID

from django.utils.translation import gettext as _

from comity.law.obligations import Merged
from comity.outreach.composing.accompaniment import Block, Case, blocks
from comity.outreach.composing.content import Filled, NothingKnown, Prepared
from comity.outreach.composing.headers import POLICY
from comity.outreach.composing.markup import INK, LINE, STYLES
from comity.outreach.composing.parties import BadAddress, Links, Recipient, Sender, Told, mail_address
from comity.outreach.composing.passages import Passages
from comity.outreach.composing.placeholders import plain
from comity.outreach.composing.ways import Unmet, by_kind
from comity.refs import shown

Sort = Literal["campaign", "automatic", "personal"]
"""What a message is: one of many, what a program sends by itself, or what somebody wrote to one person."""


FALSE_REPLY: Final = re.compile(r"\s*(?:re|aw|sv|fwd?|wg|tr|回复|答复|转发)\s*[:：]", re.IGNORECASE)
HAN: Final = re.compile("[\u3400-\u9fff]")


def compose_email(
    *,
    content: Prepared,
    recipient: Recipient,
    sender: Sender,
    obligations: Iterable[Merged],
    links: Links,
    ref: UUID,
    at: datetime,
    told: Told | None = None,
    seen_to: Collection[str] = (),
    sort: Sort = "campaign",
    answers: str = "",
    name: str = "",
) -> EmailMessage:
    """Make one person's message, ready for SMTP, except for what only a relay knows.

    `obligations` are those of this person's decision, all of them; `seen_to` are the kinds among them that whoever
    sends sees to (`to_see_to`). `ref` is the message's own and tells nothing of the person; `name` stands in the
    Message-ID in its place, so that what comes back is known. `answers` is the Message-ID of what this replies to.
    Raises Unmet, BadAddress or NothingKnown, all of them NotComposed: then nothing is sent.
    """
    told = told or Told()
    wanted = by_kind(obligations, seen_to=seen_to)
    case = Case(
        recipient=recipient,
        sender=sender,
        links=links,
        told=told,
        passages=Passages(recipient.language, sender.language),
    )
    filled = content.filled(recipient.language, {**recipient.values, **sender.values(), **links.values()})
    message = EmailMessage(policy=POLICY)
    _address(message, recipient, sender)
    message["Subject"] = _subject(filled, wanted, recipient, answers)
    _identify(message, sender, name or shown(ref).lower(), at, answers)
    _ways_out(message, links, sort)
    _write(message, filled, blocks(wanted, case), case.passages)
    message.set_boundary(f"={ref.hex}=")
    return message


# ---------------------------------------------------------------- headers


def _address(message: EmailMessage, recipient: Recipient, sender: Sender) -> None:
    if not plain(sender.entity):
        raise BadAddress(_("The entity that sends has no name."))
    message["From"] = mail_address(sender.address, sender.entity)
    message["To"] = mail_address(recipient.address, recipient.called)
    if sender.reply_to:
        message["Reply-To"] = mail_address(sender.reply_to)


def _subject(filled: Filled, wanted: Mapping[str, Merged], recipient: Recipient, answers: str) -> str:
    subject = filled.subject
    if not subject:
        raise NothingKnown(_("The subject is empty."))
    truthful = wanted.get("truthful-subject")
    if truthful and not answers and FALSE_REPLY.match(subject):
        raise Unmet(truthful, _("The subject begins as an answer does, and answers nothing: take that out."))
    label = wanted.get("ad-label")
    return marked(subject, label, recipient.language) if label else subject


def marked(subject: str, label: Merged, language: str) -> str:
    """Return a subject that begins with a mark of advertising, where the law says with which.

    Several laws may each name some; "one of these" is theirs together, and the one in the reader's script is taken.
    """
    prefixes = label.parameters.get("subject_prefix", ())
    words = [str(word) for word in prefixes] if isinstance(prefixes, tuple | list) else []
    if not words or any(_begins(subject, word) for word in words):
        return subject
    chinese = language.lower().startswith("zh")
    word = next((word for word in words if bool(HAN.search(word)) == chinese), words[0])
    return f"{word} {subject}" if HAN.search(word) else f"{word}: {subject}"


def _begins(subject: str, word: str) -> bool:
    rest = subject[len(word) :]
    return subject.lower().startswith(word.lower()) and not (
        word.isascii() and rest[:1].isascii() and rest[:1].isalnum()
    )


def _identify(message: EmailMessage, sender: Sender, name: str, at: datetime, answers: str) -> None:
    if at.tzinfo is None:
        raise ValueError("the hour of a message has a time zone; give an aware datetime")
    domain = mail_address(f"message@{sender.message_domain}" if sender.message_domain else sender.address).domain
    message["Date"] = at
    message["Message-ID"] = f"<{name}@{domain}>"
    if answers:
        if not re.fullmatch(r"<[^<>\s@]{1,200}@[^<>\s@]{1,200}>", answers):
            raise BadAddress(_("This is no Message-ID to answer: write it as <…@…>."))
        message["In-Reply-To"] = answers
        message["References"] = answers


def _ways_out(message: EmailMessage, links: Links, sort: Sort) -> None:
    """Let mail programs refuse for their people (RFC 2369, 8058), and machines know one of their own (RFC 3834)."""
    ways = []
    if links.unsubscribe:
        ways.append(f"<{links.unsubscribe}>")
    if links.unsubscribe_mail:
        to = mail_address(links.unsubscribe_mail).addr_spec
        ways.append(f"<mailto:{quote(to, safe='@+')}?subject={quote(plain(links.unsubscribe_subject), safe='')}>")
    if ways:
        message["List-Unsubscribe"] = ", ".join(ways)
    if links.unsubscribe:
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if sort == "campaign":
        message["Precedence"] = "bulk"
    elif sort == "automatic":
        message["Auto-Submitted"] = "auto-generated"


# ---------------------------------------------------------------- the two bodies


def _write(message: EmailMessage, filled: Filled, made: tuple[Block, ...], passages: Passages) -> None:
    """Write text, then HTML: programs show the last that they can."""
    message["Content-Language"] = ", ".join(dict.fromkeys((filled.language, *passages.languages)))
    message.set_content(as_text(filled, made), charset="utf-8")
    message.add_alternative(as_page(filled, made, passages), subtype="html", charset="utf-8")


def as_text(filled: Filled, made: tuple[Block, ...]) -> str:
    """Return the plain text: what stands first, the content, and the rest under a line."""
    head = [block.says for block in made if block.first]
    foot = [_block_as_text(block) for block in made if not block.first]
    parts = [*head, filled.text, *(["-" * 20] if foot else []), *foot]
    return "\n\n".join(part for part in parts if part) + "\n"


def _block_as_text(block: Block) -> str:
    links = (_link_as_text(*link) for link in block.links)
    lines = [block.heading.upper(), block.says, *links, block.after]
    return "\n".join(line for line in lines if line)


def _link_as_text(label: str, link: str) -> str:
    return link if label == link else f"{label}: {link}"


PAGE: Final = """\
<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{subject}</title></head>
<body style="margin:0;padding:1.25em;font-family:Georgia,'Noto Serif SC',serif;font-size:16px;line-height:1.55;
color:{ink}">
<div style="max-width:38em;margin:0 auto">
{head}<main>
{body}</main>
{foot}</div>
</body>
</html>
"""
SMALL: Final = "font-size:.85em"
FRAME: Final = f"border:1px solid {LINE};padding:.7em 1em;margin:0 0 1em;{SMALL}"


def as_page(filled: Filled, made: tuple[Block, ...], passages: Passages) -> str:
    """Return the HTML: the same words in the same order, in a look that loads nothing."""
    preview = f'<p style="{STYLES["p"]};{SMALL}">{escape(filled.preheader)}</p>\n' if filled.preheader else ""
    head = "".join(_block_as_html(block) for block in made if block.first)
    rest = "".join(_block_as_html(block) for block in made if not block.first)
    foot = f'<hr style="{STYLES["hr"]}">\n<footer lang="{passages.language}">\n{rest}</footer>\n' if rest else ""
    return PAGE.format(
        language=filled.language,
        subject=escape(filled.subject),
        ink=INK,
        head=preview + head,
        body=filled.html,
        foot=foot,
    )


def _block_as_html(block: Block) -> str:
    heading = f"<strong>{escape(block.heading)}</strong><br>\n" if block.heading else ""
    links = "".join(f' <a href="{escape(link)}" style="color:{INK}">{escape(label)}</a>' for label, link in block.links)
    after = f" {escape(block.after)}" if block.after else ""
    style = FRAME if block.apart else f"{STYLES['p']};{SMALL}"
    tag = "section" if block.apart else "p"
    return f'<{tag} style="{style}">{heading}{escape(block.says)}{links}{after}</{tag}>\n'
