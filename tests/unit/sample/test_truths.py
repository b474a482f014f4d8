"""Every planted truth can be found by one who knows where to look, and nothing is found where nothing was planted.

For each truth one plain statistic, told where the truth lies (an oracle, not a study), gives a p-value from a generated company. Power: the
share of seeds with p below five per cent when the truth is planted. Null: the same share when nothing is.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from scipy import optimize, special, stats

from analysis.periods import Month
from analysis.sample import TRUTHS, company, customers, loyalty, money, work
from analysis.sample.build import world
from analysis.sample.company import COMPLAINT, COMPRESSOR, CONTROL_BOARD, REPAIR
from analysis.sample.customers import DAYS_PER_WEEK, MAINTENANCE_CONTRACT, SUBSCRIPTION
from analysis.sample.failures import Exposure
from analysis.sample.service import FIELD_TYPES, LANDMARK_DAYS, first_time
from analysis.sample.world import World

LEVEL = 0.05


@cache
def life(seed: int, scale: float = 1.0, null: bool = False, kept: frozenset[str] = frozenset()) -> World:
    """A company without the truths that are not ``kept`` if ``null``, with all of them otherwise."""
    off = frozenset(TRUTHS) - kept if null else frozenset()
    return world(seed=seed, null=False, off=off, last_month="2026-10", months=36, scale=scale)


# --- failures -----------------------------------------------------------------------------------------------------------


def failed(w: World) -> np.ndarray:
    """Positions of confirmed failures: repairs with a fault that do not repeat an earlier one."""
    return np.flatnonzero((w.orders.kind == REPAIR) & (w.orders.component >= 0) & ~w.orders.rework)


def exposure(w: World) -> Exposure:
    return Exposure.of(w.units, w.timeline.start, w.timeline.end)


def rate_p_value(w: World, inside: np.ndarray, outside: np.ndarray) -> float:
    """Exact conditional test that two groups of units fail equally often a unit-month."""
    unit, months = w.orders.unit[failed(w)], exposure(w).months
    count = int(inside[unit].sum()), int(outside[unit].sum())
    share = months[inside].sum() / (months[inside].sum() + months[outside].sum())
    return float(stats.binomtest(count[0], sum(count), share).pvalue)


def bad_batch(w: World) -> float:
    of_model = w.units.product == w.planted.bad_batch_product
    return rate_p_value(w, w.units.bad_batch, of_model & ~w.units.bad_batch)


def bad_supplier(w: World) -> float:
    of_supplier = w.units.supplier == w.planted.bad_supplier_index
    return rate_p_value(w, of_supplier & ~w.units.bad_batch, ~of_supplier & ~w.units.bad_batch)


def shape_fit(w: World, component: int) -> tuple[float, float]:
    """Weibull shape of a component by maximum likelihood from left-truncated ages, and the p-value of shape one."""
    span, at = exposure(w), failed(w)
    at = at[(w.orders.component[at] == component) & ~w.units.bad_batch[w.orders.unit[at]]]
    unit = w.orders.unit[at]
    ages = (w.orders.failed[at] - w.units.in_service[unit]) / 30.4375
    seen = (ages >= span.begin[unit]) & (ages > 0)
    logs, good = np.log(ages[seen]), ~w.units.bad_batch

    def profile(shape: float) -> float:
        risk = (span.end[good] ** shape - span.begin[good] ** shape).sum()
        return -(logs.size * np.log(shape / risk) + (shape - 1) * logs.sum())

    best = optimize.minimize_scalar(profile, bounds=(0.2, 6.0), method="bounded")
    return float(best.x), float(stats.chi2.sf(2 * (profile(1.0) - best.fun), 1))


def wear_out(w: World) -> float:
    return shape_fit(w, COMPRESSOR)[1]


def infant_mortality(w: World) -> float:
    return shape_fit(w, CONTROL_BOARD)[1]


# --- customers ----------------------------------------------------------------------------------------------------------


def churn_contrast(
    w: World,
    exposed_from: np.ndarray,
    other: np.ndarray,
    *,
    by_tier: bool = True,
    since: np.ndarray | None = None,
) -> tuple[float, float]:
    """Logarithm of the hazard ratio of cancelling a subscription after ``exposed_from``, and its standard error.

    Person-time in strata of tier, customer type and the other bad experience; each stratum's ratio of rates is weighted by Mantel and
    Haenszel, so that a customer counts as exposed from the day on which it became so, never before. ``since`` starts the clock later.
    """
    people, end = w.customers, float(w.timeline.end)
    who = np.flatnonzero((people.contract_kind == SUBSCRIPTION) & (w.loyalty.starts < end))
    begin = np.maximum(w.loyalty.starts[who], w.timeline.start if since is None else since[who])
    left = np.minimum(w.loyalty.churned[who], end)
    who, begin, left = who[left > begin], begin[left > begin], left[left > begin]
    breaks = np.stack([begin, people.tier_changed[who], exposed_from[who], other[who], left])
    breaks = np.sort(np.clip(np.nan_to_num(breaks, nan=np.inf), begin, left), axis=0)
    spans = list(zip(breaks[:-1], breaks[1:], strict=True))
    time = np.concatenate([last - first for first, last in spans])
    events = np.concatenate([(last == w.loyalty.churned[who]) & (last > first) for first, last in spans])
    exposed = np.concatenate([first >= exposed_from[who] for first, _ in spans])
    stratum = np.concatenate(
        [
            people.tier_at(who, first) * 4 + people.business[who] * 2 + (first >= other[who])
            for first, _ in spans
        ]
    )
    if not by_tier:
        stratum = np.zeros_like(stratum)
    top = bottom = spread = 0.0
    for group in np.unique(stratum):
        of = stratum == group
        hits = events[of & exposed].sum(), events[of & ~exposed].sum()
        months = time[of & exposed].sum(), time[of & ~exposed].sum()
        whole = sum(months)
        if whole > 0:
            top += hits[0] * months[1] / whole
            bottom += hits[1] * months[0] / whole
            spread += sum(hits) * months[0] * months[1] / whole**2
    return float(np.log(top / bottom)), float(np.sqrt(spread / (top * bottom)))


def two_sided(estimate: tuple[float, float], truth: float = 0.0) -> float:
    return float(2 * stats.norm.sf(abs(estimate[0] - truth) / estimate[1]))


def slow_complaints(w: World) -> float:
    return two_sided(churn_contrast(w, w.experience.slow_complaint, w.experience.repeat_repair))


def repeat_repair_churn(w: World) -> float:
    return two_sided(churn_contrast(w, w.experience.repeat_repair, w.experience.slow_complaint))


def expected_purchases(
    t: np.ndarray, x: np.ndarray, recency: np.ndarray, age: np.ndarray, btyd: customers.BuyTillYouDie
) -> np.ndarray:
    """Conditional expectation of BG/NBD: Fader, Hardie and Lee (2005), Marketing Science 24(2), equation 10."""
    r, alpha, a, b = btyd.r, btyd.alpha, btyd.a, btyd.b
    z = t / (alpha + age + t)
    factor = ((alpha + age) / (alpha + age + t)) ** (r + x)
    gain = (a + b + x - 1) / (a - 1) * (1 - factor * special.hyp2f1(r + x, b + x, a + b + x - 1, z))
    alive = 1 + np.where(
        x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + recency)) ** (r + x), 0
    )
    return gain / alive


def service_hurts_repurchase(w: World) -> float:
    """Purchases after the first repeat repair, against what BG/NBD expects from the purchases before it."""
    since = w.experience.repeat_repair
    since = np.where(since <= w.experience.slow_complaint, since, np.inf)
    bought = w.purchases
    before = bought.time < since[bought.customer]
    repeats = np.bincount(bought.customer[before], minlength=since.size) - 1
    last = np.zeros(since.size)
    np.maximum.at(last, bought.customer[before], bought.time[before])
    after = np.bincount(bought.customer[~before], minlength=since.size)
    total = np.zeros(2)
    for name, business in (("b2b", True), ("b2c", False)):
        hit = np.flatnonzero(np.isfinite(since) & (w.customers.business == business))
        born = w.customers.acquired[hit]
        weeks = [
            days / DAYS_PER_WEEK
            for days in (w.timeline.end - since[hit], last[hit] - born, since[hit] - born)
        ]
        surprise = after[hit] - expected_purchases(
            weeks[0], repeats[hit], weeks[1], weeks[2], customers.BTYD[name]
        )
        total += surprise.sum(), (surprise**2).sum()
    return float(2 * stats.norm.sf(abs(total[0]) / np.sqrt(total[1])))


def tier_confounding(w: World) -> float:
    asked = w.orders.kind == COMPLAINT
    table = np.histogram2d(w.orders.tier[asked], w.orders.slow[asked], bins=(3, 2))[0]
    return float(stats.chi2_contingency(table, correction=False).pvalue)


# --- money --------------------------------------------------------------------------------------------------------------


def input_price_rise(w: World) -> float:
    dearer = np.isin(np.array(money.PART_NUMBERS)[w.parts.part], w.planted.price_rise_parts)
    since = w.orders.resolved[w.parts.order] >= w.timeline.month_start(w.planted.price_rise_month)
    list_price = np.array([*(component.part_price for component in company.COMPONENTS), 1.0])[w.parts.part]
    relative = np.log(w.parts.price / 100 / list_price)
    return float(stats.ttest_ind(relative[dearer & since], relative[dearer & ~since], equal_var=False).pvalue)


def idle_team(w: World) -> float:
    size = len(w.timeline.window_months)
    of = w.crew.team == w.planted.idle_team_index
    paid = np.bincount(w.crew.month[of], weights=w.crew.paid[of], minlength=size)
    worked = np.bincount(w.crew.month[of], weights=w.crew.worked[of], minlength=size)
    since = np.arange(size) >= w.planted.idle_month.months_since(w.timeline.first)
    unused = 1 - worked / paid
    return float(stats.ttest_ind(unused[since], unused[~since], equal_var=False).pvalue)


def outsourced_surge(w: World) -> float:
    field = np.isin(w.orders.kind, FIELD_TYPES)
    peak = work.in_peak(w.timeline, w.planted, w.timeline.window_month_of(w.orders.opened))
    out = w.desk.work.team >= company.PARTNER_RUIAN
    table = [[int((field & peak & out).sum()), int((field & peak & ~out).sum())]]
    table.append([int((field & ~peak & out).sum()), int((field & ~peak & ~out).sum())])
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def difference_in_differences(
    w: World, rows: np.ndarray, values: np.ndarray, region: int, month: Month
) -> tuple[float, float]:
    """Change of the mean of ``values`` in one region less the change elsewhere, and its standard error."""
    since = w.orders.opened[rows] >= w.timeline.month_start(month)
    there = w.orders.region[rows] == region
    cells = [values[there & since], values[there & ~since], values[~there & since], values[~there & ~since]]
    means = [cell.mean() for cell in cells]
    error = np.sqrt(sum(cell.var(ddof=1) / cell.size for cell in cells))
    return float(means[0] - means[1] - means[2] + means[3]), float(error)


def hours_effect(w: World) -> tuple[float, float]:
    """Effect of the working measure on the logarithm of the hours of an in-house repair."""
    rows = np.flatnonzero((w.orders.kind == REPAIR) & (w.desk.work.team < company.PARTNER_RUIAN))
    hours = np.log(w.desk.work.hours[rows])
    return difference_in_differences(w, rows, hours, w.planted.working_region, w.planted.working_month)


def freight_effect(w: World) -> tuple[float, float]:
    """Effect of the failed measure on the logarithm of freight a repair."""
    freight = w.postings.account == money.ACCOUNT_AT["6601.03.01"]
    rows, cents = w.postings.order[freight], w.postings.cents[freight]
    repair = w.orders.kind[rows] == REPAIR
    logs = np.log(cents[repair])
    return difference_in_differences(w, rows[repair], logs, w.planted.failed_region, w.planted.failed_month)


def working_measure(w: World) -> float:
    return two_sided(hours_effect(w))


def failed_measure(w: World) -> float:
    """The p-value of the promised saving of fifteen per cent: small when the promise was not kept."""
    return two_sided(freight_effect(w), np.log(0.85))


def failed_measure_without_promise(w: World) -> float:
    return two_sided(freight_effect(w))


# --- reporting ----------------------------------------------------------------------------------------------------------


def late_claims(w: World) -> float:
    """More than one report in a hundred later than twenty days (no holiday explains that)?"""
    at = failed(w)
    late = w.orders.opened[at] - w.orders.failed[at] > 20
    return float(stats.binomtest(int(late.sum()), late.size, 0.01, alternative="greater").pvalue)


def survey_nonresponse(w: World) -> float:
    csat = w.surveys.kind == 0
    answered = ~np.isnan(w.surveys.answered[csat])
    table = np.histogram2d(w.surveys.mood[csat], answered, bins=(5, 2))[0]
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def service_shapes_satisfaction(w: World) -> float:
    about = w.surveys.order >= 0
    mood, order = w.surveys.mood[about], w.surveys.order[about]
    asked = w.orders.kind[order] == COMPLAINT
    slow = w.orders.slow[order]
    return float(stats.ttest_ind(mood[asked & slow], mood[asked & ~slow], equal_var=False).pvalue)


def claim_leakage(w: World) -> float:
    """A rule, not a test: an approved claim of an order and amount that was approved before, or out of warranty."""
    paid = w.claims.approved > 0
    pairs = np.stack([w.claims.order[paid], w.claims.amount[paid]])
    twice = np.unique(pairs, axis=1).shape[1] < pairs.shape[1]
    uncovered = (~w.desk.covered[w.claims.order[paid]]).any()
    return 0.0 if twice and uncovered else 1.0


POWER: dict[str, Callable[[World], float]] = {
    "bad_batch": bad_batch,
    "bad_supplier": bad_supplier,
    "wear_out": wear_out,
    "infant_mortality": infant_mortality,
    "slow_complaints": slow_complaints,
    "repeat_repair_churn": repeat_repair_churn,
    "service_hurts_repurchase": service_hurts_repurchase,
    "input_price_rise": input_price_rise,
    "idle_team": idle_team,
    "outsourced_surge": outsourced_surge,
    "failed_measure": failed_measure,
    "working_measure": working_measure,
    "late_claims": late_claims,
    "survey_nonresponse": survey_nonresponse,
    "claim_leakage": claim_leakage,
    "service_shapes_satisfaction": service_shapes_satisfaction,
    "tier_confounding": tier_confounding,
}
NULL = POWER | {"failed_measure": failed_measure_without_promise}


@pytest.mark.parametrize("truth", TRUTHS)
def test_each_truth_is_detectable_with_ninety_per_cent_power(truth):
    # The mean distance from "no effect", in standard errors, of a few companies of seven tenths of the size: where it exceeds 1.96 + 1.28 = 3.24, a test at five
    # per cent finds the truth in nine companies of ten. The slow test counts them.
    distances = [stats.norm.isf(max(POWER[truth](life(seed, 0.7)), 1e-300) / 2) for seed in range(3)]
    assert np.mean(distances) > stats.norm.isf(LEVEL / 2) + stats.norm.isf(0.1)


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_same_statistics_find_nothing_where_nothing_is_planted(truth):
    found = sum(NULL[truth](life(seed, 0.15, null=True)) < LEVEL for seed in range(10))
    assert found <= 3  # of ten at five per cent: four or more once in a thousand


@pytest.mark.slow
@pytest.mark.parametrize("null", [False, True])
def test_power_and_false_alarms_over_two_hundred_companies(null):
    counts = dict.fromkeys(TRUTHS, 0)
    for seed in range(1000, 1200):
        w = life.__wrapped__(seed, 0.35 if null else 1.0, null)
        for truth in TRUTHS:
            counts[truth] += (NULL if null else POWER)[truth](w) < LEVEL
    limit = 200 * LEVEL + 3 * np.sqrt(200 * LEVEL * (1 - LEVEL))
    wrong = {truth: n for truth, n in counts.items() if (n > limit if null else n < 180)}
    assert not wrong


def log_rate_ratio(w: World, inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
    unit, months = w.orders.unit[failed(w)], exposure(w).months
    count = inside[unit].sum(), outside[unit].sum()
    ratio = count[0] / months[inside].sum() / (count[1] / months[outside].sum())
    return float(np.log(ratio)), float(np.sqrt(1 / count[0] + 1 / count[1]))


def batch_effect(w: World) -> tuple[float, float]:
    of_model = w.units.product == w.planted.bad_batch_product
    return log_rate_ratio(w, w.units.bad_batch, of_model & ~w.units.bad_batch)


def supplier_effect(w: World) -> tuple[float, float]:
    of_supplier = w.units.supplier == w.planted.bad_supplier_index
    return log_rate_ratio(w, of_supplier & ~w.units.bad_batch, ~of_supplier & ~w.units.bad_batch)


def slow_effect(w: World) -> tuple[float, float]:
    return churn_contrast(w, w.experience.slow_complaint, w.experience.repeat_repair)


def repeat_effect(w: World) -> tuple[float, float]:
    return churn_contrast(w, w.experience.repeat_repair, w.experience.slow_complaint)


@cache
def prompt(seed: int) -> World:
    """Every truth but late reports, which hide some recent failures from every estimate."""
    return life(seed, 0.5, null=True, kept=frozenset(TRUTHS) - {"late_claims"})


def batch_ratio(w: World) -> float:
    """The batch adds twice the base rate, the supplier four tenths of it: ratio of a bad to a good lot of the same suppliers."""
    of_model = w.units.product == w.planted.bad_batch_product
    share = (w.units.supplier[of_model] == w.planted.bad_supplier_index).mean()
    return float((3.0 + 0.4 * share) / (1.0 + 0.4 * share))


@pytest.mark.parametrize(
    ("estimate", "size"),
    [
        (batch_effect, batch_ratio),
        (supplier_effect, lambda w: 1.4),
        (slow_effect, lambda w: 2.0),
        (repeat_effect, lambda w: 1.5),
        (hours_effect, lambda w: 0.8),
        (freight_effect, lambda w: 1.0),
    ],
)
def test_each_effect_has_the_size_written_in_the_answer_sheet(estimate, size):
    # The squared distances in standard errors are chi-squared if the planted size is the true one.
    found = [(*estimate(prompt(seed)), np.log(size(prompt(seed)))) for seed in range(3)]
    distances = [(value - truth) / error for value, error, truth in found]
    assert stats.chi2.sf(np.sum(np.square(distances)), len(distances)) > 0.001


@pytest.mark.parametrize(("component", "shape"), [(COMPRESSOR, 2.2), (CONTROL_BOARD, 0.65)])
def test_weibull_shapes_come_back(component, shape):
    shapes = [shape_fit(prompt(seed), component)[0] for seed in range(3)]
    assert np.mean(shapes) == pytest.approx(shape, rel=0.06)


def complained(w: World) -> np.ndarray:
    """First complaint of each customer, however it was handled, from when its handling is known."""
    asked = w.orders.kind == COMPLAINT
    return first_time(w.customers.size, w.orders.customer[asked], w.orders.opened[asked] + LANDMARK_DAYS)


def pooled(estimates: list[tuple[float, float]]) -> float:
    """Distance from no effect of the inverse-variance mean, in standard errors."""
    weights = np.array([1 / error**2 for _, error in estimates])
    return float((weights * [value for value, _ in estimates]).sum() / np.sqrt(weights.sum()))


def test_customer_tier_confounds_slow_handling_and_loss():
    # Nothing but the tier at work. Among customers who complained the naive comparison finds an effect of slow handling; within tiers there is none.
    worlds = [life(seed, 0.7, null=True, kept=frozenset({"tier_confounding"})) for seed in range(3)]
    slow = [(w, w.experience.slow_complaint, w.experience.repeat_repair) for w in worlds]
    assert pooled([churn_contrast(*who, by_tier=False, since=complained(who[0])) for who in slow]) > 3
    assert abs(pooled([churn_contrast(*who, since=complained(who[0])) for who in slow])) < 3


# --- the mixing distributions of customers ------------------------------------------------------------------------------


def likelihood_ratio_p_value(
    log_likelihood: Callable[[np.ndarray], float], truth: tuple[float, ...]
) -> float:
    """Is the planted parameter vector as likely as the best one, allowing for its dimension? Searched on the logarithmic scale."""
    start = np.log(truth)
    best = optimize.minimize(
        lambda x: -log_likelihood(np.exp(x)), start, method="Nelder-Mead", options={"maxiter": 400}
    )
    return float(stats.chi2.sf(2 * (-best.fun - log_likelihood(np.asarray(truth))), len(truth)))


@cache
def loyal(seed: int) -> World:
    """Purchases and contracts that service does not touch."""
    return life(seed, scale=0.15, null=True, kept=frozenset({"tier_confounding"}))


@pytest.mark.parametrize("kind", ["b2b", "b2c"])
def test_purchases_follow_the_planted_bg_nbd(kind):
    """Log-likelihood: Fader, Hardie and Lee (2005), Marketing Science 24(2), equation 6."""
    w = loyal(3)
    members = w.customers.business == (kind == "b2b")
    bought = w.purchases
    x = (np.bincount(bought.customer, minlength=members.size) - 1)[members]
    last = np.zeros(members.size)
    np.maximum.at(last, bought.customer, bought.time)
    recency = (last - w.customers.acquired)[members] / DAYS_PER_WEEK
    age = (w.timeline.end - w.customers.acquired)[members] / DAYS_PER_WEEK

    def log_likelihood(parameters: np.ndarray) -> float:
        r, alpha, a, b = parameters
        common = special.gammaln(r + x) - special.gammaln(r) + r * np.log(alpha)
        common += special.betaln(a, b + x) - special.betaln(a, b)
        alive = -(r + x) * np.log(alpha + age)
        gone = np.log(a / (b + np.maximum(x, 1) - 1)) - (r + x) * np.log(alpha + recency)
        return float((common + np.where(x > 0, np.logaddexp(alive, gone), alive)).sum())

    assert likelihood_ratio_p_value(log_likelihood, tuple(customers.BTYD[kind][:4])) > 0.001


@pytest.mark.parametrize("kind", ["b2b", "b2c"])
def test_spend_follows_the_planted_gamma_gamma(kind):
    """Density of the mean of x purchases: Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value, equation 1a."""
    w = loyal(4)
    members = w.customers.business == (kind == "b2b")
    x = np.bincount(w.purchases.customer, minlength=members.size)[members]
    mean = np.bincount(w.purchases.customer, weights=w.purchases.spend, minlength=members.size)[members] / x

    def log_likelihood(parameters: np.ndarray) -> float:
        p, q, v = parameters
        constant = special.gammaln(p * x + q) - special.gammaln(p * x) - special.gammaln(q)
        shape = (
            q * np.log(v)
            + (p * x - 1) * np.log(mean)
            + p * x * np.log(x)
            - (p * x + q) * np.log(x * mean + v)
        )
        return float((constant + shape).sum())

    assert likelihood_ratio_p_value(log_likelihood, tuple(customers.BTYD[kind][4:])) > 0.001


def test_renewals_follow_the_planted_shifted_beta_geometric():
    """Fader and Hardie (2007), Journal of Interactive Marketing 21(1): P(T = t) = B(a + 1, b + t - 1) / B(a, b), S(t) = B(a, b + t) / B(a, b)."""
    w = loyal(5)
    members = (w.customers.contract_kind == MAINTENANCE_CONTRACT) & (w.loyalty.starts < w.timeline.end)
    kept, lost = w.loyalty.renewals[members], np.isfinite(w.loyalty.churned[members])

    def log_likelihood(parameters: np.ndarray) -> float:
        a, b = parameters
        return float((special.betaln(a + lost, b + kept) - special.betaln(a, b)).sum())

    assert likelihood_ratio_p_value(log_likelihood, (loyalty.SBG_ALPHA, loyalty.SBG_BETA)) > 0.001


def test_bad_experience_takes_three_purchases_in_ten():
    # The thinning itself, read off the two companies that differ by nothing else.
    with_it = life(2, 0.35, null=True, kept=frozenset({"service_hurts_repurchase"}))
    without = life(2, 0.35, null=True)
    since = without.experience.first
    after = int((without.purchases.time > since[without.purchases.customer]).sum())
    stays = int((with_it.purchases.time > since[with_it.purchases.customer]).sum())
    assert stats.binomtest(stays, after, 0.7).pvalue > 0.001
    assert with_it.purchases.size == without.purchases.size - (after - stays)


def test_true_satisfaction_is_lower_than_the_answers_say():
    w = life(0)
    csat = w.surveys.kind == 0
    answered = ~np.isnan(w.surveys.score)
    true_share = (w.surveys.mood[csat] >= 3).mean()
    shown_share = (w.surveys.score[csat & answered] >= 4).mean()
    assert shown_share > true_share + 0.05


def test_the_bad_batch_is_a_batch_and_not_a_region():
    w = life(0)
    bad, region = w.units.bad_batch, w.planted.bad_batch_region
    assert 200 < bad.sum() < 600
    assert 0.6 < (w.units.region[bad] == region).mean() < 0.8  # at least a fifth went elsewhere
    others = (w.units.region == region) & ~bad & (w.units.product == w.planted.bad_batch_product)
    elsewhere = (w.units.region != region) & ~bad & (w.units.product == w.planted.bad_batch_product)
    assert others.sum() > 10 * bad.sum()
    assert rate_p_value(w, others, elsewhere) > 0.01  # other lots in that region are as good as anywhere
