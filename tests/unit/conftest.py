"""A company one can check on paper: two months, six tickets, nine postings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest

from analysis.metrics import Engine, Registry, StudyInputs
from analysis.params import Assumptions, CostTree, load_run, project_root
from analysis.tables import load_tables


@cache
def definitions(project: Path) -> tuple[Registry, CostTree, Assumptions]:
    """What a project's params define, read once: reading takes longer than most tests."""
    return Registry.load(), CostTree.load(), Assumptions.load()


TABLES = {
    "customers": """customer_id,customer_name,customer_type,segment,region
C1,Anna,b2c,standard,North
C2,Bo Ltd,b2b,key,South
""",
    "products": """product_id,product_line,model
P1,Washers,W1
P2,Dryers,D1
""",
    "tickets": """ticket_id,customer_id,product_id,ticket_type,opened_at,resolved_at,automated,handling_hours,status,rework,recorded_at
T1,C1,P1,repair,2026-09-01T02:00:00,2026-09-03T02:00:00,false,2.0,closed,false,
T2,C1,P1,complaint,2026-09-30T15:59:59.999,,false,1.0,open,false,
T3,C2,P2,repair,2026-09-30T16:00:00,2026-10-02T02:00:00,true,0.5,closed,true,
T4,C2,P2,inquiry,2026-10-05T02:00:00,2026-10-05T03:00:00,true,0.1,closed,false,
T5,C1,P1,repair,2026-10-06T02:00:00,2026-12-01T00:00:00,false,3.0,closed,false,
T6,C1,P1,repair,2026-10-07T02:00:00,,false,1.0,cancelled,false,
""",
    "ledger": """posting_id,posted_on,category,amount,ticket_id,cost_center,account,posting_basis,recorded_at
L1,2026-09-05,,100.00,T1,CC1,6601.02.01,incurred,
L2,2026-09-30,labour,1000.00,,CC1,6601.01.01,incurred,
L3,2026-10-05,,250.50,T3,CC1,6601.02.01,incurred,
L4,2026-10-31,labour,1200.00,,CC1,6601.01.01,incurred,
L5,2026-10-31,,80.10,,CC1,9999.99,incurred,
L6,2026-10-31,,-30.50,T3,CC1,6601.02.09,recovery,
L7,2026-10-31,,500.00,,CC1,2241.05.01,accrual,
L8,2026-10-20,compensation,99.90,T5,CC1,,incurred,
L9,2026-10-31,labour,7.00,,CC1,6601.01.01,incurred,2026-11-20T00:00:00
""",
    "orders": """order_id,customer_id,product_id,ordered_at,revenue
O1,C1,P1,2026-10-31T15:59:00,10000.00
O2,C2,P2,2026-10-31T16:00:00,99.00
""",
    "gl_totals": """month,measure,account,amount
2026-10-01,after_sales_cost,all,1600.00
""",
}


@pytest.fixture(scope="session")
def company_in() -> Callable[[Path], Path]:
    """Writes the CSV files into a folder of a place; a company that many tests read is written once per session."""

    def write(place: Path) -> Path:
        folder = place / "company"
        folder.mkdir()
        for name, text in TABLES.items():
            (folder / f"{name}.csv").write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def company(tmp_path: Path, company_in: Callable[[Path], Path]) -> Path:
    """The folder of CSV files."""
    return company_in(tmp_path)


@pytest.fixture(scope="session")
def engine_in() -> Callable[..., Engine]:
    """An engine on the tables of a folder; ``work`` holds what it keeps."""

    def build(
        folder: Path,
        *,
        work: Path,
        as_of: str = "2026-11-10",
        cached: bool = True,
        time_zone: str = "Asia/Shanghai",
    ) -> Engine:
        tables = load_tables(folder, work / "store", reporting_currency="CNY", time_zone=time_zone)
        registry, cost_tree, _ = definitions(project_root())
        return Engine(
            tables,
            registry,
            cost_tree=cost_tree,
            as_of=dt.date.fromisoformat(as_of),
            time_zone=time_zone,
            currency="CNY",
            confidence=0.95,
            cache=work / "cache" if cached else None,
        )

    return build


@pytest.fixture(scope="session")
def inputs_in(engine_in: Callable[..., Engine]) -> Callable[..., StudyInputs]:
    """Study inputs for October 2026 of a folder; a company that many tests read is loaded once into a ``work`` folder of the session."""

    def build(folder: Path, *, work: Path, month: str = "2026-10", **changes: object) -> StudyInputs:
        params = replace(load_run("sample", month=month), **changes)  # type: ignore[arg-type]
        engine = engine_in(
            folder, work=work, as_of=params.knowledge_day.isoformat(), time_zone=params.time_zone
        )
        return StudyInputs(
            engine=engine,
            month=params.month,
            params=params,
            assumptions=definitions(project_root())[2],
            cost_tree=engine.cost_tree,
        )

    return build


@pytest.fixture
def engine_of(tmp_path: Path, engine_in: Callable[..., Engine]) -> Callable[..., Engine]:
    """The same, kept in the folder of one test."""
    return partial(engine_in, work=tmp_path)


@pytest.fixture
def inputs_of(tmp_path: Path, inputs_in: Callable[..., StudyInputs]) -> Callable[..., StudyInputs]:
    """The same, kept in the folder of one test."""
    return partial(inputs_in, work=tmp_path)
