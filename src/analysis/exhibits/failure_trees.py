"""Exhibits of the registered fault trees: each one drawn, with its events by importance."""

from __future__ import annotations

from analysis.exhibits.failure_shared import or_said, source
from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.specification import metric, table_of, words
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
    return [block for tree in study.trees for block in (_tree_figure(study, tree), _tree_table(study, tree))]


def _tree_figure(study: FailureStudy, tree: TreeFacts) -> Block:
    from analysis.exhibits.charts.trees import fault_tree

    values: dict[str, Value] = {"title": tree.title, "top": tree.top, "sets": tree.cut_sets}
    return figure(
        f"failures.tree_{tree.name}",
        title=Sentence("{title}: {top} ({top:interval})", values),
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


def _tree_table(study: FailureStudy, tree: TreeFacts) -> Block:
    return table_of(
        f"failures.tree_{tree.name}_events",
        title=Sentence("{title}: what matters most", {"title": tree.title}),
        subtitle=Sentence(
            "Fussell–Vesely: share of the top event's probability that involves the event; shares overlap"
        ),
        rows=tree.events,
        by=("tree", "event"),
        columns=[
            words("name", "Basic event", key="event", wide=True),
            metric("event_probability", of="probability", key="chance", head="Probability", places=2),
            metric("event_importance", of="importance", key="weight", head="Fussell–Vesely"),
            words(lambda one: Text.of(_FROM[one.counted]), "From", key="source"),
        ],
        note=source(study),
    )


_FROM = {True: "Field", False: "Given"}
