"""Which batch, supplier, model, plant, region or component explains the excess failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from analysis.errors import ParameterError
from analysis.failures import views
from analysis.failures.baseline import DUE, Baseline
from analysis.failures.comparing import LEAST, Compared
from analysis.failures.field import Field
from analysis.metrics.backend import literal
from analysis.metrics.lineage import traced
from analysis.metrics.steady import exact_sum
from analysis.metrics.views import NOT_STATED
from analysis.summaries import Summarised

if TYPE_CHECKING:
    from analysis.stats.localisation import Localisation


@traced
def localise(
    counts: pd.DataFrame,
    exposure: pd.DataFrame | None,
    dimensions: Sequence[str],
    *,
    count: str = "failures",
    held: str = "unit_months",
    age: str | None = None,
    noise: Literal["poisson", "relative", "two_counts"] = "poisson",
    direction: Literal["excess", "deficit", "both"] = "excess",
    ordered: Sequence[str] = (),
    max_attributes: int = 3,
    max_causes: int = 10,
    dispersion: float = 1.0,
    least_effect: float = 0.0,
    familywise: float = 0.05,
    level: float = 0.95,
    baseline: Literal["estimated", "given"] = "estimated",
) -> Localisation:
    """Ranked causes of an excess of failures.

    Parameters
    ----------
    counts : (cells, columns) DataFrame
        Rows of dimensions (and ``age``) with the column ``count``; several rows may describe one cell.
    exposure : (cells, columns) DataFrame, or None
        Rows of the same dimensions with the column ``held``: unit-months, or an expectation. None: ``counts`` hold both columns, such as actual and
        forecast values by attributes.
    dimensions : names of columns
        Attributes to search, all in both frames. An attribute that only failures have (a component) cannot be rated by exposure: pass expectations by
        that attribute instead.
    count, held : str
        Names of the columns of failures and of exposure.
    age : str, optional
        A column of both frames to adjust for: failures are compared with those expected at this age.
    noise, direction, baseline : str
        As in `analysis.stats.localise`, like all that follow.
    ordered : names of attributes
        Whose values have an order.
    max_attributes, max_causes : int
        Values a cause may combine; causes named at most.
    dispersion : float, factor on the variance
        Of the counts.
    least_effect : float, share
        Smallest effect that matters: 0.2 passes over rate ratios between 0.8 and 1.2, however certain.
    familywise : float, share 0 to 1
        Chance of naming any cause when there is none.
    level : float, share 0 to 1
        Coverage of each rate-ratio interval.

    Returns
    -------
    Localisation

    Raises
    ------
    ParameterError
        Failures in cells that have no exposure: they can be counted, not rated; unknown columns or options.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import failures
    >>> cells = pd.DataFrame({"model": ["X", "X", "Y", "Y", "Z", "Z"], "region": ["North", "South"] * 3})
    >>> counts, exposure = cells.assign(failures=[60, 60, 20, 20, 20, 20]), cells.assign(unit_months=1000.0)
    >>> failures.localise(counts, exposure, ["model", "region"]).causes["cause"].tolist()
    ['model=X']
    """
    from analysis.stats.localisation import localise as search

    cells = _joined(
        counts, exposure, list(dimensions), count=count, held=held, age=age, counted=noise == "two_counts"
    )
    if age is not None:
        cells = _age_adjusted(cells, list(dimensions), count=count, held=held, age=age)
    cells = cells.sort_values(list(dimensions), kind="stable", ignore_index=True)
    return search(
        cells[count].to_numpy(dtype=float),
        cells[held].to_numpy(dtype=float),
        cells[list(dimensions)],
        baseline=baseline,
        noise=noise,
        direction=direction,
        ordered=ordered,
        max_attributes=max_attributes,
        max_causes=max_causes,
        dispersion=dispersion,
        least_effect=least_effect,
        familywise=familywise,
        level=level,
    )


@traced
def _joined(
    counts: pd.DataFrame,
    exposure: pd.DataFrame | None,
    dimensions: list[str],
    *,
    count: str,
    held: str,
    age: str | None,
    counted: bool,
) -> pd.DataFrame:
    keys = dimensions + ([age] if age else [])
    for name, frame, value in (
        ("counts", counts, count),
        ("exposure", counts if exposure is None else exposure, held),
    ):
        lacking = [column for column in (*keys, value) if column not in frame.columns]
        if lacking:
            raise ParameterError(
                f"localise: {name} lack the column '{lacking[0]}'; they have {', '.join(map(str, frame.columns))}."
            )
    if exposure is None:
        return counts.groupby(keys, as_index=False, sort=True, dropna=False)[[count, held]].sum()
    failed = counts.groupby(keys, as_index=False, sort=True, dropna=False)[count].sum()
    base = exposure.groupby(keys, as_index=False, sort=True, dropna=False)[held].sum()
    cells = base.merge(failed, on=keys, how="outer", validate="1:1")
    orphan = cells[(cells[held].isna() | (cells[held] == 0)) & (cells[count] > 0)]
    if len(orphan) and not counted:
        place = ", ".join(f"{key} {orphan.iloc[0][key]}" for key in dimensions)
        raise ParameterError(
            f"localise: {len(orphan)} cells have {orphan[count].sum():g} failures but no {held}, e.g. {place}; they can be counted, not rated. "
            "Add the exposure of these machines, or leave the cells out and say so."
        )
    filled: pd.DataFrame = cells.fillna({count: 0.0, held: 0.0})
    return filled


@traced
def _age_adjusted(
    cells: pd.DataFrame, dimensions: list[str], *, count: str, held: str, age: str
) -> pd.DataFrame:
    """Indirect standardisation: exposure turned into the failures expected at each age over all machines."""
    totals = cells.groupby(age)[[count, held]].sum()
    rate = (totals[count] / totals[held]).where(totals[held] > 0, 0.0)
    adjusted = cells.assign(**{held: cells[held] * cells[age].map(rate)})
    return adjusted.groupby(dimensions, as_index=False, sort=True, dropna=False)[[count, held]].sum()


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells(Summarised):
    """Failures and expected failures by machine attributes and component, ready to be searched.

    frame : the attributes, ``product_line`` (within which machines are compared) and ``component``, ``failures``, ``expected``; unit_months : by attributes
        and product line alone; modes : as ``frame`` for each ``fault_code`` of components that fail in several ways; by_use : whether what is expected
        allows for how far machines ran
    """

    frame: pd.DataFrame
    unit_months: pd.DataFrame
    attributes: tuple[str, ...]
    dispersion: float
    modes: pd.DataFrame | None = None
    by_use: bool = False


@traced
def cells_of(
    field: Field,
    baseline: Baseline,
    *,
    use: pd.DataFrame | None = None,
    dispersion: float | None = None,
    before_age: int | None = None,
) -> Cells:
    """Everything the search needs, added up in the database: a few columns for each combination of attributes.

    Parameters
    ----------
    use : relative use by attributes and product line (:func:`analysis.failures.use.relative_use`), where meters tell it; a site whose machines only
        work more is then no cause
    dispersion : where it is known
    before_age : months in service; where given, only machines younger than that count, each up to that age
    """
    young = "TRUE" if before_age is None else f"age_months < {int(before_age)}"
    keys = [*views.ATTRIBUTES, "product_line"]
    names = ", ".join(keys)
    wide = field.query(
        *baseline.parts(field, *views.ATTRIBUTES),
        select=f"SELECT {names}, {exact_sum('g.unit_months')} AS unit_months, {baseline.sums()} FROM {DUE} WHERE {young} GROUP BY ALL ORDER BY {names}",
    )
    coded = field.query(
        field.failures,
        select=f"SELECT {names}, component, coalesce(fault_code, {literal(NOT_STATED)}) AS fault_code, count(*) AS failures FROM failed WHERE {young} GROUP BY ALL ORDER BY ALL",
    )
    failed = coded.groupby([*keys, "component"], as_index=False, sort=True)["failures"].sum()
    expected = wide.drop(columns="unit_months").rename(
        columns={f"x{k}": one for k, one in enumerate(baseline.components)}
    )
    long = expected.melt(id_vars=keys, var_name="component", value_name="expected")
    if use is not None:
        long = _at_equal_use(long, use, keys)
    frame = long.merge(failed, on=[*keys, "component"], how="left", validate="1:1").fillna({"failures": 0})
    frame = frame.sort_values([*keys, "component"], kind="stable", ignore_index=True)
    return Cells(
        frame=frame,
        unit_months=wide[[*keys, "unit_months"]],
        attributes=views.ATTRIBUTES,
        dispersion=_dispersion(frame) if dispersion is None else dispersion,
        modes=modes_of(frame, coded),
        by_use=use is not None,
    )


@traced
def _at_equal_use(expected: pd.DataFrame, use: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """What is expected of cells in proportion to their use; of each component in a product line as much in all as before."""
    weighed = expected.merge(use, on=keys, how="left", validate="m:1")
    at_use = weighed["expected"] * weighed["relative_use"].fillna(1.0)
    whole = [weighed["product_line"], weighed["component"]]
    before = weighed["expected"].groupby(whole).transform("sum")
    after = at_use.groupby(whole).transform("sum")
    scale = (before / after).where(after > 0, 0.0)
    return weighed.drop(columns="relative_use").assign(expected=at_use * scale)


@traced
def modes_of(frame: pd.DataFrame, coded: pd.DataFrame) -> pd.DataFrame | None:
    """Cells of each fault code of components that have several; None where none has.

    Of what is expected of a component a code has its share of the line's failures: within a line machines are compared by code as by component.

    Parameters
    ----------
    frame : cells by component, as of :class:`Cells`; coded : failures by the same columns and ``fault_code``
    """
    stated = coded[coded["fault_code"] != NOT_STATED]
    several = stated.groupby("component")["fault_code"].nunique()
    stated = stated[stated["component"].isin(several.index[several > 1])]
    if stated.empty:
        return None
    place = ["product_line", "component"]
    own = stated.groupby([*place, "fault_code"], as_index=False, sort=True)[["failures"]].sum()
    every = frame.groupby(place, as_index=False, sort=True)[["failures"]].sum()
    shares = own.merge(every.rename(columns={"failures": "whole"}), on=place, validate="m:1")
    shares["share"] = shares["failures"] / shares["whole"]
    cells = frame.drop(columns="failures").merge(shares[[*place, "fault_code", "share"]], on=place)
    cells["expected"] *= cells.pop("share")
    keys = [*(name for name in frame.columns if name not in ("failures", "expected")), "fault_code"]
    counted = cells.merge(stated, on=keys, how="left", validate="1:1").fillna({"failures": 0})
    return counted.sort_values(keys, kind="stable", ignore_index=True)


FEWEST_SCATTERED = 30


@traced
def scattered(frame: pd.DataFrame) -> pd.DataFrame:
    """Batch by component with five or more failures expected: whose scatter is measured."""
    parts = frame.groupby(["batch", "component"], sort=True)[["failures", "expected"]].sum()
    return parts[parts["expected"] >= 5]


@traced
def _dispersion(frame: pd.DataFrame) -> float:
    """How much more cells scatter than counts do: the median of squared standardised differences, so that a few bad cells do not raise it.

    Cells are batch by component with five or more failures expected; fewer than thirty of them say nothing, and the counts are taken as Poisson.
    """
    parts = scattered(frame)
    if len(parts) < FEWEST_SCATTERED:
        return 1.0
    # square-root scale: variance near one quarter for counts of this size
    z = 2 * (np.sqrt(parts["failures"] + 0.375) - np.sqrt(parts["expected"] + 0.125))
    spread = float(np.median(np.abs(z - np.median(z)))) / 0.6745
    return max(1.0, spread**2)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cause(Summarised):
    """A cause that survived: ``attributes`` of machines (a name may end in " from": this value or later), the component it shows in (None: all).

    ``actual`` and ``expected`` failures are those of the machines and component; ``share`` is the excess over all failures of the window;
    ``outside`` are the failures of other machines that the expectation rests on, as many as they count for at their scatter. ``lines`` are the product
    lines in which there were others to compare with, where that is not all of its lines: the cause is said of these alone. ``fault_code`` is the one it
    shows in, of a component that fails in several ways; ``of_component`` is then how many times as often the component fails there in all.
    """

    attributes: dict[str, str]
    component: str | None
    actual: float
    expected: float
    rate_ratio: float
    low: float
    high: float
    corrected: float
    share: float
    p_familywise: float
    outside: float
    confounded_with: tuple[str, ...]
    lines: tuple[str, ...] = ()
    fault_code: str | None = None
    of_component: float | None = None

    @property
    def excess(self) -> float:
        return self.actual - self.expected

    @property
    def factor(self) -> float:
        """How many times as often its machines fail in the component."""
        return self.rate_ratio if self.of_component is None else self.of_component

    @property
    def limits(self) -> tuple[float, float]:
        """Limits of the rate ratio; the upper one may be infinite."""
        return self.low, self.high

    @property
    def known(self) -> bool:
        """Whether the data say how many times as often; else only that it is more often: nothing failed elsewhere, or hardly a failure was due."""
        return bool(np.isfinite(self.high) and self.expected >= LEAST)

    @property
    def machines(self) -> str:
        """The condition that a machine belongs to it."""
        return " AND ".join((views.condition(self.attributes), *views.one_of("product_line", self.lines)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Search(Summarised):
    """What was looked at and what survived; ``candidates`` counts everything the error rate pays for."""

    causes: tuple[Cause, ...]
    candidates: int
    dispersion: float


CONCENTRATED = 0.6
"""Part of a cause's excess in one component from which the cause is said of that component."""


@traced
def searched(
    cells: Cells, *, familywise: float, level: float, max_attributes: int = 2, least_effect: float = 0.0
) -> Search:
    """Each component by itself, and all failures together; half of the error rate for either. A component that fails in several ways is searched by each
    of its fault codes as well, at a component's share of the error rate.

    A batch fixes model, plant and month of production, so that two attributes say what five would. A cause that holds in all components
    alike is said once, of all; one whose excess lies in one component is said of that component. Machines are compared within their product line.
    """
    varied = [name for name in cells.attributes if cells.unit_months[name].nunique() > 1]
    parts: dict[tuple[str, str | None], pd.DataFrame] = {
        (str(name), None): part for name, part in cells.frame.groupby("component", sort=True)
    }
    if cells.modes is not None:
        parts |= {
            (str(name), str(code)): part
            for (name, code), part in cells.modes.groupby(["component", "fault_code"], sort=True)
        }
    whole = cells.frame.groupby([*cells.attributes, "product_line"], as_index=False, sort=True)[
        ["failures", "expected"]
    ].sum()
    settings: dict[str, Any] = {
        "ordered": ("produced_month",) if "produced_month" in varied else (),
        "max_attributes": max_attributes,
        "dispersion": cells.dispersion,
        "least_effect": least_effect,
        "level": level,
    }
    together = _search(whole, varied, familywise=familywise / 2, **settings)
    apart = {
        place: _search(part, varied, familywise=familywise / 2 / len(parts), **settings)
        for place, part in parts.items()
    }
    total = float(whole["failures"].sum())
    causes: list[Cause] = []
    for (name, code), found in apart.items():  # components first, then the codes of each
        for row in found.causes.itertuples():
            cause = _cause(row, name, total, parts[name, code], cells.dispersion)
            if code is None:
                causes.append(cause)
            else:
                causes = _with_mode(causes, replace(cause, fault_code=code), parts[name, None])
    for row in together.causes.itertuples():
        cause = _cause(row, None, total, whole, cells.dispersion)
        largest = max((other.excess for other in causes if other.attributes == cause.attributes), default=0.0)
        if largest >= CONCENTRATED * cause.excess or _explained(cells.frame, cause, causes):
            continue
        causes = [other for other in causes if other.attributes != cause.attributes] + [cause]
    ordered = sorted(causes, key=lambda cause: (-cause.excess, sorted(cause.attributes.items())))
    return Search(
        causes=tuple(ordered),
        candidates=together.tests + sum(found.tests for found in apart.values()),
        dispersion=cells.dispersion,
    )


@traced
def power(
    cells: Cells, *, familywise: float, expected: Sequence[float], ratios: Sequence[float]
) -> dict[tuple[float, float], float]:
    """Chance that a single attribute value with ``ratio`` times the failures in one component beats the price of :func:`searched`.

    By Poisson tails at the price of a candidate of one attribute; the expectation outside is taken as known.
    """
    from scipy.stats import poisson

    varied = [name for name in cells.attributes if cells.unit_months[name].nunique() > 1]
    single = sum(cells.unit_months[name].nunique() for name in varied)
    parts = cells.frame["component"].nunique()
    price = float(np.log(2 * max(single, 1) / (familywise / 2 / max(parts, 1)))) * cells.dispersion
    found = {}
    for due in expected:
        counts = np.arange(int(due) + 1, int(20 * due) + 200)
        needed = counts[counts * np.log(counts / due) - (counts - due) > price]
        for ratio in ratios:
            found[due, ratio] = float(poisson.sf(needed[0] - 1, ratio * due)) if len(needed) else 0.0
    return found


@traced
def worst_batches(cells: Cells, *, level: float, most: int = 10) -> list[str]:
    """Batches by the lower limit of actual to expected: a small batch with one failure too many does not lead; none where there is but one."""
    from analysis.stats import poisson_interval

    batches = cells.frame.groupby("batch", sort=True)[["failures", "expected"]].sum()
    batches = batches[batches["expected"] >= 5]
    if len(batches) < 2:
        return []
    low = np.asarray(poisson_interval(batches["failures"], batches["expected"], level=level).low)
    return [str(one) for one in batches.index[np.lexsort((batches.index.to_numpy(dtype=str), -low))][:most]]


@traced
def _search(frame: pd.DataFrame, varied: Sequence[str], **settings: Any) -> Localisation:
    from analysis.stats.localisation import localise as search

    return search(
        frame["failures"].to_numpy(dtype=float),
        frame["expected"].to_numpy(dtype=float),
        frame[list(varied)],
        max_causes=6,
        strata=frame["product_line"] if frame["product_line"].nunique() > 1 else None,
        **settings,
    )


@traced
def _cause(row: Any, component: str | None, total: float, frame: pd.DataFrame, dispersion: float) -> Cause:
    attributes = {name: str(value) for name, value in row.attributes.items()}
    ratio, expected, inside = float(row.rate_ratio), float(row.expected), members(frame, attributes)
    compared = Compared.of(frame[inside], frame[~inside])
    own_lines = frame.loc[inside & (frame["expected"] > 0), "product_line"].nunique()
    if not np.isfinite(ratio):
        # nothing failed outside: half a failure stands for it, so that the excess can be said; the upper limit stays infinite
        there = frame["product_line"].isin(compared.lines)
        own, rest = (float(frame.loc[there & part, "expected"].sum()) for part in (inside, ~inside))
        expected = 0.5 * own / rest
        ratio = float(row.actual) / expected
    return Cause(
        attributes=attributes,
        component=component,
        actual=float(row.actual),
        expected=expected,
        rate_ratio=ratio,
        low=float(row.low),
        high=float(row.high),
        corrected=float(row.rate_ratio_corrected),
        share=(float(row.actual) - expected) / total,
        p_familywise=float(row.p_familywise),
        outside=compared.others / dispersion,
        confounded_with=tuple(row.confounded_with),
        lines=compared.lines if len(compared.lines) < own_lines else (),
    )


@traced
def members(frame: pd.DataFrame, attributes: dict[str, str]) -> pd.Series:
    """The rows of cells (or machines) that a cause holds."""
    inside = pd.Series(True, index=frame.index)
    for name, value in attributes.items():
        column = name.removesuffix(" from")
        inside &= (frame[column] >= value) if name.endswith(" from") else (frame[column] == value)
    return inside


def _with_mode(causes: list[Cause], mode: Cause, component: pd.DataFrame) -> list[Cause]:
    """The causes with one of a fault code: it stands for its component's where it holds most of that excess, and is left out where the component's says it all."""
    own = [one for one in causes if one.component == mode.component and one.fault_code is None]
    alike = [one for one in own if one.attributes == mode.attributes]
    if any(mode.excess < CONCENTRATED * one.excess for one in alike):
        return causes
    if not alike and _explained(component, mode, own):
        return causes
    inside = members(component, mode.attributes)
    ratio = Compared.of(component[inside], component[~inside]).ratio
    named = replace(mode, of_component=float(ratio) if np.isfinite(ratio) else mode.rate_ratio)
    return [one for one in causes if not any(one is other for other in alike)] + [named]


def _explained(frame: pd.DataFrame, cause: Cause, causes: Sequence[Cause]) -> bool:
    """Whether causes of single components already hold most of the excess among the machines of ``cause``."""
    held = 0.0
    inside = members(frame, cause.attributes)
    for other in causes:
        overlap = inside & members(frame, other.attributes) & (frame["component"] == other.component)
        held += max(0.0, float((frame.loc[overlap, "failures"] - frame.loc[overlap, "expected"]).sum()))
    return held >= CONCENTRATED * cause.excess
