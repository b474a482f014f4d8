"""The words of the load: every check and every reason in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from analysis.tables.store import FileWaterfall, TableCheck

#: Why a value or a row could not be kept.
REASONS: Mapping[str, tuple[str, str]] = {
    "missing": ("no value where every row needs one", "必填项为空"),
    "not_allowed": ("not one of the allowed values", "不在允许的取值之内"),
    "below_least": ("below the least possible value", "低于可能的最小值"),
    "above_most": ("above the greatest possible value", "高于可能的最大值"),
    "outside_scale": ("outside its scale", "超出评分范围"),
    "impossible_date": ("a date that cannot be", "不可能的日期"),
    "null_word": ("a word for nothing; only an empty value is empty", "以文字表示空值；只有留空才算空"),
    "scientific_notation": ("scientific notation, digits may be lost", "科学计数法，可能丢失数位"),
    "thousands_mark": ("thousands marks", "含千位分隔符"),
    "decimal_comma": ("a decimal comma", "以逗号作小数点"),
    "accounting_negative": ("a negative in brackets", "括号表示的负数"),
    "more_than_two_decimals": ("money with more than two decimals", "金额超过两位小数"),
    "too_large": ("a number too large to be money", "数值过大"),
    "too_large_or_too_fine": ("a number too large or too fine to keep", "数值过大或过细"),
    "not_a_whole_number": ("not a whole number", "不是整数"),
    "not_a_number": ("not a number", "不是数字"),
    "not_a_date": ("not a date such as 2026-10-31", "不是日期（应写作 2026-10-31）"),
    "no_such_time": ("no such day or time", "不存在的日期或时间"),
    "day_and_month_unclear": ("day and month cannot be told apart", "无法分辨日与月"),
    "not_true_or_false": ("not true or false", "不是“是”或“否”"),
    "not_text": ("not text", "不是文本"),
    "no_exchange_rate": ("no exchange rate for its day", "当日没有汇率"),
    "no_month": ("no time, so no month", "没有时间，无法归入月份"),
    "orphan": ("refers to a row that is not there", "引用的记录不存在"),
    "too_few_columns": ("a line with too few columns", "该行列数不足"),
    "too_many_columns": ("a line with too many columns", "该行列数过多"),
    "broken_quotes": ("a line with broken quotes", "该行引号不配对"),
    "line_too_long": ("a line too long to be a row", "该行过长"),
    "dropped": ("dropped by the corrections register", "按更正登记剔除"),
    "unreadable_line": ("a line that cannot be read", "无法读取的行"),
}

Outcome = Literal["passed", "failed", "info"]


def reason_words(code: str) -> tuple[str, str]:
    return REASONS.get(code, (code.replace("_", " "), code))


def _check(
    kind: str,
    table: str,
    outcome: Outcome,
    en: str,
    zh: str,
    *,
    count: int = 0,
    example: str = "",
    place: str = "",
) -> TableCheck:
    return TableCheck(
        id=".".join(part for part in ("tables", table, kind, place) if part),
        table=table,
        outcome=outcome,
        reason_code=kind,
        count=count,
        example=example,
        message_en=en,
        message_zh=zh,
    )


def rows_check(table: str, files: tuple[FileWaterfall, ...]) -> TableCheck:
    read, kept = sum(f.rows_read for f in files), sum(f.accepted for f in files)
    aside, doubled = sum(f.quarantined for f in files), sum(f.exact_duplicates for f in files)
    return _check(
        "rows",
        table,
        "failed" if aside else "passed",
        f"{table}: {read:,} rows read = {kept:,} accepted + {aside:,} quarantined + {doubled:,} exact duplicates.",
        f"{table}：读取 {read:,} 行 = 接受 {kept:,} 行 + 隔离 {aside:,} 行 + 完全重复 {doubled:,} 行。",
        count=aside,
    )


def empty_check(table: str) -> TableCheck:
    return _check(
        "empty",
        table,
        "failed",
        f"{table}: the file has a header and no rows.",
        f"{table}：文件只有表头，没有数据行。",
    )


def duplicates_check(table: str, count: int) -> TableCheck:
    if not count:
        return _check(
            "keys", table, "passed", f"{table}: every key stands once.", f"{table}：每个主键只出现一次。"
        )
    return _check(
        "keys",
        table,
        "info",
        f"{table}: {count:,} rows were exact copies of another row and were counted once.",
        f"{table}：{count:,} 行与其他行完全相同，只计一次。",
        count=count,
    )


def fault_check(table: str, column: str, reason: str, scope: str, count: int, example: str) -> TableCheck:
    en, zh = reason_words(reason)
    consequence = (
        ("the rows were quarantined", "这些行已隔离")
        if scope == "row"
        else ("the values were left empty", "这些值按空值处理")
    )
    place, shown, shown_zh = (
        f"{table}.{column}" if column else table,
        f", e.g. '{example}'" if example else "",
        f"，例如“{example}”" if example else "",
    )
    return _check(
        reason,
        table,
        "failed",
        f"{place}: {en} in {count:,} {'row' if count == 1 else 'rows'}{shown}; {consequence[0]}.",
        f"{place}：{count:,} 行{zh}{shown_zh}；{consequence[1]}。",
        count=count,
        example=example,
        place=column,
    )


def correction_check(
    table: str, correction: str, action: str, rows: int, reason: str, reporter: str
) -> TableCheck:
    done, done_zh = ("dropped", "剔除") if action == "drop" else ("put right", "改正")
    return _check(
        "correction",
        table,
        "info",
        f"{table}: {rows:,} {'row' if rows == 1 else 'rows'} {done} by correction '{correction}' ({reason}; reported by {reporter}).",
        f"{table}：按更正“{correction}”{done_zh} {rows:,} 行（{reason}；报告人 {reporter}）。",
        count=rows,
        example=reason,
        place=correction,
    )


def values_check(table: str) -> TableCheck:
    return _check(
        "values", table, "passed", f"{table}: every value could be read.", f"{table}：所有取值均可读取。"
    )


def reference_check(table: str, column: str, target: str, orphans: int, example: str) -> TableCheck:
    if not orphans:
        return _check(
            "references",
            table,
            "passed",
            f"{table}.{column}: every value is found in {target}.",
            f"{table}.{column}：均能在 {target} 中找到。",
            place=column,
        )
    return _check(
        "references",
        table,
        "failed",
        f"{table}.{column}: {orphans:,} rows name a row that {target} does not have, e.g. '{example}'; kept, and left out where {target} is needed.",
        f"{table}.{column}：{orphans:,} 行引用了 {target} 中不存在的记录，例如“{example}”；已保留，涉及 {target} 的计算不含这些行。",
        count=orphans,
        example=example,
        place=column,
    )


def unreferenced_check(table: str, column: str, target: str) -> TableCheck:
    return _check(
        "references",
        table,
        "info",
        f"{table}.{column}: not checked, because there is no table {target}.",
        f"{table}.{column}：未检查，因为没有 {target} 表。",
        place=column,
    )


def time_order_check(table: str, early: str, late: str, count: int, example: str) -> TableCheck:
    place = f"{early}-{late}"
    if not count:
        return _check(
            "time_order",
            table,
            "passed",
            f"{table}: {late} is never before {early}.",
            f"{table}：{late} 均不早于 {early}。",
            place=place,
        )
    return _check(
        "time_order",
        table,
        "failed",
        f"{table}: in {count:,} rows {late} lies before {early}, e.g. {example}; durations leave them out.",
        f"{table}：{count:,} 行的 {late} 早于 {early}，例如 {example}；计算时长时不含这些行。",
        count=count,
        example=example,
        place=place,
    )


def currency_check(table: str, count: int, currency: str) -> TableCheck:
    return _check(
        "currency",
        table,
        "info",
        f"{table}: {count:,} rows in another currency were converted to {currency} at the rate of their day.",
        f"{table}：{count:,} 行外币金额已按当日汇率折算为 {currency}。",
        count=count,
    )


def unknown_column_check(table: str, file: str, column: str, near: str) -> TableCheck:
    hint = (f"; did you mean '{near}'?", f"；是否应为“{near}”？") if near else (".", "。")
    return _check(
        "unknown_column",
        table,
        "failed" if near else "info",
        f"{file}: column '{column}' is not in the contract and was not read{hint[0]}",
        f"{file}：列“{column}”不在数据约定之内，未读取{hint[1]}",
        count=1,
        example=column,
        place=column,
    )


def line_break_check(table: str, file: str) -> TableCheck:
    return _check(
        "last_line",
        table,
        "info",
        f"{file}: the last line has no line break; if the file was cut, its last value is incomplete.",
        f"{file}：末行没有换行符；如文件被截断，最后一个值可能不完整。",
        count=1,
        example=file,
        place=file,
    )


def encoding_check(table: str, file: str, encoding: str) -> TableCheck:
    return _check(
        "encoding",
        table,
        "info",
        f"{file}: not UTF-8; read as {encoding.upper()}, in which it is plausible Chinese text.",
        f"{file}：不是 UTF-8 编码；已按 {encoding.upper()} 读取，内容为合理的中文文本。",
        count=1,
        example=file,
        place=file,
    )


def unknown_file_check(name: str, near: str) -> TableCheck:
    hint = (f"; did you mean '{near}'?", f"；是否应为“{near}”？") if near else (".", "。")
    return _check(
        "unknown_file",
        "",
        "failed" if near else "info",
        f"{name}: no table has this name, so it was not read{hint[0]}",
        f"{name}：没有同名的表，未读取{hint[1]}",
        count=1,
        example=name,
        place=name,
    )
