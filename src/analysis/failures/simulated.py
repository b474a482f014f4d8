"""What the search, the watch and the life analysis find where the truth is known: simulated fields, kept counts, and the table the notebook prints.

A simulated field has 40 batches (each of one of 6 models, one of 3 plants and one of 20 months of production), parts of 3 suppliers in every batch, 5 regions and
4 components; batches go to regions in uneven shares. About 6,000 failures are expected. What is planted multiplies the failures of one component
in the affected machines; a hundred of these are expected without it. The counts in ``params/simulated/failures.yml`` were made by
``python -m analysis.failures.simulated``; a test makes the first of them again and a slow test all of them, so that the table cannot drift from the search.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.failures import localising, monitoring, views
from analysis.failures.error_rates import ErrorRates
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.results import Interval

Random = np.random.Generator
BATCHES, REGIONS, SUPPLIERS, COMPONENTS = 40, 5, 3, 4
AFFECTED = 100.0
"""Failures expected without the fault in the affected machines and component."""
HOME = 0.8
"""Part of the bad batch that went to one region."""
PART = "C1"


@traced
def field_of(random: Random) -> pd.DataFrame:
    """One row per combination of attributes and component: ``due``, the failures expected without a fault."""
    rows = []
    for number in range(BATCHES):
        regions, suppliers = (
            random.dirichlet(np.full(REGIONS, 2.0)),
            random.dirichlet(np.full(SUPPLIERS, 4.0)),
        )
        made = {
            "model": f"M{number % 6}",
            "batch": f"B{number:02d}",
            "plant": f"P{random.integers(3)}",
            "produced_month": f"20{24 + number // 24}-{number // 2 % 12 + 1:02d}",
        }
        size = random.uniform(100, 200)
        rows += [
            made
            | {
                "supplier": f"S{s}",
                "region": f"R{r}",
                "component": f"C{c}",
                "due": size * regions[r] * suppliers[s] * weight,
            }
            for s in range(SUPPLIERS)
            for r in range(REGIONS)
            for c, weight in enumerate((0.4, 0.3, 0.2, 0.1))
        ]
    return pd.DataFrame(rows)


@traced
def _scaled(field: pd.DataFrame, where: Any, total: float) -> pd.DataFrame:
    due = field["due"].to_numpy(copy=True)
    due[where] *= total / due[where].sum()
    return field.assign(due=due)


Planted = tuple[pd.DataFrame, np.ndarray, dict[str, str]]


@traced
def batch_in_one_region(random: Random) -> Planted:
    """A bad batch of which four fifths went to one region, where other batches are too."""
    field = field_of(random)
    batch, home, part = (
        (field["batch"] == "B17").to_numpy(),
        (field["region"] == "R2").to_numpy(),
        (field["component"] == PART).to_numpy(),
    )
    for one in (part, ~part):
        total = AFFECTED if one is part else float(field["due"][batch & one].sum())
        field = _scaled(
            _scaled(field, batch & home & one, HOME * total), batch & ~home & one, (1 - HOME) * total
        )
    return field, batch & part, {"batch": "B17"}


@traced
def supplier_across_models(random: Random) -> Planted:
    field = field_of(random)
    own = ((field["supplier"] == "S2") & (field["component"] == PART)).to_numpy()
    return _scaled(field, own, AFFECTED), own, {"supplier": "S2"}


@traced
def one_production_month(random: Random) -> Planted:
    """A fault in the two batches of one month."""
    field = field_of(random)
    own = ((field["produced_month"] == "2024-10") & (field["component"] == PART)).to_numpy()
    return _scaled(field, own, AFFECTED), own, {"produced_month": "2024-10"}


@traced
def from_a_production_month(random: Random) -> Planted:
    """A fault that begins in one month and stays for the five that are left; the hundred are those of all five."""
    field = field_of(random)
    own = ((field["produced_month"] >= "2025-04") & (field["component"] == PART)).to_numpy()
    return _scaled(field, own, AFFECTED), own, {"produced_month from": "2025-04"}


PLANTED: Mapping[str, Callable[[Random], Planted]] = {
    "batch_in_one_region": batch_in_one_region,
    "from_a_production_month": from_a_production_month,
    "one_production_month": one_production_month,
    "supplier_across_models": supplier_across_models,
}
NEAR = "from_a_production_month_or_the_next"
"""The same fields as ``from_a_production_month``, a month early or late forgiven: the first month alone has a fifth of the failures."""


@traced
def cells_of(field: pd.DataFrame, failures: Any) -> localising.Cells:
    frame = field.rename(columns={"due": "expected"}).assign(
        failures=np.asarray(failures, dtype=float), product_line="all"
    )
    held = (
        frame.groupby(list(views.ATTRIBUTES), as_index=False, sort=True)[["expected"]]
        .sum()
        .rename(columns={"expected": "unit_months"})
    )
    frame = frame.sort_values([*views.ATTRIBUTES, "component"], kind="stable", ignore_index=True)
    return localising.Cells(
        frame=frame, unit_months=held, attributes=views.ATTRIBUTES, dispersion=localising._dispersion(frame)
    )


def cause_is_right(name: str, ratio: float, seed: int, *, familywise: float) -> bool:
    """Whether the first cause named is the one that was planted, with its component."""
    made = "from_a_production_month" if name == NEAR else name
    random = np.random.default_rng([seed, sorted(PLANTED).index(made)])
    field, own, truth = PLANTED[made](random)
    found = localising.searched(
        cells_of(field, random.poisson(field["due"] * np.where(own, ratio, 1.0))),
        familywise=familywise,
        level=0.95,
    ).causes
    if not found or found[0].component != PART:
        return False
    if name == NEAR:
        return any(found[0].attributes == {"produced_month from": f"2025-{month:02d}"} for month in (3, 4, 5))
    return found[0].attributes == truth


def search_alarm(seed: int, *, familywise: float) -> bool:
    """Whether any cause is named where there is none."""
    random = np.random.default_rng([seed, 90])
    field = field_of(random)
    return bool(
        localising.searched(
            cells_of(field, random.poisson(field["due"])), familywise=familywise, level=0.95
        ).causes
    )


def watch_alarm(seed: int, *, familywise: float, past: float = 8.0) -> bool:
    """Whether any cell of component by model, supplier, plant or region is called new where nothing changed; ``past`` times the months of now."""
    random = np.random.default_rng([seed, 91])
    field = field_of(random)
    now, then = random.poisson(field["due"] / (1 + past)), random.poisson(field["due"] * past / (1 + past))
    counted = field.assign(
        failures=now,
        past_failures=then,
        expected=field["due"] / (1 + past),
        past_expected=field["due"] * past / (1 + past),
    )
    judged = monitoring.judged(monitoring.margins(counted), level=0.95)
    return bool((judged["p_adjusted"] <= familywise).any())


AGES = np.arange(15.0, 1080.0, 30.0)


def wear_is_right(ratio: float, seed: int, *, error: float) -> bool:
    """Whether one of four components, whose failures rise from an age of 18 months on, is read as wearing out, and no other is.

    Machines enter over three years and are watched until today; a hundred failures of the component are expected after 18 months without wear, and
    ``ratio`` times as many come, more and more of them in a straight line.
    """
    from analysis.failures.lives import _component_life

    random = np.random.default_rng([seed, 92])
    machines = random.multinomial(20_000, np.full(len(AGES), 1 / len(AGES)))
    watched = pd.DataFrame({"begin_days": 0.0, "end_days": AGES + 15, "machines": machines})
    held = machines[::-1].cumsum()[::-1].astype(float)
    beyond = np.maximum(AGES - 18 * 30.4375, 0.0)
    rate = AFFECTED / held[beyond > 0].sum()
    rise = 1 + (ratio - 1) * beyond * held[beyond > 0].sum() / (beyond * held).sum()
    directions = {}
    for name in ("C0", PART, "C2", "C3"):
        counts = random.poisson(held * rate * (rise if name == PART else 1.0))
        part = pd.DataFrame({"age_days": np.floor(AGES), "failures": counts})
        directions[name] = _component_life(name, part[part["failures"] > 0], watched).fit.hazard_direction(
            level=1 - error / COMPONENTS
        )
    return directions == {
        "C0": "unclear",
        PART: "rising" if ratio > 1 else "unclear",
        "C2": "unclear",
        "C3": "unclear",
    }


# -- the kept counts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcome(Summarised):
    """``hits`` of ``seeds`` simulated fields: right answers where ``ratio`` is planted, alarms where it is one; ``first`` counts those of the first ten seeds."""

    name: str
    ratio: float
    seeds: int
    hits: int
    first: int

    def interval(self, *, level: float = 0.95) -> Interval:
        """Exact binomial (Clopper and Pearson 1934)."""
        from analysis.results import Interval
        from analysis.stats import proportion_interval

        found = proportion_interval(self.hits, self.seeds, method="clopper_pearson", level=level)
        return Interval(
            low=float(found.low),
            high=float(found.high),
            level=level,
            method="exact binomial (Clopper and Pearson)",
        )


FIRST = 10
PLAN: tuple[tuple[str, float, int], ...] = (
    *(
        (name, ratio, 400 if ratio == 2.0 else 100)
        for name in (*sorted(PLANTED), NEAR)
        for ratio in (1.5, 2.0, 3.0)
    ),
    *(("wear_out", ratio, 400 if ratio == 2.0 else 100) for ratio in (1.5, 2.0, 3.0)),
    ("nothing_in_the_search", 1.0, 400),
    ("nothing_in_the_watch", 1.0, 400),
    ("nothing_in_the_lives", 1.0, 400),
)


def hit(name: str, ratio: float, seed: int, errors: ErrorRates) -> bool:
    """One simulated field, judged at the error rates of the study."""
    if name in PLANTED or name == NEAR:
        return cause_is_right(name, ratio, seed, familywise=errors.search)
    if name == "wear_out":
        return wear_is_right(ratio, seed, error=errors.life)
    if name == "nothing_in_the_lives":
        return not wear_is_right(1.0, seed, error=errors.life)
    return (
        search_alarm(seed, familywise=errors.search)
        if name == "nothing_in_the_search"
        else watch_alarm(seed, familywise=errors.watch)
    )


SOURCE = "params/simulated/failures.yml"


def path() -> Path:
    """Where the counts are kept."""
    from analysis.params import project_root

    return project_root() / SOURCE


def kept() -> tuple[Outcome, ...]:
    """The counts the notebook prints; none where none are kept."""
    from analysis.params import params_file, read_yaml
    from analysis.params.strict import bind

    found = params_file("simulated/failures.yml")
    return bind(_Kept, read_yaml(found), SOURCE).outcomes if found.is_file() else ()


@dataclass(frozen=True, kw_only=True)
class _Kept:
    """The file in which the counts are kept."""

    outcomes: tuple[Outcome, ...]


def main() -> None:
    """Simulate everything again and write the counts."""
    from analysis.params import Assumptions

    errors = ErrorRates.of(Assumptions.load(), on=dt.date.today())
    lines = [
        "# Made by `python -m analysis.failures.simulated`: fields simulated with a known truth, and how often the study was right (or alarmed).",
        "outcomes:",
    ]
    for name, ratio, seeds in PLAN:
        hits = [hit(name, ratio, seed, errors) for seed in range(seeds)]
        lines.append(
            f"  - {{name: {name}, ratio: {ratio:g}, seeds: {seeds}, hits: {sum(hits)}, first: {sum(hits[:FIRST])}}}"
        )
        print(lines[-1], flush=True)
    path().parent.mkdir(exist_ok=True)
    path().write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
