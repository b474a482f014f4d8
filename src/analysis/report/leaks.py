"""Personal data, secrets and places of the machine in texts that leave the house.

The shapes come from libraries that others keep: ``detect-secrets`` (as a library: nothing is asked of any network), ``phonenumbers``,
``python-stdnum`` with the check digits of identity numbers, accounts and cards. What they lack is added here. Texts are read in one form
(full-width letters and digits as plain ones, signs without width taken out), because a disguise is printed as well as the thing itself.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from itertools import accumulate
from typing import Any, Literal

Kind = Literal["secrets", "personal", "paths"]

_UNSEEN = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_DASHES = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")
_OTHER_DIGIT = re.compile(r"[^\x00-\x7f\D]")


@dataclass(frozen=True, kw_only=True)
class Leak:
    """Something that must not leave: what it is, where it stands first, and the text itself (never printed whole)."""

    kind: Kind
    what: str
    place: str
    text: str

    @property
    def hint(self) -> str:
        """Enough to find it by, not enough to use it."""
        return _hint(self.text)


def plain(text: str) -> str:
    """The one form in which texts are read."""
    if text.isascii():
        return text
    text = _DASHES.sub("-", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))
    return _OTHER_DIGIT.sub(lambda digit: str(unicodedata.decimal(digit[0])), text)


def leaks(
    texts: Mapping[str, str], *, regions: Collection[str] = (), allowed: Collection[str] = ()
) -> list[Leak]:
    """What must not leave, in the order of the texts.

    Parameters
    ----------
    texts : place of each text, by the text
    regions : countries (``CN``) whose telephone numbers are known without their prefix; those of the run
    allowed : texts that may leave, from ``params/may_leave.yml``
    """
    may = {plain(text) for text in allowed}
    read = [
        (place, plain(unescape(text) if "&" in text else text))
        for text, place in texts.items()
        if not _SAYS_NOTHING.fullmatch(text)
    ]
    marked = _Marked([form for _, form in read])
    counted = [position for position, (_, form) in enumerate(read) if _LONG.search(form)]
    found: dict[int, list[Match]] = {}
    for shape in (*_secret_shapes(), *_PLACE_SHAPES, *_personal_shapes(frozenset(regions))):
        asked = marked.by(shape.marks) if shape.marks else counted if shape.counted else range(len(read))
        for position in asked:
            form = read[position][1]
            if len(form) >= shape.shortest:
                for start, text in shape.found(form):
                    found.setdefault(position, []).append((shape.kind, shape.what, start, text))
    return [
        Leak(kind=kind, what=what, place=read[position][0], text=text)
        for position in sorted(found)
        for kind, what, _, text in _apart(found[position])
        if text not in may
    ]


# A number with decimals, a day or a hash: the greater part of what a pack holds, and nobody's secret.
_SAYS_NOTHING = re.compile(
    r"[+-]?[\d,]*\.\d+(?:e[+-]?\d+)?|\d{4}-\d\d(?:-\d\d(?:[ T][\d:.]+)?)?|(?=\d*[a-f])[0-9a-f]{16}|[0-9a-f]{40}|[0-9a-f]{64}",
    re.IGNORECASE,
)
Match = tuple[Kind, str, int, str]


class _Marked:
    """Which texts hold one of a few marks, small letters or not: all texts are searched as one, which is quick."""

    def __init__(self, forms: Iterable[str]) -> None:
        lowered = [form.lower() for form in forms]
        self._all = "\n".join(lowered)
        self._starts = [0, *accumulate(len(form) + 1 for form in lowered)]

    def by(self, marks: Iterable[str]) -> list[int]:
        return sorted({position for mark in marks for position in self._positions(mark)})

    def _positions(self, mark: str) -> Iterator[int]:
        at = self._all.find(mark)
        while at >= 0:
            position = bisect_right(self._starts, at) - 1
            yield position
            at = self._all.find(mark, self._starts[position + 1])


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """How one kind of thing looks. ``marks`` (small letters), of which one stands in every such text, and ``counted`` (six digits) keep it quick."""

    kind: Kind
    what: str
    found: Callable[[str], Iterable[tuple[int, str]]]
    marks: tuple[str, ...] = ()
    shortest: int = 5
    counted: bool = False


def _apart(matches: Iterable[Match]) -> Iterator[Match]:
    """Each place of a text once, by the first shape that knows it: an address within a connection string is part of it."""
    taken: list[tuple[int, int]] = []
    for match in matches:
        start, end = match[2], match[2] + len(match[3])
        if all(end <= first or start >= last for first, last in taken):
            taken.append((start, end))
            yield match


def _whole(pattern: re.Pattern[str]) -> Callable[[str], Iterable[tuple[int, str]]]:
    return lambda text: ((match.start(), match[0].rstrip()) for match in pattern.finditer(text))


def masked(text: str) -> str:
    """A message without the secrets and personal data it quotes."""
    for leak in leaks({text: ""}):
        text = text.replace(leak.text, leak.hint) if leak.text in text else _hint(text)
    return text


def _hint(text: str) -> str:
    """The first two characters of something longer."""
    return text[:2] + "…" if len(text) > 3 else "…"


# ---------------------------------------------------------------- secrets

_TOKEN = r"[A-Za-z0-9_-]"
# What detect-secrets has no shape for, or only for the length of one year.
_OWN_SHAPES: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    (
        "a private key",
        re.compile(
            r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[A-Za-z0-9+/=\s]*)|PuTTY-User-Key-File-\d"
        ),
        ("private key", "putty-user-key"),
    ),
    (
        "an access key",
        re.compile(
            rf"\bAIza{_TOKEN}{{30,}}|\bsk-{_TOKEN}{{18,}}|\bgithub_pat_\w{{20,}}|\bgh[pousr]_\w{{30,}}|\bglpat-{_TOKEN}{{16,}}"
            rf"|\b(?:AKIA|ASIA)[0-9A-Z]{{16}}\b|\bxox[abeoprs]-{_TOKEN}{{10,}}|\bxapp-{_TOKEN}{{10,}}|\bya29\.[\w.-]{{20,}}|\bhf_[A-Za-z]{{30,}}"
            rf"|\bnpm_[A-Za-z0-9]{{30,}}|\bdop_v1_[a-f0-9]{{40,}}|\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{{32}}|\b[rsp]k_(?:live|test)_[0-9a-zA-Z]{{16,}}"
            rf"|\bLTAI[A-Za-z0-9]{{12,}}|\bAKID[A-Za-z0-9]{{20,}}|\bwhsec_[A-Za-z0-9]{{20,}}|\bSG\.{_TOKEN}{{16,}}\.{_TOKEN}{{16,}}"
        ),
        (
            "aiza",
            "sk-",
            "github_pat_",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "glpat-",
            "akia",
            "asia",
            "xox",
            "xapp-",
            "ya29.",
            "hf_",
            "npm_",
            "dop_v1_",
            "shpat_",
            "shpca_",
            "shppa_",
            "shpss_",
            "k_live_",
            "k_test_",
            "ltai",
            "akid",
            "whsec_",
            "sg.",
        ),
    ),
    (
        "a token",
        re.compile(
            r"\bBearer\s+(?=\S*\d)[A-Za-z0-9._~+/-]{16,}=*|\bAuthorization\s*:\s*(?:Basic|Digest|Token)\s+\S{8,}"
            r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
            re.IGNORECASE,
        ),
        ("bearer", "authorization", "eyj"),
    ),
    ("a signed address", re.compile(r"[?&]sig=[A-Za-z0-9%+/=]{20,}"), ("sig=",)),
)
# The end of a connection from what stands in it always, and how it may begin before that.
_CONNECTIONS = (
    (
        re.compile(r"://[^\s/:@\"'<>]*:[^\s\"'<>/]+@(?=[\w\[.])|://[^\s/:@\"'<>]*:[^\s\"'<>@]+@(?=[\w\[])"),
        re.compile(r"[A-Za-z][A-Za-z0-9+.-]*$"),
    ),
    (re.compile(r"@(?://)?[\w.-]+(?::\d+)?/\w+"), re.compile(r"(?<![\w/.])\w[\w$.]*/[^\s/@\"'<>:]+$")),
    (re.compile(r"mysql[^\n]*? -p[^\s-]\S{3,}"), re.compile(r"$")),
)
_NAMED = re.compile(
    r"(?:password|passwd|passphrase|secret(?:[_ -]?key)?|api[_ -]?key|access[_ -]?key|account[_ -]?key|SharedAccess(?:Key|Signature)|private[_ -]?key"
    r"|(?<![A-Za-z])(?:pass|pwd|token|auth[_ -]?token|access[_ -]?token|credentials?)|(?<=_)(?:pass|pwd|token)|密码|口令|密钥|令牌)"
    r"[\"']?\s*(?P<sign>:=|=>|[=:])\s*(?P<quote>[\"']?)(?P<value>[^\s\"'<>;,|&]{4,})(?P<end>[\"']?)",
    re.IGNORECASE,
)
# Stands for a secret and is none: ****, <password>, ${PASSWORD}, {password}, a call or a name in a program.
_STANDS_FOR = re.compile(
    r"[*•.x_…-]{3,}|[$%]?\{.*|\$\w+|%\(?\w.*|\[.*|.*\(.*|(?:none|null|true|false|self\..*|os\..*|env\..*|getenv.*)[)\]]*",
    re.IGNORECASE,
)
_NAMES = (
    "pass",
    "pwd",
    "secret",
    "key",
    "token",
    "sharedaccess",
    "credential",
    "密码",
    "口令",
    "密钥",
    "令牌",
)
_RANDOM = re.compile(r"(?<![\w/+=.-])(?!sha\d{3}-)[A-Za-z0-9+/_-]{24,}={0,2}(?![\w/+=-])")
LEAST_ENTROPY = 4.0
LEAST_CHANGES = 0.35


@cache
def _secret_shapes() -> tuple[_Shape, ...]:
    own = [
        _Shape(kind="secrets", what=what, found=_whole(pattern), marks=marks)
        for what, pattern, marks in _OWN_SHAPES
    ]
    known = [
        _Shape(kind="secrets", what=f"a secret ({kind.secret_type})", found=_whole(pattern), marks=marks)
        for kind, marks in _known_kinds()
        for pattern in kind.denylist
    ]
    return (
        *own,
        *known,
        _Shape(
            kind="secrets", what="a password in a connection", found=_connections, marks=("://", "@", "mysql")
        ),
        _Shape(kind="secrets", what="a password", found=_named, marks=_NAMES),
        _Shape(kind="secrets", what="a key", found=_random, shortest=24),
    )


def _connections(text: str) -> Iterator[tuple[int, str]]:
    for pattern, beginning in _CONNECTIONS:
        for match in pattern.finditer(text):
            if before := beginning.search(_before(match, 80)):
                yield match.start() - len(before[0]), before[0] + match[0]


def _named(text: str) -> Iterator[tuple[int, str]]:
    return ((match.start(), match[0]) for match in _NAMED.finditer(text) if _is_a_value(match))


def _random(text: str) -> Iterator[tuple[int, str]]:
    return ((match.start(), match[0]) for match in _RANDOM.finditer(text) if looks_random(match[0]))


def _is_a_value(match: re.Match[str]) -> bool:
    """Whether what stands behind a name of a secret is one: quoted, or with a digit or a sign in it, or given without a space."""
    value = match["value"].rstrip(".)]}")
    if len(value) < 4 or _STANDS_FOR.fullmatch(value):
        return False
    if match["quote"]:
        return match["quote"] == match["end"] and len(value) > 5
    code_word = value.isidentifier() and match.string[match.end() : match.end() + 1] in (",", ")")
    if re.search(r"\d|[^\w.]", value) and not value.isdigit():
        return not code_word
    tight = match["sign"] == "=" and "= " not in match[0] and " =" not in match[0]
    return tight and not code_word and value.isascii()


def _known_kinds() -> tuple[tuple[Any, tuple[str, ...]], ...]:
    """Detectors of detect-secrets that know a secret by its own form, with what stands in every such secret."""
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        discord,
        github_token,
        gitlab_token,
        mailchimp,
        npm,
        openai,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    return (
        (aws.AWSKeyDetector, ("akia", "abia", "acca", "asia", "a3t", "aws")),
        (azure_storage_key.AzureStorageKeyDetector, ("accountkey",)),
        (discord.DiscordBotTokenDetector, (".",)),
        (github_token.GitHubTokenDetector, ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
        (gitlab_token.GitLabTokenDetector, ("gl", "gr1348941")),
        (mailchimp.MailchimpDetector, ("-us",)),
        (npm.NpmDetector, ("_authtoken",)),
        (openai.OpenAIDetector, ("t3blbkfj",)),
        (pypi_token.PypiTokenDetector, ("pypi-",)),
        (sendgrid.SendGridDetector, ("sg.",)),
        (slack.SlackDetector, ("xox", "hooks.slack")),
        (square_oauth.SquareOAuthDetector, ("sq0csp",)),
        (stripe.StripeDetector, ("k_live_",)),
        (telegram_token.TelegramBotTokenDetector, (":",)),
        (twilio.TwilioKeyDetector, ("ac", "sk")),
    )


def looks_random(text: str) -> bool:
    """Whether letters and digits follow each other as in a key: many different ones, changing between kinds at every other place."""
    from detect_secrets.plugins.high_entropy_strings import Base64HighEntropyString

    kinds = [
        "d" if char.isdigit() else "u" if char.isupper() else "l" if char.islower() else "s" for char in text
    ]
    if min(kinds.count(kind) for kind in "dul") < 2:
        return False
    changes = sum(one != other for one, other in zip(kinds, kinds[1:], strict=False))
    entropy = Base64HighEntropyString(limit=LEAST_ENTROPY).calculate_shannon_entropy(text)
    return bool(changes >= LEAST_CHANGES * len(text) and entropy >= LEAST_ENTROPY)


# ---------------------------------------------------------------- places of the machine

# A user's folder, or a folder made for a while, on any system.
_FOLDERS = ("home", "Users", "root", "var/folders", "private/var", "tmp")
_PLACES = re.compile(
    rf"/(?:{'|'.join(_FOLDERS)})/[\w.~-][^\s\"'<>]*"
    r"|:\\{1,2}(?:Users|Documents and Settings|Windows|Temp)\b[^\s\"'<>]*|file://[^\s\"'<>]+"
)
_GOES_ON = re.compile(r"[\w.:/-]$")


def _places(text: str) -> Iterator[tuple[int, str]]:
    for match in _PLACES.finditer(text):
        if match[0][0] != "/" or not _GOES_ON.search(_before(match, 1)):
            yield match.start(), match[0]


_PLACE_SHAPES = (
    _Shape(
        kind="paths",
        what="a folder of a machine",
        found=_places,
        marks=(*(f"/{folder.lower()}/" for folder in _FOLDERS), ":\\", "file://"),
    ),
)


# ---------------------------------------------------------------- personal data

_MAIL = re.compile(r"@(?:(?:[\w-]+\.)+[^\W\d_]{2,}(?![\w-])|\[\d{1,3}(?:\.\d{1,3}){3}\])")
_MAILBOX = re.compile(r"(?:[\w.+'%~-]+|\"[^\"\n\x00]{1,60}\")$")
# Not a piece of a longer number, of an identifier or of a row of numbers.
# A Chinese word may stand right beside a number.
_LETTER = r"[^\W\u2e80-\u9fff\uac00-\ud7af]"
_APART = rf"(?<!{_LETTER})(?<![.,/+#@=-])(?<!\d[ :])"
_ENDS = rf"(?!{_LETTER})(?!@)(?![.,:/-]\w)(?! ?[(\d])"
_INTERNATIONAL = re.compile(_APART + r"(?:\(?\+\(?|00)[1-9](?:[ .\-/()]{0,2}\d){6,14}" + _ENDS)
_NATIONAL = re.compile(
    _APART
    + r"(?:\(\d{1,5}\)[ -]?\d{2,9}|1|\d{2,11})(?:[ \-/]\d{2,8}){0,6}"
    + _ENDS
    + r"|"
    + _APART
    + r"\d{2,4}(?:\.\d{2,4}){2,5}"
    + _ENDS
)
_IDENTITY = re.compile(_APART + r"\d{6}[ -]?(?:18|19|20)\d{2}[ -]?\d{4}[ -]?\d{3}[\dXx]" + _ENDS)
_SOCIAL = re.compile(_APART + r"\d{3}([- ]?)\d{2}\1\d{4}" + _ENDS)
_TAX = re.compile(_APART + r"\d{2} ?\d{3} ?\d{3} ?\d{3}" + _ENDS)
_ACCOUNT = re.compile(r"(?<![\w-])[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}(?!\w)")
_CARD = re.compile(_APART + r"\d(?:[ -]?\d){12,18}" + _ENDS)
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|6(?:011|4[4-9]|5)\d*|62\d{14,17}|35\d{14}|3(?:0[0-5]|[689])\d{11,13}"
)
_CALLED = re.compile(
    r"(?:phone|mobile|cell|tel|telephone|fax|call(?: him| her| me| us| back)?|whats ?app|sms|contact|dial|ring|reach(?:ed)?|telefon|handy|电话|手机|联系|致电|拨打|号码|传真|电話|携帯)\W*(?:at|on|is|no\.?|number|为|是)?\W*$",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"(?:(?<![A-Za-z])(?:orders?|tickets?|serials?|invoices?|batch|lot|part|sku|ref|reference|contract|asset|article|item|document|voucher|account|sn|s/n|id|no)"
    r"|订单|工单|单号|序列号|编号|批次|发票|合同|凭证)(?![a-z])\W*(?:(?:no|number)(?![a-z])|号)?\W*$",
    re.IGNORECASE,
)
_SECURITY = re.compile(r"(?:\bssn|social security|社会安全)[^\d\n\x00]{0,25}$", re.IGNORECASE)
_TAXED = re.compile(
    r"(?:steuer-?\s?id\w*|steueridentifikation\w*|idnr|tax[ -]?(?:id|number)|\btin)[^\d\n\x00]{0,25}$",
    re.IGNORECASE,
)
_MOBILE_CN = re.compile(r"1[3-9]\d{9}")
#: Numbers of these countries are known in their own spelling as well, where it is spaced as it is there.
REGIONS = (
    *("CN", "US", "GB", "DE", "FR", "JP", "KR", "IN", "AU", "HK", "TW", "SG", "IT", "ES", "NL", "CH", "AT"),
    *("BE", "BR", "MX", "RU", "PL", "SE", "ZA", "AE", "TR", "VN", "TH", "MY", "ID", "PH", "NZ", "CA", "IE"),
)


# Six digits that may be one number.
_LONG = re.compile(r"\d(?:[ ().\-/]{0,3}\d){5}")


def _personal_shapes(regions: frozenset[str]) -> tuple[_Shape, ...]:
    checked: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
        ("an identity number", _IDENTITY, _identity),
        ("a bank account", _ACCOUNT, _account),
        ("a card number", _CARD, _card),
        ("a social security number", _SOCIAL, _social),
        ("a tax number", _TAX, _tax),
        ("a telephone number", _INTERNATIONAL, _international),
        ("a telephone number", _NATIONAL, lambda match: _national(match, regions)),
    )
    numbers = [
        _Shape(kind="personal", what=what, found=_checked(pattern, asked), counted=True)
        for what, pattern, asked in checked
    ]
    return _Shape(kind="personal", what="an e-mail address", found=_mail, marks=("@",)), *numbers


def _mail(text: str) -> Iterator[tuple[int, str]]:
    for match in _MAIL.finditer(text):
        if mailbox := _MAILBOX.search(_before(match, 64)):
            yield match.start() - len(mailbox[0]), mailbox[0] + match[0]


def _checked(
    pattern: re.Pattern[str], asked: Callable[[re.Match[str]], str]
) -> Callable[[str], Iterator[tuple[int, str]]]:
    def found(text: str) -> Iterator[tuple[int, str]]:
        for match in pattern.finditer(text):
            if number := asked(match):
                yield match.start(), number

    return found


def _before(match: re.Match[str], width: int = 30) -> str:
    return match.string[max(0, match.start() - width) : match.start()]


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _identity(match: re.Match[str]) -> str:
    from stdnum.cn import ric

    return match[0] if ric.is_valid(re.sub(r"[ -]", "", match[0]).upper()) else ""


def _social(match: re.Match[str]) -> str:
    """Dashes are its own spelling; without them it is a number like any other unless it is called one."""
    from stdnum.us import ssn

    if match[1] != "-" and not _SECURITY.search(_before(match, 50)):
        return ""
    return match[0] if ssn.is_valid(_digits(match[0])) else ""


def _tax(match: re.Match[str]) -> str:
    from stdnum.de import idnr

    own_spelling = match[0].count(" ") == 3 and not _COUNTED.search(_before(match))
    if not own_spelling and not _TAXED.search(_before(match, 50)):
        return ""
    return match[0] if idnr.is_valid(_digits(match[0])) else ""


def _account(match: re.Match[str]) -> str:
    """The beginning of the match that is an account of its country, however long the text goes on."""
    from stdnum import iban

    text = match[0]
    for end in range(len(text), 14, -1):
        if text[end - 1 : end].isalnum() and not text[end : end + 1].isalnum():
            if iban.is_valid(text[:end].replace("-", " ").upper(), check_country=False):
                return text[:end]
    return ""


def _card(match: re.Match[str]) -> str:
    from stdnum import luhn

    number = _digits(match[0])
    if not _ISSUERS.fullmatch(number) or not luhn.is_valid(number):
        return ""
    return "" if number == match[0] and _COUNTED.search(_before(match)) else match[0]


def _international(match: re.Match[str]) -> str:
    text = match[0]
    if "." in text and not re.fullmatch(r"(?:\+|00)\d{1,4}(?:\.\d{1,4}){3,6}", text):
        return ""  # numbers with decimals, side by side
    if text.isdigit() and not _CALLED.search(_before(match)):
        return ""  # 00… is how many numbers begin that are counted
    return text if _is_valid(re.sub(r"^(?:\(?\+\(?|00)", "+", text), None) else ""


def _national(match: re.Match[str], regions: frozenset[str]) -> str:
    """A number without its country: called one, a Chinese mobile, or spaced as where it is from."""
    text, before = match[0], _before(match)
    if len(_digits(text)) < 6:
        return ""
    known = (*(regions or ("CN", "US", "GB")), *REGIONS)
    if _CALLED.search(before):
        return text if any(_is_valid(text, region) for region in known) else ""
    if _COUNTED.search(before):
        return ""
    if text.isdigit():
        return text if _MOBILE_CN.fullmatch(text) else ""
    if any(_is_spelt(text, region, strictly=False) for region in known[: len(known) - len(REGIONS)]):
        return text
    own = text.startswith(("0", "("))
    return text if own and any(_is_spelt(text, region, strictly=True) for region in REGIONS) else ""


@cache
def _is_valid(text: str, region: str | None) -> bool:
    import phonenumbers

    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, region)))
    except phonenumbers.NumberParseException:
        return False


@cache
def _is_spelt(text: str, region: str, *, strictly: bool) -> bool:
    """Whether the text is a valid number of the region in groups that are usual there."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    leniency = Leniency.EXACT_GROUPING if strictly else Leniency.STRICT_GROUPING
    return any(found.raw_string == text for found in PhoneNumberMatcher(text, region, leniency=leniency))


def regions_of(currency: str, time_zone: str) -> frozenset[str]:
    """Countries of a run: those of its languages, of its currency where that has one, and of its time zone."""
    from babel.core import get_global

    territories: Iterable[str] = (
        territory
        for territory, used in get_global("territory_currencies").items()
        if any(code == currency and end is None and tender for code, _, end, tender in used)
    )
    found = {territory for territory in territories if len(territory) == 2}
    zone = get_global("zone_territories").get(time_zone, "CN")
    return frozenset({"CN", "US", "GB", zone, *(found if len(found) <= 3 else ())})
