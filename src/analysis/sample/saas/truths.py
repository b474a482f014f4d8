"""What is planted in the software vendor, written down before anything was tuned: the answer sheet of the template ``saas``.

================== ========================================================= ============================================================
truth              where and how strong                                      what a reader should find
================== ========================================================= ============================================================
slow_severity_1    a critical incident (severity 1) first answered after its hour:  accounts with a late first answer are lost more often in the
                   hazard of leaving x 2.5 for the twelve months after       year after than those answered in time
untrained_start    no admin training in the first 90 days: hazard x 2.2      loss in the first year is higher without training
                   until the end of the first year
declining_usage    usage band "declining": hazard x 3 in that quarter        monthly accounts in decline cancel about three times as often
price_rise         Starter, +18 % from six months before the end: hazard x 3 a bulge of cancellations in two months, of one plan only
                   in that month and the next
quick_feature      feature request answered within 8 hours: upgrades x 5 in  upgrades follow quick answers, not slow ones
                   the three months after
night_partner      nights outsourced twenty months before the end: 24 euros  outsourced tickets are cheaper and come back more often
                   a ticket instead of 38, reopened twice as often
bot_share          from nine months before the end 30 % of questions are     automation jumps at a date; team hours fall
                   resolved by the bot, 8 % before
bot_billing        the bot's billing questions are reopened 30 %, all other  the bot holds for how-to questions, not for billing
                   tickets 6 %
dollar_growth      share of new accounts billed in dollars rises from 10 %   revenue moves with the rate, more so every year
                   to 45 % within the window
idle_team          Frontline, from five months before the end: 35 % of paid  one team pays for hours nobody works
                   hours unused, 12 % elsewhere
release_surge      incidents of Flow x 3 in two months from four before the  one product line, two months, incidents only
                   end (a release)
costly_starter     Starter accounts open 0.9 tickets a month instead of 0.3  the plan's traced support cost exceeds its gross margin
================== ========================================================= ============================================================

With ``null`` each strength reads "no effect": the partner costs and holds as the own team, the bot resolves 8 % throughout, prices stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from analysis.sample.truths import PlanOfTruths

ABOUT: dict[str, str] = {
    "slow_severity_1": "Late first answers to severity 1 raise the loss of accounts.",
    "untrained_start": "Without admin training in the first 90 days the first year loses more accounts.",
    "declining_usage": "Accounts whose usage declines leave more often.",
    "price_rise": "A price rise of Starter raises cancellations of its monthly terms for two months.",
    "quick_feature": "Upgrades follow feature requests that were answered quickly.",
    "night_partner": "The outsourced night shift costs less per ticket and its tickets are reopened more often.",
    "bot_share": "The bot resolves 30 % of questions from a month on.",
    "bot_billing": "Billing questions that the bot resolved are reopened more often.",
    "dollar_growth": "The share of new accounts billed in dollars grows.",
    "idle_team": "Frontline is paid for hours that are not worked.",
    "release_surge": "A release of Flow brings a surge of incidents for two months.",
    "costly_starter": "Starter accounts cost more in support than they earn.",
}
TRUTHS: tuple[str, ...] = tuple(ABOUT)


@dataclass(frozen=True, kw_only=True)
class Strengths:
    """Every strength as it is in force; those of a truth that is off read "no effect". Hazards are ratios, months are counted back from the last."""

    slow_severity_1: float = 2.5
    slow_months: int = 12
    untrained_start: float = 2.2
    declining_usage: float = 3.0
    price_rise: float = 1.18
    price_hazard: float = 3.0
    quick_feature: float = 5.0
    quick_months: int = 3
    partner_fee: float = 24.0
    partner_reopen: float = 2.0
    bot_share: float = 0.30
    bot_billing_reopen: float = 0.30
    dollar_last_share: float = 0.45
    idle_unused: float = 0.35
    release_surge: float = 3.0
    starter_tickets: float = 0.9


USUAL_REOPEN = 0.06
USUAL_BOT_SHARE = 0.08
USUAL_DOLLAR_SHARE = 0.10
USUAL_UNUSED = 0.12
USUAL_STARTER_TICKETS = 0.3
OWN_COST_OF_A_TICKET = 38.0

_OFF: dict[str, dict[str, float]] = {
    "slow_severity_1": {"slow_severity_1": 1.0},
    "untrained_start": {"untrained_start": 1.0},
    "declining_usage": {"declining_usage": 1.0},
    "price_rise": {"price_rise": 1.0, "price_hazard": 1.0},
    "quick_feature": {"quick_feature": 1.0},
    "night_partner": {"partner_fee": OWN_COST_OF_A_TICKET, "partner_reopen": 1.0},
    "bot_share": {"bot_share": USUAL_BOT_SHARE},
    "bot_billing": {"bot_billing_reopen": USUAL_REOPEN},
    "dollar_growth": {"dollar_last_share": USUAL_DOLLAR_SHARE},
    "idle_team": {"idle_unused": USUAL_UNUSED},
    "release_surge": {"release_surge": 1.0},
    "costly_starter": {"starter_tickets": USUAL_STARTER_TICKETS},
}
# Of each truth: where it lies (values of the tables), and the month it begins with, counted back from the last one.
_WHERE: dict[str, dict[str, str]] = {
    "slow_severity_1": {
        "tickets": "ticket_type repair, severity critical, first_response_at after response_due_at"
    },
    "untrained_start": {"tickets": "no ticket_type installation within 90 days of customers.acquired_on"},
    "declining_usage": {"customer_history": "attribute usage_band, value declining"},
    "price_rise": {"contracts": "terms of one month, plan Starter"},
    "quick_feature": {"tickets": "activity feature request, answered within 8 hours"},
    "night_partner": {"tickets": "team Night Partner"},
    "bot_share": {"tickets": "automated; ticket_type inquiry"},
    "bot_billing": {"tickets": "automated; activity billing question"},
    "dollar_growth": {"contracts": "currency USD, region North America"},
    "idle_team": {"staff": "team Frontline"},
    "release_surge": {"tickets": "ticket_type repair, product line Flow"},
    "costly_starter": {"tickets": "plan Starter"},
}
AGO: dict[str, int] = {
    "price_rise": 6,
    "night_partner": 20,
    "bot_share": 9,
    "idle_team": 5,
    "release_surge": 4,
}


@dataclass(frozen=True, kw_only=True)
class Plan(PlanOfTruths):
    """Which truths are on, how strong, and when they begin."""

    about: ClassVar[Mapping[str, str]] = ABOUT
    without: ClassVar[Mapping[str, Mapping[str, float]]] = _OFF
    where: ClassVar[Mapping[str, Mapping[str, str]]] = _WHERE
    ago: ClassVar[Mapping[str, int]] = AGO

    @property
    def strength(self) -> Strengths:
        """What is in force."""
        return Strengths(**self.changed)
