from __future__ import annotations

import importlib

from analysis import value


def test_every_public_name_is_what_it_says():
    importlib.import_module("analysis.value.what_if")  # a submodule of the same name must not hide the function
    assert callable(value.what_if) and callable(value.clv) and callable(value.study)
    assert all(hasattr(value, name) for name in dir(value))
