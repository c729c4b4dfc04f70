"""Laws whose rates move in time by what was told of each customer in each period."""

from __future__ import annotations

import json

import mpmath as mp
import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.special import roots_genlaguerre
from sklearn.base import clone

from custvalue._kernels import by_differences
from custvalue.data import TransactionLog
from custvalue.exceptions import DataContractError, DataWarning, TimeUnitError
from custvalue.likelihood import LawModel
from custvalue.purchase import BGNBD, ParetoNBD, VaryingBGNBD, VaryingParetoNBD
from custvalue.purchase._varying_paretonbd import log_odds_left, own_times
from custvalue.purchase._walk_rows import Stretches

PARETO = {"r": 1.0, "alpha": 12.0, "s": 0.8, "beta": 30.0}
BG = {"r": 1.0, "alpha": 12.0, "a": 0.8, "b": 3.0}
EFFECTS = {
    VaryingParetoNBD: {
        "purchase": {"letters": 0.5, "club": -0.3},
        "leave": {"letters": -0.3, "club": 0.4},
    },
    VaryingBGNBD: {"purchase": {"letters": 0.5, "club": -0.3}, "leave": {"club": -0.6}},
}
TRUTH = {VaryingParetoNBD: PARETO, VaryingBGNBD: BG}
PLAIN = {VaryingParetoNBD: ParetoNBD, VaryingBGNBD: BGNBD}
KINDS = pytest.mark.parametrize("kind", [VaryingParetoNBD, VaryingBGNBD])
NAMES = {"customer": "who", "time": "day", "amount": "paid"}
START, END = pd.Timestamp("2023-01-02"), "2023-12-31"


def periods(n, seed=0, weeks=62):
    """A number that moves every week, one that never does, and a season that all share."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(START, periods=weeks, freq="7D")
    table = pd.MultiIndex.from_product([range(n), dates], names=["who", "week"])
    table = table.to_frame(index=False)
    table["letters"] = rng.poisson(0.5, len(table)).astype(float)
    table["club"] = np.repeat((rng.random(n) < 0.4).astype(float), weeks)
    table["season"] = np.where(table["week"].dt.month >= 11, "high", "low")
    return table


def shop(kind, n=300, seed=0, effects=None):
    """A log simulated by a law, and the table of periods that moved it."""
    rng = np.random.default_rng(seed)
    table = periods(n, seed)
    came = START + pd.to_timedelta(rng.integers(0, 100, n), unit="D")
    first = pd.DataFrame({"who": np.arange(n), "day": came, "paid": 1.0})
    truth = kind.from_params(
        **TRUTH[kind], unit="W", effects=EFFECTS[kind] if effects is None else effects
    )
    born = TransactionLog(first, **NAMES, as_of=END).walks(table, period="week", unit="W")
    drawn = truth.sample(born, random_state=seed)
    return truth, log_of(drawn), table


def log_of(drawn, end=END):
    rows = drawn.rename(columns={"date": "day"}).assign(paid=1.0)
    return TransactionLog(rows, **NAMES, as_of=end)


def walked(kind, n=300, seed=0, effects=None):
    truth, log, table = shop(kind, n, seed, effects)
    return truth, log.walks(table, period="week", unit="W"), log


def asking(kind):
    return {f"{p}_columns": list(each) for p, each in EFFECTS[kind].items()}


@pytest.fixture(scope="module")
def pareto():
    return walked(VaryingParetoNBD)


@pytest.fixture(scope="module")
def bg():
    return walked(VaryingBGNBD)


def of_kind(kind, pareto, bg):
    return pareto if kind is VaryingParetoNBD else bg


# ---- the likelihood ------------------------------------------------------------------------------


def by_days(truth, log, table, who):
    """Log density of one customer day by day, from the log and the table alone."""
    days = log.occasions()
    days = pd.DatetimeIndex(days.loc[days["who"] == who, "date"])
    mine = table[table["who"] == who].set_index("week")
    effects = EFFECTS[type(truth)]

    def pace(process, day):
        row = mine.loc[day - pd.Timedelta(days=day.weekday())]
        return np.exp(sum(c * row[name] for name, c in effects.get(process, {}).items()))

    r, alpha, s, beta = truth.params_
    x = len(days) - 1
    nodes, weights = leggauss(20)
    nodes, weights = (nodes + 1) / 2, weights / 2
    A = B = left = 0.0
    for day in pd.date_range(days[0] + pd.Timedelta(days=1), END):
        a, b = pace("purchase", day) / 7.0, pace("leave", day) / 7.0
        if day > days[-1]:
            inside = (alpha + A + a * nodes) ** -(r + x) * (beta + B + b * nodes) ** -(s + 1.0)
            left += s * b * float(weights @ inside)
        A, B = A + a, B + b
    stayed = (alpha + A) ** -(r + x) * (beta + B) ** -s
    rising = np.prod(r + np.arange(x))
    value = np.log(rising * alpha**r * beta**s * (stayed + left))
    return value + sum(np.log(pace("purchase", day)) for day in days[1:]), stayed / (stayed + left)


def test_the_density_is_the_sum_over_the_days_of_a_life():
    truth, log, table = shop(VaryingParetoNBD, n=12)
    walks = log.walks(table, period="week", unit="W")
    assert len(set(walks.x)) > 4
    found = truth.score_samples(walks), truth.predict_alive(walks)
    wanted = np.transpose([by_days(truth, log, table, who) for who in range(12)])
    np.testing.assert_allclose(found, wanted, rtol=1e-11)


def test_mixing_over_customers_is_the_double_integral_over_their_rates():
    a, b, length = np.array([0.5, 2.0, 1.0]), np.array([1.5, 0.4, 3.0]), np.array([1.0, 2.0, 1.5])
    silent, x = np.array([False, True, True]), 2.0
    r, alpha, s, beta = 1.3, 4.0, 1.8, 5.0
    A, B = (np.append(0.0, np.cumsum(v * length)) for v in (a, b))

    def given(lam, mu):  # one customer with known rates: stretch by stretch, in closed form
        total = np.exp(-lam * A[-1] - mu * B[-1])
        for k in np.flatnonzero(silent):
            rate = lam * a[k] + mu * b[k]
            left = mu * b[k] / rate * -np.expm1(-rate * length[k])
            total = total + np.exp(-lam * A[k] - mu * B[k]) * left
        return lam**x * total

    # nodes and weights of the gamma laws of the rates
    (lam, w), (mu, v) = roots_genlaguerre(80, r - 1), roots_genlaguerre(80, s - 1)
    values = given(lam[:, None] / alpha, mu / beta)
    wanted = w @ values @ v / (w.sum() * v.sum())
    three = Stretches(np.array([0, 3]), length, np.zeros((3, 0)))
    stayed, odds = log_odds_left(
        r, alpha, s, beta, np.array([x]), own_times(a, b, three), three, silent
    )
    found = r * (r + 1) / alpha**2 * np.exp(stayed + np.logaddexp(0.0, odds))
    np.testing.assert_allclose(found, wanted, rtol=1e-9)


def exact_odds(params, x, a, b, length, silent):
    """Log odds of having left to thirty digits."""
    r, alpha, s, beta = (mp.mpf(float(v)) for v in params)
    p, q, A, B, total = r + x, s + 1, mp.mpf(0), mp.mpf(0), mp.mpf(0)
    for own_a, own_b, on in zip(a * length, b * length, silent, strict=True):
        own_a, own_b = mp.mpf(float(own_a)), mp.mpf(float(own_b))
        if on:
            steep = max(own_a / (alpha + A), own_b / (beta + B))
            fall = p * mp.log1p(own_a / (alpha + A)) + q * mp.log1p(own_b / (beta + B))
            m = int(mp.ceil(max(mp.log1p(steep) * 3, min(fall, 200))))
            cuts = [mp.expm1(mp.log1p(steep) * k / m) / steep for k in range(m + 1)]
            total += (s / beta) * own_b * mp.quad(
                lambda v, A=A, B=B, i=own_a, j=own_b: (1 + (A + i * v) / alpha) ** -p
                * (1 + (B + j * v) / beta) ** -q,
                cuts,
            )  # fmt: skip
        A, B = A + own_a, B + own_b
    return mp.log(total) + p * mp.log1p(A / alpha) + s * mp.log1p(B / beta)


@pytest.mark.parametrize("spread", [1.0, 3.0])
def test_odds_of_having_left_keep_ten_digits_over_the_range_of_parameters(spread):
    rng = np.random.default_rng(int(spread))
    with mp.workdps(30):
        for _ in range(8):
            k = int(rng.integers(2, 6))
            length, a = rng.uniform(0.1, 1.5, k), np.exp(rng.normal(0, 1, k))
            b, cut = np.exp(rng.normal(0, 1.5, k)), int(rng.integers(0, k))
            x = float(rng.poisson(3)) if cut else 0.0
            params, silent = np.exp(rng.normal(0, spread, 4)), np.arange(k) >= cut
            some = Stretches(np.array([0, k]), length, np.zeros((k, 0)))
            times = own_times(a, b, some)
            found = log_odds_left(*params, np.array([x]), times, some, silent)[1][0]
            wanted = float(exact_odds(params, x, a, b, length, silent))
            assert found == pytest.approx(wanted, rel=1e-10, abs=1e-10)


def test_a_long_dead_customer_costs_few_nodes_and_keeps_the_digits():
    a, b, length = np.full(30, 1.0), np.full(30, 0.5), np.full(30, 1.0)
    some = Stretches(np.array([0, 30]), length, np.zeros((30, 0)))
    silent, params, x = np.arange(30) >= 4, (20.0, 0.01, 0.9, 15.0), 4000.0
    odds = log_odds_left(*params, np.array([x]), own_times(a, b, some), some, silent)[1][0]
    # in so little time leaving is a straight line: s / beta b a^-1 (alpha + A) / (p - 1)
    near = 4.01 / (4020.0 - 1.0) * 0.5 * 0.9 / 15.0 * (1.0 + 2.0 / 15.0) ** -1.9
    power = 4020.0 * np.log((0.01 + 30.0) / 4.01) + 0.9 * np.log1p(15.0 / 15.0)
    assert odds == pytest.approx(np.log(near) + power, abs=1e-3)


@KINDS
def test_gradient_and_hessian_are_those_of_the_density(kind, pareto, bg):
    truth, walks, _ = of_kind(kind, pareto, bg)
    law, rows = truth._fitted_law(), truth._rows(walks)
    theta = law.from_logs(np.log(truth.fitted_.values) + 0.1)

    def mean(theta):
        return float(law.log_likelihoods(np.exp(law.to_logs(theta)), rows).mean())

    value, slope, bend = law.objective_of(rows)(theta)
    wanted = by_differences(mean)(theta)
    assert value == pytest.approx(wanted[0], rel=1e-12)
    np.testing.assert_allclose(slope, wanted[1], atol=1e-7)
    np.testing.assert_allclose(bend, wanted[2], atol=1e-5)


# ---- beside the laws that there were -------------------------------------------------------------


@KINDS
def test_columns_that_never_change_do_what_columns_of_customers_do(kind):
    effects = {"purchase": {"club": -0.3}, "leave": {"club": 0.5}}
    _, walks, log = walked(kind, effects=effects)
    table = log.summary("W").assign(club=periods(300)["club"].to_numpy()[::62])
    there, here = (
        one.from_params(**TRUTH[kind], unit="W", effects=effects) for one in (PLAIN[kind], kind)
    )
    np.testing.assert_allclose(here.score_samples(walks), there.score_samples(table), rtol=1e-10)
    for horizon in ("1W", "8W"):
        for ask in ("predict", "predict_proba_any"):
            found, wanted = (
                getattr(m, ask)(X, horizon) for m, X in ((here, walks), (there, table))
            )
            np.testing.assert_allclose(found, wanted, rtol=1e-9)
    alive = [there._alive(*there._past(table), at) for at in (None, "5W")]
    np.testing.assert_allclose(here.predict_alive(walks), alive[0], rtol=1e-9)
    np.testing.assert_allclose(here.predict_alive(walks, "5W"), alive[1], rtol=1e-9)
    how = {"purchase_columns": ["club"], "leave_columns": ["club"]}
    mine, plain = kind(**how).fit(walks), PLAIN[kind](**how).fit(table)
    np.testing.assert_allclose(mine.fitted_.values, plain.fitted_.values, rtol=1e-5)
    assert mine.fit_report().log_likelihood == pytest.approx(
        plain.fit_report().log_likelihood, rel=1e-10
    )
    np.testing.assert_allclose(mine.covariance(), plain.covariance(), rtol=1e-3, atol=1e-6)


@KINDS
def test_with_coefficients_of_0_it_is_the_plain_law(kind, pareto, bg):
    _, walks, log = of_kind(kind, pareto, bg)
    none = {p: dict.fromkeys(each, 0.0) for p, each in EFFECTS[kind].items()}
    model, plain = (
        kind.from_params(**TRUTH[kind], effects=none),
        PLAIN[kind].from_params(**TRUTH[kind], unit="W"),
    )
    table = log.summary("W")
    model = kind.from_params(**TRUTH[kind], unit="W", effects=none)
    np.testing.assert_allclose(model.score_samples(walks), plain.score_samples(table), rtol=1e-10)
    np.testing.assert_allclose(model.predict(walks, "8W"), plain.predict(table, "8W"), rtol=1e-10)


def test_a_bg_nbd_is_the_plain_one_in_the_time_that_the_columns_make(bg):
    truth, walks, _ = bg
    effects = {"purchase": {"letters": 0.5}}
    model = VaryingBGNBD.from_params(**BG, unit="W", effects=effects)
    pace = np.exp(0.5 * walks.columns["letters"])
    owner, passed = walks.past.owner, pace[walks.past.row] * walks.past.length
    table = pd.DataFrame({
        "frequency": walks.x,
        "recency": np.bincount(owner, passed * ~walks.silent, len(walks)),
        "T": np.bincount(owner, passed, len(walks)),
    })  # fmt: skip
    table.loc[table["frequency"] == 0, "recency"] = 0.0
    at_orders = np.bincount(walks.orders.owner, np.log(pace[walks.orders.row]), len(walks))
    wanted = BGNBD.from_params(**BG).score_samples(table) + at_orders
    np.testing.assert_allclose(model.score_samples(walks), wanted, rtol=1e-11)
    assert truth.law is BGNBD.law


# ---- by simulation -------------------------------------------------------------------------------


def near(drawn, wanted):
    """Means agree within four standard errors."""
    error = np.std(drawn) / np.sqrt(len(drawn))
    assert abs(np.mean(drawn) - np.mean(wanted)) < 4.0 * error


@KINDS
def test_forecasts_of_new_customers_are_the_mean_of_simulated_ones(kind):
    n = 6000
    table, eve = periods(n), START - pd.Timedelta(days=1)
    first = pd.DataFrame({"who": np.arange(n), "day": eve, "paid": 1.0})
    week_before = table[table["week"] == START].assign(week=START - pd.Timedelta(days=7))
    table = pd.concat([table, week_before])
    truth = kind.from_params(**TRUTH[kind], unit="W", effects=EFFECTS[kind])
    new = TransactionLog(first, **NAMES, as_of=eve).walks(table, period="week", unit="W")
    assert not new.T.any()
    orders, some = truth.predict(new, "40W"), truth.predict_proba_any(new, "40W")
    alive = truth.predict_alive(new, "40W")
    drawn = truth.sample_future(new, "40W", random_state=1)[:, 0]
    near(drawn, orders)
    near(drawn > 0, some)
    end = eve + pd.Timedelta(days=280)
    born = TransactionLog(first, **NAMES, as_of=end).walks(table, period="week", unit="W")
    log = truth.sample(born, random_state=2)
    each = log.groupby("who")
    near(each.size().to_numpy() - 1, orders)
    near(each["alive"].first().to_numpy(), alive)
    club = born.columns["club"][born.past.row[born.past.start[:-1]]] == 1.0
    near((each.size().to_numpy() - 1)[club], orders[club])


@KINDS
def test_forecasts_after_a_history_are_what_came(kind):
    truth, log, table = shop(kind, n=4000)
    cut = "2023-08-06"
    walks = log.until(cut).walks(table, period="week", unit="W")
    later = log.between(cut, "2023-12-31")
    _, came = later.totals(walks.ids)
    found = truth.predict(walks, "21W")
    near(came - found, np.zeros(1))
    chance = truth.predict_proba_any(walks, "21W")
    near((came > 0) - chance, np.zeros(1))
    for part in (found > np.quantile(found, 0.8), found < np.quantile(found, 0.4)):
        near((came - found)[part], np.zeros(1))
    drawn = truth.sample_future(walks, "21W", size=40, random_state=0)
    near(drawn.mean(axis=1) - found, np.zeros(1))


@KINDS
def test_a_fit_finds_the_truth_and_says_how_sure_it_is(kind):
    inside, z = [], []
    for seed in range(4):
        truth, walks, _ = walked(kind, n=1200, seed=seed + 1)
        model = kind(**asking(kind)).fit(walks)
        report = model.fit_report()
        assert report.status == "interior"
        assert report.log_likelihood >= truth.score_samples(walks).sum()
        np.testing.assert_allclose(model.score_samples(walks).sum(), report.log_likelihood)
        miss = np.log(model.fitted_.values / truth.fitted_.values)
        inside.append(miss @ np.linalg.solve(np.asarray(report.log_covariance), miss))
        z += list(miss / np.sqrt(np.diag(report.log_covariance)))
    # a sum of chi-squares, which lies above this by chance once in 10^4 times
    from scipy.stats import chi2

    assert sum(inside) < chi2.isf(1e-4, 4 * len(truth.fitted_.values))
    assert np.mean(np.abs(z) < 1.96) > 0.8
    table = model.effect_table()
    letters = table[(table["column"] == "letters") & (table["process"] == "purchase")].iloc[0]
    assert letters["lower"] < np.exp(0.5) < letters["upper"]
    assert letters["words"].startswith("each unit more of letters: customers order")


# ---- as an estimator -----------------------------------------------------------------------------


@KINDS
def test_it_travels_as_json_clones_and_takes_weights(kind, pareto, bg):
    _, walks, log = of_kind(kind, pareto, bg)
    model = kind(**asking(kind), horizon="6W").fit(walks)
    copy = LawModel.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert type(copy) is kind
    np.testing.assert_array_equal(copy.predict(walks), model.predict(walks))
    assert clone(model).get_params() == model.get_params()
    assert model.unit_ == "W"
    assert list(model.feature_names_in_) == ["letters", "club"]
    # some customers twice by weight are some customers twice
    ids = walks.ids[:200]
    part = log.of(ids).walks(periods(300), period="week", unit="W")
    weight = np.where(np.isin(walks.ids, ids), 2.0, 0.0)
    twice, once = (
        kind(**asking(kind)).fit(walks, sample_weight=weight),
        kind(**asking(kind)).fit(part),
    )
    np.testing.assert_allclose(twice.fitted_.values, once.fitted_.values, rtol=1e-6)
    assert twice.fit_report().log_likelihood == pytest.approx(
        2.0 * once.fit_report().log_likelihood, rel=1e-9
    )
    moved = model.with_params(**{"purchase:letters": 1.0})
    assert moved.predict(walks, "6W").sum() != pytest.approx(model.predict(walks).sum(), rel=1e-3)
    for bad in ([1.0], np.zeros(300), np.full(300, np.nan)):
        with pytest.raises(ValueError, match="sample_weight"):
            kind(**asking(kind)).fit(walks, sample_weight=bad)


def test_a_bootstrap_spreads_as_the_standard_errors_say(bg):
    _, walks, _ = bg
    model = VaryingBGNBD(purchase_columns=["letters"]).fit(walks)
    drawn = model.bootstrap(walks, 20, random_state=0)
    error = model.standard_errors()["purchase:letters"]
    assert 0.5 < drawn["purchase:letters"].std() / error < 1.8
    interval = model.confidence_interval(walks).loc["purchase:letters"]
    assert interval["lower"] < interval["estimate"] < interval["upper"]


def test_categories_one_coefficient_in_both_and_a_ridge(pareto):
    _, walks, _ = pareto
    how = {"purchase_columns": ["season", "letters"], "leave_columns": ["letters"]}
    model = VaryingParetoNBD(**how, equal_columns=["letters"]).fit(walks)
    assert model.fitted_.names[4:] == ("purchase:season=low", "purchase=leave:letters")
    held = VaryingParetoNBD(**how, ridge=1e7).fit(walks)
    np.testing.assert_allclose(np.log(held.fitted_.values[4:]), 0.0, atol=1e-3)


def test_stretches_of_equal_columns_are_one():
    truth, walks, _ = walked(VaryingParetoNBD, n=40)
    flat = VaryingParetoNBD.from_params(**PARETO, unit="W", effects={"leave": {"club": 0.4}})
    silent = walks.t_x < walks.T
    assert len(flat._rows(walks).past.length) == len(walks) + np.sum(silent & (walks.x > 0))
    assert len(truth._rows(walks).past.length) > 10 * len(walks)


# ---- bad input -----------------------------------------------------------------------------------


def fit(log, table, kind=VaryingParetoNBD, **how):
    return kind(**how).fit(log.walks(table, period="week", unit="W"))


def code_of(error):
    return [problem.code for problem in error.value.problems]


few = pytest.mark.filterwarnings("ignore::custvalue.exceptions.BoundaryFitWarning")


@pytest.fixture(scope="module")
def small():
    return shop(VaryingParetoNBD, n=120)[1:]


@few
def test_columns_that_no_law_can_learn_from_are_refused(small):
    log, table = small
    twin = table.assign(twin=2.0 * table["letters"] + 1.0, one=3.0)
    with pytest.raises(DataContractError, match="'one' has one value") as error:
        fit(log, twin, purchase_columns=["one"])
    assert code_of(error) == ["constant-column"]
    with pytest.raises(DataContractError, match="'twin' is made up of 'letters'"):
        fit(log, twin, purchase_columns=["letters", "twin"])
    hole = table.assign(letters=table["letters"].where(table.index != 14))
    with pytest.raises(DataContractError, match="'letters' has missing values") as error:
        fit(log, hole, purchase_columns=["letters"])
    assert error.value.problems[0].ids == ("14",)  # of the table that was given
    fit(log, hole, purchase_columns=["letters"], missing="encode")
    with pytest.raises(DataContractError, match="the walks have no column 'emails'"):
        fit(log, table, leave_columns=["emails"])
    with pytest.raises(ValueError, match="without any use ParetoNBD"):
        fit(log, table)


@few
def test_a_column_that_the_orders_made_is_refused(small):
    log, table = small
    days = log.occasions()
    week = days["date"].dt.to_period("W-SUN").dt.start_time
    count = days.assign(week=week).groupby(["who", "week"]).size().rename("n").reset_index()
    told = table.merge(count, how="left", on=["who", "week"])
    for made in (told["n"].fillna(0.0), (told["n"] > 0).astype(float), (told["n"] > 0)):
        with pytest.raises(DataContractError, match="known only after it") as error:
            fit(log, table.assign(visits=made), purchase_columns=["visits"])
        assert code_of(error) == ["known-after-the-order"]
    with pytest.raises(DataContractError, match="known only after it"):
        fit(log, table.assign(visits=told["n"]), purchase_columns=["visits"])
    # known before: last week's orders
    before = told.groupby("who")["n"].shift(fill_value=0.0).fillna(0.0)
    fit(log, table.assign(visits=before), purchase_columns=["visits"])
    with pytest.raises(DataContractError, match="made of the orders"):
        fit(log, table.assign(frequency=before), purchase_columns=["frequency"])


@few
def test_what_a_fit_has_not_seen_is_refused_by_row(small):
    log, table = small
    model = fit(log, table, purchase_columns=["season"])
    new = table.assign(season=table["season"].where(table["week"] < "2024-01-08", "sale"))
    walks = log.walks(new, period="week", unit="W")
    assert np.isfinite(model.predict(walks, "1W")).all()  # not in that time
    with pytest.raises(DataContractError, match="categories that VaryingParetoNBD") as error:
        model.predict(walks, "2W")
    first = int(np.flatnonzero(new["season"] == "sale")[0])
    assert error.value.problems[0].ids[0] == str(first)
    with pytest.raises(DataContractError, match="the table of periods ends before") as error:
        model.predict(walks, "20W")
    assert "customer 0 has no row for 2024-03-11" in str(error.value)
    with pytest.raises(DataContractError, match="reads walks, got DataFrame"):
        model.predict(log.summary("W"), "2W")
    with pytest.raises(TimeUnitError, match="count time in 'D'"):
        model.predict(log.walks(table, period="week", unit="D"), "2W")
    with pytest.raises(TimeUnitError, match="has no unit"):
        model.predict(walks, 2)
    with pytest.raises(ValueError, match="needs a horizon"):
        model.predict(walks)


@few
def test_leaving_of_a_bg_nbd_cannot_change_in_time(small):
    log, table = small
    with pytest.raises(DataContractError, match="'letters' changes in time for 120") as error:
        fit(log, table, VaryingBGNBD, leave_columns=["letters"])
    assert code_of(error) == ["leaving-changes"]
    model = fit(log, table, VaryingBGNBD, purchase_columns=["letters"], leave_columns=["club"])
    moved = table.assign(club=table["club"].where(table["week"] < "2024-01-01", 2.0))
    with pytest.raises(DataContractError, match="'club' changes in time"):
        model.predict(log.walks(moved, period="week", unit="W"), "4W")


@few
def test_nobody_seen_is_refused_and_customers_seen_for_far_longer_are_said(small):
    log, table = small
    new = TransactionLog(log.frame.assign(day=START), **NAMES, as_of=START)
    with pytest.raises(DataContractError, match="seen for any time"):
        fit(new, table, purchase_columns=["letters"])
    early = log.until("2023-04-30")
    model = fit(early, table, purchase_columns=["letters"])
    with pytest.warns(DataWarning, match="extrapolated"):
        model.predict(log.walks(table, period="week", unit="W"), "1W")
