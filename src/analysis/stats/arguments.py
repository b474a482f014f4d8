"""What public functions of ``stats`` are given, looked at once before they compute: in words, with an example and what to do.

Deep inside numpy a text column is "could not convert string to float" and a timedelta "ufunc not supported". :func:`in_words` says which
argument it is. It checks and never converts, so that what passes is what the function was given.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from analysis.errors import AnalysisError, FitError, ParameterError
from analysis.stats.annotations import Wanted, wanted_of

P = ParamSpec("P")
R = TypeVar("R")


class WrongArgument(FitError, ParameterError):
    """What a function was given cannot be computed with; a study that cannot fit says so for either reason."""


# Columns of measurements in which a gap, an infinite or a negative number has no meaning, whatever the function.
COMPLETE = frozenset(
    {
        "durations",
        "event_ages",
        "ends",
        "weights",
        "unit_weights",
        "frequency",
        "recency",
        "T",
        "delays",
        "windows",
    }
)


def in_words(
    *,
    rows: str = "",
    units: str = "",
    labels: str = "",
    texts: str = "",
    tables: str = "",
    numbers: str = "",
    together: str = "",
    series: str = "",
    cohorts: str = "",
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a public function with the kinds of its columns and tables; each is a list of names separated by spaces.

    What is no column is checked by its annotation (`annotations`): a whole number, one number, a word, a fitted model.

    Parameters
    ----------
    rows : columns of numbers, one per row; all rows, labels and tables are of one length, at least one
    units : further columns of numbers that have a length of their own in common
    labels : columns of labels, of the length of ``rows``; a missing one is refused before anything is computed, for it would count as a
        label of its own or be passed over
    texts : columns of labels in which the function itself says what a missing one means
    series : pandas Series of numbers
    tables : DataFrames, of the length of ``rows``, without dates or time spans
    numbers : DataFrames among ``tables`` whose every column must be numeric
    together : numbers or columns of numbers that are matched with each other (one may stand for all)
    cohorts : one column of numbers, or a list of columns of any length

    Raises
    ------
    WrongArgument
        Naming the function, the argument, an example of what is wrong and what to do.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)
        optional = {name for name, entry in signature.parameters.items() if "None" in str(entry.annotation)}
        wanted = functools.cache(lambda: wanted_of(function))

        @functools.wraps(function)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given = signature.bind(*args, **kwargs).arguments
            look = _Look(
                function.__name__, {k: v for k, v in given.items() if not (v is None and k in optional)}
            )
            # What is no number is refused first, and what numpy would take for one: a time span is a count of nanoseconds to it. Everything
            # else a function words better itself (how many rows lack a duration, and what leaving them out would do); only where it fails
            # without words is the reason looked for.
            for name in (*rows.split(), *units.split()):
                look.measured(name)
            for name in together.split():
                if name in look.given:
                    look.numeric(name, look.given[name])
            for name in (*labels.split(), *texts.split()):
                look.is_column(name)
            for name in labels.split():
                look.no_label_missing(name)
            for name in numbers.split():
                if name in look.given:
                    look.no_times(name)
            for name in series.split():
                look.is_series(name)
            for name in cohorts.split():
                look.cohorts(name)
            if isinstance(look.given.get("level"), (int, float)):
                confidence_level(float(look.given["level"]), where=f"{function.__name__}: ")
            for name, why_not in wanted().items():
                look.wanted(name, why_not)
            try:
                return function(*args, **kwargs)
            except AnalysisError:
                raise
            except Exception:
                look_at_everything(look)
                raise

        def look_at_everything(look: _Look) -> None:
            lengths: dict[str, int] = {}
            for name in rows.split():
                look.column(name, lengths)
            for name in (*labels.split(), *texts.split()):
                look.labels(name, lengths)
            for name in tables.split():
                look.table(name, lengths, numeric=name in numbers.split())
            look.alike(lengths)
            others: dict[str, int] = {}
            for name in units.split():
                look.column(name, others)
            look.alike(others)
            for name in series.split():
                look.alike({name: len(look.given[name])})
            look.matched(together.split())

        return checked

    return decorate


def confidence_level(level: float, *, where: str = "") -> float:
    """The level, if it is one: 95 for 0.95 gives limits that are not numbers, and nobody is told."""
    if not 0 < level < 1:
        raise WrongArgument(f"{where}level {level:g} must lie between 0 and 1, e.g. 0.95.")
    return level


def missing_labels(labels: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Where a column of labels has none (None, NaN, NaT). A list is not made an array first: that turns a NaN beside words into the word nan."""
    column = labels if isinstance(labels, (np.ndarray, pd.Series, pd.Index)) else _objects(labels)
    return np.atleast_1d(np.asarray(pd.isna(column), dtype=bool))


def _objects(labels: Any) -> Any:
    try:
        return np.fromiter(labels, dtype=object)
    except (TypeError, ValueError):
        return np.asarray(labels, dtype=object)


class _Look:
    """The arguments of one call."""

    def __init__(self, function: str, given: Mapping[str, Any]) -> None:
        self.function, self.given = function, given

    def refuse(self, name: str, text: str) -> WrongArgument:
        return WrongArgument(f"{self.function}: {name} {text}")

    def numeric(self, name: str, value: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The value as floats, or what keeps it from being numbers."""
        try:
            array = np.asarray(value)
        except (TypeError, ValueError) as error:
            raise self.refuse(name, f"is no column of numbers ({error}); give one number per row.") from error
        if array.dtype.kind in "mM":
            raise self._of_time(name, array.flat[0] if array.size else None)
        try:
            return np.asarray(array, dtype=float)
        except (TypeError, ValueError) as error:
            wrong = next((entry for entry in array.flat if not _is_number(entry)), value)
            if hasattr(wrong, "total_seconds") or hasattr(wrong, "year"):
                raise self._of_time(name, wrong) from error
            raise self.refuse(
                name,
                f"holds {_shown(wrong)} where numbers are needed; choose a numeric column or convert it first.",
            ) from error

    def _of_time(self, name: str, example: Any) -> WrongArgument:
        return self.refuse(
            name,
            f"holds time spans or dates (e.g. {_shown(example)}); give numbers of one unit, such as days: "
            "(end - start) / pd.Timedelta(days=1).",
        )

    def column(self, name: str, lengths: dict[str, int]) -> None:
        if name not in self.given:
            return
        values = self.numeric(name, self.given[name])
        self._one_dimension(name, values, lengths)
        if name not in COMPLETE:
            return
        if not np.isfinite(values).all():
            row = int(np.flatnonzero(~np.isfinite(values))[0])
            raise self.refuse(
                name, f"is missing or infinite in row {row}; leave such rows out, and say how many they were."
            )
        if (values < 0).any():
            row = int(np.flatnonzero(values < 0)[0])
            raise self.refuse(
                name, f"is negative in row {row} ({values[row]:g}); it counts or measures from zero."
            )

    def is_column(self, name: str) -> None:
        """A column of labels and no table of them; one text is no column of its letters."""
        if name not in self.given:
            return
        value = self.given[name]
        if value is None or isinstance(value, (str, bytes)):
            raise self.refuse(name, f"is {_shown(value)}; give one label per row.")
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise self.refuse(name, f"is no column ({error}); give one label per row.") from error
        self._one_dimension(name, array, {})

    def labels(self, name: str, lengths: dict[str, int]) -> None:
        if name in self.given:
            lengths[name] = len(self.given[name])

    def no_label_missing(self, name: str) -> None:
        if name not in self.given:
            return
        missing = missing_labels(self.given[name])
        if missing.any():
            raise self.refuse(
                name,
                f"is missing in {int(missing.sum())} rows, the first of them row {int(np.argmax(missing))}; "
                "name a group for them or leave them out.",
            )

    def measured(self, name: str) -> None:
        """One column of numbers at most, or one number for all rows; nothing infinite where that has no meaning."""
        if name not in self.given:
            return
        values = self.numeric(name, self.given[name])
        if values.ndim > 1:
            raise self.refuse(name, f"is {values.ndim}-dimensional; give one column with a value per row.")
        if name in COMPLETE and np.isinf(values).any():
            raise self.refuse(
                name, f"is infinite in row {int(np.argmax(np.isinf(values)))}; give a finite number."
            )

    def no_times(self, name: str) -> None:
        """No column of a table of numbers holds time spans or dates."""
        frame = self.given.get(name)
        if not isinstance(frame, pd.DataFrame):
            raise self.refuse(
                name, f"is {_shown(frame)}; give a pandas DataFrame with a named column per variable."
            )
        for label, column in frame.items():
            if column.dtype.kind in "mM":
                raise self._of_time(f"{name}, column '{label}',", column.iloc[0] if len(column) else None)

    def is_series(self, name: str) -> None:
        value = self.given[name]
        if not isinstance(value, pd.Series):
            raise self.refuse(name, f"is {_shown(value)}; give a pandas Series with one number per month.")
        self.numeric(name, value)

    def cohorts(self, name: str) -> None:
        value = self.given[name]
        if isinstance(value, (str, pd.DataFrame)) or not np.iterable(value):
            raise self.refuse(
                name, f"is {_shown(value)}; give the counts of one cohort, or a list of cohorts."
            )
        listed = list(value)
        for cohort in listed if listed and np.ndim(listed[0]) else [value]:
            self.numeric(name, cohort)

    def _one_dimension(self, name: str, array: Any, lengths: dict[str, int]) -> None:
        if array.ndim != 1:
            shape = "one number" if array.ndim == 0 else f"{array.ndim}-dimensional"
            raise self.refuse(name, f"is {shape}; give one column with a value per row.")
        lengths[name] = len(array)

    def table(self, name: str, lengths: dict[str, int], *, numeric: bool) -> None:
        if name not in self.given:
            return
        frame = self.given[name]
        if not isinstance(frame, pd.DataFrame):
            raise self.refuse(
                name, f"is {_shown(frame)}; give a pandas DataFrame with a named column per variable."
            )
        lengths[name] = len(frame)
        for label, column in frame.items():
            if numeric:
                values = self.numeric(f"{name}, column '{label}',", column)
                if not np.isfinite(values).all():
                    row = int(np.flatnonzero(~np.isfinite(values))[0])
                    raise self.refuse(
                        name,
                        f"is missing or infinite in row {row} of column '{label}'; fill it or leave the row out.",
                    )

    def alike(self, lengths: Mapping[str, int]) -> None:
        """One length for all, and at least one row."""
        if not lengths:
            return
        first, length = next(iter(lengths.items()))
        for name, other in lengths.items():
            if other != length:
                raise self.refuse(
                    name,
                    f"has {other:,} rows and {first} has {length:,}; both need one value for each subject.",
                )
        if not length:
            raise self.refuse(
                first, "is empty; there is nothing to estimate from. Check the filter before it."
            )

    def matched(self, names: list[str]) -> None:
        shapes = {name: self.numeric(name, self.given[name]).shape for name in names if name in self.given}
        try:
            np.broadcast_shapes(*shapes.values())
        except ValueError as error:
            listed = ", ".join(f"{name} {'x'.join(map(str, shape)) or 1}" for name, shape in shapes.items())
            raise WrongArgument(
                f"{self.function}: the arguments have different lengths ({listed}); give one value each, or one for all."
            ) from error

    def wanted(self, name: str, why_not: Wanted) -> None:
        if name in self.given and (remedy := why_not(name, self.given[name])) is not None:
            raise self.refuse(name, f"is {_shown(self.given[name])}; {remedy}")


def _is_number(entry: Any) -> bool:
    if entry is None:
        return False
    try:
        float(entry)
    except (TypeError, ValueError):
        return False
    return True


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, (str, bytes)) else str(value)
    kind = type(value).__name__
    return f"a {kind}" if len(text) > 40 else f"{text} ({kind})"
