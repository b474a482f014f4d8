"""What is said of a month is said of a quarter and of a year in both languages, with the same figures in it."""

from __future__ import annotations

import re
import string

import pytest

from analysis.exhibits.specification import level_head
from analysis.locale import catalogue
from analysis.locale.lengths import OF_LENGTH, of_length
from analysis.metrics import Registry
from analysis.periods import AGAINST


def fields(template: str) -> list[tuple[str | None, str | None]]:
    return sorted((name, what) for _, name, what, _ in string.Formatter().parse(template) if name)  # type: ignore[misc]


@pytest.mark.parametrize("message", OF_LENGTH)
def test_each_message_has_its_words_for_every_length(message: str):
    wordings = [message, *OF_LENGTH[message]]
    assert [of_length(message, months) for months in (1, 3, 12)] == wordings
    assert len({tuple(fields(wording)) for wording in wordings}) == 1
    chinese = [catalogue("zh")[wording] for wording in wordings]
    assert [fields(wording) for wording in chinese[1:]] == [fields(chinese[0])] * 2
    for said, own in ((wordings[1], "quarter|three months"), (wordings[2], "year|twelve months")):
        assert re.search(own, said)
    assert not re.search("本月|当月|上月", "".join(chinese[1:]))


def test_what_is_of_no_length_stays_as_it_is():
    assert of_length("Total", 3) == of_length("Total", 12) == "Total"


def test_every_comparison_has_a_name_and_a_head_of_its_own():
    registry = Registry.load()
    names = [name for earlier in AGAINST.values() for name in earlier]
    assert len({registry.value_label("against", name) for name in names}) == len(names)
    heads = [level_head(name) for name in names]
    assert len(set(heads)) == len(heads) and all(head in catalogue("zh") for head in heads)
