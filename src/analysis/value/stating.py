"""Facts of the value study: one place that turns counts, sums and estimates into published numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from analysis.locale import Text
from analysis.metrics import Period, StudyInputs
from analysis.results import Fact, Interval
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.formats import Number
    from analysis.periods import Month

TOO_FEW = Text(en="not computed: too few customers", zh="未计算：客户太少")
ERROR = "Hessian and holdout"


@dataclass(frozen=True, kw_only=True)
class Stating(Summarised):
    """States facts of one month. Dimensions are given by keyword."""

    inputs: StudyInputs

    def exact(
        self,
        metric: str,
        value: Number | None,
        *,
        reason: Text | None = None,
        period: Month | Period | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """A count or an amount without interval; None needs its reason."""
        extra = dict(parts or {}) | ({"reason": reason or TOO_FEW} if value is None else {})
        return self.inputs.engine.stated(
            metric, period=period or self.inputs.month, value=value, dimensions=dimensions, **extra
        )

    def estimate(
        self,
        metric: str,
        value: Number,
        error: float,
        *,
        n: int,
        method: str = ERROR,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """An estimate with a symmetric interval of the normal distribution."""
        from scipy.stats import norm

        reach = float(norm.ppf(0.5 + self.inputs.confidence / 2)) * error
        return self.between(
            metric,
            value,
            float(value) - reach,
            float(value) + reach,
            n=n,
            method=method,
            parts=parts,
            **dimensions,
        )

    def between(
        self,
        metric: str,
        value: Number,
        low: float,
        high: float,
        *,
        n: int,
        method: str,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        interval = Interval(low=float(low), high=float(high), level=self.inputs.confidence, method=method)
        return self.inputs.engine.stated(
            metric,
            period=self.inputs.month,
            value=value,
            dimensions=dimensions,
            interval=interval,
            n=int(n),
            **dict(parts or {}),
        )

    def share(self, metric: str, hits: int, of: int, *, reason: Text = TOO_FEW, **dimensions: Any) -> Fact:
        """A share of customers with its Wilson interval."""
        from analysis import stats

        if not of:
            return self.exact(metric, None, reason=reason, **dimensions)
        found = stats.proportion_interval(hits, of, method="wilson", level=self.inputs.confidence)
        return self.between(
            metric,
            hits / of,
            float(found.low),
            float(found.high),
            n=of,
            method="Wilson",
            parts={"numerator": hits, "denominator": of},
            **dimensions,
        )


def cents(value: float) -> Decimal:
    """Money that leaves a model: rounded to the cent once."""
    return Decimal(repr(round(float(value), 2))).quantize(Decimal("0.01"))
