"""What a customer is worth, and what service experience does to it.

Names are imported when first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_EXPORTS: dict[str, str] = {
    "clv": "lifetime",
    "CustomerValues": "lifetime",
    "ValueBase": "base",
    "study": "worth",
    "ValueStudy": "worth",
    "service_effects": "effects",
    "what_ifs": "what_if",
    "what_if": "what_if",
}

__all__ = sorted(_EXPORTS)


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_EXPORTS[name]}")
    value = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    """Importing the submodule ``what_if`` must not hide the public function of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "what_if" and isinstance(value, ModuleType):
            value = value.what_if
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
