"""Exhibits of the registered fault trees: each one drawn, with its events by importance."""

from __future__ import annotations

from analysis.exhibits.failure_shared import or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import interval, metric, row_of, table_of, words
from analysis.exhibits.statements import not_computed
from analysis.failures.fault_tree_facts import TreeFacts
from analysis.failures.result import FailureStudy
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence, Value


@or_said
def fault_tree_figures(study: FailureStudy) -> Block | list[Block]:
    """Each registered fault tree, drawn, with its events by importance."""
    if isinstance(study.trees, NotDone):
        return not_computed(study.trees, id="failures.trees", what=Text.of("Fault trees"))
    blocks = []
    for tree in study.trees:
        blocks += [_tree_figure(study, tree), _tree_table(study, tree)]
        if tree.parts:
            blocks.append(_parts_table(study, tree))
    return blocks


def _parts_table(study: FailureStudy, tree: TreeFacts) -> Block:
    """The top event on the machines that the search told apart: all together describe neither."""
    columns = [
        words("name", "Machines", key="machines", wide=True),
        metric("top_event_probability", of="top", key="top", head="Probability", places=2),
        interval("top_event_probability", of="top", places=2),
    ]
    return table_of(
        f"failures.tree_{tree.name}_parts",
        title=Sentence(
            "{title}: machines of each cause that the search named, and all others", {"title": tree.title}
        ),
        subtitle=Sentence("The same tree, its counted events taken from these machines alone"),
        rows=[row_of(part, columns, by=tuple(part.top.dimensions)) for part in tree.parts],
        columns=columns,
        note=source(study),
    )


def _tree_figure(study: FailureStudy, tree: TreeFacts) -> Block:
    from analysis.exhibits.charts.trees import fault_tree

    values: dict[str, Value] = {"title": tree.title, "top": tree.top, "sets": tree.cut_sets}
    return figure(
        f"failures.tree_{tree.name}",
        title=_tree_title(tree, values),
        subtitle=Sentence(
            "Exact probability over {sets} minimal cut sets; events named after a component are estimated from the field",
            values,
        ),
        foot=source(study),
        alt=Sentence(
            "Fault tree, read from the top event at the left to its causes at the right: {title}, {top}.",
            values,
        ),
        draw=fault_tree(tree.nodes, by=Text.of("Event"), measure=Text.of("Probability")),
    )


def _tree_title(tree: TreeFacts, values: dict[str, Value]) -> Sentence:
    """The top event of all machines and, where some were told apart, the range over them: its ends are the least and the most of the table below."""
    if not tree.parts:
        return Sentence("{title}: {top}{top:doubt}", values)
    ordered = sorted(tree.parts, key=lambda part: float(part.top.value or 0))
    least, most = ordered[0], ordered[-1]
    return Sentence(
        "{title}: {top} of all machines{top:doubt}; from {outside} on {others:lower}{outside:doubt} to {inside} on {cause:lower}{inside:doubt}",
        values | {"cause": most.name, "inside": most.top, "others": least.name, "outside": least.top},
    )


def _tree_table(study: FailureStudy, tree: TreeFacts) -> Block:
    return table_of(
        f"failures.tree_{tree.name}_events",
        title=Sentence("{title}: events by their share of the top event", {"title": tree.title}),
        subtitle=Sentence(
            "Fussell–Vesely: share of the top event's probability that involves the event; shares overlap"
        ),
        rows=tree.events,
        by=("tree", "event"),
        columns=[
            words("name", "Basic event", key="event", wide=True),
            metric("event_probability", of="probability", key="chance", head="Probability", places=2),
            interval("event_probability", of="probability", key="chance_interval", places=2, blank=True),
            metric("event_importance", of="importance", key="weight", head="Fussell–Vesely"),
            interval("event_importance", of="importance", key="weight_interval", blank=True),
            words(lambda one: Text.of(_FROM[one.counted]), "From", key="source"),
        ],
        note=source(study),
    )


_FROM = {True: "Field", False: "Given"}
