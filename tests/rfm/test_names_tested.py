"""Names of segments tested on earlier dates of a log, and what becomes of those that fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

import custvalue as cv
from custvalue import RFMTransformer
from custvalue._kernels import wilson
from custvalue._warn import heard
from custvalue.data import TransactionLog
from custvalue.exceptions import BinWarning, DataContractError
from custvalue.rfm import SegmentMap
from custvalue.rfm._cycle import usual_gap
from custvalue.rfm._segment_claims import Figures, decide
from custvalue.rfm._segment_test import _Seen

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}
KINDS = ["plain", "durable", "subscription", "seasonal", "heavy", "regular", "panel"]
SILENT = ("about to sleep", "at risk", "cannot lose", "lost")


def shop(kind, n=250, seed=1, **more):
    made = cv.datasets.make_shop(kind, n, random_state=seed, **more)
    return TransactionLog(made.log, **NAMES, as_of="2024-01-01", unit="D")


@pytest.fixture(scope="module")
def cdnow():
    return TransactionLog(
        cv.datasets.load_cdnow("sample"), **NAMES, as_of="1998-06-30", unit="D",
    )  # fmt: skip


def by_hand(log, date, days):
    """Name and outcome of every customer known at a date, with pandas alone."""
    rows = log.frame.assign(date=pd.to_datetime(log.frame["date"]).dt.normalize())
    rows = rows[rows["amount"] > 0].groupby(["customer_id", "date"], as_index=False).sum()
    end = pd.Timestamp(date)
    past = rows[rows["date"] <= end]
    each = past.groupby("customer_id").agg(
        first=("date", "min"), last=("date", "max"), n_orders=("date", "size"),
        total_value=("amount", "sum"),
    )  # fmt: skip
    table = pd.DataFrame(
        {
            "silence": (end - each["last"]).dt.days.astype(float),
            "n_orders": each["n_orders"],
            "recency": (each["last"] - each["first"]).dt.days.astype(float),
            "total_value": each["total_value"],
        }
    )
    later = rows[(rows["date"] > end) & (rows["date"] <= end + pd.Timedelta(days=days))]
    name = RFMTransformer(cuts="cycle", unit="D").fit(table).segments(table)
    spent = later.groupby("customer_id")["amount"].sum().reindex(each.index).fillna(0.0)
    return pd.DataFrame({"name": name, "ordered": spent > 0, "spent": spent})


def test_shares_are_those_that_pandas_counts_at_each_date(cdnow):
    test = SegmentMap.ready(5).validate(cdnow, RFMTransformer(cuts="cycle"))
    assert test.dates == ("1997-10-03", "1998-01-01", "1998-04-01")
    want = pd.concat([by_hand(cdnow, date, 90) for date in test.dates]).groupby("name")
    table = test.table().set_index("segment")
    table = table[table["tested"] > 0]
    assert table["tested"].to_dict() == want.size().to_dict()
    assert table["ordered"].to_dict() == pytest.approx(want["ordered"].mean().to_dict())
    assert table["spent_each"].to_dict() == pytest.approx(want["spent"].mean().to_dict())
    one = by_hand(cdnow, test.dates[0], 90).groupby("name")["ordered"].mean()
    assert (table["ordered_least"] <= one.reindex(table.index).fillna(1) + 1e-12).all()
    assert (table["ordered_most"] >= one.reindex(table.index).fillna(0) - 1e-12).all()


def test_intervals_hold_the_share_and_know_that_a_customer_was_seen_more_than_once(cdnow):
    test = SegmentMap.ready(5).validate(cdnow, RFMTransformer(cuts="cycle"))
    table = test.table().query("tested > 0")
    for name, low, high in (
        ("ordered", "ordered_low", "ordered_high"),
        ("spent_each", "spent_low", "spent_high"),
    ):
        assert (table[low] <= table[name]).all()
        assert (table[name] <= table[high]).all()
    p, n = table["ordered"], table["tested"]
    once = 2 * 1.2816 * np.sqrt(p * (1 - p) / n)  # as if every row were another customer
    wide = table["ordered_high"] - table["ordered_low"]
    assert (wide > 0.9 * once)[n > 400].all()
    assert wide.iloc[0] > once.iloc[0]  # champions stay champions, and order every time


def test_intervals_sum_deviations_by_customer_before_they_square_them():
    # ten customers seen at two dates; a, b, c order after both, the others never
    who = [w for w in "abcdefghij" for _ in range(2)]
    ordered = np.array([w in "abc" for w in who], float)
    code = np.unique(who, return_inverse=True)[1]
    dates = np.tile([0, 1], 10)
    seen = _Seen(np.zeros(20, np.intp), code, dates, ordered, 7.0 * ordered, ordered > 9)
    got = seen.figures(np.array([0]), 1, 0.8)
    noise = (3 * (2 * 0.7) ** 2 + 7 * (2 * 0.3) ** 2) / 20**2  # as of ten customers, not twenty
    low, high = wilson(0.3, 0.3 * 0.7 / noise, 0.8)
    assert 0.3 * 0.7 / noise == pytest.approx(10.0)
    assert got["ordered"].tolist() == [0.3]
    assert (got["ordered_low"][0], got["ordered_high"][0]) == pytest.approx((low, high))
    reach = 1.2815515655446004 * 7.0 * np.sqrt(noise)
    ends = (got["spent_low"][0], got["spent_high"][0])
    assert ends == pytest.approx((max(2.1 - reach, 0.0), 2.1 + reach))


@pytest.mark.parametrize("kind", KINDS)
def test_no_name_that_is_left_is_contradicted_by_the_past(kind):
    test = SegmentMap.ready(5).validate(shop(kind), RFMTransformer(cuts="cycle"))
    kept = test.table(kept=True).set_index("segment")
    kept = kept[kept["tested"] > 0]
    share, n = kept["ordered"], kept["tested"]
    present = [s for s in ("champions", "loyal customers", "potential loyalists", "new customers")
               if s in kept.index]  # fmt: skip
    those = (share * n)[present].sum() / n[present].sum()
    for name in {*SILENT, "need attention"} & {*kept.index}:
        assert share[name] <= 0.8 * those + 1e-12
    if "lost" in kept.index:
        assert share["lost"] <= 0.1
        assert share["lost"] <= 0.5 * those + 1e-12
    if "champions" in kept.index:
        assert (0.95 * share.drop("champions")[n >= 20] <= share["champions"] + 1e-12).all()
        spent = kept["spent_each"]
        assert spent["champions"] == spent[n >= 20].max()
    assert not (n[[s for s in kept.index if s in SegmentMap.ready(5).segments]] < 20).any()
    assert kept["customers"].sum() == len(shop(kind).summary()) - _untested(test)


def _untested(test):
    kept = test.table(kept=True)
    return int(kept.loc[kept["tested"] == 0, "customers"].sum())


def test_new_customers_by_fifths_are_not_new_and_are_not_called_so(cdnow):
    test = SegmentMap.ready(5).validate(cdnow, RFMTransformer())
    new = next(one for one in test.decisions if one.name == "new customers")
    assert (new.verdict, new.why, new.became) == ("renamed", "old", "recent, fewest orders")
    assert "recent, fewest orders" in test.segment_map.segments
    assert "new customers" not in test.segment_map.segments


def test_silence_that_tells_nothing_leaves_no_name_that_speaks_of_it():
    # everybody orders by the toss of a coin each week: who was silent orders no less
    rng = np.random.default_rng(0)
    days = pd.date_range("2023-01-02", periods=100, freq="7D")
    rows = pd.DataFrame(
        [(who, day) for who in range(120) for day in days if rng.random() < 0.25],
        columns=["customer_id", "date"],
    ).assign(amount=10.0)
    log = TransactionLog(rows, **NAMES, as_of=days[-1], unit="D")
    test = RFMTransformer(cuts={"R": "cycle", "M": (1, 2, 3, 4)}).fit(log.summary()).validate(log)
    assert not {*SILENT, "need attention"} & {
        one.became for one in test.decisions if one.verdict != "nobody"
    }
    assert test.segment_map.assign(
        RFMTransformer(cuts={"R": "cycle", "M": (1, 2, 3, 4)})
        .fit(log.summary())
        .transform(log.summary())
    ).shape == (120,)


def test_sentences_say_share_days_and_dates_in_both_languages(cdnow):
    test = RFMTransformer(cuts="cycle").fit(cdnow.summary()).validate(cdnow)
    shares = test.table().set_index("segment")["ordered"]
    said = dict(line.split(": ", 1) for line in test.words())
    assert said["lost"] == f"{100 * shares['lost']:.0f} % ordered within 90 days, at 3 dates."
    zh = test.words("zh")
    assert f"流失客户：3个日期后90天内有{100 * shares['lost']:.0f}%下单。" in zh
    assert len(zh) == len(test.words()) == int((test.table()["verdict"] != "nobody").sum())
    assert str(test) == "\n".join(test.words())
    assert "lost" in test._repr_html_()
    heads = test.table(language="zh")
    assert not [name for name in heads.columns if name.isascii()]
    assert "冠军客户" in heads.iloc[:, 0].tolist()


def test_a_sentence_says_what_a_name_became_and_why(cdnow):
    lines = SegmentMap.ready(5).validate(cdnow, RFMTransformer())
    text = next(line for line in lines.words() if line.startswith("new customers"))
    assert "0 % of them had come lately: called recent, fewest orders." in text
    zh = next(line for line in lines.words("zh") if line.startswith("新客户"))
    assert zh.endswith("其中0%为近期新来：改称近期下单、单数最少。")


def test_names_cannot_be_tested_on_a_log_of_twenty_days_and_claim_nothing():
    made = cv.datasets.make_shop("frequent", 60, days=20, random_state=0)
    log = TransactionLog(made.log, **NAMES, as_of="2021-01-20", unit="D")
    test = RFMTransformer(cuts="cycle").fit(log.summary()).validate(log)
    assert test.dates == ()
    assert set(test.segment_map.segments) == set(SegmentMap.ready(5, plain=True).segments)
    assert test.words() == ("No earlier date of the log could test the names.",)
    assert test.words("zh") == ("记录太短，没有较早日期可检验名称。",)
    assert test.table()["ordered"].isna().all()


def test_own_names_claim_nothing_and_their_shares_are_told(cdnow):
    mine = SegmentMap({"fresh": {"R": (3, 5)}, "stale": {"R": (1, 2)}}, {"R": 5}, ("R",), new=None)
    test = mine.validate(cdnow, RFMTransformer(cuts="cycle"), dates=["1998-01-01"])
    assert [one.verdict for one in test.decisions] == ["told", "told"]
    assert test.words()[0].endswith("within 90 days, at 1 date.")
    assert test.segment_map.segments == ("fresh", "stale")


def test_every_kind_of_table_gives_the_same_test(cdnow):
    want = RFMTransformer(cuts="cycle").fit(cdnow.summary()).validate(cdnow).table()
    log = TransactionLog(pl.from_pandas(cdnow.frame), **NAMES, as_of="1998-06-30", unit="W")
    got = RFMTransformer(cuts="cycle").fit(log.summary()).validate(log).table()
    pd.testing.assert_frame_equal(got, want)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"dates": 0}, ValueError, "dates=0 must be 1 or more"),
        ({"dates": "1998-01-01"}, ValueError, "must be how many, or a sequence"),
        ({"dates": []}, ValueError, "dates holds no date"),
        ({"dates": ["1998-06-01"]}, DataContractError, "unfinished-horizon"),
        ({"dates": ["1990-01-01"]}, DataContractError, "nobody-known"),
        ({"horizon": "0D"}, ValueError, "must be longer than nothing"),
        ({"level": 1.0}, ValueError, "level"),
        ({"horizon": 90}, ValueError, "90"),
    ],
)
def test_options_that_make_no_sense_are_refused(cdnow, options, error, words):
    with pytest.raises(error, match=words):
        SegmentMap.ready(5).validate(cdnow, RFMTransformer(cuts="cycle"), **options)


def test_a_frame_or_other_scores_are_refused(cdnow):
    with pytest.raises(DataContractError, match="reads a TransactionLog, got DataFrame"):
        SegmentMap.ready(5).validate(cdnow.frame, RFMTransformer())
    with pytest.raises(ValueError, match="use the same letters and n_bins"):
        SegmentMap.ready(4).validate(cdnow, RFMTransformer(cuts="cycle"))


def test_a_forecast_may_take_a_name_away_but_not_bring_one_back(cdnow):
    rfm = RFMTransformer(cuts="cycle").fit(cdnow.summary())
    test, segment = rfm.validate(cdnow), rfm.segments(cdnow.summary())
    n = len(segment)
    lost = segment == "lost"
    chance, value = np.where(lost, 0.04, 0.5), np.where(lost, 1.0, 10.0)
    chance[segment == "champions"], value[segment == "champions"] = 0.9, 99.0
    for silent in ("at risk", "cannot lose", "about to sleep", "need attention"):
        chance[segment == silent] = 0.2
    same = test.reconciled(segment, chance, value)
    assert [one.became for one in same.decisions] == [one.became for one in test.decisions]
    rich = test.reconciled(segment, chance, np.where(lost, 500.0, value))
    fate = {one.name: one for one in rich.decisions}["lost"]
    assert (fate.verdict, fate.kind, fate.why) == ("merged", "forecast", "each")
    flat = test.reconciled(segment, np.full(n, 0.3), np.ones(n))
    assert not {*SILENT} & {one.became for one in flat.decisions if one.verdict != "nobody"}
    assert any("by the forecast" in line for line in flat.words())
    with pytest.raises(ValueError, match="must be of one length"):
        test.reconciled(segment, chance[1:], value)


def test_what_a_name_claims_is_compared_with_customers_pooled_by_hand():
    names = SegmentMap.ready(5).segments
    n = np.array([100.0] * len(names))
    buyers = dict(zip(names, [80, 60, 50, 40, 30, 10, 20, 20, 2], strict=True))
    money = dict(zip(names, [90, 50, 40, 30, 20, 10, 15, 20, 1], strict=True))

    def run(**change):
        took = {**buyers, **{k.replace("_", " "): v for k, v in change.items()}}
        figures = Figures(
            n, np.array([took[a] for a in names], float), np.array([money[a] for a in names]),
            20, "tested",
        )  # fmt: skip
        return {one.name: one for one in decide(names, [figures], n.astype(int), n)}

    assert {one.verdict for one in run().values()} == {"holds"}
    # present: (80 + 60 + 50 + 40) / 400 = 57.5 %, of which four fifths are 46 %
    assert run(at_risk=46)["at risk"].verdict == "holds"
    late = run(at_risk=47)["at risk"]
    assert (late.verdict, late.became) == ("merged", "loyal customers")
    assert (late.own, late.other) == pytest.approx((0.47, 0.575))
    assert run(lost=10)["lost"].verdict == "holds"
    assert run(lost=11)["lost"].became == "about to sleep"
    assert run(loyal_customers=85)["champions"].became == "loyal customers"
    assert run(loyal_customers=47)["loyal customers"].became == "recent, frequent"


def test_the_result_is_a_value_that_cannot_be_changed(cdnow):
    test = RFMTransformer(cuts="cycle").fit(cdnow.summary()).validate(cdnow)
    with pytest.raises(AttributeError):
        test.level = 0.5
    assert test == RFMTransformer(cuts="cycle").fit(cdnow.summary()).validate(cdnow)


def test_segments_of_a_map_are_taken_together_whole():
    ready = SegmentMap.ready(5)
    with pytest.raises(ValueError, match="must be in one group"):
        ready.joined({"all": ["lost"]})
    whole = ready.joined({"all": list(ready.segments)})
    assert set(whole.assign([[1, 1, 1], [5, 5, 5]])) == {"all"}
    assert whole.new == "all"


def test_usual_gap_is_what_names_are_cut_by(cdnow):
    rfm = RFMTransformer(cuts="cycle").fit(cdnow.summary())
    late = cdnow.summary()[rfm.segments(cdnow.summary()) == "lost"]
    own = usual_gap(rfm.cycle_, late["n_orders"], late["recency"])
    assert (late["silence"] > 5 * own).all()


def test_a_name_that_nobody_had_at_any_date_is_no_name_of_other_days():
    days = pd.date_range("2024-01-01", "2024-08-31", freq="5D")
    rows = pd.DataFrame(
        {"who": np.tile(np.arange(60), len(days)), "when": np.repeat(days, 60), "paid": 9.0}
    )
    rows["paid"] += rows["who"]
    log = TransactionLog(rows, customer="who", time="when", amount="paid", as_of="2024-08-31")
    with heard(BinWarning):  # all have as many orders
        rfm = cv.RFMTransformer(cuts="cycle").fit(log.summary())
    test = rfm.validate(log, horizon="30D")
    unheld = {one.name for one in test.decisions if one.verdict == "nobody"}
    assert "lost" in unheld
    assert not unheld & {*test.map_of_past.segments}
    held = {one.became for one in test.decisions if one.verdict != "nobody"}
    assert held <= {*test.map_of_past.segments}
    assert "longest ago, few orders" in test.map_of_past.segments


def test_nobody_is_at_risk_who_has_left():
    """Ex-subscribers: of those who paused none came back, of those present nine in ten."""
    names = ["champions", "loyal customers", "cannot lose", "at risk", "lost"]
    n = np.array([300.0, 100.0, 200.0, 60.0, 400.0])
    buyers = np.array([270.0, 90.0, 0.0, 0.0, 0.0])
    tested = Figures(n, buyers, 40.0 * buyers, 20, "tested")
    found = {one.name: one for one in decide(names, [tested], n.astype(int), np.zeros(5))}
    gone = found["cannot lose"]
    assert (gone.became, gone.verdict, gone.why) == ("lost", "merged", "gone")
    assert (gone.own, gone.other) == (0.0, 0.9)
    # of sixty who did not come, three in sixty may: 5 % is more than a twentieth of 90 %
    assert found["at risk"].became == "at risk"


def test_a_name_of_ex_subscribers_says_that_they_left():
    test = SegmentMap.ready(5).validate(
        shop("subscription", 800, seed=3), RFMTransformer(cuts="cycle")
    )
    words = "\n".join(test.words())
    assert "cannot lose: 0 % ordered within 90 days, at 3 dates; of those present" in words
    assert "taken together as lost" in words
    assert "不可流失客户：3个日期后90天内有0%下单" in "\n".join(test.words("zh"))
