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
    """The top event, and the events of components with a cause, on the machines that the search told apart: all together describe neither."""
    either = ("top_event_probability", "event_probability")
    columns = [
        words("machines", "Machines", wide=True),
        words("event", "Event", wide=True),
        metric(*either, of="chance", head="Probability", places=2),
        interval(*either, of="chance", places=2, blank=True),
    ]
    lines = [
        (chance, {"machines": part.name, "event": event, "chance": chance})
        for part in tree.parts
        for event, chance in ((tree.nodes[0].name, part.top), *part.events)
    ]
    return table_of(
        f"failures.tree_{tree.name}_parts",
        title=Sentence(
            "{title}: machines of each cause that the search named, and all others", {"title": tree.title}
        ),
        subtitle=Sentence("The same tree, its counted events taken from these machines alone"),
        rows=[row_of(line, columns, by=tuple(chance.dimensions)) for chance, line in lines],
        columns=columns,
        note=source(study),
    )


# by whether machines were told apart
_SUBTITLE = {
    False: "Exact probability over {sets} minimal cut sets; events named after a component are estimated from the field",
    True: "Exact probability over {sets} minimal cut sets; events named after a component are estimated from the field, on all machines, those of a cause among them; the last table tells them apart",
}
_EVENTS_SUBTITLE = {
    False: "Fussell–Vesely: share of the top event's probability that involves the event; shares overlap",
    True: "Fussell–Vesely: share of the top event's probability that involves the event; shares overlap. On all machines, those of a cause among them; the next table tells them apart",
}


def _tree_figure(study: FailureStudy, tree: TreeFacts) -> Block:
    from analysis.exhibits.charts.trees import fault_tree

    values: dict[str, Value] = {"title": tree.title, "top": tree.top, "sets": tree.cut_sets}
    return figure(
        f"failures.tree_{tree.name}",
        title=_tree_title(tree, values),
        subtitle=Sentence(_SUBTITLE[bool(tree.parts)], values),
        foot=source(study),
        alt=Sentence(
            "Fault tree, read from the top event at the left to its causes at the right: {title}, {top}.",
            values,
        ),
        draw=fault_tree(tree.nodes, by=Text.of("Event"), measure=Text.of("Probability")),
    )


NEARLY_CERTAIN = (
    0.99  # from here on a range over causes would read from a hundred percent to a hundred percent
)


def _tree_title(tree: TreeFacts, values: dict[str, Value]) -> Sentence:
    """The top event of all machines and, where some were told apart, the range over them: its ends are the least and the most of the table below."""
    told = [part for part in tree.parts if part.top.value is not None]
    if len(told) < 2:
        return Sentence("{title}: {top}{top:doubt}", values)
    if all(float(part.top.value or 0) >= NEARLY_CERTAIN for part in told):
        return Sentence(
            "{title}: {top} of all machines{top:doubt}, so near to certain that those of a cause hardly stand out",
            values,
        )
    ordered = sorted(told, key=lambda part: float(part.top.value or 0))
    least, most = ordered[0], ordered[-1]
    return Sentence(
        "{title}: {top} of all machines{top:doubt}; from {outside} on {others:lower}{outside:doubt} to {inside} on {cause:lower}{inside:doubt}",
        values | {"cause": most.name, "inside": most.top, "others": least.name, "outside": least.top},
    )


def _tree_table(study: FailureStudy, tree: TreeFacts) -> Block:
    return table_of(
        f"failures.tree_{tree.name}_events",
        title=Sentence("{title}: events by their share of the top event", {"title": tree.title}),
        subtitle=Sentence(_EVENTS_SUBTITLE[bool(tree.parts)]),
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
