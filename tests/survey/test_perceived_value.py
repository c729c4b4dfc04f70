"""Perceived value: worked examples, laws of the value map, ratings that cannot be read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.base import clone

from custvalue.exceptions import (
    DataContractError,
    DataWarning,
    NotSupportedError,
    SignWarning,
    SmallSampleWarning,
)
from custvalue.survey import PerceivedValue, derived_importance, dimensions

BENEFITS, SACRIFICES = ["product", "service", "brand_image"], ["price", "terms"]
WEIGHTS = {"product": 0.5, "service": 0.3, "brand_image": 0.2, "price": 0.8, "terms": 0.2}
MEANS = {"us": (8, 7, 9, 6, 7), "A": (7, 8, 6, 8, 7), "B": (6, 6, 6, 9, 8)}


def rated(means, n=20):
    """``n`` respondents who all answer the means."""
    rows = [
        {"id": i, "brand": brand, **dict(zip([*BENEFITS, *SACRIFICES], answers, strict=True))}
        for i in range(n)
        for brand, answers in means.items()
    ]
    return pd.DataFrame(rows)


def three(**options):
    given = {"weights": WEIGHTS, "quality_weight": 0.6, "scale": (1, 10), "n_draws": 50}
    return PerceivedValue(
        benefits=BENEFITS, sacrifices=SACRIFICES, respondent="id", **given | options
    )


@pytest.fixture(scope="module")
def fitted():
    return three().fit(rated(MEANS))


def scattered(seed=0, n=30, brands=("us", "A", "B"), waves=None):
    """Answers from 1 to 5 that differ between respondents and brands, with an outcome."""
    random = np.random.default_rng(seed)
    rows = []
    for wave in waves or [None]:
        for i in range(n):
            for b, brand in enumerate(brands):
                x = np.clip(np.round(random.normal(3 + 0.3 * b, 1, 5)), 1, 5)
                row = {"id": i, "brand": brand}
                row |= dict(zip([*BENEFITS, *SACRIFICES], x, strict=True))
                row["liking"] = x @ [0.5, 0.2, 0.1, 0.3, 0.1] + random.normal(0, 0.3)
                rows.append(row if wave is None else row | {"wave": wave})
    return pd.DataFrame(rows)


# -- worked examples --


def test_gales_profile_of_a_chicken_brand():
    """Six benefits on 1 to 10: the arithmetic is ours.

    The numbers are recalled from the book; its page was looked for in public text and not found.
    """
    weights = dict(zip("abcdef", [10, 20, 20, 15, 10, 25], strict=True))
    ours = dict(zip("abcdef", [8.1, 9.0, 9.2, 8.0, 8.0, 9.4], strict=True))
    others = dict(zip("abcdef", [7.2, 7.3, 6.5, 8.0, 8.0, 6.4], strict=True))
    rows = [{"brand": "ours", **ours, "price": 5.0}, {"brand": "others", **others, "price": 5.0}]
    ratings = pd.DataFrame(rows * 20)
    value = PerceivedValue(
        benefits=list("abcdef"),
        sacrifices=["price"],
        scale=(1, 10),
        weights=weights | {"price": 1},
        quality_weight=0.5,
        n_draws=10,
    ).fit(ratings)
    means = value.value_map_.means[0]
    ratios = (means[0] / means[1])[:-1]
    assert ratios == pytest.approx([1.125, 1.232877, 1.415385, 1, 1, 1.46875], abs=5e-7)
    assert value.value_map_table()["relative_quality"][0] == pytest.approx(1.259340, abs=5e-7)
    w = np.array([value.weights_[k] for k in "abcdef"])
    assert means[:, :-1] @ w == pytest.approx([8.80, 7.08])


def test_the_value_map_of_three_brands(fitted):
    table = fitted.value_map_table().set_index("brand")
    wanted = {
        "us": (1.215385, 0.751373, 1.330898, 1.323077, -0.007821, 76.666667, 42.222222, 29.111111),
        "A": (1.029231, 1.040000, 0.961538, 1.043846, 0.082308, 67.777778, 24.444444, 30.888889),
        "B": (0.800000, 1.257143, 0.795455, 0.700000, -0.095455, 55.555556, 13.333333, 28.000000),
    }
    columns = [
        "relative_quality",
        "price_competitiveness",
        "relative_price",
        "fair_relative_price",
        "advantage",
        "benefit_index",
        "burden_index",
        "net_value",
    ]
    for brand, numbers in wanted.items():
        assert table.loc[brand, columns].to_list() == pytest.approx(numbers, abs=5.1e-7)
    assert table["n"].to_list() == [20, 20, 20]
    assert table["highest_share"].to_list() == [0.0, 1.0, 0.0]


def test_the_gap_table_of_us_against_a(fitted):
    table = fitted.gap_table("us", "A").set_index("attribute")
    assert table["contribution"].to_list() == pytest.approx(
        [3.333333, -2, 4, -7.111111, 0, -1.777778], abs=5e-7
    )
    assert table["improve"].to_list()[:5] == pytest.approx(
        [100 * w / 9 for w in (0.6 * 0.5, 0.6 * 0.3, 0.6 * 0.2, 0.4 * 0.8, 0.4 * 0.2)]
    )


def test_the_restaurants(restaurants):
    names = ["taste", "speed", "variety", "clean", "conv", "healthy"]
    weights = derived_importance(
        restaurants[names], restaurants["pref"], respondent=restaurants["id"], n_draws=10
    ).weights
    value = PerceivedValue(
        benefits=names,
        sacrifices=["value"],
        scale=(1, 5),
        brand="rest",
        respondent="id",
        weights=weights | {"value": 1.0},
        quality_weight=0.6,
        n_draws=200,
    ).fit(restaurants)
    table = value.value_map_table().set_index("brand")
    wanted = {  # made with weights rounded to four digits
        "Chipotle": 0.379,
        "Wendy's": 0.113,
        "Subway": 0.038,
        "Jimmy John's": 0.020,
        "Mr. Spots": -0.105,
        "Taco Bell": -0.105,
        "Qdoba": -0.155,
        "McDonald's": -0.189,
    }
    assert table["advantage"].to_dict() == pytest.approx(wanted, abs=6e-4)
    liking = restaurants.groupby("rest")["pref"].mean()
    assert table["relative_quality"].corr(liking) == pytest.approx(0.868, abs=5e-4)

    points = value.proposition_table("Chipotle", "Qdoba").set_index("attribute")
    wanted = {
        "taste": (0.825, 0.537, "point of difference"),
        "conv": (0.875, 0.442, "point of difference"),
        "value": (0.600, 0.457, "point of difference"),
        "speed": (-0.225, 0.425, "point of parity"),
        "variety": (-0.100, 0.389, "point of parity"),
        "clean": (0.125, 0.349, "point of parity"),
        "healthy": (0.325, 0.379, "point of parity"),
    }
    for name, (difference, half, kind) in wanted.items():
        row = points.loc[name]
        assert row["difference"] == pytest.approx(difference)
        assert row["high"] - row["difference"] == pytest.approx(half, abs=5.1e-4)
        assert (row["kind"], row["pairs"]) == (kind, 40)
    assert points.index[points["important"]].to_list() == ["taste", "value"]


def test_the_call_that_an_analyst_makes_on_the_restaurants(restaurants):
    value = PerceivedValue(
        benefits=["taste", "speed"], sacrifices=["value"], scale=(1, 5), brand="rest",
        respondent="id", outcome="pref", weights="derived", quality_weight=0.6, n_draws=50,
    ).fit(restaurants)  # fmt: skip
    table = value.value_map_table(language="zh")
    assert list(table["品牌"]) == list(restaurants["rest"].unique())
    assert list(table.columns[1:5]) == ["相对质量", "价格竞争力", "相对价格", "公允相对价格"]
    gaps = value.gap_table(focal="Subway", against="Chipotle").set_index("attribute")
    net = value.value_table().set_index("brand")["net_value"]
    assert gaps["contribution"]["total"] == pytest.approx(net["Subway"] - net["Chipotle"])
    mean = restaurants.groupby("rest")[["taste", "speed", "value"]].mean()
    apart = 25 * (mean.loc["Subway"] - mean.loc["Chipotle"])  # five points are 0 to 100
    weight = {k: w * (0.4 if k == "value" else 0.6) for k, w in value.weights_.items()}
    for name, w in weight.items():
        assert gaps["contribution"][name] == pytest.approx(w * apart[name])


# -- laws --


def test_gaps_add_up_to_the_difference_of_net_values_against_one_and_against_all():
    value = three(scale=(1, 5)).fit(scattered())
    net = value.value_table().set_index("brand")["net_value"]
    against_a = value.gap_table("us", "A").set_index("attribute")["contribution"]
    assert against_a["total"] == pytest.approx(net["us"] - net["A"], abs=1e-10)
    assert against_a.drop("total").sum() == pytest.approx(against_a["total"], abs=1e-10)
    of_all = value.gap_table("us").set_index("attribute")["contribution"]["total"]
    assert of_all == pytest.approx(net["us"] - net[["A", "B"]].mean(), abs=1e-10)


def test_values_do_not_change_when_the_scale_is_stretched_and_shifted_or_weights_have_other_units():
    ratings = scattered()
    attributes = [*BENEFITS, *SACRIFICES]
    stretched = ratings.assign(**{a: 7 * ratings[a] - 12 for a in attributes})
    heavy = {k: 40 * w for k, w in WEIGHTS.items()}
    one = three(scale=(1, 5)).fit(ratings).value_table()
    other = three(scale=(-5, 23), weights=heavy).fit(stretched).value_table()
    pd.testing.assert_frame_equal(one, other)


def test_identical_brands_have_relative_quality_and_price_one_and_no_advantage():
    same = rated(dict.fromkeys(("us", "A", "B"), (8, 7, 9, 6, 7)))
    table = three().fit(same).value_map_table()
    for name, wanted in (("relative_quality", 1), ("relative_price", 1), ("advantage", 0)):
        assert table[name].to_list() == pytest.approx([wanted] * 3)
    assert table["highest_share"].to_list() == pytest.approx([1 / 3] * 3)


def test_doubling_a_respondent_is_weight_two():
    ratings = scattered()
    twice = pd.concat([ratings, ratings[ratings["id"] == 3].assign(id=99)])
    options = {"scale": (1, 5), "weights": "derived", "outcome": "liking", "quality_weight": None}
    weight = np.where(ratings["id"] == 3, 2.0, 1.0)
    one = three(**options).fit(ratings, sample_weight=weight)
    other = three(**options).fit(twice)
    assert one.value_map_.means == pytest.approx(other.value_map_.means)
    assert one.weights_ == pytest.approx(other.weights_)
    assert one.quality_weight_ == pytest.approx(other.quality_weight_)


def test_derived_weights_are_those_of_derived_importance_and_q_the_share_of_benefits():
    ratings = scattered()
    names = [*BENEFITS, *SACRIFICES]
    shares = derived_importance(
        ratings[names], ratings["liking"], respondent=ratings["id"], n_draws=10
    ).r2_share
    value = three(scale=(1, 5), weights="derived", outcome="liking", quality_weight=None).fit(
        ratings
    )
    assert value.quality_weight_ == pytest.approx(shares[:3].sum() / shares.sum())
    wanted = [*shares[:3] / shares[:3].sum(), *shares[3:] / shares[3:].sum()]
    assert list(value.weights_.values()) == pytest.approx(wanted)
    table = value.weight_table()
    assert (table["low"] < table["weight"]).all()
    assert (table["weight"] < table["high"]).all()


def test_who_rated_one_brand_adds_nothing_to_derived_weights_and_is_counted():
    ratings = scattered()
    more = ratings.iloc[[0]].assign(id=99, product=5, liking=-9)
    gap = ratings.iloc[[1]].assign(id=98, liking=np.nan)
    options = {"scale": (1, 5), "weights": "derived", "outcome": "liking", "quality_weight": None}
    one = three(**options).fit(ratings)
    other = three(**options).fit(pd.concat([ratings, more, gap]))
    assert other.weights_ == pytest.approx(one.weights_)
    counts = other.value_map_.learned_from
    assert counts == {"rows": 91, "missing": 1, "respondents": 31, "single": 1}


def test_stated_weights_are_the_means_of_the_importance_answers():
    ratings = scattered(brands=("us", "A"))
    importance = {}
    for k, name in enumerate([*BENEFITS, *SACRIFICES]):
        ratings[f"imp_{name}"] = 1.0 + (ratings["id"] + k) % 5
        importance[name] = f"imp_{name}"
    value = three(scale=(1, 5), weights="stated", importance=importance).fit(ratings)
    once = ratings.drop_duplicates("id")[[*importance.values()]].mean().to_numpy()
    wanted = [*once[:3] / once[:3].sum(), *once[3:] / once[3:].sum()]
    assert list(value.weights_.values()) == pytest.approx(wanted)


def test_burdens_turned_round_are_satisfactions():
    ratings = scattered()
    burdens = ratings.assign(**{s: 6 - ratings[s] for s in SACRIFICES})
    one = three(scale=(1, 5)).fit(ratings).value_table()
    other = three(scale=(1, 5), sacrifices_are="burden").fit(burdens).value_table()
    pd.testing.assert_frame_equal(one, other)


def test_prices_take_the_place_of_rated_ones_and_give_advantages_in_money():
    value = three(price={"us": 12.0, "A": 10.0, "B": 8.0}).fit(rated(MEANS))
    table = value.value_map_table().set_index("brand")
    assert table["relative_price"].to_list() == pytest.approx([12 / 9, 1.0, 8 / 11])
    # charging the advantage more brings a brand onto the fair-value line
    fair = table["price"] + table["advantage_money"]
    assert (fair / [9.0, 10.0, 11.0]).to_list() == pytest.approx(
        table["fair_relative_price"].to_list()
    )


def test_market_shares_weigh_the_others():
    value = three(market_share={"us": 0.2, "A": 0.6, "B": 0.2}).fit(rated(MEANS))
    others = 0.75 * np.array(MEANS["A"]) + 0.25 * np.array(MEANS["B"])
    wanted = (np.array(MEANS["us"]) / others)[:3] @ [0.5, 0.3, 0.2]
    assert value.value_map_table()["relative_quality"][0] == pytest.approx(wanted)


def test_the_interval_of_net_value_is_students_where_weights_are_given():
    """One brand, many respondents: V is a mean, and the bootstrap must find its error."""
    ratings = scattered(n=400, brands=("us",))
    value = three(scale=(1, 5), n_draws=4000).fit(ratings)
    each = value.transform(ratings)[:, 2]
    interval = stats.t.interval(0.95, 399, each.mean(), stats.sem(each))
    row = value.value_table().iloc[0]
    assert (row["net_value_low"], row["net_value_high"]) == pytest.approx(interval, abs=0.12)


def test_paired_differences_are_those_of_the_paired_t_test():
    ratings = scattered()
    wide = ratings.pivot_table(index="id", columns="brand", values=BENEFITS[0])
    row = three(scale=(1, 5)).fit(ratings).proposition_table("us", "B").iloc[0]
    wanted = stats.ttest_rel(wide["us"], wide["B"]).confidence_interval(0.95)
    assert (row["low"], row["high"]) == pytest.approx((wanted.low, wanted.high))
    against_all = three(scale=(1, 5)).fit(ratings).proposition_table("us").iloc[0]
    wanted = stats.ttest_rel(wide["us"], wide[["A", "B"]].mean(axis=1)).confidence_interval(0.95)
    assert (against_all["low"], against_all["high"]) == pytest.approx((wanted.low, wanted.high))


def test_the_order_of_rows_changes_nothing():
    ratings = scattered()
    mixed = ratings.sample(frac=1.0, random_state=1)
    one = three(scale=(1, 5)).fit(ratings).value_map_table().sort_values("brand")
    other = three(scale=(1, 5)).fit(mixed).value_map_table().sort_values("brand")
    exact = [c for c in one if not c.endswith(("low", "high"))]
    pd.testing.assert_frame_equal(
        one[exact].reset_index(drop=True), other[exact].reset_index(drop=True)
    )


# -- rows and customers --


def test_every_row_gets_its_values_in_its_place():
    ratings = scattered().sample(frac=1.0, random_state=2)
    value = three(scale=(1, 5)).set_output(transform="pandas").fit(ratings)
    out = value.transform(ratings)
    assert list(out.columns) == ["benefit", "burden", "net_value", "relative_value"]
    assert out.index.equals(ratings.index)
    row = ratings.iloc[7]
    benefit = sum(WEIGHTS[a] * 25 * (row[a] - 1) for a in BENEFITS)
    burden = 100 - sum(WEIGHTS[a] * 25 * (row[a] - 1) for a in SACRIFICES)
    assert out.iloc[7, 0] == pytest.approx(benefit)
    assert out.iloc[7, 2] == pytest.approx(0.6 * benefit - 0.4 * burden)
    own = out[(ratings["id"] == row["id"]).to_numpy()]["net_value"]
    others = (own.sum() - out.iloc[7, 2]) / 2
    assert out.iloc[7, 3] == pytest.approx(out.iloc[7, 2] - others)


def test_an_unanswered_attribute_does_not_count_and_one_brand_alone_is_relative_to_none():
    ratings = scattered(brands=("us", "A"))
    value = three(scale=(1, 5)).fit(ratings)
    alone = pd.DataFrame(
        {"id": [1], "brand": ["us"], "product": [5], "service": [np.nan], "brand_image": [5],
         "price": [1], "terms": [1]}
    )  # fmt: skip
    out = value.transform(alone)[0]
    assert out[:3] == pytest.approx([100, 100, 20])
    assert np.isnan(out[3])


def test_means_of_the_rows_are_the_brands_where_everybody_answers_everything():
    ratings = scattered()
    value = three(scale=(1, 5)).fit(ratings)
    by_brand = pd.Series(value.transform(ratings)[:, 2]).groupby(ratings["brand"].to_numpy()).mean()
    table = value.value_table().set_index("brand")["net_value"]
    assert by_brand[table.index].to_list() == pytest.approx(table.to_list())


def test_one_row_a_customer_takes_the_last_wave():
    ratings = scattered(n=4, waves=[1, 2])
    with pytest.warns(SmallSampleWarning, match="us, 1"):
        value = three(scale=(1, 5), wave="wave").fit(ratings)
    table = value.customer_table(ratings, "us")
    assert table["id"].to_list() == [0, 1, 2, 3]
    last = ratings[(ratings["wave"] == 2) & (ratings["brand"] == "us")]
    rows = value.transform(ratings)[last.index.to_numpy()]
    assert table["net_value"].to_list() == pytest.approx(rows[:, 2].tolist())
    first = value.customer_table(ratings, "us", wave=1)
    assert first["net_value"].to_list() != pytest.approx(rows[:, 2].tolist())


# -- waves --


def test_changes_between_waves_are_paired_by_respondent():
    """The same answers twice, by the same people: no change, and no doubt of it."""
    once = scattered()
    both = pd.concat([once.assign(wave="before"), once.assign(wave="now")])
    table = three(scale=(1, 5), wave="wave").fit(both).wave_table()
    now = table[table["wave"] == "now"]
    assert now["change"].to_list() == pytest.approx([0, 0, 0])
    assert (now["change_high"] - now["change_low"]).to_list() == pytest.approx([0, 0, 0])
    assert now["n_both"].to_list() == [30, 30, 30]
    others = pd.concat([once.assign(wave="before"), once.assign(wave="now", id=once["id"] + 100)])
    apart = three(scale=(1, 5), wave="wave").fit(others).wave_table()
    assert (apart["change_high"] - apart["change_low"]).max() > 1


def test_waves_are_in_the_order_of_their_numbers():
    ratings = scattered(n=20, waves=[9, 10])
    assert three(scale=(1, 5), wave="wave").fit(ratings).value_map_.waves == ("9", "10")


def test_every_wave_has_its_own_map():
    ratings = scattered(n=20, waves=[1, 2])
    table = three(scale=(1, 5), wave="wave").fit(ratings).value_map_table()
    alone = three(scale=(1, 5)).fit(ratings[ratings["wave"] == 2]).value_map_table()
    exact = ["relative_quality", "advantage", "net_value"]
    pd.testing.assert_frame_equal(
        table.loc[table["wave"] == "2", exact].reset_index(drop=True), alone[exact]
    )


# -- keeping --


def test_a_fitted_value_goes_through_json_and_holds_no_respondent():
    ratings = scattered().assign(id=lambda t: "person-" + t["id"].astype(str))
    value = three(scale=(1, 5)).fit(ratings)
    text = json.dumps(value.to_dict())
    assert "person-" not in text
    again = PerceivedValue.from_dict(json.loads(text))
    pd.testing.assert_frame_equal(again.value_map_table(), value.value_map_table())
    pd.testing.assert_frame_equal(again.proposition_table("us"), value.proposition_table("us"))
    assert again.transform(ratings) == pytest.approx(value.transform(ratings))


def test_it_can_be_cloned_and_its_parameters_stay_as_given():
    value = three()
    assert clone(value).get_params() == value.get_params()


@pytest.mark.parametrize("table", ["value_map_table", "value_table", "weight_table"])
def test_every_heading_and_word_has_its_chinese(fitted, table):
    chinese = getattr(fitted, table)(language="zh")
    assert not [c for c in chinese.columns if c.isascii()]


def test_gaps_and_propositions_speak_chinese(fitted):
    gaps = fitted.gap_table("us", "A", language="zh")
    assert gaps["属性"].to_list() == [
        *BENEFITS,
        *SACRIFICES,
        "合计",
    ]  # names of the user's own stay
    assert set(gaps["得失"]) == {"感知利得", "感知利失", ""}
    points = fitted.proposition_table("us", "A", language="zh")
    assert set(points["类别"]) <= {"差异点", "相同点", "争议点"}


# -- edges and bad input --


def test_one_brand_has_a_value_and_nothing_relative():
    value = three(brand=None).fit(rated({"us": MEANS["us"]}))
    assert value.value_table()["net_value"].to_list() == pytest.approx([29.111111])
    for call in (
        value.value_map_table,
        lambda: value.gap_table("we"),
        lambda: value.proposition_table("we"),
    ):
        with pytest.raises(NotSupportedError, match="one brand, 'we'"):
            call()


def test_ratios_are_refused_where_the_scale_has_no_zero_below_it():
    value = three(scale=(0, 10)).fit(rated(MEANS))
    with pytest.raises(NotSupportedError, match="scale starts at 0"):
        value.value_map_table()
    assert len(value.gap_table("us", "A")) == 6


def test_a_brand_that_nobody_rated_is_left_out_with_a_warning():
    ratings = rated(MEANS)
    ratings.loc[ratings["brand"] == "B", [*BENEFITS, *SACRIFICES]] = np.nan
    with pytest.warns(DataWarning, match="nobody rated B: left out"):
        value = three().fit(ratings)
    assert value.brands_ == ("us", "A")


def test_a_brand_that_lacks_an_attribute_is_refused_by_name():
    ratings = rated(MEANS)
    ratings.loc[ratings["brand"] == "B", "terms"] = np.nan
    with pytest.raises(DataContractError, match="nobody rated B on terms"):
        three().fit(ratings)


def test_a_constant_outcome_has_no_derived_weights():
    ratings = rated(MEANS).assign(liking=3)
    with pytest.raises(ValueError, match="the outcome 'liking' does not vary within"):
        three(weights="derived", outcome="liking").fit(ratings)


def test_everything_wrong_with_the_ratings_is_told_together():
    ratings = rated(MEANS, n=3).astype({"id": object})
    ratings.loc[0, "product"] = 11
    ratings.loc[1, "price"] = 0
    ratings.loc[2, "brand"] = None
    ratings.loc[3, "id"] = None
    with pytest.raises(DataContractError) as caught:
        three().fit(ratings)
    codes = [p.code for p in caught.value.problems]
    assert codes == ["outside-scale", "outside-scale", "missing-brand", "missing-respondent"]
    with pytest.raises(DataContractError, match="rate a brand more than once"):
        three().fit(pd.concat([rated(MEANS), rated(MEANS)]))
    with pytest.raises(DataContractError, match=r"no column 'product'.*Did you mean 'product_'"):
        three().fit(rated(MEANS).rename(columns={"product": "product_"}))


def test_codes_of_no_answer_are_left_out():
    ratings = rated(MEANS)
    ratings.loc[0, "product"] = 0
    value = three(not_applicable=(0,)).fit(ratings)
    assert value.value_map_.means[0, 0, 0] == pytest.approx(8.0)


def test_a_reversed_item_is_named():
    ratings = scattered()
    ratings["product"] = 6 - ratings["product"]
    with pytest.warns(SignWarning, match="product"):
        three(scale=(1, 5), weights="derived", outcome="liking").fit(ratings)


def test_an_unknown_brand_is_told_the_nearest(fitted):
    with pytest.raises(ValueError, match=r"'u' is no brand.*Did you mean 'us'\?"):
        fitted.gap_table("u", "A")
    with pytest.raises(DataContractError, match="'C' is no brand of the fitted ratings"):
        fitted.transform(rated({"us": MEANS["us"], "C": MEANS["B"]}))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": None}, "stated, never guessed"),
        ({"quality_weight": None}, "say how much benefits count"),
        ({"quality_weight": 1.0}, "must lie between 0 and 1"),
        ({"weights": "importance"}, "'equal', 'stated', 'derived'"),
        ({"weights": {"product": 1.0}}, "at odds: brand_image, price, service, terms"),
        ({"weights": dict.fromkeys(WEIGHTS, -1.0)}, "must not be negative"),
        ({"weights": "stated"}, "importance must name every benefit"),
        ({"weights": "derived"}, "needs an outcome"),
        ({"sacrifices_are": "costs"}, "'satisfaction' or 'burden'"),
        ({"price": {"us": 1.0}}, "A, B missing"),
        ({"level": 95}, "level=95"),
        ({"n_draws": 1}, "n_draws=1"),
    ],
)
def test_parameters_that_cannot_be_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        three(**options).fit(rated(MEANS))


def test_presets_have_names_in_both_languages():
    assert len(dimensions("ravald_gronroos")) == 10
    assert dimensions("benefits", language="zh")["属性"].to_list() == ["功能", "经济", "情感"]
    with pytest.raises(ValueError, match="'perval'"):
        dimensions("servqual")
