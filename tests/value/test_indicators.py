"""Formulas over leaves, what a change is due to, and scores against targets."""

from __future__ import annotations

import copy
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue._portable import seal
from custvalue.exceptions import ArtefactError, DataContractError, NotSupportedError
from custvalue.value import Goal, IndicatorTree
from custvalue.value._indicators import indicator_score

PROFIT = {"profit": "revenue * margin", "revenue": "customers * orders * size"}
YEARS = pd.DataFrame(
    {
        "year": [2024, 2025],
        "customers": [1000, 1100],
        "orders": [2.0, 1.9],
        "size": [50.0, 54.0],
        "margin": [0.30, 0.28],
    }
)


def tree_of(formulas, table=YEARS, **more):
    return IndicatorTree(formulas).with_leaves(table, period="year", **more)


def test_the_profit_of_the_method_page():
    tree = tree_of(PROFIT)
    assert tree.evaluate()["profit"].tolist() == pytest.approx([30_000.0, 31_600.80])
    found = tree.contributions("profit", 2024, 2025).set_index("name")["contribution"]
    assert found.to_dict() == pytest.approx(
        {"customers": 2939.20, "orders": -1582.80, "size": 2373.533333, "margin": -2129.133333},
        abs=5e-7,
    )


def test_every_level_adds_up_to_its_own_change():
    tree = tree_of(PROFIT)
    levels = tree.levels("profit", 2024, 2025)
    sums = levels.groupby("indicator")["contribution"].sum()
    change = tree.changes(2024, 2025).set_index("indicator")["change"]
    assert sums.to_dict() == pytest.approx(change.to_dict())
    assert levels["indicator"].tolist() == ["profit"] * 2 + ["revenue"] * 3
    leaves = tree.contributions("revenue", 2024, 2025).set_index("name")["contribution"]
    inner = levels[levels["indicator"] == "revenue"].set_index("name")["contribution"]
    assert inner.to_dict() == pytest.approx(leaves.to_dict())


numbers = st.floats(-100, 100)


@given(st.lists(numbers, min_size=4, max_size=4), st.lists(numbers, min_size=4, max_size=4))
def test_contributions_add_up_whatever_the_signs_and_zeros(one, two):
    table = pd.DataFrame([one, two], columns=list("abcd")).assign(year=[1, 2])
    tree = tree_of({"top": "a * (b - c) + inner * d", "inner": "a + b * b - 3"}, table)
    found = tree.contributions("top", 1, 2)
    change = np.diff(tree.evaluate()["top"])[0]
    scale = 1e-9 * (1 + np.abs(tree.evaluate()["top"]).max())
    assert found["contribution"].sum() == pytest.approx(change, rel=1e-9, abs=1e-6 + scale)
    still = found["start"] == found["end"]
    assert (found.loc[still, "contribution"] == 0).all()


def test_beyond_twelve_leaves_orders_are_sampled_and_the_error_is_told():
    rng = np.random.default_rng(2)
    names = [f"x{i}" for i in range(14)]
    table = pd.DataFrame(rng.uniform(0.5, 2.0, (2, 14)), columns=names).assign(year=[1, 2])
    # pairs that only work together: each of a pair gets half of what it adds in both orders
    tree = tree_of({"sum": " + ".join(f"x{i} * x{i + 1}" for i in range(0, 14, 2))}, table)
    found = tree.contributions("sum", 1, 2, random_state=3)
    one, two = (table.loc[i, names].to_numpy(float) for i in (0, 1))
    partner = np.arange(14) ^ 1
    right = (two - one) * (one[partner] + two[partner]) / 2
    error = found["sampling_error"].to_numpy()
    assert (error > 0).all()
    assert (np.abs(found["contribution"] - right) < 4 * error).all()
    assert found["contribution"].sum() == pytest.approx(right.sum())
    again = tree.contributions("sum", 1, 2, random_state=3)
    pd.testing.assert_frame_equal(found, again)
    few = tree_of({"sum": "x0 * x1"}, table).contributions("sum", 1, 2)
    assert (few["sampling_error"] == 0).all()


def test_the_white_papers_telesales():
    tree = IndicatorTree.telesales().with_leaves(
        pd.DataFrame(
            {"at": [0, 1], "calls": [60, 80], "hit_rate": [1 / 52, 1 / 33], "close_rate": 0.1}
        ),
        period="at",
    )
    leads = tree.evaluate()["leads_a_day"]
    assert leads.tolist() == pytest.approx([1.153846, 2.424242], abs=5e-7)
    assert leads[1] / leads[0] == pytest.approx(2.101010, abs=5e-7)
    found = tree.contributions("leads_a_day", 0, 1).set_index("name")["contribution"]
    assert found.to_dict() == pytest.approx({"calls": 0.495338, "hit_rate": 0.775058}, abs=5e-7)


def test_market_share_is_penetration_times_requirements_times_heavy_usage():
    # Ecdat's Catsup: 300 households, 2,798 purchases; buyers, units, their purchases of all brands
    catsup = pd.DataFrame(
        [
            ("heinz32", 254, 1458, 2464),
            ("heinz28", 255, 851, 2453),
            ("hunts32", 121, 307, 1055),
            ("heinz41", 113, 182, 1079),
            ("page", 300, 630, 2100),
        ],
        columns=["brand", "buyers", "units", "buyers_units"],
    ).assign(year=1, market_buyers=300, market_units=2798, satisfaction=0, sales=1, profit=0)
    catsup = catsup.assign(asked=1, aware=1, favourable=1)
    catsup.loc[4, ["market_buyers", "market_units"]] = [1000, 5000]
    tree = IndicatorTree.positioning().with_leaves(catsup, period="year", group="brand")
    parts = ["penetration_share", "share_of_requirements", "heavy_usage", "market_share"]
    found = tree.evaluate().set_index("brand")[parts]
    right = {
        "heinz32": [0.846667, 0.591721, 1.040113, 0.521086],
        "heinz28": [0.85, 0.346922, 1.031409, 0.304146],
        "hunts32": [0.403333, 0.290995, 0.934847, 0.109721],
        "heinz41": [0.376667, 0.168675, 1.023803, 0.065046],
        "page": [0.3, 0.3, 1.4, 0.126],
    }
    for brand, values in right.items():
        assert found.loc[brand].tolist() == pytest.approx(values, abs=6e-7)
    heading = tree.heading_table(1, group="page", language="zh")
    assert "客户占有率" in heading["指标"].tolist()


GOALS = {
    "satisfaction": (78, 60, 80, 0.3, 0.9),
    "share": (0.126, 0.10, 0.13, 0.2, 0.866667),
    "sales": (108, 90, 105, 0.2, 1.2),
    "margin": (0.28, 0.25, 0.30, 0.1, 0.6),
    "awareness": (0.749, 0.60, 0.75, 0.1, 0.993333),
    "favour": (0.55, 0.40, 0.60, 0.1, 0.75),
}


def test_scores_of_the_method_page():
    leaves = pd.DataFrame({name: [row[0]] for name, row in GOALS.items()}).assign(year=1)
    tree = IndicatorTree({}, {"all": tuple(GOALS)}).with_leaves(leaves, period="year")
    groups = dict(zip(GOALS, ["brand", "brand", "money", "money", "brand", "brand"], strict=True))
    card = tree.score(
        {name: Goal(row[1], row[2], row[3], groups[name]) for name, row in GOALS.items()}, 1
    )
    scores = dict(card.table()[["indicator", "score"]].to_numpy())
    assert scores == pytest.approx({n: row[4] for n, row in GOALS.items()}, abs=5e-7)
    assert card.total == pytest.approx(0.917667, abs=5e-7)
    assert card.group_totals()["money"] == pytest.approx((0.2 * 1.2 + 0.1 * 0.6) / 0.3)
    assert indicator_score(0.035, 0.05, 0.02) == pytest.approx(0.5)
    assert indicator_score([10, 200], 50, 100).tolist() == [0.0, 1.2]
    assert card.table("zh").columns[-2] == "得分"


def test_errors_of_indicators_are_those_of_the_delta_method():
    table = YEARS.assign(size_se=[1.0, 2.0], margin_se=[0.01, 0.02])
    tree = tree_of({**PROFIT, "ratio": "margin / size"}, table,
                   errors={"size": "size_se", "margin": "margin_se"})  # fmt: skip
    found = tree.evaluate()
    n, size, margin = YEARS["customers"] * YEARS["orders"], YEARS["size"], YEARS["margin"]
    profit = np.hypot(n * margin * table["size_se"], n * size * table["margin_se"])
    ratio = np.hypot(table["margin_se"] / size, margin / size**2 * table["size_se"])
    assert found["profit_error"].tolist() == pytest.approx(profit.tolist())
    assert found["ratio_error"].tolist() == pytest.approx(ratio.tolist())
    changes = tree.changes(2024, 2025).set_index("indicator")
    error = np.hypot(*profit)
    assert changes.loc["profit", "z"] == pytest.approx(1600.8 / error)
    assert not changes.loc["profit", "marked"]
    sure = tree_of(PROFIT, table.assign(size_se=0.01, margin_se=0.0),
                   errors={"size": "size_se", "margin": "margin_se"})  # fmt: skip
    assert sure.changes(2024, 2025).set_index("indicator").loc["profit", "marked"]


def test_a_polars_table_with_groups_and_chinese_names_is_taken():
    table = pl.DataFrame({"年": [1, 1, 2, 2], "地区": ["n", "s", "n", "s"], "客户": [1.0, 2, 3, 4]})
    tree = IndicatorTree({"收入": "客户 * 10"}).with_leaves(table, period="年", group="地区")
    found = tree.contributions("收入", 1, 2, group="s", language="zh")
    assert found[["名称", "贡献"]].to_numpy().tolist() == [["客户", 20.0]]
    with pytest.raises(DataContractError, match=r"Say group=, one of \['n', 's'\]"):
        tree.contributions("收入", 1, 2)


def test_presets_have_their_leaves_and_the_crm_tree_agrees_with_the_levers():
    tree = IndicatorTree.crm()
    leaves = pd.DataFrame(
        {
            "year": [1, 2],
            "leads": 1000,
            "lead_cost": [40, 30],
            "close_rate": [0.10, 0.12],
            "orders": 4,
            "order_size": [250, 270],
            "margin": 0.4,
            "cost_to_sell": [15, 12],
            "cost_to_serve": [60, 50],
            "retention": [0.70, 0.75],
            "discount_rate": 0.1,
        }
    )
    assert set(tree.leaves) == set(leaves.columns) - {"year"}
    filled = tree.with_leaves(leaves, period="year")
    assert filled.evaluate()["value"].tolist() == pytest.approx([37_000.0, 95_965.714286])
    found = filled.contributions("value", 1, 2).set_index("name")["contribution"]
    assert found["close_rate"] == pytest.approx(18_126.4286, abs=5e-5)
    zh = filled.contributions("value", 1, 2, language="zh")["名称"].tolist()
    assert "成交率" in zh
    three = IndicatorTree.three_parties(
        customers=["complaints"], shareholders=["profit"], formulas=PROFIT
    )
    assert three.leaves == ("margin", "customers", "orders", "size", "complaints")
    assert list(three.headings) == ["customers", "shareholders", "employees"]


@pytest.mark.parametrize(
    ("formulas", "words"),
    [
        ({"a": "b + c", "c": "a / 2"}, "in a circle: a -> c -> a"),
        ({"a": "a + 1"}, "in a circle: a -> a"),
        ({"a": "__import__('os').system('true')"}, "is no arithmetic"),
        ({"a": "b ** 9999"}, "is no arithmetic"),
        ({"a": "b[0]"}, "is no arithmetic"),
        ({"a": "(lambda: 1)()"}, "is no arithmetic"),
        ({"a": "b if c else d"}, "is no arithmetic"),
        ({"a": "'text' + b"}, "'text' is no number"),
        ({"a": "True + b"}, "True is no number"),
        ({"a": "b +"}, "the formula of 'a'"),
        ({"a": "1e999 * b"}, "is no number"),
        ({"a": "+".join("b" * 5000)}, "levels deep|too long|recursion"),
        ({"a": "-" * 300 + "b"}, "levels deep"),
        ({"two words": "b"}, "'two words' can't stand in a formula"),
        ({"a": 3}, "it is no text"),
    ],
)
def test_formulas_that_are_none_are_refused_by_name(formulas, words):
    with pytest.raises(DataContractError, match=words):
        IndicatorTree(formulas)


def test_all_formulas_at_fault_are_named_together():
    with pytest.raises(DataContractError) as error:
        IndicatorTree({"a": "b ** 2", "c": "d +", "e": "e"})
    assert [p.code for p in error.value.problems] == ["formula", "formula", "circle"]


@pytest.mark.parametrize(
    ("change", "more", "words"),
    [
        (lambda t: t.rename(columns={"size": "Size"}), {}, "Did you mean 'Size'"),
        (lambda t: t.assign(size=[1.0, np.nan]), {}, "size"),
        (lambda t: t.assign(year=2024), {}, r"comes twice \(1 row, first: 1\)"),
        (lambda t: t.assign(se=-1.0), {"errors": {"size": "se"}}, "of 'size' is negative"),
        (lambda t: t.assign(se=1.0), {"errors": {"sizes": "se"}}, "Did you mean 'size'"),
        (lambda t: t, {"group": "region"}, "no column 'region'"),
    ],
)
def test_leaves_that_cannot_be_read_are_refused_by_name(change, more, words):
    with pytest.raises(DataContractError, match=words):
        tree_of(PROFIT, change(YEARS), **more)


def test_a_division_by_zero_names_the_indicator_and_what_is_zero():
    tree = tree_of({"rate": "margin / (orders - 2)"})
    with pytest.raises(DataContractError, match="'rate' divides by 'orders - 2', which is 0"):
        tree.evaluate()


def test_unknown_names_and_periods_are_refused_with_the_nearest():
    tree = tree_of(PROFIT)
    with pytest.raises(
        DataContractError, match=r"'profits' is no indicator.*Did you mean 'profit'"
    ):
        tree.contributions("profits", 2024, 2025)
    with pytest.raises(
        DataContractError, match=r"there is no period 2023\. Did you mean '202[45]'"
    ):
        tree.contributions("profit", 2023, 2025)
    with pytest.raises(DataContractError, match=r"goals names 'sizes'.*'size'"):
        tree.score({"sizes": Goal(0, 1)}, 2024)
    with pytest.raises(ValueError, match="size: floor=1 and target=1 must differ"):
        tree.score({"size": Goal(1, 1)}, 2024)
    with pytest.raises(ValueError, match="weights of goals"):
        tree.score({"size": Goal(0, 1, weight=0)}, 2024)
    with pytest.raises(ValueError, match=r"cap=0\.5"):
        indicator_score(1, 0, 2, cap=0.5)
    with pytest.raises(NotSupportedError, match="with_leaves"):
        IndicatorTree(PROFIT).evaluate()
    with pytest.raises(TypeError, match="table must be a frame"):
        IndicatorTree(PROFIT).with_leaves([1], period="year")


def test_columns_that_no_formula_reads_are_ignored_and_the_table_is_not_held():
    table = YEARS.assign(remark="x")
    tree = tree_of(PROFIT, table)
    table["size"] = 0.0
    assert tree.evaluate()["profit"].iloc[0] == pytest.approx(30_000.0)


def test_roots_are_part_of_no_other_and_periods_stand_as_given():
    tree = IndicatorTree({"c": "a + b", "a": "x * y", "d": "x"})
    assert (tree.roots, tree.periods, tree.groups) == (("c", "d"), (), ())
    rows = pd.DataFrame({"t": [2, 1, 2], "g": ["n", "n", "s"], "x": 1.0, "y": 2.0, "b": 3.0})
    known = tree.with_leaves(rows, period="t", group="g")
    assert (known.periods, known.groups) == ((2, 1), ("n", "s"))


@pytest.mark.parametrize(
    "periods",
    [
        [2024, 2025],
        ["Q1", "Q2"],
        [1.5, 2.5],
        list(pd.to_datetime(["2024-01-01", "2025-01-01"])),
    ],
)
@pytest.mark.parametrize("group", [None, "place"])
def test_a_tree_that_was_written_reads_the_same_numbers(periods, group):
    table = pd.DataFrame(
        {"when": periods, "place": ["a", "a"], "x": [0.1, 3.0], "y": [2.0, 1 / 3], "e": [0.2, 0.1]}
    )
    tree = IndicatorTree({"b": "x * y", "c": "b + x"}, {"top": ["c", "x"]})
    one = tree.with_leaves(table, period="when", group=group, errors={"x": "e"})
    two = IndicatorTree.from_dict(json.loads(json.dumps(one.to_dict())))
    pd.testing.assert_frame_equal(two.evaluate(), one.evaluate())
    where = {} if group is None else {"group": "a"}
    for name in ("changes", "heading_table"):
        asked = periods if name == "changes" else periods[:1]
        pd.testing.assert_frame_equal(
            getattr(two, name)(*asked, **where), getattr(one, name)(*asked, **where)
        )
    assert two.to_dict() == one.to_dict()
    bare = IndicatorTree.from_dict(tree.to_dict())
    assert (bare.formulas, bare.headings, bare.periods) == (tree.formulas, tree.headings, ())


def test_a_written_tree_that_was_changed_or_made_to_harm_is_refused():
    tree = IndicatorTree({"b": "x * y"}).with_leaves(
        pd.DataFrame({"t": [1, 2], "x": [1.0, 2.0], "y": [3.0, 4.0]}), period="t"
    )
    plain = tree.to_dict()
    with pytest.raises(ArtefactError, match="checksum"):
        IndicatorTree.from_dict({**plain, "formulas": {"b": "x + y"}})
    for change in (
        {"formulas": {"b": "x.__class__ * y"}},
        {"formulas": {"b": "b * x * y"}},
        {"formulas": {"b": "x * z"}},
        {"formulas": {"b": 3}},
        {"formulas": ["b"]},
        {"headings": {"top": "xy"}},
        {"headings": []},
        {"columns": ["t"]},
        {"columns": [1, "group"]},
        {"data": {}},
        {"data": 3},
        {"data": {**plain["data"], "periods": plain["data"]["leaves"]}},
        {"data": {**plain["data"], "errors": {"z": plain["data"]["leaves"]["x"]}}},
        {"data": {**plain["data"], "groups": [None, None]}},
    ):
        broken = copy.deepcopy({**plain, **change})
        del broken["checksum"]
        with pytest.raises(ArtefactError):
            IndicatorTree.from_dict(seal(broken))
    short = copy.deepcopy(plain)
    del short["checksum"]
    short["data"]["leaves"]["x"] |= {"shape": [1], "cells": [1.0]}
    with pytest.raises(ArtefactError, match="length"):
        IndicatorTree.from_dict(seal(short))


def test_periods_that_cannot_be_written_are_named():
    tree = IndicatorTree({"b": "x + 1"}).with_leaves(
        pd.DataFrame({"t": pd.period_range("2024Q1", periods=2, freq="Q"), "x": [1.0, 2.0]}),
        period="t",
    )
    with pytest.raises(NotSupportedError, match="periods of kind Period"):
        tree.to_dict()
