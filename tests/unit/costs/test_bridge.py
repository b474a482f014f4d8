"""The bridge: effects sum to the change, mean what they say, and do not depend on any order."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations
from math import prod

import numpy as np
import pandas as pd
import pytest

from analysis.costs.bridge import bridge_by, cost_bridge, drill_largest
from analysis.errors import ContractError, ParameterError


def money(*amounts):
    return [Decimal(str(amount)).quantize(Decimal("0.01")) for amount in amounts]


def totals(effects):
    return bridge_by(effects).set_index("driver")["effect"].to_dict()


def shapley_by_enumeration(before, after):
    """Every order in which the factors could change, averaged: the definition, not the formula."""
    size = len(before)
    values = np.zeros(size)
    orders = list(permutations(range(size)))
    for order in orders:
        point = list(before)
        for factor in order:
            old = prod(point)
            point[factor] = after[factor]
            values[factor] += (prod(point) - old) / len(orders)
    return values


def test_two_factors_share_the_joint_term_by_halves():
    # 100 tickets at 10 → 110 at 12: volume 10 × 11, price 2 × 105.
    before = pd.DataFrame({"cost": money(1000), "tickets": [100]})
    after = pd.DataFrame({"cost": money(1320), "tickets": [110]})
    assert totals(cost_bridge(before, after)) == {
        "volume": Decimal("110.00"),
        "mix": Decimal("0.00"),
        "unit_cost": Decimal("210.00"),
    }


def test_the_whole_chain_is_the_average_over_all_orders():
    # One product line among two, so that all seven factors move.
    columns = ["line", "cost", "tickets", "automated_tickets", "input_quantity", "paid_quantity"]
    before = pd.DataFrame(
        [["A", *money(900000), 1000, 100, 450.0, 600.0], ["B", *money(0), 500, 0, 0, 0]], columns=columns
    )
    after = pd.DataFrame(
        [["A", *money(1210000), 1300, 300, 480.0, 800.0], ["B", *money(0), 200, 0, 0, 0]], columns=columns
    )
    effects = cost_bridge(before, after, calendar={"working_days": (22, 18), "lunar_new_year": (1.0, 0.9)})
    first = [22, 1.0, 1500 / 22, 1000 / 1500, 900 / 1000, 450 / 900, 600 / 450, 900000 / 600]
    second = [18, 0.9, 1500 / 18 / 0.9, 1300 / 1500, 1000 / 1300, 480 / 1000, 800 / 480, 1210000 / 800]
    expected = shapley_by_enumeration(first, second)
    line = effects[effects["line"] == "A"]
    assert line["driver"].tolist() == [
        "working_days",
        "lunar_new_year",
        "volume",
        "mix",
        "automation",
        "intensity",
        "utilisation",
        "input_price",
    ]
    assert line["effect"].astype(float).to_numpy() == pytest.approx(expected, abs=0.011)
    assert line["effect"].sum() == Decimal("310000.00")


def test_three_factors_agree_with_the_complete_decomposition_of_sun_1998():
    # Sun (1998), Energy Economics 20, 85-100, eq. for three factors: the joint terms are shared equally:
    # ΔV s u + ½ ΔV (s Δu + Δs u) + ⅓ ΔV Δs Δu.
    v, s, u = 1000.0, np.array([0.3, 0.7]), np.array([20.0, 8.0])
    dv, ds, du = 250.0, np.array([0.15, -0.15]), np.array([2.0, -1.0])
    before = pd.DataFrame({"line": ["A", "B"], "tickets": v * s, "cost": money(*(v * s * u))})
    after = pd.DataFrame(
        {"line": ["A", "B"], "tickets": (v + dv) * (s + ds), "cost": money(*((v + dv) * (s + ds) * (u + du)))}
    )
    volume = dv * s * u + dv * (s * du + ds * u) / 2 + dv * ds * du / 3
    mix = ds * v * u + ds * (v * du + dv * u) / 2 + dv * ds * du / 3
    price = du * v * s + du * (v * ds + dv * s) / 2 + dv * ds * du / 3
    effects = cost_bridge(before, after).pivot(index="line", columns="driver", values="effect").astype(float)
    for driver, expected in (("volume", volume), ("mix", mix), ("unit_cost", price)):
        assert effects[driver].to_numpy() == pytest.approx(expected, abs=0.011)


def test_an_idle_team_is_utilisation_and_not_dearer_labour():
    before = pd.DataFrame(
        {"cost": money(50000), "tickets": [2000], "input_quantity": [900.0], "paid_quantity": [1000.0]}
    )
    after = before.assign(paid_quantity=[1200.0], cost=money(60000))
    assert totals(cost_bridge(before, after)) == {
        "volume": 0,
        "mix": 0,
        "intensity": 0,
        "utilisation": Decimal("10000.00"),
        "input_price": 0,
    }


def test_a_price_rise_is_input_price_only():
    before = pd.DataFrame({"cost": money(50000), "tickets": [2000], "input_quantity": [1000.0]})
    assert totals(cost_bridge(before, before.assign(cost=money(56000)))) == {
        "volume": 0,
        "mix": 0,
        "intensity": 0,
        "input_price": Decimal("6000.00"),
    }


def test_fewer_working_days_at_the_same_daily_load_are_calendar_and_not_volume():
    before = pd.DataFrame({"cost": money(22000), "tickets": [2200]})
    after = pd.DataFrame({"cost": money(17000), "tickets": [1700]})
    assert totals(cost_bridge(before, after, calendar={"working_days": (22, 17)})) == {
        "working_days": Decimal("-5000.00"),
        "volume": 0,
        "mix": 0,
        "unit_cost": 0,
    }


def test_one_ticket_costs_labour_and_parts_and_counts_once():
    # Category is a dimension of cost, not of tickets: 200 tickets in all, not 400.
    before = pd.DataFrame(
        {
            "category": ["labour", "labour", "parts", "parts"],
            "line": list("ABAB"),
            "tickets": [100, 100, 100, 100],
            "cost": money(1000, 1000, 500, 500),
        }
    )
    after = before.assign(tickets=[150, 150, 150, 150], cost=money(1500, 1500, 750, 750))
    effects = cost_bridge(before, after)
    assert totals(effects) == {"volume": Decimal("1500.00"), "mix": 0, "unit_cost": 0}
    by_category = bridge_by(effects[effects["driver"] == "volume"], "category")
    assert by_category["effect"].tolist() == money(1000, 500)


def test_a_category_that_appears_on_known_tickets_is_its_own_price_not_mix():
    before = pd.DataFrame({"category": ["labour"], "line": ["A"], "tickets": [100], "cost": money(1000)})
    after = pd.DataFrame(
        {
            "category": ["labour", "telecom"],
            "line": ["A", "A"],
            "tickets": [100, 100],
            "cost": money(1000, 70),
        }
    )
    effects = cost_bridge(before, after)
    assert totals(effects) == {"volume": 0, "mix": 0, "unit_cost": Decimal("70.00")}
    assert effects.loc[effects["category"] == "telecom", "status"].unique().tolist() == ["new"]


def test_new_and_vanished_lines_are_mix_and_volume_never_price():
    before = pd.DataFrame({"line": ["A", "gone"], "tickets": [100, 50], "cost": money(1000, 500)})
    after = pd.DataFrame({"line": ["A", "new"], "tickets": [100, 80], "cost": money(1000, 2000)})
    effects = cost_bridge(before, after)
    # 'new': shares 0 → 80/180 of 150 → 180 tickets at 25: volume 30 × (0 + 4/9)/2 × 25, mix 4/9 × 165 × 25.
    new = effects[effects["line"] == "new"].set_index("driver")["effect"]
    assert new["volume"] == Decimal("166.67") and new["mix"] == Decimal("1833.33") and new["unit_cost"] == 0
    assert effects[(effects["line"] != "A") & (effects["driver"] == "unit_cost")]["effect"].eq(0).all()
    assert effects.drop_duplicates("line").set_index("line")["status"].to_dict() == {
        "A": "continuing",
        "gone": "vanished",
        "new": "new",
    }


def test_a_start_from_nothing_is_all_volume():
    before = pd.DataFrame({"line": ["A"], "tickets": [0], "cost": money(0)})
    after = pd.DataFrame({"line": ["A"], "tickets": [10], "cost": money(123.45)})
    assert totals(cost_bridge(before, after)) == {"volume": Decimal("123.45"), "mix": 0, "unit_cost": 0}


def test_cost_without_tickets_is_period_and_with_paid_hours_idle():
    before = pd.DataFrame(
        {"line": ["A", "B"], "tickets": [100, 40], "cost": money(1000, 400), "paid_quantity": [np.nan, 50.0]}
    )
    after = pd.DataFrame(
        {"line": ["A", "B"], "tickets": [0, 40], "cost": money(30, 400), "paid_quantity": [np.nan, 50.0]}
    )
    trailing = totals(cost_bridge(before, after))
    assert trailing["period"] == Decimal("30.00") and sum(trailing.values()) == Decimal("-970.00")
    idle = totals(cost_bridge(before, after.assign(tickets=[100, 0], cost=money(1000, 400))))
    assert idle["utilisation"] == Decimal("400.00") and "period" not in idle


def test_rows_without_a_ticket_number_are_period():
    before = pd.DataFrame({"category": ["labour", "rent"], "tickets": [10, np.nan], "cost": money(100, 500)})
    after = pd.DataFrame({"category": ["labour", "rent"], "tickets": [20, np.nan], "cost": money(200, 510)})
    assert totals(cost_bridge(before, after)) == {
        "volume": Decimal("100.00"),
        "mix": 0,
        "unit_cost": 0,
        "period": Decimal("10.00"),
    }
    marked = [frame.assign(tickets=10, behaviour=["variable", "period"]) for frame in (before, after)]
    assert totals(cost_bridge(*marked))["period"] == Decimal("10.00")


def test_full_automation_moves_automation():
    before = pd.DataFrame(
        {"cost": money(1000), "tickets": [100], "automated_tickets": [0], "input_quantity": [50.0]}
    )
    after = before.assign(automated_tickets=[100], input_quantity=[0.0], cost=money(0))
    assert totals(cost_bridge(before, after)) == {
        "volume": 0,
        "mix": 0,
        "automation": Decimal("-1000.00"),
        "intensity": 0,
        "input_price": 0,
    }


def two_random_months(rng, *, cells=40):
    """Ledger-like: credits, blanks, zero tickets, rows on one side only, quantities that contradict each
    other."""

    def month():
        frame = pd.DataFrame(
            [
                (c, p, t)
                for c in ("labour", "parts")
                for p in "ABCDE"
                for t in ("repair", "return", "swap", "call")
            ],
            columns=["category", "product_line", "ticket_type"],
        )
        tickets = pd.Series(rng.integers(0, 60, 20) * rng.integers(0, 2, 20))
        frame["tickets"] = np.tile(tickets, 2).astype(float)
        frame["automated_tickets"] = np.where(
            frame["category"] == "labour", np.floor(frame["tickets"] * rng.choice([0, 0.3, 1.0])), np.nan
        )
        frame["input_quantity"] = rng.choice([np.nan, 0.0, 3.5, 40.0], len(frame))
        frame["paid_quantity"] = np.where(
            frame["category"] == "labour", rng.choice([np.nan, 0.0, 50.0, 61.5], len(frame)), np.nan
        )
        frame["cost"] = [
            Decimal(int(cents)).scaleb(-2) for cents in rng.integers(-50_000, 900_000, len(frame))
        ]
        rent = {
            "category": "premises",
            "product_line": "all",
            "ticket_type": "all",
            "cost": Decimal("1234.56"),
        }
        return pd.concat([frame[rng.random(len(frame)) < 0.8], pd.DataFrame([rent])], ignore_index=True)

    return month(), month()


@pytest.mark.parametrize("seed", range(30))
def test_law_effects_explain_the_whole_change_at_every_level(seed):
    before, after = two_random_months(np.random.default_rng(seed))
    effects = cost_bridge(before, after, calendar={"working_days": (21, 23)})
    change = sum(after["cost"], Decimal(0)) - sum(before["cost"], Decimal(0))
    assert effects["effect"].sum() == change
    assert bridge_by(effects)["effect"].sum() == change
    path: list[str] = []
    for level in ("category", "product_line", "ticket_type"):
        parent = bridge_by(effects, *path)
        path.append(level)
        children = bridge_by(effects, *path).groupby([*path[:-1], "driver"])["effect"].sum()
        assert children.to_dict() == parent.set_index([*path[:-1], "driver"])["effect"].to_dict()
    cells = effects.groupby(path)["effect"].sum()
    for frame, sign in ((before, 1), (after, -1)):
        cells = cells.add(frame.set_index(path)["cost"] * sign, fill_value=Decimal(0))
    assert (cells == 0).all()


@pytest.mark.parametrize("seed", range(20))
def test_law_order_of_rows_is_irrelevant_and_time_reversal_flips_signs(seed):
    rng = np.random.default_rng(seed)
    before, after = two_random_months(rng)
    effects = cost_bridge(before, after)
    shuffled = cost_bridge(
        before.sample(frac=1, random_state=seed), after.sample(frac=1, random_state=seed + 1)
    )
    pd.testing.assert_frame_equal(effects, shuffled)
    back = cost_bridge(after, before)
    assert (back["effect"] == -effects["effect"]).all()


@pytest.mark.parametrize("seed", range(20))
def test_law_no_change_no_effect(seed):
    before, _ = two_random_months(np.random.default_rng(seed))
    assert (cost_bridge(before, before)["effect"] == 0).all()


def test_drill_opens_the_largest_effect():
    before = pd.DataFrame(
        {
            "product_line": list("AABB"),
            "ticket_type": ["x", "y"] * 2,
            "tickets": [10, 10, 10, 10],
            "cost": money(100, 100, 100, 100),
        }
    )
    after = before.assign(cost=money(110, 90, 400, 150))
    opened = drill_largest(cost_bridge(before, after), ["product_line", "ticket_type"])
    assert opened[["value", "driver", "effect"]].to_numpy().tolist() == [
        ["B", "unit_cost", Decimal("350.00")],
        ["x", "unit_cost", Decimal("300.00")],
    ]


def test_hundred_billion_keeps_its_cents():
    before = pd.DataFrame(
        {
            "line": ["A", "B"],
            "tickets": [10**6, 3 * 10**6],
            "cost": money("123456789012.34", "98765432109.87"),
        }
    )
    after = pd.DataFrame(
        {
            "line": ["A", "B"],
            "tickets": [10**6 + 1, 3 * 10**6 - 7],
            "cost": money("123456789099.99", "98765430000.01"),
        }
    )
    assert cost_bridge(before, after)["effect"].sum() == sum(after["cost"]) - sum(before["cost"])


GOOD = pd.DataFrame({"line": ["A", "B"], "tickets": [1, 2], "cost": money(1, 2)})


@pytest.mark.parametrize(
    ("before", "message"),
    [
        (GOOD.drop(columns="tickets"), "before: column tickets is missing"),
        (GOOD.assign(line=["A", None]), "1 rows have no line; fill it"),
        (GOOD.assign(line=["A", "A"]), "1 rows repeat a cell, e.g. A; one row should be one line"),
        (GOOD.assign(tickets=[1, -2]), "tickets is negative in 1 rows"),
        (GOOD.assign(automated_tickets=[0, 3]), "more automated_tickets than tickets"),
    ],
)
def test_refusals(before, message):
    with pytest.raises(ContractError, match=message):
        cost_bridge(before, GOOD, by=["line"])


def test_refuses_rows_of_a_ticket_cell_that_disagree():
    odd = pd.DataFrame(
        {"category": ["labour", "parts"], "line": ["A", "A"], "tickets": [10, 11], "cost": money(1, 2)}
    )
    with pytest.raises(ContractError, match="disagree on its tickets"):
        cost_bridge(odd, odd)
    assert cost_bridge(odd, odd, volume_by=["category", "line"])["effect"].sum() == 0


def test_refuses_calendars_columns_and_money_it_cannot_read():
    with pytest.raises(ParameterError, match=r"calendar 'working_days' is \(22, 0\)"):
        cost_bridge(GOOD, GOOD, calendar={"working_days": (22, 0)})
    with pytest.raises(ContractError, match="column 'region' is on one side only"):
        cost_bridge(GOOD.assign(region="N"), GOOD)
    with pytest.raises(ParameterError, match="finer than a cent"):
        cost_bridge(GOOD.assign(cost=[0.123, 1.0]), GOOD)
    with pytest.raises(ParameterError, match="no dimension 'lime'. Did you mean 'line'"):
        bridge_by(cost_bridge(GOOD, GOOD), "lime")


def test_a_vast_cell_keeps_its_cent_beside_a_cell_that_one_month_lacks():
    vast = Decimal("99999999999999.99")
    before = pd.DataFrame({"line": ["a"], "tickets": [10], "cost": [Decimal("10.00")]})
    after = pd.DataFrame({"line": ["a", "b"], "tickets": [12, 1], "cost": [vast, Decimal("3.01")]})
    effects = bridge_by(cost_bridge(before, after, by=["line"]))["effect"]
    assert sum(effects, Decimal(0)) == vast + Decimal("3.01") - Decimal("10.00")
