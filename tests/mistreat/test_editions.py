"""What was issued is changed, cut, copied or forged: it is said, and never taken for the edition that it was."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mistreat.house import MONTH, House

Change = Callable[[Path], None]


def _writable(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() else 0o644)


def manifest_cut(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text("utf-8")[:200])


def manifest_gone(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def manifest_is_a_list(folder: Path) -> None:
    (folder / "manifest.json").write_text("[]")


def manifest_is_empty(folder: Path) -> None:
    (folder / "manifest.json").write_text("")


def manifest_is_nothing(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


def manifest_is_binary(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"\xff\x00\x80" * 50)


def manifest_is_a_folder(folder: Path) -> None:
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").mkdir()


def seals_gone(folder: Path) -> None:
    path = folder / "manifest.json"
    found = json.loads(path.read_text("utf-8"))
    for name in [name for name in found if name in ("seals", "files", "sealed")]:
        del found[name]
    path.write_text(json.dumps(found))


def facts_changed(folder: Path) -> None:
    path = folder / "facts.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace("1600", "1601", 1) if "1600" in text else text + " ")


def facts_gone(folder: Path) -> None:
    (folder / "facts.json").unlink()


def facts_cut(folder: Path) -> None:
    path = folder / "facts.json"
    path.write_text(path.read_text("utf-8")[:500])


def pdf_replaced(folder: Path) -> None:
    (folder / "after-sales-report.en.pdf").write_bytes(b"%PDF-1.7 another")


def html_changed(folder: Path) -> None:
    path = folder / "html" / "en" / "index.html"
    path.write_text(path.read_text("utf-8").replace("</body>", "<p>and 5 % more</p></body>"))


def a_file_more(folder: Path) -> None:
    (folder / "evidence" / "extra.csv").write_text("a,b\n1,2\n")


def pdf_is_a_link(folder: Path) -> None:
    pdf = folder / "after-sales-report.zh.pdf"
    pdf.rename(folder.parent / "away.pdf")
    pdf.symlink_to("../away.pdf")


CHANGES: list[Change] = [
    manifest_cut, manifest_gone, manifest_is_a_list, manifest_is_empty, manifest_is_nothing, manifest_is_binary, manifest_is_a_folder, seals_gone,
    facts_changed, facts_gone, facts_cut, pdf_replaced, html_changed, a_file_more, pdf_is_a_link,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_verify_names_what_was_changed(change: Change, house: House) -> None:
    _writable(house.edition(1))
    change(house.edition(1))
    outcome = house.run("verify", f"reports/{MONTH}/edition-1")
    assert outcome.code == 7, outcome
    assert "Traceback" not in outcome.said and "fault of the program" not in outcome.said


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_next_run_does_not_build_on_a_changed_edition(change: Change, house: House) -> None:
    """It refuses and says which, or it issues the next without believing it; what was changed stays for those who look into it."""
    _writable(house.edition(1))
    change(house.edition(1))
    house.before = House(root=house.root).before
    outcome = house.report()
    assert outcome.code in (0, 7, 10), outcome
    assert "Traceback" not in outcome.said and "fault of the program" not in outcome.said
    if outcome.code:
        assert "edition" in outcome.said
    assert House(root=house.root).before["edition-1"] == house.before["edition-1"]


def test_another_company_is_not_edition_2(house: House) -> None:
    """The same month of another company (another run, another name) in one folder of reports."""
    (house.root / "params" / "runs").mkdir(parents=True, exist_ok=True)
    from mistreat.house import ROOT

    text = (ROOT / "params" / "runs" / "sample.yml").read_text("utf-8")
    changed = "\n".join(
        "company: {en: Acme, zh: 艾克米}" if line.startswith("company:") else line
        for line in text.splitlines()
    )
    assert changed != text
    (house.root / "params" / "runs" / "acme.yml").write_text(changed + "\n", "utf-8")
    outcome = house.report("--run", "acme")
    house.judge(outcome, code=(2, 7), words="company|Acme")
    assert [folder.name for folder in house.editions()] == ["edition-1"]


def test_two_runs_at_once(house: House, second: House) -> None:
    """One issues; the other is refused or finds that nothing is new."""
    one = house.start("report", "--month", MONTH, "--data", "company")
    other = house.start("report", "--month", MONTH, "--data", "company")
    said = [process.communicate(timeout=300)[0] for process in (one, other)]
    codes = sorted((one.returncode, other.returncode))
    assert codes[0] == 0 and codes[1] in (0, 7, 10), said
    assert all("Traceback" not in text and "fault of the program" not in text for text in said)
    house.sound()
    assert house.facts(2) == second.facts(2)
    assert len(house.editions()) == 2


def test_forced_again_makes_the_next_with_the_same_facts(second: House, tmp_path: Path) -> None:
    root = tmp_path / "house"
    shutil.copytree(second.root, root, symlinks=True)
    house = House(root=root)
    house.judge(house.report("--force"), code=0, words="edition-3")
    assert house.facts(3) == house.facts(2)


@pytest.mark.parametrize("what", ["rows set aside", "duplicates", "unreadable amounts"])
def test_other_rows_set_aside_are_another_edition(what: str, second: House, tmp_path: Path) -> None:
    """The same accepted rows, but the page on data quality would say something else."""
    root = tmp_path / "house"
    shutil.copytree(second.root, root, symlinks=True)
    house = House(root=root)
    if what == "duplicates":
        line = house.table("products").read_text("utf-8").splitlines()[-1]
        with house.table("products").open("a") as file:
            file.write(line + "\n")
    elif what == "rows set aside":
        with house.table("products").open("a") as file:
            file.write(",Dryers,D9\n")
    else:
        with house.table("orders").open("a") as file:
            file.write('O9,C1,P1,2026-10-31T15:59:00,"10,0,00.1x"\n')
    outcome = house.report()
    house.judge(outcome, code=(0, 4))
    if outcome.code == 0:
        assert (house.reports / MONTH / "edition-3").exists(), outcome.said


@pytest.mark.parametrize(
    "identity",
    ["nothing#x", "", "after_sales_cost", "'; drop table", "$HOME", "../../etc/passwd", "表", "x" * 5000],
)
def test_trace_of_what_is_not_there(identity: str, house: House) -> None:
    outcome = house.run("trace", "--edition", f"reports/{MONTH}/edition-1", "--", identity)
    house.judge(outcome, code=(0, 2))
