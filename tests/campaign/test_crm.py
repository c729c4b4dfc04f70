"""Before and after, against units that had not started."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from custvalue._warn import heard
from custvalue.campaign import campaign_effect, crm_effect
from custvalue.exceptions import (
    DataContractError,
    DataWarning,
    NotSupportedError,
    SmallSampleWarning,
)

NAMES = {"unit": "branch", "period": "month", "metrics": ["calls"], "adopted": "go_live"}
few = pytest.mark.filterwarnings("ignore::custvalue.exceptions.SmallSampleWarning")


def panel_of(values, starts, metric="calls"):
    """One row a unit and period from an array of units by periods; periods count from 1."""
    values = np.asarray(values, dtype=float)
    n, last = values.shape
    return pd.DataFrame(
        {
            "branch": np.repeat([f"b{i}" for i in range(n)], last),
            "month": np.tile(np.arange(1, last + 1), n),
            metric: values.ravel(),
            "go_live": np.repeat(np.asarray(starts, dtype=float), last),
        }
    )


UNITS = panel_of(
    [
        [10, 14],
        [12, 15],
        [9, 12],
        [11, 15],
        [13, 17],
        [8, 11],
        [9, 10],
        [10, 11],
        [8, 10],
        [11, 12],
    ],
    [2] * 6 + [np.nan] * 4,
)
STAGGERED = panel_of(
    [[10, 11, 15, 16], [8, 9, 13, 15], [12, 13, 14, 19], [9, 10, 11, 12]], [3, 3, 4, np.nan]
)


@few
def test_card_and_kruegers_difference_of_differences():
    # Card & Krueger (1994), table 3: New Jersey 20.44 to 21.03, Pennsylvania 23.33 to 21.17
    shops = np.array([[20.44, 21.03], [23.33, 21.17]])
    panel = panel_of(np.vstack([shops[:1] - 1, shops[:1] + 1, shops[1:] - 2, shops[1:] + 2]),
                     [2, 2, np.nan, np.nan])  # fmt: skip
    assert crm_effect(panel, **NAMES)["calls"].effect == pytest.approx(2.75)


@few
def test_the_units_of_the_method_page():
    found = crm_effect(UNITS, **NAMES, method="welch")["calls"]
    assert found.effect == pytest.approx(2.25)
    assert found.standard_error == pytest.approx(0.335410, abs=5e-7)
    assert (found.low, found.high) == pytest.approx((1.457410, 3.042590), abs=5e-7)
    assert (found.n_treated, found.n_control) == (6, 4)


def test_without_a_control_there_is_a_change_and_no_effect():
    treated = UNITS[UNITS["go_live"].notna()]
    found = crm_effect(treated, **NAMES)
    assert found["calls"].what == "change"
    assert found["calls"].estimate == pytest.approx(3.5)
    with pytest.raises(NotSupportedError, match="no control: what would have happened"):
        found["calls"].effect  # noqa: B018
    assert "no effect" in str(found)
    assert "不能称为效果" in found.sentence("zh")
    asked = {k: v for k, v in NAMES.items() if k != "adopted"}
    same = crm_effect(treated.drop(columns="go_live"), **asked, start=2)
    pd.testing.assert_frame_equal(same.table(), found.table())
    change = treated.pivot(index="branch", columns="month", values="calls").diff(axis=1)[2]
    assert found["calls"].standard_error == pytest.approx(change.std() / np.sqrt(6))
    assert np.isnan(found.table()["placebo"]).all()


@few
def test_group_time_effects_of_a_staggered_start():
    found = crm_effect(STAGGERED, **NAMES)
    after = found.cell_table().query("since >= 0").set_index(["start", "period"])["estimate"]
    assert after.to_dict() == pytest.approx({(3, 3): 3.0, (3, 4): 3.5, (4, 4): 4.0})
    assert found["calls"].effect == pytest.approx(3.4)
    placebo = found.cell_table().query("since < 0").set_index(["start", "period"])["estimate"]
    assert placebo[3, 2] == pytest.approx(0.0)
    since = found.since_table().set_index("since")["estimate"]
    assert since[0] == pytest.approx((2 * 3.0 + 4.0) / 3)
    # units and periods as fixed effects would say less: who started early is a control to late ones
    units, periods = (pd.get_dummies(STAGGERED[c], dtype=float) for c in ("branch", "month"))
    on = (STAGGERED["month"] >= STAGGERED["go_live"]).to_numpy(dtype=float)
    design = np.column_stack([on, units, periods])
    assert np.linalg.lstsq(design, STAGGERED["calls"], rcond=None)[0][0] == pytest.approx(
        3.352941, abs=5e-7
    )
    assert since[1] == pytest.approx(3.5)


def by_hand(y, start, g, t):
    """ATT(g, t) as Callaway & Sant'Anna write it, by means of units."""
    base = g - 1 if t >= g else t - 1
    change = y[:, t] - y[:, base]
    return change[start == g].mean() - change[(start > t) & (start != g)].mean()


def test_cells_and_their_mean_are_the_papers_by_plain_means():
    rng = np.random.default_rng(5)
    start = rng.permutation(np.repeat([2, 3, 5, 6], [5, 7, 4, 9]))  # 6: never
    y = rng.normal(size=(25, 6)) + rng.normal(0, 5, (25, 1)) + np.arange(6)
    found = crm_effect(panel_of(y, np.where(start == 6, np.nan, start + 1)), **NAMES, n_draws=99)
    cells = found.cell_table().set_index(["start", "period"])
    weights, total = 0.0, 0.0
    for g in (2, 3, 5):
        for t in range(1, 6):
            want = by_hand(y, start, g, t)
            assert cells.loc[(g + 1, t + 1), "estimate"] == pytest.approx(want)
            if t >= g:
                weights += (start == g).sum()
                total += (start == g).sum() * want
    assert found["calls"].effect == pytest.approx(total / weights)
    assert (cells.loc[(3, slice(None)), "n_treated"] == 5).all()
    assert cells.loc[(3, 3), "n_control"] == 20
    assert cells.loc[(3, 6), "n_control"] == 9


@few
def test_a_common_start_is_the_campaigns_effect_on_the_changes_of_units():
    rng = np.random.default_rng(6)
    y = rng.normal(size=(30, 5)) + rng.normal(0, 5, (30, 1))
    start = np.repeat([4, np.nan], [18, 12])
    change = y[:, 3:].mean(axis=1) - y[:, :3].mean(axis=1)
    for method in ("welch", "permutation"):
        found = crm_effect(panel_of(y, start), **NAMES, method=method, n_draws=4000)["calls"]
        right = campaign_effect(change[:18], change[18:], method=method)
        assert found.effect == pytest.approx(right.effect)
        assert found.standard_error == pytest.approx(right.standard_error)
        near = 1e-9 if method == "welch" else 0.05 * (right.high - right.low)
        assert (found.low, found.high) == pytest.approx((right.low, right.high), abs=near)


@pytest.mark.parametrize("method", ["permutation", "welch"])
@pytest.mark.parametrize("kind", ["one start", "staggered"])
def test_a_start_without_effect_is_called_one_in_nineteen_of_twenty(method, kind):
    rng = np.random.default_rng(7)
    reps, wrong, missed, placebo = 100, 0, 0, 0
    sizes = {"one start": [12, 0, 12], "staggered": [8, 7, 9]}[kind]
    start = np.repeat([3.0, 4.0, np.nan], sizes)
    for i in range(reps):
        walk = rng.normal(size=(24, 6)).cumsum(axis=1) + 0.5 * np.arange(6)
        on = np.arange(1, 7) >= np.nan_to_num(start, nan=9.0)[:, None]
        with heard(DataWarning):
            none = crm_effect(panel_of(walk, start), **NAMES, method=method, seed=i, n_draws=199)
            some = crm_effect(
                panel_of(walk + 2.0 * on, start), **NAMES, method=method, seed=i, n_draws=199
            )
        wrong += none["calls"].low > 0 or none["calls"].high < 0
        placebo += none.placebos[0].low > 0 or none.placebos[0].high < 0
        missed += not some["calls"].low <= 2.0 <= some["calls"].high
    error = np.sqrt(0.05 * 0.95 / reps)
    for rate in (wrong, placebo, missed):
        assert abs(rate / reps - 0.05) < 3 * error


def test_controls_that_are_weighted_resemble_the_treated_before_and_take_the_trend_out():
    rng = np.random.default_rng(8)
    missed, plain, reps = 0, 0, 200
    for i in range(reps):
        level = np.concatenate([rng.normal(11, 1, 40), rng.normal(10, 1.5, 80)])
        start = np.repeat([4, np.nan], [40, 80])
        y = level[:, None] * (1 + 0.2 * np.arange(6)) + rng.normal(0, 1, (120, 6))
        y[:40, 3:] += 1.0
        # large units grow faster: without weights the trend is taken for an effect
        with heard(DataWarning):
            found = crm_effect(panel_of(y, start), **NAMES, weigh_controls=True, seed=i)
        missed += not found["calls"].low <= 1.0 <= found["calls"].high
        table = found.balance_table()
        assert table["difference"].abs().max() < 1e-6
        assert 10 < found.n_eff < 80
        if i < 20:
            with heard(DataWarning):
                one = crm_effect(panel_of(y, start), **NAMES, method="welch")
            plain += not one["calls"].low <= 1.0 <= one["calls"].high
            assert not one.balance_table()["alike"].any()
    assert missed / reps < 0.05 + 3 * np.sqrt(0.05 * 0.95 / reps)
    assert plain > 10


def test_units_that_went_apart_before_are_doubted():
    rng = np.random.default_rng(9)
    y = rng.normal(size=(40, 6))
    y[:20] += 2.0 * np.arange(6)
    with pytest.warns(DataWarning, match="went apart before the start already: calls"):
        found = crm_effect(panel_of(y, [4] * 20 + [np.nan] * 20), **NAMES)
    assert "doubt it" in str(found)
    assert "存疑" in found.sentence("zh")
    assert found.table("zh").columns[0] == "指标"


def test_dates_polars_and_several_metrics_are_taken():
    rng = np.random.default_rng(10)
    y = rng.normal(size=(12, 4))
    panel = panel_of(y, [3] * 6 + [np.nan] * 6).assign(visits=rng.poisson(5, 48))
    months = pd.to_datetime("2025-01-01") + pd.to_timedelta(30 * panel["month"], unit="D")
    began = panel["go_live"].map({3.0: pd.Timestamp("2025-03-20")})
    dated = panel.assign(month=months, go_live=began)
    asked = {**NAMES, "metrics": ["calls", "visits"], "n_draws": 99}
    one = crm_effect(panel, **asked)
    # 20 March lies between the second period (2 March) and the third (1 April)
    other = crm_effect(dated, **asked)
    third = crm_effect(pl.from_pandas(panel), **asked)
    for found in (other, third):
        assert found.table()["estimate"].to_list() == pytest.approx(
            one.table()["estimate"].tolist()
        )
    assert one.table()["metric"].tolist() == ["calls", "visits"]
    with pytest.raises(KeyError, match="there are"):
        one["orders"]


def test_one_unit_a_start_has_an_effect_without_interval_and_says_why():
    panel = panel_of([[1, 2, 4], [1, 2, 3]], [3, np.nan])
    with pytest.warns(SmallSampleWarning, match="in 2 ways"):
        found = crm_effect(panel, **NAMES)
    assert found["calls"].effect == pytest.approx((4 - 1.5) - (3 - 1.5))
    assert np.isnan(found["calls"].low)
    assert "one unit a start" in found.table()["note"].iloc[0]


def broken(what):
    panel = STAGGERED.copy()
    if what == "two starts":
        panel.loc[0, "go_live"] = 4
    elif what == "first":
        panel.loc[panel["branch"] == "b1", "go_live"] = 1
    elif what == "gap":
        panel = panel.drop(index=5)
    elif what == "twice":
        panel = pd.concat([panel, panel.iloc[[2]]])
    elif what == "missing":
        panel.loc[7, "calls"] = np.nan
    elif what == "nobody":
        panel["go_live"] = 9
    elif what == "text":
        panel["calls"] = "many"
    elif what == "kind":
        panel["month"] = pd.to_datetime("2025-01-01") + pd.to_timedelta(panel["month"], unit="D")
        panel["go_live"] = "soon"
    elif what == "no unit":
        panel.loc[3, "branch"] = None
    elif what == "column":
        panel = panel.rename(columns={"calls": "Calls"})
    return panel


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("two starts", r"more than one 'go_live' \(1 row, first: b0\)"),
        ("first", r"started in the first period, 1, or before it.*first: b1"),
        ("gap", r"lack some of the 4 periods \(1 row, first: b1\)"),
        ("twice", r"two rows of one period \(1 row, first: b0\)"),
        ("missing", r"'calls' has missing or infinite values \(1 row, first: 7\)"),
        ("nobody", "no unit started by the last period, 4"),
        ("text", "'calls' has values that are no numbers"),
        ("kind", "go_live has 'soon', which is not of the kind of the periods"),
        ("no unit", r"'branch' is missing \(1 row, first: 3\)"),
        ("column", "Did you mean 'Calls'"),
    ],
)
def test_a_panel_that_cannot_be_read_is_refused_by_name(what, words):
    with pytest.raises(DataContractError, match=words):
        crm_effect(broken(what), **NAMES)


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="say when units started"):
        crm_effect(STAGGERED, **NAMES, start=3)
    with pytest.raises(NotSupportedError, match="needs one start"):
        crm_effect(STAGGERED, **NAMES, weigh_controls=True)
    with pytest.raises(ValueError, match="method='t'"):
        crm_effect(STAGGERED, **NAMES, method="t")
    with pytest.raises(ValueError, match="metrics is empty"):
        crm_effect(STAGGERED, **{**NAMES, "metrics": []})
    with pytest.raises(TypeError, match="panel must be a table"):
        crm_effect([1, 2], **NAMES)
    with pytest.raises(NotSupportedError, match="several starts"):
        crm_effect(UNITS[UNITS["go_live"].notna()], **NAMES).balance_table()
