"""The metric registry: one entry a published measure. Code, headers, axes, glossary and alerts read the same entry.

``params/metrics/<section>.yml`` holds *measures* (a sum or a count over the rows of a view) and *metrics* (one measure, or
one over another, with names, unit, owner and interval method). A changed definition is a new ``version``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from analysis.errors import ParameterError, suggestion
from analysis.formats import USES, Unit
from analysis.locale import Language, Text
from analysis.params.places import params_file, params_files, shipped_root, shown
from analysis.params.strict import Within, bind, read_yaml
from analysis.results import OPERATIONS, Estimated, Fact
from analysis.tables.contract import contract


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A sum or a count over the rows of a view: a shared one, or a study's own by its dotted name.

    ``value`` is an SQL aggregate over the view's columns and ``where`` a row condition, both in the engine's dialect and both
    printed by ``make trace``. ``merge: sum`` measures add up over months and slices; ``merge: none`` (distinct counts,
    balances) are computed from the rows each time.
    """

    view: str
    value: str
    meaning: Text
    where: str = ""
    merge: Literal["sum", "none"] = "sum"
    needs: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The line an alert watches: a number here, or the name of a dated assumption. Crossed strictly."""

    direction: Literal["above", "below"]
    value: float | None = None
    assumption: str = ""


@dataclass(frozen=True, kw_only=True)
class Derivation:
    """A metric computed from facts of other metrics: the operation, and which metrics its parents are (``any``: whichever it is asked of)."""

    operation: str
    of: tuple[str, ...]

    def refuse_other(self, metric: str, parents: Sequence[Fact]) -> None:
        """Refuse parents that are not what the definition names."""
        wanted = self.of * len(parents) if len(self.of) == 1 else self.of
        if len(parents) > len(wanted) or any(
            name not in (ANY, parent.metric) for name, parent in zip(wanted, parents, strict=False)
        ):
            raise ParameterError(
                f"metric '{metric}' is the {self.operation} of {', '.join(self.of)}, not of {', '.join(p.metric for p in parents)}."
            )


ANY = "any"
# ``wilson``, ``garwood``: of measures, by the engine; ``study``: an estimate, each fact names its method and its n. None: ``exact`` (a total or a
# count of what is in the data), ``limit`` (a line drawn by a rule, the end of another interval), ``statistic`` (of a test or a fit),
# ``conditional`` (what follows at inputs that its slice states), ``decided`` (what somebody decided or is to decide).
Limits = Literal["wilson", "garwood", "study", "exact", "limit", "statistic", "conditional", "decided"]
ESTIMATED = ("wilson", "garwood", "study")

# Why a number needs a function. A count, a sum, a share, a mean or a change is none of these: it is a measure or derived.
#   model          fitted to the data, or what the data are held against
#   counterfactual what would have been without a measure, a treatment or a service
#   simulation     drawn many times: chances, power, intervals of what has no formula
#   search         found among candidates: causes, terms, the few that make most of it
#   projection     months to come
#   scenario       what somebody asked: what if
#   allocation     a cost or a change divided by a key, a rate or the order of its drivers
#   files          counted while files were read, before there were rows
#   register       written in a register of params that is no dated assumption
Because = Literal[
    "model",
    "counterfactual",
    "simulation",
    "search",
    "projection",
    "scenario",
    "allocation",
    "files",
    "register",
]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A published measure, and how it is computed: by exactly one of four ways.

    ``numerator`` (and ``denominator``) name measures: counted from rows, one over the other. Else they are words, and the number is
    ``derived`` from other facts, an ``assumption`` of finance, or made by ``function``: the dotted names of the functions that state it,
    ``because`` no measure and no operation can (:data:`Because`).
    ``cents``: a quotient of money that is published as it is paid, in whole cents.

    ``interval`` says where the limits of its facts come from, or why there are none. Of a metric made by functions it is ``study`` where
    nothing is said: whoever adds an estimate gives it an interval, or says here by which nature it has none.
    """

    name: Text
    description: Text
    numerator: str | Text
    unit: str
    owner: str
    denominator: str | Text | None = None
    better: Literal["lower", "higher", "neither"] = "neither"
    tier: Literal["strategic", "management", "execution"] = "management"
    interval: Limits = "exact"
    per: Annotated[int, Within(low=1, high=1_000_000)] = 1
    cents: bool = False
    threshold: Threshold | None = None
    derived: Derivation | None = None
    assumption: str = ""
    function: tuple[str, ...] = ()
    because: Because | None = None
    valid_from: dt.date = dt.date(2023, 1, 1)
    version: str = "1"
    decision: str = ""
    id: str = ""
    section: str = ""

    @property
    def kind(self) -> Literal["simple", "ratio", "derived", "assumption", "function"]:
        """How it is computed."""
        if isinstance(self.numerator, str):
            return "ratio" if self.denominator else "simple"
        return "derived" if self.derived else "assumption" if self.assumption else "function"

    def made_by(self) -> str:
        """The operation, the assumption or the functions behind it, in words."""
        if self.derived:
            return f"{self.derived.operation} of {', '.join(self.derived.of)}"
        return f"assumption {self.assumption}" if self.assumption else ", ".join(self.function)

    def unit_in(self, currency: str) -> str:
        """The unit with the run's currency: ``currency/ticket`` becomes ``CNY/ticket``."""
        return self.unit.replace("currency", currency, 1)


@dataclass(frozen=True)
class Registry:
    """Every measure and metric, and the labels of dimensions and of their values."""

    measures: dict[str, Measure]
    metrics: dict[str, Metric]
    dimensions: dict[str, Dimension] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path | None = None) -> Registry:
        paths = sorted(folder.glob("*.yml")) if folder else params_files("metrics")
        measures: dict[str, Measure] = {}
        metrics: dict[str, Metric] = {}
        for path in paths:
            section = bind(_Section, read_yaml(path), shown(path))
            for name, measure in section.measures.items():
                _once(name, measures, path)
                measures[name] = replace(measure, id=name)
            for name, raw in section.metrics.items():
                _once(name, metrics, path)
                metrics[name] = replace(
                    _metric(raw, f"{shown(path)}: {name}"), id=name, section=section.section
                )
        labels = folder.parent / "labels.yml" if folder else params_file("labels.yml")
        dimensions = _dimensions(labels)
        used = _unit_of_use(dimensions, labels)
        metrics = {
            name: replace(metric, unit=_UNIT_OF_USE.sub(used, metric.unit))
            for name, metric in metrics.items()
        }
        registry = cls(measures, metrics, dimensions)
        registry._check()
        return registry

    def _check(self) -> None:
        for metric in self.metrics.values():
            Unit.parse(metric.unit_in("CNY"))
            for part in (metric.numerator, metric.denominator):
                if isinstance(part, str) and part not in self.measures:
                    raise ParameterError(
                        f"metric '{metric.id}': no measure '{part}'.{suggestion(part, self.measures)}"
                    )
            ways = [isinstance(metric.numerator, str), metric.derived, metric.assumption, metric.function]
            if sum(map(bool, ways)) != 1:
                raise ParameterError(
                    f"metric '{metric.id}': say once how it is computed: measures in numerator and denominator, or derived, assumption, function."
                )
            if bool(metric.function) != bool(metric.because):
                raise ParameterError(
                    f"metric '{metric.id}': a function is named because of one of {', '.join(get_args(Because))}; "
                    "a count, a sum, a share or a mean is a measure, a change or a difference is derived."
                )
            if metric.derived:
                self._check_derived(metric.id, metric.derived)

    def _check_derived(self, metric: str, derived: Derivation) -> None:
        if derived.operation not in OPERATIONS:
            raise ParameterError(
                f"metric '{metric}': no operation '{derived.operation}'.{suggestion(derived.operation, OPERATIONS)}"
            )
        for parent in derived.of:
            if parent != ANY and parent not in self.metrics:
                raise ParameterError(
                    f"metric '{metric}': no metric '{parent}'.{suggestion(parent, self.metrics)}"
                )

    def without_interval(self, facts: Iterable[Fact]) -> list[str]:
        """Estimates that have no interval or no ``n``, with their metric's word for it; a fact that says why it has none is none of them."""
        return [
            f"{fact.id} ({self[fact.metric].interval})"
            for fact in facts
            if isinstance(fact.lineage, Estimated)
            and fact.value is not None
            and self[fact.metric].interval in ESTIMATED
            and fact.reason is None
            and (fact.interval is None or fact.n is None)
        ]

    def __getitem__(self, metric: str) -> Metric:
        if metric not in self.metrics:
            raise ParameterError(
                f"metric '{metric}' is not in the registry.{suggestion(metric, self.metrics)}"
            )
        return self.metrics[metric]

    def __iter__(self) -> Iterator[Metric]:
        return iter(self.metrics.values())

    def measure(self, name: str) -> Measure:
        if name not in self.measures:
            raise ParameterError(f"measure '{name}' is not in the registry.{suggestion(name, self.measures)}")
        return self.measures[name]

    def words(self, part: str | Text | None) -> Text | None:
        """A numerator or denominator in words."""
        return self.measures[part].meaning if isinstance(part, str) else part

    def formula(self, metric: Metric) -> Text:
        """The definition in one line: numerator, ÷ denominator, × per; a part that is a calculation itself stands in brackets."""
        numerator, denominator = self.words(metric.numerator), self.words(metric.denominator)
        assert numerator is not None
        times = f" × {metric.per:,}" if metric.per != 1 else ""
        if denominator is None and not times:
            return numerator
        top, below = _bracketed(numerator), _bracketed(denominator) if denominator else None

        def line(language: Language) -> str:
            return top[language] + (f" ÷ {below[language]}" if below else "") + times

        return Text(en=line("en"), zh=line("zh"))

    def dimension_name(self, dimension: str) -> Text:
        return self.dimensions[dimension].name if dimension in self.dimensions else Text.same(dimension)

    def value_label(self, dimension: str, value: str) -> Text:
        """What a dimension's value is called; text from the data stays as it is."""
        if value == NOT_STATED:
            return Text.of("Not stated")
        known = self.dimensions[dimension].values if dimension in self.dimensions else {}
        return known.get(value, Text.same(value))

    def as_json(self, *, currency: str) -> list[dict[str, Any]]:
        """The entries as the pack's glossary prints them."""
        entries = []
        for metric in self:
            numerator, denominator = self.words(metric.numerator), self.words(metric.denominator)
            entries.append(
                {
                    "id": metric.id,
                    "section": metric.section,
                    "name": metric.name.as_json(),
                    "description": metric.description.as_json(),
                    "numerator": numerator.as_json() if numerator else None,
                    "denominator": denominator.as_json() if denominator else None,
                    "formula": self.formula(metric).as_json(),
                    "per": metric.per,
                    "unit": metric.unit_in(currency),
                    "owner": self.value_label("owner", metric.owner).as_json(),
                    "tier": metric.tier,
                    "better": metric.better,
                    "interval": metric.interval,
                    "version": metric.version,
                    "valid_from": metric.valid_from.isoformat(),
                    "decision": metric.decision,
                }
            )
        return entries


NOT_STATED = "not_stated"
_OPERATOR = re.compile(r" (?:[÷×−+]|minus|plus) ")


def _bracketed(part: Text) -> Text:
    """A part that is a calculation, by its English wording, in brackets; the Chinese one is the same calculation."""
    if not _OPERATOR.search(part.en):
        return part
    return Text(en=f"({part.en})", zh=f"（{part.zh}）")


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A dimension's name and the names of its known values, in both languages."""

    name: Text
    values: dict[str, Text] = field(default_factory=dict)


def _dimensions(labels: Path) -> dict[str, Dimension]:
    """The company's names, and those that ship where it has none: a file of one's own may be older than what the report has learned to say.

    Names of values that only a company's data can hold (its regions, its severities) are its own to give.
    """
    own = {
        name: bind(Dimension, entry, f"params/labels.yml: {name}")
        for name, entry in read_yaml(labels).items()
    }
    shipped = shipped_root() / "params" / "labels.yml"
    if labels == shipped:
        return own
    for name, entry in _dimensions(shipped).items():
        columns = [table.columns[name] for table in contract().tables.values() if name in table.columns]
        fixed = {value for column in columns for value in column.values} if columns else set(entry.values)
        stated = own.get(name, Dimension(name=entry.name))
        values = {value: text for value, text in entry.values.items() if value in fixed}
        own[name] = replace(
            stated, values=stated.values | {v: t for v, t in values.items() if v not in stated.values}
        )
    return own


_UNIT_OF_USE = re.compile(rf"(?<![a-z]){USES[0]}\b")  # ``use``, ``currency/use``, ``failures/1000_use``


def _unit_of_use(dimensions: dict[str, Dimension], labels: Path) -> str:
    """What the company's meters count: the one value of its label ``usage``; nothing in particular where it has none."""
    said = tuple(dimensions["usage"].values) if "usage" in dimensions else ()
    if len(said) > 1 or any(unit not in USES for unit in said):
        raise ParameterError(
            f"{shown(labels)}: usage has the values {', '.join(said)}; name the one unit that all meters count in: {', '.join(USES)}."
        )
    return said[0] if said else USES[0]


@dataclass(frozen=True, kw_only=True)
class _Section:
    section: str
    measures: dict[str, Measure] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)


def _metric(raw: Any, where: str) -> Metric:
    """Numerator and denominator are a measure's id or words in both languages; both bind here."""
    parts = {}
    if isinstance(raw, dict):
        for part in ("numerator", "denominator"):
            value = raw.get(part)
            if isinstance(value, dict):
                parts[part] = bind(Text, value, f"{where}.{part}")
                raw = {**raw, part: "in words"}
    if isinstance(raw, dict) and "function" in raw:
        raw = {"interval": "study", **raw}
    metric = bind(Metric, raw, where)
    return replace(
        metric,
        numerator=parts.get("numerator", metric.numerator),
        denominator=parts.get("denominator", metric.denominator),
    )


def _once(name: str, known: dict[str, Any], path: Path) -> None:
    if name in known:
        raise ParameterError(
            f"{shown(path)}: '{name}' is already defined in another file; one id, one definition."
        )
