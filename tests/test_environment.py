"""One environment, stated three times (pyproject, lock, environment.yml), and the three agree."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())


def locked() -> list[tuple[Requirement, int]]:
    """Every pinned requirement of the lock with its number of hashes."""
    found: list[tuple[Requirement, int]] = []
    for line in LOCK.splitlines():
        if line and not line.startswith((" ", "#", "-")):
            found.append((Requirement(line.rstrip(" \\")), 0))
        elif line.strip().startswith("--hash=sha256:"):
            requirement, hashes = found[-1]
            found[-1] = (requirement, hashes + 1)
    return found


def asked() -> list[Requirement]:
    project = PROJECT["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    return [Requirement(text) for text in project["dependencies"] + extras]


def conda_python() -> str:
    return next(
        entry.partition("=")[2]
        for entry in CONDA["dependencies"]
        if isinstance(entry, str) and entry.startswith("python=")
    )


def test_everything_asked_for_is_locked_to_a_version_that_was_asked_for():
    versions: dict[str, list[str]] = {}
    for requirement, _ in locked():
        (pin,) = requirement.specifier
        assert pin.operator == "==", requirement
        versions.setdefault(canonicalize_name(requirement.name), []).append(pin.version)
    for requirement in asked():
        pins = versions.get(canonicalize_name(requirement.name))
        assert pins, f"{requirement.name} is not in requirements.lock; run `make lock`"
        assert all(requirement.specifier.contains(pin) for pin in pins), requirement


def test_every_pin_has_its_hashes():
    assert len(locked()) > 50
    assert [requirement.name for requirement, hashes in locked() if hashes == 0] == []


def test_the_lock_names_no_host_and_nothing_editable():
    assert not re.search(r"https?://|^-|@ file", LOCK, re.MULTILINE)


def test_conda_gets_the_lock_with_hashes_and_nothing_beside_it():
    plain = [entry for entry in CONDA["dependencies"] if isinstance(entry, str)]
    (pip,) = (entry["pip"] for entry in CONDA["dependencies"] if isinstance(entry, dict))
    assert pip == ["--require-hashes", "-r requirements.lock"]
    assert sorted(entry.partition("=")[0] for entry in plain) == ["pip", "python"]
    assert CONDA["channels"] == ["conda-forge"]


def test_condas_python_is_one_that_the_project_and_the_lock_support():
    python = conda_python()
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(f"{python}.0")
    markers = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": "linux",
        "platform_machine": "x86_64",
    }
    chosen = {
        canonicalize_name(r.name) for r, _ in locked() if r.marker is None or r.marker.evaluate(markers)
    }
    assert {canonicalize_name(requirement.name) for requirement in asked()} <= chosen


def test_no_package_is_pinned_twice_for_one_python():
    for python in ("3.11", "3.12", "3.13"):
        markers = {
            "python_version": python,
            "python_full_version": f"{python}.1",
            "sys_platform": "linux",
            "platform_machine": "x86_64",
        }
        names = [
            canonicalize_name(r.name) for r, _ in locked() if r.marker is None or r.marker.evaluate(markers)
        ]
        assert len(names) == len(set(names))


def test_the_readme_names_the_commands_that_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(
        re.findall(r"`make ([a-z-]+)|^    make ([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    )
    assert {name for pair in named for name in pair if name} <= targets


def test_every_target_is_listed_by_make_help():
    makefile = (ROOT / "Makefile").read_text()
    phony = set(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE))
    listed = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert phony == listed
    assert {
        "report",
        "test",
        "test-slow",
        "lab",
        "check",
        "bench",
        "trace",
        "sample",
        "golden",
        "lock",
        "clean",
    } <= listed


@pytest.mark.parametrize("name", ["Makefile", "environment.yml", ".ci/run", "pyproject.toml"])
def test_no_machine_is_named(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"/(?:home|root|work|tmp)/|[a-z]+\.(?:internal|corp|local)\b", text)


def test_the_files_that_begin_first_are_there(pytestconfig: pytest.Config) -> None:
    """``LONGEST`` of tests/conftest.py names parts of paths; one that names nothing has been forgotten."""
    conftest = pytestconfig.pluginmanager.get_plugin(str(ROOT / "tests" / "conftest.py"))
    tests = [
        path.relative_to(ROOT).as_posix()
        for folder in ("tests", "notebooks")
        for path in (ROOT / folder).rglob("*.*")
    ]
    for part in conftest.LONGEST:
        assert any(part in path for path in tests), part
