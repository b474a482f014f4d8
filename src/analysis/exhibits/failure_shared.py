"""What the failure exhibits share: where nothing can be rated a heading still says what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import TypeVar

from analysis.exhibits.record import Block
from analysis.exhibits.specification import Field, estimate
from analysis.exhibits.statements import not_computed
from analysis.exhibits.vocabulary import phrase
from analysis.failures.result import FailureStudy, NotRated
from analysis.metrics import Period
from analysis.results import Fact, Sentence, Value

Shown = TypeVar("Shown")

RATIO = "Actual to expected"  # the measure of charts that hold failures against those at the same ages


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


def is_above(one: Fact, other: Fact) -> bool:
    """Whether the interval of one number lies above that of another: only then may a title rank them."""
    return one.interval is not None and other.interval is not None and one.interval.low > other.interval.high


def source(study: FailureStudy, values: str = "") -> Sentence:
    """What stands below most exhibits of the section: the window read, and the period of the ``values`` where they are of another one."""
    window: dict[str, Value] = {"first": study.window.first, "last": study.window.last}
    of = Period.parse(values) if values else study.window
    if of == study.window:
        return Sentence("Source: service orders and installed base, {first} to {last}.", window)
    return Sentence(
        "Source: service orders and installed base, {first} to {last}; values of {from} to {until}.",
        window | {"from": of.first, "until": of.last},
    )


def rate_ratios(id: str, ratios: Iterable[float]) -> list[Field]:
    """A column for each rate ratio that was planted; a line is a mapping that holds its fact under the ratio."""

    def column(ratio: float) -> Field:
        shown = f"{ratio:g}"
        return estimate(
            id,
            of=lambda line: line.get(ratio),
            key=f"r{shown}",
            head=phrase("Rate ratio {ratio}", ratio=shown),
            slice={"ratio": shown},
        )

    return [column(ratio) for ratio in sorted(set(ratios))]
