"""Localisation of a loss in amounts with forecasts: the B0 cases of Li et al. (2019), Generic and Robust Localization of Multi-Dimensional Root Causes, ISSRE.

The published cases are 900 files of 21,600 rows. A part of one, shipped as the example of github.com/NetManAIOps/Squeeze under the MIT licence (Copyright
2022 NetManAIOps), is kept here with five digits. The whole set is judged where ``SQUEEZE_B0`` names its folder. Elsewhere cases are made by what can be
read off the published files and their ``injection_info.csv``:

- four attributes of 6, 36, 10 and 10 values; amounts in steps of 0.0025 over five orders of magnitude; many cells without traffic; values of the fourth
  attribute in groups that carry nearly the same traffic
- forecast errors of 0.82 % of the amount in sum (73,359 of 8,916,216 and so on in all cases), at every size of cell
- one to three causes, each one to three attribute values (nine settings of a hundred cases), of losses between a few percent and everything; the whole loss of
  a case is from 0.015 % of the total
- cells of a cause have whole numbers, and what is left of them is rounded before the error comes on top: at a ratio of 0.2, 42 leaves 8.06, 8.07 and 8.06;
  58 leaves 12.10 and 11.97; 26 leaves 5.03; 2,945 leaves 591.2 (case 1451040000)

The best published code reaches a micro-F1 of about 0.96 on B0. What a made case lacks against that is causes that no cell can show: a cause of two or three
cells, or one whose cells the file cannot tell from another's.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.failures import localise
from analysis.stats.localisation import Localisation

BAR = 0.96
SHAPE = (6, 36, 10, 10)
ALIKE = np.array([0, 1, 0, 0, 1, 1, 2, 2, 3, 4])  # groups of the fourth attribute
ERROR = 0.0103  # standard deviation whose mean absolute error is 0.82 %
Cause = frozenset[tuple[str, str]]


def located(frame: pd.DataFrame) -> Localisation:
    """The public function as one would call it on actual and forecast amounts."""
    names = [str(name) for name in frame.columns if name not in ("real", "predict")]
    return localise(
        frame,
        None,
        names,
        count="real",
        held="predict",
        baseline="given",
        noise="relative",
        direction="both",
        max_attributes=len(names),
        least_effect=0.03,
    )


def named(found: Localisation) -> set[Cause]:
    return {frozenset(attributes.items()) for attributes in found.causes["attributes"]}


def micro_f1(pairs: list[tuple[set[Cause], set[Cause]]]) -> float:
    right = sum(len(found & truth) for found, truth in pairs)
    return 2 * right / sum(len(found) + len(truth) for found, truth in pairs)


def traffic(random: np.random.Generator) -> np.ndarray:
    def effect(axes: tuple[int, ...], scale: float) -> np.ndarray:
        return random.normal(0, scale, [size if axis in axes else 1 for axis, size in enumerate(SHAPE)])

    logs = effect((0,), 0.4) + effect((1,), 1.3) + effect((2,), 1.5) + effect((1, 2), 1.2)
    logs = logs + random.normal(0, 1.2, (*SHAPE[:3], 5))[..., ALIKE] + random.normal(0, 0.02, SHAPE)
    alive = np.broadcast_to(random.random((*SHAPE[:3], 1)) > 0.25, SHAPE).copy()
    alive &= ~(
        (random.random((1, 36, 1, 1)) < 0.12) & (random.random((1, 36, 10, 1)) < 0.85)
    )  # provinces with one carrier
    alive[:, :, 8:] &= random.random((6, 36, 2, 1)) < 0.05
    alive &= random.random((6, 1, 1, 10)) > 0.08
    return np.where(alive, np.round(np.maximum(np.exp(logs + 3.2), 0.3) * 400) / 400, 0.0)


def case(random: np.random.Generator, layer: int, causes: int) -> tuple[pd.DataFrame, set[Cause]]:
    predict, index = traffic(random), np.indices(SHAPE)
    while True:
        chosen = [tuple(sorted(random.choice(4, layer, replace=False))) for _ in range(causes)]
        picked = [tuple((int(axis), int(random.integers(SHAPE[axis]))) for axis in axes) for axes in chosen]
        cells = [
            np.all([index[axis] == value for axis, value in one], axis=0) & (predict > 0) for one in picked
        ]
        if not all(one.any() for one in cells) or len(set(picked)) < causes:
            continue
        if any(not (a & ~b).any() for a in cells for b in cells if a is not b):  # one lies within another
            continue
        left = np.ones(SHAPE)
        for one in cells:
            left = np.where(one, left * random.uniform(0.0, 0.9), left)
        hit = np.any(cells, axis=0)
        due = np.where(hit, np.maximum(np.round(predict), 1.0), predict)
        real = np.where(hit, np.round(due * left), due) * (1 + random.normal(0, ERROR, SHAPE))
        if (due - real)[hit].sum() > 0.00015 * due.sum():
            break
    frame = pd.DataFrame(
        {name: [f"{name}{value + 1}" for value in index[axis].ravel()] for axis, name in enumerate("abcd")}
    )
    truth = {frozenset(("abcd"[axis], f"{'abcd'[axis]}{value + 1}") for axis, value in one) for one in picked}
    return frame.assign(real=real.ravel(), predict=due.ravel()), truth


def made_f1(each: int, first: int) -> float:
    pairs = []
    for layer in (1, 2, 3):
        for causes in (1, 2, 3):
            for seed in range(first, first + each):
                frame, truth = case(np.random.default_rng([layer, causes, seed]), layer, causes)
                pairs.append((named(located(frame)), truth))
    return micro_f1(pairs)


def test_part_of_a_published_case() -> None:
    """Everything of one carrier is lost (``isp=ALIBABA`` in injection_info.csv); all else is within the forecast's error."""
    frame = pd.read_csv(
        Path(__file__).with_name("data") / "squeeze_b0_1451019300_part.csv", dtype={"node": str}
    )
    assert (
        len(frame) == 194
        and frame["real"].lt(0.97 * frame["predict"]).sum() == (frame["isp"] == "ALIBABA").sum()
    )
    found = located(frame)
    assert list(found.causes["cause"]) == ["isp=ALIBABA"]
    assert found.causes["rate_ratio"].iloc[0] == pytest.approx(0, abs=1e-5)


def test_made_cases_are_as_the_published_ones() -> None:
    frame, _ = case(np.random.default_rng(1), 1, 1)
    assert len(frame) == 21_600 and frame["predict"].sum() > 1e6
    quiet = frame[
        (frame["predict"] > 0)
        & (np.abs(frame["real"] / frame["predict"].where(frame["predict"] > 0) - 1) < 0.06)
    ]
    assert (quiet["real"] - quiet["predict"]).abs().sum() / quiet["predict"].sum() == pytest.approx(
        0.0082, abs=0.0006
    )


def test_cases_made_after_the_published_ones() -> None:
    """Nine cases with 18 causes: one that no cell shows may be missed; the bar is for the many cases below."""
    assert made_f1(1, first=0) > 0.9


@pytest.mark.slow
def test_many_cases_made_after_the_published_ones() -> None:
    """Twenty of each setting, none of which the search was developed on."""
    assert made_f1(20, first=5000) > BAR


@pytest.mark.slow
@pytest.mark.skipif(
    "SQUEEZE_B0" not in os.environ, reason="SQUEEZE_B0 names no folder with the published B0 cases"
)
def test_published_cases() -> None:
    pairs = []
    for folder in sorted(Path(os.environ["SQUEEZE_B0"]).glob("B_cuboid_layer_*")):
        for row in pd.read_csv(folder / "injection_info.csv").itertuples():
            frame = pd.read_csv(folder / f"{row.timestamp}.csv", dtype=str).astype(
                {"real": float, "predict": float}
            )
            truth = {
                frozenset(tuple(part.split("=")) for part in one.split("&"))
                for one in str(row.set).split(";")
            }
            pairs.append((named(located(frame)), truth))
    assert micro_f1(pairs) > BAR  # type: ignore[arg-type]
