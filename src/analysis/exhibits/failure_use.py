"""Exhibits of what meters tell: use and breakdowns by use, time to repair, availability, cost by use, planned work, lives by use, services due."""

from __future__ import annotations

from analysis.exhibits.failure_shared import or_nothing
from analysis.exhibits.record import Block
from analysis.exhibits.specification import (
    Field,
    estimate,
    group,
    interval,
    label,
    metric,
    registry,
    row_of,
    table_of,
    words,
)
from analysis.exhibits.statements import not_computed
from analysis.exhibits.vocabulary import Row
from analysis.failures.result import FailureStudy
from analysis.failures.services_facts import MachineDue, ServicesDue
from analysis.failures.use_facts import SpanUse, UseFacts
from analysis.failures.use_lives import UseLifeFacts
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence, Value

_DIRECTIONS = {"falling": "Early failures", "rising": "Wears out", "unclear": "Steady"}
_AXES = {"use": "use", "months": "months", "open": "cannot be told"}


@or_nothing
def use_table(study: FailureStudy) -> Block:
    """The fleet by period: what it ran, how often it broke down, how long it stood."""
    use = study.use
    if isinstance(use, NotDone):
        # a company without meters is not told of them on its pages; one whose meters say too little is
        return not_computed(use, id="failures.use", what=Text.of("What meters tell"), told=not use.needs)
    columns = [
        words("months", "Months", wide=True),
        metric("fleet_use", of="use", head="Use", places=0),
        metric("use_per_machine", of="per_machine", places=0),
        *_breakdown_columns()[1:],
        *_repair_columns("median"),
        estimate("machine_availability", of="availability", places=1),
    ]
    return table_of(
        "failures.use",
        title=Sentence(
            "A breakdown every {between} of a machine{between:doubt}", {"between": use.year.between}
        ),
        subtitle=Sentence(
            "Use between meter readings, confirmed failures over it, hours to repair, share of hours without a breakdown open; intervals in brackets"
        ),
        columns=columns,
        rows=[_span_row(span, columns, months=_months(span)) for span in use.spans],
        note=_read(use),
    )


def _months(span: SpanUse) -> Text:
    values: dict[str, Value] = {"first": span.period.first, "last": span.period.last}
    one = span.period.first == span.period.last
    return Sentence("{first}" if one else "{first} to {last}", values).text()


def _breakdown_columns() -> list[Field]:
    return [
        metric("use_breakdowns", of="breakdowns", head="Breakdowns", places=0),
        estimate("breakdown_rate_by_use", of="rate", head="Breakdowns by use", places=2),
        estimate("use_between_breakdowns", of="between", head="Use between breakdowns", places=0),
    ]


def _repair_columns(*parts: str) -> list[Field]:
    heads = {"median": "Hours to repair, median", "p90": "Nine in ten", "mean": "Mean"}
    return [
        estimate(
            "repair_time", of=f"repair.{part}", key=part, head=heads[part], slice={"part": part}, places=1
        )
        for part in parts
    ]


def _span_row(
    span: SpanUse, columns: list[Field], *, by: tuple[str, ...] = (), months: Text | None = None
) -> Row:
    shown = {name: getattr(span, name) for name in SpanUse.__dataclass_fields__} | {"months": months}
    return row_of(shown, columns, by=by)


def _read(use: UseFacts) -> Sentence:
    return Sentence(
        "Source: {readings} of meters; between two readings use is even, beyond the last nothing is added; use is known of {coverage} of the machine-months of the last twelve months.",
        {"readings": use.readings, "coverage": use.coverage},
    )


@or_nothing
def use_slices_table(study: FailureStudy) -> Block | None:
    """The same by model, product line and region."""
    use = study.use
    if isinstance(use, NotDone):
        return None
    columns = [
        words("name", "Machines", key="name", wide=True),
        metric("fleet_use", of="use", head="Use", places=0),
        *_breakdown_columns(),
        *_repair_columns("median"),
        estimate("machine_availability", of="availability", places=1),
    ]
    rows: list[Row] = []
    for dimension, spans in use.slices.items():
        if len(spans) > 1:
            rows += [group(registry().dimension_name(dimension), columns)]
            rows += [_span_row(span, columns, by=(dimension,)) for span in spans]
    return table_of(
        "failures.use_slices",
        title=Sentence("Breakdowns by use and availability: which machines, and where"),
        subtitle=Sentence("Last twelve months; those with most use first; intervals in brackets"),
        columns=columns,
        rows=[*rows, _span_row(use.year, columns)],
        note=_read(use),
    )


@or_nothing
def use_components_table(study: FailureStudy) -> Block | None:
    """Breakdowns by component over the use of the machines that carry it, and how long they take."""
    use = study.use
    if isinstance(use, NotDone) or not use.components:
        return None
    columns = [
        words("name", registry().dimension_name("component"), key="component", wide=True),
        *_breakdown_columns(),
        *_repair_columns("median", "p90", "mean"),
    ]
    return table_of(
        "failures.use_components",
        title=Sentence("Breakdowns by use and time to repair: which components"),
        subtitle=Sentence(
            "Last twelve months, over the use of machines that carry the component; hours from opening to resolution, breakdowns still open censored"
        ),
        columns=columns,
        rows=[_span_row(span, columns, by=("component",)) for span in use.components],
        note=_read(use),
    )


@or_nothing
def use_cost_table(study: FailureStudy) -> Block | None:
    """Cost by use and by machine, model by model, tied to the after-sales cost of the year."""
    use = study.use
    if isinstance(use, NotDone):
        return None
    cost = use.cost
    if isinstance(cost, NotDone):
        return not_computed(cost, id="failures.use_cost", what=registry()["cost_by_use"].name)
    columns = [
        label("model"),
        *(
            estimate("cost_by_use", of=f"by_use.{work}", key=work, head=head, slice={"work": work}, places=2)
            for work, head in (
                ("planned", "Planned, by use"),
                ("unplanned", "Unplanned, by use"),
                ("all", "All, by use"),
            )
        ),
        estimate("planned_cost_ratio", of="against", head="Planned, to its line", places=2),
        estimate("cost_by_machine_month", of="by_month", head="Per machine-month", places=0),
        metric("machine_cost", of="traced", head="Cost traced"),
    ]
    fleet = {"by_use": cost.fleet, **cost.fleet}
    return table_of(
        "failures.use_cost",
        title=Sentence("Machines cost {all}{all:doubt}", {"all": cost.fleet["all"]}),
        subtitle=Sentence(
            "Cost traced to orders of machines in the last twelve months, labour as posted; all holds orders that are neither planned nor repairs; intervals by machine in brackets"
        ),
        columns=columns,
        rows=cost.models,
        by=("model",),
        total=fleet,
        note=Sentence(
            "Of {whole} after-sales cost {traced} is traced to machines; {elsewhere} is not: pools, unused hours, orders without a machine.",
            {"whole": cost.whole, "traced": cost.fleet["traced"], "elsewhere": cost.elsewhere},
        ),
    )


@or_nothing
def planned_table(study: FailureStudy) -> Block | None:
    """Planned against unplanned work: orders, hours and cost."""
    use = study.use
    if isinstance(use, NotDone) or not use.planned:
        return None
    ids = tuple(share.now.metric for share in use.planned)
    columns = [words("name", "Measured in", key="name", wide=True)]
    columns += [estimate(*ids, of="now", head="Planned, last twelve months", places=1)]
    if any(share.before is not None for share in use.planned):
        columns += [estimate(*ids, of="before", head="Twelve months before", places=1)]
    return table_of(
        "failures.planned",
        title=Sentence(
            "Planned against unplanned work: {share} of orders{share:doubt}", {"share": use.planned[0].now}
        ),
        subtitle=Sentence(
            "Maintenance and installation are planned, repairs are not; the rest to a hundred is unplanned"
        ),
        columns=columns,
        rows=use.planned,
        note=_read(use),
    )


@or_nothing
def use_lives_table(study: FailureStudy) -> Block | None:
    """Weibull shape and B10 life by use, and whether use or months explain the failures."""
    lives = study.use_lives
    if isinstance(lives, NotDone):
        if isinstance(study.use, NotDone):
            return None
        return not_computed(lives, id="failures.use_lives", what=registry()["use_weibull_shape"].name)
    columns = [
        words("name", registry().dimension_name("component"), key="component", wide=True),
        metric("use_breakdowns", of="failures", head="Failures", places=0),
        metric("use_weibull_shape", of="shape", head="Shape by use", places=2),
        interval("use_weibull_shape", of="shape", key="shape_interval", places=2),
        words(lambda life: Text.of(_DIRECTIONS[life.direction]), "Reading", key="reading"),
        metric("use_b10_life", of="b10", places=0),
        interval("use_b10_life", of="b10", key="b10_interval", places=0),
        metric("use_axis_evidence", of="evidence", head="Evidence for use", places=0),
        words(_axis, "Explained better by", key="axis"),
    ]
    return table_of(
        "failures.use_lives",
        title=Sentence("How components age by use"),
        subtitle=Sentence(
            "Weibull by use, all machines that carry the component; evidence: twice the log-likelihood by use less that by months, of the same failures; beyond ten either way it is very strong"
        ),
        columns=columns,
        rows=lives,
        by=("component",),
    )


def _axis(life: UseLifeFacts) -> Text:
    return Text.of(_AXES[life.axis])


@or_nothing
def services_table(study: FailureStudy) -> list[Block] | None:
    """What falls due next quarter by model, and the first machines."""
    services = study.services
    if isinstance(services, NotDone):
        if isinstance(study.use, NotDone):
            return None
        return [not_computed(services, id="failures.services", what=registry()["machines_due"].name)]
    values: dict[str, Value] = {
        "services": services.whole.services,
        "overdue": services.whole.overdue,
        "first": services.quarter.first,
        "last": services.quarter.last,
        "unknown": services.unknown,
    }
    return [_services_by_model(services, values), _first_machines(services, values)]


def _services_by_model(services: ServicesDue, values: dict[str, Value]) -> Block:
    columns = [
        words("name", registry().dimension_name("model"), key="model", wide=True),
        estimate("service_interval", of="interval", head="Use between services", places=0),
        metric("services_machines", of="machines", head="Machines", places=0),
        metric("services_overdue", of="overdue", head="Overdue", places=0),
        estimate("machines_due", of="due", head="Machines due", places=0),
        estimate("services_due", of="services", head="Services due", places=0),
        estimate("services_due_cost", of="cost", head="Expected cost"),
    ]
    return table_of(
        "failures.services",
        title=Sentence("Planned services due, {first} to {last}: {services} ({services:interval})", values),
        subtitle=Sentence(
            "Use between services is the median of the company's own orders of maintenance that name no component; projected at the pace of each machine's last year"
        ),
        columns=columns,
        rows=[
            *(row_of(model, columns, by=("model",)) for model in services.models),
            row_of(services.whole, columns, role="total"),
        ],
        note=Sentence(
            "Of {unknown} in the field no service or no reading of the last quarter is known; they are not counted.",
            values,
        ),
    )


def _first_machines(services: ServicesDue, values: dict[str, Value]) -> Block:
    return table_of(
        "failures.services_first",
        title=Sentence("{overdue} are overdue for service; the first machines", values),
        subtitle=Sentence(
            "Overdue: more than a fifth beyond the use between services; first the longest overdue, then the soonest due; all machines are in the evidence of the finding"
        ),
        columns=[
            words("serial_no", "Machine", wide=True),
            words("model", registry().dimension_name("model"), key="model"),
            words("region", registry().dimension_name("region"), key="region"),
            words("serviced_on", "Last service"),
            metric("machine_meter", of="meter", places=0),
            metric("use_since_service", of="since", head="Use since", places=0),
            metric("days_to_service", of="days", head="Days to the next", places=0),
            interval("days_to_service", of="days", places=0, blank=True),
            words(_overdue, "Overdue", key="overdue"),
        ],
        rows=services.first,
        by=("serial_no",),
    )


@or_nothing
def missed_table(study: FailureStudy) -> Block | None:
    """Failures of machines that were overdue for planned service, against machines in order."""
    missed = study.missed
    if isinstance(missed, NotDone):
        return None
    whole = missed.whole
    columns = [
        words("name", registry().dimension_name("model"), key="model", wide=True),
        *(
            []
            if missed.by_use
            else [estimate("service_gap", of="gap", head="Days between services", places=0)]
        ),
        metric("overdue_time_share", of="share", head="Time overdue", places=1),
        metric("overdue_failures", of="failures", head="Failures while overdue", places=0),
        estimate("overdue_failures_expected", of="expected", head="Expected in order", places=1),
        estimate("overdue_failure_ratio", of="ratio", head="Ratio", places=2),
    ]
    told = whole.ratio.value is not None
    return table_of(
        "failures.missed_services",
        title=Sentence(
            "Overdue for planned service, machines fail {ratio} as often as in order ({ratio:interval})"
            if told
            else "Failures of machines that were overdue for planned service",
            {"ratio": whole.ratio} if told else {},
        ),
        subtitle=Sentence(
            "Overdue: more than a fifth beyond what is usual between planned services of the model; compared within product line, region and band of age, over the whole window; intervals of models hold together"
        ),
        columns=columns,
        rows=[
            *(row_of(model, columns, by=("model",)) for model in missed.models),
            row_of(whole, columns, role="total"),
        ],
        note=Sentence(
            "{excess} more than had they been served{excess:doubt}. It is an association: sites that leave out services may differ in more.",
            {"excess": missed.excess},
        )
        if missed.excess.value is not None
        else None,
    )


def _overdue(machine: MachineDue) -> Text:
    return Text.of("yes") if machine.overdue else Text.of("no")
