"""What customers think joins what they do: the matrix, the stages, value that is learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import custvalue as cv
from custvalue._warn import heard
from custvalue.data import TransactionLog
from custvalue.grades import ActivityLoyaltyMatrix
from custvalue.lifecycle import LifecycleClassifier
from custvalue.metrics import normalized_gini_score
from custvalue.purchase import MBGNBD
from custvalue.survey import Need, NeedsCoverage, PerceivedValue
from custvalue.value import CustomerValue, LearnedValue


@pytest.fixture(scope="module")
def customers(cdnow_sample):
    return cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )


@pytest.fixture(scope="module")
def ratings(customers):
    """Every third customer rates us and a rival."""
    asked = customers["customer_id"].to_numpy()[::3]
    random = np.random.default_rng(0)
    n = 2 * len(asked)
    return pd.DataFrame(
        {
            "customer_id": np.repeat(asked, 2),
            "brand": np.tile(["us", "them"], len(asked)),
            "range": random.integers(1, 6, n),
            "price": random.integers(1, 6, n),
        }
    )


@pytest.fixture(scope="module")
def value(ratings):
    return PerceivedValue(
        benefits=["range"],
        sacrifices=["price"],
        scale=(1, 5),
        respondent="customer_id",
        quality_weight=0.6,
        n_draws=20,
    ).fit(ratings)


def test_relative_value_is_the_loyalty_of_the_matrix(customers, ratings, value):
    asked = value.customer_table(ratings, "us")
    row = customers.merge(asked, on="customer_id", how="left")
    matrix = ActivityLoyaltyMatrix(loyalty={"relative_value": 1.0}).fit(row)
    table = matrix.quadrant_table(row)
    loyal = table["loyalty"].to_numpy()
    answered = row["relative_value"].notna().to_numpy()
    assert answered.sum() == len(asked)
    # the better we are rated against the rival, the more loyal; who was not asked stands between
    order = np.argsort(row["relative_value"].to_numpy()[answered], kind="stable")
    assert (np.diff(loyal[answered][order]) >= -1e-12).all()
    assert (loyal[~answered] == 0.5).all()
    assert set(table["quadrant"]) >= {"active and loyal", "active, not loyal"}


def test_net_value_is_the_satisfaction_of_the_stages(customers, ratings, value):
    asked = value.customer_table(ratings, "us")
    row = customers.merge(asked[["customer_id", "net_value"]], on="customer_id", how="left")
    plain = LifecycleClassifier(unit="D", core_irregularity=None).fit(customers)
    judged = LifecycleClassifier(
        unit="D", core_irregularity=None, columns={"satisfaction": "net_value"}, satisfied_from=0.0
    ).fit(row)
    before, now = plain.predict(customers), judged.predict(row)
    known = row["net_value"].notna().to_numpy()
    unhappy = known & (row["net_value"].to_numpy() < 0)
    happy = known & ~unhappy
    assert ((before == "core") & unhappy).any()
    assert not (now == "core")[unhappy].any()
    assert (now == before)[happy].all()


def test_core_coverage_keeps_from_the_core_whom_core_needs_fail(customers):
    random = np.random.default_rng(1)
    levels = customers.assign(
        quality=random.integers(2, 6, len(customers)).astype(float),
        training=random.integers(0, 5, len(customers)).astype(float),
    )
    needs = NeedsCoverage(
        needs={"quality": Need(4, 5, "core"), "training": Need(3, 2, "additional")}
    ).fit(levels)
    coverage = needs.coverage_table(levels)
    assert coverage.columns[0] == "customer_id"
    row = customers.join(coverage[["core_coverage"]])
    stages = LifecycleClassifier(
        unit="D",
        core_irregularity=None,
        columns={"satisfaction": "core_coverage"},
        satisfied_from=1.0,
    ).fit(row)
    stage = stages.predict(row)
    assert (stage == "core").any()
    assert (row["core_coverage"][stage == "core"] == 1.0).all()
    table = needs.stage_table(levels, stage)
    assert table["customer_id"].equals(customers["customer_id"])
    assert not (table["stage_by_needs"][stage == "core"] == "none").any()


@pytest.fixture(scope="module")
def rated_shop():
    """Customers rate us at the start; the better, the more they come back and the longer."""
    random = np.random.default_rng(4)
    n = 500
    who = np.arange(n)
    liking = random.integers(1, 6, n)
    answers = pd.DataFrame(
        {
            "customer_id": np.repeat(who, 2),
            "brand": np.tile(["us", "them"], n),
            "range": np.column_stack([liking, np.full(n, 3)]).ravel(),
            "price": np.tile([3, 3], n),
        }
    ).iloc[: 2 * (n - 60)]  # the last sixty were not asked
    start = random.integers(0, 60, n)
    rows = [pd.DataFrame({"customer_id": who, "day": start, "amount": 10.0})]
    for _ in range(10):
        back = random.random(n) < 0.18 * liking
        day = start + random.integers(1, 60 + 130 * liking)
        rows.append(pd.DataFrame({"customer_id": who, "day": day, "amount": 10.0})[back])
    log = pd.concat(rows, ignore_index=True).query("day < 720")
    log["date"] = pd.Timestamp("2021-01-01") + pd.to_timedelta(log.pop("day"), unit="D")
    log["shoe"] = np.round(random.normal(40, 2, n))[log["customer_id"]]
    return log, answers


def test_a_column_of_perceived_value_is_a_feature_of_learned_value(rated_shop):
    rows, answers = rated_shop
    value = PerceivedValue(
        benefits=["range"], sacrifices=["price"], scale=(1, 5), respondent="customer_id",
        quality_weight=0.6, n_draws=20,
    ).fit(answers)  # fmt: skip
    asked = value.customer_table(answers, "us")[["customer_id", "relative_value"]]
    joined = rows.merge(asked, on="customer_id", how="left")
    assert joined["relative_value"].isna().any()  # who was not asked has no answer, and stays
    log = TransactionLog(joined, customer="customer_id", time="date", amount="amount")
    known = log.until("2022-06-30")
    came, _ = log.between("2022-06-30", log.as_of).totals(known.customers())
    law = CustomerValue(purchases=MBGNBD())
    with heard():
        learned = LearnedValue(law=law, keep=["relative_value", "shoe"]).fit(known)
        without = LearnedValue(law=law, keep=["shoe"]).fit(known)
    assert "relative_value" in learned.fit_report()["features"]
    told = list(learned.feature_importance()["feature"])
    assert told.index("relative_value") < told.index("shoe")
    gini = [normalized_gini_score(came, m.predict(known, "26W")) for m in (learned, without)]
    assert gini[0] > gini[1]
    said = known.last_known("relative_value")
    worth = learned.predict(known, "26W")
    assert worth[said > 0].mean() > 1.5 * worth[said < 0].mean()
    assert np.isfinite(worth[np.isnan(said)]).all()
