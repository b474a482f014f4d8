"""Age, calendar time and cohort: what each adds to the loss of contracts, as far as data can tell them apart.

Cohort plus age is the calendar step, so a straight line may be moved between the three at will (Clayton and Schifflers 1987, Statistics in
Medicine 6, 469-481). What can be judged is whether each is needed beyond a straight line once the other two are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.errors import FitError
from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.retention.cohorts_facts import Cohorts
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

EFFECTS = ("age", "calendar", "cohort")


@dataclass(frozen=True, kw_only=True, eq=False)
class Curvature(Summarised):
    """One of the three: deviance explained beyond a straight line when it enters last, its degrees of freedom, and the p-value."""

    name: str
    deviance: Fact
    degrees: int
    p_value: Fact


@traced
def effects(inputs: StudyInputs, cohorts: Cohorts) -> tuple[Curvature, ...]:
    """Tests of curvature in each of the three, from the mature cells of contract cohorts.

    Raises
    ------
    FitError : too few cells to tell the three apart
    """
    state, made = Stating(inputs=inputs), []
    for row in curvature(hazards(cohorts.matrix)).to_dict("records"):
        name, degrees = str(row["effect"]), int(row["degrees"])
        deviance = state.exact("effect_deviance", float(row["deviance"]), parts={"n": degrees}, effect=name)
        p_value = state.exact("effect_p_value", float(row["p_value"]), effect=name)
        made.append(Curvature(name=name, degrees=degrees, deviance=deviance, p_value=p_value))
    return tuple(made)


@traced
def hazards(matrix: pd.DataFrame) -> pd.DataFrame:
    """Losses among those still there, by cohort and age: ``cohort``, ``age``, ``calendar`` (steps), ``at_risk``, ``lost``; whole cells only."""
    frame = matrix[matrix["mature"]].sort_values(["cohort", "age"]).copy()
    frame["number"] = frame["cohort"].rank(method="dense").astype(int)
    frame["at_risk"] = frame.groupby("cohort")["active"].shift(1).fillna(frame["size"]).astype(int)
    frame["lost"] = frame["at_risk"] - frame["active"]
    return frame.assign(calendar=frame["number"] + frame["age"]).loc[
        frame["at_risk"] > 0, ["cohort", "number", "age", "calendar", "at_risk", "lost"]
    ]


@traced
def curvature(cells: pd.DataFrame) -> pd.DataFrame:
    """Deviance that each effect explains beyond the other two (the straight line is in them already), scaled for overdispersion.

    ``cells`` : ``number`` (of the cohort, consecutive steps), ``age``, ``calendar``, ``at_risk``, ``lost``. Cohorts must follow each other without a gap.

    Returns one row per effect: ``effect``, ``deviance`` (an F-like ratio times its degrees), ``degrees``, ``p_value`` (F where the cells vary more
    than chance, χ² otherwise).
    """
    import numpy as np
    import pandas as pd
    from scipy.stats import chi2, f

    columns = {"age": cells["age"], "calendar": cells["calendar"], "cohort": cells["number"]}
    parts = {
        name: pd.get_dummies(values.to_numpy(), dtype=float).to_numpy()[:, 1:]
        for name, values in columns.items()
    }
    one = np.ones((len(cells), 1))
    at_risk, lost = cells["at_risk"].to_numpy(dtype=float), cells["lost"].to_numpy(dtype=float)
    whole = np.hstack([one, *parts.values()])
    rank = int(np.linalg.matrix_rank(whole)) if len(cells) else 0
    left = len(cells) - rank
    if left < 10:
        raise FitError(
            "curvature: {cells} cells for {parameters} parameters; age, calendar and cohort cannot be told apart at all.",
            cells=len(cells),
            parameters=rank,
        )
    full, _ = _deviance(whole, at_risk, lost)
    spread = max(full / left, 1.0)
    rows = []
    for name in EFFECTS:
        reduced, smaller = _deviance(
            np.hstack([one, *(part for other, part in parts.items() if other != name)]), at_risk, lost
        )
        degrees = rank - smaller
        if degrees < 1:
            continue
        found = max(reduced - full, 0.0) / spread
        p_value = float(f.sf(found / degrees, degrees, left) if spread > 1 else chi2.sf(found, degrees))
        rows.append({"effect": name, "deviance": found, "degrees": degrees, "p_value": p_value})
    return pd.DataFrame(rows, columns=["effect", "deviance", "degrees", "p_value"])


def _deviance(design: np.ndarray, at_risk: np.ndarray, lost: np.ndarray) -> tuple[float, int]:
    """Deviance and rank of a binomial model with complementary log-log link, a little ridge holding the aliased line."""
    import numpy as np

    share = (lost + 0.5) / (at_risk + 1)
    eta = np.log(-np.log1p(-share))
    rank, before = int(np.linalg.matrix_rank(design)), np.inf
    for _ in range(60):
        mean = np.clip(-np.expm1(-np.exp(np.clip(eta, -30, 3))), 1e-12, 1 - 1e-12)
        slope = np.exp(np.clip(eta, -30, 3)) * (1 - mean)
        weight = at_risk * slope**2 / (mean * (1 - mean))
        working = eta + (lost / at_risk - mean) / np.maximum(slope, 1e-12)
        weighted = design * weight[:, None]
        square = design.T @ weighted
        square[np.diag_indices_from(square)] += 1e-9 * np.trace(square) / len(square)
        eta = np.clip(design @ np.linalg.solve(square, weighted.T @ working), -25, 3)
        now = _shortfall(eta, at_risk, lost)
        if abs(now - before) < 1e-7 * (1 + abs(now)):
            break
        before = now
    return _shortfall(eta, at_risk, lost), rank


def _shortfall(eta: np.ndarray, at_risk: np.ndarray, lost: np.ndarray) -> float:
    """Deviance: twice the shortfall of the log-likelihood against a model with a chance of its own for every cell."""
    import numpy as np

    mean = np.clip(-np.expm1(-np.exp(eta)), 1e-12, 1 - 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(lost > 0, lost * np.log(lost / (at_risk * mean)), 0.0) + np.where(
            at_risk > lost, (at_risk - lost) * np.log((at_risk - lost) / (at_risk * (1 - mean))), 0.0
        )
    return float(2 * terms.sum())
