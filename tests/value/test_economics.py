"""What new customers are worth by six levers, and which lever moved it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import factorial

import numpy as np
import pytest

from custvalue.value import customer_economics, lever_contributions
from custvalue.value._economics import CustomerEconomics

BEFORE = customer_economics(
    leads=1000,
    lead_cost=40,
    close_rate=0.10,
    orders=4,
    order_size=250,
    margin=0.40,
    cost_to_sell=15,
    cost_to_serve=60,
    retention=0.70,
    discount_rate=0.10,
)
AFTER = replace(
    BEFORE,
    lead_cost=30,
    close_rate=0.12,
    order_size=270,
    cost_to_sell=12,
    cost_to_serve=50,
    retention=0.75,
)


def test_the_levers_of_the_method_page():
    assert BEFORE.value == pytest.approx(37_000.0)
    assert AFTER.value == pytest.approx(95_965.714286, abs=5e-7)
    found = lever_contributions(BEFORE, AFTER).set_index("name")["contribution"]
    assert found.to_dict() == pytest.approx(
        {
            "lead_cost": 10_000.0,
            "close_rate": 18_126.4286,
            "order_size": 10_392.3810,
            "cost_to_sell": 3_897.1429,
            "cost_to_serve": 3_247.6190,
            "retention": 13_302.1429,
        },
        abs=5e-5,
    )
    assert found.sum() == pytest.approx(AFTER.value - BEFORE.value)


def test_one_at_a_time_leaves_a_part_of_the_change_unexplained():
    alone = [
        replace(BEFORE, **{name: getattr(AFTER, name)}).value - BEFORE.value
        for name in lever_contributions(BEFORE, AFTER)["name"]
    ]
    assert sum(alone) == pytest.approx(51_250.0)


def test_contributions_are_the_mean_over_all_orders_of_moving():
    names = ["lead_cost", "close_rate", "retention", "leads"]
    after = replace(BEFORE, lead_cost=50, close_rate=0.2, retention=0.8, leads=700)
    total = dict.fromkeys(names, 0.0)
    for order in permutations(names):
        now = BEFORE
        for name in order:
            later = replace(now, **{name: getattr(after, name)})
            total[name] += later.value - now.value
            now = later
    found = lever_contributions(BEFORE, after).set_index("name")["contribution"]
    assert found[names].to_dict() == pytest.approx({n: v / factorial(4) for n, v in total.items()})
    assert found[["cost_to_sell", "cost_to_serve", "order_size"]].tolist() == [0.0, 0.0, 0.0]


def test_the_value_is_the_sum_over_the_periods_of_those_who_stay():
    alive, value = 1.0, 0.0
    for t in range(400):
        value += alive / 1.1**t * (4 * (250 * 0.4 - 15) - 60)
        alive *= 0.7
    assert BEFORE.customer_value == pytest.approx(value)
    assert BEFORE.break_even_lead_cost == pytest.approx(0.1 * value)
    assert replace(BEFORE, lead_cost=0.1 * value).value == pytest.approx(0.0, abs=1e-9)


def test_levers_are_told_in_chinese_too():
    table = lever_contributions(BEFORE, AFTER, language="zh")
    assert table["名称"].tolist() == [
        "赢得成本",
        "销售成本",
        "服务成本",
        "成交率",
        "每单收入",
        "保留率",
    ]
    same = lever_contributions(BEFORE, BEFORE)
    assert (same[["contribution", "share"]] == 0).all(axis=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lead_cost": -40.0}, "lead_cost=-40.0 must be finite and 0 or more"),
        ({"cost_to_serve": -1, "cost_to_sell": np.nan}, "cost_to_sell=nan, cost_to_serve=-1 must"),
        ({"close_rate": 12}, "close_rate=12 must be a share"),
        ({"retention": 1.1}, "retention=1.1 must be a share"),
        ({"retention": 1.0, "discount_rate": 0.0}, "has no end"),
        ({"discount_rate": 10}, "discount_rate=10 must be a rate a period"),
    ],
)
def test_levers_that_make_no_sense_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        replace(BEFORE, **change)
    assert isinstance(BEFORE, CustomerEconomics)
