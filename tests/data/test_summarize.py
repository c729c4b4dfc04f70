"""summarize and panel against a plain loop over customers, and against lifetimes."""

from __future__ import annotations

import datetime as dt
import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import custvalue as cv
from custvalue.data import _threads

NAMES = {"customer": "who", "time": "when", "amount": "paid"}
START = dt.datetime(2024, 1, 1)


@st.composite
def logs(draw, *, refunds=False, max_rows=40):
    """A log of a few customers over two months, in cents, and an as-of date inside or after it."""
    n = draw(st.integers(1, max_rows))
    who = draw(st.lists(st.integers(1, 6), min_size=n, max_size=n))
    minute = draw(st.lists(st.integers(0, 60 * 24 * 60 - 1), min_size=n, max_size=n))
    low = -5000 if refunds else 1
    cents = draw(st.lists(st.integers(low, 5000), min_size=n, max_size=n))
    log = pd.DataFrame(
        {
            "who": who,
            "when": [START + dt.timedelta(minutes=m) for m in minute],
            "paid": np.array(cents) / 100,
        }
    )
    return log, START + dt.timedelta(days=draw(st.integers(0, 80)))


def by_hand(log, as_of, policy="net_occasion"):
    """The definition, read aloud: whole cents, one customer at a time."""
    rows = []
    end = as_of.date()
    for who, own in log.groupby("who"):
        days = {}
        for when, paid in zip(own["when"], own["paid"], strict=True):
            cents = round(paid * 100)
            if when.date() <= end and cents != 0 and not (policy == "drop" and cents < 0):
                days[when.date()] = days.get(when.date(), 0) + cents
        bought = sorted((day, cents) for day, cents in days.items() if cents > 0)
        if not bought:
            continue
        first, last = bought[0][0], bought[-1][0]
        gaps = [(b[0] - a[0]).days for a, b in itertools.pairwise(bought)]
        silence = (end - last).days
        n, total = len(bought), sum(c for _, c in bought)
        mean_gap = sum(gaps) / len(gaps) if gaps else math.nan
        rows.append(
            {
                "who": who,
                "frequency": n - 1,
                "recency": float((last - first).days),
                "T": float((end - first).days),
                "silence": float(silence),
                "monetary_value": (total - bought[0][1]) / 100 / (n - 1) if n > 1 else math.nan,
                "n_orders": n,
                "total_value": total / 100,
                "mean_value": total / 100 / n,
                "n_gaps": len(gaps),
                "gap_mean": mean_gap,
                "gap_max": float(max(gaps)) if gaps else math.nan,
                "gap_sum": float(sum(gaps)),
                "gap_std": math.sqrt(sum((g - mean_gap) ** 2 for g in gaps) / len(gaps))
                if gaps
                else math.nan,
                "n_gaps_shorter": sum(g <= silence for g in gaps),
                "litt": sum(math.log(g) for g in gaps),
                "first_order": pd.Timestamp(first),
                "last_order": pd.Timestamp(last),
            }
        )
    return pd.DataFrame(rows)


def same(made, wanted):
    assert list(made.columns) == list(wanted.columns)
    pd.testing.assert_frame_equal(made, wanted, check_dtype=False, rtol=1e-12, check_exact=False)


@given(logs(refunds=True), st.sampled_from(["net_occasion", "drop"]))
def test_the_summary_is_what_the_definition_says(case, policy):
    log, as_of = case
    wanted = by_hand(log, as_of, policy)
    made = cv.summarize(log, **NAMES, as_of=as_of, refunds=policy)
    if wanted.empty:
        assert made.empty
    else:
        same(made, wanted)
        assert (made["total_value"] == wanted["total_value"]).all()  # to the last bit
    assert cv.ledger(made).adds_up


@settings(max_examples=12)
@given(logs(refunds=True), st.sampled_from([1, 3, 7, 30.4375]))
def test_the_panel_is_the_summary_at_each_period_end(case, days):
    log, as_of = case
    rows = cv.panel(
        log, **NAMES, as_of=as_of, period=dt.timedelta(days=days), refunds="net_occasion"
    )
    assert cv.ledger(rows).adds_up
    assert rows.empty or rows["period_end"].max() == pd.Timestamp(as_of.date())
    for _, at in rows.groupby("period"):
        end = at["period_end"].iloc[0]
        wanted = cv.summarize(
            log, **NAMES, as_of=end, refunds="net_occasion", unit=dt.timedelta(days=days)
        )
        at = at.reset_index(drop=True)
        for name in ["who", "frequency", "recency", "T", "n_orders", "total_value", "mean_value"]:
            np.testing.assert_allclose(at[name], wanted[name], rtol=1e-12)
        np.testing.assert_allclose(at["litt"], wanted["litt"], rtol=0, atol=1e-9)
        np.testing.assert_array_equal(at["silence"] == 0, at["orders"] > 0)
    for _, own in rows.groupby("who"):
        assert own["period"].tolist() == list(
            range(own["period"].iloc[0], rows["period"].max() + 1)
        )
        assert own["age"].tolist() == list(range(len(own)))
        assert own["orders"].cumsum().tolist() == own["n_orders"].tolist()
        np.testing.assert_allclose(own["spend"].cumsum(), own["total_value"])
        assert (own["silence"].diff().iloc[1:] <= 1).all()
    assert rows["profit"].equals(rows["spend"].rename("profit"))


def test_the_summary_agrees_with_lifetimes_on_cdnow(cdnow):
    made = cv.summarize(
        cdnow, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )
    assert len(made) == cdnow.loc[cdnow["amount"] > 0, "customer_id"].nunique()
    assert made["total_value"].sum() == pytest.approx(cdnow["amount"].sum(), abs=1e-6)
    kept = cv.summarize(
        cdnow,
        customer="customer_id",
        time="date",
        amount="amount",
        as_of="1998-06-30",
        zero_amounts="keep",
    )
    assert len(kept) == 23_570
    days = cdnow.groupby(["customer_id", "date"])["amount"].sum().reset_index()
    first = days.groupby("customer_id")["date"].transform("min") == days["date"]
    np.testing.assert_array_equal(kept["frequency"], days.groupby("customer_id")["date"].size() - 1)
    repeat = days[~first].groupby("customer_id")["amount"].mean()
    np.testing.assert_allclose(
        kept.set_index("customer_id")["monetary_value"].dropna(), repeat, rtol=1e-12
    )
    ends = days.groupby("customer_id")["date"].agg(["min", "max"])
    np.testing.assert_array_equal(kept["recency"], (ends["max"] - ends["min"]).dt.days)
    np.testing.assert_array_equal(kept["T"], (pd.Timestamp("1998-06-30") - ends["min"]).dt.days)


@settings(max_examples=25)
@given(logs(), st.integers(0, 60), st.integers(1, 30))
def test_a_split_gives_what_was_known_and_what_happened_next(case, day, length):
    log, _ = case
    cutoff = START + dt.timedelta(days=day)
    end = cutoff + dt.timedelta(days=length)
    parts = cv.split_by_date(log, cutoff, f"{length}D", **NAMES, as_of=end)
    whole = cv.summarize(log, **NAMES, as_of=end)
    pd.testing.assert_frame_equal(parts.known, cv.summarize(log, **NAMES, as_of=cutoff))
    assert parts.future["who"].tolist() == parts.known["who"].tolist()
    assert set(parts.new["who"]) | set(parts.known["who"]) == set(whole["who"])
    assert not set(parts.new["who"]) & set(parts.known["who"])
    orders = parts.known["n_orders"].sum() + parts.future["orders"].sum()
    assert orders + parts.new["orders"].sum() == whole["n_orders"].sum()
    spend = parts.known["total_value"].sum() + parts.future["spend"].sum()
    assert spend + parts.new["spend"].sum() == pytest.approx(whole["total_value"].sum())
    later = whole.set_index("who")["n_orders"].reindex(parts.known["who"]).to_numpy()
    np.testing.assert_array_equal(later - parts.known["n_orders"], parts.future["orders"])
    assert cv.ledger(parts.known).adds_up
    assert cv.ledger(parts.future).adds_up
    pd.testing.assert_frame_equal(
        parts.known,
        cv.summarize(log[log["when"] < cutoff + dt.timedelta(days=1)], **NAMES, as_of=cutoff),
    )


@settings(max_examples=15, deadline=None)
@given(logs(refunds=True), st.integers(1, 7), st.sampled_from(["drop", "net_occasion"]))
def test_blocks_of_customers_and_threads_change_no_bit_of_tables_and_ledger(case, rows, policy):
    log, as_of = case
    options = {**NAMES, "as_of": as_of, "refunds": policy}

    def tables():
        return [
            cv.summarize(log, **options),
            cv.summarize(log, **options, margin=0.123),
            cv.panel(log, **options, period="1W"),
        ]

    whole = tables()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_threads, "BLOCK", rows)
        patch.setattr(_threads, "_cores", lambda: 3)
        blocks = tables()
    for one, other in zip(whole, blocks, strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
        assert cv.ledger(one).to_dict() == cv.ledger(other).to_dict()
