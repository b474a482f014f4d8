from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text as DrawnText

from analysis.errors import MissingData, ParameterError
from analysis.exhibits.charts.labels import overlaps
from analysis.exhibits.charts.trees import fault_tree
from analysis.exhibits.style import rc_params
from analysis.failures import FaultTree, fault_tree_facts
from analysis.failures.fault_tree_facts import trees
from analysis.failures.fault_tree_parts import BasicEvent, CommonCause
from analysis.locale import LANGUAGES, Text
from analysis.stats.decision_diagrams import Diagram, DiagramTooLarge


def tree(gates, probabilities, *, top="top", **more):
    """A tree from ``{"top": ("and", "a", "b")}`` and ``{"a": 0.1}``; ``("2 of", …)`` is a vote."""
    read = {}
    for name, (kind, *inputs) in gates.items():
        if kind.endswith(" of"):
            read[name] = {"kind": "at_least", "needed": int(kind.split()[0]), "of": inputs}
        else:
            read[name] = {"kind": kind, "of": inputs}
    events = {name: p if isinstance(p, dict) else {"probability": p} for name, p in probabilities.items()}
    return FaultTree.from_mapping({"top": top, "gates": read, "events": events, **more}, name="test")


def by_enumeration(fault_tree):
    """Probability by looking at every state of the basic events."""
    names = list(fault_tree.events)
    total = 0.0
    for state in itertools.product([False, True], repeat=len(names)):
        values = {**dict(zip(names, state, strict=True)), **fault_tree.house}

        def value(name, values=values):
            if name in values:
                return values[name]
            gate = fault_tree.gates[name]
            inputs = [value(child) for child in gate.of]
            return {
                "and": all(inputs),
                "or": any(inputs),
                "not": not inputs[0],
                "xor": sum(inputs) == 1,
                "nand": not all(inputs),
                "nor": not any(inputs),
                "at_least": sum(inputs) >= (gate.needed or 0),
            }[gate.kind]

        if value(fault_tree.top):
            total += np.prod(
                [
                    e.probability if on else 1 - e.probability
                    for e, on in zip(fault_tree.events.values(), state, strict=True)
                ]
            )
    return total


FIXED = {"not": 1, "xor": 2}


def random_tree(seed, kinds=("and", "or", "2 of")):
    rng = np.random.default_rng(seed)
    events = {f"e{i}": float(p) for i, p in enumerate(rng.uniform(0.05, 0.6, 8))}
    gates, pool = {}, list(events)
    for i in range(7):
        kind = str(rng.choice(kinds))
        inputs = [
            str(one) for one in rng.choice(pool, FIXED.get(kind) or int(rng.integers(2, 5)), replace=False)
        ]
        gates[f"g{i}"] = (kind, *inputs)
        pool.append(f"g{i}")
    used = {child for _, *inputs in gates.values() for child in inputs}
    gates["top"] = ("or", *[name for name in [*gates, *events] if name not in used])
    return tree(gates, events)


@pytest.mark.parametrize("seed", range(25))
def test_exact_probability_is_that_of_all_states(seed):
    for kinds in (("and", "or", "2 of"), ("and", "or", "2 of", "not"), ("or", "xor", "nand", "nor")):
        one = random_tree(seed, kinds)
        assert one.top_probability() == pytest.approx(by_enumeration(one), rel=1e-12)


@pytest.mark.parametrize("seed", range(25))
def test_cut_sets_are_exactly_the_minimal_ways_to_fail(seed):
    one = random_tree(seed)
    names = list(one.events)
    sure = {name: 1.0 for name in names}
    failing = set()
    for size in range(len(names) + 1):
        for chosen in itertools.combinations(sorted(names), size):
            if any(set(smaller) <= set(chosen) for smaller in failing):
                continue
            state = {name: 1.0 if name in chosen else 0.0 for name in sure}
            if one.with_probabilities(state).top_probability() == 1.0:
                failing.add(chosen)
    found = one.minimal_cut_sets()
    assert set(found["events"]) == failing
    assert one.cut_set_counts() == found["order"].value_counts().sort_index().to_dict()


@pytest.mark.parametrize("seed", range(10))
def test_importance_measures_are_what_their_names_say(seed):
    one = random_tree(seed)
    top = one.top_probability()
    cut_sets = one.minimal_cut_sets()["events"]
    for row in one.importance().itertuples():
        certain = one.with_probabilities({row.event: 1.0}).top_probability()
        impossible = one.with_probabilities({row.event: 0.0}).top_probability()
        assert row.birnbaum == pytest.approx(certain - impossible, abs=1e-12)
        assert row.raw == pytest.approx(certain / top)
        assert row.rrw == pytest.approx(np.inf if impossible == 0 else top / impossible)
        assert row.criticality == pytest.approx(row.probability * row.birnbaum / top)
        # at least one cut set with the event occurs: by enumeration over the sets that hold it
        holding = [cut for cut in cut_sets if row.event in cut]
        if holding:
            union = tree(
                {
                    "top": ("or", *[f"c{i}" for i in range(len(holding))]),
                    **{f"c{i}": ("and", *cut) for i, cut in enumerate(holding)},
                },
                {
                    name: one.events[name].probability
                    for name in sorted({name for cut in holding for name in cut})
                },
            )
            assert row.fussell_vesely == pytest.approx(union.top_probability() / top)
        else:
            assert row.fussell_vesely == 0.0


def test_two_of_three_pumps_on_paper():
    pumps = tree({"top": ("2 of", "a", "b", "c")}, {"a": 0.1, "b": 0.2, "c": 0.3})
    # ab + ac + bc - 2 abc = 0.02 + 0.03 + 0.06 - 0.012
    assert pumps.top_probability() == pytest.approx(0.098)
    assert pumps.top_probability(method="rare_event") == pytest.approx(0.11)
    assert pumps.top_probability(method="min_cut_upper_bound") == pytest.approx(1 - 0.98 * 0.97 * 0.94)
    cut_sets = pumps.minimal_cut_sets()
    assert cut_sets["events"].tolist() == [("b", "c"), ("a", "c"), ("a", "b")]
    assert cut_sets["share"].tolist() == pytest.approx([6 / 11, 3 / 11, 2 / 11])
    importance = pumps.importance().set_index("event")
    # Birnbaum of a: b + c - 2 bc
    assert importance.loc["a", "birnbaum"] == pytest.approx(0.38)
    assert importance.loc["c", "rrw"] == pytest.approx(0.098 / 0.02)


def test_rare_event_sum_can_exceed_one_and_the_exact_answer_cannot():
    frequent = tree({"top": ("or", "a", "b", "c")}, {"a": 0.6, "b": 0.6, "c": 0.6})
    assert frequent.top_probability(method="rare_event") == pytest.approx(1.8)
    assert frequent.top_probability() == pytest.approx(1 - 0.4**3)


def test_a_shared_event_is_counted_once():
    shared = tree(
        {"top": ("and", "left", "right"), "left": ("or", "power", "a"), "right": ("or", "power", "b")},
        {"power": 0.1, "a": 0.2, "b": 0.3},
    )
    # power, or a and b without it; multiplying the two branches would give 0.28 x 0.37 = 0.1036
    assert shared.top_probability() == pytest.approx(0.1 + 0.9 * 0.06)
    assert shared.minimal_cut_sets()["events"].tolist() == [("power",), ("a", "b")]


def test_not_gates_give_prime_implicants_and_may_have_negative_importance():
    guarded = tree(
        {"top": ("and", "fire", "unseen"), "unseen": ("not", "alarm")}, {"fire": 0.01, "alarm": 0.9}
    )
    assert not guarded.coherent
    assert guarded.minimal_cut_sets()["events"].tolist() == [("fire", "not alarm")]
    assert guarded.minimal_cut_sets()["probability"][0] == pytest.approx(0.001)
    assert guarded.importance().set_index("event").loc["alarm", "birnbaum"] == pytest.approx(-0.01)
    # a or (not a and b) is a or b: the negation adds no implicant
    redundant = tree(
        {"top": ("or", "a", "rest"), "rest": ("and", "other", "b"), "other": ("not", "a")},
        {"a": 0.1, "b": 0.2},
    )
    assert set(redundant.minimal_cut_sets()["events"]) == {("a",), ("b",)}


def test_house_events_switch_parts_of_the_tree():
    wired = tree(
        {"top": ("or", "a", "test"), "test": ("and", "testing", "b")},
        {"a": 0.1, "b": 0.2},
        house={"testing": False},
    )
    assert wired.top_probability() == pytest.approx(0.1)
    assert wired.with_house(testing=True).top_probability() == pytest.approx(0.28)
    assert set(wired.minimal_cut_sets()["events"]) == {("a",)}


def test_certain_and_impossible_tops():
    always = tree({"top": ("or", "a", "on")}, {"a": 0.1}, house={"on": True})
    assert always.top_probability() == 1.0
    assert always.minimal_cut_sets()["events"].tolist() == [()]
    never = tree({"top": ("and", "a", "off")}, {"a": 0.1}, house={"off": False})
    assert never.top_probability() == 0.0 and never.minimal_cut_sets().empty


def test_common_cause_failure_by_the_beta_factor():
    redundant = {"top": ("and", "a", "b")}
    apart = tree(redundant, {"a": 0.01, "b": {"same_as": "a"}})
    together = tree(
        redundant,
        {"a": 0.01, "b": {"same_as": "a"}},
        common_causes={"pumps": {"of": ["a", "b"], "beta": 0.1}},
    )
    assert apart.top_probability() == pytest.approx(1e-4)
    # shared part 0.001, else both own parts 0.009
    assert together.top_probability() == pytest.approx(0.001 + 0.999 * 0.009**2)
    assert together.minimal_cut_sets()["events"].tolist() == [("pumps",), ("a", "b")]


def test_common_causes_of_some_events_by_the_multiple_greek_letters():
    # Mosleh et al. (1988), NUREG/CR-4780, equation 3.9 for a group of three:
    # Q1 = (1 - beta) Qt, Q2 = beta (1 - gamma) Qt / 2, Q3 = beta gamma Qt
    q, beta, gamma = 0.01, 0.1, 0.4
    events = {"a": q, "b": {"same_as": "a"}, "c": {"same_as": "a"}}
    cause = {"pumps": {"of": ["a", "b", "c"], "beta": beta, "beyond": [gamma]}}
    two_of_three = tree({"top": ("2 of", "a", "b", "c")}, events, common_causes=cause)
    single, pair, all_three = (1 - beta) * q, beta * (1 - gamma) * q / 2, beta * gamma * q
    rare = 3 * single**2 + 3 * pair + all_three
    assert two_of_three.top_probability() == pytest.approx(rare, rel=2e-3)  # the published sum of rare events
    assert {events for events in two_of_three.minimal_cut_sets()["events"] if len(events) == 1} == {
        ("pumps",),
        ("pumps: a + b",),
        ("pumps: a + c",),
        ("pumps: b + c",),
    }
    # what one event shares with others, over all sets it is in, is beta of its probability
    shares = CommonCause(of=("a", "b", "c"), beta=beta, beyond=(gamma,)).parts("pumps")
    assert sum(share for members, (_, share) in shares.items() if "a" in members) == pytest.approx(beta)


def test_a_beta_alone_is_the_letters_at_one():
    events = {"a": 0.02, "b": {"same_as": "a"}, "c": {"same_as": "a"}}
    gates = {"top": ("2 of", "a", "b", "c")}
    plain = tree(gates, events, common_causes={"x": {"of": ["a", "b", "c"], "beta": 0.2}})
    lettered = tree(gates, events, common_causes={"x": {"of": ["a", "b", "c"], "beta": 0.2, "beyond": [1.0]}})
    assert plain.top_probability() == pytest.approx(lettered.top_probability(), rel=1e-12)
    with pytest.raises(ParameterError, match="at most 1 letters for 3 events"):
        tree(gates, events, common_causes={"x": {"of": ["a", "b", "c"], "beta": 0.2, "beyond": [0.5, 0.5]}})


def test_just_one_of_two():
    found = tree({"top": ("xor", "a", "b")}, {"a": 0.1, "b": 0.2})
    assert found.top_probability() == pytest.approx(0.1 * 0.8 + 0.9 * 0.2) and not found.coherent
    assert set(found.minimal_cut_sets()["events"]) == {("a", "not b"), ("b", "not a")}
    with pytest.raises(ParameterError, match="a 'xor' gate has two inputs; this one has 3"):
        tree({"top": ("xor", "a", "b", "c")}, {"a": 0.1, "b": 0.2, "c": 0.3})


def test_probabilities_from_counts_and_their_uncertainty():
    counted = tree(
        {"top": ("or", "start", "run")},
        {"start": {"failures": 3, "demands": 300}, "run": {"failures": 2, "exposure": 4000, "mission": 24}},
    )
    run = 1 - np.exp(-2 / 4000 * 24)
    assert counted.top_probability() == pytest.approx(1 - 0.99 * (1 - run))
    interval = counted.top_interval(draws=4000, seed=1)
    assert interval.low < interval.value < interval.high and interval.level == 0.9
    assert counted.top_interval(draws=4000, seed=1).low == interval.low
    # ten times the evidence, a third of the width
    more = tree(
        {"top": ("or", "start", "run")},
        {
            "start": {"failures": 30, "demands": 3000},
            "run": {"failures": 20, "exposure": 40000, "mission": 24},
        },
    ).top_interval(draws=4000, seed=1)
    assert (more.high - more.low) == pytest.approx((interval.high - interval.low) / np.sqrt(10), rel=0.25)


def test_propagation_of_one_lognormal_event_is_that_lognormal():
    single = tree({"top": ("or", "a")}, {"a": {"probability": 1e-3, "error_factor": 3}})
    interval = single.top_interval(draws=40_000, seed=2)
    sigma = np.log(3) / 1.6448536
    median = 1e-3 * np.exp(-(sigma**2) / 2)
    assert (interval.low, interval.high) == pytest.approx((median / 3, median * 3), rel=0.03)
    limits = tree({"top": ("or", "a")}, {"a": {"probability": 1e-3, "low": 5e-4, "high": 2e-3}})
    spread = limits.top_interval(draws=40_000, seed=2)
    assert (spread.low, spread.high) == pytest.approx((5e-4, 2e-3), rel=0.03)


def test_events_known_from_one_source_vary_together():
    gates = {"top": ("and", "a", "b")}
    tied = tree(gates, {"a": {"probability": 0.01, "error_factor": 5}, "b": {"same_as": "a"}})
    free = tree(
        gates, {"a": {"probability": 0.01, "error_factor": 5}, "b": {"probability": 0.01, "error_factor": 5}}
    )
    wide, narrow = tied.top_interval(draws=20_000, seed=3), free.top_interval(draws=20_000, seed=3)
    assert tied.top_probability() == free.top_probability()
    assert wide.high / wide.low > 1.5 * narrow.high / narrow.low


def test_missing_probabilities_leave_the_cut_sets():
    open_tree = tree({"top": ("or", "a", "b")}, {"a": 0.1, "b": {}})
    assert open_tree.missing_probabilities == ("b",)
    assert set(open_tree.minimal_cut_sets()["events"]) == {("a",), ("b",)}
    with pytest.raises(MissingData, match="needs the probability of 1 basic events, e.g. b"):
        open_tree.top_probability()
    filled = open_tree.with_probabilities({"b": BasicEvent(failures=2, demands=10)})
    assert filled.top_probability() == pytest.approx(1 - 0.9 * 0.8)


def test_several_hundred_events_are_solved():
    # 60 redundant trains of 6 components under 2-of-3 votes, all fed by 3 shared supplies
    gates, events = {}, {f"supply{i}": 0.001 for i in range(3)}
    for train in range(60):
        for part in range(6):
            events[f"t{train}c{part}"] = 0.01
        gates[f"t{train}"] = ("or", *[f"t{train}c{part}" for part in range(6)], f"supply{train % 3}")
    for group in range(20):
        gates[f"v{group}"] = ("2 of", *[f"t{3 * group + i}" for i in range(3)])
    gates["top"] = ("3 of", *[f"v{group}" for group in range(20)])
    big = tree(gates, events)
    assert len(big.events) == 363
    counts = big.cut_set_counts()
    # two supplies stop two trains of every group; one supply and one train of three groups; two trains of three groups
    assert counts[2] == 3
    assert big.minimal_cut_sets(max_order=2)["events"].tolist()[0] == ("supply0", "supply1")
    # exactly: condition on the supplies, then every group fails alone
    train = 1 - 0.99**6
    expected = 0.0
    for state in itertools.product([0, 1], repeat=3):
        p = [1.0 if down else train for down in state]
        group = p[0] * p[1] + p[0] * p[2] + p[1] * p[2] - 2 * p[0] * p[1] * p[2]
        below = sum(__import__("math").comb(20, k) * group**k * (1 - group) ** (20 - k) for k in range(3))
        expected += np.prod([0.001 if down else 0.999 for down in state]) * (1 - below)
    assert big.top_probability() == pytest.approx(expected, rel=1e-10)
    with pytest.raises(ParameterError, match="ask for max_order"):
        big.minimal_cut_sets()


def test_outline_for_drawing_opens_a_shared_gate_once():
    drawn = tree(
        {
            "top": ("and", "left", "right"),
            "left": ("or", "a", "common"),
            "right": ("or", "b", "common"),
            "common": ("2 of", "c", "d", "e"),
        },
        dict.fromkeys("abcde", 0.1),
    ).outline()
    assert drawn["name"].tolist() == ["top", "left", "a", "common", "c", "d", "e", "right", "b", "common"]
    assert drawn["depth"].tolist() == [0, 1, 2, 2, 3, 3, 3, 1, 2, 2]
    assert drawn["repeated"].tolist() == [False] * 9 + [True]
    assert drawn["parent"].tolist()[1:4] == [0, 1, 1] and drawn["needed"][3] == 2


YAML = """
title: {en: Pump does not deliver, zh: 水泵不供水}
top: no_flow
gates:
  no_flow: {kind: or, of: [both_pumps, valve_stuck]}
  both_pumps: {kind: and, of: [pump_a, pump_b], label: Both pumps down}
events:
  pump_a: {failures: 4, demands: 1000, source: service tickets 2026}
  pump_b: {same_as: pump_a}
  valve_stuck: {probability: 1e-3, error_factor: 3, source: supplier}
"""


def test_yaml_as_an_engineer_writes_it(tmp_path: Path):
    file = tmp_path / "pump.yml"
    file.write_text(YAML, encoding="utf-8")
    pump = FaultTree.from_yaml(file)
    assert pump.name == "pump" and pump.title is not None and pump.title.zh == "水泵不供水"
    assert pump.top_probability() == pytest.approx(1 - (1 - 0.004**2) * 0.999)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("top: no_flow", "tpo: no_flow", "unknown key 'tpo'. Did you mean 'top'"),
        ("kind: or", "kind: maybe", "'maybe' is not allowed"),
        ("of: [both_pumps, valve_stuck]", "of: [both_pump, valve_stuck]", "Did you mean 'both_pumps'"),
        ("top: no_flow", "top: no_flw", "Did you mean 'no_flow'"),
        ("of: [pump_a, pump_b]", "of: [pump_a, no_flow]", "circle: no_flow > both_pumps > no_flow"),
        ("probability: 1e-3", "probability: 1.3", "between 0 and 1"),
        ("probability: 1e-3", "probabilty: 1e-3", "Did you mean 'probability'"),
        ("demands: 1000", "demands: 3", "4 failures in 3 demands"),
        ("demands: 1000", "mission: 3", "with exposure and mission"),
        ("same_as: pump_a", "same_as: pump_c", "same_as should name"),
        ("{same_as: pump_a}", "{same_as: pump_a, probability: 0.1}", "give one of probability"),
        ("of: [pump_a, pump_b]", "of: [pump_a]", "1 entries do not lead to the top, e.g. 'pump_b'"),
        ("of: [pump_a, pump_b]", "of: [pump_a, pump_a]", "different inputs"),
        ("kind: and, of", "kind: at_least, of", "'needed' belongs"),
        ("kind: and, of", "kind: at_least, needed: 3, of", "needs 3 of 2"),
        ("kind: and, of", "kind: not, of", "'not' gate has one input"),
        ("error_factor: 3", "error_factor: 0.3", "at least 1"),
        ("error_factor: 3", "error_factor: 3, low: 0.1, high: 0.2", "either an error_factor or both"),
        (
            "  pump_b: {",
            "  both_pumps: {probability: 0.1}\n  pump_b: {",
            "'both_pumps' is the name of two things",
        ),
    ],
)
def test_a_file_that_does_not_make_sense_is_refused(tmp_path: Path, old, new, message):
    assert old in YAML
    file = tmp_path / "pump.yml"
    file.write_text(YAML.replace(old, new), encoding="utf-8")
    with pytest.raises(ParameterError, match=message):
        FaultTree.from_yaml(file)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.with_probabilities({"aa": 0.1}), "no basic event 'aa'"),
        (lambda t: t.with_house(open=True), "no house event 'open'"),
        (lambda t: t.top_probability(method="exakt"), "Did you mean 'exact'"),
        (
            lambda t: tree(
                {"top": ("and", "a", "b")},
                {"a": 0.1, "b": 0.2},
                common_causes={"c": {"of": ["a", "b"], "beta": 0.1}},
            ),
            "one probability",
        ),
        (
            lambda t: tree(
                {"top": ("and", "a", "b")},
                {"a": 0.1, "b": 0.1},
                common_causes={"c": {"of": ["a"], "beta": 0.1}},
            ),
            "two events or more",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ParameterError, match=message):
        call(tree({"top": ("and", "a", "b")}, {"a": 0.1, "b": 0.2}))


def _layered(width: int) -> FaultTree:
    """Wide layers of gates over shared events: a small diagram, and very many ways to fail."""
    events = {f"e{i}": {"probability": 0.01} for i in range(2 * width)}
    gates = {f"or{i}": {"kind": "or", "of": [f"e{2 * i}", f"e{2 * i + 1}"]} for i in range(width)}
    gates["top"] = {"kind": "and", "of": [f"or{i}" for i in range(width)]}
    return FaultTree.from_mapping({"top": "top", "gates": gates, "events": events}, name="layered")


def test_a_probability_builds_no_cut_sets(monkeypatch):
    tree = _layered(12)
    monkeypatch.setattr(
        "analysis.stats.decision_diagrams.Diagram.prime_implicants",
        lambda *_: pytest.fail("minimal cut sets were built for a probability"),
    )
    assert tree.top_probability() == pytest.approx((1 - 0.99**2) ** 12)
    assert tree.top_interval(draws=20, seed=1).value == tree.top_probability()


def test_where_cut_sets_are_too_many_the_rest_is_answered(monkeypatch):
    tree = _layered(12)
    whole = tree.importance().set_index("event")
    assert tree.cut_set_counts() == {12: 2**12}
    again = _layered(12)
    again._solved.family.most_nodes = 5
    table = again.importance().set_index("event")
    assert table["fussell_vesely"].isna().all()
    for column in ("birnbaum", "criticality", "raw", "rrw"):
        assert table[column].to_dict() == pytest.approx(whole[column].to_dict())
    for call in (again.cut_set_counts, again.minimal_cut_sets, again.cut_set_counts):
        with pytest.raises(ParameterError, match="minimal cut sets need more than 5 nodes"):
            call()


def test_an_empty_file_takes_the_place_of_a_tree_and_is_none(tmp_path: Path):
    (tmp_path / "shipped.yml").write_text("# not ours\n{}\n", encoding="utf-8")
    (tmp_path / "own.yml").write_text(
        "top: down\ngates: {down: {kind: or, of: [fuse]}}\nevents: {fuse: {probability: 0.1}}\n",
        encoding="utf-8",
    )
    assert [path.name for path in trees(tmp_path)] == ["own.yml"]


def test_steps_end_too_where_no_new_nodes_are_needed():
    diagram = Diagram(40, most_nodes=100)
    parts = [diagram.variable(one) for one in range(40)]
    with pytest.raises(DiagramTooLarge):
        diagram.at_least(20, parts)


FOLDER = Path(__file__).resolve().parents[3] / "params"


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("fault_trees/*.yml")), ids=lambda path: path.stem)
def test_every_shipped_tree_is_drawn_with_its_names_whole(path: Path):
    """On the page a name is set on more lines rather than cut, and nothing lies over anything."""
    for tree in trees(path.parent).values():
        nodes = fault_tree_facts._nodes(tree, defaultdict(lambda: None))  # type: ignore[arg-type]
        drawing = fault_tree(nodes, by=Text.of("Event"), measure=Text.of("Probability"))
        for language in LANGUAGES:
            with matplotlib.rc_context():
                matplotlib.rcParams.update(dict(rc_params()))
                figure = Figure(figsize=drawing.size)
                drawing.draw(figure, language)
                said = [one.get_text() for one in figure.findobj(DrawnText)]
                assert not [text for text in said if "…" in text] and overlaps(figure) == []


def test_an_event_that_is_the_same_as_another_is_known_as_that_one_is(tmp_path: Path):
    (tmp_path / "two.yml").write_text(
        "top: down\ngates: {down: {kind: and, of: [pump, spare]}}\nevents: {pump: {}, spare: {same_as: pump}}\n",
        encoding="utf-8",
    )
    (tree,) = trees(tmp_path).values()
    assert fault_tree_facts._source_of(tree, "spare") == fault_tree_facts._source_of(tree, "pump") == "pump"
