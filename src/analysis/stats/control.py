"""Control charts: is this point within what the process itself does, or a signal?

Limits come from points that are not under suspicion; a point exactly on a limit is no signal; each rule
that is switched on is named with every signal it raises, because stacked rules raise false alarms. Our own: neither
statsmodels nor scipy has control charts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln, ndtr
from scipy.stats import chi2

from analysis.errors import ParameterError, suggestion
from analysis.stats.arguments import in_words
from analysis.stats.intervals import Interval, proportion_interval
from analysis.summaries import Summarised

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
LimitsFrom = Literal["in_control", "all"]
Ranges = Literal["screened", "all"]
EwmaLimits = Literal["exact", "constant"]
Name = TypeVar("Name", bound=str)

MOVING_RANGE_D2 = 1.128
"""Mean range of two standard normals over its sigma, as the published tables round it."""
MOVING_RANGE_D4 = 3.267
"""Upper limit of a moving range of two over their mean: a range beyond it is a jump, not scatter."""

_ALIASES = {"p'": "laney_p", "u'": "laney_u", "i": "individuals", "x": "individuals"}
_KINDS = (
    "p",
    "np",
    "u",
    "c",
    "laney_p",
    "laney_u",
    "individuals",
    "ewma",
    "cusum",
    "auto",
    "auto_p",
    "auto_u",
)
_BASES = ("individuals", "p", "u", "c", "laney_p", "laney_u")
_COLUMNS = ("value", "centre", "sigma", "lower", "upper", "z")


@dataclass(frozen=True, kw_only=True)
class Rule(Summarised):
    """One run rule: `needed` of `window` successive points meet `pattern` beyond `sigmas`."""

    name: str
    text: str
    pattern: Literal["beyond", "run", "trend", "alternating", "within", "outside"]
    window: int
    needed: int
    sigmas: float = 0.0


_RULES = {
    rule.name: rule
    for rule in (
        Rule(
            name="nelson_1",
            text="one point beyond the limits",
            pattern="beyond",
            window=1,
            needed=1,
            sigmas=3,
        ),
        Rule(name="nelson_2", text="nine in a row on one side", pattern="run", window=9, needed=9),
        Rule(name="nelson_3", text="six in a row rising or falling", pattern="trend", window=6, needed=6),
        Rule(name="nelson_4", text="fourteen alternating", pattern="alternating", window=14, needed=14),
        Rule(
            name="nelson_5",
            text="two of three beyond 2 sigma",
            pattern="beyond",
            window=3,
            needed=2,
            sigmas=2,
        ),
        Rule(
            name="nelson_6",
            text="four of five beyond 1 sigma",
            pattern="beyond",
            window=5,
            needed=4,
            sigmas=1,
        ),
        Rule(
            name="nelson_7", text="fifteen within 1 sigma", pattern="within", window=15, needed=15, sigmas=1
        ),
        Rule(name="nelson_8", text="eight outside 1 sigma", pattern="outside", window=8, needed=8, sigmas=1),
        Rule(
            name="western_electric_1",
            text="one point beyond the limits",
            pattern="beyond",
            window=1,
            needed=1,
            sigmas=3,
        ),
        Rule(
            name="western_electric_2",
            text="two of three beyond 2 sigma",
            pattern="beyond",
            window=3,
            needed=2,
            sigmas=2,
        ),
        Rule(
            name="western_electric_3",
            text="four of five beyond 1 sigma",
            pattern="beyond",
            window=5,
            needed=4,
            sigmas=1,
        ),
        Rule(name="western_electric_4", text="eight in a row on one side", pattern="run", window=8, needed=8),
    )
}
RULE_SETS = {
    "western_electric": tuple(name for name in _RULES if name.startswith("western_electric")),
    "nelson": tuple(name for name in _RULES if name.startswith("nelson")),
}


@dataclass(frozen=True, kw_only=True)
class ChartChoice(Summarised):
    """Why this kind of chart. As text, a sentence.

    Attributes
    ----------
    kind : the chart that was drawn.
    code : stable, for a catalogue; the numbers go with it.
    points : how many were judged.
    sigma_z : how many times wider the points scatter than the count model allows, from moving ranges.
    critical : what `sigma_z` would exceed in 5 % of charts without overdispersion.

    Examples
    --------
    >>> from analysis import stats
    >>> chart = stats.control_chart("auto_u", [4, 6, 5], sizes=[10, 10, 10])
    >>> print(chart.choice)
    u chart: 3 points are too few to judge overdispersion (10 needed)
    """

    kind: str
    code: Literal["asked_for", "overdispersed", "not_overdispersed", "too_few_points"]
    points: int
    sigma_z: float | None = None
    critical: float | None = None

    def __str__(self) -> str:
        if self.code == "asked_for":
            return f"{self.kind} chart, as asked for"
        if self.code == "too_few_points":
            return f"{self.kind} chart: {self.points} points are too few to judge overdispersion (10 needed)"
        verdict = (
            "scatter more than the count model allows"
            if self.code == "overdispersed"
            else "fit the count model"
        )
        return (
            f"{self.kind} chart: the points {verdict} (sigma z {self.sigma_z:.2f}; "
            f"above {self.critical:.2f} in 5 % of charts without overdispersion)"
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlChart(Summarised):
    """A computed chart.

    Attributes
    ----------
    kind : of the chart.
    points : one row per point
        `value` as plotted, `size`, `phase`, `centre`, `lower`, `upper`, `sigma`, `z` (distance from the centre in sigmas), `used_for_limits`,
        `signal`; for ``cusum`` also `sum_high` and `sum_low`, and centre and limits are those of the sums.
    signals : one row per point and rule
        `point` (position), `first_point` (where its window starts), `rule`, `text`, `side` (``high``, ``low`` or ``both``), `value`.
    choice : why this kind.
    rules : names of those that were switched on.
    sigma_z : by phase, of Laney's charts.
    notes : doubts in words.

    Examples
    --------
    >>> from analysis import stats
    >>> chart = stats.control_chart("individuals", [10, 11, 10, 11, 10, 11, 10, 11, 20])
    >>> chart.signals[["point", "rule", "side"]].values.tolist()
    [[8, 'nelson_1', 'high']]
    >>> chart.reason
    'individuals chart, as asked for'
    """

    kind: str
    points: pd.DataFrame
    signals: pd.DataFrame
    choice: ChartChoice
    rules: tuple[str, ...]
    sigma_z: dict[Any, float]
    notes: tuple[str, ...]
    process_centre: Floats = field(repr=False)
    settings: _Settings = field(repr=False)

    @property
    def reason(self) -> str:
        """Why this kind of chart, as a sentence."""
        return str(self.choice)

    @property
    def centre(self) -> Floats:
        """Centre of each point, in the unit that is plotted."""
        return np.asarray(self.points["centre"], dtype=float)

    @property
    def lower(self) -> Floats:
        """Lower limit of each point, in the unit that is plotted."""
        return np.asarray(self.points["lower"], dtype=float)

    @property
    def upper(self) -> Floats:
        """Upper limit of each point, in the unit that is plotted."""
        return np.asarray(self.points["upper"], dtype=float)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Settings:
    kind: str
    base: str
    phases: NDArray[Any]
    suspects: Flags
    limits_from: LimitsFrom
    ranges: Ranges
    rules: tuple[Rule, ...]
    sigma_limits: float
    centre: float | None
    sigma: float | None
    smoothing: float
    ewma_limits: EwmaLimits
    reference: float
    decision: float


@dataclass(frozen=True, kw_only=True, eq=False)
class _Evaluated:
    """Arrays of one evaluation; `hits` maps rule -> side (+1, -1, 2 for both) at each point, 0 for none."""

    value: Floats
    centre: Floats
    sigma: Floats
    lower: Floats
    upper: Floats
    z: Floats
    process_centre: Floats
    used: Flags
    hits: dict[str, NDArray[np.int8]]
    sums: tuple[Floats, Floats] | None
    sigma_z: dict[Any, float]
    notes: tuple[str, ...]


@in_words(rows="values sizes", texts="phases")
def control_chart(
    kind: str,
    values: ArrayLike,
    sizes: ArrayLike | None = None,
    *,
    rules: str | Iterable[str] = ("nelson_1",),
    phases: Sequence[Any] | None = None,
    suspects: ArrayLike | None = None,
    limits_from: LimitsFrom = "in_control",
    ranges: Ranges = "screened",
    sigma_limits: float = 3.0,
    centre: float | None = None,
    sigma: float | None = None,
    base: str = "individuals",
    smoothing: float = 0.2,
    ewma_limits: EwmaLimits = "exact",
    reference: float = 0.5,
    decision: float = 5.0,
) -> ControlChart:
    """A control chart with centre, limits and named signals.

    Parameters
    ----------
    kind : str
        ``p`` and ``np`` (defectives out of `sizes` inspected), ``u`` (events over an area of opportunity `sizes`), ``c`` (events, equal opportunity),
        ``laney_p`` and ``laney_u`` (the same when points scatter more than binomial or Poisson; also ``p'``, ``u'``), ``individuals``, ``ewma``,
        ``cusum``; ``auto_p`` and ``auto_u`` take Laney's chart if the points are overdispersed and say why in `.reason`; ``auto`` is ``auto_p`` where
        sizes are whole and no count exceeds its size, else ``auto_u``.
    values : (points,) numbers, counts or in the unit measured
        Counts (not rates) for the count charts, measurements otherwise, in time order.
    sizes : (points,) numbers, in units inspected or of opportunity; optional
        A point of size zero has nothing to plot and is passed over.
    rules : str or several
        Names of rules, or ``western_electric`` or ``nelson`` for all of a set. Every added rule adds false alarms: see `signal_performance`. For
        ``ewma`` and ``cusum`` only their own limit applies.
    phases : (points,) labels, optional
        Each stretch of equal labels has its own limits and runs end with it.
    suspects : (points,) flags, or (n,) positions; optional
        Points under suspicion; never used for limits, always judged. A 0 or 1 for every point are flags.
    limits_from : str
        ``in_control`` leaves the worst point beyond the limits out and computes again until none is left (at most a quarter of a phase); ``all`` uses
        every point that is not a suspect.
    ranges : str
        Moving ranges behind the sigma of ``individuals`` and the sigma z of Laney's charts. ``screened`` leaves out those above 3.267 times their mean,
        once, and averages the others: one outlier makes two large ranges, and would hide behind the sigma it inflates. ``all`` is the textbook's plain
        mean.
    sigma_limits : float, in sigmas
        Distance of the limits (for ``ewma`` the width L).
    centre, sigma : float, in the unit plotted; optional
        Known standards, used instead of estimates (a rate for count charts).
    base : str
        For ``ewma`` and ``cusum``, the chart whose centre and sigma they use.
    smoothing : float, share above 0 to 1
        Weight of the newest point on an ``ewma``.
    ewma_limits : str
        ``exact`` widens from the first point on, as the scatter of the smoothed value does; ``constant`` takes its steady state from the start,
        L sigma sqrt(smoothing / (2 - smoothing)), so the first points signal less easily; it needs points of one sigma.
    reference, decision : float, in sigmas
        k and h of a ``cusum``.

    Returns
    -------
    ControlChart

    Raises
    ------
    ParameterError
        For an unknown option, impossible counts or sizes, standards that cannot be, and constant limits of an ``ewma`` whose points differ in sigma.

    Notes
    -----
    Zones and runs are read on z, so that unequal sizes are comparable. A point exactly on a limit is no signal.

    Source
    ------
    Nelson (1984), *J. Qual. Tech.* 16, 237-239; Western Electric (1956), *Statistical Quality Control Handbook*, 25-28; Laney (2002), *Quality
    Engineering* 14, 531-537; Nelson (1982), *J. Qual. Tech.* 14, 172-173 (screened ranges); Montgomery (2009), *Introduction to Statistical Quality
    Control*, 6th ed., ch. 6-9.

    Examples
    --------
    Limits of a c chart around a mean of 9: 9 plus and minus three times its root.

    >>> from analysis import stats
    >>> chart = stats.control_chart("c", [8, 10, 9, 7, 11, 9, 30], suspects=[6])
    >>> chart.lower[0].item(), chart.centre[0].item(), chart.upper[0].item(), chart.signals["point"].tolist()
    (0.0, 9.0, 18.0, [6])
    """
    asked = _known(_ALIASES.get(kind, kind), _KINDS, "kind of control chart")
    counted = _ALIASES.get(base, base) if asked in ("ewma", "cusum") else asked
    numbers, areas = _checked_values(counted, values, sizes)
    settings = _Settings(
        kind=asked,
        base=_known(counted, _BASES, "base") if asked in ("ewma", "cusum") else counted,
        phases=_phase_of_point(phases, len(numbers)),
        suspects=_flags(suspects, len(numbers)),
        limits_from=_known(limits_from, ("in_control", "all"), "limits_from"),
        ranges=_known(ranges, ("screened", "all"), "ranges"),
        rules=_chosen_rules(rules),
        sigma_limits=sigma_limits,
        centre=centre,
        sigma=sigma,
        smoothing=smoothing,
        ewma_limits=_known(ewma_limits, ("exact", "constant"), "ewma_limits"),
        reference=reference,
        decision=decision,
    )
    _check_standards(settings)
    settings, choice = _choose(settings, numbers, areas)
    return _chart(_evaluate(numbers, areas, settings), areas, settings, choice)


@dataclass(frozen=True, kw_only=True)
class ChartPerformance(Summarised):
    """How a chart behaves on data simulated from its own centre and scatter.

    Attributes
    ----------
    simulations, points_judged : size of the simulation.
    false_alarm_share : share of charts with at least one signal although nothing changed, with interval.
    false_alarms_per_point : signals divided by points judged.
    detected_share : share of charts that signal after the planted change (None without one), with interval.
    median_delay_points, mean_delay_points : points from the change to the first signal, the changed point
        counting as 1; over detected charts only, so read it with the share.

    Examples
    --------
    >>> from analysis import stats
    >>> chart = stats.control_chart("individuals", [10, 11, 9, 10, 12, 10, 9, 11, 10, 10])
    >>> found = stats.signal_performance(chart, simulations=20, seed=1, from_point=8, shift=50.0)
    >>> found.detected_share.value, found.median_delay_points  # fifty sigmas are seen at once
    (1.0, 1.0)
    """

    simulations: int
    points_judged: int
    false_alarm_share: Interval
    false_alarms_per_point: float
    detected_share: Interval | None = None
    median_delay_points: float | None = None
    mean_delay_points: float | None = None


@in_words()
def signal_performance(
    chart: ControlChart,
    *,
    simulations: int,
    seed: int,
    from_point: int | None = None,
    shift: float | None = None,
) -> ChartPerformance:
    """False-alarm rate, and with a planted change the detection delay, by simulation.

    Parameters
    ----------
    chart : ControlChart
        Whose centre, scatter and rules are simulated.
    simulations, seed : int
        Size and seed of the simulation.
    from_point : int, position; optional
        Judge only points from this one on, with limits from the points before it (monitoring); without it every point is judged with limits estimated
        as in the chart itself.
    shift : float, factor or number of sigmas; optional
        The change planted at `from_point`: a factor on the centre for count charts, a number of sigmas for measurements.

    Returns
    -------
    ChartPerformance

    Raises
    ------
    ParameterError
        For a shift without `from_point`, a position outside the chart, or a chart with points without limits.

    Notes
    -----
    Counts are drawn from the binomial or Poisson model of each point's own size; on Laney charts the rate itself varies (beta, gamma) so that the
    scatter is the one estimated. Limits are estimated anew in every simulated chart, as they would be in practice.

    Source
    ------
    Own derivation (simulation from the fitted chart); tested against the known false-alarm rate of three-sigma limits.

    Examples
    --------
    >>> from analysis import stats
    >>> chart = stats.control_chart("individuals", [10, 11, 9, 10, 12, 10, 9, 11, 10, 10])
    >>> quiet = stats.signal_performance(chart, simulations=50, seed=1)
    >>> quiet.points_judged, 0 <= quiet.false_alarm_share.value < 0.5
    (10, True)
    """
    if shift is not None and from_point is None:
        raise ParameterError("a planted shift needs from_point, the position where it starts.")
    settings = chart.settings
    sizes = np.asarray(chart.points["size"], dtype=float)
    start = 0 if from_point is None else from_point
    if not 0 <= start < len(sizes):
        raise ParameterError(f"from_point {start} lies outside the chart's {len(sizes)} points.")
    if from_point is not None:
        settings = replace(settings, suspects=settings.suspects | (np.arange(len(sizes)) >= start))
    rng = np.random.default_rng(seed)
    quiet = [
        _alarms(_simulated(chart, rng, start, None), sizes, settings)[start:] for _ in range(simulations)
    ]
    alarms = np.array(quiet)
    performance = ChartPerformance(
        simulations=simulations,
        points_judged=len(sizes) - start,
        false_alarm_share=_share(alarms.any(axis=1), simulations),
        false_alarms_per_point=float(alarms.mean()),
    )
    if shift is None:
        return performance
    loud = [
        _alarms(_simulated(chart, rng, start, shift), sizes, settings)[start:] for _ in range(simulations)
    ]
    found = np.array(loud)
    detected = found.any(axis=1)
    delay = found[detected].argmax(axis=1) + 1.0
    return replace(
        performance,
        detected_share=_share(detected, simulations),
        median_delay_points=float(np.median(delay)) if len(delay) else None,
        mean_delay_points=float(delay.mean()) if len(delay) else None,
    )


# -- reading the arguments ------------------------------------------------------------------------


def _known(name: Name, known: Sequence[Name], what: str) -> Name:
    if name not in known:
        raise ParameterError(
            f"unknown {what} {name!r}; known: {', '.join(known)}." + suggestion(str(name), known)
        )
    return name


def _chosen_rules(rules: str | Iterable[str]) -> tuple[Rule, ...]:
    names = [rules] if isinstance(rules, str) else list(rules)
    chosen = [one for name in names for one in RULE_SETS.get(name, (name,))]
    return tuple(_RULES[_known(name, [*_RULES, *RULE_SETS], "rule")] for name in chosen)


def _check_standards(settings: _Settings) -> None:
    """Widths are positive numbers, and a known centre is one that the chart's values can have."""
    widths = {
        "sigma_limits": settings.sigma_limits,
        "sigma": settings.sigma,
        "decision": settings.decision,
        "smoothing": settings.smoothing,
    }
    for name, width in widths.items():
        if width is not None and not 0 < width < np.inf:
            raise ParameterError(f"{name} is a width, above zero; got {width}.")
    if not settings.smoothing <= 1:
        raise ParameterError(f"smoothing must lie above 0 and at most 1; got {settings.smoothing}.")
    if not 0 <= settings.reference < np.inf:
        raise ParameterError(f"reference is a number of sigmas, zero or more; got {settings.reference}.")
    centre, base = settings.centre, settings.base
    if centre is None:
        return
    if not np.isfinite(centre):
        raise ParameterError(f"centre is {centre}; give one finite number.")
    if base != "individuals" and centre < 0:
        raise ParameterError(f"a {base} chart counts events; its centre cannot be {centre:g}.")
    if base in ("p", "np", "laney_p", "auto_p") and centre > 1:
        raise ParameterError(f"a {base} chart is centred on a share between 0 and 1; got {centre:g}.")


def _flags(marked: ArrayLike | None, length: int) -> Flags:
    flags = np.zeros(length, dtype=bool)
    if marked is None:
        return flags
    given = np.asarray(marked)
    if given.ndim != 1:
        raise ParameterError("suspects: give positions in a list, or a flag for each point.")
    if given.dtype == bool:
        if len(given) != length:
            raise ParameterError(f"suspects: {len(given)} flags for {length} points.")
        return given.copy()
    if len(given) == length and np.isin(given, (0, 1)).all():
        marks: Flags = np.asarray(given, dtype=float) == 1
        return marks
    try:
        position = np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        position = np.array([np.nan])
    outside = ~((position >= 0) & (position < length) & (position == np.round(position)))
    if outside.any():
        raise ParameterError(
            f"suspects: {given[outside].flat[0]!r} is no position among {length} points; give 0 to {length - 1}, or a flag for each point."
        )
    flags[position.astype(int)] = True
    return flags


def _phase_of_point(phases: Sequence[Any] | None, length: int) -> NDArray[Any]:
    if phases is None:
        return np.zeros(length, dtype=int)
    labels = np.asarray(phases)
    if len(labels) != length:
        raise ParameterError(f"phases: {len(labels)} labels for {length} points.")
    return labels


def _checked_values(kind: str, values: ArrayLike, sizes: ArrayLike | None) -> tuple[Floats, Floats]:
    numbers = np.asarray(values, dtype=float)
    if numbers.ndim != 1 or len(numbers) == 0:
        raise ParameterError("a control chart needs one value a point, in time order.")
    if kind in ("individuals", "c") and sizes is not None:
        raise ParameterError(f"a {kind} chart takes no sizes; use u for events over unequal opportunity.")
    if kind not in ("individuals", "c") and sizes is None:
        raise ParameterError(
            f"a {kind} chart needs the size of each point: counts cannot be judged without it."
        )
    areas = (
        np.ones(len(numbers))
        if sizes is None
        else np.broadcast_to(np.asarray(sizes, dtype=float), numbers.shape)
    )
    if np.isinf(numbers).any() or np.isinf(areas).any():
        raise ParameterError(
            "a control chart's values and sizes are finite; leave out what was not measured."
        )
    empty = areas == 0
    if kind != "individuals":
        wrong = ~(numbers >= 0) | ~(areas >= 0) | (empty & (numbers > 0))
        if wrong.any():
            raise ParameterError(
                f"{int(wrong.sum())} of {len(numbers)} points are not counts over a size, e.g. point "
                f"{int(np.argmax(wrong))}: {numbers[wrong][0]:g} of {areas[wrong][0]:g}."
            )
    if kind in ("p", "np", "laney_p", "auto_p") and (numbers > areas).any():
        first = int(np.argmax(numbers > areas))
        raise ParameterError(
            f"{int((numbers > areas).sum())} points have more defectives than were inspected, e.g. point {first}: "
            f"{numbers[first]:g} of {areas[first]:g}. Several events a unit belong on a u chart."
        )
    return numbers, np.array(areas)


def _choose(settings: _Settings, values: Floats, sizes: Floats) -> tuple[_Settings, ChartChoice]:
    """Laney's chart when the scatter between neighbours is more than chance around one."""
    if not settings.kind.startswith("auto"):
        return settings, ChartChoice(kind=settings.kind, code="asked_for", points=len(values))
    shares = settings.kind == "auto_p" or (
        settings.kind == "auto" and bool(np.all(sizes == np.round(sizes)) and np.all(values <= sizes))
    )
    plain, prime = ("p", "laney_p") if shares else ("u", "laney_u")
    wide = replace(settings, kind=prime, base=prime)
    scatter = _evaluate(values, sizes, wide)
    points = int(scatter.used.sum())
    if points < 10:
        chosen = replace(settings, kind=plain, base=plain)
        return chosen, ChartChoice(kind=plain, code="too_few_points", points=points)
    sigma_z = float(np.mean(list(scatter.sigma_z.values())))
    # a mean moving range over d2 has variance of about 0.826 sigma squared over the number of points
    critical = 1 + 1.645 * np.sqrt(0.826 / points)
    kind = prime if sigma_z > critical else plain
    code: Literal["overdispersed", "not_overdispersed"] = (
        "overdispersed" if kind == prime else "not_overdispersed"
    )
    choice = ChartChoice(kind=kind, code=code, points=points, sigma_z=sigma_z, critical=float(critical))
    return replace(settings, kind=kind, base=kind), choice


@dataclass(frozen=True, kw_only=True)
class Overdispersion(Summarised):
    """Do counts scatter more than chance around one rate?

    Attributes
    ----------
    statistic, degrees, p_value : Pearson's chi-square against one common rate (upper tail).
    ratio : statistic over its degrees; the variance is so many times that of the count model.

    Examples
    --------
    >>> from analysis import stats
    >>> test = stats.overdispersion_test([5, 15], [100, 100], kind="u")
    >>> test.statistic, test.degrees  # 10 expected in each: 25/10 + 25/10
    (5.0, 1)
    """

    statistic: float
    degrees: int
    p_value: float
    ratio: float


@in_words(rows="values sizes")
def overdispersion_test(values: ArrayLike, sizes: ArrayLike, *, kind: Literal["p", "u"]) -> Overdispersion:
    """Test of one common rate behind counts, before their limits are believed.

    Parameters
    ----------
    values : (points,) numbers, counts
        As in `control_chart`.
    sizes : (points,) numbers, in units inspected or of opportunity
        Points of size zero are passed over.
    kind : str
        ``p`` defectives out of sizes (binomial), ``u`` events over an area of opportunity (Poisson).

    Returns
    -------
    Overdispersion

    Raises
    ------
    ParameterError
        For an unknown kind, impossible counts, fewer than two points, or nothing that varies.

    Notes
    -----
    Approximate where expected counts are below one or two. Unlike the sigma z of moving ranges it also answers to a slow drift.

    Source
    ------
    Fisher (1925), *Statistical Methods for Research Workers*, section 16 (index of dispersion), sections 18-19 (binomial).

    Examples
    --------
    >>> from analysis import stats
    >>> test = stats.overdispersion_test([5, 15], [100, 100], kind="u")
    >>> round(test.p_value, 4)  # chi-square of 5 with one degree
    0.0253
    """
    asked = _known(kind, ("p", "u"), "kind of counts")
    numbers, areas = _checked_values(asked, values, sizes)
    shown = areas > 0
    numbers, areas = numbers[shown], areas[shown]
    if len(numbers) < 2 or not numbers.sum() > 0 or (asked == "p" and numbers.sum() == areas.sum()):
        raise ParameterError(
            f"overdispersion: {len(numbers)} points with {numbers.sum():g} events; needs two points and something that varies."
        )
    rate = numbers.sum() / areas.sum()
    variance = areas * rate * ((1 - rate) if asked == "p" else 1.0)
    statistic, degrees = float(((numbers - areas * rate) ** 2 / variance).sum()), len(numbers) - 1
    return Overdispersion(
        statistic=statistic,
        degrees=degrees,
        p_value=float(chi2.sf(statistic, degrees)),
        ratio=statistic / degrees,
    )


@dataclass(frozen=True, kw_only=True)
class SubgroupLimits(Summarised):
    """Limits of subgroup means, and of their ranges or standard deviations.

    Attributes
    ----------
    mean, spread : centre, lower and upper limit, in the unit measured.
    sigma : that of single values.

    Examples
    --------
    >>> from analysis import stats
    >>> limits = stats.subgroup_limits(10.0, 2.0, size=5, spread="range")
    >>> limits.spread[1]  # ranges of five have no lower limit
    0.0
    """

    mean: tuple[float, float, float]
    spread: tuple[float, float, float]
    sigma: float


def subgroup_constants(size: int) -> dict[str, float]:
    """d2, d3 (mean and sigma of the range of `size` standard normals) and c4 (mean of their standard deviation), by integration.

    Sources: Tippett (1925), Biometrika 17, 364-387 (range); Montgomery (2009), appendix VI, prints them.
    """
    if size < 2:
        raise ParameterError(f"a subgroup has at least two values; got {size}.")
    x = np.linspace(-9, 9, 2001)
    step, below = x[1] - x[0], ndtr(x)
    # P(range <= r) = size x the integral of density(x) (Phi(x + r) - Phi(x))^(size - 1)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    r = np.linspace(0, 14, 1401)
    beyond = np.array([1 - size * step * float(density @ (ndtr(x + one) - below) ** (size - 1)) for one in r])
    first, second = float(np.trapezoid(beyond, r)), float(np.trapezoid(2 * r * beyond, r))
    c4 = float(np.sqrt(2 / (size - 1)) * np.exp(gammaln(size / 2) - gammaln((size - 1) / 2)))
    return {"d2": first, "d3": float(np.sqrt(second - first**2)), "c4": c4}


@in_words()
def subgroup_limits(
    centre: float, mean_spread: float, *, size: int, spread: Literal["range", "sd"], sigma_limits: float = 3.0
) -> SubgroupLimits:
    """Limits of an X-bar chart with its R or S chart.

    Parameters
    ----------
    centre, mean_spread : float, in the unit measured
        Mean of the subgroup means; mean of their ranges (``range``) or standard deviations (``sd``), above zero.
    size : int
        Values in a subgroup, two or more.
    spread : str
        ``range`` or ``sd``.
    sigma_limits : float, in sigmas
        Distance of the limits.

    Returns
    -------
    SubgroupLimits

    Raises
    ------
    ParameterError
        For an unknown spread, numbers that are not above zero, or a subgroup of one.

    Source
    ------
    Montgomery (2009), *Introduction to Statistical Quality Control*, 6th ed., sections 6.2 and 6.3; constants by integration (Tippett 1925, *Biometrika*
    17, 364-387).

    Examples
    --------
    Five values in a subgroup have the printed factors A2 = 0.577 and D4 = 2.114.

    >>> from analysis import stats
    >>> limits = stats.subgroup_limits(0.0, 1.0, size=5, spread="range")
    >>> round(limits.mean[2], 3), round(limits.spread[2], 3)
    (0.577, 2.114)
    """
    asked = _known(spread, ("range", "sd"), "spread of a subgroup")
    if not (mean_spread > 0 and sigma_limits > 0 and np.isfinite([centre, mean_spread, sigma_limits]).all()):
        raise ParameterError(
            f"subgroups: the mean spread and the width of limits must be above zero; got {mean_spread}, {sigma_limits}."
        )
    constant = subgroup_constants(size)
    if asked == "range":
        sigma = mean_spread / constant["d2"]
        own = constant["d3"] * sigma
    else:
        sigma = mean_spread / constant["c4"]
        own = sigma * float(np.sqrt(1 - constant["c4"] ** 2))
    half, reach = sigma_limits * sigma / float(np.sqrt(size)), sigma_limits * own
    return SubgroupLimits(
        mean=(centre, centre - half, centre + half),
        spread=(mean_spread, max(mean_spread - reach, 0.0), mean_spread + reach),
        sigma=sigma,
    )


@in_words(tables="values", numbers="values")
def subgroup_chart(
    values: pd.DataFrame, *, spread: Literal["range", "sd"], sigma_limits: float = 3.0
) -> pd.DataFrame:
    """X-bar with R or S chart of subgroups.

    Parameters
    ----------
    values : (subgroups, measurements) DataFrame of numbers, in the unit measured
        One row per subgroup in time order, one column per measurement.
    spread : str
        ``range`` or ``sd``.
    sigma_limits : float, in sigmas
        Distance of the limits.

    Returns
    -------
    DataFrame, one row per subgroup
        `mean`, `spread`, `mean_lower`, `mean_upper`, `spread_lower`, `spread_upper`, `signal` (a mean beyond its limits), `spread_signal` (read it
        first: while the scatter is not stable, the limits of the means are none).

    Raises
    ------
    ParameterError
        For what is no number, an unknown spread, subgroups of one, or subgroups without scatter.

    Source
    ------
    Montgomery (2009), *Introduction to Statistical Quality Control*, 6th ed., sections 6.2 and 6.3.

    Examples
    --------
    >>> import pandas as pd
    >>> from analysis import stats
    >>> chart = stats.subgroup_chart(pd.DataFrame({"first": [1, 2, 9], "second": [3, 2, 11]}), spread="range")
    >>> chart["mean"].tolist(), chart["spread"].tolist()
    ([2.0, 2.0, 10.0], [2.0, 0.0, 2.0])
    """
    numbers = values.to_numpy(dtype=float)
    subgroup_constants(numbers.shape[1])  # refuses subgroups of one before anything is divided
    means = numbers.mean(axis=1)
    spreads = np.ptp(numbers, axis=1) if spread == "range" else numbers.std(axis=1, ddof=1)
    limits = subgroup_limits(
        float(means.mean()),
        float(spreads.mean()),
        size=numbers.shape[1],
        spread=spread,
        sigma_limits=sigma_limits,
    )
    table = pd.DataFrame({"mean": means, "spread": spreads}, index=values.index).assign(
        mean_lower=limits.mean[1],
        mean_upper=limits.mean[2],
        spread_lower=limits.spread[1],
        spread_upper=limits.spread[2],
    )
    return table.assign(
        signal=(table["mean"] < limits.mean[1]) | (table["mean"] > limits.mean[2]),
        spread_signal=(table["spread"] < limits.spread[1]) | (table["spread"] > limits.spread[2]),
    )


@in_words()
def false_alarms_by_rule(
    points: int, *, simulations: int = 1000, seed: int = 0, sigma_limits: float = 3.0
) -> dict[str, float]:
    """Share of quiet charts of so many points on which each rule signals at least once.

    Parameters
    ----------
    points : int
        On each chart.
    simulations, seed : int
        Size and seed of the simulation.
    sigma_limits : float, in sigmas
        Distance of the limits.

    Returns
    -------
    dict of rule to float
        0 to 1, by name; also ``ewma`` and ``cusum``.

    Raises
    ------
    ParameterError
        For a number of points or simulations below one.

    Notes
    -----
    Points are drawn independent and standard normal: what the rules see on z when nothing happens and the limits are known.

    Source
    ------
    Own derivation (simulation); tested against the exact chance of a point beyond three sigmas.

    Examples
    --------
    One point lies beyond three sigmas in 0.27 % of charts of one point.

    >>> from analysis import stats
    >>> stats.false_alarms_by_rule(1, simulations=500, seed=1)["nelson_1"]
    0.002
    """
    if not sigma_limits > 0:
        raise ParameterError(f"sigma_limits is a width, above zero; got {sigma_limits}.")
    z = np.random.default_rng(seed).standard_normal((simulations, points))
    found: dict[str, float] = {}
    for rule in _RULES.values():
        limit = sigma_limits if rule.name.endswith("_1") else rule.sigmas
        found[rule.name] = float(np.mean([_rule_hits(row, rule, limit).any() for row in z]))
    ones, zeros = np.ones(points), np.zeros(points)
    smooth = [_ewma(row, zeros, ones, 0.2) for row in z]
    found["ewma"] = float(np.mean([_beyond(value / spread, sigma_limits).any() for value, spread in smooth]))
    found["cusum"] = float(
        np.mean([max(high.max(), low.max()) > 5.0 for high, low in (_cusum(row, 0.5) for row in z)])
    )
    return found


# -- limits ---------------------------------------------------------------------------------------


def _evaluate(values: Floats, sizes: Floats, settings: _Settings) -> _Evaluated:
    n = len(values)
    part = {name: np.full(n, np.nan) for name in (*_COLUMNS, "high", "low", "process")}
    used = np.zeros(n, dtype=bool)
    hits = {rule.name: np.zeros(n, dtype=np.int8) for rule in _rules_of(settings)}
    sigma_z: dict[Any, float] = {}
    notes: list[str] = []
    for label, where in _stretches(settings.phases):
        shown = where[(sizes[where] > 0) & np.isfinite(values[where])]
        if settings.base in ("np", "c", "individuals"):
            part["value"][shown] = values[shown]
        else:
            part["value"][shown] = values[shown] / sizes[shown]
        fitted = _phase_limits(values[shown], sizes[shown], settings.suspects[shown], settings)
        if fitted is None:
            notes.append(f"phase {label}: too few points outside suspicion to compute limits.")
            continue
        centre, sigma, inside, spread, complete = fitted
        if settings.base == "individuals" and settings.sigma is None and sigma.max(initial=0.0) == 0:
            notes.append(
                f"phase {label}: the points behind the limits do not vary, so the limits have no width; any other value is a signal."
            )
        if not complete:
            notes.append(
                f"phase {label}: more than a quarter of the points lie beyond the limits; no stable base."
            )
        used[shown] = inside
        part["centre"][shown], part["sigma"][shown], part["process"][shown] = centre, sigma, centre
        if spread is not None:
            sigma_z[label] = spread
        _judge(part, hits, shown, settings)
    sums = (part["high"], part["low"]) if settings.kind == "cusum" else None
    return _Evaluated(
        **{name: part[name] for name in _COLUMNS},
        process_centre=part["process"],
        used=used,
        hits=hits,
        sums=sums,
        sigma_z=sigma_z,
        notes=tuple(notes),
    )


def _stretches(phases: NDArray[Any]) -> list[tuple[Any, NDArray[np.int64]]]:
    """Runs of equal labels, in order."""
    starts = np.flatnonzero(np.r_[True, phases[1:] != phases[:-1]])
    ends = np.r_[starts[1:], len(phases)]
    return [
        (phases[a].item() if hasattr(phases[a], "item") else phases[a], np.arange(a, b))
        for a, b in zip(starts, ends, strict=True)
    ]


def _phase_limits(
    values: Floats, sizes: Floats, suspects: Flags, settings: _Settings
) -> tuple[Floats, Floats, Flags, float | None, bool] | None:
    """Centre and sigma a point, which points made them, sigma z, and whether leaving points out came to an end."""
    inside = ~suspects
    fewest = 2 if settings.base in ("individuals", "laney_p", "laney_u") else 1
    if settings.centre is not None and (settings.sigma is not None or fewest == 1):
        fewest = 0
    if inside.sum() < fewest:
        return None
    centre, sigma, spread = _centre_and_sigma(values, sizes, inside, settings)
    if settings.limits_from == "all" or fewest == 0:
        return centre, sigma, inside, spread, True
    plotted = values if settings.base in ("np", "c", "individuals") else values / sizes
    most_left_out = inside.sum() // 4
    trimmed = inside.copy()
    while True:
        distance = np.where(trimmed, np.abs(plotted - centre), -np.inf) - settings.sigma_limits * sigma * (
            1 + 1e-9
        )
        if not (trimmed & (distance > 0)).any():
            return centre, sigma, trimmed, spread, True
        if trimmed.sum() - 1 < max(fewest, inside.sum() - most_left_out):
            return *_centre_and_sigma(values, sizes, inside, settings)[:2], inside, spread, False
        with np.errstate(divide="ignore"):
            trimmed[np.argmax(np.where(trimmed, np.abs(plotted - centre) / sigma, -np.inf))] = False
        centre, sigma, spread = _centre_and_sigma(values, sizes, trimmed, settings)


def _centre_and_sigma(
    values: Floats, sizes: Floats, inside: Flags, settings: _Settings
) -> tuple[Floats, Floats, float | None]:
    base = settings.base
    if base == "individuals":
        middle = values[inside].mean() if settings.centre is None else settings.centre
        spread = (
            _moving_range_sigma(values, inside, settings.ranges) if settings.sigma is None else settings.sigma
        )
        return np.full(len(values), middle), np.full(len(values), spread), None
    rate = values[inside].sum() / sizes[inside].sum() if settings.centre is None else settings.centre
    if base in ("p", "np", "laney_p"):
        sigma = np.sqrt(rate * (1 - rate) / sizes)
    else:
        sigma = np.sqrt(rate / sizes)
    if settings.sigma is not None:
        sigma = np.full(len(values), settings.sigma)
    if base == "np":
        return rate * sizes, sigma * sizes, None
    if base in ("laney_p", "laney_u"):
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (values / sizes - rate) / sigma
        spread = _moving_range_sigma(np.nan_to_num(z), inside, settings.ranges)
        return np.full(len(values), rate), sigma * spread, spread
    return np.full(len(values), rate), sigma, None


def _moving_range_sigma(values: Floats, inside: Flags, ranges: Ranges) -> float:
    """Mean absolute difference of neighbours (neighbours once the points left out are gone) over d2, without ranges that are jumps."""
    moving = np.abs(np.diff(values[inside]))
    if ranges == "screened":
        moving = moving[moving <= MOVING_RANGE_D4 * moving.mean()]
    return float(moving.mean() / MOVING_RANGE_D2)


# -- signals --------------------------------------------------------------------------------------


def _rules_of(settings: _Settings) -> tuple[Rule, ...]:
    if settings.kind in ("ewma", "cusum"):
        return (
            Rule(
                name=settings.kind,
                text=f"{settings.kind} beyond its limit",
                pattern="beyond",
                window=1,
                needed=1,
            ),
        )
    return settings.rules


def _judge(
    part: dict[str, Floats], hits: dict[str, NDArray[np.int8]], shown: NDArray[np.int64], settings: _Settings
) -> None:
    """Fill limits, z and hits of one phase."""
    value, centre, sigma = part["value"][shown], part["centre"][shown], part["sigma"][shown]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(value == centre, 0.0, (value - centre) / sigma)
    part["z"][shown] = z
    if settings.kind == "ewma":
        smoothed, spread = _ewma(value, centre, sigma, settings.smoothing)
        if settings.ewma_limits == "constant":
            spread = _steady_spread(sigma, settings.smoothing)
        part["value"][shown], part["z"][shown] = smoothed, (smoothed - centre) / spread
        _set_limits(part, shown, settings.sigma_limits * spread, settings)
        hits["ewma"][shown] = _beyond(part["z"][shown], settings.sigma_limits)
        return
    if settings.kind == "cusum":
        high, low = _cusum(z, settings.reference)
        part["high"][shown], part["low"][shown] = high, low
        part["value"][shown] = np.where(high >= low, high, -low)
        part["centre"][shown], part["lower"][shown], part["upper"][shown] = (
            0.0,
            -settings.decision,
            settings.decision,
        )
        above, below = _beyond(high, settings.decision), _beyond(low, settings.decision)
        hits["cusum"][shown] = np.where((above > 0) & (below > 0), 2, above - below)
        return
    _set_limits(part, shown, settings.sigma_limits * sigma, settings)
    for rule in settings.rules:
        limit = settings.sigma_limits if rule.name.endswith("_1") else rule.sigmas
        hits[rule.name][shown] = _rule_hits(z, rule, limit)


def _set_limits(part: dict[str, Floats], shown: NDArray[np.int64], half: Floats, settings: _Settings) -> None:
    lower, upper = part["centre"][shown] - half, part["centre"][shown] + half
    if settings.base != "individuals":  # a count or share is never negative
        lower = np.maximum(lower, 0.0)
    if settings.base in ("p", "laney_p"):
        upper = np.minimum(upper, 1.0)
    part["lower"][shown], part["upper"][shown] = lower, upper


def _ewma(value: Floats, centre: Floats, sigma: Floats, smoothing: float) -> tuple[Floats, Floats]:
    """Smoothed value and its own sigma (exact from the first point on, also with unequal sigmas)."""
    smoothed, variance = np.empty(len(value)), np.empty(len(value))
    level, spread = (centre[0] if len(centre) else 0.0), 0.0
    for i in range(len(value)):
        level = smoothing * value[i] + (1 - smoothing) * level
        spread = smoothing**2 * sigma[i] ** 2 + (1 - smoothing) ** 2 * spread
        smoothed[i], variance[i] = level, spread
    return smoothed, np.sqrt(variance)


def _steady_spread(sigma: Floats, smoothing: float) -> Floats:
    """Sigma of the smoothed value after many points, which is one only where the points have one."""
    if len(sigma) and not np.allclose(sigma, sigma[0], rtol=1e-9, atol=0.0):
        raise ParameterError(
            "constant limits of an ewma need points of one sigma; sizes differ here: take ewma_limits='exact'."
        )
    return np.asarray(sigma * np.sqrt(smoothing / (2 - smoothing)))


def _cusum(z: Floats, reference: float) -> tuple[Floats, Floats]:
    high, low = np.empty(len(z)), np.empty(len(z))
    above = below = 0.0
    for i, step in enumerate(z):
        above = max(0.0, above + step - reference)
        below = max(0.0, below - step - reference)
        high[i], low[i] = above, below
    return high, low


def _beyond(z: Floats, limit: float) -> NDArray[np.int8]:
    """+1 above, -1 below, 0 inside; exactly on the limit (within rounding) is inside."""
    edge = limit + 1e-9 * max(1.0, limit)
    return ((z > edge).astype(np.int8) - (z < -edge).astype(np.int8)).astype(np.int8)


def _rule_hits(z: Floats, rule: Rule, limit: float) -> NDArray[np.int8]:
    """Side on which the rule is completed at each point; 0 where it is not."""
    if rule.pattern == "beyond":
        return _counted(z, rule, limit)
    if rule.pattern == "run":
        return _counted(z, rule, 0.0)
    if rule.pattern == "within":
        inside = (_beyond(z, limit) == 0) & (np.abs(z) < limit * (1 - 1e-9))
        return (2 * _completed(inside, rule.window, rule.needed)).astype(np.int8)
    if rule.pattern == "outside":
        return (2 * _completed(_beyond(z, limit) != 0, rule.window, rule.needed)).astype(np.int8)
    step = _beyond(np.diff(z, prepend=np.nan), 0.0)
    if rule.pattern == "trend":
        rising = _completed(step > 0, rule.window - 1, rule.needed - 1)
        falling = _completed(step < 0, rule.window - 1, rule.needed - 1)
        return (rising.astype(np.int8) - falling.astype(np.int8)).astype(np.int8)
    turns = np.r_[False, step[1:] * step[:-1] < 0] if len(step) else np.zeros(0, dtype=bool)
    # fourteen points have thirteen steps and twelve turns
    return (2 * _completed(turns, rule.window - 2, rule.needed - 2)).astype(np.int8)


def _counted(z: Floats, rule: Rule, limit: float) -> NDArray[np.int8]:
    side = _beyond(z, limit)
    above = _completed(side > 0, rule.window, rule.needed)
    below = _completed(side < 0, rule.window, rule.needed)
    return (above.astype(np.int8) - below.astype(np.int8)).astype(np.int8)


def _completed(meets: Flags, window: int, needed: int) -> Flags:
    """The point itself meets the condition and so do enough of the window that ends with it."""
    total = np.r_[0, np.cumsum(meets)]
    position = np.arange(1, len(meets) + 1)
    in_window = total[position] - total[np.maximum(position - window, 0)]
    return np.asarray(meets & (in_window >= needed))


# -- results and simulation -----------------------------------------------------------------------


def _chart(result: _Evaluated, sizes: Floats, settings: _Settings, choice: ChartChoice) -> ControlChart:
    signals = pd.concat([_signals_of(rule, result) for rule in _rules_of(settings)], ignore_index=True)
    signals = signals.sort_values(["point", "rule"], kind="stable", ignore_index=True)
    signal = np.zeros(len(sizes), dtype=bool)
    signal[signals["point"].to_numpy()] = True
    points = pd.DataFrame(
        {
            "value": result.value,
            "size": sizes,
            "phase": settings.phases,
            "centre": result.centre,
            "lower": result.lower,
            "upper": result.upper,
            "sigma": result.sigma,
            "z": result.z,
            "used_for_limits": result.used,
            "signal": signal,
        }
    )
    if result.sums is not None:
        points["sum_high"], points["sum_low"] = result.sums
    return ControlChart(
        kind=settings.kind,
        points=points,
        signals=signals,
        choice=choice,
        rules=tuple(rule.name for rule in _rules_of(settings)),
        sigma_z=result.sigma_z,
        notes=result.notes,
        process_centre=result.process_centre,
        settings=settings,
    )


def _signals_of(rule: Rule, result: _Evaluated) -> pd.DataFrame:
    hit = result.hits[rule.name]
    point = np.flatnonzero(hit)
    return pd.DataFrame(
        {
            "point": point,
            "first_point": np.maximum(0, point - rule.window + 1),
            "rule": rule.name,
            "text": rule.text,
            "side": np.array(["low", "", "high", "both"], dtype=object)[hit[point] + 1],
            "value": result.value[point],
        }
    )


def _share(flags: Any, simulations: int) -> Interval:
    return proportion_interval(int(flags.sum()), simulations, method="wilson")


def _alarms(values: Floats, sizes: Floats, settings: _Settings) -> Flags:
    hits = _evaluate(values, sizes, settings).hits
    flagged: Flags = np.any([hit != 0 for hit in hits.values()], axis=0)
    return flagged


def _simulated(chart: ControlChart, rng: np.random.Generator, start: int, shift: float | None) -> Floats:
    """Counts or measurements drawn from the chart's centre and scatter, changed from `start` on."""
    base = chart.settings.base
    sizes = np.asarray(chart.points["size"], dtype=float)
    centre, sigma = chart.process_centre, np.asarray(chart.points["sigma"], dtype=float)
    if not (np.isfinite(centre).all() and np.isfinite(sigma).all()):
        raise ParameterError(
            "the chart has points without limits; simulate one whose every point can be judged."
        )
    late = np.arange(len(sizes)) >= start
    if base == "individuals":
        return rng.normal(centre + np.where(late, (shift or 0.0) * sigma, 0.0), sigma)
    factor = np.where(late, 1.0 if shift is None else shift, 1.0)
    usual = centre / sizes if base == "np" else centre
    rate = usual * factor
    if base in ("p", "np", "laney_p"):
        rate = np.minimum(rate, 1.0)
        extra = (sigma**2 - usual * (1 - usual) / sizes) * factor**2 if base == "laney_p" else 0.0 * sizes
        wide = (extra > 0) & (rate > 0) & (rate < 1)
        weight = np.where(wide, rate * (1 - rate) / np.where(wide, extra, 1.0) - 1, 1.0)
        wide &= weight > 0
        drawn = rng.beta(np.where(wide, rate * weight, 1.0), np.where(wide, (1 - rate) * weight, 1.0))
        return rng.binomial(np.round(sizes).astype(int), np.where(wide, drawn, rate)).astype(float)
    extra = (sigma**2 - usual / sizes) * factor**2 if base == "laney_u" else 0.0 * sizes
    wide = (extra > 0) & (rate > 0)
    shape = np.where(wide, rate**2 / np.where(wide, extra, 1.0), 1.0)
    drawn = rng.gamma(shape, np.where(wide, rate, 1.0) / shape)
    counts: Floats = rng.poisson(np.where(wide, drawn, rate) * sizes).astype(float)
    return counts
