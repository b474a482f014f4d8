"""What the retention section says depends on what the data hold: each branch of each sentence, and sizes that matter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.exhibits import charts
from analysis.exhibits import retention as exhibits
from analysis.exhibits import retention_risk as risk
from analysis.exhibits import retention_service as service
from analysis.exhibits import retention_tenure as tenure
from analysis.exhibits.charts import Item, dot_interval
from analysis.exhibits.record import Block
from analysis.exhibits.retention import rates_table
from analysis.exhibits.retention_risk import _may_swap, _tenth_title
from analysis.exhibits.retention_service import _chain_title
from analysis.exhibits.retention_tenure import _reason_title, _year_title
from analysis.exhibits.style import Drawing
from analysis.formats import month_text
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.retention import RetentionStudy
from analysis.retention.chain import Link
from analysis.retention.components_facts import ChurnBasis
from analysis.retention.findings import _calibrated, _leaving, _threshold, findings, shown, weight
from analysis.retention.scores import level_limits
from analysis.retention.scores_facts import EarlyWarning

Tenth = tuple[StudyInputs, RetentionStudy]


def between(fact: Fact, value: float, low: float, high: float) -> Fact:
    """The same fact with another value and interval."""
    return replace(fact, value=value, interval=Interval(low=low, high=high, level=0.95, method="test"))


@pytest.fixture
def share(tenth: Tenth) -> Fact:
    assert isinstance(tenth[1].contractual, ChurnBasis)
    return tenth[1].contractual.year.gross_churn


# -- the limit of churn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "low", "net", "says", "severity"),
    [
        ([0.08, 0.09, 0.12], 0.11, -0.06, "crossed its limit of 10.0% in October 2026", "alert"),
        ([0.08, 0.12, 0.12], 0.11, -0.06, "crossed its limit of 10.0% in September 2026", "alert"),
        ([0.12, 0.09, 0.12], 0.11, -0.06, "crossed its limit of 10.0% in October 2026", "alert"),
        ([0.13, 0.12, 0.12], 0.11, -0.06, "as in every month since August 2026", "alert"),
        ([0.12], 0.11, -0.06, "lies above its limit of 10.0%: ", "alert"),
        ([0.08, 0.09, 0.12], 0.09, -0.06, "this could be noise", "watch"),
    ],
)
@pytest.mark.parametrize("hidden", [True, False])
def test_a_limit_was_crossed_only_where_it_was_kept_before(
    tenth: Tenth,
    share: Fact,
    history: Sequence[float],
    low: float,
    net: float,
    says: str,
    severity: str,
    hidden: bool,
):
    basis = tenth[1].contractual
    assert isinstance(basis, ChurnBasis)
    months = [Month(2026, 10) - back for back in range(len(history))][::-1]
    loss = replace(basis.year.net_loss, value=net if hidden else 0.115)
    parts = replace(
        tenth[1],
        contractual=replace(
            basis,
            year=replace(basis.year, gross_churn=between(share, 0.12, low, 0.13), net_loss=loss),
            history=tuple(
                (month, replace(share, value=rate)) for month, rate in zip(months, history, strict=True)
            ),
        ),
    )
    [found] = _threshold(parts)
    text = found.statement.plain()
    assert says in text and found.severity == severity
    assert ("does not show it" in text) == (hidden and severity == "alert")


# -- sizes that matter ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "low", "high", "size"),
    [
        (0.10, 0.05, 0.15, "matters"),
        (-0.10, -0.15, -0.05, "matters"),
        (0.10, 0.01, 0.19, "may_matter"),
        (0.10, -0.01, 0.21, "may_matter"),
        (0.02, 0.02, 0.02, "matters"),
        (0.005, 0.004, 0.006, "trifle"),  # twenty times the rows: certain, and still a trifle
        (0.019, 0.005, 0.033, "trifle"),
    ],
)
def test_an_effect_is_held_against_the_smallest_that_matters(
    share: Fact, value: float, low: float, high: float, size: str
):
    assert weight(between(share, value, low, high), 0.02) == size


def test_what_is_not_known_is_no_finding(share: Fact):
    assert weight(replace(share, value=None, interval=None, reason=Text.same("nobody")), 0.02) == "trifle"


@pytest.mark.parametrize(
    ("difference", "money", "severity"),
    [
        ((0.10, 0.05, 0.15), 1e9, "watch"),  # no hidden cause was held against it: never an alert
        ((0.10, 0.01, 0.19), 1e9, "watch"),
        ((0.10, 0.05, 0.15), 1.0, "info"),
        ((0.006, 0.005, 0.007), 1e9, None),
    ],
)
def test_service_findings_follow_points_and_money(
    tenth: Tenth,
    monkeypatch: pytest.MonkeyPatch,
    difference: tuple[float, float, float],
    money: float,
    severity: str | None,
):
    from analysis.retention import findings as module

    inputs, study = tenth
    assert not isinstance(study.drivers, NotDone)
    ratio, place = study.drivers.ratios["slow", "total"], study.drivers.differences["slow"]
    held = between(study.drivers.stakes.get("slow") or place, money, money * 0.9, money * 1.1)
    changed = replace(
        study.drivers,
        ratios=study.drivers.ratios | {("slow", "total"): between(ratio, 1.06, 1.03, 1.09)},  # type: ignore[operator]
        differences=study.drivers.differences | {"slow": between(place, *difference)},  # type: ignore[operator]
        stakes={"slow": held},
    )
    monkeypatch.setattr(module, "adjusted_p_values", lambda _: {"experience.slow": 1e-9})
    made = {one.id: one for one in findings(inputs, replace(study, drivers=changed))}
    found = made.get("retention.slow")
    assert (found and found.severity) == severity
    if found is not None:
        assert "Margin that goes with it" in found.statement.plain()


# -- the score ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("all_of", "riskiest", "outcome", "missed"),
    [
        ((0.075, 0.071, 0.080, 0.074), (0.150, 0.131, 0.170, 0.148), "passed", ""),
        ((0.075, 0.071, 0.080, 0.074), (0.171, 0.152, 0.192, 0.148), "failed", "of the riskiest tenth"),
        ((0.095, 0.091, 0.099, 0.074), (0.150, 0.131, 0.170, 0.148), "failed", "of all customers"),
        ((0.095, 0.091, 0.099, 0.074), (0.171, 0.152, 0.192, 0.148), "failed", "by more than chance"),
        # sure, and small
        ((0.075, 0.0745, 0.0755, 0.074), (0.150, 0.131, 0.170, 0.148), "info", "of all customers"),
        # too many expected
        ((0.060, 0.056, 0.064, 0.074), (0.150, 0.131, 0.170, 0.148), "failed", "of all customers"),
    ],
)
def test_the_score_is_judged_where_it_is_used(
    tenth: Tenth, all_of: tuple[float, ...], riskiest: tuple[float, ...], outcome: str, missed: str
):
    found = tenth[1].early_warning
    assert isinstance(found, EarlyWarning)
    changed = replace(
        found,
        base_rate=between(found.base_rate, *all_of[:3]),
        expected_rate=replace(found.expected_rate, value=all_of[3]),
        observed=(*found.observed[:-1], between(found.observed[-1], *riskiest[:3])),
        expected=(*found.expected[:-1], replace(found.expected[-1], value=riskiest[3])),
    )
    [check] = _calibrated(replace(tenth[1], early_warning=changed))
    assert check.outcome == outcome
    text = check.sentence.plain()
    assert f"{all_of[0]:.1%}" in text and f"{riskiest[0]:.1%}" in text
    # only the part that was missed is said to have been
    assert text.startswith(f"The score's level missed what came {missed}" if missed else "The score expected")
    assert ("chance explains the difference" in text) == missed.startswith("of ")


@pytest.mark.parametrize(
    ("expected", "says"), [(0.16, "were expected"), (0.14, "more than the"), (0.20, "fewer than the")]
)
def test_the_title_of_the_tenths_says_what_chance_explains(share: Fact, expected: float, says: str):
    observed, rate = between(share, 0.171, 0.152, 0.192), replace(share, value=expected, interval=None)
    assert says in _tenth_title(observed, rate, {"observed": observed, "expected": rate}).plain()


def test_the_level_of_a_score_carries_what_it_missed():
    score = np.full(1000, 0.1)
    right, low = (
        pd.DataFrame(
            {"customer_id": np.arange(1000), "score": score, "lost": (np.arange(1000) < lost).astype(float)}
        )
        for lost in (100, 200)
    )
    # normal: 100 came of 100 expected, with a standard error of the root of 100 · 0.81 + 900 · 0.01
    reach = 1.959964 * np.sqrt(100 * 0.81 + 900 * 0.01) / 100
    assert level_limits(right, level=0.95) == pytest.approx((1 - reach, 1 + reach), rel=1e-6)
    # twice as many came: the limits reach up to that and still hold the score as it stands
    under, over = level_limits(low, level=0.95)
    assert under == 1.0 and over > 2.0
    weights = pd.Series(np.where(np.arange(1000) < 200, 5.0, 1.0))
    assert level_limits(low, weights, level=0.95)[1] > over  # those lost are worth more
    # the same customers told twice say no more than once: their misses add up before they are squared
    twice = pd.concat([right, right], ignore_index=True)
    assert level_limits(twice, level=0.95) == pytest.approx((1 - reach, 1 + reach), rel=1e-6)


def test_every_number_that_stands_on_the_score_has_limits(tenth: Tenth):
    found = tenth[1].early_warning
    assert isinstance(found, EarlyWarning)
    facts = [found.expected_losses, found.margin, found.margin_called]
    facts += [fact for call in found.first_calls for fact in (call.chance, call.margin)]
    for fact in facts:
        assert fact.interval is not None and fact.interval.low <= float(fact.value or 0) <= fact.interval.high
    assert all(call.chance.interval.high <= 1 for call in found.first_calls if call.chance.interval)


# -- titles ---------------------------------------------------------------------------------------------------------------


def test_a_group_is_named_only_where_its_interval_stands_apart(share: Fact):
    most = between(share, 0.9, 0.85, 0.95)
    for least, named in ((between(share, 0.7, 0.6, 0.8), True), (between(share, 0.84, 0.78, 0.9), False)):
        values = {"most": most, "least": least, "best": Text.same("A"), "worst": Text.same("B")}
        title, alt = _year_title(most, least, values)
        assert ("last a year: A " in title.plain()) == named and ("is not settled" in title.plain()) != named
        assert alt.plain()


def test_a_reason_is_the_largest_only_where_the_next_is_less(share: Fact):
    first = ("price", Text.same("Price"), ((36, between(share, 0.2, 0.18, 0.22)),))
    for second, alone in ((between(share, 0.1, 0.08, 0.12), True), (between(share, 0.19, 0.17, 0.21), False)):
        shown = [first, ("service", Text.same("Service"), ((36, second),))]
        values = {"reason": first[1], "share": first[2][-1][1], "months": "36"}
        text = _reason_title(shown, values).plain()
        assert ("takes most" in text) == alone and ("is not settled" in text) != alone
        assert "equal" not in text


@pytest.mark.parametrize(
    ("strengths", "says"),
    [
        ([], "No link"),
        ([(2.0, 1.8, 2.2)], "One link holds"),
        ([(2.0, 1.8, 2.2), (1.4, 1.2, 1.6)], "The strongest link"),
        ([(2.0, 1.8, 2.2), (1.9, 1.7, 2.1)], "Links that hold"),
    ],
)
def test_the_strongest_link_is_named_only_where_it_is(
    share: Fact, strengths: list[tuple[float, float, float]], says: str
):
    links = [
        Link(
            id=str(place),
            label=Text.same(f"L{place}"),
            strength=between(share, *one),
            p_value=0.0,
            verdict="holds",
        )
        for place, one in enumerate(strengths)
    ]
    assert _chain_title(links).plain().startswith(says)


def test_every_number_of_lost_customers_says_by_which_rule(tenth: tuple[StudyInputs, RetentionStudy]):
    """Contracts that ended, buyers silent beyond the window, the value models' gone: three counts, never one name."""
    from analysis.metrics import Registry

    registry = Registry.load()
    for language in ("en", "zh"):
        names = [
            registry.value_label("movement", "lost")[language],
            registry.value_label("step", "lost")[language],
            registry["observed_losses"].name[language],
            registry["expected_losses"].name[language],
        ]
        assert len(set(names)) == 4
    _, study = tenth
    table = exhibits.components_table(study).payload
    assert "customers under contract were lost" in "".join(part["t"] for part in table["title"]["en"])
    assert "位合同客户流失" in "".join(part["t"] for part in table["title"]["zh"])
    rows = [row["cells"][0]["text"]["en"] for row in table["rows"]]
    assert "Lost: contract ended, or silent beyond the window" in rows
    heads = [column["label"]["en"] for column in risk.rounds_table(study).payload["columns"]]
    assert "Lost under contract" in heads and "Lost" not in heads


# -- ranks, verdicts and windows ------------------------------------------------------------------------------------------


def test_neighbours_of_a_ranking_may_change_places_only_where_their_intervals_overlap(share: Fact):
    apart = [between(share, 0.3, 0.28, 0.32), between(share, 0.2, 0.18, 0.22)]
    assert not _may_swap(apart) and not _may_swap(apart[:1]) and not _may_swap([None, *apart[:1]])
    assert _may_swap([*apart, between(share, 0.19, 0.17, 0.21)])


def subtitle(block: Block | None) -> str:
    assert block is not None and not block.payload["untranslated"]
    return "".join(piece["t"] for piece in block.payload["subtitle"]["en"])


@pytest.mark.parametrize("overlap", [True, False])
def test_a_call_list_says_what_chance_leaves_of_its_order_and_how_to_read_its_intervals(
    tenth: Tenth, overlap: bool
):
    study = tenth[1]
    warning = study.early_warning
    assert isinstance(warning, EarlyWarning) and len(warning.first_calls) > 1
    width = 0.2 if overlap else 0.001
    calls = tuple(
        replace(
            call,
            chance=between(call.chance, 0.5 - place / 10, 0.5 - place / 10 - width, 0.5 - place / 10 + width),
        )
        for place, call in enumerate(warning.first_calls)
    )
    said = subtitle(risk.calls_table(replace(study, early_warning=replace(warning, first_calls=calls))))
    assert ("could change places" in said) == overlap and "begin or end at the score" in said


def test_a_chance_of_loss_says_within_which_time_and_between_which_limits(tenth: Tenth):
    study = tenth[1]
    assert isinstance(study.early_warning, EarlyWarning)
    for block in (risk.calls_table(study), risk.due_table(study), risk.largest_accounts_table(study)):
        assert block is not None
        heads = {column["key"]: column["label"]["en"] for column in block.payload["columns"]}
        assert heads["chance"] == f"Chance of loss within {study.early_warning.horizon} months"
        assert "chance_interval" in heads


def test_colours_follow_the_verdict_after_all_tests_are_allowed_for(
    tenth: Tenth, monkeypatch: pytest.MonkeyPatch
):
    drawn: list[Item] = []

    def kept(items: Sequence[Item], **options: object) -> Drawing:
        drawn[:] = items
        return dot_interval(items, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(charts, "dot_interval", kept)
    for sure, orange in ((frozenset({"experience.slow"}), 1), (frozenset({"segment"}), 0)):
        block = service.drivers_figure(replace(tenth[1], sure=sure))
        assert [item.role for item in drawn].count("focus") == orange
        assert "Holm" in subtitle(block)
    links = tenth[1].chain
    assert not isinstance(links, NotDone)
    for verdict, role in (("holds", "focus"), ("reversed", "bad"), ("not_shown", "context")):
        changed = replace(links, links=tuple(replace(link, verdict=verdict) for link in links.links))
        block = service.chain_figure(replace(tenth[1], chain=changed))
        assert {item.role for item in drawn} == {role}
        assert f"Verdicts allow for {len(links.links)} links" in subtitle(block)


def test_what_is_shown_is_what_the_findings_go_by(tenth: Tenth):
    inputs, study = tenth
    assert study.sure == shown(inputs, study)
    service_findings = {one.subject["exposure"] for one in study.findings if "exposure" in one.subject}
    assert {f"experience.{name}" for name in service_findings} <= study.sure


def test_tiles_of_accounts_and_revenue_say_their_period(tenth: Tenth):
    for block in (exhibits.headline_tiles(tenth[1]), risk.accounts_tiles(tenth[1])):
        labels = [tile["label"]["en"] for tile in block.payload["tiles"]]
        assert all(re.search(r"\d+ months|October 2026", label) for label in labels), labels


def test_the_cohort_chart_says_which_cohorts_it_draws(tenth: Tenth):
    block = tenure.cohort_curves(tenth[1])
    assert block is not None
    names = [
        column["label"]["en"]
        for column in block.payload["data"]["columns"]
        if re.fullmatch(r"c\d+", column["key"])
    ]
    assert names and all(name in subtitle(block) for name in names)


def test_churn_by_the_model_has_its_interval_its_base_and_its_name(tenth: Tenth):
    _, study = tenth
    assert isinstance(study.model_churn, Fact) and study.model_churn.interval and study.model_churn.n
    block = rates_table(study)
    assert block is not None
    shown = str(block.payload)
    low, high = study.model_churn.interval.low, study.model_churn.interval.high
    line = next(row for row in block.payload["rows"] if "MBG/NBD" in str(row))
    assert f"{100 * low:.1f}" in str(line) and f"{100 * high:.1f}" in str(line)
    assert f"{study.model_churn.n:,}" in shown and "by the purchase model" not in shown


def in_full(sentence: dict[str, list[dict[str, str]]], language: str = "en") -> str:
    return "".join(piece["t"] for piece in sentence[language])


def test_two_rates_of_two_groups_are_printed_with_the_number_of_each(tenth: Tenth):
    _, study = tenth
    block = rates_table(study)
    assert block is not None and isinstance(study.model_churn, Fact)
    assert isinstance(study.non_contractual, ChurnBasis)
    for language in ("en", "zh"):
        said = in_full(block.payload["title"], language)
        assert f"{study.non_contractual.year.gross_churn.denominator:,}" in said
        assert f"{study.model_churn.n:,}" in said


def test_a_list_says_how_many_of_how_many_it_shows(tenth: Tenth):
    _, study = tenth
    assert not isinstance(study.accounts, NotDone) and isinstance(study.early_warning, EarlyWarning)
    said = {
        "due": (risk.due_table(study), len(study.accounts.due), study.accounts.due_number.value),
        "accounts": (
            risk.largest_accounts_table(study),
            len(study.accounts.largest),
            study.accounts.number.value,
        ),
        "calls": (
            risk.calls_table(study),
            len(study.early_warning.first_calls),
            len(study.early_warning.calls),
        ),
    }
    for block, rows, whole in said.values():
        assert block is not None and len(block.payload["rows"]) == rows
        for language in ("en", "zh"):
            words = in_full(block.payload["subtitle"], language)
            assert f"{rows}" in words and f"{whole:,}" in words


def test_accounts_up_for_renewal_are_called_business_customers(tenth: Tenth):
    _, study = tenth
    due = risk.due_table(study)
    assert due is not None and in_full(due.payload["title"]).startswith("Business customers up for renewal")
    heads = [one["label"]["en"] for one in risk.accounts_tiles(study).payload["tiles"]]
    assert heads[-1].startswith("Business customers up for renewal within")


def test_the_reference_segment_of_the_finding_is_the_one_with_the_most_customers(tenth: Tenth):
    inputs, study = tenth
    assert not isinstance(study.survival, NotDone)
    first, second, *_ = study.survival.by["segment"]
    assert first.difference is None and second.difference is not None
    far = between(second.difference, 9.0, 8.0, 10.0)
    by = {**study.survival.by, "segment": (first, replace(second, difference=far))}
    sure = replace(study.survival, by=by, p_values={**study.survival.p_values, "segment": 1e-9})
    (found,) = [
        one for one in findings(inputs, replace(study, survival=sure)) if one.id == "retention.segments"
    ]
    assert f"against {first.label.en} customers, the segment with the most customers" in str(found.statement)
    assert f"客户数最多的等级（{first.label.zh}）" in found.statement.plain("zh")


def test_the_rows_behind_who_left_are_of_those_who_left(tenth: Tenth):
    inputs, study = tenth
    after = study.loss_after_repair
    assert not isinstance(after, NotDone)
    lines = tuple(replace(one, difference=between(one.difference, 0.2, 0.1, 0.3)) for one in after)
    sure = frozenset(f"leaving.{one.arm}" for one in lines)
    found = _leaving(inputs, replace(study, loss_after_repair=lines), sure)  # type: ignore[type-var, arg-type]
    assert len(found) == len(lines)
    for finding, line in zip(found, lines, strict=True):
        rows = finding.evidence
        assert rows is not None and not any("bought" in name for name in rows.columns)
        assert int(rows["left"].sum()) == line.served.numerator
        assert f"since {month_text(line.span['first'], 'en')}" in str(finding.statement)


def unknown(fact: Fact) -> Fact:
    return replace(fact, value=None, interval=None, reason=Text.same("-"))


def test_a_comparison_with_nobody_on_the_other_side_is_left_out(tenth: tuple[StudyInputs, RetentionStudy]):
    """Served customers without a match, and the good answer without the bad ones, are no comparison: the part says why it is not there."""
    study = tenth[1]
    assert not isinstance(study.repurchase, NotDone) and not isinstance(study.drivers, NotDone)
    lonely = tuple(replace(one, matched=unknown(one.matched)) for one in study.repurchase)
    for block in (
        service.repurchase_table(replace(study, repurchase=lonely)),
        service.leaving_table(replace(study, loss_after_repair=lonely)),
    ):
        assert (
            block.payload["instead_of"]["why"]["en"] == "too few customers have a match to be compared with"
        )
    prompt = {key: ratio for key, ratio in study.drivers.ratios.items() if key[0] == "prompt"}
    none = {key: unknown(ratio) for key, ratio in study.drivers.ratios.items()}
    alone = replace(study, drivers=replace(study.drivers, ratios=none | prompt))
    assert "instead_of" in service.drivers_figure(alone).payload
    assert "instead_of" not in service.drivers_figure(study).payload
