"""Laws of any funnel, held on random logs."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.exceptions import CustvalueWarning
from custvalue.funnel import FunnelChain

DAY0 = np.datetime64("2024-01-01")
AS_OF = "2024-04-10"  # a hundred days later
STAGES = ["lead", "qualified", "proposal"]
pytestmark = pytest.mark.filterwarnings("ignore::custvalue.exceptions.CustvalueWarning")


@st.composite
def logs(draw):
    """Up to 25 deals with up to four stages each, re-entered and skipped at will."""
    rows = []
    for deal in range(draw(st.integers(3, 25))):
        day = draw(st.integers(0, 90))
        stage = draw(st.sampled_from(STAGES))
        for _ in range(draw(st.integers(1, 4))):
            rows.append((deal, stage, DAY0 + day))
            stage = draw(st.sampled_from([s for s in STAGES if s != stage]))
            day += draw(st.integers(1, 40))
        end = draw(st.sampled_from(["won", "lost", None]))
        if end and day <= 100:
            rows.append((deal, end, DAY0 + day))
    # so that both outcomes are seen
    rows += [
        (98, "lead", DAY0),
        (98, "won", DAY0 + 30),
        (99, "lead", DAY0),
        (99, "lost", DAY0 + 30),
    ]
    return pd.DataFrame(rows, columns=["deal", "stage", "time"])


def everywhere(classes):
    return pd.DataFrame(
        {"stage": np.repeat(STAGES, classes), "age": list(range(1, classes + 1)) * 3, "amount": 1.0}
    )


options = st.fixed_dictionaries(
    {
        "age_classes": st.integers(1, 5),
        "expire": st.sampled_from([None, "4W"]),
        "recent": st.sampled_from([None, "60D"]),
        "period": st.sampled_from(["1W", "3D", "1M"]),
    }
)


@settings(max_examples=40, deadline=None)
@given(log=logs(), how=options, horizon=st.integers(1, 120))
def test_the_chances_of_every_state_sum_to_one(log, how, horizon):
    funnel = FunnelChain(STAGES, **how).fit(log, as_of=AS_OF)
    np.testing.assert_allclose(funnel.law_.chain.dense().sum(axis=1), 1.0, atol=1e-12)
    proba = funnel.predict_proba(everywhere(4), horizon=f"{horizon}D")
    np.testing.assert_allclose(proba.sum(axis=1), 1.0, atol=1e-9)
    assert (proba >= -1e-12).all(axis=None)
    if funnel.law_.has_losses:
        for_ever = funnel.predict_proba(everywhere(4), horizon="forever")
        np.testing.assert_allclose(for_ever[["won", "lost", "stalled"]].sum(axis=1), 1, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(log=logs(), how=options, h=st.integers(1, 60), more=st.integers(0, 60))
def test_a_longer_horizon_never_wins_less(log, how, h, more):
    funnel = FunnelChain(STAGES, **how).fit(log, as_of=AS_OF)
    short = funnel.predict_proba(everywhere(4), horizon=f"{h}D")["won"]
    long = funnel.predict_proba(everywhere(4), horizon=f"{h + more}D")["won"]
    assert (long >= short - 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(log=logs(), how=options, cut=st.integers(1, 24))
def test_counts_of_two_sets_of_deals_add_up_to_the_counts_of_all(log, how, cut):
    funnel = FunnelChain(STAGES, observed_from="2024-01-20", **how)
    parts = [funnel.count(part, as_of=AS_OF) for _, part in log.groupby(log["deal"] >= cut)]
    whole = funnel.count(log, as_of=AS_OF)
    both = sum(parts)
    assert abs(both.pooled.moves - whole.pooled.moves).max() == 0
    for name in ("started", "entered", "open_now", "outcomes", "moves_seen"):
        np.testing.assert_array_equal(getattr(both, name), getattr(whole, name))
    assert both.ledger.adds_up
    assert both.ledger.rows_used == whole.ledger.rows_used


@settings(max_examples=30, deadline=None)
@given(log=logs(), how=options, seed=st.integers(0, 9))
def test_the_order_of_the_rows_changes_nothing(log, how, seed):
    mixed = log.sample(frac=1.0, random_state=seed)
    one, two = (FunnelChain(STAGES, **how).count(t, as_of=AS_OF) for t in (log, mixed))
    assert abs(one.pooled.moves - two.pooled.moves).max() == 0


@settings(max_examples=30, deadline=None)
@given(log=logs(), how=options)
def test_money_without_discount_is_amount_times_chance(log, how):
    funnel = FunnelChain(STAGES, annual_discount_rate=0.0, **how).fit(log, as_of=AS_OF)
    deals = everywhere(4).assign(amount=50.0)
    for timing in ("start", "end"):
        funnel.set_params(timing=timing)
        money = funnel.predict(deals, horizon="45D")
        chance = funnel.predict_proba(deals, horizon="45D")["won"]
        np.testing.assert_allclose(money, 50.0 * chance, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(log=logs())
def test_where_nobody_is_censored_chances_are_counts(log):
    closed = log.groupby("deal").filter(lambda d: d["stage"].iloc[-1] in ("won", "lost"))
    single = pd.concat([closed.groupby("deal").first(), closed.groupby("deal").last()])
    single = single.reset_index().assign(stage=lambda t: t["stage"].where(
        t["stage"].isin(["won", "lost"]), "lead"))  # fmt: skip
    funnel = FunnelChain(["lead"], age_classes=30).fit(single, as_of=AS_OF)
    won = (single["stage"] == "won").sum() / single["deal"].nunique()
    found = funnel.predict_proba(pd.DataFrame({"stage": ["lead"], "age": [1]}))["won"][0]
    assert found == pytest.approx(won, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(log=logs(), how=options)
def test_a_funnel_is_the_same_after_a_journey_through_json(log, how):
    import json

    funnel = FunnelChain(STAGES, by="rep", **how)
    log = log.assign(rep=np.where(log["deal"] % 2, "ann", "bob"))
    funnel.fit(log, as_of=AS_OF)
    back = FunnelChain.from_dict(json.loads(json.dumps(funnel.to_dict())))
    deals = everywhere(4).assign(rep="bob")
    pd.testing.assert_frame_equal(
        back.predict_proba(deals, horizon="5W"), funnel.predict_proba(deals, horizon="5W")
    )
    assert back.ledger_ == funnel.ledger_


def simulated(hazard, n, rng):
    """Deals of one stage that move in each age with the chances of ``hazard`` (won, lost)."""
    rows = []
    start = rng.integers(0, 300, n)
    for deal in range(n):
        day, age = int(start[deal]) * 7, 0
        rows.append((deal, "lead", DAY0 + day))
        while True:
            won, lost = hazard[min(age, len(hazard) - 1)]
            u, age = rng.random(), age + 1
            if u < won + lost:
                rows.append((deal, "won" if u < won else "lost", DAY0 + day + 7 * age))
                break
    return pd.DataFrame(rows, columns=["deal", "stage", "time"])


def test_simulated_deals_return_their_hazards_however_they_are_censored():
    hazard = np.array([[0.05, 0.02], [0.1, 0.1], [0.02, 0.15]])
    log = simulated(hazard, 6000, np.random.default_rng(5))
    as_of, since = DAY0 + 7 * 220, DAY0 + 7 * 150
    log = log[log["time"] < as_of]
    # closings before observation began are not in the log
    ends = log[log["stage"].isin(["won", "lost"]) & (log["time"] < since)]["deal"]
    log = log[~log["deal"].isin(ends)]
    funnel = FunnelChain(["lead"], age_classes=3, observed_from=since).fit(log, as_of=as_of)
    moves = funnel.counts_.pooled
    n = moves.n_out[:3]
    found = moves.moves.toarray()[:3, 3:] / n[:, None]
    error = np.sqrt(hazard * (1 - hazard) / n[:, None])
    assert (np.abs(found - hazard) < 4 * error).all()
    biased = FunnelChain(["lead"], age_classes=3).count(log, as_of=as_of).pooled
    assert biased.moves.toarray()[2, 4] / biased.n_out[2] < hazard[2, 1] - 2 * error[2, 1]


def test_the_rates_of_reps_are_shrunk_less_where_reps_differ_more():
    rng = np.random.default_rng(0)
    alike, apart = [], []
    for k in range(8):
        for out, win in ((alike, 0.1), (apart, 0.02 + 0.04 * k)):
            part = simulated(np.array([[win, 0.1]]), 150, rng)
            out.append(part.assign(rep=k, deal=part["deal"] + 1000 * k))
    with warnings.catch_warnings():
        warnings.simplefilter("error", CustvalueWarning)
        fitted = [
            FunnelChain(["lead"], age_classes=1, by="rep").fit(pd.concat(p), as_of=DAY0 + 9999)
            for p in (alike, apart)
        ]
    assert fitted[0].concentration_ > 10 * fitted[1].concentration_
