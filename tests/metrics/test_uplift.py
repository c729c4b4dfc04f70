"""Laws of the figures that judge an uplift, with sums that can be done by hand or by the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.exceptions import DataContractError
from custvalue.metrics import effect_scores, qini_score, qini_table, uplift_at_k
from custvalue.metrics._uplift import outcome_scores


def experiment(rng, n=2000, effect=0.0, share=0.5):
    """Money with a base that goes with x, and an effect times x; returns y, x, treated."""
    x = rng.normal(size=n)
    treated = rng.random(n) < share
    y = 3.0 + 2.0 * x + rng.normal(0, 2, n) + treated * effect * x
    return y, x, treated


def by_the_book(y, uplift, treatment, share):
    """Radcliffe's curve where the treated and the control are as many in every part."""
    first = np.argsort(-uplift, kind="stable")[: round(share * len(y))]
    t = treatment[first].astype(bool)
    return share * (y[first][t].mean() - y[first][~t].mean())


def test_the_mean_score_is_the_difference_of_the_means(rng):
    y, _, treated = experiment(rng, 501, share=0.3)
    scores = effect_scores(y, treated)
    assert scores.mean() == pytest.approx(y[treated].mean() - y[~treated].mean(), rel=1e-12)
    # and so is its error, but for the degrees of freedom
    own = np.sqrt(y[treated].var() / treated.sum() + y[~treated].var() / (~treated).sum())
    assert scores.std() / np.sqrt(501) == pytest.approx(own, rel=1e-12)


def test_a_score_of_the_outcome_under_each_arm_is_right_on_average_whatever_the_guess(rng):
    n = 40_000
    chance = np.column_stack([p := rng.uniform(0.2, 0.8, n), 1 - p])
    arm = (rng.random(n) > p).astype(int)
    y = np.where(arm == 0, 5.0, 7.0) + rng.normal(size=n)
    for guess in (np.zeros((n, 2)), np.full((n, 2), 6.0)):
        found = outcome_scores(y, arm, chance, guess)
        error = found.std(axis=0) / np.sqrt(n)
        assert (np.abs(found.mean(axis=0) - [5.0, 7.0]) < 4 * error).all()


def test_a_good_guess_of_the_outcome_narrows_the_effect_by_what_it_explains(rng):
    y, x, treated = experiment(rng, 20_000)
    guess = np.repeat((3.0 + 2.0 * x)[:, None], 2, axis=1)
    plain, adjusted = effect_scores(y, treated), effect_scores(y, treated, expected=guess)
    # of a variance of 8, half is explained
    assert adjusted.var() / plain.var() == pytest.approx(0.5, abs=0.03)


def test_the_curve_is_the_difference_of_means_of_the_first_ones_where_groups_are_even(rng):
    n = 400
    y, uplift = rng.exponential(9, n), np.repeat(rng.permutation(n // 2), 2)
    treated = np.tile([1, 0], n // 2)
    table = qini_table(y, uplift, treated, n_points=11, expected=np.zeros((n, 2)))
    for row in table[1:].itertuples():
        assert row.gain == pytest.approx(by_the_book(y, uplift, treated, row.share), rel=1e-9)


def test_the_score_is_the_area_between_curve_and_line(rng):
    y, x, treated = experiment(rng, 300, effect=2.0)
    x = np.round(x, 1)  # ties
    table = qini_table(y, x, treated, n_points=300 * 20 + 1)
    gap = (table["gain"] - table["random"]).to_numpy()
    over = (0.5 * (gap[1:] + gap[:-1]) * np.diff(table["share"])).sum()
    assert qini_score(y, x, treated).value == pytest.approx(over, abs=1e-3)


def test_ties_are_taken_in_equal_parts_and_a_constant_gains_nothing(rng):
    y, _, treated = experiment(rng, 200, effect=1.0)
    same = qini_table(y, np.ones(200), treated)
    np.testing.assert_allclose(same["gain"], same["random"], atol=1e-12)
    found = qini_score(y, np.ones(200), treated)
    assert found.value == found.error == 0.0


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_neither_the_order_of_rows_nor_the_scale_of_the_uplift_matters(seed, digits):
    rng = np.random.default_rng(seed)
    y, x, treated = experiment(rng, 60, effect=1.0)
    x = np.round(x, digits)
    if treated.all() or not treated.any():
        return
    rows = rng.permutation(60)
    here = qini_score(y, x, treated)
    there = qini_score(y[rows], np.exp(x[rows]) * 7, treated[rows])
    np.testing.assert_allclose(there, here, atol=1e-10)
    wide = qini_table(y, x, treated, n_points=7)
    again = qini_table(y[rows], x[rows] - 3, treated[rows], n_points=7)
    np.testing.assert_allclose(again, wide, atol=1e-10)


def test_treating_everybody_gains_the_mean_effect_with_its_error(rng):
    y, x, treated = experiment(rng, 500, effect=1.0)
    last = qini_table(y, x, treated).iloc[-1]
    scores = effect_scores(y, treated)
    assert last["gain"] == pytest.approx(scores.mean(), rel=1e-12)
    assert last["error"] == pytest.approx(scores.std() / np.sqrt(500), rel=1e-9)
    whole = uplift_at_k(y, x, treated, k=1.0)
    assert whole.value == pytest.approx(last["gain"])


def test_the_reverse_order_loses_what_the_order_gains(rng):
    y, x, treated = experiment(rng, 500, effect=1.0)
    one, other = qini_score(y, x, treated), qini_score(y, -x, treated)
    assert other.value == pytest.approx(-one.value, abs=1e-12)
    assert other.error == pytest.approx(one.error, rel=1e-9)


@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_intervals_cover_what_is_true(effect, rng):
    """x is standard normal: an area of effect / (2 sqrt(pi)), a mean of 1.159 in the top 30 %."""
    area, top = effect / (2 * np.sqrt(np.pi)), effect * 1.15898
    n, held = 400, np.zeros(2)
    for _ in range(n):
        y, x, treated = experiment(rng, 600, effect, share=0.4)
        one, two = qini_score(y, x, treated), uplift_at_k(y, x, treated, k=0.3)
        held += [one.lower < area < one.upper, two.lower < top < two.upper]
    # 95 %, five standard errors of the simulation either way
    assert (np.abs(held / n - 0.95) < 5 * np.sqrt(0.95 * 0.05 / n)).all(), held / n


def test_what_tells_no_effect_is_refused_all_of_it_together():
    with pytest.raises(DataContractError) as caught:
        effect_scores([1.0, np.nan, 2.0, 0.0], [9, 1, 0, 2])
    assert [p.code for p in caught.value.problems] == ["missing-outcome", "unknown-treatment"]
    assert caught.value.problems[1].ids == ("0", "3")
    for arm in (0, 1):
        with pytest.raises(DataContractError, match="one-arm: all customers are"):
            effect_scores([1.0, 2.0], [arm, arm])
    for chance in (0.0, 1.0, -0.1, np.nan, [0.5, 1.2]):
        with pytest.raises(DataContractError, match=r"propensity: .* strictly between 0 and 1"):
            effect_scores([1.0, 2.0], [0, 1], propensity=chance)
    with pytest.raises(DataContractError, match="no customer"):
        effect_scores([], [])
    with pytest.raises(ValueError, match="one length"):
        effect_scores([1.0, 2.0], [1])
    with pytest.raises(ValueError, match="k=0 must be a share"):
        uplift_at_k([1.0, 2.0], [1, 2], [0, 1], k=0)
    with pytest.raises(ValueError, match="expected, of shape"):
        effect_scores([1.0, 2.0], [0, 1], expected=[0.0, 1.0])
