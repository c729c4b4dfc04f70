"""
Whom a campaign moves
=====================

The Qini curve: what treating those with the greatest predicted effect first brings.
"""

import numpy as np
import pandas as pd

rng = np.random.default_rng(1)
customers = pd.DataFrame({"silence": rng.exponential(60, 4000), "n_orders": rng.poisson(3, 4000)})
mailed = rng.integers(0, 2, 4000)
moved = customers["silence"] > 60  # the others come anyway
spent = rng.exponential(20, 4000) * (rng.random(4000) < 0.3) + 8 * mailed * moved

# %%
# Where the curve lies above the dashed line, the order of the predicted effects brings more than as
# many customers at random. Every point is from customers that were kept out of the learning.
from sklearn.linear_model import LinearRegression

from custvalue.campaign import UpliftModel
from custvalue.plotting import UpliftDisplay

uplift = UpliftModel(LinearRegression()).fit(customers, spent, treatment=mailed)
UpliftDisplay.from_estimator(uplift)

# %%
# The numbers behind it.
uplift.qini_table().iloc[[0, 25, 50, 75, 100]].round(2)
