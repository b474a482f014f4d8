"""The after-sales ledger beside the general ledger, to the cent; and the way from incurred cost to the expense of the profit and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from analysis.costs.figures import amounts_by, reported, size
from analysis.errors import MissingData
from analysis.locale.lengths import of_length
from analysis.metrics import NotDone, Period, Stating, StudyInputs, traced
from analysis.metrics.stating import TOO_FEW
from analysis.metrics.views.selection import selected, study_view
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Sentence, Stake, Value
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

NOTHING = Decimal("0.00")


@dataclass(frozen=True, kw_only=True, eq=False)
class TieOut(Summarised):
    """The ledger beside the general ledger, month by month and, where the control totals name accounts, account by account over the period.

    ``whole`` is the sum of a period of several months (ledger, control, difference); ``judged`` are the lines that the status is told of: the
    months of the period and their sum.
    """

    ledger: tuple[Fact, ...]
    control: tuple[Fact, ...]
    difference: tuple[Fact, ...]
    whole: tuple[Fact, Fact, Fact] | None
    judged: tuple[tuple[Period, Fact, Fact, Fact], ...]
    accounts: tuple[tuple[Fact, Fact, Fact], ...]
    status: str  # tied_out | within_tolerance | refused | no_control_totals

    @property
    def told(self) -> tuple[Period, Fact, Fact, Fact]:
        """The line that is said in words: the period's; a month of it that has no control total, or is furthest off where the sum agrees."""
        if lacking := [line for line in self.judged if line[3].value is None]:
            return lacking[0]
        last = self.judged[-1]
        return last if last[3].value else max([last, *self.judged], key=lambda line: size(line[3]))


@traced
def tie_out(inputs: StudyInputs, months: Sequence[Month]) -> TieOut:
    """Ledger minus control total for each month and, for the last month, each account.

    Zero to the cent is tied out, of several months in each of them and in their sum. A difference within ``tie_out_tolerance`` is a failed check;
    beyond it the pack is refused.

    Parameters
    ----------
    months : in order of time, those of the reported period last
    """
    engine, period = inputs.engine, inputs.period
    ledger = tuple(engine.fact("after_sales_cost", period=each) for each in months)
    control = tuple(_control(inputs, each) for each in months)
    difference = tuple(
        engine.derived("ledger_gl_difference", ours, theirs, period=each)
        for each, ours, theirs in zip(months, ledger, control, strict=True)
    )
    lines = list(zip(months, ledger, control, difference, strict=True))[-period.months :]
    whole = None if period.months == 1 else _whole(inputs, [theirs for _, _, theirs, _ in lines])
    judged = [(Period.of(each), ours, theirs, gap) for each, ours, theirs, gap in lines]
    judged += [(period, *whole)] if whole else []
    gaps = [gap for *_, gap in judged]
    if any(gap.value is None for gap in gaps):
        status = "no_control_totals"
    elif not any(gap.value for gap in gaps):
        status = "tied_out"
    else:
        within = max(map(size, gaps)) <= inputs.params.tie_out_tolerance
        status = "within_tolerance" if within else "refused"
    accounts = _account_totals(inputs, period)
    return TieOut(
        ledger=ledger,
        control=control,
        difference=difference,
        whole=whole,
        judged=tuple(judged),
        accounts=_accounts(inputs, accounts) if accounts else (),
        status=status,
    )


def _whole(inputs: StudyInputs, control: Sequence[Fact]) -> tuple[Fact, Fact, Fact]:
    """The sum of the period's months: ledger, control and difference; without one of the control totals there is no sum of them."""
    state, ours = reported(inputs), inputs.engine.fact("after_sales_cost", period=inputs.period)
    lacking = next((fact for fact in control if fact.value is None), None)
    theirs = (
        state.total("gl_after_sales_cost", *control)
        if lacking is None
        else state.exact("gl_after_sales_cost", None, reason=lacking.reason or TOO_FEW)
    )
    return ours, theirs, state.derived("ledger_gl_difference", ours, theirs)


def _control(inputs: StudyInputs, month: Month) -> Fact:
    """The control total of a month; of the reported period where the general ledger gives accounts only, their sum."""
    total = inputs.engine.fact("gl_after_sales_cost", period=month)
    if total.value is not None or not inputs.period.first <= month <= inputs.period.last:
        return total
    accounts = _account_totals(inputs, month)
    if not accounts:
        return total
    by_account = inputs.engine.registry["gl_account_after_sales_cost"]
    return Stating(inputs=inputs).counted(
        "gl_after_sales_cost",
        sum(accounts.values(), Decimal(0)),
        period=month,
        lineage=inputs.engine.rows_behind(by_account, month, {}),
    )


def _account_totals(inputs: StudyInputs, period: Month | Period) -> dict[str, Decimal]:
    """Control totals by account; empty where the general ledger names no account."""
    try:
        return amounts_by(inputs, "account", period, measure="gl_account_cost")
    except MissingData:
        return {}


def _accounts(inputs: StudyInputs, control: Mapping[str, Decimal]) -> tuple[tuple[Fact, Fact, Fact], ...]:
    """(ledger, control, difference) by account for the reported period."""
    state, ledger = reported(inputs), amounts_by(inputs, "account", inputs.period)
    lines = []
    for account in sorted(control.keys() | ledger.keys()):
        ours = state.counted("after_sales_cost", ledger.get(account, Decimal(0)), account=account)
        theirs = state.counted(
            "gl_account_after_sales_cost", control.get(account, Decimal(0)), account=account
        )
        lines.append((ours, theirs, state.derived("ledger_gl_difference", ours, theirs, account=account)))
    return tuple(lines)


def tie_out_findings(tied: TieOut) -> list[Finding]:
    if tied.status != "within_tolerance" and tied.status != "refused":
        return []
    off = [(ours, theirs, gap) for ours, theirs, gap in tied.accounts if gap.value]
    template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}."
    period, *line = tied.told
    values: dict[str, Value] = {"difference": line[2], "month": period}
    if off:
        template = "The after-sales ledger and the general ledger differ by {difference:exact} in {month}; account {account} differs by {gap:exact}."
        largest = max(off, key=lambda line: size(line[2]))
        values |= {"account": largest[2].dimensions["account"], "gap": largest[2]}
    return [
        Finding(
            id="costs.tie_out",
            section="costs",
            severity="alert",
            ground="data",
            stake=Stake.of(line[2]),
            statement=Sentence(template, values),
            method="Ledger minus control total, to the cent",
            evidence=_account_evidence(off or [(line[0], line[1], line[2])]),
            rank=1e12,
        )
    ]


def _account_evidence(lines: Sequence[tuple[Fact, Fact, Fact]]) -> pd.DataFrame:
    """The accounts that are off, or the whole where the control totals name no account."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "account": gap.dimensions.get("account", "all"),
                "ledger": ours.value,
                "general_ledger": theirs.value,
                "difference": gap.value,
            }
            for ours, theirs, gap in lines
        ]
    )


def tie_out_check(tied: TieOut) -> Check:
    """``ledger_tied_out``: passed at zero, failed otherwise, blocking beyond the tolerance; information without control totals."""
    period, ledger, control, difference = tied.told
    values: dict[str, Value] = {
        "ledger": ledger,
        "control": control,
        "difference": difference,
        "month": period,
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
def profit_and_loss(inputs: StudyInputs) -> ProfitAndLoss:
    """Expense = incurred − provision utilised + accrued ± adjusted; every posting stands in exactly one of the four by its basis.

    Raises
    ------
    MissingData
        Where no posting of the ledger accrues or utilises a provision.
    """
    engine, period, state = inputs.engine, inputs.period, reported(inputs)
    if engine.query("SELECT 1 FROM cost WHERE posting_basis IN ('accrual', 'utilisation') LIMIT 1").empty:
        raise MissingData(
            "ledger.posting_basis", message="no posting of the ledger accrues or utilises a provision"
        )
    incurred = inputs.fact("after_sales_cost")
    # whichever sign the ledger gives them, an accrual adds to the expense and a utilisation takes from it
    posted = selected("cost", period.condition())
    accrued, utilised, adjusted = (
        state.measured(f"provision_posted_{flow}", posted) for flow in ("accrued", "utilised", "adjusted")
    )
    expense = state.derived("after_sales_expense", incurred, accrued, utilised, adjusted)
    operating = inputs.fact("operating_cost_total")
    booked = [inputs.fact(f"provision_{flow}") for flow in ("accrued", "utilised")]
    return ProfitAndLoss(
        incurred=incurred,
        accrued=accrued,
        utilised=utilised,
        adjusted=adjusted,
        expense=expense,
        operating_cost=operating,
        outside=state.derived("operating_cost_outside", operating, expense),
        gap=state.derived(
            "provision_posting_gap",
            state.derived("provision_posted_movement", accrued, utilised),
            state.derived("provision_booked_movement", *booked),
        ),
    )


def profit_and_loss_check(statement: ProfitAndLoss | NotDone) -> list[Check]:
    """Whether the provision movements of the ledger are those of the provision table."""
    if isinstance(statement, NotDone) or statement.gap.value is None:
        return []
    holds = statement.gap.value == 0
    template = (
        of_length(
            "The provision movements posted in the ledger are those of the provision table, to the cent; the expense of the month is {expense:exact}.",
            Period.parse(statement.expense.period).months,
        )
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


@study_view
def refused_postings(aside: str) -> str:
    """Postings that were set aside, one row each, and why."""
    return f"SELECT DISTINCT file, row_number, reason FROM {aside}"


@traced
def currency_check(inputs: StudyInputs) -> Check:
    """Whether postings were set aside because their currency has no dated rate; a total that lacks them would pass for complete."""
    count = Stating(inputs=inputs).measured(
        "postings_without_rate", refused_postings(inputs.engine.set_aside("ledger"))
    )
    if not count.value:
        return Check(
            id="currencies",
            outcome="passed",
            sentence=Sentence(
                "Every posting is in {currency}, or was converted at the rate of its day.",
                {"currency": inputs.currency},
            ),
        )
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
    postings : (lines, columns) DataFrame
        One row per line of a journal, all accounts: ``journal_id`` and ``amount`` (Decimal or whole-cent text; debits and credits of opposite sign).

    Returns
    -------
    DataFrame, one row per journal that is off, largest difference first
        ``journal_id``, ``lines``, ``difference`` (Decimal, money). A deleted line leaves its amount with the sign turned, a moved cent leaves the cent.

    Raises
    ------
    ContractError
        For a column that is missing, or amounts that are no money.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import costs
    >>> lines = pd.DataFrame({"journal_id": ["J1", "J1", "J2"], "amount": ["10.00", "-10.00", "5.00"]})
    >>> costs.journal_imbalances(lines).astype(str).values.tolist()
    [['J2', '1', '5.00']]
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
