"""Shops compared: numbers worked out by hand, sums to the cent, published intervals, and no verdict where nothing differs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from analysis import costs
from analysis.costs import shops_facts
from analysis.costs.shops import ClusterSums, adjusted, common_design_effect, gap_between
from analysis.costs.shops_facts import IN_TIME, LARGEST, RATE, SATISFIED, ShopTable, places_named, shops_of
from analysis.errors import MissingData
from analysis.exhibits import costs as exhibits
from analysis.metrics import NotDone, StudyInputs
from analysis.sample import make_sample

Inputs = Callable[..., StudyInputs]
Rows = list[tuple[object, ...]]

HEADS = {
    "customers": "customer_id",
    "orders": "order_id,customer_id,ordered_at,revenue,platform,shop",
    "tickets": "ticket_id,customer_id,ticket_type,opened_at,first_response_at,platform,shop",
    "ledger": "posting_id,posted_on,category,amount,ticket_id,platform,shop",
    "surveys": "survey_id,kind,customer_id,ticket_id,answered_at,score",
}


def write(folder: Path, **tables: Rows) -> Path:
    folder.mkdir(exist_ok=True)
    for name, rows in tables.items():
        frame = pd.DataFrame(rows, columns=HEADS[name].split(","), dtype=object)
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def orders_of(platform: str, shop: str, number: int, *, first: int = 0, month: int = 10) -> Rows:
    """One order each of so many customers, with customers numbered from ``first``."""
    return [
        (f"O{n}", f"C{n}", f"2026-{month:02d}-{n % 27 + 1:02d}T04:00:00", "10.00", platform, shop)
        for n in range(first, first + number)
    ]


def tickets_of(platform: str, shop: str, number: int, *, late: int = 0, first: int = 0) -> Rows:
    """One ticket each, each opened on a day of its own; the last ``late`` of them answered after two days."""
    return [
        (
            f"T{n}",
            f"C{n}",
            "inquiry",
            f"2026-10-{n - first + 1:02d}T02:00:00",
            f"2026-10-{n - first + (3 if n - first >= number - late else 1):02d}T03:00:00",
            platform,
            shop,
        )
        for n in range(first, first + number)
    ]


def customers(*orders: Rows) -> Rows:
    return [(name,) for name in sorted({str(row[1]) for rows in orders for row in rows})]


A, B = ("Cloud", "Flagship"), ("Harbour", "Store")


@pytest.fixture
def two_shops(tmp_path: Path) -> Path:
    """Flagship: 10 orders, 6 tickets; Store: 20 orders, 10 tickets of which two were answered late; five postings."""
    orders = orders_of(*A, 10) + orders_of(*B, 20, first=100)
    tickets = tickets_of(*A, 6) + tickets_of(*B, 10, late=2, first=100)
    ledger: Rows = [
        ("L1", "2026-10-05", "labour", "300.10", "", *A),
        ("L2", "2026-10-06", "logistics", "100.07", "", "", "Flagship"),  # the platform is told by its orders
        ("L3", "2026-10-07", "parts", "10.01", "T3", "", ""),  # the shop is told by its ticket
        ("L4", "2026-10-08", "logistics", "200.05", "", *B),
        ("L5", "2026-10-09", "training_management", "99.99", "", "", ""),  # of no shop
    ]
    surveys: Rows = [
        (f"S{n}", "csat", f"C{n}", f"T{n}", f"2026-10-{n % 100 + 10:02d}T02:00:00", score)
        for n, score in ((0, 5), (1, 4), (2, 3), (100, 1), (101, 2), (102, 4), (103, 5))
    ]
    # without a ticket: of the last one of the customer, who has one at the Store
    surveys.append(("S9", "csat", "C104", "", "2026-10-30T02:00:00", 5))
    return write(
        tmp_path / "two_shops",
        customers=customers(orders, tickets),
        orders=orders,
        tickets=tickets,
        ledger=ledger,
        surveys=surveys,
    )


def by_name(table: ShopTable) -> dict[str, shops_facts.ShopLine]:
    return {line.name.en: line for group in table.groups for line in group.shops}


# -- arithmetic -------------------------------------------------------------------------------------------------------------


def alone(hits: float, base: float, kind: str = "share") -> ClusterSums:
    """Every cluster holds one case."""
    return ClusterSums(
        kind=kind,  # type: ignore[arg-type]
        hits=hits,
        base=base,
        hits_squared=hits,
        products=hits,
        base_squared=base,
    )


def test_a_difference_of_shares_is_newcombes() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, example (a): 56/70 against 48/80, method 10
    gap = gap_between(alone(56, 70), alone(48, 80), level=0.95)
    assert gap is not None and (gap.interval.low, gap.interval.high) == pytest.approx(
        (0.0524, 0.3339), abs=5e-5
    )
    assert alone(56, 70).design_effect == pytest.approx(1)


def test_a_difference_of_rates_squares_and_adds_the_reaches_of_garwoods_intervals() -> None:
    own, others = alone(20, 100, "rate"), alone(10, 100, "rate")
    (l1, u1), (l2, u2) = (
        (chi2.ppf(0.025, 2 * n) / 2 / 100, chi2.ppf(0.975, 2 * n + 2) / 2 / 100) for n in (20, 10)
    )
    gap = gap_between(own, others, level=0.95, per=1000)
    assert gap is not None
    assert gap.interval.low == pytest.approx(1000 * (0.1 - np.hypot(0.2 - l1, u2 - 0.1)))
    assert gap.interval.high == pytest.approx(1000 * (0.1 + np.hypot(u1 - 0.2, 0.1 - l2)))
    back = gap_between(others, own, level=0.95, per=1000)
    assert back is not None and back.interval.low == pytest.approx(-gap.interval.high)


@pytest.mark.parametrize(
    ("own", "others", "chance"),
    [
        # Fisher (1935), The Design of Experiments: three of four cups with milk first, one of four with tea first; 34/70
        (alone(3, 4), alone(1, 4), 34 / 70),
        # five events against none, with equal exposure: two tails of one half to the power of five
        (alone(5, 10, "rate"), alone(0, 10, "rate"), 0.0625),
    ],
)
def test_chances_are_exact(own: ClusterSums, others: ClusterSums, chance: float) -> None:
    gap = gap_between(own, others, level=0.95)
    assert gap is not None and gap.p_value == pytest.approx(chance)


def test_customers_who_say_everything_twice_are_half_as_many() -> None:
    # three customers with two answers each: both, both, none
    twice = ClusterSums(kind="share", hits=4, base=6, hits_squared=8, products=8, base_squared=12)
    assert twice.design_effect == pytest.approx(2) and twice.worth == pytest.approx((2, 3))
    once = alone(2, 3).interval(level=0.95)
    wide = twice.interval(level=0.95)
    assert (wide.low, wide.high) == pytest.approx((once.low, once.high))
    assert "design effect" in wide.method and "design effect" not in once.method


def test_a_small_shop_takes_the_spread_of_all() -> None:
    twice = ClusterSums(kind="share", hits=4, base=6, hits_squared=8, products=8, base_squared=12)
    small = ClusterSums(kind="share", hits=1, base=2, hits_squared=1, products=1, base_squared=2)
    # squares 8/3 and 1/2 over 4/3 and 1/2; a part of none, or of nothing but hits, adds nothing
    common = common_design_effect([twice, small, alone(0, 0), alone(3, 3)])
    assert common == pytest.approx((8 / 3 + 1 / 2) / (4 / 3 + 1 / 2))
    assert replace(small, at_least=common).design_effect == common
    assert replace(twice, at_least=common).design_effect == pytest.approx(2)
    assert common_design_effect([]) == 1


@pytest.mark.parametrize("nothing", [alone(0, 0), alone(0, 0, "rate")])
def test_without_a_case_nothing_is_compared(nothing: ClusterSums) -> None:
    some = alone(1, 2, nothing.kind)
    assert gap_between(nothing, some, level=0.95) is None and gap_between(some, nothing, level=0.95) is None


@pytest.mark.parametrize("kind", ["rate", "share"])
@pytest.mark.parametrize("hits", [0, 5])
def test_no_hit_and_nothing_but_hits_have_a_gap(kind: str, hits: int) -> None:
    gap = gap_between(alone(hits, 5, kind), alone(40, 80, kind), level=0.95)
    assert gap is not None and 0 <= gap.p_value <= 1 and gap.interval.low < gap.interval.high


def test_p_values_are_raised_over_all_comparisons() -> None:
    assert adjusted({"a": 0.01, "b": 0.04, "c": 0.03}) == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06})
    assert adjusted({}) == {}


def false_alarms(*, seeds: int, level: float) -> int:
    """Reports that name a shop: four shops, three rates, buyers whose tickets, answers and days hang together, nothing planted."""
    alarms = 0
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        sums: dict[tuple[str, int], ClusterSums] = {}
        for shop, size in enumerate((900, 500, 300, 40)):
            keen = rng.gamma(0.5, 2.0, size)
            orders = 1 + rng.poisson(0.5 * keen)
            days = rng.beta(8, 2, 60)
            asked = rng.poisson(size / 60 + 1, 60)
            answers = rng.poisson(keen)
            happy = rng.beta(2, 1, size)
            drawn = {
                RATE: ("rate", rng.poisson(0.5 * orders * keen), orders),
                IN_TIME: ("share", rng.binomial(asked, days), asked),
                SATISFIED: ("share", rng.binomial(answers, happy), answers),
            }
            for rate, (kind, hits, base) in drawn.items():
                sums[rate, shop] = ClusterSums(
                    kind=kind,  # type: ignore[arg-type]
                    hits=float(hits.sum()),
                    base=float(base.sum()),
                    hits_squared=float((hits**2).sum()),
                    products=float((hits * base).sum()),
                    base_squared=float((base**2).sum()),
                )
        gaps = {}
        common = {
            rate: common_design_effect(one for (other, _), one in sums.items() if other == rate)
            for rate, _ in sums
        }
        for (rate, shop), alike in sums.items():
            own = replace(alike, at_least=common[rate])
            rest = [one for (other, number), one in sums.items() if other == rate and number != shop]
            whole = ClusterSums(
                kind=own.kind,
                hits=sum(one.hits for one in rest),
                base=sum(one.base for one in rest),
                hits_squared=sum(one.hits_squared for one in rest),
                products=sum(one.products for one in rest),
                base_squared=sum(one.base_squared for one in rest),
                at_least=common[rate],
            )
            if (gap := gap_between(own, whole, level=0.95)) is not None:
                gaps[rate, shop] = gap.p_value
        alarms += min(adjusted(gaps).values()) < level
    return alarms


def test_where_nothing_differs_hardly_a_report_names_a_shop() -> None:
    # at five per cent a hundred reports name five at most on average; ten is beyond the 0.99 quantile of that
    assert false_alarms(seeds=100, level=0.05) <= 10


@pytest.mark.slow
def test_the_level_is_kept_over_many_reports() -> None:
    # 1,000 reports at one per cent: 18 is beyond the 0.99 quantile
    assert false_alarms(seeds=1000, level=0.01) <= 18


# -- two shops by hand ------------------------------------------------------------------------------------------------------


def test_two_shops_by_hand(two_shops: Path, inputs_of: Inputs) -> None:
    table = shops_of(inputs_of(two_shops)).year
    lines = by_name(table)
    flagship, store = lines["Flagship"].facts, lines["Store"].facts
    assert (flagship["customer_orders"].value, store["customer_orders"].value) == (10, 20)
    assert (flagship["service_order_count"].value, store["service_order_count"].value) == (6, 10)
    assert flagship["after_sales_cost"].value == Decimal("410.18")  # 300.10 + 100.07 + 10.01
    assert store["after_sales_cost"].value == Decimal("200.05")
    assert flagship["cost_per_thousand_orders"].value == Decimal("41018.00")
    assert store["cost_per_thousand_orders"].value == Decimal("10002.50")
    assert flagship["labour_share"].value == Decimal("300.10") / Decimal("410.18")
    assert table.unnamed is not None
    assert table.unnamed.facts["after_sales_cost"].value == Decimal("99.99")
    assert set(table.unnamed.facts) == {"after_sales_cost"}


def test_intervals_are_those_of_the_textbook_where_cases_stand_alone(
    two_shops: Path, inputs_of: Inputs
) -> None:
    lines = by_name(shops_of(inputs_of(two_shops)).year)
    rate = lines["Flagship"].facts[RATE]
    # Garwood (1936), Biometrika 28, 437-442: 95% limits of a count of 6
    assert rate.value == 600 and rate.interval is not None
    assert (rate.interval.low / 100, rate.interval.high / 100) == pytest.approx((2.202, 13.06), abs=1e-3)
    in_time = lines["Store"].facts[IN_TIME]
    # Wilson (1927): 8 of 10
    assert in_time.value == 0.8 and in_time.n == 10 and in_time.interval is not None
    assert (in_time.interval.low, in_time.interval.high) == pytest.approx((0.490, 0.943), abs=5e-4)
    satisfied = lines["Store"].facts[SATISFIED]
    assert (satisfied.numerator, satisfied.denominator) == (3, 5)  # 1, 2, 4, 5 and the 5 without a ticket
    gap = lines["Store"].gaps[IN_TIME]
    assert gap.others.value == 1 and gap.difference.value == pytest.approx(-0.2)
    # 8/10 against 6/6 by Newcombe's method 10: Wilson's limits 0.4902, 0.9433 and 0.6097, 1
    assert gap.difference.interval is not None
    reaches = (np.hypot(0.8 - 0.49016, 0), np.hypot(0.94331 - 0.8, 1 - 0.60967))
    assert gap.difference.interval.low == pytest.approx(-0.2 - reaches[0], abs=1e-4)
    assert gap.difference.interval.high == pytest.approx(-0.2 + reaches[1], abs=1e-4)
    assert gap.reading == "noise" and gap.p_value == 1


def test_tickets_that_name_no_customer_are_counted_one_by_one(two_shops: Path, inputs_of: Inputs) -> None:
    path = two_shops / "tickets.csv"
    pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="customer_id").to_csv(path, index=False)
    rate = by_name(shops_of(inputs_of(two_shops)).year)["Flagship"].facts[RATE]
    assert rate.interval is not None and rate.interval.low / 100 == pytest.approx(2.202, abs=5e-4)


def test_two_shops_are_one_comparison_not_two(two_shops: Path, inputs_of: Inputs) -> None:
    lines = by_name(shops_of(inputs_of(two_shops)).year)
    one, other = lines["Flagship"].gaps[RATE], lines["Store"].gaps[RATE]
    assert one.p_value == other.p_value and one.difference.value == -other.difference.value  # type: ignore[operator]


def test_a_ticket_of_the_last_day_is_not_judged_before_its_limit(two_shops: Path, inputs_of: Inputs) -> None:
    with (two_shops / "tickets.csv").open("a", encoding="utf-8") as file:
        file.write("T99,C0,inquiry,2026-10-31T12:00:00,,Cloud,Flagship\n")
    facts = by_name(shops_of(inputs_of(two_shops)).year)["Flagship"].facts
    assert (facts["service_order_count"].value, facts[IN_TIME].n) == (7, 6)


def test_what_a_customer_asks_five_times_widens_the_interval(two_shops: Path, inputs_of: Inputs) -> None:
    path = two_shops / "tickets.csv"
    path.write_text(
        "\n".join(
            line.replace(f",C{n},", ",C0,")
            for n, line in enumerate(path.read_text("utf-8").splitlines(), start=-1)
        )
        + "\n",
        encoding="utf-8",
    )
    rate = by_name(shops_of(inputs_of(two_shops)).year)["Flagship"].facts[RATE]
    assert rate.value == 600 and rate.interval is not None
    # one customer with six tickets and nine without: the squares are those of (6 - 0.6)² + 9 × 0.6², over 6
    effect = (5.4**2 + 9 * 0.6**2) / 6
    low = chi2.ppf(0.025, 2 * 6 / effect) / 2 * effect * 100
    assert rate.interval.low == pytest.approx(low, rel=1e-6)


# -- sums -------------------------------------------------------------------------------------------------------------------


def sums_to_the_total(table: ShopTable) -> None:
    for metric in ("customer_orders", "service_order_count", "after_sales_cost"):
        lines = [line for group in table.groups for line in group.shops or (group.line,)]
        lines += [line for line in (table.smaller, table.unnamed) if line is not None]
        parts = [line.facts[metric].value for line in lines if metric in line.facts]
        assert sum(part for part in parts if part is not None) == table.total.facts[metric].value, metric


def test_shops_and_the_rest_sum_to_the_total(two_shops: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(two_shops)
    found = shops_of(inputs)
    for table in (found.year, found.reported):
        sums_to_the_total(table)
    cost = inputs.engine.fact("after_sales_cost", period=inputs.month)
    assert found.reported.total.facts["after_sales_cost"].value == cost.value == Decimal("710.22")


@pytest.fixture
def many_shops(tmp_path: Path) -> Path:
    """More shops than have a line: two orders in each of the large ones, one in the others, and one posting each."""
    orders, tickets, ledger = [], [], []
    for n in range(LARGEST + 7):
        place = ("Cloud" if n % 2 else "Harbour", f"Shop {n:03d}")
        orders += orders_of(*place, 2 if n < LARGEST else 1, first=10 * n)
        tickets += tickets_of(*place, 1, first=10 * n)
        ledger.append((f"L{n}", "2026-10-05", "labour", f"{n}.01", "", *place))
    return write(
        tmp_path / "many", customers=customers(orders, tickets), orders=orders, tickets=tickets, ledger=ledger
    )


def test_of_many_shops_the_smallest_stand_together(many_shops: Path, inputs_of: Inputs) -> None:
    table = shops_of(inputs_of(many_shops)).year
    assert len(by_name(table)) == LARGEST and table.smaller is not None and table.unnamed is None
    assert table.smaller.facts["customer_orders"].value == 7
    smallest = range(LARGEST, LARGEST + 7)
    assert table.smaller.facts["after_sales_cost"].value == sum(Decimal(f"{n}.01") for n in smallest)
    sums_to_the_total(table)
    # shops of an even number are one more, so their platform stands first
    assert [group.line.place["platform"] for group in table.groups if group.line] == ["Harbour", "Cloud"]


def test_only_months_that_all_tables_reach_are_counted(two_shops: Path, inputs_of: Inputs) -> None:
    with (two_shops / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("O900,C0,2026-08-02T04:00:00,10.00,Cloud,Flagship\n")
    table = shops_of(inputs_of(two_shops)).year
    assert str(table.period) == "2026-10"
    assert by_name(table)["Flagship"].facts["customer_orders"].value == 10


# -- who is named -----------------------------------------------------------------------------------------------------------


def test_a_company_without_shops_has_no_such_part(company: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(company)
    study = costs.study(inputs)
    assert places_named(inputs) == [] and isinstance(study.shops, NotDone)
    assert not any("shops" in check.id for check in study.checks)
    block = exhibits.shops_table(study)
    assert block.payload["instead_of"]["told"] is False and exhibits.shops_month_table(study) is None


def test_columns_without_a_value_name_no_shop(company: Path, inputs_of: Inputs) -> None:
    for table in ("orders", "tickets", "ledger"):
        path = company / f"{table}.csv"
        pd.read_csv(path, dtype=str, keep_default_na=False).assign(shop="").to_csv(path, index=False)
    assert places_named(inputs_of(company)) == []


def test_one_shop_has_nothing_to_be_held_against(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        text = path.read_text("utf-8").replace("Harbour,Store", "Cloud,Flagship")
        path.write_text(text, encoding="utf-8")
    inputs = inputs_of(two_shops)
    assert places_named(inputs) == [("Cloud", "Flagship")]
    with pytest.raises(MissingData, match="no two shops or platforms are named"):
        shops_of(inputs)
    assert isinstance(costs.study(inputs).shops, NotDone)


def test_two_shops_of_one_name_on_two_platforms_are_two(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        path.write_text(path.read_text("utf-8").replace("Harbour,Store", "Harbour,Flagship"), "utf-8")
    table = shops_of(inputs_of(two_shops)).year
    lines = by_name(table)
    assert lines["Cloud: Flagship"].facts["customer_orders"].value == 10
    assert lines["Harbour: Flagship"].facts["customer_orders"].value == 20
    # a posting that names the shop alone is of neither: no platform is guessed
    assert lines["Flagship"].facts["after_sales_cost"].value == Decimal("100.07")
    sums_to_the_total(table)


def test_platforms_alone_are_compared_where_no_shop_is_named(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="shop").to_csv(path, index=False)
    table = shops_of(inputs_of(two_shops)).year
    assert table.by == ("platform",) and set(by_name(table)) == {"Cloud", "Harbour"}
    assert by_name(table)["Cloud"].facts["after_sales_cost"].value == Decimal("310.11")
    sums_to_the_total(table)


def test_shops_without_platforms_stand_in_one_list(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="platform").to_csv(path, index=False)
    table = shops_of(inputs_of(two_shops)).year
    assert table.by == ("shop",) and [group.name for group in table.groups] == [None]
    assert by_name(table)["Flagship"].facts["after_sales_cost"].value == Decimal("410.18")


def test_a_platform_that_names_no_shop_keeps_its_own_line(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        path.write_text(path.read_text("utf-8").replace("Harbour,Store", "Harbour,"), "utf-8")
    table = shops_of(inputs_of(two_shops)).year
    assert by_name(table)["Flagship"].facts["customer_orders"].value == 10
    harbour = next(group for group in table.groups if group.name and group.name.en == "Harbour")
    assert harbour.line is not None and harbour.line.facts["customer_orders"].value == 20
    assert harbour.line.gaps[RATE].others.denominator == 10
    sums_to_the_total(table)


@pytest.mark.parametrize("table", ["orders", "surveys", "tickets"])
def test_a_table_that_is_absent_takes_its_columns_along(
    two_shops: Path, inputs_of: Inputs, table: str
) -> None:
    (two_shops / f"{table}.csv").unlink()
    if table == "tickets":
        (two_shops / "surveys.csv").unlink()
    study = costs.study(inputs_of(two_shops))
    assert not isinstance(study.shops, NotDone)
    heads = {column["key"] for column in exhibits.shops_table(study).payload["columns"]}
    assert (RATE in heads) == (table == "surveys") and "after_sales_cost" in heads
    assert (SATISFIED in heads) == (table == "orders")
    sums = study.shops.year.total.facts
    assert sums["after_sales_cost"].value == Decimal("710.22")


def test_tickets_that_name_no_shop_are_not_taken_for_none(two_shops: Path, inputs_of: Inputs) -> None:
    """Orders are by shop, tickets are not: a shop has no rate, rather than a rate of zero."""
    path = two_shops / "tickets.csv"
    pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns=["shop", "platform"]).to_csv(
        path, index=False
    )
    facts = by_name(shops_of(inputs_of(two_shops)).year)["Flagship"].facts
    assert "customer_orders" in facts and "service_order_count" not in facts and RATE not in facts


def test_answers_that_carry_days_only_are_not_judged_in_hours(apart: Path, inputs_of: Inputs) -> None:
    path = apart / "tickets.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    frame.assign(first_response_at=frame["opened_at"].str[:10]).to_csv(path, index=False)
    facts = by_name(shops_of(inputs_of(apart)).year)["One"].facts
    assert IN_TIME not in facts and RATE in facts


STRANGE = "<b>A & B</b> $x_1$ {own} 'n' \"q\" \\ 100% #1 @2"


def test_a_shop_of_any_name_is_printed_as_it_is_called(two_shops: Path, inputs_of: Inputs) -> None:
    for name in ("orders", "tickets", "ledger"):
        path = two_shops / f"{name}.csv"
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.assign(shop=frame["shop"].replace("Flagship", STRANGE)).to_csv(path, index=False)
    study = costs.study(inputs_of(two_shops))
    assert not isinstance(study.shops, NotDone)
    line = by_name(study.shops.year)[STRANGE]
    assert line.facts["customer_orders"].value == 10
    block = exhibits.shops_table(study)
    assert any(row["cells"][0]["text"]["en"].endswith(STRANGE) for row in block.payload["rows"])
    html = block.html("en")
    assert "<b>A" not in html and "&lt;b&gt;A &amp; B&lt;/b&gt; $x_1$ {own}" in html


# -- what becomes of it -----------------------------------------------------------------------------------------------------


@pytest.fixture
def apart(tmp_path: Path) -> Path:
    """Three shops alike but for one, in which every second order brings a ticket instead of every tenth, and costs twice as much."""
    orders, tickets, ledger = [], [], []
    for n, (shop, every, amount) in enumerate((("One", 10, 400), ("Two", 10, 400), ("Dear", 2, 800))):
        first = 1000 * n
        orders += orders_of("Cloud", shop, 400, first=first)
        tickets += [
            (f"T{k}", f"C{k}", "inquiry", f"2026-10-{k % 27 + 1:02d}T02:00:00", "", "Cloud", shop)
            for k in range(first, first + 400, every)
        ]
        ledger.append((f"L{n}", "2026-10-05", "labour", f"{amount}.00", "", "Cloud", shop))
    return write(
        tmp_path / "apart",
        customers=customers(orders, tickets),
        orders=orders,
        tickets=tickets,
        ledger=ledger,
    )


def test_the_shop_that_is_worse_is_the_finding_and_the_title(apart: Path, inputs_of: Inputs) -> None:
    study = costs.study(inputs_of(apart))
    assert not isinstance(study.shops, NotDone)
    (finding,) = study.shops.findings
    assert finding in study.findings
    assert finding.subject == {"platform": "Cloud", "shop": "Dear"}
    # 800.00 less 400 orders at 800.00 for 800 orders
    assert finding.statement.values["excess"].value == Decimal("400.00")  # type: ignore[union-attr]
    assert finding.stake is not None and finding.stake.amount == 400 and finding.ground == "unasked"
    assert finding.severity != "alert"
    lines = by_name(study.shops.year)
    assert lines["Dear"].of("worse") == [RATE] and lines["One"].of("better") == [RATE]
    for language in ("en", "zh"):
        title = "".join(piece["t"] for piece in exhibits.shops_table(study).payload["title"][language])
        assert "Dear" in title
    assert exhibits.shops_table(study).payload["untranslated"] == []
    assert exhibits.shops_month_table(study).payload["untranslated"] == []  # type: ignore[union-attr]


def test_where_nobody_is_worse_the_title_says_so(two_shops: Path, inputs_of: Inputs) -> None:
    study = costs.study(inputs_of(two_shops))
    assert not isinstance(study.shops, NotDone) and study.shops.findings == ()
    assert (
        exhibits.shops_table(study)
        .plain()
        .endswith("No shop or platform differs from the others beyond chance")
    )


def test_a_worse_shop_that_costs_less_has_no_sum(apart: Path, inputs_of: Inputs) -> None:
    path = apart / "ledger.csv"
    path.write_text(path.read_text("utf-8").replace("800.00", "100.00"), "utf-8")
    (finding,) = shops_of(inputs_of(apart)).findings
    assert (finding.severity, finding.ground, finding.stake) == ("watch", "no_sum", None)
    assert "excess" not in finding.statement.values


def test_a_difference_that_is_sure_and_small_is_information(apart: Path, inputs_of: Inputs) -> None:
    inputs = inputs_of(apart)
    entry = inputs.assumptions.entries["shop_least_effect"]
    # every second order against every tenth: 0.4 of the orders
    for least, severity, ground in (
        (Decimal("0.39"), "watch", "unasked"),
        (Decimal("0.41"), "info", "small"),
    ):
        held = {day: replace(value, value=least) for day, value in entry.values.items()}
        entries = inputs.assumptions.entries | {"shop_least_effect": replace(entry, values=held)}
        asked = replace(inputs, assumptions=replace(inputs.assumptions, entries=entries))
        (finding,) = shops_of(asked).findings
        assert (finding.severity, finding.ground) == (severity, ground)


@pytest.mark.slow
def test_planted_truths_of_the_seller_are_read(tmp_path: Path, inputs_of: Inputs) -> None:
    """The outlet has nights of its own and no slow partner, and its labour share is above its line; that it has more returns is within chance."""
    make_sample(tmp_path / "seller", template="ecommerce")
    lines = by_name(shops_of(inputs_of(tmp_path / "seller")).year)
    outlet = lines["Cloud Outlet"]
    assert outlet.of("better") == [IN_TIME] and outlet.gaps[RATE].difference.value > 0  # type: ignore[operator]
    share = outlet.facts["labour_share"].value
    assert share is not None and share > Decimal("0.8")
    assert not lines["Clover Store"].apart  # it only seems to differ


@pytest.mark.slow
def test_a_seller_with_nothing_planted_has_no_shop_that_differs(
    tmp_path_factory: pytest.TempPathFactory, inputs_in: Inputs
) -> None:
    named = 0
    for seed in range(10):
        folder = tmp_path_factory.mktemp(f"null_{seed}")
        make_sample(folder, seed=seed, null=True, scale=0.1, template="ecommerce", blemishes=False)
        table = shops_of(inputs_in(folder, work=tmp_path_factory.mktemp(f"null_work_{seed}"))).year
        named += bool(table.apart)
    # at one in a hundred reports, two of ten are beyond the 0.99 quantile
    assert named <= 1
