"""Companies with nothing planted: opened as the load would open them, studied once, counted rightly."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from analysis import retention
from analysis.errors import ParameterError
from analysis.metrics import Engine
from analysis.nulls import Record, Tally, covered, running, tallied, write_page
from analysis.nulls.asking import STUDIES, Answer
from analysis.nulls.companies import Setting
from analysis.nulls.counting import at_least, at_most
from analysis.nulls.covering import Coverage
from analysis.periods import Month
from analysis.results import Fact, Interval
from analysis.sample import make_sample
from analysis.tables import load_tables

TINY = 0.02
NOTHING = Answer(alarms=(), shown=(), not_tested=())


def test_a_company_in_memory_holds_what_the_load_makes_of_its_files(tmp_path: Path):
    make_sample(tmp_path / "company", seed=5, scale=TINY, null=True, blemishes=False)
    setting = Setting(TINY)
    zone = setting.params.time_zone
    loaded = load_tables(tmp_path / "company", tmp_path / "store", reporting_currency="CNY", time_zone=zone)
    ours = setting.company(5)[0].engine
    registry, tree, _ = setting.definitions
    theirs = Engine(
        loaded,
        registry,
        cost_tree=tree,
        as_of=setting.params.knowledge_day,
        time_zone=zone,
        currency="CNY",
        confidence=0.95,
        cache=None,
    )
    known = [name for name, info in loaded.tables.items() if info.present]
    assert known == [name for name, info in ours.tables.tables.items() if info.present]
    for name in known:
        assert ours.tables[name].months == loaded[name].months
        assert ours.tables[name].columns_present == loaded[name].columns_present
        # as of the run's day, as every study sees them
        one, other = (engine.query(f"SELECT * FROM {name} ORDER BY ALL") for engine in (ours, theirs))
        pd.testing.assert_frame_equal(one, other)


class Counted:
    """Studies that say something of the seeds they are asked about, and how often they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[int, tuple[str, ...]]] = []

        def study(_: object, __: float, seed: int, studies: tuple[str, ...]) -> Record:
            self.asked.append((seed, tuple(studies)))
            found = Answer(alarms=("costs.surge",) if seed == 2 else (), shown=(), not_tested=())
            return Record(seed=seed, answers=dict.fromkeys(studies, found))

        monkeypatch.setattr(running, "study_company", study)
        monkeypatch.setattr(running, "code_version", lambda name, _: f"code of {name}")


def quiet(_: str) -> None:
    """A run whose progress nobody reads."""


def test_a_run_that_was_stopped_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    studies = Counted(monkeypatch)
    first = running.run(2, studies=["costs"], folder=tmp_path, progress=quiet)
    (kept,) = tmp_path.glob("*.jsonl")
    # killed while the third company was written
    kept.write_text(kept.read_text() + '{"seed": 3, "answ', encoding="utf-8")
    again = running.run(3, studies=["costs", "value"], folder=tmp_path, progress=quiet)
    assert studies.asked == [
        (1, ("costs",)),
        (2, ("costs",)),
        (1, ("value",)),
        (2, ("value",)),
        (3, ("costs", "value")),
    ]
    assert [one.answers["costs"] for one in again[:2]] == [one.answers["costs"] for one in first]
    assert running.run(3, studies=["value"], folder=tmp_path, progress=quiet)[2].answers.keys() == {"value"}
    assert len(studies.asked) == 5


def test_what_other_code_found_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    studies = Counted(monkeypatch)
    running.run(1, studies=["costs", "value"], folder=tmp_path, progress=quiet)
    changed = {"costs": "new", "value": "code of value"}
    monkeypatch.setattr(running, "code_version", lambda name, _: changed[name])
    running.run(1, studies=["costs", "value"], folder=tmp_path, progress=quiet)
    assert studies.asked == [(1, ("costs", "value")), (1, ("costs",))]


def test_two_companies_are_made_and_studied(tmp_path: Path):
    said: list[str] = []
    records = running.run(2, studies=["quality", "costs"], scale=TINY, folder=tmp_path, progress=said.append)
    assert [one.seed for one in records] == [1, 2] and "2/2" in said[-1]
    # a small company's costs can be judged all the same
    assert all(set(one.answers) == {"costs", "quality"} for one in records)
    assert all("surges" not in one.answers["costs"].not_tested for one in records)


def test_a_version_follows_the_code_of_its_study():
    names = ("costs", "failures", "retention", "value", "quality")
    versions = {name: running.code_version(name) for name in names}
    assert len(set(versions.values())) == len(names)
    own = sorted((Path(running.__file__).parents[1] / "retention").glob("*.py"))
    estimators = {path.stem for path in running._estimators(Path(running.__file__).parents[1] / "stats", own)}
    assert {"hazards", "survival", "multiplicity"} <= estimators and "causal" not in estimators


def test_no_such_study_and_no_company_are_refused(tmp_path: Path):
    with pytest.raises(ParameterError, match="no study 'cost'.*costs"):
        running.run(1, studies=["cost"], folder=tmp_path)
    with pytest.raises(ParameterError, match="0 seeds and 1 workers"):
        running.run(0, folder=tmp_path)


def records(found: int, of: int) -> list[Record]:
    kinds = [("value.service_effect",)] * found + [()] * (of - found)
    return [
        Record(
            seed=seed, answers={"value": Answer(alarms=alarms, shown=alarms, not_tested=()), "costs": NOTHING}
        )
        for seed, alarms in enumerate(kinds, start=1)
    ]


def test_the_counts_by_hand():
    whole, one = (tally for tally in tallied(records(3, 60), "alarms") if tally.study == "value")
    assert (whole.found, whole.companies, whole.kind, one.kind) == (3, 60, "", "value.service_effect")
    # Wilson: (3/60 + 1.96²/120 ± 1.96·√(0.05·0.95/60 + 1.96²/14400)) ÷ (1 + 1.96²/60)
    assert (whole.low, whole.high) == pytest.approx((0.01714, 0.13701), abs=2e-5)
    # five in a hundred, and three times √(0.05·0.95/60)
    assert whole.limit == pytest.approx(0.05 + 3 * 0.0281366) and whole.holds
    assert at_most(400) == pytest.approx(0.0826917, abs=1e-7)
    assert at_least(100, promised=0.95) == pytest.approx(0.95 - 3 * 0.0217945, abs=1e-6)
    nine = next(tally for tally in tallied(records(9, 60), "alarms") if tally.study == "value")
    assert isinstance(nine, Tally) and not nine.holds


def test_tests_that_are_corrected_apart_are_counted_apart():
    # the last is true of these companies: listed, not counted
    shown = (
        ("retention.chain.late_to_score",),
        ("retention.waited",),
        (),
        ("retention.chain.contacts_to_cost",),
    )
    made = [
        Record(seed=seed, answers={"retention": Answer(alarms=(), shown=kinds, not_tested=())})
        for seed, kinds in enumerate(shown, start=1)
    ]
    found = {(one.study, one.kind): one.found for one in tallied(made, "shown")}
    assert found == {
        ("retention", ""): 1,
        ("retention", "retention.waited"): 1,
        ("retention, chain", ""): 1,
        ("retention, chain", "retention.chain.late_to_score"): 1,
        ("retention, chain", "retention.chain.contacts_to_cost"): 1,
    }


def test_the_intervals_that_hold_their_truth_by_hand(tmp_path: Path):
    judged = [("held",)] * 88 + [("missed",)] * 10 + [("not_stated",)] * 2
    made = [
        Record(
            seed=seed,
            answers={
                "costs": Coverage(
                    **({name: () for name in ("held", "missed", "not_stated")} | {state: ("price",)})
                )
            },
        )
        for seed, (state,) in enumerate(judged, start=1)
    ]
    (one,) = covered(made)
    assert (one.held, one.stated, one.companies) == (88, 98, 100)
    # 88/98 is 89.8 %; 95 % less three times √(0.95·0.05/98) is 88.4 %
    assert one.limit == pytest.approx(0.95 - 3 * 0.0220158, abs=1e-6) and one.holds
    page = tmp_path / "NULLS.md"
    write_page(page, records(0, 60), scale=0.1)
    text = write_page(page, planted=made, scale=0.1)
    assert "| costs | price | 88 | 98 | 100 | 89.8% | 82.2% to 94.4% | 88.4% | holds |" in text
    # each half of the page stays when the other is written anew
    again = write_page(page, records(1, 60), scale=0.1)
    assert "| costs | price | 88 |" in again and "| value | any | 1 | 60 |" in again
    assert again.count("# False findings") == again.count("## Intervals against") == 1


def test_a_truth_is_held_missed_or_not_stated():
    def fact(low: float, high: float) -> Fact:
        return (
            Setting(TINY)
            .company(1)[0]
            .engine.stated(
                "loss_hazard_ratio",
                period=Month(2026, 10),
                value=2.0,
                n=10,
                interval=Interval(low=low, high=high, level=0.95, method="by hand"),
                dimensions={"exposure": "slow", "loss_model": "total"},
            )
        )

    found = Coverage.of({"a": (fact(1.5, 2.5), 2.4), "b": (fact(1.5, 2.5), 2.6), "c": (None, 2.0)})
    assert found == Coverage(held=("a",), missed=("b",), not_stated=("c",))


def test_the_page_says_what_was_counted(tmp_path: Path):
    text = write_page(tmp_path / "NULLS.md", records(9, 60), scale=0.1)
    assert (tmp_path / "NULLS.md").read_text(encoding="utf-8") == text
    assert "| value | any | 9 | 60 | 15.0% | 8.1% to 26.1% | 13.4% | fails |" in text
    assert "|  | `value.service_effect` | 9 | 60 | 15.0% | 8.1% to 26.1% |  |  |" in text
    assert "| costs | any | 0 | 60 | 0.0% | 0.0% to 6.0% | 13.4% | holds |" in text
    assert "make nulls SEEDS=60" in text and "12,000 machines" in text


def test_the_tests_alone_raise_the_alarms_of_the_whole_study():
    # with truths planted, so that there is something to find; budget, churn above its limit, the margin at risk and the like are no tests
    inputs, _ = Setting(0.1, null=False).company(3)
    whole = {one.id for one in retention.study(inputs).findings if one.severity in ("alert", "watch")}
    found = STUDIES["retention"](inputs)
    assert set(found.alarms) == whole - {"retention.gross_churn", "retention.call_list"} and found.alarms
