"""Target markets: published examples, and what a ranking must obey."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.exceptions import BinWarning, DataContractError, DataWarning, NotSupportedError
from custvalue.market import TargetMarketRanker, pair_weights

FOUR = pd.DataFrame(
    {
        "market": ["auto", "electronics", "retail", "medical"],
        "size": [120, 80, 300, 40],
        "growth": [0.12, 0.25, 0.03, 0.18],
        "competition": [0.35, 0.20, 0.60, 0.15],
        "margin": [0.30, 0.35, 0.18, 0.40],
        "channel": [4, 3, 5, 2],
        "tech": [5, 4, 3, 2],
    }
)
A = {"size": 0.3, "growth": 0.3, "competition": -0.2, "margin": 0.2}
F = {"channel": 0.5, "tech": 0.5}
FIT_ANCHORS = {"channel": (1, 5), "tech": (1, 5)}
ANCHORS = FIT_ANCHORS | {
    "size": (0, 400),
    "growth": (0, 0.3),
    "competition": (0, 1),
    "margin": (0, 0.5),
}
ALL = {"attractiveness": A, "resource_fit": F, "market": "market"}
FIGHTERS = np.array(
    [
        [2.0, 1500, 20000, 5.5, 5, 9],
        [2.5, 2700, 18000, 6.5, 3, 5],
        [1.8, 2000, 21000, 4.5, 7, 7],
        [2.2, 1800, 20000, 5.0, 5, 5],
    ]
)
FIGHTER_WEIGHTS = {
    "mach": 0.2,
    "range": 0.1,
    "load": 0.1,
    "cost": -0.1,
    "ease": 0.2,
    "agility": 0.3,
}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("topsis", [0.643277, 0.268384, 0.613542, 0.312291]),
        ("saw", [0.573810, 0.3, 0.591667, 0.380952]),
    ],
)
def test_hwang_and_yoons_fighters(method, expected):
    table = pd.DataFrame(FIGHTERS, columns=list(FIGHTER_WEIGHTS))
    ranker = TargetMarketRanker(attractiveness=FIGHTER_WEIGHTS, method=method).fit(table)
    found = ranker.transform(table)
    np.testing.assert_allclose(found[:, 0], expected, atol=6e-7)
    np.testing.assert_array_equal(found[:, 2], found[:, 0])  # one side alone is the priority


def test_saatys_pairs():
    found = pair_weights([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]], names=["a", "b", "c"])
    np.testing.assert_allclose([*found.weights.values()], [0.648329, 0.229651, 0.122020], atol=6e-7)
    assert found.eigenvalue == pytest.approx(3.003695, abs=6e-7)
    assert found.consistency_ratio == pytest.approx(0.003185, abs=6e-7)


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_consistent_pairs_give_back_their_weights(n, rng):
    weight = rng.dirichlet(np.ones(n))
    found = pair_weights(weight[:, None] / weight)
    np.testing.assert_allclose([*found.weights.values()], weight, rtol=1e-9)
    assert found.consistency_ratio == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "index"),
    [(3, 0.58), (4, 0.90), (5, 1.12), (6, 1.24), (7, 1.32), (8, 1.41), (9, 1.45), (10, 1.49)],
)
def test_consistency_is_held_against_saatys_random_index(n, index, rng):
    weight = rng.dirichlet(np.full(n, 5.0))
    pairs = weight[:, None] / weight
    pairs[0, 1], pairs[1, 0] = 1.4 * pairs[0, 1], pairs[1, 0] / 1.4
    top = np.linalg.eigvals(pairs).real.max()
    assert pair_weights(pairs).consistency_ratio == pytest.approx((top - n) / (n - 1) / index)


def test_contradicting_pairs_warn():
    with pytest.warns(DataWarning, match="contradict"):
        pair_weights([[1, 9, 1 / 9], [1 / 9, 1, 9], [9, 1 / 9, 1]])


@pytest.mark.parametrize(
    ("pairs", "names", "text"),
    [
        ([[1, 2]], None, "square"),
        ([[1, 2], [2, 1]], ["a", "b"], "a over b is 2, but b over a is 2; it must be 0.5"),
        ([[1, 0], [0, 1]], None, "above zero"),
        (np.ones((11, 11)), None, "ends at 10"),
        (np.ones((2, 2)), ["a", "a"], "2 different names"),
    ],
)
def test_pairs_that_cannot_be_are_refused(pairs, names, text):
    with pytest.raises(ValueError, match=text):
        pair_weights(pairs, names=names)


def test_four_markets_by_the_table_itself():
    found = TargetMarketRanker(**ALL, anchors=FIT_ANCHORS).fit(FOUR).rank_table(FOUR)
    np.testing.assert_allclose(
        found["attractiveness"], [0.435237, 0.678477, 0.3, 0.604545], atol=6e-7
    )
    np.testing.assert_allclose(found["resource_fit"], [0.875, 0.625, 0.75, 0.25])
    np.testing.assert_allclose(found["priority"], [0.611142, 0.657086, 0.48, 0.462727], atol=6e-7)
    assert found["cell"].tolist() == ["M-H", "H-M", "L-H", "M-L"]
    assert found["advice"].tolist() == ["invest", "invest", "select", "harvest"]
    assert found["rank"].tolist() == [2, 1, 3, 4]
    assert found["market"].tolist() == FOUR["market"].tolist()


def test_a_bad_market_moves_scores_by_the_table_and_leaves_anchored_ones_alone():
    bad = {"market": "mining", "size": 900, "growth": 0.02, "competition": 0.9, "margin": 0.05}
    five = pd.concat([FOUR, pd.DataFrame([bad | {"channel": 1, "tech": 1}])], ignore_index=True)
    by_table = TargetMarketRanker(**ALL, anchors=FIT_ANCHORS).fit(five).transform(five)[:4, 0]
    np.testing.assert_allclose(by_table, [0.447866, 0.672049, 0.258027, 0.608696], atol=6e-7)
    for table in (FOUR, five):
        anchored = TargetMarketRanker(**ALL, anchors=ANCHORS).fit(table).transform(table)[:4, 0]
        np.testing.assert_allclose(anchored, [0.46, 0.61, 0.407, 0.54])
    # and what was fitted once stays
    ranker = TargetMarketRanker(**ALL).fit(FOUR)
    np.testing.assert_array_equal(ranker.transform(five)[:4], ranker.transform(FOUR))


def test_first_places_over_all_weights():
    ranker = TargetMarketRanker(**ALL, anchors=FIT_ANCHORS).fit(FOUR)
    found = ranker.acceptability_table(FOUR, n_draws=200_000, random_state=1)
    np.testing.assert_allclose(found["rank_1"], [0.110, 0.746, 0.143, 0.001], atol=0.003)
    ranks = found[[f"rank_{r}" for r in range(1, 5)]]
    np.testing.assert_allclose(ranks.sum(axis=1), 1.0)
    np.testing.assert_allclose(ranks.sum(axis=0), 1.0)
    again = ranker.acceptability_table(FOUR, n_draws=200_000, random_state=1)
    pd.testing.assert_frame_equal(found, again)


def test_firm_weights_leave_the_order_as_it_is():
    ranker = TargetMarketRanker(**ALL, anchors=FIT_ANCHORS).fit(FOUR)
    found = ranker.acceptability_table(FOUR, concentration=np.inf, n_draws=10)
    assert found["expected_rank"].tolist() == [2, 1, 3, 4]
    loose = ranker.acceptability_table(FOUR, concentration=10.0, n_draws=5_000, random_state=0)
    firm = ranker.acceptability_table(FOUR, concentration=300.0, n_draws=5_000, random_state=0)
    assert firm["rank_1"][1] > loose["rank_1"][1] > 0.5


def test_an_uncertain_criterion_makes_the_order_uncertain():
    table = FOUR.assign(growth_se=[0.1, 0.1, 0.0, 0.0])
    ranker = TargetMarketRanker(**ALL, anchors=ANCHORS).fit(table)
    sure = ranker.acceptability_table(table, concentration=np.inf, n_draws=500, random_state=0)
    found = ranker.acceptability_table(
        table,
        concentration=np.inf,
        standard_errors={"growth": "growth_se"},
        n_draws=500,
        random_state=0,
    )
    assert sure["rank_1"].max() == 1.0
    assert 0.05 < found["rank_1"].drop(sure["rank_1"].idxmax()).max() < 0.95
    with pytest.raises(ValueError, match=r"'growht' is no criterion.*Did you mean 'growth'"):
        ranker.acceptability_table(table, standard_errors={"growht": "growth_se"})


def test_size_must_reach_435_thousandths_before_auto_leads():
    found = TargetMarketRanker(**ALL, anchors=FIT_ANCHORS).fit(FOUR).switching_table(FOUR)
    size = found.set_index("criterion").loc["size"]
    assert size["switches_at"] == pytest.approx(0.435, abs=5e-4)
    assert (size["new_first"], size["first_now"]) == ("auto", "electronics")


@pytest.mark.parametrize("anchors", [FIT_ANCHORS, ANCHORS])
def test_the_lead_changes_at_the_switching_weight_and_not_before(anchors):
    ranker = TargetMarketRanker(**ALL, anchors=anchors).fit(FOUR)
    for row in ranker.switching_table(FOUR).itertuples():
        if np.isnan(row.switches_at):
            continue
        step = 1e-6 * np.sign(row.switches_at - row.weight)
        leads = []
        for weight in (row.switches_at - step, row.switches_at + step):
            if not 0 < weight < 1:
                continue
            changed = dict(ALL)
            if row.criterion == "attractiveness_weight":
                changed["attractiveness_weight"] = weight
            else:
                side = dict(ALL[row.side])
                rest = sum(abs(w) for name, w in side.items() if name != row.criterion)
                changed[row.side] = {
                    name: np.sign(w) * (weight if name == row.criterion
                                        else abs(w) * (1 - weight) / rest)
                    for name, w in side.items()
                }  # fmt: skip
            table = TargetMarketRanker(**changed, anchors=anchors).fit(FOUR).rank_table(FOUR)
            leads.append(table["market"][table["priority"].idxmax()])
        assert leads[0] == row.first_now
        assert leads[1:] in ([], [row.new_first])


def test_a_criterion_turned_round_with_its_sign_scores_the_same():
    turned = FOUR.assign(competition=-FOUR["competition"])
    other = ALL | {"attractiveness": A | {"competition": 0.2}}
    for method in ("saw", "product", "topsis"):
        one = TargetMarketRanker(**ALL, method=method).fit(FOUR).transform(FOUR)
        two = TargetMarketRanker(**other, method=method).fit(turned).transform(turned)
        np.testing.assert_allclose(one, two)


def test_the_best_in_all_is_first_and_the_worst_in_all_last():
    table = pd.DataFrame({"a": [1.0, 3.0, 2.0], "b": [9.0, 2.0, 5.0], "c": [0.1, 0.9, 0.5]})
    sides = {"attractiveness": {"a": 2, "b": -1}, "resource_fit": {"c": 5}}
    for method in ("saw", "product", "topsis"):
        found = TargetMarketRanker(**sides, method=method).fit(table).rank_table(table)
        assert found["rank"].tolist() == [3, 1, 2]
        np.testing.assert_allclose(found["priority"][:2], [0.0, 1.0])


def test_one_criterion_at_its_worst_ruins_a_product_only():
    table = pd.DataFrame({"a": [0.0, 5.0, 10.0], "b": [10.0, 5.0, 10.0], "c": [1.0, 1.0, 0.0]})
    sides = {"attractiveness": {"a": 1, "b": 1}, "resource_fit": {"c": 1}}
    anchors = {"a": (0, 10), "b": (0, 10)}
    saw = TargetMarketRanker(**sides, anchors=anchors).fit(table).transform(table)
    product = TargetMarketRanker(**sides, anchors=anchors, method="product").fit(table)
    np.testing.assert_allclose(saw[:, 0], [0.5, 0.5, 1.0])
    np.testing.assert_allclose(product.transform(table)[:, 0], [0.0, 0.5, 1.0])


def test_strengths_weaknesses_opportunities_and_threats_are_the_same_table():
    """Rated 1 to 5; internal factors are fit, external ones attractiveness, threats count less."""
    lines = pd.DataFrame(
        {"line": ["pumps", "valves"], "brand": [5, 2], "staff turnover": [2, 4],
         "demand": [4, 3], "new rivals": [1, 5]}
    )  # fmt: skip
    ranker = TargetMarketRanker(
        attractiveness={"demand": 0.7, "new rivals": -0.3},
        resource_fit={"brand": 0.6, "staff turnover": -0.4},
        anchors=dict.fromkeys(("brand", "staff turnover", "demand", "new rivals"), (1, 5)),
        market="line",
    ).fit(lines)
    found = ranker.rank_table(lines).set_index("market")
    pumps = 0.7 * 0.75 + 0.3 * 1.0, 0.6 * 1.0 + 0.4 * 0.75
    valves = 0.7 * 0.5 + 0.3 * 0.0, 0.6 * 0.25 + 0.4 * 0.25
    for name, sides in (("pumps", pumps), ("valves", valves)):
        assert found.loc[name, ["attractiveness", "resource_fit"]].tolist() == pytest.approx(sides)
    assert found["rank"].to_dict() == {"pumps": 1, "valves": 2}


def test_equal_priorities_share_a_rank():
    table = pd.DataFrame({"a": [1.0, 1.0, 0.0], "b": [1.0, 1.0, 0.0]})
    ranker = TargetMarketRanker(attractiveness={"a": 1}, resource_fit={"b": 1}).fit(table)
    assert ranker.rank_table(table)["rank"].tolist() == [1, 1, 3]


def test_tables_speak_chinese_and_keep_their_kind():
    ranker = TargetMarketRanker(**ALL).fit(FOUR)
    found = ranker.rank_table(FOUR, language="zh")
    assert found.columns.tolist() == [
        "市场", "吸引力", "资源匹配度", "优先级得分", "名次", "单元格", "建议"
    ]  # fmt: skip
    assert set(found["建议"]) <= {"重点开发", "选择发展", "收获或放弃"}
    assert "名次_1" in ranker.acceptability_table(FOUR, n_draws=5, language="zh").columns
    assert "转折权重" in ranker.switching_table(FOUR, language="zh").columns
    assert ranker.criteria_table(language="zh")["方向"].tolist()[2] == "越小越好"
    polars = pl.from_pandas(FOUR)
    assert type(ranker.rank_table(polars)) is pl.DataFrame
    assert ranker.rank_table(polars)["priority"].to_list() == pytest.approx(found["优先级得分"])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"method": "ahp"}, ValueError, "method='ahp' must be one of"),
        ({"attractiveness_weight": 60}, ValueError, "between 0 and 1"),
        ({"cuts": (0.7, 0.3)}, ValueError, "two rising numbers"),
        ({"attractiveness": {"size": 0.0}}, ValueError, "size must have a finite weight"),
        ({"attractiveness": {"channel": 1.0}}, ValueError, "channel may stand on one side"),
        ({"attractiveness": {"sizex": 1.0}}, DataContractError, "no column 'sizex'"),
        (
            {"anchors": {"sizex": (0, 1)}},
            ValueError,
            "'sizex' is no criterion. Did you mean 'size'",
        ),
        ({"anchors": {"size": (5, 1)}}, ValueError, "the lower first"),
        ({"attractiveness": ["size"]}, ValueError, "must give each criterion a weight"),
        ({"attractiveness": {"size": "big"}}, ValueError, "size must have a finite weight"),
    ],
)
def test_options_that_cannot_be_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        TargetMarketRanker(**(ALL | options)).fit(FOUR)


def test_gaps_in_a_criterion_name_column_and_row():
    table = FOUR.assign(growth=[0.1, np.nan, 0.2, 0.3])
    with pytest.raises(DataContractError, match=r"'growth'.*\(1 row, first: 1\)"):
        TargetMarketRanker(**ALL).fit(table)


def test_a_criterion_with_one_value_warns():
    with pytest.warns(BinWarning, match="tech has one value"):
        ranker = TargetMarketRanker(**ALL).fit(FOUR.assign(tech=3))
    assert ranker.criteria_table().set_index("criterion").loc["tech", "low"] == 3


def test_what_needs_straight_lines_says_so():
    ranker = TargetMarketRanker(**ALL, method="topsis").fit(FOUR)
    with pytest.raises(NotSupportedError, match="acceptability_table"):
        ranker.switching_table(FOUR)
    assert ranker.acceptability_table(FOUR, n_draws=50, random_state=0)["rank_1"].sum() == 1.0


def test_a_market_column_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"no column 'markt'.*Did you mean 'market'"):
        TargetMarketRanker(**(ALL | {"market": "markt"})).fit(FOUR).rank_table(FOUR)


def test_set_output_and_clone():
    ranker = clone(TargetMarketRanker(**ALL)).set_output(transform="pandas").fit(FOUR)
    assert ranker.transform(FOUR).columns.tolist() == ["attractiveness", "resource_fit", "priority"]


@pytest.mark.parametrize("method", ["saw", "product", "topsis"])
def test_a_ranker_goes_through_json(method):
    ranker = TargetMarketRanker(**ALL, method=method, anchors=FIT_ANCHORS).fit(FOUR)
    again = TargetMarketRanker.from_dict(json.loads(json.dumps(ranker.to_dict())))
    pd.testing.assert_frame_equal(again.rank_table(FOUR), ranker.rank_table(FOUR))
    pd.testing.assert_frame_equal(again.criteria_table(), ranker.criteria_table())


# constant and tiny columns are worth a warning, and the checks are full of them
@pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
@parametrize_with_checks([TargetMarketRanker(), TargetMarketRanker(method="topsis")])
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)
