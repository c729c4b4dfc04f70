"""What comes in by the door: every engine, every fault, and the ledger."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custvalue.exceptions import (
    AsOfWarning,
    DataContractError,
    DataWarning,
    NotSupportedError,
    SmallSampleWarning,
    TimeUnitError,
)
from custvalue.funnel import FunnelChain, from_deals

short = pytest.mark.filterwarnings("ignore:.*fall in the first period")
STAGES = ["lead", "qualified", "proposal"]


def as_kind(log, kind):
    if kind == "pandas":
        return log
    if kind == "polars":
        return pl.from_pandas(log)
    if kind == "lazy polars":
        return pl.from_pandas(log).lazy()
    if kind == "pyarrow":
        import pyarrow as pa

        return pa.Table.from_pandas(log, preserve_index=False)
    if kind == "duckdb":
        import duckdb

        return duckdb.from_df(log)
    import dask.dataframe as dd

    return dd.from_pandas(log, npartitions=2)


@pytest.mark.parametrize("kind", ["polars", "lazy polars", "pyarrow", "duckdb", "dask"])
def test_every_engine_has_the_same_counts_and_the_same_open_deals(six_deals, at, kind):
    log = six_deals.assign(owner="ann")
    funnel = FunnelChain(STAGES, age_classes=2).fit(as_kind(log, kind), as_of=at(8))
    plain = FunnelChain(STAGES, age_classes=2).fit(log, as_of=at(8))
    assert abs(funnel.counts_.pooled.moves - plain.counts_.pooled.moves).max() == 0
    deals = funnel.open_deals(as_kind(log, kind))
    assert list(np.asarray(deals["deal"])) == [5, 6]
    assert list(np.asarray(deals["owner"])) == ["ann", "ann"]
    won = np.asarray(funnel.predict_proba(deals, horizon="4W")["won"], dtype=float)
    np.testing.assert_allclose(won, [0.34375, 0.25])


def test_a_spark_frame_is_read_at_the_door(six_deals, at, spark):
    rows = [
        (int(deal), str(stage), time.to_pydatetime())
        for deal, stage, time in six_deals.itertuples(index=False)
    ]
    log = spark.createDataFrame(rows, "deal long, stage string, time timestamp_ntz")
    funnel = FunnelChain(STAGES, age_classes=2).fit(log, as_of=at(8))
    deals = funnel.open_deals(log)
    assert deals["deal"].to_pylist() == [5, 6]
    won = np.asarray(funnel.predict_proba(deals, horizon="4W")["won"], dtype=float)
    np.testing.assert_allclose(won, [0.34375, 0.25])


def test_text_ids_dates_as_text_and_categories_are_read(six_deals, at):
    text = six_deals.assign(
        deal=six_deals["deal"].map("d{}".format),
        time=six_deals["time"].dt.strftime("%d/%m/%Y"),
        stage=six_deals["stage"].astype("category"),
    )
    one = FunnelChain(STAGES, time_format="%d/%m/%Y").count(text, as_of=at(8))
    two = FunnelChain(STAGES).count(six_deals, as_of=at(8))
    assert abs(one.pooled.moves - two.pooled.moves).max() == 0


def test_days_as_whole_numbers_are_read_by_a_format_that_begins_with_the_year(six_deals, at):
    numbers = six_deals.assign(time=six_deals["time"].dt.strftime("%Y%m%d").astype(int))
    one = FunnelChain(STAGES, time_format="%Y%m%d").count(numbers, as_of=at(8))
    two = FunnelChain(STAGES).count(six_deals, as_of=at(8))
    assert abs(one.pooled.moves - two.pooled.moves).max() == 0
    with pytest.raises(DataContractError, match=r"time_format='%Y%m%d', or pandas\.to_"):
        FunnelChain(STAGES).count(numbers, as_of=at(8))


FAULTY = {
    "missing-time": [(7, "lead", None)],
    "missing-stage": [(7, None, 1)],
    "missing-deal": [(None, "lead", 1)],
    "closed-before-opened": [(7, "won", 1), (7, "lead", 2)],
    "never-opened": [(7, "lost", 1)],
    "after-outcome": [(7, "lead", 1), (7, "lost", 2), (7, "qualified", 3)],
}


def with_fault(log, at, rows):
    more = pd.DataFrame(rows, columns=["deal", "stage", "week"])
    more["time"] = [pd.NaT if pd.isna(w) else pd.Timestamp(at(w)) for w in more.pop("week")]
    return pd.concat([log, more], ignore_index=True)


@pytest.mark.parametrize("code", FAULTY)
def test_a_fault_is_named_with_its_deal_and_a_cure(six_deals, at, code):
    log = with_fault(six_deals, at, FAULTY[code])
    with pytest.raises(DataContractError, match=r"bad='drop'") as caught:
        FunnelChain(STAGES).fit(log, as_of=at(8))
    assert [p.code for p in caught.value.problems] == [code]
    assert caught.value.problems[0].count == 1


@pytest.mark.parametrize("code", FAULTY)
def test_a_faulty_deal_is_left_out_whole_and_counted(six_deals, at, code):
    log = with_fault(six_deals, at, FAULTY[code])
    funnel = FunnelChain(STAGES, age_classes=2, bad="drop").fit(log, as_of=at(8))
    book = funnel.ledger_
    assert book.adds_up
    assert book.rows_in == len(log)
    assert [(d.reason, d.rows) for d in book.dropped] == [
        (code.replace("-", "_"), len(FAULTY[code]))
    ]
    assert book.deals == 6
    assert funnel.counts_.pooled.n_moves == 23


def test_all_faults_of_a_log_are_told_together(six_deals, at):
    rows = [(10 + k, *row[1:]) for k, rows in enumerate(FAULTY.values()) for row in rows]
    with pytest.raises(DataContractError) as caught:
        FunnelChain(STAGES).fit(with_fault(six_deals, at, rows), as_of=at(8))
    assert len(caught.value.problems) == 5  # all but the missing deal, which has one here


def test_an_unknown_stage_is_named_with_the_nearest_one(six_deals, at):
    log = six_deals.replace({"stage": {"qualified": "Qualifed"}})
    with pytest.raises(DataContractError, match=r"'Qualifed'.*Did you mean 'qualified'"):
        FunnelChain(STAGES, bad="drop").fit(log, as_of=at(8))


def test_columns_that_are_not_there_numbers_for_dates_and_negative_amounts(six_deals, at):
    with pytest.raises(DataContractError, match="no column 'when'"):
        FunnelChain(STAGES, time="when").fit(six_deals)
    with pytest.raises(DataContractError, match="which is no date"):
        FunnelChain(STAGES).fit(six_deals.assign(time=range(len(six_deals))), as_of=at(8))
    with pytest.raises(DataContractError, match="negative amounts"):
        FunnelChain(STAGES).fit(six_deals.assign(amount=-1.0), as_of=at(8))
    with pytest.raises(DataContractError, match=r"not ISO 8601, e.g. 'soon' \(15 rows"):
        FunnelChain(STAGES).fit(six_deals.assign(time="soon"), as_of=at(8))
    with pytest.raises(DataContractError, match="no rows"):
        FunnelChain(STAGES).fit(six_deals.iloc[:0], as_of=at(8))
    with pytest.raises(DataContractError, match=r"no event is left by 2020.*15 rows: after the as"):
        FunnelChain(STAGES).fit(six_deals, as_of="2020-01-01")
    with pytest.raises(TypeError, match="must be a table"):
        FunnelChain(STAGES).fit([[1, "lead", 3]])


@short
def test_the_future_is_not_read(six_deals, at):
    early = FunnelChain(STAGES).fit(six_deals, as_of=at(5)).counts_
    cut = FunnelChain(STAGES).fit(six_deals[six_deals["time"] <= at(5)], as_of=at(5)).counts_
    assert abs(early.pooled.moves - cut.pooled.moves).max() == 0
    assert [(d.reason, d.rows) for d in early.ledger.dropped] == [("after_as_of", 2)]


def test_an_as_of_that_is_not_given_is_the_last_event_and_said(six_deals, at):
    with pytest.warns(AsOfWarning, match="last event"):
        funnel = FunnelChain(STAGES, age_classes=1).fit(six_deals)
    assert funnel.as_of_ == pd.Timestamp(at(7)).to_pydatetime()
    with pytest.raises(DataContractError, match="as_of=5 is no date"):
        FunnelChain(STAGES).fit(six_deals, as_of=5)


def test_a_repeated_stage_is_no_move_but_may_bring_an_amount(events_of, at):
    log = events_of({1: [("lead", 0), ("lead", 1)], 2: [("lead", 0), ("won", 2)],
                     3: [("lead", 0), ("lost", 2)]})  # fmt: skip
    log["amount"] = [10.0, 20.0, 5.0, 4.0, 1.0, np.nan]
    funnel = FunnelChain(["lead"], age_classes=2).fit(log, as_of=at(3))
    assert funnel.ledger_.repeated == 1
    deals = funnel.open_deals(log)
    assert deals[["age", "amount"]].to_numpy().tolist() == [[4, 20.0]]
    assert funnel.counts_.haircut.tolist() == [4.0, 5.0]


def test_visits_begun_before_observation_enter_at_the_age_they_had(events_of, at):
    log = events_of({1: [("lead", 0), ("won", 4)], 2: [("lead", 3), ("lost", 5)]})
    funnel = FunnelChain(["lead"], age_classes=5, observed_from=at(2))
    n = funnel.count(log, as_of=at(6)).pooled.n_out[:5]
    # deal 1 enters at ceil(2 / 1) + 1 = 3 and leaves in age 4; deal 2 is seen from age 1
    assert n.tolist() == [1, 1, 1, 1, 0]
    recent = FunnelChain(["lead"], age_classes=5, recent="4W").count(log, as_of=at(6))
    assert recent.pooled.n_out[:5].tolist() == n.tolist()


@short
def test_a_deal_open_longer_than_expire_counts_as_lost(events_of, at):
    log = events_of({1: [("lead", 0)], 2: [("lead", 0), ("won", 9)], 3: [("lead", 0), ("won", 1)],
                     4: [("lead", 6)]})  # fmt: skip
    funnel = FunnelChain(["lead"], age_classes=2, expire="4W").fit(log, as_of=at(10))
    now = pd.DataFrame({"stage": "lead", "age": [1, 4, 5]})
    proba = funnel.predict_proba(now)
    np.testing.assert_allclose(proba["won"], [0.25, 0.0, 0.0])
    np.testing.assert_allclose(proba["lost"], [0.75, 1.0, 1.0])
    assert funnel.counts_.open_now.tolist() == [0.0]  # deal 4 has finished its four weeks
    assert len(funnel.open_deals(log)) == 0
    assert funnel.open_deals(log, as_of=at(9))["deal"].tolist() == [4]


@short
def test_a_tail_where_nothing_moves_is_stalled(events_of, at):
    log = events_of({1: [("lead", 0), ("won", 1)], 2: [("lead", 0), ("lost", 2)], 3: [("lead", 0)],
                     4: [("lead", 0)]})  # fmt: skip
    funnel = FunnelChain(["lead"], age_classes=3).fit(log, as_of=at(9))
    proba = funnel.predict_proba(pd.DataFrame({"stage": ["lead"] * 2, "age": [1, 7]}))
    np.testing.assert_allclose(proba.iloc[0], [0.25, 0.25, 0.5, 0.0])
    np.testing.assert_allclose(proba.iloc[1], [0.0, 0.0, 1.0, 0.0])


def test_without_a_loss_only_a_horizon_is_answered(events_of, at):
    log = events_of({1: [("lead", 0), ("won", 3)], 2: [("lead", 0)]})
    funnel = FunnelChain(["lead"], age_classes=1).fit(log, as_of=at(4))
    deals = funnel.open_deals(log)
    assert funnel.predict_proba(deals, horizon="1W")["won"][0] == pytest.approx(1 / 7)
    assert funnel.stage_table(horizon="2W")["won_from_here"][0] == pytest.approx(1 - (6 / 7) ** 2)
    for ask in (funnel.stage_table, funnel.bottleneck_table, funnel.velocity_table,
                lambda: funnel.predict_proba(deals)):  # fmt: skip
        with pytest.raises(NotSupportedError, match="no deal was ever seen lost"):
            ask()
    expiring = FunnelChain(["lead"], age_classes=1, expire="8W").fit(log, as_of=at(4))
    assert 0.0 < expiring.predict_proba(deals)["won"][0] < 1.0


def test_what_makes_an_estimate_doubtful_is_warned_of(events_of, at):
    fast = events_of({k: [("lead", 0), ("won" if k % 2 else "lost", 0.5)] for k in range(4)})
    with pytest.warns(DataWarning, match="4 of 4 moves fall in the first period"):
        FunnelChain(["lead"]).fit(fast, as_of=at(4))
    no_win = events_of({1: [("lead", 0), ("lost", 3)]})
    with pytest.warns(SmallSampleWarning, match="no deal was seen won"):
        FunnelChain(["lead"]).fit(no_win, as_of=at(4))
    log = events_of({1: [("lead", 0), ("lost", 3)], 2: [("lead", 0), ("won", 2)]})
    with pytest.warns(SmallSampleWarning, match="in stage offer"):
        FunnelChain(["lead", "offer"]).fit(log, as_of=at(4))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"stages": "salesforce"}, "no preset; known are buygrid"),
        ({"stages": ["lead", "won"]}, "must be names that differ"),
        ({"stages": []}, "at least one stage"),
        ({"stages": ["stalled"]}, "none may be 'stalled'"),
        ({"age_classes": 0}, "whole number from 1 on"),
        ({"expire": "0D"}, "a period or longer"),
        ({"bad": "ignore"}, "'error' or 'drop'"),
        ({"timing": "middle"}, "'start' or 'end'"),
        ({"observed_from": "2030-01-01"}, "not before as_of"),
        ({"annual_discount_rate": -2}, "above -1"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(six_deals, at, how, message):
    with pytest.raises(ValueError, match=message):
        FunnelChain(**{"stages": STAGES, **how}).fit(six_deals, as_of=at(8))


@pytest.mark.parametrize("name", ["period", "recent", "expire"])
def test_a_bare_number_is_no_span(six_deals, at, name):
    with pytest.raises(TimeUnitError):
        FunnelChain(STAGES, **{name: 4}).fit(six_deals, as_of=at(8))


def test_open_deals_that_cannot_be_are_refused(six_deals, at):
    funnel = FunnelChain(STAGES, age_classes=2).fit(six_deals, as_of=at(8))
    with pytest.raises(DataContractError, match=r"'Lead'.*Did you mean 'lead'"):
        funnel.predict_proba(pd.DataFrame({"stage": ["Lead"], "age": [1]}), horizon="1W")
    with pytest.raises(DataContractError, match="whole number from 1 on"):
        funnel.predict_proba(pd.DataFrame({"stage": ["lead"], "age": [0]}), horizon="1W")
    with pytest.raises(DataContractError, match="no column 'age'"):
        funnel.predict(pd.DataFrame({"stage": ["lead"]}))
    with pytest.raises(DataContractError, match="no amount"):
        funnel.predict(pd.DataFrame({"stage": ["lead"], "age": [1]}))
    with pytest.raises(TypeError, match="open_deals"):
        funnel.predict([["lead", 1]])


def test_counts_of_different_funnels_do_not_add_up(six_deals, at):
    one = FunnelChain(STAGES, age_classes=2).count(six_deals, as_of=at(8))
    two = FunnelChain(STAGES, age_classes=3).count(six_deals, as_of=at(8))
    with pytest.raises(ValueError, match="do not add up"):
        one + two
    with pytest.raises(ValueError, match="other stages"):
        FunnelChain(STAGES, age_classes=3).fit_counts(one)


@pytest.fixture
def crm():
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "first": ["2024-01-01", "2024-01-01", "2024-01-05", None],
            "offer": ["2024-01-09", None, None, None],
            "closed": ["2024-02-01", "2024-01-20", None, None],
            "status": ["Won", "Lost", "Engaging", "Prospecting"],
            "price": [10.0, 20.0, 30.0, 40.0],
            "paid": [8.0, 0.0, np.nan, np.nan],
            "rep": ["a", "b", "a", "b"],
        }
    )


HOW = {"deal": "id", "close": "closed", "outcome": "status", "won": "Won", "lost": "Lost"}


def test_one_row_a_deal_becomes_events(crm):
    log = from_deals(crm, start={"lead": "first", "offer": "offer"}, amount="price",
                     close_amount="paid", **HOW)  # fmt: skip
    assert log["stage"].tolist() == ["lead", "offer", "won", "lead", "lost", "lead", "lead"]
    assert log["amount"].tolist() == [10, 10, 8, 20, 0, 30, 40]
    assert log["rep"].tolist() == ["a", "a", "a", "b", "b", "a", "b"]
    with pytest.raises(DataContractError, match=r"missing-time.*1 row, first: 4"):
        FunnelChain(["lead", "offer"]).fit(log, as_of="2024-03-01")
    funnel = FunnelChain(["lead", "offer"], bad="drop").fit(log, as_of="2024-03-01")
    assert funnel.ledger_.deals == 3
    assert funnel.counts_.haircut.tolist() == [8.0, 10.0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"closed": [None, "2024-01-20", None, None]}, "unclear-outcome"),
        ({"closed": ["2024-02-01", "2024-01-20", "2024-02-02", None]}, "unclear-outcome"),
        ({"offer": ["2023-12-09", None, None, None]}, "out-of-order"),
    ],
)
def test_deals_whose_dates_contradict_each_other_are_named_or_left_out(crm, change, code):
    crm = crm.assign(**change)
    start = {"lead": "first", "offer": "offer"}
    with pytest.raises(DataContractError) as caught:
        from_deals(crm, start=start, **HOW)
    assert [p.code for p in caught.value.problems] == [code]
    with pytest.warns(DataWarning, match="left out: 1"):
        log = from_deals(crm, start=start, bad="drop", **HOW)
    book = FunnelChain(["lead", "offer"], bad="drop").count(log, as_of="2024-03-01").ledger
    assert code.replace("-", "_") in [d.reason for d in book.dropped]
    assert book.adds_up


def test_a_table_of_deals_without_the_columns_is_refused(crm):
    with pytest.raises(DataContractError, match="no column 'begun'"):
        from_deals(crm, start="begun", **HOW)


@pytest.mark.parametrize("as_of", ["2024", "now", "03/07/2024", "2024-06", 5, 5.0, True, None])
def test_a_moment_is_read_by_the_rule_of_every_other_date(as_of):
    from custvalue.funnel._events import moment

    with pytest.raises(DataContractError, match=r"as_of=.* is no date"):
        moment(as_of, "as_of")
    day = np.datetime64("2024-06-01", "us").astype(np.int64)
    assert moment("2024-06-01", "as_of") == moment(pd.Timestamp("2024-06-01"), "as_of") == day
