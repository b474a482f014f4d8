"""One order of the findings of all sections: how grave, then how much money a year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.results import SEVERITIES

# Severities that ask for a decision; the rest is read in its section.
DECIDED = ("alert", "watch")


def in_one_order(findings: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The findings that need a decision, in an order that holds across sections.

    By severity, then by :attr:`~analysis.results.Stake.per_year`, the most money first; those without a sum after them, in the order in
    which the sections are given. ``rank``, whose unit is the section's own, only tells apart what is still level inside one section.
    """

    def place(entry: tuple[int, dict[str, Any]]) -> tuple[Any, ...]:
        section, finding = entry
        stake = finding["stake"]
        money = (True, 0.0) if stake is None else (False, -stake["per_year"])
        return (SEVERITIES.index(finding["severity"]), *money, section, -finding["rank"], finding["id"])

    grave = [
        (number, finding)
        for number, section in enumerate(findings.values())
        for finding in section
        if finding["severity"] in DECIDED
    ]
    return [finding for _, finding in sorted(grave, key=place)]
