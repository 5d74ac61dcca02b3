"""Providers of text and messenger messages, as their public documentation describes them: facts, and nothing more.

They are examples of `Adapter`, and useful ones. What each does not have is said beside it.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from django.utils.translation import gettext_lazy as _

from comity.post.gateways import Answer, Outcome, Setting
from comity.post.http import NotAsked, Reply, Request, code_of

if TYPE_CHECKING:
    from comity.post.letters import Letter

NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
FORM: Final = "application/x-www-form-urlencoded;charset=utf-8"
JSON_TYPE: Final = "application/json;charset=utf-8"
MOST_LETTERS: Final = 1_600


def _number(letter: Letter) -> str:
    if not NUMBER.fullmatch(letter.to):
        raise NotAsked("no-such-address")
    return letter.to


def _refused(reply: Reply, code: object, meanings: Mapping[str, tuple[Outcome, str]]) -> Answer:
    """Return what a refusal means: by the provider's own code where it is known, else that it is one."""
    outcome, why = meanings.get(str(code), (Outcome.FAILED, "policy"))
    return Answer(outcome=outcome, why=why, code=code_of(code, reply), shut=outcome is Outcome.AGAIN)


# ---------------------------------------------------------------- text messages


class Twilio:
    """Twilio's Messages (API of 2010-04-01): text messages, in letters of GSM or UCS-2 as they come.

    There is no key by which a request would be known again: an attempt without an answer stays uncertain. What becomes
    of a message later is told to an address of ours, which this does not ask for.
    """

    channels = frozenset({"sms"})
    says = "Twilio"
    address = "https://api.twilio.com"
    settings: tuple[Setting, ...] = (
        Setting(
            name="account", says="Account SID", looks=r"AC[0-9a-fA-F]{32}", cure=_("AC and 32 letters and digits.")
        ),
        Setting(
            name="sender", says=_("Sends from"), looks=r"\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}|[A-Za-z0-9 ]{1,11}",
            help=_("A number with its calling code, up to 11 letters, or the SID of a messaging service."),
            cure=_("A number like +4915100000000, up to 11 letters and digits, or MG and 32 letters and digits."),
        ),
    )  # fmt: skip
    meanings: Final = {
        "21211": (Outcome.FAILED, "no-such-address"), "21614": (Outcome.FAILED, "no-such-address"),
        "21610": (Outcome.FAILED, "opted-out"), "20429": (Outcome.AGAIN, "busy"), "20003": (Outcome.AGAIN, "sign-in"),
    }  # fmt: skip

    def request(self, letter: Letter, settings: Mapping[str, Any], secret: str) -> Request:
        """Ask for one message."""
        sender, text = str(settings["sender"]), letter.data.decode()
        if len(text) > MOST_LETTERS:
            raise NotAsked("policy")
        by = "MessagingServiceSid" if re.fullmatch(r"MG[0-9a-fA-F]{32}", sender) else "From"
        signed = b64encode(f"{settings['account']}:{secret}".encode()).decode()
        return Request(
            path=f"/2010-04-01/Accounts/{settings['account']}/Messages.json",
            headers={"Authorization": f"Basic {signed}", "Content-Type": FORM, "Accept": "application/json"},
            body=urlencode({"To": _number(letter), by: sender, "Body": text}).encode(),
        )

    def read(self, reply: Reply) -> Answer:
        """Taken is what has an SID of its own."""
        told = reply.told()
        if reply.code >= WRONG:
            return _refused(reply, told.get("code"), self.meanings)
        if str(told.get("status")) in {"failed", "undelivered", "canceled"}:
            return _refused(reply, told.get("error_code"), self.meanings)
        taken = bool(re.fullmatch(r"(SM|MM)[0-9a-fA-F]{32}", str(told.get("sid", ""))))
        return _taken(reply, taken=taken)


WRONG: Final = 400


def _taken(reply: Reply, *, taken: bool) -> Answer:
    """Return that it was taken; an answer that does not say so leaves us not knowing."""
    if taken:
        return Answer(outcome=Outcome.SENT, code=str(reply.code))
    return Answer(outcome=Outcome.UNCERTAIN, why="no-answer", code=str(reply.code), shut=True)


# ---------------------------------------------------------------- messengers


def _template(letter: Letter) -> tuple[str, str, list[str]]:
    """Return the name of a template, its language, and what stands in its places, as `messenger` composes it."""
    told = json.loads(letter.data)
    return str(told["template"]), str(told["language"]), [str(one) for one in told["parameters"]]


class WhatsApp:
    """WhatsApp's Cloud API: messages by templates that Meta approved before.

    There is no key by which a request would be known again. Templates are approved there, not here; messages without
    one, which answer within a day, are not sent by this.
    """

    channels = frozenset({"messenger"})
    says = "WhatsApp Cloud API"
    address = "https://graph.facebook.com"
    settings: tuple[Setting, ...] = (
        Setting(
            name="number", says=_("ID of the number"), looks=r"[0-9]{5,20}", cure=_("Digits alone, as Meta shows it.")
        ),
        Setting(name="version", says=_("Version of the API"), looks=r"v[0-9]{1,3}\.[0-9]{1,2}", cure=_("As in v23.0.")),
    )  # fmt: skip
    meanings: Final = {
        "131026": (Outcome.FAILED, "no-such-address"), "131050": (Outcome.FAILED, "opted-out"),
        "130429": (Outcome.AGAIN, "busy"), "80007": (Outcome.AGAIN, "busy"), "131048": (Outcome.AGAIN, "busy"),
        "190": (Outcome.AGAIN, "sign-in"), "132001": (Outcome.FAILED, "policy"),
    }  # fmt: skip

    def request(self, letter: Letter, settings: Mapping[str, Any], secret: str) -> Request:
        """Ask for one message by a template."""
        name, language, values = _template(letter)
        number = letter.to if letter.to.startswith("+") else f"+{letter.to}"
        if not NUMBER.fullmatch(number):
            raise NotAsked("no-such-address")
        body = {"type": "body", "parameters": [{"type": "text", "text": value} for value in values]}
        asked = {
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": number[1:], "type": "template",
            "template": {"name": name, "language": {"code": language}, "components": [body] if values else []},
        }  # fmt: skip
        return Request(
            path=f"/{settings['version']}/{settings['number']}/messages",
            headers={"Authorization": f"Bearer {secret}", "Content-Type": JSON_TYPE},
            body=json.dumps(asked).encode(),
        )

    def read(self, reply: Reply) -> Answer:
        """Taken is what has an ID of its own."""
        told = reply.told()
        error = told.get("error")
        if reply.code >= WRONG or isinstance(error, dict):
            return _refused(reply, error.get("code") if isinstance(error, dict) else None, self.meanings)
        sent = told.get("messages")
        first = sent[0] if isinstance(sent, list) and sent else None
        return _taken(reply, taken=isinstance(first, dict) and bool(first.get("id")))


class WeChat:
    """WeChat's template messages of an official account (模板消息): to an openid, by a template that WeChat approved.

    The secret is an access token. WeChat lets one live for two hours: whoever runs the account's token server, as
    WeChat advises, writes each new one into the secret's file. This does not fetch tokens, and while the token is old
    nothing goes out and nothing is lost. A request that WeChat had within ten minutes it knows again by its key.
    """

    channels = frozenset({"messenger"})
    says = "WeChat 模板消息"
    address = "https://api.weixin.qq.com"
    settings: tuple[Setting, ...] = (
        Setting(
            name="fields", says=_("Fields of the template"),
            looks=r"[A-Za-z][A-Za-z0-9_]{0,39}(,[A-Za-z][A-Za-z0-9_]{0,39}){0,19}",
            help=_("Their names, as in thing1, in the order of the places in the message, with commas between."),
            cure=_("Names like thing1,thing2 with commas and no spaces between."),
        ),
    )  # fmt: skip
    meanings: Final = {
        **dict.fromkeys(("40001", "40014", "42001", "41001"), (Outcome.AGAIN, "sign-in")),
        **dict.fromkeys(("45009", "45011"), (Outcome.AGAIN, "busy")),
        "40003": (Outcome.FAILED, "no-such-address"), "43004": (Outcome.FAILED, "opted-out"),
        "43101": (Outcome.FAILED, "opted-out"), "-1": (Outcome.UNCERTAIN, "no-answer"),
    }  # fmt: skip

    def request(self, letter: Letter, settings: Mapping[str, Any], secret: str) -> Request:
        """Ask for one message by a template."""
        name, _language, values = _template(letter)
        fields = str(settings["fields"]).split(",")
        if not re.fullmatch(r"[A-Za-z0-9_-]{6,64}", letter.to):
            raise NotAsked("no-such-address")
        if len(fields) != len(values):
            raise NotAsked("policy")
        asked = {
            "touser": letter.to, "template_id": name, "client_msg_id": sha256(letter.key.encode()).hexdigest()[:32],
            "data": {field: {"value": value} for field, value in zip(fields, values, strict=True)},
        }  # fmt: skip
        return Request(
            path=f"/cgi-bin/message/template/send?access_token={quote(secret, safe='')}",
            headers={"Content-Type": JSON_TYPE},
            body=json.dumps(asked, ensure_ascii=False).encode(),
        )

    def read(self, reply: Reply) -> Answer:
        """WeChat answers 200 to whatever it understood, and says in it what became of it."""
        told = reply.told()
        code = told.get("errcode")
        if isinstance(code, int) and code != 0:
            return _refused(reply, code, self.meanings)
        return _taken(reply, taken=code == 0 and reply.code < WRONG)
