"""What follows the sections of a pack: restated figures, definitions, data sources, checks, and the page to sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.errors import ParameterError
from analysis.formats import Unit
from analysis.report.pdf_columns import breakable
from analysis.report.pdf_nodes import Node, Nodes, counted, halved, plain, table_cell, table_column
from analysis.report.pdf_prose import landscape_groups

STAMPS = {
    "not tied out": "NOT TIED OUT — not for signature",
    "draft": "DRAFT — not for signature",
    "incomplete": "INCOMPLETE — not for signature",
}
# Title and lead of the page that stands in place of the sign-off.
UNSIGNED = {
    "not tied out": (
        "Not tied out: not for signature",
        "The costs in this report do not agree with the general ledger. The differences are listed under the checks; "
        "until they are explained, nobody signs.",
    ),
    "draft": (
        "Draft: not for signature",
        "This copy is a draft: it may lack sections and was not issued; the edition that it names is the one it would become. Sign the issued edition.",
    ),
    "incomplete": (
        "Incomplete: not for signature",
        "A fault of the program kept parts of this pack from being made; each says so in its place. It was not issued.",
    ),
}
RESTATED = {
    "name": "Figure restated",
    "period": "Period",
    "before": "Before",
    "after": "Now",
    "change": "Change",
    "cause": "Cause",
}
# What a pack's hashes are of; other names, such as those of files, are printed as they are.
HASHED = frozenset({"data", "environment lock", "program", "parameters", "definitions"})


@dataclass(frozen=True, kw_only=True)
class Appendices:
    """Sections made from the pack itself, once its notebooks are read (``nodes`` knows which metrics they printed)."""

    nodes: Nodes
    pack: Mapping[str, Any]

    def sections(self) -> list[Node]:
        lettered = [self._restated(), self._definitions(), self._sources(), self._all_checks()]
        kept = [section for section in lettered if section is not None]
        for letter, section in zip("ABCD", kept, strict=False):
            section["number"] = letter
        return [*kept, self._last_page()]

    def _appendix(self, id: str, title: str, lead: str, nodes: list[Node]) -> Node:
        opening = {"type": "paragraph", "lead": True, "children": [plain(self.nodes.word(lead))]}
        return {
            "id": id,
            "title": [plain(self.nodes.word(title))],
            "label": id,
            "number": None,
            "nodes": [opening, *nodes],
        }

    def _restated(self) -> Node | None:
        """One row a restated number: ``name``, ``period``, ``before``, ``after``, ``change`` and ``cause``, each text."""
        listed = self.pack["restated"]
        if not listed:
            return None
        columns = [
            # not of type number: a number that is gone has its reason here, in words that may wrap
            table_column(self.nodes.word(label), wide=key in {"name", "cause"})
            | {"align": "right" if key in {"before", "after", "change"} else "left"}
            for key, label in RESTATED.items()
        ]
        rows = [
            {"role": "body", "cells": [table_cell(self.nodes.text(restated.get(key))) for key in RESTATED]}
            for restated in listed
        ]
        nodes = landscape_groups([self.nodes.listing("restated", columns, rows) | {"type": "plain-table"}])
        if (count := self.pack.get("restated_count", 0)) > len(listed):
            template = self.nodes.word("{listed} of {count} are listed here; all of them stand in {file}.")
            note = template.format(
                listed=counted(len(listed)), count=counted(count), file="evidence/restated.csv"
            )
            nodes.append({"type": "aside", "children": [plain(note)]})
        lead = "Numbers of the last edition that read differently now, and what moved each of them."
        return self._appendix("restated", "Restated figures", lead, nodes)

    def _definitions(self) -> Node | None:
        used = [metric for metric in self.pack["registry"] if metric["id"] in self.nodes.metrics]
        if not used:
            return None
        entries = [self._definition(metric) for metric in sorted(used, key=lambda metric: str(metric["id"]))]
        lead = "Every measure printed in this report: what is divided by what, in which unit, and who owns the definition."
        return self._appendix(
            "definitions", "Definitions", lead, [{"type": "definitions", "entries": entries}]
        )

    def _definition(self, metric: Mapping[str, Any]) -> Node:
        better = {"higher": "higher is better", "lower": "lower is better"}.get(str(metric.get("better")), "")
        marks = [
            self.nodes.word("Unit: {unit}").format(unit=self._unit(str(metric["unit"]))),
            self.nodes.word("Owner: {owner}").format(owner=self.nodes.text(metric["owner"])),
            self.nodes.word("Version {version}").format(version=metric["version"]),
            *([self.nodes.word(better)] if better else []),
        ]
        return {
            "id": breakable(metric["id"]),
            "name": self.nodes.text(metric["name"]),
            "description": self.nodes.text(metric["description"]),
            "numerator": self.nodes.text(metric.get("numerator")),
            "denominator": self.nodes.text(metric.get("denominator")),
            "marks": marks,
        }

    def _unit(self, unit: str) -> str:
        try:
            label = Unit.parse(unit.replace("currency", self.pack["currency"], 1)).label(self.nodes.language)
        except ParameterError:
            return unit
        return label or self.nodes.word("number")

    def _sources(self) -> Node:
        counts = {
            "rows_read": "Rows read",
            "exact_duplicates": "Exact duplicates",
            "quarantined": "Quarantined",
            "accepted": "Accepted",
        }
        sources = sorted(self.pack["sources"], key=lambda source: (str(source["table"]), str(source["file"])))
        columns = [
            table_column(self.nodes.word("Table")),
            table_column(self.nodes.word("File and its SHA-256"), wide=True),
            *(table_column(self.nodes.word(label), number=True) for label in counts.values()),
        ]
        rows: list[Node] = [
            {
                "role": "body",
                "cells": [
                    table_cell(source["table"]),
                    table_cell(str(source["file"])) | {"hash": halved(str(source["sha256"]))},
                    *(table_cell(counted(source[key])) for key in counts),
                ],
            }
            for source in sources
        ]
        totals = {key: sum(source[key] for source in sources) for key in counts}
        rows.append(
            {
                "role": "total",
                "cells": [
                    table_cell(self.nodes.word("All tables")),
                    table_cell(""),
                    *(table_cell(counted(totals[key])) for key in counts),
                ],
            }
        )
        node = self.nodes.listing("data sources", columns, rows) | {"type": "plain-table"}
        lead = "No row is lost: rows read are accepted, quarantined with a reason, or dropped as exact duplicates."
        steps = [
            {"label": self.nodes.word(label), "value": totals[key], "text": counted(totals[key])}
            for key, label in counts.items()
        ]
        return self._appendix(
            "sources",
            "Data sources and row counts",
            lead,
            [{"type": "waterfall", "steps": steps}, *landscape_groups([node])],
        )

    def _all_checks(self) -> Node | None:
        if not self.pack["checks"]:
            return None
        order = {"failed": 0, "info": 1, "passed": 2}
        checks = sorted(self.pack["checks"], key=lambda check: order[check["outcome"]])
        lead = (
            "What was asked of the data and of the finished pages, and the answers; what failed comes first."
        )
        return self._appendix(
            "checks",
            "Checks",
            lead,
            [{"type": "checks", "checks": [self.nodes.check(check) for check in checks]}],
        )

    def _last_page(self) -> Node:
        """The sign-off page, or what stands in its place when there is nothing to sign."""
        outcomes = [check["outcome"] for check in self.pack["checks"]]
        tally = [
            {"outcome": outcome, "text": self.nodes.word(message), "count": counted(outcomes.count(outcome))}
            for outcome, message in (("passed", "passed"), ("failed", "failed"), ("info", "for information"))
        ]
        hashes = [
            {"name": self.nodes.word(name) if name in HASHED else str(name), "hash": halved(str(digest))}
            for name, digest in sorted(self.pack["hashes"].items())
        ]
        failed = [self.nodes.check(check) for check in self.pack["checks"] if check["outcome"] == "failed"]
        common = {
            "tally": tally,
            "failed": failed,
            "tally_title": self.nodes.word("Checks"),
            "hashes": hashes,
            "hashes_title": self.nodes.word("Fingerprints (SHA-256)"),
        }
        if self.pack["status"] != "issued":
            return self._not_for_signature(common)
        names = {"Prepared by": "preparer", "For review by": "reviewer"}
        people = [
            {"role": self.nodes.word(label), "name": self.nodes.text(self.pack[key])}
            for label, key in names.items()
        ]
        lead = (
            "With our signatures we state that we have read this report, that the checks listed in it were carried out and "
            "those that failed are known to us, and that its numbers come from the data and the parameters whose fingerprints stand below."
        )
        return self._appendix(
            "sign-off", "Sign-off", lead, [{"type": "signatures", "people": people} | common]
        )

    def _not_for_signature(self, common: Node) -> Node:
        title, lead = UNSIGNED[self.pack["status"]]
        return self._appendix(
            "not-for-signature",
            title,
            lead,
            [{"type": "unsigned", "stamp": stamp(self.nodes, self.pack)} | common],
        )


def stamp(nodes: Nodes, pack: Mapping[str, Any]) -> str | None:
    """What is stamped on a pack that must not be signed."""
    message = STAMPS.get(pack["status"])
    return nodes.word(message) if message else None
