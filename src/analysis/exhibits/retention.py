"""Who left and who came: key figures, components and formulas of churn, customer types, reasons. Result in, block out, no arithmetic beyond layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analysis.exhibits.estimates import estimate_line, interval_lines
from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, customer_type, remark, source, source_of_buyers
from analysis.exhibits.specification import (
    Field,
    interval,
    label,
    line,
    metric,
    registry,
    row_of,
    table_of,
    tile,
    words,
)
from analysis.exhibits.vocabulary import Cell, Role, Row, Slice, Tile, paired, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.retention.components_facts import MOVEMENTS, ChurnBasis, ChurnMovement
from analysis.retention.study import RetentionStudy

# both count customers, never contracts or purchases: who holds a contract, and who only buys
BASES = {
    "contractual": Text.of("Customers under contract"),
    "non_contractual": Text.of("Buyers without a contract"),
}
CHURN = "gross_churn_rate"


def _bases(study: RetentionStudy) -> list[ChurnBasis]:
    """Contracts and purchases, those of the two that the data have."""
    return [part for part in (study.contractual, study.non_contractual) if isinstance(part, ChurnBasis)]


# ---------------------------------------------------------------- key figures


def headline_tiles(study: RetentionStudy) -> Block:
    """Gross churn on both bases, revenue retention, and expected losses."""
    shown = [_churn_tile(study, part) for part in _bases(study)]
    if not isinstance(study.revenue, NotDone):
        whole = study.revenue[0]
        net = line("net_revenue_retention", whole.net, "Net revenue retention")
        shown.append(
            tile(
                "gross_revenue_retention",
                whole.gross,
                head="Gross revenue retention, contracts, 12 months",
                comparisons=[net],
            )
        )
    if not isinstance(study.early_warning, NotDone):
        warning = study.early_warning
        months = phrase("Expected losses, {number} months", number=str(warning.horizon))
        losses = warning.expected_losses
        lines = [
            *interval_lines("expected_losses", losses),
            estimate_line("margin_at_risk", warning.margin, "Margin at risk"),
        ]
        shown.append(tile("expected_losses", losses, head=months, comparisons=lines))
    if not shown and isinstance(study.contractual, NotDone):
        return absent("headlines", study.contractual, "Churn and retention")
    return tiles("retention.headlines", shown)


_CHURN_HEADS = {
    "contractual": Text.of("Gross churn, contracts, 12 months"),
    "non_contractual": Text.of("Gross churn, purchases, 12 months"),
}


def _churn_tile(study: RetentionStudy, part: ChurnBasis) -> Tile:
    """Yearly gross churn with its past; in alarm where the finding of contracts is an alert."""
    alert = part is study.contractual and any(
        finding.id == "retention.gross_churn" and finding.severity == "alert" for finding in study.findings
    )
    known = [fact for _, fact in part.history if fact.value is not None]
    return tile(
        CHURN,
        part.year.gross_churn,
        head=_CHURN_HEADS[part.basis],
        status="alert" if alert else None,
        history=known[-13:],
        comparisons=[
            *interval_lines(CHURN, part.year.gross_churn),
            estimate_line("net_customer_loss_rate", part.year.net_loss, "Net loss rate"),
            *([line("active_window", part.window, "Window without an order")] if part.window else []),
        ],
        slice={"churn_basis": part.basis},
    )


# ---------------------------------------------------------------- components and formulas


def _basis_columns(part: ChurnBasis, *, doubt: bool = False) -> list[Field]:
    """The year of a basis and the month, side by side; asked for, with their intervals."""
    show = "estimate" if doubt else "value"
    places = (
        (part.basis, "12 months", part.year.period),
        (f"{part.basis}_month", "this month", part.month.period),
    )
    return [
        metric(of=key, head=paired(BASES[part.basis], Text.of(head)), period=str(period), show=show)
        for key, head, period in places
    ]


def _basis_row(
    both: Sequence[ChurnBasis],
    of: Callable[[ChurnMovement], Fact],
    columns: Sequence[Field],
    id: str,
    head: Text | None = None,
    by: Sequence[str] = (),
    role: Role = "body",
) -> Row:
    """One number of each basis, over the year and in the month; a row of a metric alone is named by it, or by ``head``."""
    cells: dict[str, Cell] = {} if by else {"line": head or registry()[id].name}
    slices: dict[str, Slice] = {}
    for part in both:
        cells |= {part.basis: of(part.year), f"{part.basis}_month": of(part.month)}
        slices |= {
            column.column.key: {"churn_basis": part.basis}
            for column in columns
            if column.column.key.startswith(part.basis)
        }
    row = row_of(cells, columns, by=by, role=role, metrics=(id,))
    return replace(row, slices=slices)


def components_table(study: RetentionStudy) -> Block:
    """Contracts and purchases side by side: counts that add up."""
    both = _bases(study)
    if isinstance(study.contractual, NotDone) and not both:
        return absent("components", study.contractual, "Churn components")
    columns = [label("movement", key="line", head="Customers")]
    columns += [column for part in both for column in _basis_columns(part)]
    lead = both[0].year
    if not lead.components.start:
        title = Sentence("Nobody was present twelve months ago: no yearly churn yet")
    elif lead.components.end == lead.components.retained:
        title = Sentence(
            "{churn:numerator} of {churn:denominator} {basis:lower} were lost within twelve months, {churn}{churn:doubt}; nobody came",
            {"churn": lead.gross_churn, "basis": BASES[both[0].basis]},
        )
    else:
        title = Sentence(
            "{churn:numerator} of {churn:denominator} {basis:lower} were lost within twelve months; new ones turn {churn} gross{churn:doubt} into {net} net{net:doubt}",
            {"churn": lead.gross_churn, "net": lead.net_loss, "basis": BASES[both[0].basis]},
        )
    return table_of(
        "retention.components",
        title=title,
        subtitle=Sentence("Start − lost + new + reactivated = end; every customer stands in one line"),
        columns=columns,
        rows=[_movement_row(both, name, columns) for name in MOVEMENTS],
        note=source_of_buyers(study),
    )


def _movement_row(both: Sequence[ChurnBasis], name: str, columns: Sequence[Field]) -> Row:
    role: Role = "subtotal" if name == "end" else "body"
    return _basis_row(
        both, lambda moved: moved.counts[name], columns, "customer_movement", by=("movement",), role=role
    )


# by whether a model stands among the rates
_RATES = {
    False: "The net loss rate hides losses behind new customers; popular retention counts the reactivated as never gone. Their intervals take the share of those present and the number of those who came as independent",
    True: "The net loss rate hides losses behind new customers; popular retention counts the reactivated as never gone. Their intervals take the share of those present and the number of those who came as independent. Blank: MBG/NBD is of twelve months and of buyers without a contract",
}


def rates_table(study: RetentionStudy) -> Block | None:
    """Each formula under its own name, for contracts and purchases."""
    both = _bases(study)
    if not both:
        return None
    columns = [words("line", "Rate", wide=True)]
    columns += [column for part in both for column in _basis_columns(part, doubt=True)]
    rows = [
        _basis_row(both, lambda moved: moved.gross_churn, columns, CHURN),
        _basis_row(both, lambda moved: moved.retention, columns, "customer_retention_rate"),
        _basis_row(
            both,
            lambda moved: moved.net_loss,
            columns,
            "net_customer_loss_rate",
            Text.of("Net loss, (start − end) ÷ start"),
        ),
        _basis_row(
            both,
            lambda moved: moved.popular_retention,
            columns,
            "popular_retention_rate",
            Text.of("Popular retention, (end − new) ÷ start"),
        ),
    ]
    model, purchases = study.model_churn, study.non_contractual
    hidden = any(part.year.components.end > part.year.components.retained for part in both)
    title = Sentence(
        "Losing and winning apart: the popular formulas hide what gross churn shows"
        if hidden
        else "Losing and winning apart: nobody came, so the popular formulas say what gross churn says"
    )
    if not isinstance(model, NotDone) and not isinstance(purchases, NotDone):
        cells: dict[str, Cell] = {"line": Text.of("Gross churn by MBG/NBD"), purchases.basis: model}
        rows.insert(1, Row(cells=cells, metric=("model_churn_rate",)))
        if model.value is not None and purchases.year.gross_churn.value is not None:
            title = Sentence(
                "Buyers without a contract, two rates of two groups: of {window:denominator} active at the start {window} left by the window{window:doubt}; of those whom MBG/NBD took for living among {model:n} who had ever bought, {model}{model:doubt}",
                {"window": purchases.year.gross_churn, "model": model},
            )
    return table_of(
        "retention.rates",
        title=title,
        subtitle=Sentence(_RATES[not isinstance(model, NotDone)]),
        columns=columns,
        rows=rows,
        note=source_of_buyers(study),
    )


# ---------------------------------------------------------------- who, when and why


_BY_TYPE = {
    True: "Gross churn of customers and of contract value, by basis and type of customer",
    False: "Gross churn of customers, by basis and type of customer",
}
# by how many bases stand in the table where contracts have a value
_BY_TYPE_SPAN = {
    0: "Twelve months to the end of {month}",
    1: "Twelve months to the end of {month}; contract value is an accounting total, exact",
    2: "Twelve months to the end of {month}; contract value is an accounting total, exact; blank: buyers without a contract have none",
}


def by_type_table(study: RetentionStudy) -> Block | None:
    """Business and consumer customers on both bases, with revenue beside customers."""
    both = _bases(study)
    if isinstance(study.contractual, NotDone) and not both:
        return absent("by_type", study.contractual, "Churn by customer type")
    money = {} if isinstance(study.revenue, NotDone) else {one.customer_type: one for one in study.revenue}
    columns = [
        words("type", "Basis and customer type", wide=True),
        metric("customer_movement", of="moved.counts.start", head="At start", slice={"movement": "start"}),
        metric("customer_movement", of="moved.counts.lost", head="Lost", slice={"movement": "lost"}),
        metric(CHURN, of="moved.gross_churn", key="churn", head="Gross churn"),
        interval(CHURN, of="moved.gross_churn", blank=True),
        metric(
            "contract_value",
            of="money.start",
            key="value",
            head="Yearly value at start",
            slice={"moment": "start"},
        ),
        metric("gross_revenue_retention", of="money.gross"),
        metric("net_revenue_retention", of="money.net"),
    ]
    lines = [
        {
            "type": paired(BASES[part.basis], customer_type(moved.customer_type)),
            "moved": moved,
            "money": money.get(moved.customer_type) if part.basis == "contractual" else None,
        }
        for part in both
        for moved in part.by_type
    ]
    if len(lines) < 2 and not money:
        return None  # the customers of one type are those of the table of movements
    return table_of(
        "retention.by_type",
        title=_by_type_title(lines, of_value=bool(money)),
        subtitle=Sentence(_BY_TYPE_SPAN[min(len(both), 2) if money else 0], {"month": study.month}),
        columns=columns,
        rows=lines,
        by=("customer_type",),
        note=source_of_buyers(study),
    )


def _by_type_title(lines: Sequence[Mapping[str, Any]], *, of_value: bool) -> Sentence:
    """What is compared; a company with one kind of customer on one basis compares nothing."""
    if len(lines) == 1:
        return Sentence(
            "Gross churn of customers and of contract value ({type:lower})", {"type": lines[0]["type"]}
        )
    return Sentence(_BY_TYPE[of_value])


def churn_history_figure(study: RetentionStudy) -> Block:
    """Yearly gross churn month by month against its limit."""
    from analysis.exhibits.charts import Item, Series, lines

    part = study.contractual
    if isinstance(part, NotDone):
        return absent("history", part, "Gross churn over time")
    if len(part.history) < 2:
        return remark("history", Sentence("No history of churn yet."))
    points = [(month, fact) for month, fact in part.history if fact.value is not None]
    values: dict[str, Value] = {"last": part.year.gross_churn, "month": study.month, "limit": study.limit}
    name = Text.of("Gross churn")
    return figure(
        "retention.history",
        title=Sentence(
            "Gross churn of contracts was {last}{last:doubt} in the twelve months to {month}; the limit is {limit}",
            values,
        ),
        subtitle=Sentence(
            "Customers under contract at the start whose contract was lost within twelve months, share in percent with interval"
        ),
        foot=source(study),
        alt=Sentence(
            "Line of yearly gross churn by month with its interval; it ends at {last}, the limit is {limit}.",
            values,
        ),
        draw=lines(
            [Series(name=name, points=points, role="focus")],
            measure=name,
            reference=Item(name=Text.of("Limit"), fact=study.limit),
        ),
    )


_AVOIDABLE = {True: Text.of("avoidable"), False: Text.of("unavoidable"), None: Text.of("not marked")}


_MARKED = {
    True: "Of the {avoidable:n} lost customers with a recorded mark {avoidable}{avoidable:doubt} were marked avoidable",
    False: "Lost customers by recorded reason; whether a loss was avoidable: {avoidable}",
}


def reasons_figure(study: RetentionStudy) -> Block:
    """Recorded reasons, avoidable ones in the focus colour."""
    from analysis.exhibits.charts import Item, ranked_bars

    if isinstance(study.reasons, NotDone):
        return absent("reasons", study.reasons, "Reasons of losses")
    found, avoidable = study.reasons
    items = [
        Item(
            name=paired(registry().value_label("churn_reason", reason), _AVOIDABLE[kind]),
            fact=fact,
            role="focus" if kind else "context",
        )
        for reason, kind, fact in found
    ]
    return figure(
        "retention.reasons",
        title=Sentence(_MARKED[avoidable.value is not None], {"avoidable": avoidable}),
        subtitle=Sentence(
            "Of the customers under contract at the start, the {share:denominator} lost in the twelve months to {month}, by recorded reason; share of the lost in percent",
            {"month": study.month, "share": found[0][2]},
        ),
        foot=source(study),
        alt=Sentence(
            "Bars of the recorded reasons of losses; {avoidable} are marked avoidable.",
            {"avoidable": avoidable},
        ),
        draw=ranked_bars(
            items, measure=Text.of("Share of losses"), by=registry().dimension_name("churn_reason")
        ),
    )
