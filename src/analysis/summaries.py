"""How a result looks in a session: a line or two, a table of its parts, and a chart where one is natural.

A result holds frames, hundreds of facts and fitted arrays. What Python prints of a dataclass shows all of them; :class:`Summarised` prints its
class, its scalar fields, the shape of its frames and the number of everything else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from html import escape
from numbers import Number
from typing import TYPE_CHECKING, Any

from analysis.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

LONGEST_VALUE = 70
LONGEST_REPR = 1200
FEW = 6

# What draws a result, by the full name of its class; filled from the right (``exhibits.plots``), since nothing here knows a chart.
PLOTS: dict[str, Callable[..., Any]] = {}


class Summarised:
    """Base of result dataclasses: short ``repr``, ``summary()``, HTML for JupyterLab, ``plot()``."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # @dataclass writes a __repr__ of its own unless the class itself has one
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Summarised.__repr__  # type: ignore[method-assign]

    def in_brief(self) -> str:
        """What stands for this result inside another one."""
        return type(self).__name__

    def __repr__(self) -> str:
        parts = [f"{name}={text}" for name, text in _parts(self) if text != "None"]
        whole = f"{type(self).__name__}({', '.join(parts)})"
        return whole if len(whole) <= LONGEST_REPR else f"{whole[: LONGEST_REPR - 2]}…)"

    def summary(self) -> pd.DataFrame:
        """The parts of the result, one row each.

        Returns
        -------
        DataFrame, indexed by the name of the part
            ``value``: a scalar as text, the shape of a table or array, the number and kind of everything else.

        Examples
        --------
        >>> from analysis import stats
        >>> stats.poisson_interval(4, 200.0).summary().loc["value", "value"]
        '0.02'
        """
        import pandas as pd

        parts = _parts(self)
        return pd.DataFrame(
            {"value": [text for _, text in parts]},
            index=pd.Index([name for name, _ in parts], name=type(self).__name__),
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in _parts(self)
            if text != "None"
        )
        return f"<table><caption>{escape(type(self).__name__)}</caption>{rows}</table>"

    def plot(self, *, language: str | None = None, unit: str = "") -> Any:
        """The natural chart of this result as a matplotlib figure, where a picture says something.

        Parameters
        ----------
        language : str, optional
            ``en`` or ``zh``; as blocks are shown (``AFTER_SALES_LANGUAGE``) where left out.
        unit : str
            Name of the unit of times or values, for the axis: a fit knows numbers only.

        Returns
        -------
        Figure

        Raises
        ------
        ParameterError
            Where there is no picture: it names the parts of this result that have one.

        Examples
        --------
        >>> import analysis.workbook  # draws
        >>> from analysis import stats
        >>> (axes,) = stats.kaplan_meier([2, 3, 5, 8], [1, 1, 0, 1]).plot(language="en", unit="months").axes
        >>> axes.get_title(loc="left"), axes.get_xlabel()
        ('Share without the event, with 95% interval', 'time (months)')
        """
        for kind in type(self).__mro__:
            draw = PLOTS.get(f"{kind.__module__}.{kind.__qualname__}")
            if draw is not None:
                return draw(self, language=language, unit=unit)
        if not PLOTS:
            raise ParameterError("charts are drawn by the workbook: import analysis.workbook first.")
        drawn = [name for name, value in _fields(self) if _has_picture(value)]
        instead = f"draw a part of it: {', '.join(drawn)}." if drawn else "its numbers are in summary()."
        raise ParameterError(
            f"{type(self).__name__} has no picture of its own; {instead} The charts of a study are in analysis.exhibits."
        )


def _fields(result: Any) -> list[tuple[str, Any]]:
    """Name and value of each public field."""
    if not is_dataclass(result):
        return []
    return [
        (field.name, getattr(result, field.name))
        for field in fields(result)
        if field.repr and not field.name.startswith("_")
    ]


def _has_picture(value: Any) -> bool:
    return any(f"{kind.__module__}.{kind.__qualname__}" in PLOTS for kind in type(value).__mro__)


def _parts(result: Any) -> list[tuple[str, str]]:
    """Name and brief text of each public field."""
    return [(name, brief(value)) for name, value in _fields(result)]


def brief(value: Any) -> str:
    """A value in at most 70 characters: scalars as they are, everything else by kind and size."""
    text = _brief(value).replace("\n", " ")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _brief(value: Any) -> str:
    if isinstance(value, Summarised):
        return value.in_brief()
    if value is None or isinstance(value, (bool, str, int, dt.date)):
        return str(value)
    if isinstance(value, (float, Decimal, Number)):
        return f"{value:,.6g}" if not isinstance(value, complex) else str(value)
    if isinstance(value, type) or callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if hasattr(value, "shape") and hasattr(value, "ndim"):
        return _array(value)
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, (tuple, list, set, frozenset)):
        return _sequence(list(value))
    return _plain(value)


def _plain(value: Any) -> str:
    """An object without a known shape: its own short words, or its kind when it has none."""
    text = str(value)
    return text if len(text) <= LONGEST_VALUE and " object at 0x" not in text else type(value).__name__


def _array(value: Any) -> str:
    shape = tuple(value.shape)
    if hasattr(value, "columns"):
        return f"table, {shape[0]:,} rows x {shape[1]} columns"
    if not shape:
        return brief(value.item())
    if len(shape) == 1 and shape[0] <= FEW:
        return f"[{', '.join(brief(entry) for entry in value.tolist())}]"
    return f"{type(value).__name__} of {' x '.join(f'{length:,}' for length in shape)} ({value.dtype})"


def _mapping(value: Mapping[Any, Any]) -> str:
    if not value:
        return "none"
    scalars = all(isinstance(entry, (str, int, float, Decimal)) for entry in value.values())
    if scalars and len(value) <= FEW:
        return ", ".join(f"{name}: {brief(entry)}" for name, entry in value.items())
    names = ", ".join(str(name) for name in list(value)[:FEW])
    return f"{len(value):,} by name: {names}"


def _sequence(value: list[Any]) -> str:
    if not value:
        return "none"
    if len(value) <= FEW and all(isinstance(entry, (str, int, float, Decimal, dt.date)) for entry in value):
        return ", ".join(brief(entry) for entry in value)
    kinds = sorted({type(entry).__name__ for entry in value})
    return f"{len(value):,} {' | '.join(kinds[:3])}"
