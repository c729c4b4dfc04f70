"""Names of stages are held to what their customers did after earlier dates of the log."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._kernels import repeated_shares, wilson
from custvalue.exceptions import DataContractError
from custvalue.lifecycle import LifecycleClassifier
from custvalue.lifecycle._for_rooms import SeenStages, stages_tested

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def log(cdnow_sample):
    return cv.TransactionLog(cdnow_sample, **NAMES, as_of="1998-06-30")


@pytest.fixture(scope="module")
def stages(log):
    return LifecycleClassifier(learn_windows=True).fit(log.summary())


def test_shares_are_those_that_plain_pandas_counts(log, stages, cdnow_sample):
    test = stages.validate(log, dates=["1997-12-31", "1998-03-31"], horizon="60D")
    seen = []
    for date in ("1997-12-31", "1998-03-31"):
        known = cdnow_sample[cdnow_sample["date"] <= date]
        summary = cv.summarize(known, **NAMES, as_of=date)
        stage = LifecycleClassifier(learn_windows=True).fit(summary).predict(summary)
        when = cdnow_sample["date"]
        after = (when > date) & (when <= pd.Timestamp(date) + pd.Timedelta("60D"))
        later = cdnow_sample[after & (cdnow_sample["amount"] > 0)]
        bought = summary["customer_id"].isin(later["customer_id"])
        seen.append(pd.DataFrame({"stage": stage, "bought": bought}))
    both = pd.concat(seen).groupby("stage")["bought"]
    table = test.table().set_index("stage")
    assert table["tested"].to_dict() == both.size().to_dict()
    assert table["ordered"].to_dict() == pytest.approx(both.mean().to_dict())
    assert ((table["ordered_low"] < table["ordered"]) & (table["ordered"] < table["ordered_high"]))[
        table["tested"] > 0
    ].all()
    today = pd.Series(stages.predict(log.summary())).value_counts()
    assert table["customers"].to_dict() == today.to_dict()
    assert test.dates == ("1997-12-31", "1998-03-31")


def then(date="2024-01-01", **stages):
    """So many customers of a stage, of whom so many ordered."""
    stage = [name for name, (n, _) in stages.items() for _ in range(n)]
    ordered = [i < k for n, k in stages.values() for i in range(n)]
    return SeenStages(date, np.arange(len(stage)), np.array(stage, dtype=object), np.array(ordered))


def verdicts(*seen, today=()):
    return {one.stage: one.verdict for one in stages_tested(seen, list(today), 90.0, 0.8).results}


@pytest.mark.parametrize(
    ("stages", "stage", "verdict"),
    [
        ({"new": (100, 40), "established": (100, 50)}, "established", "holds"),
        ({"new": (10000, 4000), "established": (10000, 3700)}, "established", "contradicted"),
        ({"new": (10000, 4000), "established": (10000, 3900)}, "established", "holds"),
        ({"new": (100, 40), "established": (100, 37)}, "established", "holds"),  # by chance
        ({"established": (100, 50), "core": (100, 30)}, "core", "contradicted"),
        ({"core": (100, 50), "problem": (100, 40)}, "problem", "holds"),
        ({"core": (100, 50), "problem": (100, 55)}, "problem", "contradicted"),
        ({"core": (100, 50), "problem": (100, 42)}, "problem", "holds"),  # by chance
        ({"core": (100, 50), "exited": (100, 10)}, "exited", "holds"),
        ({"core": (100, 50), "exited": (100, 11)}, "exited", "holds"),  # by chance
        ({"core": (100, 50), "exited": (100, 20)}, "exited", "contradicted"),
        ({"core": (1000, 80), "exited": (1000, 60)}, "exited", "contradicted"),
        ({"problem": (1000, 20), "exited": (1000, 60)}, "exited", "contradicted"),
        ({"core": (19, 0), "problem": (100, 90)}, "problem", "holds"),  # nobody to compare with
        ({"core": (100, 50), "problem": (19, 19)}, "problem", "few"),
        ({"new": (100, 0)}, "new", "told"),
        ({"still on trial": (100, 0)}, "still on trial", "told"),
    ],
)
def test_a_name_holds_or_is_contradicted_by_what_came(stages, stage, verdict):
    assert verdicts(then(**stages))[stage] == verdict


def test_a_stage_that_nobody_was_in_then_is_not_tested():
    assert verdicts(then(new=(30, 3)), today=["core", "new"]) == {"new": "told", "core": "nobody"}


def test_who_was_seen_at_three_dates_is_not_three():
    code, hit = np.zeros(100, dtype=int), (np.arange(100) < 30).astype(float)
    once = repeated_shares(code, np.arange(100), hit, 1, 0.8)
    thrice = repeated_shares(np.tile(code, 3), np.tile(np.arange(100), 3), np.tile(hit, 3), 1, 0.8)
    low, high = wilson(0.3, 100, 0.8)
    for _, share, ends, upper in (once, thrice):
        assert share[0] == pytest.approx(0.3)
        assert (ends[0], upper[0]) == pytest.approx((float(low), float(high)))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_words_say_where_a_name_does_not_hold(language):
    seen = then(new=(200, 80), established=(200, 60), problem=(100, 20), exited=(50, 20))
    test = stages_tested([seen], ["new"], 90.0, 0.8)
    said = test.words(language, only=("contradicted",))
    none = "the name does not hold here."
    first, second = {
        "en": (
            "established: 30 % ordered within 90 days, at 1 date; of new 40 %: " + none,
            "exited: 40 % ordered within 90 days, at 1 date; a name like that may have 10 % at most"
            ": " + none,
        ),
        "zh": (
            "老客户：1个日期后90天内有30%下单；新客户为40%：此名称在本记录上不成立。",
            "退出客户：1个日期后90天内有40%下单；此名称至多容许10%：此名称在本记录上不成立。",
        ),
    }[language]
    assert said == (first, second)
    assert len(test.words(language)) == 4


def test_a_log_too_short_is_not_tested_and_says_so(cdnow_sample):
    short = cv.TransactionLog(cdnow_sample, **NAMES, as_of="1997-03-01")
    model = LifecycleClassifier(learn_windows=True).fit(short.summary())
    test = model.validate(short)
    assert test.dates == ()
    assert test.words() == ("No earlier date of the log could test the names.",)
    assert test.words(only=("contradicted",)) == ()
    assert set(test.table()["verdict"]) == {"nobody"}


def test_labelled_stages_are_asked_as_they_were_learned(log):
    summary = log.summary()
    labels = np.where(summary["n_orders"] > 2, "established", "new")
    model = LifecycleClassifier().fit(summary, labels)
    table = model.validate(log, dates=1).table().set_index("stage")
    assert table.loc["established", "ordered"] > table.loc["new", "ordered"]


def test_bad_calls_are_refused_by_name(stages, log):
    with pytest.raises(DataContractError, match="reads a TransactionLog"):
        stages.validate(log.summary())
    with pytest.raises(ValueError, match="longer than nothing"):
        stages.validate(log, horizon="0D")
    with pytest.raises(ValueError, match="level"):
        stages.validate(log, level=1.0)
