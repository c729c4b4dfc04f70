"""Details of what is learned and told of silence that only their own formulas can confirm."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from custvalue.silence import GapPrior, silence_score
from custvalue.silence._return_chance import learn_return_chance, reliability_table
from custvalue.silence._silence import gap_facts


def test_reliability_has_wilsons_interval(rng):
    chance = rng.random(300)
    ordered = rng.random(300) < chance
    for row in reliability_table(ordered, chance, n_groups=7).itertuples():
        hits = round(row.observed * row.customers)
        right = binomtest(hits, int(row.customers)).proportion_ci(0.95, method="wilson")
        assert (row.low, row.high) == pytest.approx((right.low, right.high))


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.CustvalueWarning")
def test_the_brier_score_of_one_chance_for_all_is_its_mean_squared_error():
    came = np.arange(50) < 1
    found = learn_return_chance(gap_facts(np.full((50, 2), 9.0)), came, 5.0, GapPrior(2.0, 20.0))
    chance = 1.5 / 51
    assert found.brier == pytest.approx(np.mean((came - chance) ** 2))
    assert found.brier_of_base_rate == found.brier


def test_gaps_below_one_unit_are_gaps_too():
    # weeks: three days and one day between orders, half a week of silence
    facts = gap_facts([[0.5, 3 / 7, 1 / 7], [0.5, 0.0, 0.0]])
    assert facts.gap_max.tolist() == [3 / 7, 0.0]
    assert silence_score(facts.silence[:1], facts.gap_max[:1])[0] == pytest.approx(3.5 / 3)


@pytest.mark.parametrize("calibrator", ["logistic", "isotonic"])
def test_a_claimed_brier_score_is_what_new_customers_have(calibrator):
    def customers(seed):
        rng = np.random.default_rng(seed)
        usual = rng.gamma(3.0, 10.0, 6000)
        gaps = usual[:, None] * rng.exponential(1.0, (6000, 4))
        came = rng.random(6000) < np.exp(-gaps[:, 0] / (usual + 20.0))
        return gap_facts(np.maximum(gaps, 0.1)), came

    facts, came = customers(1)
    found = learn_return_chance(facts, came, 30.0, GapPrior(2.0, 40.0), calibrator=calibrator)
    new, then = customers(2)
    real = np.mean((then - found.of(new)) ** 2)
    assert found.brier == pytest.approx(real, rel=0.05)
    assert found.brier_of_base_rate == pytest.approx(np.mean(came) * (1 - np.mean(came)))
    assert found.brier < found.brier_of_base_rate
