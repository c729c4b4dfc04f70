"""
The chain over customer states
==============================

How states follow each other, and what a customer in each of them is worth.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
history = cv.panel(log, **names, as_of="1998-06-30", period="4W")

# %%
from custvalue.markov import PanelStates
from custvalue.plotting import StateValueDisplay, TransitionDisplay

states = PanelStates(recency_max=5, frequency_classes=2, monetary_classes=1)
model = cv.MarkovCLVEstimator(states=states, horizon="52W", margin=0.3).fit(history)
TransitionDisplay.from_estimator(model)

# %%
StateValueDisplay.from_estimator(model, unit="USD", top=12)
