"""Columns whose headings tell nothing are told by what they hold, and only where the rest of the file speaks for the table."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.cli import main
from analysis.sources import MapEntry, load_map
from analysis.sources.byvalues import column_of_words, first_moment, row_number, sides_of_an_amount
from analysis.sources.headings import load_vocabulary, similarity, split
from analysis.sources.profiles import Profile
from analysis.tables import contract

TABLES = {name: tuple(table.columns) for name, table in contract().tables.items()}
SHORT = load_vocabulary().short
LIGHT = frozenset(load_vocabulary().light)


def profiles(**columns: list[str]) -> dict[str, Profile]:
    return {name: Profile(name, cells) for name, cells in columns.items()}


def proposed(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, MapEntry]]:
    assert main(["map", str(folder)]) == 0
    text = capsys.readouterr().out
    path = folder / "acme.yml"
    path.write_text(text, encoding="utf-8")
    return text, {entry.table: entry for entry in load_map("acme", TABLES, path=path).tables}


def test_two_sides_of_an_amount_are_those_of_which_each_row_has_one():
    left = [f"{n}.50" if n % 4 else "" for n in range(1, 21)]
    right = ["" if n % 4 else f"{n}.25" for n in range(1, 21)]
    assert sides_of_an_amount(profiles(a=left, b=right), ()) == ("a", "b")
    zeros = [cell or "0,00" for cell in right]  # nothing is written as nothing or as a zero
    assert sides_of_an_amount(profiles(a=left, b=zeros), ()) == ("a", "b")
    both = [f"{n}.25" for n in range(1, 21)]  # price and total stand in every row
    assert sides_of_an_amount(profiles(a=both, b=both), ()) is None
    assert sides_of_an_amount(profiles(a=left, b=right), ("a",)) is None
    assert sides_of_an_amount(profiles(a=left[:4], b=right[:4]), ()) is None  # four rows may be a chance


def test_the_number_of_a_row_repeats_hardly_and_is_called_a_number():
    ids = [f"X{n}" for n in range(100)]
    found = profiles(流水单号=ids, remark=ids)
    assert row_number(found, (), lambda name: split(name, SHORT)) == "流水单号"
    assert row_number({"remark": found["remark"]}, (), lambda name: split(name, SHORT)) == ""
    often = profiles(number=[f"X{n % 9}" for n in range(100)])
    assert row_number(often, (), lambda name: split(name, SHORT)) == ""


def test_the_first_moment_is_there_in_every_row_and_before_the_others():
    begun = [f"{n:02}.10.2026 08:00" for n in range(13, 25)]
    ended = [f"{n:02}.10.2026 09:00" if n % 5 else "" for n in range(13, 25)]
    assert first_moment(profiles(a=begun, b=ended), ()) == "a"
    assert first_moment(profiles(a=ended, b=begun), ()) == "b"
    assert first_moment(profiles(a=begun, b=ended), ("a",)) == ""  # the other is not in every row
    assert first_moment(profiles(a=begun, b=begun), ()) == ""  # two that are alike tell nothing


def test_words_of_a_state_tell_the_column_and_two_such_columns_tell_none():
    words = ["Erledigt", "Offen", "Offen"] * 9

    def known(profile: Profile) -> float:
        return float(all(word.casefold() in ("erledigt", "offen") for word in profile.words))

    assert column_of_words(profiles(a=words, b=["x", "y", "z"] * 9), (), known) == "a"
    assert column_of_words(profiles(a=words, b=words), (), known) == ""


def test_a_ledger_with_sides_that_nobody_called_debit(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(
        f"{n % 28 + 1:02}.{n % 12 + 1:02}.2026;V{n};4{n % 3}00;{'' if n % 5 == 0 else f'{n},50'};{f'{n},25' if n % 5 == 0 else ''}\n"
        for n in range(1, 60)
    )
    (tmp_path / "Buchungen.csv").write_text(
        "Tag;Beleg;Konto;Zugang hier;Abgang hier\n" + rows, encoding="utf-8"
    )
    text, found = proposed(tmp_path, capsys)
    ledger = found["ledger"]
    assert (ledger.columns["amount"], ledger.less) == ("Zugang hier", {"amount": "Abgang hier"})
    assert ledger.columns["posted_on"] == "Tag"
    assert "each row has one of Zugang hier and Abgang hier" in text
    assert "Tag is taken for posted_on by what it holds" in text


def test_nothing_is_told_by_values_where_no_heading_speaks_for_a_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = "".join(f"A{n},2026-10-{n % 28 + 1:02},{n}.5,\n" for n in range(40))
    (tmp_path / "probe.csv").write_text("station nr,measured,ph,salt\n" + rows, encoding="utf-8")
    assert main(["map", str(tmp_path)]) != 0
    assert "params/vocabulary.yml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("heading", "phrase"),
    [
        ("fields.resolutiondate", "resolution date"),
        ("customerid", "customer id"),
        ("Rec'd Date", "received date"),
        ("RMA #", "rma number"),
        ("Labor Hrs", "labor hours"),
        ("会员编码", "会员编号"),
        ("会员号", "会员编号"),
        ("下单日期", "下单时间"),
    ],
)
def test_the_same_heading_in_another_writing(heading: str, phrase: str):
    assert similarity(split(heading, SHORT), split(phrase, SHORT), LIGHT | {"fields"}) >= 0.85


@pytest.mark.parametrize(
    ("heading", "phrase"), [("编码", "编号"), ("客户编码", "会员编码"), ("下单日期", "付款日期")]
)
def test_another_thing_with_the_same_ending_is_not_the_same(heading: str, phrase: str):
    assert similarity(split(heading, SHORT), split(phrase, SHORT), LIGHT) < 0.85


@pytest.mark.parametrize(
    ("first", "form"),
    [("2026-{:02}", "%Y-%m"), ("2026年{:02}月", "%Y年%m月"), ("{:02}/2026", "%m/%Y"), ("2026{:02}", "%Y%m")],
)
def test_months_without_a_day_are_months_of_a_roster(
    first: str, form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = "".join(f"E{n % 5},{first.format(n // 5 + 1)},{140 + n},{4000 + n}\n" for n in range(50))
    (tmp_path / "hours.csv").write_text("Employee,Month,Worked Hrs,Gross Pay\n" + rows, encoding="utf-8")
    staff = proposed(tmp_path, capsys)[1]["staff"]
    assert (staff.columns["month"], staff.dates["month"]) == ("Month", form)


def test_firsts_of_months_tell_the_order_of_day_and_month():
    firsts = [f"01/{month:02}/2026" for month in range(1, 11)]
    day_first = Profile("Month", firsts).dates
    assert day_first is not None and (day_first.form, day_first.other) == ("%d/%m/%Y", "")
    month_first = Profile("Month", [f"{month:02}/01/2026" for month in range(1, 11)]).dates
    assert month_first is not None and (month_first.form, month_first.other) == ("%m/%d/%Y", "")
    unclear = Profile("Day", ["04/05/2026", "06/07/2026", "08/09/2026"]).dates
    assert unclear is not None and unclear.other


def test_accounts_by_number_and_name_are_a_ledger_whatever_the_file_is_called(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    rows = "".join(
        f"2026-10-{n % 28 + 1:02},{n},Acme,{('6010 Wages', '6050 Parts')[n % 2]},Service,{n}.50\n"
        for n in range(1, 60)
    )
    (tmp_path / "Detail by Account.csv").write_text(
        "Date,Num,Name,Account,Class,Amount\n" + rows, encoding="utf-8"
    )
    found = proposed(tmp_path, capsys)[1]
    assert found["ledger"].columns["account"] == "Account" and "orders" not in found
    assert "customers" not in found


def test_a_grade_that_is_best_at_one_is_a_doubt(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "".join(f"V{n};{n % 28 + 1:02}.10.2026 08:00;Offen;{n % 5 + 1}\n" for n in range(40))
    (tmp_path / "Vorgänge.csv").write_text("Vorgangsnummer;Eingang;Zustand;Note\n" + rows, encoding="utf-8")
    text, found = proposed(tmp_path, capsys)
    assert found["surveys"].columns["score"] == "Note"
    assert "of a German grade 1 is the best" in text


def test_a_folder_of_parquet_parts_is_looked_at_and_another_folder_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    import pyarrow as pa
    import pyarrow.parquet as pq

    for part in (1, 2):
        folder = tmp_path / "tickets" / f"month=2026-0{part}"
        folder.mkdir(parents=True)
        rows = {
            "Ticket ID": [f"T{part}{n}" for n in range(9)],
            "Created at": [f"2026-0{part}-0{n + 1} 08:00:00Z" for n in range(9)],
            "Type": ["repair"] * 9,
        }
        pq.write_table(pa.table(rows), folder / "part-0.parquet")
    (tmp_path / "pictures").mkdir()
    text, found = proposed(tmp_path, capsys)
    assert found["tickets"].file == "tickets/**/*.parquet"
    assert "pictures: doubt: not looked at: a folder without a file that is read here" in text
