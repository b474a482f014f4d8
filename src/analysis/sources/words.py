"""Values a map states, with ``*`` for any text; and the words by which a line shows that it is a total."""

from __future__ import annotations

import re
import unicodedata
from functools import cache


def is_one_of(text: str, values: tuple[str, ...]) -> bool:
    """Whether the text is one of the values; ``C*`` is what begins with C, ``*C*`` what has C in it, ``?*`` any text at all."""
    return any(
        bool(text)
        if value == "?*"
        else text == value
        if "*" not in value
        else text.startswith(value[:-1])
        if value.index("*") == len(value) - 1
        else _pattern(value).fullmatch(text) is not None
        for value in values
    )


@cache
def _pattern(value: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, value.split("*"))), re.DOTALL)


#: What stands where nobody and nothing is named, besides the usual words for null.
NO_NAMES = [
    "n.a.",
    "nil",
    "unknown",
    "anonymous",
    "undefined",
    "(null)",
    "<null>",
    "(blank)",
    "blank",
    "empty",
    "无",
    "空",
    "未知",
    "匿名",
    "不详",
    "暂无",
    "未填",
    "未填写",
    "(空白)",
    "不明",
    "없음",
    "미상",
    "なし",
]
#: Masked by whoever exported it, or a column too narrow for its numbers; four x in a row are a mask as well.
MASKED = r"[*＊•●]{2,}|^[*＊•●]|[xX]{4,}|#{3,}"
#: How the text of a ticket that was merged into another begins.
MERGED_TEXT = (
    r"^\s*(this (ticket|request|case|conversation) (was|has been|is) (closed and )?merged|closed[ _]by[ _]merge|merged (in)?to\b|"
    r"duplicate of\b|(本?工单)?已?合并(至|到|入)|已被合并|并入工单|重复工单)"
)
#: Whole cells that head a line of sums, in the languages exports come in; compared without blanks, marks and case.
TOTAL_WORDS = frozenset(
    [
        "合计",
        "总计",
        "小计",
        "共计",
        "累计",
        "总和",
        "合計",
        "總計",
        "小計",
        "共計",
        "累計",
        "総計",
        "총계",
        "합계",
        "소계",
        "누계",
        "본월합계",
        "本月合计",
        "本期合计",
        "本年合计",
        "本年累计",
        "本月累计",
        "当前合计",
        "当前累计",
        "期初余额",
        "年初余额",
        "上年结转",
        "承前页",
        "过次页",
        "openingbalance",
        "closingbalance",
        "balancebroughtforward",
        "saldovortrag",
        "anfangsbestand",
        "endbestand",
        "本页合计",
        "本日合计",
        "日合计",
        "月合计",
        "年合计",
        "金额合计",
        "全部合计",
        "total",
        "totals",
        "grandtotal",
        "subtotal",
        "subtotals",
        "runningtotal",
        "totalamount",
        "sumtotal",
        "sum",
        "overalltotal",
        "pagetotal",
        "reporttotal",
        "gesamt",
        "gesamtsumme",
        "summe",
        "zwischensumme",
        "totaux",
        "totalgénéral",
        "totalgeneral",
        "soustotal",
        "totale",
        "totalegenerale",
        "totalgeral",
        "subtotale",
        "итого",
        "всего",
        "razem",
        "suma",
        "łącznie",
        "celkem",
        "toplam",
        "geneltoplam",
    ]
)


def is_total_word(text: str) -> bool:
    """Whether a cell says nothing but "total" (``合 计：``, ``Grand Total``)."""
    if not text or len(text) > 24:
        return False
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(char for char in plain if char.isalpha()) in TOTAL_WORDS
