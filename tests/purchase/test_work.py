"""One wrong number asks for no endless work, and numbers of any kind are numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from custvalue.purchase import BGBB, BGNBD, ParetoNBD, ShiftedBetaGeometric

X = [[2, 4.0, 9.0], [0, 0, 9.0]]
PARETO = ParetoNBD.from_params(r=0.5, alpha=10.0, s=0.6, beta=12.0, unit="W")
BGBB_ = BGBB.from_params(alpha=1.2, beta=0.75, gamma=0.66, delta=2.8, unit="Y")
SBG = ShiftedBetaGeometric.from_params(alpha=0.7, beta=3.8, unit="M")


@pytest.mark.parametrize("n_max", [10**6, 100_001, -1, 2.5, None, "9", np.nan, np.inf, True])
def test_a_wrong_n_max_is_refused(n_max):
    with pytest.raises(ValueError, match="n_max"):
        PARETO.predict_pmf(X, horizon="4W", n_max=n_max)


def test_more_chances_than_memory_holds_are_refused_before_they_are_made():
    many = np.broadcast_to(np.array([[0.0, 0.0, 9.0]]), (30_000, 3))
    with pytest.raises(ValueError, match="300,030,000 chances"):
        PARETO.predict_pmf(many, horizon="4W", n_max=10_000)


@pytest.mark.parametrize("draw", ["future", "histories", "log"])
def test_more_orders_than_memory_holds_are_not_drawn(draw):
    model = BGNBD.from_params(r=2.0, alpha=1.0, a=0.1, b=50.0, unit="W")
    call = {
        "future": lambda: model.sample_future(X, "9000000Y", size=100_000),
        "histories": lambda: model.sample_histories(10_000_000, T=1e6),
        "log": lambda: model.sample(10_000_000, "20000Y"),
    }[draw]
    with pytest.raises(ValueError, match=r"[\d,]{11,} orders to draw: at most 100,000,000"):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: BGBB_.predict_pmf(X, horizon="1000000Y"),
        lambda: BGBB_.dert(X, annual_discount_rate=1e-9),
        lambda: BGBB_.discounted_orders(X, "9Y", annual_discount_rate=0.1, steps=10**9),
        lambda: SBG.survival_curve("1000000Y"),
        lambda: SBG.predict_survivors([[100, 90]], "1000000Y"),
    ],
)
def test_sums_and_axes_without_end_are_refused(call):
    with pytest.raises(ValueError, match=r"at most 100,000|1 to 100,000"):
        call()


@pytest.mark.parametrize(
    "q", [np.float32(0.5), np.float64(0.5), Fraction(1, 2), Decimal("0.5"), [0.5], np.array([0.5])]
)
def test_a_quantile_may_be_a_number_of_any_kind(q):
    got = PARETO.predict_next_order(X, q=q)
    assert list(got) == ["q50", "never"]
    np.testing.assert_array_equal(got["q50"], PARETO.predict_next_order(X, q=0.5)["q50"])


@pytest.mark.parametrize("q", [0, 1.0, np.nan, "half", None, [0.1, 2], [[0.1]], 50])
def test_what_is_no_chance_is_refused(q):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        PARETO.predict_next_order(X, q=q)
