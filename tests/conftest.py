"""What all tests share: one BLAS thread, a steady environment, and skips that are counted by name in the closing line."""

from __future__ import annotations

import os

# Before numpy is imported anywhere: two test workers with a thread pool each would fight over two processors.
for _name in (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
):
    os.environ[_name] = "1"
os.environ.setdefault("MPLBACKEND", "agg")
# Tests state what they need; an analyst's settings must not change an answer.
for _name in (
    "AFTER_SALES_RUN_DIR",
    "AFTER_SALES_LANGUAGE",
    "AFTER_SALES_ROOT",
    "AFTER_SALES_FROZEN",
    "SOURCE_DATE_EPOCH",
):
    os.environ.pop(_name, None)

import pytest  # noqa: E402 - after the environment is set

from analysis import locale  # noqa: E402


@pytest.fixture(autouse=True)
def own_memory_of_wordings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test remembers its own missing wordings: another test's invented sentences are not its own."""
    monkeypatch.setattr(locale, "_missing", set())


# Files that keep a worker busy for a minute or more. Begun last, one of them would run alone while the other worker waits.
LONGEST = (
    "recomputed/",
    "test_lineage_of_studies.py",
    "test_quality_lineage.py",
    "failures/test_failure_study.py",
    "costs/test_cost_lineage.py",
    ".ipynb",
    "test_hindsight.py",
    "test_bad_exports.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others, and the tests of a file, stay in their order."""

    def place(item: pytest.Item) -> int:
        path = item.nodeid.split("::")[0]
        return next((number for number, part in enumerate(LONGEST) if part in path), len(LONGEST))

    items.sort(key=place)
