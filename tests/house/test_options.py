"""An option of the wrong kind is refused by its name, in one kind of error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from custvalue.grades import ValueGrades
from custvalue.lifecycle import LifecycleClassifier
from custvalue.rfm import RFMTransformer, SegmentMap
from custvalue.silence import SilenceScorer
from custvalue.spend import GammaGamma
from custvalue.testing._models import PURCHASE_MODELS

WRONG = [5j, object(), b"x", {"a": 1}.items(), lambda: 1]
CUSTOMERS = pd.DataFrame(
    {
        "n_orders": [1, 5, 8, 3],
        "recency": [0.0, 30.0, 80.0, 9.0],
        "T": [9.0, 40.0, 90.0, 60.0],
        "silence": [9.0, 10.0, 10.0, 51.0],
        "gap_mean": [np.nan, 8.0, 11.0, 4.0],
        "gap_std": [np.nan, 1.0, 2.0, 1.0],
        "gap_max": [np.nan, 12.0, 20.0, 6.0],
        "total_value": [9.0, 30.0, 80.0, 20.0],
    }
)
OPTIONS = {
    LifecycleClassifier: [
        "columns", "new_window", "established_window", "established_orders", "core_orders",
        "core_irregularity", "core_value_quantile", "satisfied_from", "quiet_ratio", "exit_ratio",
        "exit_chance", "problem_ceiling",
    ],
    SilenceScorer: ["method", "cuts", "cost_false_alarm", "cost_miss", "regularity"],
    RFMTransformer: ["columns", "less_is_better", "weights", "method", "remainder"],
    ValueGrades: ["column", "shares", "by", "key_grades"],
}  # fmt: skip
EVERY = [(kind, name) for kind, names in OPTIONS.items() for name in names]


@pytest.mark.parametrize(("kind", "name"), EVERY, ids=lambda v: getattr(v, "__name__", v))
def test_an_option_of_the_wrong_kind_is_refused_by_name(kind, name):
    unit = {"unit": "D"} if kind is LifecycleClassifier else {}
    for wrong in WRONG:
        with pytest.raises(ValueError, match=name):
            kind(**unit, **{name: wrong}).fit(CUSTOMERS)


@pytest.mark.parametrize("name", ["new_window", "established_window"])
@pytest.mark.parametrize("wrong", [None, 5, [], {}, "12", ("1M",), np.float32(0.5)])
def test_a_window_is_a_pair(name, wrong):
    with pytest.raises(ValueError, match=f"{name}=.* must be a pair"):
        LifecycleClassifier(unit="D", **{name: wrong}).fit(CUSTOMERS)


@pytest.mark.parametrize("kind", [*PURCHASE_MODELS.values(), GammaGamma])
@pytest.mark.parametrize("wrong", [None, "x", [], {}, object(), 5j])
def test_a_parameter_that_is_no_number_is_refused_by_name(kind, wrong):
    names = kind.law.params._fields if kind is not GammaGamma else ("p", "q", "gamma")
    for name in names:
        with pytest.raises(ValueError, match=name):
            kind.from_params(**{**dict.fromkeys(names, 1.0), name: wrong})


@pytest.mark.parametrize("wrong", [None, "x", [], object(), 0, 1, np.nan, 95])
def test_a_level_is_a_number_between_0_and_1(wrong):
    model = GammaGamma.from_params(p=6.0, q=4.0, gamma=15.0)
    X = [[2, 30.0], [1, 20.0]]
    for call in (
        lambda: model.confidence_interval(X, wrong),
        lambda: model.predict_interval(X, level=wrong),
        lambda: model.predict_quantile(X, wrong),
    ):
        with pytest.raises(ValueError, match=r"must lie in \(0, 1\)"):
            call()


@pytest.mark.parametrize("wrong", [None, "x", [], np.nan, 0, -3, 2.5, True])
def test_a_number_of_draws_is_a_count(wrong):
    spend = GammaGamma.from_params(p=6.0, q=4.0, gamma=15.0)
    law = PURCHASE_MODELS["NBD"].from_params(r=1.0, alpha=9.0)
    X = [[2, 30.0], [1, 20.0]]
    for call in (
        lambda: spend.sample(X, wrong),
        lambda: spend.bootstrap(X, wrong),
        lambda: law.bootstrap([[2, 3.0, 9.0]], wrong),
    ):
        with pytest.raises(ValueError, match="n_draws"):
            call()


@pytest.mark.parametrize("wrong", [[], {}, None, "5", 6])
def test_a_ready_map_is_asked_for_by_a_number_of_bins(wrong):
    with pytest.raises(ValueError, match="n_bins"):
        SegmentMap.ready(wrong)
