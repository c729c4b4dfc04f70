from __future__ import annotations

import json
import pickle

import mpmath
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from custvalue.chains import Chain

P = [0.3, 0.2, 0.15, 0.05]
STATES = ["r1", "r2", "r3", "r4", "former"]
REWARD = [36.0, -4.0, -4.0, -4.0, 0.0]


@pytest.fixture
def recency_chain():
    matrix = np.zeros((5, 5))
    for i, p in enumerate(P):
        matrix[i, 0], matrix[i, i + 1] = p, 1 - p
    matrix[4, 4] = 1.0
    return Chain(STATES, matrix, absorbing=["former"])


@st.composite
def chains(draw, n_max=6):
    n = draw(st.integers(2, n_max))
    weights = draw(arrays(float, (n, n), elements=st.floats(0.01, 1.0)))
    reward = draw(arrays(float, n, elements=st.floats(-50, 50)))
    return Chain(range(n), weights / weights.sum(axis=1, keepdims=True)), reward


def test_pfeifer_and_carraways_figures_come_out(recency_chain, reference):
    book = reference("markov")
    four = recency_chain.value(REWARD, horizon=4, discount_rate=0.2)
    ever = recency_chain.value(REWARD, discount_rate=0.2)
    np.testing.assert_allclose(four, book["pc.V4"]["value"], atol=book["pc.V4"]["tolerance"])
    np.testing.assert_allclose(ever, book["pc.Vinf"]["value"], atol=book["pc.Vinf"]["tolerance"])


def test_ceasing_contact_after_recency_three_gives_their_better_figures(reference):
    matrix = [[0.3, 0.7, 0, 0], [0.2, 0, 0.8, 0], [0.15, 0, 0, 0.85], [0, 0, 0, 1]]
    chain = Chain(["r1", "r2", "r3", "former"], matrix, absorbing=["former"])
    row = reference("markov")["pc.Vinf_stop"]
    value = chain.value([36, -4, -4, 0], discount_rate=0.2)
    np.testing.assert_allclose(value, row["value"], atol=row["tolerance"])


@given(chains(), st.floats(0.01, 1.0))
def test_an_infinite_horizon_is_the_limit_of_finite_ones(made, rate):
    chain, reward = made
    far = int(np.ceil(50 / np.log1p(rate)))
    np.testing.assert_allclose(
        chain.value(reward, discount_rate=rate),
        chain.value(reward, discount_rate=rate, horizon=far),
        atol=1e-8 * (1 + np.abs(reward).max() / rate),
    )


@given(chains(), st.floats(-3, 3))
def test_value_is_linear_in_the_reward(made, factor):
    chain, reward = made
    other = np.arange(chain.n_states, dtype=float)
    np.testing.assert_allclose(
        chain.value(factor * reward + other, discount_rate=0.1),
        factor * chain.value(reward, discount_rate=0.1) + chain.value(other, discount_rate=0.1),
        atol=1e-6,
    )


@given(chains(), st.randoms())
def test_permuting_states_permutes_values(made, random):
    chain, reward = made
    order = list(range(chain.n_states))
    random.shuffle(order)
    turned = Chain(order, chain.matrix[np.ix_(order, order)])
    np.testing.assert_allclose(turned.value(reward[order]), chain.value(reward)[order], atol=1e-7)


@given(chains())
def test_splitting_a_state_into_two_equal_ones_changes_nothing(made):
    chain, reward = made
    n = chain.n_states
    wide = np.zeros((n + 1, n + 1))
    wide[:n, :n] = chain.matrix
    wide[n, :n] = chain.matrix[0]
    wide[:, n] = wide[:, 0] / 2
    wide[:, 0] /= 2
    split = Chain(range(n + 1), wide).value([*reward, reward[0]])
    np.testing.assert_allclose(split[:n], chain.value(reward), atol=1e-7)
    np.testing.assert_allclose(split[n], split[0], atol=1e-7)


@given(chains())
def test_a_sparse_chain_has_the_same_values(made):
    chain, reward = made
    sparse = Chain(chain.states, sp.csr_array(chain.matrix))
    assert sparse.is_sparse
    np.testing.assert_allclose(sparse.value(reward), chain.value(reward), atol=1e-8)
    np.testing.assert_allclose(
        sparse.value(reward, horizon=3), chain.value(reward, horizon=3), atol=1e-9
    )
    assert sparse == chain


@given(chains())
def test_rewards_at_the_end_come_one_discount_later(made):
    chain, reward = made
    np.testing.assert_allclose(
        chain.value(reward, horizon=5, discount_rate=0.3, timing="end") * 1.3,
        chain.value(reward, horizon=4, discount_rate=0.3, timing="start"),
        atol=1e-9,
    )


def test_a_reward_by_transition_is_paid_by_its_chance(recency_chain):
    by_transition = np.zeros((5, 5))
    by_transition[:, 0] = 40.0
    by_state = np.asarray([*P, 0.0]) * 40.0
    for reward in (by_transition, sp.csr_array(by_transition)):
        np.testing.assert_allclose(recency_chain.value(reward), recency_chain.value(by_state))


def test_rate_zero_needs_a_state_that_is_never_left_and_earns_nothing(recency_chain):
    value = recency_chain.value(REWARD, discount_rate=0.0)
    far = recency_chain.value(REWARD, discount_rate=0.0, horizon=400)
    np.testing.assert_allclose(value, far, atol=1e-9)
    with pytest.raises(ValueError, match="visited for ever"):
        Chain(["a", "b"], [[0.5, 0.5], [0.5, 0.5]]).value([1.0, 0.0], discount_rate=0.0)


def test_a_row_of_zeros_is_refused_by_name():
    with pytest.raises(ValueError, match=r"'gone' sums to 0.*absorbing="):
        Chain(["here", "gone"], [[0.5, 0.5], [0, 0]])


def test_a_state_that_can_be_left_is_not_absorbing():
    with pytest.raises(ValueError, match=r"leaves it with chance 0.5"):
        Chain(["a", "b"], [[0.5, 0.5], [0.5, 0.5]], absorbing=["b"])


def test_names_sizes_and_entries_are_checked():
    with pytest.raises(ValueError, match="repeat"):
        Chain(["a", "a"], np.eye(2))
    with pytest.raises(ValueError, match="shape"):
        Chain(["a"], np.eye(2))
    with pytest.raises(ValueError, match="negative"):
        Chain(["a", "b"], [[1.5, -0.5], [0, 1]])
    with pytest.raises(ValueError, match="reward has shape"):
        Chain(["a", "b"], np.eye(2)).value([1.0])
    with pytest.raises(ValueError, match="timing"):
        Chain(["a", "b"], np.eye(2)).value([1.0, 2.0], timing="middle")


def test_a_chain_cannot_be_changed(recency_chain):
    with pytest.raises(ValueError, match="read-only"):
        recency_chain.matrix[0, 0] = 1.0
    with pytest.raises(AttributeError):
        recency_chain.states = ()


def test_a_chain_survives_pickle_and_json(recency_chain):
    assert pickle.loads(pickle.dumps(recency_chain)) == recency_chain
    assert Chain.from_dict(json.loads(json.dumps(recency_chain.to_dict()))) == recency_chain


def test_chances_after_some_periods_follow_the_powers_of_the_matrix(recency_chain):
    path = recency_chain.distribution("r1", 3)
    np.testing.assert_allclose(path[3], np.linalg.matrix_power(recency_chain.matrix, 3)[0])
    np.testing.assert_allclose(path.sum(axis=1), 1.0)


@given(chains(), st.integers(1, 6), st.floats(0.0, 0.5))
def test_value_and_variance_equal_a_simulation(made, horizon, rate):
    chain, reward = made
    rng = np.random.default_rng(7)
    n = 4000
    paths = chain.simulate(np.zeros(n, dtype=int), horizon, random_state=rng)
    noise = rng.normal(size=(n, horizon)) * 2.0
    paid = (reward[paths[:, :horizon]] + noise) * (1 + rate) ** -np.arange(horizon)
    total = paid.sum(axis=1)
    mean, variance = chain.moments(
        reward, horizon=horizon - 1, discount_rate=rate, reward_variance=4.0
    )
    np.testing.assert_allclose(mean, chain.value(reward, horizon=horizon - 1, discount_rate=rate))
    assert abs(total.mean() - mean[0]) < 5 * np.sqrt(variance[0] / n)
    assert total.var() == pytest.approx(variance[0], rel=0.2)


def test_a_reward_by_transition_has_its_own_variance(recency_chain):
    pays = np.zeros((5, 5))
    pays[:, 0] = 40.0
    mean, variance = recency_chain.moments(pays, horizon=0)
    np.testing.assert_allclose(mean, [40 * p for p in [*P, 0.0]])
    np.testing.assert_allclose(variance, [1600 * p * (1 - p) for p in [*P, 0.0]])


@given(chains())
def test_long_run_shares_do_not_move(made):
    chain, _ = made
    share = chain.stationary()
    np.testing.assert_allclose(share @ chain.matrix, share, atol=1e-10)
    assert share.sum() == pytest.approx(1.0)


def test_two_closed_classes_have_no_common_long_run():
    with pytest.raises(ValueError, match="2 closed classes"):
        Chain(["a", "b"], np.eye(2)).stationary()


def test_visits_before_leaving_and_undiscounted_value_agree(recency_chain, reference):
    states, visits = recency_chain.fundamental_matrix()
    assert states == ("r1", "r2", "r3", "r4")
    row = reference("markov")["pc.undisc"]
    assert visits[0] @ REWARD[:4] == pytest.approx(row["value"], abs=row["tolerance"])
    np.testing.assert_allclose(visits.sum(axis=1), recency_chain.expected_time_to("former")[:4])


def test_waiting_for_what_may_never_come_is_infinite(recency_chain):
    wait = recency_chain.expected_time_to("r1")
    assert np.all(np.isinf(wait))
    two = Chain(["a", "b"], [[0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(two.expected_time_to("a"), [1 + 0.5 * 4, 4.0])
    np.testing.assert_allclose(two.expected_time_to("a")[0], 1 / two.stationary()[0])


def test_five_thousand_sparse_states_are_solved():
    n = 5000
    i = np.arange(n)
    matrix = sp.csr_array(
        (np.r_[np.full(n, 0.7), np.full(n, 0.3)], (np.r_[i, i], np.r_[(i + 1) % n, i * 7 % n])),
        shape=(n, n),
    )
    value = Chain(range(n), matrix).value(np.ones(n), discount_rate=0.01)
    np.testing.assert_allclose(value, 101.0)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("exit_", [1e-6, 1e-12, 1e-15])
def test_a_state_that_is_hardly_ever_left_keeps_its_digits(exit_, sparse):
    matrix = np.array([[1.0 - exit_, exit_], [0.0, 1.0]])
    chain = Chain(["here", "gone"], sp.csr_array(matrix) if sparse else matrix, absorbing=["gone"])
    assert chain.expected_time_to("gone")[0] == pytest.approx(1 / exit_, rel=1e-13)
    assert chain.fundamental_matrix()[1][0, 0] == pytest.approx(1 / exit_, rel=1e-13)
    assert chain.value([2.0, 0.0], discount_rate=0.0)[0] == pytest.approx(2 / exit_, rel=1e-13)


def test_states_that_go_round_for_ages_keep_their_digits():
    e = 1e-13
    matrix = np.array([[0.3, 0.7, 0, 0], [0.6, 0.1, 0.3, 0], [0.5, 0.5 - e, 0, e], [0, 0, 0, 1]])
    chain = Chain("abcd", matrix, absorbing=["d"])
    with mpmath.workdps(60):
        q = mpmath.matrix(3)
        for i in range(3):
            leaves = mpmath.fsum(mpmath.mpf(matrix[i, j]) for j in range(4) if j != i)
            for j in range(3):
                q[i, j] = leaves if i == j else -mpmath.mpf(matrix[i, j])
        right = mpmath.lu_solve(q, mpmath.matrix([1, 1, 1]))
    assert chain.expected_time_to("d")[:3] == pytest.approx([float(v) for v in right], rel=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("exit_", [1e-6, 1e-12, 1e-15])
def test_shares_and_ends_of_states_that_are_hardly_ever_left_keep_their_digits(exit_, sparse):
    made = sp.csr_array if sparse else np.asarray
    # two states that change places once in 1 / e and once in 3 / e periods: 1 to 3 of the time
    slow = np.array([[1.0 - exit_, exit_], [exit_ / 3.0, 1.0 - exit_ / 3.0]])
    assert Chain("ab", made(slow)).stationary() == pytest.approx([0.25, 0.75], rel=1e-12)
    # geometric times: mean 1 / e, variance (1 - e) / e^2, whatever the outcome
    ends = np.array([[1.0 - exit_, 0.75 * exit_, 0.25 * exit_], [0, 1, 0], [0, 0, 1]])
    found = Chain(["open", "won", "lost"], made(ends), absorbing=["won", "lost"]).absorption()
    assert found.chance[0] == pytest.approx([0.75, 0.25], rel=1e-12)
    assert found.time[0] == pytest.approx(1 / exit_, rel=1e-12)
    assert found.variance[0] == pytest.approx((1 - exit_) / exit_**2, rel=1e-9)
    assert found.time_given[0] == pytest.approx([1 / exit_] * 2, rel=1e-12)
    assert found.variance_given[0] == pytest.approx([(1 - exit_) / exit_**2] * 2, rel=1e-9)


def test_large_chains_keep_the_digits_of_rare_exits_too():
    n, e = 500, 1e-12  # a ring in which every state is left once in 1 / e periods, for the next
    i = np.arange(n)
    ring = (np.r_[np.full(n, 1.0 - e), np.full(n, e)], (np.r_[i, i], np.r_[i, (i + 1) % n]))
    chain = Chain(range(n), sp.csr_array(ring, shape=(n, n)))
    assert chain.expected_time_to(n - 1)[0] == pytest.approx((n - 1) / e, rel=1e-10)
    assert chain.stationary() == pytest.approx(np.full(n, 1.0 / n), rel=1e-9)


def test_visits_with_several_right_sides_agree_with_the_inverse():
    rng = np.random.default_rng(5)
    matrix = rng.dirichlet(np.ones(7), 7)
    matrix[6] = np.eye(7)[6]
    found = Chain(range(7), matrix, absorbing=[6]).fundamental_matrix()[1]
    np.testing.assert_allclose(found, np.linalg.inv(np.eye(6) - matrix[:6, :6]), rtol=1e-11)


class TestLabels:
    """What has names is put in the order of the states; what has other names is refused."""

    CHAIN = Chain(["buys", "quiet", "gone"], [[0.5, 0.4, 0.1], [0.2, 0.5, 0.3], [0, 0, 1]])
    REWARD = {"gone": 0.0, "quiet": -1.0, "buys": 10.0}

    def test_a_reward_is_aligned_by_label(self):
        plain = self.CHAIN.value([10.0, -1.0, 0.0])
        for one in (self.REWARD, pd.Series(self.REWARD), pd.Series(self.REWARD).iloc[::-1]):
            assert self.CHAIN.value(one).tolist() == plain.tolist()
            assert self.CHAIN.moments(one, horizon=3)[0].tolist() == pytest.approx(
                self.CHAIN.moments([10.0, -1.0, 0.0], horizon=3)[0].tolist()
            )
        spread = pd.Series({"gone": 0.0, "buys": 4.0, "quiet": 1.0})
        assert self.CHAIN.moments(self.REWARD, horizon=3, reward_variance=spread)[1].tolist() == (
            self.CHAIN.moments([10, -1, 0], horizon=3, reward_variance=[4, 1, 0])[1].tolist()
        )

    def test_a_start_is_aligned_by_label(self):
        start = pd.Series({"gone": 1.0, "buys": 3.0, "quiet": 6.0})
        assert self.CHAIN.distribution(start, 0)[0].tolist() == [3.0, 6.0, 1.0]

    def test_a_matrix_and_a_reward_by_move_are_aligned_on_both_sides(self):
        order = ["gone", "buys", "quiet"]
        names = list(self.CHAIN.states)
        frame = pd.DataFrame(self.CHAIN.dense(), names, names).loc[order, order]
        assert Chain(names, frame) == self.CHAIN
        money = pd.DataFrame([[1.0, 2, 3], [4, 5, 6], [0, 0, 0]], names, names).loc[order, order]
        assert self.CHAIN.value(money).tolist() == (
            self.CHAIN.value([[1.0, 2, 3], [4, 5, 6], [0, 0, 0]]).tolist()
        )

    def test_an_index_that_only_counts_names_nothing(self):
        assert self.CHAIN.value(pd.Series([10.0, -1.0, 0.0])).tolist() == (
            self.CHAIN.value([10.0, -1.0, 0.0]).tolist()
        )

    @pytest.mark.parametrize(
        ("labels", "says"),
        [
            (["buys", "quiet", "left"], "has 'left'"),
            (["buys", "quiet"], "lacks 'gone'"),
            (["buys", "quiet", "gone", "gone"], "labels twice"),
        ],
    )
    def test_other_labels_are_refused(self, labels, says):
        with pytest.raises(ValueError, match=f"not the chain's states: it .*{says}"):
            self.CHAIN.value(pd.Series(1.0, index=labels))
        with pytest.raises(ValueError, match="not the chain's states"):
            self.CHAIN.distribution(pd.Series(1.0, index=labels), 2)


def test_a_matrix_published_with_four_digits_is_taken_where_asked():
    rounded = [[0.3333, 0.3333, 0.3333], [0.25, 0.5, 0.2501], [0, 0, 1]]
    with pytest.raises(ValueError, match="normalize=True"):
        Chain(["a", "b", "c"], rounded)
    chain = Chain(["a", "b", "c"], rounded, normalize=True)
    assert chain.dense().sum(axis=1).tolist() == pytest.approx([1, 1, 1], abs=1e-15)
    assert chain.dense()[0].tolist() == pytest.approx([1 / 3] * 3)
    assert Chain(["a", "b", "c"], sp.csr_array(np.array(rounded)), normalize=True) == chain
    with pytest.raises(ValueError, match=r"'a' sums to 0.9"):
        Chain(["a", "b"], [[0.5, 0.4], [0, 1]], normalize=True)
