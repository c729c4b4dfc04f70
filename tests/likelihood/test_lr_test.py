"""Two fits of one law against each other, and the table of effects in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2, norm

import custvalue as cv
from custvalue.likelihood import lr_test
from custvalue.purchase import MBGNBD, NBD, ParetoNBD, Prior
from custvalue.spend import GammaGamma


def customers(n):
    rng = np.random.default_rng(0)
    return pd.DataFrame({"age": rng.normal(40, 10, n), "sex": rng.choice(["f", "m"], n)})


@pytest.fixture(scope="module")
def table():
    told = {"purchase": {"sex": {"f": 0.0, "m": -0.4}}, "leave": {"sex": {"f": 0.0, "m": -0.4}}}
    truth = ParetoNBD.from_params(r=0.8, alpha=6.0, s=0.7, beta=10.0, effects=told)
    who = customers(1500)
    X = truth.sample_histories(1500, 50.0, customers=who, random_state=1)
    return X.assign(age=who["age"])


def test_the_test_is_that_of_wilks(table):
    small, large = NBD().fit(table), NBD(purchase_columns=["sex", "age"]).fit(table)
    found = lr_test(small, large)
    gain = 2 * (large.fit_report().log_likelihood - small.fit_report().log_likelihood)
    assert (found.statistic, found.df) == (pytest.approx(gain), 2)
    assert found.p_value == pytest.approx(chi2.sf(gain, 2))
    assert found.added == ("purchase:sex=m", "purchase:age")
    assert "say more than chance would" in str(found)
    assert cv.likelihood.lr_test is lr_test


def test_one_coefficient_in_both_processes_is_tested_too(table):
    how = {"purchase_columns": ["sex"], "leave_columns": ["sex"]}
    tied = ParetoNBD(**how, equal_columns=["sex"]).fit(table)
    free = ParetoNBD(**how).fit(table)
    found = lr_test(tied, free)
    assert found.df == 1
    assert found.added == ("purchase:sex=m", "leave:sex=m")
    assert found.p_value > 1e-3  # the truth has one
    assert lr_test(ParetoNBD().fit(table), tied).p_value < 1e-3


def test_p_values_of_no_effect_are_even():
    ps = []
    for seed in range(40):
        X = NBD.from_params(r=1.0, alpha=8.0).sample_histories(150, 30.0, random_state=seed)
        X["z"] = np.random.default_rng(seed).normal(size=150)
        ps.append(lr_test(NBD().fit(X), NBD(purchase_columns=["z"]).fit(X)).p_value)
    assert 0.3 < np.mean(ps) < 0.7  # four standard errors around a half
    assert np.mean(np.array(ps) < 0.1) < 0.3


def test_what_cannot_be_compared_is_refused(table):
    plain, sex = NBD().fit(table), NBD(purchase_columns=["sex"]).fit(table)
    age = NBD(purchase_columns=["age"]).fit(table)
    with pytest.raises(ValueError, match="purchase:sex=m of small is not in large"):
        lr_test(sex, age)
    with pytest.raises(ValueError, match="the same columns"):
        lr_test(sex, sex)
    with pytest.raises(ValueError, match="two laws"):
        lr_test(plain, MBGNBD(purchase_columns=["sex"]).fit(table))
    with pytest.raises(ValueError, match="same customers"):
        lr_test(NBD().fit(table.head(700)), sex)
    with pytest.raises(ValueError, match="made from parameters"):
        lr_test(NBD.from_params(r=1.0, alpha=5.0), sex)
    with pytest.raises(ValueError, match="pulled by a prior or a ridge"):
        lr_test(plain, NBD(purchase_columns=["sex"], ridge=5.0).fit(table))
    with pytest.raises(ValueError, match="pulled by a prior or a ridge"):
        lr_test(NBD(prior=Prior(5.0, order_rate=1.0)).fit(table), sex)
    with pytest.raises(TypeError, match="str is no estimator"):
        lr_test("small", sex)


def test_the_table_says_factors_with_wald_intervals(table):
    model = ParetoNBD(purchase_columns=["age", "sex"], leave_columns=["sex"]).fit(table)
    found = model.effect_table(level=0.9)
    assert found["process"].tolist() == ["purchase", "purchase", "leave"]
    assert found["base"].fillna("").tolist() == ["", "f", "f"]
    row = found.iloc[2]
    error = model.standard_errors()["leave:sex=m"] / row["factor"]
    assert row["standard_error"] == pytest.approx(error)
    assert row["upper"] == pytest.approx(np.exp(row["coefficient"] + norm.ppf(0.95) * error))
    assert row["p_value"] == pytest.approx(2 * norm.sf(abs(row["coefficient"]) / error))
    assert NBD().fit(table).effect_table().empty


def worded(effects, kind=NBD, language="en", **params):
    model = kind.from_params(**params, effects=effects)
    return model.effect_table(language=language).iloc[:, -1].tolist()


def test_sentences_say_more_or_less_sooner_or_later():
    sex = {"sex": {"men": 0.0, "women": float(np.log(1.33))}}
    how = {"r": 1.0, "alpha": 5.0}
    assert worded({"purchase": sex}, **how) == [
        "sex = women (against men): customers order 33 % more often"
    ]
    assert worded({"purchase": {"age": float(np.log(0.95))}}, **how) == [
        "each unit more of age: customers order 5.0 % less often"
    ]
    late = {"leave": {"sex": {"men": 0.0, "women": float(-np.log(1.47))}}}
    how = {"r": 1.0, "alpha": 5.0, "s": 1.0, "beta": 5.0}
    assert worded(late, ParetoNBD, **how) == [
        "sex = women (against men): customers leave 47 % later"
    ]
    assert worded(late, ParetoNBD, "zh", **how) == ["sex = women（相对 men）：流失时间晚 47 %"]
    money = {"spend": {"age": float(np.log(1.2))}}
    assert worded(money, GammaGamma, p=6.0, q=4.0, gamma=15.0) == [
        "each unit more of age: customers spend 20 % more an order"
    ]


def test_the_table_is_chinese_too(table):
    model = NBD(purchase_columns=["sex"]).fit(table)
    found = model.effect_table(language="zh")
    assert list(found)[:3] == ["过程", "列", "类别"]
    assert found["说明"][0].startswith("sex = m（相对 f）：下单频率低")
    assert "95 % 区间" in found["说明"][0]
    with pytest.raises(ValueError, match="language='de'"):
        model.effect_table(language="de")
