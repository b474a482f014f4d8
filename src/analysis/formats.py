"""How a number looks: units that know percent from percentage points, 万元 and 亿元, thousand and million.

Nothing here computes; a value is rounded half up, as finance does, and only for display.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from analysis.errors import ParameterError
from analysis.locale import Language
from analysis.periods import Month, Period

Number = Decimal | int | float

MINUS = "−"
NO_VALUE = "–"

_CURRENCY_NAMES_ZH = {
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
    "JPY": "日元",
    "HKD": "港元",
    "GBP": "英镑",
    "AUD": "澳元",
    "CAD": "加元",
    "SGD": "新加坡元",
}
_COUNTED = {
    # unit: (singular, plural, zh measure phrase)
    "count": ("", "", ""),
    "minutes": ("minute", "minutes", "分钟"),
    "hours": ("hour", "hours", "小时"),
    "days": ("day", "days", "天"),
    "months": ("month", "months", "个月"),
    "years": ("year", "years", "年"),
    "customers": ("customer", "customers", "位客户"),
    "tickets": ("ticket", "tickets", "张工单"),
    "orders": ("order", "orders", "笔订单"),
    "units": ("unit", "units", "台"),
    "rows": ("row", "rows", "行"),
    "failures": ("failure", "failures", "次故障"),
    "services": ("service", "services", "次保养"),
    "readings": ("reading", "readings", "条读数"),
    "use": ("unit of use", "units of use", "单位使用量"),
    "operating_hours": ("operating hour", "operating hours", "运行小时"),
    "kilometres": ("kilometre", "kilometres", "公里"),
    "cycles": ("cycle", "cycles", "次循环"),
}
_PER = {
    "ticket": ("per ticket", "每张工单"),
    "order": ("per order", "每笔订单"),
    "purchase_day": ("per purchase day", "每购买日"),
    "1000_orders": ("per 1,000 orders", "每千笔订单"),
    "hour": ("per hour", "每小时"),
    "unit": ("per unit", "每台"),
    "unit_month": ("per unit-month", "每台月"),
    "1000_unit_months": ("per 1,000 unit-months", "每千台月"),
    "1000_units": ("per 1,000 units", "每千台"),
    "customer": ("per customer", "每位客户"),
    "failure": ("per failure", "每次故障"),
    "month": ("per month", "每月"),
    "use": ("per unit of use", "每单位使用量"),
    "1000_use": ("per 1,000 units of use", "每千单位使用量"),
    "operating_hours": ("per operating hour", "每运行小时"),
    "1000_operating_hours": ("per 1,000 operating hours", "每千运行小时"),
    "kilometres": ("per kilometre", "每公里"),
    "1000_kilometres": ("per 1,000 kilometres", "每千公里"),
    "cycles": ("per cycle", "每次循环"),
    "1000_cycles": ("per 1,000 cycles", "每千次循环"),
}
#: What a meter may count; the first where nobody says.
USES = ("use", "operating_hours", "kilometres", "cycles")
_PLAIN = {
    "share",
    "chance",
    "p_value",
    "percentage_points",
    "ratio",
    "score",
    "points",
    "year",
    "1/year",
    # of definitions alone: each fact is in the unit of the figure that it is held against
    "as_compared",
}


def _slash(per: str) -> str:
    """A Chinese header says 元/张工单 where a sentence says 每张工单 … 元."""
    return f"/{per.removeprefix('每')}" if per else ""


@dataclass(frozen=True)
class Scale:
    """A power of ten in which a column of money is shown, with its word in the header."""

    factor: int
    en: str
    zh: str


@dataclass(frozen=True)
class Unit:
    """A unit of measure: ``CNY``, ``CNY/ticket``, ``share``, ``percentage_points``, ``hours``, ``count`` …

    ``share`` is a number from 0 to 1 shown in percent; ``percentage_points`` is a difference of two shares,
    stored on the same scale. They are never interchangeable. ``chance`` is a probability read off a model or simulated futures: nothing
    beyond :data:`SUREST` is claimed of it, on either side (see :func:`chance`). ``p_value`` is the chance of as much where nothing is:
    three decimals, and below :data:`SMALLEST_P` no more than that.
    """

    id: str
    base: str
    per: str = ""

    @classmethod
    def parse(cls, unit: str) -> Unit:
        base, _, per = unit.partition("/") if unit != "1/year" else (unit, "", "")
        if not (base in _COUNTED or base in _PLAIN or cls._is_currency(base)):
            raise ParameterError(
                f"unit '{unit}': unknown; use an ISO currency, share, percentage_points, ratio, hours, count …"
            )
        if per and per not in _PER:
            raise ParameterError(f"unit '{unit}': nothing is counted per '{per}'; known: {', '.join(_PER)}.")
        return cls(id=unit, base=base, per=per)

    @staticmethod
    def _is_currency(base: str) -> bool:
        return len(base) == 3 and base.isalpha() and base.isupper()

    @property
    def is_money(self) -> bool:
        return self._is_currency(self.base)

    def currency_name(self, language: Language) -> str:
        return self.base if language == "en" else _CURRENCY_NAMES_ZH.get(self.base, self.base)

    def label(self, language: Language, scale: Scale | None = None) -> str:
        """What a column header or an axis says: ``CNY thousand``, ``万元``, ``%``, ``hours``."""
        index = 0 if language == "en" else 1
        per = (
            f" {_PER[self.per][index]}"
            if self.per and language == "en"
            else (_PER[self.per][1] if self.per else "")
        )
        if self.is_money:
            word = (scale.en if language == "en" else scale.zh) if scale else ""
            money = f"{self.base} {word}".strip() if language == "en" else f"{word}{self.currency_name('zh')}"
            return f"{money}{per}" if language == "en" else f"{money}{_slash(per)}"
        names = {
            "share": ("%", "%"),
            "chance": ("%", "%"),
            "percentage_points": ("pp", "百分点"),
            "ratio": ("×", "倍"),
            "p_value": ("p", "p 值"),
            "score": ("score", "无量纲"),
            "as_compared": ("as the figure compared", "与所比数字相同"),
            "points": ("points", "分"),
            "year": ("year", "年"),
            "1/year": ("per year", "每年"),
        }
        if self.base in names:
            return names[self.base][index] + (per if language == "en" else "")
        singular, plural, chinese = _COUNTED[self.base]
        counted = plural if language == "en" else chinese.lstrip("位张笔次条")
        return f"{counted}{per}".strip() if language == "en" else f"{counted}{_slash(per)}"


_SCALES_EN = (
    Scale(1_000_000_000, "billion", ""),
    Scale(1_000_000, "million", ""),
    Scale(1_000, "thousand", ""),
)
_SCALES_ZH = (Scale(100_000_000, "", "亿"), Scale(10_000, "", "万"))
ONE = Scale(1, "", "")


def decimal(value: Number) -> Decimal:
    """Exact decimal of what is stored; a float (numpy's too) by its shortest representation."""
    if isinstance(value, Decimal):
        return value
    return Decimal(repr(float(value))) if isinstance(value, float) else Decimal(int(value))


def rounded(value: Number, places: int) -> Decimal:
    number = decimal(value)
    if not number.is_finite():
        raise ParameterError(
            f"a number to print is {number}; a figure that cannot be computed must say why instead."
        )
    return number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def grouped(value: Number, places: int, *, signed: bool = False) -> str:
    """``−1,234.5``: thousands marks, a true minus, a plus where asked."""
    number = rounded(value, places)
    text = f"{abs(number):,.{places}f}"
    if number == 0:
        return text
    return (MINUS if number < 0 else "+" if signed else "") + text


def column_scale(largest: Number, language: Language) -> Scale:
    """The scale in which a column of money with this largest magnitude keeps three to six digits."""
    magnitude = abs(decimal(largest))
    if language == "zh":
        return Scale(10_000, "", "万") if magnitude >= 1_000_000 else ONE
    if magnitude >= 1_000_000_000:
        return Scale(1_000_000, "million", "")
    return Scale(1_000, "thousand", "") if magnitude >= 1_000_000 else ONE


def _text_scale(value: Number, language: Language) -> Scale:
    magnitude = abs(decimal(value))
    for scale in _SCALES_EN[:2] if language == "en" else _SCALES_ZH:
        # 999,999 rounds to a million on the page, so compare what will be printed
        if magnitude * Decimal("1.0000005") >= scale.factor:
            return scale
    return ONE


def _significant_places(value: Number, *, figures: int = 3, most: int = 2) -> int:
    magnitude = abs(rounded(value, most))  # 99.999 is printed as 100
    if magnitude == 0:
        return most if rounded(value, 9) else 0  # 0.002 has the places of 0.01 beside it: 0.00, not 0.0
    return max(0, min(most, figures - 1 - magnitude.adjusted()))


def number_text(
    value: Number, unit: str | Unit, language: Language, *, signed: bool = False, exact: bool = False
) -> str:
    """A number in a sentence or a tile, with its unit: ``CNY 3.42 million``, ``342万元``, ``4.1%``, ``0.3 pp``."""
    unit = unit if isinstance(unit, Unit) else Unit.parse(unit)
    if unit.is_money:
        return _money_text(value, unit, language, signed=signed, exact=exact)
    if unit.base == "share":
        percent = decimal(value) * 100
        small = 0 < abs(rounded(percent, 9)) < Decimal("0.1")  # 0.04% is not 0.0%
        places = 3 if exact else 2 if small else 1
        return f"{grouped(percent, places, signed=signed)}%"
    if unit.base == "chance":
        return _chance_text(value, language, places=1 if exact else 0)
    if unit.base == "p_value":
        return _p_value_text(value)
    if unit.base == "percentage_points":
        points = decimal(value) * 100
        tiny = 0 < abs(rounded(points, 9)) < Decimal("0.1")  # 3.7% after 3.6% is not a change of 0.0 pp
        number = grouped(points, 3 if exact else 2 if tiny else 1, signed=signed)
        return f"{number} pp" if language == "en" else f"{number} 个百分点"
    per = _PER[unit.per][0 if language == "en" else 1] if unit.per else ""
    if unit.base == "ratio":
        number = grouped(value, 2, signed=signed)
        return f"{number} times" if language == "en" else f"{number} 倍"
    if unit.base in _COUNTED:
        places = (
            0 if decimal(value) == decimal(value).to_integral_value() else max(1, _significant_places(value))
        )
        singular, plural, chinese = _COUNTED[unit.base]
        number = grouped(value, places, signed=signed)
        if language == "zh":
            return f"{per} {number} {chinese}".strip()
        return f"{number} {singular if abs(decimal(value)) == 1 else plural} {per}".replace("  ", " ").strip()
    number = grouped(value, max(1, _significant_places(value)), signed=signed)
    return f"{number} {unit.label(language)}" if unit.base != "score" else number


#: The surest that a model of a few years of months may be said to be.
SUREST = 0.99


def chance(hits: int, draws: int) -> float:
    """The probability of what happened in ``hits`` of so many simulated futures, as any page may state it.

    Shrunk by half a draw at either end, so that it is never none or all, and held between one and ninety-nine per cent: the models behind
    it know a few years of months and themselves, and what neither has seen is not in the draws.

    Examples
    --------
    >>> chance(4000, 4000), round(chance(1000, 4000), 4), round(chance(0, 4000), 2)
    (0.99, 0.2501, 0.01)
    """
    if not 0 <= hits <= draws or draws < 1:
        raise ParameterError(f"chance: {hits} of {draws} draws.")
    return min(max((hits + 0.5) / (draws + 1), 1 - SUREST), SUREST)


# Units whose numbers are printed as a bound near their ends: ``over 99%``, ``<0.001``.
PRINTED_AS_BOUNDS = ("chance", "p_value")


def is_bound(value: Number, unit: str) -> bool:
    """Whether the number is printed as the bound that it lies beyond: ``over 99%``, ``<0.001``."""
    if unit == "chance":
        return value >= SUREST or value <= 1 - SUREST + 1e-12
    return unit == "p_value" and value < SMALLEST_P


def _chance_text(value: Number, language: Language, *, places: int) -> str:
    if is_bound(value, "chance"):
        number = grouped(decimal(SUREST if value >= SUREST else 1 - SUREST) * 100, 0)
        over, under = ("over {}%", "under {}%") if language == "en" else ("{}% 以上", "不足 {}%")
        return (over if value >= SUREST else under).format(number)
    return f"{grouped(decimal(value) * 100, places)}%"


#: No p-value is printed as less: tails further out rest on the model's last digits.
SMALLEST_P = 0.001


def _p_value_text(value: Number) -> str:
    return f"<{SMALLEST_P}" if value < SMALLEST_P else grouped(value, 3)


def _money_text(value: Number, unit: Unit, language: Language, *, signed: bool, exact: bool) -> str:
    scale = ONE if exact else _text_scale(value, language)
    shown = decimal(value) / scale.factor
    if exact or unit.per and scale is ONE:
        places = 2
    else:
        places = 0 if scale is ONE else _significant_places(shown)
    number = grouped(shown, places, signed=signed)
    per = _PER[unit.per][0 if language == "en" else 1] if unit.per else ""
    if language == "zh":
        return f"{per} {number} {scale.zh}{unit.currency_name('zh')}".strip()
    sign = number[0] if number[0] in f"{MINUS}+" else ""
    return f"{sign}{unit.base} {number.removeprefix(sign)} {scale.en} {per}".replace("  ", " ").strip()


def cell_text(
    value: Number, unit: str | Unit, *, scale: Scale = ONE, places: int | None = None, signed: bool = False
) -> str:
    """A number in a table cell; its unit stands in the column header."""
    unit = unit if isinstance(unit, Unit) else Unit.parse(unit)
    if unit.base == "chance":
        return (
            _chance_text(value, "en", places=places or 0)
            .removesuffix("%")
            .replace("over ", ">")
            .replace("under ", "<")
        )
    if unit.base == "p_value":
        return _p_value_text(value)
    if places is None:
        places = cell_places(value, unit, scale)
    shown = decimal(value) * 100 if unit.base in _IN_PERCENT else decimal(value) / scale.factor
    return grouped(shown, places, signed=signed)


_IN_PERCENT = ("share", "percentage_points")


def cell_places(value: Number, unit: Unit, scale: Scale = ONE) -> int:
    """The decimals of a number in a table cell, where its column asks for no others."""
    if unit.base in _IN_PERCENT:
        return 1
    if unit.base == "chance":
        return 0
    if unit.is_money:
        return 2 if unit.per or scale.factor == 1 else 1
    if unit.base in {"ratio", "score", "points"} or unit.per:
        return 2
    return 0 if decimal(value) == decimal(value).to_integral_value() else 1


def text_in_cell(
    value: Number, unit: str | Unit, language: Language, *, signed: bool = False, exact: bool = False
) -> str:
    """A number with its unit where it stands alone in a cell: ``1,733.78 元/张工单`` as a header says it, in a sentence ``每张工单 1,733.78 元``."""
    unit = unit if isinstance(unit, Unit) else Unit.parse(unit)
    text = number_text(value, unit, language, signed=signed, exact=exact)
    per = _PER[unit.per][1] if unit.per and language == "zh" else ""
    return f"{text.removeprefix(f'{per} ')}{_slash(per)}" if per and text.startswith(per) else text


_MONTH_NAMES = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def month_text(month: Month, language: Language) -> str:
    return (
        f"{_MONTH_NAMES[month.number - 1]} {month.year}"
        if language == "en"
        else f"{month.year}年{month.number}月"
    )


def period_text(period: Period, language: Language, *, alone: bool = False) -> str:
    """A month, a quarter or a year of the company's own by its name; any other span by its ends.

    Parameters
    ----------
    alone : bool
        Whether it stands alone, as on a cover, and not inside a sentence.

    Examples
    --------
    >>> from analysis.formats import period_text
    >>> from analysis.periods import Period
    >>> period_text(Period.named("2026-Q3"), "en"), period_text(Period.named("2026-Q3"), "zh")
    ('the third quarter of 2026 (July to September)', '2026年第三季度（7月至9月）')
    """
    if period.first == period.last:
        return month_text(period.last, language)
    if period.year is None:
        joint = " to " if language == "en" else "至"
        return joint.join(month_text(month, language) for month in (period.first, period.last))
    if language == "zh":
        return f"{period.year}年{_quarter_zh(period)}"
    if period.quarter is None:
        return f"{period.year}{_ends_en(period)}"
    told = f"{_QUARTERS['en'][period.quarter - 1]} quarter of {period.year}{_ends_en(period)}"
    return told[0].upper() + told[1:] if alone else f"the {told}"


_QUARTERS: Mapping[Language, Sequence[str]] = {
    "en": ("first", "second", "third", "fourth"),
    "zh": ("一", "二", "三", "四"),
}


def _ends_en(period: Period) -> str:
    """The months in brackets; of a calendar year there is nothing to say, and within the year that was named the year is not said again."""
    first, last = period.first, period.last
    if period.quarter is None and first.number == 1:
        return ""
    whole = first.year != last.year or first.year != period.year
    begins = month_text(first, "en") if first.year != last.year else _MONTH_NAMES[first.number - 1]
    return f" ({begins} to {month_text(last, 'en') if whole else _MONTH_NAMES[last.number - 1]})"


def _quarter_zh(period: Period) -> str:
    first, last = period.first, period.last
    if period.quarter is None and first.number == 1:
        return ""
    begins = f"{first.number}月" if first.year == period.year == last.year else month_text(first, "zh")
    ends = f"{last.number}月" if first.year == last.year else month_text(last, "zh")
    name = f"第{_QUARTERS['zh'][period.quarter - 1]}季度" if period.quarter else ""
    return f"{name}（{begins}至{ends}）"


def short_period(period: Period, language: Language) -> str:
    """A period in a chart: ``October 2026``, ``Q3 2026``, ``2026``."""
    if period.year is None:
        return period_text(period, language)
    if language == "zh":
        name = f"第{_QUARTERS['zh'][period.quarter - 1]}季度" if period.quarter else ""
        return f"{period.year}年{name}"
    return f"Q{period.quarter} {period.year}" if period.quarter else f"{period.year}"


def cover_period(name: str, year_begins: int, language: Language) -> str:
    """The period of a pack, by the name of its folder, as its cover says it."""
    return period_text(Period.named(name, year_begins=year_begins), language, alone=True)


def short_month(month: Month, language: Language) -> tuple[str, str]:
    """Month and year apart, for an axis: ``("Oct", "2026")``."""
    if language == "en":
        return _MONTH_NAMES[month.number - 1][:3], str(month.year)
    return f"{month.number}月", f"{month.year}年"


def date_text(day: dt.date, language: Language) -> str:
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"


_NUMBER_AND_UNIT: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(
        r"(?P<before>)(?P<main>[−+]?(?:[A-Z]{3} )?[\d,.]+%?(?: (?:thousand|million|billion))?)(?P<after> .*)?"
    ),
    "zh": re.compile(r"(?P<before>每\S+ )?(?P<main>[−+]?[\d,.]+(?:%| ?[万亿]*\S?元)?)(?P<after> ?\D*)?"),
}


def number_and_unit(text: str, language: Language) -> tuple[str | None, str]:
    """A formatted number apart from its unit of count, for places where the number is set large: ``("2,394", "tickets")``.

    The number stands first in Chinese too (``1,632.00 元``, then ``每张工单``), so that a row of such figures lines up. ``(None, "")`` for a
    text that is no number.
    """
    match = _NUMBER_AND_UNIT[language].fullmatch(text)
    if match is None:
        return None, ""
    return match["main"], " ".join(
        part.strip() for part in (match["after"], match["before"]) if part and part.strip()
    )
