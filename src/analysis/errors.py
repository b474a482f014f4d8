"""Refusals: what a person reads when a run must not go on.

Every refusal says what is wrong, how much of it, one example, and what to do. Each kind has an exit
code of its own, so that a scheduler can tell bad data from a bad parameter without reading prose.
"""

from __future__ import annotations

import builtins
import difflib
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

LONGEST = 2_000  # letters of a message: whatever value stands in it, what to do must still be seen
_END = 600
# user and password of an address; of a path made of one, too, in which two strokes became one
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*:/{1,2})(?:\S*|[^\s/@:]*:[^@\n]{1,200})@", re.IGNORECASE)
_PASSWORD = re.compile(r"\b(password|passwd|passphrase|pwd|secret)(\s*=\s*)[^\s&;,]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
HIDDEN = "•••"


def without_credentials(text: str) -> str:
    """A text without the user and the password of any address in it."""
    return _PASSWORD.sub(rf"\1\2{HIDDEN}", _USER.sub(rf"\1{HIDDEN}@", text))


def told(text: object) -> str:
    """A text as a message may hold it: no credentials, no control characters, cut in the middle when it is too long."""
    whole = str(text)
    if len(whole) > 50 * LONGEST:
        whole = f"{whole[: 25 * LONGEST]} {whole[-25 * LONGEST :]}"
    whole = _CONTROL.sub("�", without_credentials(whole))
    return whole if len(whole) <= LONGEST else f"{whole[: LONGEST - _END]} […] {whole[-_END:]}"


def in_quotes(value: object, longest: int = 60) -> str:
    """A value of a file as a message repeats it: in quotes, its beginning where it is long."""
    text = str(value) if isinstance(value, (str, int, float)) else _beginning(value)
    return f"'{text}'" if len(text) <= longest else f"'{text[:longest]}…' ({len(text):,} characters)"


def _beginning(value: object) -> str:
    """Of a list or mapping that may be vast when it is written out."""
    import reprlib

    short = reprlib.Repr()
    short.maxstring = short.maxother = 40
    return short.repr(value) if isinstance(value, (list, tuple, dict, set)) else str(value)


def command(arguments: str) -> str:
    """A command line as it works where the person is: ``analysis check acme`` where the shell finds the program, else by its place (``.venv/bin/analysis``)."""
    program = Path(sys.executable).with_name("analysis")
    found = shutil.which("analysis")
    if not program.is_file() or (found and Path(found).absolute() == program.absolute()):
        return f"analysis {arguments}"
    place = os.path.relpath(program)
    return f"{place if not place.startswith('..') else program} {arguments}"


class AnalysisError(Exception):
    """Something the user can act on. The command line prints it without a traceback.

    Whatever its message is made of, it shows no user or password of an address and has an end.
    """

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        super().__init__(told(message))


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
    """A table or column that this result needs is absent; the rest of the report can still be made.

    Parameters
    ----------
    needs : tables and columns
    message : the reason where it is not that they are absent: a message of the catalogue, with ``{names}`` for the ``values``, so that a page
        can give it in both languages
    """

    exit_code = 5

    def __init__(self, *needs: str, message: str = "needs {needs}", **values: object) -> None:
        self.needs = tuple(needs)
        self.template = message
        self.values = {name: str(value) for name, value in ({"needs": ", ".join(needs)} | values).items()}
        super().__init__(f"not computed: {message.format(**self.values)}")


class DaysOnly(MissingData):
    """Moments that this result reads to the hour carry days only; what counts in days is not concerned."""

    def __init__(self, *columns: str) -> None:
        super().__init__(
            *columns, message="the stamps of {columns} carry days only", columns=", ".join(columns)
        )


class NothingToCount(MissingData):
    """The columns that this result needs are there, and no row of them counts: too short a past, or nobody of the kind."""

    def __init__(self, *columns: str) -> None:
        super().__init__(
            *columns, message="nothing to count in {columns} for these months", columns=", ".join(columns)
        )


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


class PlaceError(AnalysisError):
    """The machine refused: the disk is full, a folder may not be written, a file stands where a folder should, memory ran out."""

    exit_code = 10


def of_the_machine(error: BaseException, *, near: Path) -> PlaceError | None:
    """What the machine refused, in words and with what to do; None for a fault of the program's own.

    Parameters
    ----------
    error : what was raised
    near : folder of the project; places below it are named from there, others by their last name alone
    """
    if isinstance(error, MemoryError):
        return PlaceError(
            "The machine has not enough memory. Close what else runs, or run with WORKERS=1 (--workers 1)."
        )
    for kind in _OF_THE_ENGINE:
        if _engine_says(error, kind):
            return _of_the_engine(kind, str(error))
    if type(error).__name__ == "BrokenProcessPool":
        return PlaceError(
            "A process that made pages was ended from outside, mostly for lack of memory. Run it again, with WORKERS=1 (--workers 1)."
        )
    if not isinstance(error, OSError):
        return None
    package = Path(__file__).parent
    if error.errno == errno.ENOENT and error.filename and Path(str(error.filename)).is_relative_to(package):
        return PlaceError(
            f"{_named(str(error.filename), package)}: a file of the program is missing. Install it again."
        )
    elsewhere = error.errno == errno.ENOENT and not Path(str(error.filename)).is_relative_to(near)
    if (
        error.errno not in _ADVICE or elsewhere
    ):  # a file elsewhere that is not there: nobody but the program asked for it
        return None
    place = f"{_named(str(error.filename), near)}: " if error.filename else ""
    return PlaceError(
        f"{place}{str(error.strerror).lower()}. {_ADVICE[error.errno].replace(_CLEAN, command('clean'))}"
    )


def of_the_machine_in_a_cell(kind: str, text: str, *, near: Path) -> PlaceError | None:
    """The same of an error that only its name and its words have come back of, from a cell of a notebook."""
    if kind in _OF_THE_ENGINE:
        return _of_the_engine(kind, text)
    match = _ERRNO.match(text)
    if match is None or not isinstance(getattr(builtins, kind, None), type):
        return None
    number, place = int(match["number"]), match["place"]
    return of_the_machine(OSError(number, os.strerror(number), place), near=near)


_OF_THE_ENGINE = ("OutOfMemoryException", "IOException")
_ERRNO = re.compile(r"\[Errno (?P<number>\d+)\] [^:]*(?:: ['\"](?P<place>.*?)['\"])?")


def _of_the_engine(kind: str, text: str) -> PlaceError:
    if kind == "OutOfMemoryException":
        return PlaceError(
            "The engine needs more memory than it may take. Raise AFTER_SALES_MEMORY, or run with WORKERS=1 (--workers 1)."
        )
    return PlaceError(
        f"The engine could not read or write: {(text.splitlines() or [''])[0][:200]}. {_RIGHTS}"
    )


def _engine_says(error: BaseException, kind: str) -> bool:
    """Whether DuckDB raised an error of a kind; it is not imported only to ask."""
    return type(error).__name__ == kind and "duckdb" in type(error).__module__


def _named(place: str, near: Path) -> str:
    path = Path(place)
    return path.relative_to(near).as_posix() if path.is_relative_to(near) else path.name


_RIGHTS = "Check who may read and write there, or name another folder."
_OTHER_KIND = "A file stands where a folder should be, or a folder where a file should; take it away, or name another place."
_CLEAN = "analysis clean"
_ADVICE = {
    errno.ENOSPC: f"Free some space ('{_CLEAN}' removes what can be made again) and run it again.",
    errno.EDQUOT: f"Free some space ('{_CLEAN}' removes what can be made again) and run it again.",
    errno.EROFS: _RIGHTS,
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENOTDIR: _OTHER_KIND,
    errno.EISDIR: _OTHER_KIND,
    errno.EEXIST: _OTHER_KIND,
    errno.ENOTEMPTY: _OTHER_KIND,
    errno.ELOOP: "Links lead in a circle there; take one away.",
    errno.ENAMETOOLONG: "Use a shorter name.",
    errno.ENOENT: "It was there when it was looked for, or should have been; do not move files while this runs, then run it again.",
    errno.ENXIO: "It is no file that can be read; take it away.",
    errno.ENOMEM: "Close what else runs, or run with WORKERS=1 (--workers 1).",
    errno.EAGAIN: "No more processes may be started; close other programs, or run with WORKERS=1 (--workers 1).",
    errno.EIO: "The disk or the network drive does not answer as it should; have it looked at.",
    errno.ESTALE: "The network drive is no longer there as it was; connect it again.",
    errno.EMFILE: "Too many files are open; raise the limit (ulimit -n) or run with WORKERS=1 (--workers 1).",
    errno.ENFILE: "Too many files are open on this machine; close other programs.",
}


def suggestion(name: object, known: Iterable[str]) -> str:
    """``" Did you mean 'region'?"`` for the closest known name, or an empty string."""
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.6)
    return f" Did you mean '{close[0]}'?" if close else ""
