"""Who leaves more often, and when: customer-months by hand, planted groups and months found, and nothing found in companies without them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.errors import FitError, MissingData
from analysis.metrics import StudyInputs
from analysis.periods import Month
from analysis.retention.leavers import Leavers, customer_months, leavers
from analysis.retention.surges import surges, usual

Inputs = Callable[..., StudyInputs]
HEAD = "contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount\n"
FIRST = Month.parse("2024-01")
MONTHS = 34  # to October 2026


def written(company: Path, terms: Iterable[str], people: Iterable[str], history: Iterable[str] = ()) -> Path:
    (company / "contracts.csv").write_text(HEAD + "\n".join(terms) + "\n", encoding="utf-8")
    people = [*people, *(f"{one},b2b,gold,North,Direct,2024-01-01," for one in ("C1", "C2"))]
    people = list({line.split(",")[0]: line for line in reversed(people)}.values())
    head = "customer_id,customer_type,segment,region,channel,acquired_on,churned_on\n"
    (company / "customers.csv").write_text(head + "\n".join(people) + "\n", encoding="utf-8")
    if history:
        text = "customer_id,attribute,valid_from,value\n" + "\n".join(history) + "\n"
        (company / "customer_history.csv").write_text(text, encoding="utf-8")
    return company


def monthly(customer: str, begins: Month, months: int) -> list[str]:
    """Monthly terms of a customer that follow each other; the last runs out where it ends before the end of the data."""
    return [
        f"K{customer},{place + 1},{customer},subscription,{(begins + place).start},{(begins + place).last_day},,10.00"
        for place in range(months)
    ]


def counted(inputs: StudyInputs) -> pd.DataFrame:
    found = customer_months(inputs)
    rows = inputs.engine.query(f"SELECT * FROM {found.table} ORDER BY customer_id, month")
    return rows.assign(month=pd.to_datetime(rows["month"]).dt.strftime("%Y-%m"))


def test_customer_months_by_hand(company: Path, inputs_of: Inputs):
    terms = [
        *monthly("C1", FIRST, 34),
        # three months from May 2026, lost with July
        *monthly("C2", Month.parse("2026-04"), 4),
        "K3,1,C3,maintenance,2025-06-01,2026-05-31,,120.00",
        "K3,2,C3,maintenance,2026-06-01,2027-05-31,,120.00",
    ]
    people = [f"{one},b2b,gold,North,Direct,2024-01-01," for one in ("C1", "C3")]
    people.append("C2,b2b,standard,South,Direct,2026-04-01,2026-07-31")
    history = [
        "C1,usage,2024-01-01,steady",
        "C1,usage,2026-06-15,declining",
        "C2,usage,2026-04-01,steady",
        "C3,usage,2026-08-02,declining",
    ]
    rows = counted(inputs_of(written(company, terms, people, history))).set_index(["customer_id", "month"])
    assert rows.loc["C2"].index.tolist() == ["2026-07"], "months before the first loss on record say nothing"
    assert bool(rows.loc[("C2", "2026-07"), "lost"])
    assert rows["lost"].sum() == 1
    held = rows["held_0"].fillna("unknown")
    # the value of the day on which the month began: June's change holds from July on, and nobody knew C3's before August's second
    assert held["C1", "2026-07"] == "declining" and held["C2", "2026-07"] == "steady"
    assert held["C3", "2026-08"] == "unknown" and held["C3", "2026-09"] == "declining"
    assert rows.loc[("C1", "2026-07"), "standing"] == "rolling"
    assert rows.loc[("C3", "2026-07"), "standing"] == "running"


def test_a_term_comes_up_in_its_month_only(company: Path, inputs_of: Inputs):
    terms = [
        "K1,1,C1,maintenance,2025-03-15,2026-03-14,,120.00",
        "K1,2,C1,maintenance,2026-03-15,2027-03-14,,120.00",
    ]
    terms += ["K2,1,C2,maintenance,2024-12-10,2025-12-09,,120.00"]
    people = ["C1,b2b,gold,North,Direct,2025-03-15,", "C2,b2b,gold,North,Direct,2024-12-10,"]
    rows = counted(inputs_of(written(company, terms, people))).set_index(["customer_id", "month"])
    standing = rows["standing"]["C1"].to_dict()
    assert (
        standing["2026-02"] == "running" and standing["2026-03"] == "due" and standing["2026-04"] == "running"
    )
    assert rows.loc[("C2", "2025-12"), "standing"] == "due" and bool(rows.loc[("C2", "2025-12"), "lost"])
    assert rows["tenure"]["C1", "2026-03"] == 0 and rows["tenure"]["C1", "2026-04"] == 1


def company_of(
    company: Path,
    *,
    seed: int,
    hazards: Mapping[str, float],
    surge: tuple[int, int] = (0, 0),
    times: float = 1.0,
) -> Path:
    """Four hundred customers on monthly terms whose chance to be lost in a month is that of their band, and ``times`` as much in the months of a surge."""
    random, terms, people, history = np.random.default_rng(seed), [], [], []
    bands = list(hazards)
    for number in range(400):
        name, region = f"X{number:03}", ("North", "South")[number % 2]
        begins, lives, held = FIRST + int(random.integers(0, 12)), 0, ""
        while (begins + lives) <= Month.parse("2026-10"):
            now = begins + lives
            if lives % 3 == 0:
                held = bands[int(random.integers(0, len(bands)))]
                history.append(f"{name},band,{now.start},{held}")
            lives += 1
            at = now.months_since(FIRST)
            if random.random() < hazards[held] * (times if surge[0] <= at < surge[1] else 1.0):
                break
        terms += monthly(name, begins, lives)
        people.append(f"{name},b2b,gold,{region},Direct,{begins.start},")
    return written(company, terms, people, history)


def told(found: Leavers) -> list[tuple[str, str]]:
    return [(one.attribute, one.held) for one in found.groups if one.told]


def test_a_planted_group_is_told_once_with_its_ratio(company: Path, inputs_of: Inputs):
    inputs = inputs_of(
        company_of(company, seed=1, hazards={"steady": 0.015, "growing": 0.015, "declining": 0.05})
    )
    found = leavers(inputs)
    assert told(found) == [("band", "declining")]
    one = found.groups[0]
    assert one.ratio.interval is not None and one.ratio.interval.low < 0.05 / 0.015 < one.ratio.interval.high
    assert one.ratio.n == one.rate.numerator and one.rate.denominator
    assert not one.by_nature


@pytest.mark.parametrize("seed", range(3))
def test_without_a_group_or_a_surge_nothing_is_told(company: Path, inputs_of: Inputs, seed: int):
    inputs = inputs_of(
        company_of(company, seed=10 + seed, hazards={"steady": 0.02, "growing": 0.02, "declining": 0.02})
    )
    assert told(leavers(inputs)) == []
    assert [one.held for one in surges(inputs).groups if one.told] == []


def test_a_planted_surge_is_found_in_its_months(company: Path, inputs_of: Inputs):
    first = Month.parse("2026-04")
    months = first.months_since(FIRST), first.months_since(FIRST) + 2
    folder = company_of(company, seed=2, hazards={"steady": 0.02, "other": 0.02}, surge=months, times=4.0)
    (one,) = [group for group in surges(inputs_of(folder)).groups if group.told]
    # whose last term ends with a month is lost on the first day of the next; all customers are named, and no region of them
    assert one.window.first in (first, first + 1) and first + 1 <= one.window.last <= first + 3
    assert (
        one.attribute == "all"
        and one.losses.value
        == one.months_of.loc[
            one.months_of["month"].between(one.window.first.start, one.window.last.start), "losses"
        ].sum()
    )
    assert one.ratio.interval is not None and one.ratio.interval.low > 1.5


def test_usual_follows_from_standing():
    rows = [
        ("2026-01", "running", 90, 1),
        ("2026-01", "due", 10, 5),
        ("2026-02", "running", 60, 1),
        ("2026-02", "due", 40, 15),
    ]
    cells = pd.DataFrame(rows, columns=["month", "standing", "customer_months", "losses"])
    found = usual(cells.assign(month=[dt.date.fromisoformat(f"{one}-01") for one in cells["month"]]))
    # rates 2/150 of those whose term runs, 20/50 of those whose term comes up
    assert found["usual"].tolist() == pytest.approx([90 * 2 / 150 + 10 * 0.4, 60 * 2 / 150 + 40 * 0.4])
    assert found["losses"].tolist() == [6, 16]


def test_too_few_losses_and_no_contracts_say_so(company: Path, inputs_of: Inputs):
    with pytest.raises(MissingData, match="contracts"):
        leavers(inputs_of(company))


def test_a_handful_of_losses_is_no_group(company: Path, inputs_of: Inputs):
    terms = [*monthly("C1", FIRST, 34), *monthly("C2", FIRST, 20)]
    people = ["C1,b2b,gold,North,Direct,2024-01-01,", "C2,b2b,gold,South,Direct,2024-01-01,"]
    inputs = inputs_of(written(company, terms, people))
    with pytest.raises(FitError, match="too few losses of any group"):
        leavers(inputs)
    with pytest.raises(FitError, match="too few losses, or too few months"):
        surges(inputs)
