"""A run: the period it reports, the data it reads and what the company is called."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Annotated

from analysis.errors import ParameterError, in_quotes, suggestion
from analysis.locale import Text
from analysis.params.places import (
    FROZEN,
    params_file,
    params_files,
    params_in_force,
    project_root,
    read_plain,
    shown,
)
from analysis.params.strict import (
    CurrencyCode,
    Name,
    NotNegative,
    TimeZone,
    Within,
    Words,
    bind,
    known_day,
    read_yaml,
)
from analysis.periods import AGAINST, MONTH, Month, Period


@dataclass(frozen=True, kw_only=True)
class SignOff:
    preparer: Annotated[str, Words(longest=200)] = ""
    reviewer: Annotated[str, Words(longest=200)] = ""


@dataclass(frozen=True, kw_only=True)
class RunParams:
    """``params/runs/<name>.yml``.

    ``data`` is a folder of canonical tables (relative to the project) or the word ``sample``: the sample company of the template, if there is one. ``as_of`` is the last day whose
    records the run may see; blank, it is ``close_day`` of the month after the report month, when the books are closed.
    ``exchange_rates`` maps a currency to dated rates into the reporting currency. ``source_map`` names a file in ``params/sources``
    when the folder holds a system's own exports; blank, its files are canonical tables already. ``needs`` names the tables without
    which this run is refused (each with rows in the report month); everything else that is absent is said on the page it is missing from.
    ``template`` names a folder in ``params/templates`` whose files stand for those of the same name; a folder ``params/runs/<name>`` beside the
    run's file does so for this run alone, and before the template.
    ``months`` is how long the reported period is, which ends with ``month``: 1, or the 3 of a quarter or 12 of a year of the company's own.
    ``year_begins``: the month, 1 to 12, with which the company's year begins. ``sections`` names those of the report that are made (``[quality, costs]``), beside the summary; blank, all of them.
    ``slice`` names the part of the company that is reported (``{region: [South]}``, ``{shop: [Tmall, JD]}``): rows of other values and rows of which
    nothing tells are accounted for on the data-quality page and belong to no other number.
    ``size_limit_mb``: megabytes that one source file may have, or unpack to; raise it for a source that is really larger.
    """

    name: str = ""
    company: Annotated[Text, Words(longest=200)]
    data: Annotated[str, Name(longest=1_000)]
    month: Month
    months: int = MONTH
    currency: Annotated[str, CurrencyCode()]
    time_zone: Annotated[str, TimeZone()]
    as_of: dt.date | None = None
    close_day: Annotated[int, Within(low=1, high=28)] = 10
    confidence: Annotated[float, Within(above=0.5, below=1)] = 0.95
    tie_out_tolerance: NotNegative = Decimal("0.00")
    active_window_months: Annotated[int, Within(low=1, high=120)] = 12
    sign_off: SignOff = field(default_factory=SignOff)
    source_map: Annotated[str, Name()] = ""
    template: Annotated[str, Name()] = ""
    year_begins: Annotated[int, Within(low=1, high=12)] = 1
    sections: tuple[str, ...] = ()
    slice: dict[str, tuple[Annotated[str, Words(longest=200)], ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ("ledger", "tickets")
    size_limit_mb: Annotated[int, Within(low=1, high=10_000_000)] = 8_192
    exchange_rates: dict[
        Annotated[str, CurrencyCode()], dict[dt.date, Annotated[Decimal, Within(above=0)]]
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.months not in AGAINST:
            raise ParameterError(
                f"run '{self.name}': months is {self.months}; a report is of 1, of 3 (a quarter) or of 12 (a year)."
            )
        if self.months != MONTH and self.period.year is None:
            raise ParameterError(
                f"run '{self.name}': months is {self.months} and month {self.month}, which ends no {'quarter' if self.months == 3 else 'year'} "
                f"of a year that begins with month {self.year_begins}."
            )
        # a day inside the month would leave out rows of the month that is reported, and say so nowhere
        if self.as_of is not None and self.as_of < self.month.last_day:
            raise ParameterError(
                f"run '{self.name}': as_of {self.as_of} lies before the end of the report month {self.month}; it should be {self.month.last_day} "
                "or later, or left out."
            )

    @property
    def period(self) -> Period:
        """What is reported: the month, or the quarter or year that ends with it."""
        return Period(self.month - (self.months - 1), self.month, self.year_begins)

    @property
    def knowledge_day(self) -> dt.date:
        """The as-of date of the run: records made after it are not seen."""
        return self.as_of or self.month.end.replace(day=self.close_day)

    @property
    def own_params(self) -> tuple[str, ...]:
        """Folders below ``params`` whose files are this run's."""
        return tuple(
            name
            for name in (
                f"templates/{self.template}" if self.template else "",
                f"runs/{self.name}" if self.name else "",
            )
            if name
        )

    @property
    def cut_name(self) -> str:
        """The slice in one name (``region-South``), of which a folder can be made; blank for a whole company."""
        told = "-".join(f"{name}-{'+'.join(values)}" for name, values in sorted(self.slice.items()))
        plain = all(re.fullmatch(r"\w+", value) for values in self.slice.values() for value in values)
        if plain and len(told.encode()) <= 80:
            return told
        # a value with a mark of its own could read like two values, or like another slice
        whole = json.dumps(sorted((name, sorted(values)) for name, values in self.slice.items()))
        return f"slice-{hashlib.sha256(whole.encode()).hexdigest()[:12]}"

    @property
    def reported(self) -> Text:
        """Who is reported: the company, or the part of it, in both languages."""
        told = " · ".join("/".join(values) for _, values in sorted(self.slice.items()))
        return (
            Text(en=f"{self.company.en} · {told}", zh=f"{self.company.zh} · {told}") if told else self.company
        )

    @property
    def data_folder(self) -> Path:
        if self.data != "sample":
            return project_root() / self.data
        return project_root() / "data" / (f"sample-{self.template}" if self.template else "sample")


def available_runs() -> list[str]:
    return [path.stem for path in params_files("runs")]


#: How a run, and whoever is asked, says that it follows no template.
NO_TEMPLATE = "none"


def available_templates() -> list[str]:
    """Folders in ``params/templates``."""
    return sorted({name.split("/")[1] for name in params_in_force() if name.startswith("templates/")})


def load_run(name: str, *, month: str = "", data: str = "", as_of: str = "") -> RunParams:
    """The run of this name, from ``params/runs``.

    Parameters
    ----------
    name : str
        Of the file.
    month, data, as_of : str
        Replace the reported period (a month ``2026-10``, or a quarter ``2026-Q3`` or year ``2026`` of the company's own), the data folder and the last
        day whose records are seen (``2026-11-10``) where they are not blank.

    Returns
    -------
    RunParams

    Raises
    ------
    ParameterError
        For an unknown run, and a period or day that is none.

    Examples
    --------
    >>> from analysis.params import load_run
    >>> run = load_run("sample", month="2026-09")
    >>> str(run.month), run.currency, str(run.knowledge_day)  # closed on the 10th of the next month
    ('2026-09', 'CNY', '2026-10-10')
    """
    if not name or Path(name).name != name:
        raise ParameterError(
            f"run_name {in_quotes(name)}: should be the name of a file in params/runs/, e.g. sample."
        )
    Name().refuse_outside(name, "run_name")
    path = params_file(f"runs/{name}.yml")
    run = replace(bind(RunParams, read_yaml(path), shown(path)), name=name)
    if run.template == NO_TEMPLATE:
        run = replace(run, template="")
    if run.template and run.template not in available_templates():
        raise ParameterError(
            f"{shown(path)}: template {in_quotes(run.template)} is no folder in params/templates.{suggestion(run.template, available_templates())}"
        )
    if month:
        period = Period.named(month, year_begins=run.year_begins)
        run = replace(run, month=period.last, months=period.months, as_of=None)
    if data:
        Name(longest=1_000).refuse_outside(data, "data")
        run = replace(run, data=data, source_map="" if data == "sample" else run.source_map)
    return replace(run, as_of=_day(as_of)) if as_of else run


def state_for_this_report(name: str, *, source_map: str = "", cut: Mapping[str, Sequence[str]] = {}) -> None:
    """Let a run read its data through another map, or be cut to a slice, in the frozen copy of params: the report that is being made states it, the
    project's file stays.

    Raises
    ------
    ParameterError
        For an unknown run or map, and outside a report.
    """
    import yaml

    for kind, stated in (("runs", name), *((("sources", source_map),) if source_map else ())):
        Name().refuse_outside(stated, kind)
        read_yaml(params_file(f"{kind}/{stated}.yml"))
    if FROZEN not in os.environ:
        raise ParameterError(
            f"run '{name}': what holds for one report only cannot be stated outside it; write it into the run's file."
        )
    path = params_file(f"runs/{name}.yml")
    content = yaml.safe_load(read_plain(path))
    content |= {"source_map": source_map} if source_map else {}
    content |= {"slice": {dimension: list(values) for dimension, values in cut.items()}} if cut else {}
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def _day(text: str) -> dt.date:
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return known_day(dt.date.fromisoformat(text), "as_of")
    except ValueError:
        raise ParameterError(f"as_of {in_quotes(text)}: not a day; write it as 2026-11-10.") from None


def params_hash() -> str:
    """One hash of every parameter file in force, the project's or shipped, so a pack can say which parameters made it."""
    digest = hashlib.sha256()
    for name, path in params_in_force().items():
        digest.update(name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
