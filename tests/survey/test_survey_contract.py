"""scikit-learn's own checks for the estimator over any numeric columns, ours for the other."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue._portable import seal
from custvalue.exceptions import ArtefactError, NotSupportedError
from custvalue.survey import Need, NeedsCoverage, PerceivedValue, serves_table


@parametrize_with_checks([NeedsCoverage(), NeedsCoverage(core_additional=0.2)])
def test_scikit_learn_finds_nothing_to_object_to(estimator, check):
    check(estimator)


def ratings():
    rows = [
        {"id": i, "brand": b, "q": 1 + (i + j) % 5, "p": 1 + (2 * i + j) % 5}
        for i in range(20)
        for j, b in enumerate(("us", "them"))
    ]
    return pd.DataFrame(rows)


VALUE = PerceivedValue(
    benefits=["q"], sacrifices=["p"], scale=(1, 5), respondent="id", quality_weight=0.5, n_draws=20
)
NEEDS = NeedsCoverage(needs={"q": Need(4, layer="core"), "p": Need(3, layer="additional")})


@pytest.mark.parametrize("estimator", [VALUE, NEEDS], ids=["PerceivedValue", "NeedsCoverage"])
def test_any_frame_goes_in_and_its_kind_comes_out(estimator):
    polars = pytest.importorskip("polars")
    frame = ratings()
    fitted = estimator.fit(frame)
    other = polars.DataFrame(frame)
    assert fitted.transform(other) == pytest.approx(fitted.transform(frame), nan_ok=True)
    if estimator is NEEDS:
        assert isinstance(fitted.coverage_table(other), polars.DataFrame)
        assert isinstance(fitted.stage_table(other, ["new"] * 40), polars.DataFrame)
    else:
        assert isinstance(fitted.customer_table(other, "us"), polars.DataFrame)


@pytest.mark.parametrize("estimator", [VALUE, NEEDS], ids=["PerceivedValue", "NeedsCoverage"])
def test_extra_columns_and_their_order_do_not_matter(estimator):
    frame = ratings()
    fitted = estimator.fit(frame)
    other = frame.assign(more=1)[["more", "p", "brand", "q", "id"]]
    assert fitted.transform(other) == pytest.approx(fitted.transform(frame), nan_ok=True)


@pytest.mark.parametrize("estimator", [VALUE, NEEDS], ids=["PerceivedValue", "NeedsCoverage"])
def test_rows_keep_their_index_and_pickling_keeps_the_answers(estimator):
    import pickle

    frame = ratings().iloc[::-1].set_index(pd.Index(range(100, 140)))
    fitted = clone(estimator).set_output(transform="pandas").fit(frame)
    out = fitted.transform(frame)
    assert out.index.equals(frame.index)
    assert list(out.columns) == list(fitted.get_feature_names_out())
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(frame), out)


@pytest.mark.parametrize("estimator", [VALUE, NEEDS], ids=["PerceivedValue", "NeedsCoverage"])
def test_a_fitted_estimator_goes_through_json_and_whatever_was_changed_is_refused(estimator):
    frame = ratings()
    fitted = clone(estimator).fit(frame)
    plain = json.loads(json.dumps(fitted.to_dict()))
    again = type(estimator).from_dict(plain)
    assert again.transform(frame) == pytest.approx(fitted.transform(frame), nan_ok=True)
    assert again.to_dict() == plain
    assert again.get_feature_names_out().tolist() == fitted.get_feature_names_out().tolist()
    for wrong, text in (
        (plain | {"model": "MBGNBD"}, "holds 'MBGNBD'"),
        (plain | {"schema": 99}, "schema 99"),
        (plain | {"learned": {}}, "checksum"),
        (plain | {"surprise": 1}, "surprise"),
        (None, "is a dictionary"),
    ):
        with pytest.raises(ArtefactError, match=text):
            type(estimator).from_dict(wrong)
    for part in ("settings", "learned"):  # past the checksum
        for name in plain[part]:
            for bad in ({}, [], None, -1, "x"):
                more = {k: v for k, v in plain.items() if k != "checksum"}
                more[part] = {**plain[part], name: bad}
                try:
                    type(estimator).from_dict(seal(more))
                except ArtefactError:
                    continue
            less = {k: v for k, v in plain.items() if k != "checksum"}
            less[part] = {k: v for k, v in plain[part].items() if k != name}
            with pytest.raises(ArtefactError):
                type(estimator).from_dict(seal(less))


def test_needs_of_every_origin_and_an_edited_map_go_through_json():
    mine = serves_table()
    mine.loc["service", "history"] = 1
    frame = pd.DataFrame(
        {"need": ["q", "p", "z"], "kano": ["M", "O", "I"], "required": np.array([4, 3, 3])}
    )
    levels = pd.DataFrame({"q": [3.0, 4.0], "p": [1.0, 3.0], "z": [0.0, 0.0]})
    for needs in (None, frame, {"q": Need(np.int64(4), layer="core")}):
        fitted = NeedsCoverage(needs=needs, serves=mine).fit(levels)
        again = NeedsCoverage.from_dict(json.loads(json.dumps(fitted.to_dict())))
        pd.testing.assert_frame_equal(again.work_table(levels), fitted.work_table(levels))
        pd.testing.assert_frame_equal(again.message_table(levels), fitted.message_table(levels))
        assert again.dropped_ == fitted.dropped_


def test_a_random_generator_has_no_plain_form():
    value = clone(VALUE).set_params(random_state=np.random.default_rng(0)).fit(ratings())
    with pytest.raises(NotSupportedError, match=r"random_state=.* a seed"):
        value.to_dict()


def test_an_unfitted_estimator_says_so():
    from sklearn.exceptions import NotFittedError

    for call in (PerceivedValue().value_table, lambda: NeedsCoverage().transform([[1.0]])):
        with pytest.raises(NotFittedError):
            call()
