"""
Segments by size and worth
==========================

Who is alike, how many they are and what one of them has spent. Scores need enough distinct values:
most customers of this log bought once, so frequency is scored in three steps.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
customers = cv.summarize(log, **names, as_of="1998-06-30")
rfm = cv.RFMTransformer(n_bins={"R": 3, "F": 2, "M": 3}).fit(customers)

# %%
# A tree map of named segments. The map is checked when it is made: every cell of scores is in
# exactly one segment.
from custvalue.plotting import RFMHeatmapDisplay, SegmentTreemapDisplay
from custvalue.rfm import SegmentMap

cells = SegmentMap(
    {
        "champions": {"R": 3, "F": 2, "M": 3},
        "loyal customers": [{"R": 3, "F": 2, "M": (1, 2)}, {"R": 2, "F": 2}],
        "new customers": {"R": 3, "F": 1},
        "promising": {"R": 2, "F": 1},
        "at risk": {"R": 1, "F": 2},
        "lost": {"R": 1, "F": 1},
    },
    n_bins={"R": 3, "F": 2, "M": 3},
)
display = SegmentTreemapDisplay.from_estimator(
    rfm, customers, customers["total_value"], segments=cells
)

# %%
# The numbers are a table:
display.table.round(2)

# %%
# The same customers by score.
RFMHeatmapDisplay.from_estimator(rfm, customers, customers["total_value"])
