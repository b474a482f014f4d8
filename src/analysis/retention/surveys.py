"""Who answers surveys: scores speak for those who did."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.metrics import Stating, StudyInputs
from analysis.metrics.lineage import traced
from analysis.results import Fact
from analysis.retention import views
from analysis.retention.spells import late_answers_known, year_of
from analysis.summaries import Summarised


@dataclass(frozen=True, kw_only=True, eq=False)
class SurveyResponse(Summarised):
    """Share of the surveys of twelve months that were answered: of all, and of those about complaints answered late (``slow``) and in time (``prompt``)."""

    whole: Fact
    slow: Fact | None
    prompt: Fact | None


@traced
def survey_response(inputs: StudyInputs) -> SurveyResponse:
    """How many of those asked answered.

    Raises
    ------
    MissingData
        No surveys, or not when they were sent: those not answered are then not known.
    """
    inputs.engine.require("surveys.score", "surveys.sent_at")
    year = year_of(inputs)
    state = Stating(inputs=inputs, period=year)
    known = late_answers_known(inputs) is None
    rows = views.surveys_sent(inputs.month.end, year.first.start, late=known)
    about = state.measured_by("survey_response_rate", rows.where("exposure IS NOT NULL"), by=("exposure",))
    return SurveyResponse(
        whole=state.measured("survey_response_rate", rows),
        slow=about.get(("slow",)),
        prompt=about.get(("prompt",)),
    )
