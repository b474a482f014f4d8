"""Savings and sourcing against published answers."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from analysis.costs.savings import interrupted_series, net_present_value, payback_period
from analysis.costs.sourcing import CostLine, break_even_volume

# Lopez Bernal, Cummins and Gasparrini (2017), International Journal of Epidemiology 46, 348-355: admissions
# for acute coronary events in Sicily by month, January 2002 to November 2006, and the standardised population
# (their data supplement, sicily.csv). The smoking ban came into force in January 2005.
ADMISSIONS = [
    728,
    659,
    791,
    734,
    757,
    726,
    760,
    740,
    720,
    814,
    795,
    858,
    887,
    766,
    851,
    769,
    781,
    756,
    766,
    752,
    765,
    831,
    879,
    928,
    914,
    808,
    937,
    840,
    916,
    828,
    845,
    818,
    860,
    839,
    887,
    886,
    831,
    796,
    833,
    820,
    877,
    758,
    767,
    738,
    781,
    843,
    850,
    908,
    1021,
    859,
    976,
    888,
    962,
    838,
    810,
    876,
    843,
    936,
    912,
]
POPULATION = [
    379875.3,
    376495.5,
    377040.8,
    377116.4,
    377383.4,
    374113.1,
    379513.3,
    376295.5,
    374653.2,
    378485.6,
    375955.5,
    378349.7,
    376762.4,
    379032.3,
    379360.4,
    376162.0,
    377972.4,
    381830.7,
    379888.6,
    380872.2,
    380966.9,
    381240.4,
    382104.9,
    381802.7,
    381656.3,
    383680.0,
    383504.2,
    386462.9,
    383783.1,
    380836.8,
    383483.0,
    380906.2,
    382926.8,
    384052.4,
    384449.6,
    383428.4,
    388153.2,
    388373.2,
    386470.1,
    386033.2,
    383686.4,
    385509.3,
    385901.9,
    386516.6,
    388436.5,
    383255.2,
    390148.7,
    385874.9,
    391613.6,
    391750.4,
    394005.6,
    391364.9,
    391664.6,
    389022.3,
    391878.5,
    388575.3,
    392989.0,
    390018.8,
    390712.3,
]


@pytest.mark.parametrize("harmonics", [0, 2])
def test_the_smoking_ban_in_sicily(harmonics):
    # Page 352: an immediate reduction of 11 % (rate ratio 0.89); Poisson there, the logarithm of the rate
    # here.
    rate = pd.Series(np.log(np.array(ADMISSIONS) / np.array(POPULATION)))
    found = interrupted_series(rate, start=36, shape="level", harmonics=harmonics, confidence=0.95)
    assert np.exp(found.effect) == pytest.approx(0.89, abs=0.01)
    assert np.exp(found.interval.high) < 1.0
    assert found.months_before == 36 and found.months_after == 23


def test_net_present_value_and_payback_of_ross_westerfield_and_jordan():
    # Ross, Westerfield and Jordan, Fundamentals of Corporate Finance, chapter 9, self-test problem 9.1: 200
    # invested for 50, 60, 70 and 200 a year at 10 %: payback 3.10 years, net present value 84.23.
    flows = [Decimal(-200), Decimal(50), Decimal(60), Decimal(70), Decimal(200)]
    # (The book adds present values rounded to the cent; unrounded they make 84.24.)
    assert net_present_value(flows, annual_rate=0.10, periods_per_year=1) - Decimal("84.23") in (
        0,
        Decimal("0.01"),
    )
    assert payback_period(flows) == pytest.approx(3.10)
    discounted = payback_period(flows, annual_rate=0.10, periods_per_year=1)
    assert discounted == pytest.approx(3 + (200 - 147.63) / 136.60, abs=1e-3)


def test_make_or_buy_of_the_encyclopedia_of_management():
    # Encyclopedia of Management, "Make-or-Buy Decisions": equipment for 250,000 and 10 a part, or 15 a part
    # from a supplier: break-even at 50,000 parts, making is cheaper above.
    found = break_even_volume(
        CostLine(fixed=250_000, per_ticket=10), CostLine(fixed=0, per_ticket=15), confidence=0.95
    )
    assert found.tickets == 50_000 and found.cheaper_above == "in_house"
    assert found.interval is not None and (found.interval.low, found.interval.high) == (50_000, 50_000)
