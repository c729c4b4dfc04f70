"""Stages at several dates: migration by hand, money that adds up, stages that don't flicker."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, ProblemShareWarning
from custvalue.lifecycle import LifecycleClassifier
from custvalue.lifecycle._lifecycle_history import StageHistory

DATES = ["2024-03-31", "2024-06-30", "2024-09-30"]


def log() -> pd.DataFrame:
    """Five customers whose stages are easily told by hand.

    ann  three orders over 80 days by March, then none: established, problem, problem
    ben  one order in March, two more by September: new, new, established
    cai  first order in May: -, new, new
    dan  one order, ever: new, new, new
    eve  first order in August: -, -, new
    """
    rows = [
        ("ann", "2024-01-01", 10), ("ann", "2024-02-01", 10), ("ann", "2024-03-21", 10),
        ("ben", "2024-03-01", 20), ("ben", "2024-07-01", 30), ("ben", "2024-09-01", 40),
        ("cai", "2024-05-01", 5), ("dan", "2024-03-01", 7), ("eve", "2024-08-01", 9),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["who", "when", "paid"])
    return frame.assign(when=pd.to_datetime(frame["when"]), paid=frame["paid"].astype(float))


def summaries(frame: pd.DataFrame, dates=DATES) -> list:
    return [
        cv.summarize(frame, customer="who", time="when", amount="paid", as_of=date)
        for date in dates
    ]


@pytest.fixture(scope="module")
def history() -> StageHistory:
    tables = summaries(log())
    return LifecycleClassifier().fit(tables[-1]).history(tables)


def as_dict(history: StageHistory) -> dict[str, list]:
    return {
        who: [None if code < 0 else history.stages[code] for code in row]
        for who, row in zip(history.customers, history.codes, strict=True)
    }


def test_stages_at_every_date_agree_with_those_told_by_hand(history):
    assert as_dict(history) == {
        "ann": ["established", "problem", "problem"],
        "ben": ["new", "new", "established"],
        "cai": [None, "new", "new"],
        "dan": ["new", "new", "new"],
        "eve": [None, None, "new"],
    }


def test_migration_agrees_with_counting_by_hand(history):
    table = history.migration(0, 2).set_index("from")
    assert table.loc["new", ["new", "established"]].tolist() == [1, 1]
    assert table.loc["established", "problem"] == 1
    assert table.loc["first seen", "new"] == 2
    assert table.to_numpy().sum() == 5
    share = history.migration(0, 2, show="share").set_index("from")
    assert share.loc["new", ["new", "established"]].tolist() == [0.5, 0.5]


def test_money_of_migration_agrees_with_adding_by_hand(history):
    table = history.migration(0, 2, show="money").set_index("from")
    assert table.loc["new", ["new", "established"]].tolist() == [0.0, 70.0]
    assert table.loc["established", "problem"] == 0.0
    assert table.loc["first seen", "new"] == 14.0


def test_money_of_migration_adds_up_to_the_logs(history):
    frame = log()
    for start, end in [(0, 1), (1, 2), (0, 2), (None, 0), (None, 2)]:
        after = pd.Timestamp.min if start is None else pd.Timestamp(DATES[start])
        between = (frame["when"] > after) & (frame["when"] <= pd.Timestamp(DATES[end]))
        money = history.migration_matrix(start, end, money=True).sum()
        assert money == pytest.approx(frame.loc[between, "paid"].sum())


def test_the_long_table_says_since_when(history):
    table = history.table()
    assert len(table) == 12
    ann = table[table["who"] == "ann"]
    since = ann["stage_since"].dt.strftime("%Y-%m-%d").tolist()
    assert since == ["2024-03-31", "2024-06-30", "2024-06-30"]
    assert ann["total_value"].tolist() == [30.0, 30.0, 30.0]


def test_sizes_count_the_customers_known_at_each_date(history):
    sizes = history.sizes().drop(columns="date")
    assert sizes.sum(axis=1).tolist() == [3, 4, 5]
    assert "5 customers, 3 dates from 2024-03-31 to 2024-09-30" in repr(history)


def test_summaries_may_come_in_any_order(history):
    tables = summaries(log())
    model = LifecycleClassifier().fit(tables[-1])
    assert as_dict(model.history(tables[::-1])) == as_dict(history)


def test_a_least_stay_keeps_stages_from_flickering():
    back = log()[:1].assign(when=pd.Timestamp("2024-07-05"))  # ann orders again after the silence
    dates = ["2024-03-31", "2024-06-30", "2024-07-10", "2024-08-10"]
    tables = summaries(pd.concat([log(), back]), dates)
    free = LifecycleClassifier().fit(tables[-1])
    held = LifecycleClassifier(min_stay="1M").fit(tables[-1])
    at_once = ["established", "problem", "established", "established"]
    a_month_later = ["established", "problem", "problem", "established"]
    assert as_dict(free.history(tables))["ann"] == at_once
    assert as_dict(held.history(tables))["ann"] == a_month_later


def test_a_crm_record_moves_a_customer_at_once_whatever_the_least_stay():
    tables = summaries(log(), ["2024-03-31", "2024-04-05"])
    ended = [table.assign(terminated=i == 1) for i, table in enumerate(tables)]
    for table, like in zip(ended, tables, strict=True):
        table.attrs = like.attrs
    model = LifecycleClassifier(min_stay="1Y").fit(ended[0])
    assert as_dict(model.history(ended))["dan"] == ["new", "exited"]


def test_views_and_languages_hold_for_the_history():
    tables = summaries(log())
    model = LifecycleClassifier().fit(tables[-1])
    four = model.history(tables, view="four")
    assert as_dict(four)["ann"] == ["mature", "declining", "declining"]
    said = ["潜在客户", "新客户", "成熟客户", "衰退客户"]
    assert list(four.migration(language="zh").columns) == ["原阶段", *said]
    table = four.table(language="zh")
    assert list(table.columns) == ["who", "日期", "阶段", "阶段起始日", "累计金额"]
    assert set(table["阶段"]) <= set(said)
    assert four.migration(None, language="zh")["原阶段"].tolist() == ["首次出现"]
    assert list(four.sizes(language="zh").columns) == ["日期", *said]


def test_learned_stages_have_a_history_too():
    tables = summaries(log())
    y = np.where(tables[-1]["n_orders"] > 1, "repeat", "once")
    history = LifecycleClassifier().fit(tables[-1], y).history(tables)
    assert as_dict(history)["ben"] == ["once", "once", "repeat"]


def test_tables_come_in_the_kind_of_the_summaries(history):
    tables = summaries(pl.from_pandas(log()))
    other = LifecycleClassifier().fit(tables[-1]).history(tables)
    assert as_dict(other) == as_dict(history)
    for table in (other.migration(), other.table(), other.sizes()):
        assert isinstance(table, pl.DataFrame)


def test_a_customer_whose_orders_were_all_taken_back_is_potential_again():
    tables = summaries(log())
    last = tables[-1][tables[-1]["who"] != "dan"]
    history = LifecycleClassifier().fit(last).history([*tables[:2], last])
    assert as_dict(history)["dan"] == ["new", "new", "potential"]
    learned = LifecycleClassifier().fit(tables[0], tables[0]["n_orders"] > 1)
    with pytest.raises(DataContractError, match=r"customers-vanish: .* 2024-09-30 \(1 row"):
        learned.history([*tables[:2], last])


def test_what_cannot_be_a_history_is_refused(history):
    tables = summaries(log())
    model = LifecycleClassifier().fit(tables[0])
    with pytest.raises(DataContractError, match="customer-twice"):
        model.history([pd.concat([tables[0], tables[0]])], dates=["2024-03-31"], customer="who")
    with pytest.raises(ValueError, match="at least one summary"):
        model.history([])
    with pytest.raises(ValueError, match="different dates"):
        model.history([tables[0], tables[0]])
    with pytest.raises(ValueError, match="2 dates for 3 summaries"):
        model.history(tables, dates=DATES[:2])
    bare = LifecycleClassifier(unit="D").fit(tables[0])
    with pytest.raises(ValueError, match="pass customer="):
        bare.history([pl.from_pandas(tables[0])])
    with pytest.raises(ValueError, match="start=2 is not before end=1"):
        history.migration(2, 1)
    with pytest.raises(ValueError, match="show='people'"):
        history.migration(show="people")
    moneyless = [t.drop(columns="total_value") for t in tables]
    with pytest.raises(ValueError, match="knows no money"):
        LifecycleClassifier().fit(moneyless[0]).history(moneyless).migration(show="money")


def test_amounts_of_a_million_millions_lose_no_unit():
    rng = np.random.default_rng(2)
    who = rng.integers(0, 150, 800)
    days = who + rng.integers(0, 120, 800)  # customers come evenly
    paid = 10**12 + rng.integers(0, 10**11, 800)  # whole numbers, all sums of which are below 2^53
    whole = pd.DataFrame({"who": who, "paid": paid})
    whole["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(days, "D")
    tables = summaries(whole)
    model = LifecycleClassifier().fit(tables[-1])
    history = model.history(tables)

    def paid_by(date):
        seen = whole[whole["when"] <= date]
        return seen.groupby("who")["paid"].sum().reindex(history.customers, fill_value=0)

    by = [paid_by(date) for date in DATES]
    assert history.money().tolist() == (by[2] - by[0]).tolist()
    assert history.money(None, 1).tolist() == by[1].tolist()
    moved = history.migration_matrix(start=1, end=2, money=True)
    assert moved.sum() == (by[2] - by[1]).sum()
    for code in np.unique(history.codes[:, 2]):
        mine = history.codes[:, 2] == code
        assert moved[:, code].sum() == (by[2] - by[1])[mine].sum()
    table = history.table()
    last = table[table["date"] == pd.Timestamp(DATES[2])]
    assert last["total_value"].tolist() == by[2].tolist()
    with pytest.warns(ProblemShareWarning):
        health = model.health(tables[-1]).set_index("stage")
    stage = pd.Series(model.predict(tables[-1]), index=tables[-1]["who"])
    wanted = paid_by(DATES[2]).groupby(stage).sum()
    assert health.loc[wanted.index, "total_value"].tolist() == wanted.tolist()
