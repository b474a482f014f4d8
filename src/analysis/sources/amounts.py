"""Numbers as people and ledgers write them, made plain; exact arithmetic for stated units."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from analysis.errors import ParameterError

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?", re.ASCII)
_CURRENCY = re.compile(r"^(?:[¥$€£]|CNY|RMB|USD|EUR)\s*|\s*元$")
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


def difference(text: str, less: str) -> str:
    """The first amount less the second (empty is nothing); a text that is no number is passed on, for the proof to refuse."""
    for given in (text, less):
        if given and not _NUMBER.fullmatch(given):
            return given
    return str(Decimal(text or "0") - Decimal(less or "0")) if text or less else ""
