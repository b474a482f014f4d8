"""What the failure exhibits share: where nothing can be rated a heading still says what is missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from analysis.exhibits.record import Block
from analysis.exhibits.statements import not_computed
from analysis.failures.result import FailureStudy, NotRated
from analysis.locale import Text
from analysis.results import Sentence

Shown = TypeVar("Shown")

INTERVAL = Text.of("Interval")
COMPONENT = Text.of("Component")


def or_nothing(draw: Callable[..., Shown]) -> Callable[..., Shown | None]:
    """Where failures cannot be rated there is nothing to draw; :func:`not_rated` says so once."""

    @wraps(draw)
    def drawn(study: FailureStudy | NotRated, *arguments: str, **options: int) -> Shown | None:
        return None if isinstance(study, NotRated) else draw(study, *arguments, **options)

    return drawn


def or_said(draw: Callable[..., Shown]) -> Callable[..., Shown | Block | None]:
    """The first exhibit under a heading: where failures cannot be rated it says which data are missing, so that no heading stands empty."""

    @wraps(draw)
    def drawn(study: FailureStudy | NotRated, *arguments: str, **options: int) -> Shown | Block | None:
        if not isinstance(study, NotRated):
            return draw(study, *arguments, **options)
        return not_computed(study.reason, id="_".join((f"failures.no_{draw.__name__}", *arguments)))

    return drawn


def source(study: FailureStudy) -> Sentence:
    return Sentence(
        "Source: service orders and installed base, {first} to {last}.",
        {"first": study.window.first, "last": study.window.last},
    )
