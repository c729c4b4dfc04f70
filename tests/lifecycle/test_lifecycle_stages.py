"""Each stage, with and without CRM columns, at both edges of every window; laws of staging."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from custvalue.exceptions import DataContractError, TimeUnitError
from custvalue.lifecycle import LifecycleClassifier

MONTH, YEAR = 365.25 / 12, 365.25
TINY = 1e-3


def customer(**known) -> pd.DataFrame:
    """One customer with 8 even orders over 400 days, the last 10 days ago, changed by ``known``."""
    row = {
        "n_orders": 8,
        "recency": 400.0,
        "silence": 10.0,
        "gap_max": 60.0,
        "gap_mean": 57.0,
        "gap_std": 3.0,
    }
    return pd.DataFrame([row | known])


def stage(frame: pd.DataFrame, **parameters) -> str:
    return LifecycleClassifier(unit="D", **parameters).fit(frame).predict(frame)[0]


def upgrade(frame: pd.DataFrame, **parameters) -> pd.Series:
    return LifecycleClassifier(unit="D", **parameters).fit(frame).upgrade_table(frame).iloc[0]


def one_order(silence: float, **known) -> pd.DataFrame:
    return customer(
        n_orders=1, recency=0.0, silence=silence, gap_max=np.nan, gap_mean=np.nan, gap_std=np.nan
    ).assign(**known)


def no_order(**known) -> pd.DataFrame:
    nothing = dict.fromkeys(["recency", "silence", "gap_max", "gap_mean", "gap_std"], np.nan)
    return customer(n_orders=0, **nothing).assign(**known)


# -- the eight stages ----------------------------------------------------------------------------


def test_a_name_without_an_order_is_potential():
    assert stage(no_order()) == "potential"
    assert stage(no_order(in_plan=False, contacted=False)) == "potential"
    assert stage(no_order(n_orders=np.nan)) == "potential"


@pytest.mark.parametrize("flag", ["in_plan", "contacted"])
def test_a_name_in_the_plan_or_in_contact_is_a_target(flag):
    assert stage(no_order(**{flag: True})) == "target"
    assert stage(no_order(**{flag: None})) == "potential"
    assert stage(customer(**{flag: True})) == "core"  # orders say more than the plan


def test_trial_orders_make_a_new_customer():
    assert stage(one_order(5)) == "new"
    assert stage(customer(n_orders=2, recency=300.0, gap_max=300.0)) == "new"


@pytest.mark.parametrize("crm", [{}, {"open_dispute": False, "terminated": False}])
def test_two_months_of_repeat_orders_make_an_established_customer(crm):
    short = {"n_orders": 3, "gap_max": 40.0, **crm}
    assert stage(customer(recency=2 * MONTH - TINY, **short)) == "new"
    assert stage(customer(recency=2 * MONTH, **short)) == "established"
    assert stage(customer(recency=2 * MONTH, **short | {"n_orders": 2})) == "new"


@pytest.mark.parametrize("crm", [{}, {"satisfaction": 0.9, "joint_project": False}])
def test_three_more_months_and_more_orders_make_a_core_customer(crm):
    many = {"n_orders": 6, "gap_max": 60.0, **crm}
    assert stage(customer(recency=5 * MONTH - TINY, **many)) == "established"
    assert stage(customer(recency=5 * MONTH, **many)) == "core"
    assert stage(customer(recency=5 * MONTH, **many | {"n_orders": 5})) == "established"


def test_a_year_more_and_a_joint_project_make_a_strategic_partner():
    joint = {"joint_project": True, "gap_max": 90.0}
    assert stage(customer(recency=17 * MONTH - TINY, **joint)) == "core"
    assert stage(customer(recency=17 * MONTH, **joint)) == "strategic"
    assert stage(customer(recency=17 * MONTH, gap_max=90.0)) == "core"
    assert stage(customer(recency=17 * MONTH, **joint | {"n_orders": 4})) == "established"


def test_an_established_customer_who_goes_quiet_is_a_problem():
    assert stage(customer(silence=120.0)) == "core"  # twice the longest gap: not yet over it
    assert stage(customer(silence=120.0 + TINY)) == "problem"
    often = {"gap_max": 5.0, "gap_mean": 4.0, "gap_std": 1.0}
    assert stage(customer(silence=MONTH - TINY, **often)) == "core"
    assert stage(customer(silence=MONTH, **often)) == "problem"
    assert stage(one_order(300.0)) == "new"  # a trial that came to nothing is no conflict


def test_an_open_dispute_makes_a_problem_of_anyone():
    assert stage(customer(open_dispute=True)) == "problem"
    assert stage(one_order(5, open_dispute=True)) == "problem"


def test_silence_of_a_year_and_three_times_the_longest_gap_is_an_exit():
    assert stage(one_order(YEAR - TINY)) == "new"
    assert stage(one_order(YEAR)) == "exited"
    yearly = {"gap_max": 360.0, "recency": 3000.0}
    assert stage(customer(silence=1080.0, **yearly)) == "problem"
    assert stage(customer(silence=1080.0 + TINY, **yearly)) == "exited"


def test_an_ended_relationship_is_an_exit_whatever_else_holds():
    assert stage(customer(terminated=True, open_dispute=True, joint_project=True)) == "exited"


def test_a_chance_of_return_from_any_model_can_tell_an_exit():
    assert stage(customer(return_chance=0.049)) == "exited"
    assert stage(customer(return_chance=0.05)) == "core"
    assert stage(no_order(return_chance=0.0)) == "potential"


def test_core_asks_for_regular_gaps_for_value_and_for_satisfaction():
    assert stage(customer(gap_std=57 * 1.5)) == "core"
    assert stage(customer(gap_std=57 * 1.5 + TINY)) == "established"
    assert stage(customer(gap_std=500.0), core_irregularity=None) == "core"
    assert stage(customer(satisfaction=0.49)) == "established"
    assert stage(customer(satisfaction=np.nan)) == "core"
    assert stage(customer(satisfaction=7), satisfied_from=8) == "established"
    two = pd.concat([customer(total_value=10.0), customer(total_value=90.0)], ignore_index=True)
    model = LifecycleClassifier(unit="D", core_value_quantile=1.0).fit(two)
    assert list(model.predict(two)) == ["established", "core"]


def test_the_value_cut_is_learned_once_and_kept():
    base = pd.concat([customer(total_value=v) for v in (10.0, 20.0, 30.0)], ignore_index=True)
    model = LifecycleClassifier(unit="D").fit(base)
    assert model.thresholds_.core_value == 20.0
    assert list(model.predict(base * [1, 1, 1, 1, 1, 1, 10])) == ["core"] * 3
    weighted = LifecycleClassifier(unit="D").fit(base, sample_weight=[1, 1, 3])
    assert weighted.thresholds_.core_value == 30.0


# -- time in the stage ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "timing"),
    [
        (2 * MONTH - TINY, "early"),
        (2 * MONTH, "due"),
        (4 * MONTH, "due"),
        (4 * MONTH + TINY, "overdue"),
    ],
)
def test_a_trial_is_due_from_two_to_four_months(age, timing):
    row = upgrade(one_order(age))
    assert (row["timing"], row["since_is"], row["next_stage"]) == (timing, "exact", "established")
    assert row["time_in_stage"] == pytest.approx(age)


@pytest.mark.parametrize(
    ("time", "timing"),
    [
        (3 * MONTH - TINY, "early"),
        (3 * MONTH, "due"),
        (12 * MONTH, "due"),
        (12 * MONTH + TINY, "overdue"),
    ],
)
def test_being_established_is_due_from_three_to_twelve_months(time, timing):
    # three orders over 2 months: established with the third, at the end of the span
    frame = customer(n_orders=3, recency=2 * MONTH, gap_max=YEAR, silence=time)
    row = upgrade(frame)
    assert (row["stage"], row["timing"], row["since_is"]) == ("established", timing, "estimated")
    assert row["time_in_stage"] == pytest.approx(time)


@pytest.mark.parametrize(("time", "timing"), [(YEAR - TINY, "early"), (YEAR, "due"), (3e3, "due")])
def test_being_core_is_due_from_a_year_on(time, timing):
    frame = customer(n_orders=6, recency=5 * MONTH, gap_max=2e3, silence=time)
    row = upgrade(frame)
    assert (row["stage"], row["timing"], row["next_stage"]) == ("core", timing, "strategic")


def test_stages_without_a_window_have_no_timing_and_say_why_no_date_is_known():
    for frame in (no_order(), customer(open_dispute=True), customer(terminated=True)):
        row = upgrade(frame)
        assert (row["timing"], row["since_is"]) == ("no window", "unknown")
        assert np.isnan(row["time_in_stage"])


def test_a_silence_began_when_it_crossed_its_line():
    row = upgrade(customer(silence=150.0))
    assert (row["stage"], row["since_is"], row["time_in_stage"]) == ("problem", "exact", 30.0)
    row = upgrade(one_order(YEAR + 7))
    assert (row["stage"], row["since_is"]) == ("exited", "exact")
    assert row["time_in_stage"] == pytest.approx(7.0)


def test_the_upgrade_table_says_what_is_missing():
    row = upgrade(one_order(5))
    assert row["wants"] == "more orders, orders over a longer span"
    assert (row["orders_missing"], row["span_missing"]) == (2, pytest.approx(2 * MONTH))
    row = upgrade(customer(n_orders=4, recency=100.0, gap_std=500.0))
    assert row["wants"] == "more orders, orders over a longer span, more regular orders"
    assert upgrade(customer(recency=600.0))["wants"] == "a joint project"
    assert upgrade(customer(silence=200.0))["wants"] == "an order after the silence"
    assert upgrade(customer(open_dispute=True))["wants"] == "an end to the dispute"
    assert upgrade(customer(terminated=True))["wants"] == "a new beginning"
    assert upgrade(no_order())["wants"] == "a place in the development plan"
    assert upgrade(no_order(in_plan=True))["wants"] == "a first order"
    assert upgrade(customer(recency=600.0, joint_project=True))["wants"] == ""
    assert upgrade(customer(recency=600.0, joint_project=True))["next_stage"] == ""
    assert upgrade(customer(silence=200.0))["next_stage"] == "core"


def test_dates_follow_from_the_as_of_date():
    frame = one_order(31.0)
    model = LifecycleClassifier(unit="D").fit(frame)
    assert "stage_since" not in model.upgrade_table(frame)
    dated = model.upgrade_table(frame, as_of="2024-03-01")
    assert dated.loc[0, "stage_since"] == pd.Timestamp("2024-01-30")


# -- laws ----------------------------------------------------------------------------------------

flags = st.sampled_from([0.0, 1.0, np.nan])
numbers = st.floats(0, 1, allow_nan=False)


@st.composite
def legal_customers(draw) -> pd.DataFrame:
    """A few customers that a log can have, with every CRM column."""
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        n_gaps = draw(st.integers(-1, 12))
        gaps = np.array(
            draw(st.lists(st.integers(1, 400), min_size=n_gaps, max_size=n_gaps))
            if n_gaps > 0
            else [],
            dtype=float,
        )
        has = n_gaps >= 0
        rows.append({
            "n_orders": n_gaps + 1,
            "recency": gaps.sum() if has else np.nan,
            "silence": draw(st.integers(0, 2000)) if has else np.nan,
            "gap_max": gaps.max() if len(gaps) else np.nan,
            "gap_mean": gaps.mean() if len(gaps) else np.nan,
            "gap_std": gaps.std() if len(gaps) else np.nan,
            "total_value": draw(st.integers(0, 1000)) if has else np.nan,
            **{name: draw(flags) for name in
               ("in_plan", "contacted", "open_dispute", "terminated", "joint_project")},
            "satisfaction": draw(numbers),
            "return_chance": draw(numbers),
        })  # fmt: skip
    return pd.DataFrame(rows)


@given(legal_customers())
def test_every_customer_is_in_exactly_one_stage(customers):
    model = LifecycleClassifier(unit="D").fit(customers)
    membership = model.transform(customers)
    assert set(np.unique(membership)) <= {0.0, 1.0}
    assert (membership.sum(axis=1) == 1).all()
    assert (model.classes_[membership.argmax(axis=1)] == model.predict(customers)).all()


LADDER = ["potential", "target", "new", "established", "core", "strategic"]


@given(legal_customers(), st.integers(1, 3000))
def test_who_only_gets_older_never_moves_up(customers, days):
    model = LifecycleClassifier(unit="D").fit(customers)
    older = customers.assign(silence=customers["silence"] + days)
    for before, after in zip(model.predict(customers), model.predict(older), strict=True):
        if before == "exited":
            assert after == "exited"
        elif before == "problem":
            assert after in ("problem", "exited")
        elif after in LADDER:
            assert LADDER.index(after) <= LADDER.index(before)


@given(legal_customers(), st.sampled_from(["W", "M", "4W"]))
def test_stages_do_not_depend_on_the_unit_of_time(customers, unit):
    days = {"W": 7.0, "M": MONTH, "4W": 28.0}[unit]
    spans = ["recency", "silence", "gap_max", "gap_mean", "gap_std"]
    rescaled = customers.assign(**{name: customers[name] / days for name in spans})
    in_days = LifecycleClassifier(unit="D").fit(customers)
    in_other = LifecycleClassifier(unit=unit).fit(rescaled)
    assert (in_days.predict(customers) == in_other.predict(rescaled)).all()


@given(legal_customers(), st.randoms(use_true_random=False))
def test_stages_do_not_depend_on_the_order_of_rows(customers, shuffle):
    order = list(range(len(customers)))
    shuffle.shuffle(order)
    moved = customers.iloc[order].reset_index(drop=True)
    one = LifecycleClassifier(unit="D").fit(customers).predict(customers)
    assert (LifecycleClassifier(unit="D").fit(moved).predict(moved) == one[order]).all()


# -- refusing what cannot be ---------------------------------------------------------------------


def test_all_problems_of_a_table_are_told_together():
    bad = customer(silence=-1.0, gap_max=np.nan, open_dispute=3, return_chance=2.0)
    with pytest.raises(DataContractError) as caught:
        LifecycleClassifier(unit="D").fit(bad)
    assert [p.code for p in caught.value.problems] == [
        "negative",
        "missing-span",
        "not-a-flag",
        "not-a-chance",
    ]


def test_missing_columns_are_named_together():
    with pytest.raises(DataContractError, match=r"'silence'.*\n.*'gap_max'"):
        LifecycleClassifier(unit="D").fit(customer()[["n_orders", "recency"]])


def test_a_table_without_a_unit_is_refused():
    with pytest.raises(TimeUnitError, match="new_window='2M' has a unit"):
        LifecycleClassifier().fit(customer())


def test_another_scale_of_satisfaction_wants_its_cut():
    with pytest.raises(ValueError, match="satisfaction goes up to 9"):
        LifecycleClassifier(unit="D").fit(customer(satisfaction=9))


def test_a_mapping_of_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match="maps \\['complaints'\\], which no rule reads"):
        LifecycleClassifier(unit="D", columns={"complaints": "c"}).fit(customer())


def test_columns_can_have_other_names():
    frame = customer(has_claim=True).rename(columns={"silence": "days_quiet"})
    names = {"open_dispute": "has_claim", "silence": "days_quiet"}
    assert stage(frame, columns=names) == "problem"


def test_an_array_is_read_by_position():
    frame = customer()
    array = frame.to_numpy()
    model = LifecycleClassifier(unit="D").fit(array)
    assert list(model.predict(array)) == ["core"]
    assert list(LifecycleClassifier(unit="D").fit(array[:, :4]).predict(array[:, :4])) == ["core"]
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        LifecycleClassifier(unit="D").fit(array[:, :3])


@pytest.mark.parametrize("name", ["recency", "silence"])
def test_one_order_has_a_date_too(name):
    frame = customer(n_orders=1, recency=0.0, silence=3.0, gap_max=np.nan).assign(**{name: np.nan})
    with pytest.raises(DataContractError, match=f"missing-span: column '{name}'"):
        stage(frame)


def test_two_orders_that_establish_do_so_at_the_second():
    frame = customer(n_orders=2, recency=200.0, silence=10.0, gap_max=200.0)
    row = upgrade(frame, established_orders=2)
    assert (row["stage"], row["time_in_stage"]) == ("established", 10.0)


def test_windows_are_learned_from_the_middle_half_of_those_who_came_that_far():
    gaps = np.arange(10.0, 110.0, 10.0)  # ten customers of five orders, one with each mean gap
    customers = pd.DataFrame({"n_orders": 5, "recency": 4 * gaps, "silence": 1.0, "gap_max": gaps})
    few = pd.DataFrame({"n_orders": [1, 2], "recency": [0.0, 900.0], "silence": 5.0, "gap_max": 9})
    model = LifecycleClassifier(unit="D", learn_windows=True).fit(pd.concat([customers, few]))
    at = model.thresholds_
    # three orders take two gaps, the next three three more, and six as long again
    assert at.new_window == (2 * 30.0, 2 * 80.0)
    assert at.established_window == (3 * 30.0, 3 * 80.0)
    assert at.core_window == 6 * 50.0
    weights = np.where(np.arange(12) == 0, 1000.0, 1.0)
    heavy = LifecycleClassifier(unit="D", learn_windows=True).fit(
        pd.concat([customers, few]), sample_weight=weights
    )
    assert heavy.thresholds_.new_window == (20.0, 20.0)


def test_windows_that_too_few_customers_tell_stay_as_given():
    few = pd.DataFrame({"n_orders": [3] * 9, "recency": 50.0, "silence": 1.0, "gap_max": 30.0})
    learned = LifecycleClassifier(unit="D", learn_windows=True).fit(few).thresholds_
    assert learned == LifecycleClassifier(unit="D").fit(few).thresholds_
