"""The gates a pack passes before it is issued: what each asks and the exit code with which it refuses.

Where several refuse, the message names all of them and the exit code is that of the first in this list. ``docs/GATES.md`` is for
whoever meets one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.errors import PublicationRefused

LISTED = 12
GateName = Literal[
    "executed",
    "secrets",
    "personal",
    "paths",
    "scripts",
    "network",
    "translated",
    "numbers",
    "direction",
    "prose",
    "checks",
    "evidence",
    "files",
    "languages",
    "links",
    "layout",
    "rows",
]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """One question that is asked of every pack."""

    asks: str
    code: int


GATES: Mapping[GateName, Gate] = {
    "executed": Gate(asks="every cell ran, and none wrote an error as text", code=20),
    "secrets": Gate(asks="no password, key, token or connection string leaves", code=21),
    "personal": Gate(
        asks="no name, address, telephone, card, account or identity number of a person leaves", code=22
    ),
    "paths": Gate(asks="no folder of this machine is named", code=23),
    "scripts": Gate(
        asks="no script but the pages' own, none in a notebook, nothing embedded from elsewhere", code=24
    ),
    "network": Gate(asks="nothing points to or loads from a network address", code=25),
    "translated": Gate(asks="every wording has its Chinese", code=26),
    "numbers": Gate(
        asks="every number shown is a fact, agrees with it and stands under its own heading", code=27
    ),
    "direction": Gate(asks="words of rise and fall agree with the sign of their number", code=28),
    "prose": Gate(
        asks="text cells hold plain text: no figure of the month, no HTML, picture or formula", code=29
    ),
    "checks": Gate(asks="no check failed that its study calls blocking", code=30),
    "evidence": Gate(asks="the rows and queries behind each finding and fact are there", code=31),
    "files": Gate(asks="every file of the pack was made and holds something", code=32),
    "languages": Gate(asks="the Chinese and the English files show the same facts and exhibits", code=33),
    "links": Gate(asks="every link leads to a place that is in the pack", code=34),
    "layout": Gate(asks="everything fits its page, and every drawing has its words", code=35),
    "rows": Gate(asks="rows are conserved: read is accepted, set aside or a duplicate", code=36),
}


class GateRefused(PublicationRefused):
    """A gate refused; the exit code says which."""

    def __init__(self, message: str, gate: GateName = "files") -> None:
        super().__init__(message)
        self.gate: GateName = gate
        self.exit_code = GATES[gate].code


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One reason not to issue."""

    gate: GateName
    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


def refuse(problems: Sequence[Problem]) -> None:
    """Raise with the first problems of each gate in full and the number of the rest.

    What a problem quotes of a text is masked where it is a secret or personal data: the message is printed, logged and kept.
    """
    if not problems:
        return
    from analysis.report.leaks import masked

    met = [gate for gate in GATES if any(problem.gate == gate for problem in problems)]
    lines = [
        f"the pack is not fit to be issued ({len(problems)} {'problem' if len(problems) == 1 else 'problems'}):"
    ]
    listed = max(2, LISTED // len(met))  # a message has an end, and every gate must be in it
    for gate in met:
        lines += _told(gate, [problem for problem in problems if problem.gate == gate], listed)
    raise GateRefused(masked("\n".join(lines)), met[0])


def _told(gate: GateName, problems: Sequence[Problem], listed: int) -> list[str]:
    lines = [f"  gate “{gate}” ({GATES[gate].code}): {GATES[gate].asks}"]
    lines += [f"    {problem}" for problem in problems[:listed]]
    if len(problems) > listed:
        lines.append(f"    … and {len(problems) - listed} more")
    return lines
