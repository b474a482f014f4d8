"""The doubts of the failure study: what was left out, what was tested against known outcomes, and what could not be tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.failures import lives
from analysis.locale import Text
from analysis.metrics import NotDone, Parts
from analysis.params.interventions import load_interventions
from analysis.periods import Month
from analysis.results import Check, Fact, Sentence, Value

if TYPE_CHECKING:
    from analysis.failures.field import Field
    from analysis.failures.lives_facts import LifeFacts
    from analysis.failures.localising_facts import CauseFacts
    from analysis.failures.result import FailureStudy
    from analysis.failures.use_facts import UseFacts

TITLES = {
    "cost": Text.of("direct cost of failures"),
    "own_past_component": Text.of("components against their own past"),
    "own_past_fault_code": Text.of("fault codes against their own past"),
    "shipment_plan": Text.of("machines still to be shipped (the forecast holds machines in the field only)"),
    "provision": Text.of("the warranty provision"),
    "forecast": Text.of("cost of the failures to come"),
    "forecast_test": Text.of("the forecast of a year ago"),
    "reporting_test": Text.of("months as they stood at their end"),
    "words": Text.of("the customer's words"),
    "lives": Text.of("lives of components"),
    "survival": Text.of("time to the first failure"),
    "repairs": Text.of("failures per machine by age"),
    "repeats": Text.of("repeated repairs"),
    "watch": Text.of("what is new in the last months"),
    "money": Text.of("cost by component"),
    "recovery": Text.of("recovery from suppliers"),
    "leaks": Text.of("claims paid although nothing was owed"),
    "due": Text.of("claims that suppliers have not paid back"),
    "parts": Text.of("parts to hold"),
    "fix": Text.of("what a fix did"),
    "phases": Text.of("chart before and since a fix"),
    "triangle": Text.of("failures by quarter of production"),
    "use": Text.of("breakdowns and cost by use"),
    "use_lives": Text.of("lives of components by use"),
    "services": Text.of("machines due for service"),
}
LIFE = Text.of("life distribution")


def checks(
    field: Field, study: FailureStudy, made: Parts, *, without: Mapping[str, NotDone]
) -> tuple[Check, ...]:
    """Every check of the study; ``without`` says why components have no life distribution."""
    found = [_excluded(study), *_reporting(study, field), _dispersion(study)]
    least = field.assumed("failure_least_effect")
    found += [_apart(cause, least=least) for cause in study.causes if cause.apart is not None]
    found += [_confounded(cause) for cause in study.causes if cause.cause.confounded_with]
    found += _forecast(study, limit=field.state.assumed("failure_forecast_error_limit"))
    found += _use(study.use)
    limit = field.assumed("life_gap_limit")
    found += [_life(life) for life in study.lives or () if life.worst_gap > limit]
    found += _thin(field, study, without)
    found.append(
        Check(
            id="labour_apart",
            outcome="info",
            sentence=Sentence(
                "Direct costs are those traced to tickets, labour and other held capacity apart. Labour is counted by the hours of own staff on the tickets, never by wages posted to them as well; where it is added the sentence or the column says so."
            ),
        )
    )
    return (*found, *_not_tested(field, study, made, without))


def _not_tested(
    field: Field, study: FailureStudy, made: Parts, without: Mapping[str, NotDone]
) -> tuple[Check, ...]:
    """Every part that could not be made, every distribution that does not fit, every triangle without its dates."""
    skipped, titles = dict(made.skipped), dict(TITLES)

    def add(name: str, reason: NotDone, what: Text, *of: Text) -> None:
        skipped[name], titles[name] = reason, _of(what, *of)

    for name, title, reason in _without(field, study, without):
        if reason is not lives.TOO_FEW:
            add(f"life_{name}", reason, LIFE, title)
    for life in study.lives or ():
        for model, reason in life.not_fitted.items():
            add(f"life_{life.id}_{model}", reason, LIFE, life.name, field.label("life_model", model))
    for fix in load_interventions(kind="fix"):
        for part in ("fix", "phases"):
            titles[f"{part}_{fix.id}"] = _of(TITLES[part], fix.name)
    if isinstance(study.triangle.produced, NotDone):
        skipped["triangle"] = study.triangle.produced
    return replace(made, skipped=skipped).not_tested(titles)


def _of(what: Text, *of: Text) -> Text:
    """A title and what it is about, in brackets."""
    if not of:
        return what
    names = Text.joined(of)
    return Text(en=f"{what.en} ({names.en})", zh=f"{what.zh}（{names.zh}）")


def _excluded(study: FailureStudy) -> Check:
    if not study.impossible.value:
        return Check(
            id="failures_rated",
            outcome="passed",
            sentence=Sentence(
                "Every confirmed failure lies on a machine that was in the field then; none is left out as impossible."
            ),
        )
    again = next((fact for _, fact in study.excluded if fact.dimensions["verdict"] == "same_event"), None)
    if again is not None and again.value == study.impossible.value:
        # no fault of the data: the event is rated, once
        return Check(
            id="failures_rated",
            outcome="info",
            sentence=Sentence(
                "Second orders for an event that is counted already, left out of the rates: {count}.",
                {"count": again},
            ),
        )
    return Check(
        id="failures_rated",
        outcome="failed",
        sentence=Sentence(
            "{count} can be counted, not rated: unknown serial, before it was shipped, after retirement, or a second order for the same event; the table of failures that are not rated says how many of each.",
            {"count": study.impossible},
        ),
    )


def _reporting(study: FailureStudy, field: Field) -> list[Check]:
    """Passed where completing months brings them nearer to today's count, and near enough."""
    test, share = study.reporting_test, study.rates.shares[-1]
    if isinstance(test, NotDone):
        return []
    limit = field.state.assumed("reporting_error_limit")
    missed = float(test.corrected.value or 0)
    better = missed <= min(float(test.counted.value or 0), float(limit.value or 0))
    return [
        Check(
            id="reporting_delay",
            outcome="passed" if better else "failed",
            sentence=Sentence(
                "Months as they stood at their end missed today's count by {raw}{raw:doubt}; completed for reports still to come they missed it by {corrected}{corrected:doubt}, at most {limit} is accepted.",
                {"raw": test.counted, "corrected": test.corrected, "limit": limit},
            ),
        ),
        Check(
            id="reported_share",
            outcome="info",
            sentence=Sentence(
                "Of the failures of {month}, {share}{share:doubt} are expected to be reported by now.",
                {"month": Month.parse(share.period), "share": share},
            ),
        ),
    ]


def _dispersion(study: FailureStudy) -> Check:
    return Check(
        id="counts_scatter",
        outcome="info",
        sentence=Sentence(
            "Batches scatter {times} as much as counts by chance{times:doubt}; the search allows for it.",
            {"times": study.dispersion},
        ),
    )


def _apart(cause: CauseFacts, *, least: float) -> Check:
    """Told apart where the batch fails elsewhere by more than the smallest effect that matters, and its region is not shown to without it."""
    assert cause.apart is not None
    elsewhere, rest = cause.apart.batch_elsewhere, cause.apart.region_without
    clear = (
        elsewhere.interval is not None
        and rest.interval is not None
        and elsewhere.interval.low >= 1 + least
        and rest.interval.low < 1 + least
    )
    return Check(
        id="cause_told_apart",
        outcome="passed" if clear else "info",
        sentence=Sentence(
            "{cause}: most of it went to {region}. Outside {region} it fails {elsewhere} as often as other machines ({elsewhere:interval}); machines in {region} without it fail {rest} ({rest:interval}).",
            {"cause": cause.name, "region": cause.apart.region, "elsewhere": elsewhere, "rest": rest},
        ),
    )


def _confounded(cause: CauseFacts) -> Check:
    return Check(
        id="cause_confounded",
        outcome="failed",
        sentence=Sentence(
            "{cause}: the data cannot tell it from {others}.",
            {"cause": cause.name, "others": "; ".join(cause.cause.confounded_with)},
        ),
    )


def _use(use: UseFacts | NotDone) -> list[Check]:
    """Readings that run backwards."""
    if isinstance(use, NotDone):
        return []
    values: dict[str, Value] = {"readings": use.readings}
    if use.example is None:
        forward = Sentence("Every meter runs forward: none of {readings} is below an earlier one.", values)
        return [Check(id="meters", outcome="passed", sentence=forward)]
    serial, day, reading = use.example
    values |= {
        "doubted": use.doubted,
        "machines": use.left_out,
        "serial": serial,
        "day": day,
        "reading": reading,
    }
    backwards = Sentence(
        "Meters run backwards: {doubted} of {readings} contradict more of their machine's other readings and are not used (machine {serial} on {day}: {reading}); {machines} with a fifth or more of them are left out of all that is said by use.",
        values,
    )
    return [Check(id="meters", outcome="failed", sentence=backwards)]


def _life(life: LifeFacts) -> Check:
    return Check(
        id="life_fit",
        outcome="failed",
        sentence=Sentence(
            "{component}: failures by age depart from the fitted Weibull; read its shape and B10 life with care.",
            {"component": life.name},
        ),
    )


def _without(
    field: Field, study: FailureStudy, without: Mapping[str, NotDone]
) -> list[tuple[str, Text, NotDone]]:
    """Lives that are not said, by id and name: components that were not told apart, and machines of those that were."""
    told = study.lives or ()
    whole = {name: reason for name, reason in without.items() if name not in {one.component for one in told}}
    return [
        *((name, field.label("component", name), reason) for name, reason in whole.items()),
        *((one.id, one.name, one.not_done) for one in told if one.not_done is not None),
    ]


def _thin(field: Field, study: FailureStudy, without: Mapping[str, NotDone]) -> list[Check]:
    thin = [title for _, title, reason in _without(field, study, without) if reason is lives.TOO_FEW]
    if not thin:
        return []
    return [
        Check(
            id="life_thin",
            outcome="info",
            sentence=Sentence(
                "Too few failures for a life distribution: {components}.", {"components": Text.joined(thin)}
            ),
        )
    ]


def _forecast(study: FailureStudy, *, limit: Fact) -> list[Check]:
    """Judged by size against the limit, and by the interval that the forecast gave itself."""
    test = study.forecast_test
    if isinstance(test, NotDone):
        return []
    interval = test.total.interval
    small = abs(float(test.total.value or 0)) <= float(limit.value or 0)
    inside = interval is None or interval.holds(0)
    values: dict[str, Value] = {"error": test.total, "months": test.month, "limit": limit}
    template = (
        "The same forecast made twelve months ago missed the year by {error:signed} ({error:interval}) and single months by {months} on average{months:doubt}; at most {limit} is accepted, and the year lay inside its own interval; shipments were given to it."
        if inside
        else "The same forecast made twelve months ago missed the year by {error:signed} ({error:interval}) and single months by {months} on average{months:doubt}; at most {limit} is accepted, and the year lay outside its own interval, so next year's interval is too narrow; shipments were given to it."
    )
    return [
        Check(
            id="forecast_tested",
            outcome="passed" if small and inside else "info" if small else "failed",
            sentence=Sentence(template, values),
        )
    ]
