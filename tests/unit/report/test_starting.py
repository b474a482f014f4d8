"""From a folder of exports to a first draft: what is proposed, what is written, and that nothing is written before the person agrees."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from analysis import cli
from analysis.errors import ContractError, ParameterError, SourceError
from analysis.params import CostTree, load_run
from analysis.params.interventions import load_interventions
from analysis.params.places import with_own
from analysis.params.what_ifs import load_what_ifs
from analysis.report import starting
from analysis.report.publish import Edition
from analysis.sources import load_map
from analysis.tables import contract
from analysis.workbook.first_settings import NO_CURRENCY, currency_of


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """A project of its own; the draft itself is made elsewhere (``test_a_first_draft_of_a_folder``)."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("AFTER_SALES_ROOT", str(root))
    monkeypatch.chdir(tmp_path)
    made = root / "reports" / "_drafts" / "x"
    (made / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(
        starting, "make_report", lambda name, **_: Edition(folder=made, month="2026-10", number=1, draft=True)
    )
    return root


def write(
    folder: Path,
    name: str,
    rows: Sequence[Mapping[str, object]],
    *,
    separator: str = ",",
    encoding: str = "utf-8",
) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=separator)
        writer.writeheader()
        writer.writerows(rows)


def days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def desk(last: dt.date = dt.date(2026, 10, 31)) -> list[dict[str, object]]:
    """A German service desk: a ticket a day."""
    return [
        {
            "Vorgangsnr.": f"SF-{number:05}",
            "Kundennr": f"K{number % 50:04}",
            "Vorgangsart": ("Reparatur", "Reklamation", "Anfrage")[number % 3],
            "Eingang": f"{day:%d.%m.%Y} 09:{number % 60:02}",
            "Erledigt am": f"{day:%d.%m.%Y} 15:{number % 60:02}",
            "Aufwand Std": f"{1 + number % 7},5",
            "Beschreibung": "Gerät kühlt nicht",
        }
        for number, day in enumerate(days(dt.date(2025, 8, 1), last))
    ]


def postings(currency: str = "EUR") -> list[dict[str, object]]:
    return [
        {
            "Posting": f"P{number:05}",
            "Posting date": day.isoformat(),
            "Account": "6010",
            "Amount": f"{100 + number % 9}.50",
            "Currency": currency,
        }
        for number, day in enumerate(days(dt.date(2025, 8, 1), dt.date(2026, 10, 31)))
    ]


def begun(
    folder: Path, *, ask: starting.Ask | None = None, **options: object
) -> tuple[starting.Started, str]:
    said: list[str] = []
    started = starting.start(folder, ask=ask, say=said.append, **options)  # type: ignore[arg-type]
    return started, "\n".join(said)


def columns() -> dict[str, tuple[str, ...]]:
    return {name: tuple(table.columns) for name, table in contract().tables.items()}


def test_a_service_desk_in_german_becomes_a_map_and_a_run(tmp_path):
    write(tmp_path / "Kundendienst Süd", "Servicefälle.csv", desk(), separator=";", encoding="cp1252")
    started, said = begun(tmp_path / "Kundendienst Süd")
    run = load_run(started.name)
    assert (run.name, run.company.en, str(run.month)) == ("kundendienst-süd", "Kundendienst Süd", "2026-10")
    assert (run.currency, run.time_zone, run.needs) == ("EUR", "Europe/Berlin", ("tickets",))
    entry = next(one for one in load_map(run.source_map, columns()).tables if one.table == "tickets")
    assert (entry.columns["customer_id"], entry.columns["ticket_id"]) == ("Kundennr", "Vorgangsnr.")
    assert (entry.encoding, entry.separator, entry.decimal_mark) == ("cp1252", ";", ",")
    assert "tickets: 457 rows = 457 accepted + 0 set aside" in said


def test_what_a_setting_was_taken_from_stands_behind_it(tmp_path, project):
    write(tmp_path / "acme", "ledger export.csv", postings("GBP"))
    started, said = begun(tmp_path / "acme", settings={"company": 'Acme & Söhne: "Nord" # 1'})
    text = (project / "params" / "runs" / "acme.yml").read_text("utf-8")
    assert "currency: GBP  # by the codes in the files" in text
    assert load_run(started.name).company.en == 'Acme & Söhne: "Nord" # 1'
    assert "time_zone: UTC  # nothing in the data tells another" in text
    assert "currency: GBP (by the codes in the files)" in said


def test_tables_by_their_own_names_need_no_map(tmp_path, project, company):
    started, said = begun(company)
    assert load_run(started.name).source_map == ""
    assert "tables by their own names" in said
    assert not (project / "params" / "sources").exists()


def test_a_last_month_that_ends_in_its_middle_is_not_the_one_to_begin_with(tmp_path):
    write(tmp_path / "acme", "Vorgänge.csv", desk(last=dt.date(2026, 10, 14)), separator=";")
    started, said = begun(tmp_path / "acme")
    assert str(load_run(started.name).month) == "2026-09"
    assert "2026-10 ends on 2026-10-14" in said


def test_rows_of_a_wrong_year_name_no_month(tmp_path):
    rows = postings()
    rows[5]["Posting date"] = "2036-01-05"
    write(tmp_path / "acme", "ledger export.csv", rows)
    assert str(load_run(begun(tmp_path / "acme")[0].name).month) == "2026-10"


def test_a_table_that_cannot_be_read_as_proposed_is_left_out_and_the_others_stand(tmp_path, project):
    write(tmp_path / "acme", "ledger export.csv", postings())
    claims = [
        {
            "Claim ID": f"C{number}",
            "Claim date": day.isoformat(),
            "Claim amount": "12.50" if number % 3 else "12 or 13",
        }
        for number, day in enumerate(days(dt.date(2026, 1, 1), dt.date(2026, 10, 31)))
    ]
    write(tmp_path / "acme", "warranty claims.csv", claims)
    started, said = begun(tmp_path / "acme")
    assert "left out   claims: " in said
    assert {entry.table for entry in load_map(started.name, columns()).tables} == {"ledger"}
    written = (project / "params" / "sources" / "acme.yml").read_text("utf-8")
    assert "# left out, as it cannot be read so: " in written
    assert '#    file: "warranty claims.csv"' in written


def test_what_the_data_say_is_printed_without_control_characters(tmp_path):
    rows = [{**row, "Re\x1b[31mmark\x07": "x"} for row in postings()]
    write(tmp_path / "acme", "ledger export.csv", [*rows])
    write(tmp_path / "acme", "notes\x1b[2J.csv", [{"remark": "call back", "by": "Ann"}])
    said = begun(tmp_path / "acme")[1]
    assert not any(sign in said for sign in "\x1b\x07")


def test_accounts_become_a_cost_tree_of_the_run_by_their_names(tmp_path, project):
    names = {
        "6010": "Löhne Kundendienst",
        "5400": "Ersatzteilverbrauch",
        "6300": "Frachtkosten",
        "9999": "Verrechnung XY",
    }
    rows = [
        {
            "Belegnummer": f"B{number}",
            "Buchungsdatum": f"{day:%d.%m.%Y}",
            "Konto": account,
            "Kontobezeichnung": name,
            "Betrag": f"{10 + number},50",
        }
        for number, day in enumerate(days(dt.date(2025, 11, 1), dt.date(2026, 10, 31)))
        for account, name in names.items()
    ]
    write(tmp_path / "acme", "Buchungen.csv", rows, separator=";")
    started, said = begun(tmp_path / "acme")
    assert "3 of 4 put into a category" in said
    with with_own(load_run(started.name).own_params):
        tree = CostTree.load()
    assert {rule.account: rule.category for rule in tree.accounts} == {
        "6010": "labour",
        "5400": "parts",
        "6300": "logistics",
    }
    assert '# - {account: "9999", category: ?' in (project / "params/runs/acme/cost_tree.yml").read_text(
        "utf-8"
    )
    assert "6601.01.01" in {rule.account for rule in CostTree.load().accounts}, "the tree of other runs stays"


def test_accounts_that_the_tree_in_force_knows_keep_their_rule(tmp_path, project):
    known = [{**row, "Account": "6601.02.01"} for row in postings()]
    write(tmp_path / "known", "ledger export.csv", known)
    begun(tmp_path / "known")
    assert not (project / "params" / "runs" / "known" / "cost_tree.yml").exists(), "nothing to add"
    write(
        tmp_path / "some", "ledger export.csv", [*known, {**known[0], "Posting": "P99999", "Account": "7000"}]
    )
    with with_own(load_run(begun(tmp_path / "some")[0].name).own_params):
        assert {rule.account: rule.category for rule in CostTree.load().accounts} == {"6601.02.01": "parts"}


def test_measures_and_plans_of_the_sample_company_are_nobody_elses(tmp_path):
    write(tmp_path / "acme", "ledger export.csv", postings())
    assert load_interventions() and load_what_ifs().scenarios
    with with_own(load_run(begun(tmp_path / "acme")[0].name).own_params):
        assert load_interventions() == () and load_what_ifs().scenarios == ()


def orders(**more: str) -> list[dict[str, str]]:
    return [
        {
            "Order number": f"O{number}",
            "Customer ID": f"C{number % 40}",
            "Order date": day.isoformat(),
            "Net sales": "20.50",
            **more,
        }
        for number, day in enumerate(days(dt.date(2026, 1, 1), dt.date(2026, 10, 31)))
    ]


def test_a_template_is_proposed_by_what_a_company_has(tmp_path):
    write(tmp_path / "shops", "orders.csv", orders(Shop="Harbour Store", Platform="Harbour"))
    started, said = begun(tmp_path / "shops")
    assert load_run(started.name).template == "ecommerce"
    assert "template: ecommerce (no machines, and orders name the shop or platform)" in said
    write(tmp_path / "plain", "orders.csv", orders())
    assert load_run(begun(tmp_path / "plain")[0].name).template == ""
    assert (
        load_run(begun(tmp_path / "shops", name="own", settings={"template": "none"})[0].name).template == ""
    )
    terms = [
        {
            "contract_id": f"K{number}",
            "customer_id": f"C{number}",
            "kind": "subscription",
            "starts_on": f"2026-0{1 + number % 9}-01",
            "ends_on": "2026-12-31",
        }
        for number in range(40)
    ]
    write(tmp_path / "seats", "contracts.csv", terms)
    write(
        tmp_path / "seats",
        "orders.csv",
        [
            {
                "order_id": row["Order number"],
                "customer_id": row["Customer ID"],
                "ordered_at": f"{row['Order date']}T00:00:00",
                "revenue": "20.50",
            }
            for row in orders()
        ],
    )
    write(
        tmp_path / "seats",
        "customers.csv",
        [{"customer_id": f"C{number}", "region": "East"} for number in range(40)],
    )
    assert load_run(begun(tmp_path / "seats")[0].name).template == "saas"
    with pytest.raises(ParameterError, match="Did you mean 'saas'"):
        begun(tmp_path / "seats", name="other", settings={"template": "sas"})


MACHINES = [
    {
        "serial_no": f"S{number}",
        "product_id": "P1",
        "customer_id": f"C{number % 10}",
        "shipped_on": "2024-03-01",
    }
    for number in range(40)
]


def visits(planned: int, of: int) -> list[dict[str, str]]:
    """Work on machines, a day each, ``planned`` in every ``of`` of it planned."""
    return [
        {
            "ticket_id": f"T{number}",
            "customer_id": f"C{number % 10}",
            "serial_no": f"S{number % 40}",
            "ticket_type": "maintenance" if number % of < planned else "repair",
            "opened_at": f"{day.isoformat()}T08:00:00",
        }
        for number, day in enumerate(days(dt.date(2026, 1, 1), dt.date(2026, 10, 31)))
    ]


@pytest.mark.parametrize(
    ("planned", "read", "kind", "covered", "template"),
    [
        (3, True, "b2b", 0, "heavy"),
        (3, False, "b2b", 0, ""),  # no hours of use: lives by use have nothing to stand on
        (2, False, "b2b", 10, "hospital"),
        (2, False, "b2b", 5, ""),
        (2, False, "b2c", 10, ""),
        (0, True, "b2b", 10, ""),
    ],
)
def test_a_template_of_machines_is_proposed_by_how_they_are_kept(
    planned: int, read: bool, kind: str, covered: int, template: str, tmp_path: Path
):
    usage = {"usage": "1200", "usage_as_of": "2026-10-31"} if read else {}
    write(tmp_path / "fleet", "units.csv", [machine | usage for machine in MACHINES])
    write(tmp_path / "fleet", "products.csv", [{"product_id": "P1", "product_line": "Pumps", "model": "M1"}])
    write(tmp_path / "fleet", "tickets.csv", visits(planned, 5))
    customers = [
        {"customer_id": f"C{number}", "customer_type": kind, "region": "East"} for number in range(10)
    ]
    write(tmp_path / "fleet", "customers.csv", customers)
    terms = [
        {
            "contract_id": f"K{n}",
            "customer_id": f"C{n}",
            "kind": "maintenance",
            "starts_on": "2026-01-01",
            "ends_on": "2026-12-31",
        }
        for n in range(covered)
    ]
    if terms:
        write(tmp_path / "fleet", "contracts.csv", terms)
    started, said = begun(tmp_path / "fleet")
    assert load_run(started.name).template == template, said


def test_nothing_is_written_before_the_person_agrees(tmp_path, project):
    write(tmp_path / "acme", "ledger export.csv", postings())
    asked: list[tuple[str, str]] = []

    def ask(what: str, proposed: str, why: str) -> str:
        asked.append((what, proposed))
        return "no" if what.startswith("write") else ""

    started, _ = begun(tmp_path / "acme", ask=ask)
    assert started.draft is None
    assert not (project / "params").exists()
    assert [what for what, _ in asked][:5] == ["time zone", "currency", "month", "company", "template"]


def test_an_answer_replaces_what_was_proposed(tmp_path):
    write(tmp_path / "acme", "ledger export.csv", postings())
    answers = {"time zone": "Europe/Paris", "month": "2026-09"}
    started, _ = begun(tmp_path / "acme", ask=lambda what, proposed, why: answers.get(what, ""))
    run = load_run(started.name)
    assert (run.time_zone, str(run.month), run.currency) == ("Europe/Paris", "2026-09", "EUR")


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"currency": "euro"}, "ISO 4217"),
        ({"time_zone": "Berlin"}, "Europe/Berlin"),
        ({"month": "10/2026"}, "2026-10"),
    ],
)
def test_a_setting_that_is_none_is_refused_and_nothing_is_written(tmp_path, project, settings, word):
    write(tmp_path / "acme", "ledger export.csv", postings())
    with pytest.raises(ParameterError, match=word):
        begun(tmp_path / "acme", settings=settings)
    assert not (project / "params").exists()


def test_a_month_without_rows_is_no_report(tmp_path, project):
    write(tmp_path / "acme", "ledger export.csv", postings())
    with pytest.raises(ContractError, match="no row lies in 2024-03"):
        begun(tmp_path / "acme", settings={"month": "2024-03"})
    assert not (project / "params").exists()


def test_a_name_that_is_taken_is_refused(tmp_path):
    write(tmp_path / "acme", "ledger export.csv", postings())
    begun(tmp_path / "acme")
    with pytest.raises(ParameterError, match="NAME=acme-2"):
        begun(tmp_path / "acme")
    assert begun(tmp_path / "acme", name="acme-2")[0].name == "acme-2"
    write(tmp_path / "sample", "ledger export.csv", postings())
    with pytest.raises(ParameterError, match="sample-2"):
        begun(tmp_path / "sample")


def test_a_folder_without_days_or_without_tables_is_refused_in_words(tmp_path):
    write(tmp_path / "people", "customers.csv", [{"customer_id": "C1", "region": "East"}])
    with pytest.raises(ContractError, match="nothing that was read has rows by day .*read: customers"):
        begun(tmp_path / "people")
    write(tmp_path / "notes", "notes.csv", [{"remark": "call back", "by": "Ann"}])
    with pytest.raises(SourceError, match=r"notes\.csv"):
        begun(tmp_path / "notes")
    with pytest.raises(SourceError, match="no such folder"):
        begun(tmp_path / "nowhere")


def test_amounts_without_a_code_take_the_currency_of_their_sign_or_of_the_clock(tmp_path):
    rows = [{**row, "Amount": f"£{row['Amount']}"} for row in postings()]
    write(
        tmp_path / "signs",
        "ledger export.csv",
        [{name: row[name] for name in row if name != "Currency"} for row in rows],
    )
    assert load_run(begun(tmp_path / "signs")[0].name).currency == "GBP"
    bare = [{name: row[name] for name in row if name != "Currency"} for row in postings()]
    write(tmp_path / "bare", "ledger export.csv", bare)
    assert load_run(begun(tmp_path / "bare")[0].name).currency == NO_CURRENCY
    assert (currency_of("Asia/Tokyo"), currency_of("Europe/London"), currency_of("UTC")) == ("JPY", "GBP", "")


def test_what_the_parts_of_a_pack_wait_for_is_counted_by_table(tmp_path):
    def check(number: int, text: str) -> dict[str, object]:
        return {
            "id": f"not_tested.{number}",
            "sentence": {"en": [{"t": "Not tested: a part; "}, {"t": text}, {"t": "."}]},
        }

    texts = [
        "needs surveys.score",
        "needs surveys.score, surveys.sent_at",
        "needs contracts.ends_on",
        "needs 15 months",
    ]
    block = {"kind": "checks", "checks": [check(number, text) for number, text in enumerate(texts)]}
    said = {
        "kind": "callout",
        "body": {"en": [{"t": "This part needs ledger.amount, which the data of this run do not hold."}]},
    }
    cells = [{"outputs": [{"data": {starting_mime(): one}}]} for one in (block, said)]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "10.ipynb").write_text(json.dumps({"cells": cells}), "utf-8")
    found = starting.would_add(tmp_path)
    assert [(one.table, one.columns, one.parts) for one in found] == [
        ("surveys", ("score", "sent_at"), 2),
        ("contracts", ("ends_on",), 1),
        ("ledger", ("amount",), 1),
    ]


def starting_mime() -> str:
    from analysis.exhibits.record import MIME

    return MIME


def test_nobody_to_answer_is_told_before_anything_is_read(tmp_path, capsys):
    write(tmp_path / "acme", "ledger export.csv", postings())
    assert cli.main(["start", str(tmp_path / "acme")]) == ParameterError.exit_code
    assert "--yes" in capsys.readouterr().err


def test_the_command_prints_what_it_wrote(tmp_path, capsys):
    write(tmp_path / "acme", "ledger export.csv", postings())
    assert cli.main(["start", str(tmp_path / "acme"), "--yes"]) == 0
    out = capsys.readouterr().out
    assert "params/runs/acme.yml" in out
    assert "draft, not for signature" in out
    assert "analysis report acme" in out


def test_whoever_answers_amiss_is_told_and_asked_again(tmp_path):
    write(tmp_path / "acme", "ledger export.csv", postings())
    answers = {
        "time zone": ["Mars/Base", "Europe/Paris"],
        "month": ["soon", "2026-09"],
        "template": ["?", "saass", "none"],
    }
    given = {what: iter(those) for what, those in answers.items()}
    asked: list[str] = []

    def ask(what: str, proposed: str, why: str) -> str:
        asked.append(f"{what} ({why})")
        return next(given[what], "") if what in given else ""

    started, said = begun(tmp_path / "acme", ask=ask)
    run = load_run(started.name)
    assert (run.time_zone, str(run.month), run.template) == ("Europe/Paris", "2026-09", "")
    assert "template '?' is not known." in said
    assert "Did you mean 'saas'?" in said
    assert any("one of none, " in line for line in asked if line.startswith("template"))


def test_whoever_never_answers_so_that_it_can_be_meant_is_refused(tmp_path):
    write(tmp_path / "acme", "ledger export.csv", postings())
    with pytest.raises(ParameterError, match="template 'x' is not known"):
        begun(tmp_path / "acme", ask=lambda what, proposed, why: "x" if what == "template" else "")


def test_an_earlier_map_that_lacks_a_table_is_not_taken_for_the_whole(tmp_path, project):
    """As a first start leaves it whose ledger could not be read then."""
    write(tmp_path / "acme", "ledger export.csv", postings())
    write(tmp_path / "acme", "orders.csv", orders())
    first, _ = begun(tmp_path / "acme", name="first")
    path = project / "params" / "sources" / f"{first.name}.yml"
    entries = re.split(r"(?m)^(?=  - )", path.read_text("utf-8"))
    (ledger,) = (entry for entry in entries if "table: ledger" in entry)
    path.write_text("".join(entry for entry in entries if entry != ledger), "utf-8")
    second, said = begun(tmp_path / "acme", name="second")
    assert "the map 'first' reads no ledger; the files are read as proposed here" in said
    assert "of this project reads these files as they are" in said
    assert load_run("second").source_map == "second"
    assert "ledger" in load_run("second").needs


# ---------------------------------------------------------------- what is asked of the files


def talk(answers: Mapping[str, str]) -> tuple[starting.Ask, list[str]]:
    """A person who answers questions by how they begin, and what was asked."""
    asked: list[str] = []

    def ask(what: str, proposed: str, why: str) -> str:
        asked.append(f"{what} [{proposed}] ({why})")
        return next((answer for begins, answer in answers.items() if what.startswith(begins)), "")

    return ask, asked


def with_refunds(folder: Path) -> None:
    rows = [
        {**row, "Status": "已退款" if number % 10 == 0 else "paid"} for number, row in enumerate(orders())
    ]
    write(folder, "orders.csv", rows)


def test_rows_taken_back_are_asked_about_and_the_answer_stands_in_the_map(tmp_path, project):
    with_refunds(tmp_path / "acme")
    ask, asked = talk({"orders of orders.csv, Status": "k"})
    kept, said = begun(tmp_path / "acme", ask=ask, name="kept")
    (question,) = [one for one in asked if one.startswith("orders of")]
    assert question.startswith(
        "orders of orders.csv, Status [leave out] (已退款 (31 of 304 rows with 635.50 of revenue, e.g. O0 2026-01-01"
    )
    assert question.endswith("one of leave out, refund lines, keep)")
    assert "orders: 304 rows = 304 accepted" in said
    assert not load_map("kept", columns()).tables[-1].without
    (project / "params" / "sources" / "kept.yml").unlink()
    started, said = begun(tmp_path / "acme", name="default")
    assert "Status: 已退款 (31 of 304 rows with 635.50 of revenue" in said and "left out (without)" in said
    assert "orders: 273 rows = 273 accepted" in said
    (entry,) = [one for one in load_map("default", columns()).tables if one.table == "orders"]
    assert entry.without == {"Status": ("已退款",)}


def test_money_too_fine_is_rounded_where_the_person_says_so_and_else_named_by_its_line(tmp_path):
    rows = [
        {**row, "Amount": f"{row['Amount']}5"} if number % 9 == 0 else row
        for number, row in enumerate(postings())
    ]
    write(tmp_path / "acme", "ledger export.csv", rows)
    write(tmp_path / "acme", "orders.csv", orders())
    _, said = begun(tmp_path / "acme", name="refused")
    assert (
        "left out   ledger: " in said
        and "In the export: ledger export.csv, 100.505, line 2 (51 such)." in said
    )
    ask, asked = talk({"round amount of ledger": "half_up"})
    started, said = begun(tmp_path / "acme", ask=ask, name="rounded")
    assert any("51 of 457 values have more than two decimals, e.g. 100.505" in one for one in asked)
    assert "ledger: 457 rows = 457 accepted" in said
    (entry,) = [one for one in load_map("rounded", columns()).tables if one.table == "ledger"]
    assert entry.rounded == {"amount": "half_up"}


def test_every_doubt_is_counted_and_stands_in_the_map_once(tmp_path, project):
    write(tmp_path / "acme", "Vorgänge.csv", desk(), separator=";", encoding="cp1252")
    with_refunds(tmp_path / "acme")
    _, said = begun(tmp_path / "acme")
    text = (project / "params" / "sources" / "acme.yml").read_text("utf-8").partition("tables:")[2]
    shown = len(re.findall(r"(?m)^  doubt      (?!.*resolved_at lies)", said.partition("doubts in all")[0]))
    (whole, above, rest) = map(
        int, re.search(r"(\d+) doubts in all.*?(\d+) above; the other (\d+)", said).groups()
    )
    assert whole == above + rest == text.count("# doubt: ")
    assert above == shown


def test_a_file_of_another_language_is_asked_for_its_clock_and_currency(tmp_path, project):
    write(tmp_path / "acme", "Vorgänge.csv", desk(), separator=";", encoding="cp1252")
    sales = [
        {
            "订单编号": f"D{number}",
            "下单时间": f"{day:%Y/%m/%d} 02:00:00",
            "客户编号": f"K{number % 50:04}",
            "实付金额": "100.00",
        }
        for number, day in enumerate(days(dt.date(2025, 8, 1), dt.date(2026, 10, 31)))
    ]
    write(tmp_path / "acme", "订单导出.csv", sales, encoding="gb18030")
    ask, asked = talk({"time zone": "Europe/Berlin", "currency of": "CNY", "worth of one CNY": "0.125"})
    started, said = begun(tmp_path / "acme", ask=ask, settings={"currency": "EUR"})
    (clock,) = [one for one in asked if one.startswith("clock of 订单导出.csv [Asia/Shanghai]")]
    # two in the night of the first is the last evening of the month before in Berlin
    assert "were it Europe/Berlin, 15 of 457 rows would lie in another month" in clock
    (money,) = [one for one in asked if one.startswith("currency of 订单导出.csv [EUR]")]
    assert "by its language it may be CNY; its revenue is 45,700.00 in 457 rows" in money
    run = load_run(started.name)
    assert {code: [str(rate) for rate in rates.values()] for code, rates in run.exchange_rates.items()} == {
        "CNY": ["0.125"]
    }
    # in Berlin's October: thirty days of it and the evening of the first of November is not there
    assert "in 2026-10 orders: 30 rows, revenue 375.00 EUR" in said
    (project / "params" / "sources" / "acme.yml").unlink()  # else the map that is there reads the files
    _, said = begun(tmp_path / "acme", name="default", settings={"time_zone": "Europe/Berlin"})
    assert "no currency is named; amounts are read as EUR, and by its language it may be CNY" in said


def accounts(folder: Path) -> None:
    rows = [
        {"Posting": f"P{day:%m%d}{account}", "Posting date": day.isoformat(), "Account": account, "Account name": name, "Amount": f"{base}.00", "Currency": "EUR"}
        for day in days(dt.date(2025, 11, 1), dt.date(2026, 10, 31))
        for account, name, base in (("6010", "Wages", 9), ("5400", "Spare parts", 5), ("9999", "Clearing XY", 1))
    ]  # fmt: skip
    write(folder, "ledger export.csv", rows)


def test_a_category_that_the_template_lacks_is_asked_for_and_not_counted(tmp_path, project):
    accounts(tmp_path / "acme")
    settings = {"template": "ecommerce"}
    _, said = begun(tmp_path / "acme", name="silent", settings=settings)
    assert "1 of 3 put into a category of cost" in said
    assert "2 stay unallocated with 2,190.00 of cost" in said and "labour, outsourcing, compensation" in said
    text = (project / "params/runs/silent/cost_tree.yml").read_text("utf-8")
    assert (
        'account: "5400", category: ?' in text
        and "its name says parts, which stands not under categories" in text
    )
    ask, asked = talk({"category of account 5400": "compensation"})
    _, said = begun(tmp_path / "acme", name="asked", ask=ask, settings=settings)
    (question,) = [
        one for one in asked if one.startswith("category of account 5400 Spare parts [unallocated]")
    ]
    assert "1,825.00 in all; its name says parts, which this cost tree does not have" in question
    with with_own(load_run("asked").own_params):
        assert {rule.account: rule.category for rule in CostTree.load().accounts} == {
            "6010": "labour",
            "5400": "compensation",
        }


def test_check_reads_the_cost_tree_and_lists_its_categories(tmp_path, project, capsys):
    accounts(tmp_path / "acme")
    begun(tmp_path / "acme", settings={"template": "ecommerce"})
    path = project / "params/runs/acme/cost_tree.yml"
    path.write_text(
        path.read_text("utf-8").replace("category: labour", "category: parts", 1), encoding="utf-8"
    )
    assert cli.main(["check", "acme"]) == ParameterError.exit_code
    said = capsys.readouterr().err
    assert "account 6010: unknown category 'parts'" in said
    assert (
        "Known categories: labour, outsourcing, compensation, logistics, tools_systems, training_management."
        in said
    )


def test_after_a_refused_draft_the_files_and_the_next_step_are_told(tmp_path, project, monkeypatch, capsys):
    write(tmp_path / "acme", "ledger export.csv", postings())

    def refused(name: str, **_: object) -> Edition:
        raise ContractError("the pack was refused.")

    monkeypatch.setattr(starting, "make_report", refused)
    assert cli.main(["start", str(tmp_path / "acme"), "--yes"]) == ContractError.exit_code
    told = capsys.readouterr()
    for name in ("runs/acme.yml", "runs/acme/interventions.yml", "sources/acme.yml"):
        assert f"written: project/params/{name}" in told.out
    assert re.search(r"analysis check acme .*analysis report acme --draft", told.out)
    assert "the pack was refused." in told.err
    assert cli.main(["check", "acme"]) == 0  # the step that is named works


def test_rows_set_aside_are_said_with_what_they_mean(tmp_path):
    rows = postings()
    rows[7]["Posting date"] = "soon"
    write(tmp_path / "acme", "ledger export.csv", rows)
    _, said = begun(tmp_path / "acme")
    assert "set aside  ledger: 1 of 457 rows (0.22%) count nowhere, the report is made of the others" in said
    assert "failed" not in said


def test_the_command_that_is_named_is_the_one_that_works_here(monkeypatch, tmp_path):
    import subprocess
    import sys

    from analysis.errors import command

    program = Path(sys.executable).with_name("analysis")
    if not program.is_file():
        pytest.skip("the program is not installed beside this Python")
    monkeypatch.setenv("PATH", str(tmp_path))
    bare = command("metrics labour_share")
    assert bare != "analysis metrics labour_share", "the shell would not find it"
    assert subprocess.run(bare.split(), check=True, capture_output=True).stdout
    monkeypatch.setenv("PATH", str(program.parent))
    assert command("metrics") == "analysis metrics"
