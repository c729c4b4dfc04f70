"""Functions of answers: worked examples, laws of intervals and weights, answers that cannot be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from custvalue.exceptions import DataContractError
from custvalue.survey import (
    awareness,
    net_promoter,
    reliability,
    satisfaction_index,
    top_box,
    wave_change,
)
from custvalue.survey._estimate import Estimate, effective_size

TWENTY = [10] * 4 + [9] * 3 + [8] * 5 + [7] * 3 + [6] * 2 + [3] * 2 + [0]


def recommending(promoters, detractors, n):
    return [10] * promoters + [0] * detractors + [8] * (n - promoters - detractors)


def with_means(*means):
    """Ten whole answers with each of these means, on 1 to 10."""
    columns = []
    for mean in means:
        total = round(10 * mean)
        columns.append([total // 10 + (i < total % 10) for i in range(10)])
    return np.array(columns, dtype=float).T


# -- net promoter score --


def test_the_score_of_twenty_answers():
    found = net_promoter(TWENTY)
    assert found.value == pytest.approx(10.0)
    assert found.standard_error == pytest.approx(17.175564, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((-23.6635, 43.6635), abs=5e-5)
    assert (found.n, found.n_eff) == (20, 20.0)


def test_weights_count_by_their_effective_size():
    found = net_promoter(TWENTY, sample_weight=[2.0] * 10 + [1.0] * 10)
    assert found.value == pytest.approx(30.0)
    assert found.standard_error == pytest.approx(17.373884, abs=5e-7)
    assert found.n_eff == pytest.approx(18.0)


def test_the_interval_of_a_score_stays_on_its_scale_and_narrows_with_answers():
    few, many = net_promoter([10, 0]), net_promoter([10, 0] * 200)
    assert (few.low, few.high) == (-100, 100)
    assert -12 < many.low < 0 < many.high < 12


def test_nullable_columns_and_other_frames_are_read_alike():
    frame = pd.DataFrame({"a": [1, 5, None], "b": [2, 4, 3]}, dtype="Int64")
    assert satisfaction_index(frame, (1, 5)).n == 2
    assert reliability(frame).n == 2
    polars = pytest.importorskip("polars")
    assert net_promoter(polars.Series([1, None, 9])).n == 2


def test_a_file_that_counts_from_one_is_refused_on_0_to_10_and_read_on_1_to_11():
    shifted = np.array(TWENTY) + 1
    with pytest.raises(DataContractError, match=r"outside the scale 0 to 10: 11 \(4 rows"):
        net_promoter(shifted)
    assert net_promoter(shifted, scale=(1, 11)).value == pytest.approx(10.0)


def test_the_wrong_scale_would_flatter():
    """Nobody at 11: the file looks like 0 to 10, and only the stated scale tells."""
    shifted = np.array([8, 8, 8, 6, 6, 9, 3]) + 1
    assert net_promoter(shifted, scale=(1, 11)).value < 0 < net_promoter(shifted).value


def test_a_scale_without_eleven_points_is_refused():
    with pytest.raises(ValueError, match="eleven points"):
        net_promoter([1, 2], scale=(1, 5))


# -- satisfaction index --


def test_the_index_of_three_means_with_the_weights_of_the_form():
    X = with_means(8.2, 7.6, 7.1)
    found = satisfaction_index(X, (1, 10), [0.3885, 0.3190, 0.2925])
    assert found.value == pytest.approx(74.298333, abs=5e-7)


def test_the_index_does_not_change_when_a_scale_is_stretched_and_shifted():
    X = with_means(8.2, 7.6, 7.1)
    one, other = satisfaction_index(X, (1, 10)), satisfaction_index(20 * X - 3, (17, 197))
    for name in ("value", "low", "high", "standard_error"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))


def test_weights_of_the_first_component_are_those_of_numpys_own_decomposition():
    X = np.random.default_rng(1).integers(1, 6, (60, 1)) + np.random.default_rng(2).normal(
        0, [0.2, 0.4, 0.3], (60, 3)
    )
    X = np.clip(X, 1, 5)
    found = satisfaction_index(X, (1, 5), "pc1", n_draws=200)
    _, _, right = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    assert found.weights == pytest.approx(right[0] / right[0].sum(), abs=1e-9)
    assert found.low < found.value < found.high
    assert (found.n_draws, found.random_state) == (200, 0)


def test_an_item_that_runs_against_the_others_has_no_first_component():
    X = np.array([[1, 5], [2, 4], [4, 2], [5, 1]])
    with pytest.raises(ValueError, match="run against the others"):
        satisfaction_index(X, (1, 5), "pc1")


def test_who_leaves_out_an_item_is_not_counted():
    X = with_means(8.2, 7.6)
    X[0, 1] = np.nan
    assert satisfaction_index(X, (1, 10)).n == 9
    assert satisfaction_index(np.nan_to_num(X, nan=99), (1, 10), not_applicable=(99,)).n == 9


# -- shares, means, intervals --


def test_the_share_of_the_top_two_with_wilsons_interval():
    found = top_box([5] * 10 + [4] * 16 + [1] * 14, scale=(1, 5))
    assert found.value == pytest.approx(0.65)
    assert (found.low, found.high) == pytest.approx((0.495059, 0.778655), abs=5e-7)


def test_wilsons_interval_is_the_set_of_shares_the_score_test_does_not_reject():
    n, hits = 23, 4
    found = top_box([5] * hits + [1] * (n - hits), scale=(1, 5), level=0.9)
    z = stats.norm.ppf(0.95)
    for end in (found.low, found.high):
        assert abs(hits / n - end) / np.sqrt(end * (1 - end) / n) == pytest.approx(z)


def test_one_answer_has_no_interval_and_says_why():
    found = top_box([5.0, np.nan], scale=(1, 5))
    assert (found.n, found.reason) == (1, "fewer than 2 answers")
    assert np.isnan(found.low)
    assert top_box([np.nan], scale=(1, 5)).reason == "nobody answered"


def test_codes_of_no_answer_are_never_averaged():
    assert top_box([0, 5, 5, 1], scale=(1, 5), not_applicable=(0,)).value == pytest.approx(2 / 3)
    with pytest.raises(DataContractError, match="outside the scale 1 to 5: 0"):
        top_box([0, 5, 5, 1], scale=(1, 5))


def test_effective_size_is_the_number_of_equal_weights_and_smaller_for_others():
    assert effective_size([0.3] * 7) == pytest.approx(7.0)
    assert effective_size([1.0, 0.0]) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="not negative"):
        effective_size([1.0, -1.0])


def test_a_scale_that_is_none_is_refused():
    for scale in (None, (5, 1), (1, 2, 3), (0, np.inf), "15x"):
        with pytest.raises(ValueError, match="stated, never guessed"):
            top_box([1, 2], scale=scale)


def test_text_for_answers_is_refused_by_name():
    with pytest.raises(DataContractError, match="not numeric"):
        top_box(["good", "bad"], scale=(1, 5))


# -- change between waves --


def test_the_change_between_two_published_waves():
    after = net_promoter(recommending(168, 72, 400))
    before = net_promoter(recommending(126, 77, 350))
    for change in (
        wave_change(before, after),
        wave_change(
            recommending(126, 77, 350),
            recommending(168, 72, 400),
            measure="net_promoter",
            scale=(0, 10),
        ),
    ):
        assert change.difference == pytest.approx(10.0)
        assert change.standard_error == pytest.approx(5.437962, abs=5e-7)
        assert change.z == pytest.approx(1.838924, abs=5e-7)


def test_with_the_same_respondents_it_is_the_paired_t_interval():
    random = np.random.default_rng(3)
    a = random.integers(1, 6, 30).astype(float)
    b = np.clip(a + random.integers(-1, 2, 30), 1, 5)
    mixed = random.permutation(30)
    change = wave_change(a, b[mixed], scale=(1, 5), respondent=(range(30), mixed), level=0.9)
    wanted = stats.ttest_rel(b, a)
    interval = wanted.confidence_interval(0.9)
    assert change.z == pytest.approx(wanted.statistic)
    assert (change.low, change.high) == pytest.approx((interval.low, interval.high))
    assert change.n_both == 30


def test_with_other_respondents_it_is_welchs():
    a, b = [1, 2, 3, 4, 5, 5], [3, 4, 5, 5]
    change = wave_change(a, b, scale=(1, 5), respondent=("abcdef", "uvwx"))
    wanted = stats.ttest_ind(b, a, equal_var=False)
    interval = wanted.confidence_interval(0.95)
    assert change.z == pytest.approx(wanted.statistic)
    assert (change.low, change.high) == pytest.approx((interval.low, interval.high))


def test_the_same_answers_from_the_same_people_are_no_change_at_all():
    change = wave_change(
        TWENTY,
        TWENTY,
        measure="net_promoter",
        scale=(0, 10),
        respondent=(range(20), range(20)),
        sample_weight=(np.arange(1, 21), np.arange(1, 21)),
    )
    assert change.difference == 0
    assert change.standard_error == pytest.approx(0, abs=1e-6)


def test_respondents_twice_in_a_wave_are_refused():
    with pytest.raises(DataContractError, match=r"repeated-respondent.*before"):
        wave_change([1, 2], [3, 4], scale=(1, 5), respondent=("aa", "ab"))


def test_a_change_from_one_answer_is_refused():
    with pytest.raises(ValueError, match="two answers or more in either wave, not 1 and 2"):
        wave_change([1], [3, 4], scale=(1, 5))


def test_an_estimate_and_answers_cannot_be_compared():
    with pytest.raises(ValueError, match="both be estimates, or both be answers"):
        wave_change(net_promoter([1, 9]), [1, 9], scale=(0, 10))


# -- reliability --


def test_cronbachs_alpha_by_hand():
    X = [[4, 5, 4], [3, 3, 2], [5, 5, 5], [2, 3, 3], [4, 4, 5], [1, 2, 1]]
    found = reliability(pd.DataFrame(X, columns=["a", "b", "c"]))
    assert found.alpha == pytest.approx(0.955854, abs=5e-7)
    pair = np.array(X)[:, 1:]
    wanted = 2 * (1 - pair.var(axis=0, ddof=1).sum() / pair.sum(axis=1).var(ddof=1))
    assert found.without["a"] == pytest.approx(wanted)
    assert list(found.table("zh")["题项"]) == ["a", "b", "c"]


def test_items_that_say_the_same_have_alpha_one():
    x = np.arange(6.0)
    assert reliability(np.column_stack([x, x, x])).alpha == pytest.approx(1.0)


def test_a_scale_of_one_item_or_of_constants_is_refused():
    with pytest.raises(ValueError, match="two items"):
        reliability([[1], [2]])
    with pytest.raises(ValueError, match="does not vary"):
        reliability([[1, 2], [1, 2]])


# -- awareness --


def test_awareness_and_favourability_with_their_intervals():
    known = np.repeat([1, 0], [749, 251])
    found = awareness(known, np.repeat([1, 0], [412, 588]), np.repeat([1, 0], [150, 850]))
    assert found.awareness.value == pytest.approx(0.749)
    assert (found.awareness.low, found.awareness.high) == pytest.approx(
        (0.721208, 0.774886), abs=5e-7
    )
    liked = found.favourability
    assert (liked.value, liked.low, liked.high) == pytest.approx(
        (0.550067, 0.514274, 0.585349), abs=5e-7
    )
    assert (liked.n, found.share_of_mind.value) == (749, pytest.approx(0.15))


@pytest.mark.parametrize(
    ("known", "liked", "position"),
    [
        ([1, 1, 1, 0], [1, 1, 0, np.nan], "known and liked"),
        ([1, 1, 1, 0], [1, 0, 0, np.nan], "known, not liked"),
        ([1, 0, 0, 0], [1, np.nan, np.nan, np.nan], "liked, not known"),
        ([1, 0, 0, 0], [0, np.nan, np.nan, np.nan], "neither known nor liked"),
    ],
)
def test_the_four_cells_of_known_and_liked(known, liked, position):
    assert awareness(known, liked).position == position


def test_who_does_not_know_a_brand_cannot_like_it():
    with pytest.raises(DataContractError) as caught:
        awareness([1, 0, 0], [1, 1, 0], [0, 1, 1])
    assert [p.count for p in caught.value.problems] == [1, 2]


def test_a_table_of_brands_speaks_both_languages():
    found = awareness([1, 1, 0, 1], [1, 1, 0, 0])
    table = type(found).table({"we": found}, language="zh")
    assert list(table["指标"]) == ["知名度", "美誉度"]
    assert set(table["位置"]) == {"高知名高美誉"}


def test_an_estimate_is_a_number():
    assert float(Estimate(0.5, 0.1, 0.3, 0.7, 10, 10.0)) == 0.5
