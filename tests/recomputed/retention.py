"""Figures of the retention section: contract spells rebuilt from terms, churn, revenue kept, survival and hazards of loss."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

import numpy as np
import pandas as pd
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.stats.proportion import proportion_confint

from recomputed.raw import DAYS_PER_MONTH, END, OBSERVED, Raw, business_day
from recomputed.register import COUNT, MODEL, MONEY, SHARE, Asked, Section

SECTION = Section("retention")
recomputes = SECTION.recomputes
YEAR = "2025-11/2026-11"
SEEN = "2023-11/2026-11"
SAME_LIMIT = "the same product limit in another library; only floating point may differ"
CLOSED_FORM = "the same closed form in another library; only floating point may differ"
EFRON = "the same partial likelihood (Efron ties) maximised by another library, to its own tolerance"


def months_between(first: pd.Series, second: pd.Series) -> pd.Series:
    """Calendar months from one day to another, whatever the days of the month."""
    return (second.dt.year - first.dt.year) * 12 + second.dt.month - first.dt.month


@lru_cache(maxsize=1)
def _terms(raw: Raw) -> pd.DataFrame:
    """Terms of contracts that can be renewed, begun by the end of the month, with the first day not covered and the amount per year in cents."""
    rows = raw.contracts
    rows = rows[(rows["starts_on"] < END) & rows["kind"].isin(["subscription", "maintenance"])].copy()
    rows["due_on"] = rows["ends_on"] + pd.Timedelta(days=1)
    cancelled = rows["cancelled_on"].where(rows["cancelled_on"] < END)
    rows["agreed"] = cancelled.isna()
    rows["until"] = np.maximum(cancelled.fillna(rows["due_on"]), rows["starts_on"])
    months = months_between(rows["starts_on"], rows["due_on"]).clip(lower=1)
    rows["yearly"] = (rows["cents"].astype(float) * 12 / months + 1e-9).round().astype("int64")
    return rows.sort_values(["customer_id", "starts_on", "until"])


@lru_cache(maxsize=1)
def contract_spells(raw: Raw) -> pd.DataFrame:
    """Unbroken times under contract: terms of a customer that follow within 30 days of the longest before. The loss on record ends the last one."""
    rows = _terms(raw)
    reached = rows.groupby("customer_id")["until"].cummax().groupby(rows["customer_id"]).shift()
    grace = pd.Timedelta(days=int(raw.assumption("contract_grace_days")))
    fresh = reached.isna() | (rows["starts_on"] > reached + grace)
    rows = rows.assign(spell=fresh.groupby(rows["customer_id"]).cumsum())
    longest = rows.groupby(["customer_id", "spell"])["until"].transform("max")
    rows["ran_out"] = rows["agreed"] & (rows["until"] == longest)
    spells = rows.groupby(["customer_id", "spell"], as_index=False).agg(
        kind=("kind", "min"), begins=("starts_on", "min"), until=("until", "max"), ran_out=("ran_out", "any")
    )
    last = spells["spell"] == spells.groupby("customer_id")["spell"].transform("max")
    told = spells["customer_id"].map(raw.customers["churned_on"])
    told = told.where(last & (told >= spells["begins"]) & (told < END))
    # within the days of grace nobody is lost yet
    spells["ends"] = told.fillna(spells["until"].where(spells["until"] + grace < END))
    spells["customer_type"] = spells["customer_id"].map(raw.customers["customer_type"])
    return spells


@lru_cache(maxsize=1)
def _purchase_spells(raw: Raw) -> pd.DataFrame:
    """Of customers who never held such a contract: from a purchase until twelve months after the last one without another."""
    rows = raw.orders[(raw.orders["cents"] > 0) & (raw.orders["ordered_on"] < END)]
    rows = rows[~rows["customer_id"].isin(_terms(raw)["customer_id"])]
    days = rows[["customer_id", "ordered_on"]].drop_duplicates().sort_values(["customer_id", "ordered_on"])
    before = days.groupby("customer_id")["ordered_on"].shift()
    fresh = before.isna() | (days["ordered_on"] > before + pd.DateOffset(months=12))
    days = days.assign(spell=fresh.groupby(days["customer_id"]).cumsum())
    spells = days.groupby(["customer_id", "spell"], as_index=False)["ordered_on"].agg(
        begins="min", last="max"
    )
    over = spells["last"] + pd.DateOffset(months=12)
    return spells.assign(
        ends=over.where(over < END), customer_type=spells["customer_id"].map(raw.customers["customer_type"])
    )


def _moved(raw: Raw, asked: Asked) -> dict[str, int]:
    """Customers by where they stand at the first day and the day after the last; who is lost on a day was present that morning."""
    spells = contract_spells(raw) if asked.of["churn_basis"] == "contractual" else _purchase_spells(raw)
    if "customer_type" in asked.of:
        spells = spells[spells["customer_type"] == asked.of["customer_type"]]
    spells = spells[spells["begins"] < asked.end]
    by = spells["customer_id"]
    runs = spells["ends"].isna()
    at_start = ((spells["begins"] < asked.first) & (runs | (spells["ends"] >= asked.first))).groupby(by).any()
    at_end = (runs | (spells["ends"] >= asked.end)).groupby(by).any()
    existed = (spells["begins"] < asked.first).groupby(by).any()
    return {
        "start": int(at_start.sum()),
        "lost": int((at_start & ~at_end).sum()),
        "new": int((~at_start & at_end & ~existed).sum()),
        "reactivated": int((~at_start & at_end & existed).sum()),
        "end": int(at_end.sum()),
    }


@recomputes(
    f"customer_movement@churn_basis=contractual,customer_type=b2b,movement=lost#{YEAR}",
    f"customer_movement@churn_basis=contractual,movement=start#{YEAR}",
    f"customer_movement@churn_basis=contractual,movement=new#{YEAR}",
    "customer_movement@churn_basis=contractual,movement=end#2026-10",
    "customer_movement@churn_basis=non_contractual,movement=lost#2026-10",
    f"customer_movement@churn_basis=non_contractual,movement=reactivated#{YEAR}",
    kind=COUNT,
)
def customer_movement(raw: Raw, asked: Asked) -> int:
    """Customers present at the start, lost, new, reactivated, present at the end. Source: params/metrics/retention.yml, customer_movement."""
    return _moved(raw, asked)[asked.of["movement"]]


@recomputes(
    f"gross_churn_rate@churn_basis=contractual#{YEAR}",
    "gross_churn_rate@churn_basis=contractual#2026-10",
    "gross_churn_rate@churn_basis=contractual#2025-06/2026-06",
    f"gross_churn_rate@churn_basis=contractual,customer_type=b2c#{YEAR}",
    f"gross_churn_rate@churn_basis=non_contractual#{YEAR}",
    f"gross_churn_rate@churn_basis=non_contractual,customer_type=b2b#{YEAR}",
    kind=SHARE,
)
def gross_churn_rate(raw: Raw, asked: Asked) -> float:
    """Lost among those present at the start over present at the start. Source: gross_churn_rate."""
    found = _moved(raw, asked)
    return found["lost"] / found["start"]


@recomputes(
    f"gross_churn_rate@churn_basis=contractual#{YEAR}", part="low", kind=MODEL, within=1e-6, why=CLOSED_FORM
)
def lower_limit_of_churn(raw: Raw, asked: Asked) -> float:
    """Wilson's 95 % interval, lower limit. Source: gross_churn_rate, interval wilson."""
    found = _moved(raw, asked)
    return float(proportion_confint(found["lost"], found["start"], method="wilson")[0])


@recomputes(
    f"avoidable_churn_share#{YEAR}",
    f"loss_reason_share@churn_reason=competitor#{YEAR}",
    f"loss_reason_share@churn_reason=price#{YEAR}",
    kind=SHARE,
)
def share_of_losses(raw: Raw, asked: Asked) -> float:
    """Losses of the year marked avoidable, or with a reason, among the losses (with a mark). Source: avoidable_churn_share, loss_reason_share."""
    spells = contract_spells(raw)
    lost = spells[(spells["begins"] < asked.first) & (spells["ends"] >= asked.first)]
    known = raw.customers.loc[lost["customer_id"].unique()]
    if asked.metric == "avoidable_churn_share":
        return float(known["churn_avoidable"].dropna().astype(bool).mean())
    return float((known["churn_reason"] == asked.of["churn_reason"]).mean())


def _value(raw: Raw, day: pd.Timestamp) -> pd.Series:
    """Yearly contract value in cents by customer of the terms that run when a day begins, on a spell that runs too."""
    terms = _terms(raw)
    terms = terms[(terms["starts_on"] < day) & (terms["until"] >= day)]
    spells = contract_spells(raw)
    spells = spells[(spells["begins"] < day) & (spells["ends"].isna() | (spells["ends"] >= day))]
    joined = terms.merge(spells[["customer_id", "begins"]], on="customer_id")
    return joined[joined["begins"] <= joined["starts_on"]].groupby("customer_id")["yearly"].sum()


def _of_type(raw: Raw, values: pd.Series, customer_type: str | None) -> pd.Series:
    if customer_type is None:
        return values
    return values[values.index.map(raw.customers["customer_type"]) == customer_type]


@recomputes(
    f"contract_value@moment=start#{YEAR}",
    f"contract_value@customer_type=b2c,moment=start#{YEAR}",
    "contract_value@customer_type=b2b,moment=end#2026-10",
    kind=MONEY,
)
def contract_value(raw: Raw, asked: Asked) -> Decimal:
    """Amount of running terms per twelve months, at the start or the end of the period. Source: contract_value."""
    values = _value(raw, asked.first if asked.of["moment"] == "start" else asked.end)
    return Decimal(int(_of_type(raw, values, asked.of.get("customer_type")).sum())) / 100


@recomputes(
    f"gross_revenue_retention#{YEAR}", f"gross_revenue_retention@customer_type=b2c#{YEAR}", kind=SHARE
)
def gross_revenue_retention(raw: Raw, asked: Asked) -> float:
    """Yearly value kept from the customers of the start, at most what they had, over what they had. Source: gross_revenue_retention."""
    start = _of_type(raw, _value(raw, asked.first), asked.of.get("customer_type"))
    kept = np.minimum(start, _value(raw, asked.end).reindex(start.index).fillna(0))
    return float(kept.sum() / start.sum())


@recomputes("accounts_under_contract#2026-10", "equal_accounts#2026-10", kind=COUNT)
def accounts(raw: Raw, asked: Asked) -> int:
    """Business customers under contract; accounts of one size as concentrated: one over the sum of squared shares, whole. Source: equal_accounts."""
    values = _of_type(raw, _value(raw, END), "b2b").astype(float)
    if asked.metric == "accounts_under_contract":
        return len(values)
    return round(1 / float(((values / values.sum()) ** 2).sum()))


@recomputes("ten_account_share#2026-10", kind=SHARE)
def ten_account_share(raw: Raw, asked: Asked) -> float:
    """Contract value of the ten largest business accounts over that of all of them. Source: ten_account_share."""
    values = _of_type(raw, _value(raw, END), "b2b")
    return float(values.nlargest(10).sum() / values.sum())


def _snapshot(raw: Raw, day: pd.Timestamp) -> tuple[int, int]:
    """Customers under contract when a day begins, and those of them lost within six months."""
    spells = contract_spells(raw)
    there = spells[(spells["begins"] < day) & (spells["ends"].isna() | (spells["ends"] >= day))]
    return int((there["ends"] < day + pd.DateOffset(months=6)).sum()), len(there)


@recomputes(
    "observed_losses@snapshot=2025-05#2025-05", "observed_losses@snapshot=2026-05#2026-05", kind=COUNT
)
def observed_losses(raw: Raw, asked: Asked) -> int:
    """Customers of a past snapshot lost within the six months after it. Source: observed_losses, params/retention.yml."""
    return _snapshot(raw, asked.first)[0]


@recomputes("risk_score_base_rate@snapshot=2025-11#2025-11", kind=SHARE)
def risk_score_base_rate(raw: Raw, asked: Asked) -> float:
    """Lost within the horizon among all customers of the snapshot. Source: risk_score_base_rate."""
    lost, of = _snapshot(raw, asked.first)
    return lost / of


# -- estimates ---------------------------------------------------------------------------------------------------------


def _age(begins: pd.Series, moment: pd.Series) -> pd.Series:
    """Age in days of twelfths of a year: full months times 30.4375 and the days since the last of these dates, so that an anniversary is twelve months."""
    months = months_between(begins, moment) - (moment.dt.day < begins.dt.day)
    number = begins.dt.year * 12 + begins.dt.month - 1 + months
    first = pd.to_datetime(pd.DataFrame({"year": number // 12, "month": number % 12 + 1, "day": 1}))
    date = first + pd.to_timedelta(np.minimum(begins.dt.day, first.dt.days_in_month) - 1, unit="D")
    return months * DAYS_PER_MONTH + (moment - date).dt.days - (date.dt.day < begins.dt.day)


def _age_at_end(rows: pd.DataFrame, moment: pd.Series) -> pd.Series:
    """Age at the end of what is seen of spells: the end of a term as agreed, up to three days after a full month, is that month."""
    age = _age(rows["begins"], moment)
    months = months_between(rows["begins"], moment) - (moment.dt.day < rows["begins"].dt.day)
    drifted = rows["ran_out"] & (rows["ends"] == rows["until"]) & (rows["ends"] < END)
    late = drifted & (months > 0) & (age - months * DAYS_PER_MONTH <= 3)
    return age.where(~late, months * DAYS_PER_MONTH)


def _lost_on_first_day(rows: pd.DataFrame) -> pd.Series:
    """Spells lost on the day they began: they were there that morning."""
    return (rows["ends"] == rows["begins"]) & (rows["begins"] >= OBSERVED) & (rows["ends"] < END)


def _before(age: pd.Series, last: pd.Series) -> pd.Series:
    """An age within a spell: what falls into the days that the end of a term lies late belongs to the day before that end."""
    return age.where(age < last, last - 1)


def segment_on(raw: Raw, customers: pd.Series, days: pd.Series) -> np.ndarray:
    """The segment that held on a day by the customer's history, else the customer's own."""
    past = raw.table("customer_history", "valid_from")
    past = past[past["attribute"] == "segment"].sort_values("valid_from")
    past = past.astype({"valid_from": "datetime64[ns]"})  # both sides of the join in one unit of time
    asked = pd.DataFrame({"customer_id": customers.to_numpy(), "day": days.to_numpy("datetime64[ns]")})
    asked = asked.assign(place=np.arange(len(asked))).sort_values("day")
    found = pd.merge_asof(asked, past, left_on="day", right_on="valid_from", by="customer_id").sort_values(
        "place"
    )
    return found["value"].fillna(found["customer_id"].map(raw.customers["segment"])).to_numpy()


@lru_cache(maxsize=1)
def _lives(raw: Raw) -> pd.DataFrame:
    """Spells seen since service records began: age at entry and at the end, whether lost, why, and segment at the start."""
    rows = contract_spells(raw).copy()
    rows["over"] = rows["ends"].fillna(END)
    seen = (rows["over"] > OBSERVED) & (rows["over"] > rows["begins"])
    rows = rows[seen | _lost_on_first_day(rows)].reset_index(drop=True)
    observed = pd.Series(OBSERVED, index=rows.index)
    rows["duration"] = _age_at_end(rows, rows["over"])
    then = _age(rows["begins"], observed).where(rows["begins"] < OBSERVED, 0.0)
    rows["entry"] = _before(then, rows["duration"])
    rows["entry"] = rows["entry"].where(rows["entry"] > 0, -1.0)
    rows["lost"] = rows["ends"].notna()
    rows["reason"] = rows["customer_id"].map(raw.customers["churn_reason"]).where(rows["lost"], "")
    rows["segment"] = segment_on(raw, rows["customer_id"], rows["begins"])
    return rows


def _group(raw: Raw, asked: Asked) -> pd.DataFrame:
    rows = _lives(raw)
    for name, value in asked.of.items():
        if name in ("contract_kind", "segment", "customer_type"):
            rows = rows[rows["kind" if name == "contract_kind" else name] == value]
    return rows


def _curve(rows: pd.DataFrame) -> SurvfuncRight:
    return SurvfuncRight(
        rows["duration"].to_numpy(float), rows["lost"].to_numpy(int), entry=rows["entry"].to_numpy(float)
    )


@recomputes(
    f"contract_survival@age=12,segment=standard#{SEEN}",
    f"contract_survival@age=36,segment=key#{SEEN}",
    f"contract_survival@age=12,segment=gold#{SEEN}",
    f"contract_survival@age=36,segment=standard#{SEEN}",
    f"contract_survival@age=9,segment=standard#{SEEN}",
    kind=MODEL,
    within=1e-6,
    why=SAME_LIMIT,
)
def contract_survival(raw: Raw, asked: Asked) -> float:
    """Kaplan–Meier share of contracts that last beyond an age, contracts entering when observation began. Source: contract_survival."""
    curve = _curve(_group(raw, asked))
    mark = float(asked.of["age"]) * DAYS_PER_MONTH
    return float(curve.surv_prob[np.searchsorted(curve.surv_times, mark, side="right") - 1])


@recomputes(
    f"restricted_mean_tenure@contract_kind=maintenance#{SEEN}",
    f"restricted_mean_tenure@segment=gold#{SEEN}",
    kind=MODEL,
    within=1e-6,
    why=SAME_LIMIT,
)
def restricted_mean_tenure(raw: Raw, asked: Asked) -> float:
    """Area under the survival curve to 36 months. Source: restricted_mean_tenure."""
    curve, top = _curve(_group(raw, asked)), 36 * DAYS_PER_MONTH
    times = np.concatenate([[0.0], curve.surv_times[curve.surv_times < top], [top]])
    steps = np.concatenate([[1.0], curve.surv_prob[curve.surv_times < top]])
    return float((np.diff(times) * steps).sum() / DAYS_PER_MONTH)


@recomputes(
    f"loss_incidence@age=12,churn_reason=competitor#{SEEN}",
    f"loss_incidence@age=36,churn_reason=price#{SEEN}",
    kind=MODEL,
    within=1e-6,
    why="the same estimator summed by other code; only floating point may differ",
)
def loss_incidence(raw: Raw, asked: Asked) -> float:
    """Aalen–Johansen: over the ages of loss, contracts still there times losses for the reason over contracts at risk. Source: loss_incidence."""
    rows = _lives(raw)
    curve = _curve(rows)
    own = rows[rows["lost"] & (rows["reason"] == asked.of["churn_reason"])].groupby("duration").size()
    lost = own.reindex(curve.surv_times).fillna(0).to_numpy()
    before = np.concatenate([[1.0], curve.surv_prob[:-1]])
    upto = curve.surv_times <= float(asked.of["age"]) * DAYS_PER_MONTH
    return float((before * lost / curve.n_risk)[upto].sum())


@lru_cache(maxsize=1)
def _felt(raw: Raw) -> pd.DataFrame:
    """By customer, the first day from which an experience counts.

    A complaint counts a day after it was opened, when it is known whether it was answered within 24 hours (``slow``) or in time (``prompt``); a
    repeat repair when it is resolved: a repair opened within 30 days of the resolution of another one of the machine.
    """
    orders = raw.tickets
    asked = orders[(orders["ticket_type"] == "complaint") & orders["customer_id"].notna()]
    mark = asked["opened_at"] + pd.Timedelta(hours=raw.assumption("late_answer_hours"))
    late = asked["first_response_at"].isna() | (asked["first_response_at"] > mark)
    told = pd.DataFrame({"customer_id": asked["customer_id"], "day": business_day(mark), "late": late})
    told = told[told["day"] < END]
    repairs = orders[(orders["ticket_type"] == "repair") & orders["serial_no"].notna()]
    columns = ["ticket_id", "serial_no", "customer_id", "opened_at", "resolved_at", "resolved_on"]
    pairs = repairs[columns].merge(repairs[columns], on="serial_no", suffixes=("", "_before"))
    pairs = pairs[pairs["ticket_id"] != pairs["ticket_id_before"]]
    gap = pairs["opened_at"] - pairs["resolved_at_before"]
    days = pd.Timedelta(days=raw.assumption("repeat_repair_days"))
    again = pairs[(gap >= pd.Timedelta(0)) & (gap < days) & (pairs["resolved_on"] < END)]
    return pd.DataFrame(
        {
            "slow": told[told["late"]].groupby("customer_id")["day"].min(),
            "prompt": told[~told["late"]].groupby("customer_id")["day"].min(),
            "repeat": again.groupby("customer_id")["resolved_on"].min(),
        }
    )


@lru_cache(maxsize=1)
def _pieces(raw: Raw) -> pd.DataFrame:
    """Spells cut where an experience begins or the segment changes, each piece with what held when it began."""
    spells = contract_spells(raw)
    rows = spells.assign(lo=spells["begins"].clip(lower=OBSERVED), hi=spells["ends"].fillna(END))
    rows = rows[(rows["hi"] > rows["lo"]) | _lost_on_first_day(rows)].join(_felt(raw), on="customer_id")
    past = raw.table("customer_history", "valid_from")
    past = past[past["attribute"] == "segment"][["customer_id", "valid_from"]]
    key = ["customer_id", "spell"]
    cuts = [rows[key].assign(moment=rows["lo"])]
    cuts += [
        rows[key].assign(moment=rows[name].where((rows[name] > rows["lo"]) & (rows[name] < rows["hi"])))
        for name in _felt(raw)
    ]
    changed = rows[[*key, "lo", "hi"]].merge(past, on="customer_id")
    changed = changed[(changed["valid_from"] > changed["lo"]) & (changed["valid_from"] < changed["hi"])]
    cuts.append(changed[key].assign(moment=changed["valid_from"]))
    pieces = pd.concat(cuts).dropna().drop_duplicates().sort_values([*key, "moment"])
    pieces["next"] = pieces.groupby(key)["moment"].shift(-1)
    pieces = pieces.merge(rows, on=key).reset_index(drop=True)
    pieces["stop_on"] = pieces["next"].fillna(pieces["hi"])
    for name in _felt(raw):
        pieces[f"{name}_yet"] = (pieces[name] <= pieces["moment"]).astype(float)
    pieces["ever_slow"] = (pieces["slow"] < pieces["hi"]).astype(float)
    last = _age_at_end(pieces, pieces["hi"])
    entry = _before(_age(pieces["begins"], pieces["moment"]), last)
    pieces["entry"] = entry.where(entry > 0, -1.0)
    pieces["stop"] = _before(_age(pieces["begins"], pieces["stop_on"]), last).where(
        pieces["next"].notna(), last
    )
    pieces["lost"] = pieces["next"].isna() & pieces["ends"].notna()
    pieces["segment"] = segment_on(raw, pieces["customer_id"], pieces["moment"])
    return pieces


@lru_cache(maxsize=4)
def _cox(raw: Raw, model: str) -> tuple[np.ndarray, np.ndarray]:
    """Log hazard ratios and their 95 % limits. ``total``: late and timely complaints and repeat repairs, within kind, type and segment."""
    rows = _pieces(raw)
    covariates = {
        "total": ["slow_yet", "prompt_yet", "repeat_yet"],
        "total_repeat": ["repeat_yet"],
        "unadjusted": ["slow_yet"],
        "naive": ["ever_slow"],
    }[model]
    strata = None
    if model.startswith("total"):
        strata = rows.groupby(["kind", "customer_type", "segment"]).ngroup().to_numpy()
    # The partial likelihood knows the order of times alone; two days more make all of them positive, as PHReg wants. PHReg counts who enters at
    # the moment of a loss as at risk of it, so that a spell cut there would be counted twice: whoever enters does so a hundredth of a day later.
    entry = rows["entry"].to_numpy(float)
    fit = PHReg(
        rows["stop"].to_numpy(float) + 2,
        rows[covariates].to_numpy(float),
        status=rows["lost"].to_numpy(int),
        entry=np.where(entry < 0, entry, entry + 0.01) + 2,
        strata=strata,
        ties="efron",
    ).fit(disp=0)
    return np.asarray(fit.params), np.asarray(fit.conf_int())


@recomputes(
    f"loss_hazard_ratio@exposure=slow,loss_model=total#{SEEN}",
    f"loss_hazard_ratio@exposure=prompt,loss_model=total#{SEEN}",
    f"loss_hazard_ratio@exposure=repeat,loss_model=total_repeat#{SEEN}",
    f"loss_hazard_ratio@exposure=slow,loss_model=unadjusted#{SEEN}",
    f"loss_hazard_ratio@exposure=slow,loss_model=naive#{SEEN}",
    kind=MODEL,
    within=1e-5,
    why=EFRON,
)
def loss_hazard_ratio(raw: Raw, asked: Asked) -> float:
    """How many times as often customers with the experience leave, at the same age of the contract, by Cox regression. Source: loss_hazard_ratio."""
    place = {"slow": 0, "prompt": 1, "repeat": 0}[asked.of["exposure"]]
    return float(np.exp(_cox(raw, asked.of["loss_model"])[0][place]))


@recomputes(
    f"loss_hazard_ratio@exposure=slow,loss_model=total#{SEEN}", part="low", kind=MODEL, within=1e-5, why=EFRON
)
def lower_limit_of_a_hazard_ratio(raw: Raw, asked: Asked) -> float:
    """Wald's 95 % interval of the log hazard ratio, lower limit. Source: loss_hazard_ratio."""
    return float(np.exp(_cox(raw, asked.of["loss_model"])[1][0, 0]))
