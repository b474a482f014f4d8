"""The command line: help at once, a refusal with its exit code and no traceback, what was typed passed on as it stands."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace

import pytest

from analysis import cli, errors
from analysis.params import project_root
from analysis.report.publish import Edition

COMMANDS = (
    "report",
    "start",
    "trace",
    "sample",
    "check",
    "map",
    "metrics",
    "bench",
    "nulls",
    "golden",
    "verify",
    "clean",
)


def analysis(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_help_loads_nothing_heavy_and_answers_at_once():
    script = (
        "import sys, time\nstart = time.perf_counter()\nfrom analysis import cli\n"
        "try:\n    cli.main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'duckdb', 'matplotlib', 'papermill', 'rich', 'yaml'} & set(sys.modules)\n"
        "print('heavy', sorted(heavy), 'seconds', time.perf_counter() - start)"
    )
    last = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]
    assert "heavy []" in last
    assert float(last.split()[-1]) < 0.3


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as done:
        cli.main([command, "--help"])
    assert done.value.code == 0
    shown = capsys.readouterr().out
    assert f"examples:\n  analysis {command}" in shown
    assert "--debug" in shown


def test_the_list_of_commands_is_whole(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    shown = capsys.readouterr().out
    assert set(COMMANDS) == set(re.findall(r"^    ([a-z]+)  ", shown, re.MULTILINE))


REFUSALS = [
    errors.ParameterError,
    errors.SourceError,
    errors.ContractError,
    errors.MissingData,
    errors.NotebookFailed,
    errors.PublicationRefused,
    errors.FitError,
    errors.PackIncomplete,
    errors.PlaceError,
]


@pytest.mark.parametrize("kind", REFUSALS)
def test_each_refusal_has_its_own_exit_code(kind, monkeypatch, capsys):
    def refuse(*_, **__):
        raise kind("ledger: 14 rows share a key.")

    monkeypatch.setattr("analysis.report.make.make_report", refuse)
    code = cli.main(["report"])
    shown = capsys.readouterr().err
    assert code == kind.exit_code
    assert "ledger: 14 rows share a key." in shown
    assert "Traceback" not in shown


def test_exit_codes_differ_and_are_listed():
    codes = [kind.exit_code for kind in REFUSALS]
    assert len(set(codes)) == len(codes)
    listed = {int(code) for code in re.findall(r"(\d+) ", cli.EXIT_CODES)}
    assert {*codes, 0, cli.UNEXPECTED} <= listed


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "reports/2026-10/facts.json: no space left on device. Free some space"),
        (errno.EROFS, "read-only file system. Check who may"),
        (errno.EACCES, "permission denied. Check who may"),
        (errno.ENOTDIR, "not a directory. A file stands where a folder should be"),
        (errno.EISDIR, "is a directory. A file stands where a folder should be, or a folder"),
        (errno.ELOOP, "Links lead in a circle"),
        (errno.ENAMETOOLONG, "Use a shorter name"),
        (errno.EIO, "The disk or the network drive"),
        (errno.EMFILE, "ulimit -n"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_the_program(number, said, monkeypatch, capsys):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number), str(project_root() / "reports" / "2026-10" / "facts.json"))

    monkeypatch.setattr("analysis.report.make.make_report", refuse)
    assert cli.main(["report"]) == errors.PlaceError.exit_code
    shown = capsys.readouterr().err
    assert said in shown and "fault of the program" not in shown and "Traceback" not in shown
    assert str(project_root()) not in shown


def test_a_place_elsewhere_is_named_without_the_way_to_it(monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "/home/somebody/secret/reports")

    monkeypatch.setattr("analysis.report.make.make_report", refuse)
    assert cli.main(["report"]) == errors.PlaceError.exit_code
    assert "somebody" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "not enough memory"),
        (BrokenProcessPool("a process was terminated"), "ended from outside"),
        (
            FileNotFoundError(errno.ENOENT, "x", str(Path(errors.__file__).parent / "fonts" / "lost.ttf")),
            "fonts/lost.ttf: a file of the program is missing. Install it again",
        ),
    ],
)
def test_a_machine_at_its_end_is_told_in_words(error, said, monkeypatch, capsys):
    monkeypatch.setattr("analysis.report.make.make_report", lambda *_, **__: (_ for _ in ()).throw(error))
    assert cli.main(["report"]) == errors.PlaceError.exit_code
    assert said in capsys.readouterr().err


def test_a_file_that_the_program_itself_lost_is_its_fault(monkeypatch, capsys):
    lost = FileNotFoundError(errno.ENOENT, "No such file", "/nowhere/at/all")
    monkeypatch.setattr("analysis.report.make.make_report", lambda *_, **__: (_ for _ in ()).throw(lost))
    assert cli.main(["report"]) == cli.UNEXPECTED


def test_a_fault_of_the_program_is_said_and_its_traceback_is_for_debug(monkeypatch, capsys):
    monkeypatch.setattr("analysis.report.make.make_report", lambda *_, **__: 1 / 0)
    assert cli.main(["report"]) == cli.UNEXPECTED
    assert (
        "a fault of the program: ZeroDivisionError: division by zero\nRun the same command with --debug"
        in capsys.readouterr().err
    )
    for arguments in (["--debug", "report"], ["report", "--debug"]):
        with pytest.raises(ZeroDivisionError):
            cli.main(arguments)
    monkeypatch.delenv("AFTER_SALES_DEBUG", raising=False)


def test_what_was_typed_reaches_the_report(monkeypatch, capsys, tmp_path):
    asked: dict[str, object] = {}

    def make_report(run: str, **options: object) -> Edition:
        asked.update(options, run=run)
        return Edition(
            folder=tmp_path / "2026-09" / "edition-2", month="2026-09", number=2, tied_out=False, restated=3
        )

    monkeypatch.setattr("analysis.report.make.make_report", make_report)
    typed = "report --run acme --map desk --slice region=South --slice region=East --month 2026-09 --data my data --as-of 2026-10-12 --notebooks 10,20 90 -p top=7 -p note=a=b --force --draft --workers 1"
    arguments = typed.replace("my data", "my_data").split()
    arguments[arguments.index("my_data")] = "my data"
    assert cli.main(arguments) == 0
    asked.pop("progress")
    assert asked == {
        "run": "acme",
        "month": "2026-09",
        "data": "my data",
        "source_map": "desk",
        "cut": {"region": ["South", "East"]},
        "as_of": "2026-10-12",
        "notebooks": ["10", "20", "90"],
        "parameters": {"top": "7", "note": "a=b"},
        "reports": None,
        "workers": 1,
        "force": True,
        "draft": True,
    }
    shown = capsys.readouterr().out
    assert "3 numbers read differently from the last edition" in shown
    assert "NOT TIED OUT" in shown


@pytest.mark.parametrize(
    ("typed", "asked"),
    [("--quarter 2026-Q3", "2026-Q3"), ("--year 2026", "2026"), ("--month 2026-10", "2026-10"), ("", "")],
)
def test_the_one_period_that_was_typed_reaches_the_report(typed, asked, monkeypatch, tmp_path):
    found: dict[str, object] = {}

    def make_report(run: str, **options: object) -> Edition:
        found.update(options)
        return Edition(folder=tmp_path, month=asked, number=1)

    monkeypatch.setattr("analysis.report.make.make_report", make_report)
    assert cli.main(["report", *typed.split()]) == 0
    assert found["month"] == asked


def test_a_quarter_that_is_none_is_refused_in_words(capsys):
    assert cli.main(["report", "--quarter", "2026-Q5"]) == errors.ParameterError.exit_code
    assert "quarter '2026-Q5': not a quarter; write it as 2026-Q3" in capsys.readouterr().err
    assert cli.main(["report", "--quarter", "2026-Q3", "--year", "2026"]) == errors.ParameterError.exit_code
    assert "a report has one period" in capsys.readouterr().err


def test_an_unchanged_month_says_which_edition_stands(monkeypatch, capsys, tmp_path):
    standing = Edition(folder=tmp_path, month="2026-10", number=3, unchanged=True)
    monkeypatch.setattr("analysis.report.make.make_report", lambda *_, **__: standing)
    assert cli.main(["report"]) == 0
    assert "unchanged: edition 3 of 2026-10 stands" in capsys.readouterr().out


def test_a_parameter_without_a_value_is_refused(capsys):
    assert cli.main(["report", "-p", "top"]) == 2
    assert "parameter 'top': should be name=value" in capsys.readouterr().err


def test_every_stage_has_a_closing_line_with_its_time():
    from analysis.report.progress import Progress

    progress = Progress()
    with progress.stage("prepare data") as note:
        note("ledger: 12 rows")
        time.sleep(0.06)
    with pytest.raises(ValueError, match="no"), progress.stage("check"):
        raise ValueError("no")
    first, second = progress.lines()
    assert re.fullmatch(r"  prepare data      0\.1 s  ledger: 12 rows", first)
    assert second.startswith("  check         ")


def test_nothing_moves_on_a_pipe_and_each_stage_is_said_as_it_ends():
    import io

    from analysis.report.progress import TerminalProgress

    stream = io.StringIO()
    progress = TerminalProgress(stream)
    with progress.stage("export"):
        progress.bar("10_costs", 4)()
        assert stream.getvalue() == ""
    assert stream.getvalue().splitlines() == progress.lines() and len(progress.lines()) == 1
    with progress.stage("check files"):
        pass
    progress.close()
    assert stream.getvalue().splitlines() == progress.lines() and len(progress.lines()) == 2


def test_the_check_command_prints_where_the_rows_went():
    part = SimpleNamespace(
        file="ledger.csv", rows_read=1200, accepted=1197, quarantined=2, exact_duplicates=1
    )
    tables = SimpleNamespace(
        tables={
            "ledger": SimpleNamespace(waterfall=(part,), present=True),
            "surveys": SimpleNamespace(waterfall=(), present=False),
        }
    )
    lines = cli._waterfall(tables).splitlines()
    assert lines[1].split() == ["ledger", "ledger.csv", "1,200", "1", "2", "1,197"]
    assert lines[-1] == "absent: surveys"


def test_an_issued_edition_is_verified_by_its_seals(tmp_path, capsys):
    from analysis.report import manifest

    (tmp_path / "facts.json").write_text("{}")
    manifest.write_json(tmp_path / "manifest.json", {"seals": manifest.seals(tmp_path)})
    assert cli.main(["verify", str(tmp_path)]) == 0
    assert "1 files, all as they were issued" in capsys.readouterr().out
    (tmp_path / "facts.json").write_text("{} ")
    assert cli.main(["verify", str(tmp_path)]) == errors.PublicationRefused.exit_code
    assert cli.main(["verify", str(tmp_path / "nowhere")]) == errors.ParameterError.exit_code


def test_clean_removes_what_can_be_made_again_and_no_edition(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    for name in (
        "build/explore",
        "data/tables/x",
        "data/sample",
        "data/mine",
        "reports/2026-10/edition-1",
        "reports/.building-2026-10-a",
        "reports/_quarantine/x",
    ):
        (tmp_path / name).mkdir(parents=True)
    assert cli.main(["clean"]) == 0
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert {"data/sample", "data/mine", "reports/2026-10/edition-1", "reports/_quarantine/x"} <= left
    assert not {"build", "data/tables", "reports/.building-2026-10-a"} & left
    assert cli.main(["clean", "--all"]) == 0
    assert (tmp_path / "data" / "mine").exists()
    assert (tmp_path / "reports" / "2026-10" / "edition-1").exists()
    assert not (tmp_path / "data" / "sample").exists()


def test_a_reader_that_stops_reading_is_no_fault():
    command = f"{sys.executable} -m analysis.cli metrics | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_run_is_refused_with_a_suggestion(tmp_path):
    done = analysis(
        "check", "--run", "sampel", env={**os.environ, "AFTER_SALES_ROOT": str(Path(__file__).parents[2])}
    )
    assert done.returncode == 2
    assert "Did you mean 'sample'" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("report", "--workers", "0"),
        ("report", "--workers", "-3"),
        ("report", "--workers", "9" * 5_000),
        ("report", "--reports", "x" * 5_000),
        ("report", "--reports", "postgres://joe:hunter2@host/db"),
        ("report", "postgres://joe:hunter2@host/db"),
        ("report", "--data", "postgres://joe:hunter2@host/db"),
        ("report", "--data", "x" * 5_000),
        ("report", "--run", "x" * 5_000),
        ("report", "--as-of", "9999-12-31"),
        ("report", "--month", "2026-13"),
        ("report", "--quarter", "2026-Q5"),
        ("report", "--quarter", "postgres://joe:hunter2@host/db"),
        ("report", "--year", "26"),
        ("report", "--month", "2026-10", "--quarter", "2026-Q3"),
        ("check", "--quarter", "2026-Q3", "--year", "2026"),
        ("check", "postgres://joe:hunter2@host/db"),
        ("check", "x" * 5_000),
        ("verify", "postgres://joe:hunter2@host/db"),
        ("sample", "--seed", "-1"),
        ("nulls", "--scale", "nan"),
        ("nulls", "--seeds", "0"),
    ],
)
def test_what_is_typed_wrong_is_refused_shortly_and_without_passwords(arguments, capsys):
    try:
        code = cli.main(list(arguments))
    except SystemExit as ended:
        code = ended.code
    shown = capsys.readouterr().err
    assert code == errors.ParameterError.exit_code
    assert "fault of the program" not in shown and "Traceback" not in shown
    assert "hunter2" not in shown and "joe" not in shown
    assert len(shown) < 3_500  # usage included


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AFTER_SALES_THREADS", "abc"),
        ("AFTER_SALES_THREADS", "0"),
        ("AFTER_SALES_THREADS", ""),
        ("AFTER_SALES_MEMORY", "much"),
        ("AFTER_SALES_MEMORY", "-1GB"),
        ("AFTER_SALES_MEMORY", "nan"),
    ],
)
def test_a_number_of_the_environment_is_one(monkeypatch, name, value):
    from analysis.metrics.backend import DuckDB

    monkeypatch.setenv(name, value)
    with pytest.raises(errors.ParameterError, match=f"{name} '{value}'"):
        DuckDB()


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("option", ["--data", "--month", "--quarter", "--year", "--run", "--as-of"])
def test_an_option_that_is_given_and_empty_is_refused(option, value, capsys):
    """``DATA=$FOLDER`` with FOLDER unset would otherwise issue the sample company's pack."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["report", option, value])
    assert ended.value.code == 2
    assert f"{option} is empty" in capsys.readouterr().err


def test_a_stop_inside_a_query_is_no_fault_of_the_program(monkeypatch, capsys):
    """The engine raises this in place of the interrupt (seen: SIGTERM while tables were made)."""

    def stopped(_: object) -> None:
        raise RuntimeError("Query interrupted")

    monkeypatch.setattr(cli, "_clean", stopped)
    assert cli.main(["clean"]) == 130
    assert capsys.readouterr().err == "interrupted: nothing was issued.\n"
