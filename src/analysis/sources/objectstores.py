"""Files in an object store (S3, Google Cloud Storage, Azure), copied through fsspec and its drivers. Credentials come from the environment."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import IO, Any

from analysis.errors import SourceError
from analysis.sources.apis import quiet
from analysis.sources.extracts import STORES
from analysis.sources.safety import PIECE, refuse_size

_NONE = "no object by that name. Check the address, and what the store holds."


def copy_objects(url: str, name: str, out: Path, *, limit_mb: int) -> None:
    """Write the object at an address; those that its last part names with ``*``, into a folder.

    Raises SourceError where there is none, where the store refuses, and where fewer bytes came than the store says there are.
    """
    why = ""
    with quiet():
        store, place = _opened(url, name)
        try:
            if "*" in url:
                _copy_all(store, place, name, out, limit_mb)
            else:
                _copy(store, place, name, out, limit_mb)
        except SourceError:
            raise
        except FileNotFoundError:
            why = _NONE
        except PermissionError:
            why = (
                "the store does not let these credentials read it. Ask for the right to list and read there."
            )
        except Exception as error:  # every driver has errors of its own, and they quote addresses
            why = f"the store refused ({type(error).__name__}). Check the address, and the credentials in the environment that its driver reads."
    if why:
        raise SourceError(f"{name}: {why}")


def _copy_all(store: Any, place: str, name: str, out: Path, limit_mb: int) -> None:
    found = sorted(one for one, info in store.glob(place, detail=True).items() if info["type"] == "file")
    if not found:
        raise SourceError(f"{name}: {_NONE}")
    names = [PurePosixPath(one).name for one in found]
    if len(set(names)) < len(names):
        twice = next(one for one in names if names.count(one) > 1)
        raise SourceError(
            f"{name}: two objects are called {twice}. Put '*' into the last part of the address only."
        )
    out.mkdir()
    for one, own in zip(found, names, strict=True):
        _copy(store, one, f"{name}/{own}", out / own, limit_mb)


def _opened(url: str, name: str) -> tuple[Any, str]:
    driver = STORES[url.partition("://")[0].lower()]
    if find_spec(driver) is None:
        raise SourceError(f"{name}: reading this address needs {driver}. Install it: pip install {driver}.")
    import fsspec.core

    with suppress(Exception):  # its words quote the address
        store, place = fsspec.core.url_to_fs(url)
        return store, place
    raise SourceError(
        f"{name}: the store cannot be opened. Check the address, and the credentials in the environment that {driver} reads."
    )


def _copy(store: Any, place: str, name: str, out: Path, limit_mb: int) -> None:
    stated = store.info(place).get("size")
    refuse_size(stated or 0, name, limit_mb)
    done = 0
    with store.open(place, "rb") as source, out.open("wb") as file:
        for piece in _pieces(source):
            done += len(piece)
            refuse_size(done, name, limit_mb)
            file.write(piece)
    if stated is not None and stated != done:
        raise SourceError(f"{name}: {done:,} of {stated:,} bytes came. Nothing was used. Take it again.")


def _pieces(source: IO[bytes]) -> Any:
    return iter(lambda: source.read(PIECE), b"")
