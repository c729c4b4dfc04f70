"""scikit-learn's own checks for the estimator over any numeric columns, ours for the other."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from custvalue.survey import Need, NeedsCoverage, PerceivedValue


@parametrize_with_checks([NeedsCoverage(), NeedsCoverage(labels="zh", core_additional=0.2)])
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

    from sklearn.base import clone

    frame = ratings().iloc[::-1].set_index(pd.Index(range(100, 140)))
    fitted = clone(estimator).set_output(transform="pandas").fit(frame)
    out = fitted.transform(frame)
    assert out.index.equals(frame.index)
    assert list(out.columns) == list(fitted.get_feature_names_out())
    again = pickle.loads(pickle.dumps(fitted))
    pd.testing.assert_frame_equal(again.transform(frame), out)


def test_an_unfitted_estimator_says_so():
    from sklearn.exceptions import NotFittedError

    for call in (PerceivedValue().value_table, lambda: NeedsCoverage().transform([[1.0]])):
        with pytest.raises(NotFittedError):
            call()
