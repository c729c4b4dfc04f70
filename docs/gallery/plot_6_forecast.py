"""
Forecast against what came
==========================

The model sees the orders up to the end of September 1997; nine months later we know better.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
then = cv.summarize(log, **names, as_of="1997-09-30")
now = cv.summarize(log, **names, as_of="1998-06-30").set_index("customer_id")
known = now.loc[then["customer_id"]]
came = known["n_orders"].to_numpy() - then["n_orders"].to_numpy()

# %%
from custvalue.plotting import CalibrationDisplay, TrackingDisplay
from custvalue.purchase import MBGNBD

law = MBGNBD().fit(then)
weeks = log[log["date"] <= "1998-06-28"].groupby(["customer_id", "date"]).size().reset_index()
weekly = weeks.groupby(weeks["date"].dt.to_period("W").dt.end_time.dt.normalize()).size()
TrackingDisplay.from_estimator(
    law, then, weekly.index, weekly.to_numpy(), split="1997-09-30", what="orders per week"
)

# %%
TrackingDisplay.from_estimator(
    law, then, weekly.index, weekly.to_numpy(), split="1997-09-30", cumulative=True, what="orders"
)

# %%
# By group of customers: the level is right for light and heavy buyers, or it is not.
CalibrationDisplay.from_predictions(
    came, law.predict(then, horizon="39W"), what="orders per customer in 39 weeks"
)
