"""Derived importance: published shares, hand sums, laws, and data that give none."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from custvalue.exceptions import DataContractError, SignWarning
from custvalue.survey import derived_importance
from custvalue.survey._importance import johnson, lmg, unexplained

FIVE = ["Agriculture", "Examination", "Education", "Catholic", "Infant.Mortality"]


@pytest.fixture(scope="module")
def swiss(reference):
    columns = reference("survey")["swiss"]["value"]
    return np.column_stack([columns[c] for c in FIVE]), np.array(columns["Fertility"])


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SignWarning")
@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_published_shares_of_swiss_fertility(swiss, reference, method):
    wanted = reference("survey")[f"swiss_{method}"]
    found = derived_importance(*swiss, method=method, n_draws=10)
    assert found.r2_share == pytest.approx(wanted["value"], abs=wanted["tolerance"])
    assert found.r2 == pytest.approx(0.706735, abs=5e-7)


def test_an_attribute_that_goes_the_wrong_way_is_named(swiss):
    with pytest.warns(SignWarning, match=r"x1 \(-0.65\), x2 \(-0.66\)"):
        derived_importance(*swiss, n_draws=10)


X = np.array([[1, 2], [2, 1], [3, 4], [4, 3], [5, 5]], dtype=float)
Y = np.array([1, 2, 2, 4, 5], dtype=float)


def test_five_rows_by_hand():
    found = derived_importance(X, Y, n_draws=10)
    assert found.r2_share == pytest.approx([0.711934, 0.239712], abs=5e-7)
    assert found.r2 == pytest.approx(0.951646, abs=5e-7)


def r2_of(x, y):
    if not x.shape[1]:
        return 0.0
    fitted = np.column_stack([np.ones(len(y)), x])
    rest = y - fitted @ np.linalg.lstsq(fitted, y, rcond=None)[0]
    return 1.0 - rest @ rest / ((y - y.mean()) @ (y - y.mean()))


def test_shares_are_the_mean_over_all_orders_of_entry():
    random = np.random.default_rng(5)
    x = random.normal(size=(40, 4)) @ random.normal(size=(4, 4))
    y = x @ [1.0, 0.5, 0.2, 0.0] + random.normal(size=40)
    total = np.zeros(4)
    orders = list(permutations(range(4)))
    for order in orders:
        for k, j in enumerate(order):
            total[j] += r2_of(x[:, order[: k + 1]], y) - r2_of(x[:, order[:k]], y)
    second = np.cov(np.column_stack([x, y]), rowvar=False)
    assert lmg(second) == pytest.approx(total / len(orders))


def test_every_subset_leaves_what_least_squares_leaves():
    from custvalue._kernels import coalitions

    random = np.random.default_rng(6)
    x = random.normal(size=(30, 5))
    y = x.sum(axis=1) + random.normal(size=30)
    second = np.cov(np.column_stack([x, y]), rowvar=False)
    wanted = [1.0 - r2_of(x[:, inside], y) for inside in coalitions(5)]
    assert unexplained(second) / second[-1, -1] == pytest.approx(wanted)


@pytest.mark.parametrize("law", [lmg, johnson])
def test_exchangeable_attributes_share_equally_and_all_add_up(law):
    second = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    shares = law(second)
    assert shares == pytest.approx(np.full(3, shares[0]))
    assert shares.sum() == pytest.approx(1.0 - unexplained(second)[-1])


@pytest.mark.parametrize("law", [lmg, johnson])
def test_an_attribute_said_twice_is_shared_by_both(law):
    second = np.array(
        [[1.0, 1.0, 0.0, 0.6], [1.0, 1.0, 0.0, 0.6], [0.0, 0.0, 1.0, 0.5], [0.6, 0.6, 0.5, 1.0]]
    )
    assert law(second) == pytest.approx([0.18, 0.18, 0.25])


def test_shares_do_not_change_with_the_units_of_anything():
    one = derived_importance(X, Y, n_draws=10)
    other = derived_importance(X * [100, 0.01] + 7, 3 * Y - 5, n_draws=10)
    assert other.r2_share == pytest.approx(one.r2_share)
    assert other.low == pytest.approx(one.low)


def test_doubling_a_row_is_weight_two():
    weight = np.array([1, 2, 1, 1, 3])
    again = np.repeat(np.arange(5), weight)
    one = derived_importance(X, Y, sample_weight=weight, n_draws=10)
    other = derived_importance(X[again], Y[again], n_draws=10)
    assert one.r2_share == pytest.approx(other.r2_share)


def test_within_respondents_halo_and_the_use_of_the_scale_go():
    random = np.random.default_rng(7)
    who = np.repeat(np.arange(20), 4)
    x = random.normal(size=(80, 2))
    y = x @ [1.0, 0.3] + random.normal(size=80)
    halo = random.normal(size=20)[who] * 9
    plain = derived_importance(x, y, respondent=who, n_draws=10)
    with_halo = derived_importance(x + halo[:, None], y + halo, respondent=who, n_draws=10)
    assert with_halo.r2_share == pytest.approx(plain.r2_share)


def test_an_outcome_of_yes_and_no_has_the_r_squared_of_the_linear_probability_model():
    random = np.random.default_rng(10)
    x = random.normal(size=(200, 2))
    stays = (x @ [1.0, 0.3] + random.normal(size=200) > 0).astype(float)
    found = derived_importance(x, stays, n_draws=10)
    assert found.r2 == pytest.approx(r2_of(x, stays))
    assert found.r2_share[0] > 5 * found.r2_share[1]


def test_who_rates_one_brand_adds_nothing_and_is_counted():
    who = np.array([1, 1, 1, 2, 2, 2])
    x = np.array([[1, 2], [2, 1], [4, 3], [3, 5], [5, 3], [4, 4]], dtype=float)
    y = np.array([1, 2, 5, 3, 5, 4], dtype=float)
    plain = derived_importance(x, y, respondent=who, n_draws=10)
    more = derived_importance(
        np.vstack([x, [[9, 9]]]), np.append(y, 1), respondent=np.append(who, 3), n_draws=10
    )
    assert more.r2_share == pytest.approx(plain.r2_share)
    assert (plain.n_single, more.n_single) == (0, 1)


def test_rows_with_a_gap_are_left_out_and_counted():
    x = np.vstack([X, [[np.nan, 1]]])
    found = derived_importance(x, np.append(Y, 3), n_draws=10)
    assert (found.n, found.n_missing) == (5, 1)
    assert found.r2 == pytest.approx(0.951646, abs=5e-7)


def test_above_fourteen_attributes_johnsons_weights_take_over():
    random = np.random.default_rng(8)
    x = random.normal(size=(60, 15))
    y = x.sum(axis=1) + random.normal(size=60)
    assert derived_importance(x, y, n_draws=10).method == "johnson"
    with pytest.raises(ValueError, match="takes 14 attributes at most, not 15"):
        derived_importance(x, y, method="lmg")


def test_the_interval_covers_as_often_as_it_says():
    """Two attributes of equal strength: each has half of R squared."""
    covered = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        x = random.normal(size=(120, 2))
        y = x.sum(axis=1) + random.normal(size=120)
        found = derived_importance(x, y, n_draws=200, random_state=seed)
        covered += found.low[0] <= 1 / 3 <= found.high[0]
    assert 0.87 <= covered / 200 <= 0.99


def test_the_restaurants_attributes_within_students(restaurants):
    names = ["taste", "healthy", "variety", "conv", "clean", "speed"]
    found = derived_importance(
        restaurants[names], restaurants["pref"], respondent=restaurants["id"], n_draws=50
    )
    assert [found.weights[n] for n in names] == pytest.approx(
        [0.7551, 0.0734, 0.0474, 0.0466, 0.0412, 0.0364], abs=5.1e-5
    )
    assert found.r2 == pytest.approx(0.5526, abs=5e-5)
    assert found.table("zh")["属性"].iloc[0] == "taste"


def test_an_outcome_that_does_not_vary_is_refused_by_name():
    import pandas as pd

    with pytest.raises(ValueError, match="the outcome 'pref' does not vary"):
        derived_importance(X, pd.Series(np.ones(5), name="pref"))
    with pytest.raises(ValueError, match="does not vary within any respondent"):
        derived_importance(X, Y, respondent=range(5))


def test_attributes_that_do_not_vary_and_answers_that_are_no_numbers_are_refused():
    with pytest.raises(ValueError, match="no attribute varies"):
        derived_importance(np.ones((5, 2)), Y)
    with pytest.raises(DataContractError, match="X is not numeric"):
        derived_importance([["good", "bad"]] * 5, Y)
    with pytest.raises(DataContractError, match="y has infinite values"):
        derived_importance(X, [1, 2, np.inf, 3, 4])


def test_a_row_without_a_respondent_is_refused():
    with pytest.raises(ValueError, match="respondent is missing in 1 rows, the first at 2"):
        derived_importance(X, Y, respondent=["a", "a", None, "b", "b"])
