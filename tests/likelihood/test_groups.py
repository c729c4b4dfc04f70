"""Parameters by group: drawn to the common ones, carried by all that a law answers."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

import custvalue as cv
from custvalue.exceptions import (
    ArtefactError,
    DataContractError,
    NotSupportedError,
    SmallSampleWarning,
)
from custvalue.likelihood import LawModel
from custvalue.likelihood._group_fit import USUAL, Parabolas, random_effects
from custvalue.purchase import (
    BGBB,
    BGNBD,
    MBGNBD,
    NBD,
    BetaBinomialResponse,
    ParetoNBD,
    Prior,
    ShiftedBetaGeometric,
)
from custvalue.spend import GammaGamma, OwnMean
from custvalue.testing._purchase import example_params
from custvalue.value import CustomerValue

NO_PRIOR = np.zeros(1), np.zeros((1, 1))
LAWS = (NBD, BGNBD, MBGNBD, ParetoNBD, BGBB, BetaBinomialResponse, ShiftedBetaGeometric)
HORIZON = 10


def simulated(kind, n_groups, size, spread, seed):
    """Customers of groups whose log parameters are normal, and the true model of each group."""
    rng = np.random.default_rng(seed)
    params = example_params(kind.law)
    centre = np.log(list(params.values()))
    tables, truth = [], {}
    for g in range(n_groups):
        logs = centre + spread * rng.standard_normal(len(centre))
        model = kind.from_params(**dict(zip(params, np.exp(logs), strict=True)))
        n = int(size[g % len(size)])
        T = rng.integers(4, 9, n) if kind.law.discrete else rng.integers(20, 60, n)
        table = model.sample_histories(n, T.astype(float), random_state=rng)
        tables.append(table.drop(columns="alive").assign(country=f"g{g:02}"))
        truth[f"g{g:02}"] = model
    return pd.concat(tables, ignore_index=True), truth


@pytest.fixture(scope="module")
def two_countries():
    X, _ = simulated(BGNBD, 2, [300, 200], 0.4, seed=1)
    return X.sample(frac=1.0, random_state=0)  # rows of groups stand mixed, labels do not ascend


@pytest.fixture(scope="module")
def by_country(two_countries):
    return BGNBD().fit(two_countries, by="country")


# ---- the estimate -------------------------------------------------------------------------------


def test_random_effects_are_those_of_restricted_likelihood_written_out():
    """Means y of known variances s2: REML in one dimension, maximised on a grid by hand."""
    y, s2 = np.array([0.3, -1.1, 0.8, 2.0, -0.4]), np.array([0.1, 0.5, 0.05, 0.9, 0.2])

    def lost(tau):
        w = 1.0 / (s2 + tau**2)
        mean = (w @ y) / w.sum()
        reml = 0.5 * (np.log(s2 + tau**2).sum() + np.log(w.sum()) + w @ (y - mean) ** 2)
        return reml + 0.5 * (tau / USUAL) ** 2  # the prior on tau

    best = minimize(lambda t: lost(t[0]), [0.5], tol=1e-12).x[0]
    found = random_effects(
        Parabolas((y / s2)[:, None], (1 / s2)[:, None, None]), np.eye(1), NO_PRIOR
    )
    assert abs(found.L[0, 0]) == pytest.approx(abs(best), rel=1e-4)
    w = 1.0 / (s2 + best**2)
    assert found.m[0] == pytest.approx((w @ y) / w.sum(), rel=1e-4)
    assert found.C[0, 0] == pytest.approx(1.0 / w.sum(), rel=1e-4)
    np.testing.assert_allclose(found.pull[:, 0, 0], s2 / (s2 + best**2), rtol=1e-4)


def test_groups_that_do_not_differ_get_what_all_have():
    y, J = np.full((6, 2), 0.7), np.tile(np.diag([4.0, 9.0]), (6, 1, 1))
    found = random_effects(
        Parabolas(np.einsum("gij,gj->gi", J, y), J),
        0.3 * np.eye(2),
        (np.zeros(2), np.zeros((2, 2))),
    )
    assert np.abs(found.L).max() < 1e-2
    np.testing.assert_allclose(found.m, 0.7, rtol=1e-9)
    np.testing.assert_allclose(found.C, np.linalg.inv(6 * J[0]), rtol=1e-2, atol=1e-9)


@pytest.mark.parametrize("kind", LAWS)
def test_one_group_is_the_plain_fit(kind):
    X, _ = simulated(kind, 1, [250], 0.0, seed=3)
    with _quiet():
        plain, grouped = kind().fit(X), kind().fit(X, by="country")
    assert grouped.params_ == plain.params_ == grouped.of_group("g00").params_
    assert grouped.fit_report() == plain.fit_report() == grouped.of_group("g00").fit_report()
    np.testing.assert_array_equal(grouped.predict(X, HORIZON), plain.predict(X, HORIZON))
    np.testing.assert_array_equal(grouped.standard_errors(), plain.standard_errors())


def _quiet():
    return warnings.catch_warnings(action="ignore")


def test_forecasts_of_twenty_groups_beat_one_law_and_twenty():
    """Whatever is known: the expected orders that the true parameters of the group give."""
    X, truth = simulated(BGNBD, 20, [20, 40, 80, 160, 320], 0.5, seed=4)
    with _quiet():
        grouped, pooled = BGNBD().fit(X, by="country"), BGNBD().fit(X)
        apart = {g: BGNBD().fit(part) for g, part in X.groupby("country")}
    at = {g: X["country"].to_numpy() == g for g in truth}
    right = np.empty(len(X))
    separate = np.empty(len(X))
    for g, rows in at.items():
        right[rows] = truth[g].predict(X[rows], 40)
        separate[rows] = apart[g].predict(X[rows], 40)

    def error(found):
        return np.mean([np.mean((found - right)[rows] ** 2) for rows in at.values()]) ** 0.5

    mine = error(grouped.predict(X, 40))
    assert mine < 0.85 * error(pooled.predict(X, 40))
    assert mine < 0.85 * error(separate)


def test_what_a_group_tells_counts_for_more_the_more_it_tells():
    X, _ = simulated(NBD, 12, [10, 100, 1000], 0.6, seed=5)
    with pytest.warns(SmallSampleWarning, match="4 of 12 groups of 'country'"):
        model = NBD().fit(X, by="country")
    table = model.group_table()
    by_size = table.iloc[:-1].groupby("customers")["own_weight"].mean()
    assert by_size.is_monotonic_increasing
    assert by_size.iloc[0] < 0.6 < 0.9 < by_size.iloc[-1]
    assert table.index[table["small"]].tolist() == ["g00", "g03", "g06", "g09"]
    assert table.loc["(common)", "r"] == model.params_.r
    # a large group is all but its own fit, and its errors are its own
    plain = NBD().fit(X[X["country"] == "g02"])
    mine = model.of_group("g02")
    np.testing.assert_allclose(mine.params_, plain.params_, rtol=0.1)
    np.testing.assert_allclose(mine.standard_errors(), plain.standard_errors(), rtol=0.15)
    # a small one is surer than its own customers alone could be
    with _quiet():
        alone = NBD().fit(X[X["country"] == "g00"])
    small = model.of_group("g00")
    assert (np.diag(small.fitted_.spread) < np.diag(alone.fitted_.spread)).all()


def test_parameters_lie_in_their_intervals_as_often_as_these_say():
    """Over groups of many simulated worlds: the log of the mean rate, 95 %."""
    held = []
    for seed in range(6):
        X, truth = simulated(NBD, 10, [30, 100, 200], 0.4, seed=100 + seed)
        with _quiet():
            model = NBD().fit(X, by="country")
        for g, law in truth.items():
            one = model.of_group(g)
            slope = np.array([1.0, -1.0])
            sd = np.sqrt(slope @ one.fitted_.spread @ slope)
            miss = slope @ (np.log(one.params_) - np.log(law.params_))
            held.append(abs(miss) < 1.96 * sd)
    assert 0.88 <= np.mean(held) <= 1.0  # 60 of them: 0.95 less 2.5 standard errors


def test_a_prior_speaks_of_the_common_parameters():
    X, _ = simulated(NBD, 4, [60], 0.3, seed=6)
    free = NBD().fit(X, by="country")
    held = NBD(prior=Prior(customers=1e6, order_rate=0.5)).fit(X, by="country")
    assert held.params_.r / held.params_.alpha == pytest.approx(0.5, rel=1e-2)
    assert free.params_.r / free.params_.alpha < 0.2


def test_a_group_of_whom_nothing_is_known_gets_the_common_parameters():
    X, _ = simulated(NBD, 4, [80], 0.5, seed=7)
    new = pd.DataFrame({"frequency": [0.0], "recency": [0.0], "T": [0.0], "country": ["zz"]})
    with pytest.warns(SmallSampleWarning, match="'zz'"):
        model = NBD().fit(pd.concat([X, new]), by="country")
    one = model.of_group("zz")
    np.testing.assert_allclose(one.params_, model.params_, rtol=1e-3)
    assert (one.standard_errors() > model.standard_errors()).all()
    assert model.group_table().loc["zz", "own_weight"] == pytest.approx(0.0, abs=1e-3)


def test_a_boundary_fit_by_group_is_said_and_usable():
    """No spread in drop-out at all: along that ridge groups have nothing to differ by."""
    rng = np.random.default_rng(8)
    rate = rng.gamma(0.8, 1 / 6.0, 600)
    T = np.full(600, 40.0)
    x = rng.poisson(rate * T).astype(float)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), 1.0), 0.0)
    X = pd.DataFrame({"frequency": x, "recency": t_x, "T": T, "g": np.arange(600) % 3})
    with pytest.warns(cv.exceptions.BoundaryFitWarning):
        model = BGNBD().fit(X, by="g")
    assert np.isfinite(model.predict(X, 10)).all()
    assert np.isfinite(model.group_table().to_numpy(dtype=float)[:-1]).all()


# ---- what carries the groups --------------------------------------------------------------------


@pytest.mark.parametrize("kind", LAWS)
def test_each_row_is_answered_as_the_model_of_its_group_answers_it(kind):
    X, _ = simulated(kind, 3, [70, 50, 60], 0.3, seed=9)
    X = X.sample(frac=1.0, random_state=1)
    with _quiet():
        model = kind(unit="W").fit(X, by="country")
        for ask in (
            lambda m, rows: m.predict(rows, "10W"),
            lambda m, rows: m.predict_alive(rows, at="3W"),
            lambda m, rows: m.predict_proba_any(rows, "10W"),
            lambda m, rows: m.predict_pmf(rows, "10W", n_max=4),
            lambda m, rows: m.predict_next_order(rows).to_numpy(),
            lambda m, rows: m.discounted_orders(rows, "10W", annual_discount_rate=0.1),
            lambda m, rows: m.weighted_orders(rows, [2.0, 5.0], [1.0, 0.5]),
            lambda m, rows: m.weighted_lifetime(rows, [2.0, 5.0], [1.0, 0.5]),
            lambda m, rows: m.score_samples(rows),
        ):
            whole = ask(model, X)
            for g in ("g00", "g01", "g02"):
                rows = (X["country"] == g).to_numpy()
                np.testing.assert_array_equal(whole[rows], ask(model.of_group(g), X[rows]))
        total = model.score_samples(X).sum()
        assert total == pytest.approx(model.fit_report().log_likelihood, rel=1e-9)
        assert model.score(X) == pytest.approx(total / len(X), rel=1e-12)


def test_numbers_and_truth_values_name_groups_as_text_does(two_countries):
    code = (two_countries["country"] == "g01").astype(int)
    models = [
        BGNBD().fit(two_countries.assign(country=values), by="country")
        for values in (code, code.astype(float), code.astype(str), code.astype("category"))
    ]
    for model in models:
        assert list(model.fitted_.groups.laws) == ["0", "1"]
        assert model.params_ == models[0].params_
        assert model.of_group(1).params_ == models[0].of_group("1").params_
    same = models[0].predict(two_countries.assign(country=code.astype(float)), HORIZON)
    np.testing.assert_array_equal(same, models[2].predict(two_countries.assign(
        country=code.astype(str)), HORIZON))  # fmt: skip
    assert list(BGNBD().fit(two_countries.assign(g=code == 1), by="g").fitted_.groups.laws) == [
        "False",
        "True",
    ]


def test_other_tables_answer_as_pandas_does(two_countries, by_country):
    polars = pytest.importorskip("polars")
    table = polars.from_pandas(two_countries)
    expected = by_country.predict(two_countries, HORIZON)
    np.testing.assert_array_equal(by_country.predict(table, HORIZON), expected)
    again = BGNBD().fit(table, by="country")
    np.testing.assert_allclose(again.params_, by_country.params_, rtol=1e-9)
    arrow = table.to_arrow()
    np.testing.assert_array_equal(by_country.predict(arrow, HORIZON), expected)
    from custvalue.distributed import predict

    made = predict(by_country, two_countries, options={"horizon": HORIZON})
    np.testing.assert_array_equal(made["prediction"], expected)


def test_weights_and_compressed_tables(two_countries, by_country):
    small = cv.compress(two_countries, by=("frequency", "recency", "T", "country"))
    model = BGNBD().fit(small, by="country", sample_weight=small["weight"])
    np.testing.assert_allclose(model.params_, by_country.params_, rtol=1e-4)
    twice = np.where(two_countries["country"] == "g00", 2, 0)
    with pytest.warns(SmallSampleWarning, match="'g01'"):
        of_one = BGNBD().fit(two_countries, by="country", sample_weight=twice)
    assert of_one.group_table()["customers"].tolist() == [600.0, 0.0, 600.0]


def test_json_carries_the_groups(two_countries, by_country):
    again = LawModel.from_dict(json.loads(json.dumps(by_country.to_dict(), allow_nan=False)))
    assert type(again) is BGNBD
    np.testing.assert_array_equal(
        again.predict(two_countries, HORIZON), by_country.predict(two_countries, HORIZON)
    )
    pd.testing.assert_frame_equal(again.group_table(), by_country.group_table())
    for name in ("g00", "g01"):
        np.testing.assert_array_equal(
            again.of_group(name).standard_errors(), by_country.of_group(name).standard_errors()
        )
    for broken in (
        {"groups": {}},
        {"by": 3},
        {"unseen": "guess"},
        {"between": [[1.0]]},
        {"groups": {"g00": {"params": {}}}},
    ):
        plain = by_country.to_dict()
        plain["groups"] = {**plain["groups"], **broken}
        with pytest.raises(ArtefactError):
            LawModel.from_dict(_sealed(plain))


def _sealed(plain):
    from custvalue._portable import seal

    return seal({k: v for k, v in plain.items() if k != "checksum"})


def test_simulated_customers_have_groups_and_order_as_these_do(by_country):
    drawn = by_country.sample_histories(20_000, 30.0, random_state=1)
    share = drawn["country"].value_counts(normalize=True)
    assert share["g00"] == pytest.approx(0.6, abs=0.02)
    for name, rows in drawn.groupby("country"):
        mean, sd = rows["frequency"].mean(), rows["frequency"].std() / len(rows) ** 0.5
        assert abs(mean - by_country.of_group(name).new_customer(30.0)) < 5 * sd
    whole = drawn["frequency"]
    sd = whole.std() / len(whole) ** 0.5
    assert abs(whole.mean() - by_country.new_customer(30.0)) < 5 * sd
    log = by_country.sample(100, 30.0, random_state=2)
    assert log.groupby("customer_id")["country"].nunique().eq(1).all()
    X = drawn.drop(columns="alive").head(50)
    draws = by_country.sample_future(X, 20.0, size=4000, random_state=3)
    expected = by_country.predict(X, 20.0)
    error = np.sqrt(draws.var(axis=1) / 4000) + 1e-9
    assert (np.abs(draws.mean(axis=1) - expected) < 5 * error).all()


def test_a_cohort_is_a_group_like_any_other(cdnow_sample):
    summary = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", unit="W",
        as_of="1997-09-30",
    )  # fmt: skip
    summary["cohort"] = summary["first_order"].dt.to_period("M").astype(str)
    model = NBD().fit(summary, by="cohort")
    assert list(model.fitted_.groups.laws) == ["1997-01", "1997-02", "1997-03"]
    with pytest.raises(DataContractError, match=r"unseen-group: 'cohort'.*'1998-01'"):
        model.predict(summary.assign(cohort="1998-01"), "4W")


# ---- spend, value -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shop():
    """Two countries that differ in orders and in money, and one of them in both."""
    rng = np.random.default_rng(11)
    tables = []
    for name, rate, money, n in (
        ("a", 0.05, 20.0, 400),
        ("b", 0.2, 60.0, 150),
        ("c", 0.1, 30.0, 80),
    ):
        X = NBD.from_params(r=0.8, alpha=0.8 / rate).sample_histories(n, 40.0, random_state=rng)
        nu = rng.gamma(4.0, 1.0, n)
        mean = money * 3.0 / nu  # mean of an order, Gamma(p = 2) around it
        each = X["frequency"] + 1.0
        X["n_orders"] = each
        X["mean_value"] = rng.gamma(2.0 * each) / (2.0 * each) * mean
        tables.append(X.drop(columns="alive").assign(country=name))
    return pd.concat(tables, ignore_index=True)


def test_spend_by_group_follows_each_groups_money(shop):
    table = shop.rename(columns={"mean_value": "monetary_value"}).assign(frequency=shop["n_orders"])
    model = GammaGamma().fit(table, by="country")
    means = {g: model.of_group(g).new_customer() for g in "abc"}
    assert means["b"] > 2 * means["a"]
    for g in "abc":
        rows = (table["country"] == g).to_numpy()
        one = model.of_group(g)
        np.testing.assert_allclose(model.predict(table)[rows], one.predict(table[rows]), rtol=1e-12)
        np.testing.assert_allclose(
            model.predict_interval(table)[rows], one.predict_interval(table[rows]), rtol=1e-9
        )
        np.testing.assert_allclose(
            model.score_samples(table)[rows], one.score_samples(table[rows]), rtol=1e-12
        )
    share = table["country"].value_counts(normalize=True)
    assert model.new_customer() == pytest.approx(sum(share[g] * means[g] for g in "abc"))
    drawn = model.sample(table, 200, random_state=0).mean(axis=0)
    assert np.corrcoef(drawn, model.predict(table))[0, 1] > 0.98
    one = GammaGamma().fit(table.assign(country="a"), by="country")
    assert one.params_ == GammaGamma().fit(table).params_
    again = LawModel.from_dict(model.to_dict())
    np.testing.assert_array_equal(again.predict(table), model.predict(table))
    with pytest.raises(NotSupportedError, match="to nobody"):
        OwnMean().fit(shop, by="country")


@pytest.mark.parametrize("spend", [None, OwnMean()])
def test_customer_value_carries_the_groups(shop, spend):
    with _quiet():
        model = CustomerValue(purchases=NBD(unit="W"), spend=spend, annual_discount_rate=0.1)
        model.fit(shop, by="country")
        value = model.predict(shop, "52W")
        ends = model.predict_interval(shop, "52W")
        about = model.predict_interval(shop, "52W", kind="parameter")
        for g in "abc":
            rows = (shop["country"] == g).to_numpy()
            law = model.spend_
            one = CustomerValue.from_fitted(
                model.purchases_.of_group(g),
                law if isinstance(law, OwnMean) else law.of_group(g),
                annual_discount_rate=0.1,
            )
            part = shop[rows]
            np.testing.assert_allclose(value[rows], one.predict(part, "52W"), rtol=1e-12)
            np.testing.assert_allclose(ends[rows], one.predict_interval(part, "52W"), rtol=1e-9)
            np.testing.assert_allclose(
                about[rows], one.predict_interval(part, "52W", kind="parameter"), rtol=1e-6
            )
        again = CustomerValue.from_dict(json.loads(json.dumps(model.to_dict())))
        np.testing.assert_array_equal(again.predict(shop, "52W"), value)
        draws = model.draws(shop, "52W", n_draws=3000, random_state=0, kind="parameter")
        total = model.predict_total(shop, "52W")
    np.testing.assert_allclose(draws.mean(axis=0), value, rtol=0.05)
    if spend is None:  # of who has one order an own mean has no variance, so that a total has none
        # errors of groups are apart but for what they share, in draws and in the total alike
        apart = total["parameter_error"].iloc[0]
        assert draws.sum(axis=1).std() == pytest.approx(apart, rel=0.1)


def test_a_newcomer_is_worth_the_mean_over_groups(shop):
    with _quiet():
        model = CustomerValue(purchases=NBD(unit="W"), spend=GammaGamma()).fit(shop, by="country")
        each = {
            g: CustomerValue.from_fitted(
                model.purchases_.of_group(g), model.spend_.of_group(g)
            ).new_customer_value("52W")
            for g in "abc"
        }
        share = shop["country"].value_counts(normalize=True)
        expected = sum(share[g] * each[g] for g in "abc")
        assert model.new_customer_value("52W") == pytest.approx(expected, rel=1e-9)


# ---- bad input ----------------------------------------------------------------------------------


def test_unseen_groups_are_refused_or_have_the_common_parameters(two_countries, by_country):
    X = two_countries.assign(country=np.where(np.arange(len(two_countries)) == 7, "XX", "g00"))
    with pytest.raises(DataContractError, match=r"unseen-group: 'country'.*'XX' \(1 row, first: 7"):
        by_country.predict(X, HORIZON)
    with pytest.warns(cv.exceptions.DataWarning, match="unseen-group"):
        flagged = by_country.predict(X, HORIZON, on_invalid="flag")
    assert np.flatnonzero(np.isnan(flagged)).tolist() == [7]
    open_to_all = BGNBD().fit(two_countries, by="country", unseen="common")
    answers = open_to_all.predict(X, HORIZON)
    common = BGNBD.from_params(**open_to_all.params_._asdict())
    assert answers[7] == pytest.approx(common.predict(X, HORIZON)[7], rel=1e-12)
    stranger = open_to_all.of_group("XX")
    assert stranger.params_ == open_to_all.params_
    assert (stranger.standard_errors() > open_to_all.standard_errors()).all()
    assert LawModel.from_dict(open_to_all.to_dict()).of_group("XX").params_ == stranger.params_
    with pytest.raises(ValueError, match="'XX' is no group of this fit"):
        by_country.of_group("XX")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X: X.drop(columns="country"), "missing-column: X has no column 'country'"),
        (lambda X: X.to_numpy()[:, :3].astype(float), "missing-column.*no named columns"),
        (lambda X: X.assign(country=X["country"].where(X.index != X.index[4])),
         r"missing-group: 'country' is missing \(1 row, first: 4\)"),
        (lambda X: X.assign(country=X["T"] + 0.5), "numbers-for-groups"),
        (lambda X: X.assign(country=pd.Timestamp("2024-01-01")), "dates-for-groups.*to_period"),
    ],
)  # fmt: skip
def test_bad_groups_are_named(two_countries, by_country, change, said):
    with pytest.raises(DataContractError, match=said):
        BGNBD().fit(change(two_countries), by="country")
    with pytest.raises(DataContractError, match=said):
        by_country.predict(change(two_countries), HORIZON)


def test_ids_are_no_groups_and_options_are_spelled(two_countries):
    many = pd.concat([two_countries] * 25, ignore_index=True)
    with pytest.raises(ValueError, match=r"12,500 groups: .*Is 'id' an id"):
        BGNBD().fit(many.assign(id=np.arange(len(many))), by="id")
    with pytest.raises(ValueError, match="unseen='guess'"):
        BGNBD().fit(two_countries, by="country", unseen="guess")
    with pytest.raises(TypeError, match="name of one column"):
        BGNBD().fit(two_countries, by=["country"])


def test_what_speaks_of_one_set_of_parameters_is_refused(two_countries, by_country):
    for ask in (
        lambda m: m.scorer(10),
        lambda m: m.with_params(r=1.0),
        lambda m: m.bootstrap(two_countries),
        lambda m: m.confidence_interval(two_countries),
    ):
        with pytest.raises(NotSupportedError, match=r"model\.of_group\(name\)"):
            ask(by_country)
    with pytest.raises(NotSupportedError, match="parameters by group"):
        cv.score_sql(by_country, "summary", customer="customer_id", horizon=10)
    with pytest.raises(NotSupportedError, match="by group, not both"):
        BGNBD(purchase_columns=["T"]).fit(two_countries, by="country")
    plain = BGNBD().fit(two_countries)
    for ask in (lambda m: m.of_group("g00"), lambda m: m.group_table()):
        with pytest.raises(NotSupportedError, match="was fitted without"):
            ask(plain)
