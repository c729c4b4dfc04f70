"""How ids are written changes no figure of a report."""

from __future__ import annotations

import pandas as pd
import pytest

from custvalue.report import make_report

NAMES = {"customer": "customer_id", "time": "date", "amount": "amount", "as_of": "1997-09-30"}


def test_texts_and_whole_numbers_that_sort_alike_make_one_page(cdnow_sample, law_alone):
    texts = "c" + cdnow_sample["customer_id"].astype(str).str.zfill(6)
    asked = {**NAMES, "models": law_alone, "margin": 0.3}
    by_number = make_report(cdnow_sample, **asked)
    by_text = make_report(cdnow_sample.assign(customer_id=texts), **asked)
    as_text = "c" + by_number.customers["customer_id"].astype(str).str.zfill(6)
    assert by_text.customers["customer_id"].tolist() == as_text.tolist()
    pd.testing.assert_frame_equal(
        by_number.customers.drop(columns="customer_id"),
        by_text.customers.drop(columns="customer_id"),
    )
    assert by_number.facts["moves"] == by_text.facts["moves"]
    for name in ("base", "segments", "stages", "forecast", "ahead"):
        assert by_number.facts.get(name) == by_text.facts.get(name)
    told = [one["customer"] for one in by_text.facts["stories"]]
    first = [one["customer"] for one in by_number.facts["stories"]]
    assert told == [f"c{int(one):06d}" for one in first]
    assert sum(one["value"] for one in by_text.facts["stories"]) == pytest.approx(
        sum(one["value"] for one in by_number.facts["stories"])
    )
