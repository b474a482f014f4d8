"""What each study could find by chance: its tests, and not the parts that only state what is there.

Every function calls the study's own code and returns its findings; an entry of ``shown`` is an effect that the study declares, whether
it is large enough to be worth an alarm or not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from analysis.locale import Text
from analysis.metrics import NotDone, Parts, StudyInputs
from analysis.results import Finding

if TYPE_CHECKING:
    from analysis.quality.history import OwnHistory

GRAVE = ("alert", "watch")
LEFT_OUT = NotDone(reason=Text.of("not computed"))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Kinds of findings that a study made: those to be alarmed by, and all effects that it declares; and the tests that it could not make."""

    alarms: tuple[str, ...]
    shown: tuple[str, ...]
    not_tested: tuple[str, ...]

    @classmethod
    def of(cls, findings: list[Finding], parts: Parts, *, shown: frozenset[str] = frozenset()) -> Answer:
        return cls(
            alarms=tuple(sorted({one.id for one in findings if one.severity in GRAVE})),
            shown=tuple(sorted({one.id for one in findings} | shown)),
            not_tested=tuple(sorted(parts.skipped)),
        )


def costs(inputs: StudyInputs) -> Answer:
    """Idle teams, steps of prices, surges and rises of accounts, and measures that are said to have delivered."""
    from analysis.costs.cost_study import SIGNALS
    from analysis.costs.savings_facts import measure_findings, measures_of

    parts = Parts(section="costs")
    found = [
        finding
        for name, search in SIGNALS.items()
        for finding in getattr(parts.do(name, search, inputs), "findings", ())
    ]
    measures = parts.do("measures", measures_of, inputs)
    if not isinstance(measures, NotDone):
        # that a registered measure brought nothing is the truth here
        judged = measure_findings(inputs, measures)
        found += [one for one in judged if one.severity in ("good", "info")]
    return Answer.of(found, parts)


def failures(inputs: StudyInputs) -> Answer:
    """Causes, what is new, the report month out of control, lives that rise or fall, and verdicts on fixes."""
    from analysis.failures.study import tested

    parts = tested(inputs)
    found = [
        one
        for one in parts.findings
        # a fix that brought nothing, or that it is too early for, is the truth here
        if one.id != "failures.fix" or one.severity in ("good", "alert")
    ]
    skipped = {
        name: part
        for name in ("watch", "lives", "fixes")
        if isinstance(part := getattr(parts, name), NotDone)
    }
    return Answer.of(found, Parts(section="failures", skipped=skipped))


def retention(inputs: StudyInputs) -> Answer:
    """Experiences and loss, repurchase and leaving after service, cohorts, segments (one Holm correction), the links of the chain (another), and the searches of groups, months and newcomers (a third)."""
    from analysis.metrics import Stating
    from analysis.retention import findings as judging
    from analysis.retention.chain import chain
    from analysis.retention.cohorts_facts import contract_cohorts, purchase_cohorts
    from analysis.retention.drivers import drivers
    from analysis.retention.leavers import leavers
    from analysis.retention.matching_facts import loss_after_repair, repurchase
    from analysis.retention.newcomers import newcomer_mix
    from analysis.retention.parts import RetentionParts
    from analysis.retention.settings import business_models
    from analysis.retention.surges import surges
    from analysis.retention.survival import survival

    parts = Parts(section="retention")
    blank = {part.name: LEFT_OUT for part in fields(RetentionParts)}
    known = {
        "month": inputs.month,
        "models": business_models(inputs),
        "limit": Stating(inputs=inputs).assumed("gross_churn_limit"),
        "drivers": parts.do("drivers", drivers, inputs),
        "survival": parts.do("survival", survival, inputs),
        "leavers": parts.do("leavers", leavers, inputs),
        "surges": parts.do("surges", surges, inputs),
        "newcomers": parts.do("newcomers", newcomer_mix, inputs),
        "repurchase": parts.do("repurchase", repurchase, inputs),
        "loss_after_repair": parts.do("loss_after_repair", loss_after_repair, inputs),
        "contract_cohorts": parts.do("contract_cohorts", contract_cohorts, inputs),
        "purchase_cohorts": parts.do("purchase_cohorts", purchase_cohorts, inputs),
    }
    asked = RetentionParts(**(blank | known))  # type: ignore[arg-type]
    sure = {name for name, p in judging.adjusted_p_values(asked).items() if p < 1 - inputs.confidence}
    shown = frozenset(f"retention.{name}" for name in sure)
    answer = Answer.of(list(judging.findings(inputs, asked)), parts)
    found = parts.do("chain", chain, inputs, None if isinstance(asked.drivers, NotDone) else asked.drivers)
    links = {
        f"retention.chain.{one.id}"
        for one in (found.links if not isinstance(found, NotDone) else ())
        if one.verdict != "not_shown"
    }
    return replace(answer, shown=tuple(sorted(shown | links)))


def value(inputs: StudyInputs) -> Answer:
    """Effects of every registered treatment. Their money is left out: the effect is claimed or not before it is priced."""
    from analysis.params.treatments import load_treatments
    from analysis.value.effects import TESTED, service_effects

    parts = Parts(section="value")
    # margin is stated and not tested
    chosen = tuple(
        replace(one, outcomes=tuple(name for name in one.outcomes if name in TESTED))
        for one in load_treatments()
    )
    found = parts.do("effects", service_effects, inputs, None, chosen=chosen)
    if isinstance(found, NotDone):
        return Answer.of([], parts)
    parts.skipped |= {name: reason for name, (_, reason) in found.refused.items()}
    groups = {
        f"value.group.{one.treatment.id}"
        for one in found.effects
        if one.holds and len(one.groups) and one.groups["shown"].any()
    }
    return Answer.of(list(found.findings), parts, shown=frozenset(groups))


def quality(inputs: StudyInputs) -> Answer:
    """Series out of line with their own past, and columns that fell silent."""
    from analysis.quality import findings as judging
    from analysis.quality.coverage import coverage
    from analysis.quality.history import histories

    parts = Parts(section="quality")
    past: tuple[OwnHistory, ...] | NotDone = parts.do("histories", histories, inputs)
    found = [*judging.out_of_line(inputs.month, past or ()), *judging.silences(inputs, coverage(inputs))]
    return Answer.of(found, parts)


STUDIES: Mapping[str, Callable[[StudyInputs], Answer]] = {
    "costs": costs,
    "failures": failures,
    "retention": retention,
    "value": value,
    "quality": quality,
}
