"""What the exhibits of the retention section share: the source, what is said of a part that was not made, and two empty places."""

from __future__ import annotations

from analysis.exhibits.record import Block
from analysis.exhibits.specification import registry
from analysis.exhibits.statements import callout, not_computed
from analysis.locale import Text
from analysis.metrics import NotDone
from analysis.results import Sentence
from analysis.retention.study import RetentionStudy


def source(study: RetentionStudy) -> Sentence:
    """Where every number of the section comes from."""
    return Sentence(
        "Source: contracts, customers, orders and tickets up to the end of {month}.", {"month": study.month}
    )


def source_of_buyers(study: RetentionStudy) -> Sentence:
    """The same, with what it takes for a buyer without a contract to be lost; where there are none, the source alone."""
    part = study.non_contractual
    if isinstance(part, NotDone) or part.window is None:
        return source(study)
    return Sentence(
        "A buyer without a contract is lost after {window} without an order. Source: contracts, customers, orders and tickets up to the end of {month}.",
        {"window": part.window, "month": study.month},
    )


def absent(name: str, part: NotDone, what: str) -> Block:
    """The callout in the place of exhibit ``retention.<name>``: what is not shown, and why."""
    return not_computed(part, id=f"retention.{name}", what=Text.of(what))


def remark(name: str, title: Sentence) -> Block:
    """What stands in the place of exhibit ``retention.<name>`` where there is nothing to show."""
    return callout(f"retention.{name}", tone="info", title=title)


def customer_type(value: str | None) -> Text:
    """Business customers or consumers, as the registry names them."""
    return registry().value_label("customer_type", value or "")
