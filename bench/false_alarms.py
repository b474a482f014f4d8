"""How often do the wired studies raise an alarm on a company with nothing planted?

    python bench/false_alarms.py --seeds 100 --scale 0.15
    python bench/false_alarms.py --studies retention failures --first 500

Each seed is a whole company: made, read and proved like any export, then studied as in the report. Counted are seeds in which a study
has a finding that asks for a decision (alert or watch). Customer tiers still shape both service and loyalty (``tier_confounding``), so
that a study which takes a confounder for a cause is caught. What is true of these companies too (:data:`TRUE_HERE_TOO`), and findings about
the books, which rest on no estimate, are listed but not counted.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from analysis.metrics import Engine, Registry, StudyInputs
from analysis.params import Assumptions, CostTree, load_run
from analysis.results import Finding
from analysis.sample import TRUTHS, make_sample
from analysis.stats import proportion_interval
from analysis.tables import load_tables
from analysis.workbook.month_run import claims_ahead
from analysis.workbook.sections import SECTIONS

ASKS_FOR_A_DECISION = ("alert", "watch")
EXACT = "exact"
TRUE_HERE_TOO = {
    "retention.gross_churn": "they lose more than a tenth of their contracts a year, and the line is at a tenth",
    "costs.provision_short": "0.65 % of sales is accrued for every line alike: over 40 companies the balance of Home Comfort holds 29 % of the claims to "
    "come and is short in each of them; Commercial Cooling holds 98 % and all lines 95 % on average, and those called short are short",
    "costs.year_over_budget": "a third of them have booked more than their budget by the report month: a line of the books crossed",
    "costs.measure": "the registered measures have no effect in them, so they did not deliver",
}


def company(seed: int, scale: float, *, confounded: bool, folder: Path) -> StudyInputs:
    """A company without truths, as the studies of a report would be given it."""
    off = frozenset(TRUTHS) - ({"tier_confounding"} if confounded else set())
    make_sample(folder / "exports", seed=seed, scale=scale, off=off, blemishes=False)
    params = load_run("sample", month="2026-10")
    tables = load_tables(
        folder / "exports", folder / "store", reporting_currency=params.currency, time_zone=params.time_zone
    )
    engine = Engine(
        tables,
        Registry.load(),
        cost_tree=CostTree.load(),
        as_of=params.knowledge_day,
        time_zone=params.time_zone,
        currency=params.currency,
        confidence=params.confidence,
        cache=None,
    )
    return StudyInputs(
        engine=engine,
        month=params.month,
        params=params,
        assumptions=Assumptions.load(),
        cost_tree=engine.cost_tree,
        claims_ahead=claims_ahead,
    )


def estimates(findings: tuple[Finding, ...]) -> Iterator[str]:
    """Ids of the findings that ask for a decision; marked where none of their numbers has an interval."""
    for finding in findings:
        if finding.severity in ASKS_FOR_A_DECISION:
            yield (
                finding.id
                if any(fact.interval is not None for fact in finding.facts())
                else f"{finding.id} ({EXACT})"
            )


def _counts(id: str) -> bool:
    return id not in TRUE_HERE_TOO and not id.endswith(f"({EXACT})")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=40, help="companies to make (default: 40)")
    parser.add_argument("--first", type=int, default=10_000, help="the first seed")
    parser.add_argument(
        "--scale", type=float, default=0.15, help="size against the sample company (default: 0.15)"
    )
    parser.add_argument(
        "--studies", nargs="+", default=[section.id for section in SECTIONS if section.id != "quality"]
    )
    parser.add_argument(
        "--unconfounded", action="store_true", help="switch the confounding by customer tier off as well"
    )
    options = parser.parse_args()
    studies = {section.id: section.load() for section in SECTIONS if section.id in options.studies}
    alarms: dict[str, int] = Counter()
    named: dict[str, Counter[str]] = defaultdict(Counter)
    for done, seed in enumerate(range(options.first, options.first + options.seeds), start=1):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            inputs = company(seed, options.scale, confounded=not options.unconfounded, folder=Path(folder))
            for name, study in studies.items():
                found = list(estimates(study(inputs).findings))
                named[name].update(found)
                alarms[name] += any(_counts(id) for id in found)
                print(f"seed {seed} {name:10} {', '.join(found) or '-'}", flush=True)
        print(
            f"seed {seed} took {time.perf_counter() - began:.1f} s; so far {dict(alarms)} of {done}",
            flush=True,
        )
    for name in studies:
        interval = proportion_interval(alarms[name], options.seeds, method="wilson", level=0.95)
        print(
            f"{name}: an estimate raised an alarm in {alarms[name]} of {options.seeds} companies ({interval.low:.1%} to {interval.high:.1%})"
        )
        for id, count in named[name].most_common():
            print(
                f"  {count:4d}  {id}{f' (not counted: {TRUE_HERE_TOO[id]})' if id in TRUE_HERE_TOO else ''}"
            )


if __name__ == "__main__":
    main()
