"""Stages on the page are tested on the log's own past, and the page says how they did."""

from __future__ import annotations

import numpy as np
import pytest

from custvalue.report import _sections
from custvalue.report._names import stage_notes
from custvalue.report._words import Words


def test_shares_of_the_table_are_of_those_who_stood_there_then(report, cdnow_sample):
    tested = report.facts["stages"]["tested"]
    (date,) = tested["dates"]
    assert np.datetime64("1997-09-30") - np.datetime64(date) == np.timedelta64(
        int(tested["days"]), "D"
    )
    rows = {row["stage"]: row["ordered"] for row in report.facts["stages"]["rows"]}
    later = cdnow_sample.query("date > @date and date <= '1997-09-30' and amount > 0")
    known = cdnow_sample.query("date <= @date and amount > 0")["customer_id"].unique()
    everybody = np.isin(known, later["customer_id"]).mean()
    shares = [share for share in rows.values() if share is not None]
    assert min(shares) <= everybody <= max(shares)
    assert rows["exited"] < everybody


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_name_that_does_not_hold_is_said_beside_the_table(report, language):
    words, stages = Words(language), dict(report.facts["stages"])
    pictures = {"stages": "<svg></svg>"}
    told = str(_sections._stages({**report.facts, "stages": stages}, pictures, words))
    assert stages["tested"]["dates"][0] in told
    stages["tested"] = {**stages["tested"], "words": ["core: it does not hold."]}
    assert "core: it does not hold." in stage_notes(stages, words)
    stages["tested"] = {"dates": [], "days": 1.0, "words": []}
    short = str(_sections._stages({**report.facts, "stages": stages}, pictures, words))
    assert report.facts["stages"]["tested"]["dates"][0] not in short
