"""Hidden relationship states: hmmlearn's likelihood, recovery, ordered logit, what follows."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from custvalue.exceptions import ArtefactError, ConvergenceWarning, DataContractError
from custvalue.markov import HiddenStates
from custvalue.markov import _hidden_kernel as kernel
from custvalue.markov._hidden import HiddenFit

PI, RATE = np.array([0.3, 0.4, 0.3]), np.array([0.05, 0.8, 3.0])
MOVES = np.array([[0.92, 0.06, 0.02], [0.15, 0.75, 0.10], [0.04, 0.16, 0.80]])


def given(pi=PI, rate=RATE, Q=MOVES, **settings):
    """A model with parameters written down."""
    model = HiddenStates(len(pi), customer="customer", **settings)
    k = len(pi)
    model.states_ = HiddenFit(
        None, pi, rate, np.full(k, 10.0), np.full(k, 4.0), Q, None, None, None, None,
        np.nan, 0, 0, 0, 0, True,
    )  # fmt: skip
    return model


def by_paths(counts, law, pi=PI, rate=RATE, Q=MOVES):
    """Likelihood as a sum over all paths of states, and the chances of the last one."""
    total = np.zeros(len(pi))
    for path in itertools.product(range(len(pi)), repeat=len(counts)):
        p = pi[path[0]] * np.prod([Q[a, b] for a, b in itertools.pairwise(path)])
        total[path[-1]] += p * np.prod(law(np.array(counts), rate[list(path)]))
    return np.log(total.sum()), total / total.sum()


def panel_of(*histories):
    who = np.repeat(np.arange(len(histories)), [len(h) + 1 for h in histories])
    orders = np.concatenate([[1, *h] for h in histories])
    return pd.DataFrame({"customer": who, "orders": orders})


@pytest.mark.parametrize(
    ("kind", "rate", "law"),
    [
        ("poisson", RATE, stats.poisson.pmf),
        ("bernoulli", np.array([0.05, 0.3, 0.9]), lambda y, p: stats.bernoulli.pmf(y > 0, p)),
    ],
)
def test_likelihood_and_filter_are_sums_over_all_paths(kind, rate, law):
    model = given(rate=rate, counts=kind)
    histories = [[0, 2, 0, 1], [3], [1, 0]]
    X = panel_of(*histories)
    found = [by_paths(h, law, rate=rate) for h in histories]
    assert model.score(X) == pytest.approx(np.mean([ll for ll, _ in found]), rel=1e-12)
    last = model.predict_proba(X)[[4, 6, 9]]
    np.testing.assert_allclose(last, [chance for _, chance in found], rtol=1e-10)
    np.testing.assert_allclose(model.predict_proba(X)[[0, 5, 7]], [PI] * 3)


def test_likelihood_is_that_of_hmmlearn():
    hmm = pytest.importorskip("hmmlearn.hmm", reason="hmmlearn is no part of every machine")
    X = given().sample(200, 12, random_state=3)
    model = HiddenStates(3, customer="customer").fit(X)
    theirs = hmm.PoissonHMM(3)
    fit = model.states_
    theirs.startprob_, theirs.transmat_ = fit.initial, fit.matrix
    theirs.lambdas_, theirs.n_features = fit.rate[:, None], 1
    counts = X["orders"][X["period"] > 0].to_numpy()[:, None]
    lengths = [12] * 200
    assert model.score(X) * 200 == pytest.approx(theirs.score(counts, lengths), rel=1e-10)
    assert model.score(X) * 200 == pytest.approx(fit.log_likelihood, rel=1e-7)
    again = hmm.PoissonHMM(3, n_iter=60, tol=1e-2, random_state=1, init_params="")
    again.startprob_, again.transmat_ = PI, MOVES
    again.lambdas_ = RATE[:, None]
    again.fit(counts, lengths)  # from the truth
    assert fit.log_likelihood >= again.score(counts, lengths) - 0.3


def test_states_are_found_again_in_their_order():
    X = given().sample(2500, 15, random_state=8)
    model = HiddenStates(3, customer="customer").fit(X)
    fit = model.states_
    np.testing.assert_allclose(fit.rate, RATE, rtol=0.1, atol=0.02)
    np.testing.assert_allclose(fit.matrix, MOVES, atol=0.04)
    np.testing.assert_allclose(fit.initial, PI, atol=0.05)
    known = X["state"] >= 0
    assert (model.predict(X)[known] == X["state"][known]).mean() > 0.75
    chance = model.predict_proba(X)[known]
    for k in range(3):  # chances are true ones
        said, came = chance[:, k], X["state"][known] == k
        assert said.mean() == pytest.approx(came.mean(), abs=0.02)
        assert came[said > 0.7].mean() == pytest.approx(said[said > 0.7].mean(), abs=0.03)


def test_equal_histories_once_and_more_customers_change_no_summit():
    X = given().sample(300, 8, random_state=1)
    twice = pd.concat([X, X.assign(customer=X["customer"] + 300)])
    one, two = (HiddenStates(2, customer="customer", max_iter=2000).fit(t) for t in (X, twice))
    np.testing.assert_allclose(two.states_.rate, one.states_.rate, rtol=1e-6)
    assert two.states_.log_likelihood == pytest.approx(2 * one.states_.log_likelihood, rel=1e-9)


def test_contacts_move_the_transitions_and_their_slopes_are_found_again():
    truth = given(covariates=("contact",))
    cut, slope = kernel.cuts_of(MOVES), np.array([[1.2], [0.6], [0.0]])
    truth.states_ = replace(
        truth.states_, cut=cut, slope=slope, centre=np.zeros(1), scale=np.ones(1)
    )
    Z = np.random.default_rng(0).integers(0, 2, (2000, 12, 1))
    X = truth.sample(2000, 12, Z=Z, random_state=2)
    model = HiddenStates(3, covariates=["contact"], customer="customer", tol=1e-6).fit(X)
    plain = HiddenStates(3, customer="customer").fit(X)
    assert model.states_.log_likelihood > plain.states_.log_likelihood + 30
    found = model.effects().set_index("state")
    np.testing.assert_allclose(found["slope"], slope[:, 0], atol=0.35)
    np.testing.assert_allclose(found["odds_ratio"], np.exp(found["slope"]))
    up = model.chain({"contact": 1.0}).matrix, model.chain({"contact": 0.0}).matrix
    at = truth.chain({"contact": 1.0}).matrix
    np.testing.assert_allclose(up[0], at, atol=0.07)
    assert up[0][0, 1:].sum() > 2 * up[1][0, 1:].sum()
    assert (
        model.expected_orders(X, 3, covariates={"contact": 1.0}).mean()
        > model.expected_orders(X, 3, covariates={"contact": 0.0}).mean()
    )
    again = HiddenStates.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_ordered_logit_has_the_slope_of_differences():
    rng = np.random.default_rng(4)
    Z, moves = rng.normal(size=(6, 2)), rng.gamma(1.0, 5.0, (6, 3, 3))
    start = kernel.Logit(kernel.cuts_of(MOVES), np.zeros((3, 2)))
    found = kernel.fit_logit(moves, Z, start, ridge=0.0)

    def height(law):
        return float((moves * np.log(kernel.matrices(law, Z))).sum())

    top = height(found)
    assert top > height(start)
    for part in ("cut", "slope"):
        for i, j in np.ndindex(getattr(found, part).shape):
            for move in (-1e-3, 1e-3):
                other = getattr(found, part).copy()
                other[i, j] += move
                assert height(found._replace(**{part: other})) <= top + 1e-4


def test_without_covariates_thresholds_are_the_matrix():
    law = kernel.Logit(kernel.cuts_of(MOVES), np.zeros((3, 1)))
    np.testing.assert_allclose(kernel.matrices(law, np.zeros((1, 1)))[0], MOVES, atol=2e-5)


def test_value_and_orders_follow_from_the_chain():
    model = given()
    X = panel_of([0, 2, 1], [4, 3])
    chance, Q = model.predict_proba(X), MOVES
    orders = chance @ sum(np.linalg.matrix_power(Q, h) @ RATE for h in (1, 2, 3))
    np.testing.assert_allclose(model.expected_orders(X, 3), orders, rtol=1e-12)
    np.testing.assert_allclose(model.value(X, 3), 10.0 * orders, rtol=1e-12)
    forever = chance @ Q @ model.chain_.value(10.0 * RATE, discount_rate=0.1, timing="end")
    np.testing.assert_allclose(model.value(X, 400, discount_rate=0.1), forever, rtol=1e-9)
    table = model.state_table()
    rng = np.random.default_rng(0)
    drawn = np.array([rng.normal(10.0, 2.0, n).sum() for n in rng.poisson(3.0, 40_000)])
    assert table.loc["state 3", "spend_variance"] == pytest.approx(drawn.var(), rel=0.03)
    mean, variance = model.chain_.moments(
        table["spend"], reward_variance=table["spend_variance"], horizon=5, discount_rate=0.0
    )
    assert (variance > 0).all()
    assert (np.diff(mean) > 0).all()


def test_a_panel_of_the_library_and_money_by_state(cdnow_sample):
    import custvalue as cv

    panel = cv.panel(
        cdnow_sample, customer="customer_id", time="date", amount="amount",
        as_of="1998-06-30", period="8W",
    )  # fmt: skip
    model = HiddenStates(2).fit(panel)
    after = panel[panel["age"] > 0] if "age" in panel else panel
    chance = model.predict_proba(panel)[panel["age"].to_numpy() > 0]
    spent = (chance * after["spend"].to_numpy()[:, None]).sum(axis=0)
    bought = (chance * after["orders"].to_numpy()[:, None]).sum(axis=0)
    np.testing.assert_allclose(model.states_.money, spent / bought, rtol=1e-6)
    assert model.fit_report()["unit"] == "8W"
    assert HiddenStates(3).fit(panel).states_.log_likelihood > model.states_.log_likelihood


def test_what_is_no_panel_is_refused():
    X = panel_of([0, 1], [2, 0])
    with pytest.raises(DataContractError, match="does not say which column has the customer"):
        HiddenStates().fit(X)
    with pytest.raises(DataContractError, match="do not stand together"):
        HiddenStates(customer="customer").fit(pd.concat([X, X]))
    with pytest.raises(DataContractError, match=r"whole numbers.*first: 1\)"):
        HiddenStates(customer="customer").fit(X.assign(orders=[1, -1, 0, 1, 2, 0]))
    with pytest.raises(DataContractError, match="contact is the same in every row"):
        HiddenStates(customer="customer", covariates=["contact"]).fit(X.assign(contact=1.0))
    with pytest.raises(DataContractError, match="no customer has a period after the first"):
        HiddenStates(customer="customer").fit(X.drop_duplicates("customer"))
    with pytest.raises(ValueError, match="counts='normal'"):
        HiddenStates(counts="normal", customer="customer").fit(X)
    with pytest.raises(ValueError, match="'mail' is none of the covariates"):
        given().chain({"mail": 1.0})
    with pytest.raises(ArtefactError, match="not HiddenStates"):
        HiddenStates.from_dict({"model": "Chain"})
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        HiddenStates(2, customer="customer", max_iter=1, tol=0.0).fit(
            given().sample(50, 5, random_state=0)
        )
