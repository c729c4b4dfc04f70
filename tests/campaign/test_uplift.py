"""What a campaign adds for whom: laws on experiments whose truth is known, and one public one."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import custvalue as cv
from custvalue.campaign import UpliftModel, campaign_effect
from custvalue.exceptions import DataContractError, SmallSampleWarning
from custvalue.metrics import effect_scores, qini_score, qini_table, uplift_at_k

FOLDER = Path(os.environ.get("CUSTVALUE_DATA", Path(__file__).parents[3] / "shared" / "data"))
LINEAR = make_pipeline(StandardScaler(), Ridge())


def experiment(rng, n=2000, effect=0.0, same=0.0, arms=1):
    """Money that goes with ``a``; treatment adds ``same`` and ``effect`` times ``b``."""
    X = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    arm = rng.integers(0, arms + 1, n)
    y = 5.0 + 2.0 * X["a"] + rng.normal(0, 2, n) + (arm > 0) * (same + effect * X["b"]) * arm
    return X, y.to_numpy(), arm


class Anyhow(UpliftModel):
    """The checks send no treatment: every other customer had it."""

    def fit(self, X, y):
        n = 0 if y is None else len(np.asarray(y))
        return super().fit(X, y, treatment=np.arange(n) % 2)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")
@parametrize_with_checks(
    [
        Anyhow(n_folds=2),
        Anyhow(LINEAR, method="two_model", n_folds=2),
    ],
    expected_failed_checks=lambda _: {
        "check_dataframe_column_names_consistency": "columns are found by name, in any order"
    },
)
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


# ---- the mean effect -----------------------------------------------------------------------------


def test_without_columns_the_effect_is_the_difference_of_the_means(rng):
    X, y, arm = experiment(rng, 701, same=1.0, arms=2)
    model = UpliftModel(columns=[]).fit(X, y, treatment=arm)
    table = model.effect()
    for k in (1, 2):
        row = table[table["arm"] == k].iloc[0]
        a, b = y[arm == k], y[arm == 0]
        assert row["effect"] == pytest.approx(a.mean() - b.mean(), abs=1e-12)
        assert row["error"] == pytest.approx(np.sqrt(a.var() / len(a) + b.var() / len(b)), rel=2e-3)
    np.testing.assert_allclose(model.predict(X.head(3)), np.tile(table["effect"], (3, 1)))
    assert model.qini_score(1)[:2] == pytest.approx((0.0, 0.0), abs=1e-12)


@pytest.mark.parametrize("learner", [None, LINEAR, DummyRegressor()])
@pytest.mark.parametrize("method", ["doubly_robust", "two_model"])
def test_with_any_learner_the_effect_is_the_difference_of_means_within_its_error(
    learner, method, rng
):
    X, y, arm = experiment(rng, 3000, same=1.0)
    row = UpliftModel(learner, method=method).fit(X, y, treatment=arm).effect().iloc[0]
    plain = y[arm == 1].mean() - y[arm == 0].mean()
    assert abs(row["effect"] - plain) < 3 * row["error"]
    assert row["lower"] < 1.0 < row["upper"]


def test_columns_that_tell_the_outcome_narrow_the_effect(rng):
    X, y, arm = experiment(rng, 4000, same=1.0)
    wide = UpliftModel(columns=[]).fit(X, y, treatment=arm).effect()["error"][0]
    narrow = UpliftModel(LINEAR).fit(X, y, treatment=arm).effect()["error"][0]
    # half of a variance of 8 is explained by a
    assert narrow / wide == pytest.approx(np.sqrt(0.5), abs=0.03)


def test_the_interval_of_the_effect_covers_it():
    held, n = 0, 100
    for seed in range(n):
        X, y, arm = experiment(np.random.default_rng(seed), 300, same=1.0)
        row = UpliftModel(LINEAR, n_folds=2).fit(X, y, treatment=arm).effect().iloc[0]
        held += row["lower"] < 1.0 < row["upper"]
    assert abs(held / n - 0.95) < 4 * np.sqrt(0.05 * 0.95 / n)


def test_chances_that_differ_between_customers_are_made_good(rng):
    n = 8000
    X = pd.DataFrame({"a": rng.normal(size=n)})
    e = np.clip(1 / (1 + np.exp(-1.2 * X["a"])), 0.1, 0.9).to_numpy()
    arm = (rng.random(n) < e).astype(int)
    y = 5 + 3 * X["a"].to_numpy() + arm + rng.normal(size=n)
    assert y[arm == 1].mean() - y[arm == 0].mean() > 3  # who was treated would have bought anyway
    for learner in (DummyRegressor(), LinearRegression()):
        known = UpliftModel(learner).fit(X, y, treatment=arm, propensity=e).effect().iloc[0]
        assert abs(known["effect"] - 1.0) < 4 * known["error"]
    learned = UpliftModel(LinearRegression(), propensity="learned").fit(X, y, treatment=arm)
    row = learned.effect().iloc[0]
    assert abs(row["effect"] - 1.0) < 4 * row["error"]


def test_a_stated_share_is_that_of_every_customer(rng):
    X, y, arm = experiment(rng, 900, same=1.0)
    one = UpliftModel(LINEAR, propensity={1: 0.5}).fit(X, y, treatment=arm).effect()
    other = UpliftModel(LINEAR).fit(X, y, treatment=arm, propensity=np.full(900, 0.5)).effect()
    pd.testing.assert_frame_equal(one, other)


# ---- for whom ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["doubly_robust", "two_model"])
def test_where_the_effect_is_the_same_for_all_no_order_is_found(method):
    """Nobody's own luck may be found again: the Qini interval covers 0, and lies around it."""
    n = 100
    values, held, tops = np.empty(n), 0, 0
    for seed in range(n):
        X, y, arm = experiment(np.random.default_rng(seed), 300, same=1.0)
        model = UpliftModel(LINEAR, method=method).fit(X, y, treatment=arm)
        found, top = model.qini_score(), model.uplift_at_k(0.3)
        values[seed] = found.value / found.error
        held += found.lower < 0 < found.upper
        tops += top.lower < 1.0 < top.upper
    assert min(held, tops) / n > 0.95 - 4 * np.sqrt(0.05 * 0.95 / n)
    assert abs(values.mean()) < 4 / np.sqrt(n)


def test_a_learner_that_saw_only_noise_predicts_about_the_same_for_all(rng):
    spread = []
    for seed in range(20):
        X, y, arm = experiment(np.random.default_rng(seed), 600, same=1.0)
        model = UpliftModel(LINEAR).fit(X, y, treatment=arm)
        assert model.predict(X).mean() == pytest.approx(model.effect()["effect"][0])
        spread.append(model.predict(X).std())
    assert np.median(spread) < 0.1


@pytest.mark.parametrize("method", ["doubly_robust", "two_model"])
@pytest.mark.parametrize("learner", [None, LINEAR])
def test_an_effect_that_differs_is_ranked(method, learner, rng):
    X, y, arm = experiment(rng, 4000, effect=1.5, same=1.0)
    model = UpliftModel(learner, method=method).fit(X, y, treatment=arm)
    more, _, _ = experiment(rng, 4000)
    truth = 1.0 + 1.5 * more["b"]
    found = model.predict(more)
    assert np.corrcoef(found, truth)[0, 1] > 0.85
    assert found.mean() == pytest.approx(1.0, abs=0.3)
    # the area of a perfect order of a normal effect: 1.5 / (2 sqrt(pi)) = .423
    q = model.qini_score()
    assert q.lower > 0.3
    assert q.value < 0.5
    assert model.fit_report()["verdict"] == {1: "ranks"}
    top = model.uplift_at_k(0.1)  # the mean of the top tenth of a normal is 1.755
    assert top.lower - 0.3 < 1.0 + 1.5 * 1.755 < top.upper + 0.5


def test_what_is_said_out_of_fold_is_what_the_metrics_say_of_the_predictions_out_of_fold(rng):
    X, y, arm = experiment(rng, 1500, effect=1.0)
    model = UpliftModel(LINEAR).fit(X, y, treatment=arm)
    uplift, expected, chances = model.out_of_fold(X, y, treatment=arm)
    how = {"expected": expected, "propensity": chances[:, 1]}
    scores = effect_scores(y, arm, **how)
    assert model.effect()["effect"][0] == pytest.approx(scores.mean(), rel=1e-12)
    said, plain = model.qini_table(), qini_table(y, uplift, arm, **how)
    for name in ("share", "gain", "random"):
        np.testing.assert_allclose(said[name], plain[name], atol=1e-12)
    assert said["error"].iloc[-1] == pytest.approx(plain["error"].iloc[-1])
    assert (said["error"][1:-1] > plain["error"][1:-1]).all()
    here, there = model.qini_score(), qini_score(y, uplift, arm, **how)
    assert here.value == pytest.approx(there.value)
    assert here.error == pytest.approx(np.sqrt(2) * there.error)
    quarter = uplift_at_k(y, uplift, arm, k=0.25, **how)
    assert model.uplift_at_k(0.25).value == pytest.approx(quarter.value)


def test_several_arms_have_a_column_each(rng):
    X, y, arm = experiment(rng, 4000, same=1.0, arms=2)
    codes = np.array(["none", "card", "letter"])[arm]
    model = UpliftModel(LINEAR, control="none").fit(X, y, treatment=codes)
    assert model.arms == ("card", "letter")
    assert model.predict(X).shape == (4000, 2)
    table = model.effect()
    for row, truth in zip(table.itertuples(), (1.0, 2.0), strict=True):
        assert abs(row.effect - truth) < 4 * row.error
    with pytest.raises(ValueError, match=r"arm=None must be one of \['card', 'letter'\]"):
        model.qini_score()
    assert "letter" in model.verdict(language="zh")


def test_a_classifier_serves_for_answers_and_is_refused_for_money(rng):
    X, y, arm = experiment(rng, 1500, same=2.0)
    answered = (y > 6).astype(int)
    model = UpliftModel(LogisticRegression()).fit(X, answered, treatment=arm)
    assert model.effect()["effect"][0] == pytest.approx(
        answered[arm == 1].mean() - answered[arm == 0].mean(), abs=0.05
    )
    outcome = model.predict_outcome(X)
    assert ((outcome >= 0) & (outcome <= 1)).all()
    with pytest.raises(DataContractError, match="is a classifier, and y has outcomes other than"):
        UpliftModel(HistGradientBoostingClassifier()).fit(X, y, treatment=arm)


def test_gaps_words_names_and_copies(rng):
    X, y, arm = experiment(rng, 1200, effect=1.0)
    X["c"] = np.where(rng.random(1200) < 0.2, np.nan, X["c"])
    X["city"] = rng.choice(["north", "south"], 1200)
    for learner in (None, LINEAR):
        model = clone(UpliftModel(learner)).fit(X, y, treatment=arm)
        some = X.head(20)
        there = model.predict(some)
        assert np.isfinite(there).all()
        mixed = some[["city", "c", "b", "a"]].assign(more=1)
        np.testing.assert_array_equal(model.predict(mixed), there)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(some), there)


# ---- estimators of other libraries ---------------------------------------------------------------


class LikeEconml:
    """Fitted and asked as econml's are: ``fit(Y, T, X=)``, ``effect(X)``."""

    def fit(self, Y, T, *, X=None, W=None):
        self.models_ = [LinearRegression().fit(X[a == T], Y[a == T]) for a in (0, 1)]
        return self

    def effect(self, X=None, *, T0=0, T1=1):
        return self.models_[1].predict(X) - self.models_[0].predict(X)


class LikeCausalml:
    """Fitted and asked as causalml's are: ``fit(X, treatment, y)``, ``predict(X)`` of (n, 1)."""

    def __init__(self, control_name=0):
        self.control_name = control_name

    def fit(self, X, treatment, y, p=None):
        own = treatment != self.control_name
        self.models_ = [LinearRegression().fit(X[own == a], y[own == a]) for a in (False, True)]

    def predict(self, X, treatment=None, y=None):
        return (self.models_[1].predict(X) - self.models_[0].predict(X))[:, None]


@pytest.mark.parametrize("learner", [LikeEconml(), LikeCausalml(), LikeCausalml("left alone")])
def test_an_estimator_of_effects_in_another_manner_is_taken_as_given(learner, rng):
    X, y, arm = experiment(rng, 2000, effect=1.0, same=1.0)
    model = UpliftModel(learner, method="as_given").fit(X, y, treatment=arm)
    own = UpliftModel(LinearRegression(), method="two_model").fit(X, y, treatment=arm)
    np.testing.assert_allclose(model.qini_score(), own.qini_score(), rtol=0.1)
    assert np.corrcoef(model.predict(X), own.predict(X))[0, 1] > 0.999
    assert not hasattr(learner, "models_")  # a copy was fitted
    with pytest.raises(ValueError, match="say method='as_given'"):
        UpliftModel(learner).fit(X, y, treatment=arm)
    with pytest.raises(ValueError, match="is for estimators of effects"):
        UpliftModel(LINEAR, method="as_given").fit(X, y, treatment=arm)


def test_the_share_of_the_best_is_a_whole_percentage(rng):
    X, y, arm = experiment(rng, 400, effect=1.0)
    model = UpliftModel(LINEAR).fit(X, y, treatment=arm)
    assert model.uplift_at_k(1.0).value == pytest.approx(model.effect()["effect"][0], rel=0.1)
    for wrong in (0.0, 0.004, 0.255, 1.01, -0.2):
        with pytest.raises(ValueError, match=f"k={wrong} must be a whole percentage, 0.01 to 1"):
            model.uplift_at_k(wrong)


class LearnsWhole(LikeEconml):
    """Refuses a missing number, as estimators of effects do."""

    def fit(self, Y, T, *, X=None, W=None):
        assert np.isfinite(X).all()
        return super().fit(Y, T, X=X)


def test_gaps_are_filled_for_learners_that_do_not_read_them_and_left_to_those_that_do(rng):
    X, y, arm = experiment(rng, 1200)
    X["c"] = np.where(rng.random(1200) < 0.3, np.nan, X["c"])
    # one's own learner of effects never says that it reads gaps; the trees for outcomes do
    UpliftModel(LearnsWhole(), method="as_given").fit(X, y, treatment=arm)

    class Trees(HistGradientBoostingRegressor):
        saw = []

        def fit(self, X, y, **more):
            self.saw.append(np.isnan(X).any())
            return super().fit(X, y, **more)

    UpliftModel(Trees(max_iter=5), method="two_model").fit(X, y, treatment=arm)
    assert Trees.saw
    assert all(Trees.saw)


@pytest.mark.filterwarnings("ignore")
def test_econml_is_taken_as_given(rng):
    dml = pytest.importorskip("econml.dml", reason="econml is not installed")
    X, y, arm = experiment(rng, 1500, effect=1.5)
    learner = dml.LinearDML(model_y=LinearRegression(), model_t=LogisticRegression(),
                            discrete_treatment=True, random_state=0)  # fmt: skip
    model = UpliftModel(learner, method="as_given").fit(X, y, treatment=arm)
    assert np.corrcoef(model.predict(X), X["b"])[0, 1] > 0.9
    assert model.qini_score().lower > 0


@pytest.mark.filterwarnings("ignore")
def test_causalml_is_taken_as_given(rng):
    meta = pytest.importorskip("causalml.inference.meta", reason="causalml is not installed")
    X, y, arm = experiment(rng, 1500, effect=1.5)
    learner = meta.BaseXRegressor(LinearRegression())
    model = UpliftModel(learner, method="as_given").fit(X, y, treatment=arm)
    assert np.corrcoef(model.predict(X), X["b"])[0, 1] > 0.9
    assert model.qini_score().lower > 0


# ---- what is refused -----------------------------------------------------------------------------


def test_experiments_that_tell_nothing_are_refused(rng):
    X, y, arm = experiment(rng, 60)
    bad = y.copy()
    bad[4] = np.nan
    codes = arm.astype(object)
    codes[7] = None
    with pytest.raises(DataContractError) as caught:
        UpliftModel().fit(X, bad, treatment=codes)
    assert [p.code for p in caught.value.problems] == ["missing-outcome", "missing-treatment"]
    for code, treatment in (
        ("one-arm: all customers have treatment=0", np.zeros(60)),
        ("no-control: no customer has treatment=0; there are 1, 2", arm + 1),
        ("small-arm: arm 2 has 1 customers, fewer than 3", np.r_[2, arm[1:]]),
        ("too-many-arms: treatment has 60", np.arange(60)),
    ):
        with pytest.raises(DataContractError, match=code):
            UpliftModel().fit(X, y, treatment=treatment)
    for chance in (0.0, 1.0, np.nan, 1.3):
        with pytest.raises(DataContractError, match="propensity: .* strictly between 0 and 1"):  # noqa: RUF043
            UpliftModel().fit(X, y, treatment=arm, propensity=np.full(60, chance))
    with pytest.raises(ValueError, match="must name the chance of each arm"):
        UpliftModel(propensity={3: 0.5}).fit(X, y, treatment=arm)
    with pytest.raises(DataContractError, match="do not add up to 1"):
        UpliftModel().fit(X, y, treatment=arm, propensity=np.full((60, 2), 0.3))


def test_a_customer_in_two_arms_is_refused(cdnow_sample, rng):
    X, y, _ = experiment(rng, 60)
    X.index = [f"c{i // 2}" for i in range(60)]
    with pytest.raises(DataContractError, match=r"customer-in-two-arms: .*the index"):
        UpliftModel().fit(X, y, treatment=np.arange(60) % 2)
    table = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1997-09-30"
    )
    twice = pd.concat([table, table.head(1)], ignore_index=True)
    twice.attrs = table.attrs
    n = len(twice)
    groups = np.arange(n) % 2
    groups[-1] = 1 - groups[0]
    with pytest.raises(DataContractError, match=r"1 customers \(customer_id\) are in more than"):
        UpliftModel().fit(twice, rng.random(n), treatment=groups)


def test_chances_learned_must_leave_both_arms_possible(rng):
    X, y, _ = experiment(rng, 500)
    arm = (X["a"] > 0).astype(int)
    with pytest.raises(DataContractError, match="no-overlap: customers are hardly ever"):
        UpliftModel(LINEAR, propensity="learned").fit(X, y, treatment=arm)


def test_few_buyers_are_said(rng):
    X, y, arm = experiment(rng, 200)
    few = np.where(rng.random(200) < 0.1, y, 0.0)
    with pytest.warns(SmallSampleWarning, match="fewer than 20 customers brought anything in arm"):
        UpliftModel(LINEAR).fit(X, few, treatment=arm)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"method": "s_learner"}, "method='s_learner' must be one of"),
        ({"n_folds": 1}, "n_folds=1"),
        ({"propensity": 0.5}, "propensity=0.5 must be None, 'learned'"),
        ({"columns": "a"}, "must be a list"),
    ],
)
def test_options_that_make_no_sense_are_refused(option, words, rng):
    X, y, arm = experiment(rng, 60)
    with pytest.raises(ValueError, match=words):
        UpliftModel(**option).fit(X, y, treatment=arm)


# ---- Hillstrom's e-mail experiment ---------------------------------------------------------------


@pytest.fixture(scope="module")
def emails():
    path = FOLDER / "email_experiment.parquet"
    if not path.exists():
        pytest.skip(f"{path.name} is not here; set CUSTVALUE_DATA to its folder")
    table = pd.read_parquet(path)
    return table.drop(columns=["segment", "visit", "conversion", "spend"]), table


def test_the_e_mails_effects_are_the_published_differences(emails):
    X, table = emails
    model = UpliftModel(control="No E-Mail", columns=[])
    found = model.fit(X, table["spend"], treatment=table["segment"]).effect().set_index("arm")
    assert found["effect"]["Mens E-Mail"] == pytest.approx(0.769827, abs=6e-7)
    assert found["effect"]["Womens E-Mail"] == pytest.approx(0.424412, abs=6e-7)
    np.testing.assert_allclose(found["error"], [0.145247, 0.130333], rtol=1e-4)
    by_columns = UpliftModel(LINEAR, control="No E-Mail")
    by_columns.fit(X, table["spend"], treatment=table["segment"])
    np.testing.assert_allclose(by_columns.effect()["effect"], found["effect"], atol=0.02)
    plain = campaign_effect(
        table.loc[table["segment"] == "Mens E-Mail", "spend"],
        table.loc[table["segment"] == "No E-Mail", "spend"],
        method="welch",
    )
    np.testing.assert_allclose(
        found.loc["Mens E-Mail", ["lower", "upper"]].astype(float), [plain.low, plain.high],
        atol=1e-3,
    )  # fmt: skip


def test_women_s_e_mail_moves_those_who_bought_women_s_goods(emails):
    X, table = emails
    rows = table["segment"] != "Mens E-Mail"
    model = UpliftModel(LINEAR, control="No E-Mail")
    model.fit(X[rows], table.loc[rows, "visit"], treatment=table.loc[rows, "segment"])
    assert model.effect()["effect"][0] == pytest.approx(0.045233, abs=0.002)
    assert model.fit_report()["verdict"] == {"Womens E-Mail": "ranks"}
    bought = X["womens"] == 1
    assert model.predict(X[bought]).mean() > model.predict(X[~bought]).mean() + 0.03
    # as plain means of the two groups say
    share = table[rows].groupby(["womens", "segment"])["visit"].mean().unstack()
    gap = share["Womens E-Mail"] - share["No E-Mail"]
    assert gap[1] - gap[0] > 0.03
