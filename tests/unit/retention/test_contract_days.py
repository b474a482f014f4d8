"""Contracts by the calendar: terms of any length, upgrades, late renewals, losses of the first day. Public situations, rebuilt small."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from analysis import retention
from analysis.metrics import StudyInputs
from analysis.metrics.views import full_months
from analysis.retention import views
from analysis.retention.components_facts import ChurnBasis, contractual
from analysis.retention.drivers import exposure_rows
from analysis.retention.matching_facts import _landmarks
from analysis.retention.revenue import renewal_calendar, revenue_retention
from analysis.retention.spells import contracts, losses_known_until
from analysis.retention.survival import DAYS_PER_MONTH, MARKS, curve, survival

Inputs = Callable[..., StudyInputs]
HEAD = "contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount"


def written(company: Path, rows: Iterable[tuple[object, ...]], lost_on: dict[str, str] | None = None) -> Path:
    """Contracts of a company, and its customers with the days of loss that it recorded."""
    lines = [tuple("" if one is None else str(one) for one in row) for row in rows]
    (company / "contracts.csv").write_text("\n".join([HEAD, *map(",".join, lines)]) + "\n", encoding="utf-8")
    people = sorted({line[2] for line in lines} | {"C1", "C2"})
    told = lost_on or {}
    text = "".join(f"{one},b2c,standard,North,{told.get(one, '')}\n" for one in people)
    (company / "customers.csv").write_text(
        f"customer_id,customer_type,segment,region,churned_on\n{text}", encoding="utf-8"
    )
    return company


def renewed_by(
    sixty: int, first: dt.date, end: Callable[[dt.date], dt.date], terms: int = 2
) -> list[tuple[object, ...]]:
    """A hundred contracts, of which ``sixty`` are renewed when the first term is over, and again until ``terms`` are held."""
    rows: list[tuple[object, ...]] = []
    for number in range(100):
        begins = first
        for term in range(terms if number < sixty else 1):
            last = end(begins)
            rows.append((f"K{number}", term + 1, f"X{number}", "maintenance", begins, last, None, "1200.00"))
            begins = last + dt.timedelta(days=1)
    return rows


def survival_at(inputs: StudyInputs, months: int) -> float:
    lives = views.lifetimes(contracts(inputs), inputs.month.end, observed_from=dt.date(2020, 1, 1))
    rows = inputs.engine.query(views.life_patterns(str(lives)))
    return float(curve(rows, level=0.95).at([months * DAYS_PER_MONTH])["survival"].iloc[0])


def a_year(begins: dt.date) -> dt.date:
    """The day before the anniversary."""
    try:
        again = begins.replace(year=begins.year + 1)
    except ValueError:  # 29 February
        again = dt.date(begins.year + 1, 3, 1)
    return again - dt.timedelta(days=1)


def days(number: int) -> Callable[[dt.date], dt.date]:
    return lambda begins: begins + dt.timedelta(days=number - 1)


@pytest.mark.parametrize(
    ("first", "end", "terms", "months"),
    [
        (dt.date(2023, 1, 1), a_year, 2, 12),
        (dt.date(2024, 1, 1), a_year, 2, 12),  # spans 29 February
        (dt.date(2024, 2, 29), a_year, 2, 12),
        (dt.date(2023, 2, 28), a_year, 2, 12),
        (dt.date(2023, 2, 28), days(366), 2, 12),
        (dt.date(2022, 3, 1), days(366), 2, 12),  # the last day is the anniversary itself
        (dt.date(2022, 3, 1), days(365), 2, 12),
        (dt.date(2023, 2, 1), days(30), 2, 1),  # longer than February
        (dt.date(2023, 1, 31), days(30), 2, 1),
        (dt.date(2023, 7, 1), days(30), 2, 1),
        (dt.date(2022, 11, 30), days(90), 2, 3),
        (dt.date(2023, 11, 30), days(92), 2, 3),
    ],
)
def test_who_does_not_renew_is_lost_at_the_end_of_the_term(
    company: Path,
    inputs_of: Inputs,
    first: dt.date,
    end: Callable[[dt.date], dt.date],
    terms: int,
    months: int,
):
    last = end(end(first) + dt.timedelta(days=1))
    # a month later the grace days of the first term are over
    month = f"{last + dt.timedelta(days=31):%Y-%m}"
    inputs = inputs_of(written(company, renewed_by(60, first, end, terms)), month=month)
    assert survival_at(inputs, months) == pytest.approx(0.6)


def terms_of(inputs: StudyInputs, columns: str) -> list[tuple[object, ...]]:
    sql = (
        f"SELECT {columns} FROM {views.at('contract_terms', inputs.month.end)} ORDER BY contract_id, term_no"
    )
    return list(inputs.engine.query(sql).itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("starts", "ends", "months", "yearly"),
    [
        ("2025-01-31", "2025-03-01", 1, 14400),  # thirty days over two ends of months
        ("2025-02-01", "2025-03-02", 1, 14400),
        ("2025-02-01", "2025-02-28", 1, 14400),
        ("2024-02-29", "2025-02-28", 12, 1200),
        ("2025-02-28", "2026-02-27", 12, 1200),
        ("2024-01-31", "2025-01-31", 12, 1200),
        ("2025-01-01", "2026-01-01", 12, 1200),
        ("2025-11-30", "2026-02-28", 3, 4800),
        ("2025-01-01", "2025-06-30", 6, 2400),
        ("2025-01-01", "2025-02-14", 1, 1200 * 365.25 / 45),
        ("2025-01-01", "2025-01-07", 1, 1200 * 365.25 / 7),
    ],
)
def test_a_term_is_as_long_as_it_is(
    company: Path, inputs_of: Inputs, starts: str, ends: str, months: int, yearly: float
):
    inputs = inputs_of(written(company, [("K", 1, "X", "maintenance", starts, ends, None, "1200.00")]))
    [(found, amount)] = terms_of(inputs, "term_months, yearly_amount")
    assert found == months and float(amount) == pytest.approx(yearly, abs=0.01)


def late(company: Path, gap: int) -> Path:
    """A hundred contracts end on 20 October: 60 renewed on the day, 30 after ``gap`` days, 10 never."""
    rows: list[tuple[object, ...]] = []
    for number in range(100):
        rows.append(
            (f"K{number}", 1, f"X{number}", "maintenance", "2025-10-21", "2026-10-20", None, "1200.00")
        )
        if number < 90:
            start = dt.date(2026, 10, 21) + dt.timedelta(days=0 if number < 60 else gap)
            rows.append((f"K{number}", 2, f"X{number}", "maintenance", start, "2027-10-20", None, "1200.00"))
    return written(company, rows)


@pytest.mark.parametrize(
    ("gap", "seen"),
    [
        (15, {"2026-10": 0, "2026-11": 10}),
        (30, {"2026-10": 0, "2026-11": 10}),  # the last day of grace
        (31, {"2026-10": 0, "2026-11": 40}),  # a day too late: the old contract was lost, a new one began
    ],
)
def test_within_the_grace_days_nobody_is_lost_yet(
    company: Path, inputs_of: Inputs, gap: int, seen: dict[str, int]
):
    folder = late(company, gap)
    for month, lost in seen.items():
        inputs = inputs_of(folder, month=month)
        moved = views.customers_moved(
            contracts(inputs), [("October", dt.date(2026, 10, 1), dt.date(2026, 11, 1))]
        )
        assert len(inputs.engine.query(moved.where(views.MOVED["lost"]).sql)) == lost, month


def test_what_is_open_is_said_with_what_it_can_become(company: Path, inputs_of: Inputs):
    study = retention.study(inputs_of(late(company, 15)))
    assert isinstance(study.contractual, ChurnBasis)
    assert study.contractual.waiting is not None and study.contractual.waiting.value == 40
    assert study.contractual.at_most is not None and study.contractual.at_most.value == pytest.approx(0.4)
    text = next(one for one in study.checks if one.id == "within_grace").sentence.plain()
    assert "40 customers" in text and "40.0% instead of 0.0%" in text


def test_the_value_of_who_may_still_renew_is_not_lost(company: Path, inputs_of: Inputs):
    folder = late(company, 15)
    for month, kept in (("2026-10", 1.0), ("2026-11", 0.9)):
        whole = revenue_retention(inputs_of(folder, month=month))[0]
        assert float(whole.gross.value or 0) == pytest.approx(kept), month


def test_a_hole_within_the_grace_days_is_none(company: Path, inputs_of: Inputs):
    # on 1 November 2025 the first term was over and the second had not begun: the customer was there all the same
    rows = [
        ("K", 1, "X", "maintenance", "2024-10-21", "2025-10-20", None, "1200.00"),
        ("K", 2, "X", "maintenance", "2025-11-15", "2026-11-14", None, "1200.00"),
    ]
    whole = revenue_retention(inputs_of(written(company, rows)))[0]
    assert (float(whole.start.value or 0), float(whole.gross.value or 0)) == (1200.0, 1.0)


def test_followed_only_as_far_as_losses_are_known(company: Path, inputs_of: Inputs):
    inputs = inputs_of(late(company, 15))
    assert losses_known_until(inputs) == dt.date(2026, 10, 21)
    lives = views.lifetimes(contracts(inputs), inputs.month.end, observed_from=dt.date(2020, 1, 1))
    rows = inputs.engine.query(views.life_patterns(str(lives)))
    # nobody has reached the end of the term with a known outcome: not one stayed, not one left
    assert not rows["lost"].any() and rows["duration"].max() <= 12 * DAYS_PER_MONTH
    later = inputs_of(late(company, 15), month="2026-11")
    assert losses_known_until(later) == later.month.end
    assert survival_at(later, 12) == pytest.approx(0.9)


def test_a_recorded_loss_waits_for_nothing(company: Path, inputs_of: Inputs):
    folder = late(company, 15)
    written_rows = [line.split(",") for line in (folder / "contracts.csv").read_text().splitlines()[1:]]
    told = {f"X{number}": "2026-10-21" for number in range(90, 100)}
    inputs = inputs_of(written(company, written_rows, told))
    assert contractual(inputs).month.components.lost == 10
    outcomes = dict(terms_of(inputs, "outcome, count(*) OVER (PARTITION BY outcome)"))
    assert outcomes == {"renewed": 60, "running": 60, "lost": 10, "in_grace": 30}


def test_a_window_is_over_when_its_grace_is(company: Path, inputs_of: Inputs):
    # service records begin in September 2026: the first landmark is December, and three months from it are over on 1 March
    inputs = inputs_of(late(company, 15), month="2027-02")
    ends = {"2027-02-28": [], "2027-03-01": ["2026-12"]}
    assert {
        day: [str(one) for one in _landmarks(inputs, 3, dt.date.fromisoformat(day))] for day in ends
    } == ends


UPGRADE = [
    ("K", 1, "X", "maintenance", "2026-01-01", "2026-12-31", None, "1200.00"),
    ("K", 2, "X", "maintenance", "2026-07-01", "2027-06-30", None, "2400.00"),
]


def test_an_upgrade_in_mid_term_takes_the_place_of_the_old_term(company: Path, inputs_of: Inputs):
    inputs = inputs_of(written(company, UPGRADE))
    value = inputs.engine.query(f"WITH {contracts(inputs)} {views.running_terms(inputs.month.end)}")[
        "yearly"
    ].tolist()
    assert [float(one) for one in value] == [2400.0]
    # nothing comes up at the end of the old term
    assert [(str(month), number.value) for month, _, number, _ in renewal_calendar(inputs)] == [
        ("2027-07", 1)
    ]
    assert [str(one)[:10] for (one,) in terms_of(inputs, "stands_until")] == ["2026-07-01", "2027-07-01"]


def test_a_month_comes_up_all_the_time_and_in_no_month_of_the_calendar(company: Path, inputs_of: Inputs):
    from analysis.retention.revenue import rolling

    rows = [
        ("M", 1, "X", "subscription", "2026-10-15", "2026-11-14", None, "100.00"),
        ("Y", 1, "X", "subscription", "2026-03-01", "2027-02-28", None, "1200.00"),
        ("Q", 1, "X", "subscription", "2026-10-01", "2026-12-31", None, "300.00"),
    ]
    inputs = inputs_of(written(company, rows))
    calendar = [
        (str(month), number.value, value.value) for month, _, number, value in renewal_calendar(inputs)
    ]
    assert calendar == [("2027-01", 1, 1200), ("2027-03", 1, 1200)]
    apart = rolling(inputs)
    assert apart is not None and (apart.contracts.value, apart.value.value) == (1, 1200)
    due = inputs.engine.query(
        f"{views.account_values(contracts(inputs), inputs.month.end, dt.date(2025, 11, 1), customer_type=None)}"
    )
    # the month's term ends first, the quarter's is the first that is renewed
    assert [str(due.loc[0, name])[:10] for name in ("due_on", "renews_on")] == ["2026-11-14", "2026-12-31"]
    assert rolling(inputs_of(written(company, rows[1:]))) is None


@pytest.mark.parametrize(("day", "value"), [("2026-07-01", 1200.0), ("2026-07-02", 2400.0)])
def test_on_the_day_of_the_change_one_term_counts(company: Path, inputs_of: Inputs, day: str, value: float):
    inputs = inputs_of(written(company, UPGRADE))
    moment = dt.date.fromisoformat(day)
    found = inputs.engine.query(f"WITH {contracts(inputs)} {views.running_terms(moment)}")["yearly"]
    assert [float(one) for one in found] == [value]


def test_an_account_lost_after_an_upgrade_is_worth_its_last_term(company: Path, inputs_of: Inputs):
    from analysis.retention.accounts import large_losses

    rows = [
        ("K", 1, "X", "maintenance", "2025-01-01", "2026-12-31", None, "2400.00"),
        ("K", 2, "X", "maintenance", "2025-07-01", "2026-12-31", "2026-03-10", "6000.00"),
    ]
    folder = written(company, rows, {"X": "2026-03-10"})
    text = (folder / "customers.csv").read_text().replace("X,b2c", "X,b2b")
    (folder / "customers.csv").write_text(text)
    assert [float(one) for one in large_losses(inputs_of(folder))["yearly_value"]] == [4000.0]


def test_a_contract_lost_on_its_first_day_is_lost(company: Path, inputs_of: Inputs):
    rows: list[tuple[object, ...]] = [
        (
            f"K{number}",
            1,
            f"X{number}",
            "subscription",
            "2026-09-03",
            "2027-09-02",
            "2026-09-03" if number < 10 else None,
            "1200.00",
        )
        for number in range(30)
    ]
    inputs = inputs_of(written(company, rows))
    assert survival_at(inputs, 0) == pytest.approx(20 / 30)
    pieces = exposure_rows(inputs)
    assert int(pieces.loc[pieces["lost"], "customers"].sum()) == 10 and int(pieces["customers"].sum()) == 30


def test_who_has_been_under_contract_twice_is_named_in_both_spells(company: Path, inputs_of: Inputs):
    rows = [
        ("K1", 1, "X1", "maintenance", "2024-01-01", "2024-12-31", None, "100.00"),
        ("K2", 1, "X1", "maintenance", "2025-09-01", "2026-08-31", None, "100.00"),
        ("K3", 1, "X2", "maintenance", "2025-09-01", "2026-08-31", None, "100.00"),
    ]
    inputs = inputs_of(written(company, rows))
    lives = views.lifetimes(contracts(inputs), inputs.month.end, observed_from=dt.date(2020, 1, 1))
    patterns = inputs.engine.query(views.life_patterns(lives))
    again = patterns["several"].notna()
    assert set(patterns.loc[again, "several"]) == {"X1"} and int(patterns.loc[again, "customers"].sum()) == 2
    assert int(patterns.loc[~again, "customers"].sum()) == 1


def test_an_experience_in_the_days_that_a_term_runs_late_comes_before_its_end(
    company: Path, inputs_of: Inputs
):
    # October has 31 days and September 30: the term runs two days beyond a month; the complaint of 30 September is known to be late on 1 October
    rows = [("K", 1, "C1", "maintenance", "2026-09-01", "2026-10-02", None, "100.00")]
    folder = written(company, rows, {"C1": "2026-10-03"})
    # a desk that notes first answers, and has none for any of these
    header, *lines = (folder / "tickets.csv").read_text(encoding="utf-8").splitlines()
    noted = [f"{header},first_response_at", *(f"{line}," for line in lines)]
    (folder / "tickets.csv").write_text("\n".join(noted) + "\n", encoding="utf-8")
    pieces = exposure_rows(inputs_of(folder))
    assert (pieces["entry"] < pieces["stop"]).all()
    assert int(pieces.loc[pieces["lost"], "customers"].sum()) == 1
    ended = pieces[pieces["lost"]].iloc[0]
    assert ended["stop"] == DAYS_PER_MONTH and bool(ended["slow"])


@pytest.mark.parametrize(
    ("begins", "moment", "months"),
    [
        ("2026-01-31", "2026-02-01", 0),
        ("2026-01-15", "2026-02-15", 1),
        ("2026-01-31", "2026-02-28", 0),
        ("2026-01-31", "2026-03-01", 1),
        ("2024-02-29", "2025-02-28", 11),
        ("2024-02-29", "2025-03-01", 12),
    ],
)
def test_tenure_counts_months_that_are_over(
    company: Path, inputs_of: Inputs, begins: str, moment: str, months: int
):
    age = full_months(f"DATE '{begins}'", f"DATE '{moment}'")
    assert int(inputs_of(company).engine.query(f"SELECT {age} AS months")["months"].iloc[0]) == months


def test_however_contracts_are_grouped_as_many_are_at_risk_at_every_age(company: Path, inputs_of: Inputs):
    # losses at every age around each mark, of one kind of contract and one type of customer at a time
    rows: list[tuple[object, ...]] = []
    for number in range(240):
        begins = dt.date(2022, 1, 1) + dt.timedelta(days=5 * number)
        kind = "subscription" if number % 2 else "maintenance"
        lost = begins + dt.timedelta(days=300 + 7 * number)
        rows.append(
            (f"K{number}", 1, f"X{number}", kind, begins, begins + dt.timedelta(days=3650), lost, "100.00")
        )
    folder = written(company, rows)
    text = (folder / "customers.csv").read_text()
    (folder / "customers.csv").write_text(re.sub(r"^(X\d*[0-4]),b2c", r"\1,b2b", text, flags=re.MULTILINE))
    by = survival(inputs_of(folder)).by
    assert {"customer_type", "contract_kind"} <= set(by)
    for mark in MARKS:
        totals = {
            name: sum(dict(one.at_risk)[mark].value or 0 for one in groups) for name, groups in by.items()
        }
        assert len(set(totals.values())) == 1, (mark, totals)
