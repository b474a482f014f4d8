"""Parts of a study: done, or not done and why; a fault is neither."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from analysis import errors
from analysis.errors import ContractError, FitError, MissingData, ParameterError
from analysis.locale import Text, catalogue
from analysis.metrics import NotDone, Parts, Study, StudyInputs, facts_in, study
from analysis.results import Fact, Sentence

Inputs = Callable[..., StudyInputs]


def refused(error: Exception) -> Callable[[], int]:
    def part() -> int:
        raise error

    return part


@pytest.mark.parametrize("error", [MissingData("surveys.score"), FitError("the model did not converge")])
def test_absent_data_and_a_model_that_does_not_fit_become_a_visible_check(error: Exception):
    parts = Parts(section="x")
    part = parts.do("voice", refused(error))
    assert isinstance(part, NotDone)
    assert not part
    (check,) = parts.not_tested({"voice": Text(en="what customers say", zh="客户评价")})
    assert check.id == "not_tested.voice"
    assert check.outcome == "info"
    assert check.sentence.plain().startswith("Not tested: what customers say; ")
    assert part.reason.en in check.sentence.plain()
    assert "客户评价" in check.sentence.plain("zh")


@pytest.mark.parametrize("error", [ContractError("broken"), ParameterError("wrong"), ZeroDivisionError()])
def test_a_broken_ledger_a_wrong_parameter_and_a_fault_of_ours_are_raised(error: Exception):
    with pytest.raises(type(error)):
        Parts(section="x").do("voice", refused(error))


def test_a_part_that_stands_on_one_not_done_gives_the_same_reason_and_is_not_called():
    parts = Parts(section="x")
    first = parts.do("first", refused(MissingData("orders")))
    second = parts.do("second", lambda given: pytest.fail("called"), first)
    assert second == first
    assert len(parts.not_tested({})) == 2


def test_a_model_says_in_both_languages_why_it_does_not_fit():
    refusal = FitError(
        "cox: no convergence after {steps} steps; look for covariates that separate the events.", steps=50
    )
    assert str(refusal) == "cox: no convergence after 50 steps; look for covariates that separate the events."
    reason = NotDone.because(refusal).reason
    assert reason.en == str(refusal).removesuffix(".")
    assert "50 步后仍未收敛" in reason.zh
    assert str(pickle.loads(pickle.dumps(refusal))) == str(refusal)


def test_a_refusal_that_no_catalogue_knows_is_quoted():
    reason = NotDone.because(FitError("quux: 3 braces {x} too many.")).reason
    assert reason.en == "quux: 3 braces {x} too many"
    assert reason.zh.startswith("无法估计") and reason.zh.endswith(reason.en)


def test_the_reason_of_a_part_is_that_of_the_facts_it_would_have_stated():
    assert NotDone(reason=Text(en="too few", zh="太少")).unstated == Text(
        en="not computed: too few", zh="未计算：太少"
    )


STUDIES = (
    "retention",
    "value",
)  # every refusal of theirs is a message of the catalogue; of ``stats`` those with values


def constants(tree: ast.Module) -> dict[str, list[str]]:
    """The texts that a module names: one, or those of a mapping."""
    named = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant | ast.Dict):
            parts = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
            named |= {target.id: texts for target in node.targets if isinstance(target, ast.Name)}
    return named


def messages_of_refusals() -> Iterator[str]:
    """What a ``FitError`` is given as a message with values, or what a study refuses with."""
    source = Path(errors.__file__).parent
    for path in sorted(path for package in ("stats", *STUDIES) for path in source.glob(f"{package}/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        named = constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("FitError", "MissingData"):
                message = (*node.args, *(word.value for word in node.keywords if word.arg == "message"))
                asked = node.keywords or (path.parent.name in STUDIES and node.func.id == "FitError")  # type: ignore[attr-defined]
                for part in message if asked else ():
                    part = part.value if isinstance(part, ast.Subscript) else part
                    yield from (
                        named.get(part.id, []) if isinstance(part, ast.Name) else [ast.literal_eval(part)]
                    )


def test_every_message_of_a_refusal_is_in_the_catalogue():
    messages = list(messages_of_refusals())
    assert len(messages) > 30
    assert not [one for one in messages if one.removesuffix(".") not in catalogue("zh")]


def test_what_is_said_of_absent_data_is_in_the_catalogue_whatever_the_package():
    source = Path(errors.__file__).parent
    said = {
        f"{path.relative_to(source)}:{node.lineno}": word.value
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "MissingData"
        for word in node.keywords
        if word.arg == "message"
    }
    assert len(said) > 10
    # values are given beside the message: what is put into it beforehand no catalogue can know
    unknown = [
        place
        for place, word in said.items()
        if not isinstance(word, ast.Constant) or str(word.value).removesuffix(".") not in catalogue("zh")
    ]
    assert not unknown


def test_absent_data_say_their_reason_in_both_languages_with_its_values():
    part = NotDone.because(MissingData("ledger", message="no cost in {month}", month="2026-09"))
    assert part == NotDone(reason=Text(en="no cost in 2026-09", zh="2026-09 没有成本"))
    assert str(MissingData("a", "b.c")) == "not computed: needs a, b.c"


def test_what_a_run_does_not_ask_for_is_no_doubt():
    parts = Parts(section="x")
    parts.leave_out("cohorts", Text(en="not asked for", zh="未要求"))
    assert parts.not_tested({}) == ()


def test_a_study_says_what_it_needs_and_refuses_without_it(company: Path, inputs_of: Inputs):
    @study(section="x", needs=("surveys.score",))
    def asked(inputs: StudyInputs) -> int:
        """What it answers."""
        return 1

    assert isinstance(asked, Study)
    assert (asked.section, asked.needs, asked.__doc__) == ("x", ("surveys.score",), "What it answers.")
    with pytest.raises(MissingData, match=r"surveys"):
        asked(inputs_of(company))


def test_facts_are_found_wherever_a_result_holds_them():
    one, two = (Fact(metric=name, period="2026-10", unit="count", value=1) for name in ("a", "b"))
    sentence = Sentence("{a}", {"a": one})
    assert set(facts_in({"x": [sentence, (two, None)]})) == {one.id, two.id}
