"""What was derived is damaged, taken away or exchanged between two runs: it is made again, and edition 2 is what it is in peace."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.metrics.kept import HASH_BYTES, SUFFIX
from mistreat.house import House

Damage = Callable[[House], None]


def _parquet(house: House, part: str) -> list[Path]:
    found = sorted((house.root / "data").rglob("*.parquet"))
    chosen = [path for path in found if part in path.relative_to(house.root).as_posix()]
    assert chosen, f"nothing of {part} is kept: {[path.as_posix() for path in found][:5]}"
    return chosen


def _half(path: Path) -> None:
    frame = pd.read_parquet(path)
    frame.head(len(frame) // 2).to_parquet(path, index=False)


def _other_numbers(path: Path) -> None:
    frame = pd.read_parquet(path)
    for column in frame.select_dtypes("number").columns:
        frame[column] = frame[column] * 3 + 1
    frame.to_parquet(path, index=False)


def rows_dropped(house: House) -> None:
    for path in _parquet(house, "data/tables"):
        _half(path)


def numbers_in_the_cache(house: House) -> None:
    """Other numbers behind the hash of the right ones."""
    found = sorted((house.root / "data" / "cache").glob(f"*{SUFFIX}"))
    assert found, "nothing is kept"
    for path in found:
        written = path.read_bytes()
        frame = pd.read_parquet(io.BytesIO(written[HASH_BYTES:]))
        for column in frame.select_dtypes("number").columns:
            frame[column] = frame[column] * 3 + 1
        other = io.BytesIO()
        frame.to_parquet(other)
        path.write_bytes(written[:HASH_BYTES] + other.getvalue())


def numbers_in_the_tables(house: House) -> None:
    for path in _parquet(house, "data/tables"):
        _other_numbers(path)


def tables_exchanged(house: House) -> None:
    """Two files of one table change names."""
    found = _parquet(house, "tickets")
    if len(found) < 2:
        found = _parquet(house, "data/tables")
    one, other = found[0], found[-1]
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def cut(house: House) -> None:
    for path in _parquet(house, "data/"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(house: House) -> None:
    for path in _parquet(house, "data/"):
        path.write_bytes(b"")


def noise(house: House) -> None:
    for path in _parquet(house, "data/"):
        path.write_bytes(os.urandom(3000))


def some_taken_away(house: House) -> None:
    for path in _parquet(house, "data/")[::2]:
        path.unlink()


def all_data_taken_away(house: House) -> None:
    shutil.rmtree(house.root / "data")


def cache_taken_away(house: House) -> None:
    shutil.rmtree(house.root / "data" / "cache")


def cache_is_a_file(house: House) -> None:
    cache_taken_away(house)
    (house.root / "data" / "cache").write_text("not a folder")


def _lists(house: House) -> list[Path]:
    found = sorted((house.root / "data").rglob("*.json"))
    assert found
    return found


def lists_cut(house: House) -> None:
    for path in _lists(house):
        path.write_text(path.read_text("utf-8")[: path.stat().st_size // 2], "utf-8")


def lists_emptied(house: House) -> None:
    for path in _lists(house):
        path.write_text("")


def lists_of_another_kind(house: House) -> None:
    for path in _lists(house):
        path.write_text("[1, 2, 3]")


def lists_of_nothing(house: House) -> None:
    for path in _lists(house):
        path.write_text("{}")


def lists_are_binary(house: House) -> None:
    for path in _lists(house):
        path.write_bytes(b"\xff\xfe\x00\x80" * 40)


def lists_gone(house: House) -> None:
    for path in _lists(house):
        path.unlink()


def count_in_the_list(house: House) -> None:
    """Rows in the list of tables, changed by hand."""
    changed = 0
    for path in _lists(house):
        text = path.read_text("utf-8")
        new = text.replace('"rows": 6', '"rows": 5').replace('"rows_read": 6', '"rows_read": 5')
        changed += new != text
        path.write_text(new, "utf-8")
    assert changed


def files_are_folders(house: House) -> None:
    for path in _parquet(house, "data/"):
        path.unlink()
        path.mkdir()


def files_are_links_to_nowhere(house: House) -> None:
    for path in _parquet(house, "data/"):
        path.unlink()
        path.symlink_to(house.root / "nowhere.parquet")


def foreign_files_beside(house: House) -> None:
    for folder in {path.parent for path in _parquet(house, "data/")}:
        (folder / "zz.parquet").write_bytes(_parquet(house, "data/")[0].read_bytes())
        (folder / "zz.txt").write_text("left here by somebody")


def stores_of_another_company(house: House) -> None:
    """The store was made from rows that are no longer there."""
    house.rewrite("customers", "Bo Ltd,b2b,key,South", "Bo Ltd,b2b,key,North")
    assert house.run("check", "--data", "company", "--month", "2026-10").code == 0
    house.rewrite("customers", "Bo Ltd,b2b,key,North", "Bo Ltd,b2b,key,South")


DAMAGES: list[Damage] = [
    rows_dropped, numbers_in_the_cache, numbers_in_the_tables, tables_exchanged, cut, emptied, noise, some_taken_away, all_data_taken_away,
    cache_taken_away, cache_is_a_file, lists_cut, lists_emptied, lists_of_another_kind, lists_of_nothing, lists_are_binary, lists_gone,
    count_in_the_list, files_are_folders, files_are_links_to_nowhere, foreign_files_beside, stores_of_another_company,
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_is_derived_is_made_again(damage: Damage, house: House, second: House) -> None:
    damage(house)
    house.judge(house.report(), code=0, words="issued: reports/2026-10/edition-2")
    assert house.facts(2) == second.facts(2)
    house.latest_is(2)


@pytest.mark.parametrize(
    "damage",
    [rows_dropped, numbers_in_the_cache, cut, lists_cut, lists_of_nothing],
    ids=lambda damage: damage.__name__,
)
def test_damaged_after_the_tables_are_proved(damage: Damage, house: House, second: House) -> None:
    """While the notebooks run: refused, or the true numbers; never others."""
    outcome = house.report_and(lambda: damage(house), when="prepare data", after=3.0)
    house.judge(outcome, code=(0, 4, 6, 7, 9, 10))
    if outcome.code == 0:
        assert house.facts(2) == second.facts(2)
    house.judge(house.report(), code=0)
    assert house.facts(2) == second.facts(2)
