"""Reporting delays: the reverse-time estimate on a full triangle is the chain ladder."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import fit_reporting_delay, nowcast

# Taylor and Ashe (1983), Journal of Econometrics 23, 37-61: incremental claims by accident year and delay.
TRIANGLE = [
    [357848, 766940, 610542, 482940, 527326, 574398, 146342, 139950, 227229, 67948],
    [352118, 884021, 933894, 1183289, 445745, 320996, 527804, 266172, 425046],
    [290507, 1001799, 926219, 1016654, 750816, 146923, 495992, 280405],
    [310608, 1108250, 776189, 1562400, 272482, 352053, 206286],
    [443160, 693190, 991983, 769488, 504851, 470639],
    [396132, 937085, 847498, 805037, 705960],
    [440832, 847631, 1131398, 1063269],
    [359480, 1061648, 1443370],
    [376686, 986608],
    [344014],
]


def taylor_ashe():
    rows = [
        (delay, 9 - year, amount) for year, row in enumerate(TRIANGLE) for delay, amount in enumerate(row)
    ]
    delay, window, amount = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    fit = fit_reporting_delay(delay, window, weights=amount, count_dispersion=False)
    windows = np.arange(10)[::-1]
    return fit, windows, [float(sum(row)) for row in TRIANGLE]


def test_reserves_of_taylor_and_ashe():
    # Mack (1993), ASTIN Bulletin 23, 213-225, Table 2 (chain ladder, in thousands): 95, 470, 710, 985, 1419, 2178, 3920,
    # 4279, 4626 for accident years 2 to 10, 18,681 in all; England and Verrall (1999), Insurance: Mathematics and
    # Economics 25, 281-293, give 18,680,856.
    fit, windows, paid = taylor_ashe()
    made = nowcast(fit, windows, paid, draws=10, seed=1)
    thousands = (made["unreported"] / 1000).round().astype(int).tolist()
    assert thousands == [0, 95, 470, 710, 985, 1419, 2178, 3920, 4279, 4626]
    assert made["unreported"].sum() == pytest.approx(18_680_856, abs=1)


def test_prediction_errors_of_the_overdispersed_poisson_model():
    # England and Verrall (2002), British Actuarial Journal 8, 443-518, Taylor and Ashe's data, overdispersed Poisson:
    # dispersion 52,601; prediction errors 46, 37, 31, 26, 23, 20, 24 and 43 % of the reserves of years 3 to 10.
    fit, windows, paid = taylor_ashe()
    assert fit.dispersion == pytest.approx(52_601, abs=1)
    made = nowcast(fit, windows, paid, draws=6000, seed=1, level=0.6827)
    error = ((made["high"] - made["low"]) / 2 / made["unreported"]).to_numpy()[2:]
    assert error == pytest.approx([0.46, 0.37, 0.31, 0.26, 0.23, 0.20, 0.24, 0.43], abs=0.025)
