"""One customer's story: parts add up, moves add up, and whatever the model, one mechanism."""

from __future__ import annotations

import dataclasses
import pickle
from functools import lru_cache
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._peers import PARTS, PeerRows, Peers
from custvalue._words import EXPLAIN
from custvalue.datasets import make_shop
from custvalue.evaluation import StackedValue, explain_customer
from custvalue.exceptions import DataContractError
from custvalue.plotting import ContributionDisplay
from custvalue.purchase import MBGNBD
from custvalue.value import CustomerValue, LearnedValue, RateForward

FROM = [f"from_{name}" for name in PARTS]


@lru_cache
def shop():
    rows = make_shop(n_customers=250, random_state=3).log
    return cv.TransactionLog(
        rows, customer="customer_id", time="date", amount="amount", as_of="2023-12-31"
    )


@lru_cache
def fitted(kind):
    log, parts = shop(), {"law": CustomerValue(purchases=MBGNBD()), "rate": RateForward()}
    return {
        "law": lambda: CustomerValue(purchases=MBGNBD(), horizon="26W").fit(log.summary("W")),
        "chain": lambda: cv.MarkovCLVEstimator(horizon="26W").fit(log.panel("4W")),
        "rate": lambda: RateForward(horizon="26W").fit(log.summary()),
        "learner": lambda: LearnedValue(horizon="26W").fit(log),
        "stack": lambda: StackedValue(parts, horizon="26W").fit(log),
        "best": lambda: cv.BestValue(parts, horizon="26W", progress=False).fit(log),
    }[kind]()


def ids(what):
    table = shop().summary()
    once = table["n_orders"] == 1
    return int(table.loc[once if what == "once" else ~once, "customer_id"].iloc[3])


@pytest.mark.parametrize("kind", ["law", "chain", "rate", "learner", "stack", "best"])
@pytest.mark.parametrize("since", [None, "2023-06-30"])
def test_parts_add_up_to_the_value_less_the_mean_of_all(kind, since):
    model, log = fitted(kind), shop()
    for customer in (ids("once"), ids("often")):
        story = explain_customer(model, log, customer, since=since)
        assert abs(story.mean + sum(story.parts) - story.value) < 1e-9
        if since is None:
            assert story.moves == ()
        else:
            change = story.value - story.then.value
            assert abs(sum(move for _, move in story.moves) - change) < 1e-9
            table = story.table()
            assert table["change"].iloc[:-1].sum() == pytest.approx(change, abs=1e-9)
            assert table["then"].iloc[:-1].sum() == pytest.approx(story.then.value, abs=1e-9)


def test_the_value_chance_and_range_are_what_the_model_says():
    log, model, who = shop(), fitted("best"), ids("often")
    at = int(np.flatnonzero(log.customers() == who)[0])
    story = explain_customer(model, log, who, since="2023-06-30")
    value = model.predict(log)
    assert story.value == value[at]
    assert story.mean == pytest.approx(value.mean())
    assert story.chance == model.predict_chance(log)[at]
    low, high = model.predict_interval(log, level=0.8)[at]
    assert (story.low, story.high) == (low, high)
    past = log.until("2023-06-30")
    before = int(np.flatnonzero(past.customers() == who)[0])
    assert story.then.value == pytest.approx(model.predict(past)[before])


def test_what_is_known_is_plain_pandas():
    log, who = shop(), ids("often")
    rows = log.frame[log.frame["customer_id"] == who]
    days = rows.groupby("date")["amount"].sum()
    story = explain_customer(fitted("law"), log, who, since="2023-06-30")
    assert story.n_orders == len(days)
    assert story.total == pytest.approx(days.sum())
    assert story.spend == pytest.approx(days.mean())
    assert story.silence == (pd.Timestamp("2023-12-31") - days.index.max()).days
    assert story.then.n_orders == (days.index <= "2023-06-30").sum()


@pytest.mark.parametrize("kind", ["law", "chain", "best"])
def test_explain_has_the_same_parts_for_all_rows(kind):
    model, log = fitted(kind), shop()
    if kind == "best":
        table = model.explain(log)
    elif kind == "law":
        table = model.explain(log.summary("W"))
    else:
        table = model.explain(log.panel("4W").groupby("customer_id").tail(1))
    gap = table["value"] - table["mean_of_all"] - table[FROM].sum(axis=1)
    assert np.abs(gap).max() < 1e-9
    assert table["mean_of_all"].iloc[0] == pytest.approx(table["value"].mean())
    if kind != "chain":  # whose panel counts in periods begun
        story = explain_customer(model, log, ids("often"))
        row = table[table["customer_id"] == ids("often")].iloc[0]
        assert row[FROM].to_numpy(dtype=float) == pytest.approx(story.parts, abs=1e-9)


def test_a_table_without_histories_has_no_such_parts():
    from custvalue._peers import part_columns

    assert part_columns(np.ones((3, 2)), np.ones(3)) == {}
    assert part_columns(pd.DataFrame({"spend": [1.0]}), np.ones(1)) == {}


def test_parts_are_the_mean_over_all_orders_of_getting_to_know():
    """By hand: means of customers alike, each drawn to what less knowledge says by five."""
    n = 60
    rng = np.random.default_rng(1)
    known = PeerRows(
        rng.integers(1, 4, n).astype(float), rng.integers(1, 400, n).astype(float),
        rng.integers(0, 200, n).astype(float), rng.integers(1, 6, n).astype(float) * 10,
    )  # fmt: skip
    value = rng.gamma(2.0, 50.0, n)
    peers = Peers.learned(known, value)
    # one group is all of one order count, silence or spend
    groups = [
        known.orders,
        np.searchsorted([0.5, 1.0, 1.5, 2.5, 4.0, 8.0], peers.ratio(known), side="right"),
        np.searchsorted(peers.spend_cuts, known.spend, side="right"),
    ]

    def worth(who, have):
        if not have:
            return value.mean()
        same = np.all([groups[j] == groups[j][who] for j in have], axis=0)
        prior = sum(
            (-1.0) ** (len(have) - len(part) - 1) * worth(who, part)
            for part in parts_of(have)
            if len(part) < len(have)
        )
        return (value[same].sum() + 5.0 * max(prior, 0.0)) / (same.sum() + 5.0)

    def parts_of(have):
        return [tuple(j for i, j in enumerate(have) if k >> i & 1) for k in range(2 ** len(have))]

    for who in (0, 7):
        share = np.zeros(3)
        for order in permutations(range(3)):
            for i, j in enumerate(order):
                before = tuple(sorted(order[:i]))
                share[j] += worth(who, tuple(sorted((*before, j)))) - worth(who, before)
        assert peers.parts(known, value)[who, :3] == pytest.approx(share / 6.0)


def test_a_longer_silence_takes_value_away_where_values_fall_with_it():
    n = 400
    silence = np.tile([10.0, 400.0], n // 2)
    known = PeerRows(np.full(n, 4.0), silence, np.full(n, 90.0), np.full(n, 20.0))
    value = np.where(silence > 100, 1.0, 9.0)
    parts = Peers.learned(known, value).parts(known, value)
    assert parts[0, 1] == pytest.approx(4.0, rel=0.05)
    assert parts[1, 1] == pytest.approx(-4.0, rel=0.05)
    assert np.abs(parts[:, [0, 2]]).max() < 0.2


def test_a_customer_who_was_none_yet_has_all_of_the_value_since():
    table = shop().summary()
    late = table.loc[table["first_order"] > "2023-08-01", "customer_id"].iloc[0]
    for since in ("2023-07-31", "1999-01-01"):
        story = explain_customer(fitted("best"), shop(), late, since=since)
        assert (story.then.value, story.then.parts) == (0.0, ())
        assert sum(move for _, move in story.moves) == pytest.approx(story.value, abs=1e-9)
        assert "no order yet" in story.text()


@pytest.mark.parametrize("since", ["2023-12-31", "2030-01-01"])
def test_a_date_that_is_not_before_the_end_is_refused(since):
    with pytest.raises(DataContractError, match="not before the log's end"):
        explain_customer(fitted("law"), shop(), ids("once"), since=since)


def named():
    rows = make_shop(n_customers=60, random_state=3).log
    rows["customer_id"] = "Cust-" + rows["customer_id"].astype(str).str.zfill(4)
    log = cv.TransactionLog(
        rows, customer="customer_id", time="date", amount="amount", as_of="2023-12-31"
    )
    return RateForward(horizon="26W").fit(log.summary()), log


@pytest.mark.parametrize(
    "asked", ["cust-0007", "Cust-0007 ", "Cust0007", "Cust-00007", "Cust_0007"]
)
def test_an_unknown_id_is_refused_with_the_nearest_spelling(asked):
    model, log = named()
    with pytest.raises(DataContractError, match="Did you mean 'Cust-0007'") as told:
        explain_customer(model, log, asked)
    assert told.value.problems[0].code == "unknown-customer"


@pytest.mark.parametrize("asked", [None, "", float("nan"), [1, 2], 10**9])
def test_what_is_no_id_is_refused(asked):
    with pytest.raises(DataContractError, match="no customer"):
        explain_customer(fitted("law"), shop(), asked)


def test_an_id_may_be_written_as_text():
    who = ids("often")
    model, log = fitted("law"), shop()
    assert explain_customer(model, log, str(who)) == explain_customer(model, log, who)


def test_what_is_no_log_or_model_is_refused():
    with pytest.raises(DataContractError, match="log"):
        explain_customer(fitted("law"), shop().summary(), 1)
    with pytest.raises(TypeError, match="value model"):
        explain_customer(MBGNBD(), shop(), 1)


def test_a_model_that_states_no_chance_leaves_it_out():
    story = explain_customer(fitted("rate"), shop(), ids("often"))
    assert story.chance is None
    assert "chance" not in story.text()


def test_a_shop_of_one_customer_has_a_story():
    rows = pd.DataFrame({"who": [1, 1], "when": ["2024-01-01", "2024-03-01"], "paid": [5.0, 7.0]})
    log = cv.TransactionLog(rows, customer="who", time="when", amount="paid", as_of="2024-04-01")
    model = RateForward(horizon="12W").fit(log.summary())
    story = explain_customer(model, log, 1)
    assert story.mean == story.value
    assert abs(sum(story.parts)) < 1e-9


def test_the_story_is_told_in_both_languages_and_every_sentence_has_chinese():
    story = explain_customer(fitted("best"), shop(), ids("often"), since="2023-06-30")
    english, chinese = story.text(), story.text("zh")
    assert f"{story.value:,.2f}" in english
    assert f"{story.value:,.2f}" in chinese
    assert "订单数" in chinese
    assert not set("abcdefghijklmnopqrstuvwxyz") & set(chinese.replace("W", ""))
    assert list(story.table("zh").columns) == ["组成", "所知情况", "贡献", "当时", "变化"]
    for orders, silence in ((1, 5), (1, 900), (5, 5), (5, 200), (5, 900)):
        other = dataclasses.replace(story, n_orders=orders, silence=silence, usual_gap=100.0)
        assert EXPLAIN(other.advice, "zh") != other.advice


def test_the_story_is_a_value_and_has_a_picture():
    story = explain_customer(fitted("law"), shop(), ids("often"), since="2023-06-30")
    assert pickle.loads(pickle.dumps(story)) == story
    assert "<table>" in story._repr_html_()
    shown = ContributionDisplay.from_story(story, language="en")
    assert shown.start + shown.table["contribution"].sum() == pytest.approx(story.value)
    moved = ContributionDisplay.from_story(story, of="change")
    assert moved.start == story.then.value
    assert moved.start + moved.table["contribution"].sum() == pytest.approx(story.value)
    with pytest.raises(ValueError, match="of="):
        ContributionDisplay.from_story(story, of="chance")


def test_every_sentence_has_the_same_places_in_chinese():
    import string

    for english, chinese in EXPLAIN.zh.items():
        holes = [
            sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for text in (english, chinese)
        ]
        assert holes[0] == holes[1], english


@pytest.mark.parametrize("way", [{"cost": "cost"}, {"profit": "gain"}])
def test_a_story_of_profit_says_whose_margin_is_unlike_that_of_all(way):
    rows = make_shop(n_customers=120, random_state=4).log
    kept = np.where(rows["customer_id"] % 2 == 0, 0.5, 0.1)
    rows = rows.assign(cost=(1.0 - kept) * rows["amount"], gain=kept * rows["amount"])
    log = cv.TransactionLog(
        rows, customer="customer_id", time="date", amount="amount", as_of="2023-12-31", **way
    )
    model = CustomerValue(purchases=MBGNBD(), horizon="26W").fit(log.summary("W"))
    story = explain_customer(model, log, 4)
    assert story.margin == pytest.approx(0.5)
    of_all = (kept * rows["amount"]).sum() / rows["amount"].sum()
    assert story.margin_of_all == pytest.approx(of_all)
    assert f"margin so far 50%, of all {of_all:.0%}" in story.text()
    assert f"至今利润率 50%，全体为 {of_all:.0%}" in story.text("zh")
    assert story.to_dict()["margin"] == story.margin


def test_a_story_of_spend_knows_no_margin():
    story = explain_customer(fitted("law"), shop(), shop().customers()[0])
    assert story.margin is None
    assert "margin so far" not in story.text()
