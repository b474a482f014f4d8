"""A definition leads to the code that makes the number, and does not change in silence."""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.errors import ParameterError
from analysis.metrics import VIEWS, Measure, Metric, Registry
from analysis.report import definitions
from analysis.report.definitions import Definition, doubts, kept_definitions, resolved, rewrite_definitions

ROOT = Path(__file__).resolve().parents[3]
REGISTRY = Registry.load()
# Where numbers are shown and published, not made.
SHOWING = ("exhibits", "workbook", "report")


@functools.cache
def literals() -> frozenset[str]:
    """Every string that stands in the code that makes numbers."""
    source = ROOT / "src" / "analysis"
    return frozenset(
        node.value
        for path in source.rglob("*.py")
        if path.relative_to(source).parts[0] not in SHOWING
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("metric", [m for m in REGISTRY if m.function], ids=lambda m: m.id)
def test_every_function_a_definition_names_is_there(metric: Metric):
    assert [name for name in metric.function if resolved(name) is None] == []


def test_every_id_that_code_states_stands_in_the_code():
    """What is computed from measures, facts or an assumption is found in the registry; the rest where it is made."""
    missing = {m.id for m in REGISTRY if m.function and m.id not in literals()}
    assert missing == set(), "write the id out where the fact is stated"


@pytest.mark.parametrize(
    "measure", [m for m in REGISTRY.measures.values() if m.view not in VIEWS], ids=lambda m: m.id
)
def test_every_study_view_a_measure_names_is_there(measure: Measure):
    found = resolved(measure.view)
    assert found is not None and f"{found.__module__}.{found.__qualname__}" == measure.view


def stated_by_hand(tree: ast.AST) -> list[str]:
    """Metrics of measures that a module states with a value of its own; what is stated of other facts or as decided is not."""
    own = {m.id for m in REGISTRY if m.kind in ("simple", "ratio")}
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        first = call.args[0] if call.args else None
        follows = [ast.unparse(key.value) for key in call.keywords if key.arg == "lineage"]
        if (
            name in ("exact", "share", "estimate", "between", "stated")
            and isinstance(first, ast.Constant)
            and first.value in own
            and not (
                len(call.args) > 1 and ast.unparse(call.args[1]) == "None"
            )  # a reason instead of a value
            and not any(re.match(r"follows$|Derived\(|Assumed\(|stated_in\(", text) for text in follows)
        ):
            found.append(f"{first.value}: line {call.lineno}")
    return found


def test_what_measures_define_is_computed_by_the_engine():
    """No study states a count, a sum or a ratio of measures with a value that it worked out itself."""
    source = ROOT / "src" / "analysis"
    found = {
        str(path.relative_to(source)): lines
        for path in source.rglob("*.py")
        if (lines := stated_by_hand(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == {}
    assert stated_by_hand(ast.parse('state.exact("customer_movement", 3)')) == ["customer_movement: line 1"]
    assert stated_by_hand(ast.parse('state.measured("customer_movement", rows)')) == []


def test_a_plain_count_or_ratio_is_refused_as_a_function(tmp_path: Path):
    entry = """
section: costs
metrics:
  some_tickets:
    name: {{en: Some tickets, zh: 工单}}
    description: {{en: Tickets counted., zh: 工单计数。}}
    numerator: {{en: tickets, zh: 工单}}
    function: [analysis.metrics.steady.exact_sum]
    {because}
    unit: tickets
    owner: Head of Service Finance
"""
    folder = tmp_path / "metrics"
    folder.mkdir()
    (tmp_path / "labels.yml").write_text("{}", encoding="utf-8")
    for because, refusal in (
        ("", "some_tickets.*because of one of model"),
        ("because: count", "because"),
        ("because: ratio", "because"),
    ):
        (folder / "costs.yml").write_text(entry.format(because=because), encoding="utf-8")
        with pytest.raises(ParameterError, match=refusal):
            Registry.load(folder)
    (folder / "costs.yml").write_text(entry.format(because="because: model"), encoding="utf-8")
    assert Registry.load(folder)["some_tickets"].because == "model"


def test_no_definition_changed_without_a_version_and_a_line_in_the_changelog():
    kept = kept_definitions(ROOT / definitions.KEPT)
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert doubts(definitions.definitions(REGISTRY), kept, changelog) == []


@pytest.mark.parametrize("metric", [m for m in REGISTRY if m.version != "1"], ids=lambda m: m.id)
def test_a_version_after_the_first_is_told_in_the_changelog(metric: Metric):
    assert definitions.named(metric.id, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


def changed(registry: Registry, metric: str, **parts: object) -> Registry:
    entry = replace(registry[metric], **parts)  # type: ignore[arg-type]
    return replace(registry, metrics=registry.metrics | {metric: entry})


def test_a_change_of_what_a_number_means_is_told_from_a_change_of_words():
    now = definitions.definitions(REGISTRY)
    cost = REGISTRY["after_sales_cost"]
    words = changed(REGISTRY, "after_sales_cost", description=replace(cost.description, en="Another word."))
    assert definitions.definitions(words) == now
    measure = REGISTRY.measure(str(cost.numerator))
    other = replace(REGISTRY, measures=REGISTRY.measures | {measure.id: replace(measure, where="amount > 0")})
    moved = {name for name, definition in definitions.definitions(other).items() if definition != now[name]}
    # every metric of that measure, and no other
    assert moved == {m.id for m in REGISTRY if measure.id in (m.numerator, m.denominator)}
    (said,) = [
        d for d in doubts(definitions.definitions(other), now, "") if d.startswith("after_sales_cost:")
    ]
    assert "its definition changed and its version 1 did not" in said


def test_a_view_a_measure_stands_on_is_part_of_its_definition(monkeypatch: pytest.MonkeyPatch):
    now = definitions.definitions(REGISTRY)
    view = definitions.VIEWS["service_orders"]
    monkeypatch.setitem(definitions.VIEWS, "service_orders", replace(view, sql=view.sql + " -- moved"))
    after = definitions.definitions(REGISTRY)
    # service stands on service_orders, sales does not
    assert after["service_order_count"] != now["service_order_count"]
    assert after["revenue"] == now["revenue"]


def test_a_function_is_known_by_its_signature_and_the_sql_of_its_module():
    metric = next(m for m in REGISTRY if m.function and resolved(m.function[0]) is not None)
    now = definitions.definitions(REGISTRY)[metric.id]
    other = changed(REGISTRY, metric.id, function=("analysis.metrics.steady.exact_sum",))
    assert definitions.definitions(other)[metric.id] != now
    assert resolved("analysis.metrics.steady.exact_sum") is not None
    assert resolved("analysis.metrics.steady.no_such_sum") is None
    assert resolved("analysis.no_such_module.sum") is None


def test_rewriting_wants_a_version_and_a_line(tmp_path: Path):
    (tmp_path / "CHANGELOG.md").write_text("- `labour_share` (version 2): counts.\n", encoding="utf-8")
    assert "labour_share" in rewrite_definitions(root=tmp_path)
    path = tmp_path / definitions.KEPT
    assert rewrite_definitions(root=tmp_path) == []
    text = path.read_text(encoding="utf-8")
    now = definitions.definitions(REGISTRY)["labour_share"].fingerprint
    path.write_text(text.replace(now, "0" * 12), encoding="utf-8")
    with pytest.raises(ParameterError, match="labour_share: its definition changed and its version"):
        rewrite_definitions(root=tmp_path)
    assert rewrite_definitions(root=tmp_path, moved=True) == ["labour_share"]
    # a version that was raised is kept when the changelog names it, and refused when it does not
    for metric, refused in (("labour_share", False), ("revenue", True)):
        line = next(line for line in text.splitlines() if line.startswith(f"{metric}:"))
        path.write_text(text.replace(line, line.replace('"1"', '"0"')), encoding="utf-8")
        if refused:
            with pytest.raises(ParameterError, match=f"{metric}: version 1 is not in CHANGELOG"):
                rewrite_definitions(root=tmp_path)
        else:
            assert rewrite_definitions(root=tmp_path) == [metric]


def test_what_is_gone_or_new_is_said():
    one = Definition("1", "a")
    assert doubts({"here": one}, {}, "") == ["here: is new; make golden DEFINITIONS=1 keeps it."]
    assert "no longer defined" in doubts({}, {"gone": one}, "")[0]
    assert definitions.named("what_if_npv", "- all of `what_if_*` moved") and not definitions.named("x", "y")


def test_an_older_file_of_labels_borrows_what_the_report_says_itself(tmp_path: Path):
    """Names of what the report compares and finds ship; regions and severities are the company's to name, in its order."""
    own = "region: {name: {en: Site, zh: 作业点}}\nseverity: {name: {en: Priority, zh: 优先级}, values: {P1: {en: P1, zh: 一级}}}\n"
    (tmp_path / "metrics").mkdir()
    (tmp_path / "labels.yml").write_text(own, encoding="utf-8")
    registry, shipped = Registry.load(tmp_path / "metrics"), Registry.load()
    assert registry.dimension_name("region").en == "Site"
    assert registry.dimension_name("shop") == shipped.dimension_name("shop")
    assert registry.value_label("against", "others") == shipped.value_label("against", "others")
    assert shipped.value_label("region", "North").zh != "North"
    assert registry.value_label("region", "North").zh == "North"
    assert list(registry.dimensions["severity"].values) == ["P1"]
