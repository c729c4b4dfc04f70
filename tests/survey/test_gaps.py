"""Expectation gaps, importance against performance, Kano's classes, raking."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from custvalue.exceptions import DataContractError
from custvalue.survey import expectation_gap, importance_performance, kano_classes, rake
from custvalue.survey._estimate import effective_size

# -- expectation gap --

E, P, W = [6.5, 6.2, 6.8, 6.0, 6.4], [6.1, 6.3, 5.9, 5.8, 6.0], [11, 32, 22, 19, 16]


def test_gaps_by_dimension_plain_and_weighted():
    found = expectation_gap(E, P, W)
    assert found.gap == pytest.approx([-0.4, 0.1, -0.9, -0.2, -0.4])
    assert (found.plain, found.weighted) == pytest.approx((-0.36, -0.312))
    table = found.table("zh")
    assert table["题项"].iloc[0] == "响应性"
    assert set(table["说明"]) == {"只有均值，没有回答"}


def test_gaps_of_answers_have_paired_intervals():
    random = np.random.default_rng(0)
    expected = random.integers(4, 8, (25, 2)).astype(float)
    perceived = expected - random.integers(0, 3, (25, 2))
    found = expectation_gap(expected, perceived, dimensions=["speed", "care"])
    for j in range(2):
        wanted = stats.ttest_rel(perceived[:, j], expected[:, j]).confidence_interval(0.95)
        assert (found.low[j], found.high[j]) == pytest.approx((wanted.low, wanted.high))


def test_doubling_a_respondent_is_weight_two_in_gaps_and_equal_weights_change_nothing():
    random = np.random.default_rng(1)
    expected = random.integers(3, 8, (25, 3)).astype(float)
    perceived = expected - random.integers(-1, 3, (25, 3))
    perceived[4, 1] = np.nan
    weight = np.where(np.arange(25) == 3, 2.0, 1.0)
    again = [*range(25), 3]
    one = expectation_gap(expected, perceived, sample_weight=weight)
    other = expectation_gap(expected[again], perceived[again])
    assert one.gap == pytest.approx(other.gap)
    assert (one.n, other.n) == (24, 25)
    assert one.n_eff == pytest.approx(effective_size(np.delete(weight, 4)))
    plain, even = (
        expectation_gap(expected, perceived, sample_weight=w) for w in (None, np.full(25, 7.0))
    )
    assert plain.low == pytest.approx(even.low)
    assert plain.n_eff == pytest.approx(24.0)
    with pytest.raises(ValueError, match="no respondents to weigh"):
        expectation_gap([5, 4], [4, 4], sample_weight=[1, 1])


def test_a_dimension_that_nobody_answered_is_refused_by_name():
    with pytest.raises(ValueError, match="nobody answered care"):
        expectation_gap([[5, np.nan], [6, np.nan]], [[4, 3], [4, 3]], dimensions=["speed", "care"])


# -- importance and performance --

IMPORTANCE, PERF = [9.1, 8.4, 6.0, 5.2, 7.6], [6.2, 8.8, 8.9, 5.0, 7.4]


def test_quadrants_at_the_means_and_opportunity():
    found = importance_performance(IMPORTANCE, PERF)
    assert found.cross == pytest.approx((7.26, 7.26))
    assert found.quadrant == (
        "concentrate here",
        "keep up",
        "possible overkill",
        "low priority",
        "keep up",
    )
    assert found.opportunity == pytest.approx([12, 8.4, 6, 5.4, 7.8])
    assert list(found.table("zh")["象限"])[:2] == ["重点改进", "继续保持"]


def test_the_cross_may_be_the_middle_of_the_scale_or_given():
    assert importance_performance(IMPORTANCE, PERF, "middle", scale=(0, 10)).cross == (5.0, 5.0)
    assert importance_performance(IMPORTANCE, PERF, (9, 6)).quadrant[1] == "possible overkill"
    with pytest.raises(ValueError, match="stated, never guessed"):
        importance_performance(IMPORTANCE, PERF, "middle")
    with pytest.raises(ValueError, match="cross='median'"):
        importance_performance(IMPORTANCE, PERF, "median")


def test_series_are_matched_by_name_and_not_by_place():
    one = pd.Series({"speed": 5.0, "price": 2.0})
    found = importance_performance(one, pd.Series({"price": 4.0, "speed": 1.0}))
    assert (found.items, found.performance.tolist()) == (("speed", "price"), [1.0, 4.0])
    with pytest.raises(ValueError, match="other items: care, speed"):
        importance_performance(one, pd.Series({"price": 4.0, "care": 1.0}))


def test_the_restaurants_survey_against_the_ratings_of_one(restaurant_survey, restaurants):
    pairs = {  # importance of the survey: performance of the ratings
        "clean": "clean",
        "quality": "taste",
        "price": "value",
        "variety": "variety",
        "healthy": "healthy",
        "location": "conv",
        "speed": "speed",
    }
    importance = restaurant_survey[list(pairs)].mean()
    ours = restaurants[restaurants["rest"] == "Subway"]
    performance = pd.Series({i: ours[p].mean() for i, p in pairs.items()})
    found = importance_performance(importance, performance)
    at = {item: found.quadrant[k] for k, item in enumerate(found.items)}
    shown = {item: (round(importance[item], 3), performance[item]) for item in at}
    assert shown["clean"] == (4.093, pytest.approx(3.550))
    assert shown["quality"] == (4.165, pytest.approx(3.650))
    assert shown["price"] == (4.004, pytest.approx(3.400))
    assert {k for k, q in at.items() if q == "concentrate here"} == {"clean", "quality", "price"}
    assert {k for k, q in at.items() if q == "possible overkill"} == {"variety", "healthy"}
    assert {k for k, q in at.items() if q == "low priority"} == {"location", "speed"}


# -- Kano --

PAIRS = (
    [("like", "dislike")] * 4
    + [("like", "neutral")] * 3
    + [("must", "dislike")] * 8
    + [("neutral", "neutral")] * 3
    + [("like", "like"), ("dislike", "like")]
)


def test_a_feature_of_twenty_pairs():
    found = kano_classes(*zip(*PAIRS, strict=True))
    assert found.counts == {"M": 8, "O": 4, "A": 3, "I": 3, "Q": 1, "R": 1}
    assert found.category == "M"
    assert (found.better, found.worse) == pytest.approx((0.388889, -0.666667), abs=5e-7)
    assert found.strength == pytest.approx(0.20)
    assert found.worse_interval[0] < found.worse < found.worse_interval[1] < 0
    assert list(found.table("zh")["类别"])[2] == "必备型"


def test_weights_of_raking_count_in_kanos_classes():
    f, d = zip(*PAIRS, strict=True)
    weight = np.array([2.0] * 4 + [1.0] * 16)
    twice = [*PAIRS, *PAIRS[:4]]
    found = kano_classes(f, d, sample_weight=weight)
    wanted = kano_classes(*zip(*twice, strict=True))
    assert found.counts == pytest.approx(wanted.counts)
    assert (found.better, found.worse) == pytest.approx((wanted.better, wanted.worse))
    assert found.strength == pytest.approx(wanted.strength)
    assert (found.n, wanted.n) == (20, 24)
    assert found.n_eff == pytest.approx(24**2 / 32)
    # as sure as its effective size, no more: 22 of weight among the four that count
    z, share, size = stats.norm.ppf(0.975), found.better, 22**2 / 30
    for end in found.better_interval:
        assert abs(share - end) / np.sqrt(end * (1 - end) / size) == pytest.approx(z)
    nobody = kano_classes([*f, "like"], [*d, "neutral"], sample_weight=[*np.ones(20), 0.0])
    assert nobody.counts == pytest.approx(kano_classes(f, d).counts)


def test_two_classes_that_are_equally_large_are_mixed():
    pairs = [("like", "dislike")] * 5 + [("must", "dislike")] * 5
    assert kano_classes(*zip(*pairs, strict=True)).category == "mixed"


def test_turning_both_questions_round_turns_the_class_round():
    """Who likes having it and dislikes lacking it would answer the reversed pair the other way."""
    for f, d in (("like", "neutral"), ("must", "dislike"), ("like", "dislike")):
        assert kano_classes([d, "must"], [f, "dislike"]).counts["R"] == 1


def test_unknown_words_are_all_told_together():
    with pytest.raises(DataContractError) as caught:
        kano_classes(["love", "like"], ["hate", "dislike"])
    assert len(caught.value.problems) == 2
    assert "'love'" in str(caught.value)
    assert "'hate'" in str(caught.value)


def test_answers_that_are_all_reversed_are_refused():
    with pytest.raises(ValueError, match="reversed or questionable"):
        kano_classes(["dislike", "like"], ["like", "like"])


# -- raking --

SAMPLE = pd.DataFrame({"sex": list("mmmmmmffff"), "age": list("yyyoooyooo")})
HALF = {"sex": {"m": 0.5, "f": 0.5}, "age": {"y": 0.5, "o": 0.5}}


def test_weights_of_ten_respondents():
    made = rake(SAMPLE, HALF)
    by_cell = made.weights[[0, 3, 6, 7]]
    assert by_cell == pytest.approx([1.056624, 0.610042, 1.830127, 1.056624], abs=5e-7)
    assert made.design_effect == pytest.approx(1.116455, abs=5e-7)
    assert made.n_eff == pytest.approx(8.956922, abs=5e-7)


def test_both_margins_are_reached_and_totals_serve_as_well_as_shares():
    targets = {"sex": {"m": 30, "f": 70}, "age": {"y": 40, "o": 60}}
    made = rake(SAMPLE, targets)
    for name, wanted in targets.items():
        sums = pd.Series(made.weights).groupby(SAMPLE[name]).sum() / made.weights.sum()
        assert sums.to_dict() == pytest.approx({k: v / 100 for k, v in wanted.items()})


def test_a_sample_that_has_the_margins_keeps_equal_weights():
    even = pd.DataFrame({"sex": list("mmff"), "age": list("yoyo")})
    assert rake(even, HALF).weights == pytest.approx(np.ones(4))


def test_a_ceiling_is_kept_and_the_distance_left_is_told():
    made = rake(SAMPLE, HALF, max_weight=1.1)
    assert made.weights.max() <= 1.1 + 1e-9
    assert made.trimmed > 1
    assert 0 < made.off < 0.1
    assert effective_size(made.weights) > rake(SAMPLE, HALF).n_eff


def test_a_ceiling_that_leaves_room_still_reaches_the_margins():
    made = rake(SAMPLE, HALF, max_weight=1.4)
    assert made.weights.max() <= 1.4 + 1e-9
    assert (made.trimmed, made.off) == (1, pytest.approx(0, abs=1e-9))


def test_every_target_that_cannot_be_is_told_together():
    with pytest.raises(DataContractError) as caught:
        rake(
            SAMPLE,
            {"sex": {"m": 0.5, "f": 0.4, "x": 0.1}, "age": {"y": 50.0}, "town": {"A": 1.0}},
        )
    codes = [p.code for p in caught.value.problems]
    assert codes == ["empty-level", "no-target", "missing-column", "contradictory-totals"]
    assert "'sex' = x" in str(caught.value)


def test_margins_that_contradict_each_other_in_the_sample_are_refused_by_name():
    frame = pd.DataFrame({"a": list("xxy"), "b": list("uuv")})
    with pytest.raises(ValueError, match=r"cannot be reached together.*'[ab]' is still off"):
        rake(frame, {"a": {"x": 0.5, "y": 0.5}, "b": {"u": 0.8, "v": 0.2}})
