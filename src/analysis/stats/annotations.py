"""What the annotation of an argument asks of its value: a whole number, one number, a word, a fitted model.

Columns and tables are no matter of an annotation (a list, an array, a Series may be one); `arguments.in_words` is told of them by name.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

# Whole numbers of which there must be one at least; all others may be zero, and none is negative.
AT_LEAST_ONE = frozenset(
    {"draws", "folds", "max_attributes", "max_causes", "most", "points", "populations", "repeats"}
    | {"simulations", "thresholds"}
)
Wanted = Callable[[str, Any], str | None]


def wanted_of(function: Callable[..., Any]) -> dict[str, Wanted]:
    """For each argument whose annotation asks something: what says why a value is not it, or None where it is."""
    hints = typing.get_type_hints(function)
    found = {
        name: _wanted(str(entry.annotation).removesuffix(" | None"), hints.get(name))
        for name, entry in inspect.signature(function).parameters.items()
    }
    return {name: wanted for name, wanted in found.items() if wanted is not None}


def _wanted(annotation: str, hint: Any) -> Wanted | None:
    plain: dict[str, Wanted] = {
        "int": _whole,
        "float": _number,
        "bool": _flag,
        "str": _word,
        "tuple[float, float]": _pair,
        "Sequence[str]": _names,
        "str | Iterable[str]": _names,
        "pd.DataFrame": _frame,
    }
    if annotation in plain:
        return plain[annotation]
    if annotation.startswith("float | Literal"):
        return lambda name, value: None if isinstance(value, str) else _number(name, value)
    if annotation.startswith("Mapping"):
        return _mapping
    kinds = [kind for kind in typing.get_args(hint) or (hint,) if kind is not type(None)]
    if typing.get_origin(hint) is typing.Literal:
        return _word
    if len(kinds) == 1 and inspect.isclass(kinds[0]) and kinds[0].__module__.startswith("analysis."):
        return _instance(kinds[0])
    return None


def _whole(name: str, value: Any) -> str | None:
    least = 1 if name in AT_LEAST_ONE else 0
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least:
        return None
    return f"give a whole number, {least} or more."


def _number(_: str, value: Any) -> str | None:
    if hasattr(value, "total_seconds"):
        return "give a number of one unit, such as days: span / pd.Timedelta(days=1)."
    try:
        fine = np.ndim(value) == 0 and not isinstance(value, (str, bytes)) and bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        fine = False
    return None if fine else "give one finite number."


def _flag(_: str, value: Any) -> str | None:
    return None if isinstance(value, (bool, np.bool_)) else "give True or False."


def _word(_: str, value: Any) -> str | None:
    return None if isinstance(value, str) else "give a name in quotes."


def _pair(name: str, value: Any) -> str | None:
    fine = np.iterable(value) and not isinstance(value, (str, Mapping)) and len(list(value)) == 2
    return None if fine and all(_number(name, one) is None for one in value) else "give two numbers."


def _names(_: str, value: Any) -> str | None:
    fine = isinstance(value, Iterable) and all(isinstance(one, str) for one in value)
    return None if fine else "give names in quotes."


def _frame(_: str, value: Any) -> str | None:
    return None if hasattr(value, "columns") else "give a pandas DataFrame with a named column per variable."


def _mapping(_: str, value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "give a mapping, such as {'North': 300, 'South': 100}."


def _instance(kind: type) -> Wanted:
    return lambda _, value: None if isinstance(value, kind) else f"give a {kind.__name__}."
