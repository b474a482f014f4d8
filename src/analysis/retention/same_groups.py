"""Values of several attributes that the very same rows hold: one group, tried once, under the first of its names.

A seller whose channels are its shops would else find each of them twice, and pay for both when the chance of a false alarm is shared among all that was tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.metrics import StudyInputs
from analysis.metrics.lineage import traced
from analysis.retention import month_views

Named = tuple[str, str]  # attribute, value held


@traced
def other_names(
    inputs: StudyInputs, table: str, columns: Mapping[str, str], row: Sequence[str] = month_views.ROW
) -> dict[Named, Named]:
    """Of each value that repeats a value of an attribute before it: the one that it repeats.

    Parameters
    ----------
    table : a table of the engine whose rows the columns ``row`` tell apart
    columns : column by attribute, in the order in which a name is preferred

    Returns
    -------
    dict : (attribute, value) to (attribute, value)
    """
    if len(columns) < 2:
        return {}
    found = inputs.engine.query(month_views.held_by(table, columns, row))
    first: dict[tuple[object, ...], Named] = {}
    repeated: dict[Named, Named] = {}
    values = found.groupby("attribute")["held"].agg(list)
    order = {name: place for place, name in enumerate(columns)}
    for one in sorted(found.itertuples(), key=lambda one: (order[str(one.attribute)], str(one.held))):
        named = (str(one.attribute), str(one.held))
        kept = first.setdefault((one.number, one.mark, one.known), named)
        if kept[0] != named[0]:
            # of two values, who holds one does not hold the other: it is the same comparison
            both = values[named[0]] if len(values[named[0]]) == 2 else [named[1]]
            repeated |= {(named[0], value): kept for value in both}
    return repeated
