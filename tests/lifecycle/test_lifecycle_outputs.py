"""What people read of stages: tables, words, learned rules, health, frames of other kinds."""

from __future__ import annotations

import json
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import custvalue as cv
from custvalue._words import HOUSE
from custvalue.exceptions import NotSupportedError, ProblemShareWarning, TimeUnitError
from custvalue.lifecycle import LifecycleClassifier, playbook, problem_share


@pytest.fixture(scope="module")
def summary(cdnow_sample) -> pd.DataFrame:
    return cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )


@pytest.fixture(scope="module")
def model(summary) -> LifecycleClassifier:
    return LifecycleClassifier().fit(summary)


def base(n: int, **known) -> pd.DataFrame:
    """Draw customers over every stage that orders give."""
    rng = np.random.default_rng(5)
    orders = rng.integers(1, 15, n)
    gap = rng.uniform(5, 90, n) * (orders > 1)
    return pd.DataFrame({
        "n_orders": orders,
        "recency": gap * (orders - 1) * 0.8,
        "silence": rng.exponential(80, n),
        "gap_max": np.where(orders > 1, gap, np.nan),
    }).assign(**known)  # fmt: skip


# -- tables --------------------------------------------------------------------------------------


def test_the_stage_table_keeps_rows_order_index_and_names_the_rule(summary, model):
    part = summary.iloc[[7, 3, 11]]
    table = model.stage_table(part)
    assert list(table.index) == [7, 3, 11]
    assert list(table["customer_id"]) == list(part["customer_id"])
    assert list(table["stage"]) == list(model.predict(part))
    rules = model.rules_table()
    for stage, rule in zip(table["stage"], table["rule"], strict=True):
        assert rule in set(rules.loc[rules["stage"] == stage, "rule"])


def test_the_rules_say_which_of_them_have_no_column(model):
    rules = model.rules_table()
    unused = set(rules.loc[~rules["used"], "stage"])
    assert unused == {"exited", "problem", "target", "strategic"}
    assert "problem: open dispute (not used: no such column)" in model.rules_text()
    assert "silent for 1 year or longer and over 3 times the longest own gap" in model.rules_text()
    crm = LifecycleClassifier(unit="D").fit(base(9, open_dispute=False))
    assert "problem: open dispute\n" in crm.rules_text()


@pytest.mark.parametrize("kind", [pl.from_pandas, pa.Table.from_pandas])
def test_a_table_of_another_kind_gives_the_same_stages_in_its_own_kind(cdnow_sample, model, kind):
    log = kind(cdnow_sample)
    other = cv.summarize(
        log, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )
    fitted = LifecycleClassifier().fit(other)
    pandas_summary = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1998-06-30"
    )
    assert (fitted.predict(other) == model.predict(pandas_summary)).all()
    for method in ("stage_table", "upgrade_table"):
        table = getattr(fitted, method)(other)
        assert type(table) is type(other)
        assert len(table) == len(pandas_summary)
    with pytest.warns(ProblemShareWarning):
        assert type(fitted.health(other)) is type(other)


def test_flags_may_be_missing_in_any_kind_of_table(summary):
    some = summary.head(3)
    expected = None
    for flags in (
        pd.array([True, None, False], dtype="boolean"),
        np.array([True, None, False], dtype=object),
        [1.0, np.nan, 0.0],
    ):
        table = LifecycleClassifier().fit(some.assign(terminated=flags))
        got = list(table.predict(some.assign(terminated=flags)))
        assert got[0] == "exited"
        assert expected in (None, got)
        expected = got
    frame = pl.from_pandas(some).with_columns(terminated=pl.Series([True, None, False]))
    assert list(LifecycleClassifier(unit="D").fit(frame).predict(frame)) == expected


def test_facts_travel_with_every_table(summary, model):
    from custvalue._frames import facts_of

    for table in (model.stage_table(summary), model.upgrade_table(summary)):
        facts = facts_of(table)
        assert (facts.unit, facts.as_of[:10]) == ("D", "1998-06-30")


def test_another_unit_than_that_of_the_fit_is_refused(cdnow_sample, model):
    weekly = cv.summarize(
        cdnow_sample, customer="customer_id", time="date", amount="amount", as_of="1998-06-30",
        unit="W",
    )  # fmt: skip
    with pytest.raises(TimeUnitError, match="counts time in 'W'"):
        model.predict(weekly)
    agree = LifecycleClassifier().fit(weekly).predict(weekly)
    assert agree.shape == (len(weekly),)


# -- health --------------------------------------------------------------------------------------


def with_problems(problems: int, present: int) -> pd.DataFrame:
    calm = pd.DataFrame({
        "n_orders": np.full(present, 4),
        "recency": np.full(present, 100.0),
        "silence": np.full(present, 5.0),
        "gap_max": np.full(present, 40.0),
        "open_dispute": np.arange(present) < problems,
        "total_value": np.arange(present, dtype=float),
    })  # fmt: skip
    gone = calm.head(50).assign(terminated=True)
    return pd.concat([calm.assign(terminated=False), gone], ignore_index=True)


@pytest.mark.parametrize(("problems", "present"), [(3, 100), (30, 1000), (0, 10)])
def test_health_is_silent_up_to_the_ceiling(problems, present):
    frame = with_problems(problems, present)
    model = LifecycleClassifier(unit="D").fit(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = model.health(frame)
    assert model.problem_share(frame) == pytest.approx(problems / present)
    assert table["customers"].sum() == len(frame)
    assert table["total_value"].sum() == pytest.approx(frame["total_value"].sum())
    assert table["customer_share"].sum() == pytest.approx(1.0)


@pytest.mark.filterwarnings("ignore::custvalue.exceptions.ProblemShareWarning")
def test_health_tells_orders_and_gaps_of_each_stage(summary, model):
    table = model.health(summary).set_index("stage")
    stage = model.predict(summary)
    for name, row in table.iterrows():
        part = summary[stage == name]
        if not len(part):
            assert np.isnan(row["order_rate"])
            continue
        assert row["mean_orders"] == pytest.approx(part["n_orders"].mean())
        seen = (part["recency"] + part["silence"]).sum()
        assert row["order_rate"] == pytest.approx(part["n_orders"].sum() / seen)
        gaps = part["n_orders"].sum() - len(part)
        if gaps:
            assert row["gap_mean"] == pytest.approx(part["gap_sum"].sum() / gaps)
    assert "平均间隔" in model.health(summary, language="zh").columns


def test_health_of_customers_without_orders_has_no_rhythm():
    frame = with_problems(0, 10).assign(n_orders=0, recency=np.nan, silence=np.nan, gap_max=np.nan)
    table = LifecycleClassifier(unit="D").fit(frame).health(frame).set_index("stage")
    assert table.loc["potential", "mean_orders"] == 0
    assert np.isnan(table.loc["potential", ["order_rate", "gap_mean"]].astype(float)).all()


@pytest.mark.parametrize(("problems", "present"), [(4, 100), (31, 1000)])
def test_health_warns_just_above_the_ceiling(problems, present):
    frame = with_problems(problems, present)
    model = LifecycleClassifier(unit="D").fit(frame)
    text = rf"{problems} of {present:,} present customers .* the ceiling is 3.0%"
    with pytest.warns(ProblemShareWarning, match=text):
        model.health(frame)


def test_the_ceiling_is_a_parameter():
    frame = with_problems(10, 100)
    assert LifecycleClassifier(unit="D", problem_ceiling=0.1).fit(frame).health(frame) is not None


# -- learned rules -------------------------------------------------------------------------------


def test_learned_thresholds_recover_planted_ones():
    frame = base(4000)
    y = np.where(frame["n_orders"] < 6, "trial", np.where(frame["silence"] > 120, "lost", "good"))
    model = LifecycleClassifier(unit="D").fit(frame, y)
    assert model.score(frame, y) == 1.0
    text = model.rules_text()
    assert "trial: number of orders at most 5.5" in text
    cuts = model.tree_.tree_.threshold[model.tree_.tree_.feature >= 0]
    near = frame["silence"].to_numpy()
    low, high = near[near <= 120].max(), near[near > 120].min()
    assert any(low <= cut <= high for cut in cuts)


def test_a_tree_that_splits_on_what_is_missing_says_so():
    known = np.linspace(10.0, 30.0, 300)  # one value is a constant to scikit-learn 1.6
    frame = base(300, gap_mean=known, gap_std=known / 2)
    frame.loc[frame.index[::2], ["gap_mean", "gap_std"]] = np.nan
    model = LifecycleClassifier(unit="D").fit(frame, frame["gap_mean"].isna())
    assert re.fullmatch(r"False: (.*gaps?) known\nTrue: \1 unknown", model.rules_text())
    assert re.fullmatch(r"False：(.+)已知\nTrue：\1未知", model.rules_text(language="zh"))


def test_a_tree_learns_the_written_rules_back():
    frame = base(6000, gap_mean=20.0, gap_std=10.0)
    rules = LifecycleClassifier(unit="D", core_value_quantile=None).fit(frame)
    y = rules.predict(frame)
    learned = LifecycleClassifier(unit="D").fit(frame.head(4000), y[:4000])
    assert learned.score(frame.tail(2000), y[4000:]) > 0.95
    chances = learned.predict_proba(frame.tail(5))
    assert chances.shape == (5, len(set(y)))
    assert np.allclose(chances.sum(axis=1), 1.0)
    table = learned.stage_table(frame.tail(5))
    assert list(table["stage"]) == list(learned.predict(frame.tail(5)))
    assert set(table["source"]) == {"learned"}
    assert all(len(rule) > 5 for rule in table["rule"])


def test_a_rare_stage_is_learned_too():
    frame = base(6000, gap_mean=20.0, gap_std=10.0)
    y = LifecycleClassifier(unit="D", core_orders=12).fit(frame).predict(frame)
    learned = LifecycleClassifier(unit="D").fit(frame, y)
    core = y == "core"
    assert 0.0 < core.mean() < 0.2
    assert (learned.predict(frame)[core] == "core").mean() > 0.95


def test_every_sentence_of_a_learned_tree_is_true_of_its_customers():
    frame = base(500, open_dispute=np.arange(500) % 7 == 0)
    y = np.where(frame["open_dispute"], "problem", np.where(frame["n_orders"] > 4, "core", "new"))
    model = LifecycleClassifier(unit="D").fit(frame, y)
    table = model.stage_table(frame)
    said = table["rule"].str.contains(r"(?<!no )open dispute")
    assert (said == frame["open_dispute"]).all()
    assert model.rules_text(language="zh").startswith(("核心客户：", "新客户：", "问题客户："))


def test_rules_without_labels_give_no_probabilities(model):
    with pytest.raises(AttributeError, match="no attribute 'predict_proba'"):
        model.predict_proba  # noqa: B018
    assert not hasattr(model, "predict_proba")


def test_what_reads_the_written_rules_is_refused_to_a_learned_tree():
    frame = base(50)
    model = LifecycleClassifier(unit="D").fit(frame, frame["n_orders"] > 5)
    with pytest.raises(NotSupportedError, match="upgrade_table reads the written rules"):
        model.upgrade_table(frame)


def test_a_second_fit_forgets_the_first():
    frame = base(50)
    model = LifecycleClassifier(unit="D").fit(frame, frame["n_orders"] > 5).fit(frame)
    assert not hasattr(model, "tree_")
    assert set(model.predict(frame)) <= set(model.classes_)


# -- language and views --------------------------------------------------------------------------


def test_every_output_speaks_chinese_and_shows_four_stages(summary, model):
    four = model.stage_table(summary, view="four", language="zh")
    assert set(four["阶段"]) <= {"潜在客户", "新客户", "成熟客户", "衰退客户"}
    chinese = [HOUSE.zh[word] for word in ("stage", "rule", "source")]
    assert list(four.columns) == ["customer_id", *chinese]
    upgrade = model.upgrade_table(summary, language="zh")
    health = pytest.warns(ProblemShareWarning)
    with health:
        table = model.health(summary, language="zh", view="four")
    assert len(table) == 4
    for frame in (upgrade, table, model.rules_table(language="zh"), playbook(language="zh")):
        for name in frame.columns:
            assert name == "customer_id" or not name.isascii()
    assert not model.rules_text(language="zh").split("\n")[0].isascii()


def test_the_view_of_the_estimator_holds_for_its_predictions(summary, model):
    four = LifecycleClassifier(view="four").fit(summary)
    assert list(four.classes_) == ["potential", "new", "mature", "declining"]
    coarse = {"new": "new", "established": "mature", "core": "mature", "problem": "declining",
              "exited": "declining"}  # fmt: skip
    expected = [coarse[stage] for stage in model.predict(summary)]
    assert list(four.predict(summary)) == expected
    assert four.transform(summary).sum() == len(summary)
    # the view is read when asked, as if fitted with it
    again = clone(model).fit(summary).set_params(view="four")
    assert list(again.predict(summary)) == expected


def test_the_playbook_covers_every_stage():
    assert list(playbook()["stage"]) == list(LifecycleClassifier(unit="D").fit(base(5)).classes_)
    assert list(playbook(view="four").columns) == [
        "group", "stage", "value_message", "next_step", "value_kinds", "timing", "medium"
    ]  # fmt: skip
    from custvalue.lifecycle._playbook import VALUE_KINDS

    said = {kind for kinds in playbook()["value_kinds"] for kind in kinds.split(", ")}
    assert said <= set(VALUE_KINDS)
    established = playbook(language="zh").iloc[3]
    assert "开始寻找潜在需求" in established["下一步"]
    assert established["价值种类"] == "品牌、技术资源、客户资源"
    with pytest.raises(ValueError, match="view='six'"):
        playbook(view="six")


@pytest.mark.parametrize(
    "wrong",
    [
        {"view": "six"},
        {"core_value_quantile": 1.5},
        {"new_window": ("4M", "2M")},
        {"established_window": ("1Y", "3M")},
        {"established_orders": 0},
        {"core_orders": 2},
        {"quiet_ratio": -1.0},
        {"exit_chance": float("nan")},
    ],
)
def test_wrong_parameters_are_refused_in_fit(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LifecycleClassifier(unit="D", **wrong).fit(base(20, total_value=1.0))


# -- scikit-learn --------------------------------------------------------------------------------


def test_stages_flow_through_pipelines_and_column_transformers(summary):
    columns = ["n_orders", "recency", "silence", "gap_max"]
    pipe = ColumnTransformer(
        [("stage", LifecycleClassifier(unit="D"), columns), ("scale", StandardScaler(), ["T"])],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    out = pipe.fit_transform(summary)
    assert list(out.columns[:2]) == ["stage_potential", "stage_target"]
    assert (out.index == summary.index).all()
    y = np.where(summary["n_orders"] > 2, "core", "new")
    learned = make_pipeline(LifecycleClassifier())
    assert cross_val_score(learned, summary, y, cv=3).min() == 1.0


def test_output_can_be_polars(summary):
    out = LifecycleClassifier().set_output(transform="polars").fit_transform(summary)
    assert isinstance(out, pl.DataFrame)


def test_a_fitted_classifier_is_small_and_travels(summary, model):
    data = pickle.dumps(model)
    assert len(data) < 5_000
    assert (pickle.loads(data).predict(summary) == model.predict(summary)).all()
    assert not hasattr(clone(model), "classes_")
    assert json.dumps(model.get_params(), default=str)


# -- drift ---------------------------------------------------------------------------------------


def test_drift_is_nothing_on_the_fitted_customers_and_grows_with_change(summary, model):
    same = model.drift(summary)
    assert same.stability == (0.0,)
    assert same.moved_any == 0.0
    later = model.drift(summary.assign(silence=summary["silence"] + 200))
    assert later.stability[0] > 0.05
    richer = model.drift(summary.assign(total_value=summary["total_value"] * 10))
    assert richer.moved_any > 0.0


def test_drift_of_learned_stages_wants_labels():
    frame = base(200)
    y = np.where(frame["n_orders"] > 5, "core", "new")
    model = LifecycleClassifier(unit="D").fit(frame, y)
    assert model.drift(frame, y).moved_any == 0.0
    with pytest.raises(ValueError, match="drift needs y"):
        model.drift(frame)


# -- real data -----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.* the log seems to begin in the middle")
def test_online_retail_runs_end_to_end(online_retail):
    log = online_retail.dropna(subset="CustomerID")
    table = cv.summarize(
        log, customer="CustomerID", time="InvoiceDate", amount="amount", as_of="2011-12-09",
        refunds="net_occasion",
    )  # fmt: skip
    model = LifecycleClassifier().fit(table)
    assert model.problem_share(table) < 0.03
    health = model.health(table)
    assert health["customers"].sum() == len(table)
    assert set(model.predict(table)) == {"new", "established", "core", "problem", "exited"}
    assert health["total_value"].sum() == pytest.approx(table["total_value"].sum())
    assert len(model.upgrade_table(table)) == len(table)


@pytest.mark.parametrize(
    ("stages", "share"),
    [
        (["new", "core", "problem", "exited", "potential", "established"], 1 / 4),
        ([HOUSE(s, "zh") for s in ("new", "problem", "exited")], 1 / 2),
        (["exited", "target"], 0.0),
        (["my own stage", "problem"], 1 / 2),
        ([], 0.0),
    ],
)
def test_problem_customers_are_counted_among_those_present_in_either_language(stages, share):
    assert problem_share(stages) == share
