"""The customer's words: what is cut, masked, compared and left unsaid."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.failures import words


def test_numbers_and_addresses_are_taken_out_before_anything_is_counted():
    found = words.terms("Call me at 138-0013-8000 or li.wei@example.com, fan rattles")
    assert "fan rattles" in found and not any(
        char.isdigit() or char == "@" for term in found for char in term
    )
    assert words.terms("请致电13800138000") == {"请致", "致电", "请致电"}


def test_chinese_is_cut_within_clauses_and_english_into_words_and_pairs():
    found = words.terms("压缩机嗡嗡响，不制冷 compressor hums")
    assert {"压缩机", "嗡嗡响", "不制冷", "compressor", "compressor hums"} <= found
    assert not any("响不" in term for term in found)


def test_a_piece_that_always_stands_in_a_longer_term_is_left_out():
    assert words.maximal({"压缩": 20, "缩机": 20, "压缩机": 20, "机器": 30}) == {"压缩机", "机器"}
    assert words.maximal({"fan": 100, "fan rattles": 20}) == {"fan", "fan rattles"}


def test_log_odds_by_hand_and_its_symmetry():
    # share 0.2 of 100 against 0.05 of 100; the prior is 500 tickets at the common share 0.125: 62.5
    value, error = words.log_odds([20], 100, [5], 100)
    assert value[0] == pytest.approx(np.log(82.5 / 517.5) - np.log(67.5 / 532.5))
    assert error[0] == pytest.approx(np.sqrt(1 / 82.5 + 1 / 67.5))
    assert words.log_odds([5], 100, [20], 100)[0][0] == pytest.approx(-value[0])


def test_equal_words_on_both_sides_are_never_distinctive():
    random, alarms = np.random.default_rng(3), 0
    for _ in range(100):
        rows = [
            {
                "component": part,
                "term": f"t{k}",
                "inside": int(n),
                "all_inside": 400,
                "outside": 0,
                "all_outside": 400,
            }
            for part in ("a", "b")
            for k, n in enumerate(random.binomial(400, np.linspace(0.02, 0.3, 20)))
        ]
        frame = pd.DataFrame(rows)
        other = frame["inside"].to_numpy().reshape(2, 20)[::-1].ravel()
        alarms += bool(words.distinctive(frame.assign(outside=other), familywise=0.01)["distinct"].any())
    assert alarms <= 5


def test_rare_terms_are_never_shown():
    rows = pd.DataFrame(
        {
            "text": ["王小明 fan rattles", "fan rattles loudly"],
            "component": "fan",
            "tickets": [9, 30],
            "machines": [9, 30],
        }
    )
    assert not any("王小" in term for term in words.counts_of(rows)["term"])


def test_similar_complaints_come_closest_first():
    assert [
        k
        for k, _ in words.similar(
            "compressor hums", ["door leaks", "the compressor hums loudly", "compressor stops"]
        )
    ] == [1, 2]


def test_a_complaint_is_shown_only_as_far_as_many_customers_say_the_same():
    from analysis.failures.words import common_terms, shared_words

    texts = [
        "压缩机不制冷，张三丰电话13800138000",
        "压缩机不制冷",
        "the fan rattles, says Mr Quimby of 12 Elm Road",
    ]
    known = common_terms(texts, [1, 40, 1], [1, 30, 1])
    shown = shared_words(texts[0], known)
    assert shown == "压缩机不制冷，…" and "张" not in shown and "138" not in shown
    fans = common_terms(["the fan rattles"], [20], [20])
    line = shared_words(texts[2], fans)
    assert (
        "fan" in line
        and "rattles" in line
        and "quimby" not in line
        and "elm" not in line
        and "12" not in line
    )
    # ten tickets of two machines are two customers' words, not many customers'
    assert shared_words("压缩机不制冷", common_terms(["压缩机不制冷"], [10], [2])) == ""
    assert shared_words("<script>alert(1)</script>", set()) == ""
