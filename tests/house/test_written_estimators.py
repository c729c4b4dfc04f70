"""Fitted estimators as JSON: reopened they answer to the bit, and what cannot be is one error."""

from __future__ import annotations

import contextlib
import copy
import importlib
import inspect
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

import custvalue as cv
from custvalue._portable import seal
from custvalue._warn import heard
from custvalue._written import from_plain, to_plain
from custvalue.exceptions import ArtefactError, NotSupportedError
from custvalue.funnel import FunnelChain
from custvalue.grades import ActivityLoyaltyMatrix, ValueGrades
from custvalue.lifecycle import LifecycleClassifier
from custvalue.market import MarketSegments, MixedSegments, TargetMarketRanker
from custvalue.rfm import RFMTransformer
from custvalue.silence import SilenceScorer

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
ROOMS = [
    "purchase", "spend", "rfm", "silence", "lifecycle", "grades", "markov", "funnel", "value",
    "survey", "market", "campaign", "evaluation", "contracts",
]  # fmt: skip
# what fits something and is not written, and why; docs/howto/serve_single_customers.md has it too
NOT_WRITTEN = {
    "ResponseModel": "learners of other libraries",
    "UpliftModel": "learners of other libraries",
    "CalibratedTotal": "reads the log",
    "HistoryFeatures": "reads the log",
    "LastPeriodRepeated": "learns nothing",
    "PanelStates": "part of MarkovCLVEstimator",
    "ColumnStates": "part of MarkovCLVEstimator",
}
BAD = [None, "x", -1, True, [], {"a": 1}, 10**400, 10**9]


@pytest.fixture(scope="module")
def table(cdnow_sample):
    return cv.summarize(cdnow_sample, **NAMES, unit="W").head(700)


def fitted(name, table):
    """An estimator of every kind and manner."""
    if name == "stages, learned":
        table = table[table["n_gaps"] > 1]  # no gap is missing
    orders = table["n_orders"].to_numpy()
    later = (np.arange(len(table)) + orders) % 3 == 0
    size = np.where(orders > 2, "many", "few")
    gaps = np.random.default_rng(0).exponential(9.0, 500)
    stages = np.where(orders > 5, "core", np.where(table["T"] > 30, "established", "new"))
    town = np.array(["a", "b", "c"])[np.arange(len(table)) % 3]
    told = table.assign(size=size, town=town)
    kinds = {
        "RFM": (RFMTransformer(), {}),
        "RFM, nested": (RFMTransformer(n_bins=3, method="nested", weights="equal"), {}),
        "RFM, cycle": (RFMTransformer(cuts="cycle"), {}),
        "RFM, learned": (RFMTransformer(weights="learn"), {"y": later}),
        "own_gap": (SilenceScorer(), {}),
        "threshold": (SilenceScorer(method="threshold", threshold="60D", words=False), {}),
        "shrunk": (SilenceScorer(method="shrunk"), {}),
        "pooled_gap": (SilenceScorer(method="pooled_gap"), {"gaps": gaps}),
        "calibrated": (SilenceScorer(method="calibrated", window="9W"), {"y": later}),
        "isotonic": (
            SilenceScorer(method="calibrated", window="9W", calibrator="isotonic"), {"y": later},
        ),
        "learned cuts": (SilenceScorer(cuts="learned", cost_miss=3.0), {"y": later}),
        "stages": (LifecycleClassifier(), {}),
        "stages, four": (LifecycleClassifier(view="four", learn_windows=True), {}),
        "stages, learned": (LifecycleClassifier(max_depth=3), {"y": stages}),
        "grades": (ValueGrades(column=("total_value", "mean_value")), {}),
        "grades by value": (ValueGrades(by="value"), {}),
        "matrix": (ActivityLoyaltyMatrix(), {}),
        "matrix, axes": (
            ActivityLoyaltyMatrix(
                activity={"total_value": 2.0, "T": -1.0}, loyalty={"n_orders": 1.0},
                axes=("contribution", "potential"), cuts=(0.4, 0.6),
            ), {},
        ),
        "segments": (MarketSegments({"behavioural": ["size"], "place": "town"}), {}),
        "segments by value": (
            MarketSegments(["size", "town"], order="value", outcome="total_value"), {},
        ),
        "mixed": (
            MixedSegments({"z": ["size", "n_orders"], "a": "town"}, n_segments=3, random_state=0),
            {},
        ),
        "ranker": (
            TargetMarketRanker(attractiveness={"T": 1.0}, resource_fit={"n_orders": -1.0}), {},
        ),
        "topsis": (
            TargetMarketRanker(
                attractiveness={"T": 1.0}, resource_fit={"n_orders": 2.0}, method="topsis"
            ), {},
        ),
    }  # fmt: skip
    model, options = kinds[name]
    with heard():
        return model.fit(told, **options), told


KINDS = [
    "RFM", "RFM, nested", "RFM, cycle", "RFM, learned", "own_gap", "threshold", "shrunk",
    "pooled_gap", "calibrated", "isotonic", "learned cuts", "stages", "stages, four",
    "stages, learned", "grades", "grades by value", "matrix", "matrix, axes", "segments",
    "segments by value", "mixed", "ranker", "topsis",
]  # fmt: skip


# written by the same code as another kind
ALIKE = ["RFM", "RFM, learned", "own_gap", "isotonic", "learned cuts", "stages", "grades",
         "matrix", "segments", "ranker"]  # fmt: skip


def answers(model, table):
    """Everything that a fitted estimator says of rows."""
    names = [
        "predict", "predict_proba", "transform", "grade", "score_samples", "segments", "quadrants",
        "stage_table", "drift", "rules_text",
    ]  # fmt: skip
    out = {"names": list(model.get_feature_names_out()), "in": list(model.feature_names_in_)}
    for name in names:
        if hasattr(model, name):
            method = getattr(model, name)
            with contextlib.suppress(ValueError):  # drift of learned stages needs labels
                out[name] = method() if name == "rules_text" else method(table)
    if hasattr(model, "scorer"):
        out["scorer"] = [model.scorer()(row) for row in table.head(5).to_dict("records")]
    return out


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, other[name], check_exact=True)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(value, other[name])
        else:
            assert value == other[name], name


@pytest.mark.parametrize("name", KINDS)
def test_reopened_it_answers_to_the_bit(name, table):
    model, told = fitted(name, table)
    text = json.dumps(model.to_dict(), allow_nan=False, sort_keys=True)
    again = type(model).from_dict(json.loads(text))
    assert again.to_dict() == model.to_dict()
    assert again.get_params() == model.get_params()
    with heard():
        assert_same(answers(again, told), answers(model, told))
    # no customer's row: as long for half of the customers, but for ranks and gaps of few
    assert len(text) < 40_000


def places(plain, path=()):
    items = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, (dict, list)):
            if isinstance(value, dict) or len(value) < 6:
                yield from places(value, (*path, key))
            else:  # one end of a long list stands for all of it
                yield (*path, key, len(value) - 1)


def sealed_again(plain, path, value):
    plain = copy.deepcopy({k: v for k, v in plain.items() if k != "checksum"})
    inside = plain
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    try:
        return seal(plain)
    except (ValueError, TypeError):
        return {**plain, "checksum": "0" * 64}


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ALIKE])
def test_a_file_made_to_harm_is_refused_or_harmless(name, table):
    """Past the checksum: an ``ArtefactError``, or answers, or a setting's own ``ValueError``."""
    model, told = fitted(name, table)
    plain, few = json.loads(json.dumps(model.to_dict())), told.head(4)
    refused = 0
    for path in places(plain):
        if path[0] in ("schema", "model", "library", "checksum"):
            continue
        for value in BAD:
            try:
                made = type(model).from_dict(sealed_again(plain, path, value))
            except ArtefactError:
                refused += 1
                continue
            with heard():
                try:
                    made.transform(few)
                except ValueError:
                    assert path[0] == "settings" or "named" in path, (path, value)
    assert refused > 20


@pytest.mark.parametrize("name", ["RFM", "shrunk", "stages, learned", "grades", "matrix"])
def test_broken_and_newer_files_are_one_kind_of_error(name, table):
    model, _ = fitted(name, table)
    kind, plain = type(model), model.to_dict()
    for wrong, says in (
        (None, "is a dictionary"), ([], "is a dictionary"), ({}, "schema None"),
        ({**plain, "schema": 99}, "schema 99; this version reads"),
        ({**plain, "model": "Other"}, "holds 'Other', not"),
        ({**plain, "library": "9.9"}, "checksum does not fit"),
        ({**plain, "surprise": 1}, "surprise"),
        ({k: v for k, v in plain.items() if k != "learned"}, "has no learned"),
        ({k: v for k, v in plain.items() if k != "checksum"}, "has no checksum"),
    ):  # fmt: skip
        with pytest.raises(ArtefactError, match=says):
            kind.from_dict(wrong)
    with pytest.raises(ArtefactError, match=f"not {ValueGrades.__name__}|not RFMTransformer"):
        (RFMTransformer if kind is ValueGrades else ValueGrades).from_dict(plain)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (("left_child", 0), 0), (("left_child", 0), 10**6), (("left_child", 0), -2),
        (("right_child", 0), 1), (("right_child", -1), 1), (("feature", 0), 10**6),
        (("feature", 0), -2), (("left_child", 0), 2),
    ],
)  # fmt: skip
def test_a_tree_that_points_outside_of_itself_is_refused_before_it_is_walked(node, value, table):
    model, _ = fitted("stages, learned", table)
    plain = model.to_dict()
    path = ("learned", "learned", "tree", "nodes", node[0], "cells", node[1])
    with pytest.raises(ArtefactError, match="tree"):
        LifecycleClassifier.from_dict(sealed_again(plain, path, value))


def test_labels_of_any_kind_come_back_with_their_tree(table):
    table = table[table["n_gaps"] > 1]
    y = table["n_orders"].clip(upper=5).to_numpy()
    for labels in (y, y.astype(str), y.astype(str).astype(object), y > 4):
        model = LifecycleClassifier(max_depth=3).fit(table, labels)
        again = LifecycleClassifier.from_dict(json.loads(json.dumps(model.to_dict())))
        assert again.classes_.dtype == model.classes_.dtype
        np.testing.assert_array_equal(again.predict(table), model.predict(table))
        assert again.rules_text() == model.rules_text()
    with pytest.raises(NotSupportedError, match="seed"):
        LifecycleClassifier(random_state=np.random.RandomState(0)).fit(table, y).to_dict()


def test_an_estimator_of_an_array_has_no_names_after_its_journey():
    gaps = [[15.0, 10.0, 5.0], [30.0, 10.0, 0.0], [45.0, 12.0, 5.0]]
    model = SilenceScorer().fit(gaps)
    again = SilenceScorer.from_dict(json.loads(json.dumps(model.to_dict())))
    assert not hasattr(again, "feature_names_in_")
    np.testing.assert_array_equal(again.transform(gaps), model.transform(gaps))


def test_endless_cuts_are_written_as_json_has_no_word_for_them():
    with heard():
        model = ValueGrades(by="value").fit([[-1.0], [-2.0]])
    again = ValueGrades.from_dict(json.loads(json.dumps(model.to_dict(), allow_nan=False)))
    assert np.isinf(again.cuts_).all()
    assert again.transform([[-1.0]]).tolist() == [[5.0]]


def test_values_are_held_against_their_types():
    for value, kind in (
        ((1.0, 2.0), tuple[float, ...]), ({"b": 1, "a": 2}, dict[str, int]), (None, float | None),
        (frozenset({"a"}), frozenset[str]), ([True], list[bool]), (float("-inf"), float),
    ):  # fmt: skip
        back = from_plain(json.loads(json.dumps(to_plain(value))), kind, "it")
        assert back == value
        assert type(back) is type(value)
    for plain, kind in (
        (True, int), (1.5, int), ("1", float), ([1], tuple[float, float]), ({}, list[int]),
        ([["a", 1], ["a", 2]], dict[str, int]), ([["a"]], dict[str, int]), (5, float | str | None),
        ("nan", float),
    ):  # fmt: skip
        if kind == float | str | None:
            assert from_plain(plain, kind, "it") == 5.0
            continue
        with pytest.raises(ArtefactError, match="it"):
            from_plain(plain, kind, "it")
    with pytest.raises(NotSupportedError, match="plain form"):
        to_plain(object())


def test_a_funnel_is_sealed_and_a_broken_one_is_the_same_kind_of_error():
    log = pd.DataFrame(
        {"deal": [1, 1, 2, 2], "stage": ["lead", "won", "lead", "lost"],
         "time": ["2024-01-01", "2024-01-09", "2024-01-02", "2024-01-20"]}
    )  # fmt: skip
    plain = FunnelChain(["lead"]).fit(log, as_of="2024-02-01").to_dict()
    assert "checksum" in plain
    with pytest.raises(ArtefactError, match="checksum"):
        FunnelChain.from_dict({**plain, "periods": 3.0})
    old = {k: v for k, v in plain.items() if k != "checksum"} | {"schema": 1}
    assert FunnelChain.from_dict(old).ledger_ == FunnelChain.from_dict(plain).ledger_
    for path, value in (
        (("shape", "age_classes"), 10**9), (("moves", 0, "row", 0), 10**9), (("started",), [1, 2]),
        (("moves", 0, "n", 0), "x"), (("outcomes",), None), (("settings",), {}), (("shape",), {}),
    ):  # fmt: skip
        with pytest.raises(ArtefactError):
            FunnelChain.from_dict(sealed_again(plain, path, value))


def test_every_public_estimator_is_written_or_says_why_not():
    found = {}
    for room in ROOMS:
        face = importlib.import_module(f"custvalue.{room}")
        for name in face.__all__:
            kind = getattr(face, name)
            if inspect.isclass(kind) and issubclass(kind, BaseEstimator) and hasattr(kind, "fit"):
                found[name] = hasattr(kind, "to_dict") and hasattr(kind, "from_dict")
    assert {name for name, written in found.items() if not written} == set(NOT_WRITTEN)
    assert len(found) > 35
