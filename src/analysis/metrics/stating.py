"""The one way a study makes a fact: what was counted, estimated, derived or assumed, each with what it follows from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from analysis.formats import Number, chance, decimal
from analysis.locale import Text
from analysis.periods import AGAINST, Period
from analysis.results import CENT, Assumed, Derived, Fact, Interval, Lineage

if TYPE_CHECKING:
    from analysis.metrics.inputs import StudyInputs
    from analysis.metrics.views.selection import Selection
    from analysis.periods import Month

#: Values of the dimension ``against`` that stand for another period.
PERIODS_AGAINST = frozenset(name for earlier in AGAINST.values() for name in earlier)
TOO_FEW = Text.of("not computed: too few customers")
NOBODY = Text.of("not computed: nobody was present at the start")


def cents(value: Number) -> Decimal:
    """Money that leaves a model, rounded to the cent once; halves away from zero, as ledgers do."""
    exact = Decimal(repr(value)) if isinstance(value, float) else decimal(value)
    return exact.quantize(CENT, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, kw_only=True)
class Stating:
    """States facts of one run. Dimensions are given by keyword.

    Parameters
    ----------
    inputs : the run
    period : of every fact that names none; the report month where left out
    """

    inputs: StudyInputs
    period: Month | Period | None = None

    def exact(
        self,
        metric: str,
        value: Number | None,
        *,
        reason: Text = TOO_FEW,
        period: Month | Period | None = None,
        lineage: Lineage | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """A count or an accounting amount: no interval. Without a value, the reason."""
        extra = dict(parts or {}) | ({"reason": reason} if value is None else {})
        return self.inputs.engine.stated(
            metric,
            period=period or self.period or self.inputs.month,
            value=value,
            dimensions=dimensions,
            lineage=lineage,
            **extra,
        )

    def share(
        self,
        metric: str,
        hits: float,
        of: float,
        *,
        reason: Text = TOO_FEW,
        period: Month | Period | None = None,
        lineage: Lineage | None = None,
        **dimensions: str,
    ) -> Fact:
        """A share of a count with its Wilson interval; of nobody, the reason."""
        from analysis import stats

        place: dict[str, Any] = {"period": period, "lineage": lineage, **dimensions}
        if not of:
            return self.exact(metric, None, reason=reason, **place)
        found = stats.proportion_interval(int(hits), int(of), method="wilson", level=self.inputs.confidence)
        counted = {"numerator": int(hits), "denominator": int(of)}
        return self.between(
            metric,
            hits / of,
            float(found.low),
            float(found.high),
            n=int(of),
            method=found.method,
            parts=counted,
            **place,
        )

    def chance(
        self, metric: str, hits: int, draws: int, *, period: Month | Period | None = None, **dimensions: str
    ) -> Fact:
        """The probability of what happened in so many simulated futures, with the Wilson interval of their number."""
        from analysis import stats

        value = chance(hits, draws)
        found = stats.proportion_interval(hits, draws, method="wilson", level=self.inputs.confidence)
        place: dict[str, Any] = {"period": period, **dimensions}
        return self.between(
            metric,
            value,
            min(value, float(found.low)),
            max(value, float(found.high)),
            n=draws,
            method="Wilson over simulated futures",
            **place,
        )

    def estimate(
        self,
        metric: str,
        value: Number,
        error: float,
        *,
        n: int,
        method: str,
        period: Month | Period | None = None,
        lineage: Lineage | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """An estimate with the symmetric interval of the normal distribution; ``error`` is its standard error."""
        from scipy.stats import norm

        reach = float(norm.ppf(0.5 + self.inputs.confidence / 2)) * error
        place: dict[str, Any] = {"period": period, "lineage": lineage, "parts": parts, **dimensions}
        return self.between(
            metric, value, float(value) - reach, float(value) + reach, n=n, method=method, **place
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
        reason: Text = TOO_FEW,
        period: Month | Period | None = None,
        lineage: Lineage | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """An estimate between two limits, in either order; what is not finite (not reached, not estimable) becomes its reason."""
        place: dict[str, Any] = {"period": period, "lineage": lineage, **dimensions}
        if not all(math.isfinite(number) for number in (float(value), low, high)):
            return self.exact(metric, None, reason=reason, **place)
        interval = Interval.spanning(
            low=float(low), high=float(high), level=self.inputs.confidence, method=method
        )
        extra = dict(parts or {}) | {"interval": interval, "n": int(n)}
        return self.exact(metric, value, parts=extra, **place)

    def derived(
        self,
        metric: str,
        *parents: Fact,
        period: Month | Period | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """A fact computed from others by the operation that the metric's definition names; a month that is not whole is held against none."""
        lacks = self._not_compared(parents) if dimensions.get("against") in PERIODS_AGAINST else None
        return self.inputs.engine.derived(
            metric,
            *parents,
            period=period or self.period or self.inputs.month,
            dimensions=dimensions,
            lacks=lacks,
            **({} if lacks else dict(parts or {})),
        )

    def _not_compared(self, parents: Sequence[Fact]) -> Text | None:
        """Why periods are not held against one another: the reported one, or one that these facts are of, is not whole."""
        begun = (self.inputs.begins_within(Period.of(one.period), one.sources) for one in parents)
        return self.inputs.partial or next(filter(None, begun), None)

    def counted(
        self,
        metric: str,
        numerator: Number | None,
        denominator: Number | None = None,
        *,
        period: Month | Period | None = None,
        lineage: Lineage | None = None,
        **dimensions: str,
    ) -> Fact:
        """A metric of measures whose parts were summed already; ``lineage`` where its rows are others than the measures'."""
        when = period or self.period or self.inputs.month
        return self.inputs.engine.ratio(
            metric, numerator, denominator, period=when, dimensions=dimensions, lineage=lineage
        )

    def measured(
        self,
        metric: str,
        rows: Selection,
        of: Selection | None = None,
        /,
        *,
        period: Month | Period | None = None,
        reason: Text | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> Fact:
        """A metric of measures over rows that the study selected; ``of`` are the rows of the denominator where they are others."""
        place: dict[str, Any] = {"period": period, "reason": reason, "parts": parts, **dimensions}
        return self.measured_by(metric, rows, of, by=(), **place)[()]

    def measured_by(
        self,
        metric: str,
        rows: Selection,
        of: Selection | None = None,
        /,
        *,
        by: Sequence[str],
        of_by: Sequence[str] | None = None,
        period: Month | Period | None = None,
        reason: Text | None = None,
        parts: Mapping[str, Any] | None = None,
        **dimensions: str,
    ) -> dict[tuple[str, ...], Fact]:
        """As :meth:`measured`, every slice at once (:meth:`analysis.metrics.engine.Engine.measured_by`)."""
        return self.inputs.engine.measured_by(
            metric,
            rows,
            of,
            by=by,
            of_by=of_by,
            period=period or self.period or self.inputs.month,
            dimensions=dimensions,
            reason=reason,
            parts=parts,
        )

    def total(
        self, metric: str, *parts: Fact, period: Month | Period | None = None, **dimensions: str
    ) -> Fact:
        """The sum of facts of the same metric; of none, nothing was counted."""
        value: Number = sum((decimal(part.value) for part in parts if part.value is not None), Decimal(0))
        follows = Derived(operation="sum", parents=parts) if parts else None
        place: dict[str, Any] = {"period": period, "lineage": follows, **dimensions}
        return self.exact(metric, value, **place)

    def assumed(
        self, metric: str, *, period: Month | Period | None = None, on: Month | None = None, **dimensions: str
    ) -> Fact:
        """The dated assumption that the metric's definition names, as it holds on the last day of the report month or of another."""
        entry = self.inputs.engine.registry[metric]
        value = self.inputs.assumptions.value(entry.assumption, on=(on or self.inputs.month).last_day)
        follows = Assumed(source="params/assumptions.yml", name=entry.assumption)
        place: dict[str, Any] = {"period": period, "lineage": follows, **dimensions}
        return self.exact(metric, value, **place)
