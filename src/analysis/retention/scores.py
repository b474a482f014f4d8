"""Early warning: how likely each customer is to leave next, learnt only from what was known at the time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.errors import FitError, ParameterError
from analysis.metrics.lineage import traced
from analysis.summaries import Summarised

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.stats import Interval

BINS = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class RiskScores(Summarised):
    """Scores and how far they can be trusted.

    Attributes
    ----------
    customers : one row per current customer, riskiest first: ``customer_id``, ``score`` (chance of loss within the horizon),
        ``reason_1`` … ``reason_3`` (features whose value raises the score most: the score minus that with the feature at its usual value).
    models, chosen : one row per candidate: ``model``, ``log_loss`` and ``auc`` on the validation snapshot, ``chosen``.
    calibration : on the test snapshot, one row per tenth by score: ``bin``, ``customers``, ``expected``, ``lost``, ``rate``, ``low``, ``high``
        (by customer where one is several rows), ``scatter`` (of the number lost, were the score right).
    auc, auc_low, auc_high, auc_method : discrimination on the test snapshot, its interval by customer (`stats.area_under_curve`) and how it was made.
    capacity, tested, hits, precision, base_rate, lift : the ``capacity`` riskiest of the test snapshot: lost among them, their share, the
        share among all, and the ratio of the two.
    expected_losses, observed_losses : on the test snapshot.
    drift : one row per input and one for the score itself (``feature`` "score"): population stability index of the current snapshot against the
        last one learnt from, the largest index between earlier snapshots as far apart (``usual``), and ``moved``: above ``drift_limit`` and above the
        usual. In a panel that grows older every input that counts time drifts by construction; that much is no news.
    stability : the chosen kind of model learnt afresh at each past snapshot from what was known then: ``snapshot``, ``customers``, ``expected``
        (with its ``scatter``) and ``lost``, ``auc`` with ``auc_low``, ``auc_high`` and ``auc_method``, ``precision`` and ``base_rate`` at the capacity.
    judged : the customers of the test snapshot with their ``score``, riskiest first, and what became of them (``lost``).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from analysis import retention
    >>> day = np.repeat(["2026-01", "2026-04", "2026-07", "2026-10"], 200)
    >>> orders = np.tile(np.arange(200) % 5, 4)
    >>> lost = np.where(day == "2026-10", np.nan, (np.tile(np.arange(200), 4) * 37 % 100 < 60 - 12 * orders).astype(float))
    >>> table = pd.DataFrame({"customer_id": np.tile(np.arange(200), 4), "snapshot": day, "lost": lost, "orders": orders})
    >>> scores = retention.risk_scores(table, features=["orders"], capacity=20, seed=1)
    >>> len(scores.customers), scores.auc > 0.7
    (200, True)
    """

    customers: pd.DataFrame
    models: pd.DataFrame
    chosen: str
    calibration: pd.DataFrame
    auc: float
    auc_low: float
    auc_high: float
    auc_method: str
    capacity: int
    tested: int
    hits: int
    precision: float
    base_rate: float
    lift: float
    expected_losses: float
    observed_losses: int
    drift: pd.DataFrame
    stability: pd.DataFrame
    judged: pd.DataFrame


@traced
def risk_scores(
    snapshots: pd.DataFrame,
    *,
    features: Sequence[str],
    capacity: int,
    seed: int,
    current: str | None = None,
    fewest_losses: int = 30,
    drift_limit: float = 0.25,
    level: float = 0.95,
) -> RiskScores:
    """Chance of loss for each current customer.

    Parameters
    ----------
    snapshots : (customers and days, columns) DataFrame
        One row per customer and snapshot day: ``customer_id``, ``snapshot`` (sortable), ``lost`` (within the horizon after the snapshot; missing for the
        current one) and the features as they were known on that day. At least four snapshots: training, validation, test, current.
    features : names of columns
        Numbers stay numbers (missing: median), text becomes one indicator per value.
    capacity : int, customers
        The team can call; precision and lift are stated at this number.
    seed : int
        Of the gradient boosting.
    current : str, optional
        The snapshot to score; the last one where left out.
    fewest_losses : int
        In the training snapshots, below which no score is learnt.
    drift_limit : float, population stability index
        Above which an input has shifted.
    level : float, share 0 to 1
        Coverage of each interval.

    Returns
    -------
    RiskScores

    Raises
    ------
    FitError
        For too few snapshots or losses, or a test snapshot in which nobody or everybody left.
    ParameterError
        For columns that are missing, or an impossible option.

    Notes
    -----
    The last snapshot with a known outcome is the test and is used for nothing else; the one before chooses between ridge-penalised logistic regression
    and gradient boosting (the simpler one unless boosting has the lower log loss); all earlier ones train. The chosen model is then fitted again on all
    but the test, so that what is stated about it holds for a model of the same age. Snapshots lie one horizon apart, so the outcome of each was known
    when the next was taken.

    Examples
    --------
    Who orders less leaves more often: the riskiest customer has the fewest orders.

    >>> import numpy as np, pandas as pd
    >>> from analysis import retention
    >>> day = np.repeat(["2026-01", "2026-04", "2026-07", "2026-10"], 200)
    >>> orders = np.tile(np.arange(200) % 5, 4)
    >>> lost = np.where(day == "2026-10", np.nan, (np.tile(np.arange(200), 4) * 37 % 100 < 60 - 12 * orders).astype(float))
    >>> table = pd.DataFrame({"customer_id": np.tile(np.arange(200), 4), "snapshot": day, "lost": lost, "orders": orders})
    >>> scores = retention.risk_scores(table, features=["orders"], capacity=20, seed=1)
    >>> int(scores.customers.iloc[0]["customer_id"]) % 5  # orders of the riskiest
    0
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import log_loss, roc_auc_score

    from analysis import stats

    if capacity < 1:
        raise ParameterError(
            f"risk_scores: capacity is {capacity}; state how many customers the team can call."
        )
    days = sorted(snapshots["snapshot"].unique())
    now = current if current is not None or not days else days[-1]
    known = [
        day
        for day in days
        if day != now and snapshots.loc[snapshots["snapshot"] == day, "lost"].notna().all()
    ]
    if len(known) < 3:
        raise FitError(
            "{known} snapshots with a known outcome; training, validation and test need one each. Choose a shorter horizon.",
            known=len(known),
        )
    *train_days, validation_day, test_day = known
    design, names = _design(snapshots, features)
    outcome = snapshots["lost"].astype("float64").to_numpy()
    rows = {
        part: snapshots["snapshot"].isin(which).to_numpy()
        for part, which in (
            ("train", train_days),
            ("validation", [validation_day]),
            ("test", [test_day]),
            ("current", [now]),
            ("fitted", [*train_days, validation_day]),
        )
    }
    losses = int(outcome[rows["train"]].sum())
    if losses < fewest_losses or outcome[rows["validation"]].sum() < 5 or outcome[rows["test"]].sum() < 5:
        raise FitError(
            "{losses} losses to learn from; below {fewest} a score would be noise. Use a longer horizon or more history.",
            losses=losses,
            fewest=fewest_losses,
        )
    compared = []
    for model in ("logistic", "boosting"):
        chance = _fitted(model, design[rows["train"]], outcome[rows["train"]], seed=seed)(
            design[rows["validation"]]
        )
        truth = outcome[rows["validation"]]
        compared.append(
            {"model": model, "log_loss": log_loss(truth, chance), "auc": roc_auc_score(truth, chance)}
        )
    models = pd.DataFrame(compared)
    chosen = "boosting" if models["log_loss"][1] < models["log_loss"][0] else "logistic"
    models["chosen"] = models["model"] == chosen
    fitted = _fitted(chosen, design[rows["fitted"]], outcome[rows["fitted"]], seed=seed)
    tested, truth = fitted(design[rows["test"]]), outcome[rows["test"]]
    judged = snapshots[rows["test"]].assign(score=tested, lost=truth)
    auc = stats.area_under_curve(tested, truth, judged["customer_id"], level=level)
    top = np.argsort(-tested, kind="stable")[:capacity]
    base = float(truth.mean())
    precision = float(truth[top].mean())
    return RiskScores(
        customers=_scored(
            snapshots[rows["current"]], fitted, design[rows["current"]], design[rows["fitted"]], names
        ),
        models=models,
        chosen=chosen,
        calibration=_calibration(tested, truth, judged["customer_id"].to_numpy(), level),
        auc=float(auc.value),
        auc_low=float(auc.low),
        auc_high=float(auc.high),
        auc_method=auc.method,
        capacity=len(top),
        tested=len(truth),
        hits=int(truth[top].sum()),
        precision=precision,
        base_rate=base,
        lift=precision / base,
        expected_losses=float(tested.sum()),
        observed_losses=int(truth.sum()),
        drift=_drift(
            fitted,
            design,
            names,
            [(snapshots["snapshot"] == day).to_numpy() for day in [*known, now]],
            drift_limit,
        ),
        stability=_stability(
            chosen,
            design,
            outcome,
            snapshots[["snapshot", "customer_id"]],
            known,
            capacity=capacity,
            seed=seed,
            fewest_losses=fewest_losses,
            level=level,
        ),
        judged=judged.sort_values(
            ["score", "customer_id"], ascending=[False, True], kind="stable"
        ).reset_index(drop=True),
    )


def level_limits(
    judged: pd.DataFrame, weights: pd.Series | None = None, *, level: float
) -> tuple[float, float]:
    """By which factors the level of a score may be wrong, from what came of the customers it was tested on.

    Parameters
    ----------
    judged : ``customer_id``, ``score`` and ``lost``, one row per customer
    weights : what each customer counts (money); one each where left out
    level : coverage

    Returns
    -------
    Limits of (lost ÷ expected), normal, by the squared misses of the customers, each the sum of its rows. They hold 1, the score as it stands, also where the test
    says otherwise: what missed once is carried in the width, on the side on which it missed.
    """
    import numpy as np
    import pandas as pd
    from scipy.stats import norm

    weight = np.ones(len(judged)) if weights is None else weights.to_numpy(dtype=float)
    score, lost = judged["score"].to_numpy(dtype=float), judged["lost"].to_numpy(dtype=float)
    expected = float(weight @ score)
    if not expected > 0:
        return 0.0, float("inf")
    missed = np.bincount(pd.factorize(judged["customer_id"])[0], weight * (lost - score))
    reach = float(norm.ppf(0.5 + level / 2)) * float(np.sqrt((missed**2).sum()))
    came = float(weight @ lost)
    return max(0.0, min(1.0, (came - reach) / expected)), max(1.0, (came + reach) / expected)


@traced
def _design(snapshots: pd.DataFrame, features: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Numbers with missing values at the median and a mark of their own; text as indicators."""
    import numpy as np
    import pandas as pd

    columns, names = [], []
    for feature in features:
        values = snapshots[feature]
        if pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
            numbers = pd.to_numeric(values).astype("float64").to_numpy()
            gaps = ~np.isfinite(numbers)
            filled = np.where(gaps, np.median(numbers[~gaps]) if (~gaps).any() else 0.0, numbers)
            columns.append(filled)
            names.append(feature)
            if gaps.any() and not gaps.all():
                columns.append(gaps.astype(float))
                names.append(f"{feature} not known")
        else:
            text = values.astype("string").fillna("not_stated")
            for value in sorted(text.unique())[1:]:
                columns.append((text == value).to_numpy(dtype=float))
                names.append(f"{feature}: {value}")
    design = np.column_stack(columns)
    varied = design.std(axis=0) > 0
    return design[:, varied], [name for name, keep in zip(names, varied, strict=True) if keep]


def _fitted(model: str, design: np.ndarray, outcome: np.ndarray, *, seed: int) -> Any:
    """A function from features to the chance of loss."""
    import numpy as np
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    if model == "logistic":
        fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.3, max_iter=500))
    else:
        fitted = HistGradientBoostingClassifier(
            max_iter=50, learning_rate=0.08, max_leaf_nodes=8, min_samples_leaf=60, random_state=seed
        )
    with threadpool_limits(limits=1):  # the same sums in the same order on every machine
        fitted.fit(design, outcome)

    def chance(wanted: np.ndarray) -> np.ndarray:
        with threadpool_limits(
            limits=1
        ):  # on a busy machine threads that wait for each other cost more than they bring
            return np.asarray(fitted.predict_proba(wanted)[:, 1])

    return chance


@traced
def _scored(
    customers: pd.DataFrame,
    chance: Callable[[np.ndarray], np.ndarray],
    design: np.ndarray,
    learnt: np.ndarray,
    names: Sequence[str],
) -> pd.DataFrame:
    """Scores with their reasons: each input in turn is put to its usual value (the median; for a text its most frequent value)."""
    import numpy as np

    features = list(dict.fromkeys(name.split(": ")[0].removesuffix(" not known") for name in names))
    usual = np.median(learnt, axis=0)
    score = chance(design)
    pull = np.zeros((len(design), len(features)))
    for place, feature in enumerate(features):
        inside = np.array([name.split(": ")[0].removesuffix(" not known") == feature for name in names])
        changed = np.where(inside, usual, design)
        pull[:, place] = score - chance(changed)
    order = np.argsort(-pull, axis=1, kind="stable")[:, :3]
    labels = np.asarray(features, dtype=object)
    table = customers.drop(columns=["lost"]).assign(score=score)
    for rank in range(3):
        which = order[:, rank] if rank < order.shape[1] else np.zeros(len(design), dtype=int)
        raised = pull[np.arange(len(pull)), which] > 0.002
        table[f"reason_{rank + 1}"] = np.where(raised & (rank < order.shape[1]), labels[which], "")
    return table.sort_values(["score", "customer_id"], ascending=[False, True], kind="stable").reset_index(
        drop=True
    )


def _calibration(chance: np.ndarray, truth: np.ndarray, customers: np.ndarray, level: float) -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    place = np.minimum(
        np.argsort(np.argsort(chance, kind="stable"), kind="stable") * BINS // len(chance), BINS - 1
    )
    frame = pd.DataFrame({"bin": place + 1, "chance": chance, "truth": truth, "customer": customers})
    table = (
        frame.groupby("bin")
        .agg(
            customers=("truth", "size"),
            expected=("chance", "mean"),
            lost=("truth", "sum"),
            scatter=("chance", lambda chances: float(np.sqrt((chances * (1 - chances)).sum()))),
        )
        .reset_index()
    )
    found = [_share_lost(part, level) for _, part in frame.groupby("bin")]
    limits = {name: [float(getattr(one, name)) for one in found] for name in ("low", "high")}
    return table.assign(rate=table["lost"] / table["customers"], **limits)


def _share_lost(rows: pd.DataFrame, level: float) -> Interval:
    """Share lost of one tenth: rows of one customer are one customer."""
    from analysis import stats

    if 1 < rows["customer"].nunique() < len(rows):
        return stats.clustered_proportion_interval(rows["truth"], rows["customer"], level=level)
    return stats.proportion_interval(rows["truth"].sum(), len(rows), method="wilson", level=level)


def _drift(
    chance: Callable[[np.ndarray], np.ndarray],
    design: np.ndarray,
    names: Sequence[str],
    snapshots: Sequence[np.ndarray],
    limit: float,
) -> pd.DataFrame:
    """Each input, and the score, two snapshots apart: now, and the most it moved between earlier snapshots as far apart.

    ``snapshots`` : rows of each snapshot in time order, the current one last. Indices over the tenths of the earlier snapshot of a pair.
    """
    import pandas as pd

    apart = 2  # the last snapshot learnt from lies two before the current one; the test snapshot lies between
    columns = {name: design[:, place] for place, name in enumerate(names)} | {"score": chance(design)}
    pairs = [(snapshots[place], snapshots[place + apart]) for place in range(len(snapshots) - apart)]
    rows = []
    for name, values in columns.items():
        found = [stability_index(values[before], values[after]) for before, after in pairs]
        usual = max(found[:-1], default=float("nan"))
        rows.append(
            {
                "feature": name,
                "stability_index": found[-1],
                "usual": usual,
                "moved": found[-1] > limit and not found[-1] <= usual,
            }
        )
    return (
        pd.DataFrame(rows)
        .sort_values("stability_index", ascending=False, kind="stable")
        .reset_index(drop=True)
    )


def stability_index(before: np.ndarray, now: np.ndarray) -> float:
    """Population stability index over the tenths of ``before`` (an indicator: its two values); 0 is no change, above 0.25 a shift."""
    import numpy as np

    edges = np.unique(np.quantile(before, np.linspace(0, 1, 11)[1:-1]))
    shares = [
        (np.bincount(np.searchsorted(edges, part, side="left"), minlength=len(edges) + 1) + 0.5)
        / (len(part) + 0.5 * (len(edges) + 1))
        for part in (before, now)
    ]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


@traced
def _stability(
    model: str,
    design: np.ndarray,
    outcome: np.ndarray,
    seen: pd.DataFrame,
    known: Sequence[Any],
    *,
    capacity: int,
    seed: int,
    fewest_losses: int,
    level: float,
) -> pd.DataFrame:
    """How the same kind of model would have done at each of the last snapshots, learnt only from those before."""
    import numpy as np
    import pandas as pd

    from analysis import stats

    snapshot, rows = seen["snapshot"], []
    for place in range(max(1, len(known) - 3), len(known)):
        before, inside = snapshot.isin(known[:place]).to_numpy(), (snapshot == known[place]).to_numpy()
        truth = outcome[inside]
        customers = seen.loc[inside, "customer_id"].to_numpy()
        alone = min(len(np.unique(customers[truth == one])) for one in (0, 1)) < 2
        if outcome[before].sum() < fewest_losses or alone:
            continue
        chance = _fitted(model, design[before], outcome[before], seed=seed)(design[inside])
        auc = stats.area_under_curve(chance, truth, customers, level=level)
        top = np.argsort(-chance, kind="stable")[:capacity]
        rows.append(
            {
                "snapshot": known[place],
                "customers": int(inside.sum()),
                "expected": float(chance.sum()),
                "scatter": float(np.sqrt((chance * (1 - chance)).sum())),
                "lost": int(truth.sum()),
                "hits": int(truth[top].sum()),
                "called": len(top),
                "auc": float(auc.value),
                "auc_low": float(auc.low),
                "auc_high": float(auc.high),
                "auc_method": auc.method,
                "precision": float(truth[top].mean()),
                "base_rate": float(truth.mean()),
            }
        )
    return pd.DataFrame(
        rows,
        columns=[
            "snapshot",
            "customers",
            "expected",
            "scatter",
            "lost",
            "hits",
            "called",
            "auc",
            "auc_low",
            "auc_high",
            "auc_method",
            "precision",
            "base_rate",
        ],
    )
