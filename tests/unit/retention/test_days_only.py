"""A service desk whose export holds dates only: nothing is told in hours, and what counts in days stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from analysis import retention
from analysis.errors import DaysOnly, MissingData
from analysis.exhibits import retention_risk as risk
from analysis.exhibits import retention_service as service
from analysis.metrics import NotDone, StudyInputs
from analysis.params import load_treatments
from analysis.quality.study import study as quality_study
from analysis.retention import RetentionStudy
from analysis.retention.spells import late_answers_known
from analysis.value import effect_cases

Inputs = Callable[..., StudyInputs]
HEAD = "ticket_id,customer_id,product_id,ticket_type,opened_at,first_response_at,response_due_at,resolved_at"
EN, ZH = "the stamps of {} carry days only", "{} 的时间戳只有日期"


def desk(company: Path, opened: str, answered: str) -> None:
    """Thirty complaints, each answered the day after it was opened; twice for one customer and product on one day."""
    rows = [
        f"D{day:02d},C1,P1,complaint,2026-09-{day:02d}{opened},2026-10-{day:02d}{answered},2026-10-{day:02d}T09:00:00+08:00,2026-10-{day:02d}"
        for day in range(1, 31)
    ]
    rows.append(rows[4].replace("D05", "D31"))
    (company / "tickets.csv").write_text("\n".join([HEAD, *rows]) + "\n", encoding="utf-8")


def test_the_load_knows_which_moments_carry_days_only(company: Path, inputs_of: Inputs):
    desk(company, "T10:15:00+08:00", "")
    inputs = inputs_of(company)
    assert {"tickets.first_response_at", "tickets.resolved_at"} <= inputs.engine.tables.days_only
    assert "tickets.opened_at" not in inputs.engine.tables.days_only
    with pytest.raises(DaysOnly, match="the stamps of tickets.first_response_at carry days only"):
        inputs.engine.require_clock("tickets.opened_at", "tickets.first_response_at")
    inputs.engine.require("tickets.first_response_at")  # its days may be read
    with pytest.raises(MissingData, match="needs tickets.reopened_at"):
        inputs.engine.require_clock("tickets.opened_at", "tickets.reopened_at")


@pytest.mark.parametrize(
    ("opened", "answered", "columns"),
    [
        ("T10:15:00+08:00", "", "tickets.first_response_at"),
        ("", "T10:15:00+08:00", "tickets.opened_at"),
        ("", "", "tickets.opened_at, tickets.first_response_at"),
        ("T10:15:00+08:00", "T12:15:00+08:00", None),
    ],
)
def test_whether_an_answer_was_late_is_told_from_clocks_only(
    company: Path, inputs_of: Inputs, opened: str, answered: str, columns: str | None
):
    desk(company, opened, answered)
    inputs = inputs_of(company)
    known = late_answers_known(inputs)
    if columns is None:
        assert known is None
        return
    assert known is not None
    assert (known.reason.en, known.reason.zh) == (EN.format(columns), ZH.format(columns))
    chain = retention.study(inputs).chain
    assert not isinstance(chain, NotDone)
    assert chain.not_tested["response_to_backlog"].reason.en == EN.format(columns)


def test_treatments_in_hours_are_refused_and_those_in_days_are_not(company: Path, inputs_of: Inputs):
    desk(company, "T10:15:00+08:00", "")
    inputs = inputs_of(company)
    for treatment in load_treatments():
        if treatment.rule in effect_cases.RULE_CLOCKS:
            with pytest.raises(DaysOnly):
                effect_cases.cohort_table(inputs, treatment, ("product",), (0.2, 0.3))
        elif treatment.rule == "complaint_within_days":
            assert effect_cases.cohort_table(inputs, treatment, ("product",), (0.2, 0.3))


@pytest.mark.parametrize(("opened", "words"), [("", "on one day"), ("T10:15:00+08:00", "within 30 minutes")])
def test_rows_entered_twice_are_near_in_minutes_only_where_there_are_any(
    company: Path, inputs_of: Inputs, opened: str, words: str
):
    desk(company, opened, "")
    inputs = inputs_of(company)
    study = quality_study(inputs)
    found = {one.table: one for one in study.near or ()}
    assert found["tickets"].rows.value == 1 and (found["tickets"].minutes is None) == (words == "on one day")
    said = [str(one.statement) for one in study.findings if one.id == "quality.near.tickets"]
    assert len(said) == 1 and words in said[0]


def with_tickets(inputs: StudyInputs, folder: Path, columns: str) -> Path:
    """The same company in ``folder``, its tickets with the given columns (a list of SELECT)."""
    shutil.copytree(inputs.engine.tables.store.parent / "sample", folder)
    tickets = str(folder / "tickets.parquet")
    with duckdb.connect() as bench:
        bench.execute("SET TimeZone = 'UTC'")
        bench.execute(f"CREATE TABLE t AS SELECT {columns} FROM '{tickets}'")
        bench.execute(f"COPY t TO '{tickets}' (FORMAT parquet)")
    return folder


def test_a_study_without_clocks_keeps_what_counts_in_days(
    tenth: tuple[StudyInputs, RetentionStudy], tmp_path: Path, inputs_of: Inputs
):
    """The same company with the days of its first responses alone: repeat repairs and losses stay to the last digit."""
    inputs, timed = tenth
    day = "strftime(first_response_at + INTERVAL 8 HOUR, '%Y-%m-%d') AS first_response_at"
    study = retention.study(inputs_of(with_tickets(inputs, tmp_path / "days", f"* REPLACE ({day})")))
    said = EN.format("tickets.first_response_at")
    before, after = timed.drivers, study.drivers
    assert not isinstance(before, NotDone) and not isinstance(after, NotDone)
    for (what, model), fact in after.ratios.items():
        if model in ("total_repeat", "resolution"):
            assert fact.value == pytest.approx(before.ratios[what, model].value, rel=1e-9)
        else:
            assert fact.value is None and fact.reason is not None and said in fact.reason.en, (what, model)
    assert isinstance(study.repurchase, NotDone) and study.repurchase.reason.en == said
    assert study.loss_after_repair and timed.loss_after_repair
    for one, other in zip(study.loss_after_repair, timed.loss_after_repair, strict=True):
        assert (one.served.value, one.matched.value) == (other.served.value, other.matched.value)
    chain = study.chain
    assert not isinstance(chain, NotDone)
    for link in ("late_to_score", "late_to_detractor", "response_to_backlog", "score_to_loss"):
        assert chain.not_tested[link].reason.en == said
    assert "contacts_to_cost" in {link.id for link in chain.links}
    # the page says so, in both languages
    told = [check.sentence.plain("en") for check in study.checks if said in check.sentence.plain("en")]
    assert any("late complaint and loss" in one for one in told)
    assert not isinstance(study.early_warning, NotDone)
    for show in (
        service.differences_table,
        service.leaving_table,
        service.drivers_figure,
        service.chain_figure,
        service.repurchase_table,
        risk.score_table,
        risk.calls_table,
    ):
        block = show(study)
        assert block is None or not block.payload["untranslated"], show
    shown = service.repurchase_table(study)
    assert shown is not None and said in str(shown.payload)


def test_a_desk_without_machines_keeps_what_asks_for_none(
    tenth: tuple[StudyInputs, RetentionStudy], tmp_path: Path, inputs_of: Inputs
):
    """Tickets that name no machine: only what is told of a repaired machine is missing, and says so; late answers stay to the last digit."""
    inputs, whole = tenth
    folder = with_tickets(inputs, tmp_path / "machines", "* EXCLUDE (serial_no)")
    before, after = whole.drivers, retention.study(inputs_of(folder)).drivers
    assert not isinstance(before, NotDone) and not isinstance(after, NotDone)
    again = after.ratios["repeat", "total_repeat"]
    assert again.value is None and again.reason is not None and "tickets.serial_no" in again.reason.en
    assert after.not_fitted["total_repeat_model"].needs == ("tickets.serial_no",)
    for place in (
        ("slow", "unadjusted"),
        ("slow", "naive"),
        ("waited", "response"),
        ("followed", "resolution"),
    ):
        assert after.ratios[place].value == pytest.approx(before.ratios[place].value, rel=1e-9), place
    assert after.ratios["slow", "total"].value is not None
