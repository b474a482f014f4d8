"""How grave a finding is: by the money at stake and how sure it is, never by its kind.

Materiality is set as an auditor sets it (International Standard on Auditing 320: a share of a benchmark; 450: a smaller sum below which
a difference is clearly trivial). Both shares are dated assumptions of finance, the benchmark is the after-sales cost of twelve months.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis.formats import Number
from analysis.metrics.inputs import StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.stating import Stating
from analysis.periods import Period
from analysis.results import Check, Fact, Sentence, Severity, Stake
from analysis.summaries import Summarised

MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class Materiality(Summarised):
    """From which sum on a finding is an alert (``limit``), and below which it is only information (``trivial``).

    Neither has a value where no cost is booked; then nothing is material by money.
    """

    limit: Fact
    trivial: Fact

    def severity(self, money: Number | Fact | Stake | None, *, certain: bool = True) -> Severity:
        """Severity of a loss or a risk of so much money.

        Parameters
        ----------
        money : in the reporting currency; of a sum with an interval an alert needs the nearer end to be material, and never comes of one that holds zero; what is trivial is judged by the sum itself
        certain : whether it stands out from chance; what may be noise is never an alert

        Returns
        -------
        ``alert`` from the limit on, ``info`` below what is trivial, else ``watch``; ``watch`` where no sum or no limit is known
        """
        if self.limit.value is None or self.trivial.value is None or money is None:
            return "watch"
        stake = _weighed(money)
        if stake is None:
            return "watch"
        if certain and stake.least >= float(self.limit.value):
            return "alert"
        return "watch" if abs(stake.amount) >= float(self.trivial.value) else "info"


def _weighed(money: Number | Fact | Stake) -> Stake | None:
    if isinstance(money, Stake):
        return money
    if isinstance(money, Fact):
        return Stake.of(money)
    return Stake(amount=float(money), low=float(money), high=float(money))


@traced
def materiality(inputs: StudyInputs) -> Materiality:
    """The limits of the month, from the after-sales cost of the last twelve months."""
    state = Stating(inputs=inputs)
    cost = inputs.engine.fact("after_sales_cost", period=Period(inputs.month - (MONTHS - 1), inputs.month))
    limit = state.derived("materiality", state.assumed("materiality_share"), cost)
    return Materiality(
        limit=limit, trivial=state.derived("trivial_amount", state.assumed("trivial_share"), limit)
    )


def materiality_check(found: Materiality) -> Check:
    """Says where alerts begin, so that a reader knows what silence means."""
    if found.limit.value is None:
        sentence = Sentence("No cost is booked, so no finding is weighed by its money.")
    else:
        sentence = Sentence(
            "A loss that stands out from chance is an alert where the least that it may be over the period that its sentence leads with (the nearer end of its interval, or the sum where it is exact) reaches {limit}; a sum below {trivial} is information. Between them, where money is only at risk, and where an ordinary hidden cause could explain it or was not asked for, it is to be watched. Not weighed by money: a stated limit broken, data that stop or do not tie, and a fix after which failures rose are alerts; any other finding without a sum is at most to be watched. An effect that does not reach the smallest that matters is information, of a fix to be watched; what is neither a loss nor a risk is information. A surge of one account is weighed net of what the other accounts cost less in the same months and, where that leaves no loss, by what its price rose. What turned out for the better is marked as good.",
            {"limit": found.limit, "trivial": found.trivial},
        )
    return Check(id="materiality", outcome="info", sentence=sentence)
