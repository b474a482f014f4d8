"""Shops and platforms compared: volume, unit cost, response and satisfaction of each, and what of it is beyond chance.

Rows are those of the shared views. A row that names its shop and no platform stands on the platform of that shop, where the shop is on one
alone. A score is of the ticket it asks about, else of the last one of who answered.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from analysis.costs.shops import ClusterSums, Gap, Kind, adjusted, common_design_effect, gap_between
from analysis.costs.signals_facts import false_alarm_level
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, Stating, StudyInputs, materiality, traced
from analysis.metrics.backend import literal
from analysis.metrics.views import NOT_STATED
from analysis.metrics.views.responses import CLOCKS
from analysis.metrics.views.selection import Selection, worded
from analysis.periods import Month
from analysis.results import Fact, Finding, Ground, Sentence, Severity, Stake, Value
from analysis.summaries import Summarised

MONTHS = 12
LARGEST = 40  # shops that have a line of their own; the choice is by volume, so it is no search
PLACES = ("platform", "shop")
VIEWS_OF = {"sales": "orders", "service": "tickets", "cost": "ledger"}
# What is counted, and what tells the reader of a trace which row it is.
COLUMNS = {
    "sales": ("order_id", "line_no", "month", "ordered_on", "customer_id", "revenue"),
    "service": ("ticket_id", "month", "opened_on", "ticket_type", "customer_id"),
    "first_responses": ("ticket_id", "month", "opened_on", "landmark_on", "answered_late"),
    "cost": (
        "posting_id",
        "month",
        "posted_on",
        "account",
        "category",
        "posting_basis",
        "amount",
        "ticket_id",
    ),
}
Reading = Literal["better", "worse", "noise"]

RATE, IN_TIME, SATISFIED = "tickets_per_thousand_orders", "first_answers_in_time", "csat_share"
COUNTS = ("customer_orders", "service_order_count", "after_sales_cost")
NAMES = {
    RATE: Text.of("service orders per 1,000 orders"),
    IN_TIME: Text.of("first answers not late"),
    SATISFIED: Text.of("satisfaction"),
}
DIFFERENCES = {
    RATE: "tickets_per_thousand_orders_difference",
    IN_TIME: "first_answers_in_time_difference",
    SATISFIED: "csat_share_difference",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison(Summarised):
    """One rate of a shop or platform against all others together; ``p_value`` holds for all comparisons of the part."""

    others: Fact
    difference: Fact
    reading: Reading
    p_value: float


@dataclass(frozen=True, kw_only=True, eq=False)
class ShopLine(Summarised):
    """A shop, a platform, or what is of none: its facts and comparisons by metric. ``place`` is the slice of its facts."""

    name: Text
    place: Mapping[str, Any]
    facts: Mapping[str, Fact]
    gaps: Mapping[str, Comparison] = field(default_factory=dict)

    def of(self, reading: Reading) -> list[str]:
        """The rates that read so."""
        return [metric for metric, gap in self.gaps.items() if gap.reading == reading]

    @property
    def apart(self) -> bool:
        """Whether any rate differs beyond chance."""
        return any(gap.reading != "noise" for gap in self.gaps.values())


@dataclass(frozen=True, kw_only=True, eq=False)
class ShopGroup(Summarised):
    """The shops of a platform; ``line`` is the platform's own where it is more than one of them, ``name`` None where no platform is named."""

    name: Text | None
    line: ShopLine | None
    shops: tuple[ShopLine, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class ShopTable(Summarised):
    """Shops over a span. The shops (a platform without any by its own line), the ``smaller`` ones together and ``unnamed``, what is of none, sum to ``total`` to the cent."""

    period: Period
    by: tuple[str, ...]
    groups: tuple[ShopGroup, ...]
    smaller: ShopLine | None
    unnamed: ShopLine | None
    total: ShopLine

    @property
    def lines(self) -> tuple[ShopLine, ...]:
        """Every line that is compared, platforms first."""
        platforms = [group.line for group in self.groups if group.line]
        return (*platforms, *(line for group in self.groups for line in group.shops))

    @property
    def apart(self) -> list[ShopLine]:
        """Lines with a rate beyond chance, the surest first."""
        found = [line for line in self.lines if line.apart]
        return sorted(found, key=lambda line: min(gap.p_value for gap in line.gaps.values()))

    def rows(self) -> pd.DataFrame:
        """A row per shop: its place, and the number of each metric."""
        shops = [line for group in self.groups for line in group.shops]
        rows = [
            {**line.place, **{metric: fact.value for metric, fact in line.facts.items()}} for line in shops
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Shops(Summarised):
    """The last twelve months with comparisons, and the reported period without."""

    year: ShopTable
    reported: ShopTable
    findings: tuple[Finding, ...]


# -- who is there -----------------------------------------------------------------------------------------------------------


def places_named(inputs: StudyInputs) -> list[tuple[str, ...]]:
    """Shops that the orders, tickets or postings of the last twelve months name, each with its platform; platforms of which no shop is named."""
    columns = [f"{table}.{name}" for table in VIEWS_OF.values() for name in PLACES]
    if not any(inputs.engine.tables.has(column) for column in columns):
        return []
    year = _year(inputs)
    return _Rows(inputs=inputs, year=year, period=year).places


def shops_of(inputs: StudyInputs) -> Shops:
    """Shops and platforms over the last twelve months and over what is reported.

    Raises
    ------
    MissingData
        Where neither orders nor tickets nor postings name two shops or platforms.
    """
    if len(places_named(inputs)) < 2:
        raise MissingData("orders.shop", message="no two shops or platforms are named")
    span = _year(inputs)
    rows = _Rows(inputs=inputs, year=span, period=span)
    year = _table(rows, compared=True)
    reported = _table(replace(rows, period=inputs.period), compared=False)
    return Shops(year=year, reported=reported, findings=_findings(rows, year))


def _year(inputs: StudyInputs) -> Period:
    """Twelve months, or as many as orders, tickets and postings all reach back: a rate of two spans would be none."""
    begun = " UNION ALL ".join(f"SELECT min(month) AS first FROM {view}" for view in VIEWS_OF)
    days = [day for day in inputs.engine.query(begun)["first"] if day is not None and day == day]
    months = [Month(day.year, day.month) for day in days]
    return Period(min(max([inputs.month - (MONTHS - 1), *months]), inputs.month), inputs.month)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The rows of one span within the year by view, with the platform of their shop; and which of the two dimensions they name at all."""

    inputs: StudyInputs
    year: Period
    period: Period

    @cached_property
    def _named(self) -> dict[str, list[tuple[str | None, str | None]]]:
        """Platform and shop as the rows of each view name them over the year, so that a quiet month keeps its shops."""
        within = self.year.condition()
        views = " UNION ".join(
            f"SELECT '{view}' AS view, platform, shop FROM {view} WHERE {within}" for view in VIEWS_OF
        )
        frame = self.inputs.engine.query(
            f"SELECT * FROM ({views}) AS named WHERE platform IS NOT NULL OR shop IS NOT NULL ORDER BY ALL"
        )
        found: dict[str, list[tuple[str | None, str | None]]] = {}
        for view, *place in frame.astype(object).itertuples(index=False, name=None):
            platform, shop = (name if isinstance(name, str) else None for name in place)
            found.setdefault(view, []).append((platform, shop))
        return found

    @cached_property
    def _platforms(self) -> str:
        """The name of a table of shops that are on one platform alone."""
        within = self.year.condition()
        views = " UNION ".join(f"SELECT platform, shop FROM {view} WHERE {within}" for view in VIEWS_OF)
        return self.inputs.engine.materialise(
            "shop_platforms",
            f"SELECT shop, min(platform) AS platform FROM ({views}) AS named "
            "WHERE shop IS NOT NULL AND platform IS NOT NULL GROUP BY 1 HAVING count(DISTINCT platform) = 1",
        )

    @cached_property
    def by(self) -> tuple[str, ...]:
        """The dimensions that tell shops apart."""
        told = [place for places in self._named.values() for place in places]
        return tuple(name for at, name in enumerate(PLACES) if any(place[at] is not None for place in told))

    @cached_property
    def places(self) -> list[tuple[str, ...]]:
        """The shops by :attr:`by`; a platform of which no shop is named stands for itself."""
        told = {place for places in self._named.values() for place in places}
        if self.by != PLACES:
            at = PLACES.index(self.by[0]) if self.by else 0
            return sorted({(name,) for place in told if (name := place[at]) is not None})
        on: dict[str, set[str]] = {}
        for platform, shop in told:
            if platform is not None and shop is not None:
                on.setdefault(shop, set()).add(platform)
        shops = {
            (platform or (min(on[shop]) if len(on.get(shop, ())) == 1 else NOT_STATED), shop)
            for platform, shop in told
            if shop is not None
        }
        platforms = {platform for platform, _ in told if platform is not None} - {place[0] for place in shops}
        return sorted(shops | {(platform, NOT_STATED) for platform in platforms})

    def names(self, view: str) -> bool:
        """Whether the rows of a view name any shop or platform; where they do not, nothing of it is of a shop."""
        return view in self._named

    def of(self, view: str, *conditions: str) -> Selection:
        """The rows of a shared view within the span; those of the year are looked up once, because every figure stands on them."""
        columns = ", ".join(f"v.{name}" for name in COLUMNS[view])
        table = self.inputs.engine.materialise(
            f"shop_{view}",
            f"SELECT {columns}, v.shop, coalesce(v.platform, k.platform) AS platform FROM {view} v "
            f"LEFT JOIN {self._platforms} k ON k.shop = v.shop WHERE {self.year.condition()}",
        )
        return Selection(view, f"SELECT * FROM {table}").where(self.period.condition(), *conditions)

    @cached_property
    def answers(self) -> Selection:
        """Answers on satisfaction of the span with the shop of their ticket, else of the last ticket before them."""
        inputs = self.inputs
        inputs.engine.require("surveys.score", "surveys.answered_at")
        days = int(inputs.assumptions.value("recommendation_lookback_days", on=inputs.month.last_day))
        first, end = literal(self.period.first.start), literal(self.period.last.end)
        table = inputs.engine.materialise(
            "shop_answers",
            f"""WITH given AS (
  SELECT * FROM answers WHERE kind = 'csat' AND answered_on >= {first} AND answered_on < {end}
), before AS (
  SELECT a.survey_id, max_by(t.ticket_id, (t.opened_at, t.ticket_id)) AS ticket_id
  FROM given a JOIN service t ON t.customer_id = a.customer_id AND t.opened_at < a.answered_at
   AND t.opened_at >= a.answered_at - INTERVAL {days} DAY
  WHERE a.ticket_id IS NULL GROUP BY 1
)
SELECT a.* REPLACE (coalesce(a.ticket_id, b.ticket_id) AS ticket_id), t.shop, coalesce(t.platform, k.platform) AS platform
FROM given a LEFT JOIN before b ON b.survey_id = a.survey_id
LEFT JOIN service t ON t.ticket_id = coalesce(a.ticket_id, b.ticket_id) LEFT JOIN {self._platforms} k ON k.shop = t.shop""",
        )
        return Selection("answers", f"SELECT * FROM {table}")


# -- rates ------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Rate:
    """A rate that has noise: its rows, and in what its cases hang together; unless ``linked``, nothing tells that they do."""

    inputs: StudyInputs
    by: tuple[str, ...]
    metric: str
    kind: Kind
    rows: Selection
    cluster: str
    of: Selection | None = None
    of_cluster: str = ""
    linked: bool = True

    @cached_property
    def cells(self) -> str:
        """The name of a table of what is counted, by place and cluster."""
        registry = self.inputs.engine.registry
        entry = registry[self.metric]
        above, below = registry.measure(str(entry.numerator)), registry.measure(str(entry.denominator))
        rows = self.rows.where(above.where) if above.where else self.rows
        of = self.of or self.rows
        base = of.where(below.where) if below.where else of
        place = ", ".join(f"{worded(name)} AS {name}" for name in self.by)
        groups = ", ".join(str(number + 1) for number in range(len(self.by) + 1))
        return self.inputs.engine.materialise(
            f"shop_{self.metric}",
            f"SELECT {place}, {self.cluster} AS cluster, {above.value} AS hits, 0 AS base FROM ({rows}) AS counted GROUP BY {groups} "
            f"UNION ALL SELECT {place}, {self.of_cluster or self.cluster}, 0, {below.value} FROM ({base}) AS counted GROUP BY {groups}",
        )

    @cached_property
    def common(self) -> float:
        """The design effect of all places together."""
        return common_design_effect(self._sums(f"concat_ws('|', {', '.join(self.by)})").values())

    def sums(self, own: str, within: str = "TRUE") -> list[ClusterSums]:
        """What meets a condition, and all else ``within`` another, over their clusters."""
        sides, nothing = self._sums(own, within), ClusterSums(kind=self.kind)
        return [replace(sides.get(side, nothing), at_least=self.common) for side in (True, False)]

    def _sums(self, own: str, within: str = "TRUE") -> dict[Any, ClusterSums]:
        frame = self.inputs.engine.query(
            f"""SELECT own, sum(hits)::DOUBLE AS hits, sum(base)::DOUBLE AS base, sum(hits * hits)::DOUBLE AS hits_squared,
       sum(hits * base)::DOUBLE AS products, sum(base * base)::DOUBLE AS base_squared
FROM (SELECT {own} AS own, cluster, sum(hits)::DOUBLE AS hits, sum(base)::DOUBLE AS base
      FROM {self.cells} WHERE {within} GROUP BY 1, 2) AS clusters GROUP BY 1"""
        ).set_index("own")
        told = frame if self.linked else frame[["hits", "base"]]
        return {
            side: ClusterSums(kind=self.kind, **{str(name): number for name, number in row.items()})
            for side, row in told.iterrows()
        }


def _rates(rows: _Rows) -> list[_Rate]:
    """The rates that the data of the company have by shop."""
    inputs, found = rows.inputs, []
    told: dict[str, Any] = {"inputs": inputs, "by": rows.by}
    if rows.names("sales") and rows.names("service"):
        found.append(
            _Rate(
                **told,
                metric=RATE,
                kind="rate",
                rows=rows.of("service"),
                cluster="coalesce(customer_id, ticket_id)",
                of=rows.of("sales"),
                of_cluster="customer_id",
                linked=inputs.engine.tables.has("tickets.customer_id"),
            )
        )
    if rows.names("service") and _clocks(inputs):
        due = f"landmark_on < {literal(inputs.month.end)}"  # before its landmark nobody knows whether an answer is late
        found.append(
            _Rate(
                **told,
                metric=IN_TIME,
                kind="share",
                rows=rows.of("first_responses", due),
                cluster="opened_on",
            )
        )
    if rows.names("service") and _scores(inputs):
        found.append(
            _Rate(
                **told,
                metric=SATISFIED,
                kind="share",
                rows=rows.answers,
                cluster="coalesce(customer_id, survey_id)",
            )
        )
    return found


def _clocks(inputs: StudyInputs) -> bool:
    try:
        inputs.engine.require_clock(*CLOCKS)
    except MissingData:
        return False
    return True


def _scores(inputs: StudyInputs) -> bool:
    return all(inputs.engine.tables.has(f"surveys.{column}") for column in ("score", "answered_at"))


# -- the table --------------------------------------------------------------------------------------------------------------


@traced
def _table(rows: _Rows, *, compared: bool) -> ShopTable:
    """Every place with its facts; comparisons where asked for."""
    by, rates = rows.by, _rates(rows)
    facts = {cut: _facts(rows, rates, cut) for cut in dict.fromkeys((by, by[:1], ()))}
    sizes = {key: _size(found) for key, found in facts[by].items()}
    shops = sorted((key for key in sizes if key[-1] != NOT_STATED), key=lambda key: (-sizes[key], key))
    shown, smaller = shops[:LARGEST], shops[LARGEST:]
    lines = {key: _line(rows, by, key, facts[by][key]) for key in shown}
    platforms = {
        key[0]: _line(rows, by[:1], key, found)
        for key, found in facts[by[:1]].items()
        if len(by) == 2 and key[0] != NOT_STATED
    }
    if compared:
        lines, platforms = _compared(rows, rates, lines, platforms, keys=facts[by])
    rest = {key: found for key, found in facts[by].items() if key[-1] == NOT_STATED}
    nowhere = rest.pop((NOT_STATED,) * len(by), None)
    lines |= {key: _line(rows, by, key, _sums_alone(found), name=NO_SHOP) for key, found in rest.items()}
    return ShopTable(
        period=rows.period,
        by=by,
        groups=_groups(lines, platforms),
        smaller=_together(rows, [facts[by][key] for key in smaller]),
        unnamed=None
        if nowhere is None
        else _line(rows, by, (NOT_STATED,) * len(by), _sums_alone(nowhere), name=NO_SHOP),
        total=ShopLine(name=Text.of("Total"), place={}, facts=facts[()][()]),
    )


NO_SHOP = Text.of("Not of one shop")
SMALLER = Text.of("Smaller shops together")


def _facts(
    rows: _Rows, rates: Sequence[_Rate], by: tuple[str, ...]
) -> dict[tuple[str, ...], dict[str, Fact]]:
    """Every metric of every place of a cut; a place that a table does not name lacks its metrics."""
    state = Stating(inputs=rows.inputs, period=rows.period)
    asked: list[tuple[str, Selection, Selection | None]] = []
    if rows.names("sales"):
        asked.append(("customer_orders", rows.of("sales"), None))
    if rows.names("service"):
        asked.append(("service_order_count", rows.of("service"), None))
    if rows.names("cost"):
        asked += [("after_sales_cost", rows.of("cost"), None), ("labour_share", rows.of("cost"), None)]
        if rows.names("sales"):
            asked.append(("cost_per_thousand_orders", rows.of("cost"), rows.of("sales")))
    asked += [(rate.metric, rate.rows, rate.of) for rate in rates]
    found: dict[tuple[str, ...], dict[str, Fact]] = {}
    for metric, selection, of in asked:
        for key, fact in state.measured_by(metric, selection, of, by=by).items():
            found.setdefault(key, {})[metric] = fact
    for rate in rates:
        for key, stated in found.items():
            own = stated.get(rate.metric)
            if own is not None and own.interval is not None:
                stated[rate.metric] = _widened(rows, rate, by, key, own)
    return found


def _widened(rows: _Rows, rate: _Rate, by: tuple[str, ...], key: tuple[str, ...], fact: Fact) -> Fact:
    """The interval of the registry, or a wider one where cases hang together."""
    own, _ = rate.sums(_is(dict(zip(by, key, strict=True))))
    if own.design_effect == 1:
        return fact
    per = rows.inputs.engine.registry[rate.metric].per
    return replace(fact, interval=own.interval(level=rows.inputs.confidence, per=per))


def _is(place: Mapping[str, str]) -> str:
    """The condition that a row is of a place; of the cut of all, every row is."""
    return " AND ".join(f"{worded(name)} = {literal(value)}" for name, value in place.items()) or "TRUE"


def _size(facts: Mapping[str, Fact]) -> float:
    """Orders, else tickets, else cost: what a shop is ranked by."""
    return next((float(facts[metric].value or 0) for metric in COUNTS if metric in facts), 0.0)


def _sums_alone(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """What is of no shop has counts and cost; its tickets and its orders have nothing to do with each other."""
    return {metric: fact for metric, fact in facts.items() if metric in COUNTS}


def _line(
    rows: _Rows,
    by: tuple[str, ...],
    key: tuple[str, ...],
    facts: Mapping[str, Fact],
    *,
    name: Text | None = None,
) -> ShopLine:
    registry = rows.inputs.engine.registry
    labels = [
        registry.value_label(dimension, value)
        for dimension, value in zip(by, key, strict=True)
        if value != NOT_STATED
    ]
    twice = sum(place[-1] == key[-1] for place in rows.places) > 1 and len(key) == 2
    own = Text.joined(labels, en=": ", zh="：") if twice else labels[-1] if labels else NO_SHOP
    return ShopLine(name=name or own, place=dict(zip(by, key, strict=True)), facts=facts)


def _groups(
    lines: Mapping[tuple[str, ...], ShopLine], platforms: Mapping[str, ShopLine]
) -> tuple[ShopGroup, ...]:
    """Lines by platform, the largest first; one group without a name where no platform is told."""
    if not platforms:
        return (ShopGroup(name=None, line=None, shops=tuple(lines.values())),)
    groups = []
    ranked = sorted(platforms, key=lambda name: (-_size(platforms[name].facts), name))
    for name in (*ranked, NOT_STATED):
        shops = tuple(line for key, line in lines.items() if key[0] == name)
        own = platforms.get(name)
        head = own.name if own else Text.of("Platform not stated")
        if own and all(key[-1] == NOT_STATED for key in lines if key[0] == name):
            groups.append(ShopGroup(name=head, line=own, shops=()))
        elif shops:
            groups.append(ShopGroup(name=head, line=own if len(shops) > 1 else None, shops=shops))
    return tuple(groups)


@traced
def _together(rows: _Rows, found: Sequence[Mapping[str, Fact]]) -> ShopLine | None:
    """The sums of shops without a line of their own."""
    if not found:
        return None
    state = Stating(inputs=rows.inputs, period=rows.period)
    facts = {
        metric: state.total(metric, *(one[metric] for one in found if metric in one), shops="smaller")
        for metric in COUNTS
        if any(metric in one for one in found)
    }
    return ShopLine(name=SMALLER, place={}, facts=facts)


# -- beyond chance ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Held:
    """A rate of one line held against the others; two lines that split the places alike make one hypothesis."""

    rate: _Rate
    others: ClusterSums
    gap: Gap
    hypothesis: Hashable


@traced
def _compared(
    rows: _Rows,
    rates: Sequence[_Rate],
    lines: Mapping[tuple[str, ...], ShopLine],
    platforms: Mapping[str, ShopLine],
    *,
    keys: Iterable[tuple[str, ...]],
) -> tuple[dict[tuple[str, ...], ShopLine], dict[str, ShopLine]]:
    """The lines with their comparisons, adjusted over all of them together."""
    held = {
        id(line): [one for rate in rates if (one := _held(rows, rate, line, keys)) is not None]
        for line in (*lines.values(), *platforms.values())
    }
    chances = adjusted({one.hypothesis: one.gap.p_value for some in held.values() for one in some})
    return (
        {key: _with_gaps(rows, line, held[id(line)], chances) for key, line in lines.items()},
        {key: _with_gaps(rows, line, held[id(line)], chances) for key, line in platforms.items()},
    )


def _held(rows: _Rows, rate: _Rate, line: ShopLine, keys: Iterable[tuple[str, ...]]) -> _Held | None:
    """None where the line or the others have no case; ``keys`` are all places that the rows name."""
    if rate.metric not in line.facts:
        return None
    inputs, level = rows.inputs, list(line.place)[-1]
    own, others = rate.sums(_is(line.place), f"{level} <> {literal(NOT_STATED)}")
    per = inputs.engine.registry[rate.metric].per
    gap = gap_between(own, others, level=inputs.confidence, per=per)
    if gap is None:
        return None
    depth = len(line.place)
    told = [key for key in keys if key[depth - 1] != NOT_STATED]
    here = frozenset(key for key in told if key[:depth] == tuple(line.place.values()))
    split = frozenset((here, frozenset(told) - here))
    return _Held(rate=rate, others=others, gap=gap, hypothesis=(rate.metric, split))


def _others(line: ShopLine) -> str:
    """The condition that a row is of another shop (or platform) than a line."""
    return f"{list(line.place)[-1]} IS NOT NULL AND NOT ({_is(line.place)})"


@traced
def _with_gaps(
    rows: _Rows, line: ShopLine, held: Sequence[_Held], chances: Mapping[Hashable, float]
) -> ShopLine:
    gaps = {one.rate.metric: _comparison(rows, line, one, chances[one.hypothesis]) for one in held}
    return replace(line, gaps=gaps)


@traced
def _comparison(rows: _Rows, line: ShopLine, held: _Held, chance: float) -> Comparison:
    inputs, metric, of = rows.inputs, held.rate.metric, held.rate.of
    state, own, rest = Stating(inputs=inputs, period=rows.period), line.facts[metric], _others(line)
    limits = held.others.interval(level=inputs.confidence, per=inputs.engine.registry[metric].per)
    others = state.measured(
        metric,
        held.rate.rows.where(rest),
        of.where(rest) if of else None,
        parts={"interval": limits},
        **line.place,
        against="others",
    )
    difference = state.derived(
        DIFFERENCES[metric], own, others, parts={"interval": held.gap.interval, "n": own.n}, **line.place
    )
    return Comparison(
        others=others,
        difference=difference,
        reading=_reading(inputs, metric, difference, chance),
        p_value=chance,
    )


def _reading(inputs: StudyInputs, metric: str, difference: Fact, chance: float) -> Reading:
    if not difference.value or not chance < false_alarm_level(inputs):
        return "noise"
    higher = inputs.engine.registry[metric].better == "higher"
    return "better" if (difference.value > 0) == higher else "worse"


# -- what becomes a finding -------------------------------------------------------------------------------------------------

_TOLD = {
    RATE: "{shop} had {own} from {first} to {month}, all others together {others}: {difference:signed} ({difference:interval}), beyond chance.",
    IN_TIME: "{shop} gave {own} of first answers within {hours} from {first} to {month}, all others together {others}: {difference:signed} ({difference:interval}), beyond chance.",
    SATISFIED: "{shop} was given a satisfaction score of 4 or 5 in {own} of the answers from {first} to {month}, all others together in {others}: {difference:signed} ({difference:interval}), beyond chance.",
}
_DEARER = " Its after-sales cost is {unit}, theirs {their_unit}; at their rate {excess} would not have been spent. They do not sell the same, so not all of it can be saved."


@traced
def _findings(rows: _Rows, table: ShopTable) -> tuple[Finding, ...]:
    """The line that is worse beyond chance, by as much as matters, and costs most beyond the others; none where nothing is worse."""
    inputs = rows.inputs
    worse = [(line, metric) for line in table.apart for metric in line.of("worse")]
    if not worse:
        return ()
    dearer = {id(line): _excess(rows, line) for line, _ in worse}
    line, metric = max(
        worse,
        key=lambda one: (_matters(inputs, *one), _money(dearer[id(one[0])]), -one[0].gaps[one[1]].p_value),
    )
    gap, cost = line.gaps[metric], dearer[id(line)]
    values: dict[str, Value] = {
        "shop": line.name,
        "own": line.facts[metric],
        "others": gap.others,
        "difference": gap.difference,
        "first": table.period.first,
        "month": table.period.last,
    }
    if metric == IN_TIME:
        values["hours"] = Stating(inputs=inputs).assumed("late_answer_hours")
    template = _TOLD[metric]
    if not _matters(inputs, line, metric):
        return (_finding(table, line, Sentence(template, values), "info", "small"),)
    if not _money(cost):
        return (_finding(table, line, Sentence(template, values), "watch", "no_sum"),)
    # what the shops sell is a cause that was not asked for
    severity = materiality(inputs).severity(cost["excess"], certain=False)
    statement = Sentence(template + _DEARER, values | cost)
    return (_finding(table, line, statement, severity, "unasked", cost["excess"]),)


def _matters(inputs: StudyInputs, line: ShopLine, metric: str) -> bool:
    """Whether a difference reaches the smallest that matters, in shares of cases."""
    least = float(inputs.assumptions.value("shop_least_effect", on=inputs.month.last_day))
    per = inputs.engine.registry[metric].per
    return abs(float(line.gaps[metric].difference.value or 0)) / per >= least


def _finding(
    table: ShopTable,
    line: ShopLine,
    statement: Sentence,
    severity: Severity,
    ground: Ground,
    excess: Fact | None = None,
) -> Finding:
    return Finding(
        id="costs.shops",
        section="costs",
        severity=severity,
        ground=ground,
        stake=Stake.of(excess) if excess is not None else None,
        subject=dict(line.place),
        statement=statement,
        method="Each rate against all other shops together, counts divided by the design effect of customers or days; exact tests given the total, adjusted over all comparisons (Holm)",
        evidence=table.rows(),
        rank=float(excess.value or 0) if excess is not None else 0.0,
    )


def _money(cost: Mapping[str, Fact]) -> float:
    excess = cost.get("excess")
    return max(float(excess.value or 0), 0.0) if excess is not None else 0.0


@traced
def _excess(rows: _Rows, line: ShopLine) -> dict[str, Fact]:
    """What the line cost beyond its orders at the others' cost per order; empty where cost or orders are not told by shop."""
    orders, cost = line.facts.get("customer_orders"), line.facts.get("after_sales_cost")
    if orders is None or cost is None or "cost_per_thousand_orders" not in line.facts:
        return {}
    state = Stating(inputs=rows.inputs, period=rows.period)
    rest = _others(line)
    place: dict[str, Any] = {**line.place, "against": "others"}
    spent, bought = rows.of("cost", rest), rows.of("sales", rest)
    theirs = state.derived(
        "cost_at_others_rate", state.measured("cost_per_order", spent, bought, **place), orders, **line.place
    )
    return {
        "unit": line.facts["cost_per_thousand_orders"],
        "their_unit": state.measured("cost_per_thousand_orders", spent, bought, **place),
        "excess": state.derived("excess_cost_over_others", cost, theirs, **line.place),
    }


def names_of(lines: Iterable[ShopLine], *, most: int = 3) -> Text:
    """The names of lines in a row; of more than ``most`` the first of them and that there are others."""
    names = [line.name for line in lines]
    listed = Text.joined(names[:most])
    return Text.filled("{listed} and others", listed=listed) if len(names) > most else listed
