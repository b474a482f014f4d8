"""Where things lie: the project's own files first, then those that ship with the package.

A project is the folder a company works in: its ``data/``, its ``reports/`` and, as far as it needs its own, ``params/`` and
``notebooks/``. A file that the project does not have is read from the package, file by file: a project with nothing but
``params/assumptions.yml`` has the shipped metrics, cost tree and runs. Nothing is ever written into the package.

A run may have params of its own, and an industry template behind them: a file in ``params/runs/acme/`` or ``params/templates/saas/`` replaces
the one of its name while that run is worked on (:func:`with_own`).

A report reads a frozen copy of the params in force (:func:`frozen`): what is changed while it runs is for the next one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from analysis.errors import AnalysisError, ParameterError, PlaceError

# Set by the report for itself and its notebooks: the folder of the frozen copy.
FROZEN = "AFTER_SALES_FROZEN"
# Folders below params whose files replace those of the same name, the later ones those of the earlier; of the run that is worked on.
_own: tuple[str, ...] = ()
LARGEST = 4_000_000  # bytes of a file that people write by hand


def project_root() -> Path:
    """The project's folder.

    Returns
    -------
    Path
        ``AFTER_SALES_ROOT`` where it is set, else the nearest folder at or above the working folder whose ``params/`` holds a
        file or folder by the name of a shipped one, else the working folder: a report can be made in an empty one.
    """
    stated = os.environ.get("AFTER_SALES_ROOT")
    if stated:
        return _stated_root(stated)
    here = Path.cwd()
    ours = {path.name for path in (shipped_root() / "params").iterdir()}
    for folder in (here, *here.parents):
        own = folder / "params"
        with suppress(OSError):  # a folder that may not be looked into is nobody's project
            if own.is_dir() and any(path.name in ours for path in own.iterdir()):
                return folder
    return here


def _stated_root(stated: str) -> Path:
    root = Path(stated)
    with suppress(OSError, ValueError):
        if root.is_dir() or not root.exists():
            return root
    raise ParameterError(
        "AFTER_SALES_ROOT: should name the folder of the project; what lies there is no folder, or cannot be reached."
    )


def shipped_root() -> Path:
    """The folder of the shipped ``params/`` and ``notebooks/``: inside an installed package; the repository, where it is worked on."""
    inside = Path(__file__).resolve().parents[1] / "shipped"
    return inside if inside.is_dir() else inside.parents[2]


def params_file(name: str) -> Path:
    """The file that is read for a name under ``params/``, such as ``runs/sample.yml``; it need not exist."""
    paths = [root / "params" / folder / name for folder in ("", *_own) for root in _roots()]
    return next((path for path in reversed(paths) if is_plain(path)), paths[0])


def params_files(folder: str) -> list[Path]:
    """The files that are read from a folder under ``params/``, by name; one of the project's replaces a shipped one of its name."""
    return [path for name, path in params_in_force().items() if Path(name).parent == Path(folder)]


def notebook_files() -> list[Path]:
    """The notebooks of a report, by name; one of the project's replaces a shipped one of its name."""
    found: dict[str, Path] = {}
    for root in (shipped_root(), project_root()):
        if is_folder(root / "notebooks"):
            found |= {path.name: path for path in notebooks_in(root / "notebooks")}
    return [found[name] for name in sorted(found)]


def notebooks_in(folder: Path) -> list[Path]:
    """The notebooks of one folder, by name; those that editors hide are none."""
    found = (path for path in folder.glob("*.ipynb") if not path.name.startswith("."))
    return sorted(path for path in found if is_plain(path))


def params_in_force() -> dict[str, Path]:
    """Every file under ``params/`` that is in force, by its name there (``metrics/costs.yml``), sorted."""
    found: dict[str, Path] = {}
    for root in _roots():
        top = root / "params"
        # a file where a folder of ours should be would otherwise be taken for no files of the project's own
        for folder in {top, *(top / Path(name).parent for name in found)}:
            is_folder(folder)
        found |= dict(_params_in(top))
    for own in _own:
        found |= {
            name.removeprefix(f"{own}/"): path for name, path in found.items() if name.startswith(f"{own}/")
        }
    return dict(sorted(found.items()))


def use_own(folders: tuple[str, ...]) -> None:
    """From now on files of these folders below ``params`` replace those of their name, and those of no other run do."""
    global _own
    _own = folders


@contextmanager
def with_own(folders: tuple[str, ...]) -> Iterator[None]:
    """The same for a while: what is read within is read as for that run, whichever run was opened last."""
    before = _own
    use_own(folders)
    try:
        yield
    finally:
        use_own(before)


def _params_in(top: Path) -> Iterator[tuple[str, Path]]:
    for path in top.rglob("*.[yY]*"):
        name = path.relative_to(top)
        if any(part.startswith(".") for part in name.parts):
            continue  # what editors leave beside a file
        if path.suffix == ".yml":
            is_plain(path)
            yield name.as_posix(), path
        elif path.suffix.lower() in (".yml", ".yaml"):
            raise ParameterError(
                f"{shown(path)}: would not be read. Name it {path.stem}.yml, or take it away."
            )


def _roots() -> tuple[Path, ...]:
    """Whose ``params/`` are read: the later one's files replace those of the earlier."""
    copy = os.environ.get(FROZEN)
    if not copy:
        return shipped_root(), project_root()
    if not Path(copy).is_dir():
        raise ParameterError(f"{FROZEN}: no such folder. Only a report sets it, for its notebooks; unset it.")
    return (Path(copy),)


@contextmanager
def frozen() -> Iterator[Path]:
    """Params as they are now, for this process and those it starts; what is changed in the project meanwhile is not seen.

    Yields
    ------
    Path
        The folder of the copy, which is gone afterwards. No name of it may leave: a file is named as in the project (:func:`shown`).
    """
    before = os.environ.pop(FROZEN, None)
    with with_own(()), TemporaryDirectory(prefix="after-sales-", ignore_cleanup_errors=True) as folder:
        for name, path in params_in_force().items():
            target = Path(folder) / "params" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read_plain(path))
        os.environ[FROZEN] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ[FROZEN]
            if before is not None:
                os.environ[FROZEN] = before


# ---------------------------------------------------------------- what lies there is what it should be


def shown(path: Path) -> str:
    """A file as messages name it: from the project's root (``params/runs/sample.yml``), else by its name alone."""
    for root in (*_roots(), project_root(), shipped_root()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return path.name


def is_plain(path: Path, *, name: str = "", refusal: type[AnalysisError] = ParameterError) -> bool:
    """Whether a file lies there. What is there and no file (a folder, a pipe, a link to nowhere) is refused: reading it would hang, or
    another file would be taken in its place.

    Parameters
    ----------
    name : as messages name it; see :func:`shown` where it is not given
    refusal : the kind of the refusal
    """
    mode = _mode(path, name, refusal)
    if mode is not None and not stat.S_ISREG(mode):
        raise refusal(
            f"{name or shown(path)}: is {_kind(mode)}, and a file is expected there. Take it away, or put the file in its place."
        )
    return mode is not None


def is_folder(path: Path, *, name: str = "", refusal: type[AnalysisError] = ParameterError) -> bool:
    """Whether a folder lies there; see :func:`is_plain`."""
    mode = _mode(path, name, refusal)
    if mode is not None and not stat.S_ISDIR(mode):
        raise refusal(
            f"{name or shown(path)}: is {_kind(mode)}, and a folder is expected there. Take it away, or put the folder in its place."
        )
    if mode is not None and not os.access(path, os.R_OK | os.X_OK):
        raise refusal(f"{name or shown(path)}: {_WHY[errno.EACCES]}")
    return mode is not None


def _mode(path: Path, name: str, refusal: type[AnalysisError]) -> int | None:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        if not path.is_symlink():
            return None
        why = "is a link that leads nowhere. Take it away, or put what it led to in its place."
    except NotADirectoryError:
        above = next((folder for folder in path.parents if folder.exists() and not folder.is_dir()), path)
        raise refusal(
            f"{shown(above)}: is a file, and a folder is expected there. Take it away, or put the folder in its place."
        ) from None
    except ValueError:
        why = "is no name of a file."
    except OSError as error:
        why = _WHY.get(error.errno or 0, "")
        if not why:
            raise
    raise refusal(f"{name or shown(path)}: {why}") from None


_WHY = {
    errno.ELOOP: "links lead in a circle there. Take one away.",
    errno.ENAMETOOLONG: "the name is too long. Use a shorter one.",
    errno.EACCES: "may not be read. Check who may read there.",
    errno.EPERM: "may not be read. Check who may read there.",
}


@contextmanager
def locked_by(path: Path) -> Iterator[None]:
    """Only one process at a time holds this file; the lock goes with the process."""
    is_plain(path, name=path.name, refusal=PlaceError)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


def read_plain(path: Path, *, name: str = "", largest: int = LARGEST) -> bytes:
    """The bytes of a file that people write by hand; refused in words where it is none, may not be read or is vast."""
    name = name or shown(path)
    if not is_plain(path, name=name):
        raise ParameterError(f"{name}: no such file.")
    if path.stat().st_size > largest:
        raise ParameterError(
            f"{name}: {path.stat().st_size / 1_000_000:,.1f} MB; a file of this kind has at most {largest / 1_000_000:,.0f} MB. Is it the file that was meant?"
        )
    try:
        return path.read_bytes()
    except PermissionError:
        raise ParameterError(f"{name}: {_WHY[errno.EACCES]}") from None
