"""One customer at a time is what the same customer's row in a table gets, for every estimator."""

from __future__ import annotations

import numpy as np
import pytest

import custvalue as cv
from custvalue.exceptions import DataContractError, NotSupportedError
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer
from custvalue.value import CellMeans, RateForward, RecencyMigration, RetentionValue, SameForAll

pytestmark = pytest.mark.filterwarnings("ignore::custvalue.exceptions.BinWarning")
NAMES = {"customer": "customer_id", "time": "date", "amount": "amount"}


@pytest.fixture(scope="module")
def log():
    return cv.datasets.load_cdnow("sample")


@pytest.fixture(scope="module")
def summary(log):
    return cv.summarize(log, **NAMES, as_of="1997-09-30", unit="W").head(600)


def rows_of(table, n=12):
    """Rows of a table as a service gets them, one of them of the customer with most orders."""
    some = table.iloc[[*range(n), int(table["n_orders"].to_numpy().argmax())]]
    return some, some.to_dict("records")


VALUES = [
    cv.CustomerValue(horizon="26W", margin=0.3, contact_cost=0.1),
    cv.CustomerValue(purchases=cv.ParetoNBD(), horizon="26W", annual_discount_rate=0.1),
    RateForward(horizon="26W"),
    SameForAll(horizon="26W"),
    RetentionValue(horizon="26W"),
]


@pytest.mark.parametrize("model", VALUES, ids=lambda m: type(m).__name__)
def test_a_value_model_values_one_customer_as_in_a_table(model, summary):
    fitted = model.fit(summary)
    table, rows = rows_of(summary)
    score = fitted.scorer()
    np.testing.assert_allclose(
        [score(row) for row in rows], fitted.predict(table), rtol=1e-12, atol=1e-12
    )
    longer = fitted.scorer("52W")
    assert longer(rows[0]) == pytest.approx(fitted.predict(table, "52W")[0], rel=1e-12)
    assert score.unit == "W"


def test_models_of_panels_and_of_outcomes_value_one_customer_too(log, summary):
    panel = cv.panel(log, **NAMES, as_of="1997-09-30", period="4W")
    migration = RecencyMigration(horizon="24W").fit(panel)
    last = panel.groupby("customer_id").tail(1).head(8)
    got = [migration.scorer()(row) for row in last.to_dict("records")]
    np.testing.assert_allclose(got, migration.predict(last), rtol=1e-12)
    cells = CellMeans(n_bins=3, horizon="26W").fit(summary, summary["total_value"].to_numpy())
    table, rows = rows_of(summary)
    np.testing.assert_allclose([cells.scorer()(row) for row in rows], cells.predict(table))


def test_segmenters_class_one_customer_as_in_a_table(summary):
    table, rows = rows_of(summary)
    rfm = RFMTransformer().fit(summary)
    made = rfm.transform(table)
    assert [rfm.scorer()(row) for row in rows] == made.to_dict("records")
    silence = SilenceScorer().fit(summary)
    got = [silence.scorer()(row) for row in rows]
    assert [one["grade"] for one in got] == silence.grade(table).tolist()
    assert [one["silent"] for one in got] == silence.predict(table).tolist()
    stages = cv.LifecycleClassifier().fit(summary)
    assert [stages.scorer()(row) for row in rows] == stages.predict(table).tolist()
    value = ValueGrades().fit(summary[["total_value"]])
    letters = value.transform(table[["total_value"]])[:, 0].astype(int)
    got = [value.scorer()(row)["total_value"] for row in rows]
    assert got == ["ABCDE"[at - 1] for at in letters]
    matrix = ActivityLoyaltyMatrix().fit(summary)
    got = [matrix.scorer()(row) for row in rows]
    assert [one["quadrant"] for one in got] == matrix.quadrants(table).tolist()
    indexes = [[one["activity"], one["loyalty"]] for one in got]
    np.testing.assert_allclose(indexes, matrix.transform(table), rtol=1e-12)


def test_a_row_that_cannot_be_has_a_status_and_a_reason(summary):
    score = cv.CustomerValue(horizon="26W").fit(summary).scorer()
    row = summary.iloc[0].to_dict()
    assert score.checked(row) == (score(row), "ok", "")
    impossible = score.checked(row, recency=row["T"] + 1)
    assert impossible.value is None
    assert impossible.status
    assert score.checked({**row, "T": np.nan}).status == "not-finite"
    del row["T"], row["frequency"]
    lost = score.checked(row)
    assert lost.status == "missing-column, missing-column"
    assert "'T'" in lost.reason
    with pytest.raises(DataContractError, match="frequency"):
        score(row)
    text = SilenceScorer().fit(summary).scorer().checked(silence="long", n_gaps=1, gap_max=1,
                                                         gap_sum=1, n_gaps_shorter=0)  # fmt: skip
    assert text.status == "not-numeric"


def test_a_row_without_any_of_the_values_lacks_them_all(summary):
    score = cv.CustomerValue(horizon="26W").fit(summary).scorer()
    for row in ({}, {"who": "ann"}, {"shoe": 42.0}):
        lost = score.checked(row)
        assert lost.value is None
        assert set(lost.status.split(", ")) == {"missing-column"}


def test_the_blend_of_a_month_values_one_customer_as_in_a_table():
    log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), **NAMES, as_of="1998-05-31")
    made = cv.monthly.fit(log, horizon="26W")
    assert made.reads_summary
    table, rows = rows_of(log.summary("D"))
    score = cv.monthly.Artefact.from_dict(made.to_dict()).model.scorer()
    np.testing.assert_allclose([score(row) for row in rows], made.model.predict(table), rtol=1e-12)
    assert score.unit == "D"
    assert score.checked({**rows[0], "recency": 9999.0}).status == "recency-exceeds-T"
    assert score.checked({}).value is None


def test_what_has_no_names_or_needs_the_log_says_so(summary):
    plain = SilenceScorer().fit([[3.0, 5.0], [4.0, 2.0]])
    with pytest.raises(NotSupportedError, match="without names"):
        plain.scorer()
    logged = cv.TransactionLog(cv.datasets.load_cdnow("sample"), **NAMES, as_of="1998-06-30")
    seasonal = cv.value.SeasonalValue(horizon="26W").fit(logged)
    with pytest.raises(NotSupportedError, match="reads the log"):
        seasonal.scorer()
