"""Parts of the retention study whose answers can be worked out by hand or follow from how the data were made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from analysis import retention, stats
from analysis.errors import FitError, ParameterError
from analysis.metrics import NotDone, StudyInputs
from analysis.params.strict import bind
from analysis.retention import views
from analysis.retention.accounts import accounts
from analysis.retention.chain import backlog_ratio, detractor_ratio
from analysis.retention.cohorts import cohort_matrix
from analysis.retention.cohorts_facts import purchase_cohorts
from analysis.retention.effects import curvature, hazards
from analysis.retention.matching import matched
from analysis.retention.scores import risk_scores, stability_index
from analysis.retention.settings import RetentionSettings, load_settings
from analysis.sample import TRUTHS, make_sample

Inputs = Callable[..., StudyInputs]


def told(times: int) -> pd.DataFrame:
    """Four snapshots of 200 customers whose loss follows their orders; each customer as so many rows."""
    day = np.repeat(["2026-01", "2026-04", "2026-07", "2026-10"], 200)
    who = np.tile(np.arange(200), 4)
    lost = np.where(day == "2026-10", np.nan, (who * 37 % 100 < 60 - 12 * (who % 5)).astype(float))
    table = pd.DataFrame({"customer_id": who, "snapshot": day, "lost": lost, "orders": who % 5})
    return pd.concat([table] * times, ignore_index=True)


def test_the_area_of_a_score_has_the_interval_of_its_customers():
    """DeLong's of one row per customer, Obuchowski's of several: the same customers told three times over are as sure as told once."""
    once, thrice = (risk_scores(told(times), features=["orders"], capacity=20, seed=1) for times in (1, 3))
    found = stats.area_under_curve(once.judged["score"], once.judged["lost"])
    assert (once.auc_low, once.auc_high, once.auc_method) == (found.low, found.high, "DeLong")
    assert thrice.auc_method == "Obuchowski, by cluster"
    assert thrice.auc == pytest.approx(once.auc, abs=1e-12)
    assert thrice.auc_high - thrice.auc_low == pytest.approx(once.auc_high - once.auc_low, rel=0.02)
    row = once.stability.iloc[-1]
    assert row["auc_low"] < row["auc"] < row["auc_high"] and row["auc_method"] == "DeLong"


# -- cohorts and effects --------------------------------------------------------------------------------------------------


def test_cohorts_of_the_study_are_those_of_the_public_function(company: Path, inputs_of: Inputs):
    lines = ["order_id,customer_id,product_id,ordered_at,revenue,gross_margin"]
    rows = [
        ("A", "2025-11-03", 100, 40),
        ("A", "2026-02-10", 50, 20),
        ("A", "2026-08-11", 30, 9),
        ("B", "2025-12-05", 80, 30),
        ("B", "2025-12-20", 20, 5),
        ("D", "2026-03-01", 70, 28),
        ("D", "2026-09-30", 10, 4),
    ]
    lines += [
        f"O{place},{who},P1,{day}T04:00:00,{revenue}.00,{margin}.00"
        for place, (who, day, revenue, margin) in enumerate(rows)
    ]
    (company / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (company / "customers.csv").write_text(
        "customer_id,customer_type,segment,region\n"
        + "".join(f"{one},b2c,standard,North\n" for one in ("C1", "C2", "A", "B", "D")),
        encoding="utf-8",
    )
    found = purchase_cohorts(inputs_of(company))
    events = pd.DataFrame(rows, columns=["customer_id", "date", "revenue", "margin"])
    wanted = cohort_matrix(
        events, as_of="2026-10-31", period="quarter", revenue="revenue", margin="margin"
    ).assign(cohort=lambda frame: frame["cohort"].astype(str))
    both = found.matrix.merge(wanted, on=["cohort", "age"], suffixes=("", "_public"), validate="one_to_one")
    assert len(both) == len(wanted) == len(found.matrix)
    for column in ("size", "active", "orders", "revenue", "margin", "mature", "partial"):
        assert both[column].tolist() == both[f"{column}_public"].tolist(), column
    assert (
        found.running == "2026Q4"
        and found.matrix.set_index(["cohort", "age"]).loc[("2025Q4", 2), "margin_to_date"] == 95.0
    )


def test_first_product_counts_only_buyers_old_enough(company: Path, inputs_of: Inputs):
    lines = [
        "order_id,customer_id,product_id,ordered_at,revenue",
        "O1,A,P1,2025-08-03T04:00:00,1.00",
        "O2,A,P2,2026-08-03T04:00:00,1.00",
        "O3,B,P1,2026-05-03T04:00:00,1.00",
    ]
    (company / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (company / "customers.csv").write_text(
        "customer_id,customer_type,segment,region\n"
        + "".join(f"{one},b2c,standard,North\n" for one in ("C1", "C2", "A", "B", "D")),
        encoding="utf-8",
    )
    found = purchase_cohorts(inputs_of(company), "first_product")
    cells = found.matrix.set_index(["cohort", "age"])
    # both began with a washer; only A is four quarters old, and came back for a dryer, which founds no cohort
    assert set(found.matrix["cohort"]) == {"Washers"}
    assert cells.loc[("Washers", 1), "size"] == 2 and cells.loc[
        ("Washers", 4), ["size", "active", "orders_to_date"]
    ].tolist() == [1, 1, 2]


def test_hazards_are_losses_among_those_still_there():
    matrix = pd.DataFrame(
        {
            "cohort": ["a", "a", "a"],
            "age": [0, 1, 2],
            "size": 100,
            "active": [100, 80, 60],
            "mature": [True, True, False],
        }
    )
    assert hazards(matrix)[["at_risk", "lost"]].to_numpy().tolist() == [[100, 0], [100, 20]]


def _cells(random: np.random.Generator, *, bent: bool) -> pd.DataFrame:
    rows = []
    for number in range(1, 13):
        left = 4000
        for age in range(13 - number):
            calendar = number + age
            hazard = 0.05 + 0.01 * (age % 3) + 0.002 * calendar + (0.04 if bent and calendar == 9 else 0.0)
            lost = int(random.binomial(left, hazard))
            rows.append((number, age, calendar, left, lost))
            left -= lost
    return pd.DataFrame(rows, columns=["number", "age", "calendar", "at_risk", "lost"])


def test_a_bend_in_calendar_time_is_found_and_a_straight_line_is_nobodys():
    straight = [
        curvature(_cells(np.random.default_rng(seed), bent=False)).set_index("effect")["p_value"]
        for seed in range(20)
    ]
    assert (
        sum(one["calendar"] < 0.05 for one in straight) <= 4
        and sum(one["cohort"] < 0.05 for one in straight) <= 4
    )
    assert all(one["age"] < 1e-6 for one in straight)
    assert (
        curvature(_cells(np.random.default_rng(99), bent=True)).set_index("effect").loc["calendar", "p_value"]
        < 1e-6
    )


def test_each_effect_gives_one_straight_line_away():
    # three sets of indicators share one line: with twelve calendar steps, the calendar adds ten bends, not eleven
    assert curvature(_cells(np.random.default_rng(1), bent=False)).set_index("effect")[
        "degrees"
    ].to_dict() == {"age": 10, "calendar": 10, "cohort": 10}


# -- estimates ------------------------------------------------------------------------------------------------------------


def test_absolute_difference_over_strata_is_their_weighted_mean():
    random = np.random.default_rng(3)
    x, group = random.integers(0, 2, 600).astype(float), random.integers(0, 2, 600)
    life = random.exponential(1.0, 600) / (0.5 + 0.5 * x + group)
    fit = stats.cox(pd.DataFrame({"x": x}), life, np.ones(600), strata=group)
    none = pd.DataFrame({"x": [0.0]})
    alone = [
        stats.absolute_difference(fit, none, "x", values=(0.0, 1.0), time=0.5, stratum=one) for one in (0, 1)
    ]
    both = stats.absolute_difference(
        fit, none, "x", values=(0.0, 1.0), time=0.5, stratum={0: 300.0, 1: 100.0}
    )
    assert both.value == pytest.approx(0.75 * alone[0].value + 0.25 * alone[1].value)
    # one coefficient serves both: their errors go together, so the mean is less sure than of two independent ones and surer than the sum
    low = np.hypot(0.75 * alone[0].std_error, 0.25 * alone[1].std_error)
    assert low < both.std_error <= 0.75 * alone[0].std_error + 0.25 * alone[1].std_error + 1e-9


def test_a_customer_served_in_several_quarters_widens_the_interval():
    served = pd.DataFrame({"s": ["x"], "customers": [100], "bought": [30]})
    controls = pd.DataFrame({"s": ["x"], "customers": [10_000_000], "bought": [2_000_000]})
    once, twice = (matched(served, controls, stratum=["s"], served_repeats=again).error for again in (1, 2))
    assert twice / once == pytest.approx(np.sqrt(2), rel=1e-3)


def _panel(random: np.random.Generator, effect: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    months = pd.date_range("2022-01-01", periods=48, freq="MS")
    rows, answers = [], []
    for region, level in (("N", 0.8), ("S", 1.5), ("E", 1.1), ("W", 0.6)):
        load = random.normal(0, 0.3, len(months))
        for place, month in enumerate(months):
            rows.append(
                {
                    "region": region,
                    "first_day": month,
                    "hours": 5.0,
                    "opened": 100,
                    "still_open": round(100 * level * np.exp(load[place])),
                }
            )
            if place:
                n = 60
                answers.append(
                    {
                        "region": region,
                        "first_day": month,
                        "answers": n,
                        "hits": int(random.binomial(n, 0.2 * (effect if load[place - 1] > 0 else 1.0))),
                    }
                )
    return pd.DataFrame(rows), pd.DataFrame(answers)


def test_backlog_of_one_month_meets_answers_of_the_next():
    found = detractor_ratio(*_panel(np.random.default_rng(5), 1.8))
    assert 1.3 < np.exp(found.value) < 2.0 and found.p_value < 1e-6
    nulls = [detractor_ratio(*_panel(np.random.default_rng(seed), 1.0)) for seed in range(20)]
    assert (
        sum(one.p_value < 0.05 for one in nulls) <= 4
    )  # one of twenty is expected; five come up once in 400 times


def test_a_gap_between_months_is_no_next_month():
    waits, _ = _panel(np.random.default_rng(2), 1.0)
    waits["hours"] = np.random.default_rng(2).uniform(2, 9, len(waits))
    whole, holed = (
        backlog_ratio(waits),
        backlog_ratio(waits[waits["first_day"] != pd.Timestamp("2023-06-01")]),
    )
    assert whole.n - holed.n == 8  # the month itself and the one before it, in four regions


# -- early warning --------------------------------------------------------------------------------------------------------


def test_stability_index_by_hand():
    before, now = np.repeat([0.0, 1.0], [500_000, 500_000]), np.repeat([0.0, 1.0], [250_000, 750_000])
    assert stability_index(before, now) == pytest.approx(0.25 * np.log(1.5) - 0.25 * np.log(0.5), rel=1e-4)
    assert stability_index(before, before) == 0


def _snapshots(random: np.random.Generator, *, shifted: bool = False, each: int = 1500) -> pd.DataFrame:
    parts = []
    for place in range(6):
        risk = random.normal(3.0 if shifted and place == 5 else 0.0, 1.0, each)
        frame = pd.DataFrame(
            {
                "customer_id": [f"C{n}" for n in range(each)],
                "snapshot": place,
                "tenure": random.uniform(0, 24 + 6 * place, each),
                "risk": risk,
                "kind": random.choice(["a", "b"], each),
            }
        )
        frame["lost"] = (
            (random.random(each) < 1 / (1 + np.exp(2.5 - 1.2 * risk))).astype(float) if place < 5 else np.nan
        )
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def test_a_score_without_any_snapshot_says_so():
    nothing = _snapshots(np.random.default_rng(1), each=1).iloc[:0]
    with pytest.raises(FitError, match="0 snapshots with a known outcome"):
        risk_scores(nothing, features=["tenure", "risk", "kind"], capacity=50, seed=1)


def test_effects_of_no_cells_cannot_be_told_apart():
    with pytest.raises(FitError, match="0 cells for 0 parameters"):
        curvature(_cells(np.random.default_rng(1), bent=False).iloc[:0])


def test_growing_older_is_no_drift_and_a_sudden_shift_is():
    quiet = risk_scores(
        _snapshots(np.random.default_rng(1)), features=["tenure", "risk", "kind"], capacity=50, seed=1
    )
    assert not quiet.drift["moved"].any()
    moved = risk_scores(
        _snapshots(np.random.default_rng(1), shifted=True),
        features=["tenure", "risk", "kind"],
        capacity=50,
        seed=1,
    )
    assert {"risk", "score"} <= set(moved.drift.loc[moved.drift["moved"], "feature"]) and "tenure" not in set(
        moved.drift.loc[moved.drift["moved"], "feature"]
    )


def test_the_reason_of_a_high_score_is_what_makes_it_high():
    found = risk_scores(
        _snapshots(np.random.default_rng(1)), features=["tenure", "risk", "kind"], capacity=50, seed=1
    )
    assert (found.customers.head(50)["reason_1"] == "risk").all()
    assert len(found.stability) == 3 and found.stability["auc"].between(0.65, 0.95).all()


@pytest.mark.parametrize(
    ("given", "listed", "gravest"),
    [
        (["minor", "critical", "major"], ["minor", "major", "critical"], "critical"),
        (["P3", "P1"], ["P3", "P2", "P1"], "P1"),
        (["P1"], ["minor", "major", "critical"], "not_stated"),  # another desk's word is never called minor
        (["it's down", None], ["it's down"], "it's down"),
        ([None], ["minor"], "not_stated"),
        (["minor"], [], "not_stated"),
    ],
)
def test_a_customer_stands_under_the_gravest_severity_that_is_listed(
    given: list[str | None], listed: list[str], gravest: str
):
    rows = pd.DataFrame({"severity": pd.Series(given, dtype="string")})  # noqa: F841 (read by the query)
    found = duckdb.sql(f"SELECT {views._gravest(listed)} FROM rows t").fetchall()
    assert found == [(gravest,)]


# -- parameters, losses on record, accounts -----------------------------------------------------------------------------------


def test_settings_refuse_what_cannot_be():
    stated = vars(load_settings()) | {"repurchase_windows_months": [3], "purchase_types": ["product"]}
    with pytest.raises(ParameterError, match="risk_horizon_months: '24' should be at least 1 and at most 12"):
        bind(RetentionSettings, stated | {"risk_horizon_months": 24}, "retention.yml")
    with pytest.raises(ParameterError, match=r"months\[0\]: '0' should be at least 1"):
        bind(RetentionSettings, stated | {"repurchase_windows_months": [0]}, "retention.yml")
    with pytest.raises(ParameterError, match="at least one window"):
        RetentionSettings(
            business_model="both",
            purchase_types=("product",),
            cohort_period="month",
            repurchase_windows_months=(),
            risk_horizon_months=6,
            seed=1,
        )


def _contracts(company: Path, *, early_loss: bool) -> None:
    rows = ["contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount"]
    people = ["customer_id,customer_type,segment,region"]
    for number in range(80):
        end = "2027-06-30" if number >= 12 else "2026-09-20" if number or not early_loss else "2025-03-31"
        rows.append(f"K{number},1,X{number},subscription,2024-01-01,{end},,{100 + number}.00")
        people.append(f"X{number},{'b2b' if number % 2 else 'b2c'},standard,North")
    (company / "contracts.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (company / "customers.csv").write_text(
        "\n".join(people) + "\nC1,b2c,standard,North\nC2,b2b,key,South\n", encoding="utf-8"
    )


def test_a_source_without_earlier_losses_is_called_a_lower_bound(company: Path, inputs_of: Inputs):
    _contracts(company, early_loss=False)
    found = retention.study(inputs_of(company))
    check = next(one for one in found.checks if one.id == "losses_recorded")
    assert check.outcome == "failed" and "lower bound" in check.sentence.plain()


def test_a_source_with_earlier_losses_is_not(company: Path, inputs_of: Inputs):
    _contracts(company, early_loss=True)
    assert not any(one.id == "losses_recorded" for one in retention.study(inputs_of(company)).checks)


def test_accounts_are_ranked_by_value_and_never_named_on_a_page(company: Path, inputs_of: Inputs):
    from analysis.exhibits import retention_risk

    _contracts(company, early_loss=True)
    found = retention.study(inputs_of(company))
    assert not isinstance(found.accounts, NotDone)
    assert found.accounts.listed["customer_id"].head(2).tolist() == [
        "X79",
        "X77",
    ]  # 179 and 177 over 42 months, brought to a year
    assert found.accounts.largest[0].value.value == max(one.value.value for one in found.accounts.largest)  # type: ignore[type-var]
    block = retention_risk.largest_accounts_table(found)
    assert block is not None and "X79" not in str(block.payload)


ACCOUNTS = """contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount
K1,1,B1,subscription,2025-01-01,2026-12-31,,24000.00
K2,1,B2,subscription,2025-01-01,2025-12-31,,6000.00
K2,2,B2,subscription,2026-01-01,2026-12-31,,4000.00
K3,1,B3,maintenance,2025-01-01,2025-12-31,,3000.00
K4,1,B4,subscription,2026-03-01,2027-08-31,,1500.00
K5,1,P1,subscription,2025-01-01,2026-12-31,,900.00
"""


@pytest.fixture
def few(company: Path) -> Path:
    """Four businesses and a consumer: one stays, one pays less, one leaves, one is new."""
    (company / "contracts.csv").write_text(ACCOUNTS, encoding="utf-8")
    rows = "".join(f"{one},b2b,key,North\n" for one in ("B1", "B2", "B3", "B4"))
    (company / "customers.csv").write_text(
        f"customer_id,customer_type,segment,region\n{rows}P1,b2c,standard,North\nC1,b2c,standard,North\nC2,b2b,key,South\n",
        encoding="utf-8",
    )
    return company


def test_accounts_by_hand(few: Path, inputs_of: Inputs):
    found = accounts(inputs_of(few), None)
    # by the year: B1 12,000 then and now; B2 6,000, now 4,000; B3 3,000, lost on the last day of 2025; B4 is new, 1,000 (1,500 over eighteen months)
    assert [
        (float(one.before.value), float(one.value.value), one.kept.value and float(one.kept.value))
        for one in found.largest
    ] == [(12000, 12000, 1), (6000, 4000, pytest.approx(2 / 3)), (3000, 0, 0), (0, 1000, None)]  # type: ignore[arg-type]
    assert [one.due_on is None for one in found.largest] == [False, False, True, False]
    assert (
        found.number.value,
        float(found.value.value),
        float(found.top_share.value),
        float(found.ten_share.value),
    ) == (3, 17000.0, pytest.approx(12 / 17), 1.0)  # type: ignore[arg-type]
    assert found.equal_accounts.value == round(17**2 / (12**2 + 4**2 + 1))
    # B1 and B2 end with the year, within six months of October; B4 runs until August 2027; without a score nothing is said to be at risk
    assert [float(one.value.value) for one in found.due] == [12000.0, 4000.0] and found.due_at_risk is None  # type: ignore[arg-type]
    assert (found.due_number.value, float(found.due_value.value)) == (2, 16000.0)  # type: ignore[arg-type]
    assert found.listed.set_index("customer_id")["kept_share"].round(4).fillna(-1).to_dict() == {
        "B1": 1.0,
        "B2": 0.6667,
        "B3": 0.0,
        "B4": -1.0,
    }
    assert found.lost["customer_id"].tolist() == ["B3"]


def test_business_model_follows_the_data_or_the_parameter(
    company: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch
):
    from analysis.retention import settings

    inputs = inputs_of(company)
    assert settings.business_models(inputs) == {"b2b", "b2c"}
    for chosen, models in (("b2c", {"b2c"}), ("b2b", {"b2b"}), ("both", {"b2b", "b2c"})):
        monkeypatch.setattr(
            settings, "load_settings", lambda chosen=chosen: replace(load_settings(), business_model=chosen)
        )
        assert settings.business_models(inputs) == models


def _pages(study: retention.RetentionStudy) -> dict[str, bool]:
    """Which of the pages that depend on the business model show figures (rather than nothing, or a remark in their place)."""
    from analysis.exhibits import retention_risk, retention_tenure

    made = {
        "tiles": retention_risk.accounts_tiles(study),
        "largest": retention_risk.largest_accounts_table(study),
        "due": retention_risk.due_table(study),
        "renewals": retention_risk.renewals_figure(study),
        "heatmap": retention_tenure.cohort_heatmap(study, "non_contractual"),
        "values": retention_tenure.cohort_table(study),
    }
    return {name: block is not None and block.payload["kind"] != "callout" for name, block in made.items()}


@pytest.mark.parametrize(
    ("chosen", "accounts", "cohorts"), [("b2b", True, False), ("b2c", False, True), ("from_data", True, True)]
)
def test_pages_follow_the_business_model(
    few: Path, inputs_of: Inputs, monkeypatch: pytest.MonkeyPatch, chosen: str, accounts: bool, cohorts: bool
):
    from analysis.exhibits import retention_risk, retention_tenure
    from analysis.retention import settings

    lines = ["order_id,customer_id,product_id,ordered_at,revenue,gross_margin"] + [
        f"O{place},C1,P1,2025-{place:02d}-03T04:00:00,10.00,4.00" for place in range(1, 13)
    ]
    (few / "orders.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    monkeypatch.setattr(settings, "load_settings", lambda: replace(load_settings(), business_model=chosen))
    study = retention.study(inputs_of(few))
    pages = _pages(study)
    assert {pages[name] for name in ("tiles", "largest", "due", "renewals")} == {accounts}
    assert {pages[name] for name in ("heatmap", "values")} == {cohorts}
    remark = (
        retention_risk.accounts_tiles(study)
        if not accounts
        else retention_tenure.cohort_heatmap(study, "contractual")
        if not cohorts
        else None
    )
    assert remark is None or "by its setting" in str(remark.payload)
    assert any(one.id == "retention.accounts" for one in study.findings) == accounts


# -- worlds with and without effects -----------------------------------------------------------------------------------------


STATISTICAL = {
    "retention.slow",
    "retention.repeat",
    "retention.waited",
    "retention.followed",
    "retention.repurchase",
    "retention.left_after_repaired",
    "retention.left_after_repeated",
    "retention.contract_cohorts",
    "retention.purchase_cohorts",
}


def found_in(folder: Path, inputs_of: Inputs, *, seed: int, scale: float, off: frozenset[str]) -> set[str]:
    make_sample(folder, seed=seed, scale=scale, off=off, blemishes=False)
    return {one.id for one in retention.study(inputs_of(folder)).findings}


def test_nothing_statistical_is_found_where_nothing_is_planted(tmp_path: Path, inputs_of: Inputs):
    found = found_in(
        tmp_path / "null", inputs_of, seed=3, scale=0.1, off=frozenset(TRUTHS) - {"tier_confounding"}
    )
    assert not found & STATISTICAL


@pytest.mark.slow
@pytest.mark.parametrize("confounded", [True, False])
def test_at_most_one_null_world_in_twenty_makes_a_finding(
    tmp_path: Path, inputs_of: Inputs, confounded: bool
):
    off = frozenset(TRUTHS) - ({"tier_confounding"} if confounded else set())
    watched = STATISTICAL if confounded else STATISTICAL | {"retention.segments"}
    made = [
        bool(found_in(tmp_path / str(seed), inputs_of, seed=seed, scale=0.1, off=off) & watched)
        for seed in range(100)
    ]
    assert sum(made) <= 9, (
        made
    )  # 5 % of 100 is 5; ten or more would come up in fewer than three of a hundred such batches


def test_missing_orders_are_named(company: Path, inputs_of: Inputs):
    (company / "orders.csv").unlink()
    found = retention.study(inputs_of(company))
    assert isinstance(found.product_cohorts, NotDone) and "orders.ordered_at" in found.product_cohorts.needs
