"""
Stages then and now
===================

Where relationships stood at the end of 1997, and where the same customers stand half a year later.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
then = cv.summarize(log, **names, as_of="1997-12-31")
now = cv.summarize(log, **names, as_of="1998-06-30")
now = now.set_index("customer_id").loc[then["customer_id"]].reset_index()

# %%
from custvalue.plotting import FlowDisplay

stages = cv.LifecycleClassifier(unit="D").fit(then)
FlowDisplay.from_estimator(stages, then, now, dates=("1997-12-31", "1998-06-30"))
