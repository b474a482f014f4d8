"""What made a pack, and whether it is still as it was issued."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from report_stub import stub_run, write_notebook

from analysis.params.places import params_in_force, shipped_root
from analysis.report import manifest
from analysis.report.run import find_notebooks
from analysis.report.scrub import stated_place


@pytest.fixture
def project(tmp_path: Path, monkeypatch) -> Path:
    for name in ("runs/sample.yml", "runs/other.yml", "metrics/costs.yml", "assumptions.yml"):
        path = tmp_path / "params" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"name: {name}\n")
    (tmp_path / "requirements.lock").write_text("pandas==3\n")
    write_notebook(tmp_path / "notebooks", "10_costs")
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    monkeypatch.setattr(manifest, "source_hash", lambda: "c" * 64)
    return tmp_path


def identity(project: Path, **options):
    extra = options.pop("extra", {})
    return manifest.identity(stub_run(**options), find_notebooks(project / "notebooks"), extra=extra)


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (lambda p: (p / "params/assumptions.yml").write_text("rate: 2\n"), ["params"]),
        (lambda p: (p / "params/runs/sample.yml").write_text("month: 2026-09\n"), ["params"]),
        (lambda p: (p / "params/runs/other.yml").write_text("month: 2026-09\n"), []),
        (lambda p: (p / "params/metrics/costs.yml").write_text("cost: 2\n"), ["definitions"]),
        (lambda p: (p / "requirements.lock").write_text("pandas==4\n"), ["lock"]),
        (lambda p: write_notebook(p / "notebooks", "20_more"), ["notebooks"]),
    ],
)
def test_a_change_is_told_by_its_kind(project, change, parts):
    before = identity(project)
    assert identity(project) == before
    change(project)
    assert manifest.changed_parts(before, identity(project)) == parts


def test_other_data_and_other_questions_are_told_apart(project):
    before = identity(project)
    later = identity(project, content_hash="e" * 64)
    assert manifest.changed_parts(before, later) == ["inputs"]
    assert manifest.changed_tables(before, later) == ["ledger"]
    assert manifest.changed_parts(before, identity(project, extra={"top": "9"})) == ["params"]


def test_the_source_hash_covers_code_wording_and_the_table_contract(tmp_path, monkeypatch):
    import analysis

    package = tmp_path / "analysis"
    (package / "locale" / "zh").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(analysis, "__file__", str(package / "__init__.py"))
    hashes = {manifest.source_hash()}
    for name in ("costs.py", "locale/zh/costs.po", "contract.yml"):
        (package / name).write_text("x")
        hashes.add(manifest.source_hash())
    assert len(hashes) == 4
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "costs.pyc").write_text("x")
    assert manifest.source_hash() in hashes


def test_the_hash_of_params_covers_shipped_files_where_the_project_has_none(project):
    named = params_in_force()
    assert named["assumptions.yml"] == project / "params" / "assumptions.yml"
    assert named["cost_tree.yml"] == shipped_root() / "params" / "cost_tree.yml"
    before = identity(project)
    (project / "params" / "cost_tree.yml").write_bytes(named["cost_tree.yml"].read_bytes())
    assert identity(project) == before  # the same text, whoever holds it
    (project / "params" / "cost_tree.yml").write_text("categories: {}\n")
    assert manifest.changed_parts(before, identity(project)) == ["definitions"]


def test_an_environment_without_the_lock_is_known_by_what_is_installed(project, monkeypatch):
    (project / "requirements.lock").unlink()
    before = identity(project)
    assert identity(project) == before and before["lock"]
    monkeypatch.setattr(manifest, "distributions", list)
    assert manifest.changed_parts(before, identity(project)) == ["lock"]


def test_seals_find_what_was_changed_added_or_taken_away(tmp_path):
    for name in ("facts.json", "html/index.html", "evidence/rows.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    seals = manifest.seals(tmp_path)
    assert seals["html/index.html"] == hashlib.sha256(b"x").hexdigest()
    manifest.write_json(tmp_path / "manifest.json", {"seals": seals})
    assert manifest.broken_seals(tmp_path) == []
    (tmp_path / "facts.json").write_text("y")
    (tmp_path / "evidence" / "rows.csv").unlink()
    (tmp_path / "added.txt").write_text("z")
    assert manifest.broken_seals(tmp_path) == ["added.txt", "evidence/rows.csv", "facts.json"]


def test_a_link_to_the_same_bytes_is_no_file_of_the_pack(tmp_path):
    folder = tmp_path / "edition-1"
    folder.mkdir()
    for name in ("facts.json", "report.pdf"):
        (folder / name).write_text(name)
    manifest.write_json(folder / manifest.MANIFEST, {"seals": manifest.seals(folder)})
    assert manifest.broken_seals(folder) == []
    (folder / "report.pdf").rename(tmp_path / "away.pdf")
    (folder / "report.pdf").symlink_to("../away.pdf")
    os.mkfifo(folder / "pipe")
    assert manifest.broken_seals(folder) == ["pipe", "report.pdf"]


def test_inputs_keep_the_row_waterfall_of_each_file():
    table = manifest.inputs(stub_run())[0]
    assert (table["table"], table["rows"], table["files"][0]["file"]) == ("ledger", 10, "ledger.csv")
    file = table["files"][0]
    assert file["rows_read"] == file["accepted"] + file["quarantined"] + file["exact_duplicates"] == 12


def test_a_manifest_refuses_what_is_no_json_number(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        manifest.write_json(tmp_path / "x.json", {"value": float("nan")})


def test_the_code_version_names_the_commit_and_marks_changes(project, monkeypatch):
    monkeypatch.setattr(manifest, "shipped_root", lambda: project)
    (project / "pyproject.toml").write_text("")
    assert manifest.version_text(manifest.code_version("5" * 64)) == "0.1.0 (source 5555555555)"
    clean = {"PATH": os.environ["PATH"], "HOME": str(project), "GIT_CONFIG_NOSYSTEM": "1"}
    for command in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", "-C", str(project), *command], check=True, env=clean)
    code = manifest.code_version("5" * 64)
    assert code["uncommitted_changes"] is False
    assert manifest.version_text(code) == f"0.1.0 ({code['commit'][:10]})"
    (project / "params" / "assumptions.yml").write_text("rate: 3\n")
    assert manifest.version_text(manifest.code_version("5" * 64)).endswith("+)")


# ---------------------------------------------------------------- where the data lie


@pytest.mark.parametrize(
    ("asked", "stated"),
    [
        ("", ""),
        ("sample", "sample"),
        ("company", "company"),
        ("./data/../company/", "company"),
        ("{root}/company", "company"),
        ("../books", "books"),
        ("/srv/anna/books", "books"),
    ],
)
def test_a_pack_names_the_data_from_the_project_or_by_their_last_name(
    tmp_path: Path, asked: str, stated: str
) -> None:
    assert stated_place(asked.replace("{root}", str(tmp_path)), tmp_path) == stated


def test_this_machine_remembers_where_data_lie_outside_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "project"
    for folder in (root, tmp_path / "a" / "books", tmp_path / "b" / "books"):
        folder.mkdir(parents=True)
    monkeypatch.setenv("AFTER_SALES_ROOT", str(root))
    packs = {
        name: {"run": {"data": "books"}, "inputs_sha256": name * 64} for name in ("a", "b")
    }  # two folders of one name
    for name, stated in packs.items():
        manifest.remember_data(stated, tmp_path / name / "books")
    assert [manifest.data_of(stated) for stated in packs.values()] == [
        str(tmp_path / name / "books") for name in packs
    ]
    (root / "data" / "places.json").write_text("{")  # can be made again
    assert manifest.data_of(packs["a"]) == "books"


def test_data_within_the_project_need_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTER_SALES_ROOT", str(tmp_path))
    manifest.remember_data({"run": {"data": "company"}, "inputs_sha256": "a"}, tmp_path / "company")
    assert not (tmp_path / "data").exists()
