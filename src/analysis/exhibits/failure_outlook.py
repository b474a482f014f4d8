"""Exhibits of what is to come: failures by month, what remaining warranty will cost, parts to hold."""

from __future__ import annotations

from analysis.exhibits.failure_shared import or_nothing, or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import estimate, interval, label, metric, table_of, words
from analysis.exhibits.statements import not_computed
from analysis.failures.forecasting_facts import RUN_OFF
from analysis.failures.result import FailureStudy
from analysis.locale import Text
from analysis.metrics import NotDone, Period
from analysis.results import Sentence, Value


@or_said
def forecast_figure(study: FailureStudy) -> Block:
    """Failures by month and those to come."""
    from analysis.exhibits.charts import Series, fan

    outlook = study.forecast
    if isinstance(outlook, NotDone):
        return not_computed(outlook, id="failures.forecast", what=Text.of("Failures to come"))
    values: dict[str, Value] = {
        "total": outlook.total,
        "first": outlook.months[0][0],
        "last": outlook.months[-1][0],
    }
    return figure(
        "failures.forecast",
        title=Sentence("{total} are expected from {first} to {last} ({total:interval})", values),
        subtitle=Sentence(
            "Confirmed failures per month: history completed for reports still to come, then the forecast with its prediction interval at {total:level}; the number at its end is {last}"
            if study.rates.late
            else "Confirmed failures per month, then the forecast with its prediction interval at {total:level}; the number at its end is {last}",
            values,
        ),
        foot=source(study),
        alt=Sentence("Failures per month and the forecast from {first} to {last}, {total} in all.", values),
        draw=fan(
            Series(name=Text.of("Actual"), points=list(outlook.history), role="actual"),
            Series(name=Text.of("Forecast"), points=list(outlook.months), role="focus"),
            measure=Text.of("Failures per month"),
        ),
    )


@or_nothing
def obligation_table(study: FailureStudy) -> Block | None:
    """What remaining warranty is expected to cost, beside the provision."""
    outlook = study.forecast
    if not outlook or not outlook.obligations:
        return None
    return table_of(
        "failures.obligation",
        title=Sentence(
            "Machines shipped so far are expected to cost {cost}{cost:doubt} until their warranties end"
            if outlook.obligation.value is not None
            else "{failures}{failures:doubt} are expected of machines shipped so far until their warranties end",
            {"cost": outlook.obligation, "failures": outlook.obligation_failures},
        ),
        subtitle=Sentence(
            "Not discounted. Direct cost is what is posted to the service orders of failures, labour apart; with labour: the hours of own staff on them as well. The provision also pays claims without a failure (returns, exchanges, visits without a fault): it is held against all its claims in the section on cost"
        ),
        rows=outlook.obligations,
        by=("product_line",),
        columns=[
            label("product_line", key="line"),
            estimate(
                "failure_forecast",
                of="failures",
                key="count",
                head="Failures under warranty",
                places=0,
                slice=RUN_OFF,
            ),
            metric("warranty_obligation", of="cost", head="Expected direct cost"),
            interval("warranty_obligation", of="cost"),
            metric("warranty_full_obligation", of="full", head="With labour"),
            interval("warranty_full_obligation", of="full", key="full_interval"),
            metric("provision_balance", of="provision", head="Provision"),
        ],
        total={
            "failures": outlook.obligation_failures,
            "cost": outlook.obligation,
            "full": outlook.full_obligation,
            "provision": outlook.provision,
        },
        total_head="All",
        note=source(study),
    )


@or_nothing
def parts_table(study: FailureStudy) -> Block | None:
    """Spare parts for the next three months."""
    parts = study.spare_parts
    if isinstance(parts, NotDone):
        return not_computed(parts, id="failures.parts", what=Text.of("Spare parts for the next three months"))
    if not parts:
        return None
    ahead = Period.parse(parts[0].demand.period)
    return table_of(
        "failures.parts",
        title=Sentence(
            "Spare parts for {first} to {last}, in pieces", {"first": ahead.first, "last": ahead.last}
        ),
        subtitle=Sentence(
            "Expected failures by component times parts used per failure. Parts by their number in the data, which hold no name of them"
        ),
        rows=parts,
        by=("part_no",),
        columns=[
            words("part", "Part", context="machine"),
            words("used_for", "Used for", wide=True),
            metric("part_demand", of="demand", head="Expected demand", places=0),
            interval("part_demand", of="demand", places=0),
            metric("part_stock", of="stock", head="Stock for 95% service", places=0),
        ],
        note=source(study),
    )
