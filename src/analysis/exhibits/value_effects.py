"""Exhibits of the value section, second half: what service does to value, and what better service would bring. Result in, block out."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.errors import AnalysisError, MissingData
from analysis.exhibits.blocks import Block, Cell, Column, Row, callout, figure, not_computed, table
from analysis.locale import Text
from analysis.params.treatments import Treatment
from analysis.results import Fact, Sentence, Value
from analysis.value.effects import ServiceEffects, TreatmentEffect
from analysis.value.scenarios import WhatIf, WhatIfs
from analysis.value.worth import ValueStudy

EFFECTS = Text(en="Effect of service on value", zh="服务对价值的影响")
WHAT_IFS = Text(en="What-ifs", zh="情景测算")
INTERVAL = Text(en="Interval", zh="区间")
TREATMENT = Text(en="Treatment", zh="处理")
STATUS = {
    "effect": Text(en="effect", zh="影响成立"),
    "not_shown": Text(en="not shown", zh="未显示影响"),
    "association": Text(en="association only", zh="仅为相关"),
}
OUTCOME = {
    "repurchase": Text(en="Buys again within the window", zh="窗口期内复购"),
    "retention": Text(en="Still under contract at its end", zh="窗口期末仍在合同中"),
    "margin": Text(en="Margin of the window", zh="窗口期毛利"),
}
PLACEBO = {
    "before": Text(en="Year before", zh="处理前一年"),
    "random_treatment": Text(en="Drawn by lot", zh="随机抽取"),
    "negative_control": Text(en="Negative control", zh="负对照"),
}
ZERO = {
    "response_due": Text(en="when the response is due", zh="响应时限到期时"),
    "landmark": Text(en="24 hours after opening", zh="开单后 24 小时"),
    "resolution": Text(en="resolution", zh="解决时"),
    "window_end": Text(en="end of the 30 days", zh="30 天结束时"),
    "opening": Text(en="opening", zh="开单时"),
}
EVENTS = {
    "first": Text(en="first case", zh="首个案例"),
    "until_exposed": Text(en="up to the first gone wrong", zh="截至首个未达预期"),
    "all": Text(en="all cases", zh="全部案例"),
}
STANDING = {
    "effect": Text(en="effect shown", zh="影响成立"),
    "not_shown": Text(en="partly not shown: not counted", zh="部分未证实：不计入"),
    "assumption": Text(en="effect missing: not counted", zh="缺少影响依据：不计入"),
    "not_counted": Text(en="not counted", zh="不计入"),
}
GROUPING = {
    "segment": Text(en="Segment", zh="分层"),
    "customer_type": Text(en="Customer type", zh="客户类型"),
    "value_tier": Text(en="Margin before the case", zh="案例前毛利"),
}
GROUP = {
    "b2b": Text(en="business", zh="企业客户"),
    "b2c": Text(en="consumers", zh="个人客户"),
    "top": Text(en="top tenth", zh="前十分之一"),
    "middle": Text(en="next forty percent", zh="其次四成"),
    "low": Text(en="the rest", zh="其余"),
    "key": Text(en="key", zh="关键"),
    "gold": Text(en="gold", zh="金牌"),
    "standard": Text(en="standard", zh="标准"),
    "not_stated": Text(en="not stated", zh="未说明"),
}
TIER = {
    "top": Text(en="Top tier", zh="顶层"),
    "middle": Text(en="Middle tier", zh="中层"),
    "low": Text(en="Low tier", zh="底层"),
    "untraced": Text(en="Not traced to customers", zh="未追溯至客户"),
    "total": Text(en="Total", zh="合计"),
}


def _source(study: ValueStudy) -> Sentence:
    return Sentence(
        "Source: tickets, orders, contracts and customers with their history up to the end of {month}.",
        {"month": study.month},
    )


def _refused(part: object, name: str, what: Text) -> Block | None:
    if isinstance(part, MissingData) and part.needs:
        return not_computed(part, id=f"value.{name}", what=what)
    if isinstance(part, AnalysisError) or part is None:
        return callout(
            f"value.{name}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": what}),
            body=Sentence("There are too few cases in these data for an estimate."),
        )
    return None


def _effects(study: ValueStudy) -> ServiceEffects | None:
    return study.effects if isinstance(study.effects, ServiceEffects) and study.effects.effects else None


def _nothing(study: ValueStudy, name: str) -> Block:
    part = (
        study.effects
        if not isinstance(study.effects, ServiceEffects)
        else next((refusal for _, refusal in study.effects.refused.values()), None)
    )
    refused = _refused(part, name, EFFECTS)
    assert refused is not None  # an estimate would have made `_effects` hold
    return refused


# -- what is asked -----------------------------------------------------------------------------------------------------


def diagrams_figure(study: ValueStudy) -> Block:
    """What is allowed for, what is done, and what lies between."""
    from analysis.exhibits.value_effect_charts import causal_diagrams
    from analysis.params.treatments import load_treatments
    from analysis.value.diagram import diagrams

    listed = diagrams(load_treatments())
    return figure(
        "value.diagrams",
        title=Sentence(
            "Customers served well are other customers: what drives both is allowed for, what follows is not"
        ),
        subtitle=Sentence(
            "Declared causal diagram by family of treatments; solid: common causes and effect, dashed: lies between and is left out"
        ),
        foot=Sentence("Source: params/treatments.yml. A common cause that nobody recorded is not in it."),
        alt=Sentence(
            "Diagrams: customer, past purchases, contract, past service and the fault point to treatment and outcome; treatment points to outcome, also through what lies between."
        ),
        draw=causal_diagrams(listed),
    )


def definitions_table(study: ValueStudy) -> Block:
    """Each treatment with eligibility, time zero, events and window."""
    part = study.effects
    if not isinstance(part, ServiceEffects):
        return _nothing(study, "effects.definitions")
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(key="eligible", label=Text(en="Eligible", zh="纳入"), wide=True),
        Column(key="zero", label=Text(en="Outcome counts from", zh="结果起算")),
        Column(key="cases", label=Text(en="Cases", zh="案例")),
        Column(key="wrong", label=Text(en="Gone wrong", zh="未达预期")),
        Column(key="customers", label=Text(en="Customers", zh="客户数")),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "eligible": one.treatment.eligible,
                "zero": ZERO[one.treatment.time_zero],
                "cases": one.cases,
                "wrong": one.exposed,
                "customers": one.customers,
            }
        )
        for one in part.effects
    ]
    rows += [
        Row(
            cells={
                "name": treatment.name,
                "eligible": _why(treatment, refusal),
                "zero": ZERO[treatment.time_zero],
            },
            tone="muted",
        )
        for treatment, refusal in part.refused.values()
    ]
    return table(
        "value.effects.definitions",
        title=Sentence("Each treatment has a moment from which it is known, and only what follows counts"),
        subtitle=Sentence(
            "Cases whose window of a year has closed by the end of {month}; later ones are left out, not guessed",
            {"month": study.month},
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def _why(treatment: Treatment, refusal: Exception) -> Text:
    needs = ", ".join(getattr(refusal, "needs", ()) or ())
    return (
        Text(en=f"not computed: needs {needs}", zh=f"未计算：缺少 {needs}")
        if needs
        else Text(en="not computed: too few cases", zh="未计算：案例太少")
    )


# -- effects -----------------------------------------------------------------------------------------------------------


def effect_figure(study: ValueStudy, outcome: str) -> Block:
    """Adjusted effects with intervals, the plain difference beside each."""
    from analysis.exhibits.charts import Item, dot_interval

    part = _effects(study)
    if part is None:
        return _nothing(study, f"effects.{outcome}")
    roles = {"effect": "focus", "not_shown": "actual", "association": "expected"}
    known = [
        (one, found)
        for one in part.effects
        if (found := one.outcome(outcome)) is not None and found.adjusted.value is not None
    ]
    items = [
        Item(name=one.treatment.name, fact=found.adjusted, role=roles[found.status]) for one, found in known
    ]
    if not items:
        return callout(
            f"value.effects.{outcome}",
            tone="info",
            title=Sentence("{what}: not computed", {"what": OUTCOME[outcome]}),
            body=Sentence("There are too few cases in these data for an estimate."),
        )
    return figure(
        f"value.effects.{outcome}",
        title=_effect_title(part.effects, outcome),
        subtitle=Sentence(
            "{outcome}: change in percentage points because of the treatment, with interval; orange: survives the checks, grey ring: the plain difference",
            {"outcome": OUTCOME[outcome]},
        ),
        foot=_source(study),
        alt=Sentence(
            "Dots with intervals by treatment for “{outcome}”, each with the plain difference as a ring on its row.",
            {"outcome": OUTCOME[outcome]},
        ),
        draw=dot_interval(
            items,
            measure=Text(en="Change", zh="变化"),
            by=TREATMENT,
            reference=0.0,
            beside=(Text(en="Plain difference", zh="简单差异"), [found.naive for _, found in known]),
        ),
    )


def _effect_title(effects: Sequence[TreatmentEffect], outcome: str) -> Sentence:
    claimed = [(one, found) for one in effects for found in one.claimed if found.outcome == outcome]
    if not claimed:
        return Sentence("No effect on “{outcome}” survives the checks", {"outcome": OUTCOME[outcome]})
    one, found = max(claimed, key=lambda pair: abs(float(pair[1].adjusted.value or 0)))
    return Sentence(
        "{treatment}: {effect:signed}, where the plain difference says {naive:signed}",
        {"treatment": one.treatment.name, "effect": found.adjusted, "naive": found.naive},
    )


def effects_table(study: ValueStudy) -> Block:
    """Every treatment and outcome: naive beside adjusted, and what can be said."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.all")
    columns = [
        Column(key="name", label=Text(en="Treatment and outcome", zh="处理与结果"), wide=True),
        Column(key="naive", label=Text(en="Plain difference", zh="简单差异"), signed=True),
        Column(key="adjusted", label=Text(en="Adjusted", zh="调整后"), signed=True),
        Column(key="interval", label=INTERVAL, show="interval"),
        Column(key="with", label=Text(en="With", zh="有处理")),
        Column(key="without", label=Text(en="Without", zh="无处理")),
        Column(key="status", label=Text(en="Verdict", zh="结论")),
    ]
    rows: list[Row] = []
    for one in part.effects:
        rows.append(Row(cells={"name": one.treatment.name}, role="group"))
        rows += [
            Row(
                cells={
                    "name": OUTCOME[found.outcome],
                    "naive": found.naive,
                    "adjusted": found.adjusted,
                    "interval": found.adjusted if found.adjusted.interval else None,
                    "with": found.with_it,
                    "without": found.without_it,
                    "status": STATUS[found.status],
                }
            )
            for found in one.outcomes
            if found.outcome != "margin"
        ]
    return table(
        "value.effects.all",
        title=Sentence("What the plain difference says, and what is left when like is compared with like"),
        subtitle=Sentence(
            "Effects on the cases service could still change, in percentage points; with and without: share with the outcome"
        ),
        columns=columns,
        rows=rows,
        note=_source(study),
    )


def margin_table(study: ValueStudy) -> Block | None:
    """Margin of the window, for reading."""
    part = _effects(study)
    shown = [
        (one, found) for one in (part.effects if part else ()) if (found := one.outcome("margin")) is not None
    ]
    if not shown:
        return None
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(key="naive", label=Text(en="Plain difference", zh="简单差异"), signed=True),
        Column(key="adjusted", label=Text(en="Adjusted", zh="调整后"), signed=True),
        Column(key="interval", label=INTERVAL, show="interval"),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "naive": found.naive,
                "adjusted": found.adjusted,
                "interval": found.adjusted if found.adjusted.interval else None,
            }
        )
        for one, found in shown
    ]
    return table(
        "value.effects.margin",
        title=Sentence("Margin of the year after: a few large orders decide it"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Difference in margin per customer within the window; for reading, not tested: nothing above rests on it"
        ),
        note=_source(study),
    )


def worth_table(study: ValueStudy) -> Block:
    """Customer value of one case and of a year's cases gone wrong."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.worth")
    columns = [
        Column(key="name", label=TREATMENT, wide=True),
        Column(key="year", label=Text(en="Gone wrong in 12 months", zh="近 12 个月未达预期")),
        Column(key="case", label=Text(en="Value of one case", zh="单个案例价值"), scale="exact", places=0),
        Column(key="stake", label=Text(en="Value of all of them", zh="合计价值")),
        Column(key="interval", label=INTERVAL, show="interval"),
        Column(key="status", label=Text(en="Verdict", zh="结论")),
    ]
    rows = [
        Row(
            cells={
                "name": one.treatment.name,
                "year": one.exposed_year,
                "case": one.per_case,
                "stake": one.at_stake,
                "interval": one.at_stake if one.at_stake.interval else None,
                "status": STATUS[_verdict(one)],
            },
            tone=None if one.claimed else "muted",
        )
        for one in part.effects
    ]
    return table(
        "value.effects.worth",
        title=_stake_title(part.effects),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Customer value, discounted, if cases gone wrong had gone well: purchases for one year, contracts over the horizon; no service cost in it"
        ),
        note=_source(study),
    )


def _verdict(one: TreatmentEffect) -> str:
    return "effect" if one.claimed else "not_shown" if one.holds else "association"


def _stake_title(effects: Sequence[TreatmentEffect]) -> Sentence:
    claimed = [one for one in effects if one.claimed and one.at_stake.value is not None]
    if not claimed:
        return Sentence("No treatment has an effect that survives the checks: no value is claimed")
    best = max(claimed, key=lambda one: abs(float(one.at_stake.value or 0)))
    return Sentence(
        "{treatment}: last year's cases gone wrong stand for {stake} of customer value",
        {"treatment": best.treatment.name, "stake": best.at_stake},
    )


# -- doubts ------------------------------------------------------------------------------------------------------------


def overlap_figure(study: ValueStudy) -> Block:
    """Chance of going wrong, by group, for every treatment."""
    from analysis.exhibits.value_effect_charts import overlap_panels

    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.overlap")
    weak = [one for one in part.effects if not one.overlap_holds]
    title = (
        Sentence(
            "{treatment}: the groups hardly overlap, only an association is stated",
            {"treatment": weak[0].treatment.name},
        )
        if weak
        else Sentence("For every treatment there are cases alike on both sides")
    )
    return figure(
        "value.effects.overlap",
        title=title,
        subtitle=Sentence(
            "Share of each group by its estimated chance of going wrong; where one side is empty, nothing can be compared"
        ),
        foot=_source(study),
        alt=Sentence(
            "Small histograms by treatment: cases gone wrong upwards, others downwards, by their chance of going wrong."
        ),
        draw=overlap_panels([(one.treatment.name, one.propensity) for one in part.effects]),
    )


def placebo_table(study: ValueStudy) -> Block:
    """Effects where there can be none."""
    part = _effects(study)
    if part is None:
        return _nothing(study, "effects.placebos")
    columns = [Column(key="name", label=TREATMENT, wide=True)]
    for kind, name in PLACEBO.items():
        columns += [
            Column(key=kind, label=name, signed=True),
            Column(key=f"{kind}_interval", label=INTERVAL, show="interval"),
        ]
    columns += [
        Column(key="trimmed", label=Text(en="Left out", zh="剔除")),
        Column(key="balance", label=Text(en="Largest imbalance", zh="最大失衡"), places=2),
    ]
    rows = []
    for one in part.effects:
        cells: dict[str, Cell] = {
            "name": one.treatment.name,
            "trimmed": one.trimmed,
            "balance": one.worst_balance,
        }
        for placebo in one.placebos:
            cells |= {
                placebo.kind: placebo.effect,
                f"{placebo.kind}_interval": placebo.effect
                if placebo.effect and placebo.effect.interval
                else None,
            }
        rows.append(Row(cells=cells, tone=None if one.holds else "bad"))
    failed = sum(not placebo.passed for one in part.effects for placebo in one.placebos)
    title = (
        Sentence("Where there can be no effect, one is found: those treatments are read as associations")
        if failed
        else Sentence("Where there can be no effect, none is found")
    )
    return table(
        "value.effects.placebos",
        title=title,
        subtitle=Sentence(
            "Change in purchases of the year before the case, effect of a treatment drawn by lot, and change in something service cannot touch"
        ),
        columns=columns,
        rows=rows,
        note=Sentence(
            "Negative control: whether another machine of the customer fails. Left out: cases without a like on the other side. Imbalance: standard deviations between the groups after weighting."
        ),
    )


def hidden_table(study: ValueStudy) -> Block | None:
    """How strong a hidden cause would have to be; only for effects that are claimed."""
    part = _effects(study)
    claimed = [(one, found) for one in (part.effects if part else ()) for found in one.claimed]
    if not claimed:
        return None
    columns = [
        Column(key="name", label=Text(en="Effect", zh="影响"), wide=True),
        Column(key="effect", label=Text(en="Adjusted", zh="调整后"), signed=True),
        Column(
            key="hidden",
            label=Text(en="With a hidden cause as strong as tier", zh="若有与等级同强的隐藏原因"),
            signed=True,
        ),
        Column(key="enough", label=Text(en="Would that be enough?", zh="足以解释？")),
        Column(key="robust", label=Text(en="Robustness value", zh="稳健值")),
        Column(key="e", label=Text(en="E-value", zh="E 值"), places=2),
    ]
    rows = [
        Row(
            cells={
                "name": _pair(one.treatment.name, OUTCOME[found.outcome]),
                "effect": found.adjusted,
                "hidden": found.if_hidden,
                "enough": Text(en="yes", zh="是") if found.enough else Text(en="no", zh="否"),
                "robust": found.robustness,
                "e": found.e_value,
            },
            tone="bad" if found.enough else None,
        )
        for one, found in claimed
    ]
    enough = any(found.enough for _, found in claimed)
    title = (
        Sentence("A hidden cause as strong as customer tier would be enough to explain some of this away")
        if enough
        else Sentence(
            "A hidden cause as strong as customer tier would not be enough to explain these effects away"
        )
    )
    return table(
        "value.effects.hidden",
        title=title,
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Robustness value: share of what is left unexplained in treatment and outcome that a hidden cause would have to explain; E-value: factor by which it would have to raise both"
        ),
        note=Sentence("Both are for the end of the interval nearer to zero."),
    )


def _pair(first: Text, second: Text) -> Text:
    return Text(en=f"{first.en}: {second.en[:1].lower()}{second.en[1:]}", zh=f"{first.zh}：{second.zh}")


def groups_table(study: ValueStudy) -> Block | None:
    """Effects by segment, customer type and value before the case, for treatments with a claimed effect."""
    part = _effects(study)
    claimed = [(one, found.outcome) for one in (part.effects if part else ()) for found in one.claimed]
    if not claimed:
        return None
    columns = [
        Column(key="name", label=Text(en="Group", zh="群体"), wide=True),
        Column(key="cases", label=Text(en="Cases", zh="案例"), show="n"),
        Column(key="effect", label=Text(en="Adjusted", zh="调整后"), signed=True),
        Column(key="interval", label=INTERVAL, show="interval"),
        Column(key="holds", label=Text(en="After correction", zh="多重检验后")),
    ]
    rows: list[Row] = []
    for one, outcome in claimed:
        rows.append(Row(cells={"name": _pair(one.treatment.name, OUTCOME[outcome])}, role="group"))
        for row in one.groups[one.groups["outcome"] == outcome].to_dict("records"):
            kind, group = str(row["grouping"]), str(row["group"])
            fact: Fact = row["fact"]
            held = (
                Text(en="holds", zh="成立")
                if row["p_adjusted"] < 0.05
                else Text(en="not shown", zh="未显示影响")
            )
            rows.append(
                Row(
                    cells={
                        "name": Text(
                            en=f"{GROUPING[kind].en}: {GROUP.get(group, Text.same(group)).en}",
                            zh=f"{GROUPING[kind].zh}：{GROUP.get(group, Text.same(group)).zh}",
                        ),
                        "cases": fact,
                        "effect": fact,
                        "interval": fact,
                        "holds": held,
                    }
                )
            )
    return table(
        "value.effects.groups",
        title=Sentence("For whom the effect is shown"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Effects by segment, customer type and margin before the case, in percentage points; false discoveries held at one in twenty over all groups (Benjamini and Hochberg)"
        ),
        note=_source(study),
    )


# -- what-ifs ----------------------------------------------------------------------------------------------------------


def _what_ifs(study: ValueStudy) -> WhatIfs | None:
    return study.what_ifs if isinstance(study.what_ifs, WhatIfs) else None


def what_if_table(study: ValueStudy) -> Block:
    """Scenarios side by side: value, saving, cost, present value and what it takes."""
    part = _what_ifs(study)
    if part is None or not (part.results or part.refused):
        refused = _refused(study.what_ifs, "what_ifs", WHAT_IFS)
        return refused or callout(
            "value.what_ifs", tone="info", title=Sentence("No scenario is registered in params/what_ifs.yml.")
        )
    columns = [
        Column(key="name", label=Text(en="Scenario", zh="情景"), wide=True),
        Column(key="clv", label=Text(en="Customer value", zh="客户价值")),
        Column(key="saving", label=Text(en="Cost saved", zh="节省成本")),
        Column(key="programme", label=Text(en="Programme cost", zh="方案成本")),
        Column(key="npv", label=Text(en="Net present value", zh="净现值"), signed=True, better="higher"),
        Column(key="interval", label=INTERVAL, show="interval"),
        Column(key="chance", label=Text(en="Chance of a gain", zh="盈利概率")),
    ]
    rows = [
        Row(
            cells={
                "name": one.scenario.name,
                "clv": one.clv,
                "saving": one.saving,
                "programme": one.programme,
                "npv": one.npv,
                "interval": one.npv,
                "chance": one.chance,
            }
        )
        for one in part.results
    ]
    rows += [
        Row(
            cells={
                "name": Text(
                    en=f"{scenario.name.en}: {_why_not(refusal).en}",
                    zh=f"{scenario.name.zh}：{_why_not(refusal).zh}",
                )
            },
            tone="muted",
        )
        for scenario, refusal in part.refused.values()
    ]
    return table(
        "value.what_ifs",
        title=_what_if_title(part.results),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Present value within the programme's months; a saving in after-sales cost is never part of customer value"
        ),
        note=Sentence(
            "Effects that are not shown are not counted; what comes after the programme's months is not counted either."
        ),
    )


def _why_not(refusal: Exception) -> Text:
    needs = ", ".join(getattr(refusal, "needs", ()) or ())
    return (
        Text(en=f"not computed: needs {needs}", zh=f"未计算：缺少 {needs}")
        if needs
        else Text(en="not computed: no effect behind it is shown", zh="未计算：其依据的影响未得到证实")
    )


def _what_if_title(results: Sequence[WhatIf]) -> Sentence:
    sure = [one for one in results if one.npv.interval is not None and one.npv.interval.low > 0]
    if sure:
        best = max(sure, key=lambda one: float(one.npv.value or 0))
        return Sentence(
            "{scenario} pays: {npv} after its cost", {"scenario": best.scenario.name, "npv": best.npv}
        )
    if not results:
        return Sentence("No scenario rests on an effect that is shown")
    best = max(results, key=lambda one: float(one.npv.value or 0))
    if float(best.npv.value or 0) > 0:
        return Sentence(
            "{scenario} is the most promising ({npv}), but may still lose money",
            {"scenario": best.scenario.name, "npv": best.npv},
        )
    return Sentence("No scenario earns its cost on effects that are shown")


def returns_table(study: ValueStudy) -> Block | None:
    """Return, payback and break-even of each scenario, and what is not counted."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text(en="Scenario", zh="情景"), wide=True),
        Column(key="standing", label=Text(en="Rests on", zh="依据")),
        Column(key="return", label=Text(en="Return", zh="回报率"), signed=True),
        Column(key="payback", label=Text(en="Payback", zh="回收期")),
        Column(key="paid", label=Text(en="Paid back in time", zh="期内回收概率")),
        Column(key="even", label=Text(en="Break-even uptake", zh="盈亏平衡落实度")),
        Column(key="later", label=Text(en="Arrives later", zh="方案期后")),
        Column(key="unshown", label=Text(en="Not shown, not counted", zh="未证实不计入")),
    ]
    rows = [
        Row(
            cells={
                "name": one.scenario.name,
                "standing": STANDING[one.standing],
                "return": one.returned,
                "payback": one.payback,
                "paid": one.paid_back,
                "even": one.break_even,
                "later": one.later,
                "unshown": one.unshown,
            }
        )
        for one in part.results
    ]
    return table(
        "value.what_ifs.returns",
        title=Sentence("What it takes for each scenario to pay"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Break-even: share of the intended change that must be reached; the last two columns are outside the net present value"
        ),
        note=None,
    )


def levers_table(study: ValueStudy) -> Block | None:
    """Which cases each scenario changes, and what is known of the effect behind it."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text(en="Scenario and lever", zh="情景与杠杆"), wide=True),
        Column(key="cases", label=Text(en="Cases a year", zh="年度案例")),
        Column(key="wrong", label=Text(en="Gone wrong", zh="未达预期")),
        Column(key="moved", label=Text(en="Changed", zh="可改变")),
        Column(key="standing", label=Text(en="Effect", zh="影响")),
    ]
    lever_standing = STANDING | {"not_shown": Text(en="not shown: not counted", zh="未证实：不计入")}
    rows: list[Row] = []
    for one in part.results:
        rows.append(Row(cells={"name": one.scenario.name}, role="group"))
        rows += [
            Row(
                cells={
                    "name": lever.name,
                    "cases": lever.cases,
                    "wrong": lever.exposed,
                    "moved": lever.moved,
                    "standing": lever_standing[lever.standing],
                }
            )
            for lever in one.levers
        ]
    return table(
        "value.what_ifs.levers",
        title=Sentence("Which cases of a year each scenario would change"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Cases of the twelve months to the end of {month}, before uptake", {"month": study.month}
        ),
        note=_source(study),
    )


def assumptions_table(study: ValueStudy) -> Block | None:
    """Every uncertain number of every scenario with the range it was drawn from."""
    part = _what_ifs(study)
    if part is None or not part.results:
        return None
    columns = [
        Column(key="name", label=Text(en="Assumption", zh="假设"), wide=True),
        Column(key="value", label=Text(en="Mean", zh="均值")),
        Column(key="interval", label=Text(en="Range", zh="范围"), show="interval"),
    ]
    rows: list[Row] = []
    for one in part.results:
        rows.append(
            Row(
                cells={
                    "name": Text(
                        en=f"{one.scenario.name.en}. {one.scenario.source.en}",
                        zh=f"{one.scenario.name.zh}。{one.scenario.source.zh}",
                    )
                },
                role="group",
            )
        )
        rows += [
            Row(
                cells={
                    "name": assumed.name,
                    "value": assumed.value,
                    "interval": assumed.value if assumed.value.interval else None,
                }
            )
            for assumed in one.assumed
        ]
    return table(
        "value.what_ifs.assumptions",
        title=Sentence("What the scenarios assume"),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Effects relative to a case that goes well; value of customers as a multiple of what is expected; ranges hold the stated share of the draws"
        ),
        note=Sentence("Source: params/what_ifs.yml; effects and value of customers from this report."),
    )


def scenario_figures(study: ValueStudy, *, most: int = 2) -> list[Block]:
    """Tornado and fan of the scenarios with the largest present value."""
    part = _what_ifs(study)
    if part is None:
        return []
    chosen = sorted(part.results, key=lambda one: -float(one.npv.value or 0))[:most]
    return [
        block
        for one in chosen
        for block in (tornado_figure(study, one), fan_figure(study, one))
        if block is not None
    ]


def tornado_figure(study: ValueStudy, one: WhatIf) -> Block | None:
    from analysis.exhibits.value_effect_charts import tornado

    if not one.swings:
        return None
    values: dict[str, Value] = {"scenario": one.scenario.name, "input": one.swings[0][1], "npv": one.npv}
    return figure(
        f"value.what_ifs.tornado.{one.scenario.id}",
        title=Sentence("{scenario}: {input:lower} decides more than anything else", values),
        subtitle=Sentence(
            "Net present value as one input moves from its tenth to its ninetieth percentile, the others at their means"
        ),
        foot=Sentence(
            "Source: params/what_ifs.yml, effects of this report, value of customers at the end of {month}.",
            {"month": study.month},
        ),
        alt=Sentence("Bars of the net present value by input, the widest first, around {npv}.", values),
        draw=tornado(
            [(name, low, high) for _, name, low, high in one.swings[:8]],
            one.npv,
            measure=Text(en="Net present value", zh="净现值"),
            by=Text(en="Input", zh="输入"),
        ),
    )


def fan_figure(study: ValueStudy, one: WhatIf) -> Block:
    from analysis.exhibits.value_effect_charts import cumulated_fan

    values: dict[str, Value] = {"scenario": one.scenario.name, "payback": one.payback, "paid": one.paid_back}
    title = (
        Sentence(
            "{scenario}: paid back after {payback}, within the programme's months with a chance of {paid}",
            values,
        )
        if one.payback.value is not None
        else Sentence("{scenario}: does not pay back within its months", values)
    )
    return figure(
        f"value.what_ifs.fan.{one.scenario.id}",
        title=title,
        subtitle=Sentence(
            "Cumulated present value of customer value, saving and cost, with the range of four draws in five and of nineteen in twenty"
        ),
        foot=Sentence(
            "Source: params/what_ifs.yml, effects of this report, value of customers at the end of {month}.",
            {"month": study.month},
        ),
        alt=Sentence("Fan of the cumulated present value by month of the programme."),
        draw=cumulated_fan(
            one.start,
            one.curve,
            first=study.month,
            measure=Text(en="Cumulated present value", zh="累计净现值"),
        ),
    )


def budget_table(study: ValueStudy) -> Block:
    """Next year's service budget by tier, with its range."""
    part = _what_ifs(study)
    if part is None or isinstance(part.budget, AnalysisError):
        refused = _refused(
            study.what_ifs if part is None else part.budget,
            "budget",
            Text(en="Budget proposal", zh="预算建议"),
        )
        assert refused is not None
        return refused
    columns = [
        Column(key="tier", label=Text(en="Tier", zh="层级"), wide=True),
        Column(key="customers", label=Text(en="Customers", zh="客户数")),
        Column(key="value", label=Text(en="Value", zh="客户价值")),
        Column(key="growth", label=Text(en="Growth", zh="客户增长"), signed=True),
        Column(key="last", label=Text(en="Last 12 months", zh="近 12 个月成本")),
        Column(key="proposed", label=Text(en="Proposed", zh="建议预算")),
        Column(key="interval", label=Text(en="Range", zh="范围"), show="interval"),
        Column(key="change", label=Text(en="Change", zh="变化"), signed=True),
    ]
    rows = [
        Row(
            cells={
                "tier": TIER[line.tier],
                "customers": line.customers,
                "value": line.value,
                "growth": line.growth,
                "last": line.last,
                "proposed": line.proposed,
                "interval": line.proposed,
                "change": line.change,
            },
            role="total" if line.tier == "total" else "body",
        )
        for line in part.budget.lines
    ]
    total = part.budget.lines[-1]
    return table(
        "value.budget",
        title=Sentence(
            "Serving next year's customers as today takes {proposed} ({proposed:interval})",
            {"proposed": total.proposed},
        ),
        columns=columns,
        rows=rows,
        subtitle=Sentence(
            "Cost of each tier follows the growth of its customers, demand and prices; a programme above is to be added"
        ),
        note=Sentence(
            "Growth: expected to stay plus as many new customers as last year. Prices are taken to rise by {low} to {high}, most likely {price}.",
            part.budget.prices,
        ),
    )
