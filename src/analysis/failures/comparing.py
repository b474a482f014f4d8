"""Failures of some machines over those that the other machines of their product lines would have had in their place.

One ratio is common to all lines, and each line has a level of its own; a line in which there are no others is left out, on both sides. With one line the
ratio and its interval are those of two Poisson rates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.locale import Text
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

LEAST = 1.0
"""Expected failures below which a ratio to them says nothing: half a failure more among the others would halve it."""
BEYOND = Text.of("beyond the data")
NO_OTHERS = Text.of("no other machine of its product lines to compare with")
SAME_AGE = Text.of("other machines of the same age")
SAME_LINE = Text.of("other machines of the same product line and age")
SAME_AGE_AND_USE = Text.of("other machines of the same age and use")
SAME_LINE_AND_USE = Text.of("other machines of the same product line, age and use")
RATIO_METHOD = "exact conditional (two Poisson rates)"
SIDES = ["failures", "expected", "others", "others_expected"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared(Summarised):
    """Failures, those ``expected`` at the level of the others, and the failures of the others as many as they count for; ``lines`` that were compared.

    ``levels``: actual to expected of the others by line
    """

    failures: float
    expected: float
    others: float
    lines: tuple[str, ...]
    levels: dict[str, float]

    @property
    def known(self) -> bool:
        """Whether there is anything to compare with: enough expected, and a failure elsewhere."""
        return self.expected >= LEAST and self.others > 0

    @property
    def ratio(self) -> float:
        return self.failures / self.expected if self.expected > 0 else np.inf

    @property
    def error(self) -> float:
        """Standard error of what is expected."""
        return self.expected / float(np.sqrt(max(self.others, 1.0)))

    def limits(self, level: float) -> tuple[float, float]:
        """Limits of the ratio: exact for one line, of several by the count of others that tells as much (as Fay and Feuer 1997 do for standardised rates)."""
        from analysis.stats import rate_ratio_interval

        found = rate_ratio_interval(self.failures, self.expected, self.others, self.others, level=level)
        return float(found.low), float(found.high)

    @classmethod
    def of(cls, own: pd.DataFrame, others: pd.DataFrame) -> Compared:
        """From cells with ``product_line``, ``failures`` and ``expected`` of the machines and of the others."""
        one, rest = (by_line(frame) for frame in (own, others))
        rest = rest.rename(columns={"failures": "others", "expected": "others_expected"})
        return cls.by_line(one.join(rest, how="outer").fillna(0.0))

    @classmethod
    def by_line(cls, sides: pd.DataFrame) -> Compared:
        """From one row per line with the columns of :data:`SIDES`."""
        sides = sides[(sides["expected"] > 0) & (sides["others_expected"] > 1e-9 * sides["expected"])]
        failed, due, others, others_due = (sides[name].to_numpy(dtype=float) for name in SIDES)
        ratio = _common_ratio(failed, due, others, others_due)
        both = failed + others
        if np.isfinite(ratio):
            expected = due * both / (ratio * due + others_due)
            told = float((expected[both > 0] ** 2 / both[both > 0]).sum())
            count = expected.sum() ** 2 / told - failed.sum() if told > 0 else 0.0
            count = float(others[0]) if len(others) == 1 else count
        else:
            expected, count = np.zeros(len(due)), 0.0
        return cls(
            failures=float(failed.sum()),
            expected=float(expected.sum()),
            others=max(float(count), 0.0) if others.sum() > 0 else 0.0,
            lines=tuple(str(line) for line in sides.index),
            levels={
                str(line): float(f / d) for line, f, d in zip(sides.index, others, others_due, strict=True)
            },
        )


def by_line(frame: pd.DataFrame) -> pd.DataFrame:
    """Failures and expected failures of cells by product line."""
    return frame.groupby("product_line", sort=True)[["failures", "expected"]].sum()


@traced
def _common_ratio(failed: np.ndarray, due: np.ndarray, others: np.ndarray, others_due: np.ndarray) -> float:
    """Maximum likelihood of one rate ratio over lines with a level each: given the totals, the counts are binomial."""
    both = failed + others
    if not len(both):
        return np.inf
    if len(both) == 1:
        return float(failed[0] / due[0] / (others[0] / others_due[0])) if others[0] > 0 else np.inf
    if failed.sum() == 0:
        return 0.0
    # a line in which all failures are on one side pulls to that side for ever; the others hold it
    if not (others > 0).any():
        return np.inf

    def above(log_ratio: float) -> float:
        odds = np.exp(log_ratio) * due
        return float((failed - both * odds / (odds + others_due)).sum())

    from scipy.optimize import brentq

    return float(np.exp(brentq(above, -40.0, 40.0, xtol=1e-12)))
