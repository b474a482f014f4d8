"""The one shape of a study: what it needs, how it runs, and what it returns.

A study asks its questions one by one. A question that cannot be asked (data are absent, a model does not fit) is *not done*, with the
reason; it becomes a check that everybody sees and never reads as "nothing found". Every other error is a fault and is raised.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from analysis.errors import FitError, MissingData
from analysis.locale import Text, catalogue
from analysis.metrics.inputs import StudyInputs
from analysis.metrics.lineage import traced
from analysis.params.places import with_own
from analysis.periods import Month
from analysis.results import Check, Fact, Finding, Lacking, Sentence

R = TypeVar("R", covariant=True)
T = TypeVar("T")


@dataclass(frozen=True)
class NotDone:
    """A part that could not be made, and why. ``needs`` names the absent tables and columns, if that is the reason."""

    reason: Text
    needs: tuple[str, ...] = ()

    @classmethod
    def because(cls, refusal: MissingData | FitError) -> NotDone:
        """The reason in both languages: what is absent, or the refusal's message as the catalogue words it.

        A refusal that the catalogue does not know stands in its own words, said to be the program's where Chinese is read.
        """
        text, needs = str(refusal).removeprefix("not computed: "), getattr(refusal, "needs", ())
        if needs and text == f"needs {', '.join(needs)}":
            return cls(
                reason=Sentence("needs {needs}", {"needs": ", ".join(needs)}).text(), needs=tuple(needs)
            )
        template = getattr(refusal, "template", text).removesuffix(".")
        if template in catalogue("zh"):
            return cls(reason=Sentence(template, getattr(refusal, "values", {})).text())
        words = text.removesuffix(".")
        said = Sentence("no estimate, in the program's words: {words}", {"words": words})
        return cls(reason=Text(en=words, zh=said.plain("zh")))

    @property
    def unstated(self) -> Text:
        """The reason as the one of a fact that this part would have stated."""
        said = Sentence("not computed: {reason}", {"reason": self.reason}).text()
        return Lacking(said.en, said.zh, self.needs) if self.needs else said

    def __bool__(self) -> Literal[False]:
        """Nothing was made."""
        return False


@runtime_checkable
class StudyResult(Protocol):
    """What every study returns: the month, what it found, what is to be doubted, and its parts by name."""

    @property
    def month(self) -> Month: ...
    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def checks(self) -> Sequence[Check]: ...


@runtime_checkable
class Study(Protocol):
    """A section's question to the data: ``costs.study(run.inputs)``.

    ``section`` is its id; ``needs`` the tables and columns without which there is no section at all (everything else switches a part
    off). Calling it answers it for one month of one company, or refuses (``MissingData``).
    """

    @property
    def section(self) -> str: ...
    @property
    def needs(self) -> tuple[str, ...]: ...
    def __call__(self, inputs: StudyInputs) -> StudyResult: ...


@dataclass(eq=False)
class Asked(Generic[R]):
    """A study made of a function by :func:`study`."""

    section: str
    needs: tuple[str, ...]
    function: Callable[..., R]

    def __call__(self, inputs: StudyInputs, **options: Any) -> R:
        with with_own(inputs.params.own_params):
            inputs.engine.require(*self.needs)
            return traced(self.function)(inputs, **options)


def study(*, section: str, needs: Sequence[str] = ()) -> Callable[[Callable[..., R]], Asked[R]]:
    """The function below is the study of ``section``; without ``needs`` it refuses before it starts."""

    def asked(function: Callable[..., R]) -> Asked[R]:
        made = Asked(section, tuple(needs), function)
        functools.update_wrapper(made, function)
        return made

    return asked


@dataclass(kw_only=True)
class Parts:
    """The parts of one study as they are made, and the reasons for those that are not."""

    section: str
    made: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, NotDone] = field(default_factory=dict)

    def do(self, name: str, function: Callable[..., T], *args: Any, **kwargs: Any) -> T | NotDone:
        """Make a part and keep it under ``name``: its value, or not done.

        An argument that is itself not done passes its reason on. Only absent data and a model that does not fit are
        reasons; a broken ledger, a wrong parameter or a fault of ours is raised.
        """
        lacking = next((part for part in (*args, *kwargs.values()) if isinstance(part, NotDone)), None)
        part: T | NotDone
        try:
            part = lacking if lacking is not None else function(*args, **kwargs)
        except (MissingData, FitError) as refusal:
            part = NotDone.because(refusal)
        if isinstance(part, NotDone):
            self.skipped[name] = part
        self.made[name] = part
        return part

    def leave_out(self, name: str, reason: Text) -> NotDone:
        """A part that this run does not ask for; no doubt, so no check."""
        part = self.made[name] = NotDone(reason=reason)
        return part

    def not_tested(self, titles: Mapping[str, Text]) -> tuple[Check, ...]:
        """One check for each part that was not made; ``titles`` say what the part would have shown."""
        return tuple(
            Check(
                id=f"not_tested.{name}",
                outcome="info",
                sentence=Sentence(
                    "Not tested: {what}; {reason}.",
                    {"what": titles.get(name, Text.same(name.replace("_", " "))), "reason": part.reason},
                ),
            )
            for name, part in self.skipped.items()
        )


def facts_in(value: Any, depth: int = 8) -> dict[str, Fact]:
    """Every fact a result holds, by id: fields, containers and findings searched."""
    if isinstance(value, Fact):
        return {value.id: value}
    if not depth or isinstance(value, (str, bytes, int, float, Month)) or value is None:
        return {}
    if isinstance(value, Mapping):
        inside: Sequence[Any] = tuple(value.values())
    elif isinstance(value, (tuple, list, frozenset, set)):
        inside = tuple(value)
    elif is_dataclass(value) and not isinstance(value, type):
        inside = tuple(getattr(value, part.name) for part in fields(value))
    else:
        return {}
    found: dict[str, Fact] = {}
    for part in inside:
        found |= facts_in(part, depth - 1)
    return found
