"""The eight classes by mean cuts (重要价值, 重要发展, ...)."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from custvalue.rfm import RFMTransformer, SegmentMap

# high or low in R, F, M, as Chinese textbooks lay the classes out
TEXTBOOK = {
    (2, 2, 2): "重要价值客户",
    (2, 1, 2): "重要发展客户",
    (1, 2, 2): "重要保持客户",
    (1, 1, 2): "重要挽留客户",
    (2, 2, 1): "一般价值客户",
    (2, 1, 1): "一般发展客户",
    (1, 2, 1): "一般保持客户",
    (1, 1, 1): "一般挽留客户",
}


def test_every_cell_has_the_textbooks_name():
    eight = SegmentMap.ready(2)
    said = dict(zip(eight.segments, eight.names("zh"), strict=True))
    cells = list(product((1, 2), repeat=3))
    assert {c: said[n] for c, n in zip(cells, eight.assign(cells), strict=True)} == TEXTBOOK


def test_variables_are_cut_at_their_means():
    rng = np.random.default_rng(3)
    customers = pd.DataFrame(
        {
            "silence": rng.integers(0, 300, 500).astype(float),
            "n_orders": rng.integers(1, 30, 500),
            "total_value": rng.gamma(1.0, 100.0, 500),
        }
    )
    rfm = RFMTransformer(n_bins=2, method="mean", unit="D").fit(customers)
    mean = customers.mean()
    high = customers > mean
    high["silence"] = customers["silence"] <= mean["silence"]  # less is better
    scores = rfm.transform(customers)
    assert (scores.to_numpy() == high.to_numpy() + 1).all()
    names = dict(zip(SegmentMap.ready(2).segments, SegmentMap.ready(2).names("zh"), strict=True))
    wanted = [TEXTBOOK[tuple(row)] for row in (high + 1).to_numpy().tolist()]
    assert [names[s] for s in rfm.segments(customers)] == wanted
    again = RFMTransformer.from_dict(rfm.to_dict())
    assert (again.segments(customers) == rfm.segments(customers)).all()


def test_more_than_two_scores_have_no_mean_to_be_cut_at():
    with pytest.raises(ValueError, match="pass n_bins=2"):
        RFMTransformer(method="mean").fit([[1.0, 2, 3.0], [2.0, 1, 5.0]])
