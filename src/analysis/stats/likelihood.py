"""Maximum likelihood of positive parameters by Newton steps, with Hessian and profile intervals.

The models of this package have few, positive parameters and exact second derivatives. Searching in logarithms keeps
them positive and makes the likelihood nearly quadratic, so that some ten steps suffice where a general search takes
hundreds of evaluations (statsmodels' `GenericLikelihoodModel` searches with derivatives by differences). A search that runs to the edge of the parameter space is refused: such a "fit" is no estimate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from analysis.errors import FitError, ParameterError, suggestion
from analysis.stats.arguments import confidence_level
from analysis.summaries import Summarised

Array = NDArray[np.float64]

# Value, gradient and Hessian of a log-likelihood at natural (positive) parameters.
Objective = Callable[[Array], tuple[float, Array, Array]]

_MOST_STEPS = 200
_LONGEST_STEP = 1.5  # in logarithms
_ENOUGH = 1e-9  # gain in log-likelihood that one more step promises
_IDLE = 1e-6  # a gain too small to tell; many such steps in a row walk along a flat ridge
_MOST_IDLE_STEPS = 12
_EDGE = 18.0  # e^18: a parameter this far from where it started has no finite maximum


@dataclass(frozen=True, kw_only=True, eq=False)
class LikelihoodFit(Summarised):
    """Estimated positive parameters, or stated ones (`stated`), which nothing is known about but their values.

    Attributes
    ----------
    estimate : parameters in the order of `names`, in natural units.
    log_likelihood : at the estimate, constants included as the model states; NaN where the parameters were stated.
    log_covariance : of the logarithms of the parameters, from the Hessian; NaN where they were stated.
    steps : Newton steps taken.
    fitted : False where the parameters were stated.
    """

    names: tuple[str, ...]
    estimate: Array
    log_likelihood: float
    log_covariance: Array
    steps: int
    _objective: Objective | None = field(repr=False)

    @property
    def fitted(self) -> bool:
        return self._objective is not None

    def value(self, name: str) -> float:
        return float(self.estimate[self._place(name)])

    def interval(self, name: str, *, level: float = 0.95, method: str = "hessian") -> tuple[float, float]:
        """Limits of one parameter.

        `method`: ``hessian`` is symmetric in the logarithm; ``profile`` keeps the values whose best likelihood is not
        rejected, which is safer where the likelihood is lopsided. A profile that does not fall on one side has a limit of 0 or
        infinity there. Stated parameters are refused: without a fit there is none.
        """
        place = self._place(name)
        confidence_level(level)
        if not self.fitted:
            raise ParameterError(f"interval: {name} was stated, not fitted; it has no interval.")
        if method == "hessian":
            reach = norm.ppf(0.5 + level / 2) * np.sqrt(self.log_covariance[place, place])
            return float(self.estimate[place] * np.exp(-reach)), float(self.estimate[place] * np.exp(reach))
        if method == "profile":
            return self._profile(place, -1.0, level), self._profile(place, 1.0, level)
        raise ParameterError(
            f"interval: unknown method {method!r}.{suggestion(method, ('hessian', 'profile'))}"
        )

    def table(self, *, level: float = 0.95) -> pd.DataFrame:
        """One row per parameter: `estimate`, `log_std_error`, `low`, `high` (Hessian; NaN where the parameters were stated)."""
        nothing = (float("nan"), float("nan"))
        limits = [self.interval(name, level=level) if self.fitted else nothing for name in self.names]
        return pd.DataFrame(
            {
                "estimate": self.estimate,
                "log_std_error": np.sqrt(np.diag(self.log_covariance)),
                "low": [low for low, _ in limits],
                "high": [high for _, high in limits],
            },
            index=list(self.names),
        )

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise ParameterError(f"interval: no parameter {name!r}.{suggestion(name, self.names)}")
        return self.names.index(name)

    def _profile(self, place: int, side: float, level: float) -> float:
        assert self._objective is not None, "a fit has an objective"
        objective = self._objective
        drop = float(chi2.ppf(level, 1)) / 2
        others = [one for one in range(len(self.names)) if one != place]
        best = np.log(self.estimate)
        last = [best[others]]

        def excess(shift: float) -> float:
            point = best.copy()
            point[place] += side * shift
            point[others] = last[0]
            found, value, _, _ = climb(objective, point, free=others)
            last[0] = found[others]
            return self.log_likelihood - value - drop

        step = float(np.sqrt(self.log_covariance[place, place]))
        near, far = 0.0, 2.0 * step
        while excess(far) < 0:
            near, far = far, far + 2 * step
            if far > 40 * step or far > _EDGE:
                return 0.0 if side < 0 else float("inf")
        last[0] = best[others]
        return float(np.exp(best[place] + side * brentq(excess, near, far, xtol=1e-6)))


def stated(what: str, **parameters: float) -> LikelihoodFit:
    """Parameters that somebody else published: values without a fit, and so without standard errors, intervals or a likelihood."""
    for name, value in parameters.items():
        if not 0 < value < np.inf:
            raise ParameterError(f"{what}: {name} lies above zero; got {value:g}.")
    count = len(parameters)
    return LikelihoodFit(
        names=tuple(parameters),
        estimate=np.array(list(parameters.values()), dtype=float),
        log_likelihood=float("nan"),
        log_covariance=np.full((count, count), np.nan),
        steps=0,
        _objective=None,
    )


_TO_INFINITY = "{model}: no estimate; {parameter} runs to infinity. The data do not hold what this parameter describes; use a simpler model or more history."
_TO_ZERO = "{model}: no estimate; {parameter} runs to zero. The data do not hold what this parameter describes; use a simpler model or more history."


def maximise(objective: Objective, start: Array, *, names: tuple[str, ...], what: str) -> LikelihoodFit:
    """Fit `names` from `start`; `what` begins the message of a refusal."""
    first = np.log(start)
    point, value, curvature, steps = climb(objective, first, free=list(range(len(start))))
    gone = np.abs(point - first) > _EDGE
    if gone.any():
        worst = int(np.argmax(gone))
        edge = _TO_INFINITY if point[worst] > first[worst] else _TO_ZERO
        raise FitError(edge, model=what, parameter=names[worst])
    # A valley floor ends the search too; only a maximum with a usable curvature is an estimate.
    strength = np.linalg.eigvalsh(-curvature)
    if steps >= _MOST_STEPS or strength[0] <= 1e-10 * max(strength[-1], 1.0):
        shown = ", ".join(f"{name} = {number:.4g}" for name, number in zip(names, np.exp(point), strict=True))
        raise FitError(
            "{model}: not converged ({shown}); the likelihood is flat there. Use a simpler model or more history.",
            model=what,
            shown=shown,
        )
    return LikelihoodFit(
        names=names,
        estimate=np.exp(point),
        log_likelihood=value,
        log_covariance=np.linalg.inv(-curvature).astype(np.float64),
        steps=steps,
        _objective=objective,
    )


def climb(objective: Objective, start: Array, *, free: list[int]) -> tuple[Array, float, Array, int]:
    """Newton steps in logarithms over the `free` parameters; returns point, value, curvature (all parameters), steps."""
    point = start.copy()
    value, slope, curvature = _in_logs(objective, point)
    if not free:
        return point, value, curvature, 0
    damping, idle = 0.0, 0
    for step in range(_MOST_STEPS):
        bend = -curvature[np.ix_(free, free)]
        while True:
            damped = bend + damping * np.eye(len(free))
            if np.linalg.eigvalsh(damped)[0] > 1e-12 * max(1.0, float(np.abs(np.diag(bend)).max())):
                break
            damping = max(4 * damping, 1e-6 * float(np.abs(np.diag(bend)).max()), 1e-12)
        move = np.linalg.solve(damped, slope[free])
        gain = float(slope[free] @ move)
        if gain < _ENOUGH and damping < 1e-3 * float(np.abs(np.diag(bend)).max() + 1e-300):
            return point, value, curvature, step
        # on a plateau there is nowhere to go
        move *= min(1.0, _LONGEST_STEP / max(float(np.abs(move).max()), 1e-300))
        trial = point.copy()
        trial[free] += move
        there = _in_logs(objective, trial)
        if np.isfinite(there[0]) and there[0] >= value - 1e-12 * abs(value):
            idle = idle + 1 if there[0] - value < _IDLE else 0
            point, (value, slope, curvature) = trial, there
            damping = damping / 10 if damping > 1e-8 else 0.0
            if np.abs(point - start).max() > _EDGE:
                return point, value, curvature, step + 1
            if idle >= _MOST_IDLE_STEPS:
                break
        else:
            damping = max(10 * damping, 1e-4 * float(np.abs(np.diag(bend)).max()))
    return point, value, curvature, _MOST_STEPS


def _in_logs(objective: Objective, point: Array) -> tuple[float, Array, Array]:
    natural = np.exp(point)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        value, slope, curvature = objective(natural)
    slope = slope * natural
    return value, slope, curvature * np.outer(natural, natural) + np.diag(slope)
