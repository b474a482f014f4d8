"""The after-sales ledger beside the general ledger, to the cent; and the way from incurred cost to the expense of the profit and loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.costs.figures import amount_of, amounts_by, size
from analysis.errors import MissingData
from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.metrics.lineage import traced
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True, eq=False)
class TieOut(Summarised):
    """The ledger beside the general ledger, month by month and, where the control totals name accounts, account by account."""

    ledger: tuple[Fact, ...]
    control: tuple[Fact, ...]
    difference: tuple[Fact, ...]
    accounts: tuple[tuple[Fact, Fact, Fact], ...]
    status: str  # tied_out | within_tolerance | refused | no_control_totals


@traced
def tie_out(inputs: StudyInputs, months: Sequence[Month]) -> TieOut:
    """Ledger minus control total for each month and, for the report month, each account.

    Zero to the cent is tied out. A difference within ``tie_out_tolerance`` is a failed check; beyond it the pack is refused.
    """
    engine, month = inputs.engine, inputs.month
    ledger = tuple(engine.fact("after_sales_cost", period=each) for each in months)
    control = tuple(engine.fact("gl_after_sales_cost", period=each) for each in months)
    if control[-1].value is None and _account_totals(inputs):
        control = (*control[:-1], _sum_of_accounts(inputs, month))
    difference = tuple(
        _difference(inputs, ours, theirs) for ours, theirs in zip(ledger, control, strict=True)
    )
    gap = difference[-1].value
    if gap is None:
        status = "no_control_totals"
    elif gap == 0:
        status = "tied_out"
    else:
        status = "within_tolerance" if size(difference[-1]) <= inputs.params.tie_out_tolerance else "refused"
    return TieOut(
        ledger=ledger, control=control, difference=difference, accounts=_accounts(inputs), status=status
    )


@traced
def _sum_of_accounts(inputs: StudyInputs, month: Month) -> Fact:
    """The control total where the general ledger gives accounts only: their sum."""
    return inputs.engine.stated(
        "gl_after_sales_cost", period=month, value=sum(_account_totals(inputs).values(), Decimal(0))
    )


def _difference(inputs: StudyInputs, ours: Fact, theirs: Fact) -> Fact:
    engine, dimensions = inputs.engine, ours.dimensions
    if ours.value is None or theirs.value is None:
        reason = (theirs if theirs.value is None else ours).reason
        return engine.stated(
            "ledger_gl_difference", period=ours.period, value=None, reason=reason, dimensions=dimensions
        )
    return engine.stated(
        "ledger_gl_difference",
        period=ours.period,
        value=amount_of(ours) - amount_of(theirs),
        dimensions=dimensions,
    )


@traced
def _account_totals(inputs: StudyInputs) -> dict[str, Decimal]:
    try:
        frame = inputs.engine.aggregate("gl_account_cost", by=("account",), period=inputs.month)
    except MissingData:
        return {}
    return {
        account: amount
        for account, amount in zip(frame["account"], frame["gl_account_cost"], strict=True)
        if amount is not None
    }


@traced
def _accounts(inputs: StudyInputs) -> tuple[tuple[Fact, Fact, Fact], ...]:
    """(ledger, control, difference) by account for the report month; empty where the control totals name no account."""
    control = _account_totals(inputs)
    if not control:
        return ()
    ledger = amounts_by(inputs, "account", inputs.month)
    lines = []
    for account in sorted(control.keys() | ledger.keys()):
        place = {"account": account}
        ours = inputs.engine.ratio(
            "after_sales_cost", ledger.get(account, Decimal(0)), None, period=inputs.month, dimensions=place
        )
        theirs = inputs.engine.ratio(
            "gl_account_after_sales_cost",
            control.get(account, Decimal(0)),
            None,
            period=inputs.month,
            dimensions=place,
        )
        lines.append((ours, theirs, _difference(inputs, ours, theirs)))
    return tuple(lines)


def tie_out_findings(inputs: StudyInputs, tied: TieOut) -> list[Finding]:
    if tied.status != "within_tolerance" and tied.status != "refused":
        return []
    off = [(ours, theirs, gap) for ours, theirs, gap in tied.accounts if gap.value]
    template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}."
    values: dict[str, Value] = {"difference": tied.difference[-1], "month": inputs.month}
    if off:
        template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}; account {account} differs by {gap:exact}."
        largest = max(off, key=lambda line: size(line[2]))
        values |= {"account": largest[2].dimensions["account"], "gap": largest[2]}
    return [
        Finding(
            id="costs.tie_out",
            section="costs",
            severity="alert",
            statement=Sentence(template, values),
            method="Ledger minus control total, to the cent",
            evidence=_account_evidence(off),
            rank=1e12,
        )
    ]


def _account_evidence(lines: Sequence[tuple[Fact, Fact, Fact]]) -> pd.DataFrame | None:
    if not lines:
        return None
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "account": gap.dimensions["account"],
                "ledger": ours.value,
                "general_ledger": theirs.value,
                "difference": gap.value,
            }
            for ours, theirs, gap in lines
        ]
    )


def tie_out_check(inputs: StudyInputs, tied: TieOut) -> Check:
    """``ledger_tied_out``: passed at zero, failed otherwise, blocking beyond the tolerance; information without control totals."""
    values: dict[str, Value] = {
        "ledger": tied.ledger[-1],
        "control": tied.control[-1],
        "difference": tied.difference[-1],
        "month": inputs.month,
    }
    match tied.status:
        case "tied_out":
            return Check(
                id="ledger_tied_out",
                outcome="passed",
                sentence=Sentence(
                    "The ledger of {month} ties out to the general ledger to the cent: {ledger:exact}.",
                    values,
                ),
            )
        case "no_control_totals":
            return Check(
                id="ledger_tied_out",
                outcome="info",
                sentence=Sentence(
                    "Not tied out: there is no control total of the general ledger for {month} (gl_totals, measure after_sales_cost).",
                    values,
                ),
            )
    return Check(
        id="ledger_tied_out",
        outcome="failed",
        blocking=tied.status == "refused",
        sentence=Sentence(
            "The ledger of {month} does not tie out: ledger {ledger:exact}, general ledger {control:exact}, difference {difference:exact}.",
            values,
        ),
    )


# -- the profit and loss ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfitAndLoss(Summarised):
    """Incurred cost, the movements of the provision and the expense they lead to.

    ``gap`` compares the utilisation and accrual postings of the ledger with the provision table: the two records of one movement.
    """

    incurred: Fact
    accrued: Fact
    utilised: Fact
    adjusted: Fact
    expense: Fact
    operating_cost: Fact
    outside: Fact
    gap: Fact


@traced
def profit_and_loss(inputs: StudyInputs) -> ProfitAndLoss | MissingData:
    """Expense = incurred − provision utilised + accrued ± adjusted; every posting stands in exactly one of the four by its basis."""
    engine, month = inputs.engine, inputs.month
    if not engine.query("SELECT 1 FROM cost WHERE posting_basis IN ('accrual', 'utilisation') LIMIT 1").shape[
        0
    ]:
        return MissingData(
            "ledger.posting_basis",
            message="not computed: no posting of the ledger accrues or utilises a provision",
        )
    rows = engine.query(
        f"SELECT posting_basis, sum(amount) AS amount FROM cost WHERE {Period.of(month).condition()} GROUP BY 1 ORDER BY 1"
    )
    amounts = dict(zip(rows["posting_basis"], rows["amount"], strict=True))
    zero = Decimal("0.00")
    parts = {
        "incurred": amounts.get("incurred", zero) + amounts.get("recovery", zero),
        "accrued": abs(amounts.get("accrual", zero)),
        "utilised": abs(amounts.get("utilisation", zero)),
        "adjusted": amounts.get("adjustment", zero),
    }
    expense = parts["incurred"] + parts["accrued"] - parts["utilised"] + parts["adjusted"]
    control = engine.query(
        f"SELECT sum(amount) AS amount FROM control_totals WHERE measure = 'operating_cost' AND account = 'all' AND {Period.of(month).condition()}"
    )
    operating = (
        control["amount"].iloc[0]
        if len(control) and control["amount"].iloc[0] == control["amount"].iloc[0]
        else None
    )

    def fact(metric: str, value: Decimal | None) -> Fact:
        reason = (
            None if value is not None else Text(en="not computed: no control total", zh="未计算：无控制数")
        )
        return engine.stated(metric, period=month, value=value, reason=reason)

    provision = engine.query(
        f"SELECT sum(accrued) AS accrued, sum(utilised) AS utilised FROM provision WHERE {Period.of(month).condition()}"
    )
    booked = (
        None
        if provision["accrued"].isna().all()
        else (parts["accrued"] - parts["utilised"])
        - (provision["accrued"].iloc[0] - provision["utilised"].iloc[0])
    )
    return ProfitAndLoss(
        incurred=engine.fact("after_sales_cost", period=month),
        accrued=fact("provision_posted_accrued", parts["accrued"]),
        utilised=fact("provision_posted_utilised", -parts["utilised"]),
        adjusted=fact("provision_posted_adjusted", parts["adjusted"]),
        expense=fact("after_sales_expense", expense),
        operating_cost=fact("operating_cost_total", operating),
        outside=fact("operating_cost_outside", None if operating is None else operating - expense),
        gap=fact("provision_posting_gap", booked),
    )


def profit_and_loss_check(statement: ProfitAndLoss | MissingData) -> list[Check]:
    """Whether the provision movements of the ledger are those of the provision table."""
    if isinstance(statement, MissingData) or statement.gap.value is None:
        return []
    holds = statement.gap.value == 0
    template = (
        "The provision movements posted in the ledger are those of the provision table, to the cent; the expense of the month is {expense:exact}."
        if holds
        else "The provision movements posted in the ledger differ from the provision table by {gap:exact}."
    )
    values = {"expense": statement.expense} if holds else {"gap": statement.gap}
    return [
        Check(
            id="expense_reconciled",
            outcome="passed" if holds else "failed",
            sentence=Sentence(template, values),
        )
    ]


def currency_check(inputs: StudyInputs) -> Check:
    """Whether postings were set aside because their currency has no dated rate; a total that lacks them would pass for complete."""
    faults = inputs.engine.tables.quarantine_by_reason
    refused = int(
        faults.loc[(faults["table"] == "ledger") & (faults["reason"] == "no_exchange_rate"), "rows"].sum()
    )
    if not refused:
        return Check(
            id="currencies",
            outcome="passed",
            sentence=Sentence(
                "Every posting is in {currency}, or was converted at the rate of its day.",
                {"currency": inputs.currency},
            ),
        )
    count = inputs.engine.stated("postings_without_rate", period=inputs.month, value=refused)
    return Check(
        id="currencies",
        outcome="failed",
        sentence=Sentence(
            "{count} postings were refused: their currency has no rate in params on their day. The cost of the months they belong to is too low by them.",
            {"count": count},
        ),
    )


@traced
def journal_imbalances(postings: pd.DataFrame) -> pd.DataFrame:
    """Journals whose postings do not net to zero, as whole journals do in double entry.

    Parameters
    ----------
    postings : one row per line of a journal, all accounts
        ``journal_id`` and ``amount`` (Decimal or whole-cent text; debits and credits of opposite sign).

    Returns
    -------
    DataFrame, one row per journal that is off: ``journal_id``, ``lines``, ``difference`` (Decimal), largest difference first. A deleted line
    leaves its amount with the sign turned, a moved cent leaves the cent.
    """
    import pandas as pd

    from analysis.costs.cents import cents_of, decimals
    from analysis.errors import ContractError

    absent = [name for name in ("journal_id", "amount") if name not in postings.columns]
    if absent:
        raise ContractError(
            f"journals: column {', '.join(absent)} is missing; a journal nets by journal_id and amount."
        )
    blank = int(postings["journal_id"].isna().sum())
    if blank:
        raise ContractError(
            f"journals: {blank} lines have no journal_id; a line without its journal cannot be netted."
        )
    cents = pd.DataFrame(
        {
            "journal_id": postings["journal_id"].to_numpy(),
            "cents": cents_of(postings["amount"], what="amount"),
        }
    )
    netted = cents.groupby("journal_id", sort=True)["cents"].agg(lines="size", difference="sum").reset_index()
    off = netted[netted["difference"] != 0]
    off = (
        off.assign(size=off["difference"].abs())
        .sort_values(["size", "journal_id"], ascending=[False, True], kind="stable")
        .drop(columns="size")
    )
    off = off.reset_index(drop=True)
    return off.assign(difference=decimals(off["difference"]))
