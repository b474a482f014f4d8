"""What is planted in the sample e-commerce seller: written down before the tables were made.

``T`` is the last month; "from T-8" means the ninth month before the end of the window counted with the last, and all later ones.

==================== ==================================== ======================== ==============================================================
name                 where                                strength                 what a reader should find
==================== ==================================== ======================== ==============================================================
size_chart           Cloud Outlet, Shoes, orders of T-8 on return rate x 2          returns of this shop and line double, of no other
slow_decline         Kitchen, all shops, whole window     3.2 % falling to 2.0 %   3.0 % in the first year, 2.2 % in the third; no month shows it
bot_share            all shops but Cloud Outlet, from T-14 inquiries 20 % -> 60 %  automation rate rises; hours per inquiry halve
bot_complaints       automated returns from T-14          complaints x 2.4         5 % complain after a return, 12 % where a bot closed it
night_slow           Night Partner                        first answer x 3         the night shift answers three times as slowly
night_compensation   Night Partner                        amounts x 1.5            it grants half as much again for the same case
platform_rule        Harbour, returns from T-11           compensation x 1.6       compensation per return steps up on one platform
return_label         Cloud Flagship, returns from T-9     freight and hours x 0.75 the measure that promised 20 % delivered
shift_plan           Harbour Store, inquiries from T-7    none (promised 15 %)     the measure did not deliver
idle_season          Peak Crew, July and December         90 % of paid hours idle  seasonal staff are kept a month too long
late_refund          buyers with a late first refund      purchases x 0.6          they buy less again
labour_share         Cloud Outlet                         own night shift, no bot  labour share of the shop above its line of 80 %
unit_cost            Harbour Store, returns               freight x 1.4            freight per return is truly higher
==================== ==================================== ======================== ==============================================================

Clover Store (three orders in a hundred) is like its peers: what it seems to cost more or less in a quarter is chance.
``shift_plan`` plants nothing; it is in the sheet, never active in effect, so that a verdict of "not delivered" can be checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from analysis.periods import Month
from analysis.sample.truths import months_ago, refuse_unknown_truths

TRUTHS: tuple[str, ...] = (
    "size_chart",
    "slow_decline",
    "bot_share",
    "bot_complaints",
    "night_slow",
    "night_compensation",
    "platform_rule",
    "return_label",
    "shift_plan",
    "idle_season",
    "late_refund",
    "labour_share",
    "unit_cost",
)
NULL_TREND = 0.026  # return rate of the declining line where it does not decline: the mean of the window


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Which truths are on, and from when. A strength that is off reads as "no effect"."""

    last: Month
    months: int
    off: frozenset[str]

    def __post_init__(self) -> None:
        refuse_unknown_truths(self.off, TRUTHS)

    def on(self, name: str) -> bool:
        return name not in self.off

    def ago(self, months: int) -> Month:
        return months_ago(self.last, months, self.months)

    def strength(self, name: str, value: float, usual: float = 1.0) -> float:
        return value if self.on(name) else usual

    @property
    def size_chart_from(self) -> Month:
        return self.ago(8)

    @property
    def bot_from(self) -> Month:
        return self.ago(14)

    @property
    def rule_from(self) -> Month:
        return self.ago(11)

    @property
    def label_from(self) -> Month:
        return self.ago(9)

    @property
    def plan_from(self) -> Month:
        return self.ago(7)

    @property
    def decline(self) -> tuple[float, float]:
        """Return rate of the declining line at the beginning and at the end of the window."""
        return (0.032, 0.020) if self.on("slow_decline") else (NULL_TREND, NULL_TREND)

    @property
    def bot_share(self) -> tuple[float, float]:
        """Inquiries that a bot closes, before and after."""
        return (0.20, self.strength("bot_share", 0.60, 0.20))

    @property
    def bot_returns(self) -> tuple[float, float]:
        """Returns that nobody looks at, before and after: the same roll-out."""
        return (0.10, self.strength("bot_share", 0.40, 0.10))


def sheet(planted: Planted) -> dict[str, dict[str, Any]]:
    """The answer sheet: for each truth whether it is active, where it lies and how strong it is."""
    bot, start, end = planted.bot_from, *planted.decline
    told: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "size_chart": (
            {"shop": "Cloud Outlet", "product_line": "Shoes", "orders_from": str(planted.size_chart_from)},
            {"return_rate_ratio": planted.strength("size_chart", 2.0)},
        ),
        "slow_decline": ({"product_line": "Kitchen"}, {"return_rate_first": start, "return_rate_last": end}),
        "bot_share": (
            {"not_shop": "Cloud Outlet", "from": str(bot)},
            {"inquiries": planted.bot_share, "returns": planted.bot_returns},
        ),
        "bot_complaints": (
            {"ticket_type": "return", "automated": True, "from": str(bot)},
            {"complaint_ratio": planted.strength("bot_complaints", 2.4)},
        ),
        "night_slow": ({"team": "Night Partner"}, {"response_ratio": planted.strength("night_slow", 3.0)}),
        "night_compensation": (
            {"team": "Night Partner"},
            {"amount_ratio": planted.strength("night_compensation", 1.5)},
        ),
        "platform_rule": (
            {"platform": "Harbour", "ticket_type": "return", "from": str(planted.rule_from)},
            {"amount_ratio": planted.strength("platform_rule", 1.6)},
        ),
        "return_label": (
            {"shop": "Cloud Flagship", "ticket_type": "return", "from": str(planted.label_from)},
            {"freight_ratio": planted.strength("return_label", 0.75), "promised": 0.20},
        ),
        "shift_plan": (
            {"shop": "Harbour Store", "ticket_type": "inquiry", "from": str(planted.plan_from)},
            {"hours_ratio": 1.0, "promised": 0.15},
        ),
        "idle_season": (
            {"team": "Peak Crew", "calendar_months": [7, 12]},
            {"unused_share": planted.strength("idle_season", 0.90, 0.0)},
        ),
        "late_refund": (
            {"buyers": "first return refunded after more than seven days"},
            {"purchase_ratio": planted.strength("late_refund", 0.6)},
        ),
        "labour_share": (
            {"shop": "Cloud Outlet"},
            {"wage_ratio": planted.strength("labour_share", 1.3), "line": 0.80},
        ),
        "unit_cost": (
            {"shop": "Harbour Store", "ticket_type": "return", "only_seems_to_differ": "Clover Store"},
            {"freight_ratio": planted.strength("unit_cost", 1.4)},
        ),
    }
    return {
        name: {"active": planted.on(name), "where": where, "strength": strength}
        for name, (where, strength) in told.items()
    }
