"""What the exhibits of the retention section share: the source, what is said of a part that was not made, the verdict of a search, and two empty places."""

from __future__ import annotations

from typing import Any

from analysis.exhibits.record import Block
from analysis.exhibits.specification import Field, registry, words
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


#: Of a value that was tried: whether it is beyond chance, and whether it is told.
_SURE = {(True, True): Text.of("told"), (True, False): Text.of("yes"), (False, False): Text.of("not shown")}


def beyond_chance(study: RetentionStudy, search: str) -> Field:
    """Whether each value of a search is beyond chance, after allowing for all that were tried and for the other searches of the section."""

    def shown(one: Any) -> Text:
        sure = search in study.sure
        return _SURE[sure and one.p_adjusted < study.error, sure and one.told]

    return words(shown, "Beyond chance", key="shown")


def value_tried() -> list[Field]:
    """The attribute and the value of it that a row is about."""
    return [
        words(
            lambda one: registry().dimension_name(one.attribute),
            registry().dimension_name("attribute"),
            key="attribute",
        ),
        words(
            lambda one: registry().value_label(one.attribute, one.held),
            registry().dimension_name("held"),
            key="held",
        ),
    ]


def customer_type(value: str | None) -> Text:
    """Business customers or consumers, as the registry names them."""
    return registry().value_label("customer_type", value or "")
