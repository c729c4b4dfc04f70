"""Recency cut on the log's own cycle: usual gaps by hand, scores that mean the same everywhere."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeRegressor

from custvalue import RFMTransformer
from custvalue.data import TransactionLog
from custvalue.datasets import make_shop
from custvalue.exceptions import (
    ArtefactError,
    BinWarning,
    DataContractError,
    DataWarning,
    NotSupportedError,
)
from custvalue.rfm import SegmentMap
from custvalue.rfm._cycle import cycle_cuts, learn_cycle, order_cuts, usual_gap

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


def table(**columns):
    """Five customers: one-time, two with two orders, two with three."""
    made = {
        "silence": [50.0, 30.0, 90.0, 15.0, 400.0],
        "n_orders": [1, 2, 2, 3, 3],
        "recency": [0.0, 40.0, 60.0, 20.0, 40.0],
        "total_value": [10.0, 20.0, 30.0, 40.0, 50.0],
    }
    return pd.DataFrame({**made, **columns})


def fitted(X=None, **options):
    return RFMTransformer(cuts="cycle", unit="D", **options).fit(table() if X is None else X)


def shop(kind="plain", n=120, **more):
    made = make_shop(kind, n, random_state=3, **more)
    end = made.log["date"].max()
    return TransactionLog(made.log, **NAMES, as_of=end, unit="D")


def test_usual_gaps_are_medians_by_number_of_orders_drawn_to_that_of_all():
    cycle = fitted().cycle_
    # mean gaps: 40 and 60 of two orders, 10 and 20 of three; the middle of all four is 30
    assert cycle.whole == 30.0
    assert cycle.orders == (2, 3)
    assert cycle.customers == (2, 2)
    assert cycle.gaps == pytest.approx(((2 * 50 + 20 * 30) / 22, (2 * 15 + 20 * 30) / 22))


def test_many_orders_share_classes_that_double():
    n = np.array([2, 8, 9, 16, 17, 32, 33])
    cycle = learn_cycle(n, (n - 1.0) * 7.0)
    assert cycle.orders == (2, 8, 9, 17, 33)
    assert cycle.customers == (1, 1, 2, 2, 1)
    assert cycle.gaps == pytest.approx((7.0,) * 5)


def test_a_customers_gap_is_the_own_mean_drawn_by_one_gap_to_that_of_customers_alike():
    cycle = fitted().cycle_
    two, three = cycle.gaps
    expected = [30.0, (40 + two) / 2, (60 + two) / 2, (20 + three) / 3, (40 + three) / 3]
    X = table()
    np.testing.assert_allclose(usual_gap(cycle, X["n_orders"], X["recency"]), expected)


def test_scores_are_silence_in_usual_gaps_cut_at_one_two_three_and_five():
    X = table(silence=[30.0, 0.0, 400.0, 0.0, 0.0])
    model = fitted()
    assert model.variables_[0].cuts == ((1.0, 2.0, 3.0, 5.0),)
    assert model.transform(X)["R"].tolist() == [5, 5, 1, 5, 5]
    once = pd.DataFrame(
        {
            "silence": [30.0, 30.1, 60.0, 90.0, 91.0, 150.0, 150.1],
            "n_orders": 1,
            "recency": 0.0,
            "total_value": 1.0,
        }
    )
    assert model.transform(once)["R"].tolist() == [5, 4, 4, 3, 2, 2, 1]


@pytest.mark.parametrize(("n", "cuts"), [(1, ()), (2, (1,)), (3, (1, 2)), (7, (1, 2, 3, 5, 8, 13))])
def test_there_are_cuts_for_every_number_of_scores(n, cuts):
    assert cycle_cuts(n) == cuts


def test_one_order_is_a_score_of_its_own_and_no_score_of_orders_is_out_of_reach():
    assert order_cuts([1] * 90 + [2] * 9 + [3], 5) == (1, 2, 3, 4)
    assert order_cuts([1, 4, 8, 12, 16], 5) == (1, 4, 8, 12)
    assert order_cuts([1, 2], 1) == ()


@given(
    st.lists(st.tuples(st.integers(1, 9), st.floats(1, 900), st.floats(0, 900)), min_size=2),
    st.sampled_from([1.0 / 7.0, 24.0, 1000.0]),
)
def test_the_unit_of_time_changes_no_score(rows, factor):
    n, span, silence = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    n[0], n[1] = 2, 1
    X = pd.DataFrame(
        {
            "silence": silence,
            "n_orders": n,
            "recency": np.where(n > 1, span, 0),
            "total_value": np.arange(len(n)) + 1.0,
        }
    )
    again = X.assign(silence=X["silence"] * factor, recency=X["recency"] * factor)
    ours, theirs = (
        RFMTransformer(cuts={"R": "cycle", "F": [1, 3], "M": [5]}, unit="D").fit(Z)
        for Z in (X, again)
    )
    near = usual_gap(ours.cycle_, n, X["recency"])
    edge = np.abs(np.round(silence / near) - silence / near) < 1e-9  # rounding may decide these
    same = (ours.transform(X) == theirs.transform(again)).to_numpy()
    assert same[~edge].all()


def test_every_kind_of_table_gives_the_same_scores_and_keeps_the_customer():
    X = table()
    want = fitted().transform(X).to_numpy()
    for made in (pl.from_pandas(X), pa.Table.from_pandas(X)):
        got = fitted(made).transform(made)
        assert type(got) is type(made)
        assert np.array_equal(np.column_stack([np.asarray(got[a]) for a in "RFM"]), want)
    array = X[["silence", "n_orders", "total_value", "recency"]].to_numpy()
    assert np.array_equal(fitted(array).transform(array), want)
    indexed = X.set_index(pd.Index(list("edcba")))
    assert fitted(indexed).transform(indexed).index.tolist() == list("edcba")


def test_an_array_without_the_time_between_orders_is_refused():
    with pytest.raises(ValueError, match=r"3 feature.*need 4: silence, n_orders, total_value, rec"):
        fitted(table()[["silence", "n_orders", "total_value"]].to_numpy())


def test_a_frame_without_a_column_that_the_cycle_needs_is_refused_by_name():
    with pytest.raises(DataContractError, match="recency"):
        fitted(table().drop(columns="recency"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recency": [0.0, -1, 60, 20, 40]}, "recency is -1 in 1 rows, first: row 1"),
        ({"n_orders": [0, 2, 2, 3, 3]}, "n_orders is 0 in 1 rows, first: row 0"),
    ],
)
def test_histories_that_cannot_be_are_refused(change, words):
    with pytest.raises(DataContractError, match=words):
        fitted(table(**change))
    with pytest.raises(DataContractError, match=words):
        fitted().transform(table(**change))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cuts": "cycles"}, "must be 'cycle', a mapping"),
        ({"cuts": "cycle", "method": "nested"}, "method='nested' has no place"),
        ({"cuts": "cycle", "method": "fixed"}, "method='fixed' has no place"),
        ({"cuts": {"F": "cycle"}}, r"cuts ask \['F'\] on the cycle"),
        ({"cuts": {"F": "quintile"}}, "must be a sequence of cut points"),
        ({"cuts": "cycle", "columns": {"F": "n_orders"}}, "R is not scored on silence"),
        ({"cuts": "cycle", "columns": {"R": "T"}}, "R is not scored on silence"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        RFMTransformer(**{"unit": "D", **options}).fit(table(T=1.0))


def test_frequency_and_money_may_be_given_beside_the_cycle():
    model = fitted().set_params(cuts={"R": "cycle", "F": (1, 2), "M": (25,)}).fit(table())
    assert [v.cuts[0] for v in model.variables_] == [(1, 2, 3, 5), (1, 2), (25,)]


def test_what_a_cut_means_is_told_in_usual_gaps_and_in_time():
    model = fitted()
    cuts = model.thresholds_table().query("variable == 'R'")
    assert cuts["unit"].unique().tolist() == ["usual gaps"]
    assert cuts["up_to"].tolist() == [1.0, 2.0, 3.0, 5.0, np.inf]
    said = model.segment_table(table()).set_index("segment")
    assert said.loc["champions", ["usual_gaps_up_to", "silence_up_to"]].tolist() == [2.0, 60.0]
    assert said.loc["lost", ["usual_gaps_above", "silence_above"]].tolist() == [5.0, 150.0]
    by_orders = model.cycle_table()
    assert by_orders["orders_from"].tolist() == [1, 2, 3]
    assert by_orders["silence_up_to_3"].tolist() == pytest.approx(
        (3 * by_orders["usual_gap"]).tolist()
    )
    heads = model.segment_table(language="zh").columns
    assert not [name for name in heads if name.isascii()]


def test_the_cycle_works_in_pipelines_and_is_cloned_weighed_and_written():
    X, y = table(), [1.0, 2.0, 3.0, 4.0, 5.0]
    pipe = make_pipeline(
        RFMTransformer(cuts="cycle", unit="D"), DecisionTreeRegressor(random_state=0)
    )
    assert len(pipe.fit(X, y).predict(X)) == 5
    model = clone(fitted(weights="equal")).fit(X)
    scores = model.transform(X)
    assert scores["score"].tolist() == scores[["R", "F", "M"]].sum(axis=1).tolist()
    plain = json.loads(json.dumps(model.to_dict()))
    back = RFMTransformer.from_dict(plain)
    pd.testing.assert_frame_equal(back.transform(X), scores)
    assert back.cycle_ == model.cycle_
    assert back.get_params() == model.get_params()
    assert back.feature_names_in_.tolist() == model.feature_names_in_.tolist()
    with pytest.raises(ArtefactError):
        RFMTransformer.from_dict({**plain, "learned": {**plain["learned"], "unit": "W"}})


def test_what_was_fitted_stays_until_the_next_fit():
    X, model = table(), fitted()
    want = model.transform(X)
    assert model.set_params(cuts=None).transform(X).equals(want)
    back = model.set_params(cuts="cycle").fit(X)
    assert back.transform(X).equals(want)
    ranks = RFMTransformer(n_bins=2, unit="D").fit(X)
    assert (
        ranks.set_params(cuts="cycle")
        .transform(X)
        .equals(RFMTransformer(n_bins=2, unit="D").fit_transform(X))
    )


def test_spans_given_as_cuts_are_written_too():
    cuts = {"R": [dt.timedelta(days=30), np.timedelta64(60, "D")]}
    model = RFMTransformer(cuts={**cuts, "F": [1], "M": [25]}, unit="D").fit(table())
    back = RFMTransformer.from_dict(json.loads(json.dumps(model.to_dict())))
    assert back.transform(table()).equals(model.transform(table()))
    assert back.fit(table()).variables_ == model.variables_


def test_drift_learns_the_cycle_anew():
    model = fitted()
    slower = table(recency=[0.0, 400.0, 600.0, 200.0, 400.0], silence=[500.0, 300, 900, 150, 4000])
    moved = model.drift(slower)
    assert "usual_gaps" in str(moved)
    assert model.cycle_.whole == 30.0


def test_a_log_without_a_second_order_says_that_it_shows_no_cycle_and_claims_no_name():
    once = table(n_orders=1, recency=0.0)
    with pytest.warns(DataWarning, match="none of 5 customers ordered twice"), _bins():
        model = fitted(once)
    assert model.cycle_ is None
    assert model.transform(once)["R"].tolist() == [3, 4, 2, 5, 1]
    assert set(model.segments(once)) <= set(SegmentMap.ready(5, plain=True).segments)
    with pytest.raises(NotSupportedError, match="ask for it by cuts='cycle'"):
        model.cycle_table()


def _bins():
    return pytest.warns(BinWarning)


def test_one_customer_has_scores():
    with _bins():
        one = fitted(table().tail(1))
    assert one.transform(table().tail(1))["R"].tolist() == [1]


@pytest.mark.parametrize("kind", ["plain", "frequent", "durable", "subscription"])
def test_a_name_that_claims_silence_has_silence_of_that_many_usual_gaps(kind):
    log = shop(kind, 80 if kind == "frequent" else 120)
    summary = log.summary()
    model = RFMTransformer(cuts="cycle").fit(summary)
    name = model.segments(summary)
    gaps = summary["silence"] / usual_gap(model.cycle_, summary["n_orders"], summary["recency"])
    quiet = np.isin(name, ["about to sleep", "at risk", "cannot lose", "lost"])
    assert (gaps[quiet] > 3).all()
    assert (gaps[~quiet] <= 3).all()
    new = name == "new customers"
    assert (summary["n_orders"][new] == 1).all()
    assert (summary["T"][new] <= 2 * model.cycle_.whole).all()


def test_quantiles_say_no_more_than_ranks_and_given_silences_say_names():
    X = shop().summary()
    ranks = RFMTransformer().fit(X)
    assert not {"lost", "champions", "new customers"} & {*ranks.segments(X)}
    days = RFMTransformer(cuts={"R": ("30D", "60D", "90D", "180D"), "F": (1, 2, 4, 8)}).fit(X)
    assert {"lost", "champions"} <= {*days.segments(X)}
