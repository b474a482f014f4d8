"""The page on what the reports of the templates' companies name of what is planted in them, written from records; no number in it is typed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Literal

from analysis.nulls.named import SIGNS, Reported, Sign
from analysis.nulls.running import Record
from analysis.sample import COMPANIES
from analysis.stats import proportion_interval
from analysis.summaries import Summarised

GOAL = 40
HEADING = "## "
Verdict = Literal["named", "held", "missed"]


@dataclass(frozen=True, kw_only=True)
class Recovered(Summarised):
    """A planted truth: in how many companies the report names it, in how many without it the same finding is made, and how often its interval holds.

    low, high : Wilson interval at 95 % of the share that is named; ``sign`` is the finding's id, blank where no finding names it
    """

    truth: str
    sign: str
    named: int
    companies: int
    low: float
    high: float
    held: int
    stated: int
    without_cause: int
    companies_without: int


def recovered(template: str, planted: Sequence[Record], without: Sequence[Record]) -> tuple[Recovered, ...]:
    """By truth of a template, in the order of its answer sheet."""
    found = []
    for truth in import_module(f"{COMPANIES[template]}.truths").TRUTHS:
        sign = SIGNS[template].get(truth)
        verdicts = [_verdict(sign, truth, record) for record in planted]
        named = sum(one is not None for one in verdicts)
        limits = proportion_interval(named, max(len(planted), 1), method="wilson")
        found.append(
            Recovered(
                truth=truth,
                sign=sign.finding if sign else "",
                named=named,
                companies=len(planted),
                low=float(limits.low),
                high=float(limits.high),
                held=verdicts.count("held"),
                stated=verdicts.count("held") + verdicts.count("missed"),
                without_cause=sum(_verdict(sign, truth, record) is not None for record in without),
                companies_without=len(without),
            )
        )
    return tuple(found)


def _verdict(sign: Sign | None, truth: str, record: Record) -> Verdict | None:
    """Whether the report of a company names a truth, and what its interval says of it; None where it does not name it."""
    answer: Reported | None = record.answers.get(sign.section) if sign else None
    finding = next((one for one in answer.findings if sign and sign.meant(one)), None) if answer else None
    if sign is None or answer is None or finding is None:
        return None
    holds = sign.holds(finding, answer.strengths[0][truth])
    return "named" if holds is None else "held" if holds else "missed"


def _alarms(records: Sequence[Record]) -> Counter[str]:
    """By kind of alarm, in how many companies it was raised."""
    return Counter(kind for record in records for answer in record.answers.values() for kind in answer.alarms)


def write_truths(
    page: Path, template: str, planted: Sequence[Record], without: Sequence[Record], *, scale: float
) -> str:
    """Write a template's part of the page and return the page's text; the parts of other templates stay as they are."""
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    parts = dict(
        (part.split("\n", 1)[0].strip(), part.rstrip()) for part in f"\n{text}".split(f"\n{HEADING}")[1:]
    )
    parts[template] = "\n".join(_part(template, planted, without, scale=scale))
    known = [name for name in SIGNS if name in parts]
    whole = "\n\n".join(["\n".join(_opening()), *(f"{HEADING}{parts[name]}" for name in known)]) + "\n"
    page.write_text(whole, encoding="utf-8")
    return whole


def _opening() -> list[str]:
    return [
        "# What the report names of what is planted",
        "",
        "Written by `make nulls TEMPLATE=saas SEEDS=40` (or `analysis nulls --template saas --seeds 40`), a part for each template; a run that was stopped goes on where it stood.",
        "",
        "From each seed the company of a template is made, written, loaded and studied whole, as its report does it, once with everything planted and once with nothing. A truth is *named* where the report makes the finding that stands "
        "beside it, about the right team, part, measure or group. *Without cause* counts companies with nothing planted in which the same finding is made. Where the finding states how strong the thing is, *held* counts "
        "companies whose 95% interval holds the planted strength, of those that named it: what stood out in a search is a little too large where it was found by its size. The answer sheets are in docs/TEMPLATES.md.",
    ]


def _companies(count: int) -> str:
    return "1 company" if count == 1 else f"{count} companies"


def _part(template: str, planted: Sequence[Record], without: Sequence[Record], *, scale: float) -> list[str]:
    rows = recovered(template, planted, without)
    alarms = _alarms(without)
    few = min(len(planted), len(without))
    return [
        template,
        "",
        f"{_companies(len(planted))} with everything planted and {len(without)} with nothing, at {scale:g} times the size of the template's sample.",
        "",
        *(
            [
                f"**{_companies(few)} so far;** {GOAL} are asked for, and the same command with SEEDS={GOAL} goes on.",
                "",
            ]
            if few < GOAL
            else []
        ),
        "| truth | finding | named | 95% interval | held | without cause |",
        "|---|---|---:|---|---:|---:|",
        *(
            f"| `{one.truth}` | `{one.sign}` | {one.named} of {one.companies} | {one.low:.0%} to {one.high:.0%} | {f'{one.held} of {one.stated}' if one.stated else ''} | {one.without_cause} of {one.companies_without} |"
            if one.sign
            else f"| `{one.truth}` | none yet | | | | |"
            for one in rows
        ),
        "",
        "Alarms where nothing is planted: "
        + (
            ", ".join(
                f"`{kind}` in {count}"
                for kind, count in sorted(alarms.items(), key=lambda one: (-one[1], one[0]))
            )
            or "none"
        )
        + f" of {len(without)} companies.",
    ]
