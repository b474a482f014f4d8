"""What the summary says of itself and of the sections: headlines without a value, questions not asked, sections not made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from analysis.locale import Text
from analysis.locale.lengths import of_length
from analysis.metrics import Stating, StudyInputs
from analysis.results import Check, Fact, Read, Sentence

NOT_TESTED = "not_tested."
# The file of the pack that holds the checks of all sections.
CHECKS_FILE = "findings.json"


def complete(missing: Sequence[str]) -> Check:
    """Whether every headline could be computed; ``missing`` are the metrics that could not."""
    if missing:
        sentence = Sentence(
            "Headlines that could not be computed from these data: {names}.", {"names": ", ".join(missing)}
        )
        return Check(id="headlines", outcome="info", sentence=sentence)
    return Check(id="headlines", outcome="passed", sentence=Sentence("Every headline could be computed."))


def doubts(
    inputs: StudyInputs, checks: Mapping[str, Sequence[Mapping[str, Any]]], not_made: Mapping[str, Text]
) -> tuple[Check, ...]:
    """What the signer must know of the sections as a whole.

    Parameters
    ----------
    checks : what the sections recorded, by section
    not_made : title of each section that is not there → why

    Returns
    -------
    tuple of Check
        How many questions could not be asked, and one per section that is not made.
    """
    return (_asked(questions_not_tested(inputs, checks), inputs.period.months), *_sections(not_made))


def not_tested(checks: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Mapping[str, Any]]:
    """The checks of all sections that say "not tested", by section and id."""
    found = [
        (section, check)
        for section, recorded in checks.items()
        for check in recorded
        if check["id"].startswith(NOT_TESTED)
    ]
    return [check for _, check in sorted(found, key=lambda entry: (entry[0], entry[1]["id"]))]


def questions_not_tested(inputs: StudyInputs, checks: Mapping[str, Sequence[Mapping[str, Any]]]) -> Fact:
    """How many questions of all sections could not be asked of this month's data."""
    counted = Read(table="", files={CHECKS_FILE: ""}, outcome="not tested")
    return Stating(inputs=inputs, period=inputs.period).exact(
        "questions_not_tested", len(not_tested(checks)), lineage=counted
    )


def _asked(count: Fact, months: int) -> Check:
    if count.value:
        sentence = Sentence(
            of_length(
                "{count} {count:plural|question|questions} could not be asked this month; each is listed below with its reason and does not read as “nothing found”.",
                months,
            ),
            {"count": count},
        )
        return Check(id="questions_not_tested", outcome="info", sentence=sentence)
    sentence = Sentence("No question of the sections had to be left out: {count}.", {"count": count})
    return Check(id="questions_not_tested", outcome="passed", sentence=sentence)


def _sections(not_made: Mapping[str, Text]) -> list[Check]:
    return [
        Check(
            id=f"section_not_made.{section}",
            outcome="info",
            sentence=Sentence(
                "The section “{section}” is not in this summary: {reason}.",
                {"section": Text.of(section), "reason": reason},
            ),
        )
        for section, reason in sorted(not_made.items())
    ]
