"""A table's unit and as-of date survive what people do with it, and are compared at predict."""

from __future__ import annotations

import io
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.base import clone

import custvalue as cv
from custvalue._frames import facts_of, time_scale_of
from custvalue._time_scale import TimeScale, time_scale_of_summary
from custvalue._units import days_per, same_unit
from custvalue.exceptions import DataContractError, TimeUnitError, TimeUnitWarning
from custvalue.grades import ActivityLoyaltyMatrix
from custvalue.lifecycle import LifecycleClassifier
from custvalue.purchase import MBGNBD, NBD
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer
from custvalue.spend import GammaGamma
from custvalue.value import CustomerValue, RateForward, RetentionValue

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
END = "1997-09-30"
UNITS = ["D", "W", "M", "Y", "4W", "36D"]


@pytest.fixture(scope="module")
def tables(cdnow_sample):
    """``tables(unit)``: the calibration summary in that unit."""
    made = {}

    def of(unit):
        if unit not in made:
            made[unit] = cv.summarize(cdnow_sample, **NAMES, as_of=END, unit=unit)
        return made[unit]

    return of


@pytest.fixture(scope="module")
def panel(cdnow_sample):
    return cv.panel(cdnow_sample, **NAMES, as_of=END, period="4W")


@pytest.fixture(scope="module")
def other(cdnow_sample):
    """What a shop knows of its customers from elsewhere; half of them."""
    ids = cdnow_sample["customer_id"].unique()[::2]
    return pd.DataFrame({"customer_id": ids, "age": 30.0})


def csv_round_trip(table, **options):
    file = io.StringIO(table.to_csv(index=False, **options))
    return pd.read_csv(file)


def parquet_round_trip(table):
    file = io.BytesIO()
    table.to_parquet(file)
    file.seek(0)
    return pd.read_parquet(file)


IN_PANDAS = {
    "merge": lambda t, o: t.merge(o, on="customer_id"),
    "merge on the right": lambda t, o: o.merge(t, on="customer_id"),
    "left merge": lambda t, o: o.merge(t, on="customer_id", how="left"),
    "join": lambda t, o: t.set_index("customer_id").join(o.set_index("customer_id")),
    "join of the other": lambda t, o: o.set_index("customer_id").join(t.set_index("customer_id")),
    "concat": lambda t, o: pd.concat([t.iloc[:900], t.iloc[900:]]),
    "concat of copies without attrs": lambda t, o: pd.concat([pd.DataFrame(dict(t)), t]),
    "assign": lambda t, o: t.assign(big=t["T"] > 1),
    "groupby tail": lambda t, o: t.groupby("frequency").tail(3),
    "query": lambda t, o: t.query("frequency > 0"),
    "sorted": lambda t, o: o.merge(t, on="customer_id").sort_values("T", ascending=False),
    "dictionary": lambda t, o: pd.DataFrame(t.to_dict("records")),
    "CSV": lambda t, o: csv_round_trip(t),
    "CSV in two digits": lambda t, o: csv_round_trip(t, float_format="%.2f"),
    "Parquet": lambda t, o: parquet_round_trip(t),
    "Parquet of a merge": lambda t, o: parquet_round_trip(t.merge(o, on="customer_id")),
    "pickle": lambda t, o: pd.read_pickle(_pickled(t.merge(o, on="customer_id"))),
    "DuckDB": lambda t, o: duckdb.sql("SELECT * FROM t JOIN o USING (customer_id)").df(),
}


def _pickled(table):
    file = io.BytesIO()
    table.to_pickle(file)
    file.seek(0)
    return file


@pytest.mark.parametrize("how", IN_PANDAS)
@pytest.mark.parametrize("unit", UNITS)
def test_a_pandas_summary_keeps_unit_and_date(tables, other, how, unit):
    if unit == "Y" and how == "CSV in two digits":
        pytest.skip("a hundredth of a year is four days: the next test")
    clock = time_scale_of(IN_PANDAS[how](tables(unit), other))
    assert days_per(clock.unit) == days_per(unit)
    assert clock.as_of == END


def test_years_need_more_digits_than_two_and_are_not_guessed(tables):
    assert time_scale_of(csv_round_trip(tables("Y"), float_format="%.4f")) == TimeScale("Y", END)
    with pytest.raises(DataContractError, match="units-differ"):
        time_scale_of(csv_round_trip(tables("Y"), float_format="%.2f"))


IN_POLARS = {
    "filter": lambda t, o: t.filter(pl.col("frequency") > 0),
    "one-time buyers": lambda t, o: t.filter(pl.col("frequency") == 0),
    "join": lambda t, o: t.join(o, on="customer_id"),
    "left join": lambda t, o: o.join(t, on="customer_id", how="left"),
    "group_by": lambda t, o: t.group_by("customer_id").last(),
    "group_by tail": lambda t, o: t.group_by("n_orders").tail(2),
    "with_columns": lambda t, o: t.with_columns(pl.lit(1).alias("one")),
    "concat": lambda t, o: pl.concat([t.head(700), t.tail(700)]),
    "lazy": lambda t, o: t.lazy().filter(pl.col("T") > 0).collect(),
    "CSV": lambda t, o: pl.read_csv(io.StringIO(t.write_csv())),
    "CSV with dates": lambda t, o: pl.read_csv(io.StringIO(t.write_csv()), try_parse_dates=True),
    "dates without time": lambda t, o: t.with_columns(
        pl.col("first_order", "last_order").cast(pl.Date)
    ),
    "to pandas": lambda t, o: t.to_pandas(),
}


@pytest.mark.parametrize("how", IN_POLARS)
@pytest.mark.parametrize("unit", ["D", "W", "M"])
def test_a_polars_summary_keeps_unit_and_date(cdnow_sample, other, how, unit):
    table = cv.summarize(pl.from_pandas(cdnow_sample), **NAMES, as_of=END, unit=unit)
    assert time_scale_of(IN_POLARS[how](table, pl.from_pandas(other))) == TimeScale(unit, END)


def arrow_parquet(table):
    file = io.BytesIO()
    pq.write_table(table, file)
    file.seek(0)
    return pq.read_table(file)


IN_ARROW = {
    "filter": lambda t, o: t.filter(pc.field("frequency") > 0),
    "join": lambda t, o: t.join(o, "customer_id"),
    "inner join": lambda t, o: o.join(t, "customer_id", join_type="inner"),
    "concat": lambda t, o: pa.concat_tables([t.slice(0, 10), t.slice(10)]),
    "Parquet": lambda t, o: arrow_parquet(t.replace_schema_metadata(None)),
    "to pandas": lambda t, o: t.join(o, "customer_id").to_pandas(),
    "to polars": lambda t, o: pl.from_arrow(t),
}


@pytest.mark.parametrize("how", IN_ARROW)
def test_a_pyarrow_summary_keeps_unit_and_date(cdnow_sample, other, how):
    log = pa.Table.from_pandas(cdnow_sample, preserve_index=False)
    table = cv.summarize(log, **NAMES, as_of=END, unit="W")
    made = IN_ARROW[how](table, pa.Table.from_pandas(other, preserve_index=False))
    assert time_scale_of(made) == TimeScale("W", END)


def test_a_duckdb_summary_tells_when_it_is_read(cdnow_sample):
    log = duckdb.sql("SELECT * FROM cdnow_sample")
    table = cv.summarize(log, **NAMES, as_of=END, unit="W").filter("frequency > 1")
    assert time_scale_of(table.pl()) == time_scale_of(table.df()) == TimeScale("W", END)


IN_A_PANEL = {
    "latest rows": lambda t: t.groupby("customer_id").tail(1).merge(t[["customer_id"]]),
    "history": lambda t: pd.DataFrame(dict(t)),
    "CSV": lambda t: csv_round_trip(t),
    "polars": lambda t: pl.from_pandas(t).filter(pl.col("period") == pl.col("period").max()),
    "one row": lambda t: pl.from_pandas(t).filter(pl.col("T") > 2).tail(1),
}


@pytest.mark.parametrize("how", IN_A_PANEL)
@pytest.mark.parametrize("period", ["4W", "1M", "30D"])
def test_a_panel_keeps_unit_and_date(cdnow_sample, how, period):
    rows = cv.panel(cdnow_sample, **NAMES, as_of=END, period=period)
    clock = time_scale_of(IN_A_PANEL[how](rows))
    assert days_per(clock.unit) == days_per(period)
    assert clock.as_of == END


def test_an_early_part_of_a_panel_ends_with_its_last_period(panel):
    early = pl.from_pandas(panel[panel["period"] < 5])
    assert time_scale_of(early).as_of == str(
        panel.loc[panel["period"] == 4, "period_end"].iloc[0].date()
    )


def test_every_row_of_a_panel_has_its_customers_first_order(panel, cdnow_sample):
    first = cdnow_sample[cdnow_sample["amount"] > 0].groupby("customer_id")["date"].min()
    assert (panel["first_order"] == panel["customer_id"].map(first)).all()


def test_occasions_of_an_hour_keep_the_hour_of_the_end(cdnow_sample):
    log = cdnow_sample.assign(date=cdnow_sample["date"] + pd.Timedelta("9h"))
    table = cv.summarize(log, **NAMES, as_of="1997-09-30 17:00", occasion="1h", unit="D")
    assert time_scale_of(pl.from_pandas(table)) == TimeScale("D", facts_of(table).as_of)
    assert time_scale_of(pl.from_pandas(table)) == TimeScale("D", "1997-09-30T17:00:00")


def test_a_summary_from_elsewhere_gets_dates_where_the_end_is_known():
    theirs = pd.DataFrame({"id": [1, 2], "frequency": [0, 2], "recency": [0, 21.5], "T": [30, 33]})
    table = cv.from_summary(theirs, unit="W", customer="id", as_of="2024-06-30")
    assert time_scale_of(pl.from_pandas(table)) == TimeScale("W", "2024-06-30")
    day = pd.Timestamp("2024-06-30")
    assert table["first_order"].tolist() == [day - pd.Timedelta(weeks=w) for w in (30, 33)]
    assert table["last_order"].tolist() == [day - pd.Timedelta(weeks=w) for w in (30, 11.5)]
    with_dates = theirs.assign(first_order="unknown")
    kept = cv.from_summary(with_dates, unit="W", customer="id", as_of="2024-06-30")
    assert kept["first_order"].tolist() == ["unknown"] * 2


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=12),
    st.integers(900, 4000),
    st.sampled_from([1.0, 7.0, 28.0, 30.4375, 365.25, 1.5, 30.44]),
)
def test_whatever_the_histories_their_unit_comes_back_or_none_does(orders, end, days):
    first = np.array([min(pair) for pair in orders])
    last = np.array([max(pair) for pair in orders])
    told = time_scale_of_summary(
        np.datetime64("2020-01-01") + first,
        np.datetime64("2020-01-01") + last,
        (last - first) / days,
        (end - first) / days,
    )
    if (last > first).any() or len(set(first)) > 1:
        assert days_per(told.unit) == pytest.approx(days, rel=1e-9)
        assert told.as_of == str(np.datetime64("2020-01-01") + end)
    else:
        assert told is None


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 400)), min_size=2, max_size=9),
    st.sampled_from([(1.0, 7.0), (7.0, 1.0), (7.0, 30.4375), (30.4375, 365.25), (1.0, 365.25)]),
    st.data(),
)
def test_rows_of_two_units_are_never_taken_for_one(orders, units, data):
    wrong = data.draw(st.integers(1, len(orders) - 1))
    days = np.where(np.arange(len(orders)) < wrong, *units)
    first = np.array([f for f, _ in orders])
    span = np.array([s for _, s in orders])
    assume((span / days.min() > 1.0).all())
    start = np.datetime64("2020-01-01")
    with pytest.raises(DataContractError, match="do not fit one unit of time"):
        time_scale_of_summary(
            start + first, start + first + span, span / days, (1000 - first) / days
        )


def test_tables_of_two_units_put_together_are_refused_by_name(tables):
    both = pd.concat([tables("D"), tables("W").head(30)], ignore_index=True)
    with pytest.raises(DataContractError) as caught:
        NBD().fit(both)
    (problem,) = caught.value.problems
    start = len(tables("D"))
    odd = both.index[(both.index >= start) & (both["recency"] > 0)]
    assert problem.code == "units-differ"
    assert problem.ids == tuple(str(i) for i in odd[:5])
    assert problem.count == len(odd)
    assert "by most rows a unit is 'D', by these 'W'" in str(caught.value)
    assert "unit= on the estimator" in problem.cure


def test_one_time_buyers_in_another_unit_are_seen_by_their_end(tables):
    weeks = tables("W")
    both = pd.concat([tables("D"), weeks[weeks["frequency"] == 0]], ignore_index=True)
    with pytest.raises(DataContractError, match="unit-unclear") as caught:
        time_scale_of(both)
    assert caught.value.problems[0].count == (weeks["frequency"] == 0).sum()


def test_pyarrow_hands_on_the_first_tables_word_and_is_not_believed(cdnow_sample):
    log = pa.Table.from_pandas(cdnow_sample, preserve_index=False)
    weeks, days = (cv.summarize(log, **NAMES, as_of=END, unit=u) for u in ("W", "D"))
    both = pa.concat_tables([weeks, days])
    assert facts_of(both).unit == "W"
    with pytest.raises(DataContractError, match="do not fit one unit"):
        NBD().fit(both)
    with pytest.raises(TimeUnitError, match="says that it counts time in 'W', but its rows"):
        time_scale_of(pa.concat_tables([weeks.slice(0, 0), days]))


def test_snapshots_of_several_dates_keep_the_unit_and_have_no_one_date(cdnow_sample):
    parts = [
        cv.summarize(cdnow_sample, **NAMES, as_of=end, unit="W") for end in (END, "1998-01-31")
    ]
    stacked = pd.concat(parts)
    assert time_scale_of(stacked) == TimeScale("W", "")
    orders = NBD(unit="W").fit(parts[0]).predict(stacked, "4W")
    apart = [NBD().fit(parts[0]).predict(part, "4W") for part in parts]
    np.testing.assert_allclose(orders, np.concatenate(apart), rtol=1e-12)


def test_rows_that_cannot_tell_tell_nothing(tables):
    bare = pd.DataFrame(dict(tables("W")[["frequency", "recency", "T"]]))
    assert time_scale_of(bare) is None
    alone = pl.from_pandas(tables("W")).filter(pl.col("frequency") == 0).head(1)
    assert time_scale_of(alone) is None
    spreadsheet = pd.DataFrame(dict(tables("W"))).assign(
        first_order="30.09.1997", last_order="30.09.1997"
    )
    assert time_scale_of(spreadsheet) is None
    assert time_scale_of(pl.from_pandas(tables("W")).lazy()) is None
    assert time_scale_of(tables("W").to_numpy()) is None
    assert time_scale_of(pd.DataFrame(dict(tables("W"))).assign(first_order=19970930)) is None


# ---- what is compared ------------------------------------------------------------------------


def test_the_year_of_a_table_in_days_is_not_read_by_a_model_in_weeks(tables):
    """351 orders were forecast where the right number, weeks asked of weeks, is 1,979."""
    model = MBGNBD().fit(tables("W"))
    assert model.predict(tables("W"), horizon="52W").sum() == pytest.approx(1979, abs=1)
    with pytest.raises(
        TimeUnitError, match="counts time in 'D', but this MBGNBD was fitted in 'W'"
    ):
        model.predict(tables("D"), horizon="52W")


FITTED = {
    "purchase": (
        lambda: MBGNBD(horizon="26W"),
        {"predict", "predict_alive", "score", "score_samples"},
    ),
    "Pareto/NBD": (lambda: cv.purchase.ParetoNBD(horizon="26W"), {"predict", "predict_next_order"}),
    "RFM": (lambda: RFMTransformer(n_bins=3), {"transform"}),
    "silence": (lambda: SilenceScorer(), {"transform", "predict"}),
    "lifecycle": (lambda: LifecycleClassifier(), {"predict", "stage_table", "upgrade_table"}),
    "matrix": (lambda: ActivityLoyaltyMatrix(), {"transform", "quadrants"}),
    "value": (
        lambda: CustomerValue(purchases=NBD(), spend=GammaGamma(), horizon="26W"),
        {"predict"},
    ),
    "rate forward": (lambda: RateForward(horizon="26W"), {"predict"}),
    "retention": (lambda: RetentionValue(lapse="26W", horizon="26W"), {"predict"}),
}
CASES = [(kind, method) for kind, (_, methods) in FITTED.items() for method in sorted(methods)]


@pytest.fixture(scope="module")
def fitted(tables):
    return {kind: make().fit(_buyers(tables("W"))) for kind, (make, _) in FITTED.items()}


def _buyers(table):
    return table.fillna({"monetary_value": 0.0})


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_every_answer_compares_units(fitted, tables, other, kind, method):
    ask = getattr(fitted[kind], method)
    joined = _buyers(tables("D")).merge(other, on="customer_id")
    for X in (_buyers(tables("D")), joined, pl.from_pandas(joined), csv_round_trip(joined)):
        with pytest.raises(TimeUnitError, match="summarize with unit='W' or refit"):
            ask(X)


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_every_answer_is_the_same_after_a_join(fitted, tables, kind, method):
    weeks = _buyers(tables("W"))
    joined = weeks.merge(pd.DataFrame({"customer_id": weeks["customer_id"]}), on="customer_id")
    assert facts_of(joined) is None
    model = fitted[kind]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "scored on the rows")
        told, stated = (getattr(model, method)(X) for X in (joined, weeks))
    if isinstance(told, pd.DataFrame):
        told, stated = (
            told[[c for c in stated if c in told]],
            stated[[c for c in stated if c in told]],
        )
        pd.testing.assert_frame_equal(told, stated)
    else:
        assert np.array_equal(told, stated)


@pytest.mark.parametrize(("kind", "method"), CASES)
def test_a_table_that_says_nothing_is_read_with_a_warning_at_the_callers_line(
    fitted, tables, kind, method
):
    silent = pd.DataFrame(dict(_buyers(tables("W")).drop(columns=["first_order", "last_order"])))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        getattr(fitted[kind], method)(silent)
    said = [w for w in said if w.category is TimeUnitWarning]
    assert said
    assert {w.filename for w in said} == {__file__}
    assert "read in 'W'" in str(said[0].message)


def test_who_says_the_unit_is_not_warned(tables):
    silent = pd.DataFrame(dict(tables("W")[["frequency", "recency", "T"]]))
    for model in (NBD(unit="W").fit(tables("W")), NBD(unit="W").fit(silent)):
        assert model.predict(silent, "4W").sum() > 0
    with pytest.raises(TimeUnitError, match="in 'D', but this NBD was fitted in 'W'"):
        NBD(unit="W").fit(silent).predict(tables("D"), "4W")
    with pytest.raises(TimeUnitError, match="in 'D', but this NBD in 'W'"):
        NBD(unit="W").fit(pl.from_pandas(tables("D")))


def test_a_model_without_unit_warns_of_a_table_that_has_one(tables):
    silent = pd.DataFrame(dict(tables("W")[["frequency", "recency", "T"]]))
    model = NBD().fit(silent)
    with pytest.warns(TimeUnitWarning, match="does not know its own unit"):
        asked = model.predict(tables("W"), 4)
    assert np.array_equal(asked, model.predict(silent, 4))


def test_money_per_order_has_no_unit_of_time(tables):
    model = GammaGamma().fit(_buyers(tables("W")))
    assert np.array_equal(model.predict(_buyers(tables("D"))), model.predict(_buyers(tables("W"))))


def test_a_matrix_of_counts_has_no_unit_of_time(tables):
    model = ActivityLoyaltyMatrix(activity={"n_orders": 1}, loyalty={"recency": 1})
    model.fit(tables("W"))
    counts = clone(model).set_params(loyalty={"frequency": 1}).fit(tables("W"))
    assert not hasattr(counts, "unit_")
    assert (counts.quadrants(tables("D")) == counts.quadrants(tables("W"))).all()
    assert not hasattr(model.set_params(loyalty={"frequency": 1}).fit(tables("W")), "unit_")


def test_units_are_equal_by_length_not_by_name():
    assert same_unit("4W", "28D")
    assert same_unit("12M", "Y")
    assert not same_unit("Y", "365D")


def test_an_earlier_table_is_told_from_a_later_one_after_a_join(cdnow_sample, other):
    earlier, later = (
        cv.summarize(cdnow_sample, **NAMES, as_of=end).merge(other, on="customer_id")
        for end in (END, "1998-01-31")
    )
    with pytest.raises(DataContractError, match="the later table ends on 1997-09-30"):
        cv.silence._learning.ordered_between(later, earlier, customer="customer_id")
    cv.silence._learning.ordered_between(earlier, later, customer="customer_id")


def test_history_and_since_dates_need_no_attrs(cdnow_sample, tables):
    model = LifecycleClassifier().fit(tables("D"))
    ends = (END, "1998-01-31")
    lost = [pd.DataFrame(dict(cv.summarize(cdnow_sample, **NAMES, as_of=end))) for end in ends]
    history = model.history(lost, customer="customer_id")
    assert [str(day)[:10] for day in history.dates] == list(ends)
    since = model.upgrade_table(lost[0])["stage_since"]
    assert since.equals(model.upgrade_table(tables("D"))["stage_since"])
