"""What comes back: limits and chances by the binomial, one telling of what is nested, rows worked out by hand, blank months."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta, binom

from analysis.costs.comebacks import Comebacks, Way, against_others, search
from analysis.costs.comebacks_facts import NOT_FOLLOWED, comebacks_of
from analysis.costs.comebacks_rows import GROUPS, Followed
from analysis.errors import MissingData
from analysis.metrics import StudyInputs

Inputs = Callable[..., StudyInputs]

# -- arithmetic -------------------------------------------------------------------------------------------------------------


def test_one_stratum_is_the_binomial_given_the_sum_and_its_limits_are_clopper_and_pearsons() -> None:
    found = against_others([18], [100], [9], [300], level=0.95)
    assert found.p_value == pytest.approx(binom.sf(17, 27, 0.25))
    assert found.ratio == pytest.approx(18 / 100 / (9 / 300)) and found.expected == pytest.approx(3.0)
    # share of the 27 that is the group's, between Clopper's and Pearson's limits, as a ratio of rates
    low, high = beta.ppf(0.025, 18, 10), beta.ppf(0.975, 19, 9)
    assert found.interval is not None
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (3 * low / (1 - low), 3 * high / (1 - high)), rel=1e-4
    )


def test_the_chance_over_strata_is_the_sum_of_binomials_worked_out_cell_by_cell() -> None:
    hits, cases, other_hits, other_cases = [2, 1], [10, 10], [1, 2], [20, 30]
    by_hand = sum(
        binom.pmf(one, 3, 1 / 3) * binom.pmf(two, 3, 1 / 4)
        for one in range(4)
        for two in range(4)
        if one + two >= 3
    )
    assert against_others(hits, cases, other_hits, other_cases, level=0.95).p_value == pytest.approx(by_hand)


def test_the_harder_work_makes_no_group_worse() -> None:
    # the group does mostly the kind of which a half comes back, as it does from the others
    found = against_others([50, 1], [100, 10], [5, 10], [10, 100], level=0.95)
    assert found.ratio == pytest.approx(1.0) and found.p_value > 0.4
    together = against_others([51], [110], [15], [110], level=0.95)
    assert together.ratio > 3 and together.p_value < 1e-4


def test_a_stratum_that_only_one_side_has_tells_nothing() -> None:
    alone = against_others([5, 9], [10, 9], [5, 0], [10, 0], level=0.95)
    assert (alone.cases, alone.hits) == (10, 5)
    nothing = against_others([3], [3], [0], [0], level=0.95)
    assert (nothing.cases, nothing.interval, nothing.p_value) == (0, None, 1.0)


def test_cases_that_hang_together_widen_the_limits_by_the_root_of_their_design_effect() -> None:
    narrow = against_others([30], [100], [30], [300], level=0.95)
    wide = against_others([30], [100], [30], [300], level=0.95, spread=4.0)
    assert narrow.interval and wide.interval
    for end in ("low", "high"):
        near, far = (np.log(getattr(one.interval, end) / one.ratio) for one in (narrow, wide))
        assert far == pytest.approx(2 * near, rel=1e-3)
    assert wide.p_value > narrow.p_value


@pytest.mark.parametrize("ratio", [1.0, 3.0])
def test_limits_hold_the_ratio_as_often_as_they_say(ratio: float) -> None:
    rng = np.random.default_rng(7)
    cases, other_cases, rates = (
        np.array([60, 40, 200]),
        np.array([90, 300, 100]),
        np.array([0.02, 0.08, 0.03]),
    )
    held = 0
    for _ in range(200):
        hits, others = rng.poisson(cases * rates * ratio), rng.poisson(other_cases * rates)
        found = against_others(hits, cases, others, other_cases, level=0.9)
        held += bool(found.interval and found.interval.low <= ratio <= found.interval.high)
    assert held >= 176  # 0.9 of 200 less what chance takes in a hundred runs


# -- the search ---------------------------------------------------------------------------------------------------------------


def company(seed: int, *, night: float = 0.06, bot_billing: float = 0.06, customers: bool = False) -> Way:
    """Two days' teams, a partner who does all nights and nothing else, and a bot; so many cases come back."""
    rng = np.random.default_rng(seed)
    cases = 6000
    kind = rng.choice(["billing", "how-to"], cases)
    bot = rng.random(cases) < 0.2
    partner = ~bot & (rng.random(cases) < 0.25)
    chance = np.where(partner, night, np.where(bot & (kind == "billing"), bot_billing, 0.06))
    frame = pd.DataFrame(
        {
            "kind": kind,
            "stratum": (kind == "billing").astype(int),
            "team": np.where(bot, None, np.where(partner, "P", rng.choice(["A", "B"], cases))),
            "sourcing": np.where(bot, None, np.where(partner, "outsourced", "in_house")),
            "shift": np.where(partner, "night", "early"),
            "automated": np.where(bot, "true", "false"),
            "supplier": None,
            "region": rng.choice(["N", "S", "E"], cases),
            "hits": rng.random(cases) < chance,
            "cases": 1,
        }
    )
    return Way(name="reopened", table=frame)


def asked(*ways: Way) -> Comebacks:
    return search(ways, groups=GROUPS, level=0.01, confidence=0.95, least_difference=0.02, most=3)


def test_what_is_nested_is_told_once_and_by_the_group_that_names_it_most_closely() -> None:
    found = asked(company(1, night=0.14, bot_billing=0.3))
    # outsourced and at night are the same cases as the partner; all the bot's work stands out only by its billing
    assert {(cell.dimension, cell.value, cell.kind) for cell in found.named} == {
        ("team", "P", ""),
        ("automated", "true", "billing"),
    }
    standing = {(cell.dimension, cell.value) for cell in found.cells if cell.p_adjusted < 0.01}
    assert {("sourcing", "outsourced"), ("shift", "night"), ("automated", "true")} <= standing


def test_nobody_is_named_without_cause() -> None:
    assert sum(bool(asked(company(seed)).named) for seed in range(100, 140)) <= 1


def test_a_difference_that_does_not_matter_is_not_named() -> None:
    way = company(3, night=0.10)
    large = search([way], groups=GROUPS, level=0.01, confidence=0.95, least_difference=0.1, most=3)
    assert large.named == () and asked(way).named


# -- rows by hand ---------------------------------------------------------------------------------------------------------------

HEAD = "ticket_id,ticket_type,customer_id,serial_no,opened_at,resolved_at,reopened,rework,parent_ticket_id,component"


def company_of(folder: Path, rows: str, head: str = HEAD) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tickets.csv").write_text("\n".join([head, *rows.split()]), encoding="utf-8")
    return folder


def came_back(inputs: StudyInputs) -> dict[str, tuple[bool, bool, bool]]:
    followed = Followed.of(inputs)
    frame = inputs.engine.query(
        f"SELECT ticket_id, reopened, repeated, complained FROM {followed.table} ORDER BY 1"
    )
    return {
        row[0]: (row[1] is True or row[1] == 1, bool(row[2]), bool(row[3]))
        for row in frame.astype(object).itertuples(index=False)
    }


def test_every_way_of_coming_back_by_hand(tmp_path: Path, inputs_in: Inputs) -> None:
    folder = company_of(
        tmp_path / "ways",
        """
        T1,repair,C1,S1,2026-07-01T02:00:00,2026-07-02T02:00:00,1,false,,pump
        T2,repair,C2,S2,2026-07-01T02:00:00,2026-07-02T02:00:00,0,false,,pump
        T3,repair,C2,S2,2026-07-20T02:00:00,2026-07-21T02:00:00,0,true,T2,pump
        T4,repair,C3,S3,2026-07-01T02:00:00,2026-07-02T02:00:00,0,false,,pump
        T5,repair,C3,S3,2026-08-02T02:00:00,2026-08-03T02:00:00,0,true,T4,pump
        T6,inquiry,C4,,2026-07-01T02:00:00,2026-07-02T02:00:00,0,false,,
        T7,inquiry,C4,,2026-07-03T02:00:00,2026-07-04T02:00:00,0,false,,
        T8,complaint,C4,,2026-07-10T02:00:00,2026-07-11T02:00:00,0,false,,
        T9,inquiry,C5,,2026-10-15T02:00:00,2026-10-16T02:00:00,1,false,,
        """,
    )
    # T5 names T4, but a day after the thirty; the complaint is of the last inquiry before it; October is not followed to its end
    assert came_back(inputs_in(folder, work=tmp_path / "work")) == {
        "T1": (True, False, False),
        "T2": (False, True, False),
        "T3": (False, False, False),
        "T4": (False, False, False),
        "T5": (False, False, False),
        "T6": (False, False, False),
        "T7": (False, False, True),
        "T8": (False, False, False),
    }


def test_where_no_rework_is_recorded_the_same_component_of_the_machine_is_a_repeat(
    tmp_path: Path, inputs_in: Inputs
) -> None:
    folder = company_of(
        tmp_path / "unrecorded",
        """
        T1,repair,S1,2026-07-01T02:00:00,2026-07-02T02:00:00,pump
        T2,repair,S1,2026-07-10T02:00:00,2026-07-11T02:00:00,valve
        T3,repair,S1,2026-07-20T02:00:00,2026-07-21T02:00:00,pump
        """,
        head="ticket_id,ticket_type,serial_no,opened_at,resolved_at,component",
    )
    assert {name: ways[1] for name, ways in came_back(inputs_in(folder, work=tmp_path / "work")).items()} == {
        "T1": True,
        "T2": False,
        "T3": False,
    }


def test_a_month_whose_follow_up_is_not_over_is_blank(tmp_path: Path, inputs_in: Inputs) -> None:
    folder = company_of(
        tmp_path / "blank",
        """
        T1,inquiry,C1,,2026-08-01T02:00:00,2026-08-02T02:00:00,1,false,,
        T2,inquiry,C2,,2026-09-01T02:00:00,2026-09-02T02:00:00,0,false,,
        T3,inquiry,C3,,2026-10-01T02:00:00,2026-10-02T02:00:00,1,false,,
        """,
    )
    found = comebacks_of(inputs_in(folder, work=tmp_path / "work"))
    (way,) = found.ways
    assert (way.name, way.share.numerator, way.share.denominator) == ("reopened", 1, 2)
    assert [(fact.period, fact.value) for fact in way.months[-3:]] == [
        ("2026-08", 1),
        ("2026-09", 0),
        ("2026-10", None),
    ]
    assert way.months[-1].reason == NOT_FOLLOWED
    assert found.findings == () and way.lines == ()


def test_a_company_in_which_nothing_comes_back_says_so(tmp_path: Path, inputs_in: Inputs) -> None:
    folder = company_of(tmp_path / "none", "T1,inquiry,C1,,2026-08-01T02:00:00,2026-08-02T02:00:00,0,false,,")
    with pytest.raises(MissingData):
        comebacks_of(inputs_in(folder, work=tmp_path / "work"))
