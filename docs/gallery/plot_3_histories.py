"""
What a purchase law says of every history
=========================================

The chance that a customer is still one, and the orders to expect, for every number of repeat
orders and every time of the last one.
"""

import custvalue as cv

log = cv.datasets.load_cdnow("sample")
names = {"customer": "customer_id", "time": "date", "amount": "amount"}
customers = cv.summarize(log, **names, as_of="1997-09-30", unit="W")

# %%
from custvalue.plotting import CohortDisplay, FrequencyRecencyDisplay
from custvalue.purchase import MBGNBD

law = MBGNBD().fit(customers)
FrequencyRecencyDisplay.from_estimator(law, T=39.0, max_frequency=15)

# %%
FrequencyRecencyDisplay.from_estimator(
    law, T=39.0, max_frequency=15, what="expected", horizon="26W"
)

# %%
# Customers by month of their first order: how many of them order again, month by month.
CohortDisplay.from_log(log, **names, as_of="1997-09-30")

# %%
# The same with the law's orders for the months to come, which are marked.
CohortDisplay.from_estimator(law, log, **names, as_of="1997-09-30")
