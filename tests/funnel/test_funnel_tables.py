"""Tables, forecasts and backtests of a funnel, against sums by hand and simulation."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from custvalue._words import FUNNEL
from custvalue.exceptions import DataContractError
from custvalue.funnel import (
    PRESETS,
    FunnelChain,
    backtest_funnel,
    control_table,
    deal_frame,
    from_deals,
    overdue_table,
    win_drivers,
)
from custvalue.funnel._drivers import lmg_shares

STAGES = ["lead", "qualified", "proposal"]
DAY0 = np.datetime64("2023-01-02")


def steady(n=4000, seed=1, days=1400):
    """Deals that come evenly; each week .2 on, .1 lost in both stages (geometric)."""
    rng = np.random.default_rng(seed)
    rows = []
    for deal, start in enumerate(np.sort(rng.integers(0, days, n))):
        day = int(start)
        for stage in ("lead", "offer"):
            rows.append((deal, stage, day))
            day += 7 * int(rng.geometric(0.3)) - int(rng.integers(0, 7))
            if rng.random() < 1 / 3:
                rows.append((deal, "lost", day))
                break
        else:
            rows.append((deal, "won", day))
    log = pd.DataFrame(rows, columns=["deal", "stage", "day"])
    log["amount"] = 100.0 + 10.0 * (log["deal"] % 5)
    log["rep"] = np.where(log["deal"] % 2, "ann", "bob")
    log["time"] = DAY0 + log.pop("day").to_numpy()
    return log


AS_OF = DAY0 + 1300
HOW = {"age_classes": 2, "annual_discount_rate": 0.0}


@pytest.fixture(scope="module")
def log():
    return steady()


@pytest.fixture(scope="module")
def funnel(log):
    return FunnelChain(["lead", "offer"], observed_from=DAY0 + 200, **HOW).fit(log, as_of=AS_OF)


@pytest.fixture(scope="module")
def deals(funnel, log):
    return funnel.open_deals(log)


def test_the_stage_table_counts_what_the_log_has(six_deals, at):
    table = FunnelChain(STAGES, age_classes=2).fit(six_deals, as_of=at(8)).stage_table()
    assert table["entered"].tolist() == [6, 3, 2]
    assert table["open_now"].tolist() == [1, 1, 0]
    np.testing.assert_allclose(table["won_from_here"], [0.5, 0.5, 1.0])
    np.testing.assert_allclose(table["days_left"], [35, 28, 14])
    # all begin as leads; 5/9 go to qualified and half of these on, 2/9 straight to proposal
    np.testing.assert_allclose(table["reach"], [1.0, 7 / 9, 1 / 2])
    np.testing.assert_allclose(table["conversion"], [7 / 9, 1 / 2, 1.0])
    # lead: in week 1 a third leave, then half of the rest each week
    assert table["mean_days"][0] == pytest.approx(7 * (1 + 2 / 3 * 2))
    assert table["median_days"][0] == 14.0


def test_the_parts_of_a_pipeline_add_up_to_the_whole(funnel, deals):
    table = funnel.pipeline_table(deals, by="rep", horizon="26W")
    assert table["rep"].tolist() == ["ann", "bob", "all"]
    for name in ("deals", "face", "expected_wins", "expected_money"):
        assert table[name][:2].sum() == pytest.approx(table[name][2])
    assert np.hypot(*table["sd_outcome"][:2]) == pytest.approx(table["sd_outcome"][2])
    money = funnel.predict(deals, horizon="26W")
    assert table["expected_money"][2] == pytest.approx(money.sum())


def test_simulated_pipelines_spread_as_the_table_says(funnel, deals):
    table = funnel.pipeline_table(deals, horizon="8W").iloc[-1]
    law, rng = funnel.law_, np.random.default_rng(0)
    start = law.state(
        np.array([["lead", "offer"].index(s) for s in deals["stage"]]), deals["age"].to_numpy()
    )
    path = law.chain.simulate(np.tile(start, 400), 8, random_state=rng)
    won = (path[:, -1] == law.n_inner).reshape(400, -1)
    money = won @ deals["amount"].to_numpy()
    assert money.mean() == pytest.approx(table["expected_money"], abs=4 * money.std() / 20)
    assert money.std() == pytest.approx(table["sd_outcome"], rel=0.15)


def test_a_bigger_sample_knows_its_chain_better(log):
    def spread(events):
        funnel = FunnelChain(["lead", "offer"], **HOW).fit(events, as_of=AS_OF)
        draws = funnel.bootstrap(events, n_draws=40, random_state=0)
        made = funnel.pipeline_table(
            pd.DataFrame({"stage": ["lead"], "age": [1], "amount": [100.0]}), draws=draws
        )
        return float(made["sd_parameter"][0])

    few = spread(log[log["deal"] % 16 == 0])
    assert 2.0 < few / spread(log) < 8.0  # a sixteenth of the deals: four times the error


def test_resampled_deals_give_the_error_that_theory_gives(log):
    # one stage, one class: p = wins / (wins + losses) is a plain proportion
    single = pd.concat([log.groupby("deal").first(), log.groupby("deal").last()]).reset_index()
    single["stage"] = single["stage"].replace("offer", "lead")
    funnel = FunnelChain(["lead"], age_classes=1).fit(single, as_of=DAY0 + 3000)
    draws = funnel.bootstrap(single, n_draws=200, random_state=0)
    p = draws.pooled(lambda law: law.ends.chance[0, 0])
    won = (single["stage"] == "won").sum() / single["deal"].nunique()
    assert p.std() == pytest.approx(np.sqrt(won * (1 - won) / single["deal"].nunique()), rel=0.2)


def test_a_forecast_adds_up_to_the_pipeline_and_knows_steady_state(funnel, deals):
    table = funnel.forecast(deals, arrivals=0, horizon="26W")
    whole = funnel.pipeline_table(deals, horizon="26W").iloc[-1]
    assert table["money"].sum() == pytest.approx(whole["expected_money"])
    assert (table["wins_new"] == 0).all()
    # arrivals as they were: the wins of a later period are those of any other
    going_on = funnel.forecast(deals, horizon="52W")
    per_week = funnel.velocity_table().set_index("quantity")["value"]["wins by the chain"]
    assert going_on["wins"].iloc[-1] == pytest.approx(per_week, rel=0.02)
    assert going_on["wins"].iloc[:8].mean() == pytest.approx(per_week, rel=0.15)


def test_little_s_law_holds_in_a_steady_state(funnel):
    value = funnel.velocity_table().set_index("quantity")["value"]
    assert value["open now / Little's law"] == pytest.approx(1.0, abs=0.25)
    assert value["wins by the chain"] == pytest.approx(value["wins seen"], rel=0.05)
    assert value["win rate"] == pytest.approx(4 / 9, abs=0.03)


def test_the_bottleneck_is_where_a_point_gained_wins_most(funnel):
    table = funnel.bottleneck_table()
    assert table["lost_here"].sum() == pytest.approx(1 - funnel.stage_table()["won_from_here"][0])
    # move one point a week from lost to won in the last stage, and count the wins gained
    from custvalue.funnel._law import FunnelLaw, pooled_hazards

    h = pooled_hazards(funnel.counts_.pooled, funnel.counts_.shape)
    h[1, :, 2] += 1e-6
    h[1, :, 3] -= 1e-6
    better = FunnelLaw.of(h, funnel.counts_.shape)
    start = better.entry(np.array([1.0, 0.0]))
    gained = (start @ better.ends.chance[:, 0] - start @ funnel.law_.ends.chance[:, 0]) / 1e-6
    assert table["gain"][1] == pytest.approx(gained, rel=1e-4)
    assert table["bottleneck"].sum() == 1


def test_overdue_deals_sit_longer_than_eighty_percent_of_the_winners(funnel, deals):
    table = overdue_table(funnel, deals)
    limit = funnel.law_.time_in_stage(0, 0.8, winners=True)[1]
    # geometric stays of rate .3: 80 % have left after ceil(log .2 / log .7) = 5 weeks
    assert limit == pytest.approx(5, abs=1)
    assert (table["age"] - 1 > table["limit_days"] / 7).all()
    late = deals[deals["stage"] == "lead"]
    assert (table["stage"] == "lead").sum() == (late["age"] - 1 > limit).sum()
    assert table["days_over"].is_monotonic_decreasing


def test_a_gate_is_met_missed_or_not_decided(funnel, deals, log):
    rate = funnel.stage_table()["conversion"][0]
    verdicts = []
    for gate in (rate - 0.1, rate + 0.1, rate):
        table = control_table(funnel, deals, {"lead": {"within": "3W", "conversion": gate}})
        verdicts.append(table["verdict"][0])
    assert verdicts == ["meets", "below gate", "not sure"]
    assert table["verdict"][1] == "no gate"
    over = deals[(deals["stage"] == "lead") & ((deals["age"] - 1) * 7 > 20.9)]
    assert table["beyond"][0] == len(over)
    assert table["money_beyond"][0] == over["amount"].sum()
    draws = funnel.bootstrap(log, n_draws=100, random_state=0)
    drawn = control_table(funnel, deals, draws=draws)
    np.testing.assert_allclose(drawn[["low", "high"]], table[["low", "high"]], atol=0.02)
    with pytest.raises(ValueError, match=r"'leads'.*Did you mean 'lead'"):
        control_table(funnel, deals, {"leads": {}})


def test_groups_have_chains_of_their_own(log):
    log = log.assign(
        rep=np.where((log["deal"] % 2 == 0) & (log["deal"] % 3 > 0), "cat", log["rep"])
    )
    funnel = FunnelChain(["lead", "offer"], by="rep", **HOW).fit(log, as_of=AS_OF)
    assert set(funnel.group_laws_) == {"ann", "bob", "cat"}
    now = pd.DataFrame({"stage": "lead", "age": 1, "rep": ["ann", "new"], "amount": 1.0})
    proba = funnel.predict_proba(now)
    assert proba["won"][0] == pytest.approx(funnel.stage_table(group="ann")["won_from_here"][0])
    assert proba["won"][1] == pytest.approx(funnel.stage_table()["won_from_here"][0])
    with pytest.raises(ValueError, match="was not seen"):
        funnel.stage_table(group="dan")


def test_deals_without_a_group_are_a_group_of_their_own(log):
    some = log.assign(rep=log["rep"].where(log["deal"] % 3 > 0, None))
    funnel = FunnelChain(["lead", "offer"], by="rep", **HOW).fit(some, as_of=AS_OF)
    assert set(funnel.group_laws_) == {"ann", "bob", "(missing)"}
    ann = FunnelChain(["lead", "offer"], **HOW).count(some[some["rep"] == "ann"], as_of=AS_OF)
    assert abs(funnel.counts_.moves["ann"].moves - ann.pooled.moves).max() == 0
    parts = funnel.pipeline_table(funnel.open_deals(some), by="rep")
    assert parts["rep"].tolist() == ["(missing)", "ann", "bob", "all"]
    assert parts["deals"].iloc[:-1].sum() == parts["deals"].iloc[-1]


def test_the_same_rows_come_back_in_the_same_order(funnel, deals):
    mixed = deals.sample(frac=1.0, random_state=3)
    proba = funnel.predict_proba(mixed, horizon="8W")
    assert proba.index.equals(mixed.index)
    pd.testing.assert_frame_equal(proba.sort_index(), funnel.predict_proba(deals, horizon="8W"))


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_speaks_chinese(preset):
    named = PRESETS[preset]
    assert all(name in FUNNEL.zh for name in (*named.stages, named.won))
    rows = [(k, stage, DAY0 + 30 * i) for k in (1, 2) for i, stage in enumerate(named.stages)]
    end = DAY0 + 30 * len(named.stages)
    rows += [(1, named.won, end), (2, "lost", end), (3, named.stages[0], end)]
    events = pd.DataFrame(rows, columns=["deal", "stage", "time"])
    funnel = FunnelChain(preset, age_classes=6).fit(events, as_of=end + 40)
    for table in (
        funnel.stage_table(language="zh"), funnel.bottleneck_table(language="zh"),
        funnel.velocity_table(language="zh"),
        overdue_table(funnel, funnel.open_deals(events), language="zh"),
        control_table(funnel, funnel.open_deals(events), language="zh"),
        funnel.forecast(funnel.open_deals(events).assign(amount=1.0), horizon="5W", arrivals=0,
                        language="zh"),
        funnel.pipeline_table(funnel.open_deals(events).assign(amount=1.0), language="zh"),
    ):  # fmt: skip
        words = " ".join(map(str, table.columns))
        assert not any("a" <= letter.lower() <= "z" for letter in words), words
    assert funnel.stage_table(language="zh")["阶段"][0] == FUNNEL.zh[named.stages[0]]


def test_a_backtest_counts_what_came_and_ranks_the_chain_first(log):
    cutoffs = [DAY0 + d for d in range(400, 1300, 100)]
    funnel = FunnelChain(["lead", "offer"], **HOW)
    found = backtest_funnel(funnel, log, cutoffs=cutoffs, horizon="6W")
    first = found.table[found.table["cutoff"] == str(cutoffs[0])]
    before, after = (log[log["time"] <= cutoffs[0] + d] for d in (0, 42))
    ended = before[before["stage"].isin(["won", "lost"])]["deal"]
    open_ = set(before["deal"]) - set(ended)
    won = set(after[after["stage"] == "won"]["deal"])
    assert (first["open_deals"] == len(open_)).all()
    assert (first["actual_wins"] == len(open_ & won)).all()
    n_won = (before["stage"] == "won").sum()
    decided = first.set_index("method")["predicted_wins"]["won / decided"]
    assert decided == pytest.approx(len(open_) * n_won / len(ended))
    assert found.scores().index[0] == "FunnelChain"
    assert abs(found.scores()["bias"]["FunnelChain"]) < 0.15
    with pytest.raises(ValueError, match="what came is not known yet"):
        backtest_funnel(funnel, log, cutoffs=[DAY0 + 1390], horizon="26W")


def test_deals_of_the_past_know_nothing_of_what_came(log):
    date = DAY0 + 600
    made = deal_frame(FunnelChain(["lead", "offer"]), log, as_of=date, horizon="6W")
    cut = deal_frame(FunnelChain(["lead", "offer"]), log[log["time"] <= date], as_of=date)
    pd.testing.assert_frame_equal(made.drop(columns="won_within"), cut)
    assert 0 < made["won_within"].mean() < 1
    assert (made["days_open"] >= made["days_in_stage"]).all()


def test_money_of_a_deal_without_an_amount_is_what_is_won_through_its_stage(log):
    nothing = log.assign(amount=np.where(log["stage"] == "won", 250.0, np.nan))
    funnel = FunnelChain(["lead", "offer"], **HOW).fit(nothing, as_of=AS_OF)
    deals = funnel.open_deals(nothing)
    won = funnel.predict_proba(deals, horizon="9W")["won"]
    np.testing.assert_allclose(funnel.predict(deals, horizon="9W"), 250.0 * won)
    assert funnel.pipeline_table(deals)["own_amount"].tolist() == [0]


def test_drivers_share_what_they_explain():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = X @ [1.0, 0.5] + rng.normal(size=200)
    shares = lmg_shares([X[:, :1], X[:, 1:]], y)

    def r2(*columns):
        Z = np.column_stack([np.ones(200), *columns])
        rest = y - Z @ np.linalg.lstsq(Z, y, rcond=None)[0]
        return 1 - rest @ rest / ((y - y.mean()) ** 2).sum()

    both, one, two = r2(X[:, 0], X[:, 1]), r2(X[:, 0]), r2(X[:, 1])
    hand = np.array([one + both - two, two + both - one]) / 2
    np.testing.assert_allclose(shares, hand / both, rtol=1e-9)


def test_win_rates_of_reps_are_shrunk_as_the_beta_binomial_does():
    wins = {"a": (8, 10), "b": (3, 10), "c": (1, 2), "d": (30, 60), "e": (0, 4), "f": (12, 15)}
    rows = [(rep, "won" if k < w else "lost") for rep, (w, n) in wins.items() for k in range(n)]
    deals = pd.DataFrame([*rows, ("a", "open")], columns=["rep", "outcome"])
    deals["price"] = np.arange(len(deals)) % 20
    table = win_drivers(deals, ["rep", "price"]).query("factor == 'rep'")
    hand = [0.698823, 0.378053, 0.513068, 0.501512, 0.301737, 0.723395]
    np.testing.assert_allclose(table["shrunk"], hand, atol=2e-5)
    assert table["deals"].tolist() == [10, 10, 2, 60, 4, 15]
    assert win_drivers(deals, ["price"])["level"].tolist()[0] == "up to 4"
    with pytest.raises(DataContractError, match="no deal of column 'outcome' is 'Won'"):
        win_drivers(deals, ["rep"], won="Won", lost="Lost")
    with pytest.raises(DataContractError, match="no column 'product'"):
        win_drivers(deals, ["product"])


def test_the_pipeline_of_a_crm_adds_up():
    import os
    from pathlib import Path

    path = Path(os.environ.get("CUSTVALUE_DATA", "data")) / "sales_pipeline.parquet"
    if not path.exists():
        pytest.skip("sales_pipeline.parquet is not there")
    crm = pd.read_parquet(path)
    events = from_deals(crm, deal="opportunity_id", start="engage_date", close="close_date",
                        outcome="deal_stage", won="Won", lost="Lost",
                        close_amount="close_value")  # fmt: skip
    funnel = FunnelChain(["open"], age_classes=20, observed_from="2017-03-01", bad="drop")
    funnel.fit(events, as_of="2017-12-31")
    assert funnel.ledger_.adds_up
    assert [(d.reason, d.deals) for d in funnel.ledger_.dropped] == [("missing_time", 500)]
    assert funnel.counts_.outcomes.tolist() == [4238, 2473]
    assert funnel.counts_.open_now.tolist() == [1589]


def deals_worth(amounts):
    """Deals through two stages, some of them open at the end of August; amounts by deal."""
    rng = np.random.default_rng(2)
    rows = []
    for deal in range(len(amounts)):
        day = int(rng.integers(0, 200))
        rows.append((deal, "lead", day))
        day += int(rng.integers(1, 60))
        if rng.random() < 0.3:
            rows.append((deal, "lost", day))
            continue
        rows.append((deal, "offer", day))
        if rng.random() < 0.6:
            rows.append((deal, "won", day + int(rng.integers(1, 60))))
    log = pd.DataFrame(rows, columns=["deal", "stage", "day"])
    log["time"] = pd.Timestamp("2023-01-02") + pd.to_timedelta(log.pop("day"), "D")
    log["amount"] = np.asarray(amounts)[log["deal"]]
    return log[log["time"] <= "2023-09-01"]


def test_amounts_of_a_million_millions_lose_no_unit():
    amounts = 10**12 + np.random.default_rng(3).integers(0, 10**11, 600)
    log = deals_worth(amounts)
    funnel = FunnelChain(["lead", "offer"], amount="amount", period="1W", annual_discount_rate=0.0)
    funnel.fit(log, as_of="2023-09-01")
    open_ = funnel.open_deals(log, as_of="2023-09-01")
    last = log.groupby("deal")["stage"].last()  # rows are in the order of time
    mine = pd.Series(amounts, index=range(600))
    assert (
        open_.set_index("deal")["amount"].tolist()
        == mine[last[last.isin(["lead", "offer"])].index].tolist()
    )
    stages = funnel.stage_table().set_index("stage")
    for stage in ("lead", "offer"):
        assert stages.loc[stage, "open_amount"] == mine[last[last == stage].index].sum()
    pipeline = funnel.pipeline_table(open_).iloc[0]
    assert pipeline["face"] == open_["amount"].sum()
    chance = funnel.predict_proba(open_)["won"]
    exact = sum(Fraction(p) * int(a) for p, a in zip(chance, open_["amount"], strict=True))
    assert pipeline["expected_money"] == pytest.approx(float(exact), rel=1e-14)
    assert funnel.predict(open_).sum() == pytest.approx(float(exact), rel=1e-14)
    won = mine[last[last == "won"].index]
    n, total, square = funnel.counts_.won_total
    assert (n, total) == (len(won), won.sum())
    assert square == pytest.approx(sum(int(a) ** 2 for a in won), rel=1e-14)


def test_money_times_a_power_of_two_is_every_table_times_it():
    amounts = np.random.default_rng(3).integers(100, 1000, 600) / 100
    large = 2.0**40
    tables = []
    for factor in (1.0, large):
        log = deals_worth(amounts * factor)
        funnel = FunnelChain(["lead", "offer"], amount="amount", period="1W")
        funnel.fit(log, as_of="2023-09-01")
        open_ = funnel.open_deals(log, as_of="2023-09-01")
        tables.append(
            [
                funnel.stage_table(),
                funnel.pipeline_table(open_),
                funnel.forecast(open_, horizon="8W"),
                funnel.bottleneck_table(),
                funnel.velocity_table(),
            ]
        )
    money = {"open_amount", "face", "expected_money", "sd_outcome", "money_open", "money_new",
             "money", "sd", "money_per_point"}  # fmt: skip
    for small, big in zip(*tables, strict=True):
        for name in small.columns:
            if name not in money | {"value"}:
                assert small[name].equals(big[name]), name
            elif name == "value":  # velocity: a row a quantity, with its unit
                times = np.where(
                    small["quantity"].isin(["mean amount won", "money by velocity"]), large, 1.0
                )
                assert (big[name] == small[name] * times).all()
            else:
                assert (big[name] == small[name] * large).all(), name
