"""Who leaves more often than others alike, and the months in which a group lost more than usual."""

from __future__ import annotations

from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, beyond_chance, source, value_tried
from analysis.exhibits.specification import count, interval, metric, registry, table_of, words
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence
from analysis.retention.study import RetentionStudy
from analysis.retention.surges import ALL, LossSurge

_BY = ("attribute", "held")


def groups_table(study: RetentionStudy) -> Block:
    """Every value that was tried, the surest first."""
    part = study.leavers
    if isinstance(part, NotDone):
        return absent("groups", part, "Who leaves more often")
    return table_of(
        "retention.groups",
        title=Sentence("Losses of each group of customers against others alike"),
        subtitle=Sentence(
            "Each value as it held when the month began, {first} to {last}; customers of one standing of the term and years under contract and, for what may change or is a place, of one segment, plan and kind of contract. Beyond chance: after allowing for the {number} values tried (Holm); told are those that no stronger one explains",
            {"first": part.months.first, "last": part.months.last, "number": str(part.tried)},
        ),
        columns=[
            *value_tried(),
            count("group_loss_rate", of="rate", head="Customer-months", key="months"),
            count("group_loss_ratio", of="ratio", head="Losses"),
            metric("group_loss_rate", of="rate", head="Lost in a month"),
            metric("group_loss_ratio", of="ratio", head="Against others alike"),
            interval("group_loss_ratio", of="ratio", key="ratio_interval"),
            beyond_chance(study, "groups"),
        ],
        rows=part.groups,
        by=_BY,
        note=source(study),
    )


def surges_table(study: RetentionStudy) -> Block:
    """The months that stand out most, of every group that was searched."""
    part = study.surges
    if isinstance(part, NotDone):
        return absent("surges", part, "Months of many losses")
    return table_of(
        "retention.surges",
        title=Sentence("Months of many losses by group, against what is usual for it"),
        subtitle=Sentence(
            "One window of one to three months of each group, begun in the last twelve months and chosen by how far it stands out from the other months from {first} to {last}. Usual is the group's own rate by standing of the term, so that a month in which many terms come up is no surge. Beyond chance: after allowing for all windows and groups",
            {"first": part.months.first, "last": part.months.last},
        ),
        columns=[
            words(_attribute, registry().dimension_name("attribute"), key="attribute"),
            words(_held, registry().dimension_name("held"), key="held"),
            words(_first, "First month", key="first"),
            words(_last, "Last month", key="last"),
            metric("surge_losses", of="losses", head="Lost"),
            metric("surge_loss_ratio", of="ratio", head="Against its other months"),
            interval("surge_loss_ratio", of="ratio", key="ratio_interval"),
            beyond_chance(study, "surges"),
        ],
        rows=part.groups,
        by=_BY,
        note=source(study),
    )


def _attribute(one: LossSurge) -> Text:
    return Text.of("All customers") if one.attribute == ALL else registry().dimension_name(one.attribute)


def _held(one: LossSurge) -> Text:
    return Text.same("") if one.attribute == ALL else registry().value_label(one.attribute, one.held)


def _first(one: LossSurge) -> object:
    return one.window.first


def _last(one: LossSurge) -> object:
    return one.window.last
