"""Which figures open the summary: ``params/headlines.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.errors import ParameterError, suggestion
from analysis.metrics import Registry
from analysis.metrics.lineage import traced
from analysis.metrics.views import VIEWS
from analysis.params.places import params_file, shown
from analysis.params.strict import bind, read_yaml

MOST_HEADLINES = 8


@dataclass(frozen=True, kw_only=True)
class _Headlines:
    """What ``params/headlines.yml`` holds."""

    metrics: tuple[str, ...]


@traced
def load_headlines(registry: Registry, path: Path | None = None) -> tuple[str, ...]:
    """Ids of the metrics that open the summary, from a file, ``params/headlines.yml`` where none is given.

    Raises
    ------
    ParameterError
        For none or more than eight, one named twice, one that the registry lacks or that is not counted from tables.
    """
    path = path or params_file("headlines.yml")
    names = bind(_Headlines, read_yaml(path), shown(path)).metrics
    if not 1 <= len(names) <= MOST_HEADLINES or len(set(names)) < len(names):
        raise ParameterError(
            f"{shown(path)}: metrics names {len(names)}; it should name one to {MOST_HEADLINES}, each once."
        )
    for name in names:
        if name not in registry.metrics:
            raise ParameterError(
                f"{shown(path)}: '{name}' is no metric.{suggestion(name, registry.metrics)} They stand in params/metrics/."
            )
        if not counted(name, registry):
            raise ParameterError(
                f"{shown(path)}: '{name}' is made by {registry[name].made_by()}; a headline is counted from tables, month by month."
            )
    return names


def counted(name: str, registry: Registry) -> bool:
    """Whether the engine counts a metric for any month, from measures of its own views; what is derived may compare two spans of one metric."""
    metric = registry.metrics.get(name)
    parts = (
        [part for part in (metric.numerator, metric.denominator) if isinstance(part, str)] if metric else []
    )
    return bool(parts) and all(registry.measures[part].view in VIEWS for part in parts)
