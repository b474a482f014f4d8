"""README's conversation with `make start` is one that happened: the same exports, the same answers, the same words."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from analysis import cli
from analysis.report import starting
from analysis.report.publish import Edition

from ..sources.conftest import write_workbook  # isort: skip

README = Path(__file__).parents[3] / "README.md"
FIRST, LAST = dt.date(2025, 11, 1), dt.date(2026, 10, 31)


def exports(folder: Path) -> None:
    """A shop's orders in German, some of them refunded, and a journal with titles, a third decimal and a line of totals."""
    folder.mkdir()
    days = [FIRST + dt.timedelta(days=number) for number in range((LAST - FIRST).days + 1)]
    rows: list[list[object]] = [
        ["Bestellnummer", "Bestelldatum", "Kundennummer", "Nettobetrag", "Bestellstatus"]
    ]
    for number, day in enumerate(days):
        state = "erstattet" if number % 25 == 0 else "teilweise erstattet" if number % 60 == 7 else "bezahlt"
        rows.append(
            [f"B{number:04}", f"{day:%d.%m.%Y} 12:30", f"K{number % 40:03}", f"{80 + number % 9},50", state]
        )
    with (folder / "Bestellungen.csv").open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)
    accounts = (
        ("4120", "Löhne Kundendienst", 310.0),
        ("3300", "Ersatzteile", 95.0),
        ("4990", "Verrechnung", 20.0),
    )
    lines: list[list[object]] = [["Muster GmbH"], ["Buchungsjournal"], []]
    lines += [["Belegnummer", "Buchungsdatum", "Konto", "Kontobezeichnung", "Betrag"]]
    for number, day in enumerate(days[::3]):
        account, name, amount = accounts[number % 3]
        lines.append([f"J{number:04}", day, account, name, amount + (0.125 if number % 15 == 0 else 0.5)])
    lines.append(["Summe", "", "", "", sum(float(line[4]) for line in lines[4:])])  # type: ignore[arg-type]
    write_workbook(folder / "Journal.xlsx", {"Journal": lines}, merged=["A1:E1", "A2:E2"])


def transcript() -> str:
    """The conversation in README, its lines joined: they are wrapped there."""
    (block,) = re.findall(
        r"```text\n\$ make start FOLDER=exports\n(.*?)```", README.read_text("utf-8"), re.DOTALL
    )
    return " ".join(block.split())


def answers(text: str) -> Iterator[str]:
    """What was typed in it: whatever stands behind the colon of a question."""
    for _, typed in re.findall(r"(\]\ \([^«]*?\)): «(.*?)»", text):
        yield typed


def test_the_conversation_in_readme_is_one_that_happened(tmp_path, monkeypatch, capsys):
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.setenv("AFTER_SALES_ROOT", str(root))
    monkeypatch.chdir(root)
    made = root / "reports" / "_drafts" / "2026-10-1"
    (made / "notebooks").mkdir(parents=True)
    monkeypatch.setattr(
        starting, "make_report", lambda name, **_: Edition(folder=made, month="2026-10", number=1, draft=True)
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    exports(root / "exports")
    typed = answers(transcript())

    def asked(prompt: str) -> str:
        answer = next(typed, "")
        print(f"{prompt}«{answer}»")
        return answer

    monkeypatch.setattr("builtins.input", asked)
    assert cli.main(["start", str(root / "exports")]) == 0
    said = " ".join(capsys.readouterr().out.partition("next: ")[0].split())
    assert said == transcript()
