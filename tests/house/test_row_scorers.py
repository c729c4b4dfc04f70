"""One customer at a time is what the same customer's row in a table gets, for every estimator."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import custvalue as cv
from custvalue._warn import heard
from custvalue.contracts import (
    BetaDiscreteWeibull,
    ContractValue,
    ExponentialGamma,
    WeibullGamma,
)
from custvalue.evaluation import StackedValue
from custvalue.exceptions import DataContractError, NotSupportedError
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.market import MarketSegments, MixedSegments
from custvalue.markov import ColumnStates, PanelStates
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer
from custvalue.spend import OwnMean
from custvalue.value import CellMeans, RateForward, RecencyMigration, RetentionValue, SameForAll

ROOMS = [
    "purchase", "spend", "rfm", "silence", "lifecycle", "grades", "markov", "funnel", "value",
    "survey", "market", "campaign", "evaluation", "contracts",
]  # fmt: skip
# who answers about no single row, and why; docs/howto/serve_single_customers.md has it too
NO_SCORER = {
    "VaryingBGNBD": "a customer is many rows, one for each change",
    "VaryingParetoNBD": "a customer is many rows, one for each change",
    "HiddenStates": "reads all periods of a customer",
    "CalibratedTotal": "reads the log",
    "HistoryFeatures": "reads the log",
    "LastPeriodRepeated": "reads the log",
    "FunnelChain": "reads deals, not customers",
    "TargetMarketRanker": "ranks markets among each other",
    "NeedsCoverage": "reads answers to a survey",
    "PerceivedValue": "reads answers to a survey",
    "ResponseModel": "learners of other libraries",
    "UpliftModel": "learners of other libraries",
}
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


def test_a_blend_of_several_laws_values_one_customer_too():
    log = cv.TransactionLog(cv.datasets.load_cdnow("sample"), **NAMES, as_of="1998-05-31")
    law = cv.CustomerValue(purchases=cv.MBGNBD(), spend=OwnMean())
    parts = {
        "law": law,
        "other spend": cv.CustomerValue(purchases=cv.MBGNBD(), spend=cv.GammaGamma()),
        "other law": cv.CustomerValue(purchases=cv.BGNBD(), spend=OwnMean()),
        "same": SameForAll(),
    }
    blend = StackedValue(parts, horizon="26W", annual_discount_rate=0.1, contact_cost=0.2).fit(log)
    assert len(blend.weights()) > 2
    table, rows = rows_of(log.summary("D"))
    for terms in ({}, {"margin": 0.4, "contact_cost": 0.0}, {"timing": "end"}):
        score = blend.set_params(**terms).scorer()
        np.testing.assert_allclose(
            [score(row) for row in rows], blend.predict(table), rtol=1e-12, atol=1e-12
        )


def test_a_chain_values_one_customer_under_every_margin(log):
    panel = cv.panel(log, **NAMES, as_of="1997-09-30", period="4W").assign(share=0.3)
    last = panel.groupby("customer_id").tail(1).iloc[::200]
    chain = cv.MarkovCLVEstimator(horizon="24W", annual_discount_rate=0.1).fit(panel)
    for terms in ({}, {"margin": 0.5, "contact_cost": 0.1}, {"margin": "share"}):
        score = chain.set_params(**terms).scorer()
        got = [score(row) for row in last.to_dict("records")]
        np.testing.assert_allclose(got, chain.predict(last), rtol=1e-12)
    states = PanelStates().fit(panel)
    got = [list(states.scorer()(row).values()) for row in last.to_dict("records")]
    assert got == states.transform(last).tolist()
    told = last.assign(town=["a", "b"] * (len(last) // 2) + ["a"] * (len(last) % 2))
    columns = ColumnStates(["town", "n_orders"]).fit(told)
    got = [list(columns.scorer()(row).values()) for row in told.to_dict("records")]
    assert got == columns.transform(told).tolist()
    assert columns.scorer().checked(town="z", n_orders=1).status == "unknown-words"
    with pytest.raises(NotSupportedError, match="by position"):
        ColumnStates().fit(last[["n_orders"]]).scorer()


def test_laws_of_spend_and_of_contracts_answer_about_one_row(summary):
    table, rows = rows_of(summary)
    for model in (cv.GammaGamma(), OwnMean()):
        known = summary[["frequency", "monetary_value", "n_orders", "mean_value"]]
        score = model.fit(known).scorer()
        got = [score(row) for row in rows]
        np.testing.assert_allclose(got, model.predict(table), rtol=1e-12)
    assert score.checked(n_orders=1.5, mean_value=3.0).status
    due = pd.DataFrame(
        {"frequency": [0, 3, 1, 5] * 9, "T": [2, 3, 4, 5] * 9, "to_renewal": 1.0, "price": 10.0}
    ).assign(recency=lambda f: f["frequency"])
    seen = ExponentialGamma.from_params(r=1.5, alpha=6.0).sample_contracts(300, 8.0, random_state=0)
    for model, terms in (
        (ContractValue(), due), (ContractValue(BetaDiscreteWeibull(), margin=0.5), due),
        (BetaDiscreteWeibull(), due), (WeibullGamma(), seen), (ExponentialGamma(), seen),
    ):  # fmt: skip
        with heard():
            model.fit(terms)
        score = model.scorer(12)
        few = terms.head(8)
        got = [score(row) for row in few.to_dict("records")]
        np.testing.assert_allclose(got, model.predict(few, 12), rtol=1e-12)
        assert max(got) > 0
    assert score.checked(duration=-1.0, ended=0).status == "no-contract"


def test_market_segmenters_class_one_customer_as_in_a_table(summary):
    size = np.where(summary["n_orders"] > 2, "many", "few").astype(object)
    size[3] = None
    town = np.array(["a", "b", "c"])[np.arange(len(summary)) % 3]
    told = summary.assign(size=size, town=town, branch=np.arange(len(summary)) % 4)
    few = told.head(9)
    given = MarketSegments(["size", "town", "branch"]).fit(told)
    score = given.scorer()
    assert [score(row) for row in few.to_dict("records")] == given.predict(few).tolist()
    # a category that was not seen, and one that is missing
    odd = few.assign(town=["nowhere"] * 5 + [None] * 4, branch=few["branch"].astype(float))
    assert [score(row) for row in odd.to_dict("records")] == given.predict(odd).tolist()
    row = few.iloc[0].to_dict()
    assert score.checked({**row, "branch": 1.5}).status == "numbers-for-categories"
    assert score.checked(size="few").status == "missing-column"
    mixed = MixedSegments({"a": ["size", "T"], "b": "town"}, n_segments=3, random_state=0)
    score = mixed.fit(told).scorer()
    gaps = few.assign(T=[np.nan, *few["T"][1:]])
    for some in (few, gaps):
        assert [score(row) for row in some.to_dict("records")] == mixed.predict(some).tolist()
    assert score.checked({**row, "size": 3.0}).status == "not-text"
    assert score.checked({**row, "T": "long"}).status == "not-numeric"
    numbers = MixedSegments(n_segments=2, random_state=0).fit(summary[["T", "n_orders"]])
    score = numbers.scorer()
    got = [score(row) for row in few.to_dict("records")]
    assert got == numbers.predict(few[["T", "n_orders"]]).tolist()


def test_every_public_estimator_answers_about_one_row_or_says_why_not():
    found = {}
    for room in ROOMS:
        face = importlib.import_module(f"custvalue.{room}")
        for name in face.__all__:
            kind = getattr(face, name)
            if inspect.isclass(kind) and issubclass(kind, BaseEstimator):
                found[name] = hasattr(kind, "scorer")
    assert {name for name, answers in found.items() if not answers} == set(NO_SCORER)
    assert len(found) > 40
    page = (Path(__file__).parents[2] / "docs/howto/serve_single_customers.md").read_text("utf-8")
    assert all(f"`{name}`" in page for name in NO_SCORER)


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
