"""Where new customers come from: who is new by hand, a mix that moves told once, one that stays never, and companies of which nothing can be said."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from analysis import retention
from analysis.errors import FitError, MissingData
from analysis.metrics import NotDone, StudyInputs
from analysis.periods import Month
from analysis.retention.newcomers import MANY_VALUES, NOT_KNOWN, NewcomerMix, newcomer_mix, newcomers

Inputs = Callable[..., StudyInputs]
HEAD = "contract_id,term_no,customer_id,kind,starts_on,ends_on,cancelled_on,amount\n"
LAST = Month.parse("2026-10")
FIRST = LAST - 35  # of three whole years


def written(
    company: Path,
    terms: Iterable[str],
    people: Iterable[str],
    history: Iterable[str] = (),
    orders: Iterable[str] = (),
) -> Path:
    known = [*people, *(f"{one},b2b,gold,North,Direct,2022-01-01," for one in ("C1", "C2"))]
    lines = list({line.split(",")[0]: line for line in reversed(known)}.values())
    head = "customer_id,customer_type,segment,region,channel,acquired_on,churned_on\n"
    (company / "customers.csv").write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    if terms:
        (company / "contracts.csv").write_text(HEAD + "\n".join(terms) + "\n", encoding="utf-8")
    if history:
        text = "customer_id,attribute,valid_from,value\n" + "\n".join(history) + "\n"
        (company / "customer_history.csv").write_text(text, encoding="utf-8")
    if orders:
        head = (company / "orders.csv").read_text(encoding="utf-8").splitlines()[0]
        (company / "orders.csv").write_text(head + "\n" + "\n".join(orders) + "\n", encoding="utf-8")
    return company


def yearly(customer: str, begins: Month, *, term_no: int = 1) -> str:
    """One term of twelve months from the tenth of a month."""
    return f"K{customer},{term_no},{customer},maintenance,{begins}-10,{(begins + 12)}-09,,120.00"


#: Contracts since 2021, the first of them lost in 2022: records that reach far enough back.
OLD = (yearly("C1", Month.parse("2021-01")), yearly("C2", Month.parse("2021-02")))


def test_who_is_new_and_what_they_held_by_hand(company: Path, inputs_of: Inputs):
    terms = [
        *OLD,
        yearly("A1", FIRST),
        # a second contract does not make a customer new again
        yearly("A1b", LAST).replace(",A1b,", ",A1,"),
        yearly("A2", LAST),
        # an extended warranty is no contract that can be renewed; and the second term of a contract whose first is not on record is nobody's first
        yearly("A3", LAST).replace("maintenance", "extended_warranty"),
        yearly("A4", LAST, term_no=2),
        yearly("A5", FIRST - 1),
    ]
    people = [f"{one},b2b,gold,North,Direct,2022-01-01," for one in ("A1", "A3", "A4", "A5")]
    people.append("A2,b2b,standard,South,Direct,2026-10-01,")
    history = [
        "A1,plan,2023-11-10,Small",
        "A1,plan,2025-01-01,Large",
        "A2,plan,2026-10-11,Large",
        # of today gold, since last year; when it came it was standard
        "A1,segment,2023-01-01,standard",
        "A1,segment,2025-01-01,gold",
    ]
    inputs = inputs_of(written(company, terms, people, history))
    found = newcomers(inputs)
    assert [str(year.first) for year in found.years] == [
        "2023-11",
        "2024-11",
        "2025-11",
    ] and found.by_contract
    rows = inputs.engine.query(f"SELECT * FROM {found.table} ORDER BY customer_id").set_index("customer_id")
    assert rows.index.tolist() == ["A1", "A2"]
    assert rows["segment"].tolist() == ["standard", "standard"]
    assert rows["region"].tolist() == ["North", "South"]
    assert rows["contract_term"].tolist() == ["up_to_a_year", "up_to_a_year"]
    # on the day before its plan was on record nobody knew that of A2
    assert rows[found.attributes["plan"]].fillna("unknown").tolist() == ["Small", "unknown"]


def company_of(company: Path, *, seed: int, shares: tuple[float, float, float], each: int = 120) -> Path:
    """``each`` customers a year, of whom a share comes from South; a plan goes with it by half, and a channel does not."""
    random, terms, people, history = np.random.default_rng(seed), [*OLD], [], []
    for number in range(3 * each):
        year = number // each
        begins, name = FIRST + 12 * year + int(random.integers(0, 12)), f"X{number:04}"
        south = random.random() < shares[year]
        plan = "Large" if random.random() < (0.7 if south else 0.3) else "Small"
        channel = ("Direct", "Partner", "Shop")[int(random.integers(0, 3))]
        terms.append(yearly(name, begins))
        people.append(f"{name},b2b,gold,{'South' if south else 'North'},{channel},{begins.start},")
        history.append(f"{name},plan,{begins.start},{plan}")
    return written(company, terms, people, history)


def told(found: NewcomerMix) -> list[tuple[str, str]]:
    return [(one.attribute, one.held) for one in found.groups if one.told]


def test_a_mix_that_moves_is_told_once_with_its_shares(company: Path, inputs_of: Inputs):
    inputs = inputs_of(company_of(company, seed=1, shares=(0.2, 0.4, 0.6)))
    found = newcomer_mix(inputs)
    # the plan moves with the region, and within a region it does not
    assert told(found) == [("region", "South")]
    one = found.groups[0]
    assert (one.first.denominator, one.last.denominator, one.change.n) == (120, 120, 240)
    assert one.change.value == pytest.approx(float(one.last.value or 0) - float(one.first.value or 0))
    assert one.change.interval is not None and one.change.interval.low < 0.4 < one.change.interval.high
    (finding,) = [one for one in retention.study(inputs).findings if one.id == "retention.newcomers"]
    assert finding.severity == "info" and finding.subject == {"attribute": "region", "held": "South"}
    assert "Plan prices" in finding.statement.template and finding.evidence is not None
    assert finding.evidence["customers"].sum() == 360


def test_what_came_from_nothing_and_what_no_longer_comes(company: Path, inputs_of: Inputs):
    inputs = inputs_of(company_of(company, seed=2, shares=(0.0, 0.3, 0.6)))
    assert newcomer_mix(inputs).groups[0].is_new
    (finding,) = [one for one in retention.study(inputs).findings if one.id == "retention.newcomers"]
    assert "nobody" in finding.statement.template


@pytest.mark.parametrize("seed", range(4))
def test_a_mix_that_stays_is_not_told(company: Path, inputs_of: Inputs, seed: int):
    assert told(newcomer_mix(inputs_of(company_of(company, seed=20 + seed, shares=(0.3, 0.3, 0.3))))) == []


def test_a_move_that_is_sure_and_small_is_not_told(company: Path, inputs_of: Inputs):
    """Two points of six thousand customers: beyond chance, and below what anybody would act on."""
    found = newcomer_mix(inputs_of(company_of(company, seed=3, shares=(0.01, 0.025, 0.04), each=2_000)))
    one = next(one for one in found.groups if (one.attribute, one.held) == ("region", "South"))
    assert one.p_adjusted < 0.05 and not one.told


def test_names_and_unknown_values_are_no_groups(company: Path, inputs_of: Inputs):
    folder = company_of(company, seed=4, shares=(0.3, 0.3, 0.3))
    text = (folder / "customers.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in text[1:]]
    for number, row in enumerate(rows):
        row[4], row[2] = f"Agent {number % 40}", "" if number % 2 else row[2]
    (folder / "customers.csv").write_text("\n".join([text[0], *(",".join(row) for row in rows)]) + "\n")
    found = newcomer_mix(inputs_of(folder))
    assert found.left_out == {"channel": MANY_VALUES, "segment": NOT_KNOWN}


def test_too_short_too_few_and_none(company: Path, inputs_of: Inputs):
    (company / "orders.csv").unlink()
    with pytest.raises(MissingData, match="contracts"):
        newcomers(inputs_of(company))


def test_a_record_of_two_years_holds_one_whole_year_of_newcomers(company: Path, inputs_of: Inputs):
    terms = [yearly("C1", LAST - 23), yearly("C2", LAST - 1)]
    with pytest.raises(FitError, match="less than two whole years"):
        newcomer_mix(inputs_of(written(company, terms, [])))


def test_a_handful_of_newcomers_says_so(company: Path, inputs_of: Inputs):
    inputs = inputs_of(written(company, [*OLD, yearly("A1", LAST)], []))
    with pytest.raises(FitError, match="too few new customers"):
        newcomer_mix(inputs)


def bought(customer: str, month: Month, product: str = "P1", revenue: str = "10.00") -> str:
    return f"O{customer}{month}{revenue},{customer},{product},{month}-10T02:00:00,{revenue}"


def test_without_contracts_customers_come_by_their_first_purchase(company: Path, inputs_of: Inputs):
    orders = [
        # orders are on record from here on: who bought in the first twelve months was there before, for all that is known
        bought("C1", FIRST - 12),
        bought("C2", FIRST - 1),
        bought("C2", LAST),
        bought("B1", FIRST, "P2"),
        bought("B1", LAST, "P1"),
        # what is free is no purchase
        bought("B2", FIRST, revenue="0.00"),
        bought("B2", LAST),
        # known for years, with a gap longer than the record
        bought("B3", LAST),
    ]
    people = [
        f"{one},b2c,gold,North,Direct,{day},"
        for one, day in (("B1", "2023-11-10"), ("B2", ""), ("B3", "2015-03-01"))
    ]
    inputs = inputs_of(written(company, [], people, orders=orders))
    found = newcomers(inputs)
    rows = inputs.engine.query(f"SELECT * FROM {found.table} ORDER BY customer_id")
    assert not found.by_contract and rows["customer_id"].tolist() == ["B1", "B2"]
    assert rows["product_line"].tolist() == ["Dryers", "Washers"]
    assert [str(one)[:7] for one in rows["month"]] == [str(FIRST), str(LAST)]


def test_first_purchases_that_move_to_another_product_are_told(company: Path, inputs_of: Inputs):
    random, orders = np.random.default_rng(5), [bought("C1", FIRST - 12), bought("C2", FIRST - 12)]
    for number in range(360):
        share = (0.2, 0.4, 0.6)[number // 120]
        begins = FIRST + 12 * (number // 120) + int(random.integers(0, 12))
        orders.append(bought(f"B{number:03}", begins, "P2" if random.random() < share else "P1"))
    people = [f"B{number:03},b2c,gold,,Direct,," for number in range(360)]
    inputs = inputs_of(written(company, [], people, orders=orders))
    found = newcomer_mix(inputs)
    assert told(found) == [("product_line", "Dryers")] and found.left_out["region"] == NOT_KNOWN
    (finding,) = [one for one in retention.study(inputs).findings if one.id == "retention.newcomers"]
    assert finding.method is not None and "first purchase" in finding.method


def test_a_company_without_contracts_has_first_purchases(contractless: retention.RetentionStudy):
    part = contractless.newcomers
    assert isinstance(part, NotDone) and "less than two whole years" in part.reason.en
