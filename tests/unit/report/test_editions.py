"""A later run says what it says differently, and why as far as hashes can tell."""

from __future__ import annotations

import csv
import errno
import json
from decimal import Decimal
from types import SimpleNamespace

import pytest
from report_stub import (
    COST,
    Registry,
    Tables,
    callout,
    checks_block,
    fact,
    output,
    stub_export,
    stub_run,
    write_notebook,
)

from analysis.errors import PublicationRefused
from analysis.locale import Text
from analysis.report import editions, make_report, manifest
from analysis.report import make as making

REGISTRY = Registry(
    after_sales_cost=SimpleNamespace(name=Text(en="After-sales cost", zh="售后成本")),
    csat_share=SimpleNamespace(name=Text(en="CSAT", zh="满意度")),
)


def compared(before, after, causes=("inputs",)):
    return editions.compare(before, after, against=1, causes=causes)


def test_numbers_are_compared_by_id_and_counted_when_new_or_gone():
    before = [fact(), fact(5, id="a#2026-10:1"), fact(7, id="b#2026-10:1")]
    after = [fact(1300.5), fact(5, id="a#2026-10:1"), fact(9, id="c#2026-10:1")]
    found = compared(before, after)
    assert [(one.after["id"], one.change, one.causes) for one in found.restated] == [
        (COST, Decimal("100.0"), ("inputs",))
    ]
    assert (found.added, found.removed) == (1, 1)


def test_the_last_digit_of_a_float_is_no_restatement_and_a_cent_of_a_total_is():
    assert compared([fact(0.1 + 0.2)], [fact(0.3)]).restated == ()
    assert (
        len(compared([fact("1047382911.23")], [fact("1047382911.24")]).restated) == 0
    )  # a ten-billionth: below the noise of floats
    assert len(compared([fact("82911.23")], [fact("82911.24")]).restated) == 1


def test_a_number_that_appears_or_vanishes_is_a_restatement():
    missing = fact(
        None, reason={"en": "not computed: needs surveys.score", "zh": "未计算：缺少 surveys.score"}
    )
    rows = editions.restated_rows(compared([missing], [fact()]), REGISTRY)
    assert rows[0]["before"]["en"] == "not computed: needs surveys.score"
    assert rows[0]["change"] == {"en": "–", "zh": "–"}


def test_another_definition_of_the_same_slice_is_a_restatement_by_definition():
    found = compared(
        [fact()], [fact(1300, id="after_sales_cost#2026-10:2")], causes=("inputs", "definitions")
    )
    assert [one.causes for one in found.restated] == [("definitions",)]


def test_rows_are_worded_in_both_languages():
    south = {"dimensions": {"region": "South"}}
    before = [
        fact(3_417_123.45),
        fact(0.041, id="csat_share@region=South#2026-01/2026-11:1", unit="share", **south),
    ]
    after = [
        fact(3_517_123.45),
        fact(0.038, id="csat_share@region=South#2026-01/2026-11:1", unit="share", **south),
    ]
    cost, csat = editions.restated_rows(compared(before, after, causes=("inputs", "code")), REGISTRY)
    assert cost["name"] == {"en": "After-sales cost", "zh": "售后成本"}
    assert (cost["before"]["en"], cost["after"]["zh"], cost["change"]["en"]) == (
        "CNY 3.42 million",
        "352 万元",
        "+CNY 100,000",
    )
    assert cost["cause"]["en"] == "one or more of: the data, the program"
    assert cost["cause"]["zh"] == "以下一项或多项：数据、程序"
    assert csat["name"]["zh"] == "满意度 (South)"
    assert csat["period"] == {"en": "January 2026 – October 2026", "zh": "2026年1月 – 2026年10月"}
    assert (csat["before"]["en"], csat["change"]["en"]) == ("4.1%", "−0.3 pp")


def test_headline_numbers_come_first_and_the_list_has_an_end():
    before = [
        fact(100, id=f"after_sales_cost@line=L{n}#2026-10:1", dimensions={"line": f"L{n}"}) for n in range(80)
    ] + [fact(100)]
    after = [one | {"value": 100 + n} for n, one in enumerate(before, start=1)]
    found = compared(before, after)
    rows = editions.restated_rows(found, REGISTRY)
    assert found.restated[0].after["id"] == COST
    assert found.restated[1].weight > found.restated[2].weight
    assert (len(found.restated), len(rows)) == (81, editions.MOST_LISTED)


# ---------------------------------------------------------------- through a whole run, without a kernel


@pytest.fixture
def month_end(tmp_path, monkeypatch):
    """A report whose notebook publishes ``cost``, executed without a kernel."""
    folder = tmp_path / "notebooks"
    write_notebook(folder, "10_costs")

    def run(
        cost=1200.5,
        *,
        content_hash="d" * 64,
        outcome="passed",
        text="CNY 1,200.50",
        export=stub_export,
        change=lambda run: None,
        meanwhile=lambda: None,
        **options,
    ):
        def prepared(name, **_):
            made = stub_run(content_hash=content_hash)
            change(made)
            return made

        def execute(self, building, kernels):
            notebook = json.loads((folder / "10_costs.ipynb").read_text())
            block = callout(facts=[fact(cost)], en=[{"t": text, "k": "fact", "fact": COST}], zh=[{"t": "x"}])
            notebook["cells"][1] |= {
                "execution_count": 1,
                "outputs": [output(block), output(checks_block(outcome))],
            }
            path = building / "notebooks" / "10_costs.ipynb"
            path.parent.mkdir()
            path.write_text(json.dumps(notebook))
            meanwhile()
            return {"10_costs": notebook}

        monkeypatch.setattr(making._Making, "_execute", execute)
        return make_report(
            folder=folder, reports=tmp_path / "reports", prepare=prepared, export=export, **options
        )

    return run


def test_changed_data_make_a_second_edition_that_explains_itself(month_end, tmp_path):
    first = month_end()
    before = manifest.seals(first.folder)
    second = month_end(1300.5, content_hash="e" * 64, text="CNY 1,300.50")
    assert (second.number, second.restated) == (2, 1)
    assert manifest.seals(first.folder) == before
    with (second.folder / "evidence" / "restated.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [
        (row["fact"], row["before"], row["after"], row["change"], row["possible_causes"]) for row in rows
    ] == [(COST, "1200.5", "1300.5", "100.0", "inputs")]
    assert "the data" in (second.folder / "after-sales-report.en.pdf").read_text()


def test_an_unchanged_month_stands_unless_forced(month_end):
    month_end()
    assert month_end().unchanged
    forced = month_end(force=True)
    assert (forced.number, forced.unchanged, forced.restated) == (2, False, 0)


def set_aside(run, **parts):
    ledger = run.tables.tables["ledger"]
    (file,) = ledger.waterfall
    ledger.waterfall = (SimpleNamespace(**{**vars(file), **parts}),)


@pytest.mark.parametrize(
    "parts",
    [
        {"quarantined": 6, "rows_read": 17},  # five more postings that cannot be read
        {"exact_duplicates": 0, "rows_read": 11},
        {"file_hash": "9" * 64},  # printed in the appendix
        {"file": "gl-2026-10.csv"},
    ],
)
def test_what_was_set_aside_belongs_to_the_pack_as_much_as_what_was_read(month_end, parts):
    month_end()
    second = month_end(change=lambda run: set_aside(run, **parts))
    assert (second.number, second.unchanged, second.restated) == (2, False, 0)


def test_another_company_is_no_next_edition(month_end, tmp_path):
    first = month_end()
    before = manifest.seals(first.folder)

    def another(run):
        run.name, run.company = "acme", Text(en="Acme", zh="顶点")

    def other_currency(run):
        run.currency = "EUR"

    for change in (another, other_currency):
        for force in (False, True):
            with pytest.raises(
                PublicationRefused, match=r"is of Lumen Appliances \(CNY\), and run .*--reports"
            ):
                month_end(1300.5, content_hash="e" * 64, change=change, force=force)
    assert manifest.seals(first.folder) == before
    assert (tmp_path / "reports" / "latest").resolve() == first.folder
    # the same company under another run file goes on where it stood
    assert month_end(change=lambda run: setattr(run, "name", "sample_again")).number == 2


def test_latest_is_mended_by_a_run_that_finds_nothing_new(month_end, tmp_path):
    first = month_end()
    latest = tmp_path / "reports" / "latest"
    latest.unlink()
    latest.symlink_to("2026-09/edition-1")
    assert month_end().unchanged
    assert latest.resolve() == first.folder


def test_ground_that_moves_under_a_run_is_refused(month_end, tmp_path, monkeypatch):
    """What a run cannot copy: the package, and modules that its notebooks import from beside them."""

    def module_saved():
        (tmp_path / "notebooks" / "ours.py").write_text("LIMIT = 2\n")

    with pytest.raises(PublicationRefused, match="notebooks changed while the report was being made"):
        month_end(meanwhile=module_saved)

    def program_changed():
        monkeypatch.setattr(manifest, "source_hash", lambda: "f" * 64)

    with pytest.raises(PublicationRefused, match="code changed while"):
        month_end(meanwhile=program_changed)
    assert not (tmp_path / "reports" / "2026-10").exists()


def test_a_disk_that_is_full_says_so_whatever_else_fails_then(month_end, tmp_path, monkeypatch):
    first = month_end()
    before = manifest.seals(first.folder)

    def full(*_, **__):
        monkeypatch.setattr(making._Making, "_kept", full)
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "x"))

    with pytest.raises(OSError, match="No space left"):
        month_end(1300.5, content_hash="e" * 64, text="CNY 1,300.50", export=full)
    assert manifest.seals(first.folder) == before
    assert (tmp_path / "reports" / "latest").resolve() == first.folder


@pytest.mark.parametrize("content", ["", "{", "[1]", "{}", "\ud800"])
def test_a_damaged_manifest_is_refused_in_words(month_end, content):
    edition = month_end()
    path = edition.folder / "manifest.json"
    path.chmod(0o644)
    path.write_text(content, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(PublicationRefused, match=r"2026-10/edition-1: manifest.json is damaged .*backup"):
        month_end()


def test_a_ledger_that_does_not_tie_out_marks_the_pack(month_end):
    edition = month_end(outcome="failed")
    assert not edition.tied_out
    assert manifest.read(edition.folder)["status"] == "not tied out"
    assert (edition.folder / "after-sales-report.en.pdf").read_text().startswith("not tied out")


def test_an_edition_that_was_tampered_with_does_not_stand(month_end):
    edition = month_end()
    (edition.folder / "facts.json").chmod(0o644)
    (edition.folder / "facts.json").write_text("{}")
    with pytest.raises(PublicationRefused, match=r"edition 1 was changed after it was issued \(facts.json\)"):
        month_end()


def test_a_refused_pack_leaves_the_last_edition_alone(month_end, tmp_path):
    first = month_end()
    before = manifest.seals(first.folder)
    with pytest.raises(PublicationRefused, match="(?s)does not agree with its fact.*Nothing was issued"):
        month_end(1300.5, content_hash="e" * 64)
    assert (tmp_path / "reports" / "latest").resolve() == first.folder
    assert manifest.seals(first.folder) == before
    kept = tmp_path / "reports" / "_quarantine" / "2026-10-1"
    assert "does not agree" in (kept / "message.txt").read_text()
    assert (kept / "notebooks" / "10_costs.ipynb").exists()


def test_data_that_change_while_the_notebooks_run_are_noticed(month_end, monkeypatch):
    monkeypatch.setattr(Tables, "changed", True)
    with pytest.raises(PublicationRefused, match="the data changed while the notebooks ran"):
        month_end()


def test_an_exporter_that_refuses_or_breaks_issues_nothing(month_end, tmp_path):
    def clipped(*_, **__):
        raise PublicationRefused("table costs.composition: column 3 does not fit the page")

    with pytest.raises(PublicationRefused, match="does not fit the page"):
        month_end(export=clipped)
    with pytest.raises(
        PublicationRefused, match=r"after-sales-report.en.pdf: this file of the pack was not made"
    ):
        month_end(export=lambda *_, **__: None)
    with pytest.raises(ZeroDivisionError):
        month_end(export=lambda *_, **__: 1 / 0)
    reports = tmp_path / "reports"
    assert "ZeroDivisionError" in (reports / "_quarantine" / "2026-10-3" / "message.txt").read_text()
    assert sorted(path.name for path in reports.iterdir()) == ["_quarantine"]


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"{}", b"\xff\x00"])
def test_facts_of_an_edition_that_are_damaged_or_gone_are_refused_in_words(tmp_path, content):
    folder = tmp_path / "2026-10" / "edition-1"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "facts.json").write_bytes(content)
    with pytest.raises(PublicationRefused, match=r"2026-10/edition-1: facts\.json is damaged or gone"):
        editions.issued_facts(folder)
