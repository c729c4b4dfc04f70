"""Silence against the population: pooled, shrunk and calibrated, cuts and words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, gamma

import custvalue as cv
from custvalue._drift import population_stability
from custvalue.exceptions import BoundaryFitWarning, SmallSampleWarning
from custvalue.silence import (
    GapPrior,
    SilenceScorer,
    choose_threshold,
    learning_set,
    silence_from_log,
)
from custvalue.silence._gap_prior import (
    fit_gap_prior,
    gap_log_likelihood,
    prob_longer_gap,
    prob_order_if_customer,
)
from custvalue.silence._learning import has_ordered, ordered_between
from custvalue.silence._return_chance import learn_return_chance, reliability_table, return_measures
from custvalue.silence._silence import GapFacts, gap_digest, gap_facts, pooled_survival

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def cdnow_lesson(request):
    """CDNOW at the end of 1997 (learning) and of March 1998, and what happened by June 1998."""
    log = request.getfixturevalue("cdnow")

    def at(as_of):
        return cv.summarize(log, as_of=as_of, **NAMES)

    lesson = learning_set(at, as_of="1998-03-31", window="90D")
    return *lesson, ordered_between(lesson.today, at("1998-06-29"))


priors = st.builds(
    GapPrior,
    st.floats(0.1, 20),
    st.floats(0.1, 500),
    st.integers(1, 5),
)


@given(priors, st.floats(0, 500), st.integers(0, 12), st.floats(0.1, 90))
def test_the_chance_of_a_longer_gap_is_the_integral_over_the_posterior_rates(prior, t, n, mean):
    r, alpha, k = prior
    rates = gamma.ppf((np.arange(4000) + 0.5) / 4000, r + k * n) / (alpha + n * mean)
    expected = gamma.sf(rates * t, k).mean()
    assert prob_longer_gap(t, n, n * mean, prior) == pytest.approx(expected, abs=2e-4)


@given(priors, st.floats(0, 500), st.integers(0, 12), st.floats(1, 60))
def test_more_silence_never_means_a_longer_gap_is_more_likely(prior, t, n, more):
    own = n, n * 30.0, prior
    assert prob_longer_gap(t + more, *own) <= prob_longer_gap(t, *own) + 1e-12
    assert 0 <= prob_order_if_customer(30.0, t, *own) <= 1
    assert prob_order_if_customer(60.0, t, *own) >= prob_order_if_customer(30.0, t, *own) - 1e-12


@pytest.mark.parametrize("n", [1, 2, 3, 200, 201, 202, 203, 1_001, 54_321])
def test_a_digest_holds_no_more_numbers_than_it_says_and_both_ends(n):
    gaps = np.random.default_rng(0).permutation(n) + 1.0
    digest = gap_digest(gaps, 201)
    assert len(digest) == len(set(digest)) == min(n, 201)
    assert (digest[0], digest[-1]) == (1.0, float(n))
    facts = GapFacts(gaps, np.ones(n), gaps, gaps, np.zeros(n))
    assert len(SilenceScorer().fit(frame_of(facts)).learned_.longest_gaps) == min(n, 201)


def frame_of(facts: GapFacts) -> pd.DataFrame:
    """Write gap figures as the columns of a summary."""
    return pd.DataFrame(facts._asdict()).rename(columns={"n_shorter": "n_gaps_shorter"})


def test_with_many_gaps_the_shrunk_answer_is_the_own_one_and_with_none_the_pooled_one():
    prior = GapPrior(2.0, 60.0)
    own = prob_longer_gap(45.0, 10**7, 30.0 * 10**7, prior)
    assert own == pytest.approx(np.exp(-45 / 30), rel=1e-5)
    # everybody's rates: Gamma(2, 60), so the pooled chance is (60 / (60 + t)) ** 2
    assert prob_longer_gap(45.0, 0, 0.0, prior) == pytest.approx((60 / 105) ** 2)


@pytest.mark.parametrize("k", [1, 3])
def test_the_prior_of_simulated_customers_is_recovered(rng, k):
    n, r, alpha = 10_000, 1.5, 20.0
    rate = rng.gamma(r, 1 / alpha, n)
    gaps = rng.gamma(k, 1 / rate, (150, n)).T
    horizon = rng.uniform(50, 150, n)
    done = gaps.cumsum(axis=1) <= horizon[:, None]
    assert not done[:, -1].any()
    own = np.where(done, gaps, 0)
    n_gaps, gap_sum = done.sum(axis=1).astype(float), own.sum(axis=1)
    facts = GapFacts(horizon - gap_sum, n_gaps, own.max(axis=1), gap_sum, np.zeros(n))
    found = fit_gap_prior(facts, k)
    assert found.r == pytest.approx(r, rel=0.08)
    assert found.alpha == pytest.approx(alpha, rel=0.08)


@given(priors)
def test_the_gradient_of_the_gap_likelihood_is_its_derivative(prior):
    facts = gap_facts([[10.0, 20.0, 0.0], [70.0, 0.0, 0.0], [0.0, 5.0, 9.0]])
    _, gradient = gap_log_likelihood(facts, prior)
    h = 1e-5
    for i, name in enumerate(["r", "alpha"]):
        up = prior._replace(**{name: getattr(prior, name) * np.exp(h)})
        down = prior._replace(**{name: getattr(prior, name) * np.exp(-h)})
        slope = (gap_log_likelihood(facts, up)[0] - gap_log_likelihood(facts, down)[0]) / (2 * h)
        assert gradient[i] == pytest.approx(slope, rel=1e-4, abs=1e-6)


def test_regular_buyers_are_found_regular_and_missed_sooner(rng):
    gaps = rng.gamma(4.0, 1 / rng.gamma(3.0, 1 / 15.0, (800, 1)), (800, 9))
    gaps[:, 0] = gaps[:, 1:].mean(axis=1) * 2.5
    auto = SilenceScorer(method="shrunk", regularity="auto").fit(gaps)
    assert auto.learned_.prior.regularity in (2, 3, 4, 5)
    memoryless = SilenceScorer(method="shrunk").fit(gaps)
    assert (auto.transform(gaps)[:, 2] < memoryless.transform(gaps)[:, 2]).mean() > 0.95


def test_everybodys_gaps_come_from_the_log_or_the_matrix(cdnow_sample):
    table, gaps = silence_from_log(cdnow_sample, **NAMES, as_of="1998-06-30")
    scorer = SilenceScorer(method="pooled_gap").fit(table, gaps=gaps)
    out = scorer.transform(table)
    exact = np.array([(gaps > s).mean() for s in table["silence"][:50]])
    np.testing.assert_allclose(out["prob_longer_gap"][:50], exact, atol=0.004)
    assert set(out["basis"]) == {"population"}
    with pytest.raises(ValueError, match="needs everybody's gaps"):
        SilenceScorer(method="pooled_gap").fit(table)
    matrix = np.array([[5.0, 10.0, 20.0], [15.0, 30.0, 0.0]])
    found = SilenceScorer(method="pooled_gap").fit_transform(matrix)[:, 2]
    np.testing.assert_allclose(found, pooled_survival([5.0, 15.0], [10.0, 20.0, 30.0]))


def hosmer_lemeshow(table):
    """Chi-squared with as many degrees of freedom as groups, where the chances are right."""
    predicted, observed = table["predicted"], table["observed"]
    spread = predicted * (1 - predicted) / table["customers"]
    return ((observed - predicted) ** 2 / spread).sum(), chi2.ppf(0.999, len(table))


def each_half_by_the_other(known, ordered, **how):
    """Chance of every customer by a model learned on the other half of the customers."""
    half = np.random.default_rng(1).random(len(known)) < 0.5
    chance = np.empty(len(known))
    for rest, out in ((half, ~half), (~half, half)):
        model = SilenceScorer(method="calibrated", window="90D", **how)
        chance[out] = model.fit(known[rest], ordered[rest]).transform(known[out])["prob_order"]
    return chance


@pytest.mark.parametrize("calibrator", ["logistic", "isotonic"])
def test_calibrated_chances_are_calibrated_on_customers_left_out_of_cdnow(cdnow_lesson, calibrator):
    known, ordered, *_ = cdnow_lesson
    chance = each_half_by_the_other(known, ordered, calibrator=calibrator)
    found, limit = hosmer_lemeshow(reliability_table(ordered, chance))
    assert found < limit
    assert np.mean((chance - ordered) ** 2) < 0.79 * ordered.mean() * (1 - ordered.mean())
    # the measure can fail: chances a fifth too high are noticed
    assert hosmer_lemeshow(reliability_table(ordered, np.minimum(1.2 * chance, 0.999)))[0] > limit


@pytest.mark.parametrize("calibrator", ["logistic", "isotonic"])
def test_calibrated_chances_are_calibrated_on_a_later_date_of_cdnow(cdnow_lesson, calibrator):
    known, ordered, today, ordered_next = cdnow_lesson
    model = SilenceScorer(method="calibrated", window="90D", calibrator=calibrator)
    table = model.fit(known, ordered).reliability(today, ordered_next)
    # less was bought in the second window, which nothing before it could tell
    assert (np.abs(table["predicted"] - table["observed"]) < 0.05).all()
    base_rate = ordered_next.mean() * (1 - ordered_next.mean())
    assert table.attrs["brier"] < 0.75 * base_rate
    chance = model.learned_.chance
    assert chance.brier < 0.8 * chance.brier_of_base_rate


@pytest.fixture(scope="module")
def retail_at(request):
    """Online Retail's summary at a date: rows with a customer, refunds netted within the day."""
    log = request.getfixturevalue("online_retail")
    log = log.loc[log["CustomerID"].notna(), ["CustomerID", "InvoiceDate", "amount"]]
    names = {"customer": "CustomerID", "time": "InvoiceDate", "amount": "amount"}
    return lambda as_of: cv.summarize(log, as_of=as_of, refunds="net_occasion", **names)


@pytest.mark.filterwarnings("ignore:.* the log seems to begin in the middle")
def test_calibrated_chances_are_calibrated_on_customers_left_out_of_online_retail(retail_at):
    known, ordered, _ = learning_set(retail_at, as_of="2011-11-29", window="90D")
    chance = each_half_by_the_other(known, ordered)
    found, limit = hosmer_lemeshow(reliability_table(ordered, chance))
    assert found < limit
    assert np.mean((chance - ordered) ** 2) < 0.84 * ordered.mean() * (1 - ordered.mean())


@pytest.mark.filterwarnings("ignore:.* the log seems to begin in the middle")
def test_a_chance_learned_in_summer_keeps_the_order_of_customers_but_not_the_level_of_autumn(
    retail_at,
):
    """A year of log has one autumn: its level cannot be known before it comes, and docs say so."""
    known, ordered, today = learning_set(retail_at, as_of="2011-07-31", window="90D")
    summer = SilenceScorer(method="calibrated", window="90D").fit(known, ordered)
    quiet = summer.reliability(today, ordered_between(today, retail_at("2011-10-29")))
    assert (
        abs(np.average(quiet["predicted"] - quiet["observed"], weights=quiet["customers"])) < 0.05
    )
    known, ordered, today = learning_set(retail_at, as_of="2011-09-10", window="90D")
    model = SilenceScorer(method="calibrated", window="90D").fit(known, ordered)
    busy = model.reliability(today, ordered_between(today, retail_at("2011-12-09")), n_groups=5)
    assert busy["observed"].is_monotonic_increasing
    miss = np.average(busy["observed"] - busy["predicted"], weights=busy["customers"])
    assert 0.05 < miss < 0.13


def test_a_calibrated_scorer_needs_an_outcome_and_a_window_with_a_unit(cdnow_lesson):
    known, ordered, *_ = cdnow_lesson
    with pytest.raises(ValueError, match="learn from an earlier date"):
        SilenceScorer(method="calibrated", window="90D").fit(known)
    with pytest.raises(ValueError, match="needs a window"):
        SilenceScorer(method="calibrated").fit(known, ordered)
    with pytest.raises(ValueError, match=r"window=90 has no unit"):
        SilenceScorer(method="calibrated", window=90).fit(known, ordered)


@pytest.mark.parametrize("everybody", [False, True])
def test_where_all_did_the_same_all_have_the_same_chance_and_that_is_said(everybody):
    facts = gap_facts([[5.0, 10.0], [40.0, 10.0], [7.0, 0.0], [90.0, 3.0]])
    with pytest.warns(BoundaryFitWarning, match=f"{4 * everybody} of 4 customers ordered"):
        learned = learn_return_chance(facts, [everybody] * 4, 30.0, GapPrior(1.0, 20.0))
    np.testing.assert_allclose(learned.of(facts), 0.9 if everybody else 0.1)
    assert learned.alike == ((learned.alike[0].up_to, 4, 4 * everybody),)
    assert learned.brier == learned.brier_of_base_rate == pytest.approx(0.01)


def test_few_orders_give_a_rough_chance_and_that_is_said(rng):
    facts = gap_facts(rng.exponential(30, (400, 4)))
    with pytest.warns(SmallSampleWarning, match="12 of 400 .* fewer than 60"):
        learned = learn_return_chance(facts, np.arange(400) < 12, 30.0, GapPrior(4.0, 120.0))
    assert learned.of(facts).mean() == pytest.approx(12 / 400, rel=0.01)


def test_an_outcome_is_true_or_false_or_orders_or_money():
    money = [0.0, 12.5, -3.0, 7.0]  # a refund is no order
    assert has_ordered(money, 4).tolist() == [False, True, False, True]
    assert has_ordered([False, True], 2).tolist() == [False, True]
    score = [0.1, 0.2, 0.3, 0.4]
    assert choose_threshold(score, money).cost == choose_threshold(score, [0, 1, 0, 1]).cost
    for bad, words in (
        ([1, 0], r"4 values, one a customer.*Got shape \(2,\)"),
        ([1, 0, np.nan, 1], "1 are missing, first: row 2"),
        (["yes", "no", "no", "no"], "Got <U3 values such as"),
        ([1j, 0, 0, 0], "Got complex128 values"),
    ):
        with pytest.raises(ValueError, match=words):
            choose_threshold(score, bad)


def test_numbers_that_make_no_sense_are_refused(cdnow_lesson, cdnow_sample):
    known, ordered, *_ = cdnow_lesson
    with pytest.raises(ValueError, match="window='0D' must be longer than nothing"):
        SilenceScorer(method="calibrated", window="0D").fit(known, ordered)
    with pytest.raises(ValueError, match="regularity=True must be 'auto' or a number"):
        SilenceScorer(method="shrunk", regularity=True).fit(known)
    with pytest.raises(ValueError, match="cost_miss=nan must be finite"):
        choose_threshold([1.0, 2.0], [1, 0], cost_miss=np.nan)
    with pytest.raises(ValueError, match="must be shares of the same classes"):
        population_stability([0.5, 0.5], [1.0])
    with pytest.raises(ValueError, match="chance must hold numbers from 0 to 1"):
        reliability_table([1, 0], [0.2, 1.2])
    with pytest.raises(cv.exceptions.DataContractError, match="the log has no column 'nobody'"):
        silence_from_log(cdnow_sample, **{**NAMES, "customer": "nobody"})


def test_the_same_silence_says_more_of_those_who_order_often():
    facts = gap_facts([[90.0, 30, 30, 30], [90.0, 30, 0, 0], [0.0, 30, 30, 30], [0.0, 30, 0, 0]])
    orders, silence, both = return_measures(facts, 30.0, GapPrior(1.0, 30.0))[:, 3:].T
    np.testing.assert_allclose(both, orders * silence)
    assert both.tolist() == sorted(both, reverse=True)
    rng = np.random.default_rng(6)
    # simulated: silence matters to customers with three gaps and not to those with one
    own = np.where(rng.random((4000, 1)) < 0.5, [[30.0, 30, 30]], [[30.0, 0, 0]])
    many = gap_facts(np.column_stack([rng.uniform(0, 200, 4000), own]))
    truth = np.where(many.n_gaps == 3, np.exp(-many.silence / 40), 0.3)
    learned = learn_return_chance(many, rng.random(4000) < truth, 30.0, GapPrior(1.0, 30.0))
    assert np.abs(learned.of(many) - truth).mean() < 0.05


def test_nothing_after_the_earlier_date_reaches_the_learning_table(cdnow_sample):
    def at(as_of, log=cdnow_sample):
        return cv.summarize(log, as_of=as_of, **NAMES)

    cut = cdnow_sample[cdnow_sample["date"] <= "1997-10-02"]
    whole = learning_set(at, as_of="1997-12-31", window="90D")
    pd.testing.assert_frame_equal(whole.known, at("1997-10-02", cut))


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=40),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
)
def test_no_other_cut_is_cheaper(rows, alarm, miss):
    score = np.array([s for s, _ in rows], dtype=float)
    came = np.array([y for _, y in rows])
    choice = choose_threshold(score, came, cost_false_alarm=alarm, cost_miss=miss)

    def cost(cut):
        silent = score >= cut
        return (alarm * (silent & came).sum() + miss * (~silent & ~came).sum()) / len(score)

    assert choice.cost == pytest.approx(cost(choice.cut))
    assert all(cost(c) >= choice.cost - 1e-12 for c in np.arange(-1, 11, 0.5))
    assert choice.watch <= choice.cut <= choice.deep
    assert choice.curve["cost"].min() == pytest.approx(choice.cost)


def test_rates_of_a_cut_are_shares_of_those_who_ordered_and_of_those_who_did_not():
    # at 3 and above: of two who ordered one is called silent, of three who did not one is missed
    choice = choose_threshold([1, 2, 3, 4, 5], [True, False, False, True, False])
    assert choice.cut == 2.0
    assert (choice.false_alarm_rate, choice.miss_rate, choice.cost) == (1 / 2, 0.0, 1 / 5)
    at = choice.curve.set_index("cut").loc[3.0]
    assert at[["silent_share", "false_alarm_rate", "miss_rate", "cost"]].tolist() == [
        3 / 5, 1 / 2, 1 / 3, 2 / 5,
    ]  # fmt: skip
    # nobody ordered: everybody is silent, and nobody wrongly; one who did not is all of them
    gone = choose_threshold([1.0, 2.0], [False, False])
    assert (gone.cut, gone.false_alarm_rate, gone.miss_rate, gone.cost) == (1.0, 0.0, 0.0, 0.0)
    assert gone.curve["miss_rate"].tolist() == [0.0, 0.5, 1.0]
    came = choose_threshold([1.0, 2.0], [True, True])
    assert came.cut > 2.0
    assert came.curve["false_alarm_rate"].tolist() == [1.0, 0.5, 0.0]
    assert came.curve["miss_rate"].tolist() == [0.0, 0.0, 0.0]
    one = choose_threshold([1.0, 1.0], [True, False], cost_false_alarm=2.0)
    assert (one.false_alarm_rate, one.miss_rate) == (0.0, 1.0)
    assert one.curve[["false_alarm_rate", "miss_rate"]].to_numpy().tolist() == [[1, 0], [0, 1]]
    two = choose_threshold([1.0, 1.0], [True, False], cost_miss=2.0)
    assert (two.false_alarm_rate, two.miss_rate) == (1.0, 0.0)


def test_learned_cuts_follow_the_costs(cdnow_lesson):
    known, ordered, *_ = cdnow_lesson
    plain = SilenceScorer(cuts="learned").fit(known, ordered)
    careful = SilenceScorer(cuts="learned", cost_false_alarm=10).fit(known, ordered)
    assert careful.cuts_[1] > plain.cuts_[1]
    assert plain.cuts_ == plain.choose_threshold(known, ordered).cuts


def test_the_sentence_has_the_facts(cdnow_lesson):
    known, ordered, today, _ = cdnow_lesson
    model = SilenceScorer(method="calibrated", window="90D").fit(known, ordered)
    text = model.explain(today, 1)
    assert "1 order, last order 454 days ago" in text
    assert "Chance of an order in the next 90 days:" in text
    assert "similar customers before" in text
    row = today[today["n_orders"] > 3].iloc[0]
    text = model.explain(today, row["customer_id"], language="zh")
    assert f"购买{row['n_orders']}次" in text
    assert "秩次比" in text
    with pytest.raises(KeyError, match="0 rows have customer_id == -5"):
        model.explain(today, -5)


def test_drift_sees_a_shift_and_none_where_there_is_none(cdnow_lesson):
    known, _, today, _ = cdnow_lesson
    model = SilenceScorer(method="shrunk").fit(known)
    same = model.drift(known)
    assert same.stability == (0.0, 0.0)
    assert same.moved_any == 0.0
    assert model.drift(today).stability[0] > 0.1
    assert "stability index" in str(model.drift(today))


def test_reliability_groups_add_up(rng):
    p = rng.random(1000).round(1)
    y = rng.random(1000) < p
    table = reliability_table(y, p)
    assert table["customers"].sum() == 1000
    assert ((table["low"] <= table["observed"]) & (table["observed"] <= table["high"])).all()


def test_the_gaps_of_a_log_are_those_of_its_summary(cdnow_sample):
    log = cdnow_sample.sample(frac=1, random_state=3)
    table, gaps = silence_from_log(log, **NAMES, as_of="1998-03-31", unit="W")
    pd.testing.assert_frame_equal(table, cv.summarize(log, **NAMES, as_of="1998-03-31", unit="W"))
    paid = log[(log["amount"] > 0) & (log["date"] <= "1998-03-31")]
    days = paid.drop_duplicates(["customer_id", "date"]).sort_values(["customer_id", "date"])
    plain = days.groupby("customer_id")["date"].diff().dropna().dt.days / 7
    np.testing.assert_allclose(gaps, plain)


# -- one threshold for all -----------------------------------------------------------------------


def test_silence_over_a_threshold_needs_no_second_order(cdnow_sample):
    table = cv.summarize(cdnow_sample, as_of="1998-06-30", unit="W", **NAMES)
    scorer = SilenceScorer(method="threshold", threshold="90D").fit(table)
    found = scorer.transform(table)
    np.testing.assert_allclose(found["silence_score"], table["silence"] * 7 / 90)
    assert (table["n_gaps"] == 0).any()
    np.testing.assert_array_equal(scorer.predict(table), table["silence"] * 7 >= 90)
    assert set(found["basis"]) == {"threshold"}
    # it depends on nobody else
    one = SilenceScorer(method="threshold", threshold="90D").fit(table.iloc[:5])
    np.testing.assert_array_equal(one.score_samples(table), scorer.score_samples(table))


def test_a_learned_threshold_is_the_cheapest_cut_on_silence(cdnow_lesson):
    known, ordered = cdnow_lesson[:2]
    scorer = SilenceScorer(method="threshold", threshold="learned", cost_miss=2.0)
    scorer.fit(known, ordered)
    choice = choose_threshold(known["silence"], ordered, cost_miss=2.0)
    assert scorer.learned_.threshold == choice.cut
    np.testing.assert_array_equal(scorer.predict(known), known["silence"] >= choice.cut)


def test_a_threshold_is_said_in_the_sentence(cdnow_sample):
    table = cv.summarize(cdnow_sample, as_of="1998-06-30", **NAMES)
    who = table.loc[table["n_orders"] == 1, "customer_id"].iloc[0]
    scorer = SilenceScorer(method="threshold", threshold="90D").fit(table)
    assert "silence begins at 90 days" in scorer.explain(table, who)
    assert "沉默自90天起算" in scorer.explain(table, who, language="zh")


@pytest.mark.parametrize(
    ("threshold", "text"),
    [(None, "needs a threshold"), ("0D", "longer than nothing"), ("learned", "requires y")],
)
def test_thresholds_that_cannot_be_are_refused(threshold, text, cdnow_sample):
    table = cv.summarize(cdnow_sample, as_of="1998-06-30", **NAMES)
    with pytest.raises(ValueError, match=text):
        SilenceScorer(method="threshold", threshold=threshold).fit(table)


@pytest.mark.parametrize("calibrator", ["logistic", "isotonic"])
def test_what_is_learned_of_return_does_not_depend_on_the_order_of_rows(calibrator):
    rng = np.random.default_rng(5)
    gaps = rng.exponential(30, (600, 4)).round() + 1
    gaps[:, 3] *= rng.random(600) < 0.7
    ordered = rng.random(600) < np.exp(-gaps[:, 0] / 60)
    prior = GapPrior(4.0, 120.0)
    one = learn_return_chance(gap_facts(gaps), ordered, 30.0, prior, calibrator)
    for seed in range(3):
        turn = np.random.default_rng(seed).permutation(600)
        other = learn_return_chance(gap_facts(gaps[turn]), ordered[turn], 30.0, prior, calibrator)
        assert other == one
