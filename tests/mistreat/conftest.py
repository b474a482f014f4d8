"""Each mistreatment has a house of its own: a copy of one in which edition 1 was issued and one ticket has come since."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mistreat.house import LATE, House


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Minutes each: ``make mistreat``, never the quick tests."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def tables() -> dict[str, str]:
    """The tables of the small company, as files."""
    from unit.conftest import TABLES

    return TABLES


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory, tables: dict[str, str]) -> Path:
    """A project with edition 1 of the month."""
    root = tmp_path_factory.mktemp("first")
    (root / "company").mkdir()
    for name, text in tables.items():
        (root / "company" / f"{name}.csv").write_text(text, encoding="utf-8")
    house = House(root=root)
    done = house.report()
    assert done.code == 0, done.said
    return root


def moved_in(first: Path, place: Path) -> House:
    """A copy of the first house, with the ticket that came late."""
    root = place / "house"
    shutil.copytree(first, root, symlinks=True)
    with (root / "company" / "tickets.csv").open("a", encoding="utf-8") as tickets:
        tickets.write(LATE)
    return House(root=root)


@pytest.fixture
def house(first: Path, tmp_path: Path) -> House:
    return moved_in(first, tmp_path)


@pytest.fixture(scope="session")
def second(first: Path, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The house with edition 2, made in peace: what every report that is issued must say."""
    house = moved_in(first, tmp_path_factory.mktemp("second"))
    done = house.report()
    house.judge(done, code=0, words="issued: reports/2026-10/edition-2")
    house.latest_is(2)
    return house
