"""Without mistreatment: what the others are measured by."""

from __future__ import annotations

from pathlib import Path

import pytest

from mistreat.house import House, bytes_of

MONTHS = [f"2026-{month:02d}" for month in range(3, 11)]


def test_edition_1_keeps_its_bytes_after_edition_2(second: House) -> None:
    """(The house compares them.) Both stand, and the late ticket is in the second alone."""
    second.sound()
    assert [folder.name for folder in second.editions()] == ["edition-1", "edition-2"]
    assert second.facts(1) != second.facts(2)


def test_the_same_again_is_unchanged(second: House) -> None:
    done = second.report()
    second.judge(done, code=0, words="stands")
    assert len(second.editions()) == 2


TABLES = ("customers", "gl_totals", "ledger", "orders", "products", "tickets")


@pytest.mark.parametrize(
    "gone",
    [
        *((name,) for name in TABLES),
        ("ledger", "gl_totals"),
        ("ledger", "gl_totals", "orders"),
        ("ledger", "gl_totals", "tickets"),
        ("orders", "tickets"),
        ("customers", "products", "orders"),
    ],
    ids=" and ".join,
)
def test_a_company_without_some_tables_has_its_pack(gone: tuple[str, ...], house: House) -> None:
    """Sections that nothing can fill are no pages, and nothing that only they need keeps the rest from being issued."""
    run = house.root / "params" / "runs" / "lean.yml"
    run.parent.mkdir(parents=True, exist_ok=True)
    left = [name for name in TABLES if name not in gone]
    run.write_text(
        "company: {en: Lean, zh: 精简}\ndata: company\nmonth: 2026-10\ncurrency: CNY\ntime_zone: Asia/Shanghai\n"
        f"needs: [{', '.join(name for name in left if name in ('ledger', 'tickets', 'orders'))}]\n",
        encoding="utf-8",
    )
    for name in gone:
        house.table(name).unlink()
    done = house.report("--run", "lean", "--draft")
    house.judge(done, code=0, words="draft")
    (draft,) = (house.reports / "_drafts").iterdir()
    assert (draft / "after-sales-report.zh.pdf").stat().st_size > 20_000
    printed = {path.stem for path in (draft / "html" / "en").glob("[0-9]*.html")}
    assert {"00_data_quality", "90_executive_summary"} <= printed
    assert ("10_cost_decomposition" in printed) == ("ledger" in left)


@pytest.fixture
def of_eight_months(tmp_path: Path, tables: dict[str, str]) -> tuple[House, House]:
    """Two houses of one company that has tickets, postings and totals in each of eight months."""
    tickets = [tables["tickets"].splitlines()[0]]
    ledger = [tables["ledger"].splitlines()[0]]
    totals = [tables["gl_totals"].splitlines()[0]]
    for number, month in enumerate(MONTHS, start=1):
        for day in range(1, 4 + number):
            tickets.append(
                f"T{number}-{day},C{1 + day % 2},P{1 + day % 2},{'repair' if day % 3 else 'inquiry'},{month}-{day:02d}T02:00:00,"
                f"{month}-{day + 2:02d}T02:00:00,false,1.5,closed,false,"
            )
        ledger.append(f"L{number}-1,{month}-05,,{250 + number}.50,T{number}-1,CC1,6601.02.01,incurred,")
        ledger.append(f"L{number}-2,{month}-28,labour,1000.00,,CC1,6601.01.01,incurred,")
        totals.append(f"{month}-01,after_sales_cost,all,{1250 + number}.50")
    made = tables | {
        name: "\n".join(rows) + "\n"
        for name, rows in (("tickets", tickets), ("ledger", ledger), ("gl_totals", totals))
    }
    houses = []
    for name in ("one by one", "side by side"):
        root = tmp_path / name
        (root / "company").mkdir(parents=True)
        for table, text in made.items():
            (root / "company" / f"{table}.csv").write_text(text, encoding="utf-8")
        houses.append(House(root=root))
    return houses[0], houses[1]


def test_eight_months_side_by_side_are_those_made_one_by_one(of_eight_months: tuple[House, House]) -> None:
    """Each into a folder of reports of its own (a month quotes the one before where it is issued there); all share the stores under ``data/``."""
    in_turn, at_once = of_eight_months

    def options(month: str) -> tuple[str, ...]:
        return ("report", "--month", month, "--data", "company", "--reports", f"reports of {month}")

    for month in MONTHS:
        done = in_turn.run(*options(month))
        assert done.code == 0, done.said
    running = {month: at_once.start(*options(month)) for month in MONTHS}
    for month, process in running.items():
        said, _ = process.communicate(timeout=900)
        assert process.returncode == 0, (month, said)
    for month in MONTHS:
        place = Path(f"reports of {month}") / month / "edition-1"
        assert bytes_of(at_once.root / place) == bytes_of(in_turn.root / place), month
