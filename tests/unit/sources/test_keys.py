"""Keys by the million: the same answers from memory and from the file they move to."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from analysis.errors import SourceError
from analysis.sources import keys as kept
from analysis.sources.keys import Keys, joined_key


@pytest.mark.parametrize("most", [0, 7, 1000])
def test_a_lookup_answers_the_same_wherever_it_is_kept(tmp_path: Path, most: int):
    order = random.Random(5)
    truth = {f"T-{number}": f"team {number % 3}" for number in range(300)} | {"": "none", "工单 9": "东区"}
    pairs = [*truth.items(), *list(truth.items())[:50]]
    order.shuffle(pairs)
    found = Keys(tmp_path, most=most)
    assert found.load(pairs) is None
    assert {key: found.get(key) for key in truth} == truth
    assert "T-300" not in found and found.get("T-300", "?") == "?" and "" in found
    assert len(list(tmp_path.glob("*.sqlite"))) == (most < 1000)
    found.close()


@pytest.mark.parametrize("most", [0, 3, 1000])
def test_a_key_with_two_values_is_named_with_both(tmp_path: Path, most: int):
    found = Keys(tmp_path, most=most)
    assert found.load([("a", "1"), ("b", "1"), ("c", "1"), ("d", "1"), ("e", "1"), ("b", "2")]) == (
        "b",
        "1",
        "2",
    )
    found.close()


@pytest.mark.parametrize("most", [0, 7, 1000])
def test_counting_goes_on_where_it_was_when_the_keys_move(tmp_path: Path, most: int):
    order = random.Random(8)
    counted, seen = Keys(tmp_path, most=most), Counter()
    for key in (f"{order.randrange(40)}" for _ in range(400)):
        seen[key] += 1
        assert counted.count(key) == seen[key]
    counted.close()


def test_parts_of_a_key_do_not_run_together():
    assert joined_key(("a", "bc")) != joined_key(("ab", "c")) and joined_key(("", "a")) != joined_key(("a",))


def test_a_map_gives_the_same_from_the_file(exports: Path, take, monkeypatch: pytest.MonkeyPatch):
    (exports / "case.csv").write_text(
        "id,who,team,opened\n1,C2,7,2026-10-01\n2,C1,8,2026-10-02\n3,C2,9,2026-10-03\n4,C9,7,2026-10-03\n",
        encoding="utf-8",
    )
    (exports / "team.csv").write_text("key,name\n7,East\n8,West\n", encoding="utf-8")
    (exports / "who.csv").write_text("key\nC1\nC2\n", encoding="utf-8")
    tickets = {
        "table": "tickets",
        "file": "case.csv",
        "columns": {"ticket_id": "id", "customer_id": "who", "opened_at": "opened"},
        "constants": {"ticket_type": "repair"},
        "lookups": {"team": {"file": "team.csv", "by": "team", "key": "key", "take": "name"}},
        "found_in": {"who": {"file": "who.csv", "key": "key"}},
    }
    customers = {
        "table": "customers",
        "file": "case.csv",
        "columns": {"customer_id": "who"},
        "first_of": ["customer_id"],
    }
    monkeypatch.setattr(kept.Keys.__init__, "__kwdefaults__", {"most": 1})
    taken = take(tickets, customers)
    assert taken.rows("tickets", "ticket_id", "customer_id", "team") == [
        ("1", "C2", "East"),
        ("2", "C1", "West"),
        ("3", "C2", None),
    ]
    assert taken.rows("customers", "customer_id") == [("C1",), ("C2",), ("C9",)]
    (exports / "team.csv").write_text("key,name\n7,East\n8,West\n9,Hall\n7,North\n", encoding="utf-8")
    with pytest.raises(
        SourceError,
        match=r"team.csv: key '7' stands twice with different name \('East' and 'North'\).*Keep one",
    ):
        take(tickets)
