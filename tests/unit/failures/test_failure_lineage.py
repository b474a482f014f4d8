"""Every fact of the failure study follows from what it says: rows that add up to it, parents, a model's queries, an assumption."""

from __future__ import annotations

import functools
import importlib
import math
from collections import Counter
from decimal import Decimal
from typing import Any

from analysis import failures
from analysis.formats import Number
from analysis.metrics import Engine, StudyInputs, facts_in
from analysis.params.places import params_file
from analysis.results import OPERATIONS, Assumed, Derived, Estimated, Fact, Rows


def same(found: Number | None, stated: Number | None) -> bool:
    if isinstance(found, Decimal) and isinstance(stated, Decimal):
        return found == stated
    return found is not None and stated is not None and math.isclose(found, stated, rel_tol=1e-9)


def resolved(dotted: str) -> Any:
    """The function or property of that name; a study's entry is called by its package's name."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        try:
            module = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        return functools.reduce(getattr, parts[length:], module)
    raise AssertionError(dotted)


def test_every_fact_follows_from_what_it_says(
    planted_inputs: StudyInputs, planted_study: failures.FailureStudy
):
    found = facts_in(planted_study)
    parents = {parent.id: parent for fact in found.values() for parent in fact.parents}
    inputs, facts = planted_inputs, list((parents | found).values())
    kinds = Counter(fact.lineage.kind if fact.lineage else "none" for fact in facts)
    print(f"{len(facts)} facts: {dict(kinds)}")
    wrong = [f"{fact.id}: {why}" for fact in facts for why in _faults(inputs, fact)]
    assert not wrong, "\n".join(wrong[:20])
    assert kinds["rows"] > 350 and kinds["derived"] > 150 and kinds["assumed"] >= 20 and not kinds["none"]


@functools.cache
def aggregate(engine: Engine, value: str, sql: str) -> Number:
    number = engine.query(f"SELECT {value} AS number FROM ({sql}) AS listed")["number"].iloc[0]
    return number if isinstance(number, Decimal) else number.item()


def _faults(inputs: StudyInputs, fact: Fact) -> list[str]:
    known = set(inputs.engine.tables.tables)
    match fact.lineage:
        case Rows() as rows:
            found = _rows_faults(inputs, fact, rows)
        case Derived(operation=operation, parents=parents):
            values = [parent.value for parent in parents if parent.value is not None]
            whole = len(values) == len(parents)
            agrees = same(OPERATIONS[operation](values), fact.value) if whole else fact.value is None
            found = [] if agrees or fact.value is None else [f"is not the {operation} of its parents"]
        case Estimated() as model:
            found = [] if model.queries else ["rests on no query"]
            found += [] if resolved(model.function) is not None else ["made by nothing"]
        case Assumed(source=source):
            found, known = [], {source}
            found += (
                [] if params_file(source.removeprefix("params/")).is_file() else [f"{source} is not there"]
            )
        case _:
            found = ["follows from nothing"]
    return found + ([] if set(fact.sources) <= known else [f"reads {set(fact.sources) - known}"])


def _rows_faults(inputs: StudyInputs, fact: Fact, rows: Rows) -> list[str]:
    top = aggregate(inputs.engine, rows.value, rows.numerator)
    if not rows.denominator:
        return [] if same(top, fact.value) else [f"rows give {top}, stated is {fact.value}"]
    base = aggregate(inputs.engine, rows.of, rows.denominator)
    found = [] if same(top, fact.numerator) else [f"rows give {top}, the numerator is {fact.numerator}"]
    found += [] if same(base, fact.denominator) else [f"rows give {base}, not {fact.denominator}"]
    if fact.value is not None:
        # a cost per failure is published to the cent
        close = 0.005 if fact.metric == "failure_unit_cost" else 1e-9 * abs(float(fact.value))
        ratio = float(top) / float(base) * rows.per
        found += [] if abs(ratio - float(fact.value)) <= close else [f"the ratio of its rows is {ratio}"]
    return found
