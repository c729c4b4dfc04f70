"""
A law against its customers
===========================

What a fitted law says of the customers it has seen, and of what they did afterwards.
"""

import custvalue as cv
from custvalue.purchase import MBGNBD

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
then = cv.summarize(log, **names, as_of="1997-09-30", unit="W")
now = cv.summarize(log, **names, as_of="1998-06-30").set_index("customer_id")
came = now.loc[then["customer_id"], "n_orders"].to_numpy() - then["n_orders"].to_numpy()
law = MBGNBD().fit(then)

# %%
# Customers by number of repeat orders, as seen and as the law expects them.
from custvalue.plotting import CountDisplay, HoldoutDisplay, TraitDisplay

CountDisplay.from_estimator(law, then)

# %%
# The nine months after, by what was known of each customer: orders so far, the last one, age.
HoldoutDisplay.from_estimator(law, then, came, horizon="39W", by="frequency")

# %%
HoldoutDisplay.from_estimator(law, then, came, horizon="39W", by="recency")

# %%
HoldoutDisplay.from_estimator(law, then, came, horizon="39W", by="T", n_groups=5)

# %%
# How customers differ: in how often they order, and in how soon they leave.
TraitDisplay.from_estimator(law, trait="order_rate")

# %%
TraitDisplay.from_estimator(law, trait="dropout")

# %%
# Mean spend of a customer, as seen and as the law of spend has it.
from custvalue.plotting import IsoValueDisplay, RepeatsDisplay, SpendDisplay, TimingDisplay
from custvalue.spend import GammaGamma

SpendDisplay.from_estimator(GammaGamma().fit(then), then, unit="USD")

# %%
# Thirty customers with two orders or more, those most likely alive on top.
TimingDisplay.from_estimator(law, log, **names, as_of="1997-09-30")

# %%
# Repeat orders that a new customer is expected to have placed by each age.
RepeatsDisplay.from_estimator(law, until="78W")

# %%
# Histories that are worth the same: many orders long ago are worth as little as few.
IsoValueDisplay.from_estimator(law, T=39.0, annual_discount_rate=0.15)
