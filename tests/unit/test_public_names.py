from __future__ import annotations

import importlib
import pkgutil

import pytest


@pytest.mark.parametrize(
    "package", ["costs", "failures", "retention", "value", "stats", "exhibits", "report"]
)
def test_every_public_name_is_what_it_says(package):
    module = importlib.import_module(f"analysis.{package}")
    names = module.__all__
    assert names
    assert all(getattr(module, name) is not None for name in names)


@pytest.mark.parametrize("package", ["costs", "failures", "retention", "value", "stats"])
def test_no_submodule_hides_a_public_function(package):
    module = importlib.import_module(f"analysis.{package}")
    submodules = {found.name for found in pkgutil.iter_modules(module.__path__)}
    assert not submodules & set(module.__all__)
