"""One word for one range of chances: no sentence says "may" or "likely" by habit.

The scale is the calibrated language of the Intergovernmental Panel on Climate Change (Mastrandrea and others 2010, *Guidance Note for Lead
Authors of the IPCC Fifth Assessment Report on Consistent Treatment of Uncertainties*, table 1). Its ranges lie inside each other; here a chance
has the narrowest one. The limits are dated assumptions. A sentence without a chance has no word of this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.errors import ParameterError
from analysis.locale import Text
from analysis.metrics.inputs import StudyInputs
from analysis.metrics.lineage import traced
from analysis.metrics.stating import Stating
from analysis.results import Check, Fact, Sentence
from analysis.summaries import Summarised

# The word of a chance above its limit, the highest limit first; below its limit, the lowest first; and of all between.
ABOVE = {
    "likelihood_virtually_certain": "virtually certain",
    "likelihood_very_likely": "very likely",
    "likelihood_likely": "likely",
}
BELOW = {
    "likelihood_exceptionally_unlikely": "exceptionally unlikely",
    "likelihood_very_unlikely": "very unlikely",
    "likelihood_unlikely": "unlikely",
}
EVEN = "about as likely as not"
WORDS = (*ABOVE.values(), EVEN, *BELOW.values())


@dataclass(frozen=True, kw_only=True)
class Likelihood(Summarised):
    """The words of likelihood with their limits: ``limits`` holds one chance for each name of :data:`ABOVE` and :data:`BELOW`."""

    limits: Mapping[str, Fact]

    def __post_init__(self) -> None:
        rising = [float(self.limits[name].value or 0) for name in (*BELOW, *reversed(ABOVE))]
        if any(low >= high for low, high in zip(rising, rising[1:], strict=False)):
            raise ParameterError(f"words of likelihood: limits should rise from word to word; got {rising}.")

    def word(self, chance: Fact) -> Text:
        """The word that a chance earns.

        Parameters
        ----------
        chance : from 0 to 1; exactly at a limit it has the weaker word

        Raises
        ------
        ParameterError
            Where the chance has no value: nothing may be called likely then.
        """
        if chance.value is None:
            raise ParameterError(f"fact {chance.id} has no value, so no word of likelihood is earned.")
        found = float(chance.value)
        for name, said in ABOVE.items():
            if found > float(self.limits[name].value or 0):
                return Text.of(said)
        for name, said in BELOW.items():
            if found < float(self.limits[name].value or 0):
                return Text.of(said)
        return Text.of(EVEN)


@traced
def likelihood(inputs: StudyInputs) -> Likelihood:
    """The words with the limits that hold on the last day of the report month."""
    state = Stating(inputs=inputs)
    return Likelihood(limits={name: state.assumed(name) for name in (*ABOVE, *BELOW)})


def likelihood_check(scale: Likelihood) -> Check:
    """Says which word stands for which chance, where the rule of severity is printed."""
    return Check(
        id="likelihood",
        outcome="info",
        sentence=Sentence(
            "Words for a chance: virtually certain above {likelihood_virtually_certain}, very likely above {likelihood_very_likely}, likely above {likelihood_likely}, about as likely as not between, "
            "unlikely below {likelihood_unlikely}, very unlikely below {likelihood_very_unlikely}, exceptionally unlikely below {likelihood_exceptionally_unlikely} "
            "(calibrated language of the IPCC, 2010). What “may” or “could” be has no chance stated.",
            dict(scale.limits),
        ),
    )
