"""Figures of the value section: purchases by customer, renewals, margins, and the purchase models by their likelihoods."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.special import betaln, gammaln
from statsmodels.stats.proportion import proportion_confint

from recomputed.raw import END, ZONE, Raw, business_day, cents, years_back
from recomputed.register import COUNT, MODEL, MONEY, SHARE, Asked, Section
from recomputed.retention import contract_spells, segment_on

SECTION = Section("value")
recomputes = SECTION.recomputes
PURCHASES = ["product", "upgrade"]  # params/value.yml, purchase_types
CENT = Decimal("0.01")
OPTIMISER = "the same likelihood maximised without derivatives by another optimiser; the likelihood is flat along a and b"
CLOSED_FORM = "the same closed form in another library; only floating point may differ"


@lru_cache(maxsize=1)
def _days(raw: Raw) -> pd.DataFrame:
    """Purchase days: paid lines of products and upgrades of one customer on one business day are one purchase; refunds are none."""
    rows = raw.orders
    rows = rows[(rows["cents"] > 0) & rows["order_type"].isin(PURCHASES) & (rows["ordered_on"] < END)]
    return rows.groupby(["customer_id", "ordered_on"], as_index=False).agg(
        cents=("cents", "sum"), orders=("order_id", "nunique")
    )


@lru_cache(maxsize=1)
def _buyers(raw: Raw) -> pd.DataFrame:
    """By customer: repeat purchases, weeks from the first purchase to the last and to the end (begun weeks count), mean spend, type and segment."""
    by = _days(raw).groupby("customer_id")
    known = by.agg(
        first=("ordered_on", "min"),
        last=("ordered_on", "max"),
        days=("cents", "size"),
        spend=("cents", "sum"),
    )
    known["x"] = known["days"] - 1
    known["recency"] = np.ceil((known["last"] - known["first"]).dt.days / 7)
    known["age"] = np.ceil(((END - known["first"]).dt.days - 1) / 7)
    known["mean"] = known["spend"].astype(float) / 100 / known["days"]
    past = raw.table("customer_history", "valid_from")
    past = past[(past["attribute"] == "segment") & (past["valid_from"] < END)].sort_values("valid_from")
    segment = past.groupby("customer_id")["value"].last()
    known["customer_type"] = known.index.map(raw.customers["customer_type"])
    known["segment"] = segment.reindex(known.index).fillna(raw.customers["segment"])
    return known


def _group(raw: Raw, asked: Asked) -> pd.DataFrame:
    kind, segment = asked.of["group"].split("%7C")
    rows = _buyers(raw)
    return rows[(rows["customer_type"] == kind) & (rows["segment"] == segment)]


@recomputes(
    "model_size@group=b2b%7Cgold,rows=customers#2026-10",
    "model_size@group=b2c%7Cstandard,rows=customers#2026-10",
    kind=COUNT,
)
def model_size(raw: Raw, asked: Asked) -> int:
    """Customers of a type and segment who ever bought. Source: params/metrics/value.yml, model_size."""
    return len(_group(raw, asked))


@recomputes("model_size@rows=patterns#2026-10", "model_size@rows=merged#2026-10", kind=COUNT)
def rows_of_the_model(raw: Raw, asked: Asked) -> int:
    """Distinct combinations of group, repeat purchases, recency and age; orders merged into another purchase of their day. Source: model_size."""
    if asked.of["rows"] == "merged":
        return int((_days(raw)["orders"] - 1).sum())
    return len(_buyers(raw)[["customer_type", "segment", "x", "recency", "age"]].drop_duplicates())


def _recent(raw: Raw) -> pd.DataFrame:
    rows = raw.orders
    return rows[(rows["ordered_on"] >= years_back(END, 1)) & (rows["ordered_on"] < END)]


@recomputes(
    "revenue_per_customer@customer_type=b2b#2026-10", "revenue_per_customer@channel=Store#2026-10", kind=MONEY
)
def revenue_per_customer(raw: Raw, asked: Asked) -> Decimal:
    """Revenue of the last twelve months, all order types, over customers with any revenue in them. Source: revenue_per_customer."""
    spent = _recent(raw).groupby("customer_id")["cents"].sum()
    [(name, value)] = asked.of.items()
    spent = spent[spent.index.map(raw.customers[name]) == value]
    return (Decimal(int(spent.sum())) / 100 / int((spent > 0).sum())).quantize(CENT)


@recomputes(
    "average_order_value@channel=Dealer#2026-10", "average_order_value@channel=Direct#2026-10", kind=MONEY
)
def average_order_value(raw: Raw, asked: Asked) -> Decimal:
    """Revenue of purchases over purchase days of the last twelve months. Source: average_order_value."""
    rows = _days(raw)
    rows = rows[rows["ordered_on"] >= years_back(END, 1)]
    rows = rows[rows["customer_id"].map(raw.customers["channel"]) == asked.of["channel"]]
    return (Decimal(int(rows["cents"].sum())) / 100 / len(rows)).quantize(CENT)


def _again(raw: Raw, channel: str) -> tuple[int, int]:
    """Customers whose first purchase lies 12 to 36 months back, and those who bought again within twelve months of it."""
    rows = _days(raw).sort_values(["customer_id", "ordered_on"])
    first = rows.groupby("customer_id")["ordered_on"].first()
    second = rows.groupby("customer_id")["ordered_on"].nth(1)
    second.index = rows.loc[second.index, "customer_id"]
    first = first[(first >= years_back(END, 3)) & (first < years_back(END, 1))]
    first = first[first.index.map(raw.customers["channel"]) == channel]
    return int((second.reindex(first.index) < first + pd.DateOffset(months=12)).sum()), len(first)


@recomputes("repurchase_rate@channel=Dealer#2026-10", "repurchase_rate@channel=Direct#2026-10", kind=SHARE)
def repurchase_rate(raw: Raw, asked: Asked) -> float:
    """Bought again within twelve months of the first purchase. Source: repurchase_rate."""
    hits, of = _again(raw, asked.of["channel"])
    return hits / of


@recomputes("repurchase_rate@channel=Dealer#2026-10", part="high", kind=MODEL, within=1e-6, why=CLOSED_FORM)
def upper_limit_of_repurchase(raw: Raw, asked: Asked) -> float:
    """Wilson's 95 % interval, upper limit. Source: repurchase_rate, interval wilson."""
    return float(proportion_confint(*_again(raw, asked.of["channel"]), method="wilson")[1])


@recomputes(
    "purchase_margin_share@customer_type=b2b#2026-10",
    "purchase_margin_share@customer_type=b2c#2026-10",
    kind=SHARE,
)
def purchase_margin_share(raw: Raw, asked: Asked) -> float:
    """Gross margin of purchases, refunds taken off, over positive revenue of the last 24 months. Source: purchase_margin_share."""
    rows = raw.orders
    rows = rows[
        rows["order_type"].isin(PURCHASES)
        & (rows["ordered_on"] >= years_back(END, 2))
        & (rows["ordered_on"] < END)
    ]
    rows = rows[rows["customer_id"].map(raw.customers["customer_type"]) == asked.of["customer_type"]]
    return int(rows["margin_cents"].sum()) / int(rows.loc[rows["cents"] > 0, "cents"].sum())


@lru_cache(maxsize=1)
def _since(raw: Raw) -> pd.Series:
    """The day each customer was first seen: first purchase or first term of a contract that can be renewed."""
    terms = raw.contracts[
        (raw.contracts["starts_on"] < END) & raw.contracts["kind"].isin(["subscription", "maintenance"])
    ]
    bought = _days(raw).groupby("customer_id")["ordered_on"].min()
    return pd.concat([bought, terms.groupby("customer_id")["starts_on"].min()]).groupby(level=0).min()


def _new(raw: Raw, channel: str) -> int:
    since = _since(raw)
    return int(((since >= years_back(END, 1)) & (since.index.map(raw.customers["channel"]) == channel)).sum())


@recomputes(
    "listed_customers@channel=Dealer,list=new#2026-10",
    "listed_customers@channel=Direct,list=new#2026-10",
    kind=COUNT,
)
def new_customers(raw: Raw, asked: Asked) -> int:
    """Customers first seen in the last twelve months. Source: acquisition_cost, new customers."""
    return _new(raw, asked.of["channel"])


@recomputes("acquisition_cost@channel=Dealer#2026-10", "acquisition_cost@channel=Store#2026-10", kind=MONEY)
def acquisition_cost(raw: Raw, asked: Asked) -> Decimal:
    """Marketing spend of the last twelve months over customers first seen in them. Source: acquisition_cost."""
    rows = raw.table("marketing_spend", "month")
    rows = rows[
        (rows["month"] >= years_back(END, 1))
        & (rows["month"] < END)
        & (rows["channel"] == asked.of["channel"])
    ]
    return (Decimal(int(cents(rows["amount"]).sum())) / 100 / _new(raw, asked.of["channel"])).quantize(CENT)


@recomputes("service_cost_traced#2026-10", kind=MONEY)
def service_cost_traced(raw: Raw, asked: Asked) -> Decimal:
    """Incurred postings of the last twelve months that carry the order of a customer. Source: service_cost_traced."""
    rows = raw.cost
    rows = rows[
        rows["order_customer_id"].notna()
        & (rows["posted_on"] >= years_back(END, 1))
        & (rows["posted_on"] < END)
    ]
    return Decimal(int(rows["cents"].sum())) / 100


@lru_cache(maxsize=1)
def _due(raw: Raw) -> pd.DataFrame:
    """The last term of each contract: renewals made, and whether it was lost. A cancelled term that has not ended counts as running."""
    rows = raw.contracts[(raw.contracts["starts_on"] < END)].sort_values(["contract_id", "term_no"])
    rows = rows.assign(
        due_on=rows["ends_on"] + pd.Timedelta(days=1),
        first=rows.groupby("contract_id")["term_no"].transform("min"),
    )
    following = rows.groupby("contract_id")["starts_on"].shift(-1)
    grace = pd.Timedelta(days=int(raw.assumption("contract_grace_days")))
    renewed = following.notna() & (following <= rows["due_on"] + grace)
    rows = rows[~renewed & (rows["first"] == 1)]
    return rows.assign(lost=rows["due_on"] < END, made=rows["term_no"] - 1)


def _renewed(raw: Raw, asked: Asked) -> tuple[int, int]:
    number, rows = int(asked.of["renewal"]), _due(raw)
    rows = rows[rows["kind"] == asked.of["contract_kind"]]
    made = int((rows["made"] >= number).sum())
    return made, made + int((rows["lost"] & (rows["term_no"] == number)).sum())


@recomputes(
    "renewal_rate@contract_kind=maintenance,renewal=1#2026-10",
    "renewal_rate@contract_kind=maintenance,renewal=2#2026-10",
    "renewal_rate@contract_kind=subscription,renewal=5#2026-10",
    kind=SHARE,
)
def renewal_rate(raw: Raw, asked: Asked) -> float:
    """Contracts renewed among those due for their n-th renewal. Source: renewal_rate."""
    made, due = _renewed(raw, asked)
    return made / due


@recomputes(
    "renewal_rate@contract_kind=maintenance,renewal=1#2026-10",
    part="low",
    kind=MODEL,
    within=1e-6,
    why=CLOSED_FORM,
)
def lower_limit_of_renewal(raw: Raw, asked: Asked) -> float:
    """Wilson's 95 % interval, lower limit. Source: renewal_rate, interval wilson."""
    return float(proportion_confint(*_renewed(raw, asked), method="wilson")[0])


# -- estimates ---------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _shifted_beta_geometric(raw: Raw, kind: str) -> tuple[float, float]:
    """alpha and beta of chances to leave that differ between contracts by a beta distribution, by maximum likelihood."""
    rows = _due(raw)
    rows = rows[rows["kind"] == kind]
    lost = rows[rows["lost"]].groupby("term_no").size()
    running = rows[~rows["lost"]].groupby("made").size()

    def loss(logs: np.ndarray) -> float:
        alpha, beta = np.exp(logs)
        gone = betaln(alpha + 1, beta + lost.index - 1) - betaln(alpha, beta)
        there = betaln(alpha, beta + running.index) - betaln(alpha, beta)
        return -float(lost.to_numpy() @ gone + running.to_numpy() @ there)

    found = minimize(
        loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 9000}
    )
    return float(np.exp(found.x[0])), float(np.exp(found.x[1]))


@recomputes(
    "renewal_rate_model@contract_kind=maintenance,renewal=1#2026-10",
    "renewal_rate_model@contract_kind=maintenance,renewal=2#2026-10",
    "renewal_rate_model@contract_kind=subscription,renewal=5#2026-10",
    kind=MODEL,
    within=1e-4,
    why="the same likelihood maximised by another optimiser",
)
def renewal_rate_model(raw: Raw, asked: Asked) -> float:
    """Retention of the shifted beta-geometric model at a renewal. Source: renewal_rate_model; Fader and Hardie (2007)."""
    alpha, beta = _shifted_beta_geometric(raw, asked.of["contract_kind"])
    number = int(asked.of["renewal"])
    return (beta + number - 1) / (alpha + beta + number - 1)


@lru_cache(maxsize=8)
def _purchase_model(raw: Raw, group: str) -> tuple[float, float, float, float]:
    """r, alpha, a, b of the BG/NBD model of a group, weeks as the unit of time (Fader, Hardie and Lee 2005, equation 6)."""
    rows = _group(raw, Asked.parse(f"model_parameter@group={group}#2026-10"))
    counted = rows.groupby(["x", "recency", "age"]).size().rename("n").reset_index()
    x, recency, age, n = (counted[name].to_numpy(float) for name in ("x", "recency", "age", "n"))

    def loss(logs: np.ndarray) -> float:
        r, alpha, a, b = np.exp(logs)
        first = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
        there = betaln(a, b + x) - betaln(a, b) - (r + x) * np.log(alpha + age)
        gone = np.full(len(x), -np.inf)
        came = x > 0
        gone[came] = (
            betaln(a + 1, b + x[came] - 1) - betaln(a, b) - (r + x[came]) * np.log(alpha + recency[came])
        )
        return -float(n @ (first + np.logaddexp(there, gone))) / n.sum()

    start = np.log([1.0, 100.0, 1.0, 4.0])
    found = minimize(
        loss, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13, "maxiter": 9000}
    )
    found = minimize(loss, found.x, method="BFGS", options={"gtol": 1e-9})
    r, alpha, a, b = np.exp(found.x)
    return float(r), float(alpha), float(a), float(b)


@recomputes(
    "model_parameter@group=b2b%7Cgold,parameter=r#2026-10",
    "model_parameter@group=b2b%7Cgold,parameter=alpha#2026-10",
    "model_parameter@group=b2b%7Ckey,parameter=a#2026-10",
    "model_parameter@group=b2b%7Ckey,parameter=b#2026-10",
    "model_parameter@group=b2c%7Cstandard,parameter=r#2026-10",
    kind=MODEL,
    within=2e-3,
    why=OPTIMISER,
)
def model_parameter(raw: Raw, asked: Asked) -> float:
    """Maximum-likelihood estimate of the purchase model that the pack chose, BG/NBD by customer type and segment. Source: model_parameter."""
    place = ("r", "alpha", "a", "b").index(asked.of["parameter"])
    return _purchase_model(raw, asked.of["group"])[place]


@recomputes(
    "expected_spend@customer_type=b2b#2026-10",
    "expected_spend@customer_type=b2c#2026-10",
    kind=MODEL,
    within=2e-3,
    why="every customer's own mean here; the pack groups means that differ by less than about one per cent",
)
def expected_spend(raw: Raw, asked: Asked) -> float:
    """Mean of the Gamma–Gamma population, p v ÷ (q − 1), on number and mean of purchases by customer. Source: expected_spend; Fader and Hardie (2013)."""
    rows = _buyers(raw)
    rows = rows[rows["customer_type"] == asked.of["customer_type"]]
    x, mean = rows["days"].to_numpy(float), rows["mean"].to_numpy(float) / 1e4

    def loss(logs: np.ndarray) -> float:
        p, q, v = np.exp(logs)
        terms = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
        terms += (p * x - 1) * np.log(mean) + p * x * np.log(x) - (p * x + q) * np.log(v + x * mean)
        return -float(terms.mean())

    found = minimize(
        loss,
        np.log([3.0, 4.0, 5.0]),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-13, "maxiter": 9000},
    )
    p, q, v = np.exp(found.x)
    return float(p * v / (q - 1)) * 1e4


@recomputes(
    "spend_independence@customer_type=b2b#2026-10",
    "spend_independence@customer_type=b2c#2026-10",
    kind=MODEL,
    within=0.05,
    why="every customer's own mean here; the pack groups means that differ by less than about one per cent, and the correlation is nearly zero",
)
def spend_independence(raw: Raw, asked: Asked) -> float:
    """Correlation of a customer's number of purchases and mean spend. Source: spend_independence."""
    rows = _buyers(raw)
    rows = rows[rows["customer_type"] == asked.of["customer_type"]]
    return float(np.corrcoef(rows["days"], rows["mean"])[0, 1])


@recomputes(
    "holdout_purchases@side=actual,week=1#2026-10",
    "holdout_purchases@side=actual,week=10#2026-10",
    kind=COUNT,
)
def holdout_purchases(raw: Raw, asked: Asked) -> int:
    """Purchase days up to a week of the last 52, of customers who had bought before these. Source: holdout_purchases."""
    begins = END - pd.Timedelta(weeks=52)
    rows = _days(raw)
    known = rows.loc[rows["ordered_on"] < begins, "customer_id"].unique()
    ends = begins + pd.Timedelta(weeks=int(asked.of["week"]))
    later = rows[(rows["ordered_on"] >= begins) & (rows["ordered_on"] < ends)]
    return int(later["customer_id"].isin(known).sum())


# -- what a late answer to a complaint changes --------------------------------------------------------------------------

LATE = "treatment=complaint_within_24h"


@lru_cache(maxsize=1)
def _complaints(raw: Raw) -> pd.DataFrame:
    """Complaints of a customer up to the first one answered late, whose year after the landmark (a day after opening) is over.

    Orders whose times run backwards are left out. ``again``: a product or upgrade bought within 365 days after the landmark; ``kept``: the contract
    that ran at it still runs then (empty without a contract). Source: params/treatments.yml, complaint_within_24h.
    """
    orders = raw.tickets
    opened, answered, resolved, closed = (
        orders[name] for name in ("opened_at", "first_response_at", "resolved_at", "closed_at")
    )
    backwards = (
        (answered < opened) | (resolved < opened) | (closed < opened) | (orders["reopened_at"] < opened)
    )
    backwards |= (resolved < answered) | (closed < resolved)
    rows = orders[(orders["ticket_type"] == "complaint") & orders["customer_id"].notna() & ~backwards].copy()
    rows["zero"] = rows["opened_at"] + pd.Timedelta(hours=raw.assumption("late_answer_hours"))
    rows["in_time"] = (rows["first_response_at"] <= rows["zero"]).astype(int)
    rows = rows.sort_values(["customer_id", "opened_at", "ticket_id"])
    late_before = (1 - rows["in_time"]).groupby(rows["customer_id"]).cumsum() - (1 - rows["in_time"])
    over = END.tz_localize(ZONE).tz_convert("UTC").tz_localize(None)
    year = pd.Timedelta(days=365)
    rows = rows[(late_before == 0) & (rows["zero"] + year <= over)].reset_index(drop=True)

    bought = raw.orders[(raw.orders["cents"] > 0) & raw.orders["order_type"].isin(PURCHASES)]
    pairs = rows[["ticket_id", "customer_id", "opened_at", "zero"]].merge(
        bought[["customer_id", "ordered_at"]], on="customer_id"
    )
    after = pairs["ordered_at"] - pairs["zero"]
    rows["again"] = (
        rows["ticket_id"]
        .isin(pairs.loc[(after > pd.Timedelta(0)) & (after <= year), "ticket_id"])
        .astype(int)
    )
    before = pairs[pairs["ordered_at"] < pairs["opened_at"]]
    ago = before["opened_at"] - before["ordered_at"]
    for name, least, most in (("orders_year", 0, 365), ("orders_before", 365, 1096)):
        near = before[(ago > pd.Timedelta(days=least)) & (ago <= pd.Timedelta(days=most))]
        rows[name] = np.log1p(rows["ticket_id"].map(near.groupby("ticket_id").size()).fillna(0))
    rows["quiet"] = (
        (rows["ticket_id"].map(ago.groupby(before["ticket_id"]).min()).dt.days / 30).fillna(60).clip(upper=60)
    )

    spells = contract_spells(raw)
    held = rows[["ticket_id", "customer_id", "opened_on"]].assign(zero_on=business_day(rows["zero"]))
    held = held.merge(spells, on="customer_id")
    ends = held["ends"].fillna(pd.Timestamp("2199-01-01"))
    held = held[(held["begins"] < held["opened_on"]) & (ends > held["zero_on"])]
    kept = held["ends"].isna() | (held["ends"] > held["zero_on"] + year)
    rows["kept"] = rows["ticket_id"].map(kept.groupby(held["ticket_id"]).any().astype(float))
    rows["contract"] = rows["ticket_id"].map(held.groupby("ticket_id")["kind"].min()).fillna("none")
    for name in ("customer_type", "channel", "acquired_on"):
        rows[f"of_{name}"] = rows["customer_id"].map(raw.customers[name])
    rows["tenure"] = (rows["opened_on"] - rows["of_acquired_on"]).dt.days / 30
    rows["held_segment"] = segment_on(raw, rows["customer_id"], rows["opened_on"] - pd.Timedelta(days=1))
    return rows


@recomputes(f"service_cases@{LATE}#2026-10", f"service_cases_exposed@{LATE}#2026-10", kind=COUNT)
def service_cases(raw: Raw, asked: Asked) -> int:
    """Cases whose window has closed, and those of them answered late. Source: params/metrics/value_effects.yml, service_cases."""
    rows = _complaints(raw)
    return len(rows) if asked.metric == "service_cases" else int((rows["in_time"] == 0).sum())


@recomputes(
    f"service_effect_repurchase@estimate=naive,{LATE}#2026-10",
    f"service_effect_retention@estimate=naive,{LATE}#2026-10",
    kind=SHARE,
)
def plain_difference(raw: Raw, asked: Asked) -> float:
    """Share that bought again, or stayed under contract, of those answered in time minus that of those answered late. Source: service_effect_*, naive."""
    rows = _complaints(raw)
    outcome = "again" if asked.metric == "service_effect_repurchase" else "kept"
    shares = rows.dropna(subset=[outcome]).groupby("in_time")[outcome].mean()
    return float(shares[1] - shares[0])


def _adjusted(rows: pd.DataFrame, outcome: str) -> float:
    """Doubly robust difference among those answered late, by logistic regressions on what was known before.

    What they would have done is told by those answered in time: predicted for each, and corrected by how these departed from their own prediction,
    weighted by the odds of a late answer.
    """
    rows = rows.dropna(subset=[outcome])
    names = [
        "of_customer_type",
        "held_segment",
        "region",
        "of_channel",
        "contract",
        "line",
        "severity",
        "priority",
    ]
    quarter = rows["opened_on"].dt.to_period("Q").astype(str).rename("quarter")
    design = pd.get_dummies(pd.concat([rows[names].fillna("-"), quarter], axis=1), drop_first=True).astype(
        float
    )
    design = design.join(rows[["orders_year", "orders_before", "quiet", "tenure"]])
    design = sm.add_constant(design / design.std().replace(0, 1))
    treated, y = rows["in_time"].to_numpy(float), rows[outcome].to_numpy(float)
    binomial = sm.families.Binomial()
    chance = np.asarray(
        sm.GLM(treated, design, family=binomial).fit_regularized(alpha=1e-4, L1_wt=0.0).predict(design)
    )
    in_time = sm.GLM(y[treated == 1], design[treated == 1], family=binomial)
    with_ = np.asarray(in_time.fit_regularized(alpha=1e-3, L1_wt=0.0).predict(design))
    late = 1 - treated
    gain = late * (with_ - y) + treated * (1 - chance) / chance * (y - with_)
    return float(gain.sum() / late.sum())


@recomputes(
    f"service_effect_repurchase@estimate=adjusted,{LATE}#2026-10",
    f"service_effect_retention@estimate=adjusted,{LATE}#2026-10",
    kind=MODEL,
    within=0.05,
    why="fewer covariates and no cross-fitting here: two estimates of one effect, a fifth of its standard error apart at most",
)
def adjusted_difference(raw: Raw, asked: Asked) -> float:
    """What the answer within a day changes among those answered late, for cases alike before it. Source: service_effect_*, adjusted."""
    outcome = "again" if asked.metric == "service_effect_repurchase" else "kept"
    return _adjusted(_complaints(raw), outcome)
