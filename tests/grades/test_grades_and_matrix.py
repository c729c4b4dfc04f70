"""Grades and the concentration curve against closed forms; the matrix; portraits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import custvalue as cv
from custvalue.exceptions import BinWarning, DataContractError
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades, concentration, pareto, portrait
from custvalue.grades._matrix import rank_law
from custvalue.lifecycle import LifecycleClassifier

money = st.lists(st.integers(0, 10_000), min_size=1, max_size=60).filter(lambda v: sum(v) > 0)


# -- concentration -------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
def test_equal_customers_have_no_concentration(n):
    found = pareto(np.full(n, 3.0))
    assert found.top_share == pytest.approx(0.2)
    assert found.customers_for == pytest.approx(0.8)
    assert found.gini == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("n", [5, 100])
def test_one_customer_with_all_has_it_all(n):
    values = np.zeros(n)
    values[n // 2] = 7.0
    found = pareto(values)
    assert found.top_share == pytest.approx(1.0)
    assert found.customers_for == pytest.approx(0.8 / n)
    assert found.gini == pytest.approx((n - 1) / n)


def test_eighty_twenty_is_found_where_it_was_planted():
    values = np.r_[np.full(20, 4.0), np.full(80, 0.25)]
    found = pareto(values)
    assert found.top_share == pytest.approx(0.8)
    assert found.customers_for == pytest.approx(0.2)


def test_pareto_values_of_a_pareto_law_agree_with_the_closed_form(rng):
    a = 3.0
    values = (1 - (np.arange(200_000) + 0.5) / 200_000) ** (-1 / a)
    assert pareto(values).gini == pytest.approx(1 / (2 * a - 1), abs=2e-3)
    assert pareto(values).top_share == pytest.approx(0.2 ** (1 - 1 / a), abs=2e-3)


@given(money)
def test_the_concentration_curve_rises_and_bends_down(values):
    curve = concentration(values)
    assert curve.value_share[0] == 0.0
    assert curve.value_share[-1] == 1.0
    steps = np.diff(curve.value_share)
    assert (steps >= -1e-12).all()
    assert (np.diff(steps) <= 1e-12).all()
    assert 0.0 <= pareto(values).gini < 1.0


@given(money, st.floats(0.01, 1000))
def test_concentration_does_not_depend_on_the_currency(values, rate):
    assert pareto(np.array(values) * rate) == pytest.approx(pareto(values))


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "one customer or more"), ([1.0, np.nan], "missing"), ([1.0, -1.0], "add up to 0")],
)
def test_values_without_shares_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        concentration(values)


# -- grades --------------------------------------------------------------------------------------


def test_ten_distinct_customers_make_five_grades_of_two():
    values = np.arange(10.0)[:, None]
    grades = ValueGrades().fit_transform(values)
    assert grades[:, 0].tolist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]


def test_equal_customers_are_all_of_one_grade():
    frame = pd.DataFrame({"total_value": np.full(50, 8.0)})
    grades = ValueGrades().fit(frame)
    assert set(grades.grade_table(frame)["grade"]) == {"A"}
    assert set(ValueGrades(by="value").fit(frame).transform(frame)[:, 0]) == {1.0}


def test_one_customer_with_all_is_the_only_a_by_value():
    frame = pd.DataFrame({"total_value": [0.0, 0.0, 100.0, 0.0]})
    table = ValueGrades(by="value", shares=(0.5, 0.8, 0.9, 0.95)).fit(frame).grade_table(frame)
    assert table["grade"].tolist() == ["E", "E", "A", "E"]


def test_grades_by_value_hold_their_shares_of_value():
    values = np.array([50.0, 30.0, 10.0, 6.0, 4.0])
    grades = ValueGrades(by="value", shares=(0.5, 0.8, 0.9, 0.96)).fit_transform(values[:, None])
    assert grades[:, 0].tolist() == [1, 2, 3, 4, 5]


def test_losses_of_some_do_not_lift_others_to_a_better_grade_by_value():
    by_value = ValueGrades(by="value", shares=(0.5, 0.8, 0.9, 0.96))
    values = np.array([50.0, 30.0, 10.0, 6.0, 4.0, -90.0, -9.0])[:, None]
    assert by_value.fit_transform(values)[:, 0].tolist() == [1, 2, 3, 4, 5, 5, 5]
    with pytest.warns(BinWarning, match="column total_value: no value is above zero"):
        found = by_value.fit_transform(pd.DataFrame({"total_value": [0.0, -5.0]}))
    assert found[:, 0].tolist() == [5, 5]


@given(money, money)
def test_equal_values_get_equal_grades_and_more_value_never_a_worse_one(seen, new):
    grades = ValueGrades().fit(np.array(seen, dtype=float)[:, None])
    values = np.sort(np.array([*seen, *new], dtype=float))
    given_grades = grades.transform(values[:, None])[:, 0]
    assert (np.diff(given_grades) <= 0).all()
    assert (given_grades[1:][np.diff(values) == 0] == given_grades[:-1][np.diff(values) == 0]).all()


def test_key_and_general_customers_add_up_and_cuts_are_frozen():
    frame = pd.DataFrame({"total_value": np.arange(1.0, 101.0)})
    grades = ValueGrades(key_grades=2).fit(frame)
    summary = grades.summary_table(frame)
    assert summary["customers"].tolist() == [20] * 5
    assert summary["total_value"].sum() == frame["total_value"].sum()
    kinds = grades.grade_table(frame)["customer_kind"].value_counts()
    assert kinds["key customer"] == 40
    richer = grades.grade_table(frame * 10)["grade"]
    assert (richer == "A").sum() == 92  # the cut of A stays at 81
    assert grades.drift(frame).moved_any == 0.0
    assert grades.drift(frame * 10).moved_any > 0.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"shares": (0.2, 0.4)}, "four rising numbers"),
        ({"shares": (0.4, 0.2, 0.6, 0.8)}, "four rising numbers"),
        ({"by": "orders"}, "by='orders'"),
        ({"key_grades": 9}, "key_grades=9"),
    ],
)
def test_wrong_parameters_of_grades_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        ValueGrades(**wrong).fit(np.ones((5, 1)))


def test_a_missing_value_column_is_named():
    with pytest.raises(DataContractError, match="'future_value'"):
        ValueGrades(column=["total_value", "future_value"]).fit(
            pd.DataFrame({"total_value": [1.0]})
        )


# -- the matrix ----------------------------------------------------------------------------------


def test_indexes_agree_with_ranks_by_hand():
    frame = pd.DataFrame(
        {"n_orders": [1, 2, 2, 9], "silence": [50, 10, 20, 1], "recency": [0, 5, 9, 9]}
    )
    matrix = ActivityLoyaltyMatrix().fit(frame)
    orders, quiet = [0.125, 0.5, 0.5, 0.875], [0.875, 0.375, 0.625, 0.125]
    activity = [(o + 1 - q) / 2 for o, q in zip(orders, quiet, strict=True)]
    assert matrix.transform(frame)[:, 0] == pytest.approx(activity)
    assert matrix.transform(frame)[:, 1] == pytest.approx([0.125, 0.375, 0.75, 0.75])
    assert matrix.quadrants(frame).tolist() == [
        "neither active nor loyal",
        "active, not loyal",
        "loyal, not active",
        "active and loyal",
    ]


def test_weights_shift_an_index_and_a_missing_answer_does_not_count():
    frame = pd.DataFrame({"visits": [1, 2], "stars": [2.0, np.nan], "buys_again": [0.1, 0.9]})
    matrix = ActivityLoyaltyMatrix(
        activity={"visits": 1}, loyalty={"stars": 3, "buys_again": 1}
    ).fit(frame)
    loyalty = matrix.transform(frame)[:, 1]
    assert loyalty == pytest.approx([(3 * 0.5 + 0.25) / 4, 0.75])


def test_ranks_are_frozen_and_ties_stand_in_the_middle():
    law = rank_law(np.array([1.0, 1.0, 1.0, 4.0]))
    assert law.rank.tolist() == [0.375, 0.875]
    many = rank_law(np.arange(50_000.0))
    assert len(many.knots) == 1000
    assert np.interp(24_999.5, many.knots, many.rank) == pytest.approx(0.5, abs=1e-6)


def test_quadrants_keep_size_and_money_and_speak_chinese():
    frame = pd.DataFrame({
        "n_orders": [1, 2, 3, 9], "silence": [50, 10, 20, 1], "recency": [0, 5, 9, 9],
        "total_value": [10.0, 20.0, 30.0, 40.0],
    })  # fmt: skip
    matrix = ActivityLoyaltyMatrix().fit(frame)
    table = matrix.summary_table(frame)
    assert table["customers"].sum() == 4
    assert table["total_value"].sum() == 100.0
    assert list(matrix.quadrant_table(frame, language="zh").columns) == ["活跃度", "忠诚度", "象限"]
    assert matrix.summary_table(frame, language="zh")["象限"][0] == "活跃且忠诚"
    named = ActivityLoyaltyMatrix(names=["stars", "tourists", "sleepers", "rest"]).fit(frame)
    assert set(named.quadrants(frame)) <= {"stars", "tourists", "sleepers", "rest"}
    assert matrix.drift(frame).moved_any == 0.0
    polars = pl.from_pandas(frame)
    assert isinstance(ActivityLoyaltyMatrix().fit(polars).summary_table(polars), pl.DataFrame)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"activity": {"n_orders": 0}}, "a weight other than 0"),
        ({"names": ["a", "b"]}, "must be four names"),
        ({"cuts": (0.5,)}, "two numbers"),
        ({"loyalty": {"stars": 1}}, "'stars'"),
        ({"activity": {}}, "a weight other than 0"),
    ],
)
def test_wrong_parameters_of_the_matrix_are_refused(wrong, message):
    frame = pd.DataFrame({"n_orders": [1, 2], "recency": [3, 4]})
    with pytest.raises(ValueError, match=message):
        ActivityLoyaltyMatrix(**wrong).fit(frame)


def test_a_table_without_a_loyalty_column_says_so():
    with pytest.raises(ValueError, match="no column for loyalty"):
        ActivityLoyaltyMatrix().fit(pd.DataFrame({"n_orders": [1, 2]}))


# -- portraits -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def summary(cdnow_sample) -> pd.DataFrame:
    return cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )


def test_a_portrait_tells_what_the_table_holds(summary):
    model, grades = LifecycleClassifier().fit(summary), ValueGrades().fit(summary)
    row = summary[summary["customer_id"] == 111].iloc[0]
    seen = portrait(summary, 111, lifecycle=model, grades=grades, also={"mean_value": "an order"})
    assert seen.facts["n_orders"] == row["n_orders"]
    assert f"{row['n_orders']:.0f} orders" in seen.lines[0]
    assert seen.facts["stage"] == model.predict(summary[summary["customer_id"] == 111])[0]
    assert any(line.startswith("Value grade A: key customer") for line in seen.lines)
    assert f"an order: {row['mean_value']:.4g}." == seen.lines[-1]
    assert "<li>" in seen._repr_html_()


def test_a_portrait_of_a_group_adds_up(summary):
    often = summary["n_orders"] > 3
    seen = portrait(summary, often, lifecycle=LifecycleClassifier().fit(summary))
    assert seen.facts["customers"] == often.sum()
    assert seen.facts["total_value"] == pytest.approx(summary.loc[often, "total_value"].sum())
    assert sum(seen.facts["stages"].values()) == pytest.approx(1.0)
    assert portrait(summary, summary.loc[often, "customer_id"].tolist()).lines == seen.lines[:3]


def test_a_portrait_speaks_chinese_and_takes_any_table(summary):
    table = cv.summarize(
        pl.from_pandas(cv.datasets.load_cdnow("sample")),
        customer="customer_id", time="date", amount="amount", as_of="1998-06-30",
    )  # fmt: skip
    model, grades = LifecycleClassifier().fit(table), ValueGrades().fit(table)
    seen = portrait(table, 4, lifecycle=model, grades=grades, language="zh")
    assert seen.title == "客户 4"
    assert all(not line.isascii() for line in seen.lines)
    group = portrait(table, [4, 21], lifecycle=model, grades=grades, language="zh")
    assert group.title == "2 位客户"


def test_an_unknown_customer_is_named(summary):
    with pytest.raises(DataContractError, match=r"no-such-customer: .*first: 999999"):
        portrait(summary, 999999)
    with pytest.raises(DataContractError, match="lacks some"):
        portrait(summary, [4, 999999])
    with pytest.raises(ValueError, match="marks 2 rows"):
        portrait(summary, np.array([True, False]))
    with pytest.raises(ValueError, match="pass customer="):
        portrait(pd.DataFrame(summary.to_dict("list")), 4)


def test_axes_have_names_and_a_dark_horse_is_of_little_contribution_and_high_potential():
    table = pd.DataFrame({"profit": [9.0, 8, 1, 2], "room": [5.0, 1, 4, 2]})
    matrix = ActivityLoyaltyMatrix(
        activity={"profit": 1}, loyalty={"room": 1}, axes=("contribution", "potential")
    ).fit(table)
    found = matrix.quadrant_table(table)
    assert found.columns.tolist() == ["contribution", "potential", "quadrant"]
    assert found["quadrant"].tolist() == [
        "high contribution and potential", "high contribution, low potential",
        "dark horse", "low contribution and potential",
    ]  # fmt: skip
    assert matrix.quadrant_table(table, language="zh")["象限"][2] == "黑马"
    assert matrix.get_feature_names_out().tolist() == ["contribution", "potential"]
    own = matrix.set_params(axes=("margin", "growth")).fit(table)
    assert own.quadrants(table)[1] == "high margin, low growth"
    for axes in (("a", "a"), ("a",), "ab"):
        with pytest.raises(ValueError, match="two different names"):
            ActivityLoyaltyMatrix(axes=axes).fit(table)


@pytest.fixture(scope="module")
def with_places(cdnow_sample):
    table = cv.summarize(cdnow_sample, customer="customer_id", time="date", amount="amount",
                         as_of="1998-06-30")  # fmt: skip
    place = np.where(np.arange(len(table)) % 3 == 0, "north", "south").astype(object)
    heavy = (table["n_orders"] > 5).to_numpy()
    place[heavy & (np.arange(len(table)) % 2 == 0)] = "north"
    return table.assign(place=place), heavy


def test_a_group_is_told_by_what_it_has_more_of_than_the_rest(with_places):
    table, heavy = with_places
    told = portrait(table, heavy, also={"place": "Region", "mean_value": "an order"})
    north = (table["place"] == "north").to_numpy()
    index = 100 * north[heavy].mean() / north.mean()
    assert told.facts["place_over_represented"] == {"north": pytest.approx(index)}
    assert told.facts["place"]["north"] == pytest.approx(north[heavy].mean())
    assert told.facts["mean_value_rest"] == pytest.approx(table["mean_value"][~heavy].mean())
    assert f"over-represented: north {index:.0f}." in str(told)
    assert "(the rest " in str(told)
    zh = str(portrait(table, heavy, also={"place": "区域"}, language="zh"))
    assert f"偏高：north{index:.0f}。" in zh


def test_what_does_not_differ_is_not_called_over_represented(with_places):
    table, _ = with_places
    table = table.assign(coin=np.where(np.arange(len(table)) % 2, "head", "tail"))
    told = portrait(table, np.arange(len(table)) % 4 < 2, also={"coin": "Coin"})
    assert told.facts["coin_over_represented"] == {}
    assert "Coin: " in str(told)
    everybody = portrait(table, np.ones(len(table), dtype=bool), also={"mean_value": "an order"})
    assert "the rest" not in str(everybody)


def test_one_customers_word_is_told(with_places):
    table, _ = with_places
    who = table["customer_id"].iloc[0]
    assert "Region: north." in str(portrait(table, who, also={"place": "Region"}))
    unknown = table.assign(place=None)
    assert "区域：缺失。" in str(portrait(unknown, who, also={"place": "区域"}, language="zh"))
    with pytest.raises(DataContractError, match="no column 'plaice'"):
        portrait(table, who, also={"plaice": "Region"})
