"""Nested, fixed and weighted scoring, the way back, drift, containers, published figures."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

import custvalue as cv
from custvalue.exceptions import (
    BinWarning,
    DataContractError,
    EmptySegmentWarning,
    FitFailedError,
    TimeUnitError,
)
from custvalue.rfm import RFMTransformer, SegmentMap, stone_score
from custvalue.rfm._rfm_law import learned_weights, reachable_cells
from custvalue.silence import SilenceScorer

quiet = pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def summary(request):
    log = request.getfixturevalue("cdnow_sample")
    return cv.summarize(log, as_of="1998-06-30", **NAMES)


@pytest.fixture
def smooth(rng):
    """Customers without ties."""
    n = 1003
    return pd.DataFrame(
        {
            "silence": rng.permutation(n) + 0.5,
            "n_orders": rng.permutation(n) + 1.0,
            "total_value": rng.permutation(n) * 3.7 + 1,
        }
    )


def test_nested_cells_are_of_near_equal_size_and_independent_ones_are_not(smooth):
    nested = RFMTransformer(method="nested").fit_transform(smooth)
    sizes = nested.value_counts()
    assert len(sizes) == 125
    assert sizes.max() - sizes.min() <= 2
    independent = RFMTransformer().fit_transform(smooth).value_counts()
    assert independent.max() - independent.min() > 5


def test_nested_cells_are_all_filled_as_hughes_says(smooth, reference):
    published = reference("rfm")["rfm.hughes.cells"]["value"]
    nested = RFMTransformer(method="nested").fit_transform(smooth.head(995))
    sizes = nested.value_counts()
    # the published figure breaks ties by id, ours are free of ties: 995 customers in 125 cells
    assert [len(sizes), sizes.min()] == published[3:5]
    assert sizes.max() <= published[5] + 1


def test_points_in_the_manner_of_stone_match_the_published_example(reference):
    assert stone_score(5, 3, 150) == reference("rfm")["rfm.judgement"]["value"]
    assert stone_score([1, 30], [9, 1], [1000, 10]).tolist() == [5 * 20 + 3 * 20 + 2 * 20, 14.0]


@quiet
def test_fixed_cuts_are_the_published_ones_and_their_scores_follow(reference):
    breaks = reference("rfm")["rfm.orders.breaks"]["value"]
    # published cuts are the first value of the next bin, ours the last value of their own
    cuts = {a: np.subtract(breaks[4 * i : 4 * i + 4], 1) for i, a in enumerate("RFM")}
    edge = pd.DataFrame(
        {"silence": [114.0, 115.0], "n_orders": [7, 8], "total_value": [255.0, 256.0]}
    )
    model = RFMTransformer(method="fixed", cuts=cuts).fit(edge)
    assert model.transform(edge).to_numpy().tolist() == [[5, 4, 1], [4, 5, 2]]


def test_cut_points_in_spans_need_to_know_the_unit(summary):
    cuts = {"R": ["30D", "12W", 365], "F": [1, 3], "M": [20, 50, 100]}
    model = RFMTransformer(method="fixed", cuts=cuts).fit(summary)
    table = model.thresholds_table()
    assert table.loc[table["variable"] == "R", "up_to"].tolist() == [30.0, 84.0, 365.0, np.inf]
    assert set(table.loc[table["variable"] == "R", "unit"]) == {"D"}
    with pytest.raises(TimeUnitError, match="does not know the unit"):
        RFMTransformer(method="fixed", cuts=cuts).fit(summary.to_numpy()[:, [4, 6, 7]])
    with pytest.raises(ValueError, match=r"\['M'\] have none"):
        RFMTransformer(method="fixed", cuts={"R": [1], "F": [1]}).fit(summary)
    with pytest.raises(ValueError, match="finite and ascending"):
        RFMTransformer(cuts={"R": [9, 1]}).fit(summary)


@quiet
@pytest.mark.parametrize("n_bins", [3, (4, 2, 10), {"F": 3}])
def test_any_number_of_bins_for_any_variable(summary, n_bins):
    model = RFMTransformer(n_bins=n_bins).fit(summary)
    sizes = {3: [3, 3, 3], (4, 2, 10): [4, 2, 10]}.get(
        n_bins if not isinstance(n_bins, dict) else None, [5, 3, 5]
    )
    assert [v.n_bins for v in model.variables_] == sizes
    scores = model.transform(summary)
    assert (scores.max() == sizes).all()
    assert (scores.min() == 1).all()


@quiet
@pytest.mark.parametrize("method", ["independent", "nested"])
def test_the_way_back_gives_the_range_that_holds_the_customer(summary, method):
    model = RFMTransformer(method=method, monetary="mean_value").fit(summary)
    ranges = model.inverse_transform(model.transform(summary))
    for name in ("silence", "n_orders", "mean_value"):
        assert (summary[name] > ranges[f"{name}_above"]).all()
        assert (summary[name] <= ranges[f"{name}_up_to"]).all()
    with pytest.raises(ValueError, match="R must be a whole number from 1 to 5; 1 rows are not"):
        model.inverse_transform([[6, 1, 1]])


@quiet
@pytest.mark.parametrize("weights", [(1, 2), (1, 2, 3, 4), (1, -1, 3), (1, np.inf, 3), {"R": 1}])
def test_weights_are_one_number_a_letter(summary, weights):
    with pytest.raises(ValueError, match="must hold a number >= 0 for each of"):
        RFMTransformer(weights=weights).fit(summary)


@quiet
def test_given_weights_make_a_composite_and_learned_ones_follow_the_response(summary, rng):
    model = RFMTransformer(weights=(5, 3, 2)).fit(summary)
    scores = model.transform(summary)
    assert (scores["score"] == scores[["R", "F", "M"]] @ [5, 3, 2]).all()
    response = scores["F"] + 0.01 * rng.normal(size=len(scores))
    learned = RFMTransformer(weights="learn").fit(summary, response)
    np.testing.assert_allclose(learned.weights_, [0, 1, 0], atol=0.01)
    assert sum(learned.weights_) == pytest.approx(1)
    with pytest.raises(ValueError, match="needs the response y"):
        RFMTransformer(weights="learn").fit(summary)
    with pytest.raises(FitFailedError, match="rises with none of the 3 scores"):
        learned_weights(scores[["R", "F", "M"]], -scores.sum(axis=1))


@quiet
def test_other_variables_and_directions_can_be_scored(summary):
    columns = {"L": "T", "R": "silence", "F": "n_orders", "M": "total_value"}
    out = RFMTransformer(columns=columns).fit_transform(summary)
    assert list(out.columns) == list("LRFM")
    turned = RFMTransformer(columns=columns, less_is_better=("R", "L")).fit_transform(summary)
    assert np.corrcoef(out["L"], turned["L"])[0, 1] < -0.9


@quiet
@pytest.mark.parametrize("kind", ["pandas", "polars"])
@pytest.mark.parametrize("asked", ["pandas", "polars", "default"])
def test_the_asked_container_comes_out_whatever_goes_in(cdnow_sample, kind, asked):
    panel = cv.panel(cdnow_sample, as_of="1997-09-30", period="13W", **NAMES)
    table = panel if kind == "pandas" else pl.from_pandas(panel)
    out = RFMTransformer().set_output(transform=asked).fit_transform(table)
    wanted = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "default": type(table)}[asked]
    assert isinstance(out, wanted)
    assert list(out.columns) == ["R", "F", "M", *panel.columns]
    assert out["customer_id"][0] == panel["customer_id"][0]
    assert np.asarray(out["R"]).dtype == np.int64
    assert np.asarray(out["spend"]).dtype == np.float64
    quieter = SilenceScorer().set_output(transform=asked)
    small = cv.summarize(cdnow_sample, as_of="1997-09-30", **NAMES)
    small = small if kind == "pandas" else pl.from_pandas(small)
    judged = quieter.fit_transform(small)
    assert isinstance(judged, wanted)
    assert np.asarray(judged["silence_score"]).dtype == np.float64
    assert set(judged["basis"]) == {"population", "one own gap", "own gaps"}


@quiet
def test_scores_and_silence_work_in_pipelines_searches_and_column_transformers(summary):
    y = (summary["n_orders"] > 1).to_numpy().astype(int)
    both = ColumnTransformer(
        [
            ("rfm", RFMTransformer(), ["silence", "n_orders", "total_value"]),
            (
                "quiet",
                SilenceScorer(words=False),
                ["silence", "n_gaps", "gap_max", "gap_sum", "n_gaps_shorter"],
            ),
        ]
    )
    pipe = make_pipeline(both, LogisticRegression())
    assert cross_val_score(pipe, summary, y, cv=3).mean() > 0.9
    assert list(both.fit(summary).get_feature_names_out()) == [
        *("rfm__R", "rfm__F", "rfm__M"),
        *("quiet__silence_score", "quiet__rank_ratio", "quiet__n_own_gaps"),
    ]
    search = GridSearchCV(
        make_pipeline(RFMTransformer(), LinearRegression()),
        {"rfmtransformer__n_bins": [3, 5], "rfmtransformer__method": ["independent", "nested"]},
        cv=2,
    ).fit(summary, summary["total_value"])
    assert search.best_score_ > 0.1


@quiet
def test_a_fitted_transformer_is_small_and_travels(summary):
    model = RFMTransformer().fit(summary)
    data = pickle.dumps(model)
    assert len(data) < 3000
    assert pickle.loads(data).transform(summary).equals(model.transform(summary))


@quiet
def test_drift_tells_a_shift_from_none(summary):
    model = RFMTransformer().fit(summary)
    same = model.drift(summary)
    assert same.stability == (0.0, 0.0, 0.0)
    assert same.moved_any == 0.0
    later = model.drift(summary.assign(silence=summary["silence"] + 60))
    assert later.stability[0] > 0.25
    assert later.stability[1:] == (0.0, 0.0)
    assert later.moved[0] > 0.1
    assert "silence: stability index" in str(later)
    assert later.to_frame()["change"].tolist() == ["much change", "little change", "little change"]


@quiet
@pytest.mark.parametrize("n_bins", [3, 4, 5])
def test_a_new_one_time_buyer_is_always_a_new_customer(summary, n_bins):
    model = RFMTransformer(n_bins=n_bins, unit="D").fit(summary)
    spend = np.array([0.01, 30.0, 1e6])
    newest = pd.DataFrame({"silence": 0.0, "n_orders": 1, "total_value": spend})
    names = SegmentMap.ready(n_bins).assign(model.transform(newest))
    assert (names == "new customers").all()
    assert (model.segments(newest) == "recent, fewest orders").all()
    assert (model.segments(newest, segment_map=SegmentMap.ready(n_bins)) == names).all()
    assert "新客户" in SegmentMap.ready(n_bins).names("zh")
    with pytest.raises(ValueError, match="ready map only for R, F and M with equal n_bins"):
        RFMTransformer(n_bins={"F": 2}, unit="D").fit(summary).segments(newest)


cells = st.integers(2, 4)


@given(cells, cells, st.data())
def test_a_map_is_accepted_exactly_when_every_cell_has_one_segment(r, f, data):
    owner = data.draw(st.lists(st.integers(0, 2), min_size=r * f, max_size=r * f))
    extra = data.draw(st.booleans())
    rules = {}
    for i in range(r):
        for j in range(f):
            name = f"s{owner[i * f + j]}"
            rules.setdefault(name, []).append({"R": i + 1, "F": j + 1})
    if extra:
        rules["again"] = {"R": 1, "F": 1}
        with pytest.raises(DataContractError, match="doubly-covered-cells: cells 11 have"):
            SegmentMap(rules, {"R": r, "F": f}, letters=("R", "F"), new=None)
        return
    made = SegmentMap(rules, {"R": r, "F": f}, letters=("R", "F"), new=None)
    assert [made.assign([[1, 1]])[0]] == [f"s{owner[0]}"]
    first = next(iter(rules))
    broken = {**rules, first: rules[first][1:]}
    with pytest.raises(DataContractError, match="uncovered-cells"):
        SegmentMap(broken, {"R": r, "F": f}, letters=("R", "F"), new=None)


def test_a_map_that_puts_new_customers_elsewhere_is_refused():
    rules = {"quiet": {"R": 1}, "recent": {"R": 2}}
    with pytest.raises(DataContractError, match="there is no segment 'new customers'"):
        SegmentMap(rules, 2)
    with pytest.raises(DataContractError, match="211, 212 are not in 'quiet'"):
        SegmentMap(rules, 2, new="quiet")
    with pytest.raises(DataContractError, match=r"R from 1 to 3. Scores of R go from 1 to 2"):
        SegmentMap({"all": {"R": (1, 3)}}, 2, new=None)


@quiet
def test_the_table_of_segments_has_their_bounds_as_numbers_and_adds_up(summary):
    model = RFMTransformer().fit(summary)
    table = model.segment_table(summary)
    assert table["customers"].sum() == len(summary)
    assert table["total_value"].sum() == pytest.approx(summary["total_value"].sum())
    assert table["scores"][0] == "R4-5 F4-5 M4-5"
    inside = np.ones(len(summary), dtype=bool)
    for name in ("silence", "n_orders", "total_value"):
        low, high = table.loc[0, [f"{name}_above", f"{name}_up_to"]]
        inside &= ((summary[name] > low) & (summary[name] <= high)).to_numpy()
    assert (inside == (model.segments(summary) == table["segment"][0])).all()


@quiet
def test_every_customer_lies_in_exactly_one_of_the_bounds_of_their_segment(summary):
    model = RFMTransformer().fit(summary)
    name = model.segments(summary)
    found = np.zeros(len(summary), dtype=int)
    for _, box in SegmentMap.ready(5, plain=True).bounds(model).iterrows():
        inside = name == box["segment"]
        for column in ("silence", "n_orders", "total_value"):
            value = summary[column].to_numpy()
            inside &= (value > box[f"{column}_above"]) & (value <= box[f"{column}_up_to"])
        found += inside
    assert (found == 1).all()


@quiet
def test_the_table_of_segments_needs_no_customers_and_speaks_chinese(summary):
    model = RFMTransformer().fit(summary)
    bare, said = model.segment_table(), model.segment_table(summary, language="zh")
    assert "customers" not in bare
    assert bare.select_dtypes("number").shape[1] == 6
    assert said.iloc[0, 0] == "近期下单、多单、高额"
    assert not [name for name in said.columns if name.isascii()]
    nested = RFMTransformer(method="nested", unit="D").fit(summary).segment_table()
    assert nested["total_value_above"].isna().any()


def test_the_description_says_why_a_segment_is_empty():
    table = pd.DataFrame(
        {"silence": [1.0, 2.0, 3.0, 4.0], "n_orders": [1, 1, 2, 3], "total_value": [4.0, 3, 2, 1]}
    )
    model = RFMTransformer(method="fixed", cuts={"R": [2.5], "F": [1, 3], "M": [2.5]}).fit(table)
    rules = {f"F{f}": {"F": f} for f in (1, 2, 3)}
    plain = SegmentMap(rules, {"R": 2, "F": 3, "M": 2}, new=None)
    assert model.segment_table(table, segment_map=plain)["note"].tolist() == ["", "", "nobody now"]
    # two in four bought once, so the cuts at a third and two thirds are both 1: F = 2 is nobody's
    with pytest.warns(BinWarning):
        tied = RFMTransformer(n_bins={"R": 2, "F": 3, "M": 2}).fit(
            table.assign(n_orders=[1, 1, 1, 3])
        )
    assert reachable_cells(tied.variables_).any(axis=(0, 2)).tolist() == [True, False, True]
    with pytest.warns(EmptySegmentWarning, match="no customer can ever be in 'F2'"):
        card = tied.segment_table(table, segment_map=plain, language="zh")
    assert card["备注"].tolist() == ["", "无法到达", ""]


@quiet
def test_a_description_takes_letters_in_any_order_and_refuses_other_numbers_of_scores(summary):
    halves = SegmentMap({"quiet": {"R": 1}, "recent": {"R": (2, 3)}}, {"R": 3}, ("R",), new=None)
    columns = {"L": "T", "M": "total_value", "R": "silence"}
    model = RFMTransformer(columns=columns, n_bins={"L": 2, "M": 4, "R": 3}).fit(summary)
    card = model.segment_table(summary, segment_map=halves)
    assert card["customers"].sum() == len(summary)
    assert card["note"].tolist() == ["", ""]
    with pytest.raises(ValueError, match=r"scores \{'R': 5.*use the same letters and n_bins"):
        RFMTransformer().fit(summary).segment_table(summary, segment_map=halves)
    with pytest.raises(DataContractError, match="no column 'profit'"):
        model.segment_table(summary, segment_map=halves, value="profit")


@pytest.mark.parametrize("scores", [(1.5, 2), True, "1", (1, 2, 2)])
def test_a_rule_is_made_of_whole_scores(scores):
    with pytest.raises(
        DataContractError, match=r"score-type: the rule of 'a' has R: .*whole score"
    ):
        SegmentMap({"a": {"R": scores}}, 2, new=None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cuts": ["30D", "60D"]}, r"cuts\['F'\] has '30D', but F is not a time"),
        ({"cuts": 5}, "cuts=5 must be 'cycle', a mapping of letters, or a sequence"),
        ({"less_is_better": ("Q",)}, r"less_is_better names \['Q'\]"),
        ({"weights": "best"}, "must be numbers, 'equal' or 'learn'"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(summary, change, words):
    with pytest.raises(ValueError, match=words):
        RFMTransformer(**change).fit(summary)


@quiet
@pytest.mark.parametrize("method", ["independent", "nested"])
def test_every_cell_that_a_customer_has_is_reachable(summary, method):
    model = RFMTransformer(method=method).fit(summary)
    cells = tuple(model.transform(summary).to_numpy().T - 1)
    reached = reachable_cells(model.variables_)
    assert reached[cells].all()
    # three in five bought once, so that nobody can have F = 2 in the whole
    assert reached.any(axis=(0, 2)).tolist() == [True, method == "nested", True, True, True]


def test_one_sequence_of_cuts_serves_all_variables_and_equal_weights_add_up():
    answers = pd.DataFrame({"silence": [1, 3, 5], "n_orders": [1, 2, 4], "total_value": [5, 4, 1]})
    model = RFMTransformer(method="fixed", cuts=[2, 4], weights="equal").fit(answers)
    scores = model.transform(answers)
    assert scores[["R", "F", "M"]].to_numpy().tolist() == [[3, 1, 3], [2, 1, 2], [1, 2, 1]]
    assert scores["score"].tolist() == [7.0, 5.0, 4.0]


def test_a_single_score_has_all_the_weight():
    assert learned_weights([[1], [2]], [5, 1]).tolist() == [1.0]
    with pytest.raises(ValueError, match="there is 1 sample"):
        learned_weights([[1, 2]], [5])


def test_nested_scoring_warns_of_groups_with_too_few_values(summary):
    with pytest.warns(BinWarning, match=r"n_orders \(F\): .* fewer in 4 groups"):
        RFMTransformer(method="nested").fit(summary)


@quiet
def test_a_table_in_another_unit_of_time_is_refused(cdnow_sample, summary):
    weeks = cv.summarize(cdnow_sample, as_of="1998-06-30", unit="W", **NAMES)
    for model in (RFMTransformer(), SilenceScorer(), SilenceScorer(method="shrunk")):
        model.fit(summary)
        with pytest.raises(TimeUnitError, match=r"time in 'W', but this .* was fitted in 'D'"):
            model.transform(weeks)
    with pytest.raises(TimeUnitError, match="time in 'W', but unit= in 'D'"):
        SilenceScorer(unit="D").fit(weeks)
