"""A blend is weighted, levelled and spread by earlier origins of its log, and says by which."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression

from custvalue.data import TransactionLog
from custvalue.evaluation import StackedValue, _stacking
from custvalue.exceptions import DataContractError, FitFailedError, NotSupportedError
from custvalue.metrics import interval_coverage
from custvalue.purchase import MBGNBD
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, LearnedValue, RateForward, SameForAll

NAMES = {"customer": "who", "time": "day", "amount": "paid"}


def law():
    return CustomerValue(purchases=MBGNBD())


def quick(**more):
    return StackedValue({"law": law(), "rate": RateForward(), "same": SameForAll()}, **more)


@pytest.fixture(scope="module")
def log():
    return Shop("log").table


@pytest.fixture(scope="module")
def fitted(log):
    return quick(horizon="26W").fit(log)


def origin(came, *said):
    said = np.column_stack(said)
    return _stacking.Origin(100, 100, came, said, np.full(said.shape, 0.5))


def test_the_part_that_was_right_has_the_weight(rng):
    mean = rng.gamma(0.5, 40.0, 3000)
    came = mean * rng.gamma(2.0, 0.5, 3000)
    w = _stacking.convex_weights([origin(came, mean, rng.permutation(mean))], 0.0)
    assert w[0] > 0.95
    assert w.sum() == pytest.approx(1.0)


def test_parts_that_say_the_same_have_the_same_weight_and_a_pull_draws_to_it(rng):
    mean = rng.gamma(0.5, 40.0, 1000)
    came = mean * rng.gamma(2.0, 0.5, 1000)
    alike = [origin(came, mean, mean.copy())]
    np.testing.assert_allclose(_stacking.convex_weights(alike, 0.1), [0.5, 0.5], atol=1e-4)
    apart = [origin(came, mean, rng.permutation(mean))]
    np.testing.assert_allclose(_stacking.convex_weights(apart, 1e6), [0.5, 0.5], atol=1e-3)


def test_weights_answer_for_who_brings_how_much_and_not_for_the_level(rng):
    mean, other = rng.gamma(0.5, 40.0, (2, 1000))
    came = mean * rng.gamma(2.0, 0.5, 1000)
    one = _stacking.convex_weights([origin(came, mean, other)], 0.01)
    two = _stacking.convex_weights([origin(came, 3.0 * mean, 0.2 * other)], 0.01)
    np.testing.assert_allclose(one, two, atol=1e-6)


def test_a_level_that_was_missed_alike_is_mended_and_one_that_wavered_is_left():
    came = np.full(10_000, 10.0)  # the sampling of customers says little
    alike = _stacking.level_of([origin(came, came / 1.5) for _ in range(3)], 0.2)
    noise = 1e-4
    assert alike.factor == pytest.approx(np.exp(np.log(1.5) * 0.04 / (0.04 + noise)))
    wavers = _stacking.level_of([origin(came, came / 1.5), origin(came, came * 1.5)], 0.2)
    assert wavers.factor == pytest.approx(1.0)
    assert wavers.error > 2.0 * alike.error


def test_a_date_with_few_buyers_says_less_of_the_level():
    few, many = np.full(100, 10.0), np.full(10_000, 10.0)
    # relative errors of the totals: a tenth and a hundredth, a twentieth added to each in root
    sure = np.array([1.0 / (0.1**2 + 0.05**2), 1.0 / (0.01**2 + 0.05**2)])
    sure /= sure.sum()
    miss = np.log([1.5, 1.1])
    mean = sure @ miss
    doubt = sure @ [0.1**2, 0.01**2] + 2.0 * (sure @ (miss - mean) ** 2)
    level = _stacking.level_of([origin(few, few / 1.5), origin(many, many / 1.1)], 0.2)
    assert np.log(level.factor) == pytest.approx(mean * 0.04 / (0.04 + doubt))
    assert abs(np.log(level.factor)) < miss[1]  # nearer to what the sure date says than to both


def test_the_level_is_held_by_the_part_whose_totals_came_true():
    came = np.full(10_000, 10.0)
    level = _stacking.level_of([origin(came, came, 2.0 * came) for _ in range(2)], 0.2)
    miss = np.log(2.0) ** 2
    assert level.weights[0] == pytest.approx(1 / 0.01 / (1 / 0.01 + 1 / (miss + 0.01)))


def test_relative_sizes_have_the_mean_of_what_was_expected(rng):
    chance = rng.uniform(0.1, 0.9, 5000)
    size = rng.lognormal(3.0, 1.0, 5000)
    came = size * (rng.random(5000) < chance)
    edges, table = _stacking.relative_sizes(came, chance * np.exp(3.5), chance)
    np.testing.assert_allclose(table.mean(axis=1), 1.0)
    assert (np.diff(table, axis=1) >= 0).all()
    assert len(table) == len(edges) + 1
    # the median of a log-normal of sigma 1 is exp(-1/2) of its mean
    assert np.median(table, axis=1).mean() == pytest.approx(np.exp(-0.5), rel=0.1)


def test_a_value_is_the_weighted_sum_of_its_levelled_parts(fitted, log):
    told = fitted.explain(log)
    weights = fitted.weights()
    assert sum(weights.values()) == pytest.approx(1.0)
    by_hand = sum(w * told[name] for name, w in weights.items())
    np.testing.assert_allclose(by_hand, told["value"])
    assert told.columns[0] == "who"


def test_the_spread_of_a_blend_is_that_of_its_table_of_sizes(fitted, log):
    rows, terms = fitted._rows(log), fitted.terms()
    variance, none = fitted._spread(rows, terms)
    chance, mean = fitted.predict_chance(log), fitted.predict(log)
    np.testing.assert_allclose(none, 1.0 - chance)
    known = fitted.forecast_
    bucket = np.digitize(chance, known.chance_edges)
    for i in np.random.default_rng(0).choice(len(mean), 20):
        # nothing, or one of 100 sizes of equal chance
        outcomes = np.append(0.0, mean[i] / chance[i] * known.sizes[bucket[i]])
        p = np.append(1.0 - chance[i], np.full(100, chance[i] / 100))
        assert p @ outcomes == pytest.approx(mean[i])
        assert variance[i] == pytest.approx(p @ (outcomes - mean[i]) ** 2)


def test_the_report_names_weights_origins_and_the_error_of_the_level(fitted):
    said = fitted.fit_report()
    assert [o["days"] for o in said["earlier origins"]] == [269, 269, 134]
    assert said["parts"]["law"]["weight"] == fitted.weights()["law"]
    assert 0.03 < said["error of the log of the total"] < 0.5
    json.dumps(said)


def test_nothing_after_the_end_of_a_log_has_a_say(log):
    changed = log.frame.copy()
    changed.loc[changed["day"] > "2021-03-31", "paid"] *= 50.0
    other = TransactionLog(changed, **NAMES)
    said = [
        quick().fit(one).predict(one, "13W")
        for one in (log.until("2021-03-31"), other.until("2021-03-31"))
    ]
    np.testing.assert_allclose(*said, rtol=1e-6)


def test_a_short_past_leaves_the_law_alone(log):
    short = log.until("2020-02-15")
    model = quick(horizon="26W").fit(short)
    alone = law().set_params(horizon="26W").fit(short.summary("D"))
    np.testing.assert_allclose(model.predict(short), alone.predict(short.summary("D")))
    np.testing.assert_allclose(
        model.predict_interval(short), alone.predict_interval(short.summary("D"))
    )
    assert model.weights() == {"law": 1.0}
    assert "too few buyers" in model.fit_report()["no weights"]
    again = StackedValue.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_allclose(again.predict(short), model.predict(short))


class Fails(RateForward):
    def fit(self, X, y=None, sample_weight=None):
        raise FitFailedError("no maximum")


def test_a_part_that_fails_is_left_out_and_named(log):
    model = StackedValue({"law": law(), "broken": Fails()}).fit(log)
    assert list(model.weights()) == ["law"]
    assert model.fit_report()["left out"] == ["broken: FitFailedError: no maximum"]


def test_the_interval_of_a_total_carries_what_earlier_origins_missed():
    """Everybody's rate falls by a third a year, which no law knows and every origin saw."""
    rng = np.random.default_rng(11)
    n, days = 900, 1100
    born = rng.integers(0, 700, n)
    grid = np.arange(0, days, 7)
    pace = 0.25 * rng.gamma(1.0, 1.0, n)[:, None] * np.exp(-0.4 * grid / 365)
    came = (rng.random((n, len(grid))) < pace) & (grid >= born[:, None])
    who, week = np.nonzero(came)
    rows = pd.DataFrame({"who": np.r_[np.arange(n), who], "day": np.r_[born, grid[week]]})
    rows["day"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(rows["day"], unit="D")
    rows["paid"] = rng.gamma(4.0, 10.0, len(rows)).round(2) + 1.0
    whole = TransactionLog(rows, **NAMES)
    known = whole.until("2022-12-31")
    money = whole.between(known.as_of, "2023-12-30").totals(known.customers())[0].sum()
    plain = law().fit(known.summary("D")).predict_total(known.summary("D"), "52W", level=0.95)
    assert money < plain["lower"].iloc[0]
    model = quick().fit(known)
    told = model.predict_total(known, "52W", level=0.95)
    assert told["lower"].iloc[0] < money < told["upper"].iloc[0]


def test_intervals_of_customers_cover_what_they_say(log):
    known = log.until("2020-12-31")
    came, _ = log.between(known.as_of, log.as_of).totals(known.customers())
    model = quick().fit(known)
    ends = model.predict_interval(known, "181D", level=0.8)
    may = model.predict_chance(known, "181D") > 0.2  # else nothing at all is the interval
    assert may.sum() > 200
    # an interval holds the expected value, which lies above the median: it may cover more
    assert 0.76 < interval_coverage(came[may], ends[may, 0], ends[may, 1]) < 0.9


def test_a_learner_in_the_blend_has_no_json(log):
    learner = LearnedValue(
        law=law(), classifier=DummyClassifier(), regressor=DummyRegressor(), n_dates=2
    )
    model = StackedValue({"law": law(), "learner": learner}, pull=1e6).fit(log)
    assert model.weights()["learner"] == pytest.approx(0.5, abs=0.01)
    with pytest.raises(NotSupportedError, match="pickle"):
        model.to_dict()


def test_what_cannot_be_blended_is_refused_by_name(log):
    with pytest.raises(ValueError, match="'regression' is a LinearRegression"):
        StackedValue({"regression": LinearRegression()}).fit(log)
    with pytest.raises(ValueError, match="at least one"):
        StackedValue({}).fit(log)
    with pytest.raises(DataContractError, match="TransactionLog"):
        quick().fit(log.summary())
    with pytest.raises(ValueError, match="pull=-1"):
        quick(pull=-1).fit(log)


def test_the_same_for_all_is_the_mean_rate_of_all():
    table = pd.DataFrame({"n_orders": [3, 1], "T": [30.0, 10.0], "total_value": [60.0, 20.0]})
    model = SameForAll(horizon=5.0).fit(table)
    assert model.predict(table).tolist() == [10.0, 10.0]
    assert model.new_customer_value() == pytest.approx(20.0 + 10.0)


def test_what_a_blend_remembers_of_opened_rows_is_of_those_terms_alone(fitted, log):
    rows = fitted.open(log)
    for ask in ("13W", "26W", "13W", "26W"):  # each after the other has been said
        np.testing.assert_array_equal(fitted.predict(rows, ask), fitted.predict(log, ask))
    half = quick(horizon="26W", margin=0.5).fit(log)
    np.testing.assert_allclose(half.predict(log), 0.5 * fitted.predict(log))
    said = fitted.predict(rows, "26W")
    said[:] = 0.0  # a caller's own array: what is remembered stays
    np.testing.assert_array_equal(fitted.predict(rows, "26W"), fitted.predict(log, "26W"))
