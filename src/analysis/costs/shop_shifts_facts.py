"""A step in what a shop or platform grants per case, from a month on, beside the other shops: as facts and findings.

Money is what was approved on claims for a service order in which anything was; how often something is granted is no part of it. Each shop's
share of the month's money is held against its share of the cases at the company's usual amount for their product line, so that neither more
cases nor dearer lines are a step. A rule that all shops follow moves all of them, and is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.costs.demand_facts import draws_for, group_key, place_of
from analysis.costs.figures import month_texts
from analysis.costs.scan import Field, Flags, Run, scanned, steps
from analysis.costs.signals_facts import false_alarm_level
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, materiality, traced
from analysis.metrics.views import NOT_STATED
from analysis.metrics.views.selection import worded
from analysis.periods import Month, months_between
from analysis.results import Fact, Finding, Interval, Sentence, Stake, Value
from analysis.summaries import Summarised

HISTORY = 36
LEAST_MONTHS = 18
WITHIN = 24  # a step must lie in the last so many months
LEAST_AFTER = 3  # months that it must have lasted
LEAST_CASES = 60  # cases with an amount, of a group and of all others
PLACES = ("shop", "platform")
NEEDED = ("claims.approved", "claims.ticket_id", "tickets.ticket_type")
METHOD = "log-linear share of the month's amounts on the share of cases at the line's usual amount, level and year, the month as known, t"


@dataclass(frozen=True, kw_only=True, eq=False)
class ShopShift(Summarised):
    """A shop or platform and kind of service order whose amount per case stepped in a month: ratio beside the others, and the money since."""

    kind: str
    place: Mapping[str, str]
    name: Text
    period: Period
    cases: Fact
    ratio: Fact
    excess: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class ShopShifts(Summarised):
    """Steps of amounts per case, the strongest first, and how many shops and months were looked at."""

    shifts: tuple[ShopShift, ...]
    tested: Fact
    findings: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Granted:
    """Amounts and cases with one by month, kind, product line and shop."""

    months: tuple[str, ...]
    frame: pd.DataFrame


def grants_by_shop(inputs: StudyInputs) -> bool:
    """Whether claims tell what was granted, and service orders for which shop or platform."""
    has = inputs.engine.tables.has
    return has(*NEEDED) and any(has(f"tickets.{name}") for name in PLACES)


@traced
def shop_shifts_of(inputs: StudyInputs) -> ShopShifts:
    """Which shops' or platforms' amounts per case stepped up or down, and from which month on.

    Raises
    ------
    MissingData
        With too few months, or where no two shops granted enough to be compared.
    """
    granted = _granted(inputs)
    fields = {kind: field for kind in _kinds(granted) if (field := _field(granted, kind)).groups}
    if not fields:
        raise MissingData("claims", message="no two shops can be compared by amounts granted")
    count = len(granted.months)
    runs = [(start, count) for start in range(max(0, count - WITHIN), count - LEAST_AFTER + 1)]
    found = scanned(
        fields,
        runs,
        level=false_alarm_level(inputs),
        confidence=inputs.confidence,
        both=True,
        itself=True,
        draws=draws_for(inputs),
    )
    shifts = tuple(
        _shift(inputs, granted, run) for run in found.found if steps(_beside(fields, found.found, run), run)
    )
    return ShopShifts(
        shifts=shifts,
        tested=Stating(inputs=inputs).exact("shop_shifts_tested", found.runs, period=_span(inputs)),
        findings=tuple(_finding(inputs, granted, one) for one in shifts),
    )


def _span(inputs: StudyInputs) -> Period:
    return Period(inputs.month - (HISTORY - 1), inputs.month)


@traced
def _granted(inputs: StudyInputs) -> _Granted:
    """Service orders of the last 36 months in which anything was granted, by the month they were opened in."""
    inputs.engine.require(*NEEDED)
    names = ("ticket_type", "product_line", *PLACES)
    cut = ", ".join(f"{worded(name)} AS {name}" for name in names)
    frame = inputs.engine.query(
        "WITH granted AS (SELECT ticket_id, sum(approved)::DOUBLE AS amount FROM claims GROUP BY 1 HAVING sum(approved) > 0) "
        f"SELECT month, {cut}, sum(g.amount) AS amount, count(*)::DOUBLE AS cases FROM service JOIN granted g USING (ticket_id) "
        f"WHERE {_span(inputs).condition()} GROUP BY ALL ORDER BY ALL"
    )
    frame = frame.assign(month=month_texts(frame["month"])) if len(frame) else frame
    first = Month.parse(frame["month"].min()) if len(frame) else inputs.month
    months = tuple(str(each) for each in months_between(first, inputs.month))
    if len(months) < LEAST_MONTHS:
        raise MissingData(
            "claims",
            message="{months} months of amounts granted; a search for steps needs {least}",
            months=len(months) if len(frame) else 0,
            least=LEAST_MONTHS,
        )
    return _Granted(months=months, frame=frame)


def _kinds(granted: _Granted) -> list[str]:
    """Kinds of service order with cases enough for two sides."""
    sums = granted.frame.groupby("ticket_type")["cases"].sum()
    return sorted(str(kind) for kind in sums.index[sums >= 2 * LEAST_CASES] if kind != NOT_STATED)


@traced
def _field(granted: _Granted, kind: str) -> Field:
    """Amounts by month and place, and what the same cases would be at the usual amount of their product line."""
    own = granted.frame[granted.frame["ticket_type"] == kind]
    sums = own.groupby("product_line")[["amount", "cases"]].sum()
    usual = own["product_line"].map(sums["amount"] / sums["cases"])
    own = own.assign(base=own["cases"] * usual)
    tables = {
        name: own.pivot_table(
            index="month", columns=list(PLACES), values=name, aggfunc="sum", fill_value=0.0
        ).reindex(list(granted.months), fill_value=0.0)
        for name in ("amount", "base", "cases")
    }
    parts = tables["cases"].columns.to_frame(index=False)
    return Field(
        events=tables["amount"].to_numpy(float),
        base=tables["base"].to_numpy(float),
        groups=_groups(parts, tables["cases"].sum(axis=0).to_numpy(float)),
        counted=False,
        drifts=False,
    )


def _groups(parts: pd.DataFrame, cases: np.ndarray) -> dict[str, Flags]:
    """Shops and platforms with cases enough, own and others'; a platform of one shop is that shop."""
    masks: dict[bytes, tuple[dict[str, str], Flags]] = {}
    for name in PLACES:
        for value in sorted(set(parts[name]) - {NOT_STATED}):
            mask = (parts[name] == value).to_numpy()
            if min(cases[mask].sum(), cases[~mask].sum()) < LEAST_CASES:
                continue
            known = masks.get(mask.tobytes(), ({}, mask))[0]
            masks[mask.tobytes()] = known | {name: str(value)}, mask
    return {group_key(tuple(place.items())): mask for place, mask in masks.values()}


def _beside(fields: Mapping[str, Field], found: tuple[Run, ...], run: Run) -> Field:
    """What a run was found in: the stronger ones before it are taken out."""
    field = fields[run.kind]
    for other in found[: found.index(run)]:
        if other.kind == run.kind:
            field = field.without(other.group, slice(other.start, other.end))
    return field


# -- what is told -----------------------------------------------------------------------------------------------------------


@traced
def _shift(inputs: StudyInputs, granted: _Granted, run: Run) -> ShopShift:
    """A step as facts: cases since, the ratio beside the others, and the money beyond what it was."""
    place = place_of(run.group)
    period = Period(Month.parse(granted.months[run.start]), inputs.month)
    state = Stating(inputs=inputs, period=period)
    slice_of: dict[str, Any] = {"ticket_type": run.kind, **place}
    n = int(_own(granted, slice_of).loc[lambda rows: rows["month"] >= str(period.first), "cases"].sum())
    more, least, most = run.extra
    limits = Interval.spanning(low=least, high=most, level=inputs.confidence, method=METHOD)
    return ShopShift(
        kind=run.kind,
        place=slice_of,
        name=_name(inputs, place),
        period=period,
        cases=state.exact("shop_shift_cases", n, **slice_of),
        ratio=state.between("shop_shift_ratio", run.ratio, run.low, run.high, n=n, method=METHOD, **slice_of),
        excess=state.exact("shop_shift_excess", cents(more), parts={"n": n, "interval": limits}, **slice_of),
    )


def _name(inputs: StudyInputs, place: Mapping[str, str]) -> Text:
    """The shop; a platform of more shops than one by its own name."""
    level = next(name for name in PLACES if name in place)
    return inputs.engine.registry.value_label(level, place[level])


def _own(granted: _Granted, place: Mapping[str, str]) -> pd.DataFrame:
    """The rows of a kind and place."""
    rows = granted.frame
    return rows[np.logical_and.reduce([(rows[name] == value).to_numpy() for name, value in place.items()])]


_ROSE = "{group}, {kind:lower}: the amount granted in a case is {ratio} what it was before {first}, beside the other shops ({ratio:interval}; {cases} until {month}, product lines held equal). That is {excess:signed} since then ({excess:interval}). Ask which rule or price changed there in {first}, and whether it must last."
_FELL = "{group}, {kind:lower}: the amount granted in a case is {ratio} what it was before {first}, beside the other shops ({ratio:interval}; {cases} until {month}, product lines held equal). That is {excess:signed} since then ({excess:interval}). Ask whether the other shops can do the same."


@traced
def _finding(inputs: StudyInputs, granted: _Granted, shift: ShopShift) -> Finding:
    """A fall is good; what made a rise was not asked for."""
    fell = float(shift.ratio.value or 1) < 1
    values: dict[str, Value] = {
        "group": shift.name,
        "kind": inputs.engine.registry.value_label("ticket_type", shift.kind),
        "ratio": shift.ratio,
        "first": shift.period.first,
        "month": shift.period.last,
        "cases": shift.cases,
        "excess": shift.excess,
    }
    return Finding(
        id="costs.shop_shift",
        section="costs",
        severity="good" if fell else materiality(inputs).severity(shift.excess, certain=False),
        ground="good" if fell else "unasked",
        stake=None if fell else Stake.of(shift.excess),
        subject=dict(shift.place),
        statement=Sentence(_FELL if fell else _ROSE, values),
        method="Scan over kinds, shops, platforms and months for a step of the amount per case against all other shops; the largest statistic by Monte Carlo (Kulldorff 1997), named where a step fits better than a straight line, one false alarm in a hundred reports",
        evidence=_rows(granted, shift),
        rank=abs(float(shift.excess.value or 0)),
    )


def _rows(granted: _Granted, shift: ShopShift) -> pd.DataFrame:
    """Amounts and cases of the place and of all others, by month."""
    kind = granted.frame[granted.frame["ticket_type"] == shift.kind]
    own = _own(granted, shift.place).groupby("month")[["amount", "cases"]].sum()
    whole = kind.groupby("month")[["amount", "cases"]].sum()
    table = own.join(whole, how="outer", rsuffix="_all").reindex(list(granted.months)).fillna(0.0)
    others = {f"{name}_others": table[f"{name}_all"] - table[name] for name in ("amount", "cases")}
    return table[["amount", "cases"]].assign(**others).round(2).rename_axis("month").reset_index()
