"""The sample e-commerce seller: tables in contract and in balance, and every planted truth found where it lies and nowhere else.

For each truth one plain statistic, told where it lies, gives a p-value. Power: the share of seeds with p below five per cent where it is
planted. Null: the same share where nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from scipy import stats

from analysis.cli import main
from analysis.errors import ParameterError
from analysis.params import Assumptions, CostTree, load_run
from analysis.params.interventions import load_interventions
from analysis.params.places import with_own
from analysis.params.treatments import load_treatments
from analysis.params.what_ifs import load_what_ifs
from analysis.sample import COMPANIES, make_sample
from analysis.sample.ecommerce import books, built, buyers, shops
from analysis.sample.ecommerce.canonical import Seller, seller
from analysis.sample.ecommerce.desk import worked_hours
from analysis.sample.ecommerce.truths import TRUTHS
from analysis.tables import load_tables
from analysis.workbook.month_run import make_sample_company

LEVEL, SEEDS = 0.05, 20
USUAL: dict[str, object] = {"null": False, "off": frozenset(), "last_month": "2026-10", "months": 36}


@cache
def life(seed: int, null: bool = False, scale: float = 0.35, off: frozenset[str] = frozenset()) -> Seller:
    return seller(seed=seed, scale=scale, **(USUAL | {"null": null, "off": off}))


@cache
def company(off: frozenset[str] = frozenset(), null: bool = False):
    return built(seed=7, scale=0.05, blemishes=False, **(USUAL | {"off": off, "null": null}))


# --- oracles --------------------------------------------------------------------------------------------------------------


def shares_differ(one: np.ndarray, other: np.ndarray) -> float:
    """Two-sided test that two groups of yes and no have one share."""
    count, size = np.array([one.sum(), other.sum()]), np.array([one.size, other.size])
    share = count.sum() / size.sum()
    error = np.sqrt(share * (1 - share) * (1 / size).sum())
    return float(2 * stats.norm.sf(abs(count[0] / size[0] - count[1] / size[1]) / error))


def logs_differ(one: np.ndarray, other: np.ndarray) -> float:
    return float(stats.ttest_ind(np.log(one), np.log(other), equal_var=False).pvalue)


def since(w: Seller, month, time: np.ndarray) -> np.ndarray:
    return time >= w.timeline.month_start(month)


def year_of(w: Seller, time: np.ndarray) -> np.ndarray:
    return w.timeline.window_month_of(time) // 12


def of_kind(w: Seller, kind: int, *where: np.ndarray) -> np.ndarray:
    return np.logical_and.reduce([w.tickets.kind == kind, *where])


def shop_of(w: Seller) -> np.ndarray:
    return w.orders.shop[w.tickets.order]


def size_chart(w: Seller) -> float:
    orders = w.orders
    here = (orders.shop == shops.OUTLET) & (orders.line == shops.SHOES)
    late = since(w, w.planted.size_chart_from, orders.time)
    return shares_differ(orders.returned[here & late], orders.returned[here & ~late])


def slow_decline(w: Seller) -> float:
    orders, year = w.orders, year_of(w, w.orders.time)
    kitchen = orders.line == shops.KITCHEN
    return shares_differ(orders.returned[kitchen & (year == 0)], orders.returned[kitchen & (year == 2)])


def bot_share(w: Seller) -> float:
    asked = of_kind(w, shops.INQUIRY, shop_of(w) != shops.OUTLET)
    late = since(w, w.planted.bot_from, w.tickets.opened)
    return shares_differ(w.tickets.automated[asked & late], w.tickets.automated[asked & ~late])


def complained_after(w: Seller) -> tuple[np.ndarray, np.ndarray]:
    """Returns since the roll-out that were refunded two weeks before the end, and whether a complaint followed."""
    found = w.tickets
    chosen = of_kind(w, shops.RETURN, since(w, w.planted.bot_from, found.opened))
    chosen &= (found.resolved < w.timeline.end - 14) & (shop_of(w) != shops.OUTLET)
    angry = found.order[of_kind(w, shops.COMPLAINT, found.opened > w.orders.refunded[found.order])]
    return chosen, np.isin(found.order, angry)


def bot_complaints(w: Seller) -> float:
    chosen, angry = complained_after(w)
    automated = w.tickets.automated
    return shares_differ(angry[chosen & automated], angry[chosen & ~automated])


def by_partner(w: Seller) -> np.ndarray:
    return w.tickets.team == shops.NIGHT_PARTNER


def night_slow(w: Seller) -> float:
    found = w.tickets
    asked, wait = of_kind(w, shops.INQUIRY, ~found.automated), found.responded - found.opened
    return logs_differ(wait[asked & by_partner(w)] + 1e-6, wait[asked & ~by_partner(w)] + 1e-6)


def granted(w: Seller, *where: np.ndarray) -> np.ndarray:
    return w.tickets.granted[of_kind(w, shops.RETURN, w.tickets.granted > 0, *where)]


def night_compensation(w: Seller) -> float:
    elsewhere = shop_of(w) != shops.HARBOUR
    return logs_differ(granted(w, elsewhere, by_partner(w)), granted(w, elsewhere, ~by_partner(w)))


def platform_rule(w: Seller) -> float:
    here, late = shop_of(w) == shops.HARBOUR, since(w, w.planted.rule_from, w.tickets.opened)
    own = here & ~by_partner(w)
    return logs_differ(granted(w, own, late), granted(w, own, ~late))


def freight_a_return(w: Seller, shop: int) -> np.ndarray:
    """Ledger freight of a shop's returns by month, a return."""
    posted, found = w.postings, w.tickets
    account = shops.ACCOUNT_AT["6601.03.01"]
    rows = (posted.account == account) & (posted.shop == shop)
    months = len(w.timeline.window_months)
    cost = np.bincount(w.timeline.window_month_of(posted.day[rows]), posted.cents[rows], months)
    returned = of_kind(w, shops.RETURN, shop_of(w) == shop, found.resolved < w.timeline.end)
    number = np.bincount(w.timeline.window_month_of(found.resolved[returned]), minlength=months)
    return cost / np.maximum(number, 1)


def return_label(w: Seller) -> float:
    series = freight_a_return(w, shops.FLAGSHIP)
    at = w.planted.label_from.months_since(w.timeline.first)
    # returns opened before the start are still refunded in its first month
    return logs_differ(series[at + 1 :], series[1:at])


def shift_plan(w: Seller, promised: float = 0.15) -> float:
    """How well the hours fit the promise: small where it was not kept."""
    found = w.tickets
    asked = of_kind(w, shops.INQUIRY, shop_of(w) == shops.HARBOUR, found.hours > 0)
    late = since(w, w.planted.plan_from, found.opened)
    after, before = found.hours[asked & late], found.hours[asked & ~late] * (1 - promised)
    return float(stats.ttest_ind(after, before, equal_var=False).pvalue)


def idle_season(w: Seller) -> float:
    crew = w.crew
    unused, number = 1 - crew.worked / crew.paid, np.array([m.number for m in w.timeline.window_months])
    season = (crew.team == shops.PEAK_CREW) & np.isin(number[crew.month], shops.AFTER_PEAK)
    if not season.any():  # nobody was kept on: the crew's own peak
        season = crew.team == shops.PEAK_CREW
    return float(stats.mannwhitneyu(unused[season], unused[crew.team < shops.PEAK_CREW]).pvalue)


def purchases_after_first_return(w: Seller, days: float = 180.0) -> tuple[np.ndarray, np.ndarray]:
    """Of each buyer whose first return was refunded early enough: purchases within half a year after the refund; and whether it was late."""
    orders = w.orders
    back = np.flatnonzero(orders.returned)
    _, at = np.unique(orders.buyer[back], return_index=True)
    first = back[at]
    first = first[orders.refunded[first] < w.timeline.end - days]
    refund = np.full(w.people.identity.size, np.nan)
    refund[orders.buyer[first]] = orders.refunded[first]
    gap = orders.time - refund[orders.buyer]
    later = np.bincount(orders.buyer[(gap > 0) & (gap <= days)], minlength=refund.size)
    late = orders.refunded[first] - orders.sent_back[first] > buyers.LATE_DAYS
    return later[orders.buyer[first]], late


def late_refund(w: Seller) -> float:
    later, late = purchases_after_first_return(w)
    return float(stats.ttest_ind(later[late], later[~late], equal_var=False).pvalue)


def labour_share_by_month(w: Seller, shop: int) -> np.ndarray:
    posted, months = w.postings, len(w.timeline.window_months)
    month, here = w.timeline.window_month_of(posted.day), posted.shop == shop
    labour = np.isin(posted.account, [shops.ACCOUNT_AT[f"6601.01.0{n}"] for n in (1, 2, 3)])
    whole = np.bincount(month[here], posted.cents[here], months)
    return np.bincount(month[here & labour], posted.cents[here & labour], months) / whole


def labour_share(w: Seller) -> float:
    return float(
        stats.ttest_1samp(labour_share_by_month(w, shops.OUTLET), 0.80, alternative="greater").pvalue
    )


def freight_beside_peers(w: Seller, shop: int) -> float:
    found = w.tickets
    returned = of_kind(w, shops.RETURN, ~since(w, w.planted.label_from, found.opened))
    here = shop_of(w) == shop
    peers = (shop_of(w) == shops.FLAGSHIP) | (shop_of(w) == shops.OUTLET)
    return logs_differ(found.freight[returned & here], found.freight[returned & peers])


def unit_cost(w: Seller) -> float:
    return freight_beside_peers(w, shops.HARBOUR)


POWER: dict[str, Callable[[Seller], float]] = {
    "size_chart": size_chart,
    "slow_decline": slow_decline,
    "bot_share": bot_share,
    "bot_complaints": bot_complaints,
    "night_slow": night_slow,
    "night_compensation": night_compensation,
    "platform_rule": platform_rule,
    "return_label": return_label,
    "shift_plan": shift_plan,
    "idle_season": idle_season,
    "late_refund": late_refund,
    "labour_share": labour_share,
    "unit_cost": unit_cost,
}
NULL = POWER | {"shift_plan": lambda w: shift_plan(w, promised=0.0)}


@cache
def p_values(null: bool) -> dict[str, list[float]]:
    """Of every statistic over the seeds; each company is made once and let go."""
    asked = NULL if null else POWER
    found: dict[str, list[float]] = {truth: [] for truth in TRUTHS}
    for seed in range(SEEDS):
        w = life.__wrapped__(seed, null)
        for truth in TRUTHS:
            found[truth].append(asked[truth](w))
    return found


@pytest.mark.parametrize("truth", TRUTHS)
def test_each_truth_is_found_in_nine_companies_of_ten(truth):
    assert sum(p < LEVEL for p in p_values(False)[truth]) >= 0.9 * SEEDS


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_same_statistics_find_nothing_where_nothing_is_planted(truth):
    # twenty at five per cent: six or more once in three thousand
    assert sum(p < LEVEL for p in p_values(True)[truth]) <= 5


def test_a_small_shop_only_seems_to_differ():
    """Clover Store's quarters swing far around its peers' freight a return, and nothing is behind it."""
    assert sum(freight_beside_peers(life(seed), shops.CLOVER) < LEVEL for seed in range(10)) <= 3
    swings = []
    for seed in range(10):
        small = freight_a_return(life(seed), shops.CLOVER)
        large = freight_a_return(life(seed), shops.OUTLET)
        swings.append(np.std(small) > 2 * np.std(large))
    assert all(swings)


def test_no_month_shows_the_slow_decline():
    """Against the twelve months before it, no month stands out after correction for the number of months."""
    for seed in range(3):
        w = life(seed, scale=1.0)
        kitchen, month = w.orders.line == shops.KITCHEN, w.timeline.window_month_of(w.orders.time)
        back, of = w.orders.returned, [kitchen & (month == m) for m in range(36)]
        p = [shares_differ(back[of[m]], back[np.logical_or.reduce(of[m - 12 : m])]) for m in range(12, 36)]
        assert min(p) > LEVEL / len(p)
        rates = [back[kitchen & (year_of(w, w.orders.time) == year)].mean() for year in (0, 2)]
        assert rates == pytest.approx([0.030, 0.022], abs=0.003)


def ratio(one: np.ndarray, other: np.ndarray) -> float:
    return float(one.mean() / other.mean())


def late_refund_ratio(w: Seller) -> float:
    later, late = purchases_after_first_return(w)
    return ratio(later[late], later[~late])


def complaint_ratio(w: Seller) -> float:
    chosen, angry = complained_after(w)
    return ratio(angry[chosen & w.tickets.automated], angry[chosen & ~w.tickets.automated])


def return_rate_ratio(w: Seller) -> float:
    here = (w.orders.shop == shops.OUTLET) & (w.orders.line == shops.SHOES)
    late = since(w, w.planted.size_chart_from, w.orders.time)
    return ratio(w.orders.returned[here & late], w.orders.returned[here & ~late])


def rule_ratio(w: Seller) -> float:
    own = (shop_of(w) == shops.HARBOUR) & ~by_partner(w)
    late = since(w, w.planted.rule_from, w.tickets.opened)
    return ratio(granted(w, own, late), granted(w, own, ~late))


def label_ratio(w: Seller) -> float:
    series = freight_a_return(w, shops.FLAGSHIP)
    at = w.planted.label_from.months_since(w.timeline.first)
    return ratio(series[at + 1 :], series[1:at])


def hours_an_inquiry(w: Seller) -> float:
    """Hours of people an inquiry since the roll-out against before."""
    asked = of_kind(w, shops.INQUIRY, shop_of(w) != shops.OUTLET)
    late = since(w, w.planted.bot_from, w.tickets.opened)
    return ratio(w.tickets.hours[asked & late], w.tickets.hours[asked & ~late])


@pytest.mark.parametrize(
    ("estimate", "size"),
    [
        (late_refund_ratio, 0.6),
        (complaint_ratio, 2.4),
        (return_rate_ratio, 2.0),
        (rule_ratio, 1.6),
        (label_ratio, 0.75),
        (hours_an_inquiry, 0.5),
    ],
)
def test_each_effect_has_the_size_written_in_the_answer_sheet(estimate, size):
    assert np.mean([estimate(life(seed)) for seed in range(6)]) == pytest.approx(size, rel=0.10)


def test_only_the_outlet_is_above_the_line_of_labour():
    shares = [labour_share_by_month(life(1), shop)[-12:].mean() for shop in range(3)]
    assert shares[shops.OUTLET] > 0.80
    assert max(shares[shops.FLAGSHIP], shares[shops.HARBOUR]) < 0.75


# --- tables ---------------------------------------------------------------------------------------------------------------


def test_every_row_is_accepted(tmp_path):
    make_sample(tmp_path / "data", scale=0.05, template="ecommerce")
    tables = load_tables(
        tmp_path / "data", tmp_path / "store", reporting_currency="CNY", time_zone="Asia/Shanghai"
    )
    assert not [check for check in tables.checks if check.outcome == "failed"]
    for name in company()[0]:
        info = tables.tables[name]
        assert info.rows == sum(file.rows_read for file in info.waterfall) > 0, name


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        make_sample(tmp_path / folder, scale=0.02, template="ecommerce")
    names = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(names) == len(company()[0]) + 1
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def cents(values) -> np.ndarray:
    return np.array([int(value * 100) for value in values.to_pylist()], dtype=np.int64)


def by_key(keys: list[str], values: np.ndarray) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, value in zip(keys, values.tolist(), strict=True):
        found[key] = found.get(key, 0) + value
    return found


def test_the_ledger_ties_out_to_the_cent():
    tables = company()[0]
    ledger, totals = tables["ledger"], tables["gl_totals"]
    months = pc.strftime(ledger["posted_on"], "%Y-%m").to_pylist()
    accounts = ledger["account"].to_pylist()
    ours = by_key([f"{m} {a}" for m, a in zip(months, accounts, strict=True)], cents(ledger["amount"]))
    ours |= by_key([f"{month} all" for month in months], cents(ledger["amount"]))
    stated = totals.filter(pc.equal(totals["measure"], "after_sales_cost"))
    keys = zip(pc.strftime(stated["month"], "%Y-%m").to_pylist(), stated["account"].to_pylist(), strict=True)
    assert ours == dict(
        zip((f"{month} {account}" for month, account in keys), cents(stated["amount"]).tolist(), strict=True)
    )


def test_revenue_of_each_business_month_is_the_sum_of_its_orders():
    tables = company()[0]
    orders, totals = tables["orders"], tables["gl_totals"]
    local = pc.add(orders["ordered_at"], np.timedelta64(8 * 3_600 * 1_000_000, "us"))
    ours = by_key(pc.strftime(local, "%Y-%m").to_pylist(), cents(orders["revenue"]))
    stated = totals.filter(pc.equal(totals["measure"], "revenue"))
    months = pc.strftime(stated["month"], "%Y-%m").to_pylist()
    assert [ours[month] for month in months] == cents(stated["amount"]).tolist()


def test_freight_compensation_and_fees_are_those_of_the_cases():
    w = life(7, scale=0.05)
    posted, found, end = w.postings, w.tickets, w.timeline.end

    def booked(*accounts: str) -> int:
        return int(posted.cents[np.isin(posted.account, [shops.ACCOUNT_AT[one] for one in accounts])].sum())

    assert booked("6601.03.01", "6601.03.02") == found.freight[found.resolved < end].sum()
    assert booked("6601.04.01", "6601.04.02") == found.granted[books.decided(found) < end].sum()
    assert booked("6601.05.01") == found.fee.sum()
    own = w.crew.team < shops.NIGHT_PARTNER
    assert booked("6601.01.01", "6601.01.02", "6601.01.03") == w.crew.cents[own].sum()


def test_a_compensation_claim_is_what_the_ledger_pays():
    tables = company()[0]
    ledger = tables["ledger"]
    paid = ledger.filter(pc.equal(ledger["category"], "compensation"))
    assert cents(paid["amount"]).sum() == cents(tables["claims"]["approved"].drop_null()).sum()


def test_hours_paid_hold_hours_worked_and_these_the_cases():
    w = life(7, scale=0.05)
    assert (w.crew.paid >= w.crew.worked).all()
    assert (w.crew.paid <= 400).all()
    cell = w.crew.team * 36 + w.crew.month
    worked = np.bincount(cell, w.crew.worked, len(shops.TEAMS) * 36)
    assert (worked >= worked_hours(w.timeline, w.tickets).ravel() / shops.WORKED_TO_HANDLED - 0.2).all()


def test_no_table_knows_a_serial_number_a_contract_or_the_ticket_of_a_posting():
    tables = company()[0]
    assert not {"units", "contracts", "parts_used", "provision"} & tables.keys()
    assert "serial_no" not in tables["tickets"].column_names
    assert "ticket_id" not in tables["ledger"].column_names
    for name in ("orders", "tickets", "ledger"):
        assert set(tables[name]["shop"].unique().to_pylist()) - {None} == set(shops.SHOPS)
        assert len(set(tables[name]["platform"].unique().to_pylist()) - {None}) == 3


def test_the_seller_has_the_size_it_should_have():
    w = life(20261031, scale=1.0)
    year = year_of(w, w.orders.time)
    assert 90_000 < (year >= 0).sum() / 3 < 110_000
    kinds = np.bincount(w.tickets.kind)
    assert kinds[shops.RETURN] > 20_000 and kinds[shops.INQUIRY] > 100_000
    assert 0.02 < w.postings.cents.sum() / w.orders.cents[year >= 0].sum() < 0.12


BOOKS = {"ledger", "gl_totals", "budget"}


@pytest.mark.parametrize(
    ("off", "may_change"),
    [
        ("shift_plan", set()),
        ("unit_cost", BOOKS),
        ("platform_rule", BOOKS | {"claims"}),
        ("night_compensation", BOOKS | {"claims"}),
        ("night_slow", BOOKS | {"tickets", "claims", "surveys"}),
        ("return_label", BOOKS | {"tickets", "drivers", "staff"}),
        ("idle_season", BOOKS | {"staff"}),
    ],
)
def test_switching_one_truth_off_touches_only_what_it_moves(off, may_change):
    with_it, without = company()[0], company(frozenset({off}))[0]
    changed = {name for name in with_it if not with_it[name].equals(without[name])}
    assert changed <= may_change
    assert bool(changed) == bool(may_change)


def test_a_late_refund_takes_orders_away_and_changes_no_other():
    fewer, all_of = life(3, scale=0.05), life(3, scale=0.05, off=frozenset({"late_refund"}))
    assert fewer.orders.size < all_of.orders.size
    place = np.flatnonzero(np.isin(all_of.orders.identity, fewer.orders.identity))
    for name in ("identity", "buyer", "time", "cents", "returned"):
        assert np.array_equal(getattr(all_of.orders, name)[place], getattr(fewer.orders, name)), name


def test_null_leaves_every_truth_out():
    truth = company(null=True)[1]
    assert not any(entry["active"] for entry in truth.truths.values())
    assert set(truth.truths) == set(TRUTHS)
    assert company()[1].active("size_chart")


def test_other_windows():
    for months, last in ((3, "2025-02"), (14, "2026-06")):
        made, truth = built(
            seed=1, scale=0.02, blemishes=False, **(USUAL | {"months": months, "last_month": last})
        )
        assert truth.last_month == last
        assert len(set(made["gl_totals"]["month"].to_pylist())) == months


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"months": 2}, "three is the least"),
        ({"scale": 0.0}, "should lie above 0"),
        ({"off": frozenset({"size_chrat"})}, "Did you mean 'size_chart'"),
        ({"template": "ecomerce"}, "Did you mean 'ecommerce'"),
    ],
)
def test_impossible_companies_are_refused_in_words(tmp_path, options, message):
    with pytest.raises(ParameterError, match=message):
        make_sample(tmp_path, **({"template": "ecommerce"} | options))


# --- template -------------------------------------------------------------------------------------------------------------


def test_the_template_binds_and_knows_every_account_team_and_shop():
    run = load_run("ecommerce")
    assert run.template in COMPANIES and run.data_folder.name == "sample-ecommerce"
    with with_own(run.own_params):
        tree = CostTree.load()
        assert {rule.account: rule.category for rule in tree.accounts} == {
            entry.account: entry.category for entry in shops.ACCOUNTS
        }
        assert {rule.pool for rule in tree.allocation} == {pool.pool for pool in shops.POOLS} | {"labour"}
        assert Assumptions.load().value("labour_share_limit", on=run.month.last_day) == Decimal("0.80")
        treatments = load_treatments()
        assert {lever.treatment for one in load_what_ifs().scenarios for lever in one.levers} <= {
            one.id for one in treatments
        }
        for entry in load_interventions():
            (place,) = {"team", "shop"} & set(entry.where)
            known = shops.TEAMS if place == "team" else shops.SHOPS
            assert {entry.where[place], *entry.comparison[place]} <= set(known)
            assert entry.where["ticket_type"] in shops.KINDS


def test_registered_measures_begin_when_the_truths_do():
    with with_own(load_run("ecommerce").own_params):
        starts = {entry.id: str(entry.starts)[:7] for entry in load_interventions()}
    planted = life(7, scale=0.05).planted
    assert starts == {
        "return-label-flagship": str(planted.label_from),
        "shift-plan-harbour": str(planted.plan_from),
        "bot-inquiries": str(planted.bot_from),
    }


def test_the_command_and_the_report_make_the_same_company(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    original = make_sample

    def small(folder, **options):
        return original(folder, scale=0.02, **options)

    monkeypatch.setattr("analysis.sample.make_sample", small)
    assert main(["sample", "--template", "ecommerce"]) == 0
    make_sample_company(tmp_path / "data" / "other", None, template="ecommerce")
    truth = json.loads((tmp_path / "data" / "sample-ecommerce" / "_truth" / "truth.json").read_text("utf-8"))
    assert truth["truths"]["size_chart"]["active"]
    assert "data/sample-ecommerce" in capsys.readouterr().out
    for name in company()[0]:
        one, other = (
            tmp_path / "data" / place / f"{name}.parquet" for place in ("sample-ecommerce", "other")
        )
        assert pq.read_table(one).equals(pq.read_table(other)), name
