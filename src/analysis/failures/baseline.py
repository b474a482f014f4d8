"""What would have failed anyway: rates by product line, months in service and component, times a factor of the calendar month.

Machines of unlike lines are not compared: a large machine has more parts and works harder than a small one. The factor holds the season and everything
else that is the same for all machines of a month, also failures that are not reported yet. So a machine is compared with machines of its line and age
in the same months, a young batch is not taken for a good one, and a plant that makes large machines not for a bad one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.failures import views
from analysis.failures.field import Field
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import month_index
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
BAND_STARTS = (0, 1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 60, 84, 120)
OWN = 30
"""Failures of a line per month, from which it has calendar months of its own, and of a component in a line, from which it has ages of its own: a rate from
fewer is off by a fifth and more. Else the months of all lines hold, and the ages of the component in all lines at the level of this one."""
DUE = (
    "grid g JOIN age_bands USING (age_months) JOIN machine_kinds USING (product_line, model) JOIN age_rates a USING (kind, band) "
    "JOIN month_factors f USING (product_line, month_no)"
)
"""The rows of exposure with their rates (``a``) and factors (``f``), over the tables of :meth:`Baseline.parts`."""


class Affected(Protocol):
    """Machines that fail ``factor`` times as often in a component (None: in all), as a search names them."""

    @property
    def attributes(self) -> Mapping[str, str]: ...
    @property
    def component(self) -> str | None: ...
    @property
    def factor(self) -> float: ...
    @property
    def machines(self) -> str: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Baseline(Summarised):
    """Expected failures of a cell: unit-months × rate (by product line, band of months in service and component) × factor (by line and month).

    rates : by product line, bands × components, failures per unit-month
    factors : by product line, one per month of the window, exposure-weighted mean near one
    factor : that of all lines together
    due_by_month : failures expected in each month without its factor
    kinds : for each product line and model, the components it does not carry
    """

    components: tuple[str, ...]
    bands: tuple[int, ...]
    months: tuple[int, ...]
    rates: Mapping[str, Floats]
    factors: Mapping[str, Floats]
    factor: Floats
    due_by_month: Floats
    kinds: Mapping[tuple[str, str], frozenset[int]]

    @classmethod
    def of(cls, field: Field, causes: Sequence[Affected] = ()) -> Baseline:
        """Of all machines; those of ``causes`` count in their component for as many as they fail.

        A batch that fails six times as often raises the rate of its own line and age, and would be held against itself. With its effect in the
        exposure the rates are those of machines without it.
        """
        counts = field.failures_by_line
        components = tuple(sorted(counts["component"].unique()))
        months = tuple(range(month_index(field.first), month_index(field.last) + 1))
        oldest = int(field.by_age["age_months"].max())
        bands = tuple(start for start in BAND_STARTS if start <= oldest)
        exposed, weight_of = _weighed(field, causes, components)
        held = {
            name: {
                (str(line), str(model)): _grid(part, name, bands, months)
                for (line, model), part in exposed.groupby(["product_line", "model"], sort=True)
            }
            for name in sorted({"unit_months", *weight_of})
        }
        machines, carriers = held["unit_months"], field.carriers
        kinds = {
            machine: frozenset(k for k, name in enumerate(components) if not carriers.carries(name, *machine))
            for machine in machines
        }
        failed = {
            line: np.stack(
                [_grid(own[own["component"] == one], "failures", bands, months) for one in components], axis=2
            )
            for line in sorted({line for line, _ in machines})
            for own in [counts[counts["product_line"] == line]]
        }
        groups = {line: _at_risk(line, held, weight_of, kinds, counted) for line, counted in failed.items()}
        whole = {
            line: np.asarray(sum(grid for machine, grid in machines.items() if machine[0] == line))
            for line in groups
        }
        factor = _factor(
            [one for own in groups.values() for one in own], np.sum(list(whole.values()), axis=0)
        )
        factors = {line: factor for line in groups}
        if len(groups) > 1:
            for line, own in groups.items():
                if sum(one.failed.sum() for one in own) >= OWN * len(months):
                    factors[line] = _factor(own, whole[line])
        rates = _rates(groups, factors, (len(bands), len(components)))
        due = sum(
            rates[line][:, one.columns].sum(axis=1) @ one.held for line, own in groups.items() for one in own
        )
        return cls(
            components=components,
            bands=bands,
            months=months,
            rates=rates,
            factors=factors,
            factor=factor,
            due_by_month=np.asarray(due),
            kinds=kinds,
        )

    def parts(self, field: Field, *attributes: str, where: str = "") -> tuple[str, ...]:
        """CTEs behind :data:`DUE`: exposure by these attributes, product line and model, and the tables of rates (``r0``, ``r1`` … per component) and factors."""
        by = tuple(dict.fromkeys(("product_line", "model", *attributes)))
        return (field.machines, field.exposure(*by, where=where), self._tables())

    def _tables(self) -> str:
        ages = range(max(self.bands[-1], 240) + 1)
        band = np.searchsorted(np.array(self.bands), np.array(list(ages)), side="right") - 1
        lacking = sorted({(line, tuple(sorted(none))) for (line, _), none in self.kinds.items()})
        number = {one: k for k, one in enumerate(lacking)}
        rates = []
        for (line, none), kind in number.items():
            own = self.rates[line].copy()
            own[:, list(none)] = 0.0
            rates += [(kind, b, *(float(one) for one in row)) for b, row in enumerate(own)]
        machines = [
            (line, model, number[line, tuple(sorted(none))]) for (line, model), none in self.kinds.items()
        ]
        factors = [
            (line, month, float(one))
            for line, own in self.factors.items()
            for month, one in zip(self.months, own, strict=True)
        ]
        names = [f"r{k}" for k in range(len(self.components))]
        return ",\n".join(
            (
                views.values_table("age_bands", ["age_months", "band"], list(zip(ages, band, strict=True))),
                views.values_table("machine_kinds", ["product_line", "model", "kind"], machines),
                views.values_table("age_rates", ["kind", "band", *names], rates),
                views.values_table("month_factors", ["product_line", "month_no", "factor"], factors),
            )
        )

    def sums(self) -> str:
        """SQL of the expected failures of each component, ``x0``, ``x1`` …, over :data:`DUE`."""
        return ", ".join(
            f"{exact_sum(f'g.unit_months * a.r{k} * f.factor')} AS x{k}" for k in range(len(self.components))
        )

    def sum_of(self, components: Sequence[str]) -> str:
        """SQL of the expected failures of these components together, over :data:`DUE`."""
        rate = " + ".join(f"a.r{self.components.index(name)}" for name in components)
        return exact_sum(f"g.unit_months * ({rate}) * f.factor")

    def by_month(self, field: Field, where: str, components: Sequence[str]) -> pd.Series:
        """Expected failures of components on the machines that meet a condition, by ``product_line`` and ``month_no``."""
        return field.query(
            *self.parts(field, where=where),
            select=f"SELECT product_line, month_no, {self.sum_of(components)} AS expected FROM {DUE} GROUP BY ALL ORDER BY ALL",
        ).set_index(["product_line", "month_no"])["expected"]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Group:
    """Components that the same machines of a line carry: their unit-months (bands × months), and the failures of ``columns`` (bands × months × components)."""

    columns: list[int]
    held: Floats
    failed: Floats

    @property
    def all_parts(self) -> Floats:
        return np.asarray(self.failed.sum(axis=2))


@traced
def _weighed(
    field: Field, causes: Sequence[Affected], components: Sequence[str]
) -> tuple[pd.DataFrame, list[str]]:
    """Unit-months by product line, model, month and age, also times the rate ratios of causes (``w0`` …), and the column of each component."""
    own = [tuple(one for one in causes if one.component in (None, name)) for name in components]
    sets = list(dict.fromkeys(part for part in own if part))
    if not sets:
        return field.by_line, ["unit_months"] * len(components)
    names = tuple(dict.fromkeys(name.removesuffix(" from") for one in causes for name in one.attributes))
    columns = ", ".join(
        f"{exact_sum(' * '.join(['unit_months', *(f'CASE WHEN {one.machines} THEN {one.factor!r} ELSE 1 END' for one in part)]))} AS w{k}"
        for k, part in enumerate(sets)
    )
    exposed = field.query(
        field.machines,
        field.exposure(*dict.fromkeys(("product_line", "model", *names))),
        select=f"SELECT product_line, model, month_no, age_months, {exact_sum('unit_months')} AS unit_months, {columns} FROM grid GROUP BY ALL ORDER BY ALL",
    )
    return exposed, [f"w{sets.index(part)}" if part else "unit_months" for part in own]


@traced
def _at_risk(
    line: str,
    held: Mapping[str, Mapping[tuple[str, str], Floats]],
    weight_of: Sequence[str],
    kinds: Mapping[tuple[str, str], frozenset[int]],
    counts: Floats,
) -> list[_Group]:
    """The components of a line by the machines that carry them and by how these count."""
    machines = [machine for machine in kinds if machine[0] == line]
    alike: dict[tuple[tuple[tuple[str, str], ...], str], list[int]] = {}
    for k in range(counts.shape[2]):
        lacking = tuple(machine for machine in machines if k in kinds[machine])
        if len(lacking) < len(machines):
            alike.setdefault((lacking, weight_of[k]), []).append(k)
    return [
        _Group(
            columns=columns,
            held=np.asarray(sum(held[weight][one] for one in machines if one not in lacking)),
            failed=counts[:, :, columns],
        )
        for (lacking, weight), columns in alike.items()
    ]


@traced
def _grid(frame: pd.DataFrame, value: str, bands: tuple[int, ...], months: tuple[int, ...]) -> Floats:
    band = np.searchsorted(np.array(bands), frame["age_months"].to_numpy(), side="right") - 1
    grid = np.zeros((len(bands), len(months)))
    np.add.at(grid, (band, frame["month_no"].to_numpy() - months[0]), frame[value].to_numpy(dtype=float))
    return grid


@traced
def _factor(groups: Sequence[_Group], held: Floats) -> Floats:
    """Poisson maximum likelihood of rate × factor by turns, the factor common to all groups; both margins of the counts are reproduced."""
    factor = np.ones(held.shape[1])
    counted = np.sum([one.all_parts.sum(axis=0) for one in groups], axis=0)
    for _ in range(200):
        expected = np.sum(
            [_ratio(one.all_parts.sum(axis=1), one.held @ factor) @ one.held for one in groups], axis=0
        )
        fresh = np.divide(counted, expected, out=np.ones(len(expected)), where=expected > 0)
        moved = float(np.abs(fresh - factor).max())
        factor = fresh
        if moved < 1e-10:
            break
    scale = float((held.sum(axis=0) * factor).sum() / held.sum()) if held.sum() > 0 else 1.0
    return np.asarray(factor / scale)


@traced
def _rates(
    groups: Mapping[str, Sequence[_Group]], factors: Mapping[str, Floats], shape: tuple[int, int]
) -> dict[str, Floats]:
    """Failures per unit-month by band and component in each line; the ages of thin ones are those of all lines, at their own level."""
    failed = {line: np.zeros(shape) for line in groups}
    below = {line: np.zeros(shape) for line in groups}
    for line, own in groups.items():
        for one in own:
            failed[line][:, one.columns] = one.failed.sum(axis=1)
            below[line][:, one.columns] = (one.held @ factors[line])[:, None]
    level = {line: _ratio(failed[line].sum(axis=0), below[line].sum(axis=0)) for line in groups}
    pattern = _ratio(
        np.sum([failed[line] for line in groups], axis=0),
        np.sum([below[line] * level[line] for line in groups], axis=0),
    )
    rates = {}
    for line in groups:
        alone = np.sum([failed[other].sum(axis=0) > 0 for other in groups], axis=0) < 2
        thin = (failed[line].sum(axis=0) < OWN) & ~alone
        at = _ratio(failed[line].sum(axis=0), (below[line] * pattern).sum(axis=0))
        rates[line] = np.where(thin, pattern * at, _ratio(failed[line], below[line]))
    return rates


def _ratio(above: Floats, below: Floats) -> Floats:
    """Zero where there is nothing below."""
    return np.divide(above, below, out=np.zeros_like(below), where=below > 0)
