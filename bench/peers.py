"""Run by the peers' interpreter: the usual library on the same rows. Prints seconds and its log-likelihood as JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np


def weibull(rows):  # type: ignore[no-untyped-def]
    from lifelines import WeibullFitter

    start = time.perf_counter()
    fit = WeibullFitter().fit(rows["durations"], rows["events"])
    return time.perf_counter() - start, float(fit.log_likelihood_)


def weibull_entry(rows):  # type: ignore[no-untyped-def]
    """The same with the age at which each row came under watch; started where the library starts."""
    from lifelines import WeibullFitter

    start = time.perf_counter()
    fit = WeibullFitter().fit(rows["durations"], rows["events"], entry=rows["entry"])
    return time.perf_counter() - start, float(fit.log_likelihood_)


def bgnbd(rows):  # type: ignore[no-untyped-def]
    """``lifetimes`` stores a mean, so its likelihood is added up again at its estimates."""
    from lifetimes import BetaGeoFitter

    start = time.perf_counter()
    fit = BetaGeoFitter().fit(rows["frequency"], rows["recency"], rows["T"])
    seconds = time.perf_counter() - start
    each = BetaGeoFitter._negative_log_likelihood(
        np.log(fit.params_.to_numpy()),
        rows["frequency"],
        rows["recency"],
        rows["T"],
        np.ones_like(rows["T"]),
        0.0,
    )
    return seconds, -float(each) * len(rows["T"])


def survival(rows):  # type: ignore[no-untyped-def]
    """Kaplan–Meier by two groups and the log-rank test; says survival after a year of all."""
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import logrank_test

    start = time.perf_counter()
    fit = KaplanMeierFitter().fit(rows["durations"], rows["events"])
    inside = rows["group"] > 0
    logrank_test(
        rows["durations"][inside], rows["durations"][~inside], rows["events"][inside], rows["events"][~inside]
    )
    return time.perf_counter() - start, float(fit.predict(365))


if __name__ == "__main__":
    name, path = sys.argv[1:]
    seconds, log_likelihood = {
        "weibull": weibull,
        "weibull_entry": weibull_entry,
        "bgnbd": bgnbd,
        "survival": survival,
    }[name](dict(np.load(path)))
    print(json.dumps({"seconds": seconds, "log_likelihood": log_likelihood}))
