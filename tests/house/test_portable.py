"""Written models: whatever is wrong with a file is one kind of error, and nothing in it runs."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
import scipy.sparse as sp

import custvalue as cv
from custvalue._portable import (
    array_from_plain,
    array_to_plain,
    checksum,
    kind_of,
    reading,
    seal,
    set_learned,
    sparse_from_plain,
    sparse_to_plain,
    unseal,
)
from custvalue._warn import heard
from custvalue.exceptions import ArtefactError
from custvalue.likelihood import LawModel
from custvalue.purchase import MBGNBD, Prior, PurchaseModel
from custvalue.spend import GammaGamma
from custvalue.testing._models import PURCHASE_MODELS
from custvalue.value import CustomerValue

BAD = [
    None,
    float("nan"),
    float("inf"),
    "x",
    -1,
    0,
    True,
    [],
    {},
    [1],
    {"a": 1},
    10**400,
    "9" * 500,
]


def fitted(name):
    """A fitted model of every kind, with a prior and a horizon where there are such."""
    if name == "GammaGamma":
        rng = np.random.default_rng(0)
        x = rng.integers(0, 6, 300)
        return GammaGamma(statistic="capped", cap=90.0).fit(
            np.column_stack([x, np.where(x, rng.gamma(9, 4, 300), np.nan)])
        )
    rng = np.random.default_rng(0)
    x = np.minimum(rng.integers(0, 9, 200), 6)
    if name == "ShiftedBetaGeometric":
        X = np.column_stack([x, x, x + rng.integers(0, 2, 200)])
    elif name == "BetaBinomialResponse":
        X = np.column_stack([x, x, np.full(200, 8)])
    else:
        X = np.column_stack([x, np.where(x, x + 2, 0), np.full(200, 12)])
    with heard():
        return PURCHASE_MODELS[name](unit=None, horizon=5, prior=Prior(9, order_rate=0.2)).fit(X)


NAMES = [*PURCHASE_MODELS, "GammaGamma"]
ROWS = {"GammaGamma": [[0, np.nan], [3, 40.0]], "ShiftedBetaGeometric": [[2, 2, 3], [3, 3, 3]]}


@pytest.fixture(scope="module")
def written():
    return {name: fitted(name).to_dict() for name in NAMES}


def places(plain, path=()):
    """Every place in nested dictionaries and lists."""
    yield path
    items = plain.items() if isinstance(plain, dict) else enumerate(plain)
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


def changed(plain, path, value):
    plain = copy.deepcopy(plain)
    inside = plain
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return plain


def sealed_again(plain):
    """As somebody would who wants to get past the checksum."""
    plain.pop("checksum", None)
    try:
        return seal(plain)
    except (ValueError, TypeError):
        return {**plain, "checksum": "0" * 64}


def read(plain):
    return LawModel.from_dict(plain)


@pytest.mark.parametrize("name", NAMES)
def test_any_change_is_found_by_the_checksum(written, name):
    plain = written[name]
    for path in places(plain):
        if path and path[0] not in ("model", "schema"):
            with pytest.raises(ArtefactError):
                read(changed(plain, path, "changed"))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_made_to_harm_is_refused_in_one_way_or_predicts_numbers(written, name):
    plain = written[name]
    X = ROWS.get(name, [[2, 4, 12], [0, 0, 12]])
    refused = 0
    for path in places(plain):
        if not path:
            continue
        for value in BAD:
            try:
                model = read(sealed_again(changed(plain, path, value)))
            except ArtefactError:
                refused += 1
                continue
            ahead = {} if getattr(model, "horizon", 5) is not None else {"horizon": 5}
            assert np.isfinite(model.predict(X, **ahead)).all(), (path, value)
            str(model.fit_report())
            model.standard_errors()
            model.covariance()
    assert refused > 100


@pytest.mark.parametrize("name", NAMES)
def test_names_that_are_missing_or_too_many_are_refused_by_name(written, name):
    plain = written[name]
    for path in places(plain):
        inside = plain
        for key in path:
            inside = inside[key]
        if isinstance(inside, dict) and path[-1:] not in [("facts",), ("prior",)]:
            more = copy.deepcopy(plain)
            there = more
            for key in path:
                there = there[key]
            there["surprise"] = 1
            with pytest.raises(ArtefactError, match="surprise"):
                read(sealed_again(more))
            for key in inside:
                if key in ("model", "schema"):
                    continue
                less = copy.deepcopy(plain)
                there = less
                for step in path:
                    there = there[step]
                del there[key]
                if key != "checksum":
                    less = sealed_again(less)
                with pytest.raises(ArtefactError, match=key):
                    read(less)


@pytest.mark.parametrize("plain", [None, 5, "x", [], [1], {}, {"schema": 2}, {"model": "MBGNBD"}])
def test_what_is_no_written_model_is_refused(plain):
    for kind in (PurchaseModel, MBGNBD, GammaGamma, LawModel):
        with pytest.raises(ArtefactError):
            kind.from_dict(plain)


@pytest.mark.parametrize("name", ["__builtins__", "PurchaseModel", "clone", "Prior", "dict"])
def test_no_name_outside_of_the_models_is_looked_up(written, name):
    with pytest.raises(ArtefactError):
        read(sealed_again({**written["MBGNBD"], "model": name}))


def test_a_changed_unit_is_found(written):
    plain = changed(written["MBGNBD"], ("settings", "unit"), "D")
    with pytest.raises(ArtefactError, match="checksum"):
        read(plain)


def test_a_journey_through_other_writers_of_json_changes_nothing(written):
    for plain in written.values():
        text = json.dumps(plain, sort_keys=True)
        assert read(json.loads(text)).params_ == read(plain).params_
        assert read(json.loads(text.replace(".0,", ",").replace(".0}", "}"))).params_


@pytest.mark.parametrize("name", ["MBGNBD", "GammaGamma"])
def test_a_file_of_the_first_schema_is_read_as_ever(reference, name):
    old = reference("artefacts")[name]
    assert "checksum" not in old["plain"]
    model = read(old["plain"])
    rows = [[np.nan if v is None else v for v in row] for row in old["rows"]]
    np.testing.assert_allclose(model.predict(rows), old["predict"], rtol=1e-12)
    again = model.to_dict()
    assert again["schema"] == 2
    assert again["params"] == old["plain"]["params"]


def test_arrays_come_back_as_they_were():
    for values in (
        np.arange(6.0).reshape(2, 3),
        np.array([1, -2], np.int32),
        np.array([True, False]),
        np.array(["a", "客户"]),
        np.array(["2024-01-01", "NaT"], "datetime64[D]"),
        np.array([[]]),
    ):
        back = array_from_plain(json.loads(json.dumps(array_to_plain(values))))
        assert back.dtype == values.dtype
        np.testing.assert_array_equal(back, values)
    odd = np.array([np.nan, np.inf, -np.inf, 1.0])
    plain = json.loads(json.dumps(array_to_plain(odd), allow_nan=False))
    np.testing.assert_array_equal(array_from_plain(plain, finite=False), odd)
    with pytest.raises(ArtefactError):
        array_from_plain(plain)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "S2000000000"}, {"dtype": "U2000000000"}, {"dtype": "O"}, {"dtype": "V8"},
        {"dtype": "f8,i4"}, {"dtype": "(2,)f8"}, {"dtype": None}, {"dtype": "nonsense"},
        {"shape": [3]}, {"shape": [-2, -1]}, {"shape": [10**9, 10**9]}, {"shape": "2"},
        {"shape": [True, 2]}, {"cells": [1.0]}, {"cells": ["a", "b"]}, {"cells": [None, 1.0]},
        {"cells": [True, 1.0]}, {"cells": "ab"}, {"cells": [[1.0], [2.0]]}, {"more": 1},
        {"cells": [float("nan"), 1.0]}, {"dtype": "i1", "cells": [1000, 1]},
        {"dtype": "u8", "cells": [-1, 1]},
    ],
)  # fmt: skip
def test_an_array_that_cannot_be_is_refused_before_it_is_made(change):
    with pytest.raises(ArtefactError):
        array_from_plain({**array_to_plain(np.array([1.0, 2.0])), **change})


@pytest.mark.parametrize(
    "change",
    [
        {"indptr": [0, 100_000_000, 3]}, {"indptr": [0, -3, 3]}, {"indptr": [0, 3]},
        {"indptr": [1, 2, 3]}, {"indptr": [0, 2, 4]}, {"indptr": [0, 2.0, 3]}, {"indptr": None},
        {"indices": [0, 1, 9]}, {"indices": [0, -1, 1]}, {"indices": [0, 1]},
        {"indices": [0, 1, 10**12]}, {"indices": "012"}, {"shape": [2]}, {"shape": [10**9, 2]},
        {"shape": 4}, {"shape": [2, 1]}, {"data": [1.0, 2.0, 3.0]},
    ],
)  # fmt: skip
def test_a_matrix_that_points_outside_of_itself_is_refused(change):
    plain = sparse_to_plain(sp.csr_array([[1.0, 2.0], [0.0, 3.0]]))
    np.testing.assert_array_equal(sparse_from_plain(plain).toarray(), [[1.0, 2.0], [0.0, 3.0]])
    with pytest.raises(ArtefactError):
        sparse_from_plain({**plain, **change})


def test_only_what_was_declared_is_set():
    model = MBGNBD()
    with pytest.raises(ArtefactError, match="predict"):
        set_learned(model, {"predict": 5, "learned_": None}, ("learned_",))
    assert callable(model.predict)
    assert set_learned(model, {"learned_": "W"}, ("learned_",)).learned_ == "W"


def test_a_registry_is_the_only_place_of_names():
    assert kind_of("MBGNBD", PURCHASE_MODELS) is MBGNBD
    for name in ("__builtins__", "PurchaseModel", None, ["MBGNBD"]):
        with pytest.raises(ArtefactError):
            kind_of(name, PURCHASE_MODELS)


def test_every_error_of_reading_is_one_kind_and_keeps_its_cause():
    with (
        pytest.raises(ArtefactError, match="the written chain is broken: KeyError") as caught,
        reading("chain"),
    ):
        {}["states"]
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_seal_holds_what_it_seals():
    plain = seal({"schema": 2, "library": "x", "model": "m", "settings": {"a": 1}})
    assert plain["checksum"] == checksum(plain)
    assert unseal(plain, schemas=(2,), keys=("settings",), model="m")["settings"] == {"a": 1}
    for wrong in ({"schema": 3}, {"schema": True}, {"model": "n"}, {"settings": {}}, {"x": 1}):
        with pytest.raises(ArtefactError):
            unseal({**plain, **wrong}, schemas=(2,), keys=("settings",), model="m")


@pytest.fixture(scope="module")
def values(cdnow_sample):
    """Value models fitted and written."""
    names = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}
    some = cdnow_sample[cdnow_sample["customer_id"] % 4 == 0]
    with heard():
        whole = CustomerValue(horizon="26W").fit(cv.summarize(some, **names, unit="W"))
        chain = cv.MarkovCLVEstimator(transitions="counts", horizon="24W")
        chain.fit(cv.panel(some, **names, period="4W"))
    return {"CustomerValue": whole.to_dict(), "MarkovCLVEstimator": chain.to_dict()}


@pytest.mark.parametrize("name", ["CustomerValue", "MarkovCLVEstimator"])
def test_value_models_are_sealed_and_broken_ones_are_one_kind_of_error(values, name):
    kind = {"CustomerValue": CustomerValue, "MarkovCLVEstimator": cv.MarkovCLVEstimator}[name]
    plain = values[name]
    again = kind.from_dict(json.loads(json.dumps(plain)))
    assert again.to_dict()["checksum"] == plain["checksum"]
    tops = [(key,) for key in plain if key not in ("model", "schema", "library")]
    inner = [("learned", "cells", key) for key in plain["learned"]["cells"]]
    for path in [*tops, *inner]:
        for bad in (
            None,
            "x",
            -1,
            [],
            {},
            {"is": "array", "kind": "f", "cells": [1], "shape": [9]},
        ):
            same = changed(plain, path, bad)
            if path != ("checksum",) and checksum(same) == checksum(plain):
                continue  # it is what stands there
            with pytest.raises(ArtefactError, match="checksum"):
                kind.from_dict(changed(plain, path, bad))
            if path == ("checksum",):
                continue
            try:  # past the checksum
                kind.from_dict(sealed_again(changed(plain, path, bad)))
            except ArtefactError:
                continue
    for wrong in (None, 5, [], {}, {"model": name}, {**plain, "surprise": 1}):
        with pytest.raises(ArtefactError):
            kind.from_dict(wrong)
