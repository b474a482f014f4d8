"""What is large enough to alarm: a sum of money against materiality, an effect against the smallest that matters."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.failures.field import Field
from analysis.metrics.materiality import Materiality, materiality
from analysis.results import Fact, Interval, Severity
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True)
class Scale(Summarised):
    """Materiality of the month, and the smallest effects that matter (dated assumptions of quality).

    least_effect : of a failure ratio, as a share; least_shape : of a Weibull shape, its distance from one
    """

    materiality: Materiality
    least_effect: float
    least_shape: float

    @classmethod
    def of(cls, field: Field) -> Scale:
        return cls(
            materiality=materiality(field.inputs),
            least_effect=field.assumed("failure_least_effect"),
            least_shape=field.assumed("failure_least_shape"),
        )

    def ratio_matters(self, ratio: Fact) -> bool:
        """Whether the whole interval of a failure ratio lies further from one than the smallest effect that matters."""
        return ratio.interval is not None and self.limits_matter(ratio.interval.low, ratio.interval.high)

    def level_matters(self, rate: Fact, centre: Fact) -> bool:
        """The same of a rate against the level it is held against."""
        level, found = float(centre.value or 0), rate.interval
        return level > 0 and found is not None and found.low >= level * (1 + self.least_effect)

    def shape_matters(self, shape: Fact) -> bool:
        """The same of a Weibull shape."""
        return _beyond(shape.interval, self.least_shape)

    def limits_matter(self, low: float, high: float) -> bool:
        """The same of limits; where nothing failed elsewhere, the lower one is known and the ratio is not."""
        return low >= 1 + self.least_effect or high <= 1 - self.least_effect

    def of_ratio(
        self, ratio: Fact, money: Fact | None, *, limits: tuple[float, float] | None = None
    ) -> Severity:
        """Severity of failures that are too many: an alert needs a ratio that matters and a material sum; without a sum it is to be watched.

        ``limits`` of the ratio, where they are known although it has no interval.
        """
        if not (self.limits_matter(*limits) if limits else self.ratio_matters(ratio)):
            return "info"
        return self.materiality.severity(money if money is not None and money.value is not None else None)


def _beyond(interval: Interval | None, least: float) -> bool:
    return interval is not None and (interval.low >= 1 + least or interval.high <= 1 - least)
