"""In-house against outsourced: full cost of a ticket of each, where they break even, what volume swings do, and staffing for the peak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.costs.figures import added, money
from analysis.costs.sourcing import (
    BreakEven,
    CostLine,
    break_evens_with_minimum,
    cost_line_from_history,
    peak_staffing,
    sourcing_sensitivity,
    turnover_cost,
)
from analysis.errors import AnalysisError, MissingData, ParameterError
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.results import Fact, Interval
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 24
YEAR = 12
SWINGS = (-0.3, -0.15, 0.0, 0.15, 0.3)
OPTIONS = ("in_house", "outsourced")
MINIMUM = "outsourcing_minimum_tickets"  # an assumption finance may state; none is billed where it does not


@dataclass(frozen=True, kw_only=True, eq=False)
class Component(Summarised):
    """One line of the full cost: the year's amount and its cost a ticket, for both options. ``part`` lines are inside another line."""

    name: Text
    own: Fact
    own_each: Fact
    out: Fact
    out_each: Fact
    role: str = "body"


@dataclass(frozen=True, kw_only=True, eq=False)
class Staffing(Summarised):
    """A size of the permanent team over last year's months of work; what it could not do went to partners."""

    name: Text
    heads: Fact
    own: Fact
    out: Fact
    cost: Fact
    unused: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Swing(Summarised):
    """A month with so much more or fewer tickets than usual, at the cost line of each option."""

    swing: Fact
    own: Fact
    out: Fact
    gap: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Sourcing(Summarised):
    """Both options over the last months."""

    components: tuple[Component, ...]
    break_evens: tuple[Fact, ...]
    minimum: Fact
    usual: Fact
    swings: tuple[Swing, ...]
    staffing: tuple[Staffing, ...]


@traced
def sourcing_of(inputs: StudyInputs) -> Sourcing | MissingData:
    """Field work done by own teams and by partners: full cost, break-even volume, volume swings, staffing for the peak."""
    span = Period(inputs.month - (MONTHS - 1), inputs.month)
    try:
        frame = inputs.engine.query(
            _MONTHS.format(first=literal(span.first.start), end=literal(span.last.end)),
            needs=("staff.sourcing", "staff.team", "tickets.team", "staff.cost", "ledger.ticket_id"),
        )
    except MissingData as missing:
        return missing
    table = frame.pivot_table(
        index="month",
        columns="sourcing",
        values=["tickets", "hours", "pay", "idle", "quality", "paid", "heads"],
        aggfunc="sum",
    )
    if any(("pay", option) not in table.columns for option in OPTIONS) or len(table.dropna()) < YEAR:
        return MissingData(
            "staff.sourcing", message="not computed: needs a year of in-house and outsourced teams"
        )
    table = table.dropna()
    book = _Book(inputs=inputs, table=table.tail(YEAR), months=len(table), span=str(span))
    minimum = book.assumed(MINIMUM)
    if minimum is not None and minimum < 0:
        raise ParameterError(
            f"assumption '{MINIMUM}': {minimum} tickets a month; a contract cannot bill fewer than none."
        )
    try:
        lines = _cost_lines(table, float(minimum or 0))
        evens = break_evens_with_minimum(lines["in_house"], lines["outsourced"], confidence=inputs.confidence)
    except AnalysisError as error:
        return MissingData("staff.sourcing", message=f"not computed: {error}")
    usual = float(book.table[("tickets", "in_house")].mean())
    not_stated = Text(en="not stated", zh="未说明")
    return Sourcing(
        components=_components(book),
        break_evens=tuple(_break_even(book, place, even) for place, even in enumerate(evens)),
        minimum=book.fact(
            "contract_minimum_tickets", minimum, why=None if minimum is not None else not_stated
        ),
        usual=book.fact("in_house_tickets", usual),
        swings=_swings(book, lines, usual),
        staffing=_staffing(book),
    )


@traced
def _cost_lines(table: pd.DataFrame, minimum: float) -> dict[str, CostLine]:
    """The cost line of each option; a contract's line is fitted on the tickets that were billed."""
    lines = {}
    for option in OPTIONS:
        least = minimum if option == "outsourced" else 0.0
        tickets = table[("tickets", option)].clip(lower=least)
        fitted = cost_line_from_history(table[("pay", option)] + table[("quality", option)], tickets)
        lines[option] = replace(fitted, minimum_tickets=least)
    return lines


@traced
def _break_even(book: _Book, place: int, even: BreakEven) -> Fact:
    none = Text(en=f"not computed: {even.reason}", zh="无平衡点：一种方式在任何业务量下都更便宜")
    crossing = {"crossing": str(place + 1)} if place else {}
    why = None if even.tickets is not None else none
    return book.fact("break_even_tickets", even.tickets, interval=even.interval, why=why, **crossing)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Book:
    """The last year by month and option, and how facts of this part are stated."""

    inputs: StudyInputs
    table: pd.DataFrame
    months: int
    span: str

    def fact(
        self,
        metric: str,
        value: Any,
        *,
        interval: Interval | None = None,
        why: Text | None = None,
        **place: str,
    ) -> Fact:
        return self.inputs.engine.stated(
            metric,
            period=self.span,
            value=value,
            dimensions=place,
            interval=interval,
            reason=why,
            n=self.months if interval else None,
        )

    def sum(self, column: str, option: str) -> float:
        return float(self.table[(column, option)].sum())

    def assumed(self, name: str) -> Decimal | None:
        """An assumption of the day; None where finance gave none."""
        try:
            return self.inputs.assumptions.value(name, on=self.inputs.month.last_day)
        except ParameterError:
            return None


# -- full cost ------------------------------------------------------------------------------------------------------------

_FEE = Text(en="in the partner's fee", zh="已含在外包费用中")


@traced
def _components(book: _Book) -> tuple[Component, ...]:
    """Pay or fee, training, turnover, poor quality, and their sum; unused hours are shown inside pay."""
    training, turnover = _training(book), _turnover(book)
    quality = {option: book.sum("quality", option) for option in OPTIONS}
    pay = {option: book.sum("pay", option) for option in OPTIONS}
    whole = {option: pay[option] + quality[option] for option in OPTIONS}
    whole["in_house"] += sum(float(part) for part in (training, turnover) if not isinstance(part, Text))
    return (
        _component(book, "pay", Text(en="Pay, or the partner's fee", zh="薪酬或外包费用"), pay),
        _component(
            book,
            "idle",
            Text(en="of which paid but unused hours", zh="其中：付薪未用工时"),
            {"in_house": book.sum("idle", "in_house"), "outsourced": _FEE},
        ),
        _component(
            book, "training", Text(en="Training", zh="培训"), {"in_house": training, "outsourced": _FEE}
        ),
        _component(
            book,
            "turnover",
            Text(en="Turnover of staff", zh="人员流失"),
            {"in_house": turnover, "outsourced": _FEE},
        ),
        _component(
            book,
            "quality",
            Text(
                en="Poor quality: parts, freight and compensation of rework",
                zh="质量不良：返工的配件、运费与赔偿",
            ),
            quality,
        ),
        _component(book, "total", Text(en="Full cost", zh="全成本"), whole, role="total"),
    )


@traced
def _component(
    book: _Book, key: str, name: Text, amounts: Mapping[str, float | Decimal | Text], role: str = "body"
) -> Component:
    facts = {}
    for option in OPTIONS:
        amount, tickets = amounts[option], book.sum("tickets", option)
        why = amount if isinstance(amount, Text) else None
        facts[option] = (
            book.fact(
                "sourcing_cost",
                None if isinstance(amount, Text) else money(float(amount)),
                why=why,
                sourcing=option,
                component=key,
            ),
            book.fact(
                "sourcing_cost_per_ticket",
                None if isinstance(amount, Text) else money(float(amount) / tickets),
                why=why,
                sourcing=option,
                component=key,
            ),
        )
    (own, own_each), (out, out_each) = facts["in_house"], facts["outsourced"]
    return Component(name=name, own=own, own_each=own_each, out=out, out_each=out_each, role=role)


@traced
def _training(book: _Book) -> float | Text:
    """The year's training pool, shared to own field teams by their heads among all own people."""
    engine, span = book.inputs.engine, Period(book.inputs.month - (YEAR - 1), book.inputs.month)
    try:
        frame = engine.query(
            f"SELECT sum(amount)::DOUBLE AS amount FROM cost WHERE cost_pool = 'training' AND {span.condition()} "
            "AND posting_basis IN ('incurred', 'recovery')",
            needs=("ledger.cost_pool",),
        )
    except MissingData:
        return Text(en="not computed: needs ledger.cost_pool", zh="未计算：缺少 ledger.cost_pool")
    if frame["amount"].isna().all():
        return Text(en="not computed: no posting of the pool training", zh="未计算：无培训成本池过账")
    people = engine.query(
        f"SELECT count(*)::DOUBLE AS heads FROM workforce WHERE {span.condition()} AND coalesce(sourcing, 'in_house') = 'in_house'"
    )
    return float(frame["amount"].iloc[0]) * book.sum("heads", "in_house") / float(people["heads"].iloc[0])


@traced
def _turnover(book: _Book) -> Decimal | Text:
    """People of own field teams whose pay ended in the year, each replaced and trained at the assumptions of finance."""
    replacement, ramp = book.assumed("replacement_cost"), book.assumed("ramp_up_months")
    if replacement is None or ramp is None:
        return Text(
            en="not computed: needs assumptions replacement_cost and ramp_up_months",
            zh="未计算：缺少假设 replacement_cost 与 ramp_up_months",
        )
    month = book.inputs.month
    leavers = book.inputs.engine.query(
        _LEAVERS.format(first=literal((month - YEAR).start), last=literal(month.start))
    )
    wage = book.sum("pay", "in_house") / book.sum("heads", "in_house")
    return turnover_cost(
        float(leavers["people"].iloc[0]),
        replacement_cost=replacement,
        ramp_up_months=float(ramp),
        monthly_wage=money(wage),
    )


# -- volume swings and staffing -------------------------------------------------------------------------------------------


@traced
def _swings(book: _Book, lines: Mapping[str, CostLine], usual: float) -> tuple[Swing, ...]:
    from scipy.special import ndtri

    reach = float(ndtri((1 + book.inputs.confidence) / 2))
    table = sourcing_sensitivity(lines["in_house"], lines["outsourced"], tickets=usual, swings=SWINGS)
    swings = []
    for swing, own, out, gap, error in zip(
        *(table[name] for name in ("swing", "in_house", "outsourced", "difference", "standard_error")),
        strict=True,
    ):
        key = f"{swing:+.0%}"
        limits = Interval(
            low=gap - reach * error,
            high=gap + reach * error,
            level=book.inputs.confidence,
            method="cost lines by least squares, Newey-West",
        )
        swings.append(
            Swing(
                swing=book.fact("volume_swing", swing, swing=key),
                own=book.fact("sourcing_month_cost", money(own), sourcing="in_house", swing=key),
                out=book.fact("sourcing_month_cost", money(out), sourcing="outsourced", swing=key),
                gap=book.fact("sourcing_difference", money(gap), interval=limits, swing=key),
            )
        )
    return tuple(swings)


@traced
def _staffing(book: _Book) -> tuple[Staffing, ...]:
    """Last year's field hours done again by permanent teams around the present size, and by one large enough for the highest month."""
    share = float(book.inputs.assumptions.value("practical_capacity_share", on=book.inputs.month.last_day))
    heads, hours = (
        book.sum("heads", "in_house"),
        book.table[("hours", "in_house")] + book.table[("hours", "outsourced")],
    )
    partner_hours = book.sum("hours", "outsourced")
    if heads <= 0 or partner_hours <= 0 or not (hours > 0).all():
        return ()
    table = peak_staffing(
        hours,
        hours_per_head=book.sum("paid", "in_house") * share / heads,
        cost_per_head=book.sum("pay", "in_house") / heads,
        outsourced_cost_per_hour=book.sum("pay", "outsourced") / partner_hours,
    )
    now = min(round(heads / YEAR), len(table) - 1)
    step = max(1, round(0.1 * now))
    sizes = (
        ("fewer", Text(en="A tenth fewer", zh="减少一成"), now - step),
        ("now", Text(en="As it is", zh="现状"), now),
        ("more", Text(en="A tenth more", zh="增加一成"), now + step),
        ("peak", Text(en="Enough for the highest month", zh="满足最高月份"), len(table) - 1),
    )
    return tuple(
        _size(book, key, name, table.iloc[size]) for key, name, size in sizes if 0 <= size < len(table)
    )


@traced
def _size(book: _Book, key: str, name: Text, row: pd.Series) -> Staffing:
    def amount(column: str) -> Fact:
        return book.fact("staffing_cost", money(float(row[column])), team_size=key, component=column)

    return Staffing(
        name=name,
        heads=book.fact("staffing_heads", int(row["headcount"]), team_size=key),
        own=amount("in_house_cost"),
        out=amount("outsourced_cost"),
        cost=amount("cost"),
        unused=book.fact("staffing_unused_hours", float(row["unused_hours"]), team_size=key),
    )


# Field teams are those of which repairs are more than three tickets in ten; a contact centre is compared with no partner.
_MONTHS = f"""
WITH teams AS (SELECT DISTINCT team, coalesce(sourcing, 'in_house') AS sourcing FROM workforce WHERE team IS NOT NULL),
field AS (
    SELECT w.team, min(teams.sourcing) AS sourcing FROM service w JOIN teams USING (team)
    GROUP BY w.team HAVING count(*) FILTER (WHERE ticket_type = 'repair') > 0.3 * count(*)
),
work AS (
    SELECT s.month, f.sourcing, count(*) AS tickets, {added("s.handling_hours")} AS hours FROM service s JOIN field f USING (team) GROUP BY 1, 2
),
crew AS (
    SELECT w.month, 'in_house' AS sourcing, sum(w.cost) AS pay, {added("w.cost * (1 - w.hours_worked / w.hours_paid)")} AS idle,
           {added("w.hours_paid")} AS paid, count(*) AS heads
    FROM workforce w JOIN field f USING (team) WHERE f.sourcing = 'in_house' AND w.hours_paid > 0 GROUP BY 1
    UNION ALL
    SELECT month, 'outsourced', sum(amount), 0, 0, 0 FROM cost
    WHERE category = 'outsourcing' AND posting_basis IN ('incurred', 'recovery') GROUP BY 1
),
poor AS (
    SELECT c.month, f.sourcing, sum(c.amount) AS quality FROM cost c JOIN field f USING (team)
    WHERE c.is_rework AND c.category <> 'outsourcing' AND c.posting_basis IN ('incurred', 'recovery') GROUP BY 1, 2
)
SELECT strftime(work.month, '%Y-%m') AS month, sourcing, work.tickets::DOUBLE AS tickets, coalesce(work.hours, 0)::DOUBLE AS hours,
       crew.pay::DOUBLE AS pay, crew.idle::DOUBLE AS idle, crew.paid::DOUBLE AS paid, crew.heads::DOUBLE AS heads,
       coalesce(poor.quality, 0)::DOUBLE AS quality
FROM work JOIN crew USING (month, sourcing) LEFT JOIN poor USING (month, sourcing)
WHERE work.month >= {{first}} AND work.month < {{end}} ORDER BY 1, 2
"""
_LEAVERS = """
WITH teams AS (SELECT team FROM service WHERE team IS NOT NULL GROUP BY 1 HAVING count(*) FILTER (WHERE ticket_type = 'repair') > 0.3 * count(*)),
people AS (
    SELECT agent_id, max(month) AS last FROM workforce
    WHERE coalesce(sourcing, 'in_house') = 'in_house' AND team IN (SELECT team FROM teams) GROUP BY 1
)
SELECT count(*)::DOUBLE AS people FROM people WHERE last >= {first} AND last < {last}
"""
