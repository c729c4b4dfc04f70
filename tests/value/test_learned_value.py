"""Value learned from earlier dates of a log: what it learns, may not see, and where it stops."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custvalue._warn import heard
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError, NotSupportedError
from custvalue.metrics import normalized_gini_score
from custvalue.purchase import MBGNBD
from custvalue.testing._value import Shop
from custvalue.value import CustomerValue, LearnedValue

NAMES = {"customer": "who", "time": "day", "amount": "paid"}


def quick(**more):
    """Law and learners that take little time."""
    law = CustomerValue(purchases=MBGNBD())
    return LearnedValue(**{"law": law, "classifier": DummyClassifier(),
                           "regressor": DummyRegressor(), **more})  # fmt: skip


@pytest.fixture(scope="module")
def log():
    return Shop("log").table


@pytest.fixture(scope="module")
def countries():
    """Customers of one country keep coming, those of the other never come back."""
    rng = np.random.default_rng(4)
    n = 500
    start = rng.integers(0, 300, n)
    rows = [pd.DataFrame({"who": np.arange(n), "day": start})]
    for _ in range(12):
        again = start[: n // 2] + rng.integers(1, 700, n // 2)
        rows.append(pd.DataFrame({"who": np.arange(n // 2), "day": again}))
    frame = pd.concat(rows, ignore_index=True)
    frame = frame[frame["day"] < 720]
    frame["country"] = np.where(frame["who"] < n // 2, "here", "abroad")
    frame["height"] = np.round(rng.normal(170, 10, len(frame)))
    frame["paid"] = 10.0 + rng.integers(0, 5, len(frame))
    frame["day"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(frame["day"], unit="D")
    return frame


def test_a_chance_at_a_learned_horizon_is_the_share_who_came_at_the_earlier_dates(log):
    model = quick().fit(log)
    frame = log.frame
    end = pd.Timestamp("2021-06-30")
    grid = model.forecast_.grid
    span = (end - frame["day"].min()).days
    assert grid == (span // 2 // 4, span // 2 // 2, span // 2)
    came, asked = 0, 0
    for back in (grid[1] * k for k in (1, 2, 3, 4)):
        if span - back < grid[1]:
            continue
        date = end - pd.Timedelta(days=back)
        known = frame.loc[frame["day"] <= date, "who"].unique()
        for h in (h for h in grid if h <= back):
            later = frame[(frame["day"] > date) & (frame["day"] <= date + pd.Timedelta(days=h))]
            came += int(np.isin(known, later["who"]).sum())
            asked += len(known)
    chance = model.predict_chance(log, f"{grid[-1]}D")
    np.testing.assert_allclose(chance, came / asked, rtol=1e-9)
    assert model.forecast_.n_rows == asked


def test_the_learned_level_is_what_came_at_the_earlier_dates(log):
    model = quick().fit(log)
    lessons = model._lessons(log, model.forecast_.grid, ())
    some = np.concatenate([one.y[one.y > 0] for one in lessons])
    usual = np.concatenate([one.usual[one.y > 0] for one in lessons])
    centre = np.exp(np.mean(np.log(some / usual)))  # what a regressor without features says
    assert model.forecast_.smear * centre * usual.sum() == pytest.approx(some.sum())


def test_beyond_the_learned_horizons_the_law_carries_on(log):
    model = quick().fit(log)
    top = model.forecast_.grid[-1]
    law = CustomerValue(purchases=MBGNBD()).fit(log.summary("D"))
    near, far = (law.predict(log.summary("D"), f"{h}D") for h in (top, 3 * top))
    ratio = model.predict(log, f"{3 * top}D") / model.predict(log, f"{top}D")
    there = near > 0.05 * near.mean()  # whom the law gives up comes at a steady rate
    assert there.sum() > 300
    np.testing.assert_allclose(ratio[there], (far / near)[there], rtol=1e-3)


def test_whom_the_law_gives_up_is_worth_what_was_learned(log):
    model = quick().fit(log)
    law = CustomerValue(purchases=MBGNBD()).fit(log.summary("D"))
    chance = law.predict_chance(log.summary("D"), "26W")
    gone = chance < 1e-4
    assert gone.any()
    assert model.predict(log, "26W")[gone].min() > 10.0 * law.predict(log.summary("D"), "26W")[
        gone
    ].max()  # fmt: skip


def test_nothing_after_the_end_of_a_log_is_learned(log):
    shorter = log.until("2021-03-31")
    changed = log.frame.copy()
    late = changed["day"] > "2021-03-31"
    changed.loc[late, "paid"] *= 100.0
    other = TransactionLog(changed, **NAMES).until("2021-03-31")
    said = [quick().fit(one).predict(one, "13W") for one in (shorter, other)]
    np.testing.assert_array_equal(*said)


def test_a_short_log_is_valued_by_the_law_alone_and_says_so(log):
    short = log.until("2020-02-20")
    model = quick(horizon="26W").fit(short)
    law = CustomerValue(purchases=MBGNBD(), horizon="26W").fit(short.summary("D"))
    np.testing.assert_allclose(model.predict(short), law.predict(short.summary("D")))
    np.testing.assert_allclose(model.predict_chance(short), law.predict_chance(short.summary("D")))
    assert "fewer than 56" in model.fit_report()["learned"]
    again = LearnedValue.from_dict(json.loads(json.dumps(model.to_dict())))
    np.testing.assert_allclose(again.predict(short), model.predict(short))
    with pytest.raises(NotSupportedError, match="law alone"):
        model.predict_quantile(short)


def test_few_buyers_are_not_learned_from(log):
    few = log.of(log.customers()[:15])
    with heard():
        model = quick().fit(few)
    assert "fewer than 200" in model.fit_report()["learned"]


@pytest.mark.parametrize("engine", ["pandas", "polars"])
def test_columns_of_words_in_the_log_are_learned_from(countries, engine):
    frame = countries
    if engine == "polars":
        frame = pytest.importorskip("polars").from_pandas(countries)
    whole = TransactionLog(frame, **NAMES)
    known = whole.until("2022-06-30")
    came, _ = whole.between("2022-06-30", whole.as_of).totals(known.customers())
    parts = {"classifier": None, "regressor": None}
    with heard():  # the law is sure that those who leave leave at once
        with_words = quick(keep=["country", "height"], **parts).fit(known)
        without = quick(**parts).fit(known)
    gini = [normalized_gini_score(came, m.predict(known, "26W")) for m in (with_words, without)]
    assert gini[0] > gini[1]
    told = with_words.feature_importance()
    assert list(told["feature"]).index("country") < list(told["feature"]).index("height")
    assert with_words.fit_report()["features"].count("country=here") == 1


def test_the_newest_row_says_what_a_column_holds():
    rows = pd.DataFrame(
        {"who": [2, 1, 1, 2], "day": ["2024-01-05", "2024-01-02", "2024-01-09", "2024-01-01"],
         "paid": [1.0, 2.0, 3.0, 4.0], "town": ["b", "c", "d", "a"]}
    )  # fmt: skip
    log = TransactionLog(rows, **NAMES)
    assert log.last_known("town").tolist() == ["d", "b"]
    assert log.until("2024-01-03").last_known("town").tolist() == ["c", "a"]
    with pytest.raises(DataContractError, match="town"):
        log.last_known("tow")


def test_some_customers_of_a_log_keep_their_history_and_its_end():
    rows = pd.DataFrame(
        {"who": [1, 2, 1], "day": ["2024-01-01", "2024-02-01", "2024-01-05"], "paid": 1.0}
    )
    log = TransactionLog(rows, **NAMES)
    one = log.of([1])
    assert one.customers().tolist() == [1]
    assert one.as_of == log.as_of
    assert one.summary()["n_orders"].tolist() == [2]
    with pytest.raises(DataContractError, match="none of these"):
        log.of([7])


def test_any_classifier_and_regressor_learn(log):
    model = quick(
        classifier=make_pipeline(StandardScaler(), LogisticRegression()),
        regressor=make_pipeline(StandardScaler(), Ridge()),
        horizon="26W",
    ).fit(log)
    assert model.fit_report()["classifier"] == "Pipeline"
    value = model.predict(log)
    assert value.shape == (len(log.customers()),)
    assert (value > 0).all()


def test_quantiles_rise_and_are_nothing_where_mostly_nothing_comes(log):
    model = quick(horizon="26W").fit(log)
    low, middle, high = model.predict_quantile(log, q=(0.05, 0.5, 0.999)).T
    assert (low <= middle).all()
    assert (middle <= high).all()
    chance = model.predict_chance(log)
    assert (low[chance < 0.9] == 0).all()
    assert (high > model.predict(log)).all()


def test_larger_logs_are_learned_from_a_sample_and_predicted_whole(log):
    model = quick(max_customers=300).fit(log)
    assert model.forecast_.n_customers == 300
    assert len(model.predict(log, "26W")) == len(log.customers())


def test_features_are_not_shuffled_where_nobody_asks(log):
    model = quick(n_repeats=0).fit(log)
    with pytest.raises(NotSupportedError, match="n_repeats=0"):
        model.feature_importance()
    assert len(quick(n_repeats=1).fit(log).feature_importance()) == len(
        model.fit_report()["features"]
    )


def test_what_is_learned_is_the_same_whether_it_was_proven_or_not(log):
    proven, plain = quick().fit(log), quick(prove=False).fit(log)
    np.testing.assert_array_equal(proven.predict(log, "20W"), plain.predict(log, "20W"))
    chances = [m.predict_chance(log, "20W") for m in (proven, plain)]
    np.testing.assert_array_equal(*chances)
    assert "lower" not in plain.predict_total(log, horizon="20W")
    with pytest.raises(NotSupportedError, match="prove=False"):
        plain.predict_interval(log, horizon="20W", kind="parameter")
    with pytest.raises(NotSupportedError, match="prove=False"):
        plain.feature_importance()
    assert proven.predict_total(log, horizon="20W")["lower"].notna().all()


def test_what_is_no_log_and_what_is_no_list_are_refused(log):
    with pytest.raises(DataContractError, match="TransactionLog"):
        LearnedValue().fit(log.summary())
    with pytest.raises(ValueError, match=r"keep=\['country'\]"):
        quick(keep="country").fit(log)
    with pytest.raises(ValueError, match="n_dates=0"):
        quick(n_dates=0).fit(log)
    with pytest.raises(ValueError, match="reads a summary"):
        quick(law=Ridge()).fit(log)
    with pytest.raises(ValueError, match="between 0 and 1"):
        quick().fit(log).predict_quantile(log, "26W", q=(0.0,))
