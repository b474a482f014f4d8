"""Refusals: what a person reads when a run must not go on.

Every refusal says what is wrong, how much of it, one example, and what to do. Each kind has an exit
code of its own, so that a scheduler can tell bad data from a bad parameter without reading prose.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AnalysisError(Exception):
    """Something the user can act on. The command line prints it without a traceback."""

    exit_code = 1


class ParameterError(AnalysisError):
    """A parameter, an option or a file under ``params/`` is wrong."""

    exit_code = 2


class SourceError(AnalysisError):
    """A source file or connection cannot be read as what it claims to be."""

    exit_code = 3


class ContractError(AnalysisError):
    """The data break the table contract in a way quarantine cannot mend."""

    exit_code = 4


class MissingData(AnalysisError):
    """A table or column that this result needs is absent; the rest of the report can still be made."""

    exit_code = 5

    def __init__(self, *needs: str, message: str | None = None) -> None:
        self.needs = tuple(needs)
        super().__init__(message or f"not computed: needs {', '.join(needs)}")


class DaysOnly(MissingData):
    """Moments that this result reads to the hour carry days only; what counts in days is not concerned."""

    def __init__(self, *columns: str) -> None:
        self.template = "the stamps of {columns} carry days only"
        self.values = {"columns": ", ".join(columns)}
        super().__init__(*columns, message=f"not computed: {self.template.format(**self.values)}")


class NotebookFailed(AnalysisError):
    """A notebook raised; nothing is issued."""

    exit_code = 6


class PublicationRefused(AnalysisError):
    """The pack was built but does not pass its checks; nothing is issued."""

    exit_code = 7


class FitError(AnalysisError):
    """A model did not converge, or its input is impossible; no estimate is given.

    Parameters
    ----------
    message : what is wrong and what to do; with ``{names}`` for the ``values``, it is a message of the catalogue, so that a page
        can give the reason in both languages: ``FitError("cox: no convergence after {steps} steps.", steps=50)``
    """

    exit_code = 8

    def __init__(self, message: str, **values: object) -> None:
        self.template = message
        self.values = {name: str(value) for name, value in values.items()}
        super().__init__(message.format(**self.values) if values else message)


class PackIncomplete(AnalysisError):
    """A fault of the program in one part: the rest was made and is kept, stamped, but nothing is issued."""

    exit_code = 9


def suggestion(name: object, known: Iterable[str]) -> str:
    """``" Did you mean 'region'?"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
