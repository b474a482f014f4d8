"""Public names resolve, have a signature, and are seen by editors as what they are."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import analysis

PACKAGES = sorted(found.name for found in pkgutil.iter_modules(analysis.__path__) if found.ispkg)
OFFERING = [name for name in PACKAGES if hasattr(importlib.import_module(f"analysis.{name}"), "__all__")]
STUBBED = [name for name in OFFERING if Path(analysis.__path__[0], name, "__init__.pyi").is_file()]


@pytest.mark.parametrize("package", OFFERING)
def test_every_public_name_resolves_and_has_a_signature(package):
    module = importlib.import_module(f"analysis.{package}")
    assert module.__all__
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isfunction(value):
            signature = inspect.signature(value)
            said = [parameter.annotation for parameter in signature.parameters.values()]
            assert inspect.Signature.empty not in (*said, signature.return_annotation), f"{package}.{name}"
        elif inspect.isclass(value):
            assert inspect.signature(value) is not None, f"{package}.{name}"


def test_packages_that_load_late_have_stubs():
    assert STUBBED == ["costs", "exhibits", "failures", "nulls", "report", "retention", "stats", "value"]


@pytest.mark.parametrize("package", STUBBED)
def test_a_stub_hands_on_every_name(package):
    """``from .x import name as name``: without the second name a type checker takes it for private."""
    stub = Path(analysis.__path__[0], package, "__init__.pyi").read_text(encoding="utf-8")
    aliases = [
        alias
        for node in ast.walk(ast.parse(stub))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    assert [alias.name for alias in aliases] == [alias.asname for alias in aliases]
    assert {alias.name for alias in aliases} == set(importlib.import_module(f"analysis.{package}").__all__)


@pytest.mark.parametrize("package", ["costs", "failures", "retention", "value", "stats"])
def test_no_submodule_hides_a_public_function(package):
    module = importlib.import_module(f"analysis.{package}")
    submodules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    for name in submodules & set(module.__all__):
        # importing a module puts it into the place of the function of its name: lazy_loader must keep the function there
        importlib.import_module(f"analysis.{package}.{name}")
        assert not inspect.ismodule(getattr(module, name)), name
