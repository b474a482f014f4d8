"""Numbers as people and ledgers write them, made plain; exact arithmetic for stated units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from analysis.errors import ParameterError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
#: Signs of currencies and the ISO codes each may mean; a code of three letters means itself.
CURRENCY_SIGNS: Mapping[str, tuple[str, ...]] = {
    "¥": ("CNY", "JPY"),
    "\uffe5": ("CNY", "JPY"),
    "元": ("CNY", "TWD", "HKD", "MOP"),
    "人民币": ("CNY",),
    "RMB": ("CNY",),
    "美元": ("USD",),
    "港币": ("HKD",),
    "欧元": ("EUR",),
    "円": ("JPY",),
    "원": ("KRW",),
    "US$": ("USD",),
    "HK$": ("HKD",),
    "NT$": ("TWD",),
    "AU$": ("AUD",),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "S$": ("SGD",),
    "R$": ("BRL",),
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN", "CLP", "COP", "ARS"),
    "€": ("EUR",),
    "£": ("GBP", "EGP"),
    "₩": ("KRW",),
    "₹": ("INR",),
    "₽": ("RUB",),
    "₺": ("TRY",),
    "₫": ("VND",),
    "฿": ("THB",),
    "₱": ("PHP",),
    "₪": ("ILS",),
    "₴": ("UAH",),
    "zł": ("PLN",),
    "Kč": ("CZK",),
    "Ft": ("HUF",),
    "kr": ("SEK", "NOK", "DKK", "ISK"),
    **{
        code: (code,)
        for code in [
            "CNY",
            "USD",
            "EUR",
            "GBP",
            "JPY",
            "KRW",
            "HKD",
            "TWD",
            "AUD",
            "CAD",
            "SGD",
            "CHF",
            "INR",
            "RUB",
            "TRY",
            "PLN",
            "CZK",
            "HUF",
            "SEK",
            "NOK",
            "DKK",
            "BRL",
            "MXN",
            "THB",
            "VND",
            "IDR",
            "MYR",
            "PHP",
            "ZAR",
            "NZD",
            "AED",
            "SAR",
            "ILS",
            "UAH",
        ]
    },
}
_SIGN = "|".join(sorted(map(re.escape, CURRENCY_SIGNS), key=len, reverse=True))
_CURRENCY = re.compile(rf"^(?:{_SIGN})\.?\s*|\s*(?:{_SIGN})\.?$")
_HAS_SIGN = re.compile(rf"^[(+-]?\s*({_SIGN})|({_SIGN})\.?\s*\)?-?$")
_SIGNED = re.compile(rf"({_SIGN})(.*)", re.DOTALL)
_THOUSANDS = re.compile(r"(?<=\d)[ '](?=\d{3}(\D|$))")
_MINUS = str.maketrans(
    {"\u2212": "-", "\u2013": "-", "\ufe63": "-", "\u00a0": " ", "\u202f": " ", "\u2019": "'"}
)
#: A quotient that does not end is written with this many decimals; the proof keeps floats as doubles.
DECIMALS = 15


def plain_number(text: str, decimal_mark: Literal[".", ","] = ".") -> str:
    """``（１,234.50）``, ``1,234.50-`` and ``−1 234.50`` as ``-1234.50``; what is no number is given back as it is.

    Full-width digits, thousands marks in groups of three, a currency sign, a minus before or after, negatives in brackets.
    With the decimal mark ``,`` points, blanks and apostrophes are the thousands marks.
    """
    if decimal_mark == "." and _NUMBER.fullmatch(text):
        return text
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS).strip()
    negative = plain.startswith("(") and plain.endswith(")")
    digits = plain[1:-1].strip() if negative else plain
    if digits.endswith("-") and digits[:1] not in "+-(" and not negative:
        negative, digits = True, digits[:-1].strip()
    sign = ""
    if digits[:1] in ("+", "-"):
        sign, digits = digits[0], digits[1:].strip()
    digits = _CURRENCY.sub("", digits)
    if digits[:1] in ("+", "-") and not sign:
        sign, digits = digits[0], digits[1:].strip()
    if decimal_mark == ",":
        digits = digits.translate(str.maketrans(".,", ",."))
    digits = _THOUSANDS.sub(",", digits)
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    if not _NUMBER.fullmatch(digits) or (negative and sign):
        return text
    return f"-{digits}" if negative or sign == "-" else digits


def is_plain_number(text: str) -> bool:
    """Whether a text is a number as ``plain_number`` writes it."""
    return _NUMBER.fullmatch(text) is not None


def factor_of(text: str) -> Fraction:
    """A stated factor such as ``1/60`` or ``0.001``, exactly."""
    try:
        factor = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise ParameterError(f"factor '{text}': should be a number or a fraction such as 1/60.") from error
    if factor == 0:
        raise ParameterError("factor 0: every value would be lost; state a number such as 1/60.")
    return factor


def scaled(text: str, factor: Fraction) -> str:
    """The number times the factor, exactly where it has an end; a text that is no number is passed on, for the proof to refuse."""
    if not _NUMBER.fullmatch(text):
        return text
    product = Fraction(text) * factor
    number = round(product, DECIMALS)
    plain = format(Decimal(number.numerator) / Decimal(number.denominator), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


#: How a map states that money is rounded.
ROUNDED = "rounded: {{{column}: half_even}} (or half_up)"
Rounding = Literal["half_even", "half_up"]
_ROUNDINGS = {"half_even": ROUND_HALF_EVEN, "half_up": ROUND_HALF_UP}
_CENT = Decimal("0.01")
#: Characters of an amount: what is longer is no money, and refused as it is.
MOST_DIGITS = 26
#: Columns of our tables that hold money (a test holds them against the contract).
MONEY = frozenset(["unit_cost", "list_price", "revenue", "gross_margin", "amount", "unit_price", "approved", "recovered", "cost", "opening", "accrued", "utilised", "adjusted", "closing"])  # fmt: skip
#: What floating point leaves behind the second decimal is no third one (the load has the same limit).
_NOISE = Decimal("0.000001")


def is_too_fine(text: str) -> bool:
    """Whether a plain number has more than two decimals, noughts and the noise of floating point aside."""
    _, point, decimals = text.partition(".")
    if not point or len(decimals) <= 2 or len(text) > MOST_DIGITS:
        return False
    _, number = _parted(text)
    if not _NUMBER.fullmatch(number):
        return False
    amount = Decimal(number)
    return abs(amount - amount.quantize(_CENT)) >= _NOISE


def to_cents(text: str, rounding: Rounding) -> str:
    """A plain number with two decimals: a half goes to the even cent, or away from zero; a sign of a currency before it stays."""
    sign, number = _parted(text)
    return marked(str(Decimal(number).quantize(_CENT, rounding=_ROUNDINGS[rounding])), sign)


def off_by(text: str, cents: str) -> Decimal:
    """What rounding adds to an amount."""
    return Decimal(_parted(cents)[1]) - Decimal(_parted(text)[1])


def currency_sign(text: str) -> str:
    """The currency's sign or code that stands before or behind an amount; blank without one."""
    if _NUMBER.fullmatch(text):
        return ""
    found = _HAS_SIGN.search(unicodedata.normalize("NFKC", text).translate(_MINUS).strip())
    return (found[1] or found[2]) if found else ""


def marked(text: str, sign: str) -> str:
    """An amount with its currency's sign before it; the proof takes off the sign of the row's own currency and refuses another."""
    return f"{sign}{text}" if sign and text else text


def difference(text: str, less: str) -> str:
    """The first amount less the second (empty is nothing); a text that is no number is passed on, for the proof to refuse.

    Amounts under two currencies' signs are not taken from one another: the text says both.
    """
    (sign, text), (other, less) = _parted(text), _parted(less)
    if sign != other and text.strip("0.") and less.strip("0."):
        return f"{sign}{text} less {other}{less}"
    plain = _plain_difference(text, less)
    return marked(plain, sign if text.strip("0.") or not other else other)


def _parted(text: str) -> tuple[str, str]:
    found = None if not text or text[0] in "+-.0123456789" else _SIGNED.fullmatch(text)
    return (found[1], found[2]) if found else ("", text)


def _plain_difference(text: str, less: str) -> str:
    for given in (text, less):
        if given and not _NUMBER.fullmatch(given):
            return given
    return str(Decimal(text or "0") - Decimal(less or "0")) if text or less else ""


class DecimalMarks:
    """Which decimal marks the values of one column show: the stated one, the other, or none that can be told (``1.234``)."""

    def __init__(self, stated: Literal[".", ","]) -> None:
        self.stated = stated
        self.other = self.unclear = 0
        self.other_example = self.unclear_example = ""

    def meet(self, text: str) -> None:
        if _EITHER_WAY.search(text):
            self.unclear += 1
            self.unclear_example = self.unclear_example or text
        elif (_WITH_POINT if self.stated == "," else _WITH_COMMA).search(text):
            self.other += 1
            self.other_example = self.other_example or text


_EITHER_WAY = re.compile(r"(?<![\d.,])[1-9]\d{0,2}[.,]\d{3}(?![\d.,])", re.ASCII)
_WITH_COMMA = re.compile(r"\d,(?:\d{1,2}|\d{4,})(?![\d.,])|\d\.\d{3},\d", re.ASCII)
_WITH_POINT = re.compile(r"\d\.(?:\d{1,2}|\d{4,})(?![\d.,])|\d,\d{3}\.\d", re.ASCII)
