"""Models from sufficient statistics against the usual libraries on the same rows.

    python -m bench.models              a million machines, 200,000 customers by week and by day
    python -m bench.models 2000000      that many customers; the peer takes minutes

The peers (``requirements-bench.lock``) live in an environment of their own, ``.venv-bench``, made on the first call: they pin older
versions of what the project uses. Each line prints the two log-likelihoods, which must agree.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analysis.params import project_root

UNITS, CUSTOMERS = 1_000_000, 200_000
PEER = Path(__file__).with_name("peers.py")


def peer_python() -> Path:
    """The peers' interpreter; made from their lock when it is not there."""
    folder = project_root() / ".venv-bench"
    python = folder / "bin" / "python"
    stamp = folder / ".installed"
    if not stamp.exists():
        print("  setting up .venv-bench (first time only) ...", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run(
            [
                str(python),
                "-m",
                "pip",
                "install",
                "-qq",
                "--require-hashes",
                "-r",
                str(project_root() / "requirements-bench.lock"),
            ],
            check=True,
        )
        stamp.touch()
    return python


def weibull_rows(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Ages in whole days, censored at a random day in service; grouped they are a few thousand rows."""
    life = np.ceil(900 * random.weibull(1.6, UNITS))
    seen = random.integers(30, 1100, UNITS).astype(float)
    return {"durations": np.minimum(life, seen), "events": (life <= seen).astype(float)}


def purchase_rows(random: np.random.Generator, customers: int, *, days: int) -> dict[str, np.ndarray]:
    """BG/NBD customers (r 0.8, alpha 10 weeks, a 0.9, b 2.5), observed 26 to 104 weeks, in units of ``days`` days."""
    weeks = 7 / days
    span = np.ceil(random.integers(26 * 7, 104 * 7 + 1, customers) / days)
    rate, drop = random.gamma(0.8, 1 / (10 * weeks), customers), random.beta(0.9, 2.5, customers)
    clock, frequency, recency = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    alive = np.ones(customers, bool)
    while alive.any():
        clock = np.where(alive, clock + random.exponential(1, customers) / np.maximum(rate, 1e-12), clock)
        bought = alive & (clock <= span)
        frequency += bought
        recency = np.where(bought, np.ceil(clock), recency)
        alive = bought & (random.random(customers) > drop)
    return {"frequency": frequency, "recency": np.minimum(recency, span), "T": span}


def grouped(rows: dict[str, np.ndarray]) -> list[np.ndarray]:
    """The distinct rows and how often each stands: what the engine hands to a study."""
    import pandas as pd

    counts = pd.DataFrame(rows).groupby(list(rows), as_index=False, sort=False).size()
    return [counts[column].to_numpy() for column in counts.columns]


Measured = tuple[float, float, int]  # seconds, log-likelihood, distinct patterns


def ours_weibull(rows: dict[str, np.ndarray]) -> Measured:
    from analysis.stats import fit_weibull

    start = time.perf_counter()
    durations, events, counts = grouped(rows)
    fit = fit_weibull(durations, events, weights=counts)
    return time.perf_counter() - start, float(fit.log_likelihood), len(durations)


def ours_bgnbd(rows: dict[str, np.ndarray]) -> Measured:
    from analysis.stats import fit_bgnbd

    start = time.perf_counter()
    fit = fit_bgnbd(**rows)  # it groups the customers itself
    return time.perf_counter() - start, float(fit.log_likelihood), fit.patterns


def compared(
    python: Path,
    name: str,
    rows: dict[str, np.ndarray],
    ours: Callable[..., Measured],
    library: str,
    unit: str,
) -> None:
    """One line: our median of three runs against one run of the library, both from rows in memory to fitted parameters."""
    ours({key: value[:1000] for key, value in rows.items()})  # imports are not what is measured
    runs = [ours(rows) for _ in range(3)]
    seconds = sorted(run[0] for run in runs)[1]
    _, likelihood, patterns = runs[0]
    with tempfile.TemporaryDirectory() as folder:
        np.savez(f"{folder}/rows.npz", **rows)
        done = subprocess.run(
            [str(python), str(PEER), name, f"{folder}/rows.npz"], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    peer = json.loads(done.stdout.splitlines()[-1])
    gap = abs(peer["log_likelihood"] - likelihood) / abs(likelihood)
    count = len(next(iter(rows.values())))
    print(
        f"  {name}, {count:,} rows by {unit}, {patterns:,} distinct: {peer['seconds'] / seconds:.0f}× faster than {library} "
        f"({seconds:.2f} s against {peer['seconds']:.1f} s), grouping included; log-likelihoods differ by {gap:.1e}",
        flush=True,
    )


def main() -> None:
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    python, random = peer_python(), np.random.default_rng(20261031)
    compared(python, "weibull", weibull_rows(random), ours_weibull, "lifelines", "day")
    compared(python, "bgnbd", purchase_rows(random, customers, days=7), ours_bgnbd, "lifetimes", "week")
    compared(python, "bgnbd", purchase_rows(random, customers, days=1), ours_bgnbd, "lifetimes", "day")


if __name__ == "__main__":
    main()
