from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.errors import ParameterError
from analysis.locale import Language, Text, spaced
from analysis.periods import Month
from analysis.results import Check, Fact, FactId, Finding, Interval, Sentence, by_severity, json_number


def fact(value: Decimal | float | int | None = Decimal("12.50"), **parts: object) -> Fact:
    defaults: dict[str, object] = {"metric": "after_sales_cost", "period": "2026-10", "unit": "CNY"}
    return Fact(**{**defaults, "value": value, **parts})  # type: ignore[arg-type]


@given(st.dictionaries(st.sampled_from(["region", "model", "account"]), st.text(min_size=1), max_size=3))
def test_an_id_reads_back_whatever_the_labels_hold(dimensions: dict[str, str]):
    one = fact(dimensions=dimensions)
    assert FactId.parse(one.id) == FactId(
        metric="after_sales_cost", dimensions=dimensions, period="2026-10", version="1"
    )


def test_a_figure_without_value_must_say_why():
    with pytest.raises(ParameterError, match="no value and no reason"):
        fact(None)
    with pytest.raises(ParameterError, match="not finite"):
        fact(float("inf"))


def test_a_sentence_is_made_of_words_facts_and_labels():
    sentence = Sentence(
        "{region}: cost {cost:word|rose|fell|did not change} by {cost:abs}.",
        {"region": "1<b>", "cost": fact(Decimal("-5000.00"))},
    )
    kinds = [(segment.kind, segment.text) for segment in sentence.segments("en")]
    assert kinds == [
        ("label", "1<b>"),
        ("words", ": cost "),
        ("words", "fell"),
        ("words", " by "),
        ("fact", "CNY 5,000"),
        ("words", "."),
    ]
    assert sentence.segments("en")[4].fact == "after_sales_cost#2026-10:1"


def test_rose_agrees_with_the_sign_and_one_with_the_number():
    assert Sentence("{x:word|rose|fell|stayed}", {"x": fact(0)}).plain() == "stayed"
    one = Sentence("{n} {n:plural|row was|rows were} kept", {"n": fact(1, unit="count")})
    assert one.plain() == "1 row was kept"


def test_a_bare_number_cannot_enter_a_sentence():
    with pytest.raises(ParameterError, match="make it a fact first"):
        Sentence("{n} rows", {"n": 3}).plain()  # type: ignore[dict-item]
    with pytest.raises(ParameterError, match="no value for {n}"):
        Sentence("{n} rows").plain()


def test_a_sentence_cannot_print_the_level_of_an_interval_the_fact_lacks():
    with pytest.raises(ParameterError, match="has no interval"):
        Sentence("{cost:level}", {"cost": fact()}).plain()
    estimate = fact(
        0.5, unit="share", interval=Interval(low=0.4, high=0.6, level=0.95, method="Wilson"), n=100
    )
    assert Sentence("{share:interval}", {"share": estimate}).plain() == "95% interval 40.0% to 60.0%"


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=2))
def test_json_numbers_read_back_to_the_cent(value: Decimal):
    packed = json_number(value)
    assert Decimal(repr(packed) if isinstance(packed, float) else str(packed)) == value


def test_findings_come_gravest_first_then_weightiest():
    statement = Sentence("x")
    findings = [
        Finding(id="b", section="s", severity="info", statement=statement),
        Finding(id="a", section="s", severity="alert", statement=statement, rank=1),
        Finding(id="c", section="s", severity="alert", statement=statement, rank=5),
    ]
    assert [finding.id for finding in by_severity(findings)] == ["c", "a", "b"]


def test_a_finding_packs_its_values_with_their_limits():
    ratio = fact(
        3.1,
        metric="rate_ratio",
        unit="ratio",
        interval=Interval(low=2.4, high=4.0, level=0.95, method="exact"),
    )
    packed = Finding(
        id="failures.excess", section="failures", severity="alert", statement=Sentence("{r}", {"r": ratio})
    ).as_json()
    assert packed["values"]["r"] == {
        "fact": ratio.id,
        "value": 3.1,
        "unit": "ratio",
        "low": 2.4,
        "high": 4.0,
        "level": 0.95,
    }


def test_text_and_months_follow_the_language():
    sentence = Sentence(
        "{name:lower} {month}", {"name": Text(en="Parts", zh="配件"), "month": Month(2026, 10)}
    )
    assert sentence.plain("en") == "parts October 2026"
    assert "".join(segment.text for segment in sentence.segments("zh")) == "配件 2026年10月"


@pytest.mark.parametrize(
    ("low", "high", "held"), [(-1, 1, True), (0, 1, True), (-1, 0, True), (0.1, 1, False), (-1, -0.1, False)]
)
def test_an_interval_holds_what_lies_within_it_or_on_a_limit(low: float, high: float, held: bool):
    assert Interval(low=low, high=high, level=0.95, method="t").holds(0) is held


@pytest.mark.parametrize(
    ("low", "high", "english"),
    [
        (-3e6, -1e6, "95% interval −CNY 3.00 million to −CNY 1.00 million"),
        (-2e6, 3e6, "95% interval −CNY 2.00 million to CNY 3.00 million"),
        (5e5, 3e6, "95% interval CNY 500,000 to CNY 3.00 million"),
        (1.5e6, 3e6, "95% interval CNY 1.50 to 3.00 million"),
    ],
)
def test_an_interval_of_money_keeps_what_its_limits_do_not_share(low: float, high: float, english: str):
    estimate = fact(
        0.0, metric="x", unit="CNY", interval=Interval(low=low, high=high, level=0.95, method="t")
    )
    assert Sentence("{x:interval}", {"x": estimate}).plain() == english


def test_a_check_says_whether_it_blocks():
    assert (
        Check(id="x", outcome="failed", sentence=Sentence("y"), blocking=True).as_json()["blocking"] is True
    )


@pytest.mark.parametrize(
    ("unit", "english", "chinese"),
    [
        ("ratio", "95% interval 2.40 to 4.00 times", "95% 区间 2.40 至 4.00 倍"),
        (
            "failures/1000_unit_months",
            "95% interval 2.40 to 4 failures per 1,000 unit-months",
            "95% 区间每千台月 2.40 至 4 次故障",
        ),
        ("CNY", "95% interval CNY 2 to 4", "95% 区间 2 至 4 元"),
        ("share", "95% interval 240.0% to 400.0%", "95% 区间 240.0% 至 400.0%"),
        ("p_value", "95% interval 2.400 to 4.000", "95% 区间 2.400 至 4.000"),
    ],
)
def test_an_interval_names_its_unit_once(unit: str, english: str, chinese: str):
    estimate = fact(
        3.1, metric="x", unit=unit, interval=Interval(low=2.4, high=4.0, level=0.95, method="exact")
    )
    assert Sentence("{x:interval}", {"x": estimate}).plain() == english
    assert (
        "".join(segment.text for segment in Sentence("{x:interval}", {"x": estimate}).segments("zh"))
        == chinese
    )


def test_a_bound_stays_with_its_number():
    nearly = Interval(low=0.9761, high=1.0, level=0.95, method="exact")
    chance = fact(1.0, metric="x", unit="chance", interval=nearly)
    assert Sentence("{x:interval}", {"x": chance}).plain() == "95% interval 98% to over 99%"
    assert Sentence("{x:interval}", {"x": chance}).plain("zh") == "95% 区间 98% 至 99% 以上"


def test_one_bound_that_holds_value_and_limits_stands_once():
    def said(template: str, value: float, low: float, high: float, language: Language = "en") -> str:
        limits = Interval(low=low, high=high, level=0.95, method="exact")
        return Sentence(template, {"x": fact(value, metric="x", unit="chance", interval=limits)}).plain(
            language
        )

    assert said("{x}{x:doubt}", 1.0, 0.9961, 1.0) == "over 99%"
    assert said("{x}{x:doubt}", 1.0, 0.9961, 1.0, "zh") == "99% 以上"
    assert said("{x:interval}", 1.0, 0.9961, 1.0) == "95% interval over 99%"
    assert said("{x:interval}", 0.0, 0.0, 0.0031, "zh") == "95% 区间不足 1%"
    # limits near each other without a bound are an interval all the same, and two bounds are two
    assert said("{x}{x:doubt}", 0.953, 0.951, 0.954) == "95.3% (95% interval 95.1% to 95.4%)"
    assert said("{x:interval}", 0.5, 0.0, 1.0) == "95% interval under 1% to over 99%"


def test_an_estimate_without_limits_says_so_where_a_sentence_asks_for_them():
    bare = Fact(metric="x", period="2026-10", unit="share", value=0.25)
    assert Sentence("{x} ({x:interval})", {"x": bare}).plain() == "25.0% (no interval)"
    assert Sentence("{x}（{x:interval}）", {"x": bare}).plain("zh") == "25.0%（无区间）"


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.957, 0.969, "96.3% (95% interval 95.7% to 96.9%)"),
        (0.94, 0.98, "96% (95% interval 94% to 98%)"),  # no decimal that the draws do not know
        (0.963, 1.0, "96% (95% interval 96% to over 99%)"),
    ],
)
def test_a_chance_whose_limits_lie_close_is_printed_apart_from_them(low: float, high: float, said: str):
    limits = Interval(low=low, high=high, level=0.95, method="Wilson")
    chance = fact(0.963, metric="x", unit="chance", interval=limits)
    assert Sentence("{x}{x:doubt}", {"x": chance}).plain() == said


def test_a_doubt_is_the_interval_in_brackets_and_nothing_where_there_is_none():
    found = Interval(low=0.2, high=0.3, level=0.95, method="test")
    sure = Fact(metric="x", period="2026-10", unit="share", value=0.25, interval=found)
    bare = Fact(metric="x", period="2026-10", unit="share", value=0.25)
    gone = Fact(
        metric="x",
        period="2026-10",
        unit="share",
        value=None,
        reason=Text("no data", "无数据"),
        interval=None,
    )
    said = lambda fact: Sentence("{x}{x:doubt}", {"x": fact})  # noqa: E731
    assert said(sure).plain() == "25.0% (95% interval 20.0% to 30.0%)"
    assert said(sure).plain("zh") == "25.0%（95% 区间 20.0% 至 30.0%）"
    assert said(bare).plain() == "25.0%" and len(said(bare).segments("en")) == 1
    assert said(gone).plain() == "no data"
    assert [piece.fact for piece in said(sure).segments("en")] == [sure.id, sure.id]


@given(st.floats(-1e15, 1e15), st.floats(-1e15, 1e15), st.floats(-1e3, 1e3))
def test_limits_scaled_by_an_amount_of_either_sign_stay_in_order(one: float, other: float, amount: float):
    held = Interval.spanning(low=one, high=other, level=0.95, method="m")
    assert {held.low, held.high} == {one, other}
    scaled = held.spanned(low=held.low * amount, high=held.high * amount)
    assert scaled.low <= scaled.high and (scaled.level, scaled.method) == (0.95, "m")


def test_limits_that_are_no_numbers_are_refused_in_any_order():
    for low, high in ((float("nan"), 1.0), (1.0, float("nan"))):
        with pytest.raises(ParameterError):
            Interval.spanning(low=low, high=high, level=0.95, method="m")


DUE = (
    "{cause}: {amount} of approved claims on its failures in the last twelve months has not come back from the supplier "
    "({claims} {claims:plural|claim|claims})."
)


def test_a_space_kept_for_figures_goes_between_han_characters_only():
    values = {"amount": fact(1_880_000, metric="x", unit="CNY"), "claims": fact(2, metric="y", unit="count")}
    chinese = Sentence(DUE, values | {"cause": Text(en="Fan motor", zh="风机 电机")}).plain("zh")
    assert "188 万元尚未" in chinese
    assert chinese.startswith("风机 电机：")  # a name of the data is never changed


def test_text_with_values_in_it_closes_up_too():
    assert spaced(["95% 区间 ", "每千台", " 至 ", "4 次"], own=[True, False, True, False]) == [
        "95% 区间",
        "每千台",
        "至 ",
        "4 次",
    ]
    assert Text.filled("{measure}, log scale", measure=Text(en="Age", zh="时间")).zh.startswith("时间")


def test_a_number_stands_apart_from_han_characters_and_a_date_is_one_word():
    assert spaced(["超出", "9.68 万元"], own=[True, False]) == ["超出 ", "9.68 万元"]
    assert spaced(["变化为", "−1.5%", "的"], own=[True, False, True]) == ["变化为 ", "−1.5%", " 的"]
    assert spaced(["截至", "2026年10月", "末"], own=[True, False, True]) == ["截至 ", "2026年10月", "末"]
    assert spaced(["2024", "年", "4", "季度"], own=[False, True, False, True]) == ["2024", "年", "4", "季度"]
    assert spaced(["甲1号", "2 台"], own=[False, False]) == [
        "甲1号",
        "2 台",
    ]  # a name of the data is never changed


def test_a_sentence_spaces_the_word_that_its_number_chose():
    said = Sentence(
        "Cost of {month} is {variance:abs} {variance:word|over|under|at} the budget of {budget}",
        {
            "month": Month(2026, 10),
            "variance": fact(96_800, metric="x", unit="CNY"),
            "budget": fact(3_990_000, metric="y", unit="CNY"),
        },
    )
    assert said.plain("zh") == "2026年10月成本比预算 399 万元超出 9.68 万元"
    assert [segment.text for segment in said.segments("zh") if segment.kind == "fact"] == [
        "399 万元",
        "9.68 万元",
    ]


def test_a_quotation_ends_without_a_space_before_han_characters():
    assert spaced(["订单管理，“净额”", " 界面 ", "1 元"], own=[False, True, False]) == [
        "订单管理，“净额”",
        "界面 ",
        "1 元",
    ]


def test_a_latin_name_keeps_its_space_before_han_characters():
    assert spaced(["Field West", " 近三个月"], own=[False, True]) == ["Field West", " 近三个月"]
