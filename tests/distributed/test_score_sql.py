"""The SQL of a fitted model gives what the model gives, on engines that run it for real."""

from __future__ import annotations

import duckdb
import mpmath
import numpy as np
import pandas as pd
import pytest
import sqlglot

import custvalue as cv
from custvalue.exceptions import DataContractError, HorizonError, NotSupportedError, TimeUnitError
from custvalue.purchase import BGBB, BGNBD, MBGNBD, NBD, ParetoNBD
from custvalue.rfm import SegmentMap

pytestmark = pytest.mark.filterwarnings(
    "ignore:PySpark does not yet fully support pandas:FutureWarning",
    "ignore::custvalue.exceptions.OneTimeBuyerWarning",
    "ignore::custvalue.exceptions.BinWarning",
)
WHO = "customer_id"
LAWS = {
    "BG/NBD": BGNBD.from_params(r=0.243, alpha=4.414, a=0.793, b=2.426, unit="W"),
    "MBG/NBD": MBGNBD.from_params(r=0.525, alpha=6.183, a=0.891, b=1.614, unit="W"),
    "Pareto/NBD": ParetoNBD.from_params(r=0.553, alpha=10.578, s=0.606, beta=11.669, unit="W"),
    "NBD": NBD.from_params(r=0.385, alpha=12.072, unit="W"),
}


@pytest.fixture(scope="module")
def summary(cdnow_sample):
    table = cv.summarize(
        cdnow_sample, customer=WHO, time="date", amount="amount", as_of="1998-06-30", unit="W"
    )
    return table[table["T"] > 0].iloc[::3].reset_index(drop=True)


@pytest.fixture(scope="module")
def panel(cdnow_sample):
    return cv.panel(
        cdnow_sample, customer=WHO, time="date", amount="amount", as_of="1998-06-30", period="4W"
    )


@pytest.fixture(scope="module")
def ask(warehouse, summary):
    """``ask(model, table)``: its answers, a row a customer."""
    warehouse.load("summary", summary)

    def asked(model, table=None, **options):
        name = "summary"
        if table is not None:
            warehouse.load(name := "others", table)
        text = cv.score_sql(model, name, warehouse.dialect, customer=WHO, **options)
        return warehouse.ask(text).sort_values(WHO).reset_index(drop=True)

    asked.dialect = warehouse.dialect
    return asked


def histories():
    """Every kind of history: new, one-time, rare, frequent, beyond the table, long gone."""
    rows = [(0, 0.0, T) for T in (0.0, 1e-6, 0.5, 39.0, 5000.0)]
    for x in (1, 2, 7, 39, 40, 41, 42, 60, 300, 2_000, 10_000):
        rows += [(x, T * q, T) for T in (1e-3, 10.0, 39.0, 5200.0) for q in (1e-4, 0.5, 0.99, 1.0)]
    made = pd.DataFrame(rows, columns=["frequency", "recency", "T"]).astype(float)
    made.insert(0, WHO, np.arange(len(made)))
    return made


def once(ask, wanted):
    """Skip what differs from the one asked in constants alone, where an engine takes long."""
    if ask.dialect != "duckdb" and not wanted:
        pytest.skip("another of its kind is asked on this engine")


@pytest.mark.parametrize("law", list(LAWS))
def test_a_law_says_in_sql_what_it_says_in_python(law, ask, close):
    once(ask, law in ("BG/NBD", "Pareto/NBD"))
    model, rows = LAWS[law], histories()
    made = ask(model, rows, horizon="26W")
    assert list(made.columns) == [WHO, "alive", "expected_orders", "reason"]
    assert made["reason"].isna().all()
    X = rows[["frequency", "recency", "T"]]
    alive = model.predict_alive(X)  # to nine digits, however small
    np.testing.assert_allclose(made["alive"].astype(float), alive, rtol=1e-9, atol=1e-100)
    close(made["expected_orders"], model.predict(X, "26W"))


def test_expected_orders_of_the_bgnbd_are_those_of_its_paper(ask, close):
    """Fader, Hardie & Lee (2005), eq. 10, with mpmath's 2F1."""
    once(ask, False)
    r, alpha, a, b, t = 0.243, 4.414, 1.7, 2.426, 39.0
    rows = histories().query("T > 1 and frequency <= 300")
    made = ask(BGNBD.from_params(r=r, alpha=alpha, a=a, b=b, unit="W"), rows, horizon="39W")
    wanted = []
    for x, t_x, T in rows[["frequency", "recency", "T"]].to_numpy():
        z = t / (alpha + T + t)
        f = mpmath.hyp2f1(r + x, b + x, a + b + x - 1, z)
        power = ((alpha + T) / (alpha + T + t)) ** (mpmath.mpf(r) + x)
        left = a / (b + x - 1) * ((alpha + T) / (alpha + t_x)) ** (mpmath.mpf(r) + x) if x else 0
        wanted.append(float((a + b + x - 1) / (a - 1) * (1 - power * f) / (1 + left)))
    close(made["expected_orders"], wanted)


@pytest.mark.parametrize(
    "model",
    [
        BGNBD.from_params(r=5.0, alpha=300.0, a=0.05, b=0.1, unit="D"),
        MBGNBD.from_params(r=30.0, alpha=60.0, a=0.891, b=1.614, unit="W"),
        MBGNBD.from_params(r=0.3, alpha=2.0, a=3.0, b=12.0, unit="M"),
        ParetoNBD.from_params(r=0.05, alpha=0.578, s=20.0, beta=1000.0, unit="D"),
        ParetoNBD.from_params(r=20.0, alpha=500.0, s=0.01, beta=0.1, unit="D"),
        ParetoNBD.from_params(r=1.0, alpha=10.0, s=1.0, beta=10.0, unit="W"),
        ParetoNBD.from_params(r=1.0, alpha=10.0, s=1.0 + 1e-7, beta=10.0, unit="W"),
    ],
    ids=lambda model: f"{model.law.name} {tuple(model.params_)}",
)
def test_other_parameters_keep_to_the_stated_error(model, close):
    con, rows = duckdb.connect(), histories()
    con.register("others", rows)
    text = cv.score_sql(model, "others", customer=WHO, horizon="400D")
    made = con.sql(text).df().sort_values(WHO)
    good = made["reason"].isna().to_numpy()
    assert set(made["reason"].dropna()) <= {"T-beyond-the-table"}
    X = rows.loc[good, ["frequency", "recency", "T"]]
    said = [float(line.split("right to ")[1].split()[0]) for line in text.splitlines()
            if line.startswith("--") and "right to" in line]  # fmt: skip
    assert said
    assert max(said) <= 1e-9
    close(made["alive"][good], model.predict_alive(X))
    close(made["expected_orders"][good], model.predict(X, "400D"))


def test_orders_are_priced_in_sql_as_in_python(ask, summary, close):
    for options in (
        {"annual_discount_rate": 0.1, "margin": 0.3},
        {"purchases": MBGNBD(), "contact_cost": 0.2, "timing": "end"},
        {"purchases": NBD(), "spend": cv.GammaGamma(), "orders": "repeat"},
    ):
        model = cv.CustomerValue(**options, horizon="52W").fit(summary)
        made = ask(model)
        assert made["reason"].isna().all()
        close(made["value"], model.predict(summary))
        close(made["alive"], model.purchases_.predict_alive(summary))
        if ask.dialect != "duckdb":
            return  # one will do: the others differ in constants


def test_a_law_that_was_fitted_is_asked_by_name_and_says_how_far_it_looks(summary, close):
    model = MBGNBD().fit(summary)  # any warning is an error here
    con = duckdb.connect()
    con.register("summary", summary)
    text = cv.score_sql(model, "summary", customer=WHO, horizon="26W")
    made = con.sql(text).df().sort_values(WHO)
    close(made["expected_orders"], model.predict(summary, "26W"))
    assert "and 1,000 orders" in text.splitlines()[1]


def test_own_margins_are_shrunk_in_sql_as_in_python(summary, close):
    rng = np.random.default_rng(5)
    share = np.clip(rng.normal(0.3, 0.2, len(summary)), -0.5, 0.9)
    table = summary.assign(total_profit=share * summary["total_value"])
    model = cv.CustomerValue(horizon="52W").fit(table)
    assert np.isfinite(model.forecast_.margin_weight)
    con = duckdb.connect()
    con.register("t", table)
    made = con.sql(cv.score_sql(model, "t", customer=WHO)).df().sort_values(WHO)
    close(made["value"], model.predict(table))


@pytest.mark.parametrize(
    "rfm",
    [
        cv.RFMTransformer(),
        cv.RFMTransformer(method="nested", n_bins=3),
        cv.RFMTransformer(cuts="cycle", weights="equal"),
        cv.RFMTransformer(columns={"R": "silence", "F": "n_orders", "L": "T"}, n_bins={"L": 2}),
    ],
    ids=["quantiles", "nested", "cycle", "other columns"],
)
def test_rfm_scores_and_segments(rfm, ask, summary):
    once(ask, rfm.cuts == "cycle")
    wanted = rfm.fit(summary).transform(summary)
    made = ask(rfm)
    assert (made[list(wanted.columns)].to_numpy(float) == wanted.to_numpy(float)).all()
    if {v.n_bins for v in rfm.variables_} == {5}:
        segments = SegmentMap.ready(5)
        named = ask(segments, made.drop(columns="reason"))
        assert named["segment"].tolist() == segments.assign(wanted).tolist()


@pytest.mark.parametrize("options", [
    {}, {"method": "threshold", "threshold": "90D"}, {"method": "shrunk"},
    {"method": "shrunk", "regularity": 3}, {"method": "pooled_gap"},
], ids=str)  # fmt: skip
def test_silence(options, ask, summary, close):
    once(ask, "regularity" in options)
    gaps = np.random.default_rng(1).integers(1, 60, 500) / 7.0
    scorer = cv.SilenceScorer(**options).fit(
        summary, gaps=gaps if options.get("method") == "pooled_gap" else None
    )
    wanted, made = scorer.transform(summary), ask(scorer)
    assert list(made.columns) == [WHO, *wanted.columns, "reason"]
    for name in wanted:
        if wanted[name].dtype.kind in "fi":
            close(made[name], wanted[name], 1e-12)
        else:
            assert made[name].tolist() == wanted[name].tolist()


def test_stages_and_the_rules_that_decided(ask, summary):
    rng = np.random.default_rng(2)
    n = len(summary)
    table = summary.assign(
        terminated=rng.random(n) < 0.05,
        open_dispute=np.where(rng.random(n) < 0.5, (rng.random(n) < 0.1) * 1.0, np.nan),
        joint_project=rng.random(n) < 0.2,
        satisfaction=np.where(rng.random(n) < 0.5, rng.random(n), np.nan),
        return_chance=rng.random(n),
    )
    nobody = table.iloc[:3].assign(**{WHO: [10**6, 10**6 + 1, 10**6 + 2]}, n_orders=0)
    table = pd.concat([table, nobody], ignore_index=True)
    table["in_plan"] = [*[False] * n, True, False, False]
    table["contacted"] = [*[False] * n, False, True, False]
    for view in ("eight", "four") if ask.dialect == "duckdb" else ("eight",):
        stages = cv.LifecycleClassifier(
            new_window=("1M", "2M"), established_window=("2M", "6M"), core_window="3M", view=view,
            exit_chance=0.1,
        ).fit(table)  # fmt: skip
        wanted, made = stages.stage_table(table), ask(stages, table)
        for name in ("stage", "rule", "source"):
            assert made[name].tolist() == wanted[name].tolist()
    assert wanted["rule"].nunique() >= 10


def test_value_of_a_state(ask, panel, summary, close):
    model = cv.MarkovCLVEstimator(horizon="52W", annual_discount_rate=0.1).fit(panel)
    last = panel.groupby(WHO, as_index=False).tail(1)
    if ask.dialect == "duckdb":
        close(ask(model, last)["value"], model.predict(last))
    close(ask(model, unit="W")["value"], model.predict(summary))


def test_value_of_states_that_are_words(close):
    rows = pd.DataFrame({
        WHO: [1, 1, 1, 2, 2, 2], "period": [0, 1, 2, 0, 1, 2], "profit": [0.0, 5, 9, 3, 0, 1],
        "stage": ["new", "it's core", "it's core", "new", "gone", "new"], "R": [1, 2, 2, 1, 1, 2],
    })  # fmt: skip
    model = cv.MarkovCLVEstimator(["stage", "R"], customer=WHO, unit="4W", horizon="24W").fit(rows)
    con = duckdb.connect()
    con.register("t", rows.assign(**{WHO: range(6)}))
    made = con.sql(cv.score_sql(model, "t", customer=WHO)).df().sort_values(WHO)
    close(made["value"], model.predict(rows))
    con.register("t", rows.assign(**{WHO: range(6)}, stage="lost"))
    made = con.sql(cv.score_sql(model, "t", customer=WHO)).df()
    assert set(made["reason"]) == {"unknown-words: stage"}


BAD = {
    "not-finite: frequency": (None, 1.0, 2.0),
    "not-finite: recency": (1.0, np.nan, 2.0),
    "not-finite: T": (1.0, 1.0, np.inf),
    "frequency-not-a-count": (1.5, 1.0, 2.0),
    "negative-time": (1.0, -1.0, 2.0),
    "recency-exceeds-T": (1.0, 3.0, 2.0),
    "recency-without-repeat": (0.0, 1.0, 2.0),
    "repeat-without-recency": (2.0, 0.0, 2.0),
    "T-beyond-the-table": (1.0, 1.0, 1e9),
    "frequency-beyond-the-table": (1e12, 1.0, 2.0),
}


def test_a_bad_row_has_its_reason_and_stops_nobody(ask, close):
    rows = pd.DataFrame([(2.0, 5.0, 9.0), *BAD.values()], columns=["frequency", "recency", "T"])
    rows.insert(0, WHO, range(len(rows)))
    model = LAWS["MBG/NBD"]
    made = ask(model, rows.astype({"frequency": float}), horizon="26W")
    assert made["reason"][1:].tolist() == list(BAD)
    assert made.loc[1:, ["alive", "expected_orders"]].isna().all(axis=None)
    close(made["alive"][:1], model.predict_alive(rows.iloc[:1, 1:]))
    told = cv.check_rows(model.predict, rows.iloc[:9, 1:].astype(float), "26W")["reason"]
    for ours, theirs in zip(made["reason"][1:9], told[1:9], strict=True):
        assert theirs.startswith(ours.split(":")[0])


def test_bad_rows_of_classes_are_told_too(summary):
    con = duckdb.connect()
    bad = summary.iloc[:4].assign(**{WHO: range(4)})
    bad.loc[0, "silence"] = np.nan
    bad.loc[1, ["n_gaps", "gap_max"]] = [2, np.nan]
    bad["open_dispute"] = [0.0, 1.0, 3.0, np.nan]
    con.register("t", bad)
    good = summary.assign(open_dispute=0.0)
    for model, wanted in (
        (cv.RFMTransformer().fit(summary), {0: "not-finite: silence"}),
        (cv.SilenceScorer().fit(summary), {0: "not-finite: silence", 1: "gap-max"}),
        (
            cv.LifecycleClassifier().fit(good),
            {0: "missing-span: silence", 2: "not-a-flag: open_dispute"},
        ),
    ):
        made = con.sql(cv.score_sql(model, "t", customer=WHO)).df().set_index(WHO)["reason"]
        assert made.dropna().to_dict() == wanted


@pytest.mark.parametrize("name", ["who", 'the "who"', "cv_x", "cv_reason", "select", "a.b", "it's",
                                  "--", "客户", "`", "cv_keep_0", "%s"])  # fmt: skip
def test_no_name_of_a_column_changes_the_answers(name, warehouse):
    if warehouse.dialect != "duckdb" and name not in ('the "who"', "cv_x", "%s"):
        pytest.skip("other names are asked on DuckDB")
    rows = histories().head(12)[[WHO, "frequency", "recency", "T"]]
    rows = rows.rename(columns={WHO: name}).assign(cv_T=3.0, **{"region's": "north"})
    warehouse.load("named", rows)
    model = LAWS["Pareto/NBD"]
    text = cv.score_sql(model, "named", warehouse.dialect, customer=name, keep=["cv_T", "region's"])
    made = warehouse.ask(text)
    assert list(made.columns) == [name, "cv_T", "region's", "alive", "reason"]
    made = made.sort_values(name)
    wanted = model.predict_alive(rows[["frequency", "recency", "T"]])
    np.testing.assert_allclose(made["alive"].astype(float), wanted, rtol=1e-9)
    assert set(made["region's"]) == {"north"}


def test_from_orders_to_scores_without_leaving_the_warehouse(cdnow_sample, warehouse, close):
    names = {"customer": WHO, "time": "date", "amount": "amount", "as_of": "1998-06-30"}
    orders = cdnow_sample[cdnow_sample[WHO] % 5 == 0]
    warehouse.load("orders", orders)
    made = warehouse.ask(cv.summary_sql(warehouse.dialect, table="orders", **names, unit="W"))
    table = cv.summarize(orders, **names, unit="W", zero_amounts="drop")
    made = made.sort_values(WHO).reset_index(drop=True)
    for column in ("frequency", "recency", "T", "silence", "total_value", "gap_max", "gap_std"):
        close(made[column].astype(float).fillna(-1), table[column].astype(float).fillna(-1), 1e-12)
    warehouse.load("made", made)
    scored = warehouse.ask(
        cv.score_sql(LAWS["MBG/NBD"], "made", warehouse.dialect, customer=WHO, horizon="26W")
    )
    wanted = LAWS["MBG/NBD"].predict(table, "26W")
    close(scored.sort_values(WHO)["expected_orders"], wanted)


@pytest.mark.parametrize("dialect", ["bigquery", "snowflake", "postgres", "spark", "duckdb"])
def test_every_dialect_reads_its_own_text_back(dialect, summary):
    for model in (LAWS["Pareto/NBD"], cv.RFMTransformer().fit(summary)):
        horizon = None if isinstance(model, cv.RFMTransformer) else "4W"
        text = cv.score_sql(model, "shop.summary", dialect, customer=WHO, horizon=horizon)
        assert text.startswith("-- ")
        again = sqlglot.parse_one(text, read=dialect)
        assert {t.name for t in again.find_all(sqlglot.exp.Table) if t.db == "shop"} == {"summary"}


def test_what_cannot_be_said_is_refused_with_the_reason(summary, panel):
    def refused(model, error=NotSupportedError, match=None, **options):
        with pytest.raises(error, match=match):
            cv.score_sql(model, "t", **{"customer": WHO, **options})

    rng = np.random.default_rng(0)
    came = rng.random(len(summary)) < 0.3
    calibrated = cv.SilenceScorer(method="calibrated", window="90D").fit(summary, came)
    refused(calibrated, match="curve that has no SQL")
    stages = np.where(came, "new", "core")
    refused(cv.LifecycleClassifier().fit(summary, stages), match="learned from labels")
    refused(BGBB.from_params(alpha=1.0, beta=1.0, gamma=1.0, delta=1.0), match="BGBB has no SQL")
    array = summary[["silence", "n_orders", "total_value"]].to_numpy(float)
    refused(cv.RFMTransformer().fit(array), match="reads columns by name")
    refused(cv.SilenceScorer().fit(array), match="reads columns by name")
    sharp = BGNBD.from_params(r=2.0, alpha=100.0, a=500.0, b=2000.0, unit="D")
    refused(sharp, match="cannot be said in SQL", horizon="1Y")
    median = cv.GammaGamma.from_params(p=6.25, q=3.74, gamma=15.44, statistic="median")
    value = cv.CustomerValue.from_fitted(LAWS["NBD"], median)
    refused(value, match="has no SQL; the mean of GammaGamma", horizon="4W")
    refused(value, HorizonError, match="how far to look")
    refused(cv.RFMTransformer().fit(summary), ValueError, match="no horizon", horizon="4W")
    chain = cv.MarkovCLVEstimator(horizon="52W", margin="share").fit(panel)
    refused(chain, match="column of rows")
    refused(LAWS["NBD"], TimeUnitError, match="counts time in 'D'", unit="D")
    refused(LAWS["NBD"], ValueError, match="dialect='oracle'", dialect="oracle")
    refused(LAWS["NBD"], DataContractError, match="reserved-name", customer="Alive")
    refused(LAWS["NBD"], DataContractError, match="reserved-name", keep=["x", "X"])
