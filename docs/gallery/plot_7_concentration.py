"""
Where the money comes from
==========================

The share of spend that the best customers bring, and the whale curve of profit.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
customers = cv.summarize(log, **names, as_of="1998-06-30")

# %%
from custvalue.plotting import ConcentrationDisplay, WhaleCurveDisplay

ConcentrationDisplay.from_predictions(customers["total_value"])

# %%
# Suppose that 30 % of spend is margin and that every customer costs 12 dollars to serve: some
# customers lose money, and the curve passes 100 %.
WhaleCurveDisplay.from_predictions(0.3 * customers["total_value"] - 12.0)
