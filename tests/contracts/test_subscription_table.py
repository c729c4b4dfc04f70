"""The door of contracts: rows are checked, money adds up, the past is what was known then."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from custvalue.contracts import SubscriptionTable
from custvalue.contracts._calendar import Calendar
from custvalue.exceptions import AsOfWarning, DataContractError, DataWarning

NAMES = {"customer": "who", "start": "from", "end": "to", "money": "fee"}
MOVES = ["new", "reactivation", "expansion", "contraction", "churn"]


def rows(*contracts):
    return pd.DataFrame(contracts, columns=["who", "from", "to", "fee"])


def table(*contracts, as_of="2024-12-31", **more):
    return SubscriptionTable(rows(*contracts), **NAMES, as_of=as_of, **more)


@st.composite
def books(draw):
    """Contracts of a few customers, one after the other, some with gaps, some still running."""
    found = []
    for who in range(draw(st.integers(1, 5))):
        day = np.datetime64("2023-01-01") + draw(st.integers(0, 300))
        for _ in range(draw(st.integers(1, 4))):
            fee = draw(st.sampled_from([0.1, 9.99, 10.0, 25.3]))
            end = day + draw(st.integers(1, 150))
            if end > np.datetime64("2024-06-15"):
                break
            found.append((who, str(day), str(end), fee))
            day = end + draw(st.sampled_from([0, 0, 1, 40]))
        else:
            if draw(st.booleans()):
                found.append((who, str(day), None, draw(st.sampled_from([5.0, 30.0]))))
    return found or [(0, "2023-01-01", None, 1.0)]


def money_on(found, day):
    """Money a period by customer on a day, one row after the other."""
    out = {}
    for who, start, end, fee in found:
        if np.datetime64(start) <= day and (end is None or np.datetime64(end) > day):
            out[who] = out.get(who, 0.0) + fee
    return out


@settings(max_examples=12, deadline=None)
@given(books())
def test_opening_and_moves_make_the_closing_whatever_the_group(found):
    made = table(*found, as_of="2024-12-31")
    bridge = made.bridge()
    moved = bridge["opening"] + bridge[MOVES] @ [1.0, 1.0, 1.0, -1.0, -1.0]
    np.testing.assert_allclose(moved, bridge["closing"], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(bridge["opening"][1:], bridge["closing"][:-1])
    people = bridge[[f"{m}_customers" for m in MOVES]] @ [1, 1, 0, 0, -1]
    assert (bridge["opening_customers"] + people == bridge["closing_customers"]).all()
    by = made.bridge(by="cohort").groupby("period")[["opening", *MOVES, "closing"]].sum()
    np.testing.assert_allclose(by, bridge.set_index("period")[by.columns], rtol=0, atol=1e-9)
    before = {}
    for _, line in bridge.iterrows():
        now = money_on(found, np.datetime64(line["end"], "D"))
        assert line["closing"] == pytest.approx(sum(now.values()), abs=1e-9)
        assert line["closing_customers"] == len(now)
        stayed = before.keys() & now.keys()
        more = sum(max(now[w] - before[w], 0.0) for w in stayed)
        assert line["expansion"] == pytest.approx(more, abs=1e-9)
        gone = sum(before[w] for w in before.keys() - now.keys())
        assert line["churn"] == pytest.approx(gone, abs=1e-9)
        before = now


@settings(max_examples=12, deadline=None)
@given(books())
def test_the_past_is_what_was_known_then(found):
    whole = table(*found)
    first = min(np.datetime64(start) for _, start, _, _ in found)
    day = first + 200
    seen = [
        (who, start, end if end is not None and np.datetime64(end) <= day else None, fee)
        for who, start, end, fee in found
        if np.datetime64(start) <= day
    ]
    then, now = table(*seen, as_of=day), whole.until(day)
    pd.testing.assert_frame_equal(now.contracts(spells=True), then.contracts(spells=True))
    pd.testing.assert_frame_equal(now.bridge(), then.bridge())
    assert now.ledger["rows_used"] == len(seen)


def test_new_expansion_contraction_churn_and_return_are_told_apart():
    made = table(
        ("a", "2024-01-05", "2024-03-01", 10.0),
        ("a", "2024-03-01", None, 15.0),  # dearer plan in March
        ("b", "2024-01-20", "2024-02-20", 20.0),
        ("b", "2024-04-02", None, 20.0),  # back in April
        ("c", "2024-02-03", "2024-04-01", 30.0),
        ("c", "2024-04-01", None, 12.0),  # cheaper plan in April
        ("d", "2024-03-02", "2024-03-20", 99.0),  # came and left between two looks
        as_of="2024-04-30",
    )
    bridge = made.bridge().set_index("period")
    assert bridge[MOVES].T["2024-01"].tolist() == [30.0, 0.0, 0.0, 0.0, 0.0]
    assert bridge[MOVES].T["2024-02"].tolist() == [30.0, 0.0, 0.0, 0.0, 20.0]
    assert bridge[MOVES].T["2024-03"].tolist() == [0.0, 0.0, 5.0, 0.0, 0.0]
    assert bridge[MOVES].T["2024-04"].tolist() == [0.0, 20.0, 0.0, 18.0, 0.0]
    assert bridge["came_and_left"].tolist() == [0, 0, 1, 0]
    march = bridge.loc["2024-03"]
    assert march["net_retention"] == pytest.approx(45 / 40)
    assert march["gross_retention"] == 1.0
    april = bridge.loc["2024-04"]
    assert april["gross_retention"] == pytest.approx(27 / 45)
    assert np.isnan(bridge.loc["2024-01", "net_retention"])


def test_cents_add_up_without_a_rest():
    many = [(k, "2024-01-01", None, 0.1) for k in range(1000)]
    bridge = table(*many, as_of="2024-01-31").bridge()
    assert bridge["new"].tolist() == [100.0]
    assert bridge["closing"].tolist() == [100.0]


def test_retention_by_cohort_counts_from_each_customers_own_start():
    made = table(
        ("a", "2024-01-10", None, 10.0),
        ("b", "2024-01-20", "2024-02-20", 30.0),
        ("b", "2024-03-20", None, 50.0),
        ("c", "2024-02-01", None, 7.0),
        as_of="2024-04-25",
    )
    left = made.retention(share=False)
    assert left.loc["2024-01"].tolist() == [40.0, 10.0, 60.0, 60.0]
    assert left.loc["2024-02"][:3].tolist() == [7.0, 7.0, 7.0]
    assert made.retention().loc["2024-01"].tolist() == [1.0, 0.25, 1.5, 1.5]
    assert made.retention("gross").loc["2024-01"].tolist() == [1.0, 0.25, 0.25, 0.25]
    assert made.retention("customers").loc["2024-01"].tolist() == [1.0, 0.5, 1.0, 1.0]
    assert made.retention("survivors", share=False).loc["2024-01"].tolist() == [2, 1, 1, 1]
    young = made.until("2024-04-15").retention()  # b, of January, is three months old on the 20th
    assert np.isnan(young.loc["2024-01", 3])
    with pytest.raises(ValueError, match="of='churn'"):
        made.retention("churn")
    with pytest.raises(DataContractError, match="no column 'plann'"):
        made.retention(by="plann")


def test_a_customer_is_what_laws_of_renewal_read():
    made = table(
        ("a", "2024-01-31", None, 10.0),  # renewed on 29 Feb, 31 March; the next is 30 April
        ("b", "2024-01-10", "2024-03-10", 10.0),  # renewed once, left at the second date
        ("c", "2024-01-10", "2024-03-01", 10.0),  # left before the second date had come
        ("d", "2024-04-15", None, 0.0),
        as_of="2024-04-15",
    )
    found = made.contracts().set_index("who")
    assert found["frequency"].to_dict() == {"a": 2.0, "b": 1.0, "c": 1.0, "d": 0.0}
    assert found["T"].to_dict() == {"a": 2.0, "b": 3.0, "c": 3.0, "d": 0.0}
    assert found["ended"].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert found.loc["a", "to_renewal"] == pytest.approx(15 / 30)  # 31 March to 30 April
    assert found.loc["d", "to_renewal"] == 1.0
    assert found.loc["b", "duration"] == 2.0
    from custvalue.purchase import ShiftedBetaGeometric

    alive = ShiftedBetaGeometric.from_params(alpha=1.0, beta=3.0, unit="M").predict_alive(
        made.contracts()
    )
    assert alive.tolist() == [1.0, 0.0, 0.0, 1.0]


def test_customers_survivors_and_the_table_of_renewals_give_one_fit():
    from custvalue.purchase import ShiftedBetaGeometric

    rng = np.random.default_rng(3)
    start = np.datetime64("2021-01-01") + 0 * np.arange(400)
    months = rng.geometric(rng.beta(1.0, 6.0, 400))
    end = Calendar.of("M").after(start, months)
    gone = end <= np.datetime64("2022-06-30")
    frame = pd.DataFrame({"who": np.arange(400), "from": start, "fee": 5.0})
    frame["to"] = pd.Series(end).where(gone)
    made = SubscriptionTable(frame, **NAMES, as_of="2022-06-30")
    one = ShiftedBetaGeometric().fit(made.contracts())
    two = ShiftedBetaGeometric().fit_cohorts(made.retention("survivors", share=False))
    np.testing.assert_allclose(one.params_, two.params_, rtol=1e-6)
    assert one.unit_ == "M"


def test_payments_are_the_periods_begun_and_make_a_log():
    made = table(
        ("a", "2024-01-31", "2024-04-30", 10.0),
        ("b", "2024-03-15", None, 4.0),
        as_of="2024-04-14",
        future="open",
    )
    paid = made.payments()
    assert paid["date"].dt.strftime("%m-%d").tolist() == ["01-31", "02-29", "03-31", "03-15"]
    assert paid["amount"].sum() == 34.0
    assert made.log.summary()["total_value"].tolist() == [30.0, 4.0]
    assert made.ledger == {"rows_in": 2, "rows_used": 2, "not_begun": 0, "end_not_come": 1}


def test_everything_that_is_wrong_is_said_at_once_with_its_rows():
    bad = rows(
        ("a", "2024-01-05", "2024-01-05", 10.0),
        (None, "2024-01-05", None, 10.0),
        ("b", None, None, 10.0),
        ("c", "2024-01-05", None, np.nan),
        ("d", "2024-01-05", None, -1.0),
        ("e", "2025-01-05", None, 1.0),
        ("f", "2024-01-05", "2025-02-05", 1.0),
        ("g", "2024-01-05", "2024-06-05", 1.0),
        ("g", "2024-06-04", None, 1.0),
    )
    with pytest.raises(DataContractError) as told:
        SubscriptionTable(bad, **NAMES, as_of="2024-12-31")
    where = {p.code: list(p.rows) for p in told.value.problems}
    assert where == {
        "end-before-start": [0],
        "missing-customer": [1],
        "missing-start": [2],
        "missing-money": [3],
        "negative-money": [4],
        "start-in-future": [5],
        "end-in-future": [6],
        "overlap": [8],
    }
    with pytest.raises(DataContractError, match=r"no column 'fees'.*Did you mean 'fee'"):
        SubscriptionTable(bad, **{**NAMES, "money": "fees"}, as_of="2024-12-31")
    with pytest.raises(DataContractError, match="not ISO 8601"):
        table(("a", "05.01.2024", None, 1.0))


def test_policies_take_what_is_meant():
    both = [("a", "2024-01-05", None, 10.0), ("a", "2024-02-05", None, 5.0)]
    made = table(*both, overlaps="add", as_of="2024-02-29")
    assert made.bridge()["closing"].tolist() == [10.0, 15.0]
    assert made.contracts()["price"].tolist() == [15.0]
    last = table(("a", "2024-01-01", "2024-01-31", 1.0), last_day=True)
    assert last.contracts()["frequency"].tolist() == [0.0]
    assert last.contracts()["duration"].tolist() == [1.0]
    with pytest.warns(DataWarning, match="1 contracts begin after"):
        open_ = table(*both, as_of="2024-01-31", future="open", overlaps="add")
    assert len(open_) == 1
    with pytest.warns(AsOfWarning, match="no as_of: 2024-02-05"):
        SubscriptionTable(rows(*both), **NAMES, overlaps="add")
    with pytest.raises(ValueError, match="overlaps='sum'"):
        table(*both, overlaps="sum")
    with pytest.raises(ValueError, match="must lie from 2024-01-05"):
        made.until("2024-03-01")


def test_groups_are_those_of_the_first_contract():
    frame = rows(
        ("a", "2024-01-05", "2024-02-05", 10.0),
        ("a", "2024-02-05", None, 20.0),
        ("b", "2024-01-09", None, 10.0),
    ).assign(plan=["basic", "pro", None], channel=["x", "y", "z"])
    made = SubscriptionTable(frame, **NAMES, plan="plan", keep=["channel"], as_of="2024-02-29")
    by = made.bridge(by="plan")
    assert by.query("period == '2024-02'")["closing"].tolist() == [10.0, 20.0]
    assert by["plan"].tolist() == ["(none)", "basic"] * 2
    assert made.contracts()["channel"].tolist() == ["y", "z"]


@pytest.mark.parametrize("period", ["M", "3M", "Y", "4W", "10D", "Q"])
def test_periods_go_by_the_calendar(period):
    calendar = Calendar.of(period)
    rng = np.random.default_rng(1)
    start = np.datetime64("2019-12-25") + rng.integers(0, 800, 300)
    count = rng.integers(0, 30, 300)
    there = calendar.after(start, count)
    assert (calendar.whole(start, there) == count).all()
    assert (calendar.whole(start, there - 1) == count - 1).all()
    np.testing.assert_allclose(calendar.length(start, there), count)
    if calendar.months:
        step = [pd.Timestamp(s) + pd.DateOffset(months=calendar.months * int(k))
                for s, k in zip(start, count, strict=True)]  # fmt: skip
        assert (there == np.array(step, dtype="datetime64[D]")).all()
    assert Calendar.of(calendar.unit) == calendar


@pytest.mark.parametrize("period", ["1.5M", "6H", "0M", 3])
def test_a_period_of_no_whole_days_is_refused(period):
    with pytest.raises(ValueError, match="period"):
        Calendar.of(period)


@pytest.mark.parametrize("library", ["polars", "pyarrow"])
def test_other_libraries_give_the_same_table(library):
    module = pytest.importorskip(library)
    frame = rows(("a", "2024-01-05", "2024-02-05", 10.0), ("b", "2024-01-05", None, 5.0))
    other = module.from_pandas(frame) if library == "polars" else module.Table.from_pandas(frame)
    plain = SubscriptionTable(frame, **NAMES, as_of="2024-03-01")
    made = SubscriptionTable(other, **NAMES, as_of="2024-03-01")
    pd.testing.assert_frame_equal(made.bridge(), plain.bridge())
    pd.testing.assert_frame_equal(made.contracts(), plain.contracts(), check_dtype=False)
