"""Every exhibit of the section on a whole company: in both languages, with what finance may state and without it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from analysis import costs
from analysis.costs.hindsight import Hindsight, hindsight_of
from analysis.costs.outlook import Outlook
from analysis.costs.provision_facts import Provision, provision_of
from analysis.costs.sourcing_facts import Sourcing, sourcing_of
from analysis.costs.yields import flexed_budget
from analysis.errors import ParameterError
from analysis.exhibits import costs as exhibits
from analysis.exhibits.record import Block
from analysis.locale import Text
from analysis.metrics import StudyInputs
from analysis.metrics.inputs import EarlierEdition
from analysis.params import Assumptions
from analysis.params.interventions import Intervention
from analysis.periods import Month
from analysis.results import Fact
from analysis.sample import make_sample
from analysis.workbook.month_run import claims_ahead

PLAIN = (
    exhibits.cost_tiles,
    exhibits.tie_out_table,
    exhibits.slices_table,
    exhibits.ratio_table,
    exhibits.category_history_figure,
    exhibits.expense_table,
    exhibits.budget_figure,
    exhibits.drill_table,
    exhibits.profitability_table,
    exhibits.sensitivity_table,
    exhibits.unallocated_table,
    exhibits.capacity_table,
    exhibits.activity_table,
    exhibits.forecast_figure,
    exhibits.forecast_table,
    exhibits.hindsight_table,
    exhibits.forecast_facts,
    exhibits.backtest_table,
    exhibits.unusual_table,
    exhibits.measures_table,
    exhibits.measures_worth_table,
    exhibits.measures_plausible_table,
    exhibits.measures_doubt,
    exhibits.sourcing_table,
    exhibits.swing_table,
    exhibits.staffing_table,
    exhibits.provision_table,
    exhibits.coverage_table,
)
STATED = """
outsourcing_minimum_tickets: {{meaning: {{en: Minimum., zh: 最低量。}}, unit: tickets, owner: Finance, values: {{2026-01-01: {{value: {minimum}, source: contract}}}}}}
budget_tickets: {{meaning: {{en: Planned., zh: 预算。}}, unit: tickets, owner: Finance, values: {{2026-10-01: {{value: 200, source: plan}}}}}}
"""


def blocks(study: costs.CostStudy) -> Iterator[Block]:
    yield exhibits.composition_table(study, "category")
    yield from (exhibits.bridge_figure(study, against) for against in ("previous_month", "year_before"))
    for exhibit in PLAIN:
        made = exhibit(study)
        yield from made if isinstance(made, list) else [made] if made is not None else []


def texts(study: costs.CostStudy) -> dict[str, str]:
    """The record of every exhibit by id; none holds words without a translation."""
    made = {block.id: block.payload for block in blocks(study)}
    assert {id: payload["untranslated"] for id, payload in made.items() if payload["untranslated"]} == {}
    return {id: json.dumps(payload, ensure_ascii=False) for id, payload in made.items()}


def with_assumptions(inputs: StudyInputs, path: Path, minimum: int) -> StudyInputs:
    path.write_text(STATED.format(minimum=minimum), encoding="utf-8")
    return replace(
        inputs, assumptions=Assumptions(inputs.assumptions.entries | Assumptions.load(path).entries)
    )


@pytest.mark.slow
def test_every_exhibit_says_what_is_stated_and_what_is_not(
    tmp_path: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    make_sample(tmp_path / "sample", seed=30_003, scale=0.1, blemishes=False)
    inputs = inputs_of(tmp_path / "sample")
    study = costs.study(inputs)
    assert isinstance(study.outlook, Outlook)
    said = texts(study)
    assert "planned tickets are not stated" in said["costs.budget"]
    assert "is not stated" in said["costs.sourcing"] and "so none is assumed" in said["costs.sourcing"]
    assert "No edition of an earlier month was issued" in said["costs.hindsight"]
    assert "what this method would have said a month ago" in said["costs.outlook"]
    assert (
        "From claims experience" in said["costs.coverage"]
        and "no forecast of failures was given" in said["costs.coverage"]
    )

    rich = with_assumptions(inputs, tmp_path / "stated.yml", 30)
    interval = {"low": 1.0, "high": 1e9, "level": 0.95, "method": "model"}
    fact = {
        "id": "forecast_cost#2026-10:2",
        "metric": "forecast_cost",
        "version": inputs.engine.registry["forecast_cost"].version,
        "period": "2026-10",
        "dimensions": {},
        "value": 5e5,
        "unit": "CNY",
        "interval": interval,
        "n": 36,
    }
    edition = EarlierEdition(
        month=Month(2026, 9), number=1, folder=tmp_path, facts_sha256="0" * 64, read=lambda: [fact]
    )
    rich = replace(rich, earlier=edition, claims_ahead=claims_ahead)
    sourcing, hindsight, provision = sourcing_of(rich), hindsight_of(rich), provision_of(rich)
    assert (
        isinstance(sourcing, Sourcing)
        and isinstance(hindsight, Hindsight)
        and isinstance(provision, Provision)
    )
    outlook = replace(study.outlook, hindsight=hindsight, again=None)
    told = texts(
        replace(
            study,
            flexed=flexed_budget(rich, study.budget),
            sourcing=sourcing,
            outlook=outlook,
            provision=provision,
        )
    )
    assert "planned change on categories that move with tickets" in told["costs.budget"]
    assert "The contract bills at least" in told["costs.sourcing"]
    assert (
        "held the actual inside their interval" in told["costs.hindsight"]
        and "a month ago" not in told["costs.outlook"]
    )
    assert "The failure section states the direct cost of the same" in told["costs.coverage"]

    with pytest.raises(ParameterError, match="should be at least 0"):
        sourcing_of(with_assumptions(inputs, tmp_path / "wrong.yml", -1))


def test_a_company_of_two_months_is_shown_without_what_it_lacks(
    company: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    said = texts(costs.study(inputs_of(company)))
    assert "1,600.00" in said["costs.tie_out"]


def measure_of(horizon: int, *, reached: bool, **where: str) -> Any:
    """What the subtitles read of a judged measure."""
    rate = Fact(metric="value_discount_rate", period="2026-10", unit="share", value=0.078)
    return SimpleNamespace(
        result=SimpleNamespace(horizon_months=horizon),
        reached=SimpleNamespace() if reached else None,
        facts={"discount": rate},
        entry=Intervention(
            kind="measure", name=Text.same("A"), owner="B", starts=dt.date(2026, 1, 1), where=where
        ),
    )


def test_the_worth_of_measures_says_of_which_slice_over_how_long_and_at_what_rate() -> None:
    one = measure_of(24, reached=True, region="East")
    two = measure_of(30, reached=False, category="logistics", region="North")
    said = exhibits._worth(SimpleNamespace(measures=[one, two])).plain()  # type: ignore[arg-type]
    assert "over 24–30 months from the start, discounted at 7.8% per year" in said
    assert "of the whole slice as registered; a finding may speak of the part" in said
    alone = exhibits._worth(SimpleNamespace(measures=[two]))  # type: ignore[arg-type]
    assert "over 30 months" in alone.plain() and "a finding may speak" not in alone.plain()
    assert "30 个月、年折现率 7.8%" in alone.plain("zh")


def test_the_cost_of_a_ticket_without_a_measure_says_of_what_it_is_the_cost() -> None:
    one = measure_of(24, reached=False, region="East")
    two = measure_of(24, reached=False, category="logistics", region="North")

    def bases(*measures: Any) -> Text:
        return exhibits._bases(SimpleNamespace(measures=list(measures)))  # type: ignore[arg-type]

    assert bases(one) == Text(en="hours at the wage per ticket", zh="每张工单按工资折算的工时")
    # what a category costs is judged on repairs unless other tickets are registered
    assert bases(two).en == "logistics posted per ticket (repair)"
    assert bases(one, two, two).en == "hours at the wage per ticket, logistics posted per ticket (repair)"
    returns = measure_of(24, reached=False, category="logistics", ticket_type="return")
    complaints = measure_of(24, reached=False, ticket_type="complaint")
    assert bases(returns).en == "logistics posted per ticket (return)"
    assert bases(complaints).en == "hours at the wage per ticket (complaint)"


def test_a_part_names_what_is_lacking_and_not_a_column_that_is_given(
    company: Path, inputs_of: Callable[..., StudyInputs], tmp_path: Path
) -> None:
    """Orders with their types, all of them of products; then without types."""
    head, *rows = (company / "orders.csv").read_text().splitlines()
    for folder, types, why in (
        ("typed", ",product", "no order of the period is for a service (orders.order_type)"),
        ("untyped", "", "orders.order_type"),
    ):
        text = [f"{head},order_type" if types else head, *(f"{row}{types}" for row in rows)]
        (company / "orders.csv").write_text("\n".join(text) + "\n")
        block = exhibits.profitability_table(costs.study(inputs_of(company, work=tmp_path / folder)))
        assert block is not None and block.payload["instead_of"]["why"]["en"] == why
        assert not block.payload["untranslated"]


def test_a_side_by_side_table_leaves_out_what_its_halves_lack(
    company: Path, inputs_of: Callable[..., StudyInputs]
) -> None:
    """No staff, no units and no word of automation: their rows go, on either side, and are named; so does a dimension that nothing states."""
    study = costs.study(inputs_of(company))
    ratios, slices = exhibits.ratio_table(study), exhibits.slices_table(study)
    shown = {cell["text"]["en"] for row in ratios.payload["rows"] for cell in row["cells"]}
    gone = {absent["part"]["en"] for absent in ratios.payload["without"]}
    assert {"Cost per agent hour", "Cost per unit in the field"} <= gone and not gone & shown
    assert {"by team", "by sales channel"} <= {absent["part"]["en"] for absent in slices.payload["without"]}
    printed = [cell["text"]["en"] for row in slices.payload["rows"] for cell in row["cells"]]
    assert "Sales channel" not in printed and "Product line" in printed
