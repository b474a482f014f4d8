"""What service goes together with: hazard ratios of loss, the chain link by link, who left after a repair, who bought again."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.exhibits.figures import figure
from analysis.exhibits.record import Block
from analysis.exhibits.retention_shared import absent, source
from analysis.exhibits.specification import Field, count, interval, label, metric, registry, table_of, words
from analysis.exhibits.vocabulary import paired, phrase
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence, Value
from analysis.retention.chain import Link
from analysis.retention.drivers import TESTED, TOO_FEW_LOSSES
from analysis.retention.matching_facts import AfterService
from analysis.retention.study import RetentionStudy

# ---------------------------------------------------------------- drivers

_SHOWN_RATIOS = (
    ("slow", "total"),
    ("slow", "unadjusted"),
    ("slow", "naive"),
    ("prompt", "total"),
    ("repeat", "total_repeat"),
    ("low", "mediation"),
    ("waited", "response"),
    ("followed", "resolution"),
)
BESIDE = "prompt"
TOO_FEW = NotDone(reason=Text.of(TOO_FEW_LOSSES))
UNMATCHED = NotDone(reason=Text.of("too few customers have a match to be compared with"))


# by whether a difference is shown
_AFTER_LATE = {
    True: "After a late answer to a complaint customers leave {adjusted} as often{adjusted:doubt}; the naive comparison says {naive}{naive:doubt}",
    False: "After a late answer to a complaint no difference in leaving is shown: {adjusted} as often{adjusted:doubt}; the naive comparison says {naive}{naive:doubt}",
}


def drivers_figure(study: RetentionStudy) -> Block:
    """Hazard ratios as dots with intervals: the adjusted answers first, the naive one beside them."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.drivers
    if isinstance(part, NotDone):
        return absent("drivers", part, "Service experience and loss")
    items = [
        Item(
            name=paired(
                registry().value_label("exposure", what), registry().value_label("loss_model", model)
            ),
            fact=ratio,
            role="focus" if (what, model) in TESTED and f"experience.{what}" in study.sure else "context",
        )
        for what, model in _SHOWN_RATIOS
        if (ratio := part.ratios.get((what, model))) is not None and ratio.value is not None
    ]
    # a good answer stands beside the bad ones; alone it says nothing of bad service
    bad = any(
        what != BESIDE
        and part.ratios.get((what, model)) is not None
        and part.ratios[what, model].value is not None
        for what, model in _SHOWN_RATIOS
    )
    if not items or not bad:
        return absent("drivers", part.not_fitted.get("total", TOO_FEW), "Service experience and loss")
    adjusted, naive = part.ratios["slow", "total"], part.ratios["slow", "naive"]
    if adjusted.value is not None and naive.value is not None:
        title = Sentence(_AFTER_LATE["experience.slow" in study.sure], {"adjusted": adjusted, "naive": naive})
    else:
        title = Sentence("How often customers leave after bad service, against comparable customers")
    return figure(
        "retention.drivers",
        title=title,
        subtitle=Sentence(
            "Hazard ratio of losing the contract, with interval; 1 is no difference. Associations within contract kind, customer type and segment. Orange: shown after allowing for all tests of the section (Holm); grey: not shown, or an answer that stands beside and is not tested"
        ),
        foot=source(study),
        alt=Sentence(
            "Dots with intervals of hazard ratios by service experience and model; the line marks no difference."
        ),
        draw=dot_interval(
            items,
            measure=Text.of("Hazard ratio"),
            by=Text.of("Experience and model"),
            reference=1.0,
            log=True,
        ),
    )


def differences_table(study: RetentionStudy) -> Block | None:
    """The same as absolute differences at twelve months."""
    part = study.drivers
    if isinstance(part, NotDone):
        return None
    lines = [
        {
            "ratio": ratio,
            "difference": part.differences[what],
            "statistic": part.diagnostics[what][0],
            "constant": part.diagnostics[what][1],
        }
        for what, model in TESTED
        if (ratio := part.ratios.get((what, model))) is not None
        and ratio.value is not None
        and part.differences[what].value is not None
    ]
    if not lines:
        return None
    return table_of(
        "retention.differences",
        title=Sentence(
            "How much more often customers leave after each experience, and how many more of them"
        ),
        subtitle=Sentence(
            "Associations, later experiences not held fixed: losses within the first twelve months of a contract that the model expects with the experience from the start, minus without it. Last columns: does the ratio change with age (Schoenfeld residuals; a small chance says it does)"
        ),
        columns=[
            label("exposure", key="what"),
            count("loss_hazard_ratio", of="ratio", head="Losses after it"),
            metric("loss_hazard_ratio", of="ratio", head="Hazard ratio"),
            interval("loss_hazard_ratio", of="ratio", key="ratio_interval"),
            metric(
                "loss_risk_difference", of="difference", head="Lost in 12 months", signed=True, better=None
            ),
            interval("loss_risk_difference", of="difference", key="difference_interval"),
            metric("proportionality_statistic", of="statistic", head="Change with age", places=1),
            metric("proportionality_p_value", of="constant", head="As much by chance"),
        ],
        rows=lines,
        by=("exposure",),
        note=source(study),
    )


# ---------------------------------------------------------------- the chain

_ROLE = {"holds": "focus", "reversed": "bad", "not_shown": "context"}
_VERDICT = {"holds": Text.of("holds"), "reversed": Text.of("reversed"), "not_shown": Text.of("not shown")}


def chain_figure(study: RetentionStudy) -> Block:
    """The chain's links with their strengths."""
    from analysis.exhibits.charts import Item, dot_interval

    part = study.chain
    if isinstance(part, NotDone):
        return absent("chain", part, "The chain, link by link")
    if not part.links:
        reasons = dict.fromkeys(lacking.reason for lacking in part.not_tested.values())
        why = NotDone(reason=Text.joined(reasons, en="; ", zh="；"))
        return absent("chain", why, "The chain, link by link")
    items = [Item(name=_link_name(link), fact=link.strength, role=_ROLE[link.verdict]) for link in part.links]
    holding = [link for link in part.links if link.verdict == "holds"]
    title = _chain_title(holding)
    return figure(
        "retention.chain",
        title=title,
        subtitle=Sentence(
            "Ratio of the later quantity with the earlier one present against absent, with interval; the earlier is measured before the later. Verdicts allow for {number} links being looked at (Holm): a link may be grey although its own interval excludes 1",
            {"number": str(len(part.links))},
        ),
        foot=source(study),
        alt=Sentence("Dots with intervals, one a link of the chain; the line marks no difference."),
        draw=dot_interval(items, measure=Text.of("Ratio"), by=Text.of("Link"), reference=1.0, log=True),
    )


def _chain_title(holding: Sequence[Link]) -> Sentence:
    """The links that hold; one is called the strongest only where its interval lies above those of the others."""
    if not holding:
        return Sentence("No link of the chain is shown by these data")
    first, *others = sorted(holding, key=lambda link: -float(link.strength.value or 0))
    values: dict[str, Value] = {"link": first.label, "strength": first.strength}
    if not others:
        return Sentence(
            "One link holds: {link} ({strength}, {strength:interval}); grey: not shown by these data", values
        )
    low = first.strength.interval.low if first.strength.interval else 0.0
    if all(one.strength.interval is not None and one.strength.interval.high < low for one in others):
        return Sentence(
            "The strongest link that holds: {link} ({strength}, {strength:interval}); grey: not shown by these data",
            values,
        )
    names = Text.joined((link.label for link in [first, *others]), en="; ", zh="；")
    return Sentence("Links that hold: {links}; grey: not shown by these data", {"links": names})


def _link_name(link: Link) -> Text:
    verdict = _VERDICT[link.verdict]
    return Text(en=f"{link.label.en} ({verdict.en})", zh=f"{link.label.zh}（{verdict.zh}）")


# ---------------------------------------------------------------- after service, beside matched customers


def _matched_columns(served: str, matched: str, difference: str, head: str) -> list[Field]:
    """Served customers, what came of them, their matches, and the difference with its interval."""
    return [
        count(served, of="served", head="Customers"),
        metric(served, of="served", head=Text.of(head)),
        metric(matched, of="matched", head="Matched"),
        metric(difference, of="difference", head="Difference", signed=True, better=None),
        interval(difference, of="difference", blank=True),
    ]


_BY = ("arm", "severity", "window")


def leaving_table(study: RetentionStudy) -> Block:
    """Losses after a fault beside matched customers who never asked for service."""
    part = study.loss_after_repair
    if isinstance(part, NotDone):
        return absent("leaving", part, "Losses after a fault")
    if not any(_has_matches(line) for line in part):
        return absent("leaving", UNMATCHED, "Losses after a fault")
    title = _compared(
        part[-1],
        "After a repeat fault {served} left within {months} months, of matched customers without service {matched}: {difference:signed}{difference:doubt}",
        otherwise="Left after a fault, beside matched customers",
    )
    return table_of(
        "retention.leaving",
        title=title,
        subtitle=Sentence(
            "Contracts at quarterly landmarks from {first} on, with a fault resolved in the three months before, windows closed by the end of {last}; matched on landmark, contract, type, segment, months to renewal and tenure",
            part[0].span,
        ),
        columns=[
            label("arm", key="group"),
            *_matched_columns(
                "loss_rate_after_repair", "matched_loss_rate", "matched_loss_difference", "Left"
            ),
        ],
        rows=part,
        by=_BY,
        note=source(study),
    )


def repurchase_table(study: RetentionStudy) -> Block:
    """Served customers beside their matches."""
    part = study.repurchase
    if isinstance(part, NotDone):
        return absent("repurchase", part, "Repurchase after service")
    if not any(_has_matches(line) for line in part):
        return absent("repurchase", UNMATCHED, "Repurchase after service")
    title = _compared(
        next(line for line in part if line.arm == "bad"),
        "After bad service {served} bought again within {months} months, of matched customers without service {matched}: {difference:signed}{difference:doubt}",
        otherwise="Repurchase after service",
    )
    return table_of(
        "retention.repurchase",
        title=title,
        subtitle=Sentence(
            "First service in the three months before a quarterly landmark from {first} on, windows closed by the end of {last}; served badly: a late answer to a complaint or a repeat fault",
            part[0].span,
        ),
        columns=[
            words(_group_name, "Service and worst severity", key="group", wide=True),
            words(_window, "Within", key="window"),
            *_matched_columns(
                "repurchase_rate_after_service",
                "matched_repurchase_rate",
                "matched_repurchase_difference",
                "Bought again",
            ),
        ],
        rows=[line for line in part if line.window == part[0].window or line.severity == "all"],
        by=_BY,
        note=source(study),
    )


def _has_matches(line: AfterService) -> bool:
    return line.matched.value is not None


def _compared(bad: AfterService, message: str, *, otherwise: str) -> Sentence:
    """What became of the badly served and of their matches; where nobody matches, only what is compared."""
    if bad.matched.value is None:
        return Sentence(otherwise)
    values: dict[str, Value] = {
        "served": bad.served,
        "matched": bad.matched,
        "difference": bad.difference,
        "months": str(bad.window),
    }
    return Sentence(message, values)


def _group_name(line: AfterService) -> Text:
    return paired(registry().value_label("arm", line.arm), registry().value_label("severity", line.severity))


def _window(line: AfterService) -> Text:
    return phrase("{number} months", number=str(line.window))
