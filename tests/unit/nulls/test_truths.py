"""What is planted in the companies of templates: named by the right finding only, counted by hand, and the page keeps what others wrote."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from analysis.errors import ParameterError
from analysis.nulls import SIGNS, Record, question_of, recovered, running, write_truths
from analysis.nulls.named import Reported, Sign
from analysis.sample import COMPANIES
from analysis.workbook.sections import SECTIONS

STRENGTHS = {"idle_team": {"idle_unused": 0.35}, "bot_share": {"bot_share": 0.3}}


def finding(id: str, severity: str = "alert", **subject: str) -> dict[str, Any]:
    return {"id": id, "severity": severity, "subject": subject, "intervals": {}}


def idle(low: float, high: float, team: str = "Frontline") -> dict[str, Any]:
    return finding("costs.idle_team", team=team) | {"intervals": {"excess": (low, high)}}


def company(seed: int, *findings: dict[str, Any]) -> Record:
    return Record(seed=seed, answers={"costs": Reported(findings=findings, strengths=(STRENGTHS,))})


@pytest.mark.parametrize("template", SIGNS)
def test_every_sign_is_of_a_planted_truth_and_a_section_of_the_run(template):
    truths = set(import_module(f"{COMPANIES[template]}.truths").TRUTHS)
    assert set(SIGNS[template]) <= truths
    assert {sign.section for sign in SIGNS[template].values()} <= set(question_of(template).studies)
    assert {sign.finding.split(".")[0] for sign in SIGNS[template].values()} <= {one.id for one in SECTIONS}


def test_a_finding_names_a_truth_by_kind_subject_and_severity():
    delivered = Sign(
        section="costs", finding="costs.measure", subject={"measure": "bot"}, severities=("good",)
    )
    assert delivered.meant(finding("costs.measure", "good", measure="bot-questions"))
    assert not delivered.meant(finding("costs.measure", "watch", measure="bot-questions"))
    assert not delivered.meant(finding("costs.measure", "good", measure="night-shift"))
    assert not delivered.meant(finding("costs.idle_team", "good", measure="bot-questions"))
    assert not delivered.meant(finding("costs.measure", "good"))


def test_named_held_and_without_cause_by_hand():
    # planted: 0.35 of paid hours unused, 0.12 elsewhere
    planted = [
        company(1, idle(0.20, 0.26)),
        company(2, idle(0.24, 0.30)),
        company(3, finding("costs.measure", "good", measure="bot-questions")),
        company(4, idle(0.20, 0.26, team="Billing")),
    ]
    without = [company(1), company(2, idle(0.01, 0.04))]
    found = {one.truth: one for one in recovered("saas", planted, without)}
    team, bot = found["idle_team"], found["bot_share"]
    assert (team.named, team.companies, team.held, team.stated) == (2, 4, 1, 2)
    assert (team.without_cause, team.companies_without) == (1, 2)
    # Wilson of 2 in 4
    assert (team.low, team.high) == pytest.approx((0.1500, 0.8500), abs=5e-5)
    assert (bot.named, bot.stated, bot.without_cause) == (1, 0, 0)
    unnamed = set(import_module(f"{COMPANIES['saas']}.truths").TRUTHS) - set(SIGNS["saas"])
    assert all(not found[name].sign and not found[name].named for name in unnamed)


def test_the_page_keeps_the_parts_of_other_templates(tmp_path: Path):
    page = tmp_path / "TRUTHS.md"
    write_truths(page, "heavy", [company(1)], [company(1)], scale=1)
    write_truths(page, "saas", [company(1, idle(0.2, 0.26))], [company(1, idle(0.2, 0.26))], scale=0.5)
    text = write_truths(page, "saas", [company(1, idle(0.2, 0.26))] * 40, [company(1)] * 40, scale=1)
    assert page.read_text(encoding="utf-8") == text
    assert text.count("## saas") == text.count("## heavy") == text.count("# What the report") == 1
    assert text.index("## saas") < text.index("## heavy")
    assert "| `idle_team` | `costs.idle_team` | 40 of 40 | 91% to 100% | 40 of 40 | 0 of 40 |" in text
    part = text[text.index("## saas") : text.index("## heavy")]
    assert "so far" not in part and "Alarms where nothing is planted: none of 40 companies." in part
    assert "**1 company so far;**" in text[text.index("## heavy") :]


def test_what_a_study_said_is_kept_and_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []

    def study(question: running.Question, _: float, seed: int, studies: tuple[str, ...]) -> Record:
        asked.append(seed)
        return Record(
            seed=seed,
            answers=dict.fromkeys(studies, Reported(findings=(idle(0.2, 0.26),), strengths=(STRENGTHS,))),
        )

    monkeypatch.setattr(running, "study_company", study)
    monkeypatch.setattr(running, "code_version", lambda name, _: f"code of {name}")
    question = question_of("saas")
    first = running.run(2, question, scale=1, folder=tmp_path, progress=lambda _: None)
    again = running.run(2, question, scale=1, folder=tmp_path, progress=lambda _: None)
    assert asked == [1, 2]
    assert recovered("saas", first, []) == recovered("saas", again, [])


def test_no_such_template_is_refused():
    with pytest.raises(ParameterError, match="no template 'sas'.*saas"):
        question_of("sas")


@pytest.mark.slow
def test_a_whole_company_of_a_template_is_studied_as_its_report_does(tmp_path: Path):
    (one,) = running.run(
        1, question_of("heavy"), studies=["costs"], scale=0.3, folder=tmp_path, progress=lambda _: None
    )
    (team,) = (row for row in recovered("heavy", [one], []) if row.truth == "idle_team")
    assert team.named == 1
