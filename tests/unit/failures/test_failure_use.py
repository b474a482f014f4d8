"""What meters tell, worked by hand: readings, use of a month, downtime, MTBF, lives by use, services due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import MissingData
from analysis.failures import checks, services_due, use, use_facts, use_lives
from analysis.failures.field import Field
from analysis.failures.use import Meters
from analysis.metrics import NotDone, Period, StudyInputs
from analysis.metrics.registry import Registry
from analysis.periods import Month
from analysis.stats import poisson_interval

OCTOBER = Period(Month(2026, 10), Month(2026, 10))

PRODUCTS = "product_id,product_line,model\nP1,Diggers,D1\n"
UNITS = """serial_no,product_id,shipped_on,in_service_on,retired_on,region,usage,usage_as_of
A,P1,2026-08-01,2026-09-01,,North,610,2026-10-31
B,P1,2026-08-01,2026-09-01,2026-10-15,North,450,2026-10-31
C,P1,2026-08-01,2026-09-01,,South,,
D,P1,2026-01-01,2026-01-01,,South,1500,2026-10-31
"""
# A: 300 on 30 September, 610 on 31 October: ten a day, as in September. Two breakdowns overlap, one is open at the end.
# B: left on 15 October; its meter, read later, stood still since. C: no reading. D: the reading of 10,000 contradicts three others, each of them only it.
TICKETS = """ticket_id,serial_no,product_id,ticket_type,opened_at,resolved_at,fault_code,component,usage,handling_hours
T1,A,P1,repair,2026-09-30T04:00:00,2026-09-30T08:00:00,F1,pump,300,2
T2,A,P1,repair,2026-10-10T00:00:00,2026-10-10T10:00:00,F1,pump,,3
T3,A,P1,repair,2026-10-10T05:00:00,2026-10-10T20:00:00,F2,hose,,1
T4,A,P1,repair,2026-10-31T04:00:00,,F2,hose,,
T5,A,P1,maintenance,2026-10-20T00:00:00,2026-10-20T05:00:00,,,500,4
T6,D,P1,repair,2026-03-01T04:00:00,2026-03-01T05:00:00,F1,pump,10000,1
T7,D,P1,maintenance,2026-04-01T04:00:00,2026-04-01T05:00:00,,,450,1
T8,D,P1,maintenance,2026-05-01T04:00:00,2026-05-01T05:00:00,,,600,1
T9,D,P1,maintenance,2026-02-01T04:00:00,2026-02-01T05:00:00,,,150,1
TA,D,P1,maintenance,2026-06-01T04:00:00,2026-06-01T05:00:00,,,750,1
"""
LEDGER = "posting_id,posted_on,category,amount,ticket_id,posting_basis\nL1,2026-10-20,parts,100.00,T5,incurred\nL2,2026-10-10,parts,300.00,T2,incurred\nL3,2026-10-31,parts,50.00,,incurred\n"


def written(folder: Path, **changed: str) -> Path:
    """The company above with some of its tables changed."""
    company = folder / "company"
    company.mkdir()
    tables = {"products": PRODUCTS, "units": UNITS, "tickets": TICKETS, "ledger": LEDGER} | changed
    for name, text in tables.items():
        (company / f"{name}.csv").write_text(text, encoding="utf-8")
    return company


Build = Callable[..., StudyInputs]


def metered(tmp_path: Path, inputs_in: Build, *, month: str = "2026-10", **changed: str) -> Meters:
    inputs = inputs_in(written(tmp_path, **changed), work=tmp_path, month=month)
    return Meters.of(Field.of(inputs))


def asked(meters: Meters, sql: object) -> pd.DataFrame:
    return meters.field.inputs.engine.query(str(sql))


def test_use_runs_evenly_between_two_readings_and_ends_with_the_last(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in)
    ran = asked(
        meters,
        f"SELECT serial_no, sum(run) AS run, sum(read_days) AS days FROM ({meters.run(OCTOBER)}) GROUP BY 1 ORDER BY 1",
    )
    # B ran 450 in 45 days; D 750 in the 152 days from 2 June to 31 October: 31 of them in October
    assert ran["serial_no"].tolist() == ["A", "B", "D"]
    assert [float(x) for x in ran["run"]] == pytest.approx([310, 150, 750 / 152 * 31])
    assert [int(x) for x in ran["days"]] == [31, 15, 31]
    # of 31 + 15 + 31 + 31 days in the field the 31 of C are not known
    share = meters.field.state.measured(
        "use_coverage", meters.run(OCTOBER), meters.held(OCTOBER), period=OCTOBER
    )
    assert float(share.value or 0) == pytest.approx(77 / 108)


def test_a_reading_that_contradicts_more_of_the_others_is_doubted_and_not_used(
    tmp_path: Path, inputs_in: Build
):
    meters = metered(tmp_path, inputs_in)
    doubts = meters.doubts
    assert doubts[["serial_no", "reading", "left_out"]].to_numpy().tolist() == [["D", 10_000.0, False]]
    assert (
        asked(meters, f"SELECT max(ran) AS ran FROM {meters.stretches} WHERE serial_no = 'D'").ran[0] == 750
    )


def test_a_machine_with_a_fifth_of_its_readings_doubted_has_no_use_at_all(tmp_path: Path, inputs_in: Build):
    # neither of two readings is better than the other: both are doubted, and the machine is left out
    tickets = TICKETS.replace(
        "T5,A,P1,maintenance,2026-10-20T00:00:00,2026-10-20T05:00:00,,,500,4",
        "T5,A,P1,maintenance,2026-10-20T00:00:00,2026-10-20T05:00:00,,,900,4",
    )
    meters = metered(tmp_path, inputs_in, tickets=tickets)
    doubted = meters.doubts.set_index("serial_no")
    assert doubted.loc["A", "reading"].tolist() == [900.0, 610.0] and doubted.loc["A", "left_out"].all()
    assert "A" not in set(asked(meters, f"SELECT DISTINCT serial_no FROM {meters.stretches}").serial_no)


def test_a_machine_that_came_with_hours_on_its_meter_did_not_run_them_up_since(
    tmp_path: Path, inputs_in: Build
):
    # 8,000 on the tenth day and 8,200 forty days later: the first reading is where its use begins
    tickets = (
        TICKETS
        + "TB,C,P1,maintenance,2026-09-10T04:00:00,2026-09-10T05:00:00,,,8000,1\nTC,C,P1,maintenance,2026-10-20T04:00:00,2026-10-20T05:00:00,,,8200,1\n"
    )
    meters = metered(tmp_path, inputs_in, tickets=tickets)
    stretches = asked(meters, f"SELECT begins, ends, ran FROM {meters.stretches} WHERE serial_no = 'C'")
    assert stretches.ran.tolist() == [200.0]
    assert str(stretches.begins[0])[:10] == "2026-09-11"


def test_a_view_of_an_earlier_day_knows_no_later_reading(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in)
    earlier = meters.field.as_known_at_the_end_of(Month(2026, 9))
    then = Meters.of(earlier)
    assert then.day == dt.date(2026, 10, 1)
    known = asked(then, f"SELECT max(ends) AS last FROM {then.stretches} WHERE serial_no = 'A'")
    assert str(known["last"][0])[:10] == "2026-10-01"  # the reading of 30 September, none of October


def test_a_report_of_an_earlier_month_does_not_know_what_the_meter_reads_now(
    tmp_path: Path, inputs_in: Build
):
    meters = metered(tmp_path, inputs_in, month="2026-09")
    assert meters.day == dt.date(2026, 10, 11)
    last = asked(meters, f"SELECT max(ends) AS last FROM {meters.stretches} WHERE serial_no = 'A'")
    assert str(last["last"][0])[:10] == "2026-10-01"


def test_overlapping_breakdowns_stand_once_and_an_open_one_to_the_end(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in)
    stood = asked(
        meters, f"SELECT serial_no, held_hours, down_hours FROM ({meters.stood(OCTOBER)}) ORDER BY 1"
    ).set_index("serial_no")
    # 00:00 to 20:00 UTC of the tenth, and from noon in Shanghai of the last day
    assert stood.loc["A"].tolist() == [31 * 24, 20 + 12]
    assert stood.loc["B"].tolist() == [15 * 24, 0]
    fact = meters.field.state.measured(
        "machine_availability", meters.stood(OCTOBER), period=OCTOBER, parts={"interval": None, "n": 4}
    )
    assert float(fact.value or 0) == pytest.approx(1 - 32 / (24 * (31 + 15 + 31 + 31)))


def test_breakdowns_are_counted_over_the_use_of_the_same_days(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in)
    rate = meters.field.state.measured(
        "breakdown_rate_by_use", meters.broken(OCTOBER), meters.run(OCTOBER), period=OCTOBER
    )
    ran = 310 + 150 + 750 / 152 * 31
    assert float(rate.value or 0) == pytest.approx(3 / ran * 1000)
    garwood = poisson_interval(3, ran / 1000)
    assert rate.interval is not None
    assert (rate.interval.low, rate.interval.high) == pytest.approx((float(garwood.low), float(garwood.high)))


def test_the_limits_of_mtbf_are_those_that_are_published():
    """NIST/SEMATECH e-Handbook of Statistical Methods, 8.4.5.1: ten failures in 1,600 hours give an MTBF of 160 hours; factors of the table for 10 failures
    at 90 percent are 0.5895 and 1.8432."""
    found = poisson_interval(10, 1_600.0, level=0.90)
    assert 1 / float(found.high) == pytest.approx(160 * 0.5895, rel=1e-3)
    assert 1 / float(found.low) == pytest.approx(160 * 1.8432, rel=1e-3)


def test_cost_is_traced_to_machines_and_the_rest_ties(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in)
    posted = asked(
        meters,
        f"SELECT work, sum(amount) AS amount, bool_and(metered) AS metered FROM ({meters.posted(OCTOBER)}) GROUP BY 1 ORDER BY 1",
    )
    assert [(row.work, float(row.amount), row.metered) for row in posted.itertuples()] == [
        ("planned", 100.0, True),
        ("unplanned", 300.0, True),
    ]
    state, inputs = meters.field.state, meters.field.inputs
    whole, traced = (
        inputs.fact("after_sales_cost", period=OCTOBER),
        state.measured("machine_cost", meters.posted(OCTOBER), period=OCTOBER),
    )
    assert float(state.derived("machine_cost_elsewhere", whole, traced, period=OCTOBER).value or 0) == 50.0


def test_readings_that_run_backwards_are_a_check_with_their_number_and_an_example(
    tmp_path: Path, inputs_in: Build
):
    meters = metered(tmp_path, inputs_in)
    told = use_facts.use_facts(meters.field, meters)
    (check,) = checks._use(told)
    said = check.sentence.plain("en")
    assert check.outcome == "failed"
    assert (
        "1 reading of 10 readings" in said and "machine D on 2026-03-01: 10000" in said and "0 units" in said
    )
    assert set("读数机器") <= set(check.sentence.plain("zh"))


def without(text: str, *names: str) -> str:
    """The table without these columns."""
    rows = [line.split(",") for line in text.strip().split("\n")]
    keep = [k for k, name in enumerate(rows[0]) if name not in names]
    return "\n".join(",".join(row[k] for k in keep) for row in rows) + "\n"


def test_where_nobody_recorded_when_it_was_mended_nothing_is_said_of_it(tmp_path: Path, inputs_in: Build):
    meters = metered(tmp_path, inputs_in, tickets=without(TICKETS, "resolved_at"))
    year = use_facts.use_facts(meters.field, meters).year
    assert year.availability is not None and year.availability.value is None and year.availability.reason
    assert all(fact.value is None and fact.reason for fact in year.repair.values())
    assert year.rate.value is not None


def test_below_the_stated_share_of_machine_months_nothing_is_said(tmp_path: Path, inputs_in: Build):
    field = metered(tmp_path, inputs_in).field
    found = use.known(field)
    assert isinstance(found, NotDone)
    assert "machine-months" in found.reason.en and "90.0% are needed" in found.reason.en
    assert not found.needs


def test_without_meters_the_part_names_the_column_that_switches_it_on(tmp_path: Path, inputs_in: Build):
    folder = written(
        tmp_path, units=without(UNITS, "usage", "usage_as_of"), tickets=without(TICKETS, "usage")
    )
    with pytest.raises(MissingData) as refusal:
        Meters.of(Field.of(inputs_in(folder, work=tmp_path)))
    assert "units.usage" in refusal.value.needs


def test_the_unit_of_use_is_the_word_of_the_labels():
    assert Registry.load()["fleet_use"].unit == "use"
    assert Registry.load()["breakdown_rate_by_use"].unit == "failures/1000_use"
    assert Registry.load()["cost_by_use"].unit_in("AUD") == "AUD/use"


# ---------------------------------------------------------------- lives by use


def simulated(shape: float, seed: int, *, paced: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    """300 machines of very different pace, watched for three years from different meters; minimal repair with intensity by use (or, not ``paced``, by days)."""
    draw = np.random.default_rng(seed)
    pace = draw.uniform(3, 20, 300)  # a day
    from_days = draw.integers(0, 1_500, 300)
    until_days = from_days + 1_095
    axis = pace if paced else np.ones(300)
    scale = 12_000.0 if paced else 1_100.0
    rows = []
    for k in range(300):
        low, high = ((axis[k] * days / scale) ** shape for days in (from_days[k], until_days[k]))
        at = scale * draw.uniform(low, high, draw.poisson(high - low)) ** (1 / shape) / axis[k]
        rows += [(pace[k] * days, days, pace[k]) for days in at]
    failed = pd.DataFrame(rows, columns=["use", "age_days", "pace"]).assign(
        component="bearing", was_read=True
    )
    watched = pd.DataFrame(
        {
            "from_use": pace * from_days,
            "until_use": pace * until_days,
            "from_days": from_days,
            "until_days": until_days,
        }
    )
    return failed, watched


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_shape_is_found_in_use_and_told_from_months(seed: int):
    life = use_lives.life_of("bearing", *simulated(2.6, seed))
    assert not isinstance(life, NotDone)
    found = life.fit.shape_interval(level=0.99)
    assert found.low < 2.6 < found.high and found.low > 2
    assert life.axis == "use" and life.fit.hazard_direction(level=0.99) == "rising"


@pytest.mark.parametrize("seed", range(4))
def test_failures_by_months_are_said_to_come_by_months(seed: int):
    life = use_lives.life_of("bearing", *simulated(2.6, seed, paced=False))
    assert not isinstance(life, NotDone)
    assert life.axis == "months"


@pytest.mark.parametrize("seed", range(4))
def test_a_constant_hazard_has_a_shape_of_one(seed: int):
    life = use_lives.life_of("bearing", *simulated(1.0, seed))
    assert not isinstance(life, NotDone)
    found = life.fit.shape_interval(level=0.99)
    assert found.low < 1 < found.high
    assert life.fit.hazard_direction(level=0.99) == "unclear"


def test_where_use_and_months_run_together_neither_is_preferred():
    failed, watched = simulated(2.0, 1)
    even = failed.assign(use=failed["age_days"] * 10.0, pace=10.0)
    same = watched.assign(from_use=watched["from_days"] * 10.0, until_use=watched["until_days"] * 10.0)
    life = use_lives.life_of("bearing", even, same)
    assert not isinstance(life, NotDone)
    assert life.evidence == pytest.approx(0, abs=1e-3) and life.axis == "open"


def test_a_component_whose_failures_come_without_a_reading_has_no_life_by_use():
    failed, watched = simulated(2.0, 1)
    assert use_lives.life_of("bearing", failed.assign(was_read=False), watched) is use_lives.NOT_READ


# ---------------------------------------------------------------- services


def serviced(
    gap: float, *, spread: float, machines: int = 12, seed: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Services of machines by use and where their meters stand, 100 after the last."""
    draw = np.random.default_rng(seed)
    rows, now = [], []
    for k in range(machines):
        at = (
            np.cumsum(draw.normal(gap, spread * gap, 6))
            if spread < 1
            else np.cumsum(draw.exponential(gap, 6))
        )
        rows += [
            (f"M{k}", "D1", "North", pd.Timestamp("2026-01-01") + pd.Timedelta(days=30 * n), use)
            for n, use in enumerate(at)
        ]
        now.append((f"M{k}", "D1", at[-1] + 100))
    return pd.DataFrame(rows, columns=["serial_no", "model", "region", "serviced_on", "use"]), pd.DataFrame(
        now, columns=["serial_no", "model", "reading"]
    )


def test_the_interval_of_a_model_is_that_of_its_services():
    found = services_due.interval_of_model("D1", *serviced(500, spread=0.05), level=0.95)
    assert not isinstance(found, NotDone)
    assert found.low < 500 < found.high and found.gaps == 60 and found.regular > 0.95


def test_services_that_come_at_random_have_no_interval():
    assert (
        services_due.interval_of_model("D1", *serviced(500, spread=1.0), level=0.95)
        is services_due.NOT_BY_USE
    )
    few = serviced(500, spread=0.05, machines=3)
    assert services_due.interval_of_model("D1", *few, level=0.95) is services_due.NO_SERVICE


def test_what_falls_due_is_counted_at_the_pace_of_the_machine():
    told = pd.DataFrame(
        {
            "serial_no": ["late", "soon", "idle"],
            "model": "D1",
            "region": "North",
            "reading": [1_700.0, 1_400.0, 1_010.0],
            "serviced_at": [1_000.0] * 3,
            "pace": [8.0, 2.0, 1.0],
        }
    )
    due = services_due.projected(told, {"D1": 500.0}, np.array([92.0] * 3), 0.05).set_index("serial_no")
    # late: at once, and again after 500 of the 736 to come; soon: 400 + 184 reach 500; idle: 10 + 92 do not
    assert due["services"].to_numpy() == pytest.approx([2.0, 1.0, 0.0], abs=1e-6)
    assert due["overdue"].tolist() == [True, False, False]
    assert due["due_in_days"].tolist() == [0.0, 50.0, 490.0]
    assert due["chance"].to_numpy() == pytest.approx([1.0, 1.0, 0.0], abs=1e-6)


def test_a_pace_has_the_scatter_of_its_quarters():
    ran = pd.DataFrame(
        {"serial_no": ["M"] * 4, "quarter": range(4), "read_days": 91.0, "run": [80.0, 120.0, 100.0, 100.0]}
    )
    pace, spread = services_due.paced(ran)
    assert pace["pace"].tolist() == pytest.approx([400 / 364])
    assert spread == pytest.approx(np.sqrt(0.02) * np.sqrt(1.25 / 0.75))
