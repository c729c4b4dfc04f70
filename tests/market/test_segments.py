"""Market segments: the worked example, frozen trees, shrunk means, profiles."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.base import clone

from custvalue._portable import seal
from custvalue.exceptions import ArtefactError, DataContractError, SmallSampleWarning
from custvalue.grades._profile import benjamini_hochberg
from custvalue.market import (
    MarketSegments,
    MixedSegments,
    SizeCuts,
    behaviour_three,
    classes_of,
    profile_table,
    variance_of,
)

TWELVE = pd.DataFrame(
    {
        "industry": ["mfg"] * 6 + ["retail"] * 6,
        "size": ["L"] * 2 + ["S"] * 4 + ["L"] * 3 + ["S"] * 3,
        "value": [90.0, 100, 30, 35, 25, 40, 60, 55, 65, 50, 45, 55],
    }
)
OPTIONS = {
    "by": ["industry", "size"],
    "order": "value",
    "outcome": "value",
    "outcome_scale": "as it stands",
    "min_customers": 2,
}


def words(rows):
    return pd.DataFrame(rows, columns=["industry", "size"])


def test_what_explains_nothing_alone_decides_inside_both_halves():
    for column, eta2 in (("size", 0.597637), ("industry", 0.001477)):
        found = variance_of(TWELVE["value"], TWELVE[column])
        assert found.eta_squared == pytest.approx(eta2, abs=6e-7)
    f, p = variance_of(TWELVE["value"], TWELVE["size"]).f_test()
    assert (f, p) == (pytest.approx(14.853157, abs=6e-7), pytest.approx(0.003191, abs=6e-7))
    splits = MarketSegments(**OPTIONS).fit(TWELVE).split_table()
    assert splits["column"].tolist() == ["size", "industry", "industry"]
    np.testing.assert_allclose(splits["eta_squared"], [0.597637, 0.936306, 0.75], atol=6e-7)
    np.testing.assert_allclose(splits["p_adjusted"], [2 * 0.003191, 0.006957, 0.011725], atol=2e-6)


def test_shrunk_means_by_hand():
    table = MarketSegments(**OPTIONS).fit(TWELVE).segment_table(TWELVE).set_index("segment")
    table = table.loc[["L / mfg", "L / retail", "S / mfg", "S / retail"]]
    np.testing.assert_allclose(table["mean_value"], [95, 60, 32.5, 50])
    np.testing.assert_allclose(
        table["shrunk_mean"], [93.8552, 59.8899, 32.8080, 50.0786], atol=6e-5
    )
    found = variance_of(TWELVE["value"], TWELVE["industry"] + TWELVE["size"])
    tau2, sigma2 = found.components()
    assert (tau2, sigma2) == (pytest.approx(595.872642), pytest.approx(34.375))


def test_the_whole_partition_explains_what_lies_between_its_means():
    segments = MarketSegments(**OPTIONS).fit(TWELVE)
    mean = TWELVE.groupby(["industry", "size"])["value"].transform("mean")
    every = TWELVE["value"] - TWELVE["value"].mean()
    between = ((mean - TWELVE["value"].mean()) ** 2).sum() / (every**2).sum()
    assert segments.explained(TWELVE, value="value") == pytest.approx(between)
    assert segments.explained(TWELVE) == pytest.approx(between)  # its own outcome
    with pytest.raises(ValueError, match="which value"):
        MarketSegments(["industry"], min_customers=2).fit(TWELVE).explained(TWELVE)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.floats(-1e3, 1e3)), min_size=5, max_size=40).filter(
        lambda rows: len({g for g, _ in rows}) > 1
    )
)
def test_shrunk_means_lie_between_the_mean_and_the_grand_mean(rows):
    groups, values = zip(*rows, strict=True)
    found = variance_of(values, groups)
    low = np.minimum(found.mean, found.grand_mean) - 1e-9
    high = np.maximum(found.mean, found.grand_mean) + 1e-9
    shrunk = found.shrunk_means()
    assert ((low <= shrunk) & (shrunk <= high)).all()
    total = ((np.array(values) - np.mean(values)) ** 2).sum()
    assert found.between + found.within == pytest.approx(total, abs=1e-6)


def test_the_f_test_is_scipys():
    values, groups = np.array([1.0, 4, 2, 8, 5, 7, 3]), np.array(list("aabbccc"))
    expected = stats.f_oneway(*(values[groups == g] for g in "abc"))
    np.testing.assert_allclose(variance_of(values, groups).f_test(), expected)


def test_a_given_order_is_a_cross_table():
    segments = MarketSegments(by=["industry", "size"], min_customers=1).fit(TWELVE)
    table = segments.segment_table(TWELVE, value="value")
    expected = TWELVE.groupby(["industry", "size"])["value"].agg(["size", "sum"])
    assert table["segment"].tolist() == [f"{i} / {s}" for i, s in expected.index]
    assert table["customers"].tolist() == expected["size"].tolist()
    np.testing.assert_allclose(table["value"], expected["sum"])
    assert table["customer_share"].sum() == pytest.approx(1.0)
    assert table["value_share"].sum() == pytest.approx(1.0)


def test_few_customers_go_to_other_and_a_small_other_to_the_largest():
    many = words([("mfg", "L")] * 40 + [("retail", "L")] * 30 + [("a", "L")] * 8 + [("b", "L")] * 5)
    apart = MarketSegments(by=["industry"], min_customers=10).fit(many)
    table = apart.segment_table(many)
    assert dict(zip(table["segment"], table["customers"], strict=True)) == {
        "mfg": 40,
        "retail": 30,
        "other": 13,
    }
    joined = MarketSegments(by=["industry"], min_customers=20).fit(many).segment_table(many)
    assert joined["customers"].tolist() == [53, 30]
    assert joined["joined"].tolist() == ["a, b", ""]


def test_every_customer_is_counted_once_whatever_the_limit():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {name: rng.choice(list("abcdefg"), 300, p=[0.4, 0.3, 0.1, 0.1, 0.05, 0.03, 0.02])
         for name in ("x", "y", "z")}
    )  # fmt: skip
    for limit in (1, 5, 20, 100, 400):
        segments = MarketSegments(by=["x", "y", "z"], min_customers=limit).fit(table)
        found = segments.segment_table(table)
        assert found["customers"].sum() == 300
        assert limit > 300 or found["customers"].min() >= limit
        np.testing.assert_array_equal(segments.transform(table).sum(axis=1), 1.0)


def test_unseen_and_missing_categories_go_to_other_of_their_node():
    segments = MarketSegments(by=["industry", "size"], min_customers=2).fit(TWELVE)
    new = words([("mfg", "XL"), ("farming", "L"), (None, "S"), ("mfg", None), ("retail", "S")])
    assert segments.predict(new).tolist() == [
        "mfg / other", "other", "other", "mfg / other", "retail / S"
    ]  # fmt: skip
    # the tree is frozen: the same customer gets the same segment in any company
    assert segments.predict(new.iloc[[4]]).tolist() == ["retail / S"]


def test_noise_is_not_split():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {name: rng.choice(list("abc"), 400) for name in "uvwxy"}
        | {"value": rng.gamma(2.0, 50, 400)}
    )
    segments = MarketSegments(by=list("uvwxy"), order="value", outcome="value", alpha=0.01)
    assert segments.fit(table).predict(table).tolist() == ["all customers"] * 400
    assert segments.rules_text() == "all customers: everybody (400 customers)"


def test_the_outcome_may_come_as_y_and_is_logged_or_winsorised():
    columns = TWELVE[["industry", "size"]]
    by_y = MarketSegments(**(OPTIONS | {"outcome": None})).fit(columns, TWELVE["value"])
    assert by_y.rules_text() == MarketSegments(**OPTIONS).fit(TWELVE).rules_text()
    with_loss = TWELVE.assign(value=TWELVE["value"] - 60)
    with pytest.raises(DataContractError, match="winsorised"):
        MarketSegments(**(OPTIONS | {"outcome_scale": "log1p"})).fit(with_loss)
    MarketSegments(**(OPTIONS | {"outcome_scale": "winsorised"})).fit(with_loss)


def test_bases_name_columns_too_and_the_estimator_behaves():
    bases = {"demographic": ["industry", "size"]}
    segments = clone(MarketSegments(bases, min_customers=2)).set_output(transform="pandas")
    segments.fit(TWELVE)
    out = segments.transform(TWELVE)
    assert out.columns.tolist() == [f"segment_{name}" for name in segments.segments_]
    again = pickle.loads(pickle.dumps(segments))
    np.testing.assert_array_equal(again.predict(TWELVE), segments.predict(TWELVE))
    assert segments.segment_table(TWELVE, language="zh").columns[0] == "细分"
    by_industry = MarketSegments(["industry"], min_customers=2).fit(TWELVE)
    assert "other" in by_industry.predict(words([("x", "y")]))
    assert "位客户" in by_industry.rules_text(language="zh")
    table = segments.segment_table(pl.from_pandas(TWELVE))
    assert type(table) is pl.DataFrame


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"by": "industry"}, ValueError, "list of columns"),
        ({"by": []}, ValueError, "must name columns"),
        ({"by": ["industry", "industry"]}, ValueError, "each once"),
        ({"by": ["industri"]}, DataContractError, "no column 'industri'"),
        (
            {"by": ["value"], "order": "given", "outcome": None},
            DataContractError,
            "numbers with fractions.*SizeCuts",
        ),
        ({"outcome": "size"}, ValueError, "explain itself"),
        ({"order": "size"}, ValueError, "order='size'"),
        ({"outcome": None}, ValueError, "needs the value"),
        ({"min_customers": 0}, ValueError, "at least 1"),
        ({"alpha": 0.0}, ValueError, "alpha"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, text):
    table = TWELVE.assign(value=TWELVE["value"] + 0.5)
    with pytest.raises(error, match=text):
        MarketSegments(**(OPTIONS | options)).fit(table)


def test_drift_is_none_for_the_fitted_customers_and_much_for_others():
    segments = MarketSegments(**OPTIONS).fit(TWELVE)
    same = segments.drift(TWELVE)
    assert same.stability == (pytest.approx(0.0, abs=1e-9),)
    assert same.moved == (0.0,)
    assert segments.drift(TWELVE.assign(size="S")).stability[0] > 0.25


def test_a_tree_goes_through_json_without_a_customer():
    segments = MarketSegments(**OPTIONS).fit(TWELVE)
    text = json.dumps(segments.to_dict())
    again = MarketSegments.from_dict(json.loads(text))
    np.testing.assert_array_equal(again.predict(TWELVE), segments.predict(TWELVE))
    assert again.rules_text() == segments.rules_text()
    pd.testing.assert_frame_equal(again.split_table(), segments.split_table())
    assert again.get_params() == segments.get_params()
    with pytest.raises(ValueError, match="holds 'MarketSegments', not MixedSegments"):
        MixedSegments.from_dict(json.loads(text))
    with pytest.raises(ArtefactError, match="schema 99"):
        MarketSegments.from_dict(json.loads(text) | {"schema": 99})
    changed = json.loads(text)
    changed["settings"]["min_customers"] = 99
    with pytest.raises(ArtefactError, match="checksum"):
        MarketSegments.from_dict(changed)
    # past the checksum: no name but those that fit sets
    for learned in ({"predict_": 1}, {"tree_": {"kind": "dict", "pairs": []}}):
        changed = {k: v for k, v in json.loads(text).items() if k != "checksum"}
        changed["learned"] |= learned
        with pytest.raises(ArtefactError):
            MarketSegments.from_dict(seal(changed))


# -- profiles ------------------------------------------------------------------------------------


def test_ninety_of_two_hundred_against_three_hundred_of_a_thousand():
    region = ["north"] * 90 + ["south"] * 110 + ["north"] * 210 + ["south"] * 590
    table = pd.DataFrame({"region": region, "group": ["a"] * 200 + ["b"] * 800})
    row = profile_table(table, "group").iloc[0]
    assert (row["segment"], row["category"], row["index"]) == ("a", "north", 150.0)
    assert row["rest"] == pytest.approx(0.2625)
    assert row["z"] == pytest.approx(5.175492, abs=6e-7)


def test_benjamini_and_hochbergs_own_example():
    # Benjamini & Hochberg (1995), section 3: fifteen p values, four of them rejected at 0.05
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
         0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]  # fmt: skip
    assert (benjamini_hochberg(p) <= 0.05).sum() == 4
    np.testing.assert_allclose(benjamini_hochberg(p), stats.false_discovery_control(p))
    with_gap = benjamini_hochberg([0.01, np.nan, 0.04])
    np.testing.assert_allclose(with_gap, [0.02, np.nan, 0.04])


def test_indexes_weighted_by_size_are_a_hundred(rng):
    table = pd.DataFrame(
        {"colour": rng.choice(["red", "blue", None], 300), "age": rng.normal(40, 9, 300)}
    )
    group = rng.choice(["p", "q", "r"], 300, p=[0.5, 0.3, 0.2])
    found = profile_table(table, group)
    for _, rows in found.groupby(["column", "category"]):
        size = [(group == name).sum() for name in rows["segment"]]
        assert np.average(rows["index"], weights=size) == pytest.approx(100.0)
    assert "missing" in found["category"].tolist()


def test_only_what_was_planted_is_significant(rng):
    group = np.repeat(["a", "b"], 500)
    table = pd.DataFrame({f"x{j}": rng.normal(size=1000) for j in range(30)})
    table["planted"] = rng.normal(size=1000) + (group == "a")
    found = profile_table(table, group)
    assert set(found.loc[found["p_adjusted"] < 0.01, "column"]) == {"planted"}
    planted = found[found["column"] == "planted"]["difference"]
    assert planted.iloc[0] == pytest.approx(-planted.iloc[1])


def test_equal_values_differ_in_nothing():
    table = pd.DataFrame({"price": np.full(1001, 0.1), "group": ["a"] * 500 + ["b"] * 501})
    found = profile_table(table, "group")
    assert found["z"].tolist() == [0.0, 0.0]
    assert found["index"].tolist() == pytest.approx([100.0, 100.0])


def test_z_squared_is_the_chi_squared_of_the_table(rng):
    table = pd.DataFrame({"colour": rng.choice(["red", "blue"], 400)})
    group = rng.choice(["p", "q"], 400, p=[0.3, 0.7])
    found = profile_table(table, group)
    chi2 = stats.chi2_contingency(pd.crosstab(table["colour"], group), correction=False)
    np.testing.assert_allclose(found["z"] ** 2, chi2.statistic)


def test_small_segments_and_wrong_tables_are_named():
    with pytest.warns(SmallSampleWarning, match=r"mfg \(6\), retail \(6\)"):
        found = profile_table(TWELVE, "industry", ["size", "value"], language="zh")
    assert {"细分", "特征", "类别", "指数", "校正 p 值"} <= set(found.columns)
    with pytest.raises(DataContractError, match="no column 'industri'"):
        profile_table(TWELVE, "industri")
    with pytest.raises(ValueError, match="nothing to compare"):
        profile_table(TWELVE, "industry", [])
    with pytest.raises(ValueError, match="one segment only"):
        profile_table(TWELVE, ["a"] * 12)
    with pytest.raises(ValueError, match="3 rows; X has 12"):
        profile_table(TWELVE, ["a", "b", "c"])
    with pytest.raises(DataContractError, match=r"no segment \(2 rows, first: 0, 1\)"):
        profile_table(TWELVE, [None, None, *["a"] * 10])
    dated = TWELVE.assign(on=pd.Timestamp("2024-01-01"))
    with pytest.raises(DataContractError) as caught:
        profile_table(dated, "industry", ["on", "nothing"])
    assert [p.code for p in caught.value.problems] == ["dates-for-categories", "missing-column"]


# -- ready classes -------------------------------------------------------------------------------


def test_words_are_put_into_ready_classes():
    classes = {"manufacturing": ["steel"], "finance": ["bank", "fund"]}
    assert classes_of(["bank", None, "steel"], classes, language="zh").tolist() == [
        "金融业", None, "制造业"
    ]  # fmt: skip
    with pytest.raises(DataContractError, match=r"'farm', 'mine' \(2 rows, first: 1, 2\)"):
        classes_of(["bank", "farm", "mine"], classes)
    with pytest.raises(ValueError, match="two classes"):
        classes_of(["bank"], {"finance": ["bank"], "services": ["bank"]})


def test_sizes_are_thirds_of_the_logarithm_and_stay():
    cuts = SizeCuts.learned([1.0, 5.0, np.nan, 1000.0])
    assert cuts == (pytest.approx(10.0), pytest.approx(100.0))
    assert cuts.classes([2.0, 50.0, np.nan, 1e9]).tolist() == ["small", "medium", None, "large"]
    assert SizeCuts(300.0, 2000.0).classes([299, 300], language="zh").tolist() == ["小型", "中型"]
    with pytest.raises(ValueError, match="must lie below"):
        SizeCuts(9.0, 1.0).classes([5.0])
    for bad in ([0.0, 1.0], [5.0, 5.0], [-1.0, 4.0]):
        with pytest.raises(DataContractError, match="above zero"):
            SizeCuts.learned(bad)


def test_behaviour_goes_by_orders_and_stage():
    found = behaviour_three([0, 3, 9, 9], ["target", "established", "strategic", "core"])
    assert found.tolist() == ["potential", "wandering", "loyal", "loyal"]
    assert behaviour_three([0], ["target"], language="zh").tolist() == ["潜在型"]
