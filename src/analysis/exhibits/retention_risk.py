"""Who comes up next: business accounts and their renewals, and the customers that early warning expects to leave."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.exhibits.figures import figure
from analysis.exhibits.key_figures import tiles
from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, customer_type, remark, source
from analysis.exhibits.specification import (
    Field,
    entry,
    estimate,
    interval,
    line,
    metric,
    registry,
    statement,
    table_of,
    tile,
    words,
)
from analysis.exhibits.vocabulary import phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Fact, Sentence, Value
from analysis.retention.accounts import HORIZON, Account, Due
from analysis.retention.revenue import Rolling
from analysis.retention.scores_facts import Call
from analysis.retention.study import LEFT_OUT, RetentionStudy

# what is said of every interval of a score
_HOLDS_THE_MISS = (
    "An interval holds the score and what it missed on the test snapshot, so it may begin or end at the score"
)

# ---------------------------------------------------------------- accounts


def accounts_tiles(study: RetentionStudy) -> Block:
    """How many accounts, what they are worth, how concentrated that is, and what comes up."""
    part = study.accounts
    if isinstance(part, NotDone):
        return absent("accounts_of", part, "Business accounts")
    value = line("contract_value", part.value, "Yearly value")
    at = study.month
    tenth = line("top_account_share", part.top_share, "By the largest tenth")
    due = line("accounts_due_value", part.due_value, "Yearly value")
    months = phrase("Business customers up for renewal within {number} months", number=str(HORIZON))
    return tiles(
        "retention.accounts_of",
        [
            tile(
                "accounts_under_contract",
                part.number,
                head=phrase("Business accounts under contract at the end of {month}", month=at),
                comparisons=[value],
            ),
            tile(
                "ten_account_share",
                part.ten_share,
                head=phrase("Contract value held by the ten largest, end of {month}", month=at),
                comparisons=[tenth],
            ),
            tile(
                "equal_accounts",
                part.equal_accounts,
                head=phrase(
                    "Effective number of business customers by contract value (1/HHI), end of {month}",
                    month=at,
                ),
            ),
            tile("accounts_due", part.due_number, head=months, comparisons=[due]),
        ],
    )


def renewals_figure(study: RetentionStudy) -> Block | None:
    """Contract value that comes up for renewal, month by month."""
    from analysis.exhibits.charts import Series, composition

    part = study.renewals
    if isinstance(part, NotDone):
        return absent("renewals", part, "Renewal calendar") if "b2b" in study.models else None
    if not part:
        return remark("renewals", Sentence("No contract comes up for renewal in the next twelve months."))
    series = [
        Series(
            name=customer_type(one), points=[(month, value) for month, kind, _, value in part if kind == one]
        )
        for one in sorted({kind for _, kind, _, _ in part})
    ]
    month, kind, _, value = max(part, key=lambda found: found[3].value or 0)
    values: dict[str, Value] = {"month": month, "value": value, "type": customer_type(kind)}
    return figure(
        "retention.renewals",
        title=Sentence(
            "The largest part up for renewal: {value} of {type:lower} contracts in {month}", values
        ),
        subtitle=Sentence("Yearly value of running terms by the month in which they end")
        if not isinstance(study.rolling, Rolling)
        else Sentence(
            "Yearly value of running terms by the month in which they end. Left out: {contracts} of less than three months, worth {value} a year, which come up all the time",
            {"contracts": study.rolling.contracts, "value": study.rolling.value},
        ),
        foot=source(study),
        alt=Sentence(
            "Stacked bars of contract value up for renewal by month; the largest part is {value} in {month}.",
            values,
        ),
        draw=composition(series, measure=Text.of("Contract value")),
    )


def _rank(one: Account | Due | Call) -> str:
    return str(one.rank)


def _segment(one: Account | Due | Call) -> Text:
    return registry().value_label("segment", one.segment)


def _region(one: Account | Due) -> Text:
    return registry().value_label("region", one.region)


def _where() -> list[Field]:
    """An account by its rank: its number stands in the evidence, never on a page."""
    return [
        words(_rank, "Rank", key="rank"),
        words(_segment, registry().dimension_name("segment"), key="segment"),
        words(_region, registry().dimension_name("region"), key="region"),
    ]


_LARGEST = {
    True: "The first {shown} by yearly contract value a year ago or now, of {number} under contract now and those lost within the year; kept: at most the value a year ago. Blank: not under contract then, nothing to keep, or lost and not scored. The interval of a chance holds besides what the score missed among such chances in its last test, so it need not lie around it. Customer numbers stand in the evidence file",
    False: "The first {shown} by yearly contract value a year ago or now, of {number} under contract now and those lost within the year; kept: at most the value a year ago. Blank: not under contract then, or nothing to keep. Customer numbers stand in the evidence file",
}


def largest_accounts_table(study: RetentionStudy) -> Block | None:
    """The largest business accounts by rank, a year ago and now."""
    part = study.accounts
    if isinstance(part, NotDone):
        return None
    value = "account_contract_value"
    return table_of(
        "retention.accounts",
        title=Sentence(
            "{number} under contract are businesses; the largest tenth hold {share} of their contract value",
            {"number": part.number, "share": part.top_share},
        ),
        subtitle=Sentence(
            _LARGEST[not isinstance(study.early_warning, NotDone)],
            {"shown": str(len(part.largest)), "number": part.number},
        ),
        columns=[
            *_where(),
            words(_kind, registry().dimension_name("contract_kind"), key="kind"),
            metric(
                value,
                of=lambda one: _unless_nil(one.before),
                key="before",
                head="Value a year ago",
                scale="exact",
                places=0,
                slice={"moment": "start"},
            ),
            metric(
                value,
                of=lambda one: _unless_nil(one.value),
                key="value",
                head="Value now",
                scale="exact",
                places=0,
            ),
            metric(
                "account_revenue_retention", of=lambda one: _unless_unknown(one.kept), key="kept", head="Kept"
            ),
            words(lambda one: one.due_on or Text.of("lost"), "Term ends", key="due"),
            *_chance_columns(study),
        ],
        rows=part.largest,
        by=("rank",),
        note=source(study),
    )


_DUE_BY_VALUE = "The first {shown} of {number}, the largest yearly value first"
_DUE_FIRST = "The first {shown} of {number}, the most value at risk (value times chance of loss) first"
_DUE = {
    True: f"{_DUE_FIRST}. Intervals of neighbours overlap: they could change places by chance. {_HOLDS_THE_MISS}",
    False: f"{_DUE_FIRST}. {_HOLDS_THE_MISS}",
}


def _kind(one: Account) -> Text:
    return registry().value_label("contract_kind", one.kind)


def _unless_nil(fact: Fact) -> Fact | None:
    """A blank where the account held nothing."""
    return fact if fact.value else None


def _unless_unknown(fact: Fact) -> Fact | None:
    """A blank where there was nothing to keep."""
    return fact if fact.value is not None else None


def _chance_columns(study: RetentionStudy) -> list[Field]:
    """The chance of loss within the months that early warning looks ahead, and its interval; none without early warning."""
    warning = study.early_warning
    if isinstance(warning, NotDone):
        return []
    head = phrase("Chance of loss within {number} months", number=str(warning.horizon))
    score = "account_loss_score"
    return [
        metric(score, of="chance", head=head),
        interval(score, of="chance", key="chance_interval", blank=True),
    ]


def _may_swap(facts: Sequence[Fact | None]) -> bool:
    """Whether the intervals of neighbours in a ranking overlap: chance could exchange them."""
    known = [fact.interval for fact in facts if fact is not None and fact.interval is not None]
    return any(
        one.low <= other.high and other.low <= one.high for one, other in zip(known, known[1:], strict=False)
    )


def _risk_columns() -> list[Field]:
    """Value times chance of loss, and its interval."""
    metric_id, of = "contract_value_at_risk", "at_risk"
    return [
        metric(metric_id, of=of, key="risk", head="Value at risk", scale="exact", places=0),
        interval(metric_id, of=of, key="risk_interval", scale="exact", places=0, blank=True),
    ]


def due_table(study: RetentionStudy) -> Block | None:
    """Accounts whose term ends soon, the most value at risk first."""
    part = study.accounts
    if isinstance(part, NotDone) or not part.due:
        return None
    values: dict[str, Value] = {"number": part.due_number, "value": part.due_value, "months": str(HORIZON)}
    title = Sentence(
        "Business customers up for renewal within {months} months: {number} worth {value} a year", values
    )
    if part.due_at_risk is not None:
        title = Sentence(
            "Business customers up for renewal within {months} months: {number} worth {value} a year; {risk}{risk:doubt} of it is at risk by the score",
            {**values, "risk": part.due_at_risk},
        )
    return table_of(
        "retention.due",
        title=title,
        subtitle=Sentence(
            _DUE_BY_VALUE if part.due_at_risk is None else _DUE[_may_swap([one.at_risk for one in part.due])],
            {"shown": str(len(part.due)), "number": part.due_number},
        ),
        columns=[
            *_where(),
            words("due_on", "Term ends", key="due"),
            metric("account_contract_value", of="value", head="Yearly value", scale="exact", places=0),
            *_chance_columns(study),
            *(_risk_columns() if part.due_at_risk is not None else []),
        ],
        rows=part.due,
        by=("due",),
        note=source(study),
    )


# ---------------------------------------------------------------- early warning

_CALL_ORDER = (
    "The first {shown} of {listed} on the list, by chance of loss within {months} months, as tested above"
)
_CALL_LIMITS = (
    "Whom a call would keep is not known: that takes customers left out by lot; margin at risk says where most is at stake. Reasons: what raises the "
    "score most against its usual value, not a cause. Customer numbers stand in the evidence file"
)
_CALL_INTERVALS = "Here it is the miss in the customer's tenth of the score, counted by customers; the interval of the whole list, in the table before, is of another miss: that of the customers then called, weighted by their margin"
_CALLED = {
    True: f"{_CALL_ORDER}; intervals of neighbours overlap, so they could change places by chance. {_HOLDS_THE_MISS}. {_CALL_INTERVALS}. {_CALL_LIMITS}",
    False: f"{_CALL_ORDER}. {_HOLDS_THE_MISS}. {_CALL_INTERVALS}. {_CALL_LIMITS}",
}

_LEARNER = {"logistic": Text.of("logistic regression"), "boosting": Text.of("gradient boosting")}


def score_table(study: RetentionStudy) -> Block:
    """How good the score is on a later snapshot, and what is at stake."""
    part = study.early_warning
    if isinstance(part, NotDone):
        return absent("scores", part, "Early warning")
    losses = phrase("Expected losses in the next {number} months", number=str(part.horizon))
    rows = [
        entry(
            "risk_score_precision",
            part.precision,
            "Lost among the customers the team can call",
            interval=True,
        ),
        entry(
            "risk_score_base_rate", part.base_rate, "Lost among all customers under contract", interval=True
        ),
        entry("risk_score_lift", part.lift, "Lift", interval=True),
        entry("risk_score_auc", part.auc, "Discrimination (0.5 is a coin)", interval=True),
        entry("expected_losses", part.expected_losses, losses, interval=True),
        entry(
            "margin_at_risk",
            part.margin,
            "Expected margin at risk, all customers",
            slice={"customers": "all"},
            interval=True,
        ),
        entry(
            "margin_at_risk",
            part.margin_called,
            "Expected margin at risk, call list",
            slice={"customers": "call_list"},
            interval=True,
        ),
    ]
    return table_of(
        "retention.scores",
        title=Sentence(
            "Calling the {called:n} riskiest customers reaches {lift} ({lift:interval}) as many losses as calling anyone",
            {"called": part.precision, "lift": part.lift},
        ),
        subtitle=Sentence(
            "Chosen on a later snapshot: {model}; tested on the snapshot of {test}, which it never saw. Expected losses and margin at risk are sums of the score; their intervals also hold what the score missed on the test snapshot, so they need not lie around the sum",
            {"model": _LEARNER[part.scores.chosen], "test": part.test},
        ),
        columns=statement(line="Early warning", value="Value", interval=True),
        rows=rows,
        note=source(study),
    )


def calibration_figure(study: RetentionStudy) -> Block | None:
    """Expected and observed losses by tenth of the score."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.early_warning
    if isinstance(part, NotDone):
        return None
    tenths = list(range(len(part.expected)))[1::2][::-1]
    items = [
        Item(name=phrase("Tenth {number}", number=str(index + 1)), fact=part.observed[index], role="focus")
        for index in tenths
    ]
    values: dict[str, Value] = {"observed": part.observed[-1], "expected": part.expected[-1]}
    return figure(
        "retention.calibration",
        title=_tenth_title(part.observed[-1], part.expected[-1], values),
        subtitle=Sentence(
            "Customers of the test snapshot by tenth of the score, every other one: lost within {months} months, share in percent; ring: expected",
            {"months": str(part.horizon)},
        ),
        foot=source(study),
        alt=Sentence(
            "Dots of observed and expected losses by tenth of the score; the last tenth has {observed} observed and {expected} expected.",
            values,
        ),
        draw=dot_interval(
            items,
            measure=phrase("Lost within {number} months", number=str(part.horizon)),
            by=Text.of("Tenth of the score"),
            beside=(Text.of("Expected"), [part.expected[index] for index in tenths]),
        ),
    )


def _tenth_title(observed: Fact, expected: Fact, values: dict[str, Value]) -> Sentence:
    """What was expected of the riskiest tenth, and whether chance explains what came instead."""
    found = observed.interval
    if found is None or found.low <= float(expected.value or 0) <= found.high:
        return Sentence(
            "In the riskiest tenth {observed}{observed:doubt} were lost, {expected} were expected", values
        )
    if float(expected.value or 0) < found.low:
        return Sentence(
            "In the riskiest tenth {observed}{observed:doubt} were lost, more than the {expected} expected",
            values,
        )
    return Sentence(
        "In the riskiest tenth {observed}{observed:doubt} were lost, fewer than the {expected} expected",
        values,
    )


def rounds_table(study: RetentionStudy) -> Block | None:
    """How the score would have done at each of the last snapshots."""
    part = study.early_warning
    if isinstance(part, NotDone) or not part.rounds:
        return None
    return table_of(
        "retention.rounds",
        title=Sentence(
            "Learnt afresh at each snapshot from what was known then: {precision}{precision:doubt} of those it would have called left in the last round",
            {"precision": part.rounds[-1].precision},
        ),
        subtitle=Sentence(
            "Snapshots on the first day of a month; lost within {months} months of it",
            {"months": str(part.horizon)},
        ),
        columns=[
            words("month", "Snapshot", wide=True),
            estimate("expected_losses", of="expected"),
            metric("observed_losses", of="lost", head="Lost under contract"),
            estimate("risk_score_auc", of="auc", head="Discrimination"),
            estimate("risk_score_precision", of="precision", head="Lost of those to call"),
            estimate("risk_score_base_rate", of="base_rate", key="base", head="Lost among all"),
        ],
        rows=part.rounds,
        by=("snapshot",),
        note=source(study),
    )


def calls_table(study: RetentionStudy) -> Block | None:
    """The head of the call list, without identifiers."""
    part = study.early_warning
    if "b2c" not in study.models:
        return absent("calls", NotDone(reason=LEFT_OUT["b2c"]), "Call list")
    if isinstance(part, NotDone) or not part.first_calls:
        return None
    return table_of(
        "retention.calls",
        title=Sentence("The head of the call list: whom to call first, and what to ask about"),
        subtitle=Sentence(
            _CALLED[_may_swap([one.chance for one in part.first_calls])],
            {
                "months": str(part.horizon),
                "shown": str(len(part.first_calls)),
                "listed": f"{len(part.calls):,}",
            },
        ),
        columns=[
            words(_rank, "Rank", key="rank"),
            words(lambda one: customer_type(one.customer_type), "Customer", key="type"),
            words(_segment, registry().dimension_name("segment"), key="segment"),
            *_chance_columns(study),
            estimate("margin_at_risk", of="margin", head="Margin at risk", scale="exact", places=0),
            words("reasons", "Raised by", wide=True),
        ],
        rows=part.first_calls,
        by=("call",),
        note=source(study),
    )
