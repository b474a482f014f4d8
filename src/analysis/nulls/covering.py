"""How often the interval of an estimate holds the truth that was planted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.metrics import NotDone, Parts, StudyInputs
from analysis.nulls.companies import Setting
from analysis.results import Fact

if TYPE_CHECKING:
    from analysis.sample import SampleTruth

#: The bad batch multiplies the failures that other machines are compared with, so no ratio of another cause would be exactly the planted one.
OFF = frozenset({"bad_batch"})


class Planted(Setting):
    """Companies with everything planted but what is :data:`OFF`."""

    def company(self, seed: int) -> tuple[StudyInputs, SampleTruth]:
        from analysis.sample import generate_arrow

        made, truth = generate_arrow(seed=seed, off=OFF, scale=self.scale)
        return self.opened(made, f"planted-{seed}"), truth


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Estimates whose interval holds the planted truth, those whose interval does not, and those that were not stated."""

    held: tuple[str, ...]
    missed: tuple[str, ...]
    not_stated: tuple[str, ...]

    @classmethod
    def of(cls, found: Mapping[str, tuple[Fact | None, float]]) -> Coverage:
        judged = {name: _holds(fact, truth) for name, (fact, truth) in found.items()}
        held, missed, absent = (
            tuple(name for name, one in judged.items() if one is state) for state in (True, False, None)
        )
        return cls(held=held, missed=missed, not_stated=absent)


def _holds(fact: Fact | None, truth: float) -> bool | None:
    if fact is None or fact.value is None or fact.interval is None:
        return None
    return fact.interval.low <= truth <= fact.interval.high


def costs(inputs: StudyInputs, truth: SampleTruth) -> Coverage:
    """The step of the price of each part whose price rose, and the surge of service partners."""
    from analysis.costs.cost_study import SIGNALS

    parts, rise, surge = Parts(section="costs"), truth["input_price_rise"], truth["outsourced_surge"]
    found: dict[str, tuple[Fact | None, float]] = {
        f"price step of {part}": (None, rise["price_ratio"] - 1) for part in rise["parts"]
    }
    for one in getattr(parts.do("price_steps", SIGNALS["price_steps"], inputs), "findings", ()):
        name = f"price step of {one.subject['part_no']}"
        if name in found:
            found[name] = (one.statement.values["change"], found[name][1])
    planted = surge["share"] / surge["usual_share"] * surge["fee_ratio"] - 1
    surges = getattr(parts.do("surges", SIGNALS["surges"], inputs), "findings", ())
    largest = max(surges, key=lambda one: one.rank, default=None)
    found["surge of service partners"] = (largest and largest.statement.values["rise"], planted)
    return Coverage.of(found)


def failures(inputs: StudyInputs, truth: SampleTruth) -> Coverage:
    """How the compressor wears out, and how much more often machines of the bad supplier fail."""
    from analysis.failures import localising, localising_facts
    from analysis.failures.baseline import Baseline
    from analysis.failures.field import Field
    from analysis.failures.lives import component_lives

    field, wear, supplier = Field.of(inputs), truth["wear_out"], truth["bad_supplier"]
    fitted, _ = component_lives(field)
    fit = next((one.fit for one in fitted if one.component == wear["component"]), None)
    shape = None
    if fit is not None:
        limits = fit.shape_interval(level=inputs.confidence)
        shape = field.state.between(
            "weibull_shape", limits.value, limits.low, limits.high, method="likelihood ratio", n=0
        )
    ratios = localising_facts.ratios_by(field, localising.cells_of(field, Baseline.of(field)))
    ratio = next(
        (
            fact
            for _, fact in ratios.get("supplier", ())
            if fact.dimensions["supplier"] == supplier["supplier"]
        ),
        None,
    )
    return Coverage.of(
        {
            f"Weibull shape of the {wear['component']}": (shape, wear["shape"]),
            f"failures of machines of {supplier['supplier']} against others": (ratio, supplier["rate_ratio"]),
        }
    )


def retention(inputs: StudyInputs, truth: SampleTruth) -> Coverage:
    """Hazard ratios of loss after a late answer to a complaint and after a repeat repair, each with the other held fixed."""
    from analysis.retention.drivers import drivers

    found = Parts(section="retention").do("drivers", drivers, inputs)
    ratios = {} if isinstance(found, NotDone) else found.ratios
    return Coverage.of(
        {
            "loss after a late answer to a complaint": (
                ratios.get(("slow", "total")),
                truth["slow_complaints"]["hazard_ratio"],
            ),
            "loss after a repeat repair": (
                ratios.get(("repeat", "total")),
                truth["repeat_repair_churn"]["hazard_ratio"],
            ),
        }
    )


COVERED: Mapping[str, Callable[[StudyInputs, SampleTruth], Coverage]] = {
    "costs": costs,
    "failures": failures,
    "retention": retention,
}
