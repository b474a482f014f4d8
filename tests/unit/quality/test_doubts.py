"""Near copies, the own past, months that are missing or ahead, screen figures and control totals: hand-made companies and simulated series."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from analysis import executive, quality
from analysis.errors import ParameterError
from analysis.exhibits import quality as exhibits
from analysis.locale import Text
from analysis.metrics import NotDone, StudyInputs
from analysis.metrics.whole_month import rows_end
from analysis.params import Assumptions
from analysis.params.screen_figures import ScreenFigure, load_screen_figures
from analysis.periods import Month
from analysis.quality.exports import _SAID
from analysis.quality.history import MOST_CHANGES, YEAR, _level, _Series, critical_distance, score
from analysis.sample import make_sample
from analysis.sources.rowmapping import MapNote
from analysis.tables import contract

Inputs = Callable[..., StudyInputs]
MONTH = Month.parse("2026-10")
SOURCES = Path(quality.__file__).parents[1] / "sources"


def append(path: Path, *lines: str) -> None:
    path.write_text(
        path.read_text(encoding="utf-8") + "".join(line + "\n" for line in lines), encoding="utf-8"
    )


# ---------------------------------------------------------------- near duplicates


def tickets(company: Path, *rows: str) -> None:
    (company / "tickets.csv").write_text(
        "ticket_id,customer_id,product_id,ticket_type,opened_at,text\n" + "".join(row + "\n" for row in rows),
        encoding="utf-8",
    )


def near(study: quality.QualityStudy, table: str) -> quality.NearDuplicates:
    return next(one for one in study.near if one.table == table)


def test_a_ticket_entered_twice_is_named_and_stays(company: Path, inputs_of: Inputs):
    tickets(
        company,
        "T1,C1,P1,repair,2026-10-05T02:00:00,the washer leaks at the door",
        "T2,C1,P1,repair,2026-10-05T02:20:00,the washer leaks at the dor",  # twenty minutes later, one letter less
        "T3,C1,P1,repair,2026-10-05T02:30:00,it does not start any more",  # another story
        "T4,C1,P1,complaint,2026-10-05T02:31:00,the washer leaks at the door",  # another kind
        "T5,C2,P1,repair,2026-10-05T02:00:00,the washer leaks at the door",  # another customer
        "T6,C1,P1,repair,2026-10-05T04:00:00,it does not start any more",  # an hour and a half later
    )
    study = quality.study(inputs_of(company))
    found = near(study, "tickets")
    assert found.rows.value == 1 and found.example == "T1 / T2"
    assert found.pairs[["earlier_key", "ticket_id"]].to_numpy().tolist() == [["T1", "T2"]]
    assert (found.pairs["earlier_at"] < found.pairs["opened_at"]).all()  # both moments, and called so
    finding = next(finding for finding in study.findings if finding.id == "quality.near.tickets")
    assert finding.severity == "info" and "Nothing was removed" in finding.statement.plain()
    assert next(file for file in study.files if file.table == "tickets").rows["accepted"].value == 6
    assert exhibits.near_table(study).kind == "table"


def test_texts_that_are_absent_do_not_speak_against_a_pair_and_an_unknown_customer_is_no_pair(
    company: Path, inputs_of: Inputs
):
    tickets(
        company,
        "T1,C1,P1,repair,2026-10-05T02:00:00,",
        "T2,C1,P1,repair,2026-10-05T02:29:59,leaks",
        "T3,,P1,repair,2026-10-06T02:00:00,",
        "T4,,P1,repair,2026-10-06T02:01:00,",
    )
    assert near(quality.study(inputs_of(company)), "tickets").pairs["ticket_id"].tolist() == ["T2"]


def test_a_posting_made_twice_on_a_ticket_is_suspected_but_not_one_without_a_ticket(
    company: Path, inputs_of: Inputs
):
    append(
        company / "ledger.csv",
        "L3b,2026-10-05,,250.50,T3,CC1,6601.02.01,incurred,",
        "L4b,2026-10-31,labour,1200.00,,CC1,6601.01.01,incurred,",
    )
    found = near(quality.study(inputs_of(company)), "ledger")
    assert found.pairs["posting_id"].tolist() == ["L3b"]


# ---------------------------------------------------------------- against the own past


def test_by_chance_alone_a_run_has_a_series_out_of_line_in_one_run_in_twenty():
    # 800 runs of 25 series of independent noise, differenced over a year: familywise, within three standard errors of the promise.
    runs, series = 800, 25
    generator = np.random.default_rng(11)
    noise = generator.standard_normal((runs, series, MOST_CHANGES + 1 + YEAR))
    yearly = noise[..., YEAR:] - noise[..., :-YEAR]
    family = float(Assumptions.load().value("history_chance", on=MONTH.last_day))
    chance = family / series
    alarms = sum(any(score(one[:-1], float(one[-1]), chance=chance)[0] > 1 for one in run) for run in yearly)
    assert alarms / runs <= family + 3 * np.sqrt(family * (1 - family) / runs)
    assert alarms / runs >= family / 4  # a rule that never speaks would pass the line above


def test_one_wild_month_in_the_past_does_not_hide_the_newest():
    changes = np.random.default_rng(3).normal(0.02, 0.01, 23)
    calm, _, _ = score(changes, 0.30, chance=0.001)
    changes[5] = 5.0
    wild, middle, _ = score(changes, 0.30, chance=0.001)
    assert calm > 1 and wild > 1 and middle == pytest.approx(0.02, abs=0.01)


@pytest.mark.parametrize(
    ("column", "base", "times", "expected"),
    [("automated", 0.2, 3.0, 0.6), ("automated", 0.4, 3.0, 1.0), ("handling_hours", 0.4, 3.0, 1.2)],
)
def test_an_expected_share_is_the_whole_at_most(column: str, base: float, times: float, expected: float):
    """By hand: two fifths times three would be 120 percent of all tickets; hours may be."""
    tickets = contract().tables["tickets"]
    series = _Series(table=tickets, column=tickets.columns[column], values={MONTH: base})
    assert _level(series, base, float(np.log(times))) == pytest.approx(expected)


def test_fewer_months_of_history_need_a_larger_distance():
    assert (
        critical_distance(10, 0.01) > critical_distance(23, 0.01) > 2.58
    )  # the normal quantile, were the spread known


def test_half_an_extract_is_out_of_line_and_growth_with_a_season_is_not(company: Path, inputs_of: Inputs):
    def written(last: int) -> quality.QualityStudy:
        generator = np.random.default_rng(5)
        lines = []
        for age in range(35, -1, -1):
            month = MONTH - age
            count = int(
                200 * 1.01 ** (35 - age) * (1.5 if month.number in (6, 7) else 1) * generator.normal(1, 0.02)
            )
            lines += [
                f"{month}-{index},repair,{month}-10T02:00:00"
                for index in range(count if age else count * last // 100)
            ]
        (company / "tickets.csv").write_text(
            "ticket_id,ticket_type,opened_at\n" + "\n".join(lines) + "\n", encoding="utf-8"
        )
        return quality.study(inputs_of(company))

    whole, half = written(100), written(50)
    assert not [finding for finding in whole.findings if finding.id.startswith("quality.history")]
    (finding,) = (finding for finding in half.findings if finding.id.startswith("quality.history"))
    assert (
        finding.id == "quality.history.tickets"
        and finding.evidence is not None
        and len(finding.evidence) == 36
    )
    judged = next(one for one in half.histories if one.table == "tickets" and not one.column)
    assert judged.value.value == pytest.approx(float(judged.expected.value) / 2, rel=0.1)
    assert judged.expected.interval is not None and judged.expected.interval.low > judged.value.value
    first = exhibits.history_table(half, top=1)
    subtitle = "".join(piece["t"] for piece in first.payload["subtitle"]["en"])
    assert f"the 1 of {len(half.histories)} series" in subtitle and len(first.payload["rows"]) == 1


def test_less_than_two_years_are_not_judged(company: Path, inputs_of: Inputs):
    study = quality.study(inputs_of(company))
    assert not study.histories and exhibits.history_table(study).kind == "callout"


# ---------------------------------------------------------------- months


def test_a_month_without_rows_and_one_that_has_not_come_are_named(company: Path, inputs_of: Inputs):
    append(
        company / "tickets.csv",
        "T0,C1,P1,repair,2026-06-01T02:00:00,,false,1.0,closed,false,",
        "T9,C1,P1,repair,2030-01-05T02:00:00,,false,1.0,open,false,",
    )
    study = quality.study(inputs_of(company))
    finding = next(finding for finding in study.findings if finding.id == "quality.gap.tickets")
    assert finding.evidence is not None and finding.evidence["month"].tolist() == ["2026-07", "2026-08"]
    ahead = next(fault for fault in study.faults if fault.code == "ahead")
    assert (ahead.place, ahead.rows.value, ahead.kept.en) == (
        "tickets.opened_at",
        1,
        "kept, not seen until then",
    )


def test_an_extract_made_before_the_month_ended_is_an_alert(company: Path, inputs_of: Inputs):
    days = [
        dt.date(2025, 10, 1) + dt.timedelta(days=offset) for offset in range(386)
    ]  # to 21 October 2026, every day
    (company / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n" + "".join(f"T{day},repair,{day}T04:00:00\n" for day in days),
        encoding="utf-8",
    )
    study = quality.study(inputs_of(company))
    finding = next(finding for finding in study.findings if finding.id.startswith("quality.stopped"))
    assert (
        finding.id == "quality.stopped.tickets"
        and "10 days before the end of October 2026" in finding.statement.plain()
    )
    # The ledger has postings on a few days only: a gap no longer than twice those it had says nothing.
    assert not next(fresh for fresh in study.freshness if fresh.table == "ledger").stopped


def tickets_on(company: Path, first: dt.date, last: dt.date, *, without: frozenset[dt.date] = frozenset()):
    days = [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]
    (company / "tickets.csv").write_text(
        "ticket_id,ticket_type,opened_at\n"
        + "".join(f"T{day},repair,{day}T04:00:00\n" for day in days if day not in without),
        encoding="utf-8",
    )


def found_in(study: quality.QualityStudy, start: str) -> list[str]:
    return [finding.statement.plain() for finding in study.findings if finding.id.startswith(start)]


def test_without_a_past_a_silence_is_judged_by_days(company: Path, inputs_of: Inputs):
    tickets_on(company, dt.date(2026, 10, 1), dt.date(2026, 10, 14))
    (said,) = found_in(quality.study(inputs_of(company)), "quality.stopped.tickets")
    assert "17 days before the end of October 2026, more than the 7 days allowed" in said
    tickets_on(company, dt.date(2026, 10, 1), dt.date(2026, 10, 24))  # seven days are not more than seven
    assert not found_in(quality.study(inputs_of(company)), "quality.stopped.tickets")


def test_one_silent_day_in_a_year_is_no_alert(company: Path, inputs_of: Inputs):
    tickets_on(company, dt.date(2025, 10, 1), dt.date(2026, 10, 30))
    study = quality.study(inputs_of(company))
    fresh = next(fresh for fresh in study.freshness if fresh.table == "tickets")
    assert (fresh.silent.value, fresh.reach.gap) == (1, 0)
    assert not found_in(study, "quality.stopped")


def test_rows_that_end_within_the_month_are_said_once_and_the_month_is_compared_with_none(
    company: Path, inputs_of: Inputs
):
    tickets_on(company, dt.date(2025, 10, 1), dt.date(2026, 10, 14))
    for table in ("ledger", "orders", "units", "claims", "surveys"):
        (company / f"{table}.csv").unlink(missing_ok=True)
    whole = inputs_of(company)
    inputs = replace(whole, rows_end=rows_end(whole.engine, whole.month, limit=7))
    assert inputs.rows_end == dt.date(2026, 10, 14)
    study = quality.study(inputs)
    assert not found_in(study, "quality.stopped")
    (said,) = found_in(study, "quality.month_not_whole")
    assert "after 14 October 2026, 17 days before the end" in said
    check = next(check for check in study.checks if check.id == "month_whole")
    assert check.outcome == "failed"
    assert isinstance(study.histories, NotDone) and "2026-10-14" in study.histories.reason.en
    headlines = executive.study(inputs, metrics=("service_order_count",)).headlines
    assert headlines[0].fact.value and all(one.change.value is None for one in headlines[0].changes)
    before = executive.study(whole, metrics=("service_order_count",)).headlines
    assert all(one.change.value is not None for one in before[0].changes)


def test_a_gap_names_every_empty_month(company: Path, inputs_of: Inputs):
    away = frozenset(
        day
        for day in (dt.date(2026, 1, 1) + dt.timedelta(days=offset) for offset in range(300))
        if day.month in (2, 4, 5)
    )
    tickets_on(company, dt.date(2026, 1, 1), dt.date(2026, 10, 31), without=away)
    (said,) = found_in(quality.study(inputs_of(company)), "quality.gap.tickets")
    assert "February 2026, April 2026 to May 2026" in said and "3 months" in said


# ---------------------------------------------------------------- totals of other systems


def stated(**changes: object) -> ScreenFigure:
    entry = {
        "run": "sample",
        "system": Text.same("Desk"),
        "figure": "service_order_count",
        "period": "2026-10",
        "value": Decimal(3),
        "tolerance": Decimal(0),
        "source": "read by A",
        "read_on": dt.date(2026, 11, 10),
    }
    return ScreenFigure(**(entry | changes))  # type: ignore[arg-type]


def test_a_screen_figure_that_agrees_passes_and_one_beyond_its_tolerance_fails(
    company: Path, inputs_of: Inputs
):
    # Tickets of October in Shanghai, cancelled ones left out: T3, T4, T5. Cost of October: 1,600.00.
    lines = [
        stated(),
        stated(
            system=Text.same("ERP"),
            figure="after_sales_cost",
            value=Decimal("1599.50"),
            tolerance=Decimal("0.50"),
        ),
        stated(value=Decimal(5), tolerance=Decimal(1), system=Text.same("Old desk")),
    ]
    study = quality.study(inputs_of(company), screen_figures=lines)
    assert {line.stated.system.en: (line.difference.value, line.agrees) for line in study.screens} == {
        "Desk": (0, True),
        "ERP": (Decimal("0.50"), True),
        "Old desk": (-2, False),
    }
    failed = [
        check.sentence.plain()
        for check in study.checks
        if check.id.startswith("screen") and check.outcome == "failed"
    ]
    assert failed == [
        "Service orders: 3 tickets here, 5 tickets on the screen of Old desk; the difference of −2 tickets is beyond 1 ticket."
    ]
    assert exhibits.screens_table(study).kind == "table"


def test_a_figure_we_cannot_compute_fails_and_a_later_month_is_not_compared(company: Path, inputs_of: Inputs):
    study = quality.study(
        inputs_of(company), screen_figures=[stated(figure="budget_cost"), stated(period="2026-11")]
    )
    (line,) = study.screens
    assert not line.agrees and line.difference.value is None
    assert "needs budget" in next(check for check in study.checks if check.id == "screen_1").sentence.plain()


def test_a_slice_and_months_together_are_compared(company: Path, inputs_of: Inputs):
    entry = stated(period="2026-09/2026-11", dimensions={"region": "North"}, value=Decimal(3))
    (line,) = quality.study(inputs_of(company), screen_figures=[entry]).screens
    assert line.agrees and line.ours.dimensions == {"region": "North"}  # T1, T2, T5: C1 lives in the north


def test_the_register_of_screen_figures_is_strict(tmp_path: Path):
    path = tmp_path / "screen_figures.yml"
    entry = "{run: %s, system: Desk, figure: revenue, period: '2026-10', value: 1.5, tolerance: %s, source: read by A, read_on: 2026-11-10}"
    path.write_text(f"screen_figures: [{entry % ('acme', 0)}, {entry % ('other', 0)}]\n", encoding="utf-8")
    (found,) = load_screen_figures("acme", path)
    assert (found.value, found.first, found.last) == (Decimal("1.5"), MONTH, MONTH)
    path.write_text(f"screen_figures: [{entry % ('acme', 0)}, {entry % ('acme', 1)}]\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="'revenue' of 2026-10 by Desk stands twice"):
        load_screen_figures("acme", path)
    path.write_text(f"screen_figures: [{entry % ('acme', -1)}]\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="tolerance: '-1' should be at least 0"):
        load_screen_figures("acme", path)
    path.write_text("screen_figures: [{run: acme, figure: revenue}]\n", encoding="utf-8")
    with pytest.raises(ParameterError, match="'system' is missing"):
        load_screen_figures("acme", path)
    assert load_screen_figures("acme", tmp_path / "absent.yml") == ()


def test_control_totals_are_compared_month_by_month(company: Path, inputs_of: Inputs):
    append(
        company / "gl_totals.csv",
        "2026-09-01,after_sales_cost,all,1100.01",
        "2026-10-01,revenue,all,10000.00",
    )
    study = quality.study(inputs_of(company))
    gaps = {
        one.measure: {str(month): gap.value for month, gap in one.difference.items()}
        for one in study.controls
    }
    # September: L1 and L2 make 1,100.00. October's orders in Shanghai: O1 only, O2 falls into November.
    assert gaps == {
        "after_sales_cost": {"2026-09": Decimal("-0.01"), "2026-10": Decimal("0.00")},
        "revenue": {"2026-10": Decimal("0.00")},
    }
    outcomes = {check.id: check.outcome for check in study.checks if check.id.startswith("control")}
    assert outcomes == {"control_after_sales_cost": "failed", "control_revenue": "passed"}
    assert exhibits.controls_table(study).kind == "table"


# ---------------------------------------------------------------- what went aside, and what a map left out


@dataclass(frozen=True)
class Export:
    table: str
    file: str
    read: int
    mapped: int
    left_out: int
    notes: tuple[MapNote, ...] = ()


def test_what_a_map_took_for_granted_is_on_the_page(company: Path, inputs_of: Inputs):
    notes = (
        MapNote(kind="not in the file", column="region", count=0, example=""),
        MapNote(kind="words not listed, taken as 'repair'", column="ticket_type", count=7, example="Network"),
        MapNote(
            kind="no row fits the map's rule (only, without or found_in)",
            column="role",
            count=20,
            example="(empty)",
        ),
    )
    study = quality.study(inputs_of(company), mapped=[Export("tickets", "incident.csv", 20, 20, 0, notes)])
    assert [
        (one.column, one.kind.en, one.kind.zh, one.count.value if one.count else None)
        for one in study.remarks
    ] == [
        ("role", "the rule keeps no row", "按该规则没有一行被保留", 20),
        ("ticket_type", "words not listed, taken as repair", "未列出的取值，归为 repair", 7),
        ("region", "not in the file; made without it", "文件中没有该列，未生成", None),
    ]
    block = exhibits.remarks_table(study)
    assert block is not None and [row["cells"][1]["text"]["en"] for row in block.payload["rows"]] == [
        "tickets.role",
        "tickets.ticket_type",
        "tickets.region",
    ]
    assert exhibits.remarks_table(quality.study(inputs_of(company))) is None


def test_every_remark_of_a_map_has_its_words():
    """A kind that the sources write and the page cannot say in Chinese would be printed in English."""
    written = set()
    for module in ("mapping", "rowmapping", "moments"):
        text = (SOURCES / f"{module}.py").read_text(encoding="utf-8")
        written |= set(re.findall(r'kind=f?"([^"{]+)', text)) | set(
            re.findall(r'_count\((?:column, )?f?"([^"{]+)', text)
        )
    assert len(written) >= 8
    assert not [kind for kind in written if not any(kind.startswith(start.rstrip()) for start in _SAID)]


def test_rows_a_map_left_out_are_on_the_page_and_must_add_up(company: Path, inputs_of: Inputs):
    inputs = inputs_of(company)
    study = quality.study(inputs, mapped=[Export("ledger", "gl.csv", 10, 9, 1)])
    assert {outcome: fact.value for outcome, fact in study.exports[0].rows.items()} == {
        "read": 10,
        "mapped": 9,
        "left_out": 1,
    }
    block = exhibits.exports_table(study)
    assert block is not None and block.kind == "table"
    assert exhibits.exports_table(quality.study(inputs)) is None
    lost = quality.study(inputs, mapped=[Export("ledger", "gl.csv", 10, 8, 1)])
    check = next(check for check in lost.checks if check.id == "exports_conserved")
    assert check.outcome == "failed" and check.blocking and "gl.csv" in check.sentence.plain()


def test_what_was_set_aside_is_listed_by_reason_with_an_example(company: Path, inputs_of: Inputs):
    path = company / "tickets.csv"
    path.write_text(
        path.read_text(encoding="utf-8")
        .replace("2.0,closed", "two,closed")
        .replace("T6,C1,P1,repair", "T6,C1,P1,consultation"),
        encoding="utf-8",
    )
    study = quality.study(inputs_of(company))
    assert [
        (fault.place, fault.code, fault.rows.value, fault.example, fault.where, fault.kept.en)
        for fault in study.quarantine
    ] == [
        ("tickets.handling_hours", "not_a_number", 1, "two", "tickets.csv:1", "value left empty"),
        ("tickets.ticket_type", "not_allowed", 1, "consultation", "tickets.csv:6", "row set aside"),
    ]
    assert study.quarantine[0].share is not None and study.quarantine[0].share.value == pytest.approx(1 / 6)
    assert exhibits.quarantine_table(study).kind == "table"
    # What is listed there is not listed again among the faults that stay.
    assert not {fault.code for fault in study.faults} & {"not_a_number", "not_allowed"}


def test_every_planted_fault_of_the_sample_is_found_with_its_count(tmp_path: Path, inputs_of: Inputs):
    truth = make_sample(tmp_path / "sample", seed=9, scale=0.05)
    study = quality.study(inputs_of(tmp_path / "sample"))
    aside = {(fault.place, fault.code): fault.rows.value for fault in study.quarantine}
    kept = {(fault.place, fault.code): fault.rows.value for fault in study.faults}
    exact = {file.table: file.rows["duplicate"].value for file in study.files}
    planted = dict(truth.totals["blemishes"])
    assert aside[("tickets.ticket_type", "not_allowed")] == planted.pop("tickets.ticket_type not allowed")
    assert aside[("surveys.score", "outside_scale")] == planted.pop("surveys.score out of range")
    # A row whose copy is set aside for the same fault is set aside with it.
    assert aside[("opportunities.stage", "missing")] >= planted.pop("opportunities.stage missing")
    assert kept[("tickets.serial_no", "references")] == planted.pop("tickets.serial_no unknown")
    assert (
        abs(
            int(kept[("tickets.first_response_at", "time_order")])
            - planted.pop("tickets.first_response_at before opened_at")
        )
        <= 1
    )
    for table in ("tickets", "surveys", "opportunities"):
        assert 0 < exact[table] <= planted.pop(f"{table} exact duplicates")
    assert not planted
    assert next(check for check in study.checks if check.id == "control_revenue").outcome == "passed"
