"""Mean cumulative functions of textbooks."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats import mean_cumulative_function


def test_three_systems_of_meeker_and_escobar():
    # Meeker and Escobar (1998), Examples 16.2 to 16.4, Tables 16.1 and 16.2: repairs of three systems observed for
    # 12, 16 and 20; the estimate is 1/3, 2/3, 4/3 and 11/6 and its variance at the first repair 6/81.
    result = mean_cumulative_function(
        [0, 0, 2, 2, 2], [5.0, 8.0, 1.0, 8.0, 16.0], ends=[12.0, 16.0, 20.0], interval="normal"
    )
    np.testing.assert_allclose(result.table["age"], [1, 5, 8, 16])
    np.testing.assert_allclose(result.table["at_risk"], [3, 3, 3, 2])
    np.testing.assert_allclose(result.table["mcf"], [1 / 3, 2 / 3, 4 / 3, 11 / 6])
    assert result.table["standard_error"].iloc[0] ** 2 == pytest.approx(6 / 81)


# Nelson (1995), Technometrics 37, 147-157: replacements of valve seats on 41 diesel engines of a fleet, ages in days;
# the last age of each engine is its end of observation (also SAS/QC User's Guide, RELIABILITY procedure).
VALVE_SEATS = """251 761|252 759|327 98 667|328 326 653 653 667|329 665|330 84 667|331 87 663|389 646 653|390 92 653
391 651|392 258 328 377 621 650|393 61 539 648|394 254 276 298 640 644|395 76 538 642|396 635 641|397 349 404 561 649
398 631|399 596|400 120 479 614|401 323 449 582|402 139 139 589|403 593|404 573 589|405 165 408 604 606|406 249 594
407 344 497 613|408 265 586 595|409 166 206 348 389|410 601|411 410 581 601|412 611|413 608|414 587|415 367 603
416 202 563 570 585|417 587|418 578|419 578|420 586|421 585|422 582"""


def valve_seats():
    engines = [
        [int(part) for part in engine.split()]
        for line in VALVE_SEATS.split("\n")
        for engine in line.split("|")
    ]
    units, ages = zip(*[(engine[0], age) for engine in engines for age in engine[1:-1]], strict=True)
    return units, ages, [engine[0] for engine in engines], [engine[-1] for engine in engines]


def test_valve_seats_of_nelson():
    # SAS/QC User's Guide, RELIABILITY procedure, "Analysis of Recurrence Data on Repairs": 41 units, 48 repairs; the
    # estimate starts 0.024 (standard error 0.024), 0.049 (0.034), 0.073 (0.041), 0.098 (0.047), 0.122 (0.052),
    # 0.146 (0.056). Standard errors there divide by n - 1, ours by n: a difference of one in eighty.
    units, ages, engines, ends = valve_seats()
    result = mean_cumulative_function(units, ages, units=engines, ends=ends)
    assert (result.units, result.events) == (41, 48)
    head = result.table.head(6)
    np.testing.assert_allclose(head["age"], [61, 76, 84, 87, 92, 98])
    np.testing.assert_allclose(head["mcf"], [0.024, 0.049, 0.073, 0.098, 0.122, 0.146], atol=5e-4)
    np.testing.assert_allclose(
        head["standard_error"] * np.sqrt(41 / 40), [0.024, 0.034, 0.041, 0.047, 0.052, 0.056], atol=6e-4
    )


def test_valve_seats_wear_out_towards_the_end():
    # Meeker and Escobar (1998), Example 16.5 and Figure 16.3: the slope is steady to about 550 days and then rises.
    units, ages, engines, ends = valve_seats()
    curve = (
        mean_cumulative_function(units, ages, units=engines, ends=ends)
        .at([200, 400, 550, 650])["mcf"]
        .to_numpy()
    )
    early, late = (curve[2] - curve[0]) / 350, (curve[3] - curve[2]) / 100
    assert late > 2 * early
