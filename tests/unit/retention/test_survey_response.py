"""Who answers surveys: those not answered count, and whether bad service goes with silence is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from analysis import retention
from analysis.metrics import NotDone, StudyInputs
from analysis.retention import RetentionStudy
from analysis.retention.findings import _surveys
from analysis.retention.surveys import SurveyResponse, survey_response

Inputs = Callable[..., StudyInputs]
HEAD = "survey_id,kind,customer_id,ticket_id,sent_at,answered_at,score"
TICKETS = "ticket_id,customer_id,product_id,ticket_type,opened_at,first_response_at,resolved_at"


def asked(
    company: Path, late: tuple[int, int], prompt: tuple[int, int], *, more: tuple[str, ...] = ()
) -> None:
    """Complaints answered after 30 hours and after 2, each with a survey: (answered, sent)."""
    tickets, surveys = [TICKETS], [HEAD, *more]
    for name, day, hour, (answered, sent) in (("L", 2, 16, late), ("P", 1, 12, prompt)):
        for number in range(sent):
            key = f"{name}{number:03d}"
            tickets.append(
                f"{key},C1,P1,complaint,2026-09-01T10:{number % 60:02d}:00+08:00,2026-09-{day:02d}T{hour}:{number % 60:02d}:30+08:00,2026-09-05T10:00:07+08:00"
            )
            said = "2026-09-08T09:30:11+08:00,4" if number < answered else ","
            surveys.append(f"S{key},csat,C1,{key},2026-09-06T09:30:05+08:00,{said}")
    (company / "tickets.csv").write_text("\n".join(tickets) + "\n", encoding="utf-8")
    (company / "surveys.csv").write_text("\n".join(surveys) + "\n", encoding="utf-8")


def said(response: SurveyResponse, study: RetentionStudy) -> str:
    (check,) = _surveys(replace(study, surveys=response))  # type: ignore[arg-type]
    assert check.sentence.plain("zh") != check.sentence.plain("en")
    return check.sentence.plain("en")


def test_surveys_not_answered_count_and_old_ones_do_not(
    company: Path, inputs_of: Inputs, contractless: RetentionStudy
):
    old = "S0,csat,C1,,2025-10-31T09:00:09+08:00,,"
    asked(company, late=(2, 40), prompt=(30, 40), more=(old,))
    found = survey_response(inputs_of(company))
    assert (found.whole.numerator, found.whole.denominator) == (32, 80)
    assert found.slow and found.prompt
    assert (found.slow.numerator, found.slow.denominator) == (2, 40)
    assert (found.prompt.numerator, found.prompt.denominator) == (30, 40)
    text = said(found, contractless)
    assert "40.0%" in text and "not alike" in text and "5.0%" in text and "75.0%" in text


@pytest.mark.parametrize(
    ("late", "prompt", "words"),
    [
        ((20, 40), (22, 40), "no difference shown"),
        # the intervals of 25.0% and 47.5% overlap, that of their difference does not hold zero
        ((10, 40), (19, 40), "not alike"),
        ((40, 40), (40, 40), "Every survey on record was answered"),
        ((0, 0), (10, 40), "25.0% (95% interval 14.2% to 40.2%) of the surveys sent"),
    ],
)
def test_what_is_said_follows_the_data(
    company: Path,
    inputs_of: Inputs,
    contractless: RetentionStudy,
    late: tuple[int, int],
    prompt: tuple[int, int],
    words: str,
):
    asked(company, late, prompt)
    assert words in said(survey_response(inputs_of(company)), contractless)


def test_a_source_without_days_of_sending_is_said(company: Path, inputs_of: Inputs):
    asked(company, (2, 2), (2, 2))
    lines = [line.split(",") for line in (company / "surveys.csv").read_text().splitlines()]
    (company / "surveys.csv").write_text("\n".join(",".join(line[:4] + line[5:]) for line in lines) + "\n")
    study = retention.study(inputs_of(company))
    assert isinstance(study.surveys, NotDone) and study.surveys.needs == ("surveys.sent_at",)
    assert any("who answers surveys" in str(check.sentence) for check in study.checks)


def test_the_planted_silence_of_the_discontented_is_found(tenth: tuple[StudyInputs, RetentionStudy]):
    _, study = tenth
    found: Any = study.surveys
    assert found.slow.value < found.prompt.value
    assert [check.id for check in study.checks].count("survey_response") == 1
