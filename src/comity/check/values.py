"""What one cell says: a tick, a day, an age, an opt-out in somebody's own words.

Every function takes the text of one cell and answers None when it cannot be sure. Dates are written in many
orders, so a column's order is learned from all its values (`day_order`) before one of them is read.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Literal

Order = Literal["dmy", "mdy"]

# ---------------------------------------------------------------- ticks

_YES = frozenset(
    "true t yes y 1 1.0 x ✓ ✔ ☑ ✅ ☒ 🗹 checked on ja j oui o sí si s sì sim da ναι kyllä igen tak ano áno evet так да "
    "是 是的 有 对 對 同意 已同意 已勾选 √ はい はい。 有り 예 네 כן نعم हाँ हां ya có ใช่ jah jā taip wahr vrai verdadero "
    "verdadeiro vero waar prawda sant ja. yes. истина 真 .t. active enabled aktiv actif activo granted accepted agree agreed".split(),
)
_NO = frozenset(
    "false f no n 0 0.0 ✗ ✘ ☐ ❌ unchecked off nein non não nao nee nej nei ne nie nu όχι ei nem hayır hayir ні нет "
    "否 不 不是 无 無 未同意 不同意 没有 いいえ 無し 아니요 아니오 לא لا नहीं tidak không khong ไม่ ไม่ใช่ nē falsch faux falso "
    "onwaar fałsz falskt ложь 假 .f. inactive disabled inaktiv inactif inactivo declined refused disagree".split(),
)


@lru_cache(maxsize=4096)
def truth(text: str) -> bool | None:
    """Whether a tick box is ticked; None where the text is neither a yes nor a no in any language we read."""
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'[]()").strip().casefold()
    if plain in _YES:
        return True
    return False if plain in _NO else None


# ---------------------------------------------------------------- opt-outs in free text

# Words of contact, by which a refusal is told from "please do not bend the envelope".
_CONTACT = (
    r"(?:e-?mails?|mails?|mail(?:ing|ed)|contact(?:ed|ing|s)?|calls?|called|calling|phone[ds]?|ring|text(?:s|ed|ing)?|sms|"
    r"messag(?:e|es|ed|ing)|write|newsletters?|letters?|market(?:ing)?|solicit(?:ed|ation)?|promot\w*|advert\w*|offers?|"
    r"spam|approach(?:ed)?|send|disturb|subscri\w*|mailings?|list)"
)
# "No e-mails received", "no contact made", "no phone number" say what there is, not what anybody wants.
_NOT_YET = (
    r"(?:received|sent|yet|so\s+far|address\w*|opened|since|found|returned|answered|on\s+file|listed|given|available|made|"
    r"established|info\w*|details?|names?|person|numbers?|no\b|nr|budget|manager|team|plan)"
)
_GAP = r"(?:\W+\w+){0,3}?\W+"

_OPT_OUTS = (
    # English
    r"\bun-?\s?sub(?:s|bed)?\b|\bun-?\s?subscri\w*",
    r"\bopt(?:s|ed|ing)?[\s_-]*out\b",
    rf"\b(?:do\s+not|don'?t|dont|never|must\s+not|should\s+not|shouldn'?t|not\s+to)\s+(?:ever\s+|longer\s+|again\s+|to\s+)?(?:be\s+)?{_CONTACT}\b",
    rf"\b(?:do\s+not|don'?t|dont|doesn'?t|does\s+not|didn'?t|did\s+not|no\s+longer)\s+(?:want|wants|wish|wishes|like|care){_GAP}{_CONTACT}\b",
    rf"\bno\s+(?:more|further|marketing|promotional|commercial|unsolicited|sales)\s+(?:\w+\s+)?{_CONTACT}\b",
    rf"\bno\s+(?:e-?mails|mails|mailings?|newsletters?|marketing|spam|calls|texts|sms|contact|phone|advert\w*|promot\w*|solicit\w*)\b(?!\W+{_NOT_YET})",
    rf"\bstop\s+(?:(?:all|any|your|the|these|this|those|our|further|future|sending|receiving|getting|with|me|him|her|us)\s+)*(?:marketing\s+|sales\s+|promotional\s+)?{_CONTACT}\b",
    r"\b(?:asked|wants?|wishes|requested)\s+to\s+be\s+(?:removed|deleted|taken\s+off|left\s+alone)\b",
    r"\b(?:remove|removed|take|taken|delete|deleted|strike|off)\s+(?:(?:me|him|her|them|us|this|contact|from|off|the|our|your|all|any|of)\s+)*(?:mailing\s+|marketing\s+|e-?mail\s+|call\s+|distribution\s+)*lists?\b",
    r"\b(?:object(?:s|ed|ion|ing)?|withdr[ae]w(?:n|s|al|ing)?|revok(?:e|ed|es|ing)|refus(?:e|ed|es|ing))\b(?:\W+\w+){0,4}?\W+(?:market\w*|consent|contact\w*|permission|mailing|profiling|advert\w*|processing|communications?)\b",
    r"\bconsent\s+(?:was\s+|has\s+been\s+|is\s+)?(?:withdrawn|revoked|refused|denied)\b",
    r"\b(?:dnc|dnm|dne|do-not-(?:contact|call|mail|email|text))\b",
    r"\bleave\s+(?:me|him|her|them|us)\s+alone\b",
    r"\bdo\s+not\s+(?:sell|share)\b",
    # the keyword that answers a text message, alone or quoted: STOP, "stop", reply STOP
    r"^\W*(?:stop|stopp|arret|arrêt|stop\s?all|end|quit|cancel|revoke|baja|alto|parar|sair|td|回?t\s?d|tui\s?ding|退订|退訂)\W*$",
    r"\b(?:repl(?:y|ied)|text(?:ed)?|sent|wrote|answered|responded|said|says)\W+(?:with\s+)?['\"“„«]?stop\b",
    r"['\"“„«]stop['\"”“»]",
    # German
    r"\b(?:keine?n?|nie|niemals)\s+(?:(?:weitere[nrs]?|mehr|solche|ihre|eure|unerwünschten?|wieder)\s+)*(?:\w*werbung|\w*e?-?mails?|\w*newsletter|\w*mailings?|\w*anrufe?|post|\w*kontaktaufnahme|sms|briefe|nachrichten|werbe\w*|zusendung\w*)\b(?!\W+(?:erhalten|bekommen|gefunden|eingegangen|hinterlegt|vorhanden|adresse))",
    r"\b(?:nicht|nie)\b(?:\W+\w+){0,3}?\W+(?:kontaktieren|anschreiben|anrufen|anmailen|mailen|bewerben|zusenden|zuschicken|belästigen)\b",
    r"\b(?:nicht|nie)\s+(?:mehr|wieder)\s+(?:\w+\s+){0,3}(?:angeschrieben|angerufen|kontaktiert|beworben|belästigt)\b",
    r"\b(?:darf|möchte|will|soll|wünscht|wollte)\b(?:\W+\w+){0,3}?\W+nicht\s+(?:\w+\s+){0,3}?(?:angeschrieben|angerufen|kontaktiert|beworben|belästigt)\b",
    r"\b(?:abgemeldet|abmeld(?:en|ung)|abbestell\w*|ausgetragen|austragen|widerruf\w*|widersproch\w*|widersprich\w*|widerspruch|werbewiderspruch|werbesperre|werbeverbot|kontaktsperre|sperrvermerk|robinson-?\s?liste)\b",
    # French
    r"\bd[ée]sabonn\w*|\bd[ée]sinscri\w*|\bbloctel\b",
    r"\bne\s+(?:plus|pas|jamais)\b(?:\W+\w+){0,4}?\W+(?:contacter|appeler|[ée]crire|envoyer|recevoir|solliciter|d[ée]marcher|relancer|mailer)\b",
    r"\b(?:plus|pas|aucune?)\s+(?:de\s+|d')?(?:publicit[ée]s?|pub|mails?|e-?mails?|courriels?|newsletters?|sms|d[ée]marchage|prospection|relances?|sollicitations?)\b",
    r"\b(?:opposition|refus|retrait)\b(?:\W+\w+){0,4}?\W+(?:prospection|d[ée]marchage|consentement|marketing|newsletter)\b|\bs'oppose\b",
    # Spanish, Portuguese, Italian
    r"\bno\s+(?:volver\s+a\s+|quiere\s+|desea\s+|m[áa]s\s+|nos\s+)*(?:contactar|llamar|enviar(?:le)?|escribir|recibir|molestar|m[áa]s\s+(?:correos?|emails?|llamadas?|publicidad)|publicidad|correos|emails?)\b",
    r"\b(?:dado\s+de\s+baja|darse\s+de\s+baja|de\s+baja|baja\s+(?:del?\s+)?(?:bolet[íi]n|newsletter|lista|correo)|dar\s+de\s+baja|lista\s+robinson|desuscri\w*|cancelar\s+(?:la\s+)?suscripci[óo]n)\b",
    r"\bn[ãa]o\s+(?:quer\s+|deseja\s+|voltar\s+a\s+|mais\s+)*(?:contact\w*|ligar|enviar|receber|perturbar|publicidade|mandar|incomodar)\b|\bdescadastr\w*|\bcancelou\s+(?:a\s+)?(?:subscri[çc][ãa]o|inscri[çc][ãa]o)\b",
    r"\bnon\s+(?:vuole\s+|desidera\s+|pi[ùu]\s+|deve\s+|essere\s+)*(?:contattare|contattato|contattata|chiamare|inviare|scrivere|ricevere|disturbare|mandare|pubblicit[àa])\b|\bdisiscri\w*|\bcancellat[oa]\s+dalla\s+(?:lista|newsletter|mailing)\w*|\bregistro\s+(?:delle\s+)?opposizion[ie]\b|\bniente\s+(?:pubblicit[àa]|mail|newsletter)\b",
    # Dutch
    r"\b(?:uitgeschreven|uitschrijven|afgemeld|afmelden|bel-me-niet|geen\s+(?:reclame|mails?|e-?mails?|nieuwsbrie\w*|post|telefoon\w*|contact|marketing|sms))\b|\bniet\s+(?:meer\s+)?(?:mailen|bellen|benaderen|contacteren|contact\s+opnemen|aanschrijven)\b",
    # Swedish, Danish, Norwegian, Finnish
    r"\b(?:avregistrera\w*|avprenumerera\w*|avanmäl\w*|nix[- ]?(?:telefon|adresserat|registret)|afmeldt|avmeldt|frameldt|ingen\s+(?:reklam\w*|reklame|mejl|mail|sms|utskick|markedsføring|marknadsföring)|inga\s+(?:mejl|mail|utskick|nyhetsbrev|samtal)|(?:vill|önskar)\s+inte\s+(?:\w+\s+){0,3}(?:\w*mejl|\w*mail|utskick|kontakt\w*|reklam|ringas|sms|nyhetsbrev)|(?:vil|ønsker|ønskes)\s+ikke\s+(?:\w+\s+){0,3}(?:\w*mail|kontakt\w*|reklame|ringes|sms|nyhedsbrev|nyhetsbrev|oppringning)|ikke\s+(?:kontakt\w*|ring\w*|mail\w*|send\w*)|kontakta\s+inte|ring\s+inte|mejla\s+inte|peruutt?\w*|ei\s+(?:saa\s+)?(?:markkinoin\w*|mainoks\w*|yhteyden\w*|uutiskirj\w*|puhelu\w*|soittaa|sähköpost\w*)|suoramarkkinointikielto|markkinointikielto|robinson-?\s?(?:lista|listan|listen))\b",
    # Polish, Czech, Hungarian, Romanian, Greek, Turkish
    r"\b(?:wypisan\w*|wypisał\w*|rezygn\w*|sprzeciw\w*|cofnięt\w*|wycofa\w*\s+zgod\w*|nie\s+(?:kontaktować|dzwonić|wysyłać|mailować|pisać|życzy\s+sobie)|nie\s+chce\s+(?:\w+\s+){0,3}(?:mail\w*|kontakt\w*|telefon\w*|newsletter\w*|reklam\w*|ofert\w*|wiadomo\w*)|bez\s+reklam)\b",
    r"\b(?:odhlášen\w*|odhlásil\w*|neposílat|nekontaktovat|nevolat|nezasílat|nepřeje\s+si|nesouhlas\w*|odvolal\s+souhlas)\b",
    r"\b(?:leiratkoz\w*|ne\s+(?:keress\w*|hív\w*|küld\w*|írj\w*)|nem\s+kér\w*\s+(?:\w+\s+){0,2}(?:hírlev\w*|e-?mail\w*|reklám\w*|hívás\w*)|dezabon\w*|nu\s+(?:contacta\w*|suna\w*|trimite\w*|mai\s+(?:doreste|dorește|vrea)))\b",
    r"(?:απεγγρ\w*|διαγραφή\s+από\s+(?:τη\s+)?λίστα|μην?\s+(?:επικοινων\w*|στέλνετε|καλείτε)|όχι\s+(?:διαφήμι\w*|email))|\b(?:abonelikten\s+çık\w*|ret\s+listesi|aramay[ıi]n|göndermeyin|iletişime\s+geçmeyin|(?:reklam|aranmak|mesaj|e-?posta|sms)\s+istemiyor\w*)\b",
    # Russian, Ukrainian
    r"(?:отпис\w+|не\s+(?:звонить|писать|беспокоить|присылать|отправлять|слать|хочет|желает|рассылать)|без\s+рекламы|отказ\w*\s+от\s+(?:рассыл\w*|рекламы)|отозва\w+\s+согласи\w*|відпис\w+|не\s+(?:дзвонити|писати|турбувати|надсилати))",
    # Chinese, Japanese, Korean
    r"退订|退訂|取消订阅|取消訂閱|退出订阅|(?:不要|别|別|勿|请勿|請勿|不再|停止|禁止|拒绝|拒絕|拒收|不想|不愿|不願|不接受|不同意|不希望|无需|無需)[^。！？\n]{0,8}?(?:联系|聯繫|聯絡|打电话|打電話|来电|來電|电话|電話|发|發|短信|簡訊|邮件|郵件|推送|推销|推銷|营销|營銷|广告|廣告|打扰|打擾|骚扰|騷擾|接收|订阅|訂閱|推广|推廣|信息)|撤回(?:了)?同意|免打扰|黑名单",
    r"(?:配信|送信|メール|連絡|電話|案内|広告|DM)[^。\n]{0,6}?(?:停止|不要|拒否|しないで|お断り|禁止|不可|解除)|(?:停止|拒否|不要)[^。\n]{0,4}?(?:希望|依頼)|退会|オプトアウト|購読(?:を)?(?:解除|停止)",
    r"수신\s?거부|수신\s?동의\s?철회|연락\s?(?:하지|금지|거부|원하지|원치)|구독\s?(?:취소|해지)|광고\s?(?:거부|차단|원치)|보내지\s?마|전화\s?하지\s?마|동의\s?철회",
    # Arabic, Hebrew, Hindi, Vietnamese, Thai, Indonesian
    r"إلغاء\s+الاشتراك|ألغى\s+الاشتراك|لا\s+(?:ترسل|تتصل|يرغب|تراسل)\w*|עדכ?ון?\s*הסרה|הסר(?:ה|ו|ת)?\s+(?:מ|את)|להסיר\s+מ|לא\s+(?:לשלוח|להתקשר|ליצור\s+קשר)|संपर्क\s+न\s+करें|कॉल\s+न\s+करें|hủy\s+đăng\s+ký|không\s+(?:liên\s+hệ|gọi|gửi|nhận)|ยกเลิกการรับ|ไม่ต้องการ(?:รับ|ให้ติดต่อ|ข่าว)|ห้าม(?:ติดต่อ|โทร|ส่ง)|berhenti\s+berlangganan|jangan\s+(?:hubungi|kirim|telepon|telpon)",
)
# Words that take an opt-out back: "no longer unsubscribed", "has not opted out". Nothing certain is left then.
_TAKEN_BACK = re.compile(
    r"(?i)\b(?:not|never|no\s+longer|hasn'?t|didn'?t|isn'?t|wasn'?t|without|nicht|nie|pas|jamais|no|non|não)\s+(?:\w+\s+)?"
    r"(?:un-?\s?subscrib\w*|opt(?:ed|ing)?[\s_-]*out|abgemeldet|widersprochen|d[ée]sabonn\w*)",
)
# A text without any of these pieces holds no opt-out. Plain RE2 syntax, so that a database can pass over most notes.
OPT_OUT_STEMS = (
    r"(?i)(?:n.?t\b|nt\b|never|\bno\b|un.?.?sub|opt|stop|remov|delet|take|strike|\boff\b|object|withdr|revok|refus|consent|\bdn[cme]\b|"
    r"do.not|alone|\bend\b|quit|cancel|baja|alto|parar|sair|td|t\s?d|tui|arr[eê]t|keine|\bnie\b|niemals|nicht|abmeld|abgemeld|abbestell|"
    r"aus(?:ge)?trag|wider|sperr|werbeverbot|robinson|d[ée]s|bloctel|\bne\b|plus|pas\b|aucun|opposi|oppos|retrait|n[ãa]o|non\b|niente|"
    r"cancel|uitge|uitschr|afmeld|afgemeld|bel-me|geen|niet|avreg|avpren|avan|nix|avmeld|frameld|ingen|inga|inte|ikke|peruut|\bei\b|kielto|"
    r"wypis|rezyg|sprzec|cofni|wycof|bez|odhl|nepos|nekont|nevol|nezas|nep[rř]|nesouh|odvol|leirat|nem\b|dezab|\bnu\b|απεγγ|διαγρ|\bμην?\b|όχι|"
    r"abonelik|\bret\b|aramay|nderme|ilet|istemiyor|отпис|відпис|не\s|без|отказ|отоз|[退退不别別勿停禁拒取撤免黑無无要解]|オプト|しない|お断り|"
    r"수신|연락|구독|광고|보내지|전화|동의|إلغاء|ألغى|لا\s|הסר|עדכ|להסיר|לא\s|संपर्क|कॉल|h[ủu]y|kh[ôo]ng|ยกเลิก|ไม่|ห้าม|berhenti|jangan|[Ａ-Ｚａ-ｚ])"
)
_STEMS = re.compile(OPT_OUT_STEMS)
_OPT_OUT = re.compile("|".join(f"(?:{pattern})" for pattern in _OPT_OUTS), re.IGNORECASE)


@lru_cache(maxsize=65536)
def opt_out_words(text: str) -> bool | None:
    """Whether a note in somebody's own words says that a person wants no more contact.

    True or None, never False: that nobody wrote it down proves nothing, and "opted in" in a note is no consent.
    Reads English, German, French, Spanish, Portuguese, Italian, Dutch, the Nordic languages, Polish, Czech, Hungarian,
    Romanian, Greek, Turkish, Russian, Ukrainian, Chinese, Japanese, Korean, Arabic, Hebrew, Vietnamese, Thai, Indonesian.
    """
    if not _STEMS.search(text):
        return None
    plain = unicodedata.normalize("NFKC", text).replace("’", "'").replace("`", "'")
    remaining = _TAKEN_BACK.sub(" ", plain[:20_000])
    return True if _OPT_OUT.search(remaining) else None


# ---------------------------------------------------------------- days

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januar jänner janvier janv enero ene gennaio gen janeiro januari styczeń stycznia tammikuuta ocak января янв",
            "feb february februar feber février févr fév febrero febbraio fevereiro fev februari luty lutego helmikuuta şubat февраля фев",
            "mar march märz mrz mär mars marzo março maart mrt marca marzec maaliskuuta mart марта",
            "apr april avril avr abril abr aprile abr kwiecień kwietnia huhtikuuta nisan апреля апр",
            "may mai mayo maggio mag maio mei maj maja toukokuuta mayıs мая май",
            "jun june juni juin junio giugno giu junho czerwiec czerwca kesäkuuta haziran июня июн",
            "jul july juli juillet juil julio luglio lug julho lipiec lipca heinäkuuta temmuz июля июл",
            "aug august août agosto ago agustus augustus augusti sierpień sierpnia elokuuta ağustos августа авг",
            "sep sept september septembre septiembre settembre set setembro wrzesień września syyskuuta eylül сентября сен",
            "oct october oktober okt octobre octubre ottobre ott outubro out październik października lokakuuta ekim октября окт",
            "nov november novembre noviembre novembro listopad listopada marraskuuta kasım ноября ноя",
            "dec december dezember dez décembre déc diciembre dic dicembre dezembro grudzień grudnia desember joulukuuta aralık декабря дек",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK = (
    r"(?:(?:[T\s]|,\s|\s+(?:at|um|à)\s+)\s*\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?"
    r"\s*(?:Z|UTC|GMT|[A-Z]{2,5}|(?:UTC|GMT)?[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = re.compile(rf"(\d{{4}})\s?[-/.年년]\s?(\d{{1,2}})\s?[-/.月월]\s?(\d{{1,2}})[日일.]?{_CLOCK}")
_COMPACT = re.compile(rf"((?:19|20)\d{{2}})(\d{{2}})(\d{{2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])\s?(\d{{1,2}})\2\s?(\d{{4}}|\d{{2}}){_CLOCK}")
_DAY_NAMED = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?[\s\-/]*(?:de\s+)?([^\W\d_]{{3,14}})\.?,?[\s\-/]*(?:de\s+|del\s+)?'?(\d{{4}}|\d{{2}}){_CLOCK}")
_NAMED_DAY = re.compile(rf"([^\W\d_]{{3,14}})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}}){_CLOCK}")
_WEEKDAY = re.compile(r"^[^\W\d_]{2,12}\.?,\s+(?=\d|[^\W\d_]{3,})")
_EPOCH = re.compile(r"-?\d{9,10}|-?\d{12,13}")


@lru_cache(maxsize=65536)
def day(text: str, order: Order | Literal["auto"] = "auto", *, excel: bool = False) -> date | None:
    """The day a cell names, as it is written; None for no date, an impossible one, or one that can be two.

    `order` says whether 03/04/2024 is 3 April ("dmy") or 4 March ("mdy"); with "auto" only what can be one day is read.
    Seconds and milliseconds since 1970 are days in UTC. `excel` reads 45292 as a spreadsheet counts days.
    """
    plain = _WEEKDAY.sub("", unicodedata.normalize("NFKC", text).strip().strip("\"'"))
    if match := _YEAR_FIRST.fullmatch(plain) or _COMPACT.fullmatch(plain):
        return _date(match[1], match[2], match[3])
    if match := _YEAR_LAST.fullmatch(plain):
        return _ordered(match, order)
    if match := _DAY_NAMED.fullmatch(plain):
        return _date(_four_digits(match[3]), _MONTHS.get(match[2].casefold()), match[1])
    if match := _NAMED_DAY.fullmatch(plain):
        return _date(match[3], _MONTHS.get(match[1].casefold()), match[2])
    if _EPOCH.fullmatch(plain):
        return _since_1970(int(plain))
    return _since_1900(plain) if excel else None


def day_order(texts: Iterable[str]) -> Order | None:
    """Whether a column writes day or month first, from values that can only be one; None without any, or with both."""
    seen = {order for text in texts if (order := _certain_order(text))}
    return seen.pop() if len(seen) == 1 else None


def _certain_order(text: str) -> Order | None:
    match = _YEAR_LAST.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not match:
        return None
    first, second = int(match[1]), int(match[3])
    if first > 12 >= second >= 1:  # noqa: PLR2004 - twelve months
        return "dmy"
    return "mdy" if second > 12 >= first >= 1 else None  # noqa: PLR2004


def _ordered(match: re.Match[str], order: Order | Literal["auto"]) -> date | None:
    first, dots, second, year = match[1], match[2] == ".", match[3], _four_digits(match[4])
    dmy, mdy = _date(year, second, first), _date(year, first, second)
    if order == "dmy" or (dots and order == "auto"):  # nobody who writes the month first writes dots
        return dmy
    if order == "mdy":
        return mdy
    return dmy if not mdy or dmy == mdy else mdy if not dmy else None


def _four_digits(year: str) -> int:
    """`24` is 2024 and `78` is 1978, as POSIX reads them."""
    number = int(year)
    return number if len(year) == 4 else number + (1900 if number > 68 else 2000)  # noqa: PLR2004


def _date(year: str | int, month: str | int | None, day_of_month: str | int) -> date | None:
    try:
        return date(int(year), int(month or 0), int(day_of_month))
    except ValueError:
        return None


def _since_1970(number: int) -> date | None:
    seconds = number / 1000 if abs(number) >= 10**11 else number
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).date()
    except OverflowError:
        return None


def _since_1900(text: str) -> date | None:
    """Excel counts from 1900 and believes that 29 February 1900 was a day, hence the odd start."""
    match = re.fullmatch(r"(\d{1,5})(?:\.\d+)?", text)
    serial = int(match[1]) if match else 0
    return date(1899, 12, 30) + timedelta(days=serial) if serial > 60 else None  # noqa: PLR2004 - that day is number 60


# ---------------------------------------------------------------- ages


@lru_cache(maxsize=65536)
def age_bounds(text: str, today: date, order: Order | Literal["auto"] = "auto") -> tuple[int, int] | None:
    """The least and the most completed years of life on `today`, from a birth date, month, year, decade or an age.

    A date that can be two days gives the bounds of both. A future birth, an age over 130 and what nobody can read: None.
    """
    plain = unicodedata.normalize("NFKC", text).strip().strip("\"'")
    births = _births(plain, order)
    if births is None:
        return _stated_age(plain)
    first, last = births
    if first > today or last.year < today.year - 130:
        return None
    return _years(min(last, today), today), _years(first, today)


def _births(text: str, order: Order | Literal["auto"]) -> tuple[date, date] | None:
    """The first and the last day on which the person can have been born."""
    if born := _born_on(text, order):
        return min(born), max(born)
    return _month_of_birth(text) or _year_of_birth(text) or _decade_of_birth(text)


def _born_on(text: str, order: Order | Literal["auto"]) -> list[date]:
    """Every day that a full date can mean: in both orders where none is known, in both centuries of a short year."""
    written = [text]
    if match := re.fullmatch(r"(.*[^\d])(\d{2})", text):
        written = [f"{match[1]}{century}{match[2]}" for century in (19, 20)]
    orders: tuple[Order | Literal["auto"], ...] = ("auto", "dmy", "mdy") if order == "auto" else (order,)
    readings = ([day(form, one) for form in written] for one in orders)
    return next(([born for born in found if born] for found in readings if any(found)), []) if order != "auto" else (
        [born for found in readings for born in found if born]
    )


def _month_of_birth(text: str) -> tuple[date, date] | None:
    year_first = re.fullmatch(r"((?:19|20)\d{2})\s?[-/.年]\s?(\d{1,2})月?", text)
    month_first = re.fullmatch(r"(\d{1,2})\s?[-/.]\s?((?:19|20)\d{2})", text)
    named = re.fullmatch(r"([^\W\d_]{3,14})\.?,?\s+((?:19|20)\d{2})", text)
    if year_first:
        year, month = int(year_first[1]), int(year_first[2])
    elif month_first:
        year, month = int(month_first[2]), int(month_first[1])
    elif named:
        year, month = int(named[2]), _MONTHS.get(named[1].casefold(), 0)
    else:
        return None
    first = _date(year, month, 1)
    return (first, first.replace(day=monthrange(year, month)[1])) if first else None


def _year_of_birth(text: str) -> tuple[date, date] | None:
    match = re.fullmatch(r"(?:\*\s*)?((?:19|20)\d{2})(?:\.0)?\s?(?:年(?:生|出生)?|г\.?(?:р\.?)?)?", text)
    return (date(int(match[1]), 1, 1), date(int(match[1]), 12, 31)) if match else None


def _decade_of_birth(text: str) -> tuple[date, date] | None:
    """`80后` was born in the eighties, `1980s` and `'80s` too; `00后` in 2000 to 2009."""
    match = re.fullmatch(r"(?:(?:19|20)?(\d)0)\s?(?:后|後|'?s)", text.removeprefix("'"))
    if not match:
        return None
    written = re.match(r"(19|20)\d0", text)
    century = int(written[1]) * 100 if written else (1900 if int(match[1]) >= 3 else 2000)  # noqa: PLR2004 - 30s to 90s
    first = century + int(match[1]) * 10
    return date(first, 1, 1), date(first + 9, 12, 31)


def _stated_age(text: str) -> tuple[int, int] | None:
    """`34`, `34 years`, `25-34`, `65+`: an age somebody wrote down, taken as it stands: people only grow older."""
    years = r"\s?(?:years?(?:\s+old)?|yrs?|y/?o|jahre?(?:\s+alt)?|ans|años|anni|anos|岁|歲|歳|세|лет)?"
    if match := re.fullmatch(rf"(\d{{1,3}})(?:\.0)?{years}", text, re.IGNORECASE):
        age = int(match[1])
        return (age, age) if age <= 130 else None  # noqa: PLR2004 - nobody is older
    if match := re.fullmatch(rf"(\d{{1,3}})\s?(?:-|–|—|~|to|bis|à|a|至)\s?(\d{{1,3}}){years}", text, re.IGNORECASE):
        low, high = int(match[1]), int(match[2])
        return (low, high) if low <= high <= 130 else None  # noqa: PLR2004
    if match := re.fullmatch(rf"(\d{{1,3}})\s?(?:\+|and\s+over|or\s+older|以上|und\s+älter|et\s+plus){years}", text, re.IGNORECASE):
        return (int(match[1]), 130) if int(match[1]) <= 130 else None  # noqa: PLR2004
    return None


def _years(born: date, today: date) -> int:
    """Completed years; who was born on 29 February completes a year on 1 March of a common year."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
