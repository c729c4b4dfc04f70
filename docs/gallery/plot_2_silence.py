"""
Who is quiet
============

Where to draw the line between quiet and gone, and one customer's chance of coming back.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
then = cv.summarize(log, **names, as_of="1997-09-30")
now = cv.summarize(log, **names, as_of="1997-12-29").set_index("customer_id")
ordered = now.loc[then["customer_id"], "n_orders"].to_numpy() > then["n_orders"].to_numpy()

# %%
# Every cut on the silence score has two kinds of error. Here a discount given to one who would have
# come anyway costs three times as much as a customer who is missed.
from custvalue.plotting import GapCurveDisplay, TimelineDisplay

scorer = cv.SilenceScorer(method="shrunk").fit(then)
GapCurveDisplay.from_estimator(scorer, then, ordered, cost_false_alarm=3.0, cost_miss=1.0)

# %%
# Orders of one customer, and the chance of another one as silence grows.
from custvalue.purchase import MBGNBD

law = MBGNBD().fit(then)
busy = log["customer_id"].value_counts().index[5]
orders = log.loc[(log["customer_id"] == busy) & (log["date"] <= "1997-09-30"), "date"]
TimelineDisplay.from_estimator(law, orders, as_of="1997-09-30", window="90D")
