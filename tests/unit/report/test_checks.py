"""What must stop a pack: hidden errors, missing wordings, numbers without a fact, personal data, missing files."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from report_stub import COST, callout, checks_block, executed, fact, output, shown, words

from analysis.errors import PublicationRefused
from analysis.exhibits.record import MIME
from analysis.report.checks import file_problems, personal_values, record_problems
from analysis.report.gates import refuse
from analysis.report.record import read_record
from analysis.report.shown import shows


def problems(
    tmp_path: Path,
    *outputs: list[dict[str, Any]],
    personal: frozenset[str] = frozenset(),
    paths: tuple[str, ...] = (),
) -> str:
    record = read_record({"10_costs": executed(*outputs)}, tmp_path)
    return "\n".join(str(problem) for problem in record_problems(record, personal=personal, paths=paths))


def stream(text: str, name: str = "stderr") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def figure(text_element: str) -> dict[str, Any]:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><g id="costs-trend-axes_1">{text_element}</g></svg>'
    heading = {"en": words("T"), "zh": words("T")}
    return {
        "version": 1,
        "kind": "figure",
        "id": "costs.trend",
        "title": heading,
        "subtitle": heading,
        "foot": heading,
        "alt": {"en": "", "zh": ""},
        "svg": {"en": svg, "zh": svg},
        "width": 1,
        "height": 1,
        "data": {"columns": [], "rows": []},
        "csv": "x",
        "facts": [fact()],
        "untranslated": [],
    }


def cell(text: str, kind: str = "fact", id: str | None = COST) -> dict[str, Any]:
    row = {
        "role": "body",
        "cells": [{"text": {"en": text, "zh": text}, "fact": id, "kind": kind, "sort": None, "tone": None}],
    }
    return callout(columns=[], rows=[row], kind="table")


def test_a_sound_record_passes(tmp_path):
    assert (
        problems(tmp_path, [output(callout())], [output(checks_block())], [stream("loading", "stdout")]) == ""
    )


def test_a_cell_that_did_not_run_or_failed_is_named(tmp_path):
    notebook = executed([], [{"output_type": "error", "ename": "KeyError", "evalue": "'x'", "traceback": []}])
    notebook["cells"][0]["execution_count"] = None
    record = read_record({"10_costs": notebook}, tmp_path)
    found = [str(problem) for problem in record_problems(record, personal=frozenset(), paths=())]
    assert found[0].startswith("10_costs, cell 1: this cell did not run")
    assert found[1] == "10_costs, cell 2: holds an error: KeyError: 'x'"


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):\n  File",
        "OperationalError: no table",
        "pkg.errors.FitError: no",
        "ERROR 12:00 lost",
    ],
)
def test_an_error_written_as_a_stream_is_not_success(tmp_path, text):
    assert "wrote an error as text" in problems(tmp_path, [stream(text)])
    assert "wrote an error as text" in problems(tmp_path, [stream(f"ok\n{text}", "stdout")])


def test_words_about_errors_are_no_error(tmp_path):
    assert problems(tmp_path, [stream("FutureWarning: the standard Error is 0", "stderr")]) == ""


def typed(tmp_path: Path, text: str) -> list[str]:
    """What is said of figures typed into a text cell."""
    notebook = executed([])
    notebook["cells"].append({"cell_type": "markdown", "metadata": {}, "source": text})
    record = read_record({"10_costs": notebook}, tmp_path)
    found = [str(problem) for problem in record_problems(record, personal=frozenset(), paths=())]
    return [one for one in found if "is typed into the text" in one]


@pytest.mark.parametrize(
    "text",
    [
        "Cost was CNY 4.1 million, which fell by 12 pp because of South.",
        "## Up 12%",
        "- a rise of 3.5 percentage points",
        "> about ¥ 300",
        "| saved |\n|---|\n| 2 billion |",
        "成本为 410 万元，下降 12 个百分点。",
    ],
)
def test_a_figure_typed_into_the_text_is_refused(tmp_path: Path, text: str):
    assert typed(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "Within 30 days of the repair, at most 200 rows; one report in a hundred.",
        "Source: ISO 3534, Kaplan (1958), PDF 1.7, page 12 of 30.",
        'Set `make report MONTH=2026-10 PARAMETERS="level=95%"`.',
    ],
)
def test_numbers_of_a_method_may_stand_in_the_text(tmp_path: Path, text: str):
    assert not typed(tmp_path, text)


def test_an_untranslated_message_is_named(tmp_path):
    found = problems(tmp_path, [output(callout(untranslated=["Cost rose."]))])
    assert (
        "10_costs, cell 1, costs.note: no Chinese wording for “Cost rose.”; add it to src/analysis/locale/zh"
        in found
    )


def test_a_number_in_words_is_refused_unless_the_template_holds_it(tmp_path, monkeypatch):
    from analysis.report import checks

    typed = callout(en=words("Cost rose by 4.1% this month."), zh=words("x"))
    assert "“Cost rose by 4.1% this month.” (en) holds a number that is no fact" in problems(
        tmp_path, [output(typed)]
    )
    monkeypatch.setattr(checks, "_template_pieces", lambda language: frozenset({" within 30 days"}))
    own = callout(en=[{"t": "x"}, {"t": " within 30 days"}], zh=words("x"))
    assert problems(tmp_path, [output(own)]) == ""
    other = callout(en=[{"t": "x"}, {"t": " within 31 days"}], zh=words("x"))
    assert "within 31 days" in problems(tmp_path, [output(other)])


def test_template_pieces_come_from_the_catalogue_of_both_languages():
    from analysis.locale import catalogue
    from analysis.report.checks import _template_pieces

    numbered = [
        message
        for message in catalogue("zh")
        if any(char.isdigit() for char in message) and "{" not in message
    ]
    assert set(numbered) <= _template_pieces("en")


def test_a_fact_that_nobody_published_or_that_reads_otherwise_is_refused(tmp_path):
    orphan = callout(facts=[])
    assert f"names the fact {COST}, which no section published" in problems(tmp_path, [output(orphan)])
    wrong = callout(en=shown("CNY 1,300.50"))
    assert f"“CNY 1,300.50” (en) does not agree with its fact {COST} = 1200.5 CNY" in problems(
        tmp_path, [output(wrong)]
    )


def test_a_quantity_printed_as_a_label_is_refused(tmp_path):
    label = callout(en=[{"t": "12.5%", "k": "label"}], zh=[{"t": "X200", "k": "label"}])
    assert "“12.5%” (en) is a quantity printed as a label" in problems(tmp_path, [output(label)])


def test_table_cells_are_facts_or_labels(tmp_path):
    assert problems(tmp_path, [output(cell("1,200.5"))]) == ""
    assert problems(tmp_path, [output(cell("X200", "label", None))]) == ""
    assert "does not agree" in problems(tmp_path, [output(cell("1,200.6"))])
    assert "holds a number that is no fact" in problems(
        tmp_path, [output(cell("rose 3 times", "words", None))]
    )
    assert "quantity printed as a label" in problems(tmp_path, [output(cell("3.0 pp", "label", None))])


@pytest.mark.parametrize(
    ("element", "refused"),
    [
        ('<g id="costs-trend-matplotlib.axis_1"><g id="costs-trend-xtick_1"><text>250</text></g></g>', ""),
        (f'<g data-k="fact" data-fact="{COST}"><text>1.2 thousand</text></g>', ""),
        ('<g data-k="label"><text>X200</text></g>', ""),
        ("<text>no digit</text>", ""),
        ("<text>1.2</text>", "“1.2” in the drawing (en) is no fact"),
        ('<g data-k="words"><text>top 5</text></g>', "“top 5” in the drawing (en) is no fact"),
        (f'<g data-k="fact" data-fact="{COST}"><text>1.3 thousand</text></g>', "does not agree"),
    ],
)
def test_digits_drawn_are_ticks_facts_or_labels(tmp_path, element, refused):
    found = problems(tmp_path, [output(figure(element))])
    assert refused in found if refused else found == ""


def test_one_id_with_two_numbers_is_refused(tmp_path):
    other = callout(facts=[fact(1200.6)], en=words("x"), zh=words("x"))
    with pytest.raises(
        PublicationRefused,
        match=r"value is 1200.5 in 10_costs, cell 1 and 1200.6 in 10_costs, cell 2. One id is one number",
    ):
        problems(tmp_path, [output(callout())], [output(other)])


def test_an_id_counts_as_tied_out_only_when_it_was_asked_and_passed(tmp_path):
    def tied(*blocks):
        return read_record({"n": executed([output(block) for block in blocks])}, tmp_path).tied_out

    assert tied(checks_block())
    assert not tied(checks_block("failed"))
    assert not tied(checks_block("info"))
    assert not tied(checks_block(), checks_block("failed"))
    assert not tied()


def test_a_failed_check_stops_the_pack_only_when_it_is_blocking(tmp_path):
    assert problems(tmp_path, [output(checks_block("failed"))]) == ""
    assert problems(tmp_path, [output(checks_block("passed", blocking=True))]) == ""
    assert (
        "check ledger_tied_out: The ledger agrees with the general ledger. Nothing is issued while"
        in problems(tmp_path, [output(checks_block("failed", blocking=True))])
    )


# ---------------------------------------------------------------- a number against its fact


@pytest.mark.parametrize(
    ("text", "value", "unit", "parts"),
    [
        ("CNY 3.42 million", 3417123.45, "CNY", {}),
        ("342万元", 3417123.45, "CNY", {}),
        ("3.42亿元", 341712345, "CNY", {}),
        ("4.1%", 0.0412, "share", {}),
        ("−0.3 pp", -0.003, "percentage_points", {}),
        ("0.3 pp", -0.003, "percentage_points", {}),
        (
            "95% interval 2.40 to 4.00 times",
            3.1,
            "ratio",
            {"interval": {"low": 2.4, "high": 3.996, "level": 0.95, "method": "x"}},
        ),
        ("4.20 failures per 1,000 unit-months", 4.2, "failures/1000_unit_months", {}),
        ("每千台月 4.20 次故障", 4.2, "failures/1000_unit_months", {}),
        ("1,234", 0.1, "share", {"n": 1234}),
        ("0.00", 0, "CNY", {}),
        ("12,345,678.90", "12345678.90", "CNY", {}),
        (">99", 1.0, "chance", {}),
        ("over 99%", 0.999, "chance", {}),
        ("99% 以上", 0.99, "chance", {}),
        ("<1", 0.00009, "chance", {}),
        ("不足 1%", 0.0, "chance", {}),
        ("<0.001", 3.5e-83, "p_value", {}),
    ],
)
def test_a_text_that_shows_its_fact(text, value, unit, parts):
    assert shows(text, fact(value, unit=unit, **parts), "en")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("CNY 3.43 million", 3417123.45, "CNY"),
        ("4.2%", 0.0412, "share"),
        ("−4.1%", 0.0412, "share"),
        ("+4.1%", -0.0412, "share"),
        ("12,345,678.91", "12345678.90", "CNY"),
        ("17 orders", 18, "orders"),
        (">99", 0.5, "chance"),
        ("under 1%", 0.5, "chance"),
        ("<0.001", 0.5, "p_value"),
        ("<1", 0.02, "chance"),
    ],
)
def test_a_text_that_does_not_show_its_fact(text, value, unit):
    assert not shows(text, fact(value, unit=unit), "en")


def test_a_fact_without_a_value_shows_its_reason_or_a_dash():
    missing = fact(None, reason={"en": "not computed: needs surveys.score", "zh": "未计算"})
    assert shows("not computed: needs surveys.score", missing, "en")
    assert shows("–*", missing, "zh")
    assert not shows("0", missing, "en")


# ---------------------------------------------------------------- privacy


def test_personal_data_is_found_whole_and_inside_sentences(tmp_path):
    personal = frozenset({"王小明", "AG-0042", "Anna Kowalska", "Repair"})
    label = callout(en=[{"t": "王小明", "k": "label"}], zh=words("x"))
    assert "holds personal data (“…”); group it or drop the column" in problems(
        tmp_path, [output(label)], personal=personal
    )
    sentence = callout(en=words("most came from Anna Kowalska, an agent"), zh=words("x"))
    assert "personal data (“An…”)" in problems(tmp_path, [output(sentence)], personal=personal)
    assert "personal data (“AG…”)" in problems(
        tmp_path, [stream("agent AG-0042 idle", "stdout")], personal=personal
    )
    frame = {
        "output_type": "execute_result",
        "metadata": {},
        "data": {"text/html": "<td>AG-0042</td>", "text/plain": "x"},
    }
    assert "personal data" in problems(tmp_path, [frame], personal=personal)
    # a customer called like an ordinary word does not stop every sentence with that word
    assert (
        problems(
            tmp_path, [output(callout(en=words("Repair took longer"), zh=words("x")))], personal=personal
        )
        == ""
    )


def test_personal_data_in_evidence_files(tmp_path):
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "costs.rows-1.csv").write_text("ticket_id,agent_id\nT-1,AG-0042\n", encoding="utf-8-sig")
    assert "evidence/costs.rows-1.csv: holds personal data" in problems(
        tmp_path, [output(callout())], personal=frozenset({"AG-0042"})
    )
    (evidence / "costs.rows-1.csv").write_text(
        "ticket_id,agent_id\nT-1,***\n13812345678,2\n", encoding="utf-8-sig"
    )
    assert problems(tmp_path, [output(callout())], personal=frozenset({"AG-0042"})) == ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("write to li.wei@example.com", "an e-mail address"),
        ("call 13812345678 now", "a telephone number"),
        ("card 110101199003070038", "an identity number"),
        ("postgresql://reader:hunter2@db/books", "a password in a connection"),
        ("password = 'correct-horse'", "a password"),
        ("-----BEGIN RSA PRIVATE KEY-----", "a private key"),
    ],
)
def test_secrets_and_contacts_are_found(tmp_path, text, what):
    assert f"holds {what} (" in problems(tmp_path, [stream(text, "stdout")])


def test_a_secret_in_a_cells_source_is_found_because_the_executed_notebook_ships(tmp_path):
    notebook = executed([])
    notebook["cells"][0]["source"] = "connection = 'postgresql://reader:hunter2@db/books'"
    record = read_record({"10_costs": notebook}, tmp_path)
    assert "holds a password in a connection" in str(
        record_problems(record, personal=frozenset(), paths=())[0]
    )


def test_amounts_are_no_telephone_numbers(tmp_path):
    assert problems(tmp_path, [stream("13812345678.00 and 1,381,234.56 and 0.13812345678", "stdout")]) == ""


def test_machine_paths_are_found(tmp_path):
    assert "holds a path of this machine" in problems(
        tmp_path, [stream("/home/anna/books/ledger.csv", "stdout")], paths=("/home/anna",)
    )


def test_personal_values_are_read_from_the_columns_the_contract_marks(tmp_path):
    csv = tmp_path / "tickets.csv"
    csv.write_text("ticket_id,agent_id,text\nT1,AG-1,it broke\nT2, AG-1 ,\nT3,,x\n")
    info = SimpleNamespace(
        personal=frozenset({"agent_id", "text", "customer_name"}),
        columns_present=frozenset({"ticket_id", "agent_id", "text"}),
    )
    tables = SimpleNamespace(
        tables={"tickets": info}, scan=lambda name: f"read_csv('{csv}', all_varchar = true)"
    )
    assert personal_values(tables) == {"AG-1", "it broke"}


# ---------------------------------------------------------------- files and the refusal


def test_missing_evidence_is_named(tmp_path):
    finding = {"id": "costs.rise", "evidence": "costs.rise-1", "statement": {}, "segments": {}}
    block = callout(kind="findings", findings=[finding])
    assert "finding costs.rise: its evidence costs.rise-1.csv was not written" in problems(
        tmp_path, [output(block)]
    )


def test_every_expected_file_must_be_there_and_hold_something(tmp_path):
    for name in (
        "after-sales-report.zh.pdf",
        "notebooks/10_costs.ipynb",
        "html/zh/index.html",
        "html/zh/10_costs.html",
        "facts.json",
        "findings.json",
        "exhibits.json",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "facts.json").write_text("")
    found = [str(problem) for problem in file_problems(tmp_path, ["10_costs"], ["10_costs"])]
    assert found == [
        "after-sales-report.en.pdf: this file of the pack was not made.",
        "html/en/index.html: this file of the pack was not made.",
        "html/en/10_costs.html: this file of the pack was not made.",
        "facts.json: this file is empty.",
    ]
    # a section without content is no page, and stays a notebook
    found = [str(problem) for problem in file_problems(tmp_path, ["10_costs", "20_empty"], ["10_costs"])]
    assert "notebooks/20_empty.ipynb: this file of the pack was not made." in found
    assert not any("html" in text and "20_empty" in text for text in found)


def test_a_refusal_lists_the_first_problems_and_counts_the_rest(tmp_path):
    block = callout(untranslated=[f"message {n}" for n in range(15)])
    record = read_record({"10_costs": executed([output(block)])}, tmp_path)
    with pytest.raises(
        PublicationRefused, match=r"(?s)not fit to be issued \(15 problems\):.*message 11.*and 3 more"
    ):
        refuse(record_problems(record, personal=frozenset(), paths=()))
    refuse([])


def test_the_mime_type_is_the_one_that_blocks_use():
    assert MIME.endswith("block+json")


def under(metric: str, **stated: Any) -> dict[str, Any]:
    """A table of one cell, whose column states a metric and whose row states a slice."""
    block = cell("1,200.5")
    text = {"en": "Cost", "zh": "成本"}
    column = {"key": "cost", "label": text, "unit": text, "align": "right", "type": "number", "wide": False}
    block["columns"] = [column | {"metric": [metric]}]
    block["rows"][0] |= stated
    return block


def test_a_right_number_under_a_wrong_heading_is_refused(tmp_path: Path):
    own = fact()["metric"]
    assert "heading" not in problems(tmp_path, [output(under(own))])
    assert f"is no {own}_of_old" in problems(tmp_path, [output(under(f"{own}_of_old"))])
    assert "under a heading that is not its own" in problems(tmp_path, [output(under(f"{own}_of_old"))])


def test_a_right_number_in_a_wrong_row_is_refused(tmp_path: Path):
    own = fact()["metric"]
    assert "is of region None, not West" in problems(tmp_path, [output(under(own, slice={"region": "West"}))])
    assert "heading" not in problems(tmp_path, [output(under(own, slice={"region": None}))])
