"""Where new customers come from, and how that mix moves."""

from __future__ import annotations

from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, beyond_chance, source, value_tried
from analysis.exhibits.specification import count, estimate, interval, metric, registry, table_of
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence, Value
from analysis.retention.newcomers import NewcomerMix
from analysis.retention.study import RetentionStudy

_TRIED = "Each value as it stood on the day on which a customer came, of those whose value is known, {first} and {last}. Beyond chance: by the trend over all whole years, after allowing for the {number} values tried (Holm)"


def newcomers_table(study: RetentionStudy) -> Block:
    """Every value that was tried, the surest first."""
    part = study.newcomers
    if isinstance(part, NotDone):
        return absent("newcomers", part, "Where new customers come from")
    first, last = str(part.years[0]), str(part.years[-1])

    title = (
        "New customers by what they were when their first contract began"
        if part.by_contract
        else "New customers by what they were when they first bought"
    )
    return table_of(
        "retention.newcomers",
        title=Sentence(title),
        subtitle=_subtitle(part),
        columns=[
            *value_tried(),
            count("newcomer_share", of="first", head="New, first year", key="first_n", period=first),
            estimate("newcomer_share", of="first", head="Share, first year", period=first),
            count("newcomer_share", of="last", head="New, last year", key="last_n", period=last),
            estimate("newcomer_share", of="last", head="Share, last year", period=last),
            metric("newcomer_share_change", of="change", head="Change", signed=True, better=None),
            interval("newcomer_share_change", of="change", key="change_interval"),
            beyond_chance(study, "newcomers"),
        ],
        rows=part.groups,
        by=("attribute", "held"),
        note=source(study),
    )


def _subtitle(part: NewcomerMix) -> Sentence:
    """What was tried, and which attributes were not and why."""
    values: dict[str, Value] = {
        "first": part.years[0],
        "last": part.years[-1],
        "number": str(len(part.groups)),
    }
    if not part.left_out:
        return Sentence(_TRIED, values)
    named = [(registry().dimension_name(name), why) for name, why in part.left_out.items()]
    left = Text(
        en=", ".join(f"{name.en} ({why.en})" for name, why in named),
        zh="、".join(f"{name.zh}（{why.zh}）" for name, why in named),
    )
    return Sentence(f"{_TRIED}. Left out: {{left}}", values | {"left": left})
