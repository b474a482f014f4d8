"""In-house against outsourced: full cost of a ticket of each, where they break even, what volume swings do, and staffing for the peak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from scipy.special import ndtri

from analysis.costs.figures import added
from analysis.costs.sourcing import (
    BreakEvenVolume,
    CostLine,
    break_evens_with_minimum,
    cost_at_swings,
    cost_line_from_history,
    peak_staffing,
    turnover_cost,
    within_volumes,
)
from analysis.errors import MissingData, ParameterError
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, cents, traced
from analysis.metrics.backend import literal
from analysis.metrics.views.ledger import DIRECT
from analysis.metrics.views.selection import study_view
from analysis.periods import Month
from analysis.results import Assumed, Fact, Interval, Lineage, Rows, lacking
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

MONTHS = 24
YEAR = 12
OPTIONS = ("in_house", "outsourced")
SWINGS = ("volume_swing_large", "volume_swing_small")
MINIMUM = "outsourcing_minimum_tickets"  # an assumption finance may state; none is billed where it does not


@dataclass(frozen=True, kw_only=True, eq=False)
class CostComponent(Summarised):
    """One line of the full cost: the year's amount and its cost per ticket, for both options. ``part`` lines are inside another line."""

    name: Text
    own: Fact
    own_each: Fact
    out: Fact
    out_each: Fact
    role: str = "body"


@dataclass(frozen=True, kw_only=True, eq=False)
class TeamSize(Summarised):
    """A size of the permanent team over the last twelve months of work; what it could not do went to partners."""

    name: Text
    heads: Fact
    own: Fact
    out: Fact
    cost: Fact
    unused: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Swing(Summarised):
    """A month with so much more or fewer tickets than each option usually has, at its cost line: the month's cost and a ticket's."""

    swing: Fact
    own: Fact
    own_each: Fact
    out: Fact
    out_each: Fact


@dataclass(frozen=True, kw_only=True, eq=False)
class Sourcing(Summarised):
    """Both options over the last months; ``own_repairs`` and ``out_repairs``: the share of repairs among their tickets."""

    components: tuple[CostComponent, ...]
    break_evens: tuple[Fact, ...]
    minimum: Fact
    usual: Fact
    swings: tuple[Swing, ...]
    staffing: tuple[TeamSize, ...]
    people: Fact
    own_repairs: Fact
    out_repairs: Fact


@traced
def sourcing_of(inputs: StudyInputs) -> Sourcing:
    """Field work done by own teams and by partners: full cost, break-even volume, volume swings, staffing for the peak.

    Raises
    ------
    MissingData, FitError
        Without a year of months in which both did field work, or where a cost line cannot be fitted.
    """
    table = _field_months(inputs)
    book = _year(inputs, table)
    minimum = _minimum(book)
    lines = _cost_lines(table, float(minimum.value or 0))
    evens = within_volumes(
        break_evens_with_minimum(lines["in_house"], lines["outsourced"], confidence=inputs.confidence),
        *_seen_together(table),
    )
    return Sourcing(
        components=_components(book),
        break_evens=tuple(_break_even(book, place, even) for place, even in enumerate(evens)),
        minimum=minimum,
        usual=_usual_tickets(book),
        swings=_swings(book, lines),
        staffing=_staffing(book),
        people=_people(book),
        own_repairs=_repairs(book, "in_house"),
        out_repairs=_repairs(book, "outsourced"),
    )


@traced
def _field_months(inputs: StudyInputs) -> pd.DataFrame:
    """Work, pay and poor quality by month (rows) and measure and option (columns), where both options did field work."""
    span = _span(inputs)
    frame = inputs.engine.query(
        field_work(inputs, span),
        needs=("staff.sourcing", "staff.team", "tickets.team", "staff.cost", "ledger.ticket_id"),
    )
    table = frame.pivot_table(
        index="month",
        columns="sourcing",
        values=["tickets", "hours", "pay", "idle", "quality", "repeats", "paid", "heads"],
        aggfunc="sum",
    )
    if any(("pay", option) not in table.columns for option in OPTIONS) or len(table.dropna()) < YEAR:
        raise MissingData("staff.sourcing", message="needs a year of in-house and outsourced teams")
    return table.dropna()


def _span(inputs: StudyInputs) -> Period:
    return Period(inputs.month - (MONTHS - 1), inputs.month)


@traced
def _year(inputs: StudyInputs, table: pd.DataFrame) -> _Book:
    return _Book(inputs=inputs, table=table.tail(YEAR), months=len(table), span=_span(inputs))


def _seen_together(table: pd.DataFrame) -> tuple[float, float]:
    """The volumes at which both options were seen; the second below the first where there are none."""
    tickets = [table[("tickets", option)] for option in OPTIONS]
    return max(float(each.min()) for each in tickets), min(float(each.max()) for each in tickets)


@traced
def _usual_tickets(book: _Book) -> Fact:
    """Tickets per month of own field teams over the year."""
    months = field_work(book.inputs, _span(book.inputs)).of(sourcing="in_house")
    return book.state.measured("in_house_tickets", months.where(f"month IN ({book.named})"))


@traced
def _people(book: _Book) -> Fact:
    """People of own field teams in the last month of the year, which may be more or fewer than its mean."""
    last = Month.parse(str(book.table.index[-1]))
    months = field_work(book.inputs, _span(book.inputs)).of(sourcing="in_house")
    return book.state.measured("in_house_people", months.where(f"month = {literal(str(last))}"), period=last)


@traced
def _repairs(book: _Book, option: str) -> Fact:
    """Share of repairs among the tickets of an option over the year: whether the two did the same kind of work."""
    months = field_work(book.inputs, _span(book.inputs)).of(sourcing=option)
    return book.state.measured(
        "sourcing_repair_share", months.where(f"month IN ({book.named})"), sourcing=option
    )


def _minimum(book: _Book) -> Fact:
    """Tickets per month that the contract bills at least, where finance states it."""
    least = book.assumed(MINIMUM)
    if least is not None and least < 0:
        raise ParameterError(
            f"assumption '{MINIMUM}': {least} tickets per month; a contract cannot bill fewer than none."
        )
    return book.fact(
        "contract_minimum_tickets",
        least,
        why=Text.of("not stated"),
        fitted=True,
        lineage=Assumed(source="params/assumptions.yml", name=MINIMUM),
    )


def _repeated(table: pd.DataFrame, option: str) -> pd.Series:
    """By month: work of the other on what an option had done, less the option's own work on what the other had done."""
    (other,) = set(OPTIONS) - {option}
    return table[("repeats", other)] - table[("repeats", option)]


@traced
def _cost_lines(table: pd.DataFrame, minimum: float) -> dict[str, CostLine]:
    """The cost line of each option; a contract's line is fitted on the tickets that were billed."""
    lines = {}
    for option in OPTIONS:
        least = minimum if option == "outsourced" else 0.0
        tickets = table[("tickets", option)].clip(lower=least)
        spent = table[("pay", option)] + table[("quality", option)] + _repeated(table, option)
        fitted = cost_line_from_history(spent, tickets)
        lines[option] = replace(fitted, minimum_tickets=least)
    return lines


@traced
def _break_even(book: _Book, place: int, even: BreakEvenVolume) -> Fact:
    none = Text.filled("none, because {reason}", reason=Text.of(even.reason))
    crossing: dict[str, Any] = {"crossing": str(place + 1)} if place else {}
    why = None if even.tickets is not None else none
    open_ended = (
        {}
        if even.interval or even.tickets is None
        else {"reason": Text.filled("no interval: {reason}", reason=Text.of(even.reason))}
    )
    return book.fact(
        "break_even_tickets",
        even.tickets,
        interval=even.interval,
        why=why,
        more=open_ended,
        fitted=True,
        **crossing,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Book:
    """The last year by month and option, and how facts of this part are stated: sums over that year, what a cost line says over the ``span`` it was fitted on."""

    inputs: StudyInputs
    table: pd.DataFrame
    months: int
    span: Period

    @property
    def year(self) -> Period:
        """From the first to the last month that is summed."""
        return Period(Month.parse(str(self.table.index[0])), Month.parse(str(self.table.index[-1])))

    @property
    def state(self) -> Stating:
        return Stating(inputs=self.inputs, period=self.year)

    def fact(
        self,
        metric: str,
        value: Any,
        *,
        interval: Interval | None = None,
        why: Text | None = None,
        lineage: Lineage | None = None,
        more: Mapping[str, Any] | None = None,
        fitted: bool = False,
        **place: Any,
    ) -> Fact:
        state = replace(self.state, period=self.span) if fitted else self.state
        parts = {"interval": interval, "n": self.months if interval else None, **(more or {})}
        return state.exact(metric, value, reason=why or _NONE, lineage=lineage, parts=parts, **place)

    def sum(self, column: str, option: str) -> float:
        return float(self.table[(column, option)].sum())

    def assumed(self, name: str) -> Decimal | None:
        """An assumption of the day; None where finance gave none."""
        if name not in self.inputs.assumptions.entries:
            return None
        return self.inputs.assumptions.value(name, on=self.inputs.month.last_day)

    @property
    def named(self) -> str:
        """The months of the year as a query lists their names."""
        return ", ".join(literal(str(month)) for month in self.table.index)

    def inside(self, column: str = "month") -> str:
        """The condition of a row in one of the months of the year."""
        days = ", ".join(literal(Month.parse(month).start) for month in self.table.index)
        return f"{column} IN ({days})"


_NONE = Text.of("not computed")
#: Either column says that an order repeats work that did not hold; without both nobody knows what did.
DONE_AGAIN = ("tickets.rework", "tickets.parent_ticket_id")
# -- full cost ------------------------------------------------------------------------------------------------------------

_FEE = Text.of("in the partner's fee")


@traced
def _components(book: _Book) -> tuple[CostComponent, ...]:
    """Pay or fee, training, turnover, poor quality, and their sum; unused hours are shown inside pay."""
    fee: dict[str, Any] = {"outsourced": _FEE}
    body = (
        _component(
            book,
            "pay",
            Text.of("Pay, or the partner's fee"),
            {option: book.sum("pay", option) for option in OPTIONS},
            rows=_pay_rows(book),
        ),
        _component(
            book,
            "idle",
            Text.of("of which pay for hours not worked"),
            {"in_house": book.sum("idle", "in_house")} | fee,
        ),
        _component(book, "training", Text.of("Training"), {"in_house": _training(book)} | fee),
        _component(book, "turnover", Text.of("Turnover of staff"), {"in_house": _turnover(book)} | fee),
        _component(
            book,
            "quality",
            Text.of("Poor quality: parts, freight and compensation of repeating its work"),
            _repeating(book, {option: book.sum("quality", option) for option in OPTIONS}),
            rows=_quality_rows(book),
        ),
        _component(
            book,
            "repeats",
            Text.of("Repeating its work by the other, less its own work on the other's"),
            _repeating(book, {option: float(_repeated(book.table, option).sum()) for option in OPTIONS}),
        ),
    )
    return (*body, _whole(book, [part for part in body if part.own.dimensions["component"] != "idle"]))


def _repeating(book: _Book, amounts: dict[str, float]) -> dict[str, float | Text]:
    """Amounts of work done again; no amount, rather than nil, where the tickets do not say what was done again."""
    missing = book.inputs.engine.tables.missing(*DONE_AGAIN)
    if len(missing) < len(DONE_AGAIN):
        return dict(amounts)
    return dict.fromkeys(amounts, lacking(*missing))


def _whole(book: _Book, parts: list[CostComponent]) -> CostComponent:
    """The full cost: every part that is known."""
    whole: dict[str, tuple[Fact, Fact]] = {}
    place: dict[str, Any]
    for option, known in zip(OPTIONS, ([p.own for p in parts], [p.out for p in parts]), strict=True):
        place = {"sourcing": option, "component": "total"}
        total = book.state.total(
            "sourcing_cost", *(part for part in known if part.value is not None), **place
        )
        whole[option] = total, _each(book, option, total.value, None, "total")
    (own, own_each), (out, out_each) = whole["in_house"], whole["outsourced"]
    name = Text.of("Full cost")
    return CostComponent(name=name, own=own, own_each=own_each, out=out, out_each=out_each, role="total")


@traced
def _component(
    book: _Book,
    key: str,
    name: Text,
    amounts: Mapping[str, float | Decimal | Text],
    *,
    rows: Mapping[str, Rows] | None = None,
) -> CostComponent:
    """One line of both options; a text says why an option has no amount."""
    facts = {}
    for option in OPTIONS:
        amount = amounts[option]
        why = amount if isinstance(amount, Text) else None
        value = None if isinstance(amount, Text) else cents(amount)
        cost = book.fact(
            "sourcing_cost",
            value,
            why=why,
            lineage=rows[option] if rows else None,
            sourcing=option,
            component=key,
        )
        facts[option] = cost, _each(book, option, None if isinstance(amount, Text) else amount, why, key)
    (own, own_each), (out, out_each) = facts["in_house"], facts["outsourced"]
    return CostComponent(name=name, own=own, own_each=own_each, out=out, out_each=out_each)


def _each(book: _Book, option: str, amount: Any, why: Text | None, key: str) -> Fact:
    """An amount of the year per ticket of the option, rounded to a cent."""
    value = None if amount is None else cents(float(amount) / book.sum("tickets", option))
    return book.fact("sourcing_cost_per_ticket", value, why=why, sourcing=option, component=key)


def _pay_rows(book: _Book) -> dict[str, Rows]:
    """Pay of own field teams, and the partners' fees."""
    team = f"team IN (SELECT team FROM ({_field_teams(book.inputs)}) WHERE sourcing = 'in_house')"
    return {
        "in_house": Rows(
            numerator=f"SELECT * FROM workforce WHERE {team} AND hours_paid > 0 AND {book.inside()}",
            value="sum(cost)",
        ),
        "outsourced": Rows(
            numerator="SELECT * FROM cost WHERE category = 'outsourcing' AND posting_basis IN ('incurred', 'recovery') "
            f"AND {book.inside()}",
            value="sum(amount)",
        ),
    }


def _quality_rows(book: _Book) -> dict[str, Rows]:
    """Direct cost of repeating the work of each option's field teams that did not hold, fees apart."""
    field = _field_teams(book.inputs)
    return {
        option: Rows(
            numerator=f"SELECT * FROM ({_REWORK}) AS rework WHERE charged_to IN (SELECT team FROM ({field}) WHERE sourcing = {literal(option)}) "
            f"AND {book.inside()}",
            value="sum(amount)",
        )
        for option in OPTIONS
    }


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
        return lacking("ledger.cost_pool")
    if frame["amount"].isna().all():
        return Text.of("not computed: no posting of the pool training")
    people = engine.query(
        f"SELECT count(*)::DOUBLE AS heads FROM workforce WHERE {span.condition()} AND coalesce(sourcing, 'in_house') = 'in_house'"
    )
    return float(frame["amount"].iloc[0]) * book.sum("heads", "in_house") / float(people["heads"].iloc[0])


@traced
def _turnover(book: _Book) -> Decimal | Text:
    """People of own field teams whose pay ended in the year, each replaced and trained at the assumptions of finance."""
    replacement, ramp = book.assumed("replacement_cost"), book.assumed("ramp_up_months")
    if replacement is None or ramp is None:
        return Text.of("not computed: needs assumptions replacement_cost and ramp_up_months")
    month = book.inputs.month
    leavers = book.inputs.engine.query(
        _LEAVERS.format(
            field=_field_teams(book.inputs), first=literal((month - YEAR).start), last=literal(month.start)
        )
    )
    wage = book.sum("pay", "in_house") / book.sum("heads", "in_house")
    return turnover_cost(
        float(leavers["people"].iloc[0]),
        replacement_cost=replacement,
        ramp_up_months=float(ramp),
        monthly_wage=cents(wage),
    )


# -- volume swings and staffing -------------------------------------------------------------------------------------------


@traced
def _swings(book: _Book, lines: Mapping[str, CostLine]) -> tuple[Swing, ...]:
    """Each option around its own usual volume: the two were not seen at the same one, and a line holds only where it was seen."""
    large, small = (
        float(book.inputs.assumptions.value(name, on=book.inputs.month.last_day)) for name in SWINGS
    )
    swings = (-large, -small, 0.0, small, large)
    own, out = (
        _option_swings(book, option, lines[option], float(book.table[("tickets", option)].mean()), swings)
        for option in OPTIONS
    )
    return tuple(
        Swing(
            swing=book.fact(
                "volume_swing",
                swing,
                fitted=True,
                lineage=Assumed(source="params/assumptions.yml", name=SWINGS[abs(swing) < large]),
                swing=f"{swing:+.0%}",
            ),
            own=ours[0],
            own_each=ours[1],
            out=theirs[0],
            out_each=theirs[1],
        )
        for swing, ours, theirs in zip(swings, own, out, strict=True)
    )


@traced
def _option_swings(
    book: _Book, option: str, line: CostLine, usual: float, swings: tuple[float, ...]
) -> list[tuple[Fact, Fact]]:
    """Cost of a month and per ticket at each swing of an option's usual volume, with the error of its line."""
    reach = float(ndtri((1 + book.inputs.confidence) / 2))
    table = cost_at_swings(line, tickets=usual, swings=swings)
    facts = []
    for swing, tickets, cost, error in zip(
        *(table[name] for name in ("swing", "tickets", "cost", "standard_error")), strict=True
    ):
        place: dict[str, Any] = {"sourcing": option, "swing": f"{swing:+.0%}"}
        limits = Interval(
            low=cost - reach * error,
            high=cost + reach * error,
            level=book.inputs.confidence,
            method="cost line by least squares, Newey-West",
        )
        each = replace(limits, low=limits.low / tickets, high=limits.high / tickets)
        facts.append(
            (
                book.fact("sourcing_month_cost", cents(cost), interval=limits, fitted=True, **place),
                book.fact(
                    "sourcing_month_cost_per_ticket",
                    cents(cost / tickets),
                    interval=each,
                    fitted=True,
                    **place,
                ),
            )
        )
    return facts


@traced
def _staffing(book: _Book) -> tuple[TeamSize, ...]:
    """Last year's field hours done again by permanent teams around the size it had on average, and by one large enough for the highest month."""
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
        ("fewer", Text.of("A tenth fewer"), now - step),
        ("now", Text.of("As many people as on average over these months"), now),
        ("more", Text.of("A tenth more"), now + step),
        ("peak", Text.of("Enough for the highest month"), len(table) - 1),
    )
    asked = (_size(book, key, name, table.iloc[size]) for key, name, size in sizes if 0 <= size < len(table))
    return (_as_it_was(book, share), *asked)


@traced
def _as_it_was(book: _Book, share: float) -> TeamSize:
    """The year as it was booked: what the other lines are to be read against.

    Teams, trades and months do not help each other out as the other lines suppose, so partners were paid while own hours stood unused.
    """
    capacity = book.table[("paid", "in_house")] * share
    unused = (capacity - book.table[("hours", "in_house")]).clip(lower=0).sum()
    own, out = (book.sum("pay", option) for option in OPTIONS)
    row = {
        "headcount": round(book.sum("heads", "in_house") / YEAR),
        "in_house_cost": own,
        "outsourced_cost": out,
        "cost": own + out,
        "unused_hours": float(unused),
    }
    return _size(book, "booked", Text.of("The year as it was"), row)


@traced
def _size(book: _Book, key: str, name: Text, row: pd.Series | Mapping[str, Any]) -> TeamSize:
    def amount(column: str) -> Fact:
        return book.fact("staffing_cost", cents(float(row[column])), team_size=key, component=column)

    return TeamSize(
        name=name,
        heads=book.fact("staffing_heads", int(row["headcount"]), team_size=key),
        own=amount("in_house_cost"),
        out=amount("outsourced_cost"),
        cost=amount("cost"),
        unused=book.fact("staffing_unused_hours", float(row["unused_hours"]), team_size=key),
    )


def _field_teams(inputs: StudyInputs) -> str:
    """SELECT of teams with more than the assumed share of repairs among their tickets, and whose they are; a contact centre is compared with no partner."""
    share = inputs.assumptions.value("field_repair_share", on=inputs.month.last_day)
    return f"""
SELECT w.team, min(teams.sourcing) AS sourcing FROM service w
JOIN (SELECT DISTINCT team, coalesce(sourcing, 'in_house') AS sourcing FROM workforce WHERE team IS NOT NULL) teams USING (team)
GROUP BY w.team HAVING count(*) FILTER (WHERE ticket_type = 'repair') > {share} * count(*)
"""


@study_view
def field_work(inputs: StudyInputs, span: Period) -> str:
    """Work, pay and poor quality of the field by month and option."""
    return _MONTHS.format(
        field=_field_teams(inputs), first=literal(span.first.start), end=literal(span.last.end)
    )


# Whoever did the work that did not hold is charged with repeating it, whoever repeats it; where it is not known whose work that was, whoever
# repeats it. Wages and fees are in the pay of whoever does the work, and are charged on where that is the other.
_REWORK = f"""
SELECT c.*, coalesce(o.failed_team, c.team) AS charged_to FROM (SELECT * FROM cost WHERE {DIRECT}) c LEFT JOIN rework_origins o ON o.ticket_id = c.ticket_id
WHERE c.is_rework AND c.category <> 'outsourcing'
"""
_MONTHS = f"""
WITH field AS ({{field}}),
work AS (
    SELECT s.month, f.sourcing, count(*) AS tickets, count(*) FILTER (WHERE s.ticket_type = 'repair') AS repairs, {added("s.handling_hours")} AS hours,
           count(*) FILTER (WHERE g.sourcing <> f.sourcing) AS other_tickets, {added("CASE WHEN g.sourcing <> f.sourcing THEN s.handling_hours ELSE 0 END")} AS other_hours
    FROM service s JOIN field f ON f.team = s.team LEFT JOIN rework_origins o ON o.ticket_id = s.ticket_id LEFT JOIN field g ON g.team = o.failed_team GROUP BY 1, 2
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
    SELECT r.month, f.sourcing, sum(r.amount) AS quality FROM ({_REWORK}) r JOIN field f ON f.team = r.charged_to GROUP BY 1, 2
)
SELECT strftime(work.month, '%Y-%m') AS month, sourcing, work.tickets::DOUBLE AS tickets, work.repairs, coalesce(work.hours, 0)::DOUBLE AS hours,
       crew.pay::DOUBLE AS pay, crew.idle::DOUBLE AS idle, crew.paid::DOUBLE AS paid, crew.heads::DOUBLE AS heads,
       coalesce(poor.quality, 0)::DOUBLE AS quality,
       -- the work on what the other had done: its share of the option's hours, or of its tickets where none are recorded
       (crew.pay * coalesce(work.other_hours / nullif(work.hours, 0), work.other_tickets / work.tickets))::DOUBLE AS repeats
FROM work JOIN crew USING (month, sourcing) LEFT JOIN poor USING (month, sourcing)
WHERE work.month >= {{first}} AND work.month < {{end}} ORDER BY 1, 2
"""
_LEAVERS = """
WITH people AS (
    SELECT agent_id, max(month) AS last FROM workforce
    WHERE coalesce(sourcing, 'in_house') = 'in_house' AND team IN (SELECT team FROM ({field})) GROUP BY 1
)
SELECT count(*)::DOUBLE AS people FROM people WHERE last >= {first} AND last < {last}
"""
