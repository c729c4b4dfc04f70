"""Metrics against closed forms, scikit-learn and scipy, and the laws they must obey."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import cross_validate

from custvalue import metrics
from custvalue.metrics import _errors
from custvalue.metrics._resampled import resampled_scores
from custvalue.metrics._scorers import _BY_NAME

money = st.floats(0, 1e5).map(lambda v: round(v, 2))
RANKING = (metrics.normalized_gini_score, metrics.spearman_score, metrics.top_share_score)
ALL = (
    *RANKING,
    metrics.total_bias,
    _errors.absolute_total_bias_error,
    _errors.mean_absolute_error,
    _errors.root_mean_squared_error,
    metrics.decile_calibration_error,
    metrics.mean_tweedie_error,
)


@st.composite
def truth_and_forecast(draw):
    n = draw(st.integers(2, 40))
    truth = draw(arrays(float, n, elements=money))
    forecast = draw(arrays(float, n, elements=st.one_of(money, st.sampled_from([0.0, 1.0, 2.0]))))
    truth[0] += 1.0 + truth.max()  # somebody brought something, and not all the same
    return truth, forecast


@given(truth_and_forecast())
def test_the_truth_scores_perfectly(rows):
    truth, _ = rows
    assert metrics.normalized_gini_score(truth, truth) == pytest.approx(1.0)
    assert metrics.spearman_score(truth, truth) == pytest.approx(1.0)
    assert metrics.top_share_score(truth, truth) == pytest.approx(1.0)
    for error in (
        metrics.total_bias,
        _errors.mean_absolute_error,
        _errors.root_mean_squared_error,
        metrics.decile_calibration_error,
    ):
        assert error(truth, truth) == pytest.approx(0.0, abs=1e-9)


@given(truth_and_forecast(), money)
def test_a_constant_ranks_nobody(rows, constant):
    truth, _ = rows
    level = np.full(len(truth), constant)
    assert metrics.normalized_gini_score(truth, level) == 0.0
    assert metrics.spearman_score(truth, level) == 0.0
    assert metrics.top_share_score(truth, level, of="total") == pytest.approx(0.1)


@given(truth_and_forecast(), st.randoms(use_true_random=False))
def test_row_order_never_matters(rows, random):
    truth, forecast = rows
    order = list(range(len(truth)))
    random.shuffle(order)
    for metric in ALL:
        assert metric(truth[order], forecast[order]) == pytest.approx(
            metric(truth, forecast), rel=1e-9, abs=1e-9
        ), metric


@given(truth_and_forecast(), st.floats(0.01, 100))
def test_ranking_metrics_ignore_the_level_of_the_forecast(rows, factor):
    truth, forecast = rows
    for metric in RANKING:
        assert metric(truth, np.exp2(forecast / 1e4) * factor) == pytest.approx(
            metric(truth, np.exp2(forecast / 1e4)), abs=1e-9
        )


@given(truth_and_forecast(), st.data())
def test_weights_equal_repetition(rows, data):
    truth, forecast = rows
    weight = data.draw(arrays(int, len(truth), elements=st.integers(0, 3)))
    weight[0] += 1
    again = np.repeat(np.arange(len(truth)), weight)
    for metric in ALL:
        if metric is metrics.decile_calibration_error or len(np.unique(truth[again])) == 1:
            continue  # deciles are those of the rows; equal truths have no order
        assert metric(truth, forecast, sample_weight=weight) == pytest.approx(
            metric(truth[again], forecast[again]), rel=1e-8, abs=1e-8
        ), metric


@given(truth_and_forecast())
def test_gini_is_the_area_between_the_gain_curve_and_chance(rows):
    truth, _ = rows
    forecast = np.random.default_rng(3).permutation(len(truth)) * 1.0  # no ties: plain definition
    order = np.argsort(-forecast)
    share = np.r_[0.0, np.cumsum(truth[order]) / truth.sum()]
    best = np.r_[0.0, np.cumsum(np.sort(truth)[::-1]) / truth.sum()]
    grid = np.linspace(0, 1, len(truth) + 1)

    def area(curve):
        return float(np.sum((curve[1:] + curve[:-1]) / 2 * np.diff(grid))) - 0.5

    assert metrics.normalized_gini_score(truth, forecast) == pytest.approx(area(share) / area(best))


def test_gini_of_yes_or_no_outcomes_is_twice_the_auc_less_one(rng):
    bought = (rng.random(500) < 0.3).astype(float)
    forecast = rng.integers(0, 20, 500) + 3.0 * bought
    assert metrics.normalized_gini_score(bought, forecast) == pytest.approx(
        2 * sklearn.metrics.roc_auc_score(bought, forecast) - 1
    )


def test_errors_agree_with_scikit_learn_and_scipy(rng):
    truth, forecast = rng.gamma(0.5, 10, 300).round(), rng.gamma(0.5, 10, 300).round()
    weight = rng.random(300)
    assert _errors.mean_absolute_error(truth, forecast, sample_weight=weight) == pytest.approx(
        sklearn.metrics.mean_absolute_error(truth, forecast, sample_weight=weight)
    )
    assert _errors.root_mean_squared_error(truth, forecast, sample_weight=weight) == pytest.approx(
        sklearn.metrics.root_mean_squared_error(truth, forecast, sample_weight=weight)
    )
    assert metrics.mean_tweedie_error(truth, forecast + 1.0, sample_weight=weight) == pytest.approx(
        sklearn.metrics.mean_tweedie_deviance(
            truth, forecast + 1.0, sample_weight=weight, power=1.5
        )
    )
    assert metrics.spearman_score(truth, forecast) == pytest.approx(
        stats.spearmanr(truth, forecast).statistic
    )
    chance = rng.random(300)
    assert metrics.brier_error(truth > 5, chance, sample_weight=weight) == pytest.approx(
        sklearn.metrics.brier_score_loss(truth > 5, chance, sample_weight=weight)
    )


def test_resampled_scores_are_the_metric_under_each_weighting(rng):
    truth, forecast = rng.gamma(0.5, 10, 60).round(), rng.integers(0, 9, 60) * 1.0
    weights = rng.integers(0, 3, (7, 60)) * 1.0
    for name, metric in {
        "gini": metrics.normalized_gini_score,
        "mae": _errors.mean_absolute_error,
        "rmse": _errors.root_mean_squared_error,
        "spearman": metrics.spearman_score,
        "top_decile": metrics.top_share_score,
        "total_bias": metrics.total_bias,
        "absolute_total_bias": _errors.absolute_total_bias_error,
    }.items():
        one_by_one = [metric(truth, forecast, sample_weight=w) for w in weights]
        many = resampled_scores(name, truth, forecast, weights)
        np.testing.assert_allclose(many, one_by_one, rtol=1e-12)


def test_intervals_of_the_true_quantiles_cover_their_level_and_score_best(rng):
    truth = rng.exponential(10, 20_000)
    low, high = -10 * np.log(0.9), -10 * np.log(0.1)
    covered = metrics.interval_coverage(truth, np.full(20_000, low), np.full(20_000, high))
    assert covered == pytest.approx(0.8, abs=0.01)
    best = metrics.interval_error(truth, np.full(20_000, low), np.full(20_000, high), level=0.8)
    for lower, upper in ((0.0, 60.0), (low, 15.0), (low * 2, high)):
        worse = metrics.interval_error(
            truth, np.full(20_000, lower), np.full(20_000, upper), level=0.8
        )
        assert worse > best


def test_an_interval_scores_by_its_width_and_its_misses_weighed_by_the_level():
    # widths 4, 4, 2; misses 3 above, none, 1 below; a miss costs 2 / (1 - 0.75) = 8 a unit
    rows = ([7, 2, 5], [0, 0, 6], [4, 4, 8])
    assert metrics.interval_error(*rows, level=0.75) == pytest.approx((28 + 4 + 10) / 3)
    weighted = metrics.interval_error(*rows, level=0.75, sample_weight=[1, 0, 3])
    assert weighted == pytest.approx((28 + 3 * 10) / 4)
    assert metrics.interval_coverage(*rows, sample_weight=[1, 0, 3]) == 0.0
    assert metrics.interval_coverage(*rows, sample_weight=[1, 2, 1]) == 0.5


@given(truth_and_forecast())
def test_calibration_groups_hold_everybody_once_and_keep_ties_together(rows):
    truth, forecast = rows
    table = metrics.calibration_table(truth, forecast)
    assert table["n_customers"].sum() == len(truth)
    assert table["actual_total"].sum() == pytest.approx(truth.sum())
    assert len(table) <= min(10, len(np.unique(forecast)))
    assert (np.diff(table["predicted_mean"]) > 0).all()
    error = metrics.decile_calibration_error(truth, forecast)
    assert error >= _errors.absolute_total_bias_error(truth, forecast) - 1e-12


def test_ten_groups_of_distinct_predictions_have_equal_size():
    assert (metrics.calibration_table(np.ones(200), np.arange(200.0))["n_customers"] == 20).all()


def test_every_scorer_runs_in_cross_validation(rng):
    X = rng.random((80, 2))
    each = {name: metrics.value_scorer(name) for name in _BY_NAME}
    found = cross_validate(LinearRegression(), X, X[:, 0] + 1.0, cv=3, scoring=each)
    assert found["test_normalized_gini"] == pytest.approx(1.0)
    assert (found["test_neg_mean_absolute_error"] <= 0).all()
    with pytest.raises(ValueError, match="must be one of"):
        metrics.value_scorer("gini")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.total_bias([0, 0], [1, 1]), "nobody bought"),
        (lambda: metrics.normalized_gini_score([3, 3], [1, 2]), "all actual values are equal"),
        (lambda: _errors.mean_absolute_error([1, np.nan], [1, 2]), "y_true has 1 missing"),
        (lambda: _errors.mean_absolute_error([1, 2], [1]), "y_pred has 1"),
        (lambda: _errors.mean_absolute_error([], []), "no row"),
        (lambda: _errors.mean_absolute_error([1], [1], sample_weight=[-1]), "not be negative"),
        (lambda: metrics.brier_error([2], [0.3]), "0 or 1"),
        (lambda: metrics.brier_error([1], [1.3]), "not a chance"),
        (lambda: metrics.interval_coverage([1], [2], [1]), "lower end above"),
        (lambda: metrics.interval_error([1], [0], [1], level=1.0), "strictly between"),
        (lambda: metrics.top_share_score([1, 2], [1, 2], top=0), "strictly between"),
        (lambda: metrics.top_share_score([1, 2], [1, 2], of="all"), "'best' or 'total'"),
        (lambda: metrics.calibration_table([1], [1], n_groups=0), "at least 1"),
        (lambda: resampled_scores("auc", [1], [1], [[1]]), "must be one of"),
        (lambda: resampled_scores("mae", [1], [1], [1]), "shape"),
        (lambda: metrics.total_bias([[1, 2]], [1, 2]), "one dimension"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_chance_may_be_nothing_or_certain_and_no_more():
    assert metrics.brier_error([0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0]) == 0.5
    for beyond in (-1e-9, 1.0 + 1e-9):
        with pytest.raises(ValueError, match="must lie in"):
            metrics.brier_error([1], [beyond])


def test_the_tweedie_error_is_smallest_for_the_mean_where_the_absolute_error_forecasts_nothing(rng):
    came = rng.gamma(2.0, 50.0, 4000) * (rng.random(4000) < 0.3)
    levels = np.array([0.001, 0.5, 0.9, 1.0, 1.1, 2.0]) * came.mean()
    tweedie = [metrics.mean_tweedie_error(came, np.full(4000, v)) for v in levels]
    absolute = [_errors.mean_absolute_error(came, np.full(4000, v)) for v in levels]
    assert np.argmin(tweedie) == 3
    assert np.argmin(absolute) == 0


def test_a_forecast_of_nothing_and_a_refund_have_an_error_that_ends():
    # mean truth 5: a forecast of 0 counts as 0.005, a truth of -3 as 0
    root = np.sqrt(0.005)
    by_hand = (4 * (np.sqrt(10) - root) ** 2 / root + 4 * root) / 2
    assert metrics.mean_tweedie_error([10.0, -3.0], [0.0, -1.0]) == pytest.approx(by_hand)


def test_decile_calibration_is_a_share_of_the_total():
    truth, said = np.array([0.0, 2.0, 5.0, 9.0]), np.array([1.0, 1.0, 4.0, 8.0])
    # lower half: 2 said, 2 came; upper half: 12 said, 14 came; 2 of 16
    assert metrics.decile_calibration_error(truth, said, n_groups=2) == 0.125
    assert metrics.decile_calibration_error(100 * truth, 100 * said, n_groups=2) == 0.125
