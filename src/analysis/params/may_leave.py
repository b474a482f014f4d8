"""Texts that look like personal data, a secret or an address and may leave the house all the same, each with a reason and an owner."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import ParameterError
from analysis.params.places import is_plain, params_file, shown
from analysis.params.strict import bind, read_yaml


@dataclass(frozen=True, kw_only=True)
class MayLeave:
    """One entry of ``params/may_leave.yml``: ``text`` is the whole of what a gate quotes, and nothing longer or shorter is let through."""

    text: str
    because: str
    owner: str
    since: dt.date

    def __post_init__(self) -> None:
        for name in ("text", "because", "owner"):
            if not getattr(self, name).strip():
                raise ParameterError(
                    f"may_leave.yml: {name} is blank; an exception says what, why and whose."
                )


@dataclass(frozen=True, kw_only=True)
class _Stated:
    texts: tuple[MayLeave, ...] = ()


def load_may_leave(path: Path | None = None) -> tuple[MayLeave, ...]:
    """What ``params/may_leave.yml`` states; nothing where there is no such file."""
    path = path or params_file("may_leave.yml")
    if not is_plain(path):
        return ()
    return bind(_Stated, read_yaml(path), shown(path)).texts
